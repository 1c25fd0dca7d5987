"""Figures: how they look, and what must come with each of them.

Colours are Okabe and Ito's, which stay apart for colour-blind readers; a second
cue (label, marker, line style) always says the same thing. A figure is shown with
its title as text, an alternative text, the table of its numbers and its source.
"""

import io
from base64 import b64encode
from html import escape
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter
from PIL import Image

from culture_d.catalogue import Dataset, load_dataset
from culture_d.errors import FigureError
from culture_d.french import NO_BREAK_SPACE, date_longue, no_break, nombre
from culture_d.notebooks import MIN_ALTERNATIVE
from culture_d.project import Project
from culture_d.tables import html_table

BLEU = "#0072B2"
VERMILLON = "#D55E00"
VERT = "#009E73"
GRIS = "#8A8A8A"
ENCRE = "#222222"

WIDTH_INCHES = 5.6
DPI = 200
CSS_PIXELS_PER_INCH = 120
MAX_COLOURS = 48

STYLE: dict[Any, Any] = {
    "figure.figsize": (WIDTH_INCHES, 5.0),
    "figure.dpi": DPI,
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "font.family": "DejaVu Sans",
    "font.size": 14,
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
    titre, alternative = no_break(titre), no_break(alternative)
    image, width, height = _png(figure)
    text = {"text/markdown": f"**{titre}**", "text/plain": titre}
    display(text, raw=True)
    display(
        {"image/png": image, "text/plain": alternative},
        metadata={"image/png": {"alt": alternative, "width": width, "height": height}},
        raw=True,
    )
    project = Project.find()
    datasets = [load_dataset(project.datasets / name) for name in sources]
    details = (
        '<details class="cd-donnees"><summary>Les chiffres de la figure</summary>'
        f"{table_html(tableau, titre)}</details>"
    )
    lines = "".join(badge(dataset) for dataset in datasets)
    plain = tableau.to_string(index=False)
    display({"text/html": details + lines, "text/plain": plain}, raw=True)


def table_html(table: pd.DataFrame, caption: str) -> str:
    """Write a table of pandas as HTML; its first column names the rows."""
    rows = table.itertuples(index=False, name=None)
    return html_table([str(name) for name in table.columns], rows, caption)


def badge(dataset: Dataset) -> str:
    """Write the line under a figure: kind, producer, vintage, date of expiry.

    The date is also given to machines, so that the site can warn once it has passed.
    """
    simulated = f"Données simulées{NO_BREAK_SPACE}· " if dataset.kind == "simulé" else ""
    return (
        f'<p class="cd-source" data-jeu="{escape(dataset.name)}" '
        f'data-valable-jusquau="{dataset.valid_until.isoformat()}">'
        f"{simulated}Source{NO_BREAK_SPACE}: {escape(dataset.producer)}{NO_BREAK_SPACE}· "
        f"{escape(dataset.vintage)}{NO_BREAK_SPACE}· valable jusqu'au "
        f"{date_longue(dataset.valid_until)}</p>"
    )


def _png(figure: Figure) -> tuple[str, int, int]:
    """Return a small PNG in base64, with its size in CSS pixels."""
    raw = io.BytesIO()
    figure.savefig(raw, format="png", dpi=DPI)
    plt.close(figure)
    picture = Image.open(raw).convert("RGB")
    width, height = (round(side * CSS_PIXELS_PER_INCH / DPI) for side in picture.size)
    small = io.BytesIO()
    picture.quantize(MAX_COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return b64encode(small.getvalue()).decode("ascii"), width, height
