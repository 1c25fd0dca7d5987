"""The words of a page: a quiet mark at the first use of each term of the glossary.

Without script the mark is a link to « Les mots de cette page », a list of short
definitions at the end of the page, printed with it; `components/terms.js` opens the
same definition beside the word. The glossary (`book/glossaire.md`) is the one source.

At most `MOST` terms a page, so that the text stays quiet: first those that the page
itself links to the glossary, then the others in reading order. The terms named by
`mots-courants` in the head of the glossary are known to every official: never marked.
"""

import json
import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import unquote

from docutils import nodes
from myst_nb.sphinx_ import HideCodeCellNode
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.environment import BuildEnvironment

from culture_d.french import NO_BREAK_SPACE
from culture_d.prose.acronyms import load_acronyms
from culture_d.prose.sentences import sentences

GLOSSARY = "book/glossaire"
COMMON = "mots-courants"
MOST = 8
SECTION = "les-mots-de-cette-page"
TITLE = "Les mots de cette page"
MARK = "cd-mot"
# Where a word is not running text: titles, links, code, tables, questions, buttons.
_NOT_TEXT = (
    *(nodes.title, nodes.rubric, nodes.reference, addnodes.pending_xref, nodes.literal),
    *(nodes.FixedTextElement, nodes.table, nodes.caption, nodes.legend, nodes.term, nodes.raw),
    *(nodes.footnote, nodes.field_list, addnodes.toctree, HideCodeCellNode),
)
_NOT_TEXT_CLASS = re.compile(
    r"^cd-(?:entete|promesse|prets|modules|question|bouton|annonce|fiche|intuition|explorable|quiz|correction)"
)
_OUTPUT = "cell_output"
_LONG_NAME = re.compile(r"^(.+?) \((\w+)\)$")
_SMALL = {
    "de",
    "du",
    "des",
    "d",
    "à",
    "au",
    "aux",
    "la",
    "le",
    "les",
    "l",
    "et",
    "sur",
    "par",
    "en",
}


class Term(NamedTuple):
    """A term of the glossary.

    Attributes:
        name: as the glossary writes it, « règlement général… (RGPD) ».
        anchor: its identifier in the glossary.
        definition: its first sentence.
    """

    name: str
    anchor: str
    definition: str

    @property
    def slug(self) -> str:
        """Identifier of the term on a page, after « mot- » or « vers- »."""
        return str(nodes.make_id(self.name))


class _Use(NamedTuple):
    """One use of a term: a link, or a stretch of a text."""

    place: int
    term: Term
    node: nodes.Node
    start: int
    end: int

    @property
    def is_link(self) -> bool:
        return isinstance(self.node, nodes.reference)


def forms(name: str, acronyms: Iterable[str] = ()) -> str:
    """Write a pattern for a term, whatever its number and its gender.

    The first word is a noun and takes a plural; those that follow also take a feminine.
    The capital of a sentence's beginning is accepted; an acronym keeps its own.
    """
    match = _LONG_NAME.match(name)
    long, short = (match[1], [match[2]]) if match else (name, [])
    words = [one for one in re.split(r"[\s’'-]+", long) if one]
    joints = re.findall(r"[\s’'-]+", long)
    pattern = ""
    for place, word in enumerate(words):
        pattern += (_joint(joints[place - 1]) if place else "") + _word(word, noun=place == 0)
    return "|".join([pattern, *(re.escape(one) for one in [*short, *acronyms])])


def _joint(text: str) -> str:
    return r"\s*[’']\s*" if text.strip() in {"’", "'"} else (r"\s+" if text.isspace() else "-")


def _word(word: str, noun: bool) -> str:
    """Pattern of one word with its endings, its first letter in any case."""
    if word.lower() in _SMALL or word.isupper():
        return re.escape(word)
    base = re.sub(r"(?<=\w\w)s$", "", word)
    if base.endswith("al"):
        ends = rf"{re.escape(base[:-2])}(?:al|aux|ale|ales)"
    elif base.endswith("ale") and not noun:
        ends = rf"{re.escape(base[:-3])}(?:al|aux|ale|ales)"
    elif base.endswith("eau") or base.endswith("eu"):
        ends = rf"{re.escape(base)}x?"
    elif base.endswith("eur"):
        ends = rf"{re.escape(base[:-3])}(?:eur|eurs|rice|rices|euse|euses)"
    elif base.endswith("if"):
        ends = rf"{re.escape(base[:-2])}(?:ifs?|ives?)"
    elif base.endswith(("ée", "te", "le")) and not noun:
        ends = rf"{re.escape(base[:-1])}e?s?"
    elif base.endswith("e"):
        ends = rf"{re.escape(base)}s?"
    else:
        ends = rf"{re.escape(base)}e?s?"
    first = ends[0]
    return f"[{first.upper()}{first.lower()}]{ends[1:]}" if first.isalpha() else ends


def glossary(environment: BuildEnvironment) -> list[Term]:
    """Read the terms from the glossary's page, without those that everyone knows."""
    if GLOSSARY not in environment.all_docs:
        return []
    meta = environment.metadata[GLOSSARY].get(COMMON, [])
    common = set(json.loads(meta) if isinstance(meta, str) else meta)
    found = []
    for item in environment.get_doctree(GLOSSARY).findall(nodes.definition_list_item):
        definition = next(item.findall(nodes.definition), None)
        if not isinstance(item.parent.parent, addnodes.glossary) or definition is None:
            continue
        first = next(iter(sentences(" ".join(definition.astext().split(" \n")))), "")
        for term in item.findall(nodes.term):
            name = term.astext()
            if name not in common:
                found.append(Term(name, term["ids"][0], " ".join(first.split("\n"))))
    return found


