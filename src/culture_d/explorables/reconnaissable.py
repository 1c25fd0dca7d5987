"""Recognisable: coarsen a register, and see how many people are still alone in their group."""

import csv
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import traitlets

from culture_d.catalogue import load_dataset
from culture_d.explorables import Explorable, ExplorableError, Table, module_source
from culture_d.fictitious import POPULATIONS, SEAT
from culture_d.french import accord, nombre
from culture_d.opening import MINIMUM
from culture_d.project import Project

SECTORS = (SEAT, "bourgs", "petites communes")
SMALL = 1000
"""Inhabitants under which a commune is one of the « petites communes »."""

PLACES = {
    "adresse": "l'adresse exacte",
    "voie": "la rue",
    "commune": "la commune",
    "secteur": "le secteur : Grandvoie, bourgs, petites communes",
    "aucun": "rien",
}
TIMES = {"jour": "le jour", "mois": "le mois", "semestre": "le semestre", "annee": "l'année seule"}
AGES = {"annee": "l'année de naissance", "tranche": "une tranche de vingt ans", "aucun": "rien"}
YEAR = 2025
BAND = 20


class Setting(NamedTuple):
    """How precise each thing is that a neighbour may know."""

    lieu: str = "voie"
    quand: str = "jour"
    age: str = "annee"
    type: bool = True


START = Setting()
CHOICE = Setting("secteur", "semestre", "aucun", True)
"""What the lesson publishes."""

_LADDER = (
    ("La rue, le jour, l'année de naissance, le type", START),
    ("La rue, le mois, la tranche d'âge, le type", Setting("voie", "mois", "tranche", True)),
    ("La commune, le mois, la tranche d'âge, le type", Setting("commune", "mois", "tranche", True)),
    ("La commune, le mois, le type", Setting("commune", "mois", "aucun", True)),
    ("Le secteur, le mois, le type", Setting("secteur", "mois", "aucun", True)),
    ("Le secteur, le semestre, le type", CHOICE),
)


class Count(NamedTuple):
    """People by the size of the smallest group they are in, and the groups themselves."""

    seules: int
    petits: int
    proteges: int
    plus_petit: int
    petits_groupes: int


class Register(NamedTuple):
    """The register as numbers: no name, no address book.

    `personnes` holds place in `voies`, house number and year of birth; `lignes` holds place in
    `personnes`, days since 1 January, place in `types`.
    """

    types: list[str]
    communes: list[list[Any]]
    voies: list[list[Any]]
    personnes: list[list[int]]
    lignes: list[list[int]]


def sector(commune: str) -> int:
    """Return the place in `SECTORS` of a commune of the fictitious territory."""
    if commune == SEAT:
        return 0
    return 2 if POPULATIONS[commune] < SMALL else 1


