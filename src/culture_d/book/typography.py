"""No-break spaces and apostrophes in the pages, where the sources have ordinary ones.

Sphinx writes quotes and apostrophes; the spaces of French signs, thousands and percents
are left to the author, who does not see them. Code and raw HTML are left alone.
"""

from docutils import nodes
from sphinx.application import Sphinx

from culture_d.french import typeset

_AS_WRITTEN = (nodes.literal, nodes.FixedTextElement, nodes.raw, nodes.comment, nodes.math)


def _typeset(app: Sphinx, doctree: nodes.document) -> None:
    for text in list(doctree.findall(nodes.Text)):
        written = typeset(text)
        if written != text and not _is_as_written(text):
            text.parent.replace(text, nodes.Text(written))


def _is_as_written(node: nodes.Node) -> bool:
    parent = node.parent
    while parent is not None:
        if isinstance(parent, _AS_WRITTEN):
            return True
        parent = parent.parent
    return False


def setup(app: Sphinx) -> None:
    """Write each page as it is read, before its titles are collected."""
    app.connect("doctree-read", _typeset, priority=100)
