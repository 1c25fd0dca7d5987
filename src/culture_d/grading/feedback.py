"""The page that gives a learner their marks, and what to learn from them.

One HTML file, without script, in French. It says what the check understood of each answer and
which mistake it recognised, shows the answer as it was written, a person's comments, what was
repaired, and what to read again. It never shows a hidden test, a solution, someone else's
name or a path of the machine; and nothing of a submission runs when it is opened (see
`outputs`, and the page's Content-Security-Policy as a second lock).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from nbformat import NotebookNode

from culture_d.curriculum import load_curriculum, modules
from culture_d.errors import FeedbackError
from culture_d.french import NO_BREAK_SPACE, accord, date_longue, nombre, typeset
from culture_d.grading.inert import read_executed, typed_markdown
from culture_d.grading.model import Assignment, Refusal
from culture_d.grading.outputs import MAX_OUTPUTS, MAX_SAID, Reader, Shown
from culture_d.grading.questions import Outline, Question, Said, outline, said_by
from culture_d.grading.results import Mark, Result, result_of
from culture_d.grading.whole_file import write_whole
from culture_d.project import Project

PARIS = ZoneInfo("Europe/Paris")
SECTIONS = {"le-piege": "Le piège", "la-lecture-juste": "La lecture juste"}
"""Parts that every lesson has, and that its exercise is about, by their anchor on its page."""
_POINTS_DECIMALS = 2


@dataclass(frozen=True)
class Lesson:
    """The lesson of an exercise; `address` is that of its page, empty if it is not known."""

    title: str
    address: str = ""


@dataclass(frozen=True)
class Piece:
    """One cell of the learner's notebook on the page."""

    kind: str
    """`code` or `text`, as its author wrote it; `given` for code of the assignment itself."""
    source: str
    shown: tuple[Shown, ...] = ()


@dataclass(frozen=True)
class Part:
    """A question on the page."""

    anchor: str
    title: str
    points: str
    """« 1,5 sur 2 points »; empty if the question earns none."""
    brief: str
    """« 1,5 sur 2 »."""
    word: str
    """What these points mean, in words."""
    state: str
    """`plein`, `partiel`, `nul`, `attente`, or empty."""
    said: tuple[Said, ...]
    rest: str
    shown: tuple[Shown, ...]
    answers: tuple[Piece, ...]
    added: tuple[Piece, ...]
    given: tuple[Piece, ...]
    comments: tuple[str, ...]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """Everything on a feedback page."""

    title: str
    name: str
    submitted: str
    points: str
    out_of: str
    complete: bool
    facts: tuple[str, ...]
    notes: tuple[str, ...]
    parts: tuple[Part, ...]
    again: tuple[Part, ...]
    lesson: Lesson | None
    sections: Mapping[str, str] = field(default_factory=lambda: SECTIONS)


def feedback_page(
    db_url: str,
    assignment: Assignment,
    learner: str,
    autograded: Mapping[str, bytes],
    notes: Sequence[str],
    shown_name: str = "",
    *,
    lesson: Lesson | None = None,
    notebook: str = "",
) -> str:
    """Make the whole HTML page of one learner.

    Args:
        db_url: the gradebook.
        assignment: what was asked; its hidden tests say what must not be shown.
        learner: as the gradebook names them.
        autograded: the executed notebooks, by name without suffix.
        notes: what was repaired and what happened, as French sentences for the learner.
        shown_name: the name to greet; the gradebook's own if empty.
        lesson: what to read again; see `lesson_of`.
        notebook: only this one, of an assignment that has several.

    Raises:
        FeedbackError: the gradebook is missing, has no such submission, or a notebook
            cannot be.
    """
    result = result_of(db_url, assignment.name, learner)
    return learner_page(
        outline(assignment), result, autograded, notes, shown_name, lesson=lesson, notebook=notebook
    )


