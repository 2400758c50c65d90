"""The only writer of the trail: a use case collects its facts and they are written last, in its transaction."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction

from records import chain
from records.models import Fact

# One number for the whole portal: writers of the trail queue on this transaction-level advisory lock.
TRAIL_LOCK = 0x7472_6169_6C00


@dataclass
class Facts:
    """What one use case has to say; nothing is in the trail before the use case ends well."""

    actor: AbstractBaseUser | None
    waiting: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    written: list[Fact] = field(default_factory=list)

    def add(self, action: str, subject: str, **detail: Any) -> None:
        """Remember one fact: `action` in the form noun.verb, `subject` in the form kind:id."""
        self.waiting.append((action, subject, detail))


@contextmanager
def recording(actor: AbstractBaseUser | None) -> Iterator[Facts]:
    """Open a transaction whose facts are written at its end, or not at all.

    The facts are written last on purpose: the trail's lock is then the last lock that any use case
    takes, so two use cases that change rows in a different order cannot deadlock on it.
    """
    with transaction.atomic():
        facts = Facts(actor)
        yield facts
        append(facts)


def append(facts: Facts) -> None:
    """Write what waits in `facts` to the end of the trail; call it inside a transaction, as its last act."""
    if not facts.waiting:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_catalog.pg_advisory_xact_lock(%s)", [TRAIL_LOCK])
    head = Fact.objects.order_by("-seq").values_list("seq", "digest").first()
    seq, previous = head or (0, chain.GENESIS)
    for action, subject, detail in facts.waiting:
        seq += 1
        fact = _fact(facts.actor, seq, previous, action, subject, detail)
        fact.save(force_insert=True)
        facts.written.append(fact)
        previous = fact.digest
    facts.waiting.clear()


def head() -> tuple[int, str]:
    """Return the number and digest of the newest fact; (0, 64 zeros) for an empty trail."""
    return Fact.objects.order_by("-seq").values_list("seq", "digest").first() or (0, chain.GENESIS)


def detail_of(fact: Fact) -> dict[str, Any]:
    """Return what the fact says beside its action, subject and actor."""
    detail: dict[str, Any] = json.loads(fact.line).get("detail", {})
    return detail


def _fact(
    actor: AbstractBaseUser | None,
    seq: int,
    previous: str,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
) -> Fact:
    at = datetime.now(UTC)
    spoken = {
        "at": at.isoformat(timespec="microseconds"),
        "action": action,
        "subject": subject,
        # The name as it was then, beside the id that stays: accounts get renamed.
        "actor": None if actor is None else _spoken_actor(actor),
        "detail": dict(detail),
    }
    made = chain.link(seq=seq, previous=previous, fact=spoken)
    return Fact(
        seq=seq,
        at=at,
        action=action,
        subject=subject,
        actor_id=None if actor is None else actor.pk,
        line=made.line,
        previous=previous,
        digest=made.digest,
    )


def _spoken_actor(actor: AbstractBaseUser) -> dict[str, Any]:
    """`acts_through` is set by the door that let somebody in otherwise than by a session: which API token it was."""
    spoken = {"id": actor.pk, "name": actor.get_username()}
    through = getattr(actor, "acts_through", "")
    return {**spoken, "through": through} if through else spoken
