"""Take the pictures of the README from the built site, and draw the social card."""

from pathlib import Path
from threading import Thread

from PIL import Image
from playwright.sync_api import sync_playwright

from culture_d import chromium
from culture_d.project import Project
from culture_d.serve import ADDRESS, make_server

LESSON = "notebooks/comprendre/moyenne-mediane.html"
COLOURS = 64
STATIC = Path(__file__).parents[1] / "src" / "culture_d" / "book" / "static"
# What a messaging service shows of a link to the course: 1,200 by 630 pixels.
CARD = """<!doctype html><html lang="fr"><meta charset="utf-8"><style>
body {{ background: #fffdfa; color: #221d18; font-family: system-ui, sans-serif; margin: 0; padding: 64px 72px; }}
header {{ align-items: center; display: flex; font-size: 44px; font-weight: 700; gap: 22px; }}
header svg {{ height: 76px; width: 76px; }}
.cd-fond {{ fill: #7a2e1d; }} circle {{ fill: #f0b34a; }}
.cd-lettre {{ fill: none; stroke: #fffdfa; stroke-linejoin: round; stroke-width: 3.6; }}
h1 {{ font-size: 68px; letter-spacing: -.02em; line-height: 1.12; margin: 44px 0 18px; max-width: 760px; }}
p {{ color: #54493f; font-size: 32px; line-height: 1.35; margin: 0; max-width: 620px; }}
[role=img] {{ bottom: 0; height: 400px; position: absolute; right: 0; width: 900px; z-index: -1; }}
[role=img] path {{ fill: #ecd3c6; }}
</style><header>{mark}Culture D</header>
<h1>Lire un chiffre, décider, rendre compte</h1>
<p>Un cours libre pour les élues et les élus locaux. Sans compte, sans code.</p>{figure}</html>"""


def main() -> None:
    """Write `book/captures/telephone.png` and `ordinateur.png`, and the social card."""
    project = Project.find()
    folder = project.book / "captures"
    folder.mkdir(exist_ok=True)
    with make_server(project.site, port=0) as server, sync_playwright() as playwright:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://{ADDRESS}:{server.server_port}/{LESSON}"
        browser = playwright.chromium.launch(
            executable_path=chromium.ensure(), args=list(chromium.ARGUMENTS)
        )
        page = browser.new_page(viewport={"width": 390, "height": 844}, device_scale_factor=2)
        page.goto(address)
        page.wait_for_load_state("networkidle")
        _save(page.screenshot(), folder / "telephone.png")
        page = browser.new_page(viewport={"width": 1280, "height": 844}, device_scale_factor=1)
        page.goto(address + "#moyenne-mediane.departement=80")
        page.wait_for_load_state("networkidle")
        page.locator(".cd-explorable").scroll_into_view_if_needed()
        page.locator(".cd-explorable select").first.focus()
        page.locator(".cd-explorable select").first.select_option("80")
        page.wait_for_timeout(500)
        page.evaluate("document.querySelector('.cd-explorable').scrollIntoView()")
        _save(page.screenshot(), folder / "ordinateur.png")
        page = browser.new_page(viewport={"width": 1200, "height": 630})
        page.goto(f"http://{ADDRESS}:{server.server_port}/book/accueil.html")
        figure = page.locator(".cd-file svg").evaluate("svg => svg.outerHTML")
        mark = page.locator(".cd-marque svg").evaluate("svg => svg.outerHTML")
        page.set_content(CARD.format(mark=mark, figure=figure))
        _save(page.screenshot(), STATIC / "carte-sociale.png")
        browser.close()
        server.shutdown()


def _save(png: bytes, path: Path) -> None:
    path.write_bytes(png)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLOURS)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main()
