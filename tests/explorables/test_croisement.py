"""The join of two tables in a page, without kernel: driven as a reader would."""

import csv
import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import Page, expect

from culture_d.explorables import FOLDER, ExplorableError
from culture_d.explorables.croisement import CLES, EXEMPLES, Croisement
from culture_d.project import Project

KEY = "croisement"
LABELS = {
    "nom": "Le nom",
    "postal": "Le code postal",
    "code": "Le code de la commune",
    "passage": "Le code, avec la table de passage",
}
Visit = Callable[..., Page]
Outcome = tuple[int, int, int, int, int]


@pytest.fixture(autouse=True)
def pages(write_page: Callable[..., None]) -> None:
    """The page of the explorable, in both themes."""
    html = Croisement().html()
    write_page("croisement.html", html)
    write_page("croisement-sombre.html", html, theme="dark")


def rows(project: Project, name: str) -> list[dict[str, str]]:
    with (project.datasets / name / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def expected(project: Project) -> dict[tuple[str, str], Outcome]:
    """Count from the CSV alone: lines, communes without, lost rates, doubled, wrong."""
    communes = rows(project, "communes")
    postal = {row["code"]: row["codes_postaux"].split()[0] for row in communes}
    heir = {
        row["ancien_code"]: row["commune_actuelle"] for row in rows(project, "anciennes-communes")
    }
    rates = [
        (row, row["code"] if row["code"] in postal else heir.get(row["code"], ""))
        for row in rows(project, "taxes")
    ]
    rates = [(row, today) for row, today in rates if today]
    found = {}
    for epci in EXEMPLES:
        ours = [row for row in communes if row["epci"] == epci]
        codes = {row["code"] for row in ours}
        for key in CLES:
            pairs = []
            for commune in ours:
                for row, today in rates:
                    same = {
                        "nom": row["nom"] == commune["nom"],
                        "postal": postal[today] == postal[commune["code"]],
                        "code": row["code"] == commune["code"],
                        "passage": today == commune["code"],
                    }[key]
                    if same:
                        pairs.append((commune["code"], row["code"], today))
            counts = [sum(pair[0] == code for pair in pairs) for code in codes]
            reached = {pair[1] for pair in pairs}
            lost = sum(today in codes and row["code"] not in reached for row, today in rates)
            found[epci, key] = (
                len(pairs),
                counts.count(0),
                lost,
                sum(count > 1 for count in counts),
                sum(code != today for code, _, today in pairs),
            )
    return found


def status(page: Page) -> Any:
    return page.get_by_role("status")


def address_of(page: Page) -> str:
    return str(page.evaluate("decodeURIComponent(location.hash)"))


def shown(page: Page) -> Outcome:
    """The five counts that the page displays."""
    total, lost, doubled, wrong = (
        int(text) for text in page.locator(".cd-valeur").all_inner_texts()
    )
    words = page.locator(".cd-depart").nth(1).inner_text()
    match = re.fullmatch(r"(\d+)\scommunes?,\s(\d+)\staux", words)
    assert match
    assert lost == int(match[1]) + int(match[2])
    return total, int(match[1]), int(match[2]), doubled, wrong


def drawn(page: Page) -> tuple[int, int]:
    """Lines of the drawing: all of them, and those that are dashed."""
    counts = page.evaluate(
        """() => ['path', '.cd-fausse'].map((which) =>
        [...document.querySelectorAll(`.cd-jointure ${which}`)]
          .reduce((sum, path) => sum + path.getAttribute('d').split('M').length - 1, 0))"""
    )
    return counts[0], counts[1]


def test_every_key_of_every_example_is_counted_right(
    visit: Visit, expected: dict[tuple[str, str], Outcome]
) -> None:
    page = visit("croisement.html")
    for epci in EXEMPLES:
        page.get_by_label("Intercommunalité").select_option(epci)
        for key, label in LABELS.items():
            page.get_by_label(label, exact=True).check()
            assert shown(page) == expected[epci, key], (epci, key)
            total, *_, wrong = expected[epci, key]
            assert drawn(page) == (total, wrong)
            expect(status(page)).to_contain_text(f"{total}\u00a0lignes après")
            without = page.locator(".cd-jointure ul:first-of-type .cd-perdue").count()
            lost = page.locator(".cd-jointure ul:last-of-type .cd-perdue").count()
            assert (without, lost) == expected[epci, key][1:3]


def test_the_static_version_says_the_same(expected: dict[tuple[str, str], Outcome]) -> None:
    html = BeautifulSoup(Croisement().html(), "html.parser")
    for epci, table in zip(EXEMPLES, html.find_all("table"), strict=True):
        body = [
            [cell.get_text() for cell in row.find_all(["th", "td"])]
            for row in table.find_all("tr")[1:]
        ]
        assert body == [
            [label, *(str(value) for value in (rows, without + lost, doubled, wrong))]
            for key, label in CLES.items()
            for rows, without, lost, doubled, wrong in [expected[epci, key]]
        ]
    (total, *_, wrong), postal = expected["247300528", "nom"], expected["247300528", "postal"]
    lost = expected["247300528", "code"][2]
    sentence = Croisement().sentence().replace("\u00a0", " ")
    assert f"Par le nom, on obtient {total} lignes, dont {wrong} avec" in sentence
    assert f"Par le code postal, {postal[0]} lignes, dont {postal[4]} fausses" in sentence
    assert f"Par le code, {lost} taux de 2017 se perdent" in sentence


def test_keyboard_alone(visit: Visit) -> None:
    page = visit("croisement.html")
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_label("Intercommunalité")).to_be_focused()
    press("Tab")
    expect(page.get_by_label("Le nom", exact=True)).to_be_focused()
    press("ArrowDown")
    expect(page.get_by_label("Le code postal")).to_be_checked()
    expect(status(page)).to_contain_text("Par le code postal")
    press("Tab")
    expect(page.get_by_label("Suivre une commune")).to_be_focused()
    page.keyboard.type("Roch")
    expect(status(page)).to_contain_text("Rochefort reçoit")
    press("Tab")
    expect(page.locator("summary")).to_be_focused()
    assert address_of(page) == f"#{KEY}.cle=postal&{KEY}.suivie=73214"
    page.reload()
    expect(status(page)).to_contain_text("Par le code postal, Rochefort reçoit")


