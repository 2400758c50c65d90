"""The pages of kept backups over HTTP: what they show to whom, and placing and lifting holds."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from records.paging import PAGE
from rollbacks.models import Target
from rollbacks.services import backups
from rollbacks.side_models import Backup, BackupHold, StrayFile
from tests.clients import client_of
from tests.targets.backups import ROW

pytestmark = pytest.mark.django_db(transaction=True)


def several(people: dict[str, Any], count: int) -> list[Backup]:
    target = Target.objects.create(
        name="books", title="Books <b>", environment="production", repository="/none", out="d"
    )
    for number in range(count):
        request = target.requests.create(author=people["engineer"])
        run = request.executions.create(
            target=target, number=1, plan={}, digest="d" * 64, started_by=people["engineer"], is_open=False
        )
        backups.keep(run.pk, {**ROW, "name": f"backup-20261103-{number:06}.dump.age"})
    return list(Backup.objects.order_by("pk"))


def test_an_empty_list_says_what_will_be_there(people: dict[str, Any]) -> None:
    page = client_of(people["auditor"]).get("/backups/").content.decode()
    assert "No backup was kept yet" in page and "restores the dump on the scratch server" in page


def test_the_list_goes_on_by_key_with_few_queries(people: dict[str, Any]) -> None:
    made = several(people, PAGE + 2)
    StrayFile.objects.create(location="/var/backups", name="README<i>", size=3, kind="foreign")
    auditor = client_of(people["auditor"])
    auditor.get("/backups/")
    for address in ("/backups/", f"/backups/{made[0].pk}/"):
        with CaptureQueriesContext(connection) as queries:
            auditor.get(address)
        assert len(queries) <= 12, (address, [each["sql"][:90] for each in queries])
    page = auditor.get("/backups/").content.decode()
    assert made[-1].name[15:22] in page and made[0].name[15:22] not in page and f"before={made[2].pk}" in page
    assert "README" in page and "<i>" not in page and "Books <b>" not in page
    older = auditor.get(f"/backups/?before={made[2].pk}").content.decode()
    assert made[0].name[15:22] in older and "README" not in older
    assert "No backup was kept yet" in auditor.get("/backups/?target=another").content.decode()


def test_a_hold_is_placed_and_lifted_on_the_page(people: dict[str, Any]) -> None:
    (backup,) = several(people, 1)
    auditor, platform = client_of(people["auditor"]), client_of(people["platform"])
    where = f"/backups/{backup.pk}/"
    assert "Hold this backup" in auditor.get(where).content.decode()
    assert "Hold this backup" not in platform.get(where).content.decode()
    assert platform.post(f"{where}hold/", {"reason": "Case 7"}).status_code == 403
    past = auditor.post(f"{where}hold/", {"reason": "Case 7", "until": "2026-01-01T00:00"})
    assert past.status_code == 409 and "ends in the future" in past.content.decode()
    assert auditor.post(f"{where}hold/", {"reason": "Case <i>7</i>"}).status_code == 302
    held = BackupHold.objects.get()
    page = auditor.get(where).content.decode()
    assert (
        "Case &lt;i&gt;7" in page
        and 'data-state="on_hold"' in page
        and "Its time is not over." in page
        and "It is held." in page
    )
    assert "Restore it into a new database" not in page
    assert 'data-state="on_hold"' in platform.get("/backups/").content.decode()
    lifting = f"{where}holds/{held.pk}/lift/"
    assert f'href="#lift-{held.pk}-reason"' in auditor.post(lifting, {}).content.decode()
    assert platform.post(lifting, {"reason": "x"}).status_code == 403
    assert auditor.post(lifting, {"reason": "Closed"}).status_code == 302
    assert auditor.post(lifting, {"reason": "Closed"}).status_code == 409
    assert "Lifted by" in auditor.get(where).content.decode()


def test_a_backup_that_cannot_be_relied_on_says_so_and_offers_no_restore(people: dict[str, Any]) -> None:
    (backup,) = several(people, 1)
    engineer = client_of(people["engineer"])
    assert "Restore it into a new database" in engineer.get(f"/backups/{backup.pk}/").content.decode()
    assert (
        f'href="/backups/{backup.pk}/"'
        in engineer.get(f"/requests/{backup.execution.request_id}/run/").content.decode()
    )
    backups.judge(backup.execution_id, "The dump could not be <b>restored</b>.")
    page = engineer.get(f"/backups/{backup.pk}/").content.decode()
    assert "Do not rely on this backup" in page and "<b>restored" not in page
    assert "Restore it into a new database" not in page
