"""A build that finds anything wrong stops, says it, and leaves the site as it was."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from culture_d.badge import badge
from culture_d.book.checks import before_build
from culture_d.book.rendering import with_warnings
from culture_d.catalogue import load_dataset
from culture_d.curriculum import load_curriculum, modules
from culture_d.errors import BookError, CultureDError
from culture_d.french import date_longue, typeset
from culture_d.notebooks import outputs
from culture_d.project import Project
from culture_d.site import PACKAGE, Progress, build, inputs_fingerprint, is_fresh

MODULE = "notebooks/comprendre/moyenne-mediane"


def _edit(path: Path, change: Callable[[Any], None]) -> None:
    """Change a YAML file, whatever the way it is laid out."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(content)
    path.write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")


def _edit_module(course: Project, **changes: Any) -> None:
    """Change the entry of MODULE in the map."""

    def change(content: Any) -> None:
        every = [module for part in content["parts"] for module in part["modules"]]
        next(module for module in every if module["slug"] == "moyenne-mediane").update(changes)

    _edit(course.curriculum, change)


def _no_notebook(course: Project) -> None:
    (course.root / f"{MODULE}.ipynb").unlink()


def _unknown_notebook(course: Project) -> None:
    shutil.copy(course.root / f"{MODULE}.ipynb", course.notebooks / "comprendre" / "intrus.ipynb")


def _not_in_contents(course: Project) -> None:
    def change(content: Any) -> None:
        for part in content["parts"]:
            part["chapters"] = [one for one in part["chapters"] if one["file"] != MODULE]

    _edit(course.toc, change)


def _no_exercise(course: Project) -> None:
    shutil.rmtree(course.exercises / "source" / "moyenne-mediane")


def _exercise_not_said(course: Project) -> None:
    _edit_module(course, exercise=False)


def _dataset_not_said(course: Project) -> None:
    _edit_module(course, datasets=["communes"])


def _repeated(course: Project) -> None:
    def change(content: Any) -> None:
        content["parts"][-1]["modules"][-1]["slug"] = "moyenne-mediane"

    _edit(course.curriculum, change)


def _unknown_key(course: Project) -> None:
    _edit_module(course, durée=25)


def _text_for_a_module(course: Project) -> None:
    _edit(course.curriculum, lambda content: content["parts"][0]["modules"].append("formats"))


def _text_for_minutes(course: Project) -> None:
    _edit_module(course, minutes="vingt")


def _first_not_ready(course: Project) -> None:
    _edit(course.curriculum, lambda content: content.update(first="deliberation"))


def _no_parts(course: Project) -> None:
    course.curriculum.write_text("parts:\n")


def _not_utf8(course: Project) -> None:
    text = course.curriculum.read_text(encoding="utf-8")
    course.curriculum.write_text(text, encoding="latin-1", errors="replace")


def _not_yaml(course: Project) -> None:
    course.curriculum.write_text("parts: [\n")


def _no_contents(course: Project) -> None:
    course.toc.unlink()


def _contents_of_text(course: Project) -> None:
    course.toc.write_text("parts:\n- chapters: [texte]\n")


def _truncated_data(course: Project) -> None:
    path = course.datasets / "communes" / "communes.csv"
    path.write_bytes(path.read_bytes()[:5000])


def _figure_without_words(course: Project) -> None:
    path = course.root / f"{MODULE}.ipynb"
    path.write_text(re.sub(r'"alt": ".*?",\n', "", path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_no_notebook, "mais pas dans les carnets.*moyenne-mediane"),
        (_unknown_notebook, "mais pas dans les modules publiés.*intrus"),
        (_not_in_contents, "mais pas dans « _toc.yml ».*moyenne-mediane"),
        (_no_exercise, "mais pas dans les carnets de « exercises/source/ ».*moyenne-mediane"),
        (_exercise_not_said, "mais pas dans les exercices annoncés.*moyenne-mediane"),
        (_dataset_not_said, "mais pas dans les données citées.*departements"),
        (_first_not_ready, "« first: deliberation » ne nomme pas un module publié.*Écrivez"),
        (_repeated, "répète un module : moyenne-mediane.*Gardez"),
        (_unknown_key, "mal formé : module « moyenne-mediane », clé inconnue : durée.*Corrigez"),
        (_text_for_a_module, r"mal formé : « formats » n'est pas une suite de « clé: valeur »"),
        (_text_for_minutes, "mal formé.*« minutes » est un nombre entier"),
        (_no_parts, "mal formé : il y faut une liste « parts »"),
        (_not_utf8, r"curriculum\.yml » est mal formé : il n'est pas en UTF-8"),
        (_not_yaml, "mal formé : ce n'est pas du YAML, ligne 2"),
        (_no_contents, r"_toc\.yml » est introuvable"),
        (_contents_of_text, r"_toc\.yml » est mal formé : « texte »"),
        (_truncated_data, r"communes\.csv » a changé ou est tronqué"),
        (_figure_without_words, "moyenne-mediane.*pas de texte de remplacement"),
    ],
)
def test_disagreement_is_said(
    course: Project, change: Callable[[Project], None], message: str
) -> None:
    before_build(course)
    change(course)
    with pytest.raises(CultureDError, match=message):
        before_build(course)


