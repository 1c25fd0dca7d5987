"""Trainers' sheets on the site: the timed script, the list of sheets, a link from each lesson."""

from collections.abc import Iterator
from typing import Any, ClassVar, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from culture_d.book.course import CourseDirective, page_link, raw
from culture_d.curriculum import Module, load_curriculum, modules
from culture_d.errors import SheetError
from culture_d.french import accord, pourcent, typeset
from culture_d.sheets import ACTIVITY, ScriptStep, check_script, document, read_script
from culture_d.tables import html_table


class ScriptDirective(CourseDirective):
    """`{deroule} <slug>`: the script of a session, with the clock and the share of activity."""

    has_content: ClassVar[bool] = True
    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Return a sentence and a table; a script of another length is refused."""
        self.depends_on(self.project.curriculum)
        slug = self.arguments[0]
        module = {one.slug: one for one in modules(load_curriculum(self.project))}.get(slug)
        if module is None:
            raise self.error(f"Le module « {slug} » n'est pas dans « book/curriculum.yml ».")
        try:
            steps = read_script("\n".join(self.content))
            check_script(steps, module)
        except SheetError as error:
            raise self.error(f"Page « {self.env.docname} » : {error}") from error
        active = sum(step.minutes for step in steps if step.kind == ACTIVITY)
        words = (
            f"Durée : {accord(module.minutes, 'minute')}, dont {active} d'activité, "
            f"soit {pourcent(active / module.minutes)}."
        )
        caption = f"Déroulé de « {module.title} », minute par minute"
        table = html_table(("Minutes", "Genre", "Ce que l'on fait"), _rows(steps), caption)
        return [nodes.paragraph("", typeset(words)), raw(table)]


def _rows(steps: tuple[ScriptStep, ...]) -> Iterator[tuple[str, str, str]]:
    clock = 0
    for step in steps:
        yield f"{clock} à {clock + step.minutes}", step.kind, step.text
        clock += step.minutes


class TableDirective(CourseDirective):
    """`{tableau} <title>`: a Markdown table with its title, read well by a screen reader."""

    has_content: ClassVar[bool] = True
    required_arguments: ClassVar[int] = 1
    final_argument_whitespace: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """Return the table; its first column names the rows."""
        lines = [line.strip().strip("|").split("|") for line in self.content if line.strip()]
        rows = [[cell.strip() for cell in line] for line in lines]
        if len(rows) < 3 or len({len(row) for row in rows}) > 1:
            raise self.error("Un tableau a des titres, une ligne de tirets, puis autant de cases.")
        return [raw(html_table(rows[0], rows[2:], self.arguments[0]))]


class SheetsDirective(CourseDirective):
    """`{fiches-de-formation}`: the sheet of each published module."""

    def run(self) -> list[nodes.Node]:
        """Return a list of links, in the order of the course."""
        self.depends_on(self.project.curriculum)
        published = [one for one in modules(load_curriculum(self.project)) if one.published]
        return [nodes.bullet_list("", *(_item(module) for module in published))]


def _item(module: Module) -> nodes.list_item:
    words = typeset(f", {accord(module.minutes, 'minute')}. {module.question}")
    link = page_link(document(module.slug), module.title)
    return nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(words)))


def _link_from_lesson(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    if page.startswith("notebooks/"):
        sheet = document(page.rsplit("/", 1)[1])
        builder = cast(StandaloneHTMLBuilder, app.builder)
        context["trainer_sheet"] = builder.get_relative_uri(page, sheet)


def setup(app: Sphinx) -> None:
    """Register the directives and the link."""
    app.add_directive("deroule", ScriptDirective)
    app.add_directive("tableau", TableDirective)
    app.add_directive("fiches-de-formation", SheetsDirective)
    app.connect("html-page-context", _link_from_lesson)
