"""The words of a rollback's pull request, and what keeps its migration from lying beside those of the base branch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from records.markdown import cell, quote
from rollbacks.adapters.merging import Merge
from rollbacks.drizzle.journal import LINE_0, Folder
from rollbacks.ports import StepContext


def title_of(ctx: StepContext) -> str:
    """Return the title: request, target and return point."""
    return f"RB-{ctx.request}: roll {ctx.target.name} back to {ctx.plan.return_to or 'the empty database'}"


def body_of(ctx: StepContext, merge: Merge, clash: str, schema: tuple[str, ...]) -> str:
    """Return the text in Markdown: what was done already, what the TypeScript schema needs, and what does not merge."""
    undone = ", ".join(f"`{each.tag}`" for each in ctx.plan.undo)
    parts = [
        f"The target **{cell(ctx.target.name)}** ({cell(ctx.target.environment)}) was rolled back to "
        f"`{ctx.plan.return_to or 'the empty database'}`; {undone} is undone. The database has this already: merge it, "
        "or the next deploy works with files that do not fit.",
        quote(ctx.plan.reason),
        _schema_words(ctx, schema),
        _merge_words(merge, clash, ctx.target.base_branch),
        f"Plan digest `{ctx.digest}`, SQL SHA-256 `{ctx.plan.file.sha256}`. The change record follows on this branch in "
        "`ops/change-management/`.",
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _schema_words(ctx: StepContext, schema: tuple[str, ...]) -> str:
    head = "### TypeScript schema to revert in the same merge"
    if schema:
        files = "\n".join(f"- `{each}`" for each in schema)
        return (
            f"{head}\n\nThese files declare tables and changed since `{ctx.plan.return_to}` came in; bring their tables "
            f"back to that state, or the next `drizzle-kit generate` makes the change again:\n\n{files}"
        )
    tables = ctx.plan.traits.get("tables") or []
    named = "\n".join(f"- `{each}`" for each in tables) or "- see the SQL of this branch"
    return (
        f"{head}\n\nGit does not tell which files declare what was undone. The rollback concerns these tables; bring their "
        f"declarations back to the return point, or the next `drizzle-kit generate` makes the change again:\n\n{named}"
    )


def _merge_words(merge: Merge, clash: str, base_branch: str) -> str:
    if not (merge.conflicts or clash or merge.unknown):
        return ""
    lines = [f"### {base_branch} moved since this branch was made", ""]
    if clash:
        lines += [clash, ""]
    if merge.conflicts:
        lines += ["These files were changed on both sides:", "", *(f"- `{each}`" for each in merge.conflicts), ""]
    if merge.unknown:
        lines += [merge.unknown, ""]
    return "\n".join(lines).rstrip()


def clash_of(theirs: Folder, known: Collection[str], staged: Mapping[str, Any], *, base_branch: str) -> str:
    """Say what became of migrations that the base branch got since, beside this one; empty when it got none.

    `known` are the tags that the branch was made on. Drizzle 0.x skips what is not later than the newest ledger row, and
    two entries of one index write one snapshot over the other; in 1.0 each runs, in the order of the names.
    """
    came = [each for each in theirs.migrations if each.tag not in known and each.tag != staged["tag"]]
    if not came:
        return ""
    names, mine = ", ".join(each.tag for each in came), staged["tag"]
    sentences = [
        f"{base_branch} got {names} since, written on the schema that {mine} undid. The rollback is in the database and "
        f"keeps its file and its time: look whether {names} still fits, and generate it anew on top of the rollback."
    ]
    if theirs.line == LINE_0:
        same = [each.tag for each in came if each.idx == staged["idx"]]
        skipped = [each.tag for each in came if each.when <= staged["when"]]
        if same:
            sentences.append(f"{', '.join(same)} has the journal index {staged['idx']}, which {mine} has too.")
        if skipped:
            sentences.append(
                f"migrate() would skip {', '.join(skipped)} without a word, because its `when` is not later."
            )
    return " ".join(sentences)
