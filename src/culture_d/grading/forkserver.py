"""The process that forks a ready kernel for each submission. Runs alone, in bubblewrap.

This one file is all that its sandbox sees of the course: standard library, ipykernel, and
what learners import most. `forked_kernel.py` starts it and talks to it:

- once ready, it writes `{"ready": true}` on its control socket, which is its owner's, and to
  each other grader that connects to the socket it listens on;
- a request is one datagram: a `Request` in JSON, with the descriptors that `DESCRIPTORS` names;
- the answer is `{"pid": ...}` with a pidfd, then, when that process ends, its `Exit`;
- what a grader started ends with it, and everything with the owner.

It forks before anything of the submission is read: the child receives the files itself, over
its own channel, once it can do no more harm than the learner's code. So nothing that a learner
wrote, ran or answered ever comes near this process, whose memory the next child inherits.

The child gives itself, in this order: its own mount, ipc, network, host name and cgroup views;
one small tmpfs behind the folders it may write in; a fresh /proc; an identity that is nobody,
in a user namespace of its own (without it two learners share the kernel's user keyring);
limits; no capability, for ever. Then only does it start ipykernel, whose threads would each
have kept the capabilities of the moment.
"""

import builtins
import contextlib
import ctypes
import gc
import importlib
import json
import os
import random
import resource
import select
import signal
import socket
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

CHANNELS = ("shell", "iopub", "stdin", "control")
DESCRIPTORS = ("channel", *CHANNELS)
MAX_DATAGRAM = 64 * 1024
READY, FAILED = b"R", b"E"
NOBODY = 65534
STAGING = "/disque"

_CLONE_NEWNS = 0x00020000
_CLONE_NEWCGROUP = 0x02000000
_CLONE_NEWUTS = 0x04000000
_CLONE_NEWIPC = 0x08000000
_CLONE_NEWUSER = 0x10000000
_CLONE_NEWPID = 0x20000000
_CLONE_NEWNET = 0x40000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 32, 4096, 16384, 1 << 18
_MNT_DETACH = 2
_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_SECUREBITS = 4, 24, 28
_PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 38, 47, 4
# SECBIT_NOROOT, NO_SETUID_FIXUP and NO_CAP_AMBIENT_RAISE, each locked.
_SECUREBITS = 0b11001111
_CAPABILITY_VERSION_3 = 0x20080522
# Parts of /proc that a process of the system's own user could write, whatever its capabilities.
_PROC_READ_ONLY = ("sys", "sysrq-trigger", "irq", "bus", "fs")
_INODES = 8192
_ORPHANS_MILLISECONDS = 1000
_REHEARSAL = """
print(1)
!true
%timeit -n1 -r1 1
undefined
"""

_libc = ctypes.CDLL(None, use_errno=True)


class Request(NamedTuple):
    """What a child is to become."""

    arguments: tuple[str, ...]
    """Of ipykernel; empty: prove that the isolation works, and stop."""
    key: str
    place: str
    """Where the notebook runs: one of `disks`, or under it."""
    disks: dict[str, int]
    """Empty folders given to the learner, and how many bytes each may hold."""
    shown: tuple[str, ...]
    """Read-only folders under one of them, to be seen there still."""
    protected: tuple[str, ...]
    """Files of `place` that stay as they are, whatever the learner's code does."""
    limits: dict[str, int]
    """By name in the module `resource`."""


class Exit(NamedTuple):
    """How a child ended. Time in seconds, memory in bytes."""

    pid: int
    status: int
    """As a shell gives it: 128 and the signal's number for a kernel that was killed."""
    cpu_seconds: float
    memory: int


class IsolationError(Exception):
    """The system refused a step of the isolation."""


def main() -> None:
    """Preload, then serve until the other end of the control socket is closed."""
    control, *doors = [socket.socket(fileno=int(number)) for number in sys.argv[1:]]
    # The folder of this file is not one a notebook may import from.
    sys.path.pop(0)
    _preload()
    _forget_warnings()
    gc.collect()
    gc.freeze()
    control.send(json.dumps({"ready": True}).encode())
    _serve(control, doors)


