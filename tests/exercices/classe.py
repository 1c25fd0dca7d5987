"""Run submissions of one exercise in this process's children: no kernel to start for each.

Called as a program: `classe.py FOLDER`, with the list of cells of each submission on the
standard input, as JSON. Each child runs the cells as IPython does in a kernel, in the
released folder, and gives what nbgrader looks at: the last value of each cell, what it
printed, whether it failed or wrote on stderr.
"""

import contextlib
import io
import json
import multiprocessing
import os
import sys
import warnings
from typing import Any

import pandas  # noqa: F401  (imported once for all the children)
from IPython.core.displayhook import DisplayHook
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

Cell = tuple[str, str]


class _KeptValue(DisplayHook):
    """Keep the value of a cell for the caller, instead of printing it."""

    def __call__(self, result: Any = None) -> None:
        self.check_for_underscore()
        if result is not None and not self.quiet():
            self.fill_exec_result(result)


class _Shell(InteractiveShell):
    displayhook_class = _KeptValue


def run(submission: tuple[str, list[Cell]]) -> dict[str, dict[str, Any]]:
    """Run the cells of a submission in order, going on after a failure as nbgrader does."""
    folder, cells = submission
    os.chdir(folder)
    sys.path.insert(0, "")
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    shell = _Shell.instance(config=config)
    found = {}
    for name, source in cells:
        printed, faults = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(faults):
            result = shell.run_cell(source, store_history=False)
            value = None
            if result.result is not None:
                formatter = shell.display_formatter
                assert formatter
                value = formatter.format(result.result)[0]["text/plain"]
        found[name] = {
            "value": value,
            "text": printed.getvalue(),
            "failed": not result.success or bool(faults.getvalue()),
        }
    return found


def main() -> None:
    """Run every submission, each in a child of its own."""
    folder = os.path.abspath(sys.argv[1])  # noqa: PTH100
    submissions: dict[str, list[Cell]] = json.load(sys.stdin)
    ways = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in ways else "spawn")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        with context.Pool(1, maxtasksperchild=1) as pool:
            results = pool.map(run, [(folder, one) for one in submissions.values()], chunksize=1)
    json.dump(dict(zip(submissions, results, strict=True)), sys.stdout)


if __name__ == "__main__":
    main()
