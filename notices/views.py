"""The pages of notices: the outbox for administrators, a person's preferences, and the demo's sent mail."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from approvals.roles import ADMINISTRATOR, may
from notices import outbox as queries
from notices.evidence import ask_on_call
from notices.forms import PreferencesForm
from notices.models import DeliveryState
from notices.preferences import ALWAYS, preferences_of, set_preferences
from notices.sending import send_again
from notices.sent_mail import sent_mail as read_sent_mail
from records.paging import key_in
from rollbacks.models import Request
from rollbacks.views.doors import door


@require_safe
@door
def outbox(request: HttpRequest) -> HttpResponse:
    """What was not delivered, why, and what can be sent again; for administrators."""
    _require_administrator(request)
    state = request.GET.get("state", "")
    state = state if state in set(DeliveryState) else ""
    rows, following = queries.deliveries(state=state, before=key_in(request.GET.get("before", "")))
    context = {"deliveries": rows, "following": following, "state": state, "states": DeliveryState.values}
    return render(request, "notices/outbox.html", context)


@require_POST
@door
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a delivery again that failed or was given up."""
    _require_administrator(request)
    if send_again(request.user, pk):
        messages.success(request, _("It is sent again within seconds; this page shows how it ends."))
    else:
        messages.warning(request, _("This delivery is not one that failed; it may have been sent in the meantime."))
    return redirect("notices")


@require_http_methods(["GET", "HEAD", "POST"])
@door
def preferences(request: HttpRequest) -> HttpResponse:
    """Which notices come by e-mail, and when."""
    form = PreferencesForm(request.POST or None, initial=preferences_of(request.user))
    if request.method == "POST" and form.is_valid():
        changed = set_preferences(request.user, form.cleaned_data)
        messages.success(request, _("Saved.") if changed else _("Nothing was changed."))
        return redirect("notice-preferences")
    context = {"form": form, "always": ALWAYS, "administers": may(request.user, [ADMINISTRATOR])}
    return render(request, "notices/preferences.html", context)


@require_safe
@door
def sent_mail(request: HttpRequest) -> HttpResponse:
    """The demo's mail as it left; there is no such page outside the demo."""
    mails = read_sent_mail()
    if mails is None:
        raise Http404
    return render(request, "notices/sent_mail.html", {"mails": mails})


@require_POST
@door
def notify_on_call(request: HttpRequest, pk: int) -> HttpResponse:
    """Have on-call told of a request; the delivery becomes the checklist's evidence."""
    get_object_or_404(Request, pk=pk)
    ask_on_call(request.user, pk)
    messages.success(request, _("On-call is being notified. The item is answered once the notice has left."))
    return redirect("request-answer", pk=pk, item="on_call")


def _require_administrator(request: HttpRequest) -> None:
    if not may(request.user, [ADMINISTRATOR]):
        raise PermissionDenied(_("Only administrators see the outbox; your own choices are under Notifications."))
