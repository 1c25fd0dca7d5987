"""The booklet of the whole course and the set of cards, as PDF to print and hand out.

One document is put together from the built pages, then printed by Chromium: its tags,
bookmarks and links come from its own headings. It is printed twice at least: the first
time says on which page each lesson falls, the next ones write that down.
"""

import posixpath
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urldefrag, urlsplit

from bs4 import BeautifulSoup, Tag

from culture_d.catalogue import load_catalogue
from culture_d.errors import CultureDError
from culture_d.french import date_longue, typeset
from culture_d.pdf import Printed, Printer, PrintError, printer
from culture_d.project import Project
from culture_d.yaml_file import parse_yaml

BOOKLET = "culture-d-livret.pdf"
CARDS = "culture-d-fiches.pdf"
TITLE = "Culture D"
STYLE = Path(__file__).with_suffix(".css")
SITE_STYLE = "_static/culture-d.css"
CARD = "section.cd-carte"
_SCREEN_ONLY = ".headerlink, script, noscript, template, button, .cd-code"
_CARD_ONLY = ".cd-fiche-tete, .cd-fiche-pied"
_POINTS_TO_IDS = ("for", "headers", "aria-labelledby", "aria-describedby", "aria-controls")
_MAX_PRINTS = 5
_UNKNOWN = "00"
# Each card must hold in its half page, whatever the fonts of the machine.
_OVERFLOWING = """[...document.querySelectorAll(".cd-carte")].flatMap((card) => {
  const foot = card.querySelector(".cd-fiche-pied").getBoundingClientRect();
  const texts = [...card.querySelectorAll("li, p, h1, h2")].filter((one) => !one.closest(".cd-fiche-pied"));
  const low = Math.max(...texts.map((one) => one.getBoundingClientRect().bottom));
  const title = card.querySelector(".cd-fiche-titre").textContent;
  return low > foot.top || foot.bottom > card.getBoundingClientRect().bottom
    ? [`la fiche « ${title} » dépasse sa demi-page, raccourcissez « À retenir »`] : [];
})"""

Say = Callable[[str], None]


class BookletError(CultureDError):
    """A booklet that cannot be made from the built site."""


class Chapter(NamedTuple):
    """A page of the site as a chapter: its document's name, part (or nothing) and text."""

    document: str
    part: str
    title: str
    description: str
    body: Tag

    @property
    def anchor(self) -> str:
        """Identifier of the chapter in the booklet, and prefix of its own identifiers."""
        return self.document.replace("/", "-")


def make(project: Project, folder: Path, edition: date, say: Say) -> list[Path]:
    """Write the booklet and the cards of the built site.

    Args:
        project: the course; its site must be built.
        folder: where to write; made if it is missing.
        edition: the day printed on the cover, and on which data are called expired.
        say: called with the French name of each step.

    Returns:
        The two files. Nothing is written if either cannot be made.

    Raises:
        BookletError: the site is not whole, or the PDF is not what it must be.
        PrintError, ChromiumMissing: the pages could not be printed.
    """
    say("Assemblage des pages")
    chapters = read_chapters(project, edition)
    with (
        printer() as chromium,
        tempfile.TemporaryDirectory(prefix="livret-", dir=project.build) as work,
    ):
        file = Path(work) / "livret.html"
        booklet = _print_booklet(project, chapters, edition, chromium, file, say)
        say("Fiches")
        cards = print_cards(project, chapters, chromium, file)
    say("Contrôle des PDF")
    verify(booklet, [chapter.title for chapter in chapters])
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / BOOKLET, folder / CARDS]
    for path, content in zip(paths, (booklet, cards), strict=True):
        path.write_bytes(content)
    return paths


