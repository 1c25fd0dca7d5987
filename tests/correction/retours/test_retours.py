"""Feedback pages: what they teach, what they never show, and that nothing runs in them."""

import base64
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook
from playwright.sync_api import Browser, Page

from culture_d import exercises
from culture_d.errors import FeedbackError
from culture_d.grading.class_report import class_report
from culture_d.grading.feedback import (
    Lesson,
    feedback_page,
    lateness,
    learner_page,
    lesson_of,
    refusal_page,
    write_feedback,
)
from culture_d.grading.inert import make_inert, read_executed
from culture_d.grading.model import Assignment, Refusal
from culture_d.grading.outputs import CUT, WITHHELD
from culture_d.grading.questions import outline
from culture_d.grading.results import Result, result_of
from culture_d.project import Project

SLUG = "moyenne-mediane"
HEAVIEST = 60_000
NOTES = ["La cellule « test-2 » était en double : nous avons gardé la dernière."]
RUNS = "window.lance = 1"
LEARNERS = ("alix", "bruno", "chloe", "denis", "elise")

Change = Callable[[dict[str, Any]], None]


@cache
def read_once(db_url: str, learner: str) -> Result:
    return result_of(db_url, SLUG, learner)


def page_of(graded: Any, learner: str, change: Change | None = None, **named: Any) -> str:
    """Make the page of a learner, with one thing changed in the executed notebook."""
    if change:
        plan, result = outline(graded.assignment), read_once(graded.db_url, learner)
        done = changed(graded, learner, change)
        return learner_page(plan, result, done, named.pop("notes", ()), **named)
    notes = named.pop("notes", ())
    done = graded.autograded(learner)
    return feedback_page(graded.db_url, graded.assignment, learner, done, notes, **named)


def changed(graded: Any, learner: str, change: Change) -> dict[str, bytes]:
    notebook = nbformat.reads(graded.autograded(learner)[SLUG].decode(), as_version=4)
    cells = {c.metadata.get("nbgrader", {}).get("grade_id", c.id): c for c in notebook.cells}
    cells["*"] = notebook
    change(cells)
    return {SLUG: nbformat.writes(notebook).encode()}


def words(markup: str) -> str:
    soup = BeautifulSoup(markup, "html.parser")
    for tag in soup(["style", "title"]):
        tag.decompose()
    return re.sub(r"\s+", " ", soup.get_text(" "))


def question(markup: str, start: str) -> str:
    """Give the words of one question's section."""
    soup = BeautifulSoup(markup, "html.parser")
    heading = next(h for h in soup("h2") if h.get_text().startswith(start))
    section = heading.find_parent("section")
    assert section is not None
    return re.sub(r"\s+", " ", section.get_text(" "))


def shows(*outputs: Any, cell: str = "reponse-3") -> Change:
    """Have a cell display these instead of what it displayed."""

    def change(cells: dict[str, Any]) -> None:
        cells[cell].outputs = list(outputs)

    return change


def html_output(markup: str) -> Any:
    return new_output("display_data", {"text/html": markup, "text/plain": "le texte"})


def printed(text: str) -> Any:
    return new_output("stream", name="stdout", text=text)


# What it says


def test_the_total_and_each_question_are_said_in_words(graded: Any) -> None:
    page = page_of(graded, "bruno")
    said = words(page)
    assert "4,5 sur 16 pour l’instant" in said
    assert "L’exercice est noté sur 20. 4 points sont en attente de relecture" in said
    for start, points in {
        "Question 1": "0 sur 2 points aucun point",
        "Question 2": "2 sur 4 points une partie des points",
        "Question 4": "1,5 sur 3 points une partie des points",
        "Question 6": "À venir, sur 4 points en attente de relecture",
    }.items():
        assert points in question(page, start)
    assert "2 sur 2 points tous les points" in question(page_of(graded, "alix"), "Question 1")


def test_the_hint_of_the_mistake_is_beside_what_was_read(graded: Any) -> None:
    page = page_of(graded, "bruno")
    assert (
        "reponse_1 Réponse lue : 278 habitants. 0 sur 2. "
        "C’est la médiane : la commune du milieu. On demande la moyenne."
    ) in question(page, "Question 1")
    fifth = BeautifulSoup(page, "html.parser").find(id="question-6")
    assert fifth is not None
    section = fifth.find_parent("section")
    assert section is not None
    assert [item.get_text()[:7] for item in section.select(".indice li")] == [
        "Ligne A",
        "Ligne C",
        "Ligne D",
    ]


