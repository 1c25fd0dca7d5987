"""What every test may ask for: the course, a browser, the built site."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import nbformat
import pytest
import yaml
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

from culture_d import chromium
from culture_d.curriculum import load_paths
from culture_d.project import Project
from culture_d.serve import ADDRESS, make_server
from culture_d.site import build, is_fresh
from culture_d.skeleton import create_module
from tests.quiz.essai import PAGE as QUIZZES

ROOT = Path(__file__).resolve().parents[1]
# What takes long to make, once for the session: the tests that use it go to one process.
SHARED = {
    "variant": "variante",
    "made": "livret",
    "archive": "cle",
    "released": "livraison",
    "small_course": "correction",
    "slides_file": "diapositives",
    "kit_archive": "kit",
    "similar": "communes",
    "package": "jeux",
    "graded": "retours",
}


def pytest_xdist_auto_num_workers() -> int:
    """One process more than processors: a test of a page waits a fifth of its time."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put in one group of xdist the tests that share something long to make."""
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        for fixture, group in SHARED.items():
            if fixture in used and item.get_closest_marker("xdist_group") is None:
                item.add_marker(pytest.mark.xdist_group(group))


@pytest.fixture(scope="session")
def project() -> Project:
    """The course of this checkout."""
    return Project(ROOT)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One headless Chromium for the session."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium.ensure(), args=list(chromium.ARGUMENTS)
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site(project: Project) -> Path:
    """The built pages, built here if they are not up to date."""
    project.build.mkdir(exist_ok=True)
    with FileLock(project.build / "tests.lock"):
        if not is_fresh(project):
            build(project)
    return project.site


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    """The site served on the loopback address, without a final slash."""
    with make_server(site, port=0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{ADDRESS}:{server.server_port}"
        server.shutdown()


@pytest.fixture
def course(project: Project, tmp_path: Path) -> Project:
    """A copy of the course's own files, to break."""
    return copied(project, tmp_path / "cours")


@pytest.fixture(scope="session")
def variant(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of the course changed in several ways, built once for all the tests of them.

    A build takes long: tests that only look at its pages share this one. Each change is in
    another place than the others.
    """
    course = copied(project, tmp_path_factory.mktemp("variante") / "cours")
    # An address, a remark for the agent at the end of a lesson, and a cell that would stop any
    # kernel at its beginning, its stored outputs kept.
    config = course.root / "_config.yml"
    text = config.read_text(encoding="utf-8")
    config.write_text(text.replace("html:\n", f"html:\n  baseurl: {ADDRESS_GIVEN}\n", 1))
    path = course.root / "notebooks/comprendre/moyenne-mediane.ipynb"
    notebook = nbformat.read(path, as_version=4)
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    first.source = "raise SystemExit\n" + first.source
    notebook.cells.append(nbformat.v4.new_markdown_cell(REMARK, id="remarque"))
    nbformat.write(notebook, path)
    # A Markdown page with ordinary spaces.
    page = course.book / "a-propos.md"
    page.write_text(page.read_text(encoding="utf-8") + SPACED, encoding="utf-8")
    # A page more, with a quiz of every kind.
    contents = yaml.safe_load((course.root / "_toc.yml").read_text(encoding="utf-8"))
    contents["parts"][0]["chapters"].append({"file": "book/essai"})
    (course.root / "_toc.yml").write_text(yaml.safe_dump(contents), encoding="utf-8")
    (course.book / "essai.md").write_text(QUIZZES, encoding="utf-8")
    # What the shortest path that is not whole yet still lacks, as bare lessons.
    growing = min(
        (path for path in load_paths(course) if path.planned), key=lambda path: len(path.planned)
    )
    for step in growing.planned[:2]:
        create_module(course, step.module.slug)
    build(course)
    return course


ADDRESS_GIVEN = "https://cours.exemple.fr/culture-d/"
REMARK = """### Pour l'agente ou l'agent qui vous accompagne

Une remarque *technique*.
"""
SPACED = "\n## Est-ce vrai ?\n\nOui : « **34 875** communes », soit 3,5 % ; `a : b` n° 3 !\n"


def copied(project: Project, copy: Path) -> Project:
    """Copy the course's own files."""
    copy.mkdir()
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(project.root / name, copy / name)
    for name in ("book", "notebooks", "datasets", "exercises/source"):
        ignored = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__", "donnees")
        shutil.copytree(project.root / name, copy / name, ignore=ignored)
    return Project(copy)
