"""What nbgrader asks of another program for each new gradebook, known without it."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from unittest import mock


@contextmanager
def known_version() -> Iterator[None]:
    """Let nbgrader make new gradebooks without a process of alembic's for each (a second).

    nbgrader 0.9.6 runs « alembic heads » to write in a new gradebook the version of its
    tables, which is that of the last of its own migrations.
    """
    from nbgrader import api

    with mock.patch.object(api, "get_alembic_version", last_migration):
        yield


@cache
def last_migration() -> str:
    """Give the version of the tables that the installed nbgrader makes."""
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    return str(ScriptDirectory(ALEMBIC_DIR).get_current_head())
