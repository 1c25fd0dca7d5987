"""Starts the server of a seat: JupyterHub's LocalProcessSpawner, within a room.

The server runs as the seat's unix account (whose name is not the hub's), under its
limits, and sees of the machine what `room` shows. It outlives the hub.
"""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from jupyterhub.spawner import LocalProcessSpawner
from jupyterhub.utils import can_connect
from traitlets import Unicode

from culture_d.errors import SeatNotStarted, WorkshopError
from culture_d.workshop import accounts, disk, room
from culture_d.workshop.ahead import cores
from culture_d.workshop.limits import make_group, taker
from culture_d.workshop.model import Account, Workshop

SERVER = [sys.executable, "-m", "culture_d.workshop.server"]
_turns = asyncio.Semaphore(cores() + 1)
"""One more than `ahead` takes: who comes in meanwhile does not wait behind the whole room."""
_PAUSE = 0.2
_ONE_THREAD = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")


class SeatSpawner(LocalProcessSpawner):  # type: ignore[misc]
    """Starts the servers of one workshop."""

    workshop_folder = Unicode(help="Folder of the workshop.").tag(config=True)

    @property
    def workshop(self) -> Workshop:
        """The workshop, as its file says it now: seats come and go while the hub runs."""
        return Workshop.load(Path(self.workshop_folder))

    @property
    def account(self) -> Account:
        """Who the server is for.

        Raises:
            PermissionError: a name of the hub that is not of this workshop.
        """
        account = self.workshop.account(self.user.name)
        if account is None:
            raise PermissionError(f"« {self.user.name} » n'est pas de cet atelier.")
        if self.workshop.separated and not accounts.is_ours(self.workshop, account):
            raise PermissionError(f"« {account.user} » n'est pas un compte de cet atelier.")
        return account

    def make_preexec_fn(self, name: str) -> Callable[[], None]:
        """Give what the new process does first: take its limits."""
        workshop, account = self.workshop, self.account
        separated = workshop.separated
        group = make_group(workshop.name, account.user, workshop.limits) if separated else None
        take = taker(workshop.limits, group, separated)
        home = "/" if separated else str(account.home)

        def start() -> None:
            os.umask(0o077 if separated else 0o022)
            take()
            os.chdir(home)

        return start

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Add the variables of the seat: nothing of who opened the workshop goes through."""
        account = self.account
        settings = [str(self.workshop.jupyter_config(self.workshop.role(account.name)))]
        if not self.workshop.separated:
            settings.insert(0, str(self.workshop.own_config(account)))
        return {
            **env,
            **room.environment(account),
            **{f"{name}_NUM_THREADS": "1" for name in _ONE_THREAD},
            "JUPYTER_CONFIG_PATH": os.pathsep.join(settings),
            "JUPYTER_PREFER_ENV_PATH": "1",
            "JUPYTERLAB_SETTINGS_DIR": str(account.home / ".jupyter" / "lab" / "user-settings"),
            "MPLCONFIGDIR": str(account.home / ".config" / "matplotlib"),
        }

    async def stop(self, now: bool = False) -> None:
        """Stop the server, then whatever its user left running behind it."""
        await super().stop(now=now)
        await asyncio.to_thread(self._sweep)

    def _sweep(self) -> None:
        """End what runs for the seat: bubblewrap keeps a room while anything is in it."""
        left = list(accounts.processes(self.workshop, self.account))
        accounts.stop_processes(found=left, grace=1)

    async def start(self) -> Any:
        """Start the server, in its room, when its turn comes, and wait until it answers.

        All at once, the servers of a room would keep the hub itself from answering, and
        nobody's would be ready before the last.
        """
        separated = self.workshop.separated
        try:
            disk.check(self.workshop.folder)
        except WorkshopError as error:
            raise SeatNotStarted(str(error)) from None
        if self.account == self.workshop.trainer:
            # Formgrader shows only what is under the folder that JupyterLab shows.
            self.notebook_dir, self.default_url = "~", "/lab"
        self.cmd = room.command(self.workshop, self.account, SERVER) if separated else SERVER
        async with _turns:
            if self.account != self.workshop.trainer:
                # What a hub killed while it started this one left, and no longer knows.
                await asyncio.to_thread(self._sweep)
            address: tuple[str, int] = await super().start()
            while not can_connect(*address):
                if (status := await self.poll()) is not None:
                    raise SeatNotStarted(
                        f"Le serveur de « {self.user.name} » s'est arrêté en démarrant (code "
                        f"{status}). Le journal de l'atelier dit pourquoi, juste avant cette ligne."
                    )
                await asyncio.sleep(_PAUSE)
        return address

    async def _signal(self, sig: int) -> bool:
        """Send a signal to the server within the room, or kill the whole room."""
        if not self.workshop.separated or sig == 0:
            return bool(await super()._signal(sig))
        with contextlib.suppress(psutil.NoSuchProcess):
            outside = psutil.Process(self.pid)
            if not self._is_a_room(outside):
                return False  # the number now names another process
            within = outside.children(recursive=True)
            if sig == signal.SIGKILL:
                # The first process of the room takes all the others with it.
                for process in within[:1] or [outside]:
                    process.kill()
            else:
                server = next((one for one in within if one.uids().real != 0), outside)
                server.send_signal(sig)
            return True
        return False

    async def poll(self) -> int | None:
        """Say whether the server runs: None if it does."""
        if self.proc is None and self.pid and self.workshop.separated:
            # Found again after a restart: the number may since be another's.
            try:
                known = self._is_a_room(psutil.Process(self.pid))
            except psutil.NoSuchProcess:
                known = False
            if not known:
                self.clear_state()
                return 0
        status: int | None = await super().poll()
        return status

    def _is_a_room(self, process: psutil.Process) -> bool:
        try:
            return str(self.account.home) in process.cmdline()
        except (psutil.Error, PermissionError):
            return False
