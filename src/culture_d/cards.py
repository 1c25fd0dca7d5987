"""What to print for the version without a computer: posters, cards and strips, as PDF.

`book/formateurs/cartes.yml` says what; the words and numbers are those of the notebook's
stored outputs and of the trainer's sheet.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import nbformat
from bs4 import BeautifulSoup, Tag

from culture_d.curriculum import Module
from culture_d.errors import KitError
from culture_d.french import typeset
from culture_d.project import Project
from culture_d.sheets import sheet_sections
from culture_d.tables import html_table
from culture_d.yaml_file import malformed, read_yaml

STYLE = Path(__file__).with_suffix(".css")
SECTION = "Sans ordinateur"
KINDS = ("poster", "cards", "strips")
PER_PAGE = (2, 8)
STRIPS_PER_PAGE = 10
MANY_ROWS = 8
_KEYS = {"kind", "title", "table", "sheet", "columns", "rows", "per_page", "blank", "fields"}
# What is cut off or passes the edge of its page, as French sentences.
OVERFLOWING = """[...document.querySelectorAll(".feuille")].flatMap((page) => {
  const edge = page.getBoundingClientRect(), title = page.querySelector("h1").textContent;
  const out = [...page.querySelectorAll("p, th, td")].filter((one) => {
    const box = one.getBoundingClientRect();
    const card = (one.closest(".carte") || page).getBoundingClientRect();
    return box.bottom > card.bottom + 1 || box.top < card.top - 1 || box.right > edge.right;
  });
  return out.length ? [`« ${title} » dépasse : « ${out[0].textContent.slice(0, 40)} »`] : [];
})"""


@dataclass(frozen=True)
class Printable:
    """A thing to print: its kind, title and rows; `head` names the columns of a poster."""

    kind: str
    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    per_page: int
    blank: int
    fields: tuple[str, ...]


def cards_path(project: Project) -> Path:
    """Return the file that says what to print."""
    return project.book / "formateurs" / "cartes.yml"


def load_cards(project: Project, module: Module) -> tuple[Printable, ...]:
    """Read what to print for a module; nothing where its activity needs nothing.

    Raises:
        KitError: a table that is not in the notebook or the sheet, or a malformed file.
    """
    path = cards_path(project)
    content = read_yaml(path, KitError)
    if not isinstance(content, dict):
        raise malformed(path, "il y faut un module par clé", KitError)
    return tuple(_printable(project, module, one, path) for one in content.get(module.slug) or [])


def cards_html(project: Project, module: Module) -> str:
    """Put together what to print for a module, or return nothing.

    Raises:
        KitError: see `load_cards`.
    """
    pages = [page for one in load_cards(project, module) for page in _pages(one, module)]
    if not pages:
        return ""
    title = escape(typeset(f"Culture D, {module.title} : sans ordinateur"))
    return (
        f'<!DOCTYPE html><html lang="fr"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{STYLE.read_text(encoding='utf-8')}</style></head><body>{''.join(pages)}</body></html>"
    )


def _printable(project: Project, module: Module, entry: Any, path: Path) -> Printable:
    where = f"module « {module.slug} »"
    if not isinstance(entry, dict) or set(entry) - _KEYS or entry.get("kind") not in KINDS:
        raise malformed(path, f"{where}, « {entry} » n'est pas une chose à imprimer", KitError)
    head, rows = _source(project, module, entry)
    first, last = entry.get("rows", [1, len(rows)])
    columns = entry.get("columns", list(range(1, len(head) + 1)))
    if rows and not (
        1 <= first <= last <= len(rows) and set(columns) <= set(range(1, len(head) + 1))
    ):
        raise malformed(
            path, f"{where}, « {entry['title']} » : lignes ou colonnes absentes", KitError
        )
    chosen = [tuple(row[column - 1] for column in columns) for row in rows[first - 1 : last]]
    # One card a thing: a name met twice, or a cell left empty, makes none.
    kept = chosen if entry["kind"] == "poster" else [r for r in dict.fromkeys(chosen) if all(r)]
    if not kept and not entry.get("blank"):
        raise malformed(path, f"{where}, « {entry['title']} » n'a rien à imprimer", KitError)
    per_page = entry.get("per_page", PER_PAGE[-1])
    if per_page not in PER_PAGE:
        raise malformed(path, f"{where}, « per_page » vaut 2 ou 8", KitError)
    return Printable(
        entry["kind"],
        typeset(str(entry.get("title", ""))),
        tuple(head[column - 1] for column in columns),
        tuple(kept),
        per_page,
        int(entry.get("blank", 0)),
        tuple(entry.get("fields", ())),
    )


def _source(project: Project, module: Module, entry: Any) -> tuple[list[str], list[list[str]]]:
    if entry.get("sheet") == "list":
        return [""], _first_list(project, module)
    if "sheet" in entry:
        return _sheet_table(project, module, entry["sheet"])
    if "table" in entry:
        return _notebook_table(project, module, entry["table"])
    return [], []


def _notebook_table(
    project: Project, module: Module, caption: str
) -> tuple[list[str], list[list[str]]]:
    path = project.root / f"{module.document}.ipynb"
    found: dict[str, Tag] = {}
    for cell in nbformat.read(path, as_version=4).cells:
        for output in cell.get("outputs", []):
            html = output.get("data", {}).get("text/html", "")
            for table in BeautifulSoup(html, "html.parser").select("table:has(caption)"):
                title = table.find("caption")
                found.setdefault(_plain(title.get_text() if title else ""), table)
    if _plain(caption) not in found:
        raise KitError(
            f"Le carnet « {path} » n'a pas de tableau « {caption} », que « cartes.yml » veut "
            f"imprimer. Ses tableaux : {' ; '.join(found)}."
        )
    table = found[_plain(caption)]
    head = [cell.get_text() for cell in table.select("thead th")]
    return head, [
        [cell.get_text() for cell in row.find_all(["th", "td"])] for row in table.select("tbody tr")
    ]


def _sheet_table(
    project: Project, module: Module, caption: str
) -> tuple[list[str], list[list[str]]]:
    text = sheet_sections(project, module.slug)[SECTION]
    found = re.search(rf"^```{{tableau}} {re.escape(caption)}\s*\n(.*?)^```", text, re.M | re.S)
    if not found:
        raise _absent(module, f"de tableau « {caption} »")
    lines = [line.strip().strip("|").split("|") for line in found[1].splitlines() if line.strip()]
    rows = [[typeset(cell.strip()) for cell in line] for line in lines]
    return rows[0], rows[2:]


def _first_list(project: Project, module: Module) -> list[list[str]]:
    """Read the first list of the section; « ; » stands between several things of a line."""
    text = sheet_sections(project, module.slug)[SECTION]
    found = re.search(r"^(?:- .+\n?)+", text, re.MULTILINE)
    if not found:
        raise _absent(module, "de liste")
    items = [part.strip(" .") for line in found[0].splitlines() for part in line[2:].split(";")]
    return [[typeset(item)] for item in items if item]


def _absent(module: Module, what: str) -> KitError:
    return KitError(
        f"La fiche « {module.slug} », partie « {SECTION} », n'a pas {what}, que « cartes.yml » "
        "veut imprimer. Corrigez l'une ou l'autre."
    )


def _pages(one: Printable, module: Module) -> Iterator[str]:
    if one.kind == "poster":
        table = html_table(one.head, one.rows, one.title)
        if len(one.rows) > MANY_ROWS:
            table = table.replace("<table>", '<table class="dense">')
        yield _page(one, module, table, "affiche")
        return
    if one.kind == "strips":
        strips = [
            f'<div class="bande">{"".join(f"<p>{escape(cell)}</p>" for cell in row)}</div>'
            for row in one.rows
        ]
        for place in range(0, len(strips), STRIPS_PER_PAGE):
            yield _page(one, module, "".join(strips[place : place + STRIPS_PER_PAGE]))
        return
    cards = [_card(one.head, row) for row in one.rows]
    labels = "".join(f"<p>{escape(typeset(f'{name} :'))}</p>" for name in one.fields)
    cards += [f'<div class="carte vierge">{labels}</div>'] * one.blank
    size = " deux" if one.per_page == 2 else ""
    for place in range(0, len(cards), one.per_page):
        body = "".join(cards[place : place + one.per_page])
        yield _page(one, module, f'<div class="cartes{size}">{body}</div>')


def _card(head: tuple[str, ...], row: tuple[str, ...]) -> str:
    first, *others = row
    more = "".join(
        f"<p>{escape(f'{cell} {name.lower()}' if name == 'Habitants' else cell)}</p>"
        for name, cell in zip(head[1:], others, strict=True)
    )
    return f'<div class="carte"><p>{escape(first)}</p>{more}</div>'


def _page(one: Printable, module: Module, body: str, kind: str = "") -> str:
    action = "à afficher" if one.kind == "poster" else "à découper"
    return (
        f'<section class="feuille {kind}"><header class="tete"><h1>{escape(one.title)}</h1>'
        f"<p>Culture D · {escape(typeset(module.title))} · {action}</p></header>{body}</section>"
    )


def _plain(text: str) -> str:
    return re.sub(r"\s+", " ", typeset(text).replace("\u202f", " ").replace("\u00a0", " ")).strip()
