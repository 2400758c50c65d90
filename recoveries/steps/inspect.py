"""Inspect: what is on the new server, compared with the state that its own ledger says it is in.

The catalog is compared with a replay of the migrations up to the newest one in the recovered ledger. Nothing here decides:
differences are findings, and a person answers for them before the cutover is signed off.
"""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Mapping
from typing import Any

import psycopg

from recoveries.ports import Context, NewServer, ProviderRefused
from recoveries.providers import provider_of
from rollbacks.adapters import target as targets
from rollbacks.adapters.commands import url_of
from rollbacks.adapters.counts import row_counts
from rollbacks.adapters.ledger import Unreplayable, read_ledger
from rollbacks.adapters.repository import RepositoryError
from rollbacks.adapters.scratch import Scratch, ScratchRefused
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.drizzle.inventory import inventory
from rollbacks.drizzle.journal import Folder, JournalUnreadable
from rollbacks.ports import Evidence, StepFailed, StepInterrupted
from rollbacks.reversal.catalog import ACCESS_KINDS, Facts, compare, read_facts
from rollbacks.steps.observation import connect_directly, read_migrations
from rollbacks.steps.replay import apply_up_to, replay

ESTIMATES = """
    SELECT n.nspname || '.' || c.relname, c.reltuples::bigint
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
"""
TESTS = "RECOVERY_CONTRACT_TESTS"
TESTS_SECONDS = 1800
KEPT_OUTPUT = 2000
FINDINGS = 40


def observe(ctx: Context) -> Evidence | None:
    """Return None: looking is all that this step does."""
    return None


def perform(ctx: Context) -> Evidence:
    """Return the newest migration there, what differs from its state, and the rows of every table beside the target's."""
    restored = ctx.evidence["restore"]
    provider = provider_of(ctx.plan.provider, ctx.environ)
    try:
        credentials = provider.credentials(ctx.order, NewServer(restored["server"], restored["host"]))
        ctx.told({"doing": "Reading the catalog and counting rows on the new server"})
        with targets.connect(credentials) as line:
            ledger = read_ledger(line, ctx.order.target.layout)
            line.rollback()
            facts = read_facts(line, ignore_schemas={ctx.order.target.layout.ledger_schema})
            counts = row_counts(line, ignore_schemas=())
            line.rollback()
        _commit, folder = read_migrations(ctx.order.target)
    except ProviderRefused as refusal:
        raise StepFailed(str(refusal)) from refusal
    except (psycopg.Error, targets.Unreachable, RepositoryError, JournalUnreadable) as error:
        raise StepInterrupted(one_sentence(error)) from error
    applied = [row.tag for row in inventory(folder, ledger) if row.applied_at is not None]
    newest = applied[-1] if applied else None
    ctx.told({"doing": "Replaying the migrations on the scratch server to compare"})
    findings, compared = _compare(ctx, folder, newest, facts)
    if ctx.plan.before and ctx.plan.before in applied:
        findings.insert(0, f"{ctx.plan.before} is applied on the new server, though the point was to lie before it.")
    tests = _contract_tests(ctx, credentials)
    if tests.get("exit_code"):
        findings.append("The contract tests failed against the new server.")
    return {
        "newest_migration": newest or "none", "ledger_rows": len(ledger.rows), "catalog_compared": compared,
        "findings": findings[:FINDINGS], "rows": _beside(counts, _estimates(ctx)), **({"contract_tests": tests} if tests else {}),
    }  # fmt: skip


def _compare(ctx: Context, folder: Folder, newest: str | None, found: Facts) -> tuple[list[str], bool]:
    """Return the differences from the replayed state, and whether it could be replayed."""
    try:
        scratch = Scratch.of(ctx.environ)
        with replay(scratch, folder, ctx.order.target.layout, purpose="recovery") as state:
            apply_up_to(state, newest, told=lambda number, of: ctx.told({"replaying": number, "of": of}))
            expected = read_facts(state.connection, ignore_schemas={ctx.order.target.layout.ledger_schema})
    except (ScratchRefused, Unreplayable, psycopg.Error, *targets.REFUSALS) as error:
        return [f"The catalog was not compared: {one_sentence(error)}"], False
    differences = compare(expected.without(ACCESS_KINDS), found.without(ACCESS_KINDS))
    return ([] if differences.equal else differences.sentences()), True


def _estimates(ctx: Context) -> dict[str, int] | None:
    """Return the target's own estimates of its rows, None when it cannot be asked (it may be what is broken)."""
    try:
        with connect_directly(ctx.order.target, ctx.environ) as line:
            return {str(name): int(rows) for name, rows in line.execute(ESTIMATES).fetchall()}
    except (*targets.REFUSALS, psycopg.Error):
        return None


def _beside(counts: Mapping[str, int], estimates: Mapping[str, int] | None) -> list[dict[str, Any]]:
    names = sorted({*counts, *(estimates or {})})
    return [
        {
            "table": name,
            "recovered": counts.get(name, "missing"),
            "target_about": "unread" if estimates is None else _about(estimates.get(name)),
        }
        for name in names
    ]


def _about(estimate: int | None) -> int | str:
    if estimate is None:
        return "missing"
    return estimate if estimate >= 0 else "never counted"


def _contract_tests(ctx: Context, credentials: targets.Credentials) -> Evidence:
    """Run the operator's command with DATABASE_URL at the new server and nothing else of this worker's; {} without one."""
    command = shlex.split(ctx.environ.get(TESTS, ""))
    if not command:
        return {}
    ctx.told({"doing": "Running the contract tests against the new server"})
    environ = {**credentials.environment(ctx.environ), "DATABASE_URL": url_of(credentials)}
    try:
        child = subprocess.Popen(
            command, env=environ, cwd=ctx.order.target.repository, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise StepFailed(f"{TESTS} could not be started ({error.strerror}); correct it on the worker.") from error
    try:
        output, _ = child.communicate(timeout=TESTS_SECONDS)
        code = child.returncode
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGKILL)
        output, _ = child.communicate()
        code = -int(signal.SIGKILL)
    said = targets.redact(output.decode("utf-8", errors="replace"), credentials)
    return {"exit_code": code, "output": said[-KEPT_OUTPUT:]}
