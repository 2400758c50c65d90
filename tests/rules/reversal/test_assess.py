"""Ways around the first words of a statement: each is refused with the code that says why."""

from __future__ import annotations

import pytest

from rollbacks.reversal.assess import assess, assess_forward

REACHES: dict[str, tuple[str, ...]] = {
    "extension": ("ALTER EXTENSION hstore UPDATE", "ALTER EXTENSION hstore ADD TABLE t", "CREATE LANGUAGE plpython3u"),
    "server": ("ALTER TABLESPACE x RENAME TO y", "ALTER TABLESPACE x SET (seq_page_cost = 1)", "REINDEX SCHEMA s",
               "ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b", "ALTER DATABASE d RENAME TO e",
               "ALTER DATABASE d REFRESH COLLATION VERSION", "VACUUM t", "CLUSTER t", "ALTER DATABASE d CONNECTION LIMIT 1",
               "CREATE TABLESPACE x LOCATION '/x'", "DROP EVENT TRIGGER e"),
    "transaction-control": ("COMMIT", "ROLLBACK TO a", "PREPARE TRANSACTION 'x'"),
    "code": ("CREATE LANGUAGE mine HANDLER h", "LOAD 'x'"),
    "roles": ("ALTER ROLE a RENAME TO b", "ALTER GROUP a ADD USER b", "CREATE GROUP a"),
    "outside": ("CREATE FOREIGN TABLE f (a int) SERVER s", "ALTER FOREIGN DATA WRAPPER f OPTIONS (a 'b')",
                "DROP USER MAPPING FOR u SERVER s", "ALTER SERVER s OPTIONS (a 'b')",
                "ALTER USER MAPPING FOR u SERVER s OPTIONS (a 'b')", "ALTER SUBSCRIPTION s DISABLE",
                "DROP PUBLICATION p", "DROP SERVER s", "DROP FOREIGN DATA WRAPPER f"),
    "meaning": ("DROP CAST (a AS b)", "CREATE OPERATOR FAMILY f USING btree",
                "ALTER OPERATOR FAMILY f USING btree ADD OPERATOR 1 < (int, int)", "DROP LANGUAGE plperl",
                "ALTER OPERATOR = (int, int) SET (RESTRICT = NONE)", "CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM f",
                "CREATE TEXT SEARCH TEMPLATE d (LEXIZE = f)", "DROP ACCESS METHOD m", "DROP TRANSFORM FOR t LANGUAGE l",
                "CREATE OPERATOR CLASS c FOR TYPE int USING btree AS OPERATOR 1 <", "DROP OPERATOR = (int, int)",
                "DROP OPERATOR CLASS c USING btree", "DROP OPERATOR FAMILY f USING btree", "DROP CONVERSION c",
                "DROP TEXT SEARCH TEMPLATE d", "DROP TEXT SEARCH PARSER p"),
    "function": ("SELECT lo_create(1)", "SELECT lo_put(1, 0, 'x')", "SELECT pg_notify('a', 'b')",
                 "SELECT pg_drop_replication_slot('a')", "SELECT pg_create_physical_replication_slot('a')",
                 "SELECT pg_backup_start('a')", "SELECT crosstab('select 1')", "SELECT pg_log_backend_memory_contexts(1)",
                 "SELECT pg_stat_reset()", "SELECT ts_rewrite('a'::tsquery, 'select 1')",
                 "CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION pg_read_file()",
                 "CREATE AGGREGATE ag(text) (SFUNC = pg_read_file, STYPE = text)",
                 "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO x",
                 "CREATE FUNCTION f() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT pg_read_file('x'); END",
                 "CREATE FUNCTION f() RETURNS text RETURN pg_read_file('x')",
                 "CREATE POLICY p ON t USING (pg_read_file('x') = '')",
                 "CREATE DOMAIN d AS text CHECK (pg_read_file('x') = '')",
                 "CREATE RULE r AS ON INSERT TO t DO ALSO SELECT pg_read_file('x')"),
    "security-definer": ("ALTER FUNCTION f() SECURITY DEFINER", "ALTER ROUTINE f() SECURITY DEFINER"),
    "setting": ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SET role = x AS 'select 1'",
                "ALTER FUNCTION f() SET session_replication_role = replica",
                "ALTER FUNCTION f() SET statement_timeout = 0", "SET CONSTRAINTS ALL DEFERRED", "LISTEN x", "DISCARD ALL"),
    "shadow": ("CREATE FUNCTION pg_catalog.mine() RETURNS int LANGUAGE sql AS 'select 1'",),
    "catalog": ("WITH d AS (DELETE FROM pg_class RETURNING *) SELECT * FROM d", "EXPLAIN ANALYZE DELETE FROM pg_class",
                "MERGE INTO pg_class c USING t ON c.oid = t.a WHEN MATCHED THEN DELETE", "UPDATE pg_class SET relname = 'x'",
                "ALTER TABLE pg_class ADD COLUMN a int", "CREATE SEQUENCE pg_catalog.s", "SELECT 1 AS a INTO pg_catalog.x",
                "CREATE TYPE pg_catalog.x AS (a int)", "CREATE DOMAIN pg_catalog.x AS int", "DELETE FROM pg_toast.pg_toast_1",
                "CREATE AGGREGATE pg_catalog.ag(int) (SFUNC = add, STYPE = int)", "DROP TABLE a, pg_b",
                "CREATE VIEW pg_toast.v AS SELECT 1", "GRANT EXECUTE ON FUNCTION pg_sleep(double precision) TO x",
                *(f"SELECT * FROM {name}" for name in ("pg_shadow", "pg_user_mapping", "pg_user_mappings", "pg_largeobject",
                                                       "pg_file_settings")),
                "CREATE VIEW pg_class AS SELECT 1", "CREATE TABLE pg_catalog.x (a int)", "DROP SCHEMA pg_catalog",
                "ALTER FUNCTION f() SET SCHEMA pg_catalog", "CREATE TYPE pg_catalog.x AS ENUM ('a')",
                "INSERT INTO information_schema.sql_features VALUES (1)", "SELECT * FROM pg_authid", "TRUNCATE pg_class",
                "CREATE TABLE x AS SELECT rolpassword FROM pg_catalog.pg_authid"),
    "prepared": ("PREPARE p AS DELETE FROM t", "DEALLOCATE p", "EXPLAIN ANALYZE EXECUTE p", "CREATE TABLE x AS EXECUTE p"),
    "cursor": ("DECLARE c CURSOR FOR SELECT 1", "FETCH c", "CLOSE c"),
    "notify": ("CREATE RULE r AS ON INSERT TO t DO ALSO NOTIFY x",),
    "owner": ("CREATE SCHEMA s AUTHORIZATION x",),
    "triggers": ("ALTER TABLE t ENABLE REPLICA TRIGGER a", "ALTER TABLE t DISABLE RULE r",
                 "ALTER TABLE t ENABLE REPLICA RULE r"),
    "cascade": ("ALTER DOMAIN d DROP CONSTRAINT c CASCADE", "ALTER TYPE c DROP ATTRIBUTE a CASCADE"),
    "language": ("DO LANGUAGE plpython3u 'x'", "CREATE FUNCTION f() RETURNS text LANGUAGE internal AS 'pg_read_file'"),
    "ledger": ("ALTER SCHEMA drizzle RENAME TO x", "ALTER TABLE x SET SCHEMA drizzle", "GRANT ALL ON SCHEMA drizzle TO x",
               "COMMENT ON TABLE drizzle.__drizzle_migrations IS 'x'", "GRANT ALL ON ALL TABLES IN SCHEMA drizzle TO x",
               "SELECT setval('drizzle.__drizzle_migrations_id_seq', 1)", "DROP TABLE drizzle.__drizzle_migrations",
               "DO $$ BEGIN DELETE FROM drizzle.__drizzle_migrations; END $$",
               "ALTER SEQUENCE drizzle.__drizzle_migrations_id_seq RESTART", "DELETE FROM __drizzle_migrations",
               "COMMENT ON SCHEMA drizzle IS 'x'", "ALTER SCHEMA x RENAME TO drizzle", "ALTER TYPE x SET SCHEMA drizzle", "DROP SCHEMA drizzle",
               "SECURITY LABEL ON SCHEMA drizzle IS 'x'", "DROP FUNCTION drizzle.f()", "ALTER DOMAIN drizzle.d RENAME TO e",
               "ALTER FUNCTION drizzle.f() SET SCHEMA shop"),
}  # fmt: skip

