"""The one writer: a submission is in the gradebook whole, or not at all."""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from threading import Timer
from typing import Any

import pytest
from nbgrader import api
from nbgrader.api import Gradebook, MissingEntry
from sqlalchemy import event
from sqlalchemy.engine import Engine

from culture_d.errors import GradebookError
from culture_d.exercises import nbgrader_tools
from culture_d.grading import backup, database, record
from culture_d.grading.backup import back_up, restore
from culture_d.grading.database import only_writer
from culture_d.grading.model import Assignment, CellScore
from culture_d.grading.record import GradebookWriter, graded_cells

SCORES = (
    CellScore("petit", "test-a", 2.0, 2.0, False),
    CellScore("petit", "test-b", 0.0, 3.0, False),
    CellScore("petit", "avis", None, 5.0, True),
)
NOW = datetime(2026, 11, 22, 9, 30, 0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, small: Assignment) -> Path:
    """A gradebook with the assignment: nbgrader takes a second to make one."""
    path = tmp_path_factory.mktemp("carnet") / "gradebook.db"
    with GradebookWriter(f"sqlite:///{path}") as book:
        book.add(small)
    return path


@pytest.fixture
def url(tmp_path: Path, made: Path) -> str:
    shutil.copy(made, tmp_path / "gradebook.db")
    return f"sqlite:///{tmp_path / 'gradebook.db'}"


def points(url: str, learner: str) -> dict[str, tuple[float | None, float | None, bool]]:
    with Gradebook(url) as book:
        grades = book.find_submission_notebook("petit", "petit", learner).grades
        return {
            one.name: (one.auto_score, one.manual_score, one.needs_manual_grade) for one in grades
        }


def test_the_structure_is_the_one_nbgrader_makes(url: str, small: Assignment) -> None:
    with GradebookWriter(url) as book:
        assert book.knows(small)
    with Gradebook(url) as book:
        notebook = book.find_notebook("petit", "petit")
        assert {cell.name: cell.max_score for cell in notebook.grade_cells} == {
            "test-a": 2,
            "test-b": 3,
            "avis": 5,
        }
        assert {cell.name for cell in notebook.solution_cells} == {"a", "b", "avis"}
        assert {cell.name: cell.locked for cell in notebook.source_cells}["test-a"] is True
        assert notebook.kernelspec


def test_a_submission_is_recorded(url: str) -> None:
    with GradebookWriter(url) as book:
        book.record(
            "lea",
            "petit",
            SCORES,
            (("petit", "avis", "No response."),),
            {"petit": 1.5},
            "2026-11-20 10:00:00 UTC",
            "Léa D’Orvette",
        )
    assert points(url, "lea") == {
        "test-a": (2.0, None, False),
        "test-b": (0.0, None, False),
        "avis": (None, None, True),
    }
    with Gradebook(url) as book:
        assert book.find_student("lea").last_name == "Léa D’Orvette"
        submission = book.find_submission("petit", "lea")
        assert submission.timestamp == datetime(2026, 11, 20, 10)
        assert submission.score == 2
        assert submission.late_submission_penalty == 1.5
        assert book.find_comment("avis", "petit", "petit", "lea").auto_comment == "No response."


def test_what_a_person_gave_is_kept_and_shown_as_to_be_read_again(url: str) -> None:
    with GradebookWriter(url) as book:
        first = book.record("lea", "petit", SCORES)
        with Gradebook(url) as theirs:
            grade = theirs.find_grade("avis", "petit", "petit", "lea")
            grade.manual_score, grade.needs_manual_grade = 4, False
            theirs.find_comment("avis", "petit", "petit", "lea").manual_comment = "Bien."
            theirs.db.commit()
        assert book.fingerprints("petit")["lea"] != first
        book.record("lea", "petit", SCORES)
    assert points(url, "lea")["avis"] == (None, 4.0, True)
    with Gradebook(url) as theirs:
        assert theirs.find_comment("avis", "petit", "petit", "lea").comment == "Bien."


def test_the_fingerprint_tells_what_changed_and_only_that(url: str) -> None:
    with GradebookWriter(url) as book:
        lea = book.record("lea", "petit", SCORES)
        zoe = book.record("zoe", "petit", SCORES[:1])
        assert book.record("lea", "petit", SCORES) == lea
        assert book.fingerprints("petit") == {"lea": lea, "zoe": zoe}
        assert book.fingerprints("inconnu") == {}


class Killed(Exception):
    """Stands for the end of the process."""


def test_nothing_is_half_written(url: str) -> None:
    """Stopped at each statement in turn, the gradebook is as before."""
    stopped = 0
    with GradebookWriter(url) as book:
        book.record("zoe", "petit", SCORES)
        before = dump(url)
        for at in range(1, 200):
            seen = 0

            def count(*_: Any, at: int = at) -> None:
                nonlocal seen
                seen += 1
                if seen == at:
                    raise Killed

            event.listen(Engine, "before_cursor_execute", count)
            try:
                book.record("lea", "petit", SCORES, shown_name="Léa")
            except Killed:
                stopped += 1
                assert dump(url) == before
            else:
                break
            finally:
                event.remove(Engine, "before_cursor_execute", count)
    assert stopped > 5
    assert dump(url) != before


