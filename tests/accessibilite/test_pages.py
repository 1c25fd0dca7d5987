"""What every page of the site holds, in every state that a reader may put it in.

One test for each check of `checks.js`; `test_controles.py` breaks a page on purpose for
each of them. The pages are looked at once, all states in one go: `conftest.report`.
"""

from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from tests.accessibilite.conftest import names

pytestmark = pytest.mark.xdist_group("accessibilite")


def test_headings(report: Any) -> None:
    """One h1, in the content; no level skipped; no empty heading."""
    assert report.faults("headings") == []


def test_landmarks(report: Any) -> None:
    """One main, one header, one footer, one search; every navigation has its own name."""
    assert report.faults("landmarks") == []


def test_languages(report: Any) -> None:
    """The page says that it is in French; every other language has a code that exists."""
    assert report.faults("languages") == []


def test_reading_direction(report: Any) -> None:
    """No right-to-left text, no direction changed."""
    assert report.faults("readingDirection") == []


def test_identifiers(report: Any) -> None:
    """No identifier twice; every label, description or control leads somewhere."""
    assert report.faults("identifiers") == []


def test_presentation_markup(report: Any) -> None:
    """No tag or attribute of presentation, no empty paragraph to make room."""
    assert report.faults("presentationMarkup") == []


def test_lists(report: Any) -> None:
    """Lists hold items only, terms come with definitions, none is typed with dashes."""
    assert report.faults("lists") == []


def test_quotations(report: Any) -> None:
    """A whole paragraph between « and » is a blockquote."""
    assert report.faults("quotations") == []


def test_links(report: Any) -> None:
    """Every link has a name that tells; the same name never leads to two places."""
    assert report.faults("links") == []


def test_new_windows(report: Any) -> None:
    """No link opens another window without saying so."""
    assert report.faults("newWindows") == []


def test_documents(report: Any) -> None:
    """A document to download says its format."""
    assert report.faults("documents") == []


def test_buttons(report: Any) -> None:
    """Every button has a name that tells, and that holds its visible text."""
    assert report.faults("buttons") == []


def test_links_in_text(report: Any) -> None:
    """A link in a sentence is underlined."""
    assert report.faults("linksInText") == []


def test_alternatives(report: Any) -> None:
    """Every picture or drawing of the content has its own alternative, neither empty nor too long."""
    assert report.faults("alternatives") == []


def test_figure_tables(report: Any) -> None:
    """Every figure has the table of its numbers beside it."""
    assert report.faults("figureTables") == []


def test_no_media(report: Any) -> None:
    """No frame, video, sound, canvas or embedded object."""
    assert report.faults("noMedia") == []


def test_no_captcha(report: Any) -> None:
    """No picture in a form, no test to prove that one is human."""
    assert report.faults("noCaptcha") == []


def test_cryptic_text(report: Any) -> None:
    """No emoji, ASCII art or run of signs."""
    assert report.faults("crypticText") == []


def test_tables(report: Any) -> None:
    """Every table has a caption, column and row headers with their scope, even rows."""
    assert report.faults("tables") == []


def test_no_complex_table(report: Any) -> None:
    """No merged cell, no two rows of headers, no table for layout."""
    assert report.faults("noComplexTable") == []


def test_fields(report: Any) -> None:
    """Every field has a visible label, next to it."""
    assert report.faults("fields") == []


def test_field_names(report: Any) -> None:
    """No two fields of a group have the same label."""
    assert report.faults("fieldNames") == []


def test_field_groups(report: Any) -> None:
    """Choices of one question are in a group with its own legend."""
    assert report.faults("fieldGroups") == []


def test_option_lists(report: Any) -> None:
    """No empty or repeated option, no group of options without a name."""
    assert report.faults("optionLists") == []


def test_no_personal_field(report: Any) -> None:
    """No field asks for personal data without saying which to the browser."""
    assert report.faults("noPersonalField") == []


