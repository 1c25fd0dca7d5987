"""Measure what the course promises. `make bench`.

Times are the best or the median of a few runs, alternated so that a noisy machine weighs
on both sides of a ratio. Each table says the objective and whether it is held, but
nothing here passes or fails; the budgets that must hold on every page are tests.
"""

from threading import Thread

from playwright.sync_api import sync_playwright
from rich.console import Console

from culture_d import chromium
from culture_d.project import Project
from culture_d.serve import ADDRESS, make_server
from tests.bench.building import builds, served
from tests.bench.grading import grading
from tests.bench.network import slow_network
from tests.bench.pages import explorable, pages
from tests.bench.scale import scale
from tests.bench.scores import scores
from tests.bench.workshop import workshop


def main() -> None:
    """Print every measure, as soon as it is there."""
    project = Project.find()
    console = Console()
    console.print(grading(project))
    console.print(scale(project))
    console.print(workshop(project))
    console.print(builds(project))
    console.print(served(project))
    with make_server(project.site, port=0) as server, sync_playwright() as playwright:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://{ADDRESS}:{server.server_port}"
        browser = playwright.chromium.launch(
            executable_path=chromium.ensure(), args=list(chromium.ARGUMENTS)
        )
        console.print(pages(project, browser, address))
        console.print(explorable(project, browser, address))
        console.print(slow_network(project, playwright))
        browser.close()
        console.print(scores(project, address))
        server.shutdown()


if __name__ == "__main__":
    main()
