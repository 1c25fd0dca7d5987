"""Expiry: driven as a reader would, and counted again with other code."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from culture_d.errors import UnknownDay
from culture_d.expiry import jour, last_day
from culture_d.explorables import FOLDER
from culture_d.explorables.peremption import Peremption
from culture_d.french import date_longue
from culture_d.project import Project

Visit = Callable[..., Page]
START = date(2026, 11, 22)
PAGE = "peremption.html"


@pytest.fixture(autouse=True)
def written(write_page: Callable[[str, str], None]) -> None:
    write_page(PAGE, Peremption().html())


@pytest.fixture(scope="module")
def devices(project: Project) -> list[tuple[list[date], bool]]:
    """The days of each device, and whether one of those it should have is missing."""
    path = project.datasets / "defibrillateurs" / "defibrillateurs.csv"
    found = []
    with path.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            texts = [row["dtpr_lcad"], row["dtpr_bat"]]
            texts += [row["dtpr_lcped"]] if row["lc_ped"] == "oui" else []
            found.append(([date.fromisoformat(text) for text in texts if text], not all(texts)))
    return found


def expected(devices: list[tuple[list[date], bool]], today: date) -> list[int]:
    """Expired, without a day, near, later: counted by other code than the explorable's."""
    count: Counter[str] = Counter()
    for days, missing in devices:
        if any(day < today for day in days):
            count["expired"] += 1
        elif missing:
            count["missing"] += 1
        elif any(day <= today + timedelta(days=60) for day in days):
            count["near"] += 1
        else:
            count["later"] += 1
    return [count[key] for key in ("expired", "missing", "near", "later")]


def status(page: Page) -> Any:
    return page.get_by_role("status")


def tiles(page: Page) -> list[int]:
    return [int(text) for text in page.locator(".cd-etats strong").all_inner_texts()]


def address_of(page: Page) -> str:
    return str(page.evaluate("decodeURIComponent(location.hash)"))


def pick_day(page: Page, day: date) -> None:
    page.get_by_label("Un jour précis").fill(day.isoformat())
    page.get_by_label("Un jour précis").blur()


def test_starts_on_the_day_of_the_lesson(
    visit: Visit, devices: list[tuple[list[date], bool]]
) -> None:
    page = visit(PAGE)
    assert tiles(page) == expected(devices, START)
    assert status(page).inner_text() == Peremption().sentence().replace(" :", "\u00a0:")
    expect(page.locator(".cd-app")).to_contain_text("Données simulées")
    expect(page.locator(".cd-app")).to_contain_text("ne prouve pas que l’appareil fonctionne")
    assert address_of(page) == ""


@pytest.mark.parametrize(
    "day",
    [
        date(2024, 1, 1),
        date(2026, 8, 31),
        date(2026, 9, 1),
        date(2026, 11, 23),
        date(2027, 2, 28),
        date(2028, 12, 31),
    ],
)
def test_any_day_agrees_with_python_and_with_another_count(
    visit: Visit, devices: list[tuple[list[date], bool]], day: date
) -> None:
    page = visit(PAGE)
    pick_day(page, day)
    expect(status(page)).to_contain_text(date_longue(day))
    assert tiles(page) == expected(devices, day)
    said = Peremption(day).sentence().replace(" :", "\u00a0:").replace("'", "’")
    expect(status(page)).to_have_text(said)
    label = page.locator("svg.cd-temps").get_attribute("aria-label") or ""
    assert f"date dépassée\u00a0: {expected(devices, day)[0]}," in label


def test_the_last_day_still_counts(visit: Visit) -> None:
    page = visit(PAGE)
    page.get_by_role("button", name="Voir les").click()
    row = page.locator(".cd-urgents li", has_text="Salle communale de Valmorin")
    expect(row).to_contain_text("dernier jour")
    pick_day(page, START + timedelta(days=1))
    expect(row).to_contain_text("date dépassée de 1\u00a0jour")
    expect(row).not_to_contain_text("jours")