def test_the_answer_is_shown_as_it_was_written(graded: Any) -> None:
    page = BeautifulSoup(page_of(graded, "bruno"), "html.parser")
    codes = [code.get_text() for code in page.select("pre code")]
    assert 'reponse_2a = 278\nreponse_2b = "17,5 %"' in codes
    text = page.select_one(".texte")
    assert text is not None
    assert "**huit communes sur dix**" in text.get_text()


def test_a_person_s_points_and_comment_are_shown(graded: Any) -> None:
    page = page_of(graded, "alix")
    assert "19,5 sur 20" in words(page)
    assert "pour l’instant" not in words(page)
    sixth = question(page, "Question 6")
    assert "3,5 sur 4 points" in sixth
    assert "Commentaire de la personne qui a relu Vous citez la médiane : bien." in sixth


def test_extra_points_and_a_second_reading_are_said(graded: Any) -> None:
    with Gradebook(graded.db_url) as book:
        grade = book.find_grade("reponse-6", SLUG, SLUG, "alix")
        grade.extra_credit, grade.needs_manual_grade = 0.5, True
        book.db.commit()
    try:
        sixth = question(page_of(graded, "alix"), "Question 6")
        assert "4 sur 4 points" in sixth
        assert "Dont 0,5 en plus" in sixth
        assert "Cette note sera confirmée" in sixth
    finally:
        with Gradebook(graded.db_url) as book:
            grade = book.find_grade("reponse-6", SLUG, SLUG, "alix")
            grade.extra_credit, grade.needs_manual_grade = None, False
            book.db.commit()


def test_lateness_is_said_with_what_it_costs(graded: Any) -> None:
    said = words(page_of(graded, "chloe"))
    assert (
        "rendu ce devoir 1 jour et 12 heures après la date limite : 2 points sont retirés" in said
    )
    assert "12 sur 16" in said
    assert lateness(59) == "1\u00a0minute"
    assert lateness(3 * 86400 + 3600 * 5 + 60) == "3\u00a0jours et 5\u00a0heures"


def test_what_was_not_answered_is_said(graded: Any) -> None:
    page = page_of(graded, "elise")
    assert "Vous n’avez pas répondu" in question(page, "Question 6")
    assert "Pas encore de réponse dans « reponse_3 »" in question(page, "Question 3")
    assert "2 sur 20" in words(page)


def test_what_was_repaired_is_said_and_only_as_text(graded: Any) -> None:
    page = page_of(graded, "bruno", notes=[*NOTES, f"<script>{RUNS}</script>"])
    assert "Ce que nous avons réparé ou remarqué La cellule « test-2 »" in words(page)
    assert f"<script>{RUNS}</script>" in words(page)
    assert BeautifulSoup(page, "html.parser")("script") == []
    assert "réparé" not in page_of(graded, "alix")


def test_what_to_do_next_names_questions_and_lesson(graded: Any, project: Project) -> None:
    lesson = lesson_of(project, SLUG)
    assert lesson == Lesson("Moyenne ou médiane")
    page = page_of(graded, "bruno", lesson=lesson)
    end = question(page, "Et maintenant")
    assert "Question 1. La moyenne Question 2" in end
    assert "relisez la leçon « Moyenne ou médiane », en particulier : Le piège" in end
    online = lesson_of(project, SLUG, "https://cours.exemple.fr/")
    address = "https://cours.exemple.fr/notebooks/comprendre/moyenne-mediane.html"
    assert f'href="{address}#le-piege"' in page_of(graded, "bruno", lesson=online)
    assert "Question 6" in question(page_of(graded, "alix"), "Et maintenant")
    assert lesson_of(project, "inconnu") is None


def test_every_lesson_has_the_parts_that_a_page_names(project: Project) -> None:
    from culture_d.curriculum import load_curriculum, modules
    from culture_d.grading.feedback import SECTIONS

    documents = {one.slug: one.document for one in modules(load_curriculum(project))}
    for slug in exercises.slugs_of(project):
        text = (project.root / f"{documents[slug]}.ipynb").read_text(encoding="utf-8")
        for section in SECTIONS.values():
            assert f"## {section}" in text


def test_an_error_is_explained_in_french(graded: Any) -> None:
    second = question(page_of(graded, "denis"), "Question 2")
    assert "Une division par zéro ne se calcule pas." in second
    assert "Ligne 1 : reponse_2a = 278 / 0 ZeroDivisionError : division by zero" in second
    assert "Traceback" not in second


