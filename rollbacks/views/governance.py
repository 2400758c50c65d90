"""The policy page with its tester, and the emergencies with their reviews."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.models import Review
from approvals.reviews import ReviewRefused, finish, objection, take_on
from approvals.services import database_time
from records.paging import key_in, page_of
from rollbacks.emergencies import emergency_counts
from rollbacks.forms import ReviewForm, TraitsForm
from rollbacks.policy_page import policy_page
from rollbacks.services.moves import Refused
from rollbacks.views.doors import door


@require_safe
@door
def policy(request: HttpRequest) -> HttpResponse:
    """Who has to sign what, in words, and which rule would catch the rollback described in the form."""
    form = TraitsForm(request.GET or None)
    traits = form.traits if form.is_bound and form.is_valid() else None
    return render(request, "rollbacks/policy.html", {"page": policy_page(traits), "form": form})


@require_safe
@door
def emergencies(request: HttpRequest) -> HttpResponse:
    """Every time the glass was broken, newest first, with its review."""
    before = key_in(request.GET.get("before", ""))
    rows, following = page_of(Review.objects.select_related("used_by", "owner", "done_by"), before)
    context = {
        "reviews": [(row, objection(row, request.user)) for row in rows],
        "following": following,
        "counts": emergency_counts(),
        "now": database_time(),
        "newest": before is None,
    }
    return render(request, "rollbacks/emergencies.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door
def review(request: HttpRequest, pk: int) -> HttpResponse:
    """One emergency and its review: what was done, why it could not wait, and what the reviewer found."""
    found = get_object_or_404(Review.objects.select_related("used_by", "owner", "done_by"), pk=pk)
    form = ReviewForm(request.POST or None)
    refused = ""
    if request.method == "POST" and form.is_valid():
        try:
            finish(request.user, pk, justified=form.justified, finding=form.cleaned_data["finding"])
        except ReviewRefused as refusal:
            refused = str(refusal)
        else:
            messages.success(request, _("The review is kept."))
            return redirect("emergency", pk=pk)
    context = {
        "review": found,
        "about": _page_of(found.subject),
        "objection": objection(found, request.user),
        "overdue": found.done_at is None and found.due_at < database_time(),
        "form": form,
        "refused": refused,
    }
    return render(request, "rollbacks/emergency.html", context, status=409 if refused else 200)


def _page_of(subject: str) -> str:
    """Return the address of the request or the recovery that an emergency was about."""
    kind, _colon, pk = subject.partition(":")
    return reverse("recovery" if kind == "recovery" else "request", args=[pk])


@require_POST
@door
def own(request: HttpRequest, pk: int) -> HttpResponse:
    """Become the owner of a review."""
    get_object_or_404(Review, pk=pk)
    try:
        take_on(request.user, pk)
    except ReviewRefused as refusal:
        raise Refused(str(refusal)) from refusal
    messages.success(request, _("The review is yours. Write what you found before it is due."))
    return redirect("emergency", pk=pk)
