"""Tests that share something long to make run in one process, or it is made twice."""

import os
import subprocess
import sys
from pathlib import Path

from culture_d.curriculum import contents
from culture_d.project import Project
from tests.families import FAMILIES, fewer, now, rest

GROUPED = """
import os
from pathlib import Path
import pytest
pytestmark = pytest.mark.xdist_group("ensemble")

@pytest.mark.parametrize("number", range(8))
def test_one(number):
    Path("processus", f"{number}-{os.getpid()}").touch()
"""


def test_a_group_runs_in_one_process(tmp_path: Path) -> None:
    """pytest 9.2 with pytest-xdist 3.8 forgot the groups without a word."""
    (tmp_path / "test_ensemble.py").write_text(GROUPED)
    (tmp_path / "processus").mkdir()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "xdist", "-n", "2"]
    # Other plugins take long to load.
    environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        [*command, "--dist", "loadgroup"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=environment,
    )
    assert done.returncode == 0, done.stdout
    made = [path.name for path in (tmp_path / "processus").iterdir()]
    assert len(made) == 8
    assert len({name.split("-")[1] for name in made}) == 1


def test_every_page_is_looked_at_now_or_by_the_soak(project: Project) -> None:
    """Every lesson now, some of each family; what is left out is what the soak takes."""
    pages = [name for _, names in contents(project) for name in names]
    assert sorted([*fewer(pages), *rest(pages)]) == sorted(pages)
    assert rest(pages) and set(fewer(pages)) <= set(now(pages))
    assert {name for name in pages if name.startswith("notebooks/")} <= set(fewer(pages))
    for family in FAMILIES:
        assert any(Path(name).parent.as_posix() == family for name in fewer(pages)), family
