"""Serve the built site on this machine only."""

import errno
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from culture_d.errors import ServeError

ADDRESS = "127.0.0.1"


class _QuietHandler(SimpleHTTPRequestHandler):
    """Files of the site, read afresh each time, without a line for each request."""

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


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
        return ThreadingHTTPServer((ADDRESS, port), handler)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ServeError(
                f"Le port {port} est déjà pris par un autre programme. Choisissez-en un autre : "
                f"« make serve PORT={port + 1} » ou « culture-d servir --port {port + 1} »."
            ) from None
        raise ServeError(
            f"Le port {port} ne peut pas être utilisé ({error.strerror}). "
            "Choisissez un nombre entre 1024 et 65535."
        ) from None
    except OverflowError:
        raise ServeError(
            f"Le port {port} n'existe pas. Choisissez un nombre entre 1024 et 65535."
        ) from None