def test_tables_and_figures_of_the_learner_are_there(graded: Any) -> None:
    page = BeautifulSoup(page_of(graded, "denis"), "html.parser")
    assert [cell.get_text() for cell in page.select(".brut thead th")][:2] == ["code", "nom"]
    assert all(header.get_text(strip=True) for header in page("th"))
    [image] = page("img")
    assert image["alt"]
    content = base64.b64decode(str(image["src"]).removeprefix("data:image/png;base64,"))
    assert content.startswith(b"\x89PNG")


def test_cells_that_the_learner_added_are_shown(graded: Any) -> None:
    def change(cells: dict[str, Any]) -> None:
        notebook = cells["*"]
        at = notebook.cells.index(cells["reponse-1"]) + 1
        notebook.cells.insert(at, new_code_cell("total = 565_000 / 771", outputs=[printed("733")]))

    first = question(page_of(graded, "alix", change), "Question 1")
    assert "Les cellules que vous avez ajoutées total = 565_000 / 771" in first


def test_a_shown_name_greets_the_learner(graded: Any) -> None:
    assert "Denis Leroy" in words(page_of(graded, "denis", shown_name="Denis Leroy"))
    assert "Bruno Petit" in words(page_of(graded, "bruno"))


# What it never shows


def hidden_lines(graded: Any) -> list[str]:
    notebook = nbformat.reads(graded.assignment.notebooks[SLUG].decode(), as_version=4)
    found = []
    for cell in notebook.cells:
        if "BEGIN HIDDEN TESTS" in cell.source:
            hidden = cell.source.split("### BEGIN HIDDEN TESTS")[1].split("### END")[0]
            found += [line.strip() for line in hidden.splitlines() if len(line.strip()) > 20]
    assert len(found) > 60
    return found


@pytest.mark.parametrize("learner", LEARNERS)
def test_no_hidden_test_nor_anyone_else_is_on_a_page(graded: Any, learner: str) -> None:
    page = words(page_of(graded, learner, notes=NOTES))
    for line in hidden_lines(graded):
        assert re.sub(r"\s+", " ", line) not in page
    for other in {*LEARNERS, "gaelle", "hugo", "Martin", "Petit", "Durand"} - {learner}:
        own = {"alix": "Martin", "bruno": "Petit", "chloe": "Durand"}.get(learner)
        assert other == own or not re.search(rf"\b{other}\b", page)
    for told in ("HIDDEN", "SOLUTION", "Barème", "attendu=", "Traceback", str(graded.root)):
        assert told not in page


def test_a_hidden_test_that_an_answer_printed_is_withheld(graded: Any) -> None:
    """Code of an answer can read the test cell that runs after it, and print it."""
    stolen = "\n".join(hidden_lines(graded)[:30])
    quoted = repr("question_3.noter(3, attendu=_juste)\n" + stolen)
    for change in (
        shows(printed(f"avant\n{stolen}\naprès")),
        shows(printed(quoted)),
        shows(printed(f"avant\n{stolen}\naprès"), cell="test-3"),
        shows(new_output("display_data", {"text/plain": stolen})),
        shows(html_output("<table><tr><td>" + stolen.replace("<", "&lt;") + "</td></tr></table>")),
        shows(new_output("error", ename="E", evalue=stolen, traceback=[])),
        shows(printed("reponse_3 – " + stolen.splitlines()[0]), cell="test-3"),
    ):
        page = words(page_of(graded, "alix", change))
        for line in stolen.splitlines():
            assert re.sub(r"\s+", " ", line) not in page
    assert WITHHELD in words(page_of(graded, "alix", shows(printed(stolen))))


TRACE = [
    "\x1b[31m-------\x1b[39m",
    "\x1b[31mAssertionError\x1b[39m  Traceback (most recent call last)",
    "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[7]\x1b[39m\x1b[32m, line 8\x1b[39m\n"
    '      6 _france = verifier.table("communes.csv", nombres=["population"])\n'
    '      7 _code = verifier.code_departement("mon_departement")\n'
    "\x1b[32m----> 8\x1b[39m assert _perte == 412.5, 'on attendait 412,5'\n",
    "\x1b[31mAssertionError\x1b[39m: on attendait 412,5",
]


