"""The law cards: each gate broken on purpose, their age, what a page and a notebook show."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup
from click.testing import CliRunner
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.docutils import docutils_namespace

from culture_d import french_click, notebook
from culture_d.book import laws as directives
from culture_d.book.checks import before_build
from culture_d.book.obligations import mount
from culture_d.cli import cli
from culture_d.errors import LawError
from culture_d.french import date_longue
from culture_d.law_card import NOTICE, card_html, certainty
from culture_d.laws import (
    Card,
    Comparison,
    Laws,
    check_recheck_dates,
    load_laws,
    overdue,
    sentences,
    typeset_law,
    words,
)
from culture_d.project import Project

FIRST = "ouverture-par-defaut"
Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="session")
def laws(project: Project) -> Laws:
    return load_laws(project)


@pytest.fixture
def course(project: Project, tmp_path: Path) -> Project:
    """A folder that holds the law cards, to break."""
    (tmp_path / "book").mkdir()
    (tmp_path / "_config.yml").touch()
    (tmp_path / "book" / "lois.yml").write_bytes((project.book / "lois.yml").read_bytes())
    return Project(tmp_path)


def _file(course: Project) -> Path:
    return course.book / "lois.yml"


def _edit(course: Project, change: Change) -> None:
    content = yaml.safe_load(_file(course).read_text(encoding="utf-8"))
    change(content)
    _file(course).write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def _refused(course: Project) -> str:
    with pytest.raises(LawError) as caught:
        load_laws(course)
    return str(caught.value)


# What the file holds


def test_the_cards_of_the_course_are_sound(laws: Laws) -> None:
    assert len(laws.cards) >= 60
    assert {topic for card in laws.cards for topic in card.topics} == {
        topic.slug for topic in laws.topics
    }
    shown = [card for topic in laws.topics for card in laws.first_about(topic.slug)]
    assert sorted(shown, key=laws.cards.index) == list(laws.cards)


def _comparison(value: object, **more: object) -> dict[str, object]:
    return {"fact": "population", "at_least": value, "counted": "totale", **more}


LONG = "Un " + "mot " * 22 + "fini."


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("title", "", "« title » doit être un texte"),
        ("rule", None, "« rule » doit être un texte"),
        ("reference", "  ", "« reference » doit être un texte"),
        ("rule", LONG, "« rule » a une phrase de 24 mots, au lieu de 22"),
        ("threshold", LONG, "« threshold » a une phrase de 24 mots"),
        ("id", "Été", "« id » s'écrit en minuscules"),
        ("checked", "2026-11-01", "« checked » doit être une date AAAA-MM-JJ sans guillemets"),
        ("recheck_by", None, "« recheck_by » doit être une date"),
        ("recheck_by", date(2026, 11, 1), "« recheck_by » (2026-11-01) doit venir après"),
        ("since", 2024, "« since » doit être une date"),
        ("certainty", "sûr", "« certainty » est l'un de : text, source, doubt"),
        ("certainty", "doubt", "Dites ce qui n'est pas sûr"),
        ("doubt", "", "« doubt » doit être un texte"),
        ("topics", [], "« topics » doit être une liste qui n'est pas vide"),
        ("topics", ["ouvertures"], "« topics » est l'un de : ouverture"),
        ("since_when", 1, "la clé « since_when » est inconnue"),
        ("applies", "tous", "n'est pas une suite de « clé: valeur »"),
        ("applies", {"to": ["region"]}, "« to » est l'un de : commune, epci, elected"),
        ("applies", {"to": ["commune"], "unless": 1}, "la clé « unless » est inconnue"),
        ("applies", {"to": ["commune"], "if": "oui"}, "n'est pas une condition"),
        ("applies", {"to": ["commune"], "if": {"all": []}}, "« all » doit être une liste"),
        ("applies", {"to": ["commune"], "if": {"fact": "mayor"}}, "« fact » est l'un de"),
        ("applies", {"to": ["commune"], "if": {"event": ""}}, "« event » doit être un texte"),
        ("applies", {"to": ["commune"], "if": _comparison("3500")}, "nombre entier positif"),
        ("applies", {"to": ["commune"], "if": _comparison(True)}, "nombre entier positif"),
        ("applies", {"to": ["commune"], "if": _comparison(9, above=3)}, "une comparaison, et une"),
        ("applies", {"to": ["commune"], "if": _comparison(9, counted="DGF")}, "« counted » est"),
        (
            "applies",
            {"to": ["commune"], "if": {"fact": "population", "above": 9}},
            "il manque la clé « counted »",
        ),
        (
            "applies",
            {"to": ["commune"], "if": {"fact": "agents", "above": 9, "counted": "totale"}},
            "la clé « counted » est inconnue",
        ),
        ("applies", {"to": ["commune"], "if": {"fact": "canteen", "is": 1}}, "true ou false"),
    ],
)
def test_a_broken_card_is_refused(course: Project, key: str, value: object, said: str) -> None:
    _edit(course, lambda content: content["cards"][0].update({key: value}))
    message = _refused(course)
    assert said in message
    assert str(_file(course)) in message
    assert "fiche «" in message


@pytest.mark.parametrize("key", ["rule", "doubt", "since", "recheck_because"])
def test_a_missing_key_is_refused(course: Project, key: str) -> None:
    _edit(course, lambda content: content["cards"][0].pop(key))
    assert f"fiche « {FIRST} » : il manque la clé « {key} »" in _refused(course)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda content: content["cards"].append(content["cards"][0]), f"la fiche : {FIRST}"),
        (lambda content: content["topics"].append(content["topics"][0]), "le sujet : ouverture"),
        (lambda content: content["topics"].append({"slug": "vide", "title": "V"}), "« vide »"),
        (lambda content: content["topics"].append({"slug": "vide"}), "il manque la clé « title »"),
        (lambda content: content.update(more=1), "« topics » et « cards », et rien d'autre"),
        (lambda content: content.update(cards={}), "« cards » doit être une liste"),
        (lambda content: content["cards"].append("texte"), "n'est pas une suite"),
    ],
)
def test_a_broken_file_is_refused(course: Project, change: Change, said: str) -> None:
    _edit(course, change)
    assert said in _refused(course)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"topics: [", "n'est pas du YAML lisible, ligne"),
        (b"topics: 2026-13-45", "n'est pas du YAML lisible"),
        (b"\xff\xfe", "n'est pas en UTF-8"),
        (None, "ne peut pas être lu : il est introuvable"),
    ],
)
def test_an_unreadable_file_is_said(course: Project, content: bytes | None, said: str) -> None:
    _file(course).unlink()
    if content is not None:
        _file(course).write_bytes(content)
    assert said in _refused(course)


def test_the_build_checks_the_cards_first(
    project: Project, course: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    _edit(course, lambda content: content["cards"][0].update(reference=""))
    monkeypatch.setattr("culture_d.laws.laws_path", lambda project: _file(course))
    with pytest.raises(LawError, match="« reference »"):
        before_build(project)


def test_words_are_counted_as_a_reader_does() -> None:
    text = "À 23 000 €. L'article D. 12 reste. Fin ? « Oui. »"
    assert sentences(text) == ["À 23 000 €.", "L'article D. 12 reste.", "Fin ?", "« Oui. »"]
    assert words("Plus de 23 000 € : oui.") == 4
    assert words("50 % de bio") == 3
    assert (
        typeset_law("Plus de 23 000 € et 1 000 m²")
        == "Plus de 23\u202f000\u00a0€ et 1\u202f000\u00a0m²"
    )


def test_a_leak_has_its_starting_point_and_its_exception(laws: Laws) -> None:
    """Article 33: 72 hours from knowing, unless people run no risk; and no proposal."""
    rule = laws.card("rgpd-violation").rule
    for said in ("72 heures après avoir pris connaissance", "dispensée si", "risque"):
        assert said in rule
    assert "96" not in rule


def test_an_unknown_card_or_topic_is_said(laws: Laws) -> None:
    with pytest.raises(LawError, match=r"« rgpd-x » n'existe pas.*rgpd-delegue"):
        laws.card("rgpd-x")
    with pytest.raises(LawError, match=r"Le sujet « rien ».*ouverture"):
        laws.about("rien")


def test_only_what_is_certain_is_said_certain(laws: Laws) -> None:
    """The rows of doubt of the facts checked, as cards."""
    doubtful = {card.id for card in laws.cards if card.certainty == "doubt"}
    assert {
        *("ouverture-intercommunalite", "acces-tribunal", "budget-presentation"),
        *("secret-carreaux", "cantine-viandes"),
    } <= doubtful
    for card in laws.cards:
        if card.id in doubtful:
            assert certainty(card).startswith("à vérifier : ")


# Their age


def test_no_card_is_overdue_today(laws: Laws) -> None:
    """Fails on the day a card must be read again, and names it."""
    check_recheck_dates(laws.cards, date.today())


def test_overdue_cards_are_named_with_their_reason(laws: Laws) -> None:
    first = min(laws.cards, key=lambda card: card.recheck_by)
    eve = first.recheck_by - timedelta(days=1)
    assert overdue(laws.cards, eve) == ()
    check_recheck_dates(laws.cards, eve)
    with pytest.raises(LawError) as caught:
        check_recheck_dates(laws.cards, first.recheck_by)
    assert f"« {first.id} » avant le {date_longue(first.recheck_by)}" in str(caught.value)
    assert first.recheck_because in str(caught.value)
    assert len(overdue(laws.cards, date(2099, 1, 1))) == len(laws.cards)


def _run(*arguments: str) -> Any:
    french_click.install()
    return CliRunner().invoke(cli, ["lois", *arguments])


def test_the_command_lists_every_card(laws: Laws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    result = _run("--date", "2026-11-21", "--check")
    assert result.exit_code == 0, result.output
    for card in laws.cards:
        assert card.id in result.output
    assert "à vérifier" in result.output
    assert "31 janvier 2027" in result.output


def test_the_command_fails_on_the_overdue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    assert _run("--date", "2027-01-31").exit_code == 0
    result = _run("--date", "2027-01-31", "--check")
    assert result.exit_code == 1
    assert "« accessibilite » avant le 31 janvier 2027" in result.output
    assert "« rgpd »" not in result.output
    assert "Traceback" not in result.output


# What is shown


def _card(laws: Laws, **changes: Any) -> Card:
    return replace(laws.card(FIRST), **changes)


def test_a_card_says_all_that_matters(laws: Laws) -> None:
    card = laws.card("subvention-donnees")
    text = BeautifulSoup(card_html(card), "html.parser").get_text()
    for said in (
        *("Les données essentielles des subventions", "trois mois", "Qui signe", "1er août 2017"),
        *("Décret 2017-779", "source publique", "à vérifier", "La notice du décret n’en parle pas"),
        *("Vérifié en novembre 2026", "à revérifier avant le 1er novembre 2027", NOTICE),
    ):
        assert said in text
    assert "Date d’effet" not in card_html(_card(laws, since=None))


def test_markup_in_the_data_is_only_text(laws: Laws) -> None:
    evil = "<script>alert(1)</script>\" onclick='x' </aside>"
    changes = dict.fromkeys(("id", "title", "rule", "who", "threshold", "reference", "doubt"), evil)
    html = card_html(_card(laws, **changes))
    page = BeautifulSoup(html, "html.parser")
    assert not page.find("script")
    assert len(page.find_all("aside")) == 1
    assert set(page.aside.attrs) == {"class", "role", "aria-label", "data-loi", "data-a-reverifier"}  # type: ignore[union-attr]
    warned = directives.with_deadlines(html, date(2099, 1, 1))
    assert warned.count("cd-perime") == 1
    assert BeautifulSoup(warned, "html.parser").aside.find(class_="cd-perime")  # type: ignore[union-attr]

    data = mount(Laws(laws.topics, (_card(laws, **changes),)), (evil, evil))
    assert data.count("</script") == 1


def test_a_notebook_shows_the_card_of_the_pages(
    laws: Laws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(notebook, "display", lambda data, raw: shown.append(data))
    # From a working copy, which holds no law card.
    (tmp_path / "datasets" / "x").mkdir(parents=True)
    (tmp_path / "datasets" / "x" / "datapackage.json").touch()
    monkeypatch.chdir(tmp_path)
    notebook.carte_loi(FIRST)
    assert shown[0]["text/html"] == card_html(laws.card(FIRST))
    assert laws.card(FIRST).title.split("'")[-1] in shown[0]["text/plain"]
    assert "<" not in shown[0]["text/plain"]
    with pytest.raises(LawError, match="n'existe pas"):
        notebook.carte_loi("rien")


def _page(course: Project, text: str) -> BeautifulSoup:
    """Build one page by Sphinx, with the directives alone."""
    (course.root / "index.md").write_text(text, encoding="utf-8")
    out = course.root / "out"
    with docutils_namespace():
        app = Sphinx(
            *(str(course.root), None, str(out), str(course.root / "doctrees"), "html"),
            confoverrides={"extensions": ["myst_parser", "culture_d.book.laws"], "language": "fr"},
            status=None,
            warning=None,
            warningiserror=True,
        )
        app.build()
    return BeautifulSoup((out / "index.html").read_text(encoding="utf-8"), "html.parser")


TEXT = """# Titre

