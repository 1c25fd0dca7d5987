"""The fast runner: the results of the plain one and of nbgrader's own, in a room as closed.

Every attack of `test_bac_a_sable.py` is led again, against forked kernels.
"""

import base64
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from culture_d.errors import SandboxError
from culture_d.execution import OwnKernel, own_kernel_settings
from culture_d.exercises import nbgrader_tools
from culture_d.grading import sandbox
from culture_d.grading.assignment import load_assignments
from culture_d.grading.fast import FastRunner
from culture_d.grading.forked_kernel import ForkClient, ForkedKernel, ForkServer
from culture_d.grading.model import MEBIBYTE, Assignment, Graded, Limits, Repaired, Submission
from culture_d.grading.plain import PlainRunner
from tests.correction.test_bac_a_sable import (  # noqa: F401, the attacks
    FULL,
    LIMITS,
    NEEDS_ROOMS,
    alive,
    assignment,
    course,
    filled,
    grade,
    marked,
    points,
    shown,
    submitted,
    test_a_crash_costs_its_own_question_and_no_other,
    test_a_crash_within_a_test_costs_that_test,
    test_a_flood_does_not_hide_the_result_of_a_test,
    test_a_flood_is_cut_and_the_rest_graded,
    test_a_fork_bomb_stays_in_its_room,
    test_a_tag_does_not_keep_a_test_from_running,
    test_a_thread_that_kills_later_is_found,
    test_another_namespace_cannot_be_made,
    test_disks_are_small,
    test_files_that_hide_modules_do_not_stop_the_machine,
    test_hooks_of_ipython_end_with_their_kernel,
    test_magics_and_commands_run_in_the_room,
    test_memory_is_counted_over_all_processes,
    test_messages_made_by_hand_do_not_stop_the_grader,
    test_neither_gradebook_nor_hidden_test_nor_neighbour_is_in_sight,
    test_nothing_of_the_host_is_in_sight,
    test_processes_are_counted,
    test_signals_reach_nobody_else,
    test_the_total_time_is_held,
    test_there_is_no_network,
    test_traps_for_another_python_catch_nobody,
    test_what_marks_cannot_be_rewritten,
    wait_for,
)

pytestmark = NEEDS_ROOMS

# What a course holds that could come out otherwise: figures, wide tables, warnings, commands,
# errors of ours, of the standard library and of pandas, points in part.
CLASS = {
    "figures": """
import matplotlib.pyplot as plt
figure, axes = plt.subplots(figsize=(4, 3))
axes.bar(["Été", "Hiver"], [3, 5], hatch="//")
axes.set_title("Deux saisons, $x^2$")
plt.show()
plt.plot([1, 2, 3], [3, 1, 2], label="ligne")
plt.legend()
a = 1
""",
    "tables": """
import pandas as pd
large = pd.DataFrame([[n * m for n in range(30)] for m in range(80)])
display(large)
print(large.head(3))
large.groupby(0).sum().iloc[:2, :12]
""",
    "avertissements": """
import warnings
import numpy as np
import pandas as pd
a = 1
np.array([1.0, 2.0]) / 0
warnings.warn("attention", FutureWarning)
print(pd.to_datetime(pd.Series(["01/02/2026", "3 mars"]), errors="coerce"))
import logging
logging.warning("journal")
""",
    "commandes": """
a = 1
!echo "bonjour $((1 + 1))"
%precision 2
import os, sys
print(os.environ["NBGRADER_EXECUTION"], sys.path.count(""), __name__)
3.14159
""",
    "erreurs": """
import json
print("avant")
json.loads("{")
""",
    "tableau": 'import pandas as pd\npd.DataFrame({"a": [1]})["b"]',
    "outils": "import outils\noutils.rate('x')",
    "affichages": """
from IPython.display import HTML, Markdown, clear_output, display
display(Markdown("**gras**"), HTML("<b>gras</b>"))
shown = display("un", display_id="un")
display("deux", display_id="un", update=True)
print("effacé")
clear_output()
print("gardé")
a = 1
{"clé": [1, 2.5, None]}
""",
    "classe": """
class Note:
    def __repr__(self):
        return "une note"
a = 1
Note(), sorted({"b", "a"}), __import__("decimal").Decimal("1.10")
""",
    "syntaxe": "a = (1",
}
HELPER = "def rate(text):\n    return int(text)\n"


