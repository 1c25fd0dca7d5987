"""Grade one submission the plain way: nbgrader's own autograde, in a course made for it alone.

A temporary course that holds one assignment and one learner, nbgrader's `Autograde`
run in this process, and a fresh kernel in a room of its own for each notebook. Nothing
else is kept from one submission to the next. Short on purpose: this is the reference
that a faster way must equal.
"""

import contextlib
import importlib
import os
import re
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ClassVar

import nbformat
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import ClearHiddenTests, Execute, SaveAutoGrades
from traitlets.config import Config

from culture_d.errors import SandboxError, reason
from culture_d.exercises import nbgrader_tools
from culture_d.grading.assignment import MODULES, importable
from culture_d.grading.execute import Checker, GradedExecute, Session
from culture_d.grading.model import (
    Assignment,
    CellScore,
    Failed,
    Graded,
    Limits,
    Repaired,
)
from culture_d.grading.sandbox import PLACE, Room, RoomKernel, available
from culture_d.grading.scratch import scratch, sweep
from culture_d.grading.unisolated import OpenKernel

CheckerFor = Callable[[Assignment], Checker | None]


class FairAutoGrades(SaveAutoGrades):  # type: ignore[misc]
    """nbgrader's `SaveAutoGrades`, that takes no points off for a warning alone.

    nbgrader 0.9.6 gives 0 to a test that shows anything on stderr
    (`nbgrader.utils.determine_grade`), and stops on a result that is more than the points
    of the cell, or not a text: a person then looks at it.
    """

    session: ClassVar[Session]

    @classmethod
    def bound(cls, session: Session) -> type["FairAutoGrades"]:
        """Give the class for one submission."""
        return type("FairAutoGrades", (cls,), {"session": session})

    def _add_score(self, cell: NotebookNode, resources: Any) -> None:
        shown = cell.get("outputs")
        warnings = [one for one in shown or () if one.get("name") == "stderr"]
        failed = any(one.output_type == "error" for one in shown or ())
        name = cell.metadata.nbgrader["grade_id"]
        if warnings and not failed and not utils.is_solution(cell):
            self.session.note(
                f"La cellule « {name} » affiche un avertissement. Il ne vous coûte aucun point."
            )
        if shown is not None:
            cell.outputs = [one for one in shown if one not in warnings]
        try:
            utils.determine_grade(cell)
        except (ValueError, KeyError, TypeError):
            self.session.note(
                f"La cellule « {name} » donne un résultat inattendu : une personne la relira."
            )
            grade = self.gradebook.find_grade(
                name, self.notebook_id, self.assignment_id, self.student_id
            )
            grade.auto_score, grade.needs_manual_grade = None, True
            self.gradebook.db.commit()
        else:
            super()._add_score(cell, resources)
        finally:
            if shown is not None:
                cell.outputs = shown


class PlainRunner:
    """Grades a submission with a fresh kernel in its own room.

    Args:
        isolated: without, the learner's code runs as the grader, on its disk and network.
        checker_for: gives what handles some test cells outside of the learner's interpreter.

    Raises:
        SandboxError: submissions cannot be isolated here; the message has the remedy.
    """

    def __init__(self, isolated: bool = True, checker_for: CheckerFor | None = None) -> None:
        if isolated and (obstacle := available()):
            raise SandboxError(obstacle)
        self.isolated = isolated
        self.checker_for = checker_for
        sweep()

    def close(self) -> None:
        """Nothing is kept ready."""

    def grade(self, assignment: Assignment, repaired: Repaired, limits: Limits) -> Graded | Failed:
        """Run and score one submission; leave nothing behind, whatever it does.

        Not for threads: nbgrader changes the current folder while it works.
        """
        submission = repaired.submission
        started, used = time.monotonic(), _cpu_seconds()
        if language := _other_language(assignment):
            return Failed(
                submission.learner,
                assignment.name,
                f"Le devoir « {assignment.name} » est écrit en {language} : seuls les notebooks en "
                "Python peuvent être notés ici. Notez-le avec « nbgrader autograde ».",
            )
        try:
            with scratch() as root:
                course = _Course(root, assignment, repaired)
                session = Session(limits, self._kernels(course, limits))
                session.skippable = _skipped_by_course(assignment)
                if self.checker_for:
                    session.checker = self.checker_for(assignment)
                trouble = course.autograde(session)
                if trouble:
                    return Failed(submission.learner, assignment.name, trouble)
                return Graded(
                    learner=submission.learner,
                    assignment=assignment.name,
                    notebooks=course.notebooks(),
                    **course.results(),
                    notes=tuple(session.notes),
                    seconds=time.monotonic() - started,
                    cpu_seconds=_cpu_seconds() - used + session.cpu_seconds,
                )
        except SandboxError as error:
            return Failed(submission.learner, assignment.name, str(error))
        except OSError as error:
            return Failed(
                submission.learner,
                assignment.name,
                f"La copie n'a pas pu être notée : {reason(error)} ({error.filename or 'disque'}). "
                "Libérez de la place dans le dossier temporaire, puis relancez la correction.",
            )

    def _kernels(self, course: "_Course", limits: Limits) -> Callable[[], Any]:
        if not self.isolated:
            return lambda: OpenKernel(course.root, course.files)
        room = self._room(course, limits)
        return lambda: RoomKernel(room)

    def _room(self, course: "_Course", limits: Limits) -> Room:
        return Room(
            folder=course.root,
            files=course.files,
            limits=limits,
            protected=checking_modules(course.assignment),
            place=f"{PLACE}/{course.assignment.name}",
        )


