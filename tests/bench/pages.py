"""What each page weighs at a first visit, the explorables, and how soon one can be moved."""

from functools import partial

from playwright.sync_api import Browser, Page, Response
from rich.table import Table

from culture_d.explorables.site import HOST, STYLE, modules, static_files
from culture_d.french import nombre
from culture_d.project import Project
from tests.bench.tables import LESSON, OBJECTIVE, RUNS, gzipped, held, seconds

# What the course wants; tests/pages/test_poids.py refuses what is beyond.
LESSON_KB, PAGE_KB, REQUESTS = 100, 60, 12
USABLE_MS, DEPARTMENT_KB = 1500, 7.5
EXPLORABLE_KB = {HOST: 3, STYLE: 3, **{f"{name}.js": 15 for name in modules()}}


def pages(project: Project, browser: Browser, address: str) -> Table:
    """Open every page on a phone's screen, read to its end, nothing in the cache."""
    table = Table("Page, à froid", "ko gzip", "requêtes", "nœuds", *OBJECTIVE)
    table.caption = "Objectif, au plus : ko ; requêtes."
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
        weight = sum(bodies) / 1000
        heaviest = LESSON_KB if name.startswith("notebooks/") else PAGE_KB
        good = weight <= heaviest and len(bodies) <= REQUESTS
        table.add_row(
            *(name, nombre(weight, 1), str(len(bodies)), str(nodes)),
            *(f"{heaviest} ; {REQUESTS}", "oui" if good else "non"),
        )
        context.close()
    return table


def explorable(project: Project, browser: Browser, address: str) -> Table:
    """Weigh the explorable's files, and time it until it can be moved."""
    files = static_files(project)
    usable = []
    for _ in range(RUNS):
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        usable.append(seconds(partial(_wait_for_explorable, page, f"{address}/{LESSON}.html")))
        context.close()
    table = Table("Explorable", "mesure", *OBJECTIVE)
    measures: dict[str, tuple[float, float, int]]
    measures = {"utilisable après (ms, boucle locale)": (min(usable) * 1000, USABLE_MS, 0)}
    for name, limit in EXPLORABLE_KB.items():
        measures[f"{name} (ko gzip)"] = (gzipped(name, files[name].encode()) / 1000, limit, 1)
    data = [
        gzipped(name, text.encode()) for name, text in files.items() if name.startswith("donnees/")
    ]
    heaviest = max(data) / 1000
    measures["données d'un département, la plus lourde (ko gzip)"] = (heaviest, DEPARTMENT_KB, 1)
    for name, (value, objective, decimals) in measures.items():
        table.add_row(name, nombre(value, decimals), *held(value, objective))
    return table


def _weigh(page: Page, bodies: list[int]) -> None:
    page.on("response", lambda response: bodies.append(_size(response)))


def _size(response: Response) -> int:
    return gzipped(response.url.split("?")[0], response.body())


def _wait_for_explorable(page: Page, url: str) -> None:
    page.goto(url, wait_until="commit")
    page.locator(".cd-explorable input[type=range]").wait_for()