def read_chapters(project: Project, edition: date) -> list[Chapter]:
    """Read the pages that go in the booklet, in the order of `_toc.yml`.

    A page stays out when the head of its file says `livret: false`.

    Raises:
        BookletError: a page of the contents is not in the built site.
    """
    contents = parse_yaml(project.toc.read_text(encoding="utf-8"))
    listed = [("", contents["root"])] + [
        (part["caption"], chapter["file"])
        for part in contents["parts"]
        for chapter in part["chapters"]
    ]
    chapters = []
    for part, document in listed:
        path = project.site / f"{document}.html"
        if not path.is_file():
            raise BookletError(
                f"La page « {document} » de « _toc.yml » n'est pas dans « {project.site} ». "
                "Reconstruisez le site (« culture-d construire »), puis relancez."
            )
        page = BeautifulSoup(path.read_bytes(), "html.parser")
        if page.select_one('meta[name="cd-livret"][content="non"]'):
            continue
        body, heading = page.select_one("main"), page.select_one("main h1")
        if not body or not heading:
            raise BookletError(
                f"La page « {path} » n'a pas de texte ou pas de titre de premier niveau. "
                "Donnez-lui un titre « # … », reconstruisez le site, puis relancez."
            )
        for link in heading.select(".headerlink"):
            link.decompose()
        description = page.select_one('meta[name="description"]')
        _warn_of_expired(page, body, edition)
        chapters.append(
            Chapter(
                document,
                part,
                heading.get_text().strip(),
                str(description["content"]) if description else "",
                body,
            )
        )
    return chapters


def booklet_html(
    project: Project,
    chapters: Sequence[Chapter],
    edition: date,
    numbers: Mapping[str, int] | None = None,
) -> str:
    """Put the booklet together as one HTML document.

    Args:
        project: the course.
        chapters: see `read_chapters`; they are not changed.
        edition: the day of the cover.
        numbers: page of each identifier, once known.

    Raises:
        BookletError: a link leads to a place that no chapter has.
    """
    known = {chapter.document: chapter for chapter in chapters}
    parts, previous = [_cover(project, chapters, edition), _contents(chapters)], ""
    for chapter in chapters:
        opening = (
            f'<h1 class="cd-partie">{escape(chapter.part)}</h1>'
            if chapter.part and chapter.part != previous
            else ""
        )
        previous = chapter.part
        body = _as_chapter(chapter, known, project.site)
        parts.append(
            f'<article class="cd-chapitre" id="{chapter.anchor}">{opening}{body}</article>'
        )
    page = _document(
        project.site,
        f"{TITLE}, le livret du cours",
        "cd-livret",
        "".join(parts),
        _margins(chapters),
    )
    return _with_numbers(page, numbers or {})


def cards_html(project: Project, chapters: Sequence[Chapter]) -> str:
    """Put the cards of every lesson together, two a sheet.

    Raises:
        BookletError: no lesson has a card.
    """
    cards = [_as_card(card) for card in _cards(chapters)]
    if not cards:
        raise BookletError(
            f"Aucune page de « {project.site} » n'a de partie « À retenir » à mettre en fiche. "
            "Publiez une leçon (« culture-d nouveau-module »), puis relancez."
        )
    sheets = [
        f'<div class="cd-feuille">{"".join(cards[place : place + 2])}</div>'
        for place in range(0, len(cards), 2)
    ]
    title = f"{TITLE}, les fiches du cours"
    return _document(project.site, title, "cd-fiche cd-fiches", "".join(sheets), "")


def print_cards(
    project: Project, chapters: Sequence[Chapter], chromium: Printer, file: Path
) -> bytes:
    """Print the cards of every lesson, by way of an HTML file.

    Raises:
        BookletError, PrintError: no card, or one that is not what it must be.
    """
    file.write_text(cards_html(project, chapters), encoding="utf-8")
    content = chromium.print(file, _OVERFLOWING)
    verify(content, [_card_title(card) for card in _cards(chapters)])
    return content


def verify(content: bytes, titles: Sequence[str]) -> None:
    """Check that a PDF is tagged, in French, titled, and that its bookmarks name every lesson.

    Raises:
        BookletError: says what is missing.
    """
    printed = Printed(content)
    named = [_plain(bookmark.title) for bookmark in printed.bookmarks()]
    faults = [f"le signet « {title} » manque" for title in titles if _plain(title) not in named]
    if not printed.tagged:
        faults.append("le PDF n'est pas balisé")
    if printed.language != "fr":
        faults.append(f"sa langue est « {printed.language} », au lieu de « fr »")
    if not printed.title.startswith(TITLE):
        faults.append(f"son titre est « {printed.title} »")
    if faults:
        raise BookletError(
            f"Le PDF n'a pas été écrit : {' ; '.join(faults)}. Reconstruisez le site, mettez "
            "Chromium à jour, puis relancez."
        )


