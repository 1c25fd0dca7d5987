"""The marks of a class for a spreadsheet, and for Moodle.

Moodle reads the marks of an assignment back in its « feuille d'évaluation »
(`mod/assign/feedback/offline` in its source): comma-separated UTF-8. It finds three columns
by their title *in the language of the person who imports*, and cannot do without them:
identifier, grade, last change of the grade. It takes the number of a participant from the end
of the identifier, after the word « Participant », which is followed by a space in English and
by none in French: the wrong one would cut a figure off the number. So a sheet is made for one
language, French or English, and the safest is to fill in the very sheet that Moodle gave
(`fill_moodle`). The feedback plugin « Feuille d'évaluation hors ligne » must be on.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from culture_d.errors import FeedbackError
from culture_d.french import nombre
from culture_d.grading.model import Assignment
from culture_d.grading.results import Learner, Result, learners, results
from culture_d.grading.whole_file import write_whole

BYTE_ORDER_MARK = "\ufeff"
_DECIMALS = 2
# What a spreadsheet may take for a formula, full-width signs included, even after spaces.
_FORMULA = re.compile(r"\s*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n]")
_ENTRY = re.compile(r"(?P<name>[^/]*?)_(?P<number>\d+)_assignsubmission_")


@dataclass(frozen=True)
class Participant:
    """A learner as Moodle names them: the number it gives them in one assignment."""

    number: str
    full_name: str = ""
    email: str = ""

    @classmethod
    def of_entry(cls, name: str) -> "Participant | None":
        """Read the name of a file or folder of Moodle's archive, or return None.

        « Alix Martin_123456_assignsubmission_file » or « …_assignsubmission_file_devoir.ipynb ».
        """
        found = _ENTRY.match(name)
        return cls(found["number"], found["name"].strip()) if found else None


class Numbered(Protocol):
    """What tells of a learner of Moodle: a `Submission`, or an entry of the ledger."""

    @property
    def learner(self) -> str:
        """As the gradebook names them."""

    @property
    def participant(self) -> str:
        """Moodle's number, or nothing."""

    @property
    def shown_name(self) -> str:
        """As Moodle shows them."""


def participants(found: Iterable[Numbered]) -> dict[str, Participant]:
    """Keep those that came from Moodle, by the name in the gradebook."""
    return {
        one.learner: Participant(one.participant, one.shown_name)
        for one in found
        if one.participant
    }


@dataclass(frozen=True)
class Headings:
    """Moodle's words in one language: those of its language packs, not a translation of ours."""

    participant: str
    identifier: str
    full_name: str
    email: str
    status: str
    grade: str
    maximum: str
    changeable: str
    modified: str
    submitted: str
    yes: str


MOODLE: Mapping[str, Headings] = {
    "fr": Headings(
        participant="Participant",
        identifier="Identifiant",
        full_name="Nom complet",
        email="Adresse de courriel",
        status="Statut",
        grade="Note",
        maximum="Note maximale",
        changeable="La note peut être modifiée",
        modified="Dernière modification (note)",
        submitted="Remis pour évaluation",
        yes="Oui",
    ),
    "en": Headings(
        participant="Participant ",
        identifier="Identifier",
        full_name="Full name",
        email="Email address",
        status="Status",
        grade="Grade",
        maximum="Maximum grade",
        changeable="Grade can be changed",
        modified="Last modified (grade)",
        submitted="Submitted for grading",
        yes="Yes",
    ),
}
"""`recordid`, `hiddenuser`, `lastmodifiedgrade`… of Moodle's `lang/*/assign.php`."""


def write_csv(db_url: str, path: Path, assignments: Sequence[str]) -> Path:
    """Write one line a learner, for a French spreadsheet: UTF-8 with its mark, « ; », « 12,5 ».

    Everyone the gradebook knows has a line; a mark is empty for what was not submitted.

    Raises:
        FeedbackError: the gradebook is missing, does not know one of the assignments, or
            the file cannot be written.
    """
    found = {name: {one.learner: one for one in results(db_url, name)} for name in assignments}
    heading = ["Identifiant", "Prénom", "Nom", "Courriel"]
    for name in assignments:
        heading += [
            f"{name} : note",
            f"{name} : sur",
            f"{name} : retrait pour retard",
            f"{name} : points à relire",
        ]
    heading += ["Total", "Total sur"]
    lines = [heading]
    for learner in learners(db_url):
        marked = [found[name].get(learner.learner) for name in assignments]
        lines.append(_line(learner, marked))
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n")
    writer.writerows([harmless(cell) for cell in line] for line in lines)
    return write_whole(path, BYTE_ORDER_MARK + text.getvalue())


