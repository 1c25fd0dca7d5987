"""A person's table as a DataFrame: codes stay text, amounts become numbers."""

from collections.abc import Iterable
from typing import Any

import pandas as pd

from culture_d.french import accord, nombre
from culture_d.own_file import kinds
from culture_d.own_file.grid import read_grid
from culture_d.own_file.layout import Layout, lay_out
from culture_d.own_file.refusals import EmptyFile, FileTooLarge, HeaderProblem, MissingColumns
from culture_d.own_file.values import ambiguous, are_codes, is_missing, is_number, to_number
from culture_d.own_file.words import key, nearest

_SHOWN = 20


def lire_tableau(
    chemin: Any,
    colonnes: Iterable[str] | str | None = None,
    *,
    encodage: str | None = None,
    separateur: str | None = None,
    feuille: str | int | None = None,
    titres: int | None = None,
    lignes: int | None = None,
) -> pd.DataFrame:
    """Read a table in .csv, .txt, .xlsx or .ods, and never change the file.

    Codes, dates and words are text, as written in the file without the blanks around them;
    columns where every value is a number become numbers, whatever their spaces and commas.
    Lines above the header, empty lines, repeated headers and totals are left out:
    `table.attrs["remarques"]` says which, in French.

    Args:
        chemin: the file.
        colonnes: columns wanted, in the order wanted; all if None. Capitals, accents and
            spaces may differ: columns come back under the names asked.
        encodage: « utf-8 », « cp1252 »…; found if None.
        separateur: « ; », « , »…; found if None.
        feuille: name or rank, from 1, of the sheet; the first that holds something if None.
        titres: how many lines the header takes, 0 to 3; found if None.
        lignes: read so many rows at most, from the beginning: a text beyond 50 MB can only
            be read so.

    Raises:
        OwnFileError: what was expected, what was found, and what to do. `HeaderProblem` if
            the header takes two lines and `titres` is None: it names them.
    """
    path = kinds.checked_path(chemin)
    _check_counts(titres, lignes)
    wanted = _wanted(colonnes)
    size = path.stat().st_size
    if size > kinds.LIMIT and lignes is None and kinds.kind(path) == "texte":
        raise FileTooLarge(
            f"« {path.name} » est trop grand : {kinds.megabytes(size)}, pour une limite de "
            f"{kinds.megabytes(kinds.LIMIT)}. Lisez-en le début avec « lignes=10000 », ou demandez "
            "un fichier par année."
        )
    grid = read_grid(path, encodage, separateur, feuille, kinds.LIMIT)
    layout = lay_out(grid.rows, titres)
    if titres is None and layout.titles > 1:
        raise HeaderProblem(_double_header(path.name, grid.rows, layout))
    if not layout.rows:
        raise EmptyFile(
            f"« {path.name} » a des titres, et aucune ligne de données. Colonnes : "
            f"{_listed(layout.columns)}. Demandez un fichier rempli."
        )
    chosen = _choose(wanted, layout.columns, path.name)
    rows = layout.rows[:lignes]
    table = pd.DataFrame(
        {
            asked: _column(found, [row[place] for row in rows])
            for asked, (place, found) in chosen.items()
        }
    )
    table.attrs["remarques"] = list(_remarks(layout, grid.odd, grid.partial, len(rows)))
    return table


def _check_counts(titres: Any, lignes: Any) -> None:
    if titres is not None and (isinstance(titres, bool) or titres not in (0, 1, 2, 3)):
        raise HeaderProblem(
            f"« titres » est le nombre de lignes de titres : 0, 1, 2 ou 3. Reçu : {titres!r}."
        )
    if lignes is not None and (
        isinstance(lignes, bool) or not isinstance(lignes, int) or lignes < 1
    ):
        raise FileTooLarge(
            f"« lignes » est un nombre entier de lignes, 1 ou plus. Reçu : {lignes!r}."
        )


