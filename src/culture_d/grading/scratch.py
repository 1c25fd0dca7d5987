"""Folders for one submission, that no death of the grader leaves behind.

Each is named for what it is and holds a lock for as long as its process lives: the
next run removes those whose lock nobody holds.
"""

import contextlib
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

PREFIX = "culture-d-note-"
LOCK = "verrou"
# A socket's path is limited to some 100 bytes; ours end in « /n-5 ».
MAX_SOCKET_FOLDER = 90
# A folder without its lock yet is being made; after this long, its maker was killed.
_BEING_MADE_SECONDS = 600


def _place() -> Path:
    """Give the folder of temporary files, or /tmp where its name is too long for a socket."""
    place = Path(tempfile.gettempdir()).resolve()
    room = MAX_SOCKET_FOLDER - len(PREFIX) - 10
    return place if len(os.fsencode(place)) <= room else Path("/tmp")


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty folder of this process alone; it is removed at the end.

    Raises:
        OSError: the disk is full, or the folder of temporary files cannot be written.
    """
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=_place()))
    lock = os.open(folder / f".{LOCK}", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (folder / f".{LOCK}").rename(folder / LOCK)
        yield folder
    finally:
        remove(folder)
        os.close(lock)


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
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()


def _is_abandoned(folder: Path) -> bool:
    if not (folder / LOCK).exists():
        return time.time() - folder.lstat().st_mtime > _BEING_MADE_SECONDS
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(lock)
    return True
