"""The pages of follow-ups over HTTP: what they show, how an acceptance is proposed and signed, and its offline check."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import Case, SignOff
from approvals.services import database_time
from notices import collecting
from notices.models import Notice
from records import trail
from rollbacks.models import Execution, FollowUp, Target
from rollbacks.reversal.immutability import Protection
from rollbacks.services import follow_ups
from tests.clients import client_of
from tests.passkeys import ORIGIN, passkey_of
from tests.services.test_step_up import fresh_code

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPT = Path(__file__).parents[2] / "tools" / "verify_signature.py"
REMOVED = [
    {"kind": "trigger", "name": "public.audit_events.no_update", "definition": "CREATE TRIGGER no_update <b>\u202e"},
]
FOUND = tuple(Protection.of(each) for each in REMOVED)


def opened(people: dict[str, Any], count: int = 1) -> FollowUp:
    target = Target.objects.create(name="books", title="Books", environment="production", repository="/none", out="d")
    for _ in range(count):
        request = target.requests.create(author=people["engineer"])
        execution: Execution = request.executions.create(
            target=target, number=1, digest="d" * 64, started_by=people["engineer"], is_open=False,
            plan={"target": {"name": "books", "database": "books", "environment": "production", "system_identifier": "7"}},
        )  # fmt: skip
        with trail.recording(None) as facts:
            follow_ups.open_follow_up(facts, execution, REMOVED)
    return FollowUp.objects.order_by("pk")[0]


@pytest.fixture
def follow_up(people: dict[str, Any]) -> FollowUp:
    return opened(people)


def proposed(people: dict[str, Any], follow_up: FollowUp) -> str:
    response = client_of(people["platform"]).post(
        f"/follow-ups/{follow_up.pk}/", {"justification": "Kept in <i>WORM</i> storage."}
    )
    assert response.status_code == 302
    return Case.objects.get(subject=f"follow-up:{follow_up.pk}", closed_at__isnull=True).digest


def vote(digest: str, role: str, **more: Any) -> dict[str, Any]:
    return {"digest": digest, "role": role, "choice": "approve", "reason": "", **more}


def test_it_is_seen_by_everybody_until_it_is_over(follow_up: FollowUp, people: dict[str, Any]) -> None:
    auditor = client_of(people["auditor"])
    for address in ("/", "/follow-ups/", f"/follow-ups/{follow_up.pk}/"):
        assert "Not protected" in auditor.get(address).content.decode(), address
    page = auditor.get(f"/follow-ups/{follow_up.pk}/").content.decode()
    assert "no_update" in page and "<b>" not in page and "\u202e" not in page
    request = f"/requests/{follow_up.execution.request_id}/"
    follow_ups.close_restored(follow_up.target_id, FOUND, begun=database_time())
    assert "Audit immutability is missing" not in auditor.get("/").content.decode()
    restored = auditor.get(f"/follow-ups/{follow_up.pk}/").content.decode()
    assert "Restored" in restored and "Ask security and the CTO" not in restored
    assert request.removeprefix("/requests/").strip("/") in restored


def test_an_acceptance_is_proposed_signed_and_checked_offline(
    follow_up: FollowUp, people: dict[str, Any], tmp_path: Path
) -> None:
    assert client_of(people["security"]).get(f"/follow-ups/{follow_up.pk}/acceptance.json").status_code == 404
    assert client_of(people["security"]).get(f"/follow-ups/{follow_up.pk}/sign/").status_code == 409
    digest = proposed(people, follow_up)
    page = f"/follow-ups/{follow_up.pk}/sign/"

    security, passkey = client_of(people["security"]), passkey_of(people["security"])
    shown = security.get(page).content.decode()
    assert (
        page in security.get("/").content.decode()
        and page not in client_of(people["auditor"]).get("/").content.decode()
    )
    assert "&lt;i&gt;WORM&lt;/i&gt;" in shown and digest[:8] in shown
    stale = security.post(f"{page}begin/", vote("0" * 64, "security"))
    assert stale.status_code == 409 and stale.json() == {"stale": True}
    assert security.post(f"{page}begin/", vote(digest, "cto")).status_code == 409
    asked = security.post(f"{page}begin/", vote(digest, "security")).json()
    answer = passkey.answer(asked["publicKey"], origin=ORIGIN)
    given = vote(digest, "security", challenge=asked["challenge"], assertion=json.dumps(answer))
    assert security.post(page, given).status_code == 302
    assert security.post(page, given).status_code == 409 and SignOff.objects.count() == 1

    cto = client_of(people["cto"])
    fresh_code(people["cto"])
    refused = cto.post(page, vote(digest, "cto", code="000000"))
    assert refused.status_code == 409 and FollowUp.objects.get().outcome == ""
    assert cto.post(page, vote(digest, "cto", code=fresh_code(people["cto"]))).status_code == 302
    assert FollowUp.objects.get().outcome == "accepted"

    file = tmp_path / "acceptance.json"
    file.write_bytes(cto.get(f"/follow-ups/{follow_up.pk}/acceptance.json").content)
    checked = subprocess.run([sys.executable, SCRIPT, file], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    assert "HOLDS        the statement in this record" in checked.stdout
    assert "HOLDS        security approve by sefu" in checked.stdout
    document = json.loads(file.read_text())
    document["statement"]["justification"] = "Something else."
    file.write_text(json.dumps(document))
    assert subprocess.run([sys.executable, SCRIPT, file], capture_output=True).returncode == 1


def test_a_page_that_is_stale_says_so(follow_up: FollowUp, people: dict[str, Any]) -> None:
    first = proposed(people, follow_up)
    follow_ups.propose_acceptance(people["platform"], follow_up.pk, justification="Other words.")
    assert first != follow_ups.propose_acceptance(people["platform"], follow_up.pk, justification="Other words.")
    person = people["cto"]
    fresh_code(person)
    response = client_of(person).post(f"/follow-ups/{follow_up.pk}/sign/", vote(first, "cto", code=fresh_code(person)))
    assert response.status_code == 409 and "Other words." in response.content.decode()
    assert not SignOff.objects.exists()


def test_words_are_asked_for(follow_up: FollowUp, people: dict[str, Any]) -> None:
    client = client_of(people["platform"])
    empty = client.post(f"/follow-ups/{follow_up.pk}/", {"justification": " "})
    assert empty.status_code == 200 and "error-summary" in empty.content.decode()
    follow_ups.close_restored(follow_up.target_id, FOUND, begun=database_time())
    late = client.post(f"/follow-ups/{follow_up.pk}/", {"justification": "Mine."})
    assert late.status_code == 409 and "restored already" in late.content.decode()


def test_a_page_takes_few_queries_whatever_the_number_of_rows(people: dict[str, Any]) -> None:
    first = opened(people, 60)
    for each in FollowUp.objects.all():
        follow_ups.propose_acceptance(people["platform"], each.pk, justification="Kept elsewhere.")
    client = client_of(people["cto"])
    for address in ("/follow-ups/", f"/follow-ups/{first.pk}/", "/", "/targets/books/"):
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert client.get(address).status_code == 200
        assert len(queries) <= 12, address
    page = client.get("/follow-ups/").content.decode()
    assert "Older" in page
    older = client.get(f"/follow-ups/?before={first.pk + 10}").content.decode()
    assert older.count("Not protected") == 10


def test_those_who_have_to_know_are_told(follow_up: FollowUp, people: dict[str, Any]) -> None:
    digest = proposed(people, follow_up)
    while collecting.collect(()):
        pass
    removed, *asked = Notice.objects.order_by("pk")
    assert removed.kind == "follow_up" and removed.title.startswith("Audit immutability was removed")
    told = set(removed.deliveries.values_list("person__username", flat=True))
    assert told == {people["security"].username, people["cto"].username}
    assert asked[-1].kind == "sign" and asked[-1].path == f"/follow-ups/{follow_up.pk}/sign/"
    assert asked[-1].content["digest"] == digest
