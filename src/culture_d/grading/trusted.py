"""Check answers outside the learner's interpreter, and give the outputs of a kernel.

`TrustedChecker` keeps a process (`trusted_server`) where no learner's code ever runs.
`AnswerCheck` is what a runner calls in place of executing a graded test cell: the learner's
kernel describes the variables that the cell reads, never receives the cell, and the cell
runs over there. In its place, the kernel runs its visible imports: a later cell may rely on
them, and is numbered as if the test cell had run.

Outputs are those of a kernel, to the character, but for three things: where a traceback
shows a folder, where a test shows the address or the `repr` of a learner's own object, and
what a later cell reads of a test cell (`question_1`, `_`, `Out`, `In`), which is not there.

What an answer can still do is in `extraction`: lie about its own value, which is then the
value that is marked. What it cannot do: compare as it likes, replace `verifier`, pandas or
Python's own functions, rewrite the files beside the notebook, read the hidden tests, or
change its mind once read.
"""

import asyncio
import base64
import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Empty
from types import TracebackType
from typing import IO, Any, Self

import nbformat
from jupyter_core.utils import ensure_async
from nbclient.exceptions import DeadKernelError

import culture_d
from culture_d.errors import SandboxError
from culture_d.grading import checkable, extraction
from culture_d.grading.checkable import Plan
from culture_d.grading.model import Assignment
from culture_d.grading.scratch import scratch
from culture_d.grading.trusted_server import receive, send

# Of the clock, which a busy machine makes longer: points must not depend on that.
CHECK_SECONDS = 60.0
DESCRIPTION_SECONDS = 60.0
START_SECONDS = 60.0
_ALIVE_EVERY = 1.0
# nbgrader's own, for a cell that lasts too long.
_LATE = (
    "CellTimeoutError",
    "",
    "\x1b[0;31mCellTimeoutError\x1b[0m: No reply from kernel before timeout",
)
_STOPPED = (
    "DeadKernelError",
    "La vérification s'est arrêtée.",
    "La vérification s'est arrêtée : mémoire épuisée, ou sortie trop longue.",
)
_SILENT = (
    "Le programme qui vérifie les réponses ne répond pas : la machine est trop occupée. Cette copie "
    "n'a pas été notée. Relancez la correction quand d'autres programmes auront fini."
)
_NOT_THERE = (
    "Le programme qui vérifie les réponses ne démarre pas, ou s'arrête sans cesse. Vérifiez la "
    "mémoire et le disque de la machine, puis relancez la correction."
)


def sandboxed(folder: Path) -> tuple[str, ...]:
    """Give the start of a command that runs the checks without network nor rights.

    The system is read-only but for `folder`. Nothing when bubblewrap is not there: what
    runs is the exercise's own code, on decoded values.
    """
    program = shutil.which("bwrap")
    if program is None:
        return ()
    tight = (program, "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL")
    seen = ("--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--bind", *[str(folder)] * 2)
    command = (*tight, *seen, "--unsetenv", "JPY_PARENT_PID", "--")
    trial = [*command, sys.executable, "-c", ""]
    tried = subprocess.run(trial, capture_output=True, check=False)
    return command if tried.returncode == 0 else ()


