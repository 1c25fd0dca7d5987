"""Code with few colours: comments, strings, numbers and keywords, as a reader needs them.

Pygments marks every comma. On a lesson that made two thousand of the page's elements,
for a reader who does not open the code.
"""

from typing import Any

from pygments.formatters import HtmlFormatter
from pygments.token import Comment, Error, Generic, Keyword, Number, String
from sphinx.application import Sphinx
from sphinx.highlighting import PygmentsBridge

MARKED = (Comment, String, Number, Keyword, Generic, Error)


class LeanFormatter(HtmlFormatter):  # type: ignore[misc]
    """An HTML formatter that marks only what `MARKED` lists."""

    def _get_css_class(self, ttype: Any) -> str:
        for kind in MARKED:
            if ttype in kind:
                return str(super()._get_css_class(ttype if kind is Generic else kind))
        return ""

    def _get_css_classes(self, ttype: Any) -> str:
        return self._get_css_class(ttype)


def setup(app: Sphinx) -> None:
    """Take the place of Sphinx's formatter."""
    PygmentsBridge.html_formatter = LeanFormatter
