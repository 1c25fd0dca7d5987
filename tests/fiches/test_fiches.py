"""Trainers' sheets: whole, timed to the minute, and reached from their lesson."""

from collections.abc import Callable
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from culture_d.book.checks import before_build
from culture_d.curriculum import Module, load_curriculum, modules
from culture_d.errors import CultureDError, SheetError
from culture_d.project import Project
from culture_d.sheets import HEADINGS, check_script, check_sheets, read_script, sheet_path

MODULE = Module("essai", "comprendre", "Essai", "?", "", 10, True, 1, None, (), False)


def published(project: Project) -> list[Module]:
    return [module for module in modules(load_curriculum(project)) if module.published]


def test_every_published_module_has_its_sheet(project: Project) -> None:
    check_sheets(project)


def test_a_sheet_and_its_lesson_lead_to_each_other(project: Project, site: Path) -> None:
    for module in published(project):
        lesson = BeautifulSoup((site / f"{module.document}.html").read_text("utf-8"), "html.parser")
        link = lesson.find("a", string="Animer ce module")
        assert link and link["href"] == f"../../book/formateurs/{module.slug}.html"
        page = site / "book" / "formateurs" / f"{module.slug}.html"
        sheet = BeautifulSoup(page.read_text("utf-8"), "html.parser")
        assert sheet.select_one(f'main a[href="../../{module.document}.html"]'), module.slug
        index = (site / "book" / "formateurs" / "index.html").read_text("utf-8")
        assert f'href="{module.slug}.html"' in index


def test_the_script_on_the_page_sums_to_the_minutes_of_the_map(
    project: Project, site: Path
) -> None:
    for module in published(project):
        page = site / "book" / "formateurs" / f"{module.slug}.html"
        sheet = BeautifulSoup(page.read_text("utf-8"), "html.parser")
        clock = 0
        for cell in sheet.select("main table")[0].select("tbody th"):
            start, end = (int(words) for words in cell.get_text().split(" à "))
            assert start == clock < end
            clock = end
        assert clock == module.minutes


def test_a_script_reads_steps_and_what_follows_them() -> None:
    steps = read_script("4 min, exposé : lire\n6 min, activité : voter\n  puis compter\n")
    assert [(step.minutes, step.kind, step.text) for step in steps] == [
        (4, "exposé", "lire"),
        (6, "activité", "voter puis compter"),
    ]
    check_script(steps, MODULE)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("4 min, exposé : lire\n5 min, activité : voter", "dure 9\u00a0minutes"),
        ("10 min, activité : voter\n0 min, exposé : finir", "chaque étape a sa durée"),
        ("5 min, exposé : lire\n5 min, activité : voter", "55"),
        ("10 minutes de vote", "ne se lit pas"),
        ("10 min, pause : café", "ne se lit pas"),
    ],
)
def test_a_script_that_does_not_hold_is_refused(script: str, said: str) -> None:
    with pytest.raises(SheetError, match=said):
        check_script(read_script(script), MODULE)


def _forget(path: Path) -> None:
    path.unlink()


def _shorten(path: Path) -> None:
    text = path.read_text("utf-8").replace(f"## {HEADINGS[5]}\n", "")
    path.write_text(text, encoding="utf-8")


def _unlist(path: Path) -> None:
    toc = path.parents[2] / "_toc.yml"
    lines = toc.read_text("utf-8").splitlines(keepends=True)
    toc.write_text("".join(line for line in lines if path.stem not in line or "notebooks" in line))


def _orphan(path: Path) -> None:
    path.with_name("absent.md").write_text(path.read_text("utf-8"), encoding="utf-8")


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (_forget, "n'a pas de fiche de formation"),
        (_shorten, "doit avoir ces parties"),
        (_unlist, r"n'est pas dans « _toc\.yml »"),
        (_orphan, "ne va avec aucun module publié"),
    ],
)
def test_a_sheet_that_fails_the_course_stops_the_build(
    course: Project, break_it: Callable[[Path], None], said: str
) -> None:
    break_it(sheet_path(course, "moyenne-mediane"))
    with pytest.raises(CultureDError, match=said):
        before_build(course)
