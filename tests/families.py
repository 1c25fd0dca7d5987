"""Which pages are looked at in `make test`, and which in `make soak` alone.

Trainers' sheets, sessions and papers are written by one template each: the first two of a
family stand for the others where every page is opened. Checks that take long for each page
see every lesson, and one in two of the other pages.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath

import pytest

FAMILIES = ("book/formateurs", "book/formateurs/seances", "book/formateurs/documents")
ENOUGH = 2


def now(names: Iterable[str]) -> list[str]:
    """Return the pages to look at in `make test`, of their names with or without « .html »."""
    seen: Counter[str] = Counter()
    kept = []
    for name in names:
        page = PurePosixPath(name)
        family = page.parent.as_posix()
        if family in FAMILIES and page.stem != "index":
            seen[family] += 1
            if seen[family] > ENOUGH:
                continue
        kept.append(name)
    return kept


def fewer(names: Iterable[str]) -> list[str]:
    """Return, of these pages, every lesson and one in two of the others."""
    kept = now(names)
    others = [name for name in kept if not name.startswith("notebooks/")]
    return [name for name in kept if name not in others[1::2]]


def rest(names: Iterable[str]) -> list[str]:
    """Return the pages that `fewer` leaves out."""
    names = list(names)
    return sorted(set(names) - set(fewer(names)))


Share = Callable[[Iterable[str]], list[str]]
SHARES = [
    pytest.param(fewer, id="maintenant"),
    pytest.param(rest, id="ensuite", marks=pytest.mark.long),
]
# The same of what there is for each of the 34,875 communes.
SOME = [
    pytest.param(slice(None, None, 5), id="une sur cinq"),
    pytest.param(slice(None), id="toutes", marks=pytest.mark.long),
]
