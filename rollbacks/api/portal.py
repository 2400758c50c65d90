"""The API put together: its endpoints, its addresses, its OpenAPI document and its page of operations."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import URLPattern, re_path
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI

from rollbacks.api import checklist, project, records, requests, running, signing, targets
from rollbacks.api.answers import ProblemAnswer
from rollbacks.api.callers import READS, SCOPE_NAMES
from rollbacks.api.problems import KINDS, Problem, register, respond
from rollbacks.views.doors import door

VERSION = "1.0"
SENT = {"application/json", "multipart/form-data"}

api = NinjaAPI(
    title="Rollback portal",
    version=VERSION,
    description=str(__doc__),
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
)
register(api)
for part in (targets, requests, checklist, signing, running, project, records):
    api.add_router("", part.router)


@api.get("/openapi.json", auth=READS, include_in_schema=False)
def openapi(request: HttpRequest) -> dict[str, Any]:
    """The OpenAPI 3.1 document."""
    return schema()


def schema() -> dict[str, Any]:
    """Return the OpenAPI document, with the problem that every operation may answer."""
    document: dict[str, Any] = dict(api.get_openapi_schema(path_prefix="/api/v1/"))
    document["components"]["schemas"]["Problem"] = ProblemAnswer.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    definitions = document["components"]["schemas"]["Problem"].pop("$defs", {})
    document["components"]["schemas"].update(definitions)
    answer = {
        "description": "A refusal (RFC 9457); its sentences say what is wrong and what to do next.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for operations in document["paths"].values():
        for operation in operations.values():
            operation["responses"] = {**operation["responses"], "4XX": answer, "5XX": answer}
            operation["security"] = [each for each in operation["security"] if "NoVote" not in each]
    del document["components"]["securitySchemes"]["NoVote"]
    return document


@require_safe
@door
def docs(request: HttpRequest) -> HttpResponse:
    """The operations of the OpenAPI document as a page, with every kind of problem."""
    operations = [
        {"method": method.upper(), "path": path, "scope": _scope(operation), **operation}
        for path, methods in schema()["paths"].items()
        for method, operation in methods.items()
    ]
    problems = [(kind, *KINDS[kind]) for kind in KINDS]
    return render(request, "rollbacks/api_docs.html", {"operations": operations, "problems": problems})


def _scope(operation: dict[str, Any]) -> str:
    named = [SCOPE_NAMES[name] for each in operation["security"] for name in each if name in SCOPE_NAMES]
    return named[0] if named else _("only in the browser's session")


def _answering(callback: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let the API itself say who is not signed in, and answer with problems where ninja answers with text."""

    @csrf_exempt  # Sessions are checked by callers.Session; tokens are in no cookie.
    @login_not_required
    @wraps(callback)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.headers.get("Content-Length", "0") not in {"", "0"} and request.content_type not in SENT:
            return respond(Problem("media-type", "Send JSON with Content-Type: application/json, files as multipart."))
        response = callback(request, *args, **kwargs)
        if response.status_code == 405:
            sentence = f"Use {response['Allow']} at this address."
            return respond(Problem("method", sentence, headers={"Allow": response["Allow"]}))
        return response

    return view


@csrf_exempt
@login_not_required
def nowhere(request: HttpRequest) -> HttpResponse:
    """Any other address below /api/v1/."""
    return respond(Problem("not-found", "There is no such address; /api/v1/docs lists all that there are."))


def _patterns() -> list[URLPattern]:
    # Ninja makes new callbacks at each access, so the marked ones are the ones that have to be mounted.
    patterns = [each for each in api.urls[0] if isinstance(each, URLPattern) and each.name != "api-root"]
    for pattern in patterns:
        pattern.callback = _answering(pattern.callback)
    return [*patterns, re_path(r"^.*$", nowhere, name="nowhere")]


urls = (_patterns(), "ninja", "api")
