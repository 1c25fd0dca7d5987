"""Find the submissions in what a trainer was handed, whatever its layout.

Read alike, from a folder or an archive:

- nbgrader's `submitted/<learner>/<assignment>/`, alone or in its course;
- Moodle's export, one folder or one file per learner:
  `Nom Prénom_123456_assignsubmission_file_/devoir.ipynb`;
- the files of Blackboard (`devoir_nom_attempt_2026-03-01-12-00-00_fichier.ipynb`) and of
  Canvas (`nom_123_456_fichier.ipynb`);
- loose notebooks, one file, one folder or one archive per learner; folders by exercise.

Decided here:

- the learner of Moodle is the name with the participant number, always: the number alone
  tells homonyms apart, and an identifier must not depend on the rest of the class. Moodle
  draws it anew for each of its assignments, so one person has an identifier in each;
- the exercise is told by the folder in nbgrader's layout; elsewhere by the cells of the
  notebook, then by names, then by being the only one;
- of several notebooks for one exercise, the one that has answers counts; then the one
  that bears the exercise's name (nbgrader's rule, and that of Jupyter's « -Copy1 »); then
  the latest by the dates of the archive, or by the « (1) » of a browser; else all are refused;
- an archive that plays tricks (`..`, absolute names, links, bombs) is refused, for its
  learner alone; in a folder, a link is not followed, and the rest is graded.
"""

import contextlib
import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from culture_d.errors import IntakeError
from culture_d.grading.archive import BadEntry, Entry, entries_of, is_archive, open_source
from culture_d.grading.known_cells import KnownNotebook, notebooks_of, resemblance
from culture_d.grading.learners import kept_id, learner_id
from culture_d.grading.model import MEBIBYTE, Assignment, Refusal, Submission
from culture_d.grading.plain_notebook import (
    MAX_FILE,
    NOTEBOOK,
    Notebook,
    UnreadableNotebook,
    is_notebook,
    looks_like_notebook,
    read_notebook,
    too_large,
)

MAX_LEARNER = 50 * MEBIBYTE
MAX_LEARNER_FILES = 2000
SUBMITTED = "submitted"
TIMESTAMP = "timestamp.txt"

_MOODLE = re.compile(
    r"(?P<name>.+?)_(?P<number>[0-9]{1,20})_assignsubmission_(?P<kind>[a-z]+)_(?P<rest>.*)"
)
_BLACKBOARD = re.compile(
    r".+?_(?P<name>[^_]+)_attempt_(?P<date>[0-9]{4}(?:-[0-9]{2}){5})_(?P<rest>.+)"
)
_CANVAS = re.compile(r"(?P<name>[^_]+)(?:_LATE)?_(?P<number>[0-9]{3,20})_[0-9]{3,20}_(?P<rest>.+)")
_DATED = re.compile(r"[0-9]{4}(?:-[0-9]{2}){5}(?=_)")
_STAMP = re.compile(r"[0-9A-Za-z][0-9A-Za-z :.,+_-]{0,80}(?:[A-Za-z]/[A-Za-z_]{1,20})?")
_COPY = re.compile(
    r"(?P<browser>\s*\((?P<number>\d{1,4})\))|^(?:copie de|copy of)\s+"
    r"|[-_ ]+cop(?:y|ie)(?:\s*\(\d{1,4}\)|[-_ ]?\d{1,4}|(?![^\W\d_]))",
    re.IGNORECASE,
)
_OTHER_NAMES = ("", ".txt", ".json", ".download")
_CLOSED = (".rar", ".7z")
_SHOWN = 5


@dataclass(frozen=True)
class Found:
    """What a source holds."""

    submissions: tuple[Submission, ...]
    refusals: tuple[Refusal, ...]
    ignored: tuple[str, ...]
    """Files that are nobody's submission: one French line each."""


