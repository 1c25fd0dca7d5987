"""Serve the built site on this machine only."""

import errno
import os
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from culture_d.errors import ServeError, reason

ADDRESS = "127.0.0.1"
# A reason phrase goes in a header, the sentence in the page.
_ERRORS = {
    404: ("Page introuvable", "Cette page n'existe pas, ou n'existe plus."),
    501: ("Demande inconnue", "Ce serveur ne sait que montrer les pages du cours."),
}
_ERROR_PAGE = """<!doctype html>
<html lang="fr">
<head><meta charset="utf-8"><title>%(message)s</title></head>
<body><h1>%(message)s</h1><p>%(explain)s</p><p><a href="/">Revenir à l'accueil</a></p></body>
</html>
"""


class _QuietHandler(SimpleHTTPRequestHandler):
    """Files of the site, read afresh each time, without a line for each request."""

    error_message_format = _ERROR_PAGE

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def list_directory(self, path: str | os.PathLike[str]) -> None:
        """Show no folder's content: the site is its pages."""
        self.send_error(404)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer with a page in French."""
        title, sentence = _ERRORS.get(code, ("Demande refusée", "Cette demande est mal formée."))
        super().send_error(code, title, sentence)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class _Server(ThreadingHTTPServer):
    """A server whose port is its own, and that a browser may leave without a word."""

    # On Windows, and with SO_REUSEPORT elsewhere, a second server would share the port.
    allow_reuse_address = os.name != "nt"
    allow_reuse_port = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


def make_server(folder: Path, port: int) -> ThreadingHTTPServer:
    """Return a server of `folder`, bound to the loopback address and ready to run.

    Args:
        folder: the built pages.
        port: 0 for any free one.

    Raises:
        ServeError: the port is taken or not allowed.
    """
    handler = partial(_QuietHandler, directory=str(folder))
    try:
        return _Server((ADDRESS, port), handler)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServeError(
                f"Le port {port} est déjà pris par un autre programme. Choisissez-en un autre : "
                f"« make serve PORT={port + 1} » ou « culture-d servir --port {port + 1} »."
            ) from None
        raise ServeError(
            f"Le port {port} ne peut pas être utilisé ({reason(error)}). "
            "Choisissez un nombre entre 1024 et 65535."
        ) from None
    except OverflowError:
        raise ServeError(
            f"Le port {port} n'existe pas. Choisissez un nombre entre 1024 et 65535."
        ) from None
