"""The project's own commands with the real toolchain: drizzle-orm's migrate() applies, the contract tests verify."""

from __future__ import annotations

from typing import Any

import pytest

from rollbacks.services import running
from tests.conftest import TargetDatabase
from tests.rollback import approve, draft, drive, register, step
from tests.toolchain.drizzle import SCHEMAS, drizzle, node_modules

pytestmark = pytest.mark.django_db(transaction=True)

# The packages, and the schema of the return point: the branch has the one of before the rollback.
PREPARE = 'ln -s "$1" node_modules && cp "$2/$ROLLBACK_RETURN_POINT.ts" packages/db/src/schema.ts'
RETURN = "0002_rich_marten_broadcloak"


def test_migrate_apply_writes_the_rollback_s_row_and_the_contract_tests_pass(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    toolchain = drizzle(nzila.repository, nzila.url)
    target = register(
        nzila,
        migrate_command=["npm", "run", "migrate:apply"],
        contract_tests=["npm", "run", "contract-tests"],
        prepare_command=["sh", "-c", PREPARE, "sh", str(node_modules()), str(SCHEMAS)],
        command_variables=["CONTRACT_AT"],
    )
    request = draft(people, target, RETURN)
    approve(people, request)
    execution = running.start(people["engineer"], request.pk)

    state = drive(execution, {**nzila.environ, "CONTRACT_AT": "2"})
    assert state == "succeeded", step(execution, "verify").evidence["contract_tests"]["output"]

    applied, staged = step(execution, "apply").evidence, step(execution, "stage").evidence
    assert "migrate:apply: 1 applied" in applied["migrate_command"]["output"]
    row = nzila.rows("SELECT hash, created_at FROM drizzle.__drizzle_migrations ORDER BY id DESC LIMIT 1")[0]
    assert row == (staged["file_sha256"], staged["when"]) and applied["ledger_row"]["hash"] == row[0]
    verified = step(execution, "verify").evidence
    assert verified["catalog_equal"] and verified["contract_tests"]["exit_code"] == 0
    # What the portal would have written is what drizzle-orm wrote: to it there is nothing left to do.
    assert toolchain.migrate() == 0
