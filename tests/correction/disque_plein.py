"""Grade on a disk with less and less room, then with enough; say on the standard output.

Called as a program, on a disk of its own: `disque_plein.py COURSE PLACE`. COURSE is copied
into PLACE at each turn, and the disk filled but for some bytes. The submissions are run once,
for good; their results are then recorded at each turn by the whole command. Gives one JSON
line a turn: bytes left, the message, what is whole, what the next run gives.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook

from culture_d.errors import CultureDError
from culture_d.grading import run
from culture_d.grading.ledger import Ledger
from culture_d.grading.model import Assignment, Failed, Graded, Limits
from culture_d.grading.pool import Task
from culture_d.grading.run import Options, correct

STEP = 24 * 1024
_results: dict[str, Graded | Failed] = {}


def _run_once(
    tasks: Iterable[Task], assignments: Mapping[str, Assignment], *_: object
) -> Iterator[tuple[Task, Graded | Failed]]:
    """Run a submission the first time it is met, then give its result again."""
    for task in tasks:
        learner = task.repaired.submission.learner
        if learner not in _results:
            runner = run.make_runner(run.PLAIN, False)
            _results[learner] = runner.grade(assignments[task.assignment], task.repaired, Limits())
            runner.close()
        yield task, _results[learner]


def _grade(course: Path) -> str:
    try:
        correct(Options(course / "submitted", isolated=False), None)
    except CultureDError as error:
        return str(error)
    return ""


def _photograph(folder: Path) -> str:
    parts = [path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()]
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _points(course: Path) -> dict[str, float]:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {one.student.id: one.score for one in book.assignment_submissions("petit")}


def _is_whole(course: Path) -> bool:
    """Whether no submission of the gradebook is half there, and every ledger file reads."""
    with sqlite3.connect(course / "gradebook.db") as base:
        sound = base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        counts = base.execute("SELECT count(*) FROM grade GROUP BY notebook_id").fetchall()
    base.close()
    entries = list((course / ".culture-d" / "etat").rglob("[!.]*.json"))
    read = list(Ledger(course).entries("petit"))
    return sound and all(count == (3,) for count in counts) and len(read) == len(entries)


def _fill(path: Path, left: int) -> None:
    """Leave so many bytes on the disk of `path`."""
    with path.open("wb") as file:
        free = shutil.disk_usage(path.parent).free
        os.posix_fallocate(file.fileno(), 0, max(free - left, 1))


def main(origin: Path, place: Path) -> None:
    """Try each size, up to the one that is enough."""
    vars(run)["run_all"] = _run_once
    course, ballast = place / "cours", place / "lest"
    left, said = 0, "pas encore"
    while said:
        shutil.rmtree(course, ignore_errors=True)
        shutil.copytree(origin, course)
        before = _photograph(course / "submitted")
        if _results:
            _fill(ballast, left)
        else:
            _grade(course)
            shutil.rmtree(course)
            continue
        said = _grade(course)
        turn: dict[str, Any] = {"left": left, "said": said, "whole": _is_whole(course)}
        turn["kept"] = _photograph(course / "submitted") == before
        turn["files"] = sum(path.is_file() for path in course.rglob("*"))
        ballast.unlink()
        turn["again"] = _grade(course)
        turn["points"] = _points(course)
        turn["pages"] = len(list((course / "feedback").rglob("*.html")))
        print(json.dumps(turn), flush=True)
        left += STEP


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
