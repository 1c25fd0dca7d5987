"""Folders for one submission, that no death of the grader leaves behind.

Each is named for what it is and holds a lock for as long as its process lives: the
next run removes those whose lock nobody holds.
"""

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "culture-d-note-"
LOCK = "verrou"
# A socket's path is limited to some 100 bytes; ours end in « /n-5 ».
MAX_SOCKET_FOLDER = 90
# A folder as new as this may not have its lock yet.
_BEING_MADE_SECONDS = 5


def _place() -> Path:
    """Give the folder of temporary files, or /tmp where its name is too long for a socket."""
    place = Path(tempfile.gettempdir()).resolve()
    room = MAX_SOCKET_FOLDER - len(PREFIX) - 10
    short = os.name == "nt" or len(os.fsencode(place)) <= room
    return place if short else Path("/tmp")


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty folder of this process alone; it is removed at the end.

    Raises:
        OSError: the disk is full, or the folder of temporary files cannot be written.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_place()))
    lock = FileLock(folder / LOCK)
    try:
        with lock:
            yield folder
            # Before the lock is let go, as far as the system allows.
            remove(folder)
    finally:
        remove(folder)


def sweep() -> int:
    """Remove the folders of graders that were killed, and return how many there were."""
    removed = 0
    for folder in _place().glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if _is_ours(folder) and _is_abandoned(folder):
                remove(folder)
                removed += 1
    return removed


def remove(folder: Path) -> None:
    """Remove a folder and all it holds, also what was made read-only."""

    def insist(remove_one: Callable[[str], object], path: str, error: object) -> None:
        with contextlib.suppress(OSError):
            Path(path).parent.chmod(0o700)
            remove_one(path)

    shutil.rmtree(folder, onerror=insist)


def _is_ours(folder: Path) -> bool:
    status = folder.lstat()
    own = not hasattr(os, "getuid") or status.st_uid == os.getuid()
    return stat.S_ISDIR(status.st_mode) and own


def _is_abandoned(folder: Path) -> bool:
    if time.time() - folder.lstat().st_mtime < _BEING_MADE_SECONDS:
        return False
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    lock.release()
    return True
