"""Publish: push the branch with the reverse migration, now that the target has committed it, and open a pull request.

Whether it still merges is tried first, because the base branch may have moved since it was made.
"""

from __future__ import annotations

from rollbacks.adapters import github
from rollbacks.adapters.merging import Merge, changed_schema, merge_of
from rollbacks.adapters.repository import Repository, RepositoryError
from rollbacks.drizzle.journal import JournalUnreadable
from rollbacks.drizzle.layouts import file_of, read_folder
from rollbacks.ports import Evidence, StepContext, StepInterrupted
from rollbacks.steps import project
from rollbacks.steps.pull_request import body_of, clash_of, title_of

# A pull request is an extra: after so many attempts the run goes on without one and says so.
PULL_REQUEST_ATTEMPTS = 4


def observe(ctx: StepContext) -> Evidence | None:
    """Return None: pushing, keeping the patch and finding the pull request again are each harmless to repeat."""
    return None


def perform(ctx: StepContext) -> Evidence:
    """Push the branch and return where it is and how it merges; raises StepInterrupted while it cannot be pushed."""
    staged = ctx.evidence["stage"]
    branch = staged["branch"]
    try:
        repository = Repository(ctx.target.repository)
        merge = merge_of(repository, branch, base=ctx.evidence["preflight"]["base_commit"], into=ctx.target.base_branch)
        clash, schema = _clash(ctx, repository, merge), _schema(ctx, repository)
        project.keep_patch(ctx, repository)
        pushed = repository.has_remote()
        if pushed:
            repository.push(branch)
            if repository.remote_commit(branch) != staged["commit"]:
                raise StepInterrupted(
                    f"The remote does not show the branch {branch} after the push; it is tried again."
                )
    except RepositoryError as error:
        raise StepInterrupted(str(error)) from error
    found = {
        "conflicts": list(merge.conflicts),
        "merge_unknown": merge.unknown,
        "clash": clash,
        "schema_to_revert": list(schema),
    }
    return {
        "branch": branch,
        "commit": staged["commit"],
        "pushed": pushed,
        "base_moved": merge.moved,
        **{name: value for name, value in found.items() if value},
        **_pull_request(ctx, merge, clash, schema, pushed=pushed),
    }


def _clash(ctx: StepContext, repository: Repository, merge: Merge) -> str:
    if not merge.moved:
        return ""
    out = ctx.target.layout.out
    try:
        theirs = read_folder(repository.read_files(merge.base_commit, out))
        known = read_folder(repository.read_files(ctx.evidence["preflight"]["base_commit"], out))
    except JournalUnreadable as error:
        return f"The migrations on {ctx.target.base_branch} cannot be read any more: {error}"
    tags = {each.tag for each in known.migrations}
    return clash_of(theirs, tags, ctx.evidence["stage"], base_branch=ctx.target.base_branch)


def _schema(ctx: StepContext, repository: Repository) -> tuple[str, ...]:
    """Return the schema files that changed since the return point, as far as git knows."""
    if ctx.plan.return_to is None:
        return ()
    base = ctx.evidence["preflight"]["base_commit"]
    try:
        folder = read_folder(repository.read_files(base, ctx.target.layout.out))
        undone = [file_of(folder, each.tag) for each in ctx.plan.undo]
        file = file_of(folder, ctx.plan.return_to)
        return changed_schema(repository, out=ctx.target.layout.out, file=file, undone=undone, now=base)
    except (RepositoryError, JournalUnreadable):
        # Only a hint for whoever merges; the tables are named instead.
        return ()


def _pull_request(ctx: StepContext, merge: Merge, clash: str, schema: tuple[str, ...], *, pushed: bool) -> Evidence:
    if not ctx.target.github:
        return {}
    if not pushed:
        return {"no_pull_request": "No pull request was opened: the repository has no remote to push the branch to."}
    try:
        address = github.open_pull_request(
            ctx.target.name, ctx.target.github, branch=ctx.evidence["stage"]["branch"], base=ctx.target.base_branch,
            title=title_of(ctx), body=body_of(ctx, merge, clash, schema), environ=ctx.environ,
        )  # fmt: skip
    except github.NotOpened as error:
        if error.again and ctx.attempt < PULL_REQUEST_ATTEMPTS:
            raise StepInterrupted(str(error)) from error
        return {"no_pull_request": f"{error} Open it by hand, or take the patch."}
    return {"pull_request": address}
