"""The operator's own addresses on loopback, in a process of its own: deploy freeze, feature flags and GitHub's API.

Usage: operator_server.py FOLDER. Prints its port and keeps every request as FOLDER/NNNN.json.
POST /freeze answers with the status in FOLDER/freeze or FOLDER/release, by the action asked for (200 without one).
GET /flags answers with FOLDER/flags. /repos/OWNER/NAME/pulls speaks the part of GitHub's REST API that opens and lists
pull requests (version 2022-11-28): FOLDER/github has the status to answer a POST with, 201 without one; with FOLDER/late
the next list is empty, whatever is there.
"""

from __future__ import annotations

import itertools
import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any
from urllib.parse import parse_qs, urlsplit

NUMBERS = itertools.count()
LOCK = threading.Lock()


@dataclass(frozen=True)
class Operator:
    """The running server: its port and the folder that says how it answers and keeps what it got."""

    port: int
    folder: Path

    def says(self, what: str, text: str) -> None:
        (self.folder / what).write_text(text)

    @property
    def requests(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in sorted(self.folder.glob("*.json"))]

    def asked(self, action: str) -> list[dict[str, Any]]:
        return [each for each in self.requests if (each["body"] or {}).get("action") == action]


@contextmanager
def operator_server(folder: Path) -> Iterator[Operator]:
    folder.mkdir()
    with Popen([sys.executable, __file__, str(folder)], stdout=PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield Operator(int(child.stdout.readline()), folder)
        finally:
            child.kill()


class Answering(BaseHTTPRequestHandler):
    folder = Path()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "null")
        self._keep(body)
        if urlsplit(self.path).path.startswith("/repos/"):
            self._open_pull_request(body)
            return
        self._answer(int(self._said(body["action"], "200")), {"message": self._said("message", "")})

    def do_GET(self) -> None:
        self._keep(None)
        parts = urlsplit(self.path)
        if parts.path == "/flags":
            text = self._said("flags", "{}")
            self._send(int(self._said("flags-status", "200")), text.encode())
        elif parts.path.startswith("/repos/"):
            wanted = parse_qs(parts.query)["head"][0]
            late = self.folder / "late"
            if late.exists():
                late.unlink()
                self._answer(200, [])
                return
            self._answer(200, [each for each in self._pulls() if each["head"]["label"] == wanted])
        else:
            self._answer(404, {"message": "Not Found"})

    def _open_pull_request(self, body: dict[str, Any]) -> None:
        status = int(self._said("github", "201"))
        owner, name = self.path.split("/")[2:4]
        if self.headers.get("Authorization") != "Bearer " + self._said("github-token", ""):
            self._answer(401, {"message": "Bad credentials", "status": "401"})
            return
        if status != 201:
            self._answer(status, {"message": "Validation Failed", "errors": [{"message": self._said("message", "")}]})
            return
        label = f"{owner}:{body['head']}"
        if any(each["head"]["label"] == label for each in self._pulls()):
            errors = [
                {"resource": "PullRequest", "code": "custom", "message": f"A pull request already exists for {label}."}
            ]
            self._answer(422, {"message": "Validation Failed", "errors": errors})
            return
        made = {
            "number": len(self._pulls()) + 1, "head": {"label": label}, "state": "open",
            "html_url": f"https://github.com/{owner}/{name}/pull/{len(self._pulls()) + 1}",
        }  # fmt: skip
        (self.folder / "pulls").write_text(json.dumps([*self._pulls(), made]))
        self._answer(201, made)

    def _pulls(self) -> list[dict[str, Any]]:
        pulls: list[dict[str, Any]] = json.loads(self._said("pulls", "[]"))
        return pulls

    def _said(self, what: str, otherwise: str) -> str:
        path = self.folder / what
        return path.read_text() if path.exists() else otherwise

    def _keep(self, body: Any) -> None:
        kept = {"method": self.command, "path": self.path, "body": body, "headers": dict(self.headers)}
        with LOCK:
            (self.folder / f"{next(NUMBERS):04}.json").write_text(json.dumps(kept))

    def _answer(self, status: int, body: Any) -> None:
        self._send(status, json.dumps(body).encode())

    def _send(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, *args: object) -> None:
        return


if __name__ == "__main__":
    Answering.folder = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    print(server.server_address[1], flush=True)
    server.serve_forever()
