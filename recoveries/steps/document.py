"""Document: seal the record of the recovery, then file it under ops/disaster-recovery/ on a branch of the repository."""

from __future__ import annotations

from records.recovery_entry import recovery_entry
from recoveries.ports import Context
from rollbacks.adapters.repository import Repository, RepositoryError
from rollbacks.ports import Evidence, StepInterrupted

FOLDER = "ops/disaster-recovery"


def observe(ctx: Context) -> Evidence | None:
    """Return None: sealing and filing are both idempotent, so they are simply done again."""
    return None


def perform(ctx: Context) -> Evidence:
    """Return the record's digest and the branch with its files; nothing is sealed or filed twice."""
    sealed = ctx.seal(ctx.history())
    document, text = sealed["document"], sealed["text"]
    name = f"{FOLDER}/{document['opened_at'][:10]}-pr-{ctx.plan.recovery}"
    files = {
        f"{name}.json": text.encode(),
        f"{name}.md": recovery_entry(document, digest=sealed["digest"]).encode(),
    }
    branch = f"recovery/pr-{ctx.plan.recovery}"
    try:
        repository = Repository(ctx.order.target.repository)
        commit = repository.branch_commit(branch) or repository.write_branch(
            branch, base=repository.base_ref(ctx.order.target.base_branch), files=files, author=ctx.author,
            message=f"Document recovery PR-{ctx.plan.recovery}\n\nSealed with SHA-256 {sealed['digest']}.\n",
        )  # fmt: skip
        if repository.has_remote():
            repository.push(branch)
    except RepositoryError as error:
        raise StepInterrupted(str(error)) from error
    return {"record": sealed["id"], "digest": sealed["digest"], "files": sorted(files), "branch": branch, "commit": commit}  # fmt: skip
