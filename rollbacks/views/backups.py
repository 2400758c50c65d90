"""Kept backups: the list, one backup, and the holds that auditors and security place and lift."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from records.paging import key_in
from rollbacks import backup_page as reading
from rollbacks.forms import HoldForm, LiftForm
from rollbacks.services import backups
from rollbacks.services.moves import NotAllowed, Refused
from rollbacks.side_models import Backup
from rollbacks.views.doors import door


@require_safe
@door
def backup_list(request: HttpRequest) -> HttpResponse:
    """Every backup that was kept, newest first, and the files in the store that belong to none."""
    before, target = key_in(request.GET.get("before", "")), request.GET.get("target", "")[:63]
    rows, following = reading.backup_rows(before, target=target)
    strays = [] if before or target else reading.stray_files()
    context = {"rows": rows, "following": following, "strays": strays, "target": target}
    return render(request, "rollbacks/backup_list.html", context)


@require_safe
@door
def backup(request: HttpRequest, pk: int) -> HttpResponse:
    """One backup."""
    return _page(request, _find(pk))


@require_POST
@door
def hold(request: HttpRequest, pk: int) -> HttpResponse:
    """Place a hold."""
    found, form = _find(pk), HoldForm(request.POST)
    _refuse_others(request)
    if not form.is_valid():
        return _page(request, found, form)
    try:
        backups.hold(request.user, pk, reason=form.cleaned_data["reason"], until=form.cleaned_data["until"])
    except Refused as refusal:
        return _page(request, found, form, str(refusal))
    messages.success(request, _("The backup is held; it is not removed before the hold is lifted or over."))
    return redirect("backup", pk=pk)


@require_POST
@door
def lift(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Lift a hold."""
    found, form = _find(pk), LiftForm(request.POST, auto_id=f"lift-{number}-%s")
    _refuse_others(request)
    if not form.is_valid():
        return _page(request, found, form, lifting=number)
    backups.lift(request.user, pk, number, reason=form.cleaned_data["reason"])
    messages.success(request, _("The hold is lifted."))
    return redirect("backup", pk=pk)


def _page(
    request: HttpRequest, found: Backup, form: HoldForm | LiftForm | None = None, refused: str = "", lifting: int = 0
) -> HttpResponse:
    page = reading.backup_page(found, request.user)
    # Each hold has a form of its own, and what it says of a missing reason has to lead to that one.
    holds = [
        (row, form if row.hold.pk == lifting else LiftForm(auto_id=f"lift-{row.hold.pk}-%s")) for row in page.holds
    ]
    context = {
        "page": page,
        "form": form,
        "holds": holds,
        "hold_form": form if isinstance(form, HoldForm) else HoldForm(),
        "refused": refused,
    }
    return render(request, "rollbacks/backup.html", context, status=409 if refused else 200)


def _refuse_others(request: HttpRequest) -> None:
    """Nobody is shown what is wrong with a form that would be refused whatever it says."""
    try:
        backups.refuse_others(request.user)
    except NotAllowed as error:
        raise PermissionDenied(str(error)) from error


def _find(pk: int) -> Backup:
    return get_object_or_404(Backup.objects.select_related("target", "execution__request"), pk=pk)
