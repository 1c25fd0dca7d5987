"""The pages as a reader's browser shows them, with every other host blocked."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.families import fewer, rest

TOC = yaml.safe_load((Path(__file__).parents[2] / "_toc.yml").read_text(encoding="utf-8"))
PAGES = (
    TOC["root"],
    *(chapter["file"] for part in TOC["parts"] for chapter in part["chapters"]),
    "search",
)
LESSON = "notebooks/comprendre/moyenne-mediane"

Open = Callable[..., Page]


class Watch:
    """What a page tried that it must not: other hosts, errors, missing files."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.faults: list[str] = []

    def follow(self, page: Page) -> None:
        page.route("**/*", self._route)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"erreur : {error}"))
        page.on("response", self._response)

    def _route(self, route: object, request: object) -> None:
        url: str = request.url  # type: ignore[attr-defined]
        if url.startswith((self.address, "data:", "blob:")):
            route.continue_()  # type: ignore[attr-defined]
            return
        self.faults.append(f"autre site : {url}")
        route.abort()  # type: ignore[attr-defined]

    def _console(self, message: object) -> None:
        if message.type in {"error", "warning"}:  # type: ignore[attr-defined]
            self.faults.append(f"console : {message.text}")  # type: ignore[attr-defined]

    def _response(self, response: object) -> None:
        if response.status >= 400:  # type: ignore[attr-defined]
            self.faults.append(f"{response.status} : {response.url}")  # type: ignore[attr-defined]


@pytest.fixture
def watch(address: str) -> Watch:
    return Watch(address)


@pytest.fixture
def open_page(browser: Browser, address: str, watch: Watch) -> Iterator[Open]:
    """Open a page of the site; checks at the end that it tried nothing forbidden."""
    contexts = []

    def opened(name: str, width: int = 1280, **options: object) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            **options,  # type: ignore[arg-type]
        )
        contexts.append(context)
        page = context.new_page()
        watch.follow(page)
        page.goto(f"{address}/{name}.html")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert watch.faults == []


def test_every_page_is_looked_at(site: Path) -> None:
    built = {path.relative_to(site).with_suffix("").as_posix() for path in site.rglob("*.html")} - {
        "index"
    }
    assert built == set(PAGES)


# A theme changes colours only, and a width what is shown: axe looks at the structure at the
# two ends, and at colours, which take most of its time, in each theme. `tests/accessibilite`
# has its own checks of contrasts, targets and order, in twelve states of each page.
COLOURS = ["color-contrast", "link-in-text-block"]
ONLY_FAULTS: dict[str, object] = {"resultTypes": ["violations"]}
LOOKS: dict[tuple[str, int], dict[str, object] | None] = {
    ("light", 1280): ONLY_FAULTS,
    ("light", 390): None,
    ("light", 320): {**ONLY_FAULTS, "rules": {name: {"enabled": False} for name in COLOURS}},
    ("dark", 320): {**ONLY_FAULTS, "runOnly": {"type": "rule", "values": COLOURS}},
    ("dark", 390): None,
    ("dark", 1280): None,
}


# axe takes minutes: one page in two on a computer, the others on a phone, in `make test`.
HALVES = ({("light", 1280)}, {("light", 320), ("dark", 320)})
SEEN_NOW = fewer(PAGES)
TURNS = [
    pytest.param(
        name, half, marks=[pytest.mark.long] if (rank + half) % 2 or name not in SEEN_NOW else []
    )
    for rank, name in enumerate([*SEEN_NOW, *rest(PAGES)])
    for half in range(2)
]


@pytest.mark.parametrize(("name", "half"), TURNS)
def test_page_without_fault(open_page: Open, name: str, half: int) -> None:
    """No other host, no console error, no violation for axe, no overflow, at any width or theme."""
    page = open_page(name, color_scheme="light", reduced_motion="reduce")
    page.wait_for_load_state("networkidle")
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    for (theme, width), options in LOOKS.items():
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        if options is not None and (theme, width) in HALVES[half]:
            results = Axe().run(page, options=options)
            assert results.violations_count == 0, (name, theme, width, results.generate_report())
        overflow = page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} déborde de {overflow} px à {width} px"


