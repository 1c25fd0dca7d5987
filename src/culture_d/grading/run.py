"""Grade what was handed in: find, repair, run apart, record, tell. One command does it all.

Killed at any instant, it leaves a gradebook that is whole; run again, it goes on where it
stopped. What is graded and has not changed is not graded twice.
"""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path

import nbformat
from filelock import FileLock, Timeout

from culture_d.errors import GradingError, SandboxError, reason
from culture_d.exercises import prepare, slugs_of, source_of
from culture_d.grading.assignment import course_limits, gradebook_of, load_assignments
from culture_d.grading.backup import FOLDER as BACKUPS
from culture_d.grading.backup import back_up
from culture_d.grading.class_report import class_report
from culture_d.grading.cluster import run_all as run_on_cluster
from culture_d.grading.database import only_writer, without_password
from culture_d.grading.exports import participants, write_csv, write_moodle
from culture_d.grading.feedback import Lesson, lesson_of, refusal_page, write_feedback
from culture_d.grading.inert import make_inert, read_executed
from culture_d.grading.intake import read_submissions
from culture_d.grading.ledger import (
    FAILED,
    FOLDER,
    GRADED,
    REFUSED,
    Entry,
    Ledger,
    entry_of,
)
from culture_d.grading.model import (
    Assignment,
    Failed,
    Graded,
    Limits,
    Refusal,
    Repaired,
    Runner,
    Submission,
)
from culture_d.grading.pool import Task, run_all
from culture_d.grading.questions import Outline, outline
from culture_d.grading.record import GradebookWriter
from culture_d.grading.repair import repair
from culture_d.grading.trusted import AnswerCheck, TrustedChecker
from culture_d.grading.whole_file import write_whole
from culture_d.project import Project

SUBMITTED, AUTOGRADED, FEEDBACK = "submitted", "autograded", "feedback"
DEFAULT_COURSE = "correction"
CONFIG = "nbgrader_config.py"
OURS = "`culture_d.exercises` reads this same file"
"""In the settings of Culture D's own exercises, as they are copied into a course."""
OWN_LINE = "  # culture-d corriger --db"
FAST, PLAIN = "rapide", "simple"
REFUSAL_PAGE = "refus.html"
REPORTS, MARKS = "bilan", "notes.csv"

CHECKED_INSIDE = (
    "Sur ce système, les réponses sont contrôlées dans le programme de chaque personne, comme "
    "nbgrader le fait : changer l'outil de contrôle peut y rapporter des points."
)
SLOWER = (
    "La méthode rapide ne marche pas sur cette machine. La méthode simple l'a remplacée : les "
    "résultats sont les mêmes, l'attente est plus longue. Voici la raison :"
)

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Options:
    """What is asked of a run."""

    source: Path
    course: Path | None = None
    """The nbgrader course that receives the results; found or made if not given."""
    only: str | None = None
    """One assignment alone."""
    jobs: int = 2
    db_url: str | None = None
    """SQLAlchemy's address; what the course's settings say, or its `gradebook.db`, if not given."""
    cell_seconds: float | None = None
    simulate: bool = False
    isolated: bool = True
    method: str = FAST
    scheduler: str | None = None
    """Address of a dask scheduler, whose workers take the place of our own processes."""


@dataclass
class Outcome:
    """What a run did, or would do."""

    course: Path
    graded: list[Entry] = field(default_factory=list)
    unchanged: list[Entry] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    planned: list[Repaired] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    """Reports and tables, for the person who corrects."""


