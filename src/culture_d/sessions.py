"""The sessions that a trainer gives: one hour, half a day, two days.

Their schedules are put together from the scripts of the modules' sheets; what lies between
two modules is in `book/formateurs/seances.yml`. Minutes are whole, and must add up.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from culture_d.curriculum import LearningPath, Module, load_curriculum, load_paths, modules
from culture_d.errors import SheetError
from culture_d.french import NO_BREAK_SPACE, accord, pourcent
from culture_d.project import Project
from culture_d.sheets import ACTIVITY, LEAST_ACTIVITY, module_script
from culture_d.yaml_file import malformed, read_yaml

BREAK = "pause"
KINDS = ("exposé", ACTIVITY, BREAK)
FOLDER = "book/formateurs/seances"
_HOUR = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


@dataclass(frozen=True)
class Moment:
    """A step of a session: minutes since midnight of the example, length, kind, what is done."""

    start: int
    minutes: int
    kind: str
    text: str


@dataclass(frozen=True)
class Block:
    """What belongs together: a module, its exercise, or one step of the session's own.

    `module` is the one treated or exercised; `title` names the block in a summary.
    """

    title: str
    module: Module | None
    moments: tuple[Moment, ...]

    @property
    def start(self) -> int:
        """Minutes since midnight."""
        return self.moments[0].start

    @property
    def minutes(self) -> int:
        """Length of the block."""
        return sum(one.minutes for one in self.moments)

    @property
    def active(self) -> int:
        """Minutes in which the participants do something."""
        return sum(one.minutes for one in self.moments if one.kind == ACTIVITY)


@dataclass(frozen=True)
class Stretch:
    """A part of a session without a meal: its title and its blocks, in order."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Session:
    """A session whose minutes add up; `path` is the learner's path that it follows."""

    id: str
    title: str
    minutes: int
    path: LearningPath
    stretches: tuple[Stretch, ...]

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every block, in order."""
        return tuple(block for stretch in self.stretches for block in stretch.blocks)

    @property
    def modules(self) -> tuple[Module, ...]:
        """The modules treated, each once, in order."""
        return tuple(dict.fromkeys(one.module for one in self.blocks if one.module))

    @property
    def active(self) -> int:
        """Minutes of activity."""
        return sum(block.active for block in self.blocks)

    @property
    def breaks(self) -> int:
        """Minutes of break."""
        return sum(
            one.minutes for block in self.blocks for one in block.moments if one.kind == BREAK
        )

    @property
    def document(self) -> str:
        """Name of its page."""
        return f"{FOLDER}/{self.id}"


@dataclass(frozen=True)
class Preparation:
    """How to prepare a session without knowing the course: steps of minutes and words.

    `modules` are the slugs of those that the session treats.
    """

    session: str
    modules: frozenset[str]
    minutes: int
    steps: tuple[tuple[int, str], ...]


def sessions_path(project: Project) -> Path:
    """Return the file that composes the sessions."""
    return project.book / "formateurs" / "seances.yml"


def load_sessions(project: Project) -> tuple[Session, ...]:
    """Compose every session from the sheets.

    Raises:
        SheetError: a session that does not last what it says, has too little activity,
            names what is not published, or a file that is malformed.
    """
    path = sessions_path(project)
    known = {one.slug: one for one in modules(load_curriculum(project)) if one.published}
    paths = {one.id: one for one in load_paths(project)}
    entries = _listed(read_yaml(path, SheetError), "sessions", path)
    found = tuple(_session(project, entry, known, paths, path) for entry in entries)
    for one in found:
        check_session(one)
    return found


def load_preparation(project: Project) -> Preparation:
    """Read how a session is prepared by who has never seen the course.

    Raises:
        SheetError: its minutes do not add up, or the file is malformed.
    """
    path = sessions_path(project)
    content = read_yaml(path, SheetError)
    entry = content.get("preparation") if isinstance(content, dict) else None
    if not isinstance(entry, dict):
        raise malformed(path, "il y faut « preparation »", SheetError)
    steps = tuple(
        (_minutes(one, path), str(one.get("text", ""))) for one in _listed(entry, "steps", path)
    )
    total, announced = sum(minutes for minutes, _ in steps), _minutes(entry, path)
    if total != announced:
        raise SheetError(
            f"« {path} » : les étapes de « preparation » durent {accord(total, 'minute')}, et non "
            f"{announced}. Corrigez l'un ou l'autre."
        )
    session = next((one for one in load_sessions(project) if one.id == entry.get("session")), None)
    if session is None:
        raise malformed(
            path, f"« preparation » nomme « {entry.get('session')} », qui n'y est pas", SheetError
        )
    return Preparation(session.id, frozenset(one.slug for one in session.modules), announced, steps)


def check_session(session: Session) -> None:
    """Check that a session lasts what it says, and that people do most of it.

    Breaks are part of its minutes, and of neither talk nor activity.

    Raises:
        SheetError: another sum of minutes, or too much talk.
    """
    total = sum(block.minutes for block in session.blocks)
    if total != session.minutes:
        raise SheetError(
            f"La séance « {session.id} » dure {accord(total, 'minute')}, au lieu de "
            f"{session.minutes}. Un module a peut-être changé de durée : corrigez ses étapes, ou "
            "la durée annoncée, dans « book/formateurs/seances.yml »."
        )
    share = session.active / (total - session.breaks)
    if share < LEAST_ACTIVITY:
        raise SheetError(
            f"La séance « {session.id} » n'a que {pourcent(share)} d'activité, pour "
            f"{pourcent(LEAST_ACTIVITY)} au moins. Faites faire ce qui est seulement dit."
        )


def clock(minutes: int) -> str:
    """Write minutes since midnight as an hour: 545 gives « 9 h 05 »."""
    return f"{minutes // 60}{NO_BREAK_SPACE}h{NO_BREAK_SPACE}{minutes % 60:02}"


def length(minutes: int) -> str:
    """Write a length: « 45 minutes », « 3 heures », « 1 heure 30 »."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return accord(minutes, "minute")
    return accord(hours, "heure") + (f"{NO_BREAK_SPACE}{rest:02}" if rest else "")


