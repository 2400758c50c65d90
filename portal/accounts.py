"""How people get an account: an administrator adds them; nobody signs up by themselves."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth import get_user_model
from django.http import HttpRequest

from approvals.roles import held_now


class Backend(AuthenticationBackend):  # type: ignore[misc]  # allauth ships no types
    """Sign in as allauth does, and read who somebody is together with their roles, anew for every request."""

    def get_user(self, user_id: Any) -> Any:
        """Return the account if it may still sign in, else None."""
        found = get_user_model()._default_manager.filter(pk=user_id).annotate(held_now=held_now("pk")).first()
        return found if found is not None and self.user_can_authenticate(found) else None


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Close the sign-up page; accounts come from `manage.py add_person`."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Answer no for everyone, whatever the request."""
        return False
