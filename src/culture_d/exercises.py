"""Make and check the learners' versions of the exercises, with nbgrader itself.

Everything happens in a scratch nbgrader course; the results are moved in place
only once every exercise asked for has passed every check. What is checked:

- the source: grade ids unique, markers paired, solutions in solution cells, no
  stored output, no file the learners should not get;
- the released version: no marker, no hidden line, no answers file; it runs
  from top to bottom in a folder of its own, where `culture_d` cannot be imported;
- by nbgrader's autograde: the source, with its solutions, earns every automatic
  point, and the released version, untouched, earns none.
"""

import logging
import os
import re
import shutil
import sys
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from culture_d.catalogue import Dataset, load_catalogue
from culture_d.errors import DatasetError, ExerciseError
from culture_d.execution import OwnKernel, own_kernel_settings
from culture_d.french import date_longue
from culture_d.project import Project

Progress = Callable[[str], None]

VERIFIER = Path(__file__).parent / "grading" / "verifier.py"
DATA_FOLDER = "donnees"
DATA_NOTE = "LISEZMOI.txt"
SHARED = {"verifier.py", DATA_FOLDER, "images"}
MANUAL = "manuel"
_DATA_FILE = re.compile(rf"{DATA_FOLDER}/([\w.-]+\.\w+)")
_TABLE = re.compile(r"verifier\.table\(\s*[\"']([\w.-]+)[\"']")
_MARK = re.compile(r"(BEGIN|END) (SOLUTION|HIDDEN TESTS|MARK SCHEME)")
_ZIP_DATE = (2026, 1, 1, 0, 0, 0)
_TIMEOUT = 120
_SHORT_LINE = 12
_NEW_CELL = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
_CAUSES = {
    "DeadKernelError": "Python s'est arrêté pendant l'exécution (exit(), ou mémoire épuisée)",
    "NotJSONError": "le fichier n'est pas un notebook lisible",
    "JSONDecodeError": "le fichier n'est pas un notebook lisible",
    "SchemaTooOldError": "les marques de nbgrader sont d'une version trop ancienne",
}


@dataclass(frozen=True)
class Exercise:
    """One exercise that passed the checks. Points are nbgrader's."""

    slug: str
    automatic: float
    manual: float


def slugs_of(project: Project) -> tuple[str, ...]:
    """Name every exercise of the course, in order."""
    source = project.exercises / "source"
    return tuple(sorted(path.parent.name for path in source.glob("*/*.ipynb")))


def prepare(project: Project, slug: str, folder: Path | None = None) -> Path:
    """Put `verifier.py` and `donnees/` beside the exercise, and return its folder.

    `folder` is the exercise's own folder in `exercises/source` unless given.

    Raises:
        ExerciseError: no such exercise, or it reads a file no dataset has.
        DatasetError: a data file is missing, truncated or changed.
    """
    notebook = source_of(project, slug)
    folder = folder or notebook.parent
    catalogue = load_catalogue(project)
    used: dict[str, Dataset] = {}
    for name in _data_files(notebook):
        used |= _find_data(catalogue, name, notebook)
    staging = folder / f".{DATA_FOLDER}"
    shutil.rmtree(staging, ignore_errors=True)
    staging.mkdir(parents=True)
    try:
        for name, dataset in used.items():
            shutil.copyfile(dataset.folder / name, staging / name)
        if used:
            (staging / DATA_NOTE).write_text(_data_note(used), encoding="utf-8")
        shutil.rmtree(folder / DATA_FOLDER, ignore_errors=True)
        staging.replace(folder / DATA_FOLDER)
    finally:
        shutil.rmtree(staging, ignore_errors=True)
    shutil.copyfile(VERIFIER, folder / VERIFIER.name)
    return folder


