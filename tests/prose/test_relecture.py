"""The course has no remark; what is broken on purpose in any of its texts is found, and located."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
import yaml
from click.testing import CliRunner

from culture_d.cli import cli
from culture_d.errors import ProseError
from culture_d.project import Project
from culture_d.prose.acronyms import Acronyms, acronym_faults, load_acronyms
from culture_d.prose.blocks import fragment_blocks
from culture_d.prose.review import Remark, check, review

ACRONYMS = Acronyms(
    {
        "EPCI": ("établissement public de coopération intercommunale",),
        "Insee": ("Institut national de la statistique et des études économiques",),
    },
    frozenset({"PDF"}),
)


def test_the_course_has_no_remark(project: Project, site: Path) -> None:
    outcome = check(project, site)
    assert outcome.blocks > 500


def remarks(course: Project, site: Path) -> list[Remark]:
    return list(review(course, site).remarks)


def _page(text: str, *, name: str = "book/essai") -> Callable[[Path], None]:
    def write(site: Path) -> None:
        path = site / f"{name}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"<title>Essai</title><main><h1>Essai</h1>{text}</main>", encoding="utf-8")

    return write


@pytest.fixture
def pages(tmp_path: Path) -> Path:
    """A site of one right page."""
    site = tmp_path / "site"
    _page("<p>Le maire vote.</p>")(site)
    return site


def test_a_small_course_without_fault_passes(course: Project, pages: Path) -> None:
    assert remarks(course, pages) == []


def test_a_page_is_traced_to_the_line_of_its_file(course: Project, pages: Path) -> None:
    (course.book / "essai.md").write_text(
        "# Essai\n\nLe maire vote.\n\nA retenir : le\nconseil a voté hier soir.\n", encoding="utf-8"
    )
    _page("<h2>Suite</h2><p>A retenir\u00a0: le\nconseil a voté hier soir.</p>")(pages)
    [remark] = remarks(course, pages)
    assert remark.sentence() == (
        "book/essai.md, ligne 5 (sous « Suite ») [capitale] "
        "« A retenir\u00a0: le conseil a voté » : écrivez « À »."
    )


def test_an_output_is_traced_to_its_cell(course: Project, pages: Path) -> None:
    path = course.notebooks / "comprendre" / "essai.ipynb"
    output = nbformat.v4.new_output(
        "display_data", data={"text/markdown": "Le taux vaut 3.5 ici, disent nos calculs."}
    )
    cells = [
        nbformat.v4.new_markdown_cell("Ouvrez le fichier dans Excel.", id="mode"),
        nbformat.v4.new_code_cell("phrase(taux)", id="taux", outputs=[output]),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    _page(
        "<p>Ouvrez le fichier dans Excel.</p><p>Le taux vaut 3.5 ici, disent nos calculs.</p>",
        name="notebooks/comprendre/essai",
    )(pages)
    found = {remark.fault.rule: remark.place for remark in remarks(course, pages)}
    assert found == {
        "marque": "notebooks/comprendre/essai.ipynb, cellule « mode »",
        "décimale": "notebooks/comprendre/essai.ipynb, cellule « taux », résultat",
    }


def test_a_text_of_the_map_is_read_before_any_page_shows_it(course: Project, pages: Path) -> None:
    text = course.curriculum.read_text(encoding="utf-8")
    first = text.splitlines().index(
        next(one for one in text.splitlines() if "Les formats de fichiers" in one)
    )
    course.curriculum.write_text(
        text.replace("Les formats de fichiers", "Ton Etat"), encoding="utf-8"
    )
    found = [(remark.place, remark.fault.rule) for remark in remarks(course, pages)]
    place = f"book/curriculum.yml, ligne {first + 1}"
    assert sorted(found) == [(place, "capitale"), (place, "vous")]


def test_a_manifest_is_read(course: Project, pages: Path) -> None:
    path = course.datasets / "epci" / "datapackage.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["traps"].append('Le code vaut 2.5 "environ".')
    path.write_text(json.dumps(manifest, ensure_ascii=False, indent=2), encoding="utf-8")
    found = remarks(course, pages)
    assert {remark.fault.rule for remark in found} == {"décimale", "guillemets"}
    assert all(
        re.fullmatch(r"datasets/epci/datapackage.json, ligne \d+", one.place) for one in found
    )


def test_an_exercise_is_read_as_learners_see_it(course: Project, pages: Path) -> None:
    path = next((course.exercises / "source").rglob("*.ipynb"))
    notebook = nbformat.read(path, as_version=4)
    cell = next(one for one in notebook.cells if one.cell_type == "markdown")
    cell.source += "\n\nRépondez : `x = 'a' : 1.5`, ou \"non\"."
    nbformat.write(notebook, path)
    found = remarks(course, pages)
    assert {remark.fault.rule for remark in found} == {"espaces", "guillemets"}
    assert all(remark.place.endswith(f"cellule « {cell.id} »") for remark in found)


# Exceptions


def _except(course: Project, **entry: object) -> None:
    base = {"page": "book/essai", "regle": "marque", "mots": "Excel", "raison": "nom d'une pièce"}
    (course.book / "relecture.yml").write_text(
        yaml.safe_dump({"exceptions": [{**base, **entry}]}, allow_unicode=True), encoding="utf-8"
    )


def test_an_exception_admits_and_is_counted(course: Project, pages: Path) -> None:
    _page("<p>Le film Excel, un grand film.</p>")(pages)
    assert len(remarks(course, pages)) == 1
    _except(course)
    outcome = review(course, pages)
    assert (outcome.remarks, outcome.admitted) == ((), 1)


@pytest.mark.parametrize(
    "entry",
    [{"mots": "absent"}, {"regle": "ton"}, {"page": "book/autre"}, {"nombre": 2}],
)
def test_an_exception_that_admits_something_else_is_refused(
    course: Project, pages: Path, entry: dict[str, object]
) -> None:
    _page("<p>Le film Excel, un grand film.</p>")(pages)
    _except(course, **entry)
    with pytest.raises(ProseError, match=r"annonce . remarque.*trouve [01]"):
        review(course, pages)


@pytest.mark.parametrize("entry", [{"raison": " "}, {"nombre": "deux"}])
def test_an_exception_without_reason_is_refused(
    course: Project, pages: Path, entry: dict[str, object]
) -> None:
    _except(course, **entry)
    with pytest.raises(ProseError, match="mal formé"):
        review(course, pages)


# Acronyms


@pytest.mark.parametrize(
    ("html", "faults"),
    [
        (
            "<p>Un établissement public de coopération intercommunale (EPCI) vote. L’EPCI paie.</p>",
            0,
        ),
        ("<p>Les établissements publics de coopération intercommunale (EPCI) votent.</p>", 0),
        ("<p>L’EPCI (établissement public de coopération intercommunale) vote.</p>", 0),
        ("<p>L’Insee, l’Institut national de la statistique et des études économiques.</p>", 0),
        ("<h2>L’EPCI</h2><p>Un établissement public de coopération intercommunale (EPCI).</p>", 0),
        ("<p>Lisez le PDF, au chapitre XIV, salle B, code 2A.</p>", 0),
        ("<p>Les types. CA : communauté d’agglomération.</p>", 0),
        ("<p>L’EPCI vote. Un établissement public de coopération intercommunale paie.</p>", 0),
        ("<p>L’EPCI vote.</p><p>L’établissement public de coopération intercommunale.</p>", 1),
        ("<p>L’EPCI vote. L’EPCI paie.</p>", 1),
        ("<p>Selon l’Insee, oui.</p>", 1),
        ("<h2>L’EPCI</h2><p>Il vote.</p>", 1),
        ("<p>Le SMIC monte.</p>", 1),
        ("<p>La DECISION est prise.</p>", 1),
    ],
)
def test_an_acronym_is_expanded_where_a_page_first_uses_it(html: str, faults: int) -> None:
    assert len(list(acronym_faults(fragment_blocks(html), ACRONYMS))) == faults


def test_the_advice_gives_the_expansion() -> None:
    [(_, fault)] = acronym_faults(fragment_blocks("<p>L’EPCI vote.</p>"), ACRONYMS)
    assert "« établissement public de coopération intercommunale (EPCI) »" in fault.advice


def test_the_acronyms_of_the_course_agree_with_its_glossary(project: Project) -> None:
    acronyms = load_acronyms(project.book)
    glossary = (project.book / "glossaire.md").read_text(encoding="utf-8")
    titles = re.findall(r"^(\w.+) \((\w+)\)$", glossary, re.MULTILINE)
    assert len(titles) >= 4
    for words, acronym in titles:
        assert acronyms.expansions[acronym][0].replace("’", "'") == words.replace("’", "'")
    for term in acronyms.terms.values():
        assert re.search(rf"^{re.escape(term)}$", glossary, re.MULTILINE), term


@pytest.mark.parametrize(
    "text",
    ["sigles: [", "sigles: [{sigle: A}]\nnoms: []", "noms: []", "texte"],
)
def test_a_malformed_list_of_acronyms_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "sigles.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ProseError, match=r"sigles\.yml » est mal formé"):
        load_acronyms(tmp_path)


def test_an_acronym_given_twice_is_said(tmp_path: Path) -> None:
    entry = "{sigle: UE, developpe: Union}"
    text = f"sigles: [{entry}, {entry}]\nnoms: []"
    (tmp_path / "sigles.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ProseError, match="deux fois : UE"):
        load_acronyms(tmp_path)


# The command


def test_the_command_says_and_fails(
    course: Project, pages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _page("<p>A retenir.</p>")(pages)
    course.build.mkdir()
    pages.rename(course.site)
    monkeypatch.chdir(course.root)
    monkeypatch.setattr("culture_d.site.is_fresh", lambda project: True)
    result = CliRunner().invoke(cli, ["relire"])
    assert (result.exit_code, "[capitale] « A retenir. »" in result.output) == (1, True)
    assert "Remarques : 1." in result.output
    result = CliRunner().invoke(cli, ["relire", "glossaire"])
    assert (result.exit_code, "Remarques : 0." in result.output) == (0, True)
