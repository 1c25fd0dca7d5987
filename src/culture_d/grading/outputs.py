"""What a learner's cells displayed, as text, clean tables and checked images.

Whatever comes from a submission passes here on its way to a page: no script, address or style
is left (see `inert`), no line of a hidden test, no path of the machine, no colour code; and a
page stays light, however much was displayed.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any

from bs4 import BeautifulSoup
from nbconvert.filters.ansi import strip_ansi
from nbformat.v4 import new_output

from culture_d.french import typeset
from culture_d.grading.inert import PICTURES, inert_html, picture
from culture_d.grading.questions import Outline

CUT = "… (la suite n’est pas reproduite ici)"
NOT_SHOWN = (
    "[Cette sortie n'est pas reproduite : seuls le texte, les tableaux et les images le sont.]"
)
WITHHELD = "[ligne retirée de cette page]"
MAX_TEXT = 3_000
MAX_TABLE = 12_000
MAX_SHOWN = 16_000
"""Bytes of all that the cells of a page displayed, as they are written in it."""
MAX_WRITTEN = 14_000
"""Bytes of the answers and of what the check said: displaying much does not push them out."""
MAX_SAID = 30
MAX_OUTPUTS = 25
MAX_PICTURES = 3 * 1024 * 1024
"""Characters of all the pictures of a page, as they are written in it."""
_MAX_RAW = 20_000
_MAX_MARKUP = 60_000
_FRAGMENT = 24

# An absolute path: at least one folder, and what it holds. Not « et/ou », « 1/2 », an address.
_PATH = re.compile(
    r"(?<![\w.:/<])/(?:[\w.@~+%-]+/)+(?P<name>[\w.@~+%-]*)|\b[A-Za-z]:\\(?:[^\\\s:\"'<>|]+\\)*(?P<windows>[^\\\s:\"'<>|]*)"
)
_ARROW = re.compile(r"^-+> *(\d+) (.*)$", re.MULTILINE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_RESULT = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")
# What Python says of a thing to display, when it has no text.
_OBJECT = re.compile(r"<IPython\.core\.display\.\w+ object>|<Figure size .*>")
_CAUSES = {
    "NameError": "Un nom employé ici n'existe pas. Vérifiez son orthographe, et l'ordre des cellules.",
    "SyntaxError": "Python ne peut pas lire cette ligne. Cherchez un guillemet, une parenthèse ou une virgule oubliés.",
    "IndentationError": "Les espaces en début de ligne ne sont pas ceux que Python attend.",
    "ZeroDivisionError": "Une division par zéro ne se calcule pas.",
    "KeyError": "Cette colonne, ou cette clé, n'existe pas. Vérifiez son nom.",
    "IndexError": "Cette position est au-delà de la fin de la liste.",
    "TypeError": "Cette opération ne va pas avec ce genre de valeur.",
    "ValueError": "Cette valeur n'est pas de celles que l'opération accepte.",
    "AttributeError": "Cet objet n'a rien de ce nom. Vérifiez ce qui suit le point.",
    "ModuleNotFoundError": "Ce module n'est pas installé là où les exercices sont corrigés.",
    "ImportError": "Ce module ne peut pas être chargé là où les exercices sont corrigés.",
    "FileNotFoundError": "Ce fichier n'existe pas là où les exercices sont corrigés.",
    "PermissionError": "La correction n'a pas le droit d'ouvrir ce fichier.",
    "MemoryError": "Ce calcul demande trop de mémoire.",
    "RecursionError": "Une fonction s'appelle elle-même sans fin.",
    "KeyboardInterrupt": "Le calcul durait trop longtemps : il a été arrêté.",
    "TimeoutError": "Le calcul durait trop longtemps : il a été arrêté.",
    "SystemExit": "Votre code arrête Python : ce qui suit n'a pas pu être exécuté.",
    "DeadKernelError": "Python s'est arrêté : ce qui suit n'a pas pu être exécuté.",
}


@dataclass(frozen=True)
class Shown:
    """One thing that a cell displayed. `kind` is text, table, picture, warning or error."""

    kind: str
    text: str
    """The text; the clean HTML of a table; the media type and base64 of a picture."""
    advice: str = ""
    """For an error: what it means, in French."""


class Reader:
    """Reads the outputs of one page, and keeps count of how long the page becomes."""

    def __init__(self, outline: Outline) -> None:
        self._outline = outline
        self._left, self._left_for_words = MAX_SHOWN, MAX_WRITTEN
        self._left_for_pictures = MAX_PICTURES
        hidden = sorted(map(_bare, outline.hidden), key=len, reverse=True)
        self._hidden = "\n".join(hidden)
        self._secret = re.compile("|".join(map(re.escape, hidden))) if hidden else None

    def source(self, text: str) -> str:
        """Give a cell as its author wrote it, cut if it is very long."""
        kept = _CONTROL.sub("", text[:_MAX_RAW]).strip("\n")
        return self._word(kept, len(text) > _MAX_RAW)

    def said(self, text: str) -> str:
        """Give a sentence of the check, without what must not be shown."""
        return self._word(typeset(self._withheld(_clean(text[:_MAX_RAW]), fragments=False)))

    def text(self, text: str) -> str:
        """Give a printed text, without what must not be shown."""
        kept = self._withheld(_clean(text[:_MAX_RAW]), fragments=True).strip("\n")
        kept, self._left = _cut(kept, self._left, len(text) > _MAX_RAW)
        return kept

    def outputs(self, cell: Any, test: bool = False) -> Iterator[Shown]:
        """Give what a cell displayed. Of a test cell, not what it printed: see `said_by`."""
        displayed = cell.get("outputs", [])
        if len(displayed) > MAX_OUTPUTS:
            displayed = [*displayed[:MAX_OUTPUTS], _stream(CUT)]
        for output in displayed:
            if self._left <= 0:
                yield Shown("text", CUT)
                return
            if output.output_type == "stream":
                if output.name == "stderr" or not test:
                    kind = "warning" if output.name == "stderr" else "text"
                    yield from self._texts(kind, output.text)
            elif output.output_type == "error":
                yield self._error(output, test)
            else:
                yield from self._data(output, test)

    def _data(self, output: Any, test: bool) -> Iterator[Shown]:
        data = output.data
        for kind in PICTURES:
            if kind in data and picture(data[kind], kind) is not None:
                self._left_for_pictures -= len(data[kind])
                if self._left_for_pictures < 0:
                    yield Shown("text", NOT_SHOWN)
                else:
                    yield Shown("picture", f"{kind};base64,{''.join(data[kind].split())}")
                return
        table = self._table(data.get("text/html", ""))
        if table:
            yield Shown("table", table)
            return
        plain = data.get("text/plain", "")
        if _OBJECT.fullmatch(plain.strip()):
            plain = _words_of(data) or NOT_SHOWN
        # The value of a test cell is its points.
        if not (test and output.output_type == "execute_result" and _RESULT.fullmatch(plain)):
            yield from self._texts("text", plain)

    def _texts(self, kind: str, text: str) -> Iterator[Shown]:
        if text.strip():
            yield Shown(kind, self.text(text))

    def _table(self, markup: str) -> str:
        """Clean a table, or give nothing: its text is then shown instead."""
        if "<table" not in markup or len(markup) > _MAX_MARKUP:
            return ""
        cleaned = inert_html(markup)
        if not cleaned or len(cleaned) > min(MAX_TABLE, self._left):
            return ""
        soup = BeautifulSoup(cleaned, "html.parser")
        for text in list(soup.find_all(string=True)):
            text.replace_with(_clean(str(text)))
        words = soup.get_text(" ")
        if self._withheld(words, fragments=True) != words:
            return ""
        for tag in soup.find_all("th"):
            if not tag.get_text(strip=True):
                tag.name = "td"
            else:
                in_head = tag.find_parent("thead") is not None
                tag["scope"] = "col" if in_head else "row"
        for table in soup.find_all("table"):
            # Layout tables inside a table would confuse a screen reader: not kept.
            if table.find_parent("table"):
                return ""
        result = str(soup)
        self._left -= len(result.encode())
        return result

    def _error(self, output: Any, test: bool) -> Shown:
        """Say what went wrong: never the lines around it, which may be those of a hidden test."""
        name = _CONTROL.sub("", str(output.ename))[:60]
        found = _ARROW.search(strip_ansi("\n".join(output.traceback)))
        line = found[2].strip() if found else ""
        shown = not test or (len(line) > 1 and line in self._outline.visible)
        advice = typeset(_CAUSES.get(name, "Cette cellule s'est arrêtée sur une erreur."))
        if test and not shown:
            missing = re.fullmatch(r"name '(\w+)' is not defined", str(output.evalue))
            if missing and re.search(rf"\b{missing[1]}\b", self._outline.visible):
                said = f"NameError : name '{missing[1]}' is not defined"
                return Shown("error", said, advice)
            return Shown(
                "error", "", typeset("Une vérification n'est pas passée. Relisez la consigne.")
            )
        where = f"Ligne {found[1]} : {line}\n" if found and line else ""
        return Shown("error", self.text(f"{where}{name} : {output.evalue}"), advice)

    def _word(self, text: str, more: bool = False) -> str:
        kept, self._left_for_words = _cut(text, self._left_for_words, more)
        return kept

    def _withheld(self, text: str, fragments: bool) -> str:
        if self._secret is None:
            return text
        lines = []
        for line in text.split("\n"):
            bare = _bare(line)
            secret = self._secret.search(bare) is not None or (
                fragments and len(bare) >= _FRAGMENT and bare in self._hidden
            )
            lines.append(WITHHELD if secret else line)
        return "\n".join(lines)


def _cut(text: str, left: int, more: bool) -> tuple[str, int]:
    """Shorten a text to what is left of the page; return it, and what is then left."""
    limit = min(MAX_TEXT, max(left, 0))
    if more or len(text) > limit:
        text = f"{text[:limit].rstrip()}\n{CUT}"
    return text, left - len(escape(text).encode())


def _stream(text: str) -> Any:
    return new_output("stream", name="stdout", text=text)


def _words_of(data: Any) -> str:
    """Give the words of an HTML or Markdown output."""
    cleaned = inert_html(data.get("text/html", "")[:_MAX_MARKUP]) or ""
    words = BeautifulSoup(cleaned, "html.parser").get_text().strip()
    return words or str(data.get("text/markdown", "")).strip()


def _clean(text: str) -> str:
    return _PATH.sub(_last_name, _CONTROL.sub("", strip_ansi(_carriage(text))))


def _carriage(text: str) -> str:
    """Keep what a progress bar last wrote on its line, as a terminal shows it."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rsplit("\r", 1)[-1] for line in lines)


def _last_name(path: re.Match[str]) -> str:
    return "…/" + (path["name"] or path["windows"] or "")


def _bare(line: str) -> str:
    """Drop what quoting a line may change: spaces and backslashes."""
    return re.sub(r"[\s\\]+", "", line)
