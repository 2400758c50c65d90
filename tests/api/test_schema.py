"""Schemathesis against the real schema: whatever it sends, no answer breaks or differs from the document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks

from rollbacks.api.portal import schema
from rollbacks.models import Request
from tests.api.conftest import Caller

pytestmark = pytest.mark.django_db
OPERATIONS = [
    (method.upper(), path) for path, methods in schema()["paths"].items() for method in methods
]  # fmt: skip
CHECKS = [
    not_a_server_error, checks.status_code_conformance, checks.content_type_conformance,
    checks.response_schema_conformance, checks.negative_data_rejection, checks.unsupported_method,
]  # fmt: skip


@pytest.fixture
def _one_connection() -> Iterator[None]:
    """The application would close the connection of the test's transaction after each request."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.usefixtures("_one_connection")
def test_no_generated_request_breaks_or_surprises(
    people: dict[str, Any], gapped: Request, token_for: Callable[..., Caller], settings: Any
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 100_000
    headers = token_for(people["platform"], "file", "run").headers
    document = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", get_wsgi_application(), headers=headers)
    tried = 0
    for result in document.get_all_operations():
        operation = result.ok()
        tried += 1
        _try(operation, headers)
    assert tried == len(OPERATIONS)


def _try(operation: Any, headers: dict[str, str]) -> None:
    @settings(max_examples=8, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy())
    def hold(case: Any) -> None:
        response = case.call(headers=headers)
        case.validate_response(response, checks=CHECKS)

    hold()
