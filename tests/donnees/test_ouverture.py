"""A file can be opened for real: nobody left in it, its source untouched, its faults in French."""

import json
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import frictionless
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from culture_d.errors import CultureDError
from culture_d.opening import (
    FREQUENCES,
    LICENCES,
    OpeningError,
    colonnes_personnelles,
    echeances,
    masquer,
    preparer_paquet,
    regrouper,
    risque,
    verifier_paquet,
)
from culture_d.own_file import lire_tableau
from culture_d.project import Project

ENGLISH = re.compile(r"\b(?:the|is|not|row|field|error|type is|constraint|missing|cell)\b", re.I)


@pytest.fixture
def register(project: Project) -> pd.DataFrame:
    path = project.datasets / "registre" / "registre.csv"
    return pd.read_csv(path, dtype={"telephone": str})


@pytest.fixture
def clean(register: pd.DataFrame) -> pd.DataFrame:
    kept = register[["date", "type", "delai_jours", "cout_euros"]]
    return regrouper(kept, "date", "semestre")


def settings_of(**changes: Any) -> dict[str, Any]:
    base = {
        "titre": "Signalements",
        "licence": "Licence Ouverte 2.0",
        "frequence": "chaque année",
        "nom": "signalements",
        "description": "Une ligne par signalement.",
        "producteur": "Une commune fictive",
        "publie_le": date(2026, 9, 25),
        "valable_jusqu_au": "2027-01-31",
        "colonnes": {
            "semestre": "Semestre.",
            "type": "Ce qui est signalé.",
            "delai_jours": "Jours.",
            "cout_euros": "Euros.",
        },
        "sans_personne": "un essai du paquet, et non de ce qu'il contient",
    }
    return {**base, **changes}


# Counting


def test_rows_and_people_are_not_the_same() -> None:
    table = pd.DataFrame(
        {"rue": ["a", "a", "a", "b", "b"], "qui": ["x", "x", "x", "y", "z"], "age": [1, 1, 1, 2, 3]}
    )
    people = risque(table, ["rue"], personne="qui", minimum=2)
    assert (people.groupes, people.lignes_seules, people.personnes_seules) == (2, 3, 1)
    assert (people.plus_petit, people.petits_groupes, people.lignes_en_petit_groupe) == (1, 1, 3)
    rows = risque(table, ["rue"], minimum=2)
    assert (rows.lignes_seules, rows.plus_petit, rows.petits_groupes) == (0, 2, 0)
    assert "Le plus petit groupe compte 1\u00a0personne." in people.phrase()
    assert "Le plus petit groupe compte 2\u00a0lignes." in rows.phrase()


def test_an_empty_cell_is_a_value_like_another() -> None:
    table = pd.DataFrame({"rue": ["a", "a", None]})
    assert risque(table, ["rue"]).lignes_seules == 1
    assert risque(table, []).groupes == 1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.integers(0, 2), st.sampled_from("xyzt")), min_size=1
    )
)
def test_the_count_agrees_with_a_plain_one(rows: list[tuple[str, int, str]]) -> None:
    table = pd.DataFrame(rows, columns=["rue", "age", "qui"])
    groups: dict[tuple[str, int], set[str]] = {}
    for place, age, who in rows:
        groups.setdefault((place, age), set()).add(who)
    found = risque(table, ["rue", "age"], personne="qui", minimum=3)
    lonely = [(p, a, w) for p, a, w in rows if len(groups[p, a]) == 1]
    assert found.lignes_seules == len(lonely)
    assert found.personnes_seules == len({who for _, _, who in lonely})
    assert found.plus_petit == min(map(len, groups.values()))
    assert found.petits_groupes == sum(len(group) < 3 for group in groups.values())
    assert found.lignes_en_petit_groupe == sum(len(groups[p, a]) < 3 for p, a, _ in rows)
    # Coarser never makes more people alone.
    assert risque(table, ["rue"], personne="qui").personnes_seules <= found.personnes_seules


# Hiding and coarsening


