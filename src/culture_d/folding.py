"""How a name is compared, whatever its accents, its hyphens and its apostrophes.

`book/on_page/choisir-commune.js` has the same rules for what a reader types; a test
compares the two on every name.
"""

import re
import unicodedata

# Words that come before a name without being looked up: « Le Havre » is found at « havre ».
LEADING = frozenset(["l", "le", "la", "les", "d", "de", "du", "des", "saint"])
# Words too common to be looked up at all.
COMMON = LEADING | frozenset(["en", "et", "sur", "sous", "aux", "au", "a", "pres"])

_WORD = re.compile(r"[a-z0-9]+")
_SAINT = dict.fromkeys(("st", "ste", "sainte"), "saint")
_ORDINAL = re.compile(r"^(\d+)(?:er|re|e|eme|ieme)$")


def fold(name: str) -> str:
    """Return the words of a name, in lower case, without accents, one space between them.

    « St », « Ste » and « Sainte » read as « saint », « s/ » as « sur », « 11e » as « 11 ».
    """
    plain = name.lower().replace("œ", "oe").replace("æ", "ae")
    if not plain.isascii():
        letters = unicodedata.normalize("NFD", plain)
        plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    words = _WORD.findall(plain.replace("s/", "sur "))
    return " ".join(_SAINT.get(word) or _ORDINAL.sub(r"\1", word) for word in words)


def without_leading(folded: str) -> str:
    """Remove the first words that are not looked up; the last word always stays."""
    words = folded.split(" ")
    while len(words) > 1 and words[0] in LEADING:
        words = words[1:]
    return " ".join(words)


def keys(name: str) -> set[str]:
    """Return where a name is looked up: at each word that means something.

    « Saint-Germain-en-Laye » is found at « germain en laye » and at « laye ». A name with
    an apostrophe is also found without it, as people type on a phone: « lhay les roses ».
    """
    folded = fold(name)
    words = folded.split(" ")
    found = {without_leading(folded)}
    found |= {" ".join(words[place:]) for place, word in enumerate(words) if word not in COMMON}
    if "'" in name:
        found.add(without_leading(fold(name.replace("'", ""))))
    return found