# What ordinary rollbacks contain and no rule may catch.
ORDINARY = (
    "DROP TABLE orders", "ALTER TABLE orders DROP COLUMN total", "ALTER TABLE a RENAME TO b", "DROP INDEX i",
    "ALTER TABLE a RENAME COLUMN b TO c", "ALTER TYPE mood RENAME VALUE 'a' TO 'b'", "DROP TYPE mood", "DROP EXTENSION hstore",
    "CREATE VIEW v AS SELECT relname FROM pg_catalog.pg_class", "REINDEX (VERBOSE) TABLE t",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER SET search_path = public AS 'select 1'",
    "CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch()", "COMMENT ON TABLE t IS 'drizzle'",
    "CREATE TYPE shop.mood AS ENUM ('a')", "INSERT INTO t VALUES ('Goma', 'äö')", "CREATE SCHEMA shop",
    "GRANT SELECT ON ALL TABLES IN SCHEMA shop TO reader", "ALTER TABLE t SET SCHEMA shop", "DROP FUNCTION f()",
    "DROP FUNCTION f(int, text)", "DROP AGGREGATE ag(int)", "COMMENT ON FUNCTION f(int) IS 'x'", "DROP EXTENSION pg_trgm",
    "CREATE AGGREGATE ag(int) (SFUNC = add, STYPE = int)", "REFRESH MATERIALIZED VIEW CONCURRENTLY v", "CREATE INDEX i ON t (a)",
    "ALTER TABLE t DETACH PARTITION p", "CREATE FUNCTION shop.crosstab_x() RETURNS int LANGUAGE sql AS 'select 1'",
    "INSERT INTO t SELECT oid FROM pg_class", "ALTER TABLE shop.pg_like RENAME TO b", "DO LANGUAGE plpgsql 'BEGIN END'",
    "ALTER FUNCTION f() SECURITY DEFINER SET search_path = public", "ALTER FUNCTION f() SECURITY INVOKER",
    "ALTER FUNCTION f() SET work_mem = '1MB'", "CREATE SCHEMA shop CREATE TABLE t (a int)",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY INVOKER AS 'select 1'", "ALTER FUNCTION f() STRICT",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql STRICT AS 'select 1'", "CREATE FUNCTION f() RETURNS int RETURN 1", "CREATE DOMAIN d AS integer",
)  # fmt: skip


