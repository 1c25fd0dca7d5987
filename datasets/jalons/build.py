"""Build `jalons.csv`: the dates in the life of two figures, typed from named publications."""

from pathlib import Path

from culture_d.territory import write_csv

MAYOTTE = "Mayotte"
OTHERS = "autres départements"
INSEE_MAYOTTE = "https://www.insee.fr/fr/statistiques/3291775?sommaire=2120838"
INSEE_2023 = "https://www.insee.fr/fr/statistiques/8680726?sommaire=8681011"
INSEE_BLOG = "https://blog.insee.fr/?p=13429"
BANQUE = (
    "https://www.banquedesterritoires.fr/"
    "linsee-met-en-ligne-les-donnees-de-population-qui-seront-officielles-au-1er-janvier-2026"
)

# Territory, step, year, day when a source gives it, address of the source.
ROWS = (
    (MAYOTTE, "faits", 2017, "", INSEE_MAYOTTE),
    (MAYOTTE, "authentification", 2017, "2017-12-14", INSEE_MAYOTTE),
    (MAYOTTE, "publication", 2017, "2017-12-27", INSEE_MAYOTTE),
    (MAYOTTE, "nouveau recensement", 2025, "2025-11-27", INSEE_BLOG),
    (OTHERS, "faits", 2023, "2023-01-01", INSEE_2023),
    (OTHERS, "publication", 2025, "2025-12-18", BANQUE),
    (OTHERS, "entrée en vigueur", 2026, "2026-01-01", BANQUE),
)


def build(folder: Path) -> None:
    """Write `jalons.csv` in `folder`."""
    write_csv(folder / "jalons.csv", ("territoire", "etape", "annee", "date", "source"), ROWS)


if __name__ == "__main__":
    build(Path(__file__).parent)
