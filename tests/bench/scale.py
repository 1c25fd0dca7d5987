"""What one submission costs at each step, as the plan for millions of them needs to know.

A real run of `culture-d corriger` through a scheduler and one worker, each step of the process
that writes being timed; then one gradebook filled by SQL to the size of a département, to see
what its size changes. Written to `book/mesures.yml`, which the page « À grande échelle » reads.

Other programs of the machine may weigh on the clock. What a worker does counts for the
processor's time of all its processes, and so do the last tables. A step of the process that
writes counts for its processor's time and the shortest of its waits, mostly for the disk,
exercise by exercise.
"""

import os
import platform
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import tracemalloc
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock
from urllib.error import URLError
from uuid import uuid4

import nbformat
import psutil
import yaml
from distributed import LocalCluster
from nbclient import NotebookClient
from rich.table import Table

from culture_d.french import nombre
from culture_d.grading import cluster, run
from culture_d.grading.assignment import load_assignments
from culture_d.grading.database import SQLITE
from culture_d.grading.feedback import write_feedback
from culture_d.grading.intake import read_submissions
from culture_d.grading.ledger import Ledger
from culture_d.grading.record import GradebookWriter
from culture_d.grading.run import Options, correct
from culture_d.project import Project
from culture_d.scale import MEASURES, SOAK, STEPS, load_measures, write_sizing
from culture_d.serve import ADDRESS
from culture_d.working_copy import make_working_copy
from tests.bench.grading import submissions
from tests.bench.tables import LESSON

LEARNERS = 10
FILLED = 40_000
"""Submissions of the large gradebook."""
AGAIN = 16
_EVERY_SECONDS = 1.0
HEAD = """\
# Ce que coûte une copie à chaque étape de la correction, mesuré par « make bench ».
# Écrit par tests/bench/scale.py, et l'épreuve par tests/soak/many.py (« make soak »).
# La page « À grande échelle » en calcule ses tableaux.
"""


def write_measures(project: Project, found: Mapping[str, Any]) -> None:
    """Write the file that the page reads."""
    text = yaml.safe_dump(dict(found), allow_unicode=True, sort_keys=False)
    (project.book / MEASURES).write_text(HEAD + text, encoding="utf-8")


def scale(project: Project) -> Table:
    """Measure, write the file, and show what it says."""
    with tempfile.TemporaryDirectory(prefix="echelle-") as scratch:
        found = _measured(project, Path(scratch))
    soak = yaml.safe_load((project.book / MEASURES).read_text(encoding="utf-8"))[SOAK]
    write_measures(project, found | {SOAK: soak})
    measures = load_measures(project)
    write_sizing(project)
    table = Table("Une copie, étape par étape", "ms", "qui")
    for name, step in STEPS.items():
        who = "un correcteur" if step.by_worker else "le programme qui écrit"
        table.add_row(step.words, nombre(1000 * measures.seconds[name], 1), who)
    table.caption = f"Écrit dans « book/{MEASURES} »."
    return table


def _measured(project: Project, root: Path) -> dict[str, Any]:
    count = _class(project, root)
    course, watch = root / "cours", _Stopwatch()
    settings = {"n_workers": 1, "threads_per_worker": 1, "host": "127.0.0.1"}
    with LocalCluster(processes=True, dashboard_address=":0", **settings) as local:
        address = local.scheduler_address
        worker = psutil.Process(next(iter(local.workers.values())).pid)
        options = Options(root / "reçus", course=course, scheduler=address)
        used: dict[int, float] = {}

        def note(done: int, total: int, stage: str) -> None:
            # From the first result, once everything is started, to the last.
            if stage == "correction" and done in (1, total):
                used[done] = _cpu(worker)

        with watch.patched(), _Memory(worker) as memory:
            outcome = correct(options, project, note)
        highest = memory.highest
    assert len(outcome.graded) == count, (outcome.failed[:3], outcome.refused[:3])
    apart = {
        "correction": (used[count] - used[1]) / (count - 1),
        "bilan": watch.tables / count,
    }
    sizes = {
        "recue": _bytes(course / "submitted") / count,
        "notebook": _bytes(course / "autograded") / count,
        "retour": _bytes(course / "feedback") / count,
        "registre": _bytes(course / ".culture-d" / "etat") / count,
    }
    kept = _kept_in_memory(course) / count
    large = _large_gradebook(course)
    apart["reprise"] = large["reprise"]
    seconds = {name: apart.get(name) or watch.cost(name) for name in STEPS}
    return {
        "date": date.today(),
        "machine": {
            "processeurs": os.cpu_count(),
            "modele": _model(),
            "memoire": psutil.virtual_memory().total,
            "systeme": f"{platform.system()} {platform.machine()}",
            "charge": round(os.getloadavg()[2], 1),
        },
        "copies": count,
        "secondes": {name: round(value, 5) for name, value in seconds.items()},
        "octets": {
            name: round(value) for name, value in {**sizes, "carnet": large["octets"]}.items()
        },
        "memoire": {
            "correcteur": highest,
            "copie": round(kept),
            "reprise": large["memoire"],
            "place": _seat(project, root / "place"),
        },
        "grand_carnet": {
            "copies": FILLED,
            "secondes": round(large["secondes"], 5),
            "secondes_au_debut": round(watch.cost("base") + watch.cost("retour"), 5),
        },
    }


