"""The data folder of an exercise, as a learner has it, for in-process tests of the verifier."""

from pathlib import Path

import pytest

from culture_d import exercises
from culture_d.grading import verifier
from culture_d.project import Project


@pytest.fixture(scope="session")
def exercise_folder(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold the data and the verifier of « moyenne-mediane »."""
    return exercises.prepare(project, "moyenne-mediane", tmp_path_factory.mktemp("eleve"))


@pytest.fixture
def data(exercise_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point the verifier at the data of an exercise."""
    monkeypatch.setattr(verifier, "DATA", exercise_folder / "donnees")
    return exercise_folder / "donnees"
