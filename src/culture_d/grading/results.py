"""Marks of the learners, read from the gradebook by nbgrader's own API. Nothing is written."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from culture_d.errors import FeedbackError
from culture_d.grading.database import SQLITE, reachable, refusals


@dataclass(frozen=True)
class Mark:
    """Points of one cell, as nbgrader keeps them."""

    maximum: float
    automatic: float | None
    manual: float | None = None
    extra: float = 0.0
    needs_manual_grade: bool = False

    @property
    def points(self) -> float:
        """Points earned: a person's, else the machine's, and the extra credit."""
        if self.manual is not None:
            return self.manual + self.extra
        return self.extra + self.automatic if self.automatic is not None else 0.0

    @property
    def awaited(self) -> bool:
        """Whether a person has yet to give these points."""
        return self.needs_manual_grade and self.manual is None


@dataclass(frozen=True)
class Result:
    """What the gradebook knows of one submission. Keys are notebook and grade_id."""

    learner: str
    name: str
    """First and last name; empty if the gradebook has none."""
    marks: Mapping[tuple[str, str], Mark]
    comments: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """What a person wrote."""
    unanswered: frozenset[tuple[str, str]] = frozenset()
    """Cells left as they were given."""
    penalties: Mapping[str, float] = field(default_factory=dict)
    """Points taken off for lateness, by notebook."""
    timestamp: datetime | None = None
    """When it was submitted (UTC)."""
    seconds_late: float = 0.0

    @property
    def maximum(self) -> float:
        """The most points one can earn."""
        return sum(mark.maximum for mark in self.marks.values())

    @property
    def penalty(self) -> float:
        """Points taken off for lateness."""
        return sum(self.penalties.values())

    @property
    def points(self) -> float:
        """Points earned, lateness taken off: never below zero, as nbgrader exports them."""
        return max(0.0, sum(mark.points for mark in self.marks.values()) - self.penalty)

    @property
    def awaited(self) -> float:
        """Points that a person has yet to give."""
        return sum(mark.maximum for mark in self.marks.values() if mark.awaited)

    @property
    def marked_maximum(self) -> float:
        """The most points one can have so far, without those that are awaited."""
        return self.maximum - self.awaited


@dataclass(frozen=True)
class Learner:
    """Someone the gradebook knows."""

    learner: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""

    @property
    def name(self) -> str:
        """First and last name; empty if the gradebook has none."""
        return f"{self.first_name} {self.last_name}".strip()


def result_of(db_url: str, assignment: str, learner: str) -> Result:
    """Read the marks of one submission.

    Raises:
        FeedbackError: the gradebook is missing, or has no such submission.
        GradebookError: it cannot be read.
    """
    with _gradebook(db_url) as book:
        return result_in(book, assignment, learner)


def result_in(book: Any, assignment: str, learner: str) -> Result:
    """Read the marks of one submission in a `nbgrader.api.Gradebook` that is open already.

    Raises:
        FeedbackError: it has no such submission.
    """
    from nbgrader.api import MissingEntry

    try:
        return _result(book.find_submission(assignment, learner))
    except MissingEntry:
        raise FeedbackError(
            f"Le carnet de notes n'a pas de devoir « {assignment} » rendu par « {learner} ». "
            "Corrigez ce devoir, puis relancez."
        ) from None


def results(db_url: str, assignment: str) -> Iterator[Result]:
    """Read the marks of every submission of an assignment, one after the other, by learner.

    Raises:
        FeedbackError: the gradebook is missing, or does not know the assignment.
        GradebookError: it cannot be read.
    """
    from nbgrader.api import MissingEntry

    with _gradebook(db_url) as book:
        try:
            known = book.find_assignment(assignment)
        except MissingEntry:
            raise FeedbackError(
                f"Le carnet de notes ne connaît pas l'exercice « {assignment} ». "
                "Vérifiez son nom, et le carnet donné par « --db »."
            ) from None
        names = sorted(submission.student.id for submission in known.submissions)
        for name in names:
            yield _result(book.find_submission(assignment, name))
            # A class of thousands is not kept in memory.
            book.db.expire_all()


def learners(db_url: str) -> tuple[Learner, ...]:
    """List everyone the gradebook knows, by identifier.

    Raises:
        FeedbackError: the gradebook is missing.
        GradebookError: it cannot be read.
    """
    with _gradebook(db_url) as book:
        return tuple(
            Learner(one.id, one.first_name or "", one.last_name or "", one.email or "")
            for one in sorted(book.students, key=lambda one: str(one.id))
        )


@contextmanager
def _gradebook(db_url: str) -> Iterator[Any]:
    from nbgrader.api import Gradebook

    if db_url.startswith(SQLITE):
        path = Path(db_url.removeprefix(SQLITE))
        # nbgrader would make an empty one.
        if not path.is_file():
            raise FeedbackError(
                f"Le carnet de notes « {path} » est introuvable. "
                "Vérifiez l'adresse donnée par « --db »."
            )
    with refusals(db_url), Gradebook(reachable(db_url)) as book:
        yield book


def _result(submission: Any) -> Result:
    marks: dict[tuple[str, str], Mark] = {}
    comments: dict[tuple[str, str], str] = {}
    unanswered = set()
    penalties: dict[str, float] = {}
    for notebook in submission.notebooks:
        for grade in notebook.grades:
            marks[notebook.name, grade.name] = Mark(
                float(grade.max_score or 0),
                grade.auto_score,
                grade.manual_score,
                float(grade.extra_credit or 0),
                bool(grade.needs_manual_grade),
            )
        for comment in notebook.comments:
            if (comment.manual_comment or "").strip():
                comments[notebook.name, comment.name] = comment.manual_comment.strip()
            if comment.auto_comment:
                unanswered.add((notebook.name, comment.name))
        if notebook.late_submission_penalty:
            penalties[notebook.name] = float(notebook.late_submission_penalty)
    student = submission.student
    return Result(
        student.id,
        f"{student.first_name or ''} {student.last_name or ''}".strip(),
        marks,
        comments,
        frozenset(unanswered),
        penalties,
        submission.timestamp,
        float(submission.total_seconds_late),
    )
