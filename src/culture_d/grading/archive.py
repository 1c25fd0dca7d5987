"""List and read what was handed in, from a folder or an archive, as data only.

Nothing is written, unpacked on disk, followed or run. A name that leads elsewhere, a link,
a device, an encrypted or damaged entry is listed with what is wrong with it: the entry is
its learner's alone. Only an archive that cannot be listed at all is an error.
"""

import bz2
import gzip
import io
import lzma
import os
import re
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from culture_d.errors import IntakeError, reason
from culture_d.grading.model import MEBIBYTE
from culture_d.grading.plain_notebook import MAX_FILE, is_notebook

MAX_ENTRIES = 500_000
MAX_NESTED_ENTRIES = 5_000
MAX_NESTED = 64 * MEBIBYTE
"""What a compressed TAR of a learner may hold, headers included."""
MAX_UNPACKED = 8 * 1024 * MEBIBYTE
MAX_DEPTH = 20
MAX_NAME = 200
_LONGEST_NAME = 255
"""Bytes of a name that a disk takes: one that was not in UTF-8 may have grown."""
MAX_PATH = 1000
SUSPECT_SIZE = 10 * MAX_FILE
SUSPECT_RATIO = 200
"""A bomb shrinks to a thousandth; so does a line printed a million times, but it is smaller."""
ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz")

_CHUNK = MEBIBYTE
_CENTRAL = b"PK\x01\x02"
_LOCAL_HEADER = 30
"""Bytes of the shortest header of an entry, without its name."""
_UTF8_NAME = 0x800
_ENCRYPTED = 0x1
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2}
_UNSHOWN = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
# They may reverse what is shown; telephones and Arabic keyboards also add them to honest names.
_DIRECTIONS = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_DRIVE = re.compile(r"[A-Za-z]:(?! )")
_JUNK = {"__MACOSX", "__pycache__", "node_modules", "venv", "Thumbs.db", "desktop.ini"}
_DAMAGE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    LookupError,
    struct.error,
    gzip.BadGzipFile,
)


class BadEntry(Exception):
    """An entry that must not, or cannot, be read; the message says why, in French."""


@dataclass(frozen=True)
class Entry:
    """One file that was handed in."""

    path: tuple[str, ...]
    """Its folders and its name; only what of it is safe, when `problem` says the name is not."""
    read: Callable[[int], bytes]
    """Give the bytes, at most so many; raises BadEntry."""
    size: int = 0
    """As it is announced: not to be believed."""
    date: tuple[int, ...] | None = None
    """When an archive says it was last changed."""
    problem: str = ""
    """Why it must not be read, in French; empty when it may be tried."""
    hostile: bool = False
    """Whether `problem` is one that no honest archive has."""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path[-1] if self.path else ""

    @property
    def shown(self) -> str:
        """Its path, for a message."""
        return "/".join(self.path)


@contextmanager
def open_source(source: Path) -> Iterator[tuple[Entry, ...]]:
    """List a folder, a ZIP, a TAR or one file; entries can be read within the context.

    Raises:
        IntakeError: the source is not there, or cannot be listed.
    """
    with ExitStack() as opened:
        yield _listed(source, opened)


def entries_of(data: bytes) -> tuple[Entry, ...]:
    """List an archive found inside a submission.

    Raises:
        BadEntry: it cannot be listed, or holds too many entries.
    """
    if data.count(_CENTRAL) > MAX_NESTED_ENTRIES:
        raise BadEntry("l'archive contient trop de fichiers")
    file = io.BytesIO(data)
    try:
        if zipfile.is_zipfile(file):
            return tuple(_zip(zipfile.ZipFile(file)))
        if _is_tar(data):
            return tuple(_tar(file, MAX_NESTED))
    except (*_DAMAGE, OSError):
        raise BadEntry("l'archive est abîmée ou tronquée") from None
    raise BadEntry("l'archive est abîmée, tronquée ou d'un format inconnu")


def is_archive(name: str) -> bool:
    """Tell from its name whether a file is an archive that can be opened."""
    return name.lower().endswith(ARCHIVES)


