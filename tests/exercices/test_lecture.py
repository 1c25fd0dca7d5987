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
        ("mille neuf cent soixante", "en chiffres"),
        ("entre 1 900 et 2 000", "plusieurs nombres"),
        ("565413/771", "plusieurs nombres"),
        ("733 ou 734 habitants", "plusieurs nombres"),
        ("mes_communes['population'].mean()", "ôtez les guillemets"),
        (object(), "il faut un nombre"),
        (10**400, "ne se lit pas (OverflowError)"),
        ("733 %", "est un pourcentage. On demande des habitants"),
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
    ],
    ids=_name,
)
def test_an_association_is_read_as_a_person_would(written: Any) -> None:
    lecture = verifier.Association("r", "AB", CHOICES, espace={"r": written}).comprendre()
    assert lecture.valeur == {"A": "médiane", "B": "moyenne pondérée"}, lecture.message


@pytest.mark.parametrize(
    "written", ["moyenne pas pondérée", "moyenne ou médiane", "pas la moyenne", "médiane, moyenne"]
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
