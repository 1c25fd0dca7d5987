"""The page that sorts the law cards: both sides of every threshold, and the page itself."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from culture_d.laws import (
    LONGEST_SENTENCE,
    Comparison,
    Laws,
    load_laws,
    sentences,
    typeset_law,
    words,
)
from culture_d.project import Project

PAGE = "book/ce-que-la-loi-demande.html"
# The reader's commune as the page of another part of the course gives it.
# (what that part accepts is its own tests' affair).
DOUBLE = """
window.cultureD = {};
Object.defineProperty(window.cultureD, "commune", {
  get: () => ({ get: () => JSON.parse(localStorage.getItem("culture-d-commune")) }),
  set() {},
});
"""
VERDICTS = ("yes", "check", "no")
Open = Callable[..., Page]


def record(population: int = 3480, **changes: Any) -> dict[str, Any]:
    epci = {"code": "200", "name": "CC d'Essai", "type": "CC", "population": 63_000}
    return {
        "version": 1,
        "code": "22999",
        "name": "Trémargan",
        "department": {"code": "22", "name": "Côtes-d'Armor", "count": 348, "smaller": 300},
        "france": {"count": 34875, "smaller": 30000},
        "population": population,
        "epci": epci,
        "similar": [],
        **changes,
    }


@pytest.fixture(scope="module")
def laws(project: Project) -> Laws:
    return load_laws(project)


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    contexts = []

    def opened(
        stored: object = None, base: str = address, width: int = 1280, **options: Any
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: pytest.fail(f"erreur : {error}"))
        if stored is not None:
            text = stored if isinstance(stored, str) else json.dumps(stored)
            keep = f"localStorage.setItem('culture-d-commune', {json.dumps(text)});"
            page.add_init_script(DOUBLE + keep)
        page.goto(f"{base}/{PAGE}")
        return page

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def judging(browser: Browser, address: str) -> Iterator[Page]:
    """One page for every question of logic."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/{PAGE}")
        yield page


def judge(page: Page, questions: list[tuple[dict[str, Any], dict[str, Any]]]) -> list[Any]:
    """Return the verdict and reasons of each (condition, facts)."""
    script = "all => all.map(([one, facts]) => cultureD.lois.judge(one, facts))"
    return list(page.evaluate(script, questions))


def verdict(page: Page, condition: dict[str, Any], **facts: Any) -> str:
    return str(judge(page, [(condition, facts)])[0]["verdict"])


def condition(laws: Laws, name: str) -> dict[str, Any]:
    scope = laws.card(name).applies
    assert scope and scope.condition
    return scope.condition.to_json()


def placed(page: Page) -> dict[str, str]:
    """Where each card is, by title."""
    script = r"""() => Object.fromEntries([...document.querySelectorAll("[data-verdict] summary strong")]
      .map((title) => [title.textContent.replace(/\s+/g, " "), title.closest("[data-verdict]").dataset.verdict]))"""
    return dict(page.evaluate(script))


def reason(page: Page, title: str) -> str:
    summary = page.locator(".cd-tri-liste summary", has=page.get_by_text(title, exact=True))
    return " ".join((summary.locator("span").text_content() or "").split())


# The logic


