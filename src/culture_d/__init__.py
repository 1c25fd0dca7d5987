"""Culture D: a French course in data culture for local elected officials."""

from importlib.metadata import version

__version__ = version("culture-d")
