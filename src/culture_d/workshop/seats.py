"""Homes, working copies, exercises: what each account finds when it enters.

Root writes only where accounts cannot: what goes into a home is written there by its own
account, within its room, so that no link left by a learner leads root elsewhere.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path

from culture_d.errors import WorkshopError
from culture_d.french import date_longue
from culture_d.project import Project
from culture_d.workshop import accounts, room
from culture_d.workshop.model import COURSE_ID, Account, Seat, Workshop

_DELIVERY_SECONDS = 300


def make_folders(workshop: Workshop) -> None:
    """Make the workshop's folders, with the permissions that keep seats apart."""
    for path, mode in (
        (workshop.folder, 0o755),
        (workshop.hub_folder, 0o700),
        (workshop.places, 0o755),
        (workshop.archives, 0o700),
        (workshop.folder / "ecrans", 0o755),
        (workshop.jupyter_config("eleve"), 0o755),
        (workshop.jupyter_config("formateur"), 0o755),
        # Anyone may add to the exchange; nobody may rename or remove what is another's.
        (workshop.exchange, 0o1777),
        (workshop.model, 0o755),
        (workshop.assignments, 0o750),
    ):
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)


def make_home(workshop: Workshop, account: Account) -> None:
    """Make a home that its account alone may enter."""
    account.home.mkdir(mode=0o700, exist_ok=True)
    if workshop.separated:
        os.chown(account.home, *accounts.owner(workshop, account))
    account.home.chmod(0o700)


def make_model(project: Project, workshop: Workshop) -> None:
    """Put in one place, once, what every seat copies: notebooks and data, readable by all."""
    for source in (project.notebooks, project.datasets):
        target = workshop.model / source.name
        shutil.copytree(
            source,
            target,
            dirs_exist_ok=True,
            ignore=shutil.ignore_patterns(".*", "__pycache__", "*.py"),
        )
        for path in (target, *target.rglob("*")):
            path.chmod(0o755 if path.is_dir() else 0o644)


def copy_work(workshop: Workshop, account: Account) -> None:
    """Copy the notebooks and data into a home, over nothing that its owner changed.

    Raises:
        WorkshopError: the copy cannot be made; the message says why.
    """
    words = [sys.executable, "-m", "culture_d.workshop.inside", "copier"]
    done = room.run(workshop, account, [*words, str(workshop.model), str(account.work)])
    if done.returncode:
        raise WorkshopError(f"{account.name} : {_last(done.stderr)}")


def find_exercises(project: Project, slugs: Iterable[str]) -> tuple[str, ...]:
    """Check that exercises exist; each is kept once, in order.

    Raises:
        WorkshopError: one is unknown; the message lists those there are.
    """
    # Imported where it serves: nbformat alone takes a second, and `etat` needs none of it.
    from culture_d.exercises import slugs_of

    known = slugs_of(project)
    chosen = tuple(dict.fromkeys(one.strip() for one in slugs if one.strip()))
    unknown = [one for one in chosen if one not in known]
    if unknown:
        raise WorkshopError(
            f"Exercice inconnu : {', '.join(unknown)}. Exercices du cours : {', '.join(known)}."
        )
    return chosen


def find_page(project: Project, slug: str | None) -> str | None:
    """Find the notebook of a module, from the folder of notebooks and data.

    Raises:
        WorkshopError: there is none; the message lists those there are.
    """
    if slug is None:
        return None
    found = {path.stem: path for path in sorted(project.notebooks.rglob("*.ipynb"))}
    if slug not in found:
        raise WorkshopError(f"Module inconnu : {slug}. Modules du cours : {', '.join(found)}.")
    return found[slug].relative_to(project.root).as_posix()


def check_clock(project: Project, today: date) -> None:
    """Check that the machine's day is not before that of the course's own data.

    Submissions are kept by their date, and a certificate has one too.

    Raises:
        WorkshopError: the clock is wrong.
    """
    from culture_d.catalogue import load_catalogue

    newest = max(dataset.published for dataset in load_catalogue(project))
    if today < newest:
        raise WorkshopError(
            f"L'horloge de cette machine dit {date_longue(today)} : c'est avant les données du "
            f"cours ({date_longue(newest)}). Réglez-la (« sudo date -s '{newest} 09:00' »), puis "
            "relancez : les dépôts sont classés par date."
        )


