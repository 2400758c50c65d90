"""The sign page over HTTP: what it shows, what it takes as a vote, and what it refuses."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from approvals import delegations
from approvals.models import Challenge, SignOff
from approvals.services import database_time
from records.models import Fact
from rollbacks.models import Request
from rollbacks.plan import Plan
from rollbacks.services import requests, submission
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.passkeys import passkey_of
from tests.rollback import draft, prove, register, sign, wording
from tests.services.test_step_up import fresh_code

pytestmark = pytest.mark.django_db(transaction=True)

ENROL = "/accounts/security/"
TAG = "0003_redundant_starfox"


@pytest.fixture
def request_(people: dict[str, Any], nzila: TargetDatabase) -> Request:
    return draft(people, register(nzila), TAG)


@pytest.fixture
def plan(people: dict[str, Any], request_: Request) -> Plan:
    return submission.submit(people["engineer"], request_.pk)


def vote_on(plan: Plan, **changes: Any) -> dict[str, Any]:
    return {
        "digest": plan.digest, "shown": plan.file.sha256, "role": "platform", "choice": "approve", "reason": "",
        **changes,
    }  # fmt: skip


def page_of(request: Request) -> str:
    return f"/requests/{request.pk}/sign/"


def test_a_code_signs_and_nothing_less_does(people: dict[str, Any], request_: Request, plan: Plan) -> None:
    person = people["platform"]
    client, page = client_of(person), page_of(request_)
    fresh_code(person)
    for less in ({}, {"password": "demo-platform"}, {"code": "000000"}, {"assertion": "{}"}, {"assertion": "[1]"}):
        response = client.post(page, vote_on(plan, **less))
        assert response.status_code in {200, 409}, less
        assert "error-summary" in response.content.decode(), less
    assert not SignOff.objects.exists()
    code = fresh_code(person)
    assert client.post(page, vote_on(plan, code=code)).status_code == 302
    again = client.post(page, vote_on(plan, code=code))
    assert again.status_code == 409 and "used already" in again.content.decode()
    assert SignOff.objects.get().method == "totp" and Fact.objects.filter(action="vote.cast").count() == 1
    refused = [json.loads(fact.line) for fact in Fact.objects.filter(action="vote.refused")]
    assert len(refused) >= 4 and all(fact["actor"]["id"] == person.pk for fact in refused)


def test_a_passkey_signs_over_http_once(people: dict[str, Any], request_: Request, plan: Plan) -> None:
    person = people["platform"]
    passkey, client, page = passkey_of(person), client_of(person), page_of(request_)
    assert client.get(f"{page}begin/").status_code == 405
    for wrong, status in (
        ({"digest": "0" * 64}, 409),
        ({"choice": ""}, 400),
        ({"role": "cto"}, 409),
        ({"shown": ""}, 409),
    ):
        assert client.post(f"{page}begin/", vote_on(plan, **wrong)).status_code == status, wrong
    assert not Challenge.objects.exists()
    asked = client.post(f"{page}begin/", vote_on(plan)).json()
    answer = json.dumps(passkey.answer(asked["publicKey"], origin="http://localhost"))
    vote = vote_on(plan, challenge=asked["challenge"], assertion=answer)
    changed = client.post(page, {**vote, "reason": "Slipped in."})
    assert changed.status_code == 409 and "changed after you confirmed" in changed.content.decode()
    assert client.post(page, vote).status_code == 302
    assert client.post(page, vote).status_code == 409
    kept = SignOff.objects.get()
    assert kept.challenge.used_at is not None
    assert kept.confirmation["statement"]["digest"] == plan.digest and kept.challenge_id == asked["challenge"]


def test_without_a_factor_the_page_says_how_to_enrol(people: dict[str, Any], request_: Request, plan: Plan) -> None:
    # Who holds a signing role is led to the enrolment before any page; a delegate only needs a factor to sign.
    delegate, page = people["auditor"], page_of(request_)
    now = database_time()
    delegations.delegate(
        people["platform"], holder_id=people["platform"].pk, delegate_id=delegate.pk, role="platform", reason="Away.",
        starts_at=now, ends_at=now + timedelta(days=1),
    )  # fmt: skip
    client = client_of(delegate)
    text = client.get(page).content.decode()
    assert "You need a second factor to sign" in text and f'href="{ENROL}"' in text and "sign-form" not in text
    refused = client.post(page, vote_on(plan, code="123456"))
    assert refused.status_code == 409 and f'href="{ENROL}"' in refused.content.decode()


def test_the_page_is_not_framed_and_other_sites_cannot_post_to_it(
    people: dict[str, Any], request_: Request, plan: Plan
) -> None:
    client = client_of(people["platform"], enforce_csrf_checks=True)
    page = client.get(page_of(request_))
    assert page["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in page["Content-Security-Policy"]
    for place in (page_of(request_), f"{page_of(request_)}begin/"):
        assert client.post(place, vote_on(plan)).status_code == 403
        assert client.post(place, json.dumps(vote_on(plan)), content_type="text/plain").status_code == 403
        assert client.post(place, vote_on(plan), headers={"origin": "https://evil.example"}).status_code == 403
    assert not SignOff.objects.exists() and not Challenge.objects.exists()


def test_a_stale_page_is_told_what_changed(people: dict[str, Any], request_: Request, plan: Plan) -> None:
    person, engineer = people["platform"], people["engineer"]
    client, page = client_of(person), page_of(request_)
    code = fresh_code(person)
    sql = request_.revisions.get().reverse_sql
    changed = wording(
        request_.target, TAG, reason="A better reason.",
        reverse_sql={tag: f"-- one line more\n{text}" for tag, text in sql.items()},
    )  # fmt: skip
    requests.edit_request(engineer, request_.pk, wording=changed, seen_revision=1)
    while_draft = client.post(page, vote_on(plan, code=code))
    prove(request_)
    new = submission.submit(engineer, request_.pk)
    after = client.post(page, vote_on(plan, code=code))
    for response in (while_draft, after):
        text = response.content.decode()
        assert response.status_code == 409 and 'class="line diff-added">+-- one line more' in text
        assert "A better reason." in text and "The release cannot stay." in text and plan.digest in text
    assert new.digest in after.content.decode() and new.digest not in while_draft.content.decode()

    requests.answer(engineer, request_.pk, item="on_call", text="Somebody else was told.")
    last = submission.submit(engineer, request_.pk)
    text = client.post(page, vote_on(new, code=code)).content.decode().replace("<wbr>", "")
    assert "byte for byte" in text and "checklist.on_call" in text and last.digest in text
    assert client.post(page, vote_on(plan, digest="0" * 64)).status_code == 409
    assert not SignOff.objects.exists()
    # The code was not used up by pages that were stale.
    assert client.post(page, vote_on(last, code=fresh_code(person))).status_code == 302


def test_long_sql_is_signed_only_from_the_page_that_shows_all_of_it(
    people: dict[str, Any], nzila: TargetDatabase
) -> None:
    target = register(nzila)
    filler = "".join(f"-- line {number}\n" for number in range(1, 4_101))
    request = draft(people, target, TAG)
    sql = request.revisions.get().reverse_sql
    long = wording(target, TAG, reverse_sql={tag: f"{filler}-- аudit\n{text}" for tag, text in sql.items()})
    requests.edit_request(people["engineer"], request.pk, wording=long, seen_revision=1)
    prove(request)
    plan = submission.submit(people["engineer"], request.pk)
    person = people["platform"]
    code, client, page = fresh_code(person), client_of(person), page_of(request)

    part, whole = (client.get(page + query).content.decode() for query in ("", "?all=1"))
    assert "-- line 4001" not in part.split('id="document"')[0] and "This is not all of it" in part
    assert "-- line 4001" in whole.split('id="document"')[0] and "а⟨U+0430⟩" in whole
    assert plan.digest in whole and f'name="shown" value="{plan.file.sha256}"' in whole
    shown = part.split('name="shown" value="')[1][:64]
    refused = client.post(page, vote_on(plan, code=code, shown=shown))
    assert refused.status_code == 409 and "not opened all of the SQL" in refused.content.decode()
    assert "-- line 4001" in refused.content.decode() and not SignOff.objects.exists()
    assert client.post(page, vote_on(plan, code=fresh_code(person))).status_code == 302


def test_somebody_who_voted_finds_no_form(people: dict[str, Any], request_: Request, plan: Plan) -> None:
    sign(people["platform"], request_, "platform", plan.digest)
    text = client_of(people["platform"]).get(page_of(request_)).content.decode()
    assert "No signature of yours is missing" in text and "sign-form" not in text
