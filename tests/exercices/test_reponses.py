"""Every answer of the answers files, graded: points and French hint.

The whole class of each exercise is run in one process, cell by cell, as nbgrader would
(`classe.py`); nbgrader itself then grades one submission of each exercise and must find the
same points and the same words. The class has the solutions and the empty version too.
`test_livraison.py` goes through the whole release of one exercise, and of each with `long`.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from culture_d import exercises
from culture_d.errors import ExerciseError
from culture_d.grading import verifier
from culture_d.project import Project

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = sorted((ROOT / "exercises" / "answers").glob("*.yml"))


@dataclass(frozen=True)
class Answer:
    """One answer of the file, the points and the words it must bring."""

    exercise: str
    context: str
    cell: str
    test: str
    code: str
    points: float
    said: tuple[str, ...]
    right: bool
    rank: int

    @property
    def learner(self) -> str:
        """Name the submission this answer is in."""
        return re.sub(r"\W", "-", f"{self.context}-{self.rank}")


@dataclass(frozen=True)
class Graded:
    """What nbgrader made of one cell: points and printed text."""

    points: float
    text: str


def read_answers(path: Path) -> list[Answer]:
    book = yaml.safe_load(path.read_text(encoding="utf-8"))
    answers = []
    for question in book["questions"]:
        ranks: dict[str, int] = defaultdict(int)
        for right, kind in ((True, "justes"), (False, "erreurs")):
            for entry in question[kind]:
                context = entry.get("contexte", "seul")
                said = [entry[key] for key in ("lu", "indice") if key in entry]
                points = question["points"] if right else entry.get("points", 0)
                answers.append(
                    Answer(
                        book["exercice"],
                        context,
                        question["reponse"],
                        question["note"],
                        entry["code"],
                        points,
                        tuple(said),
                        right,
                        ranks[context],
                    )
                )
                ranks[context] += 1
    return answers


SOLVED, EMPTY = "corrigé", "vierge"
ALL = [answer for path in ANSWERS for answer in read_answers(path)]


@cache
def choices(slug: str) -> dict[str, Any]:
    path = ROOT / "exercises" / "answers" / f"{slug}.yml"
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8")).get("contextes", {})
    return found


def plain(text: str) -> str:
    return re.sub(r"[\s\u00a0\u202f]+", " ", text)


def fill(notebook: Any, answers: dict[str, str]) -> None:
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id in answers:
            cell.source = answers[grade_id]


def submissions(slug: str) -> dict[str, dict[str, str]]:
    """Build the class: the k-th submission of a context takes the k-th answer of each question."""
    book = choices(slug)
    filled: dict[str, dict[str, str]] = {}
    for answer in ALL:
        if answer.exercise == slug:
            filled.setdefault(answer.learner, {})[answer.cell] = answer.code
            if book:
                ways = book["choix"][answer.context]["ecritures"]
                filled[answer.learner][book["cellule"]] = ways[answer.rank % len(ways)]
    return filled


def mark(project: Project, slug: str, root: Path, learner: str, notebook: Any) -> dict[str, Graded]:
    """Submit a notebook and have nbgrader grade it: test cell to points and printed text."""
    target = root / "submitted" / learner / slug
    target.mkdir(parents=True)
    nbformat.write(notebook, target / f"{slug}.ipynb")
    points = exercises.scores(project, slug, root, learner)
    marked = nbformat.read(root / "autograded" / learner / slug / f"{slug}.ipynb", 4)
    texts = {
        cell.metadata.get("nbgrader", {}).get("grade_id"): "".join(
            output.get("text", "") for output in cell.get("outputs", ())
        )
        for cell in marked.cells
    }
    return {test: Graded(earned, plain(texts.get(test, ""))) for test, earned in points.items()}


@pytest.fixture(scope="session")
def classroom(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Give the nbgrader course of an exercise, made once, with its release."""

    @cache
    def make(slug: str) -> Path:
        root = tmp_path_factory.mktemp(slug)
        source = root / "source" / slug
        source.mkdir(parents=True)
        shutil.copyfile(exercises.source_of(project, slug), source / f"{slug}.ipynb")
        exercises.prepare(project, slug, source)
        exercises.generate(project, slug, root)
        return root

    return make


