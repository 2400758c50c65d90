"""What reverse SQL would do beyond its purpose: refusals, and ways in which it touches a security control.

Everything is decided on the parse tree. The parser informs people and refuses junk; the boundary is the
role that the worker connects as (acceptance, sentence 9).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rollbacks.reversal import parse
from rollbacks.reversal.parse import Statement

Tree = Mapping[str, Any]
LEDGER = ("drizzle", "__drizzle_migrations")


@dataclass(frozen=True)
class Refusal:
    """Why a statement is never run: its line, a stable code and a sentence."""

    line: int
    code: str
    sentence: str


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

    @property
    def security_impacting(self) -> bool:
        """Whether any statement touches a security control."""
        return bool(self.impacts)


def assess(sql: str, *, audit_tables: Collection[str], ledger: tuple[str, str] = LEDGER) -> Assessment:
    """Judge reverse SQL; raises parse.Unreadable when it cannot be taken apart."""
    statements = parse.read(sql)
    refusals = [refusal for statement in statements for refusal in _refusals(statement, ledger)]
    if not statements:
        refusals.append(
            Refusal(1, "empty", "There is no statement here, only comments; write what undoes the migration.")
        )
    return Assessment(statements, tuple(refusals), _impacts_of(statements, audit_tables))


def assess_forward(sql: str, *, audit_tables: Collection[str]) -> Assessment:
    """Judge what undoing this forward SQL would touch; forward SQL already ran, so nothing is refused."""
    statements = parse.read(sql)
    return Assessment(statements, (), _impacts_of(statements, audit_tables))


# ── refusals ────────────────────────────────────────────────────────────────────────────────────────────────

TRANSACTION = "transaction control would end the transaction that makes the rollback all or nothing; remove it."
SETTING = (
    "settings of the session are the portal's to make, and what limits the rollback must not be changed; remove it."
)
ROLES = "roles are not changed by a rollback; have an administrator do it outside the portal."
OUTSIDE = "it reaches outside the database, where a rollback cannot take it back; remove it."
SERVER = "it reads or changes the server itself, not the schema; remove it."
LANE = "it cannot run inside a transaction, and this version has no lane for such statements; use the form that can."
CODE = "it loads code into the server; remove it."
PREPARED = "a prepared statement hides what will run; write the statement itself."

KINDS: dict[str, tuple[str, str]] = {
    "transaction_stmt": ("transaction-control", TRANSACTION),
    "prepare_stmt": ("prepared", PREPARED),
    "execute_stmt": ("prepared", PREPARED),
    "deallocate_stmt": ("prepared", PREPARED),
    "call_stmt": ("call", "a procedure can commit on its own; write the statements that it would run."),
    "variable_set_stmt": ("setting", SETTING),
    "constraints_set_stmt": ("setting", SETTING),
    "discard_stmt": ("setting", SETTING),
    "alter_system_stmt": ("server", SERVER),
    "alter_database_stmt": ("server", SERVER),
    "alter_database_set_stmt": ("server", SERVER),
    "load_stmt": ("code", CODE),
    "check_point_stmt": ("server", SERVER),
    "create_role_stmt": ("roles", ROLES),
    "alter_role_stmt": ("roles", ROLES),
    "alter_role_set_stmt": ("roles", ROLES),
    "drop_role_stmt": ("roles", ROLES),
    "grant_role_stmt": ("roles", ROLES),
    "reassign_owned_stmt": ("roles", ROLES),
    "drop_owned_stmt": ("roles", ROLES),
    "create_extension_stmt": ("extension", CODE),
    "create_plangstmt": ("code", CODE),
    "create_plang_stmt": ("code", CODE),
    "create_event_trig_stmt": ("event-trigger", "event triggers act on every later statement; remove it."),
    "alter_event_trig_stmt": ("event-trigger", "event triggers act on every later statement; remove it."),
    "create_fdw_stmt": ("outside", OUTSIDE),
    "create_foreign_server_stmt": ("outside", OUTSIDE),
    "alter_foreign_server_stmt": ("outside", OUTSIDE),
    "create_user_mapping_stmt": ("outside", OUTSIDE),
    "alter_user_mapping_stmt": ("outside", OUTSIDE),
    "import_foreign_schema_stmt": ("outside", OUTSIDE),
    "create_subscription_stmt": ("outside", OUTSIDE),
    "alter_subscription_stmt": ("outside", OUTSIDE),
    "drop_subscription_stmt": ("outside", OUTSIDE),
    "createdb_stmt": ("non-transactional", LANE),
    "dropdb_stmt": ("non-transactional", LANE),
    "create_table_space_stmt": ("non-transactional", LANE),
    "drop_table_space_stmt": ("non-transactional", LANE),
    "vacuum_stmt": ("non-transactional", LANE),
    "cluster_stmt": ("non-transactional", LANE),
    "notify_stmt": ("outside", OUTSIDE),
    "listen_stmt": ("setting", SETTING),
    "lock_stmt": ("lock", "locks are taken by the portal and by the statements themselves; remove it."),
}
FUNCTIONS = re.compile(
    r"pg_read_(binary_)?file|pg_ls_\w+|pg_stat_file|pg_file_\w+|lo_(import|export)|dblink\w*|set_config|"
    r"pg_(terminate|cancel)_backend|pg_advisory_\w+|pg_try_advisory_\w+|pg_reload_conf|pg_rotate_logfile|pg_switch_wal|"
    r"pg_create_restore_point|pg_promote|pg_export_snapshot|query_to_xml\w*|pg_logical_\w+"
)
TRUSTED_LANGUAGES = {"sql", "plpgsql"}


def _refusals(statement: Statement, ledger: tuple[str, str]) -> Iterator[Refusal]:
    def refuse(code: str, sentence: str) -> Refusal:
        return Refusal(statement.line, code, f"{_name(statement)}: {sentence}")

    if statement.kind in KINDS:
        yield refuse(*KINDS[statement.kind])
    for code, sentence in _statement_refusals(statement):
        yield refuse(code, sentence)
    for name, node in walk(statement.kind, statement.tree):
        for rule in NODE_RULES:
            found = rule(name, node)
            if found:
                yield refuse(*found)
    if any(_is_ledger(node, ledger) for name, node in walk(statement.kind, statement.tree)):
        yield refuse("ledger", "Drizzle's ledger is written by the portal alone, in the same transaction; remove it.")


def _statement_refusals(statement: Statement) -> Iterator[tuple[str, str]]:
    tree, kind = statement.tree, statement.kind
    if kind == "copy_stmt":
        yield (
            "copy",
            "COPY moves data through files, programs or the connection; it belongs into an artifact. Remove it.",
        )
    if kind in {"index_stmt", "drop_stmt"} and tree.get("concurrent"):
        yield "non-transactional", LANE
    if kind == "reindex_stmt" and (
        tree.get("kind") not in {"REINDEX_OBJECT_INDEX", "REINDEX_OBJECT_TABLE"} or tree.get("params")
    ):
        yield "non-transactional", LANE
    if kind == "create_function_stmt" and _language(tree) not in TRUSTED_LANGUAGES:
        yield (
            "language",
            f"functions in {_language(tree) or 'an unknown language'} can reach outside the database; remove it.",
        )
    if kind == "drop_stmt" and tree.get("remove_type") in {"OBJECT_DATABASE", "OBJECT_ROLE", "OBJECT_EVENT_TRIGGER"}:
        yield "server", SERVER


def _cascade(name: str, node: Tree) -> tuple[str, str] | None:
    if node.get("behavior") == "DROP_CASCADE" and name in {
        "drop_stmt",
        "alter_table_cmd",
        "truncate_stmt",
        "grant_stmt",
    }:
        return "cascade", "CASCADE removes what nobody named; drop each dependent object by a statement of its own."
    return None


def _function(name: str, node: Tree) -> tuple[str, str] | None:
    if name != "func_call":
        return None
    called = _strings(node.get("funcname", []))
    if called and FUNCTIONS.fullmatch(called[-1].lower()):
        return "function", f"the function {called[-1]} acts on the server or outside it; remove it."
    return None


def _detach(name: str, node: Tree) -> tuple[str, str] | None:
    if name == "partition_cmd" and node.get("concurrent"):
        return "non-transactional", LANE
    return None


NODE_RULES: tuple[Callable[[str, Tree], tuple[str, str] | None], ...] = (_cascade, _function, _detach)

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
            if _is_audit(name, audit_names):
                yield "audit", f"{_name(statement)} touches {name}, which belongs to the audit trail."
    if kind in IMPACT_KINDS:
        code, what = IMPACT_KINDS[kind]
        yield code, f"{_name(statement)} {what}."
    if kind == "drop_stmt" and tree.get("remove_type") == "OBJECT_POLICY":
        yield "row-security", f"{_name(statement)} changes row-level security."
    if kind == "create_function_stmt":
        definer = any(_element(option).get("defname") == "security" and _element(option).get("arg", {}).get("boolean", {}).get("boolval")
                      for option in tree.get("options", []))  # fmt: skip
        if definer:
            yield "security-definer", "CREATE FUNCTION makes code that runs with its owner's rights (SECURITY DEFINER)."
        else:
            yield "opaque-code", "CREATE FUNCTION adds code that nobody can analyse; it has to be read."
    for name, node in walk(kind, tree):
        if name == "alter_table_cmd" and node.get("subtype") in IMPACT_COMMANDS:
            code, what = IMPACT_COMMANDS[node["subtype"]]
            yield code, f"ALTER TABLE {what}."


def _objects(statement: Statement) -> Iterator[str]:
    """Return the names of everything that the statement acts on or mentions as a relation, trigger, type or function."""
    if statement.kind == "drop_stmt":
        yield from dict.fromkeys(_strings(statement.tree.get("objects", [])))
    for field in ("funcname", "type_name", "trigname", "defnames"):
        value = statement.tree.get(field)
        if isinstance(value, str):
            yield value
        elif value:
            yield from _strings(value)
    for _name_of, node in walk(statement.kind, statement.tree):
        if isinstance(node.get("relname"), str):
            yield node["relname"]


def _is_audit(name: str, audit_names: Collection[str]) -> bool:
    lowered = name.lower()
    return lowered in audit_names or "audit" in re.split(r"[^a-z0-9]+|_", lowered)


def _is_ledger(node: Tree, ledger: tuple[str, str]) -> bool:
    if node.get("relname") == ledger[1]:
        return True
    return node.get("schemaname") == ledger[0] and ledger[0] not in {"", "public"}


# ── the tree ────────────────────────────────────────────────────────────────────────────────────────────────


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


def _strings(value: Any) -> list[str]:
    return [node["sval"] for name, node in walk("", value) if name == "string" and "sval" in node]


def _language(tree: Tree) -> str:
    for option in tree.get("options", []):
        element = _element(option)
        if element.get("defname") == "language":
            return str(element.get("arg", {}).get("string", {}).get("sval", "")).lower()
    # A body in BEGIN ATOMIC or RETURN form is SQL by definition.
    return "sql" if "sql_body" in tree else ""


def _element(option: Tree) -> Tree:
    element: Tree = option.get("def_elem", {})
    return element


def _name(statement: Statement) -> str:
    """Return the statement's first words in capitals, as people speak of it."""
    words = re.findall(r"[A-Za-z]+", statement.text[:60])[:2]
    return " ".join(words).upper() or "The statement"
