"""`culture-d atelier`: its words, and what it prints."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from culture_d.project import Project
from culture_d.workshop.model import LOOPBACK, MEBIBYTE, PORT, Workshop

_NAME = click.option(
    "--nom", default="atelier", show_default=True, metavar="NOM", help="Nom de l'atelier."
)
_FOLDER = click.option(
    "--dossier",
    metavar="DOSSIER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Son dossier (« /srv/culture-d/NOM » par défaut).",
)
_YES = click.option("--oui", is_flag=True, help="Confirmer d'avance ce qui supprime des places.")

_JOBS = click.option(
    "--jobs", type=click.IntRange(1, 256), metavar="N", help="Devoirs corrigés à la fois."
)
_UNSAFE = click.option(
    "--sans-isolation", is_flag=True, help="Corriger sans protéger cette machine."
)


@click.group(subcommand_metavar="COMMANDE [OPTIONS]...", options_metavar="")
def atelier() -> None:
    """Tenir un atelier : une salle d'apprenants sur une seule machine Linux."""


@atelier.command()
@click.option("--places", type=int, metavar="N", help="Nombre de places d'apprenants.")
@click.option("--exercices", default="", metavar="A,B", help="Exercices à distribuer.")
@click.option("--module", metavar="MODULE", help="Module sur lequel JupyterLab s'ouvre.")
@click.option("--reseau", metavar="ADRESSE", help="Adresse de la salle, à écrire sur les cartes.")
@click.option("--port", type=int, metavar="PORT", help=f"Port ({PORT} par défaut).")
@click.option("--fin", metavar="DATE", help="Fin de l'atelier, comme « 2026-03-12T17:00 ».")
@click.option("--memoire", type=click.IntRange(512), metavar="MIO", help="Mémoire d'une place.")
@click.option("--processus", type=click.IntRange(64), metavar="N", help="Programmes d'une place.")
@click.option("--fichier", type=click.IntRange(16), metavar="MIO", help="Taille d'un fichier.")
@click.option(
    "--repos", type=click.IntRange(1), metavar="MINUTES", help="Arrêt d'une place sans activité."
)
@click.option(
    "--cartes",
    metavar="FICHIER",
    type=click.Path(path_type=Path, dir_okay=False),
    help="PDF des cartes.",
)
@click.option("--prefixe", default="cd", metavar="MOT", help="Début du nom des comptes Unix.")
@click.option(
    "--places-non-separees",
    "shared",
    is_flag=True,
    help="Sans droits d'administration : chacun peut lire et changer le travail des autres.",
)
@_NAME
@_FOLDER
@_YES
def preparer(nom: str, dossier: Path | None, oui: bool, shared: bool, **asked: Any) -> None:
    """Créer les places, copier les notebooks, distribuer les exercices, écrire les cartes.

    Relancée, la commande fait ce qui manque et ne touche pas au reste.
    """
    from culture_d.cli import spinning
    from culture_d.workshop import life

    options = life.Options(
        seats=asked["places"],
        exercises=asked["exercices"].split(","),
        module=asked["module"],
        address=asked["reseau"],
        port=asked["port"],
        end=_moment(asked["fin"]),
        memory=asked["memoire"] * MEBIBYTE if asked["memoire"] else None,
        processes=asked["processus"],
        idle_seconds=asked["repos"] * 60 if asked["repos"] else None,
        file_size=asked["fichier"] * MEBIBYTE if asked["fichier"] else None,
        separated=not shared,
        prefix=_prefix(asked["prefixe"]),
        cards=asked["cartes"],
        confirmed=oui,
    )
    folder = life.folder_of(nom, dossier, not shared)
    with spinning("Préparation de l'atelier") as advance:
        done = life.prepare(Project.find_whole(), nom, folder, options, advance.say)
    workshop = done.workshop
    click.echo(
        f"L'atelier « {nom} » est prêt : {len(workshop.seats)} places, exercices "
        f"{', '.join(workshop.exercises)}. Dossier : « {folder} »."
    )
    if done.made:
        click.echo(f"Comptes créés : {len(done.made)}.")
    if done.cards:
        click.echo(
            f"Cartes des places à imprimer : « {done.cards} ». Les mots de passe ne sont écrits que "
            "là : supprimez ce fichier après l'impression."
        )
        if not workshop.announced:
            click.echo(
                f"Elles portent l'adresse {workshop.url_at(LOOPBACK)}, bonne sur cette machine "
                "seulement. Pour une salle : « --reseau ADRESSE »."
            )
    for line in done.warnings:
        click.echo(line)
    if shared:
        click.echo(
            "Attention : ces places ne sont pas séparées. Chacune peut lire, changer et supprimer "
            "le travail des autres, vos propres fichiers et le carnet de notes."
        )


