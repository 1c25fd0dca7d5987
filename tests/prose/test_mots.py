"""The words of a page: the first use is marked, the definition is one tap away, or below."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.core import publish_doctree
from playwright.sync_api import Browser, Page, expect

from culture_d.book.terms import MOST, Term, _chosen, _first_uses, _mark, forms
from culture_d.project import Project

LESSON = "notebooks/comprendre/moyenne-mediane"
NAMES = (
    "moyenne",
    "moyenne pondérée",
    "médiane",
    "jeu de données",
    "données ouvertes",
    "population municipale",
    "règlement général sur la protection des données (RGPD)",
    "délégué à la protection des données",
    "Commission d’accès aux documents administratifs (CADA)",
    "intercommunalité",
    "métadonnées",
)
TERMS = [Term(name, f"term-{nodes.make_id(name)}", f"Définition de {name}.") for name in NAMES]
ACRONYMS = {name: ["EPCI"] if name == "intercommunalité" else [] for name in NAMES}


def doctree(text: str) -> nodes.document:
    tree = publish_doctree(text, settings_overrides={"report_level": 5})
    for box in tree.findall(nodes.container):  # docutils has no « _ » in its classes
        box["classes"] = [one.replace("cell-output", "cell_output") for one in box["classes"]]
    return tree


def used(text: str) -> list[tuple[str, str]]:
    """Name each term of a text and the words that use it first."""
    return [
        (use.term.name, str(use.node)[use.start : use.end] if not use.is_link else "lien")
        for use in _first_uses(doctree(text), TERMS, ACRONYMS)
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("La moyenne ment.", ["moyenne"]),
        ("Moyennes et médianes.", ["Moyennes", "médianes"]),
        ("La moyenne pondérée, puis la moyenne.", ["moyenne pondérée", "moyenne"]),
        ("Deux moyennes pondérées.", ["moyennes pondérées"]),
        ("Une donnée ouverte, des jeux de données.", ["donnée ouverte", "jeux de données"]),
        ("Des populations\nmunicipales.", ["populations\nmunicipales"]),
        ("La population\u00a0municipale.", ["population\u00a0municipale"]),
        ("Le RGPD le dit.", ["RGPD"]),
        (
            "Le règlement général sur la protection des données (RGPD) le dit.",
            ["règlement général sur la protection des données"],
        ),
        ("La déléguée à la protection des données.", ["déléguée à la protection des données"]),
        (
            "La commission d'accès aux documents administratifs.",
            ["commission d'accès aux documents administratifs"],
        ),
        ("Une EPCI, des intercommunalités.", ["EPCI"]),
        ("Les médianes, la médiane.", ["médianes"]),
        ("Une moyennement grande ville, l’avant-moyenne, le moyen, l’epci.", []),
        ("Titre\n=====\n\n====  ====\nmédiane  b\n====  ====\n", []),
    ],
)
def test_the_first_use_of_a_term_in_any_form(text: str, words: list[str]) -> None:
    assert [found for _, found in used(text)] == words


@pytest.mark.parametrize(
    "text",
    [
        "Médiane\n=======\n\nUn texte.\n\nMoyenne\n=======\n\nUn autre.\n",
        "Lisez ``médiane`` et `médiane <https://example.org>`__.",
        "Un calcul ::\n\n    médiane\n",
        "======= =======\nmédiane moyenne\n======= =======\n1       2\n======= =======\n",
        ".. container:: cd-quiz-question\n\n   La médiane ?\n",
        ".. raw:: html\n\n   <button>médiane</button>\n",
        ".. container:: cell_output\n\n   **La médiane bouge à peine**\n\n   .. image:: a.png\n",
    ],
)
def test_what_is_not_running_text_is_left_alone(text: str) -> None:
    assert used(text) == []


def test_a_link_to_the_glossary_counts_as_the_first_use() -> None:
    link = "`médiane <book/glossaire.html#term-mediane>`__"
    assert used(f"Voyez la {link}, puis la médiane.") == [("médiane", "lien")]
    assert used(f"La médiane, puis {link}.") == [("médiane", "médiane")]


def test_a_page_stays_quiet() -> None:
    """At most so many terms: those that the page links, then the first ones read."""
    text = ", ".join(name.split(" (")[0] for name in NAMES if name != "métadonnées")
    text += ", `notes <book/glossaire.html#term-metadonnees>`__"
    every = list(_first_uses(doctree(text), TERMS, ACRONYMS))
    kept = _chosen(every)
    assert len(every) == len(NAMES) > MOST
    assert [use.term.name for use in kept] == [*NAMES[: MOST - 1], "métadonnées"]


def test_marks_leave_the_text_as_it_was() -> None:
    text = "La **médiane** et la moyenne d’un jeu de données, puis la médiane."
    tree = doctree(text)
    before = tree.astext()
    _mark(list(_first_uses(tree, TERMS, ACRONYMS)))
    assert tree.astext() == before
    assert [link.astext() for link in tree.findall(nodes.reference)] == [
        "médiane",
        "moyenne",
        "jeu de données",
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_form_is_a_whole_pattern(name: str) -> None:
    assert re.fullmatch(f"(?:{forms(name)})", name.split(" (")[0])


# The built pages


@pytest.fixture
def lesson(site: Path) -> BeautifulSoup:
    return BeautifulSoup((site / f"{LESSON}.html").read_text(encoding="utf-8"), "html.parser")


def test_each_mark_has_its_definition_and_the_way_back(lesson: BeautifulSoup) -> None:
    marks = lesson.select("a.cd-mot")
    listed = lesson.select(".cd-mots dt")
    assert 3 <= len(marks) == len(listed) <= MOST
    for mark, term in zip(marks, listed, strict=True):
        assert mark["href"] == f"#{term['id']}"
        link, definition = term.find("a"), term.find_next_sibling("dd")
        assert link is not None and definition is not None
        assert link["href"] == f"#{mark['id']}"
        assert len(definition.get_text()) > 20
        assert not mark.find_parent(["h1", "h2", "h3", "table", "code", "pre", "summary", "button"])


def test_neither_the_glossary_nor_the_first_page_is_marked(site: Path) -> None:
    for name in ("glossaire", "accueil"):
        assert "cd-mot" not in (site / "book" / f"{name}.html").read_text(encoding="utf-8")


def test_definitions_come_from_the_glossary(lesson: BeautifulSoup, project: Project) -> None:
    glossary = (project.book / "glossaire.md").read_text(encoding="utf-8").replace("'", "’")
    for definition in lesson.select(".cd-mots dd"):
        assert definition.get_text() in glossary


# In a browser


@pytest.fixture
def open_lesson(browser: Browser, address: str) -> Iterator[object]:
    contexts = []

    def opened(width: int = 390, **options: object) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 700}, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{address}/{LESSON}.html")
        return page

    yield opened
    for context in contexts:
        context.close()


def test_a_mark_opens_its_definition_and_gives_the_focus_back(open_lesson: object) -> None:
    page: Page = open_lesson()  # type: ignore[operator]
    address = page.url
    box = page.locator(".cd-definition")
    mark = page.locator("a.cd-mot").nth(1)
    expected = page.locator(".cd-mots dd").nth(1).inner_text()
    for key in ("Enter", "Space"):
        mark.focus()
        page.keyboard.press(key)
        expect(box).to_be_visible()
        expect(box.locator("p")).to_have_text(expected)
        expect(mark).to_have_attribute("aria-expanded", "true")
        page.keyboard.press("Escape")
        expect(box).to_be_hidden()
        expect(mark).to_be_focused()
        expect(mark).to_have_attribute("aria-expanded", "false")
    mark.click()
    box.get_by_role("button", name="Fermer").click()
    expect(box).to_be_hidden()
    expect(mark).to_be_focused()
    assert page.url == address


def test_one_definition_at_a_time_and_a_tap_elsewhere_closes_it(open_lesson: object) -> None:
    page: Page = open_lesson(has_touch=True)  # type: ignore[operator]
    marks = page.locator("a.cd-mot")
    marks.nth(0).tap()
    expect(page.locator(".cd-definition strong")).to_have_text("moyenne")
    page.locator("h1").tap()
    expect(page.locator(".cd-definition")).to_be_hidden()
    marks.nth(0).focus()
    page.keyboard.press("Enter")
    marks.nth(1).evaluate("mark => mark.click()")
    expect(page.locator(".cd-definition")).to_have_count(1)
    expect(page.locator(".cd-definition")).to_be_visible()
    expect(marks.nth(0)).to_have_attribute("aria-expanded", "false")
    expect(marks.nth(1)).to_have_attribute("aria-expanded", "true")


@pytest.mark.parametrize("size", ["100%", "225%"])
def test_a_definition_never_overflows_a_small_screen(open_lesson: object, size: str) -> None:
    page: Page = open_lesson(width=320)  # type: ignore[operator]
    page.add_style_tag(content=f"html {{ font-size: {size} !important }}")
    for mark in page.locator("a.cd-mot").all():
        mark.scroll_into_view_if_needed()
        mark.focus()
        page.keyboard.press("Enter")
        at = page.locator(".cd-definition").bounding_box()
        assert at and at["x"] >= 0 and at["x"] + at["width"] <= 320
        assert at["height"] <= 700
        assert Axe().run(page, context=".cd-definition").violations_count == 0
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.keyboard.press("Escape")


def test_without_script_a_mark_leads_to_the_list_and_back(open_lesson: object) -> None:
    page: Page = open_lesson(java_script_enabled=False)  # type: ignore[operator]
    page.locator("a.cd-mot").nth(1).click()
    entry = page.locator(".cd-mots dt").nth(1)
    assert page.url.endswith(f"#{entry.get_attribute('id')}")
    expect(entry).to_be_in_viewport()
    entry.locator("a").click()
    expect(page.locator("a.cd-mot").nth(1)).to_be_in_viewport()


def test_the_list_is_printed(open_lesson: object) -> None:
    page: Page = open_lesson()  # type: ignore[operator]
    page.emulate_media(media="print")
    expect(page.locator(".cd-mots dd").first).to_be_visible()
    expect(page.locator(".cd-mots-suite")).to_be_hidden()


# The spaces of the pages


def test_a_page_gets_the_spaces_that_its_source_lacks(variant: Project) -> None:
    """A Markdown page with ordinary spaces reads as a printer would set it, code apart."""
    source = (variant.book / "a-propos.md").read_text(encoding="utf-8")
    assert "Oui : « **34 875** communes », soit 3,5 % ; `a : b` n° 3 !" in source
    html = (variant.site / "book" / "a-propos.html").read_text(encoding="utf-8")
    main = BeautifulSoup(html, "html.parser").main
    assert main is not None
    nb, fine = "\u00a0", "\u202f"
    text = main.get_text()
    assert f"Est-ce vrai{nb}?" in text
    wanted = f"Oui{nb}: «{nb}34{fine}875 communes{nb}», soit 3,5{fine}%{nb}; a : b n°{nb}3{nb}!"
    assert wanted in text
