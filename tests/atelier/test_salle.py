"""A whole room: seats kept apart, limits, a hub killed, an end with every work kept."""

import json
import os
import pwd
import signal
import stat
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests

from culture_d.errors import WorkshopError
from culture_d.pdf import Printed
from culture_d.workshop import accounts, ahead, hub
from culture_d.workshop import room as rooms
from culture_d.workshop.model import Account, Workshop
from tests.atelier.conftest import ADDRESS, CANARY, EXERCISE, Room
from tests.atelier.visiteur import SECONDS, Visitor

# Minutes of work with real accounts: `make soak` runs them.
pytestmark = [pytest.mark.xdist_group("atelier"), pytest.mark.long]


@pytest.fixture(scope="module")
def opened(room: Room) -> Room:
    """The workshop, its hub open on loopback."""
    said = room.open()
    assert f"https://{ADDRESS}:{room.port}/" in said
    assert "toute machine reliée à ce réseau" in said and "empreinte" in said
    return room


@pytest.fixture(scope="module")
def first(opened: Room) -> Visitor:
    return opened.enter("place-01")


@pytest.fixture(scope="module")
def second(opened: Room) -> Visitor:
    return opened.enter("place-02")


def test_preparation_interrompue_puis_finie(room: Room) -> None:
    workshop = room.workshop
    # Killed with the trainer's account just made, before any seat's: the second run finished.
    assert 1 <= len(room.killed_after) < len(workshop.accounts)
    for account in workshop.accounts:
        found = pwd.getpwnam(account.user)
        assert (found.pw_dir, found.pw_uid > 0) == (str(account.home), True)
        assert stat.S_IMODE(account.home.stat().st_mode) == 0o700
        assert account.home.stat().st_uid == found.pw_uid
        assert (account.work / "notebooks/comprendre/moyenne-mediane.ipynb").is_file()
        assert (account.work / "datasets/communes/communes.csv").is_file()
        shadow = Path("/etc/shadow").read_text()
        assert f"\n{account.user}:!" in shadow, "an account of the machine with a password"
    released = workshop.outbound / EXERCISE / f"{EXERCISE}.ipynb"
    assert "BEGIN SOLUTION" not in released.read_text(encoding="utf-8")
    assert released.stat().st_uid == pwd.getpwnam(workshop.trainer.user).pw_uid
    # nbgrader's « write, do not list », and « remove only your own ».
    assert stat.S_IMODE(workshop.inbound.stat().st_mode) & 0o1777 == 0o1733
    assert stat.S_IMODE(workshop.exchange.stat().st_mode) == 0o1777


def test_cartes(room: Room) -> None:
    assert stat.S_IMODE(room.cards.stat().st_mode) == 0o600
    printed = Printed(room.cards.read_bytes())
    assert printed.tagged and printed.language == "fr" and printed.pages() == 2
    # Two learners and the trainer: one sheet and its back; what is kept is a digest.
    stored = json.loads(room.workshop.passwords.read_text())
    assert set(stored) == {"place-01", "place-02", "formateur"}
    assert all(one["digest"].startswith("$argon2id$") for one in stored.values())


def test_preparer_deux_fois_ne_change_rien(room: Room) -> None:
    before = _picture(room.folder)
    assert "Comptes créés" not in room.prepare()
    assert _picture(room.folder) == before


def test_moins_de_places_demande_confirmation(room: Room) -> None:
    said = room.command("preparer", "--places", "1", ok=False)
    assert "place-02" in said and "--oui" in said
    assert len(room.workshop.seats) == 2


