"""Reading the trail: each fact that somebody has to hear of becomes a notice with its deliveries, once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta

from django.conf import settings
from django.db import transaction

from approvals.models import Case
from notices.audiences import People, gathered
from notices.causes import Cause, expires_at
from notices.channels.addresses import TEAM, Address
from notices.kinds import ACTIONS, EXPIRING, KINDS, ON_CALL, Rule, rule_for
from notices.models import DAILY, EMAIL, OUTGOING, Delivery, DeliveryState, Notice, Preference, Turn
from notices.turns import READING
from records.models import Fact

logger = logging.getLogger(__name__)

BATCH = 200
# Reminders go out this long before a plan's signatures expire; only the nearest one that is due.
REMINDERS = (timedelta(hours=2), timedelta(hours=24))


def collect(addresses: Sequence[Address]) -> int:
    """Read the facts after the kept position and return how many there were, at most BATCH.

    The position moves in the transaction that makes the notices, and a cause's key is unique: a fact is told
    once, however often it is read. Another worker that reads at this moment lets this one find nothing.
    """
    with transaction.atomic():
        Turn.objects.get_or_create(pk=READING)
        turn = Turn.objects.select_for_update(skip_locked=True).filter(pk=READING).first()
        if turn is None:
            return 0
        facts = list(Fact.objects.select_related("actor").filter(seq__gt=turn.seq).order_by("seq")[:BATCH])
        for fact in facts:
            if fact.action in ACTIONS:
                _tell(Cause.of_fact(fact), addresses)
        if facts:
            Turn.objects.filter(pk=READING).update(seq=facts[-1].seq)
        return len(facts)


def remind(addresses: Sequence[Address], *, now: datetime) -> None:
    """Make the reminders that are due for open cases; one per case and reminder, whoever calls how often."""
    for case in Case.objects.filter(closed_at__isnull=True).order_by("pk"):
        end = expires_at(case)
        if end is None:
            continue
        left = end - now
        due = next((before for before in REMINDERS if left <= before), None)
        if due is None or left <= timedelta(0):
            continue
        key = f"expiring:{case.pk}:{int(due.total_seconds() // 3600)}h"
        if Notice.objects.filter(key=key).exists():
            continue
        cause = Cause(key, EXPIRING, case.subject, {"digest": case.digest}, now)
        with transaction.atomic():
            _tell(cause, addresses)


def _tell(cause: Cause, addresses: Sequence[Address]) -> None:
    rule = rule_for(cause)
    if rule is None or Notice.objects.filter(key=cause.key).exists():
        return
    try:
        with transaction.atomic():
            _make(cause, rule, addresses)
    except Exception:
        # One fact that cannot be told must not keep the ones after it from being told.
        logger.exception("The fact %s could not be turned into a notice.", cause.key)


def _make(cause: Cause, rule: Rule, addresses: Sequence[Address]) -> None:
    people = gathered(cause, rule.people, without=None if rule.tells_actor else cause.actor)
    told = _addressed(cause, rule, addresses)
    # That nobody could be told of on-call's notice is itself an answer that somebody waits for.
    if not (people or told or rule.kind == ON_CALL):
        return
    content = rule.words(cause).document()
    notice = Notice.objects.create(
        key=cause.key, kind=rule.kind, subject=cause.subject, title=content["title"][:200], content=content,
        path=content["path"], actor=cause.actor,
    )  # fmt: skip
    now = datetime.now(UTC)
    mailed = _mailed(notice, people, urgent=KINDS[rule.kind].urgent, now=now)
    sent = [Delivery(notice=notice, channel=OUTGOING, recipient=each.label, next_at=now) for each in told]
    Delivery.objects.bulk_create([*mailed, *sent])


def _addressed(cause: Cause, rule: Rule, addresses: Sequence[Address]) -> list[Address]:
    roles = set(rule.addressed(cause))
    return [each for each in addresses if each.audience in roles or (rule.team and each.audience == TEAM)]


def _mailed(notice: Notice, people: People, *, urgent: bool, now: datetime) -> list[Delivery]:
    choices = {}
    if not urgent:
        rows = Preference.objects.filter(person__in=[person.pk for person in people], kind=notice.kind)
        choices = dict(rows.values_list("person_id", "choice"))
    found = []
    for person, note in people.items():
        choice = choices.get(person.pk, Preference.Choice.NOW)
        if choice == Preference.Choice.OFF:
            continue
        daily = choice == Preference.Choice.DAILY
        delivery = Delivery(
            notice=notice, channel=DAILY if daily else EMAIL, recipient=str(person.pk), person=person, note=note[:200],
            next_at=_next_daily(now) if daily else now,
        )  # fmt: skip
        if not person.email:
            delivery.state = DeliveryState.DEAD
            delivery.error = f"{person.get_username()} has no e-mail address; add one, then send it again."
        found.append(delivery)
    return found


def _next_daily(now: datetime) -> datetime:
    today = datetime.combine(now.date(), time(settings.NOTICE_DAILY_HOUR), tzinfo=UTC)
    return today if today > now else today + timedelta(days=1)
