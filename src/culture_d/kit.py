"""What a trainer takes away, in one ZIP file: slides, sheets, cards, papers to sign, notebooks
and the course itself. Everything opens without network; the same course gives the same bytes.
"""

import re
import shutil
import tempfile
import textwrap
from collections.abc import Callable, Collection, Iterator
from datetime import date
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

from filelock import FileLock

from culture_d import __version__
from culture_d.booklet import print_cards, read_chapters
from culture_d.cards import OVERFLOWING, cards_html
from culture_d.catalogue import load_catalogue
from culture_d.curriculum import Module, load_curriculum, modules
from culture_d.errors import KitError, reason
from culture_d.french import date_longue, typeset
from culture_d.pdf import Printer, printer, reproducible
from culture_d.project import Project
from culture_d.sessions import Preparation, load_preparation, load_sessions
from culture_d.sheets import document
from culture_d.slides import deck, reveal
from culture_d.slides.check import check_deck, print_deck
from culture_d.stick import README, built_on, dated_entry, megabytes, name_faults, site_names
from culture_d.working_copy import make_working_copy

FOLDER = "culture-d-kit"
NAME = f"{FOLDER}.zip"
MOST_BYTES = 60_000_000
SESSIONS, SHEETS, SLIDES, CARDS, PAPERS, NOTEBOOKS, COURSE = (
    "1-seances",
    "2-fiches",
    "3-diapositives",
    "4-cartes",
    "5-a-signer",
    "6-carnets",
    "cours",
)
TO_KEEP = "a-retenir-"
"""Before the slug of a module: what to remember of it, twice a sheet, to be cut in two."""
WIDTH = 96
"""Signs on a line of the first text: a Notepad window does not wrap longer ones."""
CHECKLIST = "book/formateurs/documents/liste-de-controle"
TO_SIGN = tuple(
    f"book/formateurs/documents/{name}" for name in ("emargement", "evaluation", "presence")
)

Progress = Callable[[int, int, str], None]


def make_kit(
    project: Project,
    target: Path,
    only: Collection[str] = (),
    progress: Progress | None = None,
) -> int:
    """Write the kit as one ZIP file, all or nothing.

    Args:
        project: the course, whose site is built and fresh.
        target: the file to write; its folder is made.
        only: slugs of the modules whose slides, sheets and cards are wanted (all of them).
        progress: called with the steps done, their number and the French name of the next.

    Returns:
        The size of the file, in bytes.

    Raises:
        KitError: an unknown module, too many bytes, a refused name, or no room.
        CultureDError: slides, cards or a page that cannot be made; nothing is written.
    """
    chosen = _chosen(project, only)
    if target.resolve().is_relative_to(project.site.resolve()):
        raise KitError(f"« {target} » serait dans le site lui-même. Choisissez un autre dossier.")
    project.build.mkdir(exist_ok=True)
    with (
        FileLock(project.build / "site.lock"),
        tempfile.TemporaryDirectory(prefix="kit-", dir=project.build) as work,
    ):
        folder = Path(work) / FOLDER
        built = built_on(project)
        _fill(project, folder, chosen, built, progress or (lambda done, total, stage: None))
        try:
            return _zip(folder, target, built)
        except OSError as error:
            raise KitError(
                f"Le fichier « {target} » n'a pas pu être écrit : {reason(error)}. Choisissez une "
                "autre place : « culture-d kit --fichier CHEMIN »."
            ) from error


