"""The checking of answers outside the learner's interpreter: same results, and no cheating.

Every answer of the answers files is marked twice, as a kernel does and as data, and both
must give the same outputs. Then each cheat stands next to an honest answer.
"""

import ast
import asyncio
import contextlib
import json
import os
import re
import subprocess
import sys
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from jupyter_core.utils import run_sync
from nbclient.exceptions import DeadKernelError
from nbgrader.preprocessors import Execute
from nbgrader.utils import determine_grade

from culture_d import exercises
from culture_d.errors import SandboxError
from culture_d.execution import OwnKernel, own_kernel_settings
from culture_d.grading import checkable, extraction
from culture_d.grading.assignment import load_assignments
from culture_d.grading.fast import FastRunner
from culture_d.grading.forked_kernel import ForkedKernel, ForkServer
from culture_d.grading.model import Assignment, Graded, Limits, Repaired, Submission
from culture_d.grading.sandbox import Room
from culture_d.grading.scratch import scratch
from culture_d.grading.trusted import AnswerCheck, TrustedChecker, _outputs
from culture_d.project import Project

ROOT = Path(__file__).resolve().parents[2]
ANSWERS = sorted((ROOT / "exercises" / "answers").glob("*.yml"))
SLUGS = [path.stem for path in ANSWERS]
SOLUTION = re.compile(r"^### BEGIN SOLUTION$.*?^### END SOLUTION$\n?", re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def checker() -> Iterator[TrustedChecker]:
    with TrustedChecker() as one:
        yield one


@pytest.fixture(scope="session")
def folder_of(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    @cache
    def make(slug: str) -> Path:
        return exercises.prepare(project, slug, tmp_path_factory.mktemp(slug))

    return make


def without_solutions(project: Project, slug: str) -> Any:
    notebook = nbformat.read(exercises.source_of(project, slug), as_version=4)
    for cell in notebook.cells:
        cell.source = SOLUTION.sub("", cell.source)
    return notebook


def assignment_of(project: Project, slug: str, folder: Path) -> Assignment:
    files = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    text = nbformat.writes(without_solutions(project, slug)).encode()
    return Assignment(slug, b"", files, {f"{slug}.ipynb": text})


def submissions(slug: str) -> dict[str, dict[str, str]]:
    """Build the class as test_reponses.py does: the k-th answer of each question together."""
    book = yaml.safe_load((ROOT / "exercises" / "answers" / f"{slug}.yml").read_text("utf-8"))
    choices = book.get("contextes", {})
    ranks: dict[tuple[str, str], int] = defaultdict(int)
    filled: dict[str, dict[str, str]] = {}
    for question in book["questions"]:
        for entry in question["justes"] + question["erreurs"]:
            context = entry.get("contexte", "seul")
            rank = ranks[question["note"], context]
            ranks[question["note"], context] += 1
            answers = filled.setdefault(f"{context}-{rank}", {})
            answers[question["reponse"]] = entry["code"]
            if choices:
                ways = choices["choix"][context]["ecritures"]
                answers[choices["cellule"]] = ways[rank % len(ways)]
    for rank, refusal in enumerate(choices.get("refus", ())):
        filled[f"refus-{rank}"] = {choices["cellule"]: refusal["code"]}
    return filled


@pytest.mark.long
@pytest.mark.parametrize("slug", SLUGS)
def test_every_answer_has_the_same_outputs_as_in_the_kernel(
    slug: str, project: Project, folder_of: Callable[[str], Path], checker: TrustedChecker
) -> None:
    folder = folder_of(slug)
    assignment = assignment_of(project, slug, folder)
    blank = without_solutions(project, slug)
    plans = {
        cell.metadata.nbgrader.grade_id: checkable.plan(cell.source, assignment, cell.metadata)
        for cell in blank.cells
        if checkable.is_test(cell)
    }
    class_of: dict[str, list[Any]] = {}
    for learner, answers in submissions(slug).items():
        class_of[learner] = []
        for cell in blank.cells:
            name = cell.metadata.get("nbgrader", {}).get("grade_id", cell.id)
            plan = plans.get(name)
            asked = extraction.snippet(plan.names, plan.exact) if plan else None
            if cell.cell_type == "code":
                class_of[learner].append((name, answers.get(name, cell.source), asked))
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("classe_relue.py")), str(folder)],
        input=json.dumps(class_of),
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stderr
    sources = {c.metadata.get("nbgrader", {}).get("grade_id"): c.source for c in blank.cells}
    compared = 0
    for learner, found in json.loads(done.stdout).items():
        for name, one in found.items():
            plan = plans[name]
            assert plan is not None
            assert one["description"] is not None, (learner, name)
            ours = checker.check(
                assignment, sources[name], plan, one["description"], learner, one["count"]
            )
            assert ours == _outputs(one["messages"]), (learner, name, one["description"])
            compared += 1
    assert compared == len(class_of) * len(plans) > 0


