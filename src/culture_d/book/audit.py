"""What every built page must be: self-contained, French, linked, described.

The audit reads the files of the site as they are, so it also covers what a template,
a theme or a notebook's output put there. Each page is parsed once.
"""

import base64
import binascii
import html
import ipaddress
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from bs4 import BeautifulSoup, Tag
from bs4.element import PreformattedString

from culture_d.errors import BookError

PAGES = {".html", ".htm", ".xhtml"}
FILES = {".css": "ce style", ".js": "ce script", ".mjs": "ce script", ".svg": "cette image"}

# Read aloud or shown, never fetched (nor is « cite », which names a source).
SPOKEN = {
    *("alt", "title", "placeholder", "label"),
    *("aria-label", "aria-description", "aria-placeholder", "aria-roledescription"),
    "aria-valuetext",
}
# Attributes that name one file each; the others that name files are srcset-like.
FETCHED = {"src", "href", "xlink:href", "data", "poster", "background", "action", "formaction"}
FETCHED_LISTS = {"srcset", "imagesrcset"}
# What a reader may choose to follow, and what a browser never fetches.
LINKS = {"a", "area"}
NEVER_FETCHED_RELATIONS = {"canonical", "license"}
# Read by the services that show a link, never by the reader's browser.
NEVER_FETCHED_PROPERTIES = {"og:url", "og:image"}
LANDMARKS = {"html", "body", "main", "article", "nav", "header", "footer", "section"}
NOT_PROSE = {"script", "style", "pre", "code"}
HIDDEN_VALUES = {"hidden", "radio", "checkbox"}
# Names of kinds of documents that look like addresses; no browser fetches them.
_NAMESPACE = (
    r"http://www\.w3\.org/(?:2000/svg|1999/xlink|1999/xhtml|1998/Math/MathML"
    r"|XML/1998/namespace|2000/xmlns/)"
)
# Furo's, for a kind of table of contents that no page of the course has.
NOT_SHOWN = ("ERROR: Adding a table of contents in Furo-based documentation",)

