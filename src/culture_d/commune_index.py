"""What a page needs to find a commune, cut into files that stay small.

Three kinds of files, all scripts that hand a text to `choisir-commune.js`, since a page
opened from a disk cannot fetch data:

- one **map**: the départements, the territories without figures, the list of the shards;
- the **shards**: the places found at the keys of a range (from « germain » to « gerz »);
- the **details**: for about a hundred communes of like size, all that a record holds.

A key is a name from one of its words on, folded (see `folding.py`), or a postal code.
The sorted keys are cut in ranges, so that one or two shards answer a few letters.
"""

import csv
import hashlib
import json
import re
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from culture_d.catalogue import load_dataset
from culture_d.errors import DatasetError
from culture_d.folding import fold, keys
from culture_d.project import Project

DATASETS = ("anciennes-communes", "lieux", "communes", "departements", "epci")
# Characters of a shard before gzip, which makes them about two and a half times fewer.
SHARD = 7_500
# Communes of a file of details, not counting the neighbours at both ends.
DETAIL = 120
# Communes shown as like in size.
SIMILAR = 5
# Of like size: a gap of at most a quarter (one in CLOSE) of the commune's own population.
CLOSE = 4
# With fewer communes of like size in its département, a commune is compared in all France.
ENOUGH = 3
# Mayotte's inhabitants were counted in 2017, six years before the others, and have grown in
# number since. Its communes are compared with one another only.
APART = "976"
# The métropole de Lyon is alone of its type: its communes are compared with those of métropoles.
_ALIKE = {"MET69": "METRO"}
# Separators; signs of markup; those that would make the audit read the files at length.
_FORBIDDEN = re.compile(r"[<>|;:&\\]|//")

Row = dict[str, str]


@dataclass(frozen=True)
class Place:
    """A line of a shard: a commune, another name that leads to one, or a land without figures."""

    line: str
    keys: frozenset[str]
    rank: tuple[int, int, str]


def build_files(project: Project) -> tuple[str, dict[str, str]]:
    """Return the digest of the data, and the text of every file by name.

    Raises:
        DatasetError: a data file is missing, was changed, or holds a name with a sign
            that the files use to separate.
    """
    tables = {name: _read(project, name) for name in DATASETS}
    chunk_of, details = _details(tables)
    shards = _shards(_places(tables, chunk_of))
    texts = {
        "carte": _map(tables, [start for start, _ in shards]),
        **{f"n{place}": ";".join(lines) for place, (_, lines) in enumerate(shards)},
        **{f"d{place}": text for place, text in enumerate(details)},
    }
    version = hashlib.sha256("\0".join(texts.values()).encode()).hexdigest()[:10]
    return version, {
        f"{name}.js": f"cultureD.recevoirCommune({json.dumps(name)},"
        f"{json.dumps(text, ensure_ascii=False)});\n"
        for name, text in texts.items()
    }


def _read(project: Project, name: str) -> list[Row]:
    dataset = load_dataset(project.datasets / name)
    dataset.verify()
    text = dataset.resources[0].path.read_text(encoding="utf-8")
    found = _FORBIDDEN.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        raise DatasetError(
            f"Le jeu « {name} », ligne {line}, contient le signe « {found[0]} », que les fichiers de "
            "recherche réservent. Corrigez la valeur, ou changez leurs séparateurs dans "
            "« commune_index.py »."
        )
    return list(csv.DictReader(text.splitlines()))


# The map


def _map(tables: dict[str, list[Row]], starts: list[str]) -> str:
    """Write three parts: départements, territories (each « code|name »), starts of the shards."""
    departements = [f"{row['code']}|{row['nom']}" for row in tables["departements"]]
    lands = [
        f"{row['code']}|{row['nom']}" for row in tables["lieux"] if row["genre"] == "collectivité"
    ]
    return "&".join([";".join(departements), ";".join(lands), ";".join(starts)])


# The shards


