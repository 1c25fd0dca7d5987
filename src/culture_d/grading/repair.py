"""Put right the honest slips of a submission, and say so; refuse what cannot be graded.

The result holds the cells of the assignment, each once, with the very marks that nbgrader
gave them: what stock `nbgrader autograde` wants of a notebook. Decided here:

- the text of locked cells and tests is the assignment's; that of answers is the learner's;
- of copied cells the last one counts, or the last one that was answered; the others stay
  where they are and run, but for copies left blank, which would erase the answer;
- the learner's own code (answers, added cells) keeps its order: it ran in that order. What
  is locked moves when the order no longer holds: a test comes after its answers, and after
  the cells added there; another locked cell comes before the answer that follows it;
- a deleted answer is put back empty, not with its stub: the answer may be in another cell,
  and « reponse = ... » would erase it. One that a person reads is put back as handed out,
  which nbgrader scores 0, « No response. »;
- stored outputs, widgets and settings of the notebook are dropped, the kernel is the
  assignment's: all of it is made again by the run.
"""

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from culture_d.grading.known_cells import (
    KnownCell,
    KnownNotebook,
    assigned,
    match,
    normal,
    notebooks_of,
    resemblance,
)
from culture_d.grading.model import Assignment, Refusal, Repaired, Submission
from culture_d.grading.plain_notebook import (
    BIG_OUTPUTS,
    NOTEBOOK,
    Cell,
    Notebook,
    UnreadableNotebook,
    is_notebook,
    looks_like_notebook,
    read_notebook,
)

FORMAT = {"nbformat": 4, "nbformat_minor": 5}
_IDENTIFIER = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_FENCE = re.compile(r"(```+|~~~+)[ \t]*[\w{}.+-]{0,40}[ \t]*")
_SHOWN = 6


@dataclass
class _Item:
    """One cell of the notebook being rebuilt: the assignment's, or the learner's own."""

    source: str
    kind: str
    known: KnownCell | None = None
    """The marked cell of the assignment that it is."""
    mine: Cell | None = None
    like: KnownCell | None = None
    """The unmarked cell of the assignment that it is: an instruction, an example."""

    def __post_init__(self) -> None:
        self.text = normal(self.source)


@dataclass(frozen=True)
class _Chosen:
    """The file taken for one notebook of the assignment."""

    path: str
    notebook: Notebook
    known: KnownNotebook


def repair(submission: Submission, assignment: Assignment) -> Repaired | Refusal:
    """Make of a submission what nbgrader can grade, or say to its author why not.

    Reads `submission.files` as data; never raises on their content. Time and memory are
    bounded by the limits of `plain_notebook`.

    Returns:
        The submission with notebooks of the assignment only (nbformat 4.5, every cell of
        nbgrader once) and the other files; or the refusal.
    """
    try:
        return _repaired(submission, assignment)
    except UnreadableNotebook as error:
        return Refusal(submission.learner, submission.assignment, str(error), submission.shown_name)


def kept_path(path: str, root: str) -> str | None:
    """Give a file's path beside the notebook, None if it is not in the notebook's folder."""
    if not root:
        return path
    return path[len(root) + 1 :] if path.startswith(f"{root}/") else None


def _repaired(submission: Submission, assignment: Assignment) -> Repaired:
    known = notebooks_of(assignment)
    chosen, notes = _choose(submission, known)
    notes = [*submission.notes, *notes]
    taken = {item.path for item in chosen}
    root = _root(taken)
    files = {
        kept: data
        for path, data in submission.files.items()
        if path not in taken and not is_notebook(path) and (kept := kept_path(path, root))
    }
    own = {*assignment.files, *(f"{name}{NOTEBOOK}" for name in known)}
    for path in [path for path in files if _in_the_way(path, own)]:
        del files[path]
        notes.append(
            f"Votre fichier « {path} » n'a pas été pris : l'exercice a déjà un fichier ou un "
            "dossier de ce nom."
        )
    several = len(known) > 1
    for item in chosen:
        rebuilt, said = _rebuild(item.notebook, item.known)
        files.pop(f"{item.known.name}{NOTEBOOK}", None)
        files[f"{item.known.name}{NOTEBOOK}"] = rebuilt
        notes += (
            [f"Notebook « {item.known.name} » : {_lower(note)}" for note in said]
            if several
            else said
        )
    for name in known.keys() - {item.known.name for item in chosen}:
        notes.append(f"Le notebook « {name}{NOTEBOOK} » manque : ses questions comptent zéro.")
    repaired = replace(submission, files=files, notes=())
    return Repaired(repaired, submission.digest, tuple(dict.fromkeys(notes)))


