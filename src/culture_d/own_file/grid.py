"""Every kind of table as one grid of texts, with what was learnt on the way."""

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import partial as bind
from itertools import islice
from pathlib import Path
from typing import Any

from culture_d.own_file import kinds
from culture_d.own_file.decoding import Decoded, decode, decode_as
from culture_d.own_file.refusals import (
    DamagedFile,
    EmptyFile,
    FileTooLarge,
    FileUnavailable,
    NotATable,
    WrongSeparator,
)

SEPARATORS = {
    ";": "point-virgule",
    ",": "virgule",
    "\t": "tabulation",
    "|": "barre verticale",
}
"""What to call each separator."""

START = 2_000_000
"""Bytes read of a text that is too long to be read whole."""

MOST_CELLS = 5_000_000
"""Cells of a spreadsheet, beyond which the memory of a small computer would fill."""

_SAMPLE_LINES = 200
_LONGEST_FIELD = 10_000
_ZEROS_FORMAT = re.compile(r"0{2,20}")


@dataclass(frozen=True)
class Grid:
    """The rows of a file as texts, empty ones at the end excepted.

    `separator` and `encoding` are those of a text file, and empty for a spreadsheet.
    `odd` holds sentences on what was met while reading. `partial` says that only the
    beginning was read.
    """

    rows: list[list[str]]
    kind: str
    size: int
    encoding: Decoded | None = None
    separator: str = ""
    sheet: str = ""
    sheets: tuple[str, ...] = ()
    trailing: int = 0
    numbers: frozenset[tuple[int, int]] = frozenset()
    odd: tuple[str, ...] = ()
    partial: bool = False


def read_grid(
    path: Path,
    encodage: str | None = None,
    separateur: str | None = None,
    feuille: Any = None,
    limit: int = kinds.LIMIT,
) -> Grid:
    """Read the grid of a file.

    Args:
        path: a file that exists.
        encodage: that of a text file; looked for if None.
        separateur: that of a text file; looked for if None.
        feuille: name or rank, from 1, of the sheet of a spreadsheet; the first that has
            rows if None.
        limit: bytes of a text beyond which only its beginning is read.

    Raises:
        OwnFileError: see `culture_d.own_file.kinds.kind`, and a wrong encoding,
            separator or sheet, or a file without a single word.
    """
    kind = kinds.kind(path)
    try:
        if kind == "texte":
            return _text_grid(path, encodage, separateur, limit)
        return _sheet_grid(path, kind, feuille)
    except MemoryError:
        raise FileTooLarge(
            f"« {path.name} » ({kinds.megabytes(path.stat().st_size)}) ne tient pas dans la mémoire "
            "de cet ordinateur. Demandez un extrait, ou un fichier par année."
        ) from None


