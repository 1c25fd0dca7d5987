"""The files for spreadsheets and for Moodle."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from culture_d.errors import FeedbackError
from culture_d.grading.exports import (
    MOODLE,
    Participant,
    fill_moodle,
    harmless,
    participants,
    write_csv,
    write_moodle,
)
from culture_d.grading.model import Submission

SLUG = "moyenne-mediane"
FOUND = {
    "alix": Participant("900110", "Martin Alix", "alix@exemple.fr"),
    "bruno": Participant("900111", '=HYPERLINK("//x.fr")'),
    "denis": Participant("900112"),
    "elise": Participant("900113", "Élise Noël"),
}


def test_a_spreadsheet_gets_one_line_a_learner(graded: Any, tmp_path: Path) -> None:
    path = write_csv(graded.db_url, tmp_path / "notes" / "notes.csv", [SLUG])
    content = path.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfIdentifiant;")
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))
    assert lines[0][4:] == [
        f"{SLUG} : note",
        f"{SLUG} : sur",
        f"{SLUG} : retrait pour retard",
        f"{SLUG} : points à relire",
        "Total",
        "Total sur",
    ]
    by_name = {line[0]: line[1:] for line in lines[1:]}
    assert by_name["alix"] == ["Alix", "Martin", "", "19,5", "20", "0", "0", "19,5", "20"]
    assert by_name["chloe"] == ["Chloé", "Durand", "", "12", "20", "2", "4", "12", "20"]
    assert by_name["hugo"] == ["", "", "", "", "", "", "", "", ""]
    assert len(lines) == 8
    assert all(len(line) == len(lines[0]) for line in lines)


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+33",
        "-2+3",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "  =1",
        "＝1",
        "－1",
        "＋1",
        "＠x",
        "-",
    ],
)
def test_no_text_is_a_formula(text: str) -> None:
    assert harmless(text) == "'" + text


@pytest.mark.parametrize("text", ["Jean-Pierre", "12,5", "12.5", "", "a=b", "l'élue", "n° 3"])
def test_an_ordinary_text_stays(text: str) -> None:
    assert harmless(text) == text


def test_a_name_that_is_a_formula_is_defused_in_each_file(graded: Any, tmp_path: Path) -> None:
    with Gradebook(graded.db_url) as book:
        book.update_or_create_student("hugo", last_name='=cmd|"/C calc"!A0;"x')
    try:
        text = write_csv(graded.db_url, tmp_path / "n.csv", [SLUG]).read_text(encoding="utf-8-sig")
        line = next(one for one in csv.reader(io.StringIO(text), delimiter=";") if one[0] == "hugo")
        assert line[2] == '\'=cmd|"/C calc"!A0;"x'
    finally:
        with Gradebook(graded.db_url) as book:
            book.update_or_create_student("hugo", last_name=None)
    moodle = write_moodle(graded.db_url, tmp_path / "m.csv", graded.assignment, FOUND)
    assert "'=HYPERLINK" in moodle.read_text(encoding="utf-8")


def moodle_import(content: bytes, language: str, known: dict[str, str]) -> dict[str, str]:
    """Read a sheet as Moodle does, and return the grades it would record.

    From `mod/assign/feedback/offline/importgradeslib.php`: comma-separated UTF-8; columns found
    by their exact title in the user's language; the number is what follows the length of the
    word « Participant »; an empty grade changes nothing.
    """
    words = MOODLE[language]
    lines = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    places = [lines[0].index(one) for one in (words.identifier, words.grade, words.modified)]
    grades = {}
    for line in lines[1:]:
        number = line[places[0]].encode()[len(words.participant.encode()) :].decode()
        if number in known and line[places[1]]:
            grades[known[number]] = line[places[1]]
    return grades


KNOWN = {one.number: learner for learner, one in FOUND.items()}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_moodle_reads_the_grades_of_its_own(graded: Any, tmp_path: Path, language: str) -> None:
    """Those that await a person have none; who Moodle did not name has no line."""
    path = write_moodle(graded.db_url, tmp_path / "m.csv", graded.assignment, FOUND, language)
    content = path.read_bytes()
    assert moodle_import(content, language, KNOWN) == {"alix": "19.50", "elise": "2.00"}
    assert b"chloe" not in content
    other = "en" if language == "fr" else "fr"
    with pytest.raises(ValueError, match="is not in list"):
        moodle_import(content, other, KNOWN)


def test_the_word_participant_is_that_of_the_language() -> None:
    """Moodle cuts as many bytes as its own word has: one too many would cut the number."""
    assert (MOODLE["en"].participant, MOODLE["fr"].participant) == ("Participant ", "Participant")


def test_another_language_is_refused(graded: Any, tmp_path: Path) -> None:
    with pytest.raises(FeedbackError, match=r"« fr » ou « en ».*téléchargée depuis Moodle"):
        write_moodle(graded.db_url, tmp_path / "m.csv", graded.assignment, FOUND, "de")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Alix Martin_900110_assignsubmission_file", Participant("900110", "Alix Martin")),
        ("Alix Martin_900110_assignsubmission_file_/a.ipynb", Participant("900110", "Alix Martin")),
        ("Jean_Luc_9_assignsubmission_file_devoir_2.ipynb", Participant("9", "Jean_Luc")),
        ("Participant_12_assignsubmission_file_x", Participant("12", "Participant")),
        ("devoir.ipynb", None),
        ("a/Alix_1_assignsubmission_file", None),
    ],
)
def test_moodle_s_names_are_read(name: str, expected: Participant | None) -> None:
    assert Participant.of_entry(name) == expected


def test_those_who_came_from_moodle_are_found() -> None:
    found = [
        Submission("alix-martin-900110", SLUG, {}, None, "Alix Martin", participant="900110"),
        Submission("eleve-0001", SLUG, {}),
    ]
    assert participants(found) == {"alix-martin-900110": Participant("900110", "Alix Martin")}


SHEET = (
    "\ufeffIdentifiant,Nom complet,Groupe,Statut,Note,Note maximale,La note peut être modifiée,"
    "Dernière modification (travail remis),Dernière modification (note),Feedback par commentaires\r\n"
    'Participant900110,"Martin, Alix",A,Remis,,"20,00",Oui,"vendredi 27 février 2026, 18:30",-,\r\n'
    'Participant900111,Bruno Petit,A,Remis,"3,00","20,00",Oui,-,"lundi 2 mars 2026, 9:00","Bien, ""déjà"""\r\n'
    "Participant900999,Autre Personne,B,Non remis,,,Oui,-,-,\r\n"
).encode()


