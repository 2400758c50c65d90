"""Callers of the API: anonymous, sessions and tokens, all through Django's own request handling."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from approvals.tokens import add_service_account, make_token
from rollbacks.models import Request, Target
from rollbacks.services import requests
from rollbacks.services.targets import keep_inventory, newest_inventory, register_target
from tests.clients import give_factor
from tests.conftest import NUMBERS, WORKER, TargetDatabase
from tests.rollback import DEFAULT_RETURN, register, wording

BASE = "/api/v1"


class Caller:
    """One identity; answers are Django's responses, whose `json()` is the body."""

    def __init__(self, person: Any = None, token: str = "", csrf: bool = False):
        self.client = Client(enforce_csrf_checks=csrf)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}
        if person is not None:
            give_factor(person)
            self.client.force_login(person)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        content = {} if body is None else {"data": json.dumps(body), "content_type": "application/json"}
        return self.client.generic(method, BASE + path, headers={**self.headers, **headers}, **content)

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self("POST", path, body, **headers)

    def upload(self, path: str, fields: dict[str, Any], **headers: str) -> Any:
        return self.client.post(BASE + path, fields, headers={**self.headers, **headers})


@pytest.fixture(autouse=True)
def _counts_of_its_own(settings: Any) -> None:
    """All test processes share one cache, and their rows have the same numbers."""
    ours = {**settings.CACHES["default"], "KEY_PREFIX": f"tests-{WORKER}-{next(NUMBERS)}"}
    settings.CACHES = {**settings.CACHES, "default": ours}


@pytest.fixture
def token_for() -> Callable[..., Caller]:
    """Return a caller with a new token of this person."""

    def make(person: Any, *scopes: str) -> Caller:
        _token, text = make_token(person, owner=person, name="tests", scopes=scopes, days=1)
        return Caller(token=text)

    return make


@pytest.fixture
def service(people: dict[str, Any]) -> Any:
    """A service account with the role engineer."""
    account = add_service_account(people["administrator"], username="ci", purpose="CI of nzila", roles=["engineer"])
    return get_user_model().objects.get(pk=account.pk)


@pytest.fixture
def target(nzila: TargetDatabase) -> Target:
    """A target that a worker can reach."""
    return register(nzila)


READINGS: list[dict[str, Any]] = []


@pytest.fixture
def read_target(db: None, request: pytest.FixtureRequest) -> Target:
    """A target with a reading of a real one, made once: most tests never reach for the database behind it."""
    if not READINGS:
        first = register(request.getfixturevalue("nzila"))
        READINGS.append(newest_inventory(first.pk).content)
        return first
    found = register_target(
        None, name="nzila-read", title="Nzila", environment="production", repository="/nowhere", out="drizzle"
    )
    keep_inventory(found.pk, content=READINGS[0])
    return found


@pytest.fixture
def gapped(people: dict[str, Any], read_target: Target) -> Request:
    """A draft whose checklist is unanswered."""
    return requests.open_request(
        people["engineer"], target=read_target, return_to=DEFAULT_RETURN, wording=wording(read_target, DEFAULT_RETURN)
    )