def _choose(
    submission: Submission, known: Mapping[str, KnownNotebook]
) -> tuple[list[_Chosen], list[str]]:
    """Take one file for each notebook of the assignment: by its name, then by its cells."""
    candidates = _candidates(submission.files)
    if not candidates:
        raise UnreadableNotebook(_nothing_to_read(submission.files))
    read: dict[str, Notebook] = {}
    unreadable: dict[str, str] = {}
    for path in candidates:
        try:
            read[path] = read_notebook(submission.files[path])
        except UnreadableNotebook as error:
            unreadable[path] = str(error)
    chosen: list[_Chosen] = []
    notes: list[str] = []
    for name in _by_likeness(known, read):
        taken = {item.path for item in chosen}
        best = _path_of(known[name], {at: read[at] for at in read if at not in taken})
        if best is None:
            continue
        chosen.append(_Chosen(best, read[best], known[name]))
        # « lea_moyenne-mediane.ipynb » is how a class is put in a folder, not a slip.
        file = PurePosixPath(best)
        if name not in file.stem or file.suffix != NOTEBOOK:
            notes.append(f"Votre fichier « {file.name} » a été lu comme « {name}{NOTEBOOK} ».")
    missing = known.keys() - {item.known.name for item in chosen}
    for path, reason in unreadable.items():
        if not chosen or PurePosixPath(path).stem in missing:
            raise UnreadableNotebook(_named(path, reason, len(candidates)))
    if not chosen:
        raise UnreadableNotebook(_wrong_exercise(read, submission.assignment))
    return chosen, notes


def _by_likeness(known: Mapping[str, KnownNotebook], read: Mapping[str, Notebook]) -> list[str]:
    """Order the notebooks of the assignment: those whose file bears their name first."""
    named = {PurePosixPath(path).name for path in read}
    return sorted(known, key=lambda name: (f"{name}{NOTEBOOK}" not in named, name))


def _path_of(known: KnownNotebook, read: Mapping[str, Notebook]) -> str | None:
    likeness = {path: resemblance(notebook, known) for path, notebook in read.items()}
    accepted = [path for path in likeness if likeness[path].accepted]
    if not accepted:
        return None
    return max(
        accepted,
        key=lambda path: (
            PurePosixPath(path).name == f"{known.name}{NOTEBOOK}",
            likeness[path].strength,
            -len(path),
            path,
        ),
    )


def _candidates(files: Mapping[str, bytes]) -> list[str]:
    """List the files that are notebooks: by their extension, or else by their content."""
    named = [path for path in files if is_notebook(path)]
    return named or [
        path
        for path in files
        if PurePosixPath(path).suffix.lower() in ("", ".txt", ".json", ".download")
        and looks_like_notebook(files[path])
    ]


def _in_the_way(path: str, own: Collection[str]) -> bool:
    """Whether a file stands where the course needs a folder, or in what is a file of its own.

    Or where Python would find it before a module of the course: for « import outils »,
    « outils/__init__.py » and « outils.abi3.so » come before « outils.py ».
    """
    file = PurePosixPath(path)
    if {str(folder) for folder in file.parents} & set(own) or any(
        name.startswith(f"{path}/") for name in own
    ):
        return True
    module = file.with_name(file.name.partition(".")[0])
    before = file.suffix in (".so", ".pyd", ".pyc")
    if module.name == "__init__":
        module, before = file.parent, True
    return before and path not in own and f"{module}.py" in own


def _root(paths: Iterable[str]) -> str:
    """Find the folder of the notebooks within the submission: the learner's own, zipped."""
    folders = {str(PurePosixPath(path).parent) for path in paths}
    root = min(folders, key=len)
    return "" if root == "." else root


def _nothing_to_read(files: Mapping[str, bytes]) -> str:
    names = _listed(sorted(PurePosixPath(path).name for path in files))
    received = f"Reçu : {names}. " if files else ""
    return (
        f"Il n'y a pas de notebook dans ce qui a été rendu. {received}"
        "Rendez le fichier .ipynb que Jupyter enregistre."
    )


