"""Rows of the trail and of the sealed change records; the database itself refuses to change either."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Fact(models.Model):
    """One line of the trail. `line` is the truth; the other columns repeat it so that it can be searched.

    A trigger (migration 0002) checks on insert that the line continues the chain and that the columns
    agree with it, and refuses UPDATE, DELETE and TRUNCATE for every role, replication included.
    """

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    action = models.CharField(max_length=64)
    subject = models.CharField(max_length=64)
    # The trail outlives people's accounts, hence PROTECT; NULL is the portal itself.
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="facts")
    line = models.TextField()
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["seq"]
        indexes = [
            models.Index(fields=["subject", "seq"], name="fact_subject"),
            models.Index(fields=["action", "seq"], name="fact_action"),
        ]

    def __str__(self) -> str:
        return f"{self.seq} {self.action} {self.subject}"


class ChangeRecord(models.Model):
    """The sealed document of one execution: canonical JSON, its digest and the fact that sealed it."""

    subject = models.CharField(max_length=64)
    token = models.CharField(max_length=64, unique=True)
    title = models.CharField(max_length=200)
    result = models.CharField(max_length=32)
    document = models.TextField()
    digest = models.CharField(max_length=64, unique=True)
    sealed_at = models.DateTimeField()
    fact = models.OneToOneField(Fact, on_delete=models.PROTECT, related_name="change_record")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["-sealed_at", "-id"], name="record_sealed_at")]

    def __str__(self) -> str:
        return self.title
