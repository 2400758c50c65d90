"""How people get an account: an administrator adds them; nobody signs up by themselves."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth import get_user_model
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from approvals.factors import has_factor, has_factor_now
from approvals.roles import held_now


class Backend(AuthenticationBackend):  # type: ignore[misc]  # allauth ships no types
    """Sign in as allauth does, and read who somebody is together with their roles and whether they have a second factor, anew for every request."""

    def get_user(self, user_id: Any) -> Any:
        """Return the account if it may still sign in, else None."""
        people = get_user_model()._default_manager.annotate(
            held_now=held_now("pk"), has_factor_now=has_factor_now("pk")
        )
        found = people.filter(pk=user_id).first()
        return found if found is not None and self.user_can_authenticate(found) else None


# A passkey first where there is one: it is the quickest, and nobody can be talked into passing it on.
WAYS_TO_CONFIRM = {
    "mfa_reauthenticate:webauthn": gettext_lazy("Use a passkey"),
    "mfa_reauthenticate": gettext_lazy("Use a code of the app or a recovery code"),
}


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Close the sign-up page, and let nobody who has a second factor confirm with the password alone."""

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return how the person can confirm that it is them, best first; the password only where there is no factor.

        Whoever took over a session by a made-up sign-in page has the password as well, and must not be able to enrol
        a factor of their own with it.
        """
        found = {way["id"]: way for way in super().get_reauthentication_methods(user)}
        ways = [{**found[name], "description": words} for name, words in WAYS_TO_CONFIRM.items() if name in found]
        return ways if ways and has_factor(user) else list(found.values())

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Answer no for everyone, whatever the request."""
        return False
