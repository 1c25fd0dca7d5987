"""Look at slides in Chromium: nothing overflows, nothing is asked from elsewhere; print them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from culture_d.errors import SlidesError
from culture_d.pdf import LINKS_TO_WORDS

WIDTH, HEIGHT = 1280, 720
# Each slide in turn: what passes its edges, in pixels, and a picture that is not there.
OVERFLOWING = """() => {
  const faults = [];
  const shown = (one) => one.getClientRects().length > 0;
  for (const slide of document.querySelectorAll(".slides section section")) {
    const place = Reveal.getIndices(slide);
    Reveal.slide(place.h, place.v, Infinity);
    const frame = slide.getBoundingClientRect();
    const scale = frame.width / 1280;
    const low = frame.top + 720 * scale - 30 * scale;
    for (const one of slide.querySelectorAll("h1, h2, .corps *")) {
      if (!shown(one)) continue;
      const box = one.getBoundingClientRect();
      const down = Math.round((box.bottom - low) / scale);
      const right = Math.round((box.right - frame.right) / scale) + 60;
      if (down > 0 || right > 0) {
        faults.push(`${slide.id} (cellule « ${slide.dataset.cellule} ») dépasse de ${Math.max(down, right)} px`);
        break;
      }
    }
    const badge = slide.querySelector(".etape"), title = slide.querySelector("h2");
    if (badge && title) {
      const words = document.createRange();
      words.selectNodeContents(title);
      if ([...words.getClientRects()].some((one) => one.right > badge.getBoundingClientRect().left))
        faults.push(`${slide.id} : le titre touche l’étape`);
    }
    for (const image of slide.querySelectorAll("img"))
      if (!image.naturalWidth) faults.push(`${slide.id} : une image ne s’affiche pas`);
  }
  Reveal.slide(0, 0);
  return faults;
}"""


@contextmanager
def opened(browser: Any, path: Path, query: str = "") -> Iterator[Any]:
    """Open a file of slides without network, as one does from a stick.

    Raises:
        SlidesError: the file asked for something elsewhere.
    """
    asked: list[str] = []
    with browser.new_context(
        offline=True, viewport={"width": WIDTH, "height": HEIGHT}, locale="fr-FR"
    ) as context:
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto(path.absolute().as_uri() + query, wait_until="load")
        page.wait_for_function("window.Reveal && Reveal.isReady()")
        yield page
    outside = sorted({url for url in asked if not url.startswith(("file:", "data:", "blob:"))})
    if outside:
        raise SlidesError(
            f"Le diaporama « {path.name} » fait appel à {', '.join(outside)}. Retirez cet appel."
        )


def check_deck(browser: Any, path: Path) -> None:
    """Check that every slide of a file holds in its frame.

    Raises:
        SlidesError: names the slides at fault and their cells.
    """
    with opened(browser, path) as page:
        faults: list[str] = page.evaluate(OVERFLOWING)
    if faults:
        raise SlidesError(
            f"Le diaporama « {path.name} » déborde : {' ; '.join(faults)}. Raccourcissez ces "
            "cellules, ou coupez-les en deux."
        )


def print_deck(browser: Any, path: Path) -> bytes:
    """Print a file of slides, one page a slide."""
    with opened(browser, path, "?view=print") as page:
        page.wait_for_selector(".pdf-page")
        page.evaluate(LINKS_TO_WORDS)
        content: bytes = page.pdf(prefer_css_page_size=True, print_background=True, tagged=True)
    return content
