"""Write a file in one go: a reader finds the old one, or the new one, never a part."""

import os
import tempfile
from pathlib import Path

from culture_d.errors import FeedbackError, reason


def write_whole(path: Path, content: str | bytes, mode: int = 0o644) -> Path:
    """Write a text in UTF-8, or bytes, as they are, and return `path`. Missing folders are made.

    Raises:
        FeedbackError: the disk refuses; nothing has changed.
    """
    partial = Path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=".en-cours-", dir=path.parent)
        partial = Path(name)
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode("utf-8") if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        partial.chmod(mode)
        partial.replace(path)
    except OSError as error:
        if partial.name:
            partial.unlink(missing_ok=True)
        raise FeedbackError(
            f"« {path} » ne peut pas être écrit : {reason(error)}. "
            "Corrigez cela, puis relancez : les fichiers déjà écrits sont entiers."
        ) from None
    return path
