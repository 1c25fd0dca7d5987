"""What it takes to grade a thousand submissions, or ten million, from what one was measured to cost.

`book/mesures.yml` holds the measures, written by `make bench` and `make soak`. One process writes
the gradebook: its time for a submission bounds a run. Workers do the rest, as many as are wanted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from math import ceil
from pathlib import Path
from typing import NamedTuple, TypeVar

from culture_d.errors import MeasuresError
from culture_d.exercises import slugs_of
from culture_d.french import NO_BREAK_SPACE, accord, nombre
from culture_d.project import Project
from culture_d.yaml_file import malformed, read_yaml

_Number = TypeVar("_Number", int, float)
MEASURES = "mesures.yml"
SOAK = "epreuve"
"""Part of this file that `make soak` writes, and `make bench` leaves as it is."""
NIGHT_HOURS = 10
"""In which a run should be over: an evening to the next morning."""
PROCESSORS = 16
MACHINE_BYTES = 64 * 1024**3
"""Of the machine that the plan counts in; a tenth of its memory is left to the system."""
USABLE = 0.9
COUNTS = (1_000, 100_000, 10_000_000)
LEARNERS = (500, 5_000, 50_000)
SIZED = "deploy/kubernetes/README.md"
MARKS = ("<!-- dimensionnement -->", "<!-- fin -->")
_UNITS = ("octet", "ko", "Mo", "Go", "To")


class Step(NamedTuple):
    """One step of the grading of a submission."""

    words: str
    by_worker: bool = False
    once: bool = True
    """Part of each run; `False` for what only a run that goes on pays."""


STEPS = {
    "lecture": Step("Lire le fichier reçu (deux fois)"),
    "reparation": Step("Réparer ce qui peut l'être"),
    "copie": Step("Garder une copie du fichier reçu"),
    "correction": Step("Exécuter et noter, à l'écart", by_worker=True),
    "echange": Step("Recevoir le résultat"),
    "inscription": Step("Inscrire dans le carnet de notes"),
    "retour": Step("Écrire la page de retour"),
    "bilan": Step("Faire le bilan et les tableaux"),
    "reprise": Step("Reconnaître une copie déjà notée", once=False),
}
SIZES = {
    "recue": "Copie reçue, gardée telle quelle",
    "notebook": "Copie exécutée",
    "retour": "Page de retour",
    "registre": "Registre de ce qui est fait",
    "carnet": "Carnet de notes",
}


class Soak(NamedTuple):
    """A long run that was really made, by `make soak`."""

    day: date
    submissions: int
    jobs: int
    seconds: float
    """From the first file read to the last page written."""
    memory: int
    """The most that the run and all that it started used at once (bytes)."""


@dataclass(frozen=True)
class Measures:
    """What one submission costs. Times in seconds, sizes and memory in bytes."""

    day: date
    submissions: int
    processors: int
    model: str
    memory: int
    load: float
    """Of the machine over the last quarter of an hour, by other programs too."""
    seconds: Mapping[str, float]
    """By step: see `STEPS`."""
    sizes: Mapping[str, float]
    """By file: see `SIZES`."""
    worker_memory: int
    """The most that one worker and all that it starts used at once."""
    kept_memory: int
    """What the process that writes keeps of each submission until its last table."""
    known_memory: int
    """What it takes to know again each submission of one exercise that is already graded."""
    seat_memory: int
    """What a learner's JupyterLab takes, with one lesson open that has been run."""
    large: int
    """Submissions of the large gradebook."""
    large_seconds: float
    """To write one submission's points in it, and its page."""
    small_seconds: float
    """The same in a gradebook that is nearly empty."""
    soak: Soak

    @property
    def writer_seconds(self) -> float:
        """Of the one process that writes, for each submission."""
        return sum(
            self.seconds[name] for name, step in STEPS.items() if step.once and not step.by_worker
        )

    @property
    def worker_seconds(self) -> float:
        """Of a worker, for each submission."""
        return sum(self.seconds[name] for name, step in STEPS.items() if step.by_worker)

    @property
    def disk(self) -> float:
        """Bytes of one submission, gradebook left out."""
        return sum(size for name, size in self.sizes.items() if name != "carnet")


class Plan(NamedTuple):
    """What a number of submissions takes, all to be done in one night."""

    submissions: int
    writer_hours: float
    """Of one process, were there only one gradebook."""
    worker_hours: float
    gradebooks: int
    """Which many processes must share the submissions out among them to be done by morning."""
    workers: int
    machines: int
    """For the workers, then one processor for each gradebook."""
    night_hours: float
    """How long the run then takes."""
    gradebook_bytes: float
    """Of all the gradebooks together."""
    pages_bytes: float
    disk_bytes: float
    writer_bytes: float
    """Memory of each process that writes."""


