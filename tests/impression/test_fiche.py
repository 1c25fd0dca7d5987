"""The card « À retenir »: alone, on exactly half a page."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import BrowserContext, Page

from culture_d.booklet import _OVERFLOWING, cards_html, read_chapters
from culture_d.catalogue import load_dataset
from culture_d.curriculum import load_curriculum, modules
from culture_d.french import date_longue
from culture_d.pdf import Printed, Printer, PrintError
from culture_d.project import Project

Read = Callable[[bytes], Any]
Squeeze = Callable[[str], str]
MM = 96 / 25.4


@pytest.fixture
def card(tab: BrowserContext, site: Path, lesson: str) -> Page:
    """The lesson when its button has been pressed, on paper."""
    page = tab.new_page()
    page.add_init_script("window.print = () => { window.seen = document.body.className; }")
    page.goto((site / f"{lesson}.html").as_uri())
    page.get_by_role("button", name="Imprimer la fiche").click()
    page.emulate_media(media="print")
    return page


def test_the_button_shows_the_card_until_it_is_printed(card: Page) -> None:
    """On a phone print() returns at once: the card must stay until the event."""
    assert "cd-fiche" in card.evaluate("window.seen")
    assert card.locator("#a-retenir").is_visible()
    assert not card.locator("#la-situation").is_visible()
    card.evaluate("dispatchEvent(new Event('afterprint'))")
    assert "cd-fiche" not in card.evaluate("document.body.className")
    assert card.locator("#la-situation").is_visible()
    assert not card.locator(".cd-fiche-tete").is_visible()


def test_the_screen_shows_no_card(tab: BrowserContext, site: Path, lesson: str) -> None:
    page = tab.new_page()
    page.goto((site / f"{lesson}.html").as_uri())
    assert page.locator(".cd-fiche-tete, .cd-fiche-pied").count() == 2
    for part in page.locator(".cd-fiche-tete, .cd-fiche-pied").all():
        assert not part.is_visible()


def test_the_card_holds_half_a_page(card: Page) -> None:
    box = card.locator(".cd-carte").bounding_box()
    assert box
    assert (box["x"], box["y"]) == (0, 0)
    assert box["width"] == pytest.approx(210 * MM, abs=0.5)
    assert box["height"] == pytest.approx(148.5 * MM, abs=0.5)
    lowest = card.evaluate(
        "Math.max(...[...document.querySelectorAll('.cd-carte *')]"
        ".filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect().bottom))"
    )
    assert lowest < box["height"]
    assert card.evaluate(_OVERFLOWING) == []


def test_the_card_says_all_it_must(
    card: Page, project: Project, site: Path, lesson: str, read: Read, squeeze: Squeeze
) -> None:
    content = card.pdf(tagged=True, outline=True, prefer_css_page_size=True)
    pdf, (text,) = Printed(content), read(content).texts()
    assert pdf.tagged and pdf.sizes()[0] == pytest.approx((210, 297), abs=0.2)
    module = next(one for one in modules(load_curriculum(project)) if one.document == lesson)
    soup = BeautifulSoup((site / f"{lesson}.html").read_bytes(), "html.parser")
    lines = [one.get_text() for one in soup.select("#a-retenir li")]
    assert len(lines) == 7
    communes = load_dataset(project.datasets / "communes")
    for words in (
        "Culture D",
        module.title,
        module.question,
        *lines,
        "Les questions à poser la prochaine fois",
        f"{communes.producer}, {communes.vintage}",
        f"en vigueur jusqu’au {date_longue(communes.valid_until)}",
        "licence CC BY 4.0",
    ):
        assert squeeze(words.replace("'", "’")) in text, words
    assert "Lasituation" not in text and "Imprimer" not in text and "1/1" not in text


def test_two_cards_a_sheet(
    project: Project, site: Path, paper: Printer, tmp_path: Path, read: Read
) -> None:
    from datetime import date

    chapters = read_chapters(project, date(2026, 11, 21))
    lessons = [one for one in chapters if one.body.select(".cd-carte")]
    html = cards_html(project, [*lessons, *lessons, *lessons][:3])
    file = tmp_path / "fiches.html"
    file.write_text(html, encoding="utf-8")
    content = paper.print(file, _OVERFLOWING)
    assert [text.count("Àretenir") for text in read(content).texts()] == [2, 1]
    for size in Printed(content).sizes():
        assert size == pytest.approx((210, 297), abs=0.2)


def test_a_card_too_long_is_refused(
    project: Project, site: Path, paper: Printer, tmp_path: Path
) -> None:
    from datetime import date

    html = cards_html(project, read_chapters(project, date(2026, 11, 21)))
    soup = BeautifulSoup(html, "html.parser")
    card = next(one for one in soup.select(".cd-carte") if "Moyenne ou médiane" in str(one))
    phrases = card.select_one("ol")
    assert phrases
    for count in range(12):
        line = soup.new_tag("li")
        line.string = f"Une phrase de trop, et même beaucoup trop : la {count}."
        phrases.append(line)
    file = tmp_path / "fiches.html"
    file.write_text(str(soup), encoding="utf-8")
    with pytest.raises(PrintError, match="la fiche « Moyenne ou médiane » dépasse sa demi-page"):
        paper.print(file, _OVERFLOWING)
