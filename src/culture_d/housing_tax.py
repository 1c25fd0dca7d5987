"""The housing tax of 2017: one rate by commune, as the tax administration knew it that year.

The rates are those that communes voted, column H12 of the DGFiP's file REI of 2017. They are
read in the wheel of OpenFisca-France, which holds codes and no names; the names are Insee's.
"""

import csv
import io
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from culture_d.former_communes import HISTORY
from culture_d.sources import npm_package, pypi_package, read_json, read_text
from culture_d.territory import PACKAGE

# Name, version and sha256 of the wheel; the file in it.
WHEEL = (
    "openfisca-france",
    "176.1.8",
    "046811951e02186a40af939bea8ec50dc0c1a148a487788d8d3d69099dd2f1e5",
)
MEMBER = "openfisca_france/assets/taxe_habitation/parametres_th_2017.csv"
DAY = "2017-01-01"


class Rate(NamedTuple):
    """A commune of 2017: its code, its name ("" if Insee knows none), its rate in percent."""

    code: str
    nom: str
    taux: Decimal


def rates() -> list[Rate]:
    """Return the rate of every line of the file of 2017, in the order of the codes.

    Raises:
        SourceError: a package could not be had, or is not the one expected.
    """
    names = names_on(DAY)
    table = csv.DictReader(io.StringIO(read_text(pypi_package(*WHEEL), MEMBER)))
    return sorted(
        Rate(code, names.get(code, ""), percent(row["taux_com"]))
        for row in table
        for code in [row["code_insee_commune"]]
    )


def names_on(day: str) -> dict[str, str]:
    """Return the name of each commune on that day (ISO), or its last one if it was gone."""
    history = read_json(npm_package(PACKAGE, *HISTORY), "data/historique-communes.json")
    states = [
        state for state in history if state["type"] == "COM" and state.get("dateDebut", "") <= day
    ]
    states.sort(key=lambda state: state.get("dateDebut", ""))
    return {state["code"]: state["nom"] for state in states}


def percent(share: str) -> Decimal:
    """Write a share as a percentage with two decimals: « .1106 » gives 11.06."""
    return (100 * Decimal(share)).quantize(Decimal("0.01"), ROUND_HALF_UP)
