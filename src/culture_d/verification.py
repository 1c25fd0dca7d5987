"""Prove that what the notebooks hold is what their code prints today, by nbval."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

from culture_d.errors import NotebookError
from culture_d.notebooks import read

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S.*?\.ipynb)(?:::ipynb)?::Cell (\d+)", re.MULTILINE)


PROCESSES = 2
START = 2.0  # seconds that a kernel takes to start, whatever its notebook
# A picture is compared by its digest: see `culture_d.figures.fingerprint`.
PICTURES_BY_DIGEST = Path(__file__).with_name("nbval-sanitize.cfg")


def verify(paths: Sequence[Path]) -> int:
    """Run every cell again and compare each output with the one stored (nbval, strict).

    The notebooks are shared out among a few processes: each kernel waits much.

    Args:
        paths: the notebooks.

    Returns:
        How many cells were run, all of them showing what is stored.

    Raises:
        NotebookError: names each notebook and cell that prints something else; nbval's
            own report, with both texts, comes first.
    """
    if find_spec("nbval") is None:
        raise NotebookError(
            "nbval manque : il compare les carnets à ce qu'ils affichent. Installez "
            "l'environnement complet (« make test » le fait), puis recommencez."
        )
    root = Path(os.path.commonpath([path.parent for path in paths]))
    shares = share_out(paths, min(PROCESSES, os.cpu_count() or 1))
    with ThreadPoolExecutor(len(shares)) as pool:
        runs = list(pool.map(lambda share: _run(root, share), shares))
    report = "\n".join(run.stdout for run in runs)
    if any(run.returncode for run in runs):
        raise NotebookError(f"{report}\n{_sentence(root, paths, report)}")
    return sum(int(count) for count in re.findall(r"^(\d+) passed", report, re.MULTILINE))


def share_out(paths: Sequence[Path], shares: int) -> list[list[Path]]:
    """Split the notebooks, the longest to run first, into shares that take about as long."""
    lengths = {path: _seconds(path) for path in paths}
    found: list[list[Path]] = [[] for _ in range(max(1, min(shares, len(paths))))]
    for path in sorted(paths, key=lambda path: (-lengths[path], path)):
        min(found, key=lambda share: sum(lengths[one] + START for one in share)).append(path)
    return found


def _seconds(path: Path) -> float:
    """How long the notebook took when it was last run."""
    execution = read(path).metadata.get("culture_d", {}).get("execution", {})
    return float(execution.get("seconds", 0))


def _run(root: Path, paths: Sequence[Path]) -> "subprocess.CompletedProcess[str]":
    command = [
        *(sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", "-rfE"),
        *("--nbval-sanitize-with", str(PICTURES_BY_DIGEST)),
        *("-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(root)),
        *map(str, paths),
    ]
    return subprocess.run(
        command,
        cwd=root,
        # The report is read back: no option of the caller's own tests changes its form.
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _sentence(root: Path, paths: Sequence[Path], report: str) -> str:
    places = [
        f"« {root / name} », cellule {_cell(root / name, int(number))}"
        for name, number in _FAILED.findall(report)
    ]
    where = " ; ".join(dict.fromkeys(places)) or " ; ".join(f"« {path} »" for path in paths)
    return (
        f"Ce qui est enregistré n'est pas ce que le code affiche aujourd'hui : {where}. "
        "Cherchez pourquoi ; si le changement est voulu, lancez « culture-d executer »."
    )


def _cell(path: Path, number: int) -> str:
    """Name of the number-th code cell, as nbval counts them (from 0)."""
    cells = [cell for cell in read(path).cells if cell.cell_type == "code"]
    return f"« {cells[number].id} »" if number < len(cells) else str(number)
