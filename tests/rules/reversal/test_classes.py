"""Every row of the hostile SQL table gets its class; rows that no text can decide are named with their place."""

from __future__ import annotations

import os
import random
import string

import pytest

from rollbacks.reversal import parse
from rollbacks.reversal.assess import assess

# Row → (class, inputs). Where the product is stricter than the table, it says so beside.
ROWS: dict[int, tuple[str, tuple[str, ...]]] = {
    1: ("R", ("COMMIT", "END", "commit work")),
    2: ("R", ("ROLLBACK", "ABORT")),
    3: ("R", ("COMMIT AND CHAIN", "ROLLBACK AND CHAIN")),
    4: ("R", ("/*x*/ cOmMiT", "COMMIT; BEGIN", "SELECT 1; -- x\n cOmmIt")),
    5: ("R", ("PREPARE TRANSACTION 'x'", "COMMIT PREPARED 'x'", "ROLLBACK PREPARED 'x'")),
    6: ("R", ("BEGIN", "START TRANSACTION", "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE")),
    7: ("R", ("SAVEPOINT a", "ROLLBACK TO a", "RELEASE a")),
    8: ("X", ("DO $$ BEGIN COMMIT; END $$", "CALL p()")),
    9: ("X", ("DO $$ BEGIN EXECUTE 'dro'||'p table t'; END $$",)),
    10: ("R", ("PREPARE p AS DELETE FROM t; EXECUTE p", "DEALLOCATE p")),
    11: ("R", ("\\! ls", "\\copy t from 'x'", "\\i x.sql", "SELECT 1 \\gexec", "\\restrict abc", "\\unrestrict abc")),
    12: ("R", ("--\n-- PostgreSQL database dump\n--\nSET x = 1;",)),
    13: ("R", ("COPY t TO PROGRAM 'x'", "COPY t FROM PROGRAM 'x'")),
    14: ("R", ("COPY t FROM '/etc/passwd'", "COPY t TO '/tmp/x'")),
    15: ("R", ("COPY t FROM STDIN",)),
    16: ("R", ("COPY (DELETE FROM t RETURNING *) TO STDOUT",)),
    17: ("R", ("SELECT lo_import('/etc/passwd')", "ALTER TABLE t ADD COLUMN x oid DEFAULT lo_import('/x')",
               "CREATE INDEX i ON t (lo_export(1, 'x'))", "CREATE VIEW v AS SELECT lo_import('x')",
               "WITH a AS (SELECT lo_import('x')) SELECT 1")),
    18: ("R", ("SELECT pg_read_file('x')", "SELECT pg_ls_dir('.')", "SELECT pg_stat_file('x')", "SELECT pg_read_binary_file('x')")),
    19: ("R", ('SELECT U&"pg\\005fread_file"(\'x\')', 'SELECT pg_catalog."pg_read_file"(\'x\')', "SELECT PG_READ_FILE('x')")),
    20: ("DR", ("SELECT dblink('x')", "CREATE SERVER s FOREIGN DATA WRAPPER f", "CREATE USER MAPPING FOR u SERVER s",
                "IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y", "CREATE FOREIGN DATA WRAPPER f")),
    21: ("D", ("CREATE EXTENSION hstore", "CREATE EXTENSION plpython3u")),
    22: ("R", ("CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x'", "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'x'",
               "CREATE FUNCTION f() RETURNS int LANGUAGE plperlu AS 'x'")),
    23: ("X", ("CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'begin end'",
               "CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; END")),
    24: ("D", ("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'select 1'",)),
    25: ("X", ("CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f()",
               "CREATE RULE r AS ON INSERT TO t DO ALSO DELETE FROM u")),
    26: ("R", ("CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()", "ALTER EVENT TRIGGER e DISABLE")),
    27: ("D", ("ALTER TABLE t DISABLE TRIGGER a", "ALTER TABLE t DISABLE TRIGGER ALL", "ALTER TABLE t DISABLE TRIGGER USER")),
    28: ("R", ("CREATE ROLE r", "ALTER ROLE r SUPERUSER", "DROP ROLE r", "ALTER ROLE r SET x = 1", "CREATE USER u")),
    29: ("R", ("GRANT pg_execute_server_program TO r", "GRANT a TO b", "REVOKE a FROM b")),
    30: ("W", ("GRANT SELECT ON t TO r", "REVOKE ALL ON t FROM r", "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r")),
    31: ("R", ("SET ROLE r", "RESET ROLE", "SET SESSION AUTHORIZATION r", "SET LOCAL ROLE r")),
    32: ("R", ("SET session_replication_role = replica", "SET row_security = off", "SET search_path = x",
               "SET standard_conforming_strings = off", "SET client_encoding = 'latin1'", "RESET ALL")),
    33: ("R", ("SET statement_timeout = 0", "SET LOCAL lock_timeout = 0", "SELECT set_config('a', 'b', false)")),
    34: ("R", ("ALTER SYSTEM SET x = 1", "ALTER DATABASE d SET x = 1", "LOAD 'x'")),
    35: ("D", ("SECURITY LABEL ON TABLE t IS 'x'", "CREATE CAST (a AS b) WITHOUT FUNCTION",
               "CREATE OPERATOR === (LEFTARG = int, RIGHTARG = int, FUNCTION = f)", "CREATE ACCESS METHOD m TYPE INDEX HANDLER h",
               "CREATE TRANSFORM FOR t LANGUAGE plpgsql (FROM SQL WITH FUNCTION f(internal))")),
    36: ("D", ("CREATE FUNCTION md5(text) RETURNS text LANGUAGE sql AS 'select $1'",
               "CREATE FUNCTION public.count(x int) RETURNS int LANGUAGE sql AS 'select 1'",
               "CREATE OPERATOR = (LEFTARG = int, RIGHTARG = text, FUNCTION = f)")),
    37: ("R", ("UPDATE pg_class SET relname = 'x'", "DELETE FROM pg_catalog.pg_attribute",
               "DELETE FROM drizzle.__drizzle_migrations", "DROP TABLE drizzle.__drizzle_migrations")),
    38: ("DR", ("REASSIGN OWNED BY a TO b", "DROP OWNED BY a", "ALTER TABLE t OWNER TO x", "ALTER FUNCTION f() OWNER TO x")),
    39: ("R", ("SELECT pg_terminate_backend(1)", "SELECT pg_cancel_backend(1)", "SELECT pg_reload_conf()",
               "SELECT pg_switch_wal()", "SELECT pg_promote()")),
    40: ("R", ("SELECT pg_advisory_unlock_all()", "SELECT pg_advisory_lock(1)", "SELECT pg_advisory_unlock(1)")),
    41: ("WR", ("LOCK TABLE t", "NOTIFY x", "LISTEN x", "DISCARD ALL", "CHECKPOINT", "UNLISTEN x")),
    42: ("W", ("SELECT pg_sleep(1e9)", "SELECT * FROM generate_series(1, 1000000000000)",
               "WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT 1 FROM a) SELECT * FROM a")),
    43: ("R", ("SELECT query_to_xml('delete from t', true, true, '')", "SELECT cursor_to_xml('c', 1, true, true, '')",
               "SELECT * FROM ts_stat('select 1')")),
    44: ("W", ("SELECT 1", "SELECT * FROM t; SELECT 2")),
    45: ("P", ("WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d",)),
    46: ("P", ("EXPLAIN ANALYZE DELETE FROM t", "CREATE TABLE x AS WITH d AS (DELETE FROM t RETURNING *) SELECT * FROM d")),
    47: ("P", ("DELETE FROM t", "UPDATE t SET a = 1", "DELETE FROM t WHERE true")),
    48: ("P", ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE",)),
    # The table has P here; the product refuses CASCADE altogether, so that nothing goes that nobody named.
    49: ("R", ("TRUNCATE t CASCADE",)),
    50: ("R", ("DROP TABLE t CASCADE", "ALTER TABLE t DROP COLUMN c CASCADE", "DROP SCHEMA s CASCADE")),
    51: ("R", ("DROP DATABASE d", "DROP TABLESPACE s", "CREATE DATABASE d")),
    52: ("W", ("DROP VIEW IF EXISTS v", "DROP FUNCTION IF EXISTS f()")),
    53: ("P", ("ALTER TABLE t ALTER COLUMN a TYPE varchar(3)", "ALTER TABLE t ALTER COLUMN a TYPE int USING a::int")),
    55: ("N", ("CREATE INDEX CONCURRENTLY i ON t (a)", "DROP INDEX CONCURRENTLY i", "REINDEX INDEX CONCURRENTLY i",
               "ALTER TABLE t DETACH PARTITION p CONCURRENTLY")),
    56: ("RS", ("VACUUM t", "CLUSTER t", "REINDEX DATABASE d", "ANALYZE t")),
    57: ("WD", ("ALTER TYPE mood ADD VALUE 'x'", "ALTER TYPE mood ADD VALUE 'x'; UPDATE t SET m = 'x'")),
    58: ("D", ("CREATE PUBLICATION p FOR TABLE t", "ALTER PUBLICATION p ADD TABLE t", "DROP PUBLICATION p",
               "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", "DROP SUBSCRIPTION s")),
    59: ("W", ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "ALTER TABLE t DISABLE ROW LEVEL SECURITY",
               "CREATE POLICY p ON t USING (true)", "DROP POLICY p ON t")),
    60: ("WR", ("ALTER TABLE t SET UNLOGGED", "ALTER TABLE t SET TABLESPACE x")),
    63: ("R", ("SELECT 1\x00", "SELECT \x01 1", "SELECT '\ud800'", "SELECT 1\x0c")),
    64: ("R", ("\ufeffSELECT 1",)),
    65: ("R", ("DROP TABLE \u202eevil", "SELECT '\u200b'", "DROP TABLE a\u2066b")),
    66: ("R", (f"DROP TABLE {'a' * 64}", f'DROP TABLE "{"ä" * 32}"')),
    67: ("R", ("", ";;;", "-- only a comment", "/* nothing */")),
    69: ("R", ("SELECT " + "(" * 20_000 + "1" + ")" * 20_000,)),
    70: ("R", ("SELECT 1;" * 2_001, "SELECT '" + "x" * (1024 * 1024) + "'")),
    76: ("R", ("ALTER ROLE r PASSWORD 'hunter2'", "SELECT '-----BEGIN PRIVATE KEY-----'", "SELECT 'AKIAABCDEFGHIJKLMNOP'")),
}  # fmt: skip
ELSEWHERE = {
    54: "only rows can say; the rehearsal on the restored backup does",
    61: "a setting of the server: the step that applies reads back what it set",
    62: "tested below: the number of statements",
    68: "the scratch server of the target's major reads it again",
    71: "uploads are evidence, never SQL: records and forms",
    72: "text fields: forms and pages escape them",
    73: "notices of the server are not shown",
    74: "connection strings: tests/targets/test_target.py",
    75: "filters and cursors: tests/web",
}