GOOD = """Laquelle ?
( ) La moyenne
    Non.
(x) La médiane
    Au milieu."""
QUIZZES_AT_FAULT = "\n".join(
    f"\n```{{quiz}} {name}\n{body}\n```\n"
    for name, body in (
        ("essai", GOOD.replace("    Au milieu.", "")),
        ("double", GOOD),
        ("double", GOOD),
    )
)


def test_a_build_names_every_fault_and_leaves_the_site(course: Project) -> None:
    """A link to nowhere, a bad question, two quizzes of one name: one build says all."""
    site = course.site
    site.mkdir(parents=True)
    (site / "index.html").write_text("le site d'avant")
    page = course.book / "parcours.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n[nulle part](absent.md)\n")
    page = course.book / "a-propos.md"
    page.write_text(page.read_text(encoding="utf-8") + QUIZZES_AT_FAULT, encoding="utf-8")
    stages = []
    with pytest.raises(BookError) as refusal:
        build(course, lambda stage, percent: stages.append((stage, percent)))
    said = unescape(str(refusal.value))
    assert re.search(r"parcours\.md.*absent\.md", said)
    assert "a-propos.md" in said
    assert "Page « book/a-propos »" in said
    assert "« La médiane » n'a pas d'explication" in said
    assert "deux quiz s'appellent « double »" in said
    assert (site / "index.html").read_text() == "le site d'avant"
    assert [path.name for path in course.build.iterdir()] == ["html"]
    assert ("Lecture des pages", 100) in stages


def test_nothing_is_executed_by_the_build(variant: Project, project: Project) -> None:
    """A notebook that would stop any kernel, its stored outputs kept, is built as it is."""
    for settings in (variant.root / "_config.yml", project.root / "_config.yml"):
        content = yaml.safe_load(settings.read_text(encoding="utf-8"))
        assert content["execute"]["execute_notebooks"] == "off"
    path = variant.root / f"{MODULE}.ipynb"
    shown = outputs(nbformat.read(project.root / f"{MODULE}.ipynb", as_version=4))
    assert outputs(nbformat.read(path, as_version=4)) == shown
    page = unescape((variant.site / f"{MODULE}.html").read_text(encoding="utf-8"))
    assert "SystemExit" in page
    page = page.replace('<p class="cd-source">Les chiffres du module', "")  # the card's own
    assert page.count("cd-source") == json.dumps(shown).count("cd-source") > 0


@pytest.fixture
def fast(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Path], None]], None]:
    """Put a function in the place of Jupyter Book, of the checks and of the audit."""

    def install(write: Callable[[Path], None]) -> None:
        def fake(project: Project, work: Path, report: Progress) -> None:
            pages = work / "_build" / "html"
            pages.mkdir(parents=True)
            write(pages)

        monkeypatch.setattr("culture_d.site._run_jupyter_book", fake)
        monkeypatch.setattr("culture_d.book.checks.before_build", lambda project: None)
        monkeypatch.setattr("culture_d.book.audit.audit", lambda site: None)

    return install


def test_two_builds_at_once_do_not_meet(
    course: Project, fast: Callable[[Callable[[Path], None]], None]
) -> None:
    turns = []

    def write(pages: Path) -> None:
        turns.append(pages)
        if len(turns) == 1:
            build(course)  # another one, begun and ended meanwhile
            assert (course.site / "index.html").read_text() == "2"
        (pages / "index.html").write_text(str(3 - len(turns) if pages == turns[0] else 2))

    fast(write)
    assert (build(course) / "index.html").read_text() == "1"
    assert is_fresh(course)
    assert {path.name for path in course.build.iterdir()} == {"html", "site.json", "site.lock"}


