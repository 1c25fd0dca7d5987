"""The search of the course: what every page says, section by section, in one script.

The index is the text itself. A browser reads a course of forty pages whole in a blink:
words are folded and stemmed in one place, `search.js`, and the excerpts need no other
file. Nothing is fetched, so that the search is the same on a server and a USB stick.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, cast

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.search.fr import SearchFrench

PAGE = "search"
SOURCE = Path(__file__).with_name("search.js")
ENGINE = "on_page/search.js"
INDEX = "_static/recherche.js"
# Of Sphinx's own search, which the course does without.
_LEFT_OVER = (
    *("documentation_options.js", "doctools.js", "language_data.js", "searchtools.js"),
    *("sphinx_highlight.js", "translations.js"),
)
_HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_INLINE = {
    *("a", "abbr", "b", "bdi", "cite", "code", "em", "i", "kbd", "label", "mark", "q", "small"),
    *("span", "strong", "sub", "sup", "time", "u", "var", "wbr"),
}
# Code, and what is no text of the page.
_LEFT_OUT = {
    *("button", "noscript", "option", "pre", "script", "style", "svg"),
    *("template", "textarea"),
}
# Not seen by those who search (it takes a script), or not yet: the answers of a quiz.
_HIDDEN = frozenset({"cd-code", "headerlink", "cd-quiz-corrige", "cd-sans-script"})
_GUESS = "cd-intuition"
_LETTER = re.compile(r"[^\W\d_]")
# What makes an address: without it the index names no other site.
_ADDRESS = re.compile(r"\b(?:https?|wss?|ftp|file):(?=\S)|[/\\]{2,}", re.IGNORECASE)
_BREAK = "\x1e"


class Section(NamedTuple):
    """A place that a result leads to: a section of a page, or a term of the glossary."""

    anchor: str
    title: str
    text: str


class PageText(NamedTuple):
    """What the search knows of a page. Its title is that of its first section."""

    address: str
    title: str
    sections: list[Section]


class _Open:
    """A section being read."""

    def __init__(self, anchor: str = "") -> None:
        self.anchor = anchor
        self.title = ""
        self.pieces: list[str] = []

    def closed(self) -> Section:
        return Section(self.anchor, self.title, _tidy("".join(self.pieces)))


def page_text(address: str, page: str) -> PageText | None:
    """Read the sections of a built page; None if it is not one to be found."""
    tree = BeautifulSoup(page, "html.parser")
    main = tree.find("main")
    robots = tree.find("meta", attrs={"name": "robots"})
    if main is None or (robots and "noindex" in str(robots.get("content"))):
        return None
    opened = [_Open()]
    _read(main, opened[0], opened)
    sections = [one for one in map(_Open.closed, opened) if one.title or one.text]
    if sections:  # the first one is the page: its address is enough
        sections[0] = sections[0]._replace(anchor="")
    title = next((section.title for section in sections if section.title), address)
    return PageText(address, title, sections)


def index_script(pages: Iterable[PageText]) -> str:
    """Write the script that hands over the texts, and the words too common to look for."""
    content = {
        "pages": [[page.address, page.title, page.sections] for page in pages],
        "vides": sorted(SearchFrench.stopwords),
    }
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return f"cultureD.recherche({written});\n"


def _read(tag: Tag, into: _Open, opened: list[_Open]) -> None:
    """Add what a tag holds to a section, and open those that it holds."""
    for child in tag.children:
        if isinstance(child, NavigableString):
            if not isinstance(child, PreformattedString):
                into.pieces.append(str(child))
        elif isinstance(child, Tag) and not _is_left_out(child):
            if child.name == "section" and child.get("id"):
                opened.append(_Open(str(child["id"])))
                _read(child, opened[-1], opened)
            elif child.name in _HEADINGS and not into.title:
                heading = _Open()
                _read(child, heading, opened)
                into.title = heading.closed().text
            elif child.name == "dl" and "glossary" in child.get_attribute_list("class"):
                _read_glossary(child, into, opened)
            elif child.name in _INLINE:
                if _is_set_apart(child):
                    into.pieces.append(" ")
                _read(child, into, opened)
            else:
                into.pieces.append(_BREAK)
                _read(child, into, opened)
                into.pieces.append(_BREAK)


def _read_glossary(terms: Tag, into: _Open, opened: list[_Open]) -> None:
    """Open a section for each term: a search for it leads to its definition."""
    for child in terms.find_all(["dt", "dd"], recursive=False):
        if child.name == "dt":
            term = _Open()
            _read(child, term, opened)
            into = _Open(str(child.get("id", "")))
            into.title = term.closed().text
            opened.append(into)
        else:
            _read(child, into, opened)


def _is_set_apart(tag: Tag) -> bool:
    """Whether only the style sheet parts it from what precedes: `<a>…</a><span>…</span>`."""
    before = tag.previous_sibling
    return tag.name == "span" and isinstance(before, Tag) and tag.find_parent("code") is None


def _is_left_out(tag: Tag) -> bool:
    classes = tag.get_attribute_list("class")
    if tag.name in _LEFT_OUT or tag.has_attr("hidden") or not _HIDDEN.isdisjoint(classes):
        return True
    parent = tag.parent
    if tag.name == "details" and parent and _GUESS in parent.get_attribute_list("class"):
        return True
    return tag.name in {"td", "th"} and not _LETTER.search(tag.get_text())


def _tidy(text: str) -> str:
    """Put a text on one line, with a point between blocks that end without one."""
    lines = (" ".join(re.split(r"[ \t\r\n]+", one)).strip(" ") for one in text.split(_BREAK))
    pieces = [_ADDRESS.sub("", line) for line in lines if line]
    marked = [one + " ·" if re.search(r"\w$", one) else one for one in pieces[:-1]]
    return " ".join([*marked, *pieces[-1:]])


def _leave_out_sphinx_search(app: Sphinx) -> None:
    cast(StandaloneHTMLBuilder, app.builder).search = False


def _write_engine(app: Sphinx) -> None:
    """Join the stemmer that Sphinx ships and our script: one file for the search page."""
    stemmer = files("sphinx.search") / "minified-js"
    parts = [stemmer / "base-stemmer.js", stemmer / SearchFrench.js_stemmer_rawcode, SOURCE]
    target = Path(app.doctreedir) / "culture_d" / ENGINE
    target.parent.mkdir(parents=True, exist_ok=True)
    text = "\n".join(part.read_text(encoding="utf-8") for part in parts)
    target.write_text(text, encoding="utf-8", newline="\n")


def _search_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    yield PAGE, {"meta": {"scripts": ["search"]}}, "search.html"


def _write_index(app: Sphinx, error: Exception | None) -> None:
    """Once the pages are there: write what they say, named by its content."""
    if error or app.builder.name != "html":
        return
    site = Path(app.outdir)
    read = (
        page_text(path.relative_to(site).as_posix(), path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.html"))
    )
    text = index_script(page for page in read if page)
    (site / INDEX).write_text(text, encoding="utf-8", newline="\n")
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    page = site / f"{PAGE}.html"
    named = page.read_text(encoding="utf-8").replace(f'{INDEX}"', f'{INDEX}?v={digest}"')
    page.write_text(named, encoding="utf-8", newline="\n")
    for name in _LEFT_OVER:
        (site / "_static" / name).unlink(missing_ok=True)


def setup(app: Sphinx) -> None:
    """Take the place of Sphinx's own search."""
    app.connect("config-inited", lambda app, config: _write_engine(app))
    app.connect("builder-inited", _leave_out_sphinx_search)
    app.connect("html-collect-pages", _search_page)
    app.connect("build-finished", _write_index)
