"""The repository itself: versions that agree, nothing that ties it to one machine."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from culture_d.conda import environment_yml, pinned
from culture_d.errors import LockError
from culture_d.project import Project

MAX_FILE_BYTES = 3 * 1024 * 1024
MAX_PNG_BYTES = 150 * 1024
REGISTRIES = ("registry.npmjs.org", "pypi.org/simple", "files.pythonhosted.org", "deb.debian.org")
THIRD_PARTIES = ("cdn.jsdelivr", "unpkg.com", "cdnjs.cloudflare", "fonts.googleapis")


def _tracked(project: Project) -> list[Path]:
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    result = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=True)
    paths = [project.root / name for name in result.stdout.split("\0") if name]
    return [path for path in paths if path.is_file()]


def _lock(project: Project) -> str:
    return (project.root / "requirements.lock").read_text(encoding="utf-8")


def test_conda_gives_the_versions_of_the_lock(project: Project) -> None:
    text = (project.root / "environment.yml").read_text(encoding="utf-8")
    assert text == environment_yml(_lock(project)), "lancez « make lock »"
    requirements = yaml.safe_load(text)["dependencies"][-1]["pip"]
    locked = {line.split("==")[0]: line for line in pinned(_lock(project))}
    assert len(locked) > 150
    for name in ("jupyter-book", "nbgrader", "nbval", "pandas", "matplotlib", "ipywidgets"):
        assert locked[name] in requirements


LOCK = """\
# Comment of the lock.
six==1.16.0 \\
    --hash=sha256:{digest} \\
    --hash=sha256:{digest}
    # via python-dateutil
uvicorn[standard]==0.30.1 ; python_version < "3.13" and sys_platform != "win32" \\
    --hash=sha256:{digest}
    # via
    #   jupyter
