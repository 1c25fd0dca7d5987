"""`environment.yml`, made from the lock so that conda gives the same versions.

conda brings Python and pip; pip installs the very versions of `requirements.lock`.
Run as `python -m culture_d.conda` (`make lock` does).
"""

import re
import sys
from pathlib import Path

from culture_d.errors import CultureDError, LockError
from culture_d.project import Project

PYTHON = "3.12"
_PIN = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*(?:\[[\w.,\s-]+\])?==[^\s;]+)(?:\s*;\s*(?P<marker>.+?))?"
    r"(?:\s+--hash=\S+)*\s*"
)


def pinned(lock: str) -> list[str]:
    """List the requirements of a lock, without their hashes, environment markers kept.

    Raises:
        LockError: a line is not a version given with « == »; none is dropped.
    """
    joined = re.sub(r"\\[ \t]*\r?\n", " ", re.sub(r"(?m)^[ \t]*#.*$", "", lock))
    found = []
    for line in filter(None, map(str.strip, joined.splitlines())):
        match = _PIN.fullmatch(re.sub(r"\s+#.*$", "", line))
        if not match:
            raise LockError(
                f"requirements.lock : « {line.split(' --hash')[0]} » ne donne pas une version par "
                "« == ». Corrigez pyproject.toml, puis relancez « make lock »."
            )
        found.append(match["name"] + (f" ; {match['marker']}" if match["marker"] else ""))
    return found


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
    (root / "environment.yml").write_text(environment_yml(lock), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    try:
        write(Project.find().root)
    except CultureDError as error:
        sys.exit(f"Erreur : {error}")