def _preload() -> None:
    """Import what a notebook imports, and use it once: what is loaded late is loaded too.

    Raises:
        IsolationError: something imported started a thread; none would be in the children.
    """
    # As ipykernel does, but before matplotlib is there.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    import ipykernel.kernelapp  # noqa: F401

    with _as_in_a_kernel(), contextlib.suppress(ImportError):
        import matplotlib_inline.backend_inline  # noqa: F401
        import numpy  # noqa: F401
        import pandas

        _draw_once()
        _print_once(pandas)
    _fail_once()
    for name in _rehearse():
        if name not in sys.modules:
            with contextlib.suppress(Exception):
                importlib.import_module(name)
    threads = len(list(Path("/proc/self/task").iterdir()))
    if threads > 1:
        raise IsolationError(f"{threads} threads after the preloading")


@contextlib.contextmanager
def _as_in_a_kernel() -> Iterator[None]:
    """Show what is imported the kernel that is not there yet.

    pandas chooses as it is imported how many columns it will show, by what `is_terminal`
    of pandas.io.formats.console finds.
    """
    builtins.get_ipython = lambda: SimpleNamespace(kernel=None)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        del builtins.get_ipython  # type: ignore[attr-defined]


def _rehearse() -> list[str]:
    """Run a kernel in a process thrown away, and name the modules that it ended up with."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.chdir("/tmp")
            app = _kernel((), "", {name: _listen(f"/tmp/{name}") for name in CHANNELS})
            app.shell.run_cell(_REHEARSAL)
            os.write(writing, json.dumps(list(sys.modules)).encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        names: list[str] = json.loads(stream.read() or b"[]")
    os.waitpid(pid, 0)
    return names


def _listen(path: str) -> int:
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listening.bind(path)
    listening.listen()
    return listening.detach()


def _draw_once() -> None:
    import matplotlib.pyplot  # noqa: F401
    from IPython.core.pylabtools import print_figure
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], label="1")
    axes.set_title("1")
    axes.legend()
    print_figure(figure)


def _print_once(pandas: Any) -> None:
    import io

    table = pandas.read_csv(io.StringIO("a,b\n1,x\n2,y\n"))
    for text in (repr(table), table._repr_html_(), repr(table.groupby("b").sum())):
        assert text


def _fail_once() -> None:
    from IPython.core.ultratb import VerboseTB

    try:
        raise ValueError
    except ValueError:
        VerboseTB(theme_name="linux").structured_traceback(*sys.exc_info())


def _forget_warnings() -> None:
    """Let a warning that was met here be shown again to each learner it concerns."""
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", None)
        if isinstance(names, dict):
            names.pop("__warningregistry__", None)


def _serve(owner: socket.socket, doors: Sequence[socket.socket]) -> None:
    """Answer the owner, and those who come by the doors, until the owner is gone."""
    own = os.open("/proc/self/ns/pid", os.O_RDONLY)
    poller = select.poll()
    clients = {owner.fileno(): owner}
    running: dict[int, tuple[int, socket.socket]] = {}
    entries = {door.fileno(): door for door in doors}
    for descriptor in (*clients, *entries):
        poller.register(descriptor, select.POLLIN)
    while True:
        for ready, _ in poller.poll():
            if ready in running:
                poller.unregister(ready)
                pid, client = running.pop(ready)
                _tell(client, _reap(pid))
                os.close(ready)
            elif ready in entries:
                client, _ = entries[ready].accept()
                clients[client.fileno()] = client
                poller.register(client, select.POLLIN)
                _tell(client, {"ready": True})
            elif ready in clients:
                client = clients[ready]
                if _answered(client, own, poller, running):
                    continue
                if client is owner:
                    return
                # Its kernels end by themselves: see `_stay_behind`.
                poller.unregister(client)
                clients.pop(ready).close()


def _answered(
    client: socket.socket,
    own: int,
    poller: select.poll,
    running: dict[int, tuple[int, socket.socket]],
) -> bool:
    """Do what a client asks for; False if it is gone."""
    try:
        text, descriptors, _flags, _ = socket.recv_fds(client, MAX_DATAGRAM, len(DESCRIPTORS))
    except OSError:
        return False
    if not text:
        return False
    try:
        pid = _fork(own, Request(**json.loads(text)), descriptors)
    except (OSError, IsolationError) as error:
        _tell(client, {"error": str(error)})
        return True
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    handle = os.pidfd_open(pid)
    running[handle] = pid, client
    poller.register(handle, select.POLLIN)
    _tell(client, {"pid": pid}, handle)
    return True


def _tell(client: socket.socket, message: Mapping[str, Any], *handles: int) -> None:
    """Send a message; a client that is gone is noticed when it is read from."""
    with contextlib.suppress(OSError):
        socket.send_fds(client, [json.dumps(message).encode()], handles)


def _fork(own: int, request: Request, descriptors: Sequence[int]) -> int:
    """Fork a child that is the first process of its own pid namespace."""
    _check(_libc.unshare(_CLONE_NEWPID), "unshare(pid)")
    try:
        pid = os.fork()
        if pid == 0:
            _child(request, descriptors)
    finally:
        _check(_libc.setns(own, _CLONE_NEWPID), "setns(pid)")
    return pid


def _reap(pid: int) -> dict[str, Any]:
    _, status, used = os.wait4(pid, 0)
    return Exit(
        pid,
        os.waitstatus_to_exitcode(status) % 256,
        used.ru_utime + used.ru_stime,
        used.ru_maxrss * 1024,
    )._asdict()


def _child(request: Request, descriptors: Sequence[int]) -> None:
    """Never return: become the kernel of a submission, or say why not."""
    named = dict(zip(DESCRIPTORS, descriptors, strict=True))
    channel = socket.socket(fileno=named["channel"])
    code = 70
    try:
        _close_all_but(descriptors)
        isolate(request, channel)
        _stay_behind(descriptors, channel)
        if request.arguments:
            receive_files(channel, request.place)
            os.chdir(request.place)
            random.seed()
            if "numpy" in sys.modules:
                sys.modules["numpy"].random.seed()
            app = _kernel(request.arguments, request.key, named)
            channel.sendall(READY)
            channel.close()
            app.start()
        else:
            channel.sendall(READY)
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else 1
    except BaseException as error:
        with contextlib.suppress(OSError):
            channel.sendall(FAILED + f"{type(error).__name__}: {error}".encode())
    finally:
        os._exit(code)


def _close_all_but(kept: Sequence[int]) -> None:
    """Close every descriptor of the parent; standard streams go nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in range(3):
        os.dup2(nowhere, standard)
    for entry in list(Path("/proc/self/fd").iterdir()):
        if int(entry.name) > 2 and int(entry.name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(entry.name))


