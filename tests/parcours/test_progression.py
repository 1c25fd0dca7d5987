"""The reader's progress: noted on lessons, seen, carried away, loaded again, erased."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Locator, Page, expect

from culture_d.curriculum import load_curriculum, modules
from culture_d.project import Project

KEY = "culture-d-progression"
LESSON = "notebooks/comprendre/moyenne-mediane"
PROGRESS = "book/progression"
PATHS = "book/parcours"
TODAY = "2026-11-21"  # as the clock of `visit` says
MM = "moyenne-mediane"
OTHER = "module-d-une-autre-version"

Visit = Callable[..., Page]


def kept(*entries: tuple[str, str], **changes: Any) -> str:
    """Write a progress as the site keeps and exports it."""
    modules = [{"slug": slug, "date": date} for slug, date in entries]
    return json.dumps({"cours": "culture-d", "version": 1, "modules": modules} | changes)


def stored(page: Page) -> dict[str, str]:
    """What the browser keeps, by slug, read without the site's own code."""
    text = page.evaluate("key => localStorage.getItem(key)", KEY)
    return {
        entry["slug"]: entry["date"] for entry in json.loads(text or '{"modules": []}')["modules"]
    }


def box(page: Page) -> Locator:
    """The box of the lesson, among those of every ready module."""
    return page.locator(f"input[type=checkbox][data-module={MM}]")


def sum_of(finished: int, minutes: int, project: Project) -> str:
    """Say how many modules are finished, in how many minutes, as the pages do."""
    ready = [module for module in modules(load_curriculum(project)) if module.published]
    total = sum(module.minutes for module in ready)
    said = f"{finished} module sur {len(ready)} prêt{'s' if len(ready) > 1 else ''}"
    said += f", {minutes} minute{'s' if minutes > 1 else ''}"
    return said + (f" sur {total}." if minutes < total else ".")


def go(page: Page, name: str) -> None:
    """Follow the reader to another page of the same site."""
    page.goto(re.sub(r"/(book|notebooks)/.*", f"/{name}.html", page.url))


def paste(page: Page, text: str) -> str:
    """Load a pasted text; return what the page says of it."""
    if not page.locator("#cd-colle").is_visible():
        page.get_by_text("Coller un texte").click()
    page.locator("#cd-colle").fill(text)
    page.get_by_role("button", name="Reprendre ce texte").click()
    state = page.locator("#cd-import-etat")
    expect(state).not_to_be_empty()
    return state.inner_text().replace("\u00a0", " ")


def test_a_lesson_is_noted_by_its_button_and_undone(visit: Visit) -> None:
    page = visit(LESSON)
    block = page.locator(".cd-fin")
    button = block.get_by_role("button")
    assert stored(page) == {}, "rien n'est coché à la place du lecteur"
    expect(button).to_have_text("J’ai terminé ce module")
    button.focus()
    page.keyboard.press("Enter")
    expect(block.get_by_role("status")).to_contain_text("✓ Module terminé le 21 novembre 2026")
    assert stored(page) == {MM: TODAY}
    page.reload()
    expect(block.get_by_role("status")).to_contain_text("Module terminé le 21 novembre 2026")
    button.focus()
    page.keyboard.press("Space")
    expect(block.get_by_role("status")).to_be_empty()
    expect(button).to_be_focused()
    assert stored(page) == {}


def test_lists_say_what_is_finished_by_a_word_and_a_sign(visit: Visit, project: Project) -> None:
    page = visit(PATHS)
    expect(page.locator(".cd-fait").first).to_be_empty()
    assert not page.locator("[data-bilan]").first.is_visible()
    page = visit(PATHS, kept((MM, "2026-11-01")))
    marks = page.locator(f".cd-fait[data-module={MM}]")
    assert marks.count() >= 2
    assert {text.replace("\u00a0", " ") for text in marks.all_text_contents()} == {"✓ Terminé"}
    expect(page.locator("[data-bilan]").first).to_have_text(f"Terminé : {sum_of(1, 20, project)}")


