"""Hostile and clumsy submissions, each graded beside an honest one whose points must not move.

The little course has three questions. A hostile cell takes the place of an answer; the test
says which points its author keeps, and what the attack must not have found or left.
"""

import dataclasses
import gc
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from culture_d.errors import SandboxError
from culture_d.grading import execute, sandbox, scratch
from culture_d.grading.assignment import load_assignments
from culture_d.grading.model import (
    MEBIBYTE,
    Assignment,
    Failed,
    Graded,
    Limits,
    Repaired,
    Submission,
)
from culture_d.grading.plain import PlainRunner

NEEDS_ROOMS = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("bwrap"), reason="demande Linux et bubblewrap"
)
# The same attacks are led against the fast runner in each run: see `test_rapide`.
pytestmark = [pytest.mark.long, NEEDS_ROOMS]

ANSWERS = {
    "rep-1": "a = 1",
    "rep-2": "def double(x):\n    return 2 * x",
    "rep-3": "c = 3",
}
FULL = {"test-1": 1.0, "test-2": 2.0, "test-3": 3.0}
SECRET = "quatre-mille-deux-cent-un"
OUTILS = "def points(juste):\n    return 2 if juste else 0\n"
LIMITS = Limits(
    cell_seconds=5, total_seconds=60, memory=1024 * MEBIBYTE, disk=16 * MEBIBYTE, cpu_seconds=60
)