def is_junk(path: Sequence[str]) -> bool:
    """Tell what systems and editors leave behind: hidden files, caches, environments."""
    *folders, name = path
    # A notebook saved without a name, or under one that begins with a dot, is somebody's work;
    # « ._ » is what macOS writes beside a file, « .~ » what Jupyter writes while it saves.
    notebook = is_notebook(name) and not name.startswith(("._", ".~"))
    hidden = name.startswith(".") and not notebook
    return hidden or name in _JUNK or any(part.startswith(".") or part in _JUNK for part in folders)


def _listed(source: Path, opened: ExitStack) -> tuple[Entry, ...]:
    try:
        if source.is_dir():
            return tuple(_folder(source))
        entries = tuple(_of_file(opened.enter_context(source.open("rb")), source, opened))
    except _DAMAGE:
        raise IntakeError(
            f"L'archive « {source} » est abîmée ou tronquée : sa liste de fichiers ne se lit pas. "
            "Téléchargez-la de nouveau depuis la plateforme."
        ) from None
    except BadEntry as error:
        raise IntakeError(f"« {source} » est refusée : {error}.") from None
    except OSError as error:
        raise IntakeError(
            f"« {source} » ne peut pas être lu : {reason(error)}. "
            "Donnez le dossier « submitted », un dossier de notebooks ou l'archive de la plateforme."
        ) from None
    if len(entries) > MAX_ENTRIES:
        raise IntakeError(
            f"L'archive « {source} » contient {len(entries)} fichiers, pour {MAX_ENTRIES} au plus. "
            "Séparez-la en plusieurs archives."
        )
    return entries


def _of_file(file: IO[bytes], source: Path, opened: ExitStack) -> Iterable[Entry]:
    head = file.read(600)
    file.seek(0)
    if head[:2] == b"PK" or zipfile.is_zipfile(file):
        return _zip(opened.enter_context(zipfile.ZipFile(file)))
    if _is_tar(head):
        return _tar(file, MAX_UNPACKED)
    return (_single(source),)


def _single(source: Path) -> Entry:
    found = source.stat()
    return Entry((_shown_name(source.name),), _from_disk(source.resolve()), found.st_size)


def _folder(root: Path) -> Iterator[Entry]:
    """List a folder in order, without following any link."""
    found = []
    for path, item, trouble in _walk(root):
        try:
            if trouble is not None:
                raise trouble
            found.append((path, item.path, item.stat(follow_symlinks=False)))
        except OSError as error:
            yield Entry(path, _never, problem=f"il ne se lit pas ({reason(error)})")
        if len(found) > MAX_ENTRIES:
            raise BadEntry(f"le dossier contient plus de {MAX_ENTRIES} fichiers")
    links = Counter((status.st_dev, status.st_ino) for _, _, status in found)
    for path, place, status in sorted(found, key=lambda one: one[0]):
        outside = status.st_nlink > links[status.st_dev, status.st_ino]
        problem = _not_a_file(status.st_mode, outside)
        if not problem and any(_UNSHOWN.search(part) for part in path):
            problem = "son nom contient des caractères de contrôle"
        if not problem and any(len(part.encode()) > _LONGEST_NAME for part in path):
            problem = "son nom est trop long"
        path = tuple(_UNSHOWN.sub("\ufffd", part) for part in path)
        yield Entry(path, _from_disk(Path(place)), status.st_size, None, problem)


def _walk(root: Path) -> Iterator[tuple[tuple[str, ...], os.DirEntry[str], OSError | None]]:
    """Give what is in a folder and its folders, and those that cannot be listed."""
    waiting: list[tuple[tuple[str, ...], str]] = [((), str(root))]
    inside: dict[tuple[str, ...], os.DirEntry[str]] = {}
    while waiting:
        parents, folder = waiting.pop()
        try:
            with os.scandir(folder) as items:
                listed = sorted(items, key=lambda item: item.name)
        except OSError as error:
            if not parents:
                raise
            yield parents, inside[parents], error
            continue
        for item in listed:
            path = (*parents, _shown_name(item.name))
            if is_junk(path):
                continue
            if item.is_dir(follow_symlinks=False) and len(path) < MAX_DEPTH:
                inside[path] = item
                waiting.append((path, item.path))
            else:
                yield path, item, None


