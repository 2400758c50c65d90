"""What votes decide, as a table of cases."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from approvals.policy import Choice, Need, Policy, State, Vote, decide, objections, policy_for

DIGEST = "d" * 64
ROLES = {1: {"platform"}, 2: {"security"}, 3: {"cto"}, 4: {"platform", "cto"}, 9: {"platform"}}
FULL = policy_for(security_impacting=True)
PLAIN = policy_for(security_impacting=False)


def vote(person: int, role: str, choice: Choice = Choice.APPROVE, digest: str = DIGEST) -> Vote:
    return Vote(person, f"person {person}", role, choice, digest, datetime(2026, 11, 23, tzinfo=UTC))


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
]  # fmt: skip


@pytest.mark.parametrize(("name", "policy", "votes", "state", "missing"), CASES, ids=[case[0] for case in CASES])
def test_decide(name: str, policy: Policy, votes: list[Vote], state: State, missing: list[str]) -> None:
    decision = decide(policy, votes, digest=DIGEST, barred={9: "You filed this request."}, roles_now=ROLES)
    assert decision.state is state
    assert [need.role for need in decision.missing] == missing
    assert len(decision.counted) + len(decision.lapsed) == len(votes)


def test_the_runbook_asks_platform_always_and_the_others_for_security() -> None:
    assert [need.role for need in PLAIN.needs] == ["platform"]
    assert {need.role for need in FULL.needs} == {"platform", "security", "cto"}


def test_every_objection_is_named() -> None:
    against = objections(
        FULL, [vote(9, "cto")], person=9, role="auditor", roles={"platform"}, barred={9: "You filed this request."}
    )
    assert len(against) == 4
    assert objections(FULL, [], person=1, role="platform", roles={"platform"}, barred={}) == ()


def test_a_policy_survives_being_frozen() -> None:
    assert Policy.of(FULL.document()) == FULL
