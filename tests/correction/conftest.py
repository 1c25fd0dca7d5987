"""A small nbgrader course, made by nbgrader itself, that has nothing of ours."""

import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.apps.api import NbGraderAPI
from traitlets.config import Config

from culture_d.exercises import nbgrader_tools
from culture_d.grading import run
from culture_d.grading.model import Assignment, Runner
from tests.correction.petit_groupe import RIGHT, WRONG, hand_in, in_this_process


def marked(cell: object, name: str, **settings: object) -> object:
    """Give a cell nbgrader's mark."""
    mark = {"schema_version": 3, "grade_id": name, "grade": False, "solution": False}
    cell.metadata["nbgrader"] = {**mark, "locked": False, "task": False, **settings}  # type: ignore[attr-defined]
    cell["id"] = name  # type: ignore[index]
    return cell


def small_source() -> nbformat.NotebookNode:
    """Two graded answers of 2 and 3 points, and a text that a person reads, of 5."""
    cells = [
        marked(
            new_code_cell("a = ...\n### BEGIN SOLUTION\na = 2\n### END SOLUTION"),
            "a",
            solution=True,
        ),
        marked(
            new_code_cell("### BEGIN HIDDEN TESTS\nassert a == 2\n### END HIDDEN TESTS"),
            "test-a",
            grade=True,
            locked=True,
            points=2,
        ),
        marked(
            new_code_cell("b = ...\n### BEGIN SOLUTION\nb = a + 1\n### END SOLUTION"),
            "b",
            solution=True,
        ),
        marked(new_code_cell("assert b == 3"), "test-b", grade=True, locked=True, points=3),
        marked(new_markdown_cell("Votre avis"), "avis", grade=True, solution=True, points=5),
    ]
    kernel = {"name": "python3", "display_name": "P"}
    notebook: nbformat.NotebookNode = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return notebook


@pytest.fixture(scope="session")
def small_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course's folder, with its assignment « petit » generated."""
    root = tmp_path_factory.mktemp("cours")
    (root / "source" / "petit").mkdir(parents=True)
    nbformat.write(small_source(), root / "source" / "petit" / "petit.ipynb")
    config = Config()
    config.CourseDirectory.root = str(root)
    with nbgrader_tools():
        made = NbGraderAPI(config=config).generate_assignment("petit")
    assert made["success"], made["log"]
    return root


@pytest.fixture
def course(small_course: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of the course, to spoil."""
    root = tmp_path / "cours"
    shutil.copytree(small_course, root)
    yield root


@pytest.fixture(scope="session")
def small(small_course: Path) -> Assignment:
    """The assignment « petit » as runners receive it."""
    return Assignment(
        name="petit",
        gradebook=(small_course / "gradebook.db").read_bytes(),
        files={},
        notebooks={"petit.ipynb": (small_course / "release/petit/petit.ipynb").read_bytes()},
    )


@pytest.fixture
def room(course: Path, small: Assignment) -> Path:
    """The course, with the work of three learners, one of whom handed in an empty file."""
    hand_in(course / "submitted", "lea", small, RIGHT)
    hand_in(course / "submitted", "zoe", small, WRONG)
    (course / "submitted" / "tom" / "petit").mkdir(parents=True)
    (course / "submitted" / "tom" / "petit" / "petit.ipynb").write_bytes(b"")
    return course


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """One runner for the tests of a file: to start its processes takes seconds."""
    made = run.make_runner(run.PLAIN, True)
    yield made
    made.close()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, runner: Runner) -> None:
    """Run submissions in this process."""
    monkeypatch.setattr(run, "run_all", in_this_process(runner))
    monkeypatch.setattr(run, "shared_kernels", lambda *_: nullcontext())
