"""Answers made of several letters, calendar days, amounts of money, and long lists of lines."""

import datetime
import itertools
import re
import time
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from culture_d.grading import verifier

OPTIONS = {
    "A": "le nom de l'élève",
    "B": "la date de naissance",
    "C": "le numéro de rue",
    "D": "la commune",
    "E": "l'âge",
}
ACTIONS = {
    "publier": ["mettre en ligne", "oui"],
    "masquer": ["cacher", "anonymiser"],
    "ne pas publier": ["garder", "non"],
}
FIFTEEN = verifier.LETTRES[:15]


def plain(text: str) -> str:
    return re.sub(r"[\s\u00a0\u202f]+", " ", text)


def selection(written: Any, options: Any = "ABCDE") -> verifier.Selection:
    return verifier.Selection("r", options, espace={"r": written})


def date(written: Any) -> verifier.Date:
    return verifier.Date("r", espace={"r": written})


def association(written: Any, lines: Any = "ABC", choices: Any = ACTIONS) -> verifier.Association:
    return verifier.Association("r", lines, choices, espace={"r": written})


def number(written: Any, unit: str) -> verifier.Nombre:
    return verifier.Nombre("r", unit, espace={"r": written})


def _name(value: object) -> str:
    if isinstance(value, (set, frozenset)):
        return f"set {sorted(map(repr, value))}"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


@pytest.mark.parametrize(
    ("written", "letters"),
    [
        ("A, C", "AC"),
        ("A C et D", "ACD"),
        ("A et C", "AC"),
        ("a et c", "AC"),
        ("réponses A et C", "AC"),
        ("Réponse : A, C.", "AC"),
        ("ACD", "ACD"),
        ("acd", "ACD"),
        ("A;C;E", "ACE"),
        ("A/C", "AC"),
        ("A + C", "AC"),
        ("A,\nC", "AC"),
        ("A, C, C", "AC"),
        ("C et A", "AC"),
        ("C'est A et D", "AD"),
        ("j'ai coché a et c", "AC"),
        ("Lettre C et lettre D", "CD"),
        ("je coche A, puis D", "AD"),
        ("A. le nom, C. le numéro", "AC"),
        ("(b)", "B"),
        ("aucune", ""),
        ("Aucune réponse", ""),
        ("rien", ""),
        ("toutes", "ABCDE"),
        ("Toutes les options", "ABCDE"),
        (["a", "d"], "AD"),
        (("a)", "c)"), "AC"),
        ({"A", "C"}, "AC"),
        (frozenset("AC"), "AC"),
        (["A et C", "D"], "ACD"),
        ({"A": True, "B": False}, "A"),
        ({"A": "oui", "B": "non", "C": "x", "D": ""}, "AC"),
        ({"réponse": "A, C"}, "AC"),
        (np.array(["A", "C"]), "AC"),
        (pd.Series(["A", "C"]), "AC"),
        (pd.Series([True, False, True], index=list("ABC")), "AC"),
        ("A. le nom de l'élève ; D. la commune", "AD"),
        ("A et C mais pas B", "AC"),
        ("A, C, D (pas B ni E)", "ACD"),
        ("toutes sauf B", "ACDE"),
        ("tout sauf B, D et E", "AC"),
        ("A : oui, B : non, C : oui, D : non, E : non", "AC"),
        ("A oui, B non, C oui", "AC"),
        ("2 lettres : A, C", "AC"),
    ],
    ids=_name,
)
def test_several_letters_are_read_as_a_person_would(written: Any, letters: str) -> None:
    lecture = selection(written).comprendre()
    assert lecture.valeur == frozenset(letters), lecture.message
    assert lecture.message.startswith("Réponse lue")