def test_one_commune_is_followed(visit: Visit) -> None:
    page = visit("croisement.html")
    page.get_by_label("Suivre une commune").select_option(label="Rochefort")
    text = status(page).inner_text()
    assert (
        "2\u00a0lignes\u00a0: Rochefort (73) 10,79\u202f%\u00a0; Rochefort (17) 15,67\u202f%. 1\u00a0est fausse."
        in text
    )
    assert page.locator(".cd-jointure path:not(.cd-pale)").count() == 2
    page.get_by_label("Suivre une commune").select_option(label="Saint-Genix-les-Villages")
    expect(status(page)).to_contain_text("ne trouve aucun taux\u00a0: elle disparaît du tableau.")
    page.get_by_label("Le code, avec la table de passage").check()
    expect(status(page)).to_contain_text("reçoit 3\u00a0lignes")
    expect(status(page)).to_contain_text("Toutes sont les siennes.")
    page.get_by_label("Intercommunalité").select_option("241200641")
    expect(page.get_by_label("Suivre une commune")).to_have_value("")
    expect(status(page)).to_contain_text("Rien de perdu, rien de faux, rien de doublé.")


@pytest.mark.parametrize(
    "fragment",
    [
        f"{KEY}.exemple=999&{KEY}.cle=couleur&{KEY}.suivie=Personne",
        f"{KEY}.cle=toString&{KEY}.exemples=%5B%5D&{KEY}.provenance=Faux",
        f"{KEY}.cle=__proto__&{KEY}.=1&&=&{KEY}",
        f"{KEY}.exemple=%E0%A4%A&{KEY}.cle=%3Cimg%20src%3Dx%3E",
    ],
)
def test_a_corrupt_address_is_ignored(visit: Visit, address: str, fragment: str) -> None:
    page = visit(f"croisement.html#{fragment}")
    expect(status(page)).to_contain_text(
        "Par le nom\u00a0: 11\u00a0communes avant, 12\u00a0lignes après."
    )
    expect(page.get_by_label("Intercommunalité")).to_have_value("247300528")
    expect(page.get_by_label("Le nom", exact=True)).to_be_checked()
    expect(page.locator(".cd-app .cd-source")).to_contain_text("Sources")


@pytest.mark.parametrize("theme", ["", "-sombre"])
@pytest.mark.parametrize("width", [320, 1280])
def test_is_accessible(visit: Visit, theme: str, width: int) -> None:
    page = visit(f"croisement{theme}.html", width=width)
    for state in ("Le nom", "Le code postal", "Le code, avec la table de passage"):
        page.get_by_label(state, exact=True).check()
        page.get_by_label("Suivre une commune").select_option(index=3)
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        cut = page.evaluate(
            "[...document.querySelectorAll('.cd-jointure li')]"
            ".filter((item) => item.scrollHeight > item.clientHeight + 1).map((item) => item.textContent)"
        )
        assert cut == []
    small = page.evaluate(
        "[...document.querySelectorAll('.cd-app :is(select, label:has(input))')]"
        ".filter((one) => one.getBoundingClientRect().height < 44).map((one) => one.textContent)"
    )
    assert small == []


def test_from_a_file(visit: Visit, folder: Path) -> None:
    page = visit("croisement.html", base=folder.as_uri())
    page.get_by_label("Le code de la commune").check()
    expect(status(page)).to_contain_text("2\u00a0taux perdus")


def test_without_script_the_tables_and_the_source_remain(visit: Visit) -> None:
    page = visit("croisement.html", java_script_enabled=False)
    assert page.locator("table").count() == len(EXEMPLES)
    expect(page.locator("table").first).to_be_visible()
    expect(page.locator(".cd-source")).to_contain_text("on lui prête")


def test_a_wrong_start_is_said() -> None:
    with pytest.raises(ExplorableError, match="« exemple » vaut « 80 »"):
        Croisement(exemple="80")
    with pytest.raises(ExplorableError, match="« cle » vaut « siren »"):
        Croisement(cle="siren")


def test_weighs_little() -> None:
    script = (FOLDER / "croisement.js").read_bytes()
    assert len(gzip.compress(script)) <= 7_000
    assert len(gzip.compress(Croisement().html().encode())) <= 4_000
