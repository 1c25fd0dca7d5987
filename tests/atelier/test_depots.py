"""What learners put in the exchange: the last counts, the former stay, no one counts for another."""

import os
import pwd
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from culture_d.workshop import clock, collect
from culture_d.workshop.arrivals import (
    FORMER,
    SECRET,
    STAMP,
    Found,
    Received,
    read_inbound,
    take_in,
)
from culture_d.workshop.model import Trainer, Workshop

EXERCISE = "petit"
ME = pwd.getpwuid(os.geteuid()).pw_name
NAMES = {ME: "place-01"}


def _submit(
    inbound: Path, said: datetime, text: str = "{}", owner: str = ME, name: str | None = None
) -> Path:
    """Lay out a submission as nbgrader's `submit` does."""
    label = f"{said:%Y-%m-%d %H:%M:%S.%f} UTC"
    folder = inbound / (name or f"{owner}+{EXERCISE}+{label}+{os.urandom(6).hex()}")
    folder.mkdir(parents=True)
    (folder / f"{EXERCISE}.ipynb").write_text(text)
    (folder / STAMP).write_text(label)
    (folder / SECRET).write_text(os.urandom(64).hex())
    return folder


def _collect(tmp_path: Path, separated: bool = True) -> tuple[list[Received], Found]:
    course = tmp_path / "cours"
    course.mkdir(exist_ok=True)
    found = read_inbound(tmp_path / "inbound", EXERCISE, NAMES, datetime.now(UTC), separated)
    return take_in(course, found, NAMES), found


def _taken(tmp_path: Path) -> str:
    return (tmp_path / "cours" / "submitted" / ME / EXERCISE / f"{EXERCISE}.ipynb").read_text()


def test_le_dernier_compte_les_autres_restent(tmp_path: Path) -> None:
    """Whatever the order in which they are collected; again, nothing changes."""
    now = datetime.now(UTC)
    inbound = tmp_path / "inbound"
    first = _submit(inbound, now - timedelta(seconds=90), "un")
    received, found = _collect(tmp_path)
    assert (received[0].new, received[0].former, found.remarks) == (True, 0, [])
    _submit(inbound, now - timedelta(seconds=30), "trois")
    _submit(inbound, now - timedelta(seconds=60), "deux")
    received, found = _collect(tmp_path)
    assert (received[0].new, received[0].former, found.remarks) == (True, 2, [])
    assert _taken(tmp_path) == "trois"
    aside = tmp_path / "cours" / FORMER / ME / EXERCISE
    kept = sorted(one.read_text() for one in aside.glob(f"*/{EXERCISE}.ipynb"))
    assert kept == ["deux", "un"]
    before = sorted(path.stat().st_mtime_ns for path in tmp_path.rglob("*"))
    received, _ = _collect(tmp_path)
    assert (received[0].new, received[0].former) == (False, 2)
    after = sorted(path.stat().st_mtime_ns for path in (tmp_path / "cours" / FORMER).rglob("*"))
    assert set(after) <= set(before)
    assert (first / f"{EXERCISE}.ipynb").read_text() == "un", "what was submitted is left as it is"


def test_nul_ne_compte_pour_un_autre(tmp_path: Path) -> None:
    """A name that is not the owner's, and an owner who is no one of the workshop."""
    now = datetime.now(UTC)
    _submit(tmp_path / "inbound", now, owner="place-02-qui-n-est-pas-moi")
    received, found = _collect(tmp_path)
    assert received == []
    assert "a déposé un devoir au nom de « place-02-qui-n-est-pas-moi »" in found.remarks[0]
    # The proof: where names are all there is, the same folder is taken for that name.
    names = {"place-02-qui-n-est-pas-moi": "place-02"}
    inbound = tmp_path / "inbound"
    assert len(read_inbound(inbound, EXERCISE, names, now, separated=False).arrivals) == 1
    other = read_inbound(inbound, EXERCISE, {"personne": "place-09"}, now)
    assert other.arrivals == []
    assert "n'est pas une place de cet atelier" in other.remarks[0]


def test_un_lien_ne_mene_nulle_part(tmp_path: Path) -> None:
    """Neither to the solutions, nor from a folder that is itself a link."""
    now = datetime.now(UTC)
    solution = tmp_path / "solution.ipynb"
    solution.write_text("la réponse")
    folder = _submit(tmp_path / "inbound", now, "le mien")
    (folder / "copie.ipynb").symlink_to(solution)
    (folder / "dossier").symlink_to(tmp_path)
    os.mkfifo(folder / "tuyau.ipynb")
    received, _ = _collect(tmp_path)
    assert received[0].new
    taken = tmp_path / "cours" / "submitted" / ME / EXERCISE
    assert sorted(path.name for path in taken.rglob("*")) == [f"{EXERCISE}.ipynb", SECRET, STAMP]
    (folder / f"{EXERCISE}.ipynb").unlink()
    link = (
        tmp_path
        / "inbound"
        / folder.name.replace("+", "+", 1).replace(f"+{EXERCISE}+", f"+{EXERCISE}+2")
    )
    link.symlink_to(folder)
    assert "un lien ou un fichier au lieu d'un dépôt" in " ".join(_collect(tmp_path)[1].remarks)