def test_both_halves_of_axe_are_run() -> None:
    """Each look that runs axe is in a half; each page has one now and the other in `make soak`."""
    assert set.union(*HALVES) == {look for look, options in LOOKS.items() if options is not None}
    at_once = {turn.values for turn in TURNS if not turn.marks}
    assert {name for name, _ in at_once} == set(SEEN_NOW)
    assert {half for _, half in at_once} == {0, 1}
    assert {turn.values for turn in TURNS} == {(name, half) for name in PAGES for half in (0, 1)}


def test_each_kind_of_violation_is_seen_in_its_look(open_page: Open) -> None:
    """Faults put in a page: each look that runs axe sees those that it is there for."""
    page = open_page(LESSON, reduced_motion="reduce")
    page.evaluate(
        """document.querySelector("main").insertAdjacentHTML("beforeend",
          "<p class='pale'>Un texte pâle</p><button></button>");
        const style = document.createElement("style");
        style.textContent = ".pale { color: color-mix(in srgb, var(--color-background-primary), gray 30%); }";
        document.head.append(style);"""
    )
    for (theme, width), options in LOOKS.items():
        if options is None:
            continue
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        found = {one["id"] for one in Axe().run(page, options=options).response["violations"]}
        assert ("color-contrast" in found) == ("rules" not in options), (theme, width, found)
        assert ("button-name" in found) == ("runOnly" not in options), (theme, width, found)


def test_the_watch_sees_a_call_to_another_host(browser: Browser, address: str) -> None:
    watch = Watch(address)
    with browser.new_context() as context:
        page = context.new_page()
        watch.follow(page)
        page.goto(f"{address}/{LESSON}.html")
        page.evaluate("fetch('https://example.org/x').catch(() => 0)")
        page.evaluate("console.error('oups')")
        page.wait_for_timeout(50)
    assert any("example.org" in fault for fault in watch.faults)
    assert any("oups" in fault for fault in watch.faults)


def test_the_page_itself_forbids_other_hosts_and_inline_scripts(
    browser: Browser, address: str
) -> None:
    """Even if something slipped in, the browser would refuse it."""
    with browser.new_context() as context:
        page = context.new_page()
        refused: dict[str, str | None] = {}
        page.on("requestfailed", lambda request: refused.update({request.url: request.failure}))
        page.goto(f"{address}/{LESSON}.html")
        outcome = page.evaluate(
            """() => {
              const image = new Image();
              image.src = "https://example.org/a.png";
              const inline = document.createElement("script");
              inline.textContent = "window.intruded = true";
              document.body.append(image, inline);
              return fetch("https://example.org/b").then(() => "lu", (error) => error.name);
            }"""
        )
        page.wait_for_timeout(100)
        assert not page.evaluate("window.intruded")
        assert outcome == "TypeError"
        assert refused == {"https://example.org/a.png": "csp"}