def _not_a_file(mode: int, outside: bool) -> str:
    if stat.S_ISLNK(mode):
        return "c'est un lien, qui n'est pas suivi"
    if stat.S_ISDIR(mode):
        return "le dossier est trop profond"
    if not stat.S_ISREG(mode):
        return "ce n'est pas un fichier ordinaire"
    return "c'est un lien vers un fichier d'ailleurs, qui n'est pas suivi" if outside else ""


def _never(_: int) -> bytes:
    raise BadEntry("il n'y a rien à lire")


def _from_disk(path: Path) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        flags |= getattr(os, "O_BINARY", 0)
        try:
            with os.fdopen(os.open(path, flags), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise BadEntry("ce n'est pas un fichier ordinaire")
                return _limited(file, limit)
        except OSError as error:
            raise BadEntry(f"le fichier ne se lit pas ({reason(error)})") from None

    return read


def _limited(file: IO[bytes], limit: int) -> bytes:
    """Read to the end, and no further than a byte beyond the limit."""
    pieces, total = [], 0
    while piece := file.read(min(_CHUNK, limit + 1 - total)):
        pieces.append(piece)
        total += len(piece)
        if total > limit:
            raise BadEntry(
                f"le fichier dépasse {limit // MEBIBYTE} Mo"
                if limit >= MEBIBYTE
                else "l'ensemble des fichiers est trop lourd"
            )
    return b"".join(pieces)


def _zip(archive: zipfile.ZipFile) -> Iterator[Entry]:
    files = [info for info in archive.infolist() if not info.is_dir()]
    overlapping = _overlapping(files)
    for info in files:
        path, problem = _path(_zip_name(info))
        if not problem and is_junk(path):
            continue
        kind = stat.S_IFMT(info.external_attr >> 16)
        if kind == stat.S_IFDIR:
            continue
        if not problem and kind not in (0, stat.S_IFREG):
            problem = "c'est un lien, ou un fichier qui n'est pas ordinaire"
        hostile = bool(problem)
        if not problem and (info.header_offset in overlapping or _swells(info)):
            problem, hostile = "l'archive est piégée : elle gonfle à l'ouverture", True
        if not problem and info.flag_bits & _ENCRYPTED:
            problem = "l'archive est protégée par un mot de passe"
        if not problem and info.compress_type not in _METHODS:
            problem = "l'archive est compressée d'une manière inconnue"
        yield Entry(
            path, _from_zip(archive, info), info.file_size, info.date_time, problem, hostile
        )


def _zip_name(info: zipfile.ZipInfo) -> str:
    """Give the name of an entry; without the mark of UTF-8, as macOS or Windows wrote it."""
    name = info.orig_filename
    if info.flag_bits & _UTF8_NAME:
        return name
    try:
        raw = name.encode("cp437")
    except UnicodeEncodeError:
        return name
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp850", "replace")


def _overlapping(files: Iterable[zipfile.ZipInfo]) -> set[int]:
    """Find the entries that share bytes, as the bombs of D. Fifield do."""
    found: set[int] = set()
    end, last = -1, -1
    for info in sorted(files, key=lambda info: info.header_offset):
        if info.header_offset < end:
            found |= {last, info.header_offset}
        size = info.header_offset + _LOCAL_HEADER + info.compress_size
        if size > end:
            end, last = size, info.header_offset
    return found


def _swells(info: zipfile.ZipInfo) -> bool:
    return info.file_size > SUSPECT_SIZE and info.file_size > SUSPECT_RATIO * max(
        info.compress_size, 1
    )


def _from_zip(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        try:
            with archive.open(info) as file:
                return _limited(file, limit)
        except (*_DAMAGE, OSError):
            raise BadEntry("le fichier est abîmé dans l'archive") from None

    return read


def _is_tar(head: bytes) -> bool:
    return head[:3] in (b"\x1f\x8b\x08", b"BZh") or head[257:262] == b"ustar"


def _tar(file: IO[bytes], limit: int) -> Iterator[Entry]:
    """List a TAR, unpacked into one unnamed file: reading it backwards would start again."""
    unpacked = TemporaryFile()  # noqa: SIM115
    file.seek(0)
    head = file.read(3)
    file.seek(0)
    opened: IO[bytes] = file
    if head == b"\x1f\x8b\x08":
        opened = gzip.GzipFile(fileobj=file)  # type: ignore[assignment]
    elif head == b"BZh":
        opened = bz2.BZ2File(file)
    total = 0
    while piece := opened.read(_CHUNK):
        total += len(piece)
        if total > limit:
            raise BadEntry("l'archive est piégée : elle gonfle à l'ouverture")
        unpacked.write(piece)
    unpacked.seek(0)
    archive = tarfile.open(fileobj=_Bounded(unpacked), mode="r:")  # noqa: SIM115
    for number, member in enumerate(archive):
        if number > MAX_ENTRIES:
            raise BadEntry("l'archive contient trop de fichiers")
        if member.isdir():
            continue
        path, problem = _path(member.name)
        if not problem and is_junk(path):
            continue
        if not problem and (not member.isreg() or member.issparse()):
            problem = "c'est un lien, ou un fichier qui n'est pas ordinaire"
        date = (int(member.mtime),) if 0 <= member.mtime < 1 << 40 else None
        yield Entry(path, _from_tar(archive, member), member.size, date, problem, bool(problem))


class _Bounded(io.RawIOBase):
    """A file that gives no more at once than a header of a TAR can honestly need."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Read, at most a file of a learner and its padding."""
        if not 0 <= size <= MAX_FILE + _CHUNK:
            raise tarfile.ReadError("too large")
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Say where we are in the file."""
        return self._file.tell()


def _from_tar(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Callable[[int], bytes]:
    def read(limit: int) -> bytes:
        try:
            file = archive.extractfile(member)
            if file is None:
                raise BadEntry("ce n'est pas un fichier ordinaire")
            data = _limited(file, limit)
        except (*_DAMAGE, OSError):
            raise BadEntry("le fichier est abîmé dans l'archive") from None
        if len(data) != member.size:
            raise BadEntry("le fichier est tronqué dans l'archive")
        return data

    return read


def _path(name: str) -> tuple[tuple[str, ...], str]:
    """Split the name of an entry, and say what is wrong with it.

    When something is, the parts before it are still given: they say whose the entry is.
    """
    name = _composed(name.replace("\\", "/"))
    if name.startswith("/") or _DRIVE.match(name):
        return (), "son nom désigne un fichier de la machine, hors de l'archive"
    parts: list[str] = []
    for part in name.split("/"):
        if part == "..":
            return tuple(parts), "son nom sort du dossier rendu (« .. »)"
        if _UNSHOWN.search(part):
            return tuple(parts) or _safe(part), "son nom contient des caractères de contrôle"
        if len(part.encode()) > MAX_NAME:
            return tuple(parts) or _safe(part), "son nom est trop long"
        if part not in ("", "."):
            parts.append(part)
    if len(name.encode()) > MAX_PATH or len(parts) > MAX_DEPTH:
        return tuple(parts[:1]), "son chemin est trop long"
    return tuple(parts), "" if parts else "son nom est vide"


def _safe(part: str) -> tuple[str, ...]:
    """Keep of a first name what can be shown: a platform writes there whose the file is."""
    kept = _UNSHOWN.sub("\ufffd", part).encode()[:MAX_NAME].decode("utf-8", "ignore")
    return (kept,) if kept.strip(" .") else ()


def _composed(name: str) -> str:
    return unicodedata.normalize("NFC", _DIRECTIONS.sub("", name))


def _shown_name(name: str) -> str:
    """Give the name of a file; one that is not UTF-8 was most likely written by Windows."""
    try:
        name.encode()
    except UnicodeEncodeError:
        name = os.fsencode(name).decode("cp1252", "replace")
    return _composed(name)
