"""Hostile and clumsy submissions, each with what is expected of it.

`NOTEBOOKS` are files handed in for « moyenne-mediane »: repaired, with what is said and the
points they must earn, or refused, with the reason. `SOURCES` are folders and archives: who
is graded, who is refused and why, what is nobody's. Everything is made when asked for.
"""

import io
import json
import os
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat

from tests.correction.cours import (
    ANSWERS,
    OTHER,
    SLUG,
    blank,
    cell_of,
    honest,
    mark_of,
    place_of,
    released,
    without,
    written,
)

FILE = f"{SLUG}.ipynb"
POINTS = {"test-1": 2.0, "test-2": 4.0, "test-3": 3.0, "test-4": 3.0, "test-5": 0.0}


@dataclass(frozen=True)
class Depot:
    """One file handed in, and what is expected of it."""

    name: str
    data: Callable[[], bytes]
    says: tuple[str, ...] = ()
    """Found in the notes, or in the reason."""
    refused: bool = False
    points: Mapping[str, float] = field(default_factory=lambda: POINTS)
    """What stock nbgrader must then find, test by test."""
    file: str = FILE


def _changed(change: Callable[[dict[str, Any]], object]) -> Callable[[], bytes]:
    def made() -> bytes:
        content = honest()
        change(content)
        return written(content)

    return made


def _duplicate_answer(content: dict[str, Any]) -> None:
    """Paste a first try above: the last copy counts."""
    first = deepcopy(cell_of(content, "reponse-1"))
    first["source"] = "reponse_1 = 1"
    first["id"] = "copie"
    content["cells"].insert(place_of(content, "reponse-1"), first)


def _duplicate_at_the_end(answer: str) -> Callable[[dict[str, Any]], None]:
    """Paste the first answer again after everything else."""

    def change(content: dict[str, Any]) -> None:
        last = deepcopy(cell_of(content, "reponse-1"))
        last["id"] = "copie"
        cell_of(content, "reponse-1")["source"] = answer
        content["cells"].append(last)

    return change


def _duplicate_blank(content: dict[str, Any]) -> None:
    """Paste the empty cell below the answer, which it would erase."""
    copied = deepcopy(cell_of(blank(), "reponse-1"))
    copied["id"] = "copie"
    content["cells"].insert(place_of(content, "reponse-1") + 1, copied)


def _duplicate_test(content: dict[str, Any]) -> None:
    content["cells"].insert(place_of(content, "test-1"), deepcopy(cell_of(content, "test-1")))


def _edit_test(content: dict[str, Any]) -> None:
    cell_of(content, "test-1")["source"] += "\nprint('gagné')"


def _replace_tests(content: dict[str, Any]) -> None:
    for name in ("test-1", "test-5"):
        cell_of(content, name)["source"] = "20"


def _edit_locked(content: dict[str, Any]) -> None:
    cell_of(content, "mes-communes")["source"] = "mes_communes = communes"


def _inflate_points(content: dict[str, Any]) -> None:
    cell_of(content, "test-5")["metadata"]["nbgrader"]["points"] = 1000
    cell_of(content, "reponse-5")["metadata"]["nbgrader"].update(grade=True, points=50)


def _skip_tests(content: dict[str, Any]) -> None:
    cell_of(content, "test-5")["metadata"]["tags"] = ["skip-execution"]


def _added_graded(content: dict[str, Any]) -> None:
    added = deepcopy(cell_of(content, "test-1"))
    added["source"], added["id"] = "100", "bonus"
    added["metadata"]["nbgrader"] |= {"grade_id": "bonus", "points": 100}
    content["cells"].append(added)


def _added_cells(content: dict[str, Any]) -> None:
    """Compute in a cell of one's own, between the answer and its test."""
    cell_of(content, "reponse-1")["source"] = "reponse_1 = ..."
    added = {"cell_type": "code", "source": "reponse_1 = calcul", "metadata": {}, "outputs": []}
    before = added | {"source": "calcul = 700 + 33"}
    place = place_of(content, "reponse-1")
    content["cells"][place + 1 : place + 1] = [before, added]


def _added_cells_and_lost_test(content: dict[str, Any]) -> None:
    _added_cells(content)
    content["cells"] = without(content, ["test-1"])["cells"]