def deliver(
    project: Project, workshop: Workshop, say: Callable[[str], None] = lambda text: None
) -> None:
    """Hand the exercises out: the trainer's account makes them and releases them.

    What was handed out before is left as it is.

    Raises:
        WorkshopError: nbgrader refuses; its reason is in the message.
        ExerciseError, DatasetError: an exercise of the course is not whole.
    """
    done = _delivered(workshop)
    if all(slug in done and (workshop.outbound / slug).is_dir() for slug in workshop.exercises):
        return
    from culture_d import exercises

    root = Project(workshop.assignments)
    _, group = accounts.owner(workshop, workshop.trainer)
    for slug in workshop.exercises:
        if slug in done and (workshop.outbound / slug).is_dir():
            continue
        say(f"Exercice « {slug} »")
        folder = root.exercises / "source" / slug
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        source = exercises.source_of(project, slug)
        shutil.copyfile(source, folder / source.name)
        if (source.parent / "images").is_dir():
            shutil.copytree(source.parent / "images", folder / "images")
        exercises.prepare(project, slug, folder)
        shutil.copyfile(
            project.exercises / "nbgrader_config.py", root.exercises / "nbgrader_config.py"
        )
        for path in (root.root, *root.root.rglob("*")):
            if workshop.separated:
                os.chown(path, 0, group)
            path.chmod(0o750 if path.is_dir() else 0o640)
        words = [sys.executable, "-m", "culture_d.workshop.inside", "distribuer", slug]
        words += [str(root.root), str(workshop.course), str(workshop.exchange)]
        result = room.run(workshop, workshop.trainer, words, seconds=_DELIVERY_SECONDS)
        if result.returncode:
            raise WorkshopError(
                f"L'exercice « {slug} » n'a pas pu être distribué : {_last(result.stderr)}"
            )
        done = (*done, slug)
        _steps(workshop).write_text(json.dumps(done), encoding="utf-8")


def write_nbgrader_config(workshop: Workshop) -> None:
    """Say to nbgrader, for each role, which course and which exchange."""
    common = [
        "c = get_config()  # noqa: F821",
        f"c.CourseDirectory.course_id = {COURSE_ID!r}",
        f"c.Exchange.root = {str(workshop.exchange)!r}",
    ]
    learner = [
        "from pathlib import Path",
        # Without it, a fetched assignment goes where the server was started, out of its sight.
        'c.Exchange.assignment_dir = str(Path.home() / "culture-d")',
    ]
    course = [
        f"c.CourseDirectory.root = {str(workshop.course)!r}",
        f"c.CourseDirectory.db_url = {f'sqlite:///{workshop.gradebook}'!r}",
    ]
    for role, lines in (("eleve", common + learner), ("formateur", common + course)):
        path = workshop.jupyter_config(role) / "nbgrader_config.py"  # type: ignore[arg-type]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        path.chmod(0o644)
    if not workshop.separated:
        for seat in workshop.seats:
            _name_learner(workshop, seat)


def _name_learner(workshop: Workshop, seat: Seat) -> None:
    """Give nbgrader the seat's name where the account is everyone's."""
    folder = workshop.own_config(seat)
    folder.mkdir(exist_ok=True)
    (folder / "nbgrader_config.py").write_text(
        "c = get_config()  # noqa: F821\n" + f"c.CourseDirectory.student_id = {seat.name!r}\n",
        encoding="utf-8",
    )


def _steps(workshop: Workshop) -> Path:
    return workshop.hub_folder / "distribues.json"


def _delivered(workshop: Workshop) -> tuple[str, ...]:
    try:
        return tuple(json.loads(_steps(workshop).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return ()


def _last(said: str) -> str:
    """Keep of what a command said the line that matters."""
    return (said.strip().splitlines() or ["aucune explication"])[-1]
