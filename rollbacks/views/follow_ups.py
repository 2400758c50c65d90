"""Follow-ups: what rollbacks that removed audit immutability left to do, and the signing of an acceptance."""

from __future__ import annotations

import json
from functools import partial

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.models import Case
from approvals.services import open_case_of
from records.paging import key_in
from rollbacks import follow_up_page as reading
from rollbacks import queries
from rollbacks.forms import AcceptanceForm, SignForm
from rollbacks.models import FollowUp
from rollbacks.services import follow_ups
from rollbacks.services.moves import Refused
from rollbacks.views import votes
from rollbacks.views.doors import door


@require_safe
@door
def follow_up_list(request: HttpRequest) -> HttpResponse:
    """Every follow-up, newest first."""
    rows, following = queries.follow_up_rows(key_in(request.GET.get("before", "")))
    return render(request, "rollbacks/follow_up_list.html", {"follow_ups": rows, "following": following})


@require_http_methods(["GET", "HEAD", "POST"])
@door
def follow_up(request: HttpRequest, pk: int) -> HttpResponse:
    """One follow-up: what is gone and how it ends; a POST proposes to accept that it stays away."""
    found = _find(pk)
    form, refused = AcceptanceForm(request.POST or None), ""
    if request.method == "POST" and form.is_valid():
        try:
            follow_ups.propose_acceptance(request.user, pk, justification=form.cleaned_data["justification"])
        except Refused as refusal:
            refused = str(refusal)
        else:
            messages.success(request, _("Security and the CTO are asked to sign exactly these words."))
            return redirect("follow-up", pk=pk)
    page = reading.follow_up_page(found, request.user)
    context = {"page": page, "form": form, "refused": refused}
    return render(request, "rollbacks/follow_up.html", context, status=409 if refused else 200)


@sensitive_post_parameters("code", "assertion")
@require_http_methods(["GET", "HEAD", "POST"])
@door
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the whole statement with its digest and take the vote on exactly that digest."""
    _find(pk)
    return votes.take(
        request,
        follow_ups.subject_of(pk),
        page=partial(_sign_page, request, pk),
        sign=partial(follow_ups.sign_acceptance, request.user, pk),
        nothing=_("Nothing waits for a signature here; open the follow-up again to see its state."),
        back=reverse("follow-up", args=[pk]),
    )


@require_POST
@door
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the options with which the browser asks a passkey to sign this vote, as JSON, or sentences."""
    _find(pk)
    return votes.begin(request, follow_ups.subject_of(pk))


@require_safe
@door
def acceptance(request: HttpRequest, pk: int) -> HttpResponse:
    """The acceptance with its votes as a file that can be checked without the portal."""
    found = _find(pk)
    case = open_case_of(follow_ups.subject_of(pk))
    if case is None:
        raise Http404
    document = json.dumps(reading.acceptance_document(found, case), ensure_ascii=False, indent=1, sort_keys=True)
    response = HttpResponse(document, content_type="application/json; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="follow-up-{pk}-acceptance.json"'
    return response


def _sign_page(request: HttpRequest, pk: int, case: Case, form: SignForm, refusal: Exception | None) -> HttpResponse:
    found = _find(pk)
    context = {
        "follow_up": found,
        "statement": found.acceptance,
        "document": json.dumps(found.acceptance, indent=1, sort_keys=True, ensure_ascii=False),
        **votes.vote_context(case, request.user, form, refusal),
    }
    return render(request, "rollbacks/follow_up_sign.html", context, status=409 if refusal else 200)


def _find(pk: int) -> FollowUp:
    return get_object_or_404(FollowUp.objects.select_related("target", "execution__request"), pk=pk)
