"""Dated copies of the gradebook, and the way back.

A copy is a SQLite gradebook that nbgrader opens, whatever database it is taken from: it can
be read, and given back, on any machine.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from culture_d.errors import GradebookError, reason
from culture_d.grading import database
from culture_d.grading.database import SQLITE, only_writer, reachable, refusals

FOLDER = "sauvegardes"
KEPT_BACKUPS = 30
ROWS_AT_ONCE = 2000
"""Memory stays flat, however large the gradebook is."""
_VERSION = "alembic_version"


def back_up(db_url: str, folder: Path, now: datetime) -> Path | None:
    """Copy the gradebook to a dated SQLite file, before anything is written to it.

    The copy is of one instant, whoever writes meanwhile, and is whole or absent. The oldest
    beyond `KEPT_BACKUPS` are removed.

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
    partial = target.with_suffix(".partiel")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with refusals(db_url):
            if db_url.startswith(SQLITE):
                copy_sqlite(origin, partial)
            elif not _copy_out(db_url, partial):
                return None
        partial.replace(target)
        for old in sorted(folder.glob("gradebook-*.db"))[:-KEPT_BACKUPS]:
            old.unlink()
    except OSError as error:
        raise GradebookError(
            f"La copie « {target} » du carnet de notes ne peut pas être écrite : {reason(error)}. "
            "Corrigez cela, puis relancez : rien n'a été changé."
        ) from None
    finally:
        _forget(partial)
    return target


def restore(copy: Path, db_url: str, folder: Path, now: datetime) -> Path | None:
    """Give the gradebook the content of a copy, after a copy of what it held.

    In one transaction: the gradebook is as before, or as the copy.

    Args:
        copy: a SQLite gradebook, made by `back_up` or any other way.
        db_url: the gradebook to fill; made if there is none.
        folder: where to keep what it held.
        now: the date of that.

    Returns:
        What it held; None if there was nothing.

    Raises:
        GradebookError: the copy is not a gradebook, or the database refuses.
    """
    origin = f"{SQLITE}{copy}"
    if not copy.is_file():
        raise GradebookError(
            f"La copie « {copy} » est introuvable. Choisissez un fichier du dossier « {FOLDER} »."
        )
    with refusals(origin):
        _check(copy)
    with only_writer(db_url):
        held = back_up(db_url, folder, now)
        with refusals(db_url):
            _copy_in(copy, db_url)
    return held


def copy_sqlite(origin: Path, target: Path) -> None:
    """Copy a SQLite database as one instant of it, whoever writes to it meanwhile.

    Raises:
        sqlite3.Error: it is not one, or another program holds it for `PATIENCE_SECONDS`.
    """
    # Not read-only where it can be avoided: what a killed run left half-written beside it is
    # then taken back, as SQLite does at any opening.
    mode = "rw" if _writable(origin) else "ro"
    patience = database.PATIENCE_SECONDS
    source = sqlite3.connect(f"{origin.resolve().as_uri()}?mode={mode}", uri=True, timeout=patience)
    copy = sqlite3.connect(target)
    limit = time.monotonic() + patience

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


def _writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _forget(path: Path) -> None:
    """Remove what was begun, and SQLite's journal of it."""
    for one in (path, path.with_name(f"{path.name}-journal")):
        try:
            one.unlink(missing_ok=True)
        except OSError:
            # A disk that can no longer be written: the cause was said already.
            return


def _check(copy: Path) -> None:
    """Make sure that a file is a gradebook.

    Raises:
        sqlite3.DatabaseError: it is not.
    """
    mode = "rw" if _writable(copy) else "ro"
    base = sqlite3.connect(f"{copy.resolve().as_uri()}?mode={mode}", uri=True)
    try:
        if base.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("malformed")
        found = base.execute(
            "SELECT count(*) FROM sqlite_master WHERE name IN ('grade', 'submitted_assignment')"
        )
        if found.fetchone() != (2,):
            raise sqlite3.DatabaseError("file is not a database of nbgrader: not a database")
    finally:
        base.close()


def _copy_out(db_url: str, target: Path) -> bool:
    """Copy every table to a SQLite file; return whether there were any."""
    from sqlalchemy import inspect

    with _connection(db_url, isolation_level="REPEATABLE READ") as reader:
        if not inspect(reader).has_table("grade"):
            return False
        with _connection(f"{SQLITE}{target}") as writer:
            _copy_tables(reader, writer)
            writer.commit()
    return True


def _copy_in(copy: Path, db_url: str) -> None:
    with _connection(f"{SQLITE}{copy}") as reader, _connection(db_url) as writer:
        _copy_tables(reader, writer)
        writer.commit()


def _copy_tables(reader: Any, writer: Any) -> None:
    """Make the tables of one connection those of another, parents first; does not commit."""
    from nbgrader.api import Base
    from sqlalchemy import Column, MetaData, String, Table, delete, insert, inspect, select

    Base.metadata.create_all(writer)
    version = Table(_VERSION, MetaData(), Column("version_num", String(32), nullable=False))
    version.create(writer, checkfirst=True)
    tables = [*Base.metadata.sorted_tables, version]
    for table in reversed(tables):
        writer.execute(delete(table))
    known = set(inspect(reader).get_table_names())
    for table in tables:
        if table.name not in known:
            continue
        found = reader.execution_options(yield_per=ROWS_AT_ONCE).execute(select(table))
        for rows in found.mappings().partitions():
            writer.execute(insert(table), [dict(row) for row in rows])


@contextmanager
def _connection(db_url: str, **settings: Any) -> Iterator[Any]:
    from sqlalchemy import create_engine, event
    from sqlalchemy.pool import NullPool

    engine = create_engine(reachable(db_url), poolclass=NullPool, **settings)
    if db_url.startswith(SQLITE):

        @event.listens_for(engine, "connect")
        def whole(connection: Any, _: object) -> None:
            # One transaction, tables included: Python's own would commit before each of them.
            connection.isolation_level = None
            connection.execute(f"PRAGMA busy_timeout = {int(database.PATIENCE_SECONDS * 1000)}")

        @event.listens_for(engine, "begin")
        def begin(connection: Any) -> None:
            connection.exec_driver_sql("BEGIN")

    with engine.connect() as connection:
        yield connection
