"""What the verifier reads in what people write."""

import math
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from culture_d.grading import verifier

ELEMENTS = {
    "A": "moyenne du département",
    "B": "médiane du département",
    "C": "moyenne de la France",
}
CHOICES = {
    "moyenne": ["moyenne simple"],
    "médiane": ["med"],
    "moyenne pondérée": ["pondérée"],
    "total": ["somme"],
}


def plain(text: str) -> str:
    return re.sub(r"[\s\u00a0\u202f]+", " ", text)


def _name(value: object) -> str:
    """Name a case the same in every process: no address, no order of a set."""
    if isinstance(value, set):
        return f"set {sorted(map(repr, value))}"
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


@pytest.mark.parametrize(
    ("written", "number"),
    [
        (30, 30),
        (30.0, 30),
        ("30", 30),
        ("30,0", 30),
        ("1 959,9", 1959.9),
        ("1\u00a0959,9", 1959.9),
        ("1\u202f959,9", 1959.9),
        ("1.959,9", 1959.9),
        ("1,959.9", 1959.9),
        ("1'960", 1960),
        ("1_960", 1960),
        ("1.234.567", 1234567),
        ("1,234,567", 1234567),
        ("1 960 habitants", 1960),
        ("1960hab.", 1960),
        ("= 733,35 hab./commune", 733.35),
        ("environ 733 habitants en 2023", 733),
        ("−12,5", -12.5),
        ("+12", 12),
        ("0,04", 0.04),
        ("2e3", 2000),
        ("  733 \n", 733),
        ("≈ 733,35 hab/km²", 733.35),
        ({"moyenne": 733}, 733),
        ("565413 / 771 = 733", 733),
        ("Réponse 1 : 733", 733),
        ("733 (2023)", 733),
        ("733,4 habitants, soit 733 habitants", 733),
        ((733, 4), 733.4),
        ([733.4], 733.4),
        ({733}, 733),
        (np.float64(733.4), 733.4),
        (np.int64(733), 733),
        (np.array([733.4]), 733.4),
        (np.array(733.4), 733.4),
        (pd.Series([733.4]), 733.4),
        (pd.DataFrame({"x": [733.4]}), 733.4),
        (Decimal("733.4"), 733.4),
        (Fraction(1467, 2), 733.5),
    ],
    ids=_name,
)
def test_a_number_is_read_as_a_person_would(written: Any, number: float) -> None:
    lecture = verifier.Nombre("r", "habitants", espace={"r": written}).comprendre()
    assert lecture.valeur == (pytest.approx(number),)
    assert lecture.message.startswith("Réponse lue")


@pytest.mark.parametrize(
    ("written", "share"),
    [
        ("84 %", 84),
        ("84%", 84),
        ("84\u202f%", 84),
        (84, 84),
        ("84,3 pour cent", 84.3),
        ("84 p. 100", 84),
        (0.84, 84),
        ("0,84", 84),
        ("0,84 %", 0.84),
        (1, 1),
        (0, 0),
        ("84 % (soit 647 communes sur 771)", 84),
        ("647 communes, soit 84 %", 84),
        ("84 sur 100", 84),
        ("84 communes sur 100", 84),
        (".84", 84),
        ("84 percent", 84),
    ],
    ids=_name,
)
def test_a_percentage_is_read_with_or_without_its_sign(written: Any, share: float) -> None:
    lecture = verifier.Nombre("r", "%", espace={"r": written}).comprendre()
    assert lecture.valeur[0] == pytest.approx(share)


