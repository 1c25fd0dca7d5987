"""Kernels forked from a process that has everything imported, each in a room of its own.

`ForkServer` is that process, under bubblewrap; `forkserver.py` says what happens in it.
`ForkedKernel` is to it what `sandbox.RoomKernel` is to a fresh Python: the same room, the
same files, the same limits, sooner. The sockets are made here, in a folder that the kernel
never sees, and handed to it already listening.
"""

import asyncio
import contextlib
import json
import os
import secrets
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from queue import Empty
from typing import Any

import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Instance

from culture_d.errors import SandboxError
from culture_d.grading import forkserver, sandbox
from culture_d.grading.model import MEBIBYTE, Limits
from culture_d.grading.sandbox import Room
from culture_d.grading.scratch import scratch

START_SECONDS = 60
FORK_SECONDS = 60
KILL_SECONDS = 5
LEAVE_SECONDS = 1
MAX_MESSAGE = 256 * MEBIBYTE
"""What is larger is not received, and its kernel not listened to any more."""
_QUEUED_MESSAGES = 100
_WATCH_SECONDS = 0.5
_SCRIPT = "/forkserver.py"
_DEVICES = ("null", "zero", "full", "random", "urandom")
_LINKS = {"fd": "fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}


class ForkClient:
    """Has kernels forked by a preloaded process that is another grader's.

    Args:
        address: the `address` of a `ForkServer`.

    Raises:
        SandboxError: nobody answers there.
    """

    def __init__(self, address: Path) -> None:
        self._exits: dict[int, forkserver.Exit] = {}
        self._ready = self._lost = False
        self._control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self._control.connect(str(address))
        except OSError as error:
            self._control.close()
            raise self._refusal(str(error)) from None

    @property
    def alive(self) -> bool:
        """Whether the process is there still."""
        if self._lost:
            return False
        poller = select.poll()
        poller.register(self._control, 0)
        return not poller.poll(0)

    def wait(self) -> None:
        """Wait until it can fork, and prove once that a forked process is isolated.

        Raises:
            SandboxError: it cannot; the message holds the system's reason.
        """
        if self._ready:
            return
        message, _ = self._receive(START_SECONDS)
        if not message.get("ready"):
            raise self._refusal(str(message))
        self._ready = True
        with tempfile.TemporaryDirectory(prefix="culture-d-essai-", dir="/tmp") as folder:
            self.fork(Room(Path(folder), {}, Limits()), Path(folder, "n"), (), "").close()

    def fork(self, room: Room, address: Path, arguments: Sequence[str], key: str) -> "Forked":
        """Fork a kernel for a room; it answers already when this returns.

        Args:
            room: what it is given.
            address: where its sockets are made, each with « - » and its number.
            arguments: of ipykernel; none: only prove that the isolation works.
            key: signs the messages.

        Raises:
            SandboxError: the system refused a step of its isolation; nothing was run.
        """
        files = {name: text for name, text in room.files.items() if name not in room.protected}
        protected = {name: room.files[name] for name in sorted(room.protected)}
        own_bytes = sum(map(len, room.files.values()))
        disks = {
            "/tmp": room.limits.disk,
            "/dev/shm": sandbox.SHARED_MEMORY,
            sandbox.PLACE: room.limits.disk + own_bytes,
        }
        request = forkserver.Request(
            arguments=tuple(arguments),
            key=key,
            place=room.place,
            disks=disks,
            shown=tuple(path for path in sandbox.python_paths() if _is_under(path, disks)),
            protected=tuple(protected),
            limits=sandbox.resource_limits(room.limits),
        )
        channel, theirs = socket.socketpair()
        listening = [_listen(f"{address}-{port}") for port, _ in _numbered_channels()]
        try:
            socket.send_fds(
                self._control,
                [json.dumps(request._asdict()).encode()],
                [theirs.fileno(), *(one.fileno() for one in listening)],
            )
            pid, handle = self._answer()
            while handle < 0:  # the end of another, told late
                pid, handle = self._answer()
        except OSError as error:
            self._lost = True
            channel.close()
            raise self._refusal(str(error)) from None
        finally:
            theirs.close()
            for one in listening:
                one.close()
        child = Forked(self, pid, handle, channel)
        try:
            channel.settimeout(FORK_SECONDS)
            if arguments:
                forkserver.send_files(channel, protected)
                forkserver.send_files(channel, files)
            answer = channel.recv(4096)
            if answer != forkserver.READY:
                raise OSError(answer[1:].decode(errors="replace") or "no answer")
        except OSError as error:
            child.close()
            raise self._refusal(str(error)) from None
        return child

    def exit_of(self, pid: int) -> forkserver.Exit | None:
        """Say how a child that is gone ended, or None if the process is gone too."""
        try:
            while pid not in self._exits:
                self._answer()
        except SandboxError:
            return None
        return self._exits.pop(pid)

    def close(self) -> None:
        """Let go of the process; a kernel ends when it is closed, or with this grader."""
        self._control.close()

    def _answer(self) -> tuple[int, int]:
        """Read one message: a new child and its pidfd, or the end of one, which is noted."""
        message, descriptors = self._receive(FORK_SECONDS)
        if "status" in message:
            ended = forkserver.Exit(**message)
            self._exits[ended.pid] = ended
            return ended.pid, -1
        if "pid" in message:
            return message["pid"], descriptors[0]
        raise self._refusal(message.get("error", str(message)))

    def _receive(self, seconds: float) -> tuple[dict[str, Any], list[int]]:
        try:
            self._control.settimeout(seconds)
            text, descriptors, _, _ = socket.recv_fds(self._control, forkserver.MAX_DATAGRAM, 1)
        except OSError as error:
            # What it says too late would be taken for the answer to what is asked next.
            self._lost = True
            raise self._refusal(str(error)) from None
        if not text:
            raise self._refusal("")
        return json.loads(text), descriptors

    def _refusal(self, cause: str) -> SandboxError:
        return SandboxError(
            "La correction rapide n'a pas pu isoler une copie sur ce système : "
            f"« {self._last_words() or cause} ». Elle demande bubblewrap et les espaces de noms "
            "de Linux."
        )

    def _last_words(self) -> str:
        return ""


class ForkServer(ForkClient):
    """The preloaded process, in its sandbox; any number of kernels, one after the other or not.

    Start it before importing what is long to import: it works meanwhile. Other graders may
    use it too, as `ForkClient`s; it ends with this one.

    Raises:
        SandboxError: there is no bubblewrap; see `wait` for what else may be missing.
    """

    def __init__(self) -> None:
        self._exits = {}
        self._ready = self._lost = False
        self._said = tempfile.TemporaryFile()  # noqa: SIM115, as long as the process
        self._kept = contextlib.ExitStack()
        self._control, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            self.address = self._kept.enter_context(scratch()) / "s"
            with other, _listen(str(self.address), socket.SOCK_SEQPACKET) as door:
                self._process = self._start(other, door)
        except BaseException:
            self._control.close()
            self._said.close()
            self._kept.close()
            raise

    def _start(self, *sockets: socket.socket) -> "subprocess.Popen[bytes]":
        numbers = [one.fileno() for one in sockets]
        python = [sandbox.python_program(), "-s", _SCRIPT, *map(str, numbers)]
        with contextlib.ExitStack() as given:
            accounts = {
                f"/etc/{name}": given.enter_context(_memory_file(text))
                for name, text in sandbox.ACCOUNTS.items()
            }
            return subprocess.Popen(
                sandboxed(python, accounts),
                pass_fds=[*numbers, *accounts.values()],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._said,
            )

    @property
    def alive(self) -> bool:
        """Whether the process is there still."""
        return not self._lost and self._process.poll() is None

    def close(self) -> None:
        """Stop the process, and every kernel it started."""
        super().close()
        self._process.kill()
        self._process.wait()
        self._said.close()
        self._kept.close()

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.2)
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip().splitlines()
        return said[-1] if said else ""


