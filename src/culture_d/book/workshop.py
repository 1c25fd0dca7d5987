"""What a full room was measured to take, on the page of the workshop.

Nothing is typed there: everything comes from `book/mesures-atelier.yml`, which
`make bench` writes.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from culture_d.book.course import CourseDirective, raw
from culture_d.errors import WorkshopError
from culture_d.french import accord, date_longue, nombre
from culture_d.tables import html_table
from culture_d.yaml_file import read_yaml

MEASURES = "mesures-atelier.yml"
_STEPS = {
    "entrer": "Entrer avec sa carte",
    "démarrer": "Voir JupyterLab",
    "prendre": "Prendre l'exercice",
    "enregistrer": "Ouvrir et enregistrer",
    "rendre": "Rendre",
}


class WorkshopMeasures(CourseDirective):
    """`{mesures-de-l-atelier}`: a table, and the sentence that says how it was measured."""

    def run(self) -> list[nodes.Node]:
        """Return the sentence and the table."""
        path = self.project.book / MEASURES
        self.depends_on(path)
        try:
            said = read_yaml(path, WorkshopError)
            words, rows = _sentence(said), list(_rows(said))
        except (WorkshopError, KeyError, TypeError, ValueError, OSError) as error:
            raise self.error(
                f"« {path} » n'a pas les mesures attendues ({error}). Relancez « make bench »."
            ) from None
        caption = f"{said['places']} places, arrivées en trente secondes"
        return [nodes.paragraph("", words), raw(html_table(("Mesure", "Valeur"), rows, caption))]


def _sentence(said: dict[str, Any]) -> str:
    day = date.fromisoformat(str(said["date"]))
    return (
        f"Mesuré le {date_longue(day)} sur {accord(said['coeurs'], 'cœur')} et "
        f"{said['memoire_gio']} Gio de mémoire. La charge de cette machine était de "
        f"{nombre(said['charge_avant'], 1)} juste avant."
    )


def _rows(said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "Places prêtes avant la première entrée", f"{said['places_pretes']} sur {said['places']}"
    yield "Temps pour les préparer, après l'ouverture", f"{nombre(said['preparation_s'])} s"
    yield "Devoirs rendus, puis retrouvés", f"{said['devoirs_retrouves']} sur {said['places']}"
    yield "Identiques à ce qui fut enregistré", f"{said['devoirs_identiques']}"
    yield "De la première entrée au dernier devoir", f"{nombre(said['duree_s'])} s"
    for step, words in _STEPS.items():
        yield f"{words}, 95 fois sur 100 en moins de", f"{nombre(said['p95_s'][step], 1)} s"
    yield "Mémoire d'une place, sans carnet en marche", f"{said['place_mio']} Mio"
    yield "Mémoire d'une place, avec un carnet au travail", f"{said['place_carnet_mio']} Mio"
    yield "Places au travail que cette mémoire peut tenir", f"{said['places_au_plus']}"


def setup(app: Sphinx) -> None:
    """Register the directive."""
    app.add_directive("mesures-de-l-atelier", WorkshopMeasures)
