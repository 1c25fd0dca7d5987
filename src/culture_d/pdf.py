"""Print a document with Chromium, and read back what the PDF says of itself.

Tags and bookmarks come from the document: a PDF is never put together from others.
Reading is Pillow's: Chromium writes PDF 1.4 with a plain table of objects.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from PIL.PdfParser import IndirectReference, PdfParser, decode_text

from culture_d import chromium
from culture_d.errors import CultureDError

# The first to draw what `@page` puts in the margins.
MINIMUM_CHROMIUM = 131
_POINTS_PER_MM = 72 / 25.4
_DATE = re.compile(rb"(/(?:CreationDate|ModDate) \(D:)\d{14}([^)]*\))")
_NODE = re.compile(rb"\(node\d{8}\)")
_ENTRY = re.compile(rb"(\(node\d{8}\)) (\d+) 0 R")
_TREE = re.compile(
    rb"/Limits \[\(node\d{8}\) \(node\d{8}\)\]\n/Names \[(?:\(node\d{8}\) \d+ 0 R ?)+\]"
)
# Once printed, a link to a file of this machine leads nowhere.
LINKS_TO_WORDS = """document.querySelectorAll("a[href]").forEach((one) => {
  if (/^file:/.test(one.href) && !one.getAttribute("href").startsWith("#")) one.removeAttribute("href");
})"""


class PrintError(CultureDError):
    """A document that could not be printed, or not as it must be."""


class Bookmark(NamedTuple):
    """A line of a PDF's outline.

    `depth` is 0 for the first level, `page` counts from 1, `top` is the distance from the
    top of the page in millimetres.
    """

    title: str
    depth: int
    page: int
    top: float


class Printer:
    """A Chromium that prints files of this machine, without network."""

    def __init__(self, browser: Any) -> None:
        self._browser = browser

    @property
    def browser(self) -> Any:
        """The Chromium itself, for what is not printed from one file."""
        return self._browser

    def print(self, path: Path, check: str = "[]", *, alone: bool = False) -> bytes:
        """Print an HTML file as a tagged PDF with bookmarks, on the pages its styles ask for.

        Args:
            path: the file.
            check: a JavaScript expression, evaluated as on paper: the faults it finds,
                as a list of French sentences.
            alone: whether the paper goes without the other pages: links to them become words.

        Raises:
            PrintError: a picture is missing, or `check` finds a fault.
        """
        with self._browser.new_context(
            offline=True, viewport={"width": 794, "height": 1123}
        ) as one:
            page = one.new_page()
            page.goto(path.as_uri(), wait_until="load")
            page.emulate_media(media="print")
            if alone:
                page.evaluate(LINKS_TO_WORDS)
            missing = page.evaluate(
                "[...document.images].filter((one) => !one.naturalWidth).map((one) => one.src)"
            )
            faults = [f"l'image « {name} » ne s'affiche pas" for name in missing]
            faults += page.evaluate(check)
            if faults:
                raise PrintError(f"Le PDF n'a pas été écrit : {' ; '.join(faults)}.")
            content: bytes = page.pdf(
                tagged=True, outline=True, prefer_css_page_size=True, print_background=True
            )
            return content


@contextmanager
def printer() -> Iterator[Printer]:
    """Open a Chromium to print with.

    Raises:
        PrintError: Playwright is not installed, or Chromium is too old; the message
            says what to do.
        ChromiumMissing: no Chromium (see `culture_d.chromium.ensure`).
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise PrintError(
            "Pour écrire un PDF, il faut Playwright, et il n'est pas dans cet environnement. "
            "Lancez « make pdf », qui l'installe ; ou bien, depuis le dossier du cours : "
            "« .venv/bin/pip install -e '.[tests]' », puis relancez."
        ) from None
    executable = chromium.ensure()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=executable, args=list(chromium.ARGUMENTS)
        )
        try:
            if int(browser.version.split(".")[0]) < MINIMUM_CHROMIUM:
                raise PrintError(
                    f"Chromium {browser.version} ne sait pas numéroter les pages : il faut la "
                    f"version {MINIMUM_CHROMIUM} ou une plus récente. Mettez-le à jour, puis relancez."
                )
            yield Printer(browser)
        finally:
            browser.close()


