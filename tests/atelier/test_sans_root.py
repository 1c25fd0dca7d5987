"""Without administration rights: seats that are not separated, asked for by that name."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from culture_d import chromium
from culture_d.project import Project
from culture_d.workshop import proxy, room
from culture_d.workshop.model import Trainer, Workshop
from tests.atelier.conftest import EXERCISE, SECONDS, free_ports
from tests.conftest import ROOT, copied

# Minutes of work with real accounts: `make soak` runs them.
pytestmark = [pytest.mark.xdist_group("atelier"), pytest.mark.long]


@pytest.fixture
def someone(prefix: str, project: Project) -> Iterator[Trainer]:
    """An ordinary account of the machine, with the course and the proxy in its home."""
    base = Path(tempfile.mkdtemp(prefix="culture-d-atelier-", dir="/var/tmp"))
    base.chmod(0o755)
    user, home = f"{prefix}-seul", base / "home"
    subprocess.run(["useradd", "--no-create-home", "--home-dir", home, user], check=True)
    home.mkdir()
    copied(project, home / "cours")
    shutil.copy(project.exercises / "nbgrader_config.py", home / "cours" / "exercises")
    proxy.ensure()
    shutil.copytree(proxy.folder(), home / ".cache" / "culture-d" / proxy.folder().name)
    shutil.copy(Path(__file__).with_name("visiteur.py"), home)
    (base / "salle" / "echange").mkdir(parents=True)
    for path in (home, *home.rglob("*")):
        shutil.chown(path, user, user)
    yield Trainer(user, user, home)
    shutil.rmtree(base)


def test_places_non_separees(someone: Trainer) -> None:
    """The whole life of such a workshop, run by an account that may make no other."""
    home, port = someone.home, free_ports()
    workshop = Workshop("x", home.parent / "salle", "", (), someone, ())
    script = f"""
set -e
cd {home}/cours
atelier() {{ {sys.executable} -m culture_d.cli atelier "$@"; }}
if atelier preparer --places 1 --exercices {EXERCISE}; then exit 9; fi
atelier preparer --places 2 --exercices {EXERCISE} --port {port} --places-non-separees
atelier ouvrir
password=$(atelier mot-de-passe place-02)
{sys.executable} - "${{password#place-02 : }}" <<'PYTHON'
import os, sys
sys.path.insert(0, "{home}")
from visiteur import Visitor
visitor = Visitor("http://127.0.0.1:{port}/", "place-02")
assert visitor.log_in(sys.argv[1]) == 302, visitor.said
visitor.start()
print("DOSSIER", visitor.run("import os; print(os.getcwd())"))
print(visitor.run("import subprocess\\n"
    "for verb in ('fetch_assignment', 'submit'):\\n"
    "    print('FAIT', subprocess.run(['nbgrader', verb, '{EXERCISE}']).returncode)"))
PYTHON
atelier etat
atelier fermer --oui
"""
    words = room.command(workshop, someone, ["sh", "-c", script])
    at = words.index("--remount-ro")
    browser = Path(chromium.ensure())
    for place in (ROOT / "deploy", browser.parent):
        if not place.is_relative_to("/usr"):
            words[at:at] = ["--ro-bind", str(place), str(place)]
    environment = room.environment(someone) | {"CULTURE_D_CHROMIUM": str(browser)}
    told = someone.home.parent / "dit.txt"
    with (
        told.open("w") as out,
        subprocess.Popen(words, env=environment, stdout=out, stderr=out) as one,
    ):
        try:
            code = one.wait(SECONDS)
        except subprocess.TimeoutExpired:
            one.kill()
            pytest.fail(told.read_text())
    said = told.read_text()
    assert code == 0, said
    assert "les droits d'administration" in said, "refused without the option"
    assert "ces places ne sont pas séparées" in said
    folder = home / "culture-d-ateliers" / "atelier"
    assert f"DOSSIER {folder}/places/place-02/culture-d" in said
    assert said.count("FAIT 0") == 2, said
    assert f"{EXERCISE} × 1" in said
    (archives,) = (folder / "archives").iterdir()
    assert {one.name for one in archives.iterdir()} == {
        "formateur.zip",
        "place-01.zip",
        "place-02.zip",
    }
    assert folder.stat().st_uid != 0