def release(
    project: Project,
    slugs: Sequence[str] | None = None,
    out: Path | None = None,
    progress: Progress | None = None,
) -> tuple[Path, ...]:
    """Make the learners' folder and ZIP of each exercise, and return the ZIP files.

    `out` is `exercises/release` unless given; `progress` is told each step in
    French. Nothing there changes unless every exercise passes (see `validate`).

    Raises:
        ExerciseError: an exercise that cannot be released, and why.
        DatasetError: a data file is missing, truncated or changed.
    """
    out = out or project.exercises / "release"
    say = progress or _silent
    chosen = tuple(slugs or slugs_of(project))
    out.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(prefix=".exercices-", dir=out) as scratch:
            root = Path(scratch)
            _build(project, chosen, root, say)
            for slug in chosen:
                _zip(root / "release" / slug, root / f"{slug}.zip")
            for slug in chosen:
                say(f"{slug} : mise en place")
                _replace(root / "release" / slug, out / slug, root)
                (root / f"{slug}.zip").replace(out / f"{slug}.zip")
    finally:
        if not any(out.iterdir()):
            out.rmdir()
    return tuple(out / f"{slug}.zip" for slug in chosen)


def validate(
    project: Project, slugs: Sequence[str] | None = None, progress: Progress | None = None
) -> tuple[Exercise, ...]:
    """Run every check of `release` and keep nothing.

    Raises:
        ExerciseError: an exercise that cannot be released, and why.
        DatasetError: a data file is missing, truncated or changed.
    """
    with tempfile.TemporaryDirectory(prefix="exercices-") as scratch:
        chosen = tuple(slugs or slugs_of(project))
        return _build(project, chosen, Path(scratch), progress or _silent)


def source_of(project: Project, slug: str) -> Path:
    """Find the source notebook of an exercise.

    Raises:
        ExerciseError: there is none; the message lists those there are.
    """
    notebook = project.exercises / "source" / slug / f"{slug}.ipynb"
    if not notebook.is_file():
        known = ", ".join(slugs_of(project)) or "aucun"
        raise ExerciseError(f"« {notebook} » est introuvable. Exercices du cours : {known}.")
    return notebook


def course(project: Project, root: Path, kernel: Config | None = None) -> Any:
    """Open an nbgrader course in `root`, with the settings of the project.

    `kernel` adds those of `own_kernel_settings`, for what runs submissions.

    Returns an `nbgrader.apps.api.NbGraderAPI`; run it within `nbgrader_tools()`.
    """
    from nbgrader.apps.api import NbGraderAPI

    config = PyFileConfigLoader("nbgrader_config.py", path=str(project.exercises)).load_config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.db_url = f"sqlite:///{root / 'gradebook.db'}"
    if kernel is not None:
        config.merge(kernel)
        config.Execute.kernel_manager_class = OwnKernel
    return NbGraderAPI(config=config)