@pytest.mark.parametrize(
    ("name", "facts", "expected"),
    [
        ("ouverture-par-defaut", {"population": 3500, "agents": 50}, "yes"),
        ("ouverture-par-defaut", {"population": 3499, "agents": 50}, "check"),
        ("ouverture-par-defaut", {"population": 3150, "agents": 50}, "check"),
        ("ouverture-par-defaut", {"population": 3149, "agents": 50}, "no"),
        ("ouverture-par-defaut", {"population": 3500, "agents": 49.99}, "no"),
        ("ouverture-par-defaut", {"population": 3499, "agents": 49}, "no"),
        ("ouverture-par-defaut", {"population": 3500, "agents": None}, "check"),
        ("ouverture-par-defaut", {"population": 100, "agents": None}, "no"),
        ("ouverture-par-defaut", {"population": None, "agents": 12}, "no"),
        ("algorithmes-regles", {"population": 100, "agents": 50}, "yes"),
        ("algorithmes-regles", {"population": 90_000, "agents": 49}, "no"),
        ("subvention-convention", {"grant": 23_000}, "no"),
        ("subvention-convention", {"grant": 23_000.01}, "yes"),
        ("subvention-convention", {"grant": None}, "yes"),
        ("subvention-donnees", {"population": 3500}, "yes"),
        ("subvention-donnees", {"population": 20}, "check"),
        ("marche-donnees", {"contract": 39_999.99}, "no"),
        ("marche-donnees", {"contract": 40_000}, "yes"),
        ("marche-liste", {"contract": 24_999.99}, "no"),
        ("marche-liste", {"contract": 25_000}, "yes"),
        ("marche-liste", {"contract": 39_999.99}, "yes"),
        ("marche-liste", {"contract": 40_000}, "no"),
        ("sobriete-commune", {"population": 44_999}, "no"),
        ("sobriete-commune", {"population": 45_000}, "check"),
        ("sobriete-commune", {"population": 50_000}, "check"),
        ("sobriete-commune", {"population": 50_001}, "yes"),
        ("energie-objectifs", {"surface": 999}, "no"),
        ("energie-objectifs", {"surface": 999.99}, "no"),
        ("energie-objectifs", {"surface": 1000}, "yes"),
        ("energie-objectifs", {"surface": None}, "check"),
        ("adresses-petites", {"population": 1799}, "yes"),
        ("adresses-petites", {"population": 2000}, "check"),
        ("adresses-petites", {"population": 2001}, "no"),
        ("adresses-grandes", {"population": 1799}, "no"),
        ("adresses-grandes", {"population": 2000}, "check"),
        ("adresses-grandes", {"population": 2001}, "yes"),
        ("scrutin-moins-de-100", {"population": 99}, "yes"),
        ("scrutin-moins-de-100", {"population": 100}, "no"),
        ("scrutin-100-a-499", {"population": 99}, "no"),
        ("scrutin-100-a-499", {"population": 100}, "yes"),
        ("scrutin-100-a-499", {"population": 499}, "yes"),
        ("scrutin-100-a-499", {"population": 500}, "no"),
        ("scrutin-500-a-999", {"population": 999}, "yes"),
        ("scrutin-500-a-999", {"population": 1000}, "no"),
        ("cantine-menu", {"canteen": True}, "yes"),
        ("cantine-menu", {"canteen": False}, "no"),
        ("cantine-menu", {"canteen": None}, "check"),
        ("ouverture-par-defaut", {"population": 9000, "agents": 60, "trust": "old"}, "check"),
        ("sobriete-intercommunalite", {"population": 55_001, "trust": "near"}, "yes"),
        ("sobriete-intercommunalite", {"population": 55_000, "trust": "near"}, "check"),
        ("sobriete-intercommunalite", {"population": 44_999, "trust": "near"}, "no"),
    ],
)
def test_both_sides_of_the_thresholds(
    judging: Page, laws: Laws, name: str, facts: dict[str, Any], expected: str
) -> None:
    assert verdict(judging, condition(laws, name), **facts) == expected


def _comparisons(one: Any) -> Iterator[Comparison]:
    if isinstance(one, Comparison):
        yield one
    for part in getattr(one, "parts", ()):
        yield from _comparisons(part)


TESTS: dict[str, Callable[[float, float], bool]] = {
    "at_least": lambda value, limit: value >= limit,
    "above": lambda value, limit: value > limit,
    "at_most": lambda value, limit: value <= limit,
    "below": lambda value, limit: value < limit,
}


def _expected(one: Comparison, value: float) -> str:
    """What a comparison says, when the true population is between `value` and far above.

    The law may count the totale, never below the municipale, and at most a tenth of the
    threshold away here.
    """
    possible = {TESTS[one.test](value, one.value)}
    unsure = one.fact == "population" and one.counted != "municipale"
    if unsure and value <= one.value and value >= 0.9 * one.value:
        possible.add(TESTS[one.test](one.value + 1, one.value))
    return "check" if len(possible) > 1 else ("yes" if possible.pop() else "no")


