"""The pieces of a workshop that need no account: passwords, archives, names, messages."""

import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import zipfile
from collections import namedtuple
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from culture_d.catalogue import load_catalogue
from culture_d.errors import WorkshopError
from culture_d.project import Project
from culture_d.workshop import (
    accounts,
    ahead,
    archive,
    certificate,
    disk,
    hub,
    life,
    needs,
    proxy,
    seats,
)
from culture_d.workshop.authenticator import Attempts
from culture_d.workshop.hub_config import hub_config, tljh_config
from culture_d.workshop.limits import make_group
from culture_d.workshop.model import MEBIBYTE, Seat, SeatLimits, Trainer, Workshop
from culture_d.workshop.passwords import Answer, Passwords, new_password
from culture_d.yaml_file import read_yaml

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    """A workshop on paper: one seat, under the present account."""
    folder = tmp_path / "salle"
    me = pwd.getpwuid(os.getuid()).pw_name
    seat = Seat("place-01", me, folder / "places" / "place-01", 1)
    made = Workshop(
        "essai", folder, "marque", (seat,), Trainer("formateur", me, folder / "formateur"), ("a",)
    )
    (folder / "hub").mkdir(parents=True)
    return replace(made, separated=False)


def test_mots_de_passe(tmp_path: Path) -> None:
    book = Passwords(tmp_path / "mots.json")
    drawn = book.draw(["a", "b"])
    assert len({new_password() for _ in range(2000)}) == 2000
    assert all(re.fullmatch(r"[b-y]{4}-[b-y]{4}-[b-y]{4}", one) for one in drawn.values())
    stored = (tmp_path / "mots.json").read_text()
    assert not any(word in stored for one in drawn.values() for word in (one, one.replace("-", "")))
    assert (tmp_path / "mots.json").stat().st_mode & 0o777 == 0o600
    # A card never written is made again; one written is not.
    assert book.waiting(["a", "b", "c"]) == ("a", "b", "c")
    book.printed(["a"])
    assert book.waiting(["a", "b", "c"]) == ("b", "c")
    assert book.spend("a", drawn["b"]) is Answer.WRONG
    assert book.spend("inconnu", drawn["a"]) is Answer.WRONG
    assert book.spend("a", drawn["a"].upper()) is Answer.RIGHT
    assert book.spend("a", drawn["a"]) is Answer.USED
    again = book.draw(["a"])["a"]
    assert book.spend("a", drawn["a"]) is Answer.WRONG
    assert book.spend("a", again) is Answer.RIGHT
    (tmp_path / "mots.json").write_text("{")
    with pytest.raises(WorkshopError, match="abîmé"):
        book.spend("a", again)


def test_essais() -> None:
    tries = Attempts(window=300, by_both=3, by_seat=6, by_address=8)
    for _ in range(3):
        assert tries.wait("a", "1") == 0
        tries.failed("a", "1")
    assert 0 < tries.wait("a", "1") <= 300
    assert tries.wait("b", "1") == tries.wait("a", "2") == 0
    for _ in range(3):
        tries.failed("a", "2")
    assert tries.wait("a", "3") > 0, "six failures on one seat, from anywhere"
    for _ in range(2):
        tries.failed("", "1")
    assert tries.wait("c", "1") == 0
    for number in range(3):
        tries.failed(f"x{number}", "1")
    assert tries.wait("c", "1") > 0, "eight failures from one address"
    old = Attempts(window=0)
    for _ in range(100):
        old.failed("a", "1")
    assert old.wait("a", "1") == 0
    # Those who enter leave nothing behind: forty may share an address.
    room = Attempts(by_address=5)
    for number in range(40):
        assert room.wait(f"place-{number}", "1") == 0
        room.failed(f"place-{number}", "1")
        room.succeeded(f"place-{number}", "1")