def restore_cells(notebook: Any, resources: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Give a submission each locked or graded cell of the exercise once, in its place.

    For `Autograde.sanitize_preprocessors`, instead of `DeduplicateIds`: with
    `add_missing_cells`, nbgrader 0.9.6 stops on a copied cell, on changed marks, and
    on a question whose cells are all deleted. Of copied cells, the last one counts;
    a cell that lost its mark is known by its identifier.
    """
    from nbgrader.api import Gradebook

    place = resources["nbgrader"]
    with Gradebook(place["db_url"]) as book:
        known = book.find_notebook(place["notebook"], place["assignment"])
        graded = {cell.name: float(cell.max_score) for cell in known.grade_cells}
        solutions = {cell.name for cell in known.solution_cells}
        sources = {cell.name: (cell.cell_type, cell.source) for cell in known.source_cells}
    marks = {name: _mark_of(name, graded.get(name), name in solutions) for name in sources}
    kept: dict[str, Any] = {}
    for cell in reversed(notebook.cells):
        name = str(_settings(cell).get("grade_id"))
        cell.metadata.pop("nbgrader", None)
        if name in sources and name not in kept:
            kept[name] = cell
    for cell in notebook.cells:
        if cell.get("id") in sources and cell not in kept.values():
            kept.setdefault(cell.id, cell)
    after = 0
    for name, (kind, text) in sources.items():
        if name in kept:
            after = next(at for at, cell in enumerate(notebook.cells, 1) if cell is kept[name])
        elif name in graded or name not in solutions:
            kept[name] = _NEW_CELL[kind](text)
            if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
                kept[name].pop("id", None)
            notebook.cells.insert(after, kept[name])
            after += 1
        if name in kept:
            kept[name].metadata["nbgrader"] = marks[name]
    return notebook, resources


def without_hidden_tests(notebook: Any, resources: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Take the hidden tests out of the test cells; an answer may hold nbgrader's own marks.

    For `GenerateFeedback.preprocessors`, instead of `ClearHiddenTests`: that one stops on a
    learner's line « ### BEGIN HIDDEN TESTS », and would hide what follows it. Only test cells,
    which grading put back as the exercise has them, have something to hide.
    """
    from nbgrader.preprocessors import ClearHiddenTests
    from nbgrader.utils import is_grade, is_locked

    clear = ClearHiddenTests()
    for index, cell in enumerate(notebook.cells):
        if is_grade(cell) and is_locked(cell):
            clear.preprocess_cell(cell, resources, index)
    return notebook, resources


def _mark_of(name: str, points: float | None, solution: bool) -> dict[str, Any]:
    mark = {
        "schema_version": 3,
        "grade_id": name,
        "grade": points is not None,
        "solution": solution,
        "locked": not solution,
        "task": False,
    }
    return mark if points is None else {**mark, "points": points}


@contextmanager
def nbgrader_tools() -> Iterator[None]:
    """Let nbgrader find `alembic` beside this Python, and keep its log off the terminal."""
    from culture_d.grading.tables import known_version

    path = os.environ.get("PATH", "")
    # Tornado's is that of nbgrader's gradebook, which tells of each refusal with its traceback.
    logs = [logging.getLogger(name) for name in ("traitlets", "tornado.application")]
    before = [(log.handlers[:], log.propagate) for log in logs]
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), path])
    for log in logs:
        log.handlers, log.propagate = [logging.NullHandler()], False
    try:
        with known_version(), warnings.catch_warnings():
            # nbgrader 0.9.6 with SQLAlchemy 2.1; the points are the same without.
            warnings.filterwarnings("ignore", message="Object of type <Submitted")
            yield
    finally:
        os.environ["PATH"] = path
        for log, (handlers, propagate) in zip(logs, before, strict=True):
            log.handlers, log.propagate = handlers, propagate


def generate(project: Project, slug: str, root: Path) -> Path:
    """Make the learners' version in the nbgrader course of `root`, whose source is there.

    Not for threads: nbgrader changes the current folder while it works.

    Raises:
        ExerciseError: nbgrader refuses; its reason is in the message.
    """
    with nbgrader_tools():
        result = course(project, root).generate_assignment(slug)
    if not result["success"]:
        _refused(root / "source" / slug / f"{slug}.ipynb", result)
    return root / "release" / slug


def scores(project: Project, slug: str, root: Path, learner: str) -> dict[str, float]:
    """Autograde one submission of the course in `root`: points of each automatic cell.

    Not for threads: nbgrader changes the current folder while it works.

    Raises:
        ExerciseError: nbgrader could not grade it; its reason is in the message.
    """
    from nbgrader.api import Gradebook

    with nbgrader_tools(), own_kernel_settings() as kernel:
        api = course(project, root, kernel)
        result = api.autograde(slug, learner)
        if not result["success"]:
            _refused(root / "submitted" / learner / slug / f"{slug}.ipynb", result)
        with Gradebook(api.coursedir.db_url) as book:
            grades = book.find_submission_notebook(slug, slug, learner).grades
            return {
                grade.name: float(grade.auto_score or 0)
                for grade in grades
                if not _is_manual(grade.cell)
            }


