"""Restoring a kept backup into a new database on another server, as a request with its own approval."""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from recoveries import engine
from recoveries.models import Recovery
from recoveries.ports import Order, ProviderRefused
from recoveries.providers import provider_of
from recoveries.services import opening
from rollbacks.adapters import pg_tools
from rollbacks.adapters import target as targets
from rollbacks.adapters.counts import exported_snapshot, row_counts
from rollbacks.adapters.store import Store
from rollbacks.services.moves import Refused
from rollbacks.services.targets import settings_of
from tests.conftest import TargetDatabase
from tests.recoveries.production import chosen, driven, started
from tests.rollback import register
from tests.targets.backups import identity

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def environ(nzila: TargetDatabase, tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of a worker that encrypts; databases are restored on the scratch cluster, which is no target's."""
    url = os.environ["SCRATCH_DATABASE_URL"]
    # All test processes share the scratch server, and the databases here have names that people would give.
    alone = (Path(tempfile.gettempdir()) / "rollback-recovered-databases.lock").open("w")
    fcntl.flock(alone, fcntl.LOCK_EX)
    (tmp_path / "keys").mkdir()
    yield {**nzila.environ, "RESTORE_DATABASE_URL": url, **identity(tmp_path / "keys")[2]}
    with psycopg.connect(url, autocommit=True) as line:
        names = line.execute("SELECT datname FROM pg_database WHERE datname ~ '^(back-|restoring-)'").fetchall()
        for (name,) in names:
            line.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    alone.close()


@pytest.fixture
def kept(nzila: TargetDatabase, people: dict[str, Any], environ: dict[str, str]) -> str:
    """A backup of the target as the backup step of an execution keeps it; the data is damaged afterwards."""
    target = register(nzila)
    request = target.requests.create(author=people["engineer"])
    execution = request.executions.create(
        target=target, number=1, plan={}, digest="d" * 64, started_by=people["engineer"], is_open=False
    )
    token = f"execution-{execution.pk}"
    credentials = targets.credentials_of(nzila.name, nzila.environ)
    with targets.connect(credentials) as line, exported_snapshot(line) as snapshot:
        counts = row_counts(line, ignore_schemas=())
        with Store.of(environ, nzila.name).writing(token, now=datetime.now(UTC)) as sink:
            done = pg_tools.dump(
                pg_tools.find_tools(18, nzila.environ), credentials, environ=nzila.environ, snapshot=snapshot, sink=sink,
                on_progress=lambda size: None, lock_wait_seconds=5, timeout_seconds=60,
            )  # fmt: skip
            sink.complete(done, extra={"row_counts": counts})
    with nzila.connect() as line:
        line.execute("UPDATE public.entities SET legal_name = 'damaged'")
    return token


def test_a_kept_backup_comes_back_as_a_new_database(
    kept: str, nzila: TargetDatabase, people: dict[str, Any], environ: dict[str, str]
) -> None:
    draft = chosen(people, _target(), environ, provider="backup", backup=kept, server="back-one")
    assert [each["token"] for each in draft.restorable["backups"]] == [kept]
    recovery = started(people, draft)
    assert driven(recovery, environ) == "cutover", [step.sentence for step in recovery.steps.all()]
    with psycopg.connect(os.environ["SCRATCH_DATABASE_URL"], dbname="back-one") as line:
        assert line.execute("SELECT count(*) FROM public.entities WHERE legal_name = 'damaged'").fetchone() == (0,)
    assert nzila.rows("SELECT count(*) FROM public.entities WHERE legal_name <> 'damaged'") == [(0,)]
    inspected = recovery.steps.get(name="inspect").evidence
    assert (inspected["findings"], inspected["catalog_compared"]) == ([], True)

    order = Order("another", settings_of(recovery.target), None, kept, "back-one")
    for provider_does in ("refuse_taken", "make"):
        act = getattr(provider_of("backup", environ), provider_does)
        with pytest.raises(ProviderRefused, match="a database named back-one"):
            act(order, **({"known": {}, "told": lambda progress: None} if provider_does == "make" else {}))


def test_what_an_earlier_attempt_left_half_restored_is_made_again(
    kept: str, people: dict[str, Any], environ: dict[str, str]
) -> None:
    recovery = started(people, chosen(people, _target(), environ, provider="backup", backup=kept, server="back-half"))
    token = f"recovery-{recovery.pk}-{recovery.digest[:16]}"
    with psycopg.connect(os.environ["SCRATCH_DATABASE_URL"], autocommit=True) as line:
        line.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(f"restoring-{token}")))
    assert driven(recovery, environ) == "cutover"
    with psycopg.connect(os.environ["SCRATCH_DATABASE_URL"]) as line:
        rows = line.execute("SELECT datname FROM pg_database WHERE datname ~ '^(back-|restoring-)'").fetchall()
    assert rows == [("back-half",)]


def test_the_targets_own_cluster_is_refused_before_anything_is_made(
    kept: str, nzila: TargetDatabase, cluster_url: str, people: dict[str, Any], environ: dict[str, str]
) -> None:
    beside = {**environ, "RESTORE_DATABASE_URL": cluster_url}
    recovery = started(people, chosen(people, _target(), beside, provider="backup", backup=kept, server="back-beside"))
    assert driven(recovery, beside) == "failed"
    assert "is the cluster of the target" in recovery.steps.get(name="check").sentence
    with psycopg.connect(cluster_url) as line:
        assert line.execute("SELECT 1 FROM pg_database WHERE datname ~ 'back-beside|restoring-'").fetchone() is None


def test_a_damaged_dump_and_another_targets_are_refused(
    kept: str, people: dict[str, Any], environ: dict[str, str]
) -> None:
    recovery = started(people, chosen(people, _target(), environ, provider="backup", backup=kept, server="back-bad"))
    store = Store.of(environ)
    manifest = store.find(kept)
    assert manifest is not None
    with (Path(environ["BACKUP_DIR"]) / manifest.name).open("r+b") as file:
        file.seek(manifest.size // 2)
        byte = file.read(1)
        file.seek(-1, 1)
        file.write(bytes([byte[0] ^ 1]))
    assert driven(recovery, environ) == "failed"
    assert "checksum differs" in recovery.steps.get(name="restore").sentence

    other = opening.open_recovery(
        people["engineer"], target=_other(), provider="backup", incident="INC-1", purpose="P"
    )  # fmt: skip
    engine.read_restorable(other.pk, environ=environ)
    opening.choose(people["engineer"], other.pk, opening.Choice(backup=kept, server="back-other"))
    with pytest.raises(Refused, match="no such backup"):
        opening.submit(people["engineer"], other.pk)
    assert Recovery.objects.get(pk=other.pk).restorable["backups"] == []


def _target() -> Any:
    from rollbacks.models import Target

    return Target.objects.get()


def _other() -> Any:
    from rollbacks.models import Target

    return Target.objects.create(name="other", title="Other", environment="production", repository="/none", out="d")
