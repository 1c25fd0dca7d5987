"""The sessions: composed from the sheets, exact to the minute, mostly activity."""

import re
from collections.abc import Callable
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
import yaml
from bs4 import BeautifulSoup

from culture_d.curriculum import Module, load_curriculum, load_paths, modules
from culture_d.errors import SheetError
from culture_d.french import pourcent
from culture_d.project import Project
from culture_d.sessions import clock, length, load_preparation, load_sessions, sessions_path
from culture_d.sheets import module_script, sheet_path, sheet_sections

Content = dict[str, Any]
WORDS = {20: "vingt", 25: "vingt-cinq"}
SHORT = {"six": 6, "onze": 11}
SESSIONS = ("une-heure", "demi-journee", "deux-jours")


def page(site: Path, name: str) -> BeautifulSoup:
    path = site / "book" / "formateurs" / "seances" / f"{name}.html"
    return BeautifulSoup(path.read_text("utf-8"), "html.parser")


def rows(site: Path, name: str) -> list[list[list[str]]]:
    """The rows of each stretch of the script, as the page shows them."""
    return [
        [
            [cell.get_text() for cell in row.select("th, td")]
            for row in section.select("table tbody tr")
        ]
        for section in page(site, name).select('main section[id^="partie-"]')
    ]


def minute(hour: str) -> int:
    hours, minutes = hour.split("h")
    return int(hours) * 60 + int(minutes)


@pytest.mark.parametrize(("name", "minutes"), list(zip(SESSIONS, (60, 180, 720), strict=True)))
def test_the_page_s_minutes_follow_and_add_up(site: Path, name: str, minutes: int) -> None:
    """Read from the page itself: each step begins where the one before it ends."""
    total = active = resting = 0
    for table in rows(site, name):
        now = minute(table[0][0])
        for start, lasts, kind, _ in table:
            assert minute(start) == now, start
            now += int(lasts.split()[0])
            total += int(lasts.split()[0])
            active += int(lasts.split()[0]) * (kind == "activité")
            resting += int(lasts.split()[0]) * (kind == "pause")
    assert total == minutes
    # Even of the whole time, breaks included.
    assert active / total >= 0.55
    assert f"soit {pourcent(active / total)} du temps" in page(site, name).get_text()
    if minutes > 60:
        assert resting >= minutes // 12


@pytest.mark.parametrize("name", SESSIONS)
def test_each_step_of_a_sheet_is_in_the_session(project: Project, site: Path, name: str) -> None:
    session = next(one for one in load_sessions(project) if one.id == name)
    shown = [row[3] for table in rows(site, name) for row in table]
    for module in session.modules:
        sheet = BeautifulSoup(
            (site / f"book/formateurs/{module.slug}.html").read_text("utf-8"), "html.parser"
        )
        steps = [
            row.select("td")[1].get_text()
            for row in sheet.select("main table")[0].select("tbody tr")
        ]
        place = shown.index(steps[0])
        assert shown[place : place + len(steps)] == steps


def test_each_session_welcomes_has_each_half_day_signed_and_ends_with_the_evaluation(
    project: Project,
) -> None:
    for session in load_sessions(project):
        texts = [one.text for block in session.blocks for one in block.moments]
        assert texts[0].startswith("Accueillez") and "émargement" in texts[0]
        assert any("évaluation" in text for text in texts[-2:])
        for stretch in session.stretches:
            assert "émargement" in stretch.blocks[0].moments[0].text, stretch.title


def test_a_session_says_how_it_differs_from_the_learner_s_path(
    project: Project, site: Path
) -> None:
    paths = {path.id: path for path in load_paths(project)}
    for session in load_sessions(project):
        path = paths[session.path.id]
        text = page(site, session.id).get_text()
        left_out = {step.module for step in path.steps} - set(session.modules)
        for module in left_out:
            assert re.search(rf"laisse de côté.*«\s{re.escape(module.title)}\s»", text), module.slug
        assert bool(left_out) == ("laisse de côté" in text)


def test_an_exercise_takes_the_time_that_its_notebook_says(project: Project) -> None:
    for session in load_sessions(project):
        for block in session.blocks:
            if block.module and block.title.startswith("Exercice"):
                notebook = (project.root / f"{block.module.document}.ipynb").read_text("utf-8")
                assert f"Comptez {WORDS[block.minutes]} minutes" in notebook, block.title


def test_an_hour_is_prepared_in_forty_five_minutes(project: Project, site: Path) -> None:
    found = load_preparation(project)
    assert sum(minutes for minutes, _ in found.steps) == found.minutes == 45
    table = page(site, found.session).select("main table")[-1]
    cells = [cell.get_text() for cell in table.select("tbody th")]
    assert cells[0].startswith("0 à") and cells[-1].endswith("à 45")


def _minutes_to_read(site: Path, documents: list[str], doing: float, more: int = 0) -> float:
    """Minutes for a careful reader, 200 words each, a third of a minute to find each file.

    What the list says to skip, what is folded and the tools are not read.
    """
    words = more
    for document in documents:
        main = BeautifulSoup((site / f"{document}.html").read_text("utf-8"), "html.parser").main
        assert main
        skipped = "details, script, style, nav, .cd-explorable, .cd-source, .cd-lexique"
        for one in main.select(
            f"{skipped}, #les-donnees, #verifiez-vous, #pour-aller-plus-loin, #deroule"
        ):
            one.decompose()
        words += len(re.findall(r"\w[\w’'-]*", main.get_text(" ")))
    return words / 200 + len(documents) / 3 + doing


