"""Credentials, direct connections and identity: what is allowed, what is refused, and that no secret gets out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from rollbacks.adapters import roles
from rollbacks.adapters import target as targets
from rollbacks.adapters.scratch import Scratch, ScratchRefused
from tests.conftest import TargetDatabase

SECRET = "can4ry:p@ss/word"
QUOTED = "can4ry%3Ap%40ss%2Fword"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p@h/db?service=other", "postgresql://u@h/db?passfile=/etc/passwd", "postgresql://u@h/db?options=-c%20x=y",
        "postgresql://u@h1,h2/db", "postgresql://u@h/db?sslkeylogfile=/tmp/x", "postgresql://u@h/host=evil%20dbname=x",
        "postgresql://u@h/postgresql:%2F%2Fevil%2Fdb", "postgresql://u@h/db?hostaddr=10.0.0.1", "mysql://u@h/db", "postgresql://u@h/",
        "nonsense", "postgresql://u@h/db?sslcert=/x",
    ],
)  # fmt: skip
def test_a_url_may_say_where_and_who_and_nothing_else(url: str) -> None:
    with pytest.raises(targets.NoCredentials) as refusal:
        targets.credentials_of("shop", {"SHOP_DIRECT_DATABASE_URL": url})
    assert "SHOP_DIRECT_DATABASE_URL" in str(refusal.value)


def test_the_password_is_in_no_text_and_in_no_argument(tmp_path: Path) -> None:
    environ = {"MY_SHOP_DIRECT_DATABASE_URL": f"postgresql://u:{QUOTED}@127.0.0.1:1/db?connect_timeout=2"}
    credentials = targets.credentials_of("my-shop", environ)
    assert SECRET not in f"{credentials} {credentials!r}"
    with pytest.raises(targets.Unreachable) as refusal:
        targets.connect(credentials)
    assert SECRET not in str(refusal.value) and QUOTED not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert targets.redact(f"x {SECRET} y {QUOTED}", credentials) == "x … y …"
    assert credentials.environment({})["PGPASSWORD"] == SECRET


def test_credentials_come_from_a_file_or_a_service(tmp_path: Path) -> None:
    secret = tmp_path / "url"
    secret.write_text("postgresql://u@h/db\n")
    assert targets.credentials_of("shop", {"SHOP_DIRECT_DATABASE_URL_FILE": str(secret)}).parameters["dbname"] == "db"
    service = tmp_path / "services"
    service.write_text("[shop]\nhost=h\ndbname=shop\nuser=u\npassword=a%b=c\n\n[bad]\nhost=h\ndbname=x\npassfile=/x\n")
    environ = {"PGSERVICEFILE": str(service)}
    assert targets.credentials_of("shop", environ).parameters["password"] == "a%b=c"
    with pytest.raises(targets.NoCredentials, match="passfile"):
        targets.credentials_of("bad", environ)
    with pytest.raises(targets.NoCredentials, match="no credentials for other"):
        targets.credentials_of("other", environ)


def test_a_direct_connection_knows_its_database(nzila: TargetDatabase) -> None:
    credentials = targets.credentials_of(nzila.name, nzila.environ)
    targets.refuse_pooler(credentials)
    with targets.connect(credentials) as connection:
        found = targets.identity(connection)
        targets.refuse_standby(connection)
    assert found.database == nzila.name
    assert (found.database_oid,) == nzila.rows("SELECT oid FROM pg_database WHERE datname = current_database()")[0]
    assert found.major == 18


def test_a_pooler_that_loses_settings_is_refused(nzila: TargetDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pooler here is real enough: another backend answers than the one the protocol named."""
    from tests.targets.pooler import swapping_pooler

    with swapping_pooler(nzila.url) as url:
        credentials = targets.credentials_from_url("shop", url, source="URL")
        with pytest.raises(targets.Pooled, match="direct URL"):
            targets.refuse_pooler(credentials)


