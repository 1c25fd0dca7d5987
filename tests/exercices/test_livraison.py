"""What learners receive, and the gates, each proved by something broken on purpose."""

import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml

from culture_d import exercises
from culture_d.errors import CultureDError, DatasetError, ExerciseError
from culture_d.project import Project

SLUG = "moyenne-mediane"
SLUGS = sorted(
    path.parent.name
    for path in Path(__file__).resolve().parents[2].glob("exercises/source/*/*.ipynb")
)
Break = Callable[[Any], None]


@pytest.fixture(scope="session")
def released(project: Project, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """Release for real, once; give the folder and the steps told."""
    out = tmp_path_factory.mktemp("release")
    steps: list[str] = []
    assert exercises.release(project, [SLUG], out, steps.append) == (out / f"{SLUG}.zip",)
    return out, steps


@pytest.fixture
def copy(project: Project, tmp_path: Path) -> Project:
    """Copy the exercises, the data linked, so that a test may break them."""
    root = tmp_path / "cours"
    shutil.copytree(
        project.exercises,
        root / "exercises",
        ignore=shutil.ignore_patterns("release", "donnees", "verifier.py", "gradebook*"),
    )
    shutil.copytree(project.datasets, root / "datasets")
    return Project(root)


def broken(course: Project, change: Break) -> Path:
    path = course.exercises / "source" / SLUG / f"{SLUG}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def cell_of(notebook: Any, cell_id: str) -> Any:
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def test_the_release_holds_only_what_learners_need(released: tuple[Path, list[str]]) -> None:
    out, steps = released
    expected = {
        f"{SLUG}.ipynb",
        "verifier.py",
        "donnees/communes.csv",
        "donnees/departements.csv",
        "donnees/LISEZMOI.txt",
    }
    found = {p.relative_to(out / SLUG).as_posix() for p in (out / SLUG).rglob("*") if p.is_file()}
    assert found == expected
    with zipfile.ZipFile(out / f"{SLUG}.zip") as bundle:
        assert set(bundle.namelist()) == {f"{SLUG}/{name}" for name in expected}
        assert bundle.testzip() is None
    assert sorted(path.name for path in out.iterdir()) == [SLUG, f"{SLUG}.zip"]
    assert len(steps) >= 4


def test_nothing_of_the_solutions_or_answers_is_released(
    released: tuple[Path, list[str]], project: Project
) -> None:
    out, _ = released
    text = (out / SLUG / f"{SLUG}.ipynb").read_text(encoding="utf-8")
    for mark in ("BEGIN", "SOLUTION", "HIDDEN", "MARK SCHEME", "noter(", "Erreur(", "Barème"):
        assert mark not in text
    shown = "\n".join(cell["source"] for cell in nbformat.reads(text, as_version=4).cells)
    everything = shown + (out / SLUG / "verifier.py").read_text(encoding="utf-8")
    answers = yaml.safe_load(
        (project.exercises / "answers" / f"{SLUG}.yml").read_text(encoding="utf-8")
    )
    for question in answers["questions"]:
        for entry in question["justes"]:
            assert entry["code"].strip() not in shown
    source = nbformat.read(exercises.source_of(project, SLUG), as_version=4)
    hidden = [line for cell in source.cells for line in exercises._hidden_lines(cell.source)]
    assert len(hidden) > 50
    for line in hidden:
        assert line not in everything, line


def test_the_released_notebook_runs_without_culture_d(
    released: tuple[Path, list[str]], tmp_path: Path
) -> None:
    with zipfile.ZipFile(released[0] / f"{SLUG}.zip") as bundle:
        bundle.extractall(tmp_path)
    exercises.check_runs_alone(tmp_path / SLUG / f"{SLUG}.ipynb", Path(SLUG))


# Their source, release and points are checked in each run: see `test_reponses`.
@pytest.mark.long
@pytest.mark.parametrize("slug", [slug for slug in SLUGS if slug != SLUG])
def test_every_other_exercise_passes_the_same_checks(slug: str, project: Project) -> None:
    (done,) = exercises.validate(project, [slug])
    assert done.slug == slug
    assert done.automatic + done.manual == 20


def test_the_verifier_imports_only_the_standard_library_and_pandas() -> None:
    program = (
        "import sys; known = set(sys.stdlib_module_names)\n"
        f"sys.path.insert(0, {str(exercises.VERIFIER.parent)!r})\n"
        "import pandas; before = set(sys.modules)\n"
        "import verifier\n"
        "new = {m.split('.')[0] for m in set(sys.modules) - before} - known - {'verifier'}\n"
        "print(sorted(new))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""


def test_validate_runs_the_same_checks_and_keeps_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    used: list[Path] = []

    def build(
        course: Project, slugs: Any, root: Path, say: exercises.Progress
    ) -> tuple[exercises.Exercise, ...]:
        used.append(root)
        (root / "release").mkdir()
        return tuple(exercises.Exercise(slug, 16.0, 4.0) for slug in slugs)

    monkeypatch.setattr(exercises, "_build", build)
    slugs = exercises.slugs_of(project)
    assert SLUG in slugs
    assert exercises.validate(project) == tuple(exercises.Exercise(one, 16.0, 4.0) for one in slugs)
    assert not used[0].exists()


def _duplicate_grade_id(notebook: Any) -> None:
    cell_of(notebook, "test-2").metadata.nbgrader.grade_id = "test-1"


def _missing_end_of_solution(notebook: Any) -> None:
    cell = cell_of(notebook, "reponse-1")
    cell.source = cell.source.replace("### END SOLUTION", "")


def _missing_end_of_hidden_tests(notebook: Any) -> None:
    cell = cell_of(notebook, "test-4")
    cell.source = cell.source.replace("### END HIDDEN TESTS", "")


def _missing_begin(notebook: Any) -> None:
    cell = cell_of(notebook, "reponse-3")
    cell.source = cell.source.replace("### BEGIN SOLUTION", "")


def _solution_in_a_plain_cell(notebook: Any) -> None:
    cell_of(notebook, "reponse-3").metadata.nbgrader.solution = False


def _stored_output(notebook: Any) -> None:
    cell_of(notebook, "reponse-1").outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="733")
    ]


