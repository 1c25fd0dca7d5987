"""Each page printed from a browser: A4, unfolded, numbered, nothing cut or lost."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import BrowserContext, Page

from culture_d.pdf import Printed
from tests.families import SHARES, Share

Read = Callable[[bytes], Any]
Squeeze = Callable[[str], str]
LESSON_PAGES = 13
# A heading, then two lines at least, above the bottom margin.
LOWEST_HEADING = 297 - 20 - 20


def printed(page: Page) -> bytes:
    return page.pdf(tagged=True, outline=True, prefer_css_page_size=True)


def opened(tab: BrowserContext, site: Path, name: str) -> Page:
    page = tab.new_page()
    page.goto((site / f"{name}.html").as_uri())
    return page


def faults(content: bytes, title: str, read: Read, squeeze: Squeeze) -> list[str]:
    """Say what a printed page has that it must not, whatever the page."""
    found, pdf, reader = [], Printed(content), read(content)
    texts, pictures = reader.texts(), reader.pictures()
    for number, (text, size) in enumerate(zip(texts, pdf.sizes(), strict=True), start=1):
        if abs(size[0] - 210) > 0.2 or abs(size[1] - 297) > 0.2:
            found.append(f"page {number} : {size} mm")
        if f"{number}/{len(texts)}" not in text:
            found.append(f"page {number} : sans numéro")
        if number > 1 and squeeze(title) not in text:
            found.append(f"page {number} : sans le titre de la page")
        if "CultureD" not in text:
            found.append(f"page {number} : sans le nom du cours")
        rest = re.sub(r"CultureD|\d+/\d+|Courslibre,licenceCCBY4\.0", "", text)
        if len(rest.replace(squeeze(title), "")) < 40 and not pictures[number - 1]:
            found.append(f"page {number} : presque vide")
    for bookmark in pdf.bookmarks():
        if bookmark.top > LOWEST_HEADING:
            found.append(f"page {bookmark.page} : « {bookmark.title} » seul en bas")
    if not pdf.tagged or pdf.language != "fr" or not pdf.title:
        found.append(f"balises {pdf.tagged}, langue {pdf.language}, titre {pdf.title}")
    return found


def pages(site: Path) -> list[str]:
    names = (path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html"))
    return sorted(name for name in names if name not in {"index", "search"})


@pytest.mark.parametrize("share", SHARES)
def test_every_page_prints_well(
    tab: BrowserContext, site: Path, read: Read, squeeze: Squeeze, share: Share
) -> None:
    for name in share(pages(site)):
        page = opened(tab, site, name)
        title = page.locator("main h1").evaluate("one => one.firstChild.textContent")
        paper = printed(page)
        assert faults(paper, title, read, squeeze) == [], name
        if name.startswith("notebooks/"):
            assert Printed(paper).pages() <= LESSON_PAGES, name
        page.close()


@pytest.mark.parametrize(
    ("break_it", "expected"),
    [
        ("@page { size: A5 landscape }", "page 1 : (209."),
        ("@page { @bottom-right { content: none } }", "page 1 : sans numéro"),
        (":root { --cd-titre: '' }", "page 2 : sans le titre"),
        ("@page { @top-left { content: none } }", "page 1 : sans le nom"),
        (
            "main h1 { padding-bottom: 232mm } main h2 { break-after: page !important }",
            "seul en bas",
        ),
        ("main h2, main p { break-after: page !important }", "presque vide"),
    ],
)
def test_a_page_at_fault_is_seen(
    tab: BrowserContext,
    site: Path,
    read: Read,
    squeeze: Squeeze,
    break_it: str,
    expected: str,
) -> None:
    # « À propos » names the course in its text; the catalogue does not.
    page = opened(tab, site, "book/catalogue" if "nom" in expected else "book/a-propos")
    title = page.locator("main h1").evaluate("one => one.firstChild.textContent")
    page.add_style_tag(content=break_it)
    found = faults(printed(page), title, read, squeeze)
    assert any(expected in fault for fault in found), found


def must_be_written(html: str) -> list[str]:
    """Everything that the page folds, and every number of its tables."""
    soup = BeautifulSoup(html, "html.parser")
    for useless in soup.select("script, noscript, .cd-code, .cd-donnees summary, .cd-fiche-pied"):
        useless.decompose()
    folded = soup.select("main details p, main details summary")
    cells = soup.select("main .cd-explorable td, main .cd-explorable th, main .cd-donnees td")
    sources = soup.select("main .cd-source")
    assert folded and cells and sources
    return [one.get_text() for one in (*folded, *cells, *sources)]


@pytest.mark.parametrize("scripts", [True, False])
def test_the_lesson_is_unfolded_and_without_code(
    browser: Any, site: Path, lesson: str, read: Read, squeeze: Squeeze, scripts: bool
) -> None:
    source = (site / f"{lesson}.html").read_text(encoding="utf-8")
    with browser.new_context(java_script_enabled=scripts) as context:
        content = printed(opened(context, site, lesson))
    text = "".join(read(content).texts())
    missing = [one for one in must_be_written(source) if squeeze(one) not in text]
    assert missing == []
    for absent in ("importpandas", "Code", "Imprimerlafiche", "Surcettepage", "Montrer", "Suivant"):
        assert absent not in text.replace("Codegénéral", "").replace("CommuneCodePopulation", "")


def test_folded_answers_on_paper_are_seen(
    tab: BrowserContext, site: Path, lesson: str, read: Read, squeeze: Squeeze
) -> None:
    """The gate above sees answers that stay folded, and a table that is lost."""
    page = opened(tab, site, lesson)
    page.add_style_tag(
        content="details::details-content { display: none !important }"
        ".cd-explorable .cd-tableau { display: none !important }"
    )
    text = "".join(read(printed(page)).texts())
    for lost in ("Être sous la moyenne est donc la règle", "Grandvoie 9 100"):
        assert squeeze(lost) not in text


def test_older_browsers_unfold_by_script(browser: Any, site: Path, lesson: str) -> None:
    """Those without `::details-content`: every answer opens, and closes afterwards."""
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script("CSS.supports = () => false")
        page.goto((site / f"{lesson}.html").as_uri())
        count = "document.querySelectorAll('main details[open]').length"
        groups = "[...document.querySelectorAll('.cd-intuition details')].map((one) => one.name)"
        before = page.evaluate(count), page.evaluate(groups)
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate("document.querySelectorAll('main details:not([open])').length") == 0
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        assert (page.evaluate(count), page.evaluate(groups)) == before
        assert before[1] == ["quiz-intuition"] * 3


def test_addresses_are_written_out(
    tab: BrowserContext, site: Path, read: Read, squeeze: Squeeze
) -> None:
    page = opened(tab, site, "book/catalogue")
    links = page.locator("main a[href^=http]").evaluate_all("all => all.map((one) => one.href)")
    assert len(links) > 5
    text = "".join(read(printed(page)).texts())
    assert [link for link in links if f"({link})" not in text] == []
    inside = page.locator("main a:not([href^=http])").first.evaluate(
        "one => getComputedStyle(one, '::after').content"
    )
    assert inside == "none"


def test_an_address_that_is_its_own_text_is_not_written_twice(
    tab: BrowserContext, site: Path
) -> None:
    page = opened(tab, site, "book/catalogue")
    page.emulate_media(media="print")
    link = page.locator("main a[href^=http]").first
    after = "one => getComputedStyle(one, '::after').content"
    assert "https://" in link.evaluate(after)
    link.evaluate("one => one.classList.add('cd-adresse')")
    assert link.evaluate(after) == "none"


def words_of_figures(site: Path, lesson: str, squeeze: Squeeze) -> list[list[str]]:
    """For each figure, its words that the page does not say elsewhere."""
    page = BeautifulSoup((site / f"{lesson}.html").read_bytes(), "html.parser")
    for code in page.select(".cd-code"):
        code.decompose()
    told = squeeze(page.get_text())
    found = []
    for image in page.select("main img"):
        drawing = ((site / lesson).parent / str(image["src"])).read_text(encoding="utf-8")
        words = [squeeze(text) for text in re.findall(r"<text[^>]*>([^<]+)</text>", drawing)]
        found.append([one for one in words if len(one) > 3 and one not in told])
    return [
        [word for word in words if sum(word in other for other in found) == 1] for words in found
    ]


def test_figures_are_whole(
    tab: BrowserContext, site: Path, lesson: str, read: Read, squeeze: Squeeze
) -> None:
    """The words of a figure are on one page; one larger than its page is cut, and seen."""
    page = opened(tab, site, lesson)
    axes = words_of_figures(site, lesson, squeeze)
    assert len(axes) == page.locator("main img").count() == 3

    assert not cut(read(printed(page)).texts(), axes)
    whole = ["".join(words) for words in axes]
    assert cut(whole + whole, axes) == cut([], axes) == [0, 1, 2]


def cut(texts: list[str], figures: list[list[str]]) -> list[int]:
    """Which figures have their words on several pages, or on none."""
    places = [
        {page for page, text in enumerate(texts) for word in words if word in text}
        for words in figures
    ]
    return [rank for rank, found in enumerate(places) if len(found) != 1]


def test_black_on_white_whatever_the_theme(tab: BrowserContext, site: Path, lesson: str) -> None:
    page = opened(tab, site, lesson)
    page.evaluate("document.body.dataset.theme = 'dark'")
    page.emulate_media(media="print", color_scheme="dark")
    colours = page.evaluate(
        """[...document.querySelectorAll("body, main *")]
          .filter((one) => one.checkVisibility())
          .map((one) => getComputedStyle(one))
          .flatMap((style) => [style.color, style.backgroundColor])"""
    )
    bright = {"rgba(0, 0, 0, 0)", "rgb(255, 255, 255)"}
    inks = set(colours) - bright
    assert inks <= {"rgb(0, 0, 0)", "rgb(34, 34, 34)"}, inks
