"""Grade what learners hand in: read, repair, run apart, record, tell. `model` says how they meet."""

from culture_d.light_imports import without_address_grammar

with without_address_grammar():
    import nbformat  # noqa: F401
