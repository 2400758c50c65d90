"""The child process that parses SQL: a parser in C can crash on hostile input, and only this process dies of it.

Reads a JSON list of SQL texts on stdin and writes a JSON list of answers on stdout, one for each text:
{"statements": [...]} or {"error": ..., "line": ...}.
"""

from __future__ import annotations

import json
import resource
import sys

CPU_SECONDS = 5
MEMORY_BYTES = 1_500 * 1024 * 1024


def main() -> None:
    """Parse stdin within the limits; anything but exit code 0 means that the SQL cannot be analysed."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    json.dump([_parse(text) for text in json.load(sys.stdin)], sys.stdout)


def _parse(text: str) -> dict[str, object]:
    import postgast
    from google.protobuf.json_format import MessageToDict

    try:
        tree = postgast.parse(text)
    except postgast.PgQueryError as error:
        position = max(0, getattr(error, "cursorpos", 0) - 1)
        return {"error": str(error), "line": text.count("\n", 0, position) + 1}
    return {"statements": MessageToDict(tree, preserving_proto_field_name=True).get("stmts", [])}


if __name__ == "__main__":
    main()
