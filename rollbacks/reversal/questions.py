"""Which questions reverse SQL raises about the rows of the live target, read from its parse tree alone.

Only our own comparisons are asked of a target before anybody signed: a CHECK or a USING that a person wrote is an
expression of theirs, and is first evaluated on the restored backup, after the signatures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rollbacks.reversal.archive import SCHEMA as ARCHIVE_SCHEMA
from rollbacks.reversal.parse import Statement
from rollbacks.reversal.tree import dropped, strings

Relation = tuple[str, str]
ROWS, VALUES, NULLS, DUPLICATES, ORPHANS, CASTS, LABELS = (
    "rows", "values", "nulls", "duplicates", "orphans", "casts", "labels",
)  # fmt: skip


@dataclass(frozen=True)
class Question:
    """One thing to count on the live target: its kind, the statement's line, the relation and columns as they are live.

    `relation` is schema and name, the schema empty where the SQL leaves it to the search path. `other` is the
    referenced relation of a foreign key, `labels` the values of a new enum, `type` the parts of a type's name, and
    `translated` tells that a USING makes something else of the values than a cast would.
    """

    kind: str
    line: int
    relation: Relation
    columns: tuple[str, ...] = ()
    archived: bool = False
    other: Relation = ("", "")
    other_columns: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    type: Mapping[str, Any] = field(default_factory=dict)
    translated: bool = False


class _Names:
    """What the script has renamed so far, so that each question is asked by the name that the target has now."""

    def __init__(self) -> None:
        self.relations: dict[Relation, Relation] = {}
        self.columns: dict[tuple[Relation, str], str] = {}
        self.enums: dict[Relation, tuple[str, ...]] = {}

    def live(self, relation: Relation) -> Relation:
        return self.relations.get(relation, relation)

    def live_columns(self, relation: Relation, columns: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.columns.get((self.live(relation), column), column) for column in columns)

    def follow(self, statement: Statement) -> None:
        """Note what the statement renames, moves or creates."""
        tree, kind = statement.tree, statement.kind
        if kind == "create_enum_stmt":
            self.enums[_name(strings(tree.get("type_name", [])))] = tuple(strings(tree.get("vals", [])))
        if "relation" not in tree:
            return
        relation = _relation(tree["relation"])
        if kind == "alter_object_schema_stmt":
            self.relations[(str(tree["newschema"]), relation[1])] = self.live(relation)
        elif tree.get("rename_type") == "OBJECT_COLUMN":
            before = self.live_columns(relation, [str(tree["subname"])])[0]
            self.columns[(self.live(relation), str(tree["newname"]))] = before
        elif tree.get("rename_type") == "OBJECT_TABLE":
            self.relations[(relation[0], str(tree["newname"]))] = self.live(relation)


def questions(statements: Sequence[Statement]) -> list[Question]:
    """Return what to count for these statements, in their order."""
    names, kept, found = _Names(), _archived(statements), list[Question]()
    for statement in statements:
        found += _of(statement, names, kept)
        names.follow(statement)
    return found


def _archived(statements: Sequence[Statement]) -> set[tuple[Relation, str]]:
    """Return the columns that the script copies into the archive."""
    kept = set()
    for statement in statements:
        if _into(statement.tree) != ARCHIVE_SCHEMA:
            continue
        query = statement.tree.get("query", {}).get("select_stmt", {})
        sources = [_relation(each["range_var"]) for each in query.get("from_clause", []) if "range_var" in each]
        columns = [_column(each["res_target"].get("val", {})) for each in query.get("target_list", [])]
        kept |= {(source, column) for source in sources for column in columns}
    return kept


def _column(value: Mapping[str, Any]) -> str:
    """Return the column that a value is, cast or not; empty for what is worked out."""
    while "type_cast" in value:
        value = value["type_cast"]["arg"]
    return "".join(strings(value["column_ref"].get("fields", []))[-1:]) if "column_ref" in value else ""


def _of(statement: Statement, names: _Names, kept: set[tuple[Relation, str]]) -> Iterator[Question]:
    tree, line = statement.tree, statement.line
    if tree.get("remove_type") in {"OBJECT_TABLE", "OBJECT_MATVIEW"}:
        for parts in dropped(tree):
            yield Question(ROWS, line, names.live(_name(parts)))
    elif statement.kind == "truncate_stmt":
        for each in tree.get("relations", []):
            yield Question(ROWS, line, names.live(_relation(each["range_var"])))
    elif tree.get("newschema") == ARCHIVE_SCHEMA and "relation" in tree:
        yield Question(ROWS, line, names.live(_relation(tree["relation"])), archived=True)
    elif tree.get("unique") and not tree.get("where_clause"):
        columns = [each.get("index_elem", {}).get("name", "") for each in tree.get("index_params", [])]
        if all(columns):
            relation = _relation(tree["relation"])
            yield Question(DUPLICATES, line, names.live(relation), names.live_columns(relation, columns))
    elif "cmds" in tree:
        relation = _relation(tree["relation"])
        for each in tree.get("cmds", []):
            yield from _of_command(each.get("alter_table_cmd", {}), line, relation, names, kept)


def _of_command(
    command: Mapping[str, Any], line: int, relation: Relation, names: _Names, kept: set[tuple[Relation, str]]
) -> Iterator[Question]:
    subtype, column = command.get("subtype"), str(command.get("name", ""))
    live, columns = names.live(relation), names.live_columns(relation, [column])
    if subtype == "AT_DropColumn":
        yield Question(VALUES, line, live, columns, archived=(relation, column) in kept)
    elif subtype == "AT_SetNotNull":
        yield Question(NULLS, line, live, columns)
    elif subtype == "AT_AlterColumnType":
        definition = command.get("def", {}).get("column_def", {})
        type_, translated = definition.get("type_name", {}), not _only_casts(definition.get("raw_default", {}))
        labels = names.enums.get(_name(strings(type_.get("names", []))))
        if labels is not None:
            yield Question(LABELS, line, live, columns, labels=labels, translated=translated)
        else:
            yield Question(CASTS, line, live, columns, type=type_, translated=translated)
    elif subtype == "AT_AddConstraint":
        yield from _of_constraint(command.get("def", {}).get("constraint", {}), line, relation, names)


def _only_casts(using: Mapping[str, Any]) -> bool:
    """Tell whether a USING is missing or casts its column and does nothing else."""
    while "type_cast" in using:
        using = using["type_cast"].get("arg", {})
    return not using or "column_ref" in using


def _of_constraint(constraint: Mapping[str, Any], line: int, relation: Relation, names: _Names) -> Iterator[Question]:
    live, kind = names.live(relation), constraint.get("contype")
    keys = names.live_columns(relation, strings(constraint.get("keys", [])))
    if kind in {"CONSTR_UNIQUE", "CONSTR_PRIMARY"} and keys:
        yield Question(DUPLICATES, line, live, keys)
    if kind == "CONSTR_PRIMARY" and keys:
        yield Question(NULLS, line, live, keys)
    if constraint.get("initially_valid") and constraint.get("pk_attrs"):
        other = _relation(constraint["pktable"])
        yield Question(
            ORPHANS, line, live, names.live_columns(relation, strings(constraint.get("fk_attrs", []))),
            other=names.live(other), other_columns=names.live_columns(other, strings(constraint["pk_attrs"])),
        )  # fmt: skip


def _relation(tree: Mapping[str, Any]) -> Relation:
    return str(tree.get("schemaname", "")), str(tree.get("relname", ""))


def _name(parts: Sequence[str]) -> Relation:
    return (parts[-2] if len(parts) > 1 else "", parts[-1] if parts else "")


def _into(tree: Mapping[str, Any]) -> str:
    return str(tree.get("into", {}).get("rel", {}).get("schemaname", ""))