def _print_booklet(
    project: Project,
    chapters: Sequence[Chapter],
    edition: date,
    chromium: Printer,
    file: Path,
    say: Say,
) -> bytes:
    """Print until the page numbers written in the document are those of its pages."""
    numbers: dict[str, int] = {}
    for turn in range(1, _MAX_PRINTS + 1):
        say(f"Livret, impression {turn}")
        file.write_text(booklet_html(project, chapters, edition, numbers), encoding="utf-8")
        content = chromium.print(file)
        found = Printed(content).destinations()
        if found == numbers:
            return content
        numbers = found
    raise PrintError(
        "Le PDF n'a pas été écrit : les numéros de page changent à chaque impression "
        f"({_MAX_PRINTS} essais). Mettez Chromium à jour, puis relancez."
    )


def _cover(project: Project, chapters: Sequence[Chapter], edition: date) -> str:
    limit = min(dataset.valid_until for dataset in load_catalogue(project))
    if edition > limit:
        validity = (
            f"Attention : des données de ce livret ont expiré le {date_longue(limit)}. "
            "Cherchez une édition plus récente."
        )
    else:
        validity = (
            f"Toutes ses données sont en vigueur jusqu'au {date_longue(limit)}. "
            "Après cette date, cherchez une édition plus récente."
        )
    return (
        '<header class="cd-couverture">'
        f"<h1>{TITLE}</h1><p><strong>Le livret du cours</strong></p><p>{escape(typeset(chapters[0].description))}</p>"
        f'<div class="cd-edition"><p><strong>Édition du {date_longue(edition)}</strong></p>'
        f"<p>{typeset(validity)}</p>"
        '<p>Textes et figures : licence <span lang="en">Creative Commons</span> BY 4.0. '
        "Vous pouvez copier et adapter ce livret.</p></div></header>"
    )


def _contents(chapters: Sequence[Chapter]) -> str:
    lines, previous = [], ""
    for chapter in chapters:
        if chapter.part != previous:
            lines.append(f'<li class="cd-partie">{escape(chapter.part)}</li>')
            previous = chapter.part
        lines.append(
            f'<li><a href="#{chapter.anchor}"><span>{escape(chapter.title)}</span>'
            f'<span class="cd-page" data-page="{chapter.anchor}">{_UNKNOWN}</span></a></li>'
        )
    return f'<nav class="cd-table"><h1>Sommaire</h1><ul>{"".join(lines)}</ul></nav>'


def _as_card(card: Tag) -> str:
    """Make a card fit to stand among others: its title is a heading, its links are words."""
    soup = BeautifulSoup(str(card), "html.parser")
    for useless in soup.select(_SCREEN_ONLY):
        useless.decompose()
    for named in soup.select("[id]"):
        del named["id"]
    for link in soup.select("a[href]"):
        if not urlsplit(str(link["href"])).scheme:
            link.unwrap()
    for title in soup.select(".cd-fiche-titre"):
        title.name = "h1"
    return str(soup)


def _as_chapter(chapter: Chapter, known: Mapping[str, Chapter], site: Path) -> str:
    """Make a page's text fit to stand among others on paper."""
    soup = BeautifulSoup(str(chapter.body), "html.parser")
    for useless in soup.select(f"{_SCREEN_ONLY}, {_CARD_ONLY}"):
        useless.decompose()
    for cell in soup.select(".cell"):
        if not cell.get_text(strip=True) and not cell.find("img"):
            cell.decompose()
    for details in soup.select("details"):
        details["open"] = ""
        del details["name"]
    for scrolled in soup.select(".cd-tableau"):
        for attribute in ("role", "tabindex", "aria-label"):
            del scrolled[attribute]
    folder = posixpath.dirname(chapter.document)
    for image in soup.select("img[src]"):
        path = unquote(urlsplit(str(image["src"])).path)
        image["src"] = (site / posixpath.normpath(posixpath.join(folder, path))).as_uri()
        del image["loading"]
    _rename_ids(soup, chapter.anchor)
    for link in soup.select("a[href]"):
        _lead_inside(soup, link, chapter, known)
    if chapter.part:
        for heading in soup.find_all(["h1", "h2", "h3", "h4", "h5"]):
            heading.name = f"h{int(heading.name[1]) + 1}"
    main = soup.select_one("main")
    return main.decode_contents() if main else ""


