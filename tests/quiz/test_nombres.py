"""The number field reads what people write in French, and refuses the rest in French."""

import string
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page

from culture_d.french import nombre

UNITS = ["", "%", "€", "habitants", "m²", "kWh par an"]


@pytest.fixture(scope="module")
def reader(browser: Browser, quiz_address: str) -> Iterator[Page]:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{quiz_address}/book/essai.html")
        yield page


def read(page: Page, text: str, unit: str = "") -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate("a => cultureD.readNumber(...a)", [text, unit])
    assert set(found) in ({"value"}, {"fault"})
    return found


MANY = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@MANY
@given(
    value=st.decimals(-(10**9), 10**9, places=3).map(float),
    space=st.sampled_from(["\u202f", "\u00a0", " ", "\u2009", ""]),
    before=st.sampled_from(["", " ", "\u00a0"]),
    unit=st.sampled_from(UNITS),
    typed=st.booleans(),
    minus=st.sampled_from(["-", "−", "–"]),
)
def test_a_number_written_in_french_is_read_back(
    reader: Page, value: float, space: str, before: str, unit: str, typed: bool, minus: str
) -> None:
    text = nombre(value, 3).replace("\u202f", space).replace("-", minus)
    written = f" {text}{before}{unit if typed else ''} "
    assert read(reader, written, unit) == {"value": pytest.approx(value, abs=1e-9)}


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("1 960", "habitants", 1960),
        ("1\u202f960,0", "habitants", 1960),
        ("1960,0", "", 1960),
        ("1960.", "", 1960),
        ("83,9 %", "%", 83.9),
        ("83.9%", "%", 83.9),
        ("83,9 pour cent", "%", 83.9),
        ("+12", "", 12),
        ("− 3,5", "", -3.5),
        (",5", "", 0.5),
        ("0.125", "", 0.125),
        ("1 HABITANT", "habitants", 1),
        ("12 hab.", "habitants", 12),
        ("1 234 567,89 euros", "€", 1234567.89),
        ("1960.123", "", 1960.123),
        ("\u200e226\ufeff", "", 226),
    ],
)
def test_usual_writings(reader: Page, text: str, unit: str, value: float) -> None:
    assert read(reader, text, unit) == {"value": value}


@pytest.mark.parametrize(
    ("text", "unit", "fault"),
    [
        ("", "", "Écrivez un nombre"),
        ("\u202f \u00a0", "", "Écrivez un nombre"),
        ("1.960", "", "Est-ce 1\u202f960 ou 1,960"),
        ("12 communes", "habitants", "l’unité est «\u00a0habitants\u00a0»"),
        ("12 %", "", "Écrivez le nombre seul"),
        ("19 60", "", "ne se lit pas"),
        ("1 9600", "", "ne se lit pas"),
        ("1,2,3", "", "ne se lit pas"),
        ("1.234.567", "", "ne se lit pas"),
        ("douze", "", "ne se lit pas"),
        ("-", "", "ne se lit pas"),
        (",", "", "ne se lit pas"),
        ("% 12", "%", "ne se lit pas"),
        ("1e5", "", "nombre seul"),
        ("0x10", "", "nombre seul"),
        ("Infinity", "", "ne se lit pas"),
        ("NaN", "", "ne se lit pas"),
        ("٤٥٩", "", "ne se lit pas"),
        ("10²", "", "nombre seul"),
        ("9" * 400, "", "ne se lit pas"),
        ("<img src=x onerror=alert(1)>", "", "ne se lit pas"),
        ("12 constructor", "habitants", "l’unité est"),
    ],
)
def test_what_is_not_a_number_is_said(reader: Page, text: str, unit: str, fault: str) -> None:
    assert fault in read(reader, text, unit)["fault"]


@MANY
@given(
    text=st.text(
        st.one_of(
            st.sampled_from(string.digits + " ,.-+%€<>'\"\\\u202f\u00a0\u200b"),
            st.characters(exclude_categories=["Cs"]),
        ),
        max_size=40,
    ),
    unit=st.sampled_from(UNITS),
)
def test_no_text_breaks_the_reader(reader: Page, text: str, unit: str) -> None:
    """A number that is read only comes from a text that has its figures, in their order."""
    found = read(reader, text, unit)
    if "value" in found:
        figures = "".join(one for one in text if one in string.digits)
        value = f"{abs(Decimal(repr(found['value']))):f}".replace(".", "")
        assert value.strip("0") in figures or len(figures) > 15
    else:
        assert found["fault"].endswith(".")
