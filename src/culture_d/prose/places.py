"""Find, from words read on a page, the file and the line or the cell to correct."""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup

from culture_d import notebooks
from culture_d.project import Project
from culture_d.prose.blocks import OBJECT

# Files of `book/` that pages are not made of.
NOT_TEXTS = {"sigles.yml", "relecture.yml"}
_LONG = 60
_SHORT = 16
_NOT_WORDS = re.compile(rf"[^\w%{OBJECT}]+")


class Places:
    """The files that the pages are made of."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._shared = [
            *(path for path in sorted(project.book.glob("*.yml")) if path.name not in NOT_TEXTS),
            *sorted(project.datasets.glob("*/datapackage.json")),
        ]

    def of_page(self, page: str, words: str) -> str:
        """Say where words of a page come from, for a person.

        Args:
            page: its name without suffix (« book/accueil »).
            words: of the page; typography does not matter.
        """
        own = self._own(page)
        for length in (_LONG, _SHORT):
            wanted = _letters(words)[:length].strip()
            # A word or two may be anywhere: only the page's own file is then sure.
            files = [*own, *self._shared] if len(wanted) >= _SHORT else own
            for path in files if wanted else []:
                place = _place(path, wanted)
                if place:
                    return f"{path.relative_to(self._project.root).as_posix()}, {place}"
        name = own[0].relative_to(self._project.root).as_posix() if own else page
        return f"{name}, texte produit par le code"

    def _own(self, page: str) -> list[Path]:
        found = [self._project.root / f"{page}{suffix}" for suffix in (".md", ".ipynb")]
        return [path for path in found if path.is_file()]


def _place(path: Path, wanted: str) -> str:
    for name, text in _pieces(path):
        if wanted in text:
            return name
    return ""


@lru_cache(maxsize=256)
def _pieces(path: Path) -> tuple[tuple[str, str], ...]:
    """Name each line or cell of a file, with its letters."""
    if path.suffix == ".ipynb":
        return tuple(_cells(path))
    lines = path.read_text(encoding="utf-8").splitlines()
    # A paragraph may run over lines: each is read with those that follow it.
    return tuple(
        (f"ligne {number}", _letters(" ".join(lines[number - 1 : number + 3])))
        for number in range(len(lines), 0, -1)
        if lines[number - 1].strip()
    )


def _cells(path: Path) -> Iterator[tuple[str, str]]:
    for cell in notebooks.read(path).cells:
        name = f"cellule « {cell.id} »"
        if cell.cell_type == "markdown":
            yield name, _letters(cell.source)
        for output in cell.get("outputs", ()):
            yield f"{name}, résultat", _letters(_shown(output))


def _shown(output: Any) -> str:
    data = output.get("data", {})
    texts = [str(data.get(kind, "")) for kind in ("text/markdown", "text/plain")]
    texts.append(BeautifulSoup(str(data.get("text/html", "")), "html.parser").get_text(" "))
    texts.append(str(output.get("text", "")))
    return " ".join([*texts, json.dumps(output.get("metadata", {}), ensure_ascii=False)])


def _letters(text: str) -> str:
    """Keep of a text what typography, markup and escapes do not change."""
    unmarked = re.sub(r"\]\([^)]*\)|\\u[0-9a-f]{4}", " ", text)
    return _NOT_WORDS.sub(" ", unmarked.replace("□", " ").replace(OBJECT, " ")).strip()