def _text_grid(path: Path, encodage: str | None, separateur: str | None, limit: int) -> Grid:
    size = path.stat().st_size
    partial = size > limit
    data = kinds.read_start(path, START if partial else limit)
    if partial:
        whole_signs = data[: len(data) // 4 * 4]
        data = whole_signs if 0 in data[:200] else data[: data.rfind(b"\n") + 1] or whole_signs
    decoded = decode(data, path.name) if encodage is None else decode_as(data, encodage, path.name)
    text = decoded.text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    if partial and "\n" in text:
        text = text[: text.rfind("\n") + 1]
    odd = [decoded.odd] if decoded.odd else []
    separator, text = _announced(text)
    if separateur is not None:
        separator = _asked_separator(text, separateur, path.name)
    separator = separator or _find_separator(text)
    rows = _parse(text, separator, odd)
    trailing = _drop_trailing(rows)
    if not rows:
        raise EmptyFile(
            f"« {path.name} » ne contient aucun mot : rien que des blancs. Demandez qu'on vous "
            "le renvoie."
        )
    return Grid(
        rows=rows,
        kind="texte",
        size=size,
        encoding=decoded,
        separator=separator,
        trailing=trailing,
        odd=tuple(odd),
        partial=partial,
    )


def _announced(text: str) -> tuple[str, str]:
    """Take away a first line such as « sep=; », which tells a spreadsheet the separator."""
    match = re.match(r'"?sep=(.)"?\n', text, re.IGNORECASE)
    return (match[1], text[match.end() :]) if match else ("", text)


def _asked_separator(text: str, asked: object, name: str) -> str:
    if not isinstance(asked, str) or len(asked) != 1 or asked in '"\n\r':
        raise WrongSeparator(
            f"Le séparateur est un seul signe, comme « ; » ou « , ». Reçu : {asked!r}."
        )
    found = _find_separator(text)
    if found != asked and _width(text, asked) < 2 <= _width(text, found):
        raise WrongSeparator(
            f"Avec « {asked} » pour séparateur, « {name} » n'a qu'une colonne. Séparateur trouvé : "
            f"{SEPARATORS[found]} (« {found} »), qui en donne {_width(text, found)}. "
            "N'en donnez aucun : il sera cherché."
        )
    return asked


def _sample(text: str) -> str:
    return "\n".join(islice((line for line in text.split("\n") if line.strip()), _SAMPLE_LINES))


def _widths(text: str, separator: str) -> list[int]:
    return [len(row) for row in _lenient(_sample(text), separator) if row]


def _width(text: str, separator: str) -> int:
    """Return the most frequent number of columns, at the beginning of the text."""
    widths = Counter(_widths(text, separator))
    return max(widths, key=lambda width: (widths[width], width), default=1)


def _find_separator(text: str) -> str:
    """Return the sign that cuts the most lines into the same number of columns, two or more."""
    scores = {}
    for separator in SEPARATORS:
        widths = _widths(text, separator)
        usual = _width(text, separator)
        alike = sum(width == usual for width in widths) / len(widths) if widths else 0
        # An amount such as « 26 956,00 » makes two columns of each line: few, then, and less sure.
        scores[separator] = alike * (1 - 1 / usual)
    return max(scores, key=lambda separator: scores[separator])


def _lenient(text: str, separator: str) -> Iterator[list[str]]:
    try:
        yield from csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    except csv.Error:
        return


def _parse(text: str, separator: str, odd: list[str]) -> list[list[str]]:
    csv.field_size_limit(2**31 - 1)
    rows = list(_lenient(text, separator))
    if any(len(cell) > _LONGEST_FIELD and "\n" in cell for row in rows for cell in row):
        odd.append(
            "Un guillemet ouvert n'est jamais fermé : les guillemets sont lus comme des signes."
        )
        rows = [line.split(separator) for line in text.split("\n")]
    return rows


def _drop_trailing(rows: list[list[str]]) -> int:
    """Remove the empty rows of the end; a text's last line break is not one."""
    removed = 0
    while rows and not any(cell.strip() for cell in rows[-1]):
        removed += bool(rows.pop())
    return removed


def _sheet_grid(path: Path, kind: str, feuille: Any) -> Grid:
    reader = _xlsx_sheets if kind == "xlsx" else _ods_sheets
    try:
        sheets = reader(path)
        names = tuple(sheets)
        name = _sheet_name(names, feuille, path.name)
        chosen = [name] if name else list(names)
        rows: list[list[str]] = []
        numbers: frozenset[tuple[int, int]] = frozenset()
        trailing, found = 0, ""
        for found in chosen:
            rows, numbers = sheets[found]()
            trailing = _drop_trailing(rows)
            if rows:
                break
    except (FileTooLarge, NotATable, DamagedFile, MemoryError):
        raise
    except ImportError as error:
        raise NotATable(
            f"Pour lire « {path.name} », il manque à cet ordinateur le logiciel « {error.name} ». "
            "Enregistrez le classeur en .csv UTF-8, ou installez l'environnement du cours."
        ) from None
    except OSError as error:
        if isinstance(error, PermissionError):
            raise FileUnavailable(kinds.unreadable(path, error)) from None
        raise DamagedFile(kinds.damaged(path)) from None
    except Exception:
        # The two libraries raise whatever a damaged file makes them meet (KeyError, XML errors…).
        raise DamagedFile(kinds.damaged(path)) from None
    if not rows:
        raise EmptyFile(
            f"« {path.name} » ne contient aucune case remplie. Demandez qu'on vous le renvoie."
        )
    width = max(map(len, rows))
    return Grid(
        rows=[row + [""] * (width - len(row)) for row in rows],
        kind=kind,
        size=path.stat().st_size,
        sheet=found,
        sheets=names,
        trailing=trailing,
        numbers=numbers,
    )


def _sheet_name(names: tuple[str, ...], asked: Any, file: str) -> str:
    if asked is None:
        return ""
    if isinstance(asked, int) and not isinstance(asked, bool) and 1 <= asked <= len(names):
        return names[asked - 1]
    same = [name for name in names if str(asked).strip().casefold() == name.strip().casefold()]
    if not same:
        raise NotATable(
            f"« {file} » n'a pas de feuille {asked!r}. Ses feuilles : "
            f"{', '.join(f'« {name} »' for name in names)}."
        )
    return same[0]


Sheet = tuple[list[list[str]], frozenset[tuple[int, int]]]


def _xlsx_sheets(path: Path) -> dict[str, Callable[[], Sheet]]:
    import openpyxl  # slow to load, and no use for a text

    # Its bytes: of a path, openpyxl judges the name, and keeps the file open.
    book = openpyxl.load_workbook(io.BytesIO(path.read_bytes()), read_only=True, data_only=True)
    return {sheet.title: bind(_xlsx_rows, sheet) for sheet in book.worksheets}


def _xlsx_rows(sheet: Any) -> Sheet:
    rows: list[list[str]] = []
    numbers = set()
    cells = 0
    # The size written in the file may be wrong: read what is there.
    sheet.reset_dimensions()
    for row in sheet.iter_rows():
        texts: list[str] = []
        for cell in row:
            if isinstance(cell.value, int | float) and not isinstance(cell.value, bool):
                numbers.add((len(rows), len(texts)))
            texts.append(cell_text(cell.value, getattr(cell, "number_format", "")))
        cells += len(texts)
        _count(cells)
        rows.append(texts)
    return rows, frozenset(numbers)


def cell_text(value: object, shown: str = "") -> str:
    """Write the value of a cell as its reader sees it: « 00130 » if its format is « 00000 »."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "VRAI" if value else "FAUX"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, int) and _ZEROS_FORMAT.fullmatch(shown or ""):
        return str(value).zfill(len(shown))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _count(cells: int) -> None:
    if cells > MOST_CELLS:
        raise FileTooLarge(
            f"Ce classeur a plus de {MOST_CELLS // 1_000_000} millions de cases : il ne tiendrait "
            "pas en mémoire. Demandez un extrait, ou un fichier par année."
        )


def _ods_sheets(path: Path) -> dict[str, Callable[[], Sheet]]:
    from odf.opendocument import load
    from odf.table import Table

    document = load(str(path))
    return {
        table.getAttribute("name"): bind(_ods_rows, table)
        for table in document.spreadsheet.getElementsByType(Table)
    }


def _ods_rows(table: Any) -> Sheet:
    from odf.namespaces import OFFICENS, TABLENS
    from odf.table import CoveredTableCell, TableCell, TableRow

    rows: list[list[str]] = []
    numbers = set()
    cells = 0
    empty: list[
        list[str]
    ] = []  # empty rows count only if another follows: a sheet ends by a million
    for row in table.getElementsByType(TableRow):
        texts: list[str] = []
        for cell in row.childNodes:
            if cell.qname not in (TableCell().qname, CoveredTableCell().qname):
                continue
            text = _ods_text(cell)
            if text and cell.getAttrNS(OFFICENS, "value-type") in ("float", "currency"):
                numbers.add((len(rows) + len(empty), len(texts)))
            texts += [text] * min(
                int(cell.getAttrNS(TABLENS, "number-columns-repeated") or 1), 1024
            )
        while texts and not texts[-1]:
            texts.pop()
        repeated = min(int(row.getAttrNS(TABLENS, "number-rows-repeated") or 1), 1_000_000)
        if not texts:
            empty += [[]] * min(repeated, 1000)
            continue
        cells += len(texts) * repeated
        _count(cells)
        rows += [*empty, *([list(texts)] * repeated)]
        empty = []
    return rows, frozenset(numbers)


def _ods_text(cell: Any) -> str:
    from odf.namespaces import OFFICENS
    from odf.teletype import extractText
    from odf.text import P

    kind = cell.getAttrNS(OFFICENS, "value-type")
    shown = "\n".join(extractText(one) for one in cell.getElementsByType(P))
    if kind in ("float", "currency"):
        # « 00130 » shown for the number 130 is what its reader knows; « 1 063 850,00 » is not.
        if shown.isdigit():
            return shown
        return cell_text(float(cell.getAttrNS(OFFICENS, "value")))
    if kind == "date":
        return str(cell.getAttrNS(OFFICENS, "date-value")).removesuffix("T00:00:00")
    return shown
