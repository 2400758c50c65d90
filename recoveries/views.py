"""The pages of recoveries: list, open, choose, sign, and the one page that says where it stands and what can be done."""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.models import Case
from records.paging import key_in
from recoveries import recovery_page as reading
from recoveries.forms import AnswerForm, ChooseForm, CloseForm, DowntimeForm, OpenForm, WithdrawForm
from recoveries.kinds import KINDS
from recoveries.models import Recovery
from recoveries.plan import RecoveryPlan
from recoveries.services import opening, running, signing
from recoveries.services.moves import subject_of
from rollbacks.forms import SignForm
from rollbacks.models import Target
from rollbacks.services.moves import Refused
from rollbacks.views import votes
from rollbacks.views.doors import door, filers


@require_safe
@door
def recovery_list(request: HttpRequest) -> HttpResponse:
    """Every recovery, newest first."""
    rows, following = reading.recovery_rows(key_in(request.GET.get("before", "")))
    return render(request, "recoveries/recovery_list.html", {"recoveries": rows, "following": following})


@require_http_methods(["GET", "HEAD", "POST"])
@door
@filers
def new(request: HttpRequest) -> HttpResponse:
    """Open a recovery: target, provider, incident and reason."""
    targets = {each.name: each for each in Target.objects.filter(retired_at__isnull=True)}
    choices = [(name, each.title) for name, each in targets.items()]
    initial = {"target": request.GET.get("target", "")}
    form, refused = OpenForm(request.POST or None, targets=choices, initial=initial), ""
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = opening.open_recovery(
                request.user, target=targets[given["target"]], provider=given["provider"], incident=given["incident"],
                purpose=given["purpose"],
            )  # fmt: skip
        except Refused as refusal:
            refused = str(refusal)
        else:
            return redirect("recovery-choose", pk=made.pk)
    context = {"form": form, "refused": refused, "targets": targets}
    return render(request, "recoveries/new.html", context, status=409 if refused else 200)


