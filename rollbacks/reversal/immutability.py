"""What keeps the rows of audit tables from being changed: triggers, rules and row security, read off a catalog's facts.

It goes by what is there and not by the names of migrations, so it sees the runbook's 0004 and whatever is like it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from rollbacks.reversal.assess import is_audit
from rollbacks.reversal.catalog import Entry, Facts

ON_TABLES = frozenset({"relation", "trigger", "rule", "policy"})
# The kinds of facts that this goes by; a catalog that is read for it alone needs no others.
KINDS = ON_TABLES | {"function"}
# How pg_get_triggerdef and pg_get_ruledef print what fires when a row is changed or removed.
CHANGES = r"(?:UPDATE|DELETE|TRUNCATE)\b"
TRIGGER = re.compile(rf"\b(?:BEFORE|AFTER|INSTEAD OF) (?:[A-Z]+(?: OF [^()]*?)? OR )*{CHANGES}")
RULE = re.compile(rf"\bON {CHANGES}")
CALLS = re.compile(r"\bEXECUTE FUNCTION (.+)\(")
ROW_SECURITY = re.compile(r"\b(?:forced )?row security\b")
DISABLED = " enabled D"


@dataclass(frozen=True, order=True)
class Protection:
    """One object that protects an audit table: its kind, its qualified name and PostgreSQL's own definition of it."""

    kind: str
    name: str
    definition: str

    def document(self) -> dict[str, str]:
        """Return the protection as JSON."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Protection:
        """Return the protection that `document()` wrote."""
        return cls(document["kind"], document["name"], document["definition"])


def protections(facts: Facts, audit_tables: Collection[str]) -> frozenset[Protection]:
    """Return what protects the audit tables: those named, and every table with `audit` as a word of its name.

    A trigger counts when it is switched on and fires on UPDATE, DELETE or TRUNCATE, and so does the function that it
    calls: an emptied function protects nothing. A rule counts when it is switched on, row security when it is on.
    """
    names = {table.rsplit(".", 1)[-1].lower() for table in audit_tables}
    found = set(_on_tables(entry for entry in facts.entries if entry[0] in ON_TABLES and is_audit(entry[2], names)))
    called = {match.group(1) for each in found for match in CALLS.finditer(each.definition)}
    for kind, *names_of, definition in facts.entries:
        if kind == "function" and called & set(_spellings(names_of[0], names_of[1])):
            found.add(Protection(kind, f"{names_of[0]}.{names_of[1]}({names_of[2]})", definition))
    return frozenset(found)


def removed(before: Facts, after: Facts, audit_tables: Collection[str]) -> tuple[Protection, ...]:
    """Return the protections that are there before and not, or not as they were, after; sorted."""
    return tuple(sorted(protections(before, audit_tables) - protections(after, audit_tables)))


def _on_tables(entries: Iterator[Entry]) -> Iterator[Protection]:
    for kind, *names, definition in entries:
        name = ".".join(names)
        if kind == "relation":
            for words in ROW_SECURITY.findall(definition):
                yield Protection(words, name, "")
        elif kind == "policy" or (
            not definition.endswith(DISABLED) and (RULE if kind == "rule" else TRIGGER).search(definition)
        ):
            yield Protection(kind, name, definition)


def _spellings(schema: str, name: str) -> Iterator[str]:
    """Return every way in which the server may print the qualified name: it quotes what is not plain, and key words."""
    for first in (schema, _quoted(schema)):
        for second in (name, _quoted(name)):
            yield f"{first}.{second}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
