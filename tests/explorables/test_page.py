"""The explorable in a page, without kernel: driven as a reader would."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import FloatRect, Page, expect

from culture_d.explorables.moyenne_mediane import EXEMPLE, MoyenneMediane, summarise
from culture_d.french import nombre, pourcent
from culture_d.project import Project

KEY = "moyenne-mediane"
Visit = Callable[..., Page]
WritePage = Callable[[str, str], None]


def status(page: Page) -> Any:
    return page.get_by_role("status").first


def drawn(page: Page) -> None:
    """Let the page draw: it does so once a frame, whatever was asked meanwhile."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def figures(page: Page) -> list[str]:
    """Mean, median and share below the mean, as displayed once what was asked is drawn."""
    drawn(page)
    return page.locator(".cd-valeur > span:first-child").all_inner_texts()


def address_of(page: Page) -> str:
    return str(page.evaluate("decodeURIComponent(location.hash)"))


def write_population(page: Page, text: str) -> None:
    drawn(page)  # what is still to be drawn would be written over it
    page.get_by_label("Habitants", exact=True).fill(text)


def choose_departement(page: Page, code: str, place: str) -> None:
    page.get_by_label("Communes affichées").focus()
    page.get_by_label("Communes affichées").select_option(code)
    expect(status(page)).to_contain_text(place)


def chosen_dot(page: Page) -> FloatRect:
    page.locator(".cd-graphe").scroll_into_view_if_needed()
    box = page.locator(".cd-choisi").bounding_box()
    assert box
    return box


def middle(box: FloatRect) -> tuple[float, float]:
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_starts_on_the_simulated_example(visit: Visit) -> None:
    page = visit()
    expect(status(page)).to_contain_text("La moyenne est de 1\u202f900\u00a0habitants")
    assert figures(page) == ["1\u202f900", "900", "78\u202f%"]
    expect(page.locator(".cd-app")).to_contain_text("Données simulées")
    details = page.locator("details")
    expect(details.locator("summary")).to_have_text("Voir les chiffres en tableau")
    expect(page.locator("table").first).not_to_be_visible()
    details.locator("summary").click()
    expect(page.locator("table").first).to_be_visible()


def test_from_a_file(visit: Visit, folder: Path) -> None:
    page = visit(base=folder.as_uri())
    choose_departement(page, "80", "Somme (80)")
    assert figures(page)[:2] == ["733", "278"]
    assert page.url.startswith("file://") and address_of(page) == f"#{KEY}.departement=80"
    page.reload()
    expect(status(page)).to_contain_text("Somme (80)")


def test_keyboard_alone(visit: Visit) -> None:
    page = visit()
    press = page.keyboard.press
    press("Tab")
    expect(page.get_by_label("Communes affichées")).to_be_focused()
    press("Tab")
    slider = page.get_by_role("slider")
    expect(slider).to_be_focused()
    press("Tab")
    expect(page.get_by_role("button", name="Retirer")).to_be_focused()
    press("Enter")
    expect(status(page)).to_have_text(
        "Sans Grandvoie\u00a0: la moyenne passe de 1\u202f900 au départ à 1\u202f000, "
        "la médiane de 900 à 780. Sous la moyenne\u00a0: 5 communes sur 8, soit 63\u202f%."
    )
    press("Tab")
    expect(page.get_by_role("button", name="Remettre Grandvoie")).to_be_focused()
    press("Space")
    expect(status(page)).to_contain_text("Retour au départ\u00a0: moyenne 1\u202f900, médiane 900.")
    press("Tab")
    expect(page.get_by_role("button", name="Recommencer")).to_be_focused()
    press("Tab")
    expect(page.get_by_label("Commune", exact=True)).to_be_focused()
    press("Tab")
    expect(page.get_by_label("Habitants", exact=True)).to_be_focused()
    page.keyboard.insert_text("18 100")
    press("Tab")
    expect(status(page)).to_contain_text(
        "Grandvoie à 18\u202f100\u00a0habitants\u00a0: la moyenne passe de 1\u202f900 au départ "
        "à 2\u202f900, la médiane reste à 900."
    )
    for _ in range(6):
        press("Shift+Tab")
    expect(slider).to_be_focused()
    press("ArrowRight")
    press("ArrowRight")
    press("PageUp")
    expect(slider).to_have_attribute(
        "aria-valuetext", "Grandvoie\u00a0: 19\u202f300\u00a0habitants"
    )
    expect(page.get_by_text("valeur modifiée par vous")).to_be_visible()
    for _ in range(6):
        press("Tab")
    press("ArrowDown")
    expect(page.get_by_label("resserrée")).to_be_checked()
    assert f"{KEY}.axe=resserre" in address_of(page)
    press("Tab")
    expect(page.locator("summary")).to_be_focused()
    for _ in range(6):
        press("Shift+Tab")
    press("Enter")
    expect(page.get_by_role("button", name="Retirer")).to_be_focused()