@pytest.mark.parametrize(("code", "sql"), [(code, sql) for code, inputs in REACHES.items() for sql in inputs])
def test_what_reaches_further_than_its_first_words_is_refused(code: str, sql: str) -> None:
    found = assess(sql, audit_tables=())
    assert code in {refusal.code for refusal in found.refusals}
    assert all(refusal.sentence.endswith(".") for refusal in found.refusals)


@pytest.mark.parametrize("sql", ORDINARY)
def test_an_ordinary_statement_is_not_refused(sql: str) -> None:
    assert not assess(sql, audit_tables=()).refusals


# What acts on the server or outside it wherever it is called.
ACTING = """
    pg_read_file pg_read_binary_file pg_ls_waldir pg_stat_file pg_file_write dblink dblink_exec set_config postgres_fdw_disconnect
    pg_notify lo_import lo_export lo_create lo_creat lo_unlink lo_put lo_from_bytea lo_open lo_truncate lo_truncate64 lo_get
    lowrite loread pg_terminate_backend pg_cancel_backend pg_advisory_lock pg_try_advisory_lock pg_reload_conf
    pg_rotate_logfile pg_switch_wal pg_create_restore_point pg_drop_replication_slot pg_copy_logical_replication_slot
    pg_replication_origin_drop pg_wal_replay_pause pg_backup_stop pg_start_backup pg_stop_backup pg_promote pg_export_snapshot
    pg_logical_emit_message pg_log_standby_snapshot pg_stat_reset_shared pg_hba_file_rules pg_ident_file_mappings
    pg_show_all_file_settings pg_import_system_collations pg_current_logfile pg_sync_replication_slots
    binary_upgrade_set_next_pg_type_oid query_to_xml table_to_xml schema_to_xml database_to_xml cursor_to_xml ts_stat ts_rewrite
    crosstab connectby xpath_table"""
