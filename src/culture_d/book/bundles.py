"""One stylesheet and one deferred script for every page, without what no page uses.

The stylesheet joins pygments' and furo's, of which only the rules that a page can match
are kept, with ours (`components/*.css`, « base » first) and the explorables'. The script
joins `components/*.js`, « base » first; each part must cost nothing on a page that does
not have what it serves.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import tinycss2
from bs4 import BeautifulSoup
from sphinx.application import Sphinx

from culture_d.explorables import FOLDER as EXPLORABLES
from culture_d.explorables.site import STYLE as EXPLORABLES_STYLE

HERE = Path(__file__).parent
COMPONENTS = HERE / "components"
STYLE = "culture-d.css"
SCRIPT = "cours.js"
# Sphinx and furo write these; nothing asks for them once they are joined.
_JOINED = ("pygments.css", "styles/furo.css")
_LEFT_OVER = (
    *("basic.css", "debug.css", "skeleton.css", "minus.png", "plus.png", "file.png"),
    *("styles/furo-extensions.css", "scripts/furo.js", "scripts/furo-extensions.js"),
)
_LEFT_OVER_NAMED_BY_CONTENT = ("mystnb.*.css", "*.map", "*.LICENSE.txt")
_NAMES = re.compile(r"[.#]((?:[\w-]|\\.)+)")
_NEGATION = re.compile(r":not\((?:[^()]|\([^()]*\))*\)")
_VARIABLE = re.compile(r"var\(\s*(--[\w-]+)")
# Kept though no page has it when it is built: the script of the pages sets it.
_SET_BY_SCRIPT = frozenset({"no-js"})


def joined_script() -> str:
    """Return the script of every page."""
    return "\n".join(path.read_text(encoding="utf-8") for path in _parts("*.js"))


def joined_style(themes: Iterable[str], used: frozenset[str], pages: str) -> str:
    """Return the stylesheet of every page.

    Args:
        themes: stylesheets that are not ours, kept only where `used` says.
        used: classes and identifiers of the pages.
        pages: text of the pages, for the variables that their own styles use.
    """
    ours = [path.read_text(encoding="utf-8") for path in _parts("*.css")]
    ours.append((EXPLORABLES / EXPLORABLES_STYLE).read_text(encoding="utf-8"))
    kept = [pruned(theme, used) for theme in themes]
    text = "\n".join([*kept, *ours])
    return compact(without_unused_variables(text, pages))


def pruned(style: str, used: frozenset[str]) -> str:
    """Keep the rules of a stylesheet that name only classes and identifiers in `used`."""
    rules = tinycss2.parse_stylesheet(style, skip_comments=True, skip_whitespace=True)
    return "".join(_kept(rules, used))


def without_unused_variables(style: str, pages: str) -> str:
    """Remove the custom properties that nothing reads, and those that only they read."""
    text = style
    while True:
        read = set(_VARIABLE.findall(text)) | set(_VARIABLE.findall(pages))
        rules = tinycss2.parse_stylesheet(text, skip_comments=True, skip_whitespace=True)
        shorter = "".join(_with_variables(rules, read))
        if len(shorter) >= len(text):
            return shorter
        text = shorter


def compact(style: str) -> str:
    """Remove comments and the spaces that mean nothing."""
    return re.sub(r"\s*\n\s*", "\n", style).strip() + "\n"


def names_in(pages: Iterable[str]) -> frozenset[str]:
    """Return every class and identifier that pages hold."""
    names = set(_SET_BY_SCRIPT)
    for page in pages:
        for tag in BeautifulSoup(page, "html.parser").find_all(True):
            names.update(str(one) for one in tag.get_attribute_list("class") if one)
            if tag.get("id"):
                names.add(str(tag["id"]))
    return frozenset(names)


def _parts(pattern: str) -> list[Path]:
    return sorted(COMPONENTS.glob(pattern), key=lambda path: (path.stem != "base", path.stem))


def _kept(rules: Iterable[object], used: frozenset[str]) -> Iterator[str]:
    for rule in rules:
        kind = getattr(rule, "type", "")
        if kind == "qualified-rule":
            selectors = _selectors(tinycss2.serialize(rule.prelude), used)  # type: ignore[attr-defined]
            if selectors:
                yield f"{selectors}{{{tinycss2.serialize(rule.content).strip()}}}\n"  # type: ignore[attr-defined]
        elif kind == "at-rule":
            yield from _kept_at_rule(rule, used)


def _kept_at_rule(rule: object, used: frozenset[str]) -> Iterator[str]:
    name, content = rule.at_keyword, rule.content  # type: ignore[attr-defined]
    if content is None or name in {"font-face", "page", "keyframes"}:
        yield tinycss2.serialize([rule])
        return
    inner = "".join(_kept(tinycss2.parse_rule_list(content, skip_comments=True), used))
    if inner:
        prelude = tinycss2.serialize(rule.prelude).strip()  # type: ignore[attr-defined]
        yield f"@{name} {prelude}{{{inner}}}\n"


def _selectors(prelude: str, used: frozenset[str]) -> str:
    """Keep of a list of selectors those that a page can match."""
    parts = re.split(r",(?![^(]*\))", prelude)
    kept = [part.strip() for part in parts if _names(part) <= used]
    return ",".join(kept)


def _names(selector: str) -> set[str]:
    return {name.replace("\\", "") for name in _NAMES.findall(_NEGATION.sub("", selector))}


def _with_variables(rules: Iterable[object], read: set[str]) -> Iterator[str]:
    for rule in rules:
        kind = getattr(rule, "type", "")
        if kind == "qualified-rule":
            body = _declarations(rule.content, read)  # type: ignore[attr-defined]
            if body:
                yield f"{tinycss2.serialize(rule.prelude).strip()}{{{body}}}\n"  # type: ignore[attr-defined]
        elif kind == "at-rule" and rule.content is not None and rule.at_keyword != "page":  # type: ignore[attr-defined]
            inner = tinycss2.parse_rule_list(
                rule.content,  # type: ignore[attr-defined]
                skip_comments=True,
                skip_whitespace=True,
            )
            body = "".join(_with_variables(inner, read))
            prelude = tinycss2.serialize(rule.prelude).strip()  # type: ignore[attr-defined]
            yield f"@{rule.at_keyword} {prelude}{{{body}}}\n"  # type: ignore[attr-defined]
        elif kind == "at-rule":
            yield tinycss2.serialize([rule]) + "\n"


def _declarations(content: object, read: set[str]) -> str:
    kept = []
    for one in tinycss2.parse_declaration_list(content, skip_comments=True, skip_whitespace=True):
        if one.type == "declaration" and not (one.name.startswith("--") and one.name not in read):
            value = tinycss2.serialize(one.value).strip()
            kept.append(f"{one.name}:{value}{'!important' if one.important else ''}")
    return ";".join(kept)


def _write_script(app: Sphinx) -> None:
    folder = Path(app.doctreedir) / "culture_d"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / SCRIPT).write_text(joined_script(), encoding="utf-8", newline="\n")


def _write_style(app: Sphinx, error: Exception | None) -> None:
    """Once the pages are there: join the styles, and name the result by its content."""
    if error or app.builder.name != "html":
        return
    static = Path(app.outdir) / "_static"
    pages = {path: path.read_text(encoding="utf-8") for path in Path(app.outdir).rglob("*.html")}
    themes = [(static / name).read_text(encoding="utf-8") for name in _JOINED]
    text = joined_style(themes, names_in(pages.values()), "\n".join(pages.values()))
    (static / STYLE).write_text(text, encoding="utf-8", newline="\n")
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    for path, page in pages.items():
        named = page.replace(f'_static/{STYLE}"', f'_static/{STYLE}?v={digest}"')
        path.write_text(named, encoding="utf-8", newline="\n")
    for name in (*_JOINED, *_LEFT_OVER):
        (static / name).unlink(missing_ok=True)
    for pattern in _LEFT_OVER_NAMED_BY_CONTENT:
        for path in static.rglob(pattern):
            path.unlink()


def setup(app: Sphinx) -> None:
    """Write the script before the pages, and the style after them."""
    app.connect("config-inited", lambda app, config: _write_script(app))
    # Furo writes the colours of the code at the end, too.
    app.connect("build-finished", _write_style, priority=900)
