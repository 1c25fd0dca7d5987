"""The data as the tests read them: with pandas, never with the code that is tested."""

from pathlib import Path

import pandas as pd
import pytest

from culture_d.project import Project


def _read(project: Project, name: str) -> pd.DataFrame:
    table = pd.read_csv(project.datasets / name / f"{name}.csv", dtype=str, keep_default_na=False)
    for column in ("population", "population_municipale"):
        if column in table:
            table[column] = table[column].astype(int)
    return table


@pytest.fixture(scope="session")
def communes(project: Project) -> pd.DataFrame:
    return _read(project, "communes")


@pytest.fixture(scope="session")
def epci(project: Project) -> pd.DataFrame:
    return _read(project, "epci")


@pytest.fixture(scope="session")
def departements(project: Project) -> pd.DataFrame:
    return _read(project, "departements")


@pytest.fixture(scope="session")
def former(project: Project) -> pd.DataFrame:
    return _read(project, "anciennes-communes")


@pytest.fixture(scope="session")
def lands(project: Project) -> pd.DataFrame:
    return _read(project, "lieux")


@pytest.fixture(scope="session")
def files(site: Path) -> Path:
    """The folder of the files that a choice loads."""
    return site / "_static" / "commune"