class _Course:
    """A temporary nbgrader course: one assignment, one learner."""

    def __init__(self, root: Path, assignment: Assignment, repaired: Repaired) -> None:
        self.root, self.assignment = root, assignment
        self.learner, self.name = repaired.submission.learner, assignment.name
        submission = repaired.submission
        if Path(self.learner).name != self.learner or self.learner in ("", "..", "."):
            raise SandboxError(f"« {self.learner} » ne peut pas nommer le dossier d'une copie.")
        self.database = root / "gradebook.db"
        self.database.write_bytes(assignment.gradebook)
        _write(root / "source" / self.name, assignment.files)
        _write(root / "submitted" / self.learner / self.name, submission.files)
        if submission.timestamp:
            stamp = root / "submitted" / self.learner / self.name / "timestamp.txt"
            stamp.write_text(submission.timestamp, encoding="utf-8")
        _write(root / "modules", _modules(assignment))

    @property
    def files(self) -> dict[str, bytes]:
        """What the notebook finds in its folder: its files, those of the course over them.

        The notebooks are as submitted: nbgrader's own folder would show the hidden tests.
        """
        kept = self.assignment.config.get("Autograde", {}).get("exclude_overwriting", {})
        own = set(kept.get(self.name, ()) if isinstance(kept, Mapping) else ())
        submitted = self.root / "submitted" / self.learner / self.name
        files = {path.relative_to(submitted).as_posix(): path for path in _files(submitted)}
        source = self.root / "source" / self.name
        for path in _files(source):
            name = path.relative_to(source).as_posix()
            if name not in own:
                files[name] = path
        texts = {name: path.read_bytes() for name, path in sorted(files.items())}
        return {
            name: _without_hidden_tests(text, self.assignment) if name.endswith(".ipynb") else text
            for name, text in texts.items()
        }

    def autograde(self, session: Session) -> str | None:
        """Run nbgrader's autograde; what went wrong with it, if anything did.

        Raises:
            SandboxError: a kernel could not be started.
        """
        from nbgrader.apps.api import NbGraderAPI

        faults: list[SandboxError] = []
        config = _config(self.assignment, session, faults)
        config.CourseDirectory.root = str(self.root)
        config.CourseDirectory.db_url = f"sqlite:///{self.database}"
        with nbgrader_tools(), importable(self.root / "modules"):
            api = NbGraderAPI(config=config)
            result = api.autograde(self.name, self.learner)
        if faults:
            raise faults[0]
        if result["success"]:
            return None
        lines = (result.get("log", "") + "\n" + result.get("error", "")).splitlines()
        errors = [
            line.strip()
            for line in lines
            if re.match(r"\s*[\w.]*(?:Error|Exception|Exit)\b", line)
            and "NbGraderException" not in line
        ]
        cause = (errors or [line for line in lines if "[ERROR]" in line] or ["raison inconnue"])[-1]
        return (
            f"nbgrader n'a pas pu noter cette copie : {cause}. Vérifiez le devoir "
            f"« {self.name} » et la configuration du cours, puis relancez la correction."
        )

    def notebooks(self) -> dict[str, bytes]:
        """Give the executed notebooks, by name with extension."""
        folder = self.root / "autograded" / self.learner / self.name
        return {path.name: path.read_bytes() for path in sorted(folder.glob("*.ipynb"))}

    def results(self) -> dict[str, Any]:
        """Read the points, the comments and the penalties from the temporary gradebook."""
        from nbgrader.api import Gradebook

        scores: list[CellScore] = []
        comments: list[tuple[str, str, str | None]] = []
        penalties: dict[str, float] = {}
        with nbgrader_tools(), Gradebook(f"sqlite:///{self.database}") as book:
            submission = book.find_submission(self.name, self.learner)
            for notebook in sorted(submission.notebooks, key=lambda one: str(one.name)):
                said = {one.name: one.auto_comment for one in notebook.comments}
                comments += [(notebook.name, name, text) for name, text in sorted(said.items())]
                if notebook.late_submission_penalty:
                    penalties[notebook.name] = float(notebook.late_submission_penalty)
                scores += [
                    CellScore(
                        notebook=notebook.name,
                        cell=grade.name,
                        automatic=None if grade.auto_score is None else float(grade.auto_score),
                        maximum=float(grade.max_score),
                        needs_manual_grade=bool(grade.needs_manual_grade),
                        comment=said.get(grade.name),
                    )
                    for grade in sorted(notebook.grades, key=lambda one: str(one.name))
                ]
        return {
            "scores": tuple(scores),
            "comments": tuple(comments),
            "late_penalties": penalties,
        }


