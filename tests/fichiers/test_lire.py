"""`lire_tableau` keeps every digit of a code, and refuses with a sentence, never a traceback."""

import contextlib
import hashlib
import io
import re
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from culture_d.own_file import (
    DamagedFile,
    EmptyFile,
    FileTooLarge,
    FileUnavailable,
    HeaderProblem,
    MissingColumns,
    NotATable,
    OwnFileError,
    WrongEncoding,
    WrongSeparator,
    inspecter,
    kinds,
    lire_tableau,
)

Write = Callable[[str, bytes], Path]

TABLE = (
    "Liste des aides;;;;\n"
    "Nom ;Code postal;SIRET;Montant;Date\n"
    "Épicerie solidaire;00130;21860194600000.0;1 063 850,00;2025-03-05\n"
    "Théâtre;130;00004007100014;26\u00a0956,50;-\n"
    ";;;;\n"
    "TOTAL;;;1 090 806,50;\n"
)


def test_codes_stay_text_and_amounts_are_numbers(write: Write) -> None:
    table = lire_tableau(write("f.csv", TABLE.encode("cp1252")))
    assert list(table.columns) == ["Nom", "Code postal", "SIRET", "Montant", "Date"]
    assert table["Code postal"].tolist() == ["00130", "130"]
    assert table["SIRET"].tolist() == ["21860194600000.0", "00004007100014"]
    assert table["Montant"].tolist() == [1063850.0, 26956.5]
    assert table["Nom"].tolist() == ["Épicerie solidaire", "Théâtre"]
    assert table.attrs["remarques"] == [
        "1\u00a0ligne au-dessus du tableau laissée de côté.",
        "1\u00a0ligne vide laissée de côté.",
        "1\u00a0ligne de total laissée de côté.",
    ]


def test_columns_are_found_whatever_their_capitals_and_accents(write: Write) -> None:
    table = lire_tableau(write("f.csv", TABLE.encode()), ["MONTANT", "code_postal"])
    assert list(table.columns) == ["MONTANT", "code_postal"]
    assert lire_tableau(write("g.csv", TABLE.encode()), "Siret").shape == (2, 1)


def test_missing_columns_are_named_with_the_nearest(write: Write) -> None:
    path = write("f.csv", TABLE.encode())
    with pytest.raises(MissingColumns) as caught:
        lire_tableau(path, ["Nom", "Montants versés", "Population"])
    message = str(caught.value)
    assert "« Montants versés » (proche : « Montant »)" in message
    assert "« Population » (rien de proche)" in message
    assert "« Code postal »" in message
    assert "« Nom » (" not in message


@pytest.mark.parametrize("wanted", [[], 3, [3], ["Nom", None]])
def test_columns_must_be_names(write: Write, wanted: Any) -> None:
    with pytest.raises(MissingColumns, match="attend une liste de noms"):
        lire_tableau(write("f.csv", TABLE.encode()), wanted)


@pytest.mark.parametrize(
    ("written", "asked", "words"),
    [
        ("cp1252", "utf-8", "n'est pas en « utf-8 ».*Encodage trouvé : Windows-1252"),
        ("utf-8", "cp1252", "« Ã‰picerie » au lieu de « Épicerie ».*Encodage trouvé : UTF-8"),
        ("cp850", "cp1252", "Encodage trouvé : CP850"),
        ("utf-8", "klingon", "L'encodage 'klingon' n'existe pas"),
        ("utf-8", "base64", "n'existe pas"),
        ("utf-8", 3, "n'existe pas"),
        ("utf-16", "utf-8", "Encodage trouvé : UTF-16"),
    ],
)
def test_a_wrong_encoding_is_said(write: Write, written: str, asked: Any, words: str) -> None:
    with pytest.raises(WrongEncoding, match=words):
        lire_tableau(write("f.csv", TABLE.encode(written)), encodage=asked)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "cp850", "utf-16"])
def test_the_right_encoding_is_taken(write: Write, encoding: str) -> None:
    table = lire_tableau(write("f.csv", TABLE.encode(encoding)), encodage=encoding)
    assert table["Nom"][0] == "Épicerie solidaire"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (",", "Séparateur trouvé : point-virgule .« ; »., qui en donne 5"),
        ("|", "n'a qu'une colonne"),
        ("", "un seul signe"),
        (";;", "un seul signe"),
        (4, "un seul signe"),
    ],
)
def test_a_wrong_separator_is_said(write: Write, asked: Any, words: str) -> None:
    text = "Nom;Commune;A;B;C\nx;y;z;t;u\np;q;r;s;t\n"
    with pytest.raises(WrongSeparator, match=words):
        lire_tableau(write("f.csv", text.encode()), separateur=asked)


