"""The register that a reader coarsens: driven as a reader would, recounted by other code."""

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from culture_d.explorables.reconnaissable import (
    CHOICE,
    START,
    Reconnaissable,
    Setting,
    read_register,
    recount,
)
from culture_d.project import Project

KEY = "reconnaissable"
SMALL = {"Clairvannes", "Valmorin", "Rochamelle", "Les Orvettes", "Fontarelle", "La Noirelle"}
SETTINGS = [
    START,
    CHOICE,
    Setting("adresse", "jour", "annee", True),
    Setting("commune", "mois", "tranche", True),
    Setting("commune", "semestre", "aucun", False),
    Setting("secteur", "mois", "aucun", True),
    Setting("aucun", "annee", "tranche", False),
    Setting("aucun", "annee", "aucun", False),
]
LISTS = {"lieu": "Du lieu, garder", "quand": "De la date, garder", "age": "De l’âge, garder"}


def rows(project: Project) -> list[dict[str, str]]:
    path = project.datasets / "registre" / "registre.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def plain_count(register: list[dict[str, str]], setting: Setting) -> tuple[int, int, int, int, int]:
    """People alone, in groups of 2 to 4, in larger ones; smallest group; groups under 5."""

    def key(row: dict[str, str]) -> tuple[str, ...]:
        month = int(row["date"][5:7])
        age = 2025 - int(row["annee_naissance"])
        commune = row["commune"]
        wide = "small" if commune in SMALL else "seat" if commune == "Grandvoie" else "town"
        return (
            {
                "adresse": commune + row["adresse"],
                "voie": commune + row["adresse"].split(" ", 1)[1],
                "commune": commune,
                "secteur": wide,
                "aucun": "",
            }[setting.lieu],
            {"jour": row["date"], "mois": str(month), "semestre": str(month <= 6), "annee": ""}[
                setting.quand
            ],
            {"annee": row["annee_naissance"], "tranche": str(age // 20), "aucun": ""}[setting.age],
            row["type"] if setting.type else "",
        )

    groups: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in register:
        groups[key(row)].add(row["telephone"])
    worst: dict[str, int] = {}
    for group in groups.values():
        for person in group:
            worst[person] = min(worst.get(person, len(group)), len(group))
    sizes = list(worst.values())
    return (
        sum(size == 1 for size in sizes),
        sum(2 <= size <= 4 for size in sizes),
        sum(size >= 5 for size in sizes),
        min(map(len, groups.values())),
        sum(len(group) < 5 for group in groups.values()),
    )


def people(count: int) -> str:
    return f"{count}\u00a0personne" + ("s" if count > 1 else "")


def sentence(register: list[dict[str, str]], setting: Setting) -> str:
    alone, _, _, smallest, groups = plain_count(register, setting)
    start = "Plus personne n’est seul dans son groupe."
    if alone:
        verb = "reste seule" if alone == 1 else "restent seules"
        start = f"{people(alone)} sur 400 {verb} dans leur groupe."
    end = "Aucun groupe de moins de 5\u00a0: notre repère est tenu."
    if groups:
        noun = "groupe" if groups == 1 else "groupes"
        end = f"{groups}\u00a0{noun} de moins de 5\u00a0: regroupez encore."
    return f"{start} Le plus petit groupe compte {people(smallest)}. {end}"


@pytest.fixture(scope="module")
def register(project: Project) -> list[dict[str, str]]:
    return rows(project)


@pytest.fixture
def page(write_page: Callable[..., None], visit: Callable[..., Page]) -> Callable[..., Page]:
    body = Reconnaissable().html()

    def opened(path: str = "rec.html", theme: str = "light", **options: Any) -> Page:
        write_page("rec.html", body, theme)
        return visit(path, **options)

    return opened


def choose(page: Page, setting: Setting) -> None:
    for key, label in LISTS.items():
        page.get_by_label(label, exact=True).select_option(getattr(setting, key))
    page.get_by_label("Garder le type de problème").set_checked(setting.type)


@pytest.mark.parametrize("setting", SETTINGS)
def test_python_counts_as_plain_code_does(
    project: Project, register: list[dict[str, str]], setting: Setting
) -> None:
    path = project.datasets / "registre" / "registre.csv"
    made = read_register(path, "any")
    assert tuple(recount(made, setting)) == plain_count(register, setting)
    assert len(made.personnes) == len({row["telephone"] for row in register})


def test_the_page_counts_as_plain_code_does(
    page: Callable[..., Page], register: list[dict[str, str]]
) -> None:
    shown = page()
    status = shown.get_by_role("status")
    expect(status).to_have_text(sentence(register, START))
    for setting in SETTINGS:
        choose(shown, setting)
        expect(status).to_have_text(sentence(register, setting))
        alone, few, safe, _, _ = plain_count(register, setting)
        assert shown.locator(".cd-barres strong").all_inner_texts() == [
            people(alone),
            people(few),
            people(safe),
        ]
        widths = shown.locator(".cd-barre rect").evaluate_all(
            "all => all.map(one => one.getAttribute('width'))"
        )
        assert [float(width.rstrip("%")) for width in widths] == [
            100 * count / 400 for count in (alone, few, safe)
        ]


def test_what_is_left_to_the_group(page: Callable[..., Page]) -> None:
    shown = page()
    uses = shown.locator(".cd-usages li")
    assert {text.split(",")[0] for text in uses.all_inner_texts()} == {"✓ oui"}
    shown.get_by_role("button", name="Voir notre choix").click()
    assert {text.split(",")[1].strip(): text.split(",")[0] for text in uses.all_inner_texts()} == {
        "comparer les rues": "✗ non",
        "comparer les dix communes": "✗ non",
        "comparer Grandvoie et les petites communes": "✓ oui",
        "suivre les mois": "✗ non",
        "comparer les deux semestres": "✓ oui",
        "comparer les types de problème": "✓ oui",
        "comparer les âges": "✗ non",
    }
    shown.get_by_role("button", name="Recommencer").click()
    assert {text.split(",")[0] for text in uses.all_inner_texts()} == {"✓ oui"}


def test_keyboard_alone_and_the_address(
    page: Callable[..., Page], register: list[dict[str, str]]
) -> None:
    shown = page()
    press = shown.keyboard.press
    press("Tab")
    expect(shown.get_by_label(LISTS["lieu"], exact=True)).to_be_focused()
    press("ArrowDown")
    press("ArrowDown")
    press("Tab")
    press("ArrowDown")
    press("ArrowDown")
    press("Tab")
    press("ArrowDown")
    press("ArrowDown")
    expect(shown.get_by_role("status")).to_have_text(sentence(register, CHOICE))
    address = shown.evaluate("decodeURIComponent(location.hash)")
    assert address == f"#{KEY}.lieu=secteur&{KEY}.quand=semestre&{KEY}.age=aucun"
    press("Tab")
    expect(shown.get_by_label("Garder le type de problème")).to_be_focused()
    press("Space")
    expect(shown.get_by_role("status")).to_have_text(
        sentence(register, CHOICE._replace(type=False))
    )
    shown.reload()
    expect(shown.get_by_label("Garder le type de problème")).not_to_be_checked()
    press("Tab")
    for _ in range(4):
        press("Tab")
    expect(shown.get_by_role("button", name="Voir notre choix")).to_be_focused()
    press("Enter")
    expect(shown.get_by_role("status")).to_have_text(sentence(register, CHOICE))
    press("Tab")
    press("Space")
    expect(shown.get_by_role("status")).to_have_text(sentence(register, START))
    assert shown.evaluate("location.hash") == ""


@pytest.mark.parametrize(
    "written",
    ["lieu=quartier", "lieu=toString", "quand=", "age=%3Cimg%3E", "type=oui", 'type="x"', "type=0"],
)
def test_what_an_address_says_wrongly_is_ignored(
    page: Callable[..., Page], register: list[dict[str, str]], written: str
) -> None:
    shown = page(f"rec.html#{KEY}.{written}")
    expect(shown.get_by_role("status")).to_have_text(sentence(register, START))
    assert shown.locator("main img").count() == 0


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_it_fits_and_fingers_reach_it(page: Callable[..., Page], width: int) -> None:
    shown = page(width=width)
    assert shown.evaluate("document.documentElement.scrollWidth") <= width
    for control in shown.locator(".cd-app :is(select, button, .cd-case)").all():
        box = control.bounding_box()
        assert box and box["height"] >= 44


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_sees_nothing(page: Callable[..., Page], theme: str) -> None:
    shown = page(theme=theme)
    for setting in (START, CHOICE):
        choose(shown, setting)
        found = Axe().run(shown)
        assert found.violations_count == 0, found.generate_report()


def test_without_script_all_is_said(
    page: Callable[..., Page], register: list[dict[str, str]]
) -> None:
    shown = page(java_script_enabled=False)
    text = shown.locator("main").inner_text()
    alone = plain_count(register, START)[0]
    smallest = plain_count(register, CHOICE)[3]
    assert f"{alone} personnes sur 400 restent seules" in text
    assert f"compte alors {people(smallest)}." in text
    assert "il n’y en a plus" in text and plain_count(register, CHOICE)[0] == 0
    ladder = [
        START,
        Setting("voie", "mois", "tranche", True),
        Setting("commune", "mois", "tranche", True),
        Setting("commune", "mois", "aucun", True),
        Setting("secteur", "mois", "aucun", True),
        CHOICE,
    ]
    lines = shown.locator("tbody tr").all()
    assert len(lines) == len(ladder)
    for line, setting in zip(lines, ladder, strict=True):
        count = plain_count(register, setting)
        expected = [str(count[0]), str(count[3]), str(count[4])]
        assert line.locator("td").all_inner_texts() == expected


def test_no_name_is_in_the_page(register: list[dict[str, str]]) -> None:
    html = Reconnaissable().html()
    for row in register:
        for column in ("nom", "telephone", "courriel"):
            assert row[column] not in html


def test_its_weight() -> None:
    folder = Path(__file__).parents[2] / "src" / "culture_d" / "explorables"
    script = (folder / "reconnaissable.js").read_bytes()
    assert len(gzip.compress(script)) < 7000
    assert len(gzip.compress(Reconnaissable().html().encode())) < 8000
