"""The same question to the page that sorts the cards, to Python and to the explorable."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from culture_d.explorables import site
from culture_d.explorables.seuils import comparisons, rules
from culture_d.laws import Card, Comparison, Event, Group, Unclear, load_laws
from culture_d.thresholds import Threshold, thresholds
from culture_d.verdicts import CHECK, NO, YES, Facts, judge_card

PAGE = "book/ce-que-la-loi-demande.html"
POPULATIONS: tuple[int, ...] = (
    0,
    99,
    100,
    499,
    500,
    999,
    1000,
    1799,
    1800,
    1999,
    2000,
    2001,
    2350,
    3149,
    3150,
)
POPULATIONS += (3499, 3500, 3501, 9100, 44_999, 45_000, 49_999, 50_000, 50_001, 2_000_000)
AGENTS = (None, 0, 31.5, 49.99, 50, 51)
REST: tuple[dict[str, Any], ...] = (
    {"grant": 23_000, "contract": 24_999.99, "surface": 999.5},
    {"grant": 23_000.01, "contract": 25_000, "surface": 1000},
    {"grant": 0, "contract": 39_999.99, "surface": 1001},
    {"grant": 24_500, "contract": 40_000, "surface": None},
)


@pytest.fixture(scope="module")
def judging(browser: Browser, address: str) -> Iterator[Page]:
    """The sorting page, with the explorable's module beside its script."""
    with browser.new_context(bypass_csp=True) as context:
        page = context.new_page()
        page.goto(f"{address}/{PAGE}")
        script = site.classic_script("seuils", site.modules()["seuils"])
        page.evaluate(f"() => {{ {script} }}")
        yield page


def facts_to_try() -> list[Facts]:
    return [
        Facts(population=population, agents=agents, **rest)
        for population, agents, rest in product(POPULATIONS, AGENTS, REST)
    ]


def rule(card: Card) -> dict[str, Any]:
    assert card.applies
    return {
        "id": card.id,
        "title": card.title,
        "unsure": card.certainty == "doubt",
        "douteuse": card.certainty == "doubt",
        "doubt": card.doubt or "",
        "reserve": card.doubt or "",
        "since": "",
        **card.applies.to_json(),
    }


def asked(page: Page, cards: list[Card], facts: list[Facts]) -> dict[str, list[list[str]]]:
    """Verdicts of the page and of the explorable: for each facts, one a card."""
    script = """([rules, all]) => {
      const module = cultureD.explorables.seuils;
      const sorted = all.map((facts) => {
        const reader = { commune: facts, epci: facts };
        const lists = cultureD.lois.sort(rules, reader);
        const found = Object.entries(lists).flatMap(([verdict, kept]) =>
          kept.map(({ card }) => [card.id, verdict]));
        return rules.map(({ id }) => Object.fromEntries(found)[id]);
      });
      const known = rules.every((rule) => rule.if);
      const explored = known
        ? all.map((facts) => rules.map((rule) => module.judgeRule(rule, facts).verdict)) : [];
      return { sorted, explored };
    }"""
    answer: dict[str, list[list[str]]] = page.evaluate(
        script, [[rule(card) for card in cards], [asdict(one) for one in facts]]
    )
    return answer


def test_three_readers_of_a_card_agree(judging: Page) -> None:
    cards, facts = list(rules()), facts_to_try()
    assert len(cards) > 10
    ours = [[judge_card(card, one) for card in cards] for one in facts]
    answer = asked(judging, cards, facts)
    for place, one in enumerate(facts):
        assert dict(zip([c.id for c in cards], answer["sorted"][place], strict=True)) == dict(
            zip([c.id for c in cards], ours[place], strict=True)
        ), one
        if one.surface is not None:  # the explorable always knows the buildings
            assert answer["explored"][place] == ours[place], one
    told = {verdict for verdicts in ours for verdict in verdicts}
    assert told == {YES, NO, CHECK}


def test_the_two_readers_agree_on_every_card_of_a_commune(judging: Page) -> None:
    """Cards without threshold too: an event, an answer on the canteen, nobody in particular."""
    cards = [card for card in load_laws().cards if card.applies and "commune" in card.applies.to]
    facts = [Facts(population=2350, agents=12, canteen=canteen) for canteen in (None, True, False)]
    facts.append(Facts())
    answer = asked(judging, cards, facts)["sorted"]
    assert answer == [[judge_card(card, one) for card in cards] for one in facts]