def _wrong_exercise(read: Mapping[str, Notebook], assignment: str) -> str:
    marked = any(cell.grade_id for notebook in read.values() for cell in notebook.cells)
    found = (
        "Ce notebook est celui d'un autre exercice."
        if marked
        else "Ce notebook ne contient aucune cellule de l'exercice."
    )
    return (
        f"{found} Attendu : « {assignment} ». "
        "Ouvrez le notebook de l'exercice, écrivez-y vos réponses, puis rendez-le."
    )


def _named(path: str, reason: str, several: int) -> str:
    return reason if several == 1 else f"« {PurePosixPath(path).name} » : {_lower(reason)}"


def _lower(sentence: str) -> str:
    return sentence[:1].lower() + sentence[1:]


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"« {name[:60]} »" for name in names[:_SHOWN])
    rest = len(names) - _SHOWN
    return f"{shown} et {rest} autres" if rest > 0 else shown


def _rebuild(notebook: Notebook, known: KnownNotebook) -> tuple[bytes, list[str]]:
    """Write the notebook again with each known cell once, and say what was put right."""
    found = match(notebook, known)
    notes = [*notebook.cleaned, *_about_kernel(notebook, known)]
    if notebook.outputs > BIG_OUTPUTS:
        notes.append(
            "Les résultats enregistrés dans votre fichier, très longs, ont été ôtés. "
            "Votre code est exécuté de nouveau."
        )
    notes += _about_cells(notebook, known, found)
    items = list(_items(notebook, known, found))
    hosts = _hosts(items, known)
    if hosts:
        names = [str(known.cells[rank].grade_id) for rank in hosts]
        notes.append(f"Réponse lue dans une autre cellule que la sienne : {_listed(names)}.")
    notes += _set_in_order(items, known, hosts)
    content = {
        "cells": _with_identifiers(items),
        "metadata": {
            key: deepcopy(known.metadata[key])
            for key in ("kernelspec", "language_info")
            if key in known.metadata
        },
        **FORMAT,
    }
    return (json.dumps(content, ensure_ascii=False, indent=1) + "\n").encode(), notes


def _about_kernel(notebook: Notebook, known: KnownNotebook) -> list[str]:
    expected = known.metadata.get("kernelspec", {})
    name, language = expected.get("name"), str(expected.get("language", ""))
    if not name or not notebook.kernel or notebook.kernel == name:
        return []
    if language and notebook.language and notebook.language.lower() != language.lower():
        return [
            f"Votre notebook était réglé sur le langage « {notebook.language} ». "
            f"L'exercice est exécuté avec « {language} »."
        ]
    return [
        f"Votre notebook utilisait le noyau « {notebook.kernel} ». "
        f"Il est exécuté avec celui de l'exercice, « {name} »."
    ]


def _about_cells(notebook: Notebook, known: KnownNotebook, found: Mapping[int, int]) -> list[str]:
    """Say what happened to the cells of the assignment."""
    place_of = {rank: place for place, rank in found.items()}
    copied: list[str] = []
    restored: list[str] = []
    lost: list[str] = []
    moved_type: list[str] = []
    emptied: list[str] = []
    unmarked: list[str] = []
    marks = [cell.grade_id for cell in notebook.cells]
    for target in known.cells:
        name = target.grade_id
        if name is None:
            continue
        if marks.count(name) > 1:
            copied.append(name)
        place = place_of.get(target.rank)
        if place is None:
            (emptied if target.solution else lost).append(name)
            continue
        mine = notebook.cells[place]
        texts = {target.text, normal(target.source)}
        if target.locked and normal(mine.source) not in texts:
            restored.append(name)
        if mine.kind != target.kind:
            moved_type.append(name)
        if mine.grade_id != name:
            unmarked.append(name)
    return [
        sentence.format(_listed(names))
        for names, sentence in (
            (copied, "Cellule en plusieurs exemplaires : {}. La dernière qui est remplie compte."),
            (restored, "Cellule de l'exercice modifiée, remise comme elle était : {}."),
            (lost, "Cellule de l'exercice supprimée, remise à sa place : {}."),
            (emptied, "Cellule de réponse supprimée, remise sans réponse : {}."),
            (moved_type, "Cellule dont le type avait changé (texte ou code), rétabli : {}."),
            (unmarked, "Cellule dont les marques étaient perdues, reconnue : {}."),
        )
        if names
    ]


