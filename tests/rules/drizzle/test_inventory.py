"""The inventory has one line for each journal entry, as in the runbook's table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rollbacks.drizzle.inventory import describe, inventory
from rollbacks.drizzle.journal import read_folder
from tests.rules.drizzle.samples import START, fixture_files, ledger_of, small_files


def test_the_fixtures_inventory_says_what_each_migration_does() -> None:
    files = fixture_files()
    rows = inventory(read_folder(files), ledger_of(files))
    assert [row.idx for row in rows] == [0, 1, 2, 3, 4]
    assert rows[0].description == "Creates entity_status, member_role, audit_events, entities, members"
    assert rows[1].description == "Creates documents; changes members"
    assert rows[3].description.endswith("changes member_role, documents, audit_events, members")
    assert rows[4].description == "Audit events are append-only: refuse UPDATE and DELETE, whoever asks."
    assert all(row.hash_matches for row in rows)


def test_what_was_not_applied_has_no_time_and_an_edited_file_no_match() -> None:
    files = small_files()
    ledger = ledger_of(files)
    edited = replace(ledger.rows[1], hash="0" * 64)
    rows = inventory(read_folder(files), replace(ledger, rows=(ledger.rows[0], edited)))
    assert [row.hash_matches for row in rows] == [True, False, None]
    assert rows[0].applied_at == "2023-11-14T22:13:20.000+00:00" and rows[0].when == START
    assert rows[2].applied_at is None


def test_two_rows_of_one_migration_match_only_if_both_do() -> None:
    files = small_files()
    ledger = ledger_of(files)
    doubled = (*ledger.rows, replace(ledger.rows[0], id=9, hash="1" * 64))
    assert inventory(read_folder(files), replace(ledger, rows=doubled))[0].hash_matches is False


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("-- Move the audit log\nSELECT 1;", "Move the audit log"),
        ("-- Custom SQL migration file, put your code below! --\n", "Custom SQL"),
        ("-- Custom SQL migration file, put your code below! --\nDROP TABLE a;", "Drops a"),
        ('ALTER TYPE "public"."Role" ADD VALUE \'x\';', "Changes Role"),
        ("CREATE OR REPLACE FUNCTION app.tick() RETURNS int AS $$ SELECT 1 $$ LANGUAGE sql;", "Creates tick"),
        ("".join(f'CREATE TABLE "t{number}" ();\n' for number in range(8)), "Creates t0, t1, t2, t3, t4 and 3 more"),
        ('DROP TABLE "a" CASCADE;--> statement-breakpoint\nALTER TABLE "b" ADD COLUMN c int;', "Changes b; drops a"),
        ("--> statement-breakpoint\nUPDATE a SET b = 1;", "Custom SQL"),
        ("", "Custom SQL"),
    ],
)
def test_a_description_is_the_leading_comment_or_what_is_created_changed_and_dropped(sql: str, words: str) -> None:
    files = {**small_files(), "0000_one.sql": sql.encode()}
    assert describe(read_folder(files).migrations[0]) == words