def test_a_rate_for_a_thousand_is_no_percentage() -> None:
    assert "est en ‰" in verifier.lire_nombre("23 pour mille", "%").message


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (True, "Vrai ou Faux"),
        (math.nan, "n'a pas donné de nombre"),
        (math.inf, "n'a pas donné de nombre"),
        (np.nan, "n'a pas donné de nombre"),
        (pd.NA, "il faut un nombre"),
        (pd.NaT, "il faut un nombre"),
        (1j, "il faut un nombre"),
        ([1, 2, 3], "contient 3 valeurs"),
        ((1, 2, 3), "contient 3 valeurs"),
        (pd.Series([1.0, 2.0]), "contient 2 valeurs"),
        (pd.Series([], dtype=float), "contient 0 valeur."),
        ({"a": 1, "b": 2}, "contient 2 valeurs"),
        (pd.Series([1.0]).mean, "il manque les parenthèses"),
        ("beaucoup", "ne contient pas de nombre"),
        ("mille neuf cent soixante deux trois", "en chiffres"),
        ("entre 1 900 et 2 000", "plusieurs nombres"),
        ("565413/771", "plusieurs nombres"),
        ("733 ou 734 habitants", "plusieurs nombres"),
        ("mes_communes['population'].mean()", "ôtez les guillemets"),
        (object(), "il faut un nombre"),
        (10**400, "ne se lit pas (OverflowError)"),
        ("733 %", "est un pourcentage. On demande des habitants"),
        ("733 communes", "est en communes. On demande des habitants"),
        (print, "il manque les parenthèses"),
    ],
    ids=_name,
)
def test_what_is_not_a_number_gets_a_french_hint(written: Any, said: str) -> None:
    lecture = verifier.Nombre("r", "habitants", espace={"r": written}).comprendre()
    assert lecture.valeur is None
    assert said in lecture.message
    assert "Réponse non comprise : " in lecture.message


@pytest.mark.parametrize(
    "written", [None, ..., "", "  ", "...", "…", "?", [], {}, [None], [...]], ids=_name
)
@pytest.mark.parametrize("kind", ["nombre", "choix", "classement", "association"])
def test_an_unanswered_question_is_friendly_and_worth_nothing(
    written: Any, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    space = {"r": written}
    question: verifier.Question = {
        "nombre": verifier.Nombre("r", "%", espace=space),
        "choix": verifier.Choix("r", "ABC", espace=space),
        "classement": verifier.Classement("r", ELEMENTS, espace=space),
        "association": verifier.Association("r", "AB", CHOICES, espace=space),
    }[kind]
    question.lire()
    assert "Pas encore de réponse" in plain(capsys.readouterr().out)
    assert float(question.noter(2, attendu=1)) == 0


def test_a_missing_variable_says_what_to_do() -> None:
    lecture = verifier.Nombre("reponse_1", espace={}).comprendre()
    assert "n'existe pas" in lecture.message
    assert "guillemets" in lecture.message


UNDER_TWENTY = [
    *["zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"],
    *["onze", "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf"],
]
TENS = [
    *["vingt", "trente", "quarante", "cinquante", "soixante", "soixante-dix"],
    *["quatre-vingt", "quatre-vingt-dix"],
]


def in_words(number: int, belgian: bool = False) -> str:
    """Write a number in French, as a school book would: another code than the verifier's."""
    if number < 20:
        return UNDER_TWENTY[number]
    if number < 100:
        tens, unit = divmod(number, 10)
        if belgian and tens in (7, 9):
            name = {7: "septante", 9: "nonante"}[tens]
            return name if not unit else f"{name}{' et ' if unit == 1 else '-'}{in_words(unit)}"
        if tens in (7, 9):
            tens, unit = tens - 1, unit + 10
        if not unit:
            return TENS[tens - 2] + ("s" if tens == 8 else "")
        link = " et " if unit in (1, 11) and tens < 8 else "-"
        return TENS[tens - 2] + link + in_words(unit)
    for value, name in ((10**6, "million"), (1000, "mille"), (100, "cent")):
        if number >= value:
            many, rest = divmod(number, value)
            plural = "s" if many > 1 and name != "mille" and (not rest or value > 100) else ""
            before = in_words(many, belgian) + " " if many > 1 or value > 1000 else ""
            before = before.replace("quatre-vingts m", "quatre-vingt m")
            return (
                before + name + plural + (f" {in_words(rest, belgian)}" if rest else "")
            ).strip()
    raise AssertionError(number)


@pytest.mark.parametrize("belgian", [False, True])
@pytest.mark.parametrize("mark", ["-", " ", "\u2011"])
def test_every_number_in_words_is_read_back(belgian: bool, mark: str) -> None:
    for number in [*range(2, 1200), *range(1200, 10_000, 37), 80_000, 114_805, 1_200_000]:
        written = in_words(number, belgian).replace("-", mark)
        assert verifier.lire_nombre(written, "lignes").valeur == (number,), written


@pytest.mark.parametrize(
    ("written", "unit", "number"),
    [
        ("vingt-trois pour cent", "%", 23),
        ("Cent pour cent", "%", 100),
        ("soixante et onze", "", 71),
        ("huitante-deux", "", 82),
        ("dix-neuf cent soixante", "habitants", 1960),
        ("mil neuf cents", "", 1900),
        ("cent quatorze mille huit cent cinq euros", "€", 114805),
        ("douze millions d'euros", "€", 12_000_000),
        ("douze millions d'euros", "M€", 12),
        ("sept virgule zéro cinq", "", 7.05),
        ("sept virgule deux pour mille", "pour 1 000 habitants", 7.2),
        ("La plaquette en compte cinq", "communes", 5),
        ("une seule commune", "communes", 1),
        ("aucune commune", "communes", 0),
        ("cinq, une par secteur", "communes", 5),
    ],
)
def test_words_of_a_number_are_read_in_a_sentence(written: str, unit: str, number: float) -> None:
    assert verifier.lire_nombre(written, unit).valeur == (pytest.approx(number),)


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("un tiers", "%"),
        ("deux tiers", "%"),
        ("deux ou trois", "jours"),
        ("deux semaines", "jours"),
        ("deux trois jours", "jours"),
        ("trente et onze", ""),
        ("un cent", ""),
        ("une ligne de plus que prévu", "communes"),
        ("vingt pour cent", "communes"),
    ],
)
def test_words_that_are_no_number_of_the_unit_are_not_read(written: str, unit: str) -> None:
    assert verifier.lire_nombre(written, unit).valeur is None


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("2017, pas 2023", 2017),
        ("2023 et non 2017", 2023),
        ("ce n'est pas 4 mais 5", 5),
        ("27 sans les 2 lignes vides", 27),
        ("294 n'ont qu'1 ligne", 294),
        ("12 en 2025", 12),
        ("entre 2019 et 2025, 12 de plus", 12),
        ("5 sur les 8 communes", 5),
        ("854k", 854_000),
        ("114 mille 805 euros", 114_805),
        ("11/30", 11),
        ("19 SIRET qui n'ont pas 14 chiffres", 19),
        ("11 codes à 3 chiffres", 11),
        ("moins 12,5", -12.5),
        ("au moins 12", 12),
    ],
)
def test_a_number_beside_another_is_set_aside(written: str, number: float) -> None:
    assert verifier.lire_nombre(written).valeur == (number,)