def _items(notebook: Notebook, known: KnownNotebook, found: Mapping[int, int]) -> Iterator[_Item]:
    """List the learner's cells in their order, those of the assignment with its text and marks."""
    by_mark = {cell.grade_id: cell for cell in known.cells if cell.grade_id}
    answered = {
        known.cells[rank].grade_id
        for place, rank in found.items()
        if normal(notebook.cells[place].source) not in ("", known.cells[rank].text)
    }
    split = _split_answers(notebook, known, found)
    for place, cell in enumerate(notebook.cells):
        if place in split and split[place] is None:
            continue
        target = known.cells[found[place]] if place in found else None
        if target is not None and target.marked:
            source = target.source if target.locked else split.get(place) or _answer(cell, target)
            yield _Item(source, target.kind, target, cell)
            continue
        copied = by_mark.get(cell.grade_id) if cell.grade_id else None
        blank = copied is not None and normal(cell.source) in ("", copied.text)
        if copied is not None and copied.solution and blank and copied.grade_id in answered:
            continue
        yield _Item(cell.source, cell.kind, None, cell, target)


def _split_answers(
    notebook: Notebook, known: KnownNotebook, found: Mapping[int, int]
) -> dict[int, str | None]:
    """Join a written answer that was split in cells: a person reads one cell.

    Pieces follow one another, bear the same identifier and have no line in common. Gives
    the whole text at the place that counts, None at the others.
    """
    joined: dict[int, str | None] = {}
    for place, rank in found.items():
        target = known.cells[rank]
        if not target.manual or target.kind != "markdown":
            continue
        pieces = [place]
        while pieces[0] > 0 and notebook.cells[pieces[0] - 1].grade_id == target.grade_id:
            pieces.insert(0, pieces[0] - 1)
        texts = [notebook.cells[at].source.strip() for at in pieces]
        lines = [line for text in texts for line in normal(text).split("\n") if line]
        if len(pieces) > 1 and all(texts) and len(lines) == len(set(lines)):
            joined |= dict.fromkeys(pieces) | {place: "\n\n".join(texts)}
    return joined


def _answer(cell: Cell, target: KnownCell) -> str:
    """Give the text of an answer; code typed in a text cell loses the marks around it."""
    if cell.kind == "code" or target.kind != "code":
        return cell.source
    lines = cell.source.strip().split("\n")
    fence = _FENCE.fullmatch(lines[0])
    if fence and len(lines) > 1 and lines[-1].strip() == fence[1]:
        return "\n".join(lines[1:-1])
    return cell.source


def _hosts(items: Sequence[_Item], known: KnownNotebook) -> dict[int, _Item]:
    """Find the cell where the answer of a deleted cell was written: cells merged by mistake."""
    present = {item.known.rank for item in items if item.known}
    hosts = {}
    for target in known.cells:
        if target.rank in present or not target.answers:
            continue
        naming = [
            item
            for item in items
            if (item.known is None or item.known.solution)
            and item.kind == "code"
            and target.answers <= assigned(item.source)
        ]
        if naming:
            hosts[target.rank] = naming[-1]
    return hosts


def _set_in_order(
    items: list[_Item], known: KnownNotebook, hosts: Mapping[int, _Item]
) -> list[str]:
    """Put back what is missing, and what stands where it cannot work; say what moved."""
    moved = [
        item
        for item in items
        if _misplaced(item, items, known, hosts) or _astray(item, items, known)
    ]
    for item in moved:
        items.remove(item)
    names = [str(item.known.grade_id) for item in moved if item.known]
    waiting = {item.known.rank: item for item in moved if item.known}
    present = {item.known.rank for item in items if item.known}
    for target in known.cells:
        if target.marked and target.rank not in present:
            item = waiting.get(target.rank) or _blank(target)
            items.insert(_place(target, items, known, hosts), item)
    if not names:
        return []
    return [f"Cellule déplacée, remise à sa place : {_listed(names)}."]


def _blank(target: KnownCell) -> _Item:
    empty = target.solution and not target.graded
    return _Item("" if empty else target.source, target.kind, target)


