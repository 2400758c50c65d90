"""What a notice is about: a fact of the trail, or a moment that came, with the request as it stands now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from approvals.models import Case
from approvals.policy import Decision, Policy
from approvals.services import decision_on
from records.models import Fact
from records.trail import detail_of
from recoveries.models import Recovery
from rollbacks.models import FollowUp, Request, Revision
from rollbacks.proof_view import ProofView, signed_proof


@dataclass(frozen=True)
class Cause:
    """Why somebody is told something. `key` is unique per cause; what it reads, it reads once and when asked."""

    key: str
    action: str
    subject: str
    detail: Mapping[str, Any]
    at: datetime
    actor: Any = None

    @classmethod
    def of_fact(cls, fact: Fact) -> Cause:
        """Return the cause that a fact is."""
        return cls(f"fact:{fact.seq}", fact.action, fact.subject, detail_of(fact), fact.at, fact.actor)

    @cached_property
    def request(self) -> Request | None:
        """The request that it is about, or None when it is about something else."""
        kind, _, pk = self.subject.partition(":")
        if kind != "request" or not pk.isdecimal():
            return None
        return Request.objects.select_related("target", "author").filter(pk=int(pk)).first()

    @cached_property
    def follow_up(self) -> FollowUp | None:
        """The follow-up that it is about, or None when it is about something else."""
        kind, _, pk = self.subject.partition(":")
        if kind != "follow-up" or not pk.isdecimal():
            return None
        return FollowUp.objects.select_related("target").filter(pk=int(pk)).first()

    @cached_property
    def recovery(self) -> Recovery | None:
        """The recovery that it is about, or None when it is about something else."""
        kind, _, pk = self.subject.partition(":")
        if kind != "recovery" or not pk.isdecimal():
            return None
        return Recovery.objects.select_related("target", "author").filter(pk=int(pk)).first()

    @cached_property
    def case(self) -> Case | None:
        """The case of the digest that the fact names, otherwise the newest case about the subject."""
        cases = Case.objects.filter(subject=self.subject)
        digest = self.detail.get("digest")
        return (cases.filter(digest=digest) if digest else cases).order_by("-id").first()

    @cached_property
    def decision(self) -> Decision | None:
        """What is decided on the case at this moment; None without a case, and for one that is closed."""
        return decision_on(self.case) if self.case is not None and self.case.closed_at is None else None

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """The roles whose signature is missing at this moment."""
        if self.decision is None:
            return ()
        return tuple(dict.fromkeys(role for need in self.decision.missing for role in need.roles))

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The plan that the case is about, as it was signed or is to be; empty when there is none."""
        if self.request is None or self.case is None:
            return {}
        found = Revision.objects.filter(request=self.request, digest=self.case.digest).order_by("-number").first()
        return dict(found.plan or {}) if found else {}

    @cached_property
    def proof(self) -> ProofView:
        """What was seen when the plan was tried."""
        return signed_proof(self.plan)


def expires_at(case: Case) -> datetime | None:
    """Return when the case can be approved no more, by the rule that was frozen into it; None for never."""
    return Policy.of(case.policy).expires(case.opened_at)
