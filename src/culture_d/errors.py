"""Errors shown to a person: one class per kind, one French message each.

A message says what was expected, what was found, where, and what to do.
The command line prints the message alone; a traceback is for a defect of ours.
"""

import errno

_REASONS = {
    errno.EACCES: "l'accès est refusé",
    errno.EPERM: "l'accès est refusé",
    errno.EROFS: "ce disque ne peut pas être modifié",
    errno.ENOSPC: "il n'y a plus de place sur le disque",
    errno.ENOENT: "il est introuvable",
    errno.EEXIST: "un fichier de ce nom existe déjà",
    errno.EISDIR: "c'est un dossier",
    errno.ENOTDIR: "un fichier occupe la place d'un dossier",
    errno.ENAMETOOLONG: "le nom est trop long",
}


def reason(error: OSError) -> str:
    """Say in French what the system refused."""
    return _REASONS.get(error.errno or 0, error.strerror or type(error).__name__)


class CultureDError(Exception):
    """Base of every error whose message is written for the reader."""

    def _render_traceback_(self) -> list[str]:
        """Show the message alone under a notebook cell (an IPython hook)."""
        return [str(self)]


class ProjectNotFound(CultureDError):
    """No course folder at or above the given place."""


class ManifestError(CultureDError):
    """A `datapackage.json` is missing, unreadable or incomplete."""


class DatasetError(CultureDError):
    """A data file is missing, truncated, changed or against its schema."""


class DatasetExpired(CultureDError):
    """A dataset is past its date of validity."""


class SourceError(CultureDError):
    """A registry package could not be had, or is not the one expected."""


class LockError(CultureDError):
    """The lock holds a line that pins no version."""


class CurriculumError(CultureDError):
    """The map of modules, the table of contents and the files disagree."""


class LawError(CultureDError):
    """A law card is malformed, unknown or overdue."""


class AccessibilityError(CultureDError):
    """The criteria of accessibility, their tests or the contact are not as they must be."""


class SheetError(CultureDError):
    """A trainer's sheet that is missing, incomplete or of another length than its module."""


class SlidesError(CultureDError):
    """Slides that cannot be made: a step without its cell, a slide that overflows, no reveal.js."""


class KitError(CultureDError):
    """The trainers' kit cannot be put together or written."""


class NotebookError(CultureDError):
    """A notebook fails, or holds what the course does not accept."""


class FigureError(CultureDError):
    """A figure without alternative text, data table or source."""


class ExerciseError(CultureDError):
    """An exercise that cannot be released."""


class BookError(CultureDError):
    """The site could not be built."""


class ProseError(CultureDError):
    """The French of the course breaks its own rules, or a file of these rules is malformed."""


class ServeError(CultureDError):
    """The site could not be served."""


class WorkingCopyError(CultureDError):
    """The working copy of the notebooks could not be made."""


class UnknownDepartement(CultureDError):
    """A département code that is not in the file."""


class DepartementTooSmall(CultureDError):
    """A département with too few communes for the question asked."""


class UnknownDay(CultureDError):
    """A day that cannot be read, or is out of what the course can speak of."""


class UnknownCommuneLine(CultureDError):
    """A line on the reader's commune that does not exist."""


class StickError(CultureDError):
    """The course could not be made into one file for a USB stick."""


class GradebookError(CultureDError):
    """The gradebook is locked, full, gone, or is not one."""


class GradingError(CultureDError):
    """A grading run cannot begin or go on."""


class AssignmentError(CultureDError):
    """An assignment of an nbgrader course that cannot be prepared for grading."""


class SandboxError(CultureDError):
    """Submissions cannot be run apart from the rest of the machine, or their Python does not start."""


class MeasuresError(CultureDError):
    """The measures of `book/mesures.yml` are missing or incomplete."""


class FeedbackError(CultureDError):
    """A feedback page, a class report or an export that cannot be made."""


class IntakeError(CultureDError):
    """What should hold the submissions is missing, unreadable or a trap."""


class WorkshopError(CultureDError):
    """A workshop that cannot be prepared, opened, led or closed."""


class SeatNotStarted(WorkshopError):
    """A seat's server does not start; the log has the message, the learner another."""

    jupyterhub_message = (
        "Votre espace n'a pas pu s'ouvrir. Prévenez la personne qui anime : le journal de "
        "l'atelier en dit la raison. Votre travail est gardé."
    )
