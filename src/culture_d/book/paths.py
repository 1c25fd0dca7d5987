"""The page of paths: by time, by role, then every module of every part."""

from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import Any, cast

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from culture_d.book.assets import PATH_PAGE
from culture_d.book.course import CourseDirective, module_link, raw
from culture_d.book.progress import mark, summary
from culture_d.curriculum import (
    LearningPath,
    Module,
    Part,
    Step,
    first_lesson,
    load_curriculum,
    load_paths,
    modules,
    total_minutes,
)
from culture_d.french import accord, typeset
from culture_d.project import Project

KINDS = {
    "time": ("selon-votre-temps", "Selon votre temps"),
    "role": ("selon-votre-role", "Selon votre rôle"),
}
ALL_MODULES = ("tous-les-modules", "Tous les modules")


class PathDirective(CourseDirective):
    """`{parcours}`: what is ready, the paths by time and by role, every module."""

    def run(self) -> list[nodes.Node]:
        """Return a sentence, one section a kind of path, and one of all modules."""
        self.depends_on(self.project.curriculum)
        parts = load_curriculum(self.project)
        paths = load_paths(self.project)
        every = modules(parts)
        ready = [module for module in every if module.published]
        sections = [
            _section(*KINDS[kind], _paths([path for path in paths if path.kind == kind]))
            for kind in KINDS
        ]
        index = _section(*ALL_MODULES, [_part_section(part) for part in parts])
        return [nodes.paragraph("", _count(ready, len(every))), summary(ready), *sections, index]


class FirstModuleDirective(CourseDirective):
    """`{premiere-lecon}`: one tap from here to the lesson for who has just arrived."""

    def run(self) -> list[nodes.Node]:
        """Return a paragraph with one link, looking like a button."""
        self.depends_on(self.project.curriculum)
        first = first_lesson(self.project)
        words = f"Commencer : {first.question} ({first.minutes} minutes)"
        link = module_link(first, typeset(words))
        link["classes"].append("cd-bouton")
        return [nodes.paragraph("", "", link)]


def opened(paths: Iterable[LearningPath]) -> list[LearningPath]:
    """Choose the paths worth following today.

    One opens when it is whole, or offers two modules at least; and when what it offers is
    not what an earlier one offers already. The others are only announced.
    """
    found: list[LearningPath] = []
    for path in paths:
        enough = len(path.ready) >= 2 or (path.ready and not path.planned)
        offered = {step.module.slug for step in path.ready}
        if enough and all(offered != {s.module.slug for s in one.ready} for one in found):
            found.append(path)
    return found


def _count(ready: list[Module], total: int) -> str:
    """Say how much of the course is ready, and what it takes."""
    minutes = sum(module.minutes for module in ready)
    verb = "est prêt" if len(ready) < 2 else "sont prêts"
    if len(ready) == total:
        return typeset(f"Les {total} modules sont prêts : {accord(minutes, 'minute')} en tout.")
    return typeset(
        f"{accord(len(ready), 'module')} sur {total} {verb} aujourd'hui : {accord(minutes, 'minute')}. "
        "Les autres sont prévus, et leur durée est une estimation."
    )


def _paths(paths: list[LearningPath]) -> list[nodes.Node]:
    today = opened(paths)
    later = [path for path in paths if path not in today]
    found: list[nodes.Node] = []
    for path in today:
        found += _open_path(path, unfolded=len(today) == 1)
    return [*found, *_announced(later, first=not today)]


def _open_path(path: LearningPath, *, unfolded: bool) -> Iterator[nodes.Node]:
    """Yield a path that one can follow: its modules in order, and what is still planned."""
    state = " open" if unfolded else ""
    yield raw(
        f'<details class="cd-chemin" id="chemin-{escape(path.id)}"{state}><summary>'
        f"<strong>{escape(typeset(path.title))}</strong> <span>{_length(path)}</span></summary>"
    )
    yield nodes.paragraph("", typeset(path.audience))
    if len(path.ready) > 1:
        yield summary([step.module for step in path.ready])
    yield nodes.enumerated_list(
        "", *[_step_item(step) for step in path.ready], classes=["cd-etapes"]
    )
    if path.planned:
        names = ", ".join(f"« {step.module.title} »" for step in path.planned)
        yield nodes.paragraph("", typeset(f"Encore prévus : {names}."), classes=["cd-question"])
    yield raw("</details>")


