"""The questions of an assignment, and what its test cells said to a learner.

A question is a heading of the assignment, with the cells the learner fills and those that
earn points under it. Titles come from the assignment, never from a submission.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import nbformat

from culture_d.grading.model import Assignment

SHORT_LINE = 12
"""A hidden line of fewer characters (« ) », « points=1 ») says nothing by itself."""

_HEADING = re.compile(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_TITLE = re.compile(r"^#[ \t]+(.+?)[ \t#]*$", re.MULTILINE)
_POINTS = re.compile(r"\s*\([^()]*\bpoints?\b[^()]*\)\s*$")
_MARKUP = re.compile(r"[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}")
_DELIMITERS = {
    "ClearHiddenTests": (
        ("begin_test_delimeter", "BEGIN HIDDEN TESTS"),
        ("end_test_delimeter", "END HIDDEN TESTS"),
    ),
    "ClearMarkScheme": (
        ("begin_mark_scheme_delimeter", "BEGIN MARK SCHEME"),
        ("end_mark_scheme_delimeter", "END MARK SCHEME"),
    ),
    "ClearSolutions": (
        ("begin_solution_delimeter", "BEGIN SOLUTION"),
        ("end_solution_delimeter", "END SOLUTION"),
    ),
}
_SAID = re.compile(r"^(?P<variable>\w+) – (?P<text>.*)$")
_EARNED = re.compile(
    r"^(?P<earned>[\d\u202f]+(?:,\d+)?) sur (?P<maximum>[\d\u202f]+(?:,\d+)?)\.\s*(?P<hint>.*)$"
)
_LETTER = re.compile(r"^(?:Ligne \S{1,30}|[A-Z] (?:cochée à tort|oubliée))\s?: ")
_NEXT_HINT = re.compile(r"(?<=[.?!]) (?=Ligne \S{1,30}\s?: |[A-Z] (?:cochée à tort|oubliée)\s?: )")


@dataclass(frozen=True)
class Question:
    """A heading with its cells, in order. Cells are named by their grade_id."""

    notebook: str
    title: str
    answers: tuple[str, ...] = ()
    """Cells the learner fills."""
    graded: tuple[str, ...] = ()
    """Cells that earn points: tests, and free texts that a person reads."""
    others: tuple[str, ...] = ()
    """Other code of the assignment under this heading: identifiers of cells."""


@dataclass(frozen=True)
class Outline:
    """What the pages need of an assignment: its title, its questions, what must not be shown."""

    title: str
    questions: tuple[Question, ...]
    hidden: frozenset[str]
    """Lines of hidden tests and mark schemes, without the spaces around; none is too short."""
    visible: str
    """What learners were given: everything but the hidden lines."""
    texts: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """The cells of each notebook as learners were given them."""
    tasks: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The texts of the tasks as learners were given them, by notebook and grade_id: the graded
    notebook holds the course's own, with its mark scheme."""

    @cached_property
    def of_cell(self) -> dict[tuple[str, str], Question]:
        """The question of each cell that earns points: by notebook and grade_id."""
        return {
            (question.notebook, name): question
            for question in self.questions
            for name in question.graded
        }


class Said(NamedTuple):
    """What the check said of one variable."""

    variable: str
    read: str = ""
    """What was understood of the answer."""
    earned: str = ""
    """Points, as written for the reader; empty if it was not marked."""
    maximum: str = ""
    hint: str = ""

    @property
    def hints(self) -> tuple[str, ...]:
        """The mistakes recognised, one by one."""
        return tuple(hint.strip() for hint in _NEXT_HINT.split(self.hint) if hint.strip())


def outline(assignment: Assignment) -> Outline:
    """Read the questions of an assignment, in the order of its notebooks and cells."""
    marks = _marks(assignment.config)
    title, questions = "", list[Question]()
    hidden, visible, texts = set[str](), list[str](), dict[str, frozenset[str]]()
    tasks = dict[tuple[str, str], str]()
    for file, content in sorted(assignment.notebooks.items()):
        name = file.removesuffix(".ipynb")
        notebook = nbformat.reads(content.decode("utf-8"), as_version=4)
        given = []
        for cell in notebook.cells:
            kept, secret = _split(cell.source, marks)
            hidden |= {line for line in map(str.strip, secret) if len(line) >= SHORT_LINE}
            given.append(kept)
            settings = cell.metadata.get("nbgrader", {})
            if settings.get("task"):
                tasks[name, settings.get("grade_id", "")] = kept
            found = _TITLE.search(kept) if cell.cell_type == "markdown" else None
            title = title or (_plain(found[1]) if found else "")
        visible += given
        texts[name] = frozenset(given)
        questions += _questions(name, notebook.cells)
    text = "\n".join(visible)
    given_lines = {line.strip() for line in text.splitlines()}
    return Outline(
        title or assignment.name,
        tuple(questions),
        frozenset(hidden - given_lines),
        text,
        texts,
        tasks,
    )


