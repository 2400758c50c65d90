"""Stage: write the reverse migration with its snapshot (and journal entry) to a branch, before the target is touched.

Files first and merged last: a branch nobody merged does nothing, while a target rolled back without its
files would be migrated forward again by the next deploy (drizzle.md, "Order of the two halves").
"""

from __future__ import annotations

import uuid

from rollbacks.adapters.repository import Repository, RepositoryError
from rollbacks.drizzle.journal import LINE_1
from rollbacks.drizzle.layouts import compose, read_folder
from rollbacks.drizzle.preflight import Ledger, LedgerRow
from rollbacks.drizzle.recipe import NameTaken, NoSnapshot, RollbackFiles
from rollbacks.ports import Evidence, StepContext, StepFailed

# Name for deriving the snapshot's id from the execution, so that a repeated stage writes the same bytes.
SNAPSHOT_NAMESPACE = uuid.UUID("5d6f2f0e-6e53-5a8b-9c5e-2b9d3a7c4f10")


def branch_name(ctx: StepContext) -> str:
    """Return the branch of this execution: `rollback/rb-12-execution-7`."""
    return f"rollback/rb-{ctx.request}-{ctx.token}"


def observe(ctx: StepContext) -> Evidence | None:
    """Return the evidence of the branch when an earlier attempt wrote it."""
    repository = Repository(ctx.target.repository)
    commit = repository.branch_commit(branch_name(ctx))
    if commit is None:
        return None
    files = repository.read_files(commit, ctx.target.layout.out)
    folder = read_folder(files)
    newest = folder.migrations[-1]
    if newest.sha256 != ctx.plan.file.sha256:
        raise StepFailed(
            f"The branch {branch_name(ctx)} exists and holds something else; delete it in the repository, then "
            "start again. Nothing was changed on the target."
        )
    name = newest.tag if folder.line == LINE_1 else None
    return _evidence(ctx, commit, newest.tag, newest.idx, newest.when, name)


def perform(ctx: StepContext) -> Evidence:
    """Write the branch by the recipe of the folder's line and return its commit, tag and `when`."""
    try:
        repository = Repository(ctx.target.repository, signing_key=ctx.environ.get("GIT_SIGNING_KEY", ""))
        base = ctx.evidence["preflight"]["base_commit"]
        files = _compose(ctx, repository, base)
        out = ctx.target.layout.out
        commit = repository.write_branch(
            branch_name(ctx),
            base=base,
            files={f"{out}/{name}": content for name, content in files.contents.items()},
            message=_message(ctx),
            author=ctx.started_by,
        )
    except (RepositoryError, NoSnapshot, NameTaken) as error:
        raise StepFailed(f"{error} Nothing was changed on the target.") from error
    return _evidence(ctx, commit, files.tag, files.idx, files.when, files.ledger_name)


def clean(ctx: StepContext) -> None:
    """Delete the branch of an execution that did not reach the target; it was never pushed."""
    Repository(ctx.target.repository).delete_branch(branch_name(ctx))


def _compose(ctx: StepContext, repository: Repository, base: str) -> RollbackFiles:
    folder = read_folder(repository.read_files(base, ctx.target.layout.out))
    head = ctx.plan.ledger_head
    ledger = Ledger(exists=True, columns=("id", "hash", "created_at"), rows=(LedgerRow(0, head.hash, head.created_at),))
    return compose(
        folder,
        ledger,
        layout=ctx.target.layout,
        return_to=ctx.plan.return_to,
        tag_description=ctx.plan.file.description,
        sql=ctx.plan.file.text,
        now_ms=int(ctx.now().timestamp() * 1000),
        snapshot_id=str(uuid.uuid5(SNAPSHOT_NAMESPACE, f"{ctx.digest}:{ctx.token}")),
    )


def _message(ctx: StepContext) -> str:
    undone = ", ".join(each.tag for each in ctx.plan.undo)
    return (
        f"Roll back to {ctx.plan.return_to or 'the empty database'}\n\n"
        f"Undoes {undone}.\nRequest RB-{ctx.request}, plan {ctx.digest}.\n"
        "Revert the TypeScript schema to the return point in the same merge.\n"
    )


def _evidence(ctx: StepContext, commit: str, tag: str, idx: int, when: int, ledger_name: str | None) -> Evidence:
    return {
        "branch": branch_name(ctx),
        "commit": commit,
        "tag": tag,
        "idx": idx,
        "when": when,
        "ledger_name": ledger_name,
        "file_sha256": ctx.plan.file.sha256,
    }
