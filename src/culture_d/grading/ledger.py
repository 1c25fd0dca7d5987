"""What has been done with each submission: one small JSON file each, replaced whole.

The gradebook holds the points; the ledger says of which files they are, so that a run
that was killed goes on where it stopped, and what has not changed is not graded twice.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from culture_d.grading.model import CellScore, Graded
from culture_d.grading.whole_file import write_whole

FOLDER = ".culture-d"
OWNER_ONLY = 0o600
GRADED = "graded"
REFUSED = "refused"
FAILED = "failed"


@dataclass(frozen=True)
class Entry:
    """What became of one submission."""

    learner: str
    assignment: str
    digest: str
    """Of the files received."""
    version: str
    """Of the assignment they were graded against."""
    status: str
    """`GRADED`, `REFUSED` or `FAILED`."""
    shown_name: str = ""
    participant: str = ""
    """Moodle's number of the learner."""
    timestamp: str | None = None
    notes: tuple[str, ...] = ()
    """What was repaired, what happened; for a refusal, its reason."""
    repaired: bool = False
    scores: tuple[CellScore, ...] = ()
    comments: tuple[tuple[str, str, str | None], ...] = ()
    late_penalties: Mapping[str, float] = field(default_factory=dict)
    fingerprint: str = ""
    """Of the gradebook's rows once written; empty: not written yet."""
    told: str = ""
    """The fingerprint of which the feedback page speaks."""
    seconds: float = 0.0

    @property
    def points(self) -> float:
        """The automatic points."""
        return sum(score.automatic or 0.0 for score in self.scores)


class Ledger:
    """The entries of one course, below `.culture-d/etat`."""

    def __init__(self, course: Path) -> None:
        """Open the ledger of the course folder; nothing is written yet."""
        self.folder = course / FOLDER / "etat"

    def read(self, assignment: str, learner: str) -> Entry | None:
        """Give the entry of one submission; None if there is none, or it does not read."""
        return _read(self._path(assignment, learner))

    def entries(self, assignment: str) -> Iterator[Entry]:
        """Give every entry of an assignment, in order of learner."""
        for path in sorted((self.folder / assignment).glob("*.json")):
            if entry := _read(path):
                yield entry

    def write(self, entry: Entry) -> None:
        """Replace an entry, whole, and wait for the disk."""
        text = json.dumps(asdict(entry), ensure_ascii=False, separators=(",", ":"))
        write_whole(self._path(entry.assignment, entry.learner), text, OWNER_ONLY)

    def _path(self, assignment: str, learner: str) -> Path:
        return self.folder / assignment / f"{learner}.json"


def entry_of(graded: Graded, digest: str, version: str, **known: Any) -> Entry:
    """Make the entry of a submission that was run, not yet in the gradebook."""
    notes = (*known.pop("notes", ()), *graded.notes)
    return Entry(
        learner=graded.learner,
        assignment=graded.assignment,
        digest=digest,
        version=version,
        status=GRADED,
        notes=notes,
        scores=graded.scores,
        comments=graded.comments,
        late_penalties=dict(graded.late_penalties),
        seconds=round(graded.seconds, 2),
        **known,
    )


def _read(path: Path) -> Entry | None:
    try:
        found = json.loads(path.read_bytes())
        scores = tuple(CellScore(**score) for score in found.pop("scores"))
        comments = tuple((one, cell, text) for one, cell, text in found.pop("comments"))
        notes = tuple(found.pop("notes"))
        return Entry(**found, scores=scores, comments=comments, notes=notes)
    except (OSError, ValueError, TypeError, KeyError):
        return None