def test_every_threshold_of_the_data_on_both_sides(judging: Page, laws: Laws) -> None:
    every = [
        one for card in laws.cards if card.applies for one in _comparisons(card.applies.condition)
    ]
    cases = [(one, one.value + step) for one in every for step in (-1, 0, 1)]
    found = judge(judging, [(one.to_json(), {one.fact: value}) for one, value in cases])
    assert len(cases) >= 45
    for (one, value), judgement in zip(cases, found, strict=True):
        assert judgement["verdict"] == _expected(one, value), (one, value)
        assert "".join(judgement["reasons"][0]).strip()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["at_least", "above", "at_most", "below"]),
            st.integers(1, 60_000),
            st.sampled_from(["municipale", "totale", "unspecified"]),
            st.integers(0, 70_000),
        ),
        min_size=20,
        max_size=40,
    )
)
def test_any_population_and_threshold(
    judging: Page, cases: list[tuple[str, int, str, int]]
) -> None:
    ones = [
        (Comparison("population", test, limit, who), value) for test, limit, who, value in cases
    ]
    found = judge(judging, [(one.to_json(), {"population": value}) for one, value in ones])
    for (one, value), judgement in zip(ones, found, strict=True):
        assert judgement["verdict"] == _expected(one, value), (one, value)


LEAVES = {
    "yes": {"event": "il pleut"},
    "no": {"fact": "canteen", "is": True},
    "check": {"unclear": "Rien n’est sûr."},
}


def test_all_and_any_never_turn_a_doubt_into_a_certainty(judging: Page) -> None:
    for first in VERDICTS:
        for second in VERDICTS:
            parts = [LEAVES[first], LEAVES[second]]
            pair = {first, second}
            everything = "no" if "no" in pair else "check" if "check" in pair else "yes"
            anything = "yes" if "yes" in pair else "check" if "check" in pair else "no"
            assert verdict(judging, {"all": parts}, canteen=False) == everything
            assert verdict(judging, {"any": parts}, canteen=False) == anything


def test_a_doubtful_card_is_never_sorted_as_certain(judging: Page, laws: Laws) -> None:
    script = """populations => populations.map((population) => {
      const text = document.querySelector('.cd-tri script').textContent;
      const facts = { population, agents: population, surface: population, canteen: population > 9 };
      const lists = cultureD.lois.sort(JSON.parse(text).cards, { commune: facts, epci: facts });
      return Object.entries(lists).flatMap(([verdict, found]) =>
        found.map(({ card, reason }) => [card.id, verdict, reason]));
    })"""
    sorted_cards = [card for card in laws.cards if card.applies]
    for outcome in judging.evaluate(script, [0, 1, 50, 499, 2000, 3499, 3500, 50_001, 500_000]):
        assert sorted(name for name, _, _ in outcome) == sorted(card.id for card in sorted_cards)
        for name, where, said in outcome:
            assert where == "check" or laws.card(name).certainty != "doubt", name
            assert said.endswith(".") and said[0] == said[0].upper(), said
            assert "undefined" not in said and "null" not in said


# The page