def plan(measures: Measures, submissions: int) -> Plan:
    """Say what that many submissions take, were each like those that were measured."""
    night = NIGHT_HOURS * 3600
    writing = submissions * measures.writer_seconds
    working = submissions * measures.worker_seconds
    gradebooks = ceil(writing / night)
    workers = ceil(working / night)
    by_machine = min(PROCESSORS, int(MACHINE_BYTES * USABLE // measures.worker_memory))
    longest = max(writing / gradebooks, working / workers)
    return Plan(
        submissions,
        writer_hours=writing / 3600,
        worker_hours=working / 3600,
        gradebooks=gradebooks,
        workers=workers,
        machines=ceil((workers + gradebooks) / by_machine),
        night_hours=longest / 3600,
        gradebook_bytes=submissions * measures.sizes["carnet"],
        pages_bytes=submissions * measures.sizes["retour"],
        disk_bytes=submissions * measures.disk,
        writer_bytes=ceil(submissions / gradebooks) * measures.kept_memory,
    )


class Sizing(NamedTuple):
    """What learners take, all of them at work at once, each handing in every exercise."""

    learners: int
    seat_bytes: int
    seat_machines: int
    """Their processors are shared: memory is what lacks first."""
    grading: Plan


def sizing(measures: Measures, learners: int, exercises: int) -> Sizing:
    """Say what that many learners take, at once, then for the grading of what they hand in."""
    memory = learners * measures.seat_memory
    return Sizing(
        learners,
        seat_bytes=memory,
        seat_machines=ceil(memory / (MACHINE_BYTES * USABLE)),
        grading=plan(measures, learners * exercises),
    )


def sizing_table(project: Project) -> str:
    """Write the sizing of `deploy/kubernetes/README.md`, in Markdown."""
    measures, exercises = load_measures(project), len(slugs_of(project))
    columns = [sizing(measures, count, exercises) for count in LEARNERS]
    rows = {
        "Mémoire des places": [size(one.seat_bytes) for one in columns],
        "Machines pour les places": [nombre(one.seat_machines) for one in columns],
        f"Copies, à {exercises} exercices chacun": [
            nombre(one.grading.submissions) for one in columns
        ],
        "Correcteurs": [nombre(one.grading.workers) for one in columns],
        "Carnets de notes": [nombre(one.grading.gradebooks) for one in columns],
        "Machines pour la correction": [nombre(one.grading.machines) for one in columns],
        "Base de données des notes": [size(one.grading.gradebook_bytes) for one in columns],
        "Disque des copies et des retours": [size(one.grading.disk_bytes) for one in columns],
    }
    head = ["", *(accord(one.learners, "apprenant") for one in columns)]
    lines = [head, ["---", *["---:"] * len(columns)]]
    lines += [[words, *cells] for words, cells in rows.items()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def write_sizing(project: Project) -> None:
    """Put the table where the README has one, between its two marks."""
    path = project.root / SIZED
    before, _, rest = path.read_text(encoding="utf-8").partition(MARKS[0])
    after = rest.partition(MARKS[1])[2]
    text = f"{before}{MARKS[0]}\n{sizing_table(project)}{MARKS[1]}{after}"
    path.write_text(text, encoding="utf-8")


def size(number: float) -> str:
    """Write a number of bytes with two figures or three: « 34 ko », « 1,2 To »."""
    for power in reversed(range(1, len(_UNITS))):
        if number >= 1000**power:
            value = number / 1000**power
            return nombre(value, int(value < 10)) + NO_BREAK_SPACE + _UNITS[power]
    return accord(number, _UNITS[0])


def lasting(hours: float) -> str:
    """Write a length of time: « 12 s », « 5 min », « 3,2 h »."""
    for value, unit in ((hours, "h"), (hours * 60, "min")):
        if value >= 1:
            return nombre(value, int(value < 10)) + NO_BREAK_SPACE + unit
    return nombre(max(1, hours * 3600)) + NO_BREAK_SPACE + "s"


def measures_path(project: Project) -> Path:
    """Give the file that holds the measures."""
    return project.book / MEASURES


def load_measures(project: Project) -> Measures:
    """Read `book/mesures.yml`.

    Raises:
        MeasuresError: it is missing, unreadable, or lacks a measure.
    """
    path = measures_path(project)
    found = read_yaml(path, MeasuresError)
    try:
        return Measures(
            day=found["date"],
            submissions=found["copies"],
            processors=found["machine"]["processeurs"],
            model=found["machine"]["modele"],
            memory=found["machine"]["memoire"],
            load=found["machine"]["charge"],
            seconds={name: _positive(found["secondes"][name]) for name in STEPS},
            sizes={name: _positive(found["octets"][name]) for name in SIZES},
            worker_memory=_positive(found["memoire"]["correcteur"]),
            kept_memory=_positive(found["memoire"]["copie"]),
            known_memory=_positive(found["memoire"]["reprise"]),
            seat_memory=_positive(found["memoire"]["place"]),
            large=_positive(found["grand_carnet"]["copies"]),
            large_seconds=_positive(found["grand_carnet"]["secondes"]),
            small_seconds=_positive(found["grand_carnet"]["secondes_au_debut"]),
            soak=Soak(
                day=found[SOAK]["date"],
                submissions=_positive(found[SOAK]["copies"]),
                jobs=_positive(found[SOAK]["correcteurs"]),
                seconds=_positive(found[SOAK]["secondes"]),
                memory=_positive(found[SOAK]["memoire"]),
            ),
        )
    except KeyError as missing:
        fault = f"{missing} y manque ; lancez « make bench » et « make soak », qui l'écrivent"
        raise malformed(path, fault, MeasuresError) from None
    except (TypeError, ValueError) as error:
        fault = f"{error} ; lancez « make bench » et « make soak », qui l'écrivent"
        raise malformed(path, fault, MeasuresError) from None


def _positive(value: _Number) -> _Number:
    if not value > 0:
        raise ValueError(f"{value} n'est pas une mesure")
    return value
