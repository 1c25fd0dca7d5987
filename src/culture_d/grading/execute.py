"""Run a notebook to be graded so that a cell's failure stays that cell's.

nbgrader's own `Execute`, with three differences. A kernel that dies, or answers no
more, is replaced: the cells before are run again without the one that killed it, and
the rest goes on. Outputs are cut where they would fill the grader's memory. And a
graded cell may be handed to a checker, which runs it elsewhere.

What was chosen, on a death:

- a cell during which Python stopped is tried once more on a fresh kernel, after as long
  a rest as it took Python to die: if it dies meanwhile, an earlier cell left something
  behind, which is looked for by resting after each. A cell that stops Python again is
  left out, and its question gets nothing;
- « exit() » is the doing of its cell, though Python goes on for a tenth of a second;
- points do not depend on what else the machine does. The time of a cell leaves out what it
  spent waiting for a processor, and what a checker needs to begin with. A cell that was late
  without working, or of which the result did not come, is tried once more on a fresh kernel.
  Where nothing helps, `SandboxError` has the submission graded at another time;
- cells run again show nothing: what is stored is what they showed the first time.
"""

import asyncio
import contextlib
import copy
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

from jupyter_core.utils import ensure_async, run_sync
from nbclient.client import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.preprocessors import Execute

from culture_d.errors import SandboxError
from culture_d.grading.model import Limits
from culture_d.grading.sandbox import last_child, processor_of, room_use, waiting_seconds

MAX_RESTARTS = 8
KEPT_TEXT = 16 * 1024
"""What each cell may show in any case, once the notebook's outputs are too long (bytes)."""
_SHOWN_OUTPUT = 200
"""What an output weighs beside its text (bytes): many empty ones are also too many."""
_QUICK_SECONDS = 60
"""A cell that died sooner than that is tried again."""
_LONG_SECONDS = 1
"""What a shorter cell waited for is not looked for."""
_PATIENCE = 10
"""A cell may last so many times its time while it waits for a processor."""
_BUSY = (
    "La machine était trop occupée pour exécuter cette copie dans le temps prévu : elle n'a pas "
    "été notée. Relancez la correction quand d'autres programmes auront fini."
)
_LONGEST_SETTLING = 3.0
_DEAD = "Python s'est arrêté (mémoire épuisée, ou processus tué)"
_MEMORY = "demande plus de mémoire que ce qui est permis."
_NETWORK = "demande Internet, que la correction n'a pas : joignez les fichiers à votre copie."
_SAID = {"MemoryError": _MEMORY, "OutOfMemoryError": _MEMORY} | dict.fromkeys(
    ("URLError", "gaierror", "NewConnectionError", "ConnectionError", "ConnectError"), _NETWORK
)
_CUT = "\n… (sortie trop longue, coupée ici)\n"


class Checker(Protocol):
    """Handles some of the graded cells elsewhere than in the learner's interpreter."""

    def ready(self) -> "Awaitable[None] | None":
        """Wait until it can check: what it needs to begin is not the cell's time.

        Raises:
            SandboxError: it cannot: the machine's fault, not the learner's.
        """

    def check(
        self, cell: NotebookNode, kernel_client: Any, seconds: float
    ) -> "list[NotebookNode] | Awaitable[list[NotebookNode] | None] | None":
        """Give the outputs of a graded cell, or None to have it run as any other.

        `kernel_client` is a `jupyter_client.AsyncKernelClient` on the learner's kernel,
        which runs nothing meanwhile; the cell may last so many `seconds`.

        Raises:
            TimeoutError: the kernel did not answer in this time.
        """


@dataclass
class Session:
    """What the notebooks of one submission share while they run."""

    limits: Limits
    new_kernel: Any
    """Makes a kernel manager, not started, with the files as they were submitted."""
    checker: Checker | None = None
    notes: list[str] = field(default_factory=list)
    deadline: float = field(init=False)
    cpu_seconds: float = 0.0
    """Processor time of the rooms that were ended."""
    skippable: frozenset[str] = frozenset()
    """Cells that the course itself marks as not to be run."""

    def __post_init__(self) -> None:
        """Start the clock."""
        self.deadline = time.monotonic() + self.limits.total_seconds

    @property
    def left(self) -> float:
        """Seconds left to the submission."""
        return self.deadline - time.monotonic()

    def note(self, sentence: str) -> None:
        """Tell the learner something, once."""
        if sentence not in self.notes:
            self.notes.append(sentence)


