"""From one shape to another: which objects to drop, change and make, in an order that needs no CASCADE.

Every action knows what it waits for: drops wait for the drops of what needs the object, makers for what the
object needs. One topological sort of all of them is the order (rule table of reversal, section 4).
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from rollbacks.reversal import archive, ddl
from rollbacks.reversal.alterations import (
    ALTER,
    CREATE,
    DROP,
    FINISH,
    PHASES,
    Action,
    add_identity,
    altered,
    altered_column,
    drop_identity,
    loses_quietly,
    swapped_enum,
    type_of,
    unsupported,
)
from rollbacks.reversal.objects import RELATION_KINDS, Key, Shape, Thing, name

# The body of a function may name any table without needing it, so functions are made after tables where both can be.
RANK = (
    "trigger", "rule", "policy", "view", "materialized view", "constraint", "index", "statistics", "function", "column",
    "table", "sequence", "enum", "composite type", "domain", "extension", "schema", "foreign table",
)  # fmt: skip
# What PostgreSQL will not let stand while a column that it names changes its type or goes.
BLOCKING = {"view", "materialized view", "rule", "policy", "trigger", "function"}
REMADE = BLOCKING | {"constraint", "index", "statistics", "domain", "composite type"}
PARTS = {"column", "constraint", "index", "trigger", "policy", "rule"}

Node = tuple[str, Key]
# Marks a place in a draft where a person has to write something; a request that still has it cannot be submitted.
FILL_IN = "FILL IN:"


@dataclass
class _Work:
    now: Shape
    wanted: Shape
    label: str | None
    converted: Collection[tuple[str, str]]
    gone: set[Key] = field(default_factory=set)
    new: set[Key] = field(default_factory=set)
    changed: set[Key] = field(default_factory=set)
    remade: set[Key] = field(default_factory=set)
    swapped: set[Key] = field(default_factory=set)
    actions: dict[Node, Action] = field(default_factory=dict)
    after: dict[Node, set[Node]] = field(default_factory=dict)


def changes(
    now: Shape, wanted: Shape, *, label: str | None, converted: Collection[tuple[str, str]] = ()
) -> list[Action]:
    """Return the actions that lead from one shape to the other, in order.

    `label` begins the names of archive tables; None drops without keeping, which is somebody's visible choice.
    `converted` names columns (table, column) whose values the forward SQL computed, so that no cast brings them back.
    """
    work = _Work(now, wanted, label, converted)
    _sort_out(work)
    for build in (_drops, _alters, _creates, _grants):
        for action in build(work):
            work.actions[action.phase, action.key] = action
    _order(work)
    return list(_sorted(work))


# ── what is to be done ──────────────────────────────────────────────────────────────────────────────────────


def _sort_out(work: _Work) -> None:
    now, wanted = work.now.things, work.wanted.things
    work.gone = {key for key in now.keys() - wanted.keys() if not archive.goes(key)}
    work.new = {key for key in wanted.keys() - now.keys() if not archive.goes(key)}
    work.changed = {key for key in now.keys() & wanted.keys() if _facts(now[key]) != _facts(wanted[key])}
    work.swapped = {key for key in work.changed if not _only_added(now[key], wanted[key])}
    work.remade = {key for key in work.changed if _must_be_remade(now[key], wanted[key])}
    spread = [*work.remade, *work.gone]
    for key in work.changed:
        if type_of(now[key]) != type_of(wanted[key]):
            spread += _blockers(work, key, BLOCKING)
    for key in work.swapped:
        for using in work.now.dependents(key):
            in_place = using.kind == "column" and not using.get("generated")
            spread += _blockers(work, using.key, BLOCKING) if in_place else [using.key]
    _spread(work, spread)


def _facts(thing: Thing) -> dict[str, str]:
    return {name_: value for name_, value in thing.attributes.items() if value}


def _only_added(now: Thing, wanted: Thing) -> bool:
    """Tell whether every value of now is still wanted, in the same order: then values can simply be added."""
    rest = iter(wanted.get("values").split("\0"))
    return all(value in rest for value in now.get("values").split("\0"))


def _must_be_remade(now: Thing, wanted: Thing) -> bool:
    if {**_facts(now), "comment": ""} == {**_facts(wanted), "comment": ""}:
        return False
    if now.kind == "function":
        return now.get("signature") != wanted.get("signature") or now.get("word") != wanted.get("word")
    if now.kind == "column":
        return bool(wanted.get("generated")) and now.get("generated") != wanted.get("generated")
    return now.kind in REMADE


def _blockers(work: _Work, key: Key, kinds: set[str]) -> list[Key]:
    return [thing.key for thing in work.now.dependents(key) if thing.kind in kinds or thing.get("generated")]


def _spread(work: _Work, start: Iterable[Key]) -> None:
    """What is dropped takes down what needs it; of that, what is still wanted has to be made again."""
    waiting, seen = list(start), set[Key]()
    while waiting:
        key = waiting.pop()
        if key in seen:
            continue
        seen.add(key)
        if key in work.wanted.things:
            work.remade.add(key)
        waiting += _blockers(work, key, REMADE)


def _parent(shape: Shape, key: Key) -> Key:
    """Return the relation that a part belongs to, an empty key for what belongs to none."""
    if key[0] not in PARTS:
        return ()
    return next((kind, *key[1:3]) for kind in RELATION_KINDS.values() if (kind, *key[1:3]) in shape.things)


# ── drops ───────────────────────────────────────────────────────────────────────────────────────────────────


def _drops(work: _Work) -> Iterator[Action]:
    for key in work.gone | work.remade:
        thing = work.now.things[key]
        if _goes_along(work, thing):
            continue
        if thing.kind == "table" and work.label:
            kept = archive.keep_table(thing, work.now, label=work.label)
            yield Action(DROP, key, kept.statements, reapply=kept.reapply)
        elif thing.kind == "column" and work.label and not thing.get("generated"):
            yield from _kept_columns(work, thing, work.label)
        else:
            yield Action(DROP, key, (ddl.drop(thing),))


def _goes_along(work: _Work, thing: Thing) -> bool:
    """Tell whether something else's drop takes the object with it."""
    parent = _parent(work.now, thing.key)
    if parent in work.gone | work.remade:
        if _points_at_another(work, thing, parent):
            return False
        # A table that is kept moves bare, so its parts are dropped one by one; a column moves with it.
        return thing.kind == "column" or not (work.label and parent[0] == "table")
    # A sequence that belongs to a column goes with it, also where the column's table is kept.
    return ("column", *thing.get("owner").split("\0")) in work.gone


