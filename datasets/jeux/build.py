"""Build the simulated catalogue of the territory's own datasets.

Columns are those of the national schema « catalogue » that the course uses, under their own
names. That schema has no day of expiry: the course counts one period of FREQ_MAJ after DATE_MAJ.
"""

from pathlib import Path

from culture_d.territory import write_csv

COLUMNS = (
    "ID",
    "TITRE",
    "PRODUCTEUR_NOM",
    "COUV_TEMP_DEBUT",
    "COUV_TEMP_FIN",
    "DATE_PUBL",
    "FREQ_MAJ",
    "DATE_MAJ",
    "LICENCE",
)
BODY, TOWN = "Communauté de communes du Pays d'Orvette", "Commune de Grandvoie"
OPEN = "Licence Ouverte-LO"
MONTHLY = "Mensuelle ou plusieurs fois par mois"
WEEKLY = "Hebdomadaire ou plusieurs fois par semaine"
DATASETS = (
    (
        "J01",
        "Défibrillateurs",
        BODY,
        "2022-06-14",
        "2026-11-16",
        "2022-07-01",
        "Trimestrielle",
        "2026-11-16",
        OPEN,
    ),
    (
        "J02",
        "Fréquentation de la piscine",
        BODY,
        "2023-01-01",
        "2023-12-31",
        "2024-03-04",
        "Annuelle",
        "2026-11-09",
        OPEN,
    ),
    (
        "J03",
        "Effectifs des écoles",
        TOWN,
        "2025-09-01",
        "2026-07-03",
        "2021-10-04",
        "Annuelle",
        "2025-10-03",
        OPEN,
    ),
    (
        "J04",
        "Subventions aux associations",
        TOWN,
        "2025-01-01",
        "2025-12-31",
        "2019-02-11",
        "Annuelle",
        "2026-03-12",
        OPEN,
    ),
    (
        "J05",
        "Équipements sportifs",
        BODY,
        "2015-01-01",
        "2022-05-20",
        "2020-06-15",
        "Irrégulière",
        "2022-05-20",
        OPEN,
    ),
    (
        "J06",
        "Énergie des bâtiments",
        BODY,
        "2025-01-01",
        "2025-12-31",
        "2022-04-07",
        "Annuelle",
        "2026-04-02",
        OPEN,
    ),
    (
        "J07",
        "Menus de la cantine",
        TOWN,
        "2026-11-16",
        "2026-11-20",
        "2020-09-01",
        WEEKLY,
        "2026-11-16",
        OPEN,
    ),
    (
        "J08",
        "Délibérations",
        TOWN,
        "2020-05-28",
        "2026-09-24",
        "2020-07-06",
        MONTHLY,
        "2026-09-28",
        OPEN,
    ),
    (
        "J09",
        "Points d'apport des déchets",
        BODY,
        "2018-01-01",
        "2026-02-15",
        "2021-03-22",
        "Semestrielle",
        "2026-02-15",
        OPEN,
    ),
    (
        "J10",
        "Bornes de recharge",
        BODY,
        "2022-01-01",
        "2026-08-22",
        "2022-11-14",
        "Trimestrielle",
        "2026-08-22",
        OPEN,
    ),
    (
        "J11",
        "Enquête sur les déplacements",
        BODY,
        "2021-11-08",
        "2022-02-25",
        "2022-11-30",
        "Quinquennale",
        "2022-11-30",
        OPEN,
    ),
    (
        "J12",
        "Bâtiments publics",
        BODY,
        "2023-01-01",
        "2023-12-31",
        "2024-01-29",
        "Annuelle",
        "",
        OPEN,
    ),
    (
        "J13",
        "Budget primitif",
        TOWN,
        "2026-01-01",
        "2026-12-31",
        "2018-05-02",
        "Annuelle",
        "2026-04-14",
        OPEN,
    ),
    (
        "J14",
        "Horaires du transport à la demande",
        BODY,
        "2026-09-01",
        "2027-02-28",
        "2023-09-04",
        "Semestrielle",
        "2026-08-31",
        OPEN,
    ),
)


def build(folder: Path) -> None:
    """Write `jeux.csv` in `folder`."""
    write_csv(folder / "jeux.csv", COLUMNS, DATASETS)


if __name__ == "__main__":
    build(Path(__file__).parent)
