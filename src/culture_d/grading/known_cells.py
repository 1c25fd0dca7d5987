"""Know the cells of an assignment again in what a learner hands back.

By nbgrader's identifier first, then by the identifier of the cell, then by its unchanged
text, and last by its place between cells already known. Works on any nbgrader course:
only the notebooks of the `Assignment` are read, as plain data.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from culture_d.grading.model import Assignment
from culture_d.grading.plain_notebook import Cell, Notebook

_ASSIGNED = re.compile(r"^([^\W\d]\w*)[ \t]*(?:=(?!=)|<-)", re.MULTILINE)
# A shorter text may be in any exercise: « import verifier ». In its place, less will do.
_TELLING = 25
_OWN_TEXT = 15
_ALIKE = 0.5
# Tests rewritten by the learner, rather than those of an exercise of the same identifiers.
_FEW = 2


@dataclass(frozen=True)
class KnownCell:
    """One cell of the assignment's notebook, marked by nbgrader or not."""

    rank: int
    content: Mapping[str, Any]
    """The cell as nbformat 4 writes it, hidden tests included."""
    source: str
    released: str
    """What the learner was given: without hidden tests and marking scheme."""
    text: str
    """`released`, as `normal` gives it."""
    grade_id: str | None
    graded: bool
    solution: bool
    locked: bool
    """Whether nbgrader puts its text back, whatever the learner made of it."""

    @property
    def kind(self) -> str:
        """`code` or `markdown`."""
        return str(self.content["cell_type"])

    @property
    def marked(self) -> bool:
        """Whether nbgrader must find this cell in the submission."""
        return self.grade_id is not None

    @property
    def test(self) -> bool:
        """Whether its output gives points: graded, and not an answer."""
        return self.graded and not self.solution

    @property
    def manual(self) -> bool:
        """Whether it is an answer that a person reads."""
        return self.graded and self.solution

    @property
    def answers(self) -> frozenset[str]:
        """The names that an answer's stub assigns."""
        return assigned(self.released) if self.solution and self.kind == "code" else frozenset()


@dataclass(frozen=True)
class KnownNotebook:
    """A notebook of the assignment."""

    name: str
    """As nbgrader's gradebook names it: without `.ipynb`."""
    cells: tuple[KnownCell, ...]
    metadata: Mapping[str, Any]
    texts: frozenset[str]
    """What was handed out, cell by cell, as `normal` gives it."""


@dataclass(frozen=True)
class Resemblance:
    """How much a notebook looks like one of the assignment."""

    texts: int
    """Unchanged texts of the assignment that are long enough to tell it from another."""
    marks: int
    """Identifiers of nbgrader that are those of the assignment."""
    kept: int
    """Locked or graded cells that are those of the assignment, give or take a few lines."""
    foreign: int
    """Locked or graded cells that are not."""
    complete: bool
    """Whether the identifiers are all those of the assignment, and no other."""
    answered: bool
    """Whether any answer differs from what was handed out."""

    @property
    def accepted(self) -> bool:
        """Whether this is the assignment's notebook, and not one of another exercise."""
        if self.complete and self.foreign <= _FEW:
            return True
        return bool(self.texts or self.marks) and self.texts + self.kept >= self.foreign

    @property
    def strength(self) -> tuple[int, int]:
        """Order of likeness: texts first, since exercises share identifiers."""
        return self.texts - self.foreign, self.marks


def notebooks_of(assignment: Assignment) -> dict[str, KnownNotebook]:
    """Read the notebooks of an assignment, by nbgrader's name."""
    settings = tuple(
        str(assignment.config.get(owner, {}).get(name, default))
        for owner, name, default in (
            ("ClearHiddenTests", "begin_test_delimeter", "BEGIN HIDDEN TESTS"),
            ("ClearHiddenTests", "end_test_delimeter", "END HIDDEN TESTS"),
            ("ClearMarkScheme", "begin_mark_scheme_delimeter", "BEGIN MARK SCHEME"),
            ("ClearMarkScheme", "end_mark_scheme_delimeter", "END MARK SCHEME"),
        )
    )
    found = (
        _known_notebook(name.removesuffix(".ipynb"), data, settings)
        for name, data in assignment.notebooks.items()
    )
    return {notebook.name: notebook for notebook in found}


