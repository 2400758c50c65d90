"""An HTTP service on loopback that answers as Azure Resource Manager does for flexible servers, faults included.

Source: Azure's REST reference of Microsoft.DBforPostgreSQL and its description of asynchronous operations (202 with
Azure-AsyncOperation, Retry-After, and a status document that is asked for until it is final).
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from azure.core.credentials import AccessToken

SUBSCRIPTION = "11111111-1111-4111-8111-111111111111"


class Signed:
    """A sign-in that is always there."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("canary-token", int(time.time()) + 3600)

    def close(self) -> None:
        return


class ResourceManager:
    """What Azure has: servers by name and operations by number. `faults` are codes that the next requests get first."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.servers: dict[str, dict[str, Any]] = {}
        self.operations: dict[str, dict[str, Any]] = {}
        self.faults: list[int] = []
        self.asked: list[tuple[str, str]] = []
        self.polls_needed, self.outcome, self.host = 1, "Succeeded", "new.postgres.database.azure.com"
        self.add("books-prod", {}, "Ready")

    @property
    def puts(self) -> int:
        return sum(verb == "PUT" for verb, _path in self.asked)

    def add(self, name: str, tags: dict[str, str], state: str) -> None:
        path = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/shop/providers/Microsoft.DBforPostgreSQL/flexibleServers/{name}"
        self.servers[name] = {
            "id": path, "name": name, "location": "westeurope", "tags": tags,
            "properties": {
                "state": state, "fullyQualifiedDomainName": self.host,
                "backup": {"backupRetentionDays": 7, "earliestRestoreDate": "2026-01-01T00:00:00+00:00"},
            },
        }  # fmt: skip

    def answer(self, verb: str, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        self.asked.append((verb, path))
        if self.faults:
            code = self.faults.pop(0)
            return code, {"error": {"code": "Fault", "message": "Not now."}}, {"Retry-After": "0"}
        kind, name = path.split("?")[0].rsplit("/", 2)[1:]
        if kind == "operations":
            return self._operation(name)
        if verb == "PUT":
            return self._restore(name, body)
        if name not in self.servers:
            return 404, {"error": {"code": "ResourceNotFound", "message": "No such server."}}, {}
        return 200, self.servers[name], {}

    def _restore(self, name: str, body: dict[str, Any]) -> tuple[int, dict[str, Any], dict[str, str]]:
        number = str(len(self.operations) + 1)
        self.operations[number] = {"server": name, "polls": 0, "body": body}
        self.add(name, body["tags"], "Provisioning")
        address = f"{self.address}/subscriptions/{SUBSCRIPTION}/operations/{number}"
        return 202, {}, {"Azure-AsyncOperation": address, "Location": address, "Retry-After": "0"}

    def _operation(self, number: str) -> tuple[int, dict[str, Any], dict[str, str]]:
        if number not in self.operations:
            return 404, {"error": {"code": "NotFound", "message": "Forgotten."}}, {}
        operation = self.operations[number]
        operation["polls"] += 1
        if operation["polls"] < self.polls_needed:
            return 200, {"name": number, "status": "InProgress"}, {"Retry-After": "0"}
        if self.outcome == "Succeeded":
            self.servers[operation["server"]]["properties"]["state"] = "Ready"
            return 200, {"name": number, "status": "Succeeded"}, {}
        del self.servers[operation["server"]]
        error = {"code": "RestoreFailed", "message": "The point in time is outside the retention."}
        return 200, {"name": number, "status": self.outcome, "error": error}, {}


@contextmanager
def resource_manager() -> Iterator[ResourceManager]:
    """Serve on a free port of loopback until the block ends."""

    class Door(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else {}
            code, content, headers = made.answer(self.command, self.path, body)
            sent = json.dumps(content).encode()
            self.send_response(code)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(sent)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent)

        do_GET = do_PUT = _serve

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    made = ResourceManager(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
