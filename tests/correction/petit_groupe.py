"""Three learners of the small course of `conftest`: one right, one wrong, one empty file."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import nbformat
from nbgrader.api import Gradebook

from culture_d.grading.model import Assignment, Failed, Graded, Limits, Runner
from culture_d.grading.pool import Task
from culture_d.grading.run import Options, Outcome, correct

RIGHT = {"a": "a = 2", "b": "b = a + 1"}
WRONG = {"a": "a = 3", "b": "b = a + 9"}


def in_this_process(runner: Runner) -> Callable[..., Iterator[tuple[Task, Graded | Failed]]]:
    """Give what runs submissions here, one by one, in place of the pool, which has its own tests."""

    def run_here(
        tasks: Iterable[Task], assignments: Mapping[str, Assignment], *_: object
    ) -> Iterator[tuple[Task, Graded | Failed]]:
        for task in tasks:
            yield task, runner.grade(assignments[task.assignment], task.repaired, Limits())

    return run_here


def hand_in(folder: Path, learner: str, small: Assignment, answers: dict[str, str]) -> Path:
    """Write a learner's notebook, filled in, in nbgrader's layout."""
    notebook = nbformat.reads(next(iter(small.notebooks.values())).decode(), as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.nbgrader.grade_id, cell.source)
    place = folder / learner / "petit" / "petit.ipynb"
    place.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, place)
    return place


def grade(room: Path, **options: object) -> Outcome:
    """Grade what is in the course."""
    return correct(Options(room / "submitted", **{"jobs": 2, **options}), None)  # type: ignore[arg-type]


def points(room: Path, learner: str) -> float:
    """Read the points of a learner in the course's own gradebook."""
    with Gradebook(f"sqlite:///{room / 'gradebook.db'}") as book:
        return float(book.find_submission("petit", learner).score)