@pytest.mark.parametrize(
    ("written", "letters"),
    [
        ("le nom de l'élève et la commune", "AD"),
        ("A et la commune", "AD"),
        ("age", "E"),
        (["Nom de l'élève", "d"], "AD"),
        ("A : oui, B : non, C : non, D : oui, E : non", "AD"),
        ("le nom de l'élève, la commune et âge", "ADE"),
    ],
    ids=_name,
)
def test_options_may_be_written_by_their_text(written: Any, letters: str) -> None:
    assert selection(written, OPTIONS).comprendre().valeur == frozenset(letters)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("A ou C", "hésite"),
        ("pas B", "écarte une lettre"),
        ("ni A ni B", "écarte une lettre"),
        ("A : peut-être, B : non", "écarte une lettre"),
        ("A à C", "ne nomme pas chaque lettre"),
        ("A, F", "« F » n'est pas une option"),
        (["A", "F"], "« F » n'est pas une option"),
        ("A mon avis, C", "ne se lit pas comme une liste"),
        ("le nom", "ne se lit pas comme une liste"),
        (["A", 3], "« 3 » n'est pas une option"),
        ({"A": "peut-être"}, "oui ou non"),
        (True, "Vrai ou Faux"),
        (3, "Écrivez les lettres"),
        (print, "Écrivez les lettres"),
        (["A"] * 5000, "Écrivez les lettres"),
    ],
    ids=lambda value: _name(value)[:40],
)
def test_what_is_not_a_selection_gets_a_french_hint(written: Any, said: str) -> None:
    lecture = selection(written).comprendre()
    assert lecture.valeur is None
    assert said in lecture.message


def test_the_check_of_a_selection_shows_what_is_ticked_and_what_is_left(
    capsys: pytest.CaptureFixture[str],
) -> None:
    selection("a, c").lire()
    assert "Réponse lue : A et C. Vous laissez B, D et E." in plain(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("written", "right", "points"),
    [
        ("A, C", "AC", 3),
        ("A", "AC", 1.5),
        ("A, B, C", "AC", 2),
        ("A, B", "AC", 0.5),
        ("toutes", "AC", 0),
        ("aucune", "AC", 0),
        ("B, D, E", "AC", 0),
        ("aucune", "", 3),
        ("A", "", 2.25),
        ("toutes", "ABCDE", 3),
        ("A, B, C, D", "ABCDE", 2.25),
        ("toutes", "ABCD", 0),
    ],
)
def test_a_selection_earns_by_each_option(written: str, right: str, points: float) -> None:
    assert float(selection(written).noter(3, attendu=right)) == points


@given(st.frozensets(st.sampled_from("ABCDEF")), st.frozensets(st.sampled_from("ABCDEF")))
def test_only_the_right_selection_earns_everything_and_no_more_ticks_help(
    right: frozenset[str], ticked: frozenset[str]
) -> None:
    def earn(letters: frozenset[str]) -> float:
        return float(selection(" ".join(sorted(letters)) or "aucune", "ABCDEF").noter(4, right))

    assert (earn(ticked) == 4) == (ticked == right)
    for letter in set("ABCDEF") - ticked - right:
        assert earn(ticked | {letter}) <= earn(ticked)


def test_chance_earns_little_in_a_selection() -> None:
    """A learner who ticks at random earns a fifth of the points, far from the half."""
    every = [set(letters) for size in range(6) for letters in itertools.combinations("ABCDE", size)]
    earned = [float(selection(list(one) or "aucune").noter(1, "AC")) for one in every]
    assert sum(earned) / len(every) < 0.2


def test_hints_of_a_selection_name_each_option(capsys: pytest.CaptureFixture[str]) -> None:
    mistakes = [
        verifier.Erreur("B", "une date de naissance désigne quelqu'un."),
        verifier.Erreur("-C", "avec la rue, on retrouve le foyer."),
        verifier.Erreur("DE", "Vous avez gardé ce qui est à ôter.", 0.25),
    ]
    assert float(selection("A, B").noter(2, "AC", mistakes)) == 0.25
    said = plain(capsys.readouterr().out)
    assert "B cochée à tort : une date de naissance désigne quelqu'un." in said
    assert "C oubliée : avec la rue, on retrouve le foyer." in said
    assert float(selection("D, E").noter(2, "ABC", mistakes)) == 0.25
    assert "Vous avez gardé" in plain(capsys.readouterr().out)
    selection("toutes").noter(2, "AC", mistakes)
    assert "Tout cocher ne rapporte rien" in plain(capsys.readouterr().out)


