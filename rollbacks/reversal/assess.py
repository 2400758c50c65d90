"""What reverse SQL would do beyond its purpose: refusals, and ways in which it touches a security control.

Everything is decided on the parse tree. The parser informs people and refuses junk; the boundary is the
role that the worker connects as (acceptance, sentence 9).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from rollbacks.reversal import lane, parse
from rollbacks.reversal.classes import Judgement, judge, used_before_commit
from rollbacks.reversal.parse import Statement
from rollbacks.reversal.refusals import Refusal, refusals_of
from rollbacks.reversal.tree import element, strings, walk, words_of

BREAKPOINT_INSIDE = (
    f"A “{parse.BREAKPOINT}” stands inside a statement, and Drizzle would cut the statement there; put it between two "
    "statements or remove it."
)
LEDGER = ("drizzle", "__drizzle_migrations")


@dataclass(frozen=True)
class Impact:
    """One way in which a statement touches a security control."""

    line: int
    code: str
    sentence: str


@dataclass(frozen=True)
class Assessment:
    """The statements of one SQL text with everything that speaks against running it unseen."""

    statements: tuple[Statement, ...]
    refusals: tuple[Refusal, ...]
    impacts: tuple[Impact, ...]
    judgements: tuple[Judgement, ...] = ()

    @property
    def security_impacting(self) -> bool:
        """Whether any statement touches a security control."""
        return bool(self.impacts)


def assess(sql: str, *, audit_tables: Collection[str], ledger: tuple[str, str] = LEDGER) -> Assessment:
    """Judge reverse SQL; raises parse.Unreadable when it cannot be taken apart."""
    parse.refuse_unreviewable(sql)
    return assess_statements(sql, parse.read(sql), audit_tables=audit_tables, ledger=ledger)


def assess_statements(
    sql: str, statements: tuple[Statement, ...], *, audit_tables: Collection[str], ledger: tuple[str, str] = LEDGER
) -> Assessment:
    """Judge reverse SQL that was read already, such as by parse.read_many."""
    by_statement = [list(refusals_of(statement, ledger)) for statement in statements]
    judgements = tuple(judge(each, found) for each, found in zip(statements, by_statement, strict=True))
    refusals = [refusal for found in by_statement for refusal in found]
    refusals += used_before_commit(statements)
    refusals += misplaced(statements)
    refusals += [Refusal(line, "breakpoint", BREAKPOINT_INSIDE) for line in parse.breakpoint_conflicts(sql, statements)]
    if not statements:
        refusals.append(
            Refusal(1, "empty", "There is no statement here, only comments; write what undoes the migration.")
        )
    return Assessment(statements, tuple(refusals), _impacts_of(statements, audit_tables), judgements)


def misplaced(statements: tuple[Statement, ...]) -> list[Refusal]:
    """Refuse each statement that no transaction can hold and that stands between others which one has to hold."""
    return [
        Refusal(each.line, "non-transactional", f"{words_of(each)}: {lane.BETWEEN}")
        for each in lane.split(statements).between
    ]


def assess_forward(sql: str, *, audit_tables: Collection[str]) -> Assessment:
    """Judge what undoing this forward SQL would touch; forward SQL already ran, so nothing is refused."""
    statements = parse.read(sql)
    return Assessment(statements, (), _impacts_of(statements, audit_tables))


# ── impacts ─────────────────────────────────────────────────────────────────────────────────────────────────

IMPACT_KINDS = {
    "grant_stmt": ("grants", "changes who may do what (GRANT or REVOKE)"),
    "alter_default_privileges_stmt": ("grants", "changes the grants of future objects"),
    "alter_owner_stmt": ("owner", "changes an owner"),
    "create_policy_stmt": ("row-security", "changes row-level security"),
    "alter_policy_stmt": ("row-security", "changes row-level security"),
    "rule_stmt": ("opaque-code", "adds a rule, which rewrites later statements"),
    "do_stmt": ("opaque-code", "runs a code block that nobody can analyse; it has to be read"),
    "sec_label_stmt": ("security-label", "changes a security label"),
}
IMPACT_COMMANDS = {
    "AT_ChangeOwner": ("owner", "changes an owner"),
    "AT_EnableRowSecurity": ("row-security", "changes row-level security"),
    "AT_DisableRowSecurity": ("row-security", "changes row-level security"),
    "AT_ForceRowSecurity": ("row-security", "changes row-level security"),
    "AT_NoForceRowSecurity": ("row-security", "changes row-level security"),
    "AT_DisableTrig": ("triggers", "disables a trigger"),
    "AT_DisableTrigAll": ("triggers", "disables all triggers of a table"),
    "AT_DisableTrigUser": ("triggers", "disables all triggers of a table"),
    "AT_EnableTrig": ("triggers", "changes whether a trigger fires"),
    "AT_EnableAlwaysTrig": ("triggers", "changes whether a trigger fires"),
    "AT_EnableReplicaTrig": ("triggers", "changes whether a trigger fires"),
    "AT_DisableRule": ("triggers", "disables a rule"),
}


def _impacts_of(statements: tuple[Statement, ...], audit_tables: Collection[str]) -> tuple[Impact, ...]:
    names = {table.rsplit(".", 1)[-1].lower() for table in audit_tables}
    found: dict[tuple[str, str], Impact] = {}
    for statement in statements:
        for code, sentence in _impacts(statement, names):
            found.setdefault((code, sentence), Impact(statement.line, code, sentence))
    return tuple(found.values())


def _impacts(statement: Statement, audit_names: Collection[str]) -> Iterator[tuple[str, str]]:
    tree, kind = statement.tree, statement.kind
    if kind != "select_stmt":
        for name in _objects(statement):
            if is_audit(name, audit_names):
                yield "audit", f"{words_of(statement)} touches {name}, which belongs to the audit trail."
    if kind in IMPACT_KINDS:
        code, what = IMPACT_KINDS[kind]
        yield code, f"{words_of(statement)} {what}."
    if tree.get("remove_type") == "OBJECT_POLICY":
        yield "row-security", f"{words_of(statement)} changes row-level security."
    if kind == "create_function_stmt":
        definer = any(element(option).get("defname") == "security" and element(option).get("arg", {}).get("boolean", {}).get("boolval")
                      for option in tree.get("options", []))  # fmt: skip
        if definer:
            yield "security-definer", "CREATE FUNCTION makes code that runs with its owner's rights (SECURITY DEFINER)."
        else:
            yield "opaque-code", "CREATE FUNCTION adds code that nobody can analyse; it has to be read."
    for _, node in walk(kind, tree):
        if node.get("subtype") in IMPACT_COMMANDS:
            code, what = IMPACT_COMMANDS[node["subtype"]]
            yield code, f"ALTER TABLE {what}."


def _objects(statement: Statement) -> Iterator[str]:
    """Return the names of everything that the statement acts on or mentions as a relation, trigger, type or function."""
    if statement.kind == "drop_stmt":
        yield from dict.fromkeys(strings(statement.tree.get("objects", [])))
    for field in ("funcname", "type_name", "trigname", "defnames"):
        value = statement.tree.get(field)
        if isinstance(value, str):
            yield value
        elif value:
            yield from strings(value)
    for _name_of, node in walk(statement.kind, statement.tree):
        if isinstance(node.get("relname"), str):
            yield node["relname"]


def is_audit(name: str, audit_names: Collection[str]) -> bool:
    """Tell whether a relation, trigger or function of this name belongs to the audit trail; `audit_names` in lower case."""
    lowered = name.lower()
    return lowered in audit_names or "audit" in re.split(r"[^a-z0-9]+|_", lowered)
