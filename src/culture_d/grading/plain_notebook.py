"""Read a notebook as data: whatever its bytes, cells of plain text or a French reason.

Neither nbformat nor nbgrader is trusted with what a learner sent: they stop on a missing
key, on another version of the format, on a lone surrogate. Nothing here runs, follows or
opens anything. Formats 2 to 4 are read alike (nbformat's `v2`, `v3` and `v4` schemas say
where each keeps its cells); outputs are measured and left behind.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from culture_d.grading.model import MEBIBYTE

NOTEBOOK = ".ipynb"
MAX_FILE = 20 * MEBIBYTE
MAX_SOURCE = 5 * MEBIBYTE
MAX_CELLS = 2000
MAX_BRACKETS = 2_000_000
BIG_OUTPUTS = 1 * MEBIBYTE
MAX_IMAGE = 5 * MEBIBYTE
LATEST_FORMAT = 4

_HEADINGS = 6
_SURROGATES = re.compile("[\ud800-\udfff]")
_IMAGE = re.compile(r"image/(?:png|jpeg|gif|webp)")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
_SAVE_AGAIN = (
    "Ouvrez votre notebook dans Jupyter, enregistrez-le (Ctrl+S), "
    "puis rendez ce fichier .ipynb sans l'ouvrir dans un autre logiciel."
)


class UnreadableNotebook(Exception):
    """The bytes hold no notebook that can be graded; the message is the learner's, in French."""


@dataclass(frozen=True)
class Cell:
    """One cell, as the learner left it."""

    kind: str
    """`code`, `markdown` or `raw`."""
    source: str
    grade_id: str | None = None
    """The identifier in nbgrader's marks, whatever their version."""
    guarded: bool = False
    """Whether the learner's own marks call it locked, or worth points, and not an answer."""
    cell_id: str | None = None
    attachments: tuple[tuple[str, str, str], ...] = ()
    """Pictures pasted in the text: name, media type, base64."""


@dataclass(frozen=True)
class Notebook:
    """A notebook's cells, and what was seen on the way."""

    cells: tuple[Cell, ...]
    version: int
    kernel: str | None
    language: str | None
    outputs: int
    """Size of the stored outputs, in characters, roughly."""
    cleaned: tuple[str, ...] = ()
    """What was put right while reading: French sentences."""


def read_notebook(data: bytes) -> Notebook:
    """Read the cells of a notebook.

    Takes time and memory in proportion to the size of `data`, which is limited.

    Raises:
        UnreadableNotebook: says in French what was found, and what to do.
    """
    if len(data) > MAX_FILE:
        raise UnreadableNotebook(too_large(len(data)))
    text, cleaned = _decode(data)
    if max(text.count("["), text.count("{")) > MAX_BRACKETS:
        raise UnreadableNotebook(
            "Le fichier contient trop d'éléments pour un notebook. " + _SAVE_AGAIN
        )
    content = _parse(text)
    found, version = _cells_of(content)
    if len(found) > MAX_CELLS:
        raise UnreadableNotebook(
            f"Le notebook a {len(found)} cellules, pour {MAX_CELLS} au plus. "
            "Supprimez les cellules ajoutées, puis rendez-le à nouveau."
        )
    cells = tuple(_cell(raw) for raw in found)
    if not any(cell.source.strip() for cell in cells):
        raise UnreadableNotebook(
            "Le notebook est vide : aucune cellule n'a de texte. Rendez celui où sont vos réponses."
        )
    if sum(len(cell.source) for cell in cells) > MAX_SOURCE:
        raise UnreadableNotebook(
            f"Le texte des cellules dépasse {MAX_SOURCE // MEBIBYTE} Mo. "
            "Ôtez les données collées dans les cellules, puis rendez le notebook à nouveau."
        )
    if version < LATEST_FORMAT:
        cleaned += (
            f"Votre notebook était au format {version}, ancien. Il a été lu au format 4, "
            "sans rien perdre de vos réponses.",
        )
    if any(_spoilt(raw, cell) for raw, cell in zip(found, cells, strict=True)):
        cleaned += (
            "Des caractères illisibles ont été ôtés d'une cellule. Relisez-la si elle compte.",
        )
    metadata = _mapping(content.get("metadata"))
    return Notebook(
        cells=cells,
        version=version,
        kernel=_text_or_none(_mapping(metadata.get("kernelspec")).get("name")),
        language=_language(metadata),
        outputs=sum(_weight(raw.get("outputs")) for raw in found),
        cleaned=cleaned,
    )


