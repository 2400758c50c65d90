"""The child process that parses SQL: a parser in C can crash on hostile input, and only this process dies of it.

Reads a JSON list of SQL texts on stdin and writes a JSON list of answers on stdout, one for each text:
{"statements": [...]} or {"error": ..., "line": ...}. A DO block in PL/pgSQL has the SQL that it holds as "inside",
unless some of it is put together only when it runs. With --outside no block is looked into.
"""

from __future__ import annotations

import json
import resource
import sys
from collections.abc import Iterator
from typing import Any

CPU_SECONDS = 5
MEMORY_BYTES = 1_500 * 1024 * 1024
# How PL/pgSQL reads a piece of SQL: as a statement, as an expression, or as an assignment.
STATEMENT, EXPRESSION = 0, 2
# Where a statement keeps the expression that yields its SQL only when it runs.
DYNAMIC = {"PLpgSQL_stmt_dynexecute": "query", "PLpgSQL_stmt_dynfors": "query", "PLpgSQL_stmt_open": "dynquery"}


def main() -> None:
    """Parse stdin within the limits; anything but exit code 0 means that the SQL cannot be analysed."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    looks_inside = "--outside" not in sys.argv
    json.dump([_parse(text, looks_inside) for text in json.load(sys.stdin)], sys.stdout)


def _parse(text: str, looks_inside: bool) -> dict[str, object]:
    import postgast

    try:
        statements = _statements(text)
    except postgast.PgQueryError as error:
        return {"error": str(error), "line": text.count("\n", 0, getattr(error, "cursorpos", 0)) + 1}
    encoded = text.encode()
    for each in statements:
        if looks_inside and "do_stmt" in each["stmt"]:
            first = each.get("stmt_location", 0)
            block = encoded[first : first + each.get("stmt_len", len(encoded))].decode()
            each["inside"] = _inside(block, each["stmt"]["do_stmt"])
    return {"statements": statements}


def _statements(text: str) -> list[dict[str, Any]]:
    import postgast
    from google.protobuf.json_format import MessageToDict

    found: list[dict[str, Any]] = MessageToDict(postgast.parse(text), preserving_proto_field_name=True).get("stmts", [])
    return found


def _inside(block: str, tree: dict[str, Any]) -> list[dict[str, Any]] | None:
    """Return the statements in a DO block, expressions as SELECT; None when it cannot be told what they are."""
    import postgast

    language = [each["def_elem"]["arg"]["string"]["sval"] for each in tree["args"]
                if each["def_elem"]["defname"] == "language"]  # fmt: skip
    if language not in ([], ["plpgsql"]):
        return None
    found: list[dict[str, Any]] = []
    try:
        for name, node in _nodes("", postgast.parse_plpgsql(block)):
            if name == "PLpgSQL_expr":
                found += _statements(_as_statement(node))
            elif DYNAMIC.get(name) in node:
                text = _constant(node[DYNAMIC[name]]["PLpgSQL_expr"])
                if text is None:
                    return None
                found += _statements(text)
    except (postgast.PgQueryError, LookupError):
        return None
    return [each["stmt"] for each in found]


def _nodes(name: str, node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        yield name, node
    for key, part in node.items() if isinstance(node, dict) else (("", each) for each in node):
        if isinstance(part, dict | list):
            yield from _nodes(key, part)


def _as_statement(expression: dict[str, Any]) -> str:
    query, mode = expression.get("query", ""), expression.get("parseMode", STATEMENT)
    if mode == STATEMENT:
        return str(query)
    return f"SELECT {query if mode == EXPRESSION else query.partition('=')[2]}"


def _constant(expression: dict[str, Any]) -> str | None:
    """Return the SQL that EXECUTE is given as one string constant, None when it is worked out."""
    value = _statements(_as_statement(expression))[0]["stmt"]["select_stmt"]["target_list"][0]["res_target"]["val"]
    text: str | None = value.get("a_const", {}).get("sval", {}).get("sval")
    return text


if __name__ == "__main__":
    main()
