"""Prepare the assignments of an nbgrader course for grading, each apart from the others.

Any nbgrader course folder will do: its `nbgrader_config.py`, its `source/`. nbgrader's own
`generate_assignment` is run in a temporary folder; the course is only read. What comes out
holds no path of this machine and no learner, and can go to another one.
"""

import contextlib
import dataclasses
import hashlib
import importlib
import json
import os
import random
import re
import shutil
import sys
import uuid
import zipfile
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import nbformat
from traitlets.config import Config
from traitlets.config.loader import JSONFileConfigLoader, LazyConfigValue, PyFileConfigLoader

from culture_d import exercises
from culture_d.errors import AssignmentError
from culture_d.grading.database import SQLITE, due_dates
from culture_d.grading.model import Assignment, Limits
from culture_d.grading.scratch import scratch
from culture_d.project import Project

CONFIG = "nbgrader_config"
MODULES = ("CultureD", "modules")
"""Where the settings keep the course's own modules that they name: file name, source."""
_FORMAT = "1"
# Settings that are about places, people, screens and the exchange, not about grading.
_KEPT_OF_COURSE = {"course_id", "ignore"}
_DROPPED = re.compile(r"Exchange|App$|^NbGrader|^Application$|^JupyterApp$|Exporter$|Writer$")
_DROPPED_TRAITS = {"config_file", "log_level", "log_file", "logfile", "permissions"}
_PATHS = {"IncludeHeaderFooter": ("header", "footer")}
_IMPORTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


def load_assignments(
    course: Path,
    names: Collection[str] | None = None,
    cache: Path | None = None,
    db_url: str | None = None,
) -> dict[str, Assignment]:
    """Prepare the assignments of an nbgrader course, by name.

    Args:
        course: the folder of the course, with `source/` (or what its settings say) in it.
        names: the assignments wanted; all of them unless given.
        cache: where what was prepared is kept, by what it was made from; the user's
            cache unless given.
        db_url: the gradebook that says the due dates; the course's own unless given.

    Raises:
        AssignmentError: no such course or assignment, settings that cannot be read, or an
            assignment that nbgrader refuses; the message says which cell and why.
        ExerciseError, DatasetError: an exercise of this course, or its data, is not ready.
    """
    course = course.resolve()
    if not course.is_dir():
        raise AssignmentError(
            f"Le dossier du cours « {course} » est introuvable. Donnez celui qui contient "
            "« source » et « nbgrader_config.py »."
        )
    cache = cache or _user_cache()
    with importable(course):
        settings = _read_settings(course)
        sources = _sources(course, settings)
        due = due_dates(db_url or _address(course, settings))
        return {
            name: _load(course, name, sources[name], settings, due.get(name), cache)
            for name in _chosen(course, names, sources)
        }


def gradebook_of(course: Path) -> str:
    """Give the address of a course's gradebook, as its settings say, or `gradebook.db`.

    Raises:
        AssignmentError: settings that cannot be read.
    """
    with importable(course):
        return _address(course, _read_settings(course))


def course_limits(assignment: Assignment, limits: Limits) -> Limits:
    """Let cells last as long as the course's own settings say (`Execute.timeout`, in seconds)."""
    own = assignment.config.get("Execute", {}).get("timeout")
    if not isinstance(own, int | float) or own <= 0:
        return limits
    total = max(limits.total_seconds, float(own))
    return dataclasses.replace(limits, cell_seconds=float(own), total_seconds=total)


@contextlib.contextmanager
def importable(folder: Path) -> Iterator[None]:
    """Let the modules of a folder be imported, as nbgrader's settings may ask; then forget them."""
    names = {path.stem for path in folder.glob("*.py")} - {CONFIG}
    path, known = sys.path[:], {name: sys.modules[name] for name in names if name in sys.modules}
    sys.path.append(str(folder))
    try:
        yield
    finally:
        sys.path[:] = path
        for name in names - set(known):
            module = sys.modules.get(name)
            if module and str(getattr(module, "__file__", "")).startswith(str(folder)):
                del sys.modules[name]


def _read_settings(course: Path) -> Config:
    """Read the settings as nbgrader does: from within the course."""
    config = Config()
    for suffix, loader in ((".py", PyFileConfigLoader), (".json", JSONFileConfigLoader)):
        path = course / f"{CONFIG}{suffix}"
        if path.is_file():
            try:
                with contextlib.chdir(course):
                    config.merge(loader(path.name, path=str(course)).load_config())
            except Exception as error:  # the file is a program: anything may happen in it
                raise AssignmentError(
                    f"La configuration « {path} » ne se lit pas : {type(error).__name__}, {error}. "
                    "Corrigez-la, puis relancez la correction."
                ) from error
    return config


def _address(course: Path, settings: Config) -> str:
    return str(settings.CourseDirectory.get("db_url") or f"{SQLITE}{course / 'gradebook.db'}")