def blank(root: Path, slug: str) -> Any:
    return nbformat.read(root / "release" / slug / f"{slug}.ipynb", as_version=4)


def cells_of(
    project: Project, root: Path, slug: str, answers: dict[str, str]
) -> list[tuple[str, str]]:
    """List the code cells that nbgrader runs: the source's own, hidden tests included, and answers."""
    released = {cell.id: cell.source for cell in blank(root, slug).cells}
    found = []
    for cell in nbformat.read(exercises.source_of(project, slug), as_version=4).cells:
        settings = cell.metadata.get("nbgrader", {})
        name = settings.get("grade_id", cell.id)
        written = answers.get(name, released[cell.id]) if settings.get("solution") else cell.source
        if cell.cell_type == "code":
            found.append((name, written))
    return found


def result_of(cell: dict[str, Any], maximum: float) -> Graded:
    """Give the points as nbgrader does: none for a failure, all for a cell without value."""
    points = 0.0 if cell["failed"] else maximum
    if not cell["failed"] and cell["value"] is not None:
        points = float(cell["value"])
    assert 0 <= points <= maximum, cell
    return Graded(points, plain(cell["text"]))


@pytest.fixture(scope="session")
def graded(
    project: Project, classroom: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], dict[tuple[str, str], Graded]]:
    """Grade the class of an exercise, once: (learner, test cell) to points and text."""

    @cache
    def grade(slug: str) -> dict[tuple[str, str], Graded]:
        root = classroom(slug)
        source = nbformat.read(exercises.source_of(project, slug), as_version=4)
        maximum = {
            cell.metadata.nbgrader.grade_id: float(cell.metadata.nbgrader.points)
            for cell in source.cells
            if cell.cell_type == "code" and cell.metadata.get("nbgrader", {}).get("grade")
        }
        class_of = {
            learner: cells_of(project, root, slug, answers)
            for learner, answers in submissions(slug).items()
        }
        texts = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in source.cells}
        solved = {name: cell.source for name, cell in texts.items() if name}
        class_of |= {
            SOLVED: cells_of(project, root, slug, solved),
            EMPTY: cells_of(project, root, slug, {}),
        }
        barrier = tmp_path_factory.mktemp("barriere") / "culture_d"
        barrier.mkdir()
        (barrier / "__init__.py").write_text('raise ImportError("pas chez les élèves")\n', "utf-8")
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("classe.py")), root / "release" / slug],
            input=json.dumps(class_of),
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": str(barrier.parent)},
        )
        assert done.returncode == 0, done.stderr
        return {
            (learner, test): result_of(cells[test], points)
            for learner, cells in json.loads(done.stdout).items()
            for test, points in maximum.items()
        }

    return grade


def by_exercise(slug: str, *values: Any, also: Sequence[Any] = (), **named: Any) -> Any:
    """One case of an exercise, run by the process that graded its class."""
    return pytest.param(
        *values, marks=[pytest.mark.xdist_group(f"exercice-{slug}"), *also], **named
    )


SLUGS = [by_exercise(path.stem, path.stem, id=path.stem) for path in ANSWERS]


@pytest.mark.parametrize(
    "answer",
    [
        by_exercise(
            a.exercise,
            a,
            id=f"{a.exercise}:{a.test}:{a.learner}:{'juste' if a.right else 'faux'}",
        )
        for a in ALL
    ],
)
def test_an_answer_earns_its_points_and_its_hint(
    answer: Answer, graded: Callable[[str], dict[tuple[str, str], Graded]]
) -> None:
    result = graded(answer.exercise)[answer.learner, answer.test]
    assert result.points == answer.points, f"{answer.code}\n{result.text}"
    for said in answer.said:
        assert plain(said) in result.text, answer.code


