"""A trainer reads the free texts in Formgrader, in a browser, and the feedback follows."""

import csv
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from culture_d.errors import GradingError
from culture_d.grading import formgrader, run
from culture_d.grading.model import Assignment
from culture_d.project import Project
from tests.correction.petit_groupe import RIGHT, grade, hand_in, points

START_SECONDS = 120
PATIENCE_MS = 90_000
"""The machine may be busy with other tests: nothing here is a measure of speed."""
COMMENT = "Clair et juste.\nDites aussi ce que l’été change."


@contextmanager
def opened(course: Path, home: Path) -> Iterator[str]:
    """Run what `culture-d formgrader` runs, for an account without settings; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--no-browser", f"--ServerApp.port={port}", "--IdentityProvider.token="]
    words, environment = formgrader.command(course, [*options, "--ServerApp.port_retries=0"])
    home.mkdir()
    environment |= {"HOME": str(home)}
    environment |= {f"JUPYTER_{name}_DIR": str(home / name) for name in ("CONFIG", "DATA")}
    log = home / "journal.txt"
    with log.open("wb") as output:
        server = subprocess.Popen(
            words, cwd=course, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(f"{address}/api/status", server, log)
            yield address
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    limit = time.monotonic() + START_SECONDS
    while time.monotonic() < limit:
        try:
            with urllib.request.urlopen(address, timeout=10):
                return
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, log.read_text(encoding="utf-8")
            time.sleep(0.2)
    raise AssertionError(log.read_text(encoding="utf-8"))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    context.set_default_timeout(PATIENCE_MS)
    yield context.new_page()
    context.close()


@pytest.mark.usefixtures("here")
def test_points_and_words_given_in_formgrader_reach_the_learner(
    room: Path, small: Assignment, project: Project, tmp_path: Path, page: Page
) -> None:
    shutil.copyfile(project.exercises / run.CONFIG, room / run.CONFIG)
    hand_in(room / "submitted", "lea", small, {**RIGHT, "avis": "Un avis **personnel**."})
    shutil.rmtree(room / "submitted" / "zoe")
    grade(room)
    assert points(room, "lea") == 5
    outside: list[str] = []

    def note(request: Request) -> None:
        if not request.url.startswith((address, "data:", "blob:", "about:")):
            outside.append(request.url)

    with opened(room, tmp_path / "maison") as address:
        page.on("request", note)
        # What the command opens, then as far as the submission.
        page.goto(address)
        page.wait_for_url(f"{address}{formgrader.FIRST_PAGE}**")
        page.get_by_role("link", name="petit", exact=True).click()
        page.wait_for_url("**/gradebook/petit")
        page.get_by_role("link", name="petit", exact=True).last.click()
        page.wait_for_url("**/gradebook/petit/petit")
        page.get_by_role("link", name="Submission #1").click()
        score = page.locator("#avis.score")
        # Coloured once its script has read the gradebook, and listens.
        expect(score).to_have_class(re.compile("needs_manual_grade"), timeout=PATIENCE_MS)
        assert page.locator("strong", has_text="personnel").count() == 1
        with page.expect_response("**/api/grade/**"):
            score.fill("3.5")
            score.blur()
        comment = page.get_by_placeholder("Type any comments here").last
        with page.expect_response("**/api/comment/**"):
            comment.fill(COMMENT)
            comment.blur()
        # JupyterLab's own menu leads there too.
        page.goto(f"{address}/lab")
        page.locator(".lm-MenuBar-itemLabel", has_text="Nbgrader").click()
        page.locator(".lm-Menu-itemLabel", has_text="Formgrader").first.click()
        frame = page.frame_locator("iframe")
        frame.get_by_role("link", name="petit", exact=True).first.wait_for()
        page.goto("about:blank")
    # The browser may ask; what the policy of the server refuses does not leave.
    assert [url for url in outside if "mathjax" not in url] == []

    again = grade(room)
    assert not again.graded and [one.learner for one in again.unchanged] == ["lea"]
    text = (room / "feedback" / "lea" / "petit" / "petit.html").read_text(encoding="utf-8")
    for line in COMMENT.splitlines():
        assert line in text
    assert "8,5 sur 10" in text.replace("\u00a0", " ")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(
        [sys.executable, "-m", "nbgrader", "export", "--to", "notes-nbgrader.csv"],
        cwd=room,
        env={**os.environ, "PATH": path, "HOME": str(tmp_path)},
        check=True,
        capture_output=True,
    )
    with (room / "notes-nbgrader.csv").open(encoding="utf-8", newline="") as file:
        lines = {line["student_id"]: line for line in csv.DictReader(file)}
    assert float(lines["lea"]["score"]) == 8.5


def test_a_folder_that_is_no_correction_is_said(tmp_path: Path) -> None:
    with pytest.raises(GradingError, match="n'est pas un dossier de correction"):
        formgrader.command(tmp_path)


def test_the_settings_of_the_account_do_not_lead_elsewhere(
    project: Project, tmp_path: Path
) -> None:
    """`~/.jupyter/nbgrader_config.py` often names the course of another year."""
    course, home = tmp_path / "correction", tmp_path / "maison"
    (home / ".jupyter").mkdir(parents=True)
    (home / ".jupyter" / run.CONFIG).write_text(
        "c = get_config()\nc.CourseDirectory.root = '/ailleurs'\n", encoding="utf-8"
    )
    course.mkdir()
    shutil.copyfile(project.exercises / run.CONFIG, course / run.CONFIG)
    code = (
        "from nbgrader.apps import NbGraderApp\n"
        "app = NbGraderApp()\napp.load_config_file()\n"
        "print(app.config.CourseDirectory.root)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=course,
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == str(course.resolve()), done.stderr