def test_a_traceback_of_a_hidden_test_says_only_that_it_failed(graded: Any) -> None:
    error = new_output(
        "error", ename="AssertionError", evalue="on attendait 412,5", traceback=TRACE
    )
    third = question(page_of(graded, "bruno", shows(error, cell="test-3")), "Question 3")
    assert "Une vérification n’est pas passée" in third
    for told in ("412,5", "_perte", "verifier.table", "\x1b", "[31m"):
        assert told not in third


def test_a_missing_name_of_the_question_is_told_and_a_hidden_one_is_not(graded: Any) -> None:
    for name, told in (("reponse_3", True), ("_perte", False)):
        said = f"name '{name}' is not defined"
        error = new_output("error", ename="NameError", evalue=said, traceback=TRACE[:3])
        third = question(page_of(graded, "bruno", shows(error, cell="test-3")), "Question 3")
        assert (said in third) is told


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("File /tmp/ipykernel_12/3.py:4", "File …/3.py:4"),
        (f"/{'home'}/formateur/cours/communes.csv", "…/communes.csv"),
        (r"C:\Users\Jeanne\cours\communes.csv", "…/communes.csv"),
        (
            "et/ou 12/03/2024, https://www.insee.fr/fr/a",
            "et/ou 12/03/2024, https://www.insee.fr/fr/a",
        ),
        ("\x1b[31mrouge\x1b[0m et 10 %\r20 %\rfini", "fini"),
    ],
)
def test_no_path_and_no_colour_code_is_shown(graded: Any, text: str, kept: str) -> None:
    third = question(page_of(graded, "alix", shows(printed(text))), "Question 3")
    assert kept in third
    for told in ("/tmp/", f"/{'home'}/", "Users", "\x1b", "[31m"):
        assert told not in third


# What must not run

ACTIVE = [
    f"<script>{RUNS}</script>",
    f"<img src=x onerror='{RUNS}'>",
    f"<svg onload='{RUNS}'><script>{RUNS}</script></svg>",
    f"<table><tr><td onclick='{RUNS}' style='background:url(//x.fr)'>a</td></tr></table>",
    f"<table><tr><td><a href='javascript:{RUNS}'>a</a><iframe src=//x.fr></iframe></td></tr></table>",
    "<table><tr><td><img src='https://x.fr/a.png'><link rel=stylesheet href=//x.fr></td></tr></table>",
    "<table><style>body { display: none }</style><tr><td>a</td></tr></table>",
    "<meta http-equiv=refresh content='0;url=//x.fr'><base href=//x.fr>",
    "</pre></section></main></body><script>window.lance = 1</script>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=window.lance=1&gt;'>",
    "<table><tr><td><form action=//x.fr><input autofocus onfocus=window.lance=1></form></td></tr></table>",
]
MIMES: list[dict[str, str]] = [
    {"application/javascript": RUNS},
    {"image/svg+xml": f"<svg onload='{RUNS}'/>"},
    {"text/markdown": f"<script>{RUNS}</script> [a](javascript:{RUNS}) ![](https://x.fr/a.png)"},
    {"application/vnd.jupyter.widget-view+json": RUNS},
    {"image/png": base64.b64encode(f"<script>{RUNS}</script>".encode()).decode()},
    {"image/png": f'x" onerror="{RUNS}'},
    {"image/jpeg": "iVBORw0KGgo="},
    {"text/latex": f"\\href{{javascript:{RUNS}}}{{a}}"},
]
OUTPUTS = [
    *(html_output(markup) for markup in ACTIVE),
    *(printed(markup) for markup in ACTIVE),
    *(new_output("display_data", {"text/plain": "x", **data}) for data in MIMES),
    new_output("error", ename=ACTIVE[0], evalue=ACTIVE[1], traceback=ACTIVE),
    new_output("stream", name="stderr", text=ACTIVE[0]),
]


def assert_inert(page: str) -> None:
    soup = BeautifulSoup(page, "html.parser")
    assert soup(["script", "iframe", "object", "embed", "form", "link", "base", "input"]) == []
    assert len(soup("svg")) == 1  # the course's own mark
    assert len(soup("style")) == 1
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            assert not name.startswith("on")
            assert name != "style"
            if name == "href":
                assert str(value).startswith("#")
            if name == "src":
                assert str(value).startswith("data:image/png;base64,iVBOR")


@pytest.mark.parametrize("output", OUTPUTS, ids=range(len(OUTPUTS)))
def test_no_output_puts_anything_active_in_a_page(graded: Any, output: Any) -> None:
    for cell in ("reponse-3", "test-3", "questions-5"):
        assert_inert(page_of(graded, "alix", shows(output, cell=cell)))


