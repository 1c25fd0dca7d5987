"""Read the answers of an exercise as a person would, and mark them.

This one file is copied beside each released notebook, where the course is not
installed: standard library and pandas only, Python 3.9 or later.

A test cell builds one question per answer, calls `lire()`, which says in French
what was understood and never whether it is right, and, in its hidden part, calls
`noter()`, whose result is the points that nbgrader reads. Questions take the *name*
of the learner's variable and look it up in `__main__`: a missing variable is then
a sentence, not a traceback, and a learner's `pd`, `len` or `print` changes nothing here.

What is accepted, and decided:

- numbers: 30, 30.0, "30 %", "30,0", "1 959,9" with any space, "1 960 habitants",
  "1.959,9", "1,959.9", "1'960", 733,4 without quotes (Python makes it a pair), numpy
  scalars, one-value lists and columns; one number in a sentence, or the one before
  the unit;
- "1.960" and "1,960" (Python's and English thousands) have two readings, 1 960 and
  1,96: both are shown, the answer is right if one of them is; not for a percentage;
- of « 168306 / 124 = 1357 », the number after the sign; a percentage is not a number
  of inhabitants;
- for a percentage, a number between 0 and 1 written without « % » is a share:
  0.84 is 84 %. The reading is shown, and 0,84 % can be written "0,84 %";
- a number is right within the tolerance of the question, or when it is the
  expected value with its decimals cut; within 1 % of it, half the points;
- a ranking with one pair of neighbours swapped earns half the points;
- an association earns points line by line.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import io
import itertools
import math
import re
import sys
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandas as pd

DATA = Path(__file__).resolve().parent / "donnees"
NEAR = 0.01

_MISSING = object()
_BLANKS = {"", "...", "…", "?", "none", "a completer", "votre reponse"}
_SPACES = re.compile(r"[\s\u00a0\u2007\u2009\u200a\u202f]+")
_NUMBER = re.compile(
    r"""
    (?<![\w.,])[-+]?(?:
        \d{1,3}(?:[ ]\d{3})+(?:[.,]\d+)?(?!\d)   # 1 959,9
      | \d+(?:[.,]\d+)*(?:[eE][-+]?\d+)?         # 1959.9, 1.959,9, 2e3
      | [.,]\d+                                  # .825
    )
    """,
    re.VERBOSE,
)
# « a » is a letter of the options here, and a verb in « la moyenne a baissé ».
_ALONE_A = re.compile(
    r"^\W*a\W*$|^[\s(«\"']*a\s*(?:[.):=]|[-–—]\s)"
    r"|(?:\b(?:r[ée]ponse|lettre|option|choix|proposition|la)|[:=])\s*[(«\"']?\s*a\W*$",
    re.IGNORECASE,
)
_EQUALS = re.compile(r"=|≈|→|\bsoit\b")
_LABEL = re.compile(r"^\W*(?:r[ée]ponse|question|q)[\s_]*\d*\s*[a-e]?\s*[:=)]", re.IGNORECASE)
_SHORT_WORDS = {
    "dep": "departement",
    "dept": "departement",
    "dpt": "departement",
    "fr": "france",
    "nationale": "france",
    "med": "mediane",
    "moy": "moyenne",
    "st": "saint",
}
_DEPARTEMENT_WORDS = re.compile(
    r"\b(?:d[ée]partement|d[ée]pt?|dpt|code|num[ée]ro|n[°ºo]|fr|dans|[îi]le(?=\s+de\b)|le)\b[.°º]?"
    r"|\bno?(?=[°º]?\s*\d)[°º]?",
    re.IGNORECASE,
)
_REFUSALS = re.compile(r"\b(?:pas|ni|non|sans|ou|divise\w*|double)\b")
_ARTICLES = re.compile(
    r"\b(?:le|la|les|un|une|de|du|des|et|mon|notre|votre|c est)\b|\b[ld]\b(?= \w)"
)


class Erreur(NamedTuple):
    """A mistake people make: the answer it gives, the French hint, the points it keeps."""

    valeur: Any
    indice: str
    points: float = 0.0


LETTRES = "ABCDEFGH"


@dataclass(frozen=True)
class Lecture:
    """What was understood of an answer.

    `valeur` is None when nothing could be read: a number is the tuple of its possible
    readings, a choice a letter, a ranking a tuple of labels, an association a dict.
    """

    message: str
    valeur: Any = None
    vide: bool = False


class Points:
    """Points earned, shown as a bare number whatever the learner's display settings."""

    def __init__(self, valeur: float) -> None:
        self.valeur = float(valeur)

    def __repr__(self) -> str:
        return f"{self.valeur:.4g}"

    def __float__(self) -> float:
        return self.valeur

    def __add__(self, autre: Points) -> Points:
        return Points(self.valeur + autre.valeur)


