"""The non-transactional lane: which statements run outside the transaction, on which side of it, and what that leaves.

The rule: statements with CONCURRENTLY at the beginning of the signed SQL run before the transaction, those at its end
after it, each by itself and in the signed order; if there are no others, all of them run before it. One that stands
between others is refused. Source: acceptance Q55 and F46.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollbacks.reversal import parse
from rollbacks.reversal.parse import Statement
from rollbacks.reversal.tree import dropped, element

CREATE, DROP, REINDEX = "create", "drop", "reindex"
BEFORE, AFTER = "before", "after"
NOT_ATOMIC = "These statements run outside the transaction, one by one; they are not atomic."
KEYWORD = re.compile(rf"{parse.QUOTED_TEXT.pattern}|(?P<word>\(\s*CONCURRENTLY\s*\)|\bCONCURRENTLY\b)", re.I | re.S)
REFUSALS = {
    "nameless": "give the index a name; without one nobody can tell after an interruption whether it is there.",
    "several": "name one index; each is dropped by a statement of its own.",
    "reindex": "only REINDEX INDEX CONCURRENTLY without further options can be resumed; name each index.",
    "detach": (
        "DETACH PARTITION CONCURRENTLY adds a constraint to the partition that no other deployment of the file would "
        "have; use the form without CONCURRENTLY."
    ),
}
BETWEEN = (
    "it cannot run inside the transaction and stands between statements that do; put it before the first of them or "
    "after the last."
)


@dataclass(frozen=True)
class Form:
    """What a statement of the lane does to which index; names in their parts, `table` only of a CREATE."""

    action: str
    name: tuple[str, ...]
    table: tuple[str, ...] = ()


@dataclass(frozen=True)
class Split:
    """The signed SQL in its three parts; `between` are the statements that the rule has no place for."""

    before: tuple[Statement, ...]
    inside: tuple[Statement, ...]
    after: tuple[Statement, ...]
    between: tuple[Statement, ...]

    def document(self) -> dict[str, list[str]]:
        """Return the lane as the plan keeps it; empty where nothing runs outside the transaction."""
        if not (self.before or self.after):
            return {}
        return {BEFORE: [each.text for each in self.before], AFTER: [each.text for each in self.after]}


def outside(statement: Statement) -> bool:
    """Tell whether no transaction can hold the statement, in a form that is refused or one that the lane takes."""
    tree = statement.tree
    if statement.kind in {"index_stmt", "drop_stmt"}:
        return bool(tree.get("concurrent"))
    if statement.kind == "reindex_stmt":
        return any(element(each).get("defname") == "concurrently" for each in tree.get("params", []))
    return any(_partition(each).get("concurrent") for each in tree.get("cmds", []))


def problem(statement: Statement) -> str:
    """Return why the lane does not take a statement that is outside, empty when it does."""
    tree = statement.tree
    if statement.kind == "index_stmt":
        return "" if tree.get("idxname") else REFUSALS["nameless"]
    if statement.kind == "drop_stmt":
        return "" if len(tree.get("objects", [])) == 1 else REFUSALS["several"]
    if statement.kind == "reindex_stmt":
        options = tree.get("params", [])
        whole = len(options) == 1 and "arg" not in element(options[0])
        return "" if whole and tree.get("kind") == "REINDEX_OBJECT_INDEX" else REFUSALS["reindex"]
    return REFUSALS["detach"]


def form_of(statement: Statement) -> Form:
    """Return what a statement that the lane takes does; raises ValueError for any other."""
    if not outside(statement) or problem(statement):
        raise ValueError(f"The lane does not take this statement: {statement.text}")
    tree = statement.tree
    if statement.kind == "index_stmt":
        return Form(CREATE, (str(tree["idxname"]),), _named(tree["relation"]))
    if statement.kind == "drop_stmt":
        return Form(DROP, tuple(dropped(tree)[0]))
    return Form(REINDEX, _named(tree["relation"]))


def split(statements: Sequence[Statement]) -> Split:
    """Part the statements by the rule; never reorders them."""
    places = [number for number, each in enumerate(statements) if not outside(each)]
    if not places:
        return Split(tuple(statements), (), (), ())
    first, last = places[0], places[-1] + 1
    inside = tuple(statements[first:last])
    return Split(
        tuple(statements[:first]), inside, tuple(statements[last:]), tuple(each for each in inside if outside(each))
    )


def plain(sql: str) -> str:
    """Return the SQL with the lane's statements in the form that a transaction can hold, every other character kept.

    This is what goes into the repository: migrate() runs each file in one transaction, on every other database as well.
    Raises parse.Unreadable when CONCURRENTLY cannot be taken out without changing anything else.
    """
    statements = parse.read(sql)
    if not any(map(outside, statements)):
        return sql
    parts, position = [], 0
    for each in statements:
        parts += [sql[position : each.start], _without(each.text) if outside(each) else each.text]
        position = each.end
    found = "".join([*parts, sql[position:]])
    _refuse_other(statements, parse.read(found))
    return found


def without(text: str, lane: Mapping[str, Sequence[str]]) -> str:
    """Return the file's text with the lane's statements blanked out, so that lines keep their numbers."""
    statements = parse.read(text)
    first, last = len(lane.get(BEFORE, ())), len(statements) - len(lane.get(AFTER, ()))
    for each in (*statements[:first], *statements[last:]):
        end = each.end + 1 if text[each.end : each.end + 1] == ";" else each.end
        text = text[: each.start] + re.sub(r"[^\n]", " ", text[each.start : end]) + text[end:]
    return text


def told(lane: Mapping[str, Sequence[str]], points: Mapping[int, Mapping[str, Any]]) -> str:
    """Return in sentences what of the lane is done; empty while nothing was begun that was not taken back.

    `points` are the execution's resume points by the statement's number, counted through both sides.
    """
    words: dict[str, list[str]] = {"done": [], "begun": [], "not done": []}
    for number, text in enumerate((*lane.get(BEFORE, ()), *lane.get(AFTER, ())), 1):
        state = str(points.get(number, {}).get("state"))
        words[state if state in words else "not done"].append(f"{number} ({' '.join(text.split())})")
    if not (words["done"] or words["begun"]):
        return ""
    titles = {
        "done": "Done outside the transaction, and staying",
        "begun": "Begun outside the transaction, and its end was not seen",
        "not done": "Not done",
    }
    return " ".join(f"{titles[state]}: {', '.join(found)}." for state, found in words.items() if found)


def _partition(command: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = command.get("alter_table_cmd", {}).get("def", {}).get("partition_cmd", {})
    return found


def _named(relation: Mapping[str, Any]) -> tuple[str, ...]:
    schema = relation.get("schemaname")
    return (str(schema), str(relation["relname"])) if schema else (str(relation["relname"]),)


def _without(text: str) -> str:
    for found in KEYWORD.finditer(text):
        if found["word"]:
            rest = text[found.end() :].lstrip(" \t")
            return text[: found.start()] + rest
    return text


def _refuse_other(signed: Sequence[Statement], found: Sequence[Statement]) -> None:
    """The parser is asked once more: what goes into the repository must say the same but for CONCURRENTLY."""
    if [list(_said(each)) for each in signed] != [list(_said(each)) for each in found] or any(map(outside, found)):
        line = next(each.line for each in signed if outside(each))
        raise parse.Unreadable(
            f"Line {line}: CONCURRENTLY cannot be taken out of the statement for the repository's file; write it once, "
            "right after INDEX, without comments inside the statement."
        )


def _said(statement: Statement) -> Iterator[tuple[str, Any]]:
    waiting: list[tuple[str, Any]] = [(statement.kind, statement.tree)]
    while waiting:
        name, node = waiting.pop()
        if isinstance(node, Mapping):
            dropped_keys = {"location", "concurrent", *({"params"} if statement.kind == "reindex_stmt" else ())}
            kept = {key: value for key, value in node.items() if key not in dropped_keys}
            yield name, tuple(sorted(kept))
            waiting += list(kept.items())
        elif isinstance(node, list):
            yield name, len(node)
            waiting += [(name, part) for part in node]
        else:
            yield name, node
