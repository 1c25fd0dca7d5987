"""Where a page or a notebook leaves room for lines on the reader's commune.

The HTML says, without script or choice, where to choose one. `components/commune.js`
puts the lines there. It holds the date of the figures, from the manifest.
"""

import csv
import re
from collections.abc import Sequence
from html import escape
from statistics import fmean, median

from culture_d.badge import badge
from culture_d.catalogue import Dataset, load_dataset
from culture_d.errors import ManifestError, UnknownCommuneLine
from culture_d.french import NO_BREAK_SPACE, date_longue
from culture_d.project import Project

_ALL = ("population", "rang", "semblables", "epci")
# « situer » says the same otherwise, beside the mean and the median: only where asked.
LINES = (*_ALL, "situer")
PAGE = "book/ma-commune"
INVITATION = "Choisissez votre commune pour la situer ici"
_MAYOTTE = re.compile(r"Mayotte\s*:\s*(\d{4})")


def checked_lines(names: Sequence[str]) -> tuple[str, ...]:
    """Return the lines asked for, or all but « situer » when none is named.

    Raises:
        UnknownCommuneLine: a name that is not in `LINES`, or is there twice.
    """
    for name in names:
        if name not in LINES or list(names).count(name) > 1:
            raise UnknownCommuneLine(
                f"« {name} » n'est pas une ligne sur la commune, ou y est deux fois. "
                f"Lignes admises, chacune une fois : {', '.join(LINES)}."
            )
    return tuple(names) or _ALL


def placeholder(names: Sequence[str], root: str, project: Project | None = None) -> str:
    """Write the HTML that `components/commune.js` fills.

    Args:
        names: lines wanted, in order; see `checked_lines`.
        root: relative address of the site's root from the page (`../../`).
        project: the course.

    Raises:
        UnknownCommuneLine: see `checked_lines`.
        ManifestError: the manifest does not say the year of Mayotte's figures.
    """
    lines = checked_lines(names)
    dataset = load_dataset((project or Project.find()).datasets / "communes")
    here, mayotte = dates(dataset)
    address = escape(f"{root}{PAGE}.html")
    return (
        f'<div class="cd-commune" data-lignes="{" ".join(lines)}" data-date="{here}" '
        f'data-date976="{mayotte}"{_middles(dataset) if "situer" in lines else ""}>'
        f'<p><a href="{address}">{INVITATION}</a></p>'
        f"<div hidden>{badge(dataset)}"
        f'<p class="cd-commune-changer"><a href="{address}">Changer de commune, ou l’oublier</a></p>'
        "</div></div>"
    )


def plain_text(names: Sequence[str], project: Project | None = None) -> str:
    """Write the same without markup: what is stored as text in a notebook."""
    lines = checked_lines(names)
    dataset = load_dataset((project or Project.find()).datasets / "communes")
    here, mayotte = dates(dataset)
    return (
        f"{INVITATION}{NO_BREAK_SPACE}: {', '.join(lines)} ({here}{NO_BREAK_SPACE}; "
        f"Mayotte {mayotte})."
    )


def _middles(dataset: Dataset) -> str:
    """Write the mean and the median of the communes' inhabitants, rounded, as attributes."""
    with (dataset.folder / "communes.csv").open(encoding="utf-8", newline="") as opened:
        sizes = [int(row["population"]) for row in csv.DictReader(opened)]
    return f' data-moyenne="{fmean(sizes):.0f}" data-mediane="{median(sizes):.0f}"'


def dates(dataset: Dataset) -> tuple[str, str]:
    """Return when inhabitants were counted, in general and in Mayotte: « en 2017 ».

    Raises:
        ManifestError: the vintage does not say « Mayotte : 2017 ».
    """
    found = _MAYOTTE.search(dataset.vintage)
    if not found:
        raise ManifestError(
            f"« {dataset.folder / 'datapackage.json'} » : le millésime « {dataset.vintage} » ne dit "
            "plus l'année de Mayotte (« Mayotte : 2017 »). Remettez-la, ou changez "
            "« commune_lines.py » si Mayotte a désormais la date des autres."
        )
    return f"au {date_longue(dataset.collected)}", f"en {found[1]}"