def _mark_terms(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Mark the terms of a page, and list them at its end."""
    if page in {GLOSSARY, app.config.root_doc} or app.builder.format != "html":
        return
    terms = glossary(app.env)
    chosen = _chosen(list(_first_uses(doctree, terms, _acronyms(app, terms))))
    if not chosen:
        return
    _mark([use for use in chosen if not use.is_link])
    for use in chosen:
        if use.is_link:
            _as_mark(cast(nodes.reference, use.node), use.term)
    builder = cast(StandaloneHTMLBuilder, app.builder)
    link = builder.get_relative_uri(page, GLOSSARY)
    last = next(doctree.findall(nodes.section), doctree)
    last += _list([use.term for use in chosen], link)


def _acronyms(app: Sphinx, terms: list[Term]) -> dict[str, list[str]]:
    """Acronyms that a term explains under another name."""
    path = Path(app.srcdir) / "book"
    found: dict[str, list[str]] = {}
    for acronym, term in load_acronyms(path).terms.items():
        found.setdefault(term, []).append(acronym)
    return {term.name: found.get(term.name, []) for term in terms}


def _first_uses(
    doctree: nodes.document, terms: list[Term], acronyms: dict[str, list[str]]
) -> Iterator[_Use]:
    """Yield the first use of each term, in reading order."""
    by_anchor = {term.anchor: term for term in terms}
    longest = sorted(terms, key=lambda term: -len(term.name))
    pattern = re.compile(
        "|".join(
            rf"(?P<t{place}>(?<![\w-])(?:{forms(term.name, acronyms[term.name])})(?![\w-]))"
            for place, term in enumerate(longest)
        )
        or r"(?!)"
    )
    seen: set[str] = set()
    for place, node in enumerate(doctree.findall()):
        uses: list[_Use] = []
        if isinstance(node, nodes.reference):
            page, _, anchor = unquote(node.get("refuri", "")).partition("#")
            if page.endswith(f"{Path(GLOSSARY).name}.html") and anchor in by_anchor:
                uses = [_Use(place, by_anchor[anchor], node, 0, 0)]
        elif isinstance(node, nodes.Text) and not _is_apart(node):
            uses = [
                _Use(place, longest[int(cast(str, match.lastgroup)[1:])], node, *match.span())
                for match in pattern.finditer(node)
            ]
        for use in uses:
            if use.term.name not in seen:
                seen.add(use.term.name)
                yield use


def _is_apart(node: nodes.Node) -> bool:
    """Whether a text is not running text."""
    parent = node.parent
    while parent is not None:
        if isinstance(parent, _NOT_TEXT) or _is_caption(parent):
            return True
        if any(_NOT_TEXT_CLASS.match(one) for one in parent.get("classes", ())):
            return True
        parent = parent.parent
    return False


def _is_caption(node: nodes.Element) -> bool:
    """Whether it is the output of a cell that draws: its words are the figure's title."""
    return _OUTPUT in node.get("classes", ()) and any(node.findall(nodes.image))


def _chosen(uses: list[_Use]) -> list[_Use]:
    """Keep at most `MOST` terms: those that the page links, then in reading order."""
    kept = sorted(uses, key=lambda use: (not use.is_link, use.place, use.start))[:MOST]
    return sorted(kept, key=lambda use: (use.place, use.start))


def _mark(uses: list[_Use]) -> None:
    """Put the marks in the texts."""
    by_node: dict[int, list[_Use]] = {}
    for use in uses:
        by_node.setdefault(id(use.node), []).append(use)
    for group in by_node.values():
        text = str(group[0].node)
        pieces: list[nodes.Node] = []
        done = 0
        for use in group:
            pieces.append(nodes.Text(text[done : use.start]))
            link = nodes.reference("", text[use.start : use.end])
            _as_mark(link, use.term)
            pieces.append(link)
            done = use.end
        pieces.append(nodes.Text(text[done:]))
        parent = cast(nodes.Element, group[0].node.parent)
        parent.replace(group[0].node, [one for one in pieces if one.astext()])


def _as_mark(link: nodes.reference, term: Term) -> None:
    """Make a link lead to the list of the page."""
    words = link.astext()
    link.clear()
    link += nodes.Text(words)
    if "refuri" in link:
        del link["refuri"]
    link["refid"] = f"mot-{term.slug}"
    link["ids"] = [f"vers-{term.slug}"]
    link["classes"] = [MARK]
    link["internal"] = True


def _list(terms: list[Term], glossary_link: str) -> nodes.section:
    section = nodes.section("", nodes.title("", TITLE), ids=[SECTION])
    items = "".join(
        f'<dt id="mot-{term.slug}"><a href="#vers-{term.slug}" aria-label="{escape(term.name)}, revenir au texte">{escape(term.name)}</a></dt>'
        f'<dd data-glossaire="{escape(glossary_link)}#{escape(term.anchor)}">'
        f"{escape(term.definition, quote=False)}</dd>"
        for term in terms
    )
    section += nodes.raw("", f'<dl class="cd-mots">{items}</dl>', format="html")
    section += nodes.raw(
        "",
        f'<p class="cd-mots-suite">Touchez un mot pour revenir au texte. Plus de détails{NO_BREAK_SPACE}: '
        f'<a href="{escape(glossary_link)}">le glossaire</a>.</p>',
        format="html",
    )
    return section


def setup(app: Sphinx) -> None:
    """Mark the terms once a page's links are resolved."""
    app.connect("doctree-resolved", _mark_terms, priority=900)