@pytest.mark.parametrize("slug", SLUGS)
def test_every_graded_cell_of_ours_is_checked_as_data(
    slug: str, project: Project, folder_of: Callable[[str], Path]
) -> None:
    assignment = assignment_of(project, slug, folder_of(slug))
    assert checkable.unchecked(assignment) == ()
    for cell in without_solutions(project, slug).cells:
        if checkable.is_test(cell):
            plan = checkable.plan(cell.source, assignment)
            assert plan is not None
            # Nothing that another cell worked out: only the raw answers, and the choice.
            assert not plan.exact
            assert all(re.fullmatch(r"reponse_\d\w?|mon_departement", n) for n in plan.names)
            assert "noter" not in plan.kernel


# A small exercise of ours, with one question that is no plain data and one of another course.
NUMBER = """import verifier

question_1 = verifier.Nombre("reponse_1", "habitants")
question_1.lire()
### BEGIN HIDDEN TESTS
_secret = verifier.table("t.csv", nombres=["n"])
question_1.noter(2, attendu=_secret["n"].sum(), tolerance=0.5)
### END HIDDEN TESTS"""
LETTER = """import verifier

question_2 = verifier.Choix("reponse_2", "ABCD")
question_2.lire()
### BEGIN HIDDEN TESTS
question_2.noter(2, attendu="C")
### END HIDDEN TESTS"""
PLAIN = "assert reponse_3 == 42"
FUNCTION = "assert double(21) == 42"
TESTS = {"test-1": NUMBER, "test-2": LETTER, "test-3": PLAIN, "test-4": FUNCTION}
RIGHT = {
    "reponse-1": "reponse_1 = 168306",
    "reponse-2": 'reponse_2 = "C"',
    "reponse-3": "reponse_3 = 42",
    "reponse-4": "def double(n):\n    return 2 * n",
}
WRONG = {
    "reponse-1": "reponse_1 = 5",
    "reponse-2": 'reponse_2 = "A"',
    "reponse-3": "reponse_3 = 5",
    "reponse-4": "double = abs",
}


def small_notebook(answers: dict[str, str]) -> Any:
    cells = []
    for rank in (1, 2, 3, 4):
        for name, source in ((f"reponse-{rank}", answers), (f"test-{rank}", TESTS)):
            test = name.startswith("test")
            cell = nbformat.v4.new_code_cell(source.get(name, "pass"))
            cell.metadata["nbgrader"] = {
                "grade_id": name,
                "grade": test,
                "solution": not test,
                "locked": test,
                "task": False,
                "points": 2,
                "schema_version": 3,
            }
            cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)


@pytest.fixture(scope="module")
def small() -> Assignment:
    files = {
        "verifier.py": exercises.VERIFIER.read_bytes(),
        "donnees/t.csv": b"n\n100000\n68306\n",
    }
    text = nbformat.writes(small_notebook({})).encode()
    return Assignment("petit", b"", files, {"petit.ipynb": text})


def execute_with(answers: AnswerCheck | None) -> Any:
    """Give nbgrader's preprocessor that executes a notebook, the answers checked aside."""

    class CheckedExecute(Execute):  # type: ignore[misc]
        async def async_execute_cell(
            self, cell: Any, cell_index: int, execution_count: Any = None, store_history: Any = True
        ) -> Any:
            outputs = await answers.check(cell, self.kc) if answers is not None else None
            if outputs is None:
                return await super().async_execute_cell(
                    cell, cell_index, execution_count, store_history
                )
            cell.outputs = outputs
            return cell

        # nbclient binds the synchronous name to its own coroutine.
        execute_cell = run_sync(async_execute_cell)

    return CheckedExecute