zope-interface==7.0
""".format(digest="0" * 64)


def test_no_line_of_the_lock_is_dropped(project: Project) -> None:
    assert pinned(LOCK) == [
        "six==1.16.0",
        'uvicorn[standard]==0.30.1 ; python_version < "3.13" and sys_platform != "win32"',
        "zope-interface==7.0",
    ]
    assert len(pinned(_lock(project))) == len(re.findall(r"(?m)^[^\s#]", _lock(project)))


@pytest.mark.parametrize(
    "line", ["six @ file:///tmp/six", "six>=1.16", "-e .", "six[a @ b", "--index-url x"]
)
def test_a_lock_line_without_a_version_is_refused(line: str) -> None:
    with pytest.raises(LockError, match=re.escape(line)):
        pinned(LOCK + line + "\n")


def test_a_changed_version_is_seen(project: Project) -> None:
    lock = _lock(project)
    other = re.sub(r"^pandas==[\d.]+", "pandas==1.0.0", lock, flags=re.MULTILINE)
    assert other != lock
    assert environment_yml(other) != environment_yml(lock)


def test_the_lock_has_hashes_and_no_address(project: Project) -> None:
    lock = _lock(project)
    names = re.findall(r"^[A-Za-z0-9]", lock, flags=re.MULTILINE)
    assert lock.count("==") >= len(names)
    assert lock.count("--hash=sha256:") >= len(names)
    assert "http://" not in lock
    assert "https://" not in lock


def test_the_lock_holds_what_pyproject_asks(project: Project) -> None:
    import tomllib

    wanted = tomllib.loads((project.root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = wanted["optional-dependencies"]
    asked = [*wanted["dependencies"], *extras["tests"], *extras["scale"], *extras["workshop"]]
    names = {
        re.split(r"[\s<>=~!\[;]", one)[0].lower().replace("_", "-").replace(".", "-")
        for one in asked
        if not one.startswith("culture-d[")
    }
    assert "culture-d[scale,workshop]" in extras["tests"]
    locked = {line.split("==")[0].lower() for line in pinned(_lock(project))}
    assert names <= locked


def _is_sample(project: Project, path: Path) -> bool:
    """Whether a file is one of those that the lesson on formats shows: real bytes, not text."""
    return path.parent == project.datasets / "formats" and path.suffix not in {".py", ".json"}


def test_no_path_of_a_machine_nor_registry_host(project: Project) -> None:
    here = Path(__file__).resolve()
    for path in _tracked(project):
        if path == here or path.suffix in {".png", ".csv"} or _is_sample(project, path):
            continue
        # The account of Zero to JupyterHub's own images, not of a machine.
        text = path.read_text(encoding="utf-8").replace("/home/jovyan", "")
        for word in (*REGISTRIES, "/root/", "/home/", "/work/", "../shared"):
            assert word not in text, f"{path} : {word}"
        if path.suffix in {".ipynb", ".md", ".js", ".css", ".html", ".yml"}:
            for word in THIRD_PARTIES:
                assert word not in text, f"{path} : {word}"


def test_no_heavy_file(project: Project) -> None:
    for path in _tracked(project):
        limit = MAX_PNG_BYTES if path.suffix == ".png" else MAX_FILE_BYTES
        assert path.stat().st_size <= limit, path


@pytest.mark.parametrize(
    ("name", "attributes"),
    [
        ("datasets/communes/communes.csv", {"text": "unset"}),
        ("notebooks/comprendre/moyenne-mediane.ipynb", {"text": "set", "eol": "lf"}),
        ("book/captures/ordinateur.png", {"text": "unset", "diff": "unset"}),
        ("src/culture_d/cli.py", {"text": "auto", "eol": "lf"}),
        (".ci/run", {"text": "auto", "eol": "lf"}),
    ],
)
def test_git_leaves_the_bytes_alone(
    project: Project, name: str, attributes: dict[str, str]
) -> None:
    command = ["git", "check-attr", *attributes, "--", name]
    result = subprocess.run(command, cwd=project.root, capture_output=True, text=True, check=True)
    found = [line.split(": ")[1:] for line in result.stdout.splitlines()]
    assert found == [list(pair) for pair in attributes.items()]


def test_ci_says_that_it_is_ci(project: Project) -> None:
    """With CI set, the rebuild of the data may not be skipped."""
    lines = (project.root / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert lines.index("export CI=true") < lines.index("make test")


def test_readme_names_the_two_commands(project: Project) -> None:
    readme = (project.root / "README.md").read_text(encoding="utf-8")
    assert "make serve" in readme
    assert "make test" in readme
    assert "make test" in (project.root / ".ci" / "run").read_text(encoding="utf-8")
    for picture in re.findall(r"\]\(([^)]+\.png)\)", readme):
        assert (project.root / picture).is_file()


def test_make_speaks_french_and_documents_every_target(project: Project) -> None:
    result = subprocess.run(["make"], cwd=project.root, capture_output=True, text=True, check=True)
    for target in ("serve", "test", "lab", "bench", "clean", "help"):
        assert f"make {target}" in result.stdout
    makefile = (project.root / "Makefile").read_text(encoding="utf-8")
    targets = re.findall(r"^([a-z]+):(.*)$", makefile, flags=re.MULTILINE)
    assert all("## " in rest for _, rest in targets)


def test_python_that_cannot_be_found_is_said(project: Project) -> None:
    command = ["make", "serve", "PYTHON=python-absent"]
    result = subprocess.run(command, cwd=project.root, capture_output=True, text=True)
    assert result.returncode != 0
    assert "Python est introuvable" in result.stderr


@pytest.fixture
def preparer(project: Project) -> ModuleType:
    path = project.root / "deploy" / "prepare_environment.py"
    spec = importlib.util.spec_from_file_location("prepare_environment", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_old_python_is_said(preparer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    with pytest.raises(SystemExit, match=r"Python 3\.11 ou plus récent.*celui-ci est le 3\.9\.2"):
        preparer.check_python()


def test_a_missing_venv_is_said(preparer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    with pytest.raises(SystemExit, match="python3-venv"):
        preparer.check_python()


@pytest.mark.parametrize(
    ("report", "words"),
    [
        (
            "Collecting pandas==3.1.1\nWARNING: NewConnectionError: [Errno -3] Temporary failure in "
            "name resolution\nERROR: No matching distribution found for pandas==3.1.1",
            "Le paquet « pandas » n'a pas pu être installé : le registre des paquets ne répond pas",
        ),
        (
            "Collecting babel\nERROR: THESE PACKAGES DO NOT MATCH THE HASHES",
            "« babel ».*pas celui attendu",
        ),
        ("Collecting x\nOSError: [Errno 28] No space left on device", "plus de place"),
        (
            "ERROR: No matching distribution found for uv==9",
            "« uv ».*n'existe pas pour cette version",
        ),
        ("Collecting x\nsurprise", "« x ».*installation.log"),
        ("surprise", r"^L'installation n'a pas abouti : voyez le détail .*installation.log\.$"),
    ],
)
def test_a_failed_install_names_the_package(preparer: ModuleType, report: str, words: str) -> None:
    assert re.search(words, preparer.explain(report))


def test_the_preparer_reads_on_any_python_3(project: Project) -> None:
    """An old Python must be able to read the file that tells it that it is too old."""
    import ast

    source = (project.root / "deploy" / "prepare_environment.py").read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 6))


@pytest.fixture
def place(
    preparer: ModuleType, project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A course whose environment works: its Python is this one. Nothing is really installed."""
    for name in ("pyproject.toml", "requirements.lock"):
        (tmp_path / name).write_bytes((project.root / name).read_bytes())
    venv = tmp_path / ".venv"
    _python(venv, f'exec "{sys.executable}" "$@"')
    for name, path in {
        "ROOT": tmp_path,
        "VENV": venv,
        "LOCK": tmp_path / "requirements.lock",
        "STAMP": venv / "pret.txt",
        "LOG": venv / "installation.log",
    }.items():
        monkeypatch.setattr(preparer, name, str(path))
    return tmp_path


