"""The 106 criteria, their tests, the contact: what is said of them is checked, and so are the pages."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup

from culture_d.accessibility import (
    NOT_CONCERNED,
    TOPICS,
    contact_path,
    count,
    criteria_path,
    load_contact,
    load_topics,
)
from culture_d.book.checks import before_build
from culture_d.errors import AccessibilityError
from culture_d.project import Project

CONTACT = {
    "organisme": "Commune de Valmont-le-Fictif",
    "courriel": "mairie@exemple.fr",
    "formulaire": "",
    "declaration": "2026-11-21",
}


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Project:
    """The criteria, the contact and the tests, to break."""
    (tmp_path / "book").mkdir()
    for path in (criteria_path(project), contact_path(project)):
        shutil.copy(path, tmp_path / "book" / path.name)
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(project.root / "tests", tmp_path / "tests", ignore=ignored)
    return Project(tmp_path)


def change(copy: Project, how: Callable[[Any], object]) -> None:
    path = criteria_path(copy)
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    how(content["topics"])
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def test_the_106_criteria_are_there_with_their_tests(project: Project) -> None:
    topics = load_topics(project)
    assert {topic.title: len(topic.criteria) for topic in topics} == TOPICS
    assert sum(TOPICS.values()) == 106
    criteria = [criterion for topic in topics for criterion in topic.criteria]
    assert len({criterion.title for criterion in criteria}) == 106
    assert sum(count(criteria).values()) == 106
    # What tests say something of: the brief of the course asks for sixty at least.
    assert sum(bool(one.tests) and one.state != "à vérifier" for one in criteria) >= 60


def test_what_is_absent_is_proved_absent(project: Project) -> None:
    """« Sans objet » is no opinion: a test looks for the thing on every page."""
    for topic in load_topics(project):
        for criterion in topic.criteria:
            if criterion.state == NOT_CONCERNED:
                assert criterion.tests, criterion.number


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (lambda topics: topics.pop(), "les treize thématiques"),
        (lambda topics: topics[0]["criteria"].pop(), "« Images » doit avoir 9 critères"),
        (lambda topics: topics[1]["criteria"].append({"number": "2.3"}), "doit avoir 2 critères"),
        (lambda topics: topics[0]["criteria"].reverse(), "de 1.1 à 1.9"),
        (
            lambda topics: topics[0]["criteria"][0].update(state="conforme"),
            "critère 1.1, « state »",
        ),
        (lambda topics: topics[0]["criteria"][0].update(level="AAA"), "« level » est A ou AA"),
        (lambda topics: topics[0]["criteria"][0].pop("proof"), "il manque : proof"),
        (lambda topics: topics[0]["criteria"][0].pop("tests"), "il manque : tests"),
        (lambda topics: topics[0]["criteria"][0].update(tests=[]), "« tests » est une liste"),
        (lambda topics: topics[0]["criteria"][0].update(avis="bon"), "en trop : avis"),
        (lambda topics: topics[0]["criteria"][0].update(title=""), "« title » est un texte"),
        (lambda topics: topics[0]["criteria"][3].pop("reason"), "il manque : reason"),
        (lambda topics: topics[0]["criteria"][6].pop("check"), "il manque : check"),
        (
            lambda topics: topics[0]["criteria"][0].update(
                tests=["tests/accessibilite/test_pages.py::test_nothing"]
            ),
            "n'existe pas",
        ),
        (
            lambda topics: topics[0]["criteria"][0].update(tests=["tests/absent.py::test_links"]),
            "n'existe pas",
        ),
    ],
)
def test_a_file_of_criteria_at_fault(
    copy: Project, how: Callable[[Any], object], expected: str
) -> None:
    change(copy, how)
    with pytest.raises(AccessibilityError, match=re.escape(expected)) as raised:
        load_topics(copy)
    assert "Corrigez-le" in str(raised.value)


def test_a_test_renamed_is_seen(copy: Project) -> None:
    path = copy.root / "tests" / "accessibilite" / "test_pages.py"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("def test_headings(", "def test_titles_of_all("), encoding="utf-8")
    with pytest.raises(AccessibilityError, match=re.escape("critère 9.1")):
        load_topics(copy)


@pytest.mark.parametrize("text", ["topics: [", "rien", "topics: 3"])
def test_a_file_that_cannot_be_read(copy: Project, text: str) -> None:
    criteria_path(copy).write_text(text, encoding="utf-8")
    with pytest.raises(AccessibilityError, match="mal formé"):
        load_topics(copy)


def test_a_file_that_is_absent(copy: Project) -> None:
    criteria_path(copy).unlink()
    with pytest.raises(AccessibilityError, match="introuvable"):
        load_topics(copy)


def write_contact(copy: Project, **changes: str) -> None:
    lines = {**CONTACT, **changes}
    quoted = {key: value if key == "declaration" else f'"{value}"' for key, value in lines.items()}
    text = "\n".join(f"{key}: {value}" for key, value in quoted.items())
    contact_path(copy).write_text(text, encoding="utf-8")


def test_a_contact_given(copy: Project) -> None:
    write_contact(copy)
    contact = load_contact(copy)
    assert contact.is_known
    assert contact.courriel == "mairie@exemple.fr"


@pytest.mark.parametrize(
    "changes", [{"organisme": ""}, {"courriel": ""}, {"organisme": " ", "courriel": " "}]
)
def test_a_contact_half_given_is_not_known(copy: Project, changes: dict[str, str]) -> None:
    write_contact(copy, **changes)
    assert not load_contact(copy).is_known


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"courriel": "mairie"}, "n'est pas une adresse de courriel"),
        ({"formulaire": "http://exemple.fr"}, "https://"),
        ({"formulaire": "https://[exemple"}, "https://"),
        ({"declaration": "bientôt"}, "est une date"),
        ({"telephone": "3939"}, "il y faut ces lignes"),
    ],
)
def test_a_contact_at_fault(copy: Project, changes: dict[str, str], expected: str) -> None:
    write_contact(copy, **changes)
    with pytest.raises(AccessibilityError, match=re.escape(expected)):
        load_contact(copy)


def test_a_contact_at_fault_stops_the_build(course: Project) -> None:
    before_build(course)
    write_contact(course, courriel="mairie")
    with pytest.raises(AccessibilityError, match="courriel"):
        before_build(course)


def test_the_page_shows_every_criterion_and_counts_them(site: Path, project: Project) -> None:
    text = (site / "book" / "accessibilite-preuves.html").read_text(encoding="utf-8")
    page = BeautifulSoup(text, "html.parser")
    shown = [str(item["id"]) for item in page.select(".cd-criteres > li")]
    topics = load_topics(project)
    assert shown == [
        f"critere-{criterion.number.replace('.', '-')}"
        for topic in topics
        for criterion in topic.criteria
    ]
    for label, number in count(one for topic in topics for one in topic.criteria).items():
        states = [state.get_text() for state in page.select(".cd-etat")]
        assert sum(f" {label.capitalize()} · " in state for state in states) == number
    for topic in topics:
        for criterion in topic.criteria:
            for test in criterion.tests:
                assert test in text


def test_the_statement_has_what_the_law_asks(site: Path) -> None:
    text = (site / "book" / "accessibilite.html").read_text(encoding="utf-8")
    page = BeautifulSoup(text, "html.parser")
    titles = " ".join(title.get_text() for title in page.select("main h2"))
    for words in ("état de conformité", "non accessibles", "établissement", "Signaler", "recours"):
        assert words in titles
    assert [one for one in page.select("main strong") if one.get_text() == "non conforme"]
    assert "formulaire.defenseurdesdroits.fr" in text


def test_without_a_contact_the_statement_says_so(site: Path, project: Project) -> None:
    text = (site / "book" / "accessibilite.html").read_text(encoding="utf-8")
    contact = load_contact(project)
    assert ("Aucun contact n’est encore publié." in text) == (not contact.is_known)
    assert "contact.yml" not in text  # a reader has no file to fill in
    assert not contact.courriel or contact.courriel in text


def test_the_about_page_leads_to_the_statement(site: Path) -> None:
    text = (site / "book" / "a-propos.html").read_text(encoding="utf-8")
    page = BeautifulSoup(text, "html.parser")
    assert page.select_one('main a[href="accessibilite.html"]')
