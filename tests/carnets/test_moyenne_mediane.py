"""Every number that moyenne-mediane prints, recomputed by other code than its own.

Plain Python on the CSV: no pandas, none of the notebook's functions but the French
writing of numbers, whose own test is elsewhere.
"""

import csv
import re
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

import pytest

from culture_d.french import nombre, pourcent
from culture_d.notebooks import read
from culture_d.project import Project

OURS = 820


def _median(values: list[int]) -> Fraction:
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return Fraction(ordered[middle])
    return Fraction(ordered[middle - 1] + ordered[middle], 2)


def _mean(values: list[int]) -> Fraction:
    return Fraction(sum(values), len(values))


def _below(values: list[int], limit: Fraction | int) -> Fraction:
    return Fraction(sum(value < limit for value in values), len(values))


@pytest.fixture(scope="module")
def rows(project: Project) -> list[dict[str, str]]:
    path = project.datasets / "communes" / "communes.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def populations(rows: list[dict[str, str]]) -> list[int]:
    return [int(row["population"]) for row in rows]


@pytest.fixture(scope="module")
def said(project: Project) -> dict[str, str]:
    """What each cell shows, as text, by cell id."""
    notebook = read(project.root / "notebooks/comprendre/moyenne-mediane.ipynb")
    return {
        cell.id: "\n".join(
            str(
                output.get("data", {}).get(
                    "text/markdown", output.get("data", {}).get("text/plain")
                )
            )
            for output in cell.outputs
        )
        for cell in notebook.cells
        if cell.cell_type == "code"
    }


def test_the_scene(said: dict[str, str], populations: list[int]) -> None:
    assert f"en moyenne {nombre(round(_mean(populations)))}" in said["scene"]
    assert nombre(OURS) in said["scene"]


def test_the_guess(said: dict[str, str], populations: list[int]) -> None:
    mean = _mean(populations)
    share, ours = _below(populations, mean), _below(populations, OURS)
    text = said["deviner"]
    assert f"\n{round(100 * ours)} : Non" in text
    assert f"\n{round(100 * share)} : Oui. {pourcent(float(share), 1)}" in text
    assert nombre(float(_median(populations))) in text


def test_the_data(said: dict[str, str], rows: list[dict[str, str]]) -> None:
    assert f"{nombre(len(rows))} lignes" in said["lignes"]
    mayotte = sum(row["departement"] == "976" for row in rows)
    empty = sum(row["population"] == "0" for row in rows)
    assert f"Les {mayotte} communes de Mayotte" in said["reserves"]
    assert re.search(rf"{empty}\s+communes ont 0 habitant", said["reserves"])
    names = {row["nom"]: row for row in rows}
    for line in said["lignes"].splitlines()[2:]:
        name, code, population = line.strip().rsplit(maxsplit=2)
        assert (names[name]["code"], names[name]["population"]) == (code, population)


def test_the_hundred_communes(said: dict[str, str], populations: list[int]) -> None:
    ordered = sorted(populations)
    mean = _mean(populations)

    def at(rank: int) -> Fraction:
        """Value at the middle of the rank-th hundredth, by linear interpolation."""
        place = (Fraction(rank) - Fraction(1, 2)) / 100 * (len(ordered) - 1)
        low = int(place)
        return ordered[low] + (place - low) * (ordered[low + 1] - ordered[low])

    above = sum(at(rank) > mean for rank in range(1, 101))
    out = sum(at(rank) > 8000 for rank in range(1, 101))
    text = said["file"]
    assert f"{100 - above} restent sous la moyenne" in text
    assert f"les {above} dernières barres" in text
    assert f"Les {out} dernières sortent du cadre" in text
    for rank in (50, 100):
        assert f"{rank}e" in text
        assert nombre(round(at(rank))) in text
    for rank in (10, 25, 50, 75, 90, 100):
        assert re.search(rf"{rank}e\s+{round(at(rank))}", text)


def test_the_finding(said: dict[str, str], populations: list[int]) -> None:
    text = said["constat"]
    assert f"{pourcent(float(_below(populations, _mean(populations))), 1)} des communes" in text
    assert f"{pourcent(float(_below(populations, OURS)), 1)} des communes" in text


