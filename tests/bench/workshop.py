"""A full room on one machine: 40 learners come in within thirty seconds, then fetch, save and submit.

As a room is used: it is opened, its seats are ready, then the learners come. Real HTTP
clients, each with its cookies, at the addresses that JupyterLab and nbgrader's assignment
list use; a real hub, real accounts, on loopback. Needs root.
"""

import asyncio
import json
import math
import os
import secrets
import shutil
import statistics
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import httpx
import psutil
import yaml
from rich.table import Table

from culture_d.french import nombre
from culture_d.project import Project
from culture_d.workshop import accounts, ahead, collect, life
from culture_d.workshop.model import COURSE_ID, MEBIBYTE, Workshop
from culture_d.workshop.needs import SYSTEM_MEMORY
from tests.atelier.conftest import free_ports, remove_accounts
from tests.atelier.visiteur import Visitor

LEARNERS = 40
EXERCISE = "moyenne-mediane"
MINUTE = 60.0
PATIENCE = 600.0
WITH_A_KERNEL = 6
"""Seats where a notebook is then at work."""
WORK = """
import pandas
from culture_d.notebook import phrase
communes = pandas.read_csv("datasets/communes/communes.csv", dtype={"departement": str})
print(round(communes["population"].mean()))
"""
"""What the lesson of the exercise begins with."""
MEASURES = "mesures-atelier.yml"


@dataclass
class Learner:
    """What one learner's browser did: seconds of each step."""

    name: str
    seconds: dict[str, float] = field(default_factory=dict)
    finished: float = 0.0
    cookies: httpx.Cookies | None = None


@dataclass
class Measured:
    """What was measured, and what was found again."""

    learners: int
    cores: int
    memory: int
    """Of the machine, bytes."""
    ready: int
    """Seats that were ready when the first learner came."""
    ready_seconds: float
    """What they took, the hub being open."""
    seconds: float
    """From the first login to the last submission."""
    p95: dict[str, float]
    """Seconds, by step."""
    pss: int
    """Median of a seat's memory, bytes: its server and the pages it shares, each in part."""
    working_pss: int
    """The same, of the seats where a notebook is at work."""
    found: int
    equal: int
    load_before: float

    @property
    def most_seats(self) -> int:
        """How many seats at work fit in the memory of this machine."""
        return (self.memory - SYSTEM_MEMORY) // self.working_pss


def workshop(project: Project, learners: int = LEARNERS) -> Table:
    """Measure, and say each objective."""
    table = Table(title=f"Atelier : {learners} places, arrivées en trente secondes")
    for heading in ("mesure", "valeur", "objectif", "tenu"):
        table.add_column(heading)
    if os.geteuid() != 0:
        table.add_row("non mesuré : il faut les droits d'administration (root)", "", "", "")
        return table
    done = measure(project, learners)
    record(done, project.root / "book" / MEASURES)
    rows = [
        ("charge de la machine avant", nombre(done.load_before, 1), "", ""),
        (
            "places prêtes avant la salle",
            f"{done.ready}",
            f"{learners}",
            _said(done.ready == learners),
        ),
        ("temps pour les préparer", f"{nombre(done.ready_seconds)} s", "", ""),
        ("devoirs retrouvés", f"{done.found}", f"{learners}", _said(done.found == learners)),
        (
            "identiques à ce qui fut enregistré",
            f"{done.equal}",
            f"{learners}",
            _said(done.equal == learners),
        ),
        (
            "du premier au dernier",
            f"{nombre(done.seconds)} s",
            f"≤ {nombre(MINUTE)} s",
            _said(done.seconds <= MINUTE),
        ),
    ]
    rows += [
        (f"{step}, 95 sur 100 en moins de", f"{nombre(tenth_above(p95), 1)} s", "", "")
        for step, p95 in done.p95.items()
    ]
    rows += [
        ("mémoire d'une place, sans noyau (PSS)", f"{done.pss // MEBIBYTE} Mio", "", ""),
        (
            "mémoire d'une place, carnet au travail (PSS)",
            f"{done.working_pss // MEBIBYTE} Mio",
            "",
            "",
        ),
        (
            "places au travail qui tiennent en mémoire",
            f"{done.most_seats}",
            f"{learners}",
            _said(done.most_seats >= learners),
        ),
    ]
    for row in rows:
        table.add_row(*row)
    return table


