"""The gradebook on a real PostgreSQL server: the same marks, and nothing lost or shown."""

import csv
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from nbgrader.api import Base, Gradebook
from sqlalchemy import create_engine, event, select
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from culture_d.errors import GradebookError
from culture_d.grading import backup, database, run
from culture_d.grading.backup import restore
from culture_d.grading.database import only_writer
from culture_d.grading.model import Assignment, CellScore
from culture_d.grading.record import GradebookWriter
from culture_d.project import Project
from tests.correction.petit_groupe import grade
from tests.correction.serveur_postgresql import USER, Server, server

pytestmark = [
    pytest.mark.xdist_group("postgresql"),
    pytest.mark.skipif(os.name == "nt", reason="fork et SIGKILL"),
]
SCORES = (
    CellScore("petit", "test-a", 2.0, 2.0, False),
    CellScore("petit", "test-b", 0.0, 3.0, False),
    CellScore("petit", "avis", None, 5.0, True),
)
NUMBERS = count()
COMMENT = "Clair et juste – « l’été »."


@pytest.fixture(scope="module")
def postgres() -> Iterator[Server]:
    with server() as running:
        yield running


@pytest.fixture(scope="module")
def model(postgres: Server, small: Assignment) -> str:
    """A base with the assignment, and Zoé's submission: nbgrader takes seconds to make one."""
    with GradebookWriter(postgres.create("modèle")) as book:
        book.add(small)
        book.record("zoe", "petit", SCORES, shown_name="Zoé")
    return "modèle"


@pytest.fixture
def url(postgres: Server) -> str:
    """An empty base."""
    return postgres.create(f"carnet {next(NUMBERS)}")


@pytest.fixture
def filled(postgres: Server, model: str) -> str:
    """A base as the model."""
    return postgres.create(f"carnet {next(NUMBERS)}", model)


def rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Everything a gradebook holds, by table."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in Base.metadata.sorted_tables
        }