# How the class is run is the same for all: three of them in each run, the others with `long`.
@pytest.mark.parametrize(
    "slug",
    [
        by_exercise(
            path.stem, path.stem, id=path.stem, also=[pytest.mark.long] if rank >= 3 else []
        )
        for rank, path in enumerate(ANSWERS)
    ],
)
def test_nbgrader_gives_the_same_points_and_the_same_words(
    slug: str,
    project: Project,
    classroom: Callable[[str], Path],
    graded: Callable[[str], dict[tuple[str, str], Graded]],
) -> None:
    """On the submission with the most mistakes, and where one cell may fail."""
    root = classroom(slug)
    wrong = Counter(a.learner for a in ALL if a.exercise == slug and not a.right)
    learner = max(sorted(wrong), key=lambda name: wrong[name])
    notebook = blank(root, slug)
    fill(notebook, submissions(slug)[learner])
    for test, result in mark(project, slug, root, learner, notebook).items():
        ours = graded(slug)[learner, test]
        assert (result.points, result.text.strip()) == (ours.points, ours.text.strip()), test


@pytest.mark.parametrize("slug", SLUGS)
def test_the_solutions_earn_everything_and_the_released_version_nothing(
    slug: str,
    project: Project,
    classroom: Callable[[str], Path],
    graded: Callable[[str], dict[tuple[str, str], Graded]],
) -> None:
    """Where `culture_d` cannot be imported, and where a warning would cost the points."""
    origin = exercises.source_of(project, slug)
    source = exercises.check_source(origin)
    exercises.check_released(source, classroom(slug) / "release" / slug / origin.name, origin)
    points = {
        cell.metadata.nbgrader.grade_id: (cell.cell_type, float(cell.metadata.nbgrader.points))
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    assert sum(value for _, value in points.values()) == 20
    found = graded(slug)
    tests = {name: value for name, (kind, value) in points.items() if kind == "code"}
    assert {name: found[SOLVED, name].points for name in tests} == tests
    assert {name: found[EMPTY, name].points for name in tests} == dict.fromkeys(tests, 0.0)


@pytest.mark.parametrize("slug", SLUGS)
def test_a_question_left_blank_earns_nothing_and_says_so(
    slug: str, graded: Callable[[str], dict[tuple[str, str], Graded]]
) -> None:
    answered = {(answer.learner, answer.test) for answer in ALL if answer.exercise == slug}
    for key, result in graded(slug).items():
        if key not in answered and key[0] != SOLVED:
            assert result.points == 0
            assert "Pas encore de réponse" in result.text or "écrivez un choix" in result.text


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_each_question_has_three_right_answers_and_five_mistakes(path: Path) -> None:
    for question in yaml.safe_load(path.read_text(encoding="utf-8"))["questions"]:
        assert len({entry["code"] for entry in question["justes"]}) >= 3
        assert len({entry["code"] for entry in question["erreurs"]}) >= 5
        assert all(entry["indice"] for entry in question["erreurs"])


@pytest.mark.parametrize("path", ANSWERS, ids=lambda path: path.stem)
def test_every_exercise_has_its_answers(path: Path, project: Project) -> None:
    assert {path.stem for path in ANSWERS} == set(exercises.slugs_of(project))
    source = nbformat.read(exercises.source_of(project, path.stem), as_version=4)
    graded_cells = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in source.cells
        if cell.metadata.get("nbgrader", {}).get("grade") and cell.cell_type == "code"
    }
    book = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {question["note"]: question["points"] for question in book["questions"]} == graded_cells


