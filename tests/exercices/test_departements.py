"""For each of the 100 départements with several communes, one answer and one only is right."""

import ast
import csv
import math
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median
from typing import Any

import nbformat
import pandas as pd
import pytest

from culture_d import exercises
from culture_d.grading import verifier
from culture_d.project import Project

ROOT = Path(__file__).resolve().parents[2]
SLUG = "moyenne-mediane"
SINGLE = "75"

with (ROOT / "datasets/communes/communes.csv").open(encoding="utf-8", newline="") as stream:
    ROWS = list(csv.DictReader(stream))
POPULATIONS: dict[str, list[int]] = {}
for row in ROWS:
    POPULATIONS.setdefault(row["departement"], []).append(int(row["population"]))
FRANCE = [int(row["population"]) for row in ROWS]
SEVERAL = sorted(set(POPULATIONS) - {SINGLE})

# Two ways to the same figure, to the precision asked: no harm to the learner.
# The hints of these mistakes may then not show; every other mistake differs everywhere.
MAY_COINCIDE = (
    "C'est la part pour toute la France",
    "Vous avez comparé à la moyenne de la France",
    "C'est une part des habitants",
    "Vous avez compté les communes de toute la France",
    "C'est la médiane divisée par la moyenne",
    "Le nombre de communes est pair",
)

Answers = dict[str, Any]
Grader = Callable[[str, Answers], float]


def expected(code: str) -> Answers:
    """Work the answers out again, from the CSV alone and without pandas."""
    here = sorted(POPULATIONS[code])
    mean, middle = fmean(here), median(here)
    loss, loss_of_median = mean - fmean(here[:-1]), middle - median(here[:-1])
    assert abs(loss - loss_of_median) > 1
    assert min(abs(loss - bound) for bound in (150, 400)) > 1
    letter = "D" if loss_of_median > loss else "A" if loss < 150 else "B" if loss < 400 else "C"
    figures = {"A": mean, "B": middle, "C": fmean(FRANCE), "D": median(FRANCE)}
    order = sorted(figures, key=lambda label: figures[label])
    gaps = [figures[after] - figures[before] for before, after in pairwise(order)]
    assert min(gaps) > 1
    return {
        "reponse_1": mean,
        "reponse_2a": middle,
        "reponse_2b": 100 * sum(value < mean for value in here) / len(here),
        "reponse_3": letter,
        "reponse_4": order,
    }


@pytest.fixture
def grade(
    project: Project, exercise_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str, Answers], float]:
    """Run one test cell of the source, hidden part included, on given answers."""
    monkeypatch.setattr(verifier, "DATA", exercise_folder / "donnees")
    communes = verifier.table("communes.csv", nombres=["population"])
    tables = {"communes.csv": communes, "departements.csv": verifier.table("departements.csv")}

    def cached(name: str, nombres: object = ()) -> pd.DataFrame:
        return tables[name].copy(deep=False)

    monkeypatch.setattr(verifier, "table", cached)
    monkeypatch.setitem(__import__("sys").modules, "verifier", verifier)
    notebook = nbformat.read(exercises.source_of(project, SLUG), as_version=4)
    cells = {cell.id: cell.source for cell in notebook.cells}

    def run(cell: str, code: str, answers: Answers) -> float:
        space = {"mon_departement": code, **answers}
        monkeypatch.setattr(verifier, "_lookup", lambda name, _: space.get(name, verifier._MISSING))
        tree = ast.parse(cells[cell])
        last = tree.body.pop()
        assert isinstance(last, ast.Expr)
        names: dict[str, Any] = {}
        exec(compile(tree, cell, "exec"), names)
        return float(eval(compile(ast.Expression(last.value), cell, "eval"), names))

    return run


def test_the_hundred_departements_are_there() -> None:
    assert len(SEVERAL) == 100
    assert len(POPULATIONS[SINGLE]) == 1


