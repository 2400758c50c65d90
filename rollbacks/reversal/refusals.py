"""What reverse SQL may never do, decided on the parse tree; each refusal says what to do instead."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rollbacks.reversal import lane
from rollbacks.reversal.parse import Statement
from rollbacks.reversal.reach import FUNCTIONS, TRUSTED_LANGUAGES, mentions_ledger, reaches
from rollbacks.reversal.tree import Tree, dropped, language, strings, walk, words_of


@dataclass(frozen=True)
class Refusal:
    """Why a statement is never run: its line, a stable code and a sentence."""

    line: int
    code: str
    sentence: str


TRANSACTION = "transaction control would end the transaction that makes the rollback all or nothing; remove it."
SETTING = (
    "settings of the session are the portal's to make, and what limits the rollback must not be changed; remove it."
)
ROLES = "roles are not changed by a rollback; have an administrator do it outside the portal."
OUTSIDE = "it reaches outside the database, where a rollback cannot take it back; remove it."
SERVER = "it reads or changes the server itself, not the schema; remove it."
CODE = "it loads code into the server; remove it."
PREPARED = "a prepared statement hides what will run; write the statement itself."

CURSOR = "a cursor only reads for a client, and nobody reads here; remove it."
MEANING = "it changes what later statements mean for everybody; have an administrator do it outside the portal."
OWNER = "owners are not changed by a rollback; have an administrator do it outside the portal."
TRIGGERS_OFF = "a switched-off trigger lets rows in that nobody checked; drop the trigger if it has to go."
SHADOW = "it would stand in front of PostgreSQL's own object of that name; choose another name."
CATALOG = "the system catalogs are PostgreSQL's own; remove it."
# Names that people shadow to change what other code calls; the server has thousands, these are the tempting ones.
BUILTINS = frozenset(
    [
        "abs",
        "array_agg",
        "avg",
        "coalesce",
        "concat",
        "count",
        "current_setting",
        "date_trunc",
        "decode",
        "encode",
        "exists",
        "format",
        "gen_random_uuid",
        "has_table_privilege",
        "jsonb_agg",
        "jsonb_build_object",
        "left",
        "length",
        "lower",
        "max",
        "md5",
        "min",
        "nextval",
        "now",
        "pg_backend_pid",
        "quote_ident",
        "quote_literal",
        "random",
        "regexp_replace",
        "replace",
        "right",
        "round",
        "row_number",
        "set_config",
        "sha256",
        "split_part",
        "string_agg",
        "substr",
        "substring",
        "sum",
        "to_char",
        "to_jsonb",
        "to_timestamp",
        "trim",
        "upper",
        "version",
    ]
)

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
    "createdb_stmt": ("server", SERVER),
    "dropdb_stmt": ("server", SERVER),
    "create_table_space_stmt": ("server", SERVER),
    "drop_table_space_stmt": ("server", SERVER),
    "cluster_stmt": ("server", SERVER),
    "notify_stmt": ("notify", OUTSIDE),
    "listen_stmt": ("setting", SETTING),
    "unlisten_stmt": ("setting", SETTING),
    "create_publication_stmt": ("outside", OUTSIDE),
    "alter_publication_stmt": ("outside", OUTSIDE),
    "sec_label_stmt": ("meaning", MEANING),
    "create_cast_stmt": ("meaning", MEANING),
    "create_am_stmt": ("meaning", MEANING),
    "create_transform_stmt": ("meaning", MEANING),
    "create_op_class_stmt": ("meaning", MEANING),
    "alter_owner_stmt": ("owner", OWNER),
    "alter_extension_stmt": ("extension", CODE),
    "alter_extension_contents_stmt": ("extension", CODE),
    "create_foreign_table_stmt": ("outside", OUTSIDE),
    "alter_fdw_stmt": ("outside", OUTSIDE),
    "drop_user_mapping_stmt": ("outside", OUTSIDE),
    "alter_table_space_options_stmt": ("server", SERVER),
    "alter_table_move_all_stmt": ("server", SERVER),
    "alter_database_refresh_coll_stmt": ("server", SERVER),
    "create_op_family_stmt": ("meaning", MEANING),
    "alter_op_family_stmt": ("meaning", MEANING),
    "alter_operator_stmt": ("meaning", MEANING),
    "create_conversion_stmt": ("meaning", MEANING),
    "declare_cursor_stmt": ("cursor", CURSOR),
    "fetch_stmt": ("cursor", CURSOR),
    "close_portal_stmt": ("cursor", CURSOR),
}


def refusals_of(statement: Statement, ledger: tuple[str, str]) -> Iterator[Refusal]:
    def refuse(code: str, sentence: str) -> Refusal:
        return Refusal(statement.line, code, f"{words_of(statement)}: {sentence}")

    for code, sentence in (*_statement_refusals(statement), *reaches(statement)):
        yield refuse(code, sentence)
    for name, node in walk(statement.kind, statement.tree):
        # A function's own SET clause is a nested setting and judged by its name.
        if name in KINDS and (node is statement.tree or name != "variable_set_stmt"):
            yield refuse(*KINDS[name])
        for rule in NODE_RULES:
            found = rule(name, node)
            if found:
                yield refuse(*found)
    if mentions_ledger(statement, ledger) or any(_is_ledger(node, ledger) for _, node in walk("", statement.tree)):
        yield refuse("ledger", "Drizzle's ledger is written by the portal alone, in the same transaction; remove it.")


def _statement_refusals(statement: Statement) -> Iterator[tuple[str, str]]:
    tree, kind = statement.tree, statement.kind
    if lane.outside(statement) and (why := lane.problem(statement)):
        yield "non-transactional", why
    if kind == "copy_stmt":
        yield (
            "copy",
            "COPY moves data through files, programs or the connection; it belongs into an artifact. Remove it.",
        )
    if kind == "reindex_stmt" and tree.get("kind") not in {"REINDEX_OBJECT_INDEX", "REINDEX_OBJECT_TABLE"}:
        yield "server", SERVER
    if tree.get("is_vacuumcmd"):
        yield "server", SERVER
    if kind == "create_function_stmt":
        yield from _function_refusals(tree)
    if kind == "create_function_stmt" and language(tree) not in TRUSTED_LANGUAGES:
        yield (
            "language",
            f"functions in {language(tree) or 'an unknown language'} can reach outside the database; remove it.",
        )
    if tree.get("remove_type") == "OBJECT_EVENT_TRIGGER":
        yield "server", SERVER
    if tree.get("remove_type") in {"OBJECT_PUBLICATION", "OBJECT_FOREIGN_SERVER", "OBJECT_FDW"}:
        yield "outside", OUTSIDE
    # Extensions such as pg_trgm have such names too, and dropping one says so by itself.
    named = dropped(tree) if tree.get("remove_type") != "OBJECT_EXTENSION" else []
    if any(word.startswith("pg_") for name in named for word in name):
        yield "catalog", CATALOG


def _function_refusals(tree: Tree) -> Iterator[tuple[str, str]]:
    named = strings(tree["funcname"])
    if named[-1].lower() in BUILTINS or named[0] == "pg_catalog":
        yield "shadow", SHADOW


def _command(_name: str, node: Tree) -> tuple[str, str] | None:
    if node.get("subtype") in {
        "AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser", "AT_EnableReplicaTrig", "AT_DisableRule",
        "AT_EnableReplicaRule",
    }:  # fmt: skip
        return "triggers", TRIGGERS_OFF
    if node.get("subtype") == "AT_ChangeOwner":
        return "owner", OWNER
    if node.get("subtype") == "AT_SetTableSpace":
        return "server", SERVER
    return None


def _cascade(_name: str, node: Tree) -> tuple[str, str] | None:
    if node.get("behavior") == "DROP_CASCADE":
        return "cascade", "CASCADE removes what nobody named; drop each dependent object by a statement of its own."
    return None


def _function(name: str, node: Tree) -> tuple[str, str] | None:
    if name != "func_call":
        return None
    called = strings(node["funcname"])
    if FUNCTIONS.fullmatch(called[-1].lower()):
        return "function", f"the function {called[-1]} acts on the server or outside it; remove it."
    return None


NODE_RULES: tuple[Callable[[str, Tree], tuple[str, str] | None], ...] = (_cascade, _function, _command)


def _is_ledger(node: Tree, ledger: tuple[str, str]) -> bool:
    if node.get("relname") == ledger[1]:
        return True
    return node.get("schemaname") == ledger[0] and ledger[0] != "public"
