"""Every page says what runs outside the transaction and that it is not atomic; what has no place there is refused."""

from __future__ import annotations

from typing import Any

import pytest

from records.markdown import _outside
from rollbacks.services import submission
from rollbacks.services.moves import Refused
from rollbacks.services.reading import read_request, sql_problems
from rollbacks.services.traits import traits_of
from tests.clients import client_of
from tests.conftest import TargetDatabase
from tests.engine.test_lane import AFTER, BEFORE, BOTH, INSIDE, RETURN, UNDONE
from tests.passkeys import passkey_of
from tests.rollback import draft, register

pytestmark = pytest.mark.django_db(transaction=True)

NOT_ATOMIC = "These statements run outside the transaction, one by one; they are not atomic"


def test_every_page_shows_the_statements_outside_and_calls_them_not_atomic(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    request = draft(people, register(nzila), RETURN, reverse_sql=BOTH)
    engineer = client_of(people["engineer"])
    pages = [engineer.get(f"/requests/{request.pk}/{page}").content.decode() for page in ("", "edit/")]
    plan = submission.submit(people["engineer"], request.pk)
    passkey_of(people["platform"])
    signer = client_of(people["platform"])
    pages += [signer.get(f"/requests/{request.pk}/{page}").content.decode() for page in ("sign/", "")]
    pages.append(engineer.get(f"/requests/{request.pk}/start/").content.decode())
    for page in pages:
        assert NOT_ATOMIC in page and "After the transaction is committed, in this order" in page
        assert "All of them are one transaction.<" not in page
    assert "and then changes the target in one transaction." not in pages[2]
    assert plan.lane == {"before": [BEFORE.rstrip(";")], "after": AFTER.rstrip(";").split(";\n")}
    # The digest covers the lane: another side, another plan.
    assert plan.document()["lane"] == plan.lane and plan.traits["non_transactional"]


def test_what_would_stand_between_two_migrations_statements_is_refused(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    # In order in each migration's own SQL, and between the statements of both in the whole.
    sql = {UNDONE: f"{INSIDE}\nDROP INDEX CONCURRENTLY audit_events_severity_idx;"}
    request = draft(people, register(nzila), reverse_sql=sql)
    with pytest.raises(Refused, match="stands between statements that do; put it before the first of them"):
        submission.submit(people["engineer"], request.pk)


def test_the_projects_own_command_has_no_lane(nzila: TargetDatabase, people: dict[str, Any]) -> None:
    request = draft(people, register(nzila, migrate_command=["true"]), RETURN, reverse_sql=BOTH)
    reading = read_request(request)
    ((code, sentence, _anchor),) = sql_problems(reading)
    assert code == "lane" and "write the statements without CONCURRENTLY" in sentence
    assert traits_of(reading, None).non_transactional


def test_the_record_names_what_no_transaction_held() -> None:
    text = _outside({"plan": {"lane": {"before": ["DROP INDEX CONCURRENTLY a"], "after": []}}})
    assert "they were not atomic" in text and "Before the transaction:\n\n````sql\nDROP INDEX CONCURRENTLY a" in text
    assert _outside({"plan": {}}) == ""