def _places(tables: dict[str, list[Row]], chunk_of: dict[str, int]) -> Iterator[Place]:
    """Yield every place that can be typed.

    Lines, by their first sign: « c|name|code|chunk|postal codes » for a commune,
    « a|name|code|chunk|name of the city|postal codes » for an arrondissement, « f|name|code|chunk|name
    of today|event|year|status » for a former name, « o|name|code of the territory|
    postal codes ».
    """
    communes = {row["code"]: row for row in tables["communes"]}
    other = tables["lieux"]
    districts = [row for row in other if row["genre"] == "arrondissement"]
    shared = {(row["commune"], one) for row in districts for one in row["codes_postaux"].split()}
    for code, row in communes.items():
        # « 75011 » says the arrondissement, which leads to the city.
        own = [one for one in row["codes_postaux"].split() if (code, one) not in shared]
        found = keys(row["nom"]) | set(own)
        words = [" ".join(own)]
        yield _place("c", row["nom"], code, chunk_of, words, found, int(row["population"]))
    for row in districts:
        city = communes[row["commune"]]["nom"]
        name = row["nom"].replace("Arrondissement", "arrondissement")
        found = {fold(name), *row["codes_postaux"].split()}
        yield _place("a", name, row["commune"], chunk_of, [city, row["codes_postaux"]], found, 0)
    for row in tables["anciennes-communes"]:
        code = row["commune_actuelle"]
        event = "r" if row["evenement"] == "changement de nom" else "f"
        # A date that is only that of a list is the latest possible one.
        year = row["date"][:4] + ("" if row["date_exacte"] == "oui" else "-")
        words = [communes[code]["nom"], event, year, row["statut_actuel"]]
        yield _place("f", row["nom"], code, chunk_of, words, keys(row["nom"]), -1)
    for row in other:
        if row["genre"] == "arrondissement":
            continue
        land = row["collectivite"]
        if row["genre"] == "commune" and row["nom"] == row["nom_collectivite"]:
            continue
        postal = {
            one
            for line in other
            if line["genre"] == "commune" and (line["code"] == row["code"] or _same_name(line, row))
            for one in line["codes_postaux"].split()
        }
        line = f"o|{row['nom']}|{land}|{' '.join(sorted(postal))}"
        yield Place(line, frozenset(keys(row["nom"]) | postal), (2, 0, row["nom"]))


def _same_name(commune: Row, land: Row) -> bool:
    """Whether a territory has a single commune, of its own name."""
    return land["genre"] == "collectivité" and commune["nom"] == land["nom"]


def _place(
    kind: str,
    name: str,
    code: str,
    chunk_of: dict[str, int],
    words: list[str],
    found: set[str],
    population: int,
) -> Place:
    line = "|".join([kind, name, code, str(chunk_of[code]), *words]).rstrip("|")
    return Place(line, frozenset(found), (1 if kind == "f" else 0, -population, name))


def _shards(places: Iterator[Place]) -> list[tuple[str, list[str]]]:
    """Cut the sorted keys in ranges; return the start of each, and its lines.

    What begins alike is in one range or in the next ones. Equal keys are never parted.
    Within a shard the largest communes come first, then former names, then other lands.
    """
    every = sorted(places, key=lambda place: place.rank)
    holders: dict[str, list[int]] = {}
    for rank, place in enumerate(every):
        for key in place.keys:
            holders.setdefault(key, []).append(rank)
    ranges: list[tuple[str, set[int]]] = []
    size, last = SHARD, ""
    for key in sorted(holders):
        more = sum(len(every[rank].line) + 1 for rank in holders[key])
        if size + more > SHARD:
            # As few letters as tell this range from the one before.
            shared = next(
                (n for n, (a, b) in enumerate(zip(last, key, strict=False)) if a != b), len(last)
            )
            ranges.append((key[: shared + 1], set()))
            size = 0
        ranges[-1][1].update(holders[key])
        size, last = size + more, key
    return [(start, [every[rank].line for rank in sorted(ranks)]) for start, ranks in ranges]


# The details


