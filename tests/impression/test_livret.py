"""The booklet and the set of cards that `culture-d livret` writes."""

import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup

from culture_d import chromium
from culture_d.booklet import (
    BOOKLET,
    CARDS,
    BookletError,
    Chapter,
    booklet_html,
    read_chapters,
    verify,
)
from culture_d.catalogue import load_catalogue
from culture_d.curriculum import load_curriculum, modules
from culture_d.french import date_longue, typeset
from culture_d.pdf import Printed, Printer, PrintError, printer
from culture_d.project import Project

Read = Callable[[bytes], Any]
Squeeze = Callable[[str], str]
EDITION = date(2026, 11, 21)
LESSON, LAST = "notebooks/comprendre/moyenne-mediane", "book/a-propos"


@pytest.fixture(scope="session")
def booklet(made: Path) -> bytes:
    return (made / BOOKLET).read_bytes()


@pytest.fixture(scope="session")
def texts(booklet: bytes, read: Read) -> list[str]:
    found: list[str] = read(booklet).texts()
    return found


@pytest.fixture
def chapters(project: Project, site: Path) -> list[Chapter]:
    return read_chapters(project, EDITION)


@pytest.fixture
def short(project: Project, site: Path, tmp_path: Path) -> Project:
    """The same site with three pages in its contents: what is refused needs no whole booklet."""
    root = tmp_path / "court"
    root.mkdir()
    for path in (project.book, project.datasets, project.notebooks, project.build):
        (root / path.name).symlink_to(path)
    contents = {
        "format": "jb-book",
        "root": "book/accueil",
        "parts": [{"caption": "Lire", "chapters": [{"file": one} for one in (LESSON, LAST)]}],
    }
    (root / "_toc.yml").write_text(yaml.safe_dump(contents), encoding="utf-8")
    return Project(root)


@pytest.fixture
def few(short: Project) -> list[Chapter]:
    found = read_chapters(short, EDITION)
    assert [one.document for one in found] == ["book/accueil", LESSON, LAST]
    return found


def titles(printed: Printed) -> list[str]:
    return [" ".join(one.title.split()) for one in printed.bookmarks()]


def plain(text: str) -> str:
    return " ".join(text.split())


def test_every_lesson_and_reference_page_is_there_in_order(
    project: Project, booklet: bytes, chapters: list[Chapter]
) -> None:
    contents = yaml.safe_load(project.toc.read_text(encoding="utf-8"))
    listed = [contents["root"]] + [
        one["file"] for part in contents["parts"] for one in part["chapters"]
    ]
    inside = [chapter.document for chapter in chapters]
    assert inside == [name for name in listed if name in inside]
    published = {one.document for one in modules(load_curriculum(project)) if one.published}
    assert published | {"book/glossaire", "book/catalogue", "book/a-propos"} <= set(inside)
    assert "book/etat" not in inside and "search" not in inside
    wanted = [plain(chapter.title) for chapter in chapters]
    assert [title for title in titles(Printed(booklet)) if title in wanted] == wanted


def test_it_is_tagged_french_and_titled(made: Path) -> None:
    for name in (BOOKLET, CARDS):
        printed = Printed((made / name).read_bytes())
        assert printed.tagged
        assert printed.language == "fr"
        assert printed.title.startswith("Culture D, ")
        for size in printed.sizes():
            assert size == pytest.approx((210, 297), abs=0.2)


def test_no_empty_page_and_every_page_numbered(texts: list[str]) -> None:
    for number, text in enumerate(texts, start=1):
        assert (f"{number}/{len(texts)}" in text) == (number > 1), number
        assert len(text) > 150, number


def test_the_numbers_of_the_contents_are_those_of_the_pages(
    booklet: bytes, chapters: list[Chapter], texts: list[str], squeeze: Squeeze
) -> None:
    """Each line of « Sommaire » names the page on which the chapter's bookmark falls."""
    printed = Printed(booklet)
    pages = {plain(one.title): one.page for one in printed.bookmarks()}
    first = pages[plain(chapters[0].title)]
    contents = "".join(texts[pages["Sommaire"] - 1 : first - 1])
    for chapter in chapters:
        page = pages[plain(chapter.title)]
        assert f"{squeeze(chapter.title)}{page}" in contents, chapter.title
        assert squeeze(chapter.title) in texts[page - 1]


def test_a_link_to_another_page_names_its_page(booklet: bytes, texts: list[str]) -> None:
    printed = Printed(booklet)
    catalogue = printed.destinations()["book-catalogue"]
    lesson = printed.destinations()["notebooks-comprendre-moyenne-mediane"]
    text = "".join(texts[lesson - 1 : catalogue])
    assert f"catalogue(page{catalogue})" in text
    assert "(page00)" not in "".join(texts)


def test_links_stay_inside_and_identifiers_are_unique(
    project: Project, chapters: list[Chapter]
) -> None:
    soup = BeautifulSoup(booklet_html(project, chapters, EDITION), "html.parser")
    names = [str(one["id"]) for one in soup.select("[id]")]
    assert len(names) == len(set(names)) > 40
    links = [str(one["href"]) for one in soup.select("a[href]")]
    assert {link.split(":")[0] for link in links if not link.startswith("#")} == {"https"}
    assert {link[1:] for link in links if link.startswith("#")} <= set(names)
    for attribute in ("for", "headers", "aria-labelledby", "aria-describedby", "aria-controls"):
        for one in soup.select(f"[{attribute}]"):
            assert set(str(one[attribute]).split()) <= set(names)


