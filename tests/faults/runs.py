"""A rollback that keeps what it destroys, filed, signed and started: what every fault is tried on."""

from __future__ import annotations

from typing import Any

from demo import target as demo_target
from rollbacks.models import Execution
from tests.conftest import TargetDatabase
from tests.rollback import started

UNDONE = "0002_rich_marten_broadcloak"
ARCHIVING = "rollback_archive.rb_subscriptions"


def begun(people: dict[str, Any], nzila: TargetDatabase) -> Execution:
    """Start a rollback to before the subscriptions, which are copied into the archive in the same transaction."""
    keep = f"CREATE SCHEMA IF NOT EXISTS rollback_archive;\nCREATE TABLE {ARCHIVING} AS\nSELECT id, entity_id FROM subscriptions;\n"
    return started(people, nzila, "0001_solid_cargill", reverse_sql={UNDONE: keep + demo_target.reverse_sql()[UNDONE]})