def measure(project: Project, learners: int) -> Measured:
    """Make a room, fill it at once, count what was submitted, and remove it."""
    prefix = f"cdb{secrets.token_hex(2)}"
    base = Path(tempfile.mkdtemp(prefix="culture-d-mesure-", dir="/var/tmp"))
    base.chmod(0o755)
    options = life.Options(
        seats=learners,
        exercises=[EXERCISE],
        module=EXERCISE,
        port=free_ports(),
        prefix=prefix,
        cards=base / "cartes.pdf",
    )
    try:
        made = life.prepare(project, "mesure", base / "salle", options).workshop
        passwords = life.reissue(made, [one.name for one in made.seats], None)[1]
        life.open_hub(made, None, None)
        load = psutil.getloadavg()[0]
        readied = ahead.start_ahead(made)
        started = time.perf_counter()
        done = asyncio.run(_everyone(made, passwords))
        pss = [_pss(made, name) for name in passwords]
        working = [_at_work(made, one) for one in done[:WITH_A_KERNEL]]
        steps = {step: [one.seconds[step] for one in done] for step in done[0].seconds}
        found, equal = _found_again(made)
        return Measured(
            learners,
            len(os.sched_getaffinity(0)),
            psutil.virtual_memory().total,
            len(readied.ready),
            readied.seconds,
            max(one.finished for one in done) - started,
            {step: _p95(values) for step, values in steps.items()},
            int(statistics.median(pss)),
            int(statistics.median(working)),
            found,
            equal,
            load,
        )
    finally:
        with suppress(Exception):
            life.close(Workshop.load(base / "salle"))
        remove_accounts(prefix)
        shutil.rmtree(base, ignore_errors=True)


def tenth_above(seconds: float) -> float:
    """Round up: « in less than » must stay true, and never say zero."""
    return math.ceil(seconds * 10) / 10


def record(done: Measured, path: Path) -> None:
    """Write the measures for the page that quotes them, with their date."""
    values = {
        "date": date.today().isoformat(),
        "places": done.learners,
        "coeurs": done.cores,
        "memoire_gio": round(done.memory / 1024 / MEBIBYTE),
        "charge_avant": round(done.load_before, 1),
        "places_pretes": done.ready,
        "preparation_s": round(done.ready_seconds),
        "duree_s": round(done.seconds),
        "p95_s": {step: tenth_above(value) for step, value in done.p95.items()},
        "place_mio": done.pss // MEBIBYTE,
        "place_carnet_mio": done.working_pss // MEBIBYTE,
        "places_au_plus": done.most_seats,
        "devoirs_retrouves": done.found,
        "devoirs_identiques": done.equal,
    }
    note = "# Written by `make bench` (tests/bench/workshop.py); type nothing here.\n"
    path.write_text(note + yaml.safe_dump(values, sort_keys=False, allow_unicode=True), "utf-8")


async def _everyone(made: Workshop, passwords: dict[str, str]) -> list[Learner]:
    return await asyncio.gather(
        *(
            _attend(made, name, word, MINUTE * 0.5 * rank / len(passwords))
            for rank, (name, word) in enumerate(passwords.items())
        )
    )


async def _attend(made: Workshop, name: str, password: str, delay: float) -> Learner:
    """Do what a learner does, from the card to the submission."""
    learner = Learner(name)
    await asyncio.sleep(delay)
    async with httpx.AsyncClient(
        base_url=made.url, follow_redirects=True, timeout=PATIENCE, trust_env=False
    ) as client:
        await _timed(learner, "entrer", _log_in(client, name, password))
        await _timed(learner, "démarrer", _start(client, name))
        server = f"user/{name}/"
        order = {"course_id": COURSE_ID, "assignment_id": EXERCISE}
        await _timed(learner, "prendre", _post(client, name, f"{server}assignments/fetch", order))
        await _timed(learner, "enregistrer", _save(client, name))
        sent = await _timed(
            learner, "rendre", _post(client, name, f"{server}assignments/submit", order)
        )
        assert sent["success"], sent
        learner.finished = time.perf_counter()
        learner.cookies = client.cookies
    return learner


