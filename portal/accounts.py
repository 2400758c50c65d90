"""How people get an account: an administrator adds them; nobody signs up by themselves."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Close the sign-up page; accounts come from `manage.py add_person`."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Answer no for everyone, whatever the request."""
        return False
