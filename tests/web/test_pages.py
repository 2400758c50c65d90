"""Every page for every kind of person: who gets in, what is refused, and how many queries a page takes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from rollbacks.models import FollowUp, ProofRun, Request
from rollbacks.services import requests, submission
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.passkeys import passkey_of
from tests.rollback import DEFAULT_RETURN, approve, draft, drive, prove, register, sign, wording

pytestmark = pytest.mark.django_db(transaction=True)

MAX_QUERIES = 12


ARGUMENTS: dict[str, dict[str, Any]] = {
    "target": {"name": "nzila"}, "target-read": {"name": "nzila"}, "request-new": {"name": "nzila"},
    "request-answer": {"item": "on_call"}, "request-compare": {"number": 1}, "request-file": {"attachment_pk": 1},
    "token-revoke": {"pk": 1},
    "notice-again": {"pk": 1},
    "mfa_remove_webauthn": {"pk": 1},
}  # fmt: skip


WITH_PK = ("request-", "record-", "person-", "grant-", "delegation-", "follow-up-")


def address(name: str, pk: int, target: str) -> str:
    from django.urls import reverse

    arguments = dict(ARGUMENTS.get(name, {}))
    if "name" in arguments:
        arguments["name"] = target
    elif name.startswith(WITH_PK) or name in {
        "request",
        "run",
        "record",
        "person",
        "emergency",
        "emergency-own",
        "follow-up",
    }:
        arguments["pk"] = pk
    return reverse(name, kwargs=arguments)


@pytest.mark.parametrize("role", ["auditor", "security", "cto", "administrator"])
def test_people_who_may_not_file_may_not_change_anything(
    people: dict[str, Any], nzila: TargetDatabase, role: str
) -> None:
    request = draft(people, register(nzila))
    client = client_of(people[role])
    changing = {
        "request-new": {"return_to": "0003_redundant_starfox"}, "request-edit": {"revision": 1, "reason": "mine"},
        "request-answer": {"text": "mine"}, "request-submit": {}, "request-withdraw": {}, "request-resume": {},
    }  # fmt: skip
    for name, content in changing.items():
        response = client.post(address(name, request.pk, nzila.name), content)
        assert response.status_code in {403, 409}, name
    assert Request.objects.get().state == "draft"
    assert Request.objects.get().revisions.count() == 1


def test_no_page_takes_more_queries_than_twelve(people: dict[str, Any], nzila: TargetDatabase) -> None:
    target = register(nzila)
    for _ in range(3):
        in_review = draft(people, target)
        plan = submission.submit(people["engineer"], in_review.pk)
        sign(people["platform"], in_review, "platform", plan.digest)
    execution = started_on(people, target)
    drive(execution, nzila.environ)
    passkey_of(people["security"])
    counts = {}
    for name, pk in [
        ("home", 0), ("requests", 0), ("targets", 0), ("target", 0), ("request", in_review.pk),
        ("request", execution.request_id), ("request-edit", in_review.pk), ("request-sign", in_review.pk),
        ("run", execution.request_id), ("records", 0), ("record", record_pk()), ("trail", 0), ("request-new", 0),
        ("policy", 0), ("emergencies", 0), ("follow-ups", 0), ("follow-up", FollowUp.objects.get().pk),
        ("tokens", 0), ("api-docs", 0),
    ]:  # fmt: skip
        client = client_of(people["security" if name == "request-sign" else "engineer"])
        with CaptureQueriesContext(
            connection,
        ) as captured:
            response = client.get(address(name, pk, nzila.name))
        assert response.status_code == 200, name
        counts[f"{name} {pk}"] = len(captured)
    assert {name: count for name, count in counts.items() if count > MAX_QUERIES} == {}


def record_pk() -> int:
    from records.models import ChangeRecord

    return int(ChangeRecord.objects.get().pk)


def started_on(people: dict[str, Any], target: Any) -> Any:
    from rollbacks.services import running

    request = draft(people, target)
    approve(people, request)
    return running.start(people["engineer"], request.pk)


def test_a_draft_with_gaps_is_refused_with_the_whole_list(people: dict[str, Any], nzila: TargetDatabase) -> None:
    target = register(nzila)
    client = client_of(people["engineer"])
    opened = client.post(address("request-new", 0, nzila.name), {"return_to": "0002_rich_marten_broadcloak"})
    assert opened.status_code == 302
    request = Request.objects.get(target=target)

    refused = client.post(address("request-submit", request.pk, nzila.name))

    assert refused.status_code == 409
    page = refused.content.decode()
    for part in (
        "0003_redundant_starfox has no reverse SQL", "has no reason", "Notify on-call", "Confirm the return point",
        "feature flags", "security incident logged", "justification",
    ):  # fmt: skip
        assert part in page, part
    assert Request.objects.get().state == "draft"


def test_the_page_follows_the_proof_and_offers_what_comes_next(people: dict[str, Any], nzila: TargetDatabase) -> None:
    target = register(nzila)
    request = requests.open_request(
        people["engineer"], target=target, return_to=DEFAULT_RETURN, wording=wording(target, DEFAULT_RETURN)
    )
    client = client_of(people["engineer"])
    page, panel = f"/requests/{request.pk}/", f"/requests/{request.pk}/proof/"
    waiting = client.get(page).content.decode()
    assert f'hx-get="{panel}"' in waiting and 'data-state="proving"' in waiting
    assert "/submit/" not in waiting and "/prove/" not in waiting
    assert "HX-Refresh" not in client.get(panel).headers

    ProofRun.objects.update(state="failed", sentence="The scratch server cannot be reached.")
    stopped = client.get(page).content.decode()
    assert "The scratch server cannot be reached." in stopped and "/prove/" in stopped
    assert client.get(panel).headers["HX-Refresh"] == "true"
    assert client_of(people["auditor"]).post(f"/requests/{request.pk}/prove/").status_code == 403
    assert client.post(f"/requests/{request.pk}/prove/").status_code == 302
    assert ProofRun.objects.count() == 2

    prove(request)
    proven = client.get(page).content.decode()
    assert 'data-state="proven"' in proven and "/submit/" in proven and "kept in the archive" not in proven
    assert "At stake on the target" in proven and "AccessExclusiveLock" in proven


def test_the_second_opinion_is_folded_below_the_proof_and_read_from_it(
    people: dict[str, Any], nzila: TargetDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = draft(people, register(nzila))
    started, program = tmp_path / "started", tmp_path / "squawk"
    program.write_text(f"#!/bin/sh\ntouch {started}\n")
    program.chmod(0o755)
    monkeypatch.setenv("SQUAWK", str(program))
    client = client_of(people["engineer"])
    page = client.get(f"/requests/{request.pk}/").content.decode()
    fold = page.split('<details class="fold" id="second-opinion">')[1].split("</details>")[0]
    assert "Second opinion (squawk)" in fold and "Dropping a function may break existing clients." in fold
    (drop,) = [row for row in fold.split("<li>") if "ban-drop-function" in row]
    line = int(re.search(r'href="#0004_audit_events_immutable-L(\d+)"', drop)[1])
    assert "DROP FUNCTION" in wording(request.target, DEFAULT_RETURN).reverse_sql[
        "0004_audit_events_immutable"
    ].split("\n")[line - 1]  # fmt: skip
    assert not started.exists()

    run = ProofRun.objects.get()
    without = {"second_opinion": [], "no_second_opinion": "no second opinion: squawk ended with <SIGKILL>."}
    ProofRun.objects.update(proof={**run.proof, **without})
    page = client.get(f"/requests/{request.pk}/").content.decode()
    assert "no second opinion: squawk ended with &lt;SIGKILL&gt;." in page

    old = {name: value for name, value in run.proof.items() if name not in without}
    ProofRun.objects.update(proof=old)
    assert "second-opinion" not in client.get(f"/requests/{request.pk}/").content.decode()


def test_a_disproven_request_says_by_what_and_asks_for_an_edit(people: dict[str, Any], nzila: TargetDatabase) -> None:
    wrong = {"0004_audit_events_immutable": "DROP TRIGGER audit_events_no_update ON audit_events;"}
    request = draft(people, register(nzila), "0003_redundant_starfox", reverse_sql=wrong)
    page = client_of(people["engineer"]).get(f"/requests/{request.pk}/").content.decode()
    assert 'data-state="disproven"' in page and "audit_events_no_delete" in page
    assert "Edit the reverse SQL" in page and "/submit/" not in page


def test_what_was_typed_is_kept_when_somebody_else_saved_meanwhile(
    people: dict[str, Any], nzila: TargetDatabase
) -> None:
    request = draft(people, register(nzila))
    client = client_of(people["engineer"])
    form = {"reason": "first", "sql-0004_audit_events_immutable": "SELECT 1", "sql-0003_redundant_starfox": "SELECT 2"}
    assert client.post(address("request-edit", request.pk, ""), {**form, "revision": 1}).status_code == 302

    late = client.post(address("request-edit", request.pk, ""), {**form, "revision": 1, "reason": "second thoughts"})

    assert late.status_code == 409
    assert "second thoughts" in late.content.decode()
    assert "ada saved revision 2" in late.content.decode()
    assert request.revisions.count() == 2


def test_pages_carry_a_strict_policy_and_are_not_cached(people: dict[str, Any], nzila: TargetDatabase) -> None:
    response = client_of(people["engineer"]).get("/")
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-inline" not in policy and "unsafe-eval" not in policy
    assert response["Cache-Control"] == "no-store"
    assert response["X-Frame-Options"] == "DENY"


def test_a_page_of_the_target_shows_violations_and_blocks_the_submission(
    people: dict[str, Any], nzila: TargetDatabase
) -> None:
    from tests.rollback import read

    target = register(nzila)
    request = draft(people, target)
    with nzila.connect() as line:
        line.execute("INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES ('feed', 1795429220639)")
    read(nzila, target)
    client = client_of(people["engineer"])

    assert "belongs to no journal entry" in client.get(address("target", 0, nzila.name)).content.decode()
    refused = client.post(address("request-submit", request.pk, nzila.name))
    assert refused.status_code == 409 and "belongs to no journal entry" in refused.content.decode()


def test_starting_needs_the_databases_name(people: dict[str, Any], nzila: TargetDatabase) -> None:
    request = draft(people, register(nzila))
    approve(people, request)
    client = client_of(people["engineer"])
    assert client.post(address("request-start", request.pk, ""), {"database": "other"}).status_code == 200
    assert Request.objects.get().state == "in_review"
    assert client.post(address("request-start", request.pk, ""), {"database": nzila.name}).status_code == 302
    assert Request.objects.get().state == "executing"


def test_an_evidence_file_is_only_ever_a_download(people: dict[str, Any], nzila: TargetDatabase) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    request = draft(people, register(nzila))
    client = client_of(people["engineer"])
    upload = SimpleUploadedFile("page<script>.html", b"<script>alert(1)</script>", content_type="text/html")
    assert client.post(address("request-answer", request.pk, ""), {"upload": upload}).status_code == 302
    answer = request.answers.order_by("-id")[0]
    response = client.get(f"/requests/{request.pk}/files/{answer.attachment_id}/")
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"] == 'attachment; filename="pagescript.html"'
    assert client.get(f"/requests/{request.pk + 1}/files/{answer.attachment_id}/").status_code == 404


def test_an_edit_in_review_makes_the_votes_count_for_nothing_visibly(
    people: dict[str, Any], nzila: TargetDatabase
) -> None:
    request = draft(people, register(nzila))
    plan = submission.submit(people["engineer"], request.pk)
    sign(people["platform"], request, "platform", plan.digest)
    client = client_of(people["engineer"])
    form = {"reason": "Another reason.", "revision": 1, "security_incident": "SEC-1", "justification": "J"}
    sql = {f"sql-{tag}": text for tag, text in request.revisions.get().reverse_sql.items()}
    assert client.post(address("request-edit", request.pk, ""), {**form, **sql}).status_code == 302

    page = client.get(address("request", request.pk, "")).content.decode()
    assert "Votes that no longer count" in page and "Paul Ilunga" in page
    assert Request.objects.get().state == "draft"


def test_a_refusal_leads_back_to_a_page_that_answers(people: dict[str, Any], nzila: TargetDatabase) -> None:
    request = draft(people, register(nzila), security_incident="", justification="")
    client = client_of(people["engineer"])
    for came, back in (
        (f"http://localhost/requests/{request.pk}/?tab=1", f"/requests/{request.pk}/?tab=1"),
        ("https://elsewhere.example/requests/", f"/requests/{request.pk}/"),
        ("http://localhost//elsewhere.example/", f"/requests/{request.pk}/"),
        ("", f"/requests/{request.pk}/"),
    ):
        refused = client.post(f"/requests/{request.pk}/submit/", headers={"referer": came})
        assert refused.status_code == 409 and f'href="{back}"' in refused.content.decode(), came
        assert client.get(back).status_code == 200