async def _timed(learner: Learner, step: str, action):  # type: ignore[no-untyped-def]
    started = time.perf_counter()
    result = await action
    learner.seconds[step] = time.perf_counter() - started
    return result


async def _log_in(client: httpx.AsyncClient, name: str, password: str) -> None:
    await client.get("hub/login")
    form = {"username": name, "password": password, "_xsrf": _token(client, "/hub/")}
    answer = await client.post("hub/login", data=form, follow_redirects=False)
    assert answer.status_code == 302, answer.text[-500:]


async def _start(client: httpx.AsyncClient, name: str) -> None:
    await client.get("hub/spawn")
    limit = time.monotonic() + PATIENCE
    while time.monotonic() < limit:
        answer = await client.get(f"user/{name}/lab")
        if answer.status_code == 200 and answer.url.path.startswith(f"/user/{name}/"):
            return
        await asyncio.sleep(0.5)
    raise TimeoutError(name)


async def _save(client: httpx.AsyncClient, name: str) -> None:
    """Open the notebook, answer what only this learner answers, and save."""
    path = f"user/{name}/api/contents/{EXERCISE}/{EXERCISE}.ipynb"
    model = (await client.get(path, params={"content": 1, "type": "notebook"})).json()
    for cell in model["content"]["cells"]:
        if cell["source"].startswith("reponse_1 ="):
            cell["source"] = f"reponse_1 = '{name}'"
    body = {"type": "notebook", "format": "json", "content": model["content"]}
    answer = await client.put(
        path, json=body, headers={"X-XSRFToken": _token(client, f"/user/{name}/")}
    )
    assert answer.status_code == 200, answer.text


async def _post(
    client: httpx.AsyncClient, name: str, path: str, order: dict[str, str]
) -> dict[str, object]:
    answer = await client.post(
        path, json=order, headers={"X-XSRFToken": _token(client, f"/user/{name}/")}
    )
    assert answer.status_code == 200, answer.text
    said: dict[str, object] = answer.json()
    return said


def _token(client: httpx.AsyncClient, path: str) -> str:
    return next(
        one.value or ""
        for one in client.cookies.jar
        if one.name == "_xsrf" and one.path.startswith(path)
    )


def _pss(made: Workshop, name: str) -> int:
    """Memory of a seat: of what it shares with others, its part alone (bytes)."""
    account = made.account(name)
    assert account is not None
    total = 0
    for process in accounts.processes(made, account):
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return total


def _at_work(made: Workshop, learner: Learner) -> int:
    """Start a seat's notebook, have it read the communes, and measure the seat (bytes)."""
    assert learner.cookies is not None
    visitor = Visitor(made.url, learner.name)
    for one in learner.cookies.jar:
        visitor.session.cookies.set_cookie(one)
    said = visitor.run(WORK)
    assert said.isdigit(), said
    return _pss(made, learner.name)


def _found_again(made: Workshop) -> tuple[int, int]:
    """Collect, then count what is there and what is as it was saved."""
    harvest = collect.collect(made, len(os.sched_getaffinity(0)))
    equal = 0
    for seat in made.seats:
        place = made.course / "submitted" / made.learner(seat) / EXERCISE / f"{EXERCISE}.ipynb"
        saved = seat.work / EXERCISE / f"{EXERCISE}.ipynb"
        if place.is_file() and json.loads(place.read_bytes()) == json.loads(saved.read_bytes()):
            equal += f"'{seat.name}'" in place.read_text(encoding="utf-8")
    return len(harvest.received), equal


def _p95(values: list[float]) -> float:
    return sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]


def _said(kept: bool) -> str:
    return "oui" if kept else "non"