def test_archive_qui_ne_se_relit_pas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, target = tmp_path / "home", tmp_path / "place.zip"
    (home / "dossier").mkdir(parents=True)
    (home / "dossier" / "a.txt").write_text("un")
    kept = archive.archive(home, target)
    assert (kept.files, kept.size, kept.unread) == (1, 2, ())
    before = target.read_bytes()

    class Damaged(zipfile.ZipFile):
        def testzip(self) -> str | None:
            return "dossier/a.txt"

    with monkeypatch.context() as broken:
        broken.setattr(zipfile, "ZipFile", Damaged)
        with pytest.raises(WorkshopError, match="ne se relit pas"):
            archive.archive(home, target)
    assert target.read_bytes() == before and not list(tmp_path.glob("*.partiel"))


def test_archive_disque_plein(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.fail("/dev/full manque : ce test demande Linux")
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "a").write_bytes(os.urandom(100_000))
    (tmp_path / "place.zip.partiel").symlink_to("/dev/full")
    with pytest.raises(WorkshopError, match="plus de place sur le disque"):
        archive.archive(tmp_path / "home", tmp_path / "place.zip")


def test_noms_deja_pris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The accounts of the machine are left alone: the seat takes another name."""
    taken = {"cd-place-01", "cd-mairie-place-01"}
    real = accounts.entry
    monkeypatch.setattr(
        accounts, "entry", lambda user: real("root") if user in taken else real(user)
    )
    plan = accounts.plan_seat(tmp_path, 1, "mairie", "cd", True)
    assert (plan.name, plan.user) == ("place-01", "cd-place-01-b")
    monkeypatch.setattr(accounts, "entry", lambda user: real("root"))
    with pytest.raises(WorkshopError, match="existent déjà sur cette machine"):
        accounts.plan_seat(tmp_path, 1, "mairie", "cd", True)


def test_compte_d_un_autre_jamais_touche(workshop: Workshop) -> None:
    """Neither root nor an account of another mark is ours, whatever the file says."""
    for user in ("root", "nobody"):
        stolen = replace(workshop.seats[0], user=user)
        forged = replace(workshop, separated=True, seats=(stolen,))
        assert not accounts.is_ours(forged, stolen)
        assert accounts.remove(forged, stolen) is False
        with pytest.raises(WorkshopError, match="n'est pas de cet atelier"):
            accounts.make(forged, stolen)
    assert accounts.entry("root")


def test_horloge(project: Project) -> None:
    newest = max(one.published for one in load_catalogue(project))
    seats.check_clock(project, newest)
    with pytest.raises(WorkshopError, match="L'horloge de cette machine dit"):
        seats.check_clock(project, newest - timedelta(days=1))
    with pytest.raises(WorkshopError, match="1er janvier 1970"):
        seats.check_clock(project, date(1970, 1, 1))


def test_disque_et_memoire(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**10, 0, 300 * MEBIBYTE))
    needs.check_disk(tmp_path / "pas" / "encore", 2, 5 * MEBIBYTE)
    with pytest.raises(
        WorkshopError, match=r"a 300 Mio de libre : pour 15 places, il faut 1,5 Gio"
    ):
        needs.check_disk(tmp_path, 15, 5 * MEBIBYTE)
    assert needs.memory_warning(1) is None
    assert "Vous en demandez 99999" in (needs.memory_warning(99999) or "")


def test_ce_qui_manque(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    monkeypatch.setattr(needs, "find_spec", lambda name: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(WorkshopError) as refused:
        needs.check(True)
    for word in ("jupyterhub", "sudo", "useradd", "bubblewrap", "--places-non-separees"):
        assert word in str(refused.value)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--places", "2", "--exercices", "inconnu"], "Exercice inconnu : inconnu"),
        (["--places", "2", "--exercices", "formats", "--module", "rien"], "Module inconnu : rien"),
        (["--places", "0", "--exercices", "formats"], "de 1 à 99"),
        (["--exercices", "formats"], "Donnez le nombre de places"),
        (["--places", "2"], "Donnez les exercices"),
        (
            ["--places", "2", "--exercices", "formats", "--reseau", "mairie"],
            "n'est pas une adresse",
        ),
        (["--places", "2", "--exercices", "formats", "--reseau", "0.0.0.0"], "tous les réseaux"),
        (["--places", "2", "--exercices", "formats", "--port", "80"], "Le port 80 ne convient pas"),
        (["--places", "2", "--exercices", "formats", "--nom", "../x"], "ne peut pas nommer"),
    ],
)
def test_demandes_refusees(
    project: Project,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    said: str,
) -> None:
    """A request that cannot be met says why, before anything is made."""
    from click.testing import CliRunner

    from culture_d.cli import cli

    monkeypatch.setattr(needs, "check", lambda separated: None)
    monkeypatch.setattr(life, "_make", lambda *_: pytest.fail("something was made"))
    monkeypatch.chdir(project.root)
    folder = tmp_path / "salle"
    result = CliRunner().invoke(cli, ["atelier", "preparer", *words, "--dossier", str(folder)])
    assert result.exit_code == 1 and said in result.output, result.output
    assert not (folder / "atelier.json").exists()


def test_root_sans_separation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "check", lambda separated: None)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(WorkshopError, match="de chaque place un administrateur"):
        life.prepare(Project(ROOT), "essai", tmp_path, life.Options(seats=1, separated=False))


def test_atelier_absent_abime_ou_occupe(workshop: Workshop) -> None:
    with pytest.raises(WorkshopError, match="Aucun atelier dans"):
        Workshop.load(workshop.folder)
    workshop.save()
    assert Workshop.load(workshop.folder) == workshop
    workshop.file.write_text('{"name": 3}')
    with pytest.raises(WorkshopError, match="est abîmé"):
        Workshop.load(workshop.folder)
    with life._alone(workshop.folder), pytest.raises(WorkshopError, match="Une autre commande"):
        life.stop(workshop)


def test_ports(workshop: Workshop) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(WorkshopError, match=rf"Le port {port} de 127\.0\.0\.1 est déjà pris"):
            hub.check_ports(replace(workshop, port=port))
        with pytest.raises(WorkshopError, match=f"Le port {port} "):
            hub.check_ports(replace(workshop, port=port - 1))


def test_numero_de_processus_d_un_autre(workshop: Workshop) -> None:
    """The number left by a killed hub may since be any process's: it is not taken for ours."""
    workshop.pid_file.write_text(str(os.getpid()))
    assert hub.running(workshop) is None
    assert hub.stop(workshop) is False


