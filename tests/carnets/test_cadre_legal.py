"""Every number and every verdict that cadre-legal prints, recomputed by other code than its own.

Plain Python on the CSV and on the law cards themselves: no pandas, no table of thresholds,
none of the notebook's functions but the French writing of numbers.
"""

import csv
import re
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from culture_d.french import date_longue, nombre, pourcent
from culture_d.laws import Card, Comparison, Laws, load_laws
from culture_d.notebooks import read
from culture_d.project import Project
from culture_d.verdicts import Facts, judge_card

NOTEBOOK = "notebooks/comprendre/cadre-legal.ipynb"
PEOPLE, AGENTS, QUOTE = 54, 31.5, 42_000
GRANTS = (14_000, 10_500)
IF_SIGNED = "s'appliquera si vous signez"
SAID = {"yes": "s'applique", "check": "à vérifier", "no": "ne s'applique pas"}


def _csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("’", "'")


@pytest.fixture(scope="module")
def laws(project: Project) -> Laws:
    return load_laws(project)


@pytest.fixture(scope="module")
def populations(project: Project) -> list[int]:
    rows = _csv(project.datasets / "communes" / "communes.csv")
    return [int(row["population"]) for row in rows]


@pytest.fixture(scope="module")
def ours(project: Project) -> int:
    rows = _csv(project.datasets / "territoire" / "communes.csv")
    return next(int(row["population"]) for row in rows if row["nom"] == "Chantebrise")


@pytest.fixture(scope="module")
def surfaces(project: Project) -> dict[str, int]:
    rows = _csv(project.datasets / "territoire" / "batiments.csv")
    return {row["nom"]: int(row["surface_m2"]) for row in rows if row["commune"] == "Chantebrise"}


def _parts(condition: Any) -> list[Any]:
    return [condition, *(one for part in getattr(condition, "parts", ()) for one in _parts(part))]


def _comparisons(card: Card, fact: str = "") -> list[Comparison]:
    condition = card.applies.condition if card.applies else None
    found = [one for one in _parts(condition) if isinstance(one, Comparison)]
    return [one for one in found if one.fact == fact or not fact]


def _with_threshold(laws: Laws, body: str = "") -> list[Card]:
    """The cards of the lesson: a figure is compared, and it is not about an election."""
    return [
        card
        for card in laws.cards
        if card.applies
        and "election" not in card.topics
        and _comparisons(card)
        and (not body or body in card.applies.to)
    ]


def _from_guides(card: Card) -> str:
    """A threshold that the text does not give is said to come from guides."""
    return ", selon des guides" if "guides dispensent" in str(card.doubt) else ""


def _limit(laws: Laws, name: str, fact: str) -> int:
    (found,) = {one.value for one in _comparisons(laws.card(name), fact)}
    return found


def test_the_scene(said: dict[str, str], laws: Laws, ours: int) -> None:
    inhabitants = _limit(laws, "ouverture-par-defaut", "population")
    agents = _limit(laws, "ouverture-par-defaut", "agents")
    assert (inhabitants, agents) == (3500, 50)
    text = said["scene"]
    assert f"de {plain(nombre(ours))} habitants" in text
    assert f"à {plain(nombre(QUOTE))} € hors taxes" in text
    assert f"plus de {plain(nombre(inhabitants))} habitants ou de plus de {agents} agents" in text
    assert f"Avec {PEOPLE} agents" in text
    assert PEOPLE > agents > AGENTS and ours < inhabitants
    # The guess does not give away what the reader is to look for.
    assert f"puisque {PEOPLE} dépasse {agents}" in said["deviner"]
    assert nombre(AGENTS, 1) not in said["deviner"]
    assert "les deux seuils" not in said["deviner"]
    assert f"au-delà de {agents}" in said["essai"]
    assert plain(f"à {nombre(inhabitants - 1)}, puis {nombre(inhabitants)}") in said["essai"]