def _points_at_another(work: _Work, thing: Thing, parent: Key) -> bool:
    """Tell whether it is a foreign key to another table that goes: two tables that point at each other need it first."""
    tables = {("table", *need[1:3]) for need in thing.needs} - {parent}
    return thing.get("type") == "f" and not tables.isdisjoint(work.gone)


def _kept_columns(work: _Work, thing: Thing, label: str) -> Iterator[Action]:
    """Copy all columns of the table that go at once, when the first of them is met."""
    parent, go = _parent(work.now, thing.key), work.gone | work.remade
    going = [each for each in work.now.columns(parent) if each.key in go and not each.get("generated")]
    if thing.key == going[0].key:
        kept = archive.keep_columns(work.now.things[parent], going, work.now, label=label)
        # The copy waits for nothing, and _rank puts it before every drop.
        yield Action(DROP, ("archive", *parent[1:]), kept.statements, reapply=kept.reapply)
    yield Action(DROP, thing.key, (ddl.drop(thing),))


# ── changes in place ────────────────────────────────────────────────────────────────────────────────────────


def _alters(work: _Work) -> Iterator[Action]:
    for key in work.changed - work.remade:
        now, wanted = work.now.things[key], work.wanted.things[key]
        if key[0] == "column":
            if now.get("identity") and not wanted.get("identity"):
                # First of all, because a sequence of the same name may have to be made.
                yield Action(DROP, ("identity", *key[1:]), (drop_identity(now),))
            if work.label and loses_quietly(now.get("type"), wanted.get("type")) and not now.get("generated"):
                table = work.now.things[("table", *key[1:3])]
                kept = archive.keep_rounded(table, now, wanted, work.now, label=work.label)
                yield Action(DROP, ("archive", *key[1:]), kept.statements, reapply=kept.reapply)
            if wanted.get("identity") and not now.get("identity"):
                # Last of all, because a sequence of the same name may have to go.
                yield Action(FINISH, ("identity", *key[1:]), (add_identity(wanted),))
            yield altered_column(now, wanted, converted=key[2:4] in work.converted)
        elif key in work.swapped:
            yield swapped_enum(now, wanted, before=work.now, after=work.wanted)
        else:
            notes = tuple(unsupported(now, wanted))
            yield Action(ALTER, key, tuple(altered(now, wanted)), "d" if notes else "a", notes)