def correct(options: Options, project: Project | None, progress: Progress | None = None) -> Outcome:
    """Grade a source of submissions into a course.

    Args:
        options: what is asked.
        project: the course whose exercises are graded, when the source is not itself
            in an nbgrader course.
        progress: told how many submissions are done, of how many, and what is under way.

    Raises:
        GradingError: the source, the course or the isolation is missing; says the remedy.
        GradebookError: the database refuses; nothing half-written is left.
    """
    say = progress or _silent
    source = options.source.resolve()
    if not source.exists():
        raise GradingError(
            f"« {options.source} » est introuvable. Indiquez un dossier ou une archive ZIP."
        )
    course = _course(options, source)
    if project is None and not (course / "source").is_dir():
        raise GradingError(
            f"« {course} » n'a pas d'exercices (dossier « source »). Indiquez le dossier d'un cours "
            "nbgrader avec « --cours », ou lancez la commande depuis le dossier de Culture D."
        )
    warnings = [] if options.simulate else _check_isolation(options)
    if options.simulate and not (course / "source").is_dir():
        # Nothing is written: the exercises are prepared elsewhere.
        with tempfile.TemporaryDirectory(prefix="simulation-") as scratch:
            _prepare_course(Path(scratch), project)
            assignments = load_assignments(Path(scratch), _wanted(options), None, options.db_url)
            return _simulate(options, source, course, assignments, warnings)
    if options.simulate:
        assignments = load_assignments(course, _wanted(options), None, options.db_url)
        return _simulate(options, source, course, assignments, warnings)
    try:
        return _alone(options, source, course, project, warnings, say)
    except OSError as error:
        place = f"« {error.filename} »" if error.filename else "Ce disque"
        raise GradingError(
            f"{place} ne peut pas être écrit ou lu : {reason(error)}. Corrigez cela, puis "
            "relancez : ce qui est noté le reste, et les devoirs reçus n'ont pas changé."
        ) from error


def _alone(
    options: Options,
    source: Path,
    course: Path,
    project: Project | None,
    warnings: list[str],
    say: Progress,
) -> Outcome:
    """Grade, with nobody else at work in this course nor in its gradebook."""
    (course / FOLDER).mkdir(parents=True, exist_ok=True)
    lock = FileLock(course / FOLDER / "verrou")
    try:
        with lock.acquire(timeout=0):
            db_url = options.db_url or gradebook_of(course)
            with only_writer(db_url):
                if not (course / "source").is_dir():
                    say(0, 0, "préparation des exercices")
                    _prepare_course(course, project)
                _sweep(course)
                assignments = load_assignments(course, _wanted(options), None, db_url)
                return _correct(
                    options, source, course, assignments, db_url, project, warnings, say
                )
    except Timeout:
        raise GradingError(
            f"Une autre correction est en cours dans « {course} ». Attendez sa fin, puis relancez."
        ) from None


def _correct(
    options: Options,
    source: Path,
    course: Path,
    assignments: Mapping[str, Assignment],
    db_url: str,
    project: Project | None,
    warnings: list[str],
    say: Progress,
) -> Outcome:
    say(0, 0, "lecture des devoirs")
    outcome = Outcome(course, warnings=warnings)
    if options.db_url:
        warnings += _keep_address(course, options.db_url)
    back_up(db_url, course / BACKUPS, datetime.now())
    with GradebookWriter(db_url) as book:
        ledger = Ledger(course)
        desk = _Desk(options, course, assignments, ledger, book, db_url, outcome, project)
        _grade(desk, source, say)
        for refusal in outcome.refused:
            desk.refuse(refusal)
        say(0, 0, "bilan et tableaux")
        desk.report()
    return outcome


