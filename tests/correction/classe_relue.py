"""Run submissions as a kernel does, and describe the answers before each test cell.

Called as a program: `classe_relue.py FOLDER`, with the cells of each submission on the
standard input, as JSON: name, source, and the expression that describes the variables (None
for a cell that is no test). Each submission runs in a child, in FOLDER. Gives, for each
test cell, the description, and the messages that the kernel sends when it runs the cell.
"""

import contextlib
import io
import json
import multiprocessing
import os
import sys
from typing import Any

import pandas  # noqa: F401  (imported once for all the children)

from culture_d.grading import extraction, trusted_server

Cell = tuple[str, str, str | None]
MAIN = sys.modules["__main__"]
SHELL, SESSION = trusted_server._new_shell()
# The shell has put its own module there; `run` is found in ours.
sys.modules["__main__"] = MAIN


def run(submission: tuple[str, list[Cell]]) -> dict[str, dict[str, Any]]:
    """Run the cells of a submission in order, going on after a failure as nbgrader does."""
    folder, cells = submission
    os.chdir(folder)
    sys.path.insert(0, "")
    shell, session = SHELL, SESSION
    sys.modules["__main__"] = shell.user_module
    found = {}
    for name, source, expression in cells:
        description = None
        if expression is not None:
            described = shell.user_expressions({"values": expression})["values"]
            description = described.get("data", {}).get(extraction.MIME)
        session.messages.clear()
        count = shell.execution_count
        out = trusted_server._Printed("stdout", session)
        err = trusted_server._Printed("stderr", session)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            shell.run_cell(source, store_history=True)
        out.flush()
        err.flush()
        if expression is not None:
            messages = list(session.messages)
            found[name] = {"description": description, "messages": messages, "count": count}
    return found


def main() -> None:
    """Run every submission, each in a child of its own."""
    folder = os.path.abspath(sys.argv[1])  # noqa: PTH100
    submissions: dict[str, list[Cell]] = json.load(sys.stdin)
    context = multiprocessing.get_context("fork")
    with context.Pool(1, maxtasksperchild=1) as pool:
        results = pool.map(run, [(folder, one) for one in submissions.values()], chunksize=1)
    with contextlib.redirect_stderr(io.StringIO()):
        json.dump(dict(zip(submissions, results, strict=True)), sys.stdout)


if __name__ == "__main__":
    main()
