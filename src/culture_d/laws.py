"""The law cards of the course (`book/lois.yml`): read, checked, and watched for their age.

Here conditions are only checked and handed over. What they mean on a commune's figures is
said by the script of the page that sorts the cards (`book/on_page/loi-commune.js`); the
explorable of the thresholds and `verdicts.py` must agree with it (`tests/lois/test_verdicts.py`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from culture_d.errors import LawError, ProjectNotFound, reason
from culture_d.french import NO_BREAK_SPACE, date_longue, typeset
from culture_d.project import Project
from culture_d.yaml_file import parse_yaml

CERTAINTIES = ("text", "source", "doubt")
BODIES = ("commune", "epci", "elected")
COUNTED = ("municipale", "totale", "unspecified")
TESTS = ("at_least", "above", "at_most", "below")
NUMBERS = ("population", "agents", "surface", "grant", "contract")
ANSWERS = ("canteen",)
LONGEST_SENTENCE = 22

_CARD_KEYS = (
    *("id", "title", "rule", "who", "threshold", "applies", "since", "reference", "checked"),
    *("recheck_by", "recheck_because", "certainty", "doubt", "topics"),
)
_TEXTS = ("id", "title", "rule", "who", "threshold", "reference", "recheck_because")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


@dataclass(frozen=True)
class Comparison:
    """A figure of the reader's against a threshold; `counted` for a population only."""

    fact: str
    test: str
    value: int
    counted: str | None

    def to_json(self) -> dict[str, Any]:
        """Return what the script of the page reads."""
        found: dict[str, Any] = {"fact": self.fact, "test": self.test, "value": self.value}
        return found if self.counted is None else {**found, "counted": self.counted}


@dataclass(frozen=True)
class Answer:
    """A yes or a no of the reader's."""

    fact: str
    value: bool

    def to_json(self) -> dict[str, Any]:
        """Return what the script of the page reads."""
        return {"fact": self.fact, "is": self.value}


@dataclass(frozen=True)
class Event:
    """What may happen to any commune; follows « Quand » in a sentence."""

    text: str

    def to_json(self) -> dict[str, Any]:
        """Return what the script of the page reads."""
        return {"event": typeset_law(self.text)}


@dataclass(frozen=True)
class Unclear:
    """What no figure decides, and why, in one sentence."""

    text: str

    def to_json(self) -> dict[str, Any]:
        """Return what the script of the page reads."""
        return {"unclear": typeset_law(self.text)}


@dataclass(frozen=True)
class Group:
    """All of several conditions, or any one of them."""

    kind: str
    parts: tuple["Condition", ...]

    def to_json(self) -> dict[str, Any]:
        """Return what the script of the page reads."""
        return {self.kind: [part.to_json() for part in self.parts]}


Condition = Comparison | Answer | Event | Unclear | Group


@dataclass(frozen=True)
class Scope:
    """Which bodies a rule is for, and under which condition (none: all of them)."""

    to: tuple[str, ...]
    condition: Condition | None

    def to_json(self) -> dict[str, Any]:
        """Return what the script of the page reads."""
        condition = self.condition.to_json() if self.condition else None
        return {"to": list(self.to), "if": condition}


@dataclass(frozen=True)
class Topic:
    """A heading of the page of law cards."""

    slug: str
    title: str


@dataclass(frozen=True)
class Card:
    """One rule of law. Dates are days; `since` is None when the day was not checked."""

    id: str
    title: str
    rule: str
    who: str
    threshold: str
    applies: Scope | None
    since: date | None
    reference: str
    checked: date
    recheck_by: date
    recheck_because: str
    certainty: str
    doubt: str | None
    topics: tuple[str, ...]

    def overdue(self, today: date) -> bool:
        """Whether the card should have been checked again before `today`, or today."""
        return today >= self.recheck_by


@dataclass(frozen=True)
class Laws:
    """The topics and cards of the course, in the order of the file."""

    topics: tuple[Topic, ...]
    cards: tuple[Card, ...]

    def card(self, name: str) -> Card:
        """Return a card.

        Raises:
            LawError: no such card; the message names those that look like it.
        """
        for card in self.cards:
            if card.id == name:
                return card
        start = name.split("-")[0]
        near = [card.id for card in self.cards if start and start in card.id]
        shown = ", ".join(near or [card.id for card in self.cards])
        raise LawError(
            f"La fiche de droit « {name} » n'existe pas dans « lois.yml ». Fiches : {shown}."
        )

    def about(self, slug: str) -> tuple[Card, ...]:
        """Return the cards of a topic.

        Raises:
            LawError: no such topic.
        """
        known = [topic.slug for topic in self.topics]
        if slug not in known:
            raise LawError(
                f"Le sujet « {slug} » n'existe pas dans « lois.yml ». Sujets : {', '.join(known)}."
            )
        return tuple(card for card in self.cards if slug in card.topics)

    def first_about(self, slug: str) -> tuple[Card, ...]:
        """Return the cards whose first topic is `slug`: each card is under one heading."""
        return tuple(card for card in self.cards if card.topics[0] == slug)