@pytest.mark.parametrize(
    "written",
    [
        2017,
        "2017",
        "1er janvier 2017",
        "01/2017",
        "01/01/2017",
        pd.Timestamp("2017-01-01"),
        "en 2017",
    ],
)
def test_a_year_may_be_that_of_a_date(written: Any) -> None:
    lecture = verifier.lire_nombre(written, "année")
    assert lecture.valeur == (2017,)
    assert lecture.message == "Réponse lue : 2017."


@pytest.mark.parametrize(
    "written", ["pas 2017", "ni 4 ni 5", "pas cinq", "jamais 14", "n'est pas égal à 12"]
)
def test_a_number_ruled_out_is_not_an_answer(written: str) -> None:
    lecture = verifier.lire_nombre(written)
    assert lecture.valeur is None
    assert "écarte un nombre" in lecture.message


@pytest.mark.parametrize(
    ("written", "share"),
    [
        ("+23 %", 23),
        ("une hausse de 23 %", 23),
        ("23 % de plus", 23),
        ("au moins 23 %", 23),
        ("pas de baisse : +23 %", 23),
        ("elles ont augmenté de 23 % malgré la chute de 2020", 23),
        ("après la chute de 2020, une hausse de 23 %", 23),
        ("après la baisse de 2020, 23 %", 23),
        ("23 % malgré la baisse de 2020", 23),
        ("23 % (recul en 2020)", 23),
        ("23 %, pas une baisse", 23),
        ("23 % de baisse", -23),
        ("elles ont baissé, de 2019 à 2025, de 23 %", -23),
        ("– 23 %", -23),
        ("23 pour 100", 23),
        ("baisse de 23 %", -23),
        ("moins 23 %", -23),
        ("23 % de moins", -23),
        ("elles ont diminué de vingt-trois pour cent", -23),
    ],
)
def test_a_fall_is_negative_where_a_rise_is_asked(written: str, share: float) -> None:
    question = verifier.Nombre("r", "%", espace={"r": written}, hausse=True)
    assert question.comprendre().valeur == (share,)
    assert float(question.noter(2, attendu=23)) == (2 if share > 0 else 0)
    if not re.search("moins [0-9]|–", written):
        assert verifier.lire_nombre(written, "%").valeur == (23,)


