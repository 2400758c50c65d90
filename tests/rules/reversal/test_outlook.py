"""What people are told of a migration before anybody wrote its reverse, and how long the reverse may take."""

from __future__ import annotations

import pytest

from rollbacks.reversal.forecast import FAST, SLOW, forecast, touched
from rollbacks.reversal.outlook import DESTRUCTIVE, REVIEW, SPECIAL, UNKNOWN, outlook

FUNCTION = "CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'"
TRIGGER = "CREATE TRIGGER keep BEFORE DELETE ON audit_events FOR EACH ROW EXECUTE FUNCTION keep_audit()"


@pytest.mark.parametrize(
    ("sql", "first", "level", "says"),
    [
        ("CREATE TABLE t (id integer)", True, DESTRUCTIVE, "drops everything"),
        (f"{FUNCTION}; {TRIGGER}", False, SPECIAL, "protects the audit trail"),
        (FUNCTION, False, SPECIAL, "protects the audit trail"),
        (TRIGGER, False, SPECIAL, "protects the audit trail"),
        (f"{TRIGGER}; DROP TABLE t", False, REVIEW, "before signing it"),
        ("CREATE TRIGGER a BEFORE DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()", False, REVIEW, "before signing it"),
        ("CREATE TABLE t (id integer)", False, REVIEW, "drops tables"),
        ("ALTER TABLE t ADD COLUMN a integer", False, REVIEW, "before signing it"),
        ("-- nothing", False, REVIEW, "before signing it"),
        ("ALTER TABEL t", False, UNKNOWN, "cannot be analysed"),
    ],
)
def test_a_migration_has_its_outlook(sql: str, first: bool, level: str, says: str) -> None:
    found = outlook(sql, first=first, audit_tables=("audit_events",))
    assert found.level == level and says in found.sentence


def test_a_forecast_reads_what_is_locked_and_writes_what_is_rewritten() -> None:
    statement = {"locks": ["public.a AccessExclusiveLock"], "rewritten": ["public.b"]}
    assert touched([statement]) == {"public.a", "public.b"}
    assert forecast(statement, {"public.a": SLOW, "public.b": FAST}) == (1.0, 1.0 + FAST / SLOW)
    assert forecast(statement, {}) == (0.0, 0.0)
