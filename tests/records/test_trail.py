"""The trail: append-only and chained by the database, whoever asks, and every tampering is found."""

from __future__ import annotations

import json
import threading
from io import StringIO
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from records import chain, trail
from records.models import ChangeRecord, Fact
from records.record import seal
from records.verification import verify

pytestmark = pytest.mark.django_db(transaction=True)

TABLES = ("records_fact", "records_changerecord", "approvals_signoff")


@pytest.fixture
def facts(people: dict[str, Any]) -> list[Fact]:
    with trail.recording(people["engineer"]) as recording:
        for number in range(3):
            recording.add("test.happened", f"test:{number}", number=number, text="naïve “quotes” \u2028")
    seal(token="execution-1", subject="test:1", title="A record", result="rolled back", document={"a": [1, "b"]})
    return list(Fact.objects.all())


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {} SET digest = ''", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
@pytest.mark.parametrize("mode", ["origin", "replica"])
def test_what_is_kept_cannot_be_changed(
    facts: list[Fact], people: dict[str, Any], table: str, statement: str, mode: str
) -> None:
    from tests.records.votes import any_vote

    any_vote(people)
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL session_replication_role = {mode}")
        cursor.execute(statement.format(table))


def test_the_application_role_may_not_even_try(facts: list[Fact]) -> None:
    place = connection.settings_dict
    call_command("grant_app_role", "portal_app", stdout=StringIO())
    url = f"postgresql://portal_app@/{place['NAME']}?host={place['HOST']}"
    attempts = [
        "ALTER TABLE records_fact DISABLE TRIGGER records_fact_keep", "DROP TRIGGER records_fact_keep ON records_fact",
        "UPDATE records_fact SET line = ''", "DELETE FROM records_changerecord", "TRUNCATE approvals_signoff",
        "SET session_replication_role = replica", "CREATE OR REPLACE FUNCTION records_refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
    ]  # fmt: skip
    for attempt in attempts:
        with psycopg.connect(url) as line, pytest.raises(psycopg.Error) as refusal:
            line.execute(attempt)
        assert refusal.value.sqlstate == "42501", attempt


@pytest.mark.parametrize(
    "change",
    [
        {"seq": 99},
        {"previous": "0" * 64},
        {"digest": "f" * 64},
        {"line": '{"seq": 5}'},
        {"action": "other.thing"},
        {"subject": "x:1"},
        {"actor_id": None},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_database_takes_no_line_that_does_not_continue_the_chain(
    facts: list[Fact], people: dict[str, Any], change: dict[str, Any]
) -> None:
    seq, previous = trail.head()
    spoken = {
        "at": "2026-11-23T00:00:00+00:00",
        "action": "test.forged",
        "subject": "test:9",
        "actor": {"id": people["engineer"].pk},
    }
    made = chain.link(seq=seq + 1, previous=previous, fact=spoken)
    values = {
        "seq": made.seq, "at": "2026-11-23T00:00:00Z", "action": "test.forged", "subject": "test:9",
        "actor_id": people["engineer"].pk, "line": made.line, "previous": previous, "digest": made.digest, **change,
    }  # fmt: skip
    with pytest.raises(DatabaseError, match="trail|agree"):
        Fact.objects.create(**values)


def test_a_record_that_no_fact_sealed_is_not_taken(facts: list[Fact]) -> None:
    text = chain.canonical({"forged": True})
    with pytest.raises(DatabaseError, match="sealed"):
        ChangeRecord.objects.create(
            subject="test:1", token="execution-2", title="x", result="x", document=text, digest=chain.sha256(text),
            sealed_at="2026-11-23T00:00:00Z", fact=facts[0],
        )  # fmt: skip


def tampered(statement: str) -> None:
    """What somebody with the owner's rights could do: switch the triggers off and write."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE records_fact DISABLE TRIGGER USER")
        cursor.execute("ALTER TABLE records_changerecord DISABLE TRIGGER USER")
        cursor.execute(statement)
        for table, names in {
            "records_fact": ("insert", "keep", "keep_all"), "records_changerecord": ("insert", "keep", "keep_all"),
        }.items():  # fmt: skip
            for name in names:
                cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_{name}")


TAMPERINGS = {
    "a changed text": ("UPDATE records_fact SET line = replace(line, '\"number\":1', '\"number\":7')", "was changed"),
    "a changed column": (
        "UPDATE records_fact SET action = 'test.nothing' WHERE action = 'test.happened'",
        "was changed",
    ),
    "a missing line": ("DELETE FROM records_fact WHERE subject = 'test:1' AND action = 'test.happened'", "is missing"),
    "a changed record": ("UPDATE records_changerecord SET document = '{}'", "is not the one"),
}


@pytest.mark.parametrize("name", TAMPERINGS)
def test_verify_trail_finds(facts: list[Fact], name: str) -> None:
    statement, sentence = TAMPERINGS[name]
    assert verify().broken is None
    tampered(statement)
    broken = verify().broken
    assert broken is not None and sentence in broken.sentence
    errors = StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("verify_trail", stderr=errors, stdout=StringIO())
    assert stop.value.code == 1 and "broken" in errors.getvalue()


def test_verify_trail_says_how_much_holds(facts: list[Fact]) -> None:
    out = StringIO()
    call_command("verify_trail", "--json", stdout=out)
    found = json.loads(out.getvalue())
    assert found["broken"] is None and found["records"] == 1
    assert (found["lines"], found["head"]) == trail.head()


def test_a_use_case_that_fails_leaves_no_fact(people: dict[str, Any]) -> None:
    before = trail.head()
    with pytest.raises(RuntimeError), trail.recording(people["engineer"]) as recording:
        recording.add("test.happened", "test:1")
        raise RuntimeError
    assert trail.head() == before


def test_writers_at_once_make_one_unbroken_chain(people: dict[str, Any]) -> None:
    before, barrier = trail.head()[0], threading.Barrier(12)

    def write() -> None:
        try:
            barrier.wait()
            for number in range(5):
                with trail.recording(people["engineer"]) as recording:
                    recording.add("test.happened", f"test:{number}")
        finally:
            connection.close()

    threads = [threading.Thread(target=write) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert verify().broken is None
    assert trail.head()[0] == before + 60


@pytest.mark.parametrize("value", [1.5, {"a": [0.1]}, 2**60])
def test_what_programs_print_differently_is_not_sealed(value: Any) -> None:
    with pytest.raises(chain.NotCanonical):
        chain.canonical({"value": value})
