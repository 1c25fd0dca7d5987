"""Where the gradebook is: a SQLite file, or a PostgreSQL server. Its refusals, in French.

nbgrader speaks to both through SQLAlchemy. What is added here: an address that cannot hang
(`reachable`), one writer at a time (`only_writer`), one sentence for what a database refuses
(`refusals`), and no password in anything that is shown or kept.
"""

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from culture_d.errors import GradebookError, reason

SQLITE = "sqlite:///"
POSTGRESQL = "postgresql+psycopg"
# As long as formgrader may hold the gradebook while a trainer saves a comment.
PATIENCE_SECONDS = 30.0
CONNECT_SECONDS = 10
"""A server that does not answer must not hold a run: libpq itself waits for two minutes."""
NAME_LENGTH = 128
"""The longest name that nbgrader's tables hold; SQLite does not look, PostgreSQL does."""
_LOCK_KEY = 0x63756C7475726544
"""« cultureD », as PostgreSQL's advisory lock wants it: a number, within one database."""
_LOCK_SECONDS = 5.0
"""The server may take a moment to notice that a killed run is gone."""
_SECRET = ("password", "sslpassword", "passfile")


def reachable(db_url: str) -> str:
    """Give the address as nbgrader's engine is to open it.

    PostgreSQL is reached by psycopg, whatever short form names it. A server that does not
    answer is given up after `CONNECT_SECONDS`, a row that somebody holds after
    `PATIENCE_SECONDS`, unless the address says otherwise.

    Raises:
        GradebookError: it is not an address.
    """
    if db_url.startswith(SQLITE):
        return db_url
    with refusals(db_url):
        url = _read(db_url)
        if url.drivername in {"postgres", "postgresql"}:
            url = url.set(drivername=POSTGRESQL)
        if url.drivername == POSTGRESQL:
            url = url.update_query_dict(
                {
                    "connect_timeout": str(CONNECT_SECONDS),
                    "options": f"-c lock_timeout={int(PATIENCE_SECONDS * 1000)}",
                    "keepalives_idle": "30",
                    "application_name": "culture-d",
                    **url.query,
                }
            )
        return str(url.render_as_string(hide_password=False))


def shown_url(db_url: str) -> str:
    """Write the database's address as it may be read by anyone: no name, no password."""
    from sqlalchemy.exc import ArgumentError

    if db_url.startswith(SQLITE):
        return db_url.removeprefix(SQLITE)
    try:
        url = _read(db_url)
    except ArgumentError:
        return f"{db_url.split(':')[0]}:…" if ":" in db_url else db_url
    place = f"{url.host or ''}{f':{url.port}' if url.port else ''}/{url.database or ''}"
    return f"{url.drivername}://{'…@' if url.username else ''}{place}"


def without_password(db_url: str) -> str:
    """Give the address as it may be kept in a file: who opens it, but no password."""
    from sqlalchemy.engine import URL

    if db_url.startswith(SQLITE):
        return db_url
    url = _read(db_url)
    # `url.set(password=None)` changes nothing.
    bare = URL.create(url.drivername, url.username, None, url.host, url.port, url.database)
    kept = {name: value for name, value in url.query.items() if name not in _SECRET}
    return str(bare.set(query=kept).render_as_string(hide_password=False))


@contextmanager
def only_writer(db_url: str) -> Iterator[None]:
    """Hold the gradebook for one run: another one, from any folder or machine, is refused.

    A file beside a SQLite gradebook; an advisory lock of PostgreSQL, which the server lets go
    when its holder dies. Formgrader and nbgrader's own commands do not look at it.

    Raises:
        GradebookError: another run holds it, or it cannot be reached.
    """
    if db_url.startswith(SQLITE):
        yield from _file_lock(Path(db_url.removeprefix(SQLITE)), shown_url(db_url))
    elif reachable(db_url).startswith(POSTGRESQL):
        yield from _advisory_lock(db_url)
    else:
        yield


