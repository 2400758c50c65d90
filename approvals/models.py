"""Rows of sign-off: one case per digest, votes with the challenge that each answered, and reviews of emergencies."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from approvals import policy

CHALLENGE_LIFE = timedelta(minutes=5)


class Case(models.Model):
    """One digest under one frozen policy. `subject` names what it is about in the form kind:id."""

    subject = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    policy = models.JSONField()
    # {"person id": "reason"}: who filed, edited or answered; they may not sign.
    barred = models.JSONField(default=dict)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(db_default=Now())
    closed_at = models.DateTimeField(null=True)
    closed_reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["subject", "digest"], name="case_once_per_digest"),
            models.UniqueConstraint(
                fields=["subject"], condition=models.Q(closed_at__isnull=True), name="case_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.subject} {self.digest[:12]}"


class Challenge(models.Model):
    """What one person is about to sign, asked of their authenticator: bound to request and digest, used once.

    Times are the database's, so a web server's wrong clock neither prolongs nor shortens a challenge. A
    trigger (migration 0003) refuses every change but the one that sets `used_at`.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    subject = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    role = models.CharField(max_length=32)
    choice = models.CharField(max_length=16)
    reason_sha256 = models.CharField(max_length=64)
    # 32 random bytes in hexadecimal, so that no two statements are the same.
    nonce = models.CharField(max_length=64, unique=True)
    # The relying party that a passkey was asked under; empty when a code was asked for.
    rp_id = models.CharField(max_length=253, blank=True)
    made_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField(db_default=Now() + CHALLENGE_LIFE)
    used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.subject} {self.role} {self.choice}"


class SignOff(models.Model):
    """One person's vote; a trigger (migration 0002) refuses every change of it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="sign_offs")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sign_offs")
    role = models.CharField(max_length=32)
    choice = models.CharField(max_length=16, choices=[(choice.value, choice.value) for choice in policy.Choice])
    reason = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    # The database's time: a wrong clock on a web server must not make a vote younger or older.
    signed_at = models.DateTimeField(db_default=Now())
    # Votes that the same person took back on this case before this one.
    taken_back = models.PositiveSmallIntegerField(default=0)
    # How the person proved again who they are, and when (seconds before the vote matter to an auditor).
    method = models.CharField(max_length=32)
    confirmed_at = models.DateTimeField()
    # What shows it: for a passkey, everything that an offline check needs. Votes from before have neither.
    confirmation = models.JSONField(default=dict)
    challenge = models.OneToOneField(Challenge, null=True, on_delete=models.PROTECT, related_name="sign_off")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "person", "taken_back"], name="sign_off_once_per_person"),
            models.CheckConstraint(
                condition=models.Q(choice__in=[choice.value for choice in policy.Choice]),
                name="sign_off_known_choice",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.role} {self.choice}"


class Withdrawal(models.Model):
    """A vote taken back by the person who gave it; the vote stays as history, and they may vote once more."""

    sign_off = models.OneToOneField(SignOff, on_delete=models.PROTECT, related_name="withdrawal")
    reason = models.TextField()
    withdrawn_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.sign_off_id} withdrawn"


class Review(models.Model):
    """What an emergency owes afterwards: somebody who took no part looks at it before it is due.

    `used_by` filed it and may not break the glass again before the review is done. `taken_part` are the ids of all
    who filed, edited, answered or signed.
    """

    subject = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField()
    taken_part = ArrayField(models.BigIntegerField())
    roles = ArrayField(models.CharField(max_length=32))
    opened_at = models.DateTimeField(db_default=Now())
    due_at = models.DateTimeField()
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    told_overdue_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    justified = models.BooleanField(null=True)
    finding = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(done_at__isnull=True) | models.Q(done_by__isnull=False, justified__isnull=False),
                name="review_done_by_somebody",
            ),
            models.CheckConstraint(
                condition=models.Q(done_by__isnull=True) | ~models.Q(done_by=models.F("used_by")),
                name="review_by_another",
            ),
        ]
        indexes = [models.Index(fields=["used_by", "done_at"], name="review_of_person")]

    def __str__(self) -> str:
        return f"review of {self.subject}"
