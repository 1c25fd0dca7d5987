"""French writing of numbers and dates, by Babel's locale data (CLDR).

A narrow no-break space separates thousands and precedes the percent sign; the
decimal mark is a comma; dates read « 1er janvier 2026 ».
"""

import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from babel.dates import format_date
from babel.numbers import format_decimal, format_percent

LOCALE = "fr"
NO_BREAK_SPACE = "\u00a0"
NARROW_NO_BREAK_SPACE = "\u202f"


def nombre(value: float, decimales: int = 0) -> str:
    """Write a number in French, rounded half up to `decimales` places.

    Trailing zeros are dropped: 483.5 gives « 483,5 », 459.0 gives « 459 ».
    """
    pattern = "#,##0" + ("." + "#" * decimales if decimales else "")
    return format_decimal(_half_up(value, decimales), format=pattern, locale=LOCALE)


def pourcent(share: float, decimales: int = 0) -> str:
    """Write a share between 0 and 1 as a percentage: 0.839 gives « 83,9 % »."""
    pattern = "#,##0" + ("." + "0" * decimales if decimales else "") + "\u202f%"
    return format_percent(_half_up(share, decimales + 2), format=pattern, locale=LOCALE)


def date_longue(day: date) -> str:
    """Write a date in full: « 3 mars 2026 », « 1er janvier 2026 »."""
    text = format_date(day, format="d MMMM y", locale=LOCALE)
    return "1er" + text[1:] if day.day == 1 else text


def typeset(text: str) -> str:
    """Write a French text as a printer would.

    No-break spaces before : ; ! ? » and after « and n°, a narrow one in thousands and
    before %, and typographic apostrophes between letters.
    """
    text = re.sub(r"(?<=«) |(?<=\bn°) (?=\d)| (?=[:;!?»])", NO_BREAK_SPACE, text)
    text = re.sub(r"(?<=\d)[ \u00a0](?=%)", NARROW_NO_BREAK_SPACE, text)
    text = re.sub(r"(?<=\d) (?=\d{3}(?!\d))", NARROW_NO_BREAK_SPACE, text)
    return re.sub(r"(?<=[^\W\d_])'(?=[^\W\d_])", "’", text)


def accord(count: float, singulier: str, pluriel: str | None = None) -> str:
    """Write a count with its noun: singular below 2, as French does."""
    noun = singulier if abs(count) < 2 else (pluriel or singulier + "s")
    return nombre(count) + NO_BREAK_SPACE + noun


def _half_up(value: float, decimales: int) -> float:
    """Round half away from zero, where Babel and Python round half to even."""
    step = Decimal(1).scaleb(-decimales)
    rounded = Decimal(repr(float(value))).quantize(step, rounding=ROUND_HALF_UP)
    return float(rounded) or 0.0  # no minus before a zero