class TrustedChecker:
    """A process that runs test cells on plain values. Used by one thread at a time."""

    def __init__(self, isolated: bool = True) -> None:
        self._isolated = isolated
        self._process: subprocess.Popen[bytes] | None = None
        self._folder: Path | None = None
        self._kept = contextlib.ExitStack()
        self._opened: set[str] = set()
        self._ready = False
        self._abandoned = False
        self._busy = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the process, without waiting: it prepares itself in a second or so."""
        if self._process is not None and self._process.poll() is None:
            return
        self.close()
        self._folder = self._kept.enter_context(scratch())
        source = str(Path(culture_d.__file__).resolve().parents[1])
        prefix = sandboxed(self._folder) if self._isolated else ()
        self._process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "culture_d.grading.trusted_server"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/" if os.name != "nt" else None,
            env={
                **{k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "TZ")},
                "PYTHONPATH": source,
                "PYTHONUTF8": "1",
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONHASHSEED": "0",
                "HOME": str(self._folder),
                "IPYTHONDIR": str(self._folder / "ipython"),
                "TMPDIR": str(self._folder),
                "MPLBACKEND": "agg",
                "OPENBLAS_NUM_THREADS": "1",
            },
        )

    def wait(self) -> None:
        """Wait until the process can check; `start` it first.

        Raises:
            SandboxError: it cannot, or not in time: the machine's fault, not the learner's.
        """
        with self._busy:
            self._streams()

    def check(
        self,
        assignment: Assignment,
        source: str,
        plan: Plan,
        description: object,
        submission: str,
        count: int = 1,
        seconds: float = CHECK_SECONDS,
    ) -> list[Any] | None:
        """Run a test cell on the described values; the outputs are nbformat's.

        Args:
            assignment: whose files the cell reads, as the teacher made them.
            source: the cell, hidden tests included.
            plan: what `checkable.plan` says of it.
            description: what the learner's kernel answered to `extraction.snippet`; anything
                else is an answer that cannot be read.
            submission: any name of its own: another name is checked in another process.
            count: the cell's execution number, for « Out[n] » and « Cell In[n] ».
            seconds: how long the cell may last. What took longer without working for half of
                this time, or stopped, is checked once more: the machine may have been busy.

        Returns:
            The outputs, or None when a value that may honestly be no plain data is not: the
            cell must then run in the learner's kernel.

        Raises:
            SandboxError: the process cannot be started: the machine's fault, not the learner's.
        """
        wanted = {
            "assignment": assignment.version,
            "submission": submission,
            "source": source,
            "description": description if isinstance(description, str) else None,
            "names": plan.names,
            "exact": plan.exact,
            "optional": sorted(plan.optional),
            "prelude": plan.prelude,
            "count": count,
            "seconds": seconds,
        }
        with self._busy:
            answer = self._ask(assignment, wanted)
            if "dead" in answer or answer.get("late") == "idle":
                answer = self._ask(assignment, wanted)
        if answer.get("kernel"):
            return None
        if "messages" in answer:
            return _outputs(answer["messages"])
        name, value, line = _LATE if "late" in answer else _STOPPED
        return [nbformat.v4.new_output("error", ename=name, evalue=value, traceback=[line])]

    def _ask(self, assignment: Assignment, wanted: object) -> Any:
        """Ask the process; once more if it was not there any longer."""
        self._abandoned = False
        for _ in range(2):
            with contextlib.suppress(EOFError, BrokenPipeError):
                asked, answers = self._streams()
                self._open(assignment, asked)
                send(asked, wanted)
                answer = receive(answers)
                if "lost" not in answer:
                    return answer
                self._opened.discard(assignment.version)
            if self._abandoned:
                raise SandboxError(_SILENT)
        raise SandboxError(_NOT_THERE)

    def abandon(self) -> None:
        """End, from another thread, a check that nobody waits for any longer."""
        self._abandoned = True
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """Stop the process and remove its folder."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.stdin.close()  # type: ignore[union-attr]
            try:
                self._process.wait(2)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()  # type: ignore[union-attr]
        self._kept.close()
        self._process = self._folder = None
        self._opened.clear()
        self._ready = False

    def _streams(self) -> tuple[IO[bytes], IO[bytes]]:
        self.start()
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        if not self._ready:
            late = threading.Timer(START_SECONDS, process.kill)
            late.start()
            try:
                receive(process.stdout)
            except EOFError:
                raise SandboxError(_NOT_THERE) from None
            finally:
                late.cancel()
            self._ready = True
        return process.stdin, process.stdout

    def _open(self, assignment: Assignment, asked: IO[bytes]) -> None:
        if assignment.version in self._opened:
            return
        files = {n: base64.b64encode(text).decode("ascii") for n, text in assignment.files.items()}
        sources = checkable.data_cells(assignment)
        send(asked, {"assignment": assignment.version, "files": files, "sources": sources})
        self._opened.add(assignment.version)


def _outputs(messages: Sequence[Sequence[Any]]) -> list[Any]:
    """Turn a kernel's messages into outputs as nbclient does: one of each stream."""
    outputs: list[Any] = []
    streams: dict[str, Any] = {}
    for kind, content in messages:
        if kind == "clear_output":
            outputs.clear()
            streams.clear()
        elif kind not in ("stream", "display_data", "execute_result", "error"):
            continue
        else:
            output = nbformat.v4.output_from_msg({"header": {"msg_type": kind}, "content": content})
            known = streams.get(output.get("name")) if kind == "stream" else None
            if known is not None:
                known.text += output.text
                continue
            if kind == "stream":
                streams[output.name] = output
            outputs.append(output)
    return outputs


