"""Backup: dump the target, then prove the dump by restoring it on the scratch server and counting rows.

Runbook step 2, with what it leaves out: a dump that was never restored is not a backup (acceptance E1).
"""

from __future__ import annotations

from functools import partial

import psycopg

from rollbacks.adapters import target as targets
from rollbacks.adapters.counts import exported_snapshot, row_counts
from rollbacks.adapters.pg_tools import DumpFailed, NoTools, RestoreFailed, Tools, dump, find_tools, restore
from rollbacks.adapters.scratch import Scratch, ScratchRefused, execution_prefix
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.adapters.store import Manifest, Store, StoreRefused
from rollbacks.ports import Evidence, StepContext, StepFailed, StepInterrupted
from rollbacks.reversal.catalog import ACCESS_KINDS, Facts, compare, read_facts
from rollbacks.steps.observation import connect_directly

LOCK_WAIT_SECONDS = 30
TIMEOUT_SECONDS = 6 * 3600


def observe(ctx: StepContext) -> Evidence | None:
    """Return None: a dump of this execution may be in the store, but only its restore makes it a backup."""
    return None


def perform(ctx: StepContext) -> Evidence:
    """Return the evidence of a backup that was restored: name, checksum, counts; raises StepFailed otherwise.

    A dump that an earlier attempt of this execution completed is used again, never taken twice.
    """
    try:
        tools = find_tools(ctx.plan.target.server_major, ctx.environ)
        store = Store.of(ctx.environ, ctx.target.name)
        manifest = store.find(ctx.token) or _dump(ctx, tools, store)
        _refuse_another(ctx, store, manifest)
        ctx.keep_backup(manifest.row())
        restored = _proven(ctx, manifest)
    except targets.Unreachable as error:
        raise StepInterrupted(str(error)) from error
    except (*targets.REFUSALS, NoTools, DumpFailed, RestoreFailed, ScratchRefused, StoreRefused) as error:
        raise StepFailed(f"{error} Nothing was changed on the target.") from error
    except psycopg.Error as error:
        raise StepFailed(f"{one_sentence(error)} Nothing was changed on the target.") from error
    return {
        "name": manifest.name,
        "sha256": manifest.sha256,
        "bytes": manifest.size,
        "store": manifest.where,
        "encrypted_to": list(manifest.recipients),
        "plain_sha256": manifest.plain_sha256,
        "plain_bytes": manifest.plain_size,
        "pg_dump": manifest.tool_version,
        "milliseconds": manifest.milliseconds,
        "tables": len(restored["counts"]),
        "rows": sum(restored["counts"].values()),
        "row_counts": restored["counts"],
        "restored_into": restored["database"],
        "facts": restored["facts"],
    }


def clean(ctx: StepContext) -> None:
    """Drop the restored copy; the backup itself stays, because a failed execution may be looked into."""
    Scratch.of(ctx.environ).drop(scratch_name(ctx))


def scratch_name(ctx: StepContext) -> str:
    """Return the name of the scratch database into which this execution restores its backup.

    The digest's beginning is in it because two portals may share a scratch server and both have an execution 1.
    """
    return f"{execution_prefix(ctx.digest, ctx.execution)}restored"


def verified_backup(ctx: StepContext) -> None:
    """Read this execution's backup whole; raises StepFailed when it is gone or is not what was stored."""
    try:
        store, manifest = _kept(ctx)
        store.verify(manifest)
    except StoreRefused as error:
        raise StepFailed(f"{error} Nothing was changed on the target.") from error


def restore_backup(ctx: StepContext, name: str) -> None:
    """Restore this execution's backup into a new scratch database of that name, replacing one before.

    It is read, opened and summed on its way into pg_restore, so nothing of it is on the worker's disk. Raises
    StoreRefused when it is not what was stored, whatever pg_restore made of it.
    """
    tools = find_tools(ctx.plan.target.server_major, ctx.environ)
    store, manifest = _kept(ctx)
    scratch = Scratch.of(ctx.environ)
    scratch.drop(name)
    scratch.create(name)
    restore(
        tools,
        partial(store.pour, manifest),
        scratch.credentials(name),
        environ=ctx.environ,
        timeout_seconds=TIMEOUT_SECONDS,
    )


