"""The plain runner gives what nbgrader's own autograde gives, and is fairer where we say so.

One course of another trainer (two notebooks, a plug-in for late work, free text, partial
credit, figures, files of its own) is graded by nbgrader itself and by the plain runner.
"""

import dataclasses
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from culture_d import exercises
from culture_d.errors import SandboxError
from culture_d.execution import OwnKernel, own_kernel_settings
from culture_d.grading import plain
from culture_d.grading.assignment import importable, load_assignments
from culture_d.grading.model import Assignment, Failed, Graded, Limits, Repaired, Submission
from culture_d.grading.plain import PlainRunner
from culture_d.grading.sandbox import RoomKernel
from culture_d.project import Project

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("bwrap"), reason="demande Linux et bubblewrap"
)

NAME = "semaine-1"
LIMITS = Limits(cell_seconds=20, total_seconds=120)
CONFIG = """
import sys, os
sys.path.append(os.getcwd())
from retard import Retard
c = get_config()
c.CourseDirectory.course_id = "autre-cours"
c.AssignLatePenalties.plugin_class = Retard
c.Execute.timeout = 20
c.Autograde.exclude_overwriting = {"semaine-1": ["le_mien.py"]}
c.ClearSolutions.code_stub = {"python": "# votre code"}
"""
PLUGIN = """
from nbgrader.plugins import BasePlugin

class Retard(BasePlugin):
    def late_submission_penalty(self, student_id, score, total_seconds_late):
        return min(score, 1.5)
"""
DUE = "2026-03-01 12:00:00"
LATE = "2026-03-02 12:00:00 UTC"


def marked(source: str, name: str, kind: str, points: float | None = None) -> Any:
    mark = {
        "schema_version": 3,
        "grade_id": name,
        "grade": points is not None,
        "solution": kind in ("answer", "manual"),
        "locked": kind == "test",
        "task": kind == "task",
    }
    if points is not None:
        mark["points"] = points
    if kind == "task":
        mark |= {"grade": False, "points": points, "locked": True}
    new = new_markdown_cell if kind in ("manual", "task") else new_code_cell
    return new(source, id=name, metadata={"nbgrader": mark})


def solution(text: str) -> str:
    return f"### BEGIN SOLUTION\n{text}\n### END SOLUTION"