class AnswerCheck:
    """Check the test cells of one submission, in place of a kernel executing them.

    One for each submission: what its cells import and change is not seen by another's.
    """

    def __init__(
        self, checker: TrustedChecker, assignment: Assignment, seconds: float = CHECK_SECONDS
    ) -> None:
        self._checker, self._assignment, self._seconds = checker, assignment, seconds
        self._plans: dict[str, Plan | None] = {}
        self._submission = uuid.uuid4().hex

    async def ready(self) -> None:
        """Wait until checks can be made: not to be counted in the time of a cell.

        Raises:
            SandboxError: they cannot: the machine's fault, not the learner's.
        """
        # Here and not in the thread: bubblewrap ends with the thread that started it.
        self._checker.start()
        await asyncio.to_thread(self._checker.wait)

    async def check(self, cell: Any, client: Any, seconds: float | None = None) -> list[Any] | None:
        """Give the outputs of a graded cell; None when the kernel must execute it as usual.

        Sets the cell's execution number. Later cells are numbered as if the kernel had run it.

        Args:
            cell: a cell as nbgrader runs it, hidden tests included.
            client: the learner's kernel, a jupyter_client `AsyncKernelClient`.
            seconds: how long the cell may last.

        Raises:
            DeadKernelError: the kernel stopped.
            TimeoutError: it does not answer in this time.
            SandboxError: the check did not, though it is held to this time.
        """
        source, plan = self._plan(cell)
        if plan is None:
            return None
        longest = min(seconds or DESCRIPTION_SECONDS, DESCRIPTION_SECONDS)
        described, count = await _describe(client, plan, longest)
        # Here and not in the thread: bubblewrap ends with the thread that started it.
        self._checker.start()
        try:
            outputs = await asyncio.to_thread(
                self._checker.check,
                self._assignment,
                source,
                plan,
                described,
                self._submission,
                count,
                min(seconds or self._seconds, self._seconds),
            )
        except asyncio.CancelledError:
            self._checker.abandon()
            raise
        if outputs is not None:
            reply = await _ask(client, plan.kernel, longest, silent=False, store_history=True)
            number = reply.get("execution_count")
            cell.execution_count = number if isinstance(number, int) else None
        return outputs

    def _plan(self, cell: Any) -> tuple[str, Plan | None]:
        """Give what the course itself wrote in this cell, and how to check it."""
        own = checkable.own_test(self._assignment, cell)
        if own is None:
            return "", None
        if own.source not in self._plans:
            self._plans[own.source] = checkable.plan(own.source, self._assignment, own.metadata)
        return own.source, self._plans[own.source]


async def _describe(client: Any, plan: Plan, seconds: float) -> tuple[object, int]:
    """Ask the kernel for its variables: their description, and the number of the next cell."""
    for portable in (False, True):
        wanted = {"values": extraction.snippet(plan.names, plan.exact, portable)}
        reply = await _ask(
            client, "", seconds, silent=True, store_history=False, user_expressions=wanted
        )
        # A silent request says the number of the last cell that was not.
        number = reply.get("execution_count")
        count = number + 1 if isinstance(number, int) and 0 <= number < 10**9 else 1
        try:
            return reply["user_expressions"]["values"]["data"][extraction.MIME], count
        except (KeyError, TypeError):
            # Another Python does not read what this one compiled.
            continue
    return None, count


async def _ask(client: Any, code: str, seconds: float, **how: Any) -> Mapping[str, Any]:
    """Have the kernel run something, and give its reply.

    Raises:
        DeadKernelError: the kernel stopped.
        TimeoutError: it does not answer.
    """
    request = await ensure_async(
        client.execute(code, allow_stdin=False, stop_on_error=False, **how)
    )
    ends = time.monotonic() + seconds
    while (left := ends - time.monotonic()) > 0:
        try:
            waiting = client.shell_channel.get_msg(timeout=min(left, _ALIVE_EVERY))
            message = await ensure_async(waiting)
        except Empty:
            if not await ensure_async(client.is_alive()):
                raise DeadKernelError("Kernel died") from None
            continue
        if message["parent_header"].get("msg_id") == request:
            content = message["content"]
            return content if isinstance(content, Mapping) else {}
    raise TimeoutError
