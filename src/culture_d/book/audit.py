"""What every built page must be: self-contained, French, linked, described.

The audit reads the HTML alone, so it also covers what a template, a theme or a
notebook's output put there.
"""

import re
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

from bs4 import BeautifulSoup, Comment, Tag

from culture_d.errors import BookError

# Attributes that make a browser fetch something without being asked.
FETCHED = {
    "img": ("src", "srcset"),
    "script": ("src",),
    "link": ("href",),
    "iframe": ("src",),
    "source": ("src", "srcset"),
    "video": ("src", "poster"),
    "audio": ("src",),
    "object": ("data",),
    "embed": ("src",),
    "use": ("href",),
}
SPOKEN = ("aria-label", "title", "alt", "placeholder", "aria-description")
ENGLISH = re.compile(
    r"\b(the|and|of|with|this|that|your|you|search|next|previous|toggle|skip to|back to|copyright|"
    r"show|hide|hidden|contents?|home|made with|built with|last updated|click|copy|light|dark|"
    r"contact us|please|by default|on this page|note that|warning|edit this|permalink|link to)\b",
    re.IGNORECASE,
)
_OUTSIDE = re.compile(r"""(?:url\(|@import)\s*["']?\s*(?:https?:)?//""")
_FILE_NAME = re.compile(r"\.(png|svg|jpe?g|webp|gif)$", re.IGNORECASE)


def audit(site: Path) -> None:
    """Check every page of the built site.

    Raises:
        BookError: lists what was found, page by page.
    """
    faults = [
        f"{path.relative_to(site).as_posix()} : {fault}"
        for path in sorted(site.rglob("*.html"))
        for fault in page_faults(path, site)
    ]
    faults += [
        f"{path.relative_to(site).as_posix()} : ce style appelle un autre site"
        for path in sorted(site.rglob("*.css"))
        if _OUTSIDE.search(path.read_text(encoding="utf-8"))
    ]
    if faults:
        shown = "\n".join(f"  {fault}" for fault in faults[:30])
        raise BookError(f"Les pages construites ont {len(faults)} défaut(s) :\n{shown}")


def page_faults(path: Path, site: Path) -> list[str]:
    """List what is wrong in one page, in French."""
    page = _soup(path)
    if page.find("meta", attrs={"http-equiv": re.compile("refresh", re.IGNORECASE)}):
        return []
    return [
        *_fetches_elsewhere(page),
        *_english(page),
        *_broken_links(page, path, site),
        *_figures(page),
        *_structure(page),
    ]


def _fetches_elsewhere(page: BeautifulSoup) -> list[str]:
    faults = []
    for name, attributes in FETCHED.items():
        for tag in page.find_all(name):
            if name == "link" and set(tag.get_attribute_list("rel")) & {
                "next",
                "prev",
                "search",
                "index",
            }:
                continue
            for attribute in attributes:
                value = str(tag.get(attribute, ""))
                if re.match(r"(https?:)?//", value.strip()):
                    faults.append(f"appelle un autre site : {value}")
    for style in [str(tag.string or "") for tag in page.find_all("style")]:
        if _OUTSIDE.search(style):
            faults.append("un style de la page appelle un autre site")
    return faults


def _english(page: BeautifulSoup) -> list[str]:
    faults = []
    if page.html is None or page.html.get("lang") != "fr":
        faults.append("la page ne se dit pas en français (attribut lang)")
    for text in page.find_all(string=True):
        parent = text.parent
        if parent is None or isinstance(text, Comment) or _not_prose(parent):
            continue
        match = ENGLISH.search(text)
        if match:
            faults.append(f"anglais : « {' '.join(text.split())[:60]} »")
    for tag in page.find_all(True):
        for attribute in SPOKEN:
            value = tag.get(attribute)
            if isinstance(value, str) and not _not_prose(tag) and ENGLISH.search(value):
                faults.append(f"anglais, attribut {attribute} : « {value[:60]} »")
    return faults


def _not_prose(tag: Tag) -> bool:
    """Whether a tag holds code, data, or words said to be in another language."""
    around = [tag, *tag.parents]
    return any(one.name in {"script", "style", "pre", "code", "template"} for one in around) or any(
        one.name != "html" and str(one.get("lang", "fr")) != "fr" for one in around
    )


def _broken_links(page: BeautifulSoup, path: Path, site: Path) -> list[str]:
    faults = []
    for link in page.find_all("a", href=True):
        address, fragment = urldefrag(str(link["href"]))
        if urlsplit(address).scheme:
            continue
        target = (path.parent / unquote(address)).resolve() if address else path
        if not target.is_file():
            faults.append(f"lien vers une page absente : {link['href']}")
        elif fragment and target.suffix == ".html" and not _has_id(target, unquote(fragment)):
            faults.append(f"lien vers un endroit absent : {link['href']}")
        elif not target.is_relative_to(site.resolve()):
            faults.append(f"lien hors du site : {link['href']}")
    return faults


def _figures(page: BeautifulSoup) -> list[str]:
    faults = []
    for image in page.find_all("img"):
        alternative = str(image.get("alt", "")).strip()
        if not alternative or _FILE_NAME.search(alternative):
            faults.append(f"image sans texte de remplacement : {image.get('src')}")
    return faults


def _structure(page: BeautifulSoup) -> list[str]:
    faults = []
    titles = page.find_all("h1")
    if len(titles) != 1:
        faults.append(f"{len(titles)} titres de premier niveau, au lieu d'un")
    if not page.find("meta", attrs={"name": "description"}):
        faults.append("pas de description (meta)")
    return faults


def _has_id(target: Path, fragment: str) -> bool:
    return fragment in _ids(target)


@lru_cache(maxsize=256)
def _ids_at(target: Path, modified: int) -> frozenset[str]:
    page = BeautifulSoup(target.read_bytes(), "html.parser")
    return frozenset(str(tag["id"]) for tag in page.find_all(id=True))


def _ids(target: Path) -> frozenset[str]:
    return _ids_at(target, target.stat().st_mtime_ns)


def _soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_bytes(), "html.parser")
