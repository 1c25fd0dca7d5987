"""The explorable on file formats: driven as a reader would, its counts made again from the bytes."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from culture_d.explorables import formats
from culture_d.explorables.formats import NAMES, Formats, double_click, seen
from culture_d.project import Project

Visit = Callable[..., Page]
WritePage = Callable[[str, str], None]

# What each file is, told here by hand: path, encoding of Python, separator, name in the list.
TRUE = {
    "1": ("subventions-marque.csv", "utf-8-sig", ";", "UTF-8"),
    "2": ("subventions-windows.csv", "cp1252", ";", "Windows-1252"),
    "3": ("subventions-dos.csv", "cp850", ";", "CP850"),
    "4": ("subventions-utf16.txt", "utf-16", "\t", "UTF-16"),
}


@pytest.fixture
def start(visit: Visit, write_page: WritePage) -> Page:
    write_page("formats.html", Formats().html())
    return visit("formats.html")


def status(page: Page) -> Any:
    return page.get_by_role("status").first


def choose(page: Page, **values: str) -> None:
    labels = {
        "fichier": "Fichier reçu",
        "encodage": "Lire l’encodage",
        "separateur": "Couper à chaque",
        "ligne": "Ligne montrée",
    }
    for key, value in values.items():
        page.get_by_label(labels[key]).select_option(value)


def figures(page: Page) -> list[str]:
    return page.locator(".cd-valeur").all_inner_texts()


def excerpt(project: Project, path: str, encoding: str, separator: str) -> list[list[str]]:
    """The header and the six lines, as cells, decoded by Python's own codec."""
    text = (project.datasets / "formats" / path).read_bytes().decode(encoding)
    rows = [line.split(separator) for line in text.splitlines()]
    by_name = {row[0]: row for row in rows}
    return [rows[0], *(by_name[name] for name in NAMES)]


def test_starts_on_what_the_scene_shows(start: Page) -> None:
    expect(status(start)).to_contain_text("Mal coupé\u00a0: 1 colonne au lieu de 5.")
    expect(start.locator(".cd-brut")).to_contain_text("Ã‰picerie solidaire")
    assert figures(start) == ["✗ 1 sur 5", "✗ 0 sur 6", "✗ 0 sur 12"]
    expect(start.locator(".cd-app")).to_contain_text("Données simulées")
    expect(start.locator(".cd-app details")).to_have_count(0)
    expect(start.locator("table").last).not_to_be_visible()


@pytest.mark.parametrize("file", TRUE)
def test_each_file_comes_right(start: Page, file: str) -> None:
    _, encoding, separator, label = TRUE[file]
    key = {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(encoding, encoding)
    choose(start, fichier=file, encodage=key, separateur=separator)
    expect(status(start)).to_have_text(
        "Tout est juste\u00a0: 6 noms, 6 montants, 12 codes avec leurs zéros. "
        f"Ce fichier est en {label}."
    )
    assert figures(start) == ["✓ 5 sur 5", "✓ 6 sur 6", "✓ 12 sur 12"]
    assert start.locator(".cd-verdict").all_inner_texts() == ["✓ juste"] * 5


@pytest.mark.parametrize("file", TRUE)
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "cp850", "utf-16-le"])
def test_the_counts_are_those_of_the_bytes(
    start: Page, project: Project, file: str, encoding: str
) -> None:
    path, true, separator, _ = TRUE[file]
    right = excerpt(project, path, true, separator)
    choose(start, fichier=file, encodage=encoding, separateur=separator)
    if {"utf-8-sig": "utf-8", "utf-16": "utf-16-le"}.get(true, true) == encoding:
        return
    # A line of ASCII is the same in every table but UTF-16, whose letters take two bytes.
    wide = "utf-16" in (true, encoding.removesuffix("-le"))
    names = 0 if wide else sum(row[0].isascii() for row in right[1:])
    amounts = 0 if wide else sum(row[3].isascii() for row in right[1:])
    codes = 0 if wide else 12
    assert figures(start)[1:] == [
        f"{'✓' if count == whole else '✗'} {count} sur {whole}"
        for count, whole in ((names, 6), (codes, 12))
    ]
    if not wide:
        expect(status(start)).to_have_text(
            f"Noms justes\u00a0: {names} sur 6. Montants justes\u00a0: {amounts} sur 6. "
            "L’encodage n’est pas le bon\u00a0: essayez-en un autre."
        )


def test_the_double_click_eats_the_zeros_in_silence(start: Page, project: Project) -> None:
    choose(start, fichier="2", encodage="cp1252", separateur=";", ligne="2")
    start.get_by_label("Ouvrir d’un double-clic").check()
    rows = excerpt(project, "subventions-windows.csv", "cp1252", ";")[1:]
    zeros = sum(len(code) - len(str(int(code))) for row in rows for code in row[1:3])
    expect(status(start)).to_have_text(
        f"Les accents sont justes, mais {zeros} zéros ont disparu. "
        "Aucun signe étrange ne vous alerte. Enregistrer maintenant les perd."
    )
    siret, postal = rows[1][1:3]
    cells = start.locator(".cd-vu tbody td").all_inner_texts()
    assert cells[2:6] == [str(int(siret)), "✗ 4 zéros", str(int(postal)), "✗ 2 zéros"]
    assert figures(start) == ["✓ 5 sur 5", "✓ 6 sur 6", "✗ 0 sur 12"]


