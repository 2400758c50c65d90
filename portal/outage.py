"""The answer to a page that broke: 503 and when to come back while the portal's database is away, else 500."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template import loader

RETRY_SECONDS = 5


def answer(request: HttpRequest) -> HttpResponse:
    """Answer in place of a view that raised; reads nothing, because there may be no database to read from."""
    away = isinstance(sys.exc_info()[1], OperationalError | InterfaceError)
    page = loader.get_template("503.html" if away else "500.html").render()
    headers = {"Retry-After": str(RETRY_SECONDS)} if away else {}
    return HttpResponse(page, status=503 if away else 500, headers=headers)
