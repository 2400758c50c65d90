"""Notifying on-call from the portal, and keeping the delivery as the checklist's evidence once it has left."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC
from typing import Any

from django.utils.translation import gettext as _

from approvals.roles import REQUESTING_ROLES, may
from approvals.standing import name_of
from notices.doorbell import ring_on_commit
from notices.kinds import ON_CALL
from notices.models import DAILY, EMAIL, OUTGOING, WAITING, Delivery, Notice
from records import trail
from records.models import Fact
from records.trail import Facts
from rollbacks.models import Request
from rollbacks.services import requests
from rollbacks.services.moves import NotAllowed, Refused, lock_request, subject_of
from rollbacks.states import State

CHANNEL_WORDS = {EMAIL: "e-mail", DAILY: "e-mail", OUTGOING: "the operator's channel"}


@dataclass(frozen=True)
class OnCallState:
    """Whether on-call was asked for, whether that is still under way, and its deliveries once there are any."""

    asked: bool
    waiting: bool = False
    notice: Notice | None = None
    deliveries: tuple[Delivery, ...] = ()


def ask_on_call(actor: Any, request_id: int) -> None:
    """Have on-call told of the request; the delivery becomes the item's evidence once it has left.

    Raises NotAllowed for people who may not file requests, Refused unless the request is a draft: an answer
    in review would make votes void at a moment that nobody chose.
    """
    if not may(actor, REQUESTING_ROLES):
        raise NotAllowed("Only engineers, the platform team and on-call may notify on-call about a request.")
    with trail.recording(actor) as facts:
        request = lock_request(request_id)
        if request.state != State.DRAFT:
            raise Refused(
                f"{request} is {request.state.replace('_', ' ')}; on-call is notified from here while it is a draft. "
                "Tell them another way, or edit the request first."
            )
        facts.add("on_call.asked", subject_of(request.pk), revision=request.revisions.count())
        ring_on_commit()


def keep_evidence(facts: Facts, delivery: Delivery) -> None:
    """Answer the checklist with the first delivery of on-call's notice that left; never touch a request in review."""
    notice = delivery.notice
    if notice.kind != ON_CALL or notice.actor is None or notice.evidence is not None:
        return
    pk = int(notice.subject.partition(":")[2])
    request = lock_request(pk)
    # Whoever locks the notice first keeps the evidence; the others find it kept.
    fresh = Notice.objects.select_for_update().get(pk=notice.pk)
    if request.state != State.DRAFT or fresh.evidence is not None or not may(notice.actor, REQUESTING_ROLES):
        return
    answer = requests.answer(notice.actor, pk, item="on_call", text=_evidence_text(delivery))
    Notice.objects.filter(pk=notice.pk).update(evidence=answer.pk)
    facts.add("on_call.notified", notice.subject, delivery=delivery.pk, answer=answer.pk)


def on_call_state(request: Request) -> OnCallState:
    """Return how far notifying on-call got the last time that somebody asked for it."""
    subject = subject_of(request.pk)
    asked = Fact.objects.filter(subject=subject, action="on_call.asked").order_by("-seq").first()
    if asked is None:
        return OnCallState(asked=False)
    notice = Notice.objects.filter(key=f"fact:{asked.seq}").first()
    if notice is None:
        return OnCallState(asked=True, waiting=True)
    deliveries = tuple(Delivery.objects.filter(notice=notice).select_related("person").order_by("pk"))
    waiting = any(each.state in WAITING for each in deliveries)
    return OnCallState(True, waiting and notice.evidence is None, notice, deliveries)


def _evidence_text(delivery: Delivery) -> str:
    sent = delivery.sent_at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if delivery.sent_at else ""
    whom = delivery.recipient if delivery.person is None else name_of(delivery.person)
    return _("The portal notified on-call (%(whom)s) by %(channel)s at %(at)s; delivery %(delivery)s.") % {
        "whom": whom, "channel": CHANNEL_WORDS[delivery.channel], "at": sent, "delivery": delivery.pk
    }  # fmt: skip
