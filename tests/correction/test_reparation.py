"""Repair: every clumsy or hostile notebook of `depots`, on this course and on any other.

What comes out is held against nbformat, nbgrader's own metadata validator, and, for the
most repaired, against the points that stock `nbgrader autograde` then gives.
"""

import json
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.nbgraderformat import ValidationError as MetadataError
from traitlets.config import Config

from culture_d import exercises
from culture_d.execution import OwnKernel, own_kernel_settings
from culture_d.grading.known_cells import notebooks_of, resemblance
from culture_d.grading.model import Assignment, Refusal, Repaired, Submission
from culture_d.grading.plain_notebook import read_notebook
from culture_d.grading.repair import repair
from tests.correction import cours
from tests.correction.cours import GENERIC, PUBLIC, PUBLIC_SOURCE, SLUG, cell_of, mark_of, written
from tests.correction.depots import NOTEBOOKS, POINTS, Depot

SOURCES = sorted((cours.ROOT / "exercises" / "source").glob("*/*.ipynb"))
_REGIONS = re.compile(r"### BEGIN (SOLUTION|HIDDEN TESTS).*?### END \1\n?", re.DOTALL)
# The assignments take long to make: once, in one process.
pytestmark = pytest.mark.xdist_group("depots")
# One of each kind of repair: stock nbgrader takes some seconds for each.
GRADED = (
    "reponse-copiee-vide",
    "tests-remplaces",
    "cellules-ajoutees-test-perdu",
    "reponses-seules",
    "reponses-fusionnees-plus-bas",
    "tout-perdu-sauf-le-texte",
    "types-changes",
    "choix-a-la-fin",
    "format-2",
)


def submitted(files: Mapping[str, bytes], assignment: str = SLUG) -> Submission:
    return Submission("alice", assignment, dict(files), shown_name="Alice")


def repaired(files: Mapping[str, bytes], slug: str = SLUG) -> Repaired:
    done = repair(submitted(files, slug), cours.assignment(slug))
    assert isinstance(done, Repaired), done
    check(done, cours.assignment(slug))
    return done


def cells(done: Repaired, name: str = SLUG) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.submission.files[f"{name}.ipynb"])["cells"]
    return found


def order(done: Repaired, name: str = SLUG) -> list[str]:
    return [mark_of(cell) for cell in cells(done, name) if mark_of(cell)]


def expected_marks(assignment: Assignment, name: str) -> dict[str, Any]:
    marked = [cell for cell in json.loads(assignment.notebooks[name])["cells"] if mark_of(cell)]
    return {mark_of(cell): cell for cell in marked}


def check(done: Repaired, assignment: Assignment) -> None:
    """Assert that nbgrader can grade the result: valid, and each cell of it once."""
    names = [path for path in done.submission.files if path.endswith(".ipynb")]
    assert names
    assert set(names) <= {f"{name}.ipynb" for name in assignment.notebooks}
    for path in names:
        check_notebook(done.submission.files[path], assignment, path.removesuffix(".ipynb"))
    assert all(note.endswith(".") and note[0].isupper() for note in done.notes), done.notes


def check_notebook(data: bytes, assignment: Assignment, name: str) -> None:
    notebook = nbformat.reads(data.decode(), as_version=4)
    nbformat.validate(notebook)
    MetadataValidator().validate_nb(notebook)
    wanted = expected_marks(assignment, name)
    given_cells = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    marks = [cell.metadata.nbgrader.grade_id for cell in given_cells]
    assert sorted(marks) == sorted(wanted)
    for cell in given_cells:
        source = wanted[cell.metadata.nbgrader.grade_id]
        assert cell.metadata == source["metadata"]
        assert cell.cell_type == source["cell_type"]
        if not cell.metadata.nbgrader.solution and cell.metadata.nbgrader.locked:
            assert cell.source == "".join(source["source"])
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    kernel = json.loads(assignment.notebooks[name])["metadata"].get("kernelspec")
    assert notebook.metadata.get("kernelspec") == kernel


