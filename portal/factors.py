"""Second factors as allauth keeps them: encrypted secrets, the last one stays, and each change is a fact."""

from __future__ import annotations

import base64
from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.reauthentication import get_reauthentication_flows
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from approvals import factors
from approvals.sessions import end_sessions
from records import trail

View = Callable[..., HttpResponse]


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth ships no types
    """Encrypt what is kept of a factor, and refuse to remove the last one of somebody who has to have one."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "cannot_delete_authenticator": (
            "This is your last second factor and your roles need one; add a passkey first, then remove this one."
        ),
        "incorrect_code": "This code is wrong, used or too old; type the one that your app shows now.",
    }

    def encrypt(self, text: str) -> str:
        """Return the text sealed with a key made from SECRET_KEY (Fernet: AES-128-CBC with HMAC-SHA-256)."""
        return _sealer(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return what encrypt() sealed; raises PermissionDenied when that was under a key that is gone."""
        try:
            return _sealer(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS).decrypt(encrypted_text).decode()
        except InvalidToken as error:
            raise PermissionDenied(
                _("This factor was enrolled under a key that the portal no longer has; ask an operator to reset it.")
            ) from error

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """Answer no for the last factor of somebody whose roles need one."""
        return factors.may_remove(authenticator)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002  # allauth's word
        """Name a passkey by its number and day, so that two can be told apart."""
        number = Authenticator.objects.filter(user_id=user.pk, type=type).count() + 1
        return _("Passkey %(number)s, %(day)s") % {"number": number, "day": f"{timezone.now():%Y-%m-%d}"}

    def get_totp_label(self, user: Any) -> str:
        """Name the entry in the app after the account, not after its e-mail address."""
        return str(user.get_username())

    def _get_site_name(self) -> str:
        return _("Rollback portal")


@lru_cache(maxsize=4)
def _sealer(*secrets: str) -> MultiFernet:
    return MultiFernet([Fernet(_key_of(secret)) for secret in secrets])


def _key_of(secret: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"rollback portal: second factors")
    return base64.urlsafe_b64encode(derived.derive(secret.encode()))


def changes_factors(view: View) -> View:
    """Let allauth's view add or remove factors with its facts in one transaction, for somebody who just proved who they are.

    allauth asks for the password or a factor once more. Whoever has neither came by single sign-on and has to have
    come within ACCOUNT_REAUTHENTICATION_TIMEOUT, or signs in again. The first factor ends the person's other
    sessions, which never saw one.
    """

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if _signed_in_too_long_ago(request):
            logout(request)
            messages.info(request, _("Sign in again to go on: a second factor is only changed right after that."))
            return redirect_to_login(request.get_full_path())
        had_one = factors.has_factor(request.user)
        with transaction.atomic():
            response = view(request, *args, **kwargs)
            if not had_one and Authenticator.objects.filter(user=request.user, type__in=factors.FACTORS).exists():
                end_other_sessions(request)
        return response

    return guarded


def end_other_sessions(request: HttpRequest, *, only: int | None = None) -> int:
    """End every session of the person but this one, or the one with this id; return how many ended."""
    with trail.recording(request.user) as facts:  # type: ignore[arg-type]  # only people who signed in come here
        ended = end_sessions(request.user, only=only, keep=request.session.session_key)
        if ended:
            facts.add("person.sessions_ended", f"person:{request.user.pk}", sessions=ended)
    return ended


def _signed_in_too_long_ago(request: HttpRequest) -> bool:
    if get_reauthentication_flows(request.user):
        return False
    newest = max((record["at"] for record in get_authentication_records(request, request.user)), default=0)
    return bool(timezone.now().timestamp() - newest > settings.ACCOUNT_REAUTHENTICATION_TIMEOUT)


def on_factor_saved(sender: Any, instance: Authenticator, created: bool, **kwargs: Any) -> None:
    """Write the fact of a new factor; the use of one is saved too and is no fact."""
    if created:
        factors.tell(_actor(), "person.factor_added", instance)


def on_factor_deleted(sender: Any, instance: Authenticator, **kwargs: Any) -> None:
    """Write the fact of a removed factor."""
    factors.tell(_actor(), "person.factor_removed", instance)


def on_password_changed(sender: Any, request: HttpRequest, **kwargs: Any) -> None:
    """Write the fact and end the other sessions, which would not survive the new password anyway."""
    with trail.recording(request.user) as facts:  # type: ignore[arg-type]  # allauth's view wants somebody signed in
        facts.add("person.password_changed", f"person:{request.user.pk}")
    end_other_sessions(request)


def _actor() -> Any:
    """Return who is at the browser; None where a command or the portal itself is at work."""
    user = getattr(context.request, "user", None) if context.request is not None else None
    return user if user is not None and user.is_authenticated else None
