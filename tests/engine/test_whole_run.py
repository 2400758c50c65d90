"""A rollback from request to sealed record, on a real target, to every return point."""

from __future__ import annotations

import hashlib
import json
import subprocess
from typing import Any

import psycopg
import pytest

from demo import target as demo_target
from records.models import ChangeRecord
from records.verification import verify
from rollbacks.reversal.catalog import ACCESS_KINDS, compare, read_facts
from tests.conftest import TargetDatabase
from tests.rollback import drive, started, step

pytestmark = pytest.mark.django_db(transaction=True)

RETURN_POINTS = (
    "0003_redundant_starfox",
    "0002_rich_marten_broadcloak",
    "0001_solid_cargill",
    "0000_initial",
)
# Columns that exist at the return point and that no reverse SQL writes to: their bytes must survive.
SURVIVING = {
    "entities": "id, slug, legal_name, status, country, settings, created_at, updated_at",
    "members": "id, entity_id, email, joined_at",
    "audit_events": "id, entity_id, actor_member_id, action, payload, occurred_at",
}


def fingerprint(nzila: TargetDatabase) -> dict[str, str]:
    prints = {}
    for table, columns in SURVIVING.items():
        rows = nzila.rows(f"SELECT ({columns})::text FROM {table} ORDER BY id")
        prints[table] = hashlib.sha256("\n".join(row[0] for row in rows).encode()).hexdigest()
    return prints


def replayed(cluster_url: str, return_to: str, name: str) -> Any:
    demo_target.create_database(cluster_url, name)
    url = cluster_url.replace("postgres@/postgres", f"postgres@/{name}")
    demo_target.seed(url, until=return_to)
    with psycopg.connect(url) as connection:
        facts = read_facts(connection, ignore_schemas={"drizzle"}).without(ACCESS_KINDS)
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        demo_target.drop_database(admin, name)
    return facts


@pytest.mark.parametrize("return_to", RETURN_POINTS)
def test_every_return_point_is_reached_and_surviving_rows_keep_their_bytes(
    nzila: TargetDatabase, people: dict[str, Any], cluster_url: str, return_to: str
) -> None:
    before = fingerprint(nzila)
    execution = started(people, nzila, return_to)

    assert drive(execution, nzila.environ) == "succeeded"

    expected = replayed(cluster_url, return_to, f"{nzila.name}-expected")
    with nzila.connect() as connection:
        actual = read_facts(connection, ignore_schemas={"drizzle"}).without(ACCESS_KINDS)
    assert compare(expected, actual).sentences() == []
    assert fingerprint(nzila) == before
    newest = nzila.rows("SELECT hash, created_at FROM drizzle.__drizzle_migrations ORDER BY created_at DESC LIMIT 1")[0]
    staged = step(execution, "stage").evidence
    assert newest == (staged["file_sha256"], staged["when"])


def test_the_record_is_sealed_filed_and_the_same_in_both_places(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    execution = started(people, nzila)
    assert drive(execution, nzila.environ) == "succeeded"

    record = ChangeRecord.objects.get()
    filed = step(execution, "record").evidence
    path = next(name for name in filed["files"] if name.endswith(".json"))
    origin = nzila.repository.parent / "nzila.git"
    shown = subprocess.run(
        ["git", "-C", str(origin), "show", f"{filed['branch']}:{path}"], capture_output=True, check=True
    ).stdout
    assert shown.decode() == record.document
    assert hashlib.sha256(shown).hexdigest() == record.digest
    document = json.loads(shown)
    assert {vote["role"] for vote in document["sign_off"]["votes"]} == {"platform", "security", "cto"}
    assert document["security_incidents"][0]["reference"] == "SEC-1"
    assert [each["name"] for each in document["steps"]] == [
        "preflight", "backup", "rehearse", "stage", "apply", "verify", "publish",
    ]  # fmt: skip
    assert document["checklist"][0]["evidence"]["sha256"] == step(execution, "backup").evidence["sha256"]
    assert verify().broken is None


def test_the_owner_of_the_objects_stays_their_owner(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    owners = "SELECT DISTINCT tableowner FROM pg_catalog.pg_tables WHERE schemaname = 'public'"
    before = nzila.rows(owners)
    assert drive(started(people, nzila, "0003_redundant_starfox"), nzila.environ) == "succeeded"
    assert nzila.rows(owners) == before