def _solution_told_in_a_text(notebook: Any) -> None:
    cell_of(notebook, "consigne-1").source += '\nreponse_1 = mes_communes["population"].mean()'


def _misspelt_hidden_tests(notebook: Any) -> None:
    cell = cell_of(notebook, "test-4")
    cell.source = cell.source.replace("### BEGIN HIDDEN TESTS", "### BEGIN HIDDEN TEST")
    cell.source = cell.source.replace("### END HIDDEN TESTS", "### END HIDDEN TEST")


def _solution_outside_the_marks(notebook: Any) -> None:
    cell = cell_of(notebook, "reponse-4")
    cell.source = 'reponse_4 = "BDAC"\ncode_lu = "80"\n' + cell.source.replace(
        "reponse_4 = ...", ""
    )
    cell_of(
        notebook, "departement"
    ).source = 'mon_departement = "80"\n### BEGIN SOLUTION\n### END SOLUTION'


def _wrong_solution(notebook: Any) -> None:
    cell = cell_of(notebook, "reponse-3")
    cell.source = cell.source.replace('"B"', '"A"')


def _cell_that_fails(notebook: Any) -> None:
    cell_of(notebook, "sans-la-plus-grande").source = "import culture_d"


def _cell_that_warns(notebook: Any) -> None:
    cell_of(
        notebook, "sans-la-plus-grande"
    ).source = "import sys; print('attention', file=sys.stderr)"


