"""Starts the server of a seat: JupyterHub's own, without two costs that a seat has no use for.

Measured, of 3.2 s of processor for a server: 1.2 s to compile the grammar of international
web addresses (see `light_imports`), and 0.3 s to ask Node for yarn's settings (JupyterLab does
on import, to build extensions). Without the one and the other, both libraries go on as they
are written to.
"""

from culture_d.light_imports import without_address_grammar

with without_address_grammar():
    import nbformat  # noqa: F401

import jupyterlab.commands


def _no_yarn(logger: object) -> dict[str, dict[str, str]]:
    """Answer what JupyterLab finds where there is no Node."""
    return {"yarn config": {}, "npm config": {}}


jupyterlab.commands._yarn_config = _no_yarn

from jupyterhub.singleuser import main  # noqa: E402

if __name__ == "__main__":
    main()
