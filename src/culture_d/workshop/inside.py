"""What an account does for itself, within its room: `python -m culture_d.workshop.inside`.

`copier MODELE DOSSIER` refreshes a working copy; `distribuer EXERCICE DEVOIRS COURS
ECHANGE` makes the learners' version of an exercise and releases it, as nbgrader's own
commands do. A failure is one French line on the error stream.
"""

import shutil
import sys
from pathlib import Path

from culture_d.errors import CultureDError, reason
from culture_d.project import Project


def copy(model: Path, folder: Path) -> None:
    """Refresh a working copy of the notebooks and data."""
    from culture_d.working_copy import make_working_copy

    make_working_copy(Project(model), folder)


def deliver(slug: str, assignments: Path, course: Path, exchange: Path) -> None:
    """Make the learners' version of an exercise in the trainer's course, and release it."""
    from culture_d import exercises
    from culture_d.errors import ExerciseError

    project = Project(assignments)
    source = course / "source" / slug
    if not source.exists():
        shutil.copytree(
            assignments / "exercises" / "source" / slug, source, copy_function=shutil.copyfile
        )
        _open_to_owner(source)
    settings = course / "nbgrader_config.py"
    if not settings.exists():
        shutil.copyfile(project.exercises / "nbgrader_config.py", settings)
    exercises.generate(project, slug, course)
    with exercises.nbgrader_tools():
        api = exercises.course(project, course)
        api.config.Exchange.root = str(exchange)
        # What an interrupted release left is put again, whole.
        api.config.ExchangeReleaseAssignment.force = True
        result = api.release_assignment(slug)
    if not result["success"]:
        said = result.get("error") or result.get("log") or "nbgrader n'en dit pas la raison"
        raise ExerciseError(said.strip().splitlines()[-1])
    inbound = exchange / api.coursedir.course_id / "inbound"
    # nbgrader makes it for all to write in and none to list; with this, none may rename or
    # remove there what another handed in.
    inbound.chmod(inbound.stat().st_mode & 0o7777 | 0o1000)


def _open_to_owner(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def main() -> None:
    """Do one thing, or leave with why not."""
    action, *words = sys.argv[1:]
    try:
        if action == "copier":
            copy(*map(Path, words))
        else:
            deliver(words[0], *map(Path, words[1:]))
    except CultureDError as error:
        sys.exit(str(error))
    except OSError as error:
        sys.exit(f"« {error.filename} » : {reason(error)}.")


if __name__ == "__main__":
    main()
