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

NOTEBOOK = "notebooks/comprendre/moyenne-mediane.ipynb"
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


def test_the_scene(said: dict[str, str], populations: list[int]) -> None:
    assert f"en moyenne {nombre(round(_mean(populations)))}" in said["scene"]
    assert nombre(OURS) in said["scene"]


def test_the_guess(said: dict[str, str], populations: list[int]) -> None:
    mean = _mean(populations)
    share, ours = _below(populations, mean), _below(populations, OURS)
    text = said["deviner"]
    assert f"\n{round(100 * ours)} : Non" in text
    assert f"\n{round(100 * share)} : Oui. C'est le cas de {round(100 * share)} communes" in text
    assert nombre(float(_median(populations))) in text


def test_the_data(
    said: dict[str, str], tables: dict[str, list[list[str]]], rows: list[dict[str, str]]
) -> None:
    assert f"{nombre(len(rows))} lignes" in said["lignes"]
    mayotte = sum(row["departement"] == "976" for row in rows)
    empty = sum(row["population"] == "0" for row in rows)
    assert f"Les {mayotte} communes de Mayotte" in said["reserves"]
    assert re.search(rf"{empty}\s+communes de la Meuse ont 0 habitant", said["reserves"])
    assert {row["departement"] for row in rows if row["population"] == "0"} == {"55"}
    others = [int(row["population"]) for row in rows if row["departement"] != "976"]
    assert f"elle serait de {nombre(float(_mean(others)))}" in said["reserves"]
    names = {row["nom"]: row for row in rows}
    assert len(tables["lignes"]) == 5
    for name, code, population in tables["lignes"]:
        row = names[name]
        assert (row["code"], nombre(int(row["population"]))) == (code, population)


def test_the_hundred_communes(
    said: dict[str, str], tables: dict[str, list[list[str]]], populations: list[int]
) -> None:
    ordered = sorted(populations)
    mean = _mean(populations)

    def at(rank: int) -> int:
        """Population of the commune nearest to the middle of the rank-th hundredth."""
        place = (Fraction(rank) - Fraction(1, 2)) / 100 * (len(ordered) - 1)
        return ordered[round(place)]

    above = sum(at(rank) > mean for rank in range(1, 101))
    out = sum(at(rank) > 8000 for rank in range(1, 101))
    text = said["file"]
    assert f"{100 - above} restent sous la moyenne" in text
    assert f"les {above} dernières" in text
    assert f"Les {out} dernières sortent du cadre" in text
    assert f"est à {nombre(float(_median(populations)))}" in text
    assert f"La moyenne, {nombre(float(mean))}," in text
    assert f"{nombre(OURS)}, est vers la {int(100 * _below(populations, OURS)) + 1}e barre" in text
    assert at(50) <= _median(populations) <= at(51)
    assert tables["file"] == [[f"{rank}e", nombre(at(rank))] for rank in (10, 25, 50, 75, 90, 100)]


def test_the_finding(said: dict[str, str], populations: list[int]) -> None:
    text = said["constat"]
    assert f"{pourcent(float(_below(populations, _mean(populations))))} des communes" in text
    assert f"{pourcent(float(_below(populations, OURS)))} des communes" in text
    assert _mean(populations) > OURS
    assert _median(populations) < OURS


def test_without_the_largest(
    said: dict[str, str], tables: dict[str, list[list[str]]], populations: list[int]
) -> None:
    ordered = sorted(populations, reverse=True)
    removed = (0, 1, 10, 100, 1000)
    means = [_mean(ordered[count:]) for count in removed]
    medians = [_median(ordered[count:]) for count in removed]
    labels = ["0", "1 (Paris)", "10", "100", nombre(1000)]
    text = said["sans-les-grandes"]
    for label, mean, median in zip(labels, means, medians, strict=True):
        words = f"moyenne {nombre(float(mean))}, médiane {nombre(float(median))}."
        assert f"Communes retirées\u00a0: {label}\u00a0; {words}" in text
    assert tables["sans-les-grandes"] == [
        [label, nombre(float(mean)), nombre(float(median), 1)]
        for label, mean, median in zip(labels, means, medians, strict=True)
    ]
    drop = 1 - means[3] / means[0]
    share = Fraction(100, len(populations))
    assert f"soit {pourcent(float(share), 1)}" in said["bilan-retrait"]
    assert f"de {pourcent(float(drop))}. " in said["bilan-retrait"]
    assert f"de {nombre(float(medians[0]))} à {nombre(float(medians[3]))}" in said["bilan-retrait"]