_NUMBER = st.one_of(st.none(), st.integers(0, 120_000), st.floats(0, 120_000, allow_nan=False))


@given(st.lists(st.tuples(st.integers(0, 120_000), _NUMBER, _NUMBER, _NUMBER), max_size=60))
@settings(max_examples=10, deadline=None)
def test_any_figures_are_judged_alike(judging: Page, drawn: list[tuple[Any, ...]]) -> None:
    cards = list(rules())
    facts = [
        Facts(population=population, agents=agents, grant=grant, contract=contract, surface=500)
        for population, agents, grant, contract in drawn
    ]
    answer = asked(judging, cards, facts)["sorted"]
    assert answer == [[judge_card(card, one) for card in cards] for one in facts]


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        ("ouverture-par-defaut", Facts(population=3500, agents=50), YES),
        ("ouverture-par-defaut", Facts(population=3500, agents=49.9), NO),
        ("ouverture-par-defaut", Facts(population=2350, agents=500), NO),
        ("ouverture-par-defaut", Facts(population=3499, agents=50), CHECK),
        ("ouverture-par-defaut", Facts(population=3500), CHECK),
        ("ouverture-par-defaut", Facts(population=100), NO),
        ("ouverture-intercommunalite", Facts(population=90_000, agents=500), CHECK),
        ("subvention-convention", Facts(grant=23_000), NO),
        ("subvention-convention", Facts(grant=23_001), YES),
        ("subvention-donnees", Facts(population=900), CHECK),
        ("subvention-donnees", Facts(population=3500), YES),
        ("marche-donnees", Facts(contract=39_999), NO),
        ("marche-donnees", Facts(contract=40_000), YES),
        ("budget-presentation", Facts(population=90_000), CHECK),
        ("sobriete-commune", Facts(population=50_001), YES),
        ("sobriete-commune", Facts(population=50_000), CHECK),
        ("energie-declaration", Facts(surface=1000), YES),
        ("energie-declaration", Facts(surface=999), NO),
        ("adresses-petites", Facts(population=2000), CHECK),
        ("adresses-grandes", Facts(population=2001), YES),
        ("scrutin-moins-de-100", Facts(population=99), YES),
        ("rgpd", Facts(), YES),
    ],
)
def test_both_sides_of_each_threshold(name: str, facts: Facts, expected: str) -> None:
    assert judge_card(load_laws().card(name), facts) == expected


# The table of thresholds


def _walk(condition: Any) -> Iterator[Any]:
    yield condition
    for part in getattr(condition, "parts", ()):
        yield from _walk(part)


def test_the_table_holds_every_comparison_of_the_cards_and_nothing_else() -> None:
    laws = load_laws()
    words = {"at_least": "au moins", "above": "plus de", "at_most": "au plus", "below": "moins de"}
    wanted = [
        (card.id, words[part.test], part.value)
        for card in laws.cards
        if card.applies
        for part in _walk(card.applies.condition)
        if isinstance(part, Comparison)
    ]
    rows = list(thresholds(laws))
    assert [(row.fiche, row.sens, row.seuil) for row in rows] == wanted
    for row in rows:
        card = laws.card(row.fiche)
        assert row.reference == card.reference
        assert row.a_reverifier == card.recheck_by.isoformat()
        assert row.reserve == (card.doubt or "")
        assert (row.certitude == "à vérifier") == (card.certainty == "doubt")
        parts = list(_walk(card.applies.condition)) if card.applies else []
        assert (row.sinon == "à vérifier") == any(isinstance(part, Unclear) for part in parts)
        assert bool(row.occasion) == any(isinstance(part, Event) for part in parts)
        assert (row.population != "") == (row.unite == "habitants")
    # Several rows of a card are an « et »: the table has no way to write « ou ».
    for card in laws.cards:
        if card.applies and any(comparisons(card.applies.condition)):
            groups = [one for one in _walk(card.applies.condition) if isinstance(one, Group)]
            alternatives = [one for one in groups if one.kind == "any"]
            assert all(len(list(comparisons(one))) == 1 for one in alternatives)


def test_the_table_expires_before_the_first_card_to_read_again() -> None:
    folder = Path(__file__).parents[2] / "datasets" / "seuils"
    manifest = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    rows: list[Threshold] = list(thresholds(load_laws()))
    assert manifest["validUntil"] < min(row.a_reverifier for row in rows)
