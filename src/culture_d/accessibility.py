"""What is known of the accessibility of the course: criteria, evidence, whom to write to.

`book/rgaa.yml` lists the 106 criteria of the RGAA 4.1.2 with the tests that prove them;
`book/contact.yml` says who answers for a site where the course is put online.
"""

import ast
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from culture_d.errors import AccessibilityError, CultureDError
from culture_d.project import Project
from culture_d.yaml_file import malformed, read_yaml

VERSION = "4.1.2"
# Topics of the RGAA in its order, and how many criteria each has.
TOPICS = {
    "Images": 9,
    "Cadres": 2,
    "Couleurs": 3,
    "Multimédia": 13,
    "Tableaux": 8,
    "Liens": 2,
    "Scripts": 5,
    "Éléments obligatoires": 10,
    "Structuration": 4,
    "Présentation": 14,
    "Formulaires": 13,
    "Navigation": 11,
    "Consultation": 12,
}
PROVED, TO_CHECK, NOT_CONCERNED = "prouvé", "à vérifier", "sans objet"
# What each state must say, and what it may say too.
NEEDED = {
    PROVED: ({"proof", "tests"}, {"check"}),
    TO_CHECK: ({"check"}, {"tests"}),
    NOT_CONCERNED: ({"reason", "tests"}, set[str]()),
}
LEVELS = ("A", "AA")
CONTACT_KEYS = ("organisme", "courriel", "formulaire", "declaration")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}")


@dataclass(frozen=True)
class Criterion:
    """One criterion: its number (« 10.4 »), what is known of it and by which tests."""

    number: str
    title: str
    level: str
    state: str
    proof: str
    check: str
    reason: str
    tests: tuple[str, ...]

    @property
    def label(self) -> str:
        """Its state as a reader reads it: « prouvé en partie » when a person must look too."""
        return f"{PROVED} en partie" if self.state == PROVED and self.check else self.state


@dataclass(frozen=True)
class Topic:
    """One of the thirteen topics of the RGAA."""

    number: int
    title: str
    criteria: tuple[Criterion, ...]


@dataclass(frozen=True)
class Contact:
    """Who answers for the site; empty texts where its publisher has said nothing."""

    organisme: str
    courriel: str
    formulaire: str
    declaration: date

    @property
    def is_known(self) -> bool:
        """Whether a reader has a name and at least one way to write."""
        return bool(self.organisme and (self.courriel or self.formulaire))


def criteria_path(project: Project) -> Path:
    """Return the file of the criteria."""
    return project.book / "rgaa.yml"


def contact_path(project: Project) -> Path:
    """Return the file that the publisher of a site fills in."""
    return project.book / "contact.yml"


def load_topics(project: Project) -> tuple[Topic, ...]:
    """Read the 106 criteria, by topic.

    Where the course was copied without its tests, their names cannot be checked.

    Raises:
        AccessibilityError: the file is missing or malformed, a criterion is missing, has an
            unknown state, says too little, or names a test that does not exist.
    """
    path = criteria_path(project)
    content = read_yaml(path, AccessibilityError)
    listed = content.get("topics") if isinstance(content, dict) else None
    if not isinstance(listed, list):
        raise _malformed(path, "il y faut une liste « topics »")
    titles = [entry.get("title") if isinstance(entry, dict) else entry for entry in listed]
    if titles != list(TOPICS):
        raise _malformed(
            path,
            f"les treize thématiques attendues, dans cet ordre, sont : {', '.join(TOPICS)}",
        )
    return tuple(
        _topic(number, entry, path, project) for number, entry in enumerate(listed, start=1)
    )


