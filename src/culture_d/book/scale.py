"""What grading costs at scale, in the page that plans it: two tables, and numbers in sentences.

Nothing is typed on the page: everything comes from `book/mesures.yml`.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxRole

from culture_d.book.course import CourseDirective, raw
from culture_d.errors import MeasuresError
from culture_d.french import accord, date_longue, nombre
from culture_d.project import Project
from culture_d.scale import (
    COUNTS,
    MACHINE_BYTES,
    NIGHT_HOURS,
    PROCESSORS,
    SIZES,
    STEPS,
    Measures,
    Plan,
    lasting,
    load_measures,
    measures_path,
    plan,
    size,
)
from culture_d.tables import html_table


class MeasuresDirective(CourseDirective):
    """`{mesures-de-la-correction}`: what one submission costs, step by step."""

    def run(self) -> list[nodes.Node]:
        """Return a table of times and a table of sizes."""
        measures = _read(self)
        times = html_table(("Étape", "Qui la fait", "Millisecondes"), _times(measures), _CAPTION)
        sizes = html_table(
            ("Fichier", "Taille"),
            ((words, size(measures.sizes[name])) for name, words in SIZES.items()),
            "La place d'une copie sur le disque",
        )
        return [raw(times), raw(sizes)]


_CAPTION = "Le temps d'une copie, étape par étape"


def _times(measures: Measures) -> Iterator[tuple[str, str, float]]:
    for name, step in STEPS.items():
        who = "un correcteur" if step.by_worker else "l'écriture"
        yield step.words, who, 1000 * measures.seconds[name]


class PlanDirective(CourseDirective):
    """`{plan-de-correction}`: what a thousand submissions take, and ten million."""

    def run(self) -> list[nodes.Node]:
        """Return a table, one column a number of submissions."""
        measures = _read(self)
        plans = [plan(measures, count) for count in COUNTS]
        columns = ("Ce qu'il faut", *(f"{nombre(one.submissions)} copies" for one in plans))
        rows = [(words, *map(tell, plans)) for words, tell in _ROWS.items()]
        caption = (
            f"Corriger en une nuit de {NIGHT_HOURS} heures, sur des machines de {PROCESSORS} "
            f"processeurs et {MACHINE_BYTES // 1024**3} Gio de mémoire"
        )
        return [raw(html_table(columns, rows, caption))]


_ROWS: dict[str, Callable[[Plan], object]] = {
    "Correcteurs": lambda one: nombre(one.workers),
    "Carnets de notes, un par programme qui écrit": lambda one: nombre(one.gradebooks),
    "Machines": lambda one: nombre(one.machines),
    "Durée": lambda one: lasting(one.night_hours),
    "Temps de tous les correcteurs": lambda one: lasting(one.worker_hours),
    "Temps d'écriture, s'il n'y avait qu'un carnet": lambda one: lasting(one.writer_hours),
    "Carnets de notes sur le disque": lambda one: size(one.gradebook_bytes),
    "Pages de retour sur le disque": lambda one: size(one.pages_bytes),
    "Disque en tout, hors carnets": lambda one: size(one.disk_bytes),
    "Mémoire de chaque programme qui écrit": lambda one: size(one.writer_bytes),
}


class MeasureRole(SphinxRole):
    """`{mesure}`: one number of the plan, in a sentence."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Return its text, or say which numbers there are."""
        project = Project(Path(self.env.app.srcdir))
        self.env.note_dependency(str(measures_path(project)))
        try:
            said = _SAID[self.text](load_measures(project))
        except (KeyError, MeasuresError) as error:
            known = ", ".join(_SAID)
            words = error if isinstance(error, MeasuresError) else f"Mesures connues : {known}."
            message = f"La mesure « {self.text} » ne peut pas être lue. {words}"
            return [], [self.inliner.reporter.error(message, line=self.lineno)]
        return [nodes.Text(said)], []


def _milliseconds(seconds: float) -> str:
    return accord(round(seconds * 1000), "milliseconde")


_SAID: dict[str, Callable[[Measures], str]] = {
    "jour": lambda found: date_longue(found.day),
    "copies": lambda found: accord(found.submissions, "copie"),
    "machine": lambda found: (
        f"{accord(found.processors, 'processeur')} et {size(found.memory)} de mémoire"
    ),
    "charge": lambda found: nombre(found.load, 1),
    "ecriture": lambda found: _milliseconds(found.writer_seconds),
    "ecriture-par-heure": lambda found: nombre(round(3600 / found.writer_seconds, -2)),
    "correction": lambda found: _milliseconds(found.worker_seconds),
    "correcteurs-pour-un-carnet": lambda found: accord(
        max(1, round(found.worker_seconds / found.writer_seconds)), "correcteur"
    ),
    "heures-un-carnet": lambda found: lasting(plan(found, COUNTS[-1]).writer_hours),
    "carnets": lambda found: accord(plan(found, COUNTS[-1]).gradebooks, "carnet"),
    "memoire-correcteur": lambda found: size(found.worker_memory),
    "memoire-copie": lambda found: size(found.kept_memory),
    "memoire-reprise": lambda found: size(found.known_memory),
    "grand-carnet": lambda found: accord(found.large, "copie"),
    "inscription-au-debut": lambda found: _milliseconds(found.small_seconds),
    "epreuve-jour": lambda found: date_longue(found.soak.day),
    "epreuve-copies": lambda found: accord(found.soak.submissions, "copie"),
    "epreuve-correcteurs": lambda found: accord(found.soak.jobs, "correcteur"),
    "epreuve-duree": lambda found: lasting(found.soak.seconds / 3600),
    "epreuve-memoire": lambda found: size(found.soak.memory),
    "inscription-grand-carnet": lambda found: _milliseconds(found.large_seconds),
}


def _read(directive: CourseDirective) -> Measures:
    directive.depends_on(measures_path(directive.project))
    try:
        return load_measures(directive.project)
    except MeasuresError as error:
        raise directive.error(str(error)) from None


def setup(app: Sphinx) -> None:
    """Register the directives and the role."""
    directives: dict[str, Any] = {
        "mesures-de-la-correction": MeasuresDirective,
        "plan-de-correction": PlanDirective,
    }
    for name, directive in directives.items():
        app.add_directive(name, directive)
    app.add_role("mesure", MeasureRole())