def resemblance(notebook: Notebook, known: KnownNotebook) -> Resemblance:
    """Measure how much a notebook looks like one of an assignment."""
    texts = {normal(text) for cell in known.cells if not cell.solution for text in _texts(cell)} - {
        ""
    }
    by_mark = {cell.grade_id: cell for cell in known.cells if cell.grade_id}
    stubs = {cell.text for cell in known.cells if cell.solution}
    seen, marks, unknown = set(), set(), 0
    kept, foreign, answered = 0, 0, False
    for cell in notebook.cells:
        text = normal(cell.source)
        same = by_mark.get(cell.grade_id) if cell.grade_id else None
        if text in texts and len(text) >= _TELLING:
            seen.add(text)
        if same is not None:
            marks.add(cell.grade_id)
            answered = answered or (same.solution and text not in stubs)
        elif cell.grade_id:
            unknown += 1
        if cell.grade_id and cell.guarded:
            alike = same is not None and _alike(text, same)
            kept += alike
            foreign += not alike and text not in texts
    free = {normal(cell.source) for cell in notebook.cells if not cell.grade_id} - texts - stubs
    return Resemblance(
        texts=len(seen),
        marks=len(marks),
        kept=kept,
        foreign=foreign,
        complete=not unknown and marks == set(by_mark) and bool(marks),
        answered=answered or bool(free - {""}),
    )


def match(notebook: Notebook, known: KnownNotebook) -> dict[int, int]:
    """Tell which cell of the assignment each cell of the learner is: rank to rank.

    Of copied cells, the last one counts, or the last one that was answered.
    """
    found: dict[int, int] = {}
    _match_marks(notebook.cells, known, found)
    _match_identifiers(notebook.cells, known, found)
    _match_texts(notebook.cells, known, found)
    _match_places(notebook.cells, known, found)
    return found


def normal(text: str) -> str:
    """Drop what an editor changes without being asked: line ends, trailing spaces."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def assigned(source: str) -> frozenset[str]:
    """Name the variables that the lines of a cell assign, as far as text can tell."""
    return frozenset(_ASSIGNED.findall(source))


@lru_cache(maxsize=64)
def _known_notebook(name: str, data: bytes, settings: tuple[str, ...]) -> KnownNotebook:
    content = json.loads(data)
    cells = tuple(
        _known_cell(rank, cell, settings) for rank, cell in enumerate(content.get("cells", ()))
    )
    texts = frozenset(cell.text for cell in cells)
    return KnownNotebook(name, cells, content.get("metadata", {}), texts)


def _known_cell(rank: int, cell: dict[str, Any], settings: tuple[str, ...]) -> KnownCell:
    marks = cell.get("metadata", {}).get("nbgrader", {})
    source = cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])
    graded, solution = bool(marks.get("grade")), bool(marks.get("solution"))
    locked = not solution and (graded or bool(marks.get("locked")))
    marked = graded or solution or locked or bool(marks.get("task"))
    begin_test, end_test, begin_scheme, end_scheme = settings
    released = _without(_without(source, begin_test, end_test), begin_scheme, end_scheme)
    return KnownCell(
        rank=rank,
        content=cell,
        source=source,
        released=released,
        text=normal(released),
        grade_id=marks.get("grade_id") if marked else None,
        graded=graded,
        solution=solution,
        locked=locked,
    )


def _without(source: str, begin: str, end: str) -> str:
    """Drop the regions between two marks, as nbgrader's ClearHiddenTests does."""
    kept, inside = [], False
    for line in source.split("\n"):
        if begin in line:
            inside = True
        elif end in line:
            inside = False
        elif not inside:
            kept.append(line)
    return "\n".join(kept)


def _texts(cell: KnownCell) -> tuple[str, str]:
    return cell.released, cell.source


def _alike(text: str, cell: KnownCell) -> bool:
    """Whether a changed cell keeps half of its text, line by line.

    Counted in characters: the short lines are those that every exercise has.
    """
    lines = set(cell.text.split("\n"))
    kept = lines & set(text.split("\n"))
    return sum(map(len, kept)) >= _ALIKE * sum(map(len, lines))


def _match_marks(cells: Sequence[Cell], known: KnownNotebook, found: dict[int, int]) -> None:
    copies: dict[str, list[int]] = defaultdict(list)
    for place, cell in enumerate(cells):
        if cell.grade_id:
            copies[cell.grade_id].append(place)
    for target in known.cells:
        places = copies.get(target.grade_id or "")
        if not places:
            continue
        texts = {at: normal(cells[at].source) for at in places}
        answered = [at for at in places if texts[at] not in ("", target.text)]
        counts = answered[-1] if target.solution and answered else places[-1]
        # Of identical copies, the first: it is most likely where the exercise has it.
        found[next(at for at in places if texts[at] == texts[counts])] = target.rank


