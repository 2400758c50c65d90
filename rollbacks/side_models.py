"""Rows of what goes on beside a run: the deploy freeze, checks of feature flags, and the patch to download."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class DeployFreeze(models.Model):
    """A freeze of deployments that was asked for with an execution's apply step, until its release was delivered.

    The row is made before the operator's address is asked, so that a worker's death in between leaves the release owed.
    """

    execution = models.OneToOneField("rollbacks.Execution", on_delete=models.PROTECT, related_name="freeze")
    asked_at = models.DateTimeField(db_default=Now())
    released_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    # When the release may be tried next.
    due_at = models.DateTimeField(db_default=Now())
    # Why the last attempt to release did not get through; empty when none failed.
    sentence = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["due_at"], condition=models.Q(released_at__isnull=True), name="deploy_freeze_owed"),
        ]

    def __str__(self) -> str:
        return f"{self.execution_id} deploy freeze"


class FlagCheck(models.Model):
    """One wish to have a worker ask the target's feature flags, and what it saw; the newest of a request counts.

    `seen` has one entry for each flag: its pointer, the value expected and the value found. `answer` is the checklist
    answer that it became, when every flag was as expected.
    """

    request = models.ForeignKey("rollbacks.Request", on_delete=models.PROTECT, related_name="flag_checks")
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True)
    seen = models.JSONField(default=list)
    sentence = models.TextField(blank=True)
    answer = models.OneToOneField("rollbacks.Answer", null=True, on_delete=models.PROTECT, related_name="flag_check")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["request", "-id"], name="flag_check_newest"),
            models.Index(fields=["asked_at"], condition=models.Q(finished_at__isnull=True), name="flag_check_open"),
        ]

    def __str__(self) -> str:
        return f"RB-{self.request_id} flag check {self.pk}"


class PatchFile(models.Model):
    """The rollback's branch as `git format-patch` writes it, for teams that do not take the branch from the remote."""

    execution = models.OneToOneField("rollbacks.Execution", on_delete=models.PROTECT, related_name="patch")
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    made_at = models.DateTimeField(db_default=Now())

    def __str__(self) -> str:
        return f"{self.execution_id} patch"
