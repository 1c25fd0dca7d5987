"""Take the two pictures of the README from the built site."""

from pathlib import Path
from threading import Thread

from PIL import Image
from playwright.sync_api import sync_playwright

from culture_d import chromium
from culture_d.project import Project
from culture_d.serve import ADDRESS, make_server

LESSON = "notebooks/comprendre/moyenne-mediane.html"
COLOURS = 64


def main() -> None:
    """Write `book/captures/telephone.png` and `ordinateur.png`."""
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
        page.locator(".cd-explorable select").first.select_option("80")
        page.wait_for_timeout(500)
        page.evaluate("document.querySelector('.cd-explorable').scrollIntoView()")
        _save(page.screenshot(), folder / "ordinateur.png")
        browser.close()
        server.shutdown()


def _save(png: bytes, path: Path) -> None:
    path.write_bytes(png)
    with Image.open(path) as picture:
        small = picture.convert("RGB").quantize(COLOURS)
    small.save(path, optimize=True)


if __name__ == "__main__":
    main()
