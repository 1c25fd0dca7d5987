"""Keeps the work of each seat: one ZIP each, read back before anything is removed.

What is kept: every file of the home. What is not: hidden files and folders (settings,
caches, checkpoints), `__pycache__`, links, pipes and sockets.
"""

import errno
import os
import stat
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from culture_d.errors import WorkshopError, reason

_CHUNK = 1024 * 1024
_FIRST_YEAR = 1980


@dataclass(frozen=True)
class Kept:
    """An archive that was written and read back."""

    path: Path
    files: int
    size: int
    """Bytes of the files, before compression."""
    unread: tuple[str, ...] = ()
    """Files that could not be read, by name."""


def archive(home: Path, target: Path) -> Kept:
    """Write the archive of a home, whole or not at all.

    Args:
        home: its owner's programs must be stopped.
        target: the ZIP file.

    Raises:
        WorkshopError: it cannot be written, or does not read back.
    """
    partial = target.with_name(target.name + ".partiel")
    expected: dict[str, int] = {}
    unread: list[str] = []
    try:
        with (
            os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as out,
            zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as into,
        ):
            for path, full in _files(os.fsencode(home), b""):
                name = _shown(path, expected)
                try:
                    expected[name] = _add(into, full, name)
                except OSError as error:
                    if error.errno == errno.ENOSPC:
                        raise
                    unread.append(name)
        _read_back(partial, expected)
        partial.replace(target)
    except OSError as error:
        raise WorkshopError(
            f"L'archive « {target} » n'a pas pu être écrite : {reason(error)}. Rien n'a été "
            "supprimé. Faites de la place ou donnez un autre dossier (--archives), puis relancez."
        ) from None
    finally:
        partial.unlink(missing_ok=True)
    return Kept(target, len(expected), sum(expected.values()), tuple(unread))


def _files(root: bytes, within: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give each file to keep: its path within the home, and its full path."""
    try:
        entries = sorted(os.scandir(os.path.join(root, within)), key=lambda one: one.name)  # noqa: PTH118
    except OSError:
        return
    for entry in entries:
        if entry.name.startswith(b".") or entry.name == b"__pycache__":
            continue
        path = os.path.join(within, entry.name)  # noqa: PTH118
        if entry.is_dir(follow_symlinks=False):
            yield from _files(root, path)
        elif entry.is_file(follow_symlinks=False):
            yield path, entry.path


def _shown(path: bytes, taken: dict[str, int]) -> str:
    """Name a file in the archive; a name in another encoding is shown byte by byte."""
    name = path.decode("utf-8", "backslashreplace")
    while name in taken:
        name += "_"
    return name


def _add(into: zipfile.ZipFile, path: bytes, name: str) -> int:
    """Copy one file into the archive, and return its size."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as source:
        found = os.fstat(source.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise OSError(0, "not a file")
        moment = time.localtime(found.st_mtime)[:6]
        if moment[0] < _FIRST_YEAR:
            moment = (_FIRST_YEAR, 1, 1, 0, 0, 0)
        info = zipfile.ZipInfo(name, moment)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o644 << 16
        size = 0
        with into.open(info, "w", force_zip64=True) as out:
            while chunk := source.read(_CHUNK):
                out.write(chunk)
                size += len(chunk)
    return size


def _read_back(path: Path, expected: dict[str, int]) -> None:
    """Read the archive whole: every file is there, of its size, and its digest agrees."""
    try:
        with zipfile.ZipFile(path) as written:
            bad = written.testzip()
            found = {one.filename: one.file_size for one in written.infolist()}
    except zipfile.BadZipFile as error:
        bad, found = str(error), {}
    if bad or found != expected:
        raise WorkshopError(
            f"L'archive « {path} » ne se relit pas{f' ({bad})' if bad else ''} : rien n'a été "
            "supprimé. Vérifiez le disque, puis relancez."
        )