def stock_scores(
    slug: str, learners: Mapping[str, Mapping[str, bytes]], root: Path
) -> dict[str, dict[str, float | None]]:
    """Grade by stock nbgrader, with its default settings: points, and None to be read."""
    from nbgrader.api import Gradebook
    from nbgrader.apps.api import NbGraderAPI

    made = cours.assignment(slug)
    root.mkdir()
    (root / "gradebook.db").write_bytes(made.gradebook)
    beside = {f"source/{slug}/{path}": data for path, data in made.files.items()}
    handed = {
        f"submitted/{learner}/{slug}/{path}": data
        for learner, files in learners.items()
        for path, data in files.items()
    }
    for path, data in (beside | handed).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    (root / "source" / slug).mkdir(parents=True, exist_ok=True)
    found: dict[str, dict[str, float | None]] = {}
    with exercises.nbgrader_tools(), own_kernel_settings() as config:
        config.CourseDirectory.root = str(root)
        config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
        config.CourseDirectory.course_id = "culture-d"
        config.Execute = Config(kernel_manager_class=OwnKernel, shutdown_kernel="immediate")
        api = NbGraderAPI(config=config)
        for learner in learners:
            done = api.autograde(slug, learner)
            assert done["success"], f"{learner}: {done.get('log', '')[-2000:]}"
            with Gradebook(api.coursedir.db_url) as book:
                found[learner] = {
                    grade.name: None if grade.needs_manual_grade else grade.auto_score
                    for notebook in book.find_submission(slug, learner).notebooks
                    for grade in notebook.grades
                }
    return found


@pytest.mark.parametrize("depot", NOTEBOOKS, ids=lambda depot: depot.name)
def test_a_notebook_is_repaired_or_refused(depot: Depot) -> None:
    submission = submitted({depot.file: depot.data(), "notes.txt": b"x"})
    done = repair(submission, cours.assignment())
    if depot.refused:
        assert isinstance(done, Refusal)
        assert (done.learner, done.assignment, done.shown_name) == ("alice", SLUG, "Alice")
        text = done.reason
    else:
        assert isinstance(done, Repaired), done
        check(done, cours.assignment())
        assert done.digest == submission.digest
        text = " ".join(done.notes)
    for said in depot.says:
        assert said in text
    if not depot.says:
        assert not text


@pytest.mark.parametrize(
    "depot", [depot for depot in NOTEBOOKS if not depot.refused], ids=lambda depot: depot.name
)
def test_what_is_repaired_needs_no_second_repair(depot: Depot) -> None:
    first = repaired({depot.file: depot.data()})
    second = repaired(first.submission.files)
    assert second.submission.files == first.submission.files


@pytest.mark.long
def test_stock_nbgrader_grades_what_is_repaired(tmp_path: Path) -> None:
    chosen = {depot.name: depot for depot in NOTEBOOKS if depot.name in GRADED}
    assert len(chosen) == len(GRADED)
    files = {
        name: repaired({depot.file: depot.data()}).submission.files
        for name, depot in chosen.items()
    }
    scores = stock_scores(SLUG, files, tmp_path / "cours")
    for name, depot in chosen.items():
        earned = {test: scores[name][test] for test in POINTS}
        assert earned == depot.points, name
        assert scores[name]["reponse-6"] == 0, name


@pytest.mark.long
def test_a_public_course_has_the_same_scores_repaired_or_not(tmp_path: Path) -> None:
    """nbgrader's documentation: two notebooks, written answers, an honest and a hostile learner."""
    folder = PUBLIC_SOURCE.parents[1] / "submitted"
    learners = {
        path.name: {file.name: file.read_bytes() for file in (path / PUBLIC).iterdir()}
        for path in sorted(folder.iterdir())
    }
    assert len(learners) == 2
    mended = {name: repaired(files, PUBLIC).submission.files for name, files in learners.items()}
    raw = stock_scores(PUBLIC, learners, tmp_path / "brut")
    assert stock_scores(PUBLIC, mended, tmp_path / "repare") == raw
    assert any(any(earned.values()) for earned in raw.values())


