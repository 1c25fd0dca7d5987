"""Take out of an executed notebook whatever a browser could run or fetch.

nbgrader's formgrader shows `autograded/` in the trainer's own session of Jupyter. Its
template writes the HTML of outputs, the HTML typed in Markdown cells and the JavaScript of
outputs as they are; nbconvert's `sanitize_html` does not reach the Markdown cells, which the
template renders itself. An address is enough: `GET formgrader?path=…` makes formgrader run
the `nbgrader_config.py` of any folder, and an image may point there. So what is stored holds
nothing active:

- HTML outputs go through bleach, an allowlist of tables, lists and emphasis, without any
  address, style or identifier;
- PNG and JPEG stay, byte for byte, if they are what they say; every other kind of output
  goes, its text stays;
- Markdown is rendered as formgrader will render it: if that would hold anything else than
  text, tables, checked images and links to other sites, it is shown as it was typed;
- metadata keeps what nbgrader and the kernel need.

Texts and scores stay: scores are in the gradebook, and this runs after nbgrader read them.
"""

import base64
import binascii
import html
import io
import json
import re
import warnings
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urlsplit

import bleach
import nbformat
from bs4 import BeautifulSoup
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat.v4 import new_output
from PIL import Image

PICTURES = {"image/png": "PNG", "image/jpeg": "JPEG"}
READ = ("text/plain", "text/html", "text/markdown", "text/latex", *PICTURES)
"""The kinds of output that somebody is shown."""
MAX_PICTURE_BYTES = 4 * 1024 * 1024
MAX_PICTURE_PIXELS = 25_000_000
MAX_HTML = 300_000
_REMEMBERED_HTML = 16 * 1024
MAX_MARKDOWN = 50_000

TAKEN_OUT = "[Sortie retirée : elle contenait autre chose que du texte, un tableau ou une image.]"
TABLES = ("table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption")
WORDS = ("b", "strong", "i", "em", "u", "s", "sub", "sup", "small", "code", "span", "br")
BLOCKS = ("p", "div", "pre", "blockquote", "ul", "ol", "li", "dl", "dt", "dd", "hr")
_SPANS = {"colspan", "rowspan"}
_SMALL = re.compile(r"\d{1,3}")
# Their content is not text to be read: it goes with them.
_NOT_TEXT = (
    *("script", "style", "template", "noscript", "iframe", "object", "embed", "applet", "svg"),
    *(
        "math",
        "head",
        "title",
        "textarea",
        "select",
        "noembed",
        "noframes",
        "xmp",
        "audio",
        "video",
    ),
)