def test_the_explorable_starts_on_the_scene(said: dict[str, str], laws: Laws, ours: int) -> None:
    """It counts as the table of the lesson does: a school and a hall, perhaps on one site."""
    answers = [
        {judge_card(card, _facts(ours, area)) for area in (810, 1080)}
        for card in _with_threshold(laws, "commune")
    ]
    found = Counter(one.pop() if len(one) == 1 else "check" for one in answers)
    assert (
        f"{found['yes']} textes s'appliquent, {found['check']} sont à vérifier"
        in (said["explorable"])
    )
    assert f"{found['no']} ne s'appliquent pas" in said["explorable"]
    assert f"Restent {found['check']} textes à vérifier." in said["lecture-obligations"]
    assert f"{found['yes'] - 1} s'appliquent déjà, et 1 de plus" in said["lecture-obligations"]
    assert f"L'ouverture et {found['no'] - 1} autres" in said["lecture-obligations"]


def _facts(ours: int, surface: int) -> Facts:
    return Facts(population=ours, agents=AGENTS, grant=sum(GRANTS), contract=QUOTE, surface=surface)


def test_the_thresholds_in_inhabitants(
    said: dict[str, str], tables: dict[str, list[list[str]]], laws: Laws
) -> None:
    words = {"at_least": "au moins", "above": "plus de", "at_most": "au plus", "below": "moins de"}
    counted = {"unspecified": "non précisée", "totale": "totale", "municipale": "municipale"}
    wanted = [
        [
            plain(card.title),
            plain(f"{words[one.test]} {nombre(one.value)}{_from_guides(card)}"),
            counted[str(one.counted)],
        ]
        for card in _with_threshold(laws)
        for one in _comparisons(card, "population")
    ]
    assert tables["en-habitants"] == wanted
    silent = sum(row[2] == "non précisée" for row in wanted)
    text = said["reserves"]
    assert f"Sur ces {len(wanted)} seuils, {silent} ne précisent pas" in text
    (guided,) = [card for card in _with_threshold(laws) if _from_guides(card)]
    assert guided.id == "subvention-donnees" and "La notice du décret n'en parle pas." in str(
        guided.doubt
    )
    assert "Celui des subventions vient de guides : la notice du décret n'en parle pas." in text
    first = min(card.recheck_by for card in _with_threshold(laws))
    assert f"à revérifier avant le {date_longue(first)}" in text


def test_the_square(said: dict[str, str], tables: dict[str, list[list[str]]], ours: int) -> None:
    yes_no = [(one, two) for one in ("oui", "non") for two in ("oui", "non")]
    both = [("oui" if pair == ("oui", "oui") else "non") for pair in yes_no]
    one = [("oui" if "oui" in pair else "non") for pair in yes_no]
    assert tables["et-ou"] == [[*pair, b, o] for pair, b, o in zip(yes_no, both, one, strict=True)]
    text = said["et-ou"]
    assert f"{both.count('oui')} cas sur 4, au lieu de {one.count('oui')}" in text
    assert f"Chantebrise, {plain(nombre(ours))} habitants et {nombre(AGENTS, 1)} agents" in text
    assert f"Si l'on compte {PEOPLE} personnes" in text


def test_the_finding(said: dict[str, str], project: Project) -> None:
    rows = _csv(project.datasets / "communes" / "communes.csv")
    exact = [row["nom"] for row in rows if row["population"] == "3500"]
    text = said["constat"]
    assert "À 3 500 habitants ou à 50 agents tout juste" in text
    assert f"{len(exact)} communes ont 3 500 habitants de population municipale." in text
    assert not any(name in text for name in exact)
    assert f"{PEOPLE} personnes font ici {nombre(AGENTS, 1)}" in said["constat"]