def write_course(root: Path) -> Path:
    folder = root / "source" / NAME
    folder.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    (root / "retard.py").write_text(PLUGIN, encoding="utf-8")
    (folder / "aide.py").write_text("def double(x):\n    return 2 * x\n", encoding="utf-8")
    (folder / "le_mien.py").write_text("reponse = 0\n", encoding="utf-8")
    (folder / "donnees").mkdir()
    (folder / "donnees" / "villes.csv").write_text("nom,habitants\nA,10\nB,30\n", encoding="utf-8")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    first = new_notebook(metadata={"kernelspec": kernel})
    first.cells = [
        new_markdown_cell("# Semaine 1", id="titre"),
        new_code_cell(
            "import pandas as pd\nimport matplotlib.pyplot as plt\nimport aide", id="debut"
        ),
        marked(solution("villes = pd.read_csv('donnees/villes.csv')"), "lire", "answer"),
        marked("assert len(villes) == 2", "test-lire", "test", 2),
        marked(solution("total = int(villes['habitants'].sum())"), "total", "answer"),
        marked(
            "points = 0.0\nif total > 0: points += 0.5\n### BEGIN HIDDEN TESTS\n"
            "if total == 40: points += 2\n### END HIDDEN TESTS\npoints",
            "test-total",
            "test",
            2.5,
        ),
        marked(solution("villes.plot.bar(x='nom', y='habitants');"), "figure", "answer"),
        marked(
            "from le_mien import reponse\nassert aide.double(reponse) == 84", "test-mien", "test", 1
        ),
        marked("Dites pourquoi.", "pourquoi", "manual", 4),
        marked("Une tâche.", "tache", "task", 3),
    ]
    second = new_notebook(metadata={"kernelspec": kernel})
    second.cells = [
        marked(solution("def carre(x):\n    return x * x"), "carre", "answer"),
        marked("assert carre(3) == 9", "test-carre", "test", 1),
        marked("%%time\nassert carre(4) == 16", "test-magie", "test", 1),
    ]
    nbformat.write(first, folder / "un.ipynb")
    nbformat.write(second, folder / "deux.ipynb")
    return root


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course, its gradebook with a due date, as nbgrader itself prepares it."""
    root = write_course(tmp_path_factory.mktemp("cours"))
    from nbgrader.api import Gradebook

    with (
        exercises.nbgrader_tools(),
        Gradebook(f"sqlite:///{root / 'gradebook.db'}", "autre-cours") as book,
    ):
        book.update_or_create_assignment(NAME, duedate=DUE)
    return root


@pytest.fixture(scope="module")
def assignment(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    return load_assignments(course, cache=tmp_path_factory.mktemp("cache"))[NAME]


ANSWERS = {
    "lire": "villes = pd.read_csv('donnees/villes.csv')\nvilles",
    "total": "total = int(villes['habitants'].sum())\nprint('total', total)",
    "figure": "villes.plot.bar(x='nom', y='habitants');",
    "pourquoi": "Parce que.",
    "tache": "Une tâche.\n\nFaite.",
    "carre": "def carre(x):\n    return x * x",
}
MINE = {"le_mien.py": b"reponse = 42\n"}


def copy(
    assignment: Assignment,
    without: tuple[str, ...] = (),
    change: Callable[[Any], None] | None = None,
    **answers: str,
) -> dict[str, bytes]:
    """Fill the notebooks as a learner would."""
    given = ANSWERS | {name.replace("_", "-"): text for name, text in answers.items()}
    files = dict(MINE)
    for name, text in assignment.notebooks.items():
        notebook = nbformat.reads(text.decode(), as_version=4)
        for cell in notebook.cells:
            if cell.id in given:
                cell.source = given[cell.id]
        if change:
            change(notebook)
        files[name] = nbformat.writes(notebook).encode()
    return {name: text for name, text in files.items() if name not in without}


def warn(notebook: Any) -> None:
    notebook.cells.insert(0, new_code_cell("import warnings", id="averti"))


HONEST: dict[str, tuple[dict[str, Any], str | None]] = {
    "juste": ({}, None),
    "en-retard": ({}, LATE),
    "faux": ({"total": "total = 3", "carre": "def carre(x):\n    return 0"}, None),
    "erreur": ({"lire": "villes = pd.read_csv('absent.csv')"}, None),
    "vide": (dict.fromkeys(("lire", "total", "figure", "carre"), "# votre code"), None),
    "un-seul": ({"without": ("deux.ipynb",)}, LATE),
    "sans-le-sien": ({"without": ("le_mien.py",)}, None),
    "ajoute": ({"change": warn}, None),
    "ecrit": (
        {
            "lire": "villes = pd.read_csv('donnees/villes.csv')\n"
            "villes.to_csv('donnees/villes.csv', index=False)\nopen('notes.txt', 'w').write('x');"
        },
        None,
    ),
    "affiche": ({"carre": "for n in range(3000): print(n)\ndef carre(x):\n    return x * x"}, None),
    "systeme": (
        {"carre": "!echo bonjour\n%matplotlib inline\ndef carre(x):\n    return x * x"},
        None,
    ),
}


@pytest.fixture(scope="module")
def stock(course: Path, assignment: Assignment) -> dict[str, dict[str, Any]]:
    """What nbgrader's own autograde gives to each honest submission."""
    from nbgrader.api import Gradebook
    from nbgrader.apps.api import NbGraderAPI
    from traitlets.config.loader import PyFileConfigLoader

    for learner, (answers, stamp) in HONEST.items():
        folder = course / "submitted" / learner / NAME
        for name, text in copy(assignment, **answers).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text)
        if stamp:
            (folder / "timestamp.txt").write_text(stamp)
    results: dict[str, dict[str, Any]] = {}
    with importable(course), own_kernel_settings() as kernel, exercises.nbgrader_tools():
        config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
        config.CourseDirectory.root = str(course)
        config.Execute.kernel_manager_class = OwnKernel
        config.merge(kernel)
        api = NbGraderAPI(config=config)
        assert api.generate_assignment(NAME)["success"]
        for learner in HONEST:
            result = api.autograde(NAME, learner)
            assert result["success"], result
            with Gradebook(api.coursedir.db_url) as book:
                submission = book.find_submission(NAME, learner)
                results[learner] = {
                    "scores": {
                        (notebook.name, grade.name): (
                            grade.auto_score,
                            grade.max_score,
                            bool(grade.needs_manual_grade),
                        )
                        for notebook in submission.notebooks
                        for grade in notebook.grades
                    },
                    "comments": {
                        (notebook.name, comment.name): comment.auto_comment
                        for notebook in submission.notebooks
                        for comment in notebook.comments
                    },
                    "late": {
                        notebook.name: notebook.late_submission_penalty
                        for notebook in submission.notebooks
                        if notebook.late_submission_penalty
                    },
                    "outputs": {
                        path.name: outputs(path.read_bytes())
                        for path in (course / "autograded" / learner / NAME).glob("*.ipynb")
                    },
                }
    return results


