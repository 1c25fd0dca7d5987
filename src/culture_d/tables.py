"""Tables of figures as HTML that reads well, on a phone or by a screen reader."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from numbers import Real

from culture_d.french import nombre, typeset

_NO_NUMBER = {"", "–", "—", "inconnu", "inconnue", "inconnus"}
_WRITTEN_NUMBER = re.compile(r"^[-−]?\d[\d\s]*(,\d+)?\s?%?$")


def html_table(columns: Sequence[str], rows: Iterable[Sequence[object]], caption: str) -> str:
    """Write a table with a caption, scoped headers and numbers in French.

    Args:
        columns: one header a column.
        rows: one sequence a row; its first value names the row. Numbers keep one
            decimal at most: write percentages and years as text beforehand.
        caption: what the table holds.
    """
    body = [list(row) for row in rows]
    numeric = [
        place > 0 and _is_of_numbers(row[place] for row in body) for place in range(len(columns))
    ]
    head = "".join(
        f'<th scope="col"{_class(numeric[place])}>{escape(typeset(name))}</th>'
        for place, name in enumerate(columns)
    )
    lines = "".join(_row(row, numeric) for row in body)
    return (
        f'<div class="cd-tableau" role="region" tabindex="0" aria-label="{escape(typeset(caption))}">'
        f"<table><caption>{escape(typeset(caption))}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _row(values: Sequence[object], numeric: Sequence[bool]) -> str:
    first, *others = values
    cells = [f'<th scope="row">{_text(first)}</th>']
    cells += [
        f"<td{_class(column)}>{_text(value)}</td>"
        for value, column in zip(others, numeric[1:], strict=True)
    ]
    return "<tr>" + "".join(cells) + "</tr>"


def _is_of_numbers(values: Iterable[object]) -> bool:
    """Whether a column is to be lined up on its figures: a cell may say that there is none."""
    told = [value for value in values if value is not None and str(value) not in _NO_NUMBER]
    return bool(told) and all(_is_numeric(value) for value in told)


def _is_numeric(value: object) -> bool:
    return isinstance(value, Real) or bool(_WRITTEN_NUMBER.match(str(value)))


def _class(numeric: bool) -> str:
    return ' class="nombre"' if numeric else ""


def _text(value: object) -> str:
    if isinstance(value, Real):
        return nombre(float(value), 1)
    return "" if value is None else escape(typeset(str(value)))
