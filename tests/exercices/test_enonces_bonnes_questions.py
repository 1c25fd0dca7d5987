"""The numbers written in the questions of « bonnes-questions », recomputed from the data."""

import csv
import math
import re
from fractions import Fraction

import nbformat
import pytest

from culture_d import exercises
from culture_d.french import pourcent
from culture_d.project import Project

SLUG = "bonnes-questions"


@pytest.fixture(scope="module")
def text(project: Project) -> str:
    notebook = nbformat.read(exercises.source_of(project, SLUG), as_version=4)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.sub(r"[\s\u00a0\u202f]+", " ", prose)


@pytest.fixture(scope="module")
def created(project: Project) -> dict[tuple[int, str], int]:
    with (project.datasets / "plaquette" / "creations.csv").open(encoding="utf-8") as file:
        return {
            (int(row["annee"]), row["commune"]): int(row["creations"])
            for row in csv.DictReader(file)
        }


def share(value: Fraction) -> str:
    return re.sub(r"\s", " ", pourcent(float(value)))


def growth(created: dict[tuple[int, str], int], start: int, ours: bool) -> Fraction:
    first, last = (
        sum(
            count
            for (year, name), count in created.items()
            if year == wanted and (name == "Grandvoie") == ours
        )
        for wanted in (start, 2025)
    )
    return Fraction(last, first) - 1


def test_the_rises_quoted_are_those_of_the_data(
    text: str, created: dict[tuple[int, str], int]
) -> None:
    ours, others = growth(created, 2021, True), growth(created, 2021, False)
    assert f"ont augmenté de {share(ours)} à Grandvoie, et de {share(others)} dans" in text
    assert f"ont fait monter les créations de {share(ours)}" in text or (
        f"a fait monter les créations de {share(ours)}" in text
    )
    assert f"ont bondi de {share(growth(created, 2020, True))} grâce" in text
    before, now = created[2019, "Grandvoie"], created[2025, "Grandvoie"]
    assert f"En 2025, {now} entreprises" in text
    assert f"Il y en avait {before} en 2019, avant 2020, année creuse : un tel écart peut" in text
    assert now - before < 2 * math.sqrt(before)


def test_the_counts_quoted_are_those_of_the_data(
    project: Project, text: str, created: dict[tuple[int, str], int]
) -> None:
    assert created[2025, "Saint-Orland"] == 9
    assert "À Saint-Orland, neuf entreprises créées en 2025" in text
    assert created[2025, "La Noirelle"] == 3
    assert "La Noirelle n’a eu que trois créations" in text
    assert f"le calcul est `{created[2025, 'Grandvoie']} / 9100 * 1000`" in text
    total = {
        year: sum(n for (y, _), n in created.items() if y == year) for year in range(2016, 2026)
    }
    assert min(total, key=lambda year: total[year]) == 2020
    with (project.datasets / "communes" / "communes.csv").open(encoding="utf-8") as file:
        [bordeaux] = [row for row in csv.DictReader(file) if row["code"] == "33063"]
    shown = f"{int(bordeaux['population']):,}".replace(",", " ")
    assert f"Bordeaux compte {shown} habitants" in text


def test_the_ranking_quoted_is_that_of_the_data(
    text: str, created: dict[tuple[int, str], int], project: Project
) -> None:
    with (project.datasets / "plaquette" / "creations.csv").open(encoding="utf-8") as file:
        people = {row["commune"]: int(row["population"]) for row in csv.DictReader(file)}
    four = ("Grandvoie", "Clairvannes", "Fontarelle", "La Noirelle")
    ordered = sorted(four, key=lambda name: Fraction(created[2025, name], people[name]))
    assert f"au plus grand : {', '.join(ordered)}." in text