def test_moodle_s_own_sheet_is_filled_in_and_otherwise_kept(graded: Any, tmp_path: Path) -> None:
    path = fill_moodle(graded.db_url, tmp_path / "m.csv", graded.assignment, FOUND, SHEET)
    before = list(csv.reader(io.StringIO(SHEET.decode("utf-8-sig"), newline="")))
    after = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
    assert after[1][4] == "19.50"
    assert after[2][4] == "3,00"  # bruno awaits a person
    before[1][4] = "19.50"
    assert after == before
    assert moodle_import(path.read_bytes(), "fr", {"900110": "alix"}) == {"alix": "19.50"}


@pytest.mark.parametrize(
    ("sheet", "said"),
    [
        (b"a,b\r\n1,2\r\n", "n'est pas une feuille"),
        (b"\xff\xfe", "n'est pas une feuille"),
        (b"", "n'est pas une feuille"),
        (SHEET.replace(b",", b";"), "n'est pas une feuille"),
        (SHEET.replace(b"20,00", b"100,00"), r"note sur 100,00.* sur 20"),
        (SHEET.replace(b"20,00", b"vingt"), r"note sur vingt.* sur 20"),
    ],
)
def test_another_sheet_is_refused(graded: Any, tmp_path: Path, sheet: bytes, said: str) -> None:
    path = tmp_path / "m.csv"
    with pytest.raises(FeedbackError, match=said):
        fill_moodle(graded.db_url, path, graded.assignment, FOUND, sheet)
    assert not path.exists()


def test_a_file_is_whole_or_as_it_was(
    graded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "notes.csv"
    path.write_text("avant", encoding="utf-8")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FeedbackError, match="plus de place sur le disque"):
        write_csv(graded.db_url, path, [SLUG])
    assert path.read_text(encoding="utf-8") == "avant"
    assert list(tmp_path.iterdir()) == [path]
