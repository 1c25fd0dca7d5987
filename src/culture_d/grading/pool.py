"""Run submissions in several processes; a process that dies costs one submission at most."""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from itertools import islice
from multiprocessing import connection, get_context, parent_process, util

from culture_d.grading.model import Assignment, Failed, Graded, Limits, Repaired, Runner

MakeRunner = Callable[[], Runner]
# Enough for no process to wait, few enough for memory to stay flat.
AHEAD = 2
STOPPED = (
    "Le programme qui corrigeait ce devoir s'est arrêté deux fois : mémoire de la machine épuisée, "
    "ou arrêt par le système. Relancez la correction ; si cela recommence, lisez ce devoir à la main."
)


@dataclass(frozen=True)
class Task:
    """One submission to run."""

    assignment: str
    repaired: Repaired


def run_all(
    tasks: Iterable[Task],
    assignments: Mapping[str, Assignment],
    make_runner: MakeRunner,
    limits: Limits,
    jobs: int,
) -> Iterator[tuple[Task, Graded | Failed]]:
    """Run every submission and give each result as soon as it is there, in any order.

    Args:
        tasks: read as they are needed, a few ahead of the processes.
        assignments: by name; each process receives them once.
        make_runner: called once in each process; must be picklable.
        limits: of each submission.
        jobs: processes.
    """
    waiting = iter(tasks)
    suspects: list[Task] = []
    while True:
        # After a death, the submissions that were under way go one by one: the one that
        # kills its process again is known, the others are done.
        alone = bool(suspects)
        source = iter(suspects) if alone else waiting
        suspects = []
        pool = _open(assignments, make_runner, limits, 1 if alone else jobs)
        try:
            yield from _drain(pool, source, 1 if alone else jobs * AHEAD, suspects, alone)
        except BaseException:
            _kill(pool)
            raise
        pool.shutdown(wait=True)
        if not suspects and not alone:
            return
        if alone:
            suspects += list(source)


def _drain(
    pool: ProcessPoolExecutor,
    source: Iterator[Task],
    ahead: int,
    suspects: list[Task],
    alone: bool,
) -> Iterator[tuple[Task, Graded | Failed]]:
    """Give results until the source is dry or the pool is broken; then fill `suspects`."""
    under_way: dict[Future[Graded | Failed], Task] = {}
    while True:
        try:
            for task in islice(source, ahead - len(under_way)):
                under_way[pool.submit(_work, task)] = task
        except BrokenProcessPool:
            suspects.append(task)
        if not under_way:
            return
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        broken = False
        for future in done:
            task = under_way.pop(future)
            try:
                yield task, future.result()
            except BrokenProcessPool:
                broken = True
                suspects.append(task)
        if broken:
            suspects += under_way.values()
            if alone:
                guilty = suspects.pop(0)
                submission = guilty.repaired.submission
                yield guilty, Failed(submission.learner, submission.assignment, STOPPED)
            return


def _open(
    assignments: Mapping[str, Assignment], make_runner: MakeRunner, limits: Limits, jobs: int
) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        max_workers=jobs,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(dict(assignments), make_runner, limits),
    )


def _kill(pool: ProcessPoolExecutor) -> None:
    """Stop the pool now, whatever is under way."""
    processes = list((pool._processes or {}).values())
    pool.shutdown(wait=False, cancel_futures=True)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(5)
        if process.is_alive():
            process.kill()


_runner: Runner | None = None
_assignments: dict[str, Assignment] = {}
_limits = Limits()


def _begin(assignments: dict[str, Assignment], make_runner: MakeRunner, limits: Limits) -> None:
    """Make a process ready: it dies with its parent, and leaves Ctrl+C to it."""
    global _runner, _assignments, _limits
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_die_with, args=(parent.sentinel,), daemon=True).start()
    _assignments, _limits = assignments, limits
    _runner = make_runner()
    util.Finalize(None, _runner.close, exitpriority=10)


def _die_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)


def _work(task: Task) -> Graded | Failed:
    assert _runner is not None
    return _runner.grade(_assignments[task.assignment], task.repaired, _limits)
