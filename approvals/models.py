"""Rows of sign-off: one case per digest, one sign-off per person and case."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models

from approvals import policy


class Case(models.Model):
    """One digest under one frozen policy. `subject` names what it is about in the form kind:id."""

    subject = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    policy = models.JSONField()
    # {"person id": "reason"}: who filed, edited or answered; they may not sign.
    barred = models.JSONField(default=dict)
    opened_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(auto_now_add=True)
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


class SignOff(models.Model):
    """One person's vote; a trigger (migration 0002) refuses every change of it."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="sign_offs")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="sign_offs")
    role = models.CharField(max_length=32)
    choice = models.CharField(max_length=16, choices=[(choice.value, choice.value) for choice in policy.Choice])
    reason = models.TextField(blank=True)
    digest = models.CharField(max_length=64)
    signed_at = models.DateTimeField(auto_now_add=True)
    # How the person proved again who they are, and when (seconds before the vote matter to an auditor).
    method = models.CharField(max_length=32)
    reauthenticated_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "person"], name="sign_off_once_per_person"),
            models.CheckConstraint(
                condition=models.Q(choice__in=[choice.value for choice in policy.Choice]),
                name="sign_off_known_choice",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id} {self.role} {self.choice}"


class ServiceAccount(models.Model):
    """Marks an account that no person uses: it has no password, files and runs over the API, and has no vote."""

    account = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="service_account")
    purpose = models.CharField(max_length=200)
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.purpose


class ApiToken(models.Model):
    """A bearer token of a person or a service account. Only its SHA-256 is kept; `prefix` is shown and finds it."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64)
    scopes = ArrayField(models.CharField(max_length=8))
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    # To the minute; it tells which tokens nobody needs, and is no fact of the trail.
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(expires_at__lte=models.F("made_at") + timedelta(days=90)),
                name="api_token_ninety_days",
            ),
        ]
        indexes = [models.Index(fields=["owner", "-id"], name="api_token_owner")]

    def __str__(self) -> str:
        return f"{self.prefix} {self.name}"