@pytest.mark.parametrize(
    "written",
    [
        "2026-11-22",
        "2026/11/22",
        "22/11/2026",
        "22-11-2026",
        "22.11.26",
        "22 11 2026",
        "22 novembre 2026",
        "22 Novembre 26",
        "22 nov. 2026",
        "22 novenbre 2026",
        "dimanche 22 novembre 2026",
        "le 22 novembre 2026.",
        "au plus tard le 22 novembre 2026 à 12 h 30",
        "22/11/2026 à minuit",
        "23h59 le 22 novembre 2026",
        "2026-11-22 00:00:00",
        "2026-11-22T10:00:00Z",
        "vingt-deux novembre 2026",
        "vingt-deux novembre deux mille vingt-six",
        "le 22 novembre, soit le 22/11/2026",
        "23 octobre 2026 + 30 jours = 22 novembre 2026",
        "22 novembre 2026 (30 jours après le 23 octobre 2026)",
        "20261122",
        20261122,
        "22112026",
        22112026,
        "22 November 2026",
        "22 novembre, 2026",
        "22 novembre2026",
        "du 22 octobre au 22 novembre 2026",
        "du 22 octobre 2026 au 22 novembre 2026",
        "un mois après le 22 octobre 2026, donc le 22 novembre 2026",
        ["22/11/2026"],
        {"date": "22/11/2026"},
        datetime.date(2026, 11, 22),
        datetime.datetime(2026, 11, 22, 23, 59),
        pd.Timestamp("2026-11-22"),
        pd.Series(pd.to_datetime(["2026-11-22"])),
        pd.to_datetime(["2026-11-22"]),
        np.datetime64("2026-11-22"),
        np.datetime64("2026-11-22", "ns"),
        np.array(["2026-11-22"], dtype="datetime64[ns]"),
    ],
    ids=_name,
)
def test_a_date_is_read_as_a_person_would(written: Any) -> None:
    lecture = date(written).comprendre()
    assert lecture.valeur == datetime.date(2026, 11, 22), lecture.message
    assert lecture.message.startswith("Réponse lue : dimanche 22 novembre 2026.")
    assert float(date(written).noter(2, attendu="2026-11-22")) == 2


@pytest.mark.parametrize(
    "written", ["fin février 2027", "le dernier jour du mois de février 2027", "28 février 2027"]
)
def test_the_end_of_a_month_is_its_last_day(written: str) -> None:
    assert date(written).comprendre().valeur == datetime.date(2027, 2, 28)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("03/04/2026", "vendredi 3 avril 2026"),
        ("1er mars 2026", "dimanche 1er mars 2026"),
        ("premier mars 2026", "dimanche 1er mars 2026"),
        ("1ᵉʳ mars 2026", "dimanche 1er mars 2026"),
        ("06/01/78", "vendredi 6 janvier 1978"),
        ("lundi 22 novembre 2026", "n'est pas celui-là"),
        ("29/02/2028", "mardi 29 février 2028"),
    ],
)
def test_a_date_is_shown_in_words(written: str, said: str) -> None:
    lecture = date(written).comprendre()
    assert lecture.valeur is not None
    assert said in lecture.message


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("1 mars", "il manque l'année après « 1er mars »"),
        ("22/11", "il manque l'année après « 22 novembre »"),
        ("novembre 2026", "il manque le jour"),
        ("2026", "ne contient pas de date"),
        ("demain", "ne contient pas de date"),
        ("31/02/2026", "le 31 février 2026 n'existe pas : ce mois compte 28 jours"),
        ("31 avril 2026", "ce mois compte 30 jours"),
        ("11/22/2026", "il n'y a pas de mois 22. En français, le jour vient avant le mois"),
        ("45/13/2026", "il n'y a pas de mois 13"),
        ("0000-01-01", "n'a pas quatre chiffres"),
        ("1er mars 2026 et 3 avril 2026", "plusieurs dates"),
        ("pas le 3 avril 2026", "écarte une date"),
        ("3 avril 2026 ou 2027", "hésite entre plusieurs dates"),
        ("2 mars 2026 au lieu du 6 mars 2026", "plusieurs dates"),
        ("ce n'est pas le 03/04/2026", "écarte une date"),
        ("22/11/2026 ou 23/11/2026", "plusieurs dates"),
        (22 / 11 / 2026, "Mettez la date entre guillemets"),
        (2026 - 11 - 22, "Mettez la date entre guillemets"),
        (46348, "Mettez la date entre guillemets"),
        (pd.NaT, "NaT"),
        (True, "il faut une date"),
        (["22/11/2026", "23/11/2026"], "il faut une date"),
        (datetime.timedelta(days=30), "il faut une date"),
    ],
    ids=_name,
)
def test_what_is_not_a_date_gets_a_french_hint(written: Any, said: str) -> None:
    lecture = date(written).comprendre()
    assert lecture.valeur is None
    assert said in lecture.message


