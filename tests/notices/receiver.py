"""A web receiver on loopback in a process of its own: keeps what it gets and can be told how to answer.

Usage: receiver.py FOLDER. Prints its port. FOLDER/mode says how it answers: accept, down, redirect, long or slow.
Beside each request it keeps the command lines of all processes at that moment.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

FOLDER = Path(sys.argv[1])
NUMBERS = itertools.count()
STATUSES = {"down": 503, "redirect": 302}


def command_lines() -> str:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except OSError:
            continue
    return "\n".join(lines)


class Keeper(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        kept = {"path": self.path, "body": json.loads(body), "processes": command_lines()}
        (FOLDER / f"{next(NUMBERS):04}.json").write_text(json.dumps(kept))
        mode = (FOLDER / "mode").read_text() if (FOLDER / "mode").exists() else "accept"
        if mode == "slow":
            threading.Event().wait(30)
            return
        self.send_response(STATUSES.get(mode, 200))
        if mode == "redirect":
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
        self.end_headers()
        self.wfile.write(b"x" * (1_000_000 if mode == "long" else 2))

    do_GET = do_POST

    def log_request(self, *args: object) -> None:
        return


server = ThreadingHTTPServer(("127.0.0.1", 0), Keeper)
print(server.server_address[1], flush=True)
server.serve_forever()
