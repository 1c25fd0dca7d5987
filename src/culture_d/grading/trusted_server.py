"""Run test cells on decoded values, in processes where no learner's code ever runs.

`python -m culture_d.grading.trusted_server` reads requests on its standard input and writes
one answer each on its standard output: eight bytes of length, then JSON. It imports pandas
and IPython once; for each assignment it forks a process that holds the assignment's files,
its `verifier` and its tables; that one forks a child for each check, which decodes the
values, runs the cell in a real IPython shell, sends the outputs that a kernel would have
sent, and dies. Nothing is left from one check to the next.
"""

import ast
import base64
import contextlib
import gc
import importlib
import io
import json
import os
import resource
import select
import signal
import sys
import tempfile
import time
import types
import warnings
from pathlib import Path, PurePosixPath
from typing import IO, Any

from culture_d.grading import checkable, describe, extraction

MEMORY = 4096 * 1024 * 1024
LONGEST_ANSWER = 16 * 1024 * 1024
MOST_ASSIGNMENTS = 8
_MOST_FILES = 4096


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


def _fork_to(work: Any, kept: int = -1) -> tuple[int, int]:
    """Fork a child that runs `work(write end of a pipe)`: its identifier, the read end.

    The child has no other file open than this one, `kept` and the standard ones.
    """
    ours, theirs = os.pipe()
    child = os.fork()
    if child:
        os.close(theirs)
        return child, ours
    try:
        low, high = sorted((theirs, kept)) if kept > 2 else (theirs, theirs)
        os.closerange(3, low)
        os.closerange(low + 1, high)
        os.closerange(high + 1, _MOST_FILES)
        work(theirs)
    finally:
        os._exit(0)


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
    places: dict[str, tuple[int, IO[bytes], IO[bytes]]] = {}
    send(answers, {"ready": True})
    while True:
        try:
            request = receive(asked)
        except EOFError:
            break
        name = request["assignment"]
        if "files" in request:
            while len(places) >= MOST_ASSIGNMENTS:
                _stop(*places.pop(next(iter(places))))
            places[name] = _open_assignment(request, shell, session)
            continue
        try:
            _, to, back = places[name]
            send(to, request)
            send(answers, receive(back))
        except (KeyError, EOFError, BrokenPipeError):
            # It died (no memory?): the caller opens the assignment again.
            lost = places.pop(name, None)
            if lost:
                _stop(*lost)
            send(answers, {"lost": True})
    for place in places.values():
        _stop(*place)


def _stop(process: int, to: IO[bytes], back: IO[bytes]) -> None:
    with contextlib.suppress(OSError):
        to.close()
    back.close()
    with contextlib.suppress(OSError):
        os.kill(process, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(process, 0)


def _open_assignment(
    request: Any, shell: Any, session: _Session
) -> tuple[int, IO[bytes], IO[bytes]]:
    asked, to = os.pipe()

    def work(answers: int) -> None:
        with os.fdopen(asked, "rb") as requests, os.fdopen(answers, "wb") as out:
            _serve_assignment(request, requests, out, shell, session)

    process, back = _fork_to(work, asked)
    os.close(asked)
    return process, os.fdopen(to, "wb"), os.fdopen(back, "rb")


def _serve_assignment(
    request: Any, requests: IO[bytes], answers: IO[bytes], shell: Any, session: _Session
) -> None:
    """Hold one assignment: its files in a folder of its own, its tables already read."""
    # Left to the caller to remove: a process that is killed removes nothing.
    folder = tempfile.mkdtemp()
    for name, text in request["files"].items():
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
        _warm(request["sources"])
    gc.collect()
    gc.freeze()
    while True:
        try:
            asked = receive(requests)
        except EOFError:
            return
        send(answers, _check_within(asked, shell, session))


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


def _check_within(asked: Any, shell: Any, session: _Session) -> Any:
    """Fork a child for one check; stop it when its time is over."""
    ends = time.monotonic() + float(asked["seconds"])
    child, back = _fork_to(lambda answers: _check(asked, answers, shell, session))
    pieces, size = [], 0
    try:
        while True:
            left = ends - time.monotonic()
            if left <= 0 or not select.select([back], [], [], left)[0]:
                return {"late": True}
            piece = os.read(back, 1 << 20)
            if not piece:
                break
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST_ANSWER:
                return {"dead": True}
    finally:
        os.close(back)
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    try:
        return json.loads(b"".join(pieces))
    except ValueError:
        return {"dead": True}


def _check(asked: Any, answers: int, shell: Any, session: _Session) -> None:
    """In the child: decode the values, run the cell, send what a kernel would have sent."""
    seconds = int(float(asked["seconds"])) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        values = extraction.decode(asked["description"])
    except extraction.DescriptionError:
        values = {name: extraction.Unreadable("illisible") for name in asked["names"]}
    allowed = set(asked["names"]) | set(asked["exact"])
    folded = {describe.fold(name) for name in asked["names"]}
    values = {n: v for n, v in values.items() if n in allowed or describe.fold(n) in folded}
    aside = [n for n in asked["optional"] if isinstance(values.get(n), extraction.Unreadable)]
    result: Any = {"kernel": aside}
    if not aside:
        _run(asked, values, shell, session)
        result = {"messages": session.messages}
    with os.fdopen(answers, "wb") as stream:
        stream.write(json.dumps(result).encode("ascii"))


def _run(asked: Any, values: dict[str, Any], shell: Any, session: _Session) -> None:
    sys.modules["__main__"] = shell.user_module
    sys.stdin = io.StringIO()
    sys.stdout, sys.stderr = _Printed("stdout", session), _Printed("stderr", session)
    exec(asked["prelude"], shell.user_ns)
    shell.user_ns.update(values)
    shell.execution_count = int(asked["count"])
    session.messages.clear()
    with warnings.catch_warnings():
        shell.run_cell(asked["source"], store_history=True)
    sys.stdout.flush()
    sys.stderr.flush()


if __name__ == "__main__":
    main()