def test_the_table_given_is_never_changed(register: pd.DataFrame, tmp_path: Path) -> None:
    before = register.copy(deep=True)
    kept = masquer(register, ["nom", "telephone"])
    kept = regrouper(kept, "adresse", "voie")
    kept = regrouper(kept, "annee_naissance", "tranche", annee=2025)
    kept = regrouper(kept, "date", "mois")
    assert list(kept.columns[:5]) == ["mois", "type", "commune", "voie", "tranche_age"]
    published = register[["type", "delai_jours"]]
    said = {"type": "Type.", "delai_jours": "Jours."}
    preparer_paquet(published, tmp_path / "paquet", **settings_of(colonnes=said))
    pd.testing.assert_frame_equal(register, before)


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("mois", ["2025-01", "2025-03", "2025-04", "2025-12"]),
        ("trimestre", ["2025-T1", "2025-T1", "2025-T2", "2025-T4"]),
        ("semestre", ["2025-S1", "2025-S1", "2025-S1", "2025-S2"]),
        ("année", ["2025", "2025", "2025", "2025"]),
    ],
)
def test_days_become_periods(level: str, expected: list[str]) -> None:
    days = pd.DataFrame({"jour": ["2025-01-01", "2025-03-31", "2025-04-01", "2025-12-31", None]})
    column = regrouper(days, "jour", level).iloc[:, 0]
    assert column.tolist()[:4] == expected
    assert column.isna().tolist() == [False] * 4 + [True]


def test_days_are_read_as_people_write_them() -> None:
    days = pd.DataFrame(
        {"jour": ["2025-04-03", "03/04/2025", " 3/4/2025 08:15", "2025-04-03T08:15"]}
    )
    assert regrouper(days, "jour", "mois")["mois"].tolist() == ["2025-04"] * 4
    typed = days.assign(jour=pd.Timestamp("2025-04-03 08:15"))
    assert regrouper(typed, "jour", "trimestre")["trimestre"].tolist() == ["2025-T2"] * 4
    for wrong in ("03/04/25", "2025-04", "avril", "2025-02-30"):
        with pytest.raises(OpeningError, match=wrong):
            regrouper(pd.DataFrame({"jour": ["2025-04-03", wrong]}), "jour", "mois")


def test_a_file_read_by_the_course_can_be_opened(register: pd.DataFrame, tmp_path: Path) -> None:
    """Read with `lire_tableau` an export as town halls make them, and count the same people."""
    path = tmp_path / "export.csv"
    days = pd.to_datetime(register["date"]).dt.strftime("%d/%m/%Y")
    register.assign(date=days).to_csv(path, sep=";", index=False, encoding="cp1252")
    before = path.read_bytes()
    table = lire_tableau(path)
    assert set(colonnes_personnelles(table)) == set(colonnes_personnelles(register))
    for columns in (["commune", "type"], ["annee_naissance", "type"]):
        assert risque(table, columns, "courriel") == risque(register, columns, "courriel")
    halves = regrouper(table, "date", "semestre")["semestre"].tolist()
    assert halves == regrouper(register, "date", "semestre")["semestre"].tolist()
    assert path.read_bytes() == before


def test_addresses_ages_and_places_become_wider() -> None:
    table = pd.DataFrame(
        {
            "adresse": ["12 rue Haute", "3 bis, rue Basse", "place du Puits"],
            "ne_en": [1986, 1985, 2025],
            "commune": ["a", "b", "a"],
        }
    )
    assert regrouper(table, "adresse", "voie")["voie"].tolist() == [
        "rue Haute",
        "rue Basse",
        "place du Puits",
    ]
    assert regrouper(table, "ne_en", "tranche", annee=2025)["tranche_age"].tolist() == [
        "de 20 à 39 ans",
        "de 40 à 59 ans",
        "de 0 à 19 ans",
    ]
    wide = regrouper(table, "commune", {"a": "nord", "b": "nord"}, nom="secteur")
    assert wide["secteur"].tolist() == ["nord"] * 3 and "commune" not in wide


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda t: risque(t, ["ruee"]), "Vouliez-vous dire « rue » ?"),
        (lambda t: risque(t, "rue"), "avec des crochets"),
        (lambda t: risque(t.iloc[:0], ["rue"]), "Le tableau est vide"),
        (lambda t: risque(t, ["rue"], minimum=1), "un entier, 2 ou plus"),
        (lambda t: risque([1], ["rue"]), "On attend un tableau"),
        (lambda t: masquer(t, ["nom"]), "n'est pas dans le tableau"),
        (lambda t: regrouper(t, "jour", "mois"), "« 12/13/2025 » ne se regroupe pas"),
        (lambda t: regrouper(t, "jour", "mois"), "ligne 3 du fichier"),
        (lambda t: regrouper(t, "rue", "décennie"), "Choisissez mois, trimestre"),
        (lambda t: regrouper(t, "rue", {"a": "x"}), "« b » ne se regroupe pas"),
        (lambda t: regrouper(t, "ne", "tranche"), "donnez « annee »"),
        (lambda t: regrouper(t, "ne", "tranche", annee=2025), "« 3025 » n'est pas une année"),
        (lambda t: regrouper(t, "rue", {"a": "x", "b": "y"}, nom="ne"), "existe déjà"),
    ],
)
def test_a_mistake_is_said_in_french(call: Callable[[Any], object], words: str) -> None:
    table = pd.DataFrame(
        {"rue": ["a", "b"], "jour": ["2025-01-01", "12/13/2025"], "ne": [1980, 3025]}
    )
    with pytest.raises(OpeningError) as error:
        call(table)
    assert words in str(error.value)
    assert isinstance(error.value, CultureDError)


