"""The outbox: claim what is due, send it without a transaction, settle how it ended."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q
from django.utils.translation import gettext as _

from approvals.roles import ROLES
from approvals.standing import name_of
from notices import mail
from notices.channels import outgoing
from notices.channels.addresses import BadAddresses, addresses_of, networks_of
from notices.channels.outgoing import NotSent
from notices.evidence import keep_evidence
from notices.kinds import KINDS
from notices.models import DAILY, EMAIL, OUTGOING, WAITING, Delivery, DeliveryState
from records import trail
from records.trail import Facts

logger = logging.getLogger(__name__)

MAX_PAUSE = timedelta(hours=4)
# A person's daily mail has at most so many notices; the rest comes with the next one.
DAILY_LIMIT = 50
UNSETTLED = 2
UNKNOWN = (
    "Two attempts ended without an answer, so it may have arrived twice or not at all; send it again if it is missed."
)


@dataclass(frozen=True)
class Claim:
    """Deliveries that leave together; nobody else can send them while the lease holds."""

    deliveries: tuple[Delivery, ...]
    attempt: int
    again: bool

    @property
    def channel(self) -> str:
        """What fails together: the mail server, or one address."""
        first = self.deliveries[0]
        return f"{OUTGOING}:{first.recipient}" if first.channel == OUTGOING else EMAIL


Send = Callable[[Claim, Mapping[str, str]], None]


def send_due(environ: Mapping[str, str] = os.environ, *, until: Callable[[], bool] = lambda: False) -> int:
    """Send what is due until nothing is left or `until()` says so; return how many attempts were made.

    A channel that did not answer is left alone for the rest of this call, so it costs one wait and not many.
    """
    silent: set[str] = set()
    attempts = 0
    while not until():
        claim = claim_next(without=silent)
        if claim is None:
            return attempts
        attempts += 1
        failure = attempt(claim, environ)
        if failure is not None and failure.silent:
            silent.add(claim.channel)
    return attempts


def claim_next(*, without: Collection[str] = ()) -> Claim | None:
    """Claim the delivery that is due longest, a person's daily ones together; None when nothing is due.

    One whose earlier attempt ended without an answer is tried once more and says so; after a second such
    attempt it is dead, because nobody wants a third copy of the same notice.
    """
    now = datetime.now(UTC)
    lease = now + timedelta(seconds=settings.NOTICE_LEASE_SECONDS)
    with trail.recording(None) as facts:
        while True:
            first = _due(now, without).select_related("notice", "person").order_by("next_at", "id").first()
            if first is None:
                return None
            if first.state == DeliveryState.SENDING:
                first.unsettled += 1
            if first.unsettled >= UNSETTLED:
                _end(facts, first, UNKNOWN)
                continue
            together = [first, *_daily_others(first, now)]
            Delivery.objects.filter(pk__in=[each.pk for each in together]).update(
                state=DeliveryState.SENDING, lease_until=lease, attempts=F("attempts") + 1
            )
            Delivery.objects.filter(pk=first.pk).update(unsettled=first.unsettled)
            return Claim(tuple(together), first.attempts + 1, first.unsettled > 0)


def attempt(claim: Claim, environ: Mapping[str, str]) -> NotSent | None:
    """Send what was claimed and settle it; return why it did not leave, or None. No transaction is open meanwhile."""
    try:
        _send(claim, environ)
    except NotSent as failure:
        settle_failure(claim, failure)
        return failure
    except Exception as error:
        # The class is enough for the row; the log has the rest, and no address is ever in this process's errors.
        logger.exception("Delivery %s stopped unexpectedly.", claim.deliveries[0].pk)
        bug = NotSent(f"Sending stopped unexpectedly ({type(error).__name__}); the worker's log has the details.")
        settle_failure(claim, bug)
        return bug
    settle_sent(claim)
    return None


def settle_sent(claim: Claim) -> None:
    """Write that the claim's deliveries left, and keep on-call's as evidence, if the claim is still ours."""
    now = datetime.now(UTC)
    with trail.recording(None) as facts:
        for delivery in _mine(claim):
            Delivery.objects.filter(pk=delivery.pk).update(
                state=DeliveryState.SENT, sent_at=now, lease_until=None, unsettled=0, error=""
            )
            delivery.sent_at = now
            keep_evidence(facts, delivery)


def settle_failure(claim: Claim, failure: NotSent) -> None:
    """Write why the claim's deliveries did not leave; they are tried again after a pause that grows, or are dead."""
    with trail.recording(None) as facts:
        for delivery in _mine(claim):
            if failure.final or delivery.attempts >= settings.NOTICE_ATTEMPTS:
                _end(facts, delivery, str(failure))
                continue
            Delivery.objects.filter(pk=delivery.pk).update(
                state=DeliveryState.FAILED, lease_until=None, error=str(failure)[:300],
                next_at=datetime.now(UTC) + _pause(delivery.attempts),
            )  # fmt: skip