def _grade(desk: "_Desk", source: Path, say: Progress) -> None:
    """Run what must be run, record each result as it comes, and tell its learner.

    The source is read twice: once to know what there is to do, once a few submissions
    ahead of the processes that run them, so that a large class stays out of memory.
    """
    options, outcome = desk.options, desk.outcome
    todo = set()
    for item in read_submissions(source, desk.assignments, options.only):
        if isinstance(item, Submission):
            if not desk.is_done(item):
                todo.add((item.learner, item.assignment))
        elif isinstance(item, Refusal):
            outcome.refused.append(item)
        else:
            outcome.ignored.append(item)
    done, total = 0, len(todo)
    say(done, total, "correction")
    if not todo:
        return

    def tasks() -> Iterator[Task]:
        nonlocal done
        for item in read_submissions(source, desk.assignments, options.only):
            if not isinstance(item, Submission) or (item.learner, item.assignment) not in todo:
                continue
            repaired = repair(item, desk.assignments[item.assignment])
            if isinstance(repaired, Refusal):
                outcome.refused.append(repaired)
                done += 1
                continue
            desk.receive(item, repaired)
            yield Task(item.assignment, replace(repaired, notes=()))

    asked = options.cell_seconds
    limits = Limits() if asked is None else Limits(cell_seconds=asked)
    waiting = tasks()
    # Nothing is started for nothing: run again, most runs have nothing left to do.
    first = list(islice(waiting, 1))
    here = options.method if first and not options.scheduler else PLAIN
    with shared_kernels(here, options.isolated) as address:
        make = partial(make_runner, options.method, options.isolated, asked is None, address)
        work = (chain(first, waiting), desk.assignments, make, limits)
        if options.scheduler:
            results = run_on_cluster(*work, options.scheduler)
        else:
            results = run_all(*work, max(1, options.jobs))
        for _, result in results:
            done += 1
            if isinstance(result, Failed):
                outcome.failed.append(result)
                desk.fail(result)
            else:
                outcome.graded.append(desk.record(result))
                outcome.warnings += [one for one in result.warnings if one not in outcome.warnings]
            say(done, total, "correction")