# What nbconvert's Markdown makes of plain Markdown.
_RENDERED: dict[str, frozenset[str]] = {
    **{name: frozenset() for name in (*WORDS, *BLOCKS, "del", "thead", "tbody", "tr", "table")},
    **{name: frozenset({"id"}) for name in ("h1", "h2", "h3", "h4", "h5", "h6")},
    "th": frozenset({"style", "scope"} | _SPANS),
    "td": frozenset({"style"} | _SPANS),
    "ol": frozenset({"start"}),
    "div": frozenset({"class"}),
    "span": frozenset({"class"}),
    "code": frozenset({"class"}),
    "a": frozenset({"href", "class", "title"}),
    "img": frozenset({"src", "alt", "title"}),
}
_ALIGNED = re.compile(r"text-align: ?(?:left|right|center);?")
# Those of code in colour: another could dress a text as a part of formgrader.
_CLASS = re.compile(r"highlight|hl-\w{1,20}|language-[\w+-]{1,20}|anchor-link|[a-z][a-z0-9]{0,2}")
_LOCAL_PICTURE = re.compile(r"(?!.*\.\.)[\w-][\w./ -]*\.(?:png|jpe?g|gif)", re.IGNORECASE)
_PUBLIC_HOST = re.compile(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", re.IGNORECASE)
_NAME = re.compile(r"[\w.-]{1,120}")
_PLAIN = re.compile(r"[\w .,()+#/-]{0,80}")


def make_inert(notebook: Any, resources: Any = None) -> tuple[Any, Any]:
    """Take everything active out of a notebook, in place; an nbgrader preprocessor.

    To be named last in `Autograde.autograde_preprocessors`, after `SaveAutoGrades`; or called
    on a notebook before it is stored in `autograded/`. Never raises on what a learner made.
    """
    with_plain_types(notebook)
    notebook.metadata = _notebook_metadata(notebook.metadata)
    for cell in notebook.cells:
        attached = _attachments(cell.pop("attachments", None))
        cell.metadata = _cell_metadata(cell.metadata)
        if cell.cell_type == "code":
            cell.outputs = [_output(output) for output in cell.get("outputs", ())]
        elif cell.cell_type == "markdown":
            cell.source = inert_markdown(cell.source, attached)
            if attached:
                cell.attachments = attached
        elif "<" in cell.source:
            cell.source = html.escape(cell.source, quote=False)
    return notebook, resources


def read_executed(content: bytes) -> Any:
    """Read an executed notebook, with nothing in it of another type than a reader expects.

    Raises:
        ValueError: it is not a notebook.
    """
    try:
        content_read = json.loads(content.decode("utf-8"))
        notebook = nbformat.from_dict(content_read)
        if notebook.nbformat != nbformat.v4.nbformat or not isinstance(notebook.cells, list):
            raise TypeError
    except (ValueError, AttributeError, TypeError, RecursionError) as error:
        raise ValueError(type(error).__name__) from None
    with_plain_types(notebook)
    return notebook


def with_plain_types(notebook: Any) -> None:
    """Drop, in place, what is not of the type that nbformat says.

    A kernel's messages are stored as they come, and an answer may send its own: a number for
    a text, a text without its other half in UTF-16. Neither may stop who reads the notebook.
    """
    if not isinstance(notebook.get("metadata"), dict):
        notebook.metadata = nbformat.NotebookNode()
    notebook.cells = [
        cell
        for cell in notebook.cells
        if isinstance(cell, dict) and cell.get("cell_type") in {"code", "markdown", "raw"}
    ]
    for cell in notebook.cells:
        cell.source = _text(cell.get("source"))
        if not isinstance(cell.get("metadata"), dict):
            cell.metadata = nbformat.NotebookNode()
        if not isinstance(cell.metadata.get("nbgrader", {}), dict):
            del cell.metadata["nbgrader"]
        if cell.cell_type == "code":
            displayed = cell.get("outputs")
            kept = displayed if isinstance(displayed, list) else []
            cell.outputs = [one for one in map(_plain_output, kept) if one is not None]


def _plain_output(output: Any) -> Any | None:
    kind = output.get("output_type") if isinstance(output, dict) else None
    if kind == "stream":
        return new_output(kind, name=_text(output.get("name")), text=_text(output.get("text")))
    if kind == "error":
        lines = output.get("traceback")
        return new_output(
            kind,
            ename=_text(output.get("ename")),
            evalue=_text(output.get("evalue")),
            traceback=[_text(line) for line in lines] if isinstance(lines, list) else [],
        )
    if kind not in {"display_data", "execute_result"}:
        return None
    data, metadata = output.get("data"), output.get("metadata")
    bundle = data.items() if isinstance(data, dict) else ()
    output.data = nbformat.NotebookNode(
        {
            name: _text(value) if name in READ else value
            for name, value in bundle
            if name not in READ or isinstance(value, str | list)
        }
    )
    output.metadata = metadata if isinstance(metadata, dict) else nbformat.NotebookNode()
    return output


def _text(value: Any) -> str:
    """Give a text, or its lines, as UTF-8 can hold it; nothing if it is not a text."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "".join(value)
    if not isinstance(value, str):
        return ""
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def inert_markdown(source: str, attached: dict[str, dict[str, str]] | None = None) -> str:
    """Return the text itself if what formgrader makes of it is inert, else a block that shows it."""
    if _renders_inert(source, attached) if attached else _is_inert_text(source):
        return source
    longest = max((len(run) for run in re.findall(r"`+", source)), default=0)
    fence = "`" * max(longest + 1, 3)
    shown = f"{fence}\n{source}\n{fence}"
    return shown if _is_inert_text(shown) else _without_markup(source)


def typed_markdown(source: str) -> str:
    """Give back the text that `inert_markdown` put in a block, without the marks of the block."""
    found = re.fullmatch(r"(`{3,})\n(.*)\n\1", source, re.DOTALL)
    return found[2] if found and inert_markdown(found[2]) == source else source


def inert_html(text: str) -> str | None:
    """Return the tables, lists and words of an HTML output, or None if there is too much of it.

    No address, style, identifier, class or script is left: bleach has the last word.
    """
    if len(text) > MAX_HTML:
        return None
    return _cleaned(text) if len(text) <= _REMEMBERED_HTML else _clean(text)


@lru_cache(maxsize=128)
def _cleaned(text: str) -> str | None:
    """Remember what is left: the same tables of the course's data are in every submission."""
    return _clean(text)


def _clean(text: str) -> str | None:
    try:
        soup = BeautifulSoup(text, "html.parser")
        for tag in soup.find_all(_NOT_TEXT):
            tag.decompose()
        return str(_cleaner().clean(str(soup)))
    except RecursionError:
        return None


def picture(encoded: str, kind: str) -> bytes | None:
    """Return the bytes of a PNG or JPEG, or None if they are not a still image of this kind.

    `kind` is its media type. No image of more than `MAX_PICTURE_BYTES` or
    `MAX_PICTURE_PIXELS` is let through.
    """
    if kind not in PICTURES or len(encoded) > MAX_PICTURE_BYTES * 1.4:
        return None
    try:
        content = base64.b64decode("".join(encoded.split()), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with Image.open(io.BytesIO(content), formats=[PICTURES[kind]]) as image:
                size, still = image.width * image.height, getattr(image, "n_frames", 1) == 1
                image.verify()
    except Exception:
        # Pillow raises many kinds on damaged files; none of them is an image to show.
        return None
    return content if still and size <= MAX_PICTURE_PIXELS else None


def _without_markup(source: str) -> str:
    """Write each sign as an entity: nothing is left that Markdown could read."""
    return re.sub(r"[^\w\s]|_", lambda sign: f"&#{ord(sign[0])};", source)


@cache
def _cleaner() -> bleach.Cleaner:
    return bleach.Cleaner(
        tags=frozenset((*TABLES, *WORDS, *BLOCKS)),
        attributes=_spans_only,
        protocols=frozenset(),
        strip=True,
        strip_comments=True,
    )


def _spans_only(tag: str, name: str, value: str) -> bool:
    return tag in {"td", "th"} and name in _SPANS and bool(_SMALL.fullmatch(value))


def _output(output: Any) -> Any:
    if output.output_type not in {"display_data", "execute_result"}:
        return output
    sizes = {
        kind: {
            name: value
            for name, value in (output.metadata.get(kind) or {}).items()
            if name in {"width", "height"} and isinstance(value, int | float)
        }
        for kind in PICTURES
        if isinstance(output.metadata.get(kind), dict)
    }
    output.metadata = type(output.metadata)({kind: kept for kind, kept in sizes.items() if kept})
    kept: dict[str, Any] = {}
    for kind, value in output.data.items():
        content = value if isinstance(value, str) else ""
        if kind in {"text/plain", "text/latex"}:
            kept[kind] = content
        elif kind == "text/html":
            cleaned = inert_html(content)
            if cleaned and cleaned.strip():
                kept[kind] = cleaned
        elif kind == "text/markdown":
            kept[kind] = inert_markdown(content)
        elif picture(content, kind) is not None:
            kept[kind] = content
    if output.data and not kept:
        kept["text/plain"] = TAKEN_OUT
    output.data = type(output.data)(kept)
    return output


def _attachments(attached: Any) -> dict[str, dict[str, str]]:
    if not isinstance(attached, dict):
        return {}
    kept: dict[str, dict[str, str]] = {}
    for name, bundle in attached.items():
        if _NAME.fullmatch(str(name)) and isinstance(bundle, dict):
            images = {
                kind: content
                for kind, content in ((kind, _text(lines)) for kind, lines in bundle.items())
                if picture(content, kind) is not None
            }
            if images:
                kept[name] = images
    return kept


@lru_cache(maxsize=256)
def _is_inert_text(source: str) -> bool:
    """Remember the answer: the texts of the assignment are in every submission."""
    return _renders_inert(source, {})


def _renders_inert(source: str, attached: dict[str, dict[str, str]]) -> bool:
    if len(source) > MAX_MARKDOWN:
        return False
    try:
        renderer = IPythonRenderer(escape=False, attachments=attached)
        return _only_plain(MarkdownWithMath(renderer=renderer).render(source))
    except Exception:
        # A missing attachment, a nesting too deep: formgrader would stop on it too.
        return False


def _only_plain(rendered: str) -> bool:
    """Whether bleach, which reads as browsers do, has nothing to take out."""
    refused = []

    def allowed(tag: str, name: str, value: str) -> bool:
        fine = name in _RENDERED.get(tag, ()) and _plain_value(tag, name, value)
        if not fine:
            refused.append(name)
        return fine

    cleaner = bleach.Cleaner(
        tags=frozenset(_RENDERED),
        attributes=allowed,
        protocols=frozenset({"http", "https", "mailto", "data"}),
        strip=False,
    )
    # A tag that is not allowed becomes text: the words are then no longer the same.
    return _words(cleaner.clean(rendered)) == _words(rendered) and not refused


def _words(markup: str) -> str:
    return "".join(BeautifulSoup(markup, "html.parser").get_text().split())


def _plain_value(tag: str, name: str, value: str) -> bool:
    check = _VALUES.get((tag, name)) or _VALUES.get(("", name))
    return check is None or check(value)


def _leads_elsewhere(address: str) -> bool:
    """Whether a link leads to a public site, or within the page: never to Jupyter itself."""
    if address.startswith("#"):
        return True
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme == "mailto":
        return True
    return parts.scheme in {"http", "https"} and bool(_PUBLIC_HOST.fullmatch(host))


def _is_picture_address(address: str) -> bool:
    found = re.fullmatch(r"data:(image/\w+);base64,(.*)", address, re.DOTALL)
    if found:
        return picture(found[2], found[1]) is not None
    return bool(_LOCAL_PICTURE.fullmatch(address))


_VALUES: dict[tuple[str, str], Callable[[str], bool]] = {
    ("a", "href"): _leads_elsewhere,
    ("img", "src"): _is_picture_address,
    ("", "style"): lambda text: bool(_ALIGNED.fullmatch(text)),
    ("", "class"): lambda text: all(map(_CLASS.fullmatch, text.split())),
    ("", "start"): lambda text: bool(_SMALL.fullmatch(text)),
    ("", "colspan"): lambda text: bool(_SMALL.fullmatch(text)),
    ("", "rowspan"): lambda text: bool(_SMALL.fullmatch(text)),
}


def _notebook_metadata(metadata: Any) -> Any:
    kept = {
        name: {
            key: value
            for key, value in dict(metadata[name]).items()
            if isinstance(value, str) and _PLAIN.fullmatch(value)
        }
        for name in ("kernelspec", "language_info")
        if isinstance(metadata.get(name), dict)
    }
    if not {"name", "display_name"} <= kept.get("kernelspec", {}).keys():
        kept.pop("kernelspec", None)
    if "name" not in kept.get("language_info", {}):
        kept.pop("language_info", None)
    return _nested(type(metadata), kept)


def _cell_metadata(metadata: Any) -> Any:
    settings = metadata.get("nbgrader")
    if not isinstance(settings, dict) or not _NAME.fullmatch(str(settings.get("grade_id", ""))):
        return type(metadata)()
    kept = {
        key: value
        for key, value in settings.items()
        if isinstance(value, bool | int | float)
        or (isinstance(value, str) and _NAME.fullmatch(value))
    }
    return _nested(type(metadata), {"nbgrader": kept})


def _nested(kind: Any, content: Mapping[str, Mapping[str, Any]]) -> Any:
    return kind({key: kind(value) for key, value in content.items()})
