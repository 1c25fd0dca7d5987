"""The paths of the map: what a contributor can get wrong is refused, in French."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from culture_d.book.checks import before_build
from culture_d.curriculum import load_paths
from culture_d.errors import CurriculumError
from culture_d.project import Project

Change = Callable[[dict[str, Any]], Any]


def test_every_time_path_holds_in_its_budget(project: Project) -> None:
    """Recomputed from the file itself."""
    content = yaml.safe_load(project.curriculum.read_text(encoding="utf-8"))
    minutes = {
        module["slug"]: module["minutes"] for part in content["parts"] for module in part["modules"]
    }
    timed = [path for path in content["paths"] if path["kind"] == "time"]
    assert [path["budget"] for path in timed] == [20, 60, 180]
    for path in timed:
        assert sum(minutes[step["slug"]] for step in path["steps"]) <= path["budget"], path["id"]
    assert {path["id"] for path in content["paths"] if path["kind"] == "role"} == {
        "petite-commune",
        "ville",
        "intercommunalite",
        "agent",
    }


def test_a_path_knows_what_is_ready(project: Project) -> None:
    for path in load_paths(project):
        assert {step.module.slug for step in path.ready} == {
            step.module.slug for step in path.steps if step.module.published
        }
        assert len(path.ready) + len(path.planned) == len(path.steps)


def _time(content: dict[str, Any]) -> dict[str, Any]:
    path: dict[str, Any] = content["paths"][1]
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.pop("paths"), "il y faut une liste « paths »"),
        (lambda c: _time(c).update(kind="humeur"), "« kind » est l'un de : time, role"),
        (lambda c: _time(c).pop("kind"), "« une-heure », il y faut un texte « kind »"),
        (lambda c: _time(c).update(id="vingt-minutes"), "le même « id » : vingt-minutes"),
        (lambda c: _time(c).update(id='"><b>'), "minuscules, chiffres et tirets"),
        (lambda c: _time(c).update(titre="x"), "« une-heure », clé inconnue : titre"),
        (lambda c: _time(c).update(steps=[]), "ne cite aucun module"),
        (lambda c: _time(c).update(steps="tous"), "il y faut une liste « steps »"),
        (lambda c: _time(c)["steps"][0].update(slug="inconnu"), "« inconnu », qui n'est dans"),
        (lambda c: _time(c)["steps"][0].pop("reason"), "il y faut un texte « reason »"),
        (lambda c: _time(c)["steps"][0].update(note="x"), "clé inconnue : note"),
        (lambda c: _time(c)["steps"].append("formats"), "« formats » n'est pas une suite"),
        (
            lambda c: _time(c)["steps"].append(_time(c)["steps"][0]),
            "deux fois le même module : moyenne-mediane",
        ),
        (lambda c: _time(c).update(budget=44), "durent 45 minutes, pour 44 au plus"),
        (lambda c: _time(c).update(budget="60"), "« budget » est un nombre entier de minutes"),
        (lambda c: _time(c).update(budget=True), "« budget » est un nombre entier de minutes"),
        (lambda c: _time(c).pop("budget"), "« budget » est un nombre entier de minutes"),
        (lambda c: c["paths"][-1].update(budget=60), "n'existe que si « kind » est « time »"),
        (lambda c: c["paths"].append("soir"), "il y faut une liste « steps »"),
    ],
)
def test_a_faulty_path_is_refused(map_only: Project, change: Change, message: str) -> None:
    load_paths(map_only)
    _break(map_only, change)
    with pytest.raises(CurriculumError) as refusal:
        load_paths(map_only)
    assert message in str(refusal.value) and "curriculum.yml" in str(refusal.value)


def test_a_faulty_path_stops_the_build(course: Project) -> None:
    before_build(course)
    _break(course, lambda content: _time(content).update(budget=44))
    with pytest.raises(CurriculumError, match="durent 45 minutes"):
        before_build(course)


def _break(course: Project, change: Change) -> None:
    content = yaml.safe_load(course.curriculum.read_text(encoding="utf-8"))
    change(content)
    course.curriculum.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