@cache
def kernels() -> ForkServer:
    """Give what forks kernels: a fresh Python takes a second to import pandas, for each cheat."""
    server = ForkServer()
    server.wait()
    return server


@pytest.fixture(scope="module", autouse=True)
def no_kernel_is_left() -> Iterator[None]:
    yield
    if kernels.cache_info().currsize:
        kernels().close()
        kernels.cache_clear()


def run(
    notebook: Any,
    assignment: Assignment,
    folder: Path,
    checker: TrustedChecker | None,
    seconds: int = 30,
) -> Any:
    """Execute a notebook in a forked kernel, whose files are its own to rewrite.

    As the grading does; without checker, as nbgrader.
    """
    answers = AnswerCheck(checker, assignment) if checker else None
    with scratch() as place:

        class Forked(ForkedKernel):
            def __init__(self, **settings: Any) -> None:
                super().__init__(kernels(), Room(place, assignment.files, Limits()), **settings)

        execute = execute_with(answers)(
            kernel_manager_class=Forked,
            timeout=seconds,
            shutdown_kernel="immediate",
            extra_arguments=["--log-level=CRITICAL"],
        )
        execute.preprocess(notebook, {"metadata": {"path": str(folder)}})
    return notebook


def run_afresh(
    notebook: Any, assignment: Assignment, folder: Path, checker: TrustedChecker | None
) -> Any:
    """Execute a notebook with a fresh Python, in a folder of its own."""
    for name, text in assignment.files.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text)
    answers = AnswerCheck(checker, assignment) if checker else None
    with own_kernel_settings() as kernel:
        execute = execute_with(answers)(
            config=kernel,
            kernel_manager_class=OwnKernel,
            timeout=30,
            shutdown_kernel="immediate",
            extra_arguments=["--log-level=CRITICAL"],
        )
        execute.preprocess(notebook, {"metadata": {"path": str(folder)}})
    return notebook


def points_of(notebook: Any) -> dict[str, float]:
    return {
        cell.metadata.nbgrader.grade_id: determine_grade(cell)[0]
        for cell in notebook.cells
        if checkable.is_test(cell)
    }


