"""What the text of the course must be: typography, lengths, words (STYLE of the course).

Each rule is one pattern, the name under which an exception may quote it, and what to
write instead. They read one block at a time; see `acronyms` for what needs the page.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from culture_d.prose.blocks import HEAD, OBJECT, REFERENCE, Block, without_addresses
from culture_d.prose.sentences import sentences, word_count

MAX_WORDS = 22
MAX_WORDS_SHORT = 15
MAX_SENTENCES = 5
_AROUND = 28
_PARAGRAPHS = {"p", "li", "dd", "td", "blockquote"}


class Fault(NamedTuple):
    """Something to correct in a block: the rule, the words, what to write."""

    rule: str
    words: str
    advice: str


class _Rule(NamedTuple):
    name: str
    pattern: re.Pattern[str]
    advice: str
    allows: Callable[[re.Match[str], Block], bool] = lambda match, block: False


_MONTHS = "janvier|février|mars|avril|mai|juin|juillet|août|septembre|octobre|novembre|décembre"
# A number after these words, or in a column of that name, names a thing…
_NAMING = re.compile(
    r"(?:\bcodes?|posta(?:l|ux)|n°|numéros?|conseil|avis|port|SIREN|SIRET|articles?|art\.|lois?"
    r"|décrets?|arrêtés?|règlement|directive|libre réponse)\b[^!?]{0,60}$",
    re.IGNORECASE,
)
# … unless one of these follows: then it counts them.
_COUNTED = re.compile(
    r"[\s](?:habitant|commune|euro|€|agent|personne|électeur|électrice|logement|ligne|m²|élu|voix"
    r"|million|milliard|foyer|kilomètre|km|kWh|tonne)"
)
_NAMING_COLUMN = re.compile(
    r"\bcodes?\b|siren|siret|posta|insee|num[ée]ro|identifiant|ann[ée]e|version|date", re.IGNORECASE
)
_VERSIONED = re.compile(r"(?:\b[A-Z]\w*|\b[Vv]ersions?|\b[Ss]chémas?|\bv|[\ufffc])\s?$")
# Numbers of criteria or of titles: « critère 1.1 », « (1.4, 1.5 et 2.1) ».
_NUMBERED = re.compile(
    r"\b(?:critères?|règles?|tests?|chapitres?|sections?|thèmes?)\s[\d., et à]*$"
)
_NUMBERS = re.compile(r"\(\d+\.\d+(?:(?:,| et| à)\s\d+\.\d+)*\)")
# A postal address: « 75342 Paris ».
_TOWN = re.compile(r"\s[A-ZÀ-Ý]")
_MAY_DOUBLE = {"nous", "vous", "en"}

# « A », then what shows that it is the preposition and not the verb (« A voté », « A-t-on »).
_AFTER_A = (
    "retenir|vérifier|savoir|noter|faire|lire|dire|voir|suivre|venir|remplir|compléter|remettre"
    "|partir|propos|quoi|qui|quels?|quelles?|combien|la|le|les|l’|l'|un|une|chaque|ce|cet|cette"
    "|ces|votre|vos|notre|nos|leurs?|défaut|droite|gauche|jour|titre|moins|plus|peine|peu|présent"
    "|cause|côté|travers|mesure|condition|distance|distribuer|imprimer|Mayotte|Paris|Valmorin"
)
_ACCENTED = (
    "Etats?|Ecoles?|Economies?|Economique?s?|Ecri(?:re|vez|t|te|ts|tes|ture)|Elue?s?|Elections?"
    "|Electora(?:l|le|ux|les)|Energies?|Energétiques?|Equipements?|Equipes?|Etapes?|Etablissements?"
    "|Etudes?|Etre|Etes|Etait|Etaient|Etant|Eté|Evalu(?:er|ez|ation|ations)|Evit(?:er|ez)"
    "|Evolutions?|Evénements?|Egalité|Egalement|Egal(?:e|es|aux)?|Echelles?|Echanges?|Echantillons?"
    "|Echéances?|Echecs?|Ecarts?|Ecrans?|Editeurs?|Editions?|Ethique|Etiquettes?|Etrangers?|Epargne"
    "|Epoques?|Equilibre|Equitable|Equivalents?|Elèves?|Eléments?|Emissions?|Enoncés?|Enumér\\w+"
    "|Etendues?|Etonn\\w+|Etroite?s?|Ecologi\\w+|Ca|Iles?|Ages?|Ame|Oter|Otez|Ou(?= (?:trouver|lire"
    "|chercher|en sommes)\\b)"
)
_LIGATURES = (
    "c(?:h)?oeurs?|oeuvres?|oeuvrer|manoeuvres?|soeurs?|voeux?|noeuds?|oeil|boeufs?|oeufs?|moeurs"
    "|oecuménique|foetus|oedème"
)
_BRANDS = "Excel|Google|Microsoft|PowerPoint|Facebook|WhatsApp|Twitter|ChatGPT|Amazon|iPhone"
_CONDESCENDING = (
    "évidemment|bien sûr|bien entendu|il va de soi|comme chacun sait|tout simplement|rien de plus"
    " simple|il est clair que|incontournables?|révolutionnaires?"
)


def _names_something(match: re.Match[str], block: Block) -> bool:
    """Whether a bare number is a year, a code, a number of a text of law."""
    number = match[0]
    before = block.text[: match.start()]
    if number.startswith("0") or (len(number) == 4 and 1500 <= int(number) <= 2100):
        return True
    if _NAMING_COLUMN.search(block.column) or _NAMING_COLUMN.search(block.heading):
        return True
    if len(number) == 5 and _TOWN.match(block.text, match.end()):
        return True
    sentence = re.split(r"[.!?]\s", before)[-1]
    return bool(_NAMING.search(sentence)) and not _COUNTED.match(block.text, match.end())


def _is_version(match: re.Match[str], block: Block) -> bool:
    """Whether it numbers a version, a title or a criterion, and measures nothing."""
    before = block.text[: match.start()]
    starts = not before and bool(re.match(r"[\s]?[·.—–]|[\s][A-ZÀ-Ý]", block.text[match.end() :]))
    bracket = any(one.start() < match.start() < one.end() for one in _NUMBERS.finditer(block.text))
    return (
        (starts or bracket)
        or bool(_VERSIONED.search(before) or _NUMBERED.search(before))
        or bool(_NAMING_COLUMN.search(block.column))
    )


def _may_be_twice(match: re.Match[str], block: Block) -> bool:
    return match[1].lower() in _MAY_DOUBLE or match[1].isdigit()


def _is_a_noun(match: re.Match[str], block: Block) -> bool:
    """« Le ton » is a noun; « ton maire » speaks to a friend."""
    before = re.search(r"([\w’']+)\s*$", block.text[: match.start()])
    article = before[1].lower() if before else ""
    return match[0].lower() == "ton" and article in {"le", "un", "ce", "du", "au", "quel", "de"}


def _rule(
    name: str,
    pattern: str,
    advice: str,
    allows: Callable[[re.Match[str], Block], bool] = lambda match, block: False,
    flags: int = 0,
) -> _Rule:
    return _Rule(name, re.compile(pattern, flags), advice, allows)


RULES: tuple[_Rule, ...] = (
    _rule("espaces", r" (?=[:;!?»])", "mettez une espace insécable avant ce signe"),
    _rule(
        "espaces",
        r"(?<=[\w\ufffc)\]»”…€%])[:;!?](?=\s|$|[»)\]])",
        "mettez une espace insécable avant ce signe",
    ),
    _rule("espaces", r"[^\s«]»", "mettez une espace insécable avant « » »"),
    _rule("espaces", r"«(?![\u00a0\u202f])", "mettez une espace insécable après « « »"),
    _rule("espaces", r"\d[ \u00a0]?%", "mettez une espace fine insécable avant « % »"),
    _rule("espaces", r"[ \u00a0\u202f]{2,}", "gardez une seule espace"),
    _rule("espaces", r" (?=[,.](?:\s|$))", "retirez l'espace avant ce signe"),
    _rule(
        "milliers",
        r"(?<![\d,.\-/])\d{1,3}(?:[ \u00a0]\d{3})+(?!\d)",
        "séparez les milliers par une espace fine insécable",
    ),
    _rule(
        "milliers",
        r"(?<![\w.,/\-–°\u202f])\d{4,}(?![\w/\-–\u202f]|[.,]\d)",
        "séparez les milliers par une espace fine insécable (ou nommez le code : « code 75056 »)",
        _names_something,
    ),
    _rule(
        "décimale",
        r"(?<![\w.\-/])\d+\.\d+(?![\w\-]|\.\d)",
        "écrivez la virgule décimale : 3,5",
        _is_version,
    ),
    _rule("apostrophe", r"['`´]", "écrivez l'apostrophe « ’ »"),
    _rule("guillemets", r"\"|‟|„", "écrivez les guillemets « … »"),
    _rule("capitale", rf"(?<![\w’'-])A(?= (?:{_AFTER_A})(?![\w-]))", "écrivez « À »"),
    _rule(
        "capitale", rf"(?<![\w-])(?:{_ACCENTED})(?![\w-])", "accentuez la capitale (É, Ê, Ç, Î…)"
    ),
    _rule("ligature", rf"\b(?:{_LIGATURES})\b", "écrivez « œ »", flags=re.IGNORECASE),
    _rule("numéro", r"\b[Nn](?:[oº]\.?)\s?\d|\b[Nn]°\d", "écrivez « n° 3 »"),
    _rule(
        "ordinal",
        r"\b\d+(?:i?[èe]mes?|[èe]res?|ier|è)\b|\b1 er\b",
        "écrivez « 1er », « 1re », « 2e »",
    ),
    _rule(
        "ordinal",
        rf"(?<![\w,.-])0?1\s(?:{_MONTHS})\b",
        "écrivez « 1er janvier »",
        flags=re.IGNORECASE,
    ),
    _rule(
        "date",
        r"(?<![\w/])\d{1,2}/\d{1,2}/\d{2,4}(?![\w/])|(?<![\w-])\d{4}-\d{2}-\d{2}(?![\w-])",
        "écrivez la date en toutes lettres : « 1er janvier 2026 »",
    ),
    _rule("date", rf"\b0\d\s(?:{_MONTHS})\b", "écrivez le jour sans zéro : « 3 mars »"),
    _rule(
        "date",
        rf"\b\d{{1,2}}(?:er)?\s(?=[A-ZÀ-Ý])(?i:{_MONTHS})\b",
        "le nom du mois n'a pas de capitale",
    ),
    _rule(
        "heure",
        r"(?<![\w:])\d{1,2}(?:[hH]\d{2}|[hH]|:\d{2})(?![\w:])",
        "écrivez « 18 h 30 »",
    ),
    _rule(
        "point médian",
        r"\w·\w|\w\(e\)|\w{2,}\.e\.?s\b|\w{2,}-e-s\b",
        "écrivez les deux formes : « élues et élus »",
    ),
    _rule("etc.", r"\betc(?:\.{2,}|\.?…|(?!\.)\b)", "écrivez « etc. »", flags=re.IGNORECASE),
    _rule(
        "points de suspension",
        r"(?<![.])(?<!etc)\.{2,5}(?!\.)",
        "écrivez « … »",
        flags=re.IGNORECASE,
    ),
    _rule(
        "répétition",
        r"(?<![\w’'-])(\w+)[\s]+\1(?![\w’'-])",
        "ce mot est écrit deux fois",
        _may_be_twice,
        re.IGNORECASE,
    ),
    _rule(
        "vous",
        r"(?<![\w’'-])(?:tu|te|toi|ta|tes|ton|tiens|tienne)(?![\w’'-])|(?<![\w’'-])t[’'](?=\w)",
        "dites « vous » au lecteur",
        _is_a_noun,
        re.IGNORECASE,
    ),
    _rule(
        "marque", rf"\b(?:{_BRANDS})\b", "ne nommez pas de marque : « un tableur », « un moteur »…"
    ),
    _rule(
        "ton",
        rf"\b(?:{_CONDESCENDING})\b",
        "retirez ce mot : il juge le lecteur ou exagère",
        flags=re.I,
    ),
)


def block_faults(block: Block) -> Iterator[Fault]:
    """Find what is wrong in one block."""
    masked = without_addresses(block)
    for rule in RULES:
        for match in rule.pattern.finditer(masked.text):
            if not rule.allows(match, masked) and not _undone(rule, block):
                yield Fault(rule.name, excerpt(masked.text, *match.span()), rule.advice)
    yield from _lengths(masked)


def _undone(rule: _Rule, block: Block) -> bool:
    return block.kind == HEAD and rule.name == "espaces"


def excerpt(text: str, start: int, end: int) -> str:
    """Quote the words at fault with a few around them."""
    left, right = max(0, start - _AROUND), min(len(text), end + _AROUND)
    while left and not text[left - 1].isspace():
        left -= 1
    while right < len(text) and not text[right].isspace():
        right += 1
    return text[left:right].strip(" ").replace(OBJECT, "□").replace("\u2028", " ")


def _lengths(block: Block) -> Iterator[Fault]:
    most = MAX_WORDS_SHORT if block.short and not block.is_heading else MAX_WORDS
    found = sentences(block.text) if block.kind != REFERENCE else []
    for sentence in found:
        count = word_count(sentence)
        if count > most:
            words = " ".join(sentence.split(" ")[:8]).replace(OBJECT, "□")
            yield Fault("phrase", f"{words}…", f"{count} mots : {most} au plus, coupez la phrase")
    # « La réponse. », « Petite ? », « Oui. » : a label or an answer is not an idea more.
    found = [sentence for sentence in found if word_count(sentence) > 2]
    if block.kind in _PARAGRAPHS and len(found) > MAX_SENTENCES:
        words = " ".join(block.text.split(" ")[:8]).replace(OBJECT, "□")
        advice = f"{len(found)} phrases : {MAX_SENTENCES} au plus, faites deux paragraphes"
        yield Fault("paragraphe", f"{words}…", advice)