def test_a_commune_below_near_and_above(open_page: Open) -> None:
    page = open_page(record(820))
    expect(page.locator(".cd-tri-commune")).to_contain_text("Trémargan : 820 habitants")
    expect(page.get_by_role("link", name="Changer de commune")).to_have_attribute(
        "href", "ma-commune.html"
    )
    assert not page.get_by_label("Nombre d’habitants").is_visible()
    title = "L’ouverture des données par défaut"
    assert placed(page)[title] == "no"
    assert reason(page, title) == "Vous avez 820 habitants. La règle commence à 3 500."
    assert placed(page)["La stratégie de sobriété numérique d’une intercommunalité"] == "yes"

    page.evaluate("one => localStorage.setItem('culture-d-commune', one)", json.dumps(record(3480)))
    page.evaluate("document.dispatchEvent(new CustomEvent('culture-d:commune'))")
    page.get_by_label("Nombre d’agents").fill("50")
    assert placed(page)[title] == "check"
    assert reason(page, title).startswith(
        "Vous avez 3 480 habitants, près du seuil de 3 500. Le texte ne dit"
    )

    page.evaluate("one => localStorage.setItem('culture-d-commune', one)", json.dumps(record(9000)))
    page.evaluate("document.dispatchEvent(new CustomEvent('culture-d:commune'))")
    assert placed(page)[title] == "yes"
    page.get_by_label("Nombre d’agents").fill("49,5")
    assert placed(page)[title] == "no"
    assert reason(page, title) == (
        "Vous avez 49,5 agents en équivalent temps plein. La règle commence à 50."
    )
    page.get_by_label("Nombre d’agents").fill("")
    assert placed(page)[title] == "check"
    assert reason(page, title) == "Il manque le nombre d’agents."


@pytest.mark.parametrize(
    ("epci", "where", "said"),
    [
        (None, "no", "dans aucune intercommunalité"),
        (
            {"name": "CC X", "type": "CC", "population": 49_000},
            "check",
            "Votre intercommunalité (CC X) a 49 000 habitants, près",
        ),
        (
            {"name": "CC X", "type": "CC", "population": 9000},
            "no",
            "(CC X) a 9 000 habitants. La règle commence au-dessus de 50 000.",
        ),
        ({"name": "M", "type": "MET69", "population": 900_000}, "check", "n’est pas connue"),
        ({"name": 3}, "check", "n’est pas connue"),
    ],
)
def test_the_intercommunalite_is_judged_on_its_own(
    open_page: Open, epci: object, where: str, said: str
) -> None:
    page = open_page(record(epci=epci))
    title = "La stratégie de sobriété numérique d’une intercommunalité"
    assert placed(page)[title] == where
    assert said in reason(page, title)


def test_mayotte_is_to_be_checked(open_page: Open) -> None:
    mayotte = {"code": "976", "name": "Mayotte", "count": 17, "smaller": 3}
    page = open_page(record(9000, department=mayotte))
    page.get_by_label("Nombre d’agents").fill("60")
    assert placed(page)["L’ouverture des données par défaut"] == "check"
    assert "un chiffre ancien" in reason(page, "L’ouverture des données par défaut")
    expect(page.locator(".cd-tri-commune")).to_contain_text("population municipale en 2017.")


def test_only_mayotte_hears_of_mayotte(open_page: Open) -> None:
    line = open_page(record()).locator(".cd-tri-commune")
    expect(line).to_contain_text("population municipale au 1er janvier 2023.")
    expect(line).not_to_contain_text("Mayotte")
    expect(line).not_to_contain_text("2017")


@pytest.mark.parametrize(
    "stored",
    [
        "null",
        "pas du JSON",
        "{}",
        "[]",
        '"texte"',
        json.dumps(record(-3)),
        json.dumps({**record(), "population": "3480"}),
        json.dumps({**record(), "name": None}),
    ],
)
def test_a_corrupt_record_leaves_the_reader_type(open_page: Open, stored: str) -> None:
    page = open_page(stored)
    expect(page.get_by_role("link", name="Choisir ma commune")).to_be_visible()
    page.get_by_label("Nombre d’habitants").fill("99")
    assert placed(page)["La liste incomplète : moins de 100 habitants"] == "yes"


def test_markup_in_a_name_is_only_text(open_page: Open) -> None:
    evil = "<img src=x onerror=alert(1)>"
    epci = {"name": evil, "type": "CC", "population": 63_000}
    page = open_page(record(name=evil, epci=epci))
    expect(page.locator(".cd-tri-commune strong")).to_have_text(evil)
    assert page.locator(".cd-tri img").count() == 0