def write_moodle(
    db_url: str,
    path: Path,
    assignment: Assignment,
    found: Mapping[str, Participant],
    language: str = "fr",
) -> Path:
    """Write the sheet that Moodle imports, for the learners it named.

    Args:
        db_url: the gradebook.
        path: the file to write.
        assignment: what was asked.
        found: Moodle's own number of each learner, by the name in the gradebook; see
            `participants` and `Participant.of_entry`. Others have no line.
        language: that in which the person who imports reads Moodle, `fr` or `en`.

    A mark awaiting a person has no value: Moodle then leaves the grade as it is. Grades are
    written with a point, which every language of Moodle reads.

    Raises:
        FeedbackError: an unknown language; the gradebook is missing; the disk refuses.
    """
    words = _headings(language)
    titles = [
        *(words.identifier, words.full_name, words.email, words.status, words.grade),
        *(words.maximum, words.changeable, words.modified),
    ]
    lines = [titles]
    for one in results(db_url, assignment.name):
        participant = found.get(one.learner)
        if participant:
            name = participant.full_name or one.name or one.learner
            lines.append(
                [
                    words.participant + participant.number,
                    harmless(name),
                    harmless(participant.email),
                    words.submitted,
                    _moodle_grade(one),
                    f"{one.maximum:.2f}",
                    words.yes,
                    "-",
                ]
            )
    return write_whole(path, _commas(lines))


def fill_moodle(
    db_url: str,
    path: Path,
    assignment: Assignment,
    found: Mapping[str, Participant],
    sheet: bytes,
) -> Path:
    """Fill in the sheet that Moodle itself gave, whatever its other columns are.

    Only the grades of the learners that `found` names change: the rest is given back as it was,
    the dates included, by which Moodle knows that nobody graded meanwhile.

    Raises:
        FeedbackError: the sheet is not one of Moodle's, in French or in English, or counts
            another maximum; the gradebook is missing; the disk refuses.
    """
    lines, words = _sheet(sheet)
    titles = lines[0]
    identifier, grade = titles.index(words.identifier), titles.index(words.grade)
    maximum = next(
        (rank for rank, title in enumerate(titles) if title.casefold() == words.maximum.casefold()),
        None,
    )
    numbers = {participant.number: learner for learner, participant in found.items()}
    marked = {one.learner: one for one in results(db_url, assignment.name)}
    for line in lines[1:]:
        number = re.search(r"\d+$", line[identifier] if len(line) == len(titles) else "")
        one = marked.get(numbers.get(number[0], "")) if number else None
        if one is None:
            continue
        if maximum is not None and not _same(line[maximum], one.maximum):
            raise FeedbackError(
                f"La feuille de Moodle note sur {line[maximum]}, et l'exercice "
                f"« {assignment.name} » sur {nombre(one.maximum, _DECIMALS)}. Mettez la même "
                "note maximale dans le devoir de Moodle, puis téléchargez sa feuille à nouveau."
            )
        line[grade] = _moodle_grade(one) or line[grade]
    return write_whole(path, _commas(lines))


def harmless(text: str) -> str:
    """Keep a spreadsheet from reading a text as a formula: an apostrophe before it.

    Source: OWASP, « CSV Injection ». A plain number, written by us, stays one.
    """
    if re.fullmatch(r"\d+(?:[.,]\d+)?", text):
        return text
    return f"'{text}" if _FORMULA.match(text) else text


def _line(learner: Learner, marked: Sequence[Result | None]) -> list[str]:
    line = [learner.learner, learner.first_name, learner.last_name, learner.email]
    for one in marked:
        line += (
            [_number(value) for value in (one.points, one.maximum, one.penalty, one.awaited)]
            if one
            else [""] * 4
        )
    submitted = [one for one in marked if one]
    line += [
        _number(sum(one.points for one in submitted)) if submitted else "",
        _number(sum(one.maximum for one in submitted)) if submitted else "",
    ]
    return line


def _number(value: float) -> str:
    """Write a number as a French spreadsheet reads it: no space in thousands, a comma."""
    return f"{round(value, _DECIMALS):g}".replace(".", ",")


def _same(written: str, value: float) -> bool:
    """Whether a number written by Moodle is this one; nothing written is no objection."""
    try:
        return not written or abs(float(written.replace(",", ".")) - value) < 1e-9
    except ValueError:
        return False


def _moodle_grade(one: Result) -> str:
    return "" if one.awaited else f"{one.points:.2f}"


def _headings(language: str) -> Headings:
    try:
        return MOODLE[language]
    except KeyError:
        known = " ou ".join(f"« {name} »" for name in MOODLE)
        raise FeedbackError(
            f"La langue « {language} » de Moodle n'est pas connue ici : donnez {known}, ou "
            "remplissez la feuille téléchargée depuis Moodle."
        ) from None


def _sheet(content: bytes) -> tuple[list[list[str]], Headings]:
    try:
        text = content.decode("utf-8-sig")
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), strict=True) if line]
    except (UnicodeDecodeError, csv.Error):
        lines = []
    for words in MOODLE.values():
        if lines and {words.identifier, words.grade, words.modified} <= set(lines[0]):
            return lines, words
    raise FeedbackError(
        "Ce fichier n'est pas une feuille d'évaluation de Moodle, en français ou en anglais : il "
        "faut les colonnes « Identifiant », « Note » et « Dernière modification (note) », "
        "séparées par des virgules. Téléchargez-la depuis le devoir, sans l'ouvrir dans un tableur."
    )


def _commas(lines: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    return text.getvalue()
