"""nbgrader's own Formgrader over a graded folder, to read free texts and give their points."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from culture_d.errors import GradingError

CONFIG = "nbgrader_config.py"
FIRST_PAGE = "/formgrader/gradebook"
"""« Manual Grading »: the list of exercises, with what is still to be read."""
# Formgrader asks a public site for its formulas, and would tell it what is being read.
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
        "connect-src 'self' ws: wss:; frame-ancestors 'self'"
    )
}


def command(course: Path, options: Sequence[str] = ()) -> tuple[list[str], dict[str, str]]:
    """Give the command that opens Formgrader over a course, to be run in it, and its environment.

    It listens on the loopback address only. Formgrader reads `nbgrader_config.py` in the current
    folder, which says where the gradebook is.

    Raises:
        GradingError: the folder is not one that `culture-d corriger` fills.
    """
    if not (course / CONFIG).is_file() or not (course / "source").is_dir():
        raise GradingError(
            f"« {course} » n'est pas un dossier de correction : il y faut « {CONFIG} » et "
            "« source ». Donnez celui que « culture-d corriger » a rempli."
        )
    own = course / ".culture-d" / "jupyter"
    arguments = [
        *(sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={course.resolve()}"),
        *(f"--LabApp.default_url={FIRST_PAGE}", "--ServerApp.ip=127.0.0.1"),
        f"--ServerApp.tornado_settings={ {'headers': _HEADERS} }",
        *options,
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments.append("--allow-root")  # a container's only account; it listens on loopback
    environment = {
        **os.environ,
        # nbgrader looks for « alembic » there.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "JUPYTERLAB_SETTINGS_DIR": str((own / "reglages").resolve()),
        "JUPYTERLAB_WORKSPACES_DIR": str((own / "espaces").resolve()),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    return arguments, environment
