"""A French search that does not mind accents: « mediane » finds « médiane ».

Sphinx compares the stems of the words of the pages with those of the query. Both
lose their accents here before they are stemmed: in Python for the index, in
JavaScript for the query.
"""

import unicodedata

from sphinx.application import Sphinx
from sphinx.search.fr import SearchFrench


def fold(word: str) -> str:
    """Return a word in lower case, without its accents and ligatures."""
    plain = word.lower().replace("œ", "oe").replace("æ", "ae")
    letters = unicodedata.normalize("NFD", plain)
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


class SearchFoldedFrench(SearchFrench):
    """Sphinx's French search, on words without accents."""

    js_splitter_code = """
function splitQuery(query) {
  return query.toLowerCase().replace(/œ/g, "oe").replace(/æ/g, "ae")
    .normalize("NFD").replace(/[\\u0300-\\u036f]/g, "")
    .split(/[^\\p{Letter}\\p{Number}_]+/u).filter((word) => word);
}
"""

    def stem(self, word: str) -> str:
        """Return the stem of a word without its accents."""
        return super().stem(fold(word))


def setup(app: Sphinx) -> None:
    """Take the place of Sphinx's own French."""
    app.add_search_language(SearchFoldedFrench)
