"""The one writer to the gradebook: nbgrader's own, one transaction a submission.

A run killed at any instant leaves each submission of the gradebook whole, as it was before
or as it is after: never half of one.
"""

import hashlib
import json
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from culture_d.errors import GradebookError
from culture_d.exercises import nbgrader_tools
from culture_d.grading.lookups import add_lookups
from culture_d.grading.model import Assignment, CellScore

SQLITE = "sqlite:///"
# As long as formgrader may hold the file while a trainer saves a comment.
PATIENCE_SECONDS = 30.0
KEPT_BACKUPS = 30


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
            self._book = Gradebook(db_url, course_id)
            add_lookups(self._book)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._book.close()

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
                book.add_student(learner, **({"last_name": shown_name} if shown_name else {}))
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

                    session.execute(text(f"PRAGMA busy_timeout = {int(PATIENCE_SECONDS * 1000)}"))
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


def back_up(db_url: str, folder: Path, now: datetime) -> Path | None:
    """Copy the gradebook to a dated SQLite file, before anything is written to it.

    Whatever the database, the copy is one that nbgrader opens. The oldest beyond
    `KEPT_BACKUPS` are removed.

    Returns:
        The copy; None if there is no gradebook yet.

    Raises:
        GradebookError: it cannot be read, or there is no room for the copy.
    """
    target = folder / f"gradebook-{now:%Y-%m-%dT%H%M%S}.db"
    if db_url.startswith(SQLITE):
        origin = Path(db_url.removeprefix(SQLITE))
        if not origin.is_file() or not origin.stat().st_size:
            return None
    folder.mkdir(parents=True, exist_ok=True)
    partial = target.with_suffix(".partiel")
    partial.unlink(missing_ok=True)
    try:
        with refusals(db_url):
            if db_url.startswith(SQLITE):
                copy_sqlite(origin, partial)
            elif not _copy_tables(db_url, partial):
                return None
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    for old in sorted(folder.glob("gradebook-*.db"))[:-KEPT_BACKUPS]:
        old.unlink()
    return target


def copy_sqlite(origin: Path, target: Path) -> None:
    """Copy a SQLite database as one instant of it, whoever writes to it meanwhile.

    Raises:
        sqlite3.Error: it is not one, or another program holds it for `PATIENCE_SECONDS`.
    """
    source = sqlite3.connect(
        f"{origin.resolve().as_uri()}?mode=ro", uri=True, timeout=PATIENCE_SECONDS
    )
    copy = sqlite3.connect(target)
    limit = time.monotonic() + PATIENCE_SECONDS

    def check(status: int, *_: int) -> None:
        # While another program writes, Python tries again for ever.
        if status in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED) and time.monotonic() > limit:
            raise sqlite3.OperationalError("database is locked")

    try:
        source.backup(copy, progress=check, sleep=0.05)
        if copy.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("malformed")
    finally:
        source.close()
        copy.close()


def _copy_tables(db_url: str, target: Path) -> bool:
    """Copy every table through SQLAlchemy; return whether there were any."""
    from sqlalchemy import MetaData, create_engine, insert, select

    source, copy = create_engine(db_url), create_engine(f"{SQLITE}{target}")
    try:
        tables = MetaData()
        tables.reflect(bind=source)
        if not tables.sorted_tables:
            return False
        from nbgrader.api import Base

        Base.metadata.create_all(copy)
        with source.connect() as reader, copy.begin() as writer:
            writer.exec_driver_sql("PRAGMA foreign_keys = OFF")
            writer.exec_driver_sql(
                "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32))"
            )
            for table in [*Base.metadata.sorted_tables, tables.tables["alembic_version"]]:
                rows = [dict(row) for row in reader.execute(select(table)).mappings()]
                if rows:
                    writer.execute(insert(table), rows)
        return True
    finally:
        source.dispose()
        copy.dispose()


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


@contextmanager
def refusals(db_url: str) -> Iterator[None]:
    """Turn what the database refuses into one sentence."""
    from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

    try:
        yield
    except (DBAPIError, sqlite3.Error) as error:
        raise GradebookError(_why(db_url, str(getattr(error, "orig", error)))) from None
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise GradebookError(
            f"L'adresse du carnet de notes « {shown_url(db_url)} » n'est pas comprise : {error}. "
            "Écrivez « sqlite:///chemin/gradebook.db » ou « postgresql+psycopg://serveur/base »."
        ) from None


def _why(db_url: str, said: str) -> str:
    name = shown_url(db_url)
    low = said.lower()
    if "locked" in low:
        return (
            f"Le carnet de notes « {name} » est occupé par un autre programme depuis "
            f"{PATIENCE_SECONDS:.0f} secondes. Fermez formgrader ou l'autre correction, puis relancez : "
            "rien n'est perdu."
        )
    if "full" in low or "no space" in low:
        return (
            f"Il n'y a plus de place sur le disque du carnet de notes « {name} ». Faites de la place, "
            "puis relancez : ce qui est noté le reste."
        )
    if "readonly" in low or "read-only" in low:
        return f"Le carnet de notes « {name} » ne peut pas être modifié. Donnez-vous le droit d'y écrire."
    if "unable to open" in low:
        return f"Le carnet de notes « {name} » ne peut pas être ouvert : dossier absent, ou accès refusé."
    if "not a database" in low or "malformed" in low:
        return (
            f"« {name} » n'est pas un carnet de notes lisible. Remettez à sa place la dernière copie "
            "du dossier « sauvegardes », puis relancez."
        )
    if "connection" in low or "connect" in low:
        return f"Le carnet de notes « {name} » ne répond pas. Vérifiez le serveur, puis relancez."
    return f"Le carnet de notes « {name} » a refusé : {said.splitlines()[0] if said else 'sans raison'}."


def shown_url(db_url: str) -> str:
    """Write the database's address without its password."""
    if db_url.startswith(SQLITE):
        return db_url.removeprefix(SQLITE)
    head, at, tail = db_url.rpartition("@")
    return f"{head.split('://')[0]}://…@{tail}" if at else db_url
