"""The Chromium that looks at the pages for the tests, and prints them.

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

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "msedge")
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
            "(Debian, Ubuntu : « sudo apt-get install chromium » ; ailleurs : "
            "« .venv/bin/playwright install --with-deps chromium »), ou donnez le chemin du vôtre "
            "dans la variable CULTURE_D_CHROMIUM, puis relancez."
        )
    return executable


def _playwright_build() -> Path | None:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        return None
    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


def _install() -> None:
    print("Chromium manque : installation…", flush=True)
    debian.install("chromium")
    if find() is None:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def _starts(executable: Path) -> bool:
    try:
        command = [str(executable), "--no-sandbox", "--headless", "--version"]
        result = subprocess.run(command, capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return result.returncode == 0


if __name__ == "__main__":
    try:
        print(ensure())
    except ChromiumMissing as missing:
        sys.exit(str(missing))
