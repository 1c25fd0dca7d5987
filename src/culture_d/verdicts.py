"""What a law card says of a body's figures: it applies, it does not, or it must be checked.

The same meaning as the page that sorts the cards (`book/on_page/loi-commune.js`), in
Python: `tests/lois/test_verdicts.py` puts the same questions to both.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from culture_d.laws import Answer, Card, Comparison, Condition, Event, Group, Unclear

YES, NO, CHECK = "yes", "no", "check"
DECISIONS = ("grant", "contract")
"""Figures of a decision to come: while they are unknown, the rule holds « quand… »."""

_TESTS: Mapping[str, Callable[[float, float], bool]] = {
    "at_least": operator.ge,
    "above": operator.gt,
    "at_most": operator.le,
    "below": operator.lt,
}


@dataclass(frozen=True)
class Facts:
    """Figures of one body; None: not known.

    Inhabitants (municipale), agents in full-time equivalent, m², € to one body in twelve
    months, € before tax.
    """

    population: float | None = None
    agents: float | None = None
    surface: float | None = None
    grant: float | None = None
    contract: float | None = None
    canteen: bool | None = None


def judge_card(card: Card, facts: Facts) -> str:
    """Judge a card that has someone to apply to; what is unsure is never sorted as certain."""
    assert card.applies
    if card.certainty == "doubt":
        return CHECK
    return judge(card.applies.condition, facts) if card.applies.condition else YES


def judge(condition: Condition, facts: Facts) -> str:
    """Judge a condition. All: one « no » decides, then one « check »; any: one « yes »."""
    if isinstance(condition, Group):
        found = [judge(part, facts) for part in condition.parts]
        order = (NO, CHECK, YES) if condition.kind == "all" else (YES, CHECK, NO)
        return next(verdict for verdict in order if verdict in found)
    if isinstance(condition, Event):
        return YES
    if isinstance(condition, Unclear):
        return CHECK
    value = getattr(facts, condition.fact)
    if value is None:
        return YES if condition.fact in DECISIONS else CHECK
    if isinstance(condition, Answer):
        return YES if value == condition.value else NO
    return CHECK if _undecided(condition, value) else YES if _met(condition, value) else NO


def _met(comparison: Comparison, value: float) -> bool:
    return _TESTS[comparison.test](value, comparison.value)


def _undecided(comparison: Comparison, value: float) -> bool:
    """Whether a population within a tenth of the threshold could be counted beyond it.

    The totale is never below the municipale: only a larger one may change the answer.
    """
    if comparison.counted in (None, "municipale"):
        return False
    near = 10 * abs(value - comparison.value) <= comparison.value
    return near and _met(comparison, value) != _met(comparison, comparison.value + 1)
