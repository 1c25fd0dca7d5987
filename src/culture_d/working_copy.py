"""A learner's or trainer's own copy of the notebooks and data.

Made and refreshed without ever writing over a file that its owner has changed.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from culture_d.errors import WorkingCopyError
from culture_d.project import Project

RECORD = Path(".culture-d") / "copie.json"
SETTINGS = Path(".culture-d") / "reglages"
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
    that one is put beside it, with « .nouvelle-version » in its name.

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
    for count, source in enumerate(sources, start=1):
        relative = source.relative_to(project.root)
        digest = _digest(source)
        if _place(source, folder / relative, digest, delivered.get(relative.as_posix()), report):
            delivered[relative.as_posix()] = digest
        if progress:
            progress(count, len(sources))
    _write(folder / RECORD, json.dumps(delivered, indent=1).encode())
    _french_interface(folder)
    return report


def _place(source: Path, target: Path, digest: str, before: str | None, report: CopyReport) -> bool:
    """Deal with one file; return whether the copy now holds the course's version."""
    if not target.exists():
        _write(target, source.read_bytes())
        report.added.append(target)
        return True
    found = _digest(target)
    if found == digest:
        return True
    if before is not None and found == before:
        _write(target, source.read_bytes())
        report.updated.append(target)
        return True
    report.kept.append(target)
    if before != digest:
        beside = target.with_name(f"{target.stem}{NEW_VERSION}{target.suffix}")
        if not beside.exists() or _digest(beside) != digest:
            _write(beside, source.read_bytes())
            report.offered.append(beside)
    return False


def _sources(project: Project) -> Iterator[Path]:
    for path in sorted(project.notebooks.rglob("*.ipynb")):
        if ".ipynb_checkpoints" not in path.parts:
            yield path
    for path in sorted(project.datasets.rglob("*")):
        if path.is_file() and path.suffix != ".py" and "__pycache__" not in path.parts:
            yield path


def _check_place(project: Project, folder: Path) -> None:
    resolved = folder.resolve()
    if resolved == project.root or resolved.is_relative_to(project.notebooks):
        raise WorkingCopyError(
            f"« {folder} » est le cours lui-même. Donnez un autre dossier, par exemple "
            "« culture-d lab ~/culture-d »."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise WorkingCopyError(f"« {folder} » est un fichier : donnez un dossier.") from None
    except OSError as error:
        raise WorkingCopyError(
            f"Le dossier « {folder} » ne peut pas être créé ({error.strerror})."
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
    """Ask JupyterLab for its French words, unless its user chose otherwise."""
    choice = (
        folder / SETTINGS / "@jupyterlab" / "translation-extension" / "plugin.jupyterlab-settings"
    )
    if not choice.exists():
        _write(choice, json.dumps({"locale": "fr_FR"}).encode())


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _write(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".partiel")
    partial.write_bytes(content)
    partial.replace(path)
