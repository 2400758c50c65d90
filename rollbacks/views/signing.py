"""Signing a plan: everything that is signed is on the page, and the password is asked again."""

from __future__ import annotations

from datetime import UTC, datetime

from allauth.core import ratelimit
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from approvals.policy import Choice
from approvals.services import VoteRefused, decision_on, objection_to, open_case_of, open_roles
from portal.templatetags.wording import ROLES as WORDS
from portal.templatetags.wording import label_of
from rollbacks.checklist import Item, asked
from rollbacks.forms import CommentForm, SignForm, TakeBackForm
from rollbacks.models import Answer, Request, Revision
from rollbacks.plan import Plan
from rollbacks.proof_view import signed_proof
from rollbacks.services.moves import Refused, subject_of
from rollbacks.services.reading import current_answers
from rollbacks.services.signing import comment as add_comment
from rollbacks.services.signing import sign_off, take_back_vote
from rollbacks.views.doors import door


@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
@door
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the whole plan with its digest and take the vote on exactly that digest."""
    found = get_object_or_404(Request.objects.select_related("target", "author"), pk=pk)
    case = open_case_of(subject_of(pk))
    if case is None:
        raise Refused(_("Nothing waits for a signature here; open the request again to see its state."))
    revision = get_object_or_404(Revision, request=found, digest=case.digest)
    roles = open_roles(case, decision_on(case), request.user)
    refused = ""
    form = _form(request, case.digest, roles)
    if request.method == "POST" and not ratelimit.consume(request, action="reauthenticate", user=request.user):
        return render(request, "429.html", status=429)
    if request.method == "POST" and form.is_valid():
        try:
            _vote(request, pk, form)
        except VoteRefused as refusal:
            refused = str(refusal)
        else:
            messages.success(request, _("Your vote is kept."))
            return redirect("request", pk=pk)
    context = {
        "rollback": found,
        "revision": revision,
        "plan": Plan.of(revision.plan or {}),
        "proof": signed_proof(revision.plan or {}),
        "case": case,
        "roles": roles,
        "objection": objection_to(case, request.user),
        "checklist": _checklist(found, revision),
        "form": form,
        "refused": refused,
    }
    return render(request, "rollbacks/sign.html", context, status=409 if refused else 200)


def _checklist(found: Request, revision: Revision) -> list[tuple[Item, Answer | None]]:
    answers = current_answers(found)
    return [(item, answers.get(item.key)) for item in asked(production_incident=revision.production_incident)]


def _form(request: HttpRequest, digest: str, roles: tuple[str, ...]) -> SignForm:
    initial = {"digest": digest, "role": roles[0] if roles else ""}
    form = SignForm(request.POST or None, user=request.user, initial=initial)
    if request.method != "POST":
        form.fields["role"].choices = [(role, label_of(WORDS, role)) for role in roles]
    return form


def _vote(request: HttpRequest, pk: int, form: SignForm) -> None:
    """The password was checked by the form a moment ago, in this request and for this digest only."""
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


@require_POST
@door
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own vote back, with a reason."""
    get_object_or_404(Request, pk=pk)
    form = TakeBackForm(request.POST)
    if not form.is_valid():
        raise Refused(_("The form was incomplete; open the request again."))
    take_back_vote(request.user, pk, reason=form.cleaned_data["reason"], digest_seen=form.cleaned_data["digest"])
    messages.success(request, _("Your vote is taken back. It stays in the history, and you may vote once more."))
    return redirect("request", pk=pk)


@require_POST
@door
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something about the plan."""
    get_object_or_404(Request, pk=pk)
    form = CommentForm(request.POST)
    if not form.is_valid():
        raise Refused(_("A comment needs words; go back and write them."))
    add_comment(request.user, pk, **form.cleaned_data)
    messages.success(request, _("Comment kept."))
    return redirect("request", pk=pk)
