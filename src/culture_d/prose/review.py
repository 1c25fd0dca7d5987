"""Read the whole course again: built pages, texts not shown yet, exercises."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from markdown_it import MarkdownIt

from culture_d import notebooks
from culture_d.errors import ProseError
from culture_d.french import typeset
from culture_d.project import Project
from culture_d.prose.acronyms import Acronyms, acronym_faults, load_acronyms
from culture_d.prose.blocks import Block, fragment_blocks, page_blocks
from culture_d.prose.places import NOT_TEXTS, Places
from culture_d.prose.rules import Fault, block_faults
from culture_d.yaml_file import LOADER, parse_yaml

EXCEPTIONS = "relecture.yml"
# Keys whose values are French sentences, in the YAML files of `book/` and in the manifests.
TEXT_KEYS = frozenset(
    {
        *("title", "question", "outcome", "summary", "description", "label", "validUntilReason"),
        *("text", "texts", "answer", "explanation", "note", "notes", "rule", "traps", "message"),
        *("titre", "resume", "texte", "textes", "reponse", "reponses", "explication", "conseil"),
        *("regle", "pieges", "definition", "consequence", "exemple", "but", "doute", "precision"),
        *("who", "threshold", "doubt", "event", "unclear", "reference", "recheck_because"),
        *("quoi", "pourquoi", "comment", "qui", "seuil", "limite", "objet", "portee", "constat"),
    }
)
# The banner and the foot are the same everywhere: they are read once, here.
_ROOT_PAGE = "book/accueil"
_NOT_PAGES = {"index", "search"}
# Lines of nbgrader, which learners do not see.
_MARKERS = re.compile(r"^###\s+(?:BEGIN|END)\s.*$", re.MULTILINE)


class Remark(NamedTuple):
    """A fault with the page and the place to correct.

    Attributes:
        page: name without suffix, or file, by which an exception quotes it.
        place: file, with line or cell.
        heading: the title above it.
        text: the whole block.
    """

    page: str
    place: str
    heading: str
    text: str
    fault: Fault

    def sentence(self) -> str:
        """Say it in one line."""
        under = f" (sous « {self.heading} »)" if self.heading else ""
        fault = self.fault
        return f"{self.place}{under} [{fault.rule}] « {fault.words} » : {fault.advice}."


@dataclass(frozen=True)
class _Exception:
    page: str
    rule: str
    words: str
    number: int


class Review(NamedTuple):
    """What was read.

    Attributes:
        remarks: what is to correct.
        admitted: how many faults an exception admits.
        blocks: how many blocks of text were read.
    """

    remarks: tuple[Remark, ...]
    admitted: int
    blocks: int


def review(project: Project, site: Path | None = None) -> Review:
    """Read everything again.

    Args:
        project: the course.
        site: its built pages; those in place by default.

    Raises:
        ProseError: the list of acronyms or of exceptions is malformed, or an exception
            admits nothing any more.
    """
    acronyms = load_acronyms(project.book)
    places = Places(project)
    found: dict[tuple[str, str, str], Remark] = {}
    count = 0
    for page, blocks in _pages(site or project.site):
        count += len(blocks)
        for block, fault in _faults(blocks, acronyms):
            place = places.of_page(page, fault.words.rstrip("…"))
            remark = Remark(page, place, block.heading, block.text, fault)
            found.setdefault((place, fault.rule, fault.words), remark)
    for name, blocks in [*_texts(project), *_exercises(project)]:
        count += len(blocks)
        for block, fault in _faults(blocks, acronyms if name.endswith(".ipynb") else None):
            remark = Remark(name, f"{name}, {block.place}", block.heading, block.text, fault)
            found.setdefault((remark.place, fault.rule, fault.words), remark)
    remarks, admitted = _without_exceptions(list(found.values()), project.book / EXCEPTIONS)
    return Review(tuple(remarks), admitted, count)


def check(project: Project, site: Path | None = None) -> Review:
    """Read everything again, and refuse what is wrong.

    Raises:
        ProseError: every remark, one a line.
    """
    outcome = review(project, site)
    if outcome.remarks:
        lines = "\n".join(f"  {remark.sentence()}" for remark in outcome.remarks)
        raise ProseError(f"La relecture a {len(outcome.remarks)} remarque(s) :\n{lines}")
    return outcome


def _faults(blocks: list[Block], acronyms: Acronyms | None) -> Iterator[tuple[Block, Fault]]:
    for block in blocks:
        for fault in block_faults(block):
            yield block, fault
    if acronyms:
        yield from acronym_faults(blocks, acronyms)


def _pages(site: Path) -> Iterator[tuple[str, list[Block]]]:
    paths = sorted(site.rglob("*.html"))
    if not paths:
        raise ProseError(f"Aucune page dans « {site} ». Lancez « culture-d construire ».")
    for path in paths:
        name = path.relative_to(site).with_suffix("").as_posix()
        if name not in _NOT_PAGES:
            html = path.read_text(encoding="utf-8")
            yield name, page_blocks(html, chrome=name == _ROOT_PAGE)


def _texts(project: Project) -> Iterator[tuple[str, list[Block]]]:
    """Read the texts of the YAML files and manifests, even those that no page shows yet."""
    files = [path for path in sorted(project.book.glob("*.yml")) if path.name not in NOT_TEXTS]
    for path in [*files, *sorted(project.datasets.glob("*/datapackage.json"))]:
        name = path.relative_to(project.root).as_posix()
        tree = yaml.compose(path.read_text(encoding="utf-8"), Loader=LOADER)
        for line, text in _values(tree, known=False):
            yield name, fragment_blocks(escape(typeset(text), quote=False), f"ligne {line}")


def _values(node: Any, known: bool) -> Iterator[tuple[int, str]]:
    """Yield line and text of each value of a known key."""
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _values(value, key.value in TEXT_KEYS)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _values(value, known)
    elif known and isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str":
        yield node.start_mark.line + 1, node.value


def _exercises(project: Project) -> Iterator[tuple[str, list[Block]]]:
    """Read the Markdown cells of the exercises, as JupyterLab shows them."""
    markdown = MarkdownIt().enable("table")
    for path in sorted((project.exercises / "source").rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts:
            continue
        name = path.relative_to(project.root).as_posix()
        blocks: list[Block] = []
        for cell in notebooks.read(path).cells:
            if cell.cell_type == "markdown":
                html = markdown.render(_MARKERS.sub("", cell.source))
                blocks += fragment_blocks(html, f"cellule « {cell.id} »")
        yield name, blocks


def _without_exceptions(remarks: list[Remark], path: Path) -> tuple[list[Remark], int]:
    """Take away what the course admits, and count it.

    Raises:
        ProseError: an exception that admits more or less than it says.
    """
    kept, admitted = remarks, 0
    for one in _exceptions(path):
        matched = [
            remark
            for remark in kept
            if (remark.page, remark.fault.rule) == (one.page, one.rule) and one.words in remark.text
        ]
        if len(matched) != one.number:
            raise ProseError(
                f"« {path} » : l'exception « {one.words} » ({one.page}, {one.rule}) annonce "
                f"{one.number} remarque(s), la relecture en trouve {len(matched)}. "
                "Corrigez le nombre, les mots, ou retirez l'exception."
            )
        kept = [remark for remark in kept if remark not in matched]
        admitted += len(matched)
    return kept, admitted


def _exceptions(path: Path) -> Iterable[_Exception]:
    if not path.is_file():
        return []
    try:
        entries = parse_yaml(path.read_text(encoding="utf-8"))["exceptions"] or []
        for one in entries:
            if not str(one["raison"]).strip():
                raise KeyError("raison")
        return [
            _Exception(one["page"], one["regle"], one["mots"], int(one.get("nombre", 1)))
            for one in entries
        ]
    except (yaml.YAMLError, KeyError, TypeError, ValueError) as error:
        raise ProseError(
            f"« {path} » est mal formé ({error}). Chaque exception a : page, regle, mots, raison, et "
            "« nombre » s'il y en a plusieurs."
        ) from None
