"""The pages on a slow network and a slow processor, beside a stock Jupyter Book.

1.6 Mbit/s, 150 ms, a processor slowed four times: Chromium's own emulation. The server
gzips, as web servers do. Other hosts are counted and refused: on the stock site they
would make it slower still.
"""

import gzip
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Browser, Playwright
from rich.table import Table

from culture_d import chromium
from culture_d.french import nombre
from culture_d.project import Project
from culture_d.serve import ADDRESS
from culture_d.site import JUPYTER_BOOK
from tests.bench.tables import LESSON, PICTURES, RUNS

BYTES_A_SECOND, LATENCY_MS, CPU_RATE = 1.6e6 / 8, 150, 4
PAINT_S, LOADED_S, USABLE_S = 1.0, 1.8, 2.5
STOCK_CONFIGURATION = """
title: Culture D
execute: {execute_notebooks: "off"}
parse: {myst_enable_extensions: [colon_fence, deflist, attrs_inline]}
only_build_toc_files: true
sphinx: {config: {language: fr, include_patterns: ["book/**", "notebooks/**"]}}
"""
# When what a reader would move is there, in ms since the page was asked for.
WATCH = """
new MutationObserver((_, observer) => {
  if (!document.querySelector(".cd-app input[type=range]")) return;
  window.usableAt = performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });
"""
TIMES = """() => [
  performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN,
  performance.getEntriesByType("navigation")[0].loadEventEnd,
  window.usableAt ?? NaN,
]"""


class Visit(NamedTuple):
    """What one visit cost: seconds, bytes received once gzipped, requests, other hosts."""

    painted: float
    loaded: float
    usable: float
    kilobytes: float
    requests: int
    elsewhere: int


class _GzipHandler(SimpleHTTPRequestHandler):
    """Files gzipped, over connections that stay open."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.directory, unquote(urlsplit(self.path).path).lstrip("/"))
        if not path.is_file():
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = path.read_bytes()
        self.send_response(HTTPStatus.OK)
        if path.suffix not in PICTURES:
            body = gzip.compress(body, 6)
            self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "max-age=3600")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass


def slow_network(project: Project, playwright: Playwright) -> Table:
    """Time every page of the course, and the same pages of a stock Jupyter Book.

    Other hosts are refused by name: intercepting requests would switch the cache off.
    """
    browser = playwright.chromium.launch(
        executable_path=chromium.ensure(),
        args=[*chromium.ARGUMENTS, f"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE {ADDRESS}"],
    )
    table = Table(
        "Réseau lent, à froid", "peinte (s)", "chargée (s)", "outil (s)", "ko", "requêtes"
    )
    table.caption = (
        f"1,6 Mbit/s, 150 ms, processeur ralenti {CPU_RATE} fois ; médiane de {RUNS} visites. "
        f"Objectif : {nombre(PAINT_S, 1)} ; {nombre(LOADED_S, 1)} ; {nombre(USABLE_S, 1)} s. "
        "« + n » : requêtes vers d'autres sites, refusées ici."
    )
    table.columns[0].overflow = "fold"
    with tempfile.TemporaryDirectory() as scratch:
        stock = _stock_site(project, Path(scratch))
        for path in sorted(project.site.rglob("*.html")):
            name = path.relative_to(project.site).as_posix()
            if name == "index.html":
                continue
            _add(table, name, _visits(browser, project.site, name))
            if (stock / name).is_file() and name in {f"{LESSON}.html", "book/glossaire.html"}:
                _add(table, "  la même, Jupyter Book d'origine", _visits(browser, stock, name))
        table.add_section()
        _add(
            table,
            "leçon, venue d'une autre page",
            _visits(browser, project.site, f"{LESSON}.html", "book/parcours.html"),
        )
    browser.close()
    return table


def _add(table: Table, name: str, visits: list[Visit]) -> None:
    middle = [statistics.median(values) for values in zip(*visits, strict=True)]
    times = ["" if value != value else nombre(value, 2) for value in middle[:3]]
    elsewhere = f" + {middle[5]:.0f}" if middle[5] else ""
    table.add_row(name, *times, nombre(middle[3], 1), f"{middle[4]:.0f}{elsewhere}")


def _visits(browser: Browser, folder: Path, name: str, before: str = "") -> list[Visit]:
    with _served(folder) as address:
        return [_visit(browser, address, name, before) for _ in range(RUNS)]


def _visit(browser: Browser, address: str, name: str, before: str) -> Visit:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        elsewhere: list[str] = []
        page.on("request", lambda request: _note(request.url, address, elsewhere))
        if before:
            page.goto(f"{address}/{before}")
            page.wait_for_load_state("networkidle")
        page.add_init_script(WATCH)
        session = context.new_cdp_session(page)
        session.send("Network.enable")
        session.send(
            "Network.emulateNetworkConditions",
            {
                "offline": False,
                "latency": LATENCY_MS,
                "downloadThroughput": BYTES_A_SECOND,
                "uploadThroughput": BYTES_A_SECOND,
            },
        )
        session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_RATE})
        received: list[float] = []
        session.on(
            "Network.loadingFinished", lambda event: received.append(event["encodedDataLength"])
        )
        page.goto(f"{address}/{name}", wait_until="load")
        page.wait_for_load_state("networkidle")
        painted, loaded, usable = page.evaluate(TIMES)
        from_network = [size for size in received if size]
        return Visit(
            painted / 1000,
            loaded / 1000,
            usable / 1000 if usable else float("nan"),
            sum(from_network) / 1000,
            len(from_network),
            len(elsewhere),
        )


def _note(url: str, address: str, elsewhere: list[str]) -> None:
    if not url.startswith((address, "data:", "blob:")):
        elsewhere.append(url)


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    handler = partial(_GzipHandler, directory=str(folder))
    with ThreadingHTTPServer((ADDRESS, 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{ADDRESS}:{server.server_port}"
        server.shutdown()


def _stock_site(project: Project, scratch: Path) -> Path:
    """Build the same pages with Jupyter Book as it comes."""
    config = scratch / "_config.yml"
    config.write_text(STOCK_CONFIGURATION, encoding="utf-8")
    command = [
        *(sys.executable, "-c", JUPYTER_BOOK, "build", str(project.root), "--quiet"),
        *("--config", str(config), "--toc", str(project.toc), "--path-output", str(scratch)),
    ]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return scratch / "_build" / "html"
