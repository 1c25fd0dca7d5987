"""Words compared as a person compares them: no capitals, no accents, no punctuation."""

import difflib
import re
import unicodedata
from collections.abc import Sequence


def plain(text: str) -> str:
    """Write a text in small letters, without accents, with single spaces."""
    bare = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(sign for sign in bare if not unicodedata.combining(sign)).split())


def key(name: str) -> str:
    """Write the name of a column without anything that people change in it."""
    return re.sub(r"[\W_]+", "", plain(name))


def nearest(name: str, names: Sequence[str], most: int = 3) -> list[str]:
    """Return the names that look like one that is missing, the nearest first."""
    keys = {key(one): one for one in names}
    wanted = key(name)
    near = difflib.get_close_matches(wanted, keys, n=most, cutoff=0.6)
    parts = [one for one in keys if wanted and one and (wanted in one or one in wanted)]
    return [keys[one] for one in dict.fromkeys([*near, *parts])][:most]
