"""French words for click's own messages.

click asks gettext for each of them and ships no translation. Its modules hold
gettext under the name `_`: that name is what we replace.
"""

import gettext
from typing import Any

MESSAGES = {
    "Usage:": "Usage :",
    "Options": "Options",
    "Commands": "Commandes",
    "Positional arguments": "Arguments",
    "Show this message and exit.": "Afficher cette aide.",
    "Show the version and exit.": "Afficher la version.",
    "Error: {message}": "Erreur : {message}",
    "Aborted!": "Abandon.",
    "Missing argument": "Il manque l'argument",
    "Missing option": "Il manque l'option",
    "Missing parameter": "Il manque le paramètre",
    "Missing command.": "Il manque la commande.",
    "No such option {name!r}.": "Option inconnue : {name!r}.",
    "No such command {name!r}.": "Commande inconnue : {name!r}.",
    "Option {name!r} does not take a value.": "L'option {name!r} n'attend pas de valeur.",
    "Option {name!r} requires an argument.": "L'option {name!r} attend une valeur.",
    "Try '{command} {option}' for help.": "Essayez « {command} {option} » pour l'aide.",
    "Invalid value: {message}": "Valeur refusée : {message}",
    "Invalid value for {param_hint}: {message}": "Valeur refusée pour {param_hint} : {message}",
    "{value!r} is not a valid {number_type}.": "{value!r} n'est pas un nombre entier.",
    "{value!r} does not match the format {format}.": "{value!r} n'est pas une date AAAA-MM-JJ.",
    "{value!r} does not match the formats {formats}.": "{value!r} n'est pas une date AAAA-MM-JJ.",
    "Got unexpected extra argument ({args})": "Argument en trop : {args}",
    "Got unexpected extra arguments ({args})": "Arguments en trop : {args}",
    "Did you mean {possibility}?": "Vouliez-vous dire {possibility} ?",
    "(Did you mean one of: {possibilities}?)": "(Vouliez-vous dire : {possibilities} ?)",
    "default: {default}": "par défaut : {default}",
    "env var: {var}": "variable : {var}",
}


def install() -> None:
    """Make click speak French in this process."""
    import click.core
    import click.decorators
    import click.exceptions
    import click.formatting
    import click.parser
    import click.types

    def one(message: str) -> str:
        return MESSAGES.get(message, gettext.gettext(message))

    def several(singular: str, plural: str, count: int) -> str:
        return one(singular if count < 2 else plural)

    modules: tuple[Any, ...] = (
        click.core,
        click.decorators,
        click.exceptions,
        click.formatting,
        click.parser,
        click.types,
    )
    for module in modules:
        if hasattr(module, "_"):
            module._ = one
        if hasattr(module, "ngettext"):
            module.ngettext = several