@atelier.command()
@click.option("--reseau", metavar="ADRESSE", help="Ouvrir sur le réseau de la salle, chiffré.")
@click.option("--port", type=int, metavar="PORT", help="Un autre port.")
@click.option(
    "--a-la-demande",
    "on_demand",
    is_flag=True,
    help="Ne pas démarrer les places d'avance : chacune à son entrée.",
)
@_NAME
@_FOLDER
def ouvrir(
    nom: str, dossier: Path | None, reseau: str | None, port: int | None, on_demand: bool
) -> None:
    """Démarrer JupyterHub, sur cette machine seulement ou sur le réseau de la salle.

    Les places démarrent ensuite, quelques-unes à la fois, avant que la salle n'entre.
    """
    from culture_d.workshop import life

    known = _load(nom, dossier)
    dated = life.clock_remarks(known)
    workshop, started, fingerprint = life.open_hub(known, reseau, port)
    click.echo(f"L'atelier {'est' if started else 'était déjà'} ouvert : {workshop.url}")
    if fingerprint:
        click.echo(
            "Attention : toute machine reliée à ce réseau peut maintenant afficher la page "
            "d'entrée. Seules les cartes des places ouvrent.\n"
            "Les navigateurs avertiront que le certificat est inconnu. Son empreinte (SHA-256) :\n"
            f"  {fingerprint}"
        )
        if workshop.announced != workshop.address:
            click.echo(
                "Les cartes portent une autre adresse "
                f"({workshop.url_at(workshop.announced or LOOPBACK)}) : écrivez celle-ci au tableau."
            )
    for line in dated:
        click.echo(line)
    if not on_demand:
        _start_ahead(workshop)


def _start_ahead(workshop: Workshop) -> None:
    """Start the seats, and say how many are ready as they come."""
    from culture_d.cli import spinning
    from culture_d.french import accord
    from culture_d.workshop import ahead

    click.echo("On peut déjà entrer. Les places démarrent d'avance :")
    try:
        with spinning("Places prêtes") as advance:
            done = ahead.start_ahead(
                workshop,
                lambda ready, seats: advance(ready, seats, f"Places prêtes : {ready} sur {seats}"),
            )
    except KeyboardInterrupt:
        click.echo("L'atelier reste ouvert. Les autres places démarreront à l'entrée de chacun.")
        return
    click.echo(
        f"Places prêtes : {len(done.ready)} sur {done.seats} "
        f"(en {accord(round(done.seconds), 'seconde')})."
    )
    if done.kept_back:
        held = accord(done.kept_back, "place démarrera", "places démarreront")
        click.echo(
            f"{held} à l'entrée seulement : la mémoire libre ne suffit pas pour toutes d'avance."
        )
    if done.failed:
        click.echo(
            f"Pas encore prêtes : {', '.join(done.failed)}. Elles démarreront à l'entrée. Si cela "
            f"échoue, lisez « {workshop.log} »."
        )


