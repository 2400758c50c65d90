"""The panel on the checklist's page from which on-call is notified, and the words of deliveries."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from notices.evidence import on_call_state
from notices.models import OUTGOING, Delivery
from notices.sending import recipient_words
from portal.templatetags.portal import state_name, status
from rollbacks.models import Request
from rollbacks.states import State

register = template.Library()


@register.inclusion_tag("notices/_on_call.html", takes_context=True)
def notify_on_call(context: template.Context, rollback: Request) -> dict[str, Any]:
    """Show the button that notifies on-call and how far the newest notice got."""
    return {
        "rollback": rollback,
        "offered": rollback.state == State.DRAFT,
        "on_call": on_call_state(rollback),
        "csrf_token": context.get("csrf_token"),
    }


@register.filter
def recipient(delivery: Delivery) -> str:
    """Return for whom a delivery is."""
    return recipient_words(delivery)


@register.filter
def channel_words(delivery: Delivery) -> str:
    """Return by which channel a delivery goes; of the operator's addresses only the label is known."""
    names = {"email": _("E-mail"), "daily": _("Daily e-mail")}
    return _("Operator's channel") if delivery.channel == OUTGOING else names[delivery.channel]


@register.simple_tag
def delivery_status(delivery: Delivery) -> SafeString:
    """Show a delivery's state as a badge."""
    return status(delivery.state, delivery_state_name(delivery.state))


@register.filter
def delivery_state_name(state: str) -> str:
    """Return what a delivery's state is called; the pages' words for these two mean step runs and requests."""
    own = {"pending": _("Waiting to be sent"), "failed": _("Will be tried again")}
    return own.get(state) or state_name(state)