def test_axe_sees_a_missing_alternative(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/{LESSON}.html")
        page.evaluate("document.querySelector('main img').removeAttribute('alt')")
        assert Axe().run(page).violations_count > 0


def test_keyboard_reaches_the_text_first(open_page: Open) -> None:
    page = open_page(LESSON, 390)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Aller au contenu"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "contenu"


def test_keyboard_meets_no_trap_and_always_shows_where_it_is(open_page: Open) -> None:
    page = open_page(LESSON, 1280)
    seen = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        state = page.evaluate(
            """() => {
              const one = document.activeElement;
              if (one === document.body) return null;
              const style = getComputedStyle(one);
              const box = one.getBoundingClientRect();
              one.dataset.order ??= String(Math.random());
              return [one.dataset.order, style.outlineStyle !== 'none'
                      || style.boxShadow !== 'none', box.width > 0, one.outerHTML.slice(0, 120)];
            }"""
        )
        if state is None or state[0] in seen:
            break
        seen.add(state[0])
        assert state[1], f"le repère de clavier ne se voit pas : {state[3]}"
    else:
        pytest.fail("le clavier ne sort pas de la page")
    assert len(seen) > 20


def test_menu_works_without_script_on_a_phone(open_page: Open) -> None:
    page = open_page(LESSON, 390, java_script_enabled=False)
    page.get_by_role("link", name="Menu", exact=True).click()
    menu = page.get_by_role("navigation", name="Menu du cours")
    menu.get_by_role("link", name="Repères").click()
    page.wait_for_url("**/book/plan.html#partie-reperes")
    page.get_by_role("main").get_by_role("link", name="Glossaire").click()
    page.wait_for_url("**/book/glossaire.html")


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("section", ["la-decision", "a-retenir", "pour-aller-plus-loin"])
def test_a_link_to_a_section_leads_there(open_page: Open, width: int, section: str) -> None:
    """Figures keep their place before they are loaded; scripts move nothing afterwards."""
    page = open_page("book/accueil", width)
    page.goto(page.url.replace("book/accueil.html", f"{LESSON}.html#{section}"))
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)
    top = page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", section)
    assert -5 <= top <= 60
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(300)
    page.locator(".cd-sommaire details").evaluate("details => { details.open = true; }")
    page.locator(f".cd-sommaire a[href$='#{section}']").click()
    page.wait_for_timeout(900)
    top = page.evaluate("id => document.getElementById(id).getBoundingClientRect().top", section)
    assert -5 <= top <= 60


def test_the_menu_opens_in_place_on_a_phone(open_page: Open) -> None:
    page = open_page(LESSON, 390)
    menu = page.get_by_role("navigation", name="Menu du cours")
    assert not menu.is_visible()
    button = page.get_by_role("button", name="Menu", exact=True)
    button.click()
    expect(menu).to_be_visible()
    results = Axe().run(page)
    assert results.violations_count == 0, results.generate_report()
    page.keyboard.press("Escape")
    expect(menu).not_to_be_visible()
    expect(button).to_be_focused()
    button.click()
    page.get_by_role("button", name="Fermer le menu").click()
    expect(menu).not_to_be_visible()
    button.click()
    menu.get_by_role("link", name="Repères").click()
    page.wait_for_url("**/book/plan.html#partie-reperes")
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(menu).to_be_visible()


def test_the_lesson_reads_without_script(open_page: Open) -> None:
    page = open_page(LESSON, 390, java_script_enabled=False)
    page.locator(".cd-intuition summary").last.click()
    guess = page.locator(".cd-intuition")
    assert guess.get_by_text("Être sous la moyenne est donc la règle").is_visible()
    page.get_by_text("Les chiffres de la figure").first.click()
    assert page.get_by_role("cell", name="451").is_visible()
    assert page.locator(".cd-code summary").first.is_visible()


def test_code_is_out_of_the_way_until_asked_for(open_page: Open) -> None:
    page = open_page(LESSON)
    code = page.locator(".cd-code pre").first
    assert not code.is_visible()
    page.get_by_role("button", name="Montrer le code").first.click()
    assert code.is_visible()
    page.reload()
    assert page.locator(".cd-code pre").first.is_visible()
    page.get_by_role("button", name="Masquer le code").last.click()
    assert not page.locator(".cd-code pre").first.is_visible()


def test_theme_is_chosen_and_kept(open_page: Open) -> None:
    page = open_page("book/accueil")
    button = page.get_by_role("button", name="Thème")
    assert button.text_content() == "Thème automatique"
    button.click()
    assert button.text_content() == "Thème clair"
    button.click()
    page.reload()
    assert page.evaluate("document.body.dataset.theme") == "dark"


def test_a_corrupt_choice_breaks_nothing(open_page: Open) -> None:
    page = open_page("book/accueil")
    page.evaluate("localStorage.setItem('culture-d-theme', '<img src=x onerror=alert(1)>')")
    page.reload()
    assert page.evaluate("document.body.dataset.theme") == "auto"


