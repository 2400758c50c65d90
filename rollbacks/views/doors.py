"""What every page shares: only people with a role get in, and a refusal becomes a page with its sentences."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate
from urllib.parse import urlsplit, urlunsplit

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from approvals.roles import REQUESTING_ROLES, may, roles_of
from approvals.services import VoteRefused
from approvals.step_up import NotConfirmed
from rollbacks.services.moves import NotAllowed, Refused

View = Callable[Concatenate[HttpRequest, ...], HttpResponse]


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
        except (Refused, VoteRefused, NotConfirmed) as refusal:
            sentences = refusal.sentences if isinstance(refusal, Refused) else (str(refusal),)
            return render(request, "409.html", {"sentences": sentences, "back": back_of(request)}, status=409)

    return guarded


def back_of(request: HttpRequest) -> str:
    """Return where the person came from, or the page above: many addresses take a POST and answer no GET."""
    came = urlsplit(request.headers.get("Referer", ""))
    # A path that begins with two slashes would be another site's address.
    if came.netloc == request.get_host() and came.path.startswith("/") and not came.path.startswith("//"):
        return urlunsplit(("", "", came.path, came.query, ""))
    return request.path.rsplit("/", 2)[0] + "/"


def filers(view: View) -> View:
    """Let in only those who may file and start rollbacks: nobody is shown a form that would be refused whatever it says."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request.user, REQUESTING_ROLES):
            raise PermissionDenied(_("Only engineers, the platform team and on-call may file and start rollbacks."))
        return view(request, *args, **kwargs)

    return guarded
