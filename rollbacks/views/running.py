"""Starting an approved rollback, watching it, and going on after a person looked."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.roles import REQUESTING_ROLES, may
from approvals.services import decision_on, open_case_of
from rollbacks.attention import attention_of
from rollbacks.forms import CancelForm, ConfirmForm
from rollbacks.models import Request, Revision
from rollbacks.plan import Plan
from rollbacks.queries import current_execution, waiting_sentence
from rollbacks.services.moves import Refused, subject_of
from rollbacks.services.running import CANCELLING_ROLES, not_cancellable, require_canceller
from rollbacks.services.running import cancel as cancel_execution
from rollbacks.services.running import resume as resume_execution
from rollbacks.services.running import start as start_execution
from rollbacks.states import State
from rollbacks.views.doors import door, filers


@require_http_methods(["GET", "HEAD", "POST"])
@door
@filers
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Show what will run once more and ask for the database's name before anything starts."""
    found = get_object_or_404(Request.objects.select_related("target", "author"), pk=pk)
    case = open_case_of(subject_of(pk))
    if case is None:
        raise Refused(_("There is no approved plan to start; submit the request and have it signed first."))
    plan = Plan.of(get_object_or_404(Revision, request=found, digest=case.digest).plan or {})
    form = ConfirmForm(request.POST or None, expected=plan.target.database)
    if request.method == "POST" and form.is_valid():
        start_execution(request.user, pk)
        first = _("Started. Nothing is changed on the target before the step “outside, before”.")
        apply = _("Started. Nothing is changed on the target before the step “apply”.")
        messages.success(request, first if plan.lane.get("before") else apply)
        return redirect("run", pk=pk)
    context = {"rollback": found, "plan": plan, "case": case, "decision": decision_on(case), "form": form}
    return render(request, "rollbacks/start.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@door
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what stopping means at this moment and take the reason for it."""
    found = get_object_or_404(Request.objects.select_related("target", "author"), pk=pk)
    execution = current_execution(found)
    require_canceller(request.user)
    form = CancelForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        cancel_execution(request.user, pk, reason=form.cleaned_data["reason"])
        messages.success(request, _("The worker was asked to stop. Its steps say when it has."))
        return redirect("run", pk=pk)
    context = {"rollback": found, "execution": execution, "form": form, "refusal": not_cancellable(execution)}
    return render(request, "rollbacks/cancel.html", context)


@require_safe
@door
def run(request: HttpRequest, pk: int) -> HttpResponse:
    """The run page: the steps with their state, evidence and errors; it renews itself while it runs."""
    found = get_object_or_404(Request.objects.select_related("target", "author"), pk=pk)
    execution = current_execution(found)
    context = {
        "rollback": found,
        "execution": execution,
        "waiting": waiting_sentence(execution),
        "attention": attention_of(execution) if execution and found.state == State.NEEDS_ATTENTION else None,
        "may_resume": may(request.user, REQUESTING_ROLES),
        "may_cancel": not not_cancellable(execution) and may(request.user, CANCELLING_ROLES),
    }
    template = "rollbacks/_run.html" if request.headers.get("HX-Request") else "rollbacks/run.html"
    return render(request, template, context)


@require_POST
@door
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the engine look again at an execution that needs attention."""
    resume_execution(request.user, pk)
    messages.success(request, _("The portal looks again what is on the target and goes on from there."))
    return redirect("run", pk=pk)