def _class(project: Project, root: Path) -> int:
    """Write the class in nbgrader's layout: each exercise, as ten learners hand it in."""
    given = load_assignments(project.exercises, cache=root / "cache")
    models = [one.submission for one in submissions(project, given)]
    ranks = defaultdict(list)
    for model in models:
        ranks[model.assignment].append(model)
    for slug, written in ranks.items():
        for rank in range(LEARNERS):
            place = root / "reçus" / f"eleve-{rank:02d}" / slug
            place.mkdir(parents=True)
            for name, content in written[rank % len(written)].files.items():
                (place / name).write_bytes(content)
    return len(ranks) * LEARNERS


class _Time(NamedTuple):
    """Seconds on the clock, and of processor for this thread."""

    wall: float
    cpu: float

    @classmethod
    def now(cls) -> "_Time":
        return cls(time.perf_counter(), time.thread_time())

    def minus(self, other: "_Time") -> "_Time":
        return _Time(self.wall - other.wall, self.cpu - other.cpu)


def _cost(times: Sequence[_Time]) -> float:
    """Give the processor's time, on average, and the shortest wait (seconds)."""
    wait = min(max(0.0, one.wall - one.cpu) for one in times)
    return statistics.fmean(one.cpu for one in times) + wait


@dataclass
class _Stopwatch:
    """Times what the calling process does, by step and by exercise."""

    times: dict[str, dict[str, list[_Time]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    tables: float = 0.0
    """Of processor, for the last tables: seconds."""

    def patched(self) -> ExitStack:
        """Time each step of a run, until left."""
        stack = ExitStack()
        read, desk = read_submissions, run._Desk
        record, report = desk.record, desk.report

        def reading(*arguments: Any) -> Iterator[Any]:
            items = iter(read(*arguments))
            while True:
                began = _Time.now()
                item = next(items, None)
                if item is None:
                    return
                self.add("lecture", getattr(item, "assignment", ""), began)
                yield item

        def recording(self_: Any, graded: Any) -> Any:
            began = _Time.now()
            entry = record(self_, graded)
            self.add("inscription", graded.assignment, began)
            return entry

        def reporting(self_: Any) -> None:
            began = time.process_time()
            report(self_)
            self.tables = time.process_time() - began

        for place, name, step, slug in (
            (run, "repair", "reparation", lambda given: given[0].assignment),
            (desk, "receive", "copie", lambda given: given[1].assignment),
            (run, "write_feedback", "retour", lambda given: given[2].name),
            (cluster._Room, "result", "echange", lambda given: ""),
            (GradebookWriter, "record", "base", lambda given: given[2]),
        ):
            timed = self._timed(getattr(place, name), step, slug)
            stack.enter_context(mock.patch.object(place, name, timed))
        stack.enter_context(mock.patch.object(run, "read_submissions", reading))
        stack.enter_context(mock.patch.object(desk, "report", reporting))
        stack.enter_context(mock.patch.object(desk, "record", recording))
        return stack

    def _timed(
        self, action: Callable[..., Any], step: str, slug: Callable[[Any], str]
    ) -> Callable[..., Any]:
        def timed(*given: Any, **named: Any) -> Any:
            began = _Time.now()
            try:
                return action(*given, **named)
            finally:
                self.add(step, slug(given), began)

        return timed

    def add(self, step: str, slug: str, began: _Time) -> None:
        self.times[step][slug].append(_Time.now().minus(began))

    def cost(self, step: str) -> float:
        """Average a step over the exercises (seconds); the source is read twice."""
        each = statistics.fmean(_cost(times) for times in self.times[step].values())
        if step == "inscription":
            # The page is written within.
            return each - self.cost("retour")
        return each * (2 if step == "lecture" else 1)


class _Memory(threading.Thread):
    """Watches the memory of a process and all it starts: shared pages are shared out (PSS)."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._stop_asked = threading.Event()
        self.highest = 0

    def __enter__(self) -> "_Memory":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_asked.set()
        self.join()

    def run(self) -> None:
        while not self._stop_asked.wait(_EVERY_SECONDS):
            total = 0
            for one in (self._process, *self._process.children(recursive=True)):
                with suppress(psutil.Error):
                    total += one.memory_full_info().pss
            self.highest = max(self.highest, total)


def _kept_in_memory(course: Path) -> int:
    """Say how many bytes the entries of a run take, which it keeps until its last table."""
    ledger = Ledger(course)
    slugs = sorted(path.name for path in (course / ".culture-d" / "etat").iterdir())
    tracemalloc.start()
    kept = [entry for slug in slugs for entry in ledger.entries(slug)]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept
    return size


def _large_gradebook(course: Path) -> dict[str, Any]:
    """Fill a gradebook with copies of what it holds, then write and tell as a run does."""
    path, ledger = course / "gradebook.db", Ledger(course)
    url = f"{SQLITE}{path}"
    before = path.stat().st_size
    added = _fill(path, FILLED)
    grown = (path.stat().st_size - before) / added
    assignments = load_assignments(course)
    with sqlite3.connect(path) as base:
        known = dict(base.execute(_PER_ASSIGNMENT))
    times = defaultdict(list)
    with GradebookWriter(url) as book:
        for slug in sorted(assignments):
            entry = next(ledger.entries(slug))
            place = course / run.AUTOGRADED / entry.learner / slug
            notebooks = {one.stem: one.read_bytes() for one in place.glob("*.ipynb")}
            for rank in range(AGAIN):
                began = _Time.now()
                learner = f"nouveau-{rank}"
                book.record(learner, slug, entry.scores, entry.comments, entry.late_penalties)
                write_feedback(
                    course / "essai",
                    url,
                    assignments[slug],
                    learner,
                    notebooks,
                    (),
                    result=book.result(slug, learner),
                )
                times[slug].append(_Time.now().minus(began))
        process = psutil.Process()
        memory, started = process.memory_info().rss, time.process_time()
        found = book.fingerprints(slug)
        taken = time.process_time() - started
        memory = process.memory_info().rss - memory
    assert len(found) == known[slug] + AGAIN
    return {
        "octets": grown,
        "secondes": statistics.fmean(map(_cost, times.values())),
        "reprise": taken / len(found),
        "memoire": max(1, round(memory / len(found))),
    }


_PER_ASSIGNMENT = """
SELECT assignment.name, count(*) FROM submitted_assignment
JOIN assignment ON assignment.id = submitted_assignment.assignment_id GROUP BY assignment.name
"""


def _fill(path: Path, wanted: int) -> int:
    """Copy the submissions of the gradebook, all their rows, under other names."""
    with sqlite3.connect(path) as base:
        base.execute("PRAGMA synchronous = OFF")
        models = base.execute("SELECT * FROM submitted_assignment").fetchall()
        below = {
            one[0]: [
                (
                    notebook,
                    base.execute(
                        "SELECT * FROM grade WHERE notebook_id = ?", notebook[:1]
                    ).fetchall(),
                    base.execute(
                        "SELECT * FROM comment WHERE notebook_id = ?", notebook[:1]
                    ).fetchall(),
                )
                for notebook in base.execute(
                    "SELECT * FROM submitted_notebook WHERE assignment_id = ?", one[:1]
                ).fetchall()
            ]
            for one in models
        }
        rounds = -(-wanted // len(models))
        for turn in range(rounds):
            rows = defaultdict(list)
            named = {one[2]: f"{one[2]}-{turn:05d}" for one in models}
            rows["student"] = [(name, None, None, None, None) for name in named.values()]
            for one in models:
                copy = uuid4().hex
                rows["submitted_assignment"].append((copy, one[1], named[one[2]], *one[3:]))
                for notebook, grades, comments in below[one[0]]:
                    book = uuid4().hex
                    rows["submitted_notebook"].append((book, copy, *notebook[2:]))
                    rows["grade"] += [(uuid4().hex, book, *row[2:]) for row in grades]
                    rows["comment"] += [(uuid4().hex, book, *row[2:]) for row in comments]
            for table, lines in rows.items():
                marks = ", ".join("?" * len(lines[0]))
                base.executemany(f"INSERT INTO {table} VALUES ({marks})", lines)
        base.commit()
        return rounds * len(models)


def _cpu(process: psutil.Process) -> float:
    """Sum the processor's time of a process, of what it started, and of what has ended since."""
    total = 0.0
    for one in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            total += sum(one.cpu_times()[:4])
    return total


def _seat(project: Project, root: Path) -> int:
    """Say how much memory a learner's JupyterLab takes, with one lesson that has been run."""
    make_working_copy(project, root)
    lesson = root / f"{LESSON}.ipynb"
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        port = free.getsockname()[1]
    url = f"http://{ADDRESS}:{port}/lab?token={root.name}"
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    settings = [f"--port={port}", f"--ip={ADDRESS}", f"--IdentityProvider.token={root.name}"]
    with subprocess.Popen(
        [*command, *settings, f"--ServerApp.root_dir={root}"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            while server.poll() is None and not _answers(url):
                time.sleep(0.2)
            client = NotebookClient(
                nbformat.read(lesson, as_version=4),
                resources={"metadata": {"path": lesson.parent}},
            )
            with client.setup_kernel():
                for place, cell in enumerate(client.nb.cells):
                    client.execute_cell(cell, place)
                manager: Any = client.km
                kernel = psutil.Process(manager.provisioner.pid)
                return sum(
                    process.memory_info().rss for process in (kernel, psutil.Process(server.pid))
                )
        finally:
            server.terminate()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=60) as page:
            return bool(page.read())
    except (URLError, ConnectionError):
        return False


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