# What speaks of a person


def test_personal_columns_are_found(register: pd.DataFrame) -> None:
    assert set(colonnes_personnelles(register)) == {
        "adresse", "annee_naissance", "nom", "telephone", "courriel", "commentaire", "note_interne",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (["a", "écrire à jeanne@example.org"], "une adresse électronique"),
        (["a", "rappeler au 01 99 00 12 34"], "un numéro de téléphone"),
        (["a", "+33 6 39 98 12 34"], "un numéro de téléphone"),
        (["a", "voir Mme Cordevel"], "le nom d'une personne"),
        (["a", "2 85 05 00 123 456"], "un numéro de sécurité sociale"),
        (["a", "FR76 3000 1007 9412 3456 7890 185"], "un compte bancaire"),
        ([f"la lampe du coin clignote encore {n}" for n in range(30)], "un texte libre"),
    ],
)
def test_what_a_column_holds_gives_it_away(values: list[str], what: str) -> None:
    assert colonnes_personnelles(pd.DataFrame({"x": values})) == {"x": what}


@pytest.mark.parametrize(
    "name", ["nom_commune", "adresse_salle", "nombre_agents", "type", "montage", "nommage", "plage"]
)
def test_places_and_counts_are_nobody(name: str) -> None:
    assert colonnes_personnelles(pd.DataFrame({name: ["a", "b"]})) == {}


@pytest.mark.parametrize(
    "name", ["dateNaissance", "Nom de l'usager", "TÉL.", "commune_usager", "e-mail"]
)
def test_titles_are_read_as_people_write_them(name: str) -> None:
    assert colonnes_personnelles(pd.DataFrame({name: ["a", "b"]}))


# The package


def test_the_package_is_valid_and_says_all(clean: pd.DataFrame, tmp_path: Path) -> None:
    folder = preparer_paquet(clean, tmp_path / "nouveau" / "paquet", **settings_of())
    assert sorted(path.name for path in folder.iterdir()) == [
        "datapackage.json",
        "signalements.csv",
    ]
    assert [path.name for path in folder.parent.iterdir()] == ["paquet"]
    report = frictionless.Package.from_descriptor(str(folder / "datapackage.json")).validate()
    assert report.valid and verifier_paquet(folder) == ()
    manifest = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    assert manifest["licenses"][0]["name"] == "etalab-2.0"
    assert (manifest["updateFrequency"], manifest["validUntil"]) == ("P1Y", "2027-01-31")
    fields = {one["name"]: one for one in manifest["resources"][0]["schema"]["fields"]}
    assert {name: one["type"] for name, one in fields.items()} == {
        "semestre": "string",
        "type": "string",
        "delai_jours": "integer",
        "cout_euros": "integer",
    }
    assert fields["type"]["constraints"]["required"] is True
    assert "constraints" not in fields["delai_jours"]
    read = pd.read_csv(folder / "signalements.csv")
    pd.testing.assert_frame_equal(read, clean, check_dtype=False)