def table(fichier: str, nombres: Iterable[str] = ()) -> pd.DataFrame:
    """Read a fresh copy of `donnees/<fichier>`: text everywhere, but the columns `nombres`."""
    frame = pd.read_csv(DATA / fichier, dtype=str, keep_default_na=False)
    for column in nombres:
        frame[column] = pd.to_numeric(frame[column])
    return frame


def ordonner(valeurs: Mapping[str, float], decroissant: bool = False) -> tuple[str, ...] | None:
    """Sort labels by value, smallest first; None when a value is missing."""
    if any(math.isnan(valeur) for valeur in valeurs.values()):
        return None
    return tuple(sorted(valeurs, key=lambda label: valeurs[label], reverse=decroissant))


def code_departement(variable: str, espace: Mapping[str, Any] | None = None) -> str:
    """Return the code of the learner's département, or "" when it cannot be used."""
    return _departement(_lookup(variable, espace)).valeur or ""


def choisir_departement(variable: str, espace: Mapping[str, Any] | None = None) -> str:
    """Say in French which département was read, and return its code ("" if none).

    Accepts a code ("80", " 80 ", "2a", 80) or a name ("Somme"). Paris, which has
    one commune only, is refused.
    """
    lecture = _departement(_lookup(variable, espace))
    _say(lecture.message)
    return lecture.valeur or ""


def ordre(code: str, nombre: int) -> tuple[int, ...]:
    """Return the order in which a département reads `nombre` statements.

    Each département has its own, always the same, so that the letters of a neighbour
    do not help; the Somme (80) keeps the order of the source.
    """
    orders = list(itertools.permutations(range(nombre)))
    digest = hashlib.sha256(f"question 3 {code}".encode()).digest()
    return orders[int.from_bytes(digest[:8], "big") % len(orders)]


def enoncer(variable: str, enonces: Sequence[str], espace: Mapping[str, Any] | None = None) -> None:
    """Print statements under the letters A, B…, in the order of the learner's département."""
    code = code_departement(variable, espace)
    if not code:
        _say("Choisissez d'abord votre département, plus haut : l'ordre des questions en dépend.")
        return
    for rank, place in enumerate(ordre(code, len(enonces))):
        _say(f"{LETTRES[rank]}. {enonces[place]}")


def lettres(code: str, nombre: int) -> tuple[str, ...]:
    """Return the letter under which each statement stands, in the order of the source."""
    order = ordre(code, nombre)
    return tuple(LETTRES[order.index(place)] for place in range(nombre))


class Question:
    """One answer of the learner, held in a variable of the notebook."""

    def __init__(self, variable: str, espace: Mapping[str, Any] | None = None) -> None:
        self.variable = variable
        self._espace = espace

    def comprendre(self) -> Lecture:
        """Read the answer; never raises."""
        valeur = _lookup(self.variable, self._espace)
        if valeur is _MISSING:
            return Lecture(
                f"La variable « {self.variable} » n'existe pas. Exécutez la cellule de réponse, "
                f"qui commence par « {self.variable} = ». "
                'Si elle affiche une erreur, mettez votre réponse entre guillemets : "…".',
                vide=True,
            )
        with _quiet():
            valeur = _unwrap(valeur)
            if _blank(valeur):
                return Lecture(
                    f"Pas encore de réponse dans « {self.variable} » : remplacez les points de "
                    "suspension par votre réponse.",
                    vide=True,
                )
            try:
                return self._read(valeur)
            except Exception as error:
                # Any object may be in a learner's variable, and raise when it is read.
                return _not_read(
                    f"cette valeur ne se lit pas ({type(error).__name__}). "
                    "Donnez un nombre ou un texte entre guillemets."
                )

    def lire(self) -> None:
        """Say in French what was understood, and whether its form can be marked."""
        _say(f"{self.variable} – {self.comprendre().message}")

    def noter(
        self,
        points: float,
        attendu: Any,
        erreurs: Iterable[Erreur] = (),
        tolerance: float = 0.0,
    ) -> Points:
        """Mark the answer out of `points`, saying the hint of a recognised mistake.

        `attendu` is None or not a number when it could not be computed: the
        learner has then not chosen a département. `tolerance` is in the unit
        of the answer, and only for numbers.
        """
        lecture = self.comprendre()
        if attendu is None or (isinstance(attendu, float) and math.isnan(attendu)):
            return self._award(0, points, "Choisissez d'abord un département, en haut du carnet.")
        if lecture.valeur is None:
            return self._award(0, points, "")
        with _quiet():
            earned, hint = self._mark(lecture.valeur, points, attendu, tuple(erreurs), tolerance)
        return self._award(min(earned, points), points, hint)

    def _award(self, earned: float, points: float, hint: str) -> Points:
        _say(f"{self.variable} – {_write(earned)} sur {_write(points)}. {hint}".rstrip())
        return Points(earned)

    def _read(self, valeur: Any) -> Lecture:
        raise NotImplementedError

    def _mark(
        self,
        lu: Any,
        points: float,
        attendu: Any,
        erreurs: tuple[Erreur, ...],
        tolerance: float,
    ) -> tuple[float, str]:
        raise NotImplementedError


