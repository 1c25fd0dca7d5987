"""Small numbers: the same chance for everybody, and small communes at both ends of the ranking.

Every year, some inhabitants are drawn by lot among all those of a département. The communes and
their populations are real, the draw is simulated, and the chance is the same for everybody: a
commune comes first or last by chance alone.
"""

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import traitlets

from culture_d.catalogue import load_dataset
from culture_d.errors import UnknownDepartement
from culture_d.explorables import Explorable, ExplorableError, Table, module_source, resources
from culture_d.french import accord, date_longue, nombre
from culture_d.project import Project

CHANCE = 10
"""Inhabitants drawn per 1,000 and per year, on average, in every commune."""

MOST_YEARS = 20
HIGHEST = 50
"""Where the drawing ends, per 1,000 inhabitants and per year: the same for every draw."""

DRAWS = 999
"""Draws that a reader may ask for: each is always the same."""

MINIMUMS = (0, 500, 1000, 2000)
"""Populations, in inhabitants, under which the communes may be left aside."""

TOP = 10
# Larger means are drawn in parts: exp(-mean) would round to zero.
_LARGEST_MEAN = 30


@dataclass(frozen=True)
class Drawn:
    """A commune, its inhabitants, and how many of them were drawn."""

    nom: str
    population: int
    tires: int

    def rate(self, years: int) -> float:
        """Return how many were drawn per 1,000 inhabitants and per year."""
        return 1000 * self.tires / (self.population * years)


def uniform(seed: int) -> Iterator[float]:
    """Yield numbers from 0 to 1, the same in Python and in JavaScript.

    Source: Tommy Ettinger, mulberry32, a 32-bit generator in the public domain.
    """
    state = seed & 0xFFFFFFFF
    while True:
        state = (state + 0x6D2B79F5) & 0xFFFFFFFF
        mixed = ((state ^ (state >> 15)) * (state | 1)) & 0xFFFFFFFF
        mixed ^= (mixed + ((mixed ^ (mixed >> 7)) * (mixed | 61))) & 0xFFFFFFFF
        yield (mixed ^ (mixed >> 14)) / 2**32


def poisson(mean: float, chance: Iterator[float]) -> int:
    """Draw a number of rare events (Knuth, The Art of Computer Programming, 3.4.1)."""
    parts = math.ceil(mean / _LARGEST_MEAN)
    total = 0
    for _ in range(parts):
        limit, product = math.exp(-mean / parts), next(chance)
        while product > limit:
            total += 1
            product *= next(chance)
    return total


def draw(code: str, populations: Sequence[int], tirage: int, years: int) -> list[int]:
    """Count who was drawn in each commune of a département over the first `years` years."""
    seed = tirage
    for character in code:
        seed = (seed * 31 + ord(character)) & 0xFFFFFFFF
    chance = uniform(seed)
    counts = [0] * len(populations)
    for _ in range(years):
        for place, population in enumerate(populations):
            counts[place] += poisson(population * CHANCE / 1000, chance)
    return counts


