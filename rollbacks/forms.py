"""The forms that people fill in: they check form, the services check meaning."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.forms import UtcDateTimeField
from approvals.policy import WITNESS, Choice
from approvals.roles import ROLES
from approvals.rulebook import Traits
from rollbacks.models import Revision
from rollbacks.services.requests import Wording

SQL_FIELD = "sql-"
MAX_SQL = 1024 * 1024


class WordingForm(forms.Form):
    """Reason, incident, window, security incident, and one field of reverse SQL for each migration to undo."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("What went wrong, and why rolling back is the answer. It goes into the change record."),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=4000,
    )
    production_incident = forms.BooleanField(
        label=_("This is a production incident"),
        help_text=_("Then the checklist asks for the incident as well."),
        required=False,
    )
    incident_reference = forms.CharField(
        label=_("Incident reference"),
        help_text=_("Number or link of the incident."),
        required=False,
        max_length=200,
    )
    emergency = forms.BooleanField(
        label=_("Break the glass: this cannot wait for all signatures"),
        help_text=_(
            "The emergency rule applies: fewer signatures now, everybody is told at once, and somebody who took no "
            "part reviews it afterwards. Until that is done you cannot use it again."
        ),
        required=False,
    )
    emergency_reason = forms.CharField(
        label=_("Why it cannot wait"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        max_length=2000,
    )
    window_start = UtcDateTimeField(
        label=_("Maintenance window opens (UTC)"),
        help_text=_("Leave both empty to allow any time."),
        required=False,
    )
    window_end = UtcDateTimeField(label=_("Maintenance window closes (UTC)"), required=False)
    security_incident = forms.CharField(
        label=_("Security incident"),
        help_text=_("Required when a security control is touched: reference of the incident that was logged."),
        required=False,
        max_length=200,
    )
    justification = forms.CharField(
        label=_("Justification"),
        help_text=_("Required when a security control is touched: why that is right, for the change record."),
        widget=forms.Textarea(attrs={"rows": 3}),
        required=False,
        max_length=4000,
    )
    revision = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, revision: Revision | None = None, tags: tuple[str, ...] = (), **kwargs: Any):
        if revision is not None and "initial" not in kwargs:
            kwargs["initial"] = _initial(revision)
        super().__init__(*args, **kwargs)
        self.tags = tags
        # A draft may be saved without them, so the forms do not require them; the page says when they are needed.
        self.needed = {"reason", *(SQL_FIELD + tag for tag in tags)}
        for tag in tags:
            self.fields[SQL_FIELD + tag] = forms.CharField(
                label=_("Reverse SQL of %(tag)s") % {"tag": tag},
                widget=forms.Textarea(attrs={"rows": 12, "data-sql-editor": "", "spellcheck": "false"}),
                required=False,
                strip=False,
                max_length=MAX_SQL,
            )

    @property
    def wording(self) -> Wording:
        """What was written, once the form is valid."""
        given = self.cleaned_data
        written = {each.name: given[each.name] for each in fields(Wording) if each.name != "reverse_sql"}
        return Wording(**written, reverse_sql={tag: given[SQL_FIELD + tag] for tag in self.tags})

    def sql_fields(self) -> list[tuple[str, forms.BoundField]]:
        """Return each migration's tag with its field, newest first."""
        return [(tag, self[SQL_FIELD + tag]) for tag in self.tags]


class AnswerForm(forms.Form):
    """The evidence for one checklist item: text, link or file."""

    text = forms.CharField(
        label=_("What was done"), widget=forms.Textarea(attrs={"rows": 2}), required=False, max_length=4000
    )
    link = forms.URLField(label=_("Link"), required=False, max_length=500, assume_scheme="https")
    upload = forms.FileField(label=_("File"), help_text=_("Up to 4 MiB."), required=False)


class SignForm(forms.Form):
    """A vote: the digest and SQL that were shown, role, choice and reason, and a passkey's answer or a code."""

    # Neither is required by itself, and calling it optional would say that one may sign without.
    one_of_several = ("code",)

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    # SHA-256 of the SQL that was on the page; shorter SQL than the plan's has another.
    shown = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)
    challenge = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1)
    assertion = forms.JSONField(widget=forms.HiddenInput, required=False)
    role = forms.ChoiceField(label=_("Sign as"), choices=[*ROLES.items(), (WITNESS, _("Witness"))])
    choice = forms.ChoiceField(
        label=_("Your decision"),
        choices=[
            (Choice.APPROVE.value, _("Approve")),
            (Choice.REJECT.value, _("Reject")),
            (Choice.ABSTAIN.value, _("Abstain: somebody else has to decide")),
        ],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Required to reject: say what has to change."),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        max_length=2000,
    )
    code = forms.CharField(
        label=_("Code of your authenticator app"),
        help_text=_("Each code works once. Recovery codes do not sign."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
        required=False,
        max_length=16,
    )

    def clean_assertion(self) -> dict[str, Any] | None:
        given: Any = self.cleaned_data["assertion"]
        if given is not None and not isinstance(given, dict):
            raise forms.ValidationError(_("The passkey's answer cannot be read; press the button again."))
        return given


class CommentForm(forms.Form):
    """What somebody says about the plan, and about which lines of its SQL."""

    lines = forms.CharField(
        label=_("Lines"),
        help_text=_("12 or 12-14 of the SQL; empty for all of it."),
        required=False,
        max_length=23,
    )
    text = forms.CharField(label=_("Comment"), widget=forms.Textarea(attrs={"rows": 2}), max_length=4000)
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)


