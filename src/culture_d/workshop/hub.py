"""Starts, finds and stops the hub of a workshop. It runs detached from the terminal."""

import contextlib
import ipaddress
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil

from culture_d.errors import WorkshopError
from culture_d.workshop import accounts, room
from culture_d.workshop.ahead import write_tokens
from culture_d.workshop.hub_config import hub_config
from culture_d.workshop.limits import remove_groups
from culture_d.workshop.model import LOOPBACK, Workshop

_START_SECONDS = 60
_STOP_SECONDS = 15
_LOG_LINES = 3


def running(workshop: Workshop) -> psutil.Process | None:
    """Find the hub's process, or None. A number left by a killed hub is not believed."""
    return _process(workshop.pid_file, str(workshop.config_file))


def write_config(workshop: Workshop) -> None:
    """Write `jupyterhub_config.py`, for its owner alone."""
    descriptor = os.open(workshop.config_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(hub_config(workshop))


def start(workshop: Workshop) -> bool:
    """Start the hub, and wait until it answers; return False if it was running.

    Raises:
        WorkshopError: a port is taken, or the hub stops; the message says why.
    """
    if running(workshop):
        return False
    check_ports(workshop)
    write_config(workshop)
    write_tokens(workshop)
    # Those of a killed hub would go on with a key that is no longer good.
    accounts.stop_processes(found=_cullers(workshop))
    secret = os.umask(0o077)
    try:
        with workshop.log.open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "jupyterhub", "-f", str(workshop.config_file)],
                cwd=workshop.hub_folder,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
    finally:
        os.umask(secret)
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise WorkshopError(f"JupyterHub s'est arrêté au démarrage. {_said(workshop)}")
        if answers(workshop):
            return True
        time.sleep(0.2)
    process.terminate()
    raise WorkshopError(
        f"JupyterHub ne répond pas après {_START_SECONDS} secondes. {_said(workshop)}"
    )


def stop(workshop: Workshop) -> bool:
    """Stop the hub, its proxy and every server; return whether anything was running.

    The hub goes first: it would start again what is stopped under it. Servers are asked
    first, so that their kernels end; what learners saved is on the disk already.

    Raises:
        WorkshopError: a process cannot be ended.
    """
    stopped = False
    for find in (
        lambda: [running(workshop)],
        lambda: [_process(workshop.proxy_pid, "http-proxy"), *_cullers(workshop)],
    ):
        found = [one for one in find() if one]
        if found:
            stopped = True
            accounts.stop_processes(found=found, grace=_STOP_SECONDS)
    for account in workshop.accounts:
        left = list(accounts.processes(workshop, account))
        if left:
            stopped = True
            accounts.stop_processes(found=left)
    for path in (workshop.pid_file, workshop.proxy_pid):
        path.unlink(missing_ok=True)
    remove_groups(workshop.name)
    return stopped


def servers_of(workshop: Workshop, name: str) -> list[psutil.Process]:
    """List the processes of an account's server, those of its kernels included."""
    account = workshop.account(name)
    return list(accounts.processes(workshop, account)) if account else []


def answers(workshop: Workshop) -> bool:
    """Whether the hub answers through its proxy."""
    import ssl

    context = ssl.create_default_context()
    # The room's own certificate, asked of this machine: only the answer matters.
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    try:
        with direct.open(f"{workshop.url}hub/api/", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError, ValueError):
        return False


def check_ports(workshop: Workshop) -> None:
    """Check that the three ports of the workshop are free, but for our own proxy's.

    Raises:
        WorkshopError: one is taken, or the address is not this machine's.
    """
    ours = _process(workshop.proxy_pid, "http-proxy")
    wanted = [(LOOPBACK, workshop.hub_port)]
    if not ours:
        wanted += [(workshop.address, workshop.port), (LOOPBACK, workshop.proxy_port)]
    for address, port in wanted:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((address, port))
            except OSError:
                raise WorkshopError(
                    f"Le port {port} de {address} est déjà pris{_by(port)}. Donnez-en un autre : "
                    f"« culture-d atelier ouvrir --port {_other(workshop.port)} » (il en faut trois "
                    "qui se suivent)."
                ) from None


def check_address(address: str) -> None:
    """Check that an address is one of this machine.

    Raises:
        WorkshopError: it is not; the message lists those that are.
    """
    own = list(addresses())
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(address).is_loopback:
            return  # as on a network, encrypted, but for this machine alone: to try it
    if address not in own:
        known = ", ".join(own) or "aucune : la machine n'est reliée à aucun réseau"
        raise WorkshopError(
            f"« {address} » n'est pas une adresse de cette machine. Ses adresses sur un réseau : "
            f"{known}."
        )


def addresses() -> Iterator[str]:
    """List the addresses of this machine that others can reach."""
    for one in psutil.net_if_addrs().values():
        for card in one:
            known = card.family in (socket.AF_INET, socket.AF_INET6) and "%" not in card.address
            if known and not ipaddress.ip_address(card.address).is_loopback:
                yield card.address


def _environment() -> dict[str, str]:
    """Give the hub its variables: nothing of the terminal's that a server could inherit."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in ("HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "XDG_CACHE_HOME")
        or name.startswith("LC_")
    }
    return {**kept, "PATH": f"{room.search_path()}:/usr/sbin:/sbin", "PYTHONPATH": room.packages()}


def _process(path: Path, word: str) -> psutil.Process | None:
    """Find the process whose number is in a file, if its command holds a word."""
    with contextlib.suppress(OSError, ValueError, psutil.Error):
        process = psutil.Process(int(path.read_text().strip()))
        if process.status() != psutil.STATUS_ZOMBIE and any(
            word in part for part in process.cmdline()
        ):
            return process
    return None


def _cullers(workshop: Workshop) -> list[psutil.Process]:
    """List the services that stop idle servers of this workshop's hub."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if "jupyterhub_idle_culler" in process.cmdline():
                address = process.environ().get("JUPYTERHUB_API_URL", "")
                if f":{workshop.hub_port}/" in address:
                    found.append(process)
    return found


def _by(port: int) -> str:
    with contextlib.suppress(psutil.Error, OSError):
        for one in psutil.net_connections("inet"):
            if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.pid:
                return f" par « {psutil.Process(one.pid).name()} »"
    return ""


def _other(port: int) -> int:
    return port + 10 if port < 65_000 else 8010


def _said(workshop: Workshop) -> str:
    """Quote the end of the log."""
    lines = workshop.log.read_text(encoding="utf-8", errors="replace").splitlines()
    told = [one for one in lines if one.startswith(("[C", "[E")) or "Error" in one] or lines
    quoted = " / ".join(one.strip() for one in told[-_LOG_LINES:])
    return f"Son journal, « {workshop.log} », finit par : {quoted}"
