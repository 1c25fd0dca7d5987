"""A disk that is full, or that may not be written: said in French, and nothing is lost."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.correction import disque_plein

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="un petit disque, par bubblewrap")
PROGRAM = Path(disque_plein.__file__)
DISK = 6 * 1024 * 1024


def under(*binds: object, program: list[object], cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a Python program with some places of the machine changed, for it alone."""
    words = ["bwrap", "--dev-bind", "/", "/", *binds, "--die-with-parent", "--", sys.executable]
    return subprocess.run(
        list(map(str, [*words, *program])), cwd=cwd, capture_output=True, text=True, timeout=500
    )


def test_a_full_disk_stops_the_run_wherever_it_is_and_the_next_one_completes(
    room: Path, tmp_path: Path
) -> None:
    place = tmp_path / "disque"
    place.mkdir()
    done = under("--size", DISK, "--tmpfs", place, program=[PROGRAM, room, place], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    turns = [json.loads(line) for line in done.stdout.splitlines()]
    stopped = [turn for turn in turns if turn["said"]]
    assert len(stopped) >= 3 and not turns[-1]["said"], turns
    # At several places: the copy, the gradebook, what is written for each learner.
    assert len({turn["files"] for turn in stopped}) >= 3, stopped
    for turn in turns:
        assert turn["whole"] and turn["kept"], turn
        assert not turn["said"] or "place" in turn["said"], turn
        assert not turn["said"] or "relancez" in turn["said"], turn
        assert turn["again"] == ""
        assert turn["points"] == {"lea": 5, "zoe": 0}
        assert turn["pages"] == 3


@pytest.mark.parametrize("held", ["", "gradebook.db"])
def test_what_may_not_be_written_is_said(room: Path, held: str, tmp_path: Path) -> None:
    place = room / held
    command: list[object] = ["-m", "culture_d.cli", "corriger", "submitted", "--sans-isolation"]
    done = under("--ro-bind", place, place, program=command, cwd=room)
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert "ne peut pas être" in done.stderr and str(room) in done.stderr
    assert not (room / "feedback").exists()
