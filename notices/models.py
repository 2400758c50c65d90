"""Rows of the outbox: how far the trail was read, what is to be told, and to whom it was sent."""

from __future__ import annotations

from django.conf import settings
from django.db import models

EMAIL, DAILY, OUTGOING = "email", "daily", "url"
CHANNELS = (EMAIL, DAILY, OUTGOING)


class DeliveryState(models.TextChoices):
    """Where a delivery stands; failed ones are tried again, dead ones only when an administrator says so."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    DEAD = "dead"


WAITING = (DeliveryState.PENDING, DeliveryState.FAILED, DeliveryState.SENDING)


class Turn(models.Model):
    """Whose turn it is: one row for reading the trail (`seq` is the last fact read) and one for sending."""

    name = models.CharField(max_length=16, primary_key=True)
    seq = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class Notice(models.Model):
    """What is told, with its words frozen. `key` names its cause, so that no cause is told twice.

    `content` is notices.content.Content as JSON; `subject` names what it is about in the form kind:id.
    """

    key = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=32)
    subject = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    content = models.JSONField()
    path = models.CharField(max_length=200)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    # Set once a delivery of it was kept as the evidence of a checklist item: the answer's id.
    evidence = models.BigIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["subject", "kind", "-id"], name="notice_subject")]

    def __str__(self) -> str:
        return self.title


class Delivery(models.Model):
    """One notice for one person by mail, or for one of the operator's addresses.

    `recipient` is the person's id or the address's label; no address is kept here. While it is being
    sent, `lease_until` says until when nobody else may try; `unsettled` counts attempts whose end is unknown.
    """

    notice = models.ForeignKey(Notice, on_delete=models.PROTECT, related_name="deliveries")
    channel = models.CharField(max_length=8, choices=[(channel, channel) for channel in CHANNELS])
    recipient = models.CharField(max_length=100)
    person = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    # What the notice asks of this recipient in particular.
    note = models.CharField(max_length=200, blank=True)
    state = models.CharField(max_length=8, choices=DeliveryState.choices, default=DeliveryState.PENDING)
    attempts = models.PositiveIntegerField(default=0)
    unsettled = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["notice", "channel", "recipient"], name="delivery_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in DeliveryState]), name="delivery_known_state"
            ),
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="delivery_state"),
            models.Index(fields=["-id"], condition=~models.Q(state=DeliveryState.SENT.value), name="delivery_unsent"),
            models.Index(
                fields=["next_at"],
                condition=models.Q(state__in=[state.value for state in WAITING]),
                name="delivery_due",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.notice_id} {self.channel} {self.recipient}"


class Preference(models.Model):
    """How one person wants one kind of notice by mail; without a row it comes at once."""

    class Choice(models.TextChoices):
        """When a notice is mailed."""

        NOW = "now"
        DAILY = "daily"
        OFF = "off"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=32)
    choice = models.CharField(max_length=8, choices=Choice.choices)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "kind"], name="preference_once")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.kind} {self.choice}"