SETTINGS = """
    role session_authorization session_replication_role row_security standard_conforming_strings client_encoding lock_timeout
    transaction_read_only default_transaction_isolation session_preload_libraries dynamic_library_path"""
SHADOWED = """
    abs array_agg avg coalesce concat count current_setting date_trunc decode encode exists format gen_random_uuid
    has_table_privilege jsonb_agg jsonb_build_object left length lower max md5 min nextval now pg_backend_pid quote_ident
    quote_literal random regexp_replace replace right round row_number set_config sha256 split_part string_agg substr substring
    sum to_char to_jsonb to_timestamp trim upper version"""


@pytest.mark.parametrize(
    ("code", "form", "words"),
    [
        ("function", "SELECT {}(1)", ACTING),
        ("setting", "ALTER FUNCTION f() SET {} = 'x'", SETTINGS),
        ("shadow", "CREATE FUNCTION shop.\"{}\"() RETURNS int LANGUAGE sql AS 'select 1'", SHADOWED),
    ],
)
def test_each_of_the_names_is_refused(code: str, form: str, words: str) -> None:
    found = assess(";\n".join(form.format(word) for word in words.split()), audit_tables=())
    assert {each.line for each in found.refusals if each.code == code} == set(range(1, len(words.split()) + 1))


@pytest.mark.parametrize("sql", ["UPDATE public.t SET a = 1", "DROP TABLE public.t", "ALTER TYPE a SET SCHEMA public"])
def test_a_ledger_among_the_other_tables_closes_only_itself(sql: str) -> None:
    ledger = ("public", "__drizzle_migrations")
    assert not assess(sql, audit_tables=(), ledger=ledger).refusals
    found = assess("DELETE FROM public.__drizzle_migrations", audit_tables=(), ledger=ledger)
    assert [each.code for each in found.refusals] == ["ledger"]