def read_me(built: date, limit: date, preparation: Preparation, chosen: list[Module]) -> str:
    """Write what a trainer reads first: how to prepare an hour, then what is in the folder.

    Args:
        built: the day when the site was built.
        limit: the last day when every dataset of the course is valid.
        preparation: the timed list of what to do.
        chosen: the modules that the kit holds.
    """
    lines = [
        "CULTURE D : LE DOSSIER DE FORMATION",
        "Décompressez d’abord le fichier ZIP. Tout s’ouvre ensuite sans internet, sans compte,",
        "sans rien installer : les PDF, les diaporamas et le cours, dans votre navigateur.",
        "",
        *_timed(preparation, chosen),
        "",
        "CE QUE CONTIENT LE DOSSIER",
        f"{SESSIONS} : les séances d’une heure, d’une demi-journée et de deux jours, minute par",
        "  minute, et la liste de contrôle.",
        f"{SHEETS} : par module, la fiche de formation, pour vous. Pour chaque participant, la fiche",
        f"  « À retenir » (« {TO_KEEP}… ») : deux par feuille, à couper.",
        f"{SLIDES} : un diaporama par module, à ouvrir par un double clic, et le même en PDF.",
        f"{CARDS} : ce que l’on imprime, affiche ou coupe pour se passer d’ordinateur.",
        f"{PAPERS} : la feuille d’émargement, l’évaluation, l’attestation de présence.",
        f"{NOTEBOOKS} : les carnets et leurs données, pour qui programme. Ils demandent JupyterLab.",
        "  Vous n’en avez pas besoin : les mêmes leçons se lisent dans le cours.",
        f"{COURSE} : le cours entier. Ouvrez « index.html », ou copiez ce dossier sur une clé USB.",
        "",
        "LE DIAPORAMA",
        "Flèche droite : étape suivante du déroulé. Elle saute le reste de l’étape.",
        "Espace : diapositive suivante. Après un vote, elle donne la réponse : tapez la flèche droite.",
        "Une figure apparaît seule : faites deviner, puis Espace montre la réponse.",
        "S : vos notes, dans une autre fenêtre. Elles comptent les minutes depuis le début du module.",
        "  Cliquez sur « Temps » pour le remettre à zéro. F : plein écran. Échap : toutes les",
        "  diapositives.",
        "",
        "LES MODULES",
        *(f"- {one.title} : {one.minutes} minutes. {one.question}" for one in chosen),
        "",
        f"Version {__version__}, du {date_longue(built)}.",
        "Textes sous licence Creative Commons BY 4.0. Données sous Licence Ouverte 2.0.",
        f"reveal.js : licence MIT, dans « {SLIDES}/{deck.REVEAL} ».",
        f"Données valables jusqu’au {date_longue(limit)}.",
    ]
    return "\r\n".join(typeset(line) for line in lines) + "\r\n"


def check_named(text: str, folder: Path) -> None:
    """Check that each file that a text names, from the top of the folder, is in it.

    Raises:
        KitError: a trainer would look for these files and not find them.
    """
    quoted = re.findall(r"«\s([\w-]+/[\w./-]+)\s»", text)
    missing = [name for name in dict.fromkeys(quoted) if not (folder / name).exists()]
    if missing:
        raise KitError(
            f"« {README} » nomme ce que le dossier n'a pas : {', '.join(missing)}. Corrigez "
            "« preparation », dans « book/formateurs/seances.yml »."
        )


def _timed(preparation: Preparation, chosen: list[Module]) -> Iterator[str]:
    """Yield the timed list, unless the kit lacks a module that it names."""
    slugs = {one.slug for one in chosen}
    if not preparation.modules <= slugs:
        yield "Ce dossier n’a pas tous les modules de la séance d’une heure. Le dossier entier dit"
        yield f"comment la préparer en {preparation.minutes} minutes."
        return
    yield f"PRÉPARER UNE SÉANCE D’UNE HEURE EN {preparation.minutes} MINUTES"
    yield "Vous n’avez jamais vu le cours ? Suivez cette liste, montre en main."
    done = 0
    for minutes, text in preparation.steps:
        yield from textwrap.wrap(
            typeset(text),
            WIDTH,
            initial_indent=f"  {done:>2} à {done + minutes:>2} min  ",
            subsequent_indent=" " * 14,
            break_on_hyphens=False,
        )
        done += minutes


def _chosen(project: Project, only: Collection[str]) -> list[Module]:
    published = [one for one in modules(load_curriculum(project)) if one.published]
    unknown = sorted(set(only) - {one.slug for one in published})
    if unknown:
        raise KitError(
            f"Module inconnu : {', '.join(unknown)}. Modules publiés : "
            f"{', '.join(one.slug for one in published)}."
        )
    return [one for one in published if not only or one.slug in only]


