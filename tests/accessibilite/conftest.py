"""Each page of the built site is opened once; every check runs in it, in each state.

A state is a width, a theme, a size of text… The checks (`checks.js`) return their faults.
Pages are found in the site: one more page is one more page checked.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.families import now

CHECKS = Path(__file__).with_name("checks.js")
SPACED = """* { line-height: 1.5 !important; letter-spacing: .12em !important;
  word-spacing: .16em !important } p { margin-bottom: 2em !important }"""
TEXT_SIZE = 16
READER: dict[str, Any] = {
    "color_scheme": "light",
    "forced_colors": "none",
    "reduced_motion": "no-preference",
}


@dataclass(frozen=True)
class State:
    """How a reader looks at a page, and what is checked then."""

    checks: tuple[str, ...]
    size: tuple[int, int] = (1280, 900)
    media: dict[str, Any] = field(default_factory=dict)
    style: str = ""
    text_size: int = TEXT_SIZE  # pixels that the reader's browser gives to plain text


STRUCTURE = (
    *("headings", "landmarks", "languages", "readingDirection", "identifiers"),
    *("presentationMarkup", "lists", "quotations", "links", "newWindows", "documents"),
    *("buttons", "linksInText", "alternatives", "figureTables", "noMedia", "noCaptcha"),
    *("crypticText", "tables", "noComplexTable", "fields", "fieldNames", "fieldGroups"),
    *("optionLists", "noPersonalField", "noSending", "requiredAndErrors"),
    *("interactiveElements", "statusRegions", "hiddenContent", "noShortcut", "noRefresh"),
    *("titles", "hover", "orientationFree", "zoomAllowed", "informationInStyle"),
    *("positionWords", "pairedColours", "shortMovements"),
)
COLOURS = ("textContrast", "controlContrast", "drawingContrast", "focusMarks")
LAYOUT = ("reflow", "clipped", "overlaps")
STATES = {
    "ordinateur": State((*STRUCTURE, *COLOURS, *LAYOUT, "targets")),
    "sombre": State((*COLOURS, "pairedColours"), media={"color_scheme": "dark"}),
    "couleurs imposées": State(("forcedColours", "focusMarks"), media={"forced_colors": "active"}),
    "téléphone": State(("visualOrder", "targets", "textContrast", *LAYOUT), (390, 844)),
    "téléphone couché": State(LAYOUT, (844, 390)),
    "zoom à 400 %": State((*LAYOUT, "targets", "fields"), (320, 256)),
    "texte espacé": State(LAYOUT, (320, 640), style=SPACED),
    "texte espacé, ordinateur": State(LAYOUT, style=SPACED),
    "texte à 200 %": State((*LAYOUT, "textGrows"), text_size=32),
    "texte à 200 %, téléphone": State(LAYOUT, (390, 844), text_size=32),
    "sans mouvement": State(("stillness",), media={"reduced_motion": "reduce"}),
}
# Checked again once every button of the page has been pressed.
AFTER_USE = (*STRUCTURE, "textContrast", "clipped", "overlaps", "reflow", "targets")
KEYBOARD, USED, BARE = "clavier", "après usage", "sans style"
ALWAYS = ("ordinateur", "téléphone")
RARER = (*(state for state in STATES if state not in ALWAYS), KEYBOARD, USED, BARE)
CHECKS_OF: dict[str, tuple[str, ...]] = {
    **{state: look.checks for state, look in STATES.items()},
    KEYBOARD: ("reached", "order", "trap", "context"),
    USED: ("announcements", *AFTER_USE),
    BARE: ("unstyled",),
}
States = Callable[[int], Collection[str]]


def every_state(rank: int) -> Collection[str]:
    """Every state, whatever the page."""
    return CHECKS_OF


def a_third(rank: int) -> Collection[str]:
    """The states of the page of this rank: two always, and each other one page in three."""
    return [*ALWAYS, *RARER[rank % 3 :: 3]]


def names(site: Path) -> list[str]:
    """Every page of the site, the redirect at its root apart."""
    pages = (path.relative_to(site) for path in site.rglob("*.html"))
    return sorted(
        path.with_suffix("").as_posix() for path in pages if path.as_posix() != "index.html"
    )


@contextmanager
def looked_at(page: Page, state: State) -> Iterator[None]:
    """Show the page as a reader in this state sees it."""
    page.emulate_media(**{**READER, **state.media})
    page.set_viewport_size({"width": state.size[0], "height": state.size[1]})
    if state.text_size != TEXT_SIZE:
        _set_text_size(page, state.text_size)
    page.evaluate(
        """(css) => { const style = document.createElement("style");
        style.id = "essai"; style.textContent = css; document.head.append(style); }""",
        state.style,
    )
    try:
        yield
    finally:
        page.evaluate("document.getElementById('essai')?.remove()")
        if state.text_size != TEXT_SIZE:
            _set_text_size(page, TEXT_SIZE)


def _set_text_size(page: Page, pixels: int) -> None:
    """Set the size of text as a reader does in the browser, so that widths in em follow."""
    session = page.context.new_cdp_session(page)
    session.send("Page.setFontSizes", {"fontSizes": {"standard": pixels}})
    session.detach()


def run(page: Page, checks: tuple[str, ...]) -> dict[str, list[str]]:
    """Run checks in the page as it is; focus marks are shown once a key is pressed."""
    if "focusMarks" in checks:
        page.keyboard.press("Tab")
    found: dict[str, list[str]] = page.evaluate(
        """async (names) => {
          await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
          return Object.fromEntries(names.map((name) => [name, window.checks[name]()]));
        }""",
        list(checks),
    )
    return found


def press_every_button(page: Page) -> list[str]:
    """Answer and press whatever the content offers; return changes that nothing announces."""
    faults: list[str] = page.evaluate(PRESS)
    return faults


PRESS = """async () => {
  const { all, name, seen, squeeze, where } = window.accessibility;
  const live = "[role=status], [role=alert], [role=log], [aria-live], output";
  const pause = (time) => new Promise((done) => setTimeout(done, time));
  window.print = () => {};
  window.confirm = window.alert = () => true;
  const said = () => all(live).map((one) => squeeze(one.textContent)).join("|");
  const shown = () => {
    const copy = document.querySelector("main").cloneNode(true);
    all(live + ", button, script, style", copy).forEach((one) => one.remove());
    return squeeze(document.querySelector("main").innerText) + all("main [hidden]").length;
  };
  const faults = [];
  const picked = new Set();
  for (const box of all("main input[type=radio], main input[type=checkbox]")) {
    if (!seen(box.closest("label") ?? box) || picked.has(box.name)) continue;
    picked.add(box.name);
    box.click();
  }
  await pause(20);
  for (const button of all("main button")) {
    if (!button.isConnected || !seen(button) || button.getAttribute("aria-disabled") === "true") continue;
    if (button.type === "submit" && button.form?.hasAttribute("action")) continue; // asks for another page
    const before = { text: shown(), said: said(), name: name(button),
      state: button.getAttribute("aria-expanded") + button.getAttribute("aria-pressed") };
    button.focus();
    button.click();
    const announced = () => said() !== before.said || name(button) !== before.name
      || button.getAttribute("aria-expanded") + button.getAttribute("aria-pressed") !== before.state
      || document.activeElement !== button;
    for (let wait = 0; wait < 40 && shown() === before.text; wait += 20) await pause(20);
    if (shown() === before.text) continue;
    for (let wait = 0; wait < 1500 && !announced(); wait += 50) await pause(50);
    if (!announced()) faults.push(`changement que rien n'annonce : ${where(button)}`);
  }
  return faults;
}"""


def tour_by_keyboard(page: Page) -> dict[str, list[str]]:
    """Press Tab to the end of the page and Shift+Tab back; say what goes wrong."""
    start = page.evaluate("accessibility.sizeOf().url")
    wanted: list[str] = page.evaluate("accessibility.stops()")
    forth, left = _walk(page, "Tab", len(wanted) + 60)
    keys = [stop["key"] for stop in forth]
    faults: dict[str, list[str]] = {
        "reached": [f"le clavier n'atteint pas : {key}" for key in wanted if key not in keys],
        "order": _disorder(forth),
        "trap": [] if left else [f"le clavier ne sort pas de : {keys[-1]}"],
        "context": [],
    }
    page.evaluate(
        """(key) => { document.activeElement?.blur(); const { all, key: keyOf, INTERACTIVE } = accessibility;
        all(INTERACTIVE).filter((one) => keyOf(one) === key).at(-1)?.focus(); }""",
        keys[-1],
    )
    back = [keys[-1], *[stop["key"] for stop in _walk(page, "Shift+Tab", len(forth) + 60)[0]]]
    missing = [key for key in keys if key not in back]
    faults["trap"] += [f"le clavier ne revient pas sur : {key}" for key in missing]
    if page.evaluate("accessibility.sizeOf().url") != start:
        faults["context"].append("le clavier seul a changé de page")
    if keys and "Aller au contenu" not in keys[0]:
        faults["reached"].append(f"le premier arrêt n'est pas le lien d'évitement : {keys[0]}")
    return faults


def _walk(page: Page, key: str, limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Press a key until the page has been gone through; return each stop once, and if it ended."""
    stops: list[dict[str, Any]] = []
    known: set[str] = set()
    for _ in range(limit):
        page.keyboard.press(key)
        stop = page.evaluate("accessibility.stop()")
        if stop is None or (stop["key"] in known and stop["key"] != stops[-1]["key"]):
            return stops, True
        if stop["key"] not in known:
            known.add(stop["key"])
            stops.append(stop)
    return stops, False


