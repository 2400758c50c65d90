"""The class of a statement as people decide on it: refused, denied, opaque, another lane, destructive, warning, safe.

Source: acceptance, section 8. The letters are stable; pages and pipelines show them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollbacks.reversal import lane
from rollbacks.reversal.locks import Lock, lock_of
from rollbacks.reversal.parse import Statement
from rollbacks.reversal.refusals import Refusal
from rollbacks.reversal.tree import dropped, walk

REFUSED, DENIED, OPAQUE, LANE, DESTRUCTIVE, WARNING, SAFE = "R", "D", "X", "N", "P", "W", "S"
DENIED_CODES = {"outside", "extension", "security-definer", "triggers", "meaning", "shadow", "owner"}
LANE_CODES = {"non-transactional"}
OPAQUE_CODES = {"call"}
OPAQUE_KINDS = {"do_stmt": "a code block", "create_function_stmt": "a function", "create_trig_stmt": "a trigger",
                "rule_stmt": "a rule"}  # fmt: skip
CHANGES_ROWS = {
    "delete_stmt": "deletes rows", "update_stmt": "changes rows", "merge_stmt": "changes or deletes rows",
    "truncate_stmt": "empties tables",
}  # fmt: skip
DROPS = {
    "OBJECT_TABLE": "drops a table with its rows", "OBJECT_SCHEMA": "drops a schema",
    "OBJECT_MATVIEW": "drops a materialized view", "OBJECT_SEQUENCE": "drops a sequence",
}  # fmt: skip
RELATIONS = {
    "OBJECT_TABLE", "OBJECT_VIEW", "OBJECT_MATVIEW", "OBJECT_INDEX", "OBJECT_SEQUENCE", "OBJECT_FOREIGN_TABLE",
}  # fmt: skip
ON_RELATIONS = {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}
COMMANDS = {
    "AT_DropColumn": (DESTRUCTIVE, "drops a column with its values"),
    "AT_AlterColumnType": (DESTRUCTIVE, "changes a type, which may rewrite the table and refuse or cut values"),
    "AT_SetUnLogged": (WARNING, "makes the table unlogged: a crash empties it"),
    "AT_EnableRowSecurity": (WARNING, "changes row security"),
    "AT_DisableRowSecurity": (WARNING, "changes row security"),
    "AT_ForceRowSecurity": (WARNING, "changes row security"),
    "AT_NoForceRowSecurity": (WARNING, "changes row security"),
}
WARNINGS = {
    "select_stmt": "changes nothing by itself, whatever it calls",
    "grant_stmt": "changes who may do what",
    "alter_default_privileges_stmt": "changes the grants of future objects",
    "lock_stmt": "takes a lock that others wait for",
    "create_policy_stmt": "changes row security",
    "alter_policy_stmt": "changes row security",
    "alter_enum_stmt": "adds a value that cannot be used in the same transaction",
    "explain_stmt": "shows a plan",
}
CHANGES_NOTHING = {"variable_show_stmt"}
ORDER = (REFUSED, DENIED, OPAQUE, LANE, DESTRUCTIVE, WARNING, SAFE)


@dataclass(frozen=True)
class Judgement:
    """A statement's class with one sentence, the relations it names, its lock and whether a transaction can hold it."""

    line: int
    cls: str
    sentence: str
    relations: tuple[str, ...]
    lock: Lock
    transactional: bool


def judge(statement: Statement, refusals: Collection[Refusal]) -> Judgement:
    """Return the worst class that anything in the statement has."""
    found = [*_of_refusals(refusals), *_of_tree(statement)]
    cls, sentence = min(found, key=lambda each: ORDER.index(each[0]), default=(SAFE, "changes what it names"))
    return Judgement(
        statement.line, cls, sentence, _relations(statement), lock_of(statement), not lane.outside(statement)
    )


def _relations(statement: Statement) -> tuple[str, ...]:
    """Return the relations named, as written, without what a WITH clause names for the statement itself."""
    nodes = list(walk(statement.kind, statement.tree))
    own = {node.get("ctename") for _, node in nodes}
    names = [
        (str(node.get("schemaname", "")), str(node["relname"]))
        for _, node in nodes
        if isinstance(node.get("relname"), str) and (node.get("schemaname") or node["relname"] not in own)
    ]
    kind = statement.tree.get("remove_type") if statement.kind == "drop_stmt" else None
    if kind in RELATIONS:
        names += [("", ".".join(name)) for name in dropped(statement.tree)]
    elif kind in ON_RELATIONS:
        names += [("", ".".join(name[:-1])) for name in dropped(statement.tree)]
    return tuple(dict.fromkeys(".".join(filter(None, name)) for name in names))


def used_before_commit(statements: Sequence[Statement]) -> Iterator[Refusal]:
    """Refuse a script that adds an enum value and uses it: PostgreSQL allows that only after a COMMIT."""
    added = {each.tree["new_val"]: each for each in statements if _adds_value(each)}
    for statement in statements:
        for name, node in walk(statement.kind, statement.tree):
            if name == "sval" and node.get("sval") in added:
                yield Refusal(
                    statement.line, "same-script",
                    f"The enum value “{node['sval']}” is added and used in the same rollback, which PostgreSQL does not "
                    "allow; add it in one rollback and use it in the next.",
                )  # fmt: skip


def _adds_value(statement: Statement) -> bool:
    return "new_val" in statement.tree and "old_val" not in statement.tree


def _of_refusals(refusals: Collection[Refusal]) -> Iterator[tuple[str, str]]:
    for refusal in refusals:
        if refusal.code in LANE_CODES:
            yield LANE, refusal.sentence
        elif refusal.code in OPAQUE_CODES:
            yield OPAQUE, refusal.sentence
        else:
            yield (DENIED if refusal.code in DENIED_CODES else REFUSED), refusal.sentence


def _of_tree(statement: Statement) -> Iterator[tuple[str, str]]:
    kind, tree = statement.kind, statement.tree
    if lane.outside(statement):
        yield LANE, "runs outside the transaction, by itself"
    if kind in OPAQUE_KINDS:
        yield OPAQUE, f"adds or runs {OPAQUE_KINDS[kind]} that nobody can analyse"
    if kind == "drop_stmt":
        yield from _of_drop(tree)
    if kind in CHANGES_NOTHING:
        yield WARNING, "changes nothing"
    if "old_val" in tree:
        yield WARNING, "renames a value, which running code may still send"
    elif kind in WARNINGS:
        yield WARNING, WARNINGS[kind]
    for name, node in walk(kind, tree):
        if name in CHANGES_ROWS:
            yield DESTRUCTIVE, CHANGES_ROWS[name]
        elif node.get("subtype") in COMMANDS:
            yield COMMANDS[node["subtype"]]
        elif node.get("action") == "ONCONFLICT_UPDATE":
            yield DESTRUCTIVE, "changes rows that are already there"


def _of_drop(tree: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if tree.get("remove_type") in DROPS:
        yield DESTRUCTIVE, DROPS[str(tree["remove_type"])]
    elif tree.get("remove_type") == "OBJECT_EXTENSION":
        yield WARNING, "drops an extension with everything it brought"
    elif tree.get("remove_type") == "OBJECT_POLICY":
        yield WARNING, "changes row security"
    elif tree.get("missing_ok"):
        yield WARNING, "does nothing where the object is not there"