def test_a_change_shows_in_another_tab(visit: Visit) -> None:
    first = visit(PROGRESS)
    second = first.context.new_page()
    second.goto(first.url.replace(PROGRESS, LESSON))
    second.locator(".cd-fin button").click()
    expect(box(first)).to_be_checked()
    box(first).uncheck()
    expect(second.locator(".cd-fin button")).to_have_text("J’ai terminé ce module")


def test_what_is_exported_is_imported_elsewhere(visit: Visit, tmp_path: Path) -> None:
    page = visit(PROGRESS, kept((MM, "2026-11-02")))
    with page.expect_download() as download:
        page.get_by_role("button", name="Enregistrer dans un fichier").click()
    assert download.value.suggested_filename == f"culture-d-progression-{TODAY}.json"
    file = tmp_path / "progression.json"
    download.value.save_as(file)
    content = json.loads(file.read_text(encoding="utf-8"))
    assert content == {
        "cours": "culture-d",
        "version": 1,
        "modules": [{"slug": MM, "date": "2026-11-02"}],
    }
    shown = page.locator("#cd-texte").input_value()
    assert shown == file.read_text(encoding="utf-8")
    for by_file in (True, False):
        other = visit(PROGRESS)
        if by_file:
            other.get_by_label("Choisir un fichier de progression").set_input_files(file)
        else:
            paste(other, "\ufeff" + shown)
        expect(other.locator("#cd-import-etat")).to_have_text("1 module repris.")
        expect(box(other)).to_be_checked()
        assert stored(other) == {MM: "2026-11-02"}


def test_the_text_is_copied_or_selected(visit: Visit) -> None:
    page = visit(PROGRESS, kept((MM, TODAY)), permissions=["clipboard-read", "clipboard-write"])
    page.get_by_text("Le fichier ne s’enregistre pas").click()
    page.get_by_role("button", name="Copier le texte").click()
    expect(page.locator("#cd-export-etat")).to_have_text("Le texte est copié.")
    assert json.loads(page.evaluate("navigator.clipboard.readText()"))["cours"] == "culture-d"
    page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new Error('non')); }"
    )
    page.get_by_role("button", name="Copier le texte").click()
    expect(page.locator("#cd-export-etat")).to_contain_text("La copie est bloquée")
    selected = page.evaluate("getSelection().toString() || document.activeElement.id")
    assert "culture-d" in selected or selected == "cd-texte"


@pytest.mark.parametrize(
    ("mine", "theirs", "result", "said"),
    [
        ("2026-11-10", "2026-11-02", "2026-11-02", "1 date plus ancienne gardée."),
        ("2026-11-02", "2026-11-10", "2026-11-02", "Rien de nouveau : tout était déjà noté ici."),
    ],
)
def test_merging_keeps_the_earliest_day(
    visit: Visit, mine: str, theirs: str, result: str, said: str
) -> None:
    page = visit(PROGRESS, kept((MM, mine)))
    assert paste(page, kept((MM, theirs))) == said
    assert stored(page) == {MM: result}


FOREIGN = [
    ("", "Il est vide."),
    (
        "bonjour, voici <b>ma</b> progression",
        "Ce n’est pas une progression. Son texte commence",
    ),
    ("PK\u0003\u0004\ufffd\u202e", "commence par « PK"),
    ("[" * 90_000, "Ce n’est pas une progression."),
    ("null", "Il ne dit pas de quel cours il vient."),
    ("[]", "Il ne dit pas de quel cours il vient."),
    ('{"name": "x"}', "Il ne dit pas de quel cours il vient."),
    ('{"__proto__": {"cours": "culture-d", "version": 1}}', "Il ne dit pas de quel cours"),
    (kept(cours="autre"), "Il vient d’un autre cours : « autre »."),
    (kept(cours="<img src=x onerror=alert(1)>"), "« <img src=x onerror=alert(1)> »"),
    (kept(cours=None), "Il vient d’un autre cours : « null »."),
    (kept(version=2), "version plus récente du cours (format 2 ; celui-ci : 1)"),
    (kept(version="1"), "Sa version n’est pas reconnue"),
    (kept(modules={"a": 1}), "Il n’a pas de liste de modules."),
    (kept(*[(MM, "2026-11-02")] * 3000), "Il est trop gros : "),
]