class Forked:
    """One forked kernel, seen from outside."""

    def __init__(self, server: ForkClient, pid: int, handle: int, line: socket.socket) -> None:
        self.pid = pid
        self._server, self._handle, self._line = server, handle, line
        self.ended: forkserver.Exit | None = None

    @property
    def number(self) -> int:
        """Its number among the processes of this machine; 0 once it is gone."""
        if self._handle < 0:
            return 0
        lines = Path(f"/proc/self/fdinfo/{self._handle}").read_text().splitlines()
        return max(0, next(int(line.split()[1]) for line in lines if line.startswith("Pid:")))

    @property
    def running(self) -> bool:
        """Whether it is there still."""
        return self._handle >= 0 and not _readable(self._handle, 0)

    def kill(self) -> None:
        """Kill it, with all that it started."""
        if self._handle >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._handle, signal.SIGKILL)

    def close(self) -> None:
        """Kill it and wait for its end."""
        self._line.close()
        if self._handle < 0:
            return
        # Without the line it ends by itself, its time counted.
        if not _readable(self._handle, LEAVE_SECONDS):
            self.kill()
            _readable(self._handle, KILL_SECONDS)
        os.close(self._handle)
        self._handle = -1
        self.ended = self._server.exit_of(self.pid)


class ForkedProvisioner(KernelProvisionerBase):
    """What starts, signals and stops the kernel for `ForkedKernel`."""

    child: Forked | None = None
    watch: "asyncio.Task[None] | None" = None
    memory_exceeded = False
    cpu_seconds = 0.0
    """Processor time of the kernel, once it has ended."""

    @property
    def has_process(self) -> bool:
        """Whether a kernel was started and not yet waited for."""
        return self.child is not None

    @property
    def room_number(self) -> int:
        """The number of the kernel's first process; 0 once it is gone."""
        return self.child.number if self.child is not None else 0

    async def poll(self) -> int | None:
        """Give None for a running kernel, otherwise a number."""
        return None if self.child is not None and self.child.running else 0

    async def wait(self) -> int | None:
        """Wait for the end of the kernel, and give its exit status."""
        while await self.poll() is None:
            await asyncio.sleep(0.05)
        child, self.child = self.child, None
        if child is None:
            return 0
        child.close()
        return child.ended.status if child.ended else -signal.SIGKILL

    async def send_signal(self, signum: int) -> None:
        """End the kernel: interruptions are asked of it by message."""
        if self.child is not None:
            self.child.kill()

    async def kill(self, restart: bool = False) -> None:
        """Kill the kernel and everything it started; done when this returns."""
        if self.child is not None:
            self.child.close()
            if self.child.ended:
                self.cpu_seconds = self.child.ended.cpu_seconds

    async def terminate(self, restart: bool = False) -> None:
        """Kill it: nothing of a submission is worth a farewell."""
        await self.kill(restart)

    async def cleanup(self, restart: bool = False) -> None:
        """Stop watching the memory."""
        if self.watch:
            self.watch.cancel()
            self.watch = None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Keep nbclient's arguments for the kernel; the rest is the room's affair."""
        return {"cmd": kwargs.get("extra_arguments", [])}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork the kernel and give where it listens.

        Raises:
            SandboxError: the system refused a step of its isolation.
        """
        manager: Any = self.parent
        key = secrets.token_hex(32)
        address = Path(tempfile.mkdtemp(prefix="k", dir=manager.room.folder)) / "n"
        arguments = ["-f", "kernel.json", *cmd]
        self.child = manager.server.fork(manager.room, address, arguments, key)
        self.watch = asyncio.ensure_future(self._watch(manager.room.limits.memory))
        return {
            "transport": "ipc",
            "ip": str(address),
            "key": key.encode(),
            "signature_scheme": "hmac-sha256",
            "hb_port": 0,
            **{f"{name}_port": port for port, name in _numbered_channels()},
        }

    async def _watch(self, limit: int) -> None:
        """End the kernel when its processes together hold more memory than one may."""
        while self.child is not None and self.child.running:
            await asyncio.sleep(_WATCH_SECONDS)
            number = self.child.number if self.child is not None else 0
            if number and memory_of(number) > limit:
                self.memory_exceeded = True
                self.child.kill()


