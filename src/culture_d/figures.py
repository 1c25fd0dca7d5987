"""Figures: how they look, and what must come with each of them.

Colours are Okabe and Ito's, which stay apart for colour-blind readers (the vermilion
darkened, so that words in it read well on white); a second cue (label, marker, line style) always says the same thing. A figure is shown with
its title as text, an alternative text, the table of its numbers and its source.
"""

import io
import re
from hashlib import sha256
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter

from culture_d.badge import badge
from culture_d.catalogue import load_dataset
from culture_d.errors import FigureError
from culture_d.french import nombre, typeset
from culture_d.notebooks import DIGEST, MIN_ALTERNATIVE, PICTURE
from culture_d.project import Project
from culture_d.tables import html_table

BLEU = "#0072B2"
VERMILLON = "#B84A00"
VERT = "#009E73"
GRIS = "#8A8A8A"
ENCRE = "#222222"

WIDTH_INCHES = 5.6
DPI = 160
CSS_PIXELS_PER_INCH = 120
FONTS = "system-ui,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif"

STYLE: dict[Any, Any] = {
    "figure.figsize": (WIDTH_INCHES, 5.0),
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 15,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": ENCRE,
    "axes.labelcolor": ENCRE,
    "text.color": ENCRE,
    "xtick.color": ENCRE,
    "ytick.color": ENCRE,
    "lines.linewidth": 2,
}


def style() -> None:
    """Give matplotlib the look of the course. Call it once, before the first figure."""
    mpl.rcdefaults()  # whatever the reader's own matplotlibrc says
    mpl.rcParams.update(STYLE)


def axe_en_francais(axis: Any) -> None:
    """Write an axis's numbers in French (narrow space in thousands, decimal comma)."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: nombre(value, 1)))


def afficher_figure(
    figure: Figure,
    *,
    titre: str,
    alternative: str,
    tableau: pd.DataFrame,
    sources: list[str],
) -> None:
    """Show a figure with everything a reader may need in its place.

    Args:
        figure: one figure; it is closed.
        titre: the answer that the figure gives, in one sentence.
        alternative: what the figure shows, for who does not see it.
        tableau: the numbers drawn; its first column names the rows.
        sources: names of the datasets it is drawn from.

    Raises:
        FigureError: a title, alternative text, table or source is missing.
    """
    if len(alternative.strip()) < MIN_ALTERNATIVE:
        raise FigureError(
            f"La figure « {titre} » n'a pas de texte de remplacement, ou il est trop court : dites "
            f"en {MIN_ALTERNATIVE} signes au moins ce qu'elle montre (argument « alternative »)."
        )
    if not titre.strip() or tableau.empty or not sources:
        raise FigureError(
            f"La figure « {titre or 'sans titre'} » doit avoir un titre, le tableau de ses chiffres "
            "et au moins une source (arguments « titre », « tableau » et « sources »)."
        )
    titre, alternative = typeset(titre), typeset(alternative)
    drawn = fingerprint(figure)
    image, width, height = _svg(figure, drawn)
    text = {"text/markdown": f"**{titre}**", "text/plain": titre}
    display(text, raw=True)
    display(
        {PICTURE: image, "text/plain": alternative},
        metadata={PICTURE: {"alt": alternative, "width": width, "height": height}},
        raw=True,
    )
    project = Project.find()
    datasets = [load_dataset(project.datasets / name) for name in sources]
    details = (
        f'<details class="cd-donnees" data-dessin="{drawn}"><summary>Les chiffres de la figure</summary>'
        f"{table_html(tableau, titre)}</details>"
    )
    lines = "".join(badge(dataset) for dataset in datasets)
    plain = tableau.to_string(index=False)
    display({"text/html": details + lines, "text/plain": plain}, raw=True)


def fingerprint(figure: Figure) -> str:
    """Digest of what a figure draws: its texts and the data of its marks.

    The pictures themselves are not compared when a notebook is run again: their
    coordinates may change with a font. This digest is printed beside the figure, so a
    figure that draws anything else than the one stored is seen.
    """
    drawn: list[str] = []
    for text in figure.findobj(Text):
        drawn.append(f"{text.get_text()} {_rounded(text.get_position())}")
    for line in figure.findobj(Line2D):
        drawn.append(f"{line.get_linestyle()} {_rounded(line.get_xydata())}")
    for patch in figure.findobj(Rectangle):
        drawn.append(f"{_rounded(patch.get_facecolor())} {_rounded(patch.get_bbox().get_points())}")
    for marks in figure.findobj(PathCollection):
        drawn.append(f"{_rounded(marks.get_facecolor())} {_rounded(marks.get_offsets())}")
    for lines in figure.findobj(LineCollection):
        drawn.append(_rounded(np.concatenate(lines.get_segments())))
    return sha256("\n".join(drawn).encode("utf-8")).hexdigest()[:16]


def _rounded(values: Any) -> str:
    """Write numbers with six significant figures: the same on every machine."""
    flat = np.asarray(values, dtype=float).ravel()
    return " ".join(f"{value:.6g}" for value in flat)


def table_html(table: pd.DataFrame, caption: str) -> str:
    """Write a table of pandas as HTML; its first column names the rows."""
    rows = table.itertuples(index=False, name=None)
    return html_table([str(name) for name in table.columns], rows, caption)


def _svg(figure: Figure, drawn: str) -> tuple[str, int, int]:
    """Return a small SVG that carries its digest, with its size in CSS pixels.

    Its words stay words, in the reader's own font: matplotlib measured them in DejaVu
    Sans, one of the widest, so they fit. A tenth of the weight of the same as pixels
    once gzipped, and sharp on paper.
    """
    raw = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": drawn}):
        figure.savefig(raw, format="svg", metadata={"Date": None, "Creator": None})
    width, height = (round(side * CSS_PIXELS_PER_INCH) for side in figure.get_size_inches())
    plt.close(figure)
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", raw.getvalue(), flags=re.DOTALL)
    text = re.sub(r"-?\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", text)
    text = re.sub(r"font: (?:(\d+) )?([\d.]+px)[^;\"]*", _font, text)
    text = re.sub(r"\s*\n\s*", "\n", text)
    body = text[text.index("<defs>") :]
    box = re.search(r'viewBox="([^"]*)"', text)
    assert box
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box[1]}" width="{width}" height="{height}" {DIGEST}="{drawn}" '
        f'font-family="{FONTS}">'
    )
    return f"{head}\n{body}", width, height


def _font(found: re.Match[str]) -> str:
    weight = f"font-weight:{found[1]};" if found[1] else ""
    return f"{weight}font-size:{found[2]}"
