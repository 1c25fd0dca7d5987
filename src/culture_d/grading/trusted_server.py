"""Run test cells on decoded values, in processes where no learner's code ever runs.

`python -m culture_d.grading.trusted_server` reads requests on its standard input and writes
one answer each on its standard output: eight bytes of length, then JSON. It imports pandas
and IPython once; for each assignment it forks a process that holds the assignment's files,
its `verifier` and its tables; that one forks a child for each submission, which decodes the
values of each test cell, runs it in a real IPython shell, and gives the outputs that a
kernel would have sent. Nothing is left from one submission to the next, and the namespace
is empty at each cell.
"""

import ast
import base64
import contextlib
import gc
import importlib
import importlib.util
import io
import json
import os
import select
import signal
import sys
import tempfile
import time
import types
import warnings
from collections.abc import Callable, Collection
from pathlib import Path, PurePosixPath
from typing import IO, Any

from culture_d.grading import checkable, describe, extraction
from culture_d.grading.extraction import Unreadable

MEMORY = 4096 * 1024 * 1024
LONGEST_ANSWER = 16 * 1024 * 1024
MOST_ASSIGNMENTS = 8
PATIENCE = 10
"""A check may last so many times its time while it waits for a processor."""
_MOST_FILES = 4096
# `unittest.mock.ANY` is known to equal everything.
_NO_ANSWERS = frozenset({"__main__", "mock", "pytest", "unittest"})


def send(stream: IO[bytes], message: object) -> None:
    """Write one message: eight bytes of length, then JSON."""
    text = json.dumps(message).encode("ascii")
    stream.write(len(text).to_bytes(8, "big") + text)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """Read one message.

    Raises:
        EOFError: the other side is gone.
    """
    head = stream.read(8)
    size = int.from_bytes(head, "big")
    text = stream.read(size) if len(head) == 8 else b""
    if not text or len(text) < size:
        raise EOFError
    return json.loads(text)


class _Session:
    """Take the place of a kernel's link to its client: keep the messages."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, dict[str, Any]]] = []

    def msg(self, kind: str, content: Any = None, **about: Any) -> dict[str, Any]:
        return {"msg_type": kind, "content": content or {}}

    def send(
        self, stream: Any, message: Any, content: Any = None, *more: Any, **about: Any
    ) -> None:
        kind = message if isinstance(message, str) else message["msg_type"]
        self.messages.append((kind, content if isinstance(message, str) else message["content"]))


class _Printed(io.StringIO):
    """A standard stream of the cell: sent when it is flushed, as a kernel's."""

    def __init__(self, name: str, session: _Session) -> None:
        super().__init__()
        self._name, self._session = name, session

    def flush(self) -> None:
        text = self.getvalue()
        self.seek(0)
        self.truncate()
        if text:
            self._session.send(None, "stream", {"name": self._name, "text": text})


def _new_shell() -> tuple[Any, _Session]:
    """Make the shell of a kernel, without a kernel: its messages go to the session."""
    from ipykernel.compiler import XCachingCompiler
    from ipykernel.zmqshell import ZMQInteractiveShell
    from traitlets.config import Config

    config = Config()
    config.HistoryManager.enabled = False
    shell = ZMQInteractiveShell.instance(
        config=config, user_module=types.ModuleType("__main__"), compiler_class=XCachingCompiler
    )
    session = _Session()
    # Both traits accept a true Session only; nothing else of it is used.
    publishers: tuple[Any, ...] = (shell.displayhook, shell.display_pub)
    for publisher in publishers:
        publisher._trait_values["session"] = session
    # The first traceback loads what colours it: better before the forks.
    out = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _Printed("stdout", session), _Printed("stderr", session)
    shell.run_cell("1 / 0", store_history=False)
    shell.run_cell("1.0", store_history=False)
    sys.stdout, sys.stderr = out
    session.messages.clear()
    for name in ("_", "__", "___"):
        shell.user_ns[name] = ""
    shell.user_ns["Out"].clear()
    shell.user_ns.pop(f"_{shell.execution_count}", None)
    return shell, session


