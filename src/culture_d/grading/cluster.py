"""Run submissions on the workers of a dask cluster; the generator of `pool`, on other machines.

The scheduler keeps each submission until its result is here: a worker that is lost costs
time, never a result. The gradebook stays with the process that calls.
"""

import atexit
import hashlib
import logging
import pickle
import platform
import queue
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from culture_d.errors import GradingError, SandboxError, reason
from culture_d.grading.model import Assignment, Failed, Graded, Limits, Repaired, Runner
from culture_d.grading.pool import AHEAD, MakeRunner, Task

if TYPE_CHECKING:
    from distributed import Client, Future

STOPPED = (
    "Chaque programme qui a essayé de corriger ce devoir s'est arrêté : mémoire des machines "
    "épuisée, ou arrêt par le système. Relancez la correction ; si cela recommence, lisez ce "
    "devoir à la main."
)
CONNECTION_SECONDS = 15.0
WORKERS_SECONDS = 30.0
READY_SECONDS = 180.0
PATIENCE_SECONDS = 300.0
"""As long as machines that restart may take, before a run without any worker is given up."""
_LOOK_SECONDS = 2.0
_START = "« dask worker {address} --nthreads 1 --nworkers 2 »"
# What changes a score, or cannot be told from one machine to another.
_PACKAGES = ("distributed", "nbgrader", "nbclient", "ipykernel", "numpy", "pandas", "matplotlib")
_CODE = "programme de correction"


def run_all(
    tasks: Iterable[Task],
    assignments: Mapping[str, Assignment],
    make_runner: MakeRunner,
    limits: Limits,
    address: str,
) -> Iterator[tuple[Task, Graded | Failed]]:
    """Run every submission and give each result once, as soon as it is there, in any order.

    Args:
        tasks: read as they are needed, a few ahead of the workers.
        assignments: by name; a worker receives each of them once.
        make_runner: called once in each worker process; must be picklable.
        limits: of each submission.
        address: of the scheduler, `tcp://machine:8786`.

    Raises:
        GradingError: the scheduler cannot be reached or is lost, there is no worker, or one
            cannot correct as this machine would. What was given is right; a new run goes on.
    """
    order = _Order.made(make_runner, limits)
    with _quiet(), _connected(address) as client:
        room = _Room(client, address)
        room.check(order)
        kept = {
            # By its content: two runs at once share it, and it is there to be made again
            # should every worker that holds it be lost.
            name: client.submit(_same, one, key=f"exercice-{name}-{one.version}")
            for name, one in assignments.items()
        }
        waiting = iter(tasks)
        while True:
            suspects: list[Task] = []
            yield from _drain(room, kept, order, waiting, suspects)
            if not suspects:
                return
            # Several deaths of the workers it was on, or waiting on: one by one, the
            # submission whose workers die again is known, the others are done.
            for task in suspects:
                guilty: list[Task] = []
                yield from _drain(room, kept, order, iter([task]), guilty)
                for one in guilty:
                    submission = one.repaired.submission
                    yield one, Failed(submission.learner, submission.assignment, STOPPED)


@dataclass(frozen=True)
class _Order:
    """What goes with each submission: how to correct it, and with what."""

    make_runner: MakeRunner
    name: str
    """Digest of what makes a runner: the same on every machine, whatever their memory holds."""
    limits: Limits
    versions: Mapping[str, str]
    """Of what corrects here; a worker's must be the same."""

    @classmethod
    def made(cls, make_runner: MakeRunner, limits: Limits) -> "_Order":
        expected = versions()
        name = hashlib.sha256(pickle.dumps((make_runner, expected))).hexdigest()
        return cls(make_runner, name, limits, expected)


@dataclass(frozen=True)
class _Unfit:
    """A worker that cannot correct, and why, in French."""

    worker: str
    reason: str