def outputs(text: bytes) -> list[list[Any]]:
    """Give what each cell shows, less what differs from a run to the next: folders, times, pieces."""
    notebook = nbformat.reads(text.decode(), as_version=4)
    cells = []
    for cell in notebook.cells:
        shown: list[Any] = []
        for output in cell.get("outputs", ()):
            one = json.loads(json.dumps(output))
            if one["output_type"] == "stream" and shown and shown[-1].get("name") == one["name"]:
                shown[-1]["text"] += one["text"]
            else:
                shown.append(one)
        for one in shown:
            for key in ("text", "evalue", "traceback"):
                if key in one:
                    lines = one[key] if isinstance(one[key], list) else [one[key]]
                    one[key] = [steady(line) for line in lines]
        cells.append([cell.cell_type, cell.source, cell.get("execution_count"), shown])
    return cells


def steady(line: str) -> str:
    line = re.sub(r"(Wall time|CPU times|user|total)[^\n]*", r"\1", line)
    return re.sub(r"(/[\w.-]+)+/", "/", re.sub(r"File \S*?([\w.]+:\d+)", r"File \1", line))


def submitted(files: dict[str, bytes], learner: str = "zoe", stamp: str | None = None) -> Repaired:
    submission = Submission(learner, NAME, files, stamp)
    return Repaired(submission, submission.digest)


@pytest.fixture(scope="module")
def runner() -> Iterator[PlainRunner]:
    made = PlainRunner()
    yield made
    made.close()


def graded(result: Graded | Failed) -> Graded:
    assert isinstance(result, Graded), result
    return result


def points(result: Graded | Failed) -> dict[str, float | None]:
    return {score.cell: score.automatic for score in graded(result).scores}


@pytest.mark.long
@pytest.mark.parametrize("learner", HONEST)
def test_an_honest_submission_is_graded_as_by_nbgrader(
    learner: str, stock: dict[str, dict[str, Any]], assignment: Assignment, runner: PlainRunner
) -> None:
    answers, stamp = HONEST[learner]
    files = copy(assignment, **answers)
    result = graded(runner.grade(assignment, submitted(files, learner, stamp), LIMITS))
    known = stock[learner]
    assert {
        (score.notebook, score.cell): (score.automatic, score.maximum, score.needs_manual_grade)
        for score in result.scores
    } == known["scores"]
    assert {(notebook, cell): text for notebook, cell, text in result.comments} == known["comments"]
    assert dict(result.late_penalties) == known["late"]
    assert {name: outputs(text) for name, text in result.notebooks.items()} == known["outputs"]


