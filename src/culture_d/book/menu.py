"""The menu of a page: the pages of its part, and one line for each other part.

A menu of the whole course would weigh more than many a lesson. The plan of the course,
one page, has everything; the other parts' lines lead there.
"""

from pathlib import Path
from typing import Any, NamedTuple, cast

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from culture_d.curriculum import contents, load_curriculum, modules
from culture_d.french import typeset
from culture_d.project import Project

PLAN = "book/plan"
# What the first page shows as its own part: it belongs to none.
FIRST_PART = 0


class Page(NamedTuple):
    """A line of the menu: where it leads from here, and whether we are there."""

    title: str
    link: str
    current: bool


class Part(NamedTuple):
    """A part of the menu; without `pages`, one link to the plan."""

    caption: str
    link: str
    pages: tuple[Page, ...]


class PlanDirective(SphinxDirective):
    """`{plan}`: every page of the course, part by part."""

    def run(self) -> list[nodes.Node]:
        """Return one section a part."""
        project = Project(Path(self.env.app.srcdir))
        for path in (project.toc, project.curriculum):
            self.env.note_dependency(str(path))
        titles = {module.document: module.title for module in modules(load_curriculum(project))}
        return [_section(caption, documents, titles) for caption, documents in contents(project)]


def anchor(caption: str) -> str:
    """Return the identifier of a part in the plan."""
    return str(nodes.make_id(f"partie-{caption}"))


def _section(caption: str, documents: list[str], titles: dict[str, str]) -> nodes.section:
    section = nodes.section("", nodes.title("", caption), ids=[anchor(caption)])
    lines = []
    for document in documents:
        link = addnodes.pending_xref(
            "",
            nodes.inline("", typeset(titles.get(document, ""))),
            refdomain="std",
            reftype="doc",
            reftarget=f"/{document}",
            refexplicit=document in titles,
            refwarn=True,
        )
        lines.append(nodes.list_item("", nodes.paragraph("", "", link)))
    section += nodes.bullet_list("", *lines)
    return section


def _menu(app: Sphinx, page: str) -> list[Part]:
    project = Project(Path(app.srcdir))
    builder = cast(StandaloneHTMLBuilder, app.builder)
    short = {module.document: module.title for module in modules(load_curriculum(project))}
    plan = builder.get_relative_uri(page, PLAN)
    parts = contents(project)
    homes = [place for place, (_, documents) in enumerate(parts) if page in documents]
    current = homes[0] if homes else FIRST_PART
    menu = []
    for place, (caption, documents) in enumerate(parts):
        pages = tuple(
            Page(
                typeset(short.get(document) or _title(app.env, document)),
                "#contenu" if document == page else builder.get_relative_uri(page, document),
                document == page,
            )
            for document in documents
            if place == current
        )
        menu.append(Part(caption, f"{plan}#{anchor(caption)}", pages))
    return menu


def _title(environment: BuildEnvironment, document: str) -> str:
    return (
        str(environment.titles[document].astext()) if document in environment.titles else document
    )


def _add_to_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    context["menu"] = _menu(app, page)
    parts = contents(Project(Path(app.srcdir)))
    context["in_plan"] = any(PLAN in documents and page in documents for _, documents in parts)


def setup(app: Sphinx) -> None:
    """Register the plan, and give each page its menu."""
    app.add_directive("plan", PlanDirective)
    app.connect("html-page-context", _add_to_context)
