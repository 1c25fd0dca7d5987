"""The report of a class: its numbers against the class itself, and how it reads."""

import re
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import Browser

from culture_d.errors import FeedbackError
from culture_d.grading.class_report import class_report
from culture_d.grading.model import Assignment, Refusal

SLUG = "moyenne-mediane"
EXPECTED = ("alix", "bruno", "chloe", "denis", "elise", "gaelle", "hugo")
REFUSED = Refusal("gaelle", SLUG, "Votre fichier est vide. Rendez-le à nouveau.", "Gaëlle Moreau")


@pytest.fixture(scope="module")
def report(graded: Any) -> str:
    return class_report(graded.db_url, graded.assignment, [REFUSED], EXPECTED, graded.autograded)


def words(markup: str) -> str:
    return re.sub(r"\s+", " ", BeautifulSoup(markup, "html.parser").get_text(" "))


def table(markup: str, caption: str) -> list[list[str]]:
    soup = BeautifulSoup(markup, "html.parser")
    found = next(one for one in soup("table") if one.caption and caption in one.caption.get_text())
    return [
        [re.sub(r"\s+", " ", cell.get_text()).strip() for cell in row(["th", "td"])]
        for row in found.select("tbody tr")
    ]


def test_it_counts_who_submitted(report: str) -> None:
    said = words(report)
    assert "7 personnes attendues. 5 devoirs corrigés. 1 devoir refusé, 1 non rendu." in said
    assert "3 devoirs attendent une relecture" in said
    assert "La note médiane est de 12 sur 20" in said
    assert "La moyenne est de 10." in said  # 19,5 + 4,5 + 12 + 12 + 2, over 5


def test_the_marks_are_spread_as_they_are(report: str) -> None:
    counts = {name: int(count) for name, count in table(report, "Répartition")}
    assert counts["de 2 à moins de 4"] == 1  # elise, 2
    assert counts["de 4 à moins de 6"] == 1  # bruno, 4,5
    assert counts["de 12 à moins de 14"] == 2  # chloe and denis, 12
    assert counts["de 18 à 20"] == 1  # alix, 19,5
    assert sum(counts.values()) == 5


def test_the_most_missed_question_comes_first(report: str) -> None:
    rows = table(report, "Réussite à chaque question")
    assert [row[0][:10] for row in rows][:2] == ["Question 6", "Question 2"]
    shares = {row[0][:10]: row[1:] for row in rows}
    assert shares["Question 1"] == ["60 %", "2"]  # 2 + 0 + 0 + 2 + 2, out of 10
    assert shares["Question 2"] == ["50 %", "2"]  # 4 + 2 + 4 + 0 + 0, out of 20
    assert shares["Question 6"] == ["44 %", "1"]  # 3,5 and 0 out of 4: the others await


def test_the_commonest_mistake_is_counted(report: str) -> None:
    mistakes = table(report, "Erreurs reconnues")
    first = next(row for row in mistakes if row[0] == "Question 1")
    assert first[1] == "2"
    assert first[2].startswith("C’est la médiane : la commune du milieu.")
    fifth = [row[2] for row in mistakes if row[0] == "Question 5"]
    assert len(fifth) == 3
    assert all(not hint.startswith("Ligne") for hint in fifth)


def test_the_figures_have_the_numbers_of_their_tables(report: str) -> None:
    soup = BeautifulSoup(report, "html.parser")
    drawn = [svg for svg in soup("svg") if svg.get("role") == "img"]
    assert len(drawn) == 2
    assert all(str(svg["aria-label"]).endswith("dans le tableau qui suit.") for svg in drawn)
    lengths = [float(str(bar["width"])) for bar in drawn[1].select(".barre")]
    rows = table(report, "Réussite à chaque question")
    assert [round(length / 1.9) for length in lengths] == [int(row[1].split()[0]) for row in rows]
    heights = [float(str(bar["height"])) for bar in drawn[0].select(".barre")]
    counts = [int(count) for _, count in table(report, "Répartition")]
    assert [round(height / 65) for height in heights] == counts


def test_it_says_what_remains_to_be_done(report: str) -> None:
    said = words(report)
    assert "À relire Bruno Petit : 4 points à donner Chloé Durand : 4 points" in said
    assert "Gaëlle Moreau : Votre fichier est vide." in said
    assert "Pas encore rendus hugo" in said
    assert "Chloé Durand : 1 jour et 12 heures de retard, 2 points retirés" in said
    assert ["Alix Martin", "19,5", "20"] in table(report, "Note de chaque personne")


def test_without_a_list_everyone_the_gradebook_knows_is_expected(graded: Any) -> None:
    said = words(class_report(graded.db_url, graded.assignment, [], (), graded.autograded))
    assert "7 personnes attendues." in said
    assert "Pas encore rendus gaelle hugo" in said


def test_a_notebook_that_cannot_be_read_does_not_stop_it(graded: Any) -> None:
    def autograded(learner: str) -> Any:
        if learner == "alix":
            raise OSError("perdu")
        return {SLUG: b"{"} if learner == "bruno" else graded.autograded(learner)

    page = class_report(graded.db_url, graded.assignment, [], EXPECTED, autograded)
    assert "Alix Martin, Bruno Petit" in words(page)
    first = next(row for row in table(page, "Erreurs reconnues") if row[0] == "Question 1")
    assert first[1] == "1"


def test_what_is_typed_is_only_text(graded: Any) -> None:
    active = "<script>window.lance = 1</script>"
    refusal = Refusal("x", SLUG, active, active)
    soup = BeautifulSoup(
        class_report(graded.db_url, graded.assignment, [refusal], [active], graded.autograded),
        "html.parser",
    )
    assert soup("script") == []
    assert soup.get_text().count(active) == 3
    [policy] = soup.select("meta[http-equiv=Content-Security-Policy]")
    assert str(policy["content"]).startswith("default-src 'none'; img-src data:;")


def test_an_assignment_that_nobody_submitted_has_its_report(graded: Any) -> None:
    with pytest.raises(FeedbackError, match="ne connaît pas l'exercice « autre »"):
        class_report(graded.db_url, Assignment("autre", b"", {}, {}), [], (), graded.autograded)


def test_axe_finds_nothing(report: str, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "bilan.html"
    path.write_text(report, encoding="utf-8")
    context = browser.new_context(bypass_csp=True)
    page = context.new_page()
    for width, theme in ((320, "light"), (390, "dark"), (1280, "light"), (1280, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.goto(path.as_uri())
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").count() == 1
    context.close()
    assert len(report.encode()) < 60_000
