"""Numbers, dates and codes as people write them in cells."""

import re
from collections.abc import Iterable
from datetime import date

from culture_d.own_file.words import key

SPACES = "\u00a0\u202f\u2007\u2009"
"""Spaces that are not the one of the keyboard."""

_SPACES = re.compile(rf"[\s{SPACES}]")
_NUMBER = re.compile(r"[-+]?(?:\d+(?:[.,]\d+)*)(?:[eE][-+]?\d+)?")
_UNIT = re.compile(r"(?:€|eur(?:os?)?|%)$", re.IGNORECASE)
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?")
_DATES = (
    ("AAAA-MM-JJ", _ISO),
    ("AAAA-M-J", re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")),
    ("AAAA/MM/JJ", re.compile(r"(\d{4})/(\d{1,2})/(\d{1,2})")),
    ("JJ/MM/AAAA", re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: \d{1,2}:\d{2}(?::\d{2})?)?")),
    ("JJ/MM/AA", re.compile(r"(\d{1,2})/(\d{1,2})/(\d{2})")),
    ("JJ-MM-AAAA", re.compile(r"(\d{1,2})-(\d{1,2})-(\d{4})")),
    ("JJ.MM.AAAA", re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")),
)
_LONGEST_DATE = len("2026-03-05T12:00:00.000000")
PERIOD = re.compile(r"\d{4}-\d{2}-\d{2}\s*([_/])\s*\d{4}-\d{2}-\d{2}")
"""Two dates in one cell, and the sign between them."""

MISSING = frozenset({"", "-", "–", "—", "n.c.", "nc", "n/a", "na", "nan", "#n/a", "null", "/"})
"""What people write for « no value », in small letters."""

_CODE_NAMES = frozenset(
    re.split(
        " ",
        "siret siren insee postal postaux cp rna uai finess nafape ape naf iban bic telephone tel "
        "mobile portable codecommune codedepartement departement dep dept codegeo cog",
    )
)


def bare_number(cell: str) -> str:
    """Return a number without spaces and unit, or nothing if the cell is no number."""
    if not any(map(str.isdigit, cell)):
        return ""
    text = _SPACES.sub("", cell)
    text = _UNIT.sub("", text)
    return text if _NUMBER.fullmatch(text) else ""


def is_number(cell: str) -> bool:
    """Say whether a cell holds a number, however it is written."""
    return bool(bare_number(cell))


def is_missing(cell: str) -> bool:
    """Say whether a cell says « no value »."""
    return len(cell) < 12 and cell.strip().casefold() in MISSING


def to_number(cell: str) -> float:
    """Return the value of a cell that `is_number`: the last of « , » and « . » is the decimal sign.

    A sign that is there several times separates thousands.
    """
    text = bare_number(cell)
    for decimal, thousands in ((",", "."), (".", ",")):
        if text.rfind(decimal) > text.rfind(thousands):
            text = text.replace(thousands, "")
            return float(text.replace(decimal, "." if text.count(decimal) == 1 else ""))
    return float(text)


def ambiguous(cells: Iterable[str]) -> bool:
    """Say whether « 1,234 » may be 1 234 in all the cells that have a decimal sign."""
    signs = [text for text in map(bare_number, cells) if "," in text or "." in text]
    return bool(signs) and all(re.fullmatch(r"[-+]?[1-9]\d{0,2}(?:[.,]\d{3})+", t) for t in signs)


def date_format(cell: str) -> str:
    """Return how a date is written (« JJ/MM/AAAA »), or nothing if the cell is no date."""
    text = cell.strip()
    if not text[:1].isdigit() or text.isdigit() or len(text) > _LONGEST_DATE:
        return ""
    for name, pattern in _DATES:
        match = pattern.fullmatch(text)
        if match and _exists(name, match):
            return name
    return ""


def is_date(cell: str) -> bool:
    """Say whether a cell holds a date, or two."""
    return bool(date_format(cell) or PERIOD.fullmatch(cell.strip()))


def _exists(name: str, match: re.Match[str]) -> bool:
    numbers = [int(one) for one in match.groups()[:3]]
    year, month, day = numbers if name.startswith("AAAA") else numbers[::-1]
    try:
        date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return False
    return True


def named_as_code(name: str) -> bool:
    """Say whether the name of a column announces codes: « Code postal », « SIRET », « tel »."""
    words = [key(word) for word in re.split(r"[\W_]+", name)]
    whole = key(name)
    return (
        whole.startswith(("code", "siret", "siren", "idbenef", "idattrib", "numero"))
        or whole.endswith(("siret", "siren", "rna", "insee"))
        or any(word in _CODE_NAMES for word in words)
    )


def are_codes(name: str, cells: Iterable[str]) -> bool:
    """Say whether a column must stay text: codes, or numbers that begin with a zero."""
    filled = [cell.strip() for cell in cells if not is_missing(cell)]
    if named_as_code(name) or any(re.fullmatch(r"0\d+", cell) for cell in filled):
        return True
    return bool(filled) and all(re.fullmatch(r"\d{9}|\d{14}", cell) for cell in filled)
