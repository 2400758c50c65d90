"""The home page, the lists of requests and targets, and a target's inventory."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from records.paging import key_in
from rollbacks import doorbell, queries
from rollbacks.models import Request, Target
from rollbacks.services.follow_ups import open_follow_ups
from rollbacks.services.targets import newest_inventory
from rollbacks.states import State
from rollbacks.views.doors import door


@require_safe
@door
def home(request: HttpRequest) -> HttpResponse:
    """My queue: what waits for me, what is mine, what runs and what ended."""
    context = {"home": queries.home(request.user), "may_file": queries.may_file(request.user)}
    return render(request, "rollbacks/home.html", context)


@require_safe
@door
def request_list(request: HttpRequest) -> HttpResponse:
    """All requests, newest first; the filter is in the address."""
    state = request.GET.get("state", "")
    target = request.GET.get("target", "")
    rows, following = queries.request_rows(
        request.user,
        state=state if state in set(State) else "",
        target=target,
        before=key_in(request.GET.get("before", "")),
    )
    context = {
        "rows": rows,
        "following": following,
        "state": state,
        "target": target,
        "states": list(State),
        "targets": Target.objects.filter(retired_at__isnull=True),
        "may_file": queries.may_file(request.user),
    }
    return render(request, "rollbacks/request_list.html", context)


@require_safe
@door
def target_list(request: HttpRequest) -> HttpResponse:
    """The targets with what was last read of them."""
    return render(request, "rollbacks/target_list.html", {"targets": queries.targets_with_inventory()})


@require_safe
@door
def target_page(request: HttpRequest, name: str) -> HttpResponse:
    """One target: its inventory as in the runbook's table, its violations and its requests."""
    target = get_object_or_404(Target, name=name)
    inventory = newest_inventory(target.pk)
    since = request.GET.get("since", "")
    context = {
        "target": target,
        "inventory": inventory,
        "content": inventory.content if inventory else None,
        # While a reading is under way the page asks again until a newer one is there.
        "reading": bool(since) and (inventory is None or str(inventory.pk) == since),
        "since": since,
        "follow_ups": open_follow_ups().filter(target=target)[:10],
        "requests": Request.objects.filter(target=target).select_related("author", "target")[:10],
        "may_file": queries.may_file(request.user),
    }
    template = "rollbacks/_inventory.html" if request.headers.get("HX-Request") else "rollbacks/target.html"
    return render(request, template, context)


@require_POST
@door
def read_again(request: HttpRequest, name: str) -> HttpResponse:
    """Ask a worker to read the target again; the page then waits for the newer reading."""
    target = get_object_or_404(Target, name=name, retired_at__isnull=True)
    before = newest_inventory(target.pk)
    if not doorbell.ring_inventory(target.pk):
        messages.error(request, _("The broker cannot be reached; the target is read at the next sweep."))
        return redirect("target", name=name)
    response = redirect("target", name=name)
    response["Location"] += f"?since={before.pk if before else 0}"
    return response