def test_the_right_reading(
    said: dict[str, str], tables: dict[str, list[list[str]]], populations: list[int]
) -> None:
    mean, median = nombre(float(_mean(populations))), nombre(float(_median(populations)))
    assert f"à parts égales\u00a0: {mean}" in said["deux-reponses"]
    assert f"au milieu de la file\u00a0: {median}" in said["deux-reponses"]
    assert [row[1:] for row in tables["deux-reponses"]] == [["médiane", median], ["moyenne", mean]]


def test_the_weighted_answers(
    said: dict[str, str], tables: dict[str, list[list[str]]], rows: list[dict[str, str]]
) -> None:
    populations = [int(row["population"]) for row in rows]
    total = sum(populations)
    weighted = Fraction(sum(value * value for value in populations), total)
    no_paris = [int(row["population"]) for row in rows if row["code"] != "75056"]
    weighted_no_paris = Fraction(sum(value * value for value in no_paris), sum(no_paris))
    ordered, reached, count = sorted(populations, reverse=True), 0, 0
    while 2 * reached < total:
        reached += ordered[count]
        count += 1
    assert [row[1:] for row in tables["trois-reponses"]] == [
        ["moyenne pondérée", nombre(float(weighted))],
        ["médiane des habitants", nombre(ordered[count - 1])],
    ]
    assert nombre(round(weighted_no_paris)) in said["pondere"]
    assert f"de {nombre(count)} communes pour réunir" in said["pondere"]
    assert f"au moins {nombre(ordered[count - 1])}." in said["pondere"]
    assert sum(value >= ordered[count - 1] for value in populations) == count


def test_the_region(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    project: Project,
    rows: list[dict[str, str]],
) -> None:
    by_departement: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row["region"] == "32":
            by_departement[row["departement"]].append(int(row["population"]))
    path = Path(project.datasets / "departements" / "departements.csv")
    with path.open(encoding="utf-8", newline="") as handle:
        names = {row["code"]: row["nom"] for row in csv.DictReader(handle)}
    larger = sum(_mean(values) > _median(values) for values in by_departement.values())
    assert f"dans {larger}\u00a0départements sur {len(by_departement)}" in said["region"]
    for code, values in by_departement.items():
        median, mean = nombre(float(_median(values))), nombre(float(_mean(values)))
        assert f"{names[code]}\u00a0: médiane {median}, moyenne {mean}." in said["region"]
    assert sorted(tables["region"]) == sorted(
        [
            names[code],
            nombre(len(values)),
            nombre(float(_median(values)), 1),
            nombre(float(_mean(values))),
        ]
        for code, values in by_departement.items()
    )
    somme = by_departement["80"]
    median, mean = nombre(float(_median(somme))), nombre(float(_mean(somme)))
    assert said["chez-nous"].startswith(f"Somme, {len(somme)}\u00a0communes")
    assert f"médiane {median}, moyenne {mean}." in said["chez-nous"]
    assert f"que {pourcent(float(_below(somme, OURS)))} d’entre elles" in said["chez-nous"]


def test_the_letter(said: dict[str, str], populations: list[int]) -> None:
    assert pourcent(float(_below(populations, _mean(populations)))) in said["lettre"]
    assert f"que {pourcent(float(_below(populations, OURS)))}\ndes communes" in said["lettre"]


