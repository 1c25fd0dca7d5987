"""Where the table is in the grid: lines above it, its header, its totals."""

import re
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from culture_d.own_file.values import is_date, is_number
from culture_d.own_file.words import plain

_DBF = re.compile(r"^([A-Za-z_]\w{0,10}),[CNDLFM],\d+(?:,\d+)?$")
_TOTAL = re.compile(r"^(?:sous[ -]?)?tota(?:l|ux)\b(?:.{0,30})$")
_LOOKED_AT = 60


@dataclass(frozen=True)
class Layout:
    """A grid cut into its parts. Line numbers count from 1, as a person counts them.

    `titles` is how many lines the header takes: 0 when there is none. `totals` and
    `blanks` hold the lines left out of `rows`; `lines` the line of each row kept.
    """

    preamble: tuple[str, ...]
    titles: int
    header_line: int
    columns: tuple[str, ...]
    raw_columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    totals: tuple[int, ...]
    blanks: tuple[int, ...]
    uneven: tuple[int, ...]
    repeated_titles: tuple[int, ...]


def lay_out(grid: list[list[str]], titles: int | None = None) -> Layout:
    """Cut a grid into its parts.

    Args:
        grid: rows of texts, at least one of them not empty.
        titles: how many lines the header takes, if a person says so; found if None.
    """
    rows = [[cell.strip() for cell in row] for row in grid]
    width = _usual_width(rows)
    start = _first_full(rows, width)
    count = _titles(rows, start) if titles is None else titles
    header = rows[start : start + count]
    body = range(start + count, len(rows))
    titled = max((_filled_width(row) for row in header), default=width)
    width = max(width, titled, *(_filled_width(rows[place]) for place in body), 1)
    columns = _names(header, width)
    kept, lines, totals, blanks, uneven, repeated = [], [], [], [], [], []
    for place in body:
        row = rows[place]
        if not any(row):
            blanks.append(place + 1)
        elif count and _padded(row, width) == _padded(rows[start + count - 1], width):
            repeated.append(place + 1)
        elif _is_total(row):
            totals.append(place + 1)
        else:
            if _filled_width(row) > titled or len(row) < titled:
                uneven.append(place + 1)
            kept.append(tuple(_padded(row, width)))
            lines.append(place + 1)
    return Layout(
        preamble=tuple(" ".join(filter(None, row)) for row in rows[:start] if any(row)),
        titles=count,
        header_line=start + 1,
        columns=columns,
        raw_columns=tuple(grid[start]) if count else (),
        rows=tuple(kept),
        lines=tuple(lines),
        totals=tuple(totals),
        blanks=tuple(blanks),
        uneven=tuple(uneven),
        repeated_titles=tuple(repeated),
    )


def _filled_width(row: list[str]) -> int:
    """Return the place after the last cell that is not empty."""
    return max((place + 1 for place, cell in enumerate(row) if cell), default=0)


def _padded(row: list[str], width: int) -> list[str]:
    return (row + [""] * width)[:width]


def _usual_width(rows: list[list[str]]) -> int:
    widths = Counter(filter(None, map(_filled_width, rows)))
    usual = max(widths, key=lambda width: (widths[width], width), default=1)
    # Last columns that are often empty: as wide as most cut lines, when some line fills them.
    cut = Counter(len(row) for row in rows if any(row)).most_common(1)[0][0]
    return max(usual, min(cut, max(widths, default=1)))


def _first_full(rows: list[list[str]], width: int) -> int:
    """Return the place of the first row that fills most columns: the header, or data."""
    wanted = 1 if width == 1 else max(2, -(-width // 2))
    for place, row in enumerate(rows[:_LOOKED_AT]):
        if sum(map(bool, row)) >= wanted:
            return place
        following = rows[place + 1] if place + 1 < len(rows) else []
        if _is_group_line(row, following, width):
            return place
    return next(place for place, row in enumerate(rows) if any(row))


def _is_group_line(row: list[str], following: list[str], width: int) -> bool:
    """Say whether few cells stand above the titles of the next line, far apart, as merged ones do."""
    places = [place for place, cell in enumerate(row) if cell]
    return (
        len(places) >= 2
        and any(after - before > 1 for before, after in pairwise([*places, width]))
        and _looks_like_titles(following)
        and sum(map(bool, following)) > len(places)
        and not any(map(_is_value, row))
    )


def _looks_like_titles(row: list[str]) -> bool:
    filled = [cell for cell in row if cell]
    return bool(filled) and not any(map(_is_value, filled))


def _is_value(cell: str) -> bool:
    """Say whether a cell can be no title; a year can be one."""
    if re.fullmatch(r"(?:19|20)\d\d", cell):
        return False
    return is_number(cell) or is_date(cell)


def _titles(rows: list[list[str]], start: int) -> int:
    """Return how many lines the header takes: 0, 1 or 2."""
    first = rows[start]
    if not _looks_like_titles(first):
        return 0
    if start + 1 >= len(rows):
        return 1
    second = rows[start + 1]
    below = rows[start + 2 : start + 12]
    values_below = any(_is_value(cell) for row in below for cell in row)
    holes = [
        place
        for place in range(max(len(first), len(second)))
        if not _at(first, place) and _at(second, place)
    ]
    if holes and values_below and _looks_like_titles(second) and min(holes) > 0:
        return 2
    return 1


def _at(row: list[str], place: int) -> str:
    return row[place] if place < len(row) else ""


def _names(header: list[list[str]], width: int) -> tuple[str, ...]:
    """Name the columns: two lines are joined, empty and repeated names are made distinct."""
    if not header:
        return tuple(f"colonne {place}" for place in range(1, width + 1))
    if len(header) > 1:
        groups, last = [], ""
        for cell in _padded(header[0], width):
            last = cell or last
            groups.append(last)
        under = _padded(header[1], width)
        names = [
            " : ".join(dict.fromkeys(filter(None, pair)))
            for pair in zip(groups, under, strict=True)
        ]
    else:
        names = _padded(header[0], width)
    made: list[str] = []
    for place, name in enumerate(names, 1):
        match = _DBF.match(name)
        base = " ".join((match[1] if match else name).split()) or f"colonne {place}"
        distinct, rank = base, 2
        while distinct in made:
            distinct, rank = f"{base} ({rank})", rank + 1
        made.append(distinct)
    return tuple(made)


def is_dbf_title(cell: str) -> bool:
    """Say whether a title carries its type, as in « OBJECTID,N,9,0 »."""
    return bool(_DBF.match(cell.strip()))


def _is_total(row: list[str]) -> bool:
    """Say whether a row is a total: the word comes first, and most of its texts are missing."""
    filled = [cell for cell in row if cell]
    first = filled[0] if filled else ""
    if not _TOTAL.match(plain(first).replace(":", "").strip()):
        return False
    others = [cell for cell in filled[1:] if not is_number(cell)]
    return len(others) <= 1 and any(map(is_number, filled[1:]))