def test_focus_is_visible(visit: Visit) -> None:
    page = visit()
    for _ in range(8):
        page.keyboard.press("Tab")
        style = page.evaluate(
            "(s => s.outlineStyle + ' ' + s.outlineWidth)(getComputedStyle(document.activeElement))"
        )
        assert not style.startswith("none") and not style.endswith(" 0px")


def test_drag_with_the_mouse(visit: Visit) -> None:
    page = visit(width=1280)
    x, y = middle(chosen_dot(page))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y, steps=5)
    page.mouse.up()
    expect(status(page)).to_contain_text("la médiane reste à 900")
    mean = figures(page)[0]
    assert mean != "1\u202f900"
    expect(status(page)).to_contain_text(f"la moyenne passe de 1\u202f900 au départ à {mean}, ")
    assert f'{KEY}.modifications={{"Grandvoie":' in address_of(page)
    page.get_by_role("button", name="Recommencer").click()
    assert figures(page)[0] == "1\u202f900"
    assert address_of(page) == ""


def test_another_dot_is_taken_by_a_click(visit: Visit) -> None:
    page = visit(width=1280)
    box = chosen_dot(page)
    plot = page.locator(".cd-graphe").bounding_box()
    assert plot
    page.mouse.click(plot["x"] + 30, middle(box)[1])
    expect(page.get_by_label("Commune", exact=True)).to_have_value("La Noirelle")


