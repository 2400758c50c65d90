"""What the pages that take a vote share: the form's context, a passkey's options, and confirming the vote at that moment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from allauth.core import ratelimit
from allauth.mfa.adapter import get_adapter
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from approvals.models import Case
from approvals.policy import Choice
from approvals.services import VoteRefused, decision_on, objection_to, open_roles
from approvals.step_up import Confirmation, NotConfirmed, Statement, factors_of
from portal.templatetags.wording import ROLES as WORDS
from portal.templatetags.wording import label_of
from rollbacks.forms import SignForm
from rollbacks.services import signing


def too_many(request: HttpRequest) -> bool:
    """Count one try of this person and tell whether they have had too many in the last minute."""
    return not ratelimit.consume(request, action="reauthenticate", user=request.user)


def vote_context(case: Case, person: Any, form: SignForm, refusal: Exception | None) -> dict[str, Any]:
    """Return what components/vote.html needs to offer this person a vote on the case, or to say why it does not."""
    decision = decision_on(case)
    roles = open_roles(case, decision, person)
    if not form.is_bound:
        form.initial = {"digest": case.digest, "role": roles[0] if roles else ""}
        form.fields["role"].choices = [(role, label_of(WORDS, role)) for role in roles]  # type: ignore[attr-defined]
    return {
        "case": case,
        "roles": roles,
        "missing": tuple(dict.fromkeys(role for need in decision.missing for role in need.roles)),
        "factors": factors_of(person),
        "objection": objection_to(case, person),
        "form": form,
        "refused": str(refusal) if refusal else "",
        "enrol": reverse(refusal.link) if isinstance(refusal, NotConfirmed) and refusal.link else "",
    }


def passkey_options(request: HttpRequest, case: Case, statement: Statement, given: Mapping[str, Any]) -> JsonResponse:
    """Answer the options with which the browser asks a passkey to sign the statement.

    Raises VoteRefused or NotConfirmed: nobody is asked to touch a passkey for a vote that cannot count.
    """
    if given["role"] not in open_roles(case, decision_on(case), request.user):
        raise VoteRefused(_("No signature of yours is missing here in this role."))
    if given["choice"] == Choice.REJECT and not given["reason"].strip():
        raise VoteRefused(_("A rejection needs a reason; write what has to change."))
    asked_for = signing.begin(request.user, statement, rp_id=_rp_id())
    return JsonResponse({"challenge": asked_for.challenge, "publicKey": asked_for.options})


def confirmation_of(request: HttpRequest, statement: Statement, given: Mapping[str, Any]) -> Confirmation:
    """Return the proof of presence that the form carries, a passkey's answer or a code; raises NotConfirmed."""
    return signing.confirm(
        request.user,
        statement,
        code=given["code"],
        challenge=given["challenge"] or 0,
        response=given["assertion"],
    )


def sentences(*said: str, status: int) -> JsonResponse:
    """Answer the script of a sign page with sentences to show."""
    return JsonResponse({"sentences": said}, status=status)


def form_sentences(form: SignForm) -> JsonResponse:
    """Answer the script of a sign page with what is wrong in the form."""
    return sentences(*(str(error) for errors in form.errors.values() for error in errors), status=400)


def _rp_id() -> str:
    """Return the name that passkeys are enrolled under, from where allauth's enrolment pages have it."""
    return str(get_adapter().get_public_key_credential_rp_entity()["id"])
