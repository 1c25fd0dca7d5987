"""The notebooks of the course, and what each must hold to be published."""

import re
from pathlib import Path
from typing import Any

import nbformat

from culture_d.errors import NotebookError
from culture_d.project import Project

# Signs below which an alternative text cannot say what a figure shows.
MIN_ALTERNATIVE = 60
# Kind of the pictures, and the attribute that carries the digest of what one draws.
PICTURE = "image/svg+xml"
DIGEST = "data-dessin"
STEPS = (
    "La situation",
    "Votre intuition",
    "Les données",
    "Le piège",
    "La lecture juste",
    "La décision",
    "À retenir",
    "Pour aller plus loin",
)


def notebook_paths(project: Project) -> list[Path]:
    """List the notebooks of the course, in order of path."""
    return sorted(
        path
        for path in project.notebooks.rglob("*.ipynb")
        if ".ipynb_checkpoints" not in path.parts
    )


def read(path: Path) -> Any:
    """Read a notebook.

    Raises:
        NotebookError: missing, or not a notebook.
    """
    try:
        return nbformat.read(path, as_version=4)
    except FileNotFoundError:
        raise NotebookError(f"Le carnet « {path} » est introuvable.") from None
    except (ValueError, AttributeError, KeyError, nbformat.reader.NotJSONError) as error:
        raise NotebookError(f"« {path} » n'est pas un carnet lisible : {error}.") from None


def check(path: Path) -> None:
    """Check what a notebook must hold before it is published.

    The eight steps, outputs stored and without error, one figure a cell, each with
    its alternative text, no widget state.

    Raises:
        NotebookError: names the notebook and the cell.
    """
    notebook = read(path)
    titles = [
        line[3:].strip()
        for cell in notebook.cells
        if cell.cell_type == "markdown"
        for line in cell.source.splitlines()
        if line.startswith("## ")
    ]
    if tuple(titles) != STEPS:
        raise NotebookError(
            f"Le carnet « {path} » doit avoir les huit étapes, dans l'ordre : "
            f"{', '.join(STEPS)}. Trouvé : {', '.join(titles) or 'aucune'}."
        )
    if "widgets" in notebook.metadata:
        raise NotebookError(
            f"Le carnet « {path} » garde l'état d'un widget. Relancez « culture-d executer »."
        )
    for cell in notebook.cells:
        if cell.cell_type == "code":
            _check_cell(path, cell)


def _check_cell(path: Path, cell: Any) -> None:
    where = f"Le carnet « {path} », cellule « {cell.id} »"
    if not cell.execution_count:
        raise NotebookError(f"{where} : pas encore exécutée. Lancez « culture-d executer ».")
    if any(output.output_type == "error" for output in cell.outputs):
        raise NotebookError(f"{where} : le résultat enregistré est une erreur.")
    if any(output.get("name") == "stderr" for output in cell.outputs):
        raise NotebookError(f"{where} : un avertissement est enregistré. Corrigez sa cause.")
    figures = [output for output in cell.outputs if PICTURE in output.get("data", {})]
    if len(figures) > 1:
        raise NotebookError(f"{where} : une seule figure par cellule, {len(figures)} trouvées.")
    for figure in figures:
        alternative = figure.metadata.get(PICTURE, {}).get("alt", "")
        shown = "".join(figure.data.get("text/plain", ""))
        if len(alternative) < MIN_ALTERNATIVE or alternative != shown:
            raise NotebookError(
                f"{where} : la figure n'a pas de texte de remplacement. "
                "Montrez-la avec « afficher_figure », argument « alternative »."
            )
        if _digest_in(figure) not in _digests_said(cell):
            raise NotebookError(
                f"{where} : l'image n'est pas celle que la cellule dessine. "
                "Relancez « culture-d executer »."
            )


def _digest_in(figure: Any) -> str:
    """Digest that a stored picture carries, or nothing."""
    found = re.search(rf'<svg [^>]*{DIGEST}="([0-9a-f]{{16}})"', "".join(figure.data[PICTURE]))
    return found[1] if found else "aucune"


def _digests_said(cell: Any) -> set[str]:
    """Digests printed beside the figures of a cell."""
    html = "".join("".join(output.get("data", {}).get("text/html", "")) for output in cell.outputs)
    return set(re.findall(rf'{DIGEST}="([0-9a-f]{{16}})"', html))


def outputs(notebook: Any) -> list[Any]:
    """List what readers see of each code cell, figures by their text alone."""
    return [
        [
            {key: value for key, value in output.get("data", output).items() if key != PICTURE}
            for output in cell.outputs
        ]
        for cell in notebook.cells
        if cell.cell_type == "code"
    ]