def test_places_pretes_avant_la_salle(opened: Room) -> None:
    """Opened, the seats are ready before anyone comes; what starts them can do nothing else."""
    workshop = opened.workshop
    assert ahead.ready_seats(workshop) == {"place-01", "place-02"}
    said = opened.command("etat").replace("\N{NO-BREAK SPACE}", " ")
    assert "Places prêtes : 2 sur 2" in said
    assert stat.S_IMODE(workshop.token.stat().st_mode) == 0o600
    visitor = opened.visitor("place-01")
    assert visitor.log_in(opened.password("place-01")) == 302
    page = visitor.session.get(visitor.server("lab"))
    assert page.status_code == 200 and page.url.startswith(visitor.server("lab"))
    key = {"Authorization": f"token {workshop.token.read_text()}"}
    api = f"{workshop.url}hub/api/"
    for method, path in (
        ("GET", f"{workshop.url}user/place-01/api/contents"),
        ("DELETE", f"{api}users/place-01/server"),
        ("DELETE", f"{api}users/place-01"),
        ("POST", f"{api}users/place-01/tokens"),
        ("POST", f"{api}users/place-03"),
        ("POST", f"{api}shutdown"),
        ("GET", f"{api}proxy"),
    ):
        apart = opened.visitor("personne").session
        answer = apart.request(method, path, headers=key, allow_redirects=False)
        assert answer.status_code in (302, 403, 404), (method, path, answer.status_code)
    assert _servers(opened) == {"place-01", "place-02"}
    # Counter-proof: what it is for, it may do.
    said = opened.open().replace("\N{NO-BREAK SPACE}", " ")
    assert "était déjà ouvert" in said and "Places prêtes : 2 sur 2" in said
    # A seat that died is seen, and started again by the same command.
    account = workshop.account("place-02")
    assert account
    accounts.stop_processes(found=accounts.processes(workshop, account))
    assert _servers(opened) == {"place-01"}
    assert "Places prêtes : 2 sur 2" in opened.open().replace("\N{NO-BREAK SPACE}", " ")


def test_entree(opened: Room) -> None:
    """No default password, no registration, no account of the machine; a card serves once."""
    for name in ("root", "admin", "place-03", opened.workshop.seats[0].user, ""):
        for password in ("", "admin", name):
            assert opened.visitor(name).log_in(password) == 403
    visitor = opened.visitor("place-02")
    assert visitor.status("hub/signup") == 404
    password = opened.password("place-02")
    assert opened.visitor("place-01").log_in(password) == 403
    # Capitals, spaces and hyphens do not count.
    assert visitor.log_in(f" {password.upper().replace('-', ' ')} ") == 302
    late = opened.visitor("place-02")
    assert late.log_in(password) == 403
    assert "déjà servi" in late.said
    for _ in range(5):
        status = late.log_in("tuvo-beri-nudo")
    assert status in (403, 429)
    assert late.log_in("tuvo-beri-nudo") == 429
    assert "Trop d'essais" in late.said
    # Another seat is not shut out with it, from the same address; nor this one, once it is
    # given another password.
    assert opened.visitor("place-01").log_in(opened.password("place-01")) == 302
    assert late.log_in(opened.password("place-02")) == 302


def test_places_separees(opened: Room, first: Visitor, second: Visitor) -> None:
    """What a learner's kernel sees of the others: nothing."""
    workshop = opened.workshop
    assert first.run("import getpass; print(getpass.getuser())") == workshop.seats[0].user
    second.run("open('mon-travail.txt', 'w').write('à moi')")
    for path in _secrets(workshop):
        said = first.run(f"print(open({str(path)!r}, 'rb').read(20))")
        assert said.startswith(("FileNotFoundError", "PermissionError")), (path, said)
    theirs = workshop.seats[1].work / "mon-travail.txt"
    said = first.run(f"open({str(theirs)!r}, 'w').write('à personne')")
    assert said.startswith(("FileNotFoundError", "PermissionError"))
    assert theirs.read_text() == "à moi"
    said = first.run(f"import os; print(os.listdir({str(workshop.inbound)!r}))")
    assert said.startswith("PermissionError")
    for name in ("renommer", "supprimer"):
        action = "os.rename(p, p + '-x')" if name == "renommer" else "os.rmdir(p)"
        said = first.run(f"p = {str(workshop.outbound)!r}; {action}")
        assert said.startswith(("PermissionError", "OSError")), said
    # Its environment holds nothing of the hub, nor of who opened the workshop.
    names = first.run("print(*os.environ)").split()
    assert CANARY not in names and "CONFIGPROXY_AUTH_TOKEN" not in names
    seen = first.run("print(*[one for one in os.listdir('/proc') if one.isdigit()])").split()
    assert 2 <= len(seen) < 12, "only what runs in this seat"
    # Its own work goes on, with the course's package and data.
    assert first.run(
        "from culture_d.notebook import phrase\n"
        "print(len(open('datasets/communes/communes.csv').readlines()) > 30000)"
    ).endswith("True")


