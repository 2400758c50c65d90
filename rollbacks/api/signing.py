"""Cases and votes. A vote is the person's own, in the browser's session; no token can give one."""

from __future__ import annotations

from allauth.core import ratelimit
from django.http import HttpRequest
from ninja import Router

from approvals.models import Case
from approvals.policy import Choice
from approvals.services import VoteRefused, decision_on, objection_to, open_case_of, open_roles
from approvals.step_up import NotConfirmed
from rollbacks.api.bodies import Ballot
from rollbacks.api.callers import READS, VOTES
from rollbacks.api.case_answers import CaseAnswer, Cases, ClosedCase
from rollbacks.api.problems import Problem
from rollbacks.api.repeating import DOCUMENTED, repeatable
from rollbacks.api.requests import find, page_of
from rollbacks.models import Revision
from rollbacks.request_page import difference
from rollbacks.services import signing
from rollbacks.services.moves import Refused, subject_of
from rollbacks.services.reading import current_revision

router = Router(tags=["signing"])


@router.get("/requests/{int:pk}/case", response=Cases, auth=READS)
def read_case(request: HttpRequest, pk: int) -> Cases:
    """Who has to sign which digest, who has, and what that decides; closed cases as history."""
    page = page_of(request, pk)
    return Cases(
        open=_case(request, page.case) if page.case else None,
        closed=[ClosedCase.of(case, rows) for case, rows in page.closed_cases],
    )


@router.post("/requests/{int:pk}/votes", response=CaseAnswer, auth=VOTES, openapi_extra=DOCUMENTED)
@repeatable(200)
def vote(request: HttpRequest, pk: int, body: Ballot) -> CaseAnswer:
    """Vote on exactly the digest that was shown, with a code of your authenticator; only in a session, never with a token.

    When the plan is another one by now, nothing is kept and the problem's `changed` says what changed. A passkey signs
    on the page only, because the browser asks for it there.
    """
    find(pk)
    case = open_case_of(subject_of(pk))
    if case is None:
        raise Refused("Nothing waits for a signature here; read the request again to see its state.")
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        raise Problem("too-many", "Too many attempts; wait some minutes, then try again.")
    try:
        _sign(request, pk, body)
    except (VoteRefused, NotConfirmed) as refusal:
        changed = _changed_since(pk, body.digest)
        if changed is None:
            raise VoteRefused(str(refusal)) from refusal
        raise Problem("stale", str(refusal), changed=changed) from refusal
    return _case(request, case)


def _sign(request: HttpRequest, pk: int, body: Ballot) -> None:
    said = {"role": body.role, "choice": body.choice, "reason": body.reason}
    statement = signing.statement_of(request.user, pk, digest=body.digest, **said)
    code = body.code.get_secret_value()
    signing.sign_off(
        request.user,
        pk,
        role=body.role,
        choice=Choice(body.choice),
        reason=body.reason,
        digest_seen=body.digest,
        confirmation=signing.confirm(request.user, statement, code=code, challenge=0, response=None),
    )


def _changed_since(pk: int, digest: str) -> str | None:
    """Return what changed since the plan with this digest; None when it was never a plan or still is the one."""
    seen = Revision.objects.filter(request_id=pk, digest=digest).first()
    newest = current_revision(find(pk))
    case = open_case_of(subject_of(pk))
    if seen is None or (case is not None and case.digest == digest):
        return None
    return difference(seen, newest)


def _case(request: HttpRequest, case: Case) -> CaseAnswer:
    decision = decision_on(case)
    return CaseAnswer.of(
        case, decision, roles=open_roles(case, decision, request.user), objection=objection_to(case, request.user)
    )
