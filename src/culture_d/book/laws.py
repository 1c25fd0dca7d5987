"""Law cards in the pages: one, those of a topic, all of them, and the sorting page."""

import re
from datetime import date
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from culture_d.book.obligations import mount, thresholds_table
from culture_d.catalogue import load_dataset
from culture_d.commune_lines import dates
from culture_d.errors import LawError
from culture_d.law_card import NOTICE_HTML, card_html, overdue_warning
from culture_d.laws import Card, Laws, Topic, laws_path, load_laws, typeset_law
from culture_d.project import Project

_CARD = re.compile(
    r'<aside class="cd-loi"[^>]*data-a-reverifier="([\d-]+)"[^>]*>.*?(?=</aside>)', re.S
)


class _LawDirective(SphinxDirective):
    """A directive that reads the law cards and makes its page depend on them."""

    has_content: ClassVar[bool] = False

    def _laws(self) -> Laws:
        self.env.note_dependency(str(laws_path(self._project)))
        return load_laws(self._project)

    @property
    def _project(self) -> Project:
        return Project(Path(self.env.app.srcdir))


class CardDirective(_LawDirective):
    """`{loi} <id>`: one card."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Return the card."""
        try:
            return [_raw(self._laws().card(self.arguments[0]))]
        except LawError as error:
            raise self.error(str(error)) from None


class CardsDirective(_LawDirective):
    """`{lois} <topic>`: its cards; without topic, all of them, one section a topic."""

    optional_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Return the cards, or the sections."""
        laws = self._laws()
        if not self.arguments:
            return [_section(topic, laws) for topic in laws.topics]
        try:
            return [_raw(card) for card in laws.about(self.arguments[0])]
        except LawError as error:
            raise self.error(str(error)) from None


class SortingDirective(_LawDirective):
    """`{lois-de-ma-commune}`: the form and the lists that a script fills."""

    def run(self) -> list[nodes.Node]:
        """Return what the script needs, hidden until it runs."""
        dataset = load_dataset(self._project.datasets / "communes")
        self.env.note_dependency(str(dataset.folder / "datapackage.json"))
        return [nodes.raw("", mount(self._laws(), dates(dataset)), format="html")]


class ThresholdsDirective(_LawDirective):
    """`{seuils}`: every rule that has someone to apply to, in one table."""

    def run(self) -> list[nodes.Node]:
        """Return the table."""
        return [nodes.raw("", thresholds_table(self._laws()), format="html")]


def with_deadlines(html: str, today: date) -> str:
    """Add a warning at the end of each card that is overdue on that day."""

    def warned(card: re.Match[str]) -> str:
        limit = date.fromisoformat(card[1])
        return card[0] + overdue_warning(limit) if today >= limit else card[0]

    return _CARD.sub(warned, html)


def _finish_cards(app: Sphinx, doctree: nodes.document) -> None:
    """Warn in the cards that are overdue; keep of the notices the first one of the page."""
    said = False
    for node in doctree.findall(nodes.raw):
        html = node.astext()
        if 'class="cd-loi"' not in html:
            continue
        before, notice, after = html.partition(NOTICE_HTML)
        html = before + ("" if said else notice) + after.replace(NOTICE_HTML, "")
        said = said or bool(notice)
        node.children = []
        node += nodes.Text(with_deadlines(html, date.today()))


def _section(topic: Topic, laws: Laws) -> nodes.section:
    section = nodes.section(
        "", nodes.title("", typeset_law(topic.title)), ids=[f"sujet-{topic.slug}"]
    )
    for card in laws.first_about(topic.slug):
        html = folded(card_html(card)) if card.doubt is None else card_html(card)
        content = nodes.raw("", html, format="html")
        section += nodes.container("", content, ids=[f"loi-{card.id}"])
    return section


def folded(card: str) -> str:
    """Fold who, when and which text: where cards are many, the rules are what one reads.

    Not for a card with a doubt, which must be seen with the rule.
    """
    opening = "<details><summary>Pour qui, depuis quand, quel texte</summary>"
    return card.replace("<dl>", f"{opening}<dl>").replace("</dl>", "</dl></details>")


def _raw(card: Card) -> nodes.raw:
    return nodes.raw("", card_html(card), format="html")


DIRECTIVES: dict[str, type[Directive]] = {
    "loi": CardDirective,
    "lois": CardsDirective,
    "lois-de-ma-commune": SortingDirective,
    "seuils": ThresholdsDirective,
}


def setup(app: Sphinx) -> None:
    """Register the directives, and what is done to the cards of a page once it is read."""
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    app.connect("doctree-read", _finish_cards)
