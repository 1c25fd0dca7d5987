"""Inspect a person's file: all that real files of local authorities suffer from, in one report."""

import re
from collections.abc import Iterator
from typing import Any

from culture_d.french import accord, nombre
from culture_d.own_file import kinds
from culture_d.own_file.columns import column_findings
from culture_d.own_file.grid import SEPARATORS, Grid, read_grid
from culture_d.own_file.layout import Layout, is_dbf_title, lay_out
from culture_d.own_file.report import Constat, Rapport
from culture_d.own_file.values import date_format

_ENCODING_ADVICE = (
    "Demandez de l'UTF-8. Ici, il est reconnu ; ailleurs, les accents peuvent être abîmés."
)


def inspecter(chemin: Any, *, feuille: str | int | None = None) -> Rapport:
    """Say what a file is and what is wrong with it; the file is never changed.

    Args:
        chemin: a .csv, .txt, .xlsx or .ods file. Of a text beyond 20 MB, only the first
            2 MB are inspected, and the report says so.
        feuille: name or rank, from 1, of a sheet; the first that holds something if None.

    Raises:
        OwnFileError: the file cannot be had, is empty, too large, or is no table.
    """
    path = kinds.checked_path(chemin)
    grid = read_grid(path, feuille=feuille, limit=kinds.INSPECTED)
    layout = lay_out(grid.rows)
    return Rapport(
        fichier=path.name,
        nature=grid.kind,
        octets=grid.size,
        encodage=grid.encoding.encoding if grid.encoding else "",
        encodage_en_clair=grid.encoding.label if grid.encoding else "",
        separateur=grid.separator,
        separateur_en_clair=_separator_label(grid, layout),
        feuille=grid.sheet,
        titres=layout.titles,
        preambule=layout.preamble,
        colonnes=layout.columns,
        lignes=len(layout.rows),
        partiel=grid.partial,
        constats=(
            *_file_findings(grid),
            *_layout_findings(grid, layout, path.stem),
            *column_findings(layout, grid),
        ),
    )


def _separator_label(grid: Grid, layout: Layout) -> str:
    if grid.kind != "texte":
        return ""
    if len(layout.columns) == 1:
        return "aucun"
    name = SEPARATORS.get(grid.separator, "")
    sign = "" if grid.separator == "\t" else f" (« {grid.separator} »)"
    return f"{name}{sign}"


def _file_findings(grid: Grid) -> Iterator[Constat]:
    where = "Le fichier"
    if grid.partial:
        yield Constat(
            "partiel",
            where,
            f"Il pèse {kinds.megabytes(grid.size)}, plus que la limite de "
            f"{kinds.megabytes(kinds.INSPECTED)} : seul son début est inspecté.",
            "Lisez-en une partie avec « lignes=10000 », ou demandez un fichier par année.",
        )
    encoding = grid.encoding.encoding if grid.encoding else "utf-8"
    if "+" in encoding:
        yield Constat(
            "encodage-melange",
            where,
            "Il mélange deux encodages : de l'UTF-8 et du Windows-1252.",
            "Demandez un fichier tout en UTF-8. Ici, chaque ligne est lue dans le sien.",
        )
    elif not encoding.startswith(("utf-8", "ascii")) and grid.encoding:
        yield Constat(
            "encodage", where, f"Il est en {grid.encoding.label}, pas en UTF-8.", _ENCODING_ADVICE
        )
    for sentence in grid.odd:
        yield Constat("lecture", where, sentence, "Relisez les noms avant de citer.")
    if len(grid.sheets) > 1:
        others = ", ".join(f"« {name} »" for name in grid.sheets if name != grid.sheet)
        yield Constat(
            "feuilles",
            where,
            f"Il a {len(grid.sheets)} feuilles. Celle-ci est « {grid.sheet} » ; autres : {others}.",
            "Pour en lire une autre, donnez son nom : « feuille=… ».",
            len(grid.sheets),
        )


