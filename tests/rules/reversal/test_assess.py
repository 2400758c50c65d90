"""Ways around the first words of a statement: each is refused with the code that says why."""

from __future__ import annotations

import pytest

from rollbacks.reversal.assess import assess

REACHES: dict[str, tuple[str, ...]] = {
    "extension": ("ALTER EXTENSION hstore UPDATE", "ALTER EXTENSION hstore ADD TABLE t", "CREATE LANGUAGE plpython3u"),
    "server": ("ALTER TABLESPACE x RENAME TO y", "ALTER TABLESPACE x SET (seq_page_cost = 1)", "REINDEX SCHEMA s",
               "ALTER TABLE ALL IN TABLESPACE a SET TABLESPACE b", "ALTER DATABASE d RENAME TO e",
               "ALTER DATABASE d REFRESH COLLATION VERSION", "VACUUM t", "CLUSTER t", "ALTER DATABASE d CONNECTION LIMIT 1",
               "CREATE TABLESPACE x LOCATION '/x'"),
    "transaction-control": ("COMMIT", "ROLLBACK TO a", "PREPARE TRANSACTION 'x'"),
    "code": ("CREATE LANGUAGE mine HANDLER h", "LOAD 'x'"),
    "roles": ("ALTER ROLE a RENAME TO b", "ALTER GROUP a ADD USER b", "CREATE GROUP a"),
    "outside": ("CREATE FOREIGN TABLE f (a int) SERVER s", "ALTER FOREIGN DATA WRAPPER f OPTIONS (a 'b')",
                "DROP USER MAPPING FOR u SERVER s", "ALTER SERVER s OPTIONS (a 'b')",
                "ALTER USER MAPPING FOR u SERVER s OPTIONS (a 'b')", "ALTER SUBSCRIPTION s DISABLE"),
    "meaning": ("DROP CAST (a AS b)", "CREATE OPERATOR FAMILY f USING btree",
                "ALTER OPERATOR FAMILY f USING btree ADD OPERATOR 1 < (int, int)", "DROP LANGUAGE plperl",
                "ALTER OPERATOR = (int, int) SET (RESTRICT = NONE)", "CREATE CONVERSION c FOR 'UTF8' TO 'LATIN1' FROM f",
                "CREATE TEXT SEARCH TEMPLATE d (LEXIZE = f)", "DROP ACCESS METHOD m", "DROP TRANSFORM FOR t LANGUAGE l"),
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
    "catalog": ("CREATE VIEW pg_class AS SELECT 1", "CREATE TABLE pg_catalog.x (a int)", "DROP SCHEMA pg_catalog",
                "ALTER FUNCTION f() SET SCHEMA pg_catalog", "CREATE TYPE pg_catalog.x AS ENUM ('a')",
                "INSERT INTO information_schema.sql_features VALUES (1)", "SELECT * FROM pg_authid", "TRUNCATE pg_class",
                "CREATE TABLE x AS SELECT rolpassword FROM pg_catalog.pg_authid"),
    "prepared": ("PREPARE p AS DELETE FROM t", "DEALLOCATE p", "EXPLAIN ANALYZE EXECUTE p", "CREATE TABLE x AS EXECUTE p"),
    "cursor": ("DECLARE c CURSOR FOR SELECT 1", "FETCH c", "CLOSE c"),
    "notify": ("CREATE RULE r AS ON INSERT TO t DO ALSO NOTIFY x",),
    "owner": ("CREATE SCHEMA s AUTHORIZATION x",),
    "triggers": ("ALTER TABLE t ENABLE REPLICA TRIGGER a", "ALTER TABLE t DISABLE RULE r"),
    "cascade": ("ALTER DOMAIN d DROP CONSTRAINT c CASCADE", "ALTER TYPE c DROP ATTRIBUTE a CASCADE"),
    "language": ("DO LANGUAGE plpython3u 'x'", "CREATE FUNCTION f() RETURNS text LANGUAGE internal AS 'pg_read_file'"),
    "ledger": ("ALTER SCHEMA drizzle RENAME TO x", "ALTER TABLE x SET SCHEMA drizzle", "GRANT ALL ON SCHEMA drizzle TO x",
               "COMMENT ON TABLE drizzle.__drizzle_migrations IS 'x'", "GRANT ALL ON ALL TABLES IN SCHEMA drizzle TO x",
               "SELECT setval('drizzle.__drizzle_migrations_id_seq', 1)", "DROP TABLE drizzle.__drizzle_migrations",
               "DO $$ BEGIN DELETE FROM drizzle.__drizzle_migrations; END $$",
               "ALTER SEQUENCE drizzle.__drizzle_migrations_id_seq RESTART"),
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
    "DROP FUNCTION f(int, text)", "DROP AGGREGATE ag(int)", "COMMENT ON FUNCTION f(int) IS 'x'",
)  # fmt: skip


@pytest.mark.parametrize(("code", "sql"), [(code, sql) for code, inputs in REACHES.items() for sql in inputs])
def test_what_reaches_further_than_its_first_words_is_refused(code: str, sql: str) -> None:
    found = assess(sql, audit_tables=())
    assert code in {refusal.code for refusal in found.refusals}
    assert all(refusal.sentence.endswith(".") for refusal in found.refusals)


@pytest.mark.parametrize("sql", ORDINARY)
def test_an_ordinary_statement_is_not_refused(sql: str) -> None:
    assert not assess(sql, audit_tables=()).refusals


@pytest.mark.parametrize(
    ("sql", "relations"),
    [
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
    ],
)
def test_a_judgement_has_its_class(sql: str, cls: str) -> None:
    assert [each.cls for each in assess(sql, audit_tables=()).judgements] == [cls]


def test_renaming_a_value_is_not_called_adding_one() -> None:
    (judgement,) = assess("ALTER TYPE mood RENAME VALUE 'a' TO 'b'", audit_tables=()).judgements
    assert (judgement.cls, "renames" in judgement.sentence) == ("W", True)
