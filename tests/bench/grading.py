"""How fast a class is graded: by nbgrader alone, the plain way, the fast way, and at the least.

The same forty submissions of the course's exercises for all, in one run: five of each of the
eight exercises, as people write them in `exercises/answers`. Each way is given in turn a fresh
process, whose start is counted; only nbgrader works without isolation.
"""

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import yaml
from rich.table import Table

from culture_d.french import nombre
from culture_d.grading.assignment import load_assignments
from culture_d.grading.model import Assignment, Failed, Graded, Limits, Repaired, Submission
from culture_d.grading.run import FAST, PLAIN, shared_kernels
from culture_d.project import Project

LEARNERS = 5
WANTED = 6
LIMITS = Limits()
_runner: Any = None


class Measure(NamedTuple):
    """What one way took for the whole class: seconds on the clock, seconds of processor."""

    wall: float
    cpu: float


def grading(project: Project) -> Table:
    """Time each way, and compare what it gives with what nbgrader gives."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        given = load_assignments(project.exercises, cache=root / "cache")
        class_of = submissions(project, given)
        stock, expected = _by_nbgrader(root / "nbgrader", project, class_of)
        table = Table(
            *(f"{len(class_of)} copies notées", "s", "× nbgrader", "processeur (s/copie)"),
            *("mêmes points", "objectif", "tenu"),
        )
        table.columns[0].overflow = "fold"
        table.caption = (
            "Une copie par exercice et par élève, démarrage compris ; nbgrader note une copie "
            "après l'autre, sans isolement."
        )
        _add(table, "nbgrader autograde", stock, stock, None)
        for name, kind, workers in (
            ("simple, 2 processus", PLAIN, 2),
            ("rapide, 2 processus", FAST, 2),
            ("rapide, 3 processus", FAST, 3),
        ):
            measure, points = _by_workers(kind, workers, given, class_of)
            _add(table, name, measure, stock, points == expected, WANTED * (kind == FAST))
        _add(table, "les cellules seules, 2 processus", _cells(given, class_of), stock, None)
    return table


def submissions(project: Project, given: dict[str, Assignment]) -> list[Repaired]:
    """Fill in each exercise as learners do: the k-th of them gives the k-th of each answers."""
    found = []
    for path in sorted((project.exercises / "answers").glob("*.yml")):
        book = yaml.safe_load(path.read_text(encoding="utf-8"))
        slug = book["exercice"]
        choice = book.get("contextes")
        for rank in range(LEARNERS):
            written = _written(book, choice, rank)
            text = given[slug].notebooks[f"{slug}.ipynb"].decode()
            notebook = nbformat.reads(text, as_version=4)
            for cell in notebook.cells:
                name = cell.metadata.get("nbgrader", {}).get("grade_id")
                cell.source = written.get(name, cell.source)
            files = {f"{slug}.ipynb": nbformat.writes(notebook).encode()}
            submission = Submission(f"eleve-{rank}", slug, files)
            found.append(Repaired(submission, submission.digest))
    return found


def _written(book: dict[str, Any], choice: dict[str, Any] | None, rank: int) -> dict[str, str]:
    context = sorted(choice["choix"])[rank % len(choice["choix"])] if choice else "seul"
    written = {}
    if choice:
        ways = choice["choix"][context]["ecritures"]
        written[choice["cellule"]] = ways[rank % len(ways)]
    for question in book["questions"]:
        answers = [
            entry["code"]
            for entry in (*question["justes"], *question["erreurs"])
            if entry.get("contexte", "seul") == context
        ]
        if answers:
            written[question["reponse"]] = answers[rank % len(answers)]
    return written


def _add(
    table: Table, name: str, measure: Measure, stock: Measure, same: bool | None, wanted: float = 0
) -> None:
    ratio = stock.wall / measure.wall
    graded = 8 * LEARNERS
    table.add_row(
        *(name, nombre(measure.wall, 1), nombre(ratio, 1), nombre(measure.cpu / graded, 2)),
        *("" if same is None else "oui" if same else "non",),
        *((f"≥ {nombre(wanted, 0)}", "oui" if ratio >= wanted else "non") if wanted else ("", "")),
    )


def _timed(action: Callable[[], Any]) -> tuple[Measure, Any]:
    """Time an action; the processor's time of what bubblewrap starts is told by the runners."""
    before, started = _cpu(), time.perf_counter()
    result = action()
    return Measure(time.perf_counter() - started, _cpu() - before), result


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _by_nbgrader(
    root: Path, project: Project, class_of: Sequence[Repaired]
) -> tuple[Measure, dict[str, Any]]:
    """Run the command of nbgrader on the whole class, exercise after exercise."""
    from culture_d import exercises

    slugs = sorted({one.submission.assignment for one in class_of})
    for slug in slugs:
        folder = root / "source" / slug
        folder.mkdir(parents=True)
        origin = exercises.source_of(project, slug)
        (folder / origin.name).write_bytes(origin.read_bytes())
        exercises.prepare(project, slug, folder)
        exercises.generate(project, slug, root)
    for one in class_of:
        folder = root / "submitted" / one.submission.learner / one.submission.assignment
        folder.mkdir(parents=True)
        for name, content in one.submission.files.items():
            (folder / name).write_bytes(content)
    settings = (project.exercises / "nbgrader_config.py").read_text(encoding="utf-8")
    # As it comes, but for what an exercise needs: our settings make it faster.
    kept = [line for line in settings.splitlines() if "shutdown_kernel" not in line]
    (root / "nbgrader_config.py").write_text("\n".join(kept), encoding="utf-8")
    tools = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": os.pathsep.join([tools, os.environ["PATH"]])}
    command = [sys.executable, "-m", "nbgrader", "autograde", "--log-level=ERROR"]

    def run() -> None:
        for slug in slugs:
            subprocess.run(
                [*command, slug],
                cwd=root,
                env=environment,
                check=True,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )

    measure, _ = _timed(run)
    return measure, _gradebook(root, class_of)


