"""The Python class: what it says without script, and what it refuses."""

import json
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from culture_d.errors import UnknownDepartement
from culture_d.explorables import Explorable, ExplorableError, script_json, site
from culture_d.explorables.moyenne_mediane import EXEMPLE, MoyenneMediane, summarise
from culture_d.explorables.resources import load
from culture_d.project import Project


def state_of(html: str) -> dict[str, object]:
    found = re.search(r'<script type="application/json" class="cd-etat">(.*?)</script>', html)
    assert found
    state: dict[str, object] = json.loads(found[1])
    return state


def test_bundle_holds_widget_html_and_text() -> None:
    bundle = MoyenneMediane()._repr_mimebundle_()
    assert bundle is not None
    data, _ = bundle
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["text/html"].startswith('<div class="cd-explorable" data-explorable="moyenne-')
    assert "1\u202f900\u00a0habitants en moyenne, 900 pour la médiane" in data["text/plain"]
    assert data["text/plain"] in data["text/html"]


def test_a_real_kernel_stores_the_static_version(project: Project) -> None:
    source = (
        "from culture_d.explorables.moyenne_mediane import MoyenneMediane\nMoyenneMediane('80')"
    )
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source)])
    metadata = {"metadata": {"path": str(project.root)}}
    NotebookClient(notebook, timeout=60, resources=metadata).execute()
    data = notebook.cells[0].outputs[0]["data"]
    assert "Somme (80)" in data["text/plain"]
    assert data["text/html"] == MoyenneMediane("80").html()


def test_html_is_the_same_each_time_and_carries_no_identifier() -> None:
    first, second = MoyenneMediane(), MoyenneMediane()
    assert first.html() == second.html()
    assert first.model_id not in first.html()


def test_same_module_in_jupyterlab() -> None:
    assert str(MoyenneMediane()._esm) == site.modules()["moyenne-mediane"]


def test_names_cannot_leave_the_json_or_the_table() -> None:
    name = "</script><img src=x onerror=alert(1)>"
    html = MoyenneMediane(valeurs={name: 10, "B": 20}).html()
    assert "<img" not in html
    assert html.count("</script>") == 1
    assert state_of(html)["exemple"] == {"noms": ["B", name], "populations": [20, 10]}
    assert json.loads(script_json("\u2028<&>")) == "\u2028<&>"


def test_state_needs_no_kernel_and_leaves_the_communes_to_the_data_file() -> None:
    state = state_of(MoyenneMediane("80").html())
    assert state["departement"] == "80"
    assert "communes" not in state
    assert len(state["departements"]) == 101  # type: ignore[arg-type]
    assert "Insee" in str(state["sources"]) and "Données simulées" in str(state["sources"])


def test_example_names_no_real_commune(project: Project) -> None:
    real = (project.datasets / "communes" / "communes.csv").read_text(encoding="utf-8").casefold()
    assert [name for name in EXEMPLE if f",{name.casefold()}," in real] == []


def test_example_moves_the_mean_and_hardly_the_median() -> None:
    values = list(EXEMPLE.values())
    whole, moved = summarise(values), summarise([values[0] + 9000, *values[1:]])
    assert (whole.mean, whole.median, whole.below) == (1900, 900, 7)
    assert (moved.mean, moved.median) == (2900, 900)


def test_one_commune_is_said() -> None:
    text = MoyenneMediane("75").sentence()
    assert "n'a qu'une commune" in text and "2\u202f103\u202f778" in text


def test_source_comes_from_the_manifest() -> None:
    assert "données simulées" in MoyenneMediane().source().lower()
    assert "population municipale au 1er janvier 2023" in MoyenneMediane("80").source()
    assert "recensement de 2017" in MoyenneMediane("976").source()


@pytest.mark.parametrize("code", ["ZZ", "1", "../80"])
def test_unknown_departement_is_refused(code: str) -> None:
    with pytest.raises(UnknownDepartement, match=re.escape(f"« {code} »")):
        MoyenneMediane(code)


@pytest.mark.parametrize("values", [{}, {"A": -1}, {"A": 1.5}, {"A": "12"}, {"A": True}])
def test_wrong_values_are_refused(values: dict[str, int]) -> None:
    with pytest.raises(ExplorableError, match="nombre entier d'habitants"):
        MoyenneMediane(valeurs=values)


def test_kernel_answers_what_the_module_asks() -> None:
    widget = MoyenneMediane()
    widget.departement = "974"
    assert widget.communes == load("communes/974")
    widget.departement = "ZZ"
    assert widget._erreur.startswith("Le département « ZZ » n'existe pas")
    assert widget.departement == ""


def test_a_missing_data_file_is_said_to_the_reader(
    tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    widget = MoyenneMediane()
    (tmp_path / "datasets" / "departements").mkdir(parents=True)
    manifest = project.datasets / "departements" / "datapackage.json"
    (tmp_path / "datasets" / "departements" / manifest.name).write_bytes(manifest.read_bytes())
    monkeypatch.chdir(tmp_path)
    widget.departement = "80"
    assert "introuvable" in widget._erreur


def test_base_class_asks_for_its_three_texts() -> None:
    explorable = Explorable()
    for method in (explorable.sentence, explorable.static_tables, explorable.source):
        with pytest.raises(NotImplementedError):
            method()
