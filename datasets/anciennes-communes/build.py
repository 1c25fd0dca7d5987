"""Build `anciennes-communes.csv`: names of communes since 1943 that are no longer used."""

from pathlib import Path

from culture_d.former_communes import former_names
from culture_d.territory import write_csv


def build(folder: Path) -> None:
    """Write `anciennes-communes.csv` in `folder`."""
    rows = (
        (
            one.name,
            one.code,
            one.event,
            one.until,
            "oui" if one.exact else "non",
            one.status,
            one.commune,
        )
        for one in former_names()
    )
    header = (
        "nom",
        "ancien_code",
        "evenement",
        "date",
        "date_exacte",
        "statut_actuel",
        "commune_actuelle",
    )
    write_csv(folder / "anciennes-communes.csv", header, rows)


if __name__ == "__main__":
    build(Path(__file__).parent)
