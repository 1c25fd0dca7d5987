"""Correcting on a real cluster of the loopback address: nothing lost, nothing twice.

A scheduler and two workers, each a process of its own, started by the commands that the
page « À grande échelle » gives.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from distributed import Client, LocalCluster
from nbgrader.api import Gradebook

from culture_d.errors import GradingError
from culture_d.grading import cluster
from culture_d.grading.model import Assignment, Failed, Graded, Limits, Repaired, Submission
from culture_d.grading.pool import AHEAD, Task
from culture_d.grading.run import PLAIN, Options, Outcome, correct
from tests.correction.petit_groupe import RIGHT, WRONG, hand_in

pytestmark = [
    pytest.mark.xdist_group("correction"),
    pytest.mark.skipif(os.name == "nt", reason="SIGKILL"),
]
ROOT = Path(__file__).resolve().parents[2]
DASK = Path(sys.executable).with_name("dask")
LOOPBACK = ("--host", "127.0.0.1", "--no-dashboard")
DEVOIR = Assignment("petit", b"", {}, {})
START_SECONDS = 60
# One death is not enough to suspect a submission; more would only make the test longer.
SETTINGS = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}


@dataclass
class Grappe:
    """A scheduler, and the folder where it says its address."""

    folder: Path
    scheduler: "subprocess.Popen[bytes]"

    @property
    def address(self) -> str:
        found: str = json.loads((self.folder / "adresse.json").read_text())["address"]
        return found

    @contextmanager
    def worker(self) -> Iterator["subprocess.Popen[bytes]"]:
        """Start what restarts a worker (`dask worker` keeps its nanny), and the worker."""
        place = ("--scheduler-file", self.folder / "adresse.json", "--local-directory", self.folder)
        with running("worker", *place, "--nthreads", "1", *LOOPBACK) as process:
            yield process

    @contextmanager
    def client(self) -> Iterator[Client]:
        with Client(self.address, set_as_default=False) as client:
            yield client

    def pids(self) -> list[int]:
        """Give the process of each worker; its nanny, another process, starts it again."""
        with self.client() as client:
            return sorted(client.run(os.getpid).values())


@contextmanager
def running(*arguments: object) -> Iterator["subprocess.Popen[bytes]"]:
    """Start a dask command in a group of its own, and end the group."""
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    process = subprocess.Popen(
        [DASK, *map(str, arguments)],
        env={**os.environ, **SETTINGS, "PYTHONPATH": path},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
                process.wait(10)
            except (ProcessLookupError, subprocess.TimeoutExpired):
                continue


@contextmanager
def grappe(folder: Path, workers: int) -> Iterator[Grappe]:
    folder.mkdir(exist_ok=True)
    file = folder / "adresse.json"
    with ExitStack() as started:
        command = ("scheduler", "--port", "0", "--scheduler-file", file, *LOOPBACK)
        process = started.enter_context(running(*command))
        limit = time.monotonic() + START_SECONDS
        while not file.exists() or not file.read_text().endswith("}"):
            assert process.poll() is None and time.monotonic() < limit
            time.sleep(0.05)
        made = Grappe(folder, process)
        for _ in range(workers):
            started.enter_context(made.worker())
        with made.client() as client:
            client.wait_for_workers(workers, timeout=START_SECONDS)
        yield made


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grappe]:
    """A scheduler and two workers, for the tests that leave as many."""
    with grappe(tmp_path_factory.mktemp("grappe"), 2) as made:
        yield made


@dataclass
class Obedient:
    """A runner that does what the submission asks of its worker, and says who began what."""

    begun: Path

    def grade(self, assignment: Assignment, repaired: Repaired, limits: Limits) -> Graded | Failed:
        submission = repaired.submission
        (self.begun / f"{submission.learner} {os.getpid()} {time.monotonic_ns()}").touch()
        if "tuer" in submission.files:
            os.kill(os.getpid(), signal.SIGKILL)
        if "attendre" in submission.files:
            time.sleep(float(submission.files["attendre"]))
        return Graded(submission.learner, assignment.name, {}, ())

    def close(self) -> None:
        (self.begun.parent / "fermé").touch()


def task(learner: str, orders: Mapping[str, bytes] | None = None) -> Task:
    return Task("petit", Repaired(Submission(learner, "petit", orders or {}), "0"))


def run(tasks: Iterator[Task], made: Grappe, begun: Path) -> Iterator[tuple[Task, Any]]:
    begun.mkdir(exist_ok=True)
    make = partial(Obedient, begun)
    return cluster.run_all(tasks, {"petit": DEVOIR}, make, Limits(), made.address)


def test_a_few_are_read_ahead_and_each_worker_makes_one_runner(two: Grappe, tmp_path: Path) -> None:
    read = 0

    def tasks() -> Iterator[Task]:
        nonlocal read
        for number in range(40):
            read += 1
            yield task(f"e{number}")

    found = []
    for done, (one, result) in enumerate(run(tasks(), two, tmp_path / "b"), 1):
        assert read <= done + 2 * AHEAD
        assert one.repaired.submission.learner == result.learner
        found.append(result.learner)
    assert sorted(found) == sorted(f"e{number}" for number in range(40))
    began = [path.name.split() for path in (tmp_path / "b").iterdir()]
    assert len(began) == 40
    assert {int(pid) for _, pid, _ in began} == set(two.pids())


def test_what_kills_each_of_its_workers_is_the_only_one_lost(
    two: Grappe, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tasks = [task(f"e{number}", {"tuer": b""} if number == 3 else {}) for number in range(9)]
    found = {result.learner: result for _, result in run(iter(tasks), two, tmp_path / "b")}
    assert len(found) == 9
    assert {name for name, result in found.items() if isinstance(result, Failed)} == {"e3"}
    assert found["e3"].reason == cluster.STOPPED
    assert caplog.records == [], "dask says nothing to the reader, who would not know what to do"
    # Two deaths with others about, two alone.
    assert len(list((tmp_path / "b").glob("e3 *"))) == 4


def test_a_worker_lost_in_mid_run_loses_nothing_and_gives_nothing_twice(
    two: Grappe, tmp_path: Path
) -> None:
    tasks = (task(f"e{number}", {"attendre": b"0.2"}) for number in range(10))
    found, lost, under_way = [], 0, set()
    for _, result in run(tasks, two, tmp_path / "b"):
        found.append(result.learner)
        if len(found) == 3:
            lost = two.pids()[0]
            under_way = _under_way(tmp_path / "b", lost, found)
            os.kill(lost, signal.SIGKILL)
    assert sorted(found) == sorted(f"e{number}" for number in range(10))
    assert under_way
    began = [path.name.split() for path in (tmp_path / "b").iterdir()]
    for learner in under_way:
        others = {int(pid) for one, pid, _ in began if one == learner} - {lost}
        assert others, "done again elsewhere"


def _under_way(begun: Path, pid: int, found: list[str]) -> set[str]:
    """Wait for a worker to be at a submission that has given nothing yet."""
    for _ in range(200):
        began = {path.name.split()[0] for path in begun.glob(f"* {pid} *")} - set(found)
        if began:
            return began
        time.sleep(0.01)
    return set()


def class_of(course: Path, small: Assignment, size: int) -> None:
    for number in range(size):
        slow = "\nimport time; time.sleep(0.4)"
        answers = RIGHT if number % 3 else WRONG
        kept = {name: code + slow * (name == "b") for name, code in answers.items()}
        hand_in(course / "submitted", f"eleve-{number:02d}", small, kept)


def points(course: Path) -> dict[str, list[tuple[str, float | None, bool]]]:
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {
            one.student_id: sorted(
                (grade.name, grade.auto_score, grade.needs_manual_grade)
                for notebook in one.notebooks
                for grade in notebook.grades
            )
            for one in book.assignment_submissions("petit")
        }


@pytest.mark.long
def test_a_class_graded_by_a_cluster_that_loses_a_worker_has_the_points_of_the_pool(
    two: Grappe, course: Path, small: Assignment, tmp_path: Path
) -> None:
    class_of(course, small, 6)
    other = tmp_path / "autre"
    shutil.copytree(course, other)
    expected = correct(Options(other / "submitted", jobs=1), None)
    killed: list[int] = []

    def say(done: int, total: int, stage: str) -> None:
        if done == 2 and not killed:
            killed.append(two.pids()[0])
            os.kill(killed[0], signal.SIGKILL)

    outcome = correct(Options(course / "submitted", scheduler=two.address), None, say)
    assert killed
    names = [entry.learner for entry in outcome.graded]
    assert sorted(names) == sorted(entry.learner for entry in expected.graded)
    assert len(names) == len(set(names)) == 6
    assert points(course) == points(other)
    for name in names:
        assert (course / "feedback" / name / "petit" / "petit.html").is_file()


def graded_here(course: Path, made: Grappe, **options: Any) -> Outcome:
    return correct(Options(course / "submitted", scheduler=made.address, **options), None)


def test_a_worker_that_would_not_give_the_same_points_is_refused(
    two: Grappe, course: Path, small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    class_of(course, small, 1)
    mine = {**cluster.versions(), "nbgrader": "0.0.1"}
    with monkeypatch.context() as changed:
        changed.setattr(cluster, "versions", lambda: mine)
        with pytest.raises(GradingError, match=r"nbgrader 0\.9\.\d au lieu de 0\.0\.1"):
            graded_here(course, two)
    with two.client() as client:
        before = client.run(_set_path, str(course))
        try:
            with pytest.raises(GradingError, match=r"bubblewrap.*sans-isolation"):
                graded_here(course, two, method=PLAIN)
            assert not points(course)
            # Its remedy is one, and is said.
            outcome = graded_here(course, two, isolated=False)
            assert len(outcome.graded) == 1
            assert "Sans isolation" in outcome.warnings[0]
        finally:
            client.run(_set_path, next(iter(before.values())))


def _set_path(path: str) -> str:
    before = os.environ["PATH"]
    os.environ["PATH"] = path
    return before


def test_a_worker_with_several_threads_is_refused(tmp_path: Path) -> None:
    with (
        LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=":0"
        ) as local,
        pytest.raises(GradingError, match="« --nthreads 1 »"),
    ):
        made = partial(Obedient, tmp_path)
        address = local.scheduler_address
        list(cluster.run_all(iter([task("e")]), {"petit": DEVOIR}, made, Limits(), address))


def test_a_place_where_nobody_answers_is_named(
    course: Path, monkeypatch: pytest.MonkeyPatch, small: Assignment
) -> None:
    class_of(course, small, 1)
    monkeypatch.setattr(cluster, "CONNECTION_SECONDS", 0.5)
    for address in ("tcp://127.0.0.1:9", "ailleurs://127.0.0.1"):
        with pytest.raises(GradingError, match=f"{address}.*dask scheduler"):
            correct(Options(course / "submitted", scheduler=address), None)


def test_a_scheduler_without_worker_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "WORKERS_SECONDS", 0.5)
    with (
        LocalCluster(n_workers=0, processes=False, dashboard_address=":0") as local,
        pytest.raises(GradingError, match=r"dask worker .*--nthreads 1"),
    ):
        made = partial(Obedient, tmp_path)
        address = local.scheduler_address
        list(cluster.run_all(iter([task("e")]), {"petit": DEVOIR}, made, Limits(), address))


@pytest.mark.long
def test_without_its_scheduler_a_run_says_so_and_the_next_one_goes_on(
    two: Grappe, course: Path, small: Assignment
) -> None:
    """The last one: it leaves nothing of the cluster."""
    class_of(course, small, 5)

    def say(done: int, total: int, stage: str) -> None:
        if done == 2:
            two.scheduler.kill()

    with pytest.raises(GradingError, match="coupée") as caught:
        correct(Options(course / "submitted", scheduler=two.address), None, say)
    assert "relancez" in str(caught.value)
    kept = points(course)
    assert 2 <= len(kept) < 5
    again = correct(Options(course / "submitted", jobs=1), None)
    assert {entry.learner for entry in again.unchanged} == set(kept)
    assert len(points(course)) == 5
