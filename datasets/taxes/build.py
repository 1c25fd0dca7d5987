"""Build `taxes.csv`: the rate of housing tax that each commune of 2017 had voted."""

from pathlib import Path

from culture_d.housing_tax import Rate, rates
from culture_d.territory import write_csv


def build(folder: Path) -> None:
    """Write `taxes.csv` in `folder`."""
    write_csv(folder / "taxes.csv", Rate._fields, rates())


if __name__ == "__main__":
    build(Path(__file__).parent)