def _kept(ctx: StepContext) -> tuple[Store, Manifest]:
    store = Store.of(ctx.environ, ctx.target.name)
    manifest = store.find(ctx.token)
    if manifest is None:
        raise StoreRefused("The backup of this execution is no longer in the store; nothing was run, start again.")
    return store, manifest


def _refuse_another(ctx: StepContext, store: Store, manifest: Manifest) -> None:
    """What an earlier attempt kept counts only if it was kept for this plan, and as it would be kept now."""
    if manifest.digest not in {"", ctx.digest}:
        raise StepFailed(
            "The store has another portal's backup under this execution's name; give each portal a directory or a prefix "
            "of its own. Nothing was changed on the target."
        )
    if store.keys.recipients and not manifest.encrypted:
        raise StepFailed(
            f"The backup {manifest.name} was kept in plain before there were recipients; start again, so that it is taken "
            "encrypted. Nothing was changed on the target."
        )


def _dump(ctx: StepContext, tools: Tools, store: Store) -> Manifest:
    """Dump, count and read the catalog in one exported snapshot, so that all three speak of the same moment."""
    credentials = targets.credentials_of(ctx.target.name, ctx.environ)
    with connect_directly(ctx.target, ctx.environ) as connection, exported_snapshot(connection) as snapshot:
        counts = row_counts(connection, ignore_schemas=())
        facts = read_facts(connection, ignore_schemas={ctx.target.layout.ledger_schema})
        with store.writing(ctx.token, now=ctx.now(), digest=ctx.digest) as sink:
            result = dump(
                tools,
                credentials,
                environ=ctx.environ,
                snapshot=snapshot,
                sink=sink,
                on_progress=lambda done: ctx.heartbeat({"bytes": done.size, "table": done.tables, "of": len(counts)}),
                lock_wait_seconds=LOCK_WAIT_SECONDS,
                timeout_seconds=TIMEOUT_SECONDS,
            )
            return sink.complete(
                result,
                extra={"row_counts": counts, "facts": facts.without(ACCESS_KINDS).to_json()},
            )


def _proven(ctx: StepContext, manifest: Manifest) -> Evidence:
    """Restore and count; a backup that does not stand it stays in the store, marked."""
    try:
        restored = _restore(ctx, manifest)
    except (RestoreFailed, StepFailed, StoreRefused) as error:
        ctx.judge_backup(str(error))
        raise
    ctx.judge_backup("")
    return restored


def _restore(ctx: StepContext, manifest: Manifest) -> Evidence:
    name = scratch_name(ctx)
    ctx.heartbeat({"restoring": manifest.name})
    restore_backup(ctx, name)
    with Scratch.of(ctx.environ).connect(name) as connection:
        counts = row_counts(connection, ignore_schemas=())
        connection.rollback()
        facts = read_facts(connection, ignore_schemas={ctx.target.layout.ledger_schema}).without(ACCESS_KINDS)
    _refuse_difference(manifest, counts, facts)
    return {"database": name, "counts": counts, "facts": facts.digest}


def _refuse_difference(manifest: Manifest, counts: dict[str, int], facts: Facts) -> None:
    dumped: dict[str, int] = manifest.extra["row_counts"]
    wrong = [
        f"{table} has {counts.get(table, 'no')} rows instead of {rows}"
        for table, rows in sorted(dumped.items())
        if counts.get(table) != rows
    ]
    if wrong or set(counts) != set(dumped):
        raise StepFailed(
            f"The backup {manifest.name} was restored but is not complete: "
            f"{'; '.join(wrong[:10]) or 'tables differ'}. Nothing was changed on the target."
        )
    differences = compare(Facts.from_json(manifest.extra["facts"]), facts)
    if not differences.equal:
        raise StepFailed(
            f"The backup {manifest.name} was restored but its catalog differs from the target's: "
            f"{' '.join(differences.sentences()[:10])} Nothing was changed on the target."
        )
