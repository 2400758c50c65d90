"""Azure's long-running operations, with their faults, and what is observed when Azure leads to production."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.db.models.functions import Now
from psycopg.conninfo import conninfo_to_dict

from recoveries import engine
from recoveries.models import Recovery, RecoveryStep
from recoveries.ports import Order, ProviderInterrupted, ProviderRefused
from recoveries.providers import azure
from rollbacks.drizzle.journal import Layout
from rollbacks.ports import TargetSettings
from tests.conftest import TargetDatabase
from tests.recoveries.production import chosen, driven, started, worker_environment
from tests.recoveries.resource_manager import SUBSCRIPTION, ResourceManager, Signed, resource_manager
from tests.rollback import register

KILLED = Path(__file__).with_name("killed_worker.py")
TARGET = TargetSettings(
    "books", "production", "/none", "main", Layout(out="d", prefix="index", ledger_schema="drizzle", ledger_table="t"), "", ()
)  # fmt: skip
POINT = datetime(2026, 10, 1, 12, 0, 0, tzinfo=UTC)
ORDER = Order("recovery-1-abc", TARGET, POINT, "", "books-before")


@pytest.fixture
def arm(monkeypatch: pytest.MonkeyPatch) -> Iterator[ResourceManager]:
    monkeypatch.setattr(azure, "credential_of", lambda environ: Signed())
    with resource_manager() as made:
        yield made


def environ_of(arm: ResourceManager) -> dict[str, str]:
    return {
        "AZURE_RESOURCE_MANAGER": arm.address, "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
        "BOOKS_AZURE_SERVER": "shop/books-prod", "BOOKS_DIRECT_DATABASE_URL": "postgresql://ada:pw@books-prod/books",
    }  # fmt: skip


def made(arm: ResourceManager, order: Order = ORDER, known: dict[str, Any] | None = None) -> tuple[Any, list[Any]]:
    told: list[dict[str, Any]] = []
    return azure.Azure(environ_of(arm)).make(order, known=known or {}, told=told.append), told


def test_it_asks_once_for_the_moment_before_and_waits(arm: ResourceManager) -> None:
    arm.polls_needed = 3
    server, told = made(arm)
    assert (server.name, server.host) == ("books-before", "new.postgres.database.azure.com")
    body = arm.operations["1"]["body"]
    assert body["properties"] == {
        "createMode": "PointInTimeRestore", "sourceServerResourceId": arm.servers["books-prod"]["id"],
        "pointInTimeUTC": "2026-10-01T11:59:59.999Z",
    }  # fmt: skip
    assert body["tags"] == {azure.TAG: ORDER.token} and arm.operations["1"]["polls"] == 3
    assert told[0][azure.OPERATION].endswith("/operations/1"), "kept before anything is waited for"
    assert "canary-token" not in str(told) + str(server)
    found = azure.Azure(environ_of(arm)).find(ORDER)
    assert found is not None and azure.Azure(environ_of(arm)).credentials(ORDER, found).parameters["host"] == found.host


def test_an_operation_that_was_begun_is_gone_on_with(arm: ResourceManager) -> None:
    arm.answer("PUT", "/x/flexibleServers/books-before", {"tags": {azure.TAG: ORDER.token}})
    made(arm, known={azure.OPERATION: f"{arm.address}/subscriptions/{SUBSCRIPTION}/operations/1"})
    assert arm.puts == 1 and arm.operations["1"]["polls"] == 1


def test_a_server_that_is_there_with_our_tag_is_waited_for_and_not_asked_for_again(
    arm: ResourceManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(azure, "POLL_SECONDS", 0.0)
    arm.add("books-before", {azure.TAG: ORDER.token}, "Provisioning")
    looks = []

    def ready(told: dict[str, Any]) -> None:
        looks.append(told)
        if len(looks) == 3:
            arm.servers["books-before"]["properties"]["state"] = "Ready"

    azure.Azure(environ_of(arm)).make(ORDER, known={}, told=ready)
    assert arm.puts == 0 and len(looks) >= 3


def test_a_name_that_is_taken_is_refused_because_a_put_would_change_it(arm: ResourceManager) -> None:
    arm.add("books-before", {"team": "shop"}, "Ready")
    for order in (ORDER, replace(ORDER, server="books-prod")):
        with pytest.raises(ProviderRefused, match="There is a server named"):
            made(arm, order)
    assert arm.puts == 0 and azure.Azure(environ_of(arm)).find(ORDER) is None


def test_faults_are_tried_again_and_then_left_to_the_next_attempt(arm: ResourceManager) -> None:
    arm.faults = [429, 500, 503]
    assert made(arm)[0].name == "books-before"
    del arm.servers["books-before"]
    arm.faults = [500] * 20
    with pytest.raises(ProviderInterrupted, match="500"):
        made(arm)
    assert arm.puts == 1


def test_what_azure_refuses_is_said_and_not_found_for_ever(arm: ResourceManager) -> None:
    arm.outcome = "Failed"
    told: list[dict[str, Any]] = []
    with pytest.raises(ProviderRefused, match="outside the retention"):
        azure.Azure(environ_of(arm)).make(ORDER, known={}, told=told.append)
    assert told[-1][azure.OPERATION] == ""
    arm.faults = [403] * 9
    with pytest.raises(ProviderRefused, match="403"):
        azure.Azure(environ_of(arm)).restorable(TARGET)


def test_the_token_goes_to_no_other_address(arm: ResourceManager) -> None:
    with resource_manager() as other:
        ours, arm.address = arm.address, other.address
        environ = {**environ_of(arm), "AZURE_RESOURCE_MANAGER": ours}
        arm.servers["books-prod"]["properties"]["state"] = "Ready"
        told: list[dict[str, Any]] = []

        def ready(progress: dict[str, Any]) -> None:
            told.append(progress)
            arm.servers["books-before"]["properties"]["state"] = "Ready"

        azure.Azure(environ).make(ORDER, known={}, told=ready)
        assert other.asked == [] and told[0][azure.OPERATION] == ""


@pytest.mark.django_db(transaction=True)
def test_a_killed_worker_polls_the_same_operation_and_production_is_known_whatever_it_is_called(
    arm: ResourceManager, nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    """The second attempt finds that Azure's new host is the target's own cluster under another name, and stops."""
    target = register(nzila)
    arm.host = str(conninfo_to_dict(nzila.url)["host"]) + "/."
    prefix = target.name.upper().replace("-", "_")
    environ = {**nzila.environ, **environ_of(arm), f"{prefix}_AZURE_SERVER": "shop/books-prod"}
    recovery = started(people, chosen(people, target, environ, provider="azure", point=POINT, server="books-before"))
    assert engine.advance(recovery.pk, worker="test", environ=environ)
    done = subprocess.run(
        [sys.executable, str(KILLED), str(recovery.pk), "asked"], env={**environ, **worker_environment()},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == -9, done.stderr
    step = recovery.steps.get(name="restore")
    assert step.progress[azure.OPERATION].endswith("/operations/1")
    RecoveryStep.objects.filter(pk=step.pk).update(lease_until=Now())
    assert driven(recovery, environ) == "failed"
    assert (arm.puts, arm.operations["1"]["polls"]) == (1, 1)
    sentence = Recovery.objects.get().steps.get(name="restore").sentence
    assert f"is the server of the target {target.name}" in sentence