def _match_identifiers(cells: Sequence[Cell], known: KnownNotebook, found: dict[int, int]) -> None:
    taken = set(found.values())
    marks = {cell.grade_id for cell in known.cells if cell.grade_id}
    ranks = {cell.content.get("id"): cell.rank for cell in known.cells if cell.content.get("id")}
    ranks |= {cell.grade_id: cell.rank for cell in known.cells if cell.grade_id}
    for place in reversed(range(len(cells))):
        cell = cells[place]
        rank = ranks.get(cell.cell_id) if cell.cell_id else None
        if rank is None or rank in taken or place in found or cell.grade_id in marks:
            continue
        found[place] = rank
        taken.add(rank)


def _match_texts(cells: Sequence[Cell], known: KnownNotebook, found: dict[int, int]) -> None:
    """Match unchanged texts: one of each kind, or as many on both sides, in order."""
    taken = set(found.values())
    targets: dict[str, list[KnownCell]] = defaultdict(list)
    for target in known.cells:
        if target.rank not in taken and target.text:
            targets[target.text].append(target)
    places: dict[str, list[int]] = defaultdict(list)
    for place, cell in enumerate(cells):
        if place not in found:
            places[normal(cell.source)].append(place)
    for text, wanted in targets.items():
        had = places.get(text, [])
        if len(wanted) == 1 and had:
            found[had[-1]] = wanted[0].rank
        elif len(wanted) == len(had):
            found.update(zip(had, (target.rank for target in wanted), strict=True))


def _match_places(cells: Sequence[Cell], known: KnownNotebook, found: dict[int, int]) -> None:
    """Match what lost every mark, by the cells around it: edited tests first, then answers.

    Elsewhere than its place, or unlike it, a learner's text is not replaced on a guess.
    """
    for (low, high), wanted in _gaps(cells, known, found):
        for target in wanted:
            if target.locked and len(target.text) >= _OWN_TEXT:
                edited = [
                    place
                    for place in range(low + 1, high)
                    if place not in found and _alike(normal(cells[place].source), target)
                ]
                found.update(dict.fromkeys(edited[-1:], target.rank))
    for (low, high), wanted in _gaps(cells, known, found):
        answers = [target for target in wanted if target.solution]
        free = [
            place
            for place in range(low + 1, high)
            if place not in found and cells[place].source.strip()
        ]
        found.update(_pair(answers, free, cells))


def _gaps(
    cells: Sequence[Cell], known: KnownNotebook, found: Mapping[int, int]
) -> list[tuple[tuple[int, int], list[KnownCell]]]:
    """List the places between cells that are known, and the marked cells missing there."""
    place_of = {rank: place for place, rank in found.items()}
    gaps: dict[tuple[int, int], list[KnownCell]] = defaultdict(list)
    for cell in known.cells:
        if not cell.marked or cell.rank in place_of:
            continue
        before = [rank for rank in place_of if rank < cell.rank]
        after = [rank for rank in place_of if rank > cell.rank]
        low = place_of[max(before)] if before else -1
        high = place_of[min(after)] if after else len(cells)
        gaps[low, high].append(cell)
    return list(gaps.items())


def _pair(
    wanted: Sequence[KnownCell], free: Iterable[int], cells: Sequence[Cell]
) -> dict[int, int]:
    paired: dict[int, int] = {}
    left = list(free)
    for target in wanted:
        naming = [
            at for at in left if target.answers and target.answers <= assigned(cells[at].source)
        ]
        if naming:
            paired[naming[-1]] = target.rank
            left.remove(naming[-1])
    rest = [target for target in wanted if target.rank not in paired.values()]
    for kind in ("code", "markdown"):
        same = [target for target in rest if target.kind == kind]
        places = [at for at in left if cells[at].kind == kind]
        if len(same) == len(places):
            paired.update(zip(places, (target.rank for target in same), strict=True))
        elif len(same) == 1 and same[0].manual and places:
            longest = max(places, key=lambda at: len(cells[at].source))
            paired[longest] = same[0].rank
    return paired
