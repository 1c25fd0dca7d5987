"""A folder of pages with explorables, seen from http and from file://."""

import re
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from culture_d.explorables import site
from culture_d.explorables.moyenne_mediane import MoyenneMediane
from culture_d.project import Project

# The colours furo gives to a page, and the policy of the site.
FURO = """
body { margin: 0; background: var(--color-background-primary);
  color: var(--color-foreground-primary); font-family: sans-serif;
  --color-foreground-primary: #000; --color-foreground-secondary: #5a5c63;
  --color-foreground-border: #878787; --color-background-primary: #fff;
  --color-background-secondary: #f8f9fb; }
body[data-theme="dark"] {
  --color-foreground-primary: #cfd0d0; --color-foreground-secondary: #9ca0a5;
  --color-foreground-border: #666; --color-background-primary: #131416;
  --color-background-secondary: #1a1c1e; }
main { max-width: 46em; margin: auto; padding: 0 1em; }
"""
POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data:"


def _write_page(folder: Path, name: str, body: str, theme: str = "light") -> None:
    known = site.modules()
    shown = [name for name in re.findall(r'data-explorable="([\w-]+)"', body) if name in known]
    shown = shown or ["moyenne-mediane"]
    scripts = "".join(
        f'<script defer src="explorables/{script}"></script>' for script in site.scripts(shown)
    )
    (folder / name).write_text(
        f'<!doctype html><html lang="fr"><head><meta charset="utf-8"><title>Essai</title>'
        f'<meta name="viewport" content="width=device-width,initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<link rel="icon" href="data:,"><link rel="stylesheet" href="explorables/{site.STYLE}">'
        f"<style>{FURO}</style>{scripts}</head>"
        f'<body data-theme="{theme}"><main><h1>Essai</h1>{body}<p id="apres">Suite</p></main>'
        "</body></html>",
        encoding="utf-8",
    )


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, project: Project) -> Path:
    """The static files, and pages made of what the Python class gives."""
    root = tmp_path_factory.mktemp("site")
    site.write_static_files(root / "explorables", project)
    html = MoyenneMediane().html()
    _write_page(root, "light.html", html)
    _write_page(root, "dark.html", html, theme="dark")
    _write_page(root, "deux.html", html + html)
    _write_page(root, "somme.html", MoyenneMediane("80").html())
    return root


@pytest.fixture
def write_page(folder: Path) -> Callable[[str, str], None]:
    """Add a page with the given body to the folder."""
    return partial(_write_page, folder)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture(scope="session")
def address(folder: Path) -> Iterator[str]:
    """The folder served on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open a page; at the end, no error and no request elsewhere must have been seen."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []
    foreign: list[str] = []
    tolerated: list[str] = []

    def opened(
        path: str = "light.html",
        width: int = 390,
        base: str = "",
        tolerate: tuple[str, ...] = (),
        **options: Any,
    ) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **options)
        context.set_default_timeout(4000)
        contexts.append(context)
        tolerated.extend(tolerate)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(error.message))
        page.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        page.on("request", lambda request: foreign.append(request.url))
        page.goto(f"{base or address}/{path}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [text for text in errors if not any(part in text for part in tolerated)] == []
    own = (address, "file://", "data:,", "about:")
    assert [url for url in foreign if not url.startswith(own)] == []
