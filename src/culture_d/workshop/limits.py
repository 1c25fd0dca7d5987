"""What a seat may take of the machine: memory and files in bytes, processes.

Two means, one within the other:

- for each process, `setrlimit`: it works everywhere. Memory is RLIMIT_DATA (what a process
  writes): a cell that asks for more gets a MemoryError, and the seat goes on. Processes
  are RLIMIT_NPROC, counted by the kernel for the seat's account over all its sessions.
  A file is RLIMIT_FSIZE: a cell that writes a larger one gets an OSError;
- for the seat as a whole, a control group, where the machine lets us make one: version 2
  (memory.max, pids.max), or version 1. Without it, a seat's processes may together hold
  more than its share, each within its own limit.
"""

import contextlib
import os
import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from culture_d.workshop.model import SeatLimits

CGROUPS = Path("/sys/fs/cgroup")
_PARENT = "culture-d"


@dataclass(frozen=True)
class Group:
    """A control group of one seat: one folder (version 2), or one a controller (version 1)."""

    folders: tuple[Path, ...]

    def enter(self) -> None:
        """Put the present process, and what it will start, in the group."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(os.getpid()))

    def remove(self) -> None:
        """Remove the group, when nothing runs in it."""
        for folder in self.folders:
            with contextlib.suppress(OSError):
                folder.rmdir()


def make_group(workshop: str, seat: str, limits: SeatLimits, root: Path = CGROUPS) -> Group | None:
    """Make the control group of a seat, or bring it up to its limits; None where it cannot be.

    Args:
        workshop: name of the workshop.
        seat: name of the unix account.
        limits: of the seat.
        root: where the machine shows its groups.
    """
    name = Path(_PARENT) / workshop / seat
    try:
        if (root / "cgroup.controllers").exists():
            return _version_2(root, name, limits)
        if (root / "memory").is_dir() and (root / "pids").is_dir():
            return _version_1(root, name, limits)
    except OSError:
        pass
    return None


def _version_2(root: Path, name: Path, limits: SeatLimits) -> Group:
    folder = root
    for part in name.parts:
        (folder / "cgroup.subtree_control").write_text("+memory +pids")
        folder = folder / part
        folder.mkdir(exist_ok=True)
    (folder / "memory.max").write_text(str(limits.memory))
    (folder / "pids.max").write_text(str(limits.processes))
    with contextlib.suppress(OSError):  # a kernel without swap accounting has no such file
        (folder / "memory.swap.max").write_text("0")
    return Group((folder,))


def _version_1(root: Path, name: Path, limits: SeatLimits) -> Group:
    memory, pids = root / "memory" / name, root / "pids" / name
    for folder in (memory, pids):
        folder.mkdir(parents=True, exist_ok=True)
    (memory / "memory.limit_in_bytes").write_text(str(limits.memory))
    (pids / "pids.max").write_text(str(limits.processes))
    return Group((memory, pids))


def has_groups(workshop: str, root: Path = CGROUPS) -> bool:
    """Whether the seats of a workshop have control groups here."""
    return any((base / _PARENT / workshop).is_dir() for base in (root, root / "memory"))


def remove_groups(workshop: str, root: Path = CGROUPS) -> None:
    """Remove the groups of a workshop, when nothing runs in them."""
    for base in (root, root / "memory", root / "pids"):
        folder = base / _PARENT / workshop
        with contextlib.suppress(OSError):
            for seat in folder.iterdir():
                if seat.is_dir():
                    seat.rmdir()
            folder.rmdir()


def taker(limits: SeatLimits, group: Group | None, own_account: bool) -> Callable[[], None]:
    """Give what a process calls on itself, before it becomes a seat's server.

    Args:
        limits: of the seat.
        group: its control group, if there is one.
        own_account: whether the unix account is the seat's alone: else its processes are
            not counted, for those of the whole account would be.
    """

    def take() -> None:
        if group:
            group.enter()
        lower(resource.RLIMIT_DATA, limits.memory)
        lower(resource.RLIMIT_CORE, 0)
        lower(resource.RLIMIT_FSIZE, limits.file_size)
        if own_account:
            lower(resource.RLIMIT_NPROC, limits.processes)

    return take


def lower(which: int, value: int) -> None:
    """Set a limit of this process, never above the one it already has."""
    _, most = resource.getrlimit(which)
    value = value if most == resource.RLIM_INFINITY else min(value, most)
    resource.setrlimit(which, (value, value))
