"""The certificate: what the reader declares, on one sheet of paper, and nothing more."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import Page, expect

from culture_d.curriculum import load_curriculum, modules
from culture_d.project import Project

CERTIFICATE = "book/attestation"
MM = "moyenne-mediane"

Visit = Callable[..., Page]


def finished(*slugs: str, day: str = "2026-11-01") -> str:
    entries = [{"slug": slug, "date": day} for slug in slugs]
    return json.dumps({"cours": "culture-d", "version": 1, "modules": entries})


def sheets_of_paper(page: Page) -> int:
    """Print on A4, and count the pages in the file."""
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", page.pdf(format="A4")))


def printed(page: Page) -> str:
    """Return what paper shows."""
    page.emulate_media(media="print")
    text = page.locator("body").inner_text().replace("\u00a0", " ")
    page.emulate_media(media="null")
    return text


def test_it_says_what_was_finished_and_what_it_is_worth(visit: Visit) -> None:
    page = visit(CERTIFICATE, finished(MM, "module-d-une-autre-version"))
    page.get_by_label("Votre prénom et votre nom").fill("Dominique Martin")
    paper = printed(page)
    for words in (
        "Dominique Martin",
        "Moyenne ou médiane",
        "20 min",
        "1er novembre 2026",
        "1 module, 20 minutes en tout.",
        "Fait le 21 novembre 2026",
        "est déclarée par la personne elle-même",
        "Personne n’a vérifié ni évalué",
        "Ce n’est pas un diplôme",
    ):
        assert words in paper, words
    for words in ("Imprimer", "Menu", "modules cochés", "autre-version", "Rechercher"):
        assert words not in paper, words
    assert sheets_of_paper(page) == 1


def test_it_claims_no_right(site: Path) -> None:
    html = (site / f"{CERTIFICATE}.html").read_text(encoding="utf-8")
    text = BeautifulSoup(html, "html.parser").get_text(" ").lower()
    for claim in ("dife", "finançable", "financement", "éligible", "certifie", "habilit", "agré"):
        assert claim not in text, claim


def test_a_name_is_printed_as_typed_and_never_kept(visit: Visit) -> None:
    page = visit(CERTIFICATE, finished(MM))
    before = page.evaluate("JSON.stringify({...localStorage})")
    name = page.get_by_label("Votre prénom et votre nom")
    typed = "<img src=x onerror=alert(1)> & « Élodie » d'O’Brien"
    name.fill(typed)
    expect(page.locator(".cd-remplie .cd-nom")).to_have_text(typed)
    assert typed in printed(page)
    assert page.locator(".cd-attestation img").count() == 0
    assert page.evaluate("JSON.stringify({...localStorage})") == before
    assert page.evaluate("sessionStorage.length + document.cookie.length") == 0
    assert typed not in page.url
    page.reload()
    expect(name).to_have_value("")
    name.fill("x" * 500)
    assert sheets_of_paper(page) == 1
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_nothing_finished_offers_the_first_lesson(visit: Visit) -> None:
    page = visit(CERTIFICATE)
    assert page.get_by_text("Aucun module n’est encore noté").is_visible()
    assert not page.get_by_role("article", name="Attestation").is_visible()
    assert not page.get_by_role("button", name="Imprimer l’attestation").is_visible()
    paper = printed(page)
    assert "modules cochés" in paper and "☐ Moyenne ou médiane" in paper
    page.get_by_role("link", name="Commencer par").click()
    page.wait_for_url(f"**/{MM}.html")


@pytest.mark.parametrize("script", [True, False])
def test_a_blank_form_for_a_pen(visit: Visit, script: bool) -> None:
    page = visit(CERTIFICATE, java_script_enabled=script)
    if not script:
        assert page.get_by_text("JavaScript est coupé").is_visible()
        assert page.get_by_role("article", name="Attestation").is_visible()
        assert page.locator("main button:visible, main input:visible").count() == 0
    paper = printed(page)
    assert "Signature" in paper and "☐ Moyenne ou médiane" in paper
    assert "JavaScript" not in paper and "Imprimer" not in paper
    assert sheets_of_paper(page) == 1


def test_the_blank_form_when_something_is_finished(visit: Visit) -> None:
    page = visit(CERTIFICATE, finished(MM))
    page.evaluate("() => { window.print = () => { window.seen = document.body.className; }; }")
    page.get_by_role("button", name="Imprimer une attestation vierge").click()
    seen = page.evaluate("window.seen")
    page.evaluate("name => { document.body.className = name; }", seen)
    assert "modules cochés" in printed(page) and "Terminé le" in printed(page)
    assert "1er novembre" not in printed(page)
    assert sheets_of_paper(page) == 1
    page.reload()
    page.evaluate("() => { window.print = () => { window.seen = document.body.className; }; }")
    page.get_by_label("Votre prénom et votre nom").focus()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Imprimer l’attestation")).to_be_focused()
    page.keyboard.press("Enter")
    assert "cd-a-la-main" not in page.evaluate("window.seen")


def test_the_whole_course_fits_on_one_sheet(visit: Visit, project: Project) -> None:
    """As if the 31 modules were ready, with their own titles, and a long name."""
    every = modules(load_curriculum(project))
    page = visit(CERTIFICATE, finished(*(module.slug for module in every)))
    rows = [[module.slug, module.title, module.minutes] for module in every]
    page.route("**/attestation.html", lambda route: route.fulfill(body=_with_rows(route, rows)))
    page.reload()
    assert page.locator(".cd-remplie tbody tr:visible").count() == len(every)
    total = f"{len(every)} modules, {sum(module.minutes for module in every)} minutes en tout."
    assert total in printed(page)
    page.get_by_label("Votre prénom et votre nom").fill("Marie-Christine " * 5)
    assert sheets_of_paper(page) == 1
    page.evaluate("document.body.classList.add('cd-a-la-main')")
    assert sheets_of_paper(page) == 1


def test_two_sheets_would_be_counted(visit: Visit) -> None:
    page = visit(CERTIFICATE, finished(MM))
    page.locator(".cd-remplie").evaluate("sheet => { sheet.style.paddingBottom = '300mm'; }")
    assert sheets_of_paper(page) > 1


def _with_rows(route: object, rows: list[list[object]]) -> str:
    page = BeautifulSoup(route.fetch().text(), "html.parser")  # type: ignore[attr-defined]
    for body in page.select(".cd-attestation tbody"):
        model = body.select_one("tr")
        assert model is not None
        body.clear()
        for slug, title, minutes in rows:
            row = BeautifulSoup(str(model), "html.parser").tr
            assert row is not None and row.th is not None
            row["data-module"], row["data-minutes"] = str(slug), str(minutes)
            row.th.string = str(title)
            body.append(row)
    return str(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_each_state_is_accessible(visit: Visit, scheme: str) -> None:
    for stored in (None, finished(MM)):
        page = visit(CERTIFICATE, stored, color_scheme=scheme)
        page.set_viewport_size({"width": 320, "height": 800})
        results = Axe().run(page)
        assert results.violations_count == 0, results.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320
        page.add_style_tag(content="html { font-size: 225% !important; }")
        assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_from_a_file(visit: Visit, site: Path) -> None:
    page = visit(CERTIFICATE, finished(MM), base=site.as_uri())
    page.get_by_label("Votre prénom et votre nom").fill("Dominique Martin")
    assert "Dominique Martin" in printed(page)
