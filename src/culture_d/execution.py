"""Run the notebooks and store their outputs.

The book never executes anything: the outputs stored here are what readers see,
and nbval proves that they are what the code prints today.
"""

import platform
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from culture_d.errors import NotebookError
from culture_d.notebooks import outputs, read

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PACKAGES = ("pandas", "numpy", "matplotlib", "anywidget")
CELL_TIMEOUT_SECONDS = 300


def execute(path: Path) -> float:
    """Run a notebook from top to bottom and store its outputs in the file.

    The file is replaced only once everything has run. The run's length and the
    versions used go to its metadata, unless the outputs are those already stored.

    Returns:
        The run's length in seconds.

    Raises:
        NotebookError: a cell fails; the file is left as it was.
    """
    notebook = read(path)
    before = outputs(notebook)
    client = NotebookClient(
        notebook,
        timeout=CELL_TIMEOUT_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    started = time.monotonic()
    try:
        client.execute()
    except CellExecutionError as error:
        raise NotebookError(
            f"Le carnet « {path} » s'arrête sur une erreur : {error.ename}, {error.evalue}. "
            "Corrigez la cellule, puis relancez « culture-d executer »."
        ) from None
    seconds = time.monotonic() - started
    _normalise(notebook)
    if outputs(notebook) != before or "culture_d" not in notebook.metadata:
        notebook.metadata["culture_d"] = {
            "execution": {
                "seconds": round(seconds, 1),
                "versions": {"python": platform.python_version()}
                | {name: version(name) for name in PACKAGES},
            }
        }
    partial = path.with_suffix(".partial")
    partial.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8")
    partial.replace(path)
    return seconds


def _normalise(notebook: Any) -> None:
    """Drop from a run what differs from one to the next."""
    notebook.metadata.pop("widgets", None)
    notebook.metadata["language_info"] = {"name": "python"}
    for count, cell in enumerate(_code_cells(notebook), start=1):
        cell.execution_count = count
        cell.metadata.pop("execution", None)
        for output in cell.outputs:
            if "execution_count" in output:
                output["execution_count"] = count
            output.get("data", {}).pop(WIDGET_VIEW, None)


def _code_cells(notebook: Any) -> Iterator[Any]:
    return (cell for cell in notebook.cells if cell.cell_type == "code")
