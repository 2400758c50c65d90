"""A48: every address of the portal for every kind of person; an address without a row fails, and a row without one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from approvals import grants, reviews
from approvals.tokens import make_token
from notices.models import Delivery, Notice
from records import trail
from records.models import Fact
from recoveries.services import opening
from rollbacks.history import history_of
from rollbacks.models import Execution
from rollbacks.sealing import seal_record
from rollbacks.services import backups, follow_ups, requests, submission
from rollbacks.services.patches import keep_patch
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.rollback import draft, register
from tests.targets.backups import ROW

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = ("anonymous", "no role", "engineer", "platform", "security", "cto", "auditor", "administrator")
# What a page for everybody with a role answers, what only some get, and what an address of another verb does.
NO_METHOD = (302, 405, 405, 405, 405, 405, 405, 405)
ROLES = (302, 403, 200, 200, 200, 200, 200, 200)
LED_AWAY = (302, 302, 302, 302, 302, 302, 302, 302)
ROWS = (302, 302, 302, 302, 302, 302, 302, 200)
FILERS = (302, 403, 200, 200, 403, 403, 403, 403)
STOPPERS = (302, 403, 200, 200, 200, 200, 403, 403)
ADMINISTRATORS = (302, 403, 403, 403, 403, 403, 403, 200)
NOBODY_POSTS = (405, 405, 405, 405, 405, 405, 405, 405)
ANYBODY = (200, 200, 200, 200, 200, 200, 200, 200)
ABSENT = (404, 404, 404, 404, 404, 404, 404, 404)
# Address: the codes of a GET and of an empty POST, each in the order of PEOPLE. The request is the engineer's and in
# review; nobody has confirmed anew who they are, so what asks for that leads away (302), and so does what succeeded.
TABLE: dict[str, tuple[tuple[int, ...], tuple[int, ...]]] = {
    "": (ROLES, NO_METHOD),
    "targets/": (ROLES, NO_METHOD),
    "targets/<slug:name>/": (ROLES, NO_METHOD),
    "targets/<slug:name>/read/": (NO_METHOD, (302, 403, 302, 302, 302, 302, 302, 302)),
    "targets/<slug:name>/request/": (FILERS, (302, 403, 302, 302, 403, 403, 403, 403)),
    "requests/": (ROLES, NO_METHOD),
    "requests/<int:pk>/": (ROLES, NO_METHOD),
    "requests/<int:pk>/edit/": (FILERS, FILERS),
    "requests/<int:pk>/checklist/<slug:item>/": (FILERS, FILERS),
    "requests/<int:pk>/prove/": (NO_METHOD, (302, 403, 302, 302, 403, 403, 403, 403)),
    "requests/<int:pk>/proof/": (ROLES, NO_METHOD),
    "requests/<int:pk>/submit/": (NO_METHOD, (302, 403, 409, 403, 403, 403, 403, 403)),
    "requests/<int:pk>/withdraw/": (NO_METHOD, (302, 403, 302, 302, 403, 403, 403, 403)),
    "requests/<int:pk>/revisions/<int:number>/": (ROLES, NO_METHOD),
    "requests/<int:pk>/files/<int:attachment_pk>/": (ROLES, NO_METHOD),
    "requests/<int:pk>/sign/": (ROLES, (302, 403, 409, 409, 409, 409, 409, 409)),
    "requests/<int:pk>/sign/begin/": (NO_METHOD, (302, 403, 409, 409, 409, 409, 409, 409)),
    "requests/<int:pk>/start/": (FILERS, FILERS),
    "requests/<int:pk>/run/": (ROLES, NO_METHOD),
    "requests/<int:pk>/runs/<int:number>/patch/": (ROLES, NO_METHOD),
    "requests/<int:pk>/check-flags/": (NO_METHOD, (302, 403, 409, 409, 403, 403, 403, 403)),
    "requests/<int:pk>/resume/": (NO_METHOD, (302, 403, 409, 409, 403, 403, 403, 403)),
    "requests/<int:pk>/cancel/": (STOPPERS, STOPPERS),
    "requests/<int:pk>/take-back/": (NO_METHOD, (302, 403, 409, 409, 409, 409, 409, 409)),
    "requests/<int:pk>/comment/": (NO_METHOD, (302, 403, 409, 409, 409, 409, 409, 409)),
    "policy/": (ROLES, NO_METHOD),
    "emergencies/": (ROLES, NO_METHOD),
    "emergencies/<int:pk>/": (ROLES, ROLES),
    "emergencies/<int:pk>/own/": (NO_METHOD, (302, 403, 409, 409, 302, 302, 409, 409)),
    "follow-ups/": (ROLES, NO_METHOD),
    "follow-ups/<int:pk>/": (ROLES, ROLES),
    "follow-ups/<int:pk>/sign/": (ROLES, ROLES),
    "follow-ups/<int:pk>/sign/begin/": (NO_METHOD, (302, 403, 409, 409, 409, 409, 409, 409)),
    "follow-ups/<int:pk>/acceptance.json": (ROLES, NO_METHOD),
    "backups/": (ROLES, NO_METHOD),
    "backups/<int:pk>/": (ROLES, NO_METHOD),
    "backups/<int:pk>/hold/": (NO_METHOD, (302, 403, 403, 403, 200, 403, 200, 403)),
    "backups/<int:pk>/holds/<int:number>/lift/": (NO_METHOD, (302, 403, 403, 403, 200, 403, 200, 403)),
    "recoveries/": (ROLES, NO_METHOD),
    "recoveries/new/": (FILERS, FILERS),
    "recoveries/<int:pk>/": (ROLES, NO_METHOD),
    "recoveries/<int:pk>/choose/": (FILERS, FILERS),
    "recoveries/<int:pk>/ask/": (NO_METHOD, (302, 403, 302, 302, 403, 403, 403, 403)),
    "recoveries/<int:pk>/submit/": (NO_METHOD, (302, 403, 409, 403, 403, 403, 403, 403)),
    "recoveries/<int:pk>/withdraw/": (NO_METHOD, (302, 403, 302, 302, 403, 403, 403, 403)),
    "recoveries/<int:pk>/sign/": (ROLES, ROLES),
    "recoveries/<int:pk>/sign/begin/": (NO_METHOD, (302, 403, 409, 409, 409, 409, 409, 409)),
    "recoveries/<int:pk>/start/": (NO_METHOD, (302, 403, 409, 409, 403, 403, 403, 403)),
    "recoveries/<int:pk>/resume/": (NO_METHOD, (302, 403, 409, 409, 403, 403, 403, 403)),
    "recoveries/<int:pk>/answer/<slug:item>/": (NO_METHOD, (302, 403, 409, 409, 409, 409, 409, 409)),
    "recoveries/<int:pk>/downtime/": (NO_METHOD, (302, 403, 409, 409, 409, 409, 409, 409)),
    "recoveries/<int:pk>/close/": (NO_METHOD, (302, 403, 409, 409, 409, 409, 409, 409)),
    "people/": (ADMINISTRATORS, NO_METHOD),
    "people/<int:pk>/": (ADMINISTRATORS, NO_METHOD),
    "people/<int:pk>/propose/": (NO_METHOD, ADMINISTRATORS),
    "people/<int:pk>/account/": (NO_METHOD, ADMINISTRATORS),
    "people/<int:pk>/delegate/": (NO_METHOD, ADMINISTRATORS),
    "grants/<int:pk>/confirm/": (NO_METHOD, (302, 403, 403, 403, 403, 403, 403, 409)),
    "grants/<int:pk>/refuse/": (NO_METHOD, (302, 403, 403, 403, 403, 403, 403, 302)),
    "grants/<int:pk>/end/": (NO_METHOD, (302, 403, 403, 403, 403, 403, 403, 409)),
    "delegations/": (ROLES, ROLES),
    "delegations/<int:pk>/confirm/": (NO_METHOD, (302, 403, 403, 403, 403, 403, 403, 409)),
    "delegations/<int:pk>/end/": (NO_METHOD, (302, 403, 404, 404, 404, 404, 404, 404)),
    "records/": (ROLES, NO_METHOD),
    "records/<int:pk>/": (ROLES, NO_METHOD),
    "records/<int:pk>/record.json": (ROLES, NO_METHOD),
    "records/<int:pk>/record.md": (ROLES, NO_METHOD),
    "trail/": (ROLES, NO_METHOD),
    "tokens/": (ROLES, NO_METHOD),
    "tokens/new/": ((302, 403, 302, 302, 302, 302, 302, 302), (302, 403, 302, 302, 302, 302, 302, 302)),
    "tokens/<int:pk>/revoke/": (NO_METHOD, (302, 403, 302, 404, 404, 404, 404, 302)),
    "api/v1/docs": (ROLES, NO_METHOD),
    "livez": (ANYBODY, NOBODY_POSTS),
    "readyz": (ANYBODY, NOBODY_POSTS),
    "admin/": (ROWS, ROWS),
    "admin/login/": ((302, 403, 403, 403, 403, 403, 403, 302), (302, 403, 403, 403, 403, 403, 403, 302)),
    "admin/logout/": (LED_AWAY, LED_AWAY),
    "admin/password_change/": (LED_AWAY, LED_AWAY),
    "admin/password_change/done/": (ROWS, (302, 302, 302, 302, 302, 302, 302, 405)),
    "admin/autocomplete/": ((302, 302, 302, 302, 302, 302, 302, 403), (302, 302, 302, 302, 302, 302, 302, 405)),
    "admin/jsi18n/": (ROWS, (302, 302, 302, 302, 302, 302, 302, 405)),
    "admin/r/<path:content_type_id>/<path:object_id>/": ((302, 302, 302, 302, 302, 302, 302, 404), (302, 302, 302, 302, 302, 302, 302, 404)),
    "admin/TABLE/": (ROWS, ROWS),
    "admin/TABLE/add/": ((302, 302, 302, 302, 302, 302, 302, 403), (302, 302, 302, 302, 302, 302, 302, 403)),
    "admin/TABLE/<path:object_id>/history/": (ROWS, ROWS),
    "admin/TABLE/<path:object_id>/delete/": ((302, 302, 302, 302, 302, 302, 302, 403), (302, 302, 302, 302, 302, 302, 302, 403)),
    "admin/TABLE/<path:object_id>/change/": (ROWS, (302, 302, 302, 302, 302, 302, 302, 403)),
    "admin/TABLE/<path:object_id>/": (LED_AWAY, LED_AWAY),
    "admin/^(?P<app_label>records|approvals|rollbacks|recoveries|auth|account|socialaccount|mfa|usersessions)/$": (ROWS, ROWS),
    "admin/(?P<url>.*)$": ((302, 302, 302, 302, 302, 302, 302, 404), (302, 302, 302, 302, 302, 302, 302, 404)),
    "accounts/login/": ((200, 302, 302, 302, 302, 302, 302, 302), (200, 302, 302, 302, 302, 302, 302, 302)),
    "accounts/logout/": ((302, 200, 200, 200, 200, 200, 200, 200), LED_AWAY),
    "accounts/reauthenticate/": ((302, 403, 200, 302, 302, 302, 200, 302), (302, 403, 200, 302, 302, 302, 200, 302)),
    "accounts/password/change/": ((302, 302, 200, 200, 200, 200, 200, 200), (302, 302, 200, 200, 200, 200, 200, 200)),
    "accounts/inactive/": (ANYBODY, NOBODY_POSTS),
    "accounts/security/": ((302, 200, 200, 200, 200, 200, 200, 200), NO_METHOD),
    "accounts/sessions/end/": (NO_METHOD, LED_AWAY),
    "accounts/2fa/authenticate/": (LED_AWAY, LED_AWAY),
    "accounts/2fa/reauthenticate/": ((302, 403, 302, 200, 200, 200, 302, 200), (302, 403, 302, 200, 200, 200, 302, 200)),
    "accounts/2fa/app/add/": (LED_AWAY, LED_AWAY),
    "accounts/2fa/app/remove/": ((302, 302, 404, 302, 302, 302, 404, 302), (302, 302, 404, 302, 302, 302, 404, 302)),
    "accounts/2fa/codes/": ((302, 404, 404, 404, 404, 404, 404, 404), NO_METHOD),
    "accounts/2fa/codes/new/": (LED_AWAY, LED_AWAY),
    "accounts/2fa/passkeys/add/": (LED_AWAY, LED_AWAY),
    "accounts/2fa/passkeys/<int:pk>/remove/": (LED_AWAY, LED_AWAY),
    "accounts/2fa/passkeys/login/": (LED_AWAY, LED_AWAY),
    "accounts/2fa/passkeys/reauthenticate/": ((302, 403, 302, 302, 302, 302, 302, 302), (302, 403, 302, 302, 302, 302, 302, 302)),
    "accounts/sso/<slug:provider_id>/login/": (ABSENT, ABSENT),
    "accounts/sso/<slug:provider_id>/login/callback/": (ABSENT, ABSENT),
    "accounts/sso/cancelled/": (ANYBODY, NOBODY_POSTS),
    "accounts/sso/error/": ((401, 401, 401, 401, 401, 401, 401, 401), NOBODY_POSTS),
    "notices/": (ADMINISTRATORS, NO_METHOD),
    "notices/<int:pk>/again/": (NO_METHOD, (302, 403, 403, 403, 403, 403, 403, 302)),
    "notices/preferences/": (ROLES, ROLES),
    "notices/sent/": ((302, 403, 404, 404, 404, 404, 404, 404), NO_METHOD),
    "requests/<int:pk>/notify-on-call/": (NO_METHOD, (302, 403, 409, 409, 403, 403, 403, 403)),
    "demo/authenticator/": (ANYBODY, NOBODY_POSTS),
}  # fmt: skip


def routes() -> Iterator[str]:
    """Return every address of the portal but the API's operations, which tests/api/test_table.py has."""

    def walk(patterns: list[URLPattern | URLResolver], prefix: str) -> Iterator[str]:
        for pattern in patterns:
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, prefix + str(pattern.pattern))
            else:
                yield prefix + str(pattern.pattern)

    for route in walk(get_resolver().url_patterns, ""):
        if not route.startswith("api/v1/") or route == "api/v1/docs":
            yield re.sub(
                r"^admin/(?:records|approvals|rollbacks|recoveries|auth|account|socialaccount|mfa|usersessions)/\w+/",
                "admin/TABLE/",
                route,
            )


