"""Feature flags: the operator's address is asked for JSON, and each flag is found in it by its pointer (RFC 6901)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rollbacks.adapters import web
from rollbacks.adapters.redaction import cleaned, secrets_of

PURPOSE = "FLAGS_URL"
ABSENT = "absent"
SHOWN = 200


class FlagsUnread(Exception):
    """The flags could not be read; the sentence says why and has nothing secret."""


def read_flags(target: str, expected: Mapping[str, Any], *, environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return for each flag its pointer, what is expected, what was found (as JSON) and whether they are the same.

    Values are the same when they are the same JSON: false is neither 0 nor "false". Raises FlagsUnread.
    """
    try:
        answer = web.ask("GET", web.address_of(target, PURPOSE, environ), environ=environ)
    except (web.Unanswered, web.NoAddress) as error:
        raise FlagsUnread(f"The feature flags could not be read. {error}") from error
    if not answer.good:
        raise FlagsUnread(f"The feature flags could not be read: the address answered with the status {answer.status}.")
    try:
        document = json.loads(answer.text)
    except (ValueError, RecursionError) as error:
        raise FlagsUnread("The feature flags could not be read: the address did not answer with JSON.") from error
    secrets = secrets_of(environ)
    return [_seen(pointer, wanted, document, secrets) for pointer, wanted in expected.items()]


def _seen(pointer: str, wanted: Any, document: Any, secrets: tuple[str, ...]) -> dict[str, Any]:
    try:
        found = canonical(find(document, pointer))
    except LookupError:
        found = ABSENT
    shown = cleaned(found, secrets)
    return {
        "pointer": pointer,
        "expected": canonical(wanted),
        "found": shown if len(shown) <= SHOWN else f"{shown[:SHOWN]}…",
        "as_expected": found == canonical(wanted),
    }


def find(document: Any, pointer: str) -> Any:
    """Return the value that the pointer leads to; raises LookupError when there is none."""
    found = document
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict):
            found = found[name]
        elif isinstance(found, list) and name.isascii() and name.isdigit() and (name == "0" or name[0] != "0"):
            found = found[int(name)]
        else:
            raise LookupError(pointer)
    return found


def canonical(value: Any) -> str:
    """Return the value as JSON in which equal values are equal texts."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
