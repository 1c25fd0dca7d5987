"""The command line, as a person meets it: French, without a traceback."""

import errno
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import nbformat
import pytest
import yaml
from click.testing import CliRunner, Result
from nbformat.v4 import new_code_cell, new_notebook

from culture_d import french_click
from culture_d.catalogue import load_catalogue
from culture_d.cli import cli
from culture_d.curriculum import Module, load_curriculum, modules
from culture_d.errors import CurriculumError, NotebookError, ProjectNotFound, WorkingCopyError
from culture_d.execution import OwnKernel, execute, own_kernel_settings
from culture_d.french import date_longue
from culture_d.notebooks import check
from culture_d.project import Project
from culture_d.serve import ADDRESS, make_server
from culture_d.sheets import check_sheets, sheet_path
from culture_d.skeleton import create_module
from culture_d.working_copy import RECORD, make_working_copy

VERBS = (
    "servir",
    "construire",
    "lab",
    "catalogue",
    "lois",
    "exercices",
    "executer",
    "verifier",
    "nouveau-module",
)


def _run(*arguments: str) -> Result:
    french_click.install()
    return CliRunner().invoke(cli, arguments)


def test_help_is_french() -> None:
    result = _run("--help")
    assert result.exit_code == 0
    for verb in VERBS:
        assert verb in result.output
        words = _run(verb, "--help").output
        assert words.startswith("Usage : ")
        assert "Afficher cette aide." in words
        assert not re.search(r"Show this|Usage:|Error:|\[default", words)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["foo"], "Commande inconnue : 'foo'."),
        (["servir", "--port", "abc"], "n'est pas un nombre entier"),
        (["lab"], "Il manque l'argument"),
        (["catalogue", "--date", "demain"], "n'est pas une date AAAA-MM-JJ"),
        (["catalogue", "--foo"], "Option inconnue : "),
        (["nouveau-module", "absent"], "n'est pas dans"),
        (["executer", "absent"], "Module inconnu : absent"),
        (["exercices", "absent"], "absent"),
    ],
)
def test_a_mistake_is_answered_in_french(arguments: list[str], message: str) -> None:
    result = _run(*arguments)
    assert result.exit_code != 0
    assert message in result.output
    assert "Traceback" not in result.output


def test_catalogue_lists_every_dataset(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "250")
    result = _run("catalogue", "--date", "2026-11-21")
    assert result.exit_code == 0
    for folder in project.datasets.iterdir():
        assert folder.name in result.output
    assert "valable" in result.output


def test_catalogue_check_fails_on_what_is_expired(project: Project) -> None:
    first = min(load_catalogue(project), key=lambda dataset: dataset.valid_until)
    last, next_day = first.valid_until, first.valid_until + timedelta(days=1)
    assert _run("catalogue", "--check", "--date", last.isoformat()).exit_code == 0
    result = _run("catalogue", "--check", "--date", next_day.isoformat())
    assert result.exit_code == 1
    assert f"« {first.name} » depuis le {date_longue(last)}" in result.output


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError(errno.ENOSPC, "No space left", "x.csv"), "« x.csv » n'a pas .*plus de place"),
        (PermissionError(errno.EACCES, "Permission denied", "x"), "« x » .*accès est refusé"),
        (OSError(errno.EIO, "Input/output error"), "Un fichier n'a pas .*Input/output error"),
        (KeyboardInterrupt(), "Arrêté"),
    ],
)
def test_what_the_system_refuses_is_said(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, message: str
) -> None:
    def refuse(project: Project | None = None) -> None:
        raise error

    monkeypatch.setattr("culture_d.catalogue.load_catalogue", refuse)
    result = _run("catalogue")
    assert result.exit_code in (1, 130)
    assert isinstance(result.exception, SystemExit)
    assert re.search(message, result.output)


def test_a_poor_terminal_stops_nothing() -> None:
    command = [sys.executable, "-m", "culture_d.cli", "--help"]
    environment = {**os.environ, "PYTHONIOENCODING": "iso8859-5", "PYTHONUTF8": "0"}
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert "Ex?cuter" in result.stdout