@pytest.mark.skipif(os.geteuid() != 0, reason="changer le propriétaire d'un fichier demande root")
def test_un_lien_dur_garde_son_proprietaire(tmp_path: Path) -> None:
    """A file of someone else within the folder is not copied."""
    now = datetime.now(UTC)
    folder = _submit(tmp_path / "inbound", now, "le mien")
    (folder / "autre.ipynb").write_text("à un autre")
    os.chown(folder / "autre.ipynb", 12345, 12345)
    _collect(tmp_path)
    taken = tmp_path / "cours" / "submitted" / ME / EXERCISE
    assert not (taken / "autre.ipynb").exists()
    assert (taken / f"{EXERCISE}.ipynb").read_text() == "le mien"


def test_heures_impossibles(tmp_path: Path) -> None:
    """A moment that is not that of the arrival, and a folder whose name says none."""
    now = datetime.now(UTC)
    inbound = tmp_path / "inbound"
    _submit(inbound, now - timedelta(days=3), "antidaté")
    _submit(inbound, now, "sans heure", name=f"{ME}+{EXERCISE}+n'importe quoi+abc")
    received, found = _collect(tmp_path)
    assert abs(received[0].moment - now) < timedelta(minutes=1)
    assert received[0].former == 1
    assert [
        "l'heure écrite dans un dépôt n'est pas celle de son arrivée" in one
        for one in found.remarks
    ] == [True]


def test_depot_de_l_avenir(tmp_path: Path) -> None:
    """The clock was wrong then, or is now: all is kept, another submission comes first."""
    now = datetime.now(UTC)
    inbound = tmp_path / "inbound"
    _submit(inbound, now, "heure juste")
    late = _submit(inbound, now + timedelta(seconds=1), "heure fausse")
    earlier = datetime.fromtimestamp(late.stat().st_ctime, UTC) - timedelta(hours=2)
    found = read_inbound(inbound, EXERCISE, NAMES, earlier)
    assert all(one.doubtful for one in found.arrivals)
    assert all("daté de l'avenir" in one for one in found.remarks)
    assert len(found.arrivals) == len(found.remarks) == 2


def test_ce_qui_n_est_pas_entier(tmp_path: Path) -> None:
    """Being sent: wait. Unreadable, too large or without notebook: said, others go on."""
    now = datetime.now(UTC)
    inbound = tmp_path / "inbound"
    folder = _submit(inbound, now, "en route")
    (folder / SECRET).unlink()
    received, found = _collect(tmp_path)
    assert received == []
    assert "est en train de remettre" in found.remarks[0]
    later = datetime.now(UTC) + timedelta(minutes=2)
    assert len(read_inbound(inbound, EXERCISE, NAMES, later).arrivals) == 1, "then it is taken"
    (folder / SECRET).write_text("secret")
    empty = _submit(inbound, now + timedelta(seconds=1))
    (empty / f"{EXERCISE}.ipynb").unlink()
    huge = _submit(inbound, now + timedelta(seconds=2))
    with (huge / "gros.bin").open("wb") as file:
        file.truncate(200_000_000)
    received, found = _collect(tmp_path)
    assert _taken(tmp_path) == "en route"
    assert len(received) == 1
    assert "n'a pas de carnet" in " ".join(found.remarks)
    assert "dépasse 100 Mo" in " ".join(found.remarks)
    assert not [
        path for path in (tmp_path / "cours").iterdir() if path.name.startswith(".reception")
    ]


def test_apres_la_fin(tmp_path: Path) -> None:
    """What comes late counts, is dated and said; what came in time stays beside it."""
    now = datetime.now(UTC)
    inbound = tmp_path / "inbound"
    _submit(inbound, now - timedelta(minutes=4), "à temps")
    _submit(inbound, now - timedelta(minutes=1), "en retard")
    (received,), _ = _collect(tmp_path)
    assert _taken(tmp_path) == "en retard"
    end = now - timedelta(minutes=3)
    assert received.late(end) and received.in_time_before(end)
    said = collect._said_late("place-01", received, end).replace("\N{NO-BREAK SPACE}", " ")
    assert said == "place-01 (2 minutes après ; un dépôt fait à temps est gardé)"
    # With no end, or a later one, nobody is late.
    assert not received.late(None) and not received.late(now)
    # A date that cannot be believed makes nobody late.
    assert not replace(received, doubtful=True).late(end)
    earlier = now - timedelta(minutes=5)
    assert received.late(earlier) and not received.in_time_before(earlier)


def test_horloge_de_l_atelier(tmp_path: Path) -> None:
    """A clock that went back, an end already past: said, and nothing is refused."""
    trainer = Trainer("formateur", ME, tmp_path / "formateur")
    made = Workshop("essai", tmp_path, "marque", (), trainer, (EXERCISE,))
    made.save()
    now = datetime.now(UTC)
    assert list(clock.remarks(made, now)) == []
    (said,) = clock.remarks(made, now - timedelta(days=1))
    assert "Vérifiez son horloge" in said
    (said,) = clock.remarks(made, now, [now + timedelta(hours=1)])
    assert "Vérifiez son horloge" in said
    ended = replace(made, end=(now - timedelta(hours=1)).isoformat())
    (said,) = clock.remarks(ended, now)
    assert "est passée" in said and "On peut encore rendre" in said
    assert list(clock.remarks(replace(made, end=(now + timedelta(hours=1)).isoformat()), now)) == []