FRAMES = """
import sys
class Malin:
    def __float__(self):
        frame = sys._getframe()
        while frame:
            if "attendu" in frame.f_locals:
                return float(frame.f_locals["attendu"])
            frame = frame.f_back
        return 0.0
reponse_1 = Malin()
"""
PATCHED_MARK = """
import verifier
verifier.Nombre.noter = lambda self, points, *more, **named: verifier.Points(points)
reponse_1 = 5
"""
OTHER_QUESTION = """
import verifier
class Facile:
    def __init__(self, *more): pass
    def lire(self): pass
    def noter(self, points, *more, **named): return points
verifier.Nombre = verifier.Question = Facile
reponse_1 = 5
"""
OTHER_MODULE = """
import sys, types
faux = types.ModuleType("verifier")
class Facile:
    def __init__(self, *more): pass
    def lire(self): pass
    def noter(self, points, *more, **named): return points
class Table(dict):
    def sum(self): return 5
faux.Nombre = faux.Choix = Facile
faux.table = lambda *more, **named: {"n": Table()}
sys.modules["verifier"] = faux
reponse_1 = 5
"""
REWRITTEN_FILE = """
import sys
sys.modules.pop("verifier", None)
with open("verifier.py", "a") as file:
    file.write("\\nNombre.noter = lambda self, points, *more, **named: Points(points)\\n")
reponse_1 = 5
"""
REWRITTEN_DATA = """
with open("donnees/t.csv", "w") as file:
    file.write("n\\n5\\n")
reponse_1 = 5
"""
PATCHED_ABS = """
import builtins
builtins.abs = lambda value: 0
reponse_1 = 5
"""
PATCHED_PANDAS = """
import pandas
pandas.Series.sum = lambda self, *more, **named: 5
reponse_1 = 5
"""
TREE = """
import ast
import asyncio
class Tout(ast.NodeTransformer):
    def visit_Module(self, node):
        return ast.parse("2.0") if "noter" in ast.unparse(node) else node
get_ipython().ast_transformers.append(Tout())
reponse_1 = 5
"""
TEXT = """
get_ipython().input_transformers_cleanup.append(
    lambda lines: ["2.0"] if "noter" in "".join(lines) else lines
)
reponse_1 = 5
"""
RUN_CELL = """
shell = get_ipython()
vrai = shell.run_cell_async
shell.run_cell_async = lambda raw, *more, **named: vrai("2.0" if "noter" in raw else raw, *more, **{**named, "transformed_cell": "2.0" if "noter" in raw else raw})
reponse_1 = 5
"""
FORMAT = """
import verifier
get_ipython().display_formatter.formatters["text/plain"].for_type(
    verifier.Points, lambda value, printer, cycle: printer.text("2")
)
reponse_1 = 5
"""
HOOK = """
def deux(message):
    if message["content"]["data"].get("text/plain") == "0":
        message["content"]["data"]["text/plain"] = "2"
    return message
get_ipython().displayhook.register_hook(deux)
reponse_1 = 5
"""
TRACE = """
import sys
def espion(frame, event, argument):
    if event == "call" and frame.f_code.co_name == "noter":
        globals()["reponse_1"] = float(frame.f_locals["attendu"])
sys.setprofile(espion)
reponse_1 = 5
"""
THREAD = """
import threading, time
def plus_tard():
    while "_secret" not in globals():
        time.sleep(0)
    globals()["reponse_1"] = float(_secret["n"].sum())
import verifier
lent = verifier.Nombre.noter
verifier.Nombre.noter = lambda *more, **named: (time.sleep(0.3), lent(*more, **named))[1]
threading.Thread(target=plus_tard, daemon=True).start()
reponse_1 = 5
"""
OTHER_MAIN = """
import sys, types
class Espace(types.ModuleType):
    pass
principal = sys.modules["__main__"]
class Partout(dict):
    def __contains__(self, name): return True
    def get(self, name, default=None):
        return float(principal._secret["n"].sum()) if hasattr(principal, "_secret") else 5
import verifier, builtins
vrai = vars
verifier.vars = lambda *more: Partout()
sys.modules["__main__"] = types.ModuleType("__main__")
reponse_1 = 5
"""
CHEATS = {
    "frames": FRAMES,
    "patched-mark": PATCHED_MARK,
    "other-question": OTHER_QUESTION,
    "other-module": OTHER_MODULE,
    "rewritten-verifier": REWRITTEN_FILE,
    "rewritten-data": REWRITTEN_DATA,
    "patched-abs": PATCHED_ABS,
    "patched-pandas": PATCHED_PANDAS,
    "syntax-tree": TREE,
    "source-text": TEXT,
    "run-cell": RUN_CELL,
    "formatter": FORMAT,
    "display-hook": HOOK,
    "trace": TRACE,
    "thread": THREAD,
    "other-main": OTHER_MAIN,
}


@pytest.mark.parametrize("cheat", CHEATS.values(), ids=CHEATS)
def test_a_cheat_earns_what_a_wrong_answer_earns(
    cheat: str, small: Assignment, checker: TrustedChecker, tmp_path: Path
) -> None:
    """And it is a cheat: in the kernel, with nbgrader alone, it earns every point."""
    answers = WRONG | {"reponse-1": cheat}
    believed = run(small_notebook(answers), small, tmp_path / "stock", None)
    assert points_of(believed)["test-1"] == 2
    judged = run(small_notebook(answers), small, tmp_path / "ours", checker)
    assert points_of(judged)["test-1"] == 0
    honest = checker.check(
        small, NUMBER, plan_of(NUMBER, small), '[["reponse_1", 168306]]', "honnête", 1
    )
    assert honest is not None
    assert honest[-1].data["text/plain"] == "2"


def plan_of(source: str, assignment: Assignment) -> checkable.Plan:
    plan = checkable.plan(source, assignment)
    assert plan is not None
    return plan


EQUALS_EVERYTHING = """
class Tout:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __float__(self): return 168306.0
    def __len__(self): return 1
    def __array_ufunc__(self, *more, **named): return True
    def __class__(self): raise ValueError
    def __repr__(self): raise ValueError
    __str__ = __hash__ = __getattribute__ = __repr__
"""