def test_without_a_chosen_commune_the_reader_types(open_page: Open) -> None:
    page = open_page()
    expect(page.locator(".cd-tri-commune").get_by_role("link")).to_have_text("Choisir ma commune")
    title = "Publier ses adresses : plus de 2 000 habitants"
    page.get_by_label("Nombre d’habitants").fill("2 001")
    assert placed(page)[title] == "yes"
    grant = page.get_by_label("Total versé")
    grant.fill("23 000")
    assert placed(page)["La convention de subvention"] == "no"
    grant.fill("23 000,01")
    assert placed(page)["La convention de subvention"] == "yes"
    assert "23 000,01 €" in reason(page, "La convention de subvention")


def test_nothing_is_sorted_before_the_inhabitants_are_known(open_page: Open) -> None:
    page = open_page()
    lists, status = page.locator(".cd-tri-listes"), page.locator(".cd-tri-bilan")
    asked = "Donnez au moins le nombre d’habitants de votre commune : le tri se fait à mesure."
    for typed in ("", "deux mille", "4 000 000"):
        page.get_by_label("Nombre d’habitants").fill(typed)
        page.get_by_label("Nombre d’agents").fill("12")
        expect(status).to_have_text(asked)
        assert not lists.is_visible()
        assert placed(page) == {}
    page.emulate_media(media="print")
    assert page.locator("#tous-les-seuils").is_visible()
    page.emulate_media(media="screen")
    page.get_by_label("Nombre d’habitants").fill("820")
    expect(status).to_contain_text("à appliquer dès maintenant")
    assert lists.is_visible()


def test_all_but_what_is_due_now_is_folded(open_page: Open) -> None:
    page = open_page(record(820), width=390)
    groups = page.locator("details.cd-tri-liste")
    assert groups.locator("> summary").all_inner_texts() == [
        f"{title} ({groups.nth(rank).locator('> ul > li > details').count()})"
        for rank, title in enumerate(
            ("Le jour où cela arrive", "À vérifier", "Cela ne vous concerne pas")
        )
    ]
    assert page.locator(".cd-tri-liste").first.locator("li").first.is_visible()
    for rank in range(3):
        assert groups.nth(rank).get_attribute("open") is None
        groups.nth(rank).locator("> summary").click()
        assert groups.nth(rank).locator("li").first.is_visible()


TYPED = {
    "Nombre d’habitants": ["1 100 habitants", "1 100", "1\u202f100\u00a0hab.", "3 000 000"],
    "Nombre d’agents": ["12,5 agents", "12.5", "1 agent", "12,5 ETP", "100 000"],
    "Surface de bureaux": ["850 m2", "850 m²", "850m²", "850 mètres carrés", "0"],
    "Total versé": ["12 000 €", "12 000,50 euros", "12 000,"],
    "Montant d’un marché": ["45 000 € HT", "45 000€", "45 000 euros hors taxes", "45 000 HT"],
}


def test_a_number_may_have_its_unit(open_page: Open) -> None:
    page = open_page()
    for label, texts in TYPED.items():
        field = page.get_by_label(label)
        assert field.get_attribute("maxlength") == "40"
        for text in texts:
            field.fill(text)
            expect(field).to_have_attribute("aria-invalid", "false")


def test_the_unit_does_not_change_the_number(open_page: Open) -> None:
    page = open_page(record(820))
    page.get_by_label("Surface de bureaux").fill("850 m2")
    title = "Consommer moins dans les grands bâtiments"
    assert reason(page, title) == "Vous indiquez 850 m². La règle commence à 1 000 m²."
    page.get_by_label("Montant d’un marché").fill("45 000 € HT")
    assert placed(page)["Les données essentielles des marchés"] == "yes"
    assert reason(page, "Les données essentielles des marchés") == (
        "Le marché est de 45 000 € hors taxes. La règle commence à 40 000 €."
    )