@pytest.mark.parametrize("code", SEVERAL)
def test_the_right_answers_earn_every_point_and_no_mistake_does(
    code: str,
    grade: Callable[[str, str, Answers], float],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = expected(code)
    seen: list[tuple[Any, verifier.Erreur, float]] = []
    mark = verifier.Question.noter

    def spy(self: Any, points: float, attendu: Any, erreurs: Any = (), tolerance: float = 0) -> Any:
        erreurs = list(erreurs)
        seen.extend((attendu, erreur, tolerance) for erreur in erreurs)
        return mark(self, points, attendu, erreurs, tolerance)

    monkeypatch.setattr(verifier.Question, "noter", spy)
    for cell, points in {"test-1": 2, "test-2": 4, "test-3": 3, "test-4": 3}.items():
        assert grade(cell, code, right) == points, cell
    for attendu, erreur, tolerance in seen:
        if isinstance(attendu, (int, float)):
            assert not math.isnan(float(erreur.valeur))
            if not erreur.indice.startswith(MAY_COINCIDE):
                assert not verifier._same(float(erreur.valeur), float(attendu), tolerance), erreur
        elif erreur.valeur == attendu:
            assert attendu in ("A", "B", "C", "D")


STATEMENTS = {
    "plus petite que la plupart": "médiane",
    "10 euros par habitant": "total",
    "Je choisis un habitant": "moyenne pondérée",
    "partagé à parts égales": "moyenne",
}


def test_the_questions_come_in_the_departements_own_order(
    grade: Callable[[str, str, Answers], float],
    project: Project,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notebook = nbformat.read(exercises.source_of(project, SLUG), as_version=4)
    source = next(cell.source for cell in notebook.cells if cell.id == "questions-5")
    orders = []
    for code in SEVERAL:
        space = {"mon_departement": code}
        monkeypatch.setattr(verifier, "_lookup", lambda name, _, at=space: at[name])
        capsys.readouterr()
        exec(source, {"verifier": verifier})
        lines = re.findall(r"^([A-D])\. (.*)$", capsys.readouterr().out, flags=re.MULTILINE)
        right = {
            letter: next(answer for words, answer in STATEMENTS.items() if words in text)
            for letter, text in lines
        }
        assert sorted(right) == ["A", "B", "C", "D"]
        assert grade("test-5", code, {"reponse_5": right}) == 4
        orders.append(tuple(right.values()))
    assert len(set(orders)) >= 20
    assert max(orders.count(one) for one in orders) <= 15


def test_without_a_departement_the_questions_wait(capsys: pytest.CaptureFixture[str]) -> None:
    verifier.enoncer("mon_departement", ["Une", "Deux"], espace={"mon_departement": ...})
    assert "Choisissez d'abord votre département" in capsys.readouterr().out


def test_answers_differ_from_one_departement_to_the_next() -> None:
    """A neighbour's answers do not help: numbers differ, choices and orders vary."""
    all_right = [expected(code) for code in SEVERAL]
    assert len({round(right["reponse_1"]) for right in all_right}) >= 98
    assert {right["reponse_3"] for right in all_right} == set("ABCD")
    assert len({"".join(right["reponse_4"]) for right in all_right}) >= 5


def test_examples_of_writing_answer_for_nobody(project: Project) -> None:
    notebook = nbformat.read(exercises.source_of(project, SLUG), as_version=4)
    told = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    examples = {
        name: re.findall(rf'{name} = "?(\d[\d ,]*)', told)
        for name in ("reponse_1", "reponse_2a", "reponse_2b")
    }
    assert all(examples.values())
    everyone = [expected(code) for code in SEVERAL]
    for name, written in examples.items():
        for value in (verifier.lire_nombre(text).valeur[0] for text in written):
            assert all(abs(value - right[name]) > 1 for right in everyone)
    assert "1\u202f960" in told
    assert round(fmean(FRANCE)) == 1960


def test_examples_of_letters_earn_nothing_anywhere(
    project: Project, grade: Callable[[str, str, Answers], float]
) -> None:
    """Neither the example of the question nor the words of the visible check."""
    notebook = nbformat.read(exercises.source_of(project, SLUG), as_version=4)
    told = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    choice, order = (
        re.findall(rf'{name} = "([^"]*)"', told) for name in ("reponse_3", "reponse_4")
    )
    assert len(choice) == len(order) == 1
    refusal = verifier.lire_classement("?", dict.fromkeys("ABCD", "")).message
    assert "<" in refusal and not re.search("[A-D] < [A-D]", refusal)
    everyone = {code: expected(code) for code in SEVERAL}
    one_of_each = {
        (right["reponse_3"], *right["reponse_4"]): code for code, right in everyone.items()
    }
    assert len(one_of_each) >= 10
    for code in one_of_each.values():
        assert grade("test-3", code, {"reponse_3": choice[0]}) == 0
        assert grade("test-4", code, {"reponse_4": order[0]}) == 0


@pytest.mark.parametrize("code", ["92", "974"])
def test_one_of_the_two_middle_communes_earns_half(
    code: str, grade: Callable[[str, str, Answers], float], capsys: pytest.CaptureFixture[str]
) -> None:
    here = sorted(POPULATIONS[code])
    assert len(here) % 2 == 0
    for rank in (len(here) // 2 - 1, len(here) // 2):
        assert grade("test-2", code, {"reponse_2a": here[rank]}) == 1
        assert "Le nombre de communes est pair" in capsys.readouterr().out


def test_without_a_usable_departement_nothing_is_marked_and_it_is_said(
    grade: Callable[[str, str, Answers], float], capsys: pytest.CaptureFixture[str]
) -> None:
    for code in ("75", "", "20"):
        for cell in ("test-1", "test-2", "test-3", "test-4"):
            assert grade(cell, code, expected("80")) == 0
            assert "Choisissez d'abord un département" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("80", "80"),
        (" 80 ", "80"),
        (80, "80"),
        (80.0, "80"),
        (1, "01"),
        ("1", "01"),
        ("2a", "2A"),
        ("2 A", "2A"),
        ("974", "974"),
        (974, "974"),
        ("Somme", "80"),
        ("la somme", "80"),
        ("SOMME (80)", "80"),
        ("80 - Somme", "80"),
        ("département de la Somme", "80"),
        ("dept 80", "80"),
        ("080", "80"),
        ("001", "01"),
        ("80.0", "80"),
        ("Val d'Oise", "95"),
        ("val d’oise", "95"),
        ("Côte d'Or", "21"),
        ("cote-d'or", "21"),
        ("La Réunion", "974"),
        ("Alpes de Haute Provence", "04"),
        (["80"], "80"),
        ("« 80 »", "80"),
        ("(80)", "80"),
        ("le 80", "80"),
        ("n° 80", "80"),
        ("dpt 80", "80"),
        ("８０", "80"),
        ("02A", "2A"),
        ("1 - Ain", "01"),
        ("dans l'Ain", "01"),
        ("Corse-du-Sud (Ajaccio)", "2A"),
        ("île de la Réunion", "974"),
        ("Seine-St-Denis", "93"),
    ],
    ids=repr,
)
def test_a_departement_is_read_as_a_person_would(written: Any, code: str, data: Path) -> None:
    assert verifier.code_departement("d", {"d": written}) == code


def test_a_code_that_lost_its_zero_is_accepted_and_explained(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verifier.choisir_departement("d", {"d": 1}) == "01"
    assert 'mettez des guillemets, "01"' in capsys.readouterr().out
    assert verifier.choisir_departement("d", {"d": "1"}) == "01"
    assert "avec le zéro" in capsys.readouterr().out


def test_the_name_of_every_departement_is_accepted(data: Path) -> None:
    names = dict(verifier.table("departements.csv")[["code", "nom"]].to_numpy().tolist())
    assert len(names) == 101
    for code, name in names.items():
        assert verifier._departement_code(name.upper(), names) == code
