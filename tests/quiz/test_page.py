"""Quizzes answered in a browser: by keyboard alone, by touch, without script, on paper."""

import gzip
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Locator, Page, expect

from culture_d.book.bundles import COMPONENTS

LESSON = "notebooks/comprendre/moyenne-mediane"

Open = Callable[..., Page]
Use = Callable[[Locator], None]


def by_touch(target: Locator) -> None:
    # A button that says it can do no more is tapped too: it must answer, and break nothing.
    target.scroll_into_view_if_needed()
    target.tap(force=target.get_attribute("aria-disabled") == "true")


def by_keyboard(target: Locator) -> None:
    """Go from the start of its question to a control with Tab and arrows, and press it."""
    page = target.page
    target.evaluate(
        """one => {
          const start = one.closest(".cd-quiz-question, .cd-intuition");
          start.tabIndex = -1;
          start.focus();
          start.removeAttribute("tabindex");
        }"""
    )
    kind = target.evaluate("one => one.type")
    for _ in range(30):
        state = target.evaluate(
            """one => {
              const here = document.activeElement;
              return here === one ? "là"
                : one.type === "radio" && here.name === one.name ? "groupe" : "ailleurs";
            }"""
        )
        if state == "là":
            break
        page.keyboard.press("ArrowDown" if state == "groupe" else "Tab")
    else:
        pytest.fail("le clavier n'y mène pas")
    assert target.evaluate("one => getComputedStyle(one).outlineStyle") != "none"
    if kind != "text" and not (kind == "radio" and target.is_checked()):
        page.keyboard.press("Space")


USES = [pytest.param(by_keyboard, id="clavier"), pytest.param(by_touch, id="doigt")]


def question(page: Page, rank: int) -> Locator:
    return page.locator("#quiz-tous-les-genres .cd-quiz-question").nth(rank)


def check(use: Use, box: Locator) -> Locator:
    """Press the button; return where the result is said."""
    use(box.get_by_role("button", name="Vérifier"))
    return box.get_by_role("status")


def texts(items: Locator) -> list[str]:
    return [re.sub(r"\s+", " ", one).strip() for one in items.all_inner_texts()]


def assert_marks(box: Locator, marks: list[str]) -> None:
    """Right and wrong are said in words and by a sign, not by colour alone."""
    assert [one for one in texts(box.locator(".cd-quiz-marque")) if one] == marks


@pytest.fixture
def touch(open_quiz: Open) -> Page:
    return open_quiz(has_touch=True, is_mobile=True)


@pytest.mark.parametrize("use", USES)
def test_one_answer(touch: Page, use: Use) -> None:
    box = question(touch, 0)
    status = check(use, box)
    expect(status).to_have_text("Choisissez une réponse, puis vérifiez.")
    expect(box.get_by_role("radio").first).to_be_focused()
    expect(box.locator("details")).to_be_hidden()

    use(box.get_by_label("La moyenne"))
    expect(check(use, box)).to_contain_text("✗ Faux.")
    expect(status).to_contain_text("Quelques grandes communes la tirent vers le haut")
    assert_marks(box, ["✗ faux"])
    expect(box.get_by_role("button", name="Vérifier")).to_be_focused()
    expect(box.get_by_label("La moyenne")).to_be_checked()

    use(box.get_by_label("La médiane"))
    expect(status).to_be_empty()
    assert_marks(box, [])
    expect(check(use, box)).to_have_text("✓ Juste.Elle est au milieu de la file.")
    assert_marks(box, ["✓ juste"])

    use(box.locator("summary"))
    expect(box.locator("details")).to_contain_text("Il ne dit rien d’une seule commune.")
    use(box.get_by_role("button", name="Recommencer"))
    expect(box.get_by_role("radio").first).to_be_focused()
    assert box.locator(":checked").count() == 0
    expect(status).to_be_empty()
    expect(box.locator("details")).to_be_hidden()


@pytest.mark.parametrize("use", USES)
def test_several_answers(touch: Page, use: Use) -> None:
    box = question(touch, 1)
    status = check(use, box)
    expect(status).to_have_text("Cochez au moins une réponse, puis vérifiez.")
    expect(box.get_by_role("checkbox").first).to_be_focused()

    use(box.get_by_label("La moyenne est au milieu."))
    expect(check(use, box)).to_contain_text(
        "✗ Faux. 1\u00a0réponse cochée est fausse. Il manque 2\u00a0bonnes réponses."
    )
    use(box.get_by_label("La médiane est au milieu."))
    expect(check(use, box)).to_contain_text("✗ Pas tout à fait. 1\u00a0réponse cochée est fausse.")
    expect(status).to_contain_text("Elle partage le total, pas la file.")
    expect(status).to_contain_text("Autant de communes au-dessous qu’au-dessus.")
    assert_marks(box, ["✓ juste", "✗ faux"])

    use(box.get_by_label("La moyenne est au milieu."))
    expect(check(use, box)).to_contain_text("Il manque 1\u00a0bonne réponse.")
    use(box.get_by_label("La moyenne suit les plus grandes."))
    expect(check(use, box)).to_contain_text("✓ Juste.")
    expect(status).not_to_contain_text("manque")
    assert_marks(box, ["✓ juste", "✓ juste"])
    assert box.locator(":checked").count() == 2


