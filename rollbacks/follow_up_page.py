"""What the page of a follow-up shows, and its acceptance as a document for auditors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from approvals.models import Case
from approvals.policy import Decision
from approvals.roles import roles_of
from approvals.services import cases_of, decision_on, open_roles
from records.models import Fact
from rollbacks.history import sign_off_of
from rollbacks.models import FollowUp
from rollbacks.request_page import Chip, chips_of
from rollbacks.reversal.immutability import Protection
from rollbacks.services.follow_ups import subject_of

TIMELINE = 100


@dataclass(frozen=True)
class FollowUpPage:
    """One follow-up: what is gone, whether its acceptance waits for signatures, and what the viewer can do."""

    follow_up: FollowUp
    removed: tuple[Protection, ...]
    case: Case | None
    decision: Decision | None
    chips: tuple[Chip, ...]
    may_sign: bool
    may_propose: bool
    timeline: tuple[dict[str, Any], ...]


def follow_up_page(follow_up: FollowUp, person: Any) -> FollowUpPage:
    """Return the page's reading for this viewer."""
    case = cases_of([subject_of(follow_up.pk)]).filter(closed_at__isnull=True).first()
    decision = decision_on(case) if case else None
    roles = open_roles(case, decision, person) if case and decision and not follow_up.closed_at else ()
    facts = Fact.objects.filter(subject=subject_of(follow_up.pk)).order_by("-seq")[:TIMELINE]
    return FollowUpPage(
        follow_up=follow_up,
        removed=tuple(Protection.of(each) for each in follow_up.removed),
        case=case,
        decision=decision,
        chips=chips_of(case, decision, roles),
        may_sign=bool(roles),
        may_propose=not follow_up.closed_at and bool(roles_of(person)),
        timeline=tuple({"fact": row, **json.loads(row.line)} for row in facts),
    )


def acceptance_document(follow_up: FollowUp, case: Case) -> dict[str, Any]:
    """Return the acceptance with its votes, as tools/verify_signature.py checks it without the portal."""
    statement: Mapping[str, Any] = follow_up.acceptance or {}
    return {
        "format": "rollback-acceptance-record/1",
        "subject": subject_of(follow_up.pk),
        "outcome": follow_up.outcome or "open",
        "statement": dict(statement),
        "digest": case.digest,
        "sign_off": sign_off_of(case),
    }
