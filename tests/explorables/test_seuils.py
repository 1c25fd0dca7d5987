"""The explorable of thresholds: its Python class, then driven in a page as a reader would."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from culture_d.explorables import ExplorableError, site
from culture_d.explorables.seuils import COMMUNE, Seuils, rules, summary
from culture_d.fictitious import POPULATIONS
from culture_d.laws import load_laws, sentences, typeset_law, words
from culture_d.verdicts import CHECK, NO, YES, Facts, judge_card

KEY = "seuils"
Visit = Callable[..., Page]
WritePage = Callable[..., None]
HTML = Seuils().html()
OPENING = "L’ouverture des données par défaut"


@pytest.fixture(autouse=True)
def pages(write_page: WritePage) -> None:
    write_page("seuils.html", HTML)
    write_page("seuils-sombre.html", HTML, theme="dark")


def status(page: Page) -> Locator:
    return page.get_by_role("status").first


def followed(page: Page) -> Locator:
    return page.locator(".cd-suivie")


def counts(page: Page) -> list[int]:
    """How many rules apply, are to be checked, do not apply, as the titles say."""
    titles = page.locator(".cd-verdict").all_text_contents()
    return [int(re.findall(r"\((\d+)\)", title)[0]) for title in titles]


def fill(page: Page, label: str, text: str) -> None:
    field = page.get_by_role("textbox", name=label, exact=True)
    field.fill(text)
    field.press("Tab")


def address_of(page: Page) -> str:
    return str(page.evaluate("decodeURIComponent(location.hash)"))


def expected(body: str = "commune", site: bool = True, **figures: Any) -> list[int]:
    """What applies, is to be checked, does not; below a threshold, a whole site is a doubt."""
    start: dict[str, Any] = {"population": POPULATIONS[COMMUNE], "agents": 31.5}
    start |= {"grant": 24_500, "contract": 42_000, "surface": 810}
    facts = Facts(**(start | figures))
    mine = [card for card in rules() if card.applies and body in card.applies.to]
    found = [judge_card(card, facts) for card in mine]
    if site:
        whole = [judge_card(card, replace(facts, surface=None)) for card in mine]
        found = [other if one == NO else one for one, other in zip(found, whole, strict=True)]
    return [found.count(verdict) for verdict in (YES, CHECK, NO)]


INHABITANTS = "Habitants (population municipale)"
AGENTS = "Agents, en équivalent temps plein"


def test_the_class_counts_as_the_cards_do() -> None:
    made = Seuils()
    yes, check, no = expected()
    assert summary([YES] * yes + [CHECK] * check + [NO] * no) in made.sentence()
    both, answers = made.static_tables()
    found = [row[1] for row in answers.rows]
    assert [found.count(word) for word in ("s'applique", "à vérifier")] == [yes, check]
    assert len(found) == yes + check
    titles = [typeset_law(card.title) for card in load_laws().cards]
    assert all(any(row[0].startswith(title) for title in titles) for row in answers.rows)
    named = next(row[0] for row in answers.rows if "adresses" in row[0])
    assert named.count("2\u202f000") == 1
    assert answers.rows[0][0].endswith("(plus de 23\u202f000\u00a0€ en douze mois)")
    assert [row[2] for row in both.rows] == [
        *("ne s'applique pas",) * 3,
        "à vérifier",
        "s'applique",
        "à vérifier",
    ]
    assert all(words(part) <= 22 for part in sentences(made.sentence()))


def test_every_threshold_has_a_stop_on_both_sides() -> None:
    stops = Seuils().arrets
    assert stops["habitants"]["seuils"] == [2000, 3500, 50_000]
    assert stops["marche"]["seuils"] == [25_000, 40_000]
    for figure in stops.values():
        assert figure["valeurs"] == sorted(set(figure["valeurs"]))
        for limit in figure["seuils"]:
            assert {limit - 1, limit, limit + 1} <= set(figure["valeurs"])


def test_a_wrong_figure_is_refused_in_french() -> None:
    with pytest.raises(ExplorableError, match="il faut un nombre de 0 à"):
        Seuils(habitants=-1)
    with pytest.raises(ExplorableError, match="n'est pas un chiffre de cet outil"):
        Seuils(hectares=3)


def test_the_module_is_small(project: Any) -> None:
    import gzip

    script = site.static_files(project)["seuils.js"].encode()
    assert len(gzip.compress(script, 6, mtime=0)) < 8000


def test_starts_where_the_python_class_says(visit: Visit) -> None:
    page = visit("seuils.html")
    expect(status(page)).to_contain_text(
        "3 textes s’appliquent, 4 sont à vérifier, 5 ne s’appliquent pas."
    )
    assert counts(page) == expected()
    expect(followed(page)).to_contain_text(f"✕ {OPENING}\u00a0: ne s’applique pas")
    expect(followed(page)).to_contain_text("2\u202f350\u00a0habitants")
    expect(page.locator(".cd-app")).to_contain_text("pas un conseil juridique")
    said = (status(page).text_content() or "").replace("\u2019", "'")
    assert summary([YES] * 3 + [CHECK] * 4 + [NO] * 5) in said


def test_one_threshold_is_not_enough(visit: Visit) -> None:
    page = visit("seuils.html")
    fill(page, AGENTS, "500")
    expect(followed(page)).to_contain_text("✕")
    fill(page, INHABITANTS, "3 499")
    expect(followed(page)).to_contain_text(f"? {OPENING}\u00a0: est à vérifier")
    expect(followed(page)).to_contain_text("le texte ne dit pas quelle population compter")
    fill(page, INHABITANTS, "3 500")
    expect(followed(page)).to_contain_text(f"✓ {OPENING}\u00a0: s’applique")
    expect(status(page)).to_contain_text(f"«\u00a0{OPENING}\u00a0» s’applique.")
    expect(page.locator("li em").first).to_have_text("a changé")
    assert counts(page) == expected(population=3500, agents=500)
    fill(page, AGENTS, "49,9")
    expect(followed(page)).to_contain_text(
        "49,9\u00a0agents, pour un seuil «\u00a0au moins 50\u00a0»"
    )
    assert counts(page) == expected(population=3500, agents=49.9)


def test_the_keyboard_crosses_a_threshold_by_one(visit: Visit) -> None:
    page = visit("seuils.html")
    slider = page.get_by_role("slider", name=re.compile("Habitants"))
    slider.focus()
    seen = []
    for _ in range(6):
        page.keyboard.press("ArrowRight")
        seen.append(slider.get_attribute("aria-valuetext"))
    assert [re.sub(r"\D", "", text or "") for text in seen] == [
        *("2500", "3000", "3150", "3499", "3500", "3501")
    ]
    assert f"{KEY}.habitants=3501" in address_of(page)
    expect(page.locator(".cd-marques .cd-atteint").nth(1)).to_have_text("✓ 3\u202f500")
    page.keyboard.press("Tab")
    expect(page.get_by_role("textbox", name=AGENTS, exact=True)).to_be_focused()


def test_not_knowing_the_agents(visit: Visit) -> None:
    page = visit("seuils.html")
    fill(page, INHABITANTS, "9100")
    page.get_by_label("Je ne sais pas combien d’agents").check()
    expect(followed(page)).to_contain_text("Il manque le nombre d’agents")
    assert counts(page) == expected(population=9100, agents=None)
    expect(page.get_by_role("textbox", name=AGENTS, exact=True)).to_be_disabled()
    page.reload()
    expect(page.get_by_label("Je ne sais pas combien d’agents")).to_be_checked()
    assert counts(page) == expected(population=9100, agents=None)


def test_an_intercommunal_body_is_a_doubt(visit: Visit) -> None:
    page = visit("seuils.html")
    page.get_by_label("une intercommunalité").check()
    fill(page, AGENTS, "200")
    expect(followed(page)).to_contain_text("est à vérifier")
    expect(followed(page)).to_contain_text("lecture à la lettre")
    assert counts(page) == expected("epci", agents=200)
    page.get_by_role("button", name="Revenir à Chantebrise").click()
    assert counts(page) == expected()
    assert KEY not in address_of(page)


def test_a_decision_to_come(visit: Visit) -> None:
    page = visit("seuils.html")
    page.get_by_text("Une subvention, un marché, des bâtiments").click()
    fill(page, "Versé à une même association en douze mois, en euros", "23 000 €")
    assert counts(page) == expected(grant=23_000)
    fill(page, "Bâtiments d’un même site, en mètres carrés", "1 080 m²")
    assert counts(page) == expected(grant=23_000, surface=1080)
    fill(page, "Bâtiments d’un même site, en mètres carrés", "810")
    assert counts(page) == expected(grant=23_000)
    page.get_by_label("D’autres bâtiments sont peut-être sur le même site").uncheck()
    assert counts(page) == expected(site=False, grant=23_000)
    page.reload()
    assert counts(page) == expected(site=False, grant=23_000)
    page.get_by_text("Une subvention, un marché, des bâtiments").click()
    fill(page, "Bâtiments d’un même site, en mètres carrés", "1 080 m²")
    fill(page, "Montant d’un marché, en euros hors taxes", "39 999,99")
    assert counts(page) == expected(grant=23_000, surface=1080, contract=39_999.99)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("-3", "ne peut pas être négatif"),
        ("beaucoup", "Écrivez un nombre en chiffres"),
        ("12,5", "Une population est un nombre entier"),
        ("", "Écrivez un nombre en chiffres"),
        ("99999999999", "Le maximum est 10\u202f000\u202f000"),
    ],
)
def test_what_cannot_be_read_is_said(visit: Visit, typed: str, said: str) -> None:
    page = visit("seuils.html")
    fill(page, INHABITANTS, typed)
    expect(page.locator("[role=alert]").first).to_contain_text(said)
    assert counts(page) == expected()
    fill(page, INHABITANTS, "2400")
    expect(page.locator("[role=alert]").first).to_have_text("")


@pytest.mark.parametrize(
    "hash_text",
    [
        "habitants=-5",
        "habitants=1e99",
        "habitants=2350.5",
        "habitants=douze",
        "agents=null",
        "organisme=pays",
        'agents_inconnus="oui"',
        "regles=[]",
    ],
)
def test_a_bad_address_is_ignored(visit: Visit, hash_text: str) -> None:
    page = visit(f"seuils.html#{KEY}.{hash_text}")
    expect(followed(page)).to_contain_text(OPENING)
    assert counts(page) == expected()


def test_a_link_gives_its_figures(visit: Visit) -> None:
    page = visit(f"seuils.html#{KEY}.habitants=60000&{KEY}.agents=800")
    assert counts(page) == expected(population=60_000, agents=800)


def test_the_readers_own_commune(visit: Visit, write_page: WritePage, folder: Path) -> None:
    script = folder / "explorables" / "ma-commune-essai.js"
    record = {"name": "Trémargan", "population": 3480}
    script.write_text(
        f"(window.cultureD ||= {{}}).commune = {{ get: () => ({json.dumps(record)}) }};",
        encoding="utf-8",
    )
    tag = '<script src="explorables/ma-commune-essai.js"></script>'
    write_page("seuils-mienne.html", tag + HTML)
    page = visit("seuils-mienne.html")
    page.get_by_role("button", name="Voir ma commune\u00a0: Trémargan").click()
    expect(page.get_by_role("textbox", name=INHABITANTS, exact=True)).to_have_value("3\u202f480")
    expect(followed(page)).to_contain_text("est à vérifier")
    assert counts(page) == expected(population=3480, agents=None)


@pytest.mark.parametrize(
    ("name", "width"), [("seuils.html", 320), ("seuils.html", 1280), ("seuils-sombre.html", 390)]
)
def test_accessible_in_its_states(visit: Visit, name: str, width: int) -> None:
    page = visit(name, width=width)
    page.get_by_text("Une subvention, un marché, des bâtiments").click()
    page.locator("summary.cd-verdict").click()
    for step in range(2):
        if step:
            fill(page, INHABITANTS, "-1")
            page.get_by_label("Je ne sais pas combien d’agents").check()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        small = page.evaluate(
            """() => [...document.querySelectorAll(".cd-app :is(button, select, summary, [type=text], [type=range], label:has(input))")]
            .filter((one) => one.offsetParent && one.getBoundingClientRect().height < 43.9).map((one) => one.outerHTML)"""
        )
        assert small == []


def test_without_script(visit: Visit) -> None:
    page = visit("seuils.html", java_script_enabled=False)
    expect(page.get_by_text("Ce que vous devez voir.")).to_be_visible()
    expect(page.locator("table")).to_have_count(2)
    expect(page.get_by_text("un seul seuil ne suffit pas")).to_be_visible()
