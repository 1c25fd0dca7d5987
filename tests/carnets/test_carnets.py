"""The notebooks hold what they must, and the gates see what is broken on purpose."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from culture_d.errors import DepartementTooSmall, FigureError, NotebookError, UnknownDepartement
from culture_d.execution import execute
from culture_d.figures import afficher_figure, fingerprint, style
from culture_d.notebook import mon_territoire
from culture_d.notebooks import PICTURE, check, notebook_paths, read
from culture_d.project import Project
from culture_d.verification import share_out, verify

MODEL = "notebooks/comprendre/moyenne-mediane.ipynb"


@pytest.fixture
def workplace(project: Project, tmp_path: Path) -> Path:
    """A folder laid out as the course, to run broken notebooks in."""
    (tmp_path / "datasets").symlink_to(project.datasets)
    place = tmp_path / "notebooks" / "comprendre"
    place.mkdir(parents=True)
    return place


@pytest.fixture
def broken(project: Project, workplace: Path) -> Callable[[Callable[[Any], None]], Path]:
    """Write a copy of the model notebook, changed by a function."""

    def make(change: Callable[[Any], None]) -> Path:
        notebook = copy.deepcopy(read(project.root / MODEL))
        change(notebook)
        path = workplace / "casse.ipynb"
        nbformat.write(notebook, path)
        return path

    return make


def _cell(notebook: Any, cell_id: str) -> Any:
    return next(cell for cell in notebook.cells if cell.id == cell_id)


def _figure_cell(notebook: Any) -> Any:
    return next(
        cell
        for cell in notebook.cells
        if any(PICTURE in output.get("data", {}) for output in cell.get("outputs", ()))
    )


def _image(cell: Any) -> Any:
    return next(output for output in cell.outputs if PICTURE in output.get("data", {}))


def test_every_notebook_holds_what_it_must(project: Project) -> None:
    paths = notebook_paths(project)
    assert paths
    for path in paths:
        check(path)


def test_a_wrong_stored_number_fails(
    broken: Callable[[Callable[[Any], None]], Path],
) -> None:
    def change(notebook: Any) -> None:
        # The cells that it needs, and none after it.
        place = next(rank for rank, cell in enumerate(notebook.cells) if cell.id == "constat")
        notebook.cells = notebook.cells[: place + 1]
        data = _cell(notebook, "constat").outputs[0].data
        for mime, text in data.items():
            assert "84\u202f%" in text
            data[mime] = text.replace("84\u202f%", "85\u202f%")

    path = broken(change)
    with pytest.raises(NotebookError) as caught:
        verify([path])
    *_, sentence = str(caught.value).splitlines()
    assert sentence.startswith("Ce qui est enregistré n'est pas ce que le code affiche")
    assert f"« {path} », cellule « constat »." in sentence
    assert sentence.count("cellule") == 1


def test_the_stored_numbers_are_those_printed_today(
    broken: Callable[[Callable[[Any], None]], Path],
) -> None:
    """Of a small notebook; `culture-d verifier`, which `make test` runs, does it for all."""

    def change(notebook: Any) -> None:
        notebook.cells = [
            nbformat.v4.new_code_cell(f"print({n})", id=f"n{n}", execution_count=n) for n in (1, 2)
        ]
        for cell in notebook.cells:
            cell.outputs = [nbformat.v4.new_output("stream", text=f"{cell.source[6]}\n")]

    assert verify([broken(change)]) == 2


def test_notebooks_are_shared_out_evenly(project: Project, tmp_path: Path) -> None:
    """All are verified, each once; the longest ones are not put together."""
    paths = []
    for seconds in (9.0, 1.0, 8.0, 2.0, 0.0):
        notebook = copy.deepcopy(read(project.root / MODEL))
        notebook.metadata["culture_d"]["execution"]["seconds"] = seconds
        paths.append(tmp_path / f"duree-{seconds:g}.ipynb")
        nbformat.write(notebook, paths[-1])
    shares = share_out(paths, 2)
    assert sorted(path for share in shares for path in share) == sorted(paths)
    assert {path.stem for path in shares[0]} & {"duree-9", "duree-8"} == {"duree-9"}
    assert share_out(paths[:1], 2) == [paths[:1]]


def test_a_wrong_number_is_seen_whichever_process_reads_it(
    broken: Callable[[Callable[[Any], None]], Path],
) -> None:
    """Both notebooks are named when both are wrong."""

    def change(notebook: Any) -> None:
        notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "code"][:1]
        notebook.cells[0].source = "print(1)"
        notebook.cells[0].outputs = [nbformat.v4.new_output("stream", text="2\n")]

    first = broken(change)
    second = first.with_name("autre.ipynb")
    second.write_bytes(first.read_bytes())
    with pytest.raises(NotebookError) as refusal:
        verify([first, second])
    assert "casse.ipynb" in str(refusal.value) and "autre.ipynb" in str(refusal.value)


def test_a_figure_that_draws_something_else_is_seen() -> None:
    """Pictures are not compared, so what they draw is printed as a digest."""

    def drawn(height: float, words: str) -> str:
        style()
        figure, axes = plt.subplots()
        axes.bar([1, 2], [1, height])
        axes.plot([0, 1], [0, 1])
        axes.scatter([1], [1])
        axes.set_title(words)
        digest = fingerprint(figure)
        plt.close(figure)
        return digest

    assert drawn(2, "a") == drawn(2, "a")
    assert len({drawn(2, "a"), drawn(3, "a"), drawn(2, "b")}) == 3


def test_figures_do_not_depend_on_the_readers_own_settings() -> None:
    plt.rcParams["font.size"] = 40
    plt.rcParams["lines.linestyle"] = ":"
    style()
    assert plt.rcParams["lines.linestyle"] == "-"
    assert plt.rcParams["font.size"] < 20


def test_a_notebook_that_fails_is_said_and_left_as_it_was(workplace: Path) -> None:
    path = workplace / "echoue.ipynb"
    cell = nbformat.v4.new_code_cell("1 / 0", id="division")
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
    before = path.read_bytes()
    with pytest.raises(NotebookError, match=r"echoue\.ipynb » s'arrête sur une erreur"):
        execute(path)
    assert path.read_bytes() == before
    assert [file.name for file in workplace.iterdir()] == ["echoue.ipynb"]


def _no_alternative(notebook: Any) -> None:
    output = _image(_figure_cell(notebook))
    output.metadata[PICTURE].pop("alt")
    output.data["text/plain"] = "<Figure size 640x480 with 1 Axes>"


def _other_alternative(notebook: Any) -> None:
    _image(_figure_cell(notebook)).metadata[PICTURE]["alt"] = "x" * 80


def _other_picture(notebook: Any) -> None:
    """Lay another figure's picture in a cell, its words untouched."""
    cells = [cell for cell in notebook.cells if any(_pictures(cell))]
    next(_pictures(cells[0])).data[PICTURE] = next(_pictures(cells[1])).data[PICTURE]