@pytest.mark.parametrize(
    "written",
    [
        pd.Timestamp("2026-01-01") - pd.Timestamp("2025-12-18"),
        np.datetime64("2026-01-01") - np.datetime64("2025-12-18"),
        pd.Series(pd.to_datetime(["2026-01-01"])) - pd.Timestamp("2025-12-18"),
        pd.Timedelta(days=14).to_pytimedelta(),
        "14 days 00:00:00",
    ],
    ids=_name,
)
def test_a_difference_of_dates_is_a_number_of_days(written: Any) -> None:
    assert verifier.lire_nombre(verifier._unwrap(written), "jours").valeur == (14,)
    other = verifier.Nombre("r", "habitants", espace={"r": written}).comprendre()
    assert other.valeur is None
    assert isinstance(written, str) or "On demande des habitants" in other.message


def test_a_dot_before_three_digits_has_two_readings_and_both_are_said() -> None:
    lecture = verifier.lire_nombre("1.960", "habitants")
    assert lecture.valeur == (1960, 1.96)
    assert "« 1.960 » se lit de deux façons : 1 960 ou 1,96" in plain(lecture.message)
    for expected in (1960, 1.96):
        question = verifier.Nombre("r", espace={"r": "1.960"})
        assert float(question.noter(2, attendu=expected, tolerance=0.001)) == 2
    lecture = verifier.lire_nombre(f"{1960:,}", "habitants")
    assert lecture.valeur == (1960, 1.96)
    assert "se lit de deux façons" in lecture.message
    assert verifier.lire_nombre("82,258", "%").valeur == (82.258,)
    assert verifier.lire_nombre("82.258", "%").valeur == (82.258,)
    assert verifier.lire_nombre("0.960").valeur == (0.96,)


@given(st.integers(0, 10**9), st.integers(0, 9), st.sampled_from([" ", "\u00a0", "\u202f", ""]))
def test_french_writing_of_any_number_is_read_back(whole: int, tenth: int, space: str) -> None:
    written = f"{whole:,}".replace(",", space) + f",{tenth}"
    assert verifier.lire_nombre(written + " habitants").valeur == (
        pytest.approx(whole + tenth / 10),
    )


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_any_float_is_read_as_itself(number: float) -> None:
    assert verifier.lire_nombre(number).valeur == (number,)
    assert verifier.lire_nombre(np.float64(number)).valeur == (number,)


ANYTHING = st.one_of(
    st.text(),
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.complex_numbers(),
    st.binary(),
    st.lists(st.one_of(st.text(), st.integers(), st.none())),
    st.dictionaries(st.text(), st.one_of(st.text(), st.floats(), st.none())),
    st.frozensets(st.integers()),
    st.tuples(st.integers(), st.integers()),
)


@given(ANYTHING)
def test_no_answer_breaks_a_reader(answer: Any) -> None:
    space = {"r": answer}
    for question in (
        verifier.Nombre("r", "habitants", espace=space),
        verifier.Nombre("r", "%", espace=space),
        verifier.Choix("r", "ABCDE", espace=space),
        verifier.Classement("r", ELEMENTS, espace=space),
        verifier.Association("r", "ABCD", CHOICES, espace=space),
    ):
        message = question.comprendre().message
        assert message.startswith(("Réponse lue", "Réponse non comprise", "Pas encore", "«"))


@given(st.floats(0, 1e6), ANYTHING)
def test_points_stay_between_zero_and_the_maximum(expected: float, answer: Any) -> None:
    mistakes = [verifier.Erreur(expected + 1, "indice", points=9)]
    question = verifier.Nombre("r", espace={"r": answer})
    assert 0 <= float(question.noter(2, expected, mistakes, tolerance=0.5)) <= 2