def _disorder(stops: list[dict[str, Any]]) -> list[str]:
    """Stops of the content that come after another one, and stand wholly above it."""
    content = [stop for stop in stops if stop["inMain"]]
    return [
        f"l'ordre du clavier remonte : {now['key']} après {before['key']}"
        for before, now in pairwise(content)
        if now["bottom"] <= before["top"] + 1
    ]


class Report:
    """What was found in every page: faults by check, frames and titles by page."""

    def __init__(self) -> None:
        self.found: dict[str, list[str]] = defaultdict(list)
        self.looked: dict[str, set[str]] = defaultdict(set)
        self.awaited: dict[str, set[str]] = defaultdict(set)
        self.frames: dict[str, dict[str, list[str]]] = {}
        self.titles: dict[str, tuple[str, str]] = {}

    def add(self, page: str, state: str, results: dict[str, list[str]]) -> None:
        for check, faults in results.items():
            self.looked[check].add(page)
            self.found[check] += [f"{page} ({state}) : {fault}" for fault in faults]

    def faults(self, check: str) -> list[str]:
        """Faults of a check, which must have looked at every page that it was to see."""
        missing = self.awaited[check] - self.looked[check]
        assert self.awaited[check] and not missing, f"{check} n'a pas vu : {missing}"
        return self.found[check]

    def await_all(self, pages: Iterable[str], states: Callable[[int], Collection[str]]) -> None:
        """Note which pages each check is to see."""
        for rank, name in enumerate(pages):
            for state in states(rank):
                for check in CHECKS_OF[state]:
                    self.awaited[check].add(name)


