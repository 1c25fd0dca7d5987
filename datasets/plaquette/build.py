"""Build the figures behind the brochure of Grandvoie: companies created, and what became of some.

Simulated on the fictitious territory, by a fixed seed. Every inhabitant has the same chance of
creating a company in a given year, wherever they live: what differs from one commune to the next
is chance alone. The seed was picked among others so that the traps listed in the manifest show.
"""

import math
import random
from collections.abc import Iterator
from pathlib import Path

from culture_d.fictitious import SEAT, Commune, territory
from culture_d.territory import write_csv

SEED = 20282644
# Companies created per 1,000 inhabitants, the same in every commune; 2020 is a low year.
RATES = {
    2016: 3.6,
    2017: 3.7,
    2018: 3.9,
    2019: 4.1,
    2020: 2.7,
    2021: 4.0,
    2022: 4.2,
    2023: 4.4,
    2024: 4.6,
    2025: 4.8,
}
FOLLOWED = 2020
STILL_ACTIVE = 0.58
# A closed company seldom answers a questionnaire.
ANSWERS_IF_ACTIVE, ANSWERS_IF_CLOSED = 0.85, 0.1
_FOLLOW_UP_SEED = 327

Created = tuple[int, Commune, int]


def build(folder: Path) -> None:
    """Write `creations.csv` and `suivi.csv` in `folder`."""
    created = list(_creations())
    write_csv(
        folder / "creations.csv",
        ("annee", "code_commune", "commune", "population", "creations"),
        (
            (year, commune.code, commune.nom, commune.population, count)
            for year, commune, count in created
        ),
    )
    [followed] = [
        count for year, commune, count in created if (year, commune.nom) == (FOLLOWED, SEAT)
    ]
    header = ("entreprise", "annee_creation", "commune", "a_repondu", "active_fin_2025")
    write_csv(folder / "suivi.csv", header, _follow_up(followed))


def _creations() -> Iterator[Created]:
    """Draw the companies created each year in each commune."""
    chance = random.Random(SEED)
    communes = territory().communes
    for year, rate in RATES.items():
        for commune in communes:
            yield year, commune, _poisson(commune.population * rate / 1000, chance)


def _follow_up(count: int) -> Iterator[tuple[str, int, str, str, str]]:
    """Say of each company created in Grandvoie in 2020 whether it answered, and whether it lives."""
    chance = random.Random(_FOLLOW_UP_SEED)
    for rank in range(1, count + 1):
        active = chance.random() < STILL_ACTIVE
        answered = chance.random() < (ANSWERS_IF_ACTIVE if active else ANSWERS_IF_CLOSED)
        yield f"E{rank:02d}", FOLLOWED, SEAT, _french(answered), _french(active)


def _french(yes: bool) -> str:
    return "oui" if yes else "non"


def _poisson(mean: float, chance: random.Random) -> int:
    """Draw a number of rare events (Knuth, The Art of Computer Programming, 3.4.1)."""
    limit, count, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        count += 1
        product *= chance.random()
    return count


if __name__ == "__main__":
    build(Path(__file__).parent)