class Nombre(Question):
    """A number, with its unit in words (« habitants ») or « % »."""

    def __init__(
        self, variable: str, unite: str = "", espace: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(variable, espace)
        self.unite = unite

    def _read(self, valeur: Any) -> Lecture:
        return lire_nombre(valeur, self.unite)

    def _mark(
        self,
        lu: Any,
        points: float,
        attendu: Any,
        erreurs: tuple[Erreur, ...],
        tolerance: float,
    ) -> tuple[float, str]:
        expected = float(attendu)
        if any(_same(value, expected, tolerance) for value in lu):
            return points, ""
        for erreur in erreurs:
            if any(_same(value, float(erreur.valeur), tolerance) for value in lu):
                return erreur.points, erreur.indice
        return self._mark_slip(lu, points, expected, tolerance)

    def _mark_slip(
        self, lu: Any, points: float, expected: float, tolerance: float
    ) -> tuple[float, str]:
        for factor, hint in (
            (
                1000,
                "Votre nombre est mille fois trop petit. En Python, le point marque les décimales.",
            ),
            (100, "Votre nombre est cent fois trop petit. Un pourcentage se compte sur 100."),
            (0.01, "Votre nombre est cent fois trop grand."),
            (0.001, "Votre nombre est mille fois trop grand."),
        ):
            if any(_same(value * factor, expected, tolerance) for value in lu):
                return 0, hint
        if any(abs(value - expected) <= NEAR * abs(expected) for value in lu):
            return points / 2, "Vous êtes tout près. Arrondissez moins : la question dit à combien."
        return 0, "Ce n'est pas la valeur attendue. Relisez la question et la ligne d'exemple."


class Choix(Question):
    """One letter among the options."""

    def __init__(
        self, variable: str, options: str, espace: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(variable, espace)
        self.options = options.upper()

    def _read(self, valeur: Any) -> Lecture:
        return lire_choix(valeur, self.options)

    def _mark(
        self,
        lu: Any,
        points: float,
        attendu: Any,
        erreurs: tuple[Erreur, ...],
        tolerance: float,
    ) -> tuple[float, str]:
        if lu == attendu:
            return points, ""
        for erreur in erreurs:
            if lu == erreur.valeur:
                return erreur.points, erreur.indice
        return 0, "Ce n'est pas la bonne lettre. Vérifiez votre pari par le calcul."


class Classement(Question):
    """An order of labels; each label may have other names."""

    def __init__(
        self,
        variable: str,
        elements: Mapping[str, str],
        espace: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(variable, espace)
        self.elements = elements

    def _read(self, valeur: Any) -> Lecture:
        return lire_classement(valeur, self.elements)

    def _mark(
        self,
        lu: Any,
        points: float,
        attendu: Any,
        erreurs: tuple[Erreur, ...],
        tolerance: float,
    ) -> tuple[float, str]:
        if lu == tuple(attendu):
            return points, ""
        wrong = [rank for rank, label in enumerate(attendu) if lu[rank] != label]
        swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1
        earned = points / 2 if swapped else 0.0
        for erreur in erreurs:
            if erreur.valeur is not None and lu == tuple(erreur.valeur):
                return max(earned, erreur.points), erreur.indice
        if swapped:
            return earned, "Deux voisins sont échangés. Recalculez-les."
        return 0, "Cet ordre n'est pas le bon. Calculez les quatre chiffres, puis comparez-les."


class Association(Question):
    """One choice for each line: {"A": "médiane", "B": "total"}."""

    def __init__(
        self,
        variable: str,
        lignes: str,
        choix: Mapping[str, Iterable[str]],
        espace: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(variable, espace)
        self.lignes = lignes
        self.choix = choix

    def _read(self, valeur: Any) -> Lecture:
        return lire_association(valeur, self.lignes, self.choix)

    def _mark(
        self,
        lu: Any,
        points: float,
        attendu: Any,
        erreurs: tuple[Erreur, ...],
        tolerance: float,
    ) -> tuple[float, str]:
        right = sum(lu.get(line) == choice for line, choice in attendu.items())
        hints = []
        for line in attendu:
            if line in lu and lu[line] != attendu[line]:
                known = [e.indice for e in erreurs if e.valeur == (line, lu[line])]
                hints.append(f"Ligne {line} : {(known or ['relisez la question posée.'])[0]}")
        return points * right / len(attendu), " ".join(hints)


def lire_nombre(valeur: Any, unite: str = "") -> Lecture:
    """Read a number; `valeur` of the result is the tuple of its possible readings."""
    if isinstance(valeur, bool):
        return _not_read("Python a donné Vrai ou Faux (True, False). Il faut un nombre.")
    if callable(valeur):
        return _not_read("il manque les parenthèses à la fin du calcul : .mean() et non .mean.")
    if isinstance(valeur, tuple) and len(valeur) == 2 and all(_plain_int(part) for part in valeur):
        valeur = f"{valeur[0]},{valeur[1]}"
    if isinstance(valeur, Mapping) and len(valeur) == 1:
        valeur = next(iter(valeur.values()))
    if isinstance(valeur, str):
        return _read_number_text(valeur, unite)
    if hasattr(valeur, "__len__"):
        return _not_read(
            f"votre réponse contient {_count(len(valeur), 'valeur')}. Il faut un seul nombre."
        )
    try:
        number = float(valeur)
    except (TypeError, ValueError):
        return _not_read('il faut un nombre, par exemple 4321 ou "4 321,5".')
    return _read_number(number, unite, explicit=False)


def lire_choix(valeur: Any, options: str) -> Lecture:
    """Read one letter of `options`; `valeur` of the result is that capital letter."""
    example = f"Écrivez une seule lettre entre guillemets, de {options[0]} à {options[-1]}."
    if isinstance(valeur, bool):
        return _not_read("Python a donné Vrai ou Faux (True, False). " + example)
    if isinstance(valeur, Mapping) and len(valeur) == 1:
        valeur = _unwrap(next(iter(valeur.values())))
    if not isinstance(valeur, str):
        return _not_read(example)
    letters = f"[{options}{options.lower()}]"
    if re.search(rf"\b(?:pas|ni|sauf)\s+(?:la\s+)?{letters}\b", valeur):
        return _not_read(f"« {_short(valeur)} » écarte une lettre. {example}")
    found = re.findall(rf"(?<![\w'’])({letters})(?![\w'’])", valeur)
    if not _ALONE_A.search(valeur):
        found = [letter for letter in found if letter != "a"]
    distinct = {letter.upper() for letter in found}
    several = re.search(r"\b(?:ou|et)\b|[,/;&+]", valeur.lower())
    opening = re.match(rf"[\s(«\"']*({letters})\s*(?:[.):]|[-–—]\s)", valeur)
    capitals = {letter for letter in found if letter.isupper()}
    if len(distinct) == 1:
        letter = distinct.pop()
    elif opening:
        letter = opening[1].upper()
    elif len(capitals) == 1 and not several:
        letter = capitals.pop()
    elif distinct:
        return _not_read(f"votre réponse contient plusieurs lettres. {example}")
    else:
        return _not_read(f"« {_short(valeur)} » n'est pas une lettre proposée. {example}")
    return Lecture(f"Réponse lue : {letter}.", letter)


def lire_classement(valeur: Any, elements: Mapping[str, str]) -> Lecture:
    """Read an order; `valeur` of the result is the tuple of labels, first to last."""
    # An order given as an example would be somebody's right answer.
    example = f"Écrivez {', '.join(elements)} dans votre ordre, avec le signe < entre les lettres."
    if isinstance(valeur, (set, frozenset)):
        return _not_read("des accolades { } ne gardent pas l'ordre. " + example)
    if isinstance(valeur, str):
        text = re.sub(r"->|=>|→|⇒", ";", valeur)
        if "<" in text and ">" in text:
            return _not_read("gardez un seul signe, < ou >. " + example)
        letter = f"[{''.join(elements)}]"
        if re.search(rf"\b{letter}\s*=\s*{letter}\b", text):
            return _not_read("deux lettres ont le signe =. " + example)
        pieces = _split_ranking(text, elements)
        if re.search(r">|≥|supérieure? à|plus grande? que", text):
            pieces.reverse()
    elif (pairs := _pairs(valeur)) is not None:
        pieces = _ranked(pairs)
    elif isinstance(valeur, (list, tuple, pd.Index, pd.Series)) or hasattr(valeur, "tolist"):
        pieces = [str(piece) for piece in valeur]
    else:
        return _not_read(example)
    names = {label: (label, text) for label, text in elements.items()}
    labels = [_recognise(piece, names) for piece in pieces]
    unknown = [piece for piece in pieces if _recognise(piece, names) is None]
    if unknown:
        return _not_read(f"« {_short(unknown[0])} » n'est pas dans la liste. {example}")
    read = tuple(label for label in labels if label)
    missing = [label for label in elements if label not in read]
    if missing:
        return _not_read(f"il manque {', '.join(missing)}. {example}")
    if len(read) > len(elements):
        return _not_read("une lettre est écrite deux fois. " + example)
    return Lecture(f"Réponse lue, du plus petit au plus grand : {' < '.join(read)}.", read)


def lire_association(valeur: Any, lignes: str, choix: Mapping[str, Iterable[str]]) -> Lecture:
    """Read one choice a line; `valeur` of the result maps the lines understood."""
    given = _lines_given(valeur, lignes)
    if not given:
        return _not_read(
            f'écrivez un choix par ligne, de "{lignes[0]}" à "{lignes[-1]}", '
            "en gardant les lettres."
        )
    names = {label: (label, *aliases) for label, aliases in choix.items()}
    read, notes = {}, []
    for line in lignes:
        answer = _unwrap(given.get(line))
        if _blank(answer):
            notes.append(f"Ligne {line} : pas encore de réponse.")
            continue
        label = _recognise(str(answer), names)
        if label is None:
            notes.append(f"Ligne {line} : « {_short(str(answer))} » n'est pas un choix proposé.")
        else:
            read[line] = label
    if notes:
        notes.append(f"Choix possibles : {', '.join(choix)}.")
    if not read:
        return _not_read(" ".join(notes))
    understood = " ; ".join(f"{line} = {label}" for line, label in read.items())
    return Lecture(" ".join([f"Réponse lue : {understood}.", *notes]), read)


def _lines_given(valeur: Any, lines: str) -> dict[str, Any]:
    """Find the answer of each line in a dict, a list or a sentence; empty when there is none."""
    if isinstance(valeur, pd.DataFrame) and len(valeur) == 1:
        valeur = valeur.iloc[0]
    if isinstance(valeur, pd.Series):
        valeur = valeur.to_dict()
    elif not isinstance(valeur, str) and hasattr(valeur, "tolist"):
        valeur = valeur.tolist()
    if isinstance(valeur, (list, tuple)) and all(
        isinstance(part, str) and re.match(rf"\W*[{lines}]\s*[:=)]", part, re.IGNORECASE)
        for part in valeur
    ):
        valeur = "\n".join(valeur)
    if isinstance(valeur, str):
        letters = f"[{lines}{lines.lower()}]|[1-{len(lines)}]"
        parts = re.split(rf"(?:^|[\s,;/(])({letters})\s*(?:[:=).]|->|=>|→)", valeur)
        if len(parts) == 1:
            parts = re.split(rf"(?:^|[\s,;/(])([{lines}])\s", valeur)
        if len(parts) == 1:
            valeur = re.split(r"[,;/\n]", valeur)
        else:
            valeur = {line: parts[2 * rank + 2] for rank, line in enumerate(parts[1::2])}
    pairs = _pairs(valeur)
    if pairs is None and isinstance(valeur, (list, tuple)) and len(valeur) == len(lines):
        return {line: valeur[rank] for rank, line in enumerate(lines)}
    if pairs is None:
        return {}
    valeur = pairs
    if set(valeur) == set(range(len(lines))):
        return {line: valeur[rank] for rank, line in enumerate(lines)}
    given = {_line(key, lines): answer for key, answer in valeur.items()}
    if not any(given):
        given = {_line(answer, lines): key for key, answer in valeur.items()}
    return {line: answer for line, answer in given.items() if line}


def _lookup(variable: str, espace: Mapping[str, Any] | None) -> Any:
    """Find the learner's variable: in a kernel, `__main__` is the notebook's namespace."""
    space = vars(sys.modules["__main__"]) if espace is None else espace
    if variable not in space:
        # « Réponse_1 » for « reponse_1 »: a name is read with the same tolerance as a word.
        wanted = _fold(variable, articles=False)
        variable = next((n for n in space if _fold(n, articles=False) == wanted), variable)
    return space.get(variable, _MISSING)


def _unwrap(valeur: Any) -> Any:
    """Take the single value out of a numpy scalar, a one-row column or a one-item list."""
    if isinstance(valeur, pd.DataFrame) and valeur.size == 1:
        return _unwrap(valeur.iloc[0, 0])
    if isinstance(valeur, (pd.Series, pd.Index)) and len(valeur) == 1:
        return _unwrap(valeur.to_numpy()[0])
    if isinstance(valeur, (list, tuple, set)) and len(valeur) == 1:
        return _unwrap(next(iter(valeur)))
    if getattr(valeur, "size", None) == 1 and hasattr(valeur, "item"):
        return valeur.item()
    return valeur


def _blank(valeur: Any) -> bool:
    if valeur is None or valeur is Ellipsis:
        return True
    if isinstance(valeur, str):
        return valeur.strip().lower() in _BLANKS or _fold(valeur) in _BLANKS - {""}
    if isinstance(valeur, Mapping):
        return all(_blank(item) for item in valeur.values())
    if isinstance(valeur, (list, tuple, set)):
        return all(_blank(item) for item in valeur)
    return False


def _read_number_text(text: str, unite: str) -> Lecture:
    plain = _SPACES.sub(" ", text).replace("−", "-").replace("\u2013", "-")
    plain = re.sub(r"(?<=\d)['’_](?=\d{3})", "", plain)
    plain = _LABEL.sub("", plain)
    found = list(_NUMBER.finditer(plain))
    if len(found) > 1 and not re.search(r"\d ?%? ?(?:ou|à|et|-) ?\d", plain):
        with_unit = [match for match in found if _has_unit(plain[match.end() :], unite)]
        found = with_unit if len(with_unit) == 1 else found
    for shorter in (_after_sign(plain), re.sub(r"\([^)]*\)", " ", plain)):
        numbers = list(_NUMBER.finditer(shorter))
        if len(found) > 1 and len(numbers) == 1:
            plain, found = shorter, numbers
    if not found and "(" in text:
        return _not_read("ôtez les guillemets autour d'un calcul, pour que Python le fasse.")
    if not found:
        return _not_read(
            f"« {_short(text)} » ne contient pas de nombre. Écrivez-le en chiffres, par exemple 4321."
        )
    if len(found) > 1:
        return _not_read(f"« {_short(text)} » contient plusieurs nombres. Donnez le résultat seul.")
    written = found[0][0].replace(" ", "")
    explicit = _has_unit(plain[found[0].end() :], "%")
    if explicit and unite not in ("", "%"):
        return _not_read(f"« {_short(text)} » est un pourcentage. On demande des {unite}.")
    if unite != "%" and re.fullmatch(r"[-+]?[1-9]\d{0,2}[.,]\d{3}", written):
        both = (float(re.sub("[.,]", "", written)), float(written.replace(",", ".")))
        return Lecture(
            f"« {written} » se lit de deux façons : {_write(both[0])} ou {_write(both[1])}. "
            "Écrivez les milliers sans point ni virgule pour être sûr d'être compris.",
            both,
        )
    return _read_number(float(_decimal_point(written)), unite, explicit)


def _after_sign(text: str) -> str:
    """Give the result of a calculation written out; nothing when there are several signs."""
    parts = _EQUALS.split(text)
    return parts[1] if len(parts) == 2 else ""


def _has_unit(after: str, unite: str) -> bool:
    """Whether the text after a number begins with the unit, or its usual short form."""
    stem = (
        r"%|pour ?cent|percent|p\. ?100|p\. ?cent|pct|(?:communes )?(?:sur|/) ?100\b"
        if unite == "%"
        else re.escape(unite[:3].lower())
    )
    return bool(unite) and bool(re.match(rf" ?(?:{stem})", after.lower()))


def _decimal_point(written: str) -> str:
    """Turn « 1.959,9 », « 1,959.9 », « 1.234.567 » or « 459,5 » into Python's writing."""
    comma, dot = written.rfind(","), written.rfind(".")
    if comma >= 0 and dot >= 0:
        thousands, decimal = (".", ",") if comma > dot else (",", ".")
        return written.replace(thousands, "").replace(decimal, ".")
    for mark in ",.":
        if written.count(mark) > 1:
            return written.replace(mark, "")
    return written.replace(",", ".")


def _read_number(number: float, unite: str, explicit: bool) -> Lecture:
    if math.isnan(number) or math.isinf(number):
        return _not_read(
            "le calcul n'a pas donné de nombre (nan ou inf). Le tableau est-il vide ? "
            "Vérifiez le département choisi."
        )
    if unite == "%" and not explicit and 0 < abs(number) < 1:
        share = _write(number)
        return Lecture(
            f"Réponse lue : {share}, soit {_write(100 * number)} %. "
            f'Pour dire {share} %, écrivez "{share} %".',
            (100 * number, number),
        )
    shown = _write(number) + (f" {unite}" if unite else "")
    return Lecture(f"Réponse lue : {shown}.", (number,))


def _split_ranking(text: str, elements: Mapping[str, str]) -> list[str]:
    compact = re.sub(r"\W", "", text).upper()
    if sorted(compact) == sorted(elements):
        return list(compact)
    alone = re.findall(rf"(?<![\w'’])[{''.join(elements)}](?![\w'’])", text)
    if sorted(alone) == sorted(elements):
        return alone
    text = re.sub(r"\([^)]*\)?", " ", text)
    text = re.sub(r"(?:^|(?<=\s))\d+\s*(?:[.):]|er|re|e|ème)(?=\s)", " ", text)
    pieces = re.split(r"[<>≤≥,;|/&\n]|\b(?:puis|ensuite|enfin)\b|\s[-–—]\s|\bet\b(?=\s+\w\b)", text)
    pieces = [piece for piece in (piece.strip(" .[]'\"") for piece in pieces) if piece]
    if len(pieces) == 1:
        pieces = [piece for piece in re.split(r"[\s\-–—]+", pieces[0]) if piece]
    return pieces


def _pairs(valeur: Any) -> Mapping[Any, Any] | None:
    """Give a dict, a column of numbers by label or a list of pairs as a mapping."""
    if isinstance(valeur, Mapping):
        return valeur
    if isinstance(valeur, pd.Series) and pd.api.types.is_numeric_dtype(valeur):
        return dict(valeur.items())
    if isinstance(valeur, (list, tuple)) and valeur:
        if all(isinstance(part, (list, tuple)) and len(part) == 2 for part in valeur):
            return dict(valeur)
        if all(isinstance(part, Mapping) and len(part) == 1 for part in valeur):
            return {key: item for part in valeur for key, item in part.items()}
    return None


def _ranked(ranks: Mapping[Any, Any]) -> list[str]:
    """Order labels by their ranks, whichever of the two is the key."""
    if all(isinstance(key, (int, float)) for key in ranks):
        return [str(ranks[key]) for key in sorted(ranks)]
    if all(isinstance(rank, (int, float)) for rank in ranks.values()):
        return [str(key) for key in sorted(ranks, key=lambda key: float(ranks[key]))]
    return [str(key) for key in ranks]


def _recognise(text: str, names: Mapping[str, Iterable[str]]) -> str | None:
    """Find the label of which `text` is a name, but for case, accents, articles or a typo."""
    known = {_fold(name): label for label, aliases in names.items() for name in aliases}
    folded = _fold(text)
    if folded in known:
        return known[folded]
    worded = " ".join(re.sub(r"\d+", " ", folded).split())
    if worded in known:
        return known[worded]
    if _REFUSALS.search(folded):
        return None
    long_names = [name for name in known if len(name) > 2]
    close = difflib.get_close_matches(folded, long_names, n=1, cutoff=0.85)
    return known[close[0]] if close else _only_named(folded, known)


def _only_named(folded: str, known: Mapping[str, str]) -> str | None:
    """Find the one label named in a phrase, the longest names first: « médiane, car … »."""
    found = set()
    for name in sorted(known, key=len, reverse=True):
        if len(name) > 2 and re.search(rf"\b{name}\b", folded):
            found.add(known[name])
            folded = re.sub(rf"\b{name}\b", " ", folded)
    return found.pop() if len(found) == 1 else None


def _line(key: object, lines: str) -> str:
    letters = re.findall(r"\b\w\b", _fold(str(key), articles=False).upper())
    letter = letters[-1] if letters else ""
    if letter.isdigit() and 0 < int(letter) <= len(lines):
        return lines[int(letter) - 1]
    return letter if letter in lines else ""


def _fold(text: str, articles: bool = True) -> str:
    """Drop case, accents, punctuation and, unless told otherwise, articles."""
    decomposed = unicodedata.normalize("NFKD", text.lower())
    bare = "".join(char for char in decomposed if not unicodedata.combining(char))
    words = re.sub(r"[^a-z0-9]+", " ", bare).strip()
    if not articles:
        return words
    words = " ".join(_SHORT_WORDS.get(word, word) for word in words.split())
    short = " ".join(_ARTICLES.sub(" ", words).split())
    return short or words


def _departement(valeur: Any) -> Lecture:
    if valeur is _MISSING:
        return Lecture(
            "Aucun département : exécutez la cellule où vous l'écrivez. Si elle affiche une "
            'erreur, mettez le code entre guillemets : "80".',
            vide=True,
        )
    valeur = _unwrap(valeur)
    if _blank(valeur):
        return Lecture(
            'Pas encore de département : écrivez son code entre guillemets, par exemple "80".',
            vide=True,
        )
    names = dict(table("departements.csv")[["code", "nom"]].to_numpy().tolist())
    if isinstance(valeur, (int, float)) and not isinstance(valeur, bool):
        return _departement_from_number(valeur, names)
    if not isinstance(valeur, str):
        return _no_departement("il faut un code ou un nom")
    code = _departement_code(valeur, names)
    if code is None:
        return _unknown_departement(valeur, names)
    note = ""
    if re.fullmatch(r"\d", valeur.strip()):
        note = f' Un code est un texte : le sien s\'écrit "{code}", avec le zéro.'
    return _accept_departement(code, names, note)


def _departement_from_number(number: float, names: Mapping[str, str]) -> Lecture:
    code = f"{number:g}".zfill(2)
    if code not in names:
        return _unknown_departement(code, names)
    note = f' Un code est un texte : mettez des guillemets, "{code}".'
    return _accept_departement(code, names, note)


def _departement_code(text: str, names: Mapping[str, str]) -> str | None:
    text = _DEPARTEMENT_WORDS.sub(" ", unicodedata.normalize("NFKC", text))
    bare = re.sub(r"[^\w.]", "", text).upper().rstrip(".")
    bare = re.sub(r"^0+(?=\d[\dAB])|\.0$", "", bare)
    if bare.zfill(2) in names:
        return bare.zfill(2)
    by_name = {_fold(name): code for code, name in names.items()}
    without_code = re.sub(r"\b\d[\dAB]?\d?\b", " ", text)
    for piece in (text, without_code, re.sub(r"\([^)]*\)", " ", text)):
        if _fold(piece) in by_name:
            return by_name[_fold(piece)]
    return None


def _unknown_departement(text: str, names: Mapping[str, str]) -> Lecture:
    if re.fullmatch(r"\s*(?:\d{5}|2[AaBb]\d{3})\s*", text):
        return _no_departement(
            f"« {text.strip()} » est un code postal ou un code de commune. Gardez les deux premiers "
            "caractères, ou les trois premiers outre-mer"
        )
    if _fold(text) in ("20", "corse"):
        return _no_departement('la Corse a deux départements, "2A" et "2B"')
    by_name = {_fold(name): name for name in names.values()}
    close = difflib.get_close_matches(_fold(text), by_name, n=1, cutoff=0.75)
    guess = f'. Vouliez-vous dire "{by_name[close[0]]}" ?' if close else ""
    return _no_departement(f"« {_short(text)} » n'est pas dans la liste{guess}")


def _accept_departement(code: str, names: Mapping[str, str], note: str) -> Lecture:
    communes = table("communes.csv")
    count = int((communes["departement"] == code).sum())
    if count < 2:
        return Lecture(
            f"{names[code]} ({code}) ne compte qu'une commune : la moyenne et la médiane y sont "
            "le même nombre. Choisissez un autre département."
        )
    return Lecture(
        f"Département lu : {names[code]} ({code}), {_count(count, 'commune')}.{note}", code
    )


def _no_departement(reason: str) -> Lecture:
    end = "" if reason.endswith("?") else "."
    return Lecture(
        f"Département non reconnu : {reason}{end} "
        'Un code est un texte entre guillemets, comme "01", "2A" ou "974".'
    )


def _same(value: float, expected: float, tolerance: float) -> bool:
    return abs(value - expected) <= tolerance + 1e-9 or (
        tolerance > 0 and value == math.trunc(expected)
    )


def _not_read(reason: str) -> Lecture:
    return Lecture("Réponse non comprise : " + reason)


def _plain_int(valeur: Any) -> bool:
    return isinstance(valeur, int) and not isinstance(valeur, bool) and valeur >= 0


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 40 else text[:39] + "…"


def _count(number: int, noun: str) -> str:
    return f"{_write(number)} {noun}" + ("s" if number > 1 else "")


def _write(number: float) -> str:
    """Write a number in French: narrow no-break space, decimal comma, at most 4 decimals."""
    text = f"{number:,.4f}".rstrip("0").rstrip(".")
    return text.replace(",", "\u202f").replace(".", ",")


def _say(message: str) -> None:
    """Print with the no-break spaces of French typography."""
    text = re.sub(r" (?=%)", "\u202f", message)
    text = re.sub(r" (?=[:;!?»])", "\u00a0", text)
    sys.stdout.write(re.sub(r"(?<=«) ", "\u00a0", text) + "\n")


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep warnings off stderr: nbgrader gives 0 to a cell that writes there."""
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")
        yield
