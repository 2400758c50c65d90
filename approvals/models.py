"""Rows of sign-off: cases, votes and their challenges; who holds which role and signs for whom; reviews of emergencies."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from approvals import policy
from approvals.role_names import ROLE_NAMES, SIGNING_ROLES, TWO_ADMINISTRATOR_ROLES

LONGEST_DELEGATION = timedelta(days=30)

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
    # Votes of the same person on this case before this one: taken back, lapsed or expired.
    earlier = models.PositiveSmallIntegerField(default=0)
    # The delegation that the vote used; empty for a role that the person holds.
    delegation = models.ForeignKey("Delegation", null=True, on_delete=models.PROTECT, related_name="sign_offs")
    # How the person proved again who they are, and when (seconds before the vote matter to an auditor).
    method = models.CharField(max_length=32)
    confirmed_at = models.DateTimeField()
    # What shows it: for a passkey, everything that an offline check needs. Votes from before have neither.
    confirmation = models.JSONField(default=dict)
    challenge = models.OneToOneField(Challenge, null=True, on_delete=models.PROTECT, related_name="sign_off")

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "person", "earlier"], name="sign_off_once_per_person"),
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


class GrantQuerySet(models.QuerySet["RoleGrant"]):
    """The grants that give a role at this moment."""

    def held(self) -> GrantQuerySet:
        """Keep those that are confirmed, not ended and of an account that is not switched off."""
        return self.filter(confirmed_at__isnull=False, ended_at__isnull=True, person__is_active=True)


class RoleGrant(models.Model):
    """One person's role: proposed, held from its confirmation, ended. A trigger (0006) keeps what was written.

    `group` is the id of the group that it came from, never the group's name: of the identity provider for `sso`,
    of Django's former group for `migration`. Ended without having been confirmed means refused.
    """

    class Source(models.TextChoices):
        """Who says that the person has the role."""

        ADMINISTRATOR = "administrator"
        SSO = "sso"
        COMMAND = "command"
        MIGRATION = "migration"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="grants")
    role = models.CharField(max_length=32)
    source = models.CharField(max_length=16, choices=Source.choices)
    group = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(db_default=Now())
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(max_length=300, blank=True)

    objects = GrantQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["person", "role"], condition=models.Q(ended_at__isnull=True), name="grant_one_open"
            ),
            models.CheckConstraint(condition=models.Q(role__in=ROLE_NAMES), name="grant_known_role"),
            models.CheckConstraint(
                condition=models.Q(source__in=["administrator", "sso", "command", "migration"]),
                name="grant_known_source",
            ),
            models.CheckConstraint(
                condition=~models.Q(source="administrator") | models.Q(proposed_by__isnull=False),
                name="grant_has_proposer",
            ),
            models.CheckConstraint(
                condition=models.Q(proposed_by__isnull=True) | ~models.Q(proposed_by=models.F("person")),
                name="grant_not_to_oneself",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True)
                | (
                    models.Q(confirmed_at__isnull=False)
                    & ~models.Q(confirmed_by=models.F("person"))
                    & ~models.Q(confirmed_by=models.F("proposed_by"))
                ),
                name="grant_confirmed_by_another",
            ),
            models.CheckConstraint(
                condition=~models.Q(source="administrator", role__in=TWO_ADMINISTRATOR_ROLES)
                | models.Q(confirmed_at__isnull=True)
                | models.Q(confirmed_by__isnull=False),
                name="grant_two_administrators",
            ),
        ]
        indexes = [models.Index(fields=["person", "-id"], name="grant_of_person")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.role} {self.state}"

    @property
    def state(self) -> str:
        """One of proposed, held, refused, ended."""
        if self.confirmed_at is None:
            return "proposed" if self.ended_at is None else "refused"
        return "held" if self.ended_at is None else "ended"


class DelegationQuerySet(models.QuerySet["Delegation"]):
    """The delegations that let somebody sign at this moment."""

    def running(self) -> DelegationQuerySet:
        """Keep those whose period is now, by the database's clock, and whose holder still holds the role."""
        grants = RoleGrant.objects.held().filter(person=models.OuterRef("holder"), role=models.OuterRef("role"))
        return self.filter(
            models.Exists(grants),
            delegate__is_active=True,
            confirmed_at__isnull=False,
            ended_at__isnull=True,
            starts_at__lte=Now(),
            ends_at__gt=Now(),
        )


class Delegation(models.Model):
    """A signing role that its holder leaves to another person for a period of at most 30 days.

    Made by the holder alone, or by two administrators. A trigger (0006) keeps what was written.
    """

    holder = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations_given")
    delegate = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="delegations_had")
    role = models.CharField(max_length=32)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=300, blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now())
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    confirmed_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.PROTECT, related_name="+")
    ended_at = models.DateTimeField(null=True)
    ended_reason = models.CharField(max_length=300, blank=True)

    objects = DelegationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=models.Q(role__in=SIGNING_ROLES), name="delegation_signing_role"),
            models.CheckConstraint(condition=~models.Q(delegate=models.F("holder")), name="delegation_to_another"),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at"))
                & models.Q(ends_at__lte=models.F("starts_at") + LONGEST_DELEGATION),
                name="delegation_period",
            ),
            models.CheckConstraint(
                condition=models.Q(made_by=models.F("holder"), confirmed_by__isnull=True)
                | (
                    ~models.Q(made_by=models.F("holder"))
                    & ~models.Q(made_by=models.F("delegate"))
                    & (models.Q(confirmed_at__isnull=True) | models.Q(confirmed_by__isnull=False))
                ),
                name="delegation_by_holder_or_two",
            ),
            models.CheckConstraint(
                condition=models.Q(confirmed_by__isnull=True)
                | (
                    models.Q(confirmed_at__isnull=False)
                    & ~models.Q(confirmed_by=models.F("made_by"))
                    & ~models.Q(confirmed_by=models.F("delegate"))
                    & ~models.Q(confirmed_by=models.F("holder"))
                ),
                name="delegation_confirmed_by_another",
            ),
        ]
        indexes = [
            models.Index(fields=["holder", "-id"], name="delegation_of_holder"),
            models.Index(fields=["delegate", "-id"], name="delegation_of_delegate"),
        ]

    def __str__(self) -> str:
        return f"{self.holder_id} → {self.delegate_id} {self.role}"

    @property
    def state(self) -> str:
        """One of proposed, refused, planned, in_force, ended."""
        now = datetime.now(UTC)
        if self.confirmed_at is None and (self.ended_at is not None or self.ends_at <= now):
            return "refused"
        if self.ended_at is not None or self.ends_at <= now:
            return "ended"
        if self.confirmed_at is None:
            return "proposed"
        return "planned" if self.starts_at > now else "in_force"


class Interruption(models.Model):
    """A moment after which a person's earlier votes no longer count. Rows are added and never changed.

    A trigger (0006) adds one whenever an account is switched off or loses its password, whoever does that; the
    service that ends all sessions adds its own.
    """

    class Kind(models.TextChoices):
        """What happened to the account."""

        SWITCHED_OFF = "switched_off"
        PASSWORD_WITHDRAWN = "password_withdrawn"  # noqa: S105  # what happened, not a password
        SESSIONS_ENDED = "sessions_ended"

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="interruptions")
    kind = models.CharField(max_length=32, choices=Kind.choices)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=["switched_off", "password_withdrawn", "sessions_ended"]),
                name="interruption_known_kind",
            ),
        ]
        indexes = [models.Index(fields=["person", "-id"], name="interruption_of_person")]

    def __str__(self) -> str:
        return f"{self.person_id} {self.kind}"


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
