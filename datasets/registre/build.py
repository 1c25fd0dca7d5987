"""Build the register of residents' reports in 2025, on the fictitious territory.

One row is one report, as the counter types it: what is public and what is personal side by
side. Surnames are invented, e-mails are at example.org, and telephone numbers are of the ranges
that Arcep keeps for works of fiction (01 99 00 and 06 39 98, decision 2018-0881, 2.5.12).
"""

import random
import unicodedata
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple

from culture_d.fictitious import territory
from culture_d.territory import write_csv

SEED = 20251231
PEOPLE = 400
HEADER = (
    "date",
    "type",
    "commune",
    "adresse",
    "annee_naissance",
    "nom",
    "telephone",
    "courriel",
    "commentaire",
    "note_interne",
    "delai_jours",
    "cout_euros",
)
STREETS = {
    "Grandvoie": (
        "rue de la Gare",
        "rue des Tilleuls",
        "quai du Port",
        "avenue de la Plaine",
        "rue du Théâtre",
        "route du Phare",
        "rue des Cordiers",
        "rue du Bac",
        "rue des Lavandières",
        "boulevard du Nord",
        "rue de l'Octroi",
        "rue des Voiliers",
        "impasse du Vivier",
        "rue de la Halle",
        "rue du Four",
        "allée des Charmes",
    ),
    "Chantebrise": (
        "rue de l'Église",
        "chemin du Moulin",
        "route de Grandvoie",
        "rue des Ajoncs",
        "rue du Puits",
    ),
    "Beaupéran": ("grande rue", "rue du Verger", "rue des Coings", "chemin des Haies"),
    "Saint-Orland": ("place de la Fontaine", "rue des Prés", "rue du Gué"),
    "Clairvannes": ("rue des Vannes", "chemin de Halage", "rue du Bief"),
    "Valmorin": ("place de l'Orme", "rue du Lavoir", "chemin des Crêtes"),
    "Rochamelle": ("rue de la Roche", "chemin du Causse"),
    "Les Orvettes": ("rue Haute", "rue Basse"),
    "Fontarelle": ("place du Puits", "rue de la Source"),
    "La Noirelle": ("chemin de la Lande", "rue des Bruyères"),
}
FIRST_NAMES = (
    "Adèle",
    "Agathe",
    "Albert",
    "Alice",
    "Amina",
    "André",
    "Anne",
    "Antoine",
    "Bernard",
    "Camille",
    "Catherine",
    "Chantal",
    "Claude",
    "Colette",
    "Daniel",
    "Denise",
    "Élise",
    "Émile",
    "Étienne",
    "Farid",
    "Fatima",
    "Félix",
    "Françoise",
    "Gabriel",
    "Georges",
    "Gilles",
    "Hélène",
    "Henri",
    "Inès",
    "Irène",
    "Jacques",
    "Jeanne",
    "Joseph",
    "Julien",
    "Karim",
    "Léa",
    "Léon",
    "Louis",
    "Lucie",
    "Madeleine",
    "Marcel",
    "Marie",
    "Mathilde",
    "Michel",
    "Monique",
    "Nadia",
    "Nicolas",
    "Odile",
    "Paul",
    "Pauline",
    "Pierre",
    "Rachid",
    "Rose",
    "Samuel",
    "Simone",
    "Sofia",
    "Suzanne",
    "Thérèse",
    "Thomas",
    "Yvonne",
)
SURNAMES = (
    "Aubrelin",
    "Bastremont",
    "Belfontais",
    "Brévanel",
    "Cardolin",
    "Chambriot",
    "Cordevel",
    "Coursanel",
    "Darvigne",
    "Delombrais",
    "Draviel",
    "Esquermont",
    "Fauvertin",
    "Ferrandol",
    "Garlinet",
    "Gourdemont",
    "Hautelande",
    "Jaubrelle",
    "Lancevent",
    "Larquetin",
    "Lombrisier",
    "Malvertin",
    "Marvejoux",
    "Mirandolle",
    "Morvelin",
    "Nantouillet",
    "Orgevalin",
    "Pastourelle",
    "Perrandin",
    "Pontavert",
    "Quillardet",
    "Ravenelin",
    "Rochambeline",
    "Sarvinel",
    "Taillefontaine",
    "Tourvenel",
    "Vacquerin",
    "Valdrome",
    "Verlandin",
    "Vaubresson",
)
TYPES = {"éclairage": 0.31, "voirie": 0.27, "déchets": 0.22, "espaces verts": 0.20}
COMMENTS = {
    "éclairage": (
        "Lampadaire éteint depuis plusieurs soirs.",
        "La lumière clignote devant la maison.",
        "Toute la rue est dans le noir.",
        "Lampadaire allumé en plein jour.",
    ),
    "voirie": (
        "Nid-de-poule au milieu de la chaussée.",
        "Plaque d'égout qui claque la nuit.",
        "Trottoir affaissé, on ne passe plus avec une poussette.",
        "Panneau couché après le coup de vent.",
    ),
    "déchets": (
        "Bac jaune non ramassé.",
        "Dépôt de gravats au coin de la rue.",
        "Encombrants laissés sur le trottoir.",
        "Colonne à verre pleine.",
    ),
    "espaces verts": (
        "Branche cassée au-dessus du trottoir.",
        "Haie qui cache le carrefour.",
        "Banc descellé.",
    ),
}
HEALTH = (
    "Je suis sous oxygène, l'infirmière ne trouve pas la maison.",
    "Mon mari est malade, l'ambulance doit pouvoir passer.",
    "Je sors de l'hôpital et je marche avec deux cannes.",
    "Mon médecin m'interdit de porter les bacs.",
)
# A search for words of illness finds none of these: they have to be read.
HIDDEN_HEALTH = (
    "Le taxi de ma dialyse ne peut plus se garer.",
    "Je ne vois presque plus le soir, je suis tombée deux fois.",
    "Depuis ma chimio, je ne peux plus contourner à pied.",
)
WORDS_ON_NEIGHBOURS = (
    "C'est M. {} qui dépose tout ça la nuit.",
    "Voir avec Mme {}, qui refuse de tailler.",
    "Le fils {} a cassé le globe, tout le monde le sait.",
)
NOTES = (
    "Équipe de {} arrivée en retard, à revoir.",
    "{} dit être passé, rien n'est fait.",
    "Dossier oublié par {} pendant ses congés.",
    "Usager agressif au téléphone, rappeler à deux.",
    "Troisième appel, personne pénible.",
)
AGENTS = ("L. Cardolin", "S. Draviel", "P. Verlandin")
# Median days before the repair: crews start from Grandvoie.
DELAYS = {"Grandvoie": 6, "Chantebrise": 9, "Beaupéran": 9, "Saint-Orland": 10}
SMALL_COMMUNE_DELAY = 15
COSTS = {"éclairage": 140, "voirie": 260, "déchets": 70, "espaces verts": 110}
TIRELESS = ("La Noirelle", 16)
"""The commune of one person who reports again and again, and how many times."""


