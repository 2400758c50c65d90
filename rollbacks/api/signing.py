"""Cases and votes. A vote is the person's own, in the browser's session; no token can give one."""

from __future__ import annotations

from datetime import UTC, datetime

from allauth.core import ratelimit
from django.http import HttpRequest
from ninja import Router

from approvals.models import Case
from approvals.policy import Choice
from approvals.services import VoteRefused, decision_on, objection_to, open_case_of, open_roles
from rollbacks.api.bodies import Ballot
from rollbacks.api.callers import READS, VOTES
from rollbacks.api.case_answers import CaseAnswer, Cases, ClosedCase
from rollbacks.api.problems import Problem, invalid
from rollbacks.api.repeating import DOCUMENTED, repeatable
from rollbacks.api.requests import find, page_of
from rollbacks.forms import SignForm
from rollbacks.models import Revision
from rollbacks.request_page import difference
from rollbacks.services.moves import Refused, subject_of
from rollbacks.services.reading import current_revision
from rollbacks.services.signing import sign_off

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
    """Vote on exactly the digest that was shown, with the password again; only in a session, never with a token.

    When the plan is another one by now, nothing is kept and the problem's `changed` says what changed.
    """
    find(pk)
    case = open_case_of(subject_of(pk))
    if case is None:
        raise Refused("Nothing waits for a signature here; read the request again to see its state.")
    form = _confirmed(request, body)
    try:
        sign_off(
            request.user,
            pk,
            role=form.cleaned_data["role"],
            choice=Choice(form.cleaned_data["choice"]),
            reason=form.cleaned_data["reason"],
            digest_seen=form.cleaned_data["digest"],
            method="password",
            reauthenticated_at=datetime.now(UTC),
        )
    except VoteRefused as refusal:
        changed = _changed_since(pk, body.digest)
        if changed is None:
            raise
        raise Problem("stale", str(refusal), changed=changed) from refusal
    return _case(request, case)


def _confirmed(request: HttpRequest, body: Ballot) -> SignForm:
    """Return the form of the sign page, valid; it checks the password in this request, for this digest only."""
    if not ratelimit.consume(request, action="reauthenticate", user=request.user):
        raise Problem("too-many", "Too many attempts; wait some minutes, then try again.")
    sent = {**body.model_dump(exclude={"password"}), "password": body.password.get_secret_value()}
    form = SignForm(sent, user=request.user)
    if not form.is_valid():
        raise invalid([(name, str(error)) for name, errors in form.errors.items() for error in errors])
    return form


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
