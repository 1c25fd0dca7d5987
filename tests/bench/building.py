"""How long a build takes beside a bare Sphinx of the same pages, and serving what is built."""

import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from urllib.error import HTTPError, URLError

from rich.table import Table

from culture_d.french import nombre
from culture_d.project import Project
from culture_d.serve import ADDRESS
from culture_d.site import build, is_fresh
from tests.bench.tables import OBJECTIVE, RUNS, held, seconds

BUILD_RATIO, BUILD_SECONDS = 1.5, 12
SERVED_SECONDS = 3
BARE_CONFIGURATION = """
extensions = ["sphinx_external_toc", "myst_nb"]
external_toc_path = {toc!r}
include_patterns = ["book/**", "notebooks/**"]
myst_enable_extensions = ["colon_fence", "deflist", "attrs_inline"]
nb_execution_mode = "off"
language = "fr"
"""


def builds(project: Project) -> Table:
    """Alternate both builds, so that a noisy machine weighs on both."""
    ours, bare = [], []
    for _ in range(RUNS):
        ours.append(seconds(lambda: build(project)))
        bare.append(seconds(lambda: _bare_sphinx(project)))
    table = Table("Construction à froid, rien d'exécuté", "secondes", "rapport", *OBJECTIVE)
    table.add_row("Sphinx nu, mêmes pages", nombre(min(bare), 1), "1", "", "")
    ratio = min(ours) / min(bare)
    table.add_row(
        "Culture D, vérifications et contrôle des pages compris",
        nombre(min(ours), 1),
        nombre(ratio, 2),
        *held(ratio, BUILD_RATIO),
    )
    return table


def served(project: Project) -> Table:
    """Time from the command to the first page, when nothing has changed."""
    if not is_fresh(project):
        build(project)
    best = min(_seconds_to_answer(project) for _ in range(RUNS))
    table = Table("Servir, rien n'a changé", "secondes", *OBJECTIVE)
    table.add_row(
        "« culture-d servir » : première page reçue",
        nombre(best, 1),
        *held(best, SERVED_SECONDS),
    )
    return table


def _seconds_to_answer(project: Project) -> float:
    """Time from the command to a whole page received."""
    with socket.socket() as free:
        free.bind((ADDRESS, 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).with_name("culture-d")), "servir", "--port", str(port)]
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=project.root, stdout=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                try:
                    url = f"http://{ADDRESS}:{port}/book/accueil.html"
                    with urllib.request.urlopen(url, timeout=60) as answer:
                        answer.read()
                    return time.perf_counter() - started
                except HTTPError:
                    raise
                except (URLError, ConnectionError):
                    time.sleep(0.01)
        finally:
            process.terminate()
    raise RuntimeError("« culture-d servir » s'est arrêté sans répondre.")


def _bare_sphinx(project: Project) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        text = BARE_CONFIGURATION.format(toc=str(project.toc))
        Path(scratch, "conf.py").write_text(text, encoding="utf-8")
        command = [sys.executable, "-m", "sphinx", "-Q", "-E", "-b", "html", "-c", scratch]
        folders = [str(project.root), str(Path(scratch, "html")), "-d", str(Path(scratch, "d"))]
        subprocess.run([*command, *folders], check=True)
