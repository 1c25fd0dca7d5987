"""A room for one learner's code: bubblewrap, without network, disk or neighbours.

What the room shows, and nothing else: the system and Python, read-only; the files of one
submission, in a small disk in memory; devices without content. It runs as nobody, in a
user namespace of its own, without any capability and without the right to make another
namespace. Its five sockets are opened by the grader and handed over as descriptors, so
no folder of the host is writable, or even visible, from within.

Run as root, bubblewrap would leave the learner's processes to root's own quotas (the
kernel exempts root from RLIMIT_NPROC): a first bubblewrap then shows the few folders
needed to the user nobody, who starts the room proper, as any user would.
"""

import asyncio
import contextlib
import functools
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from traitlets import Instance

from culture_d.errors import SandboxError
from culture_d.grading.model import MEBIBYTE, Limits

NOBODY = 65534
ENTRY = "/run/culture-d"
"""Where the room shows, read-only, what the grader put in for it."""
PLACE = "/devoir"
"""The learner's working folders are under it."""
HOME = "/tmp/eleve"
INSIDE = Path(__file__).with_name("inside.py")
CHANNELS = ("shell", "iopub", "stdin", "control", "hb")
MESSAGE_BYTES = 16 * MEBIBYTE
"""A larger message is not received: its socket is reconnected, and the message is lost."""
_QUEUED_MESSAGES = 16
SHARED_MEMORY = 16 * MEBIBYTE
_START_SECONDS = 20
_WATCH_SECONDS = 0.5
_INODE_BYTES = 1024
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_SETTINGS = (
    "/etc/alternatives",
    "/etc/fonts",
    "/etc/ld.so.cache",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/localtime",
    "/etc/mime.types",
    "/etc/timezone",
)
ACCOUNTS = {
    "passwd": f"nobody:x:{NOBODY}:{NOBODY}:nobody:{HOME}:/bin/sh\n",
    "group": f"nogroup:x:{NOBODY}:\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
REMEDY = (
    "Installez bubblewrap : « sudo apt-get install bubblewrap ». Sinon, ajoutez "
    "« --sans-isolation », si vous faites confiance à chaque copie."
)


def available() -> str | None:
    """Say in French why submissions cannot be isolated here, and the remedy; None if they can.

    Found by starting a room and looking at what it shows.
    """
    if sys.platform != "linux":
        return (
            "L'isolement des copies demande Linux et bubblewrap ; ce système est "
            f"« {sys.platform} ». Corrigez sur une machine Linux (ou dans WSL 2, sous Windows). "
            "Sinon, ajoutez « --sans-isolation », si vous faites confiance à chaque copie."
        )
    if not shutil.which("bwrap"):
        return f"L'isolement des copies demande bubblewrap, introuvable ici. {REMEDY}"
    if os.geteuid() == 0 and not shutil.which("setpriv"):
        return (
            "L'isolement des copies lancé par root demande la commande « setpriv », introuvable "
            "ici. Installez-la : « sudo apt-get install util-linux »."
        )
    try:
        with tempfile.TemporaryDirectory(prefix="culture-d-essai-") as folder:
            entry = Path(folder) / "entree"
            entry.mkdir()
            # The folder of a test holds nothing: those who may look into it learn nothing.
            Path(folder).chmod(0o755)
            write_accounts(entry)
            trial = subprocess.run(
                command([python_program(), "-c", _TRIAL.format(entry=str(entry))], entry, Limits()),
                env={},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_START_SECONDS,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"bubblewrap ne démarre pas : {error}. {REMEDY}"
    if trial.returncode == 0:
        return None
    said = (trial.stderr.strip().splitlines() or [f"code {trial.returncode}"])[-1]
    if any(
        word in said.lower() for word in ("namespace", "uid map", "no permissions", "not permitted")
    ):
        return (
            f"bubblewrap est installé, mais le système lui refuse d'isoler : « {said} ». "
            "Autorisez les espaces de noms utilisateur. Sous Ubuntu 24.04 : « sudo sysctl "
            "kernel.apparmor_restrict_unprivileged_userns=0 ». Sous Debian : « sudo sysctl "
            "kernel.unprivileged_userns_clone=1 ». Dans un conteneur, demandez-le à qui l'administre."
        )
    return f"bubblewrap est installé, mais l'essai échoue : « {said} ». Mettez-le à jour (0.8 ou plus)."


_TRIAL = """
import os, socket
assert os.getuid() == 65534 and os.getppid() == 1, "uid"
assert not os.path.exists({entry!r}) and not os.access("/", os.W_OK), "disk"
assert [name for _, name in socket.if_nameindex()] == ["lo"], "network"
"""


def command(
    argv: Sequence[str],
    entry: Path,
    limits: Limits,
    place: str = PLACE,
    protected: Mapping[str, Path] | None = None,
    own_bytes: int = 0,
    info: int | None = None,
) -> list[str]:
    """Give the command that runs `argv` in a room.

    Args:
        argv: the command to run, as the room will see it.
        entry: a folder of the host, shown read-only at `ENTRY`.
        limits: for the disk; the others are taken by `inside.py`.
        place: the working folder, a disk in memory of `limits.disk` bytes.
        protected: files (or folders) of the host shown read-only, by path within `place`.
        own_bytes: what the submission itself weighs, added to the disk.
        info: a descriptor to which bubblewrap writes the number of the room's first process.

    Raises:
        SandboxError: bubblewrap is not installed.
    """
    bwrap = shutil.which("bwrap")
    if not bwrap:
        raise SandboxError(f"bubblewrap est introuvable. {REMEDY}")
    shown = {**python_paths(), str(entry): ENTRY}
    files = {str(path): f"{place}/{name}" for name, path in (protected or {}).items()}
    room = [bwrap, "--unshare-all", "--unshare-user", "--uid", str(NOBODY), "--gid", str(NOBODY)]
    if "--disable-userns" in _options(bwrap):
        room += ["--disable-userns"]
    room += ["--cap-drop", "ALL", "--new-session", "--die-with-parent", "--hostname", "devoir"]
    room += ["--clearenv", *pairs("--setenv", environment())]
    room += [*system_options(), "--proc", "/proc", "--dev", "/dev"]
    room += _memory_disk("/dev/shm", SHARED_MEMORY) + _memory_disk("/tmp", limits.disk)
    room += _memory_disk(place, limits.disk + own_bytes)
    room += pairs("--ro-bind", {**shown, **files})
    for name in ACCOUNTS:
        room += ["--ro-bind", str(entry / name), f"/etc/{name}"]
    room += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", place]
    if os.geteuid() == 0:
        room = [*_shown_to_nobody(bwrap, [*shown, *files], info), *room]
    elif info is not None:
        room += ["--info-fd", str(info)]
    return [*room, "--", *argv]


def write_accounts(entry: Path) -> None:
    """Put in the entry of a room the few files of /etc that name its one user."""
    for name, text in ACCOUNTS.items():
        (entry / name).write_text(text, encoding="utf-8")


def _shown_to_nobody(bwrap: str, paths: Collection[str], info: int | None) -> list[str]:
    """Start as root a first room, where the user nobody finds what the second one needs.

    nobody may not enter /root or a private folder of /tmp, where Python or the files may be.
    """
    outer = [bwrap, "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    outer += ["--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    outer += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    # bubblewrap builds the room under /tmp; a new /proc asks that an older one be whole.
    outer += ["--perms", "1777", "--tmpfs", "/tmp"]
    parents = {str(up) for path in paths for up in PurePosixPath(path).parents}
    for parent in sorted((parents | {"/etc"}) - {"/", "/tmp"}):
        outer += ["--perms", "0755", "--dir", parent]
    outer += [*system_options(), "--dev-bind", "/dev", "/dev", "--bind", "/proc", "/proc"]
    outer += pairs("--ro-bind", {path: path for path in paths})
    outer += ["--remount-ro", "/", "--chdir", "/"]
    if info is not None:
        outer += ["--info-fd", str(info)]
    setpriv = shutil.which("setpriv") or "setpriv"
    change = ["--reuid", str(NOBODY), "--regid", str(NOBODY), "--clear-groups", "--no-new-privs"]
    return [*outer, "--", setpriv, *change, "--"]


def pairs(option: str, values: Mapping[str, str]) -> list[str]:
    """Repeat an option of bubblewrap that takes two words."""
    return [word for pair in values.items() for word in (option, *pair)]


def _memory_disk(place: str, size: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size), "--tmpfs", place]


@functools.cache
def _options(bwrap: str) -> str:
    return subprocess.run([bwrap, "--help"], capture_output=True, text=True).stdout


@functools.cache
def system_options() -> tuple[str, ...]:
    """Show the system, read-only: programs and libraries, and the settings they read."""
    words = ["--ro-bind", "/usr", "/usr"]
    for place in map(Path, _SYSTEM):
        if place.is_symlink():
            words += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            words += ["--ro-bind", str(place), str(place)]
    for place in map(Path, _SETTINGS):
        if place.exists():
            words += ["--ro-bind", str(place.resolve()), str(place)]
    return tuple(words)


def python_program() -> str:
    """Give this Python as the room sees it."""
    return str(Path(sys.prefix).resolve() / "bin" / Path(sys.executable).name)


@functools.cache
def python_paths() -> dict[str, str]:
    """Give the folders of this Python outside of /usr: place on the host, place in the room.

    Those of the packages alone: a folder of PYTHONPATH may be that of the course.
    """
    prefix = str(Path(sys.prefix).resolve())
    wanted = {sys.base_prefix, sys.base_exec_prefix, *_package_folders()}
    link = Path(prefix, "bin", Path(sys.executable).name)
    while link.is_symlink():
        link = link.parent / link.readlink()
        wanted.add(os.path.normpath(link.parent.parent))
    wanted |= {prefix, *(str(Path(path).resolve()) for path in wanted)}
    places: dict[str, str] = {}
    for path in sorted(wanted, key=len):
        inside = any(PurePosixPath(path).is_relative_to(known) for known in ("/usr", *places))
        if path not in ("", "/") and not inside and Path(path).is_dir():
            places[path] = path
    return places


@functools.cache
def _package_folders() -> tuple[str, ...]:
    """Give the folders of packages that are not in a prefix: those of `pip install --user`."""
    prefixes = [Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()]
    return tuple(
        path
        for path in dict.fromkeys(sys.path)
        if Path(path).name in ("site-packages", "dist-packages")
        and Path(path).is_dir()
        and not any(Path(path).resolve().is_relative_to(prefix) for prefix in prefixes)
    )


def environment() -> dict[str, str]:
    """Give all the variables of a room: no name, no key, no address of the host."""
    language = {
        name: value
        for name, value in os.environ.items()
        if name in ("LANG", "LANGUAGE", "TZ") or name.startswith("LC_")
    }
    packages = {"PYTHONPATH": os.pathsep.join(_package_folders())} if _package_folders() else {}
    return {
        "LANG": "C.UTF-8",
        **language,
        **packages,
        "HOME": HOME,
        "USER": "nobody",
        "LOGNAME": "nobody",
        "SHELL": "/bin/sh",
        "TMPDIR": "/tmp",
        "PATH": os.pathsep.join([str(Path(python_program()).parent), "/usr/bin", "/bin"]),
        "MPLCONFIGDIR": f"{HOME}/.config/matplotlib",
        # Threads count as processes, and results must not depend on the number of cores.
        **{f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")},
        # The same submission, graded twice, gives the same outputs.
        "PYTHONHASHSEED": "0",
        "NBGRADER_EXECUTION": "autograde",
    }


def resource_limits(limits: Limits) -> dict[str, int]:
    """Give the limits of each process of a room, by name in the module `resource`."""
    return {
        "RLIMIT_AS": limits.memory,
        "RLIMIT_NPROC": limits.processes,
        "RLIMIT_NOFILE": limits.open_files,
        "RLIMIT_CPU": limits.cpu_seconds,
        "RLIMIT_FSIZE": limits.disk,
        "RLIMIT_CORE": 0,
        "RLIMIT_MEMLOCK": 64 * 1024,
        "RLIMIT_MSGQUEUE": 64 * 1024,
    }


@dataclass(frozen=True)
class Room:
    """What one kernel is given."""

    folder: Path
    """A private folder of the host, for the sockets and what is handed in."""
    files: Mapping[str, bytes]
    """Files of the working folder, by path within it."""
    limits: Limits
    protected: Collection[str] = field(default=())
    """Those of the files that stay as they are, whatever the learner's code does."""
    place: str = PLACE


class RoomProvisioner(LocalProvisioner):
    """Starts a kernel in a room, and ends the room with all that runs in it."""

    process: "subprocess.Popen[bytes] | None" = None
    first: int | None = None
    """A descriptor of the room's first process, whose death is that of all the others."""
    number: int | None = None
    """Its number."""
    watch: "asyncio.Task[None] | None" = None
    memory_exceeded = False
    cpu_seconds = 0.0
    """Processor time of the room when it was last looked at: bubblewrap does not report it."""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Open the sockets and write what the room will find at its entry."""
        manager: Any = self.parent
        self.room: Room = manager.room
        folder = Path(tempfile.mkdtemp(prefix="k", dir=self.room.folder))
        manager.transport, manager.ip = "ipc", str(folder / "n")
        self.sockets = {}
        for port, channel in enumerate(CHANNELS, 1):
            setattr(manager, f"{channel}_port", port)
            if channel != "hb":
                listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
                listening.bind(f"{manager.ip}-{port}")
                listening.listen(16)
                self.sockets[str(port)] = listening
        manager.connection_file = str(folder / "connection.json")
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        self.entry = folder / "entree"
        self._write_entry(self.room)
        self.extra_arguments = kwargs.pop("extra_arguments", [])
        return {"cmd": [], "env": {}}

    def _write_entry(self, room: Room) -> None:
        """Write the files of the room, for others to read: in the room one is another."""
        home = self.entry / "home" / ".config" / "matplotlib"
        for name, content in room.files.items():
            path = self.entry / "files" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        home.mkdir(parents=True)
        for path in font_cache():
            shutil.copyfile(path, home / path.name)
        (self.entry / "files").mkdir(exist_ok=True)
        (self.entry / "vide").mkdir()
        write_accounts(self.entry)
        shutil.copyfile(INSIDE, self.entry / INSIDE.name)
        settings = {
            "place": room.place,
            "protected": list(room.protected),
            "limits": resource_limits(room.limits),
            "sockets": {port: one.fileno() for port, one in self.sockets.items()},
        }
        # Where the kernel would listen, if its sockets were not given to it.
        info: dict[str, Any] = dict(self.connection_info)
        kernel = {**info, "ip": "/tmp/.noyau", "key": info["key"].decode()}
        for title, values in (("settings", settings), ("kernel", kernel)):
            (self.entry / f"{title}.json").write_text(json.dumps(values), encoding="utf-8")
        for path in (self.entry, *self.entry.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Start the room.

        Raises:
            SandboxError: bubblewrap did not start it.
        """
        room = self.room
        protected = {name: self.entry / "files" / name for name in room.protected}
        if protected:
            # No compiled copy of a protected module may be put beside it.
            folders = {PurePosixPath(name).parent / "__pycache__" for name in protected}
            protected |= {str(folder): self.entry / "vide" for folder in folders}
        told, tell = os.pipe()
        try:
            words = command(
                [python_program(), "-s", f"{ENTRY}/{INSIDE.name}", *self.extra_arguments],
                self.entry,
                room.limits,
                room.place,
                protected,
                sum(map(len, room.files.values())),
                tell,
            )
            process = subprocess.Popen(
                words,
                env={},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[tell, *(one.fileno() for one in self.sockets.values())],
                start_new_session=True,
            )
            os.close(tell)
            tell = -1
            self.process, self.pid = process, process.pid
            self._find_first(told, process)
        finally:
            os.close(told)
            if tell >= 0:
                os.close(tell)
            for one in self.sockets.values():
                one.close()
        self.watch = asyncio.ensure_future(self._watch(process, room.limits.memory))
        return self.connection_info

    def _find_first(self, told: int, process: "subprocess.Popen[bytes]") -> None:
        """Read which process, once killed, takes the whole room with it."""
        text = b""
        deadline = time.monotonic() + _START_SECONDS
        while not text.rstrip().endswith(b"}"):
            ready, _, _ = select.select([told], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(told, 4096) if ready else b""
            if not piece:
                process.kill()
                process.wait()
                raise SandboxError(available() or "La salle d'une copie n'a pas pu s'ouvrir.")
            text += piece
        self.number = int(json.loads(text)["child-pid"])
        with contextlib.suppress(ProcessLookupError):
            self.first = os.pidfd_open(self.number)

    async def _watch(self, process: "subprocess.Popen[bytes]", limit: int) -> None:
        """End the room when its processes together hold more memory than one may."""
        while process.poll() is None:
            await asyncio.sleep(_WATCH_SECONDS)
            if self._measure() > limit:
                self.memory_exceeded = True
                self._end()

    @property
    def room_number(self) -> int:
        """The number of the room's first process; 0 once it is gone."""
        return self.number or 0

    def _measure(self) -> int:
        memory, seconds = room_use(self.number) if self.number else (0, 0.0)
        self.cpu_seconds = max(self.cpu_seconds, seconds)
        return memory

    def _end(self) -> None:
        if self.first is not None:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self.first, signal.SIGKILL)

    async def send_signal(self, signum: int) -> None:
        """End the room: interruptions are asked of the kernel by message."""
        self._end()

    async def kill(self, restart: bool = False) -> None:
        """End the room, and wait until none of its processes is left."""
        self._measure()
        self._end()
        if self.process:
            try:
                await asyncio.to_thread(self.process.wait, _START_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()

    async def terminate(self, restart: bool = False) -> None:
        """End the room."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Let go of what was kept for the room."""
        if self.watch:
            self.watch.cancel()
            self.watch = None
        if self.first is not None:
            os.close(self.first)
            self.first = None


class RoomKernel(AsyncKernelManager):
    """A kernel of this Python, in a room of its own."""

    context = Instance(zmq.asyncio.Context)
    """With a bound on what the learner's code can send."""

    def __init__(self, room: Room, **settings: Any) -> None:
        """Prepare a kernel for a room; nothing starts yet."""
        self.room = room
        super().__init__(context=bounded_context(), **settings)

    @property
    def kernel_spec(self) -> KernelSpec:
        """This interpreter's kernel; interrupted by message, being out of reach of signals."""
        return KernelSpec(
            argv=[],
            display_name="Python 3 (ipykernel)",
            language="python",
            interrupt_mode="message",
        )

    async def _async_pre_start_kernel(self, **settings: Any) -> Any:
        # Given here, it is not looked for among the installed ones.
        self.kernel_id = self.kernel_id or "copie"
        self.provisioner = self.provisioner or RoomProvisioner(
            kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
        )
        return await super()._async_pre_start_kernel(**settings)


def bounded_context() -> "zmq.asyncio.Context":
    """Give a context whose sockets refuse what would fill the grader's memory."""
    context = zmq.asyncio.Context()
    context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES)
    context.setsockopt(zmq.RCVHWM, _QUEUED_MESSAGES)
    context.setsockopt(zmq.LINGER, 0)
    return context


def room_use(first: int) -> tuple[int, float]:
    """Measure what a process and all those it started hold and have used.

    Returns:
        memory: bytes; what is shared with a file is not counted, what the files of the room's
            disks cost the kernel is, of which the size of the disks says nothing.
        seconds: processor time, also of the processes that have ended.
    """
    page, ticks = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
    memory, seconds, numbers = 0, 0.0, [first]
    disks: dict[int, int] = {}
    while numbers:
        process = Path("/proc", str(numbers.pop()))
        with contextlib.suppress(OSError, ValueError, IndexError):
            sizes = (process / "statm").read_text().split()
            memory += (int(sizes[1]) - int(sizes[2])) * page
            times = (process / "stat").read_text().rpartition(")")[2].split()[11:15]
            seconds += sum(map(int, times)) / ticks
            disks |= _disks(process / "root")
            for task in (process / "task").iterdir():
                numbers += map(int, (task / "children").read_text().split())
    return memory + sum(disks.values()), seconds


def last_child(first: int) -> int:
    """Go down from a process to the first that started none: the kernel of a room that begins."""
    with contextlib.suppress(OSError, IndexError):
        while first:
            text = Path(f"/proc/{first}/task/{first}/children").read_text()
            first = int(text.split()[0])
    return first


def processor_of(number: int) -> tuple[float, float]:
    """Give the processor time of a process's first thread, and what it waited for one (seconds).

    Zeros where Linux does not say.
    """
    with contextlib.suppress(OSError, ValueError):
        used, waited, _ = map(int, Path(f"/proc/{number}/schedstat").read_text().split())
        return used / 1e9, waited / 1e9
    return 0.0, 0.0


def waiting_seconds(first: int) -> float:
    """Measure for how long a process and all those it started were ready to run, and did not.

    The most that one of their threads waited for a processor (seconds), as Linux counts it;
    0 where it does not.
    """
    longest, numbers = 0, [first]
    while numbers:
        with contextlib.suppress(OSError, ValueError, IndexError):
            for task in Path("/proc", str(numbers.pop()), "task").iterdir():
                longest = max(longest, int((task / "schedstat").read_text().split()[1]))
                numbers += map(int, (task / "children").read_text().split())
    return longest / 1e9


def _disks(root: Path) -> dict[int, int]:
    """Measure what the files of a room cost the kernel beside their content: disk, bytes."""
    found: dict[int, int] = {}
    with contextlib.suppress(OSError):
        for place in (root / "tmp", root / "dev" / "shm", *(root / PLACE[1:]).iterdir()):
            disk = os.statvfs(place)
            found[disk.f_fsid] = (disk.f_files - disk.f_ffree) * _INODE_BYTES
    return found


@functools.cache
def font_cache() -> tuple[Path, ...]:
    """Give matplotlib's list of fonts, which each fresh home would make again (a second).

    Made once by a Python of ours, in the user's cache; empty without matplotlib.
    """
    from importlib.metadata import PackageNotFoundError, version

    try:
        edition = version("matplotlib")
    except PackageNotFoundError:
        return ()
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = base / "culture-d" / f"matplotlib-{edition}"
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        if not any(folder.glob("fontlist*.json")):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix="polices-", dir=folder.parent) as made:
                subprocess.run(
                    [sys.executable, "-c", "import matplotlib.font_manager"],
                    # The fonts of the system only: the room shows no others.
                    env={"MPLCONFIGDIR": made, "HOME": made, "PATH": os.environ.get("PATH", "")},
                    capture_output=True,
                    timeout=120,
                    check=True,
                )
                folder.mkdir(exist_ok=True)
                for path in Path(made).glob("fontlist*.json"):
                    path.replace(folder / path.name)
    return tuple(sorted(folder.glob("fontlist*.json")))
