"""The command line, as a person meets it: French, without a traceback."""

import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from culture_d import french_click
from culture_d.cli import cli
from culture_d.curriculum import load_curriculum, modules
from culture_d.errors import CurriculumError, ProjectNotFound
from culture_d.notebooks import check
from culture_d.project import Project
from culture_d.serve import make_server
from culture_d.skeleton import create_module

VERBS = ("servir", "construire", "lab", "catalogue", "exercices", "executer", "nouveau-module")


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


def test_catalogue_lists_every_dataset(project: Project) -> None:
    result = _run("catalogue", "--date", "2026-11-21")
    assert result.exit_code == 0
    for folder in project.datasets.iterdir():
        assert folder.name in result.output
    assert "valable" in result.output


def test_catalogue_check_fails_on_what_is_expired() -> None:
    assert _run("catalogue", "--check", "--date", "2026-12-31").exit_code == 0
    result = _run("catalogue", "--check", "--date", "2027-01-01")
    assert result.exit_code == 1
    assert "« communes » depuis le 31 décembre 2026" in result.output


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


def test_working_copy_never_writes_over_a_changed_file(course: Project, tmp_path: Path) -> None:
    from culture_d.working_copy import make_working_copy

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
    from culture_d.working_copy import RECORD, make_working_copy

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
    for place, message in ((project.root, "le cours lui-même"), (file, "est un fichier")):
        result = _run("lab", str(place), "--sans-ouvrir")
        assert result.exit_code == 1
        assert message in result.output


def test_lab_prepares_a_copy_that_runs(tmp_path: Path) -> None:
    copy = tmp_path / "copie"
    result = _run("lab", str(copy), "--sans-ouvrir")
    assert result.exit_code == 0, result.output
    assert "ajouté(s)" in result.output
    from culture_d.execution import execute

    execute(copy / "notebooks" / "comprendre" / "moyenne-mediane.ipynb")
    setting = copy / ".culture-d/reglages/@jupyterlab/translation-extension"
    assert "fr_FR" in (setting / "plugin.jupyterlab-settings").read_text()


def test_new_module_makes_a_skeleton_that_holds(course: Project) -> None:
    path = create_module(course, "formats")
    check(path)
    published = [module.slug for module in modules(load_curriculum(course)) if module.published]
    assert published == ["moyenne-mediane", "formats"]
    toc = course.toc.read_text(encoding="utf-8")
    assert toc.index("comprendre/moyenne-mediane") < toc.index("comprendre/formats")
    create_module(course, "donnee-et-contexte")
    toc = course.toc.read_text(encoding="utf-8")
    assert toc.index("comprendre/donnee-et-contexte") < toc.index("comprendre/moyenne-mediane")
    create_module(course, "ouverture-sur-demande")
    toc = course.toc.read_text(encoding="utf-8")
    assert toc.index("caption: Agir") < toc.index("agir/ouverture-sur-demande")
    assert toc.index("caption: Agir") < toc.index("caption: Repères")
    map_text = course.curriculum.read_text(encoding="utf-8")
    assert map_text.startswith("# The one map of the course.")


def test_new_module_that_exists_changes_nothing(course: Project) -> None:
    before = course.curriculum.read_bytes(), course.toc.read_bytes()
    for slug in ("moyenne-mediane", "absent"):
        with pytest.raises(CurriculumError, match=slug):
            create_module(course, slug)
    assert (course.curriculum.read_bytes(), course.toc.read_bytes()) == before


def test_new_module_that_fails_leaves_nothing(
    course: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = course.curriculum.read_bytes(), course.toc.read_bytes()
    shutil.rmtree(course.exercises / "source" / "moyenne-mediane")
    with pytest.raises(CurriculumError):
        create_module(course, "formats")
    assert (course.curriculum.read_bytes(), course.toc.read_bytes()) == before
    assert not (course.notebooks / "comprendre" / "formats.ipynb").exists()
