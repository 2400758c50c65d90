"""What stands beside a run: the deploy freeze with its release, and feature flags that a worker asks for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db.models.functions import Now

from notices.models import Notice
from records.models import Fact
from rollbacks import freezes, tasks
from rollbacks.models import Answer, DeployFreeze, Execution, FlagCheck
from rollbacks.ports import StepFailed
from rollbacks.reversal.catalog import read_facts
from rollbacks.services import flags, requests, running
from rollbacks.services.moves import NotAllowed, Refused
from rollbacks.steps import freeze
from rollbacks.steps.flags import FlagsUnread, find, read_flags
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.notices.conftest import gather
from tests.operator_server import Operator, operator_server
from tests.rollback import approve, draft, drive, register, step

pytestmark = pytest.mark.django_db(transaction=True)

CANARY = "canary-Zx9-in-the-address"
RETURN = "0003_redundant_starfox"


@pytest.fixture
def operator(tmp_path: Path) -> Iterator[Operator]:
    with operator_server(tmp_path / "operator") as server:
        yield server


@pytest.fixture
def shop(nzila: TargetDatabase, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> TargetDatabase:
    """The target with the operator's addresses in its worker's environment."""
    name = nzila.name.upper().replace("-", "_")
    added = {
        f"{name}_DEPLOY_FREEZE_URL": f"http://127.0.0.1:{operator.port}/freeze?key={CANARY}",
        f"{name}_FLAGS_URL": f"http://127.0.0.1:{operator.port}/flags?key={CANARY}",
        "PORTAL_DEMO": "1",
    }
    monkeypatch.setattr(freeze, "PAUSES", (0.0, 0.0))
    return replace(nzila, environ={**nzila.environ, **added})


def begun(people: dict[str, Any], target: Any) -> Execution:
    request = draft(people, target, RETURN)
    approve(people, request)
    return running.start(people["engineer"], request.pk)


def facts_of(nzila: TargetDatabase) -> str:
    with nzila.connect() as line:
        return read_facts(line, ignore_schemas=()).digest


def page_of(people: dict[str, Any], execution: Execution) -> str:
    return client_of(people["engineer"]).get(f"/requests/{execution.request_id}/run/").content.decode()


def test_a_freeze_is_held_before_apply_and_released_after_verify(
    shop: TargetDatabase, people: dict[str, Any], operator: Operator
) -> None:
    execution = begun(people, register(shop, deploy_freeze=True))
    drive(execution, shop.environ, until="apply")
    assert operator.requests == [] and freezes.owed() == []

    drive(execution, shop.environ, until="verify")
    asked = operator.asked("freeze")[0]
    assert asked["body"] == {
        "action": "freeze", "token": f"execution-{execution.pk}", "target": shop.name, "environment": "production",
        "request": f"RB-{execution.request_id}", "digest": execution.digest,
    }  # fmt: skip
    assert step(execution, "apply").evidence["deploy_freeze"]["status"] == 200
    # Between apply and verify nobody knows yet whether the target is as it has to be.
    assert not freezes.release_owed(execution.pk, environ=shop.environ) and "Deployments are frozen" in page_of(
        people, execution
    )

    drive(execution, shop.environ, until="publish")
    operator.says("release", "503")
    operator.says("message", f"try later {CANARY}")
    assert freezes.owed() == [execution.pk]
    assert not freezes.release_owed(execution.pk, environ=shop.environ)
    page = page_of(people, execution)
    assert "Deployments may still be frozen" in page and "status 503" in page and CANARY not in page
    # Not again at once, but the sweep's turn comes.
    assert freezes.owed() == [] and drive(execution, shop.environ) == "succeeded"

    # It goes on failing: after the third attempt people are told, once.
    for _attempt in range(3):
        DeployFreeze.objects.update(due_at=Now())
        assert not freezes.release_owed(execution.pk, environ=shop.environ)
    gather()
    told = Notice.objects.get(kind="attention")
    assert "still be FROZEN" in told.title and "status 503" in str(told.content) and CANARY not in str(told.content)

    DeployFreeze.objects.update(due_at=Now())
    operator.says("release", "204")
    assert freezes.release_owed(execution.pk, environ=shop.environ)
    assert not freezes.release_owed(execution.pk, environ=shop.environ)
    assert len(operator.asked("release")) == 5
    assert "deploy freeze released" in page_of(people, execution)
    actions = Fact.objects.filter(action__startswith="deploy_freeze").order_by("seq").values_list("action", flat=True)
    assert list(actions) == ["deploy_freeze.not_released", "deploy_freeze.released"]
    assert not any(CANARY in line for line in Fact.objects.values_list("line", flat=True))


def test_without_a_freeze_the_target_is_not_touched_and_the_release_is_still_tried(
    shop: TargetDatabase, people: dict[str, Any], operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, before = register(shop, deploy_freeze=True), facts_of(shop)
    operator.says("freeze", "409")
    operator.says("message", "A deploy is under way.")
    execution = begun(people, target)
    assert drive(execution, shop.environ) == "failed"
    assert "freeze was not granted" in step(execution, "apply").sentence
    assert "A deploy is under way." in step(execution, "apply").sentence
    assert len(operator.asked("freeze")) == 1 and facts_of(shop) == before
    # The sweep rings for it, and the task delivers it.
    assert freezes.owed() == [execution.pk]
    for name, value in shop.environ.items():
        monkeypatch.setitem(os.environ, name, value)
    tasks.release_freeze(execution.pk)
    assert len(operator.asked("release")) == 1 and freezes.owed() == []


def test_who_does_not_answer_is_asked_again_and_no_answer_is_no_freeze(
    shop: TargetDatabase, operator: Operator
) -> None:
    def refused(**environ: str) -> str:
        given = {
            "target": SimpleNamespace(name=shop.name, environment="production"), "environ": {**shop.environ, **environ},
            "token": "execution-1", "request": 1, "digest": "d", "now": lambda: datetime.now(UTC),
        }  # fmt: skip
        with pytest.raises(StepFailed) as failure:
            freeze.hold(SimpleNamespace(**given))  # type: ignore[arg-type]
        return str(failure.value)

    operator.says("freeze", "500")
    assert "status 500" in refused() and len(operator.asked("freeze")) == 3
    operator.says("freeze", "302")
    assert "status 302" in refused() and len(operator.asked("freeze")) == 4
    operator.says("freeze", "200")
    variable = f"{shop.name.upper().replace('-', '_')}_DEPLOY_FREEZE_URL"
    assert f"has no {variable}" in refused(**{variable: ""})
    assert "not a public one" in refused(**{variable: "https://169.254.169.254/x"})
    assert "Only https" in refused(PORTAL_DEMO="0")
    assert len(operator.asked("freeze")) == 4


def test_flags_are_asked_for_answered_and_asked_for_again_before_anything_is_changed(
    shop: TargetDatabase, people: dict[str, Any], operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in shop.environ.items():
        monkeypatch.setitem(os.environ, name, value)
    target = register(shop, flags={"/flags/new_billing": False, "/flags/limit": 5})
    request = draft(people, target, RETURN)
    with pytest.raises(NotAllowed):
        flags.ask_flags(people["security"], request.pk)

    operator.says("flags", '{"flags": {"new_billing": true, "limit": 5}}')
    check = flags.ask_flags(people["engineer"], request.pk)
    assert flags.waiting_checks() == [check.pk]
    tasks.check_flags(check.pk)
    before = Answer.objects.filter(request=request, item="feature_flags").count()
    page = client_of(people["engineer"]).get(f"/requests/{request.pk}/checklist/feature_flags/").content.decode()
    assert "/flags/new_billing" in page and "is true, has to be false" in page

    operator.says("flags", f'{{"flags": {{"new_billing": false, "limit": 5}}, "note": "{CANARY}"}}')
    client_of(people["engineer"]).post(f"/requests/{request.pk}/check-flags/")
    check = FlagCheck.objects.latest("pk")
    tasks.check_flags(check.pk)
    tasks.check_flags(check.pk)
    # A second worker that was asked meanwhile: what it saw later is not kept, and nothing is answered twice.
    flags.keep_flags(check.pk, seen=[{"pointer": "/x", "found": "1", "expected": "1", "as_expected": True}])
    check.refresh_from_db()
    assert {each["pointer"] for each in check.seen} == {"/flags/new_billing", "/flags/limit"}
    assert Answer.objects.filter(request=request, item="feature_flags").count() == before + 1
    assert check.answer and "/flags/new_billing is false, as expected" in check.answer.text
    assert CANARY not in check.answer.text

    approve(people, request)
    with pytest.raises(Refused, match="in review"):
        flags.ask_flags(people["engineer"], request.pk)
    execution = running.start(people["engineer"], request.pk)
    assert execution.plan["options"]["flags"] == {"/flags/new_billing": False, "/flags/limit": 5}
    target_facts = facts_of(shop)
    operator.says("flags", '{"flags": {"new_billing": 0, "limit": 5}}')
    assert drive(execution, shop.environ) == "failed"
    failed = step(execution, "preflight")
    assert "/flags/new_billing is 0 and has to be false" in failed.sentence and failed.evidence["flags"]
    assert facts_of(shop) == target_facts

    # What cannot be read is not taken for granted either.
    operator.says("flags", "oops")
    again = running.start(people["engineer"], request.pk)
    drive(again, shop.environ, until="backup")
    assert "did not answer with JSON" in step(again, "preflight").sentence and step(again, "backup").state == "pending"


def test_flags_that_a_person_vouched_for_are_not_asked_for(
    shop: TargetDatabase, people: dict[str, Any], operator: Operator
) -> None:
    request = draft(people, register(shop, flags={"/flags/new_billing": False}), RETURN)
    requests.answer(people["engineer"], request.pk, item="feature_flags", text="Seen off on the dashboard.")
    approve(people, request)
    execution = running.start(people["engineer"], request.pk)
    drive(execution, shop.environ, until="backup")
    assert step(execution, "preflight").state == "done" and operator.requests == []
    assert "options" not in execution.plan


@pytest.mark.parametrize(
    ("pointer", "found"),
    [("/a~1b/m~0n", 1), ("/list/0", "x"), ("/list/1/y", None), ("/", "empty name")],
)
def test_a_pointer_leads_to_its_value(pointer: str, found: Any) -> None:
    document = {"a/b": {"m~n": 1}, "list": ["x", {"y": None}], "": "empty name"}
    assert find(document, pointer) == found


@pytest.mark.parametrize("pointer", ["/list/2", "/list/-1", "/list/00", "/list/0/y", "/none"])
def test_a_pointer_that_leads_nowhere_is_no_value(pointer: str) -> None:
    with pytest.raises(LookupError):
        find({"list": ["x"]}, pointer)


def test_flags_that_cannot_be_read_are_a_sentence(shop: TargetDatabase, operator: Operator) -> None:
    operator.says("flags-status", "503")
    with pytest.raises(FlagsUnread, match="status 503"):
        read_flags(shop.name, {"/x": True}, environ=shop.environ)
    operator.says("flags-status", "200")
    assert read_flags(shop.name, {"/x": True}, environ=shop.environ)[0]["found"] == "absent"
    with pytest.raises(FlagsUnread, match="Only https"):
        read_flags(shop.name, {"/x": True}, environ={**shop.environ, "PORTAL_DEMO": "0"})
