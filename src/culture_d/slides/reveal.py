"""reveal.js beside the slides: downloaded once from the npm registry, checked, put in French.

Its speaker view is a window of its own, written in English inside the notes plugin.
"""

import tarfile
from pathlib import Path

from culture_d.errors import SlidesError, SourceError
from culture_d.project import Project
from culture_d.sources import npm_package

NAME, VERSION = "reveal.js", "6.0.2"
SHA256 = "2f0c20bfb02447a198a1ebe8a8c097a5437d035caa38f2820bf4ba887a3eac91"
# In the package, and beside the slides.
FILES = {
    "dist/reset.css": "reset.css",
    "dist/reveal.css": "reveal.css",
    "dist/reveal.js": "reveal.js",
    "dist/plugin/notes.js": "notes.js",
    "LICENSE": "LICENCE-reveal.txt",
}
OWN = ("slides.css", "slides.js")
FRENCH = {
    "notes.js": {
        '<html lang="en">': '<html lang="fr">',
        "<title>reveal.js - Speaker View</title>": "<title>Vos notes</title>",
        "Loading speaker view...": "Ouverture de vos notes…",
        ">Upcoming<": ">Ensuite<",
        '>Time <span class="reset-button">Click to Reset</span>': '>Temps <span class="reset-button">Remettre à zéro</span>',
        ">0:00 AM<": "><",
        "Pacing – Time to finish current slide": "Temps restant pour cette diapositive",
        "'default': 'Default'": "'default': 'Habituelle'",
        "'wide': 'Wide'": "'wide': 'Large'",
        "'tall': 'Tall'": "'tall': 'Haute'",
        "'notes-only': 'Notes only'": "'notes-only': 'Notes seules'",
        "Cross origin error.<br>The speaker window can only be opened from the same origin.": "Cette fenêtre ne s’ouvre que depuis le diaporama.",
        "Error connecting to main window.<br>Please try closing and reopening the speaker view.": "Le diaporama ne répond pas. Fermez cette fenêtre, puis tapez S dans le diaporama.",
        "'Layout' + ( title ? ( ': ' + title )": "'Disposition' + ( title ? ( ' : ' + title )",
        "'en-US', { hour12: true, hour: '2-digit', minute:'2-digit' }": "'fr-FR', { hour: '2-digit', minute:'2-digit' }",
    },
    "reveal.js": {
        ">Resume presentation<": ">Reprendre<",
        "No notes on this slide.": "Pas de note pour cette diapositive.",
        "next slide": "diapositive suivante",
        "previous slide": "diapositive précédente",
        "above slide": "diapositive du dessus",
        "below slide": "diapositive du dessous",
    },
}


def put_beside(project: Project, folder: Path) -> None:
    """Write reveal.js, its speaker view and our style in a folder.

    Raises:
        SlidesError: reveal.js could not be had, or is not the version that we put in French.
    """
    package = _package(project)
    folder.mkdir(parents=True, exist_ok=True)
    with tarfile.open(package) as archive:
        for member, name in FILES.items():
            handle = archive.extractfile(f"package/{member}")
            if handle is None:
                raise SlidesError(f"« {member} » manque dans « {package} ».")
            text = handle.read().decode("utf-8")
            for english, french in FRENCH.get(name, {}).items():
                if english not in text:
                    raise SlidesError(
                        f"« {english} » n'est plus dans « {member} » de reveal.js {VERSION}. "
                        "Mettez à jour « FRENCH » de « slides/reveal.py »."
                    )
                text = text.replace(english, french)
            (folder / name).write_text(text, encoding="utf-8", newline="\n")
    for name in OWN:
        text = Path(__file__).with_name(name).read_text(encoding="utf-8")
        (folder / name).write_text(text, encoding="utf-8", newline="\n")


def _package(project: Project) -> Path:
    try:
        return npm_package(NAME, VERSION, SHA256, project.cache / "npm")
    except SourceError as error:
        raise SlidesError(
            f"Les diaporamas ont besoin de reveal.js {VERSION}, téléchargé une seule fois dans "
            f"« {project.cache / 'npm'} ». {error}"
        ) from error