class _Lost(Exception):
    """The kernel is gone, or must be."""

    def __init__(self, why: str, again: bool = False, late: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.again = again
        """Whether the cell may be tried once more."""
        self.late = late
        """Whether something did not come in time, which says nothing of the kernel's health."""


class GradedExecute(Execute):  # type: ignore[misc]
    """nbgrader's `Execute`, for a submission of which nothing is trusted.

    Used through a subclass made for one submission: `GradedExecute.bound(session)`.
    """

    session: ClassVar[Session]
    kc: Any
    km: Any
    widget_state: dict[str, Any]
    widget_buffers: dict[str, Any]
    error_on_timeout: Any

    @classmethod
    def bound(cls, session: Session) -> type["GradedExecute"]:
        """Give the class for one submission; its settings are those of `Execute`."""
        return type("GradedExecute", (cls,), {"session": session})

    def preprocess(
        self, nb: NotebookNode, resources: Any = None, km: Any = None
    ) -> tuple[NotebookNode, Any]:
        """Run the notebook, in place.

        Raises:
            SandboxError: a kernel could not be started: the machine's fault, not the learner's.
        """
        NotebookClient.__init__(self, nb, km)
        self.reset_execution_trackers()
        self._check_assign_resources(resources)
        # What bounds a cell is ours, whatever the course says of it.
        self.interrupt_on_timeout = self.raise_on_iopub_timeout = True
        self.error_on_timeout = self.error_on_timeout or Execute.error_on_timeout.default()
        # A tag of the learner's must not keep a test from running.
        self.skip_cells_with_tag = ""
        self.spent = 0
        self.timed_out = self.cut = self.searching = False
        self.settling = 0.0
        try:
            run_sync(self._run)()
        except BaseException:  # on Ctrl+C, `_run` stops where it is
            run_sync(self._stop)()
            raise
        self.set_widgets_metadata()
        return self.nb, self.resources

    async def _run(self) -> None:
        self.left_out: set[int] = set()
        """Cells not to be run again: they stopped Python, or were checked elsewhere."""
        self.done: list[int] = []
        self.restarts = 0
        try:
            for index, cell in enumerate(self.nb.cells):
                if cell.cell_type == "code" and not self._is_skipped(cell):
                    await self._grade(index, cell)
        finally:
            await self._stop()

    def _is_skipped(self, cell: NotebookNode) -> bool:
        tagged = "skip-execution" in cell.metadata.get("tags", [])
        empty = not cell.source.strip()
        known = _grade_id(cell) in self.session.skippable or not utils.is_grade(cell)
        return empty or (tagged and known)

    async def _grade(self, index: int, cell: NotebookNode) -> None:
        """Run one cell, whatever becomes of its kernel."""
        self.tried = False
        while True:
            if self.session.left <= 0:
                return self._give_up(cell, index, "le temps prévu pour le devoir est écoulé")
            if self.restarts > MAX_RESTARTS:
                return self._give_up(cell, index, "Python s'est arrêté trop de fois")
            if not await self._ready():
                continue
            started = time.monotonic()
            try:
                await self._one(cell, index)
            except _Lost as lost:
                await self._stop()
                lasted = time.monotonic() - started
                if lost.again and not self.tried and (lost.late or lasted < _QUICK_SECONDS):
                    # Dead at once, or by what an earlier cell left running: look closer.
                    self.tried = True
                    self.settling = 0.0 if lost.late else min(lasted, _LONGEST_SETTLING)
                    self.restarts -= lost.late
                    continue
                self._leave_out(index, lost.why)
                self._fail(cell, index, "DeadKernelError", lost.why, told=False)
            self.settling = 0.0
            self.done.append(index)
            return None

    async def _ready(self) -> bool:
        """Have a kernel where all the cells before ran but those left out."""
        if self.kc is not None:
            return True
        await self._start()
        last = max((one for one in self.done if one not in self.left_out), default=-1)
        for earlier in self.done:
            if earlier in self.left_out:
                continue
            shown, spent = self.nb.cells[earlier], self.spent
            try:
                await self._one(copy.deepcopy(shown), earlier, again=True)
                if self.settling and (earlier == last or self.searching):
                    await self._settle()
            except _Lost as lost:
                await self._stop()
                if earlier == last and self.settling and not self.searching:
                    # Killed while idle: find which cell does it, resting after each.
                    self.searching = True
                else:
                    self._leave_out(earlier, lost.why)
                    self.searching = False
                return False
            finally:
                self.nb.cells[earlier], self.spent = shown, spent
        self.searching = False
        return True

    async def _settle(self) -> None:
        """Wait as long as it took Python to die, and look whether it still answers.

        Raises:
            _Lost: it does not.
        """
        await asyncio.sleep(self.settling)
        if not await ensure_async(self.km.is_alive()):
            raise _Lost(_DEAD)

    async def _one(self, cell: NotebookNode, index: int, again: bool = False) -> None:
        """Run one cell on the kernel there is; what it waits for a processor is not counted.

        Raises:
            _Lost: the kernel is dead, answers no more, or says what cannot be understood.
        """
        self.began = time.monotonic()
        self.used, self.waited = processor_of(self.main)
        try:
            await self._run_one(cell, index, again)
        finally:
            if self.used_up:  # what a cell waited that ran to the end of it all changes nothing
                self.session.deadline = min(self.session.deadline, time.monotonic())
            elif time.monotonic() - self.began > _LONG_SECONDS:
                self.session.deadline += max(0.0, self._use()[1] - self.waited)

    async def _run_one(self, cell: NotebookNode, index: int, again: bool) -> None:
        self.timed_out = self.cut = self.used_up = False
        self.asked_exit = False
        self.first_spent = self.spent
        self.allowed = self._get_timeout(cell)
        if self.widget_state:
            self._drop_widgets()
        try:
            if not again and await self._checked(cell, index):
                return
            # As numbered without the cells that were run again.
            count = cell.execution_count if again else len(self.done) + 1
            await self.async_execute_cell(cell, index, execution_count=count)
        except DeadKernelError:
            why = _DEAD
            if getattr(self.km.provisioner, "memory_exceeded", False):
                why = "la mémoire permise a été dépassée"
            raise _Lost(why, again=True) from None
        except CellTimeoutError:
            if not self.timed_out:
                # The reply came, and not all of the outputs: too many of them, or too late.
                if utils.is_grade(cell) and not again and not self.tried:
                    raise _Lost(self._too_long(), again=True, late=True) from None
                self._lose_outputs(cell, index)
                return
            self._late(again)
            raise _Lost(self._too_long()) from None
        except (SandboxError, _Lost):
            raise
        except Exception as error:
            # nbclient could not make sense of what the kernel sent, which the learner's code
            # can write as it likes.
            why = f"Python a renvoyé un message illisible ({type(error).__name__})"
            raise _Lost(why, again=True) from error
        if self.timed_out:
            self._late(again)
        self._say(cell, index)
        if self.asked_exit and not again:
            await self._stop()
            self._leave_out(index, "elle demande à Python de s'arrêter (exit() ou quit())")

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Notice « exit() »: the kernel ends a little later, during no matter which cell."""
        super().on_cell_executed(**kwargs)
        payload = kwargs["execute_reply"]["content"].get("payload") or []
        self.asked_exit = any(part.get("source") == "ask_exit" for part in payload)

    async def _checked(self, cell: NotebookNode, index: int) -> bool:
        """Offer a graded cell to the checker; False if it leaves it to the kernel.

        Raises:
            TimeoutError: what it asked of the kernel did not come.
        """
        checker = self.session.checker
        if checker is None or not utils.is_grade(cell):
            return False
        await ensure_async(checker.ready())
        self.allowed = self._get_timeout(cell)
        check = ensure_async(checker.check(cell, self.kc, self.allowed))
        # The kernel and the check are each held to the time of the cell; the machine may not be.
        longest = 2 * _PATIENCE * self.allowed
        try:
            outputs = await asyncio.wait_for(check, longest)
        except TimeoutError:
            if time.monotonic() - self.began >= longest:
                raise SandboxError(_BUSY) from None
            self.timed_out = True
            self._late(again=False)
            raise _Lost(self._too_long()) from None
        if outputs is None:
            return False
        self.left_out.add(index)
        cell.outputs = [NotebookNode(output) for output in outputs]
        cell.execution_count = len(self.done) + 1
        return True

    def _say(self, cell: NotebookNode, index: int) -> None:
        where = _name(cell, index)
        if self.timed_out:
            self.session.note(f"{where} : {self._too_long()}. Elle a été interrompue.")
            self.left_out.add(index)
        kinds = {output.get("ename") for output in cell.get("outputs", ())}
        for said in sorted({_SAID[kind] for kind in kinds & set(_SAID)}):
            self.session.note(f"{where} {said}")
        if self.cut:
            self.session.note(
                f"{where} affiche plus que ce qui peut être gardé : la suite a été coupée."
            )

    def _late(self, again: bool) -> None:
        """Tell a cell that took its time from one that had none, when its time is over.

        Raises:
            _Lost: it did not work for half of its time: it may do better on a fresh kernel.
            SandboxError: it had nearly none, however long it was waited for.
        """
        if self._starved():
            raise SandboxError(_BUSY)
        used = self._use()[0] - self.used
        # One that showed too much has been heard: it is its answer that was too long to come.
        if not (again or self.tried or self.cut) and used < self.allowed / 2:
            raise _Lost(self._too_long(), again=True, late=True)
        self.used_up = self.bounded

    def _starved(self) -> bool:
        """Say whether the cell would be in time, had it not waited for a processor."""
        used, waited = self._use()
        took = time.monotonic() - self.began - (waited - self.waited)
        return bool(max(took, used - self.used) < 0.9 * self.allowed)

    def _use(self) -> tuple[float, float]:
        """Give the processor time of the kernel's room so far, and what it waited for one."""
        number = getattr(getattr(self.km, "provisioner", None), "room_number", 0)
        return (room_use(number)[1], waiting_seconds(number)) if number else (0.0, 0.0)

    def _too_long(self) -> str:
        return f"la cellule a duré plus de {self.allowed:.3g} secondes"

    def _lose_outputs(self, cell: NotebookNode, index: int) -> None:
        """Mark a cell of which some outputs are missing: in a test, the points may be among them."""
        self.session.note(f"{_name(cell, index)} affiche trop de choses : une partie est perdue.")
        if utils.is_grade(cell):
            self._fail(cell, index, "OutputLost", "trop d'affichage pour lire le résultat", False)

    def _fail(self, cell: NotebookNode, index: int, kind: str, why: str, told: bool = True) -> None:
        """Leave in a cell the error that says why it has no result."""
        if told:
            self.session.note(f"{_name(cell, index)} : {why}.")
        line = f"\x1b[0;31m{kind}\x1b[0m: {why}"
        cell.setdefault("outputs", [])
        cell.outputs.append(new_output("error", ename=kind, evalue=why, traceback=[line]))

    def _give_up(self, cell: NotebookNode, index: int, why: str) -> None:
        """Leave a cell without running it: said for those that have points only."""
        self._fail(cell, index, "NotRun", why, told=utils.is_grade(cell))

    def _leave_out(self, index: int, why: str) -> None:
        self.left_out.add(index)
        self.session.note(
            f"{_name(self.nb.cells[index], index)} : {why}. La suite a été notée sans elle."
        )

    # The kernel

    def create_kernel_manager(self) -> Any:
        """Make a manager for a fresh kernel."""
        self.km = self.session.new_kernel()
        return self.km

    async def _start(self) -> None:
        self.create_kernel_manager()
        self.restarts += bool(self.done)
        try:
            await self.async_start_new_kernel()
            await self.async_start_new_kernel_client()
            reply = await self.async_wait_for_reply(self.kc.kernel_info())
        except SandboxError:
            await self._stop()
            raise
        except (RuntimeError, DeadKernelError, OSError) as error:
            await self._stop()
            raise SandboxError(
                f"Python n'a pas démarré pour cette copie : {error}. Vérifiez la mémoire et le "
                "disque de la machine, puis relancez la correction."
            ) from error
        self.main = last_child(getattr(self.km.provisioner, "room_number", 0))
        if reply:
            self.nb.metadata["language_info"] = reply["content"]["language_info"]

    async def _stop(self) -> None:
        """End the kernel, and all that it started."""
        if self.km is not None:
            try:
                if self.km.has_kernel:
                    await ensure_async(self.km.shutdown_kernel(now=True))
            finally:
                used = getattr(self.km.provisioner, "cpu_seconds", 0.0)
                self.session.cpu_seconds += used
                await ensure_async(self.km.cleanup_resources())
                if self.kc is not None:
                    self.kc.stop_channels()
                context = self.km.context
                self.kc = self.km = None
                context.destroy(linger=0)

    def _get_timeout(self, cell: NotebookNode | None) -> Any:
        own = super()._get_timeout(cell) or self.session.limits.cell_seconds
        own = min(own, self.session.limits.cell_seconds)
        left = self.session.left
        self.bounded = left < own  # by what is left to the submission, not by its own limit
        return max(0.1, min(own, left))

    async def _async_poll_kernel_alive(self) -> None:
        with contextlib.suppress(AssertionError):  # the kernel was ended: nobody waits for it
            await super()._async_poll_kernel_alive()

    async def _async_handle_timeout(self, timeout: Any, cell: NotebookNode | None = None) -> Any:
        if self._starved() and time.monotonic() - self.began < _PATIENCE * self.allowed:
            return None  # waits as long again
        self.timed_out = True
        return await super()._async_handle_timeout(timeout, cell)

    # What it says

    def process_message(
        self, msg: dict[str, Any], cell: NotebookNode, cell_index: int
    ) -> NotebookNode | None:
        """Take a message of the kernel, cut to what may be kept."""
        kind = msg["msg_type"]
        if kind == "clear_output":
            self.spent = self.first_spent
        elif kind not in ("execute_input", "status") and not self._fits(kind, msg):
            self.cut = True
            return None
        result: NotebookNode | None = super().process_message(msg, cell, cell_index)
        return result

    def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
        # A display that a cut or a new kernel has taken away has no update.
        with contextlib.suppress(IndexError, KeyError):
            super()._update_display_id(display_id, msg)

    def _fits(self, kind: str, msg: dict[str, Any]) -> bool:
        """Count an output, and shorten it; False if nothing of it may be kept."""
        content = msg["content"]
        size = _SHOWN_OUTPUT + _weight(content) + sum(map(len, msg.get("buffers") or []))
        room = self.session.limits.output - self.spent
        if size > room:
            # Whatever was printed before, each cell may say a few words, and its points.
            room = max(room, KEPT_TEXT - (self.spent - self.first_spent))
        if size > room:
            if kind == "stream" and room > _SHOWN_OUTPUT + len(_CUT):
                content["text"] = str(content.get("text"))[: room - _SHOWN_OUTPUT] + _CUT
                self.cut = True
            elif kind == "error":
                content["evalue"] = str(content.get("evalue"))[:1000]
                content["traceback"] = [f"{content.get('ename')!s:.100}: {content['evalue']}{_CUT}"]
                self.cut = True
            elif kind == "execute_result":
                text = str(content.get("data", {}).get("text/plain"))
                content["data"] = {"text/plain": text[:1000]}
                self.cut = True
            else:
                return False
        self.spent += min(size, max(room, 0))
        return True

    def _drop_widgets(self) -> None:
        if _weight(self.widget_state) > self.session.limits.output:
            self.widget_state, self.widget_buffers = {}, {}
            self.cut = True


def _weight(value: Any) -> int:
    """Measure the texts of a message (bytes, about)."""
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(len(str(key)) + _weight(part) for key, part in value.items())
    if isinstance(value, list | tuple):
        return sum(map(_weight, value))
    return 8


def _grade_id(cell: NotebookNode) -> str:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", ""))


def _name(cell: NotebookNode, index: int) -> str:
    name = _grade_id(cell)
    return f"La cellule « {name} »" if name else f"La cellule n° {index + 1} du carnet"
