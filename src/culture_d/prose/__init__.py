"""The proofreading of everything a reader of the course sees, in French.

`blocks` takes the running text out of a page, `sentences` cuts it, `rules` holds what a
French printer asks, `acronyms` what a newcomer needs, `places` finds the file to correct,
`review` puts it together, with the exceptions that the course allows itself.
"""
