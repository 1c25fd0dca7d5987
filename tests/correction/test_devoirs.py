"""The assignments of any nbgrader course, prepared by nbgrader, without path, learner or neighbour."""

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from culture_d import exercises
from culture_d.errors import AssignmentError, GradebookError
from culture_d.grading.assignment import course_limits, load_assignments
from culture_d.grading.model import Assignment, Limits
from culture_d.project import Project

SECRET = "reponse-cachee"


def marked(source: str, name: str, points: float | None = None) -> Any:
    mark = {
        "schema_version": 3,
        "grade_id": name,
        "grade": points is not None,
        "solution": points is None,
        "locked": points is not None,
        "task": False,
    }
    if points is not None:
        mark["points"] = points
    return new_code_cell(source, id=name, metadata={"nbgrader": mark})


def write_assignment(root: Path, name: str = "devoir", place: str = "source") -> Path:
    folder = root / place / name
    folder.mkdir(parents=True)
    notebook = new_notebook(metadata={"kernelspec": {"name": "python3", "display_name": "P"}})
    notebook.cells = [
        marked("### BEGIN SOLUTION\na = 1\n### END SOLUTION", "rep"),
        marked(
            f"### BEGIN HIDDEN TESTS\nassert a == 1  # {SECRET}\n### END HIDDEN TESTS", "test", 2
        ),
    ]
    nbformat.write(notebook, folder / f"{name}.ipynb")
    (folder / "donnees").mkdir()
    (folder / "donnees" / "table.csv").write_text("a,b\n", encoding="utf-8")
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "x.pyc").write_bytes(b"x")
    return folder


@pytest.fixture
def course(tmp_path: Path) -> Path:
    root = tmp_path / "cours"
    write_assignment(root)
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def rows(assignment: Assignment, tmp_path: Path, question: str) -> list[Any]:
    path = tmp_path / "lu.db"
    path.write_bytes(assignment.gradebook)
    with sqlite3.connect(path) as book:
        return [row[0] for row in book.execute(question)]


def test_an_assignment_holds_itself_and_nothing_else(
    course: Path, cache: Path, tmp_path: Path
) -> None:
    write_assignment(course, "suivant")
    before = {path: path.stat().st_mtime_ns for path in course.rglob("*")}
    found = load_assignments(course, cache=cache)
    assert list(found) == ["devoir", "suivant"]
    assert {path: path.stat().st_mtime_ns for path in course.rglob("*")} == before
    given = found["devoir"]
    assert given.files == {"donnees/table.csv": b"a,b\n"}
    assert rows(given, tmp_path, "select name from assignment") == ["devoir"]
    assert rows(given, tmp_path, "select id from student") == []
    assert rows(given, tmp_path, "select max_score from grade_cells") == [2.0]
    notebook = nbformat.reads(given.notebooks["devoir.ipynb"].decode(), as_version=4)
    answer, test = notebook.cells
    assert "a = 1" not in answer.source and SECRET in test.source
    from nbgrader.utils import compute_checksum

    assert test.metadata.nbgrader.checksum == compute_checksum(test)
    everything = given.gradebook + b"".join(given.notebooks.values())
    assert str(course).encode() not in everything + json.dumps(given.config).encode()
    assert b"suivant" not in everything


def test_only_what_is_asked_for_is_made(course: Path, cache: Path) -> None:
    write_assignment(course, "suivant")
    assert list(load_assignments(course, ["suivant"], cache)) == ["suivant"]


def test_the_same_source_is_the_same_version(course: Path, tmp_path: Path) -> None:
    first = load_assignments(course, cache=tmp_path / "un")["devoir"]
    again = load_assignments(course, cache=tmp_path / "deux")["devoir"]
    assert first == again and first.version == again.version
    path = course / "source" / "devoir" / "donnees" / "table.csv"
    path.write_text("a,b\n1,2\n", encoding="utf-8")
    changed = load_assignments(course, cache=tmp_path / "un")["devoir"]
    assert changed.version != first.version


def test_what_was_made_is_kept_and_a_damaged_copy_is_made_again(
    course: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = load_assignments(course, cache=cache)["devoir"]
    with monkeypatch.context() as patch:
        patch.setattr(
            "culture_d.grading.assignment._generate", lambda *given: pytest.fail("refait")
        )
        started = time.monotonic()
        assert load_assignments(course, cache=cache)["devoir"] == first
        assert time.monotonic() - started < 5
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])
    assert load_assignments(course, cache=cache)["devoir"] == first


SETTINGS = """
from pathlib import Path
from nbgrader.preprocessors import LimitOutput
from politique import Retard

c = get_config()
c.CourseDirectory.course_id = "cours"
c.CourseDirectory.root = "/chez/quelqu-un"
c.CourseDirectory.ignore.append("*.secret")
c.CourseDirectory.db_url = "sqlite:////chez/quelqu-un/notes.db"
c.Exchange.root = "/srv/echange"
c.NbGrader.logfile = "/var/log/nbgrader.log"
c.IncludeHeaderFooter.header = "source/entete.ipynb"
c.Execute.timeout = 120
c.AssignLatePenalties.plugin_class = Retard
c.Autograde.sanitize_preprocessors.append(LimitOutput)
"""


