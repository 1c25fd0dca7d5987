"""Every number that qualite-peremption prints, recomputed by other code than its own.

Plain Python on the CSV: no pandas, nothing of `culture_d.expiry`; only the French writing
of numbers and dates, whose own test is elsewhere.
"""

import calendar
import csv
import json
import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from culture_d.french import date_longue
from culture_d.notebooks import read
from culture_d.project import Project

NOTEBOOK = "notebooks/comprendre/qualite-peremption.ipynb"
TONIGHT = date(2026, 11, 22)
THURSDAY = date(2026, 11, 26)
MONTHS = {
    "Mensuelle ou plusieurs fois par mois": 1,
    "Trimestrielle": 3,
    "Semestrielle": 6,
    "Annuelle": 12,
    "Quinquennale": 60,
}
STATES = ["Date dépassée", "Date manquante", "Dans les 60 jours", "Plus tard"]
Rows = list[dict[str, str]]


def rows_of(project: Project, name: str) -> Rows:
    path = project.datasets / name / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def later(day: date, months: int) -> date:
    """Move by whole months, back to the last day of a shorter one."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def days_of(row: dict[str, str]) -> list[date]:
    fields = ["dtpr_lcad", "dtpr_bat"] + (["dtpr_lcped"] if row["lc_ped"] == "oui" else [])
    return [date.fromisoformat(row[field]) for field in fields if row[field]]


def lacks(row: dict[str, str]) -> bool:
    child = row["lc_ped"] == "oui" and not row["dtpr_lcped"]
    return not row["dtpr_lcad"] or not row["dtpr_bat"] or child


def state(row: dict[str, str], today: date) -> str:
    first = min(days_of(row), default=date.max)
    if first < today:
        return STATES[0]
    if lacks(row):
        return STATES[1]
    return STATES[2] if first <= today + timedelta(days=60) else STATES[3]


def expiry(row: dict[str, str]) -> date | None:
    if not row["DATE_MAJ"]:
        return None
    updated = date.fromisoformat(row["DATE_MAJ"])
    if row["FREQ_MAJ"].startswith("Hebdo"):
        return updated + timedelta(days=7)
    return later(updated, MONTHS[row["FREQ_MAJ"]]) if row["FREQ_MAJ"] in MONTHS else None


def wait(limit: date) -> str:
    left = (limit - TONIGHT).days
    noun = "jour" if abs(left) < 2 else "jours"
    if left < 0:
        return f"date dépassée de {-left} {noun}"
    return f"encore {left} {noun}" if left else "dernier jour"


def plain(text: str) -> str:
    return re.sub(r"[\s\u00a0\u202f]+", " ", text).replace("’", "'")


@pytest.fixture(scope="module")
def devices(project: Project) -> dict[str, dict[str, str]]:
    return {row["nom"]: row for row in rows_of(project, "defibrillateurs")}


@pytest.fixture(scope="module")
def visits(project: Project) -> Rows:
    return rows_of(project, "visites")


@pytest.fixture(scope="module")
def datasets(project: Project) -> dict[str, dict[str, str]]:
    return {row["TITRE"]: row for row in rows_of(project, "jeux")}


def test_the_scene(said: dict[str, str], devices: dict[str, dict[str, str]]) -> None:
    declared = sum(row["etat_fonct"] == "En fonctionnement" for row in devices.values())
    assert f"« {declared} de nos {len(devices)} défibrillateurs sont en" in said["scene"]
    assert "Dimanche 22 novembre 2026" in said["scene"]
    assert TONIGHT.weekday() == 6
    assert "mis à jour le 16 novembre 2026" in said["scene"]
    assert devices["Gymnase de la Plaine"]["etat_fonct"] == "En fonctionnement"
    assert f"n'a que {(TONIGHT - date(2026, 11, 16)).days} jours" in said["deviner"]
    assert "dépassée, le 31 août 2026" in said["deviner"]


def test_the_extract(
    said: dict[str, str], tables: dict[str, list[list[str]]], devices: dict[str, dict[str, str]]
) -> None:
    communes = len({row["com_nom"] for row in devices.values()})
    assert f"{len(devices)} lignes, en {communes} communes" in said["lignes"]
    assert len(tables["lignes"]) == 4
    for name, declared, seen in tables["lignes"]:
        row = devices[name]
        assert declared == row["etat_fonct"]
        assert seen == date_longue(date.fromisoformat(row["dermnt"]))


def test_the_other_files(
    said: dict[str, str], visits: Rows, datasets: dict[str, dict[str, str]]
) -> None:
    assert f"a vu {len(visits)} appareils" in said["reserves"]
    assert f"du territoire : {len(datasets)} jeux" in said["reserves"]


def test_the_line_of_the_gymnasium(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    devices: dict[str, dict[str, str]],
    datasets: dict[str, dict[str, str]],
) -> None:
    row = devices["Gymnase de la Plaine"]
    expected = [["État déclaré", row["etat_fonct"], ""]]
    for words, field in (
        ("Électrodes pour adultes", "dtpr_lcad"),
        ("Électrodes pour enfants", "dtpr_lcped"),
        ("Batterie", "dtpr_bat"),
    ):
        day = date.fromisoformat(row[field])
        expected.append([words, date_longue(day), wait(day)])
    for words, text in (
        ("Dernière maintenance", row["dermnt"]),
        ("Mise à jour du fichier", datasets["Défibrillateurs"]["DATE_MAJ"]),
    ):
        day = date.fromisoformat(text)
        expected.append([words, date_longue(day), f"il y a {(TONIGHT - day).days} jours"])
    assert tables["gymnase"] == expected
    assert (TONIGHT - date.fromisoformat(row["dermnt"])).days > 365
    assert (
        "Le fichier a 6 jours. Le dernier regard sur l'appareil a plus d'un an" in said["constat"]
    )


def test_the_four_states(
    said: dict[str, str], tables: dict[str, list[list[str]]], devices: dict[str, dict[str, str]]
) -> None:
    count = Counter(state(row, TONIGHT) for row in devices.values())
    assert tables["etats"] == [[words, str(count[words])] for words in STATES]
    expired, missing = count[STATES[0]], count[STATES[1]]
    assert f"Sur 30 appareils, {expired} ont une date dépassée, et {missing}" in said["etats"]
    for words in STATES:
        assert f"{words} : {count[words]}." in said["etats"]
    assert f"Total : {len(devices)}." in said["etats"]
    still = sum(
        row["etat_fonct"] == "En fonctionnement"
        for row in devices.values()
        if state(row, TONIGHT) == STATES[0]
    )
    assert f"Des {expired} appareils à la date dépassée, {still} sont" in said["declares"]


def test_the_explorable(said: dict[str, str], devices: dict[str, dict[str, str]]) -> None:
    count = Counter(state(row, TONIGHT) for row in devices.values())
    assert said["explorable"] == (
        f"Le 22 novembre 2026, sur 30 défibrillateurs : {count[STATES[0]]} ont une date dépassée. "
        f"Date manquante : {count[STATES[1]]}. Dernier jour dans les 60 jours : {count[STATES[2]]}."
    )


def test_what_the_visits_found(
    project: Project,
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    devices: dict[str, dict[str, str]],
    visits: Rows,
) -> None:
    path = Path(project.datasets / "defibrillateurs" / "datapackage.json")
    rules = json.loads(path.read_text(encoding="utf-8"))["resources"][0]["schema"]["fields"]
    for row in devices.values():
        for rule in rules:
            value, limits = row[rule["name"]], rule.get("constraints", {})
            assert value or not limits.get("required")
            assert not value or value in limits.get("enum", [value])
            if rule["type"] == "date" and value:
                date.fromisoformat(value)
            if rule["type"] == "number":
                assert limits["minimum"] <= float(value) <= limits["maximum"]
    odd = [row for row in visits if row["constat"] != "conforme"]
    fit = len(visits) - len(odd)
    assert "aucune erreur, sur 30 lignes" in said["controle"]
    passed = f"{sum(map(lacks, devices.values()))} appareils à qui une date manque"
    assert passed in said["valide-vrai"] and passed in said["questions"]
    assert f"sur {len(visits)} visites : {fit} lignes conformes, et {len(odd)}" in said["controle"]
    assert tables["controle"] == [[plain(row["nom"]), plain(row["remarque"])] for row in odd]
    assert f"Les {len(odd)} lignes" in BeautifulSoup(
        "".join(
            output.data.get("text/html", "")
            for cell in read(project.root / NOTEBOOK).cells
            if cell.id == "controle"
            for output in cell.outputs
        ),
        "html.parser",
    ).get_text().replace("\u00a0", " ")


def test_what_is_said_of_two_devices(devices: dict[str, dict[str, str]], visits: Rows) -> None:
    found = {row["nom"]: row for row in visits}
    assert state(devices["École de l'Orme"], TONIGHT) == STATES[0]
    assert "remplacées" in found["École de l'Orme"]["remarque"]
    assert state(devices["Mairie de Beaupéran"], TONIGHT) == STATES[3]
    assert found["Mairie de Beaupéran"]["constat"] == "témoin éteint"
    assert "Gymnase de la Plaine" not in found


def test_the_three_dates(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    datasets: dict[str, dict[str, str]],
) -> None:
    assert len(tables["catalogue"]) == 6
    for title, facts, updated, limit in tables["catalogue"]:
        row = datasets[title]
        due = expiry(row)
        written = date_longue(due) if due else "ne se calcule pas"
        assert facts == date_longue(date.fromisoformat(row["COUV_TEMP_FIN"]))
        assert updated == date_longue(date.fromisoformat(row["DATE_MAJ"]))
        assert limit == written
        words = f"{title} : {facts}, {updated}, {limit}."
        assert words in said["catalogue"]
    assert "un fichier de novembre 2026, des faits de 2023" in said["catalogue"]
    assert "À citer pour 2023, pas pour aujourd'hui" in said["trois-dates"]
    schools = expiry(datasets["Effectifs des écoles"])
    survey = expiry(datasets["Enquête sur les déplacements"])
    assert schools and survey and schools < TONIGHT < survey
    assert f"sa mise à jour le {date_longue(schools)}" in said["trois-dates"]
    row = datasets["Effectifs des écoles"]
    years = "-".join(row[field][:4] for field in ("COUV_TEMP_DEBUT", "COUV_TEMP_FIN"))
    assert f"décrit l'année {years}, comptée à la rentrée" in said["trois-dates"]
    assert row["COUV_TEMP_DEBUT"] < row["DATE_MAJ"] < row["COUV_TEMP_FIN"]
    assert f"la dernière, jusqu'au {date_longue(survey)}" in said["trois-dates"]


def test_another_day(
    said: dict[str, str],
    devices: dict[str, dict[str, str]],
    datasets: dict[str, dict[str, str]],
) -> None:
    day = date(2027, 3, 1)
    count = Counter(state(row, day) for row in devices.values())
    past = sum((expiry(row) or date.max) < day for row in datasets.values())
    assert said["autre-jour-calcul"].strip() == (
        f"Le 1er mars 2027, si personne ne touche à rien : {count[STATES[0]]} appareils à la date "
        f"dépassée, {count[STATES[1]]} à la date manquante. "
        f"Et {past} jeux de données périmés sur {len(datasets)}."
    )


def test_the_decision(
    said: dict[str, str], devices: dict[str, dict[str, str]], visits: Rows
) -> None:
    tonight, thursday = said["ce-soir"], said["jeudi"]
    assert "dépassée depuis le 31 août 2026" in tonight
    assert devices["Gymnase de la Plaine"]["expt_rais"] in tonight
    pool = next(row for row in visits if row["nom"] == "Piscine intercommunale")
    assert pool["constat"] == "conforme"
    assert devices["Piscine intercommunale"]["adr_voie"] in tonight
    assert date_longue(date.fromisoformat(pool["date_visite"])) in tonight
    assert state(devices["Piscine intercommunale"], TONIGHT) == STATES[2]
    fit = sum(row["constat"] == "conforme" for row in visits)
    odd = len(visits) - fit
    expired, missing = (
        sum(state(row, THURSDAY) == words for row in devices.values()) for words in STATES[:2]
    )
    assert THURSDAY.weekday() == 3 and 0 < (THURSDAY - TONIGHT).days < 7
    assert "« 29 de nos 30 défibrillateurs" in thursday
    assert (
        "Notre fichier date du 16 novembre 2026. "
        f"D'après lui, au {date_longue(THURSDAY)}, {expired} de nos {len(devices)} défibrillateurs"
    ) in thursday
    assert f"Pour {missing} autres, une date manque" in thursday
    assert (
        f"vu {len(visits)} sur place : {fit} lignes étaient conformes, "
        f"et {odd} fausses ou douteuses" in thursday
    )
    assert f"Les {len(devices) - len(visits)} autres appareils" in thursday
    before = {name for name, row in devices.items() if state(row, TONIGHT) == STATES[0]}
    since = {name for name, row in devices.items() if state(row, THURSDAY) == STATES[0]} - before
    assert since == {"Salle communale de Valmorin"}
    assert (
        f"Pourquoi {expired}, et non {len(before)} comme ce soir ?** "
        f"{since.pop()} : dernier jour ce soir" in thursday
    )


def test_what_two_labels_change_on_thursday(
    said: dict[str, str], devices: dict[str, dict[str, str]], visits: Rows
) -> None:
    """One part of the file is past its day, and new; another is years away, and past its day."""
    seen = {row["nom"]: row["remarque"] for row in visits if row["constat"] == "date différente"}
    assert set(seen) == {"École de l'Orme", "École de la Fontaine"}
    new, old = date(2028, 11, 30), date(2026, 6, 30)
    assert f"Électrodes remplacées : {date_longue(new)} sur l'étiquette" in plain(
        seen["École de l'Orme"]
    )
    assert f"Batterie : {date_longue(old)} sur l'étiquette" in plain(seen["École de la Fontaine"])
    renewed, flat = devices["École de l'Orme"], devices["École de la Fontaine"]
    assert date.fromisoformat(renewed["dtpr_lcad"]) < THURSDAY < new
    assert old < THURSDAY < min(days_of(flat))
    assert f"École de l'Orme : électrodes neuves, jusqu'au {date_longue(new)}" in said["jeudi"]
    assert f"École de la Fontaine : batterie périmée depuis le {date_longue(old)}" in said["jeudi"]


def test_the_check_yourself(
    said: dict[str, str],
    devices: dict[str, dict[str, str]],
    visits: Rows,
    datasets: dict[str, dict[str, str]],
) -> None:
    text = said["questions"]
    odd = sum(row["constat"] != "conforme" for row in visits)
    assert f"Sur {len(visits)} lignes visitées, {odd} étaient" in text
    updated = date.fromisoformat(datasets["Défibrillateurs"]["DATE_MAJ"])
    due = expiry(datasets["Défibrillateurs"])
    assert due
    left, whole = (due - TONIGHT).days, (due - updated).days
    assert f"✓ {left} jours : Trois mois après la mise à jour, c'est le {date_longue(due)}." in text
    assert f"✗ {whole} jours : C'est la durée entière" in text
    assert f"✗ {(TONIGHT - updated).days} jours : Ce sont les jours déjà passés" in text
    assert f"✗ {(later(updated, 1) - TONIGHT).days} jours : C'est un mois" in text
    grants = expiry(datasets["Subventions aux associations"])
    assert grants and f"le jeu vaut jusqu'au {date_longue(grants)}" in text
    assert "Les faits sont de 2023." in text
    assert "Le fichier date du 3 octobre 2025" in text


def test_the_agent_s_part(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    devices: dict[str, dict[str, str]],
    datasets: dict[str, dict[str, str]],
) -> None:
    quick = [row for row in devices.values() if min(days_of(row), default=date.max) >= TONIGHT]
    assert f"compte {len(quick)} appareils" in said["vides"]
    assert f"Parmi eux, {sum(map(lacks, quick))} n'ont pas" in said["vides"]
    strange = {}
    for name, row in devices.items():
        last = max(days_of(row), default=date.min)
        if last > later(TONIGHT, 120):
            strange[name] = f"batterie jusqu'au {date_longue(last)}"
            assert last.isoformat() == row["dtpr_bat"]
        elif row["dermnt"] > datasets["Défibrillateurs"]["DATE_MAJ"]:
            strange[name] = f"maintenance le {date_longue(date.fromisoformat(row['dermnt']))}"
    assert dict(tables["suspects"]) == strange
    row = datasets["Horaires du transport à la demande"]
    updated = date.fromisoformat(row["DATE_MAJ"])
    due = expiry(row)
    assert due and row["FREQ_MAJ"] == "Semestrielle"
    assert (
        f"le {date_longue(updated)}, rythme semestriel, péremption le {date_longue(due)}"
        in (said["mois-courts"])
    )
    assert date_longue(updated + timedelta(days=180)) in said["mois-courts"]


def test_the_traps_of_the_manifests_are_in_the_data(
    project: Project,
    devices: dict[str, dict[str, str]],
    visits: Rows,
    datasets: dict[str, dict[str, str]],
) -> None:
    traps = {
        name: " ".join(
            json.loads((project.datasets / name / "datapackage.json").read_text("utf-8"))["traps"]
        )
        for name in ("defibrillateurs", "visites", "jeux")
    }
    count = Counter(state(row, TONIGHT) for row in devices.values())
    assert f"{count[STATES[0]]} appareils ont une pièce périmée" in traps["defibrillateurs"]
    assert count[STATES[1]] == 4 and "Quatre appareils ont une date" in traps["defibrillateurs"]
    swapped = {name for name, row in devices.items() if float(row["lat_coor1"]) < 0}
    assert swapped == {"École des Vannes", "Mairie de Fontarelle"}
    assert all(name in traps["defibrillateurs"] for name in swapped)
    assert sum(TONIGHT in days_of(row) for row in devices.values()) == 1
    assert {row["nom"] for row in visits} <= set(devices)
    assert len(visits) == 12 and "Douze appareils sur trente" in traps["visites"]
    assert [title for title, row in datasets.items() if not row["DATE_MAJ"]] == [
        "Bâtiments publics"
    ]
    assert [title for title, row in datasets.items() if expiry(row) == TONIGHT] == [
        "Bornes de recharge"
    ]


def test_the_strips_added_by_hand_in_the_trainer_s_sheet(
    project: Project, devices: dict[str, dict[str, str]]
) -> None:
    """Two pass their day within three months, so that somebody stands up; two have no day."""
    sheet = (project.root / "book/formateurs/qualite-peremption.md").read_text(encoding="utf-8")
    for name in ("École du Verger", "Piscine intercommunale"):
        first = min(days_of(devices[name]))
        assert f"- {name} : {date_longue(first)}" in sheet.replace("\u00a0", " ")
        assert TONIGHT <= first < later(TONIGHT, 3)
    assert "- Médiathèque : batterie, case vide" in sheet
    assert not devices["Médiathèque"]["dtpr_bat"]
    assert "- Mairie de Rochamelle : électrodes, case vide" in sheet
    assert not devices["Mairie de Rochamelle"]["dtpr_lcad"]


def test_no_number_is_typed_in_the_prose(project: Project) -> None:
    """Numbers of the prose that come from data are printed by code, never typed."""
    prose = "\n".join(
        cell.source for cell in read(project.root / NOTEBOOK).cells if cell.cell_type == "markdown"
    )
    prose = re.sub(r"^\d\. ", "", prose, flags=re.MULTILINE)
    prose = re.sub(r"\]\([^)]*\)", "]", prose)
    # The date that the course gives as an example of a long month.
    assert set(re.findall(r"\d+", prose)) <= {"31"}
