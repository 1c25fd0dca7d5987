"""The reader's commune: files to choose it, digest of their data, room for its lines."""

import hashlib
import json
from pathlib import Path
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from culture_d import commune_index, folding
from culture_d.catalogue import load_dataset
from culture_d.commune_lines import LINES, placeholder
from culture_d.project import Project

FOLDER = "commune"
META = "cd-commune"
# Said where the form is not: without script, or on paper.
WITHOUT_SCRIPT = (
    "Pour choisir une commune, le navigateur doit exécuter le script de cette page. "
    "Sans lui, tout le reste du cours se lit."
)


class CommuneDirective(SphinxDirective):
    """`{ma-commune}`: room for lines on the reader's commune; options name the lines."""

    has_content = False
    option_spec: ClassVar[Any] = dict.fromkeys(LINES, directives.flag)

    def run(self) -> list[nodes.Node]:
        """Return the placeholder, in the order of the options."""
        project = Project(Path(self.env.app.srcdir))
        self.env.note_dependency(str(project.datasets / "communes" / "datapackage.json"))
        root = "../" * self.env.docname.count("/")
        return [nodes.raw("", placeholder(list(self.options), root, project), format="html")]


class ChoiceDirective(SphinxDirective):
    """`{choisir-commune}`: where `on_page/choisir-commune.js` puts its form."""

    has_content = False

    def run(self) -> list[nodes.Node]:
        """Return one block, with a sentence for those who have no script."""
        html = f'<div id="choisir-commune"><p>{WITHOUT_SCRIPT}</p></div>'
        return [nodes.raw("", html, format="html")]


def index(project: Project) -> tuple[str, dict[str, str]]:
    """Return the digest and the files of `commune_index`, made once for the same data.

    Raises:
        DatasetError: see `commune_index.build_files`.
    """
    digest = hashlib.sha256()
    for name in commune_index.DATASETS:
        dataset = load_dataset(project.datasets / name)
        dataset.verify()
        digest.update("".join(resource.sha256 for resource in dataset.resources).encode())
    for module in (commune_index, folding):
        digest.update(Path(str(module.__file__)).read_bytes())
    kept = project.cache / FOLDER / f"{digest.hexdigest()[:16]}.json"
    try:
        version, files = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        version, files = commune_index.build_files(project)
        kept.parent.mkdir(parents=True, exist_ok=True)
        for old in kept.parent.glob("*.json"):
            old.unlink(missing_ok=True)
        partial = kept.with_suffix(".partial")
        partial.write_text(json.dumps([version, files]), encoding="utf-8", newline="\n")
        partial.replace(kept)
    return version, files


def _write(app: Sphinx, config: Any) -> None:
    """Write the files beside those of the explorables (see `assets.py`)."""
    version, files = index(Project(Path(app.srcdir)))
    folder = Path(app.doctreedir) / "culture_d" / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    app.culture_d_commune = version  # type: ignore[attr-defined]


def _say_version(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Tell each page the digest that a record must have to be believed."""
    version = app.culture_d_commune  # type: ignore[attr-defined]
    context["metatags"] = f'{context.get("metatags", "")}\n<meta name="{META}" content="{version}">'


def setup(app: Sphinx) -> None:
    """Register the directives, the files and the digest."""
    app.add_directive("ma-commune", CommuneDirective)
    app.add_directive("choisir-commune", ChoiceDirective)
    app.connect("config-inited", _write)
    app.connect("html-page-context", _say_version)