def learner_page(
    plan: Outline,
    result: Result,
    autograded: Mapping[str, bytes],
    notes: Sequence[str],
    shown_name: str = "",
    *,
    lesson: Lesson | None = None,
    notebook: str = "",
) -> str:
    """Make the page of one learner from what was read already: for a whole class.

    Opening the gradebook costs more than a page: read it once, with `results.results`.

    Raises:
        FeedbackError: a notebook cannot be read.
    """
    reader = Reader(plan)
    absent = [] if notebook else sorted(plan.texts.keys() - autograded.keys())
    parts: list[Part] = []
    for name in [notebook] if notebook else sorted(autograded):
        parts += _parts(plan, result, name, _read(name, autograded), reader, len(parts) + 1)
    sheet = _sheet(plan, result, parts, notes, shown_name, lesson, absent)
    return render("retour.html.j2", sheet=sheet)


def write_feedback(
    folder: Path,
    db_url: str,
    assignment: Assignment,
    learner: str,
    autograded: Mapping[str, bytes],
    notes: Sequence[str],
    shown_name: str = "",
    *,
    lesson: Lesson | None = None,
    result: Result | None = None,
    plan: Outline | None = None,
) -> Path:
    """Write `folder`/<learner>/<assignment>/<notebook>.html, as nbgrader lays it out.

    A page is whole or absent: it takes its place once written. Nothing else in the folder
    changes. `result` spares opening the gradebook, `plan` reading the assignment: see
    `learner_page`.

    Returns:
        The page of the first notebook, by name; those of the others are beside it.

    Raises:
        FeedbackError: as `feedback_page`, or the page cannot be written.
    """
    place = folder / _one_name(learner) / _one_name(assignment.name)
    plan = plan or outline(assignment)
    result = result or result_of(db_url, assignment.name, learner)
    several = len(autograded) > 1
    for name in sorted(autograded):
        text = learner_page(
            plan,
            result,
            autograded,
            notes,
            shown_name,
            lesson=lesson,
            notebook=name if several else "",
        )
        write_whole(place / f"{_one_name(name)}.html", text)
    return place / f"{min(autograded)}.html"


def refusal_page(refusal: Refusal, title: str = "") -> str:
    """Make the page that tells a learner why their file could not be graded, and what to do.

    `title` is that of the assignment; its name is given where it is not known.
    """
    return render("refus.html.j2", refusal=refusal, title=typeset(title or refusal.assignment))


def lesson_of(project: Project, slug: str, site: str = "") -> Lesson | None:
    """Find the lesson of an exercise of this course, or None.

    `site` is the address of the built site, if learners can reach it.
    """
    for module in modules(load_curriculum(project)):
        if module.slug == slug:
            address = f"{site.rstrip('/')}/{module.document}.html" if site else ""
            return Lesson(typeset(module.title), address)
    return None


def render(template: str, **values: Any) -> str:
    """Fill one of the templates; every value is escaped but a table that `outputs` cleaned."""
    page = _templates().get_template(template).render(values)
    # A name may hold half a sign, which no file can.
    return page.encode("utf-8", "replace").decode("utf-8")


def points(value: float) -> str:
    """Write points in French: « 1,5 »."""
    return nombre(value, _POINTS_DECIMALS)


@cache
def _templates() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"points": points, "typeset": typeset, "accord": accord}
    return environment


def _sheet(
    plan: Outline,
    result: Result,
    parts: Sequence[Part],
    notes: Sequence[str],
    shown_name: str,
    lesson: Lesson | None,
    absent: Sequence[str],
) -> Sheet:
    return Sheet(
        title=typeset(plan.title),
        name=shown_name or result.name or result.learner,
        submitted=_day(result.timestamp),
        points=points(result.points),
        out_of=points(result.marked_maximum),
        complete=not result.awaited,
        facts=tuple(map(typeset, _facts(result, absent))),
        notes=tuple(map(typeset, notes)),
        parts=tuple(parts),
        again=tuple(part for part in parts if part.state in {"nul", "partiel"}),
        lesson=lesson,
    )