def test_without_the_largest(said: dict[str, str], populations: list[int]) -> None:
    ordered = sorted(populations, reverse=True)
    means = [_mean(ordered[count:]) for count in (0, 1, 10, 100, 1000)]
    medians = [_median(ordered[count:]) for count in (0, 1, 10, 100, 1000)]
    text = said["sans-les-grandes"]
    assert ", ".join(nombre(float(mean)) for mean in means) in text
    assert ", ".join(nombre(float(median)) for median in medians) in text
    drop = 1 - means[3] / means[0]
    share = Fraction(100, len(populations))
    assert f"soit {pourcent(float(share), 1)}" in said["bilan-retrait"]
    assert f"de {pourcent(float(drop))}. " in said["bilan-retrait"]
    assert f"de {nombre(float(medians[0]))} à {nombre(float(medians[3]))}" in said["bilan-retrait"]


def test_the_four_answers(said: dict[str, str], rows: list[dict[str, str]]) -> None:
    populations = [int(row["population"]) for row in rows]
    total = sum(populations)
    weighted = Fraction(sum(value * value for value in populations), total)
    no_paris = [int(row["population"]) for row in rows if row["code"] != "75056"]
    weighted_no_paris = Fraction(sum(value * value for value in no_paris), sum(no_paris))
    ordered, reached, count = sorted(populations, reverse=True), 0, 0
    while 2 * reached < total:
        reached += ordered[count]
        count += 1
    numbers: list[Fraction | int] = [
        _median(populations),
        _mean(populations),
        weighted,
        ordered[count - 1],
    ]
    for number in numbers:
        assert re.search(rf"\b{round(number)}\b", said["trois-reponses"])
    assert nombre(round(weighted_no_paris)) in said["pondere"]
    assert f"dans {nombre(count)} communes seulement" in said["pondere"]
    assert f"au moins {nombre(ordered[count - 1])} habitants" in said["pondere"]


def test_the_region(said: dict[str, str], project: Project, rows: list[dict[str, str]]) -> None:
    by_departement: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row["region"] == "32":
            by_departement[row["departement"]].append(int(row["population"]))
    path = Path(project.datasets / "departements" / "departements.csv")
    with path.open(encoding="utf-8", newline="") as handle:
        names = {row["code"]: row["nom"] for row in csv.DictReader(handle)}
    larger = sum(_mean(values) > _median(values) for values in by_departement.values())
    assert f"dans {larger} départements sur {len(by_departement)}" in said["region"]
    for code, values in by_departement.items():
        median, mean = nombre(float(_median(values)), 1), nombre(float(_mean(values)))
        assert f"{names[code]}\u00a0: médiane {median}, moyenne {mean}." in said["region"]
    somme = by_departement["80"]
    assert f"médiane {nombre(float(_median(somme)), 1)}" in said["chez-nous"]
    assert f"que {pourcent(float(_below(somme, OURS)))} des autres" in said["chez-nous"]


def test_the_letter(said: dict[str, str], populations: list[int]) -> None:
    assert pourcent(float(_below(populations, _mean(populations)))) in said["lettre"]
    assert f"{pourcent(float(_below(populations, OURS)))} des communes" in said["lettre"]


def test_the_quartiles(said: dict[str, str], rows: list[dict[str, str]]) -> None:
    somme = sorted(int(row["population"]) for row in rows if row["departement"] == "80")

    def quartile(share: Fraction) -> Fraction:
        place = share * (len(somme) - 1)
        low = int(place)
        return somme[low] + (place - low) * (somme[low + 1] - somme[low])

    assert f"au plus {nombre(round(quartile(Fraction(1, 4))))}" in said["quartiles"]
    assert f"au moins {nombre(round(quartile(Fraction(3, 4))))}" in said["quartiles"]


def test_no_number_is_typed_in_the_prose(project: Project) -> None:
    """Numbers of the prose that come from data are printed by code, never typed."""
    notebook = read(project.root / "notebooks/comprendre/moyenne-mediane.ipynb")
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"^\d\. ", "", prose, flags=re.MULTILINE)
    prose = re.sub(r"\]\([^)]*\)", "]", prose)
    typed = re.findall(r"\d[\d\s\u202f]*", prose)
    # 100 communes of the model; the article of law and the dates of its check.
    allowed = {"100", "2151", "2", "2026", "1", "2027"}
    assert {number.strip() for number in typed} <= allowed