class ForkedClient(AsyncKernelClient):
    """The ordinary client, without a heartbeat, of a kernel that is known to answer."""

    monitors: Sequence[Any] = ()

    def start_channels(self, *_: Any, **__: Any) -> None:
        """Start the channels that a notebook needs."""
        super().start_channels(stdin=False, hb=False)
        self.monitors = [
            channel.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            for channel in (self.shell_channel, self.iopub_channel)
        ]

    @property
    def cut(self) -> bool:
        """Whether the kernel sent what is refused: zmq then speaks to it no more."""
        return any(monitor.get(zmq.EVENTS) & zmq.POLLIN for monitor in self.monitors)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel says that its outputs will be heard.

        Raises:
            RuntimeError: it does not, or is dead.
        """
        deadline = time.monotonic() + (timeout or START_SECONDS)
        while time.monotonic() < deadline and await self.is_alive():
            with contextlib.suppress(Empty):
                message = await self.get_iopub_msg(timeout=1)
                if message["header"]["msg_type"] == "iopub_welcome":
                    return
        raise RuntimeError("the kernel did not say « iopub_welcome »")

    def stop_channels(self) -> None:
        """Close what was started."""
        for monitor in self.monitors:
            monitor.close()
        for channel in (self._shell_channel, self._iopub_channel, self._control_channel):
            if channel is not None:
                channel.stop()


class ForkedKernel(AsyncKernelManager):
    """A kernel forked by a server, in a room of its own."""

    context = Instance(zmq.asyncio.Context)
    """With a bound on what the learner's code can send."""

    def __init__(self, server: ForkClient, room: Room, **settings: Any) -> None:
        """Prepare a kernel for a room; nothing starts yet."""
        self.server, self.room = server, room
        self.listener: Any = None
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE)
        context.setsockopt(zmq.RCVHWM, _QUEUED_MESSAGES)
        context.setsockopt(zmq.LINGER, 0)
        super().__init__(context=context, **settings)
        self.client_factory = ForkedClient
        self.kernel_id = "copie"
        self.provisioner = ForkedProvisioner(
            kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
        )

    @property
    def kernel_spec(self) -> KernelSpec:
        """An ordinary Python kernel, interrupted as that of a plain room."""
        return KernelSpec(
            argv=[],
            display_name="Python 3 (ipykernel)",
            language="python",
            interrupt_mode="message",
        )

    def client(self, **settings: Any) -> Any:
        """Give a client whose sockets refuse what would fill the grader's memory."""
        self.listener = super().client(context=self.context, **settings)
        return self.listener

    async def _async_is_alive(self) -> bool:
        heard = self.listener is None or not self.listener.cut
        return heard and await super()._async_is_alive()

    is_alive = _async_is_alive

    def _reconcile_connection_info(self, info: Any) -> None:
        """Write no connection file: nobody else is to connect."""
        self.load_connection_info(info)


