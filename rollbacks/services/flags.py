"""Feature flags of a request: having a worker ask for them, and keeping what it saw as the checklist's answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, OuterRef
from django.db.models.functions import Now

from approvals.roles import REQUESTING_ROLES, may
from records import trail
from rollbacks import doorbell
from rollbacks.models import Answer, FlagCheck, Request
from rollbacks.services.moves import NotAllowed, Refused, lock_request, subject_of
from rollbacks.services.requests import answer
from rollbacks.states import State

ITEM = "feature_flags"


def ask_flags(actor: Any, request_id: int) -> FlagCheck:
    """Have a worker ask the target's flags; when each is as expected, that becomes the item's answer.

    Raises NotAllowed for people who may not file requests, Refused unless the request is a draft (an answer in review
    would make votes void at a moment that nobody chose) and its target has flags to ask for.
    """
    if not may(actor, REQUESTING_ROLES):
        raise NotAllowed("Only engineers, the platform team and on-call may have the flags of a request checked.")
    with trail.recording(actor) as facts:
        request = lock_request(request_id)
        if request.state != State.DRAFT:
            raise Refused(
                f"{request} is {request.state.replace('_', ' ')}; flags are checked from here while it is a draft. "
                "They are asked for once more before anything is changed."
            )
        if not request.target.flags:
            raise Refused(
                f"{request.target.title} has no flags that a worker could ask for; say how they were checked."
            )
        check = FlagCheck.objects.create(request=request, asked_by=actor)
        facts.add("flags.asked", subject_of(request.pk), check=check.pk)
        doorbell.ring_flags_on_commit(check.pk)
        return check


def waiting_checks() -> list[int]:
    """Return the checks that no worker has finished, for the sweep to ring again."""
    return list(FlagCheck.objects.filter(finished_at__isnull=True).order_by("pk").values_list("pk", flat=True)[:100])


def keep_flags(check_id: int, *, seen: Sequence[dict[str, Any]], sentence: str = "") -> None:
    """Keep what a worker saw, once; every flag as expected answers the item in the name of whoever asked.

    `sentence` says why nothing could be seen. Nothing is answered when the request is no draft any more.
    """
    check = FlagCheck.objects.select_related("request", "asked_by").get(pk=check_id)
    with trail.recording(None) as facts:
        request = lock_request(check.request_id)
        open_one = FlagCheck.objects.filter(pk=check_id, finished_at__isnull=True)
        if open_one.update(finished_at=Now(), seen=list(seen), sentence=sentence) != 1:
            return
        good = bool(seen) and not sentence and all(each["as_expected"] for each in seen)
        facts.add("flags.seen", subject_of(request.pk), check=check_id, seen=list(seen), sentence=sentence)
        if good and request.state == State.DRAFT and may(check.asked_by, REQUESTING_ROLES):
            given = answer(check.asked_by, request.pk, item=ITEM, text=_evidence_text(seen))
            FlagCheck.objects.filter(pk=check_id).update(answer=given)


def answered_by_worker(given: Answer | None) -> bool:
    """Tell whether this answer is what a worker saw, so that it is asked again before anything is changed."""
    return given is not None and FlagCheck.objects.filter(answer=given).exists()


def newest_check(request: Request) -> FlagCheck | None:
    """Return the newest check of the request's flags, with whether it became the answer that counts."""
    newer = Answer.objects.filter(request=request, item=ITEM, pk__gt=OuterRef("answer_id"))
    return FlagCheck.objects.filter(request=request).annotate(replaced=Exists(newer)).order_by("-pk").first()


def _evidence_text(seen: Sequence[dict[str, Any]]) -> str:
    found = "\n".join(f"{each['pointer']} is {each['found']}, as expected" for each in seen)
    return f"A worker asked the flags' own address:\n{found}"
