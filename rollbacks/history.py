"""The document of a change record: who, what, why, with which evidence, assembled from the rows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from approvals.models import Case
from approvals.services import decision_on, open_case_of
from records.models import Fact
from rollbacks.checklist import ITEMS
from rollbacks.models import Execution, Request, Revision, SecurityIncident, StepRun
from rollbacks.ports import Evidence
from rollbacks.services.moves import subject_of
from rollbacks.services.reading import current_answers, evidence_of
from rollbacks.states import RunState

FORMAT = "rollback-change-record/1"


def history_of(execution: Execution) -> Evidence:
    """Return the change record's document for an execution whose steps before `record` are done.

    It is the same for every call with the same rows: nothing in it depends on when it is assembled.
    """
    request = Request.objects.select_related("target", "author").get(pk=execution.request_id)
    return {
        "format": FORMAT,
        "request": _request(request),
        "plan": execution.plan,
        "digest": execution.digest,
        "sign_off": sign_off_of(open_case_of(subject_of(request.pk))),
        "checklist": _checklist(request, execution),
        "security_incidents": _incidents(request),
        "execution": _execution(execution),
        "steps": [_step(run) for run in execution.steps.filter(state=RunState.DONE).order_by("position")],
        "result": "rolled back",
        "trail": _trail(request),
    }


def moment(value: datetime | None) -> str | None:
    """Return the time as UTC in ISO 8601 with microseconds."""
    return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")


def person_in(person: Any) -> dict[str, Any]:
    """Return how a record names a person: the id that stays, and the names of then."""
    return {"id": person.pk, "username": person.get_username(), "name": person.get_full_name()}


def _request(request: Request) -> dict[str, Any]:
    revisions = Revision.objects.filter(request=request).select_related("author").order_by("number")
    return {
        "id": request.pk,
        "target": request.target.name,
        "author": person_in(request.author),
        "opened_at": moment(request.opened_at),
        "return_to": request.return_to or None,
        "revisions": [
            {
                "number": revision.number,
                "author": person_in(revision.author),
                "made_at": moment(revision.made_at),
                "digest": revision.digest,
            }
            for revision in revisions
        ],
    }


def sign_off_of(case: Case | None) -> dict[str, Any]:
    """Return the case's policy, digest and votes with what confirms each of them; empty without a case."""
    if case is None:
        return {}
    decision = decision_on(case)
    rows = case.sign_offs.select_related("person", "delegation__holder").order_by("id")
    return {
        "policy": case.policy,
        "digest": case.digest,
        "state": decision.state.value,
        "votes": [
            {
                "person": person_in(row.person),
                "on_behalf_of": person_in(row.delegation.holder) if row.delegation else None,
                "role": row.role,
                "choice": row.choice,
                "reason": row.reason,
                "digest": row.digest,
                "signed_at": moment(row.signed_at),
                "method": row.method,
                "confirmed_at": moment(row.confirmed_at),
                "challenge": row.challenge_id,
                "confirmation": row.confirmation,
            }
            for row in rows
        ],
    }


def _checklist(request: Request, execution: Execution) -> list[dict[str, Any]]:
    answers = current_answers(request)
    backup = execution.steps.filter(name="backup", state=RunState.DONE).first()
    lines: list[dict[str, Any]] = []
    for item in ITEMS:
        line: dict[str, Any] = {"item": item.key, "title": item.title}
        given = answers.get(item.key)
        if item.by_worker and backup is not None:
            evidence = {key: backup.evidence[key] for key in ("name", "sha256", "tables", "rows")}
            line |= {"answered_by": backup.worker, "answered_at": moment(backup.finished_at), "evidence": evidence}
        elif given is not None:
            line |= {
                "answered_by": person_in(given.person),
                "answered_at": moment(given.answered_at),
                "evidence": evidence_of(given),
            }
        else:
            line |= {"answered_by": None, "evidence": None}
        lines.append(line)
    return lines


def _incidents(request: Request) -> list[dict[str, Any]]:
    rows = SecurityIncident.objects.filter(request=request).select_related("logged_by").order_by("id")
    return [
        {
            "reference": row.reference,
            "justification": row.justification,
            "logged_by": person_in(row.logged_by),
            "logged_at": moment(row.logged_at),
        }
        for row in rows
    ]


def _execution(execution: Execution) -> dict[str, Any]:
    return {
        "id": execution.pk,
        "number": execution.number,
        "started_by": person_in(execution.started_by),
        "started_at": moment(execution.started_at),
    }


def _step(run: StepRun) -> dict[str, Any]:
    return {
        "name": run.name,
        "attempt": run.attempt,
        "observed": run.observed,
        "worker": run.worker,
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
        "evidence": run.evidence,
    }


def _trail(request: Request) -> list[dict[str, Any]]:
    """Return the facts about this request up to its last vote and move: number, digest, action and time."""
    rows = Fact.objects.filter(subject=subject_of(request.pk)).exclude(action__startswith="step.")
    return [
        {"seq": row.seq, "action": row.action, "at": json.loads(row.line)["at"], "digest": row.digest}
        for row in rows.order_by("seq")
    ]
