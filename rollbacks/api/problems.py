"""Refusals of the API as RFC 9457 problems, with the sentences that the pages show."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError
from pydantic import BaseModel

from approvals.services import VoteRefused
from rollbacks.services.guarded import note_refused_fields
from rollbacks.services.moves import NotAllowed, Refused
from rollbacks.services.repeats import OtherRequest

log = logging.getLogger(__name__)
# Kind: status and title. The kind is also the anchor on the page that explains it.
KINDS = {
    "bad-request": (400, "The request cannot be read"),
    "unauthenticated": (401, "Nobody is signed in"),
    "forbidden": (403, "This is not allowed to you"),
    "not-found": (404, "There is no such thing"),
    "method": (405, "This address does not do that"),
    "refused": (409, "This cannot be done now"),
    "stale": (409, "It was changed in the meantime"),
    "too-large": (413, "The request is too large"),
    "media-type": (415, "The request is in another format"),
    "invalid": (422, "Some fields are wrong"),
    "too-many": (429, "Too many requests"),
    "broken": (500, "The portal failed"),
    "unavailable": (503, "A part of the portal does not answer"),
}
EXPLAINED = "/api/v1/docs#"
AWAY = "The portal's database does not answer at the moment; look whether your change is there, then try again."
NO_ROLE = "Your account has no role yet; ask an administrator for one."


class Problem(Exception):
    """A refusal of the API itself; `more` goes into the document beside the sentences."""

    def __init__(self, kind: str, *sentences: str, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        super().__init__(kind)
        self.kind, self.sentences, self.more = kind, sentences, more
        self.headers = dict(headers or {})


def respond(problem: Problem) -> HttpResponse:
    """Return the problem as an answer; its sentences never repeat what was sent."""
    status, title = KINDS[problem.kind]
    document = {
        "type": EXPLAINED + problem.kind,
        "title": title,
        "status": status,
        "detail": " ".join(problem.sentences),
        "sentences": list(problem.sentences),
        **problem.more,
    }
    return JsonResponse(document, status=status, content_type="application/problem+json", headers=problem.headers)


def unauthenticated(sentence: str) -> Problem:
    """Return the problem of a caller whom nobody knows."""
    return Problem("unauthenticated", sentence, headers={"WWW-Authenticate": 'Bearer realm="rollback portal"'})


def invalid(fields: Sequence[tuple[str, str]]) -> Problem:
    """Return the problem of wrong fields: for each its name and one sentence."""
    listed = [{"field": field, "sentence": sentence} for field, sentence in fields]
    return Problem("invalid", *(f"{field}: {sentence}" for field, sentence in fields), fields=listed)


def refuse_fields(request: HttpRequest, names: Sequence[str]) -> Problem:
    """Return the problem of fields that do not exist, and record those that only the portal decides."""
    match = request.resolver_match
    request_id = match.kwargs.get("pk") if match and "/requests/" in match.route else None
    operation = f"{request.method} /{match.route if match else ''}"
    note_refused_fields(request.user, fields=names, request_id=request_id, operation=operation)
    return invalid([(name[:60], _UNKNOWN) for name in names[:20]])


def refuse_unknown_filters(request: HttpRequest, filters: BaseModel) -> None:
    """Raise the problem of a filter that does not exist: a list with a mistyped filter would be a wrong answer."""
    unknown = [name for name in request.GET if name not in type(filters).model_fields]
    if unknown:
        raise refuse_fields(request, unknown)


_UNKNOWN = "There is no such field to set; leave it out."


def register(api: NinjaAPI) -> None:
    """Make every exception that an endpoint can raise a problem."""

    def answer(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
        return respond(_problem_of(request, error))

    # Ninja looks for the nearest class and has handlers of its own for the last three.
    for kind in (Exception, Http404, HttpError, ValidationError):
        api.add_exception_handler(kind, answer)


def _problem_of(request: HttpRequest, error: Exception | type[Exception]) -> Problem:
    match error:
        case Problem():
            return error
        case ValidationError():
            return _invalid_of(request, error)
        case AuthenticationError():
            return unauthenticated("Send a token in the Authorization header, or sign in in the browser.")
        case OtherRequest():
            return invalid([("Idempotency-Key", str(error))])
        case Refused():
            return Problem("refused", *error.sentences)
        case VoteRefused():
            return Problem("refused", str(error))
        case NotAllowed() | PermissionDenied():
            return Problem("forbidden", str(error))
        case Http404() | ObjectDoesNotExist():
            return Problem("not-found", "There is nothing at this address for you; check the number or name.")
        case RequestDataTooBig():
            return Problem("too-large", "A request may have up to 4 MiB; give a link to what is larger.")
        case SuspiciousOperation() | HttpError():
            return Problem("bad-request", "The body cannot be read; send JSON in UTF-8 as the documentation shows.")
        case OperationalError() | InterfaceError():
            return Problem("unavailable", AWAY, headers={"Retry-After": "5"})
    log.exception("An API request failed: %s %s", request.method, request.path)
    return Problem(
        "broken", "The portal failed; nothing was changed. Try again, and tell an administrator if it stays."
    )


def _invalid_of(request: HttpRequest, error: ValidationError) -> Problem:
    unknown = [str(each["loc"][-1]) for each in error.errors if each["type"] == "extra_forbidden"]
    if unknown:
        return refuse_fields(request, unknown)
    return invalid([(_field(each["loc"]), _sentence(each)) for each in error.errors])


def _field(place: Sequence[str | int]) -> str:
    """Ninja puts the source ("body") and the parameter's name before the field."""
    parts = [str(part) for part in place[1:] if part not in {"body", "filters"}]
    return ".".join(parts) or str(place[0])


def _sentence(found: Mapping[str, Any]) -> str:
    if found["type"] == "missing":
        return "This field is needed."
    message: str = found["msg"]
    return f"{message.removeprefix('Value error, ').rstrip('.')}."
