"""The Chromium that looks at the pages for the tests, and prints them.

The one without windows (« headless shell ») is preferred: the same engine, which opens a page
with a quarter of the processor that the whole browser takes.

Run as `python -m culture_d.chromium` to find one, or install it where that can be
done without asking: Debian's package when root, Playwright's build otherwise.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from culture_d import debian
from culture_d.errors import CultureDError

SHELL = "chromium-headless-shell"
NAMES = (
    *(SHELL, "chrome-headless-shell"),
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge"),
)
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class ChromiumMissing(CultureDError):
    """No Chromium on this machine, and none could be installed."""


def find() -> Path | None:
    """Return the Chromium to use, or None.

    `CULTURE_D_CHROMIUM` names one; else the machine's; else Playwright's own.
    """
    named = os.environ.get("CULTURE_D_CHROMIUM")
    if named:
        return Path(named)
    for name in NAMES:
        found = shutil.which(name)
        if found:
            return Path(found)
    return _playwright_build()


def ensure() -> Path:
    """Return a Chromium that starts, installing one if there is none.

    Raises:
        ChromiumMissing: none could be had; the message says what to type.
    """
    executable = find()
    if executable is None:
        _install()
        executable = find()
    if executable is None or not _starts(executable):
        found = f"« {executable} » ne démarre pas" if executable else "aucun n'a été trouvé"
        raise ChromiumMissing(
            f"Les tests des pages et les PDF ont besoin de Chromium, et {found}. Installez-le "
            "(Debian : « sudo apt-get install chromium-headless-shell » ; ailleurs : "
            "« .venv/bin/playwright install --with-deps --only-shell chromium »), ou donnez le chemin du vôtre "
            "dans la variable CULTURE_D_CHROMIUM, puis relancez."
        )
    return executable


def _playwright_build() -> Path | None:
    """Return what Playwright installed for itself, without windows if it may be."""
    # In its own process: Playwright does not start inside a Playwright that runs.
    code = (
        "from playwright.sync_api import sync_playwright\n"
        "with sync_playwright() as one: print(one.chromium.executable_path)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if said.returncode != 0:
        return None
    whole = Path(said.stdout.strip())
    return next((path for path in (*_shells(whole), whole) if path.is_file()), None)


def _shells(whole: Path) -> list[Path]:
    """Return the browsers without windows that stand beside Playwright's whole one."""
    build = next((folder for folder in whole.parents if folder.name.startswith("chromium-")), None)
    if build is None:
        return []
    name = build.name.replace("chromium-", "chromium_headless_shell-")
    return sorted(build.with_name(name).glob("*/*headless*shell*"))


def _install() -> None:
    print("Chromium manque : installation…", flush=True)
    for package in (SHELL, "chromium"):
        if find() is None:
            debian.install(package)
    if find() is None:
        command = [sys.executable, "-m", "playwright", "install", "--only-shell", "chromium"]
        subprocess.run(command, check=False)


def add_shell() -> None:
    """Install the browser without windows beside the machine's whole one, where that can be."""
    found = find()
    if found is not None and "CULTURE_D_CHROMIUM" not in os.environ and "shell" not in found.name:
        debian.install(SHELL)


def _starts(executable: Path) -> bool:
    try:
        command = [str(executable), "--no-sandbox", "--headless", "--version"]
        result = subprocess.run(command, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


if __name__ == "__main__":
    add_shell()
    try:
        print(ensure())
    except ChromiumMissing as missing:
        sys.exit(str(missing))
