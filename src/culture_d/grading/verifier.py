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
- numbers in words, to the thousands of millions, with septante and nonante, hyphens or not;
  « un » and « une » only when they are nearly the whole answer;
- « pas 2017 » is not read; « 2017, pas 2023 », « 12 en 2025 » and « 5 sur 8 » are 2017, 12 and 5;
- where a rise is asked (`hausse`), « une baisse de 23 % » is −23 %;
- a duration, what Python makes of two dates, is a number of days where days are asked;
- « 12 k€ » is 12 000 €, « 1,2 million » is 1 200 000, and both are shown; « 3 semaines »
  is not a number of « jours »;
- for a percentage, a number between 0 and 1 written without « % » is a share:
  0.84 is 84 %. The reading is shown, and 0,84 % can be written "0,84 %";
- a number is right within the tolerance of the question, or when it is the
  expected value with its decimals cut; within 1 % of it, half the points, where the question has a tolerance;
- a ranking with one pair of neighbours swapped earns half the points, unless the exercise
  lists it as a mistake that keeps another part;
- an association earns points line by line, and nothing when one same choice is put on
  every line though several were expected;
- a selection earns the share of the right options that are ticked, less the share of the
  wrong ones that are ticked too, down to the quarter of a point: to tick everything, or
  nothing, earns nothing (unless it is the right answer);
- « D et pas E » is D; « tout sauf B » ticks all but B; the text of an option, or a part of it
  that no other has, is that option;
- a date is read the French way, the day first: 03/04/2026 is the 3rd of April, and is
  shown in words; two figures of a year are read between 1970 and 2069.
"""

from __future__ import annotations

import calendar
import contextlib
import datetime
import difflib
import functools
import hashlib
import io
import itertools
import math
import re
import sys
import unicodedata
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import pandas as pd

DATA = Path(__file__).resolve().parent / "donnees"
NEAR = 0.01
CROISSANT = "du plus petit au plus grand"
LETTRES = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# Choices of an `Association`, each with the other ways people write it.
OUI_NON: dict[str, tuple[str, ...]] = {
    "oui": ("vrai", "v", "true", "yes", "o", "ok", "exact", "affirmatif"),
    "non": ("faux", "f", "false", "no", "n", "inexact", "négatif"),
}
VRAI_FAUX: dict[str, tuple[str, ...]] = {
    "vrai": ("oui", "o", "true", "v", "exact", "juste", "correct", "c'est vrai"),
    "faux": (
        "non",
        "n",
        "false",
        "f",
        "inexact",
        "incorrect",
        "pas vrai",
        "pas exact",
        "c'est faux",
    ),
}

_CONTEXTS: set[str] = set()
_LONGEST = 3000
_MOST = 200

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
_MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)
_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_SHORT_MONTHS = {
    "jan": 1, "janv": 1, "fev": 2, "fevr": 2, "mar": 3, "avr": 4, "juil": 7, "jul": 7,
    "aou": 8, "sep": 9, "sept": 9, "oct": 10, "nov": 11, "dec": 12,
    # What Python's strftime writes.
    "january": 1, "february": 2, "feb": 2, "march": 3, "april": 4, "apr": 4, "may": 5, "june": 6,
    "jun": 6, "july": 7, "august": 8, "aug": 8, "september": 9, "october": 10, "november": 11,
    "december": 12,
}  # fmt: skip
_SMALL_WORDS = {
    word: number
    for number, word in enumerate(
        [
            *["un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix"],
            *["onze", "douze", "treize", "quatorze", "quinze", "seize"],
            *["dix sept", "dix huit", "dix neuf"],
        ],
        1,
    )
}


def _words_below_hundred() -> dict[str, int]:
    """List the French numbers from 1 to 99 as `_fold` leaves them, with Belgian and Swiss ones."""
    words = dict(_SMALL_WORDS)
    tens = {"vingt": 20, "trente": 30, "quarante": 40, "cinquante": 50, "septante": 70}
    tens |= {"huitante": 80, "octante": 80, "nonante": 90}
    twenties = {"soixante": 60, "quatre vingt": 80}
    for name, base in {**tens, **twenties}.items():
        words[name] = base
        for word, number in _SMALL_WORDS.items():
            if number < (20 if name in twenties else 10):
                words[f"{name} {word}"] = base + number
                if number in (1, 11):
                    words[f"{name} et {word}"] = base + number
    return words | {"quatre vingts": 80}


_NUMBER_WORDS = _words_below_hundred()
_WORDS_INSIDE = sorted(
    {word for name in _NUMBER_WORDS for word in name.split()}
    | {"une", "cent", "cents", "mille", "mil", "million", "millions", "milliard", "milliards"},
    key=len,
    reverse=True,
)
# A last « millions » stays a word: « douze millions d'euros » is 12 M€, as « 12 millions » is.
_WORDED_NUMBER = re.compile(
    rf"\b(?!et\b)(?:(?:{'|'.join(_WORDS_INSIDE)})[ -]+)*"
    rf"(?:{'|'.join(word for word in _WORDS_INSIDE if not word.startswith('milli') and word != 'et')})"
    r"(?![a-z])"
)
_DATE_FORMS = tuple(
    (re.compile(pattern), places)
    for pattern, places in (
        (r"(?<!\d)(\d{4})\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?(\d{1,2})(?!\d)", (1, 2, 3)),
        (r"(?<!\d)((?:19|20)\d\d)([01]\d)([0-3]\d)(?!\d)", (1, 2, 3)),
        (r"(?<!\d)([0-3]\d)([01]\d)((?:19|20)\d\d)(?!\d)", (3, 2, 1)),
        (r"(?<!\d)(\d{1,2})\s?([-/. ])\s?(\d{1,2})\s?\2\s?(\d{4}|\d\d)(?!\d)", (4, 3, 1)),
        (r"(?<![\d/.-])(\d{1,2})\s?[/.-]\s?(\d{1,2})(?![\d/.-])", (0, 2, 1)),
    )
)
_DAY_WORDS = [*(word for word, number in _NUMBER_WORDS.items() if number < 32), "premier"]
_WORDED_DATE = re.compile(
    rf"\b(?P<day>\d{{1,2}}|{'|'.join(sorted(_DAY_WORDS, key=len, reverse=True))})"
    r"\s?(?:er\b|ier\b|eme\b|e\b)?\s?(?:de |d |du mois de )?(?P<month>[a-z]{3,9})\b"
    rf"(?:\s(?:de l annee )?(?P<year>\d{{4}}|\d\d|deux mille(?: (?:{'|'.join(sorted(_NUMBER_WORDS, key=len, reverse=True))}))?)\b)?"
)
_TIME = re.compile(
    r"(?<=\d)T\d[\d:.,+Z-]*"
    r"|,?\s*(?:à\s*)?\b\d{1,2}\s*(?::\d\d(?::\d\d(?:\.\d+)?)?|h(?:eures?)?(?:\s*\d\d)?\b)",
    re.IGNORECASE,
)
_TIME_SECONDS = {"heures": 3600, "jours": 86400, "semaines": 604800}
_TIME_UNITS = {
    "heures": r"heures?|h\b",
    "jours": r"jours?|j\b|days?\b",
    "semaines": r"semaines?|sem\b",
    "mois": r"mois",
    "ans": r"ans?\b|annees?",
}
# Nouns that are counted beside the unit, and taken for it by mistake.
_NOT_THE_UNIT = {
    "habitants": {"communes": r"communes?\b"},
    "communes": {"habitants": r"habitants?\b|hab\b", "agents": r"agents?\b"},
}
_EUROS = {
    "€": r"€|euros?\b|eur\b",
    "k€": r"k ?€|k ?euros?\b|keur\b|milliers? d ?euros?",
    "M€": r"m ?€|meur\b|m euros?\b|millions? d ?euros?",
    "Md€": r"mds? ?€|milliards? d ?euros?",
}
_EURO_VALUES = {"€": 1.0, "k€": 1e3, "M€": 1e6, "Md€": 1e9}
_EURO_NAMES = {"euro": "€", "euros": "€", "milliers d'euros": "k€", "millions d'euros": "M€"}
_MANY = re.compile(r" ?(mille|milliers?|millions?|milliards?|k)\b")
_NEGATIVE = re.compile(r"(?:in|im|il|ir|non|de|des|dis|mal|anti|a) ?$")
_NONE_TICKED = re.compile(r"(?:aucune?s?|rien|zero|neant|nulle?|ni l une ni l autre)(?: .*)?$")
_ALL_TICKED = re.compile(r"tou(?:t|s|tes)(?: (?:est|sont|les|ces|reponses|options|lettres) ?.*)?$")
_FILLERS = frozenset(
    re.findall(
        r"\w+",
        "les la le et plus puis ainsi que avec aussi reponse reponses lettre lettres option options "
        "choix ai pense dirais choisis proposition propositions case cases ligne lignes je coche est ce sont mes ma mon "
        "selectionne cocher il faut bonnes bonne numero colonne colonnes commune communes "
        "cellule cellules phrase phrases fichier fichiers question questions",
    )
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
# What follows an answer to explain it: « fusion (deux voisines) », « à vérifier car … ».
_REMARK = re.compile(
    r"\s*(?:\((?!\s*ou\b)|:|,?\s*\b(?:car|parce|puisque)\b|,\s*(?:pas|et non|qui)\b).*",
    re.IGNORECASE | re.DOTALL,
)
_DENIED = r"\b(?:ne|n|aucune?|jamais|rien|inutile)(?: \w+){0,2}(?: que)? "
_CHANGES = r"(?:hauss|augment|progress|mont|croi|baiss|diminu|recul|chut)\w*"
# What sets a number aside: « 2017, pas 2023 », « sans les 2 lignes vides ».
_NOT_THIS = re.compile(
    r"\b(?:pas|ni|non|jamais|sauf|excepte|hormis|sans|contre|plutot que|au lieu de)"
    rf"(?: (?:de|d|du|des|le|la|les|l|en|pour|une?|a|ete|egale?s? a|{_CHANGES}))* ?[+-]?$"
)
_BEFORE_A_YEAR = re.compile(
    r"\b(?:en|depuis|entre|de|du|a|au|et|annee|fin|debut|janvier|fevrier|mars|avril|mai|juin"
    r"|juillet|aout|septembre|octobre|novembre|decembre) $"
)
_FALL = re.compile(
    r"\b(?:(?:baiss|diminu|recul|chut|perdu|perte|negati|decroi|regress|effondr|redui|reduc)\w*"
    r"|(?<!au )(?<!ou )(?<!du )moins(?! d[e ]*$))"
)
# « Une hausse, malgré la chute de 2020 »: the other change that a text recalls.
_ASIDE = re.compile(r"\b(?:malgre|apres|depuis|suite a|hors|sans)\b[^,;.()]*|\([^)]*\)")
_RISE = re.compile(r"\b(?:(?:hauss|augment|progress|mont|croi|gagn|bond|grimp)\w*|de plus)")
_REFUSALS = re.compile(r"\b(?:pas|ni|non|sans|sauf|excepte|hormis|ou|divise\w*|double)\b")
# No slip of the pen turns one of these into another.
_SENSES = re.compile(r"\b(?:plus|moins|avant|apres|premi|derni|dessus|dessous|hauss|baiss|tou[st])")
_ARTICLES = re.compile(
    r"\b(?:le|la|les|un|une|de|du|des|et|mon|notre|votre|c est)\b|\b[ld]\b(?= \w)"
)


class Erreur(NamedTuple):
    """A mistake people make: the answer it gives, the French hint, the points it keeps.

    Without `points`, a ranking keeps half when two neighbours are swapped; `points=0` takes it.
    """

    valeur: Any
    indice: str
    points: float | None = None


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


def table(
    fichier: str, nombres: Iterable[str] = (), sep: str = ",", encoding: str = "utf-8"
) -> pd.DataFrame:
    """Give a fresh copy of `donnees/<fichier>`: text everywhere, but the columns `nombres`."""
    path = DATA / fichier
    state = path.stat()
    frame = _read_table(str(path), sep, encoding, (state.st_mtime_ns, state.st_size)).copy()
    for column in nombres:
        frame[column] = pd.to_numeric(frame[column])
    return frame


@functools.lru_cache(maxsize=8)
def _read_table(path: str, sep: str, encoding: str, state: tuple[int, int]) -> pd.DataFrame:
    """Read a file once, as long as it does not change: every question asks for its own copy."""
    return pd.read_csv(path, dtype=str, keep_default_na=False, sep=sep, encoding=encoding)


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
    digest = hashlib.sha256(f"question 3 {code}".encode()).digest()
    if nombre > 8:
        keys = [hashlib.sha256(digest + bytes([place])).digest() for place in range(nombre)]
        rank = tuple(sorted(range(nombre), key=keys.__getitem__))
        return tuple(range(nombre)) if code == "80" else rank
    orders = list(itertools.permutations(range(nombre)))
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
            try:
                valeur = _unwrap(valeur)
                if _blank(valeur):
                    return Lecture(
                        f"Pas encore de réponse dans « {self.variable} » : remplacez les points de "
                        "suspension par votre réponse.",
                        vide=True,
                    )
                if isinstance(valeur, str) and len(valeur) > _LONGEST:
                    return _not_read(
                        f"votre texte est trop long ({_count(len(valeur), 'caractère')}). "
                        "Donnez seulement la réponse."
                    )
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
        of the answer (in days for a date), and only for numbers and dates.
        """
        lecture = self.comprendre()
        if attendu is None or (isinstance(attendu, float) and math.isnan(attendu)):
            return self._award(
                0,
                points,
                "Choisissez d'abord un département, en haut du carnet."
                if _CONTEXTS
                else "La valeur attendue manque. Dites-le à la personne qui anime le cours.",
            )
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
    """A number, with its unit in words (« habitants ») or « % ».

    `hausse`: a rise is asked, so that « une baisse de 23 % » is −23 %.
    """

    def __init__(
        self,
        variable: str,
        unite: str = "",
        espace: Mapping[str, Any] | None = None,
        hausse: bool = False,
    ) -> None:
        super().__init__(variable, espace)
        self.unite = unite
        self.hausse = hausse

    def _read(self, valeur: Any) -> Lecture:
        return lire_nombre(valeur, self.unite, self.hausse)

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
            margin = min(tolerance, 0.05 * abs(float(erreur.valeur)))
            if any(_same(value, float(erreur.valeur), margin) for value in lu):
                return erreur.points or 0, erreur.indice
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
            (-1, "Le nombre est bon, mais pas son signe : une hausse ou une baisse ?"),
        ):
            if any(_same(value * factor, expected, tolerance) for value in lu):
                return 0, hint
        # A count, a year: nothing to round.
        if tolerance and any(abs(value - expected) <= NEAR * abs(expected) for value in lu):
            return points / 2, "Vous êtes tout près. Arrondissez moins : la question dit à combien."
        return 0, "Ce n'est pas la valeur attendue. Relisez la question et la ligne d'exemple."


