"""Drift: what a live database has differently from what its migrations made, merged into the way back.

A three-way merge: P is the return point, N the newest migration, L the live database. What only L changed is kept,
what only the migrations changed is taken back, what both changed is a conflict that is named and never decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from rollbacks.reversal import archive
from rollbacks.reversal.changes import changes
from rollbacks.reversal.ddl import target
from rollbacks.reversal.objects import Key, Shape, Thing


@dataclass(frozen=True)
class Merged:
    """The shape to go back to with the drift in it, and one sentence for each thing that both sides changed."""

    wanted: Shape
    conflicts: tuple[str, ...]


def drifted(live: Shape, newest: Shape) -> bool:
    """Tell whether the live database has anything that the newest migration's replay has not, or the other way round."""
    return live.grants != newest.grants or _things(live) != _things(newest)


def made_by_hand(newest: Shape, live: Shape) -> list[tuple[Key, tuple[str, ...]]]:
    """Return what leads from the newest migration's replay to what the live database is, object by object, in order."""
    return [(action.key, action.statements) for action in changes(newest, live, label=None)]


def merge(live: Shape, newest: Shape, wanted: Shape) -> Merged:
    """Return what the live database has to become when the way from `newest` to `wanted` is gone on it."""
    things: dict[Key, Thing] = {}
    conflicts: list[str] = []
    # In the order of the return point, then of the live database: makers are ordered by what they need anyway.
    for key in dict.fromkeys([*wanted.things, *live.things]):
        kept = _merged(key, live, newest, wanted, conflicts)
        if kept is not None:
            things[key] = kept
    conflicts += _homeless(things, live, newest)
    grants = (live.grants - (newest.grants - wanted.grants)) | (wanted.grants - newest.grants)
    there = {target(thing) for thing in things.values()}
    lost = {grant for grant in grants if grant[1] not in there}
    for _kind, full, grantee, privilege, _grantable in sorted(lost):
        conflicts.append(
            f"{privilege} on {full} was granted to {grantee} by hand and goes with what it was granted on."
        )
    return Merged(Shape(things, grants - lost), tuple(conflicts))


def _merged(key: Key, live: Shape, newest: Shape, wanted: Shape, conflicts: list[str]) -> Thing | None:
    mine, base, theirs = live.things.get(key), newest.things.get(key), wanted.things.get(key)
    if _same(mine, base):
        return theirs
    if _same(base, theirs) or _same(mine, theirs):
        return mine
    if mine is None or base is None or theirs is None:
        conflicts.append(_conflict(mine or theirs, mine, base, theirs))
        return theirs
    return _attributes(mine, base, theirs, conflicts)


def _attributes(mine: Thing, base: Thing, theirs: Thing, conflicts: list[str]) -> Thing:
    """Both sides changed the object: attribute by attribute, so that a comment by hand is no quarrel with a new type."""
    attributes = dict(theirs.attributes)
    for name in {*mine.attributes, *base.attributes}:
        if mine.get(name) == base.get(name) or mine.get(name) == theirs.get(name):
            continue
        if base.get(name) == theirs.get(name):
            attributes[name] = mine.get(name)
        else:
            conflicts.append(
                f"The {name.replace('_', ' ')} of {target(theirs)} was changed by hand and by a migration to undo; the "
                "draft goes back to what it was before the migration."
            )
    return replace(theirs, attributes=attributes)


def _conflict(shown: Thing | None, mine: Thing | None, base: Thing | None, theirs: Thing | None) -> str:
    place = target(shown) if shown else ""
    if mine is None:
        return f"{place} was dropped by hand and changed by a migration to undo; the draft makes it again as it was."
    if base is None:
        return f"{place} was made by hand and is there at the return point too, but not the same; compare the two."
    return f"{place} was changed by hand and goes with a migration to undo; put the change into a migration to keep it."


def _homeless(things: dict[Key, Thing], live: Shape, newest: Shape) -> Iterator[str]:
    """Take out what was made by hand on something that goes, and say so: an index on a table, a view on a column."""
    while True:
        lost = [key for key, thing in things.items() if key not in newest.things
                and any(need in live.things and need not in things for need in thing.needs)]  # fmt: skip
        if not lost:
            return
        for key in lost:
            thing = things.pop(key)
            yield (
                f"{target(thing)} was made by hand on something that goes with the migrations to undo, so it goes as well; "
                "put it into a migration to keep it."
            )


def _things(shape: Shape) -> Mapping[Key, Mapping[str, str]]:
    return {key: thing.attributes for key, thing in shape.things.items() if not archive.goes(key)}


def _same(one: Thing | None, other: Thing | None) -> bool:
    if one is None or other is None:
        return one is other
    return {k: v for k, v in one.attributes.items() if v} == {k: v for k, v in other.attributes.items() if v}
