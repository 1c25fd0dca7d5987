"""The choice as a reader makes it, what is kept of it, and the sentences it gives."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from culture_d.catalogue import load_dataset
from culture_d.commune_lines import LINES, checked_lines, dates, placeholder, plain_text
from culture_d.errors import DatasetError, ManifestError, UnknownCommuneLine
from culture_d.project import Project
from tests.families import SOME

PAGE = "book/ma-commune.html"
KEY = "culture-d-commune"
FIELD = "Nom de la commune, ou code postal"
KINDS = {
    "CC": "communauté de communes",
    "CA": "communauté d'agglomération",
    "CU": "communauté urbaine",
    "METRO": "métropole",
    "MET69": "métropole",
}


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext, address: str) -> Iterator[Page]:
    faults: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda one: faults.append(one.text) if one.type == "error" else None)
    page.goto(f"{address}/{PAGE}")
    yield page
    assert faults == []


def status(page: Page) -> Any:
    return page.locator(".cd-commune-etat")


def choose(page: Page, typed: str, button: str | re.Pattern[str]) -> None:
    search(page, typed)
    page.locator(".cd-commune-liste").get_by_role("button", name=button).first.click()
    expect(status(page)).to_contain_text("Commune choisie")


def stored(page: Page) -> Any:
    return json.loads(page.evaluate(f"localStorage.getItem('{KEY}')"))


def search(page: Page, typed: str) -> None:
    page.get_by_label(FIELD).fill(typed)
    page.locator(".cd-commune-form button").click()


def test_a_choice_by_keyboard_alone(page: Page) -> None:
    page.get_by_label(FIELD).focus()
    page.keyboard.type("amien")
    expect(status(page)).to_have_text(re.compile("réponse"))
    page.keyboard.press("Enter")
    button = page.locator(".cd-commune-liste button").first
    expect(button).to_be_focused()
    expect(button).to_contain_text("Somme (80) · 80000, 80080, 80090")
    page.keyboard.press("ArrowUp")
    expect(page.get_by_label(FIELD)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(status(page)).to_have_text("Commune choisie : Amiens, Somme (80).")
    expect(page.locator(".cd-commune")).to_be_focused()
    assert stored(page)["code"] == "80021"
    # Enter once more must not undo it.
    page.keyboard.press("Enter")
    assert stored(page)["code"] == "80021"


def test_a_choice_is_kept_told_and_forgotten_at_a_click(page: Page) -> None:
    page.evaluate(
        "document.addEventListener('culture-d:commune', (e) => (window.told ??= []).push(e.detail))"
    )
    forget = page.get_by_role("button", name="Oublier ma commune")
    expect(forget).to_be_hidden()
    choose(page, "amiens", "Amiens")
    page.reload()
    assert page.evaluate("cultureD.commune.get().name") == "Amiens"
    expect(page.locator(".cd-commune-lignes")).to_contain_text("Amiens, Somme (80)")
    page.evaluate(
        "document.addEventListener('culture-d:commune', (e) => (window.told ??= []).push(e.detail))"
    )
    choose(page, "77186", "Noisiel")
    forget.click()
    expect(status(page)).to_contain_text("oubliée")
    told = page.evaluate("window.told.map((one) => one && one.code)")
    assert told == ["77337", None]
    assert page.evaluate("Object.keys(localStorage)") == []
    assert page.evaluate("cultureD.commune.get()") is None
    expect(page.locator(".cd-commune-lignes")).to_have_count(0)


def test_a_former_commune_leads_to_todays_and_says_it(page: Page) -> None:
    choose(page, "la guyonniere", "La Guyonnière")
    expect(status(page)).to_contain_text("Montaigu-Vendée, Vendée (85)")
    expect(status(page)).to_contain_text("La Guyonnière n’est plus une commune depuis 2019.")
    assert stored(page)["code"] == "85146"


def test_paris_is_not_said_twice_and_two_links_lead_on(page: Page) -> None:
    onward = page.locator("#choisir-commune a")
    assert not onward.first.is_visible()
    choose(page, "paris", re.compile("^Paris"))
    expect(status(page)).to_have_text("Commune choisie : Paris (75).")
    for typed, where in (
        ("conty", "à Conty"),
        ("le havre", "au Havre"),
        ("les abymes", "aux Abymes"),
    ):
        choose(page, typed, re.compile(typed, re.IGNORECASE))
        expect(onward).to_have_text([f"Voir ce que la loi demande {where}", "Continuer le cours"])
    hrefs = onward.evaluate_all("links => links.map((one) => one.getAttribute('href'))")
    assert hrefs == ["ce-que-la-loi-demande.html", "parcours.html"]
    page.get_by_role("button", name="Oublier ma commune").click()
    assert not onward.first.is_visible()


def test_signs_without_a_letter_are_answered(page: Page) -> None:
    search(page, "😀 !")
    expect(status(page)).to_contain_text("s’écrit avec des lettres")
    search(page, "  ")
    expect(status(page)).to_be_empty()


def test_a_commune_that_cannot_be_forgotten_is_said(page: Page) -> None:
    choose(page, "amiens", "Amiens")
    page.evaluate("() => { Storage.prototype.removeItem = () => { throw new Error('non'); }; }")
    page.get_by_role("button", name="Oublier ma commune").click()
    expect(status(page)).to_contain_text("refuse d’oublier ce choix")
    expect(page.locator(".cd-commune-lignes")).to_contain_text("Amiens")


def test_a_choice_made_in_another_tab_shows_here(page: Page, context: BrowserContext) -> None:
    other = context.new_page()
    other.goto(page.url)
    for one in (page, other):
        one.evaluate(
            "() => { window.told = 0;"
            " document.addEventListener('culture-d:commune', () => (window.told += 1)); }"
        )
    choose(page, "amiens", "Amiens")
    expect(other.locator(".cd-commune-lignes")).to_contain_text("Amiens")
    page.evaluate("localStorage.setItem('culture-d-theme', 'dark')")
    other.get_by_role("button", name="Oublier ma commune").click()
    expect(page.locator(".cd-commune-lignes")).to_have_count(0)
    expect(status(page)).to_be_empty()
    page.wait_for_timeout(200)
    assert [one.evaluate("window.told") for one in (page, other)] == [2, 2]


def test_more_answers_come_when_asked(page: Page) -> None:
    search(page, "51300")
    expect(status(page)).to_contain_text("46 réponses")
    items = page.locator(".cd-commune-liste li")
    expect(items).to_have_count(21)
    page.get_by_role("button", name="Voir les 26 autres réponses").click()
    expect(items).to_have_count(46)
    expect(items.nth(20).locator("button")).to_be_focused()


def test_it_works_from_a_disk(context: BrowserContext, site: Path) -> None:
    page = context.new_page()
    page.goto(f"{site.as_uri()}/{PAGE}")
    choose(page, "mamoudzou", "Mamoudzou")
    expect(page.locator(".cd-commune-lignes")).to_contain_text("habitants en 2017")
    page.reload()
    expect(page.locator(".cd-commune-lignes")).to_contain_text("Mamoudzou")


def test_without_script_the_page_says_what_it_needs(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{address}/{PAGE}")
        expect(page.get_by_text("doit exécuter le script de cette page")).to_be_visible()
        expect(page.get_by_text("restent dans ce navigateur")).to_be_visible()
        expect(page.locator(".cd-commune")).to_be_hidden()


def test_a_browser_that_keeps_nothing_is_said(page: Page) -> None:
    page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('plein'); }; }")
    choose(page, "amiens", "Amiens")
    expect(status(page)).to_contain_text("il vaut pour cette page seulement")
    expect(page.locator(".cd-commune-lignes")).to_contain_text("Amiens")


def test_files_that_cannot_be_read_are_said(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.route("**/_static/commune/**", lambda route: route.abort())
    page.goto(f"{address}/{PAGE}")
    search(page, "amiens")
    expect(status(page)).to_contain_text("n’a pas pu être lue")
    page.unroute("**/_static/commune/**")
    search(page, "amiens")
    expect(status(page)).to_have_text("2 réponses.")


# What is kept is checked before it is believed


def _set(record: dict[str, Any], path: str, value: object) -> None:
    *parents, last = path.split(".")
    target: Any = record
    for one in parents:
        target = target[int(one) if one.isdigit() else one]
    target[last] = value


FORGERIES: list[tuple[str, object]] = [
    ("version", "0000000000"),
    ("version", None),
    ("code", "8002"),
    ("code", 80021),
    ("name", "<img src=x onerror=alert(1)>"),
    ("name", "A&amp;"),
    ("name", ""),
    ("name", "a" * 200),
    ("name", ["Amiens"]),
    ("population", "136449"),
    ("population", -1),
    ("population", 1.5),
    ("population", -0.0),
    ("france.smaller", -0.0),
    ("population", 2**53),
    ("population", None),
    ("department", None),
    ("department.name", "<b>Somme</b>"),
    ("department.code", "80<b>"),
    ("department.smaller", 100_000),
    ("department.count", 0),
    ("france", []),
    ("france.smaller", -1),
    ("department.code", 80),
    ("epci.code", 246500000),
    ("epci", "CA"),
    ("epci.type", "toString"),
    ("epci.code", "<script>"),
    ("epci.name", "<script>"),
    ("epci.population", "x"),
    ("similar", None),
    ("similar", [{}] * 3),
    ("similar.0.name", "<i>x</i>"),
    ("similar.0.population", None),
    ("scope", None),
    ("scope", "europe"),
    ("scope", ["france"]),
    ("scope", "department"),
    ("similar.4.department", None),
    ("similar.0.department", "Somme"),
    ("similar.0.department.name", "<b>Somme</b>"),
    ("similar.0.department.code", "80<b>"),
]


def test_a_record_that_is_not_sound_is_as_if_nothing_were_chosen(page: Page) -> None:
    choose(page, "amiens", "Amiens")
    sound = page.evaluate(f"localStorage.getItem('{KEY}')")
    accepted = """(text) => {
      localStorage.setItem("culture-d-commune", text);
      return cultureD.commune.get() !== null;
    }"""
    assert page.evaluate(accepted, sound)
    for path, value in FORGERIES:
        record = json.loads(sound)
        _set(record, path, value)
        assert not page.evaluate(accepted, json.dumps(record)), path
    six = json.loads(sound)
    six["similar"] *= 2
    # As it was before communes could be compared in all France.
    older = json.loads(sound)
    del older["scope"]
    bad = [json.dumps(six), json.dumps(older)]
    for text in ("", "{", "null", "[]", "3", '"Amiens"', "{}", sound[:-5], *bad):
        assert not page.evaluate(accepted, text), text
    choose(page, "abergement clemenciat", "Abergement")
    near = stored(page)
    assert near["scope"] == "department" and "department" not in near["similar"][0]
    assert not page.evaluate(accepted, json.dumps({**near, "scope": "france"}))
    page.evaluate(accepted, json.dumps({**json.loads(sound), "name": "<img src=x onerror=a()>"}))
    page.reload()
    expect(page.locator(".cd-commune-lignes")).to_have_count(0)
    assert page.locator("main img").count() == 0


def test_a_record_of_older_figures_is_made_again(page: Page) -> None:
    choose(page, "amiens", "Amiens")
    page.evaluate(
        f"localStorage.setItem('{KEY}', localStorage.getItem('{KEY}')"
        '.replace(/"version":"[^"]*"/, \'"version":"ancienne"\'))'
    )
    page.reload()
    expect(status(page)).to_contain_text("Les chiffres du cours ont changé depuis votre choix")
    expect(page.locator(".cd-commune-lignes")).to_have_count(0)
    page.locator(".cd-commune-liste button").first.click()
    expect(status(page)).to_contain_text("Commune choisie")
    assert stored(page)["version"] != "ancienne"
    expect(page.locator(".cd-commune-lignes")).to_contain_text("Amiens")


def test_markup_typed_is_text(page: Page) -> None:
    search(page, "<img src=x onerror='document.title=1'>amiens")
    expect(status(page)).not_to_be_empty()
    assert page.locator("main img").count() == 0
    assert page.title() != "1"


# Axe in each state


def _check(page: Page, state: str) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        results = Axe().run(page)
        assert results.violations_count == 0, (state, scheme, results.generate_report())
    for width in (320, 390):
        page.set_viewport_size({"width": width, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state
    small = page.evaluate(
        """[...document.querySelectorAll('#choisir-commune :is(button, input)')]
           .filter((one) => one.offsetParent && one.offsetHeight < 44).length"""
    )
    assert small == 0, state


def test_axe_in_each_state(page: Page) -> None:
    _check(page, "vide")
    search(page, "montaigu")
    expect(status(page)).to_contain_text("réponses")
    _check(page, "réponses")
    search(page, "zzzzz")
    expect(status(page)).to_contain_text("Aucune commune")
    _check(page, "rien")
    search(page, "papeete")
    expect(status(page)).to_contain_text("pas de chiffres")
    _check(page, "hors données")
    choose(page, "saint remy en bouzemont", re.compile("Saint-Remy"))
    _check(page, "choisie")


# Sentences, computed again with other code


def number(value: int) -> str:
    return f"{value:,}".replace(",", "\u202f")


def people(value: int) -> str:
    return {0: "aucun\u00a0habitant", 1: "1\u00a0habitant"}.get(
        value, f"{number(value)}\u00a0habitants"
    )


def compared(who: str, own: int, others: pd.Series) -> str:
    below = int((others < own).sum())
    if others.empty:
        return "c'est la seule commune."
    if below == len(others):
        return "c'est la commune la plus peuplée."
    if below == 0:
        return "aucune commune n'a moins d'habitants."
    than = "qu'une seule" if below == 1 else f"que {number(below)}"
    return f"{who} a plus d'habitants {than} des {number(len(others))} autres communes."


Row = dict[str, Any]
Similar = dict[str, tuple[str, list[str]]]


def by_code(table: pd.DataFrame) -> dict[str, Row]:
    return {row["code"]: row for row in table.to_dict("records")}


def compared_with(
    own: Row, scope: str, codes: list[str], rows: dict[str, Row], land: dict[str, str]
) -> list[Any]:
    """The sentences on the communes near in size, for a commune that has an EPCI."""
    where = "dans le même département" if scope == "department" else "en France"
    items, far = [], 0
    for other in (rows[code] for code in codes):
        name = other["nom"]
        if scope == "france":
            at = land[other["departement"]]
            inside = [at, other["departement"]] if at != name else [other["departement"]]
            name += f" ({', '.join(inside)})"
        items.append(f"{name}\u00a0: {people(other['population'])}")
        far += abs(other["population"] - own["population"]) > own["population"] / 4
    end = "toutes" if far == len(codes) else f"{far} sur {len(codes)}"
    return [
        f"Les plus proches par la population, {where} et dans le même genre "
        f"d'intercommunalité ({KINDS[own['type']]})\u00a0:",
        items,
        *([f"L'écart de population dépasse 25\u202f% pour {end}."] if far else []),
    ]


RECORDS = """async (asked) => {
  const { record, load, readMap } = cultureD.chercherCommune;
  const { departements } = await readMap();
  const answers = [];
  for (const [code, chunk] of asked) {
    const made = record(code, await load(`d${chunk}`), departements);
    localStorage.setItem("culture-d-commune", JSON.stringify(made));
    const read = cultureD.commune.get();
    document.dispatchEvent(new CustomEvent("culture-d:commune", { detail: read }));
    const lines = [...document.querySelectorAll(".cd-commune-lignes > *")];
    answers.push([made, read && lines.map((line) => line.tagName === "UL"
      ? [...line.children].map((one) => one.textContent) : line.textContent)]);
  }
  return answers;
}"""


def sample(communes: pd.DataFrame) -> list[str]:
    """Extremes and singular cases first, then one commune in three hundred."""
    by_size = communes.sort_values(["population", "code"])
    first = [*by_size["code"].head(9), by_size["code"].iloc[-1]]
    for _, rows in communes.groupby("departement"):
        ordered = rows.sort_values("population")["code"]
        first += [ordered.iloc[0], *ordered.iloc[1:2], ordered.iloc[-1]]
    first += list(communes.loc[communes["epci"] == "", "code"])
    return list(dict.fromkeys([*first, *communes["code"].iloc[::300]]))


def test_the_record_and_its_sentences_are_right(
    page: Page,
    site: Path,
    communes: pd.DataFrame,
    epci: pd.DataFrame,
    departements: pd.DataFrame,
    table: pd.DataFrame,
    similar: Similar,
) -> None:
    title = epci.set_index("code")["nom"]
    land = dict(zip(departements["code"], departements["nom"], strict=True))
    rows = by_code(table)
    members = communes.groupby("epci")["population"].sum()
    chunk_of = _chunks(site / "_static" / "commune")
    codes = sample(communes)
    assert len(codes) > 350
    populations = table["population"]
    by_land = dict(list(table.groupby("departement")))
    answers = page.evaluate(RECORDS, [[code, chunk_of[code]] for code in codes])
    for code, (made, lines) in zip(codes, answers, strict=True):
        own = table.loc[code]
        size, where = int(own["population"]), own["departement"]
        others = populations.drop(code)
        near = by_land[where].drop(code)
        assert made["code"] == code and made["name"] == own["nom"]
        assert made["department"] == {
            "code": where,
            "name": land[where],
            "count": len(near) + 1,
            "smaller": int((near["population"] < size).sum()),
        }
        assert made["france"] == {
            "count": 34_875,
            "smaller": int((others < size).sum()),
        }
        when = "en 2017" if where == "976" else "au 1er janvier 2023"
        place = own["nom"] if own["nom"] == land[where] else f"{own['nom']}, {land[where]}"
        wanted: list[Any] = [
            f"{place} ({where})\u00a0: {people(size)} {when} (population municipale).",
            f"Dans son département, {land[where]} ({where}), "
            + compared(own["nom"], size, near["population"]),
            "En France, " + compared("elle", size, others),
        ]
        if where == "976":
            wanted.append(
                "Ses habitants sont comptés en 2017, ceux des autres départements "
                "au 1er janvier 2023."
            )
        if not own["epci"]:
            assert made["epci"] is None
            wanted += [
                "Sans intercommunalité à fiscalité propre, elle n'est comparée à aucune autre.",
                "Cette commune n'a pas d'intercommunalité à fiscalité propre.",
            ]
        else:
            wanted += compared_with(rows[code], *similar[code], rows, land)
            short, _, rest = title[own["epci"]].partition(" ")
            full = f"{KINDS[short]} {rest}" if short in {"CC", "CA", "CU"} else title[own["epci"]]
            wanted.append(
                f"Son intercommunalité\u00a0: {full}, {people(int(members[own['epci']]))} {when}."
            )
        said = json.dumps(wanted, ensure_ascii=False).replace("'", "’")
        assert lines == json.loads(said), code


SIMILAR = """async (asked) => {
  const { record, load, readMap } = cultureD.chercherCommune;
  const { departements } = await readMap();
  const block = document.querySelector(".cd-commune");
  block.dataset.lignes = "semblables";
  const answers = [];
  for (const [code, chunk] of asked) {
    const made = record(code, await load(`d${chunk}`), departements);
    localStorage.setItem("culture-d-commune", JSON.stringify(made));
    const read = cultureD.commune.get();
    document.dispatchEvent(new CustomEvent("culture-d:commune", { detail: read }));
    const lines = [...block.querySelector(".cd-commune-lignes").children];
    answers.push([code, read.scope, read.similar.map((one) => one.code), lines.map((line) =>
      line.tagName === "UL" ? [...line.children].map((one) => one.textContent) : line.textContent)]);
  }
  return answers;
}"""


def wrong(
    answers: list[Any], table: pd.DataFrame, departements: pd.DataFrame, similar: Similar
) -> list[str]:
    """The communes whose scope, list or sentences are not those computed with pandas."""
    land = dict(zip(departements["code"], departements["nom"], strict=True))
    rows = by_code(table)
    found = []
    for code, scope, codes, lines in answers:
        wanted: list[Any] = [
            "Sans intercommunalité à fiscalité propre, elle n'est comparée à aucune autre."
        ]
        if rows[code]["kind"]:
            wanted = compared_with(rows[code], *similar[code], rows, land)
        said = json.loads(json.dumps(wanted, ensure_ascii=False).replace("'", "’"))
        if (scope, codes) != similar[code] or lines != said:
            found.append(code)
    return found


@pytest.mark.parametrize("some", SOME)
def test_every_commune_has_its_neighbours_in_size(
    some: slice,
    page: Page,
    files: Path,
    table: pd.DataFrame,
    departements: pd.DataFrame,
    similar: Similar,
) -> None:
    chunk_of = _chunks(files)
    assert set(similar) == set(chunk_of) == set(table["code"])
    asked = [[code, chunk_of[code]] for code in table["code"]]
    assert len(asked) == 34_875
    answers = page.evaluate(SIMILAR, asked[some])
    assert len(answers) == len(asked[some])
    assert wrong(answers, table, departements, similar) == []


def test_neighbours_in_another_order_or_of_another_scope_are_seen(
    page: Page,
    files: Path,
    table: pd.DataFrame,
    departements: pd.DataFrame,
    similar: Similar,
) -> None:
    (sound,) = page.evaluate(SIMILAR, [["80001", _chunks(files)["80001"]]])
    code, scope, codes, lines = sound
    assert wrong([sound], table, departements, similar) == []
    for answer in (
        [code, "department", codes, lines],
        [code, scope, codes[::-1], lines],
        [code, scope, codes[:4], lines],
        [code, scope, codes, [lines[0], lines[1][::-1]]],
        [code, scope, codes, [lines[0].replace("en France", "dans le même département"), lines[1]]],
    ):
        assert wrong([answer], table, departements, similar) == ["80001"]


def test_who_is_compared_with_whom(similar: Similar, table: pd.DataFrame) -> None:
    """What the page says of the choice, on the communes that made it necessary."""
    size, land = table["population"], table["departement"]
    assert similar["80001"][0] == "france"
    assert all(abs(size[code] - size["80001"]) * 4 <= size["80001"] for code in similar["80001"][1])
    for city in ("75056", "13055"):
        scope, codes = similar[city]
        assert scope == "france"
        assert all(abs(size[code] - size[city]) * 4 > size[city] for code in codes)
    # Lyon with Toulouse: the métropole de Lyon is counted with the others.
    assert similar["69123"][1][0] == "31555" and similar["31555"][1][0] == "69123"
    for code, (scope, codes) in similar.items():
        if land[code] == "976":
            assert scope == "department" and {land[one] for one in codes} == {"976"}
        elif scope == "france":
            assert len(codes) == 5 and "976" not in {land[one] for one in codes}
        else:
            assert len(codes) in ({3, 4, 5} if table.loc[code, "kind"] else {0})
    assert table.index[table["kind"] == ""].size == 4


def test_a_commune_alone_of_its_kind_is_said(page: Page) -> None:
    choose(page, "mamoudzou", "Mamoudzou")
    page.evaluate(
        """() => {
          const record = { ...cultureD.commune.get(), similar: [] };
          document.dispatchEvent(new CustomEvent("culture-d:commune", { detail: record }));
        }"""
    )
    expect(page.locator(".cd-commune-lignes")).to_contain_text(
        "Aucune autre commune dans le même département et dans le même genre d’intercommunalité "
        "(communauté d’agglomération)."
    )


def _chunks(files: Path) -> dict[str, int]:
    found = {}
    for path in files.glob("n*.js"):
        for _, code, chunk in re.findall(r"\bc\|([^|;]+)\|(\w{5})\|(\d+)", path.read_text("utf-8")):
            found[code] = int(chunk)
    return found


SITUATE = """([asked, data]) => {
  const block = document.querySelector(".cd-commune");
  Object.assign(block.dataset, data);
  return asked.map((record) => {
    document.dispatchEvent(new CustomEvent("culture-d:commune", { detail: record }));
    return block.querySelector(".cd-commune-lignes").textContent;
  });
}"""


def situated(own: Row, land: list[int], france: list[int], mean: int, middle: int) -> str:
    """The line « situer », from the sizes of all communes of the département and of France."""
    name, size = own["nom"], own["population"]
    count = people(size)

    def side(value: int) -> str:
        return "sous" if size < value else "juste à" if size == value else "au-dessus de"

    both = f"{side(mean)} la moyenne et {side(middle)} la médiane"
    if size > mean:
        both = "au-dessus de la moyenne et de la médiane"
    said = f"{name} {'compte' if size else 'ne compte'} {count}. "
    said += f"En France, la moyenne est de {people(mean)} et la médiane de {number(middle)}. "
    said += f"{name} est {both}."

    def part(sizes: list[int]) -> str:
        below = sum(other < size for other in sizes)
        if below in {0, len(sizes) - 1}:
            return ""
        share = 100 * below / len(sizes)
        return "moins de 1\u202f%" if share < 1 else f"{min(99, round(share))}\u202f%"

    def extreme(where: str, sizes: list[int]) -> str:
        if size == min(sizes):
            return f" {where}, aucune commune n'a moins d'habitants."
        return f" {where}, c'est la commune la plus peuplée."

    if not part(france):
        said += extreme("En France", france)
    else:
        said += f" Elle est plus peuplée que {part(france)} des communes de France"
        said += f", et que {part(land)} de celles de son département." if part(land) else "."
    if not part(land) and len(land) > 1:
        said += extreme("Dans son département", land)
    if own["departement"] == "976":
        said += " Ses habitants sont comptés en 2017, "
        said += "ceux des autres départements au 1er janvier 2023."
    return said.replace("'", "’")


def test_the_line_that_situates_is_right(
    page: Page, project: Project, communes: pd.DataFrame, table: pd.DataFrame
) -> None:
    html = placeholder(["situer"], "", project)
    given = re.search(r'data-moyenne="(\d+)" data-mediane="(\d+)"', html)
    assert given
    sizes = communes["population"]
    mean, middle = round(sizes.mean()), round(sizes.median())
    assert [int(one) for one in given.groups()] == [mean, middle]
    assert "data-moyenne" not in placeholder(["rang"], "", project)
    by_land = {code: list(rows["population"]) for code, rows in table.groupby("departement")}
    france = list(sizes)
    at_middle = communes.loc[sizes == middle, "code"].iloc[0]
    near_mean = communes.loc[(sizes - mean).abs().idxmin(), "code"]
    codes = ["75056", "97608", "80711", at_middle, near_mean, *sample(communes)[:330:3]]
    codes += list(communes.sort_values("population")["code"].iloc[[0, 6, 8, 400, -2, -300]])
    rows = by_code(table)
    asked, wanted = [], []
    for code in codes:
        own, land = rows[code], by_land[rows[code]["departement"]]
        size = own["population"]
        asked.append(
            {
                "name": own["nom"],
                "population": size,
                "department": {
                    "code": own["departement"],
                    "count": len(land),
                    "smaller": sum(one < size for one in land),
                },
                "france": {"count": len(france), "smaller": int((sizes < size).sum())},
            }
        )
        wanted.append(situated(own, land, france, mean, middle))
    # No commune has exactly the mean: one that would.
    asked.append({**asked[0], "name": "Juste", "population": mean})
    data = {"lignes": "situer", "moyenne": given[1], "mediane": given[2]}
    *found, just = page.evaluate(SITUATE, [asked, data])
    assert found == wanted
    assert "Juste est juste à la moyenne et au-dessus de la médiane." in just
    assert len(found) > 100
    for text in found:
        assert "\u202f100\u202f%" not in text and " 0\u202f%" not in text
        sentences = re.split(r"(?<=\.) ", text)
        assert max(len(one.split(" ")) for one in sentences) <= 22, text
    paris = found[0]
    assert paris.endswith("En France, c’est la commune la plus peuplée.")
    saint_ouen = found[2]
    assert saint_ouen.startswith("Saint-Ouen compte 1\u202f772\u00a0habitants. ")
    assert "Saint-Ouen est sous la moyenne et au-dessus de la médiane." in saint_ouen


def test_no_departement_has_two_communes(communes: pd.DataFrame) -> None:
    """The sentences say « autres communes »: true of none, or of several."""
    counts = communes["departement"].value_counts()
    assert counts[counts == 1].index.tolist() == ["75"]
    assert counts[counts > 1].min() > 2


# The room left on a page or in a notebook


def test_the_placeholder_invites_and_dates(project: Project) -> None:
    html = placeholder(["rang", "epci"], "../../", project)
    assert 'data-lignes="rang epci" data-date="au 1er janvier 2023" data-date976="en 2017"' in html
    assert (
        '<a href="../../book/ma-commune.html">Choisissez votre commune pour la situer ici' in html
    )
    assert 'data-valable-jusquau="2026-12-31"' in html
    assert checked_lines([]) == LINES[:4] and LINES[4:] == ("situer",)
    assert plain_text([], project).count(", ") == 3


@pytest.mark.parametrize("names", [["taille"], ["rang", "rang"], ["<b>"]])
def test_a_line_that_does_not_exist_is_refused(names: list[str], project: Project) -> None:
    with pytest.raises(UnknownCommuneLine, match="Lignes admises"):
        placeholder(names, "", project)


def test_a_notebook_writes_the_same_placeholder(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from culture_d import notebook

    shown: list[Any] = []
    monkeypatch.setattr(notebook, "display", lambda data, raw: shown.append(data))
    notebook.ma_commune("population", "rang")
    assert shown[0]["text/html"] == placeholder(["population", "rang"], "../../", project)
    assert "population, rang (au 1er janvier 2023" in shown[0]["text/plain"]


def test_a_manifest_without_the_year_of_mayotte_is_refused(course: Project) -> None:
    path = course.datasets / "communes" / "datapackage.json"
    text = path.read_text(encoding="utf-8").replace(" (Mayotte : 2017)", "")
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ManifestError, match="ne dit plus l'année de Mayotte"):
        dates(load_dataset(course.datasets / "communes"))


def test_a_name_with_a_sign_of_the_files_is_refused(course: Project) -> None:
    import hashlib

    from culture_d.commune_index import build_files

    path = course.datasets / "communes" / "communes.csv"
    broken = path.read_text(encoding="utf-8").replace("Ambérieu-en-Bugey", "Ambérieu|Bugey")
    path.write_text(broken, encoding="utf-8", newline="")
    manifest = path.with_name("datapackage.json")
    content = json.loads(manifest.read_text(encoding="utf-8"))
    content["resources"][0]["hash"] = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    manifest.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(DatasetError, match=r"ligne 4, contient le signe « \| »"):
        build_files(course)


def test_the_script_of_every_page_stays_small(project: Project) -> None:
    import gzip

    import culture_d

    book = Path(culture_d.__file__).parent / "book"
    script = (book / "components" / "commune.js").read_bytes()
    assert len(gzip.compress(script, 6)) <= 2600
    chooser = (book / "on_page" / "choisir-commune.js").read_bytes()
    assert len(gzip.compress(chooser, 6)) <= 6800


def test_other_pages_load_nothing_more(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/book/accueil.html")
    page.wait_for_load_state("networkidle")
    assert not [url for url in asked if "commune" in url]
    assert page.evaluate("cultureD.commune.get()") is None
