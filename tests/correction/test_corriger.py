"""The whole command: handed in, graded, recorded, told; and again after anything went wrong."""

import hashlib
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from filelock import FileLock
from nbgrader.api import Gradebook

from culture_d import cli
from culture_d.errors import GradebookError, GradingError, SandboxError
from culture_d.grading import feedback, run
from culture_d.grading.ledger import Ledger
from culture_d.grading.model import Assignment, Refusal
from culture_d.grading.run import Options, correct
from culture_d.project import Project
from tests.correction.petit_groupe import RIGHT, WRONG, grade, hand_in, in_this_process, points

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.xdist_group("correction")


def photograph(folder: Path) -> dict[str, tuple[str, int]]:
    """Digest and date of every file."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.usefixtures("here")
def test_a_class_is_graded_recorded_and_told(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # The gradebook is open: no page opens it again.
    monkeypatch.setattr(feedback, "result_of", lambda *_: pytest.fail("carnet rouvert"))
    before = photograph(room / "submitted")
    outcome = grade(room)
    assert sorted(one.learner for one in outcome.graded) == ["lea", "zoe"]
    assert [one.learner for one in outcome.refused] == ["tom"]
    assert not outcome.failed
    assert (points(room, "lea"), points(room, "zoe")) == (5, 0)
    for learner in ("lea", "zoe"):
        page = (room / "feedback" / learner / "petit" / "petit.html").read_text(encoding="utf-8")
        assert 'lang="fr"' in page
        assert (room / "autograded" / learner / "petit" / "petit.ipynb").is_file()
    refusal = (room / "feedback" / "tom" / "petit" / run.REFUSAL_PAGE).read_text(encoding="utf-8")
    assert outcome.refused[0].reason.split()[0] in refusal
    assert photograph(room / "submitted") == before
    assert (room / "bilan" / "petit.html").is_file()
    assert "lea" in (room / "notes.csv").read_text(encoding="utf-8-sig")


@pytest.mark.usefixtures("here")
def test_what_is_graded_is_not_graded_twice_and_what_changed_is(
    room: Path, small: Assignment
) -> None:
    grade(room)
    ran = (room / "autograded" / "lea" / "petit" / "petit.ipynb").stat().st_mtime_ns
    again = grade(room)
    assert not again.graded
    assert sorted(one.learner for one in again.unchanged) == ["lea", "zoe"]
    assert (room / "autograded" / "lea" / "petit" / "petit.ipynb").stat().st_mtime_ns == ran
    hand_in(room / "submitted", "zoe", small, RIGHT)
    third = grade(room)
    assert [one.learner for one in third.graded] == ["zoe"]
    assert points(room, "zoe") == 5


@pytest.mark.usefixtures("here")
def test_points_given_by_a_person_reach_the_feedback(room: Path) -> None:
    grade(room)
    with Gradebook(f"sqlite:///{room / 'gradebook.db'}") as book:
        text = book.find_grade("avis", "petit", "petit", "lea")
        text.manual_score, text.needs_manual_grade = 4, False
        book.find_comment("avis", "petit", "petit", "lea").manual_comment = "Clair et juste."
        book.db.commit()
    again = grade(room)
    assert not again.graded
    page = (room / "feedback" / "lea" / "petit" / "petit.html").read_text(encoding="utf-8")
    assert "Clair et juste." in page
    assert points(room, "lea") == 9


@pytest.mark.usefixtures("here")
def test_a_lost_gradebook_is_made_again_without_running_anything(room: Path) -> None:
    grade(room)
    (room / "gradebook.db").unlink()
    again = grade(room)
    assert not again.graded
    assert (points(room, "lea"), points(room, "zoe")) == (5, 0)


def test_a_simulation_writes_nothing(room: Path) -> None:
    before = photograph(room)
    outcome = grade(room, simulate=True)
    assert sorted(one.submission.learner for one in outcome.planned) == ["lea", "zoe"]
    assert [one.learner for one in outcome.refused] == ["tom"]
    assert photograph(room) == before


@pytest.mark.usefixtures("here")
def test_a_graded_learner_keeps_their_points_when_they_hand_in_a_broken_file(room: Path) -> None:
    grade(room)
    (room / "submitted" / "lea" / "petit" / "petit.ipynb").write_text("{", encoding="utf-8")
    again = grade(room)
    assert sorted(one.learner for one in again.refused) == ["lea", "tom"]
    assert points(room, "lea") == 5


@pytest.mark.usefixtures("here")
def test_a_class_that_is_only_refused_has_its_report(room: Path) -> None:
    for learner in ("lea", "zoe"):
        (room / "submitted" / learner / "petit" / "petit.ipynb").write_bytes(b"{")
    outcome = grade(room)
    assert not outcome.graded and len(outcome.refused) == 3
    assert room / "bilan" / "petit.html" in outcome.written
    text = (room / "bilan" / "petit.html").read_text(encoding="utf-8").replace("\u00a0", " ")
    assert "3 personnes attendues." in text and "3 devoirs refusés, 0 non rendu." in text
    assert "Aucun devoir n’est corrigé" in text.replace("'", "’")
    assert all(name in text for name in ("lea", "tom", "zoe"))


def test_the_slower_way_is_never_taken_in_silence(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise SandboxError("Les espaces de noms manquent.")

    monkeypatch.setattr("culture_d.grading.fast.FastRunner", broken)
    made = run.make_runner(run.FAST, True)
    monkeypatch.setattr(run, "run_all", in_this_process(made))
    outcome = grade(room)
    made.close()
    assert [one.learner for one in outcome.graded] == ["lea", "zoe"]
    [said] = outcome.warnings
    assert "La méthode simple l'a remplacée" in said and "espaces de noms manquent" in said


@pytest.mark.usefixtures("here")
def test_the_page_of_a_refusal_leaves_with_it(room: Path, small: Assignment) -> None:
    grade(room)
    page = room / "feedback" / "tom" / "petit" / run.REFUSAL_PAGE
    assert page.is_file()
    hand_in(room / "submitted", "tom", small, RIGHT)
    assert [one.learner for one in grade(room).graded] == ["tom"]
    assert [path.name for path in page.parent.iterdir()] == ["petit.html"]


@pytest.mark.usefixtures("here")
def test_loose_files_are_copied_into_the_course(
    course: Path, small: Assignment, tmp_path: Path
) -> None:
    place = hand_in(tmp_path / "x", "lea", small, RIGHT)
    loose = tmp_path / "reçus"
    loose.mkdir()
    shutil.copy(place, loose / "lea_petit.ipynb")
    before = photograph(loose)
    options = Options(loose, course=course, jobs=1)
    graded = correct(options, None).graded
    assert [one.learner for one in graded] == ["lea"]
    assert graded[0].notes == (), "un nom rangé par la formatrice n'est pas une erreur de l'élève"
    assert photograph(loose) == before
    copy = course / "submitted" / "lea" / "petit"
    assert [path.read_bytes() for path in copy.glob("*.ipynb")] == [place.read_bytes()]
    hand_in(tmp_path / "x", "lea", small, WRONG)
    shutil.copy(place, loose / "lea_petit.ipynb")
    correct(options, None)
    former = list((course / ".culture-d" / "anciens" / "petit" / "lea").rglob("*.ipynb"))
    assert len(former) == 1, "la version d'avant est gardée"


@pytest.mark.usefixtures("here")
def test_an_archive_of_moodle_gives_back_the_sheet_that_moodle_imports(
    course: Path, small: Assignment, tmp_path: Path
) -> None:
    place = hand_in(tmp_path / "x", "lea", small, RIGHT)
    archive = tmp_path / "depots.zip"
    with zipfile.ZipFile(archive, "w") as bundle:
        bundle.write(place, "Léa D’Orvette_4217_assignsubmission_file_/petit.ipynb")
        bundle.writestr("Tom Vide_4218_assignsubmission_file_/petit.ipynb", b"")
    outcome = correct(Options(archive, course=course), None)
    assert [one.shown_name for one in outcome.graded] == ["Léa D’Orvette"]
    assert [one.shown_name for one in outcome.refused] == ["Tom Vide"]
    sheet = course / "moodle-petit.csv"
    assert sheet in outcome.written
    lines = sheet.read_text(encoding="utf-8").splitlines()
    assert len(lines) == 2
    assert "4217" in lines[1]
    assert "Léa D’Orvette" in lines[1]
    assert "5.00" in lines[1]


def test_one_correction_at_a_time(room: Path) -> None:
    (room / ".culture-d").mkdir()
    with FileLock(room / ".culture-d" / "verrou"), pytest.raises(GradingError, match="en cours"):
        grade(room)


@pytest.mark.usefixtures("here")
def test_a_busy_gradebook_stops_the_run_and_the_next_one_completes(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grade(room)
    hand_in_again = room / "submitted" / "zoe" / "petit" / "petit.ipynb"
    hand_in_again.write_text(hand_in_again.read_text().replace("a = 3", "a = 2"), encoding="utf-8")
    monkeypatch.setattr("culture_d.grading.database.PATIENCE_SECONDS", 0.2)
    held = sqlite3.connect(room / "gradebook.db")
    held.execute("BEGIN EXCLUSIVE")
    with pytest.raises(GradebookError, match="occupé"):
        grade(room)
    held.rollback()
    held.close()
    grade(room)
    assert points(room, "zoe") == 2


def test_no_isolation_must_be_asked_for(room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(room))
    with pytest.raises(GradingError, match="--sans-isolation"):
        grade(room)


def test_a_simulation_runs_nothing_and_asks_for_no_isolation(
    room: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_check_isolation", lambda _: pytest.fail("rien ne doit tourner"))
    assert grade(room, simulate=True).planned


def test_a_folder_without_exercises_is_left_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "reçus").mkdir()
    options = Options(tmp_path / "reçus", course=tmp_path / "cours")
    with pytest.raises(GradingError, match="n'a pas d'exercices"):
        correct(options, None)
    assert not (tmp_path / "cours").exists()


def test_without_isolation_the_report_says_so(room: Path) -> None:
    outcome = grade(room, isolated=False)
    assert points(room, "lea") == 5
    assert "Sans isolation" in outcome.warnings[0]


@pytest.mark.long
def test_without_isolation_a_system_that_cannot_fork_grades_too(room: Path) -> None:
    """Windows has neither `fork` nor `resource`: nbgrader then checks in the learner's own kernel."""
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "sys.modules['resource'] = None\n"
        "del os.fork\n"
        "from culture_d.grading import run\n"
        "from tests.correction.petit_groupe import in_this_process, grade\n"
        "runner = run.make_runner(run.FAST, False)\n"
        "vars(run)['run_all'] = in_this_process(runner)\n"
        "print(*grade(Path(sys.argv[1]), isolated=False).warnings, sep='\\n')\n"
        "runner.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, room], cwd=ROOT, capture_output=True, text=True
    )
    assert "contrôlées dans le programme de chaque personne" in done.stdout, done.stderr
    assert (points(room, "lea"), points(room, "zoe")) == (5, 0)


