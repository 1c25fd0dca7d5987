"""A whole workshop in the browser: two learners and a trainer, from the card to the feedback."""

import json
import re
import shutil
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas
import pytest
from playwright.sync_api import Browser, Page, expect

from culture_d.project import Project
from culture_d.workshop import hub
from culture_d.workshop import room as seat_room
from culture_d.workshop.model import Seat
from tests.atelier.conftest import EXERCISE, Room, free_ports, remove_accounts
from tests.atelier.ecran import PATIENCE, Screen

# Minutes of work with real accounts: `make soak` runs them.
pytestmark = [pytest.mark.xdist_group("atelier"), pytest.mark.long]

SETTINGS = "jupyter_server_config.json"
FORMGRADER = "nbgrader.server_extensions.formgrader"
FREE_TEXT = "La plupart des communes de la Somme sont plus petites que la nôtre."
REMARK = "Citez aussi la médiane."


@dataclass
class Class:
    """The workshop under way, and who is at the screens."""

    room: Room
    ann: Screen
    bob: Screen
    trainer: Screen


@pytest.fixture(scope="module")
def people(prefix: str, browser: Browser) -> Iterator[Class]:
    """A workshop prepared and opened by the trainer, who comes in, as two learners do.

    The second learner's server is started with the trainer's tools, which its settings
    do not forbid meanwhile: the first one's refusals are then those of the settings.
    """
    base = Path(tempfile.mkdtemp(prefix="culture-d-seance-", dir="/var/tmp"))
    base.chmod(0o755)
    made = Room(base / "salle", f"{prefix}s", free_ports(), base / "cartes.pdf")
    screens: list[Screen] = []

    def enter(name: str) -> Screen:
        screens.append(Screen(browser, made.workshop))
        screens[-1].log_in(name, made.password(name))
        return screens[-1]

    try:
        made.prepare("--fin", "2026-01-05T17:00")
        # Each server then starts with the settings of when its learner comes in.
        made.command("ouvrir", "--a-la-demande")
        ann = enter("place-01")
        settings = made.workshop.jupyter_config("eleve") / SETTINGS
        kept = settings.read_bytes()
        loosened = json.loads(kept)
        loosened["ServerApp"]["jpserver_extensions"][FORMGRADER] = True
        settings.write_text(json.dumps(loosened))
        bob = enter("place-02")
        settings.write_bytes(kept)
        yield Class(made, ann, bob, enter("formateur"))
    finally:
        for one in screens:
            one.close()
        if (made.folder / "atelier.json").exists():
            made.command("fermer", "--oui")
        remove_accounts(f"{prefix}s")
        shutil.rmtree(base, ignore_errors=True)


