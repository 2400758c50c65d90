"""Second factors: who has to have one, what the trail says about them, and taking them away when a device is lost."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.db.models import Exists, OuterRef

from approvals.models import Interruption
from approvals.roles import ADMINISTRATOR, SIGNING_ROLES, roles_of
from approvals.sessions import end_sessions
from records import trail

# Recovery codes stand in for a factor; alone they are none.
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)
FACTOR_ROLES = (*SIGNING_ROLES, ADMINISTRATOR)


def has_factor_now(person: str) -> Exists:
    """Return the annotation that reads with a person's row whether a second factor is enrolled."""
    return Exists(Authenticator.objects.filter(user=OuterRef(person), type__in=FACTORS))


def has_factor(person: Any) -> bool:
    """Tell whether the person has enrolled an authenticator app or a passkey."""
    # The sign-in backend reads it with the account, anew for every request.
    if hasattr(person, "has_factor_now"):
        return bool(person.has_factor_now)
    return bool(Authenticator.objects.filter(user=person, type__in=FACTORS).exists())


def roles_that_need_one(person: Any) -> tuple[str, ...]:
    """Return the person's roles that nobody may use without a second factor; a superuser counts as administrator."""
    held = tuple(role for role in roles_of(person) if role in FACTOR_ROLES)
    if not held and (person.is_superuser or person.is_staff):
        return (ADMINISTRATOR,)
    return held


def must_enrol(person: Any) -> bool:
    """Tell whether the person may do nothing but enrol: a role needs a second factor and there is none."""
    return bool(roles_that_need_one(person)) and not has_factor(person)


def may_remove(factor: Authenticator) -> bool:
    """Tell whether the factor may go: never the last one of somebody whose roles need one."""
    if factor.type not in FACTORS or not roles_that_need_one(factor.user):
        return True
    others = Authenticator.objects.filter(user_id=factor.user_id, type__in=FACTORS).exclude(pk=factor.pk)
    return bool(others.exists())


def tell(actor: Any, action: str, factor: Authenticator) -> None:
    """Write into the trail that a factor was added or removed; in the transaction of the change."""
    with trail.recording(actor) as facts:
        facts.add(action, f"person:{factor.user_id}", kind=str(factor.type), factor=factor.pk)


def remove_factors(actor: Any, person: Any) -> int:
    """Take all factors and recovery codes away and end every session, because a device was lost; return how many."""
    with trail.recording(actor) as facts:
        found = list(Authenticator.objects.select_for_update().filter(user=person))
        for factor in found:
            factor.delete()
        ended = end_sessions(person)
        # Whoever found the device may have voted with it.
        Interruption.objects.create(person=person, kind=Interruption.Kind.SESSIONS_ENDED)
        facts.add("person.factors_reset", f"person:{person.pk}", factors=len(found), sessions=ended)
    return len(found)