def test_keyboard_alone(visit: Visit) -> None:
    page = visit(PAGE)
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_label("Ce que l’on regarde")).to_be_focused()
    press("Tab")
    slider = page.get_by_role("slider")
    expect(slider).to_be_focused()
    press("ArrowRight")
    expect(slider).to_have_attribute("aria-valuetext", "23 novembre 2026")
    press("PageUp")
    expect(slider).to_have_attribute("aria-valuetext", "23 décembre 2026")
    press("PageDown")
    press("End")
    expect(slider).to_have_attribute("aria-valuetext", "31 décembre 2028")
    press("PageUp")
    expect(slider).to_have_attribute("aria-valuetext", "31 décembre 2028")
    press("Tab")
    press("Enter")
    expect(slider).to_have_attribute("aria-valuetext", "30 novembre 2028")
    press("Tab")
    press("Tab")
    press("Enter")
    expect(status(page)).to_contain_text("Le 22 novembre 2026")
    assert address_of(page) == ""


def test_the_datasets(visit: Visit) -> None:
    page = visit(PAGE)
    page.get_by_label("Ce que l’on regarde").select_option("donnees")
    expect(status(page)).to_have_text(
        "Le 22 novembre 2026, sur 14\u00a0jeux de données\u00a0: 3 ont une date dépassée. "
        "Date manquante\u00a0: 2. Dernier jour dans les 60 jours\u00a0: 2."
    )
    expect(page.locator(".cd-urgents li").first).to_contain_text("Points d’apport des déchets")
    assert "peremption.choix=donnees" in address_of(page)
    page.reload()
    expect(status(page)).to_contain_text("jeux de données")


def test_the_list_opens_and_closes(visit: Visit) -> None:
    page = visit(PAGE)
    rows = page.locator(".cd-urgents li")
    expect(rows).to_have_count(5)
    more = page.get_by_role("button", name="Voir les 11 suivants")
    expect(more).to_have_attribute("aria-expanded", "false")
    more.click()
    expect(rows).to_have_count(16)
    page.get_by_role("button", name="Voir moins").click()
    expect(rows).to_have_count(5)
    static = [row[0] for row in Peremption().static_tables()[1].rows[:5]]
    for row, name in zip(rows.all_inner_texts(), static, strict=True):
        assert name.replace("'", "’") in row


@pytest.mark.parametrize("bad", ["2030-01-01", "2023-12-31", ""])
def test_a_day_out_of_range_is_said(visit: Visit, bad: str) -> None:
    page = visit(PAGE)
    field = page.get_by_label("Un jour précis")
    field.fill(bad)
    field.blur()
    expect(page.locator(".cd-erreur")).to_have_text(
        "Choisissez un jour, du 1er janvier 2024 au 31 décembre 2028."
    )
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(status(page)).to_contain_text("22 novembre 2026")
    page.get_by_role("button", name="+ 1 mois").click()
    expect(page.locator(".cd-erreur")).to_have_text("")
    expect(field).to_have_value("2026-12-22")


@pytest.mark.parametrize(
    "part",
    [
        "jour=2026-02-31",
        "jour=1999-01-01",
        "jour=%3Cb%3E",
        "choix=rien",
        "depart=2020-01-01",
        "appareils=[]",
        "jour=2026-11-22T00:00",
    ],
)
def test_addresses_that_make_no_sense_are_ignored(visit: Visit, part: str) -> None:
    page = visit(f"{PAGE}#peremption.{part}")
    expect(status(page)).to_contain_text("Le 22 novembre 2026, sur 30\u00a0défibrillateurs")


def test_a_slider_held_down_is_told_once(visit: Visit) -> None:
    page = visit(PAGE)
    slider = page.get_by_role("slider")
    slider.focus()
    page.evaluate("""() => {
      window.told = [];
      new MutationObserver(() => told.push(document.querySelector("[role=status]").textContent))
        .observe(document.querySelector("[role=status]"), { childList: true });
    }""")
    # As a key held down does, all at once: a slow machine would leave a rest between two presses.
    slider.evaluate("""(one) => {
      for (let step = 0; step < 8; step++) {
        one.stepUp();
        one.dispatchEvent(new Event("input", { bubbles: true }));
        one.dispatchEvent(new Event("change", { bubbles: true }));
      }
    }""")
    expect(slider).to_have_attribute("aria-valuetext", "30 novembre 2026")
    expect(status(page)).to_contain_text("Le 30 novembre 2026")
    assert page.evaluate("told.length") == 1


