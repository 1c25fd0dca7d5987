"""The joined stylesheet, the joined script, the colours of the code."""

import re
from pathlib import Path

from sphinx.highlighting import PygmentsBridge

from culture_d.book import bundles, code

THEME = """
/* a comment */
.used, .unused { color: red }
.unused:hover { color: blue }
.sidebar:not(.unused) { color: green }
p > a { color: var(--seen) }
@media (min-width: 10em) { .used { margin: 0 } .unused { margin: 1px } }
@media print { .unused { display: none } }
:root { --seen: var(--behind); --behind: #fff; --never: url(data:image/svg+xml,x) }
"""


def test_only_the_rules_that_a_page_can_match_are_kept() -> None:
    kept = bundles.pruned(THEME, frozenset({"used", "sidebar"}))
    assert ".used{" in kept and "p > a{" in kept and ".sidebar:not(.unused){" in kept
    assert ".unused," not in kept and ".unused{" not in kept and ".unused:hover" not in kept
    assert kept.count("@media") == 1 and "comment" not in kept


def test_only_the_variables_that_are_read_are_kept() -> None:
    kept = bundles.without_unused_variables(THEME, "")
    assert "--seen:" in kept and "--behind:" in kept and "--never" not in kept
    assert "--never:" in bundles.without_unused_variables(THEME, '<p style="color: var(--never)">')


def test_names_are_read_from_the_pages() -> None:
    names = bundles.names_in(['<p class="a b" id="c"><i class="d">'])
    assert {"a", "b", "c", "d"} <= names


def test_every_page_has_one_style_named_by_its_content(site: Path) -> None:
    style = (site / "_static" / "culture-d.css").read_text(encoding="utf-8")
    assert ".cd-bandeau" in style and ".cd-explorable" in style and ".skip-to-content" in style
    for path in site.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        if path.name == "index.html":
            continue
        assert len(re.findall(r'<link rel="stylesheet"', page)) == 1, path
        assert re.search(r"_static/culture-d\.css\?v=[0-9a-f]{8}\"", page), path
    left = {path.name for path in (site / "_static").iterdir()}
    assert not left & {"furo.css", "pygments.css", "basic.css"}


def test_every_class_that_a_rule_of_ours_names_is_somewhere(site: Path) -> None:
    """A rule of a component that no page, script or program mentions is a left-over."""
    sources = [
        path.read_text(encoding="utf-8")
        for pattern in ("*.py", "*.js", "*.html")
        for path in Path(bundles.__file__).parents[1].rglob(pattern)
    ]
    pages = [path.read_text(encoding="utf-8") for path in site.rglob("*.html")]
    said = "\n".join([*sources, *pages])
    styles = "".join(path.read_text(encoding="utf-8") for path in bundles.COMPONENTS.glob("*.css"))
    named = set(re.findall(r"\.(cd-[\w-]+)", styles))
    assert named
    assert {name for name in named if name not in said} == set()


def test_the_script_starts_with_what_others_rely_on() -> None:
    script = bundles.joined_script()
    first = (bundles.COMPONENTS / "base.js").read_text(encoding="utf-8")
    assert script.startswith(first)
    assert all(
        path.read_text(encoding="utf-8") in script for path in bundles.COMPONENTS.glob("*.js")
    )


def test_code_marks_little_and_loses_nothing() -> None:
    source = "total = sum([1, 2])  # deux\nprint(f'{total} €')\n"
    html = PygmentsBridge("html", "default")
    html.formatter = code.LeanFormatter
    text = html.highlight_block(source, "python")
    assert re.sub(r"<[^>]+>", "", text).replace("&#39;", "'").strip() == source.strip()
    assert '<span class="c">' in text and '<span class="s">' in text
    assert not re.search(r'<span class="(?:n|p|o|w)\d?">', text)