def _wanted(colonnes: Any) -> list[str] | None:
    if colonnes is None:
        return None
    try:
        names = [colonnes] if isinstance(colonnes, str) else list(colonnes)
    except TypeError:
        names = []
    if not names or not all(isinstance(name, str) for name in names):
        raise MissingColumns(
            "« colonnes » attend une liste de noms entre guillemets, comme "
            f"[« Nom », « Montant »]. Reçu : {colonnes!r}."
        )
    return list(dict.fromkeys(names))


def _choose(
    wanted: list[str] | None, columns: tuple[str, ...], file: str
) -> dict[str, tuple[int, str]]:
    """Return, by name asked, the place of a column and its name in the file.

    Raises:
        MissingColumns: names the missing columns and the nearest ones of the file.
    """
    if wanted is None:
        return {name: (place, name) for place, name in enumerate(columns)}
    by_key: dict[str, int] = {}
    for place, name in enumerate(columns):
        by_key.setdefault(key(name), place)
    chosen: dict[str, tuple[int, str]] = {}
    missing: list[str] = []
    for name in wanted:
        if name in columns or key(name) in by_key:
            place = columns.index(name) if name in columns else by_key[key(name)]
            chosen[name] = (place, columns[place])
        else:
            near = nearest(name, columns)
            missing.append(
                f"« {name} »" + (f" (proche : {_listed(near)})" if near else " (rien de proche)")
            )
    if missing:
        raise MissingColumns(
            f"« {file} » n'a pas {accord(len(missing), 'colonne demandée', 'colonnes demandées')} : "
            f"{', '.join(missing)}. Ses colonnes : {_listed(columns)}. Corrigez le nom demandé, ou "
            "demandez le fichier complet."
        )
    return chosen


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" et {len(names) - _SHOWN} autres" if len(names) > _SHOWN else ""
    return ", ".join(f"« {name} »" for name in names[:_SHOWN]) + more


def _column(name: str, cells: list[str]) -> pd.Series:
    filled = [cell for cell in cells if not is_missing(cell)]
    if (
        filled
        and all(map(is_number, filled))
        and not are_codes(name, filled)
        and not ambiguous(filled)
    ):
        values = pd.Series([None if is_missing(cell) else to_number(cell) for cell in cells])
        whole = values.dropna()
        if len(whole) == len(values) and (whole % 1 == 0).all() and whole.abs().max() < 2**53:
            return values.astype("int64")
        return values.astype("float64")
    return pd.Series([cell or None for cell in cells], dtype="str")


def _double_header(file: str, rows: list[list[str]], layout: Layout) -> str:
    first = layout.header_line
    above, under = (
        _listed(cell.strip() for cell in rows[place] if cell.strip())
        for place in (first - 1, first)
    )
    return (
        f"« {file} » a un titre sur deux lignes, avec des cases fusionnées : ligne {first}, {above} ; "
        f"ligne {first + 1}, {under}. Gardez une seule ligne de titres dans le fichier, ou relancez "
        f"avec « titres=2 » : les deux seront réunies, comme « {layout.columns[-1]} »."
    )


def _remarks(layout: Layout, odd: tuple[str, ...], partial: bool, rows: int) -> Iterable[str]:
    yield from odd
    if partial:
        yield f"Seul le début du fichier est lu : {nombre(rows)} lignes."
    if not layout.titles:
        yield "Aucune ligne de titres : les colonnes sont nommées « colonne 1 », « colonne 2 »."
    for lines, what in (
        (layout.preamble, "au-dessus du tableau"),
        (layout.blanks, "vide"),
        (layout.repeated_titles, "de titres répétée"),
        (layout.totals, "de total"),
    ):
        if lines:
            plural = what if what.startswith(("au", "de")) else what + "s"
            plural = "de titres répétées" if what == "de titres répétée" else plural
            count = accord(len(lines), f"ligne {what}", f"lignes {plural}")
            yield f"{count} {'laissée' if len(lines) < 2 else 'laissées'} de côté."
