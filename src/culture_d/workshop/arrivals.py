"""Take what learners put in nbgrader's exchange, as nbgrader's own `collect` does, but safely.

Anyone may write in the exchange, under any name. nbgrader's `collect` believes the name,
follows links (to the solutions, say), stops on a folder whose name it cannot read, and
keeps one submission of each learner. Here:

- a submission is counted for the account that owns it, and for no other;
- only regular files of that account are copied, links are not followed;
- the last one is taken, the former ones are kept aside; what cannot be taken is said;
- each folder appears whole or not at all, and running again changes nothing.
"""

import os
import pwd
import shutil
import stat
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

SECRET, STAMP = "submission_secret.txt", "timestamp.txt"
FORMER = "anciens-depots"
"""Folder of the course with what was submitted before the last: learner, exercise, moment."""
_TEMPORARY = ".reception-"
_UNWANTED = {"feedback", ".ipynb_checkpoints", "__pycache__"}
_MOST_BYTES = 100_000_000
_MOST_FILES = 2000
# A submission is copied file by file: this long after, what is not whole will not be.
_BEING_SENT = timedelta(seconds=60)
_WRITTEN = "%Y-%m-%d %H:%M:%S.%f UTC"
# Between the moment that a submission says and that of its arrival on the disk.
_CLOCK = timedelta(minutes=5)


@dataclass(frozen=True)
class Arrival:
    """One submission, as it lies in the exchange."""

    learner: str
    """The account that owns it."""
    assignment: str
    folder: Path
    moment: datetime
    """When it was submitted, UTC."""
    doubtful: bool = False
    """Dated later than now: the machine's clock was wrong then, or is now."""


@dataclass(frozen=True)
class Received:
    """What was taken of one learner for one assignment."""

    learner: str
    assignment: str
    moment: datetime
    """When the submission taken was made, UTC."""
    former: int
    """How many earlier ones are kept aside."""
    new: bool
    """Whether this run brought it."""
    earlier: tuple[datetime, ...] = ()
    """When the former ones were submitted, UTC."""
    doubtful: bool = False
    """Dated by a clock that was wrong: it says nothing of the end of the workshop."""

    def late(self, end: datetime | None) -> bool:
        """Whether it came after the end of the workshop."""
        return end is not None and not self.doubtful and self.moment > end

    def in_time_before(self, end: datetime) -> bool:
        """Whether an earlier one, kept aside, came before the end."""
        return any(moment <= end for moment in self.earlier)


@dataclass
class Found:
    """The submissions of one assignment, and what is to be said of the others."""

    arrivals: list[Arrival] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)


class _Unreadable(Exception):
    """A submission that cannot be copied; the message is French, for the trainer."""


def read_inbound(
    inbound: Path,
    assignment: str,
    names: Mapping[str, str],
    now: datetime,
    separated: bool = True,
) -> Found:
    """List the submissions of an assignment that can be taken, oldest first.

    Args:
        inbound: the exchange's folder.
        assignment: its name.
        names: what each learner is called, by their name in nbgrader; others are nobody.
        now: UTC; nothing can have been submitted later.
        separated: whether each learner is an account of the machine, to be checked.
    """
    found = Found()
    for folder in sorted(_folders(inbound)):
        said, slash, _ = folder.name.partition("+")
        parts = folder.name.split("+")
        if len(parts) < 3 or not slash or parts[1] != assignment:
            continue
        try:
            status = folder.stat(follow_symlinks=False)
        except OSError:
            continue
        owner = _owner(status.st_uid) if separated else said
        shown = names.get(owner, owner)
        if not stat.S_ISDIR(status.st_mode):
            found.remarks.append(f"{shown} : un lien ou un fichier au lieu d'un dépôt, laissé.")
        elif owner not in names:
            found.remarks.append(
                f"Un dépôt de « {owner} », qui n'est pas une place de cet atelier, est laissé."
            )
        elif owner != said:
            found.remarks.append(
                f"{shown} a déposé un devoir au nom de « {names.get(said, said)} ». "
                "Il n'est compté pour personne : demandez-lui pourquoi."
            )
        else:
            arrived = datetime.fromtimestamp(status.st_ctime, UTC)
            _take(found, Arrival(owner, assignment, folder, arrived), parts[2], shown, now)
    found.arrivals.sort(key=lambda one: (not one.doubtful, one.moment, one.folder.name))
    return found


def _take(found: Found, arrival: Arrival, said: str, shown: str, now: datetime) -> None:
    """Add a submission, once its moment is known and it is whole."""
    arrived = arrival.moment
    whole = (arrival.folder / SECRET).is_file() and (arrival.folder / STAMP).is_file()
    if not whole and abs(now - arrived) < _BEING_SENT:
        found.remarks.append(
            f"{shown} est en train de remettre « {arrival.assignment} ». Relancez dans une minute."
        )
        return
    moment = _parsed(said) or arrived
    if abs(moment - arrived) > _CLOCK:
        found.remarks.append(
            f"{shown} : l'heure écrite dans un dépôt n'est pas celle de son arrivée, "
            f"{_shown(arrived)}. L'heure d'arrivée compte."
        )
        moment = arrived
    doubtful = moment > now + _CLOCK
    if doubtful:
        found.remarks.append(
            f"{shown} : un dépôt est daté de l'avenir, {_shown(moment)}. L'horloge de cette machine "
            "a changé : vérifiez-la (« timedatectl »). Tout est gardé ; un autre dépôt, s'il y en "
            "a un, passe avant celui-ci."
        )
    found.arrivals.append(
        Arrival(arrival.learner, arrival.assignment, arrival.folder, moment, doubtful)
    )