def _fill(
    project: Project, folder: Path, chosen: list[Module], built: date, progress: Progress
) -> None:
    preparation = load_preparation(project)
    pages = {
        **{one.document: f"{SESSIONS}/{one.id}.pdf" for one in load_sessions(project)},
        CHECKLIST: f"{SESSIONS}/{Path(CHECKLIST).name}.pdf",
        **{document(one.slug): f"{SHEETS}/{one.slug}.pdf" for one in chosen},
        **{page: f"{PAPERS}/{Path(page).name}.pdf" for page in TO_SIGN},
    }
    total = 2 + 2 * len(chosen) + len(pages)
    done = 0

    def step(stage: str) -> None:
        nonlocal done
        progress(done, total, stage)
        done += 1

    for place in (SESSIONS, SHEETS, SLIDES, CARDS, PAPERS):
        (folder / place).mkdir(parents=True)
    step("reveal.js")
    reveal.put_beside(project, folder / SLIDES / deck.REVEAL)
    with printer() as chromium, tempfile.TemporaryDirectory(dir=project.build) as scratch:
        for module in chosen:
            step(f"Diaporama : {module.title}")
            _put_deck(project, module, folder / SLIDES, chromium, built)
        chapters = {one.document: one for one in read_chapters(project, built)}
        for module in chosen:
            step(f"Cartes : {module.title}")
            _put_cards(project, module, folder / CARDS, chromium, built, Path(scratch))
            card = [chapters[module.document]] * 2
            content = print_cards(project, card, chromium, Path(scratch) / "fiche.html")
            path = folder / SHEETS / f"{TO_KEEP}{module.slug}.pdf"
            path.write_bytes(reproducible(content, built))
        for page, name in pages.items():
            step(f"Page : {name}")
            content = chromium.print((project.site / f"{page}.html").absolute(), alone=True)
            (folder / name).write_bytes(reproducible(content, built))
    step("Carnets et cours")
    # Made elsewhere: a copy inside the course is refused, since one would take it for the course.
    with tempfile.TemporaryDirectory() as outside:
        make_working_copy(project, Path(outside) / NOTEBOOKS)
        shutil.copytree(Path(outside) / NOTEBOOKS, folder / NOTEBOOKS)
    for name in site_names(project.site):
        (folder / COURSE / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project.site / name, folder / COURSE / name)
    limit = min(dataset.valid_until for dataset in load_catalogue(project))
    text = read_me(built, limit, preparation, chosen)
    check_named(text, folder)
    (folder / README).write_bytes(text.encode("utf-8-sig"))
    progress(total, total, "Écriture du fichier ZIP")


def _put_deck(
    project: Project, module: Module, folder: Path, chromium: Printer, built: date
) -> None:
    path = folder / f"{module.slug}.html"
    path.write_text(deck.make_deck(project, module), encoding="utf-8", newline="\n")
    check_deck(chromium.browser, path)
    content = print_deck(chromium.browser, path)
    path.with_suffix(".pdf").write_bytes(reproducible(content, built))


def _put_cards(
    project: Project, module: Module, folder: Path, chromium: Printer, built: date, scratch: Path
) -> None:
    html = cards_html(project, module)
    if html:
        file = scratch / f"{module.slug}.html"
        file.write_text(html, encoding="utf-8")
        content = chromium.print(file, OVERFLOWING)
        (folder / f"{module.slug}.pdf").write_bytes(reproducible(content, built))


def _zip(folder: Path, target: Path, built: date) -> int:
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    faults = name_faults(names)
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults[:20])
        raise KitError(f"Windows refuserait des noms du dossier :\n{listed}\nRenommez-les.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".zip", delete=False) as scratch:
        draft = Path(scratch.name)
    try:
        with ZipFile(draft, "w", ZIP_DEFLATED, compresslevel=9) as archive:
            for name, path in zip(names, paths, strict=True):
                archive.writestr(dated_entry(f"{FOLDER}/{name}", built), path.read_bytes())
        size = draft.stat().st_size
        if size > MOST_BYTES:
            raise KitError(
                f"Le dossier pèse {megabytes(size)} en ZIP, au lieu de {megabytes(MOST_BYTES)} au "
                "plus. Allégez ses fichiers, ou ne prenez que quelques modules."
            )
        draft.chmod(0o644)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
    return size