@pytest.mark.parametrize(
    ("written", "letter"),
    [
        ("B", "B"),
        ("b", "B"),
        (" b)", "B"),
        ("(B)", "B"),
        ("réponse B", "B"),
        ("Réponse : b.", "B"),
        ("la b", "B"),
        ("option B", "B"),
        ("À mon avis, c'est B", "B"),
        ("c'est la B !", "B"),
        ("B. La moyenne baisse à peine", "B"),
        ("B - il y a moins d'habitants", "B"),
        ("il y a B", "B"),
        ("d", "D"),
        ("D'après moi, D", "D"),
        (["B"], "B"),
        ({"B"}, "B"),
        ({"réponse": "B"}, "B"),
        ("a", "A"),
        ("a) la moyenne baisse", "A"),
        ("réponse a", "A"),
        ("C'est la a.", "A"),
        (np.array(["B"]), "B"),
    ],
    ids=_name,
)
def test_a_choice_is_read_as_a_person_would(written: Any, letter: str) -> None:
    lecture = verifier.Choix("r", "ABCDE", espace={"r": written}).comprendre()
    assert lecture.valeur == letter


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("A ou B", "plusieurs lettres"),
        ("A ou b", "plusieurs lettres"),
        ("A, B", "plusieurs lettres"),
        ("AB", "n'est pas une lettre proposée"),
        ("F", "n'est pas une lettre proposée"),
        ("la moyenne", "n'est pas une lettre proposée"),
        ("la moyenne a perdu", "n'est pas une lettre proposée"),
        ("il y a du changement", "n'est pas une lettre proposée"),
        ("pas A", "écarte une lettre"),
        (2, "de A à E"),
        (["A", "B"], "de A à E"),
        (False, "Vrai ou Faux"),
    ],
    ids=_name,
)
def test_what_is_not_a_choice_gets_a_french_hint(written: Any, said: str) -> None:
    lecture = verifier.Choix("r", "ABCDE", espace={"r": written}).comprendre()
    assert lecture.valeur is None
    assert said in lecture.message


@pytest.mark.parametrize(
    "written",
    [
        ["B", "A", "C"],
        ("b", "a", "c"),
        "B, A, C",
        "b ; a ; c",
        "B < A < C",
        "B<A<C",
        "B ≤ A ≤ C",
        "C > A > B",
        "B -> A -> C",
        "B => A => C",
        "B = 278 < A = 733 < C = 1960",
        "B (278), A (733), C (1960)",
        "d'abord B, puis A et enfin C",
        "B plus petit que A plus petit que C",
        "C plus grand que A plus grand que B",
        "B – A – C",
        "B & A & C",
        "B, A, C (du plus petit au plus grand)",
        {1: "B", 2: "A", 3: "C"},
        {"B": 1, "A": 2, "C": 3},
        "B → A → C",
        "B puis A puis C",
        "B, puis A, puis C",
        "B, A et C",
        "B A C",
        "bac",
        "BAC",
        "B-A-C",
        "1) B 2) A 3) C",
        "1. la médiane du département 2. la moyenne du département 3. moyenne France",
        "B\nA\nC",
        "[B, A, C]",
        "la médiane du département, moyenne departement, la moyenne en France",
        np.array(["B", "A", "C"]),
        pd.Index(["B", "A", "C"]),
        pd.Series(["B", "A", "C"]),
        pd.Series({"A": 733.4, "B": 278, "C": 1960}),
        [("B", 278), ("A", 733), ("C", 1960)],
        "médiane dép. < moyenne dép. < moyenne nationale",
        [" b ", "a.", "C"],
    ],
    ids=_name,
)
def test_a_ranking_is_read_as_a_person_would(written: Any) -> None:
    lecture = verifier.Classement("r", ELEMENTS, espace={"r": written}).comprendre()
    assert lecture.valeur == ("B", "A", "C"), lecture.message


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("A, B", "il manque C"),
        (["A", "A", "B"], "il manque C"),
        (["A", "B", "C", "C"], "deux fois"),
        ("A, B, D", "n'est pas dans la liste"),
        ({"A", "B", "C"}, "ne gardent pas l'ordre"),
        ("A < B > C", "un seul signe"),
        ([278, 459, 733], "n'est pas dans la liste"),
        (3, "A, B, C dans votre ordre"),
        (True, "A, B, C dans votre ordre"),
        ("A = B < C", "ont le signe ="),
    ],
    ids=_name,
)
def test_what_is_not_a_ranking_gets_a_french_hint(written: Any, said: str) -> None:
    lecture = verifier.Classement("r", ELEMENTS, espace={"r": written}).comprendre()
    assert lecture.valeur is None
    assert said in lecture.message


