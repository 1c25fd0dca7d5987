"""Thresholds of law: move a body's figures, and see which rules begin to apply."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import traitlets

from culture_d.explorables import Explorable, ExplorableError, Table, module_source
from culture_d.fictitious import POPULATIONS
from culture_d.french import NO_BREAK_SPACE, date_longue, nombre
from culture_d.law_card import CERTAINTIES, NOTICE
from culture_d.laws import Card, Comparison, Condition, Group, load_laws, typeset_law
from culture_d.thresholds import TESTS, UNITS
from culture_d.verdicts import CHECK, NO, YES, Facts, judge_card

COMMUNE = "Chantebrise"
ELECTION = "election"
MAXIMUM = 10_000_000
"""Largest figure that can be given, in any unit."""

# Trait, what it is in `laws.NUMBERS`, value of the scene, round values to stop at.
_FIGURES = (
    (
        *("habitants", "population", POPULATIONS[COMMUNE]),
        (0, 100, 500, 1000, 1500, 2500, 3000, 4000, 5000, 10_000, 20_000, 40_000, 60_000, 100_000),
    ),
    ("agents", "agents", 31.5, (0, 5, 10, 20, 30, 40, 45, 54, 60, 80, 100, 200)),
    (
        *("subvention", "grant", 24_500),
        (0, 5000, 10_000, 15_000, 20_000, 22_000, 25_000, 30_000, 40_000, 50_000),
    ),
    (
        *("marche", "contract", 42_000),
        (0, 10_000, 20_000, 30_000, 35_000, 45_000, 60_000, 80_000, 100_000),
    ),
    ("surface", "surface", 810, (0, 200, 400, 600, 900, 1080, 1200, 1500, 2000, 3000)),
)
_VERDICTS = {YES: "s'applique", CHECK: "à vérifier", NO: "ne s'applique pas"}
# Figures on both sides of the double threshold, put to one card.
_BOTH = ((2350, 31.5), (2350, 60), (5000, 49), (3499, 50), (3500, 50), (3500, None))
_DOUBLE = "ouverture-par-defaut"
_EPCI = "ouverture-intercommunalite"


def rules() -> tuple[Card, ...]:
    """Return the cards that compare a figure to a threshold, but those on elections."""
    return tuple(
        card
        for card in load_laws().cards
        if card.applies and ELECTION not in card.topics and any(comparisons(card.applies.condition))
    )


def comparisons(condition: Condition | None) -> Iterable[Comparison]:
    """Give every comparison of a condition."""
    if isinstance(condition, Comparison):
        yield condition
    elif isinstance(condition, Group):
        for part in condition.parts:
            yield from comparisons(part)


class Seuils(Explorable):
    """Figures of a commune or of an intercommunal body, and the rules that they call.

    Args:
        habitants, agents, subvention, marche, surface: where to start (inhabitants, agents in
            full-time equivalent, € to one body in twelve months, € before tax, m²).
        site_incertain: whether other buildings may stand on the same site as these m².

    Raises:
        ExplorableError: a figure that is negative, or above 10 million.
        LawError: the law cards are missing or are not what they should be.
    """

    name: ClassVar[str] = "seuils"
    _esm = module_source(name)

    regles: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    arrets = traitlets.Dict().tag(sync=True, etat=True)
    depart = traitlets.Dict().tag(sync=True, etat=True)
    commune = traitlets.Unicode().tag(sync=True, etat=True)
    suivies: traitlets.List[Any] = traitlets.List().tag(sync=True, etat=True)
    note = traitlets.Unicode().tag(sync=True, etat=True)
    maximum = traitlets.Int(MAXIMUM).tag(sync=True, etat=True)
    organisme = traitlets.Unicode("commune").tag(sync=True, etat=True)
    agents_inconnus = traitlets.Bool(False).tag(sync=True, etat=True)
    site_incertain = traitlets.Bool(True).tag(sync=True, etat=True)
    habitants = traitlets.Float().tag(sync=True, etat=True)
    agents = traitlets.Float().tag(sync=True, etat=True)
    subvention = traitlets.Float().tag(sync=True, etat=True)
    marche = traitlets.Float().tag(sync=True, etat=True)
    surface = traitlets.Float().tag(sync=True, etat=True)

    def __init__(self, site_incertain: bool = True, **figures: float) -> None:
        start = {trait: figures.get(trait, value) for trait, _, value, _ in _FIGURES}
        unknown = sorted(set(figures) - set(start))
        if unknown:
            raise ExplorableError(
                f"« {unknown[0]} » n'est pas un chiffre de cet outil. Chiffres : {', '.join(start)}."
            )
        for trait, value in start.items():
            if not 0 <= value <= MAXIMUM:
                raise ExplorableError(
                    f"« {trait} » vaut {value} : il faut un nombre de 0 à {nombre(MAXIMUM)}."
                )
        self._cards = rules()
        super().__init__(
            titre="À partir de quels chiffres la loi vous oblige-t-elle ?",
            regles=[_rule(card) for card in self._cards],
            arrets=_stops(self._cards, start),
            depart={**start, "site_incertain": site_incertain},
            commune=COMMUNE,
            suivies=[_DOUBLE, _EPCI],
            note=_note(self._cards),
            _url=["organisme", "agents_inconnus", "site_incertain", *start],
            site_incertain=site_incertain,
            **start,
        )

    def sentence(self) -> str:
        """Say how many rules apply to the commune of the scene, and the double threshold."""
        found = [verdict for _, verdict in self._judged()]
        card = load_laws().card(_DOUBLE)
        return (
            f"{COMMUNE}, {_count(self.habitants, 'habitant')} et "
            f"{_count(self.agents, 'agent')} : {summary(found)} "
            f"Une règle demande deux seuils à la fois : « {card.title} »."
        )

    def static_tables(self) -> Sequence[Table]:
        """Return the double threshold from both sides, and the rules that apply or may."""
        sorted_rules = Table(
            caption=f"{COMMUNE} : s'applique ou à vérifier (les autres ne s'appliquent pas)",
            columns=("Texte et seuil", "Réponse"),
            rows=[
                (_named(card), _VERDICTS[verdict])
                for card, verdict in self._judged()
                if verdict != NO
            ],
        )
        card = load_laws().card(_DOUBLE)
        both = Table(
            caption=f"{card.title} : un seul seuil ne suffit pas",
            columns=("Habitants", "Agents en équivalent temps plein", "Réponse"),
            rows=[
                (
                    nombre(population),
                    "inconnus" if agents is None else nombre(agents, 1),
                    _VERDICTS[judge_card(card, Facts(population=population, agents=agents))],
                )
                for population, agents in _BOTH
            ],
        )
        return both, sorted_rules

    def source(self) -> str:
        """Say that the commune is fictitious, and when the cards were checked."""
        return f"{COMMUNE} est une commune fictive : données simulées. {self.note}"

    def _judged(self) -> list[tuple[Card, str]]:
        """Each card for a commune, with its verdict."""
        facts = Facts(
            **{fact: getattr(self, trait) for trait, fact, _, _ in _FIGURES if trait != "agents"},
            agents=None if self.agents_inconnus else self.agents,
        )
        whole = replace(facts, surface=None) if self.site_incertain else facts
        return [
            (card, _judge_site(card, facts, whole))
            for card in self._cards
            if card.applies and "commune" in card.applies.to
        ]


def summary(verdicts: Sequence[str]) -> str:
    """Count verdicts in one sentence, as the module does."""
    yes, check, no = (verdicts.count(verdict) for verdict in (YES, CHECK, NO))
    applies = "texte s'applique" if yes < 2 else "textes s'appliquent"
    unsure = "est à vérifier" if check < 2 else "sont à vérifier"
    not_ours = "ne s'applique pas" if no < 2 else "ne s'appliquent pas"
    return f"{yes} {applies}, {check} {unsure}, {no} {not_ours}."


def _judge_site(card: Card, building: Facts, whole: Facts) -> str:
    """Judge one building, then its whole site: a « no » for the one is not a « no » for the other."""
    found = judge_card(card, building)
    return judge_card(card, whole) if found == NO else found


def _count(value: float, noun: str) -> str:
    return f"{nombre(value, 2)}{NO_BREAK_SPACE}{noun}{'s' if value >= 2 else ''}"


def _named(card: Card) -> str:
    """Name a card and its thresholds, but those that its title already gives."""
    title, limits = typeset_law(card.title), _limits(card)
    return title if title.endswith(limits) else f"{title} ({limits})"


def _limits(card: Card) -> str:
    """Write the thresholds of a card: « au moins 3 500 habitants et au moins 50 agents… »."""
    condition = card.applies.condition if card.applies else None
    return " et ".join(
        f"{TESTS[one.test]} {nombre(one.value)}{NO_BREAK_SPACE}{UNITS[one.fact]}"
        for one in comparisons(condition)
    )


def _rule(card: Card) -> dict[str, Any]:
    assert card.applies
    return {
        "id": card.id,
        "titre": typeset_law(card.title),
        "certitude": CERTAINTIES.get(card.certainty, ""),
        "douteuse": card.certainty == "doubt",
        "reserve": typeset_law(card.doubt or ""),
        **card.applies.to_json(),
    }


def _stops(cards: Iterable[Card], start: dict[str, float]) -> dict[str, dict[str, list[float]]]:
    """Give where each slider stops: on both sides of each threshold, and at round figures.

    A population also stops a tenth below, from where another one may be counted beyond.
    """
    stops = {}
    for trait, fact, value, rounded in _FIGURES:
        limits = sorted(
            {
                one.value
                for card in cards
                if card.applies
                for one in comparisons(card.applies.condition)
                if one.fact == fact
            }
        )
        near = {limit + step for limit in limits for step in (-1, 0, 1)}
        tenth = {limit * 9 // 10 for limit in limits} if fact == "population" else set()
        both = near | tenth | {value, start[trait], *rounded}
        stops[trait] = {"valeurs": sorted(both), "seuils": limits}
    return stops


def _note(cards: Iterable[Card]) -> str:
    """Say when the cards were checked and when the first must be again."""
    oldest = min(card.checked for card in cards)
    first = min(card.recheck_by for card in cards)
    month = date_longue(oldest).partition(" ")[2]
    return f"Fiches vérifiées en {month}, la première à revérifier avant le {date_longue(first)}. {NOTICE}"
