"""Build `lieux.csv`: municipal arrondissements, and lands that the course leaves aside."""

from pathlib import Path

from culture_d.territory import ZONES, read_package, write_csv


def build(folder: Path) -> None:
    """Write `lieux.csv` in `folder`."""
    collectivities = {
        row["code"]: row["nom"] for row in read_package("departements") if row["zone"] not in ZONES
    }
    rows = [
        (code, name, "collectivité", "", code, name, "") for code, name in collectivities.items()
    ]
    for row in read_package("communes"):
        codes = " ".join(row.get("codesPostaux", ()))
        if row["type"] == "arrondissement-municipal":
            rows.append((row["code"], row["nom"], "arrondissement", row["commune"], "", "", codes))
        elif row["zone"] not in ZONES:
            land = row["departement"]
            rows.append((row["code"], row["nom"], "commune", "", land, collectivities[land], codes))
    header = (
        "code",
        "nom",
        "genre",
        "commune",
        "collectivite",
        "nom_collectivite",
        "codes_postaux",
    )
    write_csv(folder / "lieux.csv", header, sorted(rows))


if __name__ == "__main__":
    build(Path(__file__).parent)
