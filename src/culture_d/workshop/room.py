"""What a seat sees of the machine: the system, Python, its home, the exchange. Nothing else.

A server runs as the seat's own unix account, in a view of the disk made by bubblewrap:
neither the course's folder with its solutions, nor the hub's, nor the other homes are in
it, whatever their permissions. /tmp and the list of processes are the seat's own. The
view is made by root; what runs in it has no privilege, and can gain none.

Python may lie in a folder that other accounts cannot enter (`/root`, a private home): the
view shows that very folder, read-only, under the same path.
"""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path, PurePosixPath

from culture_d.errors import WorkshopError
from culture_d.workshop.model import MEBIBYTE, Account, Workshop

PACKAGE = Path(__file__).resolve().parents[1]
CHECKOUT = PACKAGE.parents[1]
_PUBLIC = ("_config.yml", "book", "datasets", "notebooks")
"""What a notebook may read of the course, when the package comes from its folder."""
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt")
_NAMES = ("/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager")
"""Where resolv.conf may lead."""
_TEMPORARY = 512 * MEBIBYTE
_TRIAL_SECONDS = 120
_REMEDY = "Installez bubblewrap : « sudo apt-get install bubblewrap »."


def command(workshop: Workshop, account: Account, argv: Sequence[str]) -> list[str]:
    """Give the command that runs `argv` as an account, seeing only what it needs.

    To be run by root; the variables of the environment go through as they are.

    Raises:
        WorkshopError: bubblewrap or setpriv is not installed.
    """
    bwrap, setpriv = shutil.which("bwrap"), shutil.which("setpriv")
    if not bwrap or not setpriv:
        raise WorkshopError(
            f"Séparer les places demande bubblewrap, introuvable ici. {_REMEDY}"
            if not bwrap
            else "Séparer les places demande « setpriv » : « sudo apt-get install util-linux »."
        )
    found = pwd.getpwnam(account.user)
    words = [bwrap, "--unshare-pid", "--unshare-ipc", "--cap-drop", "ALL"]
    for capability in ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP"):
        words += ["--cap-add", capability]
    shown = _shown()
    own = [str(account.home), str(workshop.exchange)]
    # A folder made on the way to another would be root's alone.
    read = [str(workshop.jupyter_config(workshop.role(account.name))), str(workshop.model)]
    read += [str(workshop.assignments)] if account == workshop.trainer else []
    parents = {str(up) for path in [*shown, *own, *read] for up in PurePosixPath(path).parents}
    parents = (parents | {"/etc", "/run", "/var"}) - {"/", "/tmp"}
    in_tmp = {path for path in parents if path.startswith("/tmp/")}
    words += _folders(parents - in_tmp)
    words += ["--ro-bind", "/usr", "/usr", *_system(), "--proc", "/proc", "--dev", "/dev"]
    for place in ("/tmp", "/dev/shm"):
        words += ["--perms", "1777", "--size", str(_TEMPORARY), "--tmpfs", place]
    words += _folders(in_tmp)
    for path in shown:
        words += ["--ro-bind", path, path]
    for path in read:
        words += ["--ro-bind-try", path, path]
    for path in own:
        words += ["--bind", path, path]
    words += ["--remount-ro", "/", "--chdir", "/", "--", setpriv]
    words += ["--reuid", str(found.pw_uid)]
    words += ["--regid", str(found.pw_gid), "--clear-groups", "--no-new-privs"]
    words += ["--inh-caps=-all", "--bounding-set=-all", "--"]
    # Only the account may enter its home: it goes there once it is itself.
    return [*words, "env", "-C", str(account.home), *argv]


def environment(account: Account) -> dict[str, str]:
    """Give the variables of a command run as an account: nothing of the caller's."""
    language = {
        name: value
        for name, value in os.environ.items()
        if name in ("LANG", "LANGUAGE", "TZ") or name.startswith("LC_")
    }
    return {
        "LANG": "C.UTF-8",
        **language,
        "HOME": str(account.home),
        "USER": account.user,
        "LOGNAME": account.user,
        "SHELL": shutil.which("bash") or "/bin/sh",
        "PATH": search_path(),
        "PYTHONPATH": packages(),
        "TMPDIR": "/tmp",
    }


