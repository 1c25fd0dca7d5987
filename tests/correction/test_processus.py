"""The pool: a process that dies costs one submission, and nothing is left running."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from culture_d.grading.model import Assignment, Failed, Graded, Limits, Repaired, Submission
from culture_d.grading.pool import AHEAD, Task, run_all

DEVOIR = Assignment("petit", b"", {}, {})


@dataclass
class Obedient:
    """A runner that does what the submission asks of its process."""

    pids: Path

    def grade(self, assignment: Assignment, repaired: Repaired, limits: Limits) -> Graded | Failed:
        submission = repaired.submission
        (self.pids / f"{os.getpid()}").touch()
        if "tuer" in submission.files:
            os.kill(os.getpid(), signal.SIGKILL)
        if "attendre" in submission.files:
            time.sleep(60)
        return Graded(submission.learner, assignment.name, {}, ())

    def close(self) -> None:
        (self.pids / "fermé").touch()


@dataclass
class Make:
    pids: Path

    def __call__(self) -> Obedient:
        return Obedient(self.pids)


def task(learner: str, *orders: str) -> Task:
    submission = Submission(learner, "petit", dict.fromkeys(orders, b""))
    return Task("petit", Repaired(submission, "0"))


def results(tasks: list[Task], folder: Path, jobs: int = 2) -> dict[str, type]:
    found = run_all(tasks, {"petit": DEVOIR}, Make(folder), Limits(), jobs)
    return {result.learner: type(result) for _, result in found}


def test_each_submission_has_one_result(tmp_path: Path) -> None:
    tasks = [task(f"e{number}") for number in range(30)]
    assert results(tasks, tmp_path) == {f"e{number}": Graded for number in range(30)}
    assert len(list(tmp_path.glob("[0-9]*"))) <= 2
    assert (tmp_path / "fermé").exists()


def test_a_submission_that_kills_its_process_is_the_only_one_lost(tmp_path: Path) -> None:
    tasks = [
        task(f"e{number}", *(["tuer"] if number in (3, 4, 11) else [])) for number in range(14)
    ]
    found = results(tasks, tmp_path)
    assert {learner for learner, kind in found.items() if kind is Failed} == {"e3", "e4", "e11"}
    assert len(found) == 14


def test_nobody_waits_for_the_whole_class_to_be_read(tmp_path: Path) -> None:
    read = 0

    def tasks() -> Iterator[Task]:
        nonlocal read
        for number in range(50):
            read += 1
            yield task(f"e{number}")

    for done, _ in enumerate(run_all(tasks(), {"petit": DEVOIR}, Make(tmp_path), Limits(), 2), 1):
        assert read <= done + 2 * AHEAD


def test_leaving_early_stops_the_processes(tmp_path: Path) -> None:
    tasks = [task("vite"), task("lent", "attendre"), task("lente", "attendre")]
    found = run_all(tasks, {"petit": DEVOIR}, Make(tmp_path), Limits(), 2)
    next(found)
    while len(list(tmp_path.glob("[0-9]*"))) < 2:
        time.sleep(0.05)
    found.close()  # type: ignore[attr-defined]
    assert gone(int(path.name) for path in tmp_path.glob("[0-9]*"))


PARENT = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from test_processus import Make, DEVOIR, task
from culture_d.grading.model import Limits
from culture_d.grading.pool import run_all
if __name__ == "__main__":
    tasks = [task("un", "attendre"), task("deux", "attendre")]
    list(run_all(tasks, {{"petit": DEVOIR}}, Make(Path({pids!r})), Limits(), 2))
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_processes_die_with_their_parent(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    pids.mkdir()
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(folder=str(Path(__file__).parent), pids=str(pids)))
    parent = subprocess.Popen([sys.executable, script])
    limit = time.monotonic() + 60
    while len(list(pids.iterdir())) < 2 and time.monotonic() < limit:
        time.sleep(0.05)
    parent.kill()
    parent.wait()
    assert len(list(pids.iterdir())) == 2
    assert gone(int(path.name) for path in pids.iterdir())


def gone(pids: Iterator[int]) -> bool:
    """Wait, ten seconds at most, for processes to be no more."""
    left, limit = set(pids), time.monotonic() + 10
    while left and time.monotonic() < limit:
        left = {pid for pid in left if alive(pid)}
        time.sleep(0.05)
    return not left


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
