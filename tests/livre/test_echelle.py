"""The plan of the page « À grande échelle » is what its measures say, computed again here."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup

from culture_d.errors import MeasuresError
from culture_d.project import Project
from culture_d.scale import lasting, load_measures, measures_path, size
from tests.conftest import copied

PAGE = "book/a-grande-echelle.html"
NIGHT = 10 * 60 * 60 * 1000
"""Milliseconds."""
WRITER = ("lecture", "reparation", "copie", "echange", "inscription", "retour", "bilan")
FILES = ("recue", "notebook", "retour", "registre")


@pytest.fixture(scope="module")
def page(site: Path) -> BeautifulSoup:
    return BeautifulSoup((site / PAGE).read_text(encoding="utf-8"), "html.parser")


@pytest.fixture(scope="module")
def measured(project: Project) -> Any:
    return yaml.safe_load(measures_path(project).read_text(encoding="utf-8"))


def test_the_long_run_is_told_as_it_went(page: BeautifulSoup, measured: Any) -> None:
    ran = measured["epreuve"]
    assert ran["copies"] == 1000
    told = next(plain(one.get_text()) for one in page.select("p") if "make soak" in one.get_text())
    for words in (
        f"Le {ran['date'].day} ",
        f" {ran['date'].year}, 1 000 copies ont été corrigées",
        f" en {ran['secondes'] / 60:.1f} min, ".replace(".", ","),
        f" avec {ran['correcteurs']} correcteurs",
        f" {ran['memoire'] / 1e9:.1f} Go au plus".replace(".", ","),
    ):
        assert words in told


def table(page: BeautifulSoup, words: str) -> dict[str, list[str]]:
    found = {}
    for row in page.select(f'table:has(caption:-soup-contains("{words}")) tbody tr'):
        name, *cells = row.select("th, td")
        found[name.get_text()] = [plain(cell.get_text()) for cell in cells]
    return found


def plain(text: str) -> str:
    return re.sub(r"\s", " ", text)


def number(text: str) -> float:
    return float(text.replace(" ", "").replace(",", "."))


def test_each_step_is_shown_as_it_was_measured(page: BeautifulSoup, measured: Any) -> None:
    shown = [number(cells[-1]) for cells in table(page, "étape par étape").values()]
    expected = [1000 * seconds for seconds in measured["secondes"].values()]
    assert sorted(shown) == pytest.approx(sorted(expected), abs=0.051)


def test_the_plan_follows_from_the_measures(page: BeautifulSoup, measured: Any) -> None:
    writing = sum(1000 * measured["secondes"][name] for name in WRITER)
    working = 1000 * measured["secondes"]["correction"]
    assert set(measured["secondes"]) == {*WRITER, "correction", "reprise"}
    room = min(16, math.floor(64 * 2**30 * 0.9 / measured["memoire"]["correcteur"]))
    disk = sum(measured["octets"][name] for name in FILES)
    rows = table(page, "en une nuit")
    for column, count in enumerate((1_000, 100_000, 10_000_000)):
        books = next(n for n in range(1, 10**6) if count * writing <= n * NIGHT)
        workers = next(n for n in range(1, 10**6) if count * working <= n * NIGHT)
        hours = max(count * writing / books, count * working / workers) / 3_600_000
        each = -(-count // books)
        expected = {
            "Correcteurs": workers,
            "Carnets de notes, un par programme qui écrit": books,
            "Machines": -(-(workers + books) // room),
            "Durée": duration(hours),
            "Temps de tous les correcteurs": duration(count * working / 3_600_000),
            "Temps d’écriture, s’il n’y avait qu’un carnet": duration(count * writing / 3_600_000),
            "Carnets de notes sur le disque": bytes_of(count * measured["octets"]["carnet"]),
            "Pages de retour sur le disque": bytes_of(count * measured["octets"]["retour"]),
            "Disque en tout, hors carnets": bytes_of(count * disk),
            "Mémoire de chaque programme qui écrit": bytes_of(each * measured["memoire"]["copie"]),
        }
        assert set(rows) == set(expected)
        for name, wanted in expected.items():
            shown = rows[name][column]
            if isinstance(wanted, int):
                assert number(shown) == wanted, name
            else:
                value, unit = wanted
                assert shown.endswith(f" {unit}"), (name, shown, unit)
                told = number(shown.removesuffix(unit))
                assert told == pytest.approx(value, abs=0.051 if value < 10 else 0.51), name
        assert hours <= 10


def duration(hours: float) -> tuple[float, str]:
    if hours >= 1:
        return hours, "h"
    return (hours * 60, "min") if hours * 60 >= 1 else (hours * 3600, "s")


def bytes_of(number: float) -> tuple[float, str]:
    power = int(math.log10(number)) // 3
    return number / 1000**power, ("octets", "ko", "Mo", "Go", "To")[power]


@pytest.mark.parametrize(
    ("number", "text"), [(1, "1 octet"), (999, "999 octets"), (1_250, "1,3 ko"), (3e13, "30 To")]
)
def test_a_size_is_written_with_its_unit(number: float, text: str) -> None:
    assert plain(size(number)) == text


@pytest.mark.parametrize(
    ("hours", "text"), [(0.002, "7 s"), (0.5, "30 min"), (1.24, "1,2 h"), (230, "230 h")]
)
def test_a_length_of_time_is_written_with_its_unit(hours: float, text: str) -> None:
    assert plain(lasting(hours)) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("  inscription: ", "  autre: "),
        ("secondes:\n", "secondes: []\nautre:\n"),
        ("  correcteur: ", "  correcteur: -"),
        ("epreuve:\n", "essai:\n"),
    ],
)
def test_a_measure_that_lacks_is_named(
    project: Project, tmp_path: Path, before: str, after: str
) -> None:
    course = copied(project, tmp_path / "cours")
    path = measures_path(course)
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(MeasuresError, match="make bench"):
        load_measures(course)
