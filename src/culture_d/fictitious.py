"""The fictitious territory of the course: one intercommunal body, and all that lives in it.

Every simulated dataset of the course speaks of these same places, so that a reader meets them
again from one module to the next. Nothing here can be taken for a real place: the département
is « 00 », which no law knows, the identifiers are built on it, and the coordinates lie at sea.
"""

import random
from dataclasses import dataclass
from typing import NamedTuple

DEPARTEMENT = "00"
"""Code of a département that does not exist."""

INTERCOMMUNALITE = "Communauté de communes du Pays d'Orvette"
SEAT = "Grandvoie"

POPULATIONS = {
    "Grandvoie": 9100,
    "Chantebrise": 2350,
    "Beaupéran": 1700,
    "Saint-Orland": 1250,
    "Clairvannes": 900,
    "Valmorin": 820,
    "Rochamelle": 660,
    "Les Orvettes": 520,
    "Fontarelle": 380,
    "La Noirelle": 240,
}
"""Simulated inhabitants by commune, largest first."""

# One postal code serves several communes, as real ones do.
_POSTAL_CODES = {
    "Grandvoie": "00100",
    "Chantebrise": "00110",
    "Beaupéran": "00110",
    "Saint-Orland": "00120",
    "Clairvannes": "00120",
    "Valmorin": "00130",
    "Rochamelle": "00130",
    "Les Orvettes": "00130",
    "Fontarelle": "00120",
    "La Noirelle": "00130",
}
_SEED = 20260101
# Off the coast of Brittany: a map of these points shows at once that they are no real place.
_LATITUDE, _LONGITUDE = 46.6, -5.2


class Commune(NamedTuple):
    """A commune: its codes as text, its inhabitants, its area in km², its centre in degrees."""

    code: str
    nom: str
    code_postal: str
    siren: str
    siret: str
    population: int
    superficie_km2: float
    latitude: float
    longitude: float


class Building(NamedTuple):
    """A public building: heated surface in m², year built, position in degrees."""

    id: str
    nom: str
    type: str
    code_commune: str
    commune: str
    adresse: str
    surface_m2: int
    annee: int
    latitude: float
    longitude: float


class School(NamedTuple):
    """A public school: its building, its pupils and classes."""

    id: str
    nom: str
    code_commune: str
    commune: str
    batiment: str
    classes: int
    eleves: int


class Association(NamedTuple):
    """An association: number in the national register, SIRET if it has one, members."""

    rna: str
    nom: str
    siret: str
    code_commune: str
    commune: str
    code_postal: str
    theme: str
    creation: str
    adherents: int


@dataclass(frozen=True)
class Territory:
    """Everything of the fictitious territory; the same at each call."""

    siren: str
    communes: tuple[Commune, ...]
    buildings: tuple[Building, ...]
    schools: tuple[School, ...]
    associations: tuple[Association, ...]


def luhn_key(digits: str) -> str:
    """Return the digit that makes `digits` followed by it valid by the Luhn formula.

    Source of the formula: ISO/IEC 7812-1, annex B, which SIREN and SIRET numbers follow.
    """
    total = 0
    for place, character in enumerate(reversed(digits)):
        value = int(character) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def luhn_valid(number: str) -> bool:
    """Say whether a SIREN or SIRET has the right last digit."""
    return number.isdigit() and luhn_key(number[:-1]) == number[-1]


def siret(siren: str, rank: int = 1) -> str:
    """Return the SIRET of the establishment of that rank (14 digits)."""
    start = f"{siren}{rank:04d}"
    return start + luhn_key(start)


def _siren(category: str, rank: int) -> str:
    """Return a SIREN on département 00: `category` is « 21 » (commune), « 20 » (body)…"""
    start = f"{category}{DEPARTEMENT}{rank:04d}"
    return start + luhn_key(start)