def _rename_ids(soup: BeautifulSoup, anchor: str) -> None:
    for one in soup.select("[id]"):
        one["id"] = _renamed(anchor, str(one["id"]))
    for attribute in _POINTS_TO_IDS:
        for one in soup.select(f"[{attribute}]"):
            names = str(one[attribute]).split()
            one[attribute] = " ".join(_renamed(anchor, name) for name in names)


def _renamed(anchor: str, name: str) -> str:
    return f"{anchor}--{name}"


def _lead_inside(
    soup: BeautifulSoup, link: Tag, chapter: Chapter, known: Mapping[str, Chapter]
) -> None:
    """Turn a link between pages into one inside the booklet, followed by a page number.

    What leads out of the booklet without being on the web stays as words.
    """
    address = str(link["href"])
    if urlsplit(address).scheme:
        return
    path, fragment = urldefrag(address)
    folder = posixpath.dirname(chapter.document)
    document = posixpath.normpath(posixpath.join(folder, unquote(path))).removesuffix(".html")
    target = known.get(document) if path else chapter
    if target is None:
        link.unwrap()
        return
    name = target.anchor
    if fragment:
        if not target.body.find(id=unquote(fragment)):
            raise BookletError(
                f"Dans « {chapter.document} », le lien « {address} » ne mène nulle part. "
                "Corrigez-le, reconstruisez le site, puis relancez."
            )
        name = _renamed(target.anchor, unquote(fragment))
    link["href"] = f"#{name}"
    if target is not chapter:
        number = soup.new_tag("span", attrs={"class": "cd-renvoi", "data-page": name})
        number.string = _UNKNOWN
        link.insert_after(number)


def _with_numbers(page: str, numbers: Mapping[str, int]) -> str:
    """Write the page of each place that is referred to, where it is known."""
    soup = BeautifulSoup(page, "html.parser")
    for span in soup.select("[data-page]"):
        number = str(numbers.get(str(span["data-page"]), _UNKNOWN))
        span.string = f"\u00a0(page\u00a0{number})" if "cd-renvoi" in span["class"] else number
    return str(soup)


def _margins(chapters: Iterable[Chapter]) -> str:
    """Name each chapter in the margin of its pages."""
    from culture_d.book.printing import css_string

    return "".join(
        f"@page c{place} {{ @top-right {{ content: {css_string(chapter.title)} }} }}\n"
        f"#{chapter.anchor} {{ page: c{place} }}\n"
        for place, chapter in enumerate(chapters)
    )


def _document(site: Path, title: str, classes: str, body: str, style: str) -> str:
    return (
        '<!doctype html>\n<html lang="fr"><head><meta charset="utf-8">'
        f"<title>{escape(title)}</title>"
        f'<link rel="stylesheet" href="{(site / SITE_STYLE).as_uri()}">'
        f"<style>{STYLE.read_text(encoding='utf-8')}{style}</style></head>"
        f'<body class="{classes}" data-theme="light"><main>{body}</main></body></html>'
    )


def _warn_of_expired(page: BeautifulSoup, body: Tag, edition: date) -> None:
    """Warn under each source whose date has passed since the site was built."""
    for source in body.select("[data-valable-jusquau]"):
        limit = date.fromisoformat(str(source["data-valable-jusquau"]))
        if edition > limit and not source.select_one(".cd-perime"):
            warning = page.new_tag("strong", attrs={"class": "cd-perime"})
            warning.string = typeset(
                f"Attention : ces données ont expiré le {date_longue(limit)}. "
                "Cherchez un chiffre plus récent."
            )
            source.append(warning)


def _cards(chapters: Iterable[Chapter]) -> list[Tag]:
    return [card for chapter in chapters for card in chapter.body.select(CARD)]


def _card_title(card: Tag) -> str:
    title = card.select_one(".cd-fiche-titre")
    return title.get_text() if title else ""


def _plain(text: str) -> str:
    return " ".join(text.split())
