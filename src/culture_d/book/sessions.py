"""The sessions of the trainers' kit on the site: programme, timed script, preparation."""

from collections.abc import Callable, Iterator
from html import escape
from itertools import groupby
from typing import ClassVar, cast

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from culture_d.book.course import CourseDirective, page_link, raw
from culture_d.curriculum import Module, load_curriculum, modules
from culture_d.errors import SheetError
from culture_d.french import NO_BREAK_SPACE, accord, pourcent, typeset
from culture_d.sessions import (
    BREAK,
    Block,
    Session,
    Stretch,
    clock,
    length,
    load_preparation,
    load_sessions,
    sessions_path,
)
from culture_d.sheets import document, sheet_path
from culture_d.tables import html_table

COLUMNS = ("Début", "Durée", "Genre", "Ce que l’on fait")
PROGRAMME = ("Début", "Durée", "Dont activité", "Fiche de formation")


class SessionDirective(CourseDirective):
    """`{seance} <id>`: the programme of a session, then its script, from the modules' sheets."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Return what the session lasts, what it treats, and one section a stretch."""
        session = {one.id: one for one in self._sessions()}.get(self.arguments[0])
        if session is None:
            raise self.error(f"La séance « {self.arguments[0]} » n'est pas dans « seances.yml ».")
        programme = nodes.section("", nodes.title("", "Le programme"), ids=["programme"])
        programme += raw(_programme(session, self._address))
        programme += nodes.paragraph("", typeset(_difference(session)))
        return [
            nodes.paragraph("", typeset(_summary(session))),
            programme,
            *(_stretch(rank, one) for rank, one in enumerate(session.stretches, start=1)),
        ]

    def _address(self, target: str) -> str:
        builder = cast(StandaloneHTMLBuilder, self.env.app.builder)
        return builder.get_relative_uri(self.env.docname, target)

    def _sessions(self) -> tuple[Session, ...]:
        self.depends_on(self.project.curriculum)
        self.depends_on(sessions_path(self.project))
        for module in modules(load_curriculum(self.project)):
            if module.published:
                self.depends_on(sheet_path(self.project, module.slug))
        try:
            return load_sessions(self.project)
        except SheetError as error:
            raise self.error(f"Page « {self.env.docname} » : {error}") from error


class SessionsDirective(SessionDirective):
    """`{seances}`: every session, its length and its modules."""

    required_arguments: ClassVar[int] = 0

    def run(self) -> list[nodes.Node]:
        """Return a list of links."""
        found = nodes.bullet_list()
        for one in self._sessions():
            words = (
                f" : {length(one.minutes)}, {accord(len(one.modules), 'module')}, "
                f"{pourcent(one.active / one.minutes)} d'activité."
            )
            link = page_link(one.document, one.title)
            found += nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(typeset(words))))
        return [found]


class PreparationDirective(CourseDirective):
    """`{preparation}`: how to prepare a session without knowing the course, timed."""

    def run(self) -> list[nodes.Node]:
        """Return a table whose minutes add up to the time announced."""
        self.depends_on(sessions_path(self.project))
        try:
            found = load_preparation(self.project)
        except SheetError as error:
            raise self.error(f"Page « {self.env.docname} » : {error}") from error
        rows, done = [], 0
        for minutes, text in found.steps:
            rows.append((f"{done} à {done + minutes}", text))
            done += minutes
        caption = f"Se préparer en {found.minutes} minutes"
        return [raw(html_table(("Minutes", "Ce que vous faites"), rows, caption))]


def _summary(session: Session) -> str:
    break_words = f" Les pauses prennent {length(session.breaks)}." if session.breaks else ""
    return (
        f"Durée : {length(session.minutes)}, dont {length(session.active)} d'activité, "
        f"soit {pourcent(session.active / session.minutes)} du temps.{break_words} "
        "Les heures sont un exemple."
    )


def _difference(session: Session) -> str:
    """Say how the session differs from the learner's path of the same length."""
    mine = {module.slug for module in session.modules}
    path = {step.module.slug: step.module for step in session.path.steps}
    less = [f"« {one.title} »" for slug, one in path.items() if slug not in mine]
    more = [f"« {one.title} »" for one in session.modules if one.slug not in path]
    name = f"Le parcours « {session.path.title} » se suit seul, sans accueil ni pause."
    if not less and not more:
        return f"{name} La séance traite les mêmes modules."
    parts = []
    if less:
        parts.append(f" La séance laisse de côté {', '.join(less)}.")
    if more:
        parts.append(f" Elle ajoute {', '.join(more)}.")
    return name + "".join(parts)


def _programme(session: Session, address: Callable[[str], str]) -> str:
    """Write the modules, exercises and breaks, a table for each stretch; a module leads to its sheet.

    Two days have the same hours: one table for both would not say which day it is.
    """
    head = "".join(f'<th scope="col">{name}</th>' for name in PROGRAMME)
    tables = []
    for stretch in session.stretches:
        title = stretch.title if len(session.stretches) > 1 else session.title
        rows = "".join(
            f'<tr><th scope="row">{clock(block.start)}</th><td>{_minutes(block.minutes)}</td>'
            f"<td>{_minutes(block.active)}</td><td>{_name(block, address)}</td></tr>"
            for block in stretch.blocks
            if block.module or block.moments[0].kind == BREAK
        )
        paused = any(moment.kind == BREAK for block in stretch.blocks for moment in block.moments)
        caption = f"{title} : les modules" + " et les pauses" * paused
        tables.append(_table(caption, head, f"<tbody>{rows}</tbody>"))
    return "".join(tables)


def _table(caption: str, head: str, body: str) -> str:
    caption = escape(typeset(caption))
    return (
        f'<div class="cd-tableau cd-seance" role="region" tabindex="0" aria-label="{caption}">'
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>{body}</table></div>"
    )


def _name(block: Block, address: Callable[[str], str]) -> str:
    if block.module is None:
        return "Pause"
    title = escape(typeset(block.title))
    if not _scripted_module(block):
        return title
    return f'<a href="{escape(address(document(block.module.slug)))}">{title}</a>'


def _stretch(rank: int, stretch: Stretch) -> nodes.section:
    """Write a stretch: a table a module, and one for what is done between two modules."""
    section = nodes.section("", nodes.title("", typeset(stretch.title)), ids=[f"partie-{rank}"])
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    for module, group in groupby(stretch.blocks, key=_scripted_module):
        blocks = tuple(group)
        first, last = blocks[0], blocks[-1]
        span = f"de {clock(first.start)} à {clock(last.start + last.minutes)}"
        # Two days have the same hours: a name of its own for each table.
        caption = f"{module.title if module else stretch.title}, {span}"
        body = "".join(row for block in blocks for row in _rows(block))
        section += raw(_table(caption, head, f"<tbody>{body}</tbody>"))
    return section


def _scripted_module(block: Block) -> Module | None:
    """Return the module whose script a block follows."""
    return block.module if len(block.moments) > 1 else None


def _rows(block: Block) -> Iterator[str]:
    for one in block.moments:
        cells = (_minutes(one.minutes), one.kind, escape(typeset(one.text)))
        yield f'<tr><th scope="row">{clock(one.start)}</th><td>{"</td><td>".join(cells)}</td></tr>'


def _minutes(minutes: int) -> str:
    return f"{minutes}{NO_BREAK_SPACE}min"


def setup(app: Sphinx) -> None:
    """Register the directives."""
    app.add_directive("seance", SessionDirective)
    app.add_directive("seances", SessionsDirective)
    app.add_directive("preparation", PreparationDirective)