def _details(tables: dict[str, list[Row]]) -> tuple[dict[str, int], list[str]]:
    """Return the file of each commune, and the text of each file.

    Within a département, the communes are sorted by kind of EPCI, then by population: the
    communes nearest in size to one are beside it. A file repeats its neighbours' ends.
    First line: code of the département and its number of communes, number in France.
    Then « e|code|type|population|name » an EPCI, and « code|name|population|smaller in
    the département|smaller in France|place of its EPCI|nearest in France » a commune. The
    last is only there for a commune compared in all France: places, in this file, of the
    communes to show, in order. Those found nowhere else in the file come last, as
    « code|name|population ».
    """
    communes = tables["communes"]
    epci = {row["code"]: row for row in tables["epci"]}
    nearest = _nearest_in_france(communes, epci)
    # The populations of the file of EPCI are a year older than those of the communes.
    members: Counter[str] = Counter()
    by_departement: dict[str, list[Row]] = {}
    for row in communes:
        members[row["epci"]] += int(row["population"])
        by_departement.setdefault(row["departement"], []).append(row)
    france = sorted(int(row["population"]) for row in communes)
    chunk_of: dict[str, int] = {}
    texts: list[str] = []
    for departement, rows in sorted(by_departement.items()):
        populations = sorted(int(row["population"]) for row in rows)
        rows.sort(key=lambda row: (_kind(row, epci), int(row["population"]), row["code"]))
        for start in range(0, len(rows), DETAIL):
            own = rows[start : start + DETAIL]
            chunk_of |= {row["code"]: len(texts) for row in own}
            shown = rows[_first_beside(rows, start) : start + DETAIL + SIMILAR]
            bodies = list(dict.fromkeys(row["epci"] for row in shown if row["epci"]))
            lines = [f"{departement}|{len(rows)}|{len(communes)}"]
            lines += [
                f"e|{code}|{epci[code]['type']}|{members[code]}|{epci[code]['nom']}"
                for code in bodies
            ]
            place_of = {row["code"]: place for place, row in enumerate(shown)}
            elsewhere = []
            for row in own:
                for other in nearest.get(row["code"], []):
                    if other["code"] not in place_of:
                        place_of[other["code"]] = len(place_of)
                        elsewhere.append(f"{other['code']}|{other['nom']}|{other['population']}")
            own_codes = {row["code"] for row in own}
            for row in shown:
                population = int(row["population"])
                body = bodies.index(row["epci"]) if row["epci"] else ""
                others = nearest.get(row["code"], []) if row["code"] in own_codes else []
                places = " ".join(str(place_of[other["code"]]) for other in others)
                lines.append(
                    f"{row['code']}|{row['nom']}|{population}|"
                    f"{bisect_left(populations, population)}|{bisect_left(france, population)}|"
                    f"{body}|{places}".removesuffix("|")
                )
            texts.append(";".join(lines + elsewhere))
    return chunk_of, texts


def _first_beside(rows: list[Row], start: int) -> int:
    """Return where to begin so that those before `start` hold the nearest smaller communes.

    Communes of equal population stay together: the first of them by code may be wanted.
    """
    first = max(0, start - SIMILAR)
    while 0 < first < start and rows[first - 1]["population"] == rows[first]["population"]:
        first -= 1
    return first


def _nearest_in_france(communes: list[Row], epci: dict[str, Row]) -> dict[str, list[Row]]:
    """Return, by code, what is shown of France for each commune compared in all France.

    Those are the communes with an EPCI, out of Mayotte, for which fewer than `ENOUGH`
    others of the same département and kind are of like size. Shown: the `SIMILAR` nearest
    by population with the same kind, Mayotte left out; ties by population, then by code.
    """
    ranked: dict[str, list[Row]] = {}
    near: dict[tuple[str, str], list[int]] = {}
    for row in sorted(communes, key=lambda row: (int(row["population"]), row["code"])):
        kind = _kind(row, epci)
        if kind and row["departement"] != APART:
            ranked.setdefault(kind, []).append(row)
            near.setdefault((row["departement"], kind), []).append(int(row["population"]))
    found: dict[str, list[Row]] = {}
    for kind, rows in ranked.items():
        populations = [int(row["population"]) for row in rows]
        for own, (row, population) in enumerate(zip(rows, populations, strict=True)):
            around, gap = near[row["departement"], kind], population // CLOSE
            close = bisect_right(around, population + gap) - bisect_left(around, population - gap)
            if close - 1 < ENOUGH:
                beside = range(_first_beside(rows, own), min(own + SIMILAR + 1, len(rows)))
                # The sort keeps the order of the ranks among equal gaps.
                ordered = sorted(beside, key=lambda rank: abs(populations[rank] - population))
                found[row["code"]] = [rows[rank] for rank in ordered if rank != own][:SIMILAR]
    return found


def _kind(row: Row, epci: dict[str, Row]) -> str:
    kind = epci[row["epci"]]["type"] if row["epci"] else ""
    return _ALIKE.get(kind, kind)