LESSON = "notebooks/comprendre/"
SHEET = "book/formateurs/"
# A bet, the tool, the figures: two minutes and a half in a lesson.
READ = {
    "Suivez la leçon": ([LESSON + "moyenne-mediane"], 2.5),
    "Dans le menu": ([LESSON + "bonnes-questions"], 2.5),
    "Lisez « 2-fiches": ([SHEET + "moyenne-mediane", SHEET + "bonnes-questions"], 0.0),
}


@pytest.mark.parametrize("line", list(READ))
def test_a_line_leaves_the_time_to_read_what_it_names(
    project: Project, site: Path, line: str
) -> None:
    promised = next(minutes for minutes, text in load_preparation(project).steps if line in text)
    documents, doing = READ[line]
    assert 0.7 * promised < _minutes_to_read(site, documents, doing) <= promised
    assert _minutes_to_read(site, documents, doing, more=500) > promised


def test_what_replaces_the_tool_lasts_whole_steps(project: Project) -> None:
    """« De la minute 4 à la minute 15 » : steps of the script begin and end there."""
    for slug in ("moyenne-mediane", "bonnes-questions"):
        ends = list(
            accumulate(step.minutes for step in module_script(project, _module(project, slug)))
        )
        said = sheet_sections(project, slug)["Sans ordinateur"]
        found = re.search(r"Comptez (\w+) minutes, de la minute (\d+) à la minute (\d+)", said)
        assert found, slug
        begin, end = int(found[2]), int(found[3])
        assert begin in ends and end in ends and SHORT[found[1]] == end - begin


def _module(project: Project, slug: str) -> Module:
    return next(one for one in modules(load_curriculum(project)) if one.slug == slug)


def _longer_module(course: Project) -> None:
    """A module whose map and sheet both grow: each is right alone, the sessions are not."""
    sheet, curriculum = sheet_path(course, "bonnes-questions"), course.curriculum
    text = sheet.read_text("utf-8").replace("6 min, activité", "11 min, activité")
    sheet.write_text(text, "utf-8")
    text = curriculum.read_text("utf-8")
    place = text.index("minutes: 25", text.index("slug: bonnes-questions"))
    curriculum.write_text(text[:place] + "minutes: 30" + text[place + 11 :], "utf-8")


def _edit(change: Callable[[Content], None]) -> Callable[[Project], None]:
    def edit(course: Project) -> None:
        path = sessions_path(course)
        content = yaml.safe_load(path.read_text("utf-8"))
        change(content)
        path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")

    return edit


def _first(content: Content) -> Content:
    found: Content = content["sessions"][0]["parts"][0]
    return found


BROKEN: list[tuple[Callable[[Content], object], str]] = [
    (lambda all_: _first(all_)["steps"].pop(), "dure 56"),
    (lambda all_: _first(all_)["steps"][1].update(module="formats"), "dure 65"),
    (lambda all_: _first(all_)["steps"][0].update(kind="bavardage"), "kind"),
    (lambda all_: _first(all_)["steps"][0].update(minutes=4.5), "nombre entier"),
    (lambda all_: _first(all_)["steps"].append({"module": "election"}), "module publié"),
    (lambda all_: _first(all_).update(start="25:00"), "heure"),
    (lambda all_: all_["sessions"][0].update(path="ailleurs"), "parcours"),
]


@pytest.mark.parametrize(("change", "said"), BROKEN)
def test_a_session_that_does_not_hold_is_refused(
    course: Project,
    change: Callable[[Content], None],
    said: str,
) -> None:
    _edit(change)(course)
    with pytest.raises(SheetError, match=said):
        load_sessions(course)


def test_too_much_talk_is_refused(course: Project) -> None:
    def talk(content: Content) -> None:
        steps = _first(content)["steps"]
        steps[1:3] = [{"minutes": 45, "kind": "exposé", "text": "Parlez."}]

    _edit(talk)(course)
    with pytest.raises(SheetError, match="d'activité, pour 55"):
        load_sessions(course)


def test_a_module_that_grows_stops_the_sessions_that_have_it(course: Project) -> None:
    _longer_module(course)
    with pytest.raises(SheetError, match="« une-heure » dure 65"):
        load_sessions(course)


def test_a_preparation_that_does_not_add_up_is_refused(course: Project) -> None:
    _edit(lambda content: content["preparation"]["steps"].pop())(course)
    with pytest.raises(SheetError, match="durent 42"):
        load_preparation(course)


@pytest.mark.parametrize(
    ("minutes", "hour", "words"),
    [(545, "9 h 05", "9 heures 05"), (60, "1 h 00", "1 heure"), (45, "0 h 45", "45 minutes")],
)
def test_hours_and_lengths_read_in_french(minutes: int, hour: str, words: str) -> None:
    assert clock(minutes).replace("\u00a0", " ") == hour
    assert length(minutes).replace("\u00a0", " ") == words