def test_expired_data_warn_the_reader_of_an_old_site(browser: Browser, address: str) -> None:
    for day, expected in (("2026-12-31T12:00:00", 0), ("2027-01-02T12:00:00", 1)):
        with browser.new_context() as context:
            page = context.new_page()
            page.clock.set_fixed_time(day)
            page.goto(f"{address}/{LESSON}.html")
            warnings = page.get_by_text("Attention : ces données ont expiré").count()
            assert (warnings > 0) == bool(expected), day


def test_the_home_page_starts_the_first_lesson_in_one_tap(open_page: Open) -> None:
    page = open_page("index", 390)
    page.wait_for_url("**/book/accueil.html")
    page.get_by_role("link", name="Commencer").click()
    page.wait_for_url(f"**/{LESSON}.html")


@pytest.mark.parametrize("word", ["médiane", "mediane", "MÉDIANES", "zzzz"])
def test_search_answers_in_french(open_page: Open, word: str) -> None:
    page = open_page("book/accueil", 390)
    page.get_by_role("button", name="Menu", exact=True).click()
    page.get_by_label("Rechercher dans le cours").fill(word)
    page.get_by_role("button", name="Chercher").click()
    page.wait_for_url("**/search.html*")
    status = page.get_by_role("status")
    expect(status).to_contain_text("résultat")
    text = page.get_by_role("main").inner_text()
    assert not re.search(r"search|result\w* found|match", text, re.IGNORECASE), text
    found = page.locator("#cd-resultats a", has_text="Moyenne ou médiane")
    expect(found).not_to_have_count(0) if word != "zzzz" else expect(found).to_have_count(0)


@pytest.mark.parametrize("by_file", [False, True])
def test_the_explorable_of_the_lesson_moves(
    browser: Browser, address: str, site: Path, by_file: bool
) -> None:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        base = site.as_uri() if by_file else address
        page.goto(f"{base}/{LESSON}.html")
        slider = page.locator(".cd-explorable input[type=range]")
        slider.focus()
        for _ in range(3):
            page.keyboard.press("PageUp")
        status = page.locator(".cd-explorable [role=status]")
        expect(status).to_contain_text("la médiane reste à 900")
        page.get_by_label("Communes affichées").focus()
        page.get_by_label("Communes affichées").select_option("80")
        expect(status).to_contain_text("Somme (80)")
        expect(status).to_contain_text("733")


def test_the_lesson_prints_unfolded(open_page: Open) -> None:
    page = open_page(LESSON)
    page.emulate_media(media="print")
    assert page.get_by_role("cell", name="451").is_visible()
    assert not page.locator(".cd-menu").is_visible()
    pdf = page.pdf(format="A4")
    assert pdf.startswith(b"%PDF")


def test_a_dark_reader_prints_black_on_white(open_page: Open) -> None:
    page = open_page(LESSON)
    page.evaluate("document.body.dataset.theme = 'dark'")
    page.emulate_media(media="print", color_scheme="dark")
    colours = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert colours == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]


@pytest.mark.parametrize("name", ["book/accueil", LESSON])
def test_text_twice_as_large_stays_in_the_screen(open_page: Open, name: str) -> None:
    page = open_page(name, 390)
    page.add_style_tag(content="html { font-size: 225% !important; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize(("width", "beside"), [(390, False), (1280, False), (1440, True)])
def test_the_contents_stand_where_they_are_seen(open_page: Open, width: int, beside: bool) -> None:
    """Beside the text on a wide screen; folded above the title on others."""
    page = open_page(LESSON, width)
    contents = page.locator(".cd-sommaire").bounding_box()
    title = page.locator("main h1").bounding_box()
    assert contents and title
    assert (contents["x"] > title["x"] + title["width"] - 1) == beside
    assert contents["y"] < 200
    assert page.locator(".cd-sommaire details[open]").count() == int(beside)