@pytest.fixture(scope="module")
def runner() -> Iterator[FastRunner]:
    made = FastRunner()
    yield made
    made.close()


@pytest.fixture(scope="module")
def server(runner: FastRunner) -> ForkServer:
    assert isinstance(runner.server, ForkServer)
    return runner.server


@contextmanager
def kernel(
    server: ForkClient, folder: Path, limits: Limits = LIMITS, **files: bytes
) -> Iterator[Callable[[str], str]]:
    """Give what runs code in a forked kernel and returns all that it shows."""
    folder.mkdir(exist_ok=True)
    room = sandbox.Room(
        folder, {name.replace("__", "."): text for name, text in files.items()}, limits
    )
    manager = ForkedKernel(server, room)
    client = NotebookClient(new_notebook(), km=manager, allow_errors=True, timeout=60)

    def run(code: str) -> str:
        client.nb.cells.append(new_code_cell(code))
        cell = client.execute_cell(client.nb.cells[-1], len(client.nb.cells) - 1)
        return "".join(
            out.get("text", "") + out.get("evalue", "") + str(out.get("data", ""))
            for out in cell.outputs
        ).strip()

    with client.setup_kernel(cleanup_kc=False):
        try:
            yield run
        finally:
            client.shutdown_kernel = "immediate"
            client._cleanup_kernel()


