"""Rows of sign-off: one case per digest, one sign-off per person and case."""

from __future__ import annotations

from django.conf import settings
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
