"""The pages as they are written: nesting, attributes, and what their scripts never ask for."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.xdist_group("accessibilite")

VOID = {
    *("area", "base", "br", "col", "embed", "hr", "img", "input"),
    *("link", "meta", "source", "track", "wbr"),
}
# Chromium's parser follows the specification: it moves or closes what is wrongly nested.
AS_BROWSERS_READ = """(text) => {
  const page = new DOMParser().parseFromString(text, "text/html");
  const tags = [];
  const visit = (one, depth) => {
    tags.push(`${depth} ${one.localName}`);
    [...(one instanceof HTMLTemplateElement ? one.content : one).children].forEach((child) => visit(child, depth + 1));
  };
  visit(page.documentElement, 0);
  return { tags, doctype: page.doctype?.name ?? "", mode: page.compatMode };
}"""
FORBIDDEN = {
    "mouvement de l'appareil": r"devicemotion|deviceorientation|Accelerometer|Gyroscope",
    "geste à plusieurs doigts": r"gesturestart|gesturechange|\btouches\s*\.\s*length|targetTouches",
    "orientation imposée": r"orientation\s*\.\s*lock",
    "nouvelle fenêtre": r"\bwindow\s*\.\s*open\s*\(|(?<![\w.])open\s*\(\s*[\"'`]",
    "page quittée ou rechargée": r"location\s*\.\s*(?:reload|assign|replace)\s*\(|location(?:\.href)?\s*=(?!=)",
    "son ou parole": r"new\s+Audio\b|AudioContext|speechSynthesis",
    "plein écran": r"requestFullscreen|requestPointerLock",
}


class _Strict(HTMLParser):
    """Reads a page without mending anything: what is opened must be closed, in order."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.faults: list[str] = []
        self._open: list[str] = []
        self._foreign = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(f"{len(self._open)} {tag}")
        names = [name for name, _ in attrs]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.faults.append(f"{self._place()} : attribut en double « {name} » dans <{tag}>")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag in VOID:
            return
        self._open.pop()
        if "svg" not in [*self._open, tag]:
            self.faults.append(f"{self._place()} : <{tag}/> n'existe pas")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open[-1] != tag:
            inside = self._open[-1] if self._open else "rien"
            self.faults.append(f"{self._place()} : </{tag}> ferme <{inside}>")
        if tag in self._open:
            while self._open.pop() != tag:
                continue

    def close(self) -> None:
        super().close()
        self.faults += [f"<{tag}> n'est pas fermé" for tag in self._open]

    def _place(self) -> str:
        return f"ligne {self.getpos()[0]}"


def code_faults(text: str, reader: Page) -> list[str]:
    """List what is not well formed in a page, or not nested as the specification asks."""
    strict = _Strict()
    strict.feed(text)
    strict.close()
    read = reader.evaluate(AS_BROWSERS_READ, text)
    faults = list(strict.faults)
    if read["doctype"] != "html" or read["mode"] != "CSS1Compat":
        faults.append("la page ne commence pas par <!doctype html>")
    for written, understood in zip(strict.tags, read["tags"], strict=False):
        if written != understood:
            faults.append(f"écrit « {written} », compris « {understood} » par le navigateur")
            break
    return faults


def script_faults(text: str) -> list[str]:
    """List what a script must never do, in French."""
    return [what for what, pattern in FORBIDDEN.items() if re.search(pattern, text)]


def pages(site: Path) -> Iterator[Path]:
    return (path for path in sorted(site.rglob("*.html")) if path != site / "index.html")


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield context.new_page()


def test_every_page_is_well_formed(site: Path, reader: Page) -> None:
    """Each tag is closed, in order; the browser understands what is written; the doctype is there."""
    found = {
        path.relative_to(site).as_posix(): code_faults(path.read_text(encoding="utf-8"), reader)
        for path in pages(site)
    }
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("<p>Un", "</body> ferme <p>"),
        ("<div><p>Un</div>", "</div> ferme <p>"),
        ("<p>Un</p></section>", "</section> ferme <body>"),
        ("<p id='a' id='b'>Un</p>", "attribut en double « id »"),
        ("<p><div>Un</div></p>", "compris"),
        ("<table><tr><td>Un</td></tr></table>", "compris"),
        ("<a href='a'>Un <a href='b'>deux</a></a>", "compris"),
        ("<div/>", "n'existe pas"),
    ],
)
def test_a_page_badly_written_is_seen(reader: Page, body: str, expected: str) -> None:
    text = (
        f"<!doctype html><html lang='fr'><head><title>Un</title></head><body>{body}</body></html>"
    )
    assert any(expected in fault for fault in code_faults(text, reader))


def test_a_page_without_doctype_is_seen(reader: Page) -> None:
    text = "<html><head><title>Un</title></head><body><p>Un</p></body></html>"
    assert code_faults(text, reader) == ["la page ne commence pas par <!doctype html>"]


def test_scripts_ask_for_no_movement_gesture_window_or_sound(site: Path) -> None:
    """No script listens to movement or many fingers, opens or leaves a page, locks the screen."""
    found = {
        path.relative_to(site).as_posix(): script_faults(path.read_text(encoding="utf-8"))
        for path in sorted(site.rglob("*.js"))
    }
    assert {name: faults for name, faults in found.items() if faults} == {}


@pytest.mark.parametrize(
    "script",
    [
        "addEventListener('devicemotion', f)",
        "if (event.touches.length > 1) zoom()",
        "screen.orientation.lock('portrait')",
        "window.open('a.html')",
        "location.href = 'a.html'",
        "setTimeout(() => location.reload(), 9)",
        "new Audio('a.mp3').play()",
        "main.requestFullscreen()",
    ],
)
def test_a_script_that_asks_for_them_is_seen(script: str) -> None:
    assert script_faults(script)


def test_no_file_of_sound_or_video_is_published(site: Path) -> None:
    """The site holds no sound, video or animated picture."""
    media = {".mp3", ".ogg", ".wav", ".m4a", ".mp4", ".webm", ".mov", ".avi", ".gif", ".apng"}
    assert [path.name for path in site.rglob("*") if path.suffix.lower() in media] == []


def test_styles_hold_no_animation(site: Path) -> None:
    """No stylesheet defines an animation: what moves is a short change that the reader asked for."""
    loaded = set()
    for path in pages(site):
        links = re.findall(r'href="([^"?]+\.css)', path.read_text(encoding="utf-8"))
        loaded |= {(path.parent / link).resolve() for link in links}
    assert loaded
    moving = [one.name for one in loaded if "@keyframes" in one.read_text(encoding="utf-8")]
    assert moving == []