@dataclass
class _Desk:
    """Where results are written: folders, ledger, gradebook. One process, one thread."""

    options: Options
    course: Path
    assignments: Mapping[str, Assignment]
    ledger: Ledger
    book: GradebookWriter
    db_url: str
    outcome: Outcome
    project: Project | None = None
    """Of which the exercises may have a lesson to read again."""
    _under_way: dict[tuple[str, str], Repaired] = field(default_factory=dict)
    """Repaired submissions that are being run, without their files."""
    _known: dict[str, dict[str, str]] = field(default_factory=dict)
    """Fingerprints of the gradebook as the run began, by assignment and learner."""
    _outlines: dict[str, Outline] = field(default_factory=dict)
    _lessons: dict[str, Lesson | None] = field(default_factory=dict)

    def is_done(self, submission: Submission) -> bool:
        """Say whether this very submission is graded; finish what a killed run left."""
        entry = self.ledger.read(submission.assignment, submission.learner)
        version = self.assignments[submission.assignment].version
        if (
            entry is None
            or entry.status != GRADED
            or (entry.digest, entry.version) != (submission.digest, version)
            or not self._place(AUTOGRADED, entry).is_dir()
        ):
            return False
        now = self._fingerprint(submission)
        if now is None or not entry.fingerprint:
            entry = self._write(entry)
        elif now != entry.told:
            entry = self._tell(replace(entry, fingerprint=now))
        self.outcome.unchanged.append(entry)
        return True

    def _fingerprint(self, submission: Submission) -> str | None:
        if submission.assignment not in self._known:
            self.use(submission.assignment)
        return self._known[submission.assignment].get(submission.learner)

    def use(self, name: str) -> None:
        """Make sure that the gradebook knows the assignment, and read what it says of it."""
        if name not in self._known:
            if not self.book.knows(self.assignments[name]):
                self.book.add(self.assignments[name])
            self._known[name] = self.book.fingerprints(name)

    def receive(self, submission: Submission, repaired: Repaired) -> None:
        """Keep the files as they were received, in nbgrader's layout."""
        self.use(submission.assignment)
        key = (submission.learner, submission.assignment)
        self._under_way[key] = replace(repaired, submission=replace(submission, files={}))
        if self.options.source.resolve() in (self.course, self.course / SUBMITTED):
            return
        place = self.course / SUBMITTED / submission.learner / submission.assignment
        files = dict(submission.files)
        if submission.timestamp:
            files.setdefault("timestamp.txt", f"{submission.timestamp}\n".encode())
        if not place.is_dir() or _content(place) != files:
            self._replace(place, files, keep=True)

    def record(self, graded: Graded) -> Entry:
        """Write a result: notebooks, then ledger, then gradebook, then the learner's page."""
        repaired = self._under_way.pop((graded.learner, graded.assignment))
        submission = repaired.submission
        entry = entry_of(
            graded,
            repaired.digest,
            self.assignments[graded.assignment].version,
            notes=repaired.notes,
            repaired=bool(repaired.notes),
            shown_name=submission.shown_name,
            participant=submission.participant,
            timestamp=submission.timestamp,
        )
        self._replace(self._place(AUTOGRADED, entry), dict(graded.notebooks))
        self.ledger.write(entry)
        return self._write(entry)

    def fail(self, failed: Failed) -> None:
        """Keep a trace of a run that did not work; the next run tries again."""
        repaired = self._under_way.pop((failed.learner, failed.assignment))
        entry = self.ledger.read(failed.assignment, failed.learner)
        if entry is None or entry.status != GRADED:
            version = self.assignments[failed.assignment].version
            self.ledger.write(
                Entry(
                    failed.learner,
                    failed.assignment,
                    repaired.digest,
                    version,
                    FAILED,
                    repaired.submission.shown_name,
                    notes=(failed.reason,),
                )
            )

    def refuse(self, refusal: Refusal) -> None:
        """Write what to tell the learner; a submission graded earlier keeps its points."""
        title = ""
        if refusal.assignment in self.assignments:
            self.use(refusal.assignment)
            title = self._outline(refusal.assignment).title
        entry = self.ledger.read(refusal.assignment, refusal.learner)
        if entry is None or entry.status != GRADED:
            self.ledger.write(
                Entry(
                    refusal.learner,
                    refusal.assignment,
                    "",
                    "",
                    REFUSED,
                    refusal.shown_name,
                    notes=(refusal.reason,),
                )
            )
        page = (
            self.course
            / FEEDBACK
            / refusal.learner
            / (refusal.assignment or "devoir")
            / REFUSAL_PAGE
        )
        write_whole(page, refusal_page(refusal, title))

    def report(self) -> None:
        """Write what the person who corrects reads: a page for each exercise, and the table."""
        used = sorted(self._known)
        for name in used:
            refusals = [one for one in self.outcome.refused if one.assignment == name]
            page = class_report(
                self.db_url, self.assignments[name], refusals, (), partial(self._autograded, name)
            )
            path = self.course / REPORTS / f"{name}.html"
            write_whole(path, page)
            self.outcome.written.append(path)
            numbered = participants(self.ledger.entries(name))
            if numbered:
                sheet = self.course / f"moodle-{name}.csv"
                write_moodle(self.db_url, sheet, self.assignments[name], numbered)
                self.outcome.written.append(sheet)
        if used:
            self.outcome.written.append(write_csv(self.db_url, self.course / MARKS, used))

    def _autograded(self, assignment: str, learner: str) -> dict[str, bytes]:
        place = self.course / AUTOGRADED / learner / assignment
        return {path.stem: path.read_bytes() for path in sorted(place.glob("*.ipynb"))}

    def _write(self, entry: Entry) -> Entry:
        fingerprint = self.book.record(
            entry.learner,
            entry.assignment,
            entry.scores,
            entry.comments,
            entry.late_penalties,
            entry.timestamp,
            entry.shown_name,
        )
        return self._tell(replace(entry, fingerprint=fingerprint))

    def _tell(self, entry: Entry) -> Entry:
        self.ledger.write(entry)
        notebooks = self._autograded(entry.assignment, entry.learner)
        write_feedback(
            self.course / FEEDBACK,
            self.db_url,
            self.assignments[entry.assignment],
            entry.learner,
            notebooks,
            entry.notes,
            entry.shown_name,
            lesson=self._lesson(entry.assignment),
            result=self.book.result(entry.assignment, entry.learner),
            plan=self._outline(entry.assignment),
        )
        (self.course / FEEDBACK / entry.learner / entry.assignment / REFUSAL_PAGE).unlink(
            missing_ok=True
        )
        told = replace(entry, told=entry.fingerprint)
        self.ledger.write(told)
        return told

    def _outline(self, assignment: str) -> Outline:
        if assignment not in self._outlines:
            self._outlines[assignment] = outline(self.assignments[assignment])
        return self._outlines[assignment]

    def _lesson(self, assignment: str) -> Lesson | None:
        if self.project and assignment not in self._lessons:
            self._lessons[assignment] = lesson_of(self.project, assignment)
        return self._lessons.get(assignment)

    def _place(self, step: str, entry: Entry) -> Path:
        return self.course / step / entry.learner / entry.assignment

    def _replace(self, place: Path, files: Mapping[str, bytes], keep: bool = False) -> None:
        """Put a folder in place, whole; the former one is kept aside if asked."""
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="depot-", dir=self.course / FOLDER) as scratch:
            new = Path(scratch) / "nouveau"
            new.mkdir()
            for name, content in files.items():
                target = new / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
            if place.exists():
                place.replace(self._former(place) if keep else Path(scratch) / "ancien")
            new.replace(place)

    def _former(self, place: Path) -> Path:
        folder = self.course / FOLDER / "anciens" / place.name / place.parent.name
        folder.mkdir(parents=True, exist_ok=True)
        number = 1 + sum(1 for _ in folder.iterdir())
        return folder / f"{number:03d}"