@atelier.command()
@_NAME
@_FOLDER
def etat(nom: str, dossier: Path | None) -> None:
    """Montrer les places : qui est entré, mémoire, disque, exercices rendus."""
    from rich.console import Console
    from rich.table import Table

    from culture_d.workshop import life
    from culture_d.workshop.needs import size

    seen = life.state(_load(nom, dossier))
    workshop = seen.workshop
    table = Table()
    for title in ("Place", "Entrée", "Serveur", "Mémoire", "Disque", "Rendus"):
        table.add_column(title, overflow="fold")
    for one in seen.seats:
        handed = ", ".join(
            f"{slug} × {count}{_after(one.late.get(slug, 0))}"
            for slug, count in sorted(one.submissions.items())
        )
        table.add_row(
            one.account.name,
            one.entered.astimezone().strftime("%d/%m %Hh%M") if one.entered else "",
            "prêt" if one.ready else "en marche" if one.processes else "",
            f"{one.memory // MEBIBYTE} Mio" if one.processes else "",
            size(one.disk),
            handed,
        )
    Console().print(table)
    opened = sum(1 for one in seen.seats if one.processes)
    ready = sum(1 for one in seen.seats if one.ready)
    held = sum(one.memory for one in seen.seats)
    click.echo(
        f"L'atelier est {'ouvert sur ' + workshop.url if seen.running else 'arrêté'}. "
        f"Places prêtes : {ready} sur {len(seen.seats)} ; serveurs en marche : {opened}. "
        "Mémoire des places : "
        f"{held // MEBIBYTE} Mio ; libre sur la machine : {seen.memory_free // MEBIBYTE} Mio. "
        f"Limite : {workshop.limits.memory // MEBIBYTE} Mio {seen.limited}."
    )
    for line in seen.remarks:
        click.echo(line)


def _after(late: int) -> str:
    return f" (dont {late} après la fin)" if late else ""


@atelier.command()
@_JOBS
@_UNSAFE
@_NAME
@_FOLDER
def ramasser(nom: str, dossier: Path | None, jobs: int | None, sans_isolation: bool) -> None:
    """Ramasser les devoirs remis, puis corriger ceux qui sont nouveaux.

    Le dernier dépôt de chaque place compte ; les précédents sont gardés. Code de retour : 0
    si tout est noté, 3 si un devoir est refusé.
    """
    from culture_d.cli import REFUSED, show_outcome
    from culture_d.grading.run import default_jobs
    from culture_d.workshop import collect, life

    workshop = _load(nom, dossier)
    harvest = collect.collect(workshop, jobs or default_jobs(), not sans_isolation)
    for line in (*collect.lines(harvest, workshop), *life.clock_remarks(workshop)):
        click.echo(line)
    if harvest.outcome:
        show_outcome(harvest.outcome, False)
        click.echo(
            "Relisez les réponses libres dans formgrader, puis rendez : « culture-d atelier rendre »."
        )
        if harvest.outcome.refused or harvest.outcome.failed:
            sys.exit(REFUSED)


@atelier.command()
@_JOBS
@_UNSAFE
@_NAME
@_FOLDER
def rendre(nom: str, dossier: Path | None, jobs: int | None, sans_isolation: bool) -> None:
    """Rendre à chaque place son retour, avec les points donnés dans formgrader.

    Il est dans son dossier « retours », et dans la liste des exercices (« Fetch Feedback »).
    """
    from culture_d.french import accord
    from culture_d.grading.run import default_jobs
    from culture_d.workshop import collect

    workshop = _load(nom, dossier)
    back = collect.give_back(workshop, jobs or default_jobs(), not sans_isolation)
    for line in back.remarks:
        click.echo(line)
    if not back.pages and not back.remarks:
        click.echo("Aucun retour à rendre. Lancez d'abord « culture-d atelier ramasser ».")
        return
    posed = accord(len(back.pages), "retour posé", "retours posés")
    click.echo(
        f"{posed} dans les dossiers « {collect.FEEDBACK_FOLDER} ». "
        f"Dans la liste des exercices : {back.released}."
    )


