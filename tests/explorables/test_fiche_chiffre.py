"""The identity card of a figure: what it says without script, and driven as a reader would."""

import csv
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from culture_d.explorables import ExplorableError
from culture_d.explorables.fiche_chiffre import LINES, FicheChiffre, status
from culture_d.french import nombre
from culture_d.project import Project

KEY = "fiche-chiffre"
Visit = Callable[..., Page]
WritePage = Callable[..., None]
CODES = ("97603", "97306", "55039")


@pytest.fixture
def shown(write_page: WritePage, visit: Visit) -> Callable[..., Page]:
    """Open a page that holds the explorable; `theme` is furo's."""

    def opened(address: str = "", theme: str = "light", **options: Any) -> Page:
        write_page(f"fiche-{theme}.html", FicheChiffre().html(), theme=theme)
        return visit(f"fiche-{theme}.html{address}", **options)

    return opened


def said(page: Page) -> str:
    return plain(page.get_by_role("status").first.inner_text())


def plain(text: str) -> str:
    return " ".join(text.replace("’", "'").split())


def verdicts(page: Page) -> list[str]:
    return [
        str(item.get_attribute("data-verdict")) for item in page.locator(".cd-verdicts li").all()
    ]


def recount(code: str, read: set[str]) -> list[str]:
    """Judge the five sentences again, from the state written in the page."""
    found = re.search(r'class="cd-etat">(.*?)</script>', FicheChiffre().html())
    assert found
    figures = {one["code"]: one for one in json.loads(found[1])["chiffres"]}
    judged = []
    for sentence in figures[code]["phrases"]:
        if sentence["line"]:
            judged.append("tombe" if sentence["line"] in read else "à vérifier")
        else:
            judged.append("tient" if len(read) == 4 else "à vérifier")
    return judged


def test_the_figures_are_those_of_the_file(project: Project) -> None:
    path = project.datasets / "communes" / "communes.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["code"]: row for row in csv.DictReader(file) if row["code"] in CODES}
    figures = FicheChiffre().figures
    assert tuple(figures) == CODES
    for code, figure in figures.items():
        assert (figure.nom, figure.valeur) == (rows[code]["nom"], int(rows[code]["population"]))
        assert set(figure.carte) == set(LINES)
        number = nombre(figure.valeur)
        if figure.valeur:
            assert all(number in one.texte for one in figure.phrases)
        dated = "2017" if rows[code]["departement"] == "976" else "1er janvier 2023"
        assert dated in figure.carte["date"]
        (holding,) = [one for one in figure.phrases if not one.line]
        assert dated in holding.texte and "Insee" in holding.texte
        assert {one.line for one in figure.phrases if one.line} <= set(LINES)
        assert len(figure.phrases) == 5


def test_without_script_every_sentence_has_its_verdict() -> None:
    widget = FicheChiffre()
    assert "Tout est lu : 4 phrases tombent, 1 tient." in widget.sentence()
    first, others = widget.static_tables()
    figure, *rest = widget.figures.values()
    answers = {str(row[0]): str(row[1]) for row in first.rows}
    assert [answers[label] for label in LINES.values()] == list(figure.carte.values())
    given = [answers[one.texte].split(".")[0].lower() for one in figure.phrases]
    assert given == recount(figure.code, set(LINES))
    assert [list(row) for row in others.rows] == [
        [f"{one.nom} : {nombre(one.valeur)}", one.phrases[-1].texte] for one in rest
    ]
    assert "population municipale au 1er janvier 2023" in widget.source()


def test_the_same_bytes_and_no_identifier() -> None:
    first, second = FicheChiffre(), FicheChiffre()
    assert first.html() == second.html()
    assert first.model_id not in first.html()


@pytest.mark.parametrize("code", ["", "80", "97611", "../97603"])
def test_an_unknown_figure_is_refused(code: str) -> None:
    with pytest.raises(ExplorableError, match=re.escape(f"Reçu : « {code} »")):
        FicheChiffre(code)


def test_it_starts_bare(shown: Callable[..., Page]) -> None:
    page = shown()
    assert said(page) == "Rien n'est encore lu : 5 phrases à vérifier."
    assert plain(page.locator(".cd-nu").inner_text()) == "10 282"
    assert verdicts(page) == ["à vérifier"] * 5
    for button in page.locator("[aria-expanded]").all():
        assert button.get_attribute("aria-expanded") == "false"
    expect(page.locator(".cd-lignes p").first).to_be_hidden()


