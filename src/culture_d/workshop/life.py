"""The life of a workshop: prepared, opened, looked at, stopped, closed.

Each step may be run again: it does what is left to do. `atelier.json` is written before
anything is made, so that a step killed at any instant is found again by the next one.
"""

import contextlib
import ipaddress
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
from filelock import FileLock, Timeout

from culture_d.errors import WorkshopError, reason
from culture_d.project import Project
from culture_d.workshop import (
    accounts,
    ahead,
    archive,
    certificate,
    clock,
    disk,
    hub,
    needs,
    proxy,
    room,
    seats,
)
from culture_d.workshop.cards import write_cards
from culture_d.workshop.limits import has_groups, remove_groups
from culture_d.workshop.model import (
    LOOPBACK,
    PORT,
    ROOT,
    Account,
    SeatLimits,
    Workshop,
    check_name,
)
from culture_d.workshop.passwords import Passwords

if TYPE_CHECKING:
    from culture_d.workshop.archive import Kept
    from culture_d.workshop.arrivals import Found

Say = Callable[[str], None]
DEFAULT_NAME = "atelier"
_MOST_SEATS = 99


@dataclass(frozen=True)
class Options:
    """What `preparer` is asked. None keeps what was decided before, or the default."""

    seats: int | None = None
    exercises: Sequence[str] = ()
    module: str | None = None
    address: str | None = None
    port: int | None = None
    end: str | None = None
    memory: int | None = None
    processes: int | None = None
    idle_seconds: int | None = None
    file_size: int | None = None
    separated: bool = True
    prefix: str = accounts.PREFIX
    cards: Path | None = None
    confirmed: bool = False


@dataclass
class Prepared:
    """What `preparer` did."""

    workshop: Workshop
    cards: Path | None = None
    made: list[str] = field(default_factory=list)
    """Accounts made."""
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class SeatState:
    """A seat at an instant."""

    account: Account
    entered: datetime | None
    """When someone last entered."""
    processes: int
    ready: bool
    """Whether its server answers, as the hub says."""
    memory: int
    """Bytes held by its processes alone."""
    disk: int
    """Bytes of its files."""
    submissions: dict[str, int]
    """By exercise: how many times it was handed in."""
    late: dict[str, int]
    """By exercise: how many of them after the end."""


@dataclass(frozen=True)
class State:
    """A workshop at an instant."""

    workshop: Workshop
    running: bool
    seats: tuple[SeatState, ...]
    memory_free: int
    """Bytes the machine could still give."""
    limited: str
    """In French: how the memory of a seat is held."""
    remarks: tuple[str, ...]
    """In French: what is wrong with the clock, the end, the disk, a submission."""


@dataclass
class Closed:
    """What `fermer` kept and removed."""

    kept: list["Kept"] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    """Accounts removed."""
    left: list[str] = field(default_factory=list)
    """Accounts that are not ours, and were left alone."""


def folder_of(name: str, folder: Path | None, separated: bool = True) -> Path:
    """Say where a workshop lies.

    Raises:
        WorkshopError: the name cannot be that of a folder.
    """
    if folder is not None:
        return folder.expanduser().resolve()
    check_name(name)
    shared = ROOT / name
    private = Path.home() / "culture-d-ateliers" / name
    if separated and (os.geteuid() == 0 or (shared / "atelier.json").exists()):
        return shared
    return private if (private / "atelier.json").exists() or not separated else shared


def prepare(
    project: Project, name: str, folder: Path, options: Options, say: Say = lambda text: None
) -> Prepared:
    """Make a workshop, or bring it to what is asked: seats, copies, exercises, cards.

    Raises:
        WorkshopError: something is missing or refused; the message says what to do.
    """
    check_name(name)
    needs.check(options.separated)
    _refuse_root(options)
    seats.check_clock(project, date.today())
    chosen = seats.find_exercises(project, options.exercises)
    page = seats.find_page(project, options.module)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WorkshopError(
            f"Le dossier « {folder} » ne peut pas être créé : {reason(error)}."
        ) from None
    with _alone(folder):
        before = Workshop.load(folder) if (folder / "atelier.json").exists() else None
        workshop = _plan(name, folder, options, before, chosen, page)
        copied = sum(
            path.stat().st_size
            for source in (project.notebooks, project.datasets)
            for path in source.rglob("*")
            if path.is_file()
        )
        new = len(workshop.seats) - (len(before.seats) if before else 0)
        needs.check_disk(folder, new, copied)
        say("Installation du proxy de JupyterHub")
        proxy.ensure()
        if before:
            _remove_seats(before, workshop, options.confirmed, say)
        dated = clock_remarks(before) if before else []
        workshop.save()
        report = Prepared(
            workshop, warnings=list(dict.fromkeys([*dated, *clock_remarks(workshop)]))
        )
        _make(project, workshop, report, say)
        warning = needs.memory_warning(len(workshop.seats))
        report.warnings += [warning] if warning else []
        target = options.cards or Path.cwd() / f"cartes-{workshop.name}.pdf"
        waiting = Passwords(workshop.passwords).waiting(one.name for one in workshop.accounts)
        if waiting:
            report.cards = reissue(workshop, waiting, target, say)[0]
        return report