def test_the_check_of_these_tests_sees_a_broken_notebook() -> None:
    content = json.loads(
        repaired({f"{SLUG}.ipynb": written(cours.honest())}).submission.files[f"{SLUG}.ipynb"]
    )
    check_notebook(written(content), cours.assignment(), SLUG)
    for change in (
        lambda nb: nb["cells"].append(cell_of(nb, "test-1") | {"id": "copie"}),
        lambda nb: nb["cells"].remove(cell_of(nb, "reponse-1")),
        lambda nb: cell_of(nb, "test-1").update(source="2"),
        lambda nb: cell_of(nb, "test-1")["metadata"]["nbgrader"].update(points=9),
        lambda nb: cell_of(nb, "test-1").update(outputs=[{}]),
        lambda nb: nb["metadata"].pop("kernelspec"),
    ):
        broken = deepcopy(content)
        change(broken)
        with pytest.raises((AssertionError, nbformat.ValidationError, MetadataError)):
            check_notebook(written(broken), cours.assignment(), SLUG)


def test_the_answers_are_left_as_they_were_written() -> None:
    done = repaired({f"{SLUG}.ipynb": written(cours.honest())})
    found = {mark_of(cell): cell["source"] for cell in cells(done)}
    assert {name: found[name] for name in cours.ANSWERS} == cours.ANSWERS
    assert order(done) == [mark_of(cell) for cell in cours.blank()["cells"] if mark_of(cell)]


def test_hidden_tests_and_the_marks_of_the_assignment_win() -> None:
    content = cours.honest()
    cell_of(content, "test-5")["metadata"]["nbgrader"] |= {"points": 1000, "solution": True}
    done = repaired({f"{SLUG}.ipynb": written(content)})
    test = next(cell for cell in cells(done) if mark_of(cell) == "test-5")
    assert "BEGIN HIDDEN TESTS" in test["source"]
    assert test["metadata"]["nbgrader"]["points"] != 1000


def test_cells_that_were_added_run_where_they_are() -> None:
    depot = next(one for one in NOTEBOOKS if one.name == "cellules-ajoutees-test-perdu")
    sources = [cell["source"] for cell in cells(repaired({depot.file: depot.data()}))]
    computed, given_ = sources.index("calcul = 700 + 33"), sources.index("reponse_1 = calcul")
    test = next(
        at for at, text in enumerate(sources) if text.startswith("import verifier\n\nquestion_1")
    )
    assert computed < given_ < test


def test_an_order_of_ones_own_that_works_is_kept() -> None:
    depot = next(one for one in NOTEBOOKS if one.name == "questions-dans-un-autre-ordre")
    found = order(repaired({depot.file: depot.data()}))
    assert found.index("test-4") < found.index("reponse-1")


def test_an_identical_copy_moves_nothing() -> None:
    depot = next(one for one in NOTEBOOKS if one.name == "reponse-copiee-a-la-fin")
    honest = order(repaired({depot.file: written(cours.honest())}))
    done = repaired({depot.file: depot.data()})
    assert order(done) == honest
    assert cells(done)[-1]["source"] == cours.ANSWERS["reponse-1"]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("test-avant-la-reponse", "reponse-1", "test-1"),
        ("reponse-corrigee-a-la-fin", "reponse-1", "test-1"),
        ("donnees-a-la-fin", "lecture-donnees", "departement"),
        ("choix-a-la-fin", "departement", "mes-communes"),
        ("reponses-fusionnees-plus-bas", "reponse-4", "test-3"),
    ],
)
def test_what_cannot_work_is_put_back_in_order(name: str, before: str, after: str) -> None:
    depot = next(one for one in NOTEBOOKS if one.name == name)
    found = order(repaired({depot.file: depot.data()}))
    assert found.index(before) < found.index(after)


def test_pictures_are_kept_and_pages_are_not() -> None:
    depot = next(one for one in NOTEBOOKS if one.name == "images-jointes")
    cell = next(c for c in cells(repaired({depot.file: depot.data()})) if mark_of(c) == "reponse-6")
    assert cell["attachments"] == {"schema.png": {"image/png": "iVBORw0KGgo="}}


