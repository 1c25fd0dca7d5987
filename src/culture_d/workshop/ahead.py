"""Starts the seats' servers before the learners come, through JupyterHub's REST API.

A server takes seconds of processor to start, and a room comes in all at once: those of
the seats are started a few at a time once the hub is open, so that a login finds its own
ready. The right to do so is that of a service of the hub, « places », which may list the
seats and start their servers, and nothing else: neither enter nor stop them.
"""

import os
import secrets
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import psutil

from culture_d.errors import WorkshopError
from culture_d.workshop.model import LOOPBACK, Workshop
from culture_d.workshop.needs import SEAT_MEMORY, SYSTEM_MEMORY

if TYPE_CHECKING:
    import httpx

SERVICE = "places"
"""The service's name in the hub."""
SCOPES = ("list:users", "read:servers", "start:servers")
"""Its rights, of those that JupyterHub defines."""
_START_SECONDS = 600.0
_ASK_SECONDS = 60.0
_PAUSE = 1.0

Advance = Callable[[int, int], None]


@dataclass
class Readied:
    """What was started ahead."""

    seats: int
    ready: set[str] = field(default_factory=set)
    """Seats whose server answers."""
    kept_back: int = 0
    """Seats left for when they are entered: the memory would not hold them."""
    failed: list[str] = field(default_factory=list)
    """Seats whose server did not start."""
    seconds: float = 0.0


def write_tokens(workshop: Workshop) -> None:
    """Draw the secrets of the service and of the proxy, once, for the workshop's owner alone."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    for path in (workshop.token, workshop.proxy_token):
        with (
            suppress(FileExistsError),
            os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as out,
        ):
            out.write(secrets.token_hex(32))


def cores() -> int:
    """Count the processors that this process may use."""
    return len(os.sched_getaffinity(0))


def room_for(available: int) -> int:
    """Say how many more seats so many bytes hold, each at work, beside the rest."""
    return max(0, (available - SYSTEM_MEMORY) // SEAT_MEMORY)


def start_ahead(workshop: Workshop, advance: Advance = lambda ready, seats: None) -> Readied:
    """Start the servers of the seats, as many at a time as there are processors.

    Those that run are left as they are. A hub that is stopped meanwhile ends it.

    Args:
        workshop: its hub is open.
        advance: told how many are ready, of how many.
    """
    began = time.monotonic()
    readied = Readied(len(workshop.seats))
    advance(0, readied.seats)
    # Asked for again: the hub then looks whether they still run.
    running = ready_seats(workshop) or set()
    new = [one.name for one in workshop.seats if one.name not in running]
    held = new[: room_for(psutil.virtual_memory().available)]
    readied.kept_back = len(new) - len(held)
    with _hub(workshop) as hub:
        _start_all(hub, [*sorted(running), *held], readied, advance)
    readied.failed.sort()
    readied.seconds = time.monotonic() - began
    return readied


def ready_seats(workshop: Workshop) -> set[str] | None:
    """List the seats whose server is ready, as the hub says; None if it does not answer."""
    import httpx

    try:
        with _hub(workshop) as hub:
            answer = hub.get("users", params={"limit": len(workshop.accounts) + 1})
            answer.raise_for_status()
            said = answer.json()
    except (OSError, httpx.HTTPError, ValueError):
        return None
    seats = {one.name for one in workshop.seats}
    return {
        one["name"]
        for one in said
        if one["name"] in seats and one.get("servers", {}).get("", {}).get("ready")
    }


def _start_all(
    hub: "httpx.Client", names: Sequence[str], readied: Readied, advance: Advance
) -> None:
    with ThreadPoolExecutor(cores()) as pool:
        asked = {pool.submit(_start, hub, name): name for name in names}
        try:
            for done in as_completed(asked):
                if done.result():
                    readied.ready.add(asked[done])
                else:
                    readied.failed.append(asked[done])
                advance(len(readied.ready), readied.seats)
        finally:
            # Interrupted: what was asked of the hub goes on, the others are not asked.
            pool.shutdown(wait=False, cancel_futures=True)


def _start(hub: "httpx.Client", name: str) -> bool:
    """Start one server, and wait until it answers or is known not to start."""
    import httpx

    path = f"users/{name}/server"
    limit = time.monotonic() + _START_SECONDS
    try:
        # 400: it runs, or is being stopped; 404: a seat that this hub has not met yet.
        if hub.post(path).status_code == httpx.codes.NOT_FOUND:
            return False
        while time.monotonic() < limit:
            answer = hub.get(path)
            if answer.status_code != httpx.codes.OK:
                return False
            said = answer.json()
            if said["ready"]:
                return True
            if not said["pending"]:
                return False
            time.sleep(_PAUSE)
    except (httpx.HTTPError, ValueError):
        pass
    return False


def _hub(workshop: Workshop) -> "httpx.Client":
    """Speak to the hub itself, on loopback, with the service's secret."""
    # Imported where it serves: it takes half a second.
    import httpx

    try:
        token = workshop.token.read_text(encoding="utf-8")
    except OSError:
        raise WorkshopError(
            f"« {workshop.token} » manque. Arrêtez l'atelier (« culture-d atelier arreter »), puis "
            "rouvrez-le."
        ) from None
    return httpx.Client(
        base_url=f"http://{LOOPBACK}:{workshop.hub_port}/hub/api/",
        headers={"Authorization": f"token {token}"},
        timeout=_ASK_SECONDS,
        trust_env=False,
    )