def due_dates(db_url: str) -> dict[str, datetime]:
    """Read the due dates that a gradebook gives to its assignments (UTC); changes nothing.

    Raises:
        GradebookError: it cannot be read.
    """
    from nbgrader.api import Assignment
    from sqlalchemy import create_engine, inspect, select
    from sqlalchemy.pool import NullPool

    if db_url.startswith(SQLITE):
        path = Path(db_url.removeprefix(SQLITE))
        if not path.is_file() or not path.stat().st_size:
            return {}
    with refusals(db_url):
        engine = create_engine(reachable(db_url), poolclass=NullPool)
        with engine.connect() as connection:
            if not inspect(connection).has_table("assignment"):
                return {}
            found = connection.execute(select(Assignment.name, Assignment.duedate))
            return {str(name): due for name, due in found if due}


@contextmanager
def refusals(db_url: str) -> Iterator[None]:
    """Turn what the database refuses into one sentence, which never holds its password.

    Raises:
        GradebookError: instead of what SQLAlchemy, the driver or SQLite raise.
    """
    from nbgrader.api import InvalidEntry
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

    try:
        try:
            yield
        except InvalidEntry as error:
            # So does nbgrader name any refusal it meets while it adds a row.
            if isinstance(error.__context__, SQLAlchemyError):
                raise error.__context__ from None
            raise
    except (ArgumentError, NoSuchModuleError):
        raise GradebookError(
            f"L'adresse du carnet de notes « {shown_url(db_url)} » n'est pas comprise. "
            "Écrivez « sqlite:///chemin/gradebook.db » ou « postgresql+psycopg://serveur/base »."
        ) from None
    except ImportError as error:
        raise GradebookError(
            f"Pour ouvrir le carnet de notes « {shown_url(db_url)} », il manque à Python le module "
            f"« {error.name or 'psycopg'} ». Installez-le dans l'environnement du cours : "
            "« .venv/bin/pip install 'psycopg[binary]' »."
        ) from None
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise GradebookError(_why(db_url, getattr(error, "orig", None) or error)) from None