def dump(url: str) -> list[str]:
    with sqlite3.connect(url.removeprefix("sqlite:///")) as base:
        lines = list(base.iterdump())
    base.close()
    return lines


def test_a_changed_exercise_is_refused_once_there_are_submissions(
    url: str, small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells = graded_cells(small)
    monkeypatch.setattr(record, "graded_cells", lambda _: cells | {("petit", "test-c", 1.0)})
    with GradebookWriter(url) as book:
        assert not book.knows(small)
        book.record("lea", "petit", SCORES)
        with pytest.raises(GradebookError, match="a changé, et le carnet de notes en a déjà 1"):
            book.knows(small)


def test_adding_again_replaces_the_structure(url: str, small: Assignment) -> None:
    with GradebookWriter(url) as book:
        book.add(small)
        assert book.knows(small)


def test_a_busy_gradebook_is_waited_for(url: str) -> None:
    held = hold(url)
    Timer(1.0, held.rollback).start()
    with GradebookWriter(url) as book:
        book.record("lea", "petit", SCORES)
    assert points(url, "lea")["test-a"][0] == 2


def hold(url: str) -> sqlite3.Connection:
    held = sqlite3.connect(url.removeprefix("sqlite:///"), check_same_thread=False)
    held.execute("BEGIN EXCLUSIVE")
    return held


def test_a_gradebook_busy_for_too_long_is_said(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.2)
    with GradebookWriter(url) as book:
        held = hold(url)
        with pytest.raises(GradebookError, match="occupé par un autre programme"):
            book.record("lea", "petit", SCORES)
        held.rollback()
        held.close()
        book.record("lea", "petit", SCORES)  # the same writer goes on
    assert points(url, "lea")["test-a"][0] == 2


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:////nulle/part/gradebook.db", "dossier absent"),
        ("truc://ici", "n'est pas comprise"),
        ("pas une adresse", "n'est pas comprise"),
    ],
)
def test_an_address_that_does_not_work_is_said(url: str, said: str) -> None:
    with pytest.raises(GradebookError, match=said):
        GradebookWriter(url)


def test_a_file_that_is_no_gradebook_is_said(tmp_path: Path) -> None:
    (tmp_path / "gradebook.db").write_bytes(b"un tableur" * 200)
    with pytest.raises(GradebookError, match="n'est pas un carnet de notes lisible"):
        GradebookWriter(f"sqlite:///{tmp_path / 'gradebook.db'}")


def test_a_password_is_never_shown() -> None:
    for url in (
        "postgresql+psycopg://moi:secret@serveur/base",
        "postgresql+psycopg://moi:s%40secret@serveur/base",
        "postgresql+psycopg://serveur/base?user=moi&password=secret",
        "postgresql+psycopg://moi:secret@serveur:port/base",
        "postgresql+psycopg:/moi:secret",
    ):
        assert "secret" not in database.shown_url(url)
    assert (
        database.without_password(
            "postgresql+psycopg://moi:secret@serveur/base?password=secret&sslmode=require"
        )
        == "postgresql+psycopg://moi@serveur/base?sslmode=require"
    )


def test_a_backup_is_the_gradebook_and_nbgrader_opens_it(url: str, tmp_path: Path) -> None:
    with GradebookWriter(url) as book:
        book.record("lea", "petit", SCORES)
    copy = back_up(url, tmp_path / "sauvegardes", NOW)
    assert copy is not None
    assert copy.name == "gradebook-2026-11-22T093000.db"
    assert dump(f"sqlite:///{copy}") == dump(url)
    assert points(f"sqlite:///{copy}", "lea") == points(url, "lea")


def test_a_copy_is_given_back_whole_after_a_copy_of_what_was_there(
    url: str, tmp_path: Path
) -> None:
    with GradebookWriter(url) as book:
        book.record("lea", "petit", SCORES, shown_name="Léa")
        copy = back_up(url, tmp_path / "s", NOW)
        assert copy is not None
        kept, before = dump(f"sqlite:///{copy}"), points(url, "lea")
        book.record("lea", "petit", SCORES[:1])
        book.record("zoe", "petit", SCORES)
    changed = dump(url)
    held = restore(copy, url, tmp_path / "s", NOW + timedelta(minutes=1))
    assert sorted(dump(url)) == sorted(kept)
    assert points(url, "lea") == before
    assert held is not None and sorted(dump(f"sqlite:///{held}")) == sorted(changed)
    # In a place where there is no gradebook yet.
    new = f"sqlite:///{tmp_path / 'nouveau.db'}"
    assert restore(copy, new, tmp_path / "t", NOW) is None
    assert points(new, "lea") == before
    with GradebookWriter(new) as book:
        book.record("zoe", "petit", SCORES)


