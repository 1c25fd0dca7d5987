"""What a notebook shows, for the tests that recompute it.

A test module names its notebook in `NOTEBOOK`. If it has a function `plain`, what is
shown is given through it, for instance with ordinary spaces.
"""

from collections.abc import Callable
from typing import Any

import pytest
from bs4 import BeautifulSoup

from culture_d.notebooks import read
from culture_d.project import Project


def _folding(request: pytest.FixtureRequest) -> Callable[[str], str]:
    fold: Callable[[str], str] = getattr(request.module, "plain", str)
    return fold


def _cells(request: pytest.FixtureRequest, project: Project) -> list[Any]:
    notebook = read(project.root / request.module.NOTEBOOK)
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.fixture(scope="module")
def said(request: pytest.FixtureRequest, project: Project) -> dict[str, str]:
    """What each cell shows, as text, by cell id."""
    fold = _folding(request)
    return {
        cell.id: fold(
            "\n".join(
                str(data.get("text/markdown", data.get("text/plain")))
                for data in (output.get("data", {}) for output in cell.outputs)
            )
        )
        for cell in _cells(request, project)
    }


@pytest.fixture(scope="module")
def tables(request: pytest.FixtureRequest, project: Project) -> dict[str, list[list[str]]]:
    """Rows of the first table of each cell, as the site shows it, by cell id."""
    fold = _folding(request)
    found = {}
    for cell in _cells(request, project):
        html = "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)
        table = BeautifulSoup(html, "html.parser").find("table")
        if table:
            found[cell.id] = [
                [fold(one.get_text()) for one in row.find_all(["th", "td"])]
                for row in table.find_all("tr")[1:]
            ]
    return found