@dataclass
class _Learner:
    """What one learner handed in, before any of it is read."""

    identifier: str
    shown: str
    entries: list[Entry] = field(default_factory=list)
    owners: set[str] = field(default_factory=set)
    """The names it came under: more than one may be more than one person."""
    assignment: str = ""
    """In nbgrader's layout, the exercise whose folder this is."""
    participant: str = ""
    """Moodle's number of this learner."""


@dataclass
class _Candidate:
    """One file that may be the notebook of an assignment."""

    path: str
    data: bytes
    date: tuple[int, ...] | None
    notebook: Notebook | None = None
    assignment: str = ""
    part: str = ""
    """The notebook of the assignment that it is, when this can be told."""
    answered: bool = False

    @property
    def name(self) -> str:
        """Its file name."""
        return PurePosixPath(self.path).name


def find_submissions(
    source: Path,
    assignments: Collection[str] | Mapping[str, Assignment],
    only: str | None = None,
) -> Found:
    """Find the submissions of a folder or an archive, reading everything as data.

    With a mapping, notebooks are known by their cells; with names alone, by names alone.
    `only` keeps one assignment. The source is never changed, and nothing of it is run.

    Raises:
        IntakeError: the source cannot be listed, or `only` is not one of the assignments.
    """
    submissions, refusals, ignored = [], [], []
    for item in read_submissions(source, assignments, only):
        if isinstance(item, Submission):
            submissions.append(item)
        elif isinstance(item, Refusal):
            refusals.append(item)
        else:
            ignored.append(item)
    return Found(tuple(submissions), tuple(refusals), tuple(ignored))


def read_submissions(
    source: Path,
    assignments: Collection[str] | Mapping[str, Assignment],
    only: str | None = None,
) -> Iterator[Submission | Refusal | str]:
    """Give what `find_submissions` finds, one learner's files in memory at a time.

    A string is a French line on files that are nobody's.

    Raises:
        IntakeError: the source cannot be listed, or `only` is not one of the assignments.
    """
    course = _Course(assignments, only)
    with open_source(source) as entries:
        learners, ignored = _sorted(entries, source, course)
        yield from ignored
        seen: set[str] = set()
        unknown: list[Refusal] = []
        for learner in learners:
            for item in course.read(learner):
                if isinstance(item, Refusal) and not item.assignment:
                    unknown.append(item)
                    continue
                if not isinstance(item, str):
                    seen.add(item.assignment)
                yield item
        # In a source of one exercise, what cannot be read was meant for that one.
        name = seen.pop() if len(seen) == 1 else ""
        yield from (replace(refusal, assignment=name) for refusal in unknown)


