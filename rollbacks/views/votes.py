"""What the pages that take a vote share: the form's context, a passkey's options, and confirming the vote at that moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from allauth.core import ratelimit
from allauth.mfa.adapter import get_adapter
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from approvals.models import Case
from approvals.policy import Choice
from approvals.services import VoteRefused, decision_on, objection_to, open_case_of, open_roles
from approvals.step_up import Confirmation, NotConfirmed, Statement, factors_of
from portal.templatetags.wording import ROLES as WORDS
from portal.templatetags.wording import label_of
from rollbacks.forms import SignForm
from rollbacks.services import signing
from rollbacks.services.moves import Refused

# Shows the case with its form, and with the refusal when there was one.
Page = Callable[[Case, SignForm, Exception | None], HttpResponse]


def statement_of(request: HttpRequest, subject: str, given: Mapping[str, Any]) -> Statement:
    """Return what the person is about to sign, from the form's cleaned fields."""
    person: Any = request.user
    return Statement(person.pk, subject, given["digest"], given["role"], given["choice"], given["reason"])


def take(
    request: HttpRequest, subject: str, *, page: Page, sign: Callable[..., object], nothing: str, back: str
) -> HttpResponse:
    """Show what is signed, or take the vote on exactly the digest that was shown and lead back.

    `sign` is given the vote as keywords, confirmation included. Raises Refused with the sentence `nothing` where no
    case is open.
    """
    form, case = SignForm(request.POST or None), _open_case(subject, nothing)
    if request.method != "POST":
        return page(case, form, None)
    if too_many(request):
        return render(request, "429.html", status=429)
    if not form.is_valid():
        return page(case, form, None)
    given = form.cleaned_data
    try:
        confirmation = confirmation_of(request, statement_of(request, subject, given), given)
        sign(
            role=given["role"], choice=Choice(given["choice"]), reason=given["reason"], digest_seen=given["digest"],
            confirmation=confirmation,
        )  # fmt: skip
    except (VoteRefused, NotConfirmed) as refusal:
        # The case may have been closed meanwhile.
        return page(_open_case(subject, nothing), form, refusal)
    messages.success(request, _("Your vote is kept."))
    return redirect(back)


def begin(
    request: HttpRequest, subject: str, *, refuse: Callable[[Mapping[str, Any]], None] = lambda given: None
) -> HttpResponse:
    """Answer the options with which the browser asks a passkey to sign this vote, as JSON, or sentences.

    `refuse` raises VoteRefused for what the page asks for beside the form.
    """
    form = SignForm(request.POST)
    if too_many(request):
        return sentences(_("Too many tries; wait a minute, then sign again."), status=429)
    case = open_case_of(subject)
    if case is None or case.digest != request.POST.get("digest"):
        # The page then posts its form as it is, and gets the page that says what changed.
        return JsonResponse({"stale": True}, status=409)
    if not form.is_valid():
        return form_sentences(form)
    given = form.cleaned_data
    try:
        refuse(given)
        return passkey_options(request, case, statement_of(request, subject, given), given)
    except (VoteRefused, NotConfirmed) as refusal:
        return sentences(str(refusal), status=409)


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


def _open_case(subject: str, nothing: str) -> Case:
    case = open_case_of(subject)
    if case is None:
        raise Refused(nothing)
    return case


def _rp_id() -> str:
    """Return the name that passkeys are enrolled under, from where allauth's enrolment pages have it."""
    return str(get_adapter().get_public_key_credential_rp_entity()["id"])
