"""What a notebook of the course calls, under French names since readers see it.

from culture_d.notebook import *
"""

from collections.abc import Mapping

import pandas as pd
from IPython.display import display

from culture_d.badge import badge
from culture_d.catalogue import KINDS, frequency_label, limit_label, load_dataset
from culture_d.commune_lines import placeholder, plain_text
from culture_d.errors import DepartementTooSmall, UnknownDepartement
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
from culture_d.french import accord, date_longue, nombre, pourcent, typeset
from culture_d.law_card import card_html, card_text
from culture_d.laws import load_laws, typeset_law
from culture_d.project import Project
from culture_d.quiz import (
    Guess,
    Item,
    Question,
    Quiz,
    chiffrer,
    choisir,
    cocher,
    element,
    faux,
    juste,
    need_name,
    ranger,
)
from culture_d.quiz_html import guess_html, guess_text, quiz_html, quiz_text

__all__ = [
    "BLEU",
    "ENCRE",
    "GRIS",
    "VERMILLON",
    "VERT",
    "accord",
    "afficher_figure",
    "axe_en_francais",
    "carte_loi",
    "chiffrer",
    "choisir",
    "cocher",
    "date_longue",
    "element",
    "faux",
    "fiche",
    "intuition",
    "juste",
    "ma_commune",
    "mon_territoire",
    "nombre",
    "phrase",
    "pourcent",
    "quiz",
    "ranger",
    "style",
    "tableau",
]


def phrase(texte: str) -> None:
    """Show a sentence whose numbers were computed (Markdown), with no-break spaces."""
    texte = typeset(texte)
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
        ("Quand le fichier source a-t-il été publié ?", date_longue(dataset.published)),
        ("Rythme de mise à jour", frequency_label(dataset.frequency)),
        (limit_label(dataset).capitalize(), date_longue(dataset.valid_until)),
        ("Données réelles ou simulées ?", KINDS[dataset.kind]),
        ("Licence", dataset.licence),
    ]
    table = pd.DataFrame(rows, columns=["Question", "Réponse"])
    html = table_html(table, dataset.title) + badge(dataset)
    display({"text/html": html, "text/plain": table.to_string(index=False)}, raw=True)


def carte_loi(nom: str) -> None:
    """Show a law card of the course, as on its pages.

    Raises:
        LawError: no such card, or cards that are not what they should be.
    """
    card = load_laws().card(nom)
    display({"text/html": card_html(card), "text/plain": typeset_law(card_text(card))}, raw=True)


def intuition(question: str, choix: Mapping[str, str], nom: str = "intuition") -> None:
    """Ask for a guess: the reader picks an answer, then reads why. Nothing is scored.

    Args:
        question: one sentence.
        choix: explanation of each possible answer, right or wrong.
        nom: name of the question, if the page asks for another guess.

    Raises:
        QuizError: a question that cannot be published as it is written.
    """
    need_name(nom)
    guess = Guess(question, tuple(Item(answer, why) for answer, why in choix.items()))
    display({"text/html": guess_html(guess, nom), "text/plain": guess_text(guess)}, raw=True)


def quiz(nom: str, *questions: Question) -> None:
    """Show questions that the reader checks alone, each answer with its explanation.

    Args:
        nom: name of the quiz, that no other has on the page.
        questions: made by `choisir`, `cocher`, `ranger` or `chiffrer`.

    Raises:
        QuizError: a quiz that cannot be published as it is written.
    """
    made = Quiz(nom, questions)
    display({"text/html": quiz_html(made), "text/plain": quiz_text(made)}, raw=True)


def ma_commune(*lignes: str) -> None:
    """Leave room for lines on the commune that the reader chose on « Ma commune ».

    Args:
        lignes: among « population », « rang », « semblables », « epci »; all by default.

    Raises:
        UnknownCommuneLine: another name, or the same one twice.
    """
    # A notebook is at notebooks/<part>/ on the site.
    html = placeholder(lignes, "../../")
    display({"text/html": html, "text/plain": plain_text(lignes)}, raw=True)


def mon_territoire(
    code: str, communes: pd.DataFrame, departements: pd.DataFrame
) -> tuple[str, pd.DataFrame]:
    """Return the name of a département, and the rows of its communes.

    Args:
        code: as text ("01", "2A", "974").
        communes: the table of communes (column « departement »).
        departements: the table of départements (columns « code » and « nom »).

    Raises:
        UnknownDepartement: no such code; the message says what one looks like.
        DepartementTooSmall: a single commune, so nothing to compare (Paris).
    """
    names = dict(zip(departements["code"], departements["nom"], strict=True))
    if code not in names:
        raise UnknownDepartement(
            f"Le département « {code} » est inconnu. Un code de département est un texte entre "
            "guillemets, comme « 01 », « 2A », « 59 » ou « 974 »."
        )
    rows = communes[communes["departement"] == code]
    if len(rows) < 2:
        raise DepartementTooSmall(
            f"{names[code]} ({code}) n'a qu'une commune : sa moyenne et sa médiane sont égales. "
            "Choisissez un autre département, par exemple « 92 » ou « 80 »."
        )
    return str(names[code]), rows
