"""What the slides of a module hold: its notebook's stored outputs, its sheet's script as notes.

One column of slides a step of the script, from the cell that the step names; in it, one
slide below the other. Code and the agent's level stay out.
"""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from html import escape
from itertools import pairwise
from math import ceil
from typing import Any, NamedTuple

import nbformat
from bs4 import BeautifulSoup, Tag
from docutils import nodes
from markdown_it import MarkdownIt

from culture_d.curriculum import Module
from culture_d.errors import SlidesError
from culture_d.french import typeset
from culture_d.project import Project
from culture_d.sheets import ACTIVITY, ScriptStep, module_script, sheet_sections

LAST = "## À retenir"
"""Heading of the last cell shown: what follows is for who goes further."""
PICTURE = "image/svg+xml"
# Of a slide of 1280 × 720 pixels, in the sizes of `slides.css`. Chromium has the last word
# (`culture_d.slides.check`).
ROOM = 500
TABLE_ROOM = 530
# Below, larger letters.
SHORT = 300
_SIGNS_A_LINE = 66
_LINE, _GAP = 46, 16
_CELL_LINE, _CELL_GAP = 32, 13
_MARKDOWN = MarkdownIt("commonmark")
# Height on width above which a figure's words are small: its table follows it.
TALL = 1.15
# Said to who reads alone.
_FOR_READERS = re.compile(r"Répondez avant de regarder|\w+ questions, sans note")
# The printed half-page « À retenir »: three sentences, then what to ask.
_QUESTIONS = "Les questions à poser"
# Advice of the sheet, and the cell of the notebook in whose step it serves.
_NOTES = {
    "Ce qui coince": "intuition",
    "Sans ordinateur": "essai",
    "Trois questions clés": "lecture",
}
_DIRECTIVE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_TOOL = 'class="outil"'
_AFTER_VOTE = (
    "<p><strong>Ensuite, la flèche droite.</strong> La diapositive du dessous donne la réponse.</p>"
)


@dataclass(frozen=True)
class Slide:
    """One slide: the cell it comes from, its title, its HTML, what the trainer reads.

    `first` tells that a step of the script begins here; `kind` names its layout.
    """

    cell: str
    title: str
    body: str
    notes: str = ""
    kind: str = "texte"
    first: bool = False
    badge: str = ""


class Block(NamedTuple):
    """A piece of HTML and the height it takes, in pixels; notes that go with it.

    `alone` names the layout of a block that has a slide to itself; `follows` keeps another
    one beside the text before it; `title` names the next slides, and holds nothing else.
    """

    html: str
    height: int
    notes: str = ""
    alone: str = ""
    follows: bool = False
    title: str = ""


@dataclass
class _Flow:
    """Slides being filled, from the cells of a notebook in order."""

    slides: list[Slide] = field(default_factory=list)
    title: str = ""
    waiting: list[tuple[str, Block]] = field(default_factory=list)

    @property
    def used(self) -> int:
        """Height of what waits for its slide."""
        return sum(block.height for _, block in self.waiting)

    def add(self, block: Block, cell: str) -> None:
        """Put a block after the others, or on a slide of its own."""
        if block.title:
            self.close()
            self.title = block.title
        elif block.alone:
            self.close()
            self.slides.append(Slide(cell, self.title, block.html, block.notes, block.alone))
        else:
            self.waiting.append((cell, block))

    def close(self) -> None:
        """Lay what waits on as few slides as it needs, about as full as each other."""
        count = ceil(self.used / ROOM)
        while self.waiting:
            even = self.used / count
            taken, height = 1, self.waiting[0][1].height
            while taken < len(self.waiting):
                more = self.waiting[taken][1].height
                if height + more > ROOM or (count > 1 and height + more / 2 > even):
                    break
                taken, height = taken + 1, height + more
            run, self.waiting = self.waiting[:taken], self.waiting[taken:]
            html = "".join(block.html for _, block in run)
            notes = "".join(block.notes for _, block in run)
            kind = "court" if height <= SHORT and "<table" not in html else "texte"
            self.slides.append(Slide(run[0][0], self.title, html, notes, kind))
            count = max(count - 1, ceil(self.used / ROOM))