@atelier.command("mot-de-passe")
@click.argument("places", nargs=-1, metavar="[PLACE]...")
@click.option("--toutes", is_flag=True, help="Toutes les places, sauf celle de l'animation.")
@click.option(
    "--cartes",
    metavar="FICHIER",
    type=click.Path(path_type=Path, dir_okay=False),
    help="PDF à écrire.",
)
@_NAME
@_FOLDER
def mot_de_passe(
    nom: str, dossier: Path | None, places: tuple[str, ...], toutes: bool, cartes: Path | None
) -> None:
    """Donner un nouveau mot de passe à des places, et annuler l'ancien."""
    from culture_d.workshop import life

    if not places and not toutes:
        raise click.UsageError("Nommez des places, comme « place-03 », ou ajoutez --toutes.")
    workshop = _load(nom, dossier)
    names = tuple(one.name for one in workshop.seats) if toutes else places
    path, drawn = life.reissue(workshop, names, cartes)
    if path:
        click.echo(f"Cartes à imprimer : « {path} ».")
        return
    for name, password in drawn.items():
        click.echo(f"{name} : {password}")


@atelier.command()
@_NAME
@_FOLDER
def arreter(nom: str, dossier: Path | None) -> None:
    """Arrêter JupyterHub et les serveurs. Le travail et les places restent."""
    from culture_d.workshop import life

    stopped = life.stop(_load(nom, dossier))
    click.echo("L'atelier est arrêté." if stopped else "L'atelier était déjà arrêté.")


@atelier.command()
@click.option(
    "--archives",
    metavar="DOSSIER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Où garder les archives.",
)
@_NAME
@_FOLDER
@_YES
def fermer(nom: str, dossier: Path | None, archives: Path | None, oui: bool) -> None:
    """Arrêter, archiver le travail de chaque place, puis supprimer les places."""
    from culture_d.cli import spinning
    from culture_d.workshop import life

    folder = life.folder_of(nom, dossier)
    if not (folder / "atelier.json").exists() and (folder / "archives").is_dir():
        click.echo(f"L'atelier « {nom} » est déjà fermé. Ses archives : « {folder / 'archives'} ».")
        return
    workshop = Workshop.load(folder)
    question = (
        f"Fermer l'atelier « {nom} » : {len(workshop.seats)} places seront archivées, puis "
        "supprimées. Continuer ?"
    )
    if not oui and not _agreed(question):
        click.echo("Rien n'a été fait. Pour confirmer d'avance, ajoutez « --oui ».")
        return
    with spinning("Fermeture de l'atelier") as advance:
        done = life.close(workshop, archives, advance.say)
    for kept in done.kept:
        click.echo(f"{kept.path.stem} : {kept.files} fichiers, « {kept.path} ».")
        for name in kept.unread:
            click.echo(f"  Attention, illisible et absent de l'archive : « {name} ».")
    for user in done.left:
        click.echo(f"Le compte « {user} » n'est pas de cet atelier : il est resté.")
    click.echo(
        f"L'atelier « {nom} » est fermé. Archives relues : {len(done.kept)}. "
        f"Comptes supprimés : {len(done.removed)}."
    )


def _agreed(question: str) -> bool:
    """Ask; no answer at all, as from a script, is a no."""
    try:
        answer = click.prompt(f"{question} (oui ou non)", default="non", show_default=False)
    except click.Abort:
        return False
    return str(answer).strip().lower() in ("o", "oui")


def _load(name: str, folder: Path | None) -> Workshop:
    from culture_d.workshop import life

    return Workshop.load(life.folder_of(name, folder))


def _moment(text: str | None) -> str | None:
    """Read a moment of this machine's own time zone."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except ValueError:
        raise click.UsageError(
            f"« {text} » n'est pas une date : écrivez par exemple « 2026-03-12T17:00 »."
        ) from None


def _prefix(text: str) -> str:
    from culture_d.workshop.model import check_name

    return check_name(text)
