"""The account page: second factors, recovery codes, open sessions and the password of whoever is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from allauth.account import views as account_views
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes import views as recovery_views
from allauth.mfa.totp import views as totp_views
from allauth.mfa.webauthn.views import AddWebAuthnView, RemoveWebAuthnView
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.contrib.sessions.models import Session
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from approvals import factors
from portal.factors import changes_factors, end_other_sessions
from records.paging import key_in

SHOWN_SESSIONS = 50
BROWSERS = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"))
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"), ("Windows", "Windows"), ("Mac OS", "macOS"),
    ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True)
class OpenSession:
    """One place where the person is signed in."""

    pk: int
    browser: str
    ip: str
    begun: datetime
    seen: datetime
    current: bool


@require_safe
def security(request: HttpRequest) -> HttpResponse:
    """Show how the person signs in and where they are signed in, and lead to every change of it."""
    enrolled = list(Authenticator.objects.filter(user=request.user).order_by("pk"))
    held = [factor for factor in enrolled if factor.type in factors.FACTORS]
    codes = next((factor for factor in enrolled if factor.type == Authenticator.Type.RECOVERY_CODES), None)
    following = request.GET.get("next", "")
    context = {
        "factors": held,
        "has_app": any(factor.type == Authenticator.Type.TOTP for factor in held),
        "last": held[0].pk if len(held) == 1 and factors.roles_that_need_one(request.user) else None,
        "codes_left": None if codes is None else len(codes.wrap().get_unused_codes()),
        "needing": factors.roles_that_need_one(request.user),
        "sessions": _sessions(request),
        "identities": SocialAccount.objects.filter(user=request.user),
        "has_password": request.user.is_authenticated and request.user.has_usable_password(),
        "next": following if url_has_allowed_host_and_scheme(following, None) else "",
    }
    return render(request, "account/security.html", context)


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """End one other session of the person (`session`), or all others."""
    wanted = request.POST.get("session", "")
    ended = end_other_sessions(request, only=key_in(wanted))
    messages.success(
        request, ngettext("%(count)s session was ended.", "%(count)s sessions were ended.", ended) % {"count": ended}
    )
    return redirect("mfa_index")


class AddPasskeyView(AddWebAuthnView):  # type: ignore[misc]  # allauth ships no types
    """Enrol a passkey; it can sign in by itself where the browser keeps it."""

    def get_form(self, form_class: Any = None) -> Any:
        """Return allauth's form in our words."""
        form = super().get_form(form_class)
        form.fields["name"].label = _("Name")
        form.fields["passwordless"].label = _("Sign in with this passkey alone")
        form.fields["passwordless"].help_text = _(
            "Without user name and password. Some security keys have no room for it."
        )
        form.fields["passwordless"].initial = True
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether the address is a number, for which no browser makes a passkey."""
        host = self.request.get_host().partition(":")[0]
        return {**super().get_context_data(**kwargs), "by_number": host.replace(".", "").isdecimal()}


class RemovePasskeyView(RemoveWebAuthnView):  # type: ignore[misc]  # allauth ships no types
    """Remove a passkey unless it is the last factor of somebody who has to have one."""

    success_url = reverse_lazy("mfa_index")

    def form_valid(self, form: Any) -> HttpResponse:
        """Remove it, or go back to the account page with the sentence that says why not."""
        adapter = get_adapter()
        if not adapter.can_delete_authenticator(self.get_object()):
            messages.error(self.request, adapter.error_messages["cannot_delete_authenticator"])
            return HttpResponseRedirect(self.success_url)
        answer: HttpResponse = super().form_valid(form)
        return answer


activate_app = changes_factors(totp_views.activate_totp)
deactivate_app = changes_factors(totp_views.deactivate_totp)
add_passkey = changes_factors(AddPasskeyView.as_view())
remove_passkey = changes_factors(RemovePasskeyView.as_view())
generate_codes = changes_factors(recovery_views.generate_recovery_codes)


@transaction.atomic
def change_password(request: HttpRequest) -> HttpResponse:
    """Change the password; who has none (single sign-on, or it was withdrawn) gets none from a page."""
    if request.user.is_authenticated and not request.user.has_usable_password():
        messages.info(request, _("Your account has no password, so there is none to change; an operator can set one."))
        return redirect("mfa_index")
    answer: HttpResponse = account_views.password_change(request)
    return answer


def _sessions(request: HttpRequest) -> list[OpenSession]:
    rows = list(UserSession.objects.filter(user=request.user).order_by("-last_seen_at")[:SHOWN_SESSIONS])
    alive = set(
        Session.objects.filter(
            session_key__in=[row.session_key for row in rows], expire_date__gt=timezone.now()
        ).values_list("session_key", flat=True)
    )
    return [
        OpenSession(
            pk=row.pk, browser=browser_words(row.user_agent), ip=row.ip, begun=row.created_at, seen=row.last_seen_at,
            current=row.session_key == request.session.session_key,
        )
        for row in rows
        if row.session_key in alive
    ]  # fmt: skip


def browser_words(agent: str) -> str:
    """Return what a person calls their browser, such as “Firefox on Linux”; the start of the agent when unknown."""
    browser = next((words for sign, words in BROWSERS if sign in agent), "")
    system = next((words for sign, words in SYSTEMS if sign in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or agent[:60] or _("Unknown browser")
