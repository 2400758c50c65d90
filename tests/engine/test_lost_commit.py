"""A COMMIT whose answer is lost: the next attempt looks at the ledger and never applies twice (acceptance E3)."""

from __future__ import annotations

from typing import Any

import pytest

from rollbacks import engine
from tests.conftest import TargetDatabase
from tests.engine.test_faults import facts_of, ledger_rows
from tests.rollback import drive, started, step
from tests.targets.cutting_proxy import cutting_proxy

pytestmark = pytest.mark.django_db(transaction=True)


def advance_apply(nzila: TargetDatabase, execution: Any, moment: str) -> bool:
    """Do the apply step through the proxy once."""
    with cutting_proxy(nzila.url, moment) as (url, cut):
        variable = f"{nzila.name.upper().replace('-', '_')}_DIRECT_DATABASE_URL"
        more = engine.advance(execution.pk, worker="cut", environ={**nzila.environ, variable: url})
        assert cut.done.is_set()
    return more


def test_a_line_cut_before_the_commit_reached_the_server_means_not_applied(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    before = facts_of(nzila)
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")

    assert advance_apply(nzila, execution, "before") is True

    assert step(execution, "apply").state == "pending"
    assert facts_of(nzila) == before and ledger_rows(nzila) == 5
    assert drive(execution, nzila.environ) == "succeeded"
    applied = step(execution, "apply")
    assert not applied.observed and applied.attempt == 2
    assert ledger_rows(nzila) == 6


def test_a_line_cut_after_the_commit_reached_the_server_is_found_and_not_run_again(
    nzila: TargetDatabase, people: dict[str, Any]
) -> None:
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")

    assert advance_apply(nzila, execution, "after") is True

    assert ledger_rows(nzila) == 6
    after = facts_of(nzila)
    assert drive(execution, nzila.environ) == "succeeded"
    applied = step(execution, "apply")
    assert applied.observed and applied.evidence["known_by"] == "ledger"
    assert ledger_rows(nzila) == 6 and facts_of(nzila) == after


def test_while_an_earlier_attempt_may_still_commit_nobody_guesses(
    nzila: TargetDatabase, people: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from rollbacks.adapters import target as targets
    from rollbacks.services import running
    from rollbacks.steps import earlier

    monkeypatch.setattr(earlier, "LOCK_WAIT_SECONDS", 0.3)
    execution = started(people, nzila)
    drive(execution, nzila.environ, until="apply")
    assert advance_apply(nzila, execution, "before") is True
    plan = execution.plan["target"]
    with nzila.connect() as holder:
        assert targets.wait_target_lock(
            holder, targets.target_lock_key(plan["system_identifier"] + plan["database"]), 1
        )
        assert drive(execution, nzila.environ) == "needs_attention"
        assert "still holds its lock" in step(execution, "apply").sentence
        assert engine.claimable() == []
        holder.rollback()
    running.resume(people["engineer"], execution.request_id)
    assert drive(execution, nzila.environ) == "succeeded"
    assert ledger_rows(nzila) == 6
