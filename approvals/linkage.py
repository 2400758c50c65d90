"""Which accounts may belong to one person: they share an address, an identity, a factor or the look of their name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import get_user_model

from approvals.twins import look_of


@dataclass(frozen=True)
class Link:
    """What two or more accounts share. `value` never holds a secret: of a factor it is the start of a digest."""

    kind: str
    value: str
    people: tuple[tuple[int, str], ...]


def shared_with(person_id: int, others: Collection[int]) -> Link | None:
    """Return what the person's account shares with one of these others, which makes it likely that both are one person.

    User names that read alike are no reason: they are refused when an account is made, and prove nothing afterwards.
    """
    if not others:
        return None
    people = {person_id, *others}
    names = dict(get_user_model().objects.filter(pk__in=people).values_list("pk", "username"))
    for link in _links(names, _account_traits(people)):
        if any(person == person_id for person, _name in link.people):
            return link
    return None


def links() -> list[Link]:
    """Return everything that accounts share, by kind and value; switched off accounts are included.

    Kinds: "e-mail", "identity" (the subject of an identity provider), "passkey" (credential id), "authenticator app"
    (secret) and "user name" (two that read alike).
    """
    names = dict(get_user_model().objects.values_list("pk", "username"))
    alike = (("user name", look_of(name), person) for person, name in names.items())
    return _links(names, chain(alike, _account_traits(names)))


def _links(names: Mapping[int, str], traits: Iterable[tuple[str, str, int]]) -> list[Link]:
    holders: dict[tuple[str, str], set[int]] = defaultdict(set)
    for kind, value, person in traits:
        holders[kind, value].add(person)
    return [
        Link(kind, value, tuple((person, names[person]) for person in sorted(people)))
        for (kind, value), people in sorted(holders.items())
        if len(people) > 1
    ]


def _account_traits(people: Collection[int]) -> Iterator[tuple[str, str, int]]:
    accounts = get_user_model().objects.filter(pk__in=people).exclude(email="").values_list("email", "pk")
    addresses = EmailAddress.objects.filter(user__in=people).values_list("email", "user_id")
    for address, person in (*accounts, *addresses):
        yield "e-mail", address.strip().lower(), person
    for subject, person in SocialAccount.objects.filter(user__in=people).values_list("uid", "user_id"):
        yield "identity", subject, person
    factors = Authenticator.objects.filter(user__in=people).exclude(type=Authenticator.Type.RECOVERY_CODES)
    yield from _factor_traits(factors)


def _factor_traits(factors: Iterable[Any]) -> Iterator[tuple[str, str, int]]:
    for factor in factors:
        if factor.type == Authenticator.Type.WEBAUTHN:
            yield "passkey", str(factor.data["credential"].get("id", "")), factor.user_id
        else:
            secret = decrypt(factor.data["secret"])
            yield "authenticator app", sha256(secret.encode()).hexdigest()[:12], factor.user_id