@pytest.mark.long
def test_the_comparison_sees_differences(stock: dict[str, dict[str, Any]]) -> None:
    assert stock["en-retard"]["late"] == {"un": 1.5, "deux": 1.5}
    assert stock["juste"]["scores"]["un", "test-total"] == (2.5, 2.5, False)
    assert stock["faux"]["scores"]["un", "test-total"] == (0.5, 2.5, False)
    assert stock["juste"]["scores"]["un", "pourquoi"] == (None, 4.0, True)
    assert stock["vide"]["comments"]["un", "total"] == "No response."
    assert stock["sans-le-sien"]["scores"]["un", "test-mien"][0] == 0
    assert stock["juste"]["outputs"] != stock["faux"]["outputs"]
    figures = json.dumps(stock["juste"]["outputs"])
    assert "image/png" in figures


# Where it is fairer


def test_a_warning_alone_costs_nothing_and_is_said(
    assignment: Assignment, runner: PlainRunner
) -> None:
    files = copy(
        assignment,
        carre="import warnings\ndef carre(x):\n    warnings.warn('ancien')\n    return x * x",
    )
    result = graded(runner.grade(assignment, submitted(files), LIMITS))
    assert points(result)["test-carre"] == 1
    assert any("« test-carre »" in note and "avertissement" in note for note in result.notes)
    wrong = copy(
        assignment,
        carre="import warnings\ndef carre(x):\n    warnings.warn('ancien')\n    return 0",
    )
    assert points(runner.grade(assignment, submitted(wrong), LIMITS))["test-carre"] == 0


@pytest.mark.parametrize(
    ("returned", "expected"),
    [("99", None), ("type('T', (), {'__repr__': lambda self: ''})()", None)],
)
def test_a_result_that_stops_nbgrader_goes_to_a_person(
    tmp_path: Path, runner: PlainRunner, returned: str, expected: None
) -> None:
    folder = tmp_path / "source" / NAME
    folder.mkdir(parents=True)
    notebook = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "P"}})
    notebook.cells = [
        marked(solution("def note(): return 1"), "rep", "answer"),
        marked("note()", "test", "test", 2),
    ]
    nbformat.write(notebook, folder / "un.ipynb")
    given = load_assignments(tmp_path, cache=tmp_path / "cache")[NAME]
    notebook.cells[0].source = f"def note(): return {returned}"
    files = {"un.ipynb": nbformat.writes(notebook).encode()}
    result = graded(runner.grade(given, submitted(files), LIMITS))
    (score,) = result.scores
    assert score.automatic is expected and score.needs_manual_grade
    assert any("une personne la relira" in note for note in result.notes)


def test_the_hidden_tests_come_back_and_the_learner_cannot_read_them(
    assignment: Assignment, runner: PlainRunner
) -> None:
    def edit(notebook: Any) -> None:
        for cell in notebook.cells:
            if cell.id in ("test-lire", "test-carre"):
                cell.source = "pass"

    files = copy(
        assignment,
        change=edit,
        total="total = 1\nimport glob\nprint([open(n).read().count('points += 2') for n in glob.glob('*.ipynb')])",
    )
    result = graded(runner.grade(assignment, submitted(files), LIMITS))
    assert points(result)["test-total"] == 0.5
    notebook = nbformat.reads(result.notebooks["un.ipynb"].decode(), as_version=4)
    shown = {cell.id: cell for cell in notebook.cells}
    assert "total == 40" in shown["test-total"].source
    # In the cell that asks, and nowhere else: the copy held the whole test.
    assert b"points += 2" in files["un.ipynb"]
    assert sorted(json.loads(shown["total"].outputs[0].text)) == [0, 1]


# The machine's faults are not the learner's