@pytest.mark.parametrize("use", USES)
def test_an_order(touch: Page, use: Use) -> None:
    box = question(touch, 2)
    right = ["Lire sa fiche", "Regarder sa date", "Le recalculer", "Le citer"]
    items = box.locator(".cd-quiz-element > span:first-child")
    first = texts(items)
    assert sorted(first) == sorted(right) and first != right
    status = check(use, box)
    expect(status).to_contain_text("Déplacez les éléments avec les flèches")
    expect(box.get_by_role("button", name=f"Descendre : {first[0]}")).to_be_focused()

    use(box.get_by_role("button", name=f"Monter : {first[0]}"))
    expect(status).to_contain_text("Déjà à la place 1 sur 4")
    down = box.get_by_role("button", name=f"Descendre : {first[0]}")
    use(down)
    expect(status).to_contain_text("Place 2 sur 4")
    expect(down).to_be_focused()

    for place, text in enumerate(right[:2]):
        for _ in range(texts(items).index(text) - place):
            up = box.get_by_role("button", name=f"Monter : {text}")
            use(up)
            expect(up).to_be_focused()
    if texts(items) == right:
        use(box.get_by_role("button", name="Descendre : Le recalculer"))
    expect(check(use, box)).to_contain_text("✗ Pas encore. À leur place\u00a0: 2 sur 4.")
    assert_marks(box, ["✓ à sa place"] * 2 + ["✗ pas à sa place"] * 2)
    expect(status).to_contain_text("On cite en dernier.")
    expect(status).not_to_contain_text("Sans elle, on ne sait pas")

    use(box.get_by_role("button", name="Monter : Le recalculer"))
    assert texts(items) == right
    expect(check(use, box)).to_contain_text("✓ Juste. Tout est à sa place.")
    expect(status).to_contain_text("Sans elle, on ne sait pas ce que l’on compte.")

    use(box.get_by_role("button", name="Recommencer"))
    assert texts(items) == first
    expect(status).to_be_empty()


@pytest.mark.parametrize("use", USES)
def test_a_number(touch: Page, use: Use) -> None:
    box = question(touch, 3)
    field = box.get_by_label("Votre réponse")
    assert field.get_attribute("inputmode") == "decimal"
    status = check(use, box)
    expect(status).to_have_text("Écrivez un nombre, puis vérifiez.")
    expect(field).to_be_focused()
    expect(field).to_have_attribute("aria-invalid", "true")

    def answer(text: str) -> None:
        use(field)
        touch.keyboard.press("Control+a")
        touch.keyboard.type(text)
        expect(status).to_be_empty()
        touch.keyboard.press("Enter")
        expect(field).to_have_value(text)

    answer("84,4 %")
    expect(status).to_have_text("✓ Juste\u00a0: 84,4 %.Être sous la moyenne est la règle.")
    expect(field).not_to_have_attribute("aria-invalid", "true")
    for text in ("83,4", "84.40%", "83,9 pour cent"):
        answer(text)
        expect(status).to_contain_text("✓ Juste")
    for text in ("84,41", "83,39", "839"):
        answer(text)
        expect(status).to_contain_text("Comptez les communes au-dessous")
    answer("50,2")
    expect(status).to_have_text("✗ Faux\u00a0: 50,2 %.C’est la part sous la médiane.")
    answer("83,9 communes")
    expect(status).to_contain_text("Ici, l’unité est «\u00a0%\u00a0»")
    expect(field).to_be_focused()
    answer("<b>")
    expect(status).to_contain_text("ne se lit pas")
    use(box.get_by_role("button", name="Recommencer"))
    expect(field).to_have_value("")
    expect(field).to_be_focused()