UNREADABLE = "Écrivez seulement le nombre, par exemple 12 000."
FAULTS = [
    ("population", "-3", "Le nombre ne peut pas être négatif."),
    ("agents", "−3 agents", "Le nombre ne peut pas être négatif."),
    ("population", "3 000 001", "Vérifiez ce nombre."),
    ("population", "9" * 40, "Vérifiez ce nombre."),
    ("agents", "100 001", "Vérifiez ce nombre."),
    *(
        ("population", text, UNREADABLE)
        for text in ("2.001", "2,5", "deux mille", "1e3", "habitants", "-", "12 €")
    ),
    *(("contract", text, UNREADABLE) for text in ("12.000", "1,2,3", "45 000 m²", "€")),
]


def test_a_number_that_cannot_be_is_said_apart(open_page: Open) -> None:
    page = open_page()
    for name, typed, said in FAULTS:
        field, fault = page.locator(f"#tri-{name}"), page.locator(f"#tri-{name}-erreur")
        hint = page.locator(f"#tri-{name}-aide").text_content()
        assert not fault.is_visible()
        field.fill(typed)
        expect(fault).to_have_text(said)
        expect(field).to_have_attribute("aria-invalid", "true")
        assert fault.get_attribute("id") in str(field.get_attribute("aria-describedby")).split()
        assert page.locator(f"#tri-{name}-aide").text_content() == hint
        assert fault.evaluate(
            "one => one.getBoundingClientRect().bottom"
            " <= one.nextElementSibling.getBoundingClientRect().top"
        )
        field.fill("12")
        assert not fault.is_visible()


SAID = {
    "population": "Vous avez 7 habitants.",
    "agents": "Vous avez 7 agents en équivalent temps plein.",
    "surface": "Vous indiquez 7 m².",
    "grant": "Vous versez 7 € en douze mois.",
    "contract": "Le marché est de 7 € hors taxes.",
}
STATED = {
    "at_least": "La règle commence à {}.",
    "above": "La règle commence au-dessus de {}.",
    "at_most": "La règle s’arrête à {}.",
    "below": "La règle s’arrête avant {}.",
}


def explained(page: Page, cards: list[dict[str, Any]], facts: dict[str, Any]) -> list[str]:
    """What is said of each card, wherever it goes, in the order of the cards."""
    script = """([cards, facts]) => {
      const found = Object.values(cultureD.lois.sort(cards, { commune: facts, epci: facts })).flat();
      return cards.map((card) => found.find((one) => one.card.id === card.id).reason);
    }"""
    return [" ".join(text.split()) for text in page.evaluate(script, [cards, facts])]


def _card(condition: dict[str, Any], **more: Any) -> dict[str, Any]:
    name = json.dumps([condition, more])
    return {"id": name, "to": ["commune"], "if": condition, "doubt": "", "since": "", **more}


def test_a_threshold_is_said_alike_on_both_sides(judging: Page) -> None:
    """The sentence on the rule depends on the rule alone: it is true on each side."""
    units = {"surface": " m²", "grant": " €", "contract": " €"}
    for fact, subject in SAID.items():
        for test, stated in STATED.items():
            for limit in (6, 7, 8):
                one = {"fact": fact, "test": test, "value": limit, "counted": "municipale"}
                expected = stated.format(f"{limit}{units.get(fact, '')}")
                if fact == "population" and test == "below":
                    expected = f"La règle s’arrête à {limit - 1}."
                assert explained(judging, [_card(one)], {fact: 7}) == [f"{subject} {expected}"]


def test_two_ends_of_one_rule_make_one_sentence(judging: Page, laws: Laws) -> None:
    between = _card(condition(laws, "scrutin-100-a-499"))
    assert explained(judging, [between], {"population": 300}) == [
        "Vous avez 300 habitants. La règle commence à 100 et s’arrête à 499."
    ]
    market = _card(condition(laws, "marche-liste"))
    assert explained(judging, [market], {}) == [
        "Quand le montant d’un marché atteint 25 000 € hors taxes et reste sous 40 000 € hors taxes."
    ]
    assert explained(judging, [market], {"contract": 40_000}) == [
        "Le marché est de 40 000 € hors taxes. La règle s’arrête avant 40 000 €."
    ]
    both = _card(condition(laws, "ouverture-par-defaut"))
    # The same threshold twice would still be said twice: of two figures.
    assert explained(judging, [both], {"population": 9000, "agents": 60}) == [
        "Vous avez 9 000 habitants. La règle commence à 3 500. "
        "Vous avez 60 agents en équivalent temps plein. La règle commence à 50."
    ]
    later = _card({"event": "il pleut"}, since="2999-01-01")
    assert explained(judging, [later], {}) == ["À partir du 1er janvier 2999, quand il pleut."]


