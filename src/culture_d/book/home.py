"""What the first page promises and shows, from the map of modules and the data."""

from pathlib import Path

import pandas as pd
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from culture_d.badge import badge
from culture_d.catalogue import load_dataset
from culture_d.curriculum import Module, first_lesson
from culture_d.french import nombre, typeset
from culture_d.project import Project
from culture_d.tables import html_table

BARS = 100
HEIGHT = 8_000
STEP, THICKNESS = 3, 2


class _HomeDirective(SphinxDirective):
    @property
    def project(self) -> Project:
        return Project(Path(self.env.app.srcdir))

    def first(self) -> Module:
        """Return the lesson offered to who has just arrived."""
        self.env.note_dependency(str(self.project.curriculum))
        return first_lesson(self.project)


class PromiseDirective(_HomeDirective):
    """`{promesse}`: what one will be able to do, and after how many minutes."""

    def run(self) -> list[nodes.Node]:
        """Return one paragraph."""
        module = self.first()
        words = nodes.paragraph("", "", classes=["cd-accroche"])
        words += nodes.Text(f"Dans {module.minutes} minutes, vous saurez ")
        words += nodes.strong("", typeset(module.outcome))
        return [words]


class QueueDirective(_HomeDirective):
    """`{file-de-communes}`: the picture of the first page, drawn from the data."""

    def run(self) -> list[nodes.Node]:
        """Return one figure, as SVG in the page: no request, readable in the dark."""
        folder = self.project.datasets / "communes"
        dataset = load_dataset(folder)
        self.env.note_dependency(str(dataset.resources[0].path))
        population = pd.read_csv(dataset.resources[0].path, usecols=["population"])["population"]
        return [nodes.raw("", queue_figure(population, badge(dataset, PRODUCER)), format="html")]


def queue_figure(population: "pd.Series[int]", source: str) -> str:
    """Draw one hundred communes in a queue, from the smallest to the largest.

    Args:
        population: inhabitants of each commune.
        source: the line under the figure, as HTML.
    """
    ranks = [(place + 0.5) / BARS for place in range(BARS)]
    queue = population.quantile(ranks, interpolation="nearest").tolist()
    bars = "".join(
        f"M{place * STEP} 100v-{max(min(height, HEIGHT) / HEIGHT * 98, 0.6):.1f}h{THICKNESS}V100z"
        for place, height in enumerate(queue)
    )
    cut = sum(height > HEIGHT for height in queue)
    caption = (
        "Cent communes de France, de la moins peuplée à la plus peuplée. "
        f"La moyenne est de {nombre(round(population.mean()))} habitants. "
        "À votre avis, combien sont au-dessous ?"
    )
    note = f"Les {cut} dernières barres sont coupées : elles montent bien plus haut."
    rows = [[f"{rank}e", queue[rank - 1]] for rank in TOLD]
    table = html_table(["Rang sur 100", "Habitants"], rows, TITLE)
    return (
        '<figure class="cd-file"><svg viewBox="0 0 300 100" role="img" aria-label="'
        "Cent barres, de la commune la moins peuplée à la plus peuplée. Elles restent basses "
        'très longtemps, puis montent d’un coup à la fin."><path d="'
        f'{bars}"/></svg><figcaption>{typeset(caption)}</figcaption><p>{typeset(note)}</p>'
        f'<details class="cd-donnees"><summary>Les chiffres de la figure</summary>{table}</details>'
        f"{source}</figure>"
    )


TITLE = "Cent communes de France, rangées par population"
TOLD = (10, 25, 50, 75, 90, 100)
PRODUCER = "Institut national de la statistique et des études économiques (Insee)"


def setup(app: Sphinx) -> None:
    """Register the directives of the first page."""
    app.add_directive("promesse", PromiseDirective)
    app.add_directive("file-de-communes", QueueDirective)
