"""What a page needs once on paper: its title in the margin, and its card.

The card is the section « À retenir » with a head and a foot that only paper shows
(`components/print.css`): the module's title and question, the sources of its figures.
"""

import re
from html import escape, unescape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

from culture_d.catalogue import limit_label, load_dataset
from culture_d.curriculum import Module, load_curriculum, modules
from culture_d.french import NO_BREAK_SPACE, date_longue, typeset
from culture_d.project import Project

CARD = "a-retenir"
_DATASET = re.compile(r'class="cd-source" data-jeu="([\w-]+)"')
_TAG = re.compile(r"<[^>]+>")
_NOT_IN_STRING = re.compile(r'["\\<\n\r\f]')


def css_string(text: str) -> str:
    """Write a text as a string of CSS that can stand in a `<style>` element."""
    return '"' + _NOT_IN_STRING.sub(lambda sign: f"\\{ord(sign[0]):x} ", text) + '"'


def _title_in_margin(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Hand the page's title to the margin boxes; they can read nothing but the root's style."""
    title = unescape(_TAG.sub("", context.get("title") or ""))
    tags = [f"<style>:root{{--cd-titre:{css_string(title)}}}</style>"]
    # MyST hands YAML's false as a text.
    if str((context.get("meta") or {}).get("livret", True)).lower() == "false":
        tags.append('<meta name="cd-livret" content="non">')
    context["metatags"] = "\n".join([context.get("metatags", ""), *tags])


def _card(app: Sphinx, doctree: nodes.document) -> None:
    """Give the section « À retenir » of a lesson the head and foot of a card."""
    project = Project(Path(app.srcdir))
    for module in modules(load_curriculum(project)):
        if module.document != app.env.docname:
            continue
        for section in doctree.findall(nodes.section):
            if CARD in section["ids"]:
                section["classes"].append("cd-carte")
                section.insert(0, nodes.raw("", _head(project, module), format="html"))
                section += nodes.raw("", _foot(project, doctree), format="html")


def _head(project: Project, module: Module) -> str:
    part = next(part for part in load_curriculum(project) if part.slug == module.part)
    place = f"{part.title} · {module.minutes} minutes"
    return (
        '<div class="cd-fiche-tete"><p class="cd-fiche-site"><span>Culture D</span>'
        f"<span>{escape(place)}</span></p>"
        f'<p class="cd-fiche-titre">{escape(typeset(module.title))}</p>'
        f'<p class="cd-fiche-question">{escape(typeset(module.question))}</p></div>'
    )


def _foot(project: Project, doctree: nodes.document) -> str:
    """Name the datasets of the lesson's figures, each once, in the order of the page."""
    html = "".join(node.astext() for node in doctree.findall(nodes.raw))
    lines = []
    for name in dict.fromkeys(_DATASET.findall(html)):
        data = load_dataset(project.datasets / name)
        # Nobody quotes a simulated figure: until when it holds would only take room.
        lines.append(
            f"données simulées, {data.producer}, {data.vintage}"
            if data.kind == "simulé"
            else f"{data.producer}, {data.vintage} ({limit_label(data)} "
            f"{date_longue(data.valid_until)})"
        )
    sources = (
        f'<p class="cd-source">Les chiffres du module : {" ; ".join(lines)}.</p>' if lines else ""
    )
    licence = f"Culture D, cours libre{NO_BREAK_SPACE}· licence CC BY 4.0"
    return f'<div class="cd-fiche-pied">{typeset(sources)}<p>{licence}</p></div>'


def _mark_addresses(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Mark a link whose text is its own address: paper need not show it twice."""
    for reference in doctree.findall(nodes.reference):
        address = reference.get("refuri", "")
        if address.startswith("http") and reference.astext() == address:
            reference["classes"].append("cd-adresse")


def setup(app: Sphinx) -> None:
    """Register what paper needs."""
    # After the lesson's heading was put under its title (pages.py).
    app.connect("doctree-read", _card, priority=600)
    app.connect("doctree-resolved", _mark_addresses)
    app.connect("html-page-context", _title_in_margin, priority=950)
