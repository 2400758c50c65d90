"""A rollback from request to sealed record on a target of Drizzle 1.0: folders instead of a journal, a ledger with names."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import psycopg
import pytest

from demo.target import OUT, _git
from records.models import ChangeRecord
from rollbacks.adapters.ledger import apply_forward, read_ledger
from rollbacks.drizzle.journal import Layout
from rollbacks.drizzle.layouts import read_folder
from rollbacks.services import requests, running, submission, targets
from tests.conftest import TargetDatabase
from tests.rollback import ENVIRONMENTS, drive, prove, read, sign, step

pytestmark = pytest.mark.django_db(transaction=True)
CHAIN = Path(__file__).parents[1] / "toolchain" / "folders" / "rc5" / "drizzle"


def test_a_target_of_drizzle_1_0_is_rolled_back(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    folder = _become_folders(nzila)
    target = targets.register_target(
        None, name=nzila.name, title="Pets", environment="staging", repository=str(nzila.repository), out=OUT, audit_tables=[]
    )  # fmt: skip
    ENVIRONMENTS[target.name] = nzila.environ
    read(nzila, target, drafted=True)
    return_to = folder.migrations[2].tag
    engineer = people["engineer"]
    request = requests.open_request(
        engineer, target=target, return_to=return_to, wording=requests.Wording(reason="The pets have to go.")
    )
    for item in ("on_call", "return_point", "feature_flags"):
        requests.answer(engineer, request.pk, item=item, text="Done.")
    security = {"security_incident": "SEC-1", "justification": "Policies go with the tables."}
    current = request.revisions.first()
    requests.edit_request(
        engineer, request.pk, seen_revision=1,
        wording=requests.Wording(reason=current.reason, reverse_sql=current.reverse_sql, **security),
    )  # fmt: skip
    prove(request)
    plan = submission.submit(engineer, request.pk)
    for role in ("platform", "security", "cto"):
        sign(people[role], request, role, plan.digest)
    execution = running.start(engineer, request.pk)
    assert drive(execution, nzila.environ) == "succeeded"

    name = step(execution, "stage").evidence["ledger_name"]
    assert name.endswith("_rollback_to_" + return_to)
    with psycopg.connect(nzila.url) as connection:
        newest = read_ledger(connection, Layout(out=OUT)).rows[-1]
    assert (newest.name, newest.hash) == (name, plan.file.sha256)
    assert ChangeRecord.objects.get().result == "rolled back"
    names = nzila.rows(
        "SELECT relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    assert names == [("people",)] or ("animals",) in names


def _become_folders(nzila: TargetDatabase) -> Any:
    """Replace the repository's migrations by a chain of 1.0, and the database by what migrate() makes of it."""
    out = nzila.repository / OUT
    shutil.rmtree(out)
    shutil.copytree(CHAIN, out)
    for command in (("add", "--all"), ("commit", "--quiet", "--message", "Move to 1.0"), ("push", "--quiet")):
        _git(nzila.repository, *command)
    folder = read_folder({str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()})
    with psycopg.connect(nzila.url) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("DROP SCHEMA drizzle CASCADE")
        connection.execute("CREATE SCHEMA public")
        apply_forward(connection, folder, Layout(out=OUT), until=None)
        connection.execute("INSERT INTO people (full_name, mood) SELECT 'p' || n, 'ok' FROM generate_series(1, 9) n")
    return folder
