"""Assignments to submit to, made by nbgrader itself from real courses."""

import json
import shutil
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import nbformat
import nbgrader
from traitlets.config import Config

from culture_d import exercises
from culture_d.grading.model import Assignment
from culture_d.project import Project

ROOT = Path(__file__).resolve().parents[2]
SLUG = "moyenne-mediane"
OTHER = "formats"
GENERIC = "devoir"
# The course of nbgrader's own documentation: two notebooks, written answers, a task.
PUBLIC = "ps1"
PUBLIC_SOURCE = Path(nbgrader.__file__).parent / "docs/source/user_guide/source/ps1"


def _generic() -> dict[str, Any]:
    """Write a course of two notebooks with every kind of cell, in an order of its own."""

    def mark(name: str, **marks: Any) -> dict[str, Any]:
        kept = {"grade": False, "solution": False, "locked": False, "task": False, **marks}
        return {"nbgrader": {"schema_version": 3, "grade_id": name, **kept}}

    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    stub = "def {0}(x):\n    ### BEGIN SOLUTION\n    return {1}\n    ### END SOLUTION"
    first = [
        text("# Un devoir"),
        code("import math", metadata=mark("prepa", locked=True)),
        text("Écrivez la fonction double."),
        code(stub.format("double", "2 * x"), metadata=mark("double", solution=True)),
        code(
            "assert double(1) == 2\n### BEGIN HIDDEN TESTS\nassert double(3) == 6\n### END HIDDEN TESTS",
            metadata=mark("essai-double", grade=True, locked=True, points=2),
        ),
        text("Écrivez la fonction triple."),
        code(stub.format("triple", "3 * x"), metadata=mark("triple", solution=True)),
        code(
            "assert triple(2) == 6",
            metadata=mark("essai-triple", grade=True, locked=True, points=3),
        ),
        text(
            "YOUR ANSWER HERE",
            metadata=mark("pourquoi", grade=True, solution=True, points=4),
        ),
    ]
    second = [
        code("reponse_a = ...", metadata=mark("reponse-a", solution=True)),
        code(
            "assert reponse_a == 42",
            metadata=mark("essai-a", grade=True, locked=True, points=1),
        ),
        text(
            "Faites un dessin, puis dites ce que vous y voyez.\n"
            "=== BEGIN MARK SCHEME ===\nDeux points.\n=== END MARK SCHEME ===",
            metadata=mark("tache", task=True, locked=True, points=2),
        ),
        code(
            "# votre graphique",
            metadata=mark("graphique", grade=True, solution=True, points=2),
        ),
    ]
    books = {}
    for name, cells in (("fonctions", first), ("libre", second)):
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        books[name] = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        for rank, cell in enumerate(books[name].cells):
            cell.id = f"{name}-{rank}"
    return books


@cache
def assignment(slug: str = SLUG) -> Assignment:
    """Have nbgrader make an assignment: of this course, or `GENERIC`, or `PUBLIC`."""
    return _made(slug)[0]


@cache
def released(slug: str = SLUG) -> dict[str, bytes]:
    """Give the files that the learners of an assignment receive."""
    return _made(slug)[1]


@cache
def _made(slug: str) -> tuple[Assignment, dict[str, bytes]]:
    project = Project(ROOT)
    with TemporaryDirectory() as scratch:
        kept, given = Path(scratch) / "kept", Path(scratch) / "given"
        for root in (kept, given):
            _source(project, slug, root / "source" / slug)
        _generate(project, slug, given)
        _generate(project, slug, kept, until="SaveCells")
        files = _files(kept / "release" / slug)
        made = Assignment(
            name=slug,
            gradebook=(given / "gradebook.db").read_bytes(),
            files={name: data for name, data in files.items() if not name.endswith(".ipynb")},
            notebooks={
                name.removesuffix(".ipynb"): data
                for name, data in files.items()
                if name.endswith(".ipynb")
            },
        )
        return made, _files(given / "release" / slug)


def _source(project: Project, slug: str, folder: Path) -> None:
    folder.mkdir(parents=True)
    if slug == GENERIC:
        for name, notebook in _generic().items():
            nbformat.write(notebook, folder / f"{name}.ipynb")
    elif slug == PUBLIC:
        shutil.copytree(PUBLIC_SOURCE, folder, dirs_exist_ok=True)
    else:
        shutil.copyfile(exercises.source_of(project, slug), folder / f"{slug}.ipynb")
        exercises.prepare(project, slug, folder)


def _generate(project: Project, slug: str, root: Path, until: str | None = None) -> None:
    """Run `generate_assignment`; stop at SaveCells for what nbgrader keeps to itself."""
    from nbgrader.converters import GenerateAssignment

    steps = [f"nbgrader.preprocessors.{step}" for step in _steps(GenerateAssignment, until)]
    config = Config()
    config.GenerateAssignment.preprocessors = steps
    with exercises.nbgrader_tools():
        api = exercises.course(project, root, config)
        if slug == PUBLIC:
            del api.config.ClearSolutions
        done = api.generate_assignment(slug)
    assert done["success"], done


def _steps(converter: Any, until: str | None) -> list[str]:
    names = [step.__name__ for step in converter.preprocessors.default()]
    return names[: names.index(until) + 1] if until else names


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def blank(slug: str = SLUG, name: str | None = None) -> dict[str, Any]:
    """Give a notebook as handed out, to fill in."""
    content: dict[str, Any] = json.loads(released(slug)[f"{name or slug}.ipynb"])
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"])
    return content


ANSWERS = {
    "departement": 'mon_departement = "80"',
    "reponse-1": "reponse_1 = 733",
    "reponse-2": 'reponse_2a = 278\nreponse_2b = "82,5 %"',
    "reponse-3": 'reponse_3 = "B"',
    "reponse-4": 'reponse_4 = "BDAC"',
}


def honest(answers: dict[str, str] | None = None) -> dict[str, Any]:
    """Give « moyenne-mediane » as an honest learner hands it back."""
    content = blank()
    for cell in content["cells"]:
        name = mark_of(cell)
        if name in (answers or ANSWERS):
            cell["source"] = (answers or ANSWERS)[name]
    return content


def mark_of(cell: dict[str, Any]) -> str:
    """Give the identifier that nbgrader knows a cell by, or nothing."""
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def cell_of(content: dict[str, Any], name: str) -> dict[str, Any]:
    """Find a cell by nbgrader's identifier."""
    found: dict[str, Any] = next(cell for cell in content["cells"] if mark_of(cell) == name)
    return found


def place_of(content: dict[str, Any], name: str) -> int:
    """Find the place of a cell by nbgrader's identifier."""
    return [mark_of(cell) for cell in content["cells"]].index(name)


def without(content: dict[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Give a copy of a notebook without some of its cells."""
    gone = set(names)
    kept = deepcopy(content)
    kept["cells"] = [cell for cell in kept["cells"] if mark_of(cell) not in gone]
    return kept


def written(content: Any) -> bytes:
    """Write a notebook as Jupyter does; a lone surrogate can only be written escaped."""
    try:
        return json.dumps(content, ensure_ascii=False, indent=1).encode()
    except UnicodeEncodeError:
        return json.dumps(content, indent=1).encode()
