"""The Sphinx extension of the course: generated pages, figures, scripts, checks."""

from importlib import import_module
from pkgutil import iter_modules
from typing import Any

from sphinx.application import Sphinx

from culture_d import __version__


def setup(app: Sphinx) -> dict[str, Any]:
    """Set up every module of this package that has a `setup` (called by Sphinx)."""
    for found in sorted(iter_modules(__path__), key=lambda found: found.name):
        module = import_module(f"{__name__}.{found.name}")
        if hasattr(module, "setup"):
            module.setup(app)
    return {"version": __version__, "parallel_read_safe": True, "parallel_write_safe": True}
