"""A real workshop, with real unix accounts, for the tests of this folder.

Accounts made here begin with « cdt » and four random letters; all are removed at the end,
whatever happened. What needs root is skipped without it, and says so; under CI, where the
promise is that nothing is skipped, it fails.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import string
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from culture_d.project import Project
from culture_d.workshop.life import reissue
from culture_d.workshop.model import Workshop
from tests.atelier.visiteur import Visitor

EXERCISE = "moyenne-mediane"
SECONDS = 300
ADDRESS = "127.0.0.2"
"""Not the default one, and reached by this machine alone."""
CANARY = "SECRET_DE_LA_SALLE"
"""A variable of who opens the workshop."""


@dataclass
class Room:
    """A workshop of the tests, and how to speak to it."""

    folder: Path
    prefix: str
    port: int
    cards: Path
    killed_after: tuple[str, ...] = ()
    """Accounts that were there when the first `preparer` was killed."""

    def command(self, *words: str, ok: bool = True, extra: Mapping[str, str] | None = None) -> str:
        """Run `culture-d atelier`, and return what it says."""
        done = subprocess.run(
            [sys.executable, "-m", "culture_d.cli", "atelier", *words, "--dossier", self.folder],
            capture_output=True,
            text=True,
            env={**os.environ, "COLUMNS": "200", **(extra or {})},
            timeout=SECONDS,
        )
        said = done.stdout + done.stderr
        assert (done.returncode == 0) is ok, said
        assert "Traceback" not in said, said
        return said

    def prepare(self, *words: str, ok: bool = True) -> str:
        """Run `preparer` with what this workshop is made of."""
        return self.command("preparer", *self.preparation(), *words, ok=ok)

    def preparation(self) -> list[str]:
        """Give what this workshop is made of, for `preparer`."""
        words = ["--places", "2", "--exercices", EXERCISE, "--module", EXERCISE]
        words += ["--prefixe", self.prefix, "--port", str(self.port), "--cartes", str(self.cards)]
        return [*words, "--reseau", ADDRESS, "--memoire", "900", "--processus", "120"]

    @property
    def workshop(self) -> Workshop:
        """The workshop, as its file says it."""
        return Workshop.load(self.folder)

    def password(self, name: str) -> str:
        """Draw a new password, as `mot-de-passe` does."""
        return reissue(self.workshop, [name], None)[1][name]

    def visitor(self, name: str) -> Visitor:
        """Come to the hub with a browser that trusts its certificate, and no other."""
        return Visitor(self.workshop.url, name, str(self.workshop.certificate))

    def open(self) -> str:
        """Open the hub as on a room's network: encrypted."""
        return self.command("ouvrir", "--reseau", ADDRESS, extra={CANARY: "canari"})

    def enter(self, name: str) -> Visitor:
        """Log in with a new password, and start the server."""
        visitor = self.visitor(name)
        assert visitor.log_in(self.password(name)) == 302
        visitor.start()
        return visitor


def free_ports() -> int:
    """Find three free ports that follow one another."""
    while True:
        first = 20_000 + secrets.randbelow(20_000)
        with suppress(OSError):
            for port in range(first, first + 3):
                with socket.socket() as trial:
                    trial.bind(("127.0.0.1", port))
            return first


def remove_accounts(prefix: str) -> None:
    """Remove the accounts of the tests, with what they run."""
    for one in pwd.getpwall():
        if one.pw_name.startswith(f"{prefix}-"):
            for process in psutil.process_iter():
                with suppress(psutil.Error):
                    if one.pw_uid in process.uids():
                        process.kill()
            time.sleep(0.2)
            subprocess.run(["userdel", "--force", one.pw_name], capture_output=True, check=False)


@pytest.fixture(scope="session")
def as_root() -> None:
    """Real seats are made by root alone."""
    if sys.platform == "linux" and os.geteuid() == 0:
        return
    why = "les places séparées se créent avec les droits d'administration (root)"
    if os.environ.get("CI"):
        pytest.fail(f"Sous CI, rien ne doit être passé : {why}.")
    pytest.skip(f"Passé : {why}.")


@pytest.fixture(scope="session")
def prefix(as_root: None) -> Iterator[str]:
    """The beginning of the names of the accounts of this run."""
    letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(4))
    chosen = f"cdt{letters}"
    yield chosen
    remove_accounts(chosen)


@pytest.fixture(scope="session")
def room(prefix: str, project: Project) -> Iterator[Room]:
    """A workshop of two seats, prepared by a command killed midway, then by another."""
    base = Path(tempfile.mkdtemp(prefix="culture-d-atelier-", dir="/var/tmp"))
    base.chmod(0o755)
    made = Room(base / "salle", prefix, free_ports(), base / "cartes.pdf")
    try:
        words = [sys.executable, "-m", "culture_d.cli", "atelier", "preparer"]
        words += [*made.preparation(), "--dossier", str(made.folder)]
        with subprocess.Popen(
            words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        ) as first:
            deadline = time.monotonic() + SECONDS
            while not (found := _named(prefix)) and first.poll() is None:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            os.killpg(first.pid, signal.SIGKILL)
        made.killed_after = found
        made.prepare()
        yield made
    finally:
        if (made.folder / "atelier.json").exists():
            made.command("fermer", "--oui")
        remove_accounts(prefix)
        shutil.rmtree(base, ignore_errors=True)


def _named(prefix: str) -> tuple[str, ...]:
    return tuple(one.pw_name for one in pwd.getpwall() if one.pw_name.startswith(f"{prefix}-"))