@dataclass
class _Room:
    """The cluster as this run sees it."""

    client: "Client"
    address: str
    _size: int = 0
    _looked: float = field(default=float("-inf"))
    _last_seen: float = field(default_factory=time.monotonic)

    def size(self) -> int:
        """Count the workers, every now and then: they may come and go.

        Raises:
            GradingError: the scheduler is lost, or nobody works any more.
        """
        now = time.monotonic()
        if now - self._looked >= _LOOK_SECONDS:
            self._looked = now
            self._size = len(self._workers())
            if self.client.status != "running":
                raise _lost(self.address)
            if self._size:
                self._last_seen = now
            elif now - self._last_seen > PATIENCE_SECONDS:
                raise GradingError(
                    f"Plus aucun programme de correction n'est relié à « {self.address} ». "
                    f"Démarrez-en sur vos machines : {_START.format(address=self.address)}. "
                    "Puis relancez la même commande : elle continue où elle s'est arrêtée."
                )
        return self._size

    def check(self, order: _Order) -> None:
        """Have every worker make itself ready, or say what it lacks.

        Raises:
            GradingError: there is none, or one of them cannot correct.
        """
        try:
            self.client.wait_for_workers(1, timeout=WORKERS_SECONDS)
        except TimeoutError:
            raise GradingError(
                f"Aucun programme de correction n'est relié à « {self.address} ». Démarrez-en sur "
                f"vos machines : {_START.format(address=self.address)}. Puis relancez la commande."
            ) from None
        asked = [
            # A worker that leaves meanwhile is answered for by another.
            self.client.submit(
                _get_ready, order, workers=[worker], allow_other_workers=True, pure=False
            )
            for worker in self._workers()
        ]
        for future in asked:
            try:
                said = self.result(future, READY_SECONDS)
            except TimeoutError:
                raise GradingError(
                    "Un programme de correction ne répond pas. Regardez ce qu'il affiche, "
                    "arrêtez-le, puis relancez la commande."
                ) from None
            if isinstance(said, _Unfit):
                raise _refused(said)

    def result(self, future: "Future[Any]", seconds: float | None = None) -> object:
        """Receive what a worker gave.

        Returns:
            The result; None if each worker that had it died.

        Raises:
            GradingError: the scheduler is lost, or the worker has not this program.
            TimeoutError: after that many seconds.
        """
        from concurrent.futures import CancelledError

        from distributed import KilledWorker

        try:
            error = future.exception(timeout=seconds)
            if error is None:
                return future.result(timeout=seconds)
        except TimeoutError:
            raise (_lost(self.address) if seconds is None else TimeoutError) from None
        except (CancelledError, OSError):
            raise _lost(self.address) from None
        if isinstance(error, KilledWorker):
            return None
        if isinstance(error, ImportError):
            raise GradingError(
                f"Un programme de correction n'a pas celui du cours ({error}). Démarrez-le depuis "
                "l'environnement du cours : « .venv/bin/dask worker … ». Puis relancez la commande."
            )
        if isinstance(error, OSError):
            raise GradingError(
                f"Une machine ne peut plus corriger : {reason(error)}. Libérez son disque et sa "
                "mémoire, puis relancez la même commande : elle fera le reste."
            )
        raise error

    def _workers(self) -> list[str]:
        return list(self.client.scheduler_info(n_workers=-1).get("workers", ()))


def _drain(
    room: _Room,
    kept: Mapping[str, "Future[Any]"],
    order: _Order,
    source: Iterator[Task],
    suspects: list[Task],
) -> Iterator[tuple[Task, Graded | Failed]]:
    """Give results until the source is dry, or there are too many suspects to keep."""
    under_way: dict[object, tuple[Future[Any], Task]] = {}
    finished: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
    while True:
        ahead = max(1, room.size() * AHEAD)
        if len(suspects) < ahead:
            for task in islice(source, max(0, ahead - len(under_way))):
                future = room.client.submit(
                    _grade, kept[task.assignment], task.repaired, order, pure=False
                )
                under_way[future.key] = future, task
                future.add_done_callback(finished.put)
        if not under_way:
            return
        try:
            key = finished.get(timeout=_LOOK_SECONDS).key
        except queue.Empty:
            continue
        future, task = under_way.pop(key)
        result = room.result(future)
        # From now on, the scheduler may forget the submission.
        future.release()
        if isinstance(result, _Unfit):
            raise _refused(result)
        if result is None:
            suspects.append(task)
        else:
            assert isinstance(result, Graded | Failed), result
            yield task, result


