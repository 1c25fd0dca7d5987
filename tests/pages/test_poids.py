"""What a page may weigh, for a reader on a phone: the same figures at each run.

The browser says which files a page asks for; the files say what they weigh.
The explorables' own budgets are in tests/explorables.
"""

import gzip
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from urllib.parse import unquote, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, Page

from culture_d.serve import ADDRESS, make_server
from tests.families import SHARES, Share

LESSON = "notebooks/comprendre/moyenne-mediane.html"
# Bytes, gzipped, nothing in the cache, every figure scrolled to.
LESSON_BYTES = 100_000
PAGE_BYTES = 60_000
# The same for a lesson read after another page: what every page shares is in the cache.
NEXT_LESSON_BYTES = 40_000
REQUESTS = 12
# Elements outside the text, and those that scripts add to it.
NODES = 340
# A tool that is a page by itself writes its own text: the law sorted for a commune.
TOOL_NODES = 700
FIGURE_BYTES = 30_000
SHARED = re.compile(
    r"_static/(?:culture-d\.css|culture-d\.js|cours\.js|favicon\.svg|explorables/host\.js)"
)
# Questions are the lesson's own text, whether written as a form or plainly.
TEXT = "main *:not(.cd-quiz *, .cd-intuition *)"
COUNT = f"""() => ['*:not(.cd-quiz *, .cd-intuition *)', '{TEXT}']
  .map((one) => document.querySelectorAll(one).length)"""
PICTURES = {".png", ".webp", ".jpg", ".jpeg", ".gif", ".avif"}


def pages(site: Path) -> list[str]:
    """Every page but the redirect of the root."""
    names = (path.relative_to(site).as_posix() for path in sorted(site.rglob("*.html")))
    return [name for name in names if name != "index.html"]


def weight(path: Path) -> int:
    """Bytes of a file as a web server sends it: gzipped, pictures as they are."""
    content = path.read_bytes()
    return len(content) if path.suffix in PICTURES else len(gzip.compress(content, 6, mtime=0))