_BUILDINGS = {
    "Grandvoie": (
        ("Mairie", "mairie", "1 place du Marché"),
        ("Siège de l'intercommunalité", "bureaux", "4 rue de la Gare"),
        ("École Les Tilleuls", "école", "12 rue des Tilleuls"),
        ("École du Port", "école", "3 quai du Port"),
        ("Crèche des Moussaillons", "crèche", "5 quai du Port"),
        ("Gymnase de la Plaine", "gymnase", "20 avenue de la Plaine"),
        ("Piscine intercommunale", "piscine", "22 avenue de la Plaine"),
        ("Médiathèque", "médiathèque", "8 rue du Théâtre"),
        ("Salle des fêtes", "salle", "2 rue du Théâtre"),
        ("Ateliers municipaux", "ateliers", "40 route du Phare"),
    ),
    "Chantebrise": (
        ("Mairie", "mairie", "1 rue de l'Église"),
        ("École du Moulin", "école", "6 chemin du Moulin"),
        ("Salle polyvalente", "salle", "9 chemin du Moulin"),
        ("Stade", "vestiaires", "2 route de Grandvoie"),
    ),
    "Beaupéran": (
        ("Mairie", "mairie", "3 grande rue"),
        ("École du Verger", "école", "14 rue du Verger"),
        ("Salle des fêtes", "salle", "16 rue du Verger"),
    ),
    "Saint-Orland": (
        ("Mairie", "mairie", "2 place de la Fontaine"),
        ("École de la Fontaine", "école", "4 place de la Fontaine"),
        ("Salle des sports", "gymnase", "7 rue des Prés"),
    ),
    "Clairvannes": (
        ("Mairie", "mairie", "1 rue des Vannes"),
        ("École des Vannes", "école", "3 rue des Vannes"),
        ("Salle communale", "salle", "5 rue des Vannes"),
    ),
    "Valmorin": (
        ("Mairie", "mairie", "1 place de l'Orme"),
        ("École de l'Orme", "école", "2 place de l'Orme"),
        ("Salle communale", "salle", "8 rue du Lavoir"),
    ),
    "Rochamelle": (
        ("Mairie", "mairie", "1 rue de la Roche"),
        ("École de la Roche", "école", "3 rue de la Roche"),
    ),
    "Les Orvettes": (
        ("Mairie", "mairie", "1 rue Haute"),
        ("Salle communale", "salle", "11 rue Haute"),
    ),
    "Fontarelle": (("Mairie", "mairie", "1 place du Puits"),),
    "La Noirelle": (("Mairie", "mairie", "1 chemin de la Lande"),),
}
# Smallest and largest heated surface by type, in m².
_SURFACES = {
    "mairie": (120, 900),
    "bureaux": (900, 1500),
    "école": (350, 1900),
    "crèche": (300, 600),
    "gymnase": (900, 1800),
    "piscine": (1600, 2400),
    "médiathèque": (500, 1200),
    "salle": (150, 700),
    "ateliers": (400, 1100),
    "vestiaires": (90, 200),
}
_ASSOCIATIONS = (
    ("Les Amis du Lavoir", "patrimoine", "Valmorin"),
    ("Foyer rural de Valmorin", "culture", "Valmorin"),
    ("Club de judo de Grandvoie", "sport", "Grandvoie"),
    ("Étoile sportive de Grandvoie", "sport", "Grandvoie"),
    ("Harmonie du Port", "musique", "Grandvoie"),
    ("Épicerie solidaire du Pays d'Orvette", "solidarité", "Grandvoie"),
    ("Théâtre de la Marée", "culture", "Grandvoie"),
    ("La Table du quai", "solidarité", "Grandvoie"),
    ("Amicale des boulistes", "sport", "Grandvoie"),
    ("Cyclo-club du Phare", "sport", "Grandvoie"),
    ("Radio Orvette", "culture", "Grandvoie"),
    ("Parents d'élèves du Moulin", "école", "Chantebrise"),
    ("Comité des fêtes de Chantebrise", "fêtes", "Chantebrise"),
    ("Union sportive de Chantebrise", "sport", "Chantebrise"),
    ("Le Verger partagé", "environnement", "Beaupéran"),
    ("Chorale À cœur joyeux", "musique", "Beaupéran"),
    ("Basket-club de Saint-Orland", "sport", "Saint-Orland"),
    ("Parents d'élèves de la Fontaine", "école", "Saint-Orland"),
    ("Les Vannes propres", "environnement", "Clairvannes"),
    ("Comité des fêtes de Clairvannes", "fêtes", "Clairvannes"),
    ("Aînés de Rochamelle", "solidarité", "Rochamelle"),
    ("La Boule des Orvettes", "sport", "Les Orvettes"),
    ("Mémoire de Fontarelle", "patrimoine", "Fontarelle"),
    ("Chasse de La Noirelle", "nature", "La Noirelle"),
)