def sandboxed(command: Sequence[str], accounts: Mapping[str, int]) -> list[str]:
    """Give the bubblewrap command that runs the fork server.

    It keeps the rights to make namespaces, which its children give up; it sees what a plain
    room shows (`sandbox.command`), and one file of the course, all read-only.

    Args:
        command: the command to run, as the sandbox will see it.
        accounts: descriptors of the files of /etc that name the learner's only user.

    Raises:
        SandboxError: there is no bubblewrap.
    """
    bwrap = shutil.which("bwrap")
    if not bwrap:
        raise SandboxError(f"bubblewrap est introuvable. {sandbox.REMEDY}")
    rights = ["CAP_SYS_ADMIN", "CAP_SETPCAP"]
    options = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
    options += ["--hostname", "devoir", "--die-with-parent", "--new-session"]
    if os.geteuid() == 0:
        rights += ["CAP_SETUID", "CAP_SETGID", "CAP_CHOWN"]
    else:
        options += ["--unshare-user"]
    options += ["--cap-drop", "ALL"]
    for right in rights:
        options += ["--cap-add", right]
    options += ["--clearenv", *sandbox.pairs("--setenv", sandbox.environment())]
    pythons = sandbox.python_paths()
    # The preloading writes its caches in /tmp; children get a folder of their own there.
    options += ["--perms", "0755", "--tmpfs", "/tmp"]
    made = ["/dev/shm", "/dev/pts", "/etc", forkserver.STAGING, sandbox.PLACE, *pythons.values()]
    for folder in _with_parents(made):
        options += ["--perms", "0755", "--dir", folder]
    options += [*sandbox.system_options(), *sandbox.pairs("--ro-bind", pythons)]
    for name in _DEVICES:
        options += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    for name, target in _LINKS.items():
        options += ["--symlink", f"/proc/self/{target}", f"/dev/{name}"]
    options += ["--symlink", "pts/ptmx", "/dev/ptmx", "--proc", "/proc"]
    for name, descriptor in accounts.items():
        options += ["--perms", "0644", "--ro-bind-data", str(descriptor), name]
    for path in sandbox.font_cache():
        options += ["--ro-bind", str(path), f"{sandbox.HOME}/.config/matplotlib/{path.name}"]
    options += ["--ro-bind", forkserver.__file__, _SCRIPT, "--remount-ro", "/", "--chdir", "/"]
    return [bwrap, *options, "--", *command]


