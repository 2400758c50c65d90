"""Drafting reverse SQL: replay to the return point, then forward migration by migration, reading both shapes.

One replay serves the whole chain, so drafting n migrations costs n steps, not n replays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg

from rollbacks.adapters import target as targets
from rollbacks.adapters.ledger import Unreplayable
from rollbacks.adapters.scratch import Scratch, ScratchRefused
from rollbacks.drizzle.journal import Folder, Layout, Migration
from rollbacks.reversal import draft as drafts
from rollbacks.reversal import parse
from rollbacks.reversal.draft import Draft, Rename
from rollbacks.reversal.objects import Shape, read_shape
from rollbacks.reversal.parse import Statement
from rollbacks.steps.observation import Observation
from rollbacks.steps.proving import chain_sha256
from rollbacks.steps.replay import Replay, apply_up_to, replay

Drafts = dict[str, Any]


def drafts_of(observation: Observation, *, environ: Mapping[str, str], before: Mapping[str, Any] | None) -> Drafts:
    """Return the drafts for every migration of what was observed, by tag, for the pages.

    `before` is what an earlier reading kept: as long as the chain is the same, it is used again. A chain that
    cannot be drafted gives no drafts and one sentence, because a person can always write the SQL by hand.
    """
    chain = chain_sha256(observation.folder)
    if before and before.get("chain_sha256") == chain and not before.get("error"):
        return dict(before)
    kept: Drafts = {"chain_sha256": chain, "error": "", "by_tag": {}}
    try:
        scratch = Scratch.of(environ)
        scratch.refuse_same_cluster(observation.identity)
        # Once it is applied, the rollback itself lengthens the chain, so the label never comes twice.
        found = draft_back_to(scratch, observation.folder, observation.layout, return_to=None, label=f"rb_{chain[:8]}")
    except (Unreplayable, parse.Unreadable, ScratchRefused, psycopg.Error, *targets.REFUSALS) as error:
        kept["error"] = targets.one_sentence(error)
        return kept
    kept["by_tag"] = {
        each.tag: {"sql": each.text, "class": each.cls, "residue": list(each.residue), "reapply": list(each.reapply)}
        for each in found
    }
    return kept


def draft_back_to(
    scratch: Scratch,
    folder: Folder,
    layout: Layout,
    *,
    return_to: str | None,
    label: str | None,
    told: Callable[[int, int], None] = lambda number, of: None,
) -> list[Draft]:
    """Return the drafts that undo everything after the return point, newest first; None is the empty database.

    `label` begins the archive's table names, None keeps nothing. Raises Unreplayable, parse.Unreadable and
    whatever the scratch server refuses (psycopg.Error).
    """
    undone = _after(folder, return_to)
    forward = parse.read_many([migration.sql or "" for migration in undone])
    with replay(scratch, folder, layout, purpose="draft") as state:
        apply_up_to(state, return_to, told=told)
        wanted = _shape(state)
        found: list[Draft] = []
        for number, (migration, statements) in enumerate(zip(undone, forward, strict=True), 1):
            state.forward(migration)
            newest = _shape(state)
            found.append(
                _draft(state, migration.tag, statements, newest, wanted, f"{label}_{number}" if label else None)
            )
            wanted = newest
            told(len(folder.migrations) - len(undone) + number, len(folder.migrations))
    drafts.check(found)
    return found[::-1]


def _after(folder: Folder, return_to: str | None) -> Sequence[Migration]:
    if return_to is None:
        return folder.migrations
    return folder.migrations[folder.migrations.index(folder.by_tag(return_to)) + 1 :]


def _draft(
    state: Replay, tag: str, forward: Sequence[Statement], newest: Shape, wanted: Shape, label: str | None
) -> Draft:
    renames, now = _renamed_back(state, drafts.renames_back(forward), newest)
    return drafts.compose(tag, forward, renames=renames, now=now, wanted=wanted, label=label)


def _renamed_back(state: Replay, candidates: Sequence[Rename], newest: Shape) -> tuple[list[Rename], Shape]:
    """Let the server say which renames can be taken back, and what the database looks like then."""
    if not candidates:
        return [], newest
    # Opens the transaction, so that what follows are savepoints in it; the outermost block would commit.
    state.connection.execute("SELECT")
    kept = []
    for rename in candidates:
        try:
            with state.connection.transaction():
                state.connection.execute(rename.sql.encode())
        except psycopg.Error:
            # What was renamed was dropped later, or its old name is taken: then it is no longer a rename.
            continue
        kept.append(rename)
    now = _shape(state)
    state.connection.rollback()
    return kept, now


def _shape(state: Replay) -> Shape:
    return read_shape(state.connection, ignore_schemas=(state.layout.ledger_schema,))
