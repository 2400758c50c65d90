"""Which accounts may belong to one person: they share an address, an identity, a factor or the look of their name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
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


def links() -> list[Link]:
    """Return everything that accounts share, by kind and value; switched off accounts are included.

    Kinds: "e-mail", "identity" (the subject of an identity provider), "passkey" (credential id), "authenticator app"
    (secret) and "user name" (two that read alike).
    """
    names = dict(get_user_model().objects.values_list("pk", "username"))
    holders: dict[tuple[str, str], set[int]] = defaultdict(set)
    for kind, value, person in _traits(names):
        holders[kind, value].add(person)
    return [
        Link(kind, value, tuple((person, names[person]) for person in sorted(people)))
        for (kind, value), people in sorted(holders.items())
        if len(people) > 1
    ]


def _traits(names: dict[int, str]) -> Iterator[tuple[str, str, int]]:
    accounts = get_user_model().objects.exclude(email="").values_list("email", "pk")
    for address, person in (*accounts, *EmailAddress.objects.values_list("email", "user_id")):
        yield "e-mail", address.strip().lower(), person
    for subject, person in SocialAccount.objects.values_list("uid", "user_id"):
        yield "identity", subject, person
    for person, name in names.items():
        yield "user name", look_of(name), person
    yield from _factor_traits(Authenticator.objects.exclude(type=Authenticator.Type.RECOVERY_CODES))


def _factor_traits(factors: Iterable[Any]) -> Iterator[tuple[str, str, int]]:
    for factor in factors:
        if factor.type == Authenticator.Type.WEBAUTHN:
            yield "passkey", str(factor.data["credential"].get("id", "")), factor.user_id
        else:
            secret = decrypt(factor.data["secret"])
            yield "authenticator app", sha256(secret.encode()).hexdigest()[:12], factor.user_id