def _with_parents(folders: Sequence[str]) -> list[str]:
    """List the folders and those above them, from the top: bubblewrap would make them private."""
    found = {str(up) for folder in folders for up in (folder, *PurePosixPath(folder).parents)}
    return sorted(found - {"/", "/tmp"})


def _is_under(path: str, places: Iterable[str]) -> bool:
    return any(PurePosixPath(path).is_relative_to(place) for place in places)


def _numbered_channels() -> Iterator[tuple[int, str]]:
    return enumerate(forkserver.CHANNELS, 1)


@contextlib.contextmanager
def _memory_file(text: str) -> Iterator[int]:
    descriptor = os.memfd_create("compte")
    try:
        os.write(descriptor, text.encode())
        os.lseek(descriptor, 0, os.SEEK_SET)
        yield descriptor
    finally:
        os.close(descriptor)


def _listen(path: str, kind: int = socket.SOCK_STREAM) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX, kind)
    listening.bind(path)
    listening.listen(16)
    return listening


def memory_of(first: int) -> int:
    """Measure the memory of a process and of all those it started, in bytes.

    What several of them share since a fork is counted once, in parts.
    """
    total, numbers = 0, [first]
    while numbers:
        process = Path("/proc", str(numbers.pop()))
        with contextlib.suppress(OSError, ValueError):
            for task in (process / "task").iterdir():
                numbers += map(int, (task / "children").read_text().split())
        with contextlib.suppress(OSError, ValueError):
            lines = (process / "smaps_rollup").read_text().splitlines()
            total += sum(
                int(line.split()[1]) * 1024
                for line in lines
                if line.startswith(("Pss_Anon:", "Pss_Shmem:"))
            )
    return total


def _readable(descriptor: int, seconds: float) -> bool:
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(seconds * 1000))
