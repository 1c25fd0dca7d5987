"""Every number that ouverture-sur-demande prints, recomputed by other code than its own.

Plain Python on the CSV: no pandas, nothing of `culture_d.opening`, none of the notebook's
functions but the French writing of numbers and dates, whose own tests are elsewhere.
"""

import csv
import re
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import date

import pytest

from culture_d.french import date_longue, nombre
from culture_d.laws import load_laws
from culture_d.notebooks import read
from culture_d.project import Project

Row = dict[str, str]
NOTEBOOK = "notebooks/agir/ouverture-sur-demande.ipynb"
LETTER, RECEIVED, MEETING = date(2026, 9, 1), date(2026, 9, 3), date(2026, 9, 8)
REFUSAL, REFERRAL = date(2026, 10, 3), date(2026, 12, 3)
PERSONAL = {
    "adresse", "annee_naissance", "nom", "telephone", "courriel", "commentaire", "note_interne",
}  # fmt: skip
SMALL = {"Clairvannes", "Valmorin", "Rochamelle", "Les Orvettes", "Fontarelle", "La Noirelle"}


def street(row: Row) -> str:
    return row["adresse"].partition(" ")[2]


def sector(row: Row) -> str:
    if row["commune"] == "Grandvoie":
        return "Grandvoie"
    return "petites communes" if row["commune"] in SMALL else "bourgs"


def half(row: Row) -> str:
    return "S1" if int(row["date"][5:7]) <= 6 else "S2"


def people(rows: list[Row], key: Callable[[Row], object]) -> dict[object, set[str]]:
    """Who is in each group."""
    groups: dict[object, set[str]] = defaultdict(set)
    for row in rows:
        groups[key(row)].add(row["nom"])
    return groups


def alone(rows: list[Row], key: Callable[[Row], object]) -> list[Row]:
    """The rows that one person only could have written."""
    groups = people(rows, key)
    return [row for row in rows if len(groups[key(row)]) == 1]


@pytest.fixture(scope="module")
def rows(project: Project) -> list[Row]:
    path = project.datasets / "registre" / "registre.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("\u00a0", " ").replace("\u202f", " "))


def whole(value: float) -> str:
    return plain(nombre(value))


def test_the_scene(said: dict[str, str], rows: list[Row]) -> None:
    text = said["scene"]
    assert f"{len(rows)} lignes, {len(rows[0])} colonnes" in text
    assert text.startswith(f" > {date_longue(MEETING)}, bureau")
    assert f"datée du {date_longue(LETTER)}, arrivée le {date_longue(RECEIVED)}." in text


def test_the_guess(said: dict[str, str], rows: list[Row]) -> None:
    found = alone(
        rows, lambda row: (row["commune"], street(row), row["annee_naissance"], row["type"])
    )
    # The notebook groups by street alone: no two communes share a street name.
    owners = {street(row): row["commune"] for row in rows}
    assert all(owners[street(row)] == row["commune"] for row in rows)
    share = round(100 * len(found) / len(rows))
    assert f"{share} : Oui. {len(found)} signalements sur {len(rows)} ne" in said["deviner"]
    assert f"10 : Non, c'est {share}." in said["deviner"]
    assert f"50 : Non, c'est {share}." in said["deviner"]


def test_one_row(tables: dict[str, list[list[str]]], rows: list[Row]) -> None:
    row = next(row for row in rows if "dialyse" in row["commentaire"] and row["note_interne"])
    assert [line[1] for line in tables["une-ligne"]] == [
        row["adresse"], f"en {row['annee_naissance']}", row["nom"], row["telephone"],
        row["courriel"].partition("@")[0] + "@…", row["commentaire"].replace("'", "’"),
        row["note_interne"],
    ]  # fmt: skip
    assert len(tables["une-ligne"]) == len(PERSONAL)


def test_what_to_know_first(said: dict[str, str], rows: list[Row]) -> None:
    text = said["reserves"]
    assert f"{len({row['nom'] for row in rows})} personnes ont écrit {len(rows)} sign" in text
    waiting = [row for row in rows if not row["delai_jours"]]
    assert all(not row["cout_euros"] for row in waiting)
    assert f" {len(waiting)} délais et coûts sont vides" in text
    assert f" {sum(bool(row['note_interne']) for row in rows)} notes internes parlent" in text


def test_the_crossed_columns(
    said: dict[str, str], tables: dict[str, list[list[str]]], rows: list[Row]
) -> None:
    keys: dict[str, Callable[[Row], object]] = {
        "la commune": lambda row: row["commune"],
        "la commune, le type": lambda row: (row["commune"], row["type"]),
        "la rue, le type": lambda row: (street(row), row["type"]),
        "la commune, la naissance": lambda row: (row["commune"], row["annee_naissance"]),
        "la rue, la naissance": lambda row: (street(row), row["annee_naissance"]),
        "la rue, la naissance, le type": lambda row: (
            street(row), row["annee_naissance"], row["type"],
        ),
    }  # fmt: skip
    counts = {name: len(alone(rows, key)) for name, key in keys.items()}
    shares = {name: whole(100 * count / len(rows)) for name, count in counts.items()}
    text = said["croisements"]
    last = shares["la rue, la naissance, le type"]
    assert text.startswith(f"**Sans aucun nom, la rue, la naissance et le type désignent {last} ")
    for name, share in shares.items():
        assert f"Avec {name} : {share} sur 100." in text
    assert tables["croisements"] == [
        [name, whole(count), shares[name]] for name, count in counts.items()
    ]