def test_a_header_on_two_lines_is_named_then_read_if_asked(write: Write) -> None:
    text = "Association;;Aide;\nNom;Ville;Montant;Date\nA;V;12;2025-01-01\n"
    path = write("f.csv", text.encode())
    with pytest.raises(HeaderProblem) as caught:
        lire_tableau(path)
    assert "ligne 1, « Association », « Aide »" in str(caught.value)
    assert "« titres=2 »" in str(caught.value)
    table = lire_tableau(path, titres=2)
    assert table["Aide : Montant"].tolist() == [12]
    with pytest.raises(HeaderProblem, match="0, 1, 2 ou 3"):
        lire_tableau(path, titres=7)


def test_a_file_beyond_the_limit(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "LIMIT", 2_000)
    text = "Nom;Note\n" + "".join(f"Été {rank};{rank}\n" for rank in range(400))
    path = write("f.csv", text.encode())
    with pytest.raises(FileTooLarge, match=r"pour une limite de 0 Mo.*lignes=10000"):
        lire_tableau(path)
    table = lire_tableau(path, lignes=3)
    assert table["Note"].tolist() == [0, 1, 2]
    assert "Seul le début" in table.attrs["remarques"][0]
    for wrong in (0, -1, 2.5, "3", True):
        with pytest.raises(FileTooLarge, match="nombre entier de lignes"):
            lire_tableau(path, lignes=wrong)  # type: ignore[arg-type]


def test_200_megabytes_are_refused_at_once(tmp_path: Path) -> None:
    """A sparse file: it weighs nothing on the disk, and the refusal reads none of it whole."""
    path = tmp_path / "enorme.csv"
    with path.open("wb") as file:
        file.write(
            b"Nom;Note\n" + b"Une association qui a un nom aussi long que son histoire;1\n" * 90_000
        )
        file.truncate(200_000_000)
    with pytest.raises(FileTooLarge, match="200 Mo, pour une limite de 50 Mo"):
        lire_tableau(path)
    assert inspecter(path).partiel


def test_a_workbook_that_swells_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "UNZIPPED_LIMIT", 1_000_000)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<a/>")
        archive.writestr("xl/worksheets/sheet1.xml", " " * 2_000_000)
    path = write("f.xlsx", stream.getvalue())
    assert path.stat().st_size < 10_000
    with pytest.raises(FileTooLarge, match="une fois ouvert"):
        lire_tableau(path)


def _archive(*names: str, mimetype: str = "") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        if mimetype:
            archive.writestr(zipfile.ZipInfo("mimetype"), mimetype)
        for name in names:
            # Without a day of its own, the same bytes in each process of the tests.
            archive.writestr(zipfile.ZipInfo(name), "x")
    return stream.getvalue()


OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


@pytest.mark.parametrize(
    ("name", "data", "error", "words"),
    [
        ("vide.csv", b"", EmptyFile, "est vide : 0 octet"),
        ("blancs.csv", b" \n;;;\n\n", EmptyFile, "aucun mot"),
        ("blancs.csv", "\ufeff\n".encode(), EmptyFile, "aucun mot"),
        ("titres.csv", b"Nom;Montant\n", EmptyFile, "aucune ligne de données.*« Nom », « Montant »"),
        ("scan.csv", b"%PDF-1.7\n...", NotATable, "est un PDF"),
        ("photo.csv", b"\xff\xd8\xff\xe0....", NotATable, "photo JPEG"),
        ("capture.xlsx", b"\x89PNG\r\n\x1a\n....", NotATable, "image PNG"),
        ("scan.tif", b"II*\x00....", NotATable, "numérisé"),
        ("liste.xls", OLD, NotATable, "ancien format.*en .xlsx, .ods ou .csv"),
        ("secret.xlsx", OLD + "EncryptedPackage".encode("utf-16-le"), NotATable, "mot de passe"),
        ("liste.xls", b"<html><body><table>", NotATable, "page web"),
        ("liste.csv", b"<!DOCTYPE html><p>404", NotATable, "page web"),
        ("envoi.zip", _archive("a.csv", "b.csv"), NotATable, "archive ZIP.*« a.csv », « b.csv »"),
        ("lettre.docx", _archive("word/document.xml"), NotATable, "document de texte"),
        ("lettre.odt", _archive("content.xml", mimetype="text"), NotATable, "document de texte"),
        ("b.xlsb", _archive("xl/workbook.bin"), NotATable, "classeur binaire"),
        ("c.xlsx", _archive("xl/workbook.xml"), DamagedFile, "est abîmé"),
        ("d.xlsx", _archive("xl/workbook.xml")[:40], DamagedFile, "est abîmé"),
        ("e.csv", b'{"a": [1, 2]}', NotATable, "JSON"),
        ("f.gz", b"\x1f\x8b\x08....", NotATable, "compressé"),
        ("g.csv", b"MZ\x90\x00\x03abcdefghijklmnopqrst", NotATable, "n'est pas un texte"),
        ("h.csv", bytes(range(256)) * 4, NotATable, "n'est pas un texte"),
    ],
)  # fmt: skip
def test_what_is_no_table_is_named(
    write: Write, name: str, data: bytes, error: type[OwnFileError], words: str
) -> None:
    with pytest.raises(error, match=words):
        lire_tableau(write(name, data))