def test_a_kernel_that_cannot_start_is_the_machines_fault(
    assignment: Assignment, runner: PlainRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken(RoomKernel):
        async def _async_pre_start_kernel(self, **settings: Any) -> Any:
            raise SandboxError("Pas de salle.")

    monkeypatch.setattr(plain, "RoomKernel", Broken)
    result = runner.grade(assignment, submitted(copy(assignment)), LIMITS)
    assert isinstance(result, Failed) and "Pas de salle." in result.reason


def test_a_broken_gradebook_is_a_fault_that_is_said(
    assignment: Assignment, runner: PlainRunner
) -> None:
    broken = dataclasses.replace(assignment, gradebook=b"rien")
    result = runner.grade(broken, submitted(copy(assignment)), LIMITS)
    assert isinstance(result, Failed) and "nbgrader n'a pas pu noter" in result.reason


def test_another_language_is_a_fault_that_is_said(
    assignment: Assignment, runner: PlainRunner
) -> None:
    notebook = nbformat.reads(assignment.notebooks["un.ipynb"].decode(), as_version=4)
    notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    other = dataclasses.replace(
        assignment, notebooks={"un.ipynb": nbformat.writes(notebook).encode()}
    )
    result = runner.grade(other, submitted(copy(assignment)), LIMITS)
    assert isinstance(result, Failed) and "écrit en R" in result.reason


def test_what_was_submitted_cannot_leave_its_folder(
    assignment: Assignment, runner: PlainRunner
) -> None:
    files = {**copy(assignment), "../../../dehors.txt": b"x"}
    result = runner.grade(assignment, submitted(files), LIMITS)
    assert isinstance(result, Failed) and "dehors.txt" in result.reason


# The hook for what is checked elsewhere


class Checked:
    """Answers for one test, after asking the learner's kernel for a value."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def ready(self) -> None:
        self.asked.append("prêt")

    async def check(self, cell: Any, kernel_client: Any, seconds: float) -> list[Any] | None:
        name = cell.metadata.nbgrader.grade_id
        self.asked.append(name)
        if name != "test-carre":
            return None
        reply = await kernel_client.execute(
            "", silent=True, user_expressions={"v": "carre(3)"}, reply=True, timeout=10
        )
        value = reply["content"]["user_expressions"]["v"]["data"]["text/plain"]
        return [
            nbformat.v4.new_output(
                "execute_result", data={"text/plain": "0.25" if value == "9" else "0"}
            )
        ]


def test_a_checker_answers_for_the_tests_it_takes(assignment: Assignment) -> None:
    checker = Checked()
    runner = PlainRunner(checker_for=lambda given: checker)
    result = graded(runner.grade(assignment, submitted(copy(assignment)), LIMITS))
    assert checker.asked.count("prêt") == 5
    checker.asked = [name for name in checker.asked if name != "prêt"]
    assert checker.asked == ["test-carre", "test-magie", "test-lire", "test-total", "test-mien"]
    assert points(result)["test-carre"] == 0.25
    assert points(result)["test-magie"] == 1
    notebook = nbformat.reads(result.notebooks["deux.ipynb"].decode(), as_version=4)
    assert [cell.execution_count for cell in notebook.cells] == [1, 2, 3]


# Our own exercises


def test_our_own_exercise_is_graded(project: Project, tmp_path: Path, runner: PlainRunner) -> None:
    slug = "moyenne-mediane"
    given = load_assignments(project.exercises, [slug], cache=tmp_path)[slug]
    source = exercises.source_of(project, slug).read_bytes()
    submission = Submission("zoe", slug, {f"{slug}.ipynb": source})
    result = graded(runner.grade(given, Repaired(submission, ""), LIMITS))
    assert result.notes == ()
    automatic = [score for score in result.scores if not score.needs_manual_grade]
    assert len(automatic) == 5 and all(one.automatic == one.maximum for one in automatic)
