"""Verify: over a new connection, see that the target is at the return point and Drizzle would agree.

Then the project's contract tests are run, where the signed plan names them.
"""

from __future__ import annotations

import psycopg

from rollbacks.adapters import target as targets
from rollbacks.adapters.commands import url_of
from rollbacks.adapters.ledger import read_ledger
from rollbacks.adapters.repository import RepositoryError
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.drizzle.layouts import violations
from rollbacks.drizzle.preflight import Ledger
from rollbacks.options import command_name
from rollbacks.ports import Evidence, StepContext, StepInterrupted, StepUncertain
from rollbacks.reversal.catalog import ACCESS_KINDS, Facts, compare, read_facts
from rollbacks.steps import earlier, project
from rollbacks.steps.expectation import load_expected
from rollbacks.steps.observation import connect_directly, read_migrations

SHOWN_ROWS = 5


def observe(ctx: StepContext) -> Evidence | None:
    """Return None: looking again is all that this step does."""
    return None


def perform(ctx: StepContext) -> Evidence:
    """Return the ledger's newest rows and the comparison; raises StepUncertain: applied, but not as proven."""
    try:
        with connect_directly(ctx.target, ctx.environ) as connection:
            ledger = read_ledger(connection, ctx.target.layout)
            connection.rollback()
            found = read_facts(connection, ignore_schemas={ctx.target.layout.ledger_schema})
            lost = earlier.lost_since(ctx, targets.timeline(connection))
    except (psycopg.Error, targets.Unreachable) as error:
        raise StepInterrupted(one_sentence(error)) from error
    except targets.REFUSALS as error:
        raise StepUncertain(
            f"The rollback was applied and cannot be verified: {error} Once this is mended, let the portal look again."
        ) from error
    differences = compare(load_expected(ctx, at_end=True).facts, found.without(ACCESS_KINDS))
    _commit, folder = read_migrations(ctx.target, ref=ctx.evidence["stage"]["commit"])
    now_ms = int(ctx.now().timestamp() * 1000)
    disagreements = [
        each.sentence for each in violations(folder, ledger, layout=ctx.target.layout, now_ms=now_ms) if each.blocks
    ]
    sentences = [*([] if differences.equal else differences.sentences()), *disagreements]
    if sentences:
        raise StepUncertain(
            f"The rollback was applied, but the target is not as proven: {' '.join([*filter(None, [lost]), *sentences[:20]])} "
            "Somebody may have changed it since; look at the target, then let the portal look again."
        )
    verified = _found(ledger, found)
    if ctx.plan.chosen.contract_tests:
        verified["contract_tests"] = _contract_tests(ctx, verified)
    return verified


def _found(ledger: Ledger, found: Facts) -> Evidence:
    newest = sorted(ledger.rows, key=lambda row: row.created_at or 0, reverse=True)[:SHOWN_ROWS]
    return {
        "ledger": [{"id": row.id, "hash": row.hash, "created_at": row.created_at} for row in newest],
        "catalog_equal": True,
        "facts_digest": found.without(ACCESS_KINDS).digest,
        "journal_agrees": True,
    }


def _contract_tests(ctx: StepContext, verified: Evidence) -> Evidence:
    """Run them on the rollback's branch and the live target; raises StepUncertain unless they pass."""
    url = url_of(targets.credentials_of(ctx.target.name, ctx.environ), application_name=f"contract-tests-{ctx.token}")
    try:
        with project.checkout(ctx) as folder:
            before = project.prepared(ctx, folder)
            ended = before if before and not before.well else project.run(
                ctx, ctx.plan.chosen.contract_tests, folder, url=url
            )  # fmt: skip
    except RepositoryError as error:
        raise StepInterrupted(str(error)) from error
    if not ended.well:
        raise StepUncertain(
            "The rollback was applied and the catalog is as proven, but the contract tests did not pass: "
            f"“{command_name(ended.command)}” {ended.words}. Read what they said in the evidence; once the cause is "
            "mended, let the portal look again, which runs them anew and does not apply anything again.",
            evidence={**verified, "contract_tests": ended.document()},
        )
    return ended.document()
