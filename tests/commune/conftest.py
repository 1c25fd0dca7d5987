"""The data as the tests read them: with pandas, never with the code that is tested."""

from pathlib import Path

import numpy as np
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


@pytest.fixture(scope="session")
def table(communes: pd.DataFrame, epci: pd.DataFrame) -> pd.DataFrame:
    """The communes by code, with the type of their EPCI, and the kind they are compared in."""
    types = communes["epci"].map(epci.set_index("code")["type"]).fillna("")
    kinds = types.replace("MET69", "METRO")
    return communes.assign(type=types, kind=kinds).set_index("code", drop=False)


Similar = dict[str, tuple[str, list[str]]]


@pytest.fixture(scope="session")
def similar(table: pd.DataFrame) -> Similar:
    """The scope and the codes to show for each commune: every distance, no shortcut."""
    found: Similar = {code: ("department", []) for code in table.index[table["kind"] == ""]}
    for (land, kind), around in table[table["kind"] != ""].groupby(["departement", "kind"]):
        france = table[(table["kind"] == kind) & (table["departement"] != "976")]
        for code, size in around["population"].items():
            near, gaps = _nearest(around, str(code), int(size))
            close = int((gaps <= int(size) / 4).sum())
            if close >= 3:
                found[str(code)] = "department", near[: min(close, 5)]
            elif land == "976":
                found[str(code)] = "department", near
            else:
                found[str(code)] = "france", _nearest(france, str(code), int(size))[0]
    return found


def _nearest(pool: pd.DataFrame, code: str, size: int) -> tuple[list[str], "np.ndarray"]:
    """The five nearest of a pool, ties by population then code; the gaps of all others."""
    sizes, codes = pool["population"].to_numpy(), pool["code"].to_numpy()
    other = codes != code
    sizes, codes = sizes[other], codes[other]
    gaps = np.abs(sizes - size)
    within = gaps <= (np.partition(gaps, 4)[4] if len(gaps) > 5 else gaps.max(initial=0))
    ranked = sorted(zip(gaps[within], sizes[within], codes[within], strict=True))
    return [code for _, _, code in ranked[:5]], gaps
