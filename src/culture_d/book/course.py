"""What the directives of the course share: the course itself, and links to its modules."""

from pathlib import Path
from typing import ClassVar

from docutils import nodes
from sphinx import addnodes
from sphinx.util.docutils import SphinxDirective

from culture_d.curriculum import Module
from culture_d.project import Project


class CourseDirective(SphinxDirective):
    """A directive that reads the course and makes its page depend on what it read."""

    has_content: ClassVar[bool] = False

    @property
    def project(self) -> Project:
        """The course that is being built."""
        return Project(Path(self.env.app.srcdir))

    def depends_on(self, path: Path) -> None:
        """Have the page built again when a file changes."""
        self.env.note_dependency(str(path))


def module_link(module: Module, text: str) -> addnodes.pending_xref:
    """Link to a module's page; the build fails if it is not there."""
    return page_link(module.document, text)


def page_link(document: str, text: str) -> addnodes.pending_xref:
    """Link to a page by the name of its document; the build fails if it is not there."""
    return addnodes.pending_xref(
        "",
        nodes.inline("", text),
        refdomain="std",
        reftype="doc",
        reftarget=f"/{document}",
        refexplicit=True,
        refwarn=True,
    )


def raw(html: str) -> nodes.raw:
    """Put HTML in a page as it is."""
    return nodes.raw("", html, format="html")