@given(st.dates(datetime.date(1970, 1, 1), datetime.date(2069, 12, 31)))
def test_every_day_is_read_back_in_every_writing(day: datetime.date) -> None:
    month = verifier._MONTHS[day.month - 1]
    for written in (
        day.isoformat(),
        f"{day:%d/%m/%Y}",
        f"{day.day}.{day.month}.{day:%y}",
        f"{day.day} {month} {day.year}",
        f"le {'1er' if day.day == 1 else day.day} {month.upper()} {day.year}",
        verifier.lire_date(day).message.removeprefix("Réponse lue : "),
    ):
        assert date(written).comprendre().valeur == day, written


def test_mistakes_in_a_date_are_told_apart(capsys: pytest.CaptureFixture[str]) -> None:
    mistakes = [verifier.Erreur("2026-03-13", "Un mois n'est pas trente jours.", 0.5)]
    for written, points, said in (
        ("13/03/2026", 0.5, "Un mois n'est pas trente jours"),
        ("05/04/2026", 2, ""),
        ("04/05/2026", 0, "le jour vient d'abord"),
        ("05/04/2025", 0, "la bonne année"),
        ("06/04/2026", 0, "à un jour près"),
        ("01/01/2026", 0, "Ce n'est pas la date attendue"),
        ("demain", 0, ""),
    ):
        earned = date(written).noter(2, datetime.date(2026, 4, 5), mistakes)
        assert float(earned) == points, written
        assert said in plain(capsys.readouterr().out)
    assert float(date("07/04/2026").noter(2, pd.Timestamp(2026, 4, 5), tolerance=2)) == 2


def test_a_wrong_expected_date_is_an_error_of_the_exercise() -> None:
    with pytest.raises(ValueError, match="n'est pas une date"):
        date("22/11/2026").noter(2, attendu="demain")


@pytest.mark.parametrize(
    ("written", "unit", "expected"),
    [
        ("1 063 850,00 €", "€", 1063850),
        ("1 063 850 euros", "€", 1063850),
        ("€ 1 200", "€", 1200),
        ("12 k€", "€", 12000),
        ("12 K€", "€", 12000),
        ("12 milliers d'euros", "€", 12000),
        ("1,2 M€", "€", 1200000),
        ("1,2 million d’euros", "€", 1200000),
        ("12 500 €", "k€", 12.5),
        ("12,5 k€", "k€", 12.5),
        ("12,50 €", "€", 12.5),
        ("12€50", "€", 12.5),
        ("douze euros", "€", 12),
        ("30 jours", "jours", 30),
        ("30 j", "jours", 30),
        ("trente jours", "jours", 30),
        ("30 jours ouvrés", "jours", 30),
        ("une ligne", "lignes", 1),
        ("aucune", "lignes", 0),
        ("zéro", "lignes", 0),
        ("12 lignes sur 300", "lignes", 12),
        ("1,2 million d'habitants", "habitants", 1200000),
        ("12 mille habitants", "habitants", 12000),
        ("1 960 h", "habitants", 1960),
        ("deux mois", "mois", 2),
        ("3 élèves", "élèves", 3),
    ],
)
def test_amounts_and_counts_are_read_with_their_units(
    written: str, unit: str, expected: float
) -> None:
    lecture = number(written, unit).comprendre()
    assert lecture.valeur == (pytest.approx(expected),), lecture.message
    assert plain(lecture.message).endswith(f"{unit}.")