def _sources(course: Path, settings: Config) -> dict[str, Path]:
    """Find the folder of each assignment that has a notebook."""
    from nbgrader.coursedir import CourseDirectory

    there = CourseDirectory(config=settings)
    there.root = str(course)
    found: dict[str, Path] = {}
    step = re.escape(there.source_directory)
    name = rf"(?P<name>[^{re.escape(os.sep)}]+)"
    pattern = re.compile(there.format_path(step, r"\.", name, escape=True))
    place = Path(there.format_path(there.source_directory, ".", "*"))
    relative = os.path.relpath(place, course)
    for folder in sorted(course.glob(os.path.normpath(relative))):
        match = pattern.fullmatch(str(folder))
        if folder.is_dir() and any(folder.glob("*.ipynb")):
            found[match["name"] if match else folder.name] = folder
    return found


def _chosen(
    course: Path, names: Collection[str] | None, sources: Mapping[str, Path]
) -> tuple[str, ...]:
    known = ", ".join(f"« {name} »" for name in sources) or "aucun"
    if not sources:
        raise AssignmentError(
            f"Aucun devoir dans « {course} » : il y faut « source/NOM-DU-DEVOIR/ » avec au moins "
            "un notebook. Vérifiez le dossier du cours."
        )
    for name in names or ():
        if name not in sources:
            raise AssignmentError(
                f"Le devoir « {name} » est introuvable dans « {course} ». Devoirs du cours : {known}."
            )
    return tuple(names) if names else tuple(sources)


def _load(
    course: Path, name: str, source: Path, settings: Config, due: datetime | None, cache: Path
) -> Assignment:
    with scratch() as root:
        folder = root / "source" / name
        _copy_source(course, name, source, folder)
        config = _plain_config(course, settings)
        key = _key(folder, name, config, due)
        kept = _from_cache(cache / f"{key}.zip", name)
        if kept is None:
            kept = _generate(course, name, root, settings, config, due, key)
            _to_cache(kept, cache / f"{key}.zip")
        return kept


def _copy_source(course: Path, name: str, source: Path, folder: Path) -> None:
    """Copy the source; for an exercise of Culture D, with its data and its checking module."""
    project = Project(course.parent)
    own = project.exercises == course and any(project.datasets.glob("*/datapackage.json"))
    if not own:
        shutil.copytree(source, folder)
        return
    origin = exercises.source_of(project, name)
    exercises.check_source(origin)
    folder.mkdir(parents=True)
    shutil.copyfile(origin, folder / origin.name)
    if (source / "images").is_dir():
        shutil.copytree(source / "images", folder / "images")
    exercises.prepare(project, name, folder)


def _generate(
    course: Path,
    name: str,
    root: Path,
    settings: Config,
    config: dict[str, dict[str, Any]],
    due: datetime | None,
    key: str,
) -> Assignment:
    """Have nbgrader make the assignment in `root`, where its source is."""
    from nbgrader.api import Gradebook
    from nbgrader.apps.api import NbGraderAPI
    from nbgrader.utils import find_all_files

    own = Config({section: Config(dict(values)) for section, values in config.items()})
    own.pop(MODULES[0], None)
    for section, traits in _PATHS.items():
        for trait in traits:
            if settings[section].get(trait):
                own[section][trait] = str(course / settings[section][trait])
    own.CourseDirectory.root = str(root)
    own.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    for beside in course.glob("*.yml"):  # the patterns of nbgrader's automatic tests
        shutil.copyfile(beside, root / beside.name)
    with exercises.nbgrader_tools(), _same_identifiers(key):
        api = NbGraderAPI(config=own)
        with Gradebook(api.coursedir.db_url, api.coursedir.course_id) as book:
            book.update_or_create_assignment(name, duedate=due)
        result = api.generate_assignment(name)
    if not result["success"]:
        raise AssignmentError(_refusal(course, name, result))
    source = root / "source" / name
    ignored = [*api.coursedir.ignore, "*.ipynb"]
    files = {
        Path(path).relative_to(source).as_posix(): Path(path).read_bytes()
        for path in sorted(find_all_files(str(source), ignored))
    }
    with exercises.nbgrader_tools(), Gradebook(api.coursedir.db_url) as book:
        notebooks = {
            path.name: _with_hidden_tests(path, book, name)
            for path in sorted((root / "release" / name).glob("*.ipynb"))
        }
    gradebook = (root / "gradebook.db").read_bytes()
    return Assignment(name, gradebook, files, notebooks, config)


def _with_hidden_tests(released: Path, book: Any, assignment: str) -> bytes:
    """Put back in the learners' version what nbgrader restores at grading time."""
    notebook = nbformat.read(released, as_version=nbformat.NO_CONVERT)
    known = {cell.name: cell for cell in book.find_notebook(released.stem, assignment).source_cells}
    for cell in notebook.cells:
        mark = cell.metadata.get("nbgrader", {})
        kept = known.get(mark.get("grade_id"))
        if kept is not None:
            cell.source = kept.source
            mark["checksum"] = kept.checksum
    text: str = nbformat.writes(notebook)
    return text.encode()


@contextlib.contextmanager
def _same_identifiers(key: str) -> Iterator[None]:
    """Have nbgrader number its rows alike each time, so that the same source is the same bytes."""
    from nbgrader import api

    draw = random.Random(key)

    def drawn() -> uuid.UUID:
        return uuid.UUID(int=draw.getrandbits(128), version=4)

    known, api.uuid4 = api.uuid4, drawn
    try:
        yield
    finally:
        api.uuid4 = known


