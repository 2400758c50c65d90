"""What votes decide, as a table of cases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from approvals.in_force import rulebook
from approvals.policy import Choice, Decision, Need, Policy, State, Vote, decide, objections
from approvals.rulebook import Traits

DIGEST = "d" * 64
ROLES = {1: {"platform"}, 2: {"security"}, 3: {"cto"}, 4: {"platform", "cto"}, 9: {"platform"}}
FULL = rulebook().policy_for(Traits(security=True))
PLAIN = rulebook().policy_for(Traits())
ANY = Policy("x", "any", (Need("cto", also=("security",)), Need("platform", also=("cto",))))
NOW = datetime(2026, 11, 24, tzinfo=UTC)


def vote(person: int, role: str, choice: Choice = Choice.APPROVE, digest: str = DIGEST) -> Vote:
    return Vote(person, f"person {person}", role, choice, digest, NOW - timedelta(hours=1))


CASES = [
    ("nobody has voted", FULL, [], State.WAITING, ["platform", "security", "cto"]),
    ("one of each role, in any order", FULL, [vote(3, "cto"), vote(1, "platform"), vote(2, "security")], State.APPROVED, []),
    ("one person cannot fill two roles", FULL, [vote(4, "platform"), vote(4, "cto"), vote(2, "security")], State.WAITING, ["cto"]),
    ("the requester's vote does not count", FULL, [vote(9, "platform"), vote(2, "security"), vote(3, "cto")], State.WAITING, ["platform"]),
    ("a vote on another digest does not count", PLAIN, [vote(1, "platform", digest="e" * 64)], State.WAITING, ["platform"]),
    ("a role that was taken away takes its vote along", PLAIN, [vote(2, "platform")], State.WAITING, ["platform"]),
    ("somebody unknown counts for nothing", PLAIN, [vote(77, "platform")], State.WAITING, ["platform"]),
    ("a role that is not asked for fills no other", FULL, [vote(1, "platform"), vote(2, "security")], State.WAITING, ["cto"]),
    ("one rejection outweighs all approvals", FULL, [vote(1, "platform"), vote(2, "security"), vote(3, "cto", Choice.REJECT)], State.REJECTED, ["cto"]),
    ("a rejection by somebody barred rejects nothing", PLAIN, [vote(9, "platform", Choice.REJECT), vote(1, "platform")], State.APPROVED, []),
    ("an empty policy approves nothing", Policy("x", "broken", ()), [vote(1, "platform")], State.WAITING, []),
    ("two of one role need two people", Policy("x", "two", (Need("platform", 2),)), [vote(1, "platform"), vote(1, "platform")], State.WAITING, ["platform"]),
    ("two of one role, two people", Policy("x", "two", (Need("platform", 2),)), [vote(1, "platform"), vote(4, "platform")], State.APPROVED, []),
    ("who abstains has voted and counts for nothing", PLAIN, [vote(1, "platform", Choice.ABSTAIN), vote(1, "platform")], State.WAITING, ["platform"]),
    ("a vote that was taken back counts no more", PLAIN, [replace(vote(1, "platform"), against="Taken back.")], State.WAITING, ["platform"]),
    ("and its voter may vote once more", PLAIN, [replace(vote(1, "platform"), against="Taken back."), vote(1, "platform")], State.APPROVED, []),
    ("either role meets a need for any of them", ANY, [vote(3, "cto"), vote(1, "platform")], State.APPROVED, []),
    ("each vote meets one need, whatever came first", ANY, [vote(3, "cto"), vote(2, "security")], State.APPROVED, []),
    ("one vote never meets two needs", ANY, [vote(3, "cto")], State.WAITING, ["platform"]),
    ("a vote expires to the hour", PLAIN, [replace(vote(1, "platform"), at=NOW - timedelta(hours=72))], State.WAITING, ["platform"]),
    ("and counts a moment before", PLAIN, [replace(vote(1, "platform"), at=NOW - timedelta(hours=72, seconds=-1))], State.APPROVED, []),
    ("a code is no passkey where one is asked for", replace(PLAIN, passkey=True), [replace(vote(1, "platform"), method="totp")], State.WAITING, ["platform"]),
    ("a passkey is", replace(PLAIN, passkey=True), [replace(vote(1, "platform"), method="webauthn")], State.APPROVED, []),
    ("a delegate and their holder have one vote", Policy("x", "two", (Need("cto", 2),)), [vote(3, "cto"), replace(vote(4, "cto"), principal=3)], State.WAITING, ["cto"]),
    ("nobody signs for whoever touched it", PLAIN, [replace(vote(1, "platform"), principal=9)], State.WAITING, ["platform"]),
]  # fmt: skip


def judge(policy: Policy, votes: list[Vote], opened_at: datetime = NOW - timedelta(days=1)) -> Decision:
    barred = {9: "You filed this request."}
    return decide(policy, votes, digest=DIGEST, barred=barred, roles_now=ROLES, opened_at=opened_at, now=NOW)


@pytest.mark.parametrize(("name", "policy", "votes", "state", "missing"), CASES, ids=[case[0] for case in CASES])
def test_decide(name: str, policy: Policy, votes: list[Vote], state: State, missing: list[str]) -> None:
    decision = judge(policy, votes)
    assert decision.state is state
    assert [need.role for need in decision.missing] == missing
    assert len(decision.counted) + len(decision.lapsed) == len(votes)


def test_the_runbook_asks_platform_always_and_the_others_for_security() -> None:
    assert [need.role for need in PLAIN.needs] == ["platform"]
    assert {need.role for need in FULL.needs} == {"platform", "security", "cto"}


def test_a_request_expires_with_all_its_votes() -> None:
    assert judge(PLAIN, [vote(1, "platform")], NOW - timedelta(hours=336)).state is State.EXPIRED
    fresh = judge(PLAIN, [vote(1, "platform")], NOW - timedelta(hours=335))
    assert fresh.state is State.APPROVED and fresh.expires_at == NOW + timedelta(hours=1)


def test_a_delegate_is_told_what_stands_against_them() -> None:
    holder = [vote(3, "cto")]
    against = objections(FULL, holder, person=4, role="cto", roles={"cto"}, barred={9: "You filed it."}, principal=3)
    assert against == ("Somebody has voted for the same person already; a holder and their delegate have one vote.",)
    against = objections(FULL, [], person=4, role="cto", roles={"cto"}, barred={9: "You filed it."}, principal=9)
    assert "touched this request" in against[0]


def test_every_objection_is_named() -> None:
    against = objections(
        FULL, [vote(9, "cto")], person=9, role="auditor", roles={"platform"}, barred={9: "You filed this request."}
    )
    assert len(against) == 4
    assert objections(FULL, [], person=1, role="platform", roles={"platform"}, barred={}) == ()


def test_a_policy_survives_being_frozen() -> None:
    assert Policy.of(FULL.document()) == FULL