def test_a_read_only_server_is_refused(nzila: TargetDatabase) -> None:
    with nzila.connect() as connection:
        connection.execute("SET default_transaction_read_only = on")
        with pytest.raises(targets.Standby):
            targets.refuse_standby(connection)


def test_the_targets_own_cluster_is_never_the_scratch_server(nzila: TargetDatabase) -> None:
    with targets.connect(targets.credentials_of(nzila.name, nzila.environ)) as connection:
        identity = targets.identity(connection)
    Scratch.of(nzila.environ).refuse_same_cluster(identity)
    same = {**nzila.environ, "SCRATCH_DATABASE_URL": nzila.url}
    with pytest.raises(ScratchRefused, match="own cluster"):
        Scratch.of(same).refuse_same_cluster(identity)
    with pytest.raises(ScratchRefused, match="not set"):
        Scratch.of({})


def test_only_our_own_scratch_databases_are_created_or_dropped(nzila: TargetDatabase) -> None:
    scratch = Scratch.of(nzila.environ)
    for name in ("postgres", "nzila", ""):
        with pytest.raises(ScratchRefused):
            scratch.drop(name)
    scratch.create("rollback_test_sweep_1")
    scratch.create("rollback_test_sweep_2")
    assert scratch.names("rollback_test_sweep") == {"rollback_test_sweep_1", "rollback_test_sweep_2"}
    scratch.drop("rollback_test_sweep_1")
    scratch.drop("rollback_test_sweep_1")
    scratch.drop("rollback_test_sweep_2")
    assert scratch.names("rollback_test_sweep") == set()


def test_dropping_waits_for_sessions_that_are_none_of_ours(nzila: TargetDatabase) -> None:
    """Autovacuum is a superuser's: WITH (FORCE) is refused to our role while it is at work, so a proof failed now and then."""
    scratch, name = Scratch.of(nzila.environ), "rollback_test_waits"
    scratch.refuse_superuser()
    scratch.create(name)
    dropping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'DROP DATABASE%rollback_test_waits%' AND state = 'active'"
    superuser = nzila.environ["SCRATCH_DATABASE_URL"].replace("rollback_scratch@", "postgres@")
    with psycopg.connect(superuser, autocommit=True) as watch, ThreadPoolExecutor(1) as pool:
        with psycopg.connect(superuser, dbname=name):
            dropped = pool.submit(scratch.drop, name)
            while not dropped.done() and watch.execute(dropping).fetchone() == (0,):
                pass
            assert not dropped.done()
        dropped.result()
    assert scratch.names(name) == set()


def test_the_lock_is_the_targets_and_ends_with_the_transaction(nzila: TargetDatabase) -> None:
    key = targets.target_lock_key("77nzila")
    assert key == targets.target_lock_key("77nzila") != targets.target_lock_key("78nzila")
    with nzila.connect() as first, nzila.connect() as second:
        assert targets.wait_target_lock(first, key, 0)
        assert not targets.wait_target_lock(second, key, 0.2)
        first.rollback()
        assert targets.wait_target_lock(second, key, 5)


def test_missing_rights_are_named_before_anything_runs(nzila: TargetDatabase, cluster_url: str) -> None:
    from demo.target import LAYOUT

    with psycopg.connect(cluster_url, autocommit=True) as admin:
        if not admin.execute("SELECT 1 FROM pg_roles WHERE rolname = 'stranger'").fetchone():
            admin.execute("CREATE ROLE stranger LOGIN")
    url = nzila.url.replace(nzila.url.split("://")[1].split("@")[0], "stranger")
    with psycopg.connect(url) as connection, pytest.raises((targets.NotPrivileged, psycopg.Error)):
        roles.refuse_missing_privileges(connection, layout=LAYOUT, owner_role="")
    with nzila.connect() as connection:
        roles.refuse_missing_privileges(connection, layout=LAYOUT, owner_role="")
        with pytest.raises(targets.NotPrivileged, match="not a member of stranger"):
            roles.refuse_missing_privileges(connection, layout=LAYOUT, owner_role="stranger")
