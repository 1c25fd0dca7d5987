"""Slides of one module, made once."""

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from culture_d.curriculum import Module, load_curriculum, modules
from culture_d.pdf import Printer
from culture_d.project import Project
from culture_d.slides import deck, reveal

SLUG = "moyenne-mediane"


@pytest.fixture(scope="session")
def module(project: Project) -> Module:
    return next(one for one in modules(load_curriculum(project)) if one.slug == SLUG)


@pytest.fixture(scope="session")
def slides_file(project: Project, module: Module, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The slides as a trainer finds them, where the path has spaces and accents."""
    folder = tmp_path_factory.mktemp("Diaporama à emporter n° 1")
    reveal.put_beside(project, folder / deck.REVEAL)
    path = folder / f"{module.slug}.html"
    path.write_text(deck.make_deck(project, module), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def paper(browser: Browser) -> Printer:
    return Printer(browser)