def _build(
    project: Project, slugs: Iterable[str], root: Path, say: Progress
) -> tuple[Exercise, ...]:
    """Release and check each exercise in the scratch course `root`."""
    done = []
    for slug in slugs:
        origin = source_of(project, slug)
        say(f"{slug} : lecture de la source")
        source = check_source(origin)
        folder = root / "source" / slug
        folder.mkdir(parents=True)
        shutil.copyfile(origin, folder / origin.name)
        if (origin.parent / "images").is_dir():
            shutil.copytree(origin.parent / "images", folder / "images")
        prepare(project, slug, folder)
        say(f"{slug} : version sans les réponses")
        released = generate(project, slug, root) / origin.name
        check_released(source, released, origin)
        say(f"{slug} : essai dans un dossier à part")
        check_runs_alone(released, origin)
        say(f"{slug} : notation du corrigé et du devoir vide")
        done.append(_check_points(project, slug, root, source, origin))
    return tuple(done)


def check_source(notebook: Path) -> Any:
    """Read the source of an exercise and check what nbgrader would not say clearly.

    Raises:
        ExerciseError: names the file, the cell and what to correct.
    """
    try:
        source = nbformat.read(notebook, as_version=4)
        nbformat.validate(source)
    except (ValueError, nbformat.ValidationError, KeyError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ExerciseError(f"« {notebook} » n'est pas un notebook lisible : {reason}.") from None
    stray = sorted(
        path.name
        for path in notebook.parent.iterdir()
        if path.name not in SHARED | {notebook.name, "__pycache__", ".ipynb_checkpoints"}
    )
    if stray:
        raise ExerciseError(
            f"« {notebook.parent} » contient {', '.join(stray)}, que les élèves recevraient. "
            "Déplacez ces fichiers (les réponses vont dans « exercises/answers »)."
        )
    _check_ids(source, notebook)
    for cell in source.cells:
        _check_cell(cell, notebook)
    return source


def check_released(source: Any, released: Path, origin: Path) -> None:
    """Check that nothing of the solutions or hidden tests is left in the learners' version.

    Raises:
        ExerciseError: names the source, the cell and the line left.
    """
    notebook = nbformat.read(released, as_version=4)
    hidden = {line for cell in source.cells for line in _hidden_lines(cell.source)}
    for cell in notebook.cells:
        if cell.get("outputs"):
            raise ExerciseError(
                f"« {origin} », cellule « {cell.id} » : une sortie est restée dans la version "
                "des élèves. Effacez les sorties de la source."
            )
        for line in cell.source.splitlines():
            text = line.strip()
            if text in hidden or _MARK.search(line) or ".noter(" in line:
                raise ExerciseError(
                    f"« {origin} », cellule « {cell.id} » : la version des élèves montrerait "
                    f"« {text[:60]} ». Placez cette ligne entre ### BEGIN SOLUTION et "
                    "### END SOLUTION, ou entre ### BEGIN HIDDEN TESTS et ### END HIDDEN TESTS."
                )
    extra = sorted(
        path.name for path in released.parent.iterdir() if path.name not in SHARED | {released.name}
    )
    if extra:
        raise ExerciseError(f"« {origin} » : la version des élèves contient {', '.join(extra)}.")


def check_runs_alone(released: Path, origin: Path) -> None:
    """Run the learners' version in a copy of its folder, where `culture_d` is not importable.

    Raises:
        ExerciseError: names the cell, and the error or the warning it shows.
    """
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    notebook = nbformat.read(released, as_version=4)
    with (
        tempfile.TemporaryDirectory(prefix="eleve-") as scratch,
        own_kernel_settings() as settings,
    ):
        folder, barrier = Path(scratch) / "exercice", Path(scratch) / "barriere" / "culture_d"
        shutil.copytree(released.parent, folder)
        barrier.mkdir(parents=True)
        (barrier / "__init__.py").write_text(
            'raise ImportError("culture_d n\'est pas installé chez les élèves")\n', encoding="utf-8"
        )
        client = NotebookClient(
            notebook,
            config=settings,
            kernel_manager_class=OwnKernel,
            timeout=_TIMEOUT,
            shutdown_kernel="immediate",
            extra_arguments=["--log-level=ERROR"],
            resources={"metadata": {"path": str(folder)}},
        )
        try:
            client.execute(env={**os.environ, "PYTHONPATH": str(barrier.parent)})
        except CellExecutionError as error:
            raise ExerciseError(
                f"« {origin} » : la version des élèves s'arrête sur une erreur, "
                f"{error.ename} : {error.evalue}{_where(notebook)}."
            ) from None
        except (CellTimeoutError, DeadKernelError) as error:
            raise ExerciseError(
                f"« {origin} » : la version des élèves ne s'exécute pas jusqu'au bout "
                f"({type(error).__name__}){_where(notebook)}."
            ) from None
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            if output.get("name") == "stderr":
                raise ExerciseError(
                    f"« {origin} », cellule « {cell.id} » : un avertissement s'affiche, et "
                    f"nbgrader donnerait 0 : {output.text.strip().splitlines()[-1]}"
                )


def _check_points(project: Project, slug: str, root: Path, source: Any, origin: Path) -> Exercise:
    """Grade the source and the untouched release: every automatic point, and none."""
    points = {"auto": 0.0, MANUAL: 0.0}
    for cell in source.cells:
        settings = cell.metadata.get("nbgrader", {})
        if settings.get("grade"):
            points[MANUAL if settings["solution"] else "auto"] += float(settings["points"])
    for learner, step in (("corrige", "source"), ("vierge", "release")):
        target = root / "submitted" / learner / slug
        target.mkdir(parents=True)
        shutil.copyfile(root / step / slug / origin.name, target / origin.name)
        earned = scores(project, slug, root, learner)
        expected = points["auto"] if learner == "corrige" else 0.0
        if abs(sum(earned.values()) - expected) > 1e-9:
            detail = ", ".join(f"{cell} : {value:g}" for cell, value in earned.items())
            which = (
                "le corrigé n'obtient pas tous les points automatiques"
                if learner == "corrige"
                else "la version des élèves, non remplie, obtient déjà des points : "
                "une réponse est restée hors des marques de solution"
            )
            raise ExerciseError(
                f"« {origin} » : {which} ({sum(earned.values()):g} au lieu de {expected:g}). "
                f"Détail : {detail}."
            )
    return Exercise(slug, points["auto"], points[MANUAL])


def _check_ids(source: Any, notebook: Path) -> None:
    for what, names in (
        (
            "la marque de note (grade_id)",
            [_settings(cell).get("grade_id") for cell in source.cells],
        ),
        ("l'identifiant de cellule", [cell.get("id") for cell in source.cells]),
    ):
        repeated = [name for name, count in Counter(filter(None, names)).items() if count > 1]
        if repeated:
            raise ExerciseError(
                f"« {notebook} » : {what} « {', '.join(repeated)} » sert à plusieurs cellules. "
                "Donnez à chacune un nom différent."
            )


def _check_cell(cell: Any, notebook: Path) -> None:
    where = f"« {notebook} », cellule « {cell.get('id', '?')} »"
    if cell.get("outputs") or cell.get("execution_count"):
        raise ExerciseError(f"{where} : effacez les sorties avant d'enregistrer la source.")
    opened = None
    for line in cell.source.splitlines():
        mark = _MARK.search(line)
        if not mark:
            continue
        kind = mark[2]
        if (mark[1] == "BEGIN") == (opened is not None) or opened not in (None, kind):
            raise ExerciseError(
                f"{where} : « {line.strip()} » n'a pas sa marque de début ou de fin."
            )
        opened = kind if mark[1] == "BEGIN" else None
        wanted = {"SOLUTION": "solution", "HIDDEN TESTS": "grade", "MARK SCHEME": "task"}[kind]
        if not _settings(cell).get(wanted):
            raise ExerciseError(
                f"{where} : « {line.strip()} » est dans une cellule que nbgrader ne connaît pas "
                f"comme « {wanted} ». Corrigez le type de la cellule dans nbgrader."
            )
    if opened:
        raise ExerciseError(f"{where} : il manque « ### END {opened} ».")


def _hidden_lines(text: str) -> Iterator[str]:
    """Give the lines between marks that are long enough to be told apart."""
    inside = False
    for line in text.splitlines():
        mark = _MARK.search(line)
        if mark:
            inside = mark[1] == "BEGIN"
        elif inside and len(line.strip()) >= _SHORT_LINE:
            yield line.strip()


def _data_files(notebook: Path) -> tuple[str, ...]:
    """Name the data files the notebook reads, and those its verifier reads for it."""
    text = notebook.read_text(encoding="utf-8").replace('\\"', '"')
    found = set(_DATA_FILE.findall(text)) | set(_TABLE.findall(text))
    if "verifier." in text and ("departement(" in text):
        found |= {"communes.csv", "departements.csv"}
    return tuple(sorted(found - {DATA_NOTE}))


def _find_data(catalogue: Iterable[Dataset], name: str, notebook: Path) -> dict[str, Dataset]:
    for dataset in catalogue:
        for resource in dataset.resources:
            if resource.path.name == name:
                _verify(resource.path, resource.verify)
                return {name: dataset}
    raise ExerciseError(
        f"« {notebook} » lit « {DATA_FOLDER}/{name} », qu'aucun jeu de données du cours ne fournit. "
        "Corrigez le nom, ou ajoutez le fichier à un « datapackage.json »."
    )


def _verify(path: Path, check: Callable[[], None]) -> None:
    try:
        check()
    except OSError as error:
        raise DatasetError(f"« {path} » ne se lit pas : {error.strerror}.") from None


def _data_note(used: dict[str, Dataset]) -> str:
    """Say, in the folder itself, where each file comes from and until when it may be quoted."""
    lines = []
    for name, dataset in sorted(used.items()):
        lines += [
            f"{name} : {dataset.title}",
            f"  Producteur : {dataset.producer}. Données de nature : {dataset.kind}.",
            f"  Millésime : {dataset.vintage}.",
            f"  À citer jusqu'au {date_longue(dataset.valid_until)}.",
            f"  Licence : {dataset.licence} ({dataset.licence_url}).",
            "",
        ]
    return "\n".join(lines)


def _settings(cell: Any) -> dict[str, Any]:
    return dict(cell.metadata.get("nbgrader", {}))


def _is_manual(cell: Any) -> bool:
    return bool(cell.cell_type == "markdown")


def _where(notebook: Any) -> str:
    failed = [
        cell.id
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        if output.output_type == "error"
    ]
    return f" (cellule « {failed[0]} »)" if failed else ""


def _refused(notebook: Path, result: dict[str, Any]) -> None:
    said = [line for line in result.get("log", "").splitlines() if "[ERROR]" in line]
    lines = "\n".join([result.get("log", ""), result.get("error", "")]).splitlines()
    errors = [
        line.strip()
        for line in lines
        if re.match(r"\s*[\w.]*(?:Error|Exception)\b.*:", line) and "NbGraderException" not in line
    ]
    causes = [cause for name, cause in _CAUSES.items() for line in errors if name in line]
    reason = (causes or errors or said or ["raison inconnue"])[0]
    raise ExerciseError(f"nbgrader refuse « {notebook} » : {reason}")


def _zip(folder: Path, archive: Path) -> None:
    """Pack a folder: sorted entries and one date, so the same content is the same bytes."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bundle:
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                entry = zipfile.ZipInfo(f"{folder.name}/{path.relative_to(folder).as_posix()}")
                entry.date_time = _ZIP_DATE
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                bundle.writestr(entry, path.read_bytes())


def _replace(new: Path, place: Path, scratch: Path) -> None:
    if place.exists():
        place.replace(scratch / f"ancien-{place.name}")
    new.replace(place)


def _silent(step: str) -> None:
    """Tell nobody."""