def worst(sql: str) -> str:
    """Return the class of the whole text, R when it cannot be read."""
    try:
        found = assess(sql, audit_tables=())
    except parse.Unreadable:
        return "R"
    classes = [each.cls for each in found.judgements]
    if any(refusal.code == "same-script" for refusal in found.refusals):
        classes.append("D")
    return min(classes, key="RDXNPWS".index, default="R")


@pytest.mark.parametrize(("row", "sql"), [(row, sql) for row, (_, inputs) in ROWS.items() for sql in inputs],
                         ids=lambda value: f"Q{value:02d}" if isinstance(value, int) else None)  # fmt: skip
def test_each_row_has_its_class(row: int, sql: str) -> None:
    assert worst(sql) in ROWS[row][0], worst(sql)


def test_every_row_of_the_table_is_here_or_elsewhere() -> None:
    assert sorted([*ROWS, *ELSEWHERE]) == list(range(1, 77))


@pytest.mark.parametrize("row", [row for row, (cls, _) in ROWS.items() if cls in {"R", "D", "DR"}])
def test_what_is_refused_says_why_in_a_sentence(row: int) -> None:
    for sql in ROWS[row][1]:
        try:
            sentences = [refusal.sentence for refusal in assess(sql, audit_tables=()).refusals]
        except parse.Unreadable as error:
            sentences = [str(error)]
        assert sentences and all(sentence.endswith((".", ";")) for sentence in sentences), sql


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("SELECT ';'; SELECT 2", 2),
        ("SELECT E'\\';'; SELECT 2", 2),
        ("DO $$ BEGIN PERFORM 1; PERFORM 2; END $$; SELECT 1", 2),
        ("DO $a$ $b$; $b$ $a$", 1),
        ("/* a /* b; */ ; */ SELECT 1;", 1),
        ("SELECT 1 -- ;\n; SELECT 2;", 2),
        ('SELECT ";" FROM t; SELECT 1', 2),
        ("SELECT U&'\\003b'; SELECT 2", 2),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT 2; END; SELECT 3", 2),
    ],
)
def test_statements_are_counted_as_the_server_would(sql: str, number: int) -> None:
    assert len(parse.read(sql)) == number


