"""Walking a parse tree as JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from rollbacks.reversal.parse import Statement

Tree = Mapping[str, Any]


def walk(name: str, tree: Any) -> Iterator[tuple[str, Tree]]:
    """Yield every node of the tree with the name under which it hangs, parents first."""
    waiting: list[tuple[str, Any]] = [(name, tree)]
    while waiting:
        name, node = waiting.pop()
        if isinstance(node, Mapping):
            yield name, node
            waiting += [(key, node[key]) for key in reversed(list(node))]
        elif isinstance(node, list):
            waiting += [(name, part) for part in reversed(node)]


def strings(value: Any) -> list[str]:
    """Return all strings below the value, in order."""
    # The tree leaves an empty one out.
    return [node.get("sval", "") for name, node in walk("", value) if name == "string"]


def dropped(tree: Tree) -> list[list[str]]:
    """Return the names that a DROP gives, each in its parts, without the types of a function's arguments."""
    return [strings(each.get("object_with_args", {}).get("objname") or each) for each in tree.get("objects", [])]


def language(tree: Tree) -> str:
    """Return the language of a CREATE FUNCTION in lower case, empty when it names none."""
    for option in tree.get("options", []):
        option_ = element(option)
        if option_.get("defname") == "language":
            return str(option_.get("arg", {}).get("string", {}).get("sval", "")).lower()
    # A body in BEGIN ATOMIC or RETURN form is SQL by definition.
    return "sql" if "sql_body" in tree else ""


def element(option: Tree) -> Tree:
    """Return the name and value of an option."""
    found: Tree = option.get("def_elem", {})
    return found


def words_of(statement: Statement) -> str:
    """Return the statement's first words in capitals, as people speak of it."""
    words = re.findall(r"[A-Za-z]+", statement.text[:60])[:2]
    return " ".join(words).upper() or "The statement"