def test_two_populations_of_intercommunal_bodies(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    project: Project,
    laws: Laws,
    populations: list[int],
) -> None:
    limit = _limit(laws, "sobriete-intercommunalite", "population")
    rows = _csv(project.datasets / "epci" / "epci.csv")
    pairs = [(int(row["population_municipale"]), int(row["population_totale"])) for row in rows]
    crossing = sorted(((b, a) for a, b in pairs if (a > limit) != (b > limit)), reverse=True)
    assert [row[1:] for row in tables["deux-populations"]] == [
        [plain(nombre(a)), plain(nombre(b))] for b, a in crossing
    ]
    names = " ".join(row["nom"] for row in rows)
    assert all(row[0] in names for row in tables["deux-populations"])
    text = said["bilan-populations"]
    assert f"Sur {plain(nombre(len(rows)))} intercommunalités" in text
    assert (
        f"{sum(a > limit for a, _ in pairs)} dépassent le seuil par la population municipale"
        in text
    )
    assert f"{sum(b > limit for _, b in pairs)} par la totale" in text
    assert f"Pour {len(crossing)} intercommunalités" in text
    near = sum(3150 <= value < 3500 for value in populations)
    assert f"{near} communes y sont juste sous le seuil, de 3 150 à 3 499 habitants" in text


def test_how_many_communes_reach_each_threshold(
    said: dict[str, str], tables: dict[str, list[list[str]]], populations: list[int]
) -> None:
    counts = [
        ("plus de 2 000", sum(value > 2000 for value in populations)),
        ("au moins 3 500", sum(value >= 3500 for value in populations)),
        ("plus de 50 000", sum(value > 50_000 for value in populations)),
    ]
    total = len(populations)
    assert tables["au-dessus"] == [
        [name, plain(nombre(count)), plain(pourcent(count / total, 1))] for name, count in counts
    ]
    text = said["au-dessus"]
    for name, count in counts:
        words = f"{name.capitalize()} habitants : {plain(nombre(count))} communes, soit "
        assert words + plain(pourcent(count / total, 1)) in text
    below = round(100 * Fraction(total - counts[1][1], total))
    assert f"Sur 100 communes, {below} sont sous le seuil de 3 500 habitants" in text
    assert f"au plus {plain(nombre(counts[1][1]))} communes" in said["au-plus"]
    assert "encore 50 agents" in said["au-plus"]


def test_the_answer(said: dict[str, str], ours: int) -> None:
    missing = f"Il lui manque {plain(nombre(3500 - ours))} habitants et {nombre(50 - AGENTS, 1)} "
    assert missing in said["reponse"]


def test_the_obligations(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    laws: Laws,
    ours: int,
    surfaces: dict[str, int],
) -> None:
    """The notebook reads the table of thresholds; here the cards themselves are judged."""
    cards = _with_threshold(laws, "commune")
    school, hall = surfaces["École du Moulin"], surfaces["Salle polyvalente"]
    # The same site or not: two surfaces are possible, and two answers make a doubt.
    verdicts = {}
    for card in cards:
        possible = {judge_card(card, _facts(ours, area)) for area in (school, school + hall)}
        verdicts[plain(card.title)] = SAID[possible.pop() if len(possible) == 1 else "check"]
    shown = {row[0]: row[1] for row in tables["tableau-obligations"]}
    opening = plain(laws.card("ouverture-par-defaut").title)
    kept = {title for title, word in verdicts.items() if word != SAID["no"]} | {opening}
    assert len(shown) == len(kept)
    for title in kept:
        (card,) = [card for card in cards if plain(card.title) == title]
        # A threshold that the title gives is not written twice.
        wanted = title if card.id == "adresses-grandes" else f"{title} ("
        (row,) = [text for text in shown if text.startswith(wanted)]
        assert ("(" in row) == (card.id != "adresses-grandes")
        signed = {**verdicts, plain(laws.card("marche-donnees").title): IF_SIGNED}
        assert shown[row] == signed[title]
        assert (", selon des guides" in row) == bool(_from_guides(card))
    assert verdicts[opening] == SAID["no"]
    found = Counter(verdicts.values())
    text = said["lecture-obligations"]
    assert verdicts[plain(laws.card("marche-donnees").title)] == SAID["yes"]
    already = found[SAID["yes"]] - 1
    assert f"Sur {len(cards)} textes, {already} s'appliquent déjà, et 1 de plus si vous" in text
    assert f"Restent {found[SAID['check']]} textes à vérifier." in text
    energy = [plain(card.title) for card in cards if _comparisons(card, "surface")]
    assert len(energy) == 2 and {verdicts[title] for title in energy} == {SAID["check"]}
    disputed = found[SAID["check"]] - len(energy)
    assert f"Pour {disputed}, les sources ne s'accordent pas sous le seuil." in text
    assert f"Pour {len(energy)}, deux surfaces sont possibles." in text
    assert f"L'ouverture et {found[SAID['no']] - 1} autres ne s'appliquent pas." in text
    first, second = (plain(nombre(grant)) for grant in GRANTS)
    assert f"{first} et {second} €" in text
    assert f"additionnent : {plain(nombre(sum(GRANTS)))} €" in text
    assert sum(GRANTS) > _limit(laws, "subvention-convention", "grant") > max(GRANTS)
    threshold = _limit(laws, "marche-donnees", "contract")
    assert f"Le seuil est de {plain(nombre(threshold))} €" in text and threshold <= QUOTE
    assert f"L'école fait {school} m²" in text
    assert f"on arrive à {plain(nombre(school + hall))} m²" in text
    assert school < _limit(laws, "energie-declaration", "surface") <= school + hall


