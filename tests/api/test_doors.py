"""The doors of the API: sessions, tokens, limits, the page of tokens, and answers to what cannot be read."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.test import Client

from approvals import delegations, tokens
from approvals.models import ApiToken
from approvals.people import add_person
from approvals.services import database_time
from records.models import Fact
from rollbacks.models import Request
from tests.api.conftest import BASE, Caller
from tests.clients import client_of

pytestmark = pytest.mark.django_db


def test_nobody_gets_a_page_or_a_redirect(people: dict[str, Any]) -> None:
    for path in ("/requests", "/openapi.json", "/nothing/here", "/"):
        for method in ("GET", "POST", "DELETE"):
            response = Caller()(method, path)
            assert response.status_code in {401, 404, 405}, (method, path)
            assert response["Content-Type"] == "application/problem+json"
    allowed = Caller(people["engineer"])("DELETE", "/requests")
    assert allowed.status_code == 405 and set(allowed["Allow"].split(", ")) == {"GET", "POST"}


def test_a_token_that_does_not_hold_never_falls_back_to_the_session(people: dict[str, Any]) -> None:
    client = Client()
    client.force_login(people["engineer"])
    for header in ("Bearer rbp_0123456789_" + "A" * 43, "Bearer", "Basic YWRhOng=", "Bearer \x00"):
        assert client.get(f"{BASE}/me", headers={"Authorization": header}).status_code == 401, header


def test_a_session_changes_nothing_without_its_csrf_token(people: dict[str, Any], gapped: Request) -> None:
    careful = Caller(people["engineer"], csrf=True)
    path = f"/requests/{gapped.pk}"
    assert careful.get(path).status_code == 200
    for method, address, body in (
        ("POST", f"{path}/withdraw", {}),
        ("PATCH", path, {"seen_revision": 1, "reason": "x"}),
    ):
        refused = careful(method, address, body)
        assert refused.status_code == 403 and "CSRF" in refused.json()["detail"]
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        sent = careful.client.post(f"{BASE}{path}/withdraw", "{}", content_type=kind)
        assert sent.status_code == 415, kind
    file = careful.upload(f"{path}/checklist/on_call/file", {"text": "x"})
    assert file.status_code == 403
    gapped.refresh_from_db()
    assert gapped.state == "draft" and gapped.revisions.count() == 1 and not gapped.answers.exists()

    careful.client.get("/tokens/")
    cookie = careful.client.cookies["csrftoken"].value
    assert careful.post(f"{path}/withdraw", {}, **{"X-CSRFToken": cookie}).status_code == 200


def test_only_the_digest_of_a_token_is_kept(people: dict[str, Any], caplog: pytest.LogCaptureFixture) -> None:
    token, text = tokens.make_token(people["engineer"], owner=people["engineer"], name="cli", scopes=["file"], days=90)
    with caplog.at_level(logging.DEBUG):
        caller = Caller(token=text)
        assert caller.get("/me").json()["scopes"] == ["read", "file"]
        caller.post("/requests", {"target": "x", "return_to": text})
        caller("GET", f"/nothing/{token.prefix}")
    token.refresh_from_db()
    secret = text.removeprefix(token.prefix)
    kept = " ".join(str(value) for value in ApiToken.objects.values_list().get())
    assert token.digest == hashlib.sha256(text.encode()).hexdigest() and secret not in kept
    assert token.last_used_at is not None
    assert secret not in caplog.text and secret not in " ".join(Fact.objects.values_list("line", flat=True))
    page = Client()
    page.force_login(people["engineer"])
    listed = page.get("/tokens/").content.decode()
    assert token.prefix in listed and secret not in listed


def test_what_ends_a_token_ends_it_at_once(people: dict[str, Any]) -> None:
    engineer, administrator = people["engineer"], people["administrator"]
    token, text = tokens.make_token(engineer, owner=engineer, name="cli", scopes=[], days=1)
    caller = Caller(token=text)
    assert caller.get("/me").status_code == 200

    ApiToken.objects.update(made_at=datetime.now(UTC) - timedelta(days=2), expires_at=datetime.now(UTC))
    assert caller.get("/me").status_code == 401
    ApiToken.objects.update(expires_at=datetime.now(UTC) + timedelta(days=1))
    assert caller.get("/me").status_code == 200
    get_user_model().objects.filter(pk=engineer.pk).update(is_active=False)
    assert caller.get("/me").status_code == 401
    get_user_model().objects.filter(pk=engineer.pk).update(is_active=True)
    add_person(None, username="ada", name="", email="", password=None, roles=[])
    assert caller.get("/me").status_code == 403
    add_person(None, username="ada", name="", email="", password=None, roles=["auditor"])
    assert caller.get("/me").json()["roles"] == ["auditor"]

    with pytest.raises(ApiToken.DoesNotExist):
        tokens.revoke_token(people["platform"], token.pk)
    tokens.revoke_token(administrator, token.pk)
    tokens.revoke_token(administrator, token.pk)
    assert caller.get("/me").status_code == 401
    assert list(Fact.objects.filter(action__startswith="token.").values_list("action", "actor")) == [
        ("token.made", engineer.pk), ("token.revoked", administrator.pk),
    ]  # fmt: skip


def test_who_may_make_which_token(people: dict[str, Any], service: Any) -> None:
    make, engineer, administrator = tokens.make_token, people["engineer"], people["administrator"]
    for actor, owner in ((engineer, people["platform"]), (engineer, service), (administrator, engineer)):
        with pytest.raises(tokens.TokenRefused, match="for yourself"):
            make(actor, owner=owner, name="x", scopes=[], days=1)
    for given in ({"days": 91}, {"days": 0}, {"scopes": ["vote"]}):
        with pytest.raises(tokens.TokenRefused):
            make(engineer, **{"owner": engineer, "name": "x", "scopes": [], "days": 1, **given})
    assert make(administrator, owner=service, name="ci", scopes=["file"], days=1)[0].owner == service
    for _ in range(tokens.MAX_LIVE):
        make(engineer, owner=engineer, name="x", scopes=[], days=1)
    with pytest.raises(tokens.TokenRefused, match="revoke one"):
        make(engineer, owner=engineer, name="x", scopes=[], days=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        ApiToken.objects.update(expires_at=datetime.now(UTC) + timedelta(days=91))


def test_a_service_account_is_an_engineer_or_on_call_without_a_password(people: dict[str, Any], service: Any) -> None:
    assert not service.has_usable_password()
    for roles in (["platform"], ["engineer", "cto"], ["administrator"], []):
        with pytest.raises(tokens.TokenRefused, match="engineer or on-call"):
            tokens.add_service_account(None, username="bot", purpose="x", roles=roles)
    with pytest.raises(tokens.TokenRefused, match="already"):
        tokens.add_service_account(None, username="ada", purpose="x", roles=["engineer"])
    assert Fact.objects.filter(action="service_account.added").count() == 1


def test_the_pages_make_show_once_and_revoke(people: dict[str, Any], service: Any) -> None:
    client = Client()
    client.force_login(people["engineer"])
    form = {"name": "My laptop", "scopes": ["file"], "days": "30"}
    asked = client.post("/tokens/new/", form)
    assert asked.status_code == 302 and asked["Location"].startswith("/accounts/reauthenticate/")
    assert not ApiToken.objects.exists()

    client = Client()
    client.post("/accounts/login/", {"login": "ada", "password": "demo-engineer"})
    client.post("/accounts/reauthenticate/", {"password": "demo-engineer"})
    assert client.post("/tokens/new/", {**form, "days": "91"}).status_code == 200
    made = client.post("/tokens/new/", form)
    token = ApiToken.objects.get(name="My laptop", owner=people["engineer"], made_by=people["engineer"])
    assert made.status_code == 200 and "cannot be shown again" in made.content.decode()
    text = next(part for part in made.content.decode().split('"') if tokens.SHAPE.fullmatch(part))
    assert tokens.token_of(text) == token
    assert text not in client.get("/tokens/").content.decode()

    other = client_of(people["platform"])
    assert other.post(f"/tokens/{token.pk}/revoke/").status_code == 404
    assert "My laptop" not in other.get("/tokens/").content.decode()
    assert client.get(f"/tokens/{token.pk}/revoke/").status_code == 405
    assert client.post(f"/tokens/{token.pk}/revoke/").status_code == 302
    assert tokens.token_of(text) is None


def test_each_token_has_a_rate_of_its_own(
    people: dict[str, Any], token_for: Callable[..., Caller], settings: Any
) -> None:
    settings.API_REQUESTS_PER_MINUTE = 5
    first, second = token_for(people["engineer"]), token_for(people["engineer"])
    # A minute may begin in between, so more than one minute's worth is sent.
    answers = [first.get("/me") for _ in range(12)]
    refused = [each for each in answers if each.status_code == 429]
    assert refused and answers[0].status_code == 200
    assert 1 <= int(refused[0]["Retry-After"]) <= 60 and "wait" in refused[0].json()["detail"]
    assert second.get("/me").status_code == 200


def test_what_cannot_be_read_is_refused_in_one_sentence(
    people: dict[str, Any], gapped: Request, token_for: Callable[..., Caller]
) -> None:
    caller = token_for(people["engineer"], "file")
    path = f"{BASE}/requests/{gapped.pk}/withdraw"
    for content, code in (
        (b"{", 400), (b"[" * 100_000, 400), (b"\xff\xfe", 400), (b"[]", 422), (b'"x"', 422),
        (b'{"reason": "' + b"x" * 5_000_000 + b'"}', 413),
    ):  # fmt: skip
        response = caller.client.generic("POST", path, content, content_type="application/json", headers=caller.headers)
        assert response.status_code == code, content[:20]
        assert response["Content-Type"] == "application/problem+json" and len(response.json()["sentences"]) >= 1
    gapped.refresh_from_db()
    assert gapped.state == "draft"
    for missing in ("/requests/999999", f"/requests/{10**30}", "/targets/no-such", "/records/1", "/requests/x"):
        assert caller.get(missing).status_code == 404, missing


def test_what_breaks_is_logged_and_says_nothing_of_the_inside(
    people: dict[str, Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("password=canary")

    monkeypatch.setattr("rollbacks.api.targets.queries.targets_with_inventory", broken)
    response = Caller(people["engineer"]).get("/targets")
    assert response.status_code == 500 and "canary" not in response.content.decode()
    assert "An API request failed: GET /api/v1/targets" in caplog.text


def test_the_page_of_operations_lists_all_under_the_strict_policy(people: dict[str, Any]) -> None:
    from rollbacks.api.portal import schema

    client = Client()
    assert client.get("/api/v1/docs").status_code == 302
    client.force_login(people["auditor"])
    response = client.get("/api/v1/docs")
    page = response.content.decode()
    assert response.status_code == 200 and "unsafe-inline" not in response["Content-Security-Policy"]
    for path in schema()["paths"]:
        assert path.replace("_", "_<wbr>") in page or path in page.replace("<wbr>", ""), path
    for outside in ("http://", "https://", "<style", "style=", "onclick"):
        assert outside not in page, outside
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1") and document["paths"].keys() == schema()["paths"].keys()
    assert set(document["components"]["securitySchemes"]) == {"TokenRead", "TokenFile", "TokenRun", "Session"}


def test_the_command_prints_a_token_that_works_and_never_again(people: dict[str, Any], capsys: Any) -> None:
    call_command("add_service_account", "pipe", purpose="CI of shop", role=["engineer"], scope=["file"], days=7)
    caller = Caller(token=capsys.readouterr().out.strip())
    assert caller.get("/me").json() | {"person": None, "token": None} == {
        "person": None, "roles": ["engineer"], "scopes": ["read", "file"], "token": None, "may_vote": False,
    }  # fmt: skip
    with pytest.raises(CommandError, match="already"):
        call_command("add_service_account", "pipe", purpose="CI of shop", role=["engineer"])
    with pytest.raises(CommandError, match="1 to 90 days"):
        call_command("add_service_account", "late", purpose="CI of shop", role=["engineer"], days=100)


def test_a_delegate_is_told_that_they_may_vote(people: dict[str, Any]) -> None:
    caller = Caller(people["auditor"])
    assert caller.get("/me").json()["may_vote"] is False
    now = database_time()
    delegations.delegate(
        people["cto"], holder_id=people["cto"].pk, delegate_id=people["auditor"].pk, role="cto", reason="Away.",
        starts_at=now, ends_at=now + timedelta(days=1),
    )  # fmt: skip
    assert Caller(people["auditor"]).get("/me").json()["may_vote"] is True


def test_a_session_without_the_second_factor_that_its_roles_need_gets_a_problem(people: dict[str, Any]) -> None:
    client = Client()
    client.force_login(people["platform"])
    refused = client.get(f"{BASE}/me")
    assert refused.status_code == 403 and refused["Content-Type"] == "application/problem+json"
    assert refused.json()["enrol_at"] == "/accounts/security/"
    assert client_of(people["platform"]).get(f"{BASE}/me").status_code == 200
