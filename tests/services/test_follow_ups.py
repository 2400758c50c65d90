"""Follow-ups: a rollback that removed audit immutability leaves something to do, which nobody can click away."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.utils import IntegrityError

from approvals.policy import Choice
from approvals.services import VoteRefused, database_time
from demo import target as demo_target
from records import trail
from records.models import Fact
from rollbacks.models import Execution, FollowUp, Target
from rollbacks.reversal.immutability import Protection
from rollbacks.services import follow_ups
from rollbacks.services.moves import NotAllowed, Refused
from rollbacks.services.targets import settings_of
from rollbacks.steps.observation import observe_target
from tests.conftest import TargetDatabase
from tests.passkeys import confirmed, passkey_of
from tests.rollback import drive, started, step

pytestmark = pytest.mark.django_db(transaction=True)

REMOVED = [
    {"kind": "trigger", "name": "public.audit_events.audit_events_no_delete", "definition": "CREATE TRIGGER one"},
    {"kind": "trigger", "name": "public.audit_events.audit_events_no_update", "definition": "CREATE TRIGGER two"},
]
FOUND = tuple(Protection.of(each) for each in REMOVED)


@pytest.fixture
def execution(people: dict[str, Any]) -> Execution:
    target = Target.objects.create(name="books", title="Books", environment="production", repository="/none", out="d")
    request = target.requests.create(author=people["engineer"])
    plan = {"target": {"name": "books", "database": "books"}}
    return request.executions.create(
        target=target, number=1, plan=plan, digest="d" * 64, started_by=people["engineer"]
    )  # fmt: skip


@pytest.fixture
def follow_up(execution: Execution) -> FollowUp:
    opened(execution)
    return FollowUp.objects.get()


def opened(execution: Execution, removed: Sequence[dict[str, str]] = REMOVED) -> None:
    with trail.recording(None) as facts:
        follow_ups.open_follow_up(facts, execution, removed)


def vote(person: Any, follow_up: FollowUp, role: str, digest: str, choice: Choice = Choice.APPROVE) -> Any:
    passkey_of(person)
    reason = "" if choice is Choice.APPROVE else "It comes back tomorrow."
    statement = follow_ups.statement_of(
        person, follow_up.pk, role=role, choice=choice.value, reason=reason, digest=digest
    )
    return follow_ups.sign_acceptance(
        person, follow_up.pk, role=role, choice=choice, reason=reason, digest_seen=digest,
        confirmation=confirmed(statement, person),
    )  # fmt: skip


def actions(follow_up: FollowUp) -> list[str]:
    return list(
        Fact.objects.filter(subject=f"follow-up:{follow_up.pk}").order_by("seq").values_list("action", flat=True)
    )


def test_a_rollback_of_0004_leaves_one_until_the_triggers_are_back(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    assert drive(execution, nzila.environ) == "succeeded"
    follow_up = FollowUp.objects.get()
    assert {(each["kind"], each["name"]) for each in follow_up.removed} == {
        ("trigger", "public.audit_events.audit_events_no_update"),
        ("trigger", "public.audit_events.audit_events_no_delete"),
        ("function", "public.prevent_audit_mutation()"),
    }

    def look() -> None:
        begun = database_time()
        observation = observe_target(settings_of(execution.target), environ=nzila.environ)
        follow_ups.close_restored(execution.target_id, observation.protections, begun=begun)

    look()
    assert FollowUp.objects.get().outcome == ""
    with nzila.connect() as line:
        migration = next(each for each in demo_target.migrations().migrations if each.tag.startswith("0004"))
        line.execute(str(migration.sql))
        line.execute("ALTER TABLE audit_events DISABLE TRIGGER audit_events_no_delete")
    look()
    assert FollowUp.objects.get().outcome == "", "one of them is switched off"
    with nzila.connect() as line:
        line.execute("ALTER TABLE audit_events ENABLE TRIGGER audit_events_no_delete")
    look()
    assert FollowUp.objects.get().outcome == "restored"
    assert actions(follow_up) == ["follow_up.opened", "follow_up.restored"]


def test_the_branch_has_an_incident_entry(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    execution = started(people, nzila)
    assert drive(execution, nzila.environ) == "succeeded"
    branch = step(execution, "record").evidence["branch"]
    origin = str(nzila.repository.parent / "nzila.git")
    listed = subprocess.run(
        ["git", "-C", origin, "ls-tree", "--name-only", branch, "ops/incident-response/"], capture_output=True, text=True, check=True
    ).stdout.split()  # fmt: skip
    entry = next(name for name in listed if f"-rb-{execution.request_id}-run-1" in name)
    text = subprocess.run(
        ["git", "-C", origin, "show", f"{branch}:{entry}"], capture_output=True, text=True, check=True
    ).stdout
    assert "Security incident: SEC-1" in text
    assert "audit\\_events\\_no\\_delete" in text and "Immutability comes back" in text
    assert step(execution, "record").evidence["digest"] in text


def test_a_rollback_that_removed_no_protection_leaves_none(execution: Execution) -> None:
    opened(execution, ())
    assert not FollowUp.objects.exists() and not Fact.objects.filter(action="follow_up.opened").exists()


def test_a_reading_that_began_before_it_closes_nothing(execution: Execution) -> None:
    begun = database_time()
    opened(execution)
    follow_ups.close_restored(execution.target_id, FOUND, begun=begun)
    assert FollowUp.objects.get().outcome == ""
    follow_ups.close_restored(execution.target_id, FOUND[:1], begun=database_time())
    assert FollowUp.objects.get().outcome == ""
    follow_ups.close_restored(execution.target_id, FOUND, begun=database_time())
    assert FollowUp.objects.get().outcome == "restored"


def test_security_and_the_cto_accept_its_absence_together(follow_up: FollowUp, people: dict[str, Any]) -> None:
    digest = follow_ups.propose_acceptance(
        people["platform"], follow_up.pk, justification=" It moves to WORM storage. "
    )
    vote(people["security"], follow_up, "security", digest)
    assert FollowUp.objects.get().outcome == ""
    vote(people["cto"], follow_up, "cto", digest)
    kept = FollowUp.objects.get()
    assert kept.outcome == "accepted" and kept.acceptance["justification"] == "It moves to WORM storage."
    assert actions(kept) == [
        "follow_up.opened", "follow_up.acceptance_proposed", "case.opened", "vote.cast", "vote.cast", "follow_up.accepted",
    ]  # fmt: skip
    with pytest.raises(Refused, match="accepted already"):
        follow_ups.propose_acceptance(people["platform"], follow_up.pk, justification="Again.")
    with pytest.raises(VoteRefused, match="accepted already"):
        vote(people["platform"], follow_up, "platform", digest)


def test_who_proposed_or_filed_does_not_sign(follow_up: FollowUp, people: dict[str, Any]) -> None:
    digest = follow_ups.propose_acceptance(people["security"], follow_up.pk, justification="Kept elsewhere.")
    with pytest.raises(VoteRefused, match="You proposed this acceptance"):
        vote(people["security"], follow_up, "security", digest)
    with pytest.raises(VoteRefused, match="You filed this request"):
        vote(people["engineer"], follow_up, "security", digest)


def test_a_rejection_leaves_it_open_and_another_proposal_voids_the_first(
    follow_up: FollowUp, people: dict[str, Any]
) -> None:
    first = follow_ups.propose_acceptance(people["platform"], follow_up.pk, justification="It moves.")
    vote(people["security"], follow_up, "security", first)
    second = follow_ups.propose_acceptance(people["platform"], follow_up.pk, justification="It moves soon.")
    assert first != second
    with pytest.raises(VoteRefused, match="changed after you opened it"):
        vote(people["cto"], follow_up, "cto", first)
    vote(people["cto"], follow_up, "cto", second, Choice.REJECT)
    assert FollowUp.objects.get().outcome == ""
    with pytest.raises(VoteRefused, match="Nothing waits"):
        vote(people["security"], follow_up, "security", second)


def test_it_needs_words_and_a_role(follow_up: FollowUp, people: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="Say why"):
        follow_ups.propose_acceptance(people["platform"], follow_up.pk, justification="  ")
    stranger = get_user_model().objects.create_user("stranger")
    with pytest.raises(NotAllowed):
        follow_ups.propose_acceptance(stranger, follow_up.pk, justification="Mine.")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE rollbacks_followup SET removed = '[]'",
        "UPDATE rollbacks_followup SET opened_at = now() + interval '1 day'",
        "DELETE FROM rollbacks_followup",
        "UPDATE rollbacks_followup SET outcome = 'accepted'",
    ],
)
def test_the_database_keeps_what_was_opened(follow_up: FollowUp, statement: str) -> None:
    with pytest.raises(IntegrityError), connection.cursor() as cursor:
        cursor.execute(statement)


def test_a_closed_one_stays_closed(follow_up: FollowUp) -> None:
    follow_ups.close_restored(follow_up.target_id, FOUND, begun=database_time())
    with pytest.raises(IntegrityError, match="can only be closed"), connection.cursor() as cursor:
        cursor.execute("UPDATE rollbacks_followup SET outcome = '', closed_at = NULL")
    assert json.loads(json.dumps(FollowUp.objects.get().removed)) == REMOVED
