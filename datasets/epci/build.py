"""Build `epci.csv`: the intercommunal bodies with their own taxation."""

from pathlib import Path

from culture_d.territory import read_package, write_csv


def build(folder: Path) -> None:
    """Write `epci.csv` in `folder`."""
    rows = (
        (
            epci["code"],
            epci["nom"],
            epci["type"],
            epci["modeFinancement"],
            epci["populationTotale"],
            epci["populationMunicipale"],
            len(epci["membres"]),
        )
        for epci in sorted(read_package("epci"), key=lambda row: row["code"])
    )
    header = (
        "code",
        "nom",
        "type",
        "mode_financement",
        "population_totale",
        "population_municipale",
        "nombre_communes",
    )
    write_csv(folder / "epci.csv", header, rows)


if __name__ == "__main__":
    build(Path(__file__).parent)
