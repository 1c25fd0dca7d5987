"""Build `communes.csv`: the communes of metropolitan France and the five DROM."""

from pathlib import Path

from culture_d.territory import current_communes, read_package, write_csv


def build(folder: Path) -> None:
    """Write `communes.csv` in `folder`."""
    epci_of = {
        member["code"]: epci["code"] for epci in read_package("epci") for member in epci["membres"]
    }
    rows = (
        (
            commune["code"],
            commune["nom"],
            commune["departement"],
            commune["region"],
            epci_of.get(commune["code"], ""),
            commune["population"],
            " ".join(commune.get("codesPostaux", ())),
        )
        for commune in current_communes(read_package("communes"))
    )
    header = ("code", "nom", "departement", "region", "epci", "population", "codes_postaux")
    write_csv(folder / "communes.csv", header, rows)


if __name__ == "__main__":
    build(Path(__file__).parent)