def test_une_seance_entiere(people: Class, project: Project) -> None:
    """Fetch, edit in JupyterLab, submit, collect, grade in formgrader, give back, read."""
    ann, bob, room = people.ann, people.bob, people.room
    communes = pandas.read_csv(
        project.datasets / "communes" / "communes.csv", dtype={"departement": str}
    )
    mean = round(communes.loc[communes["departement"] == "80", "population"].mean())

    # JupyterLab is in French, open on the module; nothing of the trainer is offered.
    expect(ann.page.locator(".lm-MenuBar-item", has_text="Fichier")).to_be_visible()
    tab = ann.page.locator("#jp-main-dock-panel .lm-TabBar-tab", has_text=f"{EXERCISE}.ipynb")
    expect(tab.first).to_be_visible()
    assert ann.menu("Nbgrader") == ["Assignment List"]
    ann.page.keyboard.press("Escape")

    _fetch(ann)
    notebook = ann.open(f"{EXERCISE}/{EXERCISE}.ipynb")
    ann.type_answer(notebook, "mon_departement =", 'mon_departement = "80"')
    ann.type_answer(notebook, "reponse_1 =", f"reponse_1 = {mean}")
    ann.type_answer(notebook, "Double-cliquez ici, puis écrivez", FREE_TEXT)
    _kill_hub(room)
    ann.run_and_save(notebook, f"{mean}")
    _open_again(room, ann)
    _submit(ann, 1)

    _fetch(bob)
    notebook = bob.open(f"{EXERCISE}/{EXERCISE}.ipynb")
    bob.type_answer(notebook, "mon_departement =", 'mon_departement = "80"')
    bob.type_answer(notebook, "reponse_1 =", "reponse_1 = 12")
    bob.run_and_save(notebook, "12")
    _submit(bob, 1)
    bob.type_answer(bob.open(f"{EXERCISE}/{EXERCISE}.ipynb"), "reponse_1 =", f"reponse_1 = {mean}")
    bob.run_and_save(notebook, f"{mean}")
    _submit(bob, 2)

    said = _say(room, "ramasser")
    assert "2 devoirs remis sur 2, dont 2 nouveaux. Dépôts précédents, gardés : 1." in said
    late = re.search(
        r"Après la fin \(5 janvier 2026 à 17 h 00\) : (.*?)\. Ces devoirs comptent", said
    )
    assert late and re.fullmatch(
        r"place-01 \(\d+ jours après\), place-02 \(\d+ jours après\)", late[1]
    )
    assert "La fin dite, le 5 janvier 2026 à 17 h 00, est passée" in said
    assert f"{EXERCISE} × 2 (dont 2 après la fin)" in _say(room, "etat")
    course = room.workshop.course
    kept = course / "anciens-depots" / room.workshop.seats[1].user / EXERCISE
    former = [one.read_text() for one in kept.glob(f"*/{EXERCISE}.ipynb")]
    assert len(former) == 1
    assert "reponse_1 = 12" in former[0]
    assert f"reponse_1 = {mean}" not in former[0]
    assert "dont 0 nouveau" in _say(room, "ramasser")

    _grade(people.trainer, 3, REMARK)
    assert "2 retours posés" in _say(room, "rendre")
    assert "2 retours posés" in _say(room, "rendre")

    for screen, points in ((ann, "5 sur"), (bob, "2 sur")):
        _read_feedback(screen, points)
    page = _page(people, 0)
    assert REMARK in page
    assert REMARK not in _page(people, 1)
    assert [*ann.elsewhere, *bob.elsewhere, *people.trainer.elsewhere] == []


def test_ce_qu_une_place_ne_peut_pas(people: Class) -> None:
    """Another's server, the administration, the trainer's tools, another's feedback."""
    ann = people.ann
    for path in ("formgrader", "formgrader/api/assignments", "formgrader/manage_assignments"):
        assert _status(ann.page, f"{ann.base}{path}") == 404, path
    # The proof that the settings do it: the same addresses answer where they are loosened.
    assert _status(people.bob.page, f"{people.bob.base}formgrader/api/assignments") == 200
    site = people.room.workshop.url
    for path in (
        "user/place-02/lab",
        "user/place-02/api/contents",
        "user/formateur/formgrader/",
        "hub/admin",
        "hub/api/users",
        "hub/api/users/place-02",
    ):
        assert _status(ann.page, f"{site}{path}") in (403, 404), path
    for method, path in (("DELETE", "server"), ("POST", "server"), ("POST", "tokens")):
        address = f"{site}hub/api/users/place-02/{path}"
        assert _status(ann.page, address, method) in (403, 404), address
    assert _status(people.bob.page, f"{people.bob.base}api/status") == 200

    workshop = people.room.workshop
    first, second = workshop.seats
    theirs = second.work / "retours" / f"{EXERCISE}.html"
    assert theirs.is_file()
    assert _can(people, second, ["cat", str(theirs)])
    assert not _can(people, first, ["cat", str(theirs)])
    for folder in (workshop.feedback, workshop.inbound):
        assert not _can(people, first, ["ls", str(folder)])
    assert theirs.stat().st_mode & 0o777 == 0o600


def test_page_des_places(people: Class) -> None:
    """The trainer sees every seat, in French, and stops one; a learner sees nothing of it."""
    page = people.trainer.context.new_page()
    page.goto(f"{people.room.workshop.url}hub/admin")
    expect(page.locator("#etat")).to_have_text("Espaces prêts : 3 sur 3.")
    line = page.locator("#places tr", has_text="place-02")
    expect(line).to_contain_text("prêt")
    page.get_by_role("button", name="Arrêter place-02").click()
    expect(line).to_contain_text("arrêté", timeout=PATIENCE)
    expect(page.get_by_role("button", name="Démarrer place-02")).to_be_enabled()
    page.close()


def _say(room: Room, command: str) -> str:
    """What a command says, without its no-break spaces."""
    return room.command(command).replace("\N{NO-BREAK SPACE}", " ")


