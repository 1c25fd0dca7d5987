"""What every measure shares: the objective of a line, and sizes as a web server sends."""

import gzip
import time
from collections.abc import Callable
from pathlib import Path

from culture_d.french import nombre

RUNS = 3
LESSON = "notebooks/comprendre/moyenne-mediane"
OBJECTIVE = ("objectif", "tenu")
PICTURES = {".png", ".webp", ".jpg", ".gif"}


def held(value: float, limit: float) -> tuple[str, str]:
    """Return the two last columns of a table: the objective, and whether it is held."""
    decimals = 0 if limit == round(limit) else 1
    return f"≤ {nombre(limit, decimals)}", "oui" if value <= limit else "non"


def seconds(action: Callable[[], object]) -> float:
    """Time an action."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def gzipped(name: str, body: bytes) -> int:
    """Bytes of an answer once gzipped as a web server would; pictures as they are."""
    return len(body) if Path(name).suffix in PICTURES else len(gzip.compress(body, 6))