def test_an_address_brings_the_day_back(visit: Visit) -> None:
    page = visit(f"{PAGE}#peremption.jour=2027-03-01")
    expect(status(page)).to_contain_text("Le 1er mars 2027")


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessible_and_within_the_screen(
    visit: Visit, write_page: Any, width: int, scheme: str
) -> None:
    name = f"peremption-{scheme}.html"
    write_page(name, Peremption().html(), scheme)
    page = visit(name, width=width)
    page.get_by_role("button", name="Voir les").click()
    page.locator("summary").click()
    found = Axe().run(page).response["violations"]
    assert [violation["id"] for violation in found] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    small = page.evaluate(
        """[...document.querySelectorAll('.cd-app :is(button, select, input)')]
           .filter(node => node.getBoundingClientRect().height < 44).map(node => node.outerHTML)"""
    )
    assert small == []


def test_without_script(visit: Visit) -> None:
    page = visit(PAGE, java_script_enabled=False)
    expect(page.locator("table")).to_have_count(3)
    expect(page.locator(".cd-voir")).to_contain_text("8 ont une date dépassée")


def test_the_static_counts(devices: list[tuple[list[date], bool]]) -> None:
    table = Peremption().static_tables()[0]
    assert len(table.rows) == 6
    for day, *shown in table.rows:
        assert [int(one) for one in shown] == expected(devices, jour(day.replace("\u00a0", " ")))


def test_the_static_list_is_what_is_past_its_day(project: Project) -> None:
    days = {}
    path = project.datasets / "defibrillateurs" / "defibrillateurs.csv"
    with path.open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            texts = [row["dtpr_lcad"], row["dtpr_bat"], row["dtpr_lcped"]]
            days[row["nom"]] = min((text for text in texts if text), default="9999-12-31")
    past = sorted((day, name) for name, day in days.items() if day < START.isoformat())
    assert Peremption().static_tables()[1].rows == [
        (name, date_longue(date.fromisoformat(day))) for day, name in past
    ]


def test_the_state_and_the_script_are_light() -> None:
    script = (FOLDER / "peremption.js").read_bytes()
    assert len(gzip.compress(script)) < 7_000
    assert len(json.dumps(Peremption().state())) < 6_000


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("22 novembre 2026", START),
        ("dimanche 22 Novembre 2026", START),
        ("le 22/11/2026", START),
        ("2026-11-22", START),
        ("1er août 2027", date(2027, 8, 1)),
        ("29 fevrier 2028", date(2028, 2, 29)),
        (START, START),
    ],
)
def test_a_day_is_read_as_people_write_it(text: str | date, day: date) -> None:
    assert jour(text) == day


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "n'est pas un jour"),
        ("demain", "n'est pas un jour"),
        ("novembre 2026", "n'est pas un jour"),
        ("31/02/2026", "n'existe dans aucun calendrier"),
        ("29 février 2027", "n'existe dans aucun calendrier"),
        ("2019-11-22", "hors des données simulées"),
        ("22/11/2126", "hors des données simulées"),
    ],
)
def test_a_day_that_cannot_be_read_gives_one_sentence(text: str, why: str) -> None:
    with pytest.raises(UnknownDay, match=why):
        Peremption(text)


@pytest.mark.parametrize(
    ("updated", "frequency", "due"),
    [
        (date(2026, 2, 15), "Semestrielle", date(2026, 8, 15)),
        (date(2026, 8, 31), "Semestrielle", date(2027, 2, 28)),
        (date(2027, 8, 31), "Semestrielle", date(2028, 2, 29)),
        (date(2026, 11, 16), "Trimestrielle", date(2027, 2, 16)),
        (date(2026, 9, 28), "Mensuelle ou plusieurs fois par mois", date(2026, 10, 28)),
        (date(2026, 11, 16), "Hebdomadaire ou plusieurs fois par semaine", date(2026, 11, 23)),
        (date(2026, 12, 31), "Bimestrielle", date(2027, 2, 28)),
        (date(2024, 2, 29), "Annuelle", date(2025, 2, 28)),
        (date(2022, 11, 30), "Quinquennale", date(2027, 11, 30)),
        (date(2022, 5, 20), "Irrégulière", None),
        (date(2022, 5, 20), "Ponctuelle", None),
    ],
)
def test_a_dataset_expires_one_period_after_its_update(
    updated: date, frequency: str, due: date | None
) -> None:
    assert last_day(updated, frequency) == due
