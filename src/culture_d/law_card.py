"""One law card as HTML: the same in a page and under a notebook's cell.

Nothing in it depends on the day it is written: a notebook stores it. The site adds, when
it is built and again in the browser, the warning of a card that is overdue.
"""

import re
from datetime import date
from html import escape

from culture_d.french import NO_BREAK_SPACE, date_longue
from culture_d.laws import Card, typeset_law

CERTAINTIES = {"text": "texte lu", "source": "source publique"}
_ARTICLE = re.compile(r"\b[A-Z]?\d+(?:-\d+)+\b")
NOTICE = "Un repère pour décider, pas un conseil juridique."
NOTICE_HTML = f'<p class="cd-loi-avis">{NOTICE}</p>'


def certainty(card: Card) -> str:
    """Say in words how sure a card is: « texte lu », « à vérifier : … »."""
    said = CERTAINTIES.get(card.certainty, "")
    if card.doubt is None:
        return said
    doubt = f"à vérifier : {card.doubt[0].lower()}{card.doubt[1:]}"
    return f"{said} ; {doubt}" if said else doubt


def dates(card: Card) -> str:
    """Say when a card was checked (the month is what is known) and when it must be again."""
    month = date_longue(card.checked).partition(" ")[2]
    return f"Vérifié en {month}, à revérifier avant le {date_longue(card.recheck_by)}."


def card_html(card: Card) -> str:
    """Write a card; the same bytes for the same card, whatever the day."""
    facts = [
        ("Pour qui", _html(card.who)),
        ("Seuil", _html(card.threshold)),
        ("Date d'effet", date_longue(card.since) if card.since else ""),
        ("Référence", reference_html(card)),
        ("Certitude", _html(certainty(card))),
    ]
    lines = "".join(
        f"<div><dt>{_html(name)}</dt><dd>{html}</dd></div>" for name, html in facts if html
    )
    return (
        f'<aside class="cd-loi" role="note" aria-label="Repère de droit{NO_BREAK_SPACE}: '
        f'{_html(card.title)}" data-loi="{escape(card.id)}" '
        f'data-a-reverifier="{card.recheck_by.isoformat()}">'
        f'<p class="cd-loi-titre"><strong>{_html(card.title)}</strong></p>'
        f"<p>{_html(card.rule)}</p><dl>{lines}</dl>"
        f'<p class="cd-loi-date">{_html(dates(card))}</p>{NOTICE_HTML}</aside>'
    )


def reference_html(card: Card) -> str:
    """Write the reference; the number of an article is never cut at the end of a line."""
    return _ARTICLE.sub(r'<span class="cd-article">\g<0></span>', _html(card.reference))


def card_text(card: Card) -> str:
    """Write a card without markup, for where HTML is not shown."""
    return "\n".join(
        [
            card.title,
            card.rule,
            card.threshold,
            card.reference,
            certainty(card),
            dates(card),
            NOTICE,
        ]
    )


def overdue_warning(limit: date) -> str:
    """Write the warning of a card that should have been checked again."""
    return (
        f'<strong class="cd-perime">Attention{NO_BREAK_SPACE}: ce repère devait être revérifié '
        f"avant le {date_longue(limit)}. Cherchez le texte en vigueur.</strong>"
    )


def _html(text: str) -> str:
    return escape(typeset_law(text))
