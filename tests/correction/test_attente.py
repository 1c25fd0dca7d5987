"""Points do not depend on what else the machine does: each delay is made here on purpose.

A program is stopped and let go, or starts late, where a busy machine would make it wait.
"""

import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest

from culture_d.errors import SandboxError
from culture_d.grading import execute, forked_kernel, trusted
from culture_d.grading.assignment import load_assignments
from culture_d.grading.fast import FastRunner
from culture_d.grading.forked_kernel import ForkServer
from culture_d.grading.model import Assignment, Failed, Graded, Limits, Repaired, Submission
from culture_d.grading.sandbox import Room
from culture_d.grading.trusted import AnswerCheck, TrustedChecker
from tests.correction.petit_groupe import RIGHT
from tests.correction.test_bac_a_sable import NEEDS_ROOMS

pytestmark = [pytest.mark.xdist_group("correction"), NEEDS_ROOMS]
LIMITS = Limits(cell_seconds=2)
"""Short, so that a delay is soon longer: the course allows 30 seconds."""
FULL = [0.0, 2.0, 3.0]


@pytest.fixture(scope="module")
def small(small_course: Path, tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """The assignment as a course hands it to a runner, its hidden tests known."""
    return load_assignments(small_course, cache=tmp_path_factory.mktemp("cache"))["petit"]


@pytest.fixture(scope="module")
def checker() -> Iterator[TrustedChecker]:
    with TrustedChecker() as one:
        yield one


@pytest.fixture(scope="module")
def runner(checker: TrustedChecker) -> Iterator[FastRunner]:
    made = FastRunner(partial(AnswerCheck, checker))
    yield made
    made.close()


def handed_in(small: Assignment, **answers: str) -> Repaired:
    notebook = nbformat.reads(small.notebooks["petit.ipynb"].decode(), as_version=4)
    for cell in notebook.cells:
        name = cell.metadata.nbgrader.grade_id
        cell.source = (RIGHT | answers).get(name, cell.source)
    submission = Submission("lea", "petit", {"petit.ipynb": nbformat.writes(notebook).encode()})
    return Repaired(submission, submission.digest)


def points(result: Graded | Failed) -> list[float | None]:
    assert isinstance(result, Graded), result
    return [score.automatic for score in sorted(result.scores, key=lambda one: one.cell)]


@contextmanager
def stopped(number: int, seconds: float) -> Iterator[None]:
    """Stop a process, and let it go after a while."""
    os.kill(number, signal.SIGSTOP)
    later = threading.Timer(seconds, os.kill, [number, signal.SIGCONT])
    later.start()
    try:
        yield
    finally:
        later.join()


def stop_once(
    monkeypatch: pytest.MonkeyPatch, seconds: float, at: str, times: int = 1
) -> list[str]:
    """Stop the kernel of a cell as the cell is given to it; give the cells, each time."""
    execute_cell = execute.GradedExecute.async_execute_cell
    seen: list[str] = []

    async def late(self: Any, cell: Any, index: int, *more: Any, **named: Any) -> Any:
        if cell.metadata.nbgrader.grade_id == at:
            seen.append(at)
            if len(seen) <= times:
                number = kernel_under(self.km.provisioner.room_number)
                os.kill(number, signal.SIGSTOP)
                threading.Timer(seconds, let_go, [number]).start()
        return await execute_cell(self, cell, index, *more, **named)

    monkeypatch.setattr(execute.GradedExecute, "async_execute_cell", late)
    return seen


def let_go(number: int) -> None:
    try:
        os.kill(number, signal.SIGCONT)
    except ProcessLookupError:
        return


def kernel_under(first: int) -> int:
    """Find the kernel in its room: the child of the room's first process."""
    return int(Path(f"/proc/{first}/task/{first}/children").read_text().split()[0])


def test_a_checker_slow_to_begin_takes_nothing_from_the_first_cell(
    runner: FastRunner, small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What once cost an honest learner 2 of 5 points: everything began at once on a busy machine."""
    popen = subprocess.Popen

    def late(words: list[str], **named: Any) -> Any:
        if words[-1] == "culture_d.grading.trusted_server":
            words = ["sh", "-c", f'sleep {LIMITS.cell_seconds + 1}; exec "$@"', "sh", *words]
        return popen(words, **named)

    monkeypatch.setattr(subprocess, "Popen", late)
    with TrustedChecker(isolated=False) as checker:
        kept = runner._runner.checker_for
        runner._runner.checker_for = partial(AnswerCheck, checker)
        try:
            result = runner.grade(small, handed_in(small), LIMITS)
        finally:
            runner._runner.checker_for = kept
    assert points(result) == FULL
    assert isinstance(result, Graded) and result.notes == ()


def test_a_cell_that_was_held_up_is_tried_again(
    runner: FastRunner, small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = stop_once(monkeypatch, LIMITS.cell_seconds + 1, "a")
    result = runner.grade(small, handed_in(small), LIMITS)
    assert points(result) == FULL
    assert seen == ["a", "a"]
    assert isinstance(result, Graded) and result.notes == ()


def test_a_cell_that_sleeps_is_late_all_the_same(
    runner: FastRunner, small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = stop_once(monkeypatch, 0, "b", times=0)
    result = runner.grade(small, handed_in(small, b="import time; time.sleep(60)"), LIMITS)
    assert points(result) == [0.0, 2.0, 0.0]
    assert seen == ["b", "b"]
    assert isinstance(result, Graded) and any("interrompue" in note for note in result.notes)


def test_a_cell_that_works_too_long_is_not_tried_twice(
    runner: FastRunner, small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And its time is its own: what it waited for a processor is left out."""
    seen = stop_once(monkeypatch, 0, "b", times=0)
    result = runner.grade(small, handed_in(small, b="while True: pass"), LIMITS)
    assert points(result) == [0.0, 2.0, 0.0]
    assert seen == ["b"]


def test_what_waits_for_a_processor_is_given_time_then_graded_at_another_moment(
    runner: FastRunner, small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Linux counts it: here, it says that all of the time was spent waiting."""
    began = time.monotonic()
    monkeypatch.setattr(execute, "waiting_seconds", lambda _: time.monotonic() - began)
    asleep = "import time; time.sleep({}); b = a + 1"
    long = LIMITS.cell_seconds + 1
    assert points(runner.grade(small, handed_in(small, b=asleep.format(long)), LIMITS)) == FULL
    monkeypatch.setattr(execute, "_PATIENCE", 2)
    result = runner.grade(small, handed_in(small, b=asleep.format(60)), LIMITS)
    assert isinstance(result, Failed) and "trop occupée" in result.reason


def test_a_result_that_came_too_late_is_asked_for_again(
    runner: FastRunner, small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A test run by the kernel: its reply is there, its last messages are not."""
    process = execute.GradedExecute.process_message
    lost: list[str] = []

    def losing(self: Any, msg: dict[str, Any], cell: Any, index: int) -> Any:
        name, said = cell.metadata.nbgrader.grade_id, msg["content"].get("execution_state")
        if name == "test-b" and said == "idle" and not lost:
            lost.append(name)
            return None
        return process(self, msg, cell, index)

    monkeypatch.setattr(execute.GradedExecute, "process_message", losing)
    monkeypatch.setattr(execute.GradedExecute, "_checked", _in_the_kernel)
    assert points(runner.grade(small, handed_in(small), LIMITS)) == FULL
    assert lost == ["test-b"]


async def _in_the_kernel(*_: object) -> bool:
    return False


@pytest.mark.parametrize("end", [signal.SIGSTOP, signal.SIGKILL], ids=["retardé", "arrêté"])
def test_a_check_that_was_held_up_is_made_again(
    runner: FastRunner,
    checker: TrustedChecker,
    small: Assignment,
    monkeypatch: pytest.MonkeyPatch,
    end: signal.Signals,
) -> None:
    """The first time, the process of the check is stopped or killed as it begins."""
    runner.grade(small, handed_in(small), LIMITS)
    done: list[int] = []
    ask = TrustedChecker._ask

    def held(self: TrustedChecker, assignment: Assignment, wanted: Any) -> Any:
        if not done:
            # The cell itself: it says who it is, then waits to be held up.
            before = set(below(checker_pid(self)))
            place = threading.Thread(target=hold, args=(self, before, end, done))
            place.start()
            wanted = {**wanted, "prelude": f"import time; time.sleep(1)\n{wanted['prelude']}"}
            try:
                return ask(self, assignment, wanted)
            finally:
                place.join()
        return ask(self, assignment, wanted)

    monkeypatch.setattr(TrustedChecker, "_ask", held)
    assert points(runner.grade(small, handed_in(small), LIMITS)) == FULL
    assert done


def checker_pid(checker: TrustedChecker) -> int:
    assert checker._process is not None
    return checker._process.pid


def below(number: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{number}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *below(child)]
    return found


def hold(checker: TrustedChecker, before: set[int], end: signal.Signals, done: list[int]) -> None:
    limit = time.monotonic() + 20
    while not done and time.monotonic() < limit:
        for number in set(below(checker_pid(checker))) - before:
            os.kill(number, end)
            done.append(number)
        time.sleep(0.01)


def test_a_checker_that_says_nothing_has_the_submission_graded_at_another_moment(
    small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trusted, "START_SECONDS", 1)
    monkeypatch.setattr(trusted, "sandboxed", lambda _: ("sleep", "60"))
    with TrustedChecker() as checker, pytest.raises(SandboxError, match="ne démarre pas"):
        checker.start()
        checker.wait()


def test_a_fork_server_that_answers_late_is_not_believed_any_longer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its late answer would be taken for the next kernel, which would look dead from the start."""
    monkeypatch.setattr(forked_kernel, "FORK_SECONDS", 1)
    server = ForkServer()
    try:
        server.wait()
        (number,) = (one for one in below(server._process.pid) if is_python(one))
        room = Room(tmp_path, {}, Limits())
        with stopped(number, 2), pytest.raises(SandboxError):
            server.fork(room, tmp_path / "n", ("-f", "kernel.json"), "clé")
        assert not server.alive
    finally:
        server.close()


def test_a_fork_server_lost_as_it_is_asked_is_replaced(
    small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner = FastRunner()
    try:
        assert isinstance(runner.server, ForkServer)
        runner.server._process.kill()
        runner.server._process.wait()
        revive, asked = runner._revive, []

        def seen_alive_once() -> None:
            asked.append(runner.server)
            if len(asked) > 1:
                revive()

        monkeypatch.setattr(runner, "_revive", seen_alive_once)
        assert points(runner.grade(small, handed_in(small), LIMITS)) == FULL
        assert len(asked) == 2
    finally:
        runner.close()


def is_python(number: int) -> bool:
    return b"forkserver" in Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0", 3)[2]


def test_the_end_of_a_kernel_told_late_is_not_taken_for_the_next_kernel(tmp_path: Path) -> None:
    server = ForkServer()
    try:
        server.wait()
        room = Room(tmp_path, {}, Limits())
        first = server.fork(room, tmp_path / "a", ("-f", "kernel.json"), "clé")
        first.kill()
        assert select.select([first._handle], [], [], 20)[0]
        second = server.fork(room, tmp_path / "b", ("-f", "kernel.json"), "clé")
        assert second.running and second.number
        first.close()
        assert first.ended is not None and second.running
        second.close()
    finally:
        server.close()
