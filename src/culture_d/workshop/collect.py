"""Collect what the learners submitted, have it graded, and give the feedback back.

Nothing here runs as root on what learners wrote: collecting, grading and releasing happen
in the trainer's account, in its view of the machine (`room`), where each submission is
isolated again. Only the pages put in the learners' folders are written by the command,
with the rights of each learner.

Each step may be run again: what is taken is not taken twice, what is graded is not graded
twice, what is given back is given back the same.
"""

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from culture_d.errors import CultureDError, WorkshopError
from culture_d.french import accord
from culture_d.grading.ledger import Entry
from culture_d.grading.model import CellScore, Failed, Refusal
from culture_d.grading.run import REFUSAL_PAGE, Options, Outcome, Progress, correct
from culture_d.workshop import disk, room
from culture_d.workshop.arrivals import SECRET, STAMP, Received
from culture_d.workshop.clock import shown_end
from culture_d.workshop.model import COURSE_ID, Account, Workshop

FEEDBACK_FOLDER = "retours"
"""In what a learner's JupyterLab shows: one page for each exercise that is graded."""


@dataclass
class Harvest:
    """What a collection found and what became of it."""

    received: list[Received] = field(default_factory=list)
    late: dict[str, list[str]] = field(default_factory=dict)
    """By exercise, who submitted after the end, as the room calls them, and how long after."""
    missing: dict[str, list[str]] = field(default_factory=dict)
    """Who submitted nothing, by exercise."""
    remarks: list[str] = field(default_factory=list)
    outcome: Outcome | None = None


@dataclass
class GivenBack:
    """What was given back, and what was not."""

    pages: list[Path] = field(default_factory=list)
    """Pages put in the learners' folders."""
    released: int = 0
    """Submissions whose feedback nbgrader's assignment list now offers."""
    remarks: list[str] = field(default_factory=list)
    outcome: Outcome | None = None


def names(workshop: Workshop) -> dict[str, str]:
    """What each learner is called in the room, by their name in nbgrader."""
    return {workshop.learner(seat): seat.name for seat in workshop.seats}


def collect(workshop: Workshop, jobs: int, isolated: bool = True) -> Harvest:
    """Take in what was submitted, then grade what is new.

    Args:
        workshop: the workshop.
        jobs: submissions graded at once.
        isolated: see `culture_d.grading.run.Options`.

    Raises:
        CultureDError: the course, the exchange or the isolation is missing; nothing is lost.
    """
    disk.check(workshop.folder)
    said = _as_trainer(workshop, "collect", jobs, isolated)
    called = names(workshop)
    harvest = Harvest(
        [_received(one) for one in said["received"]],
        remarks=said["remarks"],
        outcome=_outcome(said["outcome"]),
    )
    end = _date(workshop.end) if workshop.end else None
    for exercise in workshop.exercises:
        here = [one for one in harvest.received if one.assignment == exercise]
        there = {one.learner for one in here}
        harvest.missing[exercise] = [called[one] for one in called if one not in there]
        harvest.late[exercise] = [
            _said_late(called[one.learner], one, end) for one in here if end and one.late(end)
        ]
    return harvest


def give_back(workshop: Workshop, jobs: int, isolated: bool = True) -> GivenBack:
    """Bring the pages up to date with what the trainer gave, then hand them to the learners.

    nbgrader's assignment list offers them (« Fetch Feedback »), and each is put in the
    learner's folder `retours/`.

    Raises:
        CultureDError: the course, the exchange or the isolation is missing; nothing is lost.
    """
    said = _as_trainer(workshop, "give_back", jobs, isolated)
    back = GivenBack(
        released=said["released"], remarks=said["remarks"], outcome=_outcome(said["outcome"])
    )
    for seat in workshop.seats:
        for exercise in workshop.exercises:
            with _acting_as(workshop.trainer.user if workshop.separated else None):
                page = _page(
                    workshop.course / "feedback" / workshop.learner(seat) / exercise, exercise
                )
                content = page.read_bytes() if page else b""
            if page is None:
                continue
            try:
                back.pages.append(_hand_over(workshop, seat, f"{exercise}.html", content))
            except (OSError, KeyError) as error:
                back.remarks.append(
                    f"{seat.name} : la page « {exercise} » n'a pas pu être posée dans son dossier "
                    f"({getattr(error, 'strerror', None) or error}). Elle est dans « {page} »."
                )
    return back


def _page(folder: Path, exercise: str) -> Path | None:
    """Find the page of a learner: of the graded notebook, else of the refusal."""
    graded = [folder / f"{exercise}.html", *sorted(folder.glob("*.html"))]
    found = [one for one in graded if one.name != REFUSAL_PAGE and one.is_file()]
    # A refusal that came after grades says why the last submission does not count.
    refused = folder / REFUSAL_PAGE
    return refused if refused.is_file() else (found[0] if found else None)


