"""Build `departements.csv`: the 101 départements with their region."""

from pathlib import Path

from culture_d.territory import ZONES, read_package, write_csv


def build(folder: Path) -> None:
    """Write `departements.csv` in `folder`."""
    regions = {region["code"]: region["nom"] for region in read_package("regions")}
    kept = [row for row in read_package("departements") if row["zone"] in ZONES]
    rows = (
        (
            row["code"],
            row["nom"],
            row["region"],
            regions[row["region"]],
            row["chefLieu"],
            row["zone"],
        )
        for row in sorted(kept, key=lambda row: row["code"])
    )
    header = ("code", "nom", "region", "nom_region", "chef_lieu", "zone")
    write_csv(folder / "departements.csv", header, rows)


if __name__ == "__main__":
    build(Path(__file__).parent)