def reissue(
    workshop: Workshop, names: Sequence[str], cards: Path | None, say: Say = lambda text: None
) -> tuple[Path | None, dict[str, str]]:
    """Give seats a new password each, and print their cards if a file is given.

    Returns:
        The cards' file, and the passwords by name.

    Raises:
        WorkshopError: a name is not a seat of the workshop.
    """
    for name in names:
        if workshop.account(name) is None:
            known = ", ".join(one.name for one in workshop.accounts)
            raise WorkshopError(f"Place inconnue : « {name} ». Places de l'atelier : {known}.")
    passwords = Passwords(workshop.passwords)
    drawn = passwords.draw(names)
    path = None
    if cards:
        say("Cartes des places")
        path = write_cards(workshop, drawn, cards, date.today())
    passwords.printed(names)
    return path, drawn


def open_hub(
    workshop: Workshop, address: str | None = None, port: int | None = None
) -> tuple[Workshop, bool, str | None]:
    """Start the hub, on loopback unless an address is given.

    Returns:
        The workshop as it is now served, whether it was started (False: it was running),
        and the certificate's fingerprint if it has one.

    Raises:
        WorkshopError: the address is not this machine's, a port is taken, the hub stops.
    """
    with _alone(workshop.folder):
        wanted = replace(workshop, address=address or LOOPBACK, port=port or workshop.port)
        running = hub.running(workshop)
        if running and wanted != workshop:
            raise WorkshopError(
                f"L'atelier est déjà ouvert sur {workshop.url} : arrêtez-le d'abord (« culture-d "
                "atelier arreter »), puis ouvrez-le à la nouvelle adresse. Le travail est gardé."
            )
        if address:
            hub.check_address(address)
        disk.check(workshop.folder)
        proxy.ensure()
        wanted.save()
        print_ = certificate.ensure(wanted) if wanted.tls else None
        return wanted, hub.start(wanted), print_


def stop(workshop: Workshop) -> bool:
    """Stop the hub and every server, and keep everything; return whether anything ran."""
    with _alone(workshop.folder):
        return hub.stop(workshop)


def state(workshop: Workshop) -> State:
    """Look at the workshop: seats, memory, disk, submissions."""
    passwords = Passwords(workshop.passwords)
    found_inbound = _read_inbound(workshop)
    handed, late = submissions(workshop, found_inbound), _late(workshop, found_inbound)
    running_hub = hub.running(workshop) is not None
    ready = (ahead.ready_seats(workshop) if running_hub else None) or set()
    found = []
    for seat in workshop.seats:
        running = list(accounts.processes(workshop, seat))
        memory = 0
        for process in running:
            with contextlib.suppress(psutil.Error):
                memory += process.memory_full_info().uss
        mine = handed.get(workshop.learner(seat), {})
        entered = passwords.entered(seat.name)
        answers = seat.name in ready
        after = late.get(workshop.learner(seat), {})
        held = disk.used(seat.home)
        found.append(SeatState(seat, entered, len(running), answers, memory, held, mine, after))
    group = has_groups(workshop.name)
    return State(
        workshop,
        running_hub,
        tuple(found),
        psutil.virtual_memory().available,
        "pour toute la place" if group else "pour chaque programme",
        (
            *clock_remarks(workshop),
            *disk.remarks(
                disk.free(workshop.folder), {one.account.name: one.disk for one in found}
            ),
            *dict.fromkeys(remark for one in found_inbound for remark in one.remarks),
        ),
    )


def submissions(
    workshop: Workshop, found: "Sequence[Found] | None" = None
) -> dict[str, dict[str, int]]:
    """Count what was handed in: by learner, then by exercise. Only what its owner handed in."""
    counts: dict[str, dict[str, int]] = {}
    for one in _read_inbound(workshop) if found is None else found:
        for arrival in one.arrivals:
            mine = counts.setdefault(arrival.learner, {})
            mine[arrival.assignment] = mine.get(arrival.assignment, 0) + 1
    return counts


