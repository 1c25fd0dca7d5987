"""Every commune is found, by the very script of the page, and at a small price."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page

from culture_d.folding import fold, keys
from tests.families import SOME

BUDGET = 15_000
PAGE = "book/ma-commune.html"


@pytest.fixture(scope="module")
def page(browser: Browser, site: Path) -> Iterator[Page]:
    """The page of the choice, opened from the disk."""
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{site.as_uri()}/{PAGE}")
        yield page


FIND = """async (asked) => {
  const { find } = cultureD.chercherCommune;
  const answers = [];
  for (const [text, code] of asked) {
    const { places, message } = await find(text, true);
    const found = places.some((one) => one.code === code);
    const exact = places.findIndex((one) => one.code === code);
    if (!found || !message) answers.push([text, code, message]);
    else if (exact >= 60) answers.push([text, code, `rang ${exact}`]);
  }
  return answers;
}"""


def find(page: Page, text: str, complete: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        "([text, complete]) => cultureD.chercherCommune.find(text, complete)", [text, complete]
    )
    return found


def names(found: dict[str, Any]) -> list[str]:
    return [place["name"] for place in found["places"]]


@pytest.mark.parametrize("some", SOME)
def test_every_commune_is_found_by_its_name_as_typed(
    page: Page, communes: pd.DataFrame, some: slice
) -> None:
    """Without accents, hyphens or capitals, as most people type."""
    assert len(communes) == 34_875
    plain = communes["nom"].str.normalize("NFD").str.encode("ascii", "ignore").str.decode("ascii")
    # « œ » has no plain form in Unicode: it is typed « oe ».
    plain = plain.where(~communes["nom"].str.contains("[œŒæ]"), communes["nom"])
    typed = plain.str.lower().str.replace("[-']", " ", regex=True)
    asked = list(zip(typed, communes["code"], strict=True))[some]
    assert page.evaluate(FIND, asked) == []


@pytest.mark.parametrize("some", SOME)
def test_every_commune_is_found_by_each_postal_code(
    page: Page, communes: pd.DataFrame, some: slice
) -> None:
    rows = communes.assign(postal=communes["codes_postaux"].str.split()).explode("postal")
    assert len(rows) > 35_300
    asked = list(zip(rows["postal"], rows["code"], strict=True))[some]
    assert page.evaluate(FIND, asked) == []


def test_the_search_of_this_test_sees_what_is_missing(page: Page) -> None:
    assert page.evaluate(FIND, [["Amiens", "80021"], ["Amiens", "01001"], ["80000", "01001"]]) == [
        ["Amiens", "01001", "2 réponses."],
        ["80000", "01001", "1 réponse."],
    ]


def test_every_former_name_leads_to_a_commune_of_today(
    page: Page, former: pd.DataFrame, communes: pd.DataFrame
) -> None:
    assert set(former["commune_actuelle"]) <= set(communes["code"])
    asked = list(zip(former["nom"], former["commune_actuelle"], strict=True))
    assert page.evaluate(FIND, asked) == []


def test_every_other_place_is_recognised(page: Page, lands: pd.DataFrame) -> None:
    districts = lands[lands["genre"] == "arrondissement"]
    assert len(districts) == 45
    postal = districts["codes_postaux"].str.split().str[0]
    asked = [*zip(districts["nom"], districts["commune"], strict=True)]
    asked += zip(postal, districts["commune"], strict=True)
    assert page.evaluate(FIND, asked) == []
    for name in lands.loc[lands["genre"] != "arrondissement", "nom"]:
        found = [place for place in find(page, name)["places"] if place["kind"] == "o"]
        assert name in [place["name"] for place in found], name


def test_folding_is_the_same_in_both_languages(
    page: Page, communes: pd.DataFrame, former: pd.DataFrame, lands: pd.DataFrame
) -> None:
    every = [*communes["nom"], *former["nom"], *lands["nom"]]
    every += ["St-Étienne", "STE-MARIE", "Boulogne s/ Mer", "11e", "1er", "3ÈME", "ŒUILLY", "L’Haÿ"]
    there = page.evaluate("(every) => every.map(cultureD.chercherCommune.fold)", every)
    assert there == [fold(name) for name in every]


def test_where_a_name_is_looked_up() -> None:
    assert keys("Saint-Germain-en-Laye") == {"germain en laye", "laye"}
    assert keys("L'Haÿ-les-Roses") == {"hay les roses", "lhay les roses", "roses"}
    assert keys("Le Saint") == {"saint"}
    assert keys("Y") == {"y"}


PRICE = """async ([asked, weights]) => {
  const { readMap, shardsFor, fold } = cultureD.chercherCommune;
  const { starts } = await readMap();
  const known = new Map();
  const asks = (typed) => {
    if (!known.has(typed)) known.set(typed, typed ? shardsFor(starts, typed, false).shards : []);
    return known.get(typed);
  };
  let worst = [0];
  for (const [text, chunk] of asked) {
    const used = new Set(["carte", `d${chunk}`]);
    for (let end = 1; end <= text.length; end++) {
      const typed = /^\\d/.test(text) ? (end === 5 ? text : "") : fold(text.slice(0, end));
      for (const shard of asks(typed)) used.add(`n${shard}`);
    }
    const whole = /^\\d/.test(text) ? text : fold(text);
    for (const shard of shardsFor(starts, whole, true).shards) used.add(`n${shard}`);
    const price = [...used].reduce((sum, name) => sum + weights[name], 0);
    if (!(price <= worst[0])) worst = [price, text, [...used]];
  }
  return worst;
}"""


def weights(files: Path) -> dict[str, int]:
    """Bytes of each file as a web server sends it."""
    return {path.stem: len(gzip.compress(path.read_bytes(), 6)) for path in files.glob("*.js")}


def chunks(files: Path) -> dict[str, int]:
    """The file of details of each commune, read in the files themselves."""
    found: dict[str, int] = {}
    for path in files.glob("n*.js"):
        text = path.read_text(encoding="utf-8").split(",", 1)[1].strip('"); \n')
        for line in text.split(";"):
            kind, *rest = line.split("|")
            if kind == "c":
                found[rest[1]] = int(rest[2])
    return found


def test_any_choice_costs_little_even_letter_by_letter(
    page: Page, files: Path, communes: pd.DataFrame
) -> None:
    chunk_of = chunks(files)
    assert set(chunk_of) == set(communes["code"])
    every = weights(files)
    rows = communes.assign(postal=communes["codes_postaux"].str.split()).explode("postal")
    for column, table in (("nom", communes), ("postal", rows)):
        asked = [
            [text, chunk_of[code]] for text, code in zip(table[column], table["code"], strict=True)
        ]
        price, text, used = page.evaluate(PRICE, [asked, every])
        assert 5_000 < price <= BUDGET, (text, used)


def test_a_shard_too_heavy_is_seen(page: Page, files: Path) -> None:
    every = dict.fromkeys(weights(files), BUDGET)
    price, text, used = page.evaluate(PRICE, [[["Amiens", 1]], every])
    assert price > BUDGET and text == "Amiens" and len(used) >= 3


@pytest.mark.parametrize("typed", ["s", "sa", "sai", "saint", "ste", "le", "les", "bo", "m", "L'"])
def test_too_few_letters_load_nothing(page: Page, typed: str) -> None:
    found = find(page, typed, complete=False)
    assert found["places"] == []
    assert "joutez" in found["message"]


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("abergement clemenciat", "L'Abergement-Clémenciat"),
        ("labergement clem", "L'Abergement-Clémenciat"),
        ("L’ABERGEMENT-CLÉM", "L'Abergement-Clémenciat"),
        ("st germain en l", "Saint-Germain-en-Laye"),
        ("Ste Mère Egl", "Sainte-Mère-Église"),
        ("havre", "Le Havre"),
        ("bourg en", "Bourg-en-Bresse"),
        ("laye", "Laye"),
        ("boulogne s/ mer", "Boulogne-sur-Mer"),
        ("boulogne mer", "Boulogne-sur-Mer"),
        ("eu", "Eu"),
        ("Y", "Y"),
        ("le saint", "Le Saint"),
        ("oeuilly", "Œuilly"),
        ("paris 11e", "Paris 11e arrondissement"),
        ("Paris 11ème", "Paris 11e arrondissement"),
        ("PARIS 1", "Paris 1er arrondissement"),
        ("lyon 3", "Lyon 3e arrondissement"),
        ("75011", "Paris 11e arrondissement"),
        ("75 116", "Paris 16e arrondissement"),
        ("13005", "Marseille 5e arrondissement"),
        ("mamoudzou", "Mamoudzou"),
        ("cayenne", "Cayenne"),
        ("pointe a pitre", "Pointe-à-Pitre"),
        ("fort de france", "Fort-de-France"),
        ("97400", "Saint-Denis"),
        ("20000", "Ajaccio"),
        ("paris", "Paris"),
        ("saint denis", "Saint-Denis"),
    ],
)
def test_what_people_type_finds_first_what_they_mean(page: Page, typed: str, first: str) -> None:
    assert names(find(page, typed))[0] == first


def test_among_homonyms_the_largest_comes_first_and_all_are_told_apart(
    page: Page, communes: pd.DataFrame
) -> None:
    found = [one for one in find(page, "sainte colombe")["places"] if one["kind"] == "c"]
    same = communes[communes["nom"] == "Sainte-Colombe"].sort_values("population")
    homonyms = [one for one in found if one["name"] == "Sainte-Colombe"]
    assert [one["code"] for one in homonyms] == list(same["code"])[::-1]
    assert len({(one["code"][:2], one["postal"]) for one in homonyms}) == len(same) > 10


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("1400", "tapez 01400"),
        ("140", "cinq chiffres"),
        ("014000", "Vous en avez tapé plus"),
        ("99999", "Aucune commune n'a ce code postal"),
        ("zzzzz", "Aucune commune trouvée"),
        ("<img src=x onerror=alert(1)>", "Aucune commune trouvée"),
        ("saint", "ajoutez le mot qui suit"),
        ("polynesie", "n'a pas de chiffres"),
        ("97133", "n'a pas de chiffres"),
        ("98714", "n'a pas de chiffres"),
        ("   ", ""),
        ("'-", "s'écrit avec des lettres"),
    ],
)
def test_what_cannot_be_answered_is_said(page: Page, typed: str, message: str) -> None:
    found = find(page, typed)["message"]
    assert (message in found) if message else (found == "")


def test_a_chain_of_mergers_is_followed_to_its_end(page: Page) -> None:
    """Ammeville joined another in 1973, whose group became Saint-Pierre-en-Auge in 2017."""
    (place,) = find(page, "Ammeville")["places"]
    assert (place["today"], place["year"], place["event"]) == ("Saint-Pierre-en-Auge", "1973", "f")
    former_places = [one for one in find(page, "montaigu")["places"] if one["kind"] == "f"]
    vendee = next(one for one in former_places if one["code"] == "85146")
    assert (vendee["today"], vendee["year"], vendee["status"]) == (
        "Montaigu-Vendée",
        "2019",
        "commune déléguée",
    )


def test_pinned_former_names(former: pd.DataFrame) -> None:
    """Facts that can be read in Insee's own pages."""
    rows = former.set_index("nom")
    facts = {
        "La Guyonnière": ("fusion", "2019-01-01", "oui", "85146"),
        "Châlons-sur-Marne": ("changement de nom", "1998-01-04", "oui", "51108"),
        "Cherbourg-Octeville": ("fusion", "2016-01-01", "oui", "50129"),
        "Voisinlieu": ("fusion", "1943-02-19", "oui", "60057"),
        "Lamarche-en-Woëvre": ("fusion", "1973-01-01", "oui", "55386"),
    }
    for name, fact in facts.items():
        row = rows.loc[name, ["evenement", "date", "date_exacte", "commune_actuelle"]]
        assert tuple(row) == fact, name
    # Left its group in 2024 and is a commune again: not a former name.
    assert "Sannerville" not in rows.index
    late = former[former["date"] > "2019-01-01"]
    assert set(late["date_exacte"]) == {"non"}
    assert set(late["date"].str[4:]) == {"-01-01"}
    assert not (former["date"].str.startswith("2020")).any()
