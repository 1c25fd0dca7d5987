"""Two depths on one page: the agent's remarks are folded, like the code.

In a notebook they are an ordinary section whose title begins with « Pour l'agente ou
l'agent », which JupyterLab shows as it is.
"""

from html import escape

from docutils import nodes
from sphinx.application import Sphinx

from culture_d.french import typeset

TITLE = "Pour l’agente ou l’agent"


def _fold(app: Sphinx, doctree: nodes.document) -> None:
    for section in list(doctree.findall(nodes.section)):
        title = section.next_node(nodes.title)
        words = typeset(title.astext()) if title else ""
        if not words.startswith(TITLE):
            continue
        opening = f'<details class="cd-agent"><summary>{escape(words)}</summary>'
        content = [child for child in section.children if child is not title]
        section.replace_self(
            [_raw(opening), nodes.container("", *content), _raw("</details>")],
        )


def _raw(html: str) -> nodes.raw:
    return nodes.raw("", html, format="html")


def setup(app: Sphinx) -> None:
    """Fold before the contents of the page are listed."""
    app.connect("doctree-read", _fold, priority=400)
