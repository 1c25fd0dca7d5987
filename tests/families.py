"""Which pages are looked at in `make test`, and which in `make soak` alone.

Trainers' sheets, sessions and papers are written by one template each: the first two of a
family stand for the others where every page is opened.
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


def later(names: Iterable[str]) -> list[str]:
    """Return the other pages."""
    names = list(names)
    return sorted(set(names) - set(now(names)))


Share = Callable[[Iterable[str]], list[str]]
SHARES = [
    pytest.param(now, id="maintenant"),
    pytest.param(later, id="ensuite", marks=pytest.mark.long),
]
# The same of what there is for each of the 34,875 communes.
SOME = [
    pytest.param(slice(None, None, 5), id="une sur cinq"),
    pytest.param(slice(None), id="toutes", marks=pytest.mark.long),
]