@pytest.mark.parametrize(
    "sql",
    ["SELECT '" + "a" * 100 + "'", "-- " + "a" * 100 + "\nSELECT 1", "SELECT $$" + "b" * 100 + "$$", "/* " + "c" * 100 + " */ SELECT 1"],
)  # fmt: skip
def test_long_words_in_strings_and_comments_are_no_names(sql: str) -> None:
    assert len(parse.read(sql)) == 1


def test_a_judgement_names_relations_and_says_whether_a_transaction_holds_it() -> None:
    found = assess("DELETE FROM shop.orders USING people WHERE true; DROP INDEX CONCURRENTLY i;", audit_tables=())
    first, second = found.judgements
    assert (first.cls, set(first.relations), first.transactional) == ("P", {"shop.orders", "people"}, True)
    assert (second.cls, second.transactional) == ("N", False)


def test_many_texts_are_read_as_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["SELECT 1; SELECT 2", "DROP TABLE t", "", "DO $$ BEGIN END $$"]
    monkeypatch.setattr(parse, "_READ", parse._Lately())
    together = parse.read_many(texts)
    monkeypatch.setattr(parse, "_READ", parse._Lately())
    assert together == [parse.read(text) for text in texts]
    with pytest.raises(parse.Unreadable, match="DROPP"):
        parse.read_many(["SELECT 1", "DROPP x"])