def test_the_free_text(said: dict[str, str], rows: list[Row]) -> None:
    searched = [
        row for row in rows
        if any(word in row["commentaire"] for word in ("malade", "médecin", "hôpital", "oxygène"))
    ]  # fmt: skip
    # What a reader finds: the sentences of the build script that speak of health.
    told = ("dialyse", "chimio", "presque plus le soir")
    missed = [
        row for row in rows
        if any(word in row["commentaire"] for word in told) and row not in searched
    ]  # fmt: skip
    blamed = [
        row for row in rows
        if re.search(r"C'est M\. |Voir avec Mme |Le fils ", row["commentaire"])
    ]  # fmt: skip
    assert not [row for row in blamed if row in searched or row in missed]
    text = said["commentaires"]
    assert f"oxygène) trouvent {len(searched)} commentaires." in text
    assert f"La recherche en manque {len(missed)}, comme" in text
    quoted = missed[0]["commentaire"].split(". ", 1)[1]
    assert f"« {quoted} »" in text.replace("’", "'")
    assert f"{len(blamed)} autres commentaires nomment un voisin" in text


def test_the_sorting(
    said: dict[str, str], tables: dict[str, list[list[str]]], rows: list[Row]
) -> None:
    lines = tables["feux"]
    assert len(lines) == len(rows[0])
    counts = Counter(decision for _, decision, _ in lines)
    assert counts == {"publier": 1, "masquer": 4, "refuser": len(PERSONAL)}
    assert "Sur 12 colonnes : 1 à publier, 4 à masquer, 7 à refuser" in said["feux"]
    for name, decision, _ in lines:
        sentence = re.search(rf"À {decision} : ([^.]*)\.", said["feux"])
        assert sentence and name.lower().replace("’", "'") in sentence[1].replace("’", "'")


def test_the_recount(
    said: dict[str, str], tables: dict[str, list[list[str]]], rows: list[Row]
) -> None:
    keys: list[Callable[[Row], object]] = [
        lambda row: (street(row), row["annee_naissance"], row["type"]),
        lambda row: (row["commune"], row["date"][:7], row["type"]),
        lambda row: (sector(row), half(row), row["type"], row["delai_jours"], row["cout_euros"]),
        lambda row: (sector(row), half(row), row["type"]),
    ]
    expected = []
    for key in keys:
        smallest = min(len(group) for group in people(rows, key).values())
        noun = "personne" if smallest == 1 else "personnes"
        expected.append(
            [whole(len({row["nom"] for row in alone(rows, key)})), f"{smallest} {noun}"]
        )
    assert [line[1:] for line in tables["regroupement"]] == expected
    smallest = min(len(group) for group in people(rows, keys[-1]).values())
    assert smallest >= 5
    text = said["regroupement"]
    exact = len(alone(rows, keys[-2]))
    assert f"laissés exacts, isolaient encore {exact} lignes sur {len(rows)}.**" in text
    assert "un repère : au moins 5 personnes par groupe." in text
    assert f"Notre plus petit groupe en compte {smallest}." in text
    assert "Ce repère est **notre choix**" in text


def test_the_answer_to_the_group(
    said: dict[str, str], tables: dict[str, list[list[str]]], rows: list[Row]
) -> None:
    delays: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        if row["delai_jours"]:
            delays[sector(row)].append(int(row["delai_jours"]))
    order = ("Grandvoie", "bourgs", "petites communes")
    medians = [whole(statistics.median(delays[name])) for name in order]
    waiting = Counter(sector(row) for row in rows if not row["delai_jours"])
    assert [line[1:] for line in tables["reponse-au-collectif"]] == [
        [whole(len(delays[name])), median, whole(waiting[name])]
        for name, median in zip(order, medians, strict=True)
    ]
    text = said["reponse-au-collectif"]
    assert f"a pris {medians[0]} jours ou moins à Grandvoie, {medians[2]} jours ou moins" in text
    letter = said["lettre"].replace(" > ", " ")
    assert f"{medians[0]} jours à Grandvoie et de {medians[2]} jours" in letter
    assert f"{waiting.total()} signalements sans intervention n’ont pas de délai" in text
    assert f"{waiting.total()} signalements sans intervention n’y entrent pas, dont " in letter
    assert f"{waiting[order[0]]} à Grandvoie et {waiting[order[2]]} dans les petites" in letter