# The same results


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a course whose one assignment asks for `a` again and again, with a module beside it."""
    root = tmp_path_factory.mktemp("varié")
    folder = root / "source" / "devoir"
    folder.mkdir(parents=True)
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(metadata={"kernelspec": spec})
    for name in CLASS:
        notebook.cells += [
            marked("### BEGIN SOLUTION\na = 1\n### END SOLUTION", f"rep-{name}"),
            marked("given, a = a, None\nassert given == 1", f"test-{name}", 1),
        ]
    notebook.cells.append(marked("1.5 if given is None else 0.5", "test-part", 2))
    nbformat.write(notebook, folder / "devoir.ipynb")
    (folder / "outils.py").write_text(HELPER, encoding="utf-8")
    return root


def own(name: str, codes: dict[str, str], given: Assignment) -> Repaired:
    notebook = nbformat.reads(given.notebooks["devoir.ipynb"].decode(), as_version=4)
    for cell in notebook.cells:
        cell.source = codes.get(cell.id.removeprefix("rep-"), cell.source).strip()
    text = nbformat.writes(notebook).encode()
    submission = Submission(name, "devoir", {"devoir.ipynb": text})
    return Repaired(submission, submission.digest)


def by_nbgrader(root: Path, work: Path, class_of: list[Repaired]) -> dict[str, tuple[Any, bytes]]:
    """Grade a class as nbgrader does without us: its scores and its notebooks."""
    from nbgrader.api import Gradebook
    from nbgrader.apps.api import NbGraderAPI

    class SameKernel(OwnKernel):
        @property
        def kernel_spec(self) -> Any:
            spec = super().kernel_spec
            spec.argv[0] = sandbox.python_program()
            return spec

    work.mkdir()
    (work / "source").symlink_to(root / "source")
    for one in class_of:
        folder = work / "submitted" / one.submission.learner / "devoir"
        folder.mkdir(parents=True)
        (folder / "devoir.ipynb").write_bytes(one.submission.files["devoir.ipynb"])
    config = Config()
    config.CourseDirectory.root = str(work)
    config.CourseDirectory.db_url = f"sqlite:///{work / 'gradebook.db'}"
    config.Execute.kernel_manager_class = SameKernel
    found = {}
    with nbgrader_tools(), own_kernel_settings() as settings:
        config.merge(settings)
        api = NbGraderAPI(config=config)
        assert api.generate_assignment("devoir")["success"]
        for one in class_of:
            learner = one.submission.learner
            result = api.autograde("devoir", learner)
            assert result["success"], result
            with Gradebook(api.coursedir.db_url) as book:
                scores = [
                    (grade.name, grade.auto_score, grade.max_score, grade.needs_manual_grade)
                    for grade in book.find_submission_notebook("devoir", "devoir", learner).grades
                ]
            text = (work / "autograded" / learner / "devoir" / "devoir.ipynb").read_bytes()
            found[learner] = (sorted(scores), text)
    return found


def by_runner(
    runner: PlainRunner | FastRunner, given: Assignment, class_of: list[Repaired]
) -> dict[str, tuple[Any, bytes]]:
    found = {}
    for one in class_of:
        graded = runner.grade(given, one, Limits())
        assert isinstance(graded, Graded), graded
        assert graded.cpu_seconds > 0
        scores = [(s.cell, s.automatic, s.maximum, s.needs_manual_grade) for s in graded.scores]
        found[one.submission.learner] = (sorted(scores), graded.notebooks["devoir.ipynb"])
    return found


def comparable(text: bytes) -> list[Any]:
    """Give what a notebook shows, but for what no two runs have in common."""
    notebook = nbformat.reads(text.decode(), as_version=4)
    cells = []
    for cell in notebook.cells:
        outputs: list[Any] = []
        for output in cell.get("outputs", ()):
            if output.output_type != "stream":
                outputs.append(output)
                continue
            # How a stream is cut, and what the other one says between, depend on the moment.
            first = len(outputs)
            while first and outputs[first - 1].output_type == "stream":
                first -= 1
            same = next((one for one in outputs[first:] if one.name == output.name), None)
            if same:
                same.text += output.text
            else:
                outputs[first:] = sorted([*outputs[first:], output], key=lambda one: one.name)
        said = json.dumps(outputs, sort_keys=True)
        for found, known in (
            (r"/tmp/ipykernel_\d+/", "/tmp/ipykernel/"),
            (r"0x[0-9a-f]{6,}", "0x"),
            (r"~/", f"{Path.home()}/"),
            (r"[\w/.ùéÀ-ÿ-]*/devoir/outils\.py", "outils.py"),
        ):
            said = re.sub(found, known, said)
        cells.append((cell.source, cell.get("execution_count"), json.loads(said)))
    return cells


def test_nbgrader_the_plain_and_the_fast_runner_agree(
    varied: Path, runner: FastRunner, tmp_path: Path
) -> None:
    """Scores, texts, tables, warnings, tracebacks and figures, these byte for byte."""
    given = load_assignments(varied, cache=tmp_path / "cache")["devoir"]
    class_of = [own("zoe", CLASS, given)]
    stock = by_nbgrader(varied, tmp_path / "nbgrader", class_of)["zoe"]
    plain = by_runner(PlainRunner(), given, class_of)["zoe"]
    fast = by_runner(runner, given, class_of)["zoe"]
    assert stock[0] == plain[0] == fast[0]
    assert {score for _, score, _, _ in fast[0]} == {0.0, 1.0, 1.5}
    for cell, known, other in zip(*map(comparable, (fast[1], plain[1], stock[1])), strict=True):
        assert cell == known == other
    figures = re.findall(rb'"image/png": "([^"]+)"', fast[1])
    assert len(figures) == 2 and all(base64.b64decode(one)[:4] == b"\x89PNG" for one in figures)
    assert b"FutureWarning" in fast[1]


def test_the_comparison_sees_a_difference(varied: Path, runner: FastRunner, tmp_path: Path) -> None:
    given = load_assignments(varied, cache=tmp_path / "cache")["devoir"]
    one, other = (
        by_runner(runner, given, [own("zoe", {"figures": f"print({value!r})"}, given)])["zoe"][1]
        for value in ("un", "deux")
    )
    assert comparable(one) != comparable(other)


def test_chance_is_not_the_same_for_all(server: ForkServer, tmp_path: Path) -> None:
    draw = "import random, numpy, uuid\nprint(random.random(), numpy.random.rand(), uuid.uuid4())"
    drawn = set()
    for _ in range(2):
        with kernel(server, tmp_path) as run:
            drawn |= set(run(draw).split())
    assert len(drawn) == 6


def test_a_warning_met_before_is_shown_to_each(server: ForkServer, tmp_path: Path) -> None:
    for _ in range(2):
        with kernel(server, tmp_path) as run:
            assert "RuntimeWarning" in run("import numpy\nnumpy.array([1.0]) / 0")


# The same room


def test_two_kernels_neither_see_nor_signal_nor_trace_each_other(
    server: ForkServer, tmp_path: Path
) -> None:
    with ExitStack() as both:
        one = both.enter_context(kernel(server, tmp_path / "un"))
        other = both.enter_context(kernel(server, tmp_path / "deux"))
        said = one(
            """