def files_asked(browser: Browser, address: str, name: str) -> tuple[list[str], list[int]]:
    """Every file that a page asks for at a first visit, read to its end, and its elements."""
    asked: list[str] = []
    with browser.new_context(viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{address}/{name}")
        for image in page.locator("img").all():
            image.scroll_into_view_if_needed()
        page.wait_for_load_state("networkidle")
        counts: list[int] = page.evaluate(COUNT)
    urls = [url for url in asked if url.startswith(address)]
    return [unquote(urlsplit(url).path).lstrip("/") for url in urls], counts


def page_excess(name: str, asked: list[str], site: Path) -> list[str]:
    """Say what a page weighs or asks for beyond its budget, and what weighs most."""
    weights = {file: weight(site / file) for file in asked if (site / file).is_file()}
    total = sum(weights.get(file, 0) for file in asked)
    heaviest = max(weights, key=lambda file: weights[file])
    limit = LESSON_BYTES if name.startswith("notebooks/") else PAGE_BYTES
    faults = []
    if total > limit:
        faults.append(
            f"{name} : {total} octets gzip, au lieu de {limit} au plus ; "
            f"le plus lourd : {heaviest} ({weights[heaviest]} octets)"
        )
    own = sum(weights.get(file, 0) for file in asked if not SHARED.match(file))
    if name.startswith("notebooks/") and own > NEXT_LESSON_BYTES:
        faults.append(
            f"{name} : {own} octets gzip qui ne servent qu'à elle, au lieu de {NEXT_LESSON_BYTES}"
        )
    if len(asked) > REQUESTS:
        faults.append(
            f"{name} : {len(asked)} requêtes, au lieu de {REQUESTS} au plus : {', '.join(asked)}"
        )
    return faults


def node_excess(plain: Page, address: str, name: str, counts: list[int]) -> list[str]:
    """Say if a page has too many elements besides its own text, tables and code.

    `plain` is a window without script, `counts` what there is with them.
    """
    every, main = counts
    plain.goto(f"{address}/{name}")
    text = plain.locator(TEXT).count()
    nodes = (every - main) + max(0, main - text)
    limit = NODES if name.startswith("notebooks/") else TOOL_NODES
    if nodes <= limit:
        return []
    return [f"{name} : {nodes} éléments hors du texte, au lieu de {limit} au plus"]


def figure_excess(name: str, site: Path) -> list[str]:
    """Say which figures of a page are too heavy, or would move the text as they load."""
    faults = []
    page = BeautifulSoup((site / name).read_bytes(), "html.parser")
    for image in page.find_all("img"):
        source = unquote(urlsplit(str(image["src"])).path)
        size = weight((site / name).parent / source)
        where = f"{name} : figure {source}"
        if size > FIGURE_BYTES:
            faults.append(f"{where} : {size} octets, au lieu de {FIGURE_BYTES} au plus")
        faults += [
            f"{where} : sans « {one} »" for one in ("width", "height") if not _has(image, one)
        ]
        if image.get("loading") != "lazy":
            faults.append(f"{where} : sans chargement différé (loading)")
    return faults


def _has(image: Tag, dimension: str) -> bool:
    if re.fullmatch(r"\d+", str(image.get(dimension, ""))):
        return True
    style = rf"(?:^|;)\s*{dimension}\s*:\s*\d[\d.]*(?:px|rem|em)\s*(?:;|$)"
    return re.search(style, str(image.get("style", ""))) is not None


def excess(browser: Browser, plain: Page, address: str, name: str, site: Path) -> list[str]:
    asked, counts = files_asked(browser, address, name)
    return [
        *page_excess(name, asked, site),
        *node_excess(plain, address, name, counts),
        *figure_excess(name, site),
    ]


@pytest.fixture(scope="module")
def plain(browser: Browser) -> Iterator[Page]:
    """A window without script."""
    with browser.new_context(java_script_enabled=False) as context:
        yield context.new_page()


@pytest.mark.parametrize("share", SHARES)
def test_every_page_holds_its_budget(
    browser: Browser, plain: Page, address: str, site: Path, share: Share
) -> None:
    assert LESSON in pages(site)
    names = share(pages(site))
    assert names
    faults = [fault for name in names for fault in excess(browser, plain, address, name, site)]
    assert not faults, "\n".join(faults)


@pytest.fixture
def copy(site: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(site, tmp_path / "html"))


def broken(browser: Browser, plain: Page, copy: Path, name: str, extra: str) -> str:
    """Add to a page of the copy; return everything found in it."""
    page = copy / name
    text = page.read_text(encoding="utf-8")
    page.write_text(text.replace("</main>", extra + "</main>", 1), encoding="utf-8")
    with make_server(copy, port=0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        found = excess(browser, plain, f"http://{ADDRESS}:{server.server_port}", name, copy)
        server.shutdown()
    return "\n".join(found)


def noise(path: Path, size: int) -> None:
    """Write a file that gzip cannot make smaller."""
    path.write_bytes(random.Random(0).randbytes(size))


def test_a_page_too_heavy_is_seen(browser: Browser, plain: Page, copy: Path) -> None:
    noise(copy / "lourd.css", LESSON_BYTES)
    found = broken(browser, plain, copy, LESSON, '<link rel="stylesheet" href="/lourd.css">')
    assert re.search(rf"{LESSON} : \d+ octets gzip, .* le plus lourd : lourd\.css", found)


def test_a_file_loaded_by_a_script_counts(browser: Browser, plain: Page, copy: Path) -> None:
    noise(copy / "lourd.css", PAGE_BYTES)
    (copy / "appel.js").write_text("fetch('/lourd.css')", encoding="utf-8")
    found = broken(browser, plain, copy, "book/accueil.html", '<script src="/appel.js"></script>')
    assert "book/accueil.html : " in found and "le plus lourd : lourd.css" in found


def test_too_many_requests_are_seen(browser: Browser, plain: Page, copy: Path) -> None:
    styles = "".join(
        f'<link rel="stylesheet" href="/_static/culture-d.css?{n}">' for n in range(REQUESTS)
    )
    found = broken(browser, plain, copy, LESSON, styles)
    assert re.search(rf"{LESSON} : \d+ requêtes, .*_static/culture-d\.css", found)


def test_a_lesson_too_heavy_by_itself_is_seen(browser: Browser, plain: Page, copy: Path) -> None:
    noise(copy / "lourd.css", NEXT_LESSON_BYTES)
    found = broken(browser, plain, copy, LESSON, '<link rel="stylesheet" href="/lourd.css">')
    assert re.search(rf"{LESSON} : \d+ octets gzip qui ne servent qu'à elle", found)


def test_too_many_elements_are_seen(browser: Browser, plain: Page, copy: Path) -> None:
    many = "const main = document.querySelector('main');"
    many += "for (let n = 0; n < 400; n++) main.append(document.createElement('i'));"
    (copy / "beaucoup.js").write_text(many, encoding="utf-8")
    found = broken(browser, plain, copy, LESSON, '<script src="/beaucoup.js"></script>')
    assert re.search(rf"{LESSON} : \d+ éléments hors du texte", found)
    menu = "</main>" + "<p>Une ligne de menu</p>" * (TOOL_NODES + 1)
    found = broken(browser, plain, copy, "book/accueil.html", menu)
    assert "book/accueil.html : " in found and "éléments hors du texte" in found


def test_a_figure_at_fault_is_seen(browser: Browser, plain: Page, copy: Path) -> None:
    noise(copy / "_images" / "lourde.png", FIGURE_BYTES + 1)
    image = '<img src="../../_images/lourde.png" alt="Neuf communes" width="10" style="{}">'
    found = broken(browser, plain, copy, LESSON, image.format("max-width: 9px; height: auto"))
    where = f"{LESSON} : figure ../../_images/lourde.png : "
    assert f"{where}{FIGURE_BYTES + 1} octets, au lieu de {FIGURE_BYTES} au plus" in found
    assert f"{where}sans « height »" in found and f"{where}sans « width »" not in found
    assert f"{where}sans chargement différé" in found
