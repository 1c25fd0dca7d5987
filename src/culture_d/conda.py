"""`environment.yml`, made from the lock so that conda gives the same versions.

conda brings Python and pip; pip installs the very versions of `requirements.lock`.
Run as `python -m culture_d.conda` (`make lock` does).
"""

import re
from pathlib import Path

from culture_d.project import Project

PYTHON = "3.12"
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*(?:\[[\w,-]+\])?==[^\s;\\]+)\s*(;[^\\]*)?", re.MULTILINE)


def pinned(lock: str) -> list[str]:
    """List the requirements of a lock, without their hashes, environment markers kept."""
    return [name + (f" {marker.strip()}" if marker else "") for name, marker in _PIN.findall(lock)]


def environment_yml(lock: str) -> str:
    """Write the conda environment that holds the lock's versions."""
    lines = [
        "# Fait par « make lock » à partir de requirements.lock : ne pas modifier à la main.",
        "# Utiliser : conda env create --file environment.yml",
        "name: culture-d",
        "channels:",
        "  - conda-forge",
        "dependencies:",
        f"  - python={PYTHON}",
        "  - pip",
        "  - pip:",
        *[f'      - "{requirement}"' for requirement in pinned(lock)],
        '      - "--editable ."',
    ]
    return "\n".join(lines) + "\n"


def write(root: Path) -> None:
    """Write `environment.yml` beside the lock in `root`."""
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    (root / "environment.yml").write_text(environment_yml(lock), encoding="utf-8")


if __name__ == "__main__":
    write(Project.find().root)
