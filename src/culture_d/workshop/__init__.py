"""A workshop: a room of learners on one machine, served by JupyterHub."""
