"""What is too long for each change: `make soak`. Prints what it found; fails on the first fault.

Run one alone by its name: `python -m tests.soak coups`.
"""

import sys
import tempfile
from pathlib import Path

from rich.console import Console

from culture_d.project import Project
from tests.soak.kills import fifty_kills
from tests.soak.many import many_submissions

PARTS = {"coups": fifty_kills, "mille": many_submissions}


def main() -> None:
    """Run the parts asked for, or all of them."""
    wanted = sys.argv[1:] or list(PARTS)
    unknown = [name for name in wanted if name not in PARTS]
    if unknown:
        sys.exit(f"Épreuve inconnue : {', '.join(unknown)}. Épreuves : {', '.join(PARTS)}.")
    project = Project(Path(__file__).resolve().parents[2])
    console = Console()
    for name in wanted:
        with tempfile.TemporaryDirectory(prefix="epreuve-") as scratch:
            for said in PARTS[name](project, Path(scratch)):
                console.print(said)


if __name__ == "__main__":
    main()
