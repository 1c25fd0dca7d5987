"""What is filled in by pen: fields, boxes to tick, scales, a sheet to sign.

On the screen they are plain text and tables, which a screen reader reads in order.
"""

from html import escape
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx

from culture_d.book.course import CourseDirective, raw
from culture_d.french import NO_BREAK_SPACE, typeset
from culture_d.tables import html_table

BOX = "☐"
MOST_LINES = 40
SIGNED = (
    "Nom et prénom",
    "Collectivité, fonction",
    "Signature, matin",
    "Signature, après-midi ou soir",
)


class FieldsDirective(CourseDirective):
    """`{a-remplir}`: one label a line, each followed by a line to write on.

    `(3)` at the end of a label leaves that many lines.
    """

    has_content: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """Return one paragraph a label."""
        return [raw("".join(_field(line) for line in self.content if line.strip()))]


class BoxesDirective(CourseDirective):
    """`{cases}`: one thing to tick a line."""

    has_content: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """Return a list whose marks are boxes; inline Markdown is read."""
        found = nodes.bullet_list(classes=["cd-a-cocher"])
        for place, line in enumerate(self.content):
            if line.strip():
                words, messages = self.parse_inline(
                    typeset(line.strip()), lineno=self.lineno + place
                )
                found += [nodes.list_item("", nodes.paragraph("", "", *words, *messages))]
        return [found]


class ScaleDirective(CourseDirective):
    """`{echelle} a | b | c`: one statement a line, to be placed on a scale."""

    has_content: ClassVar[bool] = True
    required_arguments: ClassVar[int] = 1
    final_argument_whitespace: ClassVar[bool] = True

    def run(self) -> list[nodes.Node]:
        """Return a table with a box in each cell."""
        degrees = [word.strip() for word in self.arguments[0].split("|")]
        lines = [line.strip() for line in self.content if line.strip()]
        rows = [(line, *(BOX for _ in degrees)) for line in lines]
        table = html_table(("Vous diriez", *degrees), rows, "Une case par ligne")
        return [raw(table.replace("cd-tableau", "cd-tableau cd-echelle", 1))]


class SignatureDirective(CourseDirective):
    """`{emargement} 15`: numbered rows to be signed."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Return a table whose rows are named by their number."""
        if not self.arguments[0].isdigit() or not 0 < int(self.arguments[0]) <= MOST_LINES:
            raise self.error(f"Une feuille d'émargement a de 1 à {MOST_LINES} lignes.")
        blank = tuple(NO_BREAK_SPACE for _ in SIGNED)
        rows = [(str(rank), *blank) for rank in range(1, int(self.arguments[0]) + 1)]
        table = html_table(("N°", *SIGNED), rows, "Personnes présentes")
        return [raw(table.replace("cd-tableau", "cd-tableau cd-emargement", 1))]


def _field(line: str) -> str:
    label, _, count = line.strip().partition("(")
    lines = int(count.rstrip(")")) if count.rstrip(")").isdigit() else 1
    words = escape(typeset(f"{label.strip()} :"))
    rules = '<span class="cd-trait" aria-hidden="true"></span>' * lines
    return f'<p class="cd-champ"><span>{words}</span>{rules}</p>'


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("a-remplir", FieldsDirective)
    app.add_directive("cases", BoxesDirective)
    app.add_directive("echelle", ScaleDirective)
    app.add_directive("emargement", SignatureDirective)