def test_the_cell_that_is_checked_is_the_course_s_whatever_was_submitted(
    small: Assignment, checker: TrustedChecker, tmp_path: Path
) -> None:
    """A test of the learner's own is not run by the checker, nor does a test leave it when asked."""
    notebook = small_notebook(WRONG | {"reponse-1": PATCHED_MARK})
    notebook.cells[1].metadata["culture_d"] = {"check": "kernel"}
    notebook.cells[3].source = "import verifier\nverifier.Choix('reponse_2', 'ABCD')\n2.0"
    added = nbformat.from_dict(notebook.cells[3])
    added.metadata["nbgrader"] = {**added.metadata.nbgrader, "grade_id": "bonus"}
    added.source = "import verifier, os\nverifier.Choix('reponse_2', 'ABCD')\nprint(os.getcwd())"
    notebook.cells.append(added)
    judged = run_afresh(notebook, small, tmp_path, checker)
    assert points_of(judged)["test-1"] == points_of(judged)["test-2"] == 0
    assert str(tmp_path) in judged.cells[-1].outputs[0].text


def test_an_object_that_equals_everything_equals_nothing(
    small: Assignment, checker: TrustedChecker, tmp_path: Path
) -> None:
    """Where a cell of another course compares, and where ours reads."""
    answers = RIGHT | {"reponse-1": EQUALS_EVERYTHING + "reponse_1 = reponse_3 = Tout()"}
    answers["reponse-2"] = 'reponse_2 = type("T", (str,), {"__eq__": lambda *a: True})("A")'
    del answers["reponse-3"]
    believed = points_of(run(small_notebook(answers), small, tmp_path / "stock", None))
    assert believed["test-3"] == 2
    judged = points_of(run(small_notebook(answers), small, tmp_path / "ours", checker))
    assert judged == {"test-1": 0, "test-2": 0, "test-3": 0, "test-4": 2}


OTHERS = {
    "assert x == 42": [
        ("import unittest.mock\nx = unittest.mock.ANY", "data"),
        ("class F(float): pass\nx = F(42)", "data"),
        ("import sympy_as_it_were\nx = 1", "data"),
        ("x = [1] * 30_000", "kernel"),
        ("import collections\nx = collections.deque([1])", "kernel"),
    ],
    "assert x.shape == (1,)": [
        ("import numpy\nx = numpy.ma.masked_array([1])", "kernel"),
        ("import numpy\nx = numpy.array([1])", "data"),
        ("class T: shape = (1,)\nx = T()", "kernel"),
    ],
}


@pytest.mark.parametrize(
    ("source", "code", "where"),
    [(source, *case) for source, cases in OTHERS.items() for case in cases],
)
def test_a_cell_of_another_course_goes_to_the_kernel_where_an_honest_answer_might_be_lost(
    source: str, code: str, where: str, small: Assignment, checker: TrustedChecker
) -> None:
    space: dict[str, Any] = {"__name__": "__main__"}
    with contextlib.suppress(ImportError):
        exec(code, space)
    plan = plan_of(source, small)
    described = eval(extraction.snippet(plan.names, plan.exact), space).text
    outputs = checker.check(small, source, plan, described, uuid.uuid4().hex, 1)
    assert (outputs is None) == (where == "kernel")


def test_a_base_value_is_read_by_the_base_type_itself(
    small: Assignment, checker: TrustedChecker, tmp_path: Path
) -> None:
    """A class of the learner's around an honest value: the value is the answer."""
    spies = "\n".join(
        f"    def {name}(self, *more): raise ValueError"
        for name in (
            "__eq__",
            "__len__",
            "__iter__",
            "__str__",
            "__repr__",
            "__int__",
            "__getitem__",
        )
    )
    answers = RIGHT | {
        "reponse-1": f"class N(int):\n{spies}\n    __hash__ = int.__hash__\nreponse_1 = N(168306)",
        "reponse-2": f"class L(list):\n{spies}\nreponse_2 = L(['C'])",
        "reponse-3": f"class N(float):\n{spies}\nreponse_3 = N(42)",
    }
    judged = points_of(run(small_notebook(answers), small, tmp_path, checker))
    assert judged == {"test-1": 2, "test-2": 2, "test-3": 2, "test-4": 2}