class _Course:
    """The assignments of a course, and how to tell them apart."""

    def __init__(
        self, assignments: Collection[str] | Mapping[str, Assignment], only: str | None
    ) -> None:
        self.names = tuple(assignments)
        if only is not None and only not in self.names:
            listed = ", ".join(self.names) or "aucun"
            raise IntakeError(f"L'exercice « {only} » est inconnu. Exercices du cours : {listed}.")
        self.only = only
        made = assignments if isinstance(assignments, Mapping) else {}
        self.notebooks: dict[str, dict[str, KnownNotebook]] = {
            name: notebooks_of(assignment) for name, assignment in made.items()
        }
        self.files = {path for assignment in made.values() for path in assignment.files}
        self._contents = {
            hashlib.sha256(data).digest(): data
            for assignment in made.values()
            for data in assignment.files.values()
        }
        self._folded = sorted(
            ((_folded(name), name) for name in self.names), key=lambda one: -len(one[0])
        )

    def named_in(self, text: str) -> str:
        """Find the assignment that a file name names, the longest first; or nothing."""
        folded = f"-{_folded(text)}-"
        return next((name for key, name in self._folded if f"-{key}-" in folded), "")

    def without_name(self, stem: str) -> str:
        """Give what a file name says beside the assignment: its learner, if anything."""
        bare = _COPY.sub(" ", stem)
        words = _folded(self.named_in(stem)).split("-")
        if words != [""]:
            apart = "[^a-z0-9]+".join(words)
            found = re.search(rf"(?<![a-z0-9]){apart}(?![a-z0-9])", _plain(bare))
            if found:
                bare = f"{bare[: found.start()]} {bare[found.end() :]}"
        return re.sub(r"^[\s_–—-]+|[\s_–—-]+$", "", bare)

    def read(self, learner: _Learner) -> Iterator[Submission | Refusal | str]:
        """Read one learner's files, and give their submissions or refusals."""
        try:
            candidates, files, notes = _read_files(learner)
        except _Refused as refused:
            yield self.refusal(learner, refused.assignment or self.guess(learner), str(refused))
            return
        if not candidates:
            yield self.refusal(learner, self.guess(learner), _no_notebook(learner))
            return
        by_assignment: dict[str, list[_Candidate]] = defaultdict(list)
        for candidate in candidates:
            self.recognise(candidate, learner)
            by_assignment[candidate.assignment].append(candidate)
        if len(by_assignment) > 1:
            # Beside notebooks that are known, one that is not is a draft.
            for draft in by_assignment.pop("", ()):
                yield f"« {learner.shown}/{draft.path} » : ce notebook n'est d'aucun exercice connu."
        for name, several in by_assignment.items():
            if self.only is not None and name not in ("", self.only):
                continue
            yield self.submission(learner, name, several, candidates, files, notes)

    def submission(
        self,
        learner: _Learner,
        name: str,
        several: Sequence[_Candidate],
        candidates: Sequence[_Candidate],
        files: Mapping[str, bytes],
        notes: Sequence[str],
    ) -> Submission | Refusal:
        """Gather the files of one assignment around the notebooks that count."""
        if not name:
            return self.refusal(learner, "", self.unknown(several))
        try:
            chosen, said = self.chosen(name, several, learner)
        except _Refused as refused:
            return self.refusal(learner, name, str(refused))
        root = min((str(PurePosixPath(one.path).parent) for one in chosen), key=len)
        root = "" if root == "." else root
        others = {
            str(PurePosixPath(one.path).parent)
            for one in candidates
            if one.assignment != name and one.assignment
        } - {root or "."}
        gathered = {one.path: one.data for one in chosen}
        for path, data in files.items():
            folder = str(PurePosixPath(path).parent)
            apart = any(folder == other or folder.startswith(f"{other}/") for other in others)
            if path.startswith(f"{root}/" if root else "") and not apart:
                gathered[path] = self.shared(data)
        cut = len(root) + 1 if root else 0
        gathered = {path[cut:]: data for path, data in gathered.items()}
        # nbgrader takes this file for the date of submission: elsewhere, its author may have
        # written it.
        gathered = {path: data for path, data in gathered.items() if not _is_date(path)}
        stamp = files.get(TIMESTAMP) if learner.assignment else None
        return Submission(
            learner=learner.identifier,
            assignment=name,
            files=gathered,
            timestamp=_timestamp(stamp),
            shown_name=learner.shown,
            notes=tuple(dict.fromkeys([*notes, *said])),
            participant=learner.participant,
        )

    def chosen(
        self, name: str, several: Sequence[_Candidate], learner: _Learner
    ) -> tuple[list[_Candidate], list[str]]:
        """Keep one file for each notebook of an assignment, or refuse to choose."""
        parts: dict[str, list[_Candidate]] = defaultdict(list)
        for candidate in several:
            parts[candidate.part].append(candidate)
        if len(parts) > 1:
            # A file that is no notebook of the assignment, beside those that are.
            parts.pop("", None)
        kept, notes = [], []
        for part, copies in parts.items():
            one, said = _latest(part or name, copies, learner)
            kept.append(one)
            notes += said
        return kept, notes

    def recognise(self, candidate: _Candidate, learner: _Learner) -> None:
        """Tell of which assignment a notebook is: its folder, its cells, its name."""
        with contextlib.suppress(UnreadableNotebook):
            candidate.notebook = read_notebook(candidate.data)
        candidate.assignment = learner.assignment
        wanted = [learner.assignment] if learner.assignment else self.names
        likeness = [
            (resemblance(candidate.notebook, known), name, known.name)
            for name in wanted
            for known in self.notebooks.get(name, {}).values()
            if candidate.notebook is not None
        ]
        accepted = [one for one in likeness if one[0].accepted]
        if accepted:
            named = self.named_in(candidate.path)
            best, candidate.assignment, candidate.part = max(
                accepted, key=lambda one: (one[0].strength, one[1] == named, one[1], one[2])
            )
            candidate.answered = best.answered
            return
        if not candidate.assignment:
            candidate.assignment = self.named_in(candidate.path) or self.alone
        stem = _COPY.sub("", PurePosixPath(candidate.path).stem)
        if not self.notebooks or stem in self.notebooks.get(candidate.assignment, ()):
            candidate.part = stem

    @property
    def alone(self) -> str:
        """The only assignment there can be; or nothing."""
        return self.only or (self.names[0] if len(self.names) == 1 else "")

    def guess(self, learner: _Learner) -> str:
        """Tell the assignment of files that cannot be read, by names; or nothing."""
        named = (self.named_in(entry.shown) for entry in learner.entries)
        return learner.assignment or next((name for name in named if name), self.alone)

    def unknown(self, several: Sequence[_Candidate]) -> str:
        """Say that no exercise is recognised; or why the file cannot be read."""
        for candidate in several:
            try:
                read_notebook(candidate.data)
            except UnreadableNotebook as error:
                return str(error)
        listed = ", ".join(f"« {name} »" for name in self.names[:_SHOWN])
        return (
            "Ce notebook n'est celui d'aucun exercice connu. "
            f"Exercices attendus : {listed}. Rendez le notebook de l'exercice, rempli."
        )

    def refusal(self, learner: _Learner, assignment: str, text: str) -> Refusal:
        """Refuse what one learner handed in for one assignment."""
        return Refusal(learner.identifier, assignment, text, learner.shown)

    def shared(self, data: bytes) -> bytes:
        """Keep in memory one copy of the exercise's own files, which every learner hands back."""
        return self._contents.get(hashlib.sha256(data).digest(), data)


