"""How long a session lasts, and what ends it early: idleness, a role that was lost, a second factor that is missing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from approvals.factors import must_enrol
from approvals.roles import roles_of

BEGUN, SEEN, ROLES = "session_begun", "session_seen", "session_roles"
# Once a minute is exact enough for a limit of minutes, and most requests then write nothing.
NOTED_SECONDS = 60
# What somebody without the second factor that their roles need can still reach.
ENROLMENT = {
    "mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_reauthenticate", "account_reauthenticate",
    "account_logout", "demo-authenticator", "livez", "readyz",
}  # fmt: skip
API = "ninja"


def on_signed_in(sender: Any, request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Note in the session when it began and with which roles."""
    request.session[BEGUN] = request.session[SEEN] = time.time()
    request.session[ROLES] = list(roles_of(user))


class SessionLimitsMiddleware:
    """End a session 8 hours after sign-in, after 15 minutes without a click, and when its person lost a role.

    A page that asks again by itself (htmx) is no click. Such a page is told to load anew, which shows the sign-in.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            sentence = _why_it_ends(request)
            if sentence:
                logout(request)
                messages.info(request, sentence)
                if request.headers.get("HX-Request"):
                    return HttpResponse(status=401, headers={"HX-Refresh": "true"})
            else:
                _note(request)
        return self.get_response(request)


def _why_it_ends(request: HttpRequest) -> str:
    session, now = request.session, time.time()
    if BEGUN not in session:
        # From before sessions were kept in a list: it could not be ended from anywhere.
        return _("You were signed out because the portal was upgraded. Sign in to go on.")
    if now - session[BEGUN] > settings.SESSION_COOKIE_AGE:
        return _("You were signed out because a session lasts eight hours at most. Sign in to go on.")
    if now - session.get(SEEN, now) > settings.SESSION_IDLE_SECONDS:
        return _("You were signed out because nothing was clicked for a quarter of an hour. Sign in to go on.")
    if not set(session.get(ROLES, ())) <= set(roles_of(request.user)):
        return _("You were signed out because a role was taken from you. Sign in to go on with those you have.")
    return ""


def _note(request: HttpRequest) -> None:
    """Write down in the session what the next request is judged by; most requests change nothing."""
    session, now = request.session, time.time()
    held = list(roles_of(request.user))
    if session.get(ROLES) != held:
        session[ROLES] = held
    asks_by_itself = request.method == "GET" and request.headers.get("HX-Request")
    if now - session.get(SEEN, 0) > NOTED_SECONDS and not asks_by_itself:
        session[SEEN] = now
        UserSession.objects.create_from_request(request)


class SecondFactorMiddleware:
    """Lead people whose roles need a second factor to its enrolment; until then they reach that and the way out."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        """Return the redirect to the enrolment, or None where the view may answer."""
        match = request.resolver_match
        if not request.user.is_authenticated or (match and match.view_name in ENROLMENT):
            return None
        if match and match.app_name == API:
            # Programs get no redirect to a page; the API's own door refuses with a problem.
            return None
        if not must_enrol(request.user):
            return None
        address = reverse("mfa_index")
        if request.headers.get("HX-Request"):
            return HttpResponse(status=403, headers={"HX-Redirect": address})
        return redirect(
            f"{address}?{urlencode({'next': request.get_full_path()})}" if request.method == "GET" else address
        )
