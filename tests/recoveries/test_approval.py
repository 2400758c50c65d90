"""What is signed is one digest, by people who did not touch it; break-glass asks for fewer and for a review."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.models import Case, Review
from approvals.policy import Choice
from approvals.services import VoteRefused
from notices import collecting
from notices.models import Notice
from records.models import Fact
from recoveries import engine
from recoveries.models import Recovery
from recoveries.services import opening, running
from rollbacks.models import Target
from rollbacks.services import targets
from rollbacks.services.moves import NotAllowed, Refused
from tests.clients import client_of
from tests.passkeys import passkey_of
from tests.recoveries.production import approved, chosen, vote
from tests.services.test_step_up import fresh_code

pytestmark = pytest.mark.django_db(transaction=True)

IDENTITY = {"system_identifier": "7", "database": "books", "database_oid": 5, "server_major": 18}
SEEN = datetime.now(UTC) - timedelta(hours=1)


@pytest.fixture
def target(people: dict[str, Any]) -> Target:
    made: Target = targets.register_target(
        None, name="books", title="Books", environment="production", repository="/none", out="d"
    )
    migration = {"idx": 0, "tag": "0000_initial", "when": 1_700_000_000_000, "applied_at": "x", "description": "d"}
    content = {
        "identity": IDENTITY, "ledger_head": {"rows": 1, "created_at": 1_700_000_000_000, "hash": "h"},
        "base_commit": "c", "violations": [], "migrations": [migration],
    }  # fmt: skip
    targets.keep_inventory(made.pk, content={**content, "ledger_head": {"rows": 0, "created_at": 0, "hash": ""}})
    targets.keep_inventory(made.pk, content=content)
    return made


@pytest.fixture
def draft(people: dict[str, Any], target: Target) -> Recovery:
    return chosen(people, target, {}, provider="manual", point=SEEN, server="books-before")


def test_who_opened_it_does_not_sign_and_a_change_makes_signatures_void(
    draft: Recovery, people: dict[str, Any]
) -> None:
    digest = opening.submit(people["engineer"], draft.pk).digest
    with pytest.raises(VoteRefused, match="You opened this recovery"):
        vote(people["engineer"], draft, digest)
    vote(people["platform"], draft, digest)
    opening.choose(people["on-call"], draft.pk, opening.Choice(point=SEEN, server="books-other"))
    assert Case.objects.get().closed_reason.endswith("changed the recovery.")
    with pytest.raises(Refused, match="cannot become restoring"):
        running.start(people["engineer"], draft.pk)
    again = opening.submit(people["on-call"], draft.pk).digest
    assert again != digest
    with pytest.raises(Refused, match="waits for: platform"):
        running.start(people["engineer"], draft.pk)
    with pytest.raises(VoteRefused):
        vote(people["on-call"], draft, again)


def test_a_rejection_sends_it_back_and_nothing_is_restored(draft: Recovery, people: dict[str, Any]) -> None:
    digest = opening.submit(people["engineer"], draft.pk).digest
    vote(people["platform"], draft, digest, choice=Choice.REJECT)
    draft.refresh_from_db()
    assert draft.state == "rejected" and not draft.steps.exists()


def test_a_vote_that_is_taken_back_stops_it_before_anything_is_made(draft: Recovery, people: dict[str, Any]) -> None:
    from approvals import services as approvals
    from records import trail

    approved(people, draft)
    running.start(people["engineer"], draft.pk)
    with trail.recording(people["platform"]) as facts:
        approvals.take_back(
            facts, subject=f"recovery:{draft.pk}", person=people["platform"], reason="No.", digest_seen=draft.digest
        )
    assert engine.advance(draft.pk, worker="test", environ={}) is False
    draft.refresh_from_db()
    assert draft.state == "failed" and "Nothing was restored." in draft.steps.get(name="check").sentence


def test_break_glass_owes_a_review_and_blocks_the_next(draft: Recovery, people: dict[str, Any]) -> None:
    emergency = {"point": SEEN, "server": "books-now", "emergency": True}
    opening.choose(people["engineer"], draft.pk, opening.Choice(**emergency))
    with pytest.raises(Refused, match="needs a reason of its own"):
        opening.submit(people["engineer"], draft.pk)
    opening.choose(people["engineer"], draft.pk, opening.Choice(**emergency, emergency_reason="Orders are lost."))
    digest = opening.submit(people["engineer"], draft.pk).digest
    assert Fact.objects.filter(action="break_glass.used", subject=f"recovery:{draft.pk}").exists()
    vote(people["cto"], draft, digest, "cto")
    running.start(people["engineer"], draft.pk)
    review = Review.objects.get(digest=digest)
    assert (
        f"/recoveries/{draft.pk}/" in client_of(people["security"]).get(f"/emergencies/{review.pk}/").content.decode()
    )
    other = chosen(people, draft.target, {}, provider="manual", **{**emergency, "server": "books-two"}, emergency_reason="Again.")  # fmt: skip
    with pytest.raises(Refused, match=f"PR-{draft.pk} that you filed has not been reviewed"):
        opening.submit(people["engineer"], other.pk)


def test_only_those_who_run_rollbacks_may_open_one(target: Target, people: dict[str, Any]) -> None:
    with pytest.raises(NotAllowed):
        opening.open_recovery(people["auditor"], target=target, provider="manual", incident="I", purpose="P")
    with pytest.raises(Refused, match="belongs to an incident"):
        opening.open_recovery(people["engineer"], target=target, provider="manual", incident=" ", purpose="P")


def test_a_targets_name_is_not_a_new_servers(target: Target, people: dict[str, Any]) -> None:
    draft = chosen(people, target, {}, provider="manual", point=SEEN, server="books")
    with pytest.raises(Refused, match="the name of a registered target"):
        opening.submit(people["engineer"], draft.pk)


def test_two_recoveries_cannot_hold_one_server(target: Target, people: dict[str, Any]) -> None:
    first, second = (
        approved(people, chosen(people, target, {}, provider="manual", point=SEEN, server="books-one")) for _ in "ab"
    )
    running.start(people["engineer"], first.pk)
    with pytest.raises(Refused, match="Another recovery holds the server name books-one"):
        running.start(people["engineer"], second.pk)


def test_the_pages_lead_from_the_empty_list_to_the_signature(target: Target, people: dict[str, Any]) -> None:
    engineer = client_of(people["engineer"])
    assert "Nothing was ever recovered" in engineer.get("/recoveries/").content.decode()
    made = engineer.post(
        "/recoveries/new/", {"target": "books", "provider": "manual", "incident": "INC-1", "purpose": "<b>Amounts</b>"}
    )
    draft = Recovery.objects.get()
    assert made["Location"] == f"/recoveries/{draft.pk}/choose/"
    engine.read_restorable(draft.pk, environ={})
    page = engineer.get(made["Location"]).content.decode()
    assert "2023-11-14T22:13:19" in page, "a second before the ledger's time"
    assert page.count("before=0000_initial") == 2, "and when the portal last saw the ledger without it"
    choice = {"point": "2026-01-02T03:04:05", "before": "0000_initial", "server": "books-before"}
    assert engineer.post(made["Location"], {**choice, "server": "Books!"}).status_code == 409
    assert engineer.post(made["Location"], choice).status_code == 302
    draft.refresh_from_db()
    assert draft.point == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    where = f"/recoveries/{draft.pk}/"
    assert engineer.post(f"{where}submit/").status_code == 302

    while collecting.collect(()):
        pass
    asked = Notice.objects.filter(kind="sign").first()
    assert asked is not None and asked.path == f"{where}sign/" and "books-before" in asked.title

    platform = people["platform"]
    passkey_of(platform)
    browser = client_of(platform)
    shown = browser.get(f"{where}sign/").content.decode()
    assert "&lt;b&gt;Amounts" in shown and "books-before" in shown
    digest = Case.objects.get().digest
    given = {"digest": digest, "role": "platform", "choice": "approve", "reason": ""}
    assert browser.post(f"{where}sign/", {**given, "code": "000000"}).status_code == 409
    assert browser.post(f"{where}sign/", {**given, "code": fresh_code(platform)}).status_code == 302
    assert "Start: make the new server" in engineer.get(where).content.decode()
    assert engineer.post(f"{where}start/").status_code == 302
    assert engine.advance(draft.pk, worker="test", environ={}) is True
    assert engine.advance(draft.pk, worker="test", environ={}) is False, "it waits for a person"
    page = engineer.get(where).content.decode()
    assert "It waits for a person to restore by hand" in page and "2026-01-02 03:04:05 UTC" in page
    assert (
        engineer.post(f"{where}answer/restored_by_hand/", {"text": "Done in the provider's portal."}).status_code == 302
    )
    # The worker has no credentials for it: it stops, says which variable, and goes on once it is set.
    engine.advance(draft.pk, worker="test", environ={})
    page = engineer.get(where).content.decode()
    assert "BOOKS_RECOVERED_DIRECT_DATABASE_URL" in page and "Look again and go on" in page

    while collecting.collect(()):
        pass
    assert Notice.objects.filter(title__startswith="STOPPED: PR-").exists()


def test_a_page_takes_few_queries_whatever_the_number_of_rows(target: Target, people: dict[str, Any]) -> None:
    for number in range(55):
        draft = opening.open_recovery(
            people["engineer"], target=target, provider="manual", incident=f"INC-{number}", purpose="P"
        )
    client = client_of(people["platform"])
    for address in ("/recoveries/", f"/recoveries/{draft.pk}/", f"/recoveries/{draft.pk}/choose/"):
        client.get(address)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(address).status_code == 200
        assert len(queries) <= 12, [each["sql"][:120] for each in queries.captured_queries]
    assert "Older" in client.get("/recoveries/").content.decode()
