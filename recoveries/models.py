"""Rows of recoveries, their steps and what people answered: fields and constraints, no verbs."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from recoveries.cutover import BY_HAND, ITEMS
from recoveries.kinds import KINDS
from recoveries.states import HOLDING, State
from rollbacks.leased_step import LeasedStep
from rollbacks.models import Target
from rollbacks.states import RunState


class Recovery(models.Model):
    """The wish to have a target as it was, on a new server. `plan` is what was signed, set when it is submitted.

    `restorable` is what a worker last heard from the provider: {"earliest", "latest", "backups", "note"} or {"error"}.
    """

    class Outcome(models.TextChoices):
        """How it ended."""

        CUT_OVER = "cut_over"
        GIVEN_UP = "given_up"

    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="recoveries")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="recoveries")
    provider = models.CharField(max_length=16, choices=[(kind.key, kind.title) for kind in KINDS.values()])
    state = models.CharField(
        max_length=16, choices=[(state.value, state.value) for state in State], default=State.DRAFT
    )
    incident = models.CharField(max_length=200)
    purpose = models.TextField()
    point = models.DateTimeField(null=True)
    before = models.CharField(max_length=200, blank=True)
    backup = models.CharField(max_length=200, blank=True)
    server = models.CharField(max_length=63, blank=True)
    emergency = models.BooleanField(default=False)
    emergency_reason = models.TextField(blank=True)
    restorable = models.JSONField(null=True)
    restorable_at = models.DateTimeField(null=True)
    plan = models.JSONField(null=True)
    digest = models.CharField(max_length=64, blank=True)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True)
    rung_at = models.DateTimeField(null=True)
    downtime_start = models.DateTimeField(null=True)
    downtime_end = models.DateTimeField(null=True)
    outcome = models.CharField(max_length=16, blank=True, choices=Outcome.choices)
    ending = models.TextField(blank=True)
    opened_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in State]), name="recovery_known_state"
            ),
            models.UniqueConstraint(
                fields=["server"],
                condition=models.Q(state__in=sorted(state.value for state in HOLDING)),
                name="recovery_server_once",
            ),
        ]
        indexes = [models.Index(fields=["state", "-id"], name="recovery_state")]

    def __str__(self) -> str:
        return f"PR-{self.pk}"


class RecoveryStep(LeasedStep):
    """One step of a recovery. Its progress is kept between attempts: what a provider began goes on while its worker is dead."""

    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="steps")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["recovery", "position"], name="recovery_step_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in RunState]), name="recovery_step_known_state"
            ),
        ]

    def __str__(self) -> str:
        return f"PR-{self.recovery_id} {self.name}"


class RecoveryAnswer(models.Model):
    """Evidence that a person gave for one item of the cutover, or for the restore by hand; the newest counts."""

    recovery = models.ForeignKey(Recovery, on_delete=models.PROTECT, related_name="answers")
    item = models.CharField(max_length=32, choices=[(item.key, item.title) for item in ITEMS] + [(BY_HAND, BY_HAND)])
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(auto_now_add=True)
    text = models.TextField()
    link = models.URLField(max_length=500, blank=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"PR-{self.recovery_id} {self.item}"