@pytest.mark.parametrize("stop", [BookError("défaut"), KeyboardInterrupt()])
def test_a_build_cut_short_leaves_nothing(
    course: Project,
    fast: Callable[[Callable[[Path], None]], None],
    monkeypatch: pytest.MonkeyPatch,
    stop: BaseException,
) -> None:
    def fail(site: Path) -> None:
        raise stop

    fast(lambda pages: None)
    monkeypatch.setattr("culture_d.book.audit.audit", fail)
    with pytest.raises(type(stop)):
        build(course)
    assert list(course.build.iterdir()) == []


def test_a_file_changed_during_the_build_makes_it_stale(
    course: Project, fast: Callable[[Callable[[Path], None]], None]
) -> None:
    def write(pages: Path) -> None:
        (pages / "index.html").write_text("")
        (course.book / "accueil.md").write_text("# Autre")

    fast(write)
    build(course)
    assert not is_fresh(course)


def test_the_builder_speaks_utf8_whatever_the_machine(
    course: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = ("PYTHONUTF8", "PYTHONIOENCODING", "LC_ALL")
    program = (
        "import os, sys; print('WARNING', "
        f"*(os.environ.get(name) for name in {variables}), flush=True); "
        "sys.stdout.buffer.write(b'ERROR \\xe9\\n'); sys.exit(1)"
    )
    monkeypatch.setenv("LC_ALL", "C")
    monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    monkeypatch.setattr("culture_d.site.JUPYTER_BOOK", program)
    monkeypatch.setattr("culture_d.book.checks.before_build", lambda project: None)
    with pytest.raises(BookError, match=r"WARNING 1 utf-8 C\.UTF-8\n.*ERROR \ufffd"):
        build(course)


def test_freshness_follows_the_files(course: Project) -> None:
    assert not is_fresh(course)
    course.site.mkdir(parents=True)
    (course.site / "index.html").write_text("")
    stamp = {"inputs": inputs_fingerprint(course)}
    (course.build / "site.json").write_text(json.dumps(stamp))
    assert is_fresh(course)
    later = time.time() + 10
    os.utime(course.book / "accueil.md", (later, later))
    assert not is_fresh(course)


@pytest.mark.parametrize("name", ["exercises/source/moyenne-mediane/n.txt", "requirements.lock"])
def test_freshness_follows_what_a_page_is_made_from(course: Project, name: str) -> None:
    before = inputs_fingerprint(course)
    (course.root / name).write_text("autre")
    assert inputs_fingerprint(course) != before


def test_freshness_follows_the_package_wherever_it_is(
    course: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert not PACKAGE.is_relative_to(course.root)
    package = tmp_path / "ailleurs" / "culture_d"
    package.mkdir(parents=True)
    monkeypatch.setattr("culture_d.site.PACKAGE", package)
    before = inputs_fingerprint(course)
    (package / "site.py").write_text("autre")
    assert inputs_fingerprint(course) != before


def test_planned_modules_are_shown_as_planned(site: Path, project: Project) -> None:
    page = (site / "book" / "parcours.html").read_text(encoding="utf-8")
    every = modules(load_curriculum(project))
    assert page.count('class="cd-prevu"') == sum(not module.published for module in every)
    for module in every:
        linked = f'href="../{module.document}.html"' in page
        assert linked == module.published, module.slug


def test_the_catalogue_page_says_what_the_manifests_say(site: Path, project: Project) -> None:
    page = unescape((site / "book" / "catalogue.html").read_text(encoding="utf-8"))
    for folder in project.datasets.iterdir():
        dataset = load_dataset(folder)
        for words in (dataset.title, dataset.vintage, dataset.licence):
            assert words in page or typeset(words) in page


def test_the_status_page_lists_every_notebook(site: Path) -> None:
    page = (site / "book" / "etat.html").read_text(encoding="utf-8")
    assert "moyenne-mediane" in page
    assert "pandas 3." in page
    assert "31 décembre 2026" in page


def test_expired_data_are_flagged_on_the_day_after(project: Project) -> None:
    dataset = load_dataset(project.datasets / "communes")
    html, last = badge(dataset), dataset.valid_until
    assert with_warnings(html, last) == html
    said = f"ces données ont expiré le {date_longue(last)}"
    assert said in with_warnings(html, last + timedelta(days=1))
