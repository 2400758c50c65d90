"""What counts as a protection of audit rows, by the facts of a real catalog."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from demo import target as demo_target
from rollbacks.reversal.catalog import Facts, read_facts
from rollbacks.reversal.immutability import KINDS, Protection, protections, removed
from tests.conftest import WORKER

SCHEMA = """
CREATE TABLE "Audit_Events" (id int, note text);
CREATE TABLE billing_audit (id int, note text);
CREATE TABLE orders (id int, note text);
CREATE SCHEMA "order";
CREATE FUNCTION "order"."refuse()" () RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;
CREATE FUNCTION audit_copy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN /* AFTER DELETE */ RETURN NULL; END $$;
CREATE TABLE "order"."refuse()" (id int);
CREATE TRIGGER keep BEFORE INSERT OR UPDATE OF note OR DELETE ON "Audit_Events" FOR EACH ROW EXECUTE FUNCTION "order"."refuse()"();
CREATE TRIGGER whole BEFORE TRUNCATE ON billing_audit EXECUTE FUNCTION "order"."refuse()"();
CREATE TRIGGER audit_copy AFTER INSERT ON "Audit_Events" FOR EACH ROW EXECUTE FUNCTION audit_copy();
CREATE TRIGGER orders_keep BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION "order"."refuse()"();
CREATE RULE keep AS ON DELETE TO billing_audit DO INSTEAD NOTHING;
CREATE RULE copy AS ON INSERT TO billing_audit DO ALSO NOTHING;
ALTER TABLE billing_audit ENABLE ROW LEVEL SECURITY;
ALTER TABLE billing_audit FORCE ROW LEVEL SECURITY;
CREATE POLICY insert_only ON billing_audit FOR INSERT WITH CHECK (true);
"""
NAMES = {
    ("trigger", "public.Audit_Events.keep"), ("trigger", "public.billing_audit.whole"), ("rule", "public.billing_audit.keep"),
    ("row security", "public.billing_audit"), ("forced row security", "public.billing_audit"),
    ("policy", "public.billing_audit.insert_only"), ("function", "order.refuse()()"),
}  # fmt: skip


@pytest.fixture(scope="module")
def database(cluster_url: str) -> Iterator[str]:
    name = f"immutability_{WORKER}"
    demo_target.create_database(cluster_url, name)
    url = cluster_url.replace("/postgres?", f"/{name}?")
    with psycopg.connect(url) as line:
        line.execute(SCHEMA)
    yield url
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        demo_target.drop_database(admin, name)


def changed(url: str, statements: str) -> tuple[Facts, Facts]:
    with psycopg.connect(url) as line:
        before = read_facts(line, ignore_schemas=(), kinds=KINDS)
        line.execute(statements)
        after = read_facts(line, ignore_schemas=(), kinds=KINDS)
        line.rollback()
    return before, after


def names(found: tuple[Protection, ...] | frozenset[Protection]) -> set[tuple[str, str]]:
    return {(each.kind, each.name) for each in found}


def test_it_finds_what_keeps_rows_and_nothing_else(database: str) -> None:
    facts, _ = changed(database, "SELECT")
    assert names(protections(facts, ["audit_events"])) == NAMES
    assert {kind for kind, *_rest in facts.entries} == {"relation", "trigger", "rule", "policy", "function"}


@pytest.mark.parametrize(
    ("statements", "lost"),
    [
        ('DROP TRIGGER keep ON "Audit_Events"', {("trigger", "public.Audit_Events.keep")}),
        ('ALTER TABLE "Audit_Events" DISABLE TRIGGER keep', {("trigger", "public.Audit_Events.keep")}),
        ("ALTER TABLE billing_audit DISABLE RULE keep", {("rule", "public.billing_audit.keep")}),
        ("ALTER TABLE billing_audit NO FORCE ROW LEVEL SECURITY", {("forced row security", "public.billing_audit")}),
        ("DROP POLICY insert_only ON billing_audit", {("policy", "public.billing_audit.insert_only")}),
        ('CREATE OR REPLACE FUNCTION "order"."refuse()" () RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$',
         {("function", "order.refuse()()")}),
        ("DROP TABLE billing_audit", {each for each in NAMES if "billing_audit" in each[1]}),
        ("DROP TRIGGER orders_keep ON orders", set()),
        ('DROP TRIGGER audit_copy ON "Audit_Events"; DROP RULE copy ON billing_audit', set()),
        ("ALTER TABLE billing_audit ADD COLUMN more int", set()),
    ],
)  # fmt: skip
def test_it_names_what_is_gone_or_switched_off(database: str, statements: str, lost: set[tuple[str, str]]) -> None:
    before, after = changed(database, statements)
    assert names(removed(before, after, ["audit_events"])) == lost
    # What is switched off is no protection either, however often its name is printed.
    assert not any(each.definition.endswith("enabled D") for each in protections(after, ["audit_events"]))


def test_a_protection_survives_being_written_down(database: str) -> None:
    facts, _ = changed(database, "SELECT")
    found = protections(facts, ["audit_events"])
    assert {Protection.of(each.document()) for each in found} == found
