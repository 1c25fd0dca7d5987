"""What every test may ask for: the course, a browser, the built site."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, sync_playwright

from culture_d import chromium
from culture_d.project import Project
from culture_d.serve import ADDRESS, make_server
from culture_d.site import build, is_fresh

ROOT = Path(__file__).resolve().parents[1]


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
    copy = tmp_path / "cours"
    copy.mkdir()
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(project.root / name, copy / name)
    for name in ("book", "notebooks", "datasets", "exercises/source"):
        ignored = shutil.ignore_patterns(".ipynb_checkpoints", "__pycache__", "donnees")
        shutil.copytree(project.root / name, copy / name, ignore=ignored)
    return Project(copy)
