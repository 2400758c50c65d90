"""The reverse SQL of one migration as a person reads it: renames back, then the changes, each with its reason.

Intent comes from the forward SQL's parse tree (what was renamed, what changed rows), everything else from the
shapes before and after. What has no inverse is said in one sentence and never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rollbacks.reversal import archive, changes, parse
from rollbacks.reversal.alterations import DROP, Action
from rollbacks.reversal.objects import Key, Shape, literal, name
from rollbacks.reversal.parse import Statement
from rollbacks.reversal.written_rows import rows_written

SHOWN = 100
RELATIONS = {
    "OBJECT_TABLE": "TABLE", "OBJECT_VIEW": "VIEW", "OBJECT_MATVIEW": "MATERIALIZED VIEW", "OBJECT_INDEX": "INDEX",
    "OBJECT_SEQUENCE": "SEQUENCE",
}  # fmt: skip
TYPES = {"OBJECT_TYPE": "TYPE", "OBJECT_DOMAIN": "DOMAIN"}
PARTS = {"OBJECT_POLICY": "POLICY", "OBJECT_TRIGGER": "TRIGGER", "OBJECT_RULE": "RULE"}


@dataclass(frozen=True)
class Rename:
    """One rename taken back: the statement that does it, and the forward statement that it undoes.

    It is not `certain` when a DO block may or may not have come to it.
    """

    sql: str
    undoes: Statement
    certain: bool = True


@dataclass(frozen=True)
class Written:
    """One statement of a draft: its SQL, class and the forward statement it undoes (line 0 when none can be named)."""

    sql: str
    cls: str
    undoes_line: int
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Draft:
    """The reverse of one migration. `residue` says what stays different and what a person has to decide.

    `left` says that something is left to a person for which there is no statement, such as rows that were written.
    """

    tag: str
    statements: tuple[Written, ...]
    residue: tuple[str, ...]
    reapply: tuple[str, ...]
    text: str
    left: bool = False

    @property
    def cls(self) -> str:
        """The worst class of its statements: a, b, c or d; d as well when something is left to a person."""
        return "d" if self.left else max((each.cls for each in self.statements), default="a")


def with_conflicts(draft: Draft, conflicts: Sequence[str]) -> Draft:
    """Return the draft with what a person has to know of the drift that it met, at its head and in its residue."""
    if not conflicts:
        return draft
    head = "".join(f"-- CONFLICT: {_flat(sentence)}\n" for sentence in conflicts)
    return replace(draft, residue=(*draft.residue, *conflicts), text=head + draft.text)


def renames_back(forward: Sequence[Statement]) -> list[Rename]:
    """Return the inverse of every rename and schema move of the forward SQL, last first.

    Which of them still apply is for the server to say: a thing that was renamed and then dropped has none.
    """
    found = [
        Rename(sql, each, certain=statement.inside is None)
        for statement in forward
        for each in _with_inside(statement)
        if (sql := _inverse(each))
    ]
    return found[::-1]


def _with_inside(statement: Statement) -> tuple[Statement, ...]:
    return (statement,) if statement.inside is None else statement.inside


def compose(
    tag: str, forward: Sequence[Statement], *, renames: Sequence[Rename], now: Shape, wanted: Shape, label: str | None
) -> Draft:
    """Return the draft that leads from `now` (the renames already taken back) to `wanted`."""
    actions = changes.changes(now, wanted, label=label, converted=converted_columns(forward))
    rows = list(rows_written(forward, now=now, wanted=wanted, label=label))
    written = [Written(each.sql, "a", each.undoes.line, ()) for each in renames]
    reapply = [each.reapply for each in actions] + [each.reapply for each in rows]
    if any(reapply):
        written += [Written(sql, "a", 0, ()) for sql in archive.PREPARE]
    # A trigger or rule that the migration made may refuse or divert the DELETE that takes its rows back.
    first = [each for each in actions if _may_stand_in_the_way(each)]
    written += [each for action in first for each in _written(action, forward)]
    for each in rows:
        written += [
            Written(sql, "b", each.line, (each.note,) if sql == each.statements[0] else ()) for sql in each.statements
        ]
    written += [each for action in actions if action not in first for each in _written(action, forward)]
    left = [each.left for each in reversed(rows) if each.left]
    left += [note for action in actions for note in action.notes if not action.statements]
    residue = [*left, *(note for action in actions for note in action.notes if action.cls in "cd")]
    return Draft(
        tag=tag,
        statements=tuple(written),
        residue=tuple(dict.fromkeys(residue)),
        reapply=tuple(filter(None, reapply)),
        text=_text(tag, written, residue, left, forward),
        left=bool(left),
    )


def _may_stand_in_the_way(action: Action) -> bool:
    return action.phase == DROP and action.key[0] in {"trigger", "rule"}


def _written(action: Action, forward: Sequence[Statement]) -> list[Written]:
    line = _undoes(action.key, forward)
    return [
        Written(sql, action.cls, line, action.notes if number == 0 else ())
        for number, sql in enumerate(action.statements)
    ]


def converted_columns(forward: Sequence[Statement]) -> frozenset[tuple[str, str]]:
    """Return table and column of every type change whose USING is more than a cast: no inverse follows from it."""
    found = set()
    for statement in (each for outer in forward for each in _with_inside(outer)):
        for command in statement.tree.get("cmds", ()) if statement.kind == "alter_table_stmt" else ():
            change = command.get("alter_table_cmd", {})
            using = change.get("def", {}).get("column_def", {}).get("raw_default")
            if using and not _is_cast(using):
                found.add((statement.tree["relation"]["relname"], change["name"]))
    return frozenset(found)


def _is_cast(expression: Mapping[str, Any]) -> bool:
    while "type_cast" in expression:
        expression = expression["type_cast"]["arg"]
    return "column_ref" in expression


def _inverse(statement: Statement) -> str:
    tree = statement.tree
    if tree.get("old_val"):
        full = _qualified(tree["type_name"])
        return f"ALTER TYPE {full} RENAME VALUE {literal(tree['new_val'])} TO {literal(tree['old_val'])};"
    if statement.kind == "rename_stmt":
        return _rename_back(tree)
    if statement.kind == "alter_object_schema_stmt":
        return _move_back(tree)
    return ""


def _rename_back(tree: Mapping[str, Any]) -> str:
    kind, new, old = tree["rename_type"], tree["newname"], tree.get("subname", "")
    relation = tree.get("relation")
    if kind == "OBJECT_SCHEMA":
        return f"ALTER SCHEMA {name(new)} RENAME TO {name(old)};"
    if kind in TYPES:
        schema, type_name = _parts(tree["object"]["list"]["items"])
        return f"ALTER {TYPES[kind]} {name(schema, new)} RENAME TO {name(type_name)};"
    if not relation:
        return ""
    schema, table = relation.get("schemaname", "public"), relation["relname"]
    if kind in RELATIONS:
        return f"ALTER {RELATIONS[kind]} {name(schema, new)} RENAME TO {name(table)};"
    if kind == "OBJECT_COLUMN":
        return f"ALTER TABLE {name(schema, table)} RENAME COLUMN {name(new)} TO {name(old)};"
    if kind == "OBJECT_TABCONSTRAINT":
        return f"ALTER TABLE {name(schema, table)} RENAME CONSTRAINT {name(new)} TO {name(old)};"
    if kind in PARTS:
        return f"ALTER {PARTS[kind]} {name(new)} ON {name(schema, table)} RENAME TO {name(old)};"
    return ""


def _move_back(tree: Mapping[str, Any]) -> str:
    kind, moved_to = tree["object_type"], tree["newschema"]
    if kind in RELATIONS:
        schema, relation = tree["relation"].get("schemaname", "public"), tree["relation"]["relname"]
        return f"ALTER {RELATIONS[kind]} {name(moved_to, relation)} SET SCHEMA {name(schema)};"
    if kind in TYPES:
        schema, type_name = _parts(tree["object"]["list"]["items"])
        return f"ALTER {TYPES[kind]} {name(moved_to, type_name)} SET SCHEMA {name(schema)};"
    return ""


def _parts(items: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    words = [item["string"]["sval"] for item in items]
    return (words[-2] if len(words) > 1 else "public"), words[-1]


def _qualified(items: Sequence[Mapping[str, Any]]) -> str:
    return name(*_parts(items))


def _undoes(key: Key, forward: Sequence[Statement]) -> int:
    """Return the line of the forward statement that names the object and what it belongs to, 0 when none does."""
    last, table = key[-1], key[2] if len(key) > 3 else ""
    wanted = key[2] if key[0] == "function" else last
    for statement in forward:
        if _names(statement.text, wanted) and (not table or _names(statement.text, table)):
            return statement.line
    return 0


def _names(text: str, word: str) -> bool:
    position = text.find(word)
    while position >= 0:
        around = text[position - 1 : position] + text[position + len(word) : position + len(word) + 1]
        if not any(each.isalnum() or each == "_" for each in around):
            return True
        position = text.find(word, position + 1)
    return False


def _text(
    tag: str, written: Sequence[Written], residue: Sequence[str], left: Sequence[str], forward: Sequence[Statement]
) -> str:
    by_line = {statement.line: statement for statement in forward}
    parts = [f"-- {changes.FILL_IN if sentence in left else 'RESIDUE:'} {_flat(sentence)}" for sentence in residue]
    told: int | None = None
    for each in written:
        if each.undoes_line != told and each.undoes_line in by_line:
            parts.append(f"-- undoes line {each.undoes_line}: {_flat(by_line[each.undoes_line].text, SHOWN)}")
        told = each.undoes_line
        parts += [f"-- NOTE: {_flat(note)}" for note in each.notes if note not in residue]
        parts.append(each.sql)
    if not written:
        parts.append(f"-- {tag} left nothing in the catalog to undo.\nSELECT 1;")
    return "\n".join(parts) + "\n"


def _flat(text: str, length: int = 0) -> str:
    """One line that cannot end the comment or be taken for Drizzle's breakpoint."""
    flat = " ".join(text.split()).replace("--> statement-breakpoint", "")
    return flat if not length or len(flat) <= length else flat[: length - 1] + "…"


def check(drafts: Sequence[Draft]) -> None:
    """Read the drafts again with PostgreSQL's grammar; raises parse.Unreadable, which would be our own mistake."""
    parse.read_many([each.text for each in drafts])
