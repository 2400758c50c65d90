"""Applying by the project's own command: the ledger and the catalog tell what it did, never its exit code."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from notices.models import Notice
from records.models import ChangeRecord
from rollbacks import engine
from rollbacks.models import Execution
from rollbacks.reversal.catalog import read_facts
from rollbacks.services import running, submission
from rollbacks.services.moves import Refused
from rollbacks.services.targets import register_target
from rollbacks.steps import apply_by_command
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.engine.test_faults import process_environment, wait_for
from tests.notices.conftest import gather
from tests.rollback import SIGNING, approve, draft, drive, register, sign, step

pytestmark = pytest.mark.django_db(transaction=True)

RETURN = "0003_redundant_starfox"
# Does what drizzle-orm's migrate() does, in one transaction, or goes wrong in the way that the file of its argument names.
SCRIPT = """
import hashlib, json, os, pathlib, psycopg, sys, time
mode = open(sys.argv[1]).read()
out = pathlib.Path("packages/db/drizzle")
entry = json.loads((out / "meta/_journal.json").read_text())["entries"][-1]
text = (out / (entry["tag"] + ".sql")).read_bytes()
line = psycopg.connect(os.environ["DATABASE_URL"])
print("limits", *(line.execute("SHOW " + name).fetchone()[0] for name in ("lock_timeout", "statement_timeout", "client_connection_check_interval")))
if mode == "nothing":
    sys.exit(0)
for piece in text.decode().split("--> statement-breakpoint"):
    line.execute(piece.encode())
if mode == "fails":
    line.rollback()
    sys.exit("Error: relation does not exist")
if mode == "more":
    line.execute("CREATE TABLE nobody_signed (id integer)")
if mode != "half":
    line.execute("INSERT INTO drizzle.__drizzle_migrations (hash, created_at) VALUES (%s, %s)",
                 [hashlib.sha256(text).hexdigest(), entry["when"]])
if mode == "killed":
    open(sys.argv[1] + ".reached", "w").write(str(os.getpid()))
    line.execute("SELECT pg_sleep(60)")