def said_by(cell: Any) -> tuple[tuple[Said, ...], str]:
    """Read what a test cell printed.

    Returns what the course's `verifier` said of each variable, in order, and the rest of the
    text. Nothing here tells a line that the verifier printed from one that an answer printed.
    """
    said: dict[str, Said] = {}
    rest = []
    for line in _printed(cell).splitlines():
        found = _SAID.match(line.strip())
        if not found:
            rest.append(line)
            continue
        name, text = found["variable"], found["text"].strip()
        before = said.get(name, Said(name))
        points = _EARNED.match(text)
        said[name] = before._replace(**points.groupdict()) if points else before._replace(read=text)
    return tuple(said.values()), "\n".join(rest).strip("\n")


def hints_of(cell: Any) -> tuple[str, ...]:
    """List the mistakes that a test cell recognised, each once and without the letter of its line.

    The letters depend on the learner's own version of the question; the mistake does not.
    """
    found: dict[str, None] = {}
    for said in said_by(cell)[0]:
        for hint in said.hints:
            found[_capital(_LETTER.sub("", hint))] = None
        if said.earned == "0" and not said.hint and said.read:
            found[_reason(said.read)] = None
    return tuple(found)


def _reason(read: str) -> str:
    """Say why an answer could not be marked, without what the learner typed."""
    if read.startswith(("Pas encore de réponse", "La variable")):
        return "Pas de réponse."
    return "Réponse non comprise." if read.startswith("Réponse non comprise") else read


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _printed(cell: Any) -> str:
    return "".join(
        output.text
        for output in cell.get("outputs", ())
        if output.output_type == "stream" and output.name == "stdout"
    )


def _questions(notebook: str, cells: Iterable[Any]) -> list[Question]:
    sections: list[dict[str, Any]] = []

    def section(title: str) -> dict[str, Any]:
        sections.append({"title": title, "answers": [], "graded": [], "others": []})
        return sections[-1]

    current = section("")
    for cell in cells:
        settings = cell.metadata.get("nbgrader", {})
        answer = settings.get("solution") or settings.get("task")
        if cell.cell_type == "markdown" and not answer:
            headings = _HEADING.findall(cell.source)
            if headings:
                current = section(_plain(headings[-1]))
        name = settings.get("grade_id", "")
        if settings.get("grade") or settings.get("task"):
            current["graded"].append(name)
        if answer:
            current["answers"].append(name)
        elif cell.cell_type == "code" and not settings.get("grade"):
            current["others"].append(name or cell.get("id", ""))
    kept = [one for one in sections if one["graded"] or one["answers"]]
    for rank, one in enumerate(kept, start=1):
        one["title"] = one["title"] or f"Question {rank}"
    return [
        Question(
            notebook,
            one["title"],
            tuple(one["answers"]),
            tuple(one["graded"]),
            tuple(one["others"]),
        )
        for one in kept
    ]


def _plain(heading: str) -> str:
    """Drop the marks of Markdown from a heading, and the points said at its end."""
    return _MARKUP.sub("", _POINTS.sub("", heading)).strip()


def _marks(config: Mapping[str, Mapping[str, object]]) -> list[tuple[str, str]]:
    """Give the marks around what learners must not see, as the course sets them."""
    marks = []
    for name, (begin, end) in _DELIMITERS.items():
        settings = config.get(name, {})
        marks.append((str(settings.get(*begin)), str(settings.get(*end))))
    return marks


def _split(source: str, marks: Iterable[tuple[str, str]]) -> tuple[str, list[str]]:
    """Separate a cell into what learners are given and the lines they are not."""
    given, secret, until = [], list[str](), ""
    for line in source.split("\n"):
        if until:
            if until in line:
                until = ""
            else:
                secret.append(line)
            continue
        until = next((end for begin, end in marks if begin in line), "")
        if not until:
            given.append(line)
    return "\n".join(given), secret