def test_the_days(said: dict[str, str], tables: dict[str, list[list[str]]]) -> None:
    sure = {"source": "source", "text": "texte", "doubt": "doute"}

    def of(card: str) -> str:
        return sure[load_laws().card(card).certainty]

    entry, opinion = date(2026, 10, 20), date(2026, 11, 20)
    confirmed, court = date(2026, 12, 20), date(2027, 2, 20)
    assert [line[1:] for line in tables["calendrier"]] == [
        [date_longue(RECEIVED), of("acces-silence")],
        [date_longue(REFUSAL), of("acces-silence")],
        [date_longue(entry), of("acces-cada")],
        [date_longue(opinion), of("acces-cada")],
        [date_longue(REFERRAL), of("acces-cada")],
        [date_longue(confirmed), of("acces-refus-confirme")],
        [date_longue(court), of("acces-tribunal")],
    ]
    assert of("acces-tribunal") == "doute"
    text = said["calendrier"]
    assert f"**Répondez avant le {date_longue(REFUSAL)}.**" in text
    assert f"la réception, le {date_longue(RECEIVED)}, pas" in text
    assert f"jusqu’au {date_longue(REFERRAL)} pour saisir" in text
    assert "**si vous avez envoyé un accusé de réception disant les délais**" in text
    assert "Sans lui" in load_laws().card("acces-reception").rule


def test_the_package_and_the_letter(
    said: dict[str, str], tables: dict[str, list[list[str]]], rows: list[Row]
) -> None:
    groups = {(sector(row), half(row), row["type"]) for row in rows}
    shown = dict(tables["preparer"])
    assert shown == {
        "Fichiers": "datapackage.json et signalements-2025.csv",
        "Lignes et colonnes": f"{len(groups)} lignes, 8 colonnes",
        "Licence": "Licence Ouverte 2.0",
        "Mise à jour": "chaque année",
        "Publié le": "25 septembre 2026",
        "À citer jusqu’au": "31 janvier 2027",
        "Contrôle automatique": "aucune erreur",
    }
    letter = said["lettre"].replace(" > ", " ")
    assert f"le {date_longue(LETTER)} le registre 2025" in letter
    assert f"reçu le {date_longue(RECEIVED)}." in letter
    assert (
        f"en ligne le 25 septembre 2026, sous Licence Ouverte. Il a {len(groups)} lignes" in letter
    )
    assert "Avant le 25 septembre 2026, nous pouvons étudier" in letter
    assert f"retiré {len(PERSONAL)} colonnes" in letter
    assert date(2026, 9, 25) < REFUSAL


def test_a_forgotten_column_is_refused(said: dict[str, str]) -> None:
    assert "« commentaire » (un texte libre)" in said["refus-du-programme"]


def test_the_check_yourself_questions(said: dict[str, str], rows: list[Row]) -> None:
    text = said["questions"]
    assert f"✓ La demande est refusée depuis le {date_longue(REFUSAL)}," in text
    assert f"Le collectif a jusqu'au {date_longue(REFERRAL)}, si vous avez envoyé" in text
    here = Counter(row["nom"] for row in rows if row["commune"] == "La Noirelle")
    most = max(here.values())
    assert f"À La Noirelle, {here.total()} signalements. Une personne en a écrit {most}." in text
    assert f"viennent de {len(here) - 1} personnes." in text
    assert f"✓ {len(here)} personnes :" in text
    assert f"{most} lignes de la même main" in text
    assert f"✗ {here.total()} personnes :" in text
    assert f"✗ {len(here) - 1} personnes :" in text
    streets = len(alone(rows, lambda row: (street(row), row["type"])))
    assert f"Avec la rue et le type, {streets} signalements restent seuls" in text
    other = people(rows, lambda row: (row["commune"], half(row)))
    assert min(len(group) for group in other.values()) >= 5


def test_the_part_for_agents(said: dict[str, str], rows: list[Row]) -> None:
    assert f"signale {len(PERSONAL)} colonnes sur {len(rows[0])}," in said["agent-colonnes"]
    assert set(re.findall(r"`(\w+)`", said["agent-colonnes"])) == PERSONAL | {
        "colonnes_personnelles"
    }

    def key(row: Row) -> object:
        return (row["commune"], row["type"])

    lines = Counter(key(row) for row in rows)
    few_lines = sum(count < 5 for count in lines.values())
    few_people = sum(len(group) < 5 for group in people(rows, key).values())
    assert f"{few_lines} groupes ont moins de 5 cas" in said["agent-lignes"]
    assert f"il y en a {few_people}." in said["agent-lignes"]


def test_no_number_is_typed_in_the_prose(project: Project) -> None:
    """Numbers of the prose that come from data are printed by code, never typed."""
    cells = read(project.root / NOTEBOOK).cells
    prose = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    prose = re.sub(r"^\d\. ", "", prose, flags=re.MULTILINE)
    assert re.findall(r"\d+", prose) == []
