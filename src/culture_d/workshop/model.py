"""What a workshop is: its seats, its exercises, its address, and where everything lies.

Plain data, saved as JSON in the workshop's folder. What runs is not here: whether the hub
is up is asked of its process (`hub.state`), never remembered.

    /srv/culture-d/<name>/          0755
        atelier.json                0600, this model
        hub/                        0700, root's: configuration, secrets, database, log
        formateur/                  0700, the trainer's home; `cours/` is the nbgrader course
        places/<user>/              0700, one home a seat; `culture-d/` is what JupyterLab shows
        ecrans/eleve, …/formateur   0755, read by the servers: JUPYTER_CONFIG_PATH of each role
        echange/                    1777, nbgrader's exchange
        modele/                     0755, the notebooks and data that seats copy
        devoirs/                    0750, exercises and solutions, for the trainer's account
        archives/                   0700, one ZIP a seat once closed
"""

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from culture_d.errors import FeedbackError, WorkshopError, reason
from culture_d.grading.ledger import OWNER_ONLY
from culture_d.grading.whole_file import write_whole

Role = Literal["eleve", "formateur"]

ROOT = Path("/srv/culture-d")
"""Where workshops of separated seats are made."""
COURSE_ID = "culture-d"
"""nbgrader's name of the course, the same as in `exercises/nbgrader_config.py`."""
PORT = 8010
LOOPBACK = "127.0.0.1"
MEBIBYTE = 1024 * 1024
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


@dataclass(frozen=True)
class Account:
    """Someone who logs in: a name for the hub, an account of the machine, a home.

    In a workshop whose seats are not separated, every `user` is the one who runs the hub.
    nbgrader then knows a learner by `Workshop.learner`.
    """

    name: str
    """What is typed on the login page: « place-01 », « formateur »."""
    user: str
    """The unix account: « cd-place-01 », « cd-formateur »."""
    home: Path

    @property
    def work(self) -> Path:
        """What JupyterLab shows: notebooks, data, fetched assignments."""
        return self.home / "culture-d"


@dataclass(frozen=True)
class Seat(Account):
    """A learner's seat."""

    number: int = 0


@dataclass(frozen=True)
class Trainer(Account):
    """The trainer's account."""

    @property
    def course(self) -> Path:
        """The nbgrader course: source/, release/, submitted/, gradebook.db…"""
        return self.home / "cours"


@dataclass(frozen=True)
class SeatLimits:
    """What one seat may use. Memory and files in bytes, times in seconds."""

    memory: int = 2048 * MEBIBYTE
    processes: int = 256
    """Threads count as processes."""
    idle_seconds: int = 3600
    """A server without activity for that long is stopped; files stay."""
    file_size: int = 1024 * MEBIBYTE
    """Of one file, in bytes."""