@pytest.fixture
def places(people: dict[str, Any], nzila: TargetDatabase) -> dict[str, Any]:
    """Something at every address: a request in review with evidence and a run, and one of everything else."""
    engineer, administrator = people["engineer"], people["administrator"]
    request = draft(people, register(nzila))
    file = requests.answer(
        engineer, request.pk, item="on_call", text="Told.", upload=SimpleUploadedFile("page.txt", b"Odette was told.")
    )
    plan = submission.submit(engineer, request.pk)
    execution = Execution.objects.create(
        request=request, target=request.target, number=1, plan=plan.document(), digest=plan.digest, started_by=engineer,
        is_open=False,
    )  # fmt: skip
    backups.keep(execution.pk, ROW)
    removed = [{"kind": "trigger", "name": "public.audit_events.keep", "definition": "CREATE TRIGGER keep"}]
    with trail.recording(None) as facts:
        follow_ups.open_follow_up(facts, execution, removed)
        review = reviews.owe_review(
            facts, subject=f"request:{request.pk}", digest=plan.digest, used_by=engineer, reason="Orders fail.",
            taken_part={engineer.pk},
        )  # fmt: skip
    follow_up = follow_ups.FollowUp.objects.get()
    follow_ups.propose_acceptance(engineer, follow_up.pk, justification="Kept elsewhere.")
    recovery = opening.open_recovery(
        engineer, target=request.target, provider="manual", incident="INC-1", purpose="Amounts are wrong."
    )
    opening.keep_restorable(recovery.pk, {"earliest": None, "latest": None, "note": "", "backups": []})
    before = datetime.now(UTC) - timedelta(hours=1)
    opening.choose(engineer, recovery.pk, opening.Choice(point=before, server="books-before"))
    opening.submit(engineer, recovery.pk)
    grant = grants.propose(administrator, people["auditor"].pk, role="cto", reason="Carine is away.")
    token, _text = make_token(engineer, owner=engineer, name="Laptop", scopes=["read"], days=1)
    record = seal_record(execution, history_of(execution))
    keep_patch(execution, b"From 0\n")
    notice = Notice.objects.create(
        key="fact:0", kind="vote", subject=f"request:{request.pk}", title="T", content={}, path="/"
    )
    delivery = Delivery.objects.create(notice=notice, channel="email", recipient="ada", next_at=notice.made_at)
    return {
        "name": request.target.name, "requests": request.pk, "attachment_pk": file.attachment_id, "number": 1,
        "item": "feature_flags", "emergencies": review.pk, "follow-ups": follow_up.pk, "backups": execution.backup.pk, "people": people["auditor"].pk,
        "recoveries": recovery.pk, "grants": grant.pk, "delegations": 1, "records": record["id"], "tokens": token.pk, "notices": delivery.pk,
        "object_id": Fact.objects.latest("seq").pk, "content_type_id": 1, "url": "x", "app_label": "records",
        "provider_id": "oidc", "accounts": 1,
    }  # fmt: skip