def test_files_beside_the_notebook_follow_it() -> None:
    done = repaired(
        {
            f"{SLUG}/{SLUG}.ipynb": written(cours.honest()),
            f"{SLUG}/mes-donnees/a.csv": b"1",
            f"{SLUG}/brouillon.ipynb": written({"cells": []}),
            "ailleurs.txt": b"x",
        }
    )
    assert set(done.submission.files) == {f"{SLUG}.ipynb", "mes-donnees/a.csv"}


def test_no_file_takes_the_place_of_one_of_the_course() -> None:
    kept = {f"{SLUG}.ipynb", "mes-donnees/a.csv", "verifier.py", "verifier/a.csv"}
    names = {"donnees", "verifier.py/x", f"{SLUG}.ipynb/x", "verifier/__init__.py"}
    names |= {"verifier.abi3.so", "verifier/__init__.cpython-311.pyc"}
    files = dict.fromkeys(kept | names, b"x") | {"devoir.ipynb": written(cours.honest())}
    del files[f"{SLUG}.ipynb"]
    done = repaired(files)
    assert set(done.submission.files) == kept
    for name in names:
        assert any(f"« {name} »" in note for note in done.notes), name


def test_no_notebook_is_said_with_what_was_received() -> None:
    done = repair(submitted({"devoir.docx": b"PK"}), cours.assignment())
    assert isinstance(done, Refusal)
    assert "devoir.docx" in done.reason
    assert isinstance(repair(submitted({}), cours.assignment()), Refusal)


def generic(change: Callable[[dict[str, Any]], object] | None = None) -> dict[str, bytes]:
    files = {}
    for name in ("fonctions", "libre"):
        content = cours.blank(GENERIC, name)
        if name == "fonctions":
            cell_of(content, "double")["source"] = "def double(x):\n    return 2 * x"
            cell_of(content, "triple")["source"] = "def triple(x):\n    return 3 * x"
            cell_of(content, "pourquoi")["source"] = "Parce que."
        if change is not None and name == "fonctions":
            change(content)
        files[f"{name}.ipynb"] = written(content)
    return files


def test_no_exercise_of_the_course_is_taken_for_another() -> None:
    """They share identifiers (« reponse-1 », « test-1 ») and lines, and are told apart."""
    sources = {path.stem: path.read_bytes() for path in SOURCES}
    assert len(sources) > 5
    for handed, source in sources.items():
        content = json.loads(source)
        for cell in content["cells"]:
            text = "".join(cell["source"])
            cell["source"] = _REGIONS.sub("", text).rstrip()
        notebook = read_notebook(written(content))
        for name, kept in sources.items():
            known = notebooks_of(Assignment(name, b"", {}, {name: kept}))[name]
            found = resemblance(notebook, known)
            assert found.accepted == (name == handed), (name, handed, found)


def test_a_generic_course_of_two_notebooks() -> None:
    done = repaired(generic(), GENERIC)
    assert not done.notes
    assert set(done.submission.files) == {"fonctions.ipynb", "libre.ipynb"}


def test_notebooks_are_known_whatever_their_names() -> None:
    files = generic()
    swapped = {"a.ipynb": files["libre.ipynb"], "b.ipynb": files["fonctions.ipynb"]}
    done = repaired(swapped, GENERIC)
    assert "Parce que." in done.submission.files["fonctions.ipynb"].decode()
    assert len(done.notes) == 2


def test_a_missing_notebook_counts_zero_and_a_broken_one_is_refused() -> None:
    files = generic()
    done = repaired({"fonctions.ipynb": files["fonctions.ipynb"]}, GENERIC)
    assert "« libre.ipynb » manque" in done.notes[0]
    broken = files | {"libre.ipynb": files["libre.ipynb"][:200]}
    refused = repair(submitted(broken, GENERIC), cours.assignment(GENERIC))
    assert isinstance(refused, Refusal)
    assert "« libre.ipynb »" in refused.reason
    assert "tronqué" in refused.reason