def laws_path(project: Project) -> Path:
    """Return the file of law cards; a working copy has none, and uses the course's own.

    Raises:
        LawError: a working copy, and no course beside this package.
    """
    if not project.is_working_copy:
        return project.book / "lois.yml"
    try:
        checkout = Project.find(Path(__file__).parent)
    except ProjectNotFound:
        checkout = project
    if checkout.is_working_copy:
        raise LawError(
            f"Les fiches de droit (« book/lois.yml ») ne sont pas dans « {project.root} », qui est "
            "une copie de travail. Lancez ce carnet depuis le dossier du cours."
        )
    return checkout.book / "lois.yml"


def load_laws(project: Project | None = None) -> Laws:
    """Read every law card, and check it.

    Raises:
        LawError: names the file, the card and the key, and says what was expected.
    """
    path = laws_path(project or Project.find())
    content = _read(path)
    where = f"« {path} »"
    if not isinstance(content, dict) or set(content) != {"topics", "cards"}:
        raise LawError(
            f"{where} : il y faut deux listes, « topics » et « cards », et rien d'autre."
        )
    topics = tuple(_topic(entry, where) for entry in _list(content["topics"], "topics", where))
    slugs = [topic.slug for topic in topics]
    cards = tuple(_card(entry, slugs, where) for entry in _list(content["cards"], "cards", where))
    for what, names in (("le sujet", slugs), ("la fiche", [card.id for card in cards])):
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise LawError(
                f"{where} répète {what} : {', '.join(repeated)}. Gardez-en un exemplaire."
            )
    empty = [slug for slug in slugs if not any(card.topics[0] == slug for card in cards)]
    if empty:
        raise LawError(
            f"{where} : aucune fiche n'a pour premier sujet « {', '.join(empty)} ». Retirez ce sujet, "
            "ou mettez-le en tête des « topics » d'une fiche."
        )
    return Laws(topics, cards)


def overdue(cards: Iterable[Card], today: date) -> tuple[Card, ...]:
    """List the cards to be checked again on that day."""
    return tuple(card for card in cards if card.overdue(today))


def check_recheck_dates(cards: Iterable[Card], today: date) -> None:
    """Fail when a card is overdue.

    Raises:
        LawError: names each overdue card, its date and the reason of that date.
    """
    late = overdue(cards, today)
    if late:
        names = " ; ".join(
            f"« {card.id} » avant le {date_longue(card.recheck_by)} ({card.recheck_because})"
            for card in late
        )
        raise LawError(
            f"Au {date_longue(today)}, des fiches de droit devaient être revérifiées : {names}. "
            "Relisez le texte cité, puis changez « checked » et « recheck_by » dans « book/lois.yml »."
        )


def typeset_law(text: str) -> str:
    """Write a text of a card as a printer would, and keep amounts with their unit."""
    return re.sub(r"(?<=\d) (?=[€%]|m²|habitants\b|agents\b)", NO_BREAK_SPACE, typeset(text))


def sentences(text: str) -> list[str]:
    """Split a French text after its full stops, exclamation and question marks."""
    return [part for part in re.split(r"(?<=[.!?])\s+(?=[A-ZÀ-Ý«])", text) if part]


def words(sentence: str) -> int:
    """Count the words of a sentence as a reader does: « 3 500 € » is one, a sign none."""
    joined = re.sub(r"(?<=\d) (?=\d{3}(?!\d))|(?<=\d) (?=[€%])", "", sentence)
    return len([word for word in joined.split() if re.search(r"\w", word)])


