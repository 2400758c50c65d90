"""What the pages of people show, each page with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from approvals.models import Delegation, Interruption, RoleGrant
from approvals.roles import ROLES
from records.paging import page_of

PAGE = 50
MOST_CHOICES = 500


@dataclass(frozen=True)
class PersonRow:
    """One person in the list: the grants they hold, the delegations they have now, and how they prove themselves."""

    person: Any
    grants: tuple[RoleGrant, ...]
    delegations: tuple[Delegation, ...]
    second_factor: bool | None


@dataclass(frozen=True)
class Waiting:
    """What waits for a second administrator."""

    grants: tuple[RoleGrant, ...]
    delegations: tuple[Delegation, ...]


@dataclass(frozen=True)
class PersonPage:
    """Everything that is known of one person's roles, newest first."""

    person: Any
    grants: tuple[RoleGrant, ...]
    delegations: tuple[Delegation, ...]
    interruptions: tuple[Interruption, ...]
    second_factor: bool | None


def waiting() -> Waiting:
    """Return the proposals that nobody answered yet, oldest first."""
    grants = RoleGrant.objects.filter(confirmed_at__isnull=True, ended_at__isnull=True)
    made = Delegation.objects.filter(confirmed_at__isnull=True, ended_at__isnull=True, ends_at__gt=Now())
    return Waiting(
        tuple(grants.select_related("person", "proposed_by").order_by("id")[:PAGE]),
        tuple(made.select_related("holder", "delegate", "made_by").order_by("id")[:PAGE]),
    )


def people(before: int | None) -> tuple[tuple[PersonRow, ...], int | None]:
    """Return one page of people, newest first, and the key of the next page, or None when this is the last."""
    page, following = page_of(get_user_model().objects.all(), before)
    shown = [person.pk for person in page]
    grants: dict[int, list[RoleGrant]] = {}
    rows = RoleGrant.objects.filter(person__in=shown, confirmed_at__isnull=False, ended_at__isnull=True)
    for grant in rows.select_related("confirmed_by", "proposed_by"):
        grants.setdefault(grant.person_id, []).append(grant)
    delegations: dict[int, list[Delegation]] = {}
    for made in Delegation.objects.running().filter(delegate__in=shown).select_related("holder"):
        delegations.setdefault(made.delegate_id, []).append(made)
    enrolled = with_second_factor(shown)
    listed = tuple(
        PersonRow(
            person,
            _in_order(grants.get(person.pk, [])),
            tuple(delegations.get(person.pk, ())),
            None if enrolled is None else person.pk in enrolled,
        )
        for person in page
    )
    return listed, following


def person_page(person: Any) -> PersonPage:
    """Return the newest of the person's grants, delegations and interruptions."""
    grants = RoleGrant.objects.filter(person=person).select_related("proposed_by", "confirmed_by", "ended_by")
    enrolled = with_second_factor([person.pk])
    return PersonPage(
        person,
        tuple(grants[:PAGE]),
        delegations_of(person),
        tuple(Interruption.objects.filter(person=person)[:10]),
        None if enrolled is None else bool(enrolled),
    )


def delegations_of(person: Any) -> tuple[Delegation, ...]:
    """Return what the person delegated and what was delegated to them, newest first."""
    rows = Delegation.objects.filter(Q(holder=person) | Q(delegate=person))
    return tuple(rows.select_related("holder", "delegate", "made_by", "confirmed_by", "ended_by")[:PAGE])


def possible_delegates(holder: Any) -> QuerySet[Any]:
    """Return who a role can be delegated to: active people with a role of their own, by name."""
    grants = RoleGrant.objects.held().filter(person=OuterRef("pk"))
    found = get_user_model().objects.filter(Exists(grants), is_active=True).exclude(pk=holder.pk)
    return found.order_by("first_name", "last_name", "username")[:MOST_CHOICES]


def with_second_factor(person_ids: Collection[int]) -> set[int] | None:
    """Return who of these has a second factor that can sign; None where second factors are not installed."""
    if not apps.is_installed("allauth.mfa"):
        return None
    rows = apps.get_app_config("mfa").get_model("Authenticator")._default_manager.filter(user__in=person_ids)
    return set(rows.exclude(type="recovery_codes").values_list("user_id", flat=True))


def _in_order(grants: Sequence[RoleGrant]) -> tuple[RoleGrant, ...]:
    return tuple(sorted(grants, key=lambda grant: list(ROLES).index(grant.role)))
