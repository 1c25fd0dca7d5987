"""Run submissions of one exercise in this process's children: no kernel to start for each.

Called as a program: `classe.py FOLDER`, with the list of cells of each submission on the
standard input, as JSON. Each child runs the cells as IPython does in a kernel, in the
released folder, and gives what nbgrader looks at: the last value of each cell, what it
printed, whether it failed or wrote on stderr.
"""

import ast
import contextlib
import gc
import importlib
import io
import itertools
import json
import multiprocessing
import os
import sys
import warnings
from collections.abc import Iterable
from typing import Any

import pandas  # noqa: F401  (imported once for all the children)
from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

Cell = tuple[str, str]
MAIN = sys.modules["__main__"]


class _KeptValue(DisplayHook):
    """Keep the value of a cell for the caller, instead of printing it."""

    def __call__(self, result: Any = None) -> None:
        self.check_for_underscore()
        if result is not None and not self.quiet():
            self.fill_exec_result(result)


class _Shell(InteractiveShell):
    displayhook_class = _KeptValue


def begin(folder: str, cells: list[Cell]) -> dict[str, dict[str, Any]]:
    """Run here what all submissions begin with, and read the tables that their tests read."""
    os.chdir(folder)
    sys.path.insert(0, "")
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = _Shell.instance(config=config)
    found = {name: run_cell(shell, source) for name, source in cells}
    # The shell has put its own module there; `run` is found in ours.
    sys.modules["__main__"] = MAIN
    return found


def read_tables(sources: Iterable[str]) -> None:
    """Have `verifier` read the tables that it keeps: once for all the children."""
    verifier = importlib.import_module("verifier")
    calls = {ast.unparse(node): node for text in sources for node in calls_of_table(text)}
    for call in calls.values():
        with contextlib.suppress(ValueError):  # an argument that the cell works out
            given = [ast.literal_eval(one) for one in call.args]
            named = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
            verifier.table(*given, **named)


def calls_of_table(source: str) -> list[ast.Call]:
    """Find what a test cell reads: `verifier.table("communes.csv")`."""
    if "verifier.table(" not in source:
        return []
    try:
        nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError:  # an answer
        return []
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func) == "verifier.table"]


def run(cells: list[Cell]) -> dict[str, dict[str, Any]]:
    """Run the rest of a submission in order, going on after a failure as nbgrader does."""
    shell = _Shell.instance()
    sys.modules["__main__"] = shell.user_module
    return {name: run_cell(shell, source) for name, source in cells}


def run_cell(shell: InteractiveShell, source: str) -> dict[str, Any]:
    """Run a cell, and give its last value, what it printed, and whether it failed."""
    printed, faults = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(faults):
        result = shell.run_cell(source, store_history=False)
        value = None
        if result.result is not None:
            formatter = shell.display_formatter
            assert formatter
            value = formatter.format(result.result)[0]["text/plain"]
    return {
        "value": value,
        "text": printed.getvalue(),
        "failed": not result.success or bool(faults.getvalue()),
    }


def common(submissions: list[list[Cell]]) -> list[Cell]:
    """Give the cells that every submission begins with."""
    places = zip(*submissions, strict=True)
    return [cells[0] for cells in itertools.takewhile(lambda cells: len(set(cells)) == 1, places)]


def main() -> None:
    """Run every submission, each in a child of its own."""
    read = json.load(sys.stdin)
    ways = multiprocessing.get_all_start_methods()
    submissions = {who: [(name, text) for name, text in cells] for who, cells in read.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        folder, forks = os.path.abspath(sys.argv[1]), "fork" in ways  # noqa: PTH100
        shared = common(list(submissions.values())) if forks else []
        first = begin(folder, shared)
        if forks:
            read_tables({text for one in submissions.values() for name, text in one})
        gc.freeze()
        rest = [cells[len(shared) :] for cells in submissions.values()]
        context = multiprocessing.get_context("fork" if forks else "spawn")
        again: tuple[Any, Any] = (None, ()) if forks else (begin, (folder, []))
        with context.Pool(2, *again, maxtasksperchild=1) as pool:
            results = [{**first, **found} for found in pool.map(run, rest, chunksize=1)]
    json.dump(dict(zip(submissions, results, strict=True)), sys.stdout)


if __name__ == "__main__":
    main()
