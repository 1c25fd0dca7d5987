"""Explorables: figures that a reader moves, the same in JupyterLab and on the site.

An explorable is a class on `Explorable` (Python) beside a script of the same name, which
`module_source` completes into one ES module in anywidget's form (JavaScript). In JupyterLab, anywidget runs the module against this class. On the
site there is no kernel: `host.js` reads the state that `Explorable.html` has written in
the page and runs the same module against it. Without script, the sentence and the table
of `Explorable.html` remain.
"""

import json
import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import anywidget
import traitlets

from culture_d.errors import CultureDError
from culture_d.explorables import resources
from culture_d.french import typeset
from culture_d.tables import html_table

FOLDER = Path(__file__).parent
SHARED = FOLDER / "writing.js"
_COMMENT = re.compile(r"^[ \t]*/\*\*(?:(?!\*/).)*\*/\n", re.MULTILINE | re.DOTALL)
NO_SCRIPT = (
    "Pour déplacer les valeurs, il faut JavaScript. Les tableaux ci-dessous donnent les mêmes "
    "résultats."
)


def module_source(name: str) -> str:
    """Return the ES module of an explorable: what all of them write with, then its own script.

    The comments that stand on lines of their own stay behind: a phone would load them for nothing.
    """
    parts = (SHARED, FOLDER / f"{name.replace('-', '_')}.js")
    return _COMMENT.sub("", "".join(part.read_text(encoding="utf-8") for part in parts))


class ExplorableError(CultureDError):
    """An explorable that cannot be shown, or whose script the site cannot carry."""


class Table(NamedTuple):
    """A table of the static version, as `culture_d.tables.html_table` takes it."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


class Explorable(anywidget.AnyWidget):
    """Base of every explorable.

    A subclass gives `name`, `_esm`, its traits, `sentence` and `static_tables`. A trait
    tagged `etat=True` is part of the state written in the page; `sync=True` shares it
    with the module in JupyterLab.

    `_url` lists the traits kept in the address of the page. `_ressources` says which
    trait asks for data: `{"departement": {"parmi": "departements", "cible": "communes",
    "chemin": "communes/{}", "inconnu": "…{}…", "echec": "…{}…"}}` means that setting
    `departement` to a value listed in `departements` (rows that start with the value)
    puts resource `communes/<value>` in `communes`; the two sentences are shown for a
    value that is not listed and for a resource that cannot be had, through `_erreur`.
    """

    name: ClassVar[str]
    _css = FOLDER / "explorables.css"

    titre = traitlets.Unicode().tag(sync=True, etat=True)
    _url = traitlets.List(traitlets.Unicode()).tag(sync=True, etat=True)
    _ressources = traitlets.Dict().tag(sync=True, etat=True)
    _erreur = traitlets.Unicode().tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        for key in self._ressources:
            self._load(key)
            self.observe(self._answer, key)

    def sentence(self) -> str:
        """Say in one or two sentences what the reader should see."""
        raise NotImplementedError

    def static_tables(self) -> Sequence[Table]:
        """Return the numbers behind the explorable, read without script and on paper."""
        raise NotImplementedError

    def source(self) -> str:
        """Name the source and vintage of what is shown, or say that it is simulated."""
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        """Return what the module needs to start without a kernel."""
        return {key: getattr(self, key) for key in sorted(self.traits(etat=True))}

    def html(self) -> str:
        """Write the static version and the state: same bytes for the same state."""
        tables = "\n".join(
            html_table(table.columns, table.rows, table.caption) for table in self.static_tables()
        )
        return (
            f'<div class="cd-explorable" data-explorable="{escape(self.name)}" lang="fr">\n'
            f'<p class="cd-titre">{french_html(self.titre)}</p>\n'
            f'<p class="cd-voir"><strong>Ce que vous devez voir.</strong> '
            f"{french_html(self.sentence())}</p>\n"
            f"<noscript><p>{french_html(NO_SCRIPT)}</p></noscript>\n"
            f"{tables}\n"
            f'<p class="cd-source">{french_html(self.source())}</p>\n'
            f'<script type="application/json" class="cd-etat">{script_json(self.state())}</script>\n'
            "</div>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Add the static version to the widget view of anywidget."""
        bundle = super()._repr_mimebundle_(**kwargs)
        if bundle is None:
            return None
        data, metadata = bundle
        return {**data, "text/html": self.html(), "text/plain": typeset(self.sentence())}, metadata

    def _answer(self, change: Any) -> None:
        """Give the module what it asked for, or the sentence that says why not."""
        self._erreur = ""
        try:
            self._load(change["name"])
        except CultureDError as error:
            setattr(self, change["name"], "")
            self._erreur = str(error)

    def _load(self, key: str) -> None:
        rule, value = self._ressources[key], getattr(self, key)
        if not value:
            return
        if value not in [row[0] for row in getattr(self, rule["parmi"])]:
            raise ExplorableError(rule["inconnu"].replace("{}", value))
        setattr(self, rule["cible"], resources.load(rule["chemin"].replace("{}", value)))


def french_html(text: str) -> str:
    """Escape a French text for HTML, with its no-break spaces."""
    return escape(typeset(text))


def script_json(value: object) -> str:
    """Write JSON that can stand in a `<script>` element whatever text it holds."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text
