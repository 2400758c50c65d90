"""The Idempotency-Key of a POST: the same key and body get the same answer for 24 hours, and nothing is done twice."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from ninja.responses import NinjaJSONEncoder
from pydantic import BaseModel

from rollbacks.api.problems import invalid
from rollbacks.services.repeats import Answered, once

P = ParamSpec("P")
HEADER = "Idempotency-Key"
KEY = re.compile(r"[!-~]{1,200}")
# For the OpenAPI document: the header is read here and not as a parameter of each endpoint.
DOCUMENTED: dict[str, Any] = {
    "parameters": [
        {
            "in": "header",
            "name": HEADER,
            "required": False,
            "schema": {"type": "string", "pattern": "^[!-~]{1,200}$"},
            "description": "The same key and body get the same answer for 24 hours, and nothing is done twice.",
        }
    ]
}


def repeatable(status: int) -> Callable[[Callable[Concatenate[HttpRequest, P], BaseModel]], Any]:
    """Return the decorator of an endpoint that answers with this status and may be sent again with the same key."""

    def decorate(view: Callable[Concatenate[HttpRequest, P], BaseModel]) -> Any:
        @wraps(view)
        def answer(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
            def act() -> Answered:
                # As ninja writes an answer, so that times have the same form in every one.
                made = json.loads(json.dumps(view(request, *args, **kwargs).model_dump(), cls=NinjaJSONEncoder))
                location = f"/api/v1/requests/{made['id']}" if status == 201 else ""
                return Answered(status, made, location)

            key = request.headers.get(HEADER)
            if key is None:
                return _respond(act())
            if KEY.fullmatch(key) is None:
                raise invalid([(HEADER, "Send 1 to 200 visible ASCII characters.")])
            return _respond(once(request.user, key=key, asked=_digest(request), act=act))

        # Ninja reads the annotations, which are text and mean something in the view's own module only.
        vars(answer)["__signature__"] = inspect.signature(view, eval_str=True)
        return answer

    return decorate


def _respond(answered: Answered) -> HttpResponse:
    content = json.dumps(answered.answer)
    response = HttpResponse(content, status=answered.status, content_type="application/json; charset=utf-8")
    if answered.location:
        response["Location"] = answered.location
    if answered.again:
        response["Idempotent-Replayed"] = "true"
    return response


def _digest(request: HttpRequest) -> str:
    """The body's bytes; of a multipart body its fields and files, because each sending has another boundary."""
    seen = hashlib.sha256(f"{request.method} {request.path}\n".encode())
    if request.content_type == "multipart/form-data":
        for name in sorted(request.POST):
            seen.update(json.dumps([name, request.POST.getlist(name)]).encode())
        for name in sorted(request.FILES):
            for file in request.FILES.getlist(name):
                seen.update(json.dumps([name, file.name, hashlib.sha256(file.read()).hexdigest()]).encode())
                file.seek(0)
    else:
        seen.update(request.body)
    return seen.hexdigest()