class _Child:
    """A forked process that serves requests, with no other file open than its two pipes."""

    def __init__(self, serve: Callable[[IO[bytes], IO[bytes]], None]) -> None:
        asked, to = os.pipe()
        back, answers = os.pipe()
        self.process = os.fork()
        if not self.process:
            try:
                low, high = sorted((asked, answers))
                os.closerange(3, low)
                os.closerange(low + 1, high)
                os.closerange(high + 1, _MOST_FILES)
                with contextlib.suppress(EOFError, BrokenPipeError):
                    serve(os.fdopen(asked, "rb"), os.fdopen(answers, "wb"))
            finally:
                os._exit(0)
        os.close(asked)
        os.close(answers)
        self.to, self.back = os.fdopen(to, "wb"), os.fdopen(back, "rb", buffering=0)

    def ask(self, request: object, seconds: float | None = None) -> Any:
        """Send a request and wait for its answer, which may take so many seconds.

        What the process waits for a processor is not counted.

        Raises:
            EOFError: the process stopped, or answers too much.
            TimeoutError: it did not answer in time.
        """
        began, before = time.monotonic(), self.processor()
        ends = None if seconds is None else began + seconds
        try:
            send(self.to, request)
        except BrokenPipeError:
            raise EOFError from None
        while True:
            try:
                size = int.from_bytes(self._read(8, ends), "big")
                break
            except TimeoutError:
                assert seconds is not None
                lasted = time.monotonic() - began
                used, waited = map(float.__sub__, self.processor(), before)
                if lasted >= PATIENCE * seconds or max(used, lasted - waited) >= 0.9 * seconds:
                    raise
                ends = time.monotonic() + seconds
        if size > LONGEST_ANSWER:
            raise EOFError
        return json.loads(self._read(size, ends))

    def _read(self, size: int, ends: float | None) -> bytes:
        pieces = b""
        while len(pieces) < size:
            left = None if ends is None else max(0.0, ends - time.monotonic())
            if not select.select([self.back], [], [], left)[0]:
                raise TimeoutError
            piece = self.back.read(size - len(pieces))
            if not piece:
                raise EOFError
            pieces += piece
        return pieces

    def processor(self) -> tuple[float, float]:
        """Give its processor time, and what it waited for one (seconds; 0 if not known)."""
        try:
            text = Path(f"/proc/{self.process}/schedstat").read_text(encoding="ascii")
            used, waited = map(int, text.split()[:2])
        except (OSError, ValueError):  # not Linux
            return 0.0, 0.0
        return used / 1e9, waited / 1e9

    def stop(self) -> None:
        """End the process, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, signal.SIGKILL)
        os.waitpid(self.process, 0)
        self.back.close()
        with contextlib.suppress(OSError):
            self.to.close()


def main() -> None:
    """Serve until the standard input ends."""
    asked, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import numpy  # noqa: F401
        import pandas  # noqa: F401

        shell, session = _new_shell()
    gc.collect()
    gc.freeze()
    places: dict[str, _Child] = {}
    send(answers, {"ready": True})
    while True:
        try:
            request = receive(asked)
        except EOFError:
            break
        name = request["assignment"]
        if "files" in request:
            while len(places) >= MOST_ASSIGNMENTS:
                places.pop(next(iter(places))).stop()
            places[name] = _Child(_Place(request, shell, session).serve)
            continue
        try:
            answer = places[name].ask(request)
        except (KeyError, EOFError):
            # It died (no memory?): the caller opens the assignment again.
            if name in places:
                places.pop(name).stop()
            answer = {"lost": True}
        send(answers, answer)
    for place in places.values():
        place.stop()


class _Place:
    """One assignment: its files in a folder of its own, its tables already read."""

    def __init__(self, request: Any, shell: Any, session: _Session) -> None:
        self._request, self._shell, self._session = request, shell, session
        self._submission: tuple[str, _Child] | None = None

    def serve(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        """Answer until the requests end: one child for the checks of each submission."""
        self._prepare()
        while True:
            try:
                request = receive(requests)
            except EOFError:
                self._end()
                return
            send(answers, self._check(request))

    def _prepare(self) -> None:
        # Left to the caller to remove: a process that is killed removes nothing.
        folder = tempfile.mkdtemp()
        for name, text in self._request["files"].items():
            place = Path(folder, *PurePosixPath(name).parts)
            if ".." in place.parts or not place.is_relative_to(folder):
                continue
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(base64.b64decode(text))
            place.chmod(0o444)
        os.chdir(folder)
        sys.path.insert(0, folder)
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            _warm(self._request["sources"])
        self._request = None
        gc.collect()
        gc.freeze()

    def _check(self, request: Any) -> Any:
        if self._submission is None or self._submission[0] != request["submission"]:
            self._end()
            work = _Checks(self._shell, self._session).serve
            self._submission = request["submission"], _Child(work)
        child, seconds = self._submission[1], float(request["seconds"])
        before = child.processor()[0]
        try:
            return child.ask(request, seconds)
        except TimeoutError:
            used = child.processor()[0] - before
            self._end()
            return {"late": "working" if used > seconds / 2 else "idle"}
        except EOFError:
            self._end()
            return {"dead": True}

    def _end(self) -> None:
        if self._submission is not None:
            self._submission[1].stop()
        self._submission = None


def _warm(sources: list[str]) -> None:
    """Import what the test cells import, and read the tables that `verifier` will keep."""
    for source in sources:
        tree = ast.parse(source)
        for node in tree.body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
                module = getattr(node, "module", None)
                for name in names or ([module] if module else []):
                    with contextlib.suppress(Exception):
                        importlib.import_module(name)
        verifier = sys.modules.get(checkable.VERIFIER)
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "verifier.table":
                with contextlib.suppress(Exception):
                    given = [ast.literal_eval(argument) for argument in call.args]
                    named = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
                    if verifier is not None:
                        verifier.table(*given, **named)


def _limit_memory() -> None:
    """Bound this process; where the system has no such limit, it is only used unprotected."""
    try:
        import resource
    except ImportError:  # Windows
        return
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):  # macOS, where the address space has no bound
        if sys.platform == "linux":
            raise


class _Checks:
    """The checks of one submission, one after the other, each in an empty namespace."""

    def __init__(self, shell: Any, session: _Session) -> None:
        self._shell, self._session = shell, session
        self._empty = dict(shell.user_ns)

    def serve(self, requests: IO[bytes], answers: IO[bytes]) -> None:
        """Answer until the requests end."""
        _limit_memory()
        sys.modules["__main__"] = self._shell.user_module
        sys.stdin = io.StringIO()
        while True:
            send(answers, self._check(receive(requests)))

    def _check(self, asked: Any) -> Any:
        """Decode the values, run the cell, give what a kernel would have sent."""
        values, lost = _values(asked)
        optional = set(asked["optional"])
        aside = [n for n in asked["exact"] if _is_left_out(lost.get(n, ()), n in optional)]
        if aside:
            return {"kernel": aside}
        shell, session = self._shell, self._session
        shell.user_ns.clear()
        shell.user_ns.update(self._empty)
        shell.user_ns["Out"].clear()
        sys.stdout, sys.stderr = _Printed("stdout", session), _Printed("stderr", session)
        exec(asked["prelude"], shell.user_ns)
        shell.user_ns.update(values)
        shell.execution_count = int(asked["count"])
        session.messages.clear()
        with warnings.catch_warnings():
            shell.run_cell(asked["source"], store_history=True)
        sys.stdout.flush()
        sys.stderr.flush()
        return {"messages": session.messages}


def _values(asked: Any) -> tuple[dict[str, Any], dict[str, frozenset[str]]]:
    """Decode the values of the names asked for, and of no other; and what is not in them."""
    try:
        read = extraction.decode(asked["description"])
    except extraction.DescriptionError:
        names = [*asked["names"], *asked["exact"]]
        return {name: Unreadable("illisible") for name in names}, {}
    folded = {describe.fold(name) for name in asked["names"]}
    exact = set(asked["exact"])
    wanted = {n: v for n, v in read.values.items() if n in exact or describe.fold(n) in folded}
    return wanted, read.lost


def _is_left_out(lost: Collection[str], optional: bool) -> bool:
    """Whether the cell must run in the kernel, for an honest answer may not have come whole.

    Where only plain data can be right, a class of the learner's own is no reason: that is
    how an object equals everything.
    """
    if not lost or optional or extraction.TOO_LARGE in lost:
        return bool(lost)
    return any(_is_of_a_library(module) for module in lost)


def _is_of_a_library(module: str) -> bool:
    name = module.partition(".")[0]
    if name in _NO_ANSWERS:
        return False
    try:
        return name in sys.modules or importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


if __name__ == "__main__":
    main()