def search_path() -> str:
    """Give where commands are found: this Python's, then the system's."""
    folders = [str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]
    return os.pathsep.join(folders)


def packages() -> str:
    """Give the folder from which this very package is imported."""
    return str(PACKAGE.parent)


def run(
    workshop: Workshop,
    account: Account,
    argv: Sequence[str],
    extra: Mapping[str, str] | None = None,
    seconds: float = _TRIAL_SECONDS,
) -> "subprocess.CompletedProcess[str]":
    """Run a command as an account, in its view of the machine, and wait for it.

    Where seats are not separated, it runs as the present account, with its home alone changed.

    Raises:
        WorkshopError: it cannot start, or takes longer than `seconds`.
    """
    words = command(workshop, account, argv) if workshop.separated else list(argv)
    try:
        return subprocess.run(
            words,
            env={**environment(account), **(extra or {})},
            cwd="/" if workshop.separated else account.home,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WorkshopError(
            f"Le compte « {account.user} » n'a pas pu lancer « {Path(argv[0]).name} » : {error}."
        ) from None


def refusal(workshop: Workshop, account: Account) -> str | None:
    """Try a Python as an account; say in French why it does not start, or None."""
    trial = run(workshop, account, [sys.executable, "-c", _TRIAL])
    if trial.returncode == 0:
        return None
    said = (trial.stderr.strip().splitlines() or [f"code {trial.returncode}"])[-1]
    if any(word in said.lower() for word in ("namespace", "not permitted", "no permissions")):
        return (
            f"bubblewrap ne peut pas séparer les places ici : « {said} ». Dans un conteneur, "
            "demandez à qui l'administre le droit de monter des disques (CAP_SYS_ADMIN). Sinon, "
            "ajoutez « --places-non-separees »."
        )
    return (
        f"Le serveur d'une place ne démarre pas : « {said} ». Vérifiez l'installation "
        "(« make env »), puis relancez."
    )


_TRIAL = """
import os
assert os.getuid() > 0 and os.access(".", os.W_OK)
import culture_d.workshop.model, importlib.util
for name in ("jupyterhub", "jupyterlab", "nbgrader", "ipykernel"):
    assert importlib.util.find_spec(name), name + " est introuvable"
"""


def _folders(paths: Collection[str]) -> list[str]:
    return [word for path in sorted(paths) for word in ("--perms", "0755", "--dir", path)]


def _system() -> list[str]:
    words = ["--ro-bind", "/etc", "/etc"]
    for place in map(Path, _SYSTEM):
        if place.is_symlink():
            words += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            words += ["--ro-bind", str(place), str(place)]
    for path in _NAMES:
        words += ["--ro-bind-try", path, path]
    return words


def _shown() -> list[str]:
    """List the folders of Python and of the package, outside of the system's, outermost first."""
    prefix = Path(sys.prefix)
    wanted = {sys.base_prefix, sys.base_exec_prefix, str(prefix), str(prefix.resolve())}
    link = prefix / "bin" / Path(sys.executable).name
    while link.is_symlink():
        link = link.parent / link.readlink()
        wanted.add(os.path.normpath(link.parent.parent))
    wanted |= {path for path in sys.path if Path(path).name.endswith("-packages")}
    wanted.add(str(PACKAGE))
    if (CHECKOUT / "_config.yml").exists():
        wanted |= {str(CHECKOUT / name) for name in _PUBLIC}
    wanted |= {str(Path(path).resolve()) for path in wanted}
    shown: list[str] = []
    for path in sorted(wanted, key=len):
        covered = any(PurePosixPath(path).is_relative_to(known) for known in ("/usr", *shown))
        if path not in ("", "/") and not covered and Path(path).exists():
            shown.append(path)
    return shown