def test_each_line_makes_its_sentence_fall(shown: Callable[..., Page]) -> None:
    page = shown()
    figure = FicheChiffre().figures["97603"]
    read: list[str] = []
    for rank, (key, label) in enumerate(LINES.items()):
        button = page.get_by_role("button", name=label, exact=True)
        button.click()
        read.append(key)
        expect(button).to_be_focused()
        expect(button).to_have_attribute("aria-expanded", "true")
        line = page.locator(".cd-lignes p").nth(rank)
        assert plain(line.inner_text()) == plain(f"{label} : {figure.carte[key]}")
        assert button.get_attribute("aria-controls") == line.get_attribute("id")
        assert verdicts(page) == recount("97603", set(read))
        assert said(page) == status(figure, read)
    assert verdicts(page) == ["tombe"] * 4 + ["tient"]
    page.get_by_role("button", name="Producteur", exact=True).click()
    assert said(page) == "3 lignes sur 4 : 3 phrases tombent, 2 restent à vérifier."
    assert verdicts(page) == recount("97603", set(LINES) - {"producteur"})


@pytest.mark.parametrize("code", CODES)
def test_python_and_the_page_say_the_same(shown: Callable[..., Page], code: str) -> None:
    page = shown()
    page.get_by_label("Chiffre du fichier national").select_option(code)
    figure = FicheChiffre().figures[code]
    assert said(page) == status(figure, ())
    page.get_by_role("button", name="Tout dévoiler").click()
    assert said(page) == status(figure, tuple(LINES))
    assert verdicts(page) == recount(code, set(LINES)) == ["tombe"] * 4 + ["tient"]
    items = [plain(text) for text in page.locator(".cd-verdicts li").all_inner_texts()]
    for item, sentence in zip(items, figure.phrases, strict=True):
        assert plain(sentence.texte) in item and item.endswith(plain(sentence.pourquoi))
    page.get_by_role("button", name="Tout cacher").click()
    assert said(page) == status(figure, ())


def test_keyboard_alone(shown: Callable[..., Page]) -> None:
    page = shown()
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_label("Chiffre du fichier national")).to_be_focused()
    press("ArrowDown")
    assert plain(page.locator(".cd-nu").inner_text()) == "10 957"
    press("Tab")
    press("Enter")
    expect(page.get_by_role("button", name="Date des faits", exact=True)).to_be_focused()
    assert verdicts(page) == recount("97306", {"date"})
    press("Space")
    assert verdicts(page) == ["à vérifier"] * 5
    for _ in range(4):
        press("Tab")
    expect(page.get_by_role("button", name="Tout dévoiler")).to_be_focused()
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    press("Enter")
    assert verdicts(page)[-1] == "tient"


def test_the_address_keeps_what_was_read(shown: Callable[..., Page]) -> None:
    page = shown()
    page.get_by_label("Chiffre du fichier national").select_option("55039")
    page.get_by_role("button", name="Définition", exact=True).click()
    address = page.evaluate("decodeURIComponent(location.hash)")
    assert f"{KEY}.choisi=55039" in address and f'{KEY}.lues=["definition"]' in address
    page.reload()
    assert verdicts(page) == recount("55039", {"definition"})
    assert plain(page.locator(".cd-nu").inner_text()) == "0"


@pytest.mark.parametrize(
    ("choisi", "lues", "expected"),
    [
        ("99999", "[]", []),
        ("<img src=x>", '["date","date","poids"]', ["date"]),
        ("97603", '[["date"],null,3]', []),
        ("97603", "{}", []),
        ("97603", '{"date":1}', []),
    ],
)
def test_an_address_that_makes_no_sense_is_left_out(
    shown: Callable[..., Page], choisi: str, lues: str, expected: list[str]
) -> None:
    page = shown(f"#{KEY}.choisi={quote(choisi)}&{KEY}.lues={quote(lues)}")
    assert plain(page.locator(".cd-nu").inner_text()) == "10 282"
    assert verdicts(page) == recount("97603", set(expected))


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_is_accessible_and_fits(shown: Callable[..., Page], theme: str, width: int) -> None:
    page = shown(theme=theme, width=width)
    for press in (None, "Tout dévoiler"):
        if press:
            page.get_by_role("button", name=press).click()
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for control in page.locator(".cd-app :is(button, select)").all():
            box = control.bounding_box()
            assert box and box["height"] >= 43.9
    if width == 320:
        page.locator("details summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_module_that_leaves_lets_go_of_the_page(shown: Callable[..., Page]) -> None:
    page = shown()
    left = page.evaluate(
        """() => {
          const listeners = [];
          const state = JSON.parse(document.querySelector(".cd-etat").textContent);
          const model = { get: (key) => state[key], set() {}, save_changes() {},
            on: (event) => listeners.push(event),
            off: (event) => listeners.splice(listeners.indexOf(event), 1) };
          const el = document.createElement("div");
          const leave = cultureD.explorables["fiche-chiffre"].render({ model, el });
          const before = [listeners.length, el.children.length];
          leave();
          return [before, listeners.length, el.children.length];
        }"""
    )
    assert left == [[2, 1], 0, 0]