def test_the_same_table_makes_the_same_bytes(clean: pd.DataFrame, tmp_path: Path) -> None:
    one = preparer_paquet(clean, tmp_path / "un", **settings_of())
    two = preparer_paquet(clean, tmp_path / "deux", **settings_of())
    for name in ("datapackage.json", "signalements.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_types_of_every_kind_are_written(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {
            "jour": pd.to_datetime(["2025-01-02", None]),
            "fait": [True, False],
            "part": [0.5, None],
            "compte": pd.array([1, None], dtype="Int64"),
            "quand": ["2025-01-01", "2025-02-01"],
        }
    )
    said = dict.fromkeys(table.columns, "Essai.")
    folder = preparer_paquet(table, tmp_path / "p", **settings_of(colonnes=said))
    assert (folder / "signalements.csv").read_text(encoding="utf-8") == (
        "jour,fait,part,compte,quand\n2025-01-02,true,0.5,1,2025-01-01\n,false,,,2025-02-01\n"
    )
    manifest = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    fields = manifest["resources"][0]["schema"]["fields"]
    assert [one["type"] for one in fields] == ["date", "boolean", "number", "integer", "date"]


def test_nothing_is_written_over(clean: pd.DataFrame, tmp_path: Path) -> None:
    folder = tmp_path / "paquet"
    folder.mkdir()
    (folder / "registre.csv").write_text("précieux", encoding="utf-8")
    with pytest.raises(OpeningError, match="existe déjà"):
        preparer_paquet(clean, folder, **settings_of())
    with pytest.raises(OpeningError, match="existe déjà"):
        preparer_paquet(clean, folder / "registre.csv", **settings_of())
    assert [path.name for path in tmp_path.rglob("*")] == ["paquet", "registre.csv"]
    assert (folder / "registre.csv").read_text(encoding="utf-8") == "précieux"
    empty = tmp_path / "vide"
    empty.mkdir()
    assert preparer_paquet(clean, empty, **settings_of()) == empty


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"licence": "MIT"}, "n'est pas dans la liste : Licence Ouverte 2.0, ODbL 1.0"),
        ({"frequence": "souvent"}, "La fréquence « souvent » est inconnue"),
        ({"nom": "Mes données"}, "des minuscules sans accent"),
        ({"nom": "../ailleurs"}, "des minuscules sans accent"),
        ({"titre": " "}, "« titre » est vide"),
        ({"publie_le": "25/09/2026"}, "attend une date AAAA-MM-JJ"),
        ({"valable_jusqu_au": "2026-09-25"}, "doit venir après"),
        ({"colonnes": {"type": "Type."}}, "Il manque : semestre, delai_jours, cout_euros"),
        ({"sans_personne": " "}, "En croisant toutes les colonnes"),
        ({"personnes": "qui"}, "n'est pas dans le tableau"),
        ({"personnes": "type"}, "sans nombre, ou de moins de 5"),
        ({"admises": {"nom": "public"}}, "n'est pas dans le tableau"),
    ],
)
def test_a_package_is_refused(
    clean: pd.DataFrame, tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(OpeningError, match=re.escape(words)):
        preparer_paquet(clean, tmp_path / "paquet", **settings_of(**changes))
    assert list(tmp_path.iterdir()) == []


def test_all_that_is_published_is_crossed(clean: pd.DataFrame, tmp_path: Path) -> None:
    """Periods and kinds gather many rows; the exact delay and cost beside them single out."""
    wide = clean[["semestre", "type"]]
    said = {"semestre": "Semestre.", "type": "Type."}
    kept = settings_of(colonnes=said, sans_personne="")
    assert preparer_paquet(wide, tmp_path / "large", **kept).is_dir()
    with pytest.raises(OpeningError, match="toutes les colonnes"):
        preparer_paquet(clean, tmp_path / "exact", **settings_of(sans_personne=""))


def test_one_row_per_group_says_how_many_people_it_holds(tmp_path: Path) -> None:
    table = pd.DataFrame({"secteur": ["nord", "sud"], "personnes": [5, 12], "delai": [3.5, 6]})
    kept = settings_of(
        colonnes=dict.fromkeys(table.columns, "Essai."), sans_personne="", personnes="personnes"
    )
    assert preparer_paquet(table, tmp_path / "bon", **kept).is_dir()
    for few in (4, None):
        with pytest.raises(OpeningError, match=r"1\xa0groupe sans nombre, ou de moins de 5"):
            preparer_paquet(table.assign(personnes=[few, 12]), tmp_path / "non", **kept)


def test_a_description_of_an_absent_column_is_refused(clean: pd.DataFrame, tmp_path: Path) -> None:
    said = {**settings_of()["colonnes"], "rue": "La rue."}
    with pytest.raises(OpeningError, match="absentes du tableau : rue"):
        preparer_paquet(clean, tmp_path / "paquet", **settings_of(colonnes=said))


@pytest.mark.parametrize("column", ["adresse", "annee_naissance", "nom", "telephone", "courriel",
                                    "commentaire", "note_interne"])  # fmt: skip
def test_a_personal_column_left_in_is_refused(
    register: pd.DataFrame, tmp_path: Path, column: str
) -> None:
    table = register[["type", column]]
    said = {"type": "Type.", column: "Essai."}
    with pytest.raises(OpeningError, match=f"« {column} »"):
        preparer_paquet(table, tmp_path / "p", **settings_of(colonnes=said))
    assert list(tmp_path.iterdir()) == []


def test_a_column_may_be_admitted_with_a_reason(tmp_path: Path) -> None:
    table = pd.DataFrame({"adresse": ["1 place du Marché", "4 rue de la Gare"]})
    said = {"adresse": "Adresse de la mairie."}
    with pytest.raises(OpeningError, match="Dites pourquoi"):
        preparer_paquet(
            table, tmp_path / "p", **settings_of(colonnes=said, admises={"adresse": " "})
        )
    folder = preparer_paquet(
        table, tmp_path / "p", **settings_of(colonnes=said, admises={"adresse": "des mairies"})
    )
    assert verifier_paquet(folder, admises=["adresse"]) == ()
    assert "« adresse » semble contenir une adresse" in verifier_paquet(folder)[0]


@pytest.mark.parametrize(
    "table", [pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame({"": [1]})]
)
def test_titles_must_be_there_once(table: pd.DataFrame, tmp_path: Path) -> None:
    with pytest.raises(OpeningError, match=r"Deux colonnes|pas de titre"):
        preparer_paquet(table, tmp_path / "p", **settings_of(colonnes={"a": "A."}))


def _replace(before: str, after: str) -> Callable[[Path, dict[str, Any]], object]:
    def edit(path: Path, manifest: dict[str, Any]) -> None:
        text = path.read_text(encoding="utf-8")
        assert before in text
        path.write_text(text.replace(before, after, 1), encoding="utf-8")

    return edit


def _append(line: str) -> Callable[[Path, dict[str, Any]], object]:
    def edit(path: Path, manifest: dict[str, Any]) -> None:
        path.write_text(path.read_text(encoding="utf-8") + line, encoding="utf-8")

    return edit


def _resource(**changes: Any) -> Callable[[Path, dict[str, Any]], object]:
    return lambda path, manifest: manifest["resources"][0].update(changes)


BREAKS: dict[str, tuple[Callable[[Path, dict[str, Any]], object], str]] = {
    "letters": (_replace(",9,", ",neuf,"), "« neuf » n'est pas un nombre entier."),
    "unknown value": (_replace("éclairage", "lampe"), "« lampe » : cette valeur n'est pas dans la liste"),
    "empty cell": (_replace("2025-S1", ""), "la case est vide"),
    "missing title": (_replace(",cout_euros", ""), "Il manque la colonne « cout_euros »"),
    "wrong order": (_replace("semestre,type", "type,semestre"), "dans l'ordre ?"),
    "title twice": (_replace("semestre,type", "type,type"), "Deux colonnes s'appellent « type »."),
    "blank title": (_replace("semestre,type", "semestre,"), "La colonne n° 2 n'a pas de titre."),
    "blank row": (_append("\n"), "La ligne 586 est vide"),
    "short row": (_append("2025-S1,voirie\n"), "s'arrête avant la colonne « delai_jours »"),
    "long row": (_append("2025-S1,voirie,1,2,3\n"), "La ligne 586 a trop de cases."),
    "encoding": (
        lambda path, _: path.write_text(path.read_text("utf-8"), "latin-1") and None,
        "n'est pas en UTF-8",
    ),
    "empty file": (lambda path, _: path.write_text("") and None, "est vide"),
    "absent file": (lambda path, _: path.unlink(), "est introuvable"),
    "changed file": (_resource(hash="sha256:00"), "son empreinte n'est plus la même"),
    "outside": (_resource(path="../../etc/secret.csv"), "sort du dossier du paquet"),
    "no resource": (lambda _, m: m.update(resources=3), "Regardez « resources »."),
    "unknown type": (
        lambda _, m: m["resources"][0]["schema"]["fields"][0].update(type="bidule"),
        "Une colonne est mal décrite dans le schéma.",
    ),
    "key twice": (
        lambda _, m: m["resources"][0]["schema"].update(primaryKey=["type"]),
        "répète la clé d'une autre ligne.",
    ),
    "no licence": (lambda _, m: m.pop("licenses") and None, "ne dit pas sa licence"),
    "own licence": (
        lambda _, m: m["licenses"][0].update(name="maison"),
        "La licence « maison » n'est pas dans la liste",
    ),
    "no expiry": (lambda _, m: m.pop("validUntil") and None, "jusqu'à quand le citer"),
    "no rhythm": (lambda _, m: m.pop("updateFrequency") and None, "son rythme de mise à jour"),
}  # fmt: skip


@pytest.mark.parametrize("fault", BREAKS)
def test_each_fault_is_said_in_french(clean: pd.DataFrame, tmp_path: Path, fault: str) -> None:
    folder = preparer_paquet(clean, tmp_path / "paquet", **settings_of())
    path = folder / "datapackage.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for key in ("hash", "bytes"):
        manifest["resources"][0].pop(key)
    edit, words = BREAKS[fault]
    edit(folder / "signalements.csv", manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")
    said = verifier_paquet(folder)
    assert any(words in sentence for sentence in said), said
    assert len(said) <= 7
    assert not [sentence for sentence in said if ENGLISH.search(sentence)], said


def test_a_personal_column_added_afterwards_is_seen(clean: pd.DataFrame, tmp_path: Path) -> None:
    folder = preparer_paquet(clean, tmp_path / "paquet", **settings_of())
    path = folder / "signalements.csv"
    path.write_text(path.read_text("utf-8").replace("voirie", "rappeler Mme Cordevel", 1), "utf-8")
    assert any(
        "« type » semble contenir le nom d'une personne" in one for one in verifier_paquet(folder)
    )


def test_what_is_no_package_is_said(tmp_path: Path) -> None:
    assert "Il n'y a pas de fichier" in verifier_paquet(tmp_path)[0]
    path = tmp_path / "datapackage.json"
    for content, words in (
        ("{", "ne se lit pas"),
        ("[]", "un objet JSON"),
        ("\udcff", "ne se lit pas"),
    ):
        path.write_bytes(content.encode("utf-8", "surrogateescape"))
        assert words in verifier_paquet(tmp_path)[0]


def test_licences_and_rhythms_are_those_a_manifest_may_say() -> None:
    assert {one["name"] for one in LICENCES.values()} == {"etalab-2.0", "ODbL-1.0"}
    assert all(re.fullmatch(r"(P\d+[WMY])?", period) for period in FREQUENCES.values())


# The days of a request


def test_the_days_of_a_request() -> None:
    found = echeances("2026-02-06", "2026-03-17")
    assert found["jour"].tolist() == [
        date(2026, 2, 6), date(2026, 3, 6), date(2026, 5, 6), date(2026, 3, 17),
        date(2026, 4, 17), date(2026, 5, 17), date(2026, 7, 17),
    ]  # fmt: skip
    assert len(echeances(date(2026, 2, 6))) == 3


def test_a_month_that_has_no_such_day_ends_on_its_last() -> None:
    days = echeances("2026-01-31")["jour"].tolist()
    assert days[1:] == [date(2026, 2, 28), date(2026, 4, 28)]
    assert echeances("2027-12-31")["jour"].tolist()[1] == date(2028, 1, 31)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("6 février",), "attend une date AAAA-MM-JJ"),
        ((None,), "attend une date AAAA-MM-JJ"),
        (("2026-02-06", "2026-02-01"), "ne peut pas enregistrer"),
    ],
)
def test_days_that_cannot_be(arguments: tuple[Any, ...], words: str) -> None:
    with pytest.raises(OpeningError, match=words):
        echeances(*arguments)
