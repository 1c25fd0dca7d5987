"""The Sphinx extension of the course: generated pages, figures, scripts, checks."""

from typing import Any

from sphinx.application import Sphinx

from culture_d import __version__
from culture_d.book import assets, checks, pages, rendering, search


def setup(app: Sphinx) -> dict[str, Any]:
    """Register every part of the extension (called by Sphinx)."""
    checks.setup(app)
    assets.setup(app)
    pages.setup(app)
    rendering.setup(app)
    search.setup(app)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
