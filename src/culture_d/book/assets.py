"""What a page loads: our styles and scripts, and nothing that it does not use."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, cast
from urllib.parse import urljoin

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder

from culture_d.book.bundles import SCRIPT, STYLE
from culture_d.curriculum import load_curriculum, modules
from culture_d.explorables.site import scripts, write_static_files
from culture_d.french import typeset
from culture_d.project import Project

HERE = Path(__file__).parent
_EXPLORABLE = re.compile(r'data-explorable="([\w-]+)"')
EXPLORABLES = "explorables"
ON_PAGE = "on_page"
DARK_CODE_STYLE = "a11y-high-contrast-dark"
SOCIAL_CARD = "_static/carte-sociale.png"
PATH_PAGE = "book/parcours"
DEFAULT_DESCRIPTION = "Un cours libre de culture de la donnée pour les élues et les élus locaux."


def _configure(app: Sphinx, config: Any) -> None:
    config.templates_path.append(str(HERE / "templates"))
    config.html_static_path.append(str(HERE / "static"))
    generated = Path(app.doctreedir) / "culture_d"
    write_static_files(generated / EXPLORABLES, Project(Path(app.srcdir)))
    config.html_static_path.append(str(generated))
    if (HERE / ON_PAGE).is_dir():
        shutil.copytree(HERE / ON_PAGE, generated / ON_PAGE, dirs_exist_ok=True)
    config.html_favicon = config.html_favicon or str(HERE / "static" / "favicon.svg")


def _page_context(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    shown = _explorables(doctree)
    for name in scripts(shown) if shown else []:
        app.add_js_file(f"{EXPLORABLES}/{name}", loading_method="defer", priority=900)
    for name in _own_scripts(context):
        app.add_js_file(f"{ON_PAGE}/{name}.js", loading_method="defer", priority=900)
    context["script_files"] = [
        script
        for script in context["script_files"]
        if Path(str(script.filename)).name == SCRIPT
        or str(script.filename).startswith((f"_static/{EXPLORABLES}/", f"_static/{ON_PAGE}/"))
    ]
    context["css_files"] = [
        style for style in context["css_files"] if Path(str(style.filename)).name == STYLE
    ]
    context["social_card"] = urljoin(app.config.html_baseurl, SOCIAL_CARD)
    context["description"] = _description(app, page, context)
    builder = cast(StandaloneHTMLBuilder, app.builder)
    after = builder.relations.get(page, [None, None, None])[2]
    if page.startswith("notebooks/") and after and not after.startswith("notebooks/"):
        link = builder.get_relative_uri(page, PATH_PAGE)
        context["next"] = {"title": "Revenir au parcours", "link": link}


def _own_scripts(context: dict[str, Any]) -> list[str]:
    """Name the scripts of one page: « scripts: [a, b] » in the head of its Markdown file."""
    names = (context.get("meta") or {}).get("scripts", [])
    return json.loads(names) if isinstance(names, str) else list(names)


def _explorables(doctree: nodes.document | None) -> list[str]:
    """Name the explorables that a page shows."""
    if doctree is None:
        return []
    raw = "".join(node.astext() for node in doctree.findall(nodes.raw))
    return sorted(set(_EXPLORABLE.findall(raw)))


def _description(app: Sphinx, page: str, context: dict[str, Any]) -> str:
    for module in modules(load_curriculum(Project(Path(app.srcdir)))):
        if module.document == page:
            return typeset(f"{module.question} {module.title} : {module.minutes} minutes.")
    meta = context.get("meta") or {}
    return str(meta.get("description", DEFAULT_DESCRIPTION))


def _dark_code(app: Sphinx) -> None:
    """Set the dark style of code late: furo makes its setting known after the others."""
    app.config.pygments_dark_style = DARK_CODE_STYLE


def setup(app: Sphinx) -> None:
    """Register the styles, the scripts and the templates."""
    # Jupyter Book sets these for extensions that the course does not load.
    for unused in ("comments_config", "use_jupyterbook_latex"):
        app.add_config_value(unused, None, "")
    app.connect("builder-inited", _dark_code, priority=100)
    app.connect("config-inited", _configure)
    app.connect("html-page-context", _page_context, priority=900)
    app.add_css_file(STYLE, priority=800)
    app.add_js_file(SCRIPT, priority=800, loading_method="defer")