def _read(path: Path) -> Any:
    try:
        return parse_yaml(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LawError(f"« {path} » ne peut pas être lu : {reason(error)}.") from None
    except UnicodeDecodeError:
        raise LawError(f"« {path} » n'est pas en UTF-8. Enregistrez-le en UTF-8.") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a day that does not exist
        mark = getattr(error, "problem_mark", None)
        place = f", ligne {mark.line + 1}" if mark else f" ({error})"
        raise LawError(f"« {path} » n'est pas du YAML lisible{place}. Corrigez-le.") from None


def _list(value: Any, key: str, where: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise LawError(f"{where} : « {key} » doit être une liste qui n'est pas vide.")
    return value


def _keys(entry: Any, keys: Iterable[str], where: str) -> None:
    """Check that a mapping holds these keys and no other."""
    if not isinstance(entry, dict):
        raise LawError(f"{where} : « {entry} » n'est pas une suite de « clé: valeur ».")
    wanted = list(keys)
    missing = [key for key in wanted if key not in entry]
    unknown = [str(key) for key in entry if key not in wanted]
    if missing:
        raise LawError(f"{where} : il manque la clé « {', '.join(missing)} ».")
    if unknown:
        raise LawError(
            f"{where} : la clé « {', '.join(unknown)} » est inconnue. Clés : {', '.join(wanted)}."
        )


def _text(value: Any, key: str, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise LawError(f"{where} : « {key} » doit être un texte, et vaut « {value} ».")
    return value


def _prose(value: Any, key: str, where: str) -> str:
    text = _text(value, key, where)
    for sentence in sentences(text):
        if words(sentence) > LONGEST_SENTENCE:
            raise LawError(
                f"{where} : « {key} » a une phrase de {words(sentence)} mots, au lieu de "
                f"{LONGEST_SENTENCE} au plus. Coupez-la : « {sentence} »"
            )
    return text


def _one_of(value: Any, choices: Iterable[str], key: str, where: str) -> str:
    if value not in (known := tuple(choices)) or not isinstance(value, str):
        raise LawError(
            f"{where} : « {key} » est l'un de : {', '.join(known)}. Trouvé : « {value} »."
        )
    return value


def _day(value: Any, key: str, where: str) -> date:
    if type(value) is not date:
        raise LawError(
            f"{where} : « {key} » doit être une date AAAA-MM-JJ sans guillemets, et vaut « {value} »."
        )
    return value


def _slug(value: Any, key: str, where: str) -> str:
    if not isinstance(value, str) or not _SLUG.fullmatch(value):
        raise LawError(
            f"{where} : « {key} » s'écrit en minuscules sans accent, avec des traits d'union, "
            f"et vaut « {value} »."
        )
    return value


def _topic(entry: Any, where: str) -> Topic:
    _keys(entry, ("slug", "title"), f"{where}, sujets")
    slug = _slug(entry["slug"], "slug", f"{where}, sujets")
    return Topic(slug, _text(entry["title"], "title", f"{where}, sujet « {slug} »"))


def _card(entry: Any, topics: list[str], where: str) -> Card:
    name = entry.get("id") if isinstance(entry, dict) else entry
    where = f"{where}, fiche « {name} »"
    _keys(entry, _CARD_KEYS, where)
    _slug(entry["id"], "id", where)
    texts = {key: _prose(entry[key], key, where) for key in _TEXTS if key != "reference"}
    certainty = _one_of(entry["certainty"], CERTAINTIES, "certainty", where)
    doubt = None if entry["doubt"] is None else _prose(entry["doubt"], "doubt", where)
    if certainty == "doubt" and doubt is None:
        raise LawError(
            f"{where} : la certitude est « doubt », et « doubt » est vide. Dites ce qui n'est pas sûr."
        )
    checked, recheck_by = (_day(entry[key], key, where) for key in ("checked", "recheck_by"))
    if recheck_by <= checked:
        raise LawError(
            f"{where} : « recheck_by » ({recheck_by}) doit venir après « checked » ({checked})."
        )
    chosen = tuple(
        _one_of(one, topics, "topics", where) for one in _list(entry["topics"], "topics", where)
    )
    return Card(
        **texts,
        applies=None if entry["applies"] is None else _scope(entry["applies"], where),
        since=None if entry["since"] is None else _day(entry["since"], "since", where),
        reference=_text(entry["reference"], "reference", where),
        checked=checked,
        recheck_by=recheck_by,
        certainty=certainty,
        doubt=doubt,
        topics=chosen,
    )


def _scope(entry: Any, where: str) -> Scope:
    where = f"{where}, « applies »"
    conditional = isinstance(entry, dict) and "if" in entry
    _keys(entry, ("to", "if") if conditional else ("to",), where)
    to = tuple(_one_of(one, BODIES, "to", where) for one in _list(entry["to"], "to", where))
    return Scope(to, _condition(entry["if"], where) if conditional else None)


def _condition(entry: Any, where: str) -> Condition:
    if not isinstance(entry, dict):
        raise LawError(f"{where} : « {entry} » n'est pas une condition entre accolades.")
    for kind in ("all", "any"):
        if kind in entry:
            _keys(entry, (kind,), where)
            parts = _list(entry[kind], kind, where)
            return Group(kind, tuple(_condition(part, where) for part in parts))
    if "event" in entry:
        _keys(entry, ("event",), where)
        return Event(_prose(entry["event"], "event", where))
    if "unclear" in entry:
        _keys(entry, ("unclear",), where)
        return Unclear(_prose(entry["unclear"], "unclear", where))
    fact = _one_of(entry.get("fact"), (*NUMBERS, *ANSWERS), "fact", where)
    if fact in ANSWERS:
        _keys(entry, ("fact", "is"), where)
        if not isinstance(entry["is"], bool):
            raise LawError(f"{where} : « is » est true ou false, et vaut « {entry['is']} ».")
        return Answer(fact, entry["is"])
    return _comparison(entry, fact, where)


def _comparison(entry: Mapping[str, Any], fact: str, where: str) -> Comparison:
    tests = [test for test in TESTS if test in entry]
    if len(tests) != 1:
        raise LawError(
            f"{where} : il y faut une comparaison, et une seule, parmi {', '.join(TESTS)}. "
            f"Trouvé : « {', '.join(tests)} »."
        )
    named = ("counted",) if fact == "population" else ()
    _keys(entry, ("fact", tests[0], *named), where)
    value = entry[tests[0]]
    if type(value) is not int or value <= 0:
        raise LawError(
            f"{where} : « {tests[0]} » est un nombre entier positif, et vaut « {value} »."
        )
    counted = _one_of(entry["counted"], COUNTED, "counted", where) if named else None
    return Comparison(fact, tests[0], value, counted)