def _halve(content: dict[str, Any]) -> None:
    cell = cell_of(content, "pourquoi")
    second = deepcopy(cell)
    cell["source"], second["source"], second["id"] = "D'abord ceci.", "Puis cela.", "suite"
    content["cells"].insert(content["cells"].index(cell) + 1, second)


def _typed_as_code(content: dict[str, Any]) -> None:
    cell_of(content, "pourquoi").update(cell_type="code", outputs=[], execution_count=None)


def _lost(content: dict[str, Any]) -> None:
    for cell in content["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_halve, "D'abord ceci.\n\nPuis cela."),
        (_typed_as_code, "Parce que."),
        (_lost, "Parce que."),
        (
            lambda content: content["cells"].remove(cell_of(content, "pourquoi")),
            "*Double-cliquez ici, puis écrivez votre réponse.*",
        ),
    ],
    ids=["coupee", "en-code", "sans-marques", "supprimee"],
)
def test_a_written_answer_reaches_the_person_who_reads_it(
    change: Callable[[dict[str, Any]], object], text: str
) -> None:
    done = repaired(generic(change), GENERIC)
    found = {mark_of(cell): cell["source"] for cell in cells(done, "fonctions")}
    assert found["pourquoi"] == text
    assert found["double"] == "def double(x):\n    return 2 * x"


def test_a_task_that_was_deleted_is_put_back_in_its_place() -> None:
    files = generic()
    content = json.loads(files["libre.ipynb"])
    content["cells"].remove(cell_of(content, "tache"))
    done = repaired(files | {"libre.ipynb": written(content)}, GENERIC)
    assert order(done, "libre") == ["reponse-a", "essai-a", "tache", "graphique"]


def test_identical_stubs_are_told_apart_by_their_place() -> None:
    """Two answers of one text that lost their marks: the order tells them apart."""
    made = cours.assignment(GENERIC)
    content = json.loads(made.notebooks["fonctions"])
    for name in ("double", "triple"):
        cell_of(content, name)["source"] = "# VOTRE CODE"
    same = Assignment(GENERIC, b"", {}, {"fonctions": written(content)})
    handed = deepcopy(content)
    cell_of(handed, "double")["source"] = "def double(x):\n    return 2 * x"
    cell_of(handed, "essai-double")["source"] = "assert double(1) == 2\nassert double(2) == 4"
    _lost(handed)
    done = repair(submitted({"fonctions.ipynb": written(handed)}, GENERIC), same)
    assert isinstance(done, Repaired)
    found = {mark_of(cell): cell["source"] for cell in cells(done, "fonctions")}
    assert found["double"].startswith("def double")
    assert found["triple"] == "# VOTRE CODE"


def test_a_course_may_hide_its_tests_between_marks_of_its_own() -> None:
    """Then what the learner was given is not taken for an edited test."""
    made = cours.assignment(GENERIC)
    kept = made.notebooks["fonctions"].replace(b"HIDDEN TESTS", b"SECRET")
    marks = {"begin_test_delimeter": "BEGIN SECRET", "end_test_delimeter": "END SECRET"}
    for config, notes in (({"ClearHiddenTests": marks}, 0), ({}, 1)):
        own = Assignment(GENERIC, b"", {}, {"fonctions.ipynb": kept}, config)
        done = repair(submitted({"fonctions.ipynb": generic()["fonctions.ipynb"]}), own)
        assert isinstance(done, Repaired)
        assert len(done.notes) == notes, done.notes


def test_a_kernel_of_the_course_is_kept_when_it_has_one() -> None:
    done = repaired(generic(), GENERIC)
    content = json.loads(done.submission.files["libre.ipynb"])
    assert content["metadata"]["kernelspec"]["name"] == "python3"


@cache
def _honest() -> bytes:
    return written(cours.honest())


def _any_outcome(data: bytes) -> None:
    done = repair(submitted({f"{SLUG}.ipynb": data}), cours.assignment())
    if isinstance(done, Repaired):
        check(done, cours.assignment())
    else:
        assert done.reason.endswith(".")


