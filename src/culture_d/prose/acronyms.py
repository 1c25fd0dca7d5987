"""The acronyms of the course (`book/sigles.yml`), expanded at their first use on a page."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from culture_d.errors import ProseError, reason
from culture_d.prose.blocks import OBJECT, Block, without_addresses
from culture_d.prose.rules import Fault, excerpt
from culture_d.yaml_file import parse_yaml

NAME = "sigles.yml"
RULE = "sigle"
_CAPITALS = re.compile(r"(?<![\w-])[A-ZÀ-ÖØ-Þ]{2,}(?!\w)")
# Numbers of centuries, chapters and annexes.
_ROMAN = re.compile(r"^(?=.)X{0,3}(?:IX|IV|V?I{0,3})$")


@dataclass(frozen=True)
class Acronyms:
    """The acronyms, and the names in capitals that need no expansion.

    Attributes:
        expansions: each acronym with its accepted expansions, the one to write first.
        names: written in capitals, known or not shortened from anything.
        terms: the glossary term that explains an acronym, where it is another word.
    """

    expansions: dict[str, tuple[str, ...]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    terms: dict[str, str] = field(default_factory=dict)


def load_acronyms(book: Path) -> Acronyms:
    """Read `sigles.yml` in the folder of the pages.

    Raises:
        ProseError: missing or malformed; says which entry.
    """
    path = book / NAME
    try:
        content = parse_yaml(path.read_text(encoding="utf-8"))
        entries, names = content["sigles"], content["noms"]
        expansions = {str(one["sigle"]): _accepted(one) for one in entries}
        known = frozenset(str(one["nom"]) for one in names)
        terms = {str(one["sigle"]): str(one["terme"]) for one in entries if "terme" in one}
    except OSError as error:
        raise ProseError(f"« {path} » ne peut pas être lu : {reason(error)}.") from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise ProseError(
            f"« {path} » est mal formé ({error}). Il y faut une liste « sigles » (sigle, developpe) "
            "et une liste « noms » (nom, raison)."
        ) from None
    repeated = sorted({str(one["sigle"]) for one in entries if str(one["sigle"]) in known})
    repeated += sorted(
        {one for one in expansions if [str(e["sigle"]) for e in entries].count(one) > 1}
    )
    if repeated:
        raise ProseError(f"« {path} » donne deux fois : {', '.join(repeated)}. Gardez une entrée.")
    return Acronyms(expansions, known, terms)


def acronym_faults(blocks: Iterable[Block], acronyms: Acronyms) -> Iterator[tuple[Block, Fault]]:
    """Find the acronyms that a page does not explain where it first uses them.

    A title may use one, provided that the text of the page explains it.
    """
    explained: set[str] = set()
    only_titles: dict[str, Block] = {}
    for block in map(without_addresses, blocks):
        for match in _found(block.text, acronyms):
            acronym = match[0]
            words = excerpt(block.text, *match.span())
            if acronym not in acronyms.expansions and _is_a_key(block.text, match):
                continue
            if acronym not in acronyms.expansions:
                advice = (
                    f"« {acronym} » n'est pas dans « book/{NAME} » : ajoutez-le, ou développez-le"
                )
                yield block, Fault(RULE, words, advice)
            elif acronym in explained:
                continue
            elif _explains(block.text, acronyms.expansions[acronym]):
                explained.add(acronym)
            elif block.announces:
                only_titles.setdefault(acronym, block)
            else:
                explained.add(acronym)
                yield block, Fault(RULE, words, _advice(acronym, acronyms))
    for acronym, block in only_titles.items():
        if acronym not in explained:
            yield (
                block,
                Fault(RULE, excerpt(block.text, 0, len(block.text)), _advice(acronym, acronyms)),
            )


def _is_a_key(text: str, match: re.Match[str]) -> bool:
    """Whether it is a value of a file that the text explains: « FA : fiscalité additionnelle »."""
    return bool(re.match(r"[ \u00a0\u202f]?: \w", text[match.end() :]))


def _advice(acronym: str, acronyms: Acronyms) -> str:
    return f"premier emploi sur la page, écrivez « {acronyms.expansions[acronym][0]} ({acronym}) »"


def _accepted(entry: Any) -> tuple[str, ...]:
    return (str(entry["developpe"]), *(str(one) for one in entry.get("variantes", ())))


def _found(text: str, acronyms: Acronyms) -> Iterator[re.Match[str]]:
    mixed = [re.escape(one) for one in acronyms.expansions if not _CAPITALS.fullmatch(one)]
    pattern = "|".join([_CAPITALS.pattern, *(rf"(?<![\w-]){one}(?!\w)" for one in mixed)])
    for match in re.finditer(pattern, text):
        if match[0] not in acronyms.names and not _ROMAN.match(match[0]):
            yield match


def _explains(text: str, expansions: Iterable[str]) -> bool:
    said = _bare(text)
    return any(_bare(one) in said for one in expansions)


def _bare(text: str) -> str:
    """A text without capitals, accents, plurals and signs, to compare."""
    letters = unicodedata.normalize("NFD", text.lower().replace("œ", "oe"))
    plain = "".join(one for one in letters if not unicodedata.combining(one))
    words = re.findall(rf"[\w{OBJECT}]+", plain)
    singular = (re.sub(r"aux$", "al", re.sub(r"(?<=\w\w)[sx]$", "", word)) for word in words)
    return f" {' '.join(singular)} "
