"""Every number that formats prints, made again from the bytes by other code than its own.

Plain Python: neither pandas nor the reader of the course, but the French writing of numbers.
"""

import csv
import re
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from culture_d.fictitious import territory
from culture_d.french import nombre
from culture_d.notebooks import read
from culture_d.project import Project

NOTEBOOK = "notebooks/comprendre/formats.ipynb"
# What each text file is, told here by hand: encoding of Python, separator, and their names.
TEXTS = [
    ("subventions.csv", "utf-8", ",", "UTF-8", "virgule"),
    ("subventions-marque.csv", "utf-8-sig", ";", "UTF-8, avec une marque en tête", "point-virgule"),
    ("subventions-windows.csv", "cp1252", ";", "Windows-1252 (occidental)", "point-virgule"),
    ("subventions-dos.csv", "cp850", ";", "CP850 (vieux logiciels)", "point-virgule"),
    ("subventions-utf16.txt", "utf-16", "\t", "UTF-16", "tabulation"),
    ("subventions-tableur.csv", "cp1252", ";", "Windows-1252 (occidental)", "point-virgule"),
    ("subventions-logiciel.csv", "utf-8", ",", "UTF-8", "virgule"),
]


@pytest.fixture(scope="module")
def folder(project: Project) -> Path:
    return project.datasets / "formats"


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    _, encoding, separator, *_ = next(one for one in TEXTS if one[0] == name)
    with (folder / name).open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


@pytest.fixture(scope="module")
def exact(folder: Path) -> list[dict[str, str]]:
    return rows(folder, "subventions.csv")


def zeros(code: str) -> int:
    return len(code) - len(str(int(code)))


@pytest.fixture(scope="module")
def foyer(exact: list[dict[str, str]]) -> dict[str, str]:
    return next(row for row in exact if row["Association"] == "Foyer rural de Valmorin")


def garbled(text: str) -> str:
    return text.encode("utf-8").decode("cp1252")


def test_every_file_says_the_same(folder: Path, exact: list[dict[str, str]]) -> None:
    for name, *_ in TEXTS[:5]:
        for row, right in zip(rows(folder, name), exact, strict=True):
            old = name == "subventions-dos.csv"
            title = right["Association"].replace("œ", "oe") if old else right["Association"]
            assert (row["Association"], row["SIRET"], row["Code postal"]) == (
                title, right["SIRET"], right["Code postal"],
            )  # fmt: skip
            digits = re.sub(r"[\s\u202f\u00a0]", "", row["Montant"]).replace(",", ".")
            assert float(digits) == float(right["Montant"])
            day = row["Date"]
            assert (
                day if "-" in day else "-".join(reversed(day.split("/")))
            ) == right["Date"]  # fmt: skip


def test_the_scene(said: dict[str, str], foyer: dict[str, str]) -> None:
    text = said["scene"]
    assert (
        f"« Vous nous avez voté {nombre(float(foyer['Montant']))}".replace("« ", "«\u00a0") in text
    )
    assert f"n’en a plus que {len(str(int(foyer['SIRET'])))}." in text
    assert f"est devenu {int(foyer['Code postal'])}." in text
    assert f"« Chère {garbled('Épicerie solidaire du Pays d')}’Orvette »".replace("« ", "«\u00a0").replace(" »", "\u00a0»") in text  # fmt: skip


def test_the_guess(said: dict[str, str], foyer: dict[str, str]) -> None:
    text = said["deviner"]
    assert f"porte le SIRET {foyer['SIRET']}. Le rejet cite le SIRET {int(foyer['SIRET'])}." in text
    assert f"entier : {len(foyer['SIRET'])}\u00a0chiffres" in text
    assert f"il en a retiré {zeros(foyer['SIRET'])}, sans" in text


def test_the_files(
    said: dict[str, str], tables: dict[str, list[list[str]]], exact: list[dict[str, str]]
) -> None:
    assert f"Chaque fichier compte {len(exact)}\u00a0subventions" in said["fichiers"]
    assert [row[1:] for row in tables["fichiers"]] == [[one[3], one[4]] for one in TEXTS]
    assert f"en ressaisir {len(exact) * len(exact[0])} à la main" in said["autres"]


def right_names(data: bytes, encoding: str, separator: str, names: set[str]) -> int:
    text = data.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors="replace")
    text = text.removeprefix("\ufeff")
    return sum(line.split(separator)[0] in names for line in re.split(r"\r?\n", text))


