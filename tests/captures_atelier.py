"""The picture of nbgrader's assignment list that the seat cards show, with its French.

    sudo .venv/bin/python -m tests.captures_atelier

makes a workshop of one seat, takes the picture in a real JupyterLab, and removes all.
"""

import io
import secrets
import shutil
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from culture_d import chromium
from culture_d.workshop.model import Workshop
from culture_d.workshop.screens import ASSIGNMENT_LIST
from tests.atelier.conftest import Room, free_ports, remove_accounts
from tests.atelier.ecran import Screen

EXERCISES = ("bonnes-questions", "formats", "moyenne-mediane")
MOST_BYTES = 150_000
WORDS = {
    "Released assignments": "à prendre",
    "Downloaded assignments": "pris",
    "Submitted assignments": "rendus",
    "Fetch": "prendre",
    "Submit": "rendre",
    "Fetch Feedback": "prendre le retour",
}
_SAY = """words => {
  const panel = document.querySelector('#nbgrader-assignment-list');
  for (const one of panel.querySelectorAll('.panel-heading, .item_status button')) {
    const french = words[one.textContent.trim()];
    if (!french) continue;
    const said = document.createElement('b');
    said.textContent = french;
    said.style.cssText = 'color:#a33c00;font-size:16px;margin:0 10px;float:none';
    if (one.tagName === 'BUTTON') one.before(said); else one.append(said);
  }
  // Narrow, so that it can be read on a card.
  panel.querySelector('#assignments').style.width = '540px';
  for (const one of panel.querySelectorAll('#assignments_toolbar, .item_course, .nested_list_item'))
    one.style.display = 'none';
  for (const one of panel.querySelectorAll('.item_status'))
    one.style.cssText = 'text-align:right;white-space:nowrap;float:right;width:auto';
}"""


def take(screen: Screen, target: Path) -> None:
    """Fetch two exercises, submit one, and take the picture.

    Raises:
        ValueError: it is too heavy.
    """
    panel = screen.open_list()
    for slug in EXERCISES[1:]:
        screen.press("Fetch", slug, "released_assignments_list")
        expect(panel.locator("#fetched_assignments_list")).to_contain_text(slug)
    screen.press("Submit", EXERCISES[2], "fetched_assignments_list")
    expect(panel.locator("#submitted_assignments_list")).to_contain_text(EXERCISES[2])
    screen.page.mouse.move(0, 0)
    screen.page.evaluate(_SAY, WORDS)
    box = panel.locator("#assignments").bounding_box()
    assert box is not None
    last = panel.locator(".panel").last.bounding_box()
    assert last is not None
    height = last["y"] + last["height"] + 8 - box["y"]
    picture = screen.page.screenshot(
        clip={"x": box["x"], "y": box["y"], "width": box["width"], "height": height}
    )
    image = Image.open(io.BytesIO(picture)).convert("P", palette=Image.Palette.ADAPTIVE, colors=64)
    image.save(target, optimize=True)
    if target.stat().st_size > MOST_BYTES:
        raise ValueError(f"« {target} » pèse {target.stat().st_size} octets.")


def picture(browser: Browser, workshop: Workshop, password: str, target: Path) -> None:
    """Come in as the first seat, whose assignment list was never used, and take the picture."""
    screen = Screen(browser, workshop)
    screen.page.set_viewport_size({"width": 1100, "height": 800})
    screen.log_in(workshop.seats[0].name, password)
    screen.page.keyboard.press("Control+B")
    take(screen, target)
    screen.close()


def main() -> None:
    """Make the workshop, take the picture, remove all."""
    base = Path(tempfile.mkdtemp(prefix="culture-d-capture-", dir="/var/tmp"))
    base.chmod(0o755)
    prefix = f"cdp{secrets.token_hex(2)}"
    room = Room(base / "salle", prefix, free_ports(), base / "cartes.pdf")
    try:
        words = ["--places", "1", "--exercices", ",".join(EXERCISES), "--prefixe", prefix]
        words += ["--port", str(room.port), "--cartes", str(room.cards)]
        room.command("preparer", *words)
        room.command("ouvrir")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=chromium.ensure(), args=list(chromium.ARGUMENTS)
            )
            name = room.workshop.seats[0].name
            picture(browser, room.workshop, room.password(name), ASSIGNMENT_LIST)
            browser.close()
    finally:
        if (room.folder / "atelier.json").exists():
            room.command("fermer", "--oui")
        remove_accounts(prefix)
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
