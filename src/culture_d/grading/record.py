"""The one writer to the gradebook: nbgrader's own, one transaction a submission.

A run killed at any instant leaves each submission of the gradebook whole, as it was before
or as it is after: never half of one.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from culture_d.errors import GradebookError
from culture_d.exercises import nbgrader_tools
from culture_d.grading import database
from culture_d.grading.database import NAME_LENGTH, SQLITE, reachable, refusals
from culture_d.grading.lookups import add_lookups
from culture_d.grading.model import Assignment, CellScore
from culture_d.grading.results import Result, result_in

_UNSTORABLE = re.compile(r"[\0\ud800-\udfff]")
"""What PostgreSQL refuses in a text, and SQLite keeps for who reads it to fail on."""


class GradebookWriter:
    """A gradebook held open, with one way in.

    Raises GradebookError wherever the database refuses: locked, full, gone, not ours.
    """

    def __init__(self, db_url: str, course_id: str = "default_course") -> None:
        """Open the gradebook, made if there is none.

        Args:
            db_url: SQLAlchemy's address, `sqlite:////folder/gradebook.db` or
                `postgresql+psycopg://host/name`.
            course_id: nbgrader's name of the course.
        """
        from nbgrader.api import Gradebook

        self.db_url = db_url
        with nbgrader_tools(), refusals(db_url):
            self._book = Gradebook(reachable(db_url), course_id)
            self._complete()
            add_lookups(self._book)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

    def _complete(self) -> None:
        """Say the version of the tables, if who made them was killed before saying it."""
        from nbgrader.api import get_alembic_version
        from sqlalchemy import inspect, text

        session = self._book.db()
        try:
            if not inspect(session.connection()).has_table("alembic_version"):
                session.execute(
                    text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
                )
            if session.execute(text("SELECT count(*) FROM alembic_version")).scalar() == 0:
                session.execute(
                    text("INSERT INTO alembic_version (version_num) VALUES (:version)"),
                    {"version": get_alembic_version()},
                )
            session.commit()
        finally:
            self._book.db.remove()

    def knows(self, assignment: Assignment) -> bool:
        """Say whether the gradebook holds this assignment, with the same graded cells.

        Raises:
            GradebookError: it holds one of this name with other cells, and submissions.
        """
        from nbgrader.api import MissingEntry

        with refusals(self.db_url):
            try:
                known = self._book.find_assignment(assignment.name)
            except MissingEntry:
                return False
            cells = _cells(known)
            graded = len(known.submissions)
            self._book.db.remove()
        if cells == graded_cells(assignment):
            return True
        if graded:
            raise GradebookError(
                f"L'exercice « {assignment.name} » a changé, et le carnet de notes en a déjà {graded} : "
                "ses questions ou ses points ne sont plus ceux du carnet de notes. Corrigez dans "
                "un autre dossier (« --cours »), ou reprenez l'exercice d'alors."
            )
        return False

    def add(self, assignment: Assignment) -> None:
        """Write the assignment's structure, as nbgrader's `generate_assignment` would.

        Takes it from the assignment's own gradebook: row by row, in one transaction.
        """
        from nbgrader.api import Gradebook, MissingEntry

        with _own_gradebook(assignment) as url, self._transaction() as book:
            source = Gradebook(url)
            try:
                theirs = source.find_assignment(assignment.name)
                with suppress(MissingEntry):
                    book.remove_assignment(assignment.name)
                book.add_assignment(assignment.name, duedate=theirs.duedate)
                for notebook in theirs.notebooks:
                    book.add_notebook(
                        notebook.name, assignment.name, kernelspec=notebook.kernelspec
                    )
                    place = (notebook.name, assignment.name)
                    for cell in notebook.grade_cells:
                        book.add_grade_cell(
                            cell.name, *place, max_score=cell.max_score, cell_type=cell.cell_type
                        )
                    for cell in notebook.solution_cells:
                        book.add_solution_cell(cell.name, *place)
                    for cell in notebook.task_cells:
                        book.add_task_cell(
                            cell.name, *place, max_score=cell.max_score, cell_type=cell.cell_type
                        )
                    for cell in notebook.source_cells:
                        book.add_source_cell(
                            cell.name,
                            *place,
                            cell_type=cell.cell_type,
                            locked=cell.locked,
                            source=cell.source,
                            checksum=cell.checksum,
                        )
            finally:
                source.close()

    def record(
        self,
        learner: str,
        assignment: str,
        scores: tuple[CellScore, ...],
        comments: tuple[tuple[str, str, str | None], ...] = (),
        late_penalties: Mapping[str, float] | None = None,
        timestamp: str | None = None,
        shown_name: str = "",
    ) -> str:
        """Write the automatic scores of one submission; what a person gave is kept.

        Returns:
            The submission's fingerprint (see `fingerprints`).
        """
        from nbgrader.api import MissingEntry

        points = {(score.notebook, score.cell): score for score in scores}
        said = {(notebook, cell): text for notebook, cell, text in comments}
        penalties = late_penalties or {}
        with self._transaction() as book:
            try:
                book.find_student(learner)
            except MissingEntry:
                named = _UNSTORABLE.sub("", shown_name)[:NAME_LENGTH]
                book.add_student(learner, **({"last_name": named} if named else {}))
            stamped = {"timestamp": timestamp} if timestamp else {}
            submission = book.update_or_create_submission(assignment, learner, **stamped)
            for notebook in submission.notebooks:
                notebook.late_submission_penalty = penalties.get(notebook.name)
                for grade in notebook.grades:
                    score = points.get((notebook.name, grade.name))
                    automatic = score.automatic if score else 0.0
                    grade.auto_score = automatic
                    grade.needs_manual_grade = automatic is None or grade.manual_score is not None
                    if score:
                        grade.needs_manual_grade |= score.needs_manual_grade
                for comment in notebook.comments:
                    comment.auto_comment = said.get((notebook.name, comment.name))
            return _fingerprint(submission)

    def fingerprints(self, assignment: str) -> dict[str, str]:
        """Digest, by learner, everything the gradebook says of their submission.

        It changes when a person gives points or writes a comment.
        """
        from nbgrader.api import MissingEntry

        with refusals(self.db_url):
            try:
                found = self._book.find_assignment(assignment).submissions
            except MissingEntry:
                return {}
            digests = {one.student_id: _fingerprint(one) for one in found}
            self._book.db.remove()
            return digests

    def result(self, assignment: str, learner: str) -> Result:
        """Read the marks of one submission, for its page: no need to open the gradebook again.

        Raises:
            FeedbackError: there is no such submission.
        """
        with nbgrader_tools(), refusals(self.db_url):
            try:
                return result_in(self._book, assignment, learner)
            finally:
                self._book.db.remove()

    @contextmanager
    def _transaction(self) -> Iterator[Any]:
        """Give the gradebook with one commit at the end, none before; retry nothing."""
        book = self._book
        with nbgrader_tools(), refusals(self.db_url):
            session = book.db()
            commit = session.commit
            # nbgrader commits after each row; here a submission is whole or is not.
            session.commit = session.flush
            try:
                if self.db_url.startswith(SQLITE):
                    from sqlalchemy import text

                    session.execute(
                        text(f"PRAGMA busy_timeout = {int(database.PATIENCE_SECONDS * 1000)}")
                    )
                yield book
                commit()
            except BaseException:
                session.rollback()
                raise
            finally:
                del session.commit
                book.db.remove()


def graded_cells(assignment: Assignment) -> set[tuple[str, str, float]]:
    """List the graded cells of an assignment: notebook, grade_id, points."""
    from nbgrader.api import Gradebook

    with _own_gradebook(assignment) as url:
        book = Gradebook(url)
        try:
            return _cells(book.find_assignment(assignment.name))
        finally:
            book.close()


def _cells(known: Any) -> set[tuple[str, str, float]]:
    return {
        (notebook.name, cell.name, float(cell.max_score))
        for notebook in known.notebooks
        for cell in notebook.grade_cells
    }


@contextmanager
def _own_gradebook(assignment: Assignment) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="devoir-") as scratch, nbgrader_tools():
        path = Path(scratch) / "gradebook.db"
        path.write_bytes(assignment.gradebook)
        yield f"{SQLITE}{path}"


def _fingerprint(submission: Any) -> str:
    rows: list[Any] = [str(submission.timestamp), str(submission.extension)]
    for notebook in sorted(submission.notebooks, key=lambda one: one.name):
        rows.append([notebook.name, notebook.late_submission_penalty])
        rows += sorted(
            [
                grade.name,
                grade.auto_score,
                grade.manual_score,
                grade.extra_credit,
                grade.needs_manual_grade,
            ]
            for grade in notebook.grades
        )
        rows += sorted(
            [comment.name, comment.auto_comment, comment.manual_comment]
            for comment in notebook.comments
        )
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()