def _layout_findings(grid: Grid, layout: Layout, stem: str) -> Iterator[Constat]:
    yield from _header_findings(layout)
    if len(layout.columns) == 1 and grid.kind == "texte":
        yield Constat(
            "une-colonne",
            "Le tableau",
            "Il n'a qu'une colonne : aucun séparateur connu ne le coupe.",
            "Ouvrez-le dans un éditeur de texte, et cherchez le signe entre deux valeurs.",
        )
    for key, lines, what, advice in (
        (
            "lignes-vides",
            layout.blanks,
            ("ligne vide", "lignes vides"),
            "Ne les comptez pas comme des données.",
        ),
        (
            "titres-repetes",
            layout.repeated_titles,
            ("ligne qui répète les titres", "lignes qui répètent les titres"),
            "Ne les comptez pas comme des données.",
        ),
        (
            "total",
            layout.totals,
            ("ligne de total", "lignes de total"),
            "Ne l'additionnez pas avec le reste : tout serait compté deux fois.",
        ),
        (
            "lignes-inegales",
            layout.uneven,
            (
                "ligne n'a pas autant de cases que les titres",
                "lignes n'ont pas autant de cases que les titres",
            ),
            "Souvent, un séparateur s'est glissé dans un texte. Relisez ces lignes.",
        ),
    ):
        if lines:
            yield Constat(key, _lines(lines), f"{accord(len(lines), *what)}.", advice, len(lines))
    if grid.trailing:
        yield Constat(
            "lignes-vides-finales",
            "La fin du fichier",
            f"{accord(grid.trailing, 'ligne vide', 'lignes vides')}.",
            "Ne les comptez pas comme des données.",
            grid.trailing,
        )
    seen = len(layout.rows) - len(set(layout.rows))
    if seen:
        yield Constat(
            "doublons",
            "Le tableau",
            f"{accord(seen, 'ligne')} en double, à l'identique.",
            "Demandez si elles sont voulues avant d'additionner.",
            seen,
        )
    year = _year_only_in_name(layout, stem)
    if year:
        yield Constat(
            "annee-dans-le-nom",
            "Le nom du fichier",
            f"L'année, {year}, n'est écrite que là : aucune colonne ne la donne.",
            "Ajoutez une colonne « année » : un fichier change vite de nom.",
        )


def _header_findings(layout: Layout) -> Iterator[Constat]:
    where = f"Ligne {layout.header_line}"
    if layout.preamble:
        yield Constat(
            "preambule",
            "Le haut du fichier",
            f"{accord(len(layout.preamble), 'ligne')} au-dessus des titres. La première : "
            f"« {layout.preamble[0][:60]} ».",
            "Elles sont laissées de côté. Demandez qu'elles aillent dans une fiche à part.",
            len(layout.preamble),
        )
    if layout.titles == 0:
        yield Constat(
            "sans-titres",
            where,
            "Aucune ligne de titres : la première contient déjà des valeurs.",
            "Demandez les noms des colonnes.",
        )
    if layout.titles > 1:
        yield Constat(
            "titres-doubles",
            where,
            "Le titre tient sur deux lignes, avec des cases fusionnées.",
            "Gardez une seule ligne de titres, ou lisez-le avec « titres=2 ».",
        )
    raw = [name for name in layout.raw_columns if name.strip()]
    spaced = [name for name in raw if name != name.strip()]
    if spaced:
        yield Constat(
            "espaces-titres",
            where,
            f"{accord(len(spaced), 'titre')} avec un espace avant ou après, comme "
            f"« {spaced[0].strip()} ».",
            "Un autre logiciel y verra un autre nom : retirez-les.",
            len(spaced),
        )
    typed = [name for name in raw if is_dbf_title(name)]
    if typed:
        yield Constat(
            "titres-dbf",
            where,
            f"Des titres portent leur type, comme « {typed[0].strip()} » : le fichier vient d'un "
            "logiciel de cartes.",
            "Seul le nom est gardé.",
            len(typed),
        )
    stripped = [name.strip() for name in raw]
    twice = {name for name in stripped if stripped.count(name) > 1}
    if twice and layout.titles == 1:
        yield Constat(
            "titres-en-double",
            where,
            f"Un même titre sert deux fois : {', '.join(f'« {name} »' for name in sorted(twice))}.",
            "Demandez ce que chacune contient, et renommez-les.",
            len(twice),
        )


def _lines(lines: tuple[int, ...]) -> str:
    shown = ", ".join(nombre(line) for line in lines[:5])
    more = f" et {nombre(len(lines) - 5)} autres" if len(lines) > 5 else ""
    return f"{'Ligne' if len(lines) == 1 else 'Lignes'} {shown}{more}"


def _year_only_in_name(layout: Layout, stem: str) -> str:
    """Return the year of the file's name when no column holds a year or a date."""
    match = re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", stem)
    if not match or not layout.rows:
        return ""
    for row in layout.rows[:50]:
        if any(re.search(r"(?<!\d)(?:19|20)\d\d(?!\d)", cell) or date_format(cell) for cell in row):
            return ""
    return match[0]
