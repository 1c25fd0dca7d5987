"""The thresholds of the law cards as a table: one row for each comparison of a card.

Nothing is typed here: `book/lois.yml` is the only place where a rule of law is written.
A card with several rows asks for all of them at once.
"""

from collections.abc import Iterator
from typing import NamedTuple

from culture_d.law_card import CERTAINTIES
from culture_d.laws import Card, Comparison, Condition, Event, Group, Laws, Unclear

UNITS = {
    "population": "habitants",
    "agents": "agents en équivalent temps plein",
    "surface": "m²",
    "grant": "€ en douze mois",
    "contract": "€ hors taxes",
}
TESTS = {"at_least": "au moins", "above": "plus de", "at_most": "au plus", "below": "moins de"}
BODIES = {"commune": "commune", "epci": "intercommunalité"}
COUNTED = {"unspecified": "non précisée", "municipale": "municipale", "totale": "totale"}
NO, UNSURE = "ne s'applique pas", "à vérifier"
CERTAINTY = {**CERTAINTIES, "doubt": UNSURE}


class Threshold(NamedTuple):
    """A row of the table.

    `pour`: bodies, separated by a comma. `population`: the one that the text names, empty
    where nothing is counted in inhabitants. `sinon`: what to say below the threshold.
    `occasion`: what must also happen, after « quand »; empty if nothing.
    """

    fiche: str
    titre: str
    sujet: str
    pour: str
    sens: str
    seuil: int
    unite: str
    population: str
    sinon: str
    occasion: str
    certitude: str
    reserve: str
    reference: str
    verifie: str
    a_reverifier: str


def thresholds(laws: Laws) -> Iterator[Threshold]:
    """Give every row, in the order of the cards."""
    for card in laws.cards:
        if card.applies and card.applies.condition:
            parts = list(_parts(card.applies.condition))
            occasion = next((part.text for part, _ in parts if isinstance(part, Event)), "")
            for part, otherwise in parts:
                if isinstance(part, Comparison):
                    yield _row(card, card.applies.to, part, otherwise, occasion)


def _parts(condition: Condition, otherwise: str = NO) -> Iterator[tuple[Condition, str]]:
    """Give the parts of a condition, with what to say when each is not met."""
    if not isinstance(condition, Group):
        yield condition, otherwise
        return
    if condition.kind == "any" and any(isinstance(part, Unclear) for part in condition.parts):
        otherwise = UNSURE
    for part in condition.parts:
        yield from _parts(part, otherwise)


def _row(
    card: Card, to: tuple[str, ...], part: Comparison, otherwise: str, occasion: str
) -> Threshold:
    return Threshold(
        fiche=card.id,
        titre=card.title,
        sujet=card.topics[0],
        pour=", ".join(BODIES[body] for body in to if body in BODIES),
        sens=TESTS[part.test],
        seuil=part.value,
        unite=UNITS[part.fact],
        population=COUNTED[part.counted] if part.counted else "",
        sinon=otherwise,
        occasion=occasion,
        certitude=CERTAINTY[card.certainty],
        reserve=card.doubt or "",
        reference=card.reference,
        verifie=f"{card.checked:%Y-%m}",
        a_reverifier=card.recheck_by.isoformat(),
    )