def test_no_reason_is_longer_than_a_sentence_may_be(judging: Page, laws: Laws) -> None:
    cards = json.loads(judging.locator(".cd-tri script").text_content() or "")["cards"]
    for value in (None, 1, 99, 480, 1900, 3480, 49_000, 60_000):
        facts = {**dict.fromkeys(SAID, value), "canteen": value == 1, "name": "CC d’Essai du Val"}
        for text in explained(judging, cards, facts):
            for one in sentences(text):
                assert words(one) <= LONGEST_SENTENCE, one


def test_a_doubt_is_always_said(open_page: Open, laws: Laws) -> None:
    """In the line of each card that has one, in words or as « avec une réserve »."""
    page = open_page(record(9000))
    script = r"""() => [...document.querySelectorAll("[data-verdict] li details")].map((card) =>
      [card.querySelector("a").hash.slice(5), ...["summary", "details"].map((part) =>
        (card.querySelector(part) || card).textContent.replace(/\s+/g, " "))])"""
    found = page.evaluate(script)
    assert len(found) == sum(card.applies is not None for card in laws.cards)
    marked = 0
    for name, line, whole in found:
        doubt = laws.card(name).doubt
        assert ("Avec une réserve." in line) <= (doubt is not None), name
        if doubt:
            said = " ".join(typeset_law(doubt).split())[1:].rstrip(".")
            assert "Avec une réserve." in line or said in line, name
            assert said in whole, name
            marked += "Avec une réserve." in line
    assert marked >= 5


def test_answers_are_forgotten_at_a_click_and_never_kept(open_page: Open) -> None:
    page = open_page()
    before = page.locator(".cd-tri-bilan").text_content()
    page.get_by_label("Nombre d’habitants").fill("820")
    page.get_by_label("Oui").check()
    assert page.locator(".cd-tri-bilan").text_content() != before
    assert page.evaluate("localStorage.length") == 0
    page.get_by_role("button", name="Oublier mes réponses").click()
    expect(page.locator(".cd-tri-bilan")).to_have_text(before or "")
    assert page.get_by_label("Nombre d’habitants").input_value() == ""


@pytest.mark.parametrize("population", [1, 820, 3480, 60_000])
def test_the_count_is_the_count(open_page: Open, population: int) -> None:
    page = open_page(record(population))
    said = " ".join((page.locator(".cd-tri-bilan").text_content() or "").split())
    counts = [
        page.locator(f"{group} li details").count()
        for group in (
            *('[data-verdict="yes"][data-someday="false"]', '[data-someday="true"]'),
            *('[data-verdict="check"]', '[data-verdict="no"]'),
        )
    ]
    assert sum(counts) == len(placed(page))
    now, someday, check, no = counts
    assert said == (
        f"{now} {'texte' if now < 2 else 'textes'} à appliquer dès maintenant, "
        f"{someday} seulement si le cas se présente, {check} à vérifier, "
        f"{no} {'ne vous concerne pas' if no < 2 else 'ne vous concernent pas'}."
    )


def test_keyboard_alone(open_page: Open) -> None:
    page = open_page(width=390)
    page.get_by_label("Nombre d’habitants").focus()
    page.keyboard.type("9000")
    page.keyboard.press("Tab")
    page.keyboard.type("50")
    page.keyboard.press("Enter")  # nothing is sent
    assert page.url.endswith(PAGE)
    assert placed(page)["L’ouverture des données par défaut"] == "yes"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")  # from « Je ne sais pas » round to « Oui »
    assert placed(page)["Un menu végétarien par semaine"] == "yes"
    page.locator(".cd-tri-liste summary").first.focus()
    page.keyboard.press("Enter")
    assert page.locator(".cd-tri-liste details").first.get_attribute("open") is not None
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Voir la fiche"


