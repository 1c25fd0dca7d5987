"""Grade a thousand submissions: memory stays flat, time grows with their number."""

import os
import threading
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import yaml
from rich.table import Table

from culture_d.french import nombre
from culture_d.grading.assignment import load_assignments
from culture_d.grading.model import MEBIBYTE
from culture_d.grading.run import Options, correct, default_jobs
from culture_d.project import Project
from culture_d.scale import SOAK, measures_path
from tests.bench.grading import submissions
from tests.bench.scale import write_measures

COUNT = 1000
# The last tenth may not take half as long again as the second, nor memory grow by a third.
SLOWER, LARGER = 1.5, 1.33


def many_submissions(
    project: Project, root: Path, count: int, say: Callable[[object], None]
) -> None:
    """Grade so many submissions of the eight exercises, and measure each tenth of them."""
    step = max(1, count // 10)
    given = load_assignments(project.exercises, cache=root / "cache")
    models = [repaired.submission for repaired in submissions(project, given)]
    for number in range(count):
        model = models[number % len(models)]
        place = root / "reçus" / f"eleve-{number:04d}" / model.assignment
        place.mkdir(parents=True)
        for name, content in model.files.items():
            (place / name).write_bytes(content)
    marks: list[tuple[int, float, float]] = []
    memory = _Memory()

    def note(done: int, total: int, stage: str) -> None:
        if stage == "correction" and done and done % step == 0:
            marks.append((done, time.monotonic(), memory.highest()))
            say(f"{done} devoirs sur {total}, {nombre(marks[-1][2], 0)} Mio")

    options = Options(root / "reçus", course=root / "cours", jobs=default_jobs())
    began = time.monotonic()
    with memory:
        outcome = correct(options, project, note)
    total = time.monotonic() - began
    assert len(outcome.graded) == count, (
        len(outcome.graded),
        outcome.failed[:3],
        outcome.refused[:3],
    )
    table = Table("devoirs", f"s pour {step} devoirs", "mémoire la plus haute (Mio)")
    table.caption = f"{count} devoirs en {nombre(total, 0)} s, bilan et retours compris"
    times, before = [], began
    for done, moment, highest in marks:
        times.append(moment - before)
        table.add_row(str(done), nombre(times[-1], 1), nombre(highest, 0))
        before = moment
    say(table)
    if count < COUNT:
        say("Trop peu de devoirs pour juger du temps et de la mémoire.")
        return
    assert times[-1] <= times[1] * SLOWER, "le temps n'est pas proportionnel"
    assert marks[-1][2] <= marks[1][2] * LARGER, "la mémoire grandit"
    say("Temps proportionnel, mémoire stable.")
    path = measures_path(project)
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    found[SOAK] = {
        "date": date.today(),
        "copies": count,
        "correcteurs": options.jobs,
        "secondes": round(total),
        "memoire": round(max(highest for *_, highest in marks)) * MEBIBYTE,
    }
    write_measures(project, found)
    say(f"Écrit dans « {path.name} ».")


class _Memory:
    """Watches the resident memory of this process and its children, in MiB."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._highest = 0.0

    def __enter__(self) -> None:
        threading.Thread(target=self._watch, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._stop.set()

    def highest(self) -> float:
        """The most since the last time it was asked."""
        found, self._highest = self._highest, 0.0
        return found

    def _watch(self) -> None:
        while not self._stop.wait(0.5):
            self._highest = max(self._highest, _resident(os.getpid()) / 1024)


def _resident(pid: int) -> float:
    """Add up the proportional memory of a process and its descendants, in KiB (`smaps_rollup`)."""
    total = 0.0
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += float(line.split()[1])
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in (thread / "children").read_text().split():
                total += _resident(int(child))
    except OSError:
        return total
    return total
