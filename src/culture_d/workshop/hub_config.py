"""The configuration of JupyterHub for a workshop, as the text of `jupyterhub_config.py`.

Every setting is here, and none elsewhere: `deploy/jupyterhub/jupyterhub_config.py` is the
same text for a workshop of The Littlest JupyterHub.
"""

import json
from pathlib import Path

from culture_d.workshop.ahead import SCOPES, SERVICE
from culture_d.workshop.model import LOOPBACK, ROOT, Workshop
from culture_d.workshop.proxy import command as proxy_command

TEMPLATES = Path(__file__).parent / "templates"

_HEAD = '''"""JupyterHub for the workshop « {name} », written by `culture-d atelier`.

Written again each time the workshop is prepared or opened: change nothing here.
"""
'''

_TLJH_HEAD = '''"""A workshop of Culture D on The Littlest JupyterHub: the settings of `culture-d atelier`.

Written by `python -m culture_d.workshop.hub_config`; a test keeps both the same. Not run
on The Littlest JupyterHub itself: what was run is `culture-d atelier ouvrir`.

1. Put the course in /opt/culture-d, and its package in the hub's own environment:
   sudo /opt/tljh/hub/bin/python3 -m pip install -e '/opt/culture-d[workshop]'
2. Make the seats and their cards, from /opt/culture-d:
   sudo /opt/tljh/hub/bin/culture-d atelier preparer --places 15 --exercices …
3. Put this file in /opt/tljh/config/jupyterhub_config.d/, then
   sudo tljh-config reload hub

The address, TLS, the proxy and the database stay those of The Littlest JupyterHub.
"""
'''

_COMMON = """
import sys
from pathlib import Path

from culture_d.workshop.hub_config import TEMPLATES
from culture_d.workshop.model import Workshop

workshop = Workshop.load(Path({folder}))
idle = workshop.limits.idle_seconds
c = get_config()  # noqa: F821

# Who may enter: the seats of atelier.json, each once by its card. No registration.
c.JupyterHub.authenticator_class = "culture_d.workshop.authenticator.SeatAuthenticator"
c.SeatAuthenticator.workshop_folder = str(workshop.folder)
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
        "users": [workshop.trainer.name],
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
            f"--timeout={{idle}}",
            f"--cull-every={{max(5, min(300, idle // 2))}}",
        ],
    }}
]

# Each server runs as the seat's unix account, in a room that shows nothing of the others.
c.JupyterHub.spawner_class = "culture_d.workshop.spawner.SeatSpawner"
c.SeatSpawner.workshop_folder = str(workshop.folder)
c.Spawner.notebook_dir = "~/culture-d"
c.Spawner.default_url = f"/lab/tree/{{workshop.page}}" if workshop.page else "/lab"
# A server does not read its user's own settings: a hidden tool cannot be brought back.
c.Spawner.disable_user_config = True
c.Spawner.mem_limit = workshop.limits.memory
# A server waits for its turn: as many start at a time as there are processors.
c.Spawner.start_timeout = 600
c.Spawner.http_timeout = 120
c.LocalProcessSpawner.interrupt_timeout = 10
c.LocalProcessSpawner.term_timeout = 5
c.JupyterHub.allow_named_servers = False

# The hub may be killed and opened again: servers, sessions and work go on.
c.JupyterHub.cleanup_servers = False

# The pages of the hub, in French.
c.JupyterHub.template_paths = [str(TEMPLATES)]
"""

_ALONE = """
# Where browsers come, and where the hub and its proxy speak together: on loopback.
c.JupyterHub.bind_url = {bind_url!r}
c.JupyterHub.hub_bind_url = "http://{loopback}:{hub_port}"
# The proxy outlives a hub that is killed: the next one keeps it, and no one is cut off.
c.JupyterHub.proxy_class = "culture_d.workshop.lasting_proxy.LastingProxy"
c.ConfigurableHTTPProxy.auth_token = Path({proxy_token!r}).read_text(encoding="utf-8")
c.ConfigurableHTTPProxy.api_url = "http://{loopback}:{proxy_port}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.ConfigurableHTTPProxy.pid_file = {proxy_pid!r}
{tls}c.JupyterHub.cleanup_proxy = False

# What `culture-d atelier ouvrir` starts the seats' servers with, before they are entered.
c.JupyterHub.services.append(
    {{"name": {service!r}, "api_token": Path({token!r}).read_text(encoding="utf-8")}}
)
c.JupyterHub.load_roles.append(
    {{"name": {service!r}, "scopes": {scopes!r}, "services": [{service!r}]}}
)

# What the hub keeps.
c.JupyterHub.cookie_secret_file = {cookie!r}
c.JupyterHub.db_url = {database!r}
c.JupyterHub.pid_file = {pid!r}
c.JupyterHub.log_level = "INFO"
"""

_TLS = """c.JupyterHub.ssl_cert = {certificate!r}
c.JupyterHub.ssl_key = {key!r}
"""


def hub_config(workshop: Workshop, proxy: list[str] | None = None) -> str:
    """Write the configuration of a workshop's hub.

    Args:
        workshop: the workshop.
        proxy: the proxy's command; that of this machine's cache by default.
    """
    return _HEAD.format(name=workshop.name) + _common(workshop.folder) + _alone(workshop, proxy)


def tljh_config() -> str:
    """Write the configuration of The Littlest JupyterHub, for the workshop « atelier »."""
    return _TLJH_HEAD + _common(ROOT / "atelier")


def _common(folder: Path) -> str:
    """Write what does not depend on who serves."""
    return _COMMON.format(folder=json.dumps(str(folder), ensure_ascii=False))


def _alone(workshop: Workshop, proxy: list[str] | None) -> str:
    """Write where the hub serves, and what it keeps."""
    return _ALONE.format(
        bind_url=workshop.url,
        loopback=LOOPBACK,
        hub_port=workshop.hub_port,
        proxy_port=workshop.proxy_port,
        proxy=proxy or proxy_command(),
        proxy_token=str(workshop.proxy_token),
        proxy_pid=str(workshop.proxy_pid),
        tls=_TLS.format(certificate=str(workshop.certificate), key=str(workshop.key))
        if workshop.tls
        else "",
        service=SERVICE,
        scopes=list(SCOPES),
        token=str(workshop.token),
        cookie=str(workshop.cookie_secret),
        database=f"sqlite:///{workshop.database}",
        pid=str(workshop.pid_file),
    )


if __name__ == "__main__":
    print(tljh_config(), end="")