def _facts(result: Result, absent: Sequence[str]) -> Iterator[str]:
    """Say what the total leaves out, and what was taken off."""
    for name in absent:
        yield f"Le carnet « {name} » n'a pas été rendu : ses points comptent pour zéro."
    if result.awaited:
        whole = f"L'exercice est noté sur {points(result.maximum)}."
        count = accord(result.awaited, "point")
        verb = "sont" if result.awaited >= 2 else "est"
        yield f"{whole} {count} {verb} en attente de relecture par une personne."
    if result.penalty:
        late = (
            f" {lateness(result.seconds_late)} après la date limite" if result.seconds_late else ""
        )
        taken = accord(result.penalty, "point")
        yield (
            f"Vous avez rendu ce devoir{late or ' après la date limite'} : {taken} "
            f"{'sont retirés' if result.penalty >= 2 else 'est retiré'} du total."
        )
    elif result.seconds_late:
        yield (
            f"Vous avez rendu ce devoir {lateness(result.seconds_late)} après la date limite. "
            "Aucun point n'est retiré."
        )


def lateness(seconds: float) -> str:
    """Write a length of time with its two largest units: « 1 jour et 12 heures »."""
    minutes = max(int(seconds // 60), 1)
    days, minutes = divmod(minutes, 24 * 60)
    hours, minutes = divmod(minutes, 60)
    named = [(days, "jour"), (hours, "heure"), (minutes, "minute")]
    said = [accord(count, noun) for count, noun in named if count][:2]
    return " et ".join(said)


def _day(moment: datetime | None) -> str:
    """Write the day and the hour of Paris."""
    if moment is None:
        return ""
    there = moment.replace(tzinfo=UTC).astimezone(PARIS)
    hour = f"{there.hour}{NO_BREAK_SPACE}h{NO_BREAK_SPACE}{there.minute:02}"
    return f"{date_longue(there.date())} à {hour} (heure de Paris)"


def _parts(
    plan: Outline, result: Result, name: str, notebook: Any, reader: Reader, first: int
) -> Iterator[Part]:
    cells: dict[str, Any] = {}
    for cell in notebook.cells:
        key = cell.metadata.get("nbgrader", {}).get("grade_id") or cell.get("id", "")
        cells.setdefault(key, cell)
    questions = [question for question in plan.questions if question.notebook == name]
    added = _added(plan, name, questions, notebook)
    for (where, key), given in plan.tasks.items():
        if where == name and key in cells:
            cells[key] = NotebookNode(cells[key], source=given)
    for rank, question in enumerate(questions, start=first):
        yield _part(result, question, cells, added.get(question, []), reader, rank)


def _part(
    result: Result,
    question: Question,
    cells: Mapping[str, Any],
    added: Sequence[Any],
    reader: Reader,
    rank: int,
) -> Part:
    marks = [
        mark
        for name in question.graded
        if (mark := result.marks.get((question.notebook, name))) is not None
    ]
    tests = [cells[name] for name in question.graded if name in cells and not _free(cells[name])]
    said, rest, shown = list[Said](), list[str](), list[Shown]()
    for cell in tests:
        told, other = said_by(cell)
        said += [
            one._replace(read=reader.said(one.read), hint=reader.said(one.hint))
            for one in told[:MAX_SAID]
        ]
        rest += [reader.text(other)] if other else []
        shown += reader.outputs(cell, test=True)
    words, state = _words(marks)
    return Part(
        anchor=f"question-{rank}",
        title=typeset(question.title),
        points=typeset(_out_of(marks, words=True)),
        brief=_out_of(marks, words=False),
        word=words,
        state=state,
        said=tuple(said),
        rest="\n".join(rest),
        shown=tuple(shown),
        answers=tuple(_piece(cells[name], reader) for name in question.answers if name in cells),
        added=tuple(_piece(cell, reader) for cell in added[:MAX_OUTPUTS]),
        given=tuple(
            piece
            for name in question.others
            if name in cells and (piece := _given(cells[name], reader)).shown
        ),
        comments=tuple(
            comment
            for name in dict.fromkeys((*question.answers, *question.graded))
            if (comment := result.comments.get((question.notebook, name)))
        ),
        remarks=tuple(_remarks(question, marks, result)),
    )


def _words(marks: Sequence[Mark]) -> tuple[str, str]:
    """Say what the points mean, never by a colour alone."""
    if not marks:
        return "", ""
    if any(mark.awaited for mark in marks):
        return "en attente de relecture", "attente"
    earned, maximum = sum(mark.points for mark in marks), sum(mark.maximum for mark in marks)
    if earned >= maximum:
        return "tous les points", "plein"
    return ("une partie des points", "partiel") if earned > 0 else ("aucun point", "nul")


def _out_of(marks: Sequence[Mark], words: bool) -> str:
    if not marks:
        return ""
    maximum = sum(mark.maximum for mark in marks)
    out_of = accord(maximum, "point") if words else points(maximum)
    if all(mark.awaited for mark in marks):
        return f"À venir, sur {out_of}"
    return f"{points(sum(mark.points for mark in marks))} sur {out_of}"


def _remarks(question: Question, marks: Sequence[Mark], result: Result) -> Iterator[str]:
    extra = sum(mark.extra for mark in marks)
    if extra:
        given = points(extra)
        yield typeset(f"Dont {given} en plus, donné par la personne qui a relu.")
    if any(mark.needs_manual_grade and mark.manual is not None for mark in marks):
        yield typeset("Cette note sera confirmée : votre devoir a été corrigé à nouveau depuis.")
    if any((question.notebook, name) in result.unanswered for name in question.answers):
        yield typeset("Vous n'avez pas répondu : la cellule est restée comme elle était donnée.")


def _free(cell: Any) -> bool:
    """Whether a graded cell is an answer that a person reads, not a test."""
    settings = cell.metadata.get("nbgrader", {})
    return bool(settings.get("solution") or settings.get("task"))


def _piece(cell: Any, reader: Reader) -> Piece:
    kind = "code" if cell.cell_type == "code" else "text"
    source = cell.source if kind == "code" else typed_markdown(cell.source)
    return Piece(kind, reader.source(source), tuple(reader.outputs(cell)))


def _given(cell: Any, reader: Reader) -> Piece:
    return Piece("given", "", tuple(reader.outputs(cell)))


def _added(
    plan: Outline, name: str, questions: Sequence[Question], notebook: Any
) -> dict[Question, list[Any]]:
    """Find the code cells that the learner added, under the question they follow."""
    place = {
        cell: question
        for question in questions
        for cell in (*question.answers, *question.graded, *question.others)
    }
    given = plan.texts.get(name, frozenset())
    found: dict[Question, list[Any]] = {}
    current: Question | None = None
    for cell in notebook.cells:
        settings = cell.metadata.get("nbgrader", {})
        known = place.get(settings.get("grade_id") or cell.get("id", ""))
        if known:
            current = known
        elif (
            current
            and cell.cell_type == "code"
            and not settings
            and cell.source.strip()
            and cell.source not in given
        ):
            found.setdefault(current, []).append(cell)
    return found


def _read(name: str, autograded: Mapping[str, bytes]) -> Any:
    try:
        return read_executed(autograded[name])
    except KeyError:
        raise FeedbackError(
            f"Le carnet corrigé « {name} » manque. Corrigez ce devoir à nouveau, puis relancez."
        ) from None
    except ValueError as error:
        raise FeedbackError(
            f"Le carnet corrigé « {name} » ne se lit pas ({error}). "
            "Corrigez ce devoir à nouveau, puis relancez."
        ) from None


def _one_name(name: str) -> str:
    """Check that a name is one, and not a path.

    Raises:
        FeedbackError: it would leave its folder.
    """
    if name in {"", ".", ".."} or any(sign in name for sign in "/\\\0"):
        raise FeedbackError(
            f"« {name} » ne peut pas nommer un dossier : il faut un nom simple, sans « / ». "
            "Renommez cette personne ou cet exercice dans le carnet de notes."
        )
    return name