def module_slides(project: Project, module: Module) -> list[Slide]:
    """Return the slides of a module, in order, the first one its title.

    Raises:
        SlidesError: a step of the script names no cell, or one out of order.
        SheetError: the sheet has no script that can be read.
    """
    path = project.root / f"{module.document}.ipynb"
    cells = _shown(nbformat.read(path, as_version=4).cells)
    steps = module_script(project, module)
    anchors = _anchors(steps, [cell.id for cell in cells], module)
    flow = _Flow()
    for cell in cells:
        _read_cell(flow, cell, module, cell.id in anchors)
    flow.close()
    sections = sheet_sections(project, module.slug)
    return _with_steps(_cover(module, sections), flow.slides, steps, anchors, cells, sections)


def _shown(cells: list[Any]) -> list[Any]:
    """Keep the cells down to « À retenir »."""
    for place, cell in enumerate(cells):
        if cell.cell_type == "markdown" and cell.source.startswith(LAST):
            return cells[: place + 1]
    return cells


def _read_cell(flow: _Flow, cell: Any, module: Module, anchored: bool) -> None:
    if anchored:
        flow.close()
    if cell.cell_type == "markdown":
        if cell.id == "titre":
            return
        blocks: Iterable[Block] = _prose(flow, cell.source)
    else:
        blocks = list(_outputs(cell, module, flow.title))
        if flow.used > ROOM * 0.45 and not (blocks and blocks[0].follows):
            flow.close()
    for block in blocks:
        flow.add(block, cell.id)


def _prose(flow: _Flow, source: str) -> Iterator[Block]:
    """Yield the blocks of a text; a heading closes the slide and names the next ones."""
    for tag in _tags(source):
        if tag.name in {"h2", "h3", "h4"}:
            flow.close()
            flow.title = tag.get_text()
        elif not _FOR_READERS.match(tag.get_text()):
            if tag.get_text().startswith(_QUESTIONS):
                flow.close()
            yield from _split(tag)


def _outputs(cell: Any, module: Module, part: str) -> Iterator[Block]:
    title = ""
    figure = None
    outputs = [one for one in cell.outputs if "data" in one]
    pictured = any(PICTURE in one.data for one in outputs)
    for output in outputs:
        data = output.data
        if PICTURE in data:
            told = output.metadata[PICTURE]
            figure = (data[PICTURE], told["alt"], told["height"] / told["width"])
        elif "text/html" in data:
            html = BeautifulSoup(data["text/html"], "html.parser")
            if figure:
                yield _figure(*figure, title, html)
                if figure[2] > TALL:
                    yield from _table(html)
                figure = None
            else:
                yield from _component(html, module, part)
        elif pictured and not figure and data["text/markdown"].startswith("**"):
            title = data["text/markdown"].strip("*")
        else:
            for tag in _tags(data["text/markdown"]):
                if tag.name in {"h2", "h3"}:
                    yield Block("", 0, title=tag.get_text())
                else:
                    yield from _split(tag)


def _tags(markdown: str) -> list[Tag]:
    soup = BeautifulSoup(_MARKDOWN.render(typeset(markdown)), "html.parser")
    for link in soup.select("a"):
        link.unwrap()
    return [one for one in soup.children if isinstance(one, Tag)]


