"""The command line as a pipeline uses it: exit codes, JSON, and nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from demo.target import MONOREPO, OUT
from tests.conftest import TargetDatabase

PROJECT = Path(__file__).resolve().parents[2]
MIGRATIONS = str(MONOREPO / OUT)
SCRATCH = os.environ.get("SCRATCH_DATABASE_URL", "")


def reversal(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command as on a machine where no portal is configured."""
    environ = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "SQUAWK"}}
    command = [sys.executable, "manage.py", "reversal", *arguments]
    return subprocess.run(
        command, cwd=PROJECT, env=environ, input=given, capture_output=True, text=True, timeout=120, check=False
    )


def databases() -> set[str]:
    with psycopg.connect(SCRATCH) as line:
        return {row[0] for row in line.execute("SELECT datname FROM pg_database").fetchall()}


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, databases()
        time.sleep(0.2)


def test_a_draft_goes_through_a_file_into_a_proof(tmp_path: Path) -> None:
    drafted = reversal("draft", "--migrations", MIGRATIONS, "--return-to", "0002_rich_marten_broadcloak", "--json")
    assert drafted.returncode == 0, drafted.stderr
    found = json.loads(drafted.stdout)
    assert found["classes"] == {"0004_audit_events_immutable": "a", "0003_redundant_starfox": "d"}
    assert any("auditor" in sentence for sentence in found["residue"])
    assert any("UPDATE" in sql and "severity" in sql for sql in found["reapply"])

    reverse = tmp_path / "back.sql"
    reverse.write_text("\n".join(found["sql"].values()))
    back = ("--return-to", "0002_rich_marten_broadcloak", "--reverse", str(reverse), "--json")
    proven = reversal("prove", "--migrations", MIGRATIONS, "--scratch", SCRATCH, *back)
    assert proven.returncode == 0, proven.stderr
    proof = json.loads(proven.stdout)
    assert (proof["outcome"], proof["round_trip"], proof["reordered"]) == ("proven", "held", ["public.members"])
    again = json.loads(reversal("prove", "--migrations", MIGRATIONS, "--scratch", SCRATCH, *back).stdout)
    assert again["digest"] == proof["digest"]


@pytest.mark.parametrize(
    ("reverse", "says"),
    [
        ("DROP TRIGGER audit_events_no_delete ON audit_events;", "audit_events_no_update is there and should not be"),
        ("DROP FUNCTION prevent_audit_mutation();", "Line 1 was refused by the server"),
        ("DROP TRIGGER audit_events_no_delete ON audit_events; COMMIT;", "left the transaction"),
    ],
)
def test_a_wrong_reverse_is_disproven_and_named(reverse: str, says: str) -> None:
    before = databases()
    done = reversal("prove", "--migrations", MIGRATIONS, "--scratch", SCRATCH, "--reverse", "-", given=reverse)
    assert done.returncode == 1, done.stderr
    assert says in done.stdout
    # Other tests use the same server and take their databases away themselves; what this one left would stay.
    wait_until(lambda: not databases() - before)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("prove", "--migrations", "/nowhere"), "is not a folder"),
        (("draft", "--migrations", MIGRATIONS, "--undo", "0009_none"), "There is no migration 0009_none"),
        (("prove", "--migrations", MIGRATIONS, "--scratch", "postgresql://u@127.0.0.1:1/x"), "cannot be reached"),
        (("prove", "--migrations", MIGRATIONS, "--reverse", "-"), "not SQL that PostgreSQL understands"),
        (("facts", "postgresql://u@h/db?service=x"), "service"),
    ],
)
def test_what_could_not_be_tried_is_one_sentence_and_two(arguments: tuple[str, ...], says: str) -> None:
    done = reversal(*arguments, given="DROP TABEL x;")
    assert done.returncode == 2, (done.stdout, done.stderr)
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_refused_sql_exits_with_one() -> None:
    assert reversal("assess", "-", given="DROP TABLE x;").returncode == 0
    refused = reversal("assess", "-", "--json", given="COMMIT;")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["refusals"][0]["line"] == 1


def test_what_is_at_stake_is_counted_on_a_live_database(nzila: TargetDatabase) -> None:
    done = reversal("assess", "-", "--live", nzila.url, "--json", given="DROP TABLE audit_events;")
    (stake,) = json.loads(done.stdout)["at_stake"]
    assert stake["count"] == nzila.rows("SELECT count(*) FROM audit_events")[0][0] > 0
    (statement,) = json.loads(done.stdout)["statements"]
    assert (statement["lock"], statement["work"]) == ("AccessExclusiveLock", "")
    said = reversal("assess", "-", "--live", nzila.url, given="DROP TABLE audit_events;")
    assert "line 1 at stake: public.audit_events: 300 rows, lost." in said.stdout


def test_a_second_opinion_stands_beside_the_assessment() -> None:
    sql = "COMMENT ON TABLE x IS NULL;\n\nDROP TABLE x;"
    found = json.loads(reversal("assess", "-", "--json", given=sql).stdout)
    (finding,) = found["second_opinion"]
    assert (finding["line"], finding["rule"], finding["level"]) == (3, "ban-drop-table", "warning")
    assert found["no_second_opinion"] == ""
    said = reversal("assess", "-", given=sql)
    assert "line 3 squawk (ban-drop-table): Dropping a table may break existing clients." in said.stdout


def test_an_assessment_needs_no_second_opinion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SQUAWK", "/nowhere/squawk")
    done = reversal("assess", "-", "--json", given="DROP TABLE x;")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["second_opinion"] == []
    assert found["no_second_opinion"].startswith("no second opinion: squawk cannot be started")
    assert "no second opinion: squawk" in reversal("assess", "-", given="DROP TABLE x;").stdout


def test_two_catalogs_are_compared(cluster_url: str) -> None:
    names = [f"compare_{n}_{os.getpid()}" for n in (1, 2)]
    urls = [cluster_url.replace("/postgres?", f"/{name}?") for name in names]
    with psycopg.connect(cluster_url, autocommit=True) as admin:
        for name in names:
            admin.execute(f'CREATE DATABASE "{name}"')
        try:
            assert reversal("compare", *urls).returncode == 0
            with psycopg.connect(urls[1]) as line:
                line.execute("CREATE TABLE t (a int)")
            different = reversal("compare", *urls, "--json")
            assert different.returncode == 1
            assert any("t" in sentence for sentence in json.loads(different.stdout)["differences"])
        finally:
            for name in names:
                admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
