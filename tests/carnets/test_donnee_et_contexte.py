"""Every number that donnee-et-contexte prints, recomputed by other code than its own.

Plain Python on the CSV: no pandas, none of the notebook's functions but the French
writing of numbers and dates, whose own test is elsewhere.
"""

import csv
from collections import defaultdict
from datetime import date
from itertools import pairwise

import pytest

from culture_d.french import date_longue, nombre, pourcent
from culture_d.project import Project

NOTEBOOK = "notebooks/comprendre/donnee-et-contexte.ipynb"
TONIGHT = date(2026, 11, 23)
VINTAGES = ("2019", "2020", "2022", "2023")
OVERSEAS = {
    "Mayotte": "976",
    "La Réunion": "974",
    "Guyane": "973",
    "Martinique": "972",
    "Guadeloupe": "971",
}
Rows = list[dict[str, str]]


def _rows(project: Project, name: str) -> Rows:
    with (project.datasets / name / f"{name}.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def plain(text: str) -> str:
    return " ".join(text.replace("’", "'").split())


@pytest.fixture(scope="module")
def communes(project: Project) -> dict[str, dict[str, str]]:
    """The national file, by code, each with its four vintages."""
    found = {row["code"]: dict(row) for row in _rows(project, "communes")}
    for row in _rows(project, "millesimes"):
        found[row["code"]].update(row)
    return found


@pytest.fixture(scope="module")
def steps(project: Project) -> dict[tuple[str, str], dict[str, str]]:
    return {(row["territoire"], row["etape"]): row for row in _rows(project, "jalons")}


def _population(communes: dict[str, dict[str, str]], departement: str) -> int:
    return sum(
        int(row["population"]) for row in communes.values() if row["departement"] == departement
    )


def _named(communes: dict[str, dict[str, str]], name: str) -> dict[str, str]:
    found = [row for row in communes.values() if row["nom"] == name]
    assert len(found) == 1
    return found[0]


def _followed(communes: dict[str, dict[str, str]]) -> Rows:
    """The communes that have a number in each vintage."""
    return [row for row in communes.values() if all(row[f"population_{y}"] for y in VINTAGES)]


def _frozen(row: dict[str, str]) -> bool:
    return len({int(row[f"population_{year}"]) for year in VINTAGES}) == 1


def test_the_scene(said: dict[str, str], communes: dict[str, dict[str, str]]) -> None:
    text = said["scene"]
    bandrele = nombre(int(_named(communes, "Bandrele")["population"]))
    assert plain(f"compte aujourd'hui {bandrele} habitants") in text
    assert plain(f"Avec {nombre(_population(communes, '976'))} habitants, Mayotte") in text
    assert plain(f"Lundi {date_longue(TONIGHT)}") in text
    assert TONIGHT.weekday() == 0
    others = {_population(communes, code) for name, code in OVERSEAS.items() if name != "Mayotte"}
    assert _population(communes, "976") < min(others)  # as the file says, whatever the dates


def test_the_guess(said: dict[str, str], steps: dict[tuple[str, str], dict[str, str]]) -> None:
    facts = steps["Mayotte", "faits"]["annee"]
    elsewhere = steps["autres départements", "faits"]["annee"]
    text = said["deviner"]
    assert f"De {TONIGHT.year} : Non. {TONIGHT.year}, c'est" in text
    assert f"De {elsewhere} : Non. {elsewhere} vaut" in text
    wrong = text[text.index(f"De {TONIGHT.year} :") : text.index(f"De {facts} :")]
    assert facts not in wrong  # a wrong answer does not give the right one away
    assert f"De {facts} : Oui. C'est le recensement de {facts}." in text


def test_the_lines_of_the_file(
    project: Project,
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    communes: dict[str, dict[str, str]],
) -> None:
    columns = list(_rows(project, "communes")[0])
    assert not any("date" in name or "annee" in name for name in columns)
    assert plain(f"{len(columns)} colonnes et {nombre(len(communes))} lignes") in said["lignes"]
    assert "Colonnes qui disent une date : aucune" in said["lignes"]
    assert len(tables["lignes"]) == 4
    for name, code, population in tables["lignes"]:
        assert communes[code]["nom"] == name
        assert plain(nombre(int(communes[code]["population"]))) == population


def test_the_four_vintages(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    communes: dict[str, dict[str, str]],
) -> None:
    three = [_named(communes, name) for name in ("Bandrele", "Mana", "Lille")]
    assert tables["quatre-millesimes"] == [
        [year, *(plain(nombre(int(row[f"population_{year}"]))) for row in three)]
        for year in VINTAGES
    ]
    bandrele, mana, lille = three
    assert _frozen(bandrele)
    for row in (mana, lille):
        assert len({row[f"population_{year}"] for year in VINTAGES}) == len(VINTAGES)
    first, last = (nombre(int(lille[f"population_{year}"])) for year in ("2019", "2023"))
    assert plain(f"de {first} à {last}.") in said["quatre-millesimes"]
    same = [row for row in communes.values() if row["population_2023"] != row["population"]]
    assert same == []


def test_who_moves(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    communes: dict[str, dict[str, str]],
) -> None:
    names = {code: name for name, code in OVERSEAS.items()}
    moved: dict[str, int] = defaultdict(int)
    followed: dict[str, int] = defaultdict(int)
    by_departement: dict[str, int] = defaultdict(int)
    for row in _followed(communes):
        place = names.get(row["departement"], "Métropole")
        followed[place] += 1
        moved[place] += not _frozen(row)
        by_departement[row["departement"]] += not _frozen(row)
    assert [code for code, count in by_departement.items() if not count] == ["976"]
    expected = [
        [
            name,
            plain(nombre(followed[name])),
            plain(nombre(moved[name])),
            plain(pourcent(moved[name] / followed[name], 1)),
        ]
        for name in (*OVERSEAS, "Métropole")
    ]
    assert tables["qui-bouge"] == expected
    for name, count, changed, _ in expected:
        assert f"{name} : {changed} sur {count}." in said["qui-bouge"]
    assert moved["Mayotte"] == 0 and "Mayotte : de 2019 à 2023, aucune" in said["qui-bouge"]


def test_the_finding(said: dict[str, str], communes: dict[str, dict[str, str]]) -> None:
    text = said["constat"]
    elsewhere = [
        int(row["population"])
        for row in _followed(communes)
        if _frozen(row) and row["departement"] != "976"
    ]
    mayotte = [int(row["population"]) for row in communes.values() if row["departement"] == "976"]
    departements = {row["departement"] for row in communes.values()}
    assert f"Sur {len(departements)} départements, 1 seul ne bouge pas : Mayotte" in text
    assert f"Ailleurs, {len(elsewhere)} communes" in text
    zero = elsewhere.count(0)
    assert f"{zero} villages détruits en 1916" in text
    small = f"et {len(elsewhere) - zero} communes de {max(elsewhere)} habitants au plus"
    assert small in text
    assert f"À Mayotte, les {len(mayotte)} communes sont figées ensemble" in text
    frozen = [row for row in _followed(communes) if row["departement"] == "976"]
    assert len(frozen) == len(mayotte) and all(_frozen(row) for row in frozen)
    assert plain(f"dépassent {nombre(5000)} habitants") in text
    assert 5000 < min(mayotte) < 6000


def test_the_ages(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    steps: dict[tuple[str, str], dict[str, str]],
) -> None:
    facts = int(steps["Mayotte", "faits"]["annee"])
    assert steps["Mayotte", "faits"]["date"] == ""
    old = TONIGHT.year - facts
    day = date.fromisoformat(steps["autres départements", "faits"]["date"])
    recent = round((TONIGHT - day).days / 365.25)
    assert f"Bandrele a environ {old} ans, celui de Mana environ {recent}" in said["ages"]
    published = {
        place: date_longue(date.fromisoformat(steps[place, "publication"]["date"]))
        for place in ("Mayotte", "autres départements")
    }
    assert tables["ages"] == [
        ["Date des faits", str(facts), date_longue(day)],
        ["Publication", published["Mayotte"], published["autres départements"]],
        ["Âge ce soir", f"environ {old} ans", f"environ {recent} ans"],
    ]
    for words in (*published.values(), f"faits en {facts}", f"faits au {date_longue(day)}"):
        assert words in said["ages"]


def test_the_right_reading(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    communes: dict[str, dict[str, str]],
    steps: dict[tuple[str, str], dict[str, str]],
) -> None:
    old, recent = (
        int(steps[place, "faits"]["annee"]) for place in ("Mayotte", "autres départements")
    )
    total = sum(int(row["population"]) for row in communes.values())
    count = sum(row["departement"] == "976" for row in communes.values())
    assert f"Celui de Bandrele a {recent - old} ans de plus" in said["reponse"]
    share = pourcent(_population(communes, "976") / total, 1)
    words = f"{count} communes sur {nombre(len(communes))}, et {share} des habitants"
    assert plain(words) in said["reponse"]
    ordered = sorted(OVERSEAS, key=lambda name: _population(communes, OVERSEAS[name]))
    assert tables["cinq-departements"] == [
        [
            name,
            plain(nombre(_population(communes, OVERSEAS[name]))),
            str(old if name == "Mayotte" else recent),
        ]
        for name in ordered
    ]
    gap = _population(communes, "973") - _population(communes, "976")
    assert plain(f"L'écart est de {nombre(gap)} habitants") in said["cinq-departements"]
    assert ordered[:2] == ["Mayotte", "Guyane"]


def test_the_decision(
    said: dict[str, str],
    communes: dict[str, dict[str, str]],
    steps: dict[tuple[str, str], dict[str, str]],
) -> None:
    bandrele = nombre(int(_named(communes, "Bandrele")["population"]))
    text = said["discours"]
    assert text.count(plain(f"{bandrele} habitants")) == 2
    assert f"Au recensement de {steps['Mayotte', 'faits']['annee']}" in text
    census = date.fromisoformat(steps["Mayotte", "nouveau recensement"]["date"])
    assert f"a commencé le {date_longue(census)}" in text


def test_the_check_yourself_questions(
    said: dict[str, str],
    communes: dict[str, dict[str, str]],
    steps: dict[tuple[str, str], dict[str, str]],
) -> None:
    text = said["questions"]
    old, recent = (
        int(steps[place, "faits"]["annee"]) for place in ("Mayotte", "autres départements")
    )
    bandrele = nombre(int(_named(communes, "Bandrele")["population"]))
    right = f"✓ « En {old}, l'Insee comptait {bandrele} habitants à Bandrele. »"
    assert plain(right) in text
    poster = f"« Mayotte, {nombre(_population(communes, '976'))} habitants. »"
    assert plain(poster) in text
    assert f"✓ {TONIGHT.year - old} ans : De {old} à {TONIGHT.year}." in text
    assert f"✗ {TONIGHT.year - recent} ans : C'est l'écart entre {recent}" in text
    assert f"✗ {recent - old} ans : C'est l'écart" in text
    days = [
        date.fromisoformat(steps["autres départements", step]["date"])
        for step in ("faits", "publication", "entrée en vigueur")
    ]
    assert [*days, TONIGHT] == sorted([*days, TONIGHT])
    places = [text.index(date_longue(day)) for day in (*days, TONIGHT)]
    assert places == sorted(places)
    assert 2.75 < (days[1] - days[0]).days / 365.25 < 3  # « près de trois ans »


def test_the_agents_tables(
    tables: dict[str, list[list[str]]],
    communes: dict[str, dict[str, str]],
    steps: dict[tuple[str, str], dict[str, str]],
) -> None:
    expected = []
    for before, after in pairwise(VINTAGES):
        shares = []
        for mayotte in (False, True):
            rows = [r for r in _followed(communes) if (r["departement"] == "976") is mayotte]
            same = sum(r[f"population_{before}"] == r[f"population_{after}"] for r in rows)
            shares.append(plain(pourcent(same / len(rows), 1)))
        expected.append([f"{before} et {after}", *shares])
    assert tables["controle"] == expected
    assert all(row[2] == plain(pourcent(1, 1)) for row in expected)
    old, recent = (steps[place, "faits"]["annee"] for place in ("Mayotte", "autres départements"))
    count = sum(row["departement"] == "976" for row in communes.values())
    total = sum(int(row["population"]) for row in communes.values())
    frozen = _population(communes, "976")
    assert tables["colonne"] == [
        [old, nombre(count), plain(nombre(frozen))],
        [recent, plain(nombre(len(communes) - count)), plain(nombre(total - frozen))],
    ]