def marks(url: str) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Scores and comments, by learner and cell; the identifiers drawn at random are left out."""
    found: dict[tuple[str, str], tuple[Any, ...]] = {}
    with Gradebook(url) as book:
        for submission in book.assignment_submissions("petit"):
            for notebook in submission.notebooks:
                said = {
                    one.name: (one.auto_comment, one.manual_comment) for one in notebook.comments
                }
                for one in notebook.grades:
                    found[submission.student.id, one.name] = (
                        *(one.auto_score, one.manual_score, one.needs_manual_grade, one.max_score),
                        *said.get(one.name, ()),
                    )
    return found


def give_by_hand(url: str) -> None:
    """Do what a trainer does in formgrader."""
    with Gradebook(url) as book:
        one = book.find_grade("avis", "petit", "petit", "lea")
        one.manual_score, one.needs_manual_grade = 4, False
        book.find_comment("avis", "petit", "petit", "lea").manual_comment = COMMENT
        book.db.commit()


def told(postgres: Server, text: str) -> bool:
    """Whether a text holds the password, as it is or as an address writes it."""
    return any(one in text for one in (postgres.password, quote(postgres.password, safe="")))


def holding_the_password(postgres: Server, folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and told(postgres, path.read_bytes().decode("utf-8", "replace"))
    ]


@pytest.mark.usefixtures("here")
@pytest.mark.long
def test_the_same_class_has_the_same_marks_in_both(
    room: Path, url: str, postgres: Server, tmp_path: Path, project: Project
) -> None:
    """Graded, marked by hand, graded again, copied, given back, exported by nbgrader itself."""
    other = tmp_path / "autre"
    shutil.copyfile(project.exercises / run.CONFIG, room / run.CONFIG)
    (room / "gradebook.db").unlink()
    shutil.copytree(room, other)
    local = f"sqlite:///{other / 'gradebook.db'}"
    first = grade(room, db_url=url)
    grade(other)
    assert sorted(one.learner for one in first.graded) == ["lea", "zoe"]
    assert [one.learner for one in first.refused] == ["tom"]
    assert marks(url) == marks(local) and len(marks(url)) == 6
    assert not (room / "gradebook.db").exists()

    # The settings of the course now say where the gradebook is, without the password.
    assert "« .pgpass »" in first.warnings[-1]
    settings = (room / run.CONFIG).read_text(encoding="utf-8")
    assert settings.count("db_url") == 1 and f"{USER}@127.0.0.1:{postgres.port}" in settings

    give_by_hand(url)
    give_by_hand(local)
    again = [grade(room, db_url=url), grade(other)]
    for outcome in again:
        assert not outcome.graded and not outcome.warnings
        assert sorted(one.learner for one in outcome.unchanged) == ["lea", "zoe"]
    assert marks(url) == marks(local)
    assert marks(url)["lea", "avis"][1:4] == (4.0, False, 5.0)
    pages = [place / "feedback" / "lea" / "petit" / "petit.html" for place in (room, other)]
    texts = [page.read_text(encoding="utf-8") for page in pages]
    assert COMMENT in texts[0] and texts[0] == texts[1]
    tables = [(place / "notes.csv").read_text(encoding="utf-8-sig") for place in (room, other)]
    assert tables[0] == tables[1]
    assert holding_the_password(postgres, room) == []

    # nbgrader's own commands, in this folder, with the settings as they were left.
    environment = {**os.environ, "PGPASSWORD": postgres.password}
    nbgrader(room, environment, "export", "--to", "export.csv")
    nbgrader(other, environment, "export", "--to", "export.csv")
    exported = [table_of(place / "export.csv") for place in (room, other)]
    assert exported[0] == exported[1]
    assert [float(line["score"]) for line in exported[0]] == [9.0, 0.0]
    # Another base, empty: nothing runs again, everything automatic is written.
    third = grade(room, db_url=(lost := postgres.create("neuve")))
    assert not third.graded
    assert {key: one[0] for key, one in marks(lost).items()} == {
        key: one[0] for key, one in marks(url).items()
    }
    shutil.rmtree(room / "feedback")
    nbgrader(room, environment, "generate_feedback", "petit", f"--db={url}")
    written = (room / "feedback" / "lea" / "petit" / "petit.html").read_text(encoding="utf-8")
    assert COMMENT in written


def nbgrader(folder: Path, environment: dict[str, str], *words: str) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=folder,
        env={**environment, "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


def table_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [line for line in csv.DictReader(file) if line["student_id"] != "tom"]


def test_a_writer_killed_at_each_statement_leaves_no_half_submission(
    filled: str, small: Assignment
) -> None:
    before, killed = rows(filled), 0
    for at in range(1, 200):
        child = os.fork()
        if child == 0:
            _write_and_die(filled, at)
        _, status = os.waitpid(child, 0)
        if os.waitstatus_to_exitcode(status) != -signal.SIGKILL:
            break
        killed += 1
        assert rows(filled) == before, at
    assert os.waitstatus_to_exitcode(status) == 0
    assert killed > 5
    assert marks(filled)["lea", "test-a"][0] == 2
    assert len(rows(filled)["submitted_assignment"]) == 2


def _write_and_die(url: str, at: int) -> None:
    """Record a submission in this process, which dies at a statement, or ends well."""
    status = 1
    try:
        with GradebookWriter(url) as book:
            seen = 0

            def step(*_: object) -> None:
                nonlocal seen
                seen += 1
                if seen == at:
                    os.kill(os.getpid(), signal.SIGKILL)

            event.listen(Engine, "before_cursor_execute", step)
            event.listen(Engine, "commit", step)
            book.record("lea", "petit", SCORES, shown_name="Léa")
        status = 0
    finally:
        os._exit(status)


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("moment", ["avant", "validation"])
def test_a_server_gone_in_mid_run_loses_nothing(
    room: Path, filled: str, postgres: Server, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """Switched off before the second submission is written, or as it is being committed."""
    recorded = GradebookWriter.record
    ran: list[str] = []
    armed: list[str] = []

    def switch_off(*_: object) -> None:
        if armed:
            postgres.stop()

    def record(book: GradebookWriter, learner: str, *rest: Any, **named: Any) -> str:
        ran.append(learner)
        if len(ran) == 2 and moment == "avant":
            postgres.stop()
        elif len(ran) == 2:
            armed.append(moment)
        return recorded(book, learner, *rest, **named)

    monkeypatch.setattr(GradebookWriter, "record", record)
    event.listen(Engine, "commit", switch_off)
    with pytest.raises(GradebookError, match=r"ne répond pas.*relancez") as caught:
        grade(room, db_url=filled)
    event.remove(Engine, "commit", switch_off)
    assert not told(postgres, str(caught.value))
    with pytest.raises(GradebookError, match="ne répond pas"):
        grade(room, db_url=filled)
    monkeypatch.setattr(GradebookWriter, "record", recorded)
    postgres.start()
    again = grade(room, db_url=filled)
    assert not again.graded, "ce qui a tourné ne tourne pas deux fois"
    assert sorted(one.learner for one in again.unchanged) == ["lea", "zoe"]
    assert {key: found[0] for key, found in marks(filled).items()} == {
        **{("lea", "test-a"): 2, ("lea", "test-b"): 3, ("lea", "avis"): 0},
        **{("zoe", "test-a"): 0, ("zoe", "test-b"): 0, ("zoe", "avis"): 0},
    }
    assert holding_the_password(postgres, room) == []


def test_two_runs_on_one_gradebook_do_not_mix(
    room: Path, filled: str, postgres: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_LOCK_SECONDS", 0.3)
    before = rows(filled)
    with (
        only_writer(filled),
        pytest.raises(GradebookError, match=r"Une autre correction écrit.*relancez") as caught,
    ):
        grade(room, db_url=filled)
    assert not told(postgres, str(caught.value))
    assert rows(filled) == before
    # A run that is killed holds nothing any more.
    monkeypatch.setattr(database, "_LOCK_SECONDS", 10)
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with only_writer(filled):
            os.write(write, b"x")
            signal.pause()
    assert os.read(read, 1) == b"x"
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with only_writer(filled):
        pass


def test_a_row_held_by_another_program_is_waited_for_then_said(
    filled: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "PATIENCE_SECONDS", 1.0)
    holder = create_engine(filled, poolclass=NullPool).connect()
    with GradebookWriter(filled) as book:
        for held_seconds, refused in ((0.3, False), (60.0, True)):
            holder.exec_driver_sql("LOCK TABLE grade IN ACCESS EXCLUSIVE MODE")
            timer = threading.Timer(held_seconds, holder.rollback)
            timer.start()
            if refused:
                with pytest.raises(GradebookError, match=r"occupé.*Fermez formgrader"):
                    book.record("lea", "petit", SCORES[:1])
                timer.cancel()
                holder.rollback()
            else:
                book.record("lea", "petit", SCORES)
    holder.close()
    assert marks(filled)["lea", "test-a"][0] == 2


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"password": "p@:/%é-faux"}, r"refuse ce nom ou ce mot de passe.*\.pgpass"),
        ({"username": "inconnu"}, "refuse ce nom ou ce mot de passe"),
        ({"database": "absente"}, r"n'existe pas.*createdb"),
        ({"host": "nulle-part.invalid"}, "introuvable.*votre réseau"),
        ({"port": 1}, "ne répond pas.*serveur tourne"),
    ],
    ids=["mot-de-passe", "nom", "base", "machine", "port"],
)
def test_a_server_that_cannot_be_opened_is_said_without_its_password(
    room: Path, postgres: Server, other: dict[str, Any], said: str
) -> None:
    address = postgres.url(**{"base": "postgres", **other})
    with pytest.raises(GradebookError, match=said) as caught:
        grade(room, db_url=address)
    for secret in (postgres.password, "p@:/%é-faux"):
        assert secret not in str(caught.value) and quote(secret, safe="") not in str(caught.value)
    assert caught.value.__suppress_context__
    assert holding_the_password(postgres, room) == []
    assert not (room / "feedback").exists()


def test_the_command_says_so_too(room: Path, postgres: Server) -> None:
    words = [sys.executable, "-m", "culture_d.cli", "corriger", "submitted", "--db"]
    done = subprocess.run(
        [*words, postgres.url("absente")], cwd=room, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert "n'existe pas" in done.stderr and "Traceback" not in done.stderr
    assert not told(postgres, done.stdout + done.stderr)


def test_a_missing_driver_is_said(postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(GradebookError, match=r"module « psycopg ».*pip install"):
        GradebookWriter(postgres.url())


def test_what_postgresql_cannot_hold_is_shortened(filled: str) -> None:
    """SQLite takes any text: PostgreSQL has 128 signs for a name, and no NUL."""
    with GradebookWriter(filled) as book:
        book.record("lea", "petit", SCORES, shown_name=f"Lé\0a\ud800{'é' * 500}")
    with Gradebook(filled) as book:
        name = book.find_student("lea").last_name
    assert name == f"Léa{'é' * 500}"[:128]


def test_a_dated_copy_holds_everything_and_is_given_back(
    filled: str, postgres: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "ROWS_AT_ONCE", 2)
    with Gradebook(filled) as book:
        book.update_or_create_assignment("petit", duedate="2026-03-01 12:00:00")
        book.find_comment("avis", "petit", "petit", "zoe").manual_comment = COMMENT
        book.db.commit()
    now = datetime(2026, 11, 22, 9, 30)
    copy = backup.back_up(filled, tmp_path / "s", now)
    assert copy is not None and copy.name == "gradebook-2026-11-22T093000.db"
    whole = rows(filled)
    assert {name for name, held in whole.items() if held} >= {"comment", "grade", "source_cell"}
    assert rows(f"sqlite:///{copy}") == whole
    # Lost, then given back: to the same base, to a new one, to a file.
    with GradebookWriter(filled) as book:
        book.record("zoe", "petit", SCORES[:1])
        book.record("lea", "petit", SCORES)
    changed = rows(filled)
    held = restore(copy, filled, tmp_path / "s", now.replace(minute=31))
    assert held is not None and rows(f"sqlite:///{held}") == changed
    new = postgres.create("rendu")
    assert restore(copy, new, tmp_path / "t", now) is None
    assert rows(filled) == rows(new) == whole
    with GradebookWriter(new) as book:
        book.record("lea", "petit", SCORES)
    assert marks(new)["lea", "test-a"][0] == 2
    assert backup.back_up(postgres.create("vide"), tmp_path / "u", now) is None