def _misplaced(
    item: _Item, items: Sequence[_Item], known: KnownNotebook, hosts: Mapping[int, _Item]
) -> bool:
    target = item.known
    if target is None or not target.locked:
        return False
    place = _index(items, item)
    if place < _after_answers(target, items, known, hosts):
        return True
    following = next((cell for cell in known.cells[target.rank + 1 :] if cell.solution), None)
    if target.test or following is None:
        return False
    answer = _find(items, following.rank)
    return answer is not None and answer < place


def _astray(item: _Item, items: Sequence[_Item], known: KnownNotebook) -> bool:
    """Tell of an answer whether the exercise goes on without it: it was moved by mistake.

    That is: a locked cell that uses it, and what follows that cell, both stand before it.
    """
    target = item.known
    if target is None or not target.solution:
        return False
    later = [cell for cell in known.cells[target.rank + 1 :] if cell.marked]
    user = next((rank for rank, cell in enumerate(later) if not cell.solution), None)
    if user is None or later[user].test:
        return False
    places = [_find(items, cell.rank) for cell in later[user : user + 2]]
    place = _index(items, item)
    return len(places) == 2 and all(at is not None and at < place for at in places)


def _place(
    target: KnownCell, items: Sequence[_Item], known: KnownNotebook, hosts: Mapping[int, _Item]
) -> int:
    """Find where a cell goes: after those it follows; a test, after all that was added there."""
    place = 0
    for before in reversed(known.cells[: target.rank]):
        at = _find(items, before.rank)
        if at is not None:
            place = at + 1
            break
    if target.test:
        place = max(place, _after_answers(target, items, known, hosts))
        while place < len(items) and _own(items[place], known):
            place += 1
    return place


def _own(item: _Item, known: KnownNotebook) -> bool:
    """Whether a cell was added by the learner."""
    return item.known is None and item.like is None and item.text not in known.texts


def _after_answers(
    target: KnownCell, items: Sequence[_Item], known: KnownNotebook, hosts: Mapping[int, _Item]
) -> int:
    """Give the first place after the answers that a locked cell looks at."""
    answers: list[int] = []
    for before in reversed(known.cells[: target.rank]):
        if before.test and (answers or not target.test):
            break
        if before.solution:
            answers.append(before.rank)
    places = [_index(items, hosts[rank]) for rank in answers if rank in hosts]
    places += [at for rank in answers if (at := _find(items, rank)) is not None]
    return max(places, default=-1) + 1


def _find(items: Sequence[_Item], rank: int) -> int | None:
    """Find a cell of the assignment by its rank."""
    for place, item in enumerate(items):
        cell = item.known or item.like
        if cell is not None and cell.rank == rank:
            return place
    return None


def _index(items: Sequence[_Item], wanted: _Item) -> int:
    return next((place for place, item in enumerate(items) if item is wanted), -1)


def _with_identifiers(items: Iterable[_Item]) -> list[dict[str, Any]]:
    """Write the cells, each with an identifier of its own."""
    items = list(items)
    used = {
        str(item.known.content["id"]) for item in items if item.known and "id" in item.known.content
    }
    cells = []
    for number, item in enumerate(items):
        given = item.known.content.get("id") if item.known else None
        if not given:
            given = item.mine.cell_id if item.mine else None
            if not given or given in used or not _IDENTIFIER.fullmatch(given):
                given = _free(f"cellule-{number}", used)
        used.add(given)
        cells.append(_written(item, given))
    return cells


def _free(name: str, used: set[str]) -> str:
    while name in used:
        name += "-a"
    return name


def _written(item: _Item, identifier: str) -> dict[str, Any]:
    given = item.known or item.like
    cell: dict[str, Any] = {
        "cell_type": item.kind,
        "id": identifier,
        "metadata": deepcopy(dict(given.content.get("metadata", {}))) if given else {},
        "source": item.source,
    }
    if item.kind == "code":
        return cell | {"execution_count": None, "outputs": []}
    attachments: dict[str, dict[str, str]] = {}
    if given and item.text in (given.text, normal(given.source)):
        attachments = given.content.get("attachments", {})
    elif item.mine:
        for name, media, content in item.mine.attachments:
            attachments.setdefault(name, {})[media] = content
    return cell | {"attachments": attachments} if attachments else cell
