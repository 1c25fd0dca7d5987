"""Prove that what the notebooks hold is what their code prints today, by nbval."""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from culture_d.errors import NotebookError
from culture_d.notebooks import read

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S.*?\.ipynb)(?:::ipynb)?::Cell (\d+)", re.MULTILINE)


# A picture is compared by its digest: see `culture_d.figures.fingerprint`.
PICTURES_BY_DIGEST = Path(__file__).with_name("nbval-sanitize.cfg")


def verify(paths: Sequence[Path]) -> str:
    """Run every cell again and compare each output with the one stored (nbval, strict).

    Args:
        paths: the notebooks.

    Returns:
        The last line of nbval's report.

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
    command = [
        *(sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q", "-rfE"),
        *("--nbval-sanitize-with", str(PICTURES_BY_DIGEST)),
        *("-p", "no:cacheprovider", "-c", os.devnull, "--rootdir", str(root)),
        *map(str, paths),
    ]
    result = subprocess.run(
        command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode:
        raise NotebookError(f"{result.stdout}\n{_sentence(root, paths, result.stdout)}")
    return result.stdout.strip().splitlines()[-1]


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
