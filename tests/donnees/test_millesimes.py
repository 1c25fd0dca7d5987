"""What the vintages' manifest says of its sources, seen in the packages themselves."""

import csv
import os
from datetime import date

import pytest

from culture_d.errors import SourceError
from culture_d.former_communes import EDITIONS
from culture_d.project import Project
from culture_d.sources import npm_package, read_json
from culture_d.territory import PACKAGE, SHA256, VERSION

LISTS = {year: (version, sha256) for year, version, sha256 in (*EDITIONS, (2026, VERSION, SHA256))}


def _populations(year: int) -> dict[str, int]:
    try:
        package = npm_package(PACKAGE, *LISTS[year])
    except SourceError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    return {
        row["code"]: row["population"]
        for row in read_json(package, "data/communes.json")
        if row["type"] == "commune-actuelle" and "population" in row
    }


@pytest.mark.parametrize(("older", "newer"), [(2022, 2023), (2025, 2026)])
def test_two_lists_hold_the_same_populations(older: int, newer: int) -> None:
    before, after = _populations(older), _populations(newer)
    common = before.keys() & after.keys()
    assert len(common) > 34_000
    assert [code for code in common if before[code] != after[code]] == []


@pytest.mark.parametrize(("older", "newer"), [(2021, 2022), (2022, 2024), (2024, 2026)])
def test_other_lists_do_not_but_for_mayotte(older: int, newer: int) -> None:
    before, after = _populations(older), _populations(newer)
    common = before.keys() & after.keys()
    same = [code for code in common if before[code] == after[code]]
    assert len(same) < 0.1 * len(common)
    assert {code for code in common if code.startswith("976")} <= set(same)


def test_the_traps_are_in_the_file(project: Project) -> None:
    path = project.datasets / "millesimes" / "millesimes.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = [list(row.values()) for row in csv.DictReader(file)]
    mayotte = [values for code, *values in rows if code.startswith("976")]
    assert len(mayotte) == 17 and all(len(set(values)) == 1 for values in mayotte)
    assert sum(int(values[0]) for values in mayotte) == 256_518  # Insee, 27 December 2017
    assert sum("" in values for values in rows) == 12
    total = sum(int(values[-1]) for values in rows)
    # Insee said 68,094,000 without Mayotte, on 18 December 2025.
    assert round((total - 256_518) / 1000) == 68_094


def test_the_dates_follow_one_another(project: Project) -> None:
    with (project.datasets / "jalons" / "jalons.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        assert not row["date"] or date.fromisoformat(row["date"]).year == int(row["annee"])
    for place in ("Mayotte", "autres départements"):
        days = [row["date"] for row in rows if row["territoire"] == place and row["date"]]
        assert days == sorted(days)
