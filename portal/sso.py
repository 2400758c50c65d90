"""Single sign-on: who comes by it gets an account without roles, and their groups are read anew each time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.http import HttpRequest
from django.shortcuts import render
from django.utils.translation import gettext as _

from approvals.grants import follow_groups
from approvals.people import admit
from approvals.refusals import Refused
from approvals.roles import ROLES


class SingleSignOnAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """An identity is its provider's subject; a name or an address that comes with it never opens an account."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Find or make the account of this identity and give it the roles that its groups stand for.

        Raises ImmediateHttpResponse with a page that says why for a twin of another account, and for every attempt
        to add an identity to an account: only an operator does that, with `manage.py link_identity`.
        """
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            raise _refusal(request, _("Identities are linked to an account by an operator only; ask one."))
        claims = _claims_of(sociallogin.account)
        if not sociallogin.is_existing:
            try:
                sociallogin.user = admit(
                    provider=sociallogin.account.provider,
                    subject=sociallogin.account.uid,
                    username=_username(claims, sociallogin),
                    name=" ".join(filter(None, (sociallogin.user.first_name, sociallogin.user.last_name))),
                    email=sociallogin.user.email,
                )
            except Refused as refused:
                raise _refusal(request, str(refused)) from refused
            sociallogin.account = SocialAccount.objects.get(
                provider=sociallogin.account.provider, uid=sociallogin.account.uid
            )
        if sociallogin.account.provider == settings.OIDC_PROVIDER_ID:
            follow_groups(sociallogin.user, _roles_of_groups(_groups(claims)))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Answer no: by the time that allauth asks, whoever may have an account has one."""
        return False

    def list_apps(self, request: HttpRequest, provider: Any = None, client_id: Any = None) -> list[Any]:
        """Return the providers of the environment; rows of the database configure none."""
        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]


def _refusal(request: HttpRequest, sentence: str) -> ImmediateHttpResponse:
    return ImmediateHttpResponse(render(request, "403.html", {"exception": sentence}, status=403))


def _claims_of(account: SocialAccount) -> dict[str, Any]:
    """Return the claims, those of the user info endpoint over those of the ID token; both came over our own line."""
    given = account.extra_data
    if "userinfo" not in given and "id_token" not in given:
        return dict(given)
    return {**(given.get("id_token") or {}), **(given.get("userinfo") or {})}


def _username(claims: Mapping[str, Any], sociallogin: SocialLogin) -> str:
    account = sociallogin.account
    wanted = claims.get("preferred_username") or claims.get("login") or claims.get("email")
    # User names here have no capitals, so that two of them cannot differ by case alone.
    return str(wanted or f"{account.provider}-{account.uid}").lower()


def _roles_of_groups(groups: Collection[str]) -> dict[str, str]:
    """Return {role: the group that it comes from} by the operator's mapping; the first group in its order counts."""
    found: dict[str, str] = {}
    for group, roles in settings.SSO_ROLES.items():
        for role in roles if group in groups else ():
            found.setdefault(role, group)
    return found


def _groups(claims: Mapping[str, Any]) -> list[str]:
    """Return the groups as strings; a claim that is missing or of another shape is no group at all."""
    given = claims.get(settings.OIDC_GROUPS_CLAIM)
    if isinstance(given, str):
        return [given]
    return [str(group) for group in given if isinstance(group, str | int)] if isinstance(given, list) else []


def check_mapping(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a mapping of groups that has another shape or names a role that does not exist."""
    mapping = settings.SSO_ROLES
    shaped = isinstance(mapping, dict) and all(isinstance(roles, list) for roles in mapping.values())
    if not shaped:
        hint = 'Write SSO_ROLES as {"group": ["role", …], …}.'
        return [Error("SSO_ROLES is not a JSON object of groups with lists of roles.", hint=hint, id="portal.E001")]
    unknown = sorted({str(role) for roles in mapping.values() for role in roles} - set(ROLES))
    if not unknown:
        return []
    hint = f"The roles are {', '.join(ROLES)}."
    return [Error(f"SSO_ROLES names roles that do not exist: {', '.join(unknown)}.", hint=hint, id="portal.E002")]
