# -*- coding: utf-8 -*-
"""Make the course's environment (.venv) from requirements.lock.

Needs nothing but Python's standard library, so that it runs before anything is
installed. An environment that starts is brought up to date in place, and stays usable
if that fails; only one that does not start is made again. What goes wrong is said in
one French sentence; pip's own report is kept in .venv/installation.log.
"""

import os
import re
import subprocess
import sys

MINIMUM = (3, 11)
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
STAMP = os.path.join(VENV, "pret.txt")
LOG = os.path.join(VENV, "installation.log")
# The parts of pyproject.toml that decide what is installed, and how.
SECTIONS = re.compile(r"(project|build-system|tool\.hatch)(\.|$)")
OFFLINE = (
    "Temporary failure in name resolution",
    "Name or service not known",
    "NewConnectionError",
    "ConnectTimeoutError",
    "ReadTimeoutError",
    "Max retries exceeded",
    "Connection refused",
    "Network is unreachable",
    "getaddrinfo failed",
)


def main():
    """Make or refresh the environment, unless it is the one the lock describes."""
    wanted = description()
    usable = starts()
    if usable and read(STAMP) == wanted:
        return
    if not usable:
        check_python()
        make_venv()
    # Without a stamp, an update cut short is taken up again next time.
    for path in (STAMP, LOG):
        if os.path.exists(path):
            os.remove(path)
    install()
    with open(STAMP, "w", encoding="utf-8") as stamp:
        stamp.write(wanted)
    say("Environnement prêt.")


def starts():
    """Whether the environment's Python is there, starts, is recent enough and has pip."""
    check = "import sys; sys.exit(sys.version_info < {!r})".format(MINIMUM)
    if not runs("-c", check):
        return False
    return runs("-c", "import pip") or runs("-m", "ensurepip")


def runs(*arguments):
    """Whether a command of the environment's Python ends well."""
    command = [venv_python(), *arguments]
    try:
        return subprocess.call(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def check_python():
    """Stop on a Python that is too old, or has no venv."""
    if sys.version_info < MINIMUM:
        found = ".".join(str(part) for part in sys.version_info[:3])
        fail(
            "Python {}.{} ou plus récent est nécessaire, et celui-ci est le {}. "
            "Installez-en un, puis relancez en le nommant : make serve PYTHON=python3.12".format(
                *MINIMUM, found
            )
        )
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        fail(
            "Le module « venv » de Python manque. Installez le paquet « python3-venv » "
            "(Debian, Ubuntu : sudo apt-get install python3-venv), puis relancez."
        )


def make_venv():
    """Make an empty environment, replacing one that is unusable."""
    say("Création de l'environnement dans .venv…")
    command = [sys.executable, "-m", "venv", "--clear", VENV]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if result.returncode:
        fail(
            "L'environnement « .venv » n'a pas pu être créé. Vérifiez la place sur le disque et "
            "le paquet « python3-venv », puis relancez."
        )


def install():
    """Install what the lock lists, then the course itself."""
    total = len(re.findall(r"^[A-Za-z0-9]", read(LOCK), flags=re.MULTILINE))
    say("Installation de {} paquets, une à trois minutes…".format(total))
    pip("--require-hashes", "--requirement", LOCK, total=total)
    pip("--no-build-isolation", "--no-deps", "--editable", ROOT)


def pip(*arguments, total=0):
    """Run pip, showing how far it is."""
    command = [venv_python(), "-m", "pip", "install", "--progress-bar", "off", *arguments]
    environment = dict(os.environ, PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    seen, lines = set(), []
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        encoding="utf-8",
        errors="replace",
    )
    for line in process.stdout:
        lines.append(line)
        found = re.match(r"Collecting ([\w.-]+)", line)
        if found and total:
            seen.add(found.group(1))
            show("  {}/{} {}".format(len(seen), total, found.group(1)))
        elif line.startswith("Installing collected packages") and total:
            show("  mise en place des fichiers…")
    process.wait()
    if total:
        show("")
    with open(LOG, "a", encoding="utf-8") as log:
        log.writelines(lines)
    if process.returncode:
        fail(explain("".join(lines)))


def explain(report):
    """Say in one sentence why pip failed."""
    wanted = re.findall(r"No matching distribution found for ([\w.-]+)", report)
    named = wanted or re.findall(r"Collecting ([\w.-]+)", report)
    if any(sign in report for sign in OFFLINE):
        reason = "le registre des paquets ne répond pas : vérifiez la connexion au réseau"
    elif "DO NOT MATCH THE HASHES" in report:
        reason = "le fichier reçu n'est pas celui attendu : réessayez, ou changez de réseau"
    elif "No space left" in report:
        reason = "il n'y a plus de place sur le disque"
    elif wanted:
        reason = "il n'existe pas pour cette version de Python ou ce système"
    else:
        reason = "voyez le détail dans .venv/installation.log"
    what = "Le paquet « {} » n'a pas pu être installé".format(named[-1]) if named else ""
    return "{} : {}.".format(what or "L'installation n'a pas abouti", reason)


def venv_python():
    """Return the environment's own Python."""
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(VENV, folder, name)


def description():
    """Return what the environment is made from: place, lock, parts of pyproject.toml."""
    kept, section = [ROOT], ""
    for line in read(LOCK).splitlines():
        if line.strip() and not line.strip().startswith("#"):
            kept.append(line.strip())
    for line in read(os.path.join(ROOT, "pyproject.toml")).splitlines():
        header = re.match(r"\[+([A-Za-z][^\]]*)\]", line)
        section = header.group(1) if header else section
        if SECTIONS.match(section) and line.strip() and not line.strip().startswith("#"):
            kept.append(line.strip())
    return "\n".join(kept) + "\n"


def read(path):
    """Return a file's text, or nothing."""
    try:
        with open(path, encoding="utf-8") as handle:
            return handle.read()
    except OSError:
        return ""


def say(text):
    """Print a line, even on a terminal that cannot write every sign of it."""
    encoding = sys.stdout.encoding or "ascii"
    print(text.encode(encoding, "replace").decode(encoding), flush=True)


def show(text):
    """Write over the current line of a terminal; say nothing elsewhere."""
    if sys.stdout.isatty():
        sys.stdout.write("\r\x1b[K" + text)
        sys.stdout.flush()


def fail(message):
    """Stop with one sentence."""
    sys.exit("Erreur : " + message)


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        fail("« {} » ne peut pas être écrit ({}).".format(error.filename, error.strerror))
    except KeyboardInterrupt:
        fail("installation arrêtée. Relancez la commande pour la reprendre.")