@pytest.mark.parametrize("markup", ACTIVE, ids=range(len(ACTIVE)))
def test_no_text_of_the_learner_is_obeyed(graded: Any, markup: str) -> None:
    def change(cells: dict[str, Any]) -> None:
        for name in ("reponse-1", "reponse-6"):
            cells[name].source = markup
        cells["*"].cells.insert(9, new_markdown_cell(markup))
        cells["*"].metadata["title"] = markup

    page = page_of(graded, "alix", change, shown_name=markup)
    assert_inert(page)
    assert markup in BeautifulSoup(page, "html.parser").get_text()


def everything(cells: dict[str, Any]) -> None:
    cells["reponse-1"].outputs = list(OUTPUTS)
    cells["test-3"].outputs = list(OUTPUTS)
    cells["reponse-6"].source = "\n\n".join(ACTIVE)


def visit(page: Page, markup: str) -> tuple[Any, list[str]]:
    """Open a page in Chromium; return what ran, and what it asked for."""
    asked: list[str] = []

    def answer(route: Any, request: Any) -> None:
        if request.url == "http://essai.test/":
            route.fulfill(content_type="text/html; charset=utf-8", body=markup)
        elif not request.url.startswith("data:"):
            asked.append(request.url)
            route.abort()

    page.on("console", lambda message: asked.append(message.text))
    page.route("**/*", answer)
    page.goto("http://essai.test/")
    page.wait_for_timeout(200)
    found = page.evaluate("window.lance"), [one for one in asked if "favicon" not in one]
    page.unroute_all()
    return found


def test_in_chromium_nothing_ran_and_nothing_was_fetched(graded: Any, page: Page) -> None:
    assert visit(page, page_of(graded, "alix", everything)) == (None, [])


def test_without_the_cleaning_it_would_have_run(page: Page) -> None:
    """The gate, open: and shut again by the page's second lock alone."""
    ran, asked = visit(page, "<!DOCTYPE html>" + ACTIVE[0] + ACTIVE[5])
    assert ran == 1
    assert "https://x.fr/a.png" in asked
    head = refusal_page(Refusal("a", "b", "c")).split("</head>")[0]
    ran, asked = visit(page, f"{head}</head><body>{ACTIVE[0]}{ACTIVE[1]}{ACTIVE[5]}")
    assert ran is None
    assert not any(url.startswith("http") for url in asked)


def test_the_policy_allows_no_script_and_no_address(graded: Any) -> None:
    soup = BeautifulSoup(page_of(graded, "alix"), "html.parser")
    [policy] = soup.select("meta[http-equiv=Content-Security-Policy]")
    assert policy["content"] == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        "base-uri 'none'; form-action 'none'"
    )


# How it reads


# Each width and each theme in each run; each width in each theme with `long`.
SIZES = ((320, "light"), (390, "dark"), (1280, "light"))
OTHER_SIZES = ((390, "light"), (1280, "dark"))


@pytest.mark.parametrize("sizes", [SIZES, pytest.param(OTHER_SIZES, marks=pytest.mark.long)])
@pytest.mark.parametrize("learner", ["alix", "denis", "elise", "refus"])
def test_axe_finds_nothing(
    graded: Any,
    browser: Browser,
    tmp_path: Path,
    learner: str,
    sizes: tuple[tuple[int, str], ...],
) -> None:
    refusal = Refusal("gaelle", SLUG, "Votre fichier est vide. Rendez-le à nouveau.")
    path = tmp_path / "page.html"
    page = refusal_page(refusal) if learner == "refus" else page_of(graded, learner, notes=NOTES)
    path.write_text(page, encoding="utf-8")
    # axe is a script: only here is the page's own policy set aside.
    context = browser.new_context(bypass_csp=True)
    opened = context.new_page()
    for width, theme in sizes:
        opened.set_viewport_size({"width": width, "height": 900})
        opened.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        opened.goto(path.as_uri())
        report = Axe().run(opened)
        assert report.violations_count == 0, report.generate_report()
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.locator("h1").count() == 1
    assert opened.locator("html").get_attribute("lang") == "fr"
    opened.keyboard.press("Tab")
    assert opened.evaluate("document.activeElement.getAttribute('href')") == "#contenu"
    context.close()


