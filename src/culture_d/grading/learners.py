"""Name learners: a stable identifier, safe for nbgrader and for any file system.

Two learners never get one identifier because of the letters it cannot hold: « Noël » and
« Noel » differ by a few characters drawn from the name itself, so that the identifier of
a learner never depends on who else is in the class.
"""

import hashlib
import re
import unicodedata

_SAFE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_-])?")
_LONGEST = 40
_LETTERS = str.maketrans({"œ": "oe", "æ": "ae", "ß": "ss", "ø": "o", "ł": "l", "đ": "d"})
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?")


def learner_id(name: str, number: str = "") -> str:
    """Make the identifier of a learner from a name, and the platform's number if it has one.

    Case, spaces, hyphens and apostrophes make no difference; letters do. With a number,
    homonyms differ by it.
    """
    folded = re.sub(r"[^\w.]+|_+", "-", unicodedata.normalize("NFC", name).casefold())
    slug = _ascii(folded)
    if number:
        return f"{slug[:_LONGEST].strip('-.') or 'eleve'}-{number}"
    exact = slug == folded.strip("-.") and len(slug) <= _LONGEST
    if exact and slug and not _RESERVED.fullmatch(slug):
        return slug
    drawn = _drawn_from(folded if folded.strip("-.") else name)
    return f"{slug[:_LONGEST].strip('-.') or 'eleve'}-{drawn}"


def kept_id(name: str) -> str:
    """Keep the identifier nbgrader gave (the name of a folder), unless it is not safe."""
    if _SAFE.fullmatch(name) and not _RESERVED.fullmatch(name.casefold()):
        return name
    folded = re.sub(r"[^\w.]+", "-", unicodedata.normalize("NFC", name).casefold())
    return f"{_ascii(folded)[:_LONGEST].strip('-.') or 'eleve'}-{_drawn_from(name)}"


def _ascii(folded: str) -> str:
    decomposed = unicodedata.normalize("NFKD", folded.translate(_LETTERS))
    return re.sub(r"[^a-z0-9_.-]", "", decomposed).strip("-.")


def _drawn_from(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:6]