def clock_remarks(workshop: Workshop) -> list[str]:
    """Say in French what is wrong with the clock, by all that is dated here, or with the end."""
    passwords = Passwords(workshop.passwords)
    seen = [moment for one in workshop.accounts if (moment := passwords.entered(one.name))]
    return list(clock.remarks(workshop, datetime.now(UTC), seen))


def _late(workshop: Workshop, found: "Sequence[Found]") -> dict[str, dict[str, int]]:
    """Count, the same way, what was handed in after the end."""
    end = clock.end_of(workshop)
    after = [
        replace(
            one, arrivals=[a for a in one.arrivals if end and not a.doubtful and a.moment > end]
        )
        for one in found
    ]
    return submissions(workshop, after)


def _read_inbound(workshop: Workshop) -> "list[Found]":
    """List what lies in the exchange, one exercise after the other."""
    from culture_d.workshop.arrivals import read_inbound

    names = {workshop.learner(one): one.name for one in workshop.seats}
    now = datetime.now(UTC)
    with contextlib.suppress(OSError):
        return [
            read_inbound(workshop.inbound, slug, names, now, workshop.separated)
            for slug in workshop.exercises
        ]
    return []


def close(workshop: Workshop, archives: Path | None = None, say: Say = lambda text: None) -> Closed:
    """Stop everything, archive each seat's work, check the archives, then remove the seats.

    Nothing is removed before every archive was read back. An account that is not of this
    workshop is left alone, whatever its name.

    Raises:
        WorkshopError: an archive cannot be written or read back; nothing was removed.
    """
    with _alone(workshop.folder):
        report = Closed()
        say("Arrêt des serveurs")
        hub.stop(workshop)
        target = _archive_folder(workshop, archives)
        report.kept = _archive_all(workshop, workshop.accounts, target, say)
        for account in workshop.accounts:
            say(f"Suppression de {account.name}")
            _remove(workshop, account, report)
        for path in (
            workshop.hub_folder,
            workshop.exchange,
            workshop.folder / "ecrans",
            workshop.model,
            workshop.assignments,
            workshop.places,
        ):
            shutil.rmtree(path, ignore_errors=True)
        remove_groups(workshop.name)
        workshop.file.unlink(missing_ok=True)
        return report


def _plan(
    name: str,
    folder: Path,
    options: Options,
    before: Workshop | None,
    chosen: tuple[str, ...],
    page: str | None,
) -> Workshop:
    """Decide what the workshop will be, from what it was and what is asked."""
    count = options.seats if options.seats is not None else len(before.seats) if before else None
    if count is None or not 1 <= count <= _MOST_SEATS:
        raise WorkshopError(
            f"Donnez le nombre de places, de 1 à {_MOST_SEATS} : « --places 15 ». Au-delà, voyez "
            "« deploy/kubernetes/ »."
        )
    if before is None and not chosen:
        raise WorkshopError(
            "Donnez les exercices à distribuer, séparés par des virgules : « --exercices "
            "moyenne-mediane,formats »."
        )
    if before and before.name != name:
        raise WorkshopError(f"« {folder} » est celui de l'atelier « {before.name} ».")
    if before and before.separated != options.separated:
        raise WorkshopError(
            "Cet atelier a été préparé avec des places "
            f"{'séparées' if before.separated else 'non séparées'} : fermez-le d'abord « culture-d "
            "atelier fermer »), puis préparez-le autrement."
        )
    if options.address:
        _check_written(options.address)
    port = options.port or (before.port if before else PORT)
    if not 1024 <= port <= 65_533:
        raise WorkshopError(f"Le port {port} ne convient pas : prenez-en un de 1024 à 65533.")
    kept = before.seats[:count] if before else ()
    separated = options.separated
    trainer = (
        before.trainer if before else accounts.plan_trainer(folder, name, options.prefix, separated)
    )
    added = tuple(
        accounts.plan_seat(folder, number, name, options.prefix, separated)
        for number in range(len(kept) + 1, count + 1)
    )
    limits = before.limits if before else SeatLimits()
    return Workshop(
        name=name,
        folder=folder,
        mark=before.mark if before else secrets.token_hex(8),
        seats=(*kept, *added),
        trainer=trainer,
        exercises=tuple(dict.fromkeys((*(before.exercises if before else ()), *chosen))),
        module=options.module or (before.module if before else None),
        page=page or (before.page if before else None),
        separated=separated,
        address=before.address if before else LOOPBACK,
        port=port,
        announced=options.address or (before.announced if before else None),
        end=options.end or (before.end if before else None),
        limits=SeatLimits(
            options.memory or limits.memory,
            options.processes or limits.processes,
            options.idle_seconds or limits.idle_seconds,
            options.file_size or limits.file_size,
        ),
    )


