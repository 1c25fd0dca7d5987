"""Write questions as HTML that needs no script, and as plain text.

Without script and on paper, that HTML is all there is: the question, its answers as a
list, the explanations folded. `components/quiz.js` reads it and makes a form of it.
"""

from collections.abc import Iterator
from html import escape

from culture_d.french import NO_BREAK_SPACE, nombre, typeset
from culture_d.quiz import DECIMALS, Guess, Number, Order, Question, Quiz

RIGHT, WRONG = "✓ Juste.", "✗ Faux."
OTHER = "Tout autre nombre"
TO_FILL = "…" * 6


def quiz_html(quiz: Quiz) -> str:
    """Return one block that holds every question of a quiz."""
    total = len(quiz.questions)
    questions = "".join(
        _question(question, f"Question{NO_BREAK_SPACE}{rank}" if total > 1 else "")
        for rank, question in enumerate(quiz.questions, start=1)
    )
    return f'<div class="cd-quiz" id="quiz-{quiz.name}">{questions}</div>'


def guess_html(guess: Guess, name: str) -> str:
    """Return a question whose answers unfold one by one."""
    answers = "".join(
        f'<details name="quiz-{name}"><summary>{_text(one.text)}</summary>'
        f"<p>{_text(one.explanation)}</p></details>"
        for one in guess.answers
    )
    return (
        f'<div class="cd-intuition" id="quiz-{name}"><p>{_text(guess.question)}</p>{answers}</div>'
    )


def guess_text(guess: Guess) -> str:
    """Return a question and its explained answers, one a line."""
    lines = [guess.question, *(f"{one.text} : {one.explanation}" for one in guess.answers)]
    return "\n".join(lines)


def quiz_text(quiz: Quiz) -> str:
    """Return every question with its explained answers, one a line."""
    return "\n\n".join("\n".join(_lines(question)) for question in quiz.questions)


def _question(question: Question, rank: str) -> str:
    kind, instruction, answers, explained, data = _parts(question)
    heading = f'<span class="cd-quiz-rang">{rank}</span> ' if rank else ""
    folded = (
        f"{rank}{NO_BREAK_SPACE}: les réponses expliquées" if rank else "Les réponses expliquées"
    )
    return (
        f'<div class="cd-quiz-question" data-sorte="{kind}"{data}><div class="cd-quiz-base">'
        f'<p class="cd-quiz-enonce">{heading}<span>{_text(question.question)}</span></p>'
        f'<p class="cd-quiz-consigne">{instruction}</p>{answers}</div>'
        f'<details class="cd-quiz-corrige"><summary>{folded}</summary>{explained}</details></div>'
    )


def _parts(question: Question) -> tuple[str, str, str, str, str]:
    """Kind, instruction, answers, explanations and data of a question."""
    if isinstance(question, Order):
        shown = "".join(
            f'<li data-place="{place}">{_text(question.items[place].text)}</li>'
            for place in question.shown()
        )
        explained = "".join(_explained(one.text, one.explanation) for one in question.items)
        answers = f'<ul class="cd-quiz-reponses">{shown}</ul>'
        return "ranger", "Mettez ces éléments dans l’ordre.", answers, f"<ol>{explained}</ol>", ""
    if isinstance(question, Number):
        unit = f" {_text(question.unit)}" if question.unit else ""
        answers = f'<p class="cd-quiz-reponses">Votre réponse{NO_BREAK_SPACE}: {TO_FILL}{unit}</p>'
        explained = f"<ul>{''.join(_explained_numbers(question))}</ul>"
        data = f' data-unite="{_text(question.unit)}" data-tolerance="{float(question.tolerance or 0)}"'
        return "chiffrer", "Répondez par un nombre.", answers, explained, data
    listed = "".join(f"<li>{_text(str(one.value))}</li>" for one in question.answers)
    explained = "".join(
        _explained(str(one.value), one.explanation, one.right) for one in question.answers
    )
    kind, instruction = (
        ("cocher", "Cochez toutes les bonnes réponses.")
        if question.several
        else ("choisir", "Une seule réponse est juste.")
    )
    answers = f'<ul class="cd-quiz-reponses">{listed}</ul>'
    return kind, instruction, answers, f"<ul>{explained}</ul>", ""


def _explained_numbers(question: Number) -> Iterator[str]:
    near = (
        f"à {nombre(float(question.tolerance or 0), DECIMALS)} près" if question.tolerance else ""
    )
    for one in sorted(question.answers, key=lambda one: not one.right):
        value = float(one.value)
        words = question.written(value)
        if one.right and near:
            words = f"{words}, {near}"
        yield _explained(words, one.explanation, one.right, f' data-valeur="{value}"')
    yield _explained(OTHER, question.otherwise, False)


def _explained(text: str, explanation: str, right: bool | None = None, data: str = "") -> str:
    verdict = "" if right is None else f" <span>{RIGHT if right else WRONG}</span>"
    told = "" if right is None else f' data-juste="{"oui" if right else "non"}"'
    return (
        f'<li{told}{data}><strong class="cd-quiz-reponse">{_text(text)}</strong>{verdict}'
        f' <span class="cd-quiz-car">{_text(explanation)}</span></li>'
    )


def _lines(question: Question) -> Iterator[str]:
    yield question.question
    if isinstance(question, Order):
        for place, item in enumerate(question.items, start=1):
            yield f"{place}. {item.text} : {item.explanation}"
        return
    for one in question.answers:
        text = question.written(float(one.value)) if isinstance(question, Number) else one.value
        yield f"{'✓' if one.right else '✗'} {text} : {one.explanation}"
    if isinstance(question, Number):
        yield f"✗ {OTHER} : {question.otherwise}"


def _text(text: str) -> str:
    return escape(typeset(text))
