"""A workshop of Culture D on The Littlest JupyterHub: the settings of `culture-d atelier`.

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

import sys
from pathlib import Path

from culture_d.workshop.hub_config import TEMPLATES
from culture_d.workshop.model import Workshop

workshop = Workshop.load(Path("/srv/culture-d/atelier"))
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
    {
        "name": "formateur",
        "scopes": ["admin-ui", "list:users", "read:users:activity", "servers", "read:hub"],
        "users": [workshop.trainer.name],
    },
    {
        "name": "repos",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["repos"],
    },
]

# A server without activity is stopped; its files stay, the next login starts it again.
c.JupyterHub.services = [
    {
        "name": "repos",
        "command": [
            sys.executable,
            "-m",
            "jupyterhub_idle_culler",
            f"--timeout={idle}",
            f"--cull-every={max(5, min(300, idle // 2))}",
        ],
    }
]

# Each server runs as the seat's unix account, in a room that shows nothing of the others.
c.JupyterHub.spawner_class = "culture_d.workshop.spawner.SeatSpawner"
c.SeatSpawner.workshop_folder = str(workshop.folder)
c.Spawner.notebook_dir = "~/culture-d"
c.Spawner.default_url = f"/lab/tree/{workshop.page}" if workshop.page else "/lab"
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
