"""What must hold before a page is built."""

from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ConfigError

from culture_d.accessibility import load_contact, load_topics
from culture_d.catalogue import load_catalogue
from culture_d.curriculum import check_agreement
from culture_d.errors import CultureDError
from culture_d.laws import load_laws
from culture_d.notebooks import check, notebook_paths
from culture_d.project import Project
from culture_d.sheets import check_sheets


def before_build(project: Project) -> None:
    """Check data, map of modules, trainers' sheets, law cards, criteria of accessibility, notebooks.

    Raises:
        CultureDError: the first thing found wrong, with the file's name.
    """
    for dataset in load_catalogue(project):
        dataset.verify()
    check_agreement(project)
    check_sheets(project)
    load_laws(project)
    load_topics(project)
    load_contact(project)
    for path in notebook_paths(project):
        check(path)


def _refuse_to_build(app: Sphinx) -> None:
    try:
        before_build(Project(Path(app.srcdir)))
    except CultureDError as error:
        raise ConfigError(str(error)) from error


def setup(app: Sphinx) -> None:
    """Run the checks once Sphinx is ready, whoever called it."""
    app.connect("builder-inited", _refuse_to_build)