def address(route: str, places: dict[str, Any]) -> str:
    kind = route.split("/")[0]
    route = (
        route.replace("admin/TABLE/", "admin/records/fact/")
        .replace("(?P<app_label>", "<str:app_label>")
        .replace("(?P<url>.*)$", "<path:url>")
    )
    route = re.sub(r"<str:app_label>[^/]*/\$", "<str:app_label>/", route)
    return "/" + re.sub(
        r"<\w+:(\w+)>", lambda found: str(places[kind if found[1] == "pk" else found[1]]), route
    ).replace("^", "")


def answers(client: Client, where: str) -> tuple[int, int]:
    """Return the codes of a GET and of an empty POST; nothing that they do is kept, and a GET does nothing."""
    codes = []
    for verb in ("get", "post"):
        browser = Client(headers={"host": "localhost"})
        browser.cookies.load({name: cookie.value for name, cookie in client.cookies.items()})
        with transaction.atomic():
            before = Fact.objects.count()
            codes.append(getattr(browser, verb)(where).status_code)
            assert verb == "post" or Fact.objects.count() == before, where
            transaction.set_rollback(True)
    return codes[0], codes[1]


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert set(routes()) == set(TABLE)


@pytest.mark.parametrize("half", [0, 1])
def test_everybody_gets_what_the_table_says(people: dict[str, Any], places: dict[str, Any], half: int) -> None:
    stranger = get_user_model().objects.create_user("stranger")
    clients = [Client(), client_of(stranger), *(client_of(people[role]) for role in PEOPLE[2:])]
    wrong = {}
    for route, expected in list(TABLE.items())[half::2]:
        found = [answers(client, address(route, places)) for client in clients]
        for verb, codes, wanted in zip(("GET", "POST"), zip(*found, strict=True), expected, strict=True):
            if codes != wanted:
                wrong[f"{verb} {route}"] = {
                    who: (code, want) for who, code, want in zip(PEOPLE, codes, wanted, strict=True) if code != want
                }
    assert wrong == {}, "(what came, what the table says)"
