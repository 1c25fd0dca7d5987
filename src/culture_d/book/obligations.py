"""What the script that sorts the law cards finds in its page: a form, three lists, the data.

All of it is hidden until the script runs; without script, the table of thresholds says
the same.
"""

from collections.abc import Iterator
from html import escape
from typing import Any

from culture_d.explorables import script_json
from culture_d.french import date_longue
from culture_d.law_card import CERTAINTIES, NOTICE, reference_html
from culture_d.laws import Card, Laws, Topic, typeset_law

# Name, label, hint, keyboard of a phone.
_AGENTS = (
    *("agents", "Nombre d'agents, en équivalent temps plein"),
    *("Deux mi-temps comptent pour un. Exemple : 12,5", "decimal"),
)
_SURFACE = (
    "surface",
    "Surface de bureaux, d'école, de salle des fêtes… du plus grand ensemble de bâtiments, "
    "en mètres carrés",
    "La loi dit « usage tertiaire ». Les bâtiments d'un même site s'additionnent. Exemple : 850",
    "decimal",
)
_POPULATION = (
    *("population", "Nombre d'habitants de votre commune"),
    *("La population municipale. Exemple : 3 480", "numeric"),
)
_GRANT = (
    *("grant", "Total versé à un même organisme en douze mois, en euros"),
    *("Exemple : 12 000", "decimal"),
)
_CONTRACT = (
    *("contract", "Montant d'un marché, en euros hors taxes"),
    *("Exemple : 45 000", "decimal"),
)
_UNKNOWN = "Ce que les données publiques ne disent pas"
_DECISION = "Une décision à prendre ?"
_PRIVACY = (
    "Chaque réponse est facultative. Elle reste dans cette page : rien n'est envoyé ni gardé."
)
_NOW = "Dès maintenant"
# What goes there (a verdict; of those who wait for something to happen, or not), and title.
_FOLDED = (
    ('data-verdict="yes" data-someday="true"', "Le jour où cela arrive"),
    ('data-verdict="check"', "À vérifier"),
    ('data-verdict="no"', "Cela ne vous concerne pas"),
)


def mount(laws: Laws, dates: tuple[str, str]) -> str:
    """Write the form, the lists and the data of the sorting page.

    Args:
        laws: the cards; those without `applies` are left out.
        dates: when the inhabitants of the reader's commune were counted, in general and in
            Mayotte.
    """
    folded = "".join(
        f'<details class="cd-tri-liste" {which}><summary><h2>{_html(title)} '
        '<span class="cd-tri-nombre"></span></h2></summary><ul></ul></details>'
        for which, title in _FOLDED
    )
    results = (
        '<section class="cd-tri-liste" data-verdict="yes" data-someday="false">'
        f'<h2>{_html(_NOW)} <span class="cd-tri-nombre"></span></h2><ul></ul></section>{folded}'
    )
    fields = [
        _fieldset(_UNKNOWN, _field(*_AGENTS), _field(*_SURFACE), _canteen()),
        _fieldset(_DECISION, _field(*_GRANT), _field(*_CONTRACT)),
    ]
    return (
        '<div class="cd-tri cd-reserve" hidden><form autocomplete="off">'
        '<h2 id="votre-commune">Votre commune</h2><p class="cd-tri-commune" hidden></p>'
        f'<div class="cd-tri-saisie">{_field(*_POPULATION)}</div>{"".join(fields)}'
        f'<p class="cd-tri-note">{_html(_PRIVACY)}</p>'
        '<p class="cd-tri-boutons"><button type="reset" class="cd-bascule">Oublier mes réponses'
        '</button> <button type="button" class="cd-bascule cd-tri-imprimer">Imprimer le résultat'
        '</button></p></form><p class="cd-tri-bilan" role="status"></p>'
        f'<div class="cd-tri-listes" hidden>{results}<p class="cd-tri-note">{_html(NOTICE)}</p></div>'
        f'<script type="application/json">{script_json(_data(laws, dates))}</script></div>'
    )


def thresholds_table(laws: Laws) -> str:
    """Write the table of every rule that has someone to apply to, topic by topic.

    Each title leads to its card, on the page of law cards beside this one.
    """
    tables = "".join(_thresholds_of(topic, laws.first_about(topic.slug)) for topic in laws.topics)
    summary = _html("Voir tous les seuils, en tableaux")
    return f'<details class="cd-donnees"><summary>{summary}</summary>{tables}</details>'


def _thresholds_of(topic: Topic, cards: tuple[Card, ...]) -> str:
    rows = "".join(
        f'<tr><th scope="row"><a href="lois.html#loi-{card.id}">{_html(card.title)}</a>'
        f"<span>{reference_html(card)}</span></th><td>{_html(card.threshold)}</td></tr>"
        for card in cards
        if card.applies
    )
    caption = _html(topic.title)
    table = (
        f'<div class="cd-tableau cd-seuils" role="region" tabindex="0" aria-label="{caption}">'
        f'<table><caption>{caption}</caption><thead><tr><th scope="col">Texte</th>'
        f'<th scope="col">Seuil</th></tr></thead><tbody>{rows}</tbody></table></div>'
    )
    return table if rows else ""


def _data(laws: Laws, dates: tuple[str, str]) -> dict[str, Any]:
    return {"dates": list(dates), "cards": list(_cards(laws))}


def _cards(laws: Laws) -> Iterator[dict[str, Any]]:
    for topic in laws.topics:
        for card in laws.first_about(topic.slug):
            if card.applies:
                yield {
                    "id": card.id,
                    "title": typeset_law(card.title),
                    "rule": typeset_law(card.rule),
                    "reference": typeset_law(card.reference),
                    "certainty": CERTAINTIES.get(card.certainty, "à vérifier"),
                    "unsure": card.certainty == "doubt",
                    "doubt": typeset_law(card.doubt or ""),
                    "since": card.since.isoformat() if card.since else "",
                    "recheck": card.recheck_by.isoformat(),
                    "recheckWords": date_longue(card.recheck_by),
                    **card.applies.to_json(),
                }


def _fieldset(legend: str, *fields: str) -> str:
    return f"<fieldset><legend>{_html(legend)}</legend>{''.join(fields)}</fieldset>"


def _field(name: str, label: str, hint: str, keyboard: str) -> str:
    return (
        f'<p class="cd-tri-champ"><label for="tri-{name}">{_html(label)}</label>'
        f'<input id="tri-{name}" name="{name}" type="text" inputmode="{keyboard}" maxlength="40" '
        f'aria-describedby="tri-{name}-erreur tri-{name}-aide">'
        f'<strong id="tri-{name}-erreur" hidden></strong>'
        f'<span id="tri-{name}-aide">{_html(hint)}</span></p>'
    )


def _canteen() -> str:
    choices = (("oui", "Oui"), ("non", "Non"), ("", "Je ne sais pas"))
    radios = "".join(
        f'<label><input type="radio" name="canteen" value="{value}"{"" if value else " checked"}> '
        f"{_html(words)}</label>"
        for value, words in choices
    )
    return (
        f"<fieldset><legend>{_html('Votre commune a-t-elle une cantine scolaire ?')}</legend>"
        f'<div class="cd-tri-choix">{radios}</div></fieldset>'
    )


def _html(text: str) -> str:
    return escape(typeset_law(text))
