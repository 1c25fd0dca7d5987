"""A kernel without a room, for machines where there is no bubblewrap and by explicit choice.

The learner's code runs as the grader, with its disk and its network. Only the files it
works on are a copy, and its processes are ended with it, if they have not left its group.
"""

import contextlib
import os
import signal
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from culture_d.execution import OwnKernel
from culture_d.grading.sandbox import bounded_context


class OpenKernel(OwnKernel):
    """A kernel of this Python, in a copy of the learner's folder."""

    def __init__(self, folder: Path, files: Mapping[str, bytes], **settings: Any) -> None:
        """Copy the files for a kernel that has not started."""
        private = Path(tempfile.mkdtemp(prefix="k", dir=folder))
        self.place = private / "devoir"
        self.place.mkdir()
        for name, content in files.items():
            path = self.place / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if os.name != "nt":
            settings |= {"transport": "ipc", "ip": str(private / "n")}
        connection = str(private / "connection.json")
        super().__init__(context=bounded_context(), connection_file=connection, **settings)

    async def _async_pre_start_kernel(self, **settings: Any) -> Any:
        return await super()._async_pre_start_kernel(**{**settings, "cwd": str(self.place)})

    async def _async_kill_kernel(self, restart: bool = False) -> None:
        group = getattr(self.provisioner, "pgid", None)
        await super()._async_kill_kernel(restart)
        if group:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)
