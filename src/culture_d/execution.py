"""Run the notebooks and store their outputs.

The book never executes anything: the outputs stored here are what readers see,
and nbval proves that they are what the code prints today.
"""

import asyncio
import atexit
import logging
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from traitlets.config import Config

from culture_d.errors import NotebookError
from culture_d.notebooks import outputs, read

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
PACKAGES = ("pandas", "numpy", "matplotlib", "anywidget")
CELL_TIMEOUT_SECONDS = 300
# A socket's path is limited to some 100 bytes; ours end in « /k-5 ».
MAX_SOCKET_FOLDER = 90


class OwnKernel(AsyncKernelManager):
    """A kernel of this very Python, whatever kernels the machine lists as python3."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The command of this interpreter's kernel."""
        return KernelSpec(
            argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            display_name="Python 3 (ipykernel)",
            language="python",
        )


@contextmanager
def own_kernel_settings() -> Iterator[Config]:
    """Give the settings of a kernel that no other program can disturb.

    Sockets in a private folder, where the system has them: a free TCP port may be taken
    by someone else before the kernel binds it.
    """
    folder = tempfile.mkdtemp(prefix="culture-d-")
    settings = Config()
    if os.name != "nt" and len(os.fsencode(folder)) <= MAX_SOCKET_FOLDER:
        settings.KernelManager.transport = "ipc"
        settings.KernelManager.ip = str(Path(folder).resolve() / "k")
    try:
        yield settings
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def execute(path: Path, accept: Callable[[Path], None] | None = None) -> float:
    """Run a notebook from top to bottom and store its outputs in the file.

    The file is replaced only once everything has run, and `accept` has let it through.
    The run's length and the versions used go to its metadata, unless the outputs are
    those already stored.

    Args:
        path: the notebook.
        accept: raises NotebookError on a notebook that must not replace the present one.

    Returns:
        The run's length in seconds.

    Raises:
        NotebookError: a cell fails, or `accept` refuses; the file is left as it was.
    """
    notebook = read(path)
    before = outputs(notebook)
    started = time.monotonic()
    try:
        _run(notebook, path.parent)
    except CellExecutionError as error:
        cause = f"{error.ename}, {error.evalue}".rstrip(" .,")
        raise NotebookError(
            f"Le carnet « {path} » s'arrête sur une erreur : {cause}. "
            "Corrigez la cellule, puis relancez « culture-d executer »."
        ) from None
    except CellTimeoutError:
        raise NotebookError(
            f"Le carnet « {path} » a une cellule qui dure plus de {CELL_TIMEOUT_SECONDS} secondes. "
            "Allégez-la, puis relancez « culture-d executer »."
        ) from None
    except RuntimeError:  # DeadKernelError, or a kernel that did not start
        raise NotebookError(
            f"Python s'est arrêté pendant l'exécution du carnet « {path} » : plus de mémoire, ou "
            "une cellule qui l'arrête. Corrigez-la, puis relancez « culture-d executer »."
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
    try:
        partial.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
        if accept:
            accept(partial)
        partial.replace(path)
    except NotebookError as error:
        raise NotebookError(str(error).replace(str(partial), str(path))) from None
    finally:
        partial.unlink(missing_ok=True)
    return seconds


def _run(notebook: Any, folder: Path) -> None:
    quiet = logging.getLogger("culture_d.execution")
    quiet.setLevel(logging.CRITICAL + 1)
    with own_kernel_settings() as settings:
        client = NotebookClient(
            notebook,
            timeout=CELL_TIMEOUT_SECONDS,
            kernel_name="python3",
            kernel_manager_class=OwnKernel,
            config=settings,
            log=quiet,
            resources={"metadata": {"path": str(folder)}},
        )
        try:
            client.execute(stderr=subprocess.DEVNULL)
        except (asyncio.CancelledError, AssertionError):
            # On Ctrl+C nbclient drops its kernel, then trips over its own cleaning.
            raise KeyboardInterrupt from None
        finally:
            atexit.unregister(client._cleanup_kernel)


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