def test_nothing_there_a_folder_and_no_name(write: Write, tmp_path: Path) -> None:
    write("aides.xlsx", b"x")
    with pytest.raises(FileUnavailable, match=r"introuvable.*« aides.xlsx »"):
        lire_tableau(tmp_path / "aides.csv")
    with pytest.raises(FileUnavailable, match="est un dossier"):
        lire_tableau(tmp_path)
    for wrong in ("", "  ", None, 3, ["a.csv"]):
        with pytest.raises(FileUnavailable, match="doit être un texte"):
            lire_tableau(wrong)
    for wrong in ("a\0b.csv", "x" * 5000, "~inconnue/x.csv"):
        with pytest.raises(FileUnavailable):
            lire_tableau(wrong)


def test_no_permission(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write("f.csv", b"a;b\n1;2\n")

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(FileUnavailable, match="l'accès est refusé"):
        lire_tableau(path)


def test_a_path_copied_with_its_quotes(write: Write) -> None:
    path = write("f.csv", b"a;b\n1;2\n")
    assert lire_tableau(f'"{path}"').shape == (1, 2)


def test_the_file_is_never_changed(write: Write) -> None:
    path = write("f.csv", TABLE.encode("cp1252"))
    path.chmod(stat.S_IRUSR)
    before = (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns)
    lire_tableau(path)
    inspecter(path)
    assert (hashlib.sha256(path.read_bytes()).digest(), path.stat().st_mtime_ns) == before


def test_more_cells_than_titles_are_kept(write: Write) -> None:
    table = lire_tableau(write("f.csv", b"a;b\nx;y\np;q;r\n"))
    assert list(table.columns) == ["a", "b", "colonne 3"]
    assert table["colonne 3"].tolist()[1] == "r"


def test_a_quote_that_is_never_closed(write: Write) -> None:
    text = 'Nom;Note\n"Les Amis;1\n' + "".join(f"A{rank};{rank}\n" for rank in range(3000))
    table = lire_tableau(write("f.csv", text.encode()))
    assert len(table) == 3001
    assert "guillemet" in table.attrs["remarques"][0]


def test_a_sheet_that_is_not_there(write: Write) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Aides"
    book.active.append(["Nom", "Code postal"])
    book.active.append(["A", 130])
    book.active.cell(2, 2).number_format = "00000"
    stream = io.BytesIO()
    book.save(stream)
    path = write("f.xlsx", stream.getvalue())
    with pytest.raises(NotATable, match=r"n'a pas de feuille 'Budget'\. Ses feuilles : « Aides »"):
        lire_tableau(path, feuille="Budget")
    for name in ("aides", 1, None):
        assert lire_tableau(path, feuille=name)["Code postal"].tolist() == ["00130"]
    for cut in range(0, len(stream.getvalue()), 997):
        with contextlib.suppress(OwnFileError):
            lire_tableau(write("g.xlsx", stream.getvalue()[:cut]))


SIGNS = st.text(alphabet='aé;,\t|"\n\r 0123456789-./€\u00a0Ã\0', max_size=200)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.one_of(st.binary(max_size=300), SIGNS.map(lambda text: text.encode("utf-8"))))
@example(b'"')
@example(b"\xef\xbb\xbf")
@example(b"\xff\xfe")
@example(b"\xff\xfea")
@example(b"sep=;\n")
@example(b"a;b\n1e400;2\n")
@example(b"-;0")
@example(b"PK\x03\x04")
@example(b'a\n"\0')
def test_any_bytes_give_a_table_or_a_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "f.csv"
    path.write_bytes(data)
    for read in (inspecter, lire_tableau):
        with contextlib.suppress(OwnFileError):
            str(read(path))


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example([("00000", 100_000_000)], "utf-8", ";")
@given(
    st.lists(
        st.tuples(st.from_regex(r"\A0[0-9]{4}\Z"), st.integers(-(10**12), 10**12)),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252", "cp850"]),
    st.sampled_from([";", "\t", "|", ","]),
)
def test_no_digit_is_ever_lost(
    tmp_path: Path, rows: list[tuple[str, int]], encoding: str, separator: str
) -> None:
    path = tmp_path / "f.csv"
    lines = [["Numéro", "Somme"], *([code, str(amount)] for code, amount in rows)]
    path.write_bytes("\n".join(map(separator.join, lines)).encode(encoding))
    table = lire_tableau(path)
    assert table["Numéro"].tolist() == [code for code, _ in rows]
    amounts = [str(amount) for _, amount in rows]
    assert [str(value) for value in table["Somme"]] == amounts
    # A column where every cell has nine digits is taken for SIREN numbers, and stays text.
    numbers = pd.api.types.is_integer_dtype(table["Somme"])
    assert numbers != all(re.fullmatch(r"\d{9}", amount) for amount in amounts)