def test_no_sending(report: Any) -> None:
    """No form sends anything: the only one with a destination is the search."""
    assert report.faults("noSending") == []


def test_required_and_errors(report: Any) -> None:
    """What is required, wrong, planned or out of date says so in words."""
    assert report.faults("requiredAndErrors") == []


def test_interactive_elements(report: Any) -> None:
    """No forced order, no action outside controls, nothing hidden takes the keyboard."""
    assert report.faults("interactiveElements") == []


def test_status_regions(report: Any) -> None:
    """Each tool has a message of status, which never cuts speech."""
    assert report.faults("statusRegions") == []


def test_hidden_content(report: Any) -> None:
    """Nothing to read is hidden from screen readers."""
    assert report.faults("hiddenContent") == []


def test_no_shortcut(report: Any) -> None:
    """No shortcut of one key."""
    assert report.faults("noShortcut") == []


def test_no_refresh(report: Any) -> None:
    """No page reloads or leaves by itself."""
    assert report.faults("noRefresh") == []


def test_titles(report: Any) -> None:
    """Nothing is said by a `title` or a `placeholder` alone."""
    assert report.faults("titles") == []


def test_hover(report: Any) -> None:
    """No rule shows or moves anything on hover."""
    assert report.faults("hover") == []


def test_orientation_free(report: Any) -> None:
    """No rule hides anything in one orientation of the screen."""
    assert report.faults("orientationFree") == []


def test_zoom_allowed(report: Any) -> None:
    """The reader may zoom."""
    assert report.faults("zoomAllowed") == []


def test_information_in_style(report: Any) -> None:
    """No word comes from a stylesheet, no information from a background picture."""
    assert report.faults("informationInStyle") == []


def test_position_words(report: Any) -> None:
    """No text refers to « the one on the right » or « in red »."""
    assert report.faults("positionWords") == []


def test_paired_colours(report: Any) -> None:
    """The page sets its own background; fields set both colours."""
    assert report.faults("pairedColours") == []


def test_short_movements(report: Any) -> None:
    """Nothing moves without end, nor for more than five seconds."""
    assert report.faults("shortMovements") == []


def test_text_contrast(report: Any) -> None:
    """Every text has a contrast of 4.5 (3 when large), light and dark."""
    assert report.faults("textContrast") == []


def test_control_contrast(report: Any) -> None:
    """The edge of every field and button has a contrast of 3, light and dark."""
    assert report.faults("controlContrast") == []


def test_drawing_contrast(report: Any) -> None:
    """Every mark of a drawing has a contrast of 3, light and dark."""
    assert report.faults("drawingContrast") == []


def test_focus_marks(report: Any) -> None:
    """Where the keyboard is shows on every control, with a contrast of 3, in every theme."""
    assert report.faults("focusMarks") == []


def test_forced_colours(report: Any) -> None:
    """With the reader's own colours, controls keep an edge and links a mark."""
    assert report.faults("forcedColours") == []


def test_reflow(report: Any) -> None:
    """No sideways scroll at 320 × 256 pixels (zoom of 400 %), nor with larger text."""
    assert report.faults("reflow") == []


def test_clipped(report: Any) -> None:
    """No text is cut, with text twice as large or spaced by the reader."""
    assert report.faults("clipped") == []


def test_overlaps(report: Any) -> None:
    """No text covers another, with text twice as large or spaced by the reader."""
    assert report.faults("overlaps") == []


def test_text_grows(report: Any) -> None:
    """Every text grows with the size that the reader chose."""
    assert report.faults("textGrows") == []


def test_targets(report: Any) -> None:
    """Targets of 24 pixels or apart from others; 44 for buttons and fields."""
    assert report.faults("targets") == []


def test_visual_order(report: Any) -> None:
    """The order of reading is the order shown."""
    assert report.faults("visualOrder") == []


def test_stillness(report: Any) -> None:
    """Nothing moves for who asked for less movement."""
    assert report.faults("stillness") == []


