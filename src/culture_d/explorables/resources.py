"""The data an explorable may ask for while it is being used.

A resource has a path such as `communes/80`. In JupyterLab the Python class answers
from here; for the site, `culture_d.explorables.site` writes each one as a file.
"""

import csv
import re
from functools import cache
from pathlib import Path
from typing import Any

from culture_d.catalogue import Dataset, load_dataset
from culture_d.errors import DatasetError
from culture_d.project import Project


def departements(project: Project | None = None) -> list[list[str]]:
    """Return the code and name of each département, in the order of the codes.

    Raises:
        DatasetError: the data file is missing or is not the one described.
    """
    rows = _read(*_verified(project or Project.find(), "departements"))
    return [[row["code"], row["nom"]] for row in rows]


def load_all(project: Project | None = None) -> dict[str, dict[str, Any]]:
    """Return every resource, by path.

    `communes/<code>` holds the names and populations (inhabitants) of the communes of a
    département, the largest first, and what the manifest warns of by the name of that
    département.

    Raises:
        DatasetError: a data file is missing or is not the one described.
    """
    project = project or Project.find()
    communes = _communes(*_verified(project, "communes"))
    traps = load_dataset(project.datasets / "communes").traps
    return {
        f"communes/{code}": {
            "departement": code,
            "noms": [name for name, _ in communes[code]],
            "populations": [population for _, population in communes[code]],
            "note": " ".join(t for t in traps if re.search(rf"\b{re.escape(name)}\b", t)),
        }
        for code, name in departements(project)
    }


def load(path: str, project: Project | None = None) -> dict[str, Any]:
    """Return the resource at `path` (see `load_all`).

    Raises:
        DatasetError: no such resource, or a data file is missing or was changed.
    """
    found = load_all(project).get(path)
    if found is None:
        raise DatasetError(
            f"Il n'y a pas de données « {path} ». Les ressources ont la forme « communes/80 », "
            "avec le code de l'un des 101 départements."
        )
    return found


def _verified(project: Project, name: str) -> tuple[Path, str]:
    """Return the data file of a dataset and its sha256, once they have been seen to agree."""
    dataset: Dataset = load_dataset(project.datasets / name)
    dataset.verify()
    return dataset.resources[0].path, dataset.resources[0].sha256


@cache
def _read(path: Path, sha256: str) -> tuple[dict[str, str], ...]:
    """Read a CSV once per content: `sha256` is there to make the cache exact."""
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def _communes(path: Path, sha256: str) -> dict[str, list[tuple[str, int]]]:
    """Name and population of the communes of each département, the largest first."""
    communes: dict[str, list[tuple[str, int]]] = {}
    for row in _read(path, sha256):
        communes.setdefault(row["departement"], []).append((row["nom"], int(row["population"])))
    for rows in communes.values():
        rows.sort(key=lambda commune: -commune[1])
    return communes