def _length(path: LearningPath) -> str:
    """Say what a path takes today, and what it will."""
    ready = accord(len(path.ready), "module")
    today = accord(total_minutes(path.ready), "minute")
    if not path.planned:
        return typeset(f"{ready}, {today}")
    prepared = "prêt" if len(path.ready) < 2 else "prêts"
    return typeset(
        f"{ready} {prepared} sur {len(path.steps)} : {today} aujourd'hui, "
        f"{total_minutes(path.steps)} à terme"
    )


def _step_item(step: Step) -> nodes.list_item:
    line = nodes.paragraph("", "", module_link(step.module, typeset(step.module.title)))
    line += [nodes.Text(f" · {accord(step.module.minutes, 'minute')}"), mark(step.module)]
    reason = nodes.paragraph("", typeset(step.reason), classes=["cd-question"])
    return nodes.list_item("", line, reason)


def _announced(paths: list[LearningPath], *, first: bool) -> Iterator[nodes.Node]:
    """Yield, folded, the paths that are not worth following yet, without any link."""
    if not paths:
        return
    names = " · ".join(path.title for path in paths)
    plural = len(paths) > 1
    other = "" if first else ("autres " if plural else "autre ")
    title = f"{len(paths)} {other}parcours {'se préparent' if plural else 'se prépare'}"
    yield raw(
        f'<details class="cd-chemin cd-annonce"><summary>{escape(typeset(title))}'
        f"<span>{escape(typeset(names))}</span></summary>"
    )
    for path in paths:
        line = nodes.paragraph("", "", nodes.strong("", typeset(f"{path.title}.")))
        line += nodes.Text(typeset(f" {path.audience}"))
        minutes = accord(total_minutes(path.steps), "minute")
        length = nodes.paragraph("", typeset(f"Durée prévue : {minutes}."), classes=["cd-question"])
        steps = nodes.bullet_list("", *[_programme_line(step) for step in path.steps])
        yield nodes.container("", line, length, steps, classes=["cd-annonce-chemin"])
    yield raw("</details>")


def _programme_line(step: Step) -> nodes.list_item:
    title = step.module.title + (" (prêt)" if step.module.published else "")
    return nodes.list_item("", nodes.paragraph("", typeset(title)))


def _section(name: str, title: str, content: Iterable[nodes.Node]) -> nodes.section:
    section = nodes.section("", nodes.title("", title), ids=[name])
    section += list(content)
    return section


def _part_section(part: Part) -> nodes.section:
    section = nodes.section("", nodes.title("", part.title), ids=[nodes.make_id(part.slug)])
    section += nodes.paragraph("", part.summary)
    section += nodes.bullet_list(
        "", *[_module_item(module) for module in part.modules], classes=["cd-modules"]
    )
    return section


def _module_item(module: Module) -> nodes.list_item:
    line = nodes.paragraph()
    if module.published:
        line += nodes.strong("", "", module_link(module, module.title))
        line += nodes.Text(f" · {accord(module.minutes, 'minute')}")
        if module.exercise:
            line += nodes.Text(" · exercice noté à part")
        line += mark(module)
    else:
        line += nodes.Text(module.title)
        line += nodes.inline("", " · prévu", classes=["cd-prevu"])
    question = nodes.paragraph("", module.question, classes=["cd-question"])
    return nodes.list_item("", line, question)


def _around(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Lead from the paths to the first lesson and back, over the pages about progress."""
    builder = cast(StandaloneHTMLBuilder, app.builder)
    every = modules(load_curriculum(Project(Path(app.srcdir))))
    first = next((module.document for module in every if module.published), "")
    places = {PATH_PAGE: ("next", first), first: ("prev", PATH_PAGE)}
    if page in places:
        where, target = places[page]
        title = builder.render_partial(app.env.titles[target])["title"]
        context[where] = {"title": title, "link": builder.get_relative_uri(page, target)}


DIRECTIVES: dict[str, type[Directive]] = {
    "parcours": PathDirective,
    "premiere-lecon": FirstModuleDirective,
}


def setup(app: Sphinx) -> None:
    """Register the directives, and what comes before and after the page of paths."""
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    app.connect("html-page-context", _around)