def test_a_screen_reader_hears_the_mark_then_each_question_in_order(
    graded: Any, page: Page
) -> None:
    """The tree that the browser gives to assistive tools, read from its beginning."""
    page.set_content(page_of(graded, "alix", notes=NOTES))
    heard = page.locator("body").aria_snapshot().replace("\u00a0", " ").replace("\u202f", " ")
    expected = [
        'link "Aller au contenu"',
        "banner: Culture D",
        "main:",
        'heading "Sommes-nous une petite commune ?" [level=1]',
        "Alix Martin",
        'heading "Votre note" [level=2]',
        "19,5",
        "sur 20",
        'columnheader "Autrement dit"',
        'rowheader "Question 1. La moyenne"',
        'cell "2 sur 2"',
        'cell "tous les points"',
        'heading "Ce que nous avons réparé ou remarqué" [level=2]',
        'heading "Question 1. La moyenne" [level=2]',
        "2 sur 2 points",
        'heading "Ce que la vérification a compris" [level=3]',
        "Réponse lue",
        'heading "Votre réponse, comme vous l’avez écrite" [level=3]',
        'heading "Question 2. ',
        'heading "Question 6. ',
        "3,5 sur 4 points",
        'heading "Commentaire de la personne qui a relu" [level=3]',
        "Vous citez la médiane : bien.",
        'heading "Votre réponse, comme vous l’avez écrite" [level=3]',
        'heading "Et maintenant ?" [level=2]',
        'link "Question 6. ',
        "contentinfo",
    ]
    at = 0
    for words_heard in expected:
        found = heard.find(words_heard, at)
        assert found >= 0, f"{words_heard!r} manque après :\n{heard[max(at - 300, 0) : at]}"
        at = found + len(words_heard)
    # Every region, table, link and picture says what it is.
    lines = [line.strip(" -") for line in heard.splitlines()]
    unnamed = [line for line in lines if re.fullmatch(r"(region|table|link|img|figure):?", line)]
    assert unnamed == []


