"""The map of the course (`book/curriculum.yml`) and its agreement with the files."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from culture_d.catalogue import load_catalogue
from culture_d.errors import CultureDError, CurriculumError
from culture_d.project import Project
from culture_d.yaml_file import malformed, read_yaml

STATUSES = ("published", "planned")
KINDS = ("time", "role")
MODULE_KEYS = {
    "slug",
    "title",
    "question",
    "outcome",
    "minutes",
    "status",
    "skill",
    "situation",
    "datasets",
    "exercise",
}
PATH_KEYS = {"id", "kind", "title", "audience", "budget", "steps"}
STEP_KEYS = {"slug", "reason"}


@dataclass(frozen=True)
class Module:
    """One use case: a notebook, its page, its exercise."""

    slug: str
    part: str
    title: str
    question: str
    outcome: str
    minutes: int
    published: bool
    skill: int | None
    situation: int | None
    datasets: tuple[str, ...]
    exercise: bool

    @property
    def document(self) -> str:
        """Name of its page: the notebook's path from the root, without suffix."""
        return f"notebooks/{self.part}/{self.slug}"


@dataclass(frozen=True)
class Part:
    """A part of the course, in reading order."""

    slug: str
    title: str
    summary: str
    modules: tuple[Module, ...]


@dataclass(frozen=True)
class Step:
    """A module on a path, and why it is there."""

    module: Module
    reason: str


@dataclass(frozen=True)
class LearningPath:
    """A way through the modules, by the time one has or by one's role.

    `budget` is in minutes, for the time paths only; `steps` are in order.
    """

    id: str
    kind: str
    title: str
    audience: str
    budget: int | None
    steps: tuple[Step, ...]

    @property
    def ready(self) -> tuple[Step, ...]:
        """Steps whose module is published, in order."""
        return tuple(step for step in self.steps if step.module.published)

    @property
    def planned(self) -> tuple[Step, ...]:
        """Steps whose module is not written yet, in order."""
        return tuple(step for step in self.steps if not step.module.published)


def total_minutes(steps: Iterable[Step]) -> int:
    """Add the minutes of steps, exercises not counted."""
    return sum(step.module.minutes for step in steps)


def load_curriculum(project: Project) -> tuple[Part, ...]:
    """Read the map of the course.

    Raises:
        CurriculumError: the file is missing or malformed.
    """
    path = project.curriculum
    content = read_yaml(path, CurriculumError)
    parts = tuple(_part(entry, path) for entry in _entries(content, "parts", path))
    repeated = _repeated([module.slug for part in parts for module in part.modules])
    if repeated:
        raise CurriculumError(
            f"« {path} » répète un module : {repeated}. Gardez une seule de ses lignes."
        )
    return parts


def modules(parts: tuple[Part, ...]) -> tuple[Module, ...]:
    """List every module, in reading order."""
    return tuple(module for part in parts for module in part.modules)


def first_lesson(project: Project) -> Module:
    """Return the lesson that the map offers to who has just arrived.

    Raises:
        CurriculumError: the map is missing or malformed, or names no published module.
    """
    path = project.curriculum
    content = read_yaml(path, CurriculumError)
    slug = content.get("first") if isinstance(content, dict) else None
    for module in modules(load_curriculum(project)):
        if module.slug == slug and module.published:
            return module
    raise CurriculumError(
        f"« {path} » : « first: {slug or '…'} » ne nomme pas un module publié. "
        "Écrivez là celui que l'on propose à qui découvre le cours."
    )


def load_paths(project: Project) -> tuple[LearningPath, ...]:
    """Read the paths of the map.

    Raises:
        CurriculumError: the map is missing or malformed, a path names an unknown module
            or the same one twice, or lasts longer than its budget.
    """
    path = project.curriculum
    known = {module.slug: module for module in modules(load_curriculum(project))}
    paths = tuple(
        _learning_path(entry, known, path)
        for entry in _entries(read_yaml(path, CurriculumError), "paths", path)
    )
    repeated = _repeated([one.id for one in paths])
    if repeated:
        raise _malformed(path, f"plusieurs parcours ont le même « id » : {repeated}")
    return paths