def test_certificat(workshop: Workshop) -> None:
    served = replace(workshop, address="192.0.2.4")
    print_ = certificate.ensure(served)
    assert re.fullmatch(r"([0-9A-F]{2}:){31}[0-9A-F]{2}", print_)
    assert served.key.stat().st_mode & 0o777 == 0o600
    assert certificate.ensure(served) == print_, "the same one while it is good"
    assert certificate.ensure(replace(served, address="192.0.2.5")) != print_
    text = hub_config(replace(served, address="192.0.2.5"), ["proxy"])
    assert "https://192.0.2.5:" in text and str(served.key) in text
    assert "ssl_cert" not in hub_config(workshop, ["proxy"])


def test_configurations() -> None:
    """What is given for The Littlest JupyterHub is what `atelier` uses."""
    written = (ROOT / "deploy/jupyterhub/jupyterhub_config.py").read_text(encoding="utf-8")
    assert written == tljh_config(), "python -m culture_d.workshop.hub_config > deploy/jupyterhub/…"
    compile(written, "jupyterhub_config.py", "exec")


def test_groupes_de_controle(tmp_path: Path) -> None:
    """Version 2, on a folder that stands for the kernel's; version 1 and 2 are told apart."""
    root = tmp_path / "cgroup"
    (root).mkdir()
    assert make_group("essai", "cd-place-01", SeatLimits(), root) is None
    (root / "cgroup.controllers").write_text("memory pids")
    group = make_group("essai", "cd-place-01", SeatLimits(memory=5, processes=7), root)
    assert group
    folder = root / "culture-d" / "essai" / "cd-place-01"
    assert group.folders == (folder,)
    assert (folder / "memory.max").read_text() == "5" and (folder / "pids.max").read_text() == "7"
    group.enter()
    assert (folder / "cgroup.procs").read_text() == str(os.getpid())


