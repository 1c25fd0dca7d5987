"""What is wrong in the cells of a column: codes, amounts, dates, words."""

import html
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from culture_d.fictitious import luhn_valid
from culture_d.french import accord
from culture_d.own_file.grid import Grid
from culture_d.own_file.layout import Layout
from culture_d.own_file.report import Constat
from culture_d.own_file.values import (
    PERIOD,
    SPACES,
    ambiguous,
    are_codes,
    date_format,
    is_missing,
    is_number,
    named_as_code,
)
from culture_d.own_file.words import key, plain

_ENTITY = re.compile(r"&(?:[a-zA-Z]{2,8}|#\d{2,5});")
_LOST_SIGN = re.compile(r"\ufffd|(?<=[a-zà-ÿ])\?(?=[a-zà-ÿ])")
_FLOAT_CODE = re.compile(r"(\d{5,})[.,]0+")
_SCIENTIFIC = re.compile(r"\d(?:[.,]\d+)?[eE]\+?\d{1,2}")
_MOST_VARIED = 30
_LA_POSTE = "356000000"
# Days since 30 December 1899, from 2000 to 2050, as a spreadsheet counts them.
_SERIALS = range(36526, 54789)


class Column(NamedTuple):
    """A column: its name, its cells without the blanks around them, and as they are written.

    `filled` holds the cells that say something.
    """

    name: str
    cells: list[str]
    raw: list[str]
    filled: list[str]

    @property
    def where(self) -> str:
        """Name the place to a person."""
        return f"Colonne « {self.name} »"


def column_findings(layout: Layout, grid: Grid) -> Iterator[Constat]:
    """Look at each column in turn."""
    for place, name in enumerate(layout.columns):
        cells = [row[place] for row in layout.rows]
        raw = [
            grid.rows[line - 1][place] if place < len(grid.rows[line - 1]) else ""
            for line in layout.lines
        ]
        column = Column(name, cells, raw, [cell for cell in cells if not is_missing(cell)])
        if not any(cells):
            if cells:
                yield Constat(
                    "colonne-vide",
                    column.where,
                    "Elle est vide.",
                    "Demandez ce qu'elle devait contenir.",
                )
            continue
        for check in _CHECKS:
            yield from check(column)


def _found(
    column: Column, key: str, cells: Sequence[str], what: str, advice: str
) -> Iterator[Constat]:
    """Tell of the cells found, with the first as an example; `what` follows their count."""
    if cells:
        count = accord(len(cells), "case")
        example = " ".join(cells[0].split())[:60]
        yield Constat(
            key, column.where, f"{count} {what}, comme « {example} ».", advice, len(cells)
        )


def _siret(column: Column) -> Iterator[Constat]:
    name = key(column.name)
    looks_like = [cell for cell in column.filled if re.fullmatch(r"\d{14}(?:[.,]0+)?", cell)]
    if "siret" not in name and len(looks_like) * 2 < len(column.filled):
        return
    floats, lost, siren, length, wrong = [], [], [], [], []
    for cell in column.filled:
        digits = re.sub(rf"[\s{SPACES}]", "", cell)
        match = _FLOAT_CODE.fullmatch(digits)
        if match:
            floats.append(cell)
            digits = match[1]
        if _SCIENTIFIC.fullmatch(digits) and "e" in digits.casefold():
            continue
        if digits.isdigit() and len(digits) == 9 and luhn_valid(digits):
            siren.append(cell)
        elif digits.isdigit() and 9 <= len(digits) < 14 and luhn_valid(digits.zfill(14)):
            lost.append(cell)
        elif not re.fullmatch(r"\d{14}", digits):
            length.append(cell)
        elif not (luhn_valid(digits) or digits.startswith(_LA_POSTE)):
            wrong.append(cell)
    yield from _found(
        column,
        "siret-decimal",
        floats,
        "avec un SIRET devenu un nombre à virgule",
        "Retirez la virgule et ce qui suit. Demandez la colonne en texte.",
    )
    yield from _found(
        column,
        "zeros-perdus",
        lost,
        "avec un SIRET dont les zéros du début ont disparu",
        "Un SIRET a quatorze chiffres : ajoutez les zéros à gauche, puis vérifiez.",
    )
    yield from _found(
        column,
        "siren-pour-siret",
        siren,
        "avec neuf chiffres : un SIREN, pas un SIRET",
        "Demandez le SIRET : il désigne un lieu, le SIREN un organisme.",
    )
    yield from _found(
        column,
        "siret-longueur",
        length,
        "qui ne contient pas les quatorze chiffres d'un SIRET",
        "Demandez le numéro à l'organisme : rien ne permet de le refaire.",
    )
    yield from _found(
        column,
        "siret-cle",
        wrong,
        "avec un SIRET dont la clé est fausse",
        "Un chiffre est faux, ou deux sont échangés. Demandez le numéro.",
    )


