"""The map of the course (`book/curriculum.yml`) and its agreement with the files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from culture_d.catalogue import load_catalogue
from culture_d.errors import CurriculumError
from culture_d.project import Project

STATUSES = ("published", "planned")
MODULE_KEYS = {
    "slug",
    "title",
    "question",
    "minutes",
    "status",
    "skill",
    "situation",
    "datasets",
    "exercise",
}


@dataclass(frozen=True)
class Module:
    """One use case: a notebook, its page, its exercise."""

    slug: str
    part: str
    title: str
    question: str
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


def load_curriculum(project: Project) -> tuple[Part, ...]:
    """Read the map of the course.

    Raises:
        CurriculumError: the file is missing or malformed.
    """
    path = project.curriculum
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        parts = tuple(_part(entry) for entry in content["parts"])
    except FileNotFoundError:
        raise CurriculumError(f"« {path} » est introuvable.") from None
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise CurriculumError(f"« {path} » est mal formé : {error}.") from None
    slugs = [module.slug for part in parts for module in part.modules]
    repeated = sorted({slug for slug in slugs if slugs.count(slug) > 1})
    if repeated:
        raise CurriculumError(f"« {path} » répète un module : {', '.join(repeated)}.")
    return parts


def modules(parts: tuple[Part, ...]) -> tuple[Module, ...]:
    """List every module, in reading order."""
    return tuple(module for part in parts for module in part.modules)


def check_agreement(project: Project) -> None:
    """Check that the map, the table of contents and the files say the same.

    Raises:
        CurriculumError: names the file and the module at fault.
    """
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
            "mais pas dans le même ordre."
        )
    _same(
        [f"{module.slug}/{module.slug}" for module in every if module.exercise],
        _documents(project, "exercises/source", "*/*.ipynb", below=True),
        "les exercices annoncés par « book/curriculum.yml »",
        "les carnets de « exercises/source/ »",
    )
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
    if missing:
        raise CurriculumError(f"Dans {what}, mais pas dans {where} : {', '.join(missing)}.")
    if extra:
        raise CurriculumError(f"Dans {where}, mais pas dans {what} : {', '.join(extra)}.")


def _documents(project: Project, folder: str, pattern: str, below: bool = False) -> list[str]:
    root = project.root / folder
    base = root if below else project.root
    return [
        path.relative_to(base).with_suffix("").as_posix()
        for path in sorted(root.rglob(pattern))
        if ".ipynb_checkpoints" not in path.parts
    ]


def _toc_documents(project: Project) -> list[str]:
    try:
        toc = yaml.safe_load(project.toc.read_text(encoding="utf-8"))
        entries = [chapter for part in toc["parts"] for chapter in part["chapters"]]
        names = [Path(entry["file"]).with_suffix("").as_posix() for entry in entries]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise CurriculumError(f"« {project.toc} » est mal formé : {error}.") from None
    return names


def _part(entry: dict[str, Any]) -> Part:
    return Part(
        slug=entry["slug"],
        title=entry["title"],
        summary=entry["summary"],
        modules=tuple(_module(module, entry["slug"]) for module in entry["modules"]),
    )


def _module(entry: dict[str, Any], part: str) -> Module:
    unknown = set(entry) - MODULE_KEYS
    if unknown or entry["status"] not in STATUSES or not isinstance(entry["minutes"], int):
        raise KeyError(f"module {entry.get('slug')}, {', '.join(unknown) or 'status ou minutes'}")
    return Module(
        slug=entry["slug"],
        part=part,
        title=entry["title"],
        question=entry["question"],
        minutes=entry["minutes"],
        published=entry["status"] == "published",
        skill=entry.get("skill"),
        situation=entry.get("situation"),
        datasets=tuple(entry.get("datasets", ())),
        exercise=bool(entry.get("exercise", False)),
    )