def check_agreement(project: Project) -> None:
    """Check that the map, the table of contents and the files say the same.

    Raises:
        CurriculumError: names the file and the module at fault.
    """
    load_paths(project)
    every = modules(load_curriculum(project))
    published = [module for module in every if module.published]
    _same(
        [module.document for module in published],
        _documents(project, "notebooks", "*.ipynb"),
        "les modules publiés de « book/curriculum.yml »",
        "les carnets de « notebooks/ »",
    )
    listed = [name for name in _toc_documents(project) if name.startswith("notebooks/")]
    _same(
        [module.document for module in published],
        listed,
        "les modules publiés de « book/curriculum.yml »",
        "« _toc.yml »",
    )
    if [module.document for module in published] != listed:
        raise CurriculumError(
            "« _toc.yml » et « book/curriculum.yml » citent les mêmes modules, "
            "mais pas dans le même ordre. Remettez ceux de « _toc.yml » dans l'ordre de la carte."
        )
    _same(
        [f"{module.slug}/{module.slug}" for module in every if module.exercise],
        _documents(project, "exercises/source", "*/*.ipynb", below=True),
        "les exercices annoncés par « book/curriculum.yml »",
        "les carnets de « exercises/source/ »",
    )
    first_lesson(project)
    said = {
        (dataset.name, slug) for dataset in load_catalogue(project) for slug in dataset.notebooks
    }
    used = {(name, module.slug) for module in published for name in module.datasets}
    _same(
        [f"{name} (lu par {slug})" for name, slug in used],
        [f"{name} (lu par {slug})" for name, slug in said],
        "les données citées par « book/curriculum.yml »",
        "les « notebooks » des fichiers « datapackage.json »",
    )


def _same(expected: list[str], found: list[str], what: str, where: str) -> None:
    missing = sorted(set(expected) - set(found))
    extra = sorted(set(found) - set(expected))
    for names, here, there in ((missing, what, where), (extra, where, what)):
        if names:
            raise CurriculumError(
                f"Dans {here}, mais pas dans {there} : {', '.join(names)}. "
                "Ajoutez ce qui manque d'un côté, ou retirez-le de l'autre."
            )


def _documents(project: Project, folder: str, pattern: str, below: bool = False) -> list[str]:
    root = project.root / folder
    base = root if below else project.root
    return [
        path.relative_to(base).with_suffix("").as_posix()
        for path in sorted(root.rglob(pattern))
        if ".ipynb_checkpoints" not in path.parts
    ]


def contents(project: Project) -> list[tuple[str, list[str]]]:
    """Read the table of contents: the caption of each part and its documents, in order.

    Raises:
        CurriculumError: the file is missing or malformed.
    """
    path = project.toc
    parts = []
    for part in _entries(read_yaml(path, CurriculumError), "parts", path):
        names = []
        for chapter in _entries(part, "chapters", path):
            if not isinstance(chapter, dict) or not isinstance(chapter.get("file"), str):
                raise _malformed(path, f"« {chapter} » n'est pas une ligne « - file: … »")
            names.append(Path(chapter["file"]).with_suffix("").as_posix())
        parts.append((str(part.get("caption", "")), names))
    return parts


def _toc_documents(project: Project) -> list[str]:
    return [name for _, names in contents(project) for name in names]


def _malformed(path: Path, fault: str) -> CultureDError:
    return malformed(path, fault, CurriculumError)


def _entries(content: Any, key: str, path: Path) -> list[Any]:
    """Return the list that a mapping holds under a key."""
    entries = content.get(key) if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise _malformed(path, f"il y faut une liste « {key} »")
    return entries


def _part(entry: Any, path: Path) -> Part:
    found = _entries(entry, "modules", path)
    _need_texts(entry, ("slug", "title", "summary"), path)
    return Part(
        slug=entry["slug"],
        title=entry["title"],
        summary=entry["summary"],
        modules=tuple(_module(module, entry["slug"], path) for module in found),
    )