def test_contre_epreuve_des_permissions(opened: Room) -> None:
    """Each secret is kept twice, by its permissions and by the room: each is seen to matter."""
    workshop = opened.workshop
    learner = workshop.seats[0]
    for path in _secrets(workshop):
        assert not _readable(learner, path), path
        with _loosened(path, workshop.folder):
            assert _readable(learner, path), f"the check would not see that {path} is open"
            hidden = rooms.run(workshop, learner, ["cat", str(path)])
            assert hidden.returncode != 0, f"{path} is kept by its permissions alone"
            shown = rooms.command(workshop, learner, ["cat", str(path)])
            at = shown.index("--remount-ro")
            shown[at:at] = ["--ro-bind", str(workshop.folder), str(workshop.folder)]
            done = subprocess.run(shown, env=rooms.environment(learner), capture_output=True)
            assert done.returncode == 0, (path, done.stderr)


def test_serveur_d_un_autre(opened: Room, first: Visitor, second: Visitor) -> None:
    """A learner neither enters nor stops another's server, nor lists who is there."""
    assert first.status("hub/api/users/place-02/server", "DELETE") in (403, 404)
    assert first.status("hub/api/users/place-02/server", "POST") in (403, 404)
    listed = first.session.get(f"{first.url}hub/api/users", headers={"Accept": "*/*"}).text
    assert "place-02" not in listed and "formateur" not in listed
    assert first.status("user/place-02/lab") in (302, 403)
    page = first.session.get(first.server("lab", "place-02"))
    assert page.status_code in (403, 404) and "jupyter-config-data" not in page.text
    assert first.status("hub/admin") in (403, 404)
    assert _servers(opened) == {"place-01", "place-02"}
    # Counter-proof: who has the right to, does; and still does not enter.
    trainer = opened.visitor("formateur")
    assert trainer.log_in(opened.password("formateur")) == 302
    page = trainer.session.get(trainer.server("lab", "place-02"))
    assert "jupyter-config-data" not in page.text
    listed = trainer.session.get(f"{trainer.url}hub/api/users").text
    assert "place-02" in listed
    # A server that is stopped takes with it what its user left running.
    second.run("import subprocess; subprocess.Popen(['sleep', '600'], start_new_session=True)")
    assert trainer.status("hub/api/users/place-02/server", "DELETE") in (202, 204)
    _until(lambda: _servers(opened) == {"place-01"})
    second.start()


def test_limites(opened: Room, first: Visitor, second: Visitor) -> None:
    """A cell that asks too much gets an error; its seat and the others go on."""
    assert first.run("len(bytearray(100 * 2**20))") == ""
    assert first.run("x = bytearray(2 * 2**30)").startswith("MemoryError")
    said = first.run(
        "import subprocess\nrunning = []\ntry:\n"
        "    for _ in range(400): running.append(subprocess.Popen(['sleep', '60']))\n"
        "except OSError as error: print(type(error).__name__, len(running))\n"
        "for one in running: one.kill(); one.wait()"
    )
    assert said.split()[0] == "BlockingIOError" and 5 < int(said.split()[1]) < 120, said
    # No file fills the disk alone; a smaller one is no trouble.
    assert first.run("open('gros', 'wb').truncate(2**30 + 1)").startswith("OSError"), said
    assert first.run("print(open('gros', 'wb').truncate(2**30))") == str(2**30)
    # Counter-proof, at the same time on the same machine: forty are no trouble elsewhere.
    assert (
        second.run(
            "import subprocess\nr = [subprocess.Popen(['sleep', '60']) for _ in range(40)]\n"
            "print(len(r))\nfor one in r: one.kill(); one.wait()"
        )
        == "40"
    )
    assert first.run("print('toujours là')") == "toujours là"


