"""How a notebook's code and outputs become a page."""

from datetime import date
from html import unescape
from pathlib import Path
from re import Match, compile

from docutils import nodes
from myst_nb.core.render import MimeData, NbElementRenderer
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxTranslator

from culture_d.french import NO_BREAK_SPACE, date_longue

_SOURCE = compile(r'(<p class="cd-source"[^>]*data-valable-jusquau="([\d-]+)"[^>]*>)(.*?)</p>')


_STYLED_SIZE = compile(r'(<img [^>]*?)style="width: (\d+)px; height: (\d+)px;"')


class CultureDRenderer(NbElementRenderer):  # type: ignore[misc]
    """myst-nb's renderer, with alternative texts and a watch on the data's age."""

    def render_image(self, data: MimeData) -> list[nodes.Element]:
        """Give the image its alternative text, and load it when it comes near."""
        rendered: list[nodes.Element] = super().render_image(data)
        alternative = data.output_metadata.get(data.mime_type, {}).get("alt", "")
        for image in rendered:
            image["alt"] = unescape(alternative)
            image["loading"] = "lazy"
        return rendered

    def render_text_html(self, data: MimeData) -> list[nodes.Element]:
        """Warn under each source line whose data have expired on the day of the build."""
        html = with_warnings(data.string, date.today())
        return [nodes.raw(text=html, format="html", classes=["output", "text_html"])]


def with_warnings(html: str, today: date) -> str:
    """Add a warning to each source line whose date has passed."""
    return _SOURCE.sub(lambda match: _with_warning(match, today), html)


def _with_warning(source: Match[str], today: date) -> str:
    opening, limit, text = source.groups()
    last_day = date.fromisoformat(limit)
    if today <= last_day:
        return source.group(0)
    return (
        f'{opening}{text}<strong class="cd-perime">Attention{NO_BREAK_SPACE}: ces données ont '
        f"expiré le {date_longue(last_day)}. Cherchez un chiffre plus récent.</strong></p>"
    )


def _reserve_places(app: Sphinx, error: Exception | None) -> None:
    """Give each figure its size as attributes: its place is kept before it is loaded.

    Sphinx writes a style, whose height ours must override: without attributes the page
    would grow as figures come, and links to its sections would miss them.
    """
    if error or app.builder.name != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        sized = _STYLED_SIZE.sub(r'\1width="\2" height="\3"', page)
        if sized != page:
            path.write_text(sized, encoding="utf-8", newline="\n")


def _open_code(translator: SphinxTranslator, node: nodes.Element) -> None:
    """Fold code in a native element; myst-nb's own says « Toggle hidden content »."""
    translator.body.append('<details class="cd-code"><summary>Code</summary>\n')


def _close_code(translator: SphinxTranslator, node: nodes.Element) -> None:
    translator.body.append("</details>\n")


def setup(app: Sphinx) -> None:
    """Register how folded code is written."""
    app.connect("build-finished", _reserve_places)
    app.add_node(HideCodeCellNode, override=True, html=(_open_code, _close_code))