class Choix(Question):
    """One letter among the options: a text of letters, or each letter with its text or texts."""

    def __init__(
        self,
        variable: str,
        options: str | Mapping[str, str | Sequence[str]],
        espace: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(variable, espace)
        self.textes = options if isinstance(options, Mapping) else {}
        self.options = "".join(options).upper()

    def _read(self, valeur: Any) -> Lecture:
        named: set[str] = set()
        if isinstance(valeur, str):
            ticks = _ticks_in_words(valeur, self.options)
            named = {letter for letter, chosen in ticks.items() if chosen}
            named = named or _ticked_by_text(valeur, self.textes) or _quoted(valeur, self.textes)
        if len(named) == 1:
            return Lecture(f"Réponse lue : {min(named)}.", min(named))
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
                return erreur.points or 0, erreur.indice
        return 0, "Ce n'est pas la bonne lettre. Relisez la question, puis chaque proposition."


class Classement(Question):
    """An order of letters, each with its text or texts.

    `sens` is « du plus petit au plus grand », where the signs < and > tell the order,
    or any other, such as « du premier au dernier », where they do not.
    """

    def __init__(
        self,
        variable: str,
        elements: Mapping[str, str | Sequence[str]],
        espace: Mapping[str, Any] | None = None,
        sens: str = CROISSANT,
    ) -> None:
        super().__init__(variable, espace)
        self.elements = elements
        self.sens = sens

    def _read(self, valeur: Any) -> Lecture:
        return lire_classement(valeur, self.elements, self.sens)

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
                kept = earned if erreur.points is None else erreur.points
                return kept, erreur.indice
        if swapped:
            again = "Recalculez-les" if self.sens == CROISSANT else "Comparez-les de nouveau"
            return earned, f"Deux voisins sont échangés. {again}."
        return 0, "Cet ordre n'est pas le bon. Comparez les éléments deux par deux."


class Association(Question):
    """One choice for each line: {"A": "médiane", "B": "total"}.

    `lignes` is a text of letters (« ABCD ») or a list of names or numbers;
    `choix` gives each choice its synonyms (see `OUI_NON` and `VRAI_FAUX`).
    """

    def __init__(
        self,
        variable: str,
        lignes: str | Iterable[object],
        choix: Mapping[str, Iterable[str]],
        espace: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(variable, espace)
        self.lignes = tuple(str(line) for line in lignes)
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
        attendu = {str(line): choice for line, choice in attendu.items()}
        right = sum(lu.get(line) == choice for line, choice in attendu.items())
        hints = []
        if len(lu) == len(attendu) > 2 and len(set(lu.values())) == 1 < len(set(attendu.values())):
            right = 0
            hints.append("Le même choix partout ne rapporte rien.")
        for line in attendu:
            if line in lu and lu[line] != attendu[line]:
                known = [
                    e.indice for e in erreurs if (str(e.valeur[0]), e.valeur[1]) == (line, lu[line])
                ]
                hints.append(f"Ligne {line} : {(known or ['relisez la question posée.'])[0]}")
        return points * right / len(attendu), " ".join(hints)


class Selection(Question):
    """Several letters among the options, or none: "A, C" ou "aucune".

    `options` is a text of letters, or gives each letter its text, or several, which
    are then read too. An `Erreur("B", …)` is for B wrongly ticked, `Erreur("-C", …)` for C
    forgotten, `Erreur("AB", …, points)` for that very answer.
    """

    def __init__(
        self,
        variable: str,
        options: str | Mapping[str, str | Sequence[str]],
        espace: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(variable, espace)
        texts: Mapping[str, str | Sequence[str]]
        texts = options if isinstance(options, Mapping) else dict.fromkeys(options, "")
        self.options = {letter.upper(): text for letter, text in texts.items()}

    def _read(self, valeur: Any) -> Lecture:
        return lire_selection(valeur, self.options)

    def _mark(
        self,
        lu: Any,
        points: float,
        attendu: Any,
        erreurs: tuple[Erreur, ...],
        tolerance: float,
    ) -> tuple[float, str]:
        right = frozenset(attendu)
        wrong = frozenset(self.options) - right
        if lu == right:
            return points, ""
        share = len(lu & right) / len(right) if right else 1.0
        share -= len(lu & wrong) / len(wrong) if wrong else 0.0
        earned = math.floor(4 * points * max(share, 0.0) + 1e-9) / 4
        for erreur in erreurs:
            if len(erreur.valeur) > 1 and lu == frozenset(erreur.valeur):
                return max(earned, erreur.points or 0), erreur.indice
        hints = []
        if lu == frozenset(self.options):
            hints.append("Tout cocher ne rapporte rien : relisez chaque option.")
        elif not lu:
            hints.append("Ne rien cocher ne rapporte rien ici : relisez chaque option.")
        known = {erreur.valeur: erreur.indice for erreur in erreurs}
        for letter in self.options:
            if letter in lu & wrong:
                hints.append(f"{letter} cochée à tort : {known.get(letter, 'relisez-la.')}")
            elif letter in right - lu:
                hints.append(f"{letter} oubliée : {known.get('-' + letter, 'relisez-la.')}")
        return earned, " ".join(hints)


class Date(Question):
    """A calendar day. `attendu` and mistakes are dates, or texts « 2026-11-22 »."""

    def _read(self, valeur: Any) -> Lecture:
        return lire_date(valeur)

    def _mark(
        self,
        lu: Any,
        points: float,
        attendu: Any,
        erreurs: tuple[Erreur, ...],
        tolerance: float,
    ) -> tuple[float, str]:
        expected = _day(attendu)
        gap = (lu - expected).days
        if abs(gap) <= tolerance:
            return points, ""
        for erreur in erreurs:
            if lu == _day(erreur.valeur):
                return erreur.points or 0, erreur.indice
        if (lu.month, lu.day) == (expected.day, expected.month) and lu.year == expected.year:
            return 0, "Le jour et le mois sont échangés. En français, le jour vient d'abord."
        if (lu.month, lu.day) == (expected.month, expected.day):
            return 0, "Ce n'est pas la bonne année. Relisez la question."
        if abs(gap) == 1:
            return 0, "Vous êtes à un jour près. Relisez quel jour compte pour le premier."
        return 0, "Ce n'est pas la date attendue. Relisez la question et refaites le compte."


def lire_nombre(valeur: Any, unite: str = "", hausse: bool = False) -> Lecture:
    """Read a number; `valeur` of the result is the tuple of its possible readings."""
    if unite == "année" and not isinstance(valeur, (int, float)):
        day = lire_date(valeur).valeur
        valeur = day.year if day else valeur
        if isinstance(valeur, str):
            valeur = re.sub(r"(?<!\d)\d\d?/(?=(?:19|20)\d\d)", "", valeur)
    if isinstance(valeur, bool):
        return _not_read("Python a donné Vrai ou Faux (True, False). Il faut un nombre.")
    if callable(valeur):
        return _not_read("il manque les parenthèses à la fin du calcul : .mean() et non .mean.")
    if isinstance(valeur, tuple) and len(valeur) == 2 and all(_plain_int(part) for part in valeur):
        valeur = f"{valeur[0]},{valeur[1]}"
    if isinstance(valeur, Mapping) and len(valeur) == 1:
        valeur = next(iter(valeur.values()))
    if isinstance(valeur, str):
        return _read_number_text(valeur, unite, hausse)
    if isinstance(valeur, datetime.timedelta) and valeur is not pd.NaT:
        return _read_duration(valeur, unite)
    if hasattr(valeur, "__len__"):
        return _not_read(
            f"votre réponse contient {_count(len(valeur), 'valeur')}. Il faut un seul nombre."
        )
    try:
        number = float(valeur)
    except (TypeError, ValueError):
        return _not_read('il faut un nombre, par exemple 4321 ou "4 321,5".')
    return _read_number(number, unite, explicit=False)


def _read_duration(valeur: datetime.timedelta, unite: str) -> Lecture:
    """Read what the difference of two dates gives in Python, in the unit asked."""
    if unite not in _TIME_SECONDS:
        return _not_read(f"votre calcul donne une durée. On demande {_asked(unite)}.")
    return _read_number(valeur.total_seconds() / _TIME_SECONDS[unite], unite, explicit=True)


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
    written, valeur = valeur, _without_denied(valeur, letters)
    valeur = re.sub(rf"\b{letters}\s*[:=]?\s*(?:non|faux)\b", " ", valeur)
    if valeur != written and not re.search(rf"\b{letters}\b", valeur):
        return _not_read(f"« {_short(written)} » écarte une lettre. {example}")
    found = re.findall(rf"(?<![\w'’])({letters})(?![\w'’])", valeur)
    if not _ALONE_A.search(valeur):
        found = [letter for letter in found if letter != "a"]
    distinct = {letter.upper() for letter in found}
    chosen = re.match(
        rf"\W*(?:(?:[lL]a|[pP]hrase|[rR]éponse|[oO]ption|[cC]'est)\s+)*({letters})\W*\s(?:car|parce|puisque)\b",
        valeur,
    )
    several = re.search(r"\b(?:ou|et)\b|[,/;&+]", valeur.lower())
    opening = re.match(rf"[\s(«\"']*({letters})\s*(?:[.):]|[-–—]\s)", valeur)
    capitals = {letter for letter in found if letter.isupper()}
    if len(distinct) == 1:
        letter = distinct.pop()
    elif chosen:
        letter = chosen[1].upper()
    elif opening:
        letter = opening[1].upper()
    elif len(capitals) == 1 and not several:
        letter = capitals.pop()
    elif distinct:
        return _not_read(f"votre réponse contient plusieurs lettres. {example}")
    else:
        return _not_read(f"« {_short(valeur)} » n'est pas une lettre proposée. {example}")
    return Lecture(f"Réponse lue : {letter}.", letter)


def _without_denied(text: str, letters: str) -> str:
    """Take out the letters that a text sets aside: « D et pas E », « plutôt D que E »."""
    one = rf"(?:l[ae]\s+|les\s+)?{letters}(?![\w'’])"
    many = rf"{one}(?:(?:\s*,\s*|\s+(?:et|ou|ni)\s+){one})*"
    that = r"|que" if re.search(r"\bplut[ôo]t\b", text) else ""
    return re.sub(
        rf"[\s,(]*\b(?:et\s+|mais\s+)?(?:(?:pas|ni|sauf|non|sans{that})\s+{many}\)?)+", " ", text
    )


def lire_classement(
    valeur: Any, elements: Mapping[str, str | Sequence[str]], sens: str = CROISSANT
) -> Lecture:
    """Read an order; `valeur` of the result is the tuple of labels, first to last."""
    # An order given as an example would be somebody's right answer.
    rising = sens == CROISSANT
    between = "le signe <" if rising else "une virgule"
    example = f"Écrivez {', '.join(elements)} dans votre ordre, avec {between} entre les lettres."
    if not isinstance(valeur, str) and hasattr(valeur, "__len__") and len(valeur) > _MOST:
        return _not_read(f"votre réponse contient {_count(len(valeur), 'valeur')}. {example}")
    if isinstance(valeur, (set, frozenset)):
        return _not_read("des accolades { } ne gardent pas l'ordre. " + example)
    if isinstance(valeur, str):
        text = re.sub(r"->|=>|→|⇒" if rising else r"->|=>|→|⇒|>", ";", valeur)
        if reason := _unclear_signs(text, elements, rising):
            return _not_read(f"{reason} {example}")
        pieces = _split_ranking(text, elements)
        if re.search(r">|≥|supérieure? à|plus grande? que", text):
            pieces.reverse()
    elif (pairs := _pairs(valeur)) is not None:
        pieces = _ranked(pairs)
    elif isinstance(valeur, (list, tuple, pd.Index, pd.Series)) or hasattr(valeur, "tolist"):
        pieces = [str(piece) for piece in valeur]
    else:
        return _not_read(example)
    names = {label: (label, *_writings(texts)) for label, texts in elements.items()}
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
    return Lecture(f"Réponse lue, {sens} : {(' < ' if rising else ', ').join(read)}.", read)


def lire_association(
    valeur: Any, lignes: str | Iterable[object], choix: Mapping[str, Iterable[str]]
) -> Lecture:
    """Read one choice a line; `valeur` of the result maps the lines understood."""
    lignes = tuple(str(line) for line in lignes)
    given = _lines_given(valeur, lignes)
    if not given:
        return _not_read(
            f'écrivez un choix par ligne, de "{lignes[0]}" à "{lignes[-1]}", '
            f"en gardant les {'numéros' if lignes[0].isdigit() else 'lettres' if len(lignes[0]) == 1 else 'noms des lignes'}."
        )
    names = {label: (label, *aliases) for label, aliases in choix.items()}
    read, notes, waiting = {}, [], []
    for line in lignes:
        answer = _unwrap(given.get(line))
        if _blank(answer) or answer is pd.NA or answer is pd.NaT or answer != answer:
            waiting.append(line)
            continue
        label = _chosen(answer, names)
        if label is None:
            notes.append(f"Ligne {line} : « {_short(str(answer))} » n'est pas un choix proposé.")
        else:
            read[line] = label
    if waiting:
        several = "s" if len(waiting) > 1 else ""
        notes.append(f"Ligne{several} {_list(waiting)} : pas encore de réponse.")
    if notes:
        notes.append(f"Choix possibles : {', '.join(choix)}.")
    if not read:
        return _not_read(" ".join(notes))
    understood = " ; ".join(f"{line} = {label}" for line, label in read.items())
    return Lecture(" ".join([f"Réponse lue : {understood}.", *notes]), read)


def _chosen(answer: Any, names: Mapping[str, Iterable[str]]) -> str | None:
    """Find the choice an answer names; True is « vrai » or « oui », 2.0 is « 2 »."""
    if isinstance(answer, bool):
        written = ("vrai", "oui") if answer else ("faux", "non")
        return next((label for word in written if (label := _recognise(word, names))), None)
    if isinstance(answer, float) and answer.is_integer():
        answer = int(answer)
    text = _as_text(answer)
    return _recognise(text, names) if len(text) <= _LONGEST else None


def _lines_given(valeur: Any, lines: Sequence[str]) -> dict[str, Any]:
    """Find the answer of each line in a dict, a list or a sentence; empty when there is none."""
    if isinstance(valeur, pd.DataFrame) and len(valeur) == 1:
        valeur = valeur.iloc[0]
    if isinstance(valeur, pd.Series):
        valeur = valeur.to_dict()
    elif not isinstance(valeur, str) and hasattr(valeur, "tolist"):
        valeur = valeur.tolist()
    if hasattr(valeur, "__len__") and not isinstance(valeur, str) and len(valeur) > _MOST:
        return {}
    name = "|".join(re.escape(line) for line in sorted(lines, key=len, reverse=True))
    if isinstance(valeur, (list, tuple)) and all(
        isinstance(part, str)
        and re.match(
            rf"\W*(?:{name})(?:[\s,/&+]+(?:et\s+)?(?:{name}))*\s*[:=)]", part, re.IGNORECASE
        )
        for part in valeur
    ):
        valeur = "\n".join(valeur)
    if isinstance(valeur, str):
        valeur = _split_lines(_as_text(valeur), lines, name)
    pairs = _pairs(valeur)
    if pairs is None and isinstance(valeur, (list, tuple)) and len(valeur) == len(lines):
        return {line: valeur[rank] for rank, line in enumerate(lines)}
    if pairs is None:
        return {}
    valeur = pairs
    if all(_plain_int(key) for key in valeur) and set(valeur) == set(range(len(lines))):
        return {line: valeur[rank] for rank, line in enumerate(lines)}
    given = {
        _line(line, lines): answer
        for key, answer in valeur.items()
        for line in (_parts(key) if _names_several(key, lines) else [key])
    }
    if not any(given):
        # The other way round: {"médiane": "A", "total": ["B", "C"]}.
        given = {
            _line(part, lines): key for key, answer in valeur.items() for part in _parts(answer)
        }
    return {line: answer for line, answer in given.items() if line}


def _names_several(key: Any, lines: Sequence[str]) -> bool:
    """Tell whether a key is two lines or more: « A, D », or a tuple of both."""
    if not isinstance(key, (str, tuple)):
        return False
    parts = [str(part) for part in _parts(key) if str(part)]
    return len(parts) > 1 and all(part.upper() in map(str.upper, lines) for part in parts)


def _split_lines(text: str, lines: Sequence[str], name: str) -> Any:
    """Cut « A : médiane, B : total » at the names of the lines, or at the commas."""
    numbers = "|".join(str(rank) for rank in range(len(lines), 0, -1))
    listed = rf"(?:{name})(?:[\s,/&+]+(?:et\s+)?(?:{name}))*"
    turned = [
        re.fullmatch(rf"\W*(\w.*?)\s*[:=]\s*({listed})\W*", piece)
        for piece in re.split(r"[;\n]", text)
        if piece.strip()
    ]
    if turned and all(turned) and not any(_line(match[1], lines) for match in turned if match):
        return {match[1]: match[2] for match in turned if match}
    shared = [
        re.fullmatch(rf"\W*({listed})\s*(?:[:=]|->|=>|→)\s*(\w.*?)\W*", piece)
        for piece in re.split(r"[;\n]", text)
        if piece.strip()
    ]
    if all(shared) and any(len(_parts(match[1])) > 1 for match in shared if match):
        # Several lines for one choice: « A, D : médiane ; B : total ».
        return {line: match[2] for match in shared if match for line in _parts(match[1])}
    before, after = r"(?:^|[\s,;/(])", r"\s*(?:[:=)]|\.(?!\d)|->|=>|→)"
    numbered = rf"(?:{numbers})(?=\s*(?:[:=).](?!\d)|->|=>|→))"
    # A number that is the name of a line has the same care as a rank: « 8:30 ».
    named = rf"(?:{name})(?=\s*[:=).](?!\d)|\s*(?:->|=>|→))" if lines[0].isdigit() else name
    parts = re.split(rf"{before}({named}|{numbered}){after}", text, flags=re.IGNORECASE)
    if len(parts) == 1 and all(len(line) == 1 for line in lines):
        parts = re.split(rf"{before}({name})\s", text)
    if len(parts) == 1:
        return re.split(r"[,;/\n]", text)
    return {line: parts[2 * rank + 2].strip(" ,;/(\n\t") for rank, line in enumerate(parts[1::2])}


def _parts(answer: Any) -> list[Any]:
    if isinstance(answer, str):
        return re.split(r"[,;/&+\s]+|\bet\b", _as_text(answer))
    return list(answer) if isinstance(answer, (list, tuple, set, frozenset)) else [answer]


def lire_selection(valeur: Any, options: Mapping[str, str | Sequence[str]]) -> Lecture:
    """Read several letters of `options`; `valeur` of the result is their frozenset."""
    letters = list(options)
    example = 'Écrivez les lettres que vous cochez, par exemple "X, Y", ou "aucune".'
    if isinstance(valeur, bool):
        return _not_read("Python a donné Vrai ou Faux (True, False). " + example)
    if isinstance(valeur, pd.Series):
        boolean = pd.api.types.is_bool_dtype(valeur)
        valeur = valeur.to_dict() if boolean else valeur.tolist()
    elif not isinstance(valeur, str) and hasattr(valeur, "tolist"):
        valeur = valeur.tolist()
    if isinstance(valeur, Mapping):
        return _read_ticks(valeur, options, example)
    if isinstance(valeur, str):
        ticked, reason = _ticked_in(_as_text(valeur), options)
    elif isinstance(valeur, (list, tuple, set, frozenset)) and len(valeur) <= _MOST:
        ticked, reason = set(), ""
        for part in valeur:
            if _blank(part):
                continue
            some, why = _ticked_in(_as_text(part), options) if isinstance(part, str) else (None, "")
            if not some:
                ticked = None
                reason = why or f"« {_short(_as_text(part))} » n'est pas une option proposée."
                break
            ticked |= some
    else:
        return _not_read(example)
    if ticked is None:
        return _not_read(f"{reason} {example}")
    return _selection_read(ticked, letters)


def _selection_read(ticked: Iterable[str], letters: Sequence[str]) -> Lecture:
    kept = [letter for letter in letters if letter in ticked]
    left = [letter for letter in letters if letter not in kept]
    if not kept:
        return Lecture("Réponse lue : aucune option cochée.", frozenset())
    rest = f" Vous laissez {_list(left)}." if left else " Vous cochez tout."
    return Lecture(f"Réponse lue : {_list(kept)}.{rest}", frozenset(kept))


def _list(words: Sequence[str]) -> str:
    return " et ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _read_ticks(
    valeur: Mapping[Any, Any], options: Mapping[str, str | Sequence[str]], example: str
) -> Lecture:
    """Read {"A": True, "B": False}, or the one answer of {"réponse": "A, B"}."""
    given = {_line(key, list(options)): answer for key, answer in valeur.items()}
    if len(valeur) == 1 and not any(given):
        only = _unwrap(next(iter(valeur.values())))
        return _not_read(example) if isinstance(only, Mapping) else lire_selection(only, options)
    words = {
        "oui": (*OUI_NON["oui"], "x", "1", "coché", "cochée", "juste"),
        "non": (*OUI_NON["non"], "0"),
    }
    ticked = set()
    for letter, answer in given.items():
        answer = _unwrap(answer)
        chosen = (
            "non" if _blank(answer) else _chosen(answer, {k: (k, *v) for k, v in words.items()})
        )
        if not letter or chosen is None:
            return _not_read(f"dites de chaque lettre oui ou non. {example}")
        if chosen == "oui":
            ticked.add(letter)
    return _selection_read(ticked, list(options))


def _ticked_in(
    text: str, options: Mapping[str, str | Sequence[str]]
) -> tuple[set[str] | None, str]:
    """Find the letters a text ticks, or None and why it cannot be read."""
    # « 4 communes : A, B, E, G »
    text = re.sub(r"^\W*\d+(?:\s+[^\W\d]+){0,2}\s*:", "", text)
    folded = _fold(text, articles=False)
    ticked = _plainly_ticked(text, folded, options)
    if ticked is not None:
        return ticked, ""
    for pattern, reason in (
        (r"\b(?:pas|ni|sauf|excepte|sans|mais|non)\b", "écarte une lettre. Gardez les autres."),
        (r"\bou\b", "hésite entre des lettres."),
        (r"\b[a-z] a [a-z]\b", "ne nomme pas chaque lettre." if "à" in text.lower() else ""),
    ):
        if reason and re.search(pattern, folded):
            return None, f"« {_short(text)} » {reason}"
    bare = _fold(re.sub(r"\b[cdjlmnst]['’]", " ", text, flags=re.IGNORECASE), articles=False)
    tokens = [word for word in bare.upper().split() if word.lower() not in _FILLERS]
    ticked = set()
    for word in tokens:
        if len(word) == 1 and word not in options:
            return None, f"« {word} » n'est pas une option proposée."
        if not set(word) <= set(options) or len(set(word)) < len(word):
            break
        ticked |= set(word)
    else:
        if ticked:
            return ticked, ""
    opened = re.findall(r"(?:^|[\s,;(])([A-Z])\s*(?:[.):=]|[-–—]\s)", text)
    if opened and set(opened) <= set(options):
        return set(opened), ""
    alone = _letters_alone(text, options)
    return alone, "" if alone else f"« {_short(text)} » ne se lit pas comme une liste de lettres."


def _plainly_ticked(
    text: str, folded: str, options: Mapping[str, str | Sequence[str]]
) -> set[str] | None:
    """Read « ACD », « aucune », « A : oui, B : non », « tout sauf B », « A, C, pas B », texts."""
    compact = re.sub(r"\W", "", text).upper()
    if compact and set(compact) <= set(options) and len(set(compact)) == len(compact):
        return set(compact)
    if _NONE_TICKED.match(folded) and not re.search(r"\b(?:sauf|excepte)\b", folded):
        return set()
    if ticks := _ticks_in_words(text, options):
        return {letter for letter, chosen in ticks.items() if chosen}
    but = re.match(r"\W*tou(?:t|s|tes)\b.*?\b(?:sauf|except[ée])\b(.*)", text, re.I | re.DOTALL)
    if but and (left := _ticked_in(but[1], options)[0]):
        return set(options) - left
    letters = "".join(options)
    kept = _without_denied(text, f"[{letters}{letters.lower()}]")
    if kept != text and (some := _ticked_in(kept, options)[0]):
        return some
    if _ALL_TICKED.match(folded) and not re.search(r"\b(?:sauf|excepte|pas)\b", folded):
        return set(options)
    return _ticked_by_text(text, options) or None


def _ticks_in_words(text: str, options: Iterable[str]) -> dict[str, bool]:
    """Read « A : oui, B : non »; empty unless the whole text is so written."""
    one = rf"([{''.join(options)}])\s*[:=)–-]?\s*(oui|non|vrai|faux|true|false|x|1|0)"
    if not re.fullmatch(rf"\W*{one}(?:[\s,;.]+(?:et\s+)?{one})+\W*", text, re.IGNORECASE):
        return {}
    return {
        letter.upper(): word.lower() in ("oui", "vrai", "true", "x", "1")
        for letter, word in re.findall(one, text, re.IGNORECASE)
    }


def _letters_alone(text: str, options: Mapping[str, str | Sequence[str]]) -> set[str] | None:
    """Find the capitals that stand alone among words: « Il faut exiger A, C et E »."""
    bare = re.sub(r"\([^)]*\)", " ", text)
    # « A mon avis » begins with a word, not with an option.
    alone = re.findall(r"(?<![\w'’-])(A(?= *(?:[,;:.)&/]|et\b|$))|[B-Z](?![\w'’-]))", bare)
    good = len(alone) > 1 and len(set(alone)) == len(alone) and set(alone) <= set(options)
    return set(alone) if good else None


def _ticked_by_text(text: str, options: Mapping[str, str | Sequence[str]]) -> set[str]:
    """Find the options written by their own words; empty unless every piece is one."""
    names = {letter: (letter, *_writings(words)) for letter, words in options.items() if words}
    whole = {
        letter for letter, some in names.items() for name in some[1:] if _fold(name) == _fold(text)
    }
    if whole or not names:
        return whole
    pieces = [piece for piece in re.split(r"[,;\n+]|\bet\b", text) if piece.strip()]
    if any(re.search(r"\b(?:non|faux|pas|false|no)\W*$", piece.lower()) for piece in pieces):
        return set()
    found = {_recognise(piece, names) for piece in pieces}
    if None not in found:
        return {letter for letter in found if letter}
    return _named_one_by_one(_fold(text), names)


def _named_one_by_one(folded: str, names: Mapping[str, Sequence[str]]) -> set[str]:
    """Find the options whose words are in a text that says nothing else."""
    known = {_fold(name): letter for letter, some in names.items() for name in some[1:]}
    found = set()
    for name in sorted(known, key=len, reverse=True):
        if re.search(rf"\b{name}\b", folded):
            found.add(known[name])
            folded = re.sub(rf"\b{name}\b", " ", folded)
    return found if set(folded.split()) <= _FILLERS else set()


def _writings(texts: str | Sequence[str]) -> Sequence[str]:
    return [texts] if isinstance(texts, str) else texts


def _quoted(text: str, texts: Mapping[str, str | Sequence[str]]) -> set[str]:
    """Find the one option of which a text copies a good part, or copies with a slip."""
    folded = _without_spaces_in_numbers(_fold(text))
    known = {
        _without_spaces_in_numbers(_fold(words)): letter
        for letter, some in texts.items()
        for words in _writings(some)
    }
    holders = {known[words] for words in known if len(folded) > 14 and folded in words}
    if len(holders) == 1:
        return holders
    words = folded.split()
    return {
        letter
        for name, letter in known.items()
        if len(name.split()) > 3
        and _REFUSALS.findall(name) == _REFUSALS.findall(folded)
        and _nearly_all(words, name.split())
    }


def _without_spaces_in_numbers(folded: str) -> str:
    return re.sub(r"(?<=\d) (?=\d{3}\b)", "", folded)


def _nearly(word: str, other: str) -> bool:
    """Whether two words differ by a slip of the pen: « publier », « pubilier », not 15 and 16."""
    same = difflib.SequenceMatcher(None, word, other).ratio()
    return word == other or (same > 0.75 and word.isalpha() and not _opposed(word, other))


def lire_date(valeur: Any) -> Lecture:
    """Read a calendar day; `valeur` of the result is a `datetime.date`."""
    example = 'Exemples d\'écriture : "14 juillet 1990" ou "14/07/1990".'
    if isinstance(valeur, Mapping) and len(valeur) == 1:
        valeur = _unwrap(next(iter(valeur.values())))
    if valeur is pd.NaT:
        return _not_read("le calcul n'a pas donné de date (NaT). " + example)
    if isinstance(valeur, datetime.datetime):
        return _date_read(datetime.date(valeur.year, valeur.month, valeur.day))
    if isinstance(valeur, datetime.date):
        return _date_read(valeur)
    if isinstance(valeur, (int, float)) and not isinstance(valeur, bool):
        if re.fullmatch(r"(?:19|20)\d{6}|[0-3]\d[01]\d(?:19|20)\d\d", str(valeur)):
            return lire_date(str(valeur))
        return _not_read(
            "Python a lu un nombre, pas une date. Mettez la date entre guillemets. " + example
        )
    if not isinstance(valeur, str):
        return _not_read("il faut une date. " + example)
    text = _SPACES.sub(" ", unicodedata.normalize("NFKC", _as_text(valeur))).strip()
    text = re.sub(r"(?<=[^\W\d]),? ?(?=(?:19|20)\d\d\b)", " ", text)
    if re.match(r"(?:(?:non|ce n est) )?pas (?:le |au |avant )?\w*\d", _fold(text, articles=False)):
        return _not_read(f"« {_short(text)} » écarte une date. Donnez celle que vous retenez.")
    if re.search(r"\d\W+ou (?:le )?\d{1,4}\W*$", text):
        return _not_read(f"« {_short(text)} » hésite entre plusieurs dates. Gardez-en une.")
    # « du 6 février au 6 mars 2026 », « un mois après le 6 février, donc le 6 mars 2026 »
    end = re.split(r"\bau\b(?! lieu)|\bdonc\b", text)
    for piece in (
        text,
        _after_sign(text),
        re.sub(r"\([^)]*\)", " ", text),
        end[1] if len(end) == 2 else "",
    ):
        found = _dates_in(piece)
        if len(found) == 1:
            return _check_date(*found.pop(), text, example)
    if len(_dates_in(text)) > 1:
        return _not_read(f"« {_short(text)} » contient plusieurs dates. Gardez-en une.")
    return _not_read(f"{_why_no_date(text)} {example}")


def _dates_in(text: str) -> set[tuple[int | None, int, int]]:
    """Find the days written in a text, as (year, month, day): any numbers, checked later."""
    text = _TIME.sub(" ", text)
    found: set[tuple[int | None, int, int]] = set()
    for pattern, places in _DATE_FORMS:
        for match in pattern.finditer(text):
            year, month, day = (match[place] if place else "" for place in places)
            found.add((_year(year) if year else None, int(month), int(day)))
        text = pattern.sub(" ; ", text)
    folded = _fold(re.sub(r"[;,]", " stop ", text), articles=False)
    place = 0
    while (worded := _WORDED_DATE.search(folded, place)) is not None:
        # « 30 jours, 15 mars »: what is no month may stand before a date.
        month = _month(worded["month"])
        place = worded.end() if month else worded.start("month")
        if month:
            written = worded["day"].replace("premier", "un")
            day = _NUMBER_WORDS.get(written) or int(written)
            found.add((_year(worded["year"]) if worded["year"] else None, month, day))
    end = re.search(
        r"\b(?:fin|dernier jour)(?: du mois)?(?: de| d)? ([a-z]{3,9}) (\d{4})\b", folded
    )
    if end and not found and (month := _month(end[1])):
        found.add((int(end[2]), month, calendar.monthrange(int(end[2]), month)[1]))
    # « le 22 novembre, soit le 22/11/2026 »: the day without its year is the other one.
    whole = {date[1:] for date in found if date[0] is not None}
    return {date for date in found if date[0] is not None or date[1:] not in whole}


def _month(word: str) -> int | None:
    known = {_fold(name): rank for rank, name in enumerate(_MONTHS, 1)} | _SHORT_MONTHS
    close = difflib.get_close_matches(word, [name for name in known if len(name) > 3], 1, 0.8)
    return known.get(word) or (known[close[0]] if close else None)


def _year(written: str) -> int:
    if written.startswith("deux mille"):
        return 2000 + _NUMBER_WORDS.get(written[10:].strip(), 0)
    year = int(written)
    return year if len(written) == 4 else year + (2000 if year < 70 else 1900)


def _check_date(year: int | None, month: int, day: int, text: str, example: str) -> Lecture:
    if not 1 <= month <= 12:
        hint = " En français, le jour vient avant le mois." if 1 <= day <= 12 else ""
        return _not_read(f"« {_short(text)} » : il n'y a pas de mois {month}.{hint}")
    name = _MONTHS[month - 1]
    shown = f"{'1er' if day == 1 else day} {name}"
    if year is None:
        return _not_read(f"il manque l'année après « {shown} ». {example}")
    if year < 1000:
        return _not_read(f"l'année {year} n'a pas quatre chiffres. {example}")
    last = calendar.monthrange(year, month)[1]
    if not 1 <= day <= last:
        return _not_read(f"le {day} {name} {year} n'existe pas : ce mois compte {last} jours.")
    date = datetime.date(year, month, day)
    said = [name for name in _DAYS if re.search(rf"\b{name}\b", text.lower())]
    return _date_read(date, bool(said) and _DAYS[date.weekday()] not in said)


def _date_read(date: datetime.date, other_day: bool = False) -> Lecture:
    day = "1er" if date.day == 1 else date.day
    shown = f"{_DAYS[date.weekday()]} {day} {_MONTHS[date.month - 1]} {date.year}"
    note = " Le jour de la semaine que vous avez écrit n'est pas celui-là." if other_day else ""
    return Lecture(f"Réponse lue : {shown}.{note}", datetime.date(date.year, date.month, date.day))


def _why_no_date(text: str) -> str:
    words = _fold(text, articles=False).split()
    if any(_month(word) for word in words if len(word) > 2):
        return f"« {_short(text)} » : il manque le jour."
    return f"« {_short(text)} » ne contient pas de date."


def _day(written: Any) -> datetime.date:
    """Give the date of an expected value.

    Raises:
        ValueError: the exercise itself is wrong.
    """
    found = lire_date(written).valeur
    if found is None:
        raise ValueError(f"« {written} » n'est pas une date.")
    return datetime.date(found.year, found.month, found.day)


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
    if getattr(getattr(valeur, "dtype", None), "kind", "") == "M" and valeur.size == 1:
        return pd.Timestamp(valeur.reshape(-1)[0])
    if getattr(getattr(valeur, "dtype", None), "kind", "") == "m" and valeur.size == 1:
        return pd.Timedelta(valeur.reshape(-1)[0])
    if getattr(valeur, "size", None) == 1 and hasattr(valeur, "item"):
        valeur = valeur.item()
    return _as_text(valeur) if isinstance(valeur, str) else valeur


def _as_text(valeur: Any) -> str:
    """Give a plain text: a class of the learner's own may redefine how it compares."""
    return str.__str__(valeur if isinstance(valeur, str) else str(valeur))


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


def _number_in_words(words: str) -> int | None:
    """Read « deux cent quatre vingt quatorze », folded; None when it is no number."""
    text = re.sub(r"\b(cent|vingt|mille|million|milliard)s\b", r"\1", words)
    text = re.sub(r"\bune\b", "un", re.sub(r"\bmil\b", "mille", text)).strip()
    for name, value in (("milliard", 10**9), ("million", 10**6), ("mille", 1000)):
        if match := re.fullmatch(rf"(.*?)\b{name}\b(.*)", text):
            many, rest = (part.strip() for part in match.groups())
            times = _number_in_words(many) if many else 1 if name == "mille" else None
            added = _number_in_words(rest) if rest else 0
            good = times is not None and added is not None and times < 1000 and added < value
            return (times or 0) * value + (added or 0) if good else None
    if match := re.fullmatch(r"(.*?)\bcent\b(.*)", text):
        many, rest = (part.strip() for part in match.groups())
        times = _NUMBER_WORDS.get(many, 0) if many else 1
        added = _NUMBER_WORDS.get(rest.removeprefix("et ")) if rest else 0
        good = added is not None and (not many or (1 < times < 20 and times != 10))
        return 100 * times + (added or 0) if good else None
    return _NUMBER_WORDS.get(text)


def _digits_for_words(text: str, unite: str) -> str:
    """Write in digits the numbers that a text without digits says in words.

    « Une » and « un » are numbers when they are nearly the whole answer only.
    """
    text = re.sub(r"\b(?:pour|p\.) ?cents?\b", "%", _unit_text(text))
    stem = _stem(unite) if unite else r"\b\B"
    if re.fullmatch(r"\W*(?:zero|aucune?|nulle?)(?: (?!sauf|excepte)[a-z]+)?\W*", text):
        return "0"
    lone = re.fullmatch(rf"\W*(?:il y (?:en )?a )?une?(?: seule?)?(?: (?:{stem})[a-z]*)?\W*", text)

    def digits(match: re.Match[str]) -> str:
        words = match[0].replace("-", " ")
        number = _number_in_words(" ".join(words.split()))
        after = text[match.end() :]
        alone = words in ("un", "une") and not lone and not re.match(r" mill?i", after)
        fraction = re.match(r"[ -](?:tiers|quarts?|demi|[a-z]+iemes?)\b", after)
        return match[0] if number is None or alone or fraction else str(number)

    written = _WORDED_NUMBER.sub(digits, text)
    return re.sub(r"(\d+) virgule ((?:zero )*)(\d+)", _decimals, written)


def _decimals(match: re.Match[str]) -> str:
    return f"{match[1]},{'0' * match[2].count('zero')}{match[3]}"


def _plain_number_text(text: str, unite: str) -> str:
    """Set aside what is not the answer: label, whole of which it is a part, base of a rate."""
    plain = _SPACES.sub(" ", text)
    plain = re.sub("[−\u2010\u2011\u2013]", "-", plain)
    plain = re.sub(r"(?<=\d)['’_](?=\d{3})", "", plain)
    plain = _LABEL.sub("", plain)
    if re.match(r"pour 1 ?000\b", _SPACES.sub(" ", unite)):
        # « 7,2 créations pour 1 000 habitants »: the second number is of the unit.
        plain = re.sub(
            r"(?:\bpour|\bpar|\bp\.|/) ?(?:1[ .]?000|mille)\b(?=[^\d]*(?:\ben \d{4}\W*)?$)",
            "",
            plain,
            flags=re.I,
        )
    plain = re.sub(
        r"(?<=\d) ?(?:€|euros?) ?(\d\d)(?!\d)(?: ?c(?:entimes?|ts?)?\b)?", r",\1 €", plain
    )
    if unite != "%":
        # « 11 sur 30 », « 38 pour 10 000 », « Sur 10 000 habitants, 38 … »: the rest is the whole.
        plain = re.sub(r"^\W*(?:sur|pour) \d[\d .]*(?: [^\W\d]+)?,", "", plain, flags=re.I)
        plain = re.sub(
            r"(?<=\d)((?: [^\W\d]+){0,3}) (?:sur|pour)(?: les| ces)? \d[\d .]*(?: [^\W\d]+)?$",
            r"\1",
            plain,
        )
        if not unite.startswith("pour"):
            plain = re.sub(r"^(\W*\d+)/\d+\W*$", _counted_over, plain)
    plain = re.sub(r"(\d+) mille (\d{1,3})(?!\d)", lambda m: f"{m[1]}{int(m[2]):03d}", plain)
    return re.sub(r"(?<!au )(?<!ou )(?<!du )\bmoins (?=\d)", "-", plain, flags=re.I)


def _counted_over(match: re.Match[str]) -> str:
    """« 11/30 » counts 11 of 30; « 565413/771 » is a calculation."""
    part, whole = (int(number) for number in re.findall(r"\d+", match[0]))
    return match[1] if part < whole else match[0]


def _with_its_unit(found: list[re.Match[str]], plain: str, unite: str) -> list[re.Match[str]]:
    """Keep of several numbers the one that carries the unit, unless another is its rival."""
    with_unit = [match for match in found if _has_unit(plain[match.end() :], unite)]
    if len(found) < 2 or len(with_unit) != 1:
        return found
    rival = re.search(r"\d ?%? ?(?:ou|à|et|-) ?$", plain[: with_unit[0].start()]) or re.match(
        r" ?%? ?(?:ou|à|et|-) ?\d", plain[with_unit[0].end() :]
    )
    return found if rival else with_unit


def _kept(found: list[re.Match[str]], plain: str) -> list[re.Match[str]]:
    """Drop the numbers that the text sets aside, « 2017, pas 2023 », and those beside another."""
    kept = [match for match in found if not _NOT_THIS.search(_before(match, plain))]
    alone = [
        match
        for match in kept
        if not re.search(r"\b(?:que?|contre) ?$", _before(match, plain))
        and not re.match(r" (?:chiffres?|caract[èe]res?|lettres?)\b", plain[match.end() :])
        and not (
            re.fullmatch(r"(?:19|20)\d\d", match[0])
            and _BEFORE_A_YEAR.search(_before(match, plain))
        )
    ]
    return alone or kept


def _before(match: re.Match[str], plain: str) -> str:
    return _unit_text(plain[: match.start()])


def _falls(match: re.Match[str], plain: str) -> bool:
    """Whether the words nearest to a number, those before it first, speak of a fall."""
    if match[0][0] in "+-":
        return False
    if re.search(r"(?<!\d)(?<!\d )- $", plain[: match.start()]):
        return True
    after = re.split(r"[,;.(]", plain[match.end() :])[0]
    for part in (plain[: match.start()], after):
        text = _ASIDE.sub(" ", _unit_text(part))
        falls, rises = ([m.start() for m in words.finditer(text)] for words in (_FALL, _RISE))
        if falls or rises:
            return max(falls, default=-1) > max(rises, default=-1)
    return False


def _read_number_text(text: str, unite: str, hausse: bool = False) -> Lecture:
    plain = _plain_number_text(text, unite)
    if not re.search(r"\d", plain):
        plain = _digits_for_words(plain, unite)
    every = list(_NUMBER.finditer(plain))
    found = _with_its_unit(_kept(every, plain), plain, unite)
    if every and not found:
        return _not_read(f"« {_short(text)} » écarte un nombre. Donnez celui que vous retenez.")
    for shorter in (_after_sign(plain), re.sub(r"\([^)]*\)", " ", plain)):
        numbers = _kept(list(_NUMBER.finditer(shorter)), shorter)
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
    if hausse and _falls(found[0], plain):
        written = f"-{written}"
    after = plain[found[0].end() :]
    explicit = _has_unit(after, "%")
    if explicit and unite not in ("", "%"):
        return _not_read(f"« {_short(text)} » est un pourcentage. On demande {_asked(unite)}.")
    other = _other_unit(after, unite)
    if other:
        return _not_read(f"« {_short(text)} » est en {other}. On demande {_asked(unite)}.")
    factor = 1.0 if unite == "%" else _factor(after, unite)
    if factor != 1:
        number = round(float(_decimal_point(written)) * factor, 6)
        return _read_number(number, unite, explicit=True)
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
    return bool(unite) and bool(re.match(rf" ?(?:{_stem(unite)})", _unit_text(after)))


def _stem(unite: str) -> str:
    if unite == "%":
        return r"%|pour ?cent|percent|p\. ?100|p\. ?cent|pct|(?:[^\W\d]+ )?(?:sur|pour|/) ?100\b"
    if _euros(unite):
        return "|".join(_EUROS.values())
    return _TIME_UNITS.get(unite) or re.escape(_unit_text(unite)[:3])


def _unit_text(text: str) -> str:
    """Drop case, accents and apostrophes, and keep the signs « % » and « € »."""
    decomposed = unicodedata.normalize("NFD", re.sub("['’]", " ", text.lower()))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def _euros(unite: str) -> str:
    """Give the sign of a unit of money, or nothing."""
    sign = _EURO_NAMES.get(unite, unite)
    return sign if sign in _EUROS else ""


def _asked(unite: str) -> str:
    if not unite:
        return "un nombre"
    if unite == "année":
        return "une année"
    return "des euros" if unite == "€" else "un pourcentage" if unite == "%" else f"des {unite}"


def _other_unit(after: str, unite: str) -> str:
    """Name the unit written after a number, when it is not the one that is asked."""
    if not unite:
        return ""
    text = _unit_text(after)
    if unite == "%" and re.match(r" ?(?:‰|pour ?mille\b)", text):
        return "‰"
    for noun, stem in _NOT_THE_UNIT.get(unite, {}).items():
        if re.match(rf" ?(?:{stem})", text):
            return noun
    if not _euros(unite) and re.match(rf" ?(?:{_EUROS['€']}|k€|m€)", text):
        return "euros"
    if _euros(unite) and re.match(r" ?(?:centimes?|cts?\b)", text):
        return "centimes"
    if _has_unit(after, unite):
        return ""
    # « 1 960 h » is not a number of hours where inhabitants are counted.
    short = r"" if unite in _TIME_UNITS else r"(?!h\b|j\b)"
    return next(
        (name for name, stem in _TIME_UNITS.items() if re.match(rf" ?{short}(?:{stem})", text)), ""
    )


def _factor(after: str, unite: str) -> float:
    """By how much a number is multiplied: « 12 k€ » is 12 000 €, « 1,2 million » 1 200 000."""
    text, asked = _unit_text(after), _euros(unite)
    if asked:
        for sign in ("Md€", "M€", "k€", "€"):
            if re.match(rf" ?(?:{_EUROS[sign]})", text):
                return _EURO_VALUES[sign] / _EURO_VALUES[asked]
    many = _MANY.match(text)
    if many is None or re.match(r"mill", _unit_text(unite)):
        return 1.0
    value = {"k": 1e3, "mille": 1e3, "millier": 1e3, "million": 1e6, "milliard": 1e9}[
        many[1].rstrip("s")
    ]
    return value / _EURO_VALUES.get(asked, 1.0)


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
    shown = f"{number:g}" if unite == "année" else _write(number)
    shown += f" {unite}" if unite not in ("", "année") else ""
    return Lecture(f"Réponse lue : {shown}.", (number,))


def _unclear_signs(text: str, elements: Iterable[str], rising: bool) -> str:
    if not rising and "<" in text:
        return "le signe < ne dit pas ici dans quel sens lire."
    if "<" in text and ">" in text:
        return "gardez un seul signe, < ou >."
    letter = f"[{''.join(elements)}]"
    if re.search(rf"\b{letter}\s*=\s*{letter}\b", text):
        return "deux lettres ont le signe =."
    return ""


def _split_ranking(text: str, elements: Collection[str]) -> list[str]:
    compact = re.sub(r"\W", "", text).upper()
    if sorted(compact) == sorted(elements):
        return list(compact)
    alone = re.findall(rf"(?<![\w'’])[{''.join(elements)}](?![\w'’])", text)
    if sorted(alone) == sorted(elements):
        return alone
    text = re.sub(r"\([^)]*\)?", " ", text)
    text = re.sub(r"(?:^|(?<=\s))\d+\s*(?:[.):]|er|re|e|ème)(?=\s)", ";", text)
    pieces = re.split(r"[<>≤≥,;|/&\n]|\b(?:puis|ensuite|enfin)\b|\s[-–—]\s|\bet\b(?=\s+\w\b)", text)
    pieces = [piece for piece in (piece.strip(" .[]'\"") for piece in pieces) if piece]
    if len(pieces) == len(elements) - 1:
        pieces[-1:] = [piece.strip() for piece in re.split(r"\bet\b", pieces[-1])]
    if len(pieces) == 1:
        pieces = [piece for piece in re.split(r"[\s\-–—]+", pieces[0]) if piece]
    return pieces


def _pairs(valeur: Any) -> Mapping[Any, Any] | None:
    """Give a dict, a column of numbers by label or a list of pairs as a mapping."""
    if isinstance(valeur, Mapping):
        return valeur
    if isinstance(valeur, pd.Series) and pd.api.types.is_datetime64_any_dtype(valeur):
        return dict(valeur.rank(method="first").items())
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
    # Whole forms first: « le non » and « non » differ only by an article.
    known = {_fold(name): label for label, aliases in names.items() for name in aliases}
    folded = _fold(text)
    if folded in known:
        return known[folded]
    worded = " ".join(re.sub(r"\d+", " ", folded).split())
    if worded in known:
        return known[worded]
    head = _fold(_REMARK.sub("", text))
    if head in known:
        return known[head]
    return _misspelt(folded, known) or _only_named(folded, known) or _explained(text, known)


def _explained(text: str, known: Mapping[str, str]) -> str | None:
    """Find the label before a comma, when what follows names no other and takes nothing back."""
    head, _, rest = text.partition(",")
    label, folded = known.get(_fold(head)), _fold(rest, articles=False)
    taken_back = re.match(
        r"(?:mais|sauf|ou|excepte|sinon|a moins|enfin|quoique|plutot|seulement|uniquement|juste|sans|en partie|partiellement)\b",
        folded,
    )
    others = {name for name in known if known[name] != label and len(name) > 2}
    if taken_back or any(re.search(rf"\b{name}\b", folded) for name in others):
        return None
    return label


def _misspelt(folded: str, known: Mapping[str, str]) -> str | None:
    """Find the label of the nearest name; not when a digit, a negation or « ou » differs."""
    words = set(_REFUSALS.findall(folded))
    near = [
        name
        for name in known
        if len(name) > 2
        and re.findall(r"\d+", name) == re.findall(r"\d+", folded)
        and set(_REFUSALS.findall(name)) == words
        and set(_SENSES.findall(name)) == set(_SENSES.findall(folded))
        and not any(_opposed(*pair) for pair in ((folded, name), *_pairwise(folded, name)))
    ]
    close = difflib.get_close_matches(folded, near, n=1, cutoff=0.85)
    if close and len(close[0].split()) > 4 and not _nearly_all(folded.split(), close[0].split()):
        return None
    return known[close[0]] if close else None


def _nearly_all(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether two sentences differ by slips of the pen and small words only."""
    blocks = difflib.SequenceMatcher(None, words, others, autojunk=False).get_opcodes()
    for kind, start, stop, start2, stop2 in blocks:
        one, two = words[start:stop], others[start2:stop2]
        if kind == "replace" and not (len(one) == len(two) and all(map(_nearly, one, two))):
            return False
        if kind in ("insert", "delete") and any(len(word) > 3 for word in (*one, *two)):
            return False
    return True


def _pairwise(first: str, second: str) -> list[tuple[str, str]]:
    """Pair the words of two texts, as far as the shorter goes."""
    ones, others = first.split(), second.split()
    return [(ones[rank], others[rank]) for rank in range(min(len(ones), len(others)))]


def _opposed(first: str, second: str) -> bool:
    """Whether one is the other with a negative prefix: « valide », « invalide »."""
    short, long = sorted((first.rstrip("s"), second.rstrip("s")), key=len)
    return long.endswith(short) and bool(_NEGATIVE.fullmatch(long[: -len(short)]))


def _only_named(folded: str, known: Mapping[str, str]) -> str | None:
    """Find the one label named in a phrase, the longest names first: « médiane, car … ».

    None when the rest of the phrase rules something out, or opens with another answer.
    """
    found = set()
    for name in sorted(known, key=len, reverse=True):
        if len(name) > 2 and re.search(rf"\b{name}\b", folded):
            if re.search(rf"{_DENIED}{name}\b", folded):
                return None
            found.add(known[name])
            folded = re.sub(rf"\b{name}\b", " ", folded)
    return found.pop() if len(found) == 1 and not _REFUSALS.search(folded) else None


def _line(key: object, lines: Sequence[str]) -> str:
    """Find the line a key names: its name, its last word, or its rank."""
    if isinstance(key, float) and key.is_integer():
        key = int(key)
    names = {_fold(line, articles=False): line for line in lines}
    key = re.sub(r"\bà\b|\b[cdjlmnst]['’]", " ", _as_text(key), flags=re.IGNORECASE)
    text = _fold(key, articles=False)
    if text in names:
        return names[text]
    for word in reversed(text.split()):
        if word in names:
            return names[word]
        if word.isdigit() and len(word) < 3 and 0 < int(word) <= len(lines):
            return "" if lines[0].isdigit() else lines[int(word) - 1]
        if len(word) == 1 and word.isalpha() and lines[0].isdigit():
            rank = LETTRES.find(word.upper())
            return lines[rank] if rank < len(lines) else ""
    return ""


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
    _CONTEXTS.add("departement")
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
    if re.fullmatch(r"75[01]\d\d|PARIS\d+(?:E|ER|EME|ÈME)?", bare):
        return "75"
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
            f"{names[code]} ({code}) ne compte qu'une commune : il n'y a rien à y comparer. "
            "Choisissez un autre département."
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
        tolerance >= 0.5 and value == math.trunc(expected)
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
    return text.replace(",", "\u202f").replace(".", ",").replace("-", "−")


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
