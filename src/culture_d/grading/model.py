"""What the steps of the grading hand to one another.

intake -> repair -> isolated run -> record -> feedback. Everything here is plain data:
it goes to another process, or to another machine, and comes back the same. The middle
step (`Runner.grade`) is a function of an assignment and a submission alone; it sees
neither the gradebook nor another learner.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Times in seconds, sizes in bytes."""

    cell_seconds: float = 60
    total_seconds: float = 300
    cpu_seconds: int = 240
    memory: int = 2048 * MEBIBYTE
    disk: int = 64 * MEBIBYTE
    processes: int = 64
    open_files: int = 256
    output: int = 1 * MEBIBYTE
    """Outputs of one notebook: what is beyond is cut, and the cut is said."""


@dataclass(frozen=True)
class Assignment:
    """One assignment of an nbgrader course, as it is handed to a runner.

    Made by nbgrader's own `generate_assignment`; holds no learner.
    """

    name: str
    gradebook: bytes
    """A SQLite gradebook that knows this assignment and nothing else."""
    files: Mapping[str, bytes]
    """Files beside the notebook (data, verifier.py), by path within the assignment."""
    notebooks: Mapping[str, bytes]
    """Notebooks as nbgrader keeps them for grading: solutions cleared, hidden tests kept.
    By file name, `petit.ipynb`."""
    config: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    """The course's nbgrader settings, but for its paths and its database."""

    @property
    def version(self) -> str:
        """A digest that changes with anything that can change a score (hexadecimal)."""
        return _digest(
            [("gradebook", self.gradebook), ("config", repr(sorted(self.config.items())).encode())]
            + [(f"file {name}", text) for name, text in self.files.items()]
            + [(f"notebook {name}", text) for name, text in self.notebooks.items()]
        )


@dataclass(frozen=True)
class Submission:
    """One learner's files for one assignment, exactly as they were received."""

    learner: str
    """As the gradebook names them: letters, digits, `_`, `-`, `.`."""
    assignment: str
    files: Mapping[str, bytes]
    """By path within the submission, forward slashes, never absolute, never with `..`."""
    timestamp: str | None = None
    """When it was submitted, as nbgrader's `timestamp.txt` says it."""
    shown_name: str = ""
    """The name as the platform shows it, for reports."""
    notes: tuple[str, ...] = ()
    """What was decided on reading it: French sentences for the learner."""
    participant: str = ""
    """Moodle's number of the learner in this assignment, if the files came from Moodle."""

    @property
    def digest(self) -> str:
        """A digest of what was received (hexadecimal)."""
        stamp = [("timestamp", (self.timestamp or "").encode())]
        return _digest(stamp + list(self.files.items()))


@dataclass(frozen=True)
class Refusal:
    """A submission that cannot be graded, and what to tell its author."""

    learner: str
    assignment: str
    reason: str
    """One or two French sentences for the learner: what was found, what to do."""
    shown_name: str = ""


@dataclass(frozen=True)
class Repaired:
    """A submission that can be graded: notebooks only of this assignment, each cell once."""

    submission: Submission
    """With the repaired notebooks in `files`; `digest` is that of the received one."""
    digest: str
    notes: tuple[str, ...] = ()
    """What was repaired: French sentences for the learner."""


@dataclass(frozen=True)
class CellScore:
    """One graded cell. Points as nbgrader counts them."""

    notebook: str
    cell: str
    """Its grade_id."""
    automatic: float | None
    """None: a person must read it."""
    maximum: float
    needs_manual_grade: bool
    comment: str | None = None
    """nbgrader's automatic comment (« No response. »), on the cell of the answer."""


@dataclass(frozen=True)
class Graded:
    """What the isolated run gives back."""

    learner: str
    assignment: str
    notebooks: Mapping[str, bytes]
    """The executed notebooks, as nbgrader writes them in `autograded/`, by file name."""
    scores: tuple[CellScore, ...]
    comments: tuple[tuple[str, str, str | None], ...] = ()
    """Automatic comments: notebook, cell, text."""
    late_penalties: Mapping[str, float] = field(default_factory=dict)
    """Points taken off by the course's late-submission plugin, by notebook."""
    notes: tuple[str, ...] = ()
    """What happened: a cell stopped, output cut, a warning. French, for the learner."""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    """What the person who corrects must know of the run. French."""


@dataclass(frozen=True)
class Failed:
    """The run itself failed: not the learner's points, but a fault to report. Nothing is recorded."""

    learner: str
    assignment: str
    reason: str


class Runner(Protocol):
    """One way of running submissions. Used by one process, one submission at a time."""

    def grade(self, assignment: Assignment, repaired: Repaired, limits: Limits) -> Graded | Failed:
        """Run and score one submission; leave nothing behind, whatever it does."""

    def close(self) -> None:
        """Stop what was kept ready."""


def _digest(parts: Iterable[tuple[str, bytes]]) -> str:
    total = hashlib.sha256()
    for name, content in sorted(parts):
        for piece in (name.encode("utf-8", "surrogatepass"), content):
            total.update(len(piece).to_bytes(8, "big"))
            total.update(piece)
    return total.hexdigest()