def _stay_behind(descriptors: Sequence[int], channel: socket.socket) -> None:
    """Go on in a second process; the first one waits for the end of it, and of its orphans.

    The first process of a namespace cannot even kill itself: it would make a poor kernel.
    It ends all when the grader lets go of the channel, or is gone.
    """
    kernel = os.fork()
    if kernel == 0:
        os.setsid()
        return
    for descriptor in descriptors:
        if descriptor != channel.fileno():
            os.close(descriptor)
    # Nor may the kernel, which is the same user, look into it.
    _libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    poller = select.poll()
    poller.register(channel, 0)
    poller.register(os.pidfd_open(kernel), select.POLLIN)
    while True:
        if channel.fileno() in dict(poller.poll(_ORPHANS_MILLISECONDS)):
            os.kill(kernel, signal.SIGKILL)
            # Waited for, so that its processor time is counted.
            os.waitpid(kernel, 0)
            os._exit(128 + signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == kernel:
                    code = os.waitstatus_to_exitcode(ended[1])
                    os._exit(code if code >= 0 else 128 - code)


def isolate(request: Request, channel: socket.socket) -> None:
    """Leave this process nothing but its folders.

    The protected files, which are the course's own, come through the channel.

    Raises:
        IsolationError: the system refuses a step.
    """
    os.setsid()
    _check(
        _libc.unshare(
            _CLONE_NEWNS | _CLONE_NEWIPC | _CLONE_NEWNET | _CLONE_NEWUTS | _CLONE_NEWCGROUP
        ),
        "unshare",
    )
    _mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    os.umask(0o022)
    _make_disks(request, channel)
    writable_sys = _mount_proc()
    _become_nobody(writable_sys)
    os.close(writable_sys)
    for name, value in request.limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))
    _drop_capabilities()