@pytest.mark.parametrize("use", USES)
def test_the_guess_of_the_lesson(open_quiz: Open, use: Use) -> None:
    page = open_quiz(LESSON, has_touch=True, is_mobile=True)
    box = page.locator(".cd-intuition")
    assert not any(box.locator("details").nth(rank).is_visible() for rank in range(3))
    status = box.get_by_role("status")
    use(box.get_by_role("button", name="Voir l’explication"))
    expect(status).to_have_text("Choisissez d’abord une réponse.")
    use(box.get_by_label("50", exact=True))
    use(box.get_by_role("button", name="Voir l’explication"))
    expect(status).to_contain_text("Votre réponse\u00a0: 50.")
    expect(status).to_contain_text("On croit souvent que la moyenne est au milieu de la file.")
    assert not re.search(r"[✓✗]|\bsur 3\b", box.inner_text())
    expect(box.get_by_label("50", exact=True)).to_be_checked()
    assert [box.locator("details").nth(rank).is_visible() for rank in range(3)] == [
        *(False, True, True)
    ]
    use(box.locator("summary").last)
    expect(box.get_by_text("Être sous la moyenne est donc la règle")).to_be_visible()
    assert page.evaluate("Object.keys(localStorage)") == []


def test_two_quizzes_on_a_page_do_not_mix(open_quiz: Open) -> None:
    page = open_quiz()
    one, other = question(page, 0), page.locator("#quiz-hostile .cd-quiz-question")
    one.get_by_role("radio").first.check()
    other.get_by_role("radio").last.check()
    expect(one.get_by_role("radio").first).to_be_checked()
    other.get_by_role("button", name="Vérifier").click()
    expect(one.get_by_role("status")).to_be_empty()
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))
    page.reload()
    assert ids == page.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")


def test_hostile_words_are_only_shown(open_quiz: Open) -> None:
    page = open_quiz()
    box = page.locator("#quiz-hostile")
    hostile = '<img src=x onerror="window.intruded = 1">&amp; </script>'
    assert texts(box.locator("legend")) == [f"{hostile} ?"]
    box.get_by_role("radio").first.check()
    box.get_by_role("button", name="Vérifier").click()
    expect(box.get_by_role("status")).to_contain_text(f"Faux {hostile}")
    assert box.locator("img").count() == 0
    assert page.evaluate("window.intruded") is None
    policy = page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy and "script-src 'self';" in policy


def test_a_question_that_cannot_be_read_stays_as_it_was(
    browser: Browser, quiz_address: str, quiz_site: Path
) -> None:
    text = (quiz_site / "book/essai.html").read_text(encoding="utf-8")
    broken = text.replace("data-place=", "data-place-perdue=").replace(
        'data-tolerance="0.5"', 'data-tolerance="beaucoup"'
    )
    assert broken != text
    with browser.new_context() as context:
        page = context.new_page()
        page.route(
            "**/essai.html", lambda route: route.fulfill(body=broken, content_type="text/html")
        )
        page.goto(f"{quiz_address}/book/essai.html")
        for rank, forms in enumerate((1, 1, 0, 0)):
            assert question(page, rank).locator("form").count() == forms
            assert question(page, rank).locator(".cd-quiz-base").is_visible() == (not forms)
        question(page, 2).locator("summary").click()
        expect(question(page, 2).get_by_text("On cite en dernier.")).to_be_visible()


def test_without_script_questions_and_folded_answers(open_quiz: Open) -> None:
    page = open_quiz(java_script_enabled=False, viewport={"width": 320, "height": 700})
    assert page.locator(".cd-quiz form").count() == 0
    assert question(page, 0).get_by_text("La médiane").first.is_visible()
    explanation = question(page, 0).get_by_text("Elle est au milieu de la file.")
    assert not explanation.is_visible()
    question(page, 0).locator("summary").click()
    assert explanation.is_visible()
    width = page.locator("html").evaluate("one => one.scrollWidth")
    assert width <= 320


def test_from_a_file(open_quiz: Open, quiz_site: Path) -> None:
    page = open_quiz(base=quiz_site.as_uri())
    box = question(page, 3)
    box.get_by_label("Votre réponse").fill("83,9")
    box.get_by_role("button", name="Vérifier").click()
    expect(box.get_by_role("status")).to_contain_text("✓ Juste")


def told(site: Path, name: str) -> tuple[list[str], list[str]]:
    """Questions, then explanations, that a page holds before any script."""
    page = BeautifulSoup((site / f"{name}.html").read_bytes(), "html.parser")
    questions = page.select(".cd-quiz-enonce > span:last-child")
    explanations = page.select(".cd-quiz-car, .cd-intuition details p")
    return [one.get_text() for one in questions], [one.get_text() for one in explanations]