def test_a_foreign_text_is_refused_and_changes_nothing(visit: Visit) -> None:
    page = visit(PROGRESS, kept((MM, "2026-11-20")))
    for text, said in FOREIGN:
        answer = paste(page, text)
        assert said in answer, (text[:60], answer)
        assert "Il faut un fichier enregistré depuis cette page" in answer
        assert "Votre progression n’a pas changé." in answer
        assert stored(page) == {MM: "2026-11-20"}
        assert page.locator("#cd-import-etat img, #cd-import-etat b").count() == 0


def test_a_huge_file_is_refused_without_being_read(visit: Visit, tmp_path: Path) -> None:
    file = tmp_path / "gros.json"
    with file.open("wb") as opened:
        opened.truncate(50_000_000)
    page = visit(PROGRESS)
    page.evaluate("() => { File.prototype.text = () => { throw new Error('lu'); }; }")
    page.get_by_label("Choisir un fichier de progression").set_input_files(file)
    expect(page.locator("#cd-import-etat")).to_contain_text("Il est trop gros : 50 Mo")


def test_the_valid_part_is_loaded_and_the_rest_is_said(visit: Visit) -> None:
    entries: list[Any] = [
        {"slug": MM, "date": "2026-11-09"},
        {"slug": MM, "date": "2026-11-03"},
        {"slug": OTHER, "date": "2026-11-03"},
        {"slug": "<img src=x onerror=alert(1)>", "date": "2026-11-03"},
        {"slug": MM, "date": "2026-11-23"},
        {"slug": MM, "date": "2026-02-30"},
        {"slug": MM, "date": "<script>alert(1)</script>"},
        {"slug": "__proto__", "date": "2026-11-03"},
        {"slug": "constructor", "date": "2026-11-03"},
        None,
        [MM],
    ]
    page = visit(PROGRESS)
    said = paste(page, kept(modules=entries))
    assert stored(page) == {MM: "2026-11-03"}
    assert "1 module repris. 1 ligne en double : la date la plus ancienne compte." in said
    assert "9 lignes laissées de côté :" in said
    assert f"« {OTHER} » : ce module n’est pas dans cette version du cours." in said
    assert "« <img src=x onerror=alert(1)> » : ce n’est pas un nom de module." in said
    assert f"« {MM} » : la date est dans le futur, « 2026-11-23 »." in said
    assert f"« {MM} » : date illisible, « 2026-02-30 »." in said
    assert "« __proto__ » : ce n’est pas un nom de module." in said
    assert "« constructor » : ce module n’est pas dans cette version du cours." in said
    assert said.count("\n") <= 14 and "Et 1 autre." in said


SLUGS = st.sampled_from([MM, OTHER, "__proto__", "<b>x</b>", ""]) | st.text(max_size=8)
DATES = st.sampled_from([TODAY, "2026-11-01", "2999-01-01", "2026-13-01"]) | st.text(max_size=8)
ENTRIES = st.fixed_dictionaries({"slug": SLUGS, "date": DATES}) | st.none() | st.integers()
JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)
FILES = st.one_of(
    st.text(max_size=60),
    JSON.map(json.dumps),
    st.fixed_dictionaries(
        {
            "cours": st.just("culture-d"),
            "version": st.just(1),
            "modules": st.lists(ENTRIES, max_size=6),
        }
    ).map(json.dumps),
    st.fixed_dictionaries({"cours": JSON, "version": JSON, "modules": JSON}).map(json.dumps),
)