def _without(*names: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        content["cells"] = without(content, names)["cells"]

    return change


def _only_answers(content: dict[str, Any]) -> None:
    content["cells"] = [cell for cell in content["cells"] if mark_of(cell) in ANSWERS]


def _merged(content: dict[str, Any]) -> None:
    """Merge the answers 3 and 4 in the first, as Ctrl+Maj+M does."""
    cell_of(content, "reponse-3")["source"] = 'reponse_3 = "B"\nreponse_4 = "BDAC"'
    _without("reponse-4")(content)


def _merged_below(content: dict[str, Any]) -> None:
    """Merge the answers 3 and 4 in the second: the test of 3 would come too early."""
    cell_of(content, "reponse-4")["source"] = 'reponse_3 = "B"\nreponse_4 = "BDAC"'
    _without("reponse-3")(content)


def _split(content: dict[str, Any]) -> None:
    """Split the answer 2, as Ctrl+Maj+- does: both halves bear the marks."""
    halves = [deepcopy(cell_of(content, "reponse-2")) for _ in range(2)]
    halves[0]["source"], halves[1]["source"] = ANSWERS["reponse-2"].split("\n")
    halves[0]["id"] = "moitie"
    place = place_of(content, "reponse-2")
    content["cells"][place : place + 1] = halves


def _no_marks(content: dict[str, Any]) -> None:
    for cell in content["cells"]:
        cell["metadata"] = {}


def _no_marks_no_identifiers(content: dict[str, Any]) -> None:
    """As Google Colab or a text conversion leaves a notebook."""
    _no_marks(content)
    content["metadata"] = {}
    content["nbformat_minor"] = 4
    for cell in content["cells"]:
        cell.pop("id", None)


def _no_metadata(content: dict[str, Any]) -> None:
    del content["metadata"]
    for cell in content["cells"]:
        if mark_of(cell) in ("reponse-1", "test-1", ""):
            del cell["metadata"]


def _other_types(content: dict[str, Any]) -> None:
    for name, kind in (("reponse-1", "markdown"), ("reponse-3", "raw"), ("test-4", "markdown")):
        cell = cell_of(content, name)
        cell["cell_type"] = kind
        cell.pop("outputs"), cell.pop("execution_count")
    cell_of(content, "reponse-1")["source"] = "```python\nreponse_1 = 733\n```"


def _test_first(content: dict[str, Any]) -> None:
    """Move a test above its answer."""
    test = content["cells"].pop(place_of(content, "test-1"))
    content["cells"].insert(place_of(content, "reponse-1"), test)


def _setup_last(content: dict[str, Any]) -> None:
    """Move the reading of the data to the end."""
    content["cells"].append(content["cells"].pop(place_of(content, "lecture-donnees")))


def _choice_last(content: dict[str, Any]) -> None:
    """Move the choice of the département, on which all depends, to the end."""
    content["cells"].append(content["cells"].pop(place_of(content, "departement")))


def _questions_swapped(content: dict[str, Any]) -> None:
    """Answer question 4 before question 1: an order of one's own, which works."""
    block = [content["cells"].pop(place_of(content, name)) for name in ("reponse-4", "test-4")]
    place = place_of(content, "reponse-1")
    content["cells"][place:place] = block


def _old_schema(content: dict[str, Any]) -> None:
    """Give the marks of nbgrader 0.3, and one of a future version."""
    for cell in content["cells"]:
        marks = cell["metadata"].get("nbgrader")
        if marks:
            marks.pop("schema_version")
            marks.pop("task", None)
            marks.pop("locked")
            marks["points"] = str(marks.get("points", ""))
    cell_of(content, "test-2")["metadata"]["nbgrader"]["schema_version"] = 9


def _broken_marks(content: dict[str, Any]) -> None:
    cell_of(content, "test-1")["metadata"]["nbgrader"] = {"grade_id": "test-1", "grade": "oui"}
    marks: tuple[Any, ...] = (
        None,
        [],
        "x",
        {"grade_id": 3},
        {"grade_id": "\ud800"},
        {"grade_id": ""},
        {},
    )
    for cell, mark in zip(
        [cell for cell in content["cells"] if not mark_of(cell)], marks, strict=False
    ):
        cell["metadata"]["nbgrader"] = mark


def _kernel(name: str, language: str) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        content["metadata"]["kernelspec"] = {
            "name": name,
            "display_name": name,
            "language": language,
        }

    return change


def _outputs(content: dict[str, Any]) -> None:
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            text = {"output_type": "stream", "name": "stdout", "text": ["x" * 200_000]}
            cell["outputs"] = [text, {"output_type": "inconnu"}, None, 3]
            cell["execution_count"] = "cent"


def _widgets(content: dict[str, Any]) -> None:
    state = {f"w{n}": {"model_name": "M", "state": {"valeur": "y" * 10_000}} for n in range(100)}
    content["metadata"]["widgets"] = {
        "application/vnd.jupyter.widget-state+json": {"version_major": 2, "state": state}
    }
    content["metadata"]["title"] = {"ce": "n'est pas un texte"}


def _attachments(content: dict[str, Any]) -> None:
    cell = cell_of(content, "reponse-6")
    cell["source"] = "Voici mon schéma : ![schema](attachment:schema.png)"
    cell["attachments"] = {
        "schema.png": {"image/png": "iVBORw0KGgo="},
        "piege.html": {"text/html": "<script>alert(1)</script>"},
        "faux": ["pas", "un", "dictionnaire"],
    }


def _identifiers(content: dict[str, Any]) -> None:
    """Give the added cells identifiers that are taken, too long or of another type."""
    for value in ("reponse-1", "x" * 65, "à b", 3, None, ""):
        content["cells"].append(
            {"cell_type": "code", "id": value, "metadata": {}, "source": "1", "outputs": []}
        )


def _odd_cells(content: dict[str, Any]) -> None:
    content["cells"] += [
        None,
        3,
        "texte",
        [],
        {},
        {"cell_type": "code"},
        {"cell_type": "inconnu", "source": "x", "metadata": None},
        {"cell_type": "markdown", "source": ["a", 3, None], "metadata": []},
        {"cell_type": "raw", "source": {"a": 1}},
    ]


def _control_characters(content: dict[str, Any]) -> None:
    cell_of(content, "reponse-1")["source"] = "reponse_1 = 733\0\n# \ud83d"


def _numbers(data: bytes) -> bytes:
    """Add numbers that Python refuses or that JSON has not."""
    odd = b'"odd": [' + b"9" * 10_000 + b", 1e999, NaN, -Infinity], "
    return data.replace(b'"nbformat"', odd + b'"nbformat"', 1)


def _version(version: int) -> Callable[[], bytes]:
    """Write in the format of an IPython of 2011 (2) or 2013 (3)."""

    def made() -> bytes:
        cells = []
        for cell in honest()["cells"]:
            old = {"cell_type": cell["cell_type"], "metadata": cell["metadata"]}
            if cell["cell_type"] == "code":
                old |= {"input": cell["source"], "language": "python", "outputs": []}
                old |= {"prompt_number": 1, "collapsed": False}
            else:
                old["source"] = cell["source"]
            cells.append(old)
        cells[0] |= {"cell_type": "heading", "level": 1}
        sheets = [{"cells": cells[:10]}, {"cells": cells[10:]}]
        return written(
            {"metadata": {"name": ""}, "nbformat": version, "nbformat_minor": 0}
            | {"worksheets": sheets}
        )

    return made


def _minor(minor: int) -> Callable[[dict[str, Any]], None]:
    def change(content: dict[str, Any]) -> None:
        content["nbformat_minor"] = minor
        for cell in content["cells"]:
            cell.pop("id")

    return change


def _future(content: dict[str, Any]) -> None:
    content["nbformat"], content["nbformat_minor"] = 5, 0


def _deep() -> bytes:
    return b'{"cells": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"


def _wrong_exercise() -> bytes:
    return released(OTHER)[f"{OTHER}.ipynb"]


def _own_notebook() -> bytes:
    cells = [nbformat.v4.new_code_cell("print('bonjour')"), nbformat.v4.new_markdown_cell("# Moi")]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=cells))).encode()