```{loi} rgpd
```

```{lois} marches
```
"""


def test_directives_write_the_cards(
    course: Project, laws: Laws, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = _page(course, TEXT)
    shown = [str(card["data-loi"]) for card in page.find_all("aside", class_="cd-loi")]
    assert shown == ["rgpd", *(card.id for card in laws.about("marches"))]
    assert page.get_text().count(NOTICE) == 1
    assert not page.find(class_="cd-perime")


def test_an_overdue_card_warns_on_the_day_of_the_build(
    course: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Later(date):
        @classmethod
        def today(cls) -> "Later":
            return cls(2027, 5, 1)

    monkeypatch.setattr(directives, "date", Later)
    page = _page(course, "# Titre\n\n```{loi} rgpd-violation\n```\n\n```{loi} rgpd\n```\n")
    late, good = page.find_all("aside", class_="cd-loi")
    assert "devait être revérifié avant le 1er mai 2027" in late.get_text()
    assert not good.find(class_="cd-perime")


@pytest.mark.parametrize("directive", ["{loi} absente", "{lois} absente"])
def test_an_unknown_name_stops_the_build(course: Project, directive: str) -> None:
    with pytest.raises(SphinxError, match="« absente » n'existe pas"):
        _page(course, f"# Titre\n\n```{directive}\n```\n")


def test_the_page_of_cards_holds_each_one_once(site: Path, laws: Laws) -> None:
    page = BeautifulSoup((site / "book" / "lois.html").read_bytes(), "html.parser")
    assert [card["data-loi"] for card in page.find_all("aside", class_="cd-loi")] == [
        card.id for topic in laws.topics for card in laws.first_about(topic.slug)
    ]
    for card in laws.cards:
        assert page.find(id=f"loi-{card.id}")
    assert page.get_text().count(NOTICE) == 1


def test_every_threshold_of_the_data_is_said_in_words(laws: Laws) -> None:
    """The words of a card and what the script compares are the same figures."""

    def values(condition: Any) -> list[Comparison]:
        if isinstance(condition, Comparison):
            return [condition]
        return [one for part in getattr(condition, "parts", ()) for one in values(part)]

    compared = 0
    for card in laws.cards:
        if card.applies is None:
            continue
        for one in values(card.applies.condition):
            text = typeset_law(f"{card.title} {card.threshold} {card.who} {card.doubt}")
            limits = (one.value, one.value - 1)  # « de 100 à 499 » for below 500
            assert any(f"{limit:,}".replace(",", "\u202f") in text for limit in limits), card.id
            compared += 1
    assert compared >= 15
