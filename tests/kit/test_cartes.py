"""What is printed for the version without a computer: the notebook's own words and numbers."""

import re
from pathlib import Path

import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup

from culture_d.cards import OVERFLOWING, cards_html, cards_path, load_cards
from culture_d.curriculum import Module, load_curriculum, modules
from culture_d.errors import KitError
from culture_d.french import nombre
from culture_d.pdf import Printed, Printer, PrintError
from culture_d.project import Project


def published(project: Project) -> dict[str, Module]:
    return {one.slug: one for one in modules(load_curriculum(project)) if one.published}


@pytest.fixture(scope="module")
def pages(project: Project) -> dict[str, BeautifulSoup]:
    return {
        slug: BeautifulSoup(cards_html(project, module), "html.parser")
        for slug, module in published(project).items()
    }


def test_every_module_has_what_its_sheet_asks_to_print(pages: dict[str, BeautifulSoup]) -> None:
    assert all(page.select(".feuille") for page in pages.values())


def test_the_nine_communes_are_those_of_the_data(
    project: Project, pages: dict[str, BeautifulSoup]
) -> None:
    data = pd.read_csv(project.datasets / "territoire" / "communes.csv")
    known = {row.nom: row.population for row in data.itertuples()}
    cards = pages["moyenne-mediane"].select(".carte:not(.vierge)")
    shown = [[one.get_text() for one in card.select("p")] for card in cards]
    assert len(shown) == 9
    for name, people in shown:
        assert people == f"{nombre(known[name])} habitants"


def test_a_set_has_each_thing_once_and_no_answer(pages: dict[str, BeautifulSoup]) -> None:
    sets = {
        slug: [card.get_text("|") for card in page.select(".carte:not(.vierge)")]
        for slug, page in pages.items()
    }
    # Eleven communes in 2026, and thirteen lines of 2017 with their two intruders.
    assert len(sets["interoperabilite"]) == 11 + 15
    assert "Saint-Genix-les-Villages|73236" in sets["interoperabilite"]
    assert len(set(sets["ouverture-sur-demande"])) == len(sets["ouverture-sur-demande"]) == 12
    text = " ".join(sets["ouverture-sur-demande"])
    assert not re.search(r"publier|masquer|refuser", text)
    assert len(sets["cadre-legal"]) == 6
    phrases = [one.get_text() for one in pages["donnee-et-contexte"].select(".bande")]
    assert len(phrases) == 4 + 5 and all(one.startswith("«") for one in phrases[4:])


def test_everything_holds_on_its_sheet(
    pages: dict[str, BeautifulSoup], paper: Printer, tmp_path: Path
) -> None:
    for slug, page in pages.items():
        file = tmp_path / f"{slug}.html"
        file.write_text(str(page), encoding="utf-8")
        printed = Printed(paper.print(file, OVERFLOWING))
        assert printed.pages() == len(page.select(".feuille")), slug
        assert printed.tagged and printed.language == "fr"


def test_a_card_too_full_is_refused(
    pages: dict[str, BeautifulSoup], paper: Printer, tmp_path: Path
) -> None:
    soup = BeautifulSoup(str(pages["cadre-legal"]), "html.parser")
    card = soup.select_one(".carte p")
    assert card
    card.string = "2 350 habitants et 31,5 agents en équivalent temps plein " * 6
    file = tmp_path / "cartes.html"
    file.write_text(str(soup), encoding="utf-8")
    with pytest.raises(PrintError, match=r"« Six papiers.* dépasse"):
        paper.print(file, OVERFLOWING)


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"kind": "poster", "title": "T", "table": "Un tableau absent"}, "n'a pas de tableau"),
        ({"kind": "cards", "title": "T", "sheet": "Un tableau absent"}, "n'a pas de tableau"),
        ({"kind": "cards", "title": "T", "sheet": "list"}, "n'a pas de liste"),
        ({"kind": "cards", "title": "T"}, "rien à imprimer"),
        ({"kind": "affiche", "title": "T"}, "n'est pas une chose à imprimer"),
        ({"kind": "cards", "title": "T", "blank": 2, "per_page": 3}, "2 ou 8"),
        (
            {"kind": "cards", "title": "T", "table": "Cinq communes du fichier", "columns": [9]},
            "colonnes absentes",
        ),
        (
            {"kind": "cards", "title": "T", "table": "Cinq communes du fichier", "rows": [2, 6]},
            "lignes",
        ),
    ],
)
def test_what_cannot_be_printed_is_refused(
    course: Project, entry: dict[str, object], said: str
) -> None:
    cards_path(course).write_text(yaml.safe_dump({"moyenne-mediane": [entry]}), "utf-8")
    with pytest.raises(KitError, match=said):
        load_cards(course, published(course)["moyenne-mediane"])
