"""`{quiz}` in a Markdown page: questions written as lines, each answer with its explanation.

A question is its text, then its answers, each followed by its explanation on lines set
back. Before an answer stands what it is: `( )` and `(x)` for one right answer, `[ ]` and
`[x]` for several, `1.` for a thing to put in order (in the right one), `=` for the right
number, `!` for a number that people give by mistake, `! autre` for all the others. A line
`---` stands between two questions.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

from culture_d.quiz import Answer, Choice, Item, Number, Order, Question, Quiz, QuizError
from culture_d.quiz_html import quiz_html

_NUMBER = r"[-+−]?\d[\d\s]*(?:[.,]\d+)?"
_MARKS = {
    "choisir": re.compile(r"\((?P<right>[ xX]?)\)\s+(?P<text>.*)"),
    "cocher": re.compile(r"\[(?P<right>[ xX]?)\]\s+(?P<text>.*)"),
    "ranger": re.compile(r"\d+\.\s+(?P<text>.*)"),
    "chiffrer": re.compile(r"(?P<sign>[=!])\s*(?P<text>.*)"),
}
_WRITTEN_NUMBER = re.compile(
    rf"(?P<value>{_NUMBER})\s*(?P<unit>.*?)(?:[\s,(]+à\s+(?P<near>{_NUMBER})\s+près\)?)?"
)
_BETWEEN = re.compile(r"-{3,}\s*")
_OTHER = "autre"
_IDENTIFIER = re.compile(r'<div class="cd-(?:quiz|intuition)" id="(quiz-[\w-]+)"')

logger = logging.getLogger(__name__)


@dataclass
class _Line:
    """An answer as written: its kind, its mark, its text, its explanation."""

    kind: str
    mark: str
    text: str
    explanation: list[str] = field(default_factory=list)

    @property
    def right(self) -> bool:
        return self.mark in {"x", "X", "="}

    @property
    def why(self) -> str:
        return " ".join(self.explanation)


class QuizDirective(SphinxDirective):
    """`{quiz} name`: the body holds one question or more."""

    has_content: ClassVar[bool] = True
    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Return the quiz; the page is refused if one of its questions is."""
        try:
            quiz = Quiz(self.arguments[0], read_questions("\n".join(self.content)))
        except QuizError as error:
            raise self.error(f"Page « {self.env.docname} » : {error}") from error
        return [nodes.raw("", quiz_html(quiz), format="html")]


def read_questions(text: str) -> tuple[Question, ...]:
    """Read the questions of a directive's body.

    Raises:
        QuizError: a line that is nothing known, or a question that cannot be published.
    """
    blocks: list[list[str]] = [[]]
    for line in text.splitlines():
        if _BETWEEN.fullmatch(line):
            blocks.append([])
        elif line.strip():
            blocks[-1].append(line)
    return tuple(_question(block) for block in blocks if block)


def _question(block: list[str]) -> Question:
    words, answers = _split(block)
    kinds = {one.kind for one in answers}
    if not answers:
        raise QuizError(f"Question « {words} » : aucune réponse. Ajoutez-en deux au moins.")
    if len(kinds) > 1:
        raise QuizError(
            f"Question « {words} » : ses réponses sont de plusieurs genres. "
            "Gardez un seul genre : ( ), [ ], 1. ou = et !"
        )
    kind = kinds.pop()
    if kind == "ranger":
        return Order(words, tuple(Item(one.text, one.why) for one in answers))
    if kind == "chiffrer":
        return _number(words, answers)
    made = tuple(Answer(one.text, one.right, one.why) for one in answers)
    return Choice(words, made, several=kind == "cocher")


def _split(block: list[str]) -> tuple[str, list[_Line]]:
    """Tell the question from its answers, and each answer from its explanation."""
    words: list[str] = []
    answers: list[_Line] = []
    for line in block:
        found = _answer(line)
        if found:
            answers.append(found)
        elif not answers:
            words.append(line.strip())
        elif line[0].isspace():
            answers[-1].explanation.append(line.strip())
        else:
            raise QuizError(
                f"Question « {' '.join(words)} » : la ligne « {line} » n'est ni une réponse, ni "
                "une explication. Décalez l'explication de quelques espaces."
            )
    return " ".join(words), answers


def _answer(line: str) -> _Line | None:
    for kind, pattern in _MARKS.items():
        match = pattern.fullmatch(line.rstrip())
        if match:
            marks = match.groupdict()
            mark = marks.get("right") or marks.get("sign") or ""
            return _Line(kind, mark, match["text"].strip())
    return None


def _number(words: str, lines: list[_Line]) -> Number:
    otherwise, unit, tolerance, answers = "", "", None, []
    for line in sorted(lines, key=lambda line: not line.right):
        if line.text.casefold() == _OTHER and not line.right:
            otherwise = line.why
            continue
        match = _WRITTEN_NUMBER.fullmatch(line.text)
        if match and line.right:
            unit = match["unit"].rstrip(" ,(")
            tolerance = None if match["near"] is None else _value(match["near"])
        elif not match or match["near"] or match["unit"] not in {"", unit}:
            raise QuizError(
                f"Question « {words} » : « {line.text} » ne se lit pas comme un nombre. Écrivez "
                "« = 459 habitants, à 5 près » (le nombre juste), « ! 1960 » (une erreur "
                "fréquente) ou « ! autre » (tous les autres)."
            )
        answers.append(Answer(_value(match["value"]), line.right, line.why))
    return Number(words, tuple(answers), otherwise, tolerance, unit)


def _value(text: str) -> float:
    return float(re.sub(r"\s", "", text).replace(",", ".").replace("−", "-"))


def _refuse_same_names(app: Sphinx, doctree: nodes.document, page: str) -> None:
    """Refuse two quizzes of one name on a page: their addresses would be one."""
    found = Counter(
        name for node in doctree.findall(nodes.raw) for name in _IDENTIFIER.findall(node.astext())
    )
    for name in sorted(name for name, count in found.items() if count > 1):
        logger.warning(
            f"Page « {page} » : deux quiz s'appellent « {name.removeprefix('quiz-')} ». "
            "Donnez à chacun son nom."
        )


def setup(app: Sphinx) -> None:
    """Register the directive and the check of names."""
    app.add_directive("quiz", QuizDirective)
    app.connect("doctree-resolved", _refuse_same_names)