def _split(tag: Tag) -> Iterator[Block]:
    """Yield a block, or the pieces of one that may run over several slides."""
    if tag.name in {"ul", "ol"}:
        for rank, item in enumerate(tag.find_all("li", recursive=False), start=1):
            start = f' start="{rank}"' if tag.name == "ol" else ""
            yield Block(f"<{tag.name}{start}>{item}</{tag.name}>", _height(item.get_text()))
    elif tag.name == "blockquote":
        for piece in tag.find_all(recursive=False):
            for block in _split(piece):
                yield block._replace(html=f"<blockquote>{block.html}</blockquote>")
    elif tag.name == "p":
        yield Block(str(tag), _height(tag.get_text()))
    else:
        yield Block(str(tag), _height(tag.get_text()))


def _height(text: str, signs: int = _SIGNS_A_LINE, line: int = _LINE, gap: int = _GAP) -> int:
    return ceil(max(len(text.strip()), 1) / signs) * line + gap


def _figure(svg: str, alternative: str, ratio: float, title: str, html: BeautifulSoup) -> Block:
    """A figure beside its answer, which comes second: the room guesses first."""
    source = "".join(str(one) for one in html.select(".cd-source"))
    image = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    words = escape(typeset(title))
    return Block(
        f'<img src="data:{PICTURE};base64,{image}" alt="{escape(alternative)}">'
        f'<div class="lecture"><p class="reponse fragment">{words}</p>{source}</div>',
        ROOM,
        alone="figure",
    )


def _component(html: BeautifulSoup, module: Module, part: str) -> Iterator[Block]:
    """Yield the blocks of what the notebook shows otherwise than as text."""
    root = html.find(True)
    if not isinstance(root, Tag):
        return
    kinds: Any = root.get("class") or []
    if "cd-intuition" in kinds:
        yield from _vote(root)
    elif "cd-quiz" in kinds:
        for question in root.select(".cd-quiz-question"):
            yield _question(question)
    elif "cd-explorable" in kinds or "cd-commune" in kinds:
        yield _tool(root, module, part)
    elif "cd-tableau" in kinds:
        yield from _table(root)
    elif "cd-loi" in kinds:
        yield _law(root)


def _vote(root: Tag) -> Iterator[Block]:
    question = root.find("p")
    assert isinstance(question, Tag)
    choices = root.find_all("details")
    words = [_words(one, "summary") for one in choices]
    listed = "".join(f"<li>{escape(one)}</li>" for one in words)
    yield Block(
        f'<p class="question">{question.decode_contents()}</p><ol class="choix">{listed}</ol>',
        ROOM,
        _AFTER_VOTE,
        alone="vote",
    )
    pairs = "".join(
        f"<dt>{escape(word)}</dt><dd>{escape(_words(one, 'p'))}</dd>"
        for word, one in zip(words, choices, strict=True)
    )
    yield Block(f'<dl class="reponses">{pairs}</dl>', ROOM, alone="reponses")


def _words(root: Tag, name: str) -> str:
    found = root.find(name)
    return found.get_text() if isinstance(found, Tag) else ""


def _question(root: Tag) -> Block:
    stated = root.select_one(".cd-quiz-enonce span:last-child")
    assert stated
    answers = [one.decode_contents() for one in root.select("ul.cd-quiz-reponses li")]
    listed = "".join(f"<li>{one}</li>" for one in answers)
    instruction = root.select_one(".cd-quiz-consigne")
    told = f'<p class="consigne">{instruction.get_text()}</p>' if instruction else ""
    explained = root.select_one(".cd-quiz-corrige")
    for summary in explained.select("summary") if explained else []:
        summary.decompose()
    notes = explained.decode_contents() if explained else ""
    shown = f'<ol class="choix">{listed}</ol>' if listed else ""
    tall = _height(stated.get_text(), 56, 50, 28) + sum(
        _height(BeautifulSoup(one, "html.parser").get_text(), 58, _LINE, 44) for one in answers
    )
    if tall > ROOM + 10:
        shown = shown.replace("choix", "choix serre")
    body = f'<p class="question">{stated.decode_contents()}</p>{told}{shown}'
    return Block(body, ROOM, f"<p><strong>Les réponses.</strong></p>{notes}", "vote")