def test_depot(opened: Room, second: Visitor) -> None:
    """nbgrader's own commands fetch and submit; no other learner can remove what was."""
    said = second.run(
        "import subprocess, sys\n"
        f"for verb in ('fetch_assignment', 'submit'):\n"
        f"    done = subprocess.run(['nbgrader', verb, {EXERCISE!r}], capture_output=True, text=True)\n"
        "    print(done.returncode, done.stderr[-300:] if done.returncode else '')"
    )
    assert said.split() == ["0", "0"], said
    workshop = opened.workshop
    (handed,) = workshop.inbound.iterdir()
    assert handed.name.startswith(f"{workshop.seats[1].user}+{EXERCISE}+")
    assert f"{EXERCISE} × 1" in opened.command("etat")
    # Even one who knew its name could neither rename nor remove it; loosened, they could.
    target = handed.with_name("vole")
    attempt = ["mv", str(handed), str(target)]
    assert rooms.run(workshop, workshop.seats[0], attempt).returncode != 0
    mode = workshop.inbound.stat().st_mode
    workshop.inbound.chmod(mode & 0o6777)
    assert rooms.run(workshop, workshop.seats[0], attempt).returncode == 0
    target.rename(handed)
    workshop.inbound.chmod(mode)


def test_port_pris_et_adresse_etrangere(opened: Room) -> None:
    assert "était déjà ouvert" in opened.open()
    said = opened.command("ouvrir", "--reseau", "192.0.2.7", ok=False)
    assert "déjà ouvert" in said
    with pytest.raises(WorkshopError, match=r"192\.0\.2\.7.*n'est pas une adresse de cette"):
        hub.check_address("192.0.2.7")
    other = replace(opened.workshop, folder=opened.folder.parent / "autre")
    with pytest.raises(WorkshopError, match=f"Le port {opened.port + 1} .*est déjà pris"):
        hub.check_ports(other)


def test_hub_tue_et_rouvert(opened: Room, first: Visitor, second: Visitor) -> None:
    """Servers, sessions and kernels outlive the hub, and all are reached without it."""
    first.run("gardé = 42; open('avant.txt', 'w').write('écrit')")
    proxy = _proxy(opened)
    assert proxy
    running = hub.running(opened.workshop)
    assert running
    with _asked_all_along(first, "api/contents/avant.txt") as answers:
        running.send_signal(signal.SIGKILL)
        running.wait(30)
        assert "arrêté" in opened.command("etat")
        opened.open()
    assert len(answers) > 20
    assert set(answers) == {200}
    assert _proxy(opened) == proxy
    assert _servers(opened) == {"place-01", "place-02"}
    assert first.run("print(gardé)") == "42"
    assert first.status("hub/home") == 200

    # A proxy that stops, kept or not, is replaced by the hub.
    proxy.kill()
    _until(lambda: (now := _proxy(opened)) is not None and now != proxy)
    _until(lambda: hub.answers(opened.workshop))
    assert first.run("print(gardé)") == "42"


def _proxy(room: Room) -> psutil.Process | None:
    with suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int(room.workshop.proxy_pid.read_text()))
        if process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


@contextmanager
def _asked_all_along(visitor: Visitor, path: str) -> Iterator[list[int]]:
    """Ask a seat's server for a page again and again; give what each answer was (0: none)."""
    answers: list[int] = []
    over = threading.Event()

    def ask() -> None:
        while not over.wait(0.05):
            try:
                page = visitor.session.get(visitor.server(path), timeout=SECONDS)
                answers.append(page.status_code)
            except requests.RequestException:
                answers.append(0)

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answers
    finally:
        over.set()
        asking.join()