def test_the_check_yourself_number(
    said: dict[str, str], tables: dict[str, list[list[str]]], rows: list[dict[str, str]]
) -> None:
    population = {row["code"]: int(row["population"]) for row in rows}
    five = [population[code] for code in sorted(row[1] for row in tables["lignes"])]
    ordered = sorted(five)
    text = said["questions"]
    assert f"comptent {', '.join(map(nombre, five[:-1]))} et {nombre(five[-1])} hab" in text
    middle = (ordered[0] + ordered[-1]) / 2
    assert f"✓ {nombre(float(_median(five)))}\u00a0habitants : Rangées" in text
    assert f"donnent {', '.join(map(nombre, ordered[:-1]))} et {nombre(ordered[-1])}." in text
    assert f"✗ {nombre(five[2])}\u00a0habitants : C'est la troisième de la liste" in text
    assert f"✗ {nombre(float(_mean(five)), 6)}\u00a0habitants : C'est la moyenne" in text
    below = sum(value < _mean(five) for value in five)
    assert f"la tire vers le haut : {below} communes sur 5" in text
    assert f"✗ {nombre(middle, 6)}\u00a0habitants : C'est le milieu entre" in text


def test_the_check_yourself_choice(said: dict[str, str], rows: list[dict[str, str]]) -> None:
    somme = [int(row["population"]) for row in rows if row["departement"] == "80"]
    mean, median = _mean(somme), _median(somme)
    between = round(float((mean + median) / 2) / 100) * 100
    near = sum(abs(value - mean) <= 100 for value in somme)
    assert median < between < mean
    text = said["questions"]
    shown = nombre(round(mean))
    assert f"« Somme : en moyenne {shown}\u00a0habitants par commune. »" in text
    assert f"a moins de {shown}\u00a0habitants. : C'est la médiane" in text
    assert f"elle est à {nombre(float(median))}. " in text
    assert f"il y a {pourcent(float(_below(somme, mean)))} des communes" in text
    assert f"c'est le cas de {near}\u00a0communes sur {len(somme)}. " in text
    total = f"Avec {len(somme)}\u00a0communes, on retrouve le total, {nombre(sum(somme))}\u00a0habitants"
    assert total in text
    assert f"✗ Une commune de {between}\u00a0habitants est parmi les moins peuplées" in text
    assert f"plus peuplée que {pourcent(float(_below(somme, between)))} des communes" in text


def test_the_check_yourself_decisions(
    said: dict[str, str], project: Project, rows: list[dict[str, str]]
) -> None:
    path = project.datasets / "territoire" / "communes.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        before = [int(row["population"]) for row in csv.DictReader(handle)]
    after = [value + 2_000 * (value == max(before)) for value in before]
    gain = _mean(after) - _mean(before)
    still = sum(one == other for one, other in zip(before, after, strict=True))
    assert _median(before) == _median(after)
    text = said["questions"]
    assert f"fictive de {len(before)}\u00a0communes" in text
    assert f"la commune moyenne a gagné {nombre(float(gain))}\u00a0habitants. »" in text
    assert f"Les {still} autres n'ont pas bougé" in text
    assert f"Ici, {still} communes sur {len(before)} n'ont pas bougé" in text
    somme = [int(row["population"]) for row in rows if row["departement"] == "80"]
    below = [sum(value < limit for value in somme) for limit in (_mean(somme), _median(somme))]
    assert f"elle irait à {pourcent(below[0] / len(somme))} des communes" in text
    assert f": {below[0]} communes sur {len(somme)} avec la moyenne, {below[1]} avec" in text


def test_the_quartiles(said: dict[str, str], rows: list[dict[str, str]]) -> None:
    somme = sorted(int(row["population"]) for row in rows if row["departement"] == "80")

    def quartile(share: Fraction) -> Fraction:
        place = share * (len(somme) - 1)
        low = int(place)
        return somme[low] + (place - low) * (somme[low + 1] - somme[low])

    assert f"au plus {nombre(float(quartile(Fraction(1, 4))))} habitants" in said["quartiles"]
    assert f"au moins {nombre(float(quartile(Fraction(3, 4))))}." in said["quartiles"]


def test_no_number_is_typed_in_the_prose(project: Project) -> None:
    """Numbers of the prose that come from data are printed by code, never typed."""
    notebook = read(project.root / NOTEBOOK)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"^\d\. ", "", prose, flags=re.MULTILINE)
    prose = re.sub(r"\]\([^)]*\)", "]", prose)
    typed = re.findall(r"\d[\d\s\u202f]*", prose)
    # 100 communes of the model; the article of law and the dates of its check.
    allowed = {"100", "2151", "2", "2334", "2026", "1", "2027"}
    assert {number.strip() for number in typed} <= allowed
