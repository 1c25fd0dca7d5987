"""What runs first inside the sandbox: take the limits, copy the files, become a kernel.

Run by path, as a copy, where the course is not installed: standard library and ipykernel.
The folder it stands in is read-only, and holds what `culture_d.grading.sandbox` put there.
"""

import ctypes
import json
import os
import platform
import resource
import shutil
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# The number of keyctl, which the C library does not wrap; 1 is KEYCTL_JOIN_SESSION_KEYRING.
_KEYCTL = {"x86_64": 250, "aarch64": 219}


def main() -> None:
    """Prepare the room, then run the kernel until it is killed."""
    # The folder of this file is not one a notebook may import from.
    sys.path[:] = [place for place in sys.path if place != str(HERE)]
    settings = json.loads((HERE / "settings.json").read_text(encoding="utf-8"))
    place = Path(settings["place"])
    _copy(HERE / "files", place, set(settings["protected"]))
    _copy(HERE / "home", Path.home(), set())
    _leave_keyring()
    for name, value in settings["limits"].items():
        resource.setrlimit(getattr(resource, name), (value, value))
    os.umask(0o022)
    os.chdir(place)
    _kernel(settings["sockets"]).launch_instance(["-f", str(HERE / "kernel.json"), *sys.argv[1:]])


def _kernel(sockets: dict[str, int]) -> Any:
    """Make a kernel that takes its listening sockets from the grader, by number of port.

    So nothing of the grader's disk has to be writable here, or even visible.
    """
    import zmq
    from ipykernel.kernelapp import IPKernelApp

    class Kernel(IPKernelApp):  # type: ignore[misc, unused-ignore]
        def _try_bind_socket(self, s: Any, port: int) -> int:
            s.setsockopt(zmq.USE_FD, sockets[str(port)])
            return int(super()._try_bind_socket(s, port))

    return Kernel


def _leave_keyring() -> None:
    """Take a session keyring of our own: the grader's is inherited by all that it starts."""
    if platform.machine() in _KEYCTL:
        ctypes.CDLL(None).syscall(_KEYCTL[platform.machine()], 1, None)


def _copy(origin: Path, place: Path, protected: set[str]) -> None:
    place.mkdir(parents=True, exist_ok=True)
    for path in sorted(origin.rglob("*")):
        name = path.relative_to(origin).as_posix()
        if path.is_dir():
            (place / name).mkdir(exist_ok=True)
        elif name not in protected:
            shutil.copyfile(path, place / name)


if __name__ == "__main__":
    main()
