"""Which lock a statement takes on the tables it names, and whether it reads or writes a whole table anew.

Source: PostgreSQL's documentation of explicit locking and of ALTER TABLE; each line of the tables is compared with
what a server really takes (tests/reversal/test_locks.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollbacks.reversal.parse import Statement
from rollbacks.reversal.tree import strings, walk

# Weakest first; a statement that does several things takes the strongest.
MODES = (
    "AccessShareLock", "RowShareLock", "RowExclusiveLock", "ShareUpdateExclusiveLock", "ShareLock", "ShareRowExclusiveLock",
    "ExclusiveLock", "AccessExclusiveLock",
)  # fmt: skip
NONE, SCAN, BUILD, REWRITE = "", "scan", "index", "rewrite"
EFFECTS = (NONE, SCAN, BUILD, REWRITE)
STATEMENTS = {
    "select_stmt": "AccessShareLock", "insert_stmt": "RowExclusiveLock", "update_stmt": "RowExclusiveLock",
    "delete_stmt": "RowExclusiveLock", "merge_stmt": "RowExclusiveLock", "truncate_stmt": "AccessExclusiveLock",
    "create_trig_stmt": "ShareRowExclusiveLock", "create_policy_stmt": "AccessExclusiveLock",
    "alter_policy_stmt": "AccessExclusiveLock", "rule_stmt": "AccessExclusiveLock", "rename_stmt": "AccessExclusiveLock",
    "alter_object_schema_stmt": "AccessExclusiveLock", "comment_stmt": "ShareUpdateExclusiveLock",
    "create_table_as_stmt": "AccessShareLock", "view_stmt": "AccessShareLock", "refresh_mat_view_stmt": "AccessExclusiveLock",
    "create_stats_stmt": "ShareUpdateExclusiveLock", "drop_stmt": "AccessExclusiveLock",
}  # fmt: skip
# Every other command of ALTER TABLE takes ACCESS EXCLUSIVE.
COMMANDS = {
    "AT_ValidateConstraint": "ShareUpdateExclusiveLock", "AT_SetStatistics": "ShareUpdateExclusiveLock",
    "AT_EnableTrig": "ShareRowExclusiveLock", "AT_DisableTrig": "ShareRowExclusiveLock",
    "AT_EnableTrigUser": "ShareRowExclusiveLock", "AT_DisableTrigUser": "ShareRowExclusiveLock",
    "AT_EnableTrigAll": "ShareRowExclusiveLock", "AT_DisableTrigAll": "ShareRowExclusiveLock",
    "AT_EnableAlwaysTrig": "ShareRowExclusiveLock", "AT_EnableReplicaTrig": "ShareRowExclusiveLock",
    "AT_ClusterOn": "ShareUpdateExclusiveLock", "AT_DropCluster": "ShareUpdateExclusiveLock",
    "AT_AttachPartition": "ShareUpdateExclusiveLock",
}  # fmt: skip
COMMAND_EFFECTS = {
    "AT_AlterColumnType": REWRITE, "AT_SetNotNull": SCAN, "AT_ValidateConstraint": SCAN, "AT_SetExpression": REWRITE,
    "AT_SetLogged": REWRITE, "AT_SetUnLogged": REWRITE, "AT_SetAccessMethod": REWRITE, "AT_AttachPartition": SCAN,
}  # fmt: skip
# Defaults that are worked out once for all rows; any other call may answer differently for each row and rewrites.
CONSTANT_CALLS = {"now", "transaction_timestamp", "lower", "upper", "concat"}
SERIALS = {"serial", "bigserial", "smallserial"}


@dataclass(frozen=True)
class Lock:
    """The strongest lock on an existing table, and the heaviest work under it: "", "scan", "index" or "rewrite".

    A rewrite may turn out to be none, as for varchar(10) to varchar(20); the proof says what really happened.
    """

    mode: str
    effect: str


def lock_of(statement: Statement) -> Lock:
    """Return the lock of one statement; an empty mode for what names no table that others use."""
    kind, tree = statement.kind, statement.tree
    if kind == "index_stmt":
        mode = "ShareUpdateExclusiveLock" if tree.get("concurrent") else "ShareLock"
        return Lock(mode, BUILD)
    if kind == "reindex_stmt":
        return Lock("ShareLock", BUILD)
    if kind == "drop_stmt" and tree.get("concurrent"):
        return Lock("ShareUpdateExclusiveLock", NONE)
    if kind == "alter_table_stmt" and tree.get("objtype", "OBJECT_TABLE") == "OBJECT_TABLE":
        return _of_commands(tree)
    effect = REWRITE if kind == "refresh_mat_view_stmt" else SCAN if kind == "create_table_as_stmt" else NONE
    return Lock(STATEMENTS.get(kind, ""), effect)


def _of_commands(tree: Mapping[str, Any]) -> Lock:
    commands = [each.get("alter_table_cmd", {}) for each in tree.get("cmds", [])]
    found = [pair for command in commands for pair in _of_command(command)]
    mode = max((each[0] for each in found), key=MODES.index, default="AccessExclusiveLock")
    return Lock(mode, max((each[1] for each in found), key=EFFECTS.index, default=NONE))


def _of_command(command: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    subtype = str(command.get("subtype", ""))
    constraint = command.get("def", {}).get("constraint", {})
    if constraint:
        yield _of_constraint(constraint)
    elif subtype == "AT_AddColumn":
        yield "AccessExclusiveLock", _of_column(command.get("def", {}).get("column_def", {}))
    else:
        yield COMMANDS.get(subtype, "AccessExclusiveLock"), COMMAND_EFFECTS.get(subtype, NONE)


def _of_constraint(constraint: Mapping[str, Any]) -> tuple[str, str]:
    kind = constraint.get("contype")
    if kind == "CONSTR_FOREIGN":
        return "ShareRowExclusiveLock", SCAN if constraint.get("initially_valid") else NONE
    if kind in {"CONSTR_UNIQUE", "CONSTR_PRIMARY", "CONSTR_EXCLUSION"}:
        return "AccessExclusiveLock", NONE if constraint.get("indexname") else BUILD
    return "AccessExclusiveLock", SCAN if constraint.get("initially_valid") else NONE


def _of_column(column: Mapping[str, Any]) -> str:
    """A new column is only written into every row when its value may differ from row to row."""
    effect = NONE
    if SERIALS.intersection(strings(column.get("type_name", {}).get("names", []))[-1:]):
        effect = REWRITE
    for each in column.get("constraints", []):
        constraint = each.get("constraint", {})
        if constraint.get("contype") in {"CONSTR_IDENTITY", "CONSTR_GENERATED"}:
            effect = REWRITE
        elif constraint.get("contype") == "CONSTR_DEFAULT":
            nodes = (node for _name, node in walk("", constraint.get("raw_expr", {})))
            names = {name for node in nodes for name in strings(node.get("funcname", []))}
            if names - CONSTANT_CALLS - {"pg_catalog"}:
                effect = REWRITE
        elif constraint.get("contype") in {"CONSTR_UNIQUE", "CONSTR_PRIMARY"} and effect != REWRITE:
            effect = BUILD
        elif constraint.get("contype") in {"CONSTR_CHECK", "CONSTR_FOREIGN"} and effect == NONE:
            effect = SCAN
    return effect
