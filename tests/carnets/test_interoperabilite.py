"""Every number that interoperabilite prints, recomputed by other code than its own.

Plain Python on the CSV, with dictionaries: no pandas, no merge. The French writing of
numbers alone is shared; its own test is elsewhere.
"""

import csv
import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cache

import pytest
from bs4 import BeautifulSoup

from culture_d.french import date_longue, nombre, pourcent
from culture_d.notebooks import read
from culture_d.project import Project

NOTEBOOK = "notebooks/comprendre/interoperabilite.ipynb"
VAL_GUIERS = "247300528"
KEYS = ("nom", "postal", "code", "passage")
LABELS = ("Le nom", "Le code postal", "Le code", "Le code et la table de passage")
SHORT = ("Nom", "Postal", "Code", "Passage")


@dataclass(frozen=True)
class Line:
    """One line of either file, with the value that each key compares."""

    code: str
    name: str
    keys: dict[str, str]
    today: str
    rate: str = ""
    departement: str = ""
    epci: str = ""
    postals: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a join gives."""

    rows: int
    without: int
    lost: int
    doubled: int
    wrong: int


def rows(project: Project, name: str) -> list[dict[str, str]]:
    with (project.datasets / name / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def communes(project: Project) -> list[Line]:
    return [
        Line(
            row["code"],
            row["nom"],
            {
                "nom": row["nom"],
                "postal": row["codes_postaux"].split(" ")[0],
                "code": row["code"],
                "passage": row["code"],
            },
            row["code"],
            departement=row["departement"],
            epci=row["epci"],
            postals=tuple(row["codes_postaux"].split(" ")),
        )
        for row in rows(project, "communes")
    ]


@pytest.fixture(scope="module")
def taxes(project: Project, communes: list[Line]) -> list[Line]:
    postal = {one.code: one.keys["postal"] for one in communes}
    heir = {
        row["ancien_code"]: row["commune_actuelle"] for row in rows(project, "anciennes-communes")
    }
    made = []
    for row in rows(project, "taxes"):
        today = row["code"] if row["code"] in postal else heir.get(row["code"], "")
        keys = {"nom": row["nom"], "code": row["code"]}
        if today:
            keys |= {"passage": today, "postal": postal[today]}
        made.append(Line(row["code"], row["nom"], keys, today, rate=row["taux"]))
    return made


def join(key: str, left: list[Line], right: list[Line]) -> Outcome:
    """Join through a dictionary of the right-hand lines, one by one."""
    waiting: dict[str, list[Line]] = defaultdict(list)
    for line in right:
        if line.keys.get(key):
            waiting[line.keys[key]].append(line)
    found = [(one, waiting.get(one.keys[key], [])) for one in left]
    here = {one.code for one in left}
    whole = len(left) > 1000
    reached = {line.code for _, lines in found for line in lines}
    return Outcome(
        rows=sum(len(lines) for _, lines in found),
        without=sum(not lines for _, lines in found),
        lost=sum(line.code not in reached for line in right if whole or line.today in here),
        doubled=sum(len(lines) >= 2 for _, lines in found),
        wrong=sum(line.today != one.code for one, lines in found for line in lines),
    )


@pytest.fixture(scope="module")
def outcomes(communes: list[Line], taxes: list[Line]) -> dict[str, Outcome]:
    return {key: join(key, communes, taxes) for key in KEYS}


@cache
def _tables(root: str) -> dict[str, list[list[list[str]]]]:
    found = {}
    for cell in read(Project.find().root / NOTEBOOK).cells:
        html = "".join(
            output.get("data", {}).get("text/html", "") for output in cell.get("outputs", ())
        )
        found[cell.id] = [
            [
                [one.get_text().replace("\u2019", "'") for one in row.find_all(["th", "td"])]
                for row in table.find_all("tr")[1:]
            ]
            for table in BeautifulSoup(html, "html.parser").find_all("table")
        ]
    return found


@pytest.fixture(scope="module")
def tables(project: Project) -> dict[str, list[list[list[str]]]]:
    """Rows of every table of each cell, as the site shows it, by cell id."""
    return _tables(str(project.root))


def val_guiers(communes: list[Line]) -> list[Line]:
    return sorted((one for one in communes if one.epci == VAL_GUIERS), key=lambda one: one.name)


def by_name(one: Line, taxes: list[Line]) -> list[Line]:
    """The lines of 2017 that carry its name, its own first."""
    found = [line for line in taxes if line.name == one.name]
    return sorted(found, key=lambda line: line.today != one.code)


def test_the_scene(said: dict[str, str], communes: list[Line], taxes: list[Line]) -> None:
    lines = {one.name: len(by_name(one, taxes)) for one in val_guiers(communes)}
    twice = sorted(name for name, count in lines.items() if count > 1)
    (absent,) = [name for name, count in lines.items() if count == 0]
    assert f"{twice[0]} y est deux fois, avec deux taux. {twice[1]} aussi." in said["scene"]
    assert f"{absent} n’y est pas" in said["scene"]
    assert all(lines[name] == 2 for name in twice)


def test_the_guess(
    said: dict[str, str], communes: list[Line], taxes: list[Line], outcomes: dict[str, Outcome]
) -> None:
    name = outcomes["nom"]
    text = said["deviner"].replace("\u00a0", " ")
    assert f"{nombre(len(communes))} communes, celui de 2017 a {nombre(len(taxes))} lignes" in text
    assert text.count(nombre(name.rows)) == 3
    assert f"manquent bien : {nombre(name.without)}." in text
    assert (
        f": {nombre(name.doubled)} comptent plusieurs fois. Et {nombre(name.without)} ont" in text
    )
    assert name.rows > 40_000


def test_the_date_of_the_rates(project: Project, said: dict[str, str]) -> None:
    """The year is said, and nothing of the law of today, on which the course has no card."""
    text = (project.datasets / "taxes" / "datapackage.json").read_text(encoding="utf-8")
    day = date.fromisoformat(json.loads(text)["published"])
    assert f"a été repris le {date_longue(day)}." in said["reserves"]
    assert "il vaut pour 2017 seulement" in said["reserves"].replace("\u00a0", " ")
    notebook = read(project.root / NOTEBOOK)
    assert "loi de finances" not in "".join(cell.source for cell in notebook.cells)


def test_the_lines_shown(
    tables: dict[str, list[list[list[str]]]], communes: list[Line], taxes: list[Line]
) -> None:
    (shown,) = tables["lignes"]
    rates = {line.code: line for line in taxes}
    today = {one.code: one.name for one in communes}
    assert sorted(row[1] for row in shown) == ["73127", "73204", "73236"]
    for name, code, rate, now in shown:
        line = rates[code]
        assert (line.name, nombre(float(line.rate), 2), today[line.today]) == (name, rate, now)


def test_the_table_received(
    project: Project,
    tables: dict[str, list[list[list[str]]]],
    communes: list[Line],
    taxes: list[Line],
) -> None:
    places = {row["code"]: row["nom"] for row in rows(project, "departements")}
    expected = [
        [one.name, nombre(float(line.rate), 2), places[line.code[:2]]]
        for one in val_guiers(communes)
        for line in by_name(one, taxes)
    ]
    assert tables["recu"][0] == expected
    assert Counter(row[2] for row in expected) == {"Savoie": 10, "Isère": 1, "Charente-Maritime": 1}


def test_the_shared_names(said: dict[str, str], communes: list[Line]) -> None:
    shared = {
        name: count for name, count in Counter(one.name for one in communes).items() if count > 1
    }
    largest = max(shared, key=lambda name: shared[name])
    text = said["constat-nom"].replace("\u00a0", " ")
    assert f"{nombre(len(shared))} noms sont portés par plusieurs communes." in text
    assert f"{largest} est le plus répandu : {shared[largest]} communes" in text
    assert sorted(shared.values())[-2] < shared[largest]


def test_the_postal_code(
    said: dict[str, str], communes: list[Line], taxes: list[Line], outcomes: dict[str, Outcome]
) -> None:
    covers: dict[str, set[str]] = defaultdict(set)
    for one in communes:
        for postal in one.postals:
            covers[postal].add(one.code)
    widest = max(covers, key=lambda postal: len(covers[postal]))
    starts = {"2A": "20", "2B": "20"}
    elsewhere = sum(
        any(
            not postal.startswith(starts.get(one.departement, one.departement))
            for postal in one.postals
        )
        for one in communes
    )
    text = said["constat-postal"].replace("\u00a0", " ")
    assert f"le code {widest},\ncouvre {len(covers[widest])} communes" in text
    assert f"Et {elsewhere} communes en ont un" in text
    found = outcomes["postal"]
    assert f"{nombre(len(taxes))} taux\ndonnent {nombre(found.rows)} lignes" in text
    assert f"dont {pourcent(found.wrong / found.rows)} fausses" in text


def test_the_code(
    said: dict[str, str], communes: list[Line], taxes: list[Line], outcomes: dict[str, Outcome]
) -> None:
    code = outcomes["code"]
    text = said["constat-code"].replace("\u00a0", " ")
    assert code.wrong == 0
    assert f"Sur {nombre(len(taxes))} lignes de 2017, {nombre(code.lost)} ne retrouvent" in text
    assert f"Et {code.without} communes de 2026" in text
    (absent,) = [one for one in val_guiers(communes) if not by_name(one, taxes)]
    (before,) = [line.name for line in taxes if line.code == absent.code]
    assert f"{absent.name} a celui de {before}." in text


def test_the_four_keys(
    said: dict[str, str],
    tables: dict[str, list[list[list[str]]]],
    taxes: list[Line],
    outcomes: dict[str, Outcome],
) -> None:
    text = said["figure"].replace("\u00a0", " ")
    assert f"perdus, sur {nombre(len(taxes))}." in text
    for key, label in zip(KEYS, LABELS, strict=True):
        one = outcomes[key]
        wrong = "fausse" if one.wrong < 2 else "fausses"
        lost = "perdu" if one.lost < 2 else "perdus"
        assert f"{label} : {nombre(one.wrong)} {wrong}, {nombre(one.lost)} {lost}." in text
    assert tables["figure"][0] == [
        [short, *(nombre(n) for n in (one.rows, one.without, one.lost, one.doubled, one.wrong))]
        for short, one in zip(SHORT, outcomes.values(), strict=True)
    ]


def test_the_right_reading(said: dict[str, str], outcomes: dict[str, Outcome]) -> None:
    code, passage = outcomes["code"], outcomes["passage"]
    text = said["lecture-phrase"].replace("\u00a0", " ")
    assert f"\n{code.lost - passage.lost} taux sur {code.lost}. Il en reste {passage.lost}," in text
    assert f"{passage.doubled} communes ont maintenant plusieurs taux" in text


def test_a_departement(
    said: dict[str, str],
    tables: dict[str, list[list[list[str]]]],
    communes: list[Line],
    taxes: list[Line],
) -> None:
    somme = [one for one in communes if one.departement == "80"]
    found = [join(key, somme, taxes) for key in KEYS]
    assert tables["departement"][0] == [
        ["Lignes après", *(nombre(one.rows) for one in found)],
        ["Perdues (communes et taux)", *(nombre(one.lost + one.without) for one in found)],
        ["Doublées", *(nombre(one.doubled) for one in found)],
        ["Fausses", *(nombre(one.wrong) for one in found)],
    ]
    here = {one.code: one.name for one in somme}
    gone = [line for line in taxes if line.today in here and line.code not in here]
    text = said["departement-noms"].replace("\u00a0", " ")
    assert f"Somme : {len(gone)} lignes de 2017 se perdent" in text
    assert " ; ".join(f"{line.name} → {here[line.today]}" for line in gone[:4]) in text


def test_the_answer(said: dict[str, str], outcomes: dict[str, Outcome]) -> None:
    name = outcomes["nom"]
    assert f"\n{nombre(name.wrong)} lignes sur {nombre(name.rows)} portent" in said["reponse"]


def test_the_check_yourself(
    said: dict[str, str], communes: list[Line], taxes: list[Line], outcomes: dict[str, Outcome]
) -> None:
    code = outcomes["code"]
    text = said["questions"].replace("\u00a0", " ")
    assert f"un fichier de {nombre(len(taxes))} taux donne {nombre(code.rows)} lignes" in text
    assert len(taxes) - code.rows == code.lost
    assert f"✓ {code.lost} taux : {nombre(len(taxes))} moins {nombre(code.rows)}." in text
    assert (
        f"✗ {len(taxes) - len(communes)} taux : Vous avez retiré les {nombre(len(communes))}"
        in text
    )
    assert f"✗ {code.without} taux : Ce sont les communes de 2026" in text
    assert f"exactement {nombre(len(communes))} lignes" in text
    shared = sum(count > 1 for count in Counter(one.name for one in communes).values())
    assert f": {nombre(shared)} noms désignent plusieurs communes" in text
    held = Counter(line.today for line in taxes if line.today).most_common(1)[0]
    (name,) = [one.name for one in communes if one.code == held[0]]
    assert f"{name} reçoit {held[1]} taux de 2017" in text


def test_the_agents_four_joins(
    project: Project,
    tables: dict[str, list[list[list[str]]]],
    communes: list[Line],
    taxes: list[Line],
) -> None:
    first: dict[str, Line] = {}
    for line in taxes:
        first.setdefault(line.name, line)
    mistaken = sum(one.name in first and first[one.name].today != one.code for one in communes)
    places: dict[tuple[str, str], list[Line]] = defaultdict(list)
    for line in taxes:
        size = 3 if line.code.startswith("97") else 2
        places[line.name, line.code[:size]].append(line)
    both = [(one, places.get((one.name, one.departement), [])) for one in communes]
    wrong = sum(line.today != one.code for one, lines in both for line in lines)
    without = sum(not lines for _, lines in both)
    codes = {one.code for one in communes}
    assert wrong == 0
    zeros = sum(line.code in codes and line.code.startswith("0") for line in taxes)
    old = [row["ancien_code"] for row in rows(project, "anciennes-communes")]
    assert [row[1] for row in tables["agent-erreurs"][0]] == [
        f"{nombre(mistaken)} communes ont le taux d'une autre",
        f"aucune ligne fausse, {nombre(without)} communes sans taux",
        f"{nombre(zeros)} codes commençant par zéro se perdent",
        f"{len(old) - len(set(old))} lignes de trop dans la table",
    ]


def test_what_remains(said: dict[str, str], communes: list[Line], taxes: list[Line]) -> None:
    nowhere = [line for line in taxes if not line.today]
    text = said["agent-restes"].replace("\u00a0", " ").replace("’", "'")
    assert f"Les {len(nowhere)} taux que la table ne retrouve pas.** Gernicourt (02344)" in text
    assert sorted(line.code for line in nowhere) == ["02344", "9777", "9788"]
    assert [line.name for line in nowhere] == ["Gernicourt", "", ""]
    reached = {line.today for line in taxes}
    without = [one.name for one in communes if one.code not in reached]
    assert f"Les {len(without)} communes sans taux.** {', '.join(without)}." in text
    own = {line.code for line in taxes}
    moved = [one.name for one in communes if one.code not in own and one.code in reached]
    assert f"{len(moved)} communes nouvelles ont changé de code** : {', '.join(moved)}." in text


def test_the_counts_that_the_manifest_says(
    project: Project, taxes: list[Line], outcomes: dict[str, Outcome]
) -> None:
    text = (project.datasets / "taxes" / "datapackage.json").read_text(encoding="utf-8")
    assert f'"{outcomes["code"].lost} codes ne sont plus' in text
    assert f"Il y en a {sum(float(line.rate) == 0 for line in taxes)}." in text


def test_the_trainers_sheet_lists_the_lines(
    project: Project, communes: list[Line], taxes: list[Line]
) -> None:
    sheet = (project.root / "book/formateurs/interoperabilite.md").read_text(encoding="utf-8")
    here_lines = val_guiers(communes)
    here = {one.code: one.name for one in here_lines}
    expected = {
        f"| {line.name} | {line.code} | {here[line.today]} | {line.today} |".replace("'", "’")
        for line in taxes
        if line.today in here
    }
    assert len(expected) == 13
    names = {one.name for one in here_lines}
    strangers = {
        f"| {line.name}, {place} | {line.code} | une intruse | |"
        for place, start in (("Isère", "38"), ("Charente-Maritime", "17"))
        for line in taxes
        if line.name in names and line.code.startswith(start)
    }
    assert len(strangers) == 2
    assert {row for row in sheet.splitlines() if re.search(r"\d{5}", row)} == expected | strangers
    today = {one.code for one in here_lines}
    alone = {line.name for line in taxes if line.today in today and line.code not in today}
    assert alone == {"Gresin", "Saint-Maurice-de-Rotherens"}
    assert "Gresin et Saint-Maurice-de-Rotherens ont fusionné : leur code ne sert plus." in sheet


def test_no_number_is_typed_in_the_prose(project: Project) -> None:
    """Numbers of the prose that come from data are printed by code, never typed."""
    notebook = read(project.root / NOTEBOOK)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"^\d\. ", "", prose, flags=re.MULTILINE)
    prose = re.sub(r"\]\([^)]*\)", "]", prose)
    # The years of the two files.
    assert set(re.findall(r"\d+", prose)) <= {"2017", "2026"}