_ELSEWHERE = re.compile(
    r"""(?:(?<![\w-])(?:(?:https?|wss?|ftp):["'`/\\\w\[%]|file:[/\\])
    |(?:^|(?<=[\s"'`(=,;]))[/\\]{2,}[\w\[%]
    |["'`]//["'`]).{0,50}""",
    re.IGNORECASE | re.VERBOSE,
)
_ENCODED = re.compile(r"data:([\w/+.-]*)[\w=;.-]*;base64,([A-Za-z0-9+/=%]*)", re.IGNORECASE)
_READABLE = re.compile(r"text/|javascript|xml", re.IGNORECASE)
_XML_NAMES = re.compile(rf"""(?:\bxmlns(?::\w+)?=(["']){_NAMESPACE}\1)""")
_SCRIPT_NAMES = re.compile(rf"""(["'`]){_NAMESPACE}\1""")
_SVG_NAMES = re.compile(
    r"""<!--.*?-->|<!DOCTYPE\s[^>\[]*>|\s(?:xmlns(?::\w+)?|rdf:(?:resource|about))=(["']).*?\1""",
    re.DOTALL,
)
_SVG_LINKS = re.compile(r"""<a\s[^>]*>""")
_SCRIPT_LINKS = re.compile(r"""<a\s+href=(\\?["'])[^"'\\]*\1""")
_STYLE_TOKENS = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|url\((?!\s*["'])[^)]*\))
    |(?P<comment>/\*.*?\*/)""",
    re.DOTALL | re.VERBOSE | re.IGNORECASE,
)
_SCRIPT_TOKENS = re.compile(
    r"""(?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`)
    |(?P<comment>/\*.*?\*/|(?<!:)//[^\n]*)
    |(?P<pattern>(?:(?<=[(,=:\[!&|?{;])|(?<=[(,=:\[!&|?{;]\s)|(?<=\breturn\s))
        /(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\[\n])+/)""",
    re.DOTALL | re.VERBOSE,
)
_STYLE_FILES = re.compile(r"""url\(\s*(["']?)(.*?)\1\s*\)""", re.IGNORECASE | re.DOTALL)
_STYLE_TEXTS = re.compile(
    r"""(?:(?<![\w-])content|--[\w-]+)\s*:((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[^;{}"'])*)""",
    re.IGNORECASE | re.DOTALL,
)
_STRING = re.compile(r""""((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'""", re.DOTALL)
_REFRESH = re.compile(r"^\s*[\d.]*\s*[;,]?\s*(?:url\s*=\s*)?[\"']?(.*?)[\"']?\s*$", re.I | re.S)

# English words that no French sentence holds: none is a French word, a loan that the
# course may use (« data », « week-end », « open »), or a name of commune. A word beside a
# hyphen is left alone, since loans are often made so (« making-of », « start-up »).
_WORDS = """
the and of with that these those you your yours their them she her
who which what when where why how whose
was were being have had will would should could shall does did cannot
from into onto through between before until while since because against above below
than then there here both either neither too very much more most less few any each every
some all only other others another such never always often now today yesterday tomorrow
yes not nothing again also although however
search searches searching result results found find finding loading loaded loads load download
downloads downloaded upload read reading write written writing learn
error errors failed failure fail fails success successful successfully missing empty unknown
unnamed untitled invalid required available unavailable
next previous back hidden toggle skip expand expanded collapse collapsed
please click default permalink link links built made make makes edit edited
update updated updates created generated published reserved powered
add added remove removed delete deleted refresh reload retry return returns
submit cancel save saved choose choosing selected enabled disabled enable disable
average averages median mean chart charts graph graphs number numbers count counts amount
year years month months weeks days shares
larger largest bigger biggest smaller smallest higher highest lower lowest greater greatest
household households inhabitants cities towns income incomes mayor council
name names list lists folder folders view views username password
welcome thanks thank sorry help about example examples answer answers chapter chapters
lessons cell cells output outputs axis legend width height
language languages glossary sidebar footnotes know known using used want need needs
first last two three
"""
# Short words, or names of places and people when they have a capital.
_LOWER = "they lesson by is it its to at be we our my all get this his many hours"
_PHRASES = (
    r"made with|built with|contact us|on this page|note that|edit this|link to|skip to|back to"
    r"|table of contents|see also|sign in|sign up|log in|log out|get started|new window"
    r"|try again|(?:dark|light) (?:mode|theme)|by (?:population|size|name|year)"
    r"|show (?:all|more|less|code|the|this|menu|details)|no (?:data|items?|matches)"
    r"|(?:close|open|print|hide|copy|select|clear) (?:all|the|this|to|code|link|menu|window|page)"
    r"|this (?:page|is|was|will|can|has|course|site|chart|figure|table|value|section|notebook)"
    r"|copyright\s*(?:©|\(c\)|\d+|by)|\w+n['’]t|\w+['’](?:re|ve|ll)"
)
# English when nothing else is said: a button, a heading, a cell. Some are French in a sentence.
_LABELS = (
    "show|hide|home|close|open|copy|copied|light|dark|contents|start|run|print|select|off|"
    "new|top|left|right|up|down|send|reset|clear|apply|warnings?|tip|hint|more|less|share|"
    "value|values|file|files|user|users|city|week|day|settings|"
    "all|none|play|mute|enter|filter|order|sign in|full ?screen"
)
_GENERIC = re.compile(
    r"(?:une?\s+|l[ea]\s+|l['’])?(?:images?|figures?|fig|graphiques?|graphes?|graph|photos?"
    r"|photographie|sch[ée]ma|illustration|cartes?|diagramme|logo|ic[ôo]ne|dessin|courbes?"
    r"|histogramme|capture(?: d['’][ée]cran)?|sans titre|texte(?: alternatif)?|alt|picture"
    r"|chart|plot|screenshot|untitled|output|png|svg)\s*(?:n[o°]\s*)?\d*",
    re.IGNORECASE,
)
_FILE_NAME = re.compile(r"\S*\.(?:png|svg|jpe?g|webp|gif|avif|pdf)$", re.IGNORECASE)


# A word goes on, or it names the domain that RFC 2606 keeps for invented addresses.
_NOT_AFTER = r"[\w-]|\.org\b"


def _words(text: str) -> str:
    return "|".join(text.split())


ENGLISH = re.compile(
    rf"(?<![\w-])(?:{_words(_WORDS)}|{_PHRASES}|(?-i:{_words(_LOWER)}))(?!{_NOT_AFTER})"
    rf"|^[\W\d_]*(?:{_LABELS})[\W\d_]*$",
    re.IGNORECASE,
)


def audit(site: Path) -> None:
    """Check every page, style, script and drawing of the built site.

    Raises:
        BookError: lists what was found, page by page.
    """
    pages = _Pages(site)
    faults = []
    for path in sorted(path for path in site.rglob("*") if path.is_file()):
        found: list[str] = []
        if path.suffix.lower() in PAGES:
            found = pages.faults(path)
        elif path.suffix.lower() in FILES:
            found = _file_faults(path, site)
        faults += [f"{path.relative_to(site).as_posix()} : {fault}" for fault in found]
    if faults:
        shown = "\n".join(f"  {fault}" for fault in faults[:30])
        raise BookError(f"Les pages construites ont {len(faults)} défaut(s) :\n{shown}")


def page_faults(path: Path, site: Path) -> list[str]:
    """List what is wrong in one page, in French."""
    return _Pages(site).faults(path)


@dataclass
class _Page:
    """What is kept of a page once it is parsed."""

    faults: list[str]
    ids: frozenset[str]
    links: list[str] = field(default_factory=list)


class _Pages:
    """The pages of a site, each parsed once."""

    def __init__(self, site: Path) -> None:
        self.site = site.resolve()
        self._parsed: dict[Path, _Page] = {}

    def faults(self, path: Path) -> list[str]:
        page = self._page(path.resolve())
        return [*page.faults, *self._broken_links(path.resolve(), page)]

    def _page(self, path: Path) -> _Page:
        if path not in self._parsed:
            self._parsed[path] = self._parse(path)
        return self._parsed[path]

    def _parse(self, path: Path) -> _Page:
        # As browsers do, the first of two attributes of the same name wins.
        page = BeautifulSoup(path.read_bytes(), "html.parser", on_duplicate_attribute="ignore")
        ids = {str(tag["id"]) for tag in page.find_all(id=True)}
        ids |= {str(tag["name"]) for tag in page.find_all("a", attrs={"name": True})}
        faults = [
            *_references(page, path, self.site),
            *_refreshes(page, path, self.site),
            *_english(page),
            *_figures(page),
        ]
        if not _is_redirect(page, path, self.site):
            faults += [*_language(page), *_structure(page)]
        links = [
            str(value)
            for tag in page.find_all(LINKS)
            for name, value in tag.attrs.items()
            if name in {"href", "xlink:href"}
        ]
        return _Page(faults, frozenset(ids), links)

    def _broken_links(self, path: Path, page: _Page) -> Iterator[str]:
        for link in page.links:
            refusal = _refused_link(link)
            if refusal:
                yield f"{refusal} : {link}"
                continue
            address, fragment = urldefrag(_as_browsers_read(link))
            if urlsplit(address).scheme:
                continue
            name = unquote(urlsplit(address).path)
            target = (path.parent / name).resolve() if name else path
            if not target.is_relative_to(self.site):
                yield f"lien hors du site : {link}"
            elif not target.is_file():
                yield f"lien vers une page absente : {link}"
            elif (
                fragment
                and target.suffix.lower() in PAGES
                and unquote(fragment) not in self._page(target).ids
            ):
                yield f"lien vers un endroit absent : {link}"


# What a page fetches


def _references(page: BeautifulSoup, path: Path, site: Path) -> Iterator[str]:
    """Find what the page asks of another site, or of a file that is not there."""
    for tag in page.find_all(True):
        if tag.name == "base":
            yield "l'élément « base » détourne toutes les adresses de la page"
        for name, value in tag.attrs.items():
            text = " ".join(value) if isinstance(value, list) else str(value)
            if not text or _may_name_a_host(tag, name):
                continue
            outside = _outside(
                _decode_style(_code(text, _STYLE_TOKENS)) if name == "style" else text
            )
            if outside:
                yield f"appelle un autre site (<{tag.name} {name}>) : {outside}"
            else:
                yield from _absent_files(tag, name, text, path, site)
        if tag.name == "style":
            yield from _style_faults(tag.get_text(), path, site, "un style de la page")
        elif tag.name == "script":
            outside = _script_outside(tag.get_text())
            if outside:
                yield f"un script de la page appelle un autre site : {outside}"


def _may_name_a_host(tag: Tag, name: str) -> bool:
    if name in SPOKEN or name == "cite" or name.startswith("xmlns"):
        return True
    if tag.name == "meta" and name == "content":
        return tag.get("property") in NEVER_FETCHED_PROPERTIES and _is_this_site(tag)
    if name not in {"href", "xlink:href"}:
        return False
    relations = {str(one).lower() for one in tag.get_attribute_list("rel") if one}
    kept = tag.name == "link" and bool(relations) and relations <= NEVER_FETCHED_RELATIONS
    return tag.name in LINKS or kept


def _is_this_site(tag: Tag) -> bool:
    """Whether an address is one of the site that the page says it belongs to."""
    page = list(tag.parents)[-1]
    canonical = page.find("link", attrs={"rel": "canonical"}) if page else None
    if not canonical:
        return False
    ours, said = urlsplit(str(canonical.get("href", ""))), urlsplit(str(tag["content"]))
    return bool(ours.netloc) and (ours.scheme, ours.netloc) == (said.scheme, said.netloc)


def _absent_files(tag: Tag, name: str, text: str, path: Path, site: Path) -> Iterator[str]:
    if name == "style":
        names = [match[2] for match in _STYLE_FILES.finditer(_code(text, _STYLE_TOKENS))]
    elif name in FETCHED_LISTS and not text.strip().lower().startswith("data:"):
        names = [candidate.split()[0] for candidate in text.split(",") if candidate.strip()]
    elif name in FETCHED and not (name == "data" and tag.name != "object"):
        names = [text]
    else:
        names = []
    for one in names:
        fault = _absent(one, path.parent, site)
        if fault:
            yield f"{fault} (<{tag.name} {name}>) : {one[:80]}"


def _absent(name: str, folder: Path, site: Path) -> str | None:
    """Say what is wrong with the address of a file of the site."""
    parts = urlsplit(_as_browsers_read(name))
    if parts.scheme == "data":
        return "page cachée dans une adresse" if "html" in parts.path[:40].lower() else None
    if parts.scheme:
        return "adresse refusée"
    if not parts.path:
        return None
    target = (folder / unquote(parts.path)).resolve()
    return None if target.is_relative_to(site) and target.is_file() else "fichier absent"


def _refreshes(page: BeautifulSoup, path: Path, site: Path) -> Iterator[str]:
    for tag in page.find_all("meta", attrs={"http-equiv": re.compile(r"^\s*refresh\s*$", re.I)}):
        match = _REFRESH.match(str(tag.get("content", "")))
        target = match[1] if match else ""
        if not _is_redirect(page, path, site):
            yield f"la page renvoie ailleurs d'elle-même : {target}"
        elif not _outside(target):
            fault = _absent(target, path.parent, site) if target else "adresse vide"
            name = unquote(urlsplit(target).path)
            if fault or Path(name).suffix.lower() not in PAGES:
                yield f"la redirection ne mène pas à une page du site : {target}"


def _is_redirect(page: BeautifulSoup, path: Path, site: Path) -> bool:
    """Whether a page is the one at the root of the site that only leads to the first one."""
    if path.parent != site or path.name != "index.html":
        return False
    refresh = page.find("meta", attrs={"http-equiv": re.compile(r"^\s*refresh\s*$", re.I)})
    return refresh is not None and len(page.find_all(True)) == 1 and not page.get_text().strip()


def _file_faults(path: Path, site: Path) -> list[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    who = FILES[path.suffix.lower()]
    if who == "ce style":
        return list(_style_faults(text, path, site.resolve(), who))
    if who == "ce script":
        outside = _script_outside(text)
    else:
        kept = _SVG_LINKS.sub("", _SVG_NAMES.sub(" ", text))
        outside = _outside(_decode_style(_code(html.unescape(kept), _STYLE_TOKENS)))
    return [f"{who} appelle un autre site : {outside}"] if outside else []


def _style_faults(text: str, path: Path, site: Path, who: str) -> Iterator[str]:
    code = _code(text, _STYLE_TOKENS)
    outside = _outside(_decode_style(code))
    if outside:
        yield f"{who} appelle un autre site : {outside}"
    for match in _STYLE_FILES.finditer(code):
        name = _decode_style(match[2])
        fault = None if _outside(name) else _absent(name, path.parent, site)
        if fault:
            yield f"{who} : {fault} : {name[:80]}"
    for value in _STYLE_TEXTS.findall(code):
        for string in _STRING.finditer(value):
            shown = _decode_style(string[1] or string[2] or "")
            if shown.startswith(("data:", *NOT_SHOWN)):
                continue
            if ENGLISH.search(shown):
                yield f"{who} écrit en anglais : « {shown[:60]} »"


def _script_outside(text: str) -> str | None:
    if "//" not in text and "\\" not in text and ":" not in text:
        return None
    code = _SCRIPT_NAMES.sub('""', _SCRIPT_LINKS.sub("<a", _code(text, _SCRIPT_TOKENS)))
    return _outside(code)


def _code(text: str, tokens: re.Pattern[str]) -> str:
    """Remove comments; in scripts, write strings as they are once read."""

    def replacement(match: re.Match[str]) -> str:
        if match.lastgroup == "comment":
            return " "
        if match.lastgroup == "pattern":
            return "/motif/"
        return _decode_script(match[0]) if tokens is _SCRIPT_TOKENS else match[0]

    return tokens.sub(replacement, text)


def _decode_script(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        return chr(int(code, 16) % 0x110000) if code else match[4]

    pattern = r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|u\{([0-9a-f]{1,6})\}|(.))"
    return re.sub(pattern, character, text, flags=re.IGNORECASE | re.DOTALL)


def _decode_style(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        return chr(int(match[1], 16) % 0x110000) if match[1] else match[2]

    return re.sub(r"\\(?:([0-9a-fA-F]{1,6})\s?|([^\n]))", character, text)


def _outside(text: str) -> str | None:
    """Find in a value or a code what names another host, and quote it."""
    plain = _ENCODED.sub(_decoded, text)
    for form in (plain, re.sub(r"[\x00-\x1f]", "", plain), unquote(html.unescape(plain))):
        match = _ELSEWHERE.search(_XML_NAMES.sub(" ", form))
        if match:
            return match[0].strip()
    return None


def _decoded(match: re.Match[str]) -> str:
    if not _READABLE.search(match[1]):
        return ""
    try:
        return base64.b64decode(unquote(match[2])).decode("utf-8", errors="replace")
    except (binascii.Error, ValueError):
        return "https:// illisible"


# Links


def _as_browsers_read(address: str) -> str:
    """Remove what browsers remove from an address before they read it."""
    return re.sub(r"[\t\r\n]", "", address).strip("".join(map(chr, range(33)))).replace("\\", "/")


def _refused_link(link: str) -> str | None:
    try:
        parts = urlsplit(_as_browsers_read(link))
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return "lien illisible"
    if parts.scheme in {"http", "https"}:
        if not host:
            return "lien sans nom de site"
        return "lien vers une machine privée" if _is_private(host) else None
    if parts.netloc and not parts.scheme:
        return "lien vers un autre site, sans « https: »"
    return None if parts.scheme in {"", "mailto"} else "lien d'un genre refusé"


def _is_private(host: str) -> bool:
    if "." not in host and ":" not in host:
        return True
    if host.endswith((".localhost", ".local", ".lan", ".internal", ".home.arpa")):
        return True
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        pass
    try:
        # Browsers also read 127.1 and 0x7f.0.0.1 as addresses.
        return not ipaddress.ip_address(socket.inet_aton(host)).is_global
    except OSError:
        return False


# Words


def _language(page: BeautifulSoup) -> list[str]:
    if page.html is None or page.html.get("lang") != "fr":
        return ["la page ne se dit pas en français (attribut lang)"]
    return []


def _english(page: BeautifulSoup) -> Iterator[str]:
    foreign: set[int] = set()
    for tag in page.find_all(True):
        if _is_french(tag):
            continue
        if tag.name in LANDMARKS or tag.find(["main", "article", "h1", "h2"]):
            if tag.name != "html":
                yield f"une partie de la page se dit en « {tag.get('lang')} » : <{tag.name}>"
        else:
            foreign.add(id(tag))
    for text in page.find_all(string=True):
        if isinstance(text, PreformattedString) or _is_let_through(text.parent, foreign):
            continue
        if ENGLISH.search(text):
            yield f"anglais : « {' '.join(text.split())[:60]} »"
    for tag in page.find_all(True):
        for name, value in _shown_attributes(tag):
            if ENGLISH.search(value) and not _is_let_through(tag, foreign):
                yield f"anglais, attribut {name} : « {value[:60]} »"


def _is_french(tag: Tag) -> bool:
    language = str(tag.get("lang") or tag.get("xml:lang") or "fr").lower()
    return language.split("-")[0] == "fr"


def _is_let_through(tag: Tag | None, foreign: set[int]) -> bool:
    """Whether a tag holds code, or words said to be in another language."""
    return tag is not None and any(
        one.name in NOT_PROSE or id(one) in foreign for one in [tag, *tag.parents]
    )


def _shown_attributes(tag: Tag) -> Iterator[tuple[str, str]]:
    for name, value in tag.attrs.items():
        if name in SPOKEN:
            yield name, str(value)
    kind = str(tag.get("type", "")).lower()
    if tag.name in {"button", "input"} and "value" in tag.attrs and kind not in HIDDEN_VALUES:
        yield "value", str(tag["value"])
    if tag.name == "meta":
        what = str(tag.get("name") or tag.get("property") or "").lower()
        if re.search(r"description|title|keywords|site_name|alt$", what):
            yield what, str(tag.get("content", ""))


# Figures and structure


def _figures(page: BeautifulSoup) -> Iterator[str]:
    for image in page.find_all(["img", "input"]):
        if image.name == "input" and str(image.get("type", "")).lower() != "image":
            continue
        alternative = " ".join(str(image.get("alt", "")).split()).strip(" .:…")
        if not alternative or _FILE_NAME.fullmatch(alternative) or _GENERIC.fullmatch(alternative):
            yield f"image sans texte de remplacement : {image.get('src')} (« {alternative} »)"


def _structure(page: BeautifulSoup) -> Iterator[str]:
    titles = page.find_all("h1")
    if len(titles) != 1:
        yield f"{len(titles)} titres de premier niveau, au lieu d'un"
    described = page.find("meta", attrs={"name": "description"})
    if not described or not str(described.get("content", "")).strip():
        yield "pas de description (meta)"