def _session(
    project: Project,
    entry: Any,
    known: dict[str, Module],
    paths: dict[str, LearningPath],
    path: Path,
) -> Session:
    if not isinstance(entry, dict) or entry.get("path") not in paths:
        raise malformed(path, f"« {entry} » ne nomme pas un parcours de la carte", SheetError)
    stretches = []
    for part in _listed(entry, "parts", path):
        hour = _HOUR.fullmatch(str(part.get("start")))
        if not hour:
            raise malformed(path, f"« {part.get('start')} » n'est pas une heure", SheetError)
        start, blocks = int(hour[1]) * 60 + int(hour[2]), []
        for step in _listed(part, "steps", path):
            blocks.append(_block(project, step, known, start, path))
            start += blocks[-1].minutes
        stretches.append(Stretch(str(part.get("title", "")), tuple(blocks)))
    return Session(
        str(entry.get("id")),
        str(entry.get("title")),
        _minutes(entry, path),
        paths[entry["path"]],
        tuple(stretches),
    )


def _block(project: Project, step: Any, known: dict[str, Module], start: int, path: Path) -> Block:
    if not isinstance(step, dict):
        raise malformed(path, f"« {step} » n'est pas une étape", SheetError)
    slug = str(step.get("module") or step.get("exercise") or "")
    if slug and (slug not in known or ("exercise" in step and not known[slug].exercise)):
        raise SheetError(
            f"« {path} » cite « {slug} », qui n'est pas un module publié, ou n'a pas d'exercice. "
            "Retirez cette étape, ou publiez le module."
        )
    if "module" in step:
        module = known[slug]
        return Block(module.title, module, tuple(_scripted(project, module, start)))
    minutes = _minutes(step, path)
    if "exercise" in step:
        done = (
            f"Exercice noté de « {known[slug].title} », en binôme. Aidez sans donner la réponse. "
            "Chacun dépose son carnet à la fin."
        )
        title = f"Exercice : {known[slug].title}"
        return Block(title, known[slug], (Moment(start, minutes, ACTIVITY, done),))
    kind, text = step.get("kind"), step.get("text")
    if kind not in KINDS or not isinstance(text, str):
        raise malformed(
            path,
            f"l'étape « {text} » a un « text » et un « kind » : {', '.join(KINDS)}",
            SheetError,
        )
    return Block("", None, (Moment(start, minutes, kind, text),))


def _scripted(project: Project, module: Module, start: int) -> Iterator[Moment]:
    """Yield the steps of a module's sheet, from an hour on."""
    for step in module_script(project, module):
        yield Moment(start, step.minutes, step.kind, step.text)
        start += step.minutes


def _listed(entry: Any, key: str, path: Path) -> list[Any]:
    found = entry.get(key) if isinstance(entry, dict) else None
    if not isinstance(found, list) or not found:
        raise malformed(path, f"il y faut une liste « {key} »", SheetError)
    return found


def _minutes(entry: Any, path: Path) -> int:
    minutes = entry.get("minutes") if isinstance(entry, dict) else None
    if type(minutes) is not int or minutes <= 0:
        raise malformed(path, f"« {entry} » n'a pas de « minutes », en nombre entier", SheetError)
    return minutes
