"""One-time passwords: printed on a card, kept only as a digest, good for one login.

Six syllables of fourteen consonants and five vowels: 70 ** 6 is about 10 ** 11 choices,
tried over the network against a limit of a few a minute. No letter is mistaken for
another on paper (l, o with 0…), none moves between French and other keyboards (a, q, z,
w, m stay out), and capitals, spaces and hyphens do not count.
"""

import json
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from filelock import FileLock

from culture_d.errors import WorkshopError, reason
from culture_d.grading.ledger import OWNER_ONLY
from culture_d.grading.whole_file import write_whole

_CONSONANTS = "bcdfghjknprstv"
_VOWELS = "eiouy"
_SYLLABLES = 6
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
"""OWASP's least parameters for argon2id: about 30 ms and 19 MiB a try."""
_NOBODY = _HASHER.hash(secrets.token_hex())
"""Compared for a name that does not exist, so that both answers take as long."""


class Answer(Enum):
    """What a password is worth."""

    RIGHT = "right"
    WRONG = "wrong"
    USED = "used"
    """The right one, and it has served."""


@dataclass
class _Entry:
    digest: str
    printed: bool = False
    """Whether its card was written: else nobody knows it, and it is made again."""
    used: str | None = None
    """When it was used, ISO 8601."""
    entered: str | None = None
    """When its seat was last entered, with this password or an earlier one, ISO 8601."""
    issued: float = 0
    """When it was drawn, in seconds since 1970."""


def new_password() -> str:
    """Draw a password: three groups of two syllables, « tuvo-beri-nudo »."""
    syllables = [secrets.choice(_CONSONANTS) + secrets.choice(_VOWELS) for _ in range(_SYLLABLES)]
    return "-".join("".join(syllables[at : at + 2]) for at in range(0, _SYLLABLES, 2))


class Passwords:
    """The file of digests. The hub and the command may both write it."""

    def __init__(self, path: Path) -> None:
        """Open the file at `path`; it is made at the first password."""
        self._path = path

    def waiting(self, names: Iterable[str]) -> tuple[str, ...]:
        """List the names that have no password, or one whose card was never written."""
        entries = self._read()
        return tuple(one for one in names if one not in entries or not entries[one].printed)

    def entered(self, name: str) -> datetime | None:
        """Say when someone last entered under a name."""
        entry = self._read().get(name)
        return datetime.fromisoformat(entry.entered) if entry and entry.entered else None

    def issued(self, name: str) -> float:
        """Say when the password of a name was drawn, in seconds since 1970; 0 without one."""
        entry = self._read().get(name)
        return entry.issued if entry else 0

    def draw(self, names: Iterable[str]) -> dict[str, str]:
        """Give each name a new password, in the place of any former one, and return them."""
        drawn = {name: new_password() for name in names}
        digests = {
            name: _Entry(_HASHER.hash(_plain(word)), issued=time.time())
            for name, word in drawn.items()
        }
        with self._changing() as entries:
            for name, entry in digests.items():
                entry.entered = entries[name].entered if name in entries else None
                entries[name] = entry
        return drawn

    def printed(self, names: Iterable[str]) -> None:
        """Say that the cards of these names are written."""
        with self._changing() as entries:
            for name in names:
                entries[name].printed = True

    def forget(self, names: Iterable[str]) -> None:
        """Remove the passwords of seats that are no more."""
        with self._changing() as entries:
            for name in names:
                entries.pop(name, None)

    def spend(self, name: str, typed: str) -> Answer:
        """Check a password and, if it is right, make it useless from now on."""
        entry = self._read().get(name)
        if not _matches(entry.digest if entry else _NOBODY, typed) or entry is None:
            return Answer.WRONG
        with self._changing() as entries:
            current = entries.get(name)
            if current is None or current.digest != entry.digest:
                return Answer.WRONG
            if current.used:
                return Answer.USED
            current.used = current.entered = datetime.now(UTC).isoformat(timespec="seconds")
        return Answer.RIGHT

    def _read(self) -> dict[str, _Entry]:
        try:
            values = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: _Entry(**one) for name, one in values.items()}
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise WorkshopError(
                f"« {self._path} » ne peut pas être lu : {reason(error)}."
            ) from None
        except (ValueError, TypeError, AttributeError):
            raise WorkshopError(
                f"« {self._path} » est abîmé : personne ne peut plus entrer. Supprimez ce fichier, "
                "puis relancez « culture-d atelier preparer » : il refait les mots de passe."
            ) from None

    @contextmanager
    def _changing(self) -> Iterator[dict[str, _Entry]]:
        with FileLock(f"{self._path}.verrou", mode=0o600):
            entries = self._read()
            yield entries
            text = json.dumps({name: asdict(one) for name, one in entries.items()}, indent=1)
            write_whole(self._path, text, OWNER_ONLY)


def _plain(typed: str) -> str:
    """Keep of what is typed only what counts."""
    return "".join(letter for letter in typed.lower() if letter.isalnum())


def _matches(digest: str, typed: str) -> bool:
    try:
        return _HASHER.verify(digest, _plain(typed)[:100])
    except (VerificationError, InvalidHashError):
        return False