IMPACTS = [
    ("GRANT SELECT ON t TO x", {"grants"}),
    ("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO x", {"grants"}),
    ("ALTER FUNCTION f() OWNER TO x", {"owner"}),
    ("ALTER TABLE t OWNER TO x", {"owner"}),
    ("CREATE POLICY p ON t", {"row-security"}),
    ("ALTER POLICY p ON t USING (true)", {"row-security"}),
    ("DROP POLICY p ON t", {"row-security"}),
    ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", {"row-security"}),
    ("ALTER TABLE t DISABLE ROW LEVEL SECURITY", {"row-security"}),
    ("ALTER TABLE t FORCE ROW LEVEL SECURITY", {"row-security"}),
    ("ALTER TABLE t NO FORCE ROW LEVEL SECURITY", {"row-security"}),
    ("CREATE RULE r AS ON INSERT TO t DO ALSO NOTHING", {"opaque-code"}),
    ("DO $$ BEGIN END $$", {"opaque-code"}),
    ("SECURITY LABEL ON TABLE t IS 'x'", {"security-label"}),
    ("ALTER TABLE t DISABLE TRIGGER a", {"triggers"}),
    ("ALTER TABLE t DISABLE TRIGGER ALL", {"triggers"}),
    ("ALTER TABLE t DISABLE TRIGGER USER", {"triggers"}),
    ("ALTER TABLE t ENABLE TRIGGER a", {"triggers"}),
    ("ALTER TABLE t ENABLE ALWAYS TRIGGER a", {"triggers"}),
    ("ALTER TABLE t ENABLE REPLICA TRIGGER a", {"triggers"}),
    ("ALTER TABLE t DISABLE RULE a", {"triggers"}),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'select 1'", {"opaque-code"}),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql STRICT AS 'select 1'", {"opaque-code"}),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY INVOKER AS 'select 1'", {"opaque-code"}),
    ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'select 1'", {"security-definer"}),
    ("DROP TABLE shop.Trail", {"audit"}),
    ("UPDATE shop.trail SET a = 1", {"audit"}),
    ("DROP TABLE audit_log", {"audit"}),
    ("DROP TYPE audit", {"audit"}),
    ("CREATE TYPE audit_kind AS ENUM ('a')", {"audit"}),
    ("CREATE DOMAIN d AS text", set()),
    ("CREATE AGGREGATE audit_sum(int) (SFUNC = add, STYPE = int)", {"audit"}),
    ("CREATE FUNCTION keep_audit() RETURNS int LANGUAGE sql AS 'select 1'", {"audit", "opaque-code"}),
    ("CREATE TRIGGER audit_t BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()", {"audit"}),
    ("CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION audit_f()", {"audit"}),
    ("SELECT * FROM trail", set()),
    ("DROP TABLE auditorium", set()),
    ("DROP TABLE t", set()),
]


@pytest.mark.parametrize(("sql", "codes"), IMPACTS)
def test_what_touches_a_security_control_is_told(sql: str, codes: set[str]) -> None:
    found = assess(sql, audit_tables=("public.TRAIL",))
    assert {each.code for each in found.impacts} == codes and found.security_impacting is bool(codes)
    assert {each.code for each in assess_forward(sql, audit_tables=("public.TRAIL",)).impacts} == codes


def test_what_is_touched_twice_is_told_once() -> None:
    found = assess("SELECT 1;\nDROP TABLE audit_log;\nDROP TABLE audit_log;", audit_tables=())
    assert [(each.line, each.code) for each in found.impacts] == [(2, "audit")]


def test_a_statement_without_words_at_its_beginning_is_called_one() -> None:
    (refusal,) = assess("(" * 70 + "SELECT pg_read_file('x')" + ")" * 70, audit_tables=()).refusals
    assert refusal.sentence.startswith("The statement: ")
    (refusal,) = assess("vacuum t", audit_tables=()).refusals
    assert refusal.sentence.startswith("VACUUM T: ")


@pytest.mark.parametrize(("option", "named"), [("LANGUAGE c", "in c can"), ("", "in an unknown language can")])
def test_a_language_that_is_refused_is_named(option: str, named: str) -> None:
    (refusal,) = assess(f"CREATE FUNCTION f() RETURNS int {option} AS 'x'", audit_tables=()).refusals
    assert named in refusal.sentence


@pytest.mark.parametrize("sql", ["COMMIT", "CALL p()", "SET search_path = x"])
def test_what_is_refused_is_said_once(sql: str) -> None:
    assert len(assess(sql, audit_tables=()).refusals) == 1