def _refusal(course: Path, name: str, result: Mapping[str, Any]) -> str:
    text = "\n".join([result.get("log", ""), result.get("error", "")])
    errors = [
        line.strip()
        for line in text.splitlines()
        if re.match(r"\s*[\w.]*(?:Error|Exception)\b.*:", line) and "NbGraderException" not in line
    ]
    said = [line for line in text.splitlines() if "[ERROR]" in line]
    cause = (errors or said or ["raison inconnue"])[0]
    return (
        f"nbgrader refuse le devoir « {name} » du cours « {course} » : {cause}. "
        f"Corrigez-le ; « nbgrader generate_assignment {name} » doit réussir."
    )


# Settings


def _plain_config(course: Path, settings: Config) -> dict[str, dict[str, Any]]:
    """Keep of the settings what bears on grading, as plain data.

    Raises:
        AssignmentError: a setting is a function or a class that cannot be named.
    """
    kept: dict[str, dict[str, Any]] = {}
    for section, values in sorted(settings.items()):
        if _DROPPED.search(section) or not isinstance(values, Mapping):
            continue
        traits = {
            trait: _plain(course, section, trait, value)
            for trait, value in sorted(values.items())
            if trait not in _DROPPED_TRAITS
            and trait not in _PATHS.get(section, ())
            and (section != "CourseDirectory" or trait in _KEPT_OF_COURSE)
        }
        if traits:
            kept[section] = traits
    modules = {
        f"{name}.py": (course / f"{name}.py").read_text(encoding="utf-8")
        for name in sorted({text.partition(".")[0] for text in _names(kept)} - {CONFIG})
        if (course / f"{name}.py").is_file()
    }
    if modules:
        kept[MODULES[0]] = {MODULES[1]: modules}
    return kept


def _plain(course: Path, section: str, trait: str, value: Any) -> Any:
    def again(part: Any) -> Any:
        return _plain(course, section, trait, part)

    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, LazyConfigValue):
        return again(value.get_value(_default(section, trait)))
    if isinstance(value, Mapping):
        return {str(key): again(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [again(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted(map(again, value))
    if isinstance(value, Path):
        return str(value)
    name = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
    if _IMPORTED.fullmatch(name) and _import(name) is value:
        return name
    raise AssignmentError(
        f"Le réglage « {section}.{trait} » de « {course / CONFIG}.py » est un objet sans nom "
        f"({type(value).__name__}). Placez-le dans un module à côté, puis donnez son nom : "
        "« module.Nom »."
    )


def _default(section: str, trait: str) -> Any:
    """Give what nbgrader would use, for a setting that only adds to it."""
    from nbgrader import converters, coursedir, preprocessors

    for module in (converters, preprocessors, coursedir):
        known = getattr(module, section, None)
        if known is not None:
            return getattr(known(), trait)
    return []


def _import(name: str) -> Any:
    module, _, attribute = name.rpartition(".")
    try:
        return getattr(importlib.import_module(module), attribute, None)
    except ImportError:
        return None


def _names(value: Any) -> Iterator[str]:
    """Give every text of the settings that may name a class."""
    if isinstance(value, str) and _IMPORTED.fullmatch(value):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _names(part)
    elif isinstance(value, list):
        for part in value:
            yield from _names(part)


# What was prepared already


def _user_cache() -> Path:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "culture-d" / "devoirs"


def _key(folder: Path, name: str, config: Mapping[str, Any], due: datetime | None) -> str:
    total = hashlib.sha256()
    parts = [_FORMAT, version("nbgrader"), version("nbformat"), name, str(due)]
    parts += [json.dumps(config, sort_keys=True)]
    for part in parts:
        total.update(len(part).to_bytes(8, "big") + part.encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            text = path.read_bytes()
            place = path.relative_to(folder).as_posix().encode()
            total.update(len(place).to_bytes(8, "big") + place)
            total.update(len(text).to_bytes(8, "big") + text)
    return total.hexdigest()


def _from_cache(path: Path, name: str) -> Assignment | None:
    """Read what was kept; None if there is nothing, or nothing that can be read."""
    try:
        with zipfile.ZipFile(path) as kept:
            parts: dict[str, dict[str, bytes]] = {"files": {}, "notebooks": {}}
            for entry in kept.namelist():
                kind, _, rest = entry.partition("/")
                if kind in parts:
                    parts[kind][rest] = kept.read(entry)
            config = json.loads(kept.read("config.json"))
            return Assignment(name, kept.read("gradebook.db"), **parts, config=config)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None


def _to_cache(assignment: Assignment, path: Path) -> None:
    """Keep what was prepared; without a place to write, it is made again next time."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        with zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as kept:
            kept.writestr("gradebook.db", assignment.gradebook)
            kept.writestr("config.json", json.dumps(assignment.config))
            for kind in ("files", "notebooks"):
                for name, content in getattr(assignment, kind).items():
                    kept.writestr(f"{kind}/{name}", content)
        partial.replace(path)
