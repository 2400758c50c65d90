"""Django's admin as a window: administrators look at rows, and nobody, superusers included, changes one there."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from approvals.roles import ADMINISTRATOR, may

# Columns that let somebody act as another person, or that are a secret's hash.
NEVER_SHOWN = {"password", "session_key", "data", "token", "token_secret", "secret"}
WIDE = (models.TextField, models.JSONField, models.BinaryField)


class ReadingSite(admin.AdminSite):
    """The admin behind the portal's own sign-in: its second factor, its rate limits, its sessions."""

    site_header = site_title = _("Rollback portal: rows")
    index_title = _("Rows as they are; nothing can be changed here")
    site_url = "/"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Tell whether this person may look: an administrator, or a superuser."""
        return bool(request.user.is_active and (request.user.is_superuser or may(request.user, (ADMINISTRATOR,))))

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Send anonymous people to the portal's sign-in: the admin has no form of its own that could be guessed at.

        Raises PermissionDenied for somebody who is signed in and may not look.
        """
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
        if not self.has_permission(request):
            raise PermissionDenied(_("Rows are for administrators; ask one if you need to see them."))
        return redirect("admin:index")

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Lead to the portal's own way out."""
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Lead to the portal's own page, which ends the other sessions and is limited."""
        return redirect("account_change_password")


class Window(admin.ModelAdmin):  # type: ignore[type-arg]  # the class takes no parameter when it runs
    """One table, to be read: no add, no change, no deletion, no action, whoever asks."""

    actions = None
    list_per_page = 50
    # Counting a million facts for the page's foot takes seconds.
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer no."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer no."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer no."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Answer as the site does."""
        return site.has_permission(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        """Answer as the site does."""
        return site.has_permission(request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Return every column but those of secrets."""
        return [field.name for field in self.opts.fields if field.name not in NEVER_SHOWN]

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the narrow columns; keys of other tables are shown as they are stored."""
        narrow = [field for field in self.opts.fields if not isinstance(field, WIDE) and field.name not in NEVER_SHOWN]
        return [field.attname for field in narrow][:9]


def tables() -> list[type[models.Model]]:
    """Return what the admin shows: everything of the portal's apps, and what is kept of people."""
    own = [
        model
        for label in ("records", "approvals", "rollbacks", "recoveries")
        for model in apps.get_app_config(label).get_models()
    ]
    return [*own, get_user_model(), Group, EmailAddress, SocialAccount, Authenticator, UserSession]


site = ReadingSite(name="admin")
site.register(tables(), Window)
