"""The plan: the exact statements and versions that people sign, and its digest, in plain Python.

The digest is SHA-256 over the plan's RFC 8785 canonical JSON. It covers the SQL byte for byte, the
forward migrations' hashes, who the target is, the head of its ledger, the return point, the proof, reason,
incident, window, checklist answers, limits, the project's own commands, and the policy with what it was chosen by. Change
one and it is another plan.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

from records.chain import canonical, sha256
from rollbacks.drizzle.journal import BREAKPOINT, pieces
from rollbacks.options import Options
from rollbacks.reversal import lane, parse

FORMAT = 3


@dataclass(frozen=True)
class TargetIdentity:
    """Which database this is: a copy or a renamed host has another system identifier or oid."""

    name: str
    environment: str
    system_identifier: str
    database: str
    database_oid: int
    server_major: int


@dataclass(frozen=True)
class LedgerHead:
    """The newest row of Drizzle's ledger and how many rows there are; `created_at` in ms as Drizzle keeps it."""

    rows: int
    created_at: int
    hash: str


@dataclass(frozen=True)
class Undo:
    """One migration to undo: its journal entry, the hash of its forward SQL and the SQL that reverses it."""

    idx: int
    tag: str
    when: int
    forward_sha256: str
    reverse_sql: str


@dataclass(frozen=True)
class RollbackFile:
    """The reverse migration as it will be written, hashed and executed: description, text and SHA-256."""

    description: str
    text: str
    sha256: str


@dataclass(frozen=True)
class Limits:
    """How long the apply transaction may wait for a lock and for one statement, in milliseconds."""

    lock_timeout_ms: int
    statement_timeout_ms: int


@dataclass(frozen=True)
class Plan:
    """Everything that one signature covers. `return_to` is None for the state before the first migration."""

    request: int
    revision: int
    target: TargetIdentity
    layout: Mapping[str, str]
    ledger_head: LedgerHead
    return_to: str | None
    undo: tuple[Undo, ...]
    file: RollbackFile
    impacts: tuple[str, ...]
    # What was seen when exactly this SQL was tried, and what the target had at stake then.
    proof: Mapping[str, Any]
    reason: str
    production_incident: bool
    incident_reference: str
    security_incident: str
    justification: str
    window_start: str | None
    window_end: str | None
    checklist: Mapping[str, str]
    limits: Limits
    policy: Mapping[str, Any]
    # What the rule book was asked about, so that a reader can follow why this rule applies.
    traits: Mapping[str, Any] = field(default_factory=dict)
    emergency_reason: str = ""
    # The project's own commands, deploy freeze and flags (rollbacks.options): whoever signs, signs these as well.
    options: Mapping[str, Any] = field(default_factory=dict)
    # The statements that run outside the transaction, as they were written: `before` and `after` it.
    lane: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def transaction_text(self) -> str:
        """The file's text without what the lane runs, on the same lines: what the transaction holds."""
        return lane.without(self.file.text, self.lane) if self.lane else self.file.text

    @property
    def chosen(self) -> Options:
        """What the operator chose for the target, as it was signed."""
        return Options.of(self.options)

    @property
    def security_impacting(self) -> bool:
        """Whether the plan weakens or changes a security control."""
        return bool(self.impacts)

    def document(self) -> dict[str, Any]:
        """Return the plan as plain JSON values, complete enough to run it and to check its digest."""
        document = {"format": FORMAT, **_plain(asdict(self))}
        # Left out where there are none: a plan that was signed before there were such keeps its digest.
        empty = {name for name in ("options", "lane") if not document[name]}
        return {key: value for key, value in document.items() if key not in empty}

    @property
    def digest(self) -> str:
        """The SHA-256 that a signature is about."""
        return sha256(canonical(self.document()))

    def outside_window(self, now: datetime) -> str:
        """Return the sentence that forbids running now because of the maintenance window; empty when it may."""
        if self.window_start and now < datetime.fromisoformat(self.window_start):
            return f"The maintenance window opens at {self.window_start}; start the rollback then."
        if self.window_end and now >= datetime.fromisoformat(self.window_end):
            return f"The maintenance window closed at {self.window_end}; edit the request to choose another."
        return ""

    def observed_as(
        self,
        *,
        target: TargetIdentity,
        ledger_head: LedgerHead,
        forward_sha256: Mapping[str, str],
        options: Mapping[str, Any],
    ) -> Plan:
        """Return the plan as it would read with what is found on the target and in the repository now."""
        undo = tuple(replace(each, forward_sha256=forward_sha256.get(each.tag, "")) for each in self.undo)
        return replace(self, target=target, ledger_head=ledger_head, undo=undo, options=options)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Plan:
        """Return the plan that `document()` wrote."""
        fields = {name: value for name, value in document.items() if name != "format"}
        return cls(
            **{
                **fields,
                "target": TargetIdentity(**document["target"]),
                "ledger_head": LedgerHead(**document["ledger_head"]),
                "undo": tuple(Undo(**each) for each in document["undo"]),
                "file": RollbackFile(**document["file"]),
                "impacts": tuple(document["impacts"]),
                "limits": Limits(**document["limits"]),
            }
        )