def load_contact(project: Project) -> Contact:
    """Read who answers for the site.

    Raises:
        AccessibilityError: the file is missing or malformed, or an address cannot be right.
    """
    path = contact_path(project)
    content = read_yaml(path, AccessibilityError)
    if not isinstance(content, dict) or set(content) != set(CONTACT_KEYS):
        raise _malformed(path, f"il y faut ces lignes, et aucune autre : {', '.join(CONTACT_KEYS)}")
    texts = {key: content[key] for key in CONTACT_KEYS[:-1]}
    for key, value in texts.items():
        if not isinstance(value, str):
            raise _malformed(path, f"« {key} » est un texte entre guillemets, vide si inconnu")
    if not isinstance(content["declaration"], date):
        raise _malformed(path, "« declaration » est une date, comme 2026-11-21")
    contact = Contact(**{key: text.strip() for key, text in texts.items()}, declaration=content["declaration"])  # fmt: skip
    if contact.courriel and not _EMAIL.fullmatch(contact.courriel):
        raise _malformed(path, f"« {contact.courriel} » n'est pas une adresse de courriel")
    if contact.formulaire and not _is_https(contact.formulaire):
        raise _malformed(
            path, f"« {contact.formulaire} » n'est pas une adresse qui commence par « https:// »"
        )
    return contact


def count(criteria: Iterable[Criterion]) -> dict[str, int]:
    """Count criteria by label, in the order a reader is told: proved first."""
    labels = (PROVED, f"{PROVED} en partie", TO_CHECK, NOT_CONCERNED)
    found = [criterion.label for criterion in criteria]
    return {label: found.count(label) for label in labels}


def _topic(number: int, entry: Mapping[str, Any], path: Path, project: Project) -> Topic:
    title = entry["title"]
    listed = entry.get("criteria")
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise _malformed(path, f"« {title} », il y faut une liste « criteria »")
    expected = [f"{number}.{rank}" for rank in range(1, TOPICS[title] + 1)]
    found = [one.get("number") for one in listed]
    if found != expected:
        raise _malformed(
            path,
            f"« {title} » doit avoir {len(expected)} critères, de {expected[0]} à {expected[-1]} ; "
            f"on y lit {', '.join(map(str, found))}",
        )
    return Topic(number, title, tuple(_criterion(one, path, project) for one in listed))


def _criterion(entry: Mapping[str, Any], path: Path, project: Project) -> Criterion:
    where = f"critère {entry['number']}"
    state = entry.get("state")
    if state not in NEEDED:
        raise _malformed(path, f"{where}, « state » est l'un de : {', '.join(NEEDED)}")
    if entry.get("level") not in LEVELS:
        raise _malformed(path, f"{where}, « level » est A ou AA")
    needed, allowed = NEEDED[state]
    needed = {"number", "title", "level", "state", *needed}
    missing = sorted(needed - set(entry))
    unknown = sorted(set(entry) - needed - allowed)
    if missing or unknown:
        raise _malformed(
            path,
            f"{where} ({state}), "
            + " ; ".join(
                f"{what} : {', '.join(keys)}"
                for what, keys in (("il manque", missing), ("en trop", unknown))
                if keys
            ),
        )
    for key in ("title", "proof", "check", "reason"):
        if key in entry and (not isinstance(entry[key], str) or not entry[key].strip()):
            raise _malformed(path, f"{where}, « {key} » est un texte")
    tests = _tests(entry, where, path, project)
    texts = {key: entry.get(key, "") for key in ("number", "title", "level", "state", "proof", "check", "reason")}  # fmt: skip
    return Criterion(**texts, tests=tests)


def _tests(entry: Mapping[str, Any], where: str, path: Path, project: Project) -> tuple[str, ...]:
    named = entry.get("tests", [])
    if not isinstance(named, list) or ("tests" in entry and not named):
        raise _malformed(path, f"{where}, « tests » est une liste de noms de tests")
    here = (project.root / "tests").is_dir()
    for one in named if here else []:
        file, _, function = str(one).partition("::")
        if not function.startswith("test_") or function not in _tests_of(project.root / file):
            raise _malformed(
                path,
                f"{where}, le test « {one} » n'existe pas : écrivez « tests/…/test_x.py::test_nom »",
            )
    return tuple(named)


def _tests_of(path: Path) -> frozenset[str]:
    """Names of the tests that a file defines, read without running it."""
    try:
        return _parsed(path, path.stat().st_mtime_ns)
    except (OSError, SyntaxError):
        return frozenset()


@cache
def _parsed(path: Path, changed: int) -> frozenset[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def _is_https(address: str) -> bool:
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme == "https" and "." in (parts.hostname or "") and " " not in address


def _malformed(path: Path, fault: str) -> CultureDError:
    return malformed(path, fault, AccessibilityError)
