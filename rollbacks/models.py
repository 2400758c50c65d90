"""Rows of targets, requests and executions: fields and constraints, no verbs."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from rollbacks.checklist import ITEMS
from rollbacks.leased_step import LeasedStep
from rollbacks.options import DEFAULT_SECONDS
from rollbacks.side_models import DeployFreeze as DeployFreeze
from rollbacks.side_models import FlagCheck as FlagCheck
from rollbacks.side_models import PatchFile as PatchFile
from rollbacks.side_models import ResumePoint as ResumePoint
from rollbacks.states import RunState, State


def default_audit_tables() -> list[str]:
    """Return the audit tables that a new target is assumed to have."""
    return ["audit_events"]


class Target(models.Model):
    """A database with its Drizzle migrations, its repository and how a worker reaches both.

    No credential is kept here: `name` leads a worker to NAME_DIRECT_DATABASE_URL or to the libpq
    service of that name in its own environment.
    """

    name = models.SlugField(max_length=63, unique=True)
    title = models.CharField(max_length=120)
    environment = models.CharField(max_length=32)
    repository = models.CharField(max_length=500)
    base_branch = models.CharField(max_length=200, default="main")
    out = models.CharField(max_length=300)
    prefix = models.CharField(max_length=16, default="index")
    ledger_schema = models.CharField(max_length=63, default="drizzle")
    ledger_table = models.CharField(max_length=63, default="__drizzle_migrations")
    # The role that owns the objects; empty when the worker's own role does.
    owner_role = models.CharField(max_length=63, blank=True)
    audit_tables = ArrayField(models.CharField(max_length=130), default=default_audit_tables)
    # The project's own commands as argument lists, and the rest of rollbacks.options.Options.
    contract_tests = ArrayField(models.CharField(max_length=4000), default=list, blank=True)
    migrate_command = ArrayField(models.CharField(max_length=4000), default=list, blank=True)
    prepare_command = ArrayField(models.CharField(max_length=4000), default=list, blank=True)
    command_variables = ArrayField(models.CharField(max_length=128), default=list, blank=True)
    command_seconds = models.PositiveIntegerField(default=DEFAULT_SECONDS)
    deploy_freeze = models.BooleanField(default=False)
    flags = models.JSONField(default=dict, blank=True)
    # owner/name at GitHub, where pull requests are opened; empty for none.
    github = models.CharField(max_length=140, blank=True)
    # How long backups are kept; NULL for BACKUP_DAYS.
    backup_days = models.PositiveIntegerField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.title


class Inventory(models.Model):
    """What a worker read of a target at one moment: identity, journal, files, ledger and violations."""

    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="inventories")
    read_at = models.DateTimeField(auto_now_add=True)
    content = models.JSONField(null=True)
    # One sentence when the target or its repository could not be read; then there is no content.
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["target", "-id"], name="inventory_newest")]

    def __str__(self) -> str:
        return f"{self.target_id} {self.read_at:%Y-%m-%d %H:%M:%S}"


class Request(models.Model):
    """The wish to bring a target back to a return point. What it asks for is in its newest revision."""

    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="requests")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requests")
    state = models.CharField(
        max_length=16, choices=[(state.value, state.value) for state in State], default=State.DRAFT
    )
    # Empty for the state before the first migration.
    return_to = models.CharField(max_length=200, blank=True)
    opened_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in State]), name="request_known_state"
            )
        ]
        indexes = [
            models.Index(fields=["state", "-id"], name="request_state"),
            models.Index(fields=["target", "-id"], name="request_target"),
            models.Index(fields=["author", "-id"], name="request_author"),
        ]

    def __str__(self) -> str:
        return f"RB-{self.pk}"


class Revision(models.Model):
    """What a request asked for at one moment; every edit adds one, so that each can be compared and blamed.

    `reverse_sql` maps the tag of each migration to undo to the SQL that undoes it. `plan` is the plan that
    was signed about, set once when the revision is submitted.
    """

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    author = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="revisions")
    made_at = models.DateTimeField(auto_now_add=True)
    reason = models.TextField(blank=True)
    production_incident = models.BooleanField(default=False)
    incident_reference = models.CharField(max_length=200, blank=True)
    # Asks for the emergency rule (break-glass): fewer signatures now, a review afterwards.
    emergency = models.BooleanField(default=False)
    emergency_reason = models.TextField(blank=True)
    window_start = models.DateTimeField(null=True)
    window_end = models.DateTimeField(null=True)
    security_incident = models.CharField(max_length=200, blank=True)
    justification = models.TextField(blank=True)
    reverse_sql = models.JSONField(default=dict)
    plan = models.JSONField(null=True)
    digest = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="revision_once"),
        ]

    def __str__(self) -> str:
        return f"RB-{self.request_id} revision {self.number}"


class SubmittedPlan(models.Model):
    """A plan as it was submitted. The revision keeps the newest only; a page that was opened before needs its own."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="submitted_plans")
    digest = models.CharField(max_length=64)
    plan = models.JSONField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "digest"], name="submitted_plan_once"),
        ]

    def __str__(self) -> str:
        return f"RB-{self.request_id} {self.digest[:12]}"