def test_a_listed_swap_keeps_half_unless_it_says_otherwise() -> None:
    for points, kept in ((None, 1), (0, 0), (0.5, 0.5)):
        question = verifier.Classement("r", ELEMENTS, espace={"r": "BAC"})
        listed = verifier.Erreur(("B", "A", "C"), "indice", points)
        assert float(question.noter(2, attendu=("A", "B", "C"), erreurs=[listed])) == kept


TEXTS = {
    "A": "La moyenne perd moins de 150 habitants, la médiane aussi.",
    "B": "La médiane perd plus d'habitants que la moyenne.",
    "C": "Licence Ouverte 2.0. Mise à jour chaque année.",
    "D": "Licence Ouverte 3.0. Mise à jour chaque année.",
}


@pytest.mark.parametrize(
    ("written", "letter"),
    [
        (TEXTS["A"].upper(), "A"),
        ("la mediane perd plus d'habitants que la moyenne", "B"),
        ("La médianne perd plus d'habitant que la moyenne", "B"),
        ("La moyenne perd moins de 150 habitants", "A"),
        ("Licence Ouverte 3.0", "D"),
        ("A car B compte mal", "A"),
        ("C'est la B parce que la A est fausse", "B"),
        ("A : faux, B : vrai", "B"),
        ("B et pas A", "B"),
        ("plutôt B que A", "B"),
        ("ni A ni B", None),
        ("B : non", None),
        ("La moyenne gagne moins de 150 habitants, la médiane aussi.", None),
        ("La médiane perd moins d'habitants que la moyenne", None),
        ("Mise à jour chaque année", None),
        ("Licence Ouverte 4.0. Mise à jour chaque année.", None),
        ("A ou B", None),
    ],
)
def test_a_choice_is_read_by_the_text_of_its_option(written: str, letter: str | None) -> None:
    assert verifier.Choix("r", TEXTS, espace={"r": written}).comprendre().valeur == letter


def test_a_swap_of_neighbours_earns_half() -> None:
    for written, points in (("A B C", 2), ("B A C", 1), ("C B A", 0), ("B C A", 0)):
        question = verifier.Classement("r", ELEMENTS, espace={"r": written})
        assert float(question.noter(2, attendu=("A", "B", "C"))) == points


@pytest.mark.parametrize(
    "written",
    [
        {"A": "médiane", "B": "moyenne pondérée"},
        {"a": "LA MEDIANE", "b": "la moyenne ponderee"},
        {"Question A": "la médiane.", "Question B": "pondérée"},
        {"A": "mediane", "B": "moyennes pondérées"},
        {"A": ["médiane"], "B": "Moyenne-pondérée"},
        ["médiane", "moyenne pondérée"],
        "A : médiane, B : moyenne pondérée",
        "A = médiane ; B = moyenne pondérée",
        "A: médiane\nB: moyenne pondérée",
        "A -> med B -> pondérée",
        "A médiane B moyenne pondérée",
        "médiane, moyenne pondérée",
        {"médiane": "A", "moyenne pondérée": "B"},
        {1: "médiane", 2: "pondérée"},
        {"A": "Médiane (50 %)", "B": "moyenne pondérée."},
        pd.Series({"A": "médiane", "B": "moyenne pondérée"}),
        pd.Series(["médiane", "moyenne pondérée"]),
        np.array(["médiane", "moyenne pondérée"]),
        pd.DataFrame({"A": ["médiane"], "B": ["moyenne pondérée"]}),
        {0: "médiane", 1: "moyenne pondérée"},
        [("A", "médiane"), ("B", "moyenne pondérée")],
        [{"A": "médiane"}, {"B": "moyenne pondérée"}],
        ["A : médiane", "B : moyenne pondérée"],
        "A. médiane B. moyenne pondérée",
        "1. médiane 2. moyenne pondérée",
        "médiane/moyenne pondérée",
        {"A": "médiane, car elle coupe en deux moitiés", "B": "moyenne pondérée (habitants)"},
        {"A": "la médiane des communes", "B": "moyenne pondérée par habitant"},
        {"A": "médiane, on ne demande pas autre chose", "B": "moyenne pondérée"},
    ],
    ids=_name,
)
def test_an_association_is_read_as_a_person_would(written: Any) -> None:
    lecture = verifier.Association("r", "AB", CHOICES, espace={"r": written}).comprendre()
    assert lecture.valeur == {"A": "médiane", "B": "moyenne pondérée"}, lecture.message


