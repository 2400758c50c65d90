"""The record of a recovery: everything that was signed, seen and answered, as one document, and its sealing."""

from __future__ import annotations

import json

from approvals.services import cases_of
from records.models import Fact
from records.record import seal
from records.recovery_entry import FORMAT
from recoveries.cutover import BY_HAND, BY_KEY
from recoveries.models import Recovery
from recoveries.services.moves import subject_of
from recoveries.services.running import answers_of
from recoveries.states import State
from rollbacks.history import moment, person_in, sign_off_of
from rollbacks.ports import Evidence
from rollbacks.states import RunState


def history_of(recovery: Recovery) -> Evidence:
    """Return the document of a recovery that a person closed; the same recovery gives the same document."""
    case = cases_of([subject_of(recovery.pk)]).filter(digest=recovery.digest).first()
    done = recovery.steps.filter(state=RunState.DONE).exclude(name="document").order_by("position")
    closed = Fact.objects.filter(subject=subject_of(recovery.pk), action="recovery.moved").order_by("seq")
    last = next((fact for fact in closed if json.loads(fact.line)["detail"]["after"] == State.CLOSING), None)
    answered = answers_of(recovery)
    titles = {BY_HAND: "Restored by hand", **{key: item.title for key, item in BY_KEY.items()}}
    return {
        "format": FORMAT,
        "recovery": recovery.pk,
        "result": recovery.outcome,
        "ending": recovery.ending,
        "opened_at": moment(recovery.opened_at),
        "started_at": moment(recovery.started_at),
        "closed_at": moment(last.at) if last else None,
        "closed_by": json.loads(last.line)["actor"] if last else None,
        "author": person_in(recovery.author),
        "plan": recovery.plan,
        "digest": recovery.digest,
        "sign_off": sign_off_of(case),
        "downtime": {"start": moment(recovery.downtime_start), "end": moment(recovery.downtime_end)},
        "cutover": [
            {
                "item": key, "title": title, "text": answered[key].text, "link": answered[key].link,
                "person": person_in(answered[key].person), "at": moment(answered[key].answered_at),
            }
            for key, title in titles.items() if key in answered
        ],
        "steps": [
            {
                "name": step.name, "attempt": step.attempt, "observed": step.observed, "evidence": step.evidence,
                "started_at": moment(step.started_at), "finished_at": moment(step.finished_at),
            }
            for step in done
        ],
    }  # fmt: skip


def seal_recovery(recovery: Recovery, document: Evidence) -> Evidence:
    """Seal the document as the recovery's change record; a second call returns what the first one sealed."""
    record = seal(
        token=f"recovery-{recovery.pk}",
        subject=subject_of(recovery.pk),
        title=f"{recovery}: {recovery.target.title} recovered to {recovery.server}"[:200],
        result=document["result"],
        document=document,
    )
    return {
        "id": record.pk, "digest": record.digest, "text": record.document, "document": json.loads(record.document)
    }  # fmt: skip