def _module(entry: Any, part: str, path: Path) -> Module:
    _need_texts(entry, ("slug", "title", "question", "status"), path)
    where = f"module « {entry['slug']} »"
    unknown = sorted(str(key) for key in set(entry) - MODULE_KEYS)
    if unknown:
        raise _malformed(path, f"{where}, clé inconnue : {', '.join(unknown)}")
    if entry["status"] not in STATUSES:
        raise _malformed(path, f"{where}, « status » est l'un de : {', '.join(STATUSES)}")
    if not isinstance(entry.get("minutes"), int):
        raise _malformed(path, f"{where}, « minutes » est un nombre entier")
    datasets = entry.get("datasets", [])
    if not isinstance(datasets, list):
        raise _malformed(path, f"{where}, « datasets » est une liste entre crochets")
    return Module(
        slug=entry["slug"],
        part=part,
        title=entry["title"],
        question=entry["question"],
        outcome=entry.get("outcome", ""),
        minutes=entry["minutes"],
        published=entry["status"] == "published",
        skill=entry.get("skill"),
        situation=entry.get("situation"),
        datasets=tuple(datasets),
        exercise=bool(entry.get("exercise", False)),
    )


def _learning_path(entry: Any, known: dict[str, Module], path: Path) -> LearningPath:
    found = _entries(entry, "steps", path)
    _need_texts(entry, ("id", "kind", "title", "audience"), path, name="id")
    where = f"parcours « {entry['id']} »"
    unknown = sorted(str(key) for key in set(entry) - PATH_KEYS)
    if unknown:
        raise _malformed(path, f"{where}, clé inconnue : {', '.join(unknown)}")
    if not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*", entry["id"]):
        raise _malformed(path, f"{where}, « id » s'écrit en minuscules, chiffres et tirets")
    if entry["kind"] not in KINDS:
        raise _malformed(path, f"{where}, « kind » est l'un de : {', '.join(KINDS)}")
    if not found:
        raise _malformed(path, f"{where}, « steps » ne cite aucun module")
    steps = tuple(_step(step, known, where, path) for step in found)
    repeated = _repeated([step.module.slug for step in steps])
    if repeated:
        raise _malformed(path, f"{where} cite deux fois le même module : {repeated}")
    return LearningPath(
        id=entry["id"],
        kind=entry["kind"],
        title=entry["title"],
        audience=entry["audience"],
        budget=_budget(entry, steps, where, path),
        steps=steps,
    )


def _step(entry: Any, known: dict[str, Module], where: str, path: Path) -> Step:
    _need_texts(entry, ("slug", "reason"), path)
    unknown = sorted(str(key) for key in set(entry) - STEP_KEYS)
    if unknown:
        raise _malformed(
            path, f"{where}, module « {entry['slug']} », clé inconnue : {', '.join(unknown)}"
        )
    if entry["slug"] not in known:
        raise _malformed(
            path, f"{where} cite le module « {entry['slug']} », qui n'est dans aucune partie"
        )
    return Step(known[entry["slug"]], entry["reason"])


def _budget(entry: Any, steps: tuple[Step, ...], where: str, path: Path) -> int | None:
    """Return the minutes of a time path, once its steps are found to fit in."""
    budget = entry.get("budget")
    if entry["kind"] != "time":
        if "budget" in entry:
            raise _malformed(path, f"{where}, « budget » n'existe que si « kind » est « time »")
        return None
    if type(budget) is not int or budget <= 0:
        raise _malformed(path, f"{where}, « budget » est un nombre entier de minutes")
    minutes = total_minutes(steps)
    if minutes > budget:
        raise CurriculumError(
            f"« {path} », {where} : ses modules durent {minutes} minutes, pour {budget} au plus. "
            "Retirez un module, ou choisissez-en un plus court."
        )
    return budget


def _repeated(names: list[str]) -> str:
    return ", ".join(sorted({name for name in names if names.count(name) > 1}))


def _need_texts(entry: Any, keys: tuple[str, ...], path: Path, name: str = "slug") -> None:
    if not isinstance(entry, dict):
        raise _malformed(path, f"« {entry} » n'est pas une suite de « clé: valeur »")
    for key in keys:
        if not isinstance(entry.get(key), str):
            raise _malformed(path, f"« {entry.get(name)} », il y faut un texte « {key} »")