def test_what_to_write(said: dict[str, str], laws: Laws, ours: int) -> None:
    card = laws.card("ouverture-par-defaut")
    text = said["que-dire"]
    assert f"Chantebrise a {plain(nombre(ours))} habitants et {nombre(AGENTS, 1)} agents" in text
    assert "au moins 3 500 habitants et au moins 50 agents" in text
    assert "articles : L312-1-1 pour les habitants, D312-1-1-1 pour les agents." in text
    assert "articles L312-1-1 et D312-1-1-1" in card.reference
    assert f"Texte vérifié en {date_longue(card.checked).partition(' ')[2]}." in text


def test_the_check_yourself(said: dict[str, str], laws: Laws, populations: list[int]) -> None:
    text = said["questions"]
    assert "a 3 800 habitants et 42 agents" in text
    opening = laws.card("ouverture-par-defaut")
    assert judge_card(opening, Facts(population=3800, agents=42)) == "no"
    assert "✓ Le texte ne l'y oblige pas. : Il lui manque 8 agents" in text
    assert "14 000 € à un club en janvier, puis 9 500 €" in text
    assert judge_card(laws.card("subvention-convention"), Facts(grant=23_500)) == "yes"
    assert "✓ Oui : le total dépasse 23 000 €." in text and "font 23 500 €" in text
    reach = [value for value in populations if value >= 3500]
    share = Fraction(100 * len(reach), len(populations))
    people = Fraction(100 * sum(reach), sum(populations))
    assert f"✓ {nombre(float(share), 1)} : {plain(nombre(len(reach)))} communes sur" in text
    assert f"réunissent pourtant {plain(pourcent(float(people) / 100))} des habitants" in text
    assert f"✗ {nombre(100 - round(float(share), 1), 1)} : C'est l'inverse" in text
    assert f"✗ {nombre(float(people), 1)} : C'est la part des habitants" in text
    assert judge_card(laws.card("budget-presentation"), Facts(population=900)) == "check"


def test_the_agents_part(said: dict[str, str], laws: Laws) -> None:
    due = Counter(card.recheck_by for card in _with_threshold(laws))
    for day, count in due.items():
        noun = "fiche" if count < 2 else "fiches"
        assert f"{count} {noun} avant le {date_longue(day)}" in said["a-revoir"]


def test_no_number_is_typed_in_the_prose(project: Project) -> None:
    """Numbers of the prose that come from data or from law are printed by code, never typed."""
    notebook = read(project.root / NOTEBOOK)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"^\d\. ", "", prose, flags=re.MULTILINE)
    prose = re.sub(r"\]\([^)]*\)", "]", prose)
    assert re.findall(r"\d+", prose) == []