def test_the_names_that_stay_right(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    folder: Path,
    exact: list[dict[str, str]],
) -> None:
    names = {row["Association"] for row in exact}
    readings = ["utf-8", "cp1252", "cp850", "utf-16-le"]
    counts = [
        [right_names((folder / name).read_bytes(), encoding, separator, names) for encoding in readings]
        for name, _, separator, *_ in TEXTS[1:5]
    ]  # fmt: skip
    assert [row[1:] for row in tables["matrice"]] == [list(map(str, row)) for row in counts]
    plain = sum(name.isascii() for name in names)
    assert f"jusqu’à {plain} noms justes sur {len(names)}" in said["matrice"].replace("'", "’")
    labels = ["UTF-8", "Windows-1252", "CP850", "UTF-16"]
    for label, row in zip(labels, counts, strict=True):
        spoken = ", ".join(f"{count} lu en {one}" for count, one in zip(row, labels, strict=True))
        assert f"Fichier en {label} : {spoken}." in said["matrice"].replace("\u00a0", " ")
    assert max(count for place, row in enumerate(counts) for other, count in enumerate(row) if place != other) == plain  # fmt: skip
    assert f"{plain} noms sur {len(names)} restent justes" in said["constat"]
    assert f"n’en a que {counts[2][2]}. " in said["constat"]


def scientific(code: str) -> str:
    digits, power = f"{float(code):.5e}".split("e")
    return f"{float(digits):g}".replace(".", ",") + f"E+{int(power)}"


def test_the_zeros(
    said: dict[str, str], tables: dict[str, list[list[str]]], exact: list[dict[str, str]]
) -> None:
    expected = []
    for place in (0, 4):
        row, word = exact[place], exact[place]["Association"].split()[0]
        for title in ("SIRET", "Code postal"):
            expected.append([f"{title}, {word}", row[title], str(int(row[title]))])
    assert tables["zeros"] == expected
    lost = sum(zeros(row["SIRET"]) + zeros(row["Code postal"]) for row in exact)
    assert f"Sur {len(exact)}\u00a0lignes, {nombre(lost)} zéros disparaissent" in said["zeros"]
    ours = territory().communes[0]
    assert ours.nom == "Grandvoie"
    assert f"Le SIRET {ours.siret}, celui de Grandvoie, devient {scientific(ours.siret)} (écriture" in said["zeros"]  # fmt: skip


def text_cells(path: Path, member: str, tag: str) -> list[str]:
    """Texts of a workbook's cells that are declared as text."""
    with zipfile.ZipFile(path) as archive:
        tree = ElementTree.fromstring(archive.read(member))
    found = []
    for cell in tree.iter():
        kind = {key.rpartition("}")[2]: value for key, value in cell.attrib.items()}
        if kind.get("t") == "inlineStr" or kind.get("value-type") == "string":
            found += [
                "".join(one.itertext()) for one in cell.iter() if one.tag.rpartition("}")[2] == tag
            ]
    return found


def test_the_codes_that_stay_whole(
    said: dict[str, str],
    tables: dict[str, list[list[str]]],
    folder: Path,
    exact: list[dict[str, str]],
) -> None:
    codes = [row[title] for row in exact for title in ("SIRET", "Code postal")]

    def kept(name: str) -> int:
        found = [row[title] for row in rows(folder, name) for title in ("SIRET", "Code postal")]
        return sum(one == right for one, right in zip(found, codes, strict=True))

    def in_workbook(name: str, member: str, tag: str) -> int:
        found = text_cells(folder / name, member, tag)
        return sum(min(found.count(code), codes.count(code)) for code in set(codes))

    clicked = sum(str(int(code)) == code for code in codes)
    counts = [
        clicked,
        kept("subventions-tableur.csv"),
        kept("subventions-logiciel.csv"),
        kept("subventions-windows.csv"),
        in_workbook("subventions.xlsx", "xl/worksheets/sheet1.xml", "t"),
        in_workbook("subventions.ods", "content.xml", "p"),
    ]
    assert [row[1] for row in tables["codes-intacts"]] == list(map(str, counts))
    whole = counts.count(len(codes))
    assert f"pour {len(codes)} codes" in said["codes-intacts"]
    for label, count in zip((row[0] for row in tables["codes-intacts"]), counts, strict=True):
        spoken = said["codes-intacts"].replace("\u00a0", " ").replace("'", "’")
        assert f"{label} : {count} codes intacts.".replace("\u00a0", " ") in spoken
    assert counts.count(0) == len(counts) - whole
    assert (
        f"**{len(counts) - whole} gestes perdent tout, {whole} ne perdent rien.**"
        in said["reponse"]
    )


def test_the_signs_and_their_causes(
    tables: dict[str, list[list[str]]], foyer: dict[str, str]
) -> None:
    shown = [row[0].replace("\u00a0", " ") for row in tables["diagnostic"]]
    postal = int(foyer["Code postal"])
    assert shown == [
        f"« {garbled('Épicerie')} »", "« \ufffdpicerie »", "une seule colonne", f"« {postal} »",
        f"« {postal} », puis « .0 »", f"« {scientific(territory().communes[0].siret)} »",
    ]  # fmt: skip


