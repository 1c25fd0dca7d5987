"""What kind of file it is, by its first bytes: a name proves nothing."""

import json
import re
import zipfile
from pathlib import Path

from culture_d.errors import reason
from culture_d.french import nombre
from culture_d.own_file.refusals import (
    DamagedFile,
    EmptyFile,
    FileTooLarge,
    FileUnavailable,
    NotATable,
)

LIMIT = 50_000_000
"""Bytes of a file that is read whole; of a longer text, only the beginning is."""

INSPECTED = 20_000_000
"""Bytes of a text that is inspected whole: more would take minutes."""

UNZIPPED_LIMIT = 400_000_000
"""Bytes of a spreadsheet once unzipped: its real size in memory is larger still."""

_PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "une image PNG"),
    (b"\xff\xd8\xff", "une photo JPEG"),
    (b"GIF8", "une image GIF"),
    (b"II*\x00", "une image TIFF, souvent un document numérisé"),
    (b"MM\x00*", "une image TIFF, souvent un document numérisé"),
)
_ARCHIVES = (
    (b"\x1f\x8b", "un fichier compressé (gzip)"),
    (b"7z\xbc\xaf\x27\x1c", "une archive 7z"),
    (b"Rar!", "une archive RAR"),
)
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_WEB_PAGE = re.compile(rb"^\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|table)\b", re.IGNORECASE)


def checked_path(chemin: object) -> Path:
    """Return the path of a file that exists.

    Raises:
        FileUnavailable: not a file name, nothing there, or a folder.
    """
    if not isinstance(chemin, str | Path) or not str(chemin).strip():
        raise FileUnavailable(
            "Le chemin du fichier doit être un texte entre guillemets, comme « subventions.csv ». "
            f"Reçu : {chemin!r}."
        )
    # Windows copies a path between quotes.
    path = Path(str(chemin).strip().strip('"'))
    try:
        path = path.expanduser()
        if path.is_dir():
            raise FileUnavailable(
                f"« {path} » est un dossier, pas un fichier. Ajoutez le nom du fichier, "
                "comme « dossier/subventions.csv »."
            )
        if not path.exists():
            raise FileUnavailable(_not_found(path))
        if not path.is_file():
            raise FileUnavailable(f"« {path} » n'est pas un fichier ordinaire. Copiez-le d'abord.")
    except OSError as error:
        raise FileUnavailable(unreadable(path, error)) from None
    except (ValueError, RuntimeError):
        raise FileUnavailable(
            f"« {path!s} » ne peut pas être un nom de fichier. Vérifiez ce qui est écrit."
        ) from None
    return path


def _not_found(path: Path) -> str:
    near = ""
    if path.parent.is_dir():
        stem = path.stem.casefold()
        same = sorted(one.name for one in path.parent.iterdir() if one.stem.casefold() == stem)
        if same:
            near = f" Il y a, dans ce dossier : {', '.join(f'« {name} »' for name in same[:3])}."
    return (
        f"Le fichier « {path} » est introuvable. Vérifiez le nom, sa fin (« .csv », « .xlsx ») "
        f"et le dossier.{near}"
    )


def unreadable(path: Path, error: OSError) -> str:
    """Say what the system refused, and what to do."""
    return (
        f"Le fichier « {path} » n'a pas pu être lu : {reason(error)}. Fermez-le s'il est ouvert "
        "ailleurs, puis copiez-le dans vos documents et recommencez."
    )


def read_start(path: Path, size: int) -> bytes:
    """Read at most `size` bytes.

    Raises:
        FileUnavailable: the system refuses.
    """
    try:
        with path.open("rb") as file:
            return file.read(size)
    except OSError as error:
        raise FileUnavailable(unreadable(path, error)) from None


def megabytes(size: int) -> str:
    """Write a number of bytes in megabytes: « 50 Mo »."""
    return f"{nombre(size / 1_000_000, 1 if size < 10_000_000 else 0)} Mo"


def kind(path: Path) -> str:
    """Say « texte », « xlsx » or « ods », by the content.

    Raises:
        EmptyFile: not one byte.
        NotATable: anything else than a table in text, .xlsx or .ods.
        FileTooLarge: a spreadsheet beyond the limits.
        DamagedFile: an archive that cannot be opened.
        FileUnavailable: the system refuses.
    """
    start = read_start(path, 4096)
    if not start:
        raise EmptyFile(
            f"« {path.name} » est vide : 0 octet. L'envoi ou la copie a échoué. "
            "Demandez qu'on vous le renvoie."
        )
    if start.startswith(b"PK\x03\x04") or start.startswith(b"PK\x05\x06"):
        return _zipped(path)
    _refuse_other_kinds(path, start)
    return "texte"