def command(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "culture_d.cli", "corriger", *map(str, arguments)]
    return subprocess.run(words, cwd=cwd, capture_output=True, text=True)


def test_the_command_says_what_it_did_and_ends_accordingly(room: Path) -> None:
    done = command("submitted", "--simulation", cwd=room)
    assert done.returncode == 3, done.stderr
    assert "à corriger : 2" in done.stdout
    done = command("submitted", cwd=room)
    assert done.returncode == 3, done.stderr
    assert "notés : 2" in done.stdout
    assert "refusés : 1" in done.stdout
    shutil.rmtree(room / "submitted" / "tom")
    done = command("submitted", cwd=room)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert "inchangés : 2" in done.stdout


def test_names_of_files_are_shown_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    names = "« a[/b].ipynb », « devoir [v2].docx », « :warning:.pdf »"
    outcome = run.Outcome(Path(), refused=[Refusal("[i]", "petit", names)])
    cli.show_outcome(outcome, False)
    shown = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for name in ("[i]", "a[/b].ipynb", "[v2].docx", ":warning:.pdf"):
        assert name in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["absent"], "introuvable"),
        (["submitted", "--exercice", "inconnu"], "inconnu"),
        (["submitted", "--db", "truc://x"], "n'est pas comprise"),
        (["submitted", "--jobs", "0"], "Valeur refusée"),
    ],
)
def test_what_cannot_be_done_is_said_in_french(room: Path, arguments: list[str], said: str) -> None:
    done = command(*arguments, cwd=room)
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_killed_at_any_moment_the_course_is_whole_and_the_next_run_completes(
    course: Path, small: Assignment
) -> None:
    for number in range(4):
        hand_in(course / "submitted", f"e{number}", small, RIGHT if number % 2 else WRONG)
    before = photograph(course / "submitted")
    words = [sys.executable, "-m", "culture_d.cli", "corriger", "submitted", "--jobs", "2"]
    killed = 0
    # Once here, with one of four recorded; fifty times, at any instant, with `make soak`.
    for wanted in (1,):
        process = subprocess.Popen(words, cwd=course, stderr=subprocess.DEVNULL)
        limit = time.monotonic() + 120
        while process.poll() is None and time.monotonic() < limit:
            if len(list(Ledger(course).entries("petit"))) >= wanted:
                process.send_signal(signal.SIGKILL)
                killed += process.wait() == -signal.SIGKILL
            time.sleep(0.02)
        whole(course)
        assert photograph(course / "submitted") == before
    assert killed == 1
    correct(Options(course / "submitted", jobs=2), None)
    assert [points(course, f"e{number}") for number in range(4)] == [0, 5, 0, 5]
    pages = sorted((course / "feedback").rglob("*.html"))
    assert len(pages) == 4
    assert not list((course / ".culture-d").glob("depot-*"))


def whole(course: Path) -> None:
    """No submission of the gradebook is half there, and every ledger file reads."""
    if (course / "gradebook.db").is_file():
        with sqlite3.connect(course / "gradebook.db") as base:
            assert base.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            found = base.execute(
                "SELECT count(*), count(auto_score) FROM grade GROUP BY notebook_id"
            ).fetchall()
        base.close()
        assert all(counts == (3, 3) or counts == (3, 2) for counts in found)
    for path in (course / ".culture-d" / "etat").rglob("*.json"):
        if not path.name.startswith("."):
            json.loads(path.read_bytes())


def test_the_exercises_of_the_course_itself_need_no_course_folder(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vide").mkdir()
    monkeypatch.chdir(tmp_path)
    outcome = correct(Options(tmp_path / "vide", only="moyenne-mediane"), project)
    assert outcome.course == tmp_path / "correction"
    assert (outcome.course / "source" / "moyenne-mediane" / "verifier.py").is_file()
    assert not outcome.graded
