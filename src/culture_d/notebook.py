"""What a notebook of the course calls, under French names since readers see it.

from culture_d.notebook import *
"""

from collections.abc import Mapping
from html import escape

import pandas as pd
from IPython.display import display

from culture_d.catalogue import KINDS, frequency_label, load_dataset
from culture_d.errors import UnknownDepartement
from culture_d.figures import (
    BLEU,
    ENCRE,
    GRIS,
    VERMILLON,
    VERT,
    afficher_figure,
    axe_en_francais,
    style,
    table_html,
)
from culture_d.french import accord, date_longue, no_break, nombre, pourcent
from culture_d.project import Project

__all__ = [
    "BLEU",
    "ENCRE",
    "GRIS",
    "VERMILLON",
    "VERT",
    "accord",
    "afficher_figure",
    "axe_en_francais",
    "date_longue",
    "fiche",
    "intuition",
    "nom_du_departement",
    "nombre",
    "phrase",
    "pourcent",
    "style",
    "tableau",
]


def phrase(texte: str) -> None:
    """Show a sentence whose numbers were computed (Markdown), with no-break spaces."""
    texte = no_break(texte)
    display({"text/markdown": texte, "text/plain": texte}, raw=True)


def tableau(table: pd.DataFrame, legende: str) -> None:
    """Show a table; its first column names the rows."""
    html = table_html(table, legende)
    display({"text/html": html, "text/plain": table.to_string(index=False)}, raw=True)


def fiche(nom: str) -> None:
    """Show what to read before quoting a dataset, from its manifest.

    Raises:
        ManifestError, DatasetError: the manifest or the file is not what it should be.
    """
    dataset = load_dataset(Project.find().datasets / nom)
    dataset.verify()
    rows = [
        ("Qui les produit ?", dataset.producer),
        ("De quand datent les faits ?", dataset.vintage),
        ("Depuis quand ce fichier est-il publié ?", date_longue(dataset.published)),
        ("Rythme de mise à jour", frequency_label(dataset.frequency)),
        ("Jusqu'à quand les citer ?", date_longue(dataset.valid_until)),
        ("Données réelles ou simulées ?", KINDS[dataset.kind]),
        ("Licence", dataset.licence),
    ]
    tableau(pd.DataFrame(rows, columns=["Question", "Réponse"]), dataset.title)


def intuition(question: str, choix: Mapping[str, str]) -> None:
    """Ask for a guess; each answer unfolds its own explanation, without script.

    Args:
        question: one sentence.
        choix: explanation of each possible answer, right or wrong.
    """
    answers = "".join(
        f'<details name="intuition"><summary>{escape(no_break(answer))}</summary>'
        f"<p>{escape(no_break(explanation))}</p></details>"
        for answer, explanation in choix.items()
    )
    html = f'<div class="cd-intuition"><p>{escape(no_break(question))}</p>{answers}</div>'
    lines = "\n".join(f"{answer} : {explanation}" for answer, explanation in choix.items())
    display({"text/html": html, "text/plain": f"{question}\n{lines}"}, raw=True)


def nom_du_departement(code: str, departements: pd.DataFrame) -> str:
    """Return the name of a département.

    Args:
        code: as text ("01", "2A", "974").
        departements: the table of départements (columns « code » and « nom »).

    Raises:
        UnknownDepartement: says what a code looks like.
    """
    names = dict(zip(departements["code"], departements["nom"], strict=True))
    if code not in names:
        raise UnknownDepartement(
            f"Le département « {code} » est inconnu. Un code de département est un texte entre "
            "guillemets, comme « 01 », « 2A », « 59 » ou « 974 »."
        )
    return str(names[code])