def _tool(root: Tag, module: Module, part: str) -> Block:
    """The way to a tool: the part of the lesson that has it, beside the slides."""
    told = root.select_one(".cd-voir")
    heading = root.select_one(".cd-titre")
    name = heading.get_text() if heading else "Cherchez votre commune."
    address = f"../cours/{module.document}.html#{nodes.make_id(part)}"
    return Block(
        f'<p {_TOOL}><span>{escape(name)}</span> <a href="{address}" target="_blank">'
        "Ouvrir le module dans le cours (nouvel onglet)</a></p>",
        2 * _LINE + 3 * _GAP,
        f"<p>{told.decode_contents()}</p>" if told else "",
        follows=True,
    )


def _table(root: Tag) -> Iterator[Block]:
    """Yield a table: in small letters, then cut between two rows, where it is too long."""
    table = root.find("table")
    assert isinstance(table, Tag)
    rows = table.select("tbody tr")
    wide = len(table.select("thead th")) > 4
    for dense in [True] if wide else [False, True]:
        head, *heights = _row_heights(table, dense)
        if head + sum(heights) <= TABLE_ROOM:
            yield Block(_part(table, rows, "", dense), min(head + sum(heights), ROOM))
            return
    head, *heights = _row_heights(table, wide)
    count = ceil(sum(heights) / (TABLE_ROOM - head))
    each = ceil(len(rows) / count)
    for start in range(0, len(rows), each):
        suffix = " (suite)" if start else ""
        html = _part(table, rows[start : start + each], suffix, wide)
        yield Block(html, min(head + sum(heights[start : start + each]), ROOM))


def _row_heights(table: Tag, dense: bool) -> list[int]:
    """Guess the height of a table's head, title included, then of each row.

    As a browser does: columns share the width by their longest cell.
    """
    signs, line = (98, 27) if dense else (78, _CELL_LINE)
    lengths = [
        [len(cell.get_text()) for cell in row.find_all(["th", "td"])] for row in table.select("tr")
    ]
    longest = [max(column) for column in zip(*lengths, strict=True)]
    share = min(signs / sum(longest), 1)
    widths = [max(length * share, 1) for length in longest]
    heights = [
        max(ceil(length / width) for length, width in zip(row, widths, strict=True)) * line
        + _CELL_GAP
        for row in lengths
    ]
    return [heights[0] + _LINE, *heights[1:]]


def _part(table: Tag, rows: list[Tag], suffix: str, dense: bool) -> str:
    caption, head = table.find("caption"), table.find("thead")
    title = f"<caption>{caption.get_text()}{suffix}</caption>" if isinstance(caption, Tag) else ""
    body = "".join(str(row) for row in rows)
    dense_class = ' class="dense"' if dense else ""
    return f"<table{dense_class}>{title}{head}<tbody>{body}</tbody></table>"


def _law(root: Tag) -> Block:
    title = root.select_one(".cd-loi-titre")
    words = title.get_text() if title else ""
    paragraphs = [one for one in root.find_all("p", recursive=False) if one is not title]
    rows = "".join(
        f"<dt>{escape(_words(row, 'dt'))}</dt><dd>{escape(_words(row, 'dd'))}</dd>"
        for row in root.select("dl > div")
    )
    body = "".join(str(one) for one in paragraphs)
    return Block(f"<h3>{words}</h3>{body}<dl>{rows}</dl>", ROOM, alone="loi")


def _cover(module: Module, sections: dict[str, str]) -> Slide:
    minutes = f"{module.minutes} minutes"
    body = (
        f'<p class="marque">Culture D</p><p class="question">{escape(typeset(module.question))}</p>'
        f'<p class="duree">{minutes}</p><p class="touches"><kbd>Espace</kbd> diapositive suivante '
        "· <kbd>→</kbd> étape suivante · <kbd>S</kbd> vos notes · <kbd>F</kbd> plein écran</p>"
    )
    notes = "".join(
        f"<p><strong>{name}.</strong></p>{_MARKDOWN.render(typeset(sections[name]))}"
        for name in ("Le but", "Matériel")
    )
    return Slide("titre", typeset(module.title), body, notes, "titre", first=True)


