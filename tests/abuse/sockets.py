"""Django's test client over a socket: what it would hand to the application goes to a web server as HTTP."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from http.cookies import SimpleCookie
from types import SimpleNamespace
from typing import Any

from django.http import HttpResponse

SPOKEN = {"CONTENT_TYPE": "Content-Type"}


class SocketHandler:
    """Stands in the place of the client's own handler; a browser of the portal's pages has their CSRF token."""

    def __init__(self, port: int, before: Callable[[], object]) -> None:
        self.port, self.before, self.token = port, before, secrets.token_hex(16)

    def __call__(self, environ: Mapping[str, Any]) -> HttpResponse:
        self.before()
        length = int(environ.get("CONTENT_LENGTH") or 0)
        body = environ["wsgi.input"].read(length) if length else b""
        path = environ["PATH_INFO"].encode("latin-1").decode()
        query = environ.get("QUERY_STRING", "")
        line = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            line.request(environ["REQUEST_METHOD"], f"{path}?{query}" if query else path, body, self._headers(environ))
            answer = line.getresponse()
            return _response(answer.status, answer.getheaders(), answer.read())
        finally:
            line.close()

    def _headers(self, environ: Mapping[str, Any]) -> dict[str, str]:
        headers = {
            SPOKEN.get(name, name.removeprefix("HTTP_").replace("_", "-").title()): str(value)
            for name, value in environ.items()
            if name.startswith("HTTP_") or (name in SPOKEN and value)
        }
        cookies = [part for part in (headers.get("Cookie", ""), f"csrftoken={self.token}") if part]
        return {**headers, "Cookie": "; ".join(cookies), "X-Csrftoken": self.token}


def _response(status: int, headers: list[tuple[str, str]], content: bytes) -> HttpResponse:
    response = HttpResponse(content, status=status)
    for name, value in headers:
        if name.lower() == "set-cookie":
            response.cookies.load(SimpleCookie(value))
        else:
            response[name] = value
    response.wsgi_request = SimpleNamespace(urlconf=None)  # type: ignore[attr-defined]  # the client looks for it
    return response