def _make(project: Project, workshop: Workshop, report: Prepared, say: Say) -> None:
    """Make what is not there yet."""
    seats.make_folders(workshop)
    for account in workshop.accounts:
        say(f"Compte de {account.name}")
        if workshop.separated and accounts.make(workshop, account):
            report.made.append(account.user)
        seats.make_home(workshop, account)
        usual = f"-{account.name}"
        if workshop.separated and not account.user.endswith(usual):
            report.warnings.append(f"« {account.name} » a le compte « {account.user} ».")
    seats.make_model(project, workshop)
    seats.write_nbgrader_config(workshop)
    if workshop.separated and (why := room.refusal(workshop, workshop.trainer)):
        raise WorkshopError(why)
    say("Copies de travail")
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        for _ in pool.map(lambda one: seats.copy_work(workshop, one), workshop.accounts):
            pass
    seats.deliver(project, workshop, say)
    if find_spec("culture_d.workshop.screens"):
        import_module("culture_d.workshop.screens").write_screens(workshop)
    hub.write_config(workshop)


def _remove_seats(before: Workshop, after: Workshop, confirmed: bool, say: Say) -> None:
    """Remove the seats that are no longer wanted, their work archived first."""
    gone = [one for one in before.seats if one not in after.seats]
    if not gone:
        return
    if not confirmed:
        raise WorkshopError(
            f"L'atelier a {len(before.seats)} places, vous en demandez {len(after.seats)}. "
            f"Seraient supprimées : {', '.join(one.name for one in gone)}. Leur travail serait "
            "d'abord archivé. Pour confirmer, ajoutez « --oui »."
        )
    for seat in gone:
        accounts.stop_processes(found=accounts.processes(before, seat))
    _archive_all(before, gone, _archive_folder(before, None), say)
    for seat in gone:
        _remove(before, seat, Closed())
    Passwords(before.passwords).forget(one.name for one in gone)


def _archive_all(
    workshop: Workshop, who: Sequence[Account], target: Path, say: Say
) -> "list[Kept]":
    kept = []
    for account in who:
        if account.home.is_dir():
            say(f"Archive de {account.name}")
            kept.append(archive.archive(account.home, target / f"{account.name}.zip"))
    return kept


def _archive_folder(workshop: Workshop, asked: Path | None) -> Path:
    """Make the folder of these archives: one a day and an hour, so that none is written over."""
    base = asked.expanduser().resolve() if asked else workshop.archives
    base.mkdir(mode=0o700, parents=True, exist_ok=True)
    moment = datetime.now().strftime("%Y-%m-%d-%Hh%M")
    folder, number = base / moment, 1
    while folder.exists():
        number += 1
        folder = base / f"{moment}-{number}"
    folder.mkdir(mode=0o700)
    return folder


def _remove(workshop: Workshop, account: Account, report: Closed) -> None:
    """Remove an account that is ours, then its home."""
    if workshop.separated:
        if accounts.remove(workshop, account):
            report.removed.append(account.user)
        elif accounts.entry(account.user):
            report.left.append(account.user)
    if account.home.is_relative_to(workshop.folder):
        shutil.rmtree(account.home, ignore_errors=True)


def _refuse_root(options: Options) -> None:
    if not options.separated and os.geteuid() == 0:
        raise WorkshopError(
            "« --places-non-separees » ferait de chaque place un administrateur de cette machine. "
            "Lancez-le depuis un compte ordinaire ; ou bien, puisque vous avez les droits, préparez "
            "des places séparées."
        )


def _check_written(address: str) -> None:
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        raise WorkshopError(
            f"« {address} » n'est pas une adresse : donnez des chiffres, comme 192.168.1.20."
        ) from None
    if known.is_unspecified:
        raise WorkshopError(
            f"« {address} » ouvrirait l'atelier sur tous les réseaux de la machine. Donnez l'adresse "
            f"d'un seul : {', '.join(hub.addresses()) or 'aucune ici'}."
        )


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one command at a time change a workshop."""
    try:
        with FileLock(folder / ".verrou", timeout=0, mode=0o600):
            yield
    except Timeout:
        raise WorkshopError(
            f"Une autre commande travaille sur « {folder} ». Attendez qu'elle finisse, puis relancez."
        ) from None
    except PermissionError:
        raise WorkshopError(
            f"« {folder} » n'est pas à vous. Un atelier préparé avec « sudo » se conduit avec « sudo »."
        ) from None