FORGED = """
from IPython.display import display
import json, sys
mime = "application/vnd.culture-d.values+json"
vrai = json.dumps([["reponse_1", 168306]])
def annoncer(*more):
    print(vrai)
    display({mime: vrai}, raw=True)
get_ipython().events.register("post_execute", annoncer)
get_ipython().events.register("pre_execute", annoncer)
annoncer()
reponse_1 = 5
"""
READ_TESTS = """
import gc, sys
lu = [str(In), str(get_ipython().history_manager.input_hist_raw), str(Out), str(dir())]
lu += [text for text in gc.get_objects() if isinstance(text, str)]
frame = sys._getframe()
while frame:
    lu.append(str(list(frame.f_locals.values()))[:1_000_000])
    frame = frame.f_back
print("trouvé" if "attendu" "=_secret" in "".join(lu).replace(" ", "") else "rien")
"""


def test_no_message_is_taken_for_the_answers_and_no_test_can_be_read(
    small: Assignment, checker: TrustedChecker, tmp_path: Path
) -> None:
    answers = RIGHT | {"reponse-1": FORGED, "reponse-2": READ_TESTS + 'reponse_2 = "C"'}
    stock = run(small_notebook(answers), small, tmp_path / "stock", None)
    assert "trouvé" in str(stock.cells[2].outputs)
    judged = run(small_notebook(answers), small, tmp_path / "ours", checker)
    assert points_of(judged)["test-1"] == 0
    assert "168306" not in str(judged.cells[1].outputs)
    assert "rien" in str(judged.cells[2].outputs)
    assert points_of(judged)["test-2"] == 2


@pytest.mark.parametrize(
    "broken",
    [
        "import json\nvrai = json.dumps\njson.dumps = lambda value, **named: '[' * 3_000_000 if type(value) is list else vrai(value, **named)",
        "import builtins\ndel builtins.frozenset",
        "get_ipython().user_expressions = lambda wanted: {'values': [1]}",
        "get_ipython().display_formatter.format = lambda value: 1 / 0",
        "import sys\nsys.modules['base64'] = None",
    ],
    ids=["too-long", "builtins", "user-expressions", "formatter", "modules"],
)
def test_a_broken_interpreter_gives_answers_that_cannot_be_read(
    broken: str, small: Assignment, checker: TrustedChecker, tmp_path: Path
) -> None:
    answers = RIGHT | {"reponse-2": f'reponse_2 = "C"\n{broken}'}
    judged = points_of(run(small_notebook(answers), small, tmp_path, checker))
    assert (judged["test-1"], judged["test-2"], judged["test-3"]) == (2, 0, 0)


HONEST = {
    "reponse-1": "import numpy as np\nreponse_1 = np.float64(168306.0)\nreponse_1",
    "reponse-2": """
import warnings, sys
import matplotlib.pyplot as plt
%precision 2
plt.plot([1, 2])
warnings.warn("attention")
print("erreur", file=sys.stderr)
verifier = None
reponse_2 = "la C"
3.14159
""",
    "reponse-3": "reponse_3 = 41\nverifier.table('t.csv')",
    "reponse-4": "def double(n):\n    return 1 / 0\nquestion_0",
}


def test_an_honest_notebook_has_the_same_outputs_and_numbers_as_with_nbgrader_alone(
    small: Assignment, checker: TrustedChecker, tmp_path: Path
) -> None:
    """Right, wrong and failing cells, a figure, warnings, errors: all but where Python kept its files."""
    stock = run_afresh(small_notebook(HONEST), small, tmp_path / "stock", None)
    ours = run_afresh(small_notebook(HONEST), small, tmp_path / "ours", checker)
    for cell, other in zip(ours.cells, stock.cells, strict=True):
        assert cell.execution_count == other.execution_count
        hide = re.compile(r"ipykernel_\d+/\d+")
        assert hide.sub("", str(cell.outputs)) == hide.sub("", str(other.outputs))
    assert (
        points_of(ours) == points_of(stock) == {"test-1": 2, "test-2": 2, "test-3": 0, "test-4": 0}
    )


TRACES = """
print(next(reponse_1))
print(sorted(name for name in globals() if not name.startswith("_")), len(In))
print(sorted(set(sys.modules) - before))
print(get_ipython().execution_count)
"""