def _kill_hub(room: Room) -> None:
    """End the hub as a crash would: it has no time to close anything."""
    running = hub.running(room.workshop)
    assert running
    running.send_signal(signal.SIGKILL)
    running.wait(30)
    assert "L'atelier est arrêté" in _say(room, "etat")


def _open_again(room: Room, screen: Screen) -> None:
    """Open the hub again: the servers go on, and no one logs in again."""
    assert "Places prêtes : 2 sur 2" in _say(room, "ouvrir")
    screen.page.reload()
    notebook = screen.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    expect(notebook).to_contain_text(FREE_TEXT, timeout=PATIENCE)


def _fetch(screen: Screen) -> None:
    panel = screen.open_list()
    screen.press("Fetch", EXERCISE, "released_assignments_list")
    expect(panel.locator("#fetched_assignments_list")).to_contain_text(EXERCISE, timeout=PATIENCE)


def _submit(screen: Screen, count: int) -> None:
    panel = screen.open_list()
    screen.press("Submit", EXERCISE, "fetched_assignments_list")
    sent = panel.locator("#submitted_assignments_list .nested_list_item")
    expect(sent).to_have_count(count, timeout=PATIENCE)


def _grade(screen: Screen, points: int, remark: str) -> None:
    """Give points and a remark to the one free text that was written, in formgrader."""
    assert "Formgrader" in screen.menu("Nbgrader")
    screen.page.keyboard.press("Escape")
    screen.choose("Nbgrader", "Formgrader")
    page = screen.page.frame_locator("iframe[src*=formgrader]")
    page.get_by_role("link", name="Manual Grading").first.click()
    page.locator("table").get_by_role("link", name=EXERCISE).first.click()
    expect(page.locator("table")).to_contain_text("Needs Manual Grade?")
    page.locator("table").get_by_role("link", name=EXERCISE).first.click()
    waiting = page.locator("tr:has(td:nth-child(7) .glyphicon-ok)")
    expect(waiting).to_have_count(1)
    # What formgrader fetches would come over what is written before.
    with (
        screen.page.expect_response(lambda one: "/api/grades" in one.url and one.ok),
        screen.page.expect_response(lambda one: "/api/comments" in one.url and one.ok),
    ):
        waiting.get_by_role("link").first.click()
    answer = page.locator(".panel", has_text=FREE_TEXT).last
    with screen.page.expect_response(lambda one: "/api/grade/" in one.url and one.ok):
        answer.locator("input.score").first.fill(f"{points}")
        answer.locator("input.score").first.press("Tab")
    with screen.page.expect_response(lambda one: "/api/comment/" in one.url and one.ok):
        answer.locator("textarea.comment").fill(remark)
        answer.locator("textarea.comment").press("Tab")


def _read_feedback(screen: Screen, points: str) -> None:
    """Take the feedback in the assignment list, then read it in the folder « retours »."""
    panel = screen.open_list()
    screen.press("Fetch Feedback", EXERCISE, "submitted_assignments_list")
    expect(panel).to_contain_text("view feedback", timeout=PATIENCE)
    screen.page.goto(f"{screen.base}lab/tree/retours/{EXERCISE}.html")
    shown = screen.page.frame_locator(".jp-HTMLViewer:visible iframe")
    expect(shown.locator("body")).to_contain_text(re.compile(points), timeout=PATIENCE)


def _page(people: Class, number: int) -> str:
    """What a learner fetched through nbgrader."""
    seat = people.room.workshop.seats[number]
    pages = sorted(seat.work.glob(f"{EXERCISE}/feedback/*/{EXERCISE}.html"))
    assert len(pages) == 1
    return pages[0].read_text(encoding="utf-8")


def _status(page: Page, address: str, method: str = "GET") -> int:
    """Ask for an address from within the learner's JupyterLab, with all their cookies."""
    return int(
        page.evaluate(
            """async ([address, method]) => {
              const cookie = document.cookie.match("(?:^|; )_xsrf=([^;]*)");
              const answer = await fetch(address, {method, redirect: "manual",
                headers: {"X-XSRFToken": cookie ? cookie[1] : ""}});
              return answer.status || 403;
            }""",
            [address, method],
        )
    )


def _can(people: Class, seat: Seat, words: list[str]) -> bool:
    return seat_room.run(people.room.workshop, seat, words).returncode == 0