# ── what is made ────────────────────────────────────────────────────────────────────────────────────────────


def _creates(work: _Work) -> Iterator[Action]:
    for key in work.new | work.remade:
        thing = work.wanted.things[key]
        if key[0] == "column" and _parent(work.wanted, key) in work.new:
            continue
        yield _created(work, thing)
        if thing.get("owned_by"):
            yield Action(FINISH, key, tuple(ddl.owned_by(thing)))
    for key, thing in work.wanted.things.items():
        if key[0] == "table":
            yield from _physical(work, thing)
    for key in work.changed:
        if work.now.things[key].get("owned_by") != work.wanted.things[key].get("owned_by"):
            yield Action(FINISH, key, tuple(ddl.owned_by(work.wanted.things[key])))


def _created(work: _Work, thing: Thing) -> Action:
    if thing.kind == "foreign table":
        return Action(CREATE, thing.key, (), "d", (f"{ddl.target(thing)} is a foreign table; make it by hand.",))
    statements, notes, cls = ddl.create(thing, work.wanted), [], "a"
    if thing.kind == "table":
        cls = "c"
        notes.append(f"The rows of {ddl.target(thing)} are gone; load them from a backup taken before the migration.")
    elif thing.kind == "column" and not thing.get("generated"):
        cls = "c"
        notes.append(f"The values of {ddl.target(thing)} are gone; take them from a backup, or derive them.")
        if thing.get("required") and not ddl.fills_itself(thing):
            statements.append(
                f"-- {FILL_IN} {ddl.target(thing)} must have a value in every row before the next statement.\n"
                f"{ddl.set_not_null(thing)}"
            )
    elif thing.kind == "constraint" and thing.key in work.new:
        cls = "b"
        notes.append(f"Rows written since that break {name(thing.key[3])} stop the rollback; correct them before.")
    return Action(CREATE, thing.key, tuple(statements), cls, tuple(notes))


def _physical(work: _Work, table: Thing) -> Iterator[Action]:
    """What a table is clustered and replicated by goes with its index, so it is said again when that is made anew."""
    made = work.new | work.remade
    anew = any(key[0] in {"index", "constraint"} and key[1:3] == table.key[1:3] for key in made)
    statements = tuple(ddl.physical(None if anew else work.now.things.get(table.key), table))
    if statements:
        yield Action(FINISH, ("physical", *table.key[1:3]), statements)


def _grants(work: _Work) -> Iterator[Action]:
    """Privileges by exact difference; never REVOKE ALL, and what is made anew begins with what the server gives."""
    dropped = {_grant_name(work.now.things[key]) for key in work.gone | work.remade}
    have = {grant for grant in work.now.grants if grant[1] not in dropped}
    for key in work.new | work.remade:
        if key[0] in {"function", "enum", "domain"}:
            kind, privilege = ("FUNCTION", "EXECUTE") if key[0] == "function" else ("TYPE", "USAGE")
            have.add((kind, _grant_name(work.wanted.things[key]), "PUBLIC", privilege, False))
    statements = []
    for kind, full, grantee, privilege, grantable in sorted(work.wanted.grants - have):
        option = " WITH GRANT OPTION" if grantable else ""
        statements.append(f"GRANT {privilege} ON {kind} {full} TO {grantee}{option};")
    for kind, full, grantee, privilege, _grantable in sorted(have - work.wanted.grants):
        statements.append(f"REVOKE {privilege} ON {kind} {full} FROM {grantee};")
    if statements:
        yield Action(FINISH, ("grant",), tuple(statements), "b", ("Who may do what changes with this rollback.",))