def test_what_is_no_copy_is_not_given_back(url: str, tmp_path: Path) -> None:
    before = dump(url)
    (tmp_path / "notes.db").write_bytes(b"un tableur" * 200)
    sqlite3.connect(tmp_path / "autre.db").executescript("CREATE TABLE truc (x)")
    for name, said in (
        ("absente.db", "introuvable"),
        ("notes.db", "pas un carnet de notes lisible"),
        ("autre.db", "pas un carnet de notes lisible"),
    ):
        with pytest.raises(GradebookError, match=said):
            restore(tmp_path / name, url, tmp_path / "s", NOW)
    assert dump(url) == before
    assert not (tmp_path / "s").exists()


def test_a_copy_given_back_is_whole_or_is_not(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = back_up(url, tmp_path / "s", NOW)
    with GradebookWriter(url) as book:
        book.record("lea", "petit", SCORES)
    before, given = dump(url), backup._copy_tables

    def stopped(*connections: Any) -> None:
        given(*connections)
        raise Killed

    monkeypatch.setattr(backup, "_copy_tables", stopped)
    assert copy is not None
    with pytest.raises(Killed):
        restore(copy, url, tmp_path / "s", NOW + timedelta(minutes=1))
    assert dump(url) == before


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL")
def test_what_a_killed_writer_left_is_taken_back_before_the_copy(url: str, tmp_path: Path) -> None:
    """SQLite keeps a journal beside the file; read-only, it could not be opened at all."""
    with GradebookWriter(url) as book:
        book.record("lea", "petit", SCORES)
    before = dump(url)
    code = (
        "import os, signal, sqlite3, sys\n"
        "base = sqlite3.connect(sys.argv[1])\n"
        "base.execute('PRAGMA cache_size = 1')\n"
        "base.execute('PRAGMA cache_spill = 1')\n"
        "base.execute('UPDATE grade SET auto_score = 99')\n"
        "base.execute('UPDATE source_cell SET source = source || hex(zeroblob(100000))')\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = Path(url.removeprefix("sqlite:///"))
    killed = subprocess.run([sys.executable, "-c", code, path])
    assert killed.returncode == -signal.SIGKILL
    assert path.with_name("gradebook.db-journal").stat().st_size > 0
    copy = back_up(url, tmp_path / "s", NOW)
    assert dump(f"sqlite:///{copy}") == before == dump(url)


def test_tables_without_their_version_are_completed(url: str) -> None:
    """What is left of a run killed between nbgrader's first two transactions."""
    path = url.removeprefix("sqlite:///")
    with sqlite3.connect(path) as base:
        version = base.execute("SELECT * FROM alembic_version").fetchall()
        base.execute("DROP TABLE alembic_version")
    GradebookWriter(url).__exit__()
    with sqlite3.connect(path) as base:
        assert base.execute("SELECT * FROM alembic_version").fetchall() == version


def test_the_version_of_the_tables_is_the_one_that_nbgrader_asks_for() -> None:
    stock = api.get_alembic_version
    with nbgrader_tools():
        assert api.get_alembic_version() == stock()
        assert api.get_alembic_version is not stock, "un programme de moins à lancer"
    assert api.get_alembic_version is stock


def test_no_grammar_of_addresses_is_compiled_to_grade() -> None:
    code = "import sys, culture_d.grading.run; print('lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def test_a_gradebook_has_one_writer_at_a_time(url: str) -> None:
    with only_writer(url):
        with pytest.raises(GradebookError, match="Une autre correction écrit"), only_writer(url):
            pytest.fail("deux à la fois")
        with GradebookWriter(url) as book:
            book.record("lea", "petit", SCORES)
    with only_writer(url):
        pass


def test_a_backup_of_a_busy_gradebook_is_not_waited_for_for_ever(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 0.2)
    held = hold(url)
    with pytest.raises(GradebookError, match="occupé par un autre programme"):
        back_up(url, tmp_path / "s", NOW)
    held.rollback()
    held.close()
    assert not list((tmp_path / "s").iterdir())


def test_the_oldest_backups_leave(url: str, tmp_path: Path) -> None:
    for minute in range(backup.KEPT_BACKUPS + 3):
        back_up(url, tmp_path / "s", NOW + timedelta(minutes=minute))
    names = sorted(path.name for path in (tmp_path / "s").iterdir())
    assert len(names) == backup.KEPT_BACKUPS
    assert names[0] == "gradebook-2026-11-22T093300.db"


def test_no_gradebook_no_backup(tmp_path: Path) -> None:
    assert back_up(f"sqlite:///{tmp_path / 'absent.db'}", tmp_path / "s", NOW) is None
    assert not (tmp_path / "s").exists()


def test_a_removed_submission_is_not_known(url: str) -> None:
    with GradebookWriter(url) as book:
        book.record("lea", "petit", SCORES)
        with Gradebook(url) as theirs:
            theirs.remove_submission("petit", "lea")
        assert book.fingerprints("petit") == {}
    with Gradebook(url) as theirs, pytest.raises(MissingEntry):
        theirs.find_submission("petit", "lea")