@pytest.mark.parametrize(
    ("slug", "refusal"),
    [(path.stem, refusal) for path in ANSWERS for refusal in choices(path.stem).get("refus", ())],
    ids=lambda value: value["code"] if isinstance(value, dict) else value,
)
def test_a_choice_that_cannot_be_used_is_explained(
    slug: str,
    refusal: dict[str, str],
    data: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    space: dict[str, Any] = {}
    exec(refusal["code"], space)
    assert verifier.choisir_departement("mon_departement", space) == ""
    assert plain(refusal["indice"]) in plain(capsys.readouterr().out)


def test_every_submission_takes_one_answer_of_each_question() -> None:
    """Guard the class builder: no answer of the file is lost."""
    for slug in {answer.exercise for answer in ALL}:
        placed = sum(
            len(set(cells) - {choices(slug).get("cellule")}) for cells in submissions(slug).values()
        )
        assert placed == sum(answer.exercise == slug for answer in ALL)


CLUMSY = """
import os, sys, warnings, logging
import numpy as np
warnings.simplefilter("error")
logging.basicConfig(level=0)
print("un avertissement", file=sys.stderr)
reponse_1 = np.float64(733.35)
reponse_2a, reponse_2b = 278, "82,5 %"
mes_communes.drop(mes_communes.index, inplace=True)
communes["population"] = 0
pd = communes = verifier = question_1 = None
len = sum = print = max = list = float = round = str = 3
_ici = _france = _code = "moi"
os.chdir("/")
%precision 0
"""


def test_a_clumsy_notebook_is_still_graded_fairly(
    project: Project, classroom: Callable[[str], Path]
) -> None:
    """Names overwritten, tables emptied, warnings on stderr, another folder: no point lost."""
    root = classroom("moyenne-mediane")
    notebook = blank(root, "moyenne-mediane")
    fill(
        notebook,
        {
            "departement": 'mon_departement = "80"',
            "reponse-1": CLUMSY,
            "reponse-2": "",
            "reponse-3": 'import sys\nsys.stderr.write("encore")\nreponse_3 = "C"',
            "reponse-4": 'reponse_4 = "B < D < A < C"',
        },
    )
    result = mark(project, "moyenne-mediane", root, "maladroit", notebook)
    earned = {test: graded.points for test, graded in result.items()}
    assert earned == {"test-1": 2, "test-2": 4, "test-3": 1, "test-4": 3, "test-5": 0}, result


def test_deleted_cells_are_put_back_or_explained(
    project: Project, classroom: Callable[[str], Path]
) -> None:
    root = classroom("moyenne-mediane")
    notebook = blank(root, "moyenne-mediane")
    fill(
        notebook,
        {
            "departement": 'mon_departement = "80"',
            "reponse-1": "reponse_1 = 733",
            "reponse-4": 'reponse_4 = "BDAC"',
        },
    )
    gone = {"test-1", "reponse-3"}
    notebook.cells = [cell for cell in notebook.cells if cell.id not in gone]
    notebook.nbformat_minor = 4  # as an older Jupyter saves it: cells without identifier
    for cell in notebook.cells:
        del cell["id"]
    result = mark(project, "moyenne-mediane", root, "ciseaux", notebook)
    assert result["test-1"].points == 2
    assert result["test-3"].points == 0
    assert "n'existe pas" in result["test-3"].text
    assert result["test-4"].points == 3


def test_copied_deleted_and_unmarked_cells_do_not_stop_the_grading(
    project: Project, classroom: Callable[[str], Path]
) -> None:
    """With `add_missing_cells`, nbgrader alone stops on each of these."""
    root = classroom("moyenne-mediane")
    notebook = blank(root, "moyenne-mediane")
    fill(
        notebook,
        {
            "departement": 'mon_departement = "80"',
            "reponse-2": "reponse_2a = 278",
            "reponse-3": 'reponse_3 = "B"',
            "reponse-4": 'reponse_4 = "BDAC"',
        },
    )
    gone = {"reponse-1", "test-1", "reponse-6"}
    notebook.cells = [cell for cell in notebook.cells if cell.id not in gone]
    cells = {cell.id: cell for cell in notebook.cells}
    for name in ("reponse-3", "test-3"):
        copied = deepcopy(cells[name])
        copied.id = f"{name}-copie"
        notebook.cells.insert(notebook.cells.index(cells[name]) + 1, copied)
    for name in ("departement", "reponse-4", "test-4"):
        cells[name].metadata = nbformat.NotebookNode()
    cells["test-2"].metadata.nbgrader.points = 100
    cells["reponse-2"].metadata.nbgrader.update(grade=True, points=50)
    bonus = nbformat.v4.new_code_cell("100")
    bonus.metadata["nbgrader"] = {**cells["test-2"].metadata.nbgrader, "grade_id": "bonus"}
    notebook.cells.append(bonus)
    result = mark(project, "moyenne-mediane", root, "photocopie", notebook)
    earned = {test: graded.points for test, graded in result.items()}
    assert earned == {"test-1": 0, "test-2": 2, "test-3": 3, "test-4": 3, "test-5": 0}, result
    assert "n'existe pas" in result["test-1"].text


def test_the_feedback_shows_the_hints_and_not_the_hidden_tests(
    project: Project, classroom: Callable[[str], Path]
) -> None:
    slug = "moyenne-mediane"
    root = classroom(slug)
    wrong = next(answer for answer in ALL if answer.exercise == slug and not answer.right)
    notebook = blank(root, slug)
    fill(notebook, submissions(slug)[wrong.learner])
    mark(project, slug, root, "retour", notebook)
    # Someone who saw nbgrader's marks, and writes one in an answer.
    answer = next(cell for cell in notebook.cells if cell.get("id") == "reponse-1")
    answer.source = f"### BEGIN HIDDEN TESTS\n{answer.source}\nma_note = 'lue'"
    mark(project, slug, root, "marque", notebook)
    for learner, own in (("retour", 0), ("marque", 1)):
        with exercises.nbgrader_tools():
            done = exercises.course(project, root).generate_feedback(slug, learner)
        assert done["success"], done
        page = root / "feedback" / learner / slug / f"{slug}.html"
        shown = plain(html.unescape(page.read_text(encoding="utf-8")))
        assert plain(wrong.said[0]) in shown
        assert shown.count("HIDDEN TESTS") == shown.count("ma_note") == own
        for hidden in ("Erreur", "attendu", "Barème"):
            assert hidden not in shown


@pytest.mark.parametrize(
    ("answer", "said"), [("exit()", "Python s'est arrêté"), (None, "n'est pas un notebook lisible")]
)
def test_what_cannot_be_graded_is_said_in_french(
    answer: str | None, said: str, project: Project, classroom: Callable[[str], Path]
) -> None:
    root = classroom("moyenne-mediane")
    notebook = blank(root, "moyenne-mediane")
    fill(notebook, {"reponse-1": answer or ""})
    target = root / "submitted" / f"perdu-{bool(answer)}" / "moyenne-mediane"
    target.mkdir(parents=True)
    text = nbformat.writes(notebook)
    (target / "moyenne-mediane.ipynb").write_text(text if answer else text[:3000], encoding="utf-8")
    with pytest.raises(ExerciseError, match=said):
        exercises.scores(project, "moyenne-mediane", root, target.parent.name)


def test_without_a_departement_each_question_says_so(
    project: Project, classroom: Callable[[str], Path]
) -> None:
    root = classroom("moyenne-mediane")
    notebook = blank(root, "moyenne-mediane")
    fill(notebook, {"departement": "mon_departement = 2A", "reponse-1": "reponse_1 = 733"})
    result = mark(project, "moyenne-mediane", root, "sans-departement", notebook)
    assert sum(graded.points for graded in result.values()) == 0
    assert "Choisissez d'abord un département" in result["test-1"].text
