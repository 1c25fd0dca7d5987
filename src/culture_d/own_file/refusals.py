"""Why a person's file is not read: one class per kind, one French message each."""

from culture_d.errors import CultureDError


class OwnFileError(CultureDError):
    """Base of every refusal of a person's own file."""


class FileUnavailable(OwnFileError):
    """No such file, a folder, no permission, or something that is not a file name."""


class EmptyFile(OwnFileError):
    """Nothing in the file, or no row under its header."""


class FileTooLarge(OwnFileError):
    """More than can be read without filling the memory."""


class NotATable(OwnFileError):
    """Another kind of file: PDF, picture, archive, old spreadsheet, web page."""


class DamagedFile(OwnFileError):
    """A spreadsheet that cannot be opened: truncated, or changed."""


class WrongEncoding(OwnFileError):
    """The encoding that was asked for is unknown, or is not that of the file."""


class WrongSeparator(OwnFileError):
    """The separator that was asked for does not cut this file into columns."""


class HeaderProblem(OwnFileError):
    """The header takes several rows, or there is none."""


class MissingColumns(OwnFileError):
    """Columns that were asked for are not in the file."""