@require_safe
@door
def recovery(request: HttpRequest, pk: int) -> HttpResponse:
    """One recovery: its state, what the viewer can do now, and what it waits for; a part of it renews itself."""
    page = reading.recovery_page(_find(pk), request.user)
    if request.headers.get("HX-Request"):
        part = render(request, "recoveries/_progress.html", {"page": page})
        if not page.polls:
            # What can be done now is elsewhere on the page.
            part["HX-Refresh"] = "true"
        return part
    found = page.recovery
    window = {"start": found.downtime_start, "end": found.downtime_end} if found.downtime_start else None
    context = {
        "page": page, "withdraw_form": WithdrawForm(), "answer_form": AnswerForm(auto_id=False),
        "downtime_form": DowntimeForm(initial=window), "close_form": CloseForm(),
    }  # fmt: skip
    return render(request, "recoveries/recovery.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door
@filers
def choose(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose the moment before the problematic migration, or the backup, and the new server's name."""
    found = _find(pk)
    offered, kind = reading.offers_for(found), KINDS[found.provider]
    backups = [(each["token"], each["title"]) for each in (found.restorable or {}).get("backups", ())]
    form = ChooseForm(
        request.POST or None, tags=[each.tag for each in offered], backups=backups, wants_backup=kind.wants_backup,
        initial=_chosen(found, request),
    )  # fmt: skip
    refused = ""
    if request.method == "POST" and form.is_valid():
        try:
            opening.choose(request.user, pk, opening.Choice(**form.cleaned_data))
        except Refused as refusal:
            refused = str(refusal)
        else:
            return redirect("recovery", pk=pk)
    context = {"recovery": found, "kind": kind, "form": form, "refused": refused, "offers": offered}
    return render(request, "recoveries/choose.html", context, status=409 if refused else 200)


@require_POST
@door
def ask_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the provider once more what it can restore."""
    _find(pk)
    opening.ask_again(request.user, pk)
    messages.success(request, _("A worker asks the provider; open this page again in a moment."))
    return redirect("recovery", pk=pk)


@require_POST
@door
def submit(request: HttpRequest, pk: int) -> HttpResponse:
    """Fix the plan and ask for signatures."""
    _find(pk)
    opening.submit(request.user, pk)
    messages.success(request, _("Everybody who can sign is asked now."))
    return redirect("recovery", pk=pk)


@require_POST
@door
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Give it up before anything is restored."""
    _find(pk)
    opening.withdraw(request.user, pk, reason=_given(WithdrawForm(request.POST))["reason"])
    messages.success(request, _("Withdrawn. Nothing was restored."))
    return redirect("recovery", pk=pk)


@require_POST
@door
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Start the approved recovery."""
    _find(pk)
    running.start(request.user, pk)
    messages.success(request, _("Started. A new server is made; production is not written to."))
    return redirect("recovery", pk=pk)


@require_POST
@door
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the worker look again and go on from what it finds."""
    _find(pk)
    running.resume(request.user, pk)
    messages.success(request, _("The worker looks again at what the provider has and goes on from there."))
    return redirect("recovery", pk=pk)


@require_POST
@door
def answer(request: HttpRequest, pk: int, item: str) -> HttpResponse:
    """Give evidence for one item."""
    _find(pk)
    given = _given(AnswerForm(request.POST))
    running.answer(request.user, pk, item=item, text=given["text"], link=given["link"])
    messages.success(request, _("Evidence kept."))
    return redirect("recovery", pk=pk)


@require_POST
@door
def downtime(request: HttpRequest, pk: int) -> HttpResponse:
    """Fix the downtime window of the cutover."""
    _find(pk)
    given = _given(DowntimeForm(request.POST))
    running.plan_downtime(request.user, pk, start=given["start"], end=given["end"])
    messages.success(request, _("The downtime window is kept."))
    return redirect("recovery", pk=pk)


@require_POST
@door
def close(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign the cutover off as done, or give the recovery up; a worker then documents it."""
    _find(pk)
    given = _given(CloseForm(request.POST))
    running.close(request.user, pk, cut_over=request.POST.get("outcome") == "cut_over", ending=given["ending"])
    messages.success(request, _("A worker documents it in ops/disaster-recovery/ and seals the record."))
    return redirect("recovery", pk=pk)


@sensitive_post_parameters("code", "assertion")
@require_http_methods(["GET", "HEAD", "POST"])
@door
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Show the whole plan with its digest and take the vote on exactly that digest."""
    _find(pk)
    return votes.take(
        request,
        subject_of(pk),
        page=partial(_sign_page, request, pk),
        sign=partial(signing.sign_off, request.user, pk),
        nothing=_("Nothing waits for a signature here; open the recovery again to see its state."),
        back=reverse("recovery", args=[pk]),
    )


@require_POST
@door
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Answer the options with which the browser asks a passkey to sign this vote, as JSON, or sentences."""
    _find(pk)
    return votes.begin(request, subject_of(pk))


def _sign_page(request: HttpRequest, pk: int, case: Case, form: SignForm, refusal: Exception | None) -> HttpResponse:
    found = _find(pk)
    plan = RecoveryPlan.of(found.plan or {})
    context = {
        "recovery": found,
        "plan": plan,
        "kind": KINDS[plan.provider],
        "document": json.dumps(plan.document(), indent=1, sort_keys=True, ensure_ascii=False),
        **votes.vote_context(case, request.user, form, refusal),
    }
    return render(request, "recoveries/sign.html", context, status=409 if refusal else 200)


def _chosen(found: Recovery, request: HttpRequest) -> dict[str, Any]:
    """Return what is chosen; an offer's link brings its moment and its migration."""
    kept = {
        name: getattr(found, name) for name in ("point", "before", "backup", "server", "emergency", "emergency_reason")
    }
    offered = {name: request.GET[name] for name in ("point", "before") if request.GET.get(name)}
    return {**kept, **({"server": f"{found.target.name}-pr-{found.pk}"} if not found.server else {}), **offered}


def _given(form: Form) -> dict[str, Any]:
    if not form.is_valid():
        raise Refused(*(f"{form[name].label}: {error}" for name, errors in form.errors.items() for error in errors))
    return form.cleaned_data


def _find(pk: int) -> Recovery:
    return get_object_or_404(Recovery.objects.select_related("target", "author"), pk=pk)
