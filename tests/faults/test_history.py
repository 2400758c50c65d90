"""The history checker finds what contradicts itself, and nothing in a run that went well."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from records.models import Fact
from records.trail import detail_of
from rollbacks.models import Execution, Request, StepRun
from tests.conftest import TargetDatabase
from tests.faults.history import LEDGER, before, contradictions
from tests.faults.runs import ARCHIVING, begun
from tests.rollback import drive, step

pytestmark = pytest.mark.django_db(transaction=True)


def on_target(nzila: TargetDatabase, statement: str) -> None:
    with nzila.connect() as line:
        line.execute(statement)


def forged(table: str, statement: str) -> None:
    """Change what is append-only, as only its owner could, who lifts the guard first."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_keep")
        cursor.execute(statement)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {table}_keep")


def test_every_state_of_a_run_agrees_with_itself_and_planted_contradictions_are_found(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    was = before(nzila)
    execution = begun(people, nzila)

    def found() -> list[str]:
        return contradictions(execution.request_id, nzila, was, settled=True)

    def expect(*words: str) -> None:
        sentences = " ".join(found())
        assert all(each in sentences for each in words), (words, sentences)

    assert found() == []
    for name in ("backup", "stage", "apply"):
        drive(execution, nzila.environ, until=name)
        assert found() == []

    # Before apply: on the target, and in the rows.
    on_target(nzila, "CREATE TABLE nobody_signed (id integer)")
    expect("the catalog is not what it was")
    on_target(nzila, "DROP TABLE nobody_signed")
    on_target(nzila, "DELETE FROM subscriptions WHERE id = (SELECT min(id) FROM subscriptions)")
    expect("do not have the rows that they had")
    was = before(nzila)
    StepRun.objects.filter(execution=execution, name="stage").update(evidence={})
    expect("done without evidence", "not the one that the trail tells of")
    StepRun.objects.filter(execution=execution, name="stage").update(evidence=_told(execution, "stage"))
    StepRun.objects.filter(execution=execution, name="apply").update(state="running", attempt=1)
    expect("apply is running and the trail says pending")
    StepRun.objects.filter(execution=execution, name="apply").update(state="uncertain", sentence="?")
    expect("is executing and one of its steps is uncertain", "nobody would ever go on")
    StepRun.objects.filter(execution=execution, name="apply").update(state="pending", attempt=0, sentence="")
    assert found() == []
    backup = Path(nzila.environ["BACKUP_DIR"]) / step(execution, "backup").evidence["name"]
    content = backup.read_bytes()
    backup.write_bytes(content[:-1])
    expect("its backup is not whole")
    backup.write_bytes(content)

    # The rollback as somebody else could do it: applied, and the portal does not know.
    with nzila.connect() as line:
        line.execute(execution.plan["file"]["text"])
        when = step(execution, "stage").evidence["when"]
        line.execute(
            f"INSERT INTO {LEDGER} (hash, created_at) VALUES (%s, %s)", [execution.plan["file"]["sha256"], when]
        )
    expect("was applied, the ledger says, and its apply step is pending")
    assert drive(execution, nzila.environ) == "succeeded" and found() == []

    # After the end.
    Request.objects.filter(pk=execution.request_id).update(state="failed")
    expect("is failed and the trail says succeeded", "its newest run succeeded")
    Request.objects.filter(pk=execution.request_id).update(state="succeeded")
    Execution.objects.filter(pk=execution.pk).update(is_open=True)
    expect("is open and all its steps are done")
    Execution.objects.filter(pk=execution.pk).update(is_open=False)
    StepRun.objects.filter(execution=execution, name="record").update(lease_until="2030-01-01T00:00:00Z")
    expect("still has a lease")
    StepRun.objects.filter(execution=execution, name="record").update(lease_until=None)
    assert found() == []
    on_target(
        nzila,
        f"INSERT INTO {LEDGER} (hash, created_at) SELECT hash, created_at + 1 FROM {LEDGER} ORDER BY id DESC LIMIT 1",
    )
    expect("was applied 2 times")
    on_target(nzila, f"DELETE FROM {LEDGER} WHERE id = (SELECT max(id) FROM {LEDGER})")
    on_target(nzila, f"DELETE FROM {ARCHIVING}")
    expect(f"{ARCHIVING} has 0 rows")
    on_target(nzila, f"DROP TABLE {ARCHIVING}")
    expect(f"{ARCHIVING} has no rows")
    on_target(nzila, f"DELETE FROM {LEDGER} WHERE id = (SELECT max(id) FROM {LEDGER})")
    expect("the portal says applied and the ledger has 0 rows", "the catalog is not what it was")

    origin = nzila.repository.parent / "nzila.git"
    branch = step(execution, "record").evidence["branch"]
    subprocess.run(["git", "-C", str(origin), "update-ref", "-d", f"refs/heads/{branch}"], check=True)
    expect("the remote's branch does not hold the commit", "is not the sealed one")
    (nzila.repository / "README.md").write_text("Touched.\n")
    expect("working tree")
    forged("records_changerecord", "UPDATE records_changerecord SET document = '{}'")
    expect("The trail is broken", "the sealed record is missing or another")
    told = "DELETE FROM records_fact WHERE action = 'step.done' AND line::jsonb #>> '{detail,step}' = 'verify'"
    forged("records_fact", told)
    expect("The trail is broken", "verify is done and the trail says running")


def _told(execution: Execution, name: str) -> Any:
    details = [detail_of(fact) for fact in Fact.objects.filter(action="step.done")]
    return next(each["evidence"] for each in details if (each["execution"], each["step"]) == (execution.pk, name))
