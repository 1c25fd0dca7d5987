"""The command `culture-d`. Its words are French; what it does lies elsewhere.

Modules are imported inside the commands: `servir` must answer at once.
"""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from culture_d import french_click
from culture_d.errors import CultureDError, ProjectNotFound, WorkingCopyError, reason
from culture_d.project import Project
from culture_d.workshop.commands import atelier

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from culture_d.grading.run import Outcome

DEFAULT_PORT = 8000
# `corriger` did its work, and a submission could not be graded.
REFUSED = 3


class _Group(click.Group):
    """A group that shows our errors as one French message, without a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except CultureDError as error:
            click.echo(f"Erreur : {error}", err=True)
            ctx.exit(1)
        except OSError as error:
            if error.errno == errno.EPIPE:  # the reader of our output left; click knows
                raise
            name = f"Le fichier « {error.filename} »" if error.filename else "Un fichier"
            click.echo(f"Erreur : {name} n'a pas pu être lu ou écrit : {reason(error)}.", err=True)
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("\nArrêté.", err=True)
            ctx.exit(130)


@click.group(
    cls=_Group,
    subcommand_metavar="COMMANDE [OPTIONS]...",
    options_metavar="",
    context_settings={"help_option_names": ["-h", "--help", "--aide"]},
)
@click.version_option(
    package_name="culture-d", message="Culture D %(version)s", help="Afficher la version."
)
def cli() -> None:
    """Culture D : construire le cours, le servir, l'animer."""


@cli.command()
@click.option(
    "--port",
    type=int,
    default=DEFAULT_PORT,
    envvar="PORT",
    show_default=True,
    help="Port sur cette machine.",
)
def servir(port: int) -> None:
    """Construire le site s'il a changé, puis le servir sur cette machine."""
    from culture_d.serve import ADDRESS, make_server
    from culture_d.site import is_fresh

    project = Project.find_whole()
    server = make_server(project.site, port)
    with server:
        if not is_fresh(project):
            _build(project)
        click.echo(
            f"Le cours est servi sur http://{ADDRESS}:{server.server_port}/ (Ctrl+C pour arrêter)."
        )
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("\nArrêté.")


@cli.command()
def construire() -> None:
    """Construire le site dans « _build/html », sans exécuter les carnets."""
    site = _build(Project.find_whole())
    pages = len(list(site.rglob("*.html")))
    click.echo(f"Le site est prêt : {pages} pages dans « {site} ».")


@cli.command()
@click.option(
    "--fichier",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="CHEMIN",
    help="Où écrire (« _build/culture-d.zip » par défaut).",
)
def cle(fichier: Path | None) -> None:
    """Écrire le cours dans un fichier ZIP, pour une clé USB ou un poste sans réseau.

    Décompressé, il s'ouvre par un double clic sur « index.html ».
    """
    from culture_d.site import is_fresh
    from culture_d.stick import make_archive, megabytes

    project = Project.find_whole()
    if not is_fresh(project):
        _build(project)
    target = (fichier or project.build / "culture-d.zip").resolve()
    with _progress("Écriture du fichier ZIP") as advance:
        size = make_archive(project, target, lambda done, total: advance(done, total))
    click.echo(
        f"Prêt pour la clé USB : « {target} » ({megabytes(size)}). "
        "Décompressez-le sur la clé, puis ouvrez « index.html »."
    )