def test_the_unfolded_answers_and_the_addresses_are_there(
    texts: list[str], chapters: list[Chapter], squeeze: Squeeze
) -> None:
    text = "".join(texts)
    for words in ("Être sous la moyenne est donc la règle", "Grandvoie 9 100", "Sans les 3 plus"):
        assert squeeze(words) in text
    links = [str(one["href"]) for page in chapters for one in page.body.select("a[href^=http]")]
    assert links and [link for link in links if f"({link})" not in text] == []
    assert "importpandas" not in text and "Imprimerlafiche" not in text


def test_the_cover_dates_the_booklet_and_its_data(
    project: Project, short: Project, texts: list[str], squeeze: Squeeze
) -> None:
    limit = min(one.valid_until for one in load_catalogue(project))
    cover = texts[0]
    assert squeeze(f"Édition du {date_longue(date.today())}") in cover
    assert squeeze(date_longue(limit)) in cover
    later = limit + timedelta(days=1)
    for edition, expired in ((limit, False), (later, True)):
        html = booklet_html(project, read_chapters(short, edition), edition)
        text = plain(BeautifulSoup(html, "html.parser").get_text())
        assert ("des données de ce livret ont expiré" in text) == expired
        assert ("ces données ont expiré" in text) == expired


def test_cards_name_every_lesson(made: Path, project: Project) -> None:
    every = modules(load_curriculum(project))
    published = [typeset(one.title) for one in every if one.published]
    found = titles(Printed((made / CARDS).read_bytes()))
    assert [title for title in found if title in published] == published


def broken(paper: Printer, tmp_path: Path, html: str) -> bytes:
    file = tmp_path / "livret.html"
    file.write_text(html, encoding="utf-8")
    return paper.print(file)


def test_a_missing_lesson_is_refused(
    project: Project, few: list[Chapter], paper: Printer, tmp_path: Path
) -> None:
    wanted = [chapter.title for chapter in few]
    kept = [one for one in few if not one.document.startswith("notebooks/")]
    for chapter in kept:  # their links to the lesson become words
        assert chapter.body
    content = broken(paper, tmp_path, booklet_html(project, kept, EDITION))
    with pytest.raises(BookletError) as refusal:
        verify(content, wanted)
    lost = [one.title for one in few if one not in kept]
    assert lost and all(f"le signet « {title} » manque" in str(refusal.value) for title in lost)
    verify(content, [chapter.title for chapter in kept])


def test_an_untagged_print_is_refused(
    project: Project, few: list[Chapter], browser: Any, tmp_path: Path
) -> None:
    file = tmp_path / "livret.html"
    file.write_text(booklet_html(project, few, EDITION), encoding="utf-8")
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(file.as_uri())
        untagged = page.pdf(tagged=False, outline=False, prefer_css_page_size=True)
    assert not Printed(untagged).tagged
    with pytest.raises(BookletError, match="le PDF n'est pas balisé"):
        verify(untagged, [])


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('<html lang="fr">', '<html lang="en">', "sa langue est « en »"),
        ("<title>Culture D, le livret du cours</title>", "<title>Sans nom</title>", "son titre"),
    ],
)
def test_another_language_or_title_is_refused(
    project: Project,
    few: list[Chapter],
    paper: Printer,
    tmp_path: Path,
    before: str,
    after: str,
    expected: str,
) -> None:
    html = booklet_html(project, few, EDITION)
    assert before in html
    content = broken(paper, tmp_path, html.replace(before, after))
    with pytest.raises(BookletError, match=expected):
        verify(content, [chapter.title for chapter in few])


def test_a_missing_picture_is_refused(
    project: Project, few: list[Chapter], paper: Printer, tmp_path: Path
) -> None:
    html = booklet_html(project, few, EDITION)
    with pytest.raises(PrintError, match=r"l'image « .*absente\.svg » ne s'affiche pas"):
        broken(paper, tmp_path, re.sub(r"_images/\w+\.svg", "_images/absente.svg", html, count=1))


def test_a_page_that_is_not_built_is_named(course: Project) -> None:
    with pytest.raises(BookletError, match="« book/accueil »"):
        read_chapters(course, EDITION)


def test_a_link_to_nowhere_is_named(project: Project, chapters: list[Chapter]) -> None:
    lesson = next(one for one in chapters if one.document.endswith("/moyenne-mediane"))
    link = next(
        one for one in lesson.body.select("a[href]") if "catalogue.html" in str(one["href"])
    )
    link["href"] = "../../book/catalogue.html#jeu-absent"
    with pytest.raises(BookletError, match=r"moyenne-mediane », le lien .*#jeu-absent"):
        booklet_html(project, chapters, EDITION)


def test_a_page_says_that_it_stays_out(project: Project, site: Path) -> None:
    assert "livret: false" in (project.book / "etat.md").read_text(encoding="utf-8")
    out = '<meta name="cd-livret" content="non">'
    marked = {
        path.relative_to(site).with_suffix("").as_posix()
        for path in site.rglob("*.html")
        if out in path.read_text(encoding="utf-8")
    }
    assert {"book/etat", "book/formateurs/moyenne-mediane"} <= marked
    assert not marked & {"book/glossaire", "notebooks/comprendre/moyenne-mediane"}


def test_without_playwright_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    with pytest.raises(PrintError, match=r"il faut Playwright.*pip install -e"), printer():
        pass


def test_without_chromium_the_command_says_so_and_writes_nothing(
    project: Project, site: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CULTURE_D_CHROMIUM", str(tmp_path / "absent"))
    with pytest.raises(chromium.ChromiumMissing):
        chromium.ensure()
    folder = tmp_path / "sortie"
    command = [sys.executable, "-m", "culture_d.cli", "livret", "--dossier", str(folder)]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True)
    assert done.returncode == 1
    assert "Chromium" in done.stderr and "ne démarre pas" in done.stderr
    assert "Traceback" not in done.stderr
    assert not folder.exists()
