"""Every operation for every kind of caller; an operation without a row fails, and so does a row without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from records.models import ChangeRecord, Fact
from records.record import seal
from rollbacks.api.portal import api, schema, urls
from rollbacks.models import Execution, Request
from rollbacks.services.patches import keep_patch
from rollbacks.services.requests import answer
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db

MAX_QUERIES = 12
CALLERS = (
    "anonymous", "no role", "engineer", "platform", "auditor",
    "token read", "token file", "token run", "token of platform", "service account",
)  # fmt: skip
READ = (401, 403, 200, 200, 200, 200, 200, 200, 200, 200)
DRAFT = {"reverse_sql": {}, "reason": "Other words."}
# Method and address as in the OpenAPI document: the body, and the code for each caller in the order of CALLERS.
# The tokens are the engineer's, who filed the request; the service account has the scopes file and run.
TABLE: dict[tuple[str, str], tuple[Any, tuple[int, ...]]] = {
    ("GET", "/me"): (None, READ),
    ("GET", "/targets"): (None, READ),
    ("GET", "/targets/{name}"): (None, READ),
    ("GET", "/targets/{name}/inventory"): (None, READ),
    ("POST", "/targets/{name}/read"): (None, (401, 403, 202, 202, 202, 403, 202, 403, 202, 202)),
    ("GET", "/requests"): (None, READ),
    ("POST", "/requests"): (
        {"target": "NAME", "return_to": "0003_redundant_starfox"},
        (401, 403, 201, 201, 403, 403, 201, 403, 201, 201),
    ),
    ("GET", "/requests/{pk}"): (None, READ),
    ("PATCH", "/requests/{pk}"): (
        {"seen_revision": 1, "reason": "Other words."}, (401, 403, 200, 200, 403, 403, 200, 403, 200, 200),
    ),
    ("GET", "/requests/{pk}/blockers"): (None, READ),
    ("GET", "/requests/{pk}/proof"): (None, READ),
    ("POST", "/requests/{pk}/proof"): (None, (401, 403, 202, 202, 403, 403, 202, 403, 202, 202)),
    ("POST", "/requests/{pk}/submit"): (None, (401, 403, 409, 403, 403, 403, 409, 403, 403, 403)),
    ("POST", "/requests/{pk}/withdraw"): ({}, (401, 403, 200, 200, 403, 403, 200, 403, 200, 403)),
    ("POST", "/requests/{pk}/checklist/{item}"): (
        {"text": "Odette knows."}, (401, 403, 200, 200, 403, 403, 200, 403, 200, 200),
    ),
    ("POST", "/requests/{pk}/checklist/{item}/file"): (
        "file", (401, 403, 200, 200, 403, 403, 200, 403, 200, 200),
    ),
    ("GET", "/requests/{pk}/files/{file}"): (None, READ),
    ("GET", "/requests/{pk}/case"): (None, READ),
    ("POST", "/requests/{pk}/votes"): (
        {"digest": "0" * 64, "role": "platform", "choice": "approve", "code": "000000"},
        (401, 403, 409, 409, 409, 403, 403, 403, 403, 403),
    ),
    ("POST", "/requests/{pk}/start"): ({"database": "x"}, (401, 403, 409, 409, 403, 403, 403, 409, 409, 409)),
    ("POST", "/requests/{pk}/resume"): (None, (401, 403, 409, 409, 403, 403, 403, 409, 409, 409)),
    ("POST", "/requests/{pk}/cancel"): (
        {"reason": "The wrong window."}, (401, 403, 409, 409, 403, 403, 403, 409, 409, 409),
    ),
    ("GET", "/requests/{pk}/executions"): (None, READ),
    ("GET", "/requests/{pk}/executions/{number}"): (None, READ),
    ("GET", "/requests/{pk}/executions/{number}/patch"): (None, READ),
    ("POST", "/requests/{pk}/check-flags"): (None, (401, 403, 409, 409, 403, 403, 409, 403, 409, 409)),
    ("GET", "/records"): (None, READ),
    ("GET", "/records/{pk}"): (None, READ),
    ("GET", "/records/{pk}/document"): (None, READ),
    ("GET", "/trail"): (None, READ),
}  # fmt: skip


@pytest.fixture
def callers(people: dict[str, Any], service: Any, token_for: Callable[..., Caller]) -> dict[str, Caller]:
    stranger = get_user_model().objects.create_user("stranger")
    engineer, platform = people["engineer"], people["platform"]
    return dict(zip(CALLERS, (
        Caller(), Caller(stranger), Caller(engineer), Caller(platform), Caller(people["auditor"]),
        token_for(engineer), token_for(engineer, "file"), token_for(engineer, "run"),
        token_for(platform, "file", "run"), token_for(service, "file", "run"),
    ), strict=True))  # fmt: skip


@pytest.fixture
def places(people: dict[str, Any], gapped: Request) -> dict[str, Any]:
    from django.core.files.uploadedfile import SimpleUploadedFile

    given = answer(
        people["engineer"], gapped.pk, item="on_call", upload=SimpleUploadedFile("page.txt", b"Odette was told.")
    )
    execution = Execution.objects.create(
        request=gapped, target=gapped.target, number=1, plan={}, digest="0" * 64, started_by=people["engineer"],
        is_open=False,
    )  # fmt: skip
    keep_patch(execution, b"From 0\n")
    record = seal(token="x:record", subject=f"request:{gapped.pk}", title="RB", result="rolled back", document={"a": 1})
    return {
        "name": gapped.target.name, "pk": gapped.pk, "item": "feature_flags", "file": given.attachment_id,
        "number": execution.number, "record": record.pk,
    }  # fmt: skip


def address(template: str, places: dict[str, Any]) -> str:
    names = {**places, "pk": places["record"]} if template.startswith("/records") else places
    return template.format(**names)


def send(caller: Caller, method: str, path: str, body: Any, places: dict[str, Any]) -> Any:
    from django.core.files.uploadedfile import SimpleUploadedFile

    if body == "file":
        return caller.upload(path, {"upload": SimpleUploadedFile("flags.txt", b"off"), "text": "All off."})
    if isinstance(body, dict):
        body = {name: places["name"] if value == "NAME" else value for name, value in body.items()}
    return caller(method, path, body)


def operations() -> set[tuple[str, str]]:
    return {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in schema()["paths"].items()
        for method in methods
    }


def test_every_operation_has_a_row() -> None:
    assert operations() == set(TABLE)


def test_no_address_is_outside_the_document() -> None:
    """The schema, the catch-all and nothing else is mounted without being an operation."""
    mounted = {str(pattern.pattern) for pattern in urls[0]}
    documented = {path.removeprefix("/api/v1/") for path in schema()["paths"]}
    plain = {each.replace("<int:", "{").replace("<slug:", "{").replace(">", "}") for each in mounted}
    assert plain - documented == {"openapi.json", "^.*$"}
    assert str(get_resolver().url_patterns[0].pattern) == "" and api.docs_url is None


def test_everybody_gets_what_the_table_says(callers: dict[str, Caller], places: dict[str, Any]) -> None:
    wrong = []
    for (method, template), (body, codes) in TABLE.items():
        for name, expected in zip(CALLERS, codes, strict=True):
            # Each cell begins from the same rows.
            with transaction.atomic():
                response = send(callers[name], method, address(template, places), body, places)
                transaction.set_rollback(True)
            if response.status_code != expected:
                wrong.append((method, template, name, response.status_code, expected, response.content[:300]))
            if expected >= 400:
                assert response["Content-Type"] == "application/problem+json"
                problem = response.json()
                assert problem["status"] == expected and problem["sentences"] and problem["detail"]
            if expected == 401:
                assert response["WWW-Authenticate"].startswith("Bearer")
    assert wrong == []


def test_no_operation_takes_more_queries_than_twelve(callers: dict[str, Caller], places: dict[str, Any]) -> None:
    counts = {}
    for (method, template), (body, codes) in TABLE.items():
        if method != "GET":
            continue
        with CaptureQueriesContext(connection) as captured:
            send(callers["token run"], method, address(template, places), body, places)
        assert codes == READ
        counts[template] = len(captured)
    assert {template: count for template, count in counts.items() if count > MAX_QUERIES} == {}


def test_lists_take_as_many_queries_for_many_rows_as_for_one(
    callers: dict[str, Caller], places: dict[str, Any], gapped: Request
) -> None:
    lists = ("/requests", "/records", "/trail", "/targets", f"/requests/{gapped.pk}/executions")

    def counted() -> list[int]:
        counts = []
        for path in lists:
            with CaptureQueriesContext(connection) as captured:
                assert callers["token read"].get(path).status_code == 200
            counts.append(len(captured))
        return counts

    callers["token read"].get("/me")
    few = counted()
    for number in range(2, 8):
        Request.objects.create(target=gapped.target, author=gapped.author, return_to="")
        Execution.objects.create(
            request=gapped, target=gapped.target, number=number, plan={}, digest="0" * 64,
            started_by=gapped.author, is_open=False,
        )  # fmt: skip
        seal(token=f"{number}:record", subject="request:1", title="RB", result="rolled back", document={"n": number})
    assert counted() == few
    assert ChangeRecord.objects.count() == 7 and Fact.objects.count() > 10
