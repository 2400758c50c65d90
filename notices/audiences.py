"""Who is told: each function returns people with what is asked of them in particular ("" for nothing special)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from approvals.models import SignOff
from approvals.policy import Choice
from approvals.roles import ADMINISTRATOR, CTO, ON_CALL, ROLES, held_now, roles_of
from approvals.services import open_roles
from notices.causes import Cause
from recoveries.services import moves as recovering
from rollbacks.services.submission import people_who_touched

People = dict[Any, str]
Audience = Callable[[Cause], People]
Addressed = Callable[[Cause], Collection[str]]


def everyone(cause: Cause) -> People:
    """Everybody who holds a role."""
    return dict.fromkeys(_people(), "")


def could_sign(cause: Cause) -> People:
    """Everybody who could give a signature that is missing now, with the roles they could give it in."""
    if cause.case is None or cause.decision is None or not cause.missing:
        return {}
    found = {}
    for person in _people():
        roles = open_roles(cause.case, cause.decision, person)
        if roles:
            names = ", ".join(str(ROLES.get(role, role)) for role in roles)
            found[person] = _("You can sign as %(roles)s.") % {"roles": names}
    return found


def touched(cause: Cause) -> People:
    """Author, editors and who answered the checklist."""
    if cause.recovery is not None:
        return dict.fromkeys(_active(recovering.people_who_touched(cause.recovery)), "")
    if cause.request is None:
        return {}
    return dict.fromkeys(_active(people_who_touched(cause.request)), "")


def author(cause: Cause) -> People:
    """The author of the request or the recovery."""
    about = cause.request or cause.recovery
    return dict.fromkeys(_active([about.author_id]), "") if about else {}


def voters(cause: Cause) -> People:
    """Everybody who voted in the case."""
    return dict.fromkeys(_active(_voters(cause)), "")


def signers(cause: Cause) -> People:
    """Everybody who approved in the case."""
    return dict.fromkeys(_active(_voters(cause, choice=Choice.APPROVE)), "")


def on_call(cause: Cause) -> People:
    """Everybody who holds the role on-call."""
    return dict.fromkeys(_holding([ON_CALL]), "")


def named_roles(cause: Cause) -> People:
    """Everybody who holds one of the roles that the fact names, such as those who may review an emergency."""
    return dict.fromkeys(_holding(cause.detail.get("roles") or ()), "")


def escalation(cause: Cause) -> People:
    """Who has to hear that somebody's duty is late: CTO and administrators."""
    return dict.fromkeys(_holding([CTO, ADMINISTRATOR]), "")


def to_nobody(cause: Cause) -> Collection[str]:
    """No address."""
    return ()


def to_missing_roles(cause: Cause) -> Collection[str]:
    """The addresses of the roles whose signature is missing."""
    return cause.missing


def to_named_roles(cause: Cause) -> Collection[str]:
    """The addresses of the roles that the fact names."""
    return tuple(cause.detail.get("roles") or ())


def to_on_call(cause: Cause) -> Collection[str]:
    """The addresses of on-call."""
    return (ON_CALL,)


def to_every_role(cause: Cause) -> Collection[str]:
    """Every address."""
    return tuple(ROLES)


def gathered(cause: Cause, audiences: Iterable[Audience], *, without: Any = None) -> People:
    """Return the people of all audiences, each once and with the first note, without this person."""
    found: People = {}
    for audience in audiences:
        for person, note in audience(cause).items():
            found[person] = found.get(person) or note
    return {person: note for person, note in found.items() if without is None or person.pk != without.pk}


def _people() -> list[Any]:
    rows = get_user_model()._default_manager.filter(is_active=True).annotate(held_now=held_now("pk")).order_by("pk")
    return [person for person in rows if roles_of(person)]


def _holding(roles: Collection[str]) -> list[Any]:
    return [person for person in _people() if set(roles_of(person)) & set(roles)]


def _active(pks: Iterable[int]) -> list[Any]:
    return list(get_user_model()._default_manager.filter(pk__in=set(pks), is_active=True).order_by("pk"))


def _voters(cause: Cause, choice: Choice | None = None) -> list[int]:
    if cause.case is None:
        return []
    votes = SignOff.objects.filter(case=cause.case)
    if choice is not None:
        votes = votes.filter(choice=choice.value)
    return list(votes.values_list("person_id", flat=True))
