"""A question that cannot be answered, or leaves an answer unexplained, is refused."""

import re
from collections.abc import Callable

import pytest
from bs4 import BeautifulSoup

from culture_d import notebook
from culture_d.book.quiz import read_questions
from culture_d.quiz import (
    Order,
    Quiz,
    QuizError,
    chiffrer,
    choisir,
    cocher,
    element,
    faux,
    juste,
    ranger,
)
from culture_d.quiz_html import quiz_html

GOOD = """Quel repère ?
( ) La moyenne
    Non : elle suit les plus grandes.
(x) La médiane
    Au milieu.
---
Lesquelles ?
[x] L'une
    Oui.
[ ] L'autre
    Non.
---
Dans quel ordre ?
1. Un
   D'abord.
2. Deux
   Ensuite.
3. Trois
   Enfin.
---
Combien ?
= 1 960,5 habitants, à 0,5 près
    Voilà.
! 459
    C'est la médiane.
! autre
    Comptez."""

SAME = (
    choisir(
        "Quel repère ?",
        faux("La moyenne", "Non : elle suit les plus grandes."),
        juste("La médiane", "Au milieu."),
    ),
    cocher("Lesquelles ?", juste("L'une", "Oui."), faux("L'autre", "Non.")),
    ranger(
        "Dans quel ordre ?",
        element("Un", "D'abord."),
        element("Deux", "Ensuite."),
        element("Trois", "Enfin."),
    ),
    chiffrer(
        "Combien ?",
        juste(1960.5, "Voilà."),
        faux(459.0, "C'est la médiane."),
        sinon="Comptez.",
        tolerance=0.5,
        unite="habitants",
    ),
)


def test_a_page_and_a_notebook_make_the_same_quiz(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_questions(GOOD) == SAME
    shown: list[dict[str, str]] = []
    monkeypatch.setattr(notebook, "display", lambda data, raw: shown.append(data))
    notebook.quiz("essai", *SAME)
    (data,) = shown
    assert data["text/html"] == quiz_html(Quiz("essai", read_questions(GOOD)))
    assert "✗ 459\u00a0habitants : C'est la médiane." in data["text/plain"]
    assert "✓ La médiane : Au milieu." in data["text/plain"]


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (1, "habitants", "1\u00a0habitant"),
        (0, "habitants", "0\u00a0habitant"),
        (1.9, "habitants", "1,9\u00a0habitant"),
        (2, "habitants", "2\u00a0habitants"),
        (1, "points de pourcentage", "1\u00a0point de pourcentage"),
        (1, "euros par ans", "1\u00a0euro par ans"),
        (1, "mois", "1\u00a0mois"),
        (1, "m²", "1\u00a0m²"),
        (1, "%", "1\u202f%"),
        (1, "", "1"),
    ],
)
def test_the_unit_of_a_number_is_singular_below_two(value: float, unit: str, written: str) -> None:
    answers = juste(50.0, "Voilà."), faux(value, "Non.")
    question = chiffrer("Q ?", *answers, sinon="Comptez.", tolerance=0.1, unite=unit)
    assert question.written(value) == written


def test_the_page_without_script_says_everything() -> None:
    page = BeautifulSoup(quiz_html(Quiz("essai", SAME)), "html.parser")
    assert page.find(id="quiz-essai")
    folded = page.find_all("details")
    assert [len(one.find_all("li")) for one in folded] == [2, 2, 3, 3]
    assert "La médiane ✓ Juste. Au milieu." in folded[0].get_text()
    assert "1\u202f960,5\u00a0habitants, à 0,5 près ✓ Juste. Voilà." in folded[3].get_text()
    assert "Tout autre nombre ✗ Faux. Comptez." in folded[3].get_text()
    assert all(not one.has_attr("open") for one in folded)


def test_things_to_order_never_start_in_order() -> None:
    for number in range(60):
        items = tuple(element(f"{number}-{place}", "Voilà.") for place in range(3))
        shown = Order("Dans quel ordre ?", items).shown()
        assert sorted(shown) == [0, 1, 2] and shown != [0, 1, 2]
        assert shown == Order("Dans quel ordre ?", items).shown()