def visit(page: Page, address: str, name: str, report: Report, states: Collection[str]) -> None:
    """Open a page once and look at it in these states."""
    page.emulate_media(**READER)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{address}/{name}.html")
    page.wait_for_load_state("networkidle")
    page.evaluate("accessibility.unfold()")
    report.frames[name] = page.evaluate("accessibility.frame()")
    report.titles[name] = (page.title(), page.locator("h1").first.inner_text())
    if KEYBOARD in states:
        report.add(name, KEYBOARD, tour_by_keyboard(page))
    for state, look in STATES.items():
        if state in states:
            with looked_at(page, look):
                report.add(name, state, run(page, look.checks))
    page.emulate_media(**READER)
    page.set_viewport_size({"width": 1280, "height": 900})
    if USED in states:
        report.add(name, "boutons", {"announcements": press_every_button(page)})
        page.evaluate("accessibility.unfold()")
        report.add(name, USED, run(page, AFTER_USE))
    if BARE in states:
        report.add(name, BARE, {"unstyled": without_style(page)})


def without_style(page: Page) -> list[str]:
    """Remove every style: nothing that was shown is lost, and the order still makes sense."""
    faults: list[str] = page.evaluate(
        """() => {
          const { all, squeeze, where } = accessibility;
          const text = () => squeeze(document.querySelector("main").innerText).toLowerCase();
          const styled = new Set(text().split(" "));
          all("link[rel=stylesheet], style").forEach((one) => one.remove());
          all("[style]").forEach((one) => one.removeAttribute("style"));
          const bare = text();
          const faults = [...styled].filter((word) => !bare.includes(word)).map((word) => `mot perdu sans style : ${word}`);
          const order = all(".skip-to-content, body > header, main h1, main, footer, nav.cd-menu");
          const tops = order.map((one) => one.getBoundingClientRect().top);
          order.forEach((one, place) => {
            if (place && tops[place] < tops[place - 1] - 1) faults.push(`ordre perdu sans style : ${where(one)}`);
          });
          return faults;
        }"""
    )
    return faults