class TakeBackForm(forms.Form):
    """Why a vote is taken back, and on which digest it was."""

    reason = forms.CharField(label=_("Why you take it back"), required=False, max_length=2000)
    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)


class ReviewForm(forms.Form):
    """What the reviewer of an emergency found."""

    result = forms.ChoiceField(
        label=_("Was it right to break the glass?"),
        choices=[("yes", _("Yes, it could not wait")), ("no", _("No, it should have waited"))],
        widget=forms.RadioSelect,
    )
    finding = forms.CharField(
        label=_("What you found"),
        help_text=_("What was done, whether the outcome is as it should be, and what has to change."),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
    )

    @property
    def justified(self) -> bool:
        """Whether it was right, once the form is valid."""
        return bool(self.cleaned_data["result"] == "yes")


class AcceptanceForm(forms.Form):
    """Why a protection of audit rows may stay away."""

    justification = forms.CharField(
        label=_("Why it may stay away"),
        help_text=_("What protects the audit trail instead, and for how long. These words are signed."),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
    )


class HoldForm(forms.Form):
    """Why a backup is kept beyond its time, and until when."""

    reason = forms.CharField(
        label=_("Why it has to be kept"),
        help_text=_("The matter or case that it is kept for. Whoever lifts the hold reads this."),
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=2000,
    )
    until = UtcDateTimeField(
        label=_("Until (UTC)"), help_text=_("Leave it empty to hold it until somebody lifts the hold."), required=False
    )


class LiftForm(forms.Form):
    """Why a hold is lifted."""

    reason = forms.CharField(label=_("Why it need not be kept any longer"), max_length=2000)


class TraitsForm(forms.Form):
    """A rollback as the rule book sees it, to ask which rule would catch it."""

    environment = forms.CharField(label=_("Environment"), initial="production", required=False, max_length=32)
    target = forms.CharField(label=_("Target"), required=False, max_length=63)
    risk = forms.ChoiceField(
        label=_("Risk"), choices=[("low", _("low")), ("medium", _("medium")), ("high", _("high"))], required=False
    )
    tables = forms.CharField(
        label=_("Tables"), help_text=_("schema.table, with commas between them."), required=False, max_length=1000
    )
    owners = forms.CharField(
        label=_("Owners of the files"),
        help_text=_("As CODEOWNERS names them, such as @nzila/platform."),
        required=False,
        max_length=1000,
    )
    security = forms.BooleanField(label=_("It touches a security control"), required=False)
    data_loss = forms.BooleanField(label=_("Rows or values would be lost"), required=False)
    emergency = forms.BooleanField(label=_("Break the glass"), required=False)
    non_transactional = forms.BooleanField(label=_("Statements run outside the transaction"), required=False)

    @property
    def traits(self) -> Traits:
        """What was described, once the form is valid."""
        given = self.cleaned_data
        lists = {key: tuple(filter(None, map(str.strip, given[key].split(",")))) for key in ("tables", "owners")}
        return Traits(
            environment=given["environment"],
            target=given["target"],
            risk=given["risk"] or "low",
            security=given["security"],
            data_loss=given["data_loss"],
            emergency=given["emergency"],
            non_transactional=given["non_transactional"],
            tables=lists["tables"],
            owners=lists["owners"],
        )


class ConfirmForm(forms.Form):
    """The name of the database, typed by the person who starts the rollback."""

    database = forms.CharField(label=_("Type the name of the database to start"), max_length=63)

    def __init__(self, *args: Any, expected: str, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.expected = expected

    def clean_database(self) -> str:
        given: str = self.cleaned_data["database"]
        if given != self.expected:
            raise forms.ValidationError(
                _("This is not the name of the target's database; type %(name)s."), params={"name": self.expected}
            )
        return given


class CancelForm(forms.Form):
    """Why the execution is to stop."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Whoever looks at this run tomorrow reads it."),
        widget=forms.Textarea(attrs={"rows": 2}),
        max_length=2000,
    )


class WithdrawForm(forms.Form):
    """Why the request is given up."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=2000)


def _initial(revision: Revision) -> dict[str, Any]:
    written = dict(vars(Wording.of(revision)))
    reverse_sql: dict[str, str] = written.pop("reverse_sql")
    return {**written, "revision": revision.number, **{SQL_FIELD + tag: sql for tag, sql in reverse_sql.items()}}