def flat(text: str) -> str:
    """A text without spaces nor the hyphens of ends of lines, to find it in a PDF."""
    return re.sub(r"[\s\u00ad\u200b-]", "", text)


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("name", ["book/essai", LESSON])
def test_paper_has_every_question_then_every_explanation(
    open_quiz: Open, quiz_site: Path, tmp_path: Path, name: str, script: bool
) -> None:
    page = open_quiz(name, java_script_enabled=script, color_scheme="dark")
    if script:
        box = page.locator(".cd-quiz-question").first
        field = box.get_by_label("Votre réponse")
        field.fill("12") if field.count() else box.get_by_role("radio").first.check()
        box.get_by_role("button", name="Vérifier").click()
    pdf = tmp_path / "page.pdf"
    pdf.write_bytes(page.pdf(format="A4"))
    page.emulate_media(media="print")
    assert not page.get_by_role("button", name="Vérifier").first.is_visible()
    questions, explanations = told(quiz_site, name)
    assert len(questions) >= 3 and len(explanations) >= 9
    shown = flat(page.locator("main").inner_text())
    assert [one for one in (*questions, *explanations) if flat(one) not in shown] == []
    tops = page.evaluate(
        """() => [".cd-quiz-base", ".cd-quiz-corrige"].map((one) =>
          [...document.querySelector(".cd-quiz").querySelectorAll(one)]
            .map((box) => box.getBoundingClientRect().top))"""
    )
    assert max(tops[0]) < min(tops[1])
    if shutil.which("pdftotext"):
        command = ["pdftotext", str(pdf), "-"]
        paper = flat(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        assert [one for one in (*questions, *explanations) if flat(one) not in paper] == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_fault_for_axe_in_any_state_nor_scroll_sideways(open_quiz: Open, theme: str) -> None:
    page = open_quiz(color_scheme=theme, viewport={"width": 320, "height": 800})
    verify = page.get_by_role("button", name="Vérifier")

    def look(state: str) -> None:
        results = Axe().run(page)
        assert results.violations_count == 0, (state, results.generate_report())
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, state
        small = page.locator(".cd-quiz :is(button, summary, label, input[type=text])").evaluate_all(
            "all => all.filter(one => one.checkVisibility() && one.getBoundingClientRect().height < 43.9)"
            ".map(one => one.outerHTML)"
        )
        assert small == [], state

    look("au départ")
    for button in verify.all():
        button.click()
    look("rien de répondu")
    for rank, answers in ((0, "radio"), (1, "checkbox")):
        question(page, rank).get_by_role(answers).first.check()  # type: ignore[arg-type]
    question(page, 2).get_by_role("button", name="Monter").nth(2).click()
    question(page, 3).get_by_label("Votre réponse").fill("50")
    page.locator("#quiz-hostile").get_by_role("radio").last.check()
    for button in verify.all():
        button.click()
    for details in page.locator(".cd-quiz-corrige").all():
        details.evaluate("one => one.open = true")
    look("répondu")
    page.add_style_tag(content="html { font-size: 225% !important; }")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320, (
        "texte deux fois plus grand"
    )


def test_what_is_chosen_shows_in_forced_colours(open_quiz: Open) -> None:
    """Where the reader's own colours replace ours, words and borders still tell."""
    page = open_quiz(forced_colors="active")
    box = question(page, 0)
    box.get_by_label("La moyenne").check()
    box.get_by_role("button", name="Vérifier").click()
    styles = box.locator("label").evaluate_all(
        "all => all.map(one => getComputedStyle(one).borderStyle)"
    )
    assert styles == ["dashed", "solid", "solid"]
    assert_marks(box, ["✗ faux"])


def test_the_component_is_light() -> None:

    sizes = [
        len(gzip.compress((COMPONENTS / f"quiz.{kind}").read_bytes(), 9)) for kind in ("js", "css")
    ]
    assert sum(sizes) < 7_500


def test_the_unit_agrees_with_the_number(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{address}/notebooks/comprendre/moyenne-mediane.html")
        box = page.locator(".cd-quiz-question[data-unite=habitants]").first
        for typed, said in (
            ("-0", "0 habitant."),
            ("−0,0000001", "0 habitant."),
            ("1", "1 habitant."),
            ("1,9", "1,9 habitant."),
            ("2", "2 habitants."),
            ("-2", "-2 habitants."),
        ):
            box.get_by_label("Votre réponse").fill(typed)
            box.get_by_role("button", name="Vérifier").click()
            expect(box.get_by_role("status").locator("p").first).to_have_text(f"✗ Faux : {said}")
        assert page.evaluate("Object.is(cultureD.readNumber('-0').value, 0)")
