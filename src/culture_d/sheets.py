"""Trainers' sheets: one a module, in `book/formateurs/`, with a script timed to the minute."""

import re
from dataclasses import dataclass, replace
from pathlib import Path

from culture_d.curriculum import Module, contents, load_curriculum, modules
from culture_d.errors import SheetError
from culture_d.french import accord, pourcent
from culture_d.project import Project

INDEX = "index"
CAPTION = "Animer"
"""Part of the table of contents that holds the sheets."""

HEADINGS = (
    "Le but",
    "Déroulé",
    "Matériel",
    "Trois questions clés",
    "Ce qui coince",
    "Sans ordinateur",
    "En binôme",
)
ACTIVITY = "activité"
LEAST_ACTIVITY = 0.55
_STEP = re.compile(
    r"(?P<minutes>\d+) min, (?P<kind>exposé|activité)(?: \((?P<cell>[\w-]+)\))?\s*:\s*(?P<text>.+)"
)
_SCRIPT = r"^```{{deroule}} {slug}\s*\n(.*?)^```"


@dataclass(frozen=True)
class ScriptStep:
    """A moment of a session: its minutes, its kind (`exposé` or `activité`), what is done.

    `cell` is the notebook's cell on screen at its beginning: the slides follow it.
    """

    minutes: int
    kind: str
    text: str
    cell: str = ""


def sheet_path(project: Project, slug: str) -> Path:
    """Return where the sheet of a module is."""
    return project.book / "formateurs" / f"{slug}.md"


def document(slug: str) -> str:
    """Return the name of the page of a sheet."""
    return f"book/formateurs/{slug}"


def read_script(text: str) -> tuple[ScriptStep, ...]:
    """Read a script: lines « 3 min, activité (cellule) : … », the lines set back go on.

    Raises:
        SheetError: a line that is neither a step nor the rest of one.
    """
    steps: list[ScriptStep] = []
    for line in text.splitlines():
        found = _STEP.fullmatch(line.strip())
        if found and not line[:1].isspace():
            cell = found["cell"] or ""
            steps.append(ScriptStep(int(found["minutes"]), found["kind"], found["text"], cell))
        elif steps and line[:1].isspace() and line.strip():
            last = steps.pop()
            steps.append(replace(last, text=f"{last.text} {line.strip()}"))
        elif line.strip():
            raise SheetError(
                f"La ligne « {line} » du déroulé ne se lit pas. Écrivez « 3 min, activité : … » ou "
                "« 2 min, exposé : … ». Décalez de deux espaces les lignes qui suivent."
            )
    return tuple(steps)


def module_script(project: Project, module: Module) -> tuple[ScriptStep, ...]:
    """Read and check the script of a module's sheet.

    Raises:
        SheetError: no script, or one that does not hold.
    """
    path = sheet_path(project, module.slug)
    text = path.read_text(encoding="utf-8")
    found = re.search(_SCRIPT.format(slug=re.escape(module.slug)), text, re.MULTILINE | re.DOTALL)
    if not found:
        raise SheetError(
            f"La fiche « {path} » n'a pas de déroulé : il y faut « {{deroule}} {module.slug} »."
        )
    steps = read_script(found[1])
    check_script(steps, module)
    return steps


def sheet_sections(project: Project, slug: str) -> dict[str, str]:
    """Return the Markdown of each part of a sheet, under its heading."""
    text = sheet_path(project, slug).read_text(encoding="utf-8")
    parts = re.split(r"^## (.+?)\s*$", text, flags=re.MULTILINE)
    return {heading: body.strip() for heading, body in zip(parts[1::2], parts[2::2], strict=True)}


def check_script(steps: tuple[ScriptStep, ...], module: Module) -> None:
    """Check that a script lasts what the map says, and that people do most of it.

    Raises:
        SheetError: another sum of minutes, a step without a minute, or too much talk.
    """
    total = sum(step.minutes for step in steps)
    if total != module.minutes or any(not step.minutes for step in steps):
        raise SheetError(
            f"Le déroulé de « {module.slug} » dure {accord(total, 'minute')}. La carte des modules "
            f"en annonce {module.minutes}. Corrigez l'un ou l'autre ; chaque étape a sa durée."
        )
    active = sum(step.minutes for step in steps if step.kind == ACTIVITY)
    if active < LEAST_ACTIVITY * total:
        raise SheetError(
            f"Le déroulé de « {module.slug} » n'a que {pourcent(active / total)} d'activité, pour "
            f"{pourcent(LEAST_ACTIVITY)} au moins. Faites faire ce qui est seulement dit."
        )


def check_sheets(project: Project) -> None:
    """Check that each published module has its sheet, whole and in the table of contents.

    Raises:
        SheetError: names the sheet at fault.
    """
    listed = {name for _, names in contents(project) for name in names}
    published = {module.slug for module in modules(load_curriculum(project)) if module.published}
    folder = project.book / "formateurs"
    found = {path.stem for path in folder.glob("*.md")} - {INDEX}
    for slug in sorted(published - found):
        raise SheetError(
            f"Le module « {slug} » n'a pas de fiche de formation. Écrivez « {folder / slug}.md », "
            f"avec les parties : {', '.join(HEADINGS)}."
        )
    for slug in sorted(found):
        _check_sheet(sheet_path(project, slug), slug in published, document(slug) in listed)


def _check_sheet(path: Path, published: bool, listed: bool) -> None:
    if not published:
        raise SheetError(
            f"La fiche « {path} » ne va avec aucun module publié. Donnez-lui le nom d'un module, "
            "ou retirez-la."
        )
    if not listed:
        raise SheetError(f"La fiche « {path} » n'est pas dans « _toc.yml ». Ajoutez-l'y.")
    headings = re.findall(r"^## (.+?)\s*$", path.read_text(encoding="utf-8"), re.MULTILINE)
    if tuple(headings) != HEADINGS:
        raise SheetError(
            f"La fiche « {path} » doit avoir ces parties, dans l'ordre : {', '.join(HEADINGS)}. "
            f"Trouvé : {', '.join(headings) or 'aucune'}."
        )


def skeleton(module: Module) -> str:
    """Write the sheet of a new module, to be filled in."""
    active = module.minutes - module.minutes // 4
    script = (
        f"{module.minutes - active} min, exposé (etape-1) : à écrire\n"
        f"{active} min, activité (etape-2) : à écrire\n"
    )
    parts = "".join(
        f"\n## {heading}\n\n"
        + (
            f"```{{deroule}} {module.slug}\n{script}```\n"
            if heading == "Déroulé"
            else "*À écrire.*\n"
        )
        for heading in HEADINGS
    )
    return (
        f"---\ndescription: Pour animer le module « {module.title} ».\nlivret: false\n---\n"
        f"# Animer « {module.title} »\n{parts}"
    )
