"""Refusals for what reaches further than its first words say: nested statements, options, names and callbacks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rollbacks.reversal.parse import Statement
from rollbacks.reversal.tree import Tree, element, strings, walk

FUNCTIONS = re.compile(
    r"pg_read_(binary_)?file|pg_ls_\w+|pg_stat_file|pg_file_\w+|dblink\w*|set_config|postgres_fdw_\w+|pg_notify|"
    r"lo_(import|export|create?|unlink|put|from_bytea|open|truncate(64)?|get)|lowrite|loread|"
    r"pg_(terminate|cancel)_backend|pg_advisory_\w+|pg_try_advisory_\w+|pg_reload_conf|pg_rotate_logfile|pg_switch_wal|"
    r"pg_create_\w+|pg_drop_replication_slot|pg_copy_\w+_slot|pg_replication_\w+|pg_wal_\w+|pg_backup_\w+|"
    r"pg_(start|stop)_backup|pg_promote|pg_export_snapshot|pg_logical_\w+|pg_log_\w+|pg_stat_reset\w*|"
    r"pg_hba_file_rules|pg_ident_file_mappings|pg_show_all_file_settings|pg_import_system_collations|"
    r"pg_current_logfile|pg_sync_replication_slots|binary_upgrade_\w+|"
    r"(query|table|schema|database|cursor)_to_xml\w*|ts_stat|ts_rewrite|crosstab\w*|connectby|xpath_table"
)
# Function settings that would change who acts, what is checked or how long it may take.
SETTINGS = re.compile(
    r"role|session_authorization|session_replication_role|row_security|standard_conforming_strings|client_encoding|"
    r"\w+_timeout|transaction_\w+|default_transaction_\w+|\w+_preload_libraries|dynamic_library_path"
)
TRUSTED_LANGUAGES = {"sql", "plpgsql"}
CATALOGS = {"pg_catalog", "information_schema", "pg_toast"}
HASHES = {"pg_authid", "pg_shadow", "pg_user_mapping", "pg_user_mappings", "pg_largeobject", "pg_file_settings"}
SERVER_OBJECTS = {"OBJECT_ROLE": "roles", "OBJECT_DATABASE": "server", "OBJECT_TABLESPACE": "server"}
MEANINGS = {
    "OBJECT_CAST", "OBJECT_OPERATOR", "OBJECT_OPCLASS", "OBJECT_OPFAMILY", "OBJECT_ACCESS_METHOD", "OBJECT_TRANSFORM",
    "OBJECT_LANGUAGE", "OBJECT_CONVERSION", "OBJECT_TSTEMPLATE", "OBJECT_TSPARSER",
}  # fmt: skip

SCHEMA = "the system catalogs are PostgreSQL's own; use the statement that changes the object, and a schema of yours."
MEANING = "it changes what later statements mean for everybody; have an administrator do it outside the portal."
OPTION = "the function would set {} whenever it runs, which a rollback must not decide; leave that setting out."
DEFINER = "SECURITY DEFINER without SET search_path lets a caller choose what the code means; set the search path."
ACTS = "the function {} acts on the server or outside it; remove it."


def reaches(statement: Statement) -> Iterator[tuple[str, str]]:
    """Yield code and sentence for everything that is refused wherever in the statement it stands."""
    yield from _of_names(statement)
    yield from _of_options(statement)
    yield from _of_callbacks(statement)
    for _, node in walk(statement.kind, statement.tree):
        if node.get("relname") in HASHES:
            yield "catalog", f"{node['relname']} holds secrets or large objects of the whole server; remove it."
        # A WITH clause writes as well.
        if any(_is_system(each) for each in _targets(node)):
            yield "catalog", SCHEMA
        if node.get("authrole"):
            yield "owner", "owners are not given by a rollback; leave AUTHORIZATION out."


def _of_names(statement: Statement) -> Iterator[tuple[str, str]]:
    tree = statement.tree
    if tree.get("rename_type") in SERVER_OBJECTS:
        yield SERVER_OBJECTS[tree["rename_type"]], "it renames what the whole server shares; do it outside the portal."
    if tree.get("remove_type", tree.get("kind")) in MEANINGS:
        yield "meaning", MEANING
    if tree.get("newschema") in CATALOGS:
        yield "catalog", SCHEMA
    # A domain has a type's name as well: that of what it is made of.
    made = next((strings(tree[field]) for field in ("domainname", "defnames", "type_name") if field in tree), [])
    if not CATALOGS.isdisjoint(made[:1]):
        yield "catalog", SCHEMA


def _targets(tree: Tree) -> list[Tree]:
    """Return the relations that a statement makes, changes or writes, without those that it reads."""
    into = tree.get("into", tree.get("into_clause", {}))
    found = [tree.get(field) for field in ("relation", "view", "typevar", "sequence")]
    found += [into.get("rel"), *(each.get("range_var") for each in tree.get("relations", []))]
    return [each for each in found if isinstance(each, dict)]


def _is_system(relation: Tree) -> bool:
    schema = relation.get("schemaname", "")
    return schema in CATALOGS or (not schema and str(relation.get("relname", "")).startswith("pg_"))


def _of_options(statement: Statement) -> Iterator[tuple[str, str]]:
    kind, tree = statement.kind, statement.tree
    if kind == "do_stmt":
        named = [element(each) for each in tree.get("args", [])]
        chosen = [strings(each.get("arg"))[0] for each in named if each.get("defname") == "language"]
        if chosen and chosen[0].lower() not in TRUSTED_LANGUAGES:
            yield "language", f"code in {chosen[0]} can reach outside the database; remove it."
    if kind not in {"create_function_stmt", "alter_function_stmt"}:
        return
    options = [element(each) for each in tree.get("options", tree.get("actions", []))]
    names = [each.get("arg", {}).get("variable_set_stmt", {}).get("name", "") for each in options]
    for name in names:
        if SETTINGS.fullmatch(name.lower()):
            yield "setting", OPTION.format(name)
    definer = any(each.get("defname") == "security" and each.get("arg", {}).get("boolean", {}).get("boolval")
                  for each in options)  # fmt: skip
    if definer and "search_path" not in names:
        yield "security-definer", DEFINER


def _of_callbacks(statement: Statement) -> Iterator[tuple[str, str]]:
    """A dangerous function needs no call: triggers, aggregates and grants only name it."""
    kind, tree = statement.kind, statement.tree
    named: list[str] = []
    if kind == "create_trig_stmt":
        named = strings(tree.get("funcname", []))[-1:]
    elif kind in {"define_stmt", "grant_stmt"}:
        named = strings([tree.get("definition", []), tree.get("objects", [])])
    for name in named:
        if FUNCTIONS.fullmatch(name.lower()):
            yield "function", ACTS.format(name)


def mentions_ledger(statement: Statement, ledger: tuple[str, str]) -> bool:
    """Whether the statement names the ledger where no relation stands: as an object, a new schema or in a string."""
    schema, table = ledger
    tree, kind = statement.tree, statement.kind
    named = {*strings(tree.get("objects", [])), *strings(tree.get("object", {}))} if kind in NAMING else set()
    if kind in {"rename_stmt", "alter_object_schema_stmt"}:
        named |= {str(tree.get(field, "")) for field in ("subname", "newname", "newschema")}
    if schema != "public" and schema in named:
        return True
    return any(table in str(node.get("sval", "")) for _, node in walk(kind, tree))


NAMING = {"drop_stmt", "comment_stmt", "grant_stmt", "rename_stmt", "alter_object_schema_stmt", "sec_label_stmt"}