def reproducible(content: bytes, day: date) -> bytes:
    """Make the same bytes of the same pages: one date, and names of nodes counted from 1.

    Args:
        content: a PDF written by Chromium, whose nodes are numbered by the browser's whim.
        day: the day to write instead of the instant of the print.
    """
    order = sorted(set(_NODE.findall(content)))
    if tree := _TREE.search(content):
        # In the order of the page, and not of the browser's memory; so is then the tree's list.
        objects = {name: int(number) for name, number in _ENTRY.findall(tree[0])}
        order.sort(key=lambda name: objects.get(name, 0))
    names = {name: b"(node%08d)" % rank for rank, name in enumerate(order, start=1)}
    named = _NODE.sub(lambda found: names[found[0]], content)
    named = _TREE.sub(_sorted_tree, named)
    return _DATE.sub(lambda found: found[1] + f"{day:%Y%m%d}000000".encode() + found[2], named)


def _sorted_tree(found: re.Match[bytes]) -> bytes:
    """Give the list of named nodes with its limits, in the order of names that PDF asks for."""
    entries = sorted(_ENTRY.findall(found[0]))
    limits = b"[%s %s]" % (entries[0][0], entries[-1][0])
    names = b" ".join(b"%s %s 0 R" % entry for entry in entries)
    return b"/Limits %s\n/Names [%s]" % (limits, names)


class Printed:
    """What a PDF written by Chromium says of itself."""

    def __init__(self, content: bytes) -> None:
        self._parser = PdfParser(buf=content)
        self._root = self._parser.root
        self._numbers = {
            reference.object_id: number for number, reference in enumerate(self._parser.pages, 1)
        }

    @property
    def tagged(self) -> bool:
        """Whether it carries its structure: headings, lists, tables, alternative texts."""
        marks = self._read(self._root, "MarkInfo") or {}
        tree = self._read(self._root, "StructTreeRoot") or {}
        return bool(marks.get(b"Marked")) and bool(self._read(tree, "K"))

    @property
    def language(self) -> str:
        """Language of the document, as a BCP 47 tag."""
        return _text(self._read(self._root, "Lang"))

    @property
    def title(self) -> str:
        """Title of the document, or nothing."""
        return _text(self._read(self._parser.info, "Title"))

    def pages(self) -> int:
        """Count the pages."""
        return len(self._parser.pages)

    def sizes(self) -> list[tuple[float, float]]:
        """Return the width and height of each page, in millimetres."""
        boxes = [self._read(self._object(page), "MediaBox") for page in self._parser.pages]
        return [
            (float(x1 - x0) / _POINTS_PER_MM, float(y1 - y0) / _POINTS_PER_MM)
            for x0, y0, x1, y1 in boxes
        ]

    def bookmarks(self) -> list[Bookmark]:
        """List the bookmarks in reading order."""
        return list(self._outline(self._read(self._root, "Outlines"), 0, self.sizes()))

    def destinations(self) -> dict[str, int]:
        """Return the page of each identifier that a link of the document leads to."""
        named = self._read(self._root, "Dests") or {}
        return {
            bytes(name.name).decode(): self._numbers[place[0].object_id]
            for name, place in named.items()
        }

    def _outline(
        self, parent: Any, depth: int, sizes: list[tuple[float, float]]
    ) -> Iterator[Bookmark]:
        item = self._read(parent, "First") if parent else None
        while item:
            place, _, _, height, _ = self._read(item, "Dest")
            page = self._numbers[place.object_id]
            top = sizes[page - 1][1] - float(height) / _POINTS_PER_MM
            yield Bookmark(_text(self._read(item, "Title")), depth, page, top)
            yield from self._outline(item, depth + 1, sizes)
            item = self._read(item, "Next")

    def _read(self, holder: Any, key: str) -> Any:
        return self._object(holder.get(key.encode()))

    def _object(self, value: Any) -> Any:
        if isinstance(value, IndirectReference):
            return self._parser.read_indirect(value)
        return value


def _text(value: Any) -> str:
    return decode_text(bytes(value)) if value else ""
