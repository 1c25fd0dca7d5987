"""Build the site with Jupyter Book, audit it, and put it in place in one move."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from datetime import date
from pathlib import Path
from stat import S_ISREG

from filelock import FileLock

from culture_d.errors import BookError
from culture_d.project import Project

Progress = Callable[[str, int], None]

INPUTS = (
    "_config.yml",
    "_toc.yml",
    "book",
    "notebooks",
    "datasets",
    "exercises/source",
    "requirements.lock",
)
PACKAGE = Path(__file__).resolve().parent
STAMP = "site.json"
# Its command, run by this very Python: a PATH may hold another one, or none.
JUPYTER_BOOK = "import sys; from jupyter_book.cli.main import main; sys.exit(main())"
_PERCENT = re.compile(r"(reading sources|writing output)\.\.\. .*?\[ *(\d+)%\]")
# Its reports are read here: in UTF-8 whatever the machine's own setting.
_SPEECH = {"PYTHONUTF8": "1", "PYTHONIOENCODING": "utf-8", "LC_ALL": "C.UTF-8"}
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_STAGES = {"reading sources": "Lecture des pages", "writing output": "Écriture des pages"}


def build(project: Project, progress: Progress | None = None) -> Path:
    """Build the whole site, with warnings as errors, then audit its pages.

    The site in place is replaced only by one that passed everything. Each build works in
    a folder of its own, removed whatever happens.

    Args:
        project: the course.
        progress: called with a stage's French name and a percentage (0 to 100).

    Returns:
        The folder of the pages, to be copied on any web server.

    Raises:
        CultureDError: what was found wrong before the build, in it, or in its pages.
    """
    from culture_d.book.audit import audit

    report = progress or (lambda stage, percent: None)
    fingerprint = inputs_fingerprint(project)
    report("Vérification des données et des carnets", 0)
    project.build.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="livre-", dir=project.build))
    try:
        _run_jupyter_book(project, work, report)
        pages = work / "_build" / "html"
        report("Contrôle des pages", 0)
        audit(pages)
        report("Contrôle des pages", 100)
        with FileLock(project.build / "site.lock"):
            _put_in_place(pages, project.site)
            (project.build / STAMP).write_text(
                json.dumps({"inputs": fingerprint, "built": date.today().isoformat()}),
                encoding="utf-8",
                newline="\n",
            )
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return project.site


def is_fresh(project: Project) -> bool:
    """Whether the site in place was built from the files as they are now."""
    try:
        stamp = json.loads((project.build / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    built: bool = stamp.get("inputs") == inputs_fingerprint(project)
    return built and (project.site / "index.html").is_file()


def inputs_fingerprint(project: Project) -> str:
    """Digest of the name, size and time of every file that the site is made of."""
    digest = hashlib.sha256()
    for name, path in _input_files(project):
        try:
            state = path.stat()
        except FileNotFoundError:
            continue
        if S_ISREG(state.st_mode):
            digest.update(f"{name}:{state.st_size}:{state.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _input_files(project: Project) -> Iterable[tuple[str, Path]]:
    """Yield each file and its name: from the course, or from this package's folder."""
    places = [(project.root, project.root / name) for name in INPUTS]
    for base, place in [*places, (PACKAGE.parent, PACKAGE)]:
        for path in [place] if place.is_file() else sorted(place.rglob("*")):
            if not {"__pycache__", ".ipynb_checkpoints"} & set(path.parts):
                yield path.relative_to(base).as_posix(), path


def _run_jupyter_book(project: Project, work: Path, report: Progress) -> None:
    command = [
        *(sys.executable, "-c", JUPYTER_BOOK, "build", str(project.root)),
        *("--path-output", str(work), "-W", "-n", "--keep-going"),
    ]
    lines = []
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, **_SPEECH},
    ) as process:
        try:
            for raw in process.stdout or ():
                line = _COLOUR.sub("", raw.rstrip())
                lines.append(line)
                match = _PERCENT.search(line)
                if match:
                    report(_STAGES[match[1]], int(match[2]))
        except BaseException:
            process.kill()
            raise
    if process.returncode:
        # The extension checks the data, the map and the notebooks first, and Sphinx
        # wraps what it says in a traceback: ask again, for the sentence alone.
        from culture_d.book.checks import before_build

        before_build(project)
        raise BookError(f"Le site n'a pas pu être construit.\n{_reasons(lines)}")


def _reasons(lines: list[str]) -> str:
    """Keep of Sphinx's report the lines that say what is wrong."""
    kept = [line for line in lines if re.search(r"WARNING|ERROR|Error|erreur", line)]
    return "\n".join(f"  {line}" for line in (kept or lines[-15:])[:20])


def _put_in_place(pages: Path, site: Path) -> None:
    old = site.with_name("html.ancien")
    shutil.rmtree(old, ignore_errors=True)
    if site.exists():
        site.rename(old)
    try:
        pages.rename(site)
    except OSError:
        if old.exists():
            old.rename(site)
        raise
    shutil.rmtree(old, ignore_errors=True)
