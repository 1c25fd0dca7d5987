"""Former names of communes since 1943, and the commune of today that each leads to.

Two sources of the same registry package. Version 0.7.0 holds Insee's history of the
communes with exact dates; it stops on 1 January 2019. After that, a name that is in the
list of one year and no longer in that of the next is dated by the second list: it was
gone on its 1 January at the latest. Version 6.0.0 says which commune holds each former
code today, so that a chain of mergers is followed to its end.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from culture_d.folding import fold
from culture_d.sources import npm_package, read_json
from culture_d.territory import PACKAGE, current_communes, read_package

# Year of the list of communes, version of the package, sha256 of its tarball.
HISTORY = ("0.7.0", "4643f584e1502d38a9baefe6e5b478aa8d5077bcd7e8972461dbbaceb66559f0")
EDITIONS = (
    (2021, "1.1.1", "db6e7c433ee675de314aa19bfc4faf796451342960ed2c1b42fda0f458a97e23"),
    (2022, "2.3.1", "d7f2a6915af27a719eeb6eb6581d9a645849b5b23e5c97fa5aa2931eb3552d1f"),
    (2023, "3.1.1", "225079c8cd185379fd494993e99fe712523e2f16e4a1170d8391a76a304e7073"),
    (2024, "4.1.0", "318f0cfc0c1f9d8113b272bf3cefb8f207f23f73026ee5932215f5d80d7a0f2a"),
    (2025, "5.3.0", "149cd9096f70915c02e5d39ef6045f0900d94c782ee9f1c1941703092fe72636"),
)
CURRENT_YEAR = 2026

RENAMED = "changement de nom"
MERGED = "fusion"
DELEGATED = {"commune-deleguee": "commune déléguée", "commune-associee": "commune associée"}

State = dict[str, Any]


class FormerName(NamedTuple):
    """A name that is no longer that of a commune.

    `until` is an ISO date; `exact` says whether it is that of the event, or only that of
    the first list without this name. `status` is what the place is today, if anything.
    """

    name: str
    code: str
    event: str
    until: str
    exact: bool
    status: str
    commune: str


def former_names() -> list[FormerName]:
    """Return every former name, in the order of the codes then of the names.

    A name is left out when it reads like that of the commune it leads to, and when its
    land was shared between several others, so that it leads to none.

    Raises:
        SourceError: a package could not be had, or is not the one expected.
    """
    rows = read_package("communes")
    today = {row["code"]: row for row in current_communes(rows)}
    heir = {old: code for code, row in today.items() for old in row.get("anciensCodes", ())}
    history: list[State] = read_json(
        npm_package(PACKAGE, *HISTORY), "data/historique-communes.json"
    )
    delegated = [row for row in rows if row["type"] in DELEGATED]
    # The list of former codes forgot two communes that left one group for another.
    heir |= {row["code"]: row["chefLieu"] for row in delegated}
    status = {(row["code"], fold(row["nom"])): DELEGATED[row["type"]] for row in delegated}
    latest: dict[tuple[str, str], FormerName] = {}
    for name, code, event, until, exact in (*_dated(history), *_between_lists(history, today)):
        commune = code if code in today else heir.get(code)
        if commune is None or fold(name) == fold(today[commune]["nom"]):
            continue
        found = FormerName(
            name, code, event, until, exact, status.get((code, fold(name)), ""), commune
        )
        key = (fold(name), commune)
        if key not in latest or latest[key].until < until:
            latest[key] = found
    return sorted(latest.values(), key=lambda one: (one.code, one.name))


def _dated(history: list[State]) -> Iterator[tuple[str, str, str, str, bool]]:
    """Yield the name, last code, event and date of each state of a commune that ended."""
    by_id = {state["id"]: state for state in history}
    for state in history:
        if state["type"] != "COM" or "dateFin" not in state:
            continue
        last, event = state, MERGED
        # A commune that only changes its name or its département is still a commune.
        while (following := by_id.get(last.get("successeur", ""))) and following["type"] == "COM":
            last = following
        after = by_id.get(state.get("successeur", ""))
        if after and after["type"] == "COM":
            if fold(after["nom"]) == fold(state["nom"]):
                continue
            event = RENAMED
        yield state["nom"], last["code"], event, state["dateFin"], True


def _between_lists(
    history: list[State], today: dict[str, State]
) -> Iterator[tuple[str, str, str, str, bool]]:
    """Yield what is in one list of communes and no longer in the next one."""
    alive = [state for state in history if state["type"] == "COM" and "dateFin" not in state]
    before = {state["code"]: state["nom"] for state in alive}
    for year, names in _lists(today):
        for code, name in before.items():
            if code not in names or fold(names[code]) != fold(name):
                merged = code not in names or code in _enlarged(before, names, today)
                yield name, code, MERGED if merged else RENAMED, f"{year}-01-01", False
        before = names


def _lists(today: dict[str, State]) -> Iterator[tuple[int, dict[str, str]]]:
    for year, version, sha256 in EDITIONS:
        rows = read_json(npm_package(PACKAGE, version, sha256), "data/communes.json")
        yield year, {row["code"]: row["nom"] for row in rows if row["type"] == "commune-actuelle"}
    yield CURRENT_YEAR, {code: row["nom"] for code, row in today.items()}


def _enlarged(before: dict[str, str], after: dict[str, str], today: dict[str, State]) -> set[str]:
    """Return the codes of the communes that took in others between two lists."""
    gone = before.keys() - after.keys()
    return {code for code, row in today.items() if gone & set(row.get("anciensCodes", ()))}
