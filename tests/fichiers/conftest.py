"""Files as local authorities send them, written byte by byte in a temporary folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

Write = Callable[[str, bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write bytes under a name, and return the path."""

    def make(name: str, data: bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return make