class _Refused(Exception):
    """What a learner handed in cannot be taken; the message is theirs, in French."""

    def __init__(self, message: str, assignment: str = "") -> None:
        super().__init__(message)
        self.assignment = assignment


def _sorted(
    entries: Sequence[Entry], source: Path, course: _Course
) -> tuple[list[_Learner], list[str]]:
    """Give each file to its learner; say of the others that they are nobody's."""
    learners: dict[tuple[str, str], _Learner] = {}
    ignored: list[str] = []
    entries, nbgrader = _unwrapped(entries, source, course)
    if _is_lone(entries, source, course):
        entries = [_moved(entry, (_stem(source.name), *entry.path)) for entry in entries]
    for entry in entries:
        if not entry.path:
            ignored.append(f"Un fichier sans nom sûr a été ignoré : {entry.problem}.")
            continue
        found = _placed(entry, course, ignored) if nbgrader else _loose(entry, course, ignored)
        if found is not None:
            learner, owner, path = found
            key = learner.identifier, learner.assignment
            learner = learners.setdefault(key, learner)
            learner.owners.add(owner)
            learner.entries.append(_moved(entry, path))
    return [learners[key] for key in sorted(learners)], ignored


def _placed(
    entry: Entry, course: _Course, ignored: list[str]
) -> tuple[_Learner, str, tuple[str, ...]] | None:
    """Read a path of nbgrader's layout: learner, assignment, file."""
    top = entry.path[0]
    if len(entry.path) < 3 and not entry.problem:
        ignored.append(f"« {entry.shown} » : ce fichier n'est dans le dossier d'aucun exercice.")
        return None
    name = entry.path[1] if len(entry.path) > 1 else ""
    if name and name not in course.names:
        if is_notebook(entry.name):
            ignored.append(f"« {entry.shown} » : « {name} » n'est pas un exercice connu.")
        return None
    if course.only is not None and name not in ("", course.only):
        return None
    learner = _Learner(kept_id(top), top, assignment=name or course.alone)
    return learner, top, entry.path[2:] or entry.path[-1:]