def _grant_name(thing: Thing) -> str:
    return ddl.target(thing)


# ── order ───────────────────────────────────────────────────────────────────────────────────────────────────


def _order(work: _Work) -> None:
    for phase, key in list(work.actions):
        if phase == DROP:
            _order_drop(work, key)
        elif phase == ALTER:
            _order_alter(work, key)
        elif phase == CREATE:
            _wait(work, (CREATE, key), (DROP, key))
            _wait_for_needs(work, (CREATE, key), _all_needs(work.wanted, key))
        else:
            for other in work.actions:
                if other[0] != FINISH:
                    _wait(work, (FINISH, key), other)


def _order_drop(work: _Work, key: Key) -> None:
    for part in (key, *(thing.key for thing in work.now.children(key, "column") if key[0] == "table")):
        for thing in work.now.dependents(part):
            _wait(work, (DROP, key), (DROP, thing.key))
            _wait(work, (DROP, key), (ALTER, thing.key))
            # What is dropped by itself ties the two parents no longer: tables may point at each other.
            if (DROP, thing.key) not in work.actions:
                _wait(work, (DROP, key), (DROP, _parent(work.now, thing.key)))


def _order_alter(work: _Work, key: Key) -> None:
    _wait_for_needs(work, (ALTER, key), work.wanted.things[key].needs)
    users = [key, *(thing.key for thing in work.now.dependents(key))]
    for part in users:
        for thing in work.now.dependents(part):
            _wait(work, (ALTER, key), (DROP, thing.key))
            if key not in work.wanted.things.get(thing.key, Thing((), {})).needs:
                _wait(work, (ALTER, key), (ALTER, thing.key))


def _all_needs(shape: Shape, key: Key) -> set[Key]:
    """Return what the object needs, for a table with what its columns need."""
    needs = set(shape.things[key].needs)
    if key[0] == "table":
        for column in shape.columns(key):
            needs |= column.needs
    return needs


def _wait_for_needs(work: _Work, node: Node, needs: Iterable[Key]) -> None:
    for need in needs:
        _wait(work, node, (CREATE, need))
        _wait(work, node, (ALTER, need))
        _wait(work, node, (CREATE, _parent(work.wanted, need)))


def _wait(work: _Work, node: Node, other: Node) -> None:
    if other in work.actions and other != node:
        work.after.setdefault(node, set()).add(other)


def _sorted(work: _Work) -> Iterator[Action]:
    """Kahn's algorithm; among what may come next, drops before changes before makers, then by kind and name."""
    waiting = {node: set(work.after.get(node, ())) for node in work.actions}
    followers: dict[Node, list[Node]] = {}
    for node, others in waiting.items():
        for other in others:
            followers.setdefault(other, []).append(node)
    ready = [(_rank(node), node) for node, others in waiting.items() if not others]
    heapq.heapify(ready)
    while waiting:
        if not ready:
            # A circle: take the first by rank, and let the proof say whether the server agrees.
            first = min(waiting, key=_rank)
            ready = [(_rank(first), first)]
        _, node = heapq.heappop(ready)
        if waiting.pop(node, None) is None:
            continue
        yield work.actions[node]
        for follower in followers.get(node, ()):
            if follower in waiting:
                waiting[follower].discard(node)
                if not waiting[follower]:
                    heapq.heappush(ready, (_rank(follower), follower))


def _rank(node: Node) -> tuple[int, int, Key]:
    phase, key = node
    # What is copied and an identity that goes have no kind in RANK and so come first of all.
    kind = RANK.index(key[0]) if key[0] in RANK else -1
    return PHASES.index(phase), kind if phase == DROP else -kind, key
