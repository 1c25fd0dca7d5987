"""Tables of figures as HTML that reads well, on a phone or by a screen reader."""

import re
from collections.abc import Iterable, Sequence
from html import escape
from numbers import Real

from culture_d.french import nombre, typeset

_WRITTEN_NUMBER = re.compile(r"^\d[\d\s]*(,\d+)?\s?%?$")


def html_table(columns: Sequence[str], rows: Iterable[Sequence[object]], caption: str) -> str:
    """Write a table with a caption, scoped headers and numbers in French.

    Args:
        columns: one header a column.
        rows: one sequence a row; its first value names the row. Numbers keep one
            decimal at most: write percentages and years as text beforehand.
        caption: what the table holds.
    """
    body = [list(row) for row in rows]
    numeric = [all(_is_numeric(row[place]) for row in body) for place in range(len(columns))]
    head = "".join(
        f'<th scope="col"{_class(numeric[place] and place > 0)}>{escape(typeset(name))}</th>'
        for place, name in enumerate(columns)
    )
    lines = "".join(_row(row) for row in body)
    return (
        f'<div class="cd-tableau" role="region" tabindex="0" aria-label="{escape(typeset(caption))}">'
        f"<table><caption>{escape(typeset(caption))}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _row(values: Sequence[object]) -> str:
    first, *others = values
    cells = [f'<th scope="row">{_text(first)}</th>']
    cells += [f"<td{_class(_is_numeric(value))}>{_text(value)}</td>" for value in others]
    return "<tr>" + "".join(cells) + "</tr>"


def _is_numeric(value: object) -> bool:
    return isinstance(value, Real) or bool(_WRITTEN_NUMBER.match(str(value)))


def _class(numeric: bool) -> str:
    return ' class="nombre"' if numeric else ""


def _text(value: object) -> str:
    if isinstance(value, Real):
        return nombre(float(value), 1)
    return "" if value is None else escape(typeset(str(value)))
