"""Drafting reverse SQL: replay to the return point, then forward migration by migration, reading both shapes.

One replay serves the whole chain, so drafting n migrations costs n steps, not n replays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import psycopg

from rollbacks.adapters import target as targets
from rollbacks.adapters.ledger import Unreplayable
from rollbacks.adapters.scratch import Scratch, ScratchRefused
from rollbacks.adapters.server_errors import one_sentence
from rollbacks.drizzle.journal import Folder, Layout, Migration
from rollbacks.ports import TargetSettings
from rollbacks.reversal import draft as drafts
from rollbacks.reversal import drift, parse
from rollbacks.reversal.draft import Draft, Rename
from rollbacks.reversal.objects import Shape, read_shape
from rollbacks.reversal.parse import Statement
from rollbacks.steps.observation import Observation, connect_directly
from rollbacks.steps.proving import chain_sha256
from rollbacks.steps.replay import Replay, apply_up_to, replay

Drafts = dict[str, Any]


def drafts_of(
    observation: Observation, *, live: Shape | None, environ: Mapping[str, str], before: Mapping[str, Any] | None
) -> Drafts:
    """Return the drafts for every migration of what was observed, by tag, for the pages.

    `live` is the target's own shape, whose drift is merged. `before` is what an earlier reading kept: as long as the
    chain and the target's shape are the same, it is used again. A chain that cannot be drafted gives no drafts and
    one sentence, because a person can always write the SQL by hand.
    """
    chain = chain_sha256(observation.folder)
    shape = live.digest if live else ""
    if before and (before.get("chain_sha256"), before.get("live_sha256")) == (chain, shape) and not before.get("error"):
        return dict(before)
    kept: Drafts = {"chain_sha256": chain, "live_sha256": shape, "error": "", "by_tag": {}}
    try:
        scratch = Scratch.of(environ)
        scratch.refuse_same_cluster(observation.identity)
        # Once it is applied, the rollback itself lengthens the chain, so the label never comes twice.
        found = draft_back_to(
            scratch, observation.folder, observation.layout, return_to=None, label=f"rb_{chain[:8]}", live=live
        )
    except (Unreplayable, parse.Unreadable, ScratchRefused, psycopg.Error, *targets.REFUSALS) as error:
        kept["error"] = one_sentence(error)
        return kept
    kept["by_tag"] = {
        each.tag: {"sql": each.text, "class": each.cls, "residue": list(each.residue), "reapply": list(each.reapply)}
        for each in found
    }
    return kept


def live_shape(settings: TargetSettings, environ: Mapping[str, str]) -> Shape | None:
    """Return the target's own shape, the ledger's schema left out; None when it cannot be read now."""
    try:
        with connect_directly(settings, environ) as connection:
            connection.read_only = True
            return read_shape(connection, ignore_schemas=(settings.layout.ledger_schema,))
    except (psycopg.Error, *targets.REFUSALS):
        return None


def draft_back_to(
    scratch: Scratch,
    folder: Folder,
    layout: Layout,
    *,
    return_to: str | None,
    label: str | None,
    live: Shape | None = None,
    told: Callable[[int, int], None] = lambda number, of: None,
) -> list[Draft]:
    """Return the drafts that undo everything after the return point, newest first; None is the empty database.

    `label` begins the archive's table names, None keeps nothing. `live` is the target's own shape: what somebody did
    there by hand is then merged into the drafts, and each conflict is in their residue. Raises Unreplayable, parse.Unreadable and
    whatever the scratch server refuses (psycopg.Error).
    """
    undone = _after(folder, return_to)
    forward = parse.read_many([migration.sql or "" for migration in undone])
    with replay(scratch, folder, layout, purpose="draft") as state:
        apply_up_to(state, return_to, told=told)
        wanted = newest = _shape(state)
        ways: list[_Way] = []
        for number, (migration, statements) in enumerate(zip(undone, forward, strict=True), 1):
            state.forward(migration)
            newest = _shape(state)
            renames, now = _renamed_back(state, drafts.renames_back(statements), newest, wanted)
            named = f"{label}_{number}" if label else None
            ways.append(_Way(migration.tag, statements, renames, now, wanted, named))
            wanted = newest
            told(len(folder.migrations) - len(undone) + number, len(folder.migrations))
        found = [way.draft() for way in reversed(ways)]
        if live is not None and found and drift.drifted(live, newest):
            found = _merged(state, ways[::-1], newest, live, found)
    drafts.check(found)
    return found


@dataclass(frozen=True)
class _Way:
    """One migration to undo: what it says, the renames taken back, the shape after those, and the one to go back to."""

    tag: str
    forward: Sequence[Statement]
    renames: Sequence[Rename]
    now: Shape
    wanted: Shape
    label: str | None

    def draft(self) -> Draft:
        return drafts.compose(
            self.tag, self.forward, renames=self.renames, now=self.now, wanted=self.wanted, label=self.label
        )


def _merged(state: Replay, ways: Sequence[_Way], newest: Shape, live: Shape, plain: list[Draft]) -> list[Draft]:
    """Draft again from the live shape, newest first, on the replay made like it; each draft is run to start the next."""
    found = []
    try:
        failed = state.do_by_hand(newest, live)
        for way in ways:
            renames, now = _renamed_back(state, drafts.renames_back(way.forward), _shape(state), way.wanted)
            merged = drift.merge(now, way.now, way.wanted)
            draft = replace(way, renames=renames, now=now, wanted=merged.wanted).draft()
            found.append(drafts.with_conflicts(draft, merged.conflicts))
            state.run([statement.text for statement in parse.read(draft.text)])
    except psycopg.Error as error:
        state.connection.rollback()
        stuck = f"What was done to the target by hand could not be merged: {one_sentence(error)}"
        return [drafts.with_conflicts(each, (stuck,)) for each in plain]
    return [drafts.with_conflicts(each, failed) for each in found]


def _after(folder: Folder, return_to: str | None) -> Sequence[Migration]:
    if return_to is None:
        return folder.migrations
    return folder.migrations[folder.migrations.index(folder.by_tag(return_to)) + 1 :]


def _renamed_back(
    state: Replay, candidates: Sequence[Rename], newest: Shape, wanted: Shape
) -> tuple[list[Rename], Shape]:
    """Let the server say which renames can be taken back, and what the database looks like then."""
    if not candidates:
        return [], newest
    # Opens the transaction, so that what follows are savepoints in it; the outermost block would commit.
    state.connection.execute("SELECT")
    kept, now = [], newest
    for rename in candidates:
        try:
            with state.connection.transaction():
                state.connection.execute(rename.sql.encode())
                renamed = _shape(state)
                # A rename that a DO block never came to would lead away from what was there before.
                if not rename.certain and renamed.distance(wanted) >= now.distance(wanted):
                    raise psycopg.Rollback
                now = renamed
                kept.append(rename)
        except psycopg.Error:
            # What was renamed was dropped later, or its old name is taken: then it is no longer a rename.
            continue
    state.connection.rollback()
    return kept, now


def _shape(state: Replay) -> Shape:
    return read_shape(state.connection, ignore_schemas=(state.layout.ledger_schema,))
