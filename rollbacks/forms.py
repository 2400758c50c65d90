"""The forms that people fill in: they check form, the services check meaning."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import ReauthenticateForm
from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.forms import UtcDateTimeField
from approvals.policy import Choice
from approvals.roles import ROLES
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
        return Wording(
            reason=given["reason"],
            production_incident=given["production_incident"],
            incident_reference=given["incident_reference"],
            window_start=given["window_start"],
            window_end=given["window_end"],
            security_incident=given["security_incident"],
            justification=given["justification"],
            reverse_sql={tag: given[SQL_FIELD + tag] for tag in self.tags},
        )

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


class SignForm(ReauthenticateForm):  # type: ignore[misc]  # allauth ships no types
    """A vote: the digest that was shown, the role, the choice, and the password once more."""

    digest = forms.CharField(widget=forms.HiddenInput, max_length=64)
    role = forms.ChoiceField(label=_("Sign as"), choices=list(ROLES.items()))
    choice = forms.ChoiceField(
        label=_("Your decision"),
        choices=[(Choice.APPROVE.value, _("Approve")), (Choice.REJECT.value, _("Reject"))],
        widget=forms.RadioSelect,
    )
    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Required to reject: say what has to change."),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        max_length=2000,
    )
    field_order = ["digest", "role", "choice", "reason", "password"]


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


class WithdrawForm(forms.Form):
    """Why the request is given up."""

    reason = forms.CharField(label=_("Reason"), required=False, max_length=2000)


def _initial(revision: Revision) -> dict[str, Any]:
    initial: dict[str, Any] = {
        name: getattr(revision, name)
        for name in (
            "reason", "production_incident", "incident_reference", "window_start", "window_end",
            "security_incident", "justification",
        )
    }  # fmt: skip
    initial["revision"] = revision.number
    return initial | {SQL_FIELD + tag: sql for tag, sql in revision.reverse_sql.items()}