def test_python_and_javascript_eat_the_same_zeros(start: Page) -> None:
    """The module's own function, driven through a page that holds other codes."""
    codes = ["00130", "0", "000", "21860194600000", "21000001400014", "12345678901", "12a", ""]
    assert [double_click(code) for code in codes] == [
        "130", "0", "0", "2,18602E+13", "2,1E+13", "12345678901", "12a", ""
    ]  # fmt: skip
    source = re.search(
        r"function doubleClick\(cell\) \{.*?\n\}",
        Path(formats.__file__).with_suffix(".js").read_text("utf-8"),
        re.DOTALL,
    )
    assert source
    made = start.evaluate(f"codes => {{ {source[0]}; return codes.map(doubleClick); }}", codes)
    assert made == [double_click(code) for code in codes]


def test_keyboard_alone_and_start_again(start: Page) -> None:
    press = start.keyboard.press
    press("Tab")
    expect(start.get_by_label("Fichier reçu")).to_be_focused()
    press("Tab")
    start.keyboard.type("UTF-8")
    press("Tab")
    start.keyboard.type("point")
    expect(status(start)).to_contain_text("Tout est juste")
    press("Tab")
    expect(start.get_by_label("Ligne montrée")).to_be_focused()
    press("Tab")
    press("Space")
    expect(status(start)).to_contain_text("36 zéros ont disparu")
    press("Tab")
    expect(start.locator(".cd-brut")).to_be_focused()
    press("Tab")
    expect(start.get_by_role("button", name="Recommencer")).to_be_focused()
    press("Enter")
    expect(status(start)).to_contain_text("Mal coupé")
    assert start.evaluate("location.hash") == ""


def test_the_address_keeps_the_state(start: Page) -> None:
    choose(start, fichier="4", encodage="utf-16-le", separateur="\t")
    assert "formats.fichier=4" in start.evaluate("location.hash")
    start.reload()
    expect(status(start)).to_contain_text("Ce fichier est en UTF-16.")


@pytest.mark.parametrize(
    "wrong",
    ["fichier=9", "fichier=-1", "encodage=klingon", "separateur=x", "ligne=0", "tableur=peut-être",
     "fichier=%22%3Cimg%3E", "encodage=__proto__"],
)  # fmt: skip
def test_a_wrong_address_is_ignored(visit: Visit, write_page: WritePage, wrong: str) -> None:
    write_page("formats.html", Formats().html())
    page = visit(f"formats.html#formats.{quote(wrong, safe='=%')}")
    expect(status(page)).to_contain_text("Mal coupé\u00a0: 1 colonne au lieu de 5.")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_no_sideways_scroll_whatever_the_signs(start: Page, width: int) -> None:
    start.set_viewport_size({"width": width, "height": 900})
    for encoding in ("utf-8", "cp1252", "cp850", "utf-16-le"):
        for file in TRUE:
            choose(start, fichier=file, encodage=encoding)
            assert start.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(visit: Visit, write_page: WritePage, theme: str) -> None:
    write_page("formats.html", Formats().html())
    page = visit("formats.html")
    page.evaluate("theme => document.body.dataset.theme = theme", theme)
    for encoding in ("cp1252", "utf-16-le"):
        choose(page, encodage=encoding)
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
    for label in ("Fichier reçu", "Couper à chaque"):
        box = page.get_by_label(label).bounding_box()
        assert box and box["height"] >= 44
    box = page.locator("label", has_text="double-clic").bounding_box()
    assert box and box["height"] >= 44


def test_without_script_the_tables_say_it(project: Project) -> None:
    explorable = Formats()
    readings, codes = explorable.static_tables()
    word = NAMES[0].split()[0]
    assert [row[place + 1] for place, row in enumerate(readings.rows[:3])] == [word] * 3
    assert readings.rows[0][2] == word.encode().decode("cp1252")
    for row, line in zip(codes.rows, excerpt(project, *TRUE["2"][:3])[1:], strict=True):
        assert row[1] == line[1]
        assert row[2] == str(int(line[1]))
        assert row[3] == "6"
    assert f"« {word.encode().decode('cp1252')} » au lieu de « {word} »" in explorable.sentence()
    assert "retire 6 zéros" in explorable.sentence()


def test_a_byte_is_shown_as_a_screen_would() -> None:
    assert seen("É".encode(), "cp1252") == "Ã‰"
    assert seen("É".encode("cp1252"), "utf-8") == "\ufffd"
    assert seen("É".encode("cp850"), "cp1252") == "\ufffd"
    assert seen("é".encode("cp850"), "cp1252") == "‚"
    assert seen("a\r\n".encode("utf-16-le"), "cp1252") == "a▯▯\n▯"


def test_jupyterlab_gets_the_same_state() -> None:
    first, second = Formats(), Formats()
    assert first.html() == second.html()
    assert set(first.state()) >= {"fichiers", "verite", "encodages", "separateurs"}
