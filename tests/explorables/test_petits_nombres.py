"""The draw by lot: Python, JavaScript and an independent computation agree, driven as a reader would."""

import csv
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from culture_d.errors import UnknownDepartement
from culture_d.explorables import ExplorableError
from culture_d.explorables.petits_nombres import (
    CHANCE,
    DRAWS,
    MOST_YEARS,
    PetitsNombres,
    poisson,
    uniform,
)
from culture_d.french import nombre
from culture_d.project import Project

KEY = "petits-nombres"
Visit = Callable[..., Page]
WritePage = Callable[..., None]
Commune = tuple[str, int, int]


@pytest.fixture(scope="module")
def communes(project: Project) -> dict[str, list[tuple[str, int]]]:
    """Name and population by département, the largest first."""
    found: dict[str, list[tuple[str, int]]] = {}
    path = project.datasets / "communes" / "communes.csv"
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["departement"], []).append((row["nom"], int(row["population"])))
    for rows in found.values():
        rows.sort(key=lambda row: -row[1])
    return found


def drawn(code: str, rows: list[tuple[str, int]], tirage: int, years: int) -> list[Commune]:
    """Draw again with a generator written otherwise: signed 32-bit steps, logarithms summed."""
    seed = tirage
    for character in code:
        seed = (seed * 31 + ord(character)) % 2**32

    def chance() -> float:
        nonlocal seed
        seed = (seed + 1831565813) % 2**32
        t = (seed ^ seed // 2**15) * (1 | seed) % 2**32
        t = (t + (t ^ t // 2**7) * (61 | t)) % 2**32 ^ t
        return float((t ^ t // 2**14) % 2**32) / 4294967296

    counts = [0] * len(rows)
    for _ in range(years):
        for i, (_, size) in enumerate(rows):
            mean = size * CHANCE / 1000
            parts = -int(-mean // 30) if mean else 0
            for _ in range(parts):
                left = mean / parts + math.log(chance())
                while left > 0:
                    counts[i] += 1
                    left += math.log(chance())
    return [(name, size, count) for (name, size), count in zip(rows, counts, strict=True)]


def ranking(rows: list[Commune], minimum: int = 1) -> list[Commune]:
    kept = [row for row in rows if row[1] >= max(minimum, 1)]
    return sorted(kept, key=lambda row: -row[2] / row[1])


def rate(row: Commune, years: int) -> str:
    return nombre(1000 * row[2] / (row[1] * years), 1)


def status(page: Page) -> Any:
    return page.get_by_role("status").first


def said(page: Page) -> str:
    """The sentence once it has settled, with plain spaces and apostrophes."""
    # On the page's own clock, after the drawing that sets the sentence's timer.
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 350)))")
    return plain(status(page).inner_text())


def plain(text: str) -> str:
    return re.sub(r"[\s\u00a0\u202f]+", " ", text).replace("’", "'")


def sentence(where: str, rows: list[Commune], years: int, tirage: int, minimum: int = 0) -> str:
    """What the status should say, from the independent draw."""
    ranked = ranking(rows, minimum)
    first, last = ranked[0], ranked[-1]
    sizes = sorted(row[1] for row in ranked)
    middle = (sizes[(len(sizes) - 1) // 2] + sizes[len(sizes) // 2]) / 2
    top = min(10, len(ranked) // 2)
    small = sum(row[1] < middle for row in ranked[:top])
    equal = sum(row[2] * last[1] == last[2] * row[1] for row in ranked)
    people = "personne tirée" if first[2] < 2 else "personnes tirées"
    text = (
        f"{where}, {years} an{'s' if years > 1 else ''}, tirage {tirage} : {first[0]} est première, "
        f"avec {nombre(first[1])} habitants et {nombre(first[2])} {people}. "
        f"Parmi les {top} premières, {small} ont moins d'habitants que la médiane. "
        f"Les taux vont de {rate(last, years)} à {rate(first, years)} pour 1 000 par an. "
    )
    text += (
        f"{nombre(equal)} communes sont dernières, à égalité."
        if equal > 1
        else f"{last[0]} est dernière."
    )
    return plain(text)


@pytest.fixture
def page(visit: Visit, write_page: WritePage) -> Page:
    write_page("hasard.html", PetitsNombres().html())
    return visit("hasard.html")


def choose(page: Page, label: str, value: str) -> None:
    page.get_by_label(label).focus()
    page.get_by_label(label).select_option(value)


def test_the_generator_is_the_published_one() -> None:
    """First numbers of mulberry32 from 1, by the reference implementation in JavaScript."""
    chance = uniform(1)
    assert [round(next(chance) * 2**32) for _ in range(3)] == [2693262067, 11749833, 2265367787]


def test_a_draw_has_the_mean_it_is_given() -> None:
    for mean in (0.3, 4.0, 250.0):
        chance = uniform(7)
        draws = [poisson(mean, chance) for _ in range(4000)]
        average = sum(draws) / len(draws)
        variance = sum((one - average) ** 2 for one in draws) / len(draws)
        assert average == pytest.approx(mean, abs=5 * math.sqrt(mean / len(draws)))
        assert variance == pytest.approx(mean, rel=0.15)
    assert poisson(0, uniform(1)) == 0


@pytest.mark.parametrize(("code", "tirage", "years"), [("80", 1, 1), ("2A", 12, 5), ("974", 3, 2)])
def test_python_agrees_with_an_independent_draw(
    communes: dict[str, list[tuple[str, int]]], code: str, tirage: int, years: int
) -> None:
    widget = PetitsNombres(code)
    widget.tirage = tirage
    expected = ranking(drawn(code, communes[code], tirage, years))
    assert [(one.nom, one.population, one.tires) for one in widget.ranking(years)] == expected


def test_the_static_sentence_and_tables(communes: dict[str, list[tuple[str, int]]]) -> None:
    widget = PetitsNombres()
    one, many = (ranking(drawn("80", communes["80"], 1, years)) for years in (1, MOST_YEARS))
    text = plain(widget.sentence())
    assert (
        f"sur 1 an : {one[0][0]}, {one[0][1]} habitants, est première, à {rate(one[0], 1)}" in text
    )
    assert (
        f"Sur {MOST_YEARS} ans, les taux vont de {rate(many[-1], MOST_YEARS)} à "
        f"{rate(many[0], MOST_YEARS)} pour 1 000 par an."
    ) in text
    by_years, by_size = widget.static_tables()
    assert by_years.rows[0] == ("1", one[0][0], rate(one[0], 1), rate(one[-1], 1))
    for row, minimum in zip(by_size.rows, (0, 500, 1000, 2000), strict=True):
        kept = ranking(drawn("80", communes["80"], 1, 1), minimum)
        expected = (nombre(minimum), nombre(len(kept)), rate(kept[0], 1), rate(kept[-1], 1))
        assert tuple(row) == expected
    assert "donnée simulée" in widget.source()


def test_what_cannot_be_ranked_is_said() -> None:
    with pytest.raises(UnknownDepartement, match="« 99 »"):
        PetitsNombres("99")
    with pytest.raises(ExplorableError, match="n'a qu'une commune"):
        PetitsNombres("75")


def test_the_page_says_what_was_drawn(
    page: Page, communes: dict[str, list[tuple[str, int]]]
) -> None:
    somme = communes["80"]
    assert said(page) == sentence("Somme (80)", drawn("80", somme, 1, 1), 1, 1)
    page.get_by_role("button", name="Nouveau tirage").click()
    assert said(page) == sentence("Somme (80)", drawn("80", somme, 2, 1), 1, 2)
    page.get_by_role("slider").fill("12")
    expect(page.get_by_role("slider")).to_have_attribute("aria-valuetext", "12\u00a0ans")
    expect(page.get_by_text("Années observées\u00a0: 12")).to_be_visible()
    assert said(page) == sentence("Somme (80)", drawn("80", somme, 2, 12), 12, 2)
    choose(page, "Communes classées", "1000")
    assert said(page) == sentence("Somme (80)", drawn("80", somme, 2, 12), 12, 2, 1000)
    choose(page, "Département", "2A")
    corse = drawn("2A", communes["2A"], 2, 12)
    assert said(page) == sentence("Corse-du-Sud (2A)", corse, 12, 2, 1000)


def test_a_departement_of_large_communes(
    page: Page, communes: dict[str, list[tuple[str, int]]]
) -> None:
    """Means above what one draw can hold, and no commune at zero."""
    choose(page, "Département", "13")
    rows = drawn("13", communes["13"], 1, 1)
    assert said(page) == sentence("Bouches-du-Rhône (13)", rows, 1, 1)


def test_a_commune_is_followed(page: Page, communes: dict[str, list[tuple[str, int]]]) -> None:
    choose(page, "Commune à suivre", "Amiens")
    ranked = ranking(drawn("80", communes["80"], 1, 1))
    own = next(row for row in ranked if row[0] == "Amiens")
    better = sum(row[2] * own[1] > own[2] * row[1] for row in ranked)
    expected = f"Amiens, que vous suivez : rang {better + 1} sur {len(ranked)}."
    assert said(page).endswith(expected)
    expect(page.locator(".cd-graphe")).to_contain_text("Amiens")
    page.reload()
    assert said(page).endswith(expected)


def test_keyboard_alone(page: Page) -> None:
    said(page)
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_label("Département")).to_be_focused()
    press("Tab")
    expect(page.get_by_role("slider")).to_be_focused()
    press("ArrowRight")
    press("End")
    assert f"{MOST_YEARS} ans" in said(page)
    press("Tab")
    expect(page.get_by_role("button", name="Nouveau tirage")).to_be_focused()
    press("Enter")
    assert "tirage 2" in said(page)
    press("Tab")
    press("Space")
    assert "Somme (80), 1 an, tirage 1" in said(page)
    press("Tab")
    expect(page.get_by_label("Communes classées")).to_be_focused()
    press("Tab")
    expect(page.get_by_label("Commune à suivre")).to_be_focused()


def test_the_state_is_in_the_address(page: Page) -> None:
    page.get_by_role("button", name="Nouveau tirage").click()
    page.get_by_role("slider").fill("4")
    before = said(page)
    assert f"{KEY}.annees=4" in page.url and f"{KEY}.tirage=2" in page.url
    page.reload()
    assert said(page) == before
    page.get_by_role("button", name="Recommencer").click()
    said(page)
    assert KEY not in page.url


@pytest.mark.parametrize(
    "fragment",
    [
        "annees=0", "annees=21", "annees=2.5", "annees=-1", "annees=null", "annees=1e99",
        f"tirage={DRAWS + 1}", "tirage=-3", "minimum=7", "minimum=-500", 'choisie=<img src=x>',
    ],
)  # fmt: skip
def test_an_address_that_makes_no_sense_is_the_start(
    visit: Visit, write_page: WritePage, fragment: str
) -> None:
    write_page("hasard.html", PetitsNombres().html())
    page = visit(f"hasard.html#{KEY}.{fragment}")
    assert said(page).startswith("Somme (80), 1 an, tirage 1 :")
    expect(page.locator(".cd-app img")).to_have_count(0)


def test_an_unknown_departement_comes_back_with_a_sentence(
    visit: Visit, write_page: WritePage
) -> None:
    write_page("hasard.html", PetitsNombres().html())
    page = visit(f"hasard.html#{KEY}.departement=99")
    expect(status(page)).to_contain_text("Le département «\u00a099\u00a0» n’existe pas")
    assert "Somme (80), 1 an, tirage 1" in said(page)


def test_paris_has_nothing_to_rank(page: Page) -> None:
    said(page)
    choose(page, "Département", "75")
    assert "Paris (75) n'a qu'une commune : il n'y a rien à classer" in said(page)
    expect(page.locator(".cd-graphe")).not_to_be_visible()
    choose(page, "Département", "974")
    choose(page, "Communes classées", "2000")
    assert said(page).startswith("La Réunion (974), 1 an")
    expect(page.locator(".cd-graphe")).to_be_visible()


def test_it_works_from_a_file(visit: Visit, write_page: WritePage, folder: Path) -> None:
    write_page("hasard.html", PetitsNombres().html())
    page = visit("hasard.html", base=folder.as_uri())
    choose(page, "Département", "59")
    assert said(page).startswith("Nord (59), 1 an, tirage 1")


def test_without_script_the_tables_stay(visit: Visit, write_page: WritePage) -> None:
    write_page("hasard.html", PetitsNombres().html())
    page = visit("hasard.html", java_script_enabled=False)
    expect(page.locator("table")).to_have_count(2)
    expect(page.get_by_text("Ce que vous devez voir.")).to_be_visible()


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_goes_beyond_the_screen(visit: Visit, write_page: WritePage, width: int) -> None:
    write_page("hasard.html", PetitsNombres().html())
    page = visit("hasard.html", width=width)
    said(page)
    choose(page, "Commune à suivre", "Amiens")
    said(page)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    small = page.evaluate(
        """[...document.querySelectorAll('.cd-app :is(button:not([hidden]), select, input)')]
           .filter(node => node.getBoundingClientRect().height < 44).map(node => node.outerHTML)"""
    )
    assert small == []
    beyond = page.evaluate(
        """[...document.querySelectorAll('.cd-graphe text')].filter((node) => {
             const [box, plot] = [node, node.closest('svg')].map(one => one.getBoundingClientRect());
             return box.left < plot.left - 12 || box.right > plot.right + 12;
           }).map(node => node.textContent)"""
    )
    assert beyond == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visit: Visit, write_page: WritePage, theme: str) -> None:
    write_page("hasard-axe.html", PetitsNombres().html(), theme)
    page = visit("hasard-axe.html")
    said(page)
    for act in (
        lambda: page.get_by_role("button", name="Nouveau tirage").click(),
        lambda: choose(page, "Commune à suivre", "Amiens"),
        lambda: choose(page, "Département", "75"),
    ):
        act()
        said(page)
        assert Axe().run(page).response["violations"] == []
