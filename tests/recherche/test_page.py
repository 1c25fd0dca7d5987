"""The search page as a reader uses it, from a server and from a stick, without network."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from culture_d.book.search import INDEX, PageText, Section, index_script

Ask = Callable[..., Page]

# Axe would fetch the stylesheets, which a page opened from a folder cannot.
NO_FETCH = {"preload": False, "resultTypes": ["violations"]}
INTRUDER = "<img src=x onerror=\"window.intruded = 'image'\"><script>window.intruded = 1</script>"
LONG = "Une phrase qui ne dit rien du sujet, pour que le passage soit loin du début. " * 20
SMALL = [
    PageText(
        "elus.html",
        "Les élues et les élus",
        [
            Section("", "Les élues et les élus", "Bonjour."),
            Section("role", "Leur rôle", "L’élue vote. Une œuvre d’art, un cœur de ville."),
            Section("signes", "Des signes", f"{'😀' * 301}.pictogramme.{'😀' * 601}"),
            Section("plus", "Pour finir", LONG + "Ici vient la délibération, enfin. " + LONG),
        ],
    ),
    PageText(
        "nombres.html",
        "Les nombres",
        [
            Section(
                "", "Les nombres", "La moyenne de 34\u202f875 communes : 1\u00a0960 habitants."
            ),
            Section("pieges", "Les pièges", "Des moyennes locales, des totaux, un plan communal."),
            Section("intrus", f"Un titre {INTRUDER}", f"Un texte intrus {INTRUDER} très intrus."),
        ],
    ),
    PageText(
        "suite.html",
        "Une longue suite",
        [Section(f"s{n}", f"Étape {n}", f"Le jalon n° {n}.") for n in range(1, 26)],
    ),
]


@pytest.fixture(scope="module")
def small(site: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of the search page, from a folder, on a course of three pages."""
    folder = tmp_path_factory.mktemp("Clé d’élue") / "culture-d"
    (folder / "_static").mkdir(parents=True)
    shutil.copytree(site / "_static", folder / "_static", dirs_exist_ok=True)
    shutil.copy(site / "search.html", folder)
    (folder / INDEX).write_text(index_script(SMALL), encoding="utf-8")
    return folder.as_uri()


class Desk:
    """One browser window without network for all the queries, and what went wrong in it."""

    def __init__(self, browser: Browser, base: str) -> None:
        self.browser = browser
        self.base = base
        self.faults: list[str] = []
        self.contexts: list[BrowserContext] = []
        self.page = self.window(offline=True)

    def window(self, **options: object) -> Page:
        self.contexts.append(self.browser.new_context(**options))  # type: ignore[arg-type]
        page = self.contexts[-1].new_page()
        page.on("console", lambda message: self.faults.append(message.text))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("requestfailed", self.note_failure)
        return page

    def note_failure(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # the next query came before the last file
            self.faults.append(f"{request.url}: {request.failure}")

    def ask(self, query: str, base: str = "", **options: object) -> Page:
        page = self.window(**options) if base or options else self.page
        page.goto(f"{base or self.base}/search.html?q={quote(query)}")
        return page


@pytest.fixture(scope="module")
def desk(browser: Browser, small: str) -> Iterator[Desk]:
    desk = Desk(browser, small)
    yield desk
    for context in desk.contexts:
        context.close()


@pytest.fixture
def ask(desk: Desk) -> Iterator[Ask]:
    """Open the search page on a query; at the end, nothing went wrong in it."""
    desk.faults.clear()
    desk.page.set_viewport_size({"width": 1280, "height": 900})
    yield desk.ask
    assert desk.faults == []


def status(page: Page) -> str:
    state = page.get_by_role("status")
    expect(state).not_to_be_empty()
    return state.inner_text()


def links(page: Page) -> list[str]:
    status(page)
    found: list[str] = page.locator("#cd-resultats a").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    return found


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        # capitals, accents, feminines, plurals
        ("élu", {"elus.html", "elus.html#role"}),
        ("ELUES", {"elus.html", "elus.html#role"}),
        ("elus", {"elus.html", "elus.html#role"}),
        ("élue", {"elus.html", "elus.html#role"}),
        # apostrophes of both kinds, ligatures typed or not
        ("l'élu", {"elus.html", "elus.html#role"}),
        ("l’élu", {"elus.html", "elus.html#role"}),
        ("oeuvres", {"elus.html#role"}),
        ("œuvre", {"elus.html#role"}),
        ("COEUR", {"elus.html#role"}),
        # beginnings and families of words
        ("delib", {"elus.html#plus"}),
        ("délibérer", {"elus.html#plus"}),
        ("moyennes", {"nombres.html", "nombres.html#pieges"}),
        ("total", {"nombres.html#pieges"}),
        ("communaux", {"nombres.html#pieges"}),
        # numbers with their thousands
        ("34 875", {"nombres.html"}),
        ("34875", {"nombres.html"}),
        ("1960", {"nombres.html"}),
        # all words, wherever they are in the section; common ones do not count
        ("moyenne habitants", {"nombres.html"}),
        ("la moyenne de la commune", {"nombres.html"}),
        # accents written with a separate sign
        ("de\u0301libe\u0301ration", {"elus.html#plus"}),
    ],
)
def test_a_word_is_found_however_it_is_written(ask: Ask, query: str, expected: set[str]) -> None:
    assert set(links(ask(query))) == expected