def _loose(
    entry: Entry, course: _Course, ignored: list[str]
) -> tuple[_Learner, str, tuple[str, ...]] | None:
    """Read a path of any other layout: Moodle's, folders, or file names."""
    top, rest = entry.path[0], entry.path[1:]
    moodle = _MOODLE.fullmatch(top)
    if moodle:
        shown, number = moodle["name"], moodle["number"]
        path = (moodle["rest"], *rest) if moodle["rest"] else rest
        if moodle["kind"] != "file":
            path = (moodle["kind"], *path)
        learner = _Learner(learner_id(shown, number), shown, participant=number)
        return learner, f"{shown}_{number}", path or (top,)
    platform = None if rest else _BLACKBOARD.fullmatch(top) or _CANVAS.fullmatch(top)
    if platform and not course.named_in(platform["name"]):
        shown, said = platform["name"], platform.groupdict("")
        learner = _Learner(learner_id(shown, said.get("number", "")), shown)
        dated = f"{said['date']}_" if "date" in said else ""
        return learner, _owner(shown), (dated + platform["rest"],)
    by_exercise = top in course.names and bool(rest)
    if ("/".join(rest) if by_exercise else entry.shown) in course.files:
        return None
    named, deeper = (rest[0], rest[1:]) if by_exercise else (top, rest)
    if not deeper and not (entry.problem or is_archive(named) or _may_be_notebook(named)):
        ignored.append(f"« {entry.shown} » : ce fichier n'est le devoir de personne.")
        return None
    shown = named if deeper else course.without_name(_stem(named)) or _stem(named)
    path = entry.path if by_exercise else deeper or (top,)
    return _Learner(learner_id(shown), shown), _owner(shown), path


def _unwrapped(entries: Sequence[Entry], source: Path, course: _Course) -> tuple[list[Entry], bool]:
    """Take away the folders around the learners' own, and tell nbgrader's layout.

    By the files that can be read: the name of another must not change how the class is read.
    """
    sound = [entry for entry in entries if not entry.problem] or entries
    tops = {entry.path[0] for entry in sound if entry.path}
    for depth in (0, 1) if len(tops) == 1 else (0,):
        inside = [entry for entry in entries if entry.path[depth : depth + 1] == (SUBMITTED,)]
        if any(len(entry.path) > depth + 2 for entry in inside):
            return [_moved(entry, entry.path[depth + 1 :]) for entry in inside], True
    laid_out = all(len(entry.path) > 2 and entry.path[1] in course.names for entry in sound)
    if (source.is_dir() and source.absolute().name == SUBMITTED) or (sound and laid_out):
        return list(entries), not any(_MOODLE.fullmatch(top) for top in tops)
    within = {entry.path[1] for entry in entries if len(entry.path) > 1}
    if len(tops) == 1 and any(_MOODLE.fullmatch(name) for name in within):
        return [_moved(entry, entry.path[1:]) for entry in entries], False
    if len(tops) == 1 and not source.is_dir():
        top = tops.pop()
        people = {_person(entry.path[1:], course) for entry in entries} - {""}
        if len(people) > 1 and top not in course.names and not _MOODLE.fullmatch(top):
            return [_moved(entry, entry.path[1:]) for entry in entries], False
    return list(entries), False


