"""Pages made from the map of modules, the manifests and the notebooks."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from culture_d import notebooks
from culture_d.badge import badge
from culture_d.book.course import CourseDirective, module_link, raw
from culture_d.book.rendering import with_warnings
from culture_d.catalogue import KINDS, Dataset, frequency_label, limit_label, load_catalogue
from culture_d.curriculum import Module, load_curriculum, modules
from culture_d.french import date_longue, nombre, typeset
from culture_d.project import Project
from culture_d.tables import html_table


class CatalogueDirective(CourseDirective):
    """`{catalogue}`: one section a dataset, from its manifest."""

    def run(self) -> list[nodes.Node]:
        """Return one section a dataset."""
        datasets = load_catalogue(self.project)
        for dataset in datasets:
            self.depends_on(dataset.folder / "datapackage.json")
        titles = {module.slug: module for module in modules(load_curriculum(self.project))}
        return [_dataset_section(dataset, titles) for dataset in datasets]


class StatusDirective(CourseDirective):
    """`{etat}`: run time, versions and data of each notebook."""

    def run(self) -> list[nodes.Node]:
        """Return one table."""
        by_notebook: dict[str, list[Dataset]] = {}
        for dataset in load_catalogue(self.project):
            for slug in dataset.notebooks:
                by_notebook.setdefault(slug, []).append(dataset)
        rows = []
        for path in notebooks.notebook_paths(self.project):
            self.depends_on(path)
            run = notebooks.read(path).metadata["culture_d"]["execution"]
            versions = ", ".join(f"{name} {number}" for name, number in run["versions"].items())
            data = " ".join(
                f"{dataset.title} : {limit_label(dataset)} {date_longue(dataset.valid_until)}."
                for dataset in by_notebook.get(path.stem, [])
            )
            rows.append([path.stem, f"{nombre(run['seconds'], 1)} s", versions, data])
        columns = ["Carnet", "Durée d'exécution", "Versions", "Données"]
        return [raw(html_table(columns, rows, "Dernière exécution de chaque carnet"))]


def _dataset_section(dataset: Dataset, titles: dict[str, Module]) -> nodes.section:
    section = nodes.section(
        "", nodes.title("", dataset.title), ids=[nodes.make_id(f"jeu-{dataset.name}")]
    )
    section += nodes.paragraph("", typeset(dataset.description))
    facts = [
        ["Genre", KINDS[dataset.kind]],
        ["Producteur", dataset.producer],
        ["Millésime", dataset.vintage],
        ["Date de référence des faits", date_longue(dataset.collected)],
        ["Fichier source publié le", date_longue(dataset.published)],
        ["Mise à jour", frequency_label(dataset.frequency)],
        [limit_label(dataset).capitalize(), date_longue(dataset.valid_until)],
        ["Pourquoi cette date", dataset.valid_until_reason],
        ["Licence", dataset.licence],
        ["Fichier", ", ".join(resource.path.name for resource in dataset.resources)],
    ]
    section += raw(html_table(["Rubrique", "Valeur"], facts, f"Fiche : {dataset.title}"))
    section += raw(with_warnings(badge(dataset), date.today()))
    section += _list("Sources", [_source(title, url) for title, url in dataset.sources])
    section += _list(
        "Pièges de ces données", [nodes.paragraph("", typeset(trap)) for trap in dataset.traps]
    )
    section += nodes.paragraph("", "", nodes.strong("", "Colonnes du fichier"))
    section += nodes.definition_list("", *[_column(field) for field in dataset.fields])
    used = [titles[slug] for slug in dataset.notebooks if slug in titles]
    if used:
        links = [nodes.paragraph("", "", module_link(module, module.title)) for module in used]
        section += _list("Modules qui s'en servent", links)
    return section


def _column(field: Mapping[str, Any]) -> nodes.definition_list_item:
    term = nodes.term("", "", nodes.literal("", field["name"]))
    meaning = nodes.paragraph("", typeset(field["description"]))
    return nodes.definition_list_item("", term, nodes.definition("", meaning))


def _source(title: str, url: str) -> nodes.paragraph:
    if not url:
        return nodes.paragraph("", typeset(title))
    return nodes.paragraph("", "", nodes.reference("", typeset(title), refuri=url))


def _list(title: str, items: list[nodes.paragraph]) -> list[nodes.Node]:
    rubric = nodes.paragraph("", "", nodes.strong("", title))
    return [rubric, nodes.bullet_list("", *[nodes.list_item("", item) for item in items])]


def _module_heading(app: Sphinx, doctree: nodes.document) -> None:
    """Put minutes, part and exercise under the title of a module's page."""
    project = Project(Path(app.srcdir))
    for part in load_curriculum(project):
        for module in part.modules:
            if module.document != app.env.docname:
                continue
            app.env.note_dependency(str(project.curriculum))
            words = [part.title, f"{module.minutes} minutes"]
            if module.exercise:
                words.append("exercice noté à part")
            title = next(doctree.findall(nodes.title))
            heading = nodes.paragraph("", " · ".join(words), classes=["cd-entete"])
            outcome = nodes.paragraph("", "", classes=["cd-promesse"])
            outcome += nodes.strong("", "Vous saurez")
            outcome += nodes.Text(f" {typeset(module.outcome)}")
            place = title.parent.index(title) + 1
            title.parent.insert(place, [heading, outcome] if module.outcome else [heading])


def _link_to_terms(app: Sphinx, doctree: nodes.document) -> None:
    """Let a Markdown link reach a term of a glossary, as it does a heading.

    A notebook cannot use Sphinx's `term` role: JupyterLab would show it as it stands.
    """
    slugs = app.env.metadata[app.env.docname].setdefault("myst_slugs", {})
    for term in doctree.findall(nodes.term):
        for term_id in term["ids"]:
            slugs[term_id] = (term.line or 0, term_id, term.astext())


DIRECTIVES: dict[str, type[Directive]] = {
    "catalogue": CatalogueDirective,
    "etat": StatusDirective,
}


def setup(app: Sphinx) -> None:
    """Register the directives and the heading of a module."""
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    app.connect("doctree-read", _module_heading)
    app.connect("doctree-read", _link_to_terms)