@pytest.mark.parametrize(
    ("written", "unit", "said"),
    [
        ("4 semaines", "jours", "est en semaines. On demande des jours"),
        ("12 h", "jours", "est en heures"),
        ("2 mois", "jours", "est en mois"),
        ("12 jours", "€", "est en jours. On demande des euros"),
        ("12 €", "lignes", "est en euros. On demande des lignes"),
        ("100 centimes", "€", "est en centimes"),
        ("5 %", "€", "est un pourcentage. On demande des euros"),
        ("12 ou 13 lignes", "lignes", "plusieurs nombres"),
    ],
)
def test_another_unit_is_refused_and_said(written: str, unit: str, said: str) -> None:
    lecture = number(written, unit).comprendre()
    assert lecture.valeur is None
    assert said in lecture.message


@pytest.mark.parametrize(
    "written",
    [
        "A: publier, B: masquer, C: ne pas publier",
        "A publier B masquer C ne pas publier",
        "A=publier;B=masquer;C=garder",
        "A - publier, B - masquer, C - garder",
        "A → mettre en ligne\nB → cacher\nC → non",
        ["publier", "masquer", "ne pas publier"],
        ["oui", "anonymisé", False],
        {"A": True, "B": "il faut masquer", "C": "ne pas publier, car vie privée"},
        {"A": "publié", "B": "masqer", "C": "ne pas le publier"},
        {"publier": "A", "masquer": ["B"], "garder": "C"},
        "publier : A ; masquer : B ; garder : C",
        {0: "publier", 1: "masquer", 2: "garder"},
        {1.0: "publier", 2.0: "masquer", 3.0: "garder"},
        pd.Series(["publier", "masquer", "garder"], index=list("ABC")),
    ],
    ids=_name,
)
def test_free_choices_are_read_as_a_person_would(written: Any) -> None:
    lecture = association(written).comprendre()
    wanted = {"A": "publier", "B": "masquer", "C": "ne pas publier"}
    assert lecture.valeur == wanted, lecture.message


@pytest.mark.parametrize(
    "written",
    [
        "A, C : publier ; B : masquer",
        "A et C : publier\nB : masquer",
        "A/C = publier ; B = masquer",
        "A C -> publier ; B -> masquer",
        ["A et C : publier", "B : masquer"],
        {"A, C": "publier", "B": "masquer"},
        {("A", "C"): "publier", "B": "masquer"},
        {"publier": "A, C", "masquer": "B"},
    ],
    ids=_name,
)
def test_lines_put_together_are_read_each(written: Any) -> None:
    lecture = association(written).comprendre()
    wanted = {"A": "publier", "B": "masquer", "C": "publier"}
    assert lecture.valeur == wanted, lecture.message


def test_a_line_that_is_not_there_is_not_read_with_the_others() -> None:
    lecture = association("A, Z : publier ; B : masquer").comprendre()
    assert lecture.valeur is not None and "A" not in lecture.valeur, lecture.message


@pytest.mark.parametrize(
    "written",
    [
        "on ne doit pas publier",
        "publier ou masquer",
        "publier sans le nom",
        "publier et masquer",
        object(),
        ["publier", "masquer"],
        {"publier"} | {"masquer"},
        "publier" * 2000,
    ],
    ids=lambda value: _name(value)[:40],
)
def test_an_odd_value_on_a_line_is_not_a_choice(written: Any) -> None:
    lecture = association({"A": written, "B": "masquer"}).comprendre()
    assert lecture.valeur == {"B": "masquer"}, lecture.message
    assert "Ligne A : « " in lecture.message


def test_close_labels_are_not_taken_for_one_another() -> None:
    choices: dict[str, list[str]] = {"communicable": [], "article 6": [], "agent": []}
    for written in ("incommunicable", "non communicable", "article 9", "pas communicable"):
        lecture = association({"A": written}, choices=choices).comprendre()
        assert lecture.valeur is None, written
    choices["non communicable"] = []
    lecture = association(
        {"A": "Non-communicable, secret médical", "B": "communicables", "C": "art. 6 : article 6"},
        choices=choices,
    ).comprendre()
    assert lecture.valeur == {"A": "non communicable", "B": "communicable", "C": "article 6"}