def look_at_site(browser: Browser, address: str, pages: Collection[str], states: States) -> Report:
    """Look at these pages of the site, each in its states."""
    report = Report()
    report.await_all(pages, states)
    with browser.new_context(service_workers="block") as context:
        context.add_init_script(path=CHECKS)
        page = context.new_page()
        for rank, name in enumerate(pages):
            visit(page, address, name, report, states(rank))
    return report


@pytest.fixture(scope="session")
def report(browser: Browser, address: str, site: Path) -> Report:
    """Pages on a computer and on a phone; each other state on a third of them.

    Of the trainers' pages, two of each family.

    `test_every_page_in_every_state` looks at all.
    """
    return look_at_site(browser, address, now(names(site)), a_third)


@pytest.fixture
def whole_report(browser: Browser, address: str, site: Path) -> Report:
    """Every page in every state: minutes of work."""
    return look_at_site(browser, address, names(site), every_state)


@pytest.fixture
def turns() -> tuple[States, Collection[str], Collection[str]]:
    """Which states each page is looked at in, those of all pages, and all of them."""
    return a_third, ALWAYS, CHECKS_OF


Broken = Callable[..., Page]


LESSON = "notebooks/comprendre/moyenne-mediane"


@pytest.fixture(scope="module")
def lesson(browser: Browser, address: str) -> Iterator[Page]:
    """The lesson, which has everything: explorable, figures, tables, forms."""
    with browser.new_context() as context:
        context.add_init_script(path=CHECKS)
        page = context.new_page()
        open_lesson(page, address)
        page.evaluate("window.whole = document.body.cloneNode(true)")
        yield page


def open_lesson(page: Page, address: str) -> None:
    """Open the lesson as it is first seen, with its blocks unfolded."""
    page.emulate_media(**READER)
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{address}/{LESSON}.html")
    page.wait_for_load_state("load")
    page.evaluate("accessibility.unfold()")


def spoil(page: Page, script: str) -> None:
    """Break a page with a script that may name its `main`."""
    page.evaluate(f"() => {{ const main = document.querySelector('main'); {script} }}")


@pytest.fixture
def broken(browser: Browser, address: str) -> Iterator[Callable[[str], Page]]:
    """Open the lesson anew, its scripts running, and break it."""
    with browser.new_context() as context:
        context.add_init_script(path=CHECKS)
        page = context.new_page()

        def opened(script: str) -> Page:
            open_lesson(page, address)
            spoil(page, script)
            return page

        yield opened


@pytest.fixture
def copied(lesson: Page) -> Iterator[Callable[[str], Page]]:
    """Break a copy of the lesson's document, without loading the page again."""

    def opened(script: str) -> Page:
        spoil(lesson, script)
        return lesson

    viewport = "document.querySelector('meta[name=viewport]').content"
    kept = lesson.evaluate(f"{viewport}")
    heads = lesson.evaluate("document.head.children.length")
    yield opened
    lesson.evaluate(
        f"""([heads, kept]) => {{
          [...document.head.children].slice(heads).forEach((one) => one.remove());
          {viewport} = kept;
          document.documentElement.lang = "fr";
          document.querySelectorAll("body").forEach((one) => one.replaceWith(whole.cloneNode(true)));
        }}""",
        [heads, kept],
    )


@pytest.fixture
def observe() -> Callable[..., list[str]]:
    """Run one check in one state."""

    def observed(page: Page, check: str, state: str = "ordinateur") -> list[str]:
        assert check in STATES[state].checks, f"{check} n'est pas fait en l'état « {state} »"
        with looked_at(page, STATES[state]):
            return run(page, (check,))[check]

    return observed


@pytest.fixture
def walk() -> Callable[[Page], dict[str, list[str]]]:
    """Go through a page by keyboard."""
    return tour_by_keyboard


@pytest.fixture
def press() -> Callable[[Page], list[str]]:
    """Press every button of a page."""
    return press_every_button


@pytest.fixture
def bare() -> Callable[[Page], list[str]]:
    """Take the styles off a page."""
    return without_style
