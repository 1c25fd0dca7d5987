"""Build the simulated defibrillators of the fictitious territory, with the faults that real files have.

Columns are those of the national schema « DAE » that the course uses, under their own names.
Every row follows the rules of that schema; several are false all the same, on purpose.
"""

from pathlib import Path
from typing import NamedTuple

from culture_d.fictitious import Building, territory
from culture_d.territory import write_csv

COLUMNS = [
    "nom",
    "lat_coor1",
    "long_coor1",
    "adr_voie",
    "com_cp",
    "com_insee",
    "com_nom",
    "acc",
    "acc_lib",
    "disp_j",
    "disp_h",
    "date_instal",
    "etat_fonct",
    "lc_ped",
    "dtpr_lcped",
    "dtpr_lcad",
    "dtpr_bat",
    "freq_mnt",
    "dermnt",
    "expt_siren",
    "expt_rais",
]
ALWAYS = ("Extérieur", "oui", "7j/7", "24h/24")
OPENING = ("Intérieur", "non", "lundi|mardi|mercredi|jeudi|vendredi", "heures ouvrables")
EVENTS = ("Intérieur", "non", "7j/7|événements", "heures ouvrables|heures de nuit")
IN_ORDER, OUT_OF_ORDER = "En fonctionnement", "Hors service"
SWAPPED = {"École des Vannes", "Mairie de Fontarelle"}
"""Rows whose latitude and longitude were typed one for the other."""


class Device(NamedTuple):
    """A defibrillator: its building, how one reaches it, its days; an empty text is a missing day."""

    nom: str
    building: str
    access: tuple[str, str, str, str]
    installed: str
    pads_child: str
    pads_adult: str
    battery: str
    maintained: str
    for_children: bool = False
    state: str = IN_ORDER


