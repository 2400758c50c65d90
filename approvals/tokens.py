"""API tokens and service accounts: who may make one, what it may do, and finding its owner again."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from hmac import compare_digest
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from approvals.models import ApiToken, ServiceAccount
from approvals.people import add_person
from approvals.roles import ADMINISTRATOR, ENGINEER, ON_CALL, held_now, may, roles_of
from records import trail

READ, FILE, RUN = "read", "file", "run"
SCOPES = (READ, FILE, RUN)
SERVICE_ROLES = (ENGINEER, ON_CALL)
MAX_DAYS = 90
MAX_LIVE = 20
# What a token looks like, so that secret scanners and people recognise one: rbp_<prefix>_<secret>.
SHAPE = re.compile(r"rbp_([0-9a-f]{10})_[A-Za-z0-9_-]{43}")
USED_EVERY = timedelta(minutes=1)


class TokenRefused(Exception):
    """The token or service account cannot be made or revoked as asked; the sentence says what to do."""


def add_service_account(actor: Any, *, username: str, purpose: str, roles: Collection[str]) -> Any:
    """Add an account that no person uses, with no password; return it. Raises TokenRefused."""
    if not roles or not set(roles) <= set(SERVICE_ROLES):
        raise TokenRefused(_("A service account is an engineer or on-call and nothing else; choose from these roles."))
    with trail.recording(actor) as facts:
        if get_user_model()._default_manager.filter(username=username).exists():
            raise TokenRefused(_("There is an account of this name already; choose another name."))
        account = add_person(
            actor, username=username, name=f"{username}: {purpose}"[:150], email="", password=None, roles=sorted(roles)
        )
        ServiceAccount.objects.create(account=account, purpose=purpose)
        facts.add("service_account.added", f"person:{account.pk}", username=username, purpose=purpose)
        return account


def is_service_account(person: Any) -> bool:
    """Tell whether the account is one that no person uses."""
    return ServiceAccount.objects.filter(account_id=person.pk).exists()


def make_token(actor: Any, *, owner: Any, name: str, scopes: Collection[str], days: int) -> tuple[ApiToken, str]:
    """Make a token and return it with its text, which is kept nowhere and cannot be shown again.

    Reading is always allowed to it. People make tokens for themselves, administrators also for service
    accounts; `actor` None is the command line. Raises TokenRefused.
    """
    if not (1 <= days <= MAX_DAYS):
        raise TokenRefused(_("A token is valid for 1 to %(most)s days; choose fewer.") % {"most": MAX_DAYS})
    if not set(scopes) <= set(SCOPES):
        raise TokenRefused(_("A token may read, file or run and nothing else; choose from these."))
    if actor is not None and not _may_make(actor, owner):
        raise TokenRefused(_("You may make tokens for yourself, and as an administrator for service accounts."))
    if not roles_of(owner):
        raise TokenRefused(_("This account has no role, so a token of it could do nothing; give it a role first."))
    now = datetime.now(UTC)
    with trail.recording(actor) as facts:
        # Locked, so that two pages open at once do not pass the limit together.
        get_user_model()._default_manager.select_for_update().get(pk=owner.pk)
        if live_tokens().filter(owner=owner).count() >= MAX_LIVE:
            raise TokenRefused(
                _("There are %(most)s valid tokens already; revoke one that nobody needs.") % {"most": MAX_LIVE}
            )
        prefix = f"rbp_{secrets.token_hex(5)}"
        text = f"{prefix}_{secrets.token_urlsafe(32)}"
        token = ApiToken.objects.create(
            owner=owner,
            name=name,
            prefix=prefix,
            digest=_digest(text),
            scopes=[scope for scope in SCOPES if scope == READ or scope in scopes],
            made_by=actor,
            made_at=now,
            expires_at=now + timedelta(days=days),
        )
        facts.add(
            "token.made",
            f"person:{owner.pk}",
            prefix=prefix,
            name=name,
            scopes=token.scopes,
            expires_at=token.expires_at.isoformat(timespec="seconds"),
        )
    return token, text


def revoke_token(actor: Any, token_id: int) -> ApiToken:
    """Make the token invalid from now on; revoking it again changes nothing.

    Raises ApiToken.DoesNotExist for a token that is not the actor's, unless the actor is an administrator.
    """
    with trail.recording(actor) as facts:
        token = tokens_seen_by(actor).select_for_update(of=("self",)).get(pk=token_id)
        if token.revoked_at is None:
            ApiToken.objects.filter(pk=token.pk).update(revoked_at=Now())
            facts.add("token.revoked", f"person:{token.owner_id}", prefix=token.prefix, name=token.name)
        return token


def tokens_seen_by(person: Any) -> QuerySet[ApiToken]:
    """Return the tokens that the person may see and revoke: their own, and all for an administrator."""
    found = ApiToken.objects.select_related("owner")
    return found if may(person, [ADMINISTRATOR]) else found.filter(owner=person)


def live_tokens() -> QuerySet[ApiToken]:
    """Return the tokens that are neither revoked nor expired, by the database's clock."""
    return ApiToken.objects.filter(revoked_at__isnull=True, expires_at__gt=Now())


def token_of(text: str) -> ApiToken | None:
    """Return the live token with this text, its owner's roles read with it; None for anything else."""
    shape = SHAPE.fullmatch(text)
    if shape is None:
        return None
    found = live_tokens().filter(prefix=f"rbp_{shape[1]}", owner__is_active=True).select_related("owner")
    token = found.annotate(held_now=held_now("owner")).first()
    if token is None or not compare_digest(token.digest, _digest(text)):
        return None
    owner: Any = token.owner
    owner.held_now = token.held_now
    return token


def note_use(token: ApiToken) -> None:
    """Keep that the token was used now, at most once a minute; what it did is in the trail."""
    now = datetime.now(UTC)
    if token.last_used_at is None or now - token.last_used_at > USED_EVERY:
        unused = Q(last_used_at__isnull=True) | Q(last_used_at__lt=now - USED_EVERY)
        ApiToken.objects.filter(unused, pk=token.pk).update(last_used_at=now)


def _may_make(actor: Any, owner: Any) -> bool:
    return bool(actor.pk == owner.pk) or (may(actor, [ADMINISTRATOR]) and is_service_account(owner))


def _digest(text: str) -> str:
    """A plain SHA-256: the secret has 256 random bits, so there is nothing that a slow hash would protect."""
    return hashlib.sha256(text.encode()).hexdigest()
