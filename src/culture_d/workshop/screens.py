"""What a learner and the trainer see: JupyterLab in French, with the tools of each.

One folder of Jupyter settings for each role, which their servers read and their users
cannot write: `Workshop.jupyter_config`. A server does not read the settings of its user's
own home (JupyterHub's `disable_user_config`), so that nobody brings a hidden tool back.
Whether a learner reaches grades never rests on this: the rights of the files do that.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from culture_d.errors import WorkshopError
from culture_d.grading.whole_file import write_whole
from culture_d.workshop.model import Role, Workshop

ASSIGNMENT_LIST = Path(__file__).with_name("assignment_list.png")
"""A picture of the learner's assignment list, which nbgrader shows in English only."""
ASSIGNMENT_LIST_ALT = (
    "La liste des exercices, en anglais, en trois parties. Released assignments : les exercices "
    "à prendre, avec le bouton Fetch. Downloaded assignments : les exercices pris, avec le bouton "
    "Submit. Submitted assignments : les devoirs remis, avec le bouton Fetch Feedback."
)
ENGLISH_WORDS: tuple[tuple[str, str], ...] = (
    ("Nbgrader > Assignment List", "ouvre la liste des exercices"),
    ("Fetch", "prend l'exercice : il arrive dans votre dossier"),
    ("Submit", "remet votre devoir ; vous pouvez recommencer, le dernier compte"),
    ("Fetch Feedback", "prend votre retour, quand il est prêt"),
    ("(view feedback)", "ouvre votre retour"),
)
"""The English of nbgrader on that picture, and what each does, for the seat card."""

_LAB = "@jupyter/nbgrader"
_SERVER = "nbgrader.server_extensions"
# Nothing is asked of another host, whatever a notebook or nbgrader's pages (MathJax) call.
_WITHIN = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:"
# The lab side of a tool, and its server side where it has one.
_OF_THE_TRAINER = {
    "formgrader": "formgrader",
    "course-list": "course_list",
    "create-assignment": None,
    # It speaks of assertions that fail, in English: our exercises say it themselves. The
    # assignment list has a button for it too, which goes on working.
    "validate-assignment": None,
}


def write_screens(workshop: Workshop) -> None:
    """Write the settings of both roles; written again, they are the same.

    Raises:
        FeedbackError: the workshop's folder cannot be written.
    """
    for role in ("eleve", "formateur"):
        folder = workshop.jupyter_config(role)
        for name, settings in _files(workshop, role).items():
            text = json.dumps(settings, indent=1, ensure_ascii=False)
            write_whole(folder / name, f"{text}\n")
        for path in (folder.parent, folder, folder / "labconfig"):
            path.chmod(0o755)


class RefuseAutograde:
    """Stops formgrader's « Autograde », which runs a learner's code as the trainer.

    Named as a preprocessor of nbgrader: made before anything is removed, written or run.
    """

    def __init__(self, **_: Any) -> None:
        """Refuse.

        Raises:
            WorkshopError: always.
        """
        raise WorkshopError(
            "Dans un atelier, ce bouton ne corrige pas : il lancerait le programme d'une place avec "
            "vos droits. Lancez « culture-d atelier ramasser », qui isole chaque devoir."
        )


def _files(workshop: Workshop, role: Role) -> Mapping[str, Any]:
    tools = {"nbgrader_config.json": _formgrader(workshop)} if role == "formateur" else {}
    return {
        **tools,
        "jupyter_server_config.json": _server(role),
        "labconfig/page_config.json": {
            "disabledExtensions": {
                "@jupyterlab/extensionmanager-extension": True,
                **{f"{_LAB}:{name}": True for name in _hidden(role)},
            }
        },
        "labconfig/default_setting_overrides.json": _SETTINGS,
    }


_SETTINGS: Mapping[str, Any] = {
    "@jupyterlab/translation-extension:plugin": {"locale": "fr_FR"},
    # The news of Jupyter and its new versions would be asked of another host.
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": False,
    },
    # What was typed is on the disk before the next coffee.
    "@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": 30},
}


def _formgrader(workshop: Workshop) -> Mapping[str, Any]:
    """Make the buttons of formgrader as safe as the command."""
    return {
        "ExchangeFactory": {"collect": "culture_d.workshop.safe_collect.SafeCollect"},
        "ExchangeCollect": {"check_owner": workshop.separated},
        "SafeCollect": {"learners": {workshop.learner(one): one.name for one in workshop.seats}},
        "Autograde": {"sanitize_preprocessors": ["culture_d.workshop.screens.RefuseAutograde"]},
    }


def _server(role: Role) -> Mapping[str, Any]:
    extensions = {f"{_SERVER}.assignment_list": True}
    for lab, server in _OF_THE_TRAINER.items():
        if server:
            extensions[f"{_SERVER}.{server}"] = lab not in _hidden(role)
    settings: dict[str, Any] = {
        "ServerApp": {"jpserver_extensions": extensions},
        # Its list of extensions would be asked of another host.
        "LabApp": {"extension_manager": "readonly", "news_url": None},
        # It would look for some thirty programs, and start npm, at each start: none is here.
        "LanguageServerManager": {"autodetect": False},
    }
    # Formgrader, and a page of feedback, are shown in a frame of JupyterLab; JupyterHub
    # forbids any frame.
    settings["ServerApp"]["tornado_settings"] = {
        "headers": {"Content-Security-Policy": f"frame-ancestors 'self'; {_WITHIN}"}
    }
    return settings


def _hidden(role: Role) -> tuple[str, ...]:
    return tuple(_OF_THE_TRAINER) if role == "eleve" else ()
