"""A build that finds anything wrong stops, says it, and leaves the site as it was."""

import json
import os
import re
import shutil
import time
from collections.abc import Callable
from datetime import date
from html import unescape
from pathlib import Path

import pytest

from culture_d.book.checks import before_build
from culture_d.book.rendering import _SOURCE, with_warning
from culture_d.catalogue import load_dataset
from culture_d.curriculum import load_curriculum, modules
from culture_d.errors import BookError, CultureDError
from culture_d.figures import badge
from culture_d.project import Project
from culture_d.site import build, inputs_fingerprint, is_fresh

MODULE = "notebooks/comprendre/moyenne-mediane"


def _replace(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def _no_notebook(course: Project) -> None:
    (course.root / f"{MODULE}.ipynb").unlink()


def _unknown_notebook(course: Project) -> None:
    shutil.copy(course.root / f"{MODULE}.ipynb", course.notebooks / "comprendre" / "intrus.ipynb")


def _not_in_contents(course: Project) -> None:
    _replace(course.toc, f"      - file: {MODULE}\n", "      - file: book/parcours\n")


def _no_exercise(course: Project) -> None:
    shutil.rmtree(course.exercises / "source" / "moyenne-mediane")


def _exercise_not_said(course: Project) -> None:
    _replace(course.curriculum, "exercise: true", "exercise: false")


def _dataset_not_said(course: Project) -> None:
    _replace(course.curriculum, "datasets: [communes, departements]", "datasets: [communes]")


def _repeated(course: Project) -> None:
    _replace(course.curriculum, "slug: formats", "slug: interoperabilite")


def _unknown_key(course: Project) -> None:
    _replace(course.curriculum, "minutes: 25\n", "minutes: 25\n        durée: 25\n")


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
        (_repeated, "répète un module : interoperabilite"),
        (_unknown_key, "mal formé.*durée"),
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


def test_a_warning_stops_the_build_and_leaves_the_site(course: Project) -> None:
    site = course.site
    site.mkdir(parents=True)
    (site / "index.html").write_text("le site d'avant")
    page = course.book / "parcours.md"
    page.write_text(page.read_text(encoding="utf-8") + "\n[nulle part](absent.md)\n")
    stages = []
    with pytest.raises(BookError, match=r"parcours\.md.*absent\.md"):
        build(course, lambda stage, percent: stages.append((stage, percent)))
    assert (site / "index.html").read_text() == "le site d'avant"
    assert [path.name for path in course.build.iterdir()] == ["html"]
    assert ("Lecture des pages", 100) in stages


def test_nothing_is_executed_by_the_build(site: Path) -> None:
    """The build leaves the notebooks' own outputs: no kernel ran, no cache was made."""
    assert not list(site.parent.rglob("*.db"))
    assert not (site.parent / ".jupyter_cache").exists()


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


def test_planned_modules_are_shown_as_planned(site: Path, project: Project) -> None:
    page = (site / "book" / "parcours.html").read_text(encoding="utf-8")
    every = modules(load_curriculum(project))
    assert len(every) == 31
    assert page.count('class="cd-prevu"') == sum(not module.published for module in every)
    for module in every:
        linked = f'href="../{module.document}.html"' in page
        assert linked == module.published, module.slug


def test_the_catalogue_page_says_what_the_manifests_say(site: Path, project: Project) -> None:
    page = unescape((site / "book" / "catalogue.html").read_text(encoding="utf-8"))
    for folder in project.datasets.iterdir():
        dataset = load_dataset(folder)
        for words in (dataset.title, dataset.vintage, dataset.licence):
            assert words in page


def test_the_status_page_lists_every_notebook(site: Path) -> None:
    page = (site / "book" / "etat.html").read_text(encoding="utf-8")
    assert "moyenne-mediane" in page
    assert "pandas 3." in page
    assert "31 décembre 2026" in page


def test_expired_data_are_flagged_on_the_day_after(project: Project) -> None:
    html = badge(load_dataset(project.datasets / "communes"))
    match = _SOURCE.search(html)
    assert match
    assert "expiré" not in with_warning(match, date(2026, 12, 31))
    assert "ces données ont expiré le 31 décembre 2026" in with_warning(match, date(2027, 1, 1))
