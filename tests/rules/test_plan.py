"""The plan's digest covers everything that is signed, and its file keeps free text out of the SQL."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from rollbacks.drizzle.journal import pieces
from rollbacks.options import Options
from rollbacks.plan import LedgerHead, Limits, Plan, TargetIdentity, Undo, compose_file, separate
from rollbacks.reversal import parse

UNDO = (Undo(4, "0004_b", 2, "f" * 64, "DROP TABLE b;\nDROP TABLE c;"), Undo(3, "0003_a", 1, "e" * 64, "DROP TABLE a"))


def file(**changes: Any) -> Any:
    given = {
        "request": 7,
        "revision": 2,
        "return_to": "0002_x",
        "written_by": "ada",
        "date": "2026-11-23",
        "reason": "r",
    }
    return compose_file(UNDO, **{**given, **changes})


def plan() -> Plan:
    return Plan(
        request=7, revision=2, target=TargetIdentity("nzila", "production", "77", "nzila", 16384, 18),
        layout={"out": "drizzle", "prefix": "index", "ledger_schema": "drizzle", "ledger_table": "t"},
        ledger_head=LedgerHead(5, 1795429220638, "a" * 64), return_to="0002_x", undo=UNDO, file=file(),
        impacts=("touches audit",), proof={"digest": "d" * 64}, reason="r", production_incident=False, incident_reference="",
        security_incident="SEC-1", justification="j", window_start=None, window_end="2026-11-24T00:00:00+00:00",
        checklist={"on_call": "c" * 64}, limits=Limits(5000, 600000), policy={"version": "1", "rule": "x", "needs": []},
    )  # fmt: skip


CHANGES: list[dict[str, Any]] = [
    {"request": 8}, {"revision": 3}, {"return_to": None}, {"impacts": ()}, {"proof": {"digest": "e" * 64}}, {"reason": "r "}, {"production_incident": True},
    {"incident_reference": "I"}, {"security_incident": "SEC-2"}, {"justification": "k"}, {"window_start": "2026-11-23T00:00:00+00:00"},
    {"window_end": None}, {"checklist": {"on_call": "d" * 64}}, {"limits": Limits(5001, 600000)},
    {"policy": {"version": "2", "rule": "x", "needs": []}}, {"ledger_head": LedgerHead(6, 1795429220638, "a" * 64)},
    {"target": TargetIdentity("nzila", "production", "78", "nzila", 16384, 18)},
    {"target": TargetIdentity("nzila", "staging", "77", "nzila", 16384, 18)},
    {"undo": (replace(UNDO[0], forward_sha256="0" * 64), UNDO[1])}, {"undo": (UNDO[0], replace(UNDO[1], reverse_sql="DROP TABLE a "))},
    {"options": {"contract_tests": ["pnpm", "contract-tests"], "environment": [], "seconds": 900}},
    {"options": {"migrate": ["pnpm", "migrate:apply"], "environment": [], "seconds": 900}},
    {"options": {"deploy_freeze": True}}, {"options": {"flags": {"/flags/new_billing": False}}},
    {"file": file(reason="s")}, {"layout": {"out": "other", "prefix": "index", "ledger_schema": "drizzle", "ledger_table": "t"}},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES, ids=[next(iter(change)) for change in CHANGES])
def test_any_change_is_another_digest(change: dict[str, Any]) -> None:
    assert replace(plan(), **change).digest != plan().digest


def test_a_plan_survives_being_stored() -> None:
    assert Plan.of(plan().document()) == plan()
    assert Plan.of(plan().document()).digest == plan().digest


def test_a_plan_without_options_keeps_the_digest_that_it_had_before_there_were_any() -> None:
    assert "options" not in plan().document() and Options().document() == {}
    assert Plan.of(plan().document()).chosen == Options()


def test_options_survive_being_stored_and_each_change_is_another_digest() -> None:
    options = Options(
        contract_tests=("pnpm", "contract-tests"), migrate=("pnpm", "migrate:apply"), prepare=("pnpm", "install"),
        environment=("NPM_TOKEN",), seconds=60, deploy_freeze=True, flags={"/flags/x": False},
    )  # fmt: skip
    chosen = replace(plan(), options=options.document())
    assert Plan.of(chosen.document()).chosen == options and Plan.of(chosen.document()).digest == chosen.digest
    changes: list[dict[str, Any]] = [
        {"contract_tests": ("pnpm", "other")}, {"migrate": ()}, {"prepare": ("pnpm", "ci")}, {"environment": ()},
        {"seconds": 61}, {"deploy_freeze": False}, {"flags": {"/flags/x": True}},
    ]  # fmt: skip
    digests = {replace(plan(), options=replace(options, **change).document()).digest for change in changes}
    assert len(digests) == len(changes) and chosen.digest not in digests


@pytest.mark.parametrize(
    "reason",
    [
        "one\nDROP TABLE members;",
        "x\r\nDROP TABLE members",
        "a --> statement-breakpoint DROP TABLE members;",
        "a\x0bDROP TABLE x",
    ],
)
def test_free_text_cannot_become_sql(reason: str) -> None:
    composed = file(reason=reason)
    kinds = [statement.text for statement in parse.read(composed.text)]
    assert kinds == ["DROP TABLE b", "DROP TABLE c", "DROP TABLE a"]
    assert len(pieces(composed.text)) == 3
    assert composed.sha256 == hashlib.sha256(composed.text.encode()).hexdigest()


def test_statements_are_separated_and_nothing_else_changes() -> None:
    sql = "-- first\nDROP TABLE a; -- trailing; not a statement\n\nUPDATE b SET c = ';' ;\nDROP TABLE d"
    separated = separate(sql)
    assert len(pieces(separated)) == 3
    assert [s.text for s in parse.read(separated)] == [s.text for s in parse.read(sql)]
    assert separate(separated) == separated


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO notes VALUES ('see --> statement-breakpoint here');",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN\n--> statement-breakpoint\nEND $$;",
        "DROP TABLE a /* --> statement-breakpoint */;",
        "DROP TABLE a, --> statement-breakpoint\n b;",
    ],
)
def test_a_breakpoint_inside_a_statement_is_refused_because_drizzle_would_cut_there(sql: str) -> None:
    with pytest.raises(parse.Unreadable, match="stands inside a statement"):
        separate(sql)


def test_the_window_forbids_before_and_after() -> None:
    windowed = replace(plan(), window_start="2026-11-23T22:00:00+00:00", window_end="2026-11-23T23:00:00+00:00")
    assert "opens at" in windowed.outside_window(datetime(2026, 11, 23, 21, 59, tzinfo=UTC))
    assert windowed.outside_window(datetime(2026, 11, 23, 22, 0, tzinfo=UTC)) == ""
    assert "closed at" in windowed.outside_window(datetime(2026, 11, 23, 23, 0, tzinfo=UTC))
