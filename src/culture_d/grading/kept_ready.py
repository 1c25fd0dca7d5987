"""What nbgrader prepares again for each submission, kept from one to the next.

For a process that grades many submissions, one at a time. Nothing of a submission is kept:
only compiled SQL, a compiled schema, and the knowledge that the tables are there.
"""

import functools
import gc
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock


def freeze_imports() -> None:
    """Leave out of each garbage collection what was imported once for all."""
    gc.collect()
    gc.freeze()


class KeptReady:
    """Gives nbgrader what it would make again, while used as a context."""

    def __init__(self) -> None:
        self._engine: Any = None
        self._database = ""
        self._sessions: Any = None
        self._known: set[tuple[str, str]] = set()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Lend nbgrader what is kept."""
        from nbgrader import api
        from nbgrader.nbgraderformat import common

        with ExitStack() as changed:
            changed.callback(self._put_away)
            changed.enter_context(mock.patch.object(api, "create_engine", self._create_engine))
            opened = functools.partialmethod(_again, self._reopen, api.Gradebook.__init__)
            changed.enter_context(mock.patch.object(api.Gradebook, "__init__", opened))
            changed.enter_context(mock.patch.object(api.Gradebook, "close", _leave))
            cached = SimpleNamespace(validate=_validate)
            changed.enter_context(mock.patch.object(common, "jsonschema", cached))
            yield

    def _reopen(self, book: Any, url: str, course_id: str) -> bool:
        """Open a gradebook that was opened for this submission already, without looking again.

        nbgrader opens one eleven times a submission, and each time asks for all its tables.
        Each is still a session of its own, which is all that nbgrader's code sees of another.
        """
        from sqlalchemy import make_url
        from sqlalchemy.orm import scoped_session, sessionmaker

        # The one engine is that of the database opened last.
        if (url, course_id) not in self._known or make_url(url).database != self._database:
            self._known.add((url, course_id))
            return False

        if self._sessions is None:
            # Nobody else writes in it: what was written need not be read again.
            self._sessions = sessionmaker(bind=self._engine, expire_on_commit=False)
        book.engine, book.db = self._engine, scoped_session(self._sessions)
        book.course_id, book.authenticator = course_id, None
        return True

    def _put_away(self) -> None:
        """Close the database of the submission that was graded."""
        self._known.clear()
        if self._engine is not None:
            self._engine.dispose()

    def _create_engine(self, url: Any, **settings: Any) -> Any:
        """Give the one engine, now for this database: its SQL is compiled already.

        As of any other database of the same kind, what it compiled holds for all of them.
        """
        from sqlalchemy import create_engine, make_url

        self._database = str(make_url(url).database)
        if self._engine is None:
            self._engine = create_engine("sqlite://", creator=self._connect, **settings)
        else:
            self._engine.dispose()
        return self._engine

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._database, check_same_thread=False)
        # A temporary course: what a power cut would lose is made again anyway.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = MEMORY")
        return connection


def _again(
    book: Any,
    reopen: Callable[[Any, str, str], bool],
    open_first: Callable[..., None],
    db_url: str,
    course_id: str = "default_course",
    authenticator: Any = None,
) -> None:
    """Stand for `Gradebook.__init__`."""
    if authenticator is not None or not reopen(book, db_url, course_id):
        open_first(book, db_url, course_id, authenticator)


def _leave(book: Any) -> None:
    """Stand for `Gradebook.close`: what was not committed is dropped, the connection is kept."""
    book.db.remove()


def _validate(instance: Any, schema: Any) -> None:
    """Check against a schema as `jsonschema.validate` does, the schema itself only once.

    Raises:
        jsonschema.ValidationError: the instance is not as the schema wants.
    """
    from jsonschema.exceptions import best_match  # type: ignore[import-untyped, unused-ignore]

    error = best_match(_validator(json.dumps(schema)).iter_errors(instance))
    if error is not None:
        raise error


@functools.lru_cache
def _validator(schema: str) -> Any:
    from jsonschema.validators import (  # type: ignore[import-untyped, unused-ignore]
        validator_for,
    )

    read = json.loads(schema)
    kind = validator_for(read)
    kind.check_schema(read)
    return kind(read)