def _rounded_codes(column: Column) -> Iterator[Constat]:
    """Find codes written 2,18602E+13: what follows the first digits is lost for good."""
    cells = [
        cell
        for cell in column.filled
        if "e" in cell.casefold() and _SCIENTIFIC.fullmatch(re.sub(rf"[\s{SPACES}]", "", cell))
    ]
    yield from _found(
        column,
        "chiffres-perdus",
        cells,
        "en écriture scientifique : des chiffres sont perdus",
        "Aucun réglage ne les rend. Demandez le fichier d'avant le tableur.",
    )


def _short_codes(column: Column) -> Iterator[Constat]:
    """Find codes of five digits, two for a département, ten for a telephone, that lost zeros."""
    name = key(column.name)
    if "siret" in name or "siren" in name:
        return
    if "postal" in name or "insee" in name or name in ("cp", "codecommune", "codegeo", "depcom"):
        size = 5
    elif re.match(r"(?:code)?dep(?:artement|t)?$", name):
        size = 2
    elif name.startswith(("tel", "portable", "mobile")):
        size = 10
    else:
        return
    short = [cell for cell in column.filled if re.fullmatch(rf"\d{{1,{size - 1}}}", cell)]
    if size == 10:
        short = [cell for cell in short if len(cell) == 9]
    yield from _found(
        column,
        "zeros-perdus",
        short,
        f"de moins de {size} chiffres : les zéros du début ont disparu",
        f"Ajoutez les zéros à gauche, jusqu'à {size} chiffres. Demandez la colonne en texte.",
    )
    floats = [cell for cell in column.filled if re.fullmatch(r"\d+[.,]0+", cell)]
    yield from _found(
        column,
        "code-decimal",
        floats,
        "avec un code devenu un nombre à virgule",
        "Retirez la virgule et ce qui suit, puis vérifiez les zéros du début.",
    )


def _amounts(column: Column) -> Iterator[Constat]:
    numbers = [cell for cell in column.filled if is_number(cell)]
    if len(numbers) * 2 < len(column.filled) or named_as_code(column.name):
        return
    if are_codes(column.name, column.filled):
        return
    yield from _found(
        column,
        "espaces-insecables",
        [cell for cell in numbers if not cell.isascii() and any(sign in cell for sign in SPACES)],
        "avec un espace insécable dans un nombre",
        "Un tableur y voit du texte et ne l'additionne pas : retirez ces espaces.",
    )
    yield from _found(
        column,
        "espaces-milliers",
        [cell for cell in numbers if re.search(r"\d \d", cell)],
        "avec un espace dans un nombre",
        "Demandez des nombres sans espace : 1063850,00.",
    )
    yield from _found(
        column,
        "virgule-decimale",
        [cell for cell in numbers if re.search(r",\d+\s*\D*$", cell)],
        "avec une virgule décimale",
        "C'est l'usage français. Un logiciel réglé en anglais peut la lire autrement.",
    )
    yield from _found(
        column,
        "unites",
        [cell for cell in numbers if re.search(r"[€%]|eur", cell, re.IGNORECASE)],
        "avec une unité dans la case",
        "Mettez l'unité dans le titre de la colonne.",
    )
    if ambiguous(numbers):
        yield from _found(
            column,
            "nombre-ambigu",
            numbers,
            "dont le signe peut séparer des milliers ou des décimales",
            "Demandez lequel des deux : d'ici là, la colonne reste du texte.",
        )
    yield from _found(
        column,
        "pas-un-nombre",
        [cell for cell in column.filled if not is_number(cell)],
        "sans nombre, parmi des nombres",
        "Relisez-la : la colonne reste du texte tant qu'elle y est.",
    )


def _dashes(column: Column) -> Iterator[Constat]:
    yield from _found(
        column,
        "tirets",
        [cell for cell in column.cells if cell and is_missing(cell)],
        "qui dit « pas de valeur » par un signe",
        "Laissez la case vide. Demandez si l'absence vaut zéro : ce n'est pas pareil.",
    )


