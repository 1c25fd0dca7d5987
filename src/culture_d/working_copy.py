"""A learner's or trainer's own copy of the notebooks and data.

Made and refreshed without ever writing over a file that its owner has changed.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path

from culture_d.errors import WorkingCopyError, reason
from culture_d.project import Project

RECORD = Path(".culture-d") / "copie.json"
SETTINGS = Path(".culture-d") / "reglages"
CONFIG = Path(".culture-d") / "config"
NEW_VERSION = ".nouvelle-version"


@dataclass
class CopyReport:
    """What was done with each file, by path from the copy's folder."""

    added: list[Path] = field(default_factory=list)
    updated: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)
    offered: list[Path] = field(default_factory=list)


def make_working_copy(
    project: Project, folder: Path, progress: Callable[[int, int], None] | None = None
) -> CopyReport:
    """Copy the notebooks and data into `folder`, or bring an earlier copy up to date.

    A file that its owner changed is kept; when the course has a newer version of it,
    that one is put beside it, with « .nouvelle-version » in its name. An offered file
    belongs to its owner too: once changed, the next one is « .nouvelle-version-2 ».

    Args:
        project: the course.
        folder: where; made if need be.
        progress: called with files done and files in all.

    Raises:
        WorkingCopyError: the folder cannot be used.
    """
    _check_place(project, folder)
    delivered = _read_record(folder)
    report = CopyReport()
    sources = list(_sources(project))
    for done, source in enumerate(sources, start=1):
        name = source.relative_to(project.root).as_posix()
        before = dict(delivered)
        _place(source, folder, name, delivered, report)
        if delivered != before:
            _write(folder / RECORD, json.dumps(delivered, indent=1).encode())
        if progress:
            progress(done, len(sources))
    _french_interface(folder)
    return report


def _place(
    source: Path, folder: Path, name: str, delivered: dict[str, str], report: CopyReport
) -> None:
    """Deal with one file, and say in `delivered` what the copy now holds of ours."""
    target = folder / name
    digest = _digest(source)
    found = _found(target)
    if found is None:
        _write(target, source.read_bytes())
        report.added.append(target)
    elif found not in (digest, delivered.get(name)):
        report.kept.append(target)
        if delivered.get(name) != digest:
            _offer(source, folder, name, delivered, report)
        return
    elif found != digest:
        _write(target, source.read_bytes())
        report.updated.append(target)
    delivered[name] = digest


def _offer(
    source: Path, folder: Path, name: str, delivered: dict[str, str], report: CopyReport
) -> None:
    """Put the course's version beside a changed file, over nothing that its owner wrote."""
    digest = _digest(source)
    path = Path(name)
    names = (
        path.with_name(f"{path.stem}{NEW_VERSION}{rank}{path.suffix}").as_posix()
        for rank in chain([""], (f"-{number}" for number in count(2)))
    )
    for beside in names:
        found = _found(folder / beside)
        if delivered.get(beside) == digest or found == digest:
            # Offered already: perhaps changed or deleted since, by choice.
            delivered[beside] = digest
            return
        if found is None or found == delivered.get(beside):
            _write(folder / beside, source.read_bytes())
            report.offered.append(folder / beside)
            delivered[beside] = digest
            return


def _sources(project: Project) -> Iterator[Path]:
    for path in sorted(project.notebooks.rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            yield path
    for path in sorted(project.datasets.rglob("*")):
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts:
            yield path


def _check_place(project: Project, folder: Path) -> None:
    if folder.resolve().is_relative_to(project.root.resolve()):
        raise WorkingCopyError(
            f"« {folder} » est le cours lui-même, ou l'un de ses dossiers. Donnez un dossier "
            "ailleurs, par exemple « culture-d lab ~/culture-d »."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise WorkingCopyError(f"« {folder} » est un fichier : donnez un dossier.") from None
    except OSError as error:
        raise WorkingCopyError(
            f"Le dossier « {folder} » ne peut pas être créé : {reason(error)}."
        ) from None
    needed = sum(path.stat().st_size for path in _sources(project))
    if shutil.disk_usage(folder).free < needed * 2:
        raise WorkingCopyError(f"Il n'y a plus assez de place sur le disque de « {folder} ».")


def _read_record(folder: Path) -> dict[str, str]:
    """Read what was delivered before; an unreadable record protects every file."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _french_interface(folder: Path) -> None:
    """Give JupyterLab French words and the reader's tools, unless its user chose otherwise.

    nbgrader's authoring buttons are for who writes exercises; the news of Jupyter
    would be fetched from another host.
    """
    for place, content in {
        SETTINGS / "@jupyterlab/translation-extension/plugin.jupyterlab-settings": {
            "locale": "fr_FR"
        },
        SETTINGS / "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
            "fetchNews": "false",
            "checkForUpdates": False,
        },
        CONFIG / "labconfig/page_config.json": {"disabledExtensions": {"@jupyter/nbgrader": True}},
        CONFIG / "jupyter_server_config.json": {
            "ServerApp": {
                "jpserver_extensions": {
                    f"nbgrader.server_extensions.{name}": False
                    for name in (
                        "formgrader",
                        "validate_assignment",
                        "assignment_list",
                        "course_list",
                    )
                },
                "log_level": "ERROR",
            }
        },
    }.items():
        if not (folder / place).exists():
            _write(folder / place, json.dumps(content, indent=1).encode())


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _found(path: Path) -> str | None:
    """Digest of a file of the copy, or None where there is nothing."""
    if path.is_dir():
        raise WorkingCopyError(
            f"« {path} » est un dossier, là où la copie a besoin d'un fichier. Renommez-le, puis "
            "relancez la commande."
        )
    return _digest(path) if path.exists() else None


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    partial = path.with_name(path.name + ".partiel")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise WorkingCopyError(f"« {path} » ne peut pas être écrit : {reason(error)}.") from None
    finally:
        with suppress(OSError):
            partial.unlink()