class ProofRun(models.Model):
    """One proving of a request's reverse SQL by a worker on the scratch server; the newest about a subject counts.

    `subject` is the digest of rollbacks.reversal.proof.Subject, and `wanted` what it is made of beside the SQL that
    the revision has. A run that came to an end is done and has its
    `proof`, passed or not; one that could not be tried has failed and says why.
    """

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="proof_runs")
    revision = models.ForeignKey(Revision, on_delete=models.PROTECT, related_name="proof_runs")
    subject = models.CharField(max_length=64)
    wanted = models.JSONField()
    asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    asked_at = models.DateTimeField(auto_now_add=True)
    rung_at = models.DateTimeField(null=True)
    state = models.CharField(
        max_length=16, choices=[(state.value, state.value) for state in RunState], default=RunState.PENDING
    )
    attempt = models.PositiveIntegerField(default=0)
    worker = models.CharField(max_length=200, blank=True)
    lease_until = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    progress = models.JSONField(default=dict)
    proof = models.JSONField(null=True)
    # What the live target has beside it: drift and what is at stake, as read when it was proven.
    live = models.JSONField(default=dict)
    sentence = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "subject"],
                condition=models.Q(state__in=[RunState.PENDING.value, RunState.RUNNING.value]),
                name="proof_run_one_open_per_subject",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in RunState]), name="proof_run_known_state"
            ),
        ]
        indexes = [
            models.Index(fields=["request", "-id"], name="proof_run_newest"),
            models.Index(
                fields=["lease_until"],
                condition=models.Q(state__in=[RunState.PENDING.value, RunState.RUNNING.value]),
                name="proof_run_claimable",
            ),
        ]

    def __str__(self) -> str:
        return f"RB-{self.request_id} proof {self.pk}"


class Attachment(models.Model):
    """A file given as evidence, kept in the database with its digest."""

    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=100)
    content = models.BinaryField()
    sha256 = models.CharField(max_length=64)
    size = models.PositiveIntegerField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    added_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Answer(models.Model):
    """One answer to one checklist item; the newest counts, the older ones stay as history."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="answers")
    item = models.CharField(max_length=32, choices=[(item.key, item.title) for item in ITEMS])
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    answered_at = models.DateTimeField(auto_now_add=True)
    text = models.TextField(blank=True)
    link = models.URLField(max_length=500, blank=True)
    attachment = models.ForeignKey(Attachment, null=True, on_delete=models.PROTECT, related_name="answers")

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["request", "item", "-id"], name="answer_newest")]

    def __str__(self) -> str:
        return f"RB-{self.request_id} {self.item}"


class SecurityIncident(models.Model):
    """The incident that the runbook demands before audit immutability is removed; the newest one counts."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="security_incidents")
    reference = models.CharField(max_length=200)
    justification = models.TextField()
    logged_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    logged_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.reference


class Execution(models.Model):
    """One run of a signed plan. `is_open` repeats "not finished" so that the database can forbid two at once."""

    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="executions")
    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="executions")
    number = models.PositiveIntegerField()
    plan = models.JSONField()
    digest = models.CharField(max_length=64)
    started_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)
    is_open = models.BooleanField(default=True)
    # When a message was last sent to the broker; NULL while the broker could not be reached.
    rung_at = models.DateTimeField(null=True)
    # Who wants it stopped. It stops before COMMIT or not at all; the step run says which.
    cancel_asked_at = models.DateTimeField(null=True)
    cancel_asked_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    cancel_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="execution_once"),
            models.UniqueConstraint(
                fields=["target"], condition=models.Q(is_open=True), name="execution_one_open_per_target"
            ),
        ]

    def __str__(self) -> str:
        return f"RB-{self.request_id} run {self.number}"


class StepRun(LeasedStep):
    """One step of an execution."""

    execution = models.ForeignKey(Execution, on_delete=models.PROTECT, related_name="steps")

    class Meta:
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["execution", "position"], name="step_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=[state.value for state in RunState]), name="step_known_state"
            ),
        ]
        indexes = [
            models.Index(
                fields=["lease_until"],
                condition=models.Q(state__in=[RunState.PENDING.value, RunState.RUNNING.value]),
                name="step_claimable",
            )
        ]

    def __str__(self) -> str:
        return f"{self.execution_id} {self.name}"


class FollowUp(models.Model):
    """What a rollback that removed audit immutability leaves to do. A trigger (migration 0006) lets it only be closed.

    `removed` are the protections that are gone (rollbacks.reversal.immutability.Protection). It is closed when a worker
    finds all of them on the target again, or when the acceptance of their absence is signed. `acceptance` is the newest
    statement that was proposed for signing; its digest is that of the open case about `follow-up:<id>`.
    """

    class Outcome(models.TextChoices):
        """How it ended."""

        RESTORED = "restored"
        ACCEPTED = "accepted"

    execution = models.OneToOneField(Execution, on_delete=models.PROTECT, related_name="follow_up")
    target = models.ForeignKey(Target, on_delete=models.PROTECT, related_name="follow_ups")
    removed = models.JSONField()
    opened_at = models.DateTimeField(db_default=Now())
    acceptance = models.JSONField(null=True)
    outcome = models.CharField(max_length=16, blank=True, choices=Outcome.choices)
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(outcome="", closed_at__isnull=True)
                | models.Q(outcome__in=["restored", "accepted"], closed_at__isnull=False),
                name="follow_up_closed_with_outcome",
            ),
        ]
        indexes = [
            models.Index(fields=["target"], condition=models.Q(closed_at__isnull=True), name="follow_up_open"),
        ]

    def __str__(self) -> str:
        return f"follow-up {self.pk}"


class KeptAnswer(models.Model):
    """What was answered to a POST with an Idempotency-Key, written with what it did; kept for a day."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=200)
    # SHA-256 of method, path and body.
    asked = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    answer = models.JSONField(null=True)
    location = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["person", "key"], name="kept_answer_once")]

    def __str__(self) -> str:
        return self.key