def _refuse_other_kinds(path: Path, start: bytes) -> None:
    name = f"« {path.name} »"
    if start.startswith(b"%PDF"):
        raise NotATable(
            f"{name} est un PDF : une image du tableau, faite pour être imprimée. Demandez le "
            "fichier dont il vient, en .csv, .ods ou .xlsx."
        )
    for signature, what in _PICTURES:
        if start.startswith(signature):
            raise NotATable(
                f"{name} est {what}. On n'y lit aucune case. Demandez le tableau, en .csv, "
                ".ods ou .xlsx."
            )
    for signature, what in _ARCHIVES:
        if start.startswith(signature):
            raise NotATable(
                f"{name} est {what}. Ouvrez-le d'abord, puis donnez le nom du fichier qu'il contient."
            )
    if start.startswith(_OLD_OFFICE):
        raise NotATable(_old_office(path))
    if _WEB_PAGE.match(start):
        raise NotATable(
            f"{name} contient une page web, quoi que dise son nom. Ouvrez-le dans un tableur, "
            "puis enregistrez-le en .csv UTF-8 ou en .ods."
        )
    if start.lstrip()[:1] in (b"{", b"[") and path.stat().st_size <= LIMIT and _is_json(path):
        raise NotATable(
            f"{name} est au format JSON : des fiches, pas un tableau. Demandez la version .csv, "
            "ou confiez-le à l'agente ou l'agent qui vous accompagne."
        )


def _old_office(path: Path) -> str:
    if _ENCRYPTED in read_start(path, LIMIT):
        return (
            f"« {path.name} » est protégé par un mot de passe. Ouvrez-le dans un tableur, "
            "enregistrez-en une copie sans mot de passe, et recommencez."
        )
    return (
        f"« {path.name} » est dans un ancien format (.xls ou .doc, d'avant 2007). Ouvrez-le dans "
        "un tableur, puis enregistrez-le sous un autre nom, en .xlsx, .ods ou .csv UTF-8."
    )


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(read_start(path, LIMIT)), dict | list)
    except (ValueError, RecursionError):
        return False


def _zipped(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            unzipped = sum(one.file_size for one in archive.infolist())
            declared = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, ValueError, EOFError):
        raise DamagedFile(damaged(path)) from None
    found = _office_kind(names, declared)
    if found:
        if path.stat().st_size > LIMIT or unzipped > UNZIPPED_LIMIT:
            raise FileTooLarge(
                f"« {path.name} » est trop grand : {megabytes(path.stat().st_size)}, et "
                f"{megabytes(unzipped)} une fois ouvert. La limite est de {megabytes(LIMIT)} "
                f"({megabytes(UNZIPPED_LIMIT)} ouvert). Demandez un extrait, ou un fichier par année."
            )
        return found
    inside = ", ".join(f"« {name} »" for name in names[:3]) or "rien"
    if any(name.startswith(("word/", "ppt/")) or name == "content.xml" for name in names):
        raise NotATable(
            f"« {path.name} » est un document de texte ou de présentation, pas un tableau. "
            "Copiez le tableau dans un tableur, puis enregistrez-le en .ods ou en .csv UTF-8."
        )
    if "xl/workbook.bin" in names:
        raise NotATable(
            f"« {path.name} » est un classeur binaire (.xlsb). Ouvrez-le dans un tableur, puis "
            "enregistrez-le en .xlsx, en .ods ou en .csv UTF-8."
        )
    raise NotATable(
        f"« {path.name} » est une archive ZIP. Elle contient : {inside}. Ouvrez-la, puis donnez "
        "le nom du fichier qui vous intéresse."
    )


def _office_kind(names: list[str], declared: bytes) -> str:
    if "xl/workbook.xml" in names:
        return "xlsx"
    return "ods" if b"opendocument.spreadsheet" in declared and "content.xml" in names else ""


def damaged(path: Path) -> str:
    """Say that a spreadsheet cannot be opened."""
    return (
        f"« {path.name} » est abîmé : il commence comme un classeur, mais on ne peut pas "
        "l'ouvrir. L'envoi a sans doute été coupé. Demandez qu'on vous le renvoie."
    )
