"""The stick on a machine without network: every page, with and without script."""

import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Page, expect

from tests.families import SHARES, Share

LESSON = "notebooks/comprendre/moyenne-mediane.html"


class Reader:
    """A browser window without network, and what went wrong in it."""

    def __init__(self, browser: Browser, **options: object) -> None:
        self.context = browser.new_context(offline=True, **options)  # type: ignore[arg-type]
        self.page = self.context.new_page()
        self.faults: list[str] = []
        self.page.on("console", lambda message: self._add(message.type, message.text))
        self.page.on("pageerror", lambda error: self.faults.append(f"erreur : {error}"))
        self.page.on("requestfailed", lambda request: self._add("requête", request.url))
        self.page.on("request", lambda request: self._request(request.url))

    def _add(self, kind: str, text: str) -> None:
        if kind not in {"log", "info", "debug"}:
            self.faults.append(f"{kind} : {text}")

    def _request(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.faults.append(f"réseau : {url}")

    def open(self, path: Path, rest: str = "") -> Page:
        self.page.goto(path.as_uri() + rest)
        return self.page


@pytest.fixture
def reader(browser: Browser) -> Iterator[Reader]:
    reader = Reader(browser)
    yield reader
    reader.context.close()
    assert reader.faults == []


def pages(stick: Path) -> list[Path]:
    return sorted(path for path in stick.rglob("*.html") if path != stick / "index.html")


def faults(browser: Browser, stick: Path, share: Share = list, **options: object) -> list[str]:
    """Open every page of a share, read it to its end; return what failed, and pages without text."""
    reader = Reader(browser, **options)
    for name in share([path.relative_to(stick).as_posix() for path in pages(stick)]):
        path = stick / name
        before = len(reader.faults)
        page = reader.open(path)
        for image in page.locator("main img").all():
            image.scroll_into_view_if_needed()
        page.locator("main img").evaluate_all(
            "images => Promise.all(images.map((one) => one.decode().catch(() => 0)))"
        )
        if options.get("java_script_enabled", True):  # a script may ask for more, later
            page.wait_for_load_state("networkidle")
        if len(page.locator("main").inner_text()) < 60:
            reader.faults.append("page vide")
        broken = page.locator("main img").evaluate_all(
            "images => images.filter(one => !one.naturalWidth).map(one => one.src)"
        )
        reader.faults += [f"image : {source}" for source in broken]
        reader.faults[before:] = [f"{name} : {fault}" for fault in reader.faults[before:]]
    reader.context.close()
    return reader.faults


@pytest.mark.parametrize("share", SHARES)
# Without script, `tests/accessibilite` reads every page of the site: the stick's are the same.
@pytest.mark.parametrize("script", [True, pytest.param(False, marks=pytest.mark.long)])
def test_every_page_opens_without_fault(
    browser: Browser, stick: Path, script: bool, share: Share
) -> None:
    assert len(pages(stick)) > 5
    assert faults(browser, stick, share, java_script_enabled=script) == []


def test_a_missing_file_or_a_call_elsewhere_is_seen(
    browser: Browser, stick: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(stick, tmp_path / "culture-d"))
    for path in pages(copy):
        if path.name not in {"accueil.html", "glossaire.html", "etat.html"}:
            path.unlink()
    (copy / "_static" / "cours.js").unlink()
    state, glossary = copy / "book" / "etat.html", copy / "book" / "glossaire.html"
    state.write_text('<main><img src="absente.png">x</main>', encoding="utf-8")
    glossary.write_text('<main><img src="https://example.org/a.png"></main>', encoding="utf-8")
    found = "\n".join(faults(browser, copy))
    assert re.search(r"book/accueil\.html : requête : file:.*cours\.js", found), found
    assert "book/etat.html : page vide" in found
    assert re.search(r"book/etat\.html : image : .*absente\.png", found)
    assert "book/glossaire.html : réseau : https://example.org/a.png" in found


def dead_links(stick: Path) -> list[str]:
    """Links and files named by the pages that lead nowhere in the folder."""

    @cache
    def ids(page: Path) -> set[str]:
        tree = BeautifulSoup(page.read_bytes(), "html.parser")
        return {str(tag["id"]) for tag in tree.find_all(id=True)}

    dead = []
    for path in stick.rglob("*.html"):
        tree = BeautifulSoup(path.read_bytes(), "html.parser")
        for tag in tree.find_all(["a", "link", "script", "img", "form"]):
            value = str(tag.get("href") or tag.get("src") or tag.get("action") or "")
            address, fragment = urldefrag(value)
            if urlsplit(value).scheme or not value:
                continue
            target = (path.parent / unquote(urlsplit(address).path)).resolve() if address else path
            name = f"{path.relative_to(stick).as_posix()} : {value}"
            if (
                not target.is_relative_to(stick.resolve())
                or not target.is_file()
                or (fragment and target.suffix == ".html" and unquote(fragment) not in ids(target))
            ):
                dead.append(name)
    return dead


def test_every_link_leads_somewhere(stick: Path) -> None:
    assert dead_links(stick) == []


def test_a_dead_link_is_seen(stick: Path, tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '<a href="b.html">B</a><a href="#c">C</a><a href="../d.html">D</a><a href="a.html">A</a>',
        encoding="utf-8",
    )
    assert dead_links(tmp_path) == ["a.html : b.html", "a.html : #c", "a.html : ../d.html"]


@pytest.mark.parametrize("script", [True, False])
def test_a_double_click_on_index_leads_to_the_first_page(
    browser: Browser, stick: Path, script: bool
) -> None:
    reader = Reader(browser, java_script_enabled=script)
    page = reader.open(stick / "index.html")
    page.wait_for_url("**/book/accueil.html")
    page.get_by_role("link", name="Commencer").click()
    page.wait_for_url(f"**/{LESSON}")
    assert reader.faults == []
    reader.context.close()


def test_search_finds_with_its_excerpts(reader: Reader, stick: Path) -> None:
    page = reader.open(stick / "book" / "a-propos.html")
    page.get_by_label("Rechercher dans le cours").fill("mediane")
    page.get_by_label("Rechercher dans le cours").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("résultats pour «\u00a0mediane\u00a0»")
    lesson = page.locator("#cd-resultats li", has_text="Essayez").first
    expect(lesson.locator("p mark").first).to_have_text(re.compile("médiane", re.IGNORECASE))
    lesson.get_by_role("link").click()
    page.wait_for_url(re.compile(r"file:.*/notebooks/.*\.html#essayez"))


def test_the_explorable_moves_and_loads_a_departement(reader: Reader, stick: Path) -> None:
    page = reader.open(stick / LESSON)
    page.locator(".cd-explorable input[type=range]").focus()
    for _ in range(3):
        page.keyboard.press("PageUp")
    status = page.locator(".cd-explorable [role=status]")
    expect(status).to_contain_text("la médiane reste à 900")
    page.get_by_label("Communes affichées").focus()
    page.get_by_label("Communes affichées").select_option("80")
    expect(status).to_contain_text("Somme (80)")
    page.reload()
    expect(status).to_contain_text("Somme (80)")


def test_choices_are_kept_and_the_page_prints(reader: Reader, stick: Path) -> None:
    page = reader.open(stick / LESSON)
    page.get_by_role("button", name="Thème").click()
    page.get_by_role("button", name="Thème").click()
    reader.open(stick / "book" / "accueil.html")
    assert page.evaluate("document.body.dataset.theme") == "dark"
    reader.open(stick / LESSON)
    page.emulate_media(media="print")
    assert page.locator("main table").first.is_visible()
    assert not page.locator(".cd-menu").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_the_lesson_reads_without_script(browser: Browser, stick: Path) -> None:
    reader = Reader(browser, java_script_enabled=False)
    page = reader.open(stick / LESSON)
    page.locator(".cd-intuition summary").last.click()
    assert page.locator(".cd-intuition details p").last.is_visible()
    assert page.locator(".cd-explorable table").first.is_visible()
    page.locator("#menu a", has_text="Repères").click()
    page.locator("main a", has_text="Glossaire").click()
    page.wait_for_url("**/book/glossaire.html")
    reader.context.close()
