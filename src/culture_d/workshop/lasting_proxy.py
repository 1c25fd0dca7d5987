"""JupyterHub's own proxy, which a hub that starts again finds and keeps.

A hub that was killed leaves its proxy running, and the learners' servers behind it.
`ConfigurableHTTPProxy` then stops the proxy to start another: for a second or two nobody can
save, and every kernel loses its page. Kept, the proxy goes on with the routes it has.
"""

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import psutil
from jupyterhub.proxy import ConfigurableHTTPProxy

_SECONDS = 5


class Adopted(psutil.Process):  # type: ignore[misc]
    """A proxy that another hub started, seen as `subprocess.Popen` shows a child."""

    def poll(self) -> int | None:
        """Return None while it runs; its exit code is not known to us."""
        running = self.is_running() and self.status() != psutil.STATUS_ZOMBIE
        return None if running else -1


class LastingProxy(ConfigurableHTTPProxy):  # type: ignore[misc]
    """Keeps the proxy of the hub before, when it would be started alike and it answers."""

    async def start(self) -> None:
        """Keep the proxy that runs, or start one."""
        if found := await self._former():
            self.log.info("Keeping the proxy running at pid=%s", found.pid)
            self.proxy_process = found
            self._watch()
            return
        await super().start()
        process = psutil.Process(self.proxy_process.pid)
        self._note.write_text(json.dumps(self._like(process)), encoding="utf-8")

    async def _former(self) -> Adopted | None:
        """Find the proxy that the note describes, if it is the one we would start."""
        try:
            found = Adopted(int(Path(self.pid_file).read_text(encoding="ascii")))
            if json.loads(self._note.read_text(encoding="utf-8")) != self._like(found):
                return None
            await asyncio.wait_for(self.get_all_routes(), _SECONDS)
        except Exception as error:  # whatever is wrong with it, a new one has nothing of it
            self.log.info("No proxy to keep: %r", error)
            return None
        return found

    @property
    def _note(self) -> Path:
        return Path(f"{self.pid_file}.json")

    def _like(self, process: psutil.Process) -> dict[str, Any]:
        """Describe a proxy: which process it is, and all that it was started with."""
        secrets = [Path(path).read_bytes() for path in (self.ssl_key, self.ssl_cert) if path]
        given = [
            [*self.command, self.public_url, self.api_url, self.hub.url, self.log_level],
            [self.auth_token, *(hashlib.sha256(content).hexdigest() for content in secrets)],
        ]
        return {
            "pid": process.pid,
            "started": process.create_time(),
            "given": hashlib.sha256(json.dumps(given).encode()).hexdigest(),
        }

    def _watch(self) -> None:
        """Look at it now and then, as `ConfigurableHTTPProxy` does at the one it starts."""
        from tornado.ioloop import PeriodicCallback

        self._check_running_callback = PeriodicCallback(
            self.check_running, 1e3 * self.check_running_interval
        )
        self._check_running_callback.start()
