"""Every clumsy or hostile file we know, in one class, through the whole command.

Each learner gets what is written beside their file; the honest ones, among them, all their
points; and nothing of the class changes because of one of them.
"""

from dataclasses import dataclass
from pathlib import Path

import pytest
from nbgrader.api import Gradebook, MissingEntry

from culture_d.grading.run import Options, Outcome, correct
from culture_d.project import Project
from tests.correction.cours import SLUG, cell_of, honest, written
from tests.correction.depots import FILE, NOTEBOOKS, POINTS, Depot

pytestmark = pytest.mark.xdist_group("chaine")
WITNESSES = ("aa-temoin", "mm-temoin", "zz-temoin")
CELL_SECONDS = 6
# Of the files that are repaired, one of each kind in each run, all of them with `long`:
# what each is repaired to is looked at in `test_reparation`.
KINDS = {
    *("vierge", "reponse-copiee-vide", "reponse-corrigee-a-la-fin", "tests-remplaces"),
    *("points-gonfles", "tests-sautes", "test-ajoute", "cellules-ajoutees-test-perdu"),
    *("question-supprimee", "reponses-fusionnees-plus-bas", "tout-perdu-sauf-le-texte"),
    *("types-changes", "choix-a-la-fin", "marques-cassees", "autre-noyau", "resultats-enormes"),
    *("cellules-bizarres", "format-2", "renomme"),
}
CLASS = tuple(depot for depot in NOTEBOOKS if depot.refused or depot.name in KINDS)
REST = tuple(depot for depot in NOTEBOOKS if depot not in CLASS)

# What an answer's cell may try, and the points that are left: those of the other questions.
ATTEMPTS = {
    # nbgrader's own mark, which stops its `generate_feedback`: an honest answer all the same.
    "marque": ("### BEGIN HIDDEN TESTS\nreponse_1 = 733", dict(POINTS)),
    "arret": ("exit()", POINTS | {"test-1": 0.0}),
    "mort": ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", POINTS | {"test-1": 0.0}),
    "boucle": ("while True:\n    pass", POINTS | {"test-1": 0.0}),
    "tout-egale": (
        "class Tout:\n"
        "    __eq__ = __le__ = __ge__ = __lt__ = __gt__ = lambda self, other: True\n"
        "    __sub__ = __rsub__ = __abs__ = lambda self, *other: 0\n"
        "    __float__ = lambda self: 0.0\n"
        "reponse_1 = reponse_2a = reponse_2b = Tout()",
        POINTS | {"test-1": 0.0},
    ),
    "outil-change": (
        "import verifier\n"
        "verifier.Question.noter = verifier.Nombre.noter = lambda self, points, **k: points\n"
        "reponse_1 = 1",
        POINTS | {"test-1": 0.0},
    ),
    "outil-reecrit": (
        "import pathlib\n"
        "try:\n"
        "    pathlib.Path('verifier.py').write_text('def __getattr__(nom): return lambda *a, **k: 2')\n"
        "except OSError:\n"
        "    pass\n"
        "reponse_1 = 1",
        POINTS | {"test-1": 0.0},
    ),
    "carnet": (
        "import pathlib, sqlite3\n"
        "for place in [*pathlib.Path('/').glob('*/**/gradebook.db')][:5]:\n"
        "    base = sqlite3.connect(place)\n"
        "    base.execute('UPDATE grade SET manual_score = 99')\n"
        "    base.commit()\n"
        "reponse_1 = 1",
        POINTS | {"test-1": 0.0},
    ),
}


@dataclass
class Room:
    """The class once graded."""

    course: Path
    outcome: Outcome


def attempt(code: str) -> bytes:
    content = honest()
    cell_of(content, "reponse-1").update(source=code)
    return written(content)


@pytest.fixture(scope="module")
def room(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Room:
    files = {name: (FILE, attempt(code)) for name, (code, _) in ATTEMPTS.items()}
    return graded(project, tmp_path_factory.mktemp("classe"), CLASS, files)


@pytest.fixture(scope="module")
def rest(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Room:
    """The class of the other files."""
    return graded(project, tmp_path_factory.mktemp("suite"), REST, {})


def graded(
    project: Project, root: Path, depots: tuple[Depot, ...], more: dict[str, tuple[str, bytes]]
) -> Room:
    files = more | {depot.name: (depot.file, depot.data()) for depot in depots}
    files |= {name: (FILE, written(honest())) for name in WITNESSES}
    for name, (file, data) in files.items():
        place = root / "reçus" / name / SLUG / file
        place.parent.mkdir(parents=True)
        place.write_bytes(data)
    options = Options(root / "reçus", course=root / "cours", cell_seconds=CELL_SECONDS)
    return Room(root / "cours", correct(options, project))


def points(room: Room, learner: str) -> dict[str, float]:
    with Gradebook(f"sqlite:///{room.course / 'gradebook.db'}") as book:
        grades = book.find_submission_notebook(SLUG, SLUG, learner).grades
        assert all(grade.manual_score is None for grade in grades)
        return {grade.name: grade.auto_score for grade in grades if grade.name in POINTS}


def test_everyone_has_a_result_and_nothing_failed(room: Room) -> None:
    assert room.outcome.failed == []
    graded = {entry.learner for entry in room.outcome.graded}
    refused = {refusal.learner for refusal in room.outcome.refused}
    assert len(graded) + len(refused) == len(CLASS) + len(ATTEMPTS) + len(WITNESSES)
    assert not graded & refused


@pytest.mark.parametrize("name", WITNESSES)
def test_the_honest_ones_have_all_their_points(room: Room, name: str) -> None:
    assert points(room, name) == POINTS
    entry = next(entry for entry in room.outcome.graded if entry.learner == name)
    assert entry.notes == ()


@pytest.mark.parametrize("depot", CLASS, ids=lambda depot: depot.name)
def test_each_file_has_what_is_expected(room: Room, depot: Depot) -> None:
    expected(room, depot)


@pytest.mark.long
@pytest.mark.parametrize("depot", REST, ids=lambda depot: depot.name)
def test_each_of_the_other_files_too(rest: Room, depot: Depot) -> None:
    expected(rest, depot)


def expected(room: Room, depot: Depot) -> None:
    if depot.refused:
        said = [one.reason for one in room.outcome.refused if one.learner == depot.name]
        with pytest.raises(MissingEntry):
            points(room, depot.name)
    else:
        said = [" ".join(one.notes) for one in room.outcome.graded if one.learner == depot.name]
        assert points(room, depot.name) == pytest.approx(dict(depot.points))
    assert len(said) == 1
    for words in depot.says:
        assert words in said[0]


@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_attempt_earns_nothing_and_costs_only_its_question(room: Room, name: str) -> None:
    assert points(room, name) == ATTEMPTS[name][1]


def test_a_page_says_what_to_read_again(room: Room) -> None:
    text = (room.course / "feedback" / "arret" / SLUG / f"{SLUG}.html").read_text(encoding="utf-8")
    assert "relisez la leçon" in text and "Moyenne ou médiane" in text


def test_everyone_has_a_page_and_none_shows_the_hidden_tests(room: Room) -> None:
    for learner in (*ATTEMPTS, *WITNESSES, *(depot.name for depot in CLASS)):
        pages = list((room.course / "feedback" / learner / SLUG).glob("*.html"))
        assert len(pages) == 1, learner
        text = pages[0].read_text(encoding="utf-8")
        assert ("BEGIN HIDDEN" in text) == (learner == "marque"), learner
        assert "attendu=" not in text
        assert "<script" not in text
