"""Build `millesimes.csv`: the same communes in four vintages of the national file."""

from pathlib import Path

from culture_d.former_communes import EDITIONS
from culture_d.sources import npm_package, read_json
from culture_d.territory import PACKAGE, current_communes, read_package, write_csv

# Year of the package's list of communes for each vintage of the populations. The lists of
# 2023 and 2025 bring no population of their own: they hold those of 2022 and 2026.
VINTAGES = {2019: 2021, 2020: 2022, 2022: 2024}
CURRENT_VINTAGE = 2023


def build(folder: Path) -> None:
    """Write `millesimes.csv` in `folder`: the communes of today, one column a vintage."""
    today = current_communes(read_package("communes"))
    vintages = [*(_populations(VINTAGES[year]) for year in VINTAGES)]
    vintages.append({row["code"]: row["population"] for row in today})
    rows = (
        (row["code"], *(populations.get(row["code"], "") for populations in vintages))
        for row in today
    )
    years = (*VINTAGES, CURRENT_VINTAGE)
    header = ("code", *(f"population_{year}" for year in years))
    write_csv(folder / "millesimes.csv", header, rows)


def _populations(list_year: int) -> dict[str, int]:
    """Return the populations of the communes of a year's list, by code."""
    version, sha256 = next(edition[1:] for edition in EDITIONS if edition[0] == list_year)
    rows = read_json(npm_package(PACKAGE, version, sha256), "data/communes.json")
    return {
        row["code"]: row["population"]
        for row in rows
        if row["type"] == "commune-actuelle" and "population" in row
    }


if __name__ == "__main__":
    build(Path(__file__).parent)