def _hand_over(workshop: Workshop, seat: Account, name: str, content: bytes) -> Path:
    """Put a page in a learner's folder, owned by them and read by no other learner."""
    target = seat.work / FEEDBACK_FOLDER / name
    with _acting_as(seat.user if workshop.separated else None):
        # With the learner's own rights: a link of theirs leads nowhere they may not write.
        target.parent.mkdir(mode=0o700, exist_ok=True)
        partial = target.with_name(f".{name}.partiel")
        partial.unlink(missing_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        with os.fdopen(os.open(partial, flags, 0o600), "wb") as out:
            out.write(content)
        partial.replace(target)
    return target


@contextmanager
def _acting_as(user: str | None) -> Iterator[None]:
    """Give the files' rights of another account to what this process does meanwhile."""
    if user is None or os.geteuid() != 0:
        yield
        return
    account = pwd.getpwnam(user)
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(account.pw_gid)
    os.seteuid(account.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def _as_trainer(workshop: Workshop, step: str, jobs: int, isolated: bool) -> dict[str, Any]:
    """Run a step in the trainer's account; the progress goes to the terminal as it comes."""
    if not workshop.course.is_dir():
        raise WorkshopError(
            f"Le cours de l'atelier, « {workshop.course} », est introuvable. "
            "Relancez « culture-d atelier preparer »."
        )
    order = {
        "step": step,
        "course": str(workshop.course),
        "exchange": str(workshop.exchange),
        "exercises": list(workshop.exercises),
        "learners": names(workshop),
        "separated": workshop.separated,
        "end": workshop.end,
        "jobs": jobs,
        "isolated": isolated,
    }
    argv = [sys.executable, "-m", __name__]
    trainer = workshop.trainer
    words = _able_to_isolate(room.command(workshop, trainer, argv)) if workshop.separated else argv
    with subprocess.Popen(
        words,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=room.environment(trainer),
        cwd="/" if workshop.separated else workshop.course,
        text=True,
    ) as process:
        assert process.stdin is not None and process.stdout is not None
        process.stdin.write(f"{json.dumps(order)}\n")
        process.stdin.flush()
        line = process.stdout.readline()
        # It waits, its result given: what was kept ready to grade ends here, with it.
        with suppress(psutil.NoSuchProcess):
            for one in psutil.Process(process.pid).children(recursive=True):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        process.kill()
    try:
        said: dict[str, Any] = json.loads(line)
    except ValueError:
        raise WorkshopError(
            "La correction s'est arrêtée en route. Rien n'est perdu : relancez."
        ) from None
    if "error" in said:
        raise WorkshopError(said["error"])
    return said


def _able_to_isolate(words: list[str]) -> list[str]:
    """Let a room make rooms of its own.

    A new /proc there asks that an older one be whole; and processes must have in it the
    numbers they know each other by, or a room within waits for ever.
    """
    words = [one for one in words if one != "--unshare-pid"]
    place = words.index("--proc")
    return [*words[:place], "--bind", "/proc", *words[place + 1 :]]


def main() -> None:
    """Run one step, in the trainer's account: an order on stdin, its result on stdout."""
    order = json.loads(sys.stdin.readline())
    # What a library prints must not be taken for the result.
    result = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    try:
        said = {"collect": _collect, "give_back": _give_back}[order["step"]](order)
    except CultureDError as error:
        said = {"error": str(error)}
    print(json.dumps(said, default=str), file=result, flush=True)
    sys.stdin.read()


def _collect(order: Mapping[str, Any]) -> dict[str, Any]:
    from culture_d.exercises import nbgrader_tools
    from culture_d.workshop.safe_collect import SafeCollect

    course = Path(order["course"])
    received: list[Received] = []
    remarks: list[str] = []
    with nbgrader_tools():
        for exercise in order["exercises"]:
            step = SafeCollect(coursedir=_coursedir(order, exercise), config=_config(order))
            step.start()
            received += step.received
            remarks += step.found.remarks
        if order["end"]:
            _say_end(course, order["exercises"], _date(order["end"]))
    return {
        "received": [asdict(one) for one in received],
        "remarks": list(dict.fromkeys(remarks)),
        "outcome": _grade(order),
    }


def _give_back(order: Mapping[str, Any]) -> dict[str, Any]:
    from nbgrader.exchange.default import ExchangeReleaseFeedback

    from culture_d.exercises import nbgrader_tools

    graded = _grade(order)
    course = Path(order["course"])
    released = 0
    remarks = []
    with nbgrader_tools():
        for exercise in order["exercises"]:
            for learner, name in order["learners"].items():
                submitted = course / "submitted" / learner / exercise
                place = course / "feedback" / learner / exercise
                page = _page(place, exercise)
                if not submitted.is_dir() or page is None:
                    continue
                if not (submitted / SECRET).is_file():
                    remarks.append(
                        f"{name} : le dépôt de « {exercise} » n'est pas entier. La liste des "
                        "exercices n'offrira pas ce retour ; il est dans le dossier « retours »."
                    )
                    continue
                _ready(place, submitted, page)
                coursedir = _coursedir(order, exercise)
                coursedir.student_id = learner
                ExchangeReleaseFeedback(coursedir=coursedir, config=_config(order)).start()
                released += 1
    return {"released": released, "remarks": remarks, "outcome": graded}


def _ready(place: Path, submitted: Path, page: Path) -> None:
    """Lay out a page as nbgrader releases it: for each notebook submitted, with its secret.

    What the learner submitted was copied from what they wrote: regular files only.
    """
    from culture_d.grading.whole_file import write_whole

    for name in (SECRET, STAMP):
        write_whole(place / name, (submitted / name).read_bytes(), 0o600)
    content = page.read_bytes()
    for notebook in submitted.glob("*.ipynb"):
        offered = place / f"{notebook.stem}.html"
        if offered != page and (page.name == REFUSAL_PAGE or not offered.exists()):
            write_whole(offered, content)


def _say_end(course: Path, exercises: Sequence[str], end: datetime) -> None:
    """Write the end of the workshop in the gradebook: nbgrader says then who is late."""
    from nbgrader.api import Gradebook, MissingEntry

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}", COURSE_ID) as book:
        for exercise in exercises:
            try:
                known = book.find_assignment(exercise)
            except MissingEntry:
                continue
            wanted = end.astimezone(UTC).replace(tzinfo=None)
            if known.duedate != wanted:
                known.duedate = wanted
                book.db.commit()


def _grade(order: Mapping[str, Any]) -> dict[str, Any] | None:
    course = Path(order["course"])
    if not any((course / "submitted").glob("*/*")):
        return None
    options = Options(course, course=course, jobs=order["jobs"], isolated=order["isolated"])
    with _counted() as progress:
        outcome = correct(options, None, progress)
    return asdict(outcome)


@contextmanager
def _counted() -> Iterator[Progress]:
    from culture_d.cli import counted

    with counted("Correction") as advance:
        yield advance


def _coursedir(order: Mapping[str, Any], exercise: str) -> Any:
    from nbgrader.coursedir import CourseDirectory

    return CourseDirectory(config=_config(order), assignment_id=exercise)


def _config(order: Mapping[str, Any]) -> Any:
    from traitlets.config import Config

    return Config(
        CourseDirectory={"root": order["course"], "course_id": COURSE_ID},
        Exchange={"root": order["exchange"]},
        ExchangeCollect={"check_owner": order["separated"]},
        SafeCollect={"learners": order["learners"]},
    )


def _outcome(said: Mapping[str, Any] | None) -> Outcome | None:
    if said is None:
        return None
    return Outcome(
        Path(said["course"]),
        graded=[_entry(one) for one in said["graded"]],
        unchanged=[_entry(one) for one in said["unchanged"]],
        refused=[Refusal(**one) for one in said["refused"]],
        failed=[Failed(**one) for one in said["failed"]],
        ignored=said["ignored"],
        warnings=said["warnings"],
        written=[Path(one) for one in said["written"]],
    )


def _entry(said: Mapping[str, Any]) -> Entry:
    scores = tuple(CellScore(**one) for one in said["scores"])
    return Entry(**{**said, "notes": tuple(said["notes"]), "scores": scores})


def _received(said: Mapping[str, Any]) -> Received:
    moments = {"moment": _date(said["moment"]), "earlier": tuple(map(_date, said["earlier"]))}
    return Received(**{**said, **moments})


def _said_late(name: str, one: Received, end: datetime) -> str:
    """Say who is late, of how much, and whether something came in time."""
    kept = " ; un dépôt fait à temps est gardé" if one.in_time_before(end) else ""
    return f"{name} ({_how_long(one.moment - end)} après{kept})"


def _how_long(late: timedelta) -> str:
    minutes = int(late.total_seconds() // 60)
    for size, noun in ((24 * 60, "jour"), (60, "heure"), (1, "minute")):
        if minutes >= size:
            return accord(minutes // size, noun)
    return "moins d'une minute"


def _date(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def lines(harvest: Harvest, workshop: Workshop) -> Iterator[str]:
    """Tell what was collected, in French: one line an exercise, then what is to be looked at."""
    for exercise in workshop.exercises:
        here = [one for one in harvest.received if one.assignment == exercise]
        again = sum(one.former for one in here)
        new = sum(one.new for one in here)
        line = f"« {exercise} » : {accord(len(here), 'devoir remis', 'devoirs remis')}"
        line += f" sur {len(workshop.seats)}, dont {accord(new, 'nouveau', 'nouveaux')}."
        if again:
            line += f" Dépôts précédents, gardés : {again}."
        yield line
        if harvest.late[exercise]:
            yield (
                f"  Après la fin ({shown_end(workshop)}) : {', '.join(harvest.late[exercise])}. "
                "Ces devoirs comptent : aucun point n'est retiré."
            )
        if harvest.missing[exercise]:
            yield f"  N'ont rien remis : {', '.join(harvest.missing[exercise])}."
    yield from harvest.remarks


if __name__ == "__main__":
    main()
