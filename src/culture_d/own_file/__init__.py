"""A person's own file: say what is wrong with it, and read it without losing a digit.

from culture_d.own_file import inspecter, lire_tableau

`inspecter("subventions.csv")` shows a report: encoding, separator, header, and whatever
real files of local authorities suffer from. `lire_tableau("subventions.csv")` returns a
DataFrame where codes stay text. Nothing is ever written to the file. What cannot be read
is said in French by a subclass of `OwnFileError`, never by a traceback.
"""

from culture_d.own_file.inspection import inspecter
from culture_d.own_file.reading import lire_tableau
from culture_d.own_file.refusals import (
    DamagedFile,
    EmptyFile,
    FileTooLarge,
    FileUnavailable,
    HeaderProblem,
    MissingColumns,
    NotATable,
    OwnFileError,
    WrongEncoding,
    WrongSeparator,
)
from culture_d.own_file.report import Constat, Rapport

__all__ = [
    "Constat",
    "DamagedFile",
    "EmptyFile",
    "FileTooLarge",
    "FileUnavailable",
    "HeaderProblem",
    "MissingColumns",
    "NotATable",
    "OwnFileError",
    "Rapport",
    "WrongEncoding",
    "WrongSeparator",
    "inspecter",
    "lire_tableau",
]
