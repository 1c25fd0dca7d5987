"""The report on a whole class, for who teaches: marks, what was missed and why, who is missing.

One HTML file, in the same look and under the same rules as a feedback page: no script, nothing
fetched. Each figure is drawn from the table beside it.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from culture_d.french import NO_BREAK_SPACE, accord, nombre, pourcent, typeset
from culture_d.grading.feedback import lateness, points, render
from culture_d.grading.inert import read_executed
from culture_d.grading.model import Assignment, Refusal
from culture_d.grading.outputs import Reader
from culture_d.grading.questions import Outline, Question, hints_of, outline
from culture_d.grading.results import Result, learners, results

Autograded = Callable[[str], Mapping[str, bytes]]
"""Gives the executed notebooks of a learner, by name without suffix."""

BARS = 10
SHOWN_MISTAKES = 3
MOST_NAMES = 300
"""Beyond, the list of marks is left to the spreadsheet."""
WIDTH = 400
"""Width of the figures, in their own units."""
_LABEL = 17


@dataclass(frozen=True)
class Bar:
    """One bar of a figure: where it is, how long, and what is written beside it."""

    x: float
    y: float
    width: float
    height: float
    label: str
    value: str


@dataclass(frozen=True)
class Row:
    """A question in the report."""

    title: str
    label: str
    success: float | None
    """Share of the points earned, between 0 and 1; None while nothing is marked."""
    none: int
    """How many earned no point."""
    mistakes: tuple[tuple[str, int], ...]
    """The mistakes recognised and how many made them, commonest first."""


@dataclass
class _Tally:
    """What is counted, learner after learner: memory does not grow with their outputs."""

    earned: dict[Question, list[float]] = field(default_factory=dict)
    mistakes: dict[Question, Counter[str]] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def class_report(
    db_url: str,
    assignment: Assignment,
    refusals: Sequence[Refusal],
    expected: Iterable[str],
    autograded: Autograded,
) -> str:
    """Make the whole HTML page of a class.

    Args:
        db_url: the gradebook.
        assignment: what was asked.
        refusals: those whose file could not be graded, and why.
        expected: everyone who should submit, as the gradebook names them; everyone the
            gradebook knows, and those refused, if there is none.
        autograded: gives the executed notebooks of a learner.

    Raises:
        FeedbackError: the gradebook is missing, or does not know the assignment.
    """
    plan = outline(assignment)
    known = {one.learner: one.name or one.learner for one in learners(db_url)}
    tally, marked = _Tally(), list[Result]()
    for result in results(db_url, assignment.name):
        marked.append(result)
        _count(plan, result, autograded, tally)
    refused = {refusal.learner for refusal in refusals}
    everyone = set(expected) or set(known) | refused
    missing = sorted(everyone - refused - {one.learner for one in marked})
    rows = _rows(plan, tally)
    ranked = sorted(rows, key=lambda row: (row.success is None, row.success or 0.0))
    return render(
        "bilan.html.j2",
        title=typeset(plan.title),
        facts=list(map(typeset, _facts(marked, everyone, refused, missing))),
        summary=typeset(_summary(marked)),
        bars=_histogram(marked),
        bins=_bins(marked),
        rows=ranked,
        success=_success_bars(ranked),
        figure_width=WIDTH,
        maximum=points(max((one.maximum for one in marked), default=0)),
        awaited=[
            (_name(one, known), accord(one.awaited, "point")) for one in marked if one.awaited
        ],
        late=[
            (_name(one, known), lateness(one.seconds_late), _taken(one.penalty))
            for one in marked
            if one.seconds_late or one.penalty
        ],
        missing=[known.get(name, name) for name in missing],
        refusals=[
            (one.shown_name or known.get(one.learner, one.learner), typeset(one.reason))
            for one in refusals
        ],
        marks=[
            (_name(one, known), points(one.points), points(one.marked_maximum))
            for one in sorted(marked, key=lambda one: _name(one, known).casefold())
        ]
        if len(marked) <= MOST_NAMES
        else [],
        unread=[known.get(name, name) for name in tally.unread],
    )


def _taken(penalty: float) -> str:
    if not penalty:
        return ""
    return f"{accord(penalty, 'point')} {'retirés' if penalty >= 2 else 'retiré'}"


def _name(result: Result, known: Mapping[str, str]) -> str:
    return known.get(result.learner, result.name or result.learner)


def _count(plan: Outline, result: Result, autograded: Autograded, tally: _Tally) -> None:
    for question in plan.questions:
        marks = [
            mark
            for name in question.graded
            if (mark := result.marks.get((question.notebook, name))) and not mark.awaited
        ]
        maximum = sum(mark.maximum for mark in marks)
        if maximum:
            share = sum(mark.points for mark in marks) / maximum
            tally.earned.setdefault(question, []).append(min(share, 1.0))
    try:
        notebooks = {
            name: read_executed(content) for name, content in autograded(result.learner).items()
        }
    except (OSError, ValueError):
        tally.unread.append(result.learner)
        return
    reader = Reader(plan)
    for name, notebook in notebooks.items():
        for cell in notebook.cells:
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id", "")
            asked = plan.of_cell.get((name, grade_id))
            if asked and cell.cell_type == "code":
                found = Counter(reader.said(hint)[:300] for hint in hints_of(cell))
                tally.mistakes.setdefault(asked, Counter()).update(found)


def _rows(plan: Outline, tally: _Tally) -> list[Row]:
    rows = []
    for question in plan.questions:
        if not question.graded:
            continue
        shares = tally.earned.get(question, [])
        counted = tally.mistakes.get(question, Counter())
        ordered = sorted(counted.items(), key=lambda one: (-one[1], one[0]))
        rows.append(
            Row(
                typeset(question.title),
                _short(question.title),
                fmean(shares) if shares else None,
                sum(share == 0 for share in shares),
                tuple(ordered[:SHOWN_MISTAKES]),
            )
        )
    return rows


def _short(title: str) -> str:
    """Shorten a title to what fits beside a bar: « Question 1 », or its first words."""
    first = title.split(". ", 1)[0].split(" : ", 1)[0]
    short = first if len(first) <= _LABEL else first[: _LABEL - 1].rstrip() + "…"
    return re.sub(r" (?=\d)", NO_BREAK_SPACE, short)


def _facts(
    marked: Sequence[Result], everyone: set[str], refused: set[str], missing: Sequence[str]
) -> Iterator[str]:
    yield f"{accord(len(everyone), 'personne attendue', 'personnes attendues')}."
    yield f"{accord(len(marked), 'devoir corrigé', 'devoirs corrigés')}."
    yield f"{accord(len(refused), 'devoir refusé', 'devoirs refusés')}, {accord(len(missing), 'non rendu', 'non rendus')}."
    waiting = sum(bool(one.awaited) for one in marked)
    if waiting:
        yield (
            f"{accord(waiting, 'devoir attend', 'devoirs attendent')} une relecture : "
            "les points à venir comptent pour zéro dans ce bilan."
        )


def _summary(marked: Sequence[Result]) -> str:
    if not marked:
        return "Aucun devoir n'est corrigé pour l'instant."
    totals = [one.points for one in marked]
    out_of = points(max(one.maximum for one in marked))
    return (
        f"La note médiane est de {nombre(median(totals), 1)} sur {out_of} : la moitié des devoirs "
        f"a cette note ou mieux. La moyenne est de {nombre(fmean(totals), 1)}."
    )


def _bins(marked: Sequence[Result]) -> list[tuple[str, int]]:
    """Count the marks by tenths of the maximum; the last bin holds the maximum and beyond."""
    if not marked:
        return []
    maximum = max(one.maximum for one in marked) or 1.0
    step = maximum / BARS
    counts = Counter(min(int(one.points / step + 1e-9), BARS - 1) for one in marked)
    names = [
        f"de {points(rank * step)} à moins de {points((rank + 1) * step)}" for rank in range(BARS)
    ]
    names[-1] = f"de {points((BARS - 1) * step)} à {points(maximum)}"
    return [(name, counts[rank]) for rank, name in enumerate(names)]


def _histogram(marked: Sequence[Result]) -> list[Bar]:
    """Place the bars of the marks, in a figure 200 high whose axis is at 160."""
    bins = _bins(marked)
    most = max((count for _, count in bins), default=0) or 1
    step = WIDTH / BARS
    maximum = max((one.maximum for one in marked), default=0)
    bars = []
    for rank, (_, count) in enumerate(bins):
        height = 130 * count / most
        bars.append(
            Bar(
                rank * step + 2,
                160 - height,
                step - 4,
                height,
                points(rank * maximum / BARS),
                str(count) if count else "",
            )
        )
    return bars


def _success_bars(rows: Sequence[Row]) -> list[Bar]:
    """Place one bar a question, 34 high, the whole length for every point earned."""
    return [
        Bar(
            150,
            rank * 34 + 8,
            round(190 * row.success, 1) if row.success is not None else 0,
            18,
            row.label,
            pourcent(row.success) if row.success is not None else "à venir",
        )
        for rank, row in enumerate(rows)
    ]