def send_again(actor: Any, delivery_id: int) -> bool:
    """Put a delivery back to be sent at once, its attempts forgotten; False when it is not failed or dead (any more)."""
    with trail.recording(actor) as facts:
        found = Delivery.objects.select_for_update(of=("self",)).select_related("notice").filter(pk=delivery_id).first()
        if found is None or found.state not in {DeliveryState.FAILED, DeliveryState.DEAD}:
            return False
        Delivery.objects.filter(pk=found.pk).update(
            state=DeliveryState.PENDING, attempts=0, unsettled=0, next_at=datetime.now(UTC), lease_until=None, error=""
        )
        facts.add("notice.sent_again", found.notice.subject, delivery=found.pk, title=found.notice.title)
        return True


def _due(now: datetime, without: Collection[str]) -> Any:
    ready = Q(state__in=[DeliveryState.PENDING, DeliveryState.FAILED], next_at__lte=now)
    abandoned = Q(state=DeliveryState.SENDING, lease_until__lt=now)
    rows = Delivery.objects.select_for_update(skip_locked=True, of=("self",)).filter(ready | abandoned)
    if EMAIL in without:
        rows = rows.filter(channel=OUTGOING)
    labels = [channel.partition(":")[2] for channel in without if channel != EMAIL]
    return rows.exclude(channel=OUTGOING, recipient__in=labels) if labels else rows


def _daily_others(first: Delivery, now: datetime) -> list[Delivery]:
    if first.channel != DAILY or first.unsettled:
        return []
    rows = Delivery.objects.select_for_update(skip_locked=True, of=("self",)).select_related("notice", "person")
    due = rows.filter(
        channel=DAILY, person=first.person, state__in=[DeliveryState.PENDING, DeliveryState.FAILED], next_at__lte=now
    )
    return list(due.exclude(pk=first.pk).order_by("id")[: DAILY_LIMIT - 1])


def _mine(claim: Claim) -> list[Delivery]:
    """Return the claim's deliveries that nobody took over since, locked."""
    attempts = {each.pk: each.attempts + 1 for each in claim.deliveries}
    rows = Delivery.objects.select_for_update(of=("self",)).select_related("notice", "person", "notice__actor")
    found = rows.filter(pk__in=attempts, state__in=WAITING).order_by("pk")
    return [each for each in found if each.state == DeliveryState.SENDING and each.attempts == attempts[each.pk]]


def _end(facts: Facts, delivery: Delivery, sentence: str) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(
        state=DeliveryState.DEAD, lease_until=None, error=sentence[:300], unsettled=0
    )
    facts.add(
        "notice.undelivered", delivery.notice.subject, delivery=delivery.pk, title=delivery.notice.title,
        recipient=recipient_words(delivery), sentence=sentence,
    )  # fmt: skip


def recipient_words(delivery: Delivery) -> str:
    """Return for whom a delivery is: the person's name, or the label of the address."""
    if delivery.person is None:
        return delivery.recipient
    return name_of(delivery.person)


def _pause(attempts: int) -> timedelta:
    return min(MAX_PAUSE, timedelta(seconds=settings.NOTICE_RETRY_SECONDS * 3 ** min(max(attempts, 1) - 1, 12)))


def _send(claim: Claim, environ: Mapping[str, str]) -> None:
    first = claim.deliveries[0]
    if first.channel != OUTGOING:
        if first.person is None or not first.person.is_active:
            raise NotSent("The person's account is switched off.", final=True)
        mail.send_mail(claim.deliveries, again=claim.again)
        return
    try:
        addresses = {each.label: each for each in addresses_of(environ, roles=ROLES)}
        networks = networks_of(environ)
    except BadAddresses as error:
        raise NotSent(str(error)) from error
    address = addresses.get(first.recipient)
    if address is None:
        raise NotSent("NOTIFY_URLS has no address with this label any more.", final=True)
    body = mail.plain(first)
    if claim.again:
        body = "\n".join([_("This may have reached you before."), body])
    outgoing.send(
        address, title=first.notice.title, body=body, urgent=KINDS[first.notice.kind].urgent, networks=networks,
        loopback=settings.DEMO, ca_file=environ.get("NOTIFY_CA_FILE", ""),
    )  # fmt: skip