def is_notebook(name: str) -> bool:
    """Tell a notebook by its name, or its path: case apart, and what a mailbox adds at the end."""
    return name.lower().rstrip(" .").endswith(NOTEBOOK)


def looks_like_notebook(data: bytes) -> bool:
    """Tell whether a file of another name may well be a notebook."""
    head = data[:MAX_FILE].lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(b"{") and (b'"cells"' in head or b'"worksheets"' in head)


def too_large(size: int) -> str:
    """Say in French that a file is too large, and how to make it smaller."""
    return (
        f"Le fichier pèse {size / MEBIBYTE:.0f} Mo, pour {MAX_FILE // MEBIBYTE} Mo au plus. "
        "Dans Jupyter, effacez les résultats (« Effacer toutes les sorties »), "
        "enregistrez, puis rendez-le à nouveau."
    )


def _decode(data: bytes) -> tuple[str, tuple[str, ...]]:
    """Decode as UTF-8, the only encoding of notebooks; name the one found otherwise."""
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise UnreadableNotebook(
            "Le fichier est vide. L'envoi a pu être interrompu : "
            "vérifiez votre notebook, puis rendez-le à nouveau."
        )
    kind = _kind_of_file(data)
    if kind:
        raise UnreadableNotebook(
            f"Ce fichier n'est pas un notebook : c'est {kind}. "
            "Rendez le fichier .ipynb que Jupyter enregistre."
        )
    encoding = json.detect_encoding(data)
    if encoding not in ("utf-8", "utf-8-sig"):
        if not data.decode(encoding, "replace").lstrip().startswith("{"):
            raise UnreadableNotebook(
                "Ce fichier n'est pas un notebook : ce n'est pas du texte. " + _SAVE_AGAIN
            )
        raise UnreadableNotebook(
            "Le fichier n'est pas enregistré en UTF-8, mais sans doute en "
            f"{encoding[:6].upper()}. {_SAVE_AGAIN}"
        )
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        cut = len(data) - error.start < 4
        raise UnreadableNotebook(
            _truncated()
            if cut
            else "Le fichier n'est pas enregistré en UTF-8 : les accents ne se lisent pas. "
            + _SAVE_AGAIN
        ) from None
    if encoding == "utf-8-sig":
        return text, ("Une marque d'encodage, en tête du fichier, a été ôtée.",)
    return text, ()


def _kind_of_file(data: bytes) -> str:
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "une archive ZIP, ou un document de bureautique"
    if head.startswith(b"%PDF"):
        return "un document PDF"
    if re.match(rb"<[!?a-zA-Z]", head):
        return "une page web"
    if head[:2] == b"\x1f\x8b":
        return "une archive compressée"
    return ""


def _truncated() -> str:
    return (
        "Le fichier est tronqué : sa fin manque. L'envoi a pu être interrompu : "
        "rouvrez votre notebook, enregistrez-le, puis rendez-le à nouveau."
    )


def _parse(text: str) -> dict[str, Any]:
    try:
        # Numbers are of no use here, and a huge one is refused by Python.
        content = json.loads(
            text, parse_int=_whole, parse_float=_nothing, parse_constant=_nothing, strict=False
        )
    except json.JSONDecodeError as error:
        rest = text[error.pos :].strip()
        if text.lstrip().startswith("{") and (not rest or error.msg.startswith("Unterminated")):
            raise UnreadableNotebook(_truncated()) from None
        raise UnreadableNotebook(
            f"Ce fichier n'est pas un notebook lisible (ligne {error.lineno}). {_SAVE_AGAIN}"
        ) from None
    except (RecursionError, MemoryError):
        raise UnreadableNotebook(
            "Ce fichier n'est pas un notebook : ses éléments sont emboîtés sans fin. " + _SAVE_AGAIN
        ) from None
    if not isinstance(content, dict):
        raise UnreadableNotebook("Ce fichier n'est pas un notebook. " + _SAVE_AGAIN)
    return content