@cli.command()
@click.argument("dossier", type=click.Path(path_type=Path))
@click.option("--sans-ouvrir", is_flag=True, help="Préparer le dossier sans lancer JupyterLab.")
def lab(dossier: Path, sans_ouvrir: bool) -> None:
    """Ouvrir JupyterLab sur une copie des carnets et des données, dans DOSSIER.

    Un fichier que vous avez modifié n'est jamais écrasé.
    """
    from culture_d.catalogue import load_catalogue
    from culture_d.french import date_longue
    from culture_d.working_copy import CONFIG, SETTINGS, make_working_copy

    try:
        dossier = dossier.expanduser()
    except RuntimeError:
        raise WorkingCopyError(f"« {dossier} » : ce compte n'existe pas sur la machine.") from None
    project = Project.find()
    if project.is_working_copy:
        with suppress(ProjectNotFound):
            project = Project.find(Path(__file__).parent)
    with _progress("Copie des carnets et des données") as advance:
        report = make_working_copy(project, dossier, lambda done, total: advance(done, total))
    click.echo(
        f"Copie dans « {dossier} ». Fichiers ajoutés : {len(report.added)} ; "
        f"mis à jour : {len(report.updated)} ; gardés car modifiés par vous : {len(report.kept)}."
    )
    for path in report.offered:
        click.echo(f"  Nouvelle version posée à côté de la vôtre : « {path} ».")
    for dataset in load_catalogue(project):
        if dataset.expired(date.today()):
            click.echo(
                f"  Attention : les données « {dataset.title} » ont expiré le "
                f"{date_longue(dataset.valid_until)}."
            )
    if sans_ouvrir:
        return
    environment = {
        **os.environ,
        "JUPYTERLAB_SETTINGS_DIR": str((dossier / SETTINGS).resolve()),
        "JUPYTER_CONFIG_PATH": str((dossier / CONFIG).resolve()),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    click.echo(
        "JupyterLab s'ouvre dans votre navigateur. Sinon, ouvrez l'adresse affichée ci-dessous. "
        "Pour arrêter : Ctrl+C deux fois."
    )
    command = [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={dossier.resolve()}"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")  # a container's only account; it listens on loopback
    _call(command, environment, None)


def _call(command: list[str], environment: dict[str, str], folder: Path | None) -> None:
    """Run JupyterLab until its user stops it, and leave with its status."""
    # Ctrl+C is for JupyterLab, which asks before it stops: wait for its answer.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        raise SystemExit(subprocess.call(command, env=environment, cwd=folder))
    finally:
        signal.signal(signal.SIGINT, before)


@cli.command()
@click.option("--check", "verifier", is_flag=True, help="Échouer si des données ont expiré.")
@click.option(
    "--date",
    "jour",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="AAAA-MM-JJ",
    help="Faire comme si l'on était à cette date.",
)
def catalogue(verifier: bool, jour: Any) -> None:
    """Montrer chaque jeu de données : genre, millésime, âge, date de péremption."""
    from rich.console import Console
    from rich.table import Table

    from culture_d.catalogue import check_freshness, load_catalogue
    from culture_d.french import accord, date_longue

    today = jour.date() if jour else date.today()
    datasets = load_catalogue()
    table = Table(title=f"Catalogue au {date_longue(today)}")
    for heading in ("Jeu", "Genre", "Millésime", "Âge", "Valable jusqu'au", "État"):
        table.add_column(heading)
    for dataset in datasets:
        dataset.verify()
        state = "[red]expiré[/red]" if dataset.expired(today) else "valable"
        limit = date_longue(dataset.valid_until)
        age = accord(dataset.age(today), "jour")
        table.add_row(dataset.name, dataset.kind, dataset.vintage, age, limit, state)
    Console().print(table)
    if verifier:
        check_freshness(datasets, today)


@cli.command()
@click.option("--check", "verifier", is_flag=True, help="Échouer si une fiche est à revérifier.")
@click.option(
    "--date",
    "jour",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="AAAA-MM-JJ",
    help="Faire comme si l'on était à cette date.",
)
def lois(verifier: bool, jour: Any) -> None:
    """Montrer chaque fiche de droit : certitude, date de vérification, prochaine relecture."""
    from rich.console import Console
    from rich.table import Table

    from culture_d.french import date_longue
    from culture_d.law_card import CERTAINTIES
    from culture_d.laws import check_recheck_dates, load_laws

    today = jour.date() if jour else date.today()
    cards = load_laws(Project.find()).cards
    table = Table(title=f"Fiches de droit au {date_longue(today)}")
    for heading in (
        "Fiche",
        "Certitude",
        "Vérifiée le",
        "À revérifier avant le",
        "Pourquoi",
        "État",
    ):
        table.add_column(heading)
    for card in cards:
        state = "[red]à revérifier[/red]" if card.overdue(today) else "à jour"
        words = CERTAINTIES.get(card.certainty, "à vérifier")
        days = (date_longue(card.checked), date_longue(card.recheck_by))
        table.add_row(card.id, words, *days, card.recheck_because, state)
    Console().print(table)
    if verifier:
        check_recheck_dates(cards, today)


@cli.command()
@click.argument("exercices_choisis", nargs=-1, metavar="[EXERCICE]...")
@click.option("--valider", is_flag=True, help="Vérifier sans rien préparer.")
@click.option(
    "--dossier",
    type=click.Path(path_type=Path),
    help="Où écrire (« exercises/release » par défaut).",
)
def exercices(exercices_choisis: tuple[str, ...], valider: bool, dossier: Path | None) -> None:
    """Préparer les exercices pour les apprenants : un dossier et un ZIP chacun.

    Chaque exercice est d'abord vérifié : rien n'est écrit si l'un d'eux a un défaut.
    """
    from culture_d.exercises import release, slugs_of, validate

    project = Project.find_whole()
    chosen = exercices_choisis or slugs_of(project)
    with _progress("Exercices") as advance:
        if valider:
            for exercise in validate(project, chosen, advance.say):
                click.echo(
                    f"{exercise.slug} : valide, {exercise.automatic:g} points automatiques "
                    f"et {exercise.manual:g} relus par une personne."
                )
            return
        for archive in release(project, chosen, dossier, advance.say):
            click.echo(f"Prêt pour les apprenants : « {archive} ».")


@cli.command()
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--exercice", metavar="NOM", help="Ne corriger que cet exercice.")
@click.option(
    "--cours",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DOSSIER",
    help="Cours nbgrader qui reçoit les résultats (« correction » ici, par défaut).",
)
@click.option(
    "--jobs", type=click.IntRange(1, 256), metavar="N", help="Devoirs corrigés à la fois."
)
@click.option(
    "--db", metavar="ADRESSE", help="Carnet de notes : sqlite:///… ou postgresql+psycopg://…"
)
@click.option(
    "--delai",
    type=click.FloatRange(1, 3600),
    metavar="SECONDES",
    help="Temps laissé à chaque cellule.",
)
@click.option("--simulation", is_flag=True, help="Dire ce qui serait fait, sans rien écrire.")
@click.option("--sans-isolation", is_flag=True, help="Corriger sans protéger cette machine.")
@click.option(
    "--methode",
    type=click.Choice(["rapide", "simple"]),
    default="rapide",
    show_default=True,
    help="Un Python prêt d'avance, ou un Python neuf par devoir : mêmes résultats.",
)
@click.option(
    "--scheduler",
    metavar="ADRESSE",
    help="Corriger sur d'autres machines : tcp://machine:8786 (dask).",
)
def corriger(
    source: Path,
    exercice: str | None,
    cours: Path | None,
    jobs: int | None,
    db: str | None,
    delai: float | None,
    simulation: bool,
    sans_isolation: bool,
    methode: str,
    scheduler: str | None,
) -> None:
    """Corriger les devoirs d'un dossier ou d'une archive : points, retours, tableau.

    SOURCE est un dossier « submitted » de nbgrader, un dossier de notebooks, ou l'archive
    d'une plateforme. Les devoirs ne sont jamais modifiés. Relancée, la commande ne corrige
    que ce qui a changé. Code de retour : 0 si tout est noté, 3 si un devoir est refusé.
    """
    from culture_d.grading.run import Options, correct, default_jobs

    options = Options(
        source=source,
        course=cours,
        only=exercice,
        jobs=jobs or default_jobs(),
        db_url=db,
        cell_seconds=delai,
        simulate=simulation,
        isolated=not sans_isolation,
        method=methode,
        scheduler=scheduler,
    )
    try:
        project = Project.find_whole()
    except ProjectNotFound:
        project = None
    with _counted("Correction") as advance:
        outcome = correct(options, project, advance)
    _show_outcome(outcome, simulation)
    if outcome.refused or outcome.failed:
        sys.exit(REFUSED)


cli.add_command(atelier)


@cli.command()
@click.argument(
    "dossier", type=click.Path(path_type=Path, file_okay=False), default=Path("correction")
)
def formgrader(dossier: Path) -> None:
    """Lire les réponses libres et donner leurs points, dans le Formgrader de nbgrader.

    DOSSIER est celui que « culture-d corriger » a rempli (« correction » par défaut).
    """
    from culture_d.grading.formgrader import command

    words, environment = command(dossier)
    click.echo(
        "Formgrader s'ouvre dans votre navigateur. Sinon, ouvrez l'adresse affichée ci-dessous. "
        "Pour arrêter : Ctrl+C deux fois. Relancez ensuite « culture-d corriger »."
    )
    _call(words, environment, dossier)


@cli.command()
@click.argument("copie", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--cours",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("correction"),
    metavar="DOSSIER",
    help="Dossier de la correction (« correction » par défaut).",
)
@click.option("--db", metavar="ADRESSE", help="Carnet de notes à remplir, s'il est ailleurs.")
def restaurer(copie: Path, cours: Path, db: str | None) -> None:
    """Remettre le carnet de notes comme dans une copie du dossier « sauvegardes »."""
    from datetime import datetime

    from culture_d.grading.assignment import gradebook_of
    from culture_d.grading.backup import FOLDER, restore
    from culture_d.grading.database import shown_url

    address = db or gradebook_of(cours.resolve())
    held = restore(copie, address, cours / FOLDER, datetime.now())
    click.echo(f"Le carnet de notes « {shown_url(address)} » est comme dans « {copie} ».")
    if held:
        click.echo(f"Ce qu'il contenait est gardé : « {held} ».")
    click.echo("Relancez « culture-d corriger » : les retours et le bilan suivront.")


@cli.command()
@click.option(
    "--dossier",
    type=click.Path(path_type=Path, file_okay=False),
    help="Où écrire (« _build/livret » par défaut).",
)
def livret(dossier: Path | None) -> None:
    """Écrire le livret du cours et les fiches, en PDF à imprimer."""
    from culture_d.booklet import make
    from culture_d.site import is_fresh

    project = Project.find_whole()
    if not is_fresh(project):
        _build(project)
    with _progress("Livret") as advance:
        paths = make(project, dossier or project.build / "livret", date.today(), advance.say)
    for path in paths:
        click.echo(f"Prêt à imprimer : « {path} ».")


@cli.command()
@click.argument("choisis", nargs=-1, metavar="[MODULE]...")
@click.option(
    "--fichier",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="CHEMIN",
    help="Où écrire (« _build/culture-d-kit.zip » par défaut).",
)
def kit(choisis: tuple[str, ...], fichier: Path | None) -> None:
    """Écrire le dossier de formation : séances, diaporamas, fiches, cartes, cours.

    Un seul fichier ZIP, à emporter ; tout s'y ouvre sans réseau. MODULE : ne prendre que les
    diaporamas, les fiches et les cartes de ces modules (tous par défaut).
    """
    from culture_d.kit import NAME, make_kit
    from culture_d.site import is_fresh
    from culture_d.stick import README, megabytes

    project = Project.find_whole()
    if not is_fresh(project):
        _build(project)
    target = (fichier or project.build / NAME).resolve()
    with _counted("Dossier de formation") as advance:
        size = make_kit(project, target, choisis, advance)
    click.echo(
        f"Prêt à emporter : « {target} » ({megabytes(size)}). "
        f"Décompressez-le, puis commencez par « {README} »."
    )


@cli.command()
@click.argument("carnets", nargs=-1, metavar="[MODULE]...")
def executer(carnets: tuple[str, ...]) -> None:
    """Exécuter des carnets (tous par défaut) et enregistrer leurs résultats."""
    from culture_d.execution import execute
    from culture_d.notebooks import check

    chosen = _chosen_notebooks(carnets)
    with _progress("Exécution des carnets") as advance:
        for count, path in enumerate(chosen, start=1):
            seconds = execute(path, check)
            advance(count, len(chosen))
            click.echo(f"{path.stem} : {seconds:.1f} s")


@cli.command()
@click.argument("carnets", nargs=-1, metavar="[MODULE]...")
def verifier(carnets: tuple[str, ...]) -> None:
    """Vérifier que chaque résultat enregistré est celui que le code affiche."""
    from culture_d.verification import verify

    chosen = _chosen_notebooks(carnets)
    with _progress("Vérification des carnets"):
        cells = verify(chosen)
    click.echo(f"Carnets vérifiés : {len(chosen)}. Cellules exécutées : {cells}.")


@cli.command()
@click.argument("pages", nargs=-1, metavar="[PAGE]...")
def relire(pages: tuple[str, ...]) -> None:
    """Relire le français du cours : ses pages, ses textes, ses exercices.

    PAGE : une partie du nom des fichiers à relire, comme « glossaire » (tout par défaut).
    """
    from culture_d.prose.review import review
    from culture_d.site import is_fresh

    project = Project.find_whole()
    if not is_fresh(project):
        _build(project)
    outcome = review(project)
    remarks = [
        remark
        for remark in outcome.remarks
        if not pages or any(page in f"{remark.page} {remark.place}" for page in pages)
    ]
    for remark in remarks:
        click.echo(remark.sentence())
    click.echo(
        f"Textes relus : {outcome.blocks}. Remarques : {len(remarks)}. "
        f"Exceptions admises : {outcome.admitted}."
    )
    if remarks:
        raise SystemExit(1)


@cli.command("nouveau-module")
@click.argument("slug")
def nouveau_module(slug: str) -> None:
    """Créer le carnet d'un module prévu au parcours, et le publier dans la carte."""
    from culture_d.skeleton import create_module

    path = create_module(Project.find_whole(), slug)
    click.echo(
        f"Le module « {slug} » est créé : « {path} ». Écrivez-le, puis lancez « culture-d executer »."
    )


def _chosen_notebooks(slugs: tuple[str, ...]) -> list[Path]:
    """Return the notebooks named, or all of them."""
    from culture_d.errors import NotebookError
    from culture_d.notebooks import notebook_paths

    every = {path.stem: path for path in notebook_paths(Project.find_whole())}
    unknown = [name for name in slugs if name not in every]
    if unknown:
        raise NotebookError(
            f"Module inconnu : {', '.join(unknown)}. Modules présents : {', '.join(every)}."
        )
    return [every[name] for name in slugs] or list(every.values())


def _build(project: Project) -> Path:
    from culture_d.site import build

    with _progress("Construction du site") as advance:
        return build(project, lambda stage, percent: advance(percent, 100, stage))


class _Advance:
    """Moves one progress bar."""

    def __init__(self, progress: "Progress", task: "TaskID") -> None:
        self._progress = progress
        self._task = task

    def __call__(self, done: int, total: int, stage: str | None = None) -> None:
        self._progress.update(self._task, completed=done, total=total)
        if stage:
            self._progress.update(self._task, description=stage)

    def say(self, stage: str) -> None:
        """Name the step under way, when how many there are is not known."""
        self._progress.update(self._task, description=stage)


@contextmanager
def _progress(title: str) -> Iterator[_Advance]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Advance(progress, progress.add_task(title, total=None))


spinning = _progress


@contextmanager
def _counted(title: str) -> Iterator[_Advance]:
    """A progress bar that says how many are done, of how many."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Advance(progress, progress.add_task(title, total=None))


def _show_outcome(outcome: "Outcome", simulation: bool) -> None:
    """Print what became of each submission that is not simply graded, then the counts."""
    from rich.console import Console
    from rich.table import Table

    table = Table(show_lines=False)
    for title in ("Élève", "Exercice", "Résultat", "Remarque"):
        table.add_column(title, overflow="fold")
    for planned in outcome.planned:
        if planned.notes:
            one = planned.submission
            name = one.shown_name or one.learner
            table.add_row(name, one.assignment, "serait réparé", " ".join(planned.notes))
    for entry in outcome.graded:
        if entry.notes:
            what = "noté, réparé" if entry.repaired else "noté"
            name = entry.shown_name or entry.learner
            table.add_row(name, entry.assignment, what, " ".join(entry.notes))
    for refusal in outcome.refused:
        name = refusal.shown_name or refusal.learner
        table.add_row(name, refusal.assignment or "?", "refusé", refusal.reason)
    for failed in outcome.failed:
        table.add_row(failed.learner, failed.assignment, "non corrigé", failed.reason)
    if table.row_count:
        # File names are not rich's markup: « devoir [v2] » is shown as it is.
        Console(markup=False, emoji=False).print(table)
    for line in (*outcome.ignored, *outcome.warnings):
        click.echo(line)
    counts = {
        "à corriger" if simulation else "notés": len(outcome.planned) + len(outcome.graded),
        "dont réparés": sum(1 for one in outcome.graded if one.repaired)
        + sum(1 for one in outcome.planned if one.notes),
        "inchangés": len(outcome.unchanged),
        "refusés": len(outcome.refused),
        "non corrigés": len(outcome.failed),
    }
    shown = ", ".join(f"{what} : {count}" for what, count in counts.items() if count)
    click.echo(f"Devoirs {shown}." if shown else "Aucun devoir trouvé.")
    for path in outcome.written:
        click.echo(f"Écrit : « {path} ».")
    if not simulation and (outcome.graded or outcome.unchanged):
        click.echo(f"Carnet de notes et retours : « {outcome.course} ».")


counted, show_outcome = _counted, _show_outcome


def main() -> None:
    """Run the command line in French."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    french_click.install()
    cli()


if __name__ == "__main__":
    main()