def take_in(course: Path, found: Found, names: Mapping[str, str]) -> list[Received]:
    """Copy the last submission of each learner to `submitted/`, the former ones aside."""
    for left in course.glob(f"{_TEMPORARY}*"):
        shutil.rmtree(left, ignore_errors=True)
    by_learner: dict[str, list[Arrival]] = defaultdict(list)
    for arrival in found.arrivals:
        by_learner[arrival.learner].append(arrival)
    received = []
    for learner, arrivals in sorted(by_learner.items()):
        done = _take_learner(course, arrivals, names.get(learner, learner), found.remarks)
        if done:
            received.append(done)
    return received


def _take_learner(
    course: Path, arrivals: list[Arrival], shown: str, remarks: list[str]
) -> Received | None:
    """Take the submissions of one learner for one assignment; the last first."""
    taken: Arrival | None = None
    new, earlier = False, list[datetime]()
    for arrival in reversed(arrivals):
        learner, name = arrival.learner, arrival.assignment
        place = course / "submitted" / learner / name
        aside = course / FORMER / learner / name
        try:
            if taken is None:
                if not _is(place, arrival):
                    _copy(course, arrival, place, aside)
                    new = True
                taken = arrival
            else:
                earlier.append(arrival.moment)
                if not any(_is(one, arrival) for one in _folders(aside)):
                    _copy(course, arrival, aside / _label(arrival.moment), aside)
        except _Unreadable as problem:
            remarks.append(f"{shown}, « {name} » : {problem}")
    if taken is None:
        return None
    return Received(
        taken.learner,
        taken.assignment,
        taken.moment,
        len(earlier),
        new,
        tuple(earlier),
        taken.doubtful,
    )


def _copy(course: Path, arrival: Arrival, place: Path, aside: Path) -> None:
    """Put a copy of a submission in place, whole; what was there goes aside."""
    scratch = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=course))
    try:
        copy = scratch / "depot"
        _copy_files(arrival.folder, copy, arrival.folder.stat(follow_symlinks=False).st_uid)
        # The learner may have written another moment there.
        (copy / STAMP).write_text(arrival.moment.strftime(_WRITTEN), encoding="utf-8")
        if not any(copy.rglob("*.ipynb")):
            raise _Unreadable(
                "ce dépôt n'a pas de carnet (« .ipynb »). Demandez-lui de recommencer."
            )
        place.parent.mkdir(parents=True, exist_ok=True)
        if place.is_dir():
            aside.mkdir(parents=True, exist_ok=True)
            _move(place, aside / _label(_moment(place)))
        copy.replace(place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _move(folder: Path, target: Path) -> None:
    number = 1
    while target.exists():
        number += 1
        target = target.with_name(f"{target.name.partition('~')[0]}~{number}")
    folder.replace(target)


def _copy_files(source: Path, target: Path, owner: int) -> None:
    """Copy the regular files of one account; a folder swapped for a link meanwhile is not followed.

    Raises:
        _Unreadable: too many files, too large, or not readable.
    """
    total = count = 0
    try:
        root = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        raise _Unreadable("ce dépôt ne se lit pas. Demandez-lui de recommencer.") from None
    try:
        for folder, folders, files, descriptor in os.fwalk(".", dir_fd=root):
            folders[:] = [name for name in folders if name not in _UNWANTED]
            here = target / folder
            here.mkdir(parents=True, exist_ok=True)
            for name in files:
                content = _read(name, descriptor, owner, _MOST_BYTES - total)
                if content is None:
                    continue
                total += len(content)
                count += 1
                if count > _MOST_FILES:
                    raise _Unreadable(f"ce dépôt a plus de {_MOST_FILES} fichiers : laissé.")
                (here / name).write_bytes(content)
    finally:
        os.close(root)


def _read(name: str, folder: int, owner: int, most: int) -> bytes | None:
    """Read a regular file of that owner; None for anything else."""
    try:
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        descriptor = os.open(name, flags, dir_fd=folder)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        # A hard link to another's file keeps its owner.
        if not stat.S_ISREG(status.st_mode) or status.st_uid != owner:
            return None
        if status.st_size > most:
            raise _Unreadable(f"ce dépôt dépasse {_MOST_BYTES // 1_000_000} Mo : laissé.")
        return file.read(most)


def _folders(parent: Path) -> Iterable[Path]:
    try:
        return sorted(parent.iterdir())
    except FileNotFoundError:
        return ()


def _owner(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"compte {number}"


def _is(place: Path, arrival: Arrival) -> bool:
    """Say whether a folder is the copy of that very submission."""
    return place.is_dir() and _identity(place) == _identity(arrival.folder, arrival.moment)


def _identity(folder: Path, moment: datetime | None = None) -> tuple[str, str]:
    """Tell a submission from any other: nbgrader's secret, or else its moment."""
    try:
        secret = (folder / SECRET).read_text("utf-8", errors="replace")[:1000]
    except OSError:
        secret = ""
    return secret, _label(moment or _moment(folder))


def _moment(folder: Path) -> datetime:
    text = (folder / STAMP).read_text(encoding="utf-8") if (folder / STAMP).is_file() else ""
    return _parsed(text.strip()) or datetime.fromtimestamp(folder.stat().st_mtime, UTC)


def _parsed(text: str) -> datetime | None:
    """Read a moment as nbgrader does, or None."""
    with suppress(ValueError):
        # As nbgrader writes it: `etat` reads it without the two seconds that nbgrader takes.
        return datetime.strptime(text, _WRITTEN).replace(tzinfo=UTC)
    from nbgrader.utils import parse_utc

    try:
        moment: datetime = parse_utc(text)
        return moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError, TypeError, AttributeError):
        return None


def _label(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H%M%S.%f}"


def _shown(moment: datetime) -> str:
    return f"le {moment.astimezone():%d/%m/%Y à %H:%M}"
