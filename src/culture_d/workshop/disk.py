"""What the seats hold of the disk, and when there is too little left of it.

A seat has no share of the disk: that takes quotas of the file system, which the machine's
owner sets. Here, no single file grows beyond `SeatLimits.file_size`, the biggest seats are
named before the disk is full, and nothing new starts on a disk that nearly is: what is
open can then still be saved.
"""

import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from culture_d.errors import WorkshopError
from culture_d.workshop.model import MEBIBYTE
from culture_d.workshop.needs import size

FLOOR = 512 * MEBIBYTE
"""Below, nothing new starts (bytes)."""
LOW = 2048 * MEBIBYTE
"""Below, the biggest seats are named (bytes)."""
_NAMED = 3


def used(folder: Path) -> int:
    """Count the bytes that a folder takes on the disk; links are not followed."""
    seen: set[tuple[int, int]] = set()
    total = 0
    for status in _all(folder):
        # A file under two names takes its place once.
        if (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            total += status.st_blocks * 512
    return total


def free(folder: Path) -> int:
    """Count the bytes left on the disk of a folder that may not exist yet."""
    place = next(one for one in (folder, *folder.parents) if one.exists())
    return shutil.disk_usage(place).free


def check(folder: Path) -> None:
    """Check that the disk is not nearly full.

    Raises:
        WorkshopError: it is.
    """
    left = free(folder)
    if left < FLOOR:
        raise WorkshopError(
            f"Le disque de l'atelier n'a plus que {size(left)} de libre : il en faut {size(FLOOR)} "
            "pour commencer quoi que ce soit. « culture-d atelier etat » montre ce que tient chaque "
            "place. Faites de la place, puis relancez : rien n'est perdu."
        )


def remarks(left: int, held: Mapping[str, int]) -> Iterator[str]:
    """Say in French that the disk fills, and which seats hold most of it.

    Args:
        left: bytes free.
        held: bytes of each seat, by name.
    """
    if left < LOW:
        most = sorted(held, key=lambda name: held[name], reverse=True)[:_NAMED]
        named = ", ".join(f"{name} ({size(held[name])})" for name in most)
        yield (
            f"Attention : le disque n'a plus que {size(left)} de libre. Les plus grosses places : "
            f"{named}. Sous {size(FLOOR)}, plus rien ne démarre."
        )


def _all(folder: Path) -> Iterator[os.stat_result]:
    for path, folders, files in os.walk(folder):
        for name in (*folders, *files):
            try:
                yield os.lstat(os.path.join(path, name))  # noqa: PTH118
            except OSError:
                continue  # removed meanwhile