def test_headings_follow_one_another(graded: Any) -> None:
    soup = BeautifulSoup(page_of(graded, "denis", notes=NOTES), "html.parser")
    levels = [int(tag.name[1]) for tag in soup(re.compile(r"^h[1-6]$"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    identifiers = [tag["id"] for tag in soup.select("[id]")]
    assert len(identifiers) == len(set(identifiers))


@pytest.mark.parametrize("learner", LEARNERS)
def test_a_page_is_light(graded: Any, learner: str) -> None:
    page = re.sub(r"base64,[\w+/=]+", "", page_of(graded, learner))
    assert len(page.encode()) <= HEAVIEST / 2


def test_a_page_stays_light_whatever_was_displayed(graded: Any) -> None:
    def change(cells: dict[str, Any]) -> None:
        row = "<tr>" + "<td>donnée &amp; chiffre</td>" * 10 + "</tr>"
        for cell in cells.values():
            if cell.get("cell_type") == "code":
                before = list(cell.outputs)
                cell.outputs = [
                    printed("é<&" * 200_000 + "\n"),
                    html_output(f"<table>{row * 900}</table>"),
                ]
                cell.outputs += [html_output(f"<table>{row * 20}</table>")] * 50
                cell.outputs += before
                cell.outputs.append(printed("".join(f"x{n} – a\n" for n in range(9_000))))
        cells["reponse-6"].source = "mot " * 100_000

    page = page_of(graded, "alix", change)
    assert CUT in page
    assert len(page.encode()) <= HEAVIEST
    assert "Réponse lue : B." in words(page)


def test_it_prints_on_a4(graded: Any, page: Page, tmp_path: Path) -> None:
    page.set_content(page_of(graded, "bruno", notes=NOTES))
    refusal = Refusal("gaelle", SLUG, "Votre fichier est vide. Rendez-le à nouveau.")
    report = class_report(graded.db_url, graded.assignment, [refusal], (), graded.autograded)
    for text, most in (
        (page_of(graded, "bruno", notes=NOTES), 5),
        (refusal_page(refusal, "Sommes-nous une petite commune ?"), 1),
        (report, 4),
    ):
        page.set_content(text)
        pdf = page.pdf(prefer_css_page_size=True, tagged=True)
        assert 0 < pdf.count(b"/Type /Page\n") + pdf.count(b"/Type /Page ") <= most
        assert re.search(rb"/MediaBox \[0 0 59[45][.\d]* 84[12]", pdf)
        assert b"/StructTreeRoot" in pdf and b"/Lang (fr)" in pdf


def test_an_output_of_no_known_type_is_passed_over(graded: Any) -> None:
    import json

    odd: list[Any] = [
        {"output_type": "display_data", "data": {"text/plain": 5, "text/html": 3}},
        {"output_type": "stream", "name": "stdout", "text": 5},
        {"output_type": "stream", "name": "stdout", "text": "moitié \ud800 de signe"},
        {"output_type": "error", "traceback": [1], "ename": 3},
        None,
    ]
    notebook = json.loads(graded.autograded("alix")[SLUG])
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] += odd
    done = {SLUG: json.dumps(notebook).encode()}
    page = feedback_page(graded.db_url, graded.assignment, "alix", done, (), "A\ud800")
    assert "moitié ? de signe" in words(page)
    assert page.encode()


def test_a_refusal_says_what_to_do(graded: Any) -> None:
    page = refusal_page(Refusal("g", SLUG, "Votre fichier est vide <b>. Rendez-le !", "Gaëlle <i>"))
    said = words(page)
    assert "Votre fichier est vide <b>. Rendez-le !" in said
    assert "Gaëlle <i>" in said
    assert_inert(page)


# Where it is written


def test_pages_are_laid_out_as_nbgrader_does(graded: Any, tmp_path: Path) -> None:
    written = write_feedback(
        tmp_path, graded.db_url, graded.assignment, "alix", graded.autograded("alix"), NOTES
    )
    assert written == tmp_path / "alix" / SLUG / f"{SLUG}.html"
    assert stat.S_IMODE(written.stat().st_mode) == 0o644
    assert list(written.parent.iterdir()) == [written]
    assert written.read_text(encoding="utf-8") == page_of(graded, "alix", notes=NOTES)


def test_a_page_is_whole_or_as_it_was(
    graded: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = (
        tmp_path,
        graded.db_url,
        graded.assignment,
        "alix",
        graded.autograded("alix"),
        NOTES,
    )
    written = write_feedback(*arguments)
    before = written.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(FeedbackError, match=r"plus de place sur le disque.*relancez"):
        write_feedback(*arguments)
    assert written.read_bytes() == before
    assert list(written.parent.iterdir()) == [written]


@pytest.mark.parametrize("name", ["..", "a/b", "a\\b", ""])
def test_a_name_cannot_leave_the_folder(graded: Any, tmp_path: Path, name: str) -> None:
    with pytest.raises(FeedbackError, match="nom simple"):
        write_feedback(tmp_path / "f", graded.db_url, graded.assignment, name, {SLUG: b""}, ())
    assert not (tmp_path / "f").exists()


def test_what_is_missing_is_said_in_french(graded: Any) -> None:
    with pytest.raises(FeedbackError, match=r"rendu par « inconnue »"):
        feedback_page(graded.db_url, graded.assignment, "inconnue", {}, ())
    missing = f"sqlite:///{graded.root / 'absent.db'}"
    with pytest.raises(FeedbackError, match=r"« .*absent.db » est introuvable"):
        feedback_page(missing, graded.assignment, "alix", {}, ())
    assert not (graded.root / "absent.db").exists()
    for autograded in ({SLUG: b"{"}, {SLUG: b"\xff"}, {SLUG: b"[]"}):
        with pytest.raises(FeedbackError, match=r"ne se lit pas"):
            feedback_page(graded.db_url, graded.assignment, "alix", autograded, ())
    with pytest.raises(FeedbackError, match=r"« autre » manque"):
        feedback_page(graded.db_url, graded.assignment, "alix", {}, (), notebook="autre")


# Another course than ours: two notebooks, tests that assert, no word of French


def other_course(root: Path) -> tuple[str, Assignment, dict[str, bytes]]:
    db_url = f"sqlite:///{root / 'gradebook.db'}"
    test = (
        "assert squares(2) == [1, 4]\n### BEGIN HIDDEN TESTS\n"
        "assert squares(3) == [1, 4, 9]\n### END HIDDEN TESTS"
    )
    marks = [
        {"grade_id": "squares", "solution": True, "grade": False},
        {"grade_id": "test_squares", "solution": False, "grade": True, "points": 3},
    ]
    notebooks, done = {}, {}
    trace = ["AssertionError", "Cell In[2], line 2\n----> 2 assert squares(3) == [1, 4, 9]\n"]
    error = new_output("error", ename="AssertionError", evalue="", traceback=trace)
    for name in ("p1", "p2"):
        cells = [
            new_code_cell("def squares(n):\n    ...", metadata={"nbgrader": marks[0]}),
            new_code_cell(test, metadata={"nbgrader": marks[1]}),
        ]
        notebooks[name] = nbformat.writes(new_notebook(cells=cells)).encode()
        cells[0].source = f"def squares(n):\n    return [1, 4]  # {name}"
        cells[1].outputs = [error]
        done[name] = nbformat.writes(new_notebook(cells=cells)).encode()
    with exercises.nbgrader_tools(), Gradebook(db_url) as book:
        book.add_assignment("ps1")
        for name in ("p1", "p2"):
            book.add_notebook(name, "ps1")
            book.add_grade_cell("test_squares", name, "ps1", max_score=3, cell_type="code")
            book.add_solution_cell("squares", name, "ps1")
        book.add_student("ada")
        book.add_submission("ps1", "ada")
        for name, score in (("p1", 0), ("p2", 3)):
            grade = book.find_grade("test_squares", name, "ps1", "ada")
            grade.auto_score, grade.needs_manual_grade = score, False
        book.db.commit()
    return db_url, Assignment("ps1", b"", {}, notebooks), done


def test_another_course_with_two_notebooks_has_its_pages_too(tmp_path: Path) -> None:
    db_url, assignment, done = other_course(tmp_path)
    first = write_feedback(tmp_path / "feedback", db_url, assignment, "ada", done, ())
    assert first.name == "p1.html"
    assert sorted(path.name for path in first.parent.iterdir()) == ["p1.html", "p2.html"]
    page = words(first.read_text(encoding="utf-8"))
    assert "3 sur 6" in page
    assert "# p1" in page
    assert "# p2" not in page
    assert "Question 1 0 sur 3 points aucun point" in page
    assert "Une vérification n’est pas passée" in page
    assert "[1, 4, 9]" not in page
    whole = words(feedback_page(db_url, assignment, "ada", done, ()))
    assert "# p1" in whole
    assert "# p2" in whole
    half = words(feedback_page(db_url, assignment, "ada", {"p1": done["p1"]}, ()))
    assert "Le carnet « p2 » n’a pas été rendu : ses points comptent pour zéro." in half


def test_a_task_is_shown_without_its_mark_scheme_and_a_text_as_it_was_typed(tmp_path: Path) -> None:
    scheme = (
        "=== BEGIN MARK SCHEME ===\nDeux points, si la médiane est citée.\n=== END MARK SCHEME ==="
    )
    task = {"grade_id": "dessin", "task": True, "grade": False, "solution": False, "points": 2}
    free = {"grade_id": "avis", "task": False, "grade": True, "solution": True, "points": 2}
    typed = "Un <b onclick='x()'>avis</b>."
    db_url, assignment, done = other_course(tmp_path)
    cells = [
        new_markdown_cell(f"Dessinez.\n{scheme}\nPuis signez.", metadata={"nbgrader": task}),
        new_markdown_cell(typed, metadata={"nbgrader": free}),
    ]
    text = nbformat.writes(new_notebook(cells=cells)).encode()
    stored = read_executed(text)
    make_inert(stored)
    assert stored.cells[1].source != typed
    with exercises.nbgrader_tools(), Gradebook(db_url) as book:
        book.add_task_cell("dessin", "p2", "ps1", max_score=2, cell_type="markdown")
    ours = replace(assignment, notebooks={"p2": text})
    done = {"p2": nbformat.writes(stored).encode()}
    page = words(feedback_page(db_url, ours, "ada", done, (), notebook="p2"))
    assert "Dessinez. Puis signez." in page
    assert "médiane" not in page and "MARK SCHEME" not in page
    assert typed in page and "```" not in page


def test_the_marks_of_hidden_tests_are_those_of_the_course(tmp_path: Path) -> None:
    db_url, assignment, done = other_course(tmp_path)
    settings = {"begin_test_delimeter": "DEBUT CACHE", "end_test_delimeter": "FIN CACHE"}
    changed = {
        name: text.replace(b"BEGIN HIDDEN TESTS", b"DEBUT CACHE").replace(
            b"END HIDDEN TESTS", b"FIN CACHE"
        )
        for name, text in assignment.notebooks.items()
    }
    ours = replace(assignment, notebooks=changed, config={"ClearHiddenTests": settings})
    assert "[1, 4, 9]" not in feedback_page(db_url, ours, "ada", done, ())
    without = replace(assignment, notebooks=changed)
    assert "[1, 4, 9]" in feedback_page(db_url, without, "ada", done, ())
