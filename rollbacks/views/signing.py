"""Signing a plan: everything that is signed is on the page, and the person confirms the vote at that moment."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from approvals.models import Case
from approvals.policy import Choice
from approvals.services import VoteRefused, open_case_of
from approvals.step_up import NotConfirmed
from records.chain import sha256
from rollbacks.checklist import Item, asked
from rollbacks.forms import CommentForm, SignForm, TakeBackForm
from rollbacks.models import Answer, Request, Revision
from rollbacks.plan import Plan
from rollbacks.proof_view import signed_proof
from rollbacks.services import signing
from rollbacks.services.moves import Refused, subject_of
from rollbacks.services.reading import current_answers
from rollbacks.stale_page import stale_page
from rollbacks.views import votes
from rollbacks.views.doors import door

# Longer SQL is opened whole by a second press; a part of it can be read, and not signed.
LINES_AT_FIRST = 400


@sensitive_post_parameters("code", "assertion")
@require_http_methods(["GET", "HEAD", "POST"])
@door
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the whole plan with its digest and take the vote on exactly that digest."""
    found = _find(pk)
    case = open_case_of(subject_of(pk))
    form = SignForm(request.POST or None)
    if request.method != "POST":
        return _page(request, found, _open(case), form)
    if votes.too_many(request):
        return render(request, "429.html", status=429)
    stale = _stale(request, found, case)
    if stale is not None:
        return stale
    if not form.is_valid():
        return _page(request, found, _open(case), form)
    try:
        _refuse_unread(found, form.cleaned_data)
        _vote(request, pk, form.cleaned_data)
    except (VoteRefused, NotConfirmed) as refusal:
        # An edit may have been committed since the case was read above.
        case = open_case_of(subject_of(pk))
        return _stale(request, found, case) or _page(request, found, _open(case), form, refusal)
    messages.success(request, _("Your vote is kept."))
    return redirect("request", pk=pk)


@require_POST
@door
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the options with which the browser asks a passkey to sign this vote, as JSON, or sentences."""
    found = _find(pk)
    return votes.begin(request, subject_of(pk), refuse=partial(_refuse_unread, found))


def _page(
    request: HttpRequest, found: Request, case: Case, form: SignForm, refusal: Exception | None = None
) -> HttpResponse:
    revision = get_object_or_404(Revision, request=found, digest=case.digest)
    plan = Plan.of(revision.plan or {})
    lines = plan.file.text.splitlines(keepends=True)
    whole = len(lines) <= LINES_AT_FIRST or "all" in request.GET or request.method == "POST"
    shown = plan.file.text if whole else "".join(lines[:LINES_AT_FIRST])
    context = {
        "rollback": found,
        "plan": plan,
        "proof": signed_proof(revision.plan or {}),
        "document": json.dumps(plan.document(), indent=1, sort_keys=True, ensure_ascii=False),
        "shown": shown,
        "shown_sha256": sha256(shown),
        "lines": len(lines),
        "lines_at_first": LINES_AT_FIRST,
        "whole": whole,
        "checklist": _checklist(found, revision),
        **votes.vote_context(case, request.user, form, refusal),
    }
    return render(request, "rollbacks/sign.html", context, status=409 if refusal else 200)


def _stale(request: HttpRequest, found: Request, case: Case | None) -> HttpResponse | None:
    """Return the page that says what changed, when the posted digest is not the one that can be signed now."""
    seen = request.POST.get("digest", "")
    if case is not None and case.digest == seen:
        return None
    changes = stale_page(found, seen)
    # The digest was signable until now: the case is closed because the votes decided, and nothing changed.
    if changes is not None and case is None and not changes.fields and not changes.sql:
        changes = None
    context = {"rollback": found, "case": case, "changes": changes, "back": reverse("request", args=[found.pk])}
    return render(request, "rollbacks/stale.html", context, status=409)


def _refuse_unread(found: Request, given: Mapping[str, Any]) -> None:
    revision = Revision.objects.filter(request=found, digest=given["digest"]).first()
    if revision is None or (revision.plan or {})["file"]["sha256"] != given["shown"]:
        raise VoteRefused(
            _("You have not opened all of the SQL; it is on this page now: read it to its end, then sign.")
        )


def _vote(request: HttpRequest, pk: int, given: Mapping[str, Any]) -> None:
    signing.sign_off(
        request.user,
        pk,
        role=given["role"],
        choice=Choice(given["choice"]),
        reason=given["reason"],
        digest_seen=given["digest"],
        confirmation=votes.confirmation_of(request, votes.statement_of(request, subject_of(pk), given), given),
    )


def _open(case: Case | None) -> Case:
    if case is None:
        raise Refused(_("Nothing waits for a signature here; open the request again to see its state."))
    return case


def _find(pk: int) -> Request:
    return get_object_or_404(Request.objects.select_related("target", "author"), pk=pk)


def _checklist(found: Request, revision: Revision) -> list[tuple[Item, Answer | None]]:
    answers = current_answers(found)
    return [(item, answers.get(item.key)) for item in asked(production_incident=revision.production_incident)]


@require_POST
@door
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one's own vote back, with a reason."""
    _find(pk)
    form = TakeBackForm(request.POST)
    if not form.is_valid():
        raise Refused(_("The form was incomplete; open the request again."))
    given = form.cleaned_data
    signing.take_back_vote(request.user, pk, reason=given["reason"], digest_seen=given["digest"])
    messages.success(request, _("Your vote is taken back. It stays in the history, and you may vote once more."))
    return redirect("request", pk=pk)


@require_POST
@door
def comment(request: HttpRequest, pk: int) -> HttpResponse:
    """Say something about the plan."""
    _find(pk)
    form = CommentForm(request.POST)
    if not form.is_valid():
        raise Refused(_("A comment needs words; go back and write them."))
    signing.comment(request.user, pk, **form.cleaned_data)
    messages.success(request, _("Comment kept."))
    return redirect("request", pk=pk)