def test_no_text_breaks_the_page(visit: Visit) -> None:
    """Whatever is pasted: a French answer, no markup run, and only true entries kept."""
    page = visit(PROGRESS)
    page.get_by_text("Coller un texte").click()
    run = """async ([key, text]) => {
      localStorage.removeItem(key);
      document.getElementById("cd-colle").value = text;
      document.getElementById("cd-reprendre").click();
      await new Promise((done) => setTimeout(done));
      const state = document.getElementById("cd-import-etat");
      return [state.textContent, state.querySelectorAll(":not(div, p, ul, li)").length,
              localStorage.getItem(key)];
    }"""

    @settings(
        max_examples=100,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(FILES)
    def any_text(text: str) -> None:
        said, strangers, now = page.evaluate(run, [KEY, text])
        assert re.search(r"repris|Rien", said), (text, said)
        assert strangers == 0
        wanted = sorted(_true_days(text))
        found = json.loads(now)["modules"] if now else []
        assert found == ([{"slug": MM, "date": wanted[0]}] if wanted else []), text

    any_text()


def _true_days(text: str) -> list[str]:
    """Days of the lesson in a text, found by other code."""
    try:
        content = json.loads(text.strip().removeprefix("\ufeff"))
    except ValueError:
        return []
    if not isinstance(content, dict) or content.get("cours") != "culture-d":
        return []
    entries = content.get("modules")
    if isinstance(content.get("version"), bool) or content.get("version") != 1:
        return []
    return [
        entry["date"]
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
        and entry.get("slug") == MM
        and entry.get("date") in {TODAY, "2026-11-01"}
    ]


CORRUPT = [
    "",
    "{",
    "null",
    "3",
    '"<img src=x onerror=alert(1)>"',
    '{"cours": "autre", "version": 1, "modules": []}',
    kept((MM, TODAY), version=0),
    kept(modules="x"),
    kept((MM, "2025-12-31")),
    kept((MM, "demain")),
    kept((MM, "2026-02-30")),
    kept((MM, "")),
    kept((MM, "2027-01-01")),
    kept(("<b>", TODAY)),
    kept(modules=[None, 3, {"slug": {}, "date": []}]),
]


def test_corrupt_storage_breaks_no_page(visit: Visit) -> None:
    page = visit(PROGRESS)
    for text in CORRUPT:
        page.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, text])
        page.reload()
        expect(page.locator(".cd-avis")).to_contain_text("est illisible")
        expect(box(page)).not_to_be_checked()
    for name in (PATHS, "book/attestation", LESSON):
        go(page, name)
        assert page.locator(".cd-fait:not(:empty)").count() == 0
    page.locator(".cd-fin button").click()
    assert stored(page) == {MM: TODAY}
    # What could not be read is set aside, once, and goes when all is erased.
    assert page.evaluate("localStorage.getItem('culture-d-progression-illisible')") == CORRUPT[-1]
    page.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, "{"])
    page.reload()
    page.locator(".cd-fin button").click()
    assert stored(page) == {MM: TODAY}
    assert page.evaluate("localStorage.getItem('culture-d-progression-illisible')") == CORRUPT[-1]
    go(page, PROGRESS)
    page.get_by_role("button", name="Effacer ma progression").click()
    page.get_by_role("button", name="Oui, effacer").click()
    assert page.evaluate("Object.keys(localStorage)") == []


LATER = kept((MM, "2026-11-02"), version=2, nouveau=True)


def test_what_a_later_version_noted_is_never_written_over(visit: Visit) -> None:
    page = visit(LESSON, LATER)
    page.locator(".cd-fin button").click()
    expect(page.locator(".cd-fin [role=status]")).to_contain_text("version plus récente du cours")
    go(page, PROGRESS)
    expect(page.locator(".cd-avis")).to_contain_text("version plus récente du cours")
    box(page).click()
    expect(box(page)).not_to_be_checked()
    expect(page.locator("#cd-note-etat")).to_contain_text("Elle n’a pas été changée.")
    assert "version plus récente" in paste(page, kept((MM, TODAY)))
    assert page.evaluate("key => localStorage.getItem(key)", KEY) == LATER
    page.get_by_role("button", name="Effacer ma progression").click()
    page.get_by_role("button", name="Oui, effacer").click()
    assert page.evaluate("Object.keys(localStorage)") == []
    expect(page.locator(".cd-avis")).to_be_empty()