def _gradebook(root: Path, class_of: Sequence[Repaired]) -> dict[str, Any]:
    from nbgrader.api import Gradebook

    found = {}
    with Gradebook(f"sqlite:///{root / 'gradebook.db'}") as book:
        for one in class_of:
            slug, learner = one.submission.assignment, one.submission.learner
            grades = book.find_submission_notebook(slug, slug, learner).grades
            found[f"{learner} {slug}"] = sorted((grade.name, grade.auto_score) for grade in grades)
    return found


def _by_workers(
    kind: str, workers: int, given: dict[str, Assignment], class_of: Sequence[Repaired]
) -> tuple[Measure, dict[str, Any]]:
    """Grade the class in as many processes, each with a runner of its own."""

    def run() -> list[tuple[Graded | Failed, float]]:
        with (
            shared_kernels(kind, True) as address,
            ProcessPoolExecutor(
                workers,
                mp_context=multiprocessing.get_context("spawn"),
                initializer=_start,
                initargs=(kind, given, address),
            ) as pool,
        ):
            return list(pool.map(_grade, class_of))

    measure, results = _timed(run)
    rooms = sum(seconds for _, seconds in results)
    points = {}
    for graded, _ in results:
        assert isinstance(graded, Graded), graded
        points[f"{graded.learner} {graded.assignment}"] = sorted(
            (score.cell, score.automatic) for score in graded.scores
        )
    return Measure(measure.wall, measure.cpu + rooms), points


def _start(kind: str, given: dict[str, Assignment], address: Path | None) -> None:
    global _runner, _given
    _given = given
    if kind == FAST:
        from culture_d.grading.fast import FastRunner

        _runner = FastRunner(address=address)
    else:
        from culture_d.grading.plain import PlainRunner

        _runner = PlainRunner()


_given: dict[str, Assignment] = {}


def _grade(repaired: Repaired) -> tuple[Graded | Failed, float]:
    """Grade one, and say what its rooms used that this process is not charged with."""
    before = _cpu()
    graded = _runner.grade(_given[repaired.submission.assignment], repaired, LIMITS)
    return graded, max(0.0, getattr(graded, "cpu_seconds", 0.0) - (_cpu() - before))


def _cells(given: dict[str, Assignment], class_of: Sequence[Repaired]) -> Measure:
    """Run only the cells, each submission in a fork of a process that has all imported."""
    with tempfile.TemporaryDirectory() as scratch:
        class_file = Path(scratch, "classe.json")
        listed = []
        for number, one in enumerate(class_of):
            slug = one.submission.assignment
            folder = Path(scratch, str(number))
            for name, content in given[slug].files.items():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes(content)
            source = nbformat.reads(
                one.submission.files[f"{slug}.ipynb"].decode(), as_version=4
            ).cells
            codes = [cell.source for cell in source if cell.cell_type == "code"]
            listed.append((str(folder), codes))
        class_file.write_text(json.dumps(listed), encoding="utf-8")

        def run() -> None:
            halves = [
                subprocess.Popen([sys.executable, "-c", _FLOOR, str(class_file), str(half)])
                for half in range(2)
            ]
            for half in halves:
                assert half.wait() == 0

        return _timed(run)[0]


_FLOOR = """
import io, json, os, sys
os.environ["MPLBACKEND"] = "agg"
import matplotlib.pyplot, numpy, pandas
from IPython.core.interactiveshell import InteractiveShell
listed = json.load(open(sys.argv[1]))
for number, (folder, codes) in enumerate(listed):
    if number % 2 != int(sys.argv[2]):
        continue
    child = os.fork()
    if child == 0:
        os.chdir(folder)
        sys.path.insert(0, "")
        sys.stdout = sys.stderr = io.StringIO()
        shell = InteractiveShell.instance()
        for code in codes:
            shell.run_cell(code)
        os._exit(0)
    os.waitpid(child, 0)
"""