def test_settings_travel_as_plain_data(course: Path, cache: Path) -> None:
    (course / "nbgrader_config.py").write_text(SETTINGS, encoding="utf-8")
    (course / "politique.py").write_text(
        "from nbgrader.plugins import BasePlugin\nclass Retard(BasePlugin):\n    pass\n",
        encoding="utf-8",
    )
    header = new_notebook(cells=[new_code_cell("import math", id="entete")])
    nbformat.write(header, course / "source" / "entete.ipynb")
    given = load_assignments(course, cache=cache)["devoir"]
    config = json.loads(json.dumps(given.config))
    assert config == given.config
    assert config["CourseDirectory"]["course_id"] == "cours"
    assert config["CourseDirectory"]["ignore"][-1] == "*.secret"
    assert config["CourseDirectory"]["ignore"][0] == ".ipynb_checkpoints"
    assert set(config["CourseDirectory"]) == {"course_id", "ignore"}
    assert not {"Exchange", "NbGrader", "IncludeHeaderFooter"} & set(config)
    assert config["AssignLatePenalties"]["plugin_class"] == "politique.Retard"
    assert "class Retard" in config["CultureD"]["modules"]["politique.py"]
    steps = config["Autograde"]["sanitize_preprocessors"]
    assert len(steps) == 6 and steps[-1].endswith(".LimitOutput")
    assert "/chez" not in json.dumps(config) and "/srv" not in json.dumps(config)
    # The header was put in, though its path did not travel.
    assert "import math" in given.notebooks["devoir.ipynb"].decode()
    assert course_limits(given, Limits(cell_seconds=5)).cell_seconds == 120


def test_the_due_date_is_that_of_the_course(course: Path, cache: Path, tmp_path: Path) -> None:
    from nbgrader.api import Gradebook

    with exercises.nbgrader_tools(), Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        book.update_or_create_assignment("devoir", duedate="2026-03-01 12:00:00")
        book.update_or_create_student("lea")
    before = (course / "gradebook.db").read_bytes()
    given = load_assignments(course, cache=cache)["devoir"]
    assert rows(given, tmp_path, "select duedate from assignment")[0].startswith("2026-03-01 12:00")
    assert rows(given, tmp_path, "select id from student") == []
    assert (course / "gradebook.db").read_bytes() == before


def test_other_folders_than_the_usual_ones(tmp_path: Path, cache: Path) -> None:
    root = tmp_path / "cours"
    write_assignment(root, place="enonces/.")
    (root / "nbgrader_config.py").write_text(
        "c = get_config()\nc.CourseDirectory.source_directory = 'enonces'\n", encoding="utf-8"
    )
    assert list(load_assignments(root, cache=cache)) == ["devoir"]


def test_our_own_exercises_come_with_their_data(project: Project, cache: Path) -> None:
    given = load_assignments(project.exercises, ["moyenne-mediane"], cache)["moyenne-mediane"]
    assert {"verifier.py", "donnees/communes.csv"} <= set(given.files)
    steps = given.config["Autograde"]["sanitize_preprocessors"]
    assert isinstance(steps, list) and "culture_d.exercises.restore_cells" in steps


# What is refused


def refused(course: Path, cache: Path, names: list[str] | None = None) -> str:
    with pytest.raises(AssignmentError) as caught:
        load_assignments(course, names, cache)
    return str(caught.value)


def test_no_course_no_assignment(tmp_path: Path, course: Path, cache: Path) -> None:
    assert "introuvable" in refused(tmp_path / "absent", cache)
    (tmp_path / "vide").mkdir()
    assert "source/NOM-DU-DEVOIR" in refused(tmp_path / "vide", cache)
    said = refused(course, cache, ["autre"])
    assert "« autre »" in said and "« devoir »" in said


def test_settings_that_cannot_be_read_or_sent(course: Path, cache: Path) -> None:
    settings = course / "nbgrader_config.py"
    settings.write_text("c = get_config(\n", encoding="utf-8")
    assert "ne se lit pas" in refused(course, cache)
    settings.write_text(
        "c = get_config()\nc.Autograde.pre_convert_hook = lambda **given: None\n", encoding="utf-8"
    )
    said = refused(course, cache)
    assert "Autograde.pre_convert_hook" in said and "module" in said


def test_what_nbgrader_refuses_is_said_in_french(course: Path, cache: Path) -> None:
    path = course / "source" / "devoir" / "devoir.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(marked("assert True", "test", 1))
    nbformat.write(notebook, path)
    said = refused(course, cache)
    assert "nbgrader refuse" in said and "« devoir »" in said and "test" in said


def test_a_gradebook_that_cannot_be_read_is_said(course: Path, cache: Path) -> None:
    with sqlite3.connect(course / "gradebook.db") as book:
        book.execute("create table assignment (id integer)")
    with pytest.raises(GradebookError, match="nbgrader db upgrade"):
        load_assignments(course, cache=cache)
