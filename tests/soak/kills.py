"""Kill the grading at random moments, fifty times: nothing lost, nothing half-written."""

import hashlib
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from culture_d.grading.assignment import load_assignments
from culture_d.grading.run import Options, correct
from culture_d.project import Project
from tests.bench.grading import submissions

KILLS = 50
SEED = 20261122
# From before the first submission is run to after the last is recorded.
LONGEST_SECONDS = 14.0


def fifty_kills(project: Project, root: Path, kills: int, say: Callable[[object], None]) -> None:
    """Kill the command with SIGKILL, look at what is left, run it again.

    A course that gets finished between two blows starts anew. What is asked of each blow:
    the gradebook is sound and each submission in it is whole, with the points of an
    undisturbed run; the submitted files are as they were; no process is left.
    """
    source = root / "reçus"
    _write_class(project, source)
    before = _photograph(source)
    calm = root / "calme"
    say("une première correction, sans arrêt")
    correct(Options(source, course=calm), project)
    expected = _points(calm)
    chance = random.Random(SEED)
    course, finished, seen = root / "cours-0", 0, 0
    for blow in range(1, kills + 1):
        process = _start(project, source, course)
        time.sleep(chance.uniform(0.3, LONGEST_SECONDS))
        ended = process.poll() is not None
        family = {} if ended else _descendants(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        _check_nothing_runs(family)
        found = _points(course)
        for key, points in found.items():
            assert points == expected[key], f"{key} : {points} au lieu de {expected[key]}"
        assert _photograph(source) == before, "un devoir reçu a changé"
        seen += len(found)
        if ended or len(found) == len(expected):
            _complete(project, source, course, expected)
            finished += 1
            shutil.rmtree(course)
            course = root / f"cours-{finished}"
        say(f"coup {blow} : {len(found)} devoirs notés sur {len(expected)}, carnet sain")
    _complete(project, source, course, expected)
    say(
        f"{kills} arrêts brutaux : {finished + 1} classes menées à leur terme, {seen} devoirs "
        "relus après un arrêt, aucun perdu, aucun à moitié écrit, mêmes points que sans arrêt."
    )


def _write_class(project: Project, folder: Path) -> None:
    with_cache = folder.parent / "cache"
    given = load_assignments(project.exercises, cache=with_cache)
    for repaired in submissions(project, given):
        one = repaired.submission
        place = folder / one.learner / one.assignment
        place.mkdir(parents=True)
        for name, content in one.files.items():
            (place / name).write_bytes(content)


def _start(project: Project, source: Path, course: Path) -> "subprocess.Popen[bytes]":
    words = [sys.executable, "-m", "culture_d.cli", "corriger", str(source), "--cours", str(course)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(words, cwd=project.root, stdout=quiet, stderr=quiet)


def _complete(
    project: Project, source: Path, course: Path, expected: dict[tuple[str, str], list[object]]
) -> None:
    outcome = correct(Options(source, course=course), project)
    assert not outcome.refused, outcome.refused
    assert not outcome.failed, outcome.failed
    assert _points(course) == expected
    pages = {
        path.parent.parent.name + "/" + path.parent.name
        for path in course.glob("feedback/*/*/*.html")
    }
    assert pages == {f"{learner}/{name}" for name, learner in expected}, "il manque des retours"


def _points(course: Path) -> dict[tuple[str, str], list[object]]:
    """Give every score of the gradebook, by assignment and learner; check that it is sound."""
    path = course / "gradebook.db"
    if not path.is_file():
        return {}
    base = sqlite3.connect(path)
    try:
        assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        if not base.execute("SELECT 1 FROM sqlite_master WHERE name = 'grade'").fetchone():
            return {}
        rows = base.execute(
            """SELECT assignment.name, submitted_assignment.student_id, base_cell.name,
                      grade.auto_score, grade.needs_manual_grade
               FROM grade JOIN base_cell ON base_cell.id = grade.cell_id
               JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
               JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
               JOIN assignment ON assignment.id = submitted_assignment.assignment_id
               ORDER BY 1, 2, 3"""
        ).fetchall()
    finally:
        base.close()
    found: dict[tuple[str, str], list[object]] = {}
    for assignment, learner, cell, score, manual in rows:
        found.setdefault((assignment, learner), []).append((cell, score, manual))
    return found


def _photograph(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _check_nothing_runs(family: dict[int, str]) -> None:
    """Wait, ten seconds at most, for every process of the killed run to be gone."""
    limit = time.monotonic() + 10
    while left := [pid for pid, began in family.items() if _began(pid) == began]:
        assert time.monotonic() < limit, f"des processus restent : {left}"
        time.sleep(0.1)


def _descendants(pid: int) -> dict[int, str]:
    """Give the processes that one started, and those that they started, with their beginning."""
    found: dict[int, str] = {}
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (task / "children").read_text().split()):
                found |= {child: _began(child)} | _descendants(child)
    # One that ended meanwhile has no beginning: it would look as if it were there for ever.
    return {pid: began for pid, began in found.items() if began}


def _began(pid: int) -> str:
    """Say when a process began, as Linux counts it; nothing once it is gone."""
    with suppress(OSError):
        state, *rest = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if state == "Z" else rest[18]
    return ""
