"""Cut a French text into sentences, and count their words."""

import re
from collections.abc import Iterator

# A full stop after these does not end a sentence. One letter is an initial, an article
# of a code (« L. 2121-29 ») or the name of an answer (« A. »).
_SHORTENED = (
    "MM|Mgr|Dr|Pr|Me|art|al|cf|ex|p|pp|fig|vol|chap|env|hab|tél|min|max|av|apr|janv|févr|avr"
    "|juill|sept|oct|nov|déc|réf|éd|coll|dir|id|ibid|St|Ste|boul|bd|J\\.-C"
)
_NO_END = re.compile(rf"(?:^|[\s(«’'-])(?:{_SHORTENED}|[^\W\d_])\.$", re.IGNORECASE)
_END = re.compile(r"[.!?…]+(?:[\s]*[»”)\]])*(?=\s|$)")
_STARTS = re.compile(r"[\s«“(\[—–-]*[A-ZÀ-ÖØ-ÞŒ\d\ufffc]")
# Signs that part two pieces of a line which is not a sentence: « Source · date ».
_APART = re.compile(r"\u2028|\s[·|]\s|\s→\s")
_WORD = re.compile(r"[\w\ufffc]+(?:[’'\-–.,/\u202f][\w\ufffc]+)*")


def sentences(text: str) -> list[str]:
    """Cut a text into sentences.

    A sentence ends with . ! ? or …, with the quotes and brackets that close after it,
    when what follows begins like a sentence.
    """
    found = []
    for piece in _APART.split(text):
        found += [one.strip() for one in _cut(piece) if one.strip()]
    return found


def word_count(sentence: str) -> int:
    """Count words as word processors do: « l’élue » and « 34 875 » are one each."""
    return len(_WORD.findall(sentence))


def _cut(text: str) -> Iterator[str]:
    start = 0
    for end in _END.finditer(text):
        if end[0] == "." and _NO_END.search(text[start : end.end()]):
            continue
        if text[end.end() :].strip() and not _STARTS.match(text, end.end()):
            continue
        yield text[start : end.end()]
        start = end.end()
    yield text[start:]