@pytest.mark.parametrize("cancelled", [False, True])
def test_drag_with_a_finger(visit: Visit, cancelled: bool) -> None:
    page = visit(has_touch=True, is_mobile=True)
    x, y = middle(chosen_dot(page))
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        touches = [{"x": x, "y": y} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    touch("touchStart", (x, y))
    for step in range(1, 6):
        touch("touchMove", (x + 12 * step, y))
    if cancelled:
        touch("touchCancel")
        expect(page.get_by_label("Habitants", exact=True)).to_have_value("9\u202f100")
    else:
        touch("touchEnd")
        expect(status(page)).to_contain_text("la moyenne passe de 1\u202f900 au départ à")
        assert "Grandvoie" in address_of(page)


def test_touch_targets(visit: Visit) -> None:
    page = visit(width=320)
    choose_departement(page, "80", "Somme (80)")
    small = page.evaluate(
        """[...document.querySelectorAll('.cd-explorable :is(button:not([hidden]), select, summary, '
             + 'input:not([type=radio]), label:has([type=radio]))')]
           .filter(node => node.getBoundingClientRect().height < 44).map(node => node.outerHTML)"""
    )
    assert small == []


@pytest.fixture(scope="module")
def communes(project: Project) -> pd.DataFrame:
    path = project.datasets / "communes" / "communes.csv"
    return pd.read_csv(path, dtype={"code": str, "departement": str})


def test_real_departements_agree_with_pandas_and_with_python(
    visit: Visit, communes: pd.DataFrame
) -> None:
    page = visit(width=800)
    for code in ("75", "2A", "80", "974", "59", "55", "62", "01"):
        values = communes.loc[communes["departement"] == code, "population"]
        place = f"({code})"
        choose_departement(page, code, place)
        mean, median, share = figures(page)
        assert mean == nombre(values.mean())
        assert median == nombre(values.median(), 1)
        assert share == pourcent((values < values.mean()).mean())
        row = "".join(f'<td class="nombre">{value}</td>' for value in (mean, median, share))
        assert row in MoyenneMediane(code).html()
        expect(page.locator(".cd-app > .cd-source")).to_contain_text("Source\u00a0: Insee")
    choose_departement(page, "", "Exemple simulé")
    assert figures(page)[0] == "1\u202f900"


def test_remove_the_largest_then_put_it_back(visit: Visit, communes: pd.DataFrame) -> None:
    page = visit()
    choose_departement(page, "80", "Somme (80)")
    values = communes.loc[communes["departement"] == "80", "population"].sort_values()
    take = page.get_by_role("button", name="Retirer")
    for removed in (1, 2, 3):
        take.click()
        kept = values.iloc[:-removed]
        expect(page.locator(".cd-valeur > span").first).to_have_text(nombre(kept.mean()))
        assert figures(page)[:2] == [nombre(kept.mean()), nombre(kept.median(), 1)]
    for _ in range(3):
        page.get_by_role("button", name="Remettre").click()
    expect(status(page)).to_contain_text("Retour au départ\u00a0: moyenne 733, médiane 278.")
    assert figures(page)[0] == nombre(values.mean())
    page.get_by_role("button", name="Remettre").click(force=True)
    expect(status(page)).to_contain_text("Aucune commune n’est retirée.")


def test_the_last_commune_stays(visit: Visit) -> None:
    page = visit()
    choose_departement(page, "75", "Paris (75) n’a qu’une commune")
    take = page.get_by_role("button", name="Retirer")
    expect(take).to_have_attribute("aria-disabled", "true")
    take.click(force=True)
    expect(status(page)).to_contain_text("ne peut pas être retirée")


def test_a_real_value_moved_is_said(visit: Visit) -> None:
    page = visit()
    choose_departement(page, "55", "Meuse (55)")
    expect(page.locator(".cd-app > .cd-source")).to_contain_text("0 habitant")
    page.get_by_label("Commune", exact=True).select_option("Beaumont-en-Verdunois")
    field = page.get_by_label("Habitants", exact=True)
    expect(field).to_have_value("0")
    expect(page.get_by_role("slider")).to_have_attribute(
        "aria-valuetext", "Beaumont-en-Verdunois\u00a0: 0\u00a0habitant"
    )
    field.fill("1000")
    field.press("Enter")
    expect(page.locator(".cd-note")).to_contain_text(
        "valeur modifiée par vous (au départ\u00a0: 0)"
    )
    expect(page.locator(".cd-app > .cd-source")).to_contain_text("a été modifiée par vous")


@pytest.mark.parametrize(
    ("typed", "shown", "complaint"),
    [
        ("1 200", "1\u202f200", ""),
        ("1\u202f200", "1\u202f200", ""),
        ("0", "0", ""),
        ("0012", "12", ""),
        ("-5", "-5", "ne peut pas être négative"),
        ("−5", "−5", "ne peut pas être négative"),
        ("12,5", "12,5", "nombre entier"),
        ("12.5", "12.5", "nombre entier"),
        ("", "", "Écrivez un nombre d’habitants"),
        ("beaucoup", "beaucoup", "Ce n’est pas un nombre"),
        ("1e3", "1e3", "Ce n’est pas un nombre"),
        ("99999999999999999999", "99999999999999999999", "Le maximum est 10\u202f000\u202f000"),
        ("<b>1</b>", "<b>1</b>", "Ce n’est pas un nombre"),
    ],
)
def test_number_field(shared_page: Page, typed: str, shown: str, complaint: str) -> None:
    page = shared_page
    field = page.get_by_label("Habitants", exact=True)
    before = figures(page)
    field.fill(typed)
    field.press("Enter")
    expect(field).to_have_value(shown)
    expect(page.locator(".cd-erreur")).to_contain_text(complaint)
    if complaint:
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_have_accessible_description(page.locator(".cd-erreur").inner_text())
        assert figures(page) == before
    else:
        expect(field).not_to_have_attribute("aria-invalid", "true")
    # The field is drawn again a frame later: typing before would be added to what it holds.
    page.get_by_label("Commune", exact=True).select_option("La Noirelle")
    expect(field).to_have_value("240")
    page.get_by_label("Commune", exact=True).select_option("Grandvoie")
    expect(field).not_to_have_value("240")


@pytest.fixture(scope="module")
def shared_page(browser: Any, address: str) -> Any:
    """One page for the cases of the number field."""
    page = browser.new_page()
    page.set_default_timeout(4000)
    page.goto(f"{address}/light.html")
    yield page
    page.close()


def test_a_huge_value_stretches_the_axis(visit: Visit) -> None:
    page = visit()
    write_population(page, "10000000")
    page.keyboard.press("Enter")
    expect(status(page)).to_contain_text("au départ à 1\u202f112\u202f000, la médiane")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box, plot = chosen_dot(page), page.locator(".cd-graphe").bounding_box()
    assert plot and box["x"] + box["width"] <= plot["x"] + plot["width"]


def test_address_restores_the_state(visit: Visit) -> None:
    page = visit()
    choose_departement(page, "80", "Somme (80)")
    page.get_by_role("button", name="Retirer").click()
    page.get_by_label("Commune", exact=True).select_option("Abbeville")
    write_population(page, "50000")
    page.keyboard.press("Enter")
    page.get_by_label("égale", exact=False).check()
    seen = figures(page)
    link = page.url
    assert page.evaluate("history.length") <= 2
    other = visit(link.split("/", 3)[3])
    expect(status(other)).to_contain_text("770")
    assert figures(other) == seen
    expect(other.get_by_label("Commune", exact=True)).to_have_value("Abbeville")
    expect(other.get_by_label("égale", exact=False)).to_be_checked()
    expect(other.get_by_role("button", name="Remettre Amiens")).to_be_visible()


def test_a_link_in_the_page_changes_the_state(visit: Visit) -> None:
    page = visit()
    page.evaluate(f"location.hash = '{KEY}.departement=59'")
    expect(status(page)).to_contain_text("Nord (59)")


def test_an_anchor_is_left_alone(visit: Visit) -> None:
    page = visit("light.html#apres")
    expect(status(page)).to_contain_text("Exemple simulé")
    assert page.url.endswith("#apres")


CORRUPT = (
    f"{KEY}.modifications=%7Bcass%C3%A9",
    f"{KEY}.modifications=%E0%A4%A",
    f"{KEY}.modifications=null&{KEY}.retirees=12&{KEY}.choisie=Personne&{KEY}.axe=rond",
    f"{KEY}.modifications={quote(json.dumps({'Grandvoie': -4, 'Fontarelle': 'x'}))}",
    f"{KEY}.retirees={quote(json.dumps([{}, 3, 'Inconnue']))}",
    f"{KEY}.titre=Faux&{KEY}._ressources=%7B%7D&{KEY}.maximum=1",
    f"{KEY}.__proto__=%7B%7D&{KEY}.=1&&=&{KEY}",
)


def test_a_corrupt_address_is_ignored(visit: Visit, address: str) -> None:
    page = visit()
    for fragment in CORRUPT:
        page.goto("about:blank")
        page.goto(f"{address}/light.html#{fragment}")
        expect(status(page)).to_contain_text("La moyenne est de 1\u202f900")
        expect(page.locator(".cd-app > .cd-titre")).to_contain_text("Moyenne ou médiane")


def test_all_communes_removed_by_the_address_leaves_one(visit: Visit) -> None:
    names = quote(json.dumps(MoyenneMediane().exemple["noms"]))
    page = visit(f"light.html#{KEY}.retirees={names}")
    assert figures(page)[0] == "240"


def test_unknown_departement_is_said(visit: Visit, address: str) -> None:
    page = visit()
    for code in ("ZZ", "..%2F..%2Flight", "%3Cb%3Ex%3C%2Fb%3E"):
        page.goto("about:blank")
        page.goto(f"{address}/light.html#{KEY}.departement={code}")
        expect(status(page)).to_contain_text("n’existe pas\u00a0: choisissez-le dans la liste")
        expect(status(page)).to_contain_text("L’exemple simulé est affiché")
        assert figures(page)[0] == "1\u202f900"
        assert page.locator("b").count() == 0


def test_a_long_value_of_the_address_is_echoed_short_or_not_at_all(
    visit: Visit, address: str
) -> None:
    page = visit()
    for value, echo in (
        ("😀" * 40, "😀" * 10 + "…"),
        ("0123456789", "0123456789"),
        ("\u202eab", "ab"),
    ):
        page.goto("about:blank")
        page.goto(f"{address}/light.html#{KEY}.departement={quote(value)}")
        expect(status(page)).to_contain_text(f"Le département «\u00a0{echo}\u00a0» n’existe pas")
    page.goto("about:blank")
    page.goto(f"{address}/light.html#{KEY}.departement={'9' * 2000}&autre={'y' * 2000}&z=1")
    expect(status(page)).to_contain_text("La moyenne est de 1\u202f900")
    expect(status(page)).not_to_contain_text("existe pas")
    write_population(page, "50000")
    page.keyboard.press("Enter")
    page.wait_for_function(f"location.hash.includes('{KEY}.modifications')")
    assert page.url.partition("#")[2].startswith("z=1&") and len(page.url) < 300


def test_data_that_cannot_be_had_are_said_then_asked_again(visit: Visit) -> None:
    page = visit(tolerate=("ERR_FAILED",))
    page.route("**/communes/80.js", lambda route: route.abort())
    page.get_by_label("Communes affichées").focus()
    page.get_by_label("Communes affichées").select_option("80")
    expect(status(page)).to_contain_text(
        "Les communes du département 80 n’ont pas pu être chargées"
    )
    expect(page.get_by_label("Communes affichées")).to_have_value("")
    page.unroute("**/communes/80.js")
    choose_departement(page, "80", "Somme (80)")


def test_the_last_choice_wins(visit: Visit) -> None:
    page = visit()
    held: list[Any] = []
    page.route("**/communes/80.js", lambda route: held.append(route))
    page.get_by_label("Communes affichées").focus()
    page.get_by_label("Communes affichées").select_option("80")
    expect(status(page)).to_have_text("Chargement des communes…")
    choose_departement(page, "59", "Nord (59)")
    with page.expect_response("**/communes/80.js") as answer:
        held[0].continue_()
    answer.value.finished()
    expect(status(page)).to_contain_text("Nord (59)")


def test_a_page_made_for_a_departement(visit: Visit) -> None:
    page = visit("somme.html")
    expect(status(page)).to_contain_text("Somme (80)")
    choose_departement(page, "", "Exemple simulé")
    page.reload()
    expect(status(page)).to_contain_text("Exemple simulé")


def test_two_on_a_page_do_not_mix(visit: Visit) -> None:
    page = visit("deux.html")
    second = page.locator(".cd-app").nth(1)
    second.get_by_label("Communes affichées").focus()
    second.get_by_label("Communes affichées").select_option("80")
    expect(second.get_by_role("status")).to_contain_text("Somme (80)")
    expect(status(page)).to_contain_text("Exemple simulé")
    assert address_of(page) == f"#{KEY}-2.departement=80"
    first = page.locator(".cd-app").first
    first.get_by_label("resserrée").check()
    expect(second.get_by_label("resserrée")).to_be_checked()
    expect(first.get_by_label("resserrée")).to_be_checked()


def test_corrupt_state_leaves_the_static_version(visit: Visit, write_page: WritePage) -> None:
    good = MoyenneMediane().html()
    bad = good.replace('class="cd-etat">{', 'class="cd-etat">{{')
    hollow = good.replace('"departements":', '"autres":')
    foreign = good.replace('data-explorable="moyenne-mediane"', 'data-explorable="inconnu"')
    write_page("casse.html", bad + hollow + foreign + good)
    page = visit("casse.html", tolerate=("JSON", "reading 'map'"))
    expect(page.locator(".cd-app")).to_have_count(1)
    blocks = page.locator(".cd-explorable")
    for rank in range(3):
        expect(blocks.nth(rank).locator("table").first).to_be_visible()
        expect(blocks.nth(rank).locator("details")).to_have_count(0)
    expect(blocks.nth(3).get_by_role("status")).to_contain_text("1\u202f900")


def test_markup_in_a_name_stays_text(visit: Visit, write_page: WritePage) -> None:
    name = "</script><img src=x onerror=\"document.title='vu'\"><b>Ville</b>"
    write_page("balises.html", MoyenneMediane(valeurs={name: 900, "B": 100}).html())
    page = visit("balises.html")
    page.get_by_role("button", name="Retirer").click()
    expect(status(page)).to_contain_text("Sans </script><img src=x")
    assert page.locator("main img, main b").count() == 0
    assert page.title() == "Essai"


def test_readable_without_script(visit: Visit) -> None:
    page = visit(java_script_enabled=False, width=320)
    expect(page.get_by_text("Ce que vous devez voir.")).to_be_visible()
    expect(page.locator("table")).to_have_count(2)
    expect(page.locator("table").first).to_be_visible()
    expect(page.get_by_text("Données simulées")).to_be_visible()


def test_static_numbers_are_those_of_the_script(visit: Visit) -> None:
    page = visit()
    rows = page.locator("table").first.locator("tbody tr")
    for rank in range(rows.count()):
        cells = rows.nth(rank).locator("td").all_text_contents()
        assert cells == figures(page)
        page.get_by_role("button", name="Retirer").click()
        expect(status(page)).to_contain_text("Sans ")
        drawn(page)


def test_paper_shows_the_table(visit: Visit) -> None:
    page = visit()
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(page.locator("table").first).to_be_visible()
    expect(page.locator(".cd-app")).not_to_be_visible()


def test_drawing_is_described(visit: Visit) -> None:
    page = visit()
    drawing = page.locator("svg[role=img]")
    expect(drawing).to_have_accessible_name(
        "Exemple simulé, 9 communes, de 240 à 9\u202f100\u00a0habitants. Moyenne\u00a0: "
        "1\u202f900. Médiane\u00a0: 900. Sous la moyenne\u00a0: 7 communes sur 9, soit 78\u202f%. "
        "Commune choisie\u00a0: Grandvoie, 9\u202f100\u00a0habitants."
    )


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_axe_and_reflow_in_each_state(visit: Visit, theme: str, width: int) -> None:
    page = visit(f"{theme}.html", width=width)
    take = page.get_by_role("button", name="Retirer")

    def check(state: str) -> None:
        report = Axe().run(page)
        assert report.violations_count == 0, f"{state} : {report.generate_report()}"
        assert page.evaluate("document.documentElement.scrollWidth") <= width, state

    check("simulated")
    take.click()
    write_population(page, "beaucoup")
    page.keyboard.press("Enter")
    expect(page.locator(".cd-erreur")).to_be_visible()
    page.locator("summary").click()
    check("removed, error, table unfolded")
    choose_departement(page, "75", "Paris (75)")
    check("one commune")
    choose_departement(page, "59", "Nord (59)")
    write_population(page, "1000000")
    page.keyboard.press("Enter")
    check("real, moved")


def test_reduced_motion_and_forced_colours(visit: Visit) -> None:
    page = visit(reduced_motion="reduce", forced_colors="active")
    mark = page.locator("path.cd-moyenne").last
    assert mark.evaluate("node => getComputedStyle(node).transitionProperty") in ("none", "all")
    assert mark.evaluate("node => getComputedStyle(node).transitionDuration") == "0s"
    dots = page.locator(".cd-points")
    assert dots.evaluate("node => getComputedStyle(node).stroke") != "none"


def test_few_nodes_even_with_hundreds_of_communes(visit: Visit) -> None:
    page = visit()
    choose_departement(page, "62", "Pas-de-Calais (62)")
    assert page.locator(".cd-app *:not(option)").count() <= 110


def test_a_chosen_commune_is_placed_among_the_others(visit: Visit, project: Project) -> None:
    page = visit()
    choose_departement(page, "23", "Creuse (23)")
    page.get_by_label("Commune", exact=True).select_option("La Souterraine")
    table = pd.read_csv(project.datasets / "communes" / "communes.csv", dtype={"departement": str})
    ours = table.loc[table["departement"] == "23"].set_index("nom")["population"]
    smaller = int((ours < ours["La Souterraine"]).sum())
    expect(status(page)).to_contain_text(f"({smaller} sur {len(ours) - 1})")
    expect(status(page)).to_contain_text("Elle est plus peuplée que plus de 99\u202f% des autres")


def words(text: str) -> int:
    return sum(any(map(str.isalnum, word)) for word in text.replace("\u202f", "").split())


def compared(lead: str, kept: list[float]) -> str:
    """The sentence expected, computed again from what is left of the example."""
    start, now = summarise(list(EXEMPLE.values())), summarise([int(value) for value in kept])
    median = nombre(now.median, 1)
    return (
        f"{lead}\u00a0: la moyenne passe de {nombre(start.mean)} au départ à {nombre(now.mean)}, "
        + ("la médiane reste à 900." if median == "900" else f"la médiane de 900 à {median}.")
    )


def sentence(page: Page) -> str:
    """What changed, without how many communes are below the mean."""
    return str(status(page).text_content()).partition(" Sous la moyenne")[0]


def test_every_removal_is_compared_with_the_start(visit: Visit) -> None:
    page = visit()
    take = page.get_by_role("button", name="Retirer")
    values = list(EXEMPLE.values())
    leads = [
        "Sans Grandvoie",
        "Sans Grandvoie et Chantebrise",
        "Sans Grandvoie, Chantebrise et Beaupéran",
        "Sans les 4 plus grandes communes",
        "Sans les 5 plus grandes communes",
    ]
    for removed, lead in enumerate(leads, 1):
        take.click()
        expect(status(page)).to_contain_text(compared(lead, list(values[removed:])))
        assert words(sentence(page)) <= 22
    for removed in range(len(leads) - 1, 0, -1):
        page.get_by_role("button", name="Remettre").click()
        expect(status(page)).to_contain_text(compared(leads[removed - 1], list(values[removed:])))
    page.get_by_role("button", name="Remettre").click()
    expect(status(page)).to_contain_text("Retour au départ\u00a0: moyenne 1\u202f900, médiane 900.")


@pytest.mark.parametrize(
    ("changes", "removed", "lead"),
    [
        ({"Grandvoie": 20000}, [], "Grandvoie à 20\u202f000\u00a0habitants"),
        ({"Grandvoie": 1}, [], "Grandvoie à 1\u00a0habitant"),
        (
            {"Fontarelle": 5000},
            ["Grandvoie"],
            "Sans Grandvoie, avec Fontarelle à 5\u202f000\u00a0habitants",
        ),
        ({"Fontarelle": 5000, "La Noirelle": 7}, [], "Avec 2 valeurs modifiées"),
        (
            {"Fontarelle": 5000, "La Noirelle": 7},
            ["Grandvoie", "Chantebrise", "Beaupéran", "Saint-Orland"],
            "Sans 4 communes, avec 2 valeurs modifiées",
        ),
        ({}, ["Rochamelle", "Les Orvettes", "Fontarelle", "La Noirelle"], "Sans 4 communes"),
        ({}, ["La Noirelle"], "Sans La Noirelle"),
        # Removed ones that were moved first: what they were at the start does not matter.
        ({"Grandvoie": 20000}, ["Grandvoie"], "Sans Grandvoie"),
    ],
)
def test_the_sentence_names_what_was_changed(
    visit: Visit, changes: dict[str, int], removed: list[str], lead: str
) -> None:
    first = {**EXEMPLE, **changes}
    state = f"{KEY}.modifications={quote(json.dumps(changes))}&{KEY}.retirees="
    page = visit(f"light.html#{state}{quote(json.dumps([*removed, 'Clairvannes']))}")
    page.get_by_role("button", name="Remettre Clairvannes").click()
    expected = compared(lead, [v for name, v in first.items() if name not in removed])
    expect(status(page)).to_contain_text(expected)
    assert words(expected) <= 22


def test_long_names_give_way_to_a_count(visit: Visit, write_page: WritePage) -> None:
    names = [f"Sainte Marie du Bois de la Plaine {rank}" for rank in "ABCDE"]
    values = {name: 1000 * rank for rank, name in enumerate(names, 1)}
    write_page("longs.html", MoyenneMediane(valeurs=values).html())
    page = visit("longs.html")
    for lead in ("Sans la plus grande commune", "Sans les 2 plus grandes communes"):
        page.get_by_role("button", name="Retirer").click()
        expect(status(page)).to_contain_text(f"{lead}\u00a0: la moyenne passe")
        assert words(sentence(page)) <= 22


def test_the_slider_then_a_removal_at_once(visit: Visit) -> None:
    page = visit()
    page.get_by_role("slider").focus()
    page.keyboard.press("PageUp")
    page.get_by_role("button", name="Retirer").click()
    expect(status(page)).to_contain_text(
        compared("Sans Grandvoie", [v for name, v in EXEMPLE.items() if name != "Grandvoie"])
    )


def test_start_again_says_so(visit: Visit) -> None:
    page = visit()
    page.get_by_role("button", name="Retirer").click()
    expect(status(page)).to_contain_text("Sans Grandvoie")
    page.get_by_role("button", name="Recommencer").click()
    expect(status(page)).to_have_text(
        "Retour au départ\u00a0: moyenne 1\u202f900, médiane 900. "
        "Sous la moyenne\u00a0: 7 communes sur 9, soit 78\u202f%."
    )


def test_no_negative_zero(visit: Visit) -> None:
    page = visit(f'light.html#{KEY}.modifications={{"Grandvoie":-0}}')
    expect(page.get_by_label("Habitants", exact=True)).to_have_value("2\u202f350")
    page.get_by_label("Commune", exact=True).select_option("Grandvoie")
    expect(page.get_by_label("Habitants", exact=True)).to_have_value("0")
    expect(status(page)).to_contain_text("Grandvoie\u00a0: 0\u00a0habitant.")
    assert "-0" not in page.locator(".cd-app").inner_text()


TICKS = """new Promise(done => requestAnimationFrame(() => setTimeout(done))).then(() =>
[...document.querySelectorAll('.cd-axe text')].map(node => {
  const { left, right, top, bottom } = node.getBoundingClientRect();
  return { text: node.textContent, left, right, top, bottom };
}))"""


def overlapping(boxes: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [
        (one["text"], two["text"])
        for rank, one in enumerate(boxes)
        for two in boxes[rank + 1 :]
        if one["left"] < two["right"]
        and two["left"] < one["right"]
        and one["top"] + 3 < two["bottom"]
        and two["top"] + 3 < one["bottom"]
    ]


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_every_power_of_ten_is_labelled(visit: Visit, width: int) -> None:
    page = visit(width=width)
    choose_departement(page, "80", "Somme (80)")
    boxes = page.evaluate(TICKS)
    assert sorted((box["text"] for box in boxes), key=len) == [
        "0", "1", "10", "100", "1\u202f000", "10\u202f000", "100\u202f000"
    ]  # fmt: skip
    assert overlapping(boxes) == []
    expect(page.locator(".cd-axe-titre")).to_have_text(
        "Habitants (chaque repère vaut dix fois le précédent)"
    )
    note = page.get_by_text("Cette graduation rapproche les grandes communes des petites.")
    expect(note).to_be_visible()
    page.get_by_label("égale", exact=False).check()
    expect(page.locator(".cd-axe-titre")).to_have_text("Nombre d’habitants")
    expect(note).not_to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_equal_axis_fits_what_is_left(visit: Visit, communes: pd.DataFrame) -> None:
    page = visit()
    choose_departement(page, "80", "Somme (80)")
    page.get_by_label("égale", exact=False).check()
    values = communes.loc[communes["departement"] == "80", "population"].sort_values()

    def last_tick() -> int:
        return max(int(box["text"].replace("\u202f", "")) for box in page.evaluate(TICKS))

    expect(page.locator(".cd-axe")).to_contain_text("100\u202f000")
    for removed in (1, 2):
        page.get_by_role("button", name="Retirer").click()
        expect(page.get_by_role("button", name="Remettre")).not_to_have_text("Remettre")
        expect(page.locator(".cd-valeur > span").first).to_have_text(
            nombre(values.iloc[:-removed].mean())
        )
        assert last_tick() <= 2 * values.iloc[-1 - removed]
    for _ in range(2):
        page.get_by_role("button", name="Remettre").click()
    expect(page.locator(".cd-axe")).to_contain_text("100\u202f000")


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_the_name_of_the_chosen_commune_covers_no_mark(visit: Visit, width: int) -> None:
    page = visit(width=width)
    choose_departement(page, "80", "Somme (80)")
    for name in ("Moreuil", "Abbeville", "L'Étoile", "Amiens"):
        page.get_by_label("Commune", exact=True).select_option(name)
        expect(page.locator(".cd-nom")).to_contain_text(name.replace("'", "’"))
        covered = page.evaluate(
            """(() => {
              const name = document.querySelector('.cd-nom').getBBox();
              const bars = document.querySelector('.cd-points');
              const size = Number(bars.getAttribute('stroke-width'));
              const dot = document.querySelector('.cd-choisi').getBBox();
              const bottom = name.y + name.height - 4;
              const marks = bars.getAttribute('d').split('M').slice(1).map(text => {
                const [x, y, width] = text.split(/[,h]/).map(Number);
                return [x, x + width, y - size / 2];
              });
              marks.push([dot.x, dot.x + dot.width, dot.y]);
              return marks.filter(([from, to, top]) =>
                from < name.x + name.width && to > name.x && top < bottom).length;
            })()"""
        )
        assert covered == 0, name
        marks = page.evaluate(TICKS.replace(".cd-axe text", ".cd-repere, path.cd-mediane"))
        assert not [pair for pair in overlapping(marks) if "" in pair and any(pair)], name
        labels = page.evaluate(TICKS.replace(".cd-axe text", ".cd-nom, .cd-repere"))
        assert overlapping(labels) == [], name


def test_a_name_with_an_apostrophe_can_be_chosen(visit: Visit, communes: pd.DataFrame) -> None:
    page = visit()
    choose_departement(page, "80", "Somme (80)")
    page.get_by_label("Commune", exact=True).select_option(label="L’Étoile")
    ours = communes.loc[(communes["departement"] == "80") & (communes["nom"] == "L'Étoile")]
    expect(page.get_by_label("Habitants", exact=True)).to_have_value(
        nombre(ours["population"].item())
    )


def test_apostrophes_are_typographic(visit: Visit) -> None:
    page = visit()
    for code, place in (("", "Exemple simulé"), ("2A", "(2A)"), ("75", "(75)")):
        choose_departement(page, code, place)
        for axis in ("égale", "resserrée"):
            page.get_by_label(axis, exact=False).check()
            text = page.locator(".cd-app").evaluate(
                """app => app.textContent + [...app.querySelectorAll('*')].map(node =>
                  node.getAttribute('aria-label')).join()"""
            )
            assert "'" not in text


OWN = """own => {
  window.cultureD.commune = { get: () => own };
  document.dispatchEvent(new CustomEvent("culture-d:commune", { detail: own }));
}"""


def own(name: str, code: str) -> dict[str, Any]:
    return {"code": "80211", "name": name, "department": {"code": code, "name": "Somme"}}


def test_the_commune_of_the_reader(visit: Visit, communes: pd.DataFrame) -> None:
    page = visit()
    button = page.locator(".cd-mienne")
    expect(button).not_to_be_visible()
    page.evaluate(OWN, own("Conty", "80"))
    expect(button).to_have_text("Voir ma commune\u00a0: Conty")
    box = button.bounding_box()
    assert box and box["height"] >= 44
    button.click()
    ours = communes.loc[communes["departement"] == "80"].set_index("nom")["population"]
    expect(status(page)).to_contain_text(
        f"Conty\u00a0: {nombre(ours['Conty'])}\u00a0habitants. Elle est plus peuplée que"
    )
    expect(status(page)).to_contain_text(f"({(ours < ours['Conty']).sum()} sur {len(ours) - 1})")
    expect(page.get_by_label("Communes affichées")).to_have_value("80")
    expect(page.get_by_label("Commune", exact=True)).to_have_value("Conty")
    assert address_of(page) == f"#{KEY}.departement=80&{KEY}.choisie=Conty"

    page.get_by_role("button", name="Retirer").click()
    expect(status(page)).to_contain_text("Sans Amiens")
    button.click()
    expect(status(page)).to_contain_text(f"sur {len(ours) - 2})")
    expect(page.get_by_role("button", name="Remettre Amiens")).to_be_visible()
    page.evaluate(OWN, own("Amiens", "80"))
    button.click()
    expect(status(page)).to_contain_text("Amiens\u00a0: ")
    expect(page.get_by_role("button", name="Remettre")).to_have_text("Remettre")

    page.evaluate(OWN, None)
    expect(button).not_to_be_visible()


def test_a_commune_that_is_not_in_the_data(visit: Visit) -> None:
    page = visit()
    button = page.locator(".cd-mienne")
    for record in ({}, {"name": "Conty"}, own("Conty", "ZZ"), {**own("", "80"), "name": 3}):
        page.evaluate(OWN, record)
        expect(button).not_to_be_visible()
    page.evaluate(OWN, own("<img src=x onerror=alert(1)>", "80"))
    expect(button).to_have_text("Voir ma commune\u00a0: <img src=x onerror=alert(1)>")
    button.click()
    expect(status(page)).to_contain_text("Somme (80)\u00a0: 771 communes.")
    assert page.locator("main img").count() == 0