def test_reading_the_answers_leaves_no_trace_in_the_notebook(
    small: Assignment, checker: TrustedChecker, tmp_path: Path
) -> None:
    """The names are those of the released cell but `question_1`; no iterator is used up."""
    answers = {
        "reponse-1": "import sys\nreponse_1 = iter([1, 2, 3])\nbefore = set(sys.modules)",
        "reponse-2": TRACES,
    }
    stock = run_afresh(small_notebook(answers), small, tmp_path / "stock", None)
    ours = run_afresh(small_notebook(answers), small, tmp_path / "ours", checker)
    written, expected = (book.cells[2].outputs[0].text.splitlines() for book in (ours, stock))
    assert written[0] == expected[0] == "1"
    assert written[1] == expected[1].replace("'question_1', ", "")
    assert not set(ast.literal_eval(written[2])) - set(ast.literal_eval(expected[2]))
    assert written[3] == expected[3]


@pytest.mark.parametrize(
    ("stop", "points"),
    [("import os\nos._exit(1)", None), ("import time\ntime.sleep(100)", 2)],
    ids=["dead", "late"],
)
def test_a_kernel_that_stops_is_said_as_nbgrader_says_it(
    stop: str, points: int | None, small: Assignment, checker: TrustedChecker, tmp_path: Path
) -> None:
    """A dead kernel is an error; one that is late is interrupted, and the rest is read."""
    answers = RIGHT | {"reponse-2": f'reponse_2 = "C"\n{stop}'}
    notebook = small_notebook(answers)
    if points is None:
        with pytest.raises(DeadKernelError):
            run(notebook, small, tmp_path, checker)
    else:
        assert points_of(run(notebook, small, tmp_path, checker, seconds=3))["test-2"] == points


def test_a_check_that_lasts_too_long_is_stopped_and_the_next_goes_on(
    small: Assignment, checker: TrustedChecker
) -> None:
    plan = plan_of(NUMBER, small)
    endless = NUMBER + "\nwhile True:\n    pass"
    late = checker.check(small, endless, plan, '[["reponse_1", 1]]', "lent", 1, seconds=1)
    assert late is not None
    assert late[0].ename == "CellTimeoutError"
    stopped = checker.check(small, "import os\nos._exit(3)", plan, "[]", "lent", 1)
    assert stopped is not None
    assert stopped[0].output_type == "error"
    right = checker.check(small, NUMBER, plan, '[["reponse_1", 168306]]', "lent", 1)
    assert right is not None
    assert right[-1].data["text/plain"] == "2"


def test_nothing_passes_from_one_check_to_another(
    small: Assignment, checker: TrustedChecker
) -> None:
    """Neither between learners nor, for the names, between the cells of one."""
    plan = plan_of(NUMBER, small)
    leave = "import verifier\nverifier.trace = 1\nimport sys\nsys.trace = 1\nreponse_9 = 1"
    look = "import verifier, sys\nprint(hasattr(verifier, 'trace'), hasattr(sys, 'trace'), 'reponse_9' in globals())"
    checker.check(small, leave, plan, "[]", "un", 1)
    same = checker.check(small, look, plan, "[]", "un", 2)
    other = checker.check(small, look, plan, "[]", "deux", 1)
    assert same is not None
    assert other is not None
    assert same[0].text == "True True False\n"
    assert other[0].text == "False False False\n"


def test_a_checker_leaves_no_process_and_no_file(small: Assignment) -> None:
    checker = TrustedChecker()
    checker.check(small, NUMBER, plan_of(NUMBER, small), "[]", "un", 1)
    process, folder = checker._process, checker._folder
    assert process is not None
    assert folder is not None
    assert folder.is_dir()
    checker.close()
    assert process.poll() is not None
    assert not folder.exists()
    left = subprocess.run(["pgrep", "-f", str(folder)], capture_output=True, check=False)
    assert not left.stdout


def test_the_checker_starts_again_when_it_was_killed(small: Assignment) -> None:
    with TrustedChecker() as checker:
        plan = plan_of(NUMBER, small)
        checker.check(small, NUMBER, plan, "[]", "un", 1)
        assert checker._process is not None
        checker._process.kill()
        again = checker.check(small, NUMBER, plan, '[["reponse_1", 168306]]', "un", 1)
        assert again is not None
        assert again[-1].data["text/plain"] == "2"