def versions() -> dict[str, str]:
    """Say what a score may depend on: packages, Python, and the code of the grading itself."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "absent"
    code = hashlib.sha256()
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        code.update(path.name.encode() + b"\0" + path.read_bytes())
    found[_CODE] = code.hexdigest()[:8]
    return found


# What follows runs on the workers.


@dataclass
class _Kept:
    """The runner of this process, kept from one submission to the next."""

    name: str = ""
    runner: Runner | None = None
    obstacle: str | None = None
    lock: Lock = field(default_factory=Lock)

    def open(self, order: _Order) -> None:
        """Make the runner, if it is not there already."""
        if self.name == order.name:
            return
        self.close()
        self.obstacle = _difference(order.versions)
        if self.obstacle is None:
            try:
                self.runner = order.make_runner()
            except SandboxError as error:
                self.obstacle = str(error)
        # An obstacle is looked at again each time: it may have been removed.
        self.name = order.name if self.runner else ""

    def close(self) -> None:
        """Stop what the runner keeps ready."""
        runner, self.runner, self.name = self.runner, None, ""
        if runner is not None:
            runner.close()


_kept = _Kept()
atexit.register(_kept.close)


def _same(assignment: Assignment) -> Assignment:
    return assignment


def _get_ready(order: _Order) -> _Unfit | None:
    from distributed import get_worker

    worker = get_worker()
    if worker.state.nthreads != 1:
        return _Unfit(
            worker.address,
            "il travaille sur plusieurs devoirs à la fois. Démarrez-le avec « --nthreads 1 », "
            "et autant de programmes que de processeurs (« --nworkers »).",
        )
    with _kept.lock:
        _kept.open(order)
        return _Unfit(worker.address, _kept.obstacle) if _kept.obstacle else None


def _grade(assignment: Assignment, repaired: Repaired, order: _Order) -> Graded | Failed | _Unfit:
    """Correct one submission; any worker gives the same, so it may be asked of several."""
    if unfit := _get_ready(order):
        return unfit
    with _kept.lock:
        assert _kept.runner is not None, "made by `_get_ready`"
        return _kept.runner.grade(assignment, repaired, order.limits)


def _difference(expected: Mapping[str, str]) -> str | None:
    """Say in French what this process has that is not as expected."""
    mine = versions()
    wrong = [
        f"{name} {mine.get(name, 'absent')} au lieu de {wanted}"
        for name, wanted in expected.items()
        if mine.get(name) != wanted
    ]
    if not wrong:
        return None
    return (
        f"{', '.join(wrong)}. Installez-y la même version du cours (« requirements.lock »), puis "
        "démarrez-le à nouveau."
    )


# What follows runs where the command was typed.


@contextmanager
def _connected(address: str) -> Iterator["Client"]:
    try:
        from distributed import Client
    except ImportError:
        raise GradingError(
            "L'option « --scheduler » demande dask, absent d'ici. Installez le cours avec « make "
            "env », ou ajoutez-le : « pip install distributed »."
        ) from None
    try:
        client = Client(address, timeout=CONNECTION_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        said = f" ({error})" if isinstance(error, ValueError) else ""
        raise GradingError(
            f"Personne ne répond à l'adresse « {address} »{said}. Démarrez « dask scheduler » sur "
            "la machine qui répartit, ou corrigez l'adresse, comme « tcp://machine:8786 »."
        ) from None
    try:
        yield client
    finally:
        client.close(timeout=CONNECTION_SECONDS)


def _lost(address: str) -> GradingError:
    return GradingError(
        f"La liaison avec « {address} » est coupée. Ce qui est corrigé est gardé. Vérifiez que "
        "« dask scheduler » tourne, puis relancez la même commande : elle fera le reste."
    )


def _refused(unfit: _Unfit) -> GradingError:
    return GradingError(
        f"Le programme de correction « {unfit.worker} » ne peut pas corriger : {unfit.reason} "
        "Ce qui est corrigé est gardé : relancez ensuite la même commande."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep dask's own English messages off the terminal: ours say what to do."""
    with suppress(ImportError):
        import distributed  # noqa: F401, as it is imported, it gives its loggers their levels
    loggers = [
        logging.getLogger(name)
        for name in logging.root.manager.loggerDict
        if name.partition(".")[0] == "distributed"
    ]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module="distributed")
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