class Person(NamedTuple):
    """Someone who reports: everything here is personal."""

    nom: str
    annee: int
    commune: str
    adresse: str
    telephone: str
    courriel: str


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.lower())
    return "".join(one for one in bare if one.isascii() and one.isalpha())


def _people(chance: random.Random) -> list[Person]:
    communes = territory().communes
    # Small communes have no counter nearby: their inhabitants write more.
    weights = [
        commune.population * (1 if commune.population > 1000 else 1.7) for commune in communes
    ]
    pairs = [(first, last) for first in FIRST_NAMES for last in SURNAMES]
    people = []
    for rank, (first, last) in enumerate(chance.sample(pairs, PEOPLE)):
        commune = chance.choices(communes, weights)[0].nom
        if rank == 0:
            commune = TIRELESS[0]
        street = chance.choice(STREETS[commune])
        digits = f"{chance.randrange(10)}{rank:03d}"
        start = "01 99 00" if chance.random() < 0.35 else "06 39 98"
        people.append(
            Person(
                nom=f"{first} {last}",
                annee=2025 - int(chance.triangular(19, 92, 58)),
                commune=commune,
                adresse=f"{chance.randint(1, 60)} {street}",
                telephone=f"{start} {digits[:2]} {digits[2:]}",
                courriel=f"{_plain(first)}.{_plain(last)}@example.org",
            )
        )
    return people


def _comment(kind: str, chance: random.Random) -> str:
    base = chance.choice(COMMENTS[kind])
    drawn = chance.random()
    if drawn < 0.035:
        return f"{base} {chance.choice(HEALTH)}"
    if drawn < 0.055:
        return f"{base} {chance.choice(HIDDEN_HEALTH)}"
    if drawn < 0.105:
        return f"{base} {chance.choice(WORDS_ON_NEIGHBOURS).format(chance.choice(SURNAMES))}"
    return base


def _row(person: Person, chance: random.Random) -> tuple[object, ...]:
    day = date(2025, 1, 1) + timedelta(days=chance.randrange(365))
    kind = chance.choices(tuple(TYPES), tuple(TYPES.values()))[0]
    note = ""
    if chance.random() < 0.12:
        note = chance.choice(NOTES).format(chance.choice(AGENTS))
    delay: object = ""
    cost: object = ""
    if chance.random() > 0.06:
        usual = DELAYS.get(person.commune, SMALL_COMMUNE_DELAY)
        delay = max(1, round(chance.lognormvariate(0, 0.55) * usual))
        cost = max(10, round(chance.lognormvariate(0, 0.5) * COSTS[kind], -1))
        cost = int(cost)
    return (
        day.isoformat(),
        kind,
        person.commune,
        person.adresse,
        person.annee,
        person.nom,
        person.telephone,
        person.courriel,
        _comment(kind, chance),
        note,
        delay,
        cost,
    )


def rows() -> list[tuple[object, ...]]:
    """Draw the reports, always the same, in the order of their dates."""
    chance = random.Random(SEED)
    drawn = []
    for rank, person in enumerate(_people(chance)):
        times = TIRELESS[1] if rank == 0 else chance.choices((1, 2, 3, 4), (70, 20, 7, 3))[0]
        drawn += [_row(person, chance) for _ in range(times)]
    return sorted(drawn, key=lambda row: (row[0], str(row[5]), str(row[1])))


def build(folder: Path) -> None:
    """Write the register in `folder`."""
    write_csv(folder / "registre.csv", HEADER, rows())


if __name__ == "__main__":
    build(Path(__file__).parent)