def test_a_check_that_nobody_waits_for_is_ended(small: Assignment) -> None:
    """A runner has its own limit for a cell: the next answer is not that of the cell before."""
    notebook = small_notebook(RIGHT)
    cell, other = notebook.cells[1], notebook.cells[3]
    cell.source += "\nwhile True:\n    pass"
    files = {"petit.ipynb": nbformat.writes(notebook).encode()}
    assignment = Assignment("petit", b"", small.files, files)

    class Kernel:
        """Answers at once."""

        def execute(self, code: str, **how: Any) -> str:
            return "demande"

        @property
        def shell_channel(self) -> Any:
            return self

        async def get_msg(self, timeout: float) -> Any:
            values = {"data": {extraction.MIME: '[["reponse_2", "C"]]'}}
            content = {"execution_count": 3, "user_expressions": {"values": values}}
            return {"parent_header": {"msg_id": "demande"}, "content": content}

    async def check(answers: AnswerCheck) -> Any:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answers.check(cell, Kernel()), 4)
        return await answers.check(other, Kernel())

    # In a thread of its own: this one may have a browser's loop running.
    with TrustedChecker() as checker, ThreadPoolExecutor(1) as apart:
        outputs = apart.submit(asyncio.run, check(AnswerCheck(checker, assignment))).result()
    assert outputs[-1].data["text/plain"] == "2"
    assert other.execution_count == 3


def test_a_checker_that_cannot_start_is_the_machine_s_fault(
    small: Assignment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not an answer that earns nothing: the submission is to be graded again."""
    with TrustedChecker(isolated=False) as checker:
        monkeypatch.setattr(sys, "executable", "/bin/false")
        with pytest.raises(SandboxError, match="ne démarre pas"):
            checker.check(small, NUMBER, plan_of(NUMBER, small), "[]", "un", 1)


@pytest.fixture(scope="module")
def prepared(small: Assignment, tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    """The small exercise as nbgrader prepares it."""
    root = tmp_path_factory.mktemp("cours")
    for name, text in small.files.items():
        place = root / "source" / "petit" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text)
    notebook = small_notebook(dict.fromkeys(RIGHT, "pass"))
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "P", "language": "python"}
    nbformat.write(notebook, root / "source" / "petit" / "petit.ipynb")
    return load_assignments(root, cache=root / "cache")["petit"]


def shown(graded: Graded) -> list[Any]:
    """List what each test cell shows, a stream in one piece whatever its pieces were."""
    notebook = nbformat.reads(graded.notebooks["petit.ipynb"].decode(), as_version=4)
    tests = [cell for cell in notebook.cells if checkable.is_test(cell)]
    found = []
    for cell in tests:
        text = "".join(one.text for one in cell.outputs if one.output_type == "stream")
        rest = [one for one in cell.outputs if one.output_type != "stream"]
        found.append((cell.execution_count, text, re.sub(r"ipykernel_\d+/\d+", "", str(rest))))
    return found


def test_the_runner_gives_the_points_of_nbgrader_to_the_honest_and_none_to_the_cheat(
    prepared: Assignment, checker: TrustedChecker
) -> None:
    wrong = {**WRONG, "reponse-1": "reponse_1 = 'cent'", "reponse-4": "double = 3"}
    crash = {**RIGHT, "reponse-3": "reponse_3 = 42\nimport os\nos._exit(1)"}
    sent = {"juste": RIGHT, "faux": wrong, "malin": {**RIGHT, "reponse-1": FRAMES}, "panne": crash}
    results = {}
    for way, checks in (("noyau", None), ("données", partial(AnswerCheck, checker))):
        runner = FastRunner(checks, kernels().address)
        for learner, answers in sent.items():
            notebook = small_notebook(answers)
            notebook.metadata.kernelspec = {"name": "python3", "display_name": "P"}
            files = {"petit.ipynb": nbformat.writes(notebook).encode()}
            submission = Submission(learner, "petit", files)
            graded = runner.grade(prepared, Repaired(submission, submission.digest), Limits())
            assert isinstance(graded, Graded), graded
            results[way, learner] = graded
        runner.close()
    points = {key: [score.automatic for score in graded.scores] for key, graded in results.items()}
    assert points["données", "juste"] == points["noyau", "juste"] == [2, 2, 2, 2]
    assert points["données", "faux"] == points["noyau", "faux"] == [0, 0, 0, 0]
    assert points["noyau", "malin"] == [2, 2, 2, 2]
    assert points["données", "malin"] == [0, 2, 2, 2]
    assert points["données", "panne"] == points["noyau", "panne"]
    for learner in ("juste", "faux"):
        assert shown(results["données", learner]) == shown(results["noyau", learner])