def test_words_that_differ_are_not_mixed(ask: Ask) -> None:
    assert "nombres.html" not in links(ask("communal"))
    assert links(ask("dela")) == []


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("zzzz", "Aucun résultat pour « zzzz »."),
        ("délibération", "1 résultat pour « délibération »."),
        ("élu", "2 résultats pour « élu »."),
        ("jalon", "25 résultats pour « jalon »."),
        (".*+?^${}()|[]\\", "Aucun résultat pour « .*+?^${}()|[]\\ »."),
        ("%E0%A4%A", "Aucun résultat pour « %E0%A4%A »."),
        (
            "délibération zzzz",
            "Aucun passage ne contient tous ces mots. "
            "1 résultat pour une partie de « délibération zzzz ».",
        ),
    ],
)
def test_the_sentence_is_right(ask: Ask, query: str, sentence: str) -> None:
    page = ask(query)
    assert status(page).replace("\u00a0", " ") == sentence
    assert page.locator("#cd-recherche-conseils").is_visible() == sentence.startswith(
        "Aucun résultat"
    )


def test_the_excerpt_shows_the_word_where_it_is(ask: Ask) -> None:
    page = ask("deliberations")
    excerpt = page.locator("#cd-resultats p")
    expect(excerpt.locator("mark")).to_have_text("délibération")
    text = excerpt.inner_text()
    assert text.startswith("… ") and text.endswith(" …")
    assert len(text) < 300
    heading = page.get_by_role("heading", level=2)
    expect(heading).to_have_text("Pour finir dans «\u00a0Les élues et les élus\u00a0»")


def test_the_query_stays_in_the_fields_the_title_and_the_address(ask: Ask) -> None:
    page = ask("élu & cœur")
    assert status(page)
    for label in ("Un ou plusieurs mots", "Rechercher dans le cours"):
        expect(page.get_by_label(label)).to_have_value("élu & cœur")
    assert page.title().startswith("«\u00a0élu & cœur\u00a0»")
    assert page.url.endswith(f"?q={quote('élu & cœur')}")


@pytest.mark.parametrize("query", [INTRUDER, "intrus", "onerror"])
def test_markup_is_only_text(ask: Ask, query: str) -> None:
    page = ask(query)
    assert status(page)
    page.wait_for_timeout(50)
    assert page.evaluate("window.intruded") is None
    assert page.locator("main img, main script").count() == 0
    assert "onerror" in page.locator("#cd-resultats").inner_text()


@pytest.mark.parametrize("query", ["", "   "])
def test_no_word_no_search(ask: Ask, query: str) -> None:
    page = ask(query)
    page.wait_for_load_state("networkidle")
    expect(page.get_by_label("Un ou plusieurs mots")).to_have_value("")
    assert page.get_by_role("status").inner_text() == ""
    assert page.locator("#cd-resultats li").count() == 0
    loaded = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    assert not [one for one in loaded if "recherche.js" in one]