def _python(venv: Path, script: str) -> None:
    (venv / "bin").mkdir(parents=True, exist_ok=True)
    (venv / "bin" / "python").write_text(f"#!/bin/sh\n{script}\n")
    (venv / "bin" / "python").chmod(0o755)


def _unwanted(*arguments: object) -> None:
    raise AssertionError("not wanted here")


def test_a_working_environment_is_updated_in_place(
    preparer: ModuleType, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the Python that runs this, and even when the update fails."""
    monkeypatch.setattr(sys, "version_info", (3, 9, 2, "final", 0))
    monkeypatch.setattr(preparer, "make_venv", _unwanted)
    (place / ".venv" / "pret.txt").write_text("un autre état")

    def fails() -> None:
        raise SystemExit("Erreur : pas de réseau")

    monkeypatch.setattr(preparer, "install", fails)
    with pytest.raises(SystemExit, match="pas de réseau"):
        preparer.main()
    assert preparer.starts()
    assert not (place / ".venv" / "pret.txt").exists()

    monkeypatch.setattr(preparer, "install", lambda: None)
    preparer.main()
    monkeypatch.setattr(preparer, "install", _unwanted)
    preparer.main()


@pytest.mark.parametrize("script", ["exit 1", None])
def test_an_environment_that_does_not_start_is_made_again(
    preparer: ModuleType, place: Path, monkeypatch: pytest.MonkeyPatch, script: str | None
) -> None:
    (place / ".venv" / "pret.txt").write_text(preparer.description(), encoding="utf-8")
    if script:
        _python(place / ".venv", script)
    else:
        (place / ".venv" / "bin" / "python").unlink()
    done: list[str] = []
    monkeypatch.setattr(preparer, "make_venv", lambda: done.append("venv"))
    monkeypatch.setattr(preparer, "install", lambda: done.append("install"))
    preparer.main()
    assert done == ["venv", "install"]


def test_only_what_is_installed_counts(preparer: ModuleType, place: Path) -> None:
    settings = place / "pyproject.toml"
    text, before = settings.read_text(encoding="utf-8"), preparer.description()
    settings.write_text(f"# Une remarque.\n{text}\n[tool.autre]\nlongueur = 3\n", encoding="utf-8")
    assert preparer.description() == before
    settings.write_text(text.replace("dependencies = [", 'dependencies = [\n    "six",', 1))
    assert preparer.description() != before
    settings.write_text(text, encoding="utf-8")
    (place / "requirements.lock").write_text("six==1.16.0\n")
    assert preparer.description() != before


@pytest.mark.long
def test_no_network_gives_one_sentence(project: Project, tmp_path: Path) -> None:
    """The whole step, on a copy, with an index that does not answer."""
    (tmp_path / "deploy").mkdir()
    for name in ("deploy/prepare_environment.py", "pyproject.toml"):
        (tmp_path / name).write_bytes((project.root / name).read_bytes())
    (tmp_path / "requirements.lock").write_text("six==1.16.0 --hash=sha256:" + "0" * 64 + "\n")
    dead = "http://127.0.0.1:9/simple"
    variables = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_CONFIG_FILE")
    environment = dict(zip(variables, (dead, "", "", "/dev/null"), strict=True))
    environment |= {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "PIP_RETRIES": "0"}
    command = [sys.executable, str(tmp_path / "deploy" / "prepare_environment.py")]
    result = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert result.returncode == 1
    assert "Le paquet « six » n'a pas pu être installé" in result.stderr
    assert "Traceback" not in result.stdout + result.stderr
    assert not (tmp_path / ".venv" / "pret.txt").exists()
