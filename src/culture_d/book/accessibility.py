"""The pages on accessibility: the criteria one by one, their counts, whom to write to."""

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import ClassVar

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from culture_d.accessibility import (
    NOT_CONCERNED,
    PROVED,
    TO_CHECK,
    Contact,
    Criterion,
    Topic,
    contact_path,
    count,
    criteria_path,
    load_contact,
    load_topics,
)
from culture_d.french import accord, date_longue, nombre, typeset
from culture_d.project import Project

PARTLY = f"{PROVED} en partie"
# Signs that go with the words, so that a state is seen when one skims the page.
_SIGNS = {PROVED: "✓", PARTLY: "◐", TO_CHECK: "○", NOT_CONCERNED: "∅"}


class _AccessibilityDirective(SphinxDirective):
    """A directive that reads a file on accessibility and makes its page depend on it."""

    has_content: ClassVar[bool] = False

    @property
    def project(self) -> Project:
        return Project(Path(self.env.app.srcdir))

    def topics(self) -> tuple[Topic, ...]:
        self.env.note_dependency(str(criteria_path(self.project)))
        return load_topics(self.project)

    def contact(self) -> Contact:
        self.env.note_dependency(str(contact_path(self.project)))
        return load_contact(self.project)


class CriteriaDirective(_AccessibilityDirective):
    """`{rgaa}`: every criterion, by topic, with what is known of it."""

    def run(self) -> list[nodes.Node]:
        """Return one section a topic."""
        return [_section(topic) for topic in self.topics()]


class SummaryDirective(_AccessibilityDirective):
    """`{rgaa-bilan}`: how many criteria are proved, to check, without object."""

    def run(self) -> list[nodes.Node]:
        """Return one list."""
        counts = count(criterion for topic in self.topics() for criterion in topic.criteria)
        lines = {
            PROVED: "des tests automatiques suffisent",
            PARTLY: "une personne doit compléter les tests",
            TO_CHECK: "seule une personne peut répondre",
            NOT_CONCERNED: "un test prouve que ce dont ils parlent est absent du site",
        }
        items = [
            nodes.list_item(
                "",
                nodes.paragraph(
                    "",
                    "",
                    nodes.strong("", accord(counts[label], f"critère {label}", _plural(label))),
                    nodes.Text(typeset(f" : {text}.")),
                ),
            )
            for label, text in lines.items()
        ]
        return [nodes.bullet_list("", *items)]


class ContactDirective(_AccessibilityDirective):
    """`{contact-accessibilite}`: whom to write to, or that nobody has said so yet."""

    def run(self) -> list[nodes.Node]:
        """Return one or two paragraphs."""
        contact = self.contact()
        if not contact.is_known:
            return [_unknown_contact()]
        ways = nodes.bullet_list("", nodes.list_item("", nodes.paragraph("", contact.organisme)))
        if contact.courriel:
            ways += _way("Par courriel : ", contact.courriel, f"mailto:{contact.courriel}")
        if contact.formulaire:
            ways += _way("Par formulaire : ", contact.formulaire, contact.formulaire)
        return [ways]


class DateDirective(_AccessibilityDirective):
    """`{date-declaration}`: the day the statement was written or last changed."""

    def run(self) -> list[nodes.Node]:
        """Return one sentence."""
        day = date_longue(self.contact().declaration)
        return [nodes.paragraph("", f"Cette déclaration a été établie le {day}.")]


def _unknown_contact() -> nodes.Node:
    return nodes.container(
        "",
        nodes.paragraph(
            "",
            "",
            nodes.strong("", typeset("Aucun contact n'est encore publié.")),
            nodes.Text(typeset(" La personne qui met le cours en ligne doit en donner un.")),
        ),
        classes=["cd-a-completer"],
    )


def _way(words: str, text: str, address: str) -> nodes.list_item:
    link = nodes.reference("", text, refuri=address)
    return nodes.list_item("", nodes.paragraph("", "", nodes.Text(typeset(words)), link))


def _section(topic: Topic) -> nodes.section:
    section = nodes.section(
        "",
        nodes.title("", f"{topic.number}. {topic.title}"),
        ids=[nodes.make_id(f"thematique-{topic.number}")],
    )
    section += nodes.paragraph("", _counted(topic.criteria), classes=["cd-entete"])
    items = "".join(_item(criterion) for criterion in topic.criteria)
    section += nodes.raw("", f'<ul class="cd-criteres">{items}</ul>', format="html")
    section += nodes.raw("", _evidence(topic), format="html")
    return section


def _counted(criteria: Iterable[Criterion]) -> str:
    """Write « 9 critères : 4 prouvés, 2 à vérifier »."""
    counts = count(criteria)
    said = [
        f"{nombre(number)} {label if number < 2 else _plural_state(label)}"
        for label, number in counts.items()
        if number
    ]
    return typeset(f"{accord(sum(counts.values()), 'critère')} : {', '.join(said)}.")


def _item(criterion: Criterion) -> str:
    words = typeset(criterion.proof or criterion.reason)
    known = f"<p>{escape(words)}</p>" if words else ""
    left = typeset(f"À vérifier : {criterion.check[:1].lower()}{criterion.check[1:]}")
    check = f'<p class="cd-reste">{escape(left)}</p>' if criterion.check else ""
    return (
        f'<li id="critere-{criterion.number.replace(".", "-")}">'
        f'<p class="cd-critere"><strong>{criterion.number} · {escape(typeset(criterion.title))}</strong></p>'
        f'<p class="cd-etat"><span aria-hidden="true">{_SIGNS[criterion.label]}</span> '
        f"{criterion.label.capitalize()} · niveau {criterion.level}</p>{known}{check}</li>"
    )


def _evidence(topic: Topic) -> str:
    """List the tests of a topic, with the criteria that each serves."""
    served: dict[str, list[str]] = {}
    for criterion in topic.criteria:
        for test in criterion.tests:
            served.setdefault(test, []).append(criterion.number)
    lines = "".join(
        f"<li><code>{escape(test)}</code> ({', '.join(numbers)})</li>"
        for test, numbers in served.items()
    )
    title = typeset(f"{topic.title} : les tests")
    return (
        f'<details class="cd-donnees"><summary>{escape(title)}</summary><ul>{lines}</ul></details>'
    )


def _plural(label: str) -> str:
    return f"critères {_plural_state(label)}"


def _plural_state(label: str) -> str:
    return label.replace(PROVED, f"{PROVED}s", 1)


DIRECTIVES: dict[str, type[Directive]] = {
    "rgaa": CriteriaDirective,
    "rgaa-bilan": SummaryDirective,
    "contact-accessibilite": ContactDirective,
    "date-declaration": DateDirective,
}


def setup(app: Sphinx) -> None:
    """Register the directives."""
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
