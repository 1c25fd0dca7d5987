"""A page of the course with a quiz of every kind, built once."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Browser, Page

from culture_d.project import Project
from culture_d.serve import ADDRESS, make_server

Open = Callable[..., Page]


@pytest.fixture(scope="session")
def quiz_site(variant: Project) -> Path:
    """The course's site, with a page of quizzes."""
    return variant.site


@pytest.fixture(scope="session")
def quiz_address(quiz_site: Path) -> Iterator[str]:
    """The same site served, without a final slash."""
    with make_server(quiz_site, port=0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{ADDRESS}:{server.server_port}"
        server.shutdown()


@pytest.fixture
def open_quiz(browser: Browser, quiz_address: str) -> Iterator[Open]:
    """Open the page of quizzes; checks at the end that nothing failed nor left the site."""
    faults: list[str] = []
    contexts = []

    def opened(name: str = "book/essai", base: str = quiz_address, **options: object) -> Page:
        wanted: dict[str, object] = {"viewport": {"width": 390, "height": 844}, **options}
        context = browser.new_context(**wanted)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda one: faults.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request",
            lambda one: None if one.url.startswith((base, "data:")) else faults.append(one.url),
        )
        page.goto(f"{base}/{name}.html")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []
