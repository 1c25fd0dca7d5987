"""The unix accounts of a workshop: made with `useradd`, removed only if they are ours.

An account is ours when its comment holds the workshop's random mark and its home lies in
the workshop's folder. Any other is never touched, whatever its name.
"""

import contextlib
import getpass
import os
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from culture_d.errors import WorkshopError
from culture_d.workshop.model import Account, Seat, Trainer, Workshop

PREFIX = "cd"
_LONGEST = 32
_SEARCHED = 100
_GRACE_SECONDS = 5.0


def present() -> str:
    """Name the account that runs this."""
    return getpass.getuser()


def entry(user: str) -> pwd.struct_passwd | None:
    """Find an account of the machine, whatever keeps it (files, LDAP…)."""
    try:
        return pwd.getpwnam(user)
    except KeyError:
        return None


def comment(workshop: Workshop) -> str:
    """Write in each account that it is of this workshop."""
    return f"Culture D {workshop.mark}"


def is_ours(workshop: Workshop, account: Account) -> bool:
    """Whether the account exists and was made for this workshop."""
    found = entry(account.user)
    return bool(
        found
        and found.pw_gecos.split(",")[0] == comment(workshop)
        and Path(found.pw_dir) == account.home
        and account.home.is_relative_to(workshop.folder)
        and found.pw_uid > 0
    )


def plan_seat(folder: Path, number: int, workshop_name: str, prefix: str, separated: bool) -> Seat:
    """Decide the names of a seat; an account name that is taken is left alone."""
    name = f"place-{number:02d}"
    user = _free(f"{prefix}-{name}", f"{prefix}-{workshop_name}-{name}") if separated else present()
    return Seat(name, user, folder / "places" / (user if separated else name), number)


def plan_trainer(folder: Path, workshop_name: str, prefix: str, separated: bool) -> Trainer:
    """Decide the names of the trainer's account."""
    name = "formateur"
    user = _free(f"{prefix}-{name}", f"{prefix}-{workshop_name}-{name}") if separated else present()
    return Trainer(name, user, folder / name)


def _free(wanted: str, longer: str) -> str:
    choices = [wanted, longer, *(f"{wanted}-{letter}" for letter in "bcdefghjk")]
    for user in choices:
        if len(user) <= _LONGEST and entry(user) is None and not _group_exists(user):
            return user
    raise WorkshopError(
        f"Les comptes « {wanted} » et suivants existent déjà sur cette machine, et ne sont pas de "
        "cet atelier. Fermez l'ancien atelier (« culture-d atelier fermer »), ou donnez un autre "
        "début de nom : « --prefixe mairie »."
    )


def _group_exists(name: str) -> bool:
    import grp

    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True


def make(workshop: Workshop, account: Account) -> bool:
    """Make the account if it is not there; return whether it was made.

    It has no password: nobody logs in to the machine with it. Its home is not made here.

    Raises:
        WorkshopError: the name was taken since, or the machine refuses.
    """
    locked = ["usermod", "--password", "!", account.user]
    if is_ours(workshop, account):
        # Killed midway, `useradd` may have left it without its line among the passwords.
        _run(locked, f"Le compte « {account.user} » n'a pas pu être verrouillé")
        return False
    if entry(account.user):
        raise WorkshopError(
            f"Le compte « {account.user} » existe sur cette machine, et n'est pas de cet atelier. "
            "Il n'a pas été touché. Fermez cet atelier, puis préparez-le avec « --prefixe »."
        )
    shell = shutil.which("bash") or "/bin/sh"
    words = ["useradd", "--user-group", "--no-create-home", "--home-dir", str(account.home)]
    words += ["--shell", shell, "--comment", comment(workshop), "--no-log-init", account.user]
    _run(words, f"Le compte « {account.user} » n'a pas pu être créé")
    return True


def remove(workshop: Workshop, account: Account) -> bool:
    """Remove the account if it is ours; return whether it was removed.

    Raises:
        WorkshopError: the machine refuses.
    """
    if not is_ours(workshop, account):
        return False
    stop_processes(uids=[pwd.getpwnam(account.user).pw_uid])
    _run(["userdel", account.user], f"Le compte « {account.user} » n'a pas pu être supprimé")
    return True


def owner(workshop: Workshop, account: Account) -> tuple[int, int]:
    """Give the numbers (user, group) that own the files of an account.

    Raises:
        WorkshopError: the account is no longer there, or is another's.
    """
    if not workshop.separated:
        return os.getuid(), os.getgid()
    found = entry(account.user)
    if found is None or not is_ours(workshop, account):
        raise WorkshopError(
            f"Le compte « {account.user} » de l'atelier « {workshop.name} » a disparu ou a changé. "
            "Relancez « culture-d atelier preparer »."
        )
    return found.pw_uid, found.pw_gid


def processes(workshop: Workshop, account: Account) -> Iterator[psutil.Process]:
    """List what runs for an account: by its number, or by its home when all share one."""
    uid = None
    if workshop.separated:
        if not is_ours(workshop, account):
            return
        uid = pwd.getpwnam(account.user).pw_uid
    home = str(account.home)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            uids = process.uids()
            if uid is not None:
                if uid in (uids.real, uids.effective):
                    yield process
            elif uids.real == os.getuid() and process.environ().get("HOME") == home:
                yield process


def stop_processes(
    uids: Iterable[int] = (), found: Iterable[psutil.Process] = (), grace: float = _GRACE_SECONDS
) -> None:
    """End processes: asked first, then killed, until none is left.

    Raises:
        WorkshopError: some cannot be ended.
    """
    wanted, found = set(uids), list(found)
    if 0 in wanted:
        raise ValueError("the processes of root are not those of a seat")
    for process in [*_of(wanted), *found]:
        with contextlib.suppress(psutil.Error):
            process.terminate()
    deadline = time.monotonic() + grace
    left: list[psutil.Process] = []
    while time.monotonic() < deadline + _GRACE_SECONDS:
        left = [one for one in [*_of(wanted), *found] if _alive(one)]
        if not left:
            return
        if time.monotonic() > deadline:
            for process in left:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        time.sleep(0.1)
    raise WorkshopError(
        f"Des programmes ne s'arrêtent pas (numéros {', '.join(str(one.pid) for one in left)}). "
        "Redémarrez la machine, puis relancez la commande."
    )


def _of(uids: set[int]) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter() if uids else ():
        with contextlib.suppress(psutil.Error):
            if uids & set(process.uids()) and _alive(process):
                found.append(process)
    return found


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def tool(name: str) -> str | None:
    """Find a command of the administrator, also where ordinary accounts do not look."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
    return shutil.which(name, path=path)


def _run(words: list[str], failure: str) -> None:
    words = [tool(words[0]) or words[0], *words[1:]]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "LC_ALL": "C"},
            # Ctrl+C stops this command, not a change of the list of accounts halfway.
            start_new_session=True,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WorkshopError(f"{failure} : {error}. Relancez la commande.") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"code {done.returncode}"])[-1]
        raise WorkshopError(f"{failure} : « {said} ». Corrigez la cause, puis relancez.")