mutations = settings(
    max_examples=150,
    deadline=3000,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@mutations
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 400), st.binary(max_size=20)),
        min_size=1,
        max_size=6,
    )
)
def test_any_change_of_bytes_is_repaired_or_refused(
    changes: list[tuple[float, int, bytes]],
) -> None:
    data = _honest()
    for place, cut, added in changes:
        at = int(place * len(data))
        data = data[:at] + added + data[at + cut :]
    _any_outcome(data)


def _nodes(value: Any) -> Iterable[tuple[Any, Any]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in list(items):
        yield value, key
        if isinstance(item, (dict, list)):
            yield from _nodes(item)


def _mutate(content: Any, seed: int, times: int) -> Any:
    chance = random.Random(seed)
    odd: tuple[Any, ...] = (
        None,
        True,
        -1,
        1e9,
        "",
        "x",
        "reponse-1",
        [],
        {},
        [[]],
        ["a", None],
        {"a": {}},
        "\ud800",
    )
    for _ in range(times):
        nodes = list(_nodes(content))
        if not nodes:
            break
        parent, key = chance.choice(nodes)
        other, from_key = chance.choice(nodes)
        act = chance.choice(("odd", "drop", "copy", "repeat", "shuffle"))
        if act == "drop":
            del parent[key]
        elif act == "copy":
            parent[key] = deepcopy(other[from_key])
        elif act == "repeat" and isinstance(parent, list):
            parent.insert(key, deepcopy(parent[key]))
        elif act == "shuffle" and isinstance(parent[key], list):
            chance.shuffle(parent[key])
        else:
            parent[key] = deepcopy(chance.choice(odd))
    return content


@mutations
@given(st.integers(0, 1 << 32), st.integers(1, 40))
def test_any_change_of_structure_is_repaired_or_refused(seed: int, times: int) -> None:
    _any_outcome(json.dumps(_mutate(cours.honest(), seed, times)).encode())


@mutations
@given(st.integers(0, 1 << 32))
def test_any_order_of_the_cells_is_repaired(seed: int) -> None:
    """Cells shuffled, lost, copied: every one of the assignment once, the others kept."""
    chance = random.Random(seed)
    content = cours.honest()
    kept = [cell for cell in content["cells"] if chance.random() > 0.2]
    again = [deepcopy(cell) for cell in kept if chance.random() < 0.2]
    own = [{"cell_type": "code", "source": f"a_moi_{n}", "metadata": {}} for n in range(5)]
    content["cells"] = [*kept, *again, *own]
    chance.shuffle(content["cells"])
    done = repaired({f"{SLUG}.ipynb": written(content)})
    given_ = [cell["source"] for cell in content["cells"] if cell["source"].startswith("a_moi")]
    assert [c["source"] for c in cells(done) if c["source"].startswith("a_moi")] == given_


def test_the_worst_files_take_little_time_and_memory() -> None:
    """In a process of 1 GiB: brackets, keys, long lines, spaces, as large as is allowed."""
    program = """
import resource, sys, time
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
from culture_d.grading.model import Assignment, Submission
from culture_d.grading.repair import repair
empty = Assignment("a", b"", {}, {"a": b'{"cells": [], "metadata": {}}'})
size = 20 << 20
for worst in (
    b'{"cells": [' + b"[]," * 1_900_000 + b"0]}",
    b'{"cells": [' + b"{}," * 1_900_000 + b"0]}",
    b'{"cells": [{"source": "' + b" " * (size - 100) + b'"}]}',
    b'{"cells": [{"source": "' + b"a = 1\\\\n" * 700_000 + b'"}]}',
    b'{"cells": [{"source": "' + b"```\\\\n" * 800_000 + b'"}]}',
    b'{"cells": [{"source": [' + b'"",' * 6_000_000 + b'""]}]}',
    b'{"cells": [' + b'"\\\\ud800",' * 2_000_000 + b'""]}',
    b"[" * size,
    b'{"a":' * (size // 5),
    b'"' + b"\\\\" * (size - 10),
    b"9" * size,
):
    start = time.monotonic()
    print(type(repair(Submission("x", "a", {"a.ipynb": worst[:size]}), empty)).__name__)
    assert time.monotonic() - start < 20, worst[:40]
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["Refusal"] * 11