def _person(path: Sequence[str], course: _Course) -> str:
    """Name whose notebook this is, if it is one, and if it looks like somebody's."""
    if not path or not (_may_be_notebook(path[-1]) or is_archive(path[-1])):
        return ""
    if len(path) > 1:
        return "" if path[0] in course.names else path[0]
    return course.without_name(_stem(path[0]))


def _is_lone(entries: Sequence[Entry], source: Path, course: _Course) -> bool:
    """Whether an archive is one learner's own: the files of an exercise, zipped."""
    if source.is_dir() or not is_archive(source.name):
        return False
    notebooks = [entry for entry in entries if entry.path and is_notebook(entry.name)]
    if len(notebooks) != 1 or _MOODLE.fullmatch(notebooks[0].path[0]):
        return False
    folders = notebooks[0].path[:-1]
    unnamed = not course.without_name(_stem(notebooks[0].name))
    return unnamed and (not folders or (len(folders) == 1 and folders[0] in course.names))


def _moved(entry: Entry, path: tuple[str, ...]) -> Entry:
    return Entry(path, entry.read, entry.size, entry.date, entry.problem, entry.hostile)


def _stem(name: str) -> str:
    lower = name.lower()
    for end in (".tar.gz", ".ipynb.txt", ".ipynb.json", ".ipynb.download"):
        if lower.endswith(end):
            return name[: -len(end)]
    return PurePosixPath(name).stem


