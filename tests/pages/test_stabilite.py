"""A page does not jump under the finger of a reader when its scripts arrive late."""

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route

from culture_d.curriculum import contents
from culture_d.project import Project
from tests.families import fewer

ROOT = Path(__file__).resolve().parents[2]
PAGES = [name for _, names in contents(Project(ROOT)) for name in names]
SCRIPTS = re.compile(r"/_static/.*\.js")
# web.dev (« Cumulative Layout Shift ») calls 0.1 good. Ours stay at 0.003 on a processor slowed
# four times; a page whose contents came after its text gave 0.06 for the text alone, 0.10 with the
# code hidden late; the sum of the progress, without its place kept, 0.03.
LARGEST = 0.02
# Shifts of the viewport's content, added up while nobody touches the page.
WATCH = """
window.jumps = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.jumps += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
BROKEN = """addEventListener("DOMContentLoaded", () => {
  const banner = document.createElement("div");
  banner.style.height = "400px";
  document.querySelector("h1").before(banner);
});"""


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Page]:
    """A phone on a network slow enough for the page to be drawn before its scripts."""

    def late(route: Route) -> None:
        time.sleep(0.15)
        route.continue_()

    context = browser.new_context(viewport={"width": 390, "height": 844})
    context.add_init_script(WATCH)
    context.route(SCRIPTS, late)
    page = context.new_page()
    # Slowed, the browser draws the page before it has read all of it, as a phone does.
    context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
    yield page
    context.close()


def jumps(page: Page, url: str) -> float:
    page.goto(url, wait_until="load")
    page.wait_for_timeout(150)
    return float(page.evaluate("window.jumps"))


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in fewer(PAGES) else [pytest.mark.long])
        for name in PAGES
    ],
)
def test_a_page_stays_in_place(phone: Page, address: str, name: str) -> None:
    assert jumps(phone, f"{address}/{name}.html") <= LARGEST


def test_a_page_that_jumps_is_seen(browser: Browser, address: str) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.add_init_script(WATCH)

    def jumping(route: Route) -> None:
        time.sleep(0.4)
        route.fulfill(body=BROKEN, content_type="text/javascript")

    page.route(re.compile(r"/cours\.js"), jumping)
    assert jumps(page, f"{address}/book/a-propos.html") > LARGEST
    page.close()
