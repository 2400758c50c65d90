"""The forms of people and delegations: they check form, the services check meaning."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.roles import ROLES
from approvals.standing import name_of

MAX_REASON = 300


class UtcDateTimeField(forms.DateTimeField):
    """A date and time that is typed and meant in UTC, so that nobody's browser decides what was signed."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "60"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> Any:
        moment = super().to_python(value)
        return moment if moment is None else moment.astimezone(UTC)


class ProposeForm(forms.Form):
    """A role for somebody, and why."""

    role = forms.ChoiceField(label=_("Role"), choices=list(ROLES.items()))
    reason = forms.CharField(
        label=_("Why they need it"), help_text=_("It goes into the trail."), max_length=MAX_REASON, required=True
    )


class ReasonForm(forms.Form):
    """Why something is ended or refused."""

    reason = forms.CharField(label=_("Reason"), max_length=MAX_REASON, required=False)


class AccountForm(forms.Form):
    """What is done to an account, and why."""

    ACTS = {
        "switch_off": _("Switch the account off"),
        "switch_on": _("Switch the account on again"),
        "withdraw_password": _("Make them set a new password"),
        "end_sessions": _("End all their sessions"),
    }

    act = forms.ChoiceField(label=_("What to do"), widget=forms.RadioSelect)
    reason = forms.CharField(label=_("Reason"), help_text=_("It goes into the trail."), max_length=MAX_REASON)

    def __init__(self, *args: Any, active: bool, **kwargs: Any):
        super().__init__(*args, **kwargs)
        unfit = "switch_on" if active else "switch_off"
        cast("forms.ChoiceField", self.fields["act"]).choices = [
            (act, label) for act, label in self.ACTS.items() if act != unfit
        ]


class DelegateForm(forms.Form):
    """Which role is left to whom, and for how long."""

    role = forms.ChoiceField(label=_("Role"))
    delegate = forms.TypedChoiceField(label=_("Signs for the holder"), coerce=int)
    starts_at = UtcDateTimeField(label=_("From (UTC)"))
    ends_at = UtcDateTimeField(label=_("Until (UTC)"), help_text=_("At most 30 days later. It can be ended any time."))
    reason = forms.CharField(label=_("Reason"), max_length=MAX_REASON, required=False)

    def __init__(self, *args: Any, roles: Sequence[str], people: Iterable[Any], **kwargs: Any):
        super().__init__(*args, **kwargs)
        cast("forms.ChoiceField", self.fields["role"]).choices = [(role, ROLES[role]) for role in roles]
        cast("forms.ChoiceField", self.fields["delegate"]).choices = [
            (person.pk, f"{name_of(person)} ({person.get_username()})") for person in people
        ]
