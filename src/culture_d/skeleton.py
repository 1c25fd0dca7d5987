"""The skeleton of a new module: notebook, trainer's sheet, place in the map and contents."""

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from ruamel.yaml import YAML

from culture_d.curriculum import Module, check_agreement, load_curriculum, modules
from culture_d.errors import CurriculumError
from culture_d.execution import execute
from culture_d.french import typeset
from culture_d.notebooks import STEPS, check
from culture_d.project import Project
from culture_d.sheets import CAPTION, INDEX, document, sheet_path, skeleton

PROMPTS = {
    "La situation": "Une courte scène : qui demande quoi, pour quand ? La question en une phrase.",
    "Votre intuition": "Ce que le lecteur répond avant de voir (fonction « intuition »).",
    "Les données": "Qui les a produites, de quand elles datent (fonction « fiche »).",
    "Le piège": "Ce que l'on découvre en regardant, sans l'annoncer.",
    "La lecture juste": "Une figure (fonction « afficher_figure ») et la réponse en une phrase.",
    "La décision": "Ce qu'il faut dire, demander ou voter. Ce que les chiffres ne disent pas.",
    "À retenir": "Trois phrases, puis les questions à poser la prochaine fois.",
    "Pour aller plus loin": "Le niveau de l'agent, l'exercice, la fiche de droit, les mots.",
}


def create_module(project: Project, slug: str) -> Path:
    """Create the notebook and the trainer's sheet of a planned module, and publish it in the map.

    Args:
        project: the course.
        slug: of a module that `book/curriculum.yml` says planned.

    Returns:
        The new notebook, already run.

    Raises:
        CurriculumError: unknown or already published slug, or a course whose files
            disagree already; nothing is changed.
    """
    parts = load_curriculum(project)
    every = {module.slug: module for module in modules(parts)}
    if slug not in every:
        raise CurriculumError(
            f"Le module « {slug} » n'est pas dans « {project.curriculum} ». "
            "Ajoutez-y d'abord sa ligne (slug, titre, question, minutes, « status: planned »)."
        )
    module = every[slug]
    path = project.root / f"{module.document}.ipynb"
    sheet = sheet_path(project, slug)
    if module.published or path.exists() or sheet.exists():
        raise CurriculumError(f"Le module « {slug} » existe déjà : « {path} ».")
    check_agreement(project)
    before = {file: file.read_bytes() for file in (project.curriculum, project.toc)}
    new_folder = not path.parent.exists()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        text = nbformat.writes(_notebook(module)) + "\n"
        path.write_text(text, encoding="utf-8", newline="\n")
        execute(path, check)
        sheet.parent.mkdir(parents=True, exist_ok=True)
        sheet.write_text(skeleton(module), encoding="utf-8", newline="\n")
        _publish(project, slug)
        captions = {part.slug: part.title for part in parts}
        published = [one for one in modules(load_curriculum(project)) if one.published]
        order = [one.document for one in published]
        _add_to_contents(project, captions[module.part], module.document, order)
        sheets = [document(INDEX), *(document(one.slug) for one in published)]
        _add_to_contents(project, CAPTION, document(slug), sheets)
        check_agreement(project)
    except BaseException:
        path.unlink(missing_ok=True)
        sheet.unlink(missing_ok=True)
        for file, content in before.items():
            file.write_bytes(content)
        if new_folder:
            with suppress(OSError):
                path.parent.rmdir()
        raise
    return path


def _notebook(module: Module) -> Any:
    cells = [
        _markdown("titre", f"# {module.title} : {module.question[:1].lower()}{module.question[1:]}")
    ]
    for number, step in enumerate(STEPS, start=1):
        cells.append(_markdown(f"etape-{number}", f"## {step}\n\n*À écrire.* {PROMPTS[step]}"))
        if step == "La situation":
            source = "from culture_d.notebook import phrase, style\n\nstyle()"
            cell = new_code_cell(source, id="preparation", metadata={"tags": ["hide-input"]})
            cells.append(cell)
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    return new_notebook(cells=cells, metadata={"kernelspec": kernel})


def _markdown(cell_id: str, source: str) -> Any:
    return new_markdown_cell(typeset(source), id=cell_id)


def _yaml() -> YAML:
    yaml = YAML()
    yaml.width = 4096
    yaml.preserve_quotes = True
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _publish(project: Project, slug: str) -> None:
    yaml = _yaml()
    content = yaml.load(project.curriculum)
    for part in content["parts"]:
        for module in part["modules"]:
            if module["slug"] == slug:
                module["status"] = "published"
    yaml.dump(content, project.curriculum)


def _add_to_contents(project: Project, caption: str, page: str, order: Sequence[str]) -> None:
    """Insert a page in its part, in the order given, among pages that are not in it."""
    yaml = _yaml()
    content = yaml.load(project.toc)
    parts = content["parts"]
    captions = [part["caption"] for part in parts]
    if caption not in captions:
        parts.insert(_part_place(project, captions, caption), {"caption": caption, "chapters": []})
        captions = [part["caption"] for part in parts]
    chapters = parts[captions.index(caption)]["chapters"]
    rank = order.index(page)
    listed = [entry["file"] for entry in chapters]
    later = [place for place, name in enumerate(listed) if name in order[rank + 1 :]]
    earlier = [place for place, name in enumerate(listed) if name in order[:rank]]
    chapters.insert(min(later) if later else max(earlier, default=-1) + 1, {"file": page})
    yaml.dump(content, project.toc)


def _part_place(project: Project, captions: list[str], caption: str) -> int:
    """Return where a new part goes: after the parts that come before it in the map."""
    titles = [part.title for part in load_curriculum(project)]
    before = set(titles[: titles.index(caption)])
    places = [place for place, name in enumerate(captions) if name in before]
    return places[-1] + 1 if places else 1