@pytest.mark.parametrize(
    ("sql", "relations"),
    [
        ("DROP VIEW shop.v", {"shop.v"}),
        ("DROP MATERIALIZED VIEW shop.v", {"shop.v"}),
        ("DROP SEQUENCE shop.s", {"shop.s"}),
        ("DROP FOREIGN TABLE shop.f", {"shop.f"}),
        ("DROP RULE x ON shop.t", {"shop.t"}),
        ("WITH d AS (SELECT 1) SELECT * FROM d, shop.d", {"shop.d"}),
        ("DROP TABLE a, shop.b", {"a", "shop.b"}),
        ("DROP INDEX shop.i", {"shop.i"}),
        ("DROP TRIGGER x ON shop.t", {"shop.t"}),
        ("DROP POLICY x ON t", {"t"}),
        ("DROP FUNCTION f(int)", set()),
        ("DROP SCHEMA shop", set()),
        ("WITH d AS (DELETE FROM t RETURNING *) INSERT INTO u SELECT * FROM d", {"t", "u"}),
        ("ALTER TABLE shop.t ADD FOREIGN KEY (a) REFERENCES u (b)", {"shop.t", "u"}),
    ],
)
def test_a_judgement_names_the_relations(sql: str, relations: set[str]) -> None:
    assert set(assess(sql, audit_tables=()).judgements[0].relations) == relations


@pytest.mark.parametrize(
    ("sql", "cls"),
    [
        ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 2", "P"),
        ("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING", "S"),
        ("DROP EXTENSION hstore", "W"),
        ("SHOW all", "W"),
        ("TRUNCATE t, u", "P"),
        ("DROP INDEX i", "S"),
        ("ANALYZE t", "S"),
        ("LOCK TABLE t", "W"),
        ("ALTER TABLE t SET UNLOGGED", "W"),
        ("VACUUM t", "R"),
        ("CREATE SERVER s FOREIGN DATA WRAPPER f", "D"),
        ("ALTER TABLE t OWNER TO x", "D"),
        ("DROP TABLE t", "P"),
        ("DROP SCHEMA shop", "P"),
        ("DROP MATERIALIZED VIEW v", "P"),
        ("DROP SEQUENCE s", "P"),
        ("DROP VIEW v", "S"),
        ("DROP POLICY p ON t", "W"),
        ("DROP INDEX IF EXISTS i", "W"),
        ("ALTER TABLE t DROP COLUMN a", "P"),
        ("ALTER TABLE t ALTER COLUMN a TYPE int", "P"),
        ("ALTER TABLE t FORCE ROW LEVEL SECURITY", "W"),
        ("ALTER TABLE t NO FORCE ROW LEVEL SECURITY", "W"),
        ("ALTER POLICY p ON t USING (true)", "W"),
        ("EXPLAIN VALUES (1)", "W"),
        ("MERGE INTO t USING u ON true WHEN MATCHED THEN DO NOTHING", "P"),
    ],
)
def test_a_judgement_has_its_class(sql: str, cls: str) -> None:
    assert [each.cls for each in assess(sql, audit_tables=()).judgements] == [cls]


def test_renaming_a_value_is_not_called_adding_one() -> None:
    (judgement,) = assess("ALTER TYPE mood RENAME VALUE 'a' TO 'b'", audit_tables=()).judgements
    assert (judgement.cls, "renames" in judgement.sentence) == ("W", True)
    (judgement,) = assess("ALTER TYPE mood ADD VALUE 'b'", audit_tables=()).judgements
    assert (judgement.cls, "adds" in judgement.sentence) == ("W", True)


@pytest.mark.parametrize(
    ("sql", "lines"),
    [
        ("ALTER TYPE m ADD VALUE 'b';\nUPDATE t SET m = 'b';\nUPDATE t SET m = 'c'", [2]),
        ("ALTER TYPE m RENAME VALUE 'a' TO 'b';\nUPDATE t SET m = 'b'", []),
        ("ALTER TYPE m ADD VALUE 'b';\nALTER TYPE m ADD VALUE 'c' AFTER 'b'", []),
    ],
)
def test_a_value_is_not_used_in_the_script_that_adds_it(sql: str, lines: list[int]) -> None:
    found = assess(sql, audit_tables=()).refusals
    assert [each.line for each in found if each.code == "same-script"] == lines