@pytest.mark.parametrize(
    "answers",
    [
        [True, False] * 7 + [True],
        ["oui", "non"] * 7 + ["o"],
        ["vrai", "faux"] * 7 + ["V"],
        dict(zip(FIFTEEN, ["Oui", "NON."] * 7 + ["yes"], strict=True)),
        dict(enumerate(["oui", "non"] * 7 + ["oui"], 1)),
        ", ".join(f"{letter}: {'non' if i % 2 else 'oui'}" for i, letter in enumerate(FIFTEEN)),
        " ".join(f"{i}. {'vrai' if i % 2 else 'faux'}" for i in range(1, 16)),
        "\n".join(f"Ligne {i} : {'vrai' if i % 2 else 'faux'}" for i in range(1, 16)),
        pd.Series([True, False] * 7 + [True]),
        np.array([True, False] * 7 + [True]),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("lines", [FIFTEEN, range(1, 16)], ids=["letters", "numbers"])
def test_fifteen_lines_of_yes_or_no(answers: Any, lines: Any) -> None:
    question = association(answers, lines, verifier.OUI_NON)
    expected = {line: "non" if rank % 2 else "oui" for rank, line in enumerate(lines)}
    assert float(question.noter(15, attendu=expected)) == 15, question.comprendre().message


def test_lines_may_have_names() -> None:
    choices: dict[str, list[str]] = {"texte": ["chaîne"], "nombre": [], "date": []}
    names = ["siret", "date de création", "population"]
    for written in (
        {"SIRET": "texte", "Date de creation": "date", "population": "un nombre"},
        "siret : texte, date de création : date, population = nombre",
        ["texte", "date", "nombre"],
    ):
        read = association(written, names, choices).comprendre().valeur
        assert read == dict(zip(names, ["texte", "date", "nombre"], strict=True))


def test_the_same_choice_everywhere_earns_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    expected = {"A": "oui", "B": "oui", "C": "non"}
    question = association({"A": "oui", "B": "oui", "C": "oui"}, "ABC", verifier.OUI_NON)
    assert float(question.noter(3, expected)) == 0
    assert "Le même choix partout ne rapporte rien" in plain(capsys.readouterr().out)
    assert float(question.noter(3, dict.fromkeys("ABC", "oui"))) == 3
    question = association({"A": "oui", "B": "oui"}, "ABC", verifier.OUI_NON)
    assert float(question.noter(3, expected)) == 2


STEPS = {
    "A": "demander",
    "B": "attendre",
    "C": "relancer",
    "D": "saisir la commission",
    "E": "saisir le juge",
    "F": "publier",
}


@pytest.mark.parametrize(
    "written",
    [
        "A, B, C, D, E, F",
        "A > B > C > D > E > F",
        "A puis B puis C puis D puis E puis F",
        "abcdef",
        list("ABCDEF"),
        ["1. demander", ". attendre 3. relancer"][0] + ", B, C, D, E, F",
        list(STEPS.values()),
    ],
    ids=_name,
)
def test_a_ranking_of_six_steps_is_read_in_its_own_sense(written: Any) -> None:
    question = verifier.Classement(
        "r", STEPS, espace={"r": written}, sens="du premier pas au dernier"
    )
    lecture = question.comprendre()
    assert lecture.valeur == tuple("ABCDEF"), lecture.message
    assert lecture.message == "Réponse lue, du premier pas au dernier : A, B, C, D, E, F."
    assert float(question.noter(2, tuple("ABCDFE"))) == 1
    assert float(question.noter(2, tuple("FEDCBA"))) == 0


def test_an_unclear_sign_is_refused_where_nothing_grows(
    capsys: pytest.CaptureFixture[str],
) -> None:
    space = {"r": "A < B < C < D < E < F"}
    question = verifier.Classement("r", STEPS, espace=space, sens="du premier au dernier")
    assert "le signe < ne dit pas" in question.comprendre().message
    verifier.Classement("r", STEPS, espace={"r": "FEDCBA"}).noter(2, tuple("ABCDEF"))
    said = capsys.readouterr().out
    assert "quatre chiffres" not in said
    assert "deux par deux" in said


def test_without_an_expected_value_a_departement_is_only_asked_where_there_is_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier, "_CONTEXTS", set())
    assert float(number("12", "lignes").noter(2, attendu=None)) == 0
    assert "Choisissez d'abord un département" not in capsys.readouterr().out
    verifier.code_departement("d", {"d": ...})
    number("12", "lignes").noter(2, attendu=None)
    assert "Choisissez d'abord un département" in capsys.readouterr().out


class EqualsEverything:
    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("A")

    def __contains__(self, item: object) -> bool:
        return True

    def __getattr__(self, name: str) -> Any:
        return self

    def __call__(self, *args: Any, **named: Any) -> Any:
        return self


class Liar(str):
    """Reads as « X », and compares equal to anything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return hash("A")

    def __str__(self) -> str:
        return self

    def lower(self) -> str:
        return "a"

    def strip(self, chars: str | None = None) -> str:
        return "a"


class Raises:
    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError("non")


def circle() -> list[Any]:
    found: list[Any] = []
    found.append(found)
    return found


HOSTILE: dict[str, Any] = {
    "equals everything": EqualsEverything(),
    "lying text": Liar("X"),
    "lying texts": [Liar("X")] * 3,
    "lying mapping": {Liar("X"): Liar("X")},
    "raises": Raises(),
    "circle": circle(),
    "circle in a line": {"A": circle()},
    "a class": type,
    "bytes": b"A",
    "square array": np.array([["A", "B"]]),
    "table": pd.DataFrame({"A": range(3)}),
    "long column": pd.Series(range(40000)),
    "category": pd.Categorical(["X"]),
    "long letters": "A" * 100000,
    "long digits": "1" * 100000,
    "brackets": "(" * 50000,
    "long list": "a" + " et" * 30000,
    "long date": "1/1/1" * 20000,
    "nan": float("nan"),
    "huge": 10**5000,
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_no_hostile_answer_earns_crashes_or_lasts(kind: str) -> None:
    space = {"r": HOSTILE[kind]}
    questions: list[tuple[verifier.Question, Any]] = [
        (verifier.Nombre("r", "lignes", espace=space), 7),
        (verifier.Choix("r", "ABC", espace=space), "A"),
        (verifier.Selection("r", OPTIONS, espace=space), "AC"),
        (verifier.Selection("r", "ABCDE", espace=space), "A"),
        (verifier.Date("r", espace=space), "2026-11-22"),
        (verifier.Classement("r", STEPS, espace=space), tuple("ABCDEF")),
        (
            verifier.Association("r", "ABC", ACTIONS, espace=space),
            {"A": "publier", "B": "masquer", "C": "masquer"},
        ),
    ]
    start = time.perf_counter()
    for question, expected in questions:
        question.lire()
        assert float(question.noter(2, expected)) == 0
    assert time.perf_counter() - start < 5


ANYTHING = st.recursive(
    st.one_of(
        st.text(alphabet="abcdeABCDE ,;:/-0123456789eéàt'", max_size=30),
        st.text(max_size=10),
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.dates(),
        st.datetimes(),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(st.one_of(st.text(max_size=3), st.integers()), inner, max_size=5),
    ),
    max_leaves=6,
)


@given(ANYTHING)
def test_no_answer_breaks_a_reader_or_earns_more_than_the_maximum(answer: Any) -> None:
    for question, expected in (
        (selection(answer), "AC"),
        (selection(answer, OPTIONS), "AC"),
        (date(answer), "2026-11-22"),
        (number(answer, "€"), 12),
        (number(answer, "jours"), 30),
        (association(answer, range(1, 13), verifier.OUI_NON), dict.fromkeys(range(1, 13), "oui")),
    ):
        message = question.comprendre().message
        assert message.startswith(("Réponse lue", "Réponse non comprise", "Pas encore", "«"))
        assert 0 <= float(question.noter(2, expected)) <= 2


@pytest.mark.parametrize(
    "written",
    ["7,2 créations pour 1 000 habitants", "7.2 pour mille", "7,2 / 1000 habitants", "7,2 ‰", 7.2],
)
def test_the_number_of_a_rate_is_not_that_of_its_unit(written: Any) -> None:
    question = number(written, "pour 1\u202f000 habitants")
    assert question.comprendre().valeur == (7.2,)


@pytest.mark.parametrize("written", ["Les colonnes A, C et E", "les communes A, C et E"])
def test_a_selection_may_name_what_it_ticks(written: str) -> None:
    assert selection(written).comprendre().valeur == {"A", "C", "E"}