def test_two_tabs_leave_each_other_in_peace(visit: Visit) -> None:
    """One change is one event in the other tab, not an endless answer to an answer."""
    count = """window.heard = [];
      addEventListener("storage", (event) => window.heard.push(event.key));
      document.addEventListener("culture-d-progression", () => window.heard.push("dit"));"""
    first = visit(PROGRESS)
    second = first.context.new_page()
    second.goto(first.url)
    for page in (first, second):
        page.evaluate(f"() => {{ {count} }}")
    box(first).check()
    expect(box(second)).to_be_checked()
    first.evaluate("localStorage.setItem('culture-d-theme', 'dark')")
    first.wait_for_timeout(300)
    assert second.evaluate("window.heard") == ["dit", KEY, "culture-d-theme"]
    assert first.evaluate("window.heard") == ["dit"]


def test_a_new_message_takes_the_place_of_the_others(visit: Visit) -> None:
    page = visit(PROGRESS, kept((MM, TODAY)))
    said = "#cd-note-etat, #cd-export-etat, #cd-import-etat, #cd-efface-etat"

    def messages() -> list[str]:
        texts = page.locator(said).all_text_contents()
        return [one for one in texts if one and not one.startswith("Rien à emporter")]

    page.get_by_role("button", name="Effacer ma progression").click()
    page.get_by_role("button", name="Oui, effacer").click()
    assert messages() == ["C’est effacé. Ce navigateur ne garde plus aucun module."]
    paste(page, kept((MM, TODAY)))
    assert messages() == ["1 module repris.".replace("1 ", "1\u00a0")]
    page.get_by_role("button", name="Effacer ma progression").click()
    page.get_by_role("button", name="Oui, effacer").click()
    box(page).check()
    assert messages() == []


def test_a_clock_before_the_course_notes_its_first_day(visit: Visit) -> None:
    page = visit(LESSON)
    page.clock.set_fixed_time("1970-01-01T12:00:00")
    page.locator(".cd-fin button").click()
    assert stored(page) == {MM: "2026-01-01"}
    expect(page.locator(".cd-fin [role=status]")).to_contain_text("1er janvier 2026")
    go(page, PROGRESS)
    answer = paste(page, kept((MM, "2025-12-31")))
    assert f"« {MM} » : la date est d’avant le cours, « 2025-12-31 »." in answer


def test_a_browser_that_only_pretends_to_keep_is_found_out(visit: Visit) -> None:
    page = visit(LESSON)
    page.evaluate("() => { Storage.prototype.setItem = () => {}; }")
    page.locator(".cd-fin button").click()
    expect(page.locator(".cd-fin [role=status]")).to_contain_text("ne peut rien garder")
    assert page.evaluate("cultureD.storage.set('theme', 'dark')") is False


def test_true_entries_survive_corrupt_ones(visit: Visit) -> None:
    entries = [{"slug": MM, "date": "2026-11-02"}, {"slug": MM, "date": "x"}, 7]
    page = visit(PROGRESS, kept(modules=entries))
    expect(box(page)).to_be_checked()
    expect(page.locator(".cd-avis")).to_contain_text("est illisible")


def test_an_unknown_module_is_carried_along_but_not_counted(visit: Visit, project: Project) -> None:
    """A later version of the course may have noted it: nothing is lost on the way."""
    page = visit(PROGRESS, kept((OTHER, "2026-11-02")))
    expect(page.locator("[data-bilan]")).to_contain_text(sum_of(0, 0, project))
    expect(page.locator(".cd-avis")).to_be_empty()
    box(page).check()
    assert stored(page) == {OTHER: "2026-11-02", MM: TODAY}


