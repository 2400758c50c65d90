"""A relay on loopback in front of a server's unix socket, whose lines can be cut, frozen, or cut around a COMMIT."""

from __future__ import annotations

import socket
import struct
import threading
from contextlib import suppress

# Closing with this makes a reset instead of a polite end.
RESET = struct.pack("ii", 1, 0)


class Relay:
    """Serves until `close`; `port` is where. All its methods may be called while lines are open."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.refusing = False
        # "before" or "after" while a COMMIT is waited for: the line is cut before the server got it, or has answered it.
        self.commit = ""
        self.cuts = 0
        self._flowing = threading.Event()
        self._flowing.set()
        self._lines: set[socket.socket] = set()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def cut(self) -> None:
        """Reset every open line."""
        for line in list(self._lines):
            self._end(line)

    def freeze(self) -> None:
        """Let nothing through and end nothing, as a firewall that drops packets."""
        self._flowing.clear()

    def flow(self) -> None:
        """Let everything through again, and take new lines."""
        self.refusing = False
        self.commit = ""
        self._flowing.set()

    def close(self) -> None:
        """End for good."""
        self._listener.close()
        self._flowing.set()
        self.cut()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            try:
                if self.refusing:
                    raise OSError
                server.connect(self.path)
            except OSError:
                self._end(client, server)
                continue
            self._lines |= {client, server}
            answered = threading.Event()
            for source, sink, back in ((client, server, False), (server, client, True)):
                threading.Thread(target=self._carry, args=(source, sink, back, answered), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket, back: bool, committing: threading.Event) -> None:
        with suppress(OSError):
            while chunk := source.recv(65536):
                self._flowing.wait()
                if not back and self.commit and b"COMMIT" in chunk:
                    if self.commit == "before":
                        self.commit, self.cuts = "", self.cuts + 1
                        break
                    committing.set()
                if back and committing.is_set():
                    # The server has answered, so it has committed; its answer is thrown away.
                    self.commit, self.cuts = "", self.cuts + 1
                    break
                sink.sendall(chunk)
        self._end(source, sink)

    def _end(self, *lines: socket.socket) -> None:
        for line in lines:
            self._lines.discard(line)
            with suppress(OSError):
                line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
            line.close()