def territory() -> Territory:
    """Make the whole territory, seeded: the same each time."""
    chance = random.Random(_SEED)
    communes = tuple(_commune(rank, nom, chance) for rank, nom in enumerate(POPULATIONS, start=1))
    by_name = {commune.nom: commune for commune in communes}
    buildings = _buildings(by_name, chance)
    return Territory(
        siren=_siren("20", 1),
        communes=communes,
        buildings=buildings,
        schools=_schools(buildings, by_name, chance),
        associations=_associations(by_name, chance),
    )


def _commune(rank: int, nom: str, chance: random.Random) -> Commune:
    siren = _siren("21", rank)
    return Commune(
        code=f"{DEPARTEMENT}{rank:03d}",
        nom=nom,
        code_postal=_POSTAL_CODES[nom],
        siren=siren,
        siret=siret(siren),
        population=POPULATIONS[nom],
        superficie_km2=round(chance.uniform(6, 32), 1),
        latitude=round(_LATITUDE + chance.uniform(-0.12, 0.12), 5),
        longitude=round(_LONGITUDE + chance.uniform(-0.16, 0.16), 5),
    )


def _buildings(by_name: dict[str, Commune], chance: random.Random) -> tuple[Building, ...]:
    made: list[Building] = []
    for commune_name, lines in _BUILDINGS.items():
        commune = by_name[commune_name]
        for nom, kind, adresse in lines:
            smallest, largest = _SURFACES[kind]
            size = smallest + (largest - smallest) * min(1, commune.population / 9100)
            made.append(
                Building(
                    id=f"B{len(made) + 1:02d}",
                    nom=nom,
                    type=kind,
                    code_commune=commune.code,
                    commune=commune.nom,
                    adresse=adresse,
                    surface_m2=int(round(size * chance.uniform(0.85, 1.1), -1)),
                    annee=chance.choice((1890, 1936, 1954, 1968, 1974, 1983, 1996, 2007, 2015)),
                    latitude=round(commune.latitude + chance.uniform(-0.006, 0.006), 5),
                    longitude=round(commune.longitude + chance.uniform(-0.008, 0.008), 5),
                )
            )
    return tuple(made)


def _schools(
    buildings: tuple[Building, ...], by_name: dict[str, Commune], chance: random.Random
) -> tuple[School, ...]:
    schools = [building for building in buildings if building.type == "école"]
    in_commune = {nom: sum(one.commune == nom for one in schools) for nom in by_name}
    made = []
    for rank, building in enumerate(schools, start=1):
        # About one inhabitant in twelve is a pupil of a nursery or primary school.
        share = by_name[building.commune].population / 12 / in_commune[building.commune]
        pupils = round(share * chance.uniform(0.85, 1.1))
        made.append(
            School(
                id=f"E{rank:02d}",
                nom=building.nom,
                code_commune=building.code_commune,
                commune=building.commune,
                batiment=building.id,
                classes=max(1, round(pupils / 23)),
                eleves=pupils,
            )
        )
    return tuple(made)


def _associations(by_name: dict[str, Commune], chance: random.Random) -> tuple[Association, ...]:
    made = []
    for rank, (nom, theme, commune_name) in enumerate(_ASSOCIATIONS, start=1):
        commune = by_name[commune_name]
        # Only those that employ or are granted money need a SIRET: some have none.
        registered = theme not in {"fêtes", "nature", "patrimoine"}
        made.append(
            Association(
                rna=f"W{DEPARTEMENT}1{rank:06d}",
                nom=nom,
                siret=siret(_siren("00", 4000 + rank)) if registered else "",
                code_commune=commune.code,
                commune=commune.nom,
                code_postal=commune.code_postal,
                theme=theme,
                creation=f"{chance.randint(1946, 2022)}-{chance.randint(1, 12):02d}-"
                f"{chance.randint(1, 28):02d}",
                adherents=chance.randint(12, 240),
            )
        )
    return tuple(made)
