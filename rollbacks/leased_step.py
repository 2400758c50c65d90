"""The row of one step of long work, which rollbacks and recoveries have alike."""

from __future__ import annotations

from django.db import models

from rollbacks.states import RunState


class LeasedStep(models.Model):
    """One step of long work: who works on it, until when the lease holds, and what it can show."""

    position = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=32)
    state = models.CharField(
        max_length=16, choices=[(state.value, state.value) for state in RunState], default=RunState.PENDING
    )
    # Also the fence: it only ever grows, so a worker that was paused for long never finds its own number again.
    attempt = models.PositiveIntegerField(default=0)
    # The attempt after which a person let it go on; how often it was tried since is counted from here.
    resumed_after = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    progress = models.JSONField(default=dict)
    evidence = models.JSONField(default=dict)
    observed = models.BooleanField(default=False)
    sentence = models.TextField(blank=True)

    class Meta:
        abstract = True

    @property
    def tries(self) -> int:
        """How often it was tried since it was made or a person let it go on."""
        return self.attempt - self.resumed_after