def test_keyboard_reaches_everything(report: Any) -> None:
    """Tab reaches every control, the skip link first."""
    assert report.faults("reached") == []


def test_keyboard_order(report: Any) -> None:
    """In the content, Tab never goes back up."""
    assert report.faults("order") == []


def test_keyboard_is_never_trapped(report: Any) -> None:
    """Tab leaves the page at its end, Shift+Tab comes back through all of it."""
    assert report.faults("trap") == []


def test_keyboard_changes_no_page(report: Any) -> None:
    """Moving about by keyboard opens nothing."""
    assert report.faults("context") == []


def test_changes_are_announced(report: Any) -> None:
    """What a button changes is said by a message of status, its name, or the focus."""
    assert report.faults("announcements") == []


def test_without_style(report: Any) -> None:
    """Without any stylesheet no word is lost, and the order makes sense."""
    assert report.faults("unstyled") == []


def test_the_frame_is_the_same_everywhere(report: Any) -> None:
    """Header, menu and search: same names, same targets, same place, same order."""
    first = next(iter(report.frames.values()))
    for name, frame in report.frames.items():
        assert frame == first, name
    assert first["order"] == ["header", "main", "footer", "nav", "form"]
    assert len(first["search"]) == 3


def test_the_menu_leads_to_every_page(report: Any, site: Path) -> None:
    """The menu leads to the plan, which leads everywhere; the search is the other way in."""
    frame = next(iter(report.frames.values()))
    plan = BeautifulSoup((site / "book" / "plan.html").read_bytes(), "html.parser")
    targets = [site / "book" / str(link["href"]) for link in plan.select("main li a")]
    listed = [f"/{target.resolve().relative_to(site.resolve())}" for target in targets]
    pages = names(site)
    for name in pages:
        page = (site / f"{name}.html").read_text(encoding="utf-8")
        assert "plan.html" in page or name == "book/plan", name
    ways = [frame["home"], *listed]
    missing = [
        name
        for name in pages
        if name not in {"search", "book/plan"}
        and not any(way.endswith(f"/{name}.html") for way in ways)
    ]
    assert missing == []


def test_each_page_has_its_own_title(report: Any, site: Path) -> None:
    """The title of a page is its heading and the name of the course; the first page has the name."""
    written = {name: (site / f"{name}.html").read_text(encoding="utf-8") for name in names(site)}
    titles = [text.partition("<title>")[2].partition("</title>")[0] for text in written.values()]
    assert all(" ".join(title.split()).endswith("Culture D") for title in titles)
    assert sorted(set(titles)) == sorted(titles)
    for name, (title, heading) in report.titles.items():
        words = " ".join(title.split())
        assert words.endswith("Culture D"), (name, title)
        assert words == "Culture D" or words.startswith(" ".join(heading.split())), (name, title)
    assert sum(title == "Culture D" for title in titles) == 1


@pytest.mark.long
def test_every_page_in_every_state(whole_report: Any) -> None:
    """All that the tests above look at, on all pages in all states."""
    found = {check: whole_report.faults(check) for check in whole_report.awaited}
    assert {check: faults for check, faults in found.items() if faults} == {}


def test_each_state_is_looked_at_on_a_third_of_the_pages(turns: tuple[Any, ...]) -> None:
    """Two states always, and each of the others on one page in three."""
    a_third, always, every = turns
    three = [set(a_third(rank)) for rank in range(3)]
    assert set.union(*three) == set(every)
    assert set.intersection(*three) == set(always)
    assert a_third(3) == a_third(0)


def test_a_page_that_was_not_looked_at_is_missed(report: Any) -> None:
    """A check that did not see a page it was to see does not pass for want of faults."""
    report.awaited["headings"].add("une-page")
    try:
        with pytest.raises(AssertionError, match="une-page"):
            report.faults("headings")
    finally:
        report.awaited["headings"].remove("une-page")