def test_place_en_repos(opened: Room, first: Visitor, second: Visitor) -> None:
    """The hub's own service, told a second instead of an hour: servers end, work stays."""
    (culler,) = hub._cullers(opened.workshop)
    words = culler.cmdline()
    assert f"--timeout={opened.workshop.limits.idle_seconds}" in words
    hurried = [one for one in words if not one.startswith(("--timeout", "--cull-every"))]
    with subprocess.Popen(
        [*hurried, "--timeout=1", "--cull-every=2"],
        env=culler.environ(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as service:
        _until(lambda: not _servers(opened))
        service.terminate()
    assert (opened.workshop.seats[0].work / "avant.txt").read_text() == "écrit"
    first.start()
    assert first.run("print(open('avant.txt').read())") == "écrit"


def test_fermer(opened: Room, prefix: str) -> None:
    """Each seat's work in a ZIP that reads back, then no account left but those not ours."""
    workshop = opened.workshop
    work = workshop.seats[0].work
    (work / "bilan.txt").write_text("fini")
    raw = os.path.join(os.fsencode(work), b"not\xe9.txt")  # noqa: PTH118
    with open(raw, "w") as out:  # noqa: PTH123
        out.write("autre codage")
    (work / "vers").symlink_to("/etc/passwd")
    (work / "dossier").symlink_to("/etc")
    os.mkfifo(work / "tube")
    (work / ".cache").mkdir()
    (work / ".cache" / "rien").write_text("à jeter")
    stranger = f"{prefix}-place-77"
    subprocess.run(["useradd", "--no-create-home", stranger], check=True)
    assert accounts.remove(workshop, Account("place-77", stranger, workshop.places / stranger)) is (
        False
    )
    visitor = opened.enter("place-02")  # a seat is open when the workshop is closed
    visitor.run("open('dernier.txt', 'w').write('mot')")
    assert "Rien n'a été fait" in opened.command("fermer")
    said = opened.command("fermer", "--oui")
    assert f"Comptes supprimés : {len(workshop.accounts)}" in said
    (folder,) = workshop.archives.iterdir()
    with zipfile.ZipFile(folder / "place-01.zip") as kept:
        names = set(kept.namelist())
        assert kept.read("culture-d/bilan.txt") == b"fini"
        assert kept.read("culture-d/not\\xe9.txt") == b"autre codage"
    assert not {"culture-d/vers", "culture-d/tube", "culture-d/.cache/rien"} & names
    assert not [one for one in names if "passwd" in one or "dossier" in one]
    with zipfile.ZipFile(folder / "place-02.zip") as kept:
        assert kept.read("culture-d/dernier.txt") == b"mot"
    with zipfile.ZipFile(folder / "formateur.zip") as kept:
        assert "cours/gradebook.db" in kept.namelist()
    left = {one.pw_name for one in pwd.getpwall() if one.pw_name.startswith(f"{prefix}-")}
    assert left == {stranger}
    assert sorted(one.name for one in opened.folder.iterdir()) == [".verrou", "archives"]
    assert "déjà fermé" in opened.command("fermer", "--oui")


def _secrets(workshop: Workshop) -> list[Path]:
    """What no learner may read, each of which exists."""
    other = workshop.seats[1]
    paths = [
        other.work / "notebooks/comprendre/moyenne-mediane.ipynb",
        workshop.gradebook,
        workshop.course / "source" / EXERCISE / f"{EXERCISE}.ipynb",
        workshop.assignments / "exercises/source" / EXERCISE / f"{EXERCISE}.ipynb",
        workshop.trainer.work / "datasets/communes/communes.csv",
        workshop.database,
        workshop.cookie_secret,
        workshop.passwords,
        workshop.config_file,
        workshop.token,
        workshop.log,
        workshop.file,
    ]
    assert all(path.is_file() for path in paths), paths
    return paths


def _readable(learner: Account, path: Path) -> bool:
    """Whether an account can read a file of the machine, outside of any room."""
    found = pwd.getpwnam(learner.user)
    done = subprocess.run(
        ["cat", path],
        user=found.pw_uid,
        group=found.pw_gid,
        extra_groups=[],
        capture_output=True,
        cwd="/",
    )
    return done.returncode == 0


class _loosened:
    """Open a file, and the folders on the way to it, to everyone for a while."""

    def __init__(self, path: Path, base: Path) -> None:
        between = [up for up in path.parents if up.is_relative_to(base)]
        self._modes = {one: one.stat().st_mode for one in (path, *between)}

    def __enter__(self) -> None:
        for path, mode in self._modes.items():
            path.chmod(mode | (0o055 if path.is_dir() else 0o044))

    def __exit__(self, *_: object) -> None:
        for path, mode in self._modes.items():
            path.chmod(mode)


def _servers(opened: Room) -> set[str]:
    workshop = opened.workshop
    return {
        one.name for one in workshop.seats if any(True for _ in accounts.processes(workshop, one))
    }


def _until(true: "object", seconds: float = 90) -> None:
    assert callable(true)
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def _picture(folder: Path) -> dict[str, tuple[int, int, str]]:
    """What is in the workshop's folder, but for what only says that a command came by."""
    passing = {".verrou", "mots-de-passe.json.verrou"}
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.lstat().st_uid,
            path.read_bytes().hex() if path.is_file() else "",
        )
        for path in folder.rglob("*")
        if path.name not in passing
    }
