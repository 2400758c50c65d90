"""Filing over the API: the whole way to review, what is refused, what is stale, and doing things once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from records import chain
from records.models import Fact
from records.trail import detail_of
from rollbacks.api.bodies import Edit
from rollbacks.models import KeptAnswer, Request, Revision, Target
from rollbacks.services.guarded import GUARDED
from rollbacks.services.reading import current_revision
from rollbacks.services.requests import edit_request
from rollbacks.states import State
from tests.api.conftest import Caller
from tests.rollback import DEFAULT_RETURN, approve, draft, prove, wording

pytestmark = pytest.mark.django_db


def test_a_token_files_what_people_then_sign(
    people: dict[str, Any], target: Target, token_for: Callable[..., Caller]
) -> None:
    token = token_for(people["engineer"], "file")
    written = wording(target, DEFAULT_RETURN)
    opened = token.post(
        "/requests", {"target": target.name, "return_to": DEFAULT_RETURN, "reverse_sql": dict(written.reverse_sql)}
    )
    assert opened.status_code == 201
    assert opened["Location"] == f"/api/v1/requests/{opened.json()['id']}"
    path = opened["Location"].removeprefix("/api/v1")
    request = Request.objects.get()

    gaps = token.post(f"{path}/submit")
    assert gaps.status_code == 409
    assert {
        "The request has no reason; say what went wrong.",
        "The checklist item “Notify on-call” has no evidence.",
    } < set(gaps.json()["sentences"])
    assert [each["sentence"] for each in token.get(f"{path}/blockers").json()["items"]] == gaps.json()["sentences"]

    edit = {
        "seen_revision": 1,
        "reason": "It cannot stay.",
        "security_incident": "SEC-1",
        "justification": "Comes back.",
    }
    edited = token("PATCH", path, edit)
    assert edited.status_code == 200 and edited.json()["revision"]["number"] == 2
    assert [each["reverse_sql"] for each in edited.json()["undo"]] == [
        request.revisions.get(number=1).reverse_sql[each["tag"]] for each in edited.json()["undo"]
    ]
    for item in ("on_call", "return_point"):
        assert (
            token.post(f"{path}/checklist/{item}", {"text": "Done.", "link": "https://chat.example/1"}).status_code
            == 200
        )
    file = SimpleUploadedFile("flags.txt", b"all off")
    kept = token.upload(f"{path}/checklist/feature_flags/file", {"upload": file, "text": "Off."})
    assert kept.status_code == 200 and kept.json()["file"]["size"] == 7
    download = token.get(f"{path}/files/{kept.json()['file']['id']}")
    assert download.content == b"all off" and download["Content-Type"] == "application/octet-stream"

    asked = token.post(f"{path}/proof")
    assert asked.status_code == 202
    prove(request)
    assert token.get(f"{path}/proof").json()["state"] == "proven"
    submitted = token.post(f"{path}/submit")
    assert submitted.status_code == 200 and submitted.json()["state"] == "in_review"
    case = token.get(f"{path}/case").json()["open"]
    assert case["digest"] == submitted.json()["revision"]["digest"]
    assert [need["role"] for need in case["missing"]] == ["platform", "security", "cto"]
    assert case["may_not_sign"].startswith("You filed this request")
    assert token.get("/requests?state=in_review").json()["items"][0]["waits_for"] == ["platform", "security", "cto"]
    prefix = token.get("/me").json()["token"]
    for fact in Fact.objects.filter(subject=f"request:{request.pk}", actor__isnull=False):
        assert json.loads(fact.line)["actor"] == {"id": request.author_id, "name": "ada", "through": f"token {prefix}"}


def test_what_the_portal_decides_cannot_be_sent(
    people: dict[str, Any], gapped: Request, token_for: Callable[..., Caller]
) -> None:
    asked = {"status", "approved_by", "requester", "policy", "is_emergency", "fence"}
    assert asked < GUARDED and not GUARDED & set(Edit.model_fields)
    for caller, fields in ((Caller(people["engineer"]), asked), (token_for(people["engineer"], "file"), GUARDED)):
        for field in fields:
            before = Fact.objects.count()
            edit = {"seen_revision": 1, "reason": "x", field: "canary-value"}
            refused = caller("PATCH", f"/requests/{gapped.pk}", edit)
            assert refused.status_code == 422
            assert [each["field"] for each in refused.json()["fields"]] == [field]
            fact = Fact.objects.latest("seq")
            assert Fact.objects.count() == before + 1
            assert (fact.action, fact.subject) == ("fields.refused", f"request:{gapped.pk}")
            assert fact.actor_id == people["engineer"].pk
            assert detail_of(fact)["fields"] == [field] and "canary-value" not in fact.line
    gapped.refresh_from_db()
    assert gapped.state == "draft" and gapped.revisions.count() == 1


def test_every_body_refuses_what_it_does_not_name(people: dict[str, Any], gapped: Request) -> None:
    caller = Caller(people["engineer"])
    path = f"/requests/{gapped.pk}"
    ballot = {"digest": "0" * 64, "role": "platform", "choice": "approve", "code": "000000"}
    for method, address, body in (
        ("POST", "/requests", {"target": gapped.target.name, "return_to": None}),
        ("POST", f"{path}/withdraw", {}),
        ("POST", f"{path}/checklist/on_call", {"text": "x"}),
        ("POST", f"{path}/start", {"database": "x"}),
        ("POST", f"{path}/votes", ballot),
    ):
        refused = caller(method, address, {**body, "status": "approved"})
        assert (refused.status_code, [each["field"] for each in refused.json()["fields"]]) == (422, ["status"]), address
    file = SimpleUploadedFile("a.txt", b"a")
    refused = caller.upload(f"{path}/checklist/on_call/file", {"upload": file, "person": "2"})
    assert refused.status_code == 422
    assert Fact.objects.filter(action="fields.refused").count() == 6
    assert caller.get("/requests?state=draft&sort=author").status_code == 422
    assert Request.objects.count() == 1 and Request.objects.get().state == "draft"


def test_a_slip_is_named_and_no_fact(people: dict[str, Any], gapped: Request) -> None:
    before = Fact.objects.count()
    refused = Caller(people["engineer"])("PATCH", f"/requests/{gapped.pk}", {"seen_revision": 1, "raeson": "typo"})
    assert refused.status_code == 422 and refused.json()["fields"][0]["field"] == "raeson"
    assert Fact.objects.count() == before


def test_a_stale_edit_says_what_changed_and_writes_nothing(people: dict[str, Any], gapped: Request) -> None:
    changed = wording(gapped.target, gapped.return_to, reason="Paul's reason.")
    edit_request(people["platform"], gapped.pk, wording=changed, seen_revision=1)
    late = Caller(people["engineer"])("PATCH", f"/requests/{gapped.pk}", {"seen_revision": 1, "reason": "Mine."})
    assert late.status_code == 409 and late.json()["type"].endswith("#stale")
    assert "paul saved revision 2" in late.json()["detail"] and "+Reason: Paul's reason." in late.json()["changed"]
    assert Revision.objects.filter(request=gapped).count() == 2


def test_wrong_values_get_a_sentence_each(people: dict[str, Any], gapped: Request) -> None:
    caller = Caller(people["engineer"])
    for body, field in (
        ({"reason": "a\x00b"}, "reason"),
        ({"reason": "\ud800"}, "reason"),
        ({"reason": "x" * 4001}, "reason"),
        ({"reason": None}, "reason"),
        ({"production_incident": "yes"}, "production_incident"),
        ({"window_start": "2026-01-01T00:00:00"}, "window_start"),
        ({"window_start": 1700000000}, "window_start"),
        ({"window_end": "0001-01-01T00:00:00+14:00"}, "window_end"),
        ({"reverse_sql": {"0001_no_such": "SELECT 1"}}, "reverse_sql"),
        ({"seen_revision": 99}, "seen_revision"),
        ({"seen_revision": "1"}, "seen_revision"),
    ):
        refused = caller("PATCH", f"/requests/{gapped.pk}", {"seen_revision": 1, **body})
        assert refused.status_code == 422, body
        assert [each["field"] for each in refused.json()["fields"]] == [field], body
        assert all(each.endswith(".") for each in refused.json()["sentences"]), body
    link = caller.post(f"/requests/{gapped.pk}/checklist/on_call", {"link": "javascript:alert(1)"})
    assert link.status_code == 422 and link.json()["fields"][0]["field"] == "link"


def test_no_state_can_be_jumped(people: dict[str, Any], gapped: Request, token_for: Callable[..., Caller]) -> None:
    caller = token_for(people["engineer"], "file", "run")
    path = f"/requests/{gapped.pk}"
    allowed = {
        "withdraw": {State.DRAFT, State.IN_REVIEW, State.FAILED, State.REJECTED}, "start": set(), "resume": set(),
        "submit": set(),
    }  # fmt: skip
    for state in State:
        for verb, states in allowed.items():
            Request.objects.filter(pk=gapped.pk).update(state=state)
            answered = caller.post(
                f"{path}/{verb}", {"database": "x"} if verb == "start" else ({} if verb == "withdraw" else None)
            )
            assert answered.status_code == (200 if state in states else 409), (verb, state)
            gapped.refresh_from_db()
            assert gapped.state == (State.WITHDRAWN if state in states else state)
        Request.objects.filter(pk=gapped.pk).update(state=state)
        edit = caller("PATCH", path, {"seen_revision": gapped.revisions.count(), "reason": f"In {state}."})
        assert edit.status_code == (200 if state in {"draft", "in_review", "failed", "rejected"} else 409), state


def test_starting_asks_for_the_database_and_then_runs(
    people: dict[str, Any], target: Target, token_for: Callable[..., Caller]
) -> None:
    request = draft(people, target)
    approve(people, request)
    caller = token_for(people["engineer"], "run")
    wrong = caller.post(f"/requests/{request.pk}/start", {"database": "other"})
    assert wrong.status_code == 422 and Request.objects.get().state == "in_review"
    started = caller.post(f"/requests/{request.pk}/start", {"database": target.name})
    assert started.status_code == 202 and started.json()["steps"][0]["name"] == "preflight"
    assert caller.post(f"/requests/{request.pk}/start", {"database": target.name}).status_code == 409
    assert caller.get(f"/requests/{request.pk}/executions/1").json() == started.json()


def test_the_same_key_gets_the_same_answer_and_another_body_none(
    people: dict[str, Any], read_target: Target, token_for: Callable[..., Caller]
) -> None:
    token, other = token_for(people["engineer"], "file"), token_for(people["platform"], "file")
    body = {"target": read_target.name, "return_to": DEFAULT_RETURN, "reason": "Once."}
    first = token.post("/requests", body, **{"Idempotency-Key": "deploy-1"})
    again = token.post("/requests", body, **{"Idempotency-Key": "deploy-1"})
    assert (first.status_code, again.status_code) == (201, 201) and first.json() == again.json()
    assert again["Idempotent-Replayed"] == "true" and again["Location"] == first["Location"]
    assert Request.objects.count() == 1
    mixed = token.post("/requests", {**body, "reason": "Twice."}, **{"Idempotency-Key": "deploy-1"})
    assert mixed.status_code == 422 and mixed.json()["fields"][0]["field"] == "Idempotency-Key"
    assert token.post("/requests", body, **{"Idempotency-Key": "no spaces"}).status_code == 422
    # A key is its owner's, and forgotten after a day.
    assert other.post("/requests", body, **{"Idempotency-Key": "deploy-1"}).json()["id"] != first.json()["id"]
    KeptAnswer.objects.update(made_at=datetime.now(UTC) - timedelta(hours=25))
    assert token.post("/requests", body, **{"Idempotency-Key": "deploy-1"}).json()["id"] != first.json()["id"]


def test_a_file_sent_twice_with_one_key_is_one_answer(
    people: dict[str, Any], gapped: Request, token_for: Callable[..., Caller]
) -> None:
    token = token_for(people["engineer"], "file")

    def send(content: bytes) -> Any:
        file = SimpleUploadedFile("a.txt", content)
        path = f"/requests/{gapped.pk}/checklist/on_call/file"
        return token.upload(path, {"upload": file}, **{"Idempotency-Key": "k"})

    assert send(b"one").json() == send(b"one").json()
    assert send(b"two").status_code == 422
    assert gapped.answers.count() == 1 and bytes(gapped.answers.get().attachment.content) == b"one"


def test_a_refusal_is_not_kept(people: dict[str, Any], gapped: Request, token_for: Callable[..., Caller]) -> None:
    token = token_for(people["engineer"], "file")
    for _ in range(2):
        refused = token.post(f"/requests/{gapped.pk}/submit", **{"Idempotency-Key": "s"})
        assert refused.status_code == 409 and "Idempotent-Replayed" not in refused
    assert not KeptAnswer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_eight_at_once_with_one_key_are_one_request(
    people: dict[str, Any], read_target: Target, token_for: Callable[..., Caller]
) -> None:
    token = token_for(people["engineer"], "file")
    body = {"target": read_target.name, "return_to": DEFAULT_RETURN}
    barrier, answers = threading.Barrier(8), []

    def send() -> None:
        try:
            barrier.wait()
            answers.append(token.post("/requests", body, **{"Idempotency-Key": "race"}).json()["id"])
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8 and len(set(answers)) == 1 and Request.objects.count() == 1


def test_lists_go_on_by_cursor_without_gap_or_repetition(
    people: dict[str, Any], gapped: Request, token_for: Callable[..., Caller]
) -> None:
    caller = token_for(people["auditor"])
    Request.objects.bulk_create(Request(target=gapped.target, author=people["platform"]) for _ in range(120))
    seen, cursor = [], ""
    while cursor is not None:
        page = caller.get(f"/requests?author={people['platform'].pk}&cursor={cursor}").json()
        seen += [row["id"] for row in page["items"]]
        cursor = page["next"]
    assert seen == sorted(set(seen), reverse=True) and len(seen) == 120


def test_a_cursor_that_is_not_of_this_list_is_refused(
    people: dict[str, Any], gapped: Request, token_for: Callable[..., Caller]
) -> None:
    caller = token_for(people["auditor"])
    Request.objects.bulk_create(Request(target=gapped.target, author=people["platform"]) for _ in range(60))
    cursor = caller.get("/requests").json()["next"]
    for path in (
        "/requests?cursor=1", "/requests?cursor=%00", "/requests?cursor=" + "9" * 400, f"/requests?cursor={cursor}x",
        f"/requests?cursor={cursor}&state=draft", f"/trail?cursor={cursor}", f"/records?cursor={cursor}",
    ):  # fmt: skip
        refused = caller.get(path)
        assert refused.status_code == 400 and "begin again" in refused.json()["detail"], path


def test_the_trail_can_be_checked_from_the_answers_alone(
    people: dict[str, Any], gapped: Request, token_for: Callable[..., Caller]
) -> None:
    caller = token_for(people["auditor"])
    for number in range(60):
        edit_request(
            people["engineer"], gapped.pk, seen_revision=number + 1,
            wording=wording(gapped.target, gapped.return_to, reason=f"Reason {number}.", reverse_sql={
                "0004_audit_events_immutable": "", "0003_redundant_starfox": "",
            }),
        )  # fmt: skip
    links, cursor = [], ""
    while cursor is not None:
        page = caller.get(f"/trail?order=oldest&cursor={cursor}").json()
        links += [chain.Link(row["seq"], row["previous"], row["line"], row["digest"]) for row in page["items"]]
        cursor = page["next"]
    assert len(links) == Fact.objects.count() > 60
    assert chain.first_break(links) is None
    assert chain.first_break([*links[:30], *links[31:]]) is not None
    newest = caller.get(f"/trail?subject=request:{gapped.pk}").json()["items"]
    assert newest[0]["seq"] > newest[-1]["seq"] and {row["subject"] for row in newest} == {f"request:{gapped.pk}"}


def test_an_edit_leaves_a_broken_glass_as_it_is(people: dict[str, Any], gapped: Request) -> None:
    broken = wording(gapped.target, gapped.return_to, emergency=True, emergency_reason="Orders fail.")
    edit_request(people["engineer"], gapped.pk, wording=broken, seen_revision=1)
    edited = Caller(people["engineer"])(
        "PATCH", f"/requests/{gapped.pk}", {"seen_revision": 2, "reason": "Said better."}
    )
    assert edited.status_code == 200 and edited.json()["revision"]["number"] == 3
    newest = current_revision(gapped)
    assert (newest.reason, newest.emergency, newest.emergency_reason) == ("Said better.", True, "Orders fail.")