def _whole(digits: str) -> int:
    return int(digits) if len(digits) < 9 else 0


def _nothing(_: str) -> None:
    return None


def _cells_of(content: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """List the cells and the version of the format: by the structure, then by the number."""
    cells, sheets = content.get("cells"), content.get("worksheets")
    if isinstance(cells, list):
        version = LATEST_FORMAT
        found = cells
    elif isinstance(sheets, list):
        version = 2 if content.get("nbformat") == 2 else 3
        found = [cell for sheet in sheets for cell in _sequence(_mapping(sheet).get("cells"))]
    else:
        raise UnreadableNotebook(
            "Ce fichier n'est pas un notebook : il n'a pas de cellules. " + _SAVE_AGAIN
        )
    return [cell for cell in found if isinstance(cell, dict)], version


def _cell(raw: dict[str, Any]) -> Cell:
    marks = _mapping(_mapping(raw.get("metadata")).get("nbgrader"))
    grade_id = marks.get("grade_id")
    kind, source = _kind(raw), _clean(_source(raw))
    if raw.get("cell_type") == "heading":
        level = raw.get("level")
        depth = level if isinstance(level, int) and 1 <= level <= _HEADINGS else 1
        source = f"{'#' * depth} {source}"
    return Cell(
        kind=kind,
        source=source,
        grade_id=grade_id if isinstance(grade_id, str) and grade_id else None,
        guarded=bool(marks.get("locked") or marks.get("grade")) and not marks.get("solution"),
        cell_id=_text_or_none(raw.get("id")),
        attachments=() if kind == "code" else tuple(_pictures(raw.get("attachments"))),
    )


def _kind(raw: dict[str, Any]) -> str:
    kind = raw.get("cell_type")
    if kind in ("code", "markdown", "raw"):
        return str(kind)
    if kind in ("heading", "html", "text", "plaintext"):
        return "markdown"
    return "code" if "outputs" in raw or "input" in raw else "markdown"


def _source(raw: dict[str, Any]) -> str:
    """Give the text of a cell: `input` is where formats 2 and 3 keep that of code."""
    written = raw.get("source", raw.get("input"))
    if isinstance(written, str):
        return written
    return "".join(line for line in _sequence(written) if isinstance(line, str))


def _clean(source: str) -> str:
    """Drop what no file can hold: lone surrogates (replaced) and null characters."""
    return _SURROGATES.sub("\ufffd", source).replace("\0", "")


def _spoilt(raw: dict[str, Any], cell: Cell) -> bool:
    written = _source(raw)
    return "\0" in written or ("\ufffd" in cell.source and bool(_SURROGATES.search(written)))


def _pictures(attachments: Any) -> Iterable[tuple[str, str, str]]:
    for name, bundle in list(_mapping(attachments).items())[:50]:
        for media, content in list(_mapping(bundle).items())[:5]:
            if isinstance(content, list):
                content = "".join(line for line in content if isinstance(line, str))
            if (
                _IMAGE.fullmatch(media)
                and isinstance(content, str)
                and len(content) <= MAX_IMAGE
                and _BASE64.fullmatch(content)
            ):
                yield _clean(name), media, content


def _weight(outputs: Any) -> int:
    """Add the lengths of the texts of the outputs."""
    total, waiting = 0, [outputs]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            total += len(item)
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return total


def _language(metadata: dict[str, Any]) -> str | None:
    named = _mapping(metadata.get("kernelspec")).get("language")
    named = named or _mapping(metadata.get("language_info")).get("name")
    return _text_or_none(named)


def _text_or_none(value: Any) -> str | None:
    return _clean(value)[:100] if isinstance(value, str) and value else None


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _sequence(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