def _make_disks(request: Request, channel: socket.socket) -> None:
    """Put a tmpfs of limited size in each folder the learner may write in."""
    shown = {path: os.open(path, os.O_PATH | os.O_DIRECTORY) for path in request.shown}
    fonts = _read_home()
    for place, size in request.disks.items():
        options = f"size={size},nr_inodes={_INODES},mode=0755"
        _mount("tmpfs", place, "tmpfs", _MS_NOSUID | _MS_NODEV, options)
    for path, descriptor in shown.items():
        Path(path).mkdir(parents=True, exist_ok=True)
        _mount(f"/proc/self/fd/{descriptor}", path, None, _MS_BIND | _MS_REC)
        os.close(descriptor)
    Path(request.place).mkdir(parents=True, exist_ok=True)
    if request.arguments:
        _protect(request, channel)
    # Terminals of its own: IPython runs « !commands » in one.
    _mount("devpts", "/dev/pts", "devpts", _MS_NOSUID | _MS_NOEXEC, "newinstance,ptmxmode=0666")
    _write_home(fonts)
    for place in (request.place, *request.disks):
        Path(place).chmod(0o1777)


def _read_home() -> dict[Path, bytes]:
    """Read what the home holds for every learner: matplotlib's list of fonts."""
    return {path: path.read_bytes() for path in Path.home().rglob("fontlist*.json")}


def _write_home(files: Mapping[Path, bytes]) -> None:
    """Give the learner a home of theirs, with these files."""
    for path, content in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    Path.home().mkdir(parents=True, exist_ok=True)
    for place in (Path.home(), *Path.home().rglob("*")):
        _own(place)


def _own(path: Path) -> None:
    if os.getuid() == 0:
        os.chown(path, NOBODY, NOBODY)


def _protect(request: Request, channel: socket.socket) -> None:
    """Receive the protected files where the learner's code can neither write nor replace them."""
    _mount("tmpfs", STAGING, "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0755")
    aside, nothing = Path(STAGING, "protected"), Path(STAGING, "nothing")
    aside.mkdir()
    nothing.mkdir()
    receive_files(channel, str(aside))
    for name in request.protected:
        target = Path(request.place, name)
        # No compiled copy of a protected module may be put beside it either.
        compiled = target.parent / "__pycache__"
        compiled.mkdir(parents=True, exist_ok=True)
        target.touch()
        _mount_read_only(str(aside / name), str(target))
        _mount_read_only(str(nothing), str(compiled))
    # Mounted where they are, they are in sight nowhere else.
    _check(_libc.umount2(STAGING.encode(), _MNT_DETACH), "umount")


def _mount_proc() -> int:
    """Mount this namespace's own /proc; return its /proc/sys as it was before being closed."""
    _mount("proc", "/proc", "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    writable_sys = os.open("/proc/sys", os.O_PATH | os.O_DIRECTORY)
    for name in _PROC_READ_ONLY:
        if Path("/proc", name).exists():
            _mount_read_only(f"/proc/{name}", f"/proc/{name}", _MS_NOEXEC)
    return writable_sys


def _become_nobody(writable_sys: int) -> None:
    """Take an identity without rights, alone in its user namespace."""
    if os.getuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    user, group = os.getuid(), os.getgid()
    # A process that changed its identity does not own its files of /proc without this.
    _check(_libc.prctl(_PR_SET_DUMPABLE, 1, 0, 0, 0), "prctl(dumpable)")
    _check(_libc.unshare(_CLONE_NEWUSER), "unshare(user)")
    for name, text in (
        ("setgroups", "deny"),
        ("gid_map", f"{NOBODY} {group} 1"),
        ("uid_map", f"{NOBODY} {user} 1"),
    ):
        _write(f"/proc/self/{name}", text)
    # In a namespace of their own learners would hold capabilities again.
    _write("user/max_user_namespaces", "0", writable_sys)


def _write(path: str, text: str, folder: int | None = None) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY, dir_fd=folder)
    except OSError as error:
        raise IsolationError(f"open({path}): {error.strerror}") from None
    try:
        os.write(descriptor, text.encode())
    except OSError as error:
        raise IsolationError(f"write({path}): {error.strerror}") from None
    finally:
        os.close(descriptor)


