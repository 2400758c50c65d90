"""The child process that parses SQL: a parser in C can crash on hostile input, and only this process dies of it.

Reads SQL on stdin and writes JSON on stdout: {"statements": [...]} or {"error": ..., "line": ...}.
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
    import postgast
    from google.protobuf.json_format import MessageToDict

    text = sys.stdin.buffer.read().decode()
    try:
        tree = postgast.parse(text)
    except postgast.PgQueryError as error:
        position = max(0, getattr(error, "cursorpos", 0) - 1)
        answer = {"error": str(error), "line": text.count("\n", 0, position) + 1}
    else:
        statements = MessageToDict(tree, preserving_proto_field_name=True).get("stmts", [])
        answer = {"statements": statements}
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