class _Inert:
    """A runner whose notebooks hold nothing that a browser could run: see `inert`."""

    def __init__(
        self, runner: Runner, checker: TrustedChecker | None, of_course: bool, *warnings: str
    ) -> None:
        self._runner, self._checker, self._of_course = runner, checker, of_course
        self._warnings = warnings

    def grade(self, assignment: Assignment, repaired: Repaired, limits: Limits) -> Graded | Failed:
        """Run and score one submission."""
        if self._of_course:
            limits = course_limits(assignment, limits)
        result = self._runner.grade(assignment, repaired, limits)
        if isinstance(result, Failed):
            return result
        inert = {name: _inert(notebook) for name, notebook in result.notebooks.items()}
        return replace(result, notebooks=inert, warnings=(*self._warnings, *result.warnings))

    def close(self) -> None:
        """Stop what was kept ready."""
        self._runner.close()
        if self._checker:
            self._checker.close()


@contextmanager
def shared_kernels(method: str, isolated: bool) -> Iterator[Path | None]:
    """Start what forks kernels for all the processes of a run, and give its address.

    None where there is no need of it, or no bubblewrap: each process then sees for itself.
    """
    server = None
    if method == FAST and isolated:
        from culture_d.grading.forked_kernel import ForkServer

        with suppress(SandboxError, OSError):
            server = ForkServer()
    try:
        yield server.address if server else None
    finally:
        if server:
            server.close()


def make_runner(
    method: str, isolated: bool, of_course: bool = True, address: Path | None = None
) -> Runner:
    """Make the runner of a process; see `run_all`.

    `FAST` falls back on `PLAIN` where a kernel cannot be forked: the results are the same, and
    say so (`Graded.warnings`).

    Args:
        method: `FAST` or `PLAIN`.
        isolated: see `PlainRunner`.
        of_course: let cells last as the course's own settings say.
        address: what `shared_kernels` gave.
    """
    if not hasattr(os, "fork") and not isolated:  # Windows
        from culture_d.grading.plain import PlainRunner

        return _Inert(PlainRunner(isolated), None, of_course, CHECKED_INSIDE)
    checker = TrustedChecker(isolated)
    checker.start()
    checker_for = partial(AnswerCheck, checker)
    warnings = []
    if method == FAST and isolated:
        from culture_d.grading.fast import FastRunner

        try:
            return _Inert(FastRunner(checker_for, address), checker, of_course)
        except SandboxError as error:
            warnings.append(f"{SLOWER} {error}")
    from culture_d.grading.plain import PlainRunner

    return _Inert(PlainRunner(isolated, checker_for), checker, of_course, *warnings)


def _inert(notebook: bytes) -> bytes:
    read = read_executed(notebook)
    make_inert(read)
    text: str = nbformat.writes(read)
    return f"{text}\n".encode()


def _check_isolation(options: Options) -> list[str]:
    from culture_d.grading.sandbox import available

    if not options.isolated:
        return [
            "Sans isolation : chaque devoir a pu lire et changer les fichiers de ce compte. "
            "Relisez les devoirs avant de vous fier à leurs points."
        ]
    # On a cluster, each worker answers for itself.
    missing = None if options.scheduler else available()
    if missing:
        raise GradingError(
            f"{missing} Pour corriger malgré tout, sans protection, ajoutez « --sans-isolation »."
        )
    return []