class PetitsNombres(Explorable):
    """Communes of a département ranked by the rate of an event that chance alone decides.

    Args:
        departement: code of the département to start on.

    Raises:
        UnknownDepartement: `departement` is not the code of a département.
        ExplorableError: a département without two communes to rank.
        DatasetError: the data of the course are missing or were changed.
    """

    name: ClassVar[str] = "petits-nombres"
    _esm = module_source(name)

    departements: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    departement = traitlets.Unicode().tag(sync=True, etat=True)
    annees = traitlets.Int(1).tag(sync=True, etat=True)
    minimum = traitlets.Int(0).tag(sync=True, etat=True)
    tirage = traitlets.Int(1).tag(sync=True, etat=True)
    choisie = traitlets.Unicode().tag(sync=True, etat=True)
    reglages = traitlets.Dict().tag(sync=True, etat=True)
    origine = traitlets.Unicode().tag(sync=True, etat=True)
    communes = traitlets.Dict().tag(sync=True)

    def __init__(self, departement: str = "80") -> None:
        departements = resources.departements()
        if departement not in dict(departements):
            raise UnknownDepartement(
                f"Le département « {departement} » n'existe pas. Un code de département est un "
                "texte : « 01 », « 2A », « 80 » ou « 974 »."
            )
        super().__init__(
            titre="La même chance pour tous : qui arrive aux deux bouts ?",
            departements=departements,
            departement=departement,
            reglages={
                "chance": CHANCE,
                "annees": MOST_YEARS,
                "cadre": HIGHEST,
                "tirages": DRAWS,
                "minimums": list(MINIMUMS),
                "premieres": TOP,
            },
            origine=_source(),
            _url=["departement", "annees", "minimum", "tirage", "choisie"],
            _ressources={
                "departement": {
                    "parmi": "departements",
                    "cible": "communes",
                    "chemin": "communes/{}",
                    "inconnu": "Le département « {} » n'existe pas : choisissez-le dans la liste.",
                    "echec": "Les communes du département {} n'ont pas pu être chargées. "
                    "Choisissez-le de nouveau.",
                }
            },
        )
        if len(self.ranking(1)) < 2:
            raise ExplorableError(
                f"{self._place()} n'a qu'une commune : il n'y a rien à classer. Choisissez un "
                "autre département."
            )

    def ranking(self, years: int, minimum: int = 0) -> list[Drawn]:
        """Rank the communes of `minimum` inhabitants or more, the highest rate first.

        The order of the file, largest first, decides between equals.
        """
        populations = self.communes["populations"]
        counts = draw(self.departement, populations, self.tirage, years)
        drawn = [
            Drawn(*row) for row in zip(self.communes["noms"], populations, counts, strict=True)
        ]
        kept = [one for one in drawn if one.population >= max(minimum, 1)]
        return sorted(kept, key=lambda one: -one.rate(years))

    def sentence(self) -> str:
        """Say who comes first and last after a year, and after the most years."""
        first, longer = self.ranking(1), self.ranking(MOST_YEARS)
        return (
            f"Chaque année, le sort désigne en moyenne {CHANCE} personnes sur 1 000, partout. "
            f"{self._place()}, sur 1 an : {first[0].nom}, {accord(first[0].population, 'habitant')}, "
            f"est première, à {_rate(first[0], 1)} pour 1 000. "
            f"Parmi les {_top(first)} premières, {_small(first)} ont moins d'habitants que la médiane. "
            f"Sur {MOST_YEARS} ans, les taux vont de {_rate(longer[-1], MOST_YEARS)} à "
            f"{_rate(longer[0], MOST_YEARS)} pour 1 000 par an."
        )

    def static_tables(self) -> Sequence[Table]:
        """Return both ends of the ranking, by years observed and by smallest population kept."""
        by_years = Table(
            caption=f"{self._place()} : les deux bouts du classement, pour 1 000 habitants par an",
            columns=("Années", "La première", "Son taux", "Dernier taux"),
            rows=[
                (str(years), ranked[0].nom, _rate(ranked[0], years), _rate(ranked[-1], years))
                for years in (1, 5, MOST_YEARS)
                for ranked in [self.ranking(years)]
            ],
        )
        by_size = Table(
            caption="Sur 1 an, sans les communes les moins peuplées",
            columns=("Habitants, au moins", "Communes", "Premier taux", "Dernier taux"),
            rows=[
                (nombre(minimum), nombre(len(ranked)), _rate(ranked[0], 1), _rate(ranked[-1], 1))
                for minimum in MINIMUMS
                for ranked in [self.ranking(1, minimum)]
                if len(ranked) > 1
            ],
        )
        return (by_years, by_size)

    def source(self) -> str:
        """Say what is real and what is simulated."""
        return " ".join(filter(None, (self.origine, self.communes["note"])))

    def _place(self) -> str:
        return f"{dict(self.departements)[self.departement]} ({self.departement})"


def _source() -> str:
    dataset = load_dataset(Project.find().datasets / "communes")
    return (
        "Le tirage au sort est une donnée simulée : il n'a jamais eu lieu. Les communes et leurs "
        f"habitants sont réels. Source : {dataset.producer}, {dataset.vintage}. "
        f"À remplacer après le {date_longue(dataset.valid_until)}."
    )


def _rate(one: Drawn, years: int) -> str:
    return nombre(one.rate(years), 1)


def _top(ranked: Sequence[Drawn]) -> int:
    return min(TOP, len(ranked) // 2)


def _small(ranked: Sequence[Drawn]) -> int:
    """Count the communes under the median among the first."""
    median = statistics.median(one.population for one in ranked)
    return sum(one.population < median for one in ranked[: _top(ranked)])
