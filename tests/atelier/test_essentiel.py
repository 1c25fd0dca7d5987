"""A real room in seconds: a hub, an account, a server ready before its learner, and its walls.

`make soak` runs the whole workshop; this one says at each `make test` that it still opens.
"""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from culture_d.workshop import accounts, ahead, hub, proxy, room, screens, seats
from culture_d.workshop.model import Workshop
from culture_d.workshop.passwords import Passwords
from tests.atelier.conftest import free_ports
from tests.atelier.visiteur import Visitor

pytestmark = pytest.mark.xdist_group("atelier")


@pytest.fixture
def opened(prefix: str) -> Iterator[Workshop]:
    """One seat and the trainer, with nothing to do there; the hub open on loopback."""
    base = Path(tempfile.mkdtemp(prefix="culture-d-essentiel-", dir="/var/tmp"))
    base.chmod(0o755)
    name = f"{prefix}e"
    trainer = accounts.plan_trainer(base, "essai", name, True)
    seat = accounts.plan_seat(base, 1, "essai", name, True)
    made = Workshop("essai", base, prefix, (seat,), trainer, (), port=free_ports())
    try:
        made.save()
        seats.make_folders(made)
        for account in made.accounts:
            accounts.make(made, account)
            seats.make_home(made, account)
            assert room.run(made, account, ["mkdir", str(account.work)]).returncode == 0
        seats.write_nbgrader_config(made)
        screens.write_screens(made)
        proxy.ensure()
        hub.start(made)
        yield made
    finally:
        hub.stop(made)
        for account in made.accounts:
            accounts.remove(made, account)
        shutil.rmtree(base, ignore_errors=True)


def test_une_salle_s_ouvre(opened: Workshop) -> None:
    """The seat is ready; its card serves once; neither the trainer nor the hub is seen from it."""
    readied = ahead.start_ahead(opened)
    assert (readied.ready, readied.failed, readied.kept_back) == ({"place-01"}, [], 0)
    password = Passwords(opened.passwords).draw(["place-01"])["place-01"]
    visitor = Visitor(opened.url, "place-01")
    assert visitor.log_in("tuvo-beri-nudo") == 403
    assert visitor.log_in(password) == 302
    page = visitor.session.get(visitor.server("lab"))
    assert page.status_code == 200 and page.url.startswith(visitor.server("lab"))
    assert _language(visitor) == "fr_FR"
    assert Visitor(opened.url, "place-01").log_in(password) == 403
    assert visitor.status("hub/api/users/formateur/server", "POST") in (403, 404)
    (seat,) = opened.seats
    secret = opened.trainer.home / "secret.txt"
    secret.write_text("à moi")
    # Open to all by its permissions, on the way too: the room alone then hides it.
    opened.trainer.home.chmod(0o755)
    secret.chmod(0o644)
    outside = subprocess.run(["cat", secret], user=seat.user, capture_output=True, cwd="/")
    assert outside.returncode == 0
    for hidden in (secret, opened.token, opened.passwords, opened.database):
        assert room.run(opened, seat, ["cat", str(hidden)]).returncode != 0, hidden


def _language(visitor: Visitor) -> str:
    """Ask JupyterLab in which language it is shown to someone who chose none."""
    path = "lab/api/settings/@jupyterlab/translation-extension:plugin"
    said = visitor.session.get(visitor.server(path)).json()
    return str(said["schema"]["properties"]["locale"]["default"])