def _owner(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().strip()


def _folded(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", _plain(text)).strip("-")


def _plain(text: str) -> str:
    """Drop case and accents, letter by letter: places stay the same."""
    return "".join(unicodedata.normalize("NFKD", char)[0].lower()[:1] or char for char in text)


def _may_be_notebook(name: str) -> bool:
    lower = name.lower().rstrip(" .")
    return lower.endswith((NOTEBOOK, ".ipynb.txt", ".ipynb.json", ".ipynb.download"))


def _read_files(
    learner: _Learner,
) -> tuple[list[_Candidate], dict[str, bytes], list[str]]:
    """Read what a learner handed in: the files that may be notebooks, and the others."""
    entries = _not_hidden(learner.entries)
    if not any(is_notebook(entry.name) for entry in entries):
        entries = list(_opened(entries))
    _refuse_tricks(entries)
    if len(entries) > MAX_LEARNER_FILES:
        raise _Refused(
            f"L'envoi contient {len(entries)} fichiers, pour {MAX_LEARNER_FILES} au plus. "
            "Rendez le notebook seul."
        )
    read, notes = _read_all(entries)
    notes += _drop_files_in_files(read)
    candidates = _notebooks_among(read)
    taken = {candidate.path for candidate in candidates}
    files = {path: data for path, (data, _) in read.items() if path not in taken}
    if not candidates and notes:
        raise _Refused(" ".join([*notes, "Rendez le fichier .ipynb lui-même."]))
    return candidates, files, notes


def _not_hidden(entries: Sequence[Entry]) -> Sequence[Entry]:
    """Leave out the notebooks whose name begins with a dot, unless there is no other."""
    seen = [one for one in entries if not one.name.startswith(".")]
    return seen if any(_may_be_notebook(one.name) for one in seen) else entries


def _drop_files_in_files(
    read: dict[str, tuple[bytes, tuple[int, ...] | None]],
) -> list[str]:
    """Drop a file that bears the name of a folder, which only an archive can hold; say so.

    Case apart, as some disks read names. A notebook stays, without what is « inside » it.
    """
    notes = []
    folders = {str(folder).casefold() for path in read for folder in PurePosixPath(path).parents}
    for path in [path for path in read if path.casefold() in folders]:
        inside = [one for one in read if one.casefold().startswith(f"{path.casefold()}/")]
        for dropped in inside if is_notebook(path) else [path]:
            read.pop(dropped, None)
            notes.append(
                f"Le fichier « {dropped} » n'a pas été pris : son nom est aussi celui d'un dossier."
            )
    return notes


def _read_all(
    entries: Iterable[Entry],
) -> tuple[dict[str, tuple[bytes, tuple[int, ...] | None]], list[str]]:
    read: dict[str, tuple[bytes, tuple[int, ...] | None]] = {}
    notes: list[str] = []
    seen: dict[str, str] = {}
    left = MAX_LEARNER
    for entry in entries:
        if entry.problem:
            notes.append(f"Le fichier « {entry.name} » n'a pas été pris : {entry.problem}.")
            continue
        if _may_be_notebook(entry.name) and entry.size > MAX_FILE:
            raise _Refused(too_large(entry.size))
        try:
            data = entry.read(min(MAX_FILE, left))
        except BadEntry as error:
            if left < MAX_FILE:
                raise _Refused(
                    f"L'ensemble des fichiers rendus dépasse {MAX_LEARNER // MEBIBYTE} Mo. "
                    "Rendez le notebook seul."
                ) from None
            notes.append(f"Le fichier « {entry.name} » n'a pas été pris : {error}.")
            continue
        left -= len(data)
        twin = seen.setdefault(entry.shown.casefold(), entry.shown)
        if twin in read and not is_notebook(twin):
            notes.append(f"Deux fichiers portent le nom « {entry.name} » : le dernier est pris.")
            del read[twin]
            seen[entry.shown.casefold()] = entry.shown
        elif entry.shown in read:
            raise _Refused(
                f"Deux notebooks portent le nom « {entry.name} » dans l'archive. Rendez-en un seul."
            )
        read[entry.shown] = (data, entry.date)
    return read, notes


def _refuse_tricks(entries: Iterable[Entry]) -> None:
    for entry in entries:
        if entry.hostile:
            named = f"« {entry.name} » : " if entry.name else ""
            raise _Refused(
                f"L'archive rendue est refusée : {named}{entry.problem}. "
                "Rendez le fichier .ipynb lui-même, sans archive."
            )


def _opened(entries: Iterable[Entry]) -> Iterator[Entry]:
    """Replace the archives of a learner by what they hold; those within are left closed."""
    for entry in entries:
        if entry.problem or not is_archive(entry.name):
            yield entry
            continue
        try:
            data = entry.read(MAX_FILE)
            if looks_like_notebook(data):
                # A browser or a mailbox added « .zip » to its name.
                yield _moved(entry, (*entry.path[:-1], _stem(entry.name)))
                continue
            inside = entries_of(data)
        except BadEntry as error:
            raise _Refused(
                f"« {entry.name} » ne peut pas être lu : {error}. "
                "Rendez le fichier .ipynb lui-même, sans archive."
            ) from None
        if any(_MOODLE.fullmatch(part) for one in inside for part in one.path):
            raise _Refused(
                f"« {entry.name} » est l'export de toute une classe, et non le devoir d'une personne. "
                "Donnez cette archive elle-même à « culture-d corriger »."
            )
        if sum(one.size for one in inside) > MAX_LEARNER:
            raise _Refused(
                f"« {entry.name} » dépasse {MAX_LEARNER // MEBIBYTE} Mo une fois ouvert. "
                "Rendez le fichier .ipynb lui-même, sans archive."
            )
        for one in inside:
            yield _moved(one, (*entry.path[:-1], *one.path))


def _notebooks_among(
    read: Mapping[str, tuple[bytes, tuple[int, ...] | None]],
) -> list[_Candidate]:
    named = [path for path in read if is_notebook(path)]
    paths = named or [
        path
        for path in read
        if PurePosixPath(path).suffix.lower() in _OTHER_NAMES and looks_like_notebook(read[path][0])
    ]
    return [_Candidate(path, read[path][0], _date(path, read[path][1])) for path in paths]


def _date(path: str, changed: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """Give the date of a file: what the platform wrote in its name, or the archive's."""
    named = _DATED.match(PurePosixPath(path).name)
    return tuple(int(part) for part in named[0].split("-")) if named else changed


def _latest(
    wanted: str, copies: Sequence[_Candidate], learner: _Learner
) -> tuple[_Candidate, list[str]]:
    """Choose among files for one notebook; say it, or refuse when it cannot be told."""
    left = list({one.data: one for one in reversed(copies)}.values())[::-1]
    readable = [one for one in left if one.notebook is not None] or left
    left = [one for one in readable if one.answered] or readable
    if len(left) > 1 and len(learner.owners) > 1:
        raise _Refused(_cannot_tell(left))
    for rule in (_exact, _last_dated, _last_numbered):
        if len(left) > 1:
            left = rule(wanted, left, learner)
    if len(left) > 1:
        raise _Refused(_cannot_tell(left))
    one = left[0]
    if len({other.data for other in copies}) == 1:
        return one, []
    names = ", ".join(f"« {other.name} »" for other in copies[:_SHOWN])
    return one, [f"Plusieurs notebooks ont été rendus ({names}). « {one.name} » a été pris."]


def _exact(wanted: str, left: list[_Candidate], learner: _Learner) -> list[_Candidate]:
    """Keep the file of the very name, unless the others are a browser's later « (1) »."""
    exact = [one for one in left if one.name == f"{wanted}{NOTEBOOK}"]
    copies = [one for one in left if one not in exact]
    working = all(
        (mark := _COPY.search(PurePosixPath(one.path).stem)) and not mark["browser"]
        for one in copies
    )
    return exact if len(exact) == 1 and (learner.assignment or working) else left


def _last_dated(_: str, left: list[_Candidate], learner: _Learner) -> list[_Candidate]:
    dated = [one.date for one in left if one.date is not None]
    if len(dated) < len(left):
        return left
    return [one for one in left if one.date == max(dated)]


def _last_numbered(_: str, left: list[_Candidate], learner: _Learner) -> list[_Candidate]:
    """Keep the highest « (2) » of one name, as a browser numbers what is downloaded again."""
    stems = {_COPY.sub("", PurePosixPath(one.path).stem) for one in left}
    numbers = [_number(one) for one in left]
    if len(stems) > 1 or numbers.count(max(numbers)) > 1:
        return left
    return [left[numbers.index(max(numbers))]]


def _number(candidate: _Candidate) -> int:
    mark = _COPY.search(PurePosixPath(candidate.path).stem)
    return int(mark["number"]) if mark and mark["browser"] else 0


def _cannot_tell(left: Sequence[_Candidate]) -> str:
    names = ", ".join(f"« {one.path} »" for one in left[:_SHOWN])
    return (
        f"Plusieurs notebooks différents pour le même exercice : {names}. "
        "Rien ne dit lequel compte. Rendez-en un seul."
    )


def _no_notebook(learner: _Learner) -> str:
    names = sorted({entry.name for entry in learner.entries})
    if any(name.lower().endswith(_CLOSED) for name in names):
        return (
            "L'archive rendue n'est pas un ZIP et ne peut pas être ouverte. "
            "Rendez le fichier .ipynb lui-même."
        )
    shown = ", ".join(f"« {name[:60]} »" for name in names[:_SHOWN])
    return (
        f"Il n'y a pas de notebook dans ce qui a été rendu. Reçu : {shown}. "
        "Rendez le fichier .ipynb que Jupyter enregistre."
    )


def _is_date(path: str) -> bool:
    return PurePosixPath(path).parts[0] == TIMESTAMP


def _timestamp(data: bytes | None) -> str | None:
    """Give the text of nbgrader's `timestamp.txt`, if nbgrader can read it too."""
    from nbgrader.utils import parse_utc

    try:
        text = (data or b"").decode("utf-8").strip()
        # Beyond these characters, a time zone may be the name of a file.
        if not _STAMP.fullmatch(text):
            return None
        parse_utc(text)
    except (ValueError, OverflowError, TypeError, AttributeError):
        return None
    return text