def test_a_thousand_characters_break_nothing(ask: Ask) -> None:
    page = ask("moyenne " * 125)
    assert len(status(page)) < 120
    assert set(links(page)) == {"nombres.html", "nombres.html#pieges"}
    page = ask("x" * 1000)
    assert status(page).replace("\u00a0", " ").startswith("Aucun résultat pour « xxx")
    page.set_viewport_size({"width": 320, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_a_query_is_cut_and_stripped_of_what_is_not_seen(ask: Ask) -> None:
    page = ask("dé\u00adlibé\u200bration\u202e")
    assert set(links(page)) == {"elus.html#plus"}
    expect(page.get_by_label("Un ou plusieurs mots")).to_have_value("délibération")
    page = ask("moyenne" + " " * 500 + "habitants")
    assert set(links(page)) == {"nombres.html"}
    page = ask("x" * 199 + "😀" * 9)
    expect(page.get_by_label("Un ou plusieurs mots")).to_have_value("x" * 199 + "😀")
    page = ask("a" + "😀" * 70)
    assert status(page).replace("\u00a0", " ") == f"Aucun résultat pour « a{'😀' * 59}… »."
    assert page.title().startswith(f"«\u00a0a{'😀' * 59}…\u00a0»")


def test_an_excerpt_without_space_is_cut_between_characters(ask: Ask) -> None:
    page = ask("pictogramme")
    (text,) = page.locator("#cd-resultats p").all_inner_texts()
    assert len(text) < 500 and text.encode("utf-8")
    assert set(text.replace("pictogramme", "")) == set("😀… .")
    expect(page.locator("#cd-resultats p mark")).to_have_text("pictogramme")


def test_many_results_come_by_twenties(ask: Ask) -> None:
    page = ask("jalon")
    assert len(links(page)) == 20
    page.get_by_role("button", name="Voir les 5 autres résultats").press("Enter")
    assert len(links(page)) == 25
    focused = page.evaluate("document.activeElement.getAttribute('href')")
    assert focused == links(page)[20]
    assert page.get_by_role("button", name="autres résultats").count() == 0


def test_texts_that_are_not_there_are_told(browser: Browser, site: Path, tmp_path: Path) -> None:
    shutil.copytree(site / "_static", tmp_path / "_static")
    shutil.copy(site / "search.html", tmp_path)
    (tmp_path / INDEX).unlink()
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{tmp_path.as_uri()}/search.html?q=commune")
        expect(page.get_by_role("status")).to_contain_text("n’ont pas pu être lus")


@pytest.mark.parametrize("by_file", [False, True])
def test_the_course_itself_is_searched(ask: Ask, address: str, site: Path, by_file: bool) -> None:
    base = site.as_uri() if by_file else address
    answers = [ask(query, base) for query in ("médiane", "MEDIANES")]
    assert links(answers[0]) == links(answers[1])
    assert links(answers[0])[0] == "book/glossaire.html#term-mediane"
    excerpts = answers[0].locator("#cd-resultats li", has_text="Essayez").locator("p mark")
    assert "médiane" in excerpts.all_inner_texts()


def test_the_menu_of_any_page_leads_there_by_keyboard(
    browser: Browser, address: str, site: Path
) -> None:
    for base in (address, site.as_uri()):
        with browser.new_context(viewport={"width": 390, "height": 844}) as context:
            page = context.new_page()
            page.goto(f"{base}/book/a-propos.html")
            page.get_by_role("button", name="Menu", exact=True).focus()
            page.keyboard.press("Enter")
            page.keyboard.press("Tab")
            page.keyboard.type("médiane")
            page.keyboard.press("Enter")
            page.wait_for_url("**/search.html?q=*")
            assert "résultats pour" in status(page)
            page.get_by_label("Un ou plusieurs mots").focus()
            page.keyboard.press("Tab")
            page.keyboard.press("Tab")
            page.keyboard.press("Enter")
            page.wait_for_url("**/book/glossaire.html#term-mediane")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_results_and_advice_are_accessible(ask: Ask, theme: str) -> None:
    for query in ("élu", "zzzz"):
        page = ask(query, color_scheme=theme, viewport={"width": 320, "height": 900})
        assert status(page)
        results = Axe().run(page, options=NO_FETCH)
        assert results.violations_count == 0, (query, results.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_results_twice_as_large_stay_in_the_screen(ask: Ask) -> None:
    page = ask("jalon")
    page.set_viewport_size({"width": 390, "height": 900})
    page.add_style_tag(content="html { font-size: 225% !important; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_axe_sees_a_result_without_a_name(ask: Ask) -> None:
    page = ask("élu")
    assert status(page)
    page.evaluate("document.querySelector('#cd-resultats a').textContent = ''")
    assert Axe().run(page, options=NO_FETCH).violations_count > 0


def test_without_script_the_page_says_where_to_look(ask: Ask) -> None:
    page = ask("élu", java_script_enabled=False)
    assert page.locator("noscript p", has_text="La recherche a besoin de JavaScript").is_visible()
    assert not page.get_by_label("Un ou plusieurs mots").is_visible()
    assert page.locator("noscript a[href='book/glossaire.html']").is_visible()


def test_the_page_lets_no_text_become_code(desk: Desk) -> None:
    page = desk.ask("élu")
    assert status(page)
    page.evaluate("setTimeout('window.intruded = 1')")
    page.wait_for_timeout(50)
    assert page.evaluate("window.intruded") is None
    assert any("Content Security Policy" in fault for fault in desk.faults)
