"""Make the course's environment (.venv) from requirements.lock.

Needs nothing but Python's standard library, so that it runs before anything is
installed. What goes wrong is said in one French sentence; pip's own report is kept
in .venv/installation.log.
"""

import hashlib
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
    check_python()
    wanted = fingerprint()
    if read(STAMP) == wanted and os.path.exists(venv_python()):
        return
    make_venv()
    install()
    with open(STAMP, "w", encoding="utf-8") as stamp:
        stamp.write(wanted)
    print("Environnement prêt.")


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
    print("Création de l'environnement dans .venv…", flush=True)
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
    print("Installation de {} paquets, une à trois minutes…".format(total), flush=True)
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
        text=True,
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
    package = wanted[-1] if wanted else (re.findall(r"Collecting ([\w.-]+)", report) or ["?"])[-1]
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
    return "Le paquet « {} » n'a pas pu être installé : {}.".format(package, reason)


def venv_python():
    """Return the environment's own Python."""
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(VENV, folder, name)


def fingerprint():
    """Digest of what the environment is made from."""
    content = read(LOCK) + read(os.path.join(ROOT, "pyproject.toml")) + sys.version
    return hashlib.sha256(content.encode("utf-8")).hexdigest()


def read(path):
    """Return a file's text, or nothing."""
    try:
        with open(path, encoding="utf-8") as handle:
            return handle.read()
    except OSError:
        return ""


def show(text):
    """Write over the current line of a terminal; say nothing elsewhere."""
    if sys.stdout.isatty():
        sys.stdout.write("\r\x1b[K" + text)
        sys.stdout.flush()


def fail(message):
    """Stop with one sentence."""
    sys.exit("Erreur : " + message)


if __name__ == "__main__":
    main()