def describe(return_to: str | None) -> str:
    """Return the description in the file's name: `to_0002_rich_marten_broadcloak`, or `to_empty`."""
    return f"to_{return_to}" if return_to else "to_empty"


def compose_file(
    undo: Sequence[Undo],
    *,
    request: int,
    revision: int,
    return_to: str | None,
    written_by: str,
    date: str,
    reason: str,
) -> RollbackFile:
    """Return the reverse migration: the runbook's header, then each migration's reverse SQL, newest first.

    Statements are separated by Drizzle's breakpoint, because some drivers take one statement a piece. What runs in
    the lane stands here without CONCURRENTLY, because migrate() runs a file in one transaction.
    Raises parse.Unreadable when the reverse SQL cannot be taken apart into statements.
    """
    header = [
        f"Reverse migration for {', '.join(each.tag for each in undo)}",
        f"Written by: {written_by}",
        f"Date: {date}",
        f"Reason: {reason}",
        f"Request: RB-{request}, revision {revision}; returns to {return_to or 'the empty database'}",
    ]
    lines = [f"-- {_one_line(line)}" for line in header]
    parts = ["\n".join(lines) + "\n"]
    for position, each in enumerate(undo):
        body = f"-- Undo {each.tag}\n{separate(lane.plain(each.reverse_sql))}"
        parts.append(f"{body}\n" if position == len(undo) - 1 else f"{body}\n{BREAKPOINT}\n")
    text = "".join(parts)
    return RollbackFile(describe(return_to), text, hashlib.sha256(text.encode()).hexdigest())


def separate(sql: str) -> str:
    """Return the SQL with Drizzle's breakpoint between its statements, every other character as it was.

    Raises parse.Unreadable when a breakpoint that is already there stands inside a statement.
    """
    if BREAKPOINT in sql:
        _refuse_cut(sql)
        return sql.strip()
    statements = parse.read(sql)
    parts, position = [], 0
    for statement in statements[:-1]:
        # A statement ends before its semicolon; what stands between it and the next one stays in place.
        end = sql.index(";", statement.end) + 1 if sql[statement.end - 1] != ";" else statement.end
        parts.append(sql[position:end].strip())
        position = end
    parts.append(sql[position:].strip())
    return f"\n{BREAKPOINT}\n".join(parts)


def _refuse_cut(sql: str) -> None:
    """Drizzle cuts at the literal marker wherever it stands, also inside a string or a function's body."""
    try:
        cut = [statement.text for piece in pieces(sql) for statement in parse.read(piece)]
        whole = cut == [statement.text for statement in parse.read(sql)]
    except parse.Unreadable:
        parse.read(sql)
        whole = False
    if not whole:
        raise parse.Unreadable(
            f"A “{BREAKPOINT}” stands inside a statement, and Drizzle would cut the statement there; "
            "put it between two statements or remove it."
        )


def _one_line(text: str) -> str:
    """Keep free text inside its comment: a line break or a breakpoint in it would turn it into SQL."""
    return " ".join(text.split()).replace(BREAKPOINT, "breakpoint")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value
