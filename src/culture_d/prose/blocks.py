"""Take out of a page the blocks of text that a reader sees, in reading order."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

from culture_d.book.audit import SPOKEN

# Stands for what is not prose (code, an address, words of another language): one word.
OBJECT = "\ufffc"

# What browsers and search engines show of a page; they undo no-break spaces.
HEAD = "tête"
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
_BLOCKS = {
    *HEADINGS,
    *("p", "div", "section", "article", "main", "aside", "header", "footer", "nav", "form"),
    *("ul", "ol", "li", "dl", "dt", "dd", "blockquote", "figure", "figcaption", "details"),
    *("summary", "fieldset", "legend", "label", "button", "option", "noscript", "hr", "small"),
    *("table", "caption", "thead", "tbody", "tfoot", "tr", "td", "th", "select"),
}
# Addresses, names of files and of packages, official references of European texts.
_ADDRESS = re.compile(
    r"(?:https?://|www\.)[^\s»)]+|[\w.+-]+@[\w-]+\.\w+|@[\w-]+/[\w-]+"
    r"|\b[\w-]+\.(?:csv|json|ya?ml|xlsx?|ods|pdf|zip|txt|md|py|ipynb|html)\b"
    r"|\((?:UE|CE|CEE)\)\s(?:n°\s?)?\d+/\d+|\b\d+/\d+/(?:UE|CEE|CE)\b|\bCOM\(\d{4}\)\s?\d+"
)
_SKIPPED = {"script", "style", "template", "svg", "textarea"}
_CODE = {"code", "kbd", "samp", "var"}
# Parts whose sentences must be shorter: the half-page to print, and cards.
_SHORT_IDS = {"a-retenir"}
_SHORT_CLASS = re.compile(r"^cd-cartes?$|^cd-carte-")
# The line that names sources and dates is not a sentence.
REFERENCE = "référence"
_REFERENCE_CLASS = re.compile(r"^cd-(?:source|fiche-pied|fiche-source|reference)")
_NOT_SHOWN_CLASS = "headerlink"
_OUTPUT = "cell_output"
# Marks that the glossary adds to the text are not more text.
_ADDED = {"les-mots-de-cette-page"}


@dataclass(frozen=True)
class Block:
    """A paragraph, a cell, a title… and where it stands.

    Attributes:
        text: with single spaces; no-break spaces kept; `OBJECT` for code.
        kind: name of the element (« p », « li », « td »), or « attribut », « tête ».
        heading: the title above it.
        short: whether its sentences must be short.
        column: for a cell, the titles of its column and of its row.
        place: the cell or the line of the file it comes from, when that is known.
    """

    text: str
    kind: str = "p"
    heading: str = ""
    short: bool = False
    column: str = ""
    place: str = ""

    @property
    def is_heading(self) -> bool:
        """Whether it is a title."""
        return self.kind in HEADINGS

    @property
    def announces(self) -> bool:
        """Whether it only announces the text that follows, or repeats it."""
        return self.is_heading or self.kind in {HEAD, "attribut", "dt", "caption", "summary"}


def page_blocks(html: str, chrome: bool = False) -> list[Block]:
    """List the blocks of a built page: its title, its description, its text.

    Args:
        html: the page.
        chrome: whether to read the banner and the foot too, which are on every page.
    """
    page = BeautifulSoup(html, "html.parser")
    found = list(_head(page))
    roots: list[Tag] = list(page.find_all("main"))
    if chrome:
        roots = [*page.select(".cd-bandeau"), *roots, *page.select(".cd-pied, .cd-recherche")]
    for root in roots:
        found += _Reader().read(root)
    return found


def fragment_blocks(html: str, place: str = "") -> list[Block]:
    """List the blocks of a piece of HTML that comes from a known place."""
    return _Reader(place).read(BeautifulSoup(html, "html.parser"))


def without_addresses(block: Block) -> Block:
    """Put `OBJECT` in the place of what a block quotes as it is written elsewhere."""
    return replace(block, text=_ADDRESS.sub(OBJECT, block.text))


def plain(text: str) -> str:
    """Write ordinary white space as single spaces, and keep the no-break ones."""
    return re.sub(r"[^\S\u00a0\u202f]+", " ", text).strip(" ")


def _head(page: BeautifulSoup) -> Iterator[Block]:
    if page.title and page.title.string:
        yield Block(plain(page.title.string), HEAD, "titre de la page")
    description = page.find("meta", attrs={"name": "description"})
    if description:
        yield Block(plain(str(description.get("content", ""))), HEAD, "description")


class _Reader:
    """Walks a tree and cuts it into blocks."""

    def __init__(self, place: str = "") -> None:
        self._blocks: list[Block] = []
        self._words: list[str] = []
        self._context = Block("", place=place)

    def read(self, root: Tag) -> list[Block]:
        self._walk(root)
        self._flush()
        return self._blocks

    def _walk(self, tag: Tag) -> None:
        for child in tag.children:
            if isinstance(child, Tag):
                self._element(child)
            elif isinstance(child, NavigableString) and not isinstance(child, PreformattedString):
                self._words.append(str(child))

    def _element(self, tag: Tag) -> None:
        classes = {str(one) for one in tag.get_attribute_list("class") if one}
        if tag.name in _SKIPPED or _NOT_SHOWN_CLASS in classes or tag.get("id") in _ADDED:
            return
        self._attributes(tag)
        if tag.name == "pre":
            self._lines(tag)
        elif tag.name == "br":
            self._words.append("\u2028")
        elif tag.name in _CODE or not str(tag.get("lang") or "fr").startswith("fr"):
            self._words.append(OBJECT)
        elif tag.name in _BLOCKS:
            self._block(tag, classes)
        else:
            if _starts_apart("".join(self._words[-1:]), tag):
                self._words.append("\u2028")
            self._walk(tag)

    def _block(self, tag: Tag, classes: set[str]) -> None:
        self._flush()
        before = self._context
        short = before.short or tag.get("id") in _SHORT_IDS
        short = short or any(_SHORT_CLASS.match(one) for one in classes)
        column = _column(tag) if tag.name in {"td", "th"} else before.column
        quoted = any(_REFERENCE_CLASS.match(one) for one in classes)
        kind = REFERENCE if quoted else tag.name
        self._context = replace(before, kind=kind, short=short, column=column)
        self._walk(tag)
        self._flush()
        heading = self._context.heading
        if tag.name in HEADINGS:
            heading = plain(tag.get_text()).rstrip("¶")
        self._context = replace(before, heading=heading)

    def _lines(self, tag: Tag) -> None:
        """Read what a cell printed; other preformatted text is code."""
        self._flush()
        if tag.find_parent(class_=_OUTPUT):
            for line in tag.get_text().splitlines():
                self._words.append(line)
                self._flush()

    def _attributes(self, tag: Tag) -> None:
        for name, value in tag.attrs.items():
            if name in SPOKEN and tag.name != "option":
                self._keep(plain(str(value)), replace(self._context, kind="attribut"))

    def _flush(self) -> None:
        text = "".join(self._words)
        self._words = []
        self._keep("\u2028".join(plain(line) for line in text.split("\u2028")), self._context)

    def _keep(self, text: str, context: Block) -> None:
        if text.strip("\u2028\u00a0\u202f " + OBJECT):
            self._blocks.append(replace(context, text=text))


def _starts_apart(before: str, tag: Tag) -> bool:
    """Whether an element joins a word without a space, with a capital: it is set apart."""
    return before[-1:].isalnum() and tag.get_text()[:1].isupper()


def _column(cell: Tag) -> str:
    """Titles of the column and of the row of a cell."""
    row, table = cell.find_parent("tr"), cell.find_parent("table")
    head = table.find("thead") if table else None
    if row is None or head is None:
        return ""
    place = row.find_all(["td", "th"]).index(cell)
    titles = [plain(one.get_text()) for one in head.find_all("th")]
    first = row.find("th")
    beside = plain(first.get_text()) if first and first is not cell else ""
    return f"{titles[place] if place < len(titles) else ''} {beside}".strip()