def marked(source: str, name: str, points: float | None = None) -> Any:
    mark = {
        "schema_version": 3,
        "grade_id": name,
        "grade": points is not None,
        "solution": points is None,
        "locked": points is not None,
        "task": False,
    }
    if points is not None:
        mark["points"] = points
    return new_code_cell(source, id=name, metadata={"nbgrader": mark})


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("cours")
    folder = root / "source" / "devoir"
    folder.mkdir(parents=True)
    solution = "### BEGIN SOLUTION\n{}\n### END SOLUTION"
    hidden = "\n### BEGIN HIDDEN TESTS\n{}\n### END HIDDEN TESTS"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(metadata={"kernelspec": kernel})
    notebook.cells = [
        new_code_cell("import outils", id="debut"),
        marked(solution.format(ANSWERS["rep-1"]), "rep-1"),
        marked("assert a" + hidden.format(f"assert a == 1  # {SECRET}"), "test-1", 1),
        marked(solution.format(ANSWERS["rep-2"]), "rep-2"),
        marked("import outils\noutils.points(double(4) == 8)", "test-2", 2),
        marked(solution.format(ANSWERS["rep-3"]), "rep-3"),
        marked("assert c == 3", "test-3", 3),
    ]
    nbformat.write(notebook, folder / "devoir.ipynb")
    (folder / "outils.py").write_text(OUTILS, encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def assignment(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Assignment:
    cache = tmp_path_factory.mktemp("cache")
    return load_assignments(course, cache=cache)["devoir"]


@pytest.fixture(scope="module")
def runner() -> Iterator[PlainRunner]:
    made = PlainRunner()
    yield made
    made.close()


def filled(
    assignment: Assignment, change: Callable[[Any], None] | None = None, **hostile: str
) -> bytes:
    notebook = nbformat.reads(assignment.notebooks["devoir.ipynb"].decode(), as_version=4)
    given = ANSWERS | {
        name.replace("_", "-"): textwrap.dedent(text) for name, text in hostile.items()
    }
    for cell in notebook.cells:
        if cell.id in given:
            cell.source = given[cell.id]
    if change:
        change(notebook)
    text: str = nbformat.writes(notebook)
    return text.encode()


def submitted(text: bytes, learner: str = "zoe", **files: bytes) -> Repaired:
    names = {name.replace("__", "."): content for name, content in files.items()}
    submission = Submission(learner, "devoir", {"devoir.ipynb": text, **names})
    return Repaired(submission, submission.digest)


def points(graded: Graded | Failed) -> dict[str, float | None]:
    assert isinstance(graded, Graded), graded
    return {score.cell: score.automatic for score in graded.scores}


def shown(graded: Graded | Failed, name: str) -> str:
    """Give all that a cell shows, errors included."""
    assert isinstance(graded, Graded), graded
    notebook = nbformat.reads(graded.notebooks["devoir.ipynb"].decode(), as_version=4)
    cell = next(cell for cell in notebook.cells if cell.get("id") == name)
    return "".join(
        output.get("text", "") + output.get("evalue", "") + str(output.get("data", ""))
        for output in cell.outputs
    )


def rooms() -> list[str]:
    """List what is left of the rooms of this process: processes and folders."""
    left = [str(number) for number in children(os.getpid(), b"bwrap")]
    return left + [
        str(path) for path in scratch._place().glob(f"{scratch.PREFIX}*") if _is_mine(path)
    ]


def _is_mine(folder: Path) -> bool:
    """Tell whether a folder is locked by this process (others may be grading at the same time)."""
    for number in Path("/proc/self/fd").iterdir():
        # One of them is that of this very list, closed meanwhile.
        with suppress(OSError):
            if number.samefile(folder / scratch.LOCK):
                return True
    return False


@pytest.fixture
def grade(assignment: Assignment, runner: PlainRunner) -> Callable[..., Graded]:
    """Grade a hostile submission, then an honest one, and check that nothing is left."""

    def run(
        limits: Limits = LIMITS,
        change: Callable[[Any], None] | None = None,
        files: dict[str, bytes] | None = None,
        **hostile: str,
    ) -> Graded:
        text = filled(assignment, change, **hostile)
        before = rooms()
        result = runner.grade(assignment, submitted(text, "malin", **(files or {})), limits)
        assert rooms() == before
        honest = runner.grade(assignment, submitted(filled(assignment)), LIMITS)
        assert points(honest) == FULL
        assert isinstance(honest, Graded) and honest.notes == ()
        assert isinstance(result, Graded), result
        return result

    return run


# What stops Python, or never ends

# `make soak` tries all of them, in a fresh Python and forked; `make test` one of each kind.
LONG = pytest.mark.long


@pytest.mark.parametrize(
    ("code", "said"),
    [
        pytest.param("raise SystemExit", "", marks=LONG),
        ("exit()", "exit()"),
        pytest.param("quit()", "exit()", marks=LONG),
        ("import os; os._exit(3)", "Python s'est arrêté"),
        pytest.param("import ctypes; ctypes.string_at(0)", "Python s'est arrêté", marks=LONG),
        pytest.param(
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
            "Python s'est arrêté",
            marks=LONG,
        ),
        ("while True: pass", "interrompue"),
        pytest.param(
            "import threading; t = threading.Lock(); t.acquire(); t.acquire()",
            "interrompue",
            marks=LONG,
        ),
        pytest.param(
            "import re; re.match(r'(a+)+$', 'a' * 40 + 'b')", "plus de 2 secondes", marks=LONG
        ),
        (
            "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
            "plus de 2 secondes",
        ),
        ("bytearray(5 * 10**9)", "plus de mémoire"),
        pytest.param(
            "import urllib.request; urllib.request.urlopen('https://data.gouv.fr')",
            "Internet",
            marks=LONG,
        ),
        pytest.param("[bytearray(10**8) for _ in range(100)]", "", marks=LONG),
        pytest.param("import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()", "", marks=LONG),
    ],
)
def test_a_crash_costs_its_own_question_and_no_other(
    grade: Callable[..., Graded], code: str, said: str
) -> None:
    result = grade(dataclasses.replace(LIMITS, cell_seconds=2), rep_1=code)
    assert points(result) == FULL | {"test-1": 0.0}
    assert said in " ".join(result.notes)


def test_a_crash_within_a_test_costs_that_test(grade: Callable[..., Graded]) -> None:
    result = grade(rep_2="def double(x):\n    import os; os._exit(0)")
    assert points(result) == FULL | {"test-2": 0.0}


def test_a_thread_that_kills_later_is_found(grade: Callable[..., Graded]) -> None:
    result = grade(
        rep_1="""
        a = 1
        import os, threading
        threading.Timer(0.3, os._exit, [1]).start()
        """,
        rep_2="import time; time.sleep(1)\n" + ANSWERS["rep-2"],
    )
    assert points(result) == FULL
    assert any("« rep-1 »" in note and "arrêté" in note for note in result.notes)


@pytest.mark.parametrize("waited", [0.0, 0.3])
def test_the_total_time_is_held(
    grade: Callable[..., Graded], waited: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cell that used it all up leaves none to the next, however little it was given back."""
    monkeypatch.setattr(
        execute, "waiting_seconds", lambda number: sandbox.waiting_seconds(number) + waited
    )
    limits = Limits(cell_seconds=30, total_seconds=4)
    started = time.monotonic()
    result = grade(limits, rep_2="while True: pass")
    assert time.monotonic() - started < 25
    assert points(result) == {"test-1": 1.0, "test-2": 0.0, "test-3": 0.0}
    assert any("temps prévu" in note for note in result.notes)


# What takes all it can


def test_a_fork_bomb_stays_in_its_room(grade: Callable[..., Graded]) -> None:
    result = grade(rep_1="import os\nwhile True:\n    os.fork()")
    assert points(result) == FULL | {"test-1": 0.0}


def test_processes_are_counted(grade: Callable[..., Graded]) -> None:
    result = grade(
        rep_1="""
        a = 1
        import os, time
        made = 0
        try:
            while made < 500:
                if os.fork() == 0:
                    time.sleep(60)
                    os._exit(0)
                made += 1
        except BlockingIOError:
            pass
        print("faits", made)
        """
    )
    made = int(shown(result, "rep-1").split()[1])
    assert 0 < made < LIMITS.processes


def test_memory_is_counted_over_all_processes(grade: Callable[..., Graded]) -> None:
    result = grade(
        rep_1="""
        import os, time
        for _ in range(6):
            if os.fork() == 0:
                held = b"x" * (300 * 2**20)
                time.sleep(60)
                os._exit(0)
        time.sleep(60)
        """
    )
    assert points(result) == FULL | {"test-1": 0.0}
    assert any("mémoire permise" in note for note in result.notes)


def test_empty_files_are_counted_as_memory(grade: Callable[..., Graded]) -> None:
    limits = dataclasses.replace(LIMITS, memory=700 * MEBIBYTE, cell_seconds=60, total_seconds=120)
    result = grade(
        limits,
        rep_1="""
        import os
        for n in range(10**7):
            os.close(os.open(f"/tmp/{n}", os.O_CREAT))
        """,
    )
    assert points(result) == FULL | {"test-1": 0.0}
    seen = (result.notes, shown(result, "rep-1"))
    assert any("mémoire permise" in note for note in result.notes), seen


def test_disks_are_small(grade: Callable[..., Graded]) -> None:
    free = shutil.disk_usage(scratch._place()).free
    result = grade(
        rep_1="""
        a = 1
        for place in (".", "/tmp", "/dev/shm", "/", "/dev", "/run", "/run/culture-d", "/var/tmp"):
            total = 0
            try:
                for n in range(100):
                    with open(f"{place}/plein{n}", "wb") as file:
                        total += file.write(b"x" * 10**6)
                        file.flush()
            except OSError as error:
                print(place, total // 10**6, type(error).__name__)
        """
    )
    written = {
        line.split()[0]: int(line.split()[1]) for line in shown(result, "rep-1").splitlines()
    }
    assert set(written) == {
        ".",
        "/tmp",
        "/dev/shm",
        "/",
        "/dev",
        "/run",
        "/run/culture-d",
        "/var/tmp",
    }
    assert 0 < written["."] <= 18 and 0 < written["/tmp"] <= 18 and written["/dev/shm"] <= 18
    assert not any(written[place] for place in ("/", "/dev", "/run", "/run/culture-d", "/var/tmp"))
    assert shutil.disk_usage(scratch._place()).free > free - 200 * MEBIBYTE


@pytest.mark.parametrize(
    "code",
    [
        "while True: print('bla ' * 1000)",
        pytest.param("a = 1\nfor _ in range(300): print('x' * 10**6)", marks=LONG),
        pytest.param("a = 1\nprint('x' * (200 * 10**6))", marks=LONG),
        "a = 1\nfrom IPython.display import display, HTML\n"
        "for _ in range(100): display(HTML('<b>x</b>' * 10**5))",
        "a = 1\nfor n in range(3000): display(n)",
        pytest.param(
            "a = 1\nimport os\nfor _ in range(100): os.write(1, b'x' * 10**6)", marks=LONG
        ),
        pytest.param("raise Exception('x' * (50 * 10**6))", marks=LONG),
        pytest.param(
            "class Grand:\n    def __repr__(self): return 'x' * 10**8\na = 1\nGrand()", marks=LONG
        ),
    ],
)
def test_a_flood_is_cut_and_the_rest_graded(grade: Callable[..., Graded], code: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    endless = code.startswith("while")
    limits = dataclasses.replace(LIMITS, cell_seconds=2 if endless else 30)
    result = grade(limits, rep_1=code)
    assert points(result) | {"test-1": 1.0} == FULL
    if code.startswith("a = 1"):
        assert points(result) == FULL
    # A notebook within the limit, the cell's code and JSON's quotes apart.
    assert len(result.notebooks["devoir.ipynb"]) < 1.5 * LIMITS.output
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    assert grown < 700 * MEBIBYTE


def test_a_flood_does_not_hide_the_result_of_a_test(grade: Callable[..., Graded]) -> None:
    result = grade(
        rep_2="def double(x):\n    for _ in range(100): print('x' * 10**6)\n    return 0"
    )
    assert points(result) == FULL | {"test-2": 0.0}


# What looks for what it must not find


LOOK = """
a = 1
import os, pathlib, socket, subprocess
found = []
for top, folders, files in os.walk("/"):
    if top.startswith(("/proc", "/sys", "/usr", "/dev", {prefixes})):
        folders[:] = []
        continue
    for name in files:
        path = os.path.join(top, name)
        try:
            text = open(path, "rb").read()
        except OSError:
            continue
        if {secret!r} in text.decode("latin-1") or name.endswith(".db") or "gradebook" in name:
            found.append(path)
print("trouvé", found)
"""


def test_neither_gradebook_nor_hidden_test_nor_neighbour_is_in_sight(
    grade: Callable[..., Graded], course: Path
) -> None:
    prefixes = ", ".join(repr(path) for path in sandbox.python_paths())
    # « secret » must not be in the cell itself, which is in the room.
    code = LOOK.format(prefixes=prefixes, secret="@").replace("'@'", f"{SECRET[::-1]!r}[::-1]")
    result = grade(rep_1=code)
    assert points(result) == FULL
    assert shown(result, "rep-1").strip() == "trouvé []"


def test_the_look_would_find_what_is_there(tmp_path: Path) -> None:
    """The same search, run outside, finds the file: it can fail."""
    (tmp_path / "gradebook.db").write_text("x")
    code = LOOK.format(prefixes="'@'", secret=SECRET).replace(
        'os.walk("/")', f"os.walk({str(tmp_path)!r})"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "gradebook.db" in said.stdout


def test_nothing_of_the_host_is_in_sight(grade: Callable[..., Graded], course: Path) -> None:
    names = [str(course), str(Path(__file__).resolve()), "/etc/shadow", "/home", "/var", "/boot"]
    result = grade(
        rep_1=f"""
        a = 1
        import os, glob, json
        seen = [name for name in {names!r} if os.path.exists(name)]
        up = [os.path.exists("../" * n + "gradebook.db") for n in range(8)]
        numbers = sorted(int(name) for name in os.listdir("/proc") if name.isdigit())
        commands = [open(f"/proc/{{n}}/cmdline").read() for n in numbers]
        print(json.dumps(dict(seen=seen, up=any(up), processes=len(numbers), uid=os.getuid(),
            gid=os.getgid(), groups=os.getgroups(), env=dict(os.environ),
            status=open("/proc/self/status").read())))
        """
    )
    told = json.loads(shown(result, "rep-1"))
    assert told["seen"] == [] and told["up"] is False
    assert told["processes"] == 2
    assert (told["uid"], told["gid"]) == (sandbox.NOBODY, sandbox.NOBODY)
    assert set(told["groups"]) <= {sandbox.NOBODY}
    assert "CapEff:\t0000000000000000" in told["status"]
    assert "CapBnd:\t0000000000000000" in told["status"]
    assert "NoNewPrivs:\t1" in told["status"]
    assert not {"PYTHONPATH", "JPY_PARENT_PID", "SSH_AUTH_SOCK"} & set(told["env"])
    assert str(Path.home()) not in json.dumps(told["env"]).replace(
        sandbox.python_program(), ""
    ) or (Path.home() in Path(sandbox.python_program()).parents)


def test_another_namespace_cannot_be_made(grade: Callable[..., Graded]) -> None:
    result = grade(
        rep_1="""
        a = 1
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        print([libc.unshare(flag) for flag in (0x10000000, 0x20000, 0x40000000)],
              libc.mount(b"none", b"/tmp", b"tmpfs", 0, None), libc.umount2(b"/proc", 2))
        """
    )
    assert shown(result, "rep-1").split("]")[0] == "[-1, -1, -1"
    assert shown(result, "rep-1").split("]")[1].split() == ["-1", "-1"]


def test_there_is_no_network(grade: Callable[..., Graded], tmp_path: Path) -> None:
    import socket

    with socket.socket() as here, socket.socket(socket.AF_UNIX) as abstract:
        here.bind(("127.0.0.1", 0))
        here.listen()
        name = f"\0culture-d-essai-{os.getpid()}"
        abstract.bind(name)
        abstract.listen()
        result = grade(
            rep_1=f"""
            a = 1
            import socket
            def reach(family, place):
                with socket.socket(family) as one:
                    one.settimeout(2)
                    try:
                        one.connect(place)
                        return True
                    except OSError:
                        return False
            print([reach(socket.AF_INET, ("127.0.0.1", {here.getsockname()[1]})),
                   reach(socket.AF_INET, ("192.0.2.1", 80)), reach(socket.AF_UNIX, {name!r}),
                   [name for _, name in socket.if_nameindex()]])
            """
        )
    assert shown(result, "rep-1").strip() == "[False, False, False, ['lo']]"


def test_signals_reach_nobody_else(grade: Callable[..., Graded]) -> None:
    told: list[int] = []
    kept = {
        one: signal.signal(one, lambda number, frame: told.append(number)) for one in (10, 12, 15)
    }
    try:
        result = grade(
            rep_1="""
            import os
            for target in (os.getppid(), 1, -1, 0):
                for number in (10, 12):
                    import signal
                    signal.signal(number, signal.SIG_IGN)
                    try:
                        os.kill(target, number)
                    except OSError as error:
                        print(target, type(error).__name__)
            for number in (9, 15):
                try:
                    os.kill(os.getppid(), number)
                    os.kill(-1, number)
                except OSError as error:
                    print(type(error).__name__)
            a = 1
            """
        )
    finally:
        for one, handler in kept.items():
            signal.signal(one, handler)
    assert told == []
    assert points(result) == FULL


# What prepares the ground for later cells, or for others


@pytest.mark.parametrize(
    "code",
    [
        "open('outils.py', 'w').write('def points(juste): return 2')",
        "import os; os.remove('outils.py')",
        "import os; os.rename('outils.py', 'ancien.py')",
        "import os; os.rename(os.getcwd(), '/tmp/ailleurs')",
        "import os; os.makedirs('__pycache__', exist_ok=True)\n"
        "open('__pycache__/outils.cpython-311.pyc', 'wb').write(b'x')",
    ],
)
def test_what_marks_cannot_be_rewritten(grade: Callable[..., Graded], code: str) -> None:
    attempt = f"try:\n    {code.splitlines()[0]}\n"
    attempt += "".join(f"    {line}\n" for line in code.splitlines()[1:])
    attempt += (
        "except OSError as error:\n    print(type(error).__name__)\nelse:\n    print('fait')\na = 1"
    )
    result = grade(
        rep_1=attempt + "\nimport sys; sys.modules.pop('outils', None)",
        rep_2="def double(x):\n    return 0",
    )
    assert points(result) == FULL | {"test-2": 0.0}
    assert "fait" not in shown(result, "rep-1").split()


def test_traps_for_another_python_catch_nobody(grade: Callable[..., Graded]) -> None:
    """Neither a kernel started again in the same run, nor that of the next learner."""
    result = grade(
        rep_1="""
        import os, pathlib, site, sys
        trap = "import builtins; builtins.piege = True; print('PIEGE')"
        for place in (site.getusersitepackages(), os.path.expanduser("~/.ipython/profile_default/startup"),
                      ".", "/tmp", os.path.expanduser("~"), *sys.path):
            for name in ("sitecustomize.py", "usercustomize.py", "00-piege.py", "piege.pth"):
                try:
                    pathlib.Path(place or ".").mkdir(parents=True, exist_ok=True)
                    pathlib.Path(place or ".", name).write_text(trap)
                except OSError:
                    pass
        os._exit(0)
        """,
        rep_3="import builtins\nprint(hasattr(builtins, 'piege'))\nc = 3",
    )
    assert points(result) == FULL | {"test-1": 0.0}
    assert shown(result, "rep-3").strip() == "False"


def test_hooks_of_ipython_end_with_their_kernel(grade: Callable[..., Graded]) -> None:
    result = grade(
        rep_1="""
        a = 1
        def always(lines): return ["pass"]
        get_ipython().input_transformers_post.append(lambda lines: lines)
        get_ipython().events.register("pre_run_cell", lambda info: None)
        """,
        rep_2="def double(x):\n    return 0",
    )
    assert points(result) == FULL | {"test-2": 0.0}


def test_magics_and_commands_run_in_the_room(grade: Callable[..., Graded]) -> None:
    result = grade(
        rep_1="""
        a = 1
        !echo $HOME; id -u
        %cd /
        %env PATH
        get_ipython().run_line_magic("run", "/run/culture-d/inside.py") if False else None
        """,
    )
    assert points(result) == FULL
    assert sandbox.HOME in shown(result, "rep-1")
    assert str(sandbox.NOBODY) in shown(result, "rep-1")


def test_scripts_in_outputs_stay_data(grade: Callable[..., Graded]) -> None:
    code = "from IPython.display import HTML, Javascript, display\na = 1\n"
    code += "display(HTML('<script>alert(1)</script>'), Javascript('alert(2)'))"
    result = grade(rep_1=code)
    assert points(result) == FULL
    assert "<script>alert(1)</script>" in shown(result, "rep-1")


def test_a_tag_does_not_keep_a_test_from_running(grade: Callable[..., Graded]) -> None:
    def tag(notebook: Any) -> None:
        for cell in notebook.cells:
            cell.metadata["tags"] = ["skip-execution", "raises-exception"]

    result = grade(change=tag, rep_2="def double(x):\n    return 0")
    # The answers are cells of the learner, who may ask that they be skipped.
    assert points(result) == {"test-1": 0.0, "test-2": 0.0, "test-3": 0.0}


def test_files_that_hide_modules_do_not_stop_the_machine(grade: Callable[..., Graded]) -> None:
    result = grade(files={"ipykernel__py": b"raise SystemExit", "zmq__py": b"1/0"})
    assert points(result) == FULL


def test_a_kernel_that_was_ended_is_not_spoken_of_any_more(
    grade: Callable[..., Graded], caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing in English reaches the screen of the person who corrects."""
    result = grade(
        rep_1="""
        kernel = get_ipython().kernel
        content, parent = {"name": "stdout", "text": 3}, kernel.get_parent("shell")
        kernel.session.send(kernel.iopub_socket, "stream", content, parent=parent)
        """,
        rep_3="import time; time.sleep(1.5); c = 3",
    )
    gc.collect()
    assert points(result) == FULL | {"test-1": 0.0}
    assert "never retrieved" not in caplog.text


def test_messages_made_by_hand_do_not_stop_the_grader(grade: Callable[..., Graded]) -> None:
    result = grade(
        rep_1="""
        a = 1
        socket = get_ipython().kernel.iopub_thread.socket
        session = get_ipython().kernel.session
        for bad in (b"", b"{", b"[" * 100000, b"null", b"1e999"):
            for parts in ([bad], [b"<IDS|MSG>", bad], [b"<IDS|MSG>", session.sign([bad] * 4), *[bad] * 4]):
                get_ipython().kernel.iopub_socket.send_multipart(parts)
        """
    )
    assert points(result) | {"test-1": 1.0} == FULL


# What is left


def test_nothing_is_left_when_the_grader_is_killed(
    course: Path, tmp_path: Path, short_folder: Path
) -> None:
    script = f"""
import pathlib, sys, nbformat
sys.path.insert(0, {str(Path(sandbox.__file__).parents[2])!r})
from culture_d.grading.assignment import load_assignments
from culture_d.grading.model import *
from culture_d.grading.plain import PlainRunner
given = load_assignments(pathlib.Path({str(course)!r}))["devoir"]
notebook = nbformat.reads(given.notebooks["devoir.ipynb"].decode(), as_version=4)
notebook.cells[1].source = "import os, time\\nos.fork()\\nopen('temoin', 'w')\\ntime.sleep(600)"
submission = Submission("malin", "devoir", {{"devoir.ipynb": nbformat.writes(notebook).encode()}})
print("note", flush=True)
PlainRunner().grade(given, Repaired(submission, ""), Limits(cell_seconds=600, total_seconds=600))
"""
    environment = {
        **os.environ,
        "TMPDIR": str(short_folder),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
    }
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True
    ) as grader:
        assert grader.stdout and grader.stdout.readline() == "note\n"
        # The kernel, and the copy of itself that it made.
        kernels = wait_for(lambda: children(grader.pid), at_least=2)
        folders = [
            path
            for path in short_folder.glob(f"{scratch.PREFIX}*")
            if (path / "submitted").exists()
        ]
        grader.kill()
    assert len(kernels) >= 2
    deadline = time.monotonic() + 10
    while alive(kernels) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert alive(kernels) == []
    left = [path for path in folders if path.exists()]
    assert left  # SIGKILL leaves the folder, and the next run removes it
    for folder in left:
        os.utime(folder, (0, 0))
    subprocess.run(
        [sys.executable, "-c", "from culture_d.grading.scratch import sweep; sweep()"],
        env={**environment, "PYTHONPATH": str(Path(sandbox.__file__).parents[2])},
        check=True,
    )
    assert [path for path in left if path.exists()] == []


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder whose name leaves room for that of a socket."""
    with tempfile.TemporaryDirectory(prefix="d-", dir="/tmp") as folder:
        yield Path(folder)


def children(number: int, program: bytes = b"python") -> list[int]:
    """Number the processes under one that run a room, or the Python in it."""
    found = []
    for task in Path(f"/proc/{number}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            words = Path(f"/proc/{child}/cmdline").read_bytes().split(b"\0")
            ours = program in words[0] and any(b"inside.py" in word for word in words)
            found += [*([child] if ours else []), *children(child, program)]
    return found


def wait_for(find: Callable[[], list[int]], at_least: int) -> list[int]:
    deadline = time.monotonic() + 90
    found: list[int] = []
    while time.monotonic() < deadline and len(found) < at_least:
        time.sleep(0.1)
        try:
            found = find()
        except OSError:
            continue
    return found


def alive(numbers: list[int]) -> list[int]:
    there = []
    for number in numbers:
        try:
            state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if state not in "ZX":
            there.append(number)
    return there


def test_what_is_left_would_be_seen(course: Path, assignment: Assignment) -> None:
    """A room and a folder that are still there are listed: the check of every test can fail."""
    seen: list[list[str]] = []

    class Checker:
        def ready(self) -> None:
            pass

        def check(self, cell: Any, kernel_client: Any, seconds: float) -> None:
            seen.append(rooms())

    runner = PlainRunner(checker_for=lambda given: Checker())
    runner.grade(assignment, submitted(filled(assignment)), LIMITS)
    assert seen and all(len(one) >= 3 for one in seen)
    assert rooms() == []


def test_the_sweep_leaves_folders_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scratch, "_place", lambda: tmp_path)
    with scratch.scratch() as folder:
        scratch.sweep()
        assert folder.exists()
    assert not folder.exists()
    abandoned = tmp_path / f"{scratch.PREFIX}abandon"
    abandoned.mkdir()
    (abandoned / scratch.LOCK).touch()
    assert scratch.sweep() == 0  # so new that its lock may not be taken yet
    os.utime(abandoned, (0, 0))
    with scratch.scratch() as folder:
        os.utime(folder, (0, 0))
        assert scratch.sweep() == 1
        assert folder.exists()
    assert not abandoned.exists()


# Where it is not available


def test_isolation_is_available_here() -> None:
    assert sandbox.available() is None


@pytest.mark.parametrize(
    ("platform", "path", "words"),
    [
        ("darwin", None, ("darwin", "Linux", "--sans-isolation")),
        ("win32", None, ("win32", "WSL")),
        ("linux", "", ("sudo apt-get install bubblewrap", "--sans-isolation")),
    ],
)
def test_what_is_missing_is_said(
    monkeypatch: pytest.MonkeyPatch, platform: str, path: str | None, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "platform", platform)
    if path is not None:
        monkeypatch.setenv("PATH", path)
    said = sandbox.available()
    assert said and all(word in said for word in words)
    with pytest.raises(SandboxError, match=words[0]):
        PlainRunner()


def test_forbidden_namespaces_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "bwrap"
    fake.write_text(
        "#!/bin/sh\necho 'bwrap: setting up uid map: Permission denied' >&2\nexit 1\n", "utf-8"
    )
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    said = sandbox.available()
    assert said and "espaces de noms" in said and "sysctl" in said


def test_without_isolation_the_points_are_the_same(assignment: Assignment) -> None:
    runner = PlainRunner(isolated=False)
    assert points(runner.grade(assignment, submitted(filled(assignment)), LIMITS)) == FULL
    crash = filled(assignment, rep_1="import os; os._exit(1)")
    result = runner.grade(assignment, submitted(crash), LIMITS)
    assert points(result) == FULL | {"test-1": 0.0}
