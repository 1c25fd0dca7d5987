"""A table lines up on their figures the columns that are of numbers, and no other."""

from collections.abc import Sequence

import pytest
from bs4 import BeautifulSoup

from culture_d.tables import html_table


@pytest.mark.parametrize(
    ("values", "lined_up"),
    [
        ([1, 2.5], True),
        (["12", "1 234,5", "84 %"], True),
        (["-0,2", "−3"], True),
        ([31.5, "inconnus"], True),
        ([3, None, "–"], True),
        (["Anne", "01 99 00 03 63"], False),
        ([12, "mal coupé"], False),
        ([None, ""], False),
    ],
)
def test_a_column_is_of_numbers_or_is_not(values: Sequence[object], lined_up: bool) -> None:
    rows = [(f"Ligne {rank}", value) for rank, value in enumerate(values)]
    page = BeautifulSoup(html_table(["Nom", "Valeur"], rows, "Essai"), "html.parser")
    assert [bool(one.get("class")) for one in page.select("td")] == [lined_up] * len(values)
    assert [bool(one.get("class")) for one in page.select("thead th")] == [False, lined_up]
