"""Pages opened by a reader who has already finished something, or nothing."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from culture_d.project import Project

KEY = "culture-d-progression"
TODAY = "2026-11-21"

Visit = Callable[..., Page]


@pytest.fixture
def map_only(project: Project, tmp_path: Path) -> Project:
    """A copy of the map alone, to break."""
    (tmp_path / "book").mkdir()
    shutil.copy(project.curriculum, tmp_path / "book")
    return Project(tmp_path)


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Open a page with something kept by the browser, on a fixed day.

    Fails at the end if a page raised an error, asked another host, or ran a stranger's markup.
    """
    contexts = []
    faults: list[str] = []

    def follow(url: str, base: str) -> None:
        if not url.startswith((base, "data:", "blob:")):
            faults.append(f"autre site : {url}")

    def opened(name: str, stored: str | None = None, base: str = address, **options: Any) -> Page:
        context = browser.new_context(viewport={"width": 390, "height": 844}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"erreur : {error}"))
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.on("dialog", lambda dialog: faults.append("dialogue"))
        page.on("request", lambda request: follow(request.url, base))
        if options.get("java_script_enabled", True):
            page.clock.set_fixed_time(f"{TODAY}T12:00:00")
        page.goto(f"{base}/{name}.html")
        if stored is not None:
            page.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, stored])
            page.reload()
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