@cache
def read_register(path: Path, sha256: str) -> Register:
    """Read the register once per content: `sha256` is there to make the cache exact.

    Raises:
        ExplorableError: an address without a number and a street.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    types = sorted({row["type"] for row in rows})
    communes = [nom for nom in POPULATIONS if any(row["commune"] == nom for row in rows)]
    streets: dict[tuple[str, str], int] = {}
    people: dict[str, int] = {}
    register = Register(types, [[nom, sector(nom)] for nom in communes], [], [], [])
    for row in rows:
        parts = re.fullmatch(r"(\d+) (.+)", row["adresse"])
        if not parts:
            raise ExplorableError(
                f"« {row['adresse']} » n'est pas une adresse : un numéro, une voie."
            )
        street = (row["commune"], parts[2])
        if street not in streets:
            streets[street] = len(streets)
            register.voies.append([parts[2], communes.index(row["commune"])])
        if row["courriel"] not in people:
            people[row["courriel"]] = len(people)
            register.personnes.append([streets[street], int(parts[1]), int(row["annee_naissance"])])
        day = (date.fromisoformat(row["date"]) - date(YEAR, 1, 1)).days
        register.lignes.append([people[row["courriel"]], day, types.index(row["type"])])
    return register


def _place(register: Register, person: list[int], level: str) -> object:
    street = register.voies[person[0]]
    return {
        "adresse": (person[0], person[1]),
        "voie": person[0],
        "commune": street[1],
        "secteur": register.communes[street[1]][1],
        "aucun": 0,
    }[level]


def _time(day: int, level: str) -> int:
    month = date.fromordinal(date(YEAR, 1, 1).toordinal() + day).month
    return {"jour": day, "mois": month, "semestre": int(month > 6), "annee": 0}[level]


def _age(born: int, level: str) -> int:
    return {"annee": born, "tranche": (YEAR - born) // BAND, "aucun": 0}[level]


def recount(register: Register, setting: Setting, minimum: int = MINIMUM) -> Count:
    """Group the rows that look the same, and count the people in each group."""
    groups: dict[object, set[int]] = defaultdict(set)
    keys = []
    for who, day, kind in register.lignes:
        person = register.personnes[who]
        key = (
            _place(register, person, setting.lieu),
            _time(day, setting.quand),
            _age(person[2], setting.age),
            kind if setting.type else 0,
        )
        keys.append((who, key))
        groups[key].add(who)
    smallest: dict[int, int] = {}
    for who, key in keys:
        smallest[who] = min(smallest.get(who, len(groups[key])), len(groups[key]))
    sizes = list(smallest.values())
    return Count(
        seules=sum(size == 1 for size in sizes),
        petits=sum(1 < size < minimum for size in sizes),
        proteges=sum(size >= minimum for size in sizes),
        plus_petit=min(len(group) for group in groups.values()),
        petits_groupes=sum(len(group) < minimum for group in groups.values()),
    )


class Reconnaissable(Explorable):
    """The register without its names: coarsen it, and see who is still alone in a group.

    Raises:
        DatasetError: the data of the course are missing or were changed.
    """

    name: ClassVar[str] = "reconnaissable"
    _esm = module_source(name)

    registre = traitlets.Dict().tag(sync=True, etat=True)
    choix = traitlets.Dict().tag(sync=True, etat=True)
    notre = traitlets.Dict().tag(sync=True, etat=True)
    minimum = traitlets.Int(MINIMUM).tag(sync=True, etat=True)
    annee = traitlets.Int(YEAR).tag(sync=True, etat=True)
    tranche = traitlets.Int(BAND).tag(sync=True, etat=True)
    lieu = traitlets.Unicode(START.lieu).tag(sync=True, etat=True)
    quand = traitlets.Unicode(START.quand).tag(sync=True, etat=True)
    age = traitlets.Unicode(START.age).tag(sync=True, etat=True)
    type = traitlets.Bool(START.type).tag(sync=True, etat=True)
    origine = traitlets.Unicode().tag(sync=True, etat=True)

    def __init__(self) -> None:
        dataset = load_dataset(Project.find().datasets / "registre")
        dataset.verify()
        resource = dataset.resources[0]
        self.register = read_register(resource.path, resource.sha256)
        super().__init__(
            titre="Sans les noms, qui reste reconnaissable ?",
            registre=self.register._asdict(),
            # Pairs: the state is written with its keys sorted, and the order matters here.
            choix={
                "lieu": [list(pair) for pair in PLACES.items()],
                "quand": [list(pair) for pair in TIMES.items()],
                "age": [list(pair) for pair in AGES.items()],
            },
            notre=CHOICE._asdict(),
            origine=f"Données simulées : {dataset.vintage}. Le nom, le téléphone, le courriel, "
            "le commentaire et la note interne sont déjà retirés.",
            _url=["lieu", "quand", "age", "type"],
        )

    def sentence(self) -> str:
        """Say how many people are alone at the start, and with the setting of the lesson."""
        start, end = recount(self.register, START), recount(self.register, CHOICE)
        total = len(self.register.personnes)
        return (
            f"Les noms sont retirés, et {nombre(start.seules)} personnes sur {nombre(total)} "
            "restent seules dans leur groupe. Gardez le secteur, le semestre et le type : "
            + ("il n'y en a plus. " if not end.seules else f"il en reste {nombre(end.seules)}. ")
            + f"Le plus petit groupe compte alors {accord(end.plus_petit, 'personne')}."
        )

    def static_tables(self) -> Sequence[Table]:
        """Return six settings, from the most precise to that of the lesson."""
        rows = []
        for label, setting in _LADDER:
            count = recount(self.register, setting)
            rows.append(
                (
                    label,
                    nombre(count.seules),
                    nombre(count.plus_petit),
                    nombre(count.petits_groupes),
                )
            )
        return (
            Table(
                caption=f"Selon ce que l'on garde : personnes seules, sur "
                f"{nombre(len(self.register.personnes))}, et taille des groupes",
                columns=(
                    "Ce que l'on garde",
                    "Personnes seules",
                    "Plus petit groupe",
                    f"Groupes de moins de {self.minimum}",
                ),
                rows=rows,
            ),
        )

    def source(self) -> str:
        """Say that the register is simulated, and what was taken out of it."""
        return str(self.origine)