def _unknown_data(notebook: Any) -> None:
    cell_of(notebook, "sans-la-plus-grande").source = 'open("donnees/inconnu.csv")'


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_duplicate_grade_id, "test-1"),
        (_missing_end_of_solution, "il manque « ### END SOLUTION »"),
        (_missing_end_of_hidden_tests, "il manque « ### END HIDDEN TESTS »"),
        (_missing_begin, "n'a pas sa marque"),
        (_solution_in_a_plain_cell, "« reponse-3 »"),
        (_stored_output, "effacez les sorties"),
        (_solution_told_in_a_text, "la version des élèves montrerait"),
        (_misspelt_hidden_tests, "la version des élèves montrerait"),
        (_solution_outside_the_marks, "non remplie, obtient déjà des points"),
        (_wrong_solution, "le corrigé n'obtient pas tous les points"),
        (_cell_that_fails, "ImportError : culture_d n'est pas installé"),
        (_cell_that_warns, "un avertissement s'affiche"),
        (_unknown_data, "donnees/inconnu.csv"),
    ],
    ids=lambda value: value.__name__.strip("_") if callable(value) else "",
)
def test_a_broken_exercise_is_refused_and_leaves_nothing(
    change: Break, said: str, copy: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = broken(copy, change)
    if change in (_wrong_solution, _solution_outside_the_marks):
        # Caught by the next check; the run apart would only take time here.
        monkeypatch.setattr(exercises, "check_runs_alone", lambda *_: None)
    out = copy.exercises / "release"
    out.mkdir()
    (out / "ancien.zip").write_text("à garder", encoding="utf-8")
    with pytest.raises(ExerciseError) as caught:
        exercises.release(copy, [SLUG])
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert [p.name for p in out.iterdir()] == ["ancien.zip"]


def test_a_stray_file_in_the_source_is_refused(copy: Project) -> None:
    folder = copy.exercises / "source" / SLUG
    shutil.copyfile(copy.exercises / "answers" / f"{SLUG}.yml", folder / "reponses.yml")
    with pytest.raises(ExerciseError, match=r"contient reponses\.yml, que les élèves recevraient"):
        exercises.validate(copy, [SLUG])


def test_an_unreadable_source_is_refused(copy: Project) -> None:
    path = copy.exercises / "source" / SLUG / f"{SLUG}.ipynb"
    path.write_text(path.read_text(encoding="utf-8")[:500], encoding="utf-8")
    with pytest.raises(ExerciseError, match="n'est pas un notebook lisible"):
        exercises.validate(copy, [SLUG])


def test_an_unknown_exercise_is_named(copy: Project) -> None:
    with pytest.raises(ExerciseError, match=f"Exercices du cours : .*{SLUG}"):
        exercises.validate(copy, ["inconnu"])


@pytest.mark.parametrize("damage", ["missing", "truncated", "changed"])
def test_a_damaged_dataset_is_named(damage: str, copy: Project) -> None:
    path = copy.datasets / "communes" / "communes.csv"
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(
            content[:1000] if damage == "truncated" else content.replace(b"860", b"861", 1)
        )
    with pytest.raises(DatasetError) as caught:
        exercises.prepare(copy, SLUG)
    assert str(path) in str(caught.value)
    assert not (copy.exercises / "source" / SLUG / "donnees").exists()


def test_prepare_puts_the_data_and_the_verifier_beside_the_source(copy: Project) -> None:
    folder = exercises.prepare(copy, SLUG)
    assert (folder / "verifier.py").read_bytes() == exercises.VERIFIER.read_bytes()
    assert sorted(path.name for path in (folder / "donnees").iterdir()) == [
        "LISEZMOI.txt",
        "communes.csv",
        "departements.csv",
    ]
    exercises.check_source(folder / f"{SLUG}.ipynb")
    assert exercises.prepare(copy, SLUG) == folder


def test_the_same_source_gives_the_same_zip(
    released: tuple[Path, list[str]], tmp_path: Path
) -> None:
    exercises._zip(released[0] / SLUG, tmp_path / "encore.zip")
    assert (tmp_path / "encore.zip").read_bytes() == (released[0] / f"{SLUG}.zip").read_bytes()


def test_every_error_is_one_for_the_reader() -> None:
    assert issubclass(ExerciseError, CultureDError)
