"""Registers the portal itself and connects it to what happens at sign-in."""

from __future__ import annotations

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The Django project as an app: pages of the account, sessions, second factors."""

    name = "portal"

    def ready(self) -> None:
        """Connect the receivers of signals and register the checks."""
        from allauth.account.signals import password_changed
        from allauth.mfa.models import Authenticator
        from django.contrib.auth.signals import user_logged_in
        from django.core.checks import register
        from django.db.models.signals import post_delete, post_save

        from portal import factors, sessions, sso

        register(sso.check_mapping)
        user_logged_in.connect(sessions.on_signed_in)
        password_changed.connect(factors.on_password_changed)
        post_save.connect(factors.on_factor_saved, sender=Authenticator)
        post_delete.connect(factors.on_factor_deleted, sender=Authenticator)