DEVICES = (
    Device(
        "Mairie de Grandvoie",
        "B01",
        ALWAYS,
        "2021-03-15",
        "",
        "2027-07-31",
        "2029-01-31",
        "2026-07-06",
    ),
    Device(
        "Siège de l'intercommunalité",
        "B02",
        OPENING,
        "2023-05-10",
        "",
        "2028-02-29",
        "2029-06-30",
        "2026-05-12",
    ),
    Device(
        "École Les Tilleuls",
        "B03",
        OPENING,
        "2020-09-01",
        "2027-03-31",
        "2027-03-31",
        "2028-09-30",
        "2026-03-09",
        True,
    ),
    Device(
        "École du Port",
        "B04",
        OPENING,
        "2020-09-01",
        "2026-05-31",
        "2027-04-30",
        "2028-01-31",
        "2026-01-12",
        True,
    ),
    Device(
        "Crèche des Moussaillons",
        "B05",
        OPENING,
        "2022-01-17",
        "2027-02-28",
        "2027-11-30",
        "2028-05-31",
        "2026-02-20",
        True,
    ),
    Device(
        "Gymnase de la Plaine",
        "B06",
        EVENTS,
        "2019-10-07",
        "2027-05-31",
        "2026-08-31",
        "2028-03-31",
        "2025-09-15",
        True,
    ),
    Device(
        "Piscine intercommunale",
        "B07",
        EVENTS,
        "2019-06-24",
        "2026-12-31",
        "2026-12-31",
        "2028-06-30",
        "2026-06-22",
        True,
    ),
    Device("Médiathèque", "B08", OPENING, "2021-11-08", "", "2027-06-30", "", "2025-06-17"),
    Device(
        "Salle des fêtes de Grandvoie",
        "B09",
        EVENTS,
        "2020-02-03",
        "",
        "2027-05-31",
        "2028-10-31",
        "2025-05-19",
    ),
    Device(
        "Ateliers municipaux",
        "B10",
        OPENING,
        "2018-04-16",
        "",
        "2025-04-30",
        "2025-12-31",
        "2023-11-08",
        False,
        OUT_OF_ORDER,
    ),
    Device(
        "Mairie de Chantebrise",
        "B11",
        ALWAYS,
        "2020-10-12",
        "",
        "2026-09-30",
        "2027-12-31",
        "2025-09-22",
    ),
    Device(
        "École du Moulin",
        "B12",
        OPENING,
        "2021-09-06",
        "",
        "2027-10-31",
        "2028-04-30",
        "2025-10-27",
        True,
    ),
    Device(
        "Salle polyvalente de Chantebrise",
        "B13",
        EVENTS,
        "2023-03-20",
        "",
        "2028-05-31",
        "2029-02-28",
        "2026-05-04",
    ),
    Device(
        "Stade de Chantebrise",
        "B14",
        ALWAYS,
        "2021-08-30",
        "",
        "2027-08-31",
        "2028-07-31",
        "2026-04-13",
    ),
    Device(
        "Mairie de Beaupéran",
        "B15",
        ALWAYS,
        "2022-12-05",
        "",
        "2028-01-31",
        "2028-12-31",
        "2026-01-26",
    ),
    Device(
        "École du Verger",
        "B16",
        OPENING,
        "2021-09-06",
        "2026-12-15",
        "2027-08-31",
        "2028-11-30",
        "2025-12-08",
        True,
    ),
    Device("Salle des fêtes de Beaupéran", "B17", EVENTS, "2019-01-14", "", "", "", "2022-10-10"),
    Device(
        "Mairie de Saint-Orland",
        "B18",
        ALWAYS,
        "2019-12-09",
        "",
        "2027-09-30",
        "2027-01-15",
        "2025-10-06",
    ),
    Device(
        "École de la Fontaine",
        "B19",
        OPENING,
        "2021-04-19",
        "",
        "2027-04-30",
        "2062-06-30",
        "2025-04-14",
    ),
    Device(
        "Salle des sports de Saint-Orland",
        "B20",
        EVENTS,
        "2019-02-25",
        "",
        "2027-01-31",
        "2026-02-28",
        "2024-03-05",
    ),
    Device(
        "Mairie de Clairvannes",
        "B21",
        ALWAYS,
        "2020-11-16",
        "",
        "2026-10-31",
        "2027-09-30",
        "2025-10-20",
    ),
    Device(
        "École des Vannes",
        "B22",
        OPENING,
        "2023-01-09",
        "2027-12-31",
        "2027-12-31",
        "2029-03-31",
        "2026-01-19",
        True,
    ),
    Device(
        "Salle communale de Clairvannes",
        "B23",
        EVENTS,
        "2023-02-06",
        "",
        "2028-03-31",
        "2029-01-31",
        "2026-03-23",
    ),
    Device(
        "Mairie de Valmorin",
        "B24",
        ALWAYS,
        "2021-06-07",
        "",
        "2027-06-30",
        "2028-08-31",
        "2026-12-03",
    ),
    Device(
        "École de l'Orme",
        "B25",
        OPENING,
        "2020-09-01",
        "",
        "2026-11-15",
        "2028-02-29",
        "2025-11-17",
    ),
    Device(
        "Salle communale de Valmorin",
        "B26",
        EVENTS,
        "2020-12-14",
        "",
        "2026-11-22",
        "2027-12-31",
        "2025-11-24",
    ),
    Device("Mairie de Rochamelle", "B27", ALWAYS, "2021-02-08", "", "", "2027-08-31", "2024-09-30"),
    Device(
        "Mairie des Orvettes",
        "B29",
        ALWAYS,
        "2023-06-19",
        "",
        "2028-06-30",
        "2029-05-31",
        "2026-06-08",
    ),
    Device(
        "Mairie de Fontarelle",
        "B31",
        ALWAYS,
        "2021-10-18",
        "",
        "2027-10-31",
        "2028-06-30",
        "2025-10-13",
    ),
    Device(
        "Mairie de La Noirelle",
        "B32",
        ALWAYS,
        "2018-06-25",
        "",
        "2024-06-30",
        "2026-06-30",
        "2022-06-14",
    ),
)


def build(folder: Path) -> None:
    """Write `defibrillateurs.csv` in `folder`."""
    made = territory()
    buildings = {building.id: building for building in made.buildings}
    postal_codes = {commune.code: commune.code_postal for commune in made.communes}
    rows = []
    for device in DEVICES:
        building = buildings[device.building]
        rows.append(
            [
                device.nom,
                *_position(device, building),
                building.adresse,
                postal_codes[building.code_commune],
                building.code_commune,
                building.commune,
                *device.access,
                device.installed,
                device.state,
                "oui" if device.for_children else "non",
                device.pads_child,
                device.pads_adult,
                device.battery,
                "Tous les ans",
                device.maintained,
                made.siren,
                "Communauté de communes du Pays d'Orvette",
            ]
        )
    write_csv(folder / "defibrillateurs.csv", COLUMNS, rows)


def _position(device: Device, building: Building) -> tuple[float, float]:
    """Return latitude and longitude, one for the other in the rows that are to be found out."""
    if device.nom in SWAPPED:
        return building.longitude, building.latitude
    return building.latitude, building.longitude


if __name__ == "__main__":
    build(Path(__file__).parent)