def _course(options: Options, source: Path) -> Path:
    """Find the nbgrader course that receives the results."""
    if options.course:
        return options.course.resolve()
    for folder in (source, source.parent):
        if (folder / SUBMITTED).is_dir() and (
            (folder / "source").is_dir() or (folder / CONFIG).is_file()
        ):
            return folder
    return Path(DEFAULT_COURSE).resolve()


def _prepare_course(course: Path, project: Project | None) -> None:
    """Copy the exercises and the settings of Culture D into a new nbgrader course."""
    assert project is not None, "asked of `correct`"
    with tempfile.TemporaryDirectory(prefix="source-", dir=course) as scratch:
        for slug in slugs_of(project):
            folder = Path(scratch) / "source" / slug
            folder.mkdir(parents=True)
            origin = source_of(project, slug)
            shutil.copyfile(origin, folder / origin.name)
            if (origin.parent / "images").is_dir():
                shutil.copytree(origin.parent / "images", folder / "images")
            prepare(project, slug, folder)
        shutil.copyfile(project.exercises / CONFIG, course / CONFIG)
        (Path(scratch) / "source").replace(course / "source")


def _keep_address(course: Path, db_url: str) -> list[str]:
    """Let nbgrader, Formgrader and the next runs find the gradebook; return what to say of it.

    The password is not kept. Settings that are not those of Culture D are left as they are.
    """
    kept = without_password(db_url)
    if kept == gradebook_of(course):
        return []
    path = course / CONFIG
    line = f"c.CourseDirectory.db_url = {kept!r}{OWN_LINE}"
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if OURS not in text:
        return [
            f"Pour que nbgrader et Formgrader s'en servent aussi, écrivez dans « {path} » : "
            f"{line.removesuffix(OWN_LINE)}"
        ]
    others = [one for one in text.splitlines() if not one.endswith(OWN_LINE)]
    write_whole(path, "\n".join([*others, line, ""]))
    if kept == db_url:
        return []
    return [
        "Le mot de passe du carnet de notes n'est gardé nulle part. Écrivez-le dans votre fichier "
        "« .pgpass » : nbgrader, Formgrader et les prochaines corrections l'y trouveront."
    ]


def _simulate(
    options: Options,
    source: Path,
    course: Path,
    assignments: Mapping[str, Assignment],
    warnings: list[str],
) -> Outcome:
    """Say what a run would do; write nothing."""
    outcome = Outcome(course, warnings=warnings)
    ledger = Ledger(course)
    for item in read_submissions(source, assignments, options.only):
        if isinstance(item, Refusal):
            outcome.refused.append(item)
            continue
        if isinstance(item, str):
            outcome.ignored.append(item)
            continue
        assignment = assignments[item.assignment]
        entry = ledger.read(item.assignment, item.learner)
        graded = entry is not None and entry.status == GRADED
        if entry and graded and (entry.digest, entry.version) == (item.digest, assignment.version):
            outcome.unchanged.append(entry)
            continue
        repaired = repair(item, assignment)
        if isinstance(repaired, Refusal):
            outcome.refused.append(repaired)
        else:
            outcome.planned.append(replace(repaired, submission=replace(item, files={})))
    return outcome


def _wanted(options: Options) -> Sequence[str] | None:
    return [options.only] if options.only else None


def _sweep(course: Path) -> None:
    """Remove what a killed run left half-made."""
    for path in (course / FOLDER).glob("depot-*"):
        former = path / "ancien"
        if former.is_dir():
            shutil.rmtree(former, ignore_errors=True)
        shutil.rmtree(path, ignore_errors=True)
    for path in course.glob("source-*"):
        shutil.rmtree(path, ignore_errors=True)


def _content(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def default_jobs() -> int:
    """One process for each processor that this program may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _silent(done: int, total: int, stage: str) -> None:
    """Tell nobody."""
