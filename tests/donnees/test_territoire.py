"""The fictitious territory: one place, told the same everywhere, that nobody can take for a real one."""

import csv
from collections import Counter
from pathlib import Path

from culture_d.fictitious import POPULATIONS, luhn_key, luhn_valid, territory
from culture_d.project import Project


def rows(project: Project, name: str) -> list[dict[str, str]]:
    path = project.datasets / "territoire" / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_tables_speak_of_the_same_communes(project: Project) -> None:
    communes = {row["code"]: row["nom"] for row in rows(project, "communes")}
    assert list(communes.values()) == list(POPULATIONS)
    for name in ("batiments", "ecoles", "associations"):
        for row in rows(project, name):
            assert communes[row["code_commune"]] == row["commune"]
    buildings = {row["id"]: row for row in rows(project, "batiments")}
    for school in rows(project, "ecoles"):
        assert buildings[school["batiment"]]["nom"] == school["nom"]
        assert buildings[school["batiment"]]["type"] == "école"
        assert 1 <= int(school["classes"]) <= int(school["eleves"])
    assert Counter(row["type"] for row in buildings.values())["mairie"] == len(communes)


def test_identifiers_are_well_formed_and_belong_to_nobody(project: Project) -> None:
    numbers = [row["siret"] for row in rows(project, "associations") if row["siret"]]
    numbers += [row[key] for row in rows(project, "communes") for key in ("siren", "siret")]
    numbers.append(territory().siren)
    assert len(numbers) == len(set(numbers))
    for number in numbers:
        assert luhn_valid(number), number
        # No département « 00 » (communes, bodies), and no company before number 001.
        assert number[2:4] == "00" or number.startswith("000"), number


def test_the_luhn_formula_on_a_number_known_elsewhere() -> None:
    """The example of ISO/IEC 7812-1, and a digit changed."""
    assert luhn_key("7992739871") == "3"
    assert luhn_valid("79927398713")
    assert not luhn_valid("79927398723")
    assert not luhn_valid("7992739871x")


def test_the_territory_is_the_same_each_time() -> None:
    assert territory() == territory()


def test_the_counts_said_by_the_manifest(project: Project) -> None:
    manifest = Path(project.datasets / "territoire" / "datapackage.json").read_text("utf-8")
    for name, words in (
        ("communes", "communes"),
        ("batiments", "bâtiments publics"),
        ("ecoles", "écoles"),
        ("associations", "associations"),
    ):
        assert f"{len(rows(project, name))} {words}" in manifest
