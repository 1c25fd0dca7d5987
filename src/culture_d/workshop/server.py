"""Starts the server of a seat: JupyterHub's own, without two costs that a seat has no use for.

Measured, of 3.2 s of processor for a server: 1.2 s to compile the grammar of international
web addresses (`rfc3987_syntax`, for a format that no message of Jupyter's has), and 0.3 s
to ask Node for yarn's settings (JupyterLab does on import, to build extensions). Without
the module, and without Node, both libraries go on as they are written to.
"""

import sys

# `None` makes the import fail: jsonschema then leaves that one format unchecked.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]

import jupyterlab.commands  # noqa: E402


def _no_yarn(logger: object) -> dict[str, dict[str, str]]:
    """Answer what JupyterLab finds where there is no Node."""
    return {"yarn config": {}, "npm config": {}}


jupyterlab.commands._yarn_config = _no_yarn

from jupyterhub.singleuser import main  # noqa: E402

if __name__ == "__main__":
    main()