def _dates(column: Column) -> Iterator[Constat]:
    by_format: dict[str, list[str]] = defaultdict(list)
    for cell in column.filled:
        by_format[date_format(cell)].append(cell)
    others = by_format.pop("", [])
    dates = sum(map(len, by_format.values()))
    separators = {match[1] for cell in column.filled if (match := PERIOD.fullmatch(cell))}
    if "_" in separators:
        yield from _found(
            column,
            "periode",
            [c for c in column.filled if (m := PERIOD.fullmatch(c)) and m[1] == "_"],
            "avec deux dates séparées par « _ »",
            "La norme écrit « 2026-01-01/2026-12-31 ».",
        )
    if "date" in plain(column.name):
        serials = [cell for cell in others if cell.isdigit() and int(cell) in _SERIALS]
        yield from _found(
            column,
            "date-nombre",
            serials,
            "avec une date devenue un nombre de jours",
            "Donnez à la colonne un format de date, puis enregistrez de nouveau.",
        )
    if not dates or dates * 2 < len(column.filled):
        return
    if len(by_format) > 1:
        named = ", ".join(
            f"{name} ({len(cells)}, comme « {cells[0]} »)" for name, cells in by_format.items()
        )
        yield Constat(
            "dates-melangees",
            column.where,
            f"Les dates sont écrites de {len(by_format)} façons : {named}.",
            "Demandez AAAA-MM-JJ partout : 2026-03-05 ne se lit que d'une façon.",
            dates,
        )
    elif next(iter(by_format)) != "AAAA-MM-JJ":
        name = next(iter(by_format))
        yield Constat(
            "dates",
            column.where,
            f"Les dates sont écrites {name}.",
            "Pour un échange, demandez AAAA-MM-JJ : il se trie et se lit partout pareil.",
            dates,
        )


def mended(text: str) -> str:
    """Return « é » for « Ã© »: UTF-8 that someone read as Windows-1252, put right once.

    Raises:
        ValueError: the text is not of that kind.
    """
    return text.encode("cp1252").decode("utf-8")


def _is_garbled(cell: str) -> bool:
    if cell.isascii():
        return False
    try:
        return mended(cell) != cell
    except ValueError:
        return bool(re.search(r"Ã[ -¿‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]|â€[™œ\x9d“”¦]", cell))


def _words(column: Column) -> Iterator[Constat]:
    yield from _found(
        column,
        "accents-abimes",
        [cell for cell in column.filled if _is_garbled(cell)],
        "dont les accents sont abîmés dans le fichier même",
        "Quelqu'un l'a ouvert avec le mauvais encodage, puis enregistré. Demandez l'original.",
    )
    yield from _found(
        column,
        "signes-perdus",
        [cell for cell in column.filled if _LOST_SIGN.search(cell)],
        "où une lettre est devenue « ? » ou « \ufffd » : elle est perdue",
        "Rien ne permet de la refaire. Demandez l'original.",
    )
    yield from _found(
        column,
        "html",
        [c for c in column.filled if "&" in c and _ENTITY.search(c) and html.unescape(c) != c],
        "avec un code de page web à la place d'un signe",
        "Le fichier vient d'un site. Demandez l'export d'origine.",
    )
    yield from _found(
        column,
        "retours-a-la-ligne",
        [cell for cell in column.filled if "\n" in cell],
        "avec un retour à la ligne",
        "Le compte des lignes du fichier n'est pas celui des fiches.",
    )
    yield from _found(
        column,
        "espaces-autour",
        [cell for cell in column.raw if cell.strip() and cell != cell.strip()],
        "avec un espace avant ou après",
        "Deux valeurs pareilles à l'œil ne le sont plus pour un logiciel : retirez-les.",
    )


def _variants(column: Column) -> Iterator[Constat]:
    """Find one value written in several ways: « p », « P » and a « P » after a no-break space."""
    written = {cell for cell in column.raw if not is_missing(cell)}
    if not written or len(written) > _MOST_VARIED or any(map(is_number, column.filled)):
        return
    groups: dict[str, set[str]] = defaultdict(set)
    for cell in written:
        groups[plain(cell)].add(cell)
    several = [sorted(ways) for ways in groups.values() if len(ways) > 1]
    if several and len(groups) < len(column.filled):
        ways = ", ".join(f"« {' '.join(way.split())} »" for way in several[0])
        yield Constat(
            "variantes",
            column.where,
            f"Une même valeur s'écrit de plusieurs façons : {ways}.",
            "Choisissez-en une avant de compter par valeur.",
            len(several),
        )


_CHECKS: tuple[Callable[[Column], Iterator[Constat]], ...] = (
    _siret,
    _rounded_codes,
    _short_codes,
    _amounts,
    _dashes,
    _dates,
    _words,
    _variants,
)