import ctypes, os, socket, subprocess
libc = ctypes.CDLL(None, use_errno=True)
open("/tmp/secret", "w").write("secret")
open("/dev/shm/secret", "w").write("secret")
abstract = socket.socket(socket.AF_UNIX); abstract.bind("\\0rencontre"); abstract.listen()
loop = socket.socket(); loop.bind(("127.0.0.1", 5005)); loop.listen()
key = libc.syscall(248, b"user", b"cle", b"secret", 6, -4)
segment = libc.shmget(4242, 4096, 0o1666)
sleeper = subprocess.Popen(["sleep", "600"])
print(key != -1, segment != -1, os.getpid(), sum(n.isdigit() for n in os.listdir("/proc")))
"""
        )
        assert said == "True True 2 3"
        said = other(
            """
import ctypes, os, socket
libc = ctypes.CDLL(None, use_errno=True)
numbers = sorted(n for n in os.listdir("/proc") if n.isdigit())
def reach(family, place):
    with socket.socket(family) as one:
        try:
            one.connect(place)
        except OSError:
            return False
        return True
print(numbers, os.path.exists("/tmp/secret"), os.path.exists("/dev/shm/secret"),
      reach(socket.AF_UNIX, "\\0rencontre"), reach(socket.AF_INET, ("127.0.0.1", 5005)),
      libc.syscall(249, b"user", b"cle", None, -4), libc.shmget(4242, 4096, 0))
others = set(range(1, 4000)) - set(map(int, os.listdir("/proc/self/task")))
print({libc.ptrace(16, number, 0, 0) for number in others})
for number in others:
    try:
        os.kill(number, 9)
    except OSError:
        pass
print("ici")
"""
        )
        assert said.splitlines() == ["['1', '2'] False False False False -1 -1", "{-1}", "ici"]
        assert one("print(sleeper.poll())") == "None"


def test_a_child_holds_nothing_of_the_server(server: ForkServer, tmp_path: Path) -> None:
    with kernel(server, tmp_path) as run:
        said = run(
            """
import os, stat
for name in sorted(os.listdir("/proc/self/fd"), key=int):
    try:
        kind = os.stat(f"/proc/self/fd/{name}").st_mode
        print(os.readlink(f"/proc/self/fd/{name}").split(":")[0])
    except OSError:
        continue
"""
        )
        kinds = set(said.splitlines())
        assert kinds <= {"/dev/null", "socket", "anon_inode", "pipe", "/proc/2/fd"}, kinds
        # Those of ipykernel are listening or connected to the grader: none is a datagram socket.
        seen = run(
            """
import socket
for name in os.listdir("/proc/self/fd"):
    try:
        one = socket.socket(fileno=os.dup(int(name)))
    except OSError:
        continue
    if one.type == socket.SOCK_SEQPACKET:
        print("serveur", name)
"""
        )
        assert seen == ""


def test_what_one_child_breaks_is_whole_in_the_next(server: ForkServer, tmp_path: Path) -> None:
    with kernel(server, tmp_path) as run:
        run(
            """
import builtins, ctypes, gc, json, os, sys, numpy, pandas
builtins.piege = True
json.loads = pandas.read_csv = numpy.mean = print
sys.path.insert(0, "/tmp")
os.environ["PIEGE"] = "1"
for one in gc.get_objects()[:1000]:
    if isinstance(one, dict):
        one.pop("__builtins__", None)
ctypes.memset(id(numpy.pi), 0, 16)
"""
        )
    with kernel(server, tmp_path) as run:
        assert "ok" in run(
            """
import builtins, json, os, sys, numpy, pandas
assert not hasattr(builtins, "piege") and "PIEGE" not in os.environ and "/tmp" not in sys.path
assert json.loads("1") == 1 and numpy.mean([1, 3]) == 2 and round(numpy.pi, 2) == 3.14
print("ok")
"""
        )


def test_a_step_refused_runs_nothing(server: ForkServer, tmp_path: Path) -> None:
    """A limit above the system's own is refused once the rights are given up: no kernel then."""
    limits = Limits(open_files=2**31)
    with pytest.raises(SandboxError, match="isoler"), kernel(server, tmp_path, limits):
        pass
    with kernel(server, tmp_path) as run:
        assert run("print(1)") == "1"


