"""Measure what the course promises: build, weight of pages, explorable. `make bench`.

Times are the best of a few runs, alternated so that a noisy machine weighs on both
sides of a ratio. Each table says the objective and whether it is held, but nothing
here passes or fails; the budgets that must hold on every page are tests.
"""

import gzip
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from functools import partial
from pathlib import Path
from threading import Thread
from urllib.error import HTTPError, URLError

from playwright.sync_api import Browser, Page, Response, sync_playwright
from rich.console import Console
from rich.table import Table

from culture_d import chromium
from culture_d.explorables.site import HOST, STYLE, static_files
from culture_d.french import nombre
from culture_d.project import Project
from culture_d.serve import ADDRESS, make_server
from culture_d.site import build, is_fresh

RUNS = 3
LESSON = "notebooks/comprendre/moyenne-mediane"
OBJECTIVE = ("objectif", "tenu")
# What the course wants; the tests refuse what is far beyond (130 kB for a lesson).
BUILD_RATIO, BUILD_SECONDS = 1.5, 12
SERVED_SECONDS = 3
LESSON_KB, PAGE_KB, REQUESTS, LOADED_MS = 100, 60, 20, 1000
USABLE_MS, DEPARTMENT_KB = 1500, 7.5
EXPLORABLE_KB = {HOST: 3, "moyenne-mediane.js": 15, STYLE: 3}
BARE_CONFIGURATION = """
extensions = ["sphinx_external_toc", "myst_nb"]
external_toc_path = {toc!r}
include_patterns = ["book/**", "notebooks/**"]
myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
nb_execution_mode = "off"
language = "fr"
"""


def main() -> None:
    """Print every measure."""
    project = Project.find()
    console = Console()
    console.print(_builds(project))
    console.print(_served(project))
    with make_server(project.site, port=0) as server, sync_playwright() as playwright:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://{ADDRESS}:{server.server_port}"
        executable = chromium.ensure()
        browser = playwright.chromium.launch(
            executable_path=executable, args=list(chromium.ARGUMENTS)
        )
        console.print(_pages(project, browser, address))
        console.print(_explorable(project, browser, address))
        browser.close()
        server.shutdown()


def _builds(project: Project) -> Table:
    ours, bare = [], []
    for _ in range(RUNS):
        ours.append(_seconds(lambda: build(project)))
        bare.append(_seconds(lambda: _bare_sphinx(project)))
    table = Table("Construction à froid, rien d'exécuté", "secondes", "rapport", *OBJECTIVE)
    table.add_row("Sphinx nu, mêmes pages", nombre(min(bare), 1), "1", "", "")
    ratio = min(ours) / min(bare)
    table.add_row(
        "Culture D, vérifications et contrôle des pages compris",
        nombre(min(ours), 1),
        nombre(ratio, 2),
        *_held(ratio, BUILD_RATIO),
    )
    return table


def _served(project: Project) -> Table:
    if not is_fresh(project):
        build(project)
    seconds = min(_seconds_to_answer(project) for _ in range(RUNS))
    table = Table("Servir, rien n'a changé", "secondes", *OBJECTIVE)
    table.add_row(
        "« culture-d servir » : première page reçue",
        nombre(seconds, 1),
        *_held(seconds, SERVED_SECONDS),
    )
    return table


def _seconds_to_answer(project: Project) -> float:
    """Time from the command to a whole page received."""
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("culture-d")), "servir", "--port", str(port)]
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=project.root, stdout=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                try:
                    url = f"http://{ADDRESS}:{port}/book/accueil.html"
                    with urllib.request.urlopen(url, timeout=60) as answer:
                        answer.read()
                    return time.perf_counter() - started
                except HTTPError:
                    raise
                except (URLError, ConnectionError):
                    time.sleep(0.01)
        finally:
            process.terminate()
    raise RuntimeError("« culture-d servir » s'est arrêté sans répondre.")


def _held(value: float, limit: float) -> tuple[str, str]:
    """Return the two last columns of a table: the objective, and whether it is held."""
    decimals = 0 if limit == round(limit) else 1
    return f"≤ {nombre(limit, decimals)}", "oui" if value <= limit else "non"


def _bare_sphinx(project: Project) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        text = BARE_CONFIGURATION.format(toc=str(project.toc))
        Path(scratch, "conf.py").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "sphinx", "-Q", "-E", "-b", "html", "-c", scratch]
        folders = [str(project.root), str(Path(scratch, "html")), "-d", str(Path(scratch, "d"))]
        subprocess.run([*command, *folders], check=True)


def _pages(project: Project, browser: Browser, address: str) -> Table:
    table = Table("Page, à froid", "ko gzip", "requêtes", "nœuds", "ms", *OBJECTIVE)
    table.caption = "ms : page chargée. Objectif, au plus : ko ; requêtes ; ms."
    table.columns[0].overflow = "fold"
    for path in sorted(project.site.rglob("*.html")):
        name = path.relative_to(project.site).as_posix()
        if name == "index.html":
            continue
        bodies: list[int] = []
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        _weigh(page, bodies)
        page.goto(f"{address}/{name}")
        page.wait_for_load_state("networkidle")
        for image in page.locator("img").all():
            image.scroll_into_view_if_needed()
        page.wait_for_load_state("networkidle")
        nodes = page.evaluate("document.querySelectorAll('*').length")
        loaded = page.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
        weight = sum(bodies) / 1000
        heaviest = LESSON_KB if name.startswith("notebooks/") else PAGE_KB
        limits = ((weight, heaviest), (len(bodies), REQUESTS), (loaded, LOADED_MS))
        table.add_row(
            *(name, nombre(weight, 1), str(len(bodies)), str(nodes), nombre(loaded)),
            " ; ".join(nombre(limit) for _, limit in limits),
            "oui" if all(value <= limit for value, limit in limits) else "non",
        )
        context.close()
    return table


def _explorable(project: Project, browser: Browser, address: str) -> Table:
    files = static_files(project)
    usable = []
    for _ in range(RUNS):
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        usable.append(_seconds(partial(_wait_for_explorable, page, f"{address}/{LESSON}.html")))
        context.close()
    table = Table("Explorable", "mesure", *OBJECTIVE)
    measures: dict[str, tuple[float, float, int]]
    measures = {"utilisable après (ms, boucle locale)": (min(usable) * 1000, USABLE_MS, 0)}
    for name, limit in EXPLORABLE_KB.items():
        measures[f"{name} (ko gzip)"] = (_size(files[name]) / 1000, limit, 1)
    data = [_size(text) for name, text in files.items() if name.startswith("donnees/")]
    heaviest = max(data) / 1000
    measures["données d'un département, la plus lourde (ko gzip)"] = (heaviest, DEPARTMENT_KB, 1)
    for name, (value, objective, decimals) in measures.items():
        table.add_row(name, nombre(value, decimals), *_held(value, objective))
    return table


def _weigh(page: Page, bodies: list[int]) -> None:
    """Add the weight of each answer that the page gets to `bodies`."""
    page.on("response", lambda response: bodies.append(_gzipped(response)))


def _wait_for_explorable(page: Page, url: str) -> None:
    page.goto(url, wait_until="commit")
    page.locator(".cd-explorable input[type=range]").wait_for()


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _gzipped(response: Response) -> int:
    """Bytes of an answer once gzipped as a web server would; pictures as they are."""
    body = response.body()
    if response.url.endswith((".png", ".webp")):
        return len(body)
    return len(gzip.compress(body, 6))


def _size(text: str) -> int:
    return len(gzip.compress(text.encode("utf-8"), 6))


if __name__ == "__main__":
    main()