Broken = tuple[Callable[[], object], str]
BROKEN: list[Broken] = [
    (lambda: choisir("Q ?", juste("a", "b"), faux("c", " ")), "« c » n'a pas d'explication"),
    (lambda: choisir("Q ?", juste("a", ""), faux("c", "d")), "« a » n'a pas d'explication"),
    (lambda: choisir("Q ?", faux("a", "b"), faux("c", "d")), "aucune réponse n'est juste"),
    (lambda: choisir("Q ?", juste("a", "b"), juste("c", "d")), "2 réponses sont justes"),
    (lambda: choisir("Q ?", juste("a", "b"), faux("A ", "d")), "« A  » est là deux fois"),
    (lambda: choisir("Q ?", juste("a", "b")), "1 réponse, au lieu de deux"),
    (lambda: choisir("Q ?", juste("a", "b"), faux("", "d")), "une réponse est vide"),
    (lambda: choisir(" ", juste("a", "b"), faux("c", "d")), "Une question est vide"),
    (lambda: cocher("Q ?", juste("a", "b"), juste("c", "d")), "aucune réponse n'est fausse"),
    (lambda: cocher("Q ?", faux("a", "b"), faux("c", "d")), "aucune réponse n'est juste"),
    (lambda: ranger("Q ?", element("a", "b"), element("c", "d")), "2 éléments à ranger"),
    (
        lambda: ranger("Q ?", element("a", "b"), element("c", ""), element("e", "f")),
        "« c » n'a pas d'explication",
    ),
    (
        lambda: ranger("Q ?", element("a", "b"), element("a", "d"), element("e", "f")),
        "« a » est là deux fois",
    ),
    (lambda: chiffrer("Q ?", juste(1, "b"), faux(5, "c"), sinon="d"), "la tolérance manque"),
    (
        lambda: chiffrer("Q ?", juste(1, "b"), faux(5, "c"), sinon="d", tolerance=-1),
        "la tolérance est négative",
    ),
    (
        lambda: chiffrer("Q ?", juste(1, "b"), faux(5, "c"), sinon="d", tolerance=float("nan")),
        "« nan » n'est pas un nombre",
    ),
    (
        lambda: chiffrer("Q ?", juste(float("inf"), "b"), faux(5, "c"), sinon="d", tolerance=1),
        "« inf » n'est pas un nombre",
    ),
    (
        lambda: chiffrer("Q ?", juste("douze", "b"), faux(5, "c"), sinon="d", tolerance=1),
        "« douze » n'est pas un nombre",
    ),
    (
        lambda: chiffrer("Q ?", faux(1, "b"), faux(5, "c"), sinon="d", tolerance=1),
        "0 nombres sont justes",
    ),
    (
        lambda: chiffrer("Q ?", juste(1, "b"), sinon="d", tolerance=1),
        "aucune erreur n'est nommée",
    ),
    (
        lambda: chiffrer("Q ?", juste(1, "b"), faux(5, "c"), sinon="", tolerance=1),
        "« tout autre nombre » n'a pas d'explication",
    ),
    (
        lambda: chiffrer("Q ?", juste(1, "b"), faux(5, ""), sinon="d", tolerance=1, unite="%"),
        "« 5\u202f% » n'a pas d'explication",
    ),
    (
        lambda: chiffrer("Q ?", juste(1, "b"), faux(5, "c"), sinon="d", tolerance=2),
        "« 1 » et « 5 » ne se distinguent pas à 2 près",
    ),
    (
        lambda: chiffrer("Q ?", juste(1, "b"), faux(5, "c"), faux(5, "d"), sinon="e", tolerance=0),
        "« 5 » est là deux fois",
    ),
    (lambda: Quiz("essai", ()), "n'a aucune question"),
    (lambda: Quiz("essai", (SAME[0], SAME[0])), "pose deux fois la question « Quel repère"),
    (lambda: Quiz('a" onclick="x', SAME), "ne convient pas"),
    (lambda: Quiz("Été", SAME), "ne convient pas"),
    (lambda: notebook.intuition("Q ?", {"50": "a", "84": ""}), "« 84 » n'a pas d'explication"),
    (lambda: notebook.intuition("Q ?", {"50": "a"}), "1 réponse, au lieu de deux"),
    (lambda: notebook.intuition("Q ?", {"50": "a", "84": "b"}, nom="a b"), "ne convient pas"),
]


@pytest.mark.parametrize(("make", "message"), BROKEN)
def test_a_question_that_cannot_be_published_is_refused(
    make: Callable[[], object], message: str
) -> None:
    with pytest.raises(QuizError, match=re.escape(message)) as caught:
        make()
    said = str(caught.value)
    assert said.startswith(("Question « Q ? » :", "Le quiz ", "Le nom de quiz ", "Une question"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("    Au milieu.", ""), "« La médiane » n'a pas d'explication"),
        (("(x)", "( )"), "aucune réponse n'est juste"),
        (("    Au milieu.", "Au milieu."), "n'est ni une réponse, ni une explication"),
        (("( ) La moyenne", "[ ] La moyenne"), "sont de plusieurs genres"),
        ((", à 0,5 près", ""), "la tolérance manque"),
        (("! 459", "! 459 élus"), "« 459 élus » ne se lit pas comme un nombre"),
        (("! 459", "! environ"), "« environ » ne se lit pas comme un nombre"),
        (("! autre\n    Comptez.", ""), "« tout autre nombre » n'a pas d'explication"),
        (("! 459\n    C'est la médiane.\n", ""), "aucune erreur n'est nommée"),
        (("---\nLesquelles ?", "---\nSeule ?\n---\nLesquelles ?"), "« Seule ? » : aucune réponse"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(change: tuple[str, str], message: str) -> None:
    assert change[0] in GOOD
    with pytest.raises(QuizError, match=re.escape(message)):
        read_questions(GOOD.replace(*change, 1))
