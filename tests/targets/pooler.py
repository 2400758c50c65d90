"""A small proxy that behaves like a transaction pooler: each round of queries may reach another backend."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit


@contextmanager
def swapping_pooler(url: str) -> Iterator[str]:
    """Serve on loopback; sign-in is answered by one backend and every query by another, as PgBouncer does."""
    listener = socket.create_server(("127.0.0.1", 0))
    host = urlsplit(url).query.removeprefix("host=")
    stop = threading.Event()
    threading.Thread(target=_serve, args=(listener, host, url, stop), daemon=True).start()
    parts = urlsplit(url)
    try:
        yield f"postgresql://{parts.username}@127.0.0.1:{listener.getsockname()[1]}{parts.path}?sslmode=disable"
    finally:
        stop.set()
        listener.close()


def _serve(listener: socket.socket, host: str, url: str, stop: threading.Event) -> None:
    while not stop.is_set():
        try:
            client, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=_session, args=(client, host, url), daemon=True).start()


def _session(client: socket.socket, host: str, url: str) -> None:
    startup = _message(client, kind=False)
    named, served = _backend(host, startup), _backend(host, startup)
    client.sendall(_until_ready(named))
    _until_ready(served)
    named.close()
    threading.Thread(target=_copy, args=(client, served), daemon=True).start()
    _copy(served, client)


def _backend(host: str, startup: bytes) -> socket.socket:
    line = socket.socket(socket.AF_UNIX)
    line.connect(f"{host}/.s.PGSQL.5432")
    line.sendall(startup)
    return line


def _message(line: socket.socket, *, kind: bool) -> bytes:
    head = _exactly(line, 5 if kind else 4)
    length = struct.unpack("!I", head[-4:])[0]
    return head + _exactly(line, length - 4)


def _until_ready(line: socket.socket) -> bytes:
    answer = b""
    while True:
        message = _message(line, kind=True)
        answer += message
        if message[:1] == b"Z":
            return answer


def _exactly(line: socket.socket, count: int) -> bytes:
    content = b""
    while len(content) < count:
        chunk = line.recv(count - len(content))
        if not chunk:
            raise OSError("closed")
        content += chunk
    return content


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while chunk := source.recv(65536):
            sink.sendall(chunk)
    except OSError:
        pass
    finally:
        for line in (source, sink):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
