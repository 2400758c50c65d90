"""Publish: push the branch with the reverse migration, now that the target has committed it."""

from __future__ import annotations

from rollbacks.adapters.repository import Repository, RepositoryError
from rollbacks.ports import Evidence, StepContext, StepInterrupted


def observe(ctx: StepContext) -> Evidence | None:
    """Return the evidence when the remote has the branch's commit already."""
    try:
        return _published(ctx, Repository(ctx.target.repository))
    except RepositoryError as error:
        raise StepInterrupted(str(error)) from error


def perform(ctx: StepContext) -> Evidence:
    """Push the branch and return where it is; raises StepInterrupted, and is tried again, while it cannot be pushed."""
    branch = ctx.evidence["stage"]["branch"]
    try:
        repository = Repository(ctx.target.repository)
        if not repository.has_remote():
            return {"branch": branch, "commit": ctx.evidence["stage"]["commit"], "pushed": False}
        repository.push(branch)
        published = _published(ctx, repository)
    except RepositoryError as error:
        raise StepInterrupted(str(error)) from error
    if published is None:
        raise StepInterrupted(f"The remote does not show the branch {branch} after the push; it is tried again.")
    return published


def _published(ctx: StepContext, repository: Repository) -> Evidence | None:
    staged = ctx.evidence["stage"]
    if not repository.has_remote() or repository.remote_commit(staged["branch"]) != staged["commit"]:
        return None
    return {"branch": staged["branch"], "commit": staged["commit"], "pushed": True}
