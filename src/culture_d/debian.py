"""Install what the tests and the grading need, where that can be done without asking."""

import os
import shutil
import subprocess


def install(*packages: str) -> bool:
    """Install packages of Debian or Ubuntu, if this account may; return whether it tried."""
    if not shutil.which("apt-get") or not hasattr(os, "geteuid") or os.geteuid() != 0:
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", *packages]):
        subprocess.run(
            ["apt-get", *arguments], env=environment, stdout=subprocess.DEVNULL, check=False
        )
    return True