def _pictures(cell: Any) -> Iterator[Any]:
    return (out for out in cell.get("outputs", ()) if PICTURE in out.get("data", {}))


def _two_figures(notebook: Any) -> None:
    cell = _figure_cell(notebook)
    cell.outputs.append(copy.deepcopy(_image(cell)))


def _not_run(notebook: Any) -> None:
    _cell(notebook, "constat").execution_count = None


def _error(notebook: Any) -> None:
    _cell(notebook, "constat").outputs = [
        nbformat.v4.new_output("error", ename="E", evalue="", traceback=[])
    ]


def _warning(notebook: Any) -> None:
    _cell(notebook, "constat").outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="attention")
    ]


def _no_trap(notebook: Any) -> None:
    notebook.cells.remove(_cell(notebook, "piege"))


def _widget_state(notebook: Any) -> None:
    notebook.metadata["widgets"] = {}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_no_alternative, "pas de texte de remplacement"),
        (_other_alternative, "pas de texte de remplacement"),
        (_two_figures, "une seule figure par cellule"),
        (_other_picture, "n'est pas celle que la cellule dessine"),
        (_not_run, "pas encore exécutée"),
        (_error, "est une erreur"),
        (_warning, "avertissement"),
        (_no_trap, "huit étapes"),
        (_widget_state, "état d'un widget"),
    ],
)
def test_the_check_sees(
    broken: Callable[[Callable[[Any], None]], Path],
    change: Callable[[Any], None],
    message: str,
) -> None:
    path = broken(change)
    with pytest.raises(NotebookError, match=message) as caught:
        check(path)
    assert "casse.ipynb" in str(caught.value)


def test_what_is_not_a_notebook_is_said(tmp_path: Path) -> None:
    path = tmp_path / "photo.ipynb"
    path.write_bytes(b"\x89PNG")
    with pytest.raises(NotebookError, match=r"photo\.ipynb » n'est pas un carnet lisible"):
        check(path)
    with pytest.raises(NotebookError, match="est introuvable"):
        check(tmp_path / "absent.ipynb")


@pytest.mark.parametrize(
    "missing",
    [{"alternative": " "}, {"alternative": "Un graphique."}, {"titre": ""}, {"sources": []}],
)
def test_a_figure_needs_its_words(missing: dict[str, Any]) -> None:
    words: dict[str, Any] = {
        "titre": "La réponse",
        "alternative": "Ce que montre la figure, dit à qui ne la voit pas, avec ses chiffres.",
        "tableau": pd.DataFrame({"Commune": ["A"], "Habitants": [1]}),
        "sources": ["communes"],
    }
    with pytest.raises(FigureError):
        afficher_figure(plt.figure(), **{**words, **missing})
    plt.close("all")


TERRITORY = (
    pd.DataFrame({"departement": ["75", "2A", "2A"], "population": [2_103_778, 1, 2]}),
    pd.DataFrame({"code": ["75", "2A"], "nom": ["Paris", "Corse-du-Sud"]}),
)


@pytest.mark.parametrize("code", ["1", "ZZ", "", "99"])
def test_an_unknown_departement_gives_a_sentence(code: str) -> None:
    name, rows = mon_territoire("2A", *TERRITORY)
    assert (name, len(rows)) == ("Corse-du-Sud", 2)
    with pytest.raises(UnknownDepartement, match="est inconnu"):
        mon_territoire(code, *TERRITORY)


def test_a_departement_with_one_commune_gives_a_sentence() -> None:
    with pytest.raises(DepartementTooSmall, match=r"Paris \(75\) n'a qu'une commune"):
        mon_territoire("75", *TERRITORY)


def test_an_error_of_ours_shows_its_sentence_alone_under_the_cell(workplace: Path) -> None:
    source = "from culture_d.errors import UnknownDepartement\nraise UnknownDepartement('Inconnu.')"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    with pytest.raises(CellExecutionError):
        NotebookClient(notebook, kernel_name="python3").execute()
    assert notebook.cells[0].outputs[0].traceback == ["Inconnu."]
