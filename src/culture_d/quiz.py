"""Questions that a reader checks alone: every answer, right or wrong, has its explanation.

A question that lacks one is refused when it is made, so none can be published. What
an author calls has a French name (`choisir`, `juste`…), since notebooks show it.
`quiz_html.py` writes the questions for a page.
"""

import hashlib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from culture_d.errors import CultureDError
from culture_d.french import NARROW_NO_BREAK_SPACE, NO_BREAK_SPACE, nombre

MIN_ITEMS_TO_ORDER = 3
# Figures shown after the comma, at most.
DECIMALS = 6
_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_PREPOSITIONS = {"par", "de", "du", "des", "en", "à", "sur", "pour"}
_INVARIABLE = {"fois", "mois", "pays", "cas", "avis", "temps"}
_PLURAL = re.compile(r"(?<=[^\W\d_]{2})s$")


class QuizError(CultureDError):
    """A question that cannot be published as it is written."""


@dataclass(frozen=True)
class Answer:
    """One answer, right or wrong, and why. Its value is a number only to a `Number`."""

    value: str | float
    right: bool
    explanation: str


@dataclass(frozen=True)
class Item:
    """One thing to put in its place, and why it goes there."""

    text: str
    explanation: str


@dataclass(frozen=True)
class Choice:
    """A question with one right answer or, if `several`, with all the right ones to tick.

    Raises:
        QuizError: fewer than two answers, no right or no wrong one, two right ones where one
            is wanted, an answer twice, empty or without explanation.
    """

    question: str
    answers: tuple[Answer, ...]
    several: bool = False

    def __post_init__(self) -> None:
        _need_words(self.question)
        _need_explanations(
            self.question, [(str(one.value), one.explanation) for one in self.answers]
        )
        right = sum(one.right for one in self.answers)
        if not right:
            raise _refused(self.question, "aucune réponse n'est juste. Marquez-en une comme juste")
        if right > 1 and not self.several:
            raise _refused(
                self.question,
                f"{right} réponses sont justes, au lieu d'une. "
                "Gardez-en une, ou faites-en une question à cocher",
            )
        if right == len(self.answers):
            raise _refused(self.question, "aucune réponse n'est fausse. Ajoutez-en une")


@dataclass(frozen=True)
class Guess:
    """A question asked before the lesson: nothing is right or wrong, all is explained.

    Raises:
        QuizError: fewer than two answers, or one that is empty, twice, or unexplained.
    """

    question: str
    answers: tuple[Item, ...]

    def __post_init__(self) -> None:
        _need_words(self.question)
        _need_explanations(self.question, [(one.text, one.explanation) for one in self.answers])


@dataclass(frozen=True)
class Order:
    """Things to put in order; `items` are in the right one.

    Raises:
        QuizError: fewer than three, or one that is empty, twice, or unexplained.
    """

    question: str
    items: tuple[Item, ...]

    def __post_init__(self) -> None:
        _need_words(self.question)
        _need_explanations(self.question, [(one.text, one.explanation) for one in self.items])
        if len(self.items) < MIN_ITEMS_TO_ORDER:
            raise _refused(
                self.question,
                f"{len(self.items)} éléments à ranger, au lieu de {MIN_ITEMS_TO_ORDER} au moins. "
                "Ajoutez-en",
            )

    def shown(self) -> list[int]:
        """Return the places of the items as they are first shown: never the right order.

        The same at each build: it depends on the words alone.
        """

        def mixed(place: int) -> str:
            return hashlib.sha256(f"{self.question}\n{self.items[place].text}".encode()).hexdigest()

        right = list(range(len(self.items)))
        places = sorted(right, key=mixed)
        return places if places != right else [*right[1:], right[0]]


@dataclass(frozen=True)
class Number:
    """A question answered by a number, right within `tolerance`, in `unit`.

    The answers are the right one and one mistake or more that people really make, each recognised
    within the same tolerance. `otherwise` is said of every other number.

    Raises:
        QuizError: no right answer or more than one, no mistake, a value that is not a number, a
            missing or negative tolerance, an explanation missing, two answers too near to be
            told apart.
    """

    question: str
    answers: tuple[Answer, ...]
    otherwise: str
    tolerance: float | None
    unit: str = ""

    def __post_init__(self) -> None:
        _need_words(self.question)
        if self.tolerance is None:
            raise _refused(
                self.question, "la tolérance manque. Dites à combien près la réponse est juste"
            )
        for number in (self.tolerance, *(one.value for one in self.answers)):
            if not _is_number(number):
                raise _refused(
                    self.question, f"« {number} » n'est pas un nombre. Écrivez-le en chiffres"
                )
        if self.tolerance < 0:
            raise _refused(self.question, "la tolérance est négative. Donnez zéro ou plus")
        right = [one for one in self.answers if one.right]
        if len(right) != 1:
            raise _refused(
                self.question, f"{len(right)} nombres sont justes, au lieu d'un. Corrigez"
            )
        _need_explanations(
            self.question,
            [
                *((self.written(float(one.value)), one.explanation) for one in self.answers),
                ("tout autre nombre", self.otherwise),
            ],
        )
        if len(self.answers) < 2:
            raise _refused(
                self.question,
                "aucune erreur n'est nommée. Ajoutez un nombre que l'on donne à tort",
            )
        self._need_distance()

    def _need_distance(self) -> None:
        values = sorted(float(one.value) for one in self.answers)
        for low, high in pairwise(values):
            if high - low <= 2 * float(self.tolerance or 0):
                raise _refused(
                    self.question,
                    f"« {self.written(low)} » et « {self.written(high)} » ne se distinguent pas "
                    f"à {nombre(float(self.tolerance or 0), DECIMALS)} près. "
                    "Réduisez la tolérance, ou retirez une réponse",
                )

    def written(self, value: float) -> str:
        """Write a value with its unit: « 83,9 % », « 459 habitants », « 1 habitant »."""
        if not self.unit:
            return nombre(value, DECIMALS)
        space = NARROW_NO_BREAK_SPACE if self.unit == "%" else NO_BREAK_SPACE
        return nombre(value, DECIMALS) + space + agreed(value, self.unit)