def test_proxy_hors_ligne(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a network, or with an archive that is not the pinned one: said, nothing kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    monkeypatch.setenv("npm_config_registry", "http://127.0.0.1:9/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(WorkshopError, match="une fois avec un accès à internet"):
        proxy.ensure()
    assert not proxy.installed()


def test_proxy_epingle() -> None:
    proxy.ensure()
    said = subprocess.run([*proxy.command(), "--version"], capture_output=True, text=True)
    pinned = (proxy.PINNED / "package.json").read_text()
    assert f'"configurable-http-proxy": "{said.stdout.strip()}"' in pinned
    lock = (proxy.PINNED / "package-lock.json").read_text()
    assert lock.count('"node_modules/') == lock.count('"integrity": "sha512-')
    assert "://" not in re.sub(r'"url": "[^"]*"', "", lock), "an address of a registry"


def test_memoire_des_places_d_avance() -> None:
    """What is started ahead leaves each seat its kernel, and the rest of the machine its share."""
    assert ahead.room_for(0) == ahead.room_for(needs.SYSTEM_MEMORY) == 0
    assert ahead.room_for(needs.SYSTEM_MEMORY + 15 * needs.SEAT_MEMORY) == 15
    assert ahead.room_for(needs.SYSTEM_MEMORY + 15 * needs.SEAT_MEMORY - 1) == 14


def test_serveur_d_une_place_leger() -> None:
    """What a seat's server leaves out is what its libraries ask for at each start without it."""
    code = (
        "import sys\nstarted = []\n"
        "sys.addaudithook(lambda what, _: started.append(1) if what == 'subprocess.Popen' else 0)\n"
        "import {}, jupyterlab.labapp\nprint('rfc3987_syntax.syntax_helpers' in sys.modules, len(started))"
    )
    said = []
    for module in ("jupyterhub.singleuser", "culture_d.workshop.server"):
        words = [sys.executable, "-c", code.format(module)]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.strip())
    assert said == ["True 1", "False 0"]


def test_memoire_mesuree(project: Project) -> None:
    """What a seat is said to hold is more than was measured, and what the page says."""
    measured = read_yaml(project.book / "mesures-atelier.yml", WorkshopError)
    assert measured["place_carnet_mio"] * MEBIBYTE <= needs.SEAT_MEMORY
    page = (project.book / "atelier.md").read_text(encoding="utf-8")
    assert f"Environ {needs.SEAT_MEMORY // MEBIBYTE} Mio de mémoire par place" in page


def test_disque_presque_plein(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The biggest seats are named, then nothing new starts; a link or a second name is not counted."""
    (tmp_path / "petite").mkdir()
    (tmp_path / "grosse" / "dossier").mkdir(parents=True)
    before = disk.used(tmp_path / "grosse")
    (tmp_path / "grosse" / "dossier" / "a").write_bytes(bytes(3 * MEBIBYTE))
    (tmp_path / "grosse" / "b").hardlink_to(tmp_path / "grosse" / "dossier" / "a")
    (tmp_path / "grosse" / "c").symlink_to("/usr")
    held = disk.used(tmp_path / "grosse") - before
    assert 3 * MEBIBYTE <= held < 4 * MEBIBYTE
    disk.check(tmp_path / "pas" / "encore")
    assert list(disk.remarks(disk.LOW, {"place-01": 5})) == []
    sizes = {f"place-0{number}": number * 10 * MEBIBYTE for number in range(1, 6)}
    (said,) = disk.remarks(700 * MEBIBYTE, sizes)
    assert "700 Mio de libre" in said
    assert "place-05 (50 Mio), place-04 (40 Mio), place-03 (30 Mio)." in said
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**10, 0, disk.FLOOR - 1))
    with pytest.raises(WorkshopError, match="n'a plus que 511 Mio de libre"):
        disk.check(tmp_path)
