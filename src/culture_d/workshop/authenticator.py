"""Who may enter the hub: the seats of the workshop, each once by its card, and no one else.

No registration, no default password, no account of the machine: the only names are those
of `atelier.json`, and the unix accounts behind them have no password at all.
"""

import asyncio
import time
from collections import deque
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from tornado.web import HTTPError
from traitlets import Integer, Unicode

from culture_d.workshop.model import Workshop
from culture_d.workshop.passwords import Answer, Passwords

USED = (
    "Ce mot de passe a déjà servi : il n'ouvre la place qu'une fois. Demandez-en un nouveau à la "
    "personne qui anime l'atelier."
)


class Attempts:
    """Counts the failures of the last minutes, by seat and by address. Times in seconds."""

    def __init__(
        self, window: float = 300, by_both: int = 5, by_seat: int = 40, by_address: int = 200
    ) -> None:
        """Bear so many failures in a window: of an address on a seat, on a seat, of an address.

        An address is not shut out by one seat, nor a seat by one address: in a room, several
        learners may share an address.
        """
        self._window = window
        self._most = (by_both, by_seat, by_address)
        self._failures: dict[tuple[str, ...], deque[float]] = {}

    def wait(self, name: str, address: str, issued: float = 0) -> float:
        """Say how long to wait before the next try; 0 if it may be now.

        `issued` is when the seat was given its password (seconds since 1970): failures of
        before were on another.
        """
        waits, now = [0.0], time.time()
        for key, most in self._keys(name, address):
            times = self._failures.get(key, deque())
            since = max(now - self._window, issued if name in key else 0)
            while times and times[0] < since:
                times.popleft()
            if len(times) >= most:
                waits.append(times[-most] + self._window - now)
        return max(waits)

    def failed(self, name: str, address: str) -> None:
        """Count a failure."""
        if len(self._failures) > 10_000:
            self._failures.clear()
        for key, most in self._keys(name, address):
            self._failures.setdefault(key, deque(maxlen=most)).append(time.time())

    def succeeded(self, name: str, address: str) -> None:
        """Forget the failures of an address on a seat, and the one counted in advance."""
        for key, _ in self._keys(name, address):
            if self._failures.get(key):
                self._failures[key].pop()
        self._failures.pop(("both", name, address), None)

    def _keys(self, name: str, address: str) -> tuple[tuple[tuple[str, ...], int], ...]:
        both, seat, address_alone = self._most
        return (
            (("both", name, address), both),
            (("seat", name), seat),
            (("address", address), address_alone),
        )


class SeatAuthenticator(Authenticator):  # type: ignore[misc]
    """Lets in the seats of one workshop."""

    workshop_folder = Unicode(help="Folder of the workshop.").tag(config=True)
    window = Integer(300, help="Seconds during which failures count.").tag(config=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        workshop = Workshop.load(Path(self.workshop_folder))
        self._passwords = Passwords(workshop.passwords)
        self._attempts = Attempts(self.window)
        # Nobody else, even with a right to everything: `allow_all` stays False.
        self.allowed_users = {one.name for one in workshop.accounts}

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """Check the name and the password that were typed.

        Raises:
            HTTPError: too many failures, or a password that has served; the page shows why.
        """
        name: str = self.normalize_username(data.get("username") or "")[:64]
        address = str(getattr(handler.request, "remote_ip", ""))
        wait = self._attempts.wait(name, address, self._passwords.issued(name))
        if wait > 0:
            minutes = int(wait // 60) + 1
            raise HTTPError(
                429,
                f"Trop d'essais. Attendez {minutes} minute{'s' if minutes > 1 else ''}, puis "
                "recopiez le mot de passe de la carte.",
            )
        # Counted before the answer: many tries at once are not one.
        self._attempts.failed(name, address)
        # Read again: a seat may have been added, or removed, since the hub started.
        known = Workshop.load(Path(self.workshop_folder)).account(name) is not None
        answer = await asyncio.to_thread(
            self._passwords.spend, name if known else "", data.get("password") or ""
        )
        if answer is Answer.WRONG:
            return None
        self._attempts.succeeded(name, address)
        if answer is Answer.USED:
            raise HTTPError(403, USED)
        self.allowed_users.add(name)
        return name
