"""A proxy in front of a server that cuts the line around the COMMIT message, before or after the server got it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


class Cut:
    """When to cut: `before` the COMMIT reaches the server, or `after` it has answered; once only."""

    def __init__(self, moment: str) -> None:
        self.moment = moment
        self.done = threading.Event()


@contextmanager
def cutting_proxy(url: str, moment: str) -> Iterator[tuple[str, Cut]]:
    """Serve the database on loopback; yields the URL that leads through the proxy, and the cut."""
    listener = socket.create_server(("127.0.0.1", 0))
    parts, cut = urlsplit(url), Cut(moment)
    host = parts.query.removeprefix("host=")
    threading.Thread(target=_serve, args=(listener, host, cut), daemon=True).start()
    try:
        yield f"postgresql://{parts.username}@127.0.0.1:{listener.getsockname()[1]}{parts.path}?sslmode=disable", cut
    finally:
        listener.close()


def _serve(listener: socket.socket, host: str, cut: Cut) -> None:
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        server = socket.socket(socket.AF_UNIX)
        server.connect(f"{host}/.s.PGSQL.5432")
        committing = threading.Event()
        threading.Thread(target=_forward, args=(client, server, cut, committing), daemon=True).start()
        threading.Thread(target=_back, args=(server, client, cut, committing), daemon=True).start()


def _forward(client: socket.socket, server: socket.socket, cut: Cut, committing: threading.Event) -> None:
    try:
        while chunk := client.recv(65536):
            # psycopg sends COMMIT as a message of its own, which is exactly what the product relies on.
            if b"COMMIT" in chunk and not cut.done.is_set():
                if cut.moment == "before":
                    cut.done.set()
                    break
                committing.set()
            server.sendall(chunk)
    except OSError:
        pass
    _close(client, server)


def _back(server: socket.socket, client: socket.socket, cut: Cut, committing: threading.Event) -> None:
    try:
        while chunk := server.recv(65536):
            if committing.is_set() and not cut.done.is_set():
                # The server has answered, so it has committed; its answer is thrown away.
                cut.done.set()
                break
            client.sendall(chunk)
    except OSError:
        pass
    _close(client, server)


def _close(*lines: socket.socket) -> None:
    for line in lines:
        with suppress(OSError):
            line.shutdown(socket.SHUT_RDWR)
        line.close()
