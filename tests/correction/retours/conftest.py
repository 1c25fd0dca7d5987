"""A small class of « moyenne-mediane », graded once by nbgrader itself.

Somme for everyone: its answers are those of `exercises/answers/moyenne-mediane.yml`.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.preprocessors import ClearSolutions
from playwright.sync_api import Browser, Page

from culture_d import exercises
from culture_d.grading.model import Assignment, Refusal
from culture_d.project import Project

SLUG = "moyenne-mediane"
SOMME = 'mon_departement = "80"'
COMMENT = "Vous citez la médiane : bien.\nDites aussi ce que ce chiffre ne montre pas."
FREE_TEXT = (
    "Le chiffre est exact, mais **huit communes sur dix** sont sous la moyenne.\n\n"
    "Chez nous, la médiane est de 278 habitants."
)

RIGHT = {
    "departement": SOMME,
    "reponse-1": 'reponse_1 = mes_communes["population"].mean()',
    "reponse-2": 'reponse_2a = 278\nreponse_2b = "82 %"',
    "reponse-3": 'reponse_3 = "B"',
    "reponse-4": 'reponse_4 = "B < D < A < C"',
    "reponse-5": 'reponse_5 = ["mediane", "total", "moyenne pondérée", "moyenne"]',
    "reponse-6": FREE_TEXT,
}
MEDIAN = {**RIGHT, "reponse-1": 'reponse_1 = mes_communes["population"].median()'}
WRONG = {
    **MEDIAN,
    "reponse-2": 'reponse_2a = 278\nreponse_2b = "17,5 %"',
    "reponse-3": 'reponse_3 = "D"',
    "reponse-4": 'reponse_4 = "C < A < D < B"',
    "reponse-5": 'reponse_5 = {"A": "moyenne", "B": "total", "C": "moyenne", "D": "moyenne pondérée"}',
}
ACTIVE = """
from IPython.display import HTML, SVG, Javascript, Markdown, display
reponse_3 = "B"
display(mes_communes.head(2))
display(HTML("<script>window.lance = 1</script><img src=x onerror='window.lance = 2'>Bonjour"))
display(Javascript("window.lance = 3"))
display(Markdown("<script>window.lance = 4</script>[ici](javascript:window.lance=5)"))
display(SVG(data="<svg xmlns='http://www.w3.org/2000/svg' onload='window.lance = 6'/>"))
"""
FIGURE = """
import matplotlib.pyplot as plt
reponse_1 = 733
mes_communes["population"].plot.hist()
plt.show()
"""
CLASS: dict[str, dict[str, str]] = {
    "alix": RIGHT,
    "bruno": WRONG,
    "chloe": MEDIAN,
    "denis": {
        **RIGHT,
        "reponse-1": FIGURE,
        "reponse-2": "reponse_2a = 278 / 0",
        "reponse-3": ACTIVE,
    },
    "elise": {"departement": SOMME, "reponse-1": 'reponse_1 = "733,4 habitants"'},
}
NAMES = {"alix": "Alix Martin", "bruno": "Bruno Petit", "chloe": "Chloé Durand"}
EXPECTED = (*CLASS, "gaelle", "hugo")
REFUSED = Refusal(
    "gaelle",
    SLUG,
    "Votre fichier « devoir.ipynb » est vide. Enregistrez votre carnet, puis rendez-le à nouveau.",
    "Gaëlle Moreau",
)


@dataclass(frozen=True)
class Class:
    """A course of nbgrader once graded."""

    root: Path
    assignment: Assignment

    @property
    def db_url(self) -> str:
        return f"sqlite:///{self.root / 'gradebook.db'}"

    def autograded(self, learner: str) -> Mapping[str, bytes]:
        folder = self.root / "autograded" / learner / self.assignment.name
        return {path.stem: path.read_bytes() for path in folder.glob("*.ipynb")}


def kept_for_grading(source: Path) -> bytes:
    """Clear the solutions and keep the hidden tests, as nbgrader does."""
    notebook = nbformat.read(source, as_version=4)
    cleared, _ = ClearSolutions(code_stub={"python": ""}, text_stub="*Votre réponse.*").preprocess(
        notebook, {}
    )
    text: str = nbformat.writes(cleared)
    return text.encode()


@pytest.fixture(scope="session")
def graded(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Class:
    """Grade the class with nbgrader, and do by hand what a trainer does in formgrader."""
    root = tmp_path_factory.mktemp("classe")
    source = root / "source" / SLUG
    source.mkdir(parents=True)
    origin = exercises.source_of(project, SLUG)
    shutil.copyfile(origin, source / origin.name)
    exercises.prepare(project, SLUG, source)
    exercises.generate(project, SLUG, root)
    assignment = Assignment(SLUG, b"", {}, {SLUG: kept_for_grading(origin)})
    course = Class(root, assignment)
    with Gradebook(course.db_url, "culture-d") as book:
        book.update_or_create_assignment(
            SLUG, duedate=datetime(2026, 3, 1, 22), course_id="culture-d"
        )
        for learner in EXPECTED:
            first, _, last = NAMES.get(learner, "").partition(" ")
            book.update_or_create_student(learner, first_name=first or None, last_name=last or None)
    for learner, answers in CLASS.items():
        submit(root, learner, answers)
        exercises.scores(project, SLUG, root, learner)
    with Gradebook(course.db_url, "culture-d") as book:
        grade = book.find_grade("reponse-6", SLUG, SLUG, "alix")
        grade.manual_score, grade.needs_manual_grade = 3.5, False
        book.find_comment("reponse-6", SLUG, SLUG, "alix").manual_comment = COMMENT
        late = book.find_submission_notebook(SLUG, SLUG, "chloe")
        late.late_submission_penalty = 2.0
        book.db.commit()
    return course


def submit(root: Path, learner: str, answers: dict[str, str]) -> None:
    notebook = nbformat.read(root / "release" / SLUG / f"{SLUG}.ipynb", as_version=4)
    for cell in notebook.cells:
        cell.source = answers.get(cell.metadata.get("nbgrader", {}).get("grade_id"), cell.source)
    target = root / "submitted" / learner / SLUG
    target.mkdir(parents=True)
    nbformat.write(notebook, target / f"{SLUG}.ipynb")
    day = "2026-03-03 10:00:00 UTC" if learner == "chloe" else "2026-02-27 18:30:00 UTC"
    (target / "timestamp.txt").write_text(day, encoding="utf-8")


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that may not reach anything but what a test gives it."""
    context = browser.new_context()
    opened = context.new_page()
    yield opened
    context.close()


def in_notebook(course: Class, learner: str, change: Any) -> dict[str, bytes]:
    """Give the autograded notebook of a learner, with one thing changed in it."""
    notebook = nbformat.reads(course.autograded(learner)[SLUG].decode(), as_version=4)
    change(
        {
            cell.metadata.get("nbgrader", {}).get("grade_id", cell.id): cell
            for cell in notebook.cells
        }
    )
    return {SLUG: nbformat.writes(notebook).encode()}
