"""The course in one ZIP file for a USB stick: unzipped, it works by double click, offline.

The stick may be FAT32 and the machine an old Windows: every name must suit them. The
same site gives the same bytes.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from filelock import FileLock

from culture_d import __version__
from culture_d.catalogue import load_catalogue
from culture_d.errors import StickError, reason
from culture_d.french import NO_BREAK_SPACE, date_longue, nombre, typeset
from culture_d.project import Project
from culture_d.site import STAMP

FOLDER = "culture-d"
FIRST_PAGE = "index.html"
README = "LISEZ-MOI.txt"
# What a slow stick copies at once, and a mail may carry.
MOST_BYTES = 10_000_000
# Windows stops at 260 characters, the folder where one unzips included.
LONGEST_PATH = 150
HEAVIEST = 5
# Written by the build for other programs; no page asks for them.
_LEFT_OUT = re.compile(r"(?:^|/)\.|\.map$|^objects\.inv$")
_REFUSED_CHARACTERS = re.compile(r'[<>:"\\|?*\x00-\x1f\x7f]|[^\x00-\x7f]')
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)

Progress = Callable[[int, int], None]


def make_archive(project: Project, target: Path, progress: Progress | None = None) -> int:
    """Write the site in place as one ZIP file, all or nothing.

    Args:
        project: the course, whose site is built and fresh.
        target: the file to write; its folder is made.
        progress: called with the files done and their number.

    Returns:
        The size of the file, in bytes.

    Raises:
        StickError: a name that Windows cannot hold, too many bytes, or no room.
    """
    if target.resolve().is_relative_to(project.site.resolve()):
        raise StickError(
            f"« {target} » serait dans le site lui-même, et donc dans le fichier suivant. "
            "Choisissez un autre dossier."
        )
    with FileLock(project.build / "site.lock"):
        built = built_on(project)
        names = site_names(project.site)
        faults = name_faults([*names, README])
        if faults:
            listed = "\n".join(f"  {fault}" for fault in faults[:20])
            raise StickError(
                f"Une clé USB lue par Windows refuserait {len(faults)} nom(s) du site :\n{listed}\n"
                "Renommez ces fichiers à leur source, puis relancez la commande."
            )
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=target.parent, suffix=".zip", delete=False) as scratch:
                draft = Path(scratch.name)
        except OSError as error:
            raise StickError(_not_written(target, error)) from error
        try:
            size = _write(project, draft, names, built, progress or (lambda done, total: None))
            draft.chmod(0o644)
            draft.replace(target)
        except OSError as error:
            raise StickError(_not_written(target, error)) from error
        finally:
            draft.unlink(missing_ok=True)
    return size


def name_faults(names: Iterable[str]) -> list[str]:
    """Say which paths, with « / » between folders, FAT32 or Windows would refuse."""
    faults = []
    seen: dict[str, str] = {}
    for name in names:
        found = []
        if len(name) + len(FOLDER) + 1 > LONGEST_PATH:
            found.append(f"{len(name)} caractères, trop long")
        for part in name.split("/"):
            refused = _REFUSED_CHARACTERS.search(part)
            if refused:
                found.append(f"caractère refusé ou mal lu, « {refused[0]!a} »".replace("'", ""))
            if part.endswith((".", " ")):
                found.append("un point ou une espace à la fin d'un nom")
            if _DEVICE.fullmatch(part):
                found.append(f"« {part} » est un nom réservé par Windows")
        # Folders count too: « Images/a » and « images/b » would be one folder.
        for end in [i for i, sign in enumerate(name) if sign == "/"] + [len(name)]:
            path = name[:end]
            folded = unicodedata.normalize("NFC", path).casefold()
            twin = seen.setdefault(folded, path)
            if twin != path:
                found.append(f"le même nom que « {twin} », aux majuscules près")
        faults += [f"{name} : {fault}" for fault in found]
    return faults


def read_me(built: date, limit: date) -> str:
    """Write the text beside the first page, for who opens the stick.

    Args:
        built: the day when the site was built.
        limit: the last day when every dataset of the course is valid.
    """
    validity = (
        f"Toutes les données sont valables jusqu’au {date_longue(limit)}."
        if built <= limit
        else f"Attention : des données ont expiré le {date_longue(limit)}."
    )
    lines = [
        "CULTURE D",
        "Un cours libre de culture de la donnée pour les élues et les élus locaux.",
        "",
        "OUVRIR LE COURS",
        "1. Décompressez d’abord le fichier ZIP : sous Windows, clic droit, « Extraire tout ».",
        f"2. Ouvrez le dossier « {FOLDER} », puis double-cliquez sur « {FIRST_PAGE} ».",
        "Le cours s’ouvre dans votre navigateur.",
        "",
        "Rien à installer. Pas besoin d’internet ni de compte. Rien n’est envoyé.",
        "Gardez tous les fichiers ensemble : une page seule ne marche pas.",
        "",
        f"Version {__version__}, construite le {date_longue(built)}.",
        validity,
        "Ensuite, la page du cours vous avertit sous chaque chiffre périmé.",
        "",
        "Textes sous licence Creative Commons BY 4.0. Données sous Licence Ouverte 2.0.",
    ]
    return "\r\n".join(typeset(line) for line in lines) + "\r\n"


def _write(project: Project, draft: Path, names: list[str], built: date, progress: Progress) -> int:
    limit = min(dataset.valid_until for dataset in load_catalogue(project))
    with ZipFile(draft, "w", ZIP_DEFLATED, compresslevel=9) as archive:

        def add(name: str, content: bytes) -> None:
            archive.writestr(dated_entry(f"{FOLDER}/{name}", built), content)

        # With a mark at its head, without which an old Notepad misreads the accents.
        add(README, read_me(built, limit).encode("utf-8-sig"))
        for done, name in enumerate(names, start=1):
            add(name, (project.site / name).read_bytes())
            progress(done, len(names))
        entries = archive.infolist()
    size = draft.stat().st_size
    if size > MOST_BYTES:
        raise StickError(_too_heavy(size, entries))
    return size


def dated_entry(name: str, built: date) -> ZipInfo:
    """Describe a file of a ZIP by the day of the build, not by the hour of its copy."""
    entry = ZipInfo(name, (built.year, built.month, built.day, 0, 0, 0))
    entry.compress_type = ZIP_DEFLATED
    entry.create_system = 3
    entry.external_attr = 0o100644 << 16
    return entry


def _too_heavy(size: int, entries: list[ZipInfo]) -> str:
    heaviest = sorted(entries, key=lambda entry: -entry.compress_size)[:HEAVIEST]
    listed = "\n".join(
        f"  {entry.filename.removeprefix(FOLDER + '/')} : {megabytes(entry.compress_size)}"
        for entry in heaviest
    )
    return (
        f"Le cours pèse {megabytes(size)} en ZIP, au lieu de {megabytes(MOST_BYTES)} au plus. "
        f"Les fichiers les plus lourds :\n{listed}\nAllégez-les, puis relancez la commande."
    )


def megabytes(size: int) -> str:
    """Write a size in megabytes (millions of bytes), in French."""
    return f"{nombre(size / 1e6, 1 if size >= 100_000 else 3)}{NO_BREAK_SPACE}Mo"


def site_names(site: Path) -> list[str]:
    """List the files of the site that its reader needs, with « / » between folders, in order."""
    paths = (path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    return sorted(name for name in paths if not _LEFT_OUT.search(name))


def built_on(project: Project) -> date:
    """Return the day when the site in place was built."""
    stamp = json.loads((project.build / STAMP).read_text(encoding="utf-8"))
    return date.fromisoformat(stamp["built"])


def _not_written(target: Path, error: OSError) -> str:
    return (
        f"Le fichier « {target} » n'a pas pu être écrit : {reason(error)}. Choisissez une autre "
        "place : « culture-d cle --fichier CHEMIN »."
    )