def agreed(value: float, unit: str) -> str:
    """Write a unit for a value: singular below 2, up to its first preposition, as `quiz.js` does."""
    if abs(value) >= 2:
        return unit
    words = unit.split(" ")
    end = next((rank for rank, word in enumerate(words) if word in _PREPOSITIONS), len(words))
    counted = [one if one in _INVARIABLE else _PLURAL.sub("", one) for one in words[:end]]
    return " ".join([*counted, *words[end:]])


Question = Choice | Order | Number


@dataclass(frozen=True)
class Quiz:
    """Questions shown together under a name that no other quiz of the page has.

    Raises:
        QuizError: a name with other signs than letters, figures and hyphens, no question,
            or the same one twice.
    """

    name: str
    questions: tuple[Question, ...]

    def __post_init__(self) -> None:
        need_name(self.name)
        if not self.questions:
            raise QuizError(f"Le quiz « {self.name} » n'a aucune question. Ajoutez-en une.")
        twice = _twice([one.question for one in self.questions])
        if twice:
            raise QuizError(
                f"Le quiz « {self.name} » pose deux fois la question « {twice} ». Retirez-en une."
            )


def need_name(name: str) -> None:
    """Refuse a name that cannot be part of an address.

    Raises:
        QuizError: other signs than lower-case letters without accents, figures and hyphens.
    """
    if not _NAME.fullmatch(name):
        raise QuizError(
            f"Le nom de quiz « {name} » ne convient pas. Un nom s'écrit en minuscules sans "
            "accent, avec des chiffres et des traits d'union, comme « moyenne-mediane »."
        )


def juste(reponse: str | float, explication: str) -> Answer:
    """Make a right answer."""
    return Answer(reponse, True, explication)


def faux(reponse: str | float, explication: str) -> Answer:
    """Make a wrong answer; to a number, a mistake that people really make."""
    return Answer(reponse, False, explication)


def element(texte: str, explication: str) -> Item:
    """Make one of the things to put in order."""
    return Item(texte, explication)


def choisir(question: str, *reponses: Answer) -> Choice:
    """Ask for the one right answer."""
    return Choice(question, reponses)


def cocher(question: str, *reponses: Answer) -> Choice:
    """Ask for every right answer."""
    return Choice(question, reponses, several=True)


def ranger(question: str, *elements: Item) -> Order:
    """Ask to put things in order; they are given in the right one."""
    return Order(question, elements)


def chiffrer(
    question: str,
    *reponses: Answer,
    sinon: str,
    tolerance: float | None = None,
    unite: str = "",
) -> Number:
    """Ask for a number.

    Args:
        question: one sentence.
        reponses: the right number, and the mistakes that people really make.
        sinon: what to say of every other number.
        tolerance: how far an answer may be, in `unite`.
        unite: what the number counts (« habitants », « % »).
    """
    return Number(question, reponses, sinon, tolerance, unite)


def _need_words(question: str) -> None:
    if not question.strip():
        raise QuizError("Une question est vide. Écrivez-la.")


def _need_explanations(question: str, answers: Sequence[tuple[str, str]]) -> None:
    if len(answers) < 2:
        raise _refused(question, f"{len(answers)} réponse, au lieu de deux au moins. Ajoutez-en")
    for text, explanation in answers:
        if not text.strip():
            raise _refused(question, "une réponse est vide. Écrivez-la, ou retirez-la")
        if not explanation.strip():
            raise _refused(question, f"la réponse « {text} » n'a pas d'explication. Dites pourquoi")
    twice = _twice([text for text, _ in answers])
    if twice:
        raise _refused(question, f"la réponse « {twice} » est là deux fois. Retirez-en une")


def _twice(texts: Sequence[str]) -> str | None:
    """Return the first text that is there twice, whatever its capitals and spaces."""
    seen = set()
    for text in texts:
        words = " ".join(text.casefold().split())
        if words in seen:
            return text
        seen.add(words)
    return None


def _is_number(value: object) -> bool:
    try:
        return not isinstance(value, str) and math.isfinite(float(value))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return False


def _refused(question: str, why: str) -> QuizError:
    return QuizError(f"Question « {question} » : {why}.")