def test_the_letter(said: dict[str, str], foyer: dict[str, str]) -> None:
    text = said["lettre"].replace("\u00a0", " ")
    assert f"Votre numéro est juste : {foyer['SIRET']}." in text
    assert f"ses\n{zeros(foyer['SIRET'])} premiers zéros" in text
    assert len(foyer["SIRET"]) == 14 and "quatorze pour un SIRET" in text
    assert len(foyer["Code postal"]) == 5 and "cinq pour un code postal" in text


def test_the_inspected_file(
    tables: dict[str, list[list[str]]], folder: Path, project: Project
) -> None:
    found = rows(folder, "subventions-tableur.csv")
    short = [row for row in found if len(row["SIRET"]) < 14]
    postal = [row for row in found if len(row["Code postal"]) < 5]
    spaced = [row for row in found if "\u00a0" in row["Montant"]]
    comma = [row for row in found if "," in row["Montant"]]
    counts = [None, short, postal, spaced, comma, None]
    for row, lines in zip(tables["inspecter"], counts, strict=True):
        assert lines is None or row[1].startswith(f"{len(lines)}\u00a0cases"), row
    assert "Windows-1252" in tables["inspecter"][0][1]
    assert "JJ/MM/AAAA" in tables["inspecter"][5][1]
    html = next(
        cell.outputs[0]["data"]["text/html"]
        for cell in read(project.root / NOTEBOOK).cells
        if cell.id == "inspecter"
    )
    caption = BeautifulSoup(html, "html.parser").find("caption")
    assert (
        caption and f"{len(found)}\u00a0lignes, {len(counts)}\u00a0constats" in caption.get_text()
    )


def test_the_check_yourself(said: dict[str, str], foyer: dict[str, str]) -> None:
    text = said["questions"]
    siret, postal = foyer["SIRET"], foyer["Code postal"]
    first, second = zeros(siret), zeros(postal)
    assert f"le SIRET {siret} et le code postal {postal}" in text
    assert f"✓ {first + second}\u00a0zéros : {first} au SIRET, {second} au code postal." in text
    assert (
        f"✗ {first}\u00a0zéros : C'est le compte du SIRET seul. Le code postal en perd {second}"
        in text
    )
    assert (
        f"✗ {second}\u00a0zéros : C'est le compte du code postal seul. Le SIRET en perd {first}."
        in text
    )
    assert f"✗ {(siret + postal).count('0')}\u00a0zéros : Ce sont tous les zéros." in text
    assert f"✓ Un SIRET écrit {int(siret)}." in text
    assert f"✗ Un SIRET écrit {scientific(territory().communes[0].siret)}." in text
    assert f"✓ Un nom écrit « {garbled('Épicerie')} »." in text
    assert f"vous lisez « {garbled(chr(201))}picerie solidaire du Pays d'Orvette »" in text


def test_the_bytes(said: dict[str, str], tables: dict[str, list[list[str]]]) -> None:
    assert [row[1] for row in tables["octets"]] == ["C3 89", "C9", "90", "C9 00"]
    assert [row[2] for row in tables["octets"]] == ["Ã‰", "É", "\ufffd", "É▯"]
    assert "`EF BB BF`" in said["octets"]
    assert "`ï»¿`" in said["octets"]


def test_inside_the_workbook(said: dict[str, str], folder: Path, foyer: dict[str, str]) -> None:
    cell = f'<c t="inlineStr"><is><t>{foyer["SIRET"]}</t></is></c>'
    with zipfile.ZipFile(folder / "subventions.xlsx") as archive:
        assert cell in archive.read("xl/worksheets/sheet1.xml").decode("utf-8")
    assert f"`{cell}`" in said["dans-le-classeur"]
    assert f"`<c><v>{int(foyer['SIRET'])}</v></c>`" in said["dans-le-classeur"]


def test_the_repair(said: dict[str, str], folder: Path, exact: list[dict[str, str]]) -> None:
    found = rows(folder, "subventions-tableur.csv")
    mended = [(row["SIRET"].rjust(14, "0"), row["Code postal"].rjust(5, "0")) for row in found]

    def key_is_right(number: str) -> bool:
        doubled = [int(one) * (2 - place % 2) for place, one in enumerate(number)]
        return sum(value - 9 * (value > 9) for value in doubled) % 10 == 0

    right = sum(key_is_right(siret) for siret, _ in mended)
    back = sum(
        (siret == row["SIRET"]) + (postal == row["Code postal"])
        for (siret, postal), row in zip(mended, exact, strict=True)
    )
    assert f"juste pour {right} SIRET sur {len(found)}." in said["reparer"]
    assert f"{back} codes sur {2 * len(exact)} sont retrouvés" in said["reparer"]


def test_no_number_is_typed_in_the_prose(project: Project) -> None:
    notebook = read(project.root / NOTEBOOK)
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    prose = re.sub(r"^\d\. ", "", prose, flags=re.MULTILINE).replace("UTF-8", "")
    assert re.findall(r"\d+", prose) == []