def _anchors(steps: tuple[ScriptStep, ...], cells: list[str], module: Module) -> list[str]:
    """Return the cell of each step of the script, checked.

    Raises:
        SlidesError: no cell, an unknown one, or one before that of the step before.
    """
    places = {cell: place for place, cell in enumerate(cells)}
    last = 0
    for step in steps:
        place = places.get(step.cell)
        if place is None or place < max(last, 1):
            raise SlidesError(
                f"Fiche « {module.slug} », étape « {step.text[:50]}… » : « ({step.cell}) » doit "
                "nommer une cellule du carnet, pas avant celle de l'étape précédente ni après "
                f"« À retenir ». Cellules : {', '.join(cells[1:])}."
            )
        last = place
    return [step.cell for step in steps]


def _with_steps(
    cover: Slide,
    slides: list[Slide],
    steps: tuple[ScriptStep, ...],
    anchors: list[str],
    cells: list[Any],
    sections: dict[str, str],
) -> list[Slide]:
    """Open a column at each step, with its minutes; hang the sheet's advice where it serves."""
    order = {cell.id: place for place, cell in enumerate(cells)}

    def first_from(cell: str) -> int:
        place = order.get(cell, 0)
        ranks = (rank for rank, one in enumerate(slides) if order[one.cell] >= place)
        return next(ranks, len(slides) - 1)

    starts: dict[int, list[tuple[int, ScriptStep]]] = {}
    clock = 0
    for step, anchor in zip(steps, anchors, strict=True):
        starts.setdefault(first_from(anchor), []).append((clock, step))
        clock += step.minutes
    advice: dict[int, str] = {}
    for name, cell in _NOTES.items():
        column = max((one for one in starts if one <= first_from(cell)), default=min(starts))
        words = _MARKDOWN.render(typeset(_DIRECTIVE.sub("", sections[name])))
        advice[column] = advice.get(column, "") + f"<p><strong>{name}.</strong></p>{words}"
    found = [cover, *slides[: min(starts)]]
    for start, end in pairwise([*sorted(starts), len(slides)]):
        found += _column(slides[start:end], starts[start], advice.get(start, ""), clock)
    return found


def _column(
    slides: list[Slide], steps: list[tuple[int, ScriptStep]], advice: str, end: int
) -> Iterator[Slide]:
    """Yield the slides of a step, the first one with its notes, each one with its minutes.

    Groups work before they see the answer: what they have to do is a slide of its own, unless
    the step begins with a vote or a tool.
    """
    last, step = steps[-1]
    until = last + step.minutes
    notes = "".join(
        f"<p><strong>Minutes {begin} à {begin + one.minutes}, {one.kind}.</strong> "
        f"{_MARKDOWN.renderInline(typeset(one.text))}</p>"
        for begin, one in steps
    )
    active = [one for _, one in steps if one.kind == ACTIVITY]
    badge = f"Activité · {active[0].minutes} min" if active else ""
    first, *others = slides
    works = any(one.kind == "vote" or _TOOL in one.body for one in slides[:2])
    if active and len(steps) == 1 and not works:
        words = f"<p>{_MARKDOWN.renderInline(typeset(step.text))}</p>"
        first, others = Slide(first.cell, first.title, words, kind="court"), slides
    yield replace(first, first=True, badge=badge, notes=notes + first.notes + advice)
    after = f" Minute {until} : flèche droite." if until < end else ""
    going_on = f"<p>Minutes {steps[0][0]} à {until}, suite.{after}</p>"
    yield from (replace(one, notes=going_on + one.notes) for one in others)
