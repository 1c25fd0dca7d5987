"""A submission's rows are found without reading those of every other learner."""

import sqlite3
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from culture_d.grading.database import SQLITE
from culture_d.grading.model import Assignment
from culture_d.grading.record import GradebookWriter

QUERIES = (
    "SELECT * FROM submitted_assignment WHERE student_id = 'lea'",
    "SELECT * FROM submitted_notebook WHERE assignment_id = '1'",
    "SELECT * FROM grade WHERE notebook_id = '1'",
    "SELECT * FROM comment WHERE notebook_id = '1'",
)


def ways(path: Path) -> list[str]:
    """Say how SQLite goes through each table."""
    with sqlite3.connect(path) as base:
        return [base.execute(f"EXPLAIN QUERY PLAN {query}").fetchone()[3] for query in QUERIES]


@pytest.fixture
def of_nbgrader(tmp_path: Path, small: Assignment) -> Path:
    """A gradebook as nbgrader made it, with one submission."""
    path = tmp_path / "gradebook.db"
    path.write_bytes(small.gradebook)
    with Gradebook(f"{SQLITE}{path}") as book:
        book.add_student("lea")
        book.add_submission("petit", "lea")
    return path


def test_the_gradebook_of_nbgrader_is_given_what_it_lacks(of_nbgrader: Path) -> None:
    assert all(way.startswith("SCAN") for way in ways(of_nbgrader)), "nothing left to add"
    for _ in range(2):
        GradebookWriter(f"{SQLITE}{of_nbgrader}").__exit__()
        assert all(way.startswith("SEARCH") for way in ways(of_nbgrader))
    with Gradebook(f"{SQLITE}{of_nbgrader}") as book:
        assert book.find_submission("petit", "lea").score == 0


def test_a_new_gradebook_has_it_too(tmp_path: Path) -> None:
    with GradebookWriter(f"{SQLITE}{tmp_path / 'gradebook.db'}"):
        pass
    assert all(way.startswith("SEARCH") for way in ways(tmp_path / "gradebook.db"))