@dataclass(frozen=True)
class Workshop:
    """One workshop, as `culture-d atelier preparer` decided it."""

    name: str
    folder: Path
    mark: str
    """A random word written in each account made, without which none is removed."""
    seats: tuple[Seat, ...]
    trainer: Trainer
    exercises: tuple[str, ...]
    """Slugs, in the order asked for."""
    module: str | None = None
    """Slug of the module that JupyterLab opens on."""
    page: str | None = None
    """Path of its notebook from `Account.work`."""
    separated: bool = True
    address: str = LOOPBACK
    """Where the hub listens; another than loopback is always served with TLS."""
    port: int = PORT
    announced: str | None = None
    """The address printed on the cards."""
    end: str | None = None
    """When the workshop ends, ISO 8601 with its time zone, if it was said."""
    limits: SeatLimits = field(default_factory=SeatLimits)

    @property
    def file(self) -> Path:
        """Where this is saved."""
        return self.folder / "atelier.json"

    @property
    def course(self) -> Path:
        """The trainer's nbgrader course, owned by the trainer's account."""
        return self.trainer.course

    @property
    def gradebook(self) -> Path:
        """The gradebook of the course."""
        return self.course / "gradebook.db"

    @property
    def exchange(self) -> Path:
        """nbgrader's exchange; the course is in its folder `COURSE_ID`."""
        return self.folder / "echange"

    @property
    def inbound(self) -> Path:
        """Where learners submit: they may write there, not list.

        Anyone may write there under any name: count a submission for its owner
        (`pwd.getpwuid(path.stat().st_uid)`), not for what its name says.
        """
        return self.exchange / COURSE_ID / "inbound"

    @property
    def outbound(self) -> Path:
        """Where learners fetch the assignments from."""
        return self.exchange / COURSE_ID / "outbound"

    @property
    def feedback(self) -> Path:
        """Where nbgrader puts the feedback that learners fetch."""
        return self.exchange / COURSE_ID / "feedback"

    @property
    def model(self) -> Path:
        """The notebooks and data that every seat copies: readable by all."""
        return self.folder / "modele"

    @property
    def assignments(self) -> Path:
        """The exercises with their solutions, for the trainer's account alone."""
        return self.folder / "devoirs"

    @property
    def places(self) -> Path:
        """The seats' homes."""
        return self.folder / "places"

    @property
    def archives(self) -> Path:
        """One ZIP a seat, once the workshop is closed."""
        return self.folder / "archives"

    @property
    def hub_folder(self) -> Path:
        """What only the hub reads."""
        return self.folder / "hub"

    @property
    def config_file(self) -> Path:
        """`jupyterhub_config.py`."""
        return self.hub_folder / "jupyterhub_config.py"

    @property
    def cookie_secret(self) -> Path:
        """The secret that signs the browsers' sessions."""
        return self.hub_folder / "cookie_secret"

    @property
    def database(self) -> Path:
        """The hub's own database (SQLite)."""
        return self.hub_folder / "jupyterhub.sqlite"

    @property
    def passwords(self) -> Path:
        """Digests of the passwords (argon2), by hub name."""
        return self.hub_folder / "mots-de-passe.json"

    @property
    def token(self) -> Path:
        """The secret of the hub's service that starts the seats' servers ahead."""
        return self.hub_folder / "jeton-places"

    @property
    def proxy_token(self) -> Path:
        """The secret that the hub and its proxy share."""
        return self.hub_folder / "jeton-proxy"

    @property
    def log(self) -> Path:
        """What the hub and the servers say."""
        return self.hub_folder / "hub.log"

    @property
    def pid_file(self) -> Path:
        """Number of the hub's process."""
        return self.hub_folder / "hub.pid"

    @property
    def proxy_pid(self) -> Path:
        """Number of the proxy's process."""
        return self.hub_folder / "proxy.pid"

    @property
    def certificate(self) -> Path:
        """The room's certificate (PEM)."""
        return self.hub_folder / "tls" / "certificat.pem"

    @property
    def key(self) -> Path:
        """Its private key (PEM)."""
        return self.hub_folder / "tls" / "cle.pem"

    @property
    def hub_port(self) -> int:
        """Where the hub itself listens, on loopback; the servers know it."""
        return self.port + 1

    @property
    def proxy_port(self) -> int:
        """Where the proxy takes orders, on loopback."""
        return self.port + 2

    @property
    def tls(self) -> bool:
        """Whether what the browsers read is encrypted: always, beyond this machine."""
        return self.address != LOOPBACK

    @property
    def url(self) -> str:
        """What is typed in a browser."""
        return self.url_at(self.address)

    def url_at(self, address: str) -> str:
        """Give what would be typed in a browser if the hub listened at an address."""
        host = f"[{address}]" if ":" in address else address
        return f"{'http' if address == LOOPBACK else 'https'}://{host}:{self.port}/"

    @property
    def accounts(self) -> tuple[Account, ...]:
        """The trainer, then the seats."""
        return (self.trainer, *self.seats)

    def learner(self, seat: Seat) -> str:
        """Give the name by which nbgrader knows a seat: in submissions and in the gradebook."""
        return seat.user if self.separated else seat.name

    def account(self, name: str) -> Account | None:
        """Find who logs in under a name of the hub."""
        return next((one for one in self.accounts if one.name == name), None)

    def role(self, name: str) -> Role:
        """Say whether a name of the hub is the trainer's or a learner's."""
        return "formateur" if name == self.trainer.name else "eleve"

    def jupyter_config(self, role: Role) -> Path:
        """Where a role's settings lie: JUPYTER_CONFIG_PATH of its servers.

        `nbgrader_config.py` is put there by `seats.py`; all the rest (page_config,
        jupyter_server_config, overrides in `settings/`) by `screens.write_screens`.
        """
        return self.folder / "ecrans" / role

    def own_config(self, account: Account) -> Path:
        """Where the settings of one account lie, where seats are not separated."""
        return self.folder / "ecrans" / account.name

    def save(self) -> None:
        """Write `atelier.json`, whole or not at all, for its owner alone.

        Raises:
            WorkshopError: it cannot be written.
        """
        text = json.dumps(asdict(self), indent=1, default=str, ensure_ascii=False)
        try:
            write_whole(self.file, text, OWNER_ONLY)
        except FeedbackError as error:
            raise WorkshopError(str(error)) from None

    @classmethod
    def load(cls, folder: Path) -> "Workshop":
        """Read the workshop of a folder.

        Raises:
            WorkshopError: none there, or its file is damaged; the message says what to do.
        """
        path = folder / "atelier.json"
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            return _from_json(values, folder)
        except FileNotFoundError:
            raise WorkshopError(
                f"Aucun atelier dans « {folder} ». Préparez-le d'abord : « culture-d atelier "
                "preparer », ou donnez son nom (--nom) ou son dossier (--dossier)."
            ) from None
        except OSError as error:
            raise WorkshopError(
                f"« {path} » ne peut pas être lu : {reason(error)}. Un atelier préparé avec « sudo » "
                "se conduit avec « sudo »."
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise WorkshopError(
                f"« {path} » est abîmé. Rien n'a été touché. Remettez ce fichier d'une sauvegarde, "
                "ou préparez un atelier d'un autre nom (--nom)."
            ) from None


def check_name(name: str) -> str:
    """Return the name of a workshop if it can be that of a folder.

    Raises:
        WorkshopError: it cannot.
    """
    if not _NAME.fullmatch(name):
        raise WorkshopError(
            f"« {name} » ne peut pas nommer un atelier. Prenez 1 à 32 lettres minuscules sans "
            "accent, chiffres et tirets : par exemple « mairie-mars »."
        )
    return name


def _from_json(values: dict[str, Any], folder: Path) -> Workshop:
    seats = tuple(Seat(**{**one, "home": Path(one["home"])}) for one in values["seats"])
    trainer = Trainer(**{**values["trainer"], "home": Path(values["trainer"]["home"])})
    rest = {
        **values,
        "folder": folder.resolve(),
        "exercises": tuple(values["exercises"]),
        "limits": SeatLimits(**values["limits"]),
    }
    return Workshop(**{**rest, "seats": seats, "trainer": trainer})
