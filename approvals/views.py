"""The pages of people, roles and delegations."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any, Concatenate

from django.contrib import messages
from django.contrib.auth import get_user_model
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals import delegations as delegating
from approvals import grants, people, queries
from approvals.forms import AccountForm, DelegateForm, ProposeForm, ReasonForm
from approvals.models import Delegation
from approvals.refusals import NotAllowed, Refused
from approvals.roles import ADMINISTRATOR, SIGNING_ROLES, may, roles_of
from records.paging import key_in

View = Callable[Concatenate[HttpRequest, ...], HttpResponse]
WEEK = timedelta(days=7)


def door(view: View) -> View:
    """Let in people who hold a role; answer 403 to what they may not do and 409 to what cannot be done now."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not roles_of(request.user):
            raise PermissionDenied(_("Your account has no role yet; ask an administrator for one."))
        try:
            return view(request, *args, **kwargs)
        except NotAllowed as error:
            raise PermissionDenied(str(error)) from error
        except Refused as refusal:
            back = reverse("people" if _administers(request) else "delegations")
            context = {"sentences": (str(refusal),), "back": back}
            return render(request, "409.html", context, status=409)

    return guarded


def administrators_door(view: View) -> View:
    """Let in administrators only; what they may do to whom, the services decide."""

    @door
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not _administers(request):
            raise PermissionDenied(_("Only an administrator sees who holds which role; ask one of them."))
        return view(request, *args, **kwargs)

    return guarded


@require_safe
@administrators_door
def people_list(request: HttpRequest) -> HttpResponse:
    """Everybody with their roles, and what waits for a second administrator."""
    rows, following = queries.people(key_in(request.GET.get("before", "")))
    context = {"rows": rows, "following": following, "waiting": queries.waiting()}
    return render(request, "approvals/people.html", context)


@require_safe
@administrators_door
def person_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One person: roles and where they come from, delegations, and what an administrator can do."""
    return _person(request, _account(pk))


@require_POST
@administrators_door
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Grant or propose a role."""
    person, form = _account(pk), ProposeForm(request.POST, prefix="propose")
    if not form.is_valid():
        return _person(request, person, propose_form=form)
    try:
        grant = grants.propose(request.user, pk, **form.cleaned_data)
    except Refused as refusal:
        return _person(request, person, propose_form=form, refused=str(refusal), status=409)
    held = grant.confirmed_at is not None
    messages.success(request, _("Granted.") if held else _("Proposed; a second administrator has to confirm it."))
    return redirect("person", pk=pk)