def _config(assignment: Assignment, session: Session, faults: list[SandboxError]) -> Config:
    """Give the course's settings, with our ways of running and of marking in place of nbgrader's."""
    from nbgrader.converters import Autograde

    class Run(GradedExecute):
        """Remembers a machine's fault, which nbgrader would take for the learner's."""

        def preprocess(self, nb: Any, resources: Any = None, km: Any = None) -> Any:
            try:
                return super().preprocess(nb, resources, km)
            except SandboxError as fault:
                faults.append(fault)
                raise

    config = Config({name: Config(dict(values)) for name, values in assignment.config.items()})
    steps = config.Autograde.get("autograde_preprocessors")
    if not isinstance(steps, list):
        steps = Autograde.autograde_preprocessors.default_args[0]
    ours: list[Any] = []
    for step in steps:
        known = _imported(step)
        if isinstance(known, type) and issubclass(known, Execute):
            ours.append(Run.bound(session))
        elif known is SaveAutoGrades:
            ours.append(FairAutoGrades.bound(session))
        else:
            ours.append(step)
    config.Autograde.autograde_preprocessors = ours
    # Checked once all is done, and not after each step.
    config.Exporter.optimistic_validation = True
    return config


def _imported(step: Any) -> Any:
    if not isinstance(step, str):
        return step
    module, _, name = step.rpartition(".")
    with contextlib.suppress(ImportError, AttributeError, ValueError):
        return getattr(importlib.import_module(module), name)
    return step


def checking_modules(assignment: Assignment) -> frozenset[str]:
    """Name the modules beside the notebooks that the test cells import.

    They are shown read-only: a learner's cell must not rewrite what marks the next one.
    Not those that a notebook of the course writes itself, which is then the exercise.
    """
    texts = [nbformat.reads(text.decode(), as_version=4) for text in assignment.notebooks.values()]
    cells = [cell for notebook in texts for cell in notebook.cells if cell.cell_type == "code"]
    tests = "\n".join(
        cell.source for cell in cells if utils.is_locked(cell) or utils.is_grade(cell)
    )
    written = set(
        re.findall(r"writefile\s+(?:-a\s+)?(\S+)", "\n".join(one.source for one in cells))
    )
    kept = assignment.config.get("Autograde", {}).get("exclude_overwriting", {})
    own = set(kept.get(assignment.name, ()) if isinstance(kept, Mapping) else ())
    return frozenset(
        name
        for name in assignment.files
        if name.endswith(".py")
        and "/" not in name
        and name not in own | written
        and re.search(rf"\b{re.escape(name.removesuffix('.py'))}\b", tests)
    )


def _without_hidden_tests(text: bytes, assignment: Assignment) -> bytes:
    """Take out of a notebook what its author never saw, and a repair may have put back."""
    config = Config({name: Config(dict(own)) for name, own in assignment.config.items()})
    tests = ClearHiddenTests(config=config, enforce_metadata=False)
    try:
        notebook = nbformat.reads(text.decode(), as_version=4)
        for index, cell in enumerate(notebook.cells):
            tests.preprocess_cell(cell, {}, index)
        written: str = nbformat.writes(notebook)
    except (ValueError, KeyError, AttributeError, RuntimeError, nbformat.ValidationError):
        return b""  # not a notebook: nobody needs to read it
    return written.encode()


def _other_language(assignment: Assignment) -> str | None:
    """Name the language of an assignment that is not in Python."""
    for text in assignment.notebooks.values():
        metadata = nbformat.reads(text.decode(), as_version=4).metadata
        kernel = metadata.get("kernelspec", {})
        language = metadata.get("language_info", {}).get("name") or kernel.get("language")
        if language not in (None, "python") or kernel.get("name") in ("ir", "bash"):
            return str(language or kernel["name"])
    return None


def _skipped_by_course(assignment: Assignment) -> frozenset[str]:
    """Name the graded cells that the course itself tags as not to be run."""
    return frozenset(
        str(cell.metadata.nbgrader["grade_id"])
        for text in assignment.notebooks.values()
        for cell in nbformat.reads(text.decode(), as_version=4).cells
        if utils.is_grade(cell) and "skip-execution" in cell.metadata.get("tags", [])
    )


def _modules(assignment: Assignment) -> dict[str, bytes]:
    """Give the modules of the course that its settings name (a late-penalty plugin…)."""
    modules = assignment.config.get(MODULES[0], {}).get(MODULES[1], {})
    if not isinstance(modules, Mapping):
        return {}
    return {str(name): str(text).encode() for name, text in modules.items()}


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise SandboxError(f"Le fichier « {name} » sort du dossier de la copie : refusé.")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _cpu_seconds() -> float:
    """Measure the processor time of this process and of those it has ended, in seconds."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