def test_each_card_leads_to_its_own(open_page: Open, site: Path) -> None:
    page = open_page(record(820))
    cards = (site / "book" / "lois.html").read_text(encoding="utf-8")
    links = page.locator(".cd-tri-lien a").evaluate_all(
        "all => all.map(one => one.getAttribute('href'))"
    )
    assert len(links) > 45
    for link in links:
        assert f'id="{link.split("#")[1]}"' in cards


@pytest.mark.parametrize("state", ["empty", "typed", "chosen", "wrong"])
def test_axe_finds_nothing(open_page: Open, state: str) -> None:
    stored = record(3480) if state == "chosen" else None
    page = open_page(stored, width=320, color_scheme="dark" if state == "wrong" else "light")
    if state == "typed":
        page.get_by_label("Nombre d’habitants").fill("820")
    if state == "wrong":
        page.get_by_label("Nombre d’agents").fill("beaucoup")
    page.locator(".cd-tri-liste details").evaluate_all("all => all.forEach(one => one.open = true)")
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_without_script_the_table_says_it_all(open_page: Open, laws: Laws) -> None:
    page = open_page(width=390, java_script_enabled=False)
    assert not page.locator(".cd-tri").is_visible()
    page.get_by_text("Voir tous les seuils").click()
    rows = page.locator(".cd-seuils th[scope=row]")
    assert rows.count() == sum(card.applies is not None for card in laws.cards)
    assert page.get_by_role("cell", name="Plus de 50\u202f000\u00a0habitants.").first.is_visible()
    assert page.get_by_role("link", name="La convention de subvention").is_visible()


def test_it_prints_the_result_and_not_the_form(open_page: Open) -> None:
    page = open_page(record(820))
    page.evaluate("window.print = () => { window.printed = true; }")
    page.get_by_role("button", name="Imprimer le résultat").click()
    assert page.evaluate("window.printed")
    page.emulate_media(media="print")
    assert page.locator(".cd-tri-bilan").is_visible()
    for hidden in ("fieldset", ".cd-tri-boutons", "#tous-les-seuils", ".cd-tri-lien"):
        assert not page.locator(hidden).first.is_visible(), hidden
    assert page.get_by_text("Un mois sans réponse vaut refus.").first.is_visible()
    for group, shown in (("yes", True), ("check", True), ("no", False)):
        rules = page.locator(f'[data-verdict="{group}"] li details > p:first-of-type')
        assert rules.first.is_visible() == shown, group
    pages = re.findall(rb"/Type\s*/Page\b", page.pdf(prefer_css_page_size=True))
    assert 1 <= len(pages) <= 4


def test_paper_keeps_the_figure_that_the_reader_typed(open_page: Open) -> None:
    page = open_page()
    page.get_by_label("Nombre d’habitants").fill("820")
    page.emulate_media(media="print")
    assert page.get_by_label("Nombre d’habitants").is_visible()


def test_it_works_from_a_file(open_page: Open, site: Path) -> None:
    page = open_page(base=site.as_uri())
    page.get_by_label("Nombre d’habitants").fill("820")
    assert placed(page)["L’ouverture des données par défaut"] == "no"


def test_overdue_cards_warn_the_reader_of_an_old_site(browser: Browser, address: str) -> None:
    for day, expected in (("2027-01-30T12:00:00", False), ("2027-01-31T12:00:00", True)):
        with browser.new_context() as context:
            page = context.new_page()
            page.clock.set_fixed_time(day)
            page.goto(f"{address}/book/lois.html")
            late = page.locator("[data-loi=accessibilite] .cd-perime")
            assert bool(late.count()) == expected
            assert page.locator("[data-loi=rgpd] .cd-perime").count() == 0
            page.goto(f"{address}/{PAGE}")
            page.get_by_label("Nombre d’habitants").fill("820")
            assert bool(page.locator(".cd-tri .cd-perime").count()) == expected
