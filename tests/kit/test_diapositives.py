"""Slides: everything on screen, nothing from elsewhere, in French, with the trainer's notes."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, Page, expect

from culture_d.curriculum import Module, load_curriculum, modules
from culture_d.errors import SlidesError
from culture_d.french import typeset
from culture_d.pdf import Printed
from culture_d.project import Project
from culture_d.sheets import ACTIVITY, module_script, sheet_path
from culture_d.skeleton import create_module
from culture_d.slides import deck, reveal
from culture_d.slides.check import check_deck, opened, print_deck
from culture_d.slides.content import module_slides

ENGLISH = re.compile(
    r"\b(?:slides?|next|previous|upcoming|speaker|click|reset|resume|layout|loading|default|wide|tall|only)\b",
    re.IGNORECASE,
)
# What a reader may meet: words, names, titles of windows.
WORDS = """() => [document.title, document.body.innerText,
  ...[...document.querySelectorAll("[aria-label], [title], [placeholder]")].flatMap((one) =>
    ["aria-label", "title", "placeholder"].map((name) => one.getAttribute(name) || ""))].join("\\n")"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll(".corps *")]
  .filter((one) => one.innerText && one.innerText.trim() && !one.closest(".cd-source, .touches"))
  .map((one) => parseFloat(getComputedStyle(one).fontSize)))"""

ADVICE = {
    "Ce qui coince.": "deviner",
    "Sans ordinateur.": "essai",
    "Trois questions clés.": "piege",
}


def parsed(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def slides_of(path: Path) -> list[Tag]:
    return parsed(path).select(".slides section section")


@pytest.fixture
def shown(browser: Browser, slides_file: Path) -> Iterator[Page]:
    with opened(browser, slides_file) as page:
        yield page


def test_every_slide_of_every_module_holds_in_its_frame(
    project: Project, browser: Browser, slides_file: Path
) -> None:
    published = [one for one in modules(load_curriculum(project)) if one.published]
    for module in published:
        path = slides_file.with_name(f"{module.slug}.html")
        path.write_text(deck.make_deck(project, module), encoding="utf-8")
        check_deck(browser, path)
    assert len(published) >= 8


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ("<p>Une ligne de trop.</p>" * 16, r"« moyenne-mediane\.html » déborde : diapositive-2 "),
        ('<img src="data:," alt="x">', "une image ne s’affiche pas"),
        ('<img src="https://example.org/a.png" alt="x">', r"appel à https://example\.org/a\.png"),
        ("<script>fetch('https://example.org/b')</script>", r"appel à https://example\.org/b"),
    ],
)
def test_a_slide_that_overflows_or_calls_elsewhere_is_refused(
    browser: Browser, slides_file: Path, tmp_path: Path, added: str, said: str
) -> None:
    folder = Path(shutil.copytree(slides_file.parent, tmp_path / "copie"))
    path = folder / slides_file.name
    text = path.read_text("utf-8")
    place = text.index('<div class="corps">', text.index('id="diapositive-2"')) + 19
    path.write_text(text[:place] + added + text[place:], "utf-8")
    with pytest.raises(SlidesError, match=said):
        check_deck(browser, path)


def test_nothing_of_nbconvert_s_own_template_is_left(slides_file: Path) -> None:
    soup = parsed(slides_file)
    addresses = [str(tag.get("src") or tag.get("href")) for tag in soup.select("[src], link[href]")]
    assert all(one.startswith(("reveal/", "data:")) for one in addresses)
    for script in soup.select("script"):
        assert script.get("src") and not script.get_text(strip=True)
    for folder in slides_file.parent.glob("reveal/*.css"):
        assert not re.search(r"url\((?!['\"]?data:)|@import", folder.read_text("utf-8")), (
            folder.name
        )


def test_the_slides_are_in_french(shown: Page) -> None:
    assert shown.locator("html").get_attribute("lang") == "fr"
    words = shown.evaluate(WORDS)
    assert "diapositive suivante" in words
    assert not ENGLISH.search(words), ENGLISH.search(words)


def test_an_english_word_would_be_seen() -> None:
    assert ENGLISH.search("next slide") and ENGLISH.search("Resume presentation")


def test_letters_are_large_enough_for_a_room(shown: Page) -> None:
    assert shown.evaluate(SMALLEST) >= 22


def test_keys_lead_from_step_to_step_and_from_slide_to_slide(
    shown: Page, project: Project, module: Module
) -> None:
    steps = module_script(project, module)
    seen = []
    for _ in steps:
        before = shown.evaluate("Reveal.getIndices().h")
        while shown.evaluate("Reveal.getIndices().h") == before:
            shown.keyboard.press("ArrowRight")
        seen.append(shown.evaluate("Reveal.getCurrentSlide().dataset.cellule"))
    assert shown.evaluate("Reveal.getIndices().h") == len(steps)
    assert seen[-1] == "retenir" and "piege" in seen
    shown.keyboard.press("Home")
    shown.evaluate("Reveal.slide(0, 0)")
    count = 1
    while not shown.evaluate("Reveal.isLastSlide() && !Reveal.availableFragments().next"):
        here = shown.evaluate("Reveal.getCurrentSlide().id")
        shown.keyboard.press("Space")
        count += here != shown.evaluate("Reveal.getCurrentSlide().id")
    assert count == shown.evaluate("Reveal.getTotalSlides()")


def test_a_figure_is_seen_before_its_answer(shown: Page, slides_file: Path) -> None:
    figure = next(one for one in slides_of(slides_file) if one.get("data-cellule") == "file")
    shown.evaluate(f"location.hash = '#/{figure['id']}'")
    shown.wait_for_function(f"Reveal.getCurrentSlide().id === '{figure['id']}'")
    answer = shown.locator(f"#{figure['id']} .reponse")
    assert shown.locator(f"#{figure['id']} img").is_visible() and not answer.is_visible()
    shown.keyboard.press("Space")
    expect(answer).to_be_visible()
    box = shown.locator(f"#{figure['id']} img").bounding_box()
    assert box and box["height"] > 500


def test_the_slides_say_what_the_notebook_shows(
    project: Project, module: Module, slides_file: Path
) -> None:
    """Each figure with its alternative text, each sentence computed; no code."""
    cells = nbformat.read(project.root / f"{module.document}.ipynb", as_version=4).cells
    end = next(place for place, cell in enumerate(cells) if cell.id == "retenir")
    soup = parsed(slides_file)
    squeezed = re.sub(r"\s", "", soup.get_text())
    figures = 0
    for cell in cells[: end + 1]:
        for output in cell.get("outputs", []):
            for kind, value in output.get("metadata", {}).items():
                figures += 1
                assert soup.find("img", alt=value["alt"]), kind
            words = output.get("data", {}).get("text/markdown", "")
            for line in re.sub(r"[*>`]|^- |^\d+\. ", "", words, flags=re.MULTILINE).splitlines():
                assert re.sub(r"\s", "", typeset(line)) in squeezed, line
    assert figures == len(soup.select("img")) >= 3
    assert "import pandas" not in soup.get_text() and not soup.select("pre")


def test_the_notes_are_the_sheet_s_script_in_order(
    project: Project, module: Module, slides_file: Path
) -> None:
    sections = slides_of(slides_file)
    notes = [one.select_one("aside.notes") for one in sections]
    text = re.sub(r"\s+", " ", " ".join(one.get_text() if one else "" for one in notes))
    clock, last = 0, -1
    for step in module_script(project, module):
        words = f"Minutes {clock} à {clock + step.minutes}, {step.kind}. {typeset(step.text)}"
        place = text.find(re.sub(r"\s+", " ", words))
        assert place > last, words
        last, clock = place, clock + step.minutes
    assert clock == module.minutes
    for advice in ("Le but.", "Matériel.", *ADVICE):
        assert text.count(advice) == 1
    for advice, cell in ADVICE.items():
        # The first slide of a step: the arrow that skips the others leads there.
        where = next(one for one in sections if f"{advice}" in one.get_text())
        assert where["data-cellule"] == cell
        assert where.parent and where.parent.select_one("section") is where
    for one in sections[1:]:
        assert re.search(r"Minutes \d+ à \d+, (?:exposé|activité|suite)\.", one.get_text()), one
    badges = [one.get_text() for one in parsed(slides_file).select(".etape")]
    active = [step for step in module_script(project, module) if step.kind == "activité"]
    assert badges == [f"Activité · {step.minutes} min" for step in active]


def test_groups_work_before_they_see_the_answer(project: Project) -> None:
    """A step of activity opens on what to do, a vote or a tool: never on what it should find."""
    for module in modules(load_curriculum(project)):
        if not module.published:
            continue
        slides, steps = module_slides(project, module), module_script(project, module)
        told = {typeset(step.text): step for step in steps if step.kind == ACTIVITY}
        for place, slide in enumerate(slides):
            if slide.first and slide.badge:
                words = BeautifulSoup(slide.body, "html.parser").get_text()
                assert words in told or any(
                    one.kind == "vote" or 'class="outil"' in one.body
                    for one in slides[place : place + 2]
                ), f"{module.slug} : {words}"
                assert "La réponse." not in words
            if slide.kind == "reponses":
                assert "flèche droite" in slides[place - 1].notes and not slide.first


def test_the_key_s_opens_the_notes_in_french_from_a_file(shown: Page) -> None:
    shown.keyboard.press("ArrowRight")
    with shown.expect_popup() as popup:
        shown.keyboard.press("s")
    window = popup.value
    window.wait_for_function("document.querySelector('.value').innerText.includes('Minutes 0 à 2')")
    words = window.evaluate(WORDS)
    assert "Lisez la scène de Valmorin" in words and "TEMPS" in words
    assert "Disposition : Habituelle" in words
    assert not ENGLISH.search(words), ENGLISH.search(words)
    assert window.evaluate("document.documentElement.lang") == "fr"


def test_axe_finds_nothing(shown: Page) -> None:
    axe = Axe()
    for column in range(shown.evaluate("Reveal.getHorizontalSlides().length")):
        shown.evaluate(f"Reveal.slide({column}, 0, Infinity)")
        found = axe.run(shown, options={"runOnly": ["wcag2a", "wcag2aa", "wcag21aa"]})
        assert found.response["violations"] == []


def test_the_pdf_has_one_page_a_slide(browser: Browser, slides_file: Path) -> None:
    printed = Printed(print_deck(browser, slides_file))
    assert printed.pages() == len(slides_of(slides_file))
    width, height = printed.sizes()[0]
    assert width / height == pytest.approx(16 / 9, abs=0.01)
    assert printed.tagged and printed.language == "fr"


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("", r"« \(\) » doit nommer une cellule"),
        (" (ailleurs)", r"« \(ailleurs\) » doit nommer"),
        (" (titre)", r"« \(titre\) » doit nommer"),
        (" (plus-loin)", r"« \(plus-loin\) » doit nommer"),
    ],
)
def test_a_step_without_its_cell_is_refused(
    course: Project, module: Module, cell: str, said: str
) -> None:
    path = sheet_path(course, module.slug)
    path.write_text(path.read_text("utf-8").replace(" (piege)", cell), "utf-8")
    with pytest.raises(SlidesError, match=said):
        module_slides(course, module)


def test_a_new_module_has_slides_at_once(course: Project) -> None:
    create_module(course, "election")
    module = next(one for one in modules(load_curriculum(course)) if one.slug == "election")
    slides = module_slides(course, module)
    assert slides[0].title == "Une élection"
    assert [one.cell for one in slides if one.first] == ["titre", "etape-1", "etape-2"]


def test_without_network_the_message_says_what_is_missing(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    with pytest.raises(SlidesError, match=r"reveal\.js .* téléchargé une seule fois"):
        reveal.put_beside(Project(tmp_path), tmp_path / "reveal")
    assert not (tmp_path / "reveal").exists()


def test_another_reveal_is_refused(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(reveal.FRENCH["notes.js"], "Words that are not there", "Mots")
    with pytest.raises(SlidesError, match="n'est plus dans"):
        reveal.put_beside(project, tmp_path / "reveal")