@pytest.fixture
def copy(course: Project, tmp_path: Path) -> Path:
    """A learner's working copy of `course`."""
    folder = tmp_path / "copie"
    make_working_copy(course, folder)
    return folder


@pytest.mark.parametrize(
    "arguments",
    [
        ["construire"],
        ["servir", "--port", "0"],
        ["exercices"],
        ["executer"],
        ["nouveau-module", "x"],
    ],
)
def test_a_working_copy_is_not_the_course(
    copy: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(copy / "notebooks")
    result = _run(*arguments)
    assert result.exit_code == 1
    assert f"« {copy} » est une copie de travail" in result.output
    assert "placez-vous dans le dossier du cours" in result.output


def test_a_working_copy_can_be_refreshed_from_inside(
    copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(copy)
    result = _run("lab", ".", "--sans-ouvrir")
    assert result.exit_code == 0, result.output
    assert Project.find().root == copy  # what its notebooks read


def test_outside_a_course_the_checkout_is_used(project: Project, tmp_path: Path) -> None:
    assert Project.find(tmp_path).root == project.root


def test_no_course_at_all_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("culture_d.project.__file__", str(tmp_path / "a/b/c/project.py"))
    with pytest.raises(ProjectNotFound, match="Placez-vous dans le dossier du cours"):
        Project.find(tmp_path)


def test_a_taken_port_is_said_with_the_remedy(site: Path) -> None:
    with make_server(site, port=0) as server:
        result = _run("servir", "--port", str(server.server_port))
    assert result.exit_code == 1
    assert f"Le port {server.server_port} est déjà pris" in result.output
    assert f"PORT={server.server_port + 1}" in result.output


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_an_impossible_port_is_said(site: Path, port: str) -> None:
    result = _run("servir", "--port", port)
    assert result.exit_code == 1
    assert "entre 1024 et 65535" in result.output


def test_serve_answers_on_this_machine_only(site: Path, project: Project) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "culture_d.cli", "servir", "--port", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=project.root
    ) as process:
        try:
            body = ""
            for _ in range(100):
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
                        body = answer.read().decode()
                    break
                except OSError:
                    time.sleep(0.1)
            assert "book/accueil.html" in body
            listening = subprocess.run(
                [
                    sys.executable,
                    "-c",
                    f"import socket; socket.create_connection(('127.0.0.2', {port}))",
                ],
                capture_output=True,
            )
            assert listening.returncode != 0
        finally:
            process.terminate()


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[http.client.HTTPConnection]:
    """A connection to a server of a small site."""
    folder = tmp_path / "html"
    (folder / "dossier").mkdir(parents=True)
    (folder / "dossier" / "page.html").write_text("une page")
    with make_server(folder, port=0) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield http.client.HTTPConnection(ADDRESS, server.server_port)
        server.shutdown()


@pytest.mark.parametrize(
    ("method", "path", "code", "words"),
    [
        ("GET", "/dossier/", 404, "Page introuvable"),
        ("GET", "/absent.html", 404, "Revenir à l'accueil"),
        ("POST", "/", 501, "ne sait que montrer"),
    ],
)
def test_the_server_refuses_in_french(
    pages: http.client.HTTPConnection, method: str, path: str, code: int, words: str
) -> None:
    pages.request(method, path)
    answer = pages.getresponse()
    page = answer.read().decode()
    assert answer.status == code
    assert words in page
    assert '<html lang="fr">' in page
    assert not re.search("Error|Directory|listing|found|page.html", page)


def test_a_browser_that_leaves_is_not_an_event(
    site: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with make_server(site, port=0) as server, socket.socket() as request:
        for error in (BrokenPipeError(), ConnectionResetError()):
            try:
                raise error
            except OSError:
                server.handle_error(request, (ADDRESS, 1))
        assert capfd.readouterr() == ("", "")
        try:
            raise ValueError("défaut à nous")
        except ValueError:
            server.handle_error(request, (ADDRESS, 1))
        assert "défaut à nous" in capfd.readouterr().err


def test_a_port_is_not_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows, reusing an address is sharing it."""
    import importlib.util

    from culture_d import serve

    assert not serve._Server.allow_reuse_port
    with monkeypatch.context() as context:
        context.setattr(os, "name", "nt")
        spec = importlib.util.spec_from_file_location("serve_on_windows", serve.__file__)
        assert spec and spec.loader
        windows = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(windows)
    assert not windows._Server.allow_reuse_address


def test_working_copy_never_writes_over_a_changed_file(course: Project, tmp_path: Path) -> None:
    copy = tmp_path / "copie"
    first = make_working_copy(course, copy)
    notebook = copy / "notebooks" / "comprendre" / "moyenne-mediane.ipynb"
    assert notebook in first.added
    assert (copy / "datasets" / "communes" / "communes.csv").is_file()
    assert not list(copy.rglob("build.py"))
    assert not (copy / "exercises").exists()

    again = make_working_copy(course, copy)
    assert (again.added, again.updated, again.kept) == ([], [], [])

    # Changed by the learner: kept, and kept again.
    notebook.write_text("mon travail")
    assert make_working_copy(course, copy).kept == [notebook]
    assert notebook.read_text() == "mon travail"

    # Changed by the course too: its version is laid beside.
    source = course.root / "notebooks" / "comprendre" / "moyenne-mediane.ipynb"
    source.write_bytes(source.read_bytes() + b"\n")
    report = make_working_copy(course, copy)
    beside = notebook.with_name("moyenne-mediane.nouvelle-version.ipynb")
    assert (report.kept, report.offered) == ([notebook], [beside])
    assert notebook.read_text() == "mon travail"
    assert beside.read_bytes() == source.read_bytes()
    assert make_working_copy(course, copy).offered == []

    # Untouched by the learner, changed by the course: brought up to date.
    data = course.datasets / "epci" / "epci.csv"
    data.write_bytes(data.read_bytes() + b"x")
    updated = make_working_copy(course, copy).updated
    assert updated == [copy / "datasets" / "epci" / "epci.csv"]


def test_working_copy_without_its_record_protects_every_file(
    course: Project, tmp_path: Path
) -> None:
    copy = tmp_path / "copie"
    make_working_copy(course, copy)
    notebook = copy / "notebooks" / "comprendre" / "moyenne-mediane.ipynb"
    notebook.write_text("mon travail")
    (copy / RECORD).write_text("{corrompu")
    make_working_copy(course, copy)
    assert notebook.read_text() == "mon travail"


def test_working_copy_refuses_a_bad_place(project: Project, tmp_path: Path) -> None:
    file = tmp_path / "fichier"
    file.write_text("")
    ours = "le cours lui-même"
    places = [
        (project.root, ours),
        (project.notebooks / "x", ours),
        (project.root / "mon-dossier", ours),
        (file, "est un fichier"),
        ("~compte-absent/x", "ce compte n'existe pas"),
    ]
    for place, message in places:
        result = _run("lab", str(place), "--sans-ouvrir")
        assert result.exit_code == 1
        assert message in result.output


def test_an_offered_version_belongs_to_its_reader(course: Project, copy: Path) -> None:
    """Each new version goes beside, never over one that was written in."""
    name = Path("notebooks") / "comprendre" / "moyenne-mediane.ipynb"
    source, notebook = course.root / name, copy / name

    def publish(version: str) -> list[str]:
        source.write_text(version)
        return [path.name for path in make_working_copy(course, copy).offered]

    notebook.write_text("mon travail")
    first = notebook.with_name("moyenne-mediane.nouvelle-version.ipynb")
    assert publish("v2") == [first.name]
    assert publish("v3") == [first.name]  # untouched: replaced
    assert first.read_text() == "v3"

    first.write_text("mon autre travail")
    assert publish("v3") == []
    second = notebook.with_name("moyenne-mediane.nouvelle-version-2.ipynb")
    assert publish("v4") == [second.name]
    second.write_text("encore")
    assert publish("v5") == ["moyenne-mediane.nouvelle-version-3.ipynb"]
    assert publish("v5") == []
    texts = [path.read_text() for path in (notebook, first, second)]
    assert texts == ["mon travail", "mon autre travail", "encore"]


def test_a_copy_cut_short_knows_what_it_holds(
    course: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "copie"

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_working_copy(course, folder, stop)
    assert len(json.loads((folder / RECORD).read_text())) == 2


def test_a_file_that_cannot_be_written_leaves_nothing(
    course: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(WorkingCopyError, match="plus de place"):
        make_working_copy(course, tmp_path / "copie")
    assert not list((tmp_path / "copie").rglob("*.partiel"))


def test_a_folder_in_a_file_s_place_is_said(course: Project, copy: Path) -> None:
    data = copy / "datasets" / "epci" / "epci.csv"
    data.unlink()
    data.mkdir()
    with pytest.raises(WorkingCopyError, match=r"epci\.csv » est un dossier"):
        make_working_copy(course, copy)


def test_lab_starts_jupyterlab_and_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[list[str], dict[str, str]]] = []

    def call(command: list[str], env: dict[str, str], cwd: Path | None) -> int:
        calls.append((command, env))
        os.kill(os.getpid(), signal.SIGINT)  # Ctrl+C is JupyterLab's affair
        return 3

    monkeypatch.setattr(subprocess, "call", call)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    before = signal.getsignal(signal.SIGINT)
    result = _run("lab", "~/copie")
    assert result.exit_code == 3, result.output
    assert signal.getsignal(signal.SIGINT) is before
    ((command, environment),) = calls
    assert command[0] == sys.executable
    assert f"--ServerApp.root_dir={tmp_path / 'copie'}" in command
    assert environment["JUPYTER_PREFER_ENV_PATH"] == "1"
    assert environment["JUPYTERLAB_SETTINGS_DIR"].startswith(str(tmp_path / "copie"))


def test_lab_says_in_french_when_data_have_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("culture_d.catalogue.Dataset.expired", lambda dataset, day: True)
    result = _run("lab", str(tmp_path / "copie"), "--sans-ouvrir")
    dates = {date_longue(dataset.valid_until) for dataset in load_catalogue()}
    assert all(f"ont expiré le {day}." in result.output for day in dates)


def test_lab_prepares_a_copy_that_runs(tmp_path: Path) -> None:
    copy = tmp_path / "copie"
    result = _run("lab", str(copy), "--sans-ouvrir")
    assert result.exit_code == 0, result.output
    assert "Fichiers ajoutés" in result.output
    execute(copy / "notebooks" / "comprendre" / "moyenne-mediane.ipynb")
    setting = copy / ".culture-d/reglages/@jupyterlab/translation-extension"
    assert "fr_FR" in (setting / "plugin.jupyterlab-settings").read_text()


def _notebook(tmp_path: Path, source: str) -> Path:
    path = tmp_path / "carnet.ipynb"
    nbformat.write(new_notebook(cells=[new_code_cell(source)]), path)
    return path


def test_the_kernel_is_this_python_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another kernel named python3, found first, is not used."""
    spec = tmp_path / "share" / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(json.dumps({"argv": ["false"], "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "share"))
    path = _notebook(tmp_path, "import sys\nprint(sys.executable)")
    execute(path)
    content = path.read_bytes()
    assert b"\r" not in content
    (output,) = nbformat.reads(content.decode(), 4).cells[0].outputs
    assert output.text.strip() == sys.executable


@pytest.mark.skipif(os.name == "nt", reason="no such sockets there")
def test_kernels_do_not_race_for_ports() -> None:
    with own_kernel_settings() as settings, own_kernel_settings() as others:
        manager = OwnKernel(config=settings)
        assert manager.transport == "ipc"
        assert Path(manager.ip).is_absolute()
        assert manager.ip != OwnKernel(config=others).ip
        folder = Path(manager.ip).parent
        assert folder.stat().st_mode & 0o077 == 0
    assert not folder.exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import os\nos._exit(1)", "Python s'est arrêté pendant l'exécution"),
        ("import time\ntime.sleep(60)", "une cellule qui dure plus de 1 secondes"),
        ("raise ValueError('Non.')", r"erreur : ValueError, Non\. Corrigez"),
        ("raise SystemExit", r"erreur : SystemExit\. Corrigez"),
    ],
)
def test_a_notebook_that_stops_is_said(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    source: str,
    message: str,
) -> None:
    if "sleep" in source:
        monkeypatch.setattr("culture_d.execution.CELL_TIMEOUT_SECONDS", 1)
    path = _notebook(tmp_path, source)
    before = path.read_bytes()
    with pytest.raises(NotebookError, match=message):
        execute(path)
    assert path.read_bytes() == before
    assert capfd.readouterr() == ("", "")


def test_a_notebook_is_checked_before_it_is_replaced(tmp_path: Path) -> None:
    path = _notebook(tmp_path, "1 + 1")
    before = path.read_bytes()
    with pytest.raises(NotebookError, match=rf"« {re.escape(str(path))} » doit avoir les huit"):
        execute(path, check)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def _planned(course: Project) -> list[Module]:
    return [module for module in modules(load_curriculum(course)) if not module.published]


def test_new_module_makes_a_skeleton_that_holds(course: Project) -> None:
    """The first and the last of those planned: in a part begun, and in one that is not."""
    start = course.curriculum.read_text(encoding="utf-8").splitlines()[0]
    planned = _planned(course)
    for module in {planned[0].slug: planned[0], planned[-1].slug: planned[-1]}.values():
        check(create_module(course, module.slug))
        parts = load_curriculum(course)
        contents = yaml.safe_load(course.toc.read_text(encoding="utf-8"))["parts"]
        listed = [chapter["file"] for part in contents for chapter in part["chapters"]]
        published = [one.document for one in modules(parts) if one.published]
        assert module.document in published
        assert [name for name in listed if name.startswith("notebooks/")] == published
        captions = [part["caption"] for part in contents]
        expected = [
            part.title for part in parts if any(module.published for module in part.modules)
        ]
        assert captions[1:-1] == [*expected, "Animer"]
        sheets = [name for name in listed if name.startswith("book/formateurs/")]
        assert [name for name in sheets if name.count("/") == 2] == [
            "book/formateurs/index",
            *(f"book/formateurs/{one.slug}" for one in modules(parts) if one.published),
        ]
        # The sessions and papers stay between the first page and the sheets.
        assert [name.count("/") for name in sheets[1:]] == sorted(
            (name.count("/") for name in sheets[1:]), reverse=True
        )
        check_sheets(course)
    assert course.curriculum.read_text(encoding="utf-8").startswith(start)


def test_new_module_that_exists_changes_nothing(course: Project) -> None:
    before = course.curriculum.read_bytes(), course.toc.read_bytes()
    for slug in ("moyenne-mediane", "absent"):
        with pytest.raises(CurriculumError, match=slug):
            create_module(course, slug)
    assert (course.curriculum.read_bytes(), course.toc.read_bytes()) == before


def test_new_module_that_fails_leaves_nothing(
    course: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(path: Path, accept: Any = None) -> None:
        raise NotebookError("arrêt")

    monkeypatch.setattr("culture_d.skeleton.execute", stop)
    before = course.curriculum.read_bytes(), course.toc.read_bytes()
    parts = {path.name for path in course.notebooks.iterdir()}
    for module in _planned(course):
        with pytest.raises(NotebookError):
            create_module(course, module.slug)
        assert not (course.root / f"{module.document}.ipynb").exists()
        assert not sheet_path(course, module.slug).exists()
    assert {path.name for path in course.notebooks.iterdir()} == parts
    assert (course.curriculum.read_bytes(), course.toc.read_bytes()) == before


def test_new_module_in_a_course_that_disagrees_changes_nothing(course: Project) -> None:
    course.toc.unlink()
    before = course.curriculum.read_bytes()
    with pytest.raises(CurriculumError, match=r"_toc\.yml » est introuvable"):
        create_module(course, _planned(course)[0].slug)
    assert course.curriculum.read_bytes() == before