@require_POST
@administrators_door
def account(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch an account off or on, withdraw its password, or end its sessions."""
    person = _account(pk)
    form = AccountForm(request.POST, active=person.is_active, prefix="account")
    if not form.is_valid():
        return _person(request, person, account_form=form)
    acts = {
        "switch_off": people.switch_off,
        "switch_on": people.switch_on,
        "withdraw_password": people.withdraw_password,
        "end_sessions": people.end_sessions,
    }
    try:
        acts[form.cleaned_data["act"]](request.user, pk, reason=form.cleaned_data["reason"])
    except Refused as refusal:
        return _person(request, person, account_form=form, refused=str(refusal), status=409)
    messages.success(request, _("Done; votes that they gave before count no more."))
    return redirect("person", pk=pk)


@require_POST
@administrators_door
def delegate_for(request: HttpRequest, pk: int) -> HttpResponse:
    """Delegate a role for a holder who cannot; a second administrator has to confirm it."""
    holder = _account(pk)
    form = _delegate_form(holder, request.POST)
    if not form.is_valid():
        return _person(request, holder, delegate_form=form)
    try:
        _delegate(request.user, holder, form)
    except Refused as refusal:
        return _person(request, holder, delegate_form=form, refused=str(refusal), status=409)
    messages.success(request, _("Made; a second administrator has to confirm it."))
    return redirect("person", pk=pk)


@require_POST
@administrators_door
def confirm_grant(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm a proposed role."""
    grants.confirm(request.user, pk)
    messages.success(request, _("Confirmed; the role is held from now on."))
    return redirect("people")


@require_POST
@administrators_door
def refuse_grant(request: HttpRequest, pk: int) -> HttpResponse:
    """Refuse a proposed role."""
    grants.refuse(request.user, pk, reason=_reason(request))
    messages.success(request, _("Refused."))
    return redirect("people")


@require_POST
@administrators_door
def end_grant(request: HttpRequest, pk: int) -> HttpResponse:
    """End a role at once."""
    ended = grants.end(request.user, pk, reason=_reason(request))
    messages.success(request, _("Ended; votes given in it count no more."))
    return redirect("person", pk=ended.person_id)


@require_http_methods(["GET", "HEAD", "POST"])
@door
def my_delegations(request: HttpRequest) -> HttpResponse:
    """What I delegated, what was delegated to me, and the form to delegate."""
    form = _delegate_form(request.user, request.POST if request.method == "POST" else None)
    refused = ""
    if request.method == "POST" and form.is_valid():
        try:
            _delegate(request.user, request.user, form)
        except Refused as refusal:
            refused = str(refusal)
        else:
            messages.success(request, _("Delegated. It is shown on every vote that uses it."))
            return redirect("delegations")
    context = {
        "delegations": queries.delegations_of(request.user),
        "roles": _signing_roles(request.user),
        "form": form,
        "refused": refused,
    }
    return render(request, "approvals/delegations.html", context, status=409 if refused else 200)


@require_POST
@administrators_door
def confirm_delegation(request: HttpRequest, pk: int) -> HttpResponse:
    """Confirm a delegation that another administrator made."""
    delegating.confirm(request.user, pk)
    messages.success(request, _("Confirmed; the delegate may sign."))
    return redirect("people")


@require_POST
@door
def end_delegation(request: HttpRequest, pk: int) -> HttpResponse:
    """End a delegation, or refuse one that waits."""
    made = get_object_or_404(Delegation, pk=pk)
    delegating.end(request.user, pk, reason=_reason(request))
    messages.success(request, _("Ended; votes given by it count no more."))
    mine = request.user.pk in {made.holder_id, made.delegate_id}
    return redirect("delegations") if mine else redirect("person", pk=made.holder_id)


def _person(request: HttpRequest, person: Any, *, status: int = 200, **bound: Any) -> HttpResponse:
    context = {
        "page": queries.person_page(person),
        "propose_form": ProposeForm(prefix="propose"),
        "account_form": AccountForm(active=person.is_active, prefix="account"),
        "delegate_form": _delegate_form(person) if roles_of(person) else None,
        "their_signing_roles": _signing_roles(person),
        "self": person.pk == request.user.pk,
        **bound,
    }
    return render(request, "approvals/person.html", context, status=status)


def _delegate(actor: Any, holder: Any, form: DelegateForm) -> None:
    given = form.cleaned_data
    delegating.delegate(
        actor,
        holder_id=holder.pk,
        delegate_id=given["delegate"],
        role=given["role"],
        starts_at=given["starts_at"],
        ends_at=given["ends_at"],
        reason=given["reason"],
    )


def _delegate_form(holder: Any, content: Any = None) -> DelegateForm:
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return DelegateForm(
        content,
        prefix="delegate",
        roles=_signing_roles(holder),
        people=queries.possible_delegates(holder),
        initial={"starts_at": now, "ends_at": now + WEEK},
    )


def _signing_roles(person: Any) -> tuple[str, ...]:
    return tuple(role for role in roles_of(person) if role in SIGNING_ROLES)


def _account(pk: int) -> Any:
    return get_object_or_404(get_user_model(), pk=pk)


def _reason(request: HttpRequest) -> str:
    form = ReasonForm(request.POST)
    return str(form.cleaned_data["reason"]) if form.is_valid() else ""


def _administers(request: HttpRequest) -> bool:
    return may(request.user, [ADMINISTRATOR])
