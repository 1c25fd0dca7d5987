"""A module's slides as one HTML file, by nbconvert's exporter for reveal.js."""

from pathlib import Path
from typing import Any

from nbconvert.exporters import SlidesExporter
from nbformat.v4 import new_markdown_cell, new_notebook
from traitlets.config import Config

from culture_d.curriculum import Module
from culture_d.french import typeset
from culture_d.project import Project
from culture_d.slides.content import Slide, module_slides

REVEAL = "reveal"
"""The folder of reveal.js, beside the files of slides."""
TEMPLATE = Path(__file__).with_name("template")


def make_deck(project: Project, module: Module) -> str:
    """Return the slides of a module as HTML, to be put beside the folder of reveal.js.

    Raises:
        SlidesError, SheetError: the notebook and the sheet do not agree.
    """
    title = typeset(f"{module.title}, diaporama de Culture D")
    notebook = new_notebook(metadata={"title": title, "language_info": {"name": "python"}})
    notebook.cells = [
        _cell(rank, one) for rank, one in enumerate(module_slides(project, module), start=1)
    ]
    exporter = SlidesExporter(
        config=Config(TemplateExporter={"extra_template_basedirs": [str(TEMPLATE.parent)]}),
        template_name=TEMPLATE.name,
        reveal_url_prefix=REVEAL,
        language_code="fr",
    )
    html, _ = exporter.from_notebook_node(notebook)
    return str(html)


def _cell(rank: int, slide: Slide) -> Any:
    data = {
        "id": f"diapositive-{rank}",
        "cell": slide.cell,
        "kind": slide.kind,
        "title": slide.title,
        "level": "h1" if slide.kind == "titre" else "h2",
        "badge": slide.badge,
        "notes": slide.notes,
    }
    place = "slide" if slide.first else "subslide"
    metadata = {"slideshow": {"slide_type": place}, "culture_d": data}
    return new_markdown_cell(slide.body, id=data["id"], metadata=metadata)