def test_erasing_asks_first_by_keyboard(visit: Visit) -> None:
    page = visit(PROGRESS, kept((MM, TODAY)))
    erase = page.get_by_role("button", name="Effacer ma progression")
    erase.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("group", name="Effacer 1 module terminé")).to_be_visible()
    expect(page.get_by_role("button", name="Non, garder")).to_be_focused()
    page.keyboard.press("Enter")
    expect(erase).to_be_focused()
    assert stored(page) == {MM: TODAY}
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Oui, effacer")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#cd-efface-etat")).to_contain_text("C’est effacé.")
    expect(page.locator("#cd-efface-etat")).to_be_focused()
    assert page.evaluate("key => localStorage.getItem(key)", KEY) is None
    expect(erase).to_be_disabled()
    expect(page.get_by_role("button", name="Enregistrer dans un fichier")).to_be_disabled()


REFUSE = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('non'); }})"


def test_a_browser_that_keeps_nothing_says_it(visit: Visit) -> None:
    page = visit(PROGRESS)
    page.add_init_script(REFUSE)
    page.reload()
    expect(page.locator(".cd-avis")).to_contain_text("Ce navigateur ne peut rien garder.")
    box(page).click()
    expect(box(page)).not_to_be_checked()
    expect(page.locator("#cd-note-etat")).to_contain_text("la case ne reste pas cochée")
    assert "ce navigateur ne peut rien garder" in paste(page, kept((MM, TODAY)))
    go(page, LESSON)
    page.locator(".cd-fin button").click()
    expect(page.locator(".cd-fin [role=status]")).to_contain_text("ne peut rien garder")


def test_from_a_file(visit: Visit, site: Path) -> None:
    page = visit(LESSON, base=site.as_uri())
    page.locator(".cd-fin button").click()
    page.goto(f"{site.as_uri()}/{PROGRESS}.html")
    expect(page.locator(".cd-avis")).to_contain_text("Le cours est ouvert depuis un fichier.")
    expect(box(page)).to_be_checked()
    with page.expect_download() as download:
        page.get_by_role("button", name="Enregistrer dans un fichier").click()
    assert download.value.suggested_filename.endswith(".json")
    box(page).uncheck()
    assert "1 module repris." in paste(page, kept((MM, TODAY)))


def test_without_script(visit: Visit) -> None:
    page = visit(PROGRESS, java_script_enabled=False)
    assert page.get_by_text("JavaScript est coupé").is_visible()
    assert (
        page.locator("main button:visible, main input:visible, main textarea:visible").count() == 0
    )
    assert page.get_by_role("link", name="Ouvrir").first.is_visible()
    page = visit(LESSON, java_script_enabled=False)
    assert not page.locator(".cd-fin").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_state_is_accessible(visit: Visit, scheme: str) -> None:
    page = visit(PROGRESS, "{", color_scheme=scheme)
    check(page, "stockage illisible")
    box(page).check()
    page.get_by_role("button", name="Effacer ma progression").click()
    page.get_by_text("Le fichier ne s’enregistre pas").click()
    paste(page, kept((MM, TODAY), ("x" * 60, TODAY), ("<b>", TODAY)))
    check(page, "import partiel")
    paste(page, "x" * 300)
    check(page, "import refusé")
    go(page, PATHS)
    page.locator("details").evaluate_all("all => all.forEach((one) => (one.open = true))")
    check(page, "parcours")
    go(page, LESSON)
    check(page, "fin du module", ".cd-fin")


def check(page: Page, state: str, part: str | None = None) -> None:
    """No violation for axe, nothing wider than a small screen, even with larger text."""
    page.set_viewport_size({"width": 320, "height": 844})
    results = Axe().run(page, context=part)
    assert results.violations_count == 0, (state, results.generate_report())
    style = page.add_style_tag(content="html { font-size: 225% !important; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, state
    style.evaluate("style => style.remove()")