def test_whatever_is_thrown_at_it_only_a_sentence_comes_back() -> None:
    """FUZZ_INPUTS raises the number; many inputs share a child process, and one that kills it is tried alone."""
    chance = random.Random(int(os.environ.get("FUZZ_SEED", "7")))
    corpus = [sql for _, inputs in ROWS.values() for sql in inputs if 0 < len(sql) < 500]
    pieces = [*string.printable, "$$", "--", "/*", "*/", "'", '"', "\\", "E'", "U&'", ";", "(", ")", "é", "\U0001f600"]
    for _ in range(int(os.environ.get("FUZZ_INPUTS", "2000")) // 100):
        batch = [_mutated(chance, corpus, pieces) for _ in range(100)]
        fit = []
        for text in batch:
            try:
                parse._refuse_unfit(text)
            except parse.Unreadable:
                continue
            fit.append(text)
        for text, answer in zip(fit, _answers(fit), strict=True):
            assert set(answer) in ({"statements"}, {"error", "line"}, set()), text


def _answers(texts: list[str]) -> list[dict[str, object]]:
    try:
        return parse._ask_child(texts)
    except parse.Unreadable:
        if len(texts) == 1:
            return [{}]
        half = len(texts) // 2
        return [*_answers(texts[:half]), *_answers(texts[half:])]


def _mutated(chance: random.Random, corpus: list[str], pieces: list[str]) -> str:
    text = chance.choice(corpus)
    for _ in range(chance.randrange(1, 6)):
        at = chance.randrange(len(text) + 1)
        how = chance.randrange(4)
        if how == 0:
            text = text[:at] + chance.choice(pieces) * chance.choice([1, 1, 2, 50]) + text[at:]
        elif how == 1:
            text = text[:at] + text[at + chance.randrange(1, 8) :]
        elif how == 2:
            text = text[:at] + chance.choice(corpus)[: chance.randrange(60)] + text[at:]
        else:
            text = text[:at] + text[at:][::-1]
    return text
