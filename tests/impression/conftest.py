"""What a printed page holds, read from the PDF itself."""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL.PdfParser import IndirectReference, PdfParser
from playwright.sync_api import Browser, BrowserContext

from culture_d.booklet import BOOKLET, CARDS
from culture_d.pdf import Printer
from culture_d.project import Project

LESSON = "notebooks/comprendre/moyenne-mediane"
_HEX = re.compile(r"<([0-9A-Fa-f]+)>")
_SHOWN = re.compile(rb"/(\w+) [\d.]+ Tf|<([0-9A-Fa-f]+)> Tj|/(\w+) Do")


class Reader:
    """The words and pictures of each page of a PDF written by Chromium."""

    def __init__(self, content: bytes) -> None:
        self._parser = PdfParser(buf=content)
        self._letters: dict[int, dict[int, str]] = {}

    def texts(self) -> list[str]:
        """Text of each page without any space: where lines break means nothing."""
        return [squeezed(self._text(self._object(page))) for page in self._parser.pages]

    def pictures(self) -> list[int]:
        """Number of pictures drawn on each page: one cut in two is drawn twice."""
        counts = []
        for page in self._parser.pages:
            resources = self._object(self._object(page)[b"Resources"])
            objects = self._object(resources.get(b"XObject")) or {}
            names = {
                bytes(name.name)
                for name, one in objects.items()
                if self._stream(one).dictionary[b"Subtype"].name == b"Image"
            }
            drawn = [found[3] for found in _SHOWN.finditer(self._content(self._object(page)))]
            counts.append(sum(name in names for name in drawn if name))
        return counts

    def _text(self, page: Any) -> str:
        resources = self._object(page[b"Resources"])
        fonts = self._object(resources.get(b"Font")) or {}
        letters: dict[int, str] = {}
        words = []
        for font, shown, _ in _SHOWN.findall(self._content(page)):
            if font:
                letters = self._letters_of(fonts[font])
            elif shown:
                glyphs = bytes.fromhex(shown.decode())
                codes = [
                    int.from_bytes(glyphs[place : place + 2]) for place in range(0, len(glyphs), 2)
                ]
                words.append("".join(letters.get(code, "") for code in codes))
        return " ".join(words)

    def _letters_of(self, reference: Any) -> dict[int, str]:
        """Read the table that says which letters each glyph of a font stands for."""
        if reference.object_id not in self._letters:
            found: dict[int, str] = {}
            table = self._stream(self._object(reference)[b"ToUnicode"]).decode().decode("ascii")
            for line in table.splitlines():
                codes = _HEX.findall(line)
                if len(codes) == 2 and not line.startswith(("<0000> <FFFF>", "<00> <FF>")):
                    found[int(codes[0], 16)] = bytes.fromhex(codes[1]).decode("utf-16-be")
                elif len(codes) == 3:
                    first, last, start = (int(code, 16) for code in codes)
                    found |= {first + step: chr(start + step) for step in range(last - first + 1)}
            self._letters[reference.object_id] = found
        return self._letters[reference.object_id]

    def _content(self, page: Any) -> bytes:
        content: bytes = self._stream(page[b"Contents"]).decode()
        return content

    def _stream(self, value: Any) -> Any:
        return self._object(value)

    def _object(self, value: Any) -> Any:
        if isinstance(value, IndirectReference):
            return self._parser.read_indirect(value)
        return value


def squeezed(text: str) -> str:
    """Remove every space, soft hyphen and joiner."""
    return re.sub(r"[\s\u200b\u2060\u00ad]", "", text)


@pytest.fixture(scope="session")
def read() -> Callable[[bytes], Reader]:
    return Reader


@pytest.fixture(scope="session")
def squeeze() -> Callable[[str], str]:
    return squeezed


@pytest.fixture(scope="session")
def lesson() -> str:
    return LESSON


@pytest.fixture(scope="session")
def paper(browser: Browser) -> Printer:
    return Printer(browser)


@pytest.fixture(scope="session")
def made(project: Project, site: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder where the command itself wrote the booklet and the cards."""
    folder = tmp_path_factory.mktemp("impression") / "à imprimer"
    command = [sys.executable, "-m", "culture_d.cli", "livret", "--dossier", str(folder)]
    done = subprocess.run(command, cwd=project.root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert BOOKLET in done.stdout and CARDS in done.stdout
    return folder


@pytest.fixture
def tab(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context() as context:
        yield context
