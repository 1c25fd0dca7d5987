"""The configuration of JupyterHub for a workshop, as the text of `jupyterhub_config.py`.

Every setting is here, and none elsewhere: `deploy/jupyterhub/jupyterhub_config.py` is the
same text for a workshop of The Littlest JupyterHub.
"""

import os
from pathlib import Path

from culture_d.workshop.model import LOOPBACK, Workshop
from culture_d.workshop.proxy import command as proxy_command

TEMPLATES = Path(__file__).parent / "templates"

_TEXT = '''"""JupyterHub for the workshop « {name} », written by `culture-d atelier`.

Written again each time the workshop is prepared or opened: change nothing here.
"""

import os
import sys

c = get_config()  # noqa: F821

# Who may enter: the seats of atelier.json, each once by its card. No registration.
c.JupyterHub.authenticator_class = "culture_d.workshop.authenticator.SeatAuthenticator"
c.SeatAuthenticator.workshop_folder = {folder!r}
c.Authenticator.allow_all = False
c.Authenticator.admin_users = set()
c.Authenticator.delete_invalid_users = True
c.JupyterHub.cookie_max_age_days = 14

# What each may do: a learner, with their own server only. The trainer may also list,
# start and stop the servers, but enters none but their own.
c.JupyterHub.load_roles = [
    {{
        "name": "formateur",
        "scopes": ["admin-ui", "list:users", "read:users:activity", "servers", "read:hub"],
        "users": [{trainer!r}],
    }},
    {{
        "name": "repos",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["repos"],
    }},
]

# A server without activity is stopped; its files stay, the next login starts it again.
c.JupyterHub.services = [
    {{
        "name": "repos",
        "command": [
            sys.executable,
            "-m",
            "jupyterhub_idle_culler",
            "--timeout={idle}",
            "--cull-every={cull_every}",
        ],
    }}
]

# Each server runs as the seat's unix account, in a room that shows nothing of the others.
c.JupyterHub.spawner_class = "culture_d.workshop.spawner.SeatSpawner"
c.SeatSpawner.workshop_folder = {folder!r}
c.Spawner.notebook_dir = "~/culture-d"
c.Spawner.default_url = {default_url!r}
c.Spawner.mem_limit = {memory}
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.LocalProcessSpawner.interrupt_timeout = 10
c.LocalProcessSpawner.term_timeout = 5
c.JupyterHub.allow_named_servers = False
c.JupyterHub.concurrent_spawn_limit = {concurrent}
c.JupyterHub.active_server_limit = {most}

# Where browsers come, and where the hub and its proxy speak together: on loopback.
c.JupyterHub.bind_url = {bind_url!r}
c.JupyterHub.hub_bind_url = "http://{loopback}:{hub_port}"
c.ConfigurableHTTPProxy.api_url = "http://{loopback}:{proxy_port}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.ConfigurableHTTPProxy.pid_file = {proxy_pid!r}
{tls}
# The hub may be killed and opened again: servers, sessions and work go on.
c.JupyterHub.cleanup_servers = False
c.JupyterHub.cleanup_proxy = False
c.JupyterHub.cookie_secret_file = {cookie!r}
c.JupyterHub.db_url = {database!r}
c.JupyterHub.pid_file = {pid!r}

# In French; the trainer's formgrader is shown within JupyterLab's own page.
c.JupyterHub.template_paths = [{templates!r}]
c.JupyterHub.template_vars = {{"atelier": {name!r}}}
c.JupyterHub.tornado_settings = {{
    "headers": {{"Content-Security-Policy": "frame-ancestors 'self'; report-uri /hub/security/csp-report"}}
}}
c.JupyterHub.log_level = "INFO"
'''

_TLS = """c.JupyterHub.ssl_cert = {certificate!r}
c.JupyterHub.ssl_key = {key!r}
"""


def hub_config(workshop: Workshop, proxy: list[str] | None = None) -> str:
    """Write the configuration of a workshop's hub.

    Args:
        workshop: the workshop.
        proxy: the proxy's command; that of this machine's cache by default.
    """
    page = f"/tree/{workshop.page}" if workshop.page else ""
    scheme = "https" if workshop.tls else "http"
    host = f"[{workshop.address}]" if ":" in workshop.address else workshop.address
    return _TEXT.format(
        name=workshop.name,
        folder=str(workshop.folder),
        trainer=workshop.trainer.name,
        idle=workshop.limits.idle_seconds,
        cull_every=max(5, min(300, workshop.limits.idle_seconds // 2)),
        default_url=f"/lab{page}",
        memory=workshop.limits.memory,
        concurrent=max(2, 2 * (os.cpu_count() or 1)),
        most=len(workshop.accounts),
        bind_url=f"{scheme}://{host}:{workshop.port}/",
        loopback=LOOPBACK,
        hub_port=workshop.hub_port,
        proxy_port=workshop.proxy_port,
        proxy=proxy or proxy_command(),
        proxy_pid=str(workshop.hub_folder / "proxy.pid"),
        tls=_TLS.format(certificate=str(workshop.certificate), key=str(workshop.key))
        if workshop.tls
        else "",
        cookie=str(workshop.cookie_secret),
        database=f"sqlite:///{workshop.database}",
        pid=str(workshop.pid_file),
        templates=str(TEMPLATES),
    )
