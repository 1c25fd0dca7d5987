"""Intake: who handed in what, in every layout and archive of `depots`, read as data only."""

import hashlib
import json
import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import pytest

from culture_d.errors import IntakeError
from culture_d.grading.intake import Found, find_submissions, read_submissions
from culture_d.grading.learners import kept_id, learner_id
from culture_d.grading.model import Assignment, Repaired, Submission
from culture_d.grading.repair import repair
from tests.correction import cours
from tests.correction.cours import GENERIC, OTHER, PUBLIC, PUBLIC_SOURCE, SLUG, honest, written
from tests.correction.depots import FILE, GOOD, GOOD_ID, SOURCES, Source, zipped

# The assignments take long to make: once, in one process.
pytestmark = pytest.mark.xdist_group("depots")
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@pytest.fixture(scope="session")
def course() -> dict[str, Assignment]:
    """Two exercises of the course, known by their cells."""
    return {slug: cours.assignment(slug) for slug in (SLUG, OTHER)}


def tree(folder: Path, files: Mapping[str, bytes]) -> Path:
    for path, data in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


def state(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Give what must not change: size, date and content of every file."""
    found = {}
    for path in folder.rglob("*"):
        status = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        found[str(path)] = (
            status.st_mode,
            status.st_mtime_ns,
            hashlib.sha256(content).hexdigest(),
        )
    return found


def named(pattern: str, learner: str, assignment: str) -> bool:
    who, _, exercise = pattern.partition(" ")
    return bool(re.fullmatch(who.replace("*", ".+"), learner)) and exercise in ("", assignment)


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_a_source_is_read(source: Source, course: dict[str, Assignment], tmp_path: Path) -> None:
    path = source.make(tmp_path)
    before = state(tmp_path)
    if source.error:
        with pytest.raises(IntakeError, match=source.error):
            find_submissions(path, course)
        return
    found = find_submissions(path, course)
    assert state(tmp_path) == before
    for pattern, assignment in source.graded.items():
        taken = [one for one in found.submissions if named(pattern, one.learner, one.assignment)]
        assert [one.assignment for one in taken] == [assignment], pattern
    expected = [*source.graded]
    for one in found.submissions:
        if source.name != "classe-zippee":
            assert any(named(pattern, one.learner, one.assignment) for pattern in expected), one
        assert SAFE.fullmatch(one.learner)
        made = repair(one, course[one.assignment])
        assert isinstance(made, Repaired) or one.learner == "vide", made
        assert_writable(one.files)
        if isinstance(made, Repaired):
            assert_writable({**course[one.assignment].files, **made.submission.files})
        assert not any(path.startswith("timestamp.txt") for path in one.files)
    for learner, reason in source.refused.items():
        assert reason in refusal(found, course, learner)
    assert {one.learner for one in found.refusals} <= set(source.refused)
    for words in source.ignored:
        assert any(words in line for line in found.ignored), words
    for learner, words in source.notes.items():
        notes = [note for one in found.submissions if one.learner == learner for note in one.notes]
        assert any(words in note for note in notes), notes


def assert_writable(files: Mapping[str, bytes]) -> None:
    """No file bears the name of a folder: a disk would refuse it, and the class would stop."""
    folders = {str(up).casefold() for path in files for up in PurePosixPath(path).parents}
    assert not folders & {path.casefold() for path in files}


def refusal(found: Found, course: dict[str, Assignment], learner: str) -> str:
    """Give the reason of a refusal, of the intake or of the repair."""
    reasons = [one.reason for one in found.refusals if one.learner == learner]
    for one in found.submissions:
        made = repair(one, course[one.assignment])
        if one.learner == learner and not isinstance(made, Repaired):
            reasons.append(made.reason)
    assert len(reasons) == 1, (learner, reasons)
    assert reasons[0].endswith(".")
    return reasons[0]


def test_no_submission_changes_another(course: dict[str, Assignment], tmp_path: Path) -> None:
    """The honest learner of each archive is found the same, whatever is beside."""
    alone = tree(tmp_path / "seul", {f"{GOOD}/{FILE}": written(honest())})
    wanted = find_submissions(alone, course).submissions[0]
    for source in SOURCES:
        if GOOD_ID in source.graded:
            folder = tmp_path / source.name
            folder.mkdir()
            found = find_submissions(source.make(folder), course)
            assert [one for one in found.submissions if one.learner == GOOD_ID] == [wanted]


def test_nbgrader_keeps_its_identifiers_files_and_dates(
    course: dict[str, Assignment], tmp_path: Path
) -> None:
    path = next(one for one in SOURCES if one.name == "submitted-seul").make(tmp_path)
    found = {
        (one.learner, one.assignment): one for one in find_submissions(path, course).submissions
    }
    alice = found["alice", SLUG]
    assert alice.timestamp == "2026-03-01 12:00:00.5 UTC"
    assert set(alice.files) == {FILE, "donnees/communes.csv"}
    assert alice.files["donnees/communes.csv"] == b"a\n"
    assert found["Bob", SLUG].timestamp is None


def test_shown_names_are_those_of_the_platform(
    course: dict[str, Assignment], tmp_path: Path
) -> None:
    path = next(one for one in SOURCES if one.name == "moodle-dossiers").make(tmp_path)
    shown = {one.learner: one.shown_name for one in find_submissions(path, course).submissions}
    assert shown["d-arc-eloise-1"] == "D'Arc Éloïse"
    assert shown["martin-jean-2"] == shown["martin-jean-3"] == "Martin Jean"


@pytest.mark.parametrize("known", [True, False], ids=["cellules", "noms"])
def test_the_course_of_nbgrader_s_documentation_is_read(known: bool) -> None:
    assignments = {PUBLIC: cours.assignment(PUBLIC)} if known else (PUBLIC,)
    found = find_submissions(PUBLIC_SOURCE.parents[1], assignments)
    assert [(one.learner, sorted(one.files)) for one in found.submissions] == [
        ("bitdiddle", ["jupyter.png", "problem1.ipynb", "problem2.ipynb"]),
        ("hacker", ["jupyter.png", "problem1.ipynb", "problem2.ipynb"]),
    ]
    assert all(one.timestamp for one in found.submissions)
    assert not found.refusals
    assert not found.ignored


def test_one_exercise_alone(course: dict[str, Assignment], tmp_path: Path) -> None:
    path = next(one for one in SOURCES if one.name == "notebooks-en-vrac").make(tmp_path)
    found = find_submissions(path, course, OTHER)
    graded = [one for one in found.submissions if one.learner != "vide"]
    assert [(one.learner, one.assignment) for one in graded] == [("jean", OTHER)]
    with pytest.raises(IntakeError, match=r"inconnu.*moyenne-mediane"):
        find_submissions(path, course, "moyene")


def test_without_the_assignments_names_decide(tmp_path: Path) -> None:
    files = {
        f"dupont_{SLUG}.ipynb": written(honest()),
        f"{OTHER} - Zoe.ipynb": written(honest()),
        "Mediane/rien.ipynb": written(honest()),
    }
    found = find_submissions(tree(tmp_path / "classe", files), (SLUG, OTHER))
    assert {(one.learner, one.assignment) for one in found.submissions} == {
        ("dupont", SLUG),
        ("zoe", OTHER),
    }
    assert [one.learner for one in found.refusals] == ["mediane"]
    assert OTHER in found.refusals[0].reason


def test_the_cells_win_over_the_name(course: dict[str, Assignment], tmp_path: Path) -> None:
    files = {f"dupont_{OTHER}.ipynb": written(honest())}
    found = find_submissions(tree(tmp_path / "classe", files), course)
    assert [(one.learner, one.assignment) for one in found.submissions] == [("dupont", SLUG)]


def test_in_nbgrader_s_layout_the_folder_decides(
    course: dict[str, Assignment], tmp_path: Path
) -> None:
    """A notebook in the folder of another exercise is refused there, by the repair."""
    files = {f"submitted/alice/{OTHER}/{OTHER}.ipynb": written(honest())}
    found = find_submissions(tree(tmp_path, files), course)
    made = repair(found.submissions[0], course[OTHER])
    assert not isinstance(made, Repaired)
    assert "autre exercice" in made.reason


def test_one_folder_of_an_exercise_does_not_cost_another(
    course: dict[str, Assignment], tmp_path: Path
) -> None:
    files = {
        f"submitted/alice/{SLUG}/{FILE}": written(honest()),
        f"submitted/alice/{OTHER}/lourd.ipynb": b"{" + b" " * (21 << 20),
    }
    found = find_submissions(tree(tmp_path, files), course)
    assert [one.assignment for one in found.submissions] == [SLUG]
    assert [(one.assignment, "20 Mo" in one.reason) for one in found.refusals] == [(OTHER, True)]


def test_several_notebooks_of_one_assignment_go_together(tmp_path: Path) -> None:
    made = {GENERIC: cours.assignment(GENERIC)}
    given = {name: data for name, data in cours.released(GENERIC).items() if name != "x"}
    files = {f"dupont/{name}": data for name, data in given.items()} | {
        f"lea/{number}.ipynb": data for number, data in enumerate(given.values())
    }
    found = find_submissions(tree(tmp_path / "classe", files), made)
    assert {one.learner: len(one.files) for one in found.submissions} == {"dupont": 2, "lea": 2}
    for one in found.submissions:
        mended = repair(one, made[GENERIC])
        assert isinstance(mended, Repaired)
        assert set(mended.submission.files) == {"fonctions.ipynb", "libre.ipynb"}


def test_names_that_differ_only_by_writing_are_refused_rather_than_merged(
    course: dict[str, Assignment], tmp_path: Path
) -> None:
    files = {
        "Jean Dupont.ipynb": written(honest()),
        "jean-dupont.ipynb": written(honest({"reponse-1": "reponse_1 = 1"})),
    }
    found = find_submissions(tree(tmp_path / "classe", files), course)
    assert not found.submissions
    assert [one.learner for one in found.refusals] == ["jean-dupont"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Noël Martin", ""), ("Noel Martin", "")),
        (("Jean Martin", "1"), ("Jean Martin", "2")),
        (("李雷", ""), ("韩梅梅", "")),
        (("🎉", ""), ("📊", "")),
        (("Éa", ""), ("Èa", "")),
        (("a" * 60, ""), ("a" * 61, "")),
        (("CON", ""), ("con-", "")),
    ],
)
def test_distinct_names_have_distinct_identifiers(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    if one[0] != "CON":
        assert learner_id(*one) != learner_id(*other)
    for name in (one, other):
        assert SAFE.fullmatch(learner_id(*name)), name
        assert learner_id(*name) == learner_id(*name)
        assert learner_id(*name).casefold() not in ("con", "nul", "")


@pytest.mark.parametrize("name", ["..", "-rf", "a/b", "x" * 300, "é", "jean@mairie.fr", "a b", "."])
def test_the_folders_of_nbgrader_give_safe_identifiers(name: str) -> None:
    assert SAFE.fullmatch(kept_id(name))
    assert kept_id(name) != name
    assert kept_id("Jean.Dupont_2") == "Jean.Dupont_2"


def test_reading_learner_by_learner_gives_the_same(
    course: dict[str, Assignment], tmp_path: Path
) -> None:
    path = next(one for one in SOURCES if one.name == "moodle-dossiers").make(tmp_path)
    found = find_submissions(path, course)
    streamed = [one for one in read_submissions(path, course) if isinstance(one, Submission)]
    assert tuple(streamed) == found.submissions


def test_the_files_of_the_exercise_are_kept_once_in_memory(
    course: dict[str, Assignment], tmp_path: Path
) -> None:
    own = course[SLUG].files["donnees/communes.csv"]
    files = {
        f"{name}/{path}": data
        for name in ("lea", "noe")
        for path, data in {FILE: written(honest()), "donnees/communes.csv": bytes(own)}.items()
    }
    found = find_submissions(tree(tmp_path / "classe", files), course)
    assert all(one.files["donnees/communes.csv"] is own for one in found.submissions)


def test_a_learner_may_not_hand_in_too_much(course: dict[str, Assignment], tmp_path: Path) -> None:
    heavy = os.urandom(15 << 20)
    files = {f"lea/{number}.csv": heavy for number in range(4)} | {f"lea/{FILE}": written(honest())}
    files |= {f"noe/{FILE}": written(honest()), "noe/video.mp4": bytes(21 << 20)}
    files |= {f"zoe/{FILE}": written(honest())} | {f"zoe/{n}.txt": b"" for n in range(2001)}
    found = find_submissions(tree(tmp_path / "classe", files), course)
    assert {one.learner: one.reason[:40] for one in found.refusals} == {
        "lea": "L'ensemble des fichiers rendus dépasse 5",
        "zoe": "L'envoi contient 2002 fichiers, pour 200",
    }
    assert "video.mp4" in found.submissions[0].notes[0]


def test_the_export_of_another_platform_s_encoding_is_read(
    course: dict[str, Assignment], tmp_path: Path
) -> None:
    """Names on disk in Latin-1, as an old tool unpacks them: one learner all the same."""
    folder = tmp_path / "classe"
    folder.mkdir()
    with open(os.fsencode(folder) + b"/\xc9lodie.ipynb", "wb") as file:  # noqa: PTH123
        file.write(written(honest()))
    found = find_submissions(folder, course)
    assert [one.shown_name for one in found.submissions] == ["Élodie"]


def test_an_unreadable_folder_costs_nobody_else(
    course: dict[str, Assignment], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {f"lea/{FILE}": written(honest()), f"noe/{FILE}": written(honest())}
    folder = tree(tmp_path / "classe", files)
    scan = os.scandir

    def closed(path: str) -> object:
        if str(path).endswith("noe"):
            raise PermissionError(13, "closed")
        return scan(path)

    monkeypatch.setattr(os, "scandir", closed)
    found = find_submissions(folder, course)
    assert [one.learner for one in found.submissions] == ["lea"]
    assert [(one.learner, "l'accès est refusé" in one.reason) for one in found.refusals] == [
        ("noe", True)
    ]


def test_several_exports_in_one_zip_of_zips_are_not_guessed(
    course: dict[str, Assignment], tmp_path: Path
) -> None:
    """A ZIP in a ZIP in a ZIP is left closed."""
    inner = zipped({FILE: written(honest())})
    files = {"lea.zip": zipped({"b.zip": zipped({"c.zip": inner})})}
    found = find_submissions(tree(tmp_path / "classe", files), course)
    assert not found.submissions
    assert "pas de notebook" in found.refusals[0].reason


def test_what_is_found_is_plain_data(course: dict[str, Assignment], tmp_path: Path) -> None:
    path = next(one for one in SOURCES if one.name == "notebooks-en-vrac").make(tmp_path)
    for one in find_submissions(path, course).submissions:
        for name, data in one.files.items():
            assert type(name) is str
            assert type(data) is bytes
            assert not name.startswith("/")
            assert ".." not in name.split("/")
        json.dumps([one.learner, one.assignment, one.shown_name, one.notes, one.digest])
