"""Registers the approvals app and refuses to start with a rule book that has a mistake."""

from __future__ import annotations

from django.apps import AppConfig
from django.core.exceptions import ImproperlyConfigured


class ApprovalsConfig(AppConfig):
    """Cases, sign-offs and the policy that judges them."""

    name = "approvals"

    def ready(self) -> None:
        """Read the rule book now: a mistake in it must stop a start, not surprise whoever submits a request."""
        from approvals.in_force import rulebook
        from approvals.rulebook import RuleBookInvalid

        try:
            rulebook()
        except RuleBookInvalid as error:
            raise ImproperlyConfigured(f"The policy file has mistakes.\n{error}") from error