def test_a_message_too_large_costs_its_cell(grade: Callable[..., Graded]) -> None:  # noqa: F811
    result = grade(
        Limits(cell_seconds=20, memory=2048 * MEBIBYTE),
        rep_1="""
        a = 1
        import time, zmq
        held = zmq.Frame(bytes(300 * 2**20))
        get_ipython().kernel.session.send(get_ipython().kernel.iopub_socket, "stream",
            content={"name": "stdout", "text": "x"}, buffers=[memoryview(held)], ident=b"")
        time.sleep(8)
        """,
    )
    assert points(result) == FULL | {"test-1": 0.0}


def test_a_server_that_died_is_started_again(assignment: Assignment) -> None:  # noqa: F811
    runner = FastRunner()
    try:
        honest = submitted(filled(assignment))
        assert points(runner.grade(assignment, honest, LIMITS)) == FULL
        assert isinstance(runner.server, ForkServer)
        os.kill(runner.server._process.pid, signal.SIGKILL)
        runner.server._process.wait()
        assert points(runner.grade(assignment, honest, LIMITS)) == FULL
    finally:
        runner.close()


def test_two_graders_share_a_server(server: ForkServer, tmp_path: Path) -> None:
    one, other = ForkClient(server.address), ForkClient(server.address)
    one.wait()
    other.wait()
    with kernel(other, tmp_path / "deux") as ask:
        with kernel(one, tmp_path / "un") as run:
            assert run("print(1)") == "1"
            assert ask("print(2)") == "2"
        one.close()
        assert ask("print(3)") == "3"
    other.close()
    assert server.alive


def test_a_borrowed_server_that_died_is_replaced(assignment: Assignment) -> None:  # noqa: F811
    lent = ForkServer()
    runner = FastRunner(address=lent.address)
    try:
        honest = submitted(filled(assignment))
        assert points(runner.grade(assignment, honest, LIMITS)) == FULL
        lent.close()
        assert points(runner.grade(assignment, honest, LIMITS)) == FULL
        assert isinstance(runner.server, ForkServer)
    finally:
        runner.close()
        lent.close()


def test_a_server_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match="isoler"):
        FastRunner(address=tmp_path / "s")


@pytest.mark.parametrize("borrowed", [False, True])
def test_nothing_is_left_of_a_killed_grader(
    assignment: Assignment,  # noqa: F811
    tmp_path: Path,
    server: ForkServer,
    borrowed: bool,
) -> None:
    text = filled(assignment, rep_1="import os, time\nos.fork()\ntime.sleep(600)")
    (tmp_path / "copie").write_bytes(pickle.dumps((assignment, submitted(text))))
    place = f"pathlib.Path({str(server.address)!r})" if borrowed else None
    script = f"""
import pathlib, pickle, sys
sys.path.insert(0, {str(Path(sandbox.__file__).parents[2])!r})
from culture_d.grading.model import Limits
from culture_d.grading.fast import FastRunner
runner = FastRunner(address={place})
print("prêt", flush=True)
given = pickle.loads(pathlib.Path({str(tmp_path / "copie")!r}).read_bytes())
runner.grade(*given, Limits(cell_seconds=600, total_seconds=600))
"""
    settings = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONUTF8": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=settings, stdout=subprocess.PIPE
    ) as grader:
        assert grader.stdout and grader.stdout.readline()
        # bubblewrap twice and the server; the first process, the kernel and what it forked.
        owner, wanted = (server._process.pid, 5) if borrowed else (grader.pid, 6)
        before = 2 if borrowed else 0
        processes = wait_for(lambda: descendants(owner), at_least=wanted)[before:]
        grader.kill()
    assert len(processes) >= wanted - before
    deadline = time.monotonic() + 10
    while alive(processes) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(processes) == []


def descendants(number: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{number}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            found += [child, *descendants(child)]
    return found


# Where it is not available


@pytest.mark.parametrize(
    ("bwrap", "words"),
    [
        ("", "bubblewrap est introuvable"),
        ("#!/bin/sh\necho 'bwrap: No permissions to create namespace' >&2\nexit 1\n", "No permis"),
    ],
)
def test_what_is_missing_for_forking_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bwrap: str, words: str
) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text(bwrap or "x", "utf-8")
    fake.chmod(0o755 if bwrap else 0o644)
    rest = f"{os.pathsep}{os.environ['PATH']}" if bwrap else ""
    monkeypatch.setenv("PATH", f"{tmp_path}{rest}")
    with pytest.raises(SandboxError, match=words):
        FastRunner()
