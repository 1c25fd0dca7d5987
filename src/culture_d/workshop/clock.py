"""The end of a workshop, and whether the machine's clock can be believed.

Nothing is refused after the end: what comes then is taken, dated, and said to be late. The
date is the machine's own, so a clock that went back, or an end already past, is said too.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from culture_d.french import date_longue
from culture_d.workshop.model import Workshop

_DRIFT = timedelta(minutes=5)


def end_of(workshop: Workshop) -> datetime | None:
    """Give the end that was said, UTC, or None."""
    return datetime.fromisoformat(workshop.end).astimezone(UTC) if workshop.end else None


def shown_end(workshop: Workshop) -> str:
    """Write the end in French, in this machine's time zone; « » without one."""
    end = end_of(workshop)
    return shown(end) if end else ""


def shown(moment: datetime) -> str:
    """Write a moment in French: « 12 mars 2026 à 17 h 00 »."""
    local = moment.astimezone()
    return f"{date_longue(local.date())} à {local.hour} h {local.minute:02d}"


def remarks(workshop: Workshop, now: datetime, seen: Iterable[datetime] = ()) -> Iterator[str]:
    """Say in French what is wrong with the clock, or with the end.

    Args:
        workshop: it was saved before now.
        now: UTC.
        seen: moments that are past, if the clock is right.
    """
    written = list(seen)
    with suppress(OSError):
        written.append(datetime.fromtimestamp(workshop.file.stat().st_mtime, UTC))
    newest = max(written, default=now)
    if newest > now + _DRIFT:
        yield (
            f"Attention : cette machine dit qu'il est {shown(now)}, mais l'atelier a servi le "
            f"{shown(newest)}. Vérifiez son horloge (« timedatectl ») : les retards en dépendent."
        )
    end = end_of(workshop)
    if end and now > end:
        yield (
            f"La fin dite, le {shown(end)}, est passée : cette machine dit qu'il est {shown(now)}. "
            "On peut encore rendre ; ces devoirs seront pris, et dits en retard."
        )
