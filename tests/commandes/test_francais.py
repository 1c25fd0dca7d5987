"""Numbers and dates as French writes them."""

from datetime import date

import pytest

from culture_d.french import accord, date_longue, nombre, pourcent


@pytest.mark.parametrize(
    ("value", "places", "expected"),
    [
        (34875, 0, "34\u202f875"),
        (1959.8795, 1, "1\u202f959,9"),
        (1959.8795, 0, "1\u202f960"),
        (483.5, 1, "483,5"),
        (483.5, 0, "484"),
        (482.5, 0, "483"),  # half up, where Python rounds to even
        (459.0, 1, "459"),
        (-0.4, 0, "0"),
        (2_103_778, 0, "2\u202f103\u202f778"),
    ],
)
def test_number(value: float, places: int, expected: str) -> None:
    assert nombre(value, places) == expected


@pytest.mark.parametrize(
    ("share", "places", "expected"),
    [
        (0.83908, 1, "83,9\u202f%"),
        (0.84, 1, "84,0\u202f%"),
        (0.845, 0, "85\u202f%"),
        (1, 0, "100\u202f%"),
    ],
)
def test_percentage(share: float, places: int, expected: str) -> None:
    assert pourcent(share, places) == expected


def test_date() -> None:
    assert date_longue(date(2026, 3, 3)) == "3 mars 2026"
    assert date_longue(date(2026, 1, 1)) == "1er janvier 2026"
    assert date_longue(date(2026, 8, 21)) == "21 août 2026"


def test_count_with_its_noun() -> None:
    assert accord(0, "commune") == "0\u00a0commune"
    assert accord(1, "commune") == "1\u00a0commune"
    assert accord(1960, "habitant") == "1\u202f960\u00a0habitants"
    assert accord(2, "cheval", "chevaux") == "2\u00a0chevaux"
