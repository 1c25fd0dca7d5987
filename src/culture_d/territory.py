"""Tables of communes, EPCI and départements, built from the registry package.

Source: npm package `@etalab/decoupage-administratif` (code MIT; data Licence
Ouverte 2.0), which gathers Insee's Code officiel géographique, Insee's reference
populations, the DGCL's list of EPCI and La Poste's postal codes. The traps native
to these data are kept: they are what the course teaches.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from culture_d.sources import npm_package, read_json

PACKAGE = "@etalab/decoupage-administratif"
VERSION = "6.0.0"
SHA256 = "c189ffd5b33fe40c2f19e1a923ce557f190622f39228745d3195d746dfe00c4a"
ZONES = ("metro", "drom")


def read_package(member: str) -> list[dict[str, Any]]:
    """Read one table (`communes`, `epci`, `departements`, `regions`) of the package."""
    rows: list[dict[str, Any]] = read_json(
        npm_package(PACKAGE, VERSION, SHA256), f"data/{member}.json"
    )
    return rows


def current_communes(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Keep the communes of today in metropolitan France and the five DROM.

    The package also lists delegated and associated communes, municipal
    arrondissements, and 94 communes or lands of overseas collectivities.
    """
    kept = [row for row in rows if row["type"] == "commune-actuelle" and row["zone"] in ZONES]
    return sorted(kept, key=lambda row: row["code"])


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a UTF-8 CSV, comma-separated, with LF line ends: same bytes everywhere."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    partial = path.with_suffix(path.suffix + ".partial")
    partial.write_bytes(buffer.getvalue().encode("utf-8"))
    partial.replace(path)