line.commit()
sys.exit(7 if mode == "lies" else 0)
"""


def begun(people: dict[str, Any], nzila: TargetDatabase, mode: Path, word: str, **options: Any) -> Execution:
    mode.write_text(word)
    given = {"migrate_command": [sys.executable, "-c", SCRIPT, str(mode)], **options}
    request = draft(people, register(nzila, **given), RETURN)
    approve(people, request)
    return running.start(people["engineer"], request.pk)


def facts_of(nzila: TargetDatabase) -> str:
    with nzila.connect() as line:
        return read_facts(line, ignore_schemas=()).digest


def ledger_rows(nzila: TargetDatabase) -> int:
    return int(nzila.rows("SELECT count(*) FROM drizzle.__drizzle_migrations")[0][0])


def test_it_is_applied_and_pages_and_record_say_what_is_not_promised(
    nzila: TargetDatabase, people: dict[str, Any], tmp_path: Path
) -> None:
    mode = tmp_path / "mode"
    mode.write_text("nothing")
    given = {"migrate_command": [sys.executable, "-c", SCRIPT, str(mode)]}
    request = draft(people, register(nzila, **given), RETURN)
    plan = submission.submit(people["engineer"], request.pk)
    gather()
    for role in SIGNING:
        sign(people[role], request, role, plan.digest)
    browser = client_of(people["engineer"])
    assert "fewer promises hold" in browser.get(f"/requests/{request.pk}/sign/").content.decode()
    assert "fewer promises hold" in browser.get(f"/requests/{request.pk}/start/").content.decode()
    told = Notice.objects.filter(kind="sign").first()
    assert told is not None and "project's own command" in str(told.content)
    before = facts_of(nzila)
    execution = running.start(people["engineer"], request.pk)

    # An exit code of 0 is no rollback.
    assert drive(execution, nzila.environ) == "failed"
    failed = step(execution, "apply")
    assert "did not apply the rollback" in failed.sentence and "exit code 0" in failed.sentence
    assert facts_of(nzila) == before and ledger_rows(nzila) == 5

    # And one of 7 none that failed.
    mode.write_text("lies")
    execution = running.start(people["engineer"], request.pk)
    assert drive(execution, nzila.environ) == "succeeded"
    applied = step(execution, "apply").evidence
    assert applied["known_by"] == "ledger" and applied["migrate_command"]["exit_code"] == 7
    assert "limits 5s 10min 2s" in applied["migrate_command"]["output"]
    assert any("not before COMMIT" in each for each in applied["not_promised"])
    assert applied["ledger_row"]["created_at"] == step(execution, "stage").evidence["when"]
    document = json.loads(ChangeRecord.objects.get().document)
    assert document["plan"]["options"]["migrate"] == given["migrate_command"]
    page = browser.get(f"/requests/{request.pk}/run/").content.decode()
    assert "The project&#x27;s own command runs" in page
    record = browser.get(f"/records/{ChangeRecord.objects.get().pk}/record.md").content.decode()
    assert "Applied by the project's own command" in record and "not before COMMIT" in record


@pytest.mark.parametrize(
    ("word", "sentence"), [("half", "without the rollback's ledger row"), ("more", "not as proven")]
)
def test_what_it_left_decides(
    nzila: TargetDatabase, people: dict[str, Any], tmp_path: Path, word: str, sentence: str
) -> None:
    execution = begun(people, nzila, tmp_path / "mode", word)
    assert drive(execution, nzila.environ) == "needs_attention"
    found = step(execution, "apply")
    assert sentence in found.sentence and found.evidence["migrate_command"]["exit_code"] == 0
    # Looking again finds the same and runs nothing.
    running.resume(people["engineer"], execution.request_id)
    rows = ledger_rows(nzila)
    assert drive(execution, nzila.environ) == "needs_attention" and ledger_rows(nzila) == rows
    assert sentence in step(execution, "apply").sentence


def test_a_worker_killed_while_it_runs_leaves_the_next_one_to_look_first(
    nzila: TargetDatabase, people: dict[str, Any], tmp_path: Path
) -> None:
    mode = tmp_path / "mode"
    execution = begun(people, nzila, mode, "killed")
    drive(execution, nzila.environ, until="apply")
    script = str(Path(__file__).with_name("killed_worker.py"))
    # Its checkout stays behind, as that of every killed worker does for a day.
    environ = {**process_environment(nzila), "TMPDIR": str(tmp_path)}
    worker = subprocess.Popen([sys.executable, script, str(execution.pk), "none"], env=environ)
    reached = Path(f"{mode}.reached")
    wait_for(lambda: reached.exists() and bool(reached.read_text()))
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    mode.write_text("good")
    wait_for(lambda: execution.pk in engine.claimable())

    assert drive(execution, nzila.environ) == "succeeded"
    assert ledger_rows(nzila) == 6 and step(execution, "apply").attempt == 2
    assert not Path(f"/proc/{reached.read_text()}/cwd").exists()


def test_a_session_of_the_command_that_is_still_at_work_is_waited_for(
    nzila: TargetDatabase, people: dict[str, Any], cluster_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a server goes on with the last statement of a command whose process is gone: it may yet commit."""
    monkeypatch.setattr(apply_by_command, "WAIT_SECONDS", 0.5)
    execution = begun(people, nzila, tmp_path / "mode", "fails")
    drive(execution, nzila.environ, until="apply")
    # Another role's session, which the worker's role may not end.
    with psycopg.connect(cluster_url.replace("/postgres?", f"/{nzila.name}?")) as line:
        line.execute("SELECT set_config('application_name', %s, false)", [f"rollback-portal-execution-{execution.pk}"])
        assert drive(execution, nzila.environ) == "needs_attention"
        assert "still at work on the target" in step(execution, "apply").sentence
    running.resume(people["engineer"], execution.request_id)
    assert drive(execution, nzila.environ) == "failed"
    # A command that fails and leaves everything as it was is a failure before any change.
    failed = step(execution, "apply")
    assert "did not apply the rollback" in failed.sentence and "exit code 1" in failed.sentence
    assert "relation does not exist" in failed.evidence["migrate_command"]["output"] and ledger_rows(nzila) == 5


def test_an_owner_role_and_an_own_command_do_not_go_together(people: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="owner"):
        register_target(
            None, name="shop", environment="staging", repository="/r", out="o", owner_role="app", migrate_command=["x"]
        )