@pytest.mark.parametrize(
    "written",
    [
        "moyenne pas pondérée",
        "moyenne ou médiane",
        "pas la moyenne",
        "médiane, moyenne",
        "médiane, mais pas toujours",
        "médiane, sauf erreur",
    ],
)
def test_a_line_that_names_two_choices_or_rules_one_out_is_not_read(written: str) -> None:
    lecture = verifier.Association("r", "AB", CHOICES, espace={"r": {"A": written}}).comprendre()
    assert lecture.valeur is None
    assert "n'est pas un choix proposé" in lecture.message


def test_the_name_of_the_variable_is_read_with_tolerance() -> None:
    assert verifier.Nombre("reponse_1", espace={"Réponse_1": 12}).comprendre().valeur == (12,)
    assert verifier.Nombre("reponse_1", espace={"reponse_2": 12}).comprendre().valeur is None


def test_an_association_earns_points_line_by_line() -> None:
    expected = {"A": "médiane", "B": "total"}
    answer = {"A": "médiane", "B": "moyenne"}
    question = verifier.Association("r", "AB", CHOICES, espace={"r": answer})
    assert float(question.noter(4, attendu=expected)) == 2


def test_the_check_never_says_whether_the_value_is_right(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for value in ("733", "12"):
        verifier.Nombre("reponse_1", "habitants", espace={"reponse_1": value}).lire()
    first, second = capsys.readouterr().out.splitlines()
    assert first.replace("733", "12") == second


def test_messages_use_french_no_break_spaces(capsys: pytest.CaptureFixture[str]) -> None:
    verifier.Nombre("r", "%", espace={"r": 84.5}).lire()
    verifier.Choix("r", "AB", espace={"r": "x"}).lire()
    said = capsys.readouterr().out
    assert "Réponse lue\u00a0: 84,5\u202f%." in said
    assert "«\u00a0x\u00a0»" in said
    assert not re.search(r" [:;!?»%]|« ", said)


def test_a_table_is_read_once_and_each_copy_is_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verifier, "DATA", tmp_path)
    (tmp_path / "a.csv").write_text("code,nombre\n01,12\n02,\n", encoding="utf-8")
    first = verifier.table("a.csv", nombres=["nombre"])
    assert first["code"].tolist() == ["01", "02"]
    assert first["nombre"].sum() == 12
    first["code"] = "perdu"
    first.loc[:, "nombre"] = 0
    assert verifier.table("a.csv")["code"].tolist() == ["01", "02"]
    (tmp_path / "a.csv").write_text("code;nombre\né;3\n", encoding="latin-1")
    assert verifier.table("a.csv", sep=";", encoding="latin-1")["code"].tolist() == ["é"]


def test_points_are_shown_bare_whatever_the_display_settings() -> None:
    assert repr(verifier.Points(1.5) + verifier.Points(0.25)) == "1.75"
    assert repr(verifier.Points(2)) == "2"


def test_a_warning_while_reading_does_not_reach_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    class Loud:
        def __float__(self) -> float:
            import warnings

            warnings.warn("bruyant", stacklevel=1)
            return 12.0

    question = verifier.Nombre("r", espace={"r": Loud()})
    question.lire()
    assert float(question.noter(2, attendu=12)) == 2
    assert capsys.readouterr().err == ""
