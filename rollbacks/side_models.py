"""Rows of what goes on beside a run: deploy freeze, resume points of the lane, checks of flags, the patch, backups."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
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


class ResumePoint(models.Model):
    """How far one statement outside the transaction is: the row is made before the statement is sent.

    `number` counts the lane's statements, those before the transaction first. `evidence` has what the probes saw and
    how long it took.
    """

    class State(models.TextChoices):
        """Whether the statement's effect was seen."""

        BEGUN = "begun"
        DONE = "done"
        # Begun and stopped, and the index is as it was before.
        UNDONE = "undone"

    execution = models.ForeignKey("rollbacks.Execution", on_delete=models.PROTECT, related_name="resume_points")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=State.choices)
    attempt = models.PositiveIntegerField()
    evidence = models.JSONField(default=dict)
    begun_at = models.DateTimeField(db_default=Now())
    done_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["execution", "number"], name="resume_point_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["begun", "done", "undone"]), name="resume_point_known_state"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.execution_id} statement {self.number}"


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


class Backup(models.Model):
    """One backup in a store, from the moment that it was complete there until it was removed.

    `sha256` and `size` are those of the stored bytes, `plain_…` of the dump itself. `restored_at` is when its restore proved
    it; `refusal` says why it cannot be relied on. A removal is decided (`removing_at`) before the store is touched, so that
    a worker's death in between leaves it to be finished.
    """

    execution = models.OneToOneField("rollbacks.Execution", on_delete=models.PROTECT, related_name="backup")
    target = models.ForeignKey("rollbacks.Target", on_delete=models.PROTECT, related_name="backups")
    location = models.CharField(max_length=500)
    name = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()
    plain_sha256 = models.CharField(max_length=64)
    plain_size = models.BigIntegerField()
    # Public keys; empty for a backup in plain.
    recipients = ArrayField(models.CharField(max_length=4000), default=list, blank=True)
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    restored_at = models.DateTimeField(null=True)
    refusal = models.TextField(blank=True)
    removing_at = models.DateTimeField(null=True)
    removed_at = models.DateTimeField(null=True)
    removal = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(removed_at__isnull=True) | models.Q(removing_at__isnull=False),
                name="backup_removed_by_decision",
            ),
        ]
        indexes = [
            models.Index(fields=["expires_at"], condition=models.Q(removed_at__isnull=True), name="backup_kept"),
            models.Index(fields=["target", "-id"], name="backup_target"),
        ]

    def __str__(self) -> str:
        return f"backup {self.pk}"


class BackupHold(models.Model):
    """A reason for which a backup must not be removed, until somebody lifts it or its time is over. There may be several."""

    backup = models.ForeignKey(Backup, on_delete=models.PROTECT, related_name="holds")
    placed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    placed_at = models.DateTimeField(db_default=Now())
    reason = models.TextField()
    until = models.DateTimeField(null=True)
    lifted_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    lifted_at = models.DateTimeField(null=True)
    lift_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(lifted_at__isnull=True, lifted_by__isnull=True)
                | models.Q(lifted_at__isnull=False, lifted_by__isnull=False),
                name="backup_hold_lifted_by_somebody",
            ),
        ]
        indexes = [
            models.Index(fields=["backup"], condition=models.Q(lifted_at__isnull=True), name="backup_hold_open"),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}"


class StrayFile(models.Model):
    """A file in a store that belongs to no kept backup, from when a sweep first saw it until it was gone."""

    class Kind(models.TextChoices):
        """What it is; only what nobody can restore anything from is ever removed."""

        PARTIAL = "partial"
        LEFTOVER = "leftover"
        UNKNOWN = "unknown"
        FOREIGN = "foreign"

    location = models.CharField(max_length=500)
    name = models.CharField(max_length=500)
    size = models.BigIntegerField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    seen_at = models.DateTimeField(db_default=Now())
    gone_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["location", "name"], condition=models.Q(gone_at__isnull=True), name="stray_file_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name