NOTEBOOKS = (
    Depot("honnete", _changed(lambda content: None)),
    Depot("vierge", lambda: written(blank()), points=dict.fromkeys(POINTS, 0.0)),
    Depot("reponse-copiee", _changed(_duplicate_answer), ("plusieurs exemplaires",)),
    Depot("reponse-copiee-vide", _changed(_duplicate_blank), ("plusieurs exemplaires",)),
    Depot(
        "reponse-copiee-a-la-fin",
        _changed(_duplicate_at_the_end(ANSWERS["reponse-1"])),
        ("plusieurs exemplaires",),
    ),
    Depot(
        "reponse-corrigee-a-la-fin",
        _changed(_duplicate_at_the_end("reponse_1 = 1")),
        ("plusieurs exemplaires", "déplacée"),
    ),
    Depot("test-copie", _changed(_duplicate_test), ("plusieurs exemplaires", "test-1")),
    Depot("test-modifie", _changed(_edit_test), ("modifiée", "test-1")),
    Depot("tests-remplaces", _changed(_replace_tests), ("modifiée", "test-5")),
    Depot("cellule-protegee-modifiee", _changed(_edit_locked), ("modifiée", "mes-communes")),
    Depot("points-gonfles", _changed(_inflate_points)),
    Depot("tests-sautes", _changed(_skip_tests)),
    Depot("test-ajoute", _changed(_added_graded)),
    Depot("cellules-ajoutees", _changed(_added_cells)),
    Depot("cellules-ajoutees-test-perdu", _changed(_added_cells_and_lost_test), ("supprimée",)),
    Depot("tests-supprimes", _changed(_without("test-1", "test-3")), ("supprimée", "test-3")),
    Depot(
        "reponse-supprimee",
        _changed(_without("reponse-3", "reponse-6")),
        ("réponse supprimée", "reponse-3"),
        points=POINTS | {"test-3": 0.0},
    ),
    Depot(
        "question-supprimee",
        _changed(_without("reponse-1", "test-1")),
        ("réponse supprimée", "test-1"),
        points=POINTS | {"test-1": 0.0},
    ),
    Depot("reponses-seules", _changed(_only_answers), ("supprimée", "test-1")),
    Depot("reponses-fusionnees", _changed(_merged), ("autre cellule", "reponse-4")),
    Depot("reponses-fusionnees-plus-bas", _changed(_merged_below), ("reponse-3",)),
    Depot("reponse-coupee", _changed(_split), ("plusieurs exemplaires",)),
    Depot("marques-perdues", _changed(_no_marks), ("marques étaient perdues",)),
    Depot("tout-perdu-sauf-le-texte", _changed(_no_marks_no_identifiers), ("marques",)),
    Depot("sans-metadonnees", _changed(_no_metadata), ("marques", "reponse-1")),
    Depot("types-changes", _changed(_other_types), ("type avait changé", "reponse-1")),
    Depot("test-avant-la-reponse", _changed(_test_first), ("déplacée", "test-1")),
    Depot("donnees-a-la-fin", _changed(_setup_last), ("déplacée", "lecture-donnees")),
    Depot("choix-a-la-fin", _changed(_choice_last), ("déplacée", "departement")),
    Depot("questions-dans-un-autre-ordre", _changed(_questions_swapped)),
    Depot("marques-anciennes", _changed(_old_schema)),
    Depot("marques-cassees", _changed(_broken_marks)),
    Depot("autre-noyau", _changed(_kernel("conda-env-mairie", "python")), ("noyau",)),
    Depot("autre-langage", _changed(_kernel("ir", "R")), ("langage",)),
    Depot("resultats-enormes", _changed(_outputs), ("résultats",)),
    Depot("etat-de-widgets", _changed(_widgets)),
    Depot("images-jointes", _changed(_attachments)),
    Depot("identifiants-pris", _changed(_identifiers)),
    Depot("cellules-bizarres", _changed(_odd_cells)),
    Depot("caracteres-de-controle", _changed(_control_characters), ("illisibles",)),
    Depot("nombres-impossibles", lambda: _numbers(written(honest()))),
    Depot("format-2", _version(2), ("format 2",)),
    Depot("format-3", _version(3), ("format 3",)),
    Depot("format-4.0", _changed(_minor(0))),
    Depot("format-4.4", _changed(_minor(4))),
    Depot("format-5", _changed(_future)),
    Depot("marque-d-encodage", lambda: b"\xef\xbb\xbf" + written(honest()), ("encodage",)),
    Depot("fins-de-ligne-windows", lambda: written(honest()).replace(b"\n", b"\r\n")),
    Depot(
        "cle-en-double",
        lambda: written(honest()).replace(b'"nbformat"', b'"nbformat": 2, "nbformat"', 1),
    ),
    Depot("renomme", lambda: written(honest()), ("a été lu comme",), file="Mon devoir (2).ipynb"),
    Depot("renomme-txt", lambda: written(honest()), ("a été lu comme",), file=f"{FILE}.txt"),
    Depot("renomme-json", lambda: written(honest()), ("a été lu comme",), file=f"{SLUG}.json"),
    Depot("espace-final", lambda: written(honest()), ("a été lu comme",), file=f"{FILE} "),
    Depot("sans-nom", lambda: written(honest()), ("a été lu comme",), file=".ipynb"),
    Depot("dans-un-dossier", lambda: written(honest()), file=f"{SLUG}/{FILE}"),
    Depot("vide", lambda: b"", ("vide",), True),
    Depot("que-des-espaces", lambda: b" \n\t ", ("vide",), True),
    Depot("que-des-zeros", lambda: bytes(5000), ("vide",), True),
    Depot("tronque", lambda: written(honest())[:3000], ("tronqué",), True),
    Depot("tronque-dans-un-accent", lambda: written("é")[:-2], ("tronqué",), True),
    Depot("binaire", lambda: bytes(range(256)) * 40, ("pas du texte",), True),
    Depot("pdf", lambda: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", ("PDF",), True),
    Depot("page-web", lambda: b"<!DOCTYPE html><html></html>", ("page web",), True),
    Depot("tableur", lambda: b"PK\x03\x04" + bytes(200), ("archive",), True),
    Depot("script", lambda: b"reponse_1 = 733\n", ("n'est pas un notebook",), True),
    Depot("conflit-git", lambda: b"<<<<<<< HEAD\n" + written(honest()), ("ligne 1",), True),
    Depot("utf-16", lambda: written(honest()).decode().encode("utf-16"), ("UTF-16",), True),
    Depot("utf-16-nu", lambda: written(honest()).decode().encode("utf-16-le"), ("UTF-16",), True),
    Depot("utf-32", lambda: written(honest()).decode().encode("utf-32"), ("UTF-32",), True),
    Depot(
        "latin-1",
        lambda: written(honest()).decode().replace("’", "'").encode("latin-1", "replace"),
        ("UTF-8",),
        True,
    ),
    Depot("nombre", lambda: b"3", ("n'est pas un notebook",), True),
    Depot("liste", lambda: b"[1, 2]", ("n'est pas un notebook",), True),
    Depot("sans-cellules", lambda: b'{"nbformat": 4, "metadata": {}}', ("cellules",), True),
    Depot("cellules-texte", lambda: b'{"cells": "x"}', ("cellules",), True),
    Depot("cellules-vides", lambda: b'{"cells": []}', ("vide",), True),
    Depot("emboite", _deep, ("emboîtés",), True),
    Depot("crochets", lambda: b'{"cells": [' + b"[]," * 3_000_000 + b"0]}", ("trop",), True),
    Depot(
        "trop-de-cellules",
        lambda: json.dumps({"cells": [{"source": "1"}] * 5000}).encode(),
        ("5000 cellules",),
        True,
    ),
    Depot(
        "cellule-immense",
        _changed(lambda c: cell_of(c, "reponse-1").update(source="#" * 6_000_000)),
        ("collées",),
        True,
    ),
    Depot("trop-lourd", lambda: written(honest()) + b" " * (21 << 20), ("Mo",), True),
    Depot("autre-exercice", _wrong_exercise, ("autre exercice",), True),
    Depot("notebook-a-soi", _own_notebook, ("aucune cellule",), True),
)


@dataclass(frozen=True)
class Source:
    """A folder or an archive handed to the trainer, and what is to be found in it."""

    name: str
    make: Callable[[Path], Path]
    graded: Mapping[str, str] = field(default_factory=dict)
    """Learners whose submission is taken, and its exercise."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Learners who are refused, and words of the reason."""
    ignored: tuple[str, ...] = ()
    """Words of the lines about nobody's files."""
    notes: Mapping[str, str] = field(default_factory=dict)
    """Learners to whom something is said, and words of it."""
    error: str = ""
    """Words of the error, when the source itself cannot be read."""


GOOD = "Nom Honnête_100_assignsubmission_file_"
GOOD_ID = "nom-honnete-100"


def _notebook(slug: str = SLUG) -> bytes:
    return written(honest()) if slug == SLUG else released(slug)[f"{slug}.ipynb"]


def zipped(files: Mapping[str, bytes], dates: Mapping[str, int] | None = None) -> bytes:
    """Make a ZIP; `dates` gives the minute of each file."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2026, 3, 1, 12, (dates or {}).get(name, 0), 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o100644 << 16
            archive.writestr(info, data)
    return made.getvalue()


def _moodle(
    files: Mapping[str, bytes] | Callable[[], Mapping[str, bytes]],
    dates: Mapping[str, int] | None = None,
) -> Callable[[Path], Path]:
    """Make a Moodle export in which an honest learner stands beside the others."""

    def make(folder: Path) -> Path:
        content = files() if callable(files) else files
        path = folder / "export.zip"
        path.write_bytes(zipped({f"{GOOD}/{FILE}": _notebook(), **content}, dates))
        return path

    return make


def _in_moodle(archive: Callable[[], bytes], name: str = "devoir.zip") -> Callable[[Path], Path]:
    return _moodle(lambda: {f"Rusé Piège_7_assignsubmission_file_/{name}": archive()})


def _tree(files: Callable[[], Mapping[str, bytes]], name: str = "classe") -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        root = folder / name
        for path, data in files().items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(data)
        return root

    return make


def _submitted(folder: Path) -> Path:
    return _tree(
        lambda: {
            f"submitted/alice/{SLUG}/{FILE}": _notebook(),
            f"submitted/alice/{SLUG}/timestamp.txt": b"2026-03-01 12:00:00.5 UTC",
            f"submitted/alice/{SLUG}/donnees/communes.csv": b"a\n",
            f"submitted/alice/{OTHER}/{OTHER}.ipynb": _notebook(OTHER),
            f"submitted/Bob/{SLUG}/{FILE}": _notebook(),
            f"submitted/Bob/{SLUG}/timestamp.txt": b"hier soir",
            f"submitted/carole/{SLUG}/notes.txt": b"rien",
            "submitted/dan/inconnu/inconnu.ipynb": _notebook(),
            "submitted/perdu.ipynb": _notebook(),
            f"source/{SLUG}/{FILE}": _notebook(),
            "gradebook.db": b"",
        },
        "cours",
    )(folder)


def _submitted_alone(folder: Path) -> Path:
    return _submitted(folder) / "submitted"


def _links(folder: Path) -> Path:
    root = _submitted(folder) / "submitted"
    outside = folder / "ailleurs"
    outside.mkdir()
    (outside / FILE).write_bytes(_notebook())
    (root / "erin").symlink_to(outside)
    (root / "franck").mkdir()
    (root / "franck" / SLUG).symlink_to(root / "alice" / SLUG)
    for name in ("gina", "hugo", "iris"):
        (root / name / SLUG).mkdir(parents=True)
    (root / "gina" / SLUG / FILE).symlink_to(outside / FILE)
    os.link(outside / FILE, root / "hugo" / SLUG / FILE)
    os.mkfifo(root / "iris" / SLUG / FILE)
    (root / "alice" / SLUG / "boucle").symlink_to(root)
    return root


def _loose() -> dict[str, bytes]:
    return {
        "dupont.ipynb": _notebook(),
        f"Martin_{SLUG}.ipynb": _notebook(),
        f"{SLUG} - Élodie O'Neil.ipynb": _notebook(),
        "jean/devoir final.ipynb": _notebook(),
        f"jean/{OTHER}.ipynb": _notebook(OTHER),
        f"Zoé/{SLUG}/{FILE}": _notebook(),
        f"Zoé/{SLUG}/verifier.py": b"",
        "lea.ipynb.txt": _notebook(),
        "noe.zip": zipped({f"{SLUG}/{FILE}": _notebook(), f"{SLUG}/verifier.py": b""}),
        "grille.xlsx": b"PK",
        "vide.ipynb": b"",
        ".DS_Store": b"x",
    }


def _raw_zip(name: bytes, data: bytes, flags: int = 0, attributes: int = 0) -> bytes:
    """Write a ZIP by hand, with a name and marks that `zipfile` would not write."""
    crc, size = zlib.crc32(data), len(data)
    common = struct.pack("<HHHHHLLLHH", 20, flags, 0, 0, 0x21, crc, size, size, len(name), 0)
    local = b"PK\x03\x04" + common + name + data
    central = b"PK\x01\x02" + struct.pack("<H", 0x0314) + common
    central += struct.pack("<HHHLL", 0, 0, 0, attributes, 0) + name
    end = struct.pack("<4sHHHHLLH", b"PK\x05\x06", 0, 0, 1, 1, len(central), len(local), 0)
    return local + central + end


def _bomb() -> bytes:
    return zipped({FILE: bytes(80 << 20)})


def _nested_bombs() -> bytes:
    inner = zipped({FILE: bytes(30 << 20)})
    return zipped({f"{rank}.zip": inner for rank in range(50)})


def _many_files() -> bytes:
    return zipped({f"{rank}.txt": b"" for rank in range(6000)} | {FILE: _notebook()})


def _overlapping() -> bytes:
    """Point a second name at the bytes of the first, as overlapping bombs do."""
    data = bytearray(zipped({"a.ipynb": _notebook(), "b.ipynb": _notebook()}))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = struct.pack("<L", 0)
    return bytes(data)


def _bad_crc() -> bytes:
    data = bytearray(zipped({FILE: _notebook()}))
    data[200:210] = bytes(10)
    return bytes(data)


def _tar(*members: tuple[str, bytes, bytes]) -> bytes:
    """Make a .tar.gz of (name, type, content or link's target)."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                info.linkname = content.decode()
                archive.addfile(info)
    return made.getvalue()


def _tar_export(folder: Path) -> Path:
    path = folder / "export.tar.gz"
    ruse = "Rusé Piège_7_assignsubmission_file_"
    path.write_bytes(
        _tar(
            (f"{GOOD}/{FILE}", tarfile.REGTYPE, _notebook()),
            (f"{ruse}/{FILE}", tarfile.SYMTYPE, b"/etc/passwd"),
        )
    )
    return path


def _gz_bomb() -> bytes:
    return zlib.compress(bytes(80 << 20), 9, 31)


def _bytes(name: str, data: Callable[[], bytes]) -> Callable[[Path], Path]:
    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(data())
        return path

    return make


def _printed(content: dict[str, Any], times: int) -> dict[str, Any]:
    """Print one line many times, as an honest loop does."""
    text = {"output_type": "stream", "name": "stdout", "text": "bonjour\n" * times}
    cell_of(content, "reponse-1")["outputs"] = [text]
    return content


_RUSE = "ruse-piege-7"
_PREFIX = "Rusé Piège_7_assignsubmission_file_"


def _tricky(name: str, reason: str, archive: Callable[[], bytes], file: str = "x.zip") -> Source:
    """Put an archive that plays tricks among a Moodle export: its learner alone is refused."""
    return Source(name, _in_moodle(archive, file), {GOOD_ID: SLUG}, {_RUSE: reason})


SOURCES = (
    Source(
        "submitted-dans-son-cours",
        _submitted,
        {f"alice {SLUG}": SLUG, f"alice {OTHER}": OTHER, "Bob": SLUG},
        {"carole": "pas de notebook"},
        ("dan/inconnu", "perdu.ipynb"),
    ),
    Source(
        "submitted-seul",
        _submitted_alone,
        {f"alice {SLUG}": SLUG, f"alice {OTHER}": OTHER, "Bob": SLUG},
        {"carole": "pas de notebook"},
    ),
    Source(
        "submitted-zippe-et-nom-de-controle",
        _bytes(
            "classe.zip",
            lambda: zipped(
                {
                    f"Bob/{SLUG}/{FILE}": _notebook(),
                    f"eve/{SLUG}/{FILE}": _notebook(),
                    f"eve/{SLUG}/a\x1b.txt": b"1",
                    "\x1b/x": b"2",
                }
            ),
        ),
        {"Bob": SLUG},
        {"eve": "contrôle", "eleve-83d544": "contrôle"},
    ),
    Source(
        "liens",
        _links,
        {f"alice {SLUG}": SLUG, f"alice {OTHER}": OTHER, "Bob": SLUG},
        {
            "carole": "",
            "erin": "lien",
            "franck": "lien",
            "gina": "lien",
            "hugo": "lien",
            "iris": "ordinaire",
        },
        notes={"alice": "boucle"},
    ),
    Source(
        "notebooks-en-vrac",
        _tree(_loose),
        {
            "dupont": SLUG,
            "martin": SLUG,
            "elodie-o-neil-*": SLUG,
            f"jean {SLUG}": SLUG,
            f"jean {OTHER}": OTHER,
            "zoe-*": SLUG,
            "lea": SLUG,
            "noe": SLUG,
        },
        {"vide": "vide"},
        ("grille.xlsx",),
    ),
    Source(
        "par-exercice",
        _tree(
            lambda: {
                f"{SLUG}/dupont.ipynb": _notebook(),
                f"{SLUG}/martin/travail.ipynb": _notebook(),
                f"{OTHER}/dupont.ipynb": _notebook(OTHER),
            }
        ),
        {f"dupont {SLUG}": SLUG, f"dupont {OTHER}": OTHER, "martin": SLUG},
    ),
    Source("un-seul-fichier", _bytes("dupont.ipynb", _notebook), {"dupont": SLUG}),
    Source(
        "dossier-de-l-exercice-zippe",
        _bytes(
            "dupont.zip",
            lambda: zipped({f"{SLUG}/{name}": data for name, data in released(SLUG).items()}),
        ),
        {"dupont": SLUG},
    ),
    Source(
        "classe-zippee",
        _bytes(
            "classe.zip",
            lambda: zipped({f"classe/{name}": data for name, data in _loose().items()}),
        ),
        {"dupont": SLUG, "martin": SLUG, f"jean {OTHER}": OTHER, "noe": SLUG},
        {"vide": "vide"},
        ("grille.xlsx",),
    ),
    Source(
        "moodle-dossiers",
        _moodle(
            lambda: {
                "D'Arc Éloïse_1_assignsubmission_file_/Mon devoir.ipynb": _notebook(),
                "Martin Jean_2_assignsubmission_file_/devoir.ipynb": _notebook(),
                "Martin Jean_3_assignsubmission_file_/devoir.ipynb": _notebook(),
                "Le Goff Yann_4_assignsubmission_file_/tout.zip": zipped(
                    {f"{SLUG}/{name}": data for name, data in released(SLUG).items()}
                    | {f"{SLUG}/{FILE}": _notebook()}
                ),
                "Petit Luc_5_assignsubmission_file_/devoir.docx": b"PK",
                "Roy Ana_6_assignsubmission_onlinetext_/onlinetext.html": b"<p>Bonjour</p>",
                "Noël Zoé_8_assignsubmission_file_/devoir.rar": b"Rar!",
            }
        ),
        {
            GOOD_ID: SLUG,
            "d-arc-eloise-1": SLUG,
            "martin-jean-2": SLUG,
            "martin-jean-3": SLUG,
            "le-goff-yann-4": SLUG,
        },
        {
            "petit-luc-5": "devoir.docx",
            "roy-ana-6": "pas de notebook",
            "noel-zoe-8": "n'est pas un ZIP",
        },
    ),
    Source(
        "moodle-fichiers",
        _bytes(
            "export.zip",
            lambda: zipped(
                {
                    f"D'Arc Éloïse_1_assignsubmission_file_{FILE}": _notebook(),
                    f"Martin Jean_2_assignsubmission_file_{FILE}": _notebook(),
                    f"Martin Jean_3_assignsubmission_file_{OTHER}.ipynb": _notebook(OTHER),
                }
            ),
        ),
        {"d-arc-eloise-1": SLUG, "martin-jean-2": SLUG, "martin-jean-3": OTHER},
    ),
    Source(
        "autres-plateformes",
        _tree(
            lambda: {
                "Devoir_ldupont_attempt_2026-03-01-12-00-00_x.ipynb": written(
                    honest({"reponse-1": "reponse_1 = 1"})
                ),
                "Devoir_ldupont_attempt_2026-03-02-12-00-00_x.ipynb": _notebook(),
                "martinjean_LATE_1200_345_x.ipynb": _notebook(),
                "martinjean_1300_346_x.ipynb": _notebook(),
            }
        ),
        {"ldupont": SLUG, "martinjean-1200": SLUG, "martinjean-1300": SLUG},
        notes={"ldupont": "« 2026-03-02-12-00-00_x.ipynb » a été pris"},
    ),
    Source(
        "une-ligne-imprimee-un-million-de-fois",
        _moodle(
            lambda: {
                f"{_PREFIX}/{FILE}": written(_printed(honest(), 1_500_000)),
                f"Trop Long_9_assignsubmission_file_/{FILE}": written(
                    _printed(honest(), 5_000_000)
                ),
            }
        ),
        {GOOD_ID: SLUG, _RUSE: SLUG},
        {"trop-long-9": "effacez les résultats"},
    ),
    Source(
        "export-dans-un-dossier",
        _bytes("export.zip", lambda: zipped({f"devoirs/{GOOD}/{FILE}": _notebook()})),
        {GOOD_ID: SLUG},
    ),
    Source(
        "export-dans-une-archive",
        _tree(lambda: {"classe.zip": zipped({f"{GOOD}/{FILE}": _notebook()})}),
        refused={"classe": "toute une classe"},
    ),
    Source(
        "deux-depots-dates",
        _moodle(
            lambda: {
                f"{_PREFIX}/premier.ipynb": written(honest({"reponse-1": "reponse_1 = 1"})),
                f"{_PREFIX}/second.ipynb": _notebook(),
            },
            {f"{_PREFIX}/premier.ipynb": 1, f"{_PREFIX}/second.ipynb": 30},
        ),
        {GOOD_ID: SLUG, _RUSE: SLUG},
        notes={_RUSE: "« second.ipynb » a été pris"},
    ),
    Source(
        "deux-depots-sans-date",
        _moodle(
            lambda: {
                f"{_PREFIX}/un.ipynb": written(honest({"reponse-1": "reponse_1 = 1"})),
                f"{_PREFIX}/deux.ipynb": _notebook(),
            }
        ),
        {GOOD_ID: SLUG},
        {_RUSE: "Rien ne dit lequel"},
    ),
    Source(
        "copies-du-navigateur",
        _tree(
            lambda: {
                "dupont.ipynb": written(honest({"reponse-1": "reponse_1 = 1"})),
                "dupont (1).ipynb": _notebook(),
                f"jean/{FILE}": _notebook(),
                f"jean/{SLUG}-Copy1.ipynb": written(honest({"reponse-1": "reponse_1 = 1"})),
                f"lea/{FILE}": written(blank()),
                "lea/rempli.ipynb": _notebook(),
            }
        ),
        {"dupont": SLUG, "jean": SLUG, "lea": SLUG},
        notes={"dupont": "« dupont (1).ipynb »", "jean": f"« {FILE} »", "lea": "« rempli.ipynb »"},
    ),
    Source(
        "noms-caches-et-sens-de-lecture",
        _moodle(
            lambda: {
                f"Sans Nom_1_assignsubmission_file_/.{FILE}": _notebook(),
                f"Deux Noms_2_assignsubmission_file_/{FILE}": _notebook(),
                "Deux Noms_2_assignsubmission_file_/.brouillon.ipynb": written(blank()),
                f"\u200fA\u202eB_3_assignsubmission_file_/{FILE}\u200e": _notebook(),
                f"A\x1b[2J_4_assignsubmission_file_/{FILE}": _notebook(),
                f"Bavard Luc_5_assignsubmission_file_{'x' * 200}.ipynb": _notebook(),
                f"Faux Zip_6_assignsubmission_file_/{FILE}.zip": _notebook(),
            }
        ),
        {GOOD_ID: SLUG, "sans-nom-1": SLUG, "deux-noms-2": SLUG, "ab-3": SLUG, "faux-zip-6": SLUG},
        {"a-2j-4": "contrôle", "bavard-luc-5": "trop long"},
    ),
    Source(
        "fichiers-dans-des-fichiers",
        _moodle(
            lambda: {
                f"{_PREFIX}/{FILE}": _notebook(),
                f"{_PREFIX}/a": b"1",
                f"{_PREFIX}/A/b/c.txt": b"2",
                f"{_PREFIX}/A/b": b"3",
                f"{_PREFIX}/{FILE}/x.txt": b"4",
                f"{_PREFIX}/donnees": b"5",
                f"{_PREFIX}/verifier.py/x": b"6",
                f"{_PREFIX}/timestamp.txt": b"1999-01-01 00:00:00 UTC",
                "Un Zip_8_assignsubmission_file_/d.zip": zipped(
                    {"devoir.ipynb": _notebook(), f"{FILE}/x": b"1", "timestamp.txt/x": b"2"}
                ),
            }
        ),
        {GOOD_ID: SLUG, _RUSE: SLUG, "un-zip-8": SLUG},
        notes={_RUSE: "aussi celui d'un dossier"},
    ),
    Source(
        "archives-de-windows-et-macos",
        _moodle(
            lambda: {
                "Un Mac_1_assignsubmission_file_/d.zip": zipped(
                    {f"{SLUG}/{FILE}": _notebook(), f"__MACOSX/{SLUG}/._{FILE}": b"x"}
                ),
                "Un Net_2_assignsubmission_file_/d.zip": _raw_zip(
                    f"{SLUG}\\{FILE}".encode(), _notebook()
                ),
                "Un Ancien_3_assignsubmission_file_/d.zip": _raw_zip(
                    "déposé.ipynb".encode("cp850"), _notebook()
                ),
            }
        ),
        {GOOD_ID: SLUG, "un-mac-1": SLUG, "un-net-2": SLUG, "un-ancien-3": SLUG},
    ),
    _tricky("zip-remonte", "sort du dossier", lambda: zipped({f"../../{FILE}": _notebook()})),
    _tricky("zip-absolu", "machine", lambda: zipped({"/etc/x.ipynb": _notebook()})),
    _tricky("zip-lecteur", "machine", lambda: zipped({"C:\\x.ipynb": _notebook()})),
    _tricky("zip-antislash", "sort du dossier", lambda: _raw_zip(b"..\\..\\x.ipynb", _notebook())),
    _tricky("zip-controle", "contrôle", lambda: zipped({"a\x1b[2J.ipynb": _notebook()})),
    _tricky("zip-nul", "contrôle", lambda: _raw_zip(b"a.ipynb\0.txt", _notebook())),
    _tricky("zip-nom-long", "trop long", lambda: zipped({"a" * 300 + ".ipynb": _notebook()})),
    _tricky("zip-profond", "trop long", lambda: zipped({"a/" * 30 + FILE: _notebook()})),
    _tricky("zip-lien", "lien", lambda: _raw_zip(FILE.encode(), b"/etc/passwd", 0, 0o120777 << 16)),
    _tricky("zip-chiffre", "mot de passe", lambda: _raw_zip(FILE.encode(), _notebook(), 1)),
    _tricky("zip-bombe", "50 Mo", _bomb),
    _tricky("zip-bombes-emboitees", "pas de notebook", _nested_bombs),
    _tricky("zip-innombrable", "trop de fichiers", _many_files),
    _tricky("zip-chevauchement", "piégée", _overlapping),
    _tricky("zip-crc", "abîmé", _bad_crc),
    _tricky("zip-tronque", "abîmée", lambda: zipped({FILE: _notebook()})[:500]),
    _tricky("zip-faux", "abîmée", lambda: b"PK bonjour"),
    _tricky("zip-vide", "pas de notebook", lambda: zipped({})),
    _tricky(
        "tar-lien-dur",
        "lien",
        lambda: _tar((FILE, tarfile.LNKTYPE, b"/etc/passwd")),
        "x.tar.gz",
    ),
    _tricky("tar-tube", "lien", lambda: _tar((FILE, tarfile.FIFOTYPE, b"")), "x.tar.gz"),
    _tricky("tar-bombe", "piégée", _gz_bomb, "x.tar.gz"),
    Source("tar-export", _tar_export, {GOOD_ID: SLUG}, {_RUSE: "lien"}),
    Source(
        "export-piege",
        _moodle(
            lambda: {
                "../../evil.ipynb": _notebook(),
                "/etc/evil.ipynb": _notebook(),
                f"{_PREFIX}/../../x.ipynb": _notebook(),
            }
        ),
        {GOOD_ID: SLUG},
        {_RUSE: "sort du dossier"},
        ("sort du dossier", "machine"),
    ),
    Source(
        "export-tronque",
        _bytes("export.zip", lambda: zipped({f"{GOOD}/{FILE}": _notebook()})[:-30]),
        error="tronquée",
    ),
    Source("introuvable", lambda folder: folder / "absent.zip", error="introuvable"),
)
