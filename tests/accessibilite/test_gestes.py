"""What a reader does, or cannot do: without script, waiting, typing, turning the screen."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.accessibilite.conftest import names
from tests.families import Share, fewer, rest

pytestmark = pytest.mark.xdist_group("accessibilite")

LESSON = "notebooks/comprendre/moyenne-mediane"
CHECKS = Path(__file__).with_name("checks.js")
WITHOUT_SCRIPT = """() => {
  const { all, seen, where, squeeze, unfold } = accessibility;
  unfold();
  const faults = [];
  const main = document.querySelector("main");
  const shown = squeeze(main.innerText).split(" ").length;
  const copy = main.cloneNode(true);
  all("script, style, template, [hidden], .cd-avec-script", copy).forEach((one) => one.remove());
  const written = squeeze([...copy.querySelectorAll("p, li, td, th, h1, h2, h3, dt, dd, summary, caption, pre")]
    .filter((one) => !one.parentElement.closest("li, td, dd, pre")).map((one) => one.textContent).join(" ")).split(" ").length;
  if (shown < written * 0.9) faults.push(`${written - shown} mots sur ${written} ne se voient pas sans script`);
  if (!all("main h1").some(seen)) faults.push("le titre ne se voit pas sans script");
  for (const one of all("button, select, input:not([type=hidden])")) {
    if (seen(one) && !one.closest("form[action]") && !one.disabled) faults.push(`ne sert à rien sans script : ${where(one)}`);
  }
  return faults;
}"""


@pytest.fixture
def everywhere(browser: Browser, address: str, site: Path) -> Iterator[Callable[..., Any]]:
    """Look at every page with one function; keep what it returns, page by page."""
    contexts = []

    def looked(
        look: Callable[[Page], Any], only: str = "", share: Share = fewer, **options: Any
    ) -> dict[str, Any]:
        clock = options.pop("clock", False)
        context = browser.new_context(**options)
        contexts.append(context)
        context.add_init_script(path=CHECKS)
        page = context.new_page()
        if clock:
            page.clock.install()
        found = {}
        for name in [only] if only else share(names(site)):
            page.goto(f"{address}/{name}.html")
            result = look(page)
            if result:
                found[name] = result
        return found

    yield looked
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def gestures(browser: Browser, address: str, site: Path) -> dict[str, dict[str, Any]]:
    """Every gesture, each page opened once; what went wrong, by gesture and page."""
    return gestures_on(browser, address, fewer(names(site)))


def gestures_on(browser: Browser, address: str, pages: list[str]) -> dict[str, dict[str, Any]]:
    looks = (lists_by_keyboard, after_a_press_taken_back, after_letters, once_turned)
    found: dict[str, dict[str, Any]] = {look.__name__: {} for look in looks}
    with browser.new_context() as context:
        context.add_init_script(path=CHECKS)
        page = context.new_page()
        for name in pages:
            page.set_viewport_size({"width": 1280, "height": 900})
            page.goto(f"{address}/{name}.html")
            for look in looks:
                faults = look(page)
                if faults:
                    found[look.__name__][name] = faults
    return found


@pytest.mark.long
def test_every_gesture_on_the_other_pages(
    browser: Browser, address: str, site: Path, everywhere: Any
) -> None:
    pages = rest(names(site))
    assert pages
    assert not any(gestures_on(browser, address, pages).values())
    assert everywhere(without_script, share=rest, java_script_enabled=False) == {}
    assert everywhere(after_an_hour, share=rest, clock=True) == {}


def state(page: Page) -> list[Any]:
    """What a reader sees: address, text, focus."""
    seen: list[Any] = page.evaluate(
        "[location.href, document.body.innerText, document.activeElement.outerHTML.slice(0, 80)]"
    )
    return seen


def without_script(page: Page) -> list[str]:
    page.evaluate(CHECKS.read_text(encoding="utf-8"))
    faults: list[str] = page.evaluate(WITHOUT_SCRIPT)
    return faults


def test_everything_reads_without_script(everywhere: Any) -> None:
    """Without script, all the text shows once unfolded, and no control is there for nothing."""
    assert everywhere(without_script, java_script_enabled=False) == {}


def test_a_page_that_needs_its_script_is_seen(everywhere: Any) -> None:
    def broken(page: Page) -> list[str]:
        page.evaluate(
            """() => { const main = document.querySelector('main');
            main.insertAdjacentHTML('beforeend', '<button>Voir</button>');
            main.querySelectorAll('p').forEach((one) => { one.style.display = 'none'; }); }"""
        )
        return without_script(page)

    faults = everywhere(broken, only=LESSON, java_script_enabled=False)[LESSON]
    assert any("mots sur" in fault for fault in faults)
    assert any("ne sert à rien" in fault for fault in faults)


def after_an_hour(page: Page) -> list[Any]:
    page.wait_for_load_state("networkidle")
    page.clock.run_for(2_000)
    before = state(page)
    page.clock.fast_forward("01:00:00")
    page.clock.run_for(2_000)
    after = state(page)
    return [] if after == before else [before, after]


def test_nothing_changes_for_who_takes_an_hour(everywhere: Any) -> None:
    """No limit of time: an hour later the page, its text and the focus are the same."""
    assert everywhere(after_an_hour, clock=True) == {}


def test_a_limit_of_time_is_seen(everywhere: Any) -> None:
    def broken(page: Page) -> list[Any]:
        page.evaluate(
            "setTimeout(() => { document.querySelector('h1').remove(); }, 20 * 60 * 1000)"
        )
        return after_an_hour(page)

    assert everywhere(broken, only=LESSON, clock=True)


def after_letters(page: Page) -> list[Any]:
    page.evaluate("document.activeElement?.blur()")
    before = state(page)
    page.keyboard.type("azertyuiopqsdfghjklmwxcvbn0123456789?/.")
    after = state(page)
    return [] if after == before else [before, after]


def test_letters_alone_do_nothing(gestures: Any) -> None:
    """Outside a field, no letter, digit or sign triggers anything."""
    assert gestures["after_letters"] == {}


def test_a_shortcut_of_one_letter_is_seen(everywhere: Any) -> None:
    def broken(page: Page) -> list[Any]:
        page.evaluate(
            "addEventListener('keydown', (e) => { if (e.key === 's') document.querySelector('input').focus(); })"
        )
        return after_letters(page)

    assert everywhere(broken, only=LESSON)


def settle(page: Page, seen: str) -> None:
    """Wait until the page says what it had to say of what was done before."""
    for _ in range(20):
        before = page.evaluate(seen)
        page.wait_for_timeout(250)
        if page.evaluate(seen) == before:
            return


def after_a_press_taken_back(page: Page) -> list[str]:
    """Press on each button, slide away, release: nothing must have happened."""
    faults = []
    seen = "document.body.innerText + document.body.className + document.body.dataset.theme"
    settle(page, seen)
    tried = set()
    for button in page.locator("button:visible").all():
        # Buttons alike obey the same script: one of each is pressed.
        alike = button.evaluate("(one) => one.className + ' ' + one.textContent.trim()")
        if alike in tried:
            continue
        tried.add(alike)
        button.scroll_into_view_if_needed()
        box = button.bounding_box()
        assert box
        before = page.evaluate(seen)
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.mouse.down()
        page.mouse.move(1, 1)
        page.mouse.up()
        if page.evaluate(seen) != before:
            faults.append(f"agit dès l'appui : {button.inner_text()}")
    return faults


def test_a_press_can_be_taken_back(gestures: Any) -> None:
    """Buttons act when they are released, not when they are pressed."""
    assert gestures["after_a_press_taken_back"] == {}


def test_a_button_that_acts_at_once_is_seen(everywhere: Any) -> None:
    def broken(page: Page) -> list[str]:
        page.evaluate(
            "document.querySelector('button.cd-theme').addEventListener('mousedown',"
            " () => document.querySelector('h1').remove())"
        )
        return after_a_press_taken_back(page)

    assert everywhere(broken, only=LESSON)


def once_turned(page: Page) -> list[str]:
    """Words that the content shows one way up and not the other."""
    words = []
    for width, height in ((390, 844), (844, 390)):
        page.set_viewport_size({"width": width, "height": height})
        page.wait_for_timeout(30)
        page.evaluate("accessibility.unfold()")
        words.append(set(page.locator("main").inner_text().split()))
    return sorted(words[0] ^ words[1])


def test_both_ways_up_show_the_same(gestures: Any) -> None:
    """Upright or on its side, a phone shows the same words."""
    assert gestures["once_turned"] == {}


def test_what_one_way_up_hides_is_seen(everywhere: Any) -> None:
    def broken(page: Page) -> list[str]:
        page.add_style_tag(content="@media (orientation: landscape) { main h1 { display: none } }")
        return once_turned(page)

    assert everywhere(broken, only=LESSON)


def lists_by_keyboard(page: Page) -> list[str]:
    """Change each list and field by keyboard: neither the page nor the focus may leave."""
    faults = []
    tried = set()
    address = page.evaluate("location.pathname")
    for field in page.locator("main :is(select, input[type=radio], input[type=range])").all():
        if not field.is_visible():
            continue
        group = field.evaluate("(one) => one.name || accessibility.key(one)")
        if group in tried:
            continue
        tried.add(group)
        field.focus()
        name = field.evaluate("(one) => accessibility.name(one)")
        page.keyboard.press("ArrowDown")
        page.wait_for_timeout(20)
        if page.evaluate("location.pathname") != address:
            return [f"change de page : {name}"]
        now = page.evaluate(
            "document.activeElement.name || accessibility.key(document.activeElement)"
        )
        if now != group:
            faults.append(f"emporte le clavier ailleurs : {name}")
    return faults


def test_choosing_leads_nowhere(gestures: Any) -> None:
    """Choosing in a list, moving a slider or ticking a box leaves the page and the focus there."""
    assert gestures["lists_by_keyboard"] == {}


def test_a_choice_that_leads_away_is_seen(everywhere: Any) -> None:
    def broken(page: Page) -> list[str]:
        page.wait_for_selector(".cd-app select")
        page.evaluate(
            "document.querySelector('.cd-app select').addEventListener('change',"
            " () => document.querySelector('.cd-theme').focus())"
        )
        return lists_by_keyboard(page)

    assert everywhere(broken, only=LESSON)
