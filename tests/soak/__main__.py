"""What is too long for each change: `make soak`. Prints what it found; fails on the first fault.

Run one alone by its name, and smaller: `python -m tests.soak coups=5`.
"""

import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from culture_d.project import Project
from tests.soak.kills import KILLS, fifty_kills
from tests.soak.many import COUNT, many_submissions

PARTS = {
    # With the minutes that it took on two processors that had nothing else to do.
    "coups": (fifty_kills, KILLS, "arrêts brutaux", 12),
    "mille": (many_submissions, COUNT, "devoirs", 8),
}


def main() -> None:
    """Run the parts asked for, or all of them."""
    wanted = [word.partition("=")[::2] for word in sys.argv[1:] or list(PARTS)]
    unknown = [name for name, size in wanted if name not in PARTS or not (size or "1").isdigit()]
    if unknown:
        sys.exit(f"Épreuve inconnue : {', '.join(unknown)}. Épreuves : {', '.join(PARTS)}.")
    project = Project(Path(__file__).resolve().parents[2])
    console = Console()
    for name, size in wanted:
        run, usual, what, minutes = PARTS[name]
        count = int(size or usual)
        about = max(1, round(minutes * count / usual))
        console.print(f"{name} : {count} {what}, {about} minutes environ")
        began = time.monotonic()

        def say(done: object, began: float = began) -> None:
            if isinstance(done, str):
                done = f"{time.monotonic() - began:5.0f} s  {done}"
            console.print(done)

        with tempfile.TemporaryDirectory(prefix="epreuve-") as scratch:
            run(project, Path(scratch), count, say)
        console.print(f"{name} : {(time.monotonic() - began) / 60:.1f} minutes")


if __name__ == "__main__":
    main()