def _read(db_url: str) -> Any:
    """Read an address.

    Raises:
        ArgumentError: it is not one.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(db_url)
    except ValueError:  # a port that is not a number
        raise ArgumentError("port") from None


def _file_lock(path: Path, name: str) -> Iterator[None]:
    from filelock import FileLock, Timeout

    try:
        if path.exists() and not os.access(path, os.W_OK):
            # Said before anything is run, rather than once there are points to write.
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        lock = FileLock(path.with_name(f".{path.name}.verrou"))
        lock.acquire(timeout=0)
    except Timeout:
        raise _held(name) from None
    except OSError as error:
        raise GradebookError(
            f"Le carnet de notes « {name} » ne peut pas être modifié : {reason(error)}. "
            "Donnez-vous le droit d'y écrire, et dans son dossier, puis relancez."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _advisory_lock(db_url: str) -> Iterator[None]:
    from sqlalchemy import create_engine, text
    from sqlalchemy.exc import SQLAlchemyError
    from sqlalchemy.pool import NullPool

    with refusals(db_url):
        engine = create_engine(reachable(db_url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
        connection = engine.connect()
        limit = time.monotonic() + _LOCK_SECONDS
        ask = text("SELECT pg_try_advisory_lock(:key)")
        while not connection.execute(ask, {"key": _LOCK_KEY}).scalar():
            if time.monotonic() > limit:
                connection.close()
                raise _held(shown_url(db_url))
            time.sleep(0.2)
    try:
        yield
    finally:
        try:
            connection.close()
        except SQLAlchemyError:
            # The server is gone, and the lock with it.
            connection.invalidate()


def _held(name: str) -> GradebookError:
    return GradebookError(
        f"Une autre correction écrit dans le carnet de notes « {name} ». "
        "Attendez sa fin, puis relancez : rien n'a été changé."
    )


# What is read in the refusal (lower case) or its SQLSTATE, and what it means. The server
# speaks English or French; it sends no SQLSTATE to who could not connect.
_MEANINGS: tuple[tuple[tuple[str, ...], str], ...] = (
    (
        ("locked", "55p03", "40p01", "57014"),
        "Le carnet de notes {name} est occupé par un autre programme depuis {patience:.0f} "
        "secondes. Fermez formgrader ou l'autre correction, puis relancez : rien n'est perdu.",
    ),
    (
        ("is full", "no space", "53100", "disk i/o error"),
        "Il n'y a plus de place sur le disque du carnet de notes {name}. Faites de la place, "
        "puis relancez : ce qui est noté le reste.",
    ),
    (
        ("readonly", "read-only", "25006", "42501"),
        "Le carnet de notes {name} ne peut pas être modifié. Donnez-vous le droit d'y écrire, "
        "puis relancez : rien n'est perdu.",
    ),
    (
        ("no such column", "no such table", "has no column", "42703", "42p01"),
        "Le carnet de notes {name} vient d'une autre version de nbgrader. Gardez-en une copie, "
        "lancez « nbgrader db upgrade » dans le dossier du cours, puis relancez.",
    ),
    (
        ("unable to open",),
        "Le carnet de notes {name} ne peut pas être ouvert : dossier absent, ou accès refusé. "
        "Vérifiez son adresse, puis relancez.",
    ),
    (
        ("not a database", "malformed"),
        "{name} n'est pas un carnet de notes lisible. Remettez à sa place la dernière copie du "
        "dossier « sauvegardes » (« culture-d restaurer »), puis relancez.",
    ),
    (
        (
            *("28p01", "28000", "password authentication failed", "no password supplied"),
            *("par mot de passe", "mot de passe fourni", "peer authentication", "pg_hba.conf"),
            *('role "', "le rôle «"),
        ),
        "Le serveur du carnet de notes {name} refuse ce nom ou ce mot de passe. Vérifiez-les dans "
        "« --db » ou dans votre fichier « .pgpass », puis relancez.",
    ),
    (
        ("3d000", 'database "', "la base de données «"),
        "Le serveur répond, mais la base du carnet de notes {name} n'existe pas. Vérifiez son nom, "
        "ou créez-la avec « createdb », puis relancez.",
    ),
    (
        ("resolve host", "translate host", "name or service", "getaddrinfo"),
        "Le serveur du carnet de notes {name} est introuvable. Vérifiez son nom dans « --db » et "
        "votre réseau, puis relancez.",
    ),
    (
        ("53300", "too many", "trop de clients"),
        "Le serveur du carnet de notes {name} a trop de connexions ouvertes. Fermez d'autres "
        "programmes qui s'en servent, puis relancez : rien n'est perdu.",
    ),
    (
        ("22001",),
        "Un nom est trop long pour le carnet de notes {name} : {length} signes au plus. "
        "Raccourcissez le nom de l'exercice ou de la cellule, puis relancez.",
    ),
    (
        (
            *("connection", "connect", "connexion", "terminat", "timeout expired", "timed out"),
            *("57p01", "57p02", "57p03", "08", "server closed", "ssl"),
        ),
        "Le carnet de notes {name} ne répond pas, ou plus. Vérifiez que son serveur tourne, puis "
        "relancez : ce qui est noté le reste.",
    ),
)


def _why(db_url: str, error: BaseException) -> str:
    """Say what a refusal means, and what to do."""
    said, state = str(error), str(getattr(error, "sqlstate", None) or "").lower()
    low = said.lower()
    for signs, meaning in _MEANINGS:
        if any(_shows(sign, low, state) for sign in signs):
            return meaning.format(
                name=f"« {shown_url(db_url)} »", patience=PATIENCE_SECONDS, length=NAME_LENGTH
            )
    first = _without_secret(db_url, said.splitlines()[0]) if said else "sans raison"
    return (
        f"Le carnet de notes « {shown_url(db_url)} » a refusé : {first}. Corrigez cela, puis "
        "relancez : ce qui est noté le reste."
    )


def _shows(sign: str, low: str, state: str) -> bool:
    """Whether a sign, five letters of a SQLSTATE or its class, or words, is that of a refusal."""
    if sign[0].isdigit():
        return bool(state) and state.startswith(sign)
    return sign in low


def _without_secret(db_url: str, said: str) -> str:
    url = _read(db_url)
    for secret in (url.password, *(url.query.get(name) for name in _SECRET)):
        if isinstance(secret, str) and secret:
            said = said.replace(secret, "…")
    return said