def _drop_capabilities() -> None:
    """Give up every capability, for this process and those it will start.

    Raises:
        IsolationError: one is left, or the identity is not the one meant.
    """
    capability = 0
    while _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _check(_libc.prctl(_PR_SET_SECUREBITS, _SECUREBITS, 0, 0, 0), "prctl(securebits)")
    _check(_libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl(no_new_privs)")
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    _check(_libc.capset(header, bytes(24)), "capset")
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    left = [name for name in ("CapInh", "CapPrm", "CapEff", "CapBnd") if int(status[name], 16)]
    if left or status["NoNewPrivs"] != "1" or {*status["Uid"].split()} != {str(NOBODY)}:
        raise IsolationError(f"rights left: {left}, uid {status['Uid']}")


def _kernel(arguments: Sequence[str], key: str, listening: Mapping[str, int]) -> Any:
    """Build the kernel's application around sockets that already listen."""
    import zmq
    from ipykernel.kernelapp import IPKernelApp

    class ForkedKernelApp(IPKernelApp):
        """ipykernel's own application, but for where its sockets come from."""

        def init_connection_file(self) -> None:
            self.transport, self.ip = "ipc", "kernel"
            for port, name in enumerate(CHANNELS, 1):
                setattr(self, f"{name}_port", port)
            self.session.key = key.encode()

        def write_connection_file(self, **_: Any) -> None:
            pass

        def log_connection_info(self) -> None:
            self._ports = {name: getattr(self, f"{name}_port") for name in CHANNELS}

        def init_heartbeat(self) -> None:
            """Do without: the process itself is watched."""

        def _try_bind_socket(self, s: Any, port: int) -> int:
            s.setsockopt(zmq.USE_FD, listening[CHANNELS[port - 1]])
            s.bind(f"ipc://kernel-{port}")
            return port

        def init_control(self, context: Any) -> None:
            """Let the debugger be: it would look for a socket that is not on this disk."""
            super().init_control(context)
            with contextlib.suppress(zmq.ZMQError):
                self.debug_shell_socket.disconnect(
                    self.shell_socket.getsockopt(zmq.LAST_ENDPOINT).decode().rstrip("\0")
                )

    sys.argv[1:] = arguments
    app = ForkedKernelApp.instance()
    app.initialize(list(arguments))
    # What importing pyplot in a notebook does: it is imported already.
    inline = sys.modules.get("matplotlib_inline.backend_inline")
    if inline is not None:
        inline._enable_matplotlib_integration()
    return app


def send_files(channel: socket.socket, files: Mapping[str, bytes]) -> None:
    """Send files to the child; `receive_files` is the other end."""
    head = json.dumps([(name, len(content)) for name, content in files.items()]).encode()
    channel.sendall(struct.pack("=I", len(head)) + head)
    for content in files.values():
        channel.sendall(content)


def receive_files(channel: socket.socket, place: str) -> None:
    """Write in a folder the files that `send_files` sends.

    Raises:
        IsolationError: a name leads out of the folder, or the other end is gone.
    """
    (length,) = struct.unpack("=I", _receive(channel, 4))
    for name, size in json.loads(_receive(channel, length)):
        path = Path(place, name)
        if not path.resolve().is_relative_to(place):
            raise IsolationError(f"« {name} » leads out of {place}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_receive(channel, size))


def _receive(channel: socket.socket, size: int) -> bytes:
    content = bytearray()
    while len(content) < size:
        part = channel.recv(min(size - len(content), 1 << 20))
        if not part:
            raise IsolationError("the grader is gone")
        content += part
    return bytes(content)


def _mount_read_only(source: str, target: str, flags: int = 0) -> None:
    flags |= _MS_NOSUID | _MS_NODEV
    _mount(source, target, None, _MS_BIND | _MS_REC)
    _mount("none", target, None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | flags)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    _check(
        _libc.mount(
            source.encode(),
            os.fsencode(target),
            kind.encode() if kind else None,
            ctypes.c_ulong(flags),
            options.encode() or None,
        ),
        f"mount({target})",
    )


def _check(result: int, step: str) -> None:
    if result < 0:
        raise IsolationError(f"{step}: {os.strerror(ctypes.get_errno())}")


if __name__ == "__main__":
    main()
