"""The demo's authenticator: the codes that the demo people's apps would show. It exists in demo mode only."""

from __future__ import annotations

import time
from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.mfa.utils import decrypt
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from demo.organisation import PEOPLE

PERIOD = 30


@dataclass(frozen=True)
class Shown:
    """What one person's app shows now."""

    username: str
    name: str
    role: str
    code: str


@login_not_required
@require_safe
def demo_authenticator(request: HttpRequest) -> HttpResponse:
    """Show every demo person's code and how long it is good for; refused outside demo mode even where it is mounted."""
    if not settings.DEMO:
        raise Http404(_("There is no such page outside the demo."))
    now = int(time.time())
    context = {"people": _shown(now // PERIOD), "left": PERIOD - now % PERIOD, "period": PERIOD}
    return render(request, "demo_authenticator.html", context)


def _shown(counter: int) -> list[Shown]:
    apps = Authenticator.objects.filter(
        type=Authenticator.Type.TOTP, user__username__in=[person.username for person in PEOPLE]
    ).select_related("user")
    secrets = {app.user.get_username(): decrypt(app.data["secret"]) for app in apps}
    return [
        Shown(
            person.username, person.name, person.role,
            format_hotp_value(hotp_value(secrets[person.username], counter)),
        )
        for person in PEOPLE
        if person.username in secrets
    ]  # fmt: skip
