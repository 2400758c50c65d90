"""The forms of recoveries: they check form, the services check meaning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.forms import UtcDateTimeField
from recoveries.kinds import KINDS


class SecondsField(UtcDateTimeField):
    """A moment to the second, typed and meant in UTC."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")


class OpenForm(forms.Form):
    """Which target, how, because of which incident, and why."""

    target = forms.ChoiceField(label=_("Target"))
    provider = forms.ChoiceField(
        label=_("How it is restored"),
        choices=[(kind.key, f"{kind.title}: {kind.says}") for kind in KINDS.values()],
        widget=forms.RadioSelect,
    )
    incident = forms.CharField(
        label=_("Incident reference"),
        help_text=_("Number or link of its entry in ops/incident-response/."),
        max_length=200,
    )
    purpose = forms.CharField(
        label=_("What was damaged, and why it has to be recovered"),
        help_text=_("Whoever signs reads these words, and they go into ops/disaster-recovery/."),
        widget=forms.Textarea(attrs={"rows": 4}),
        max_length=4000,
    )

    def __init__(self, *args: Any, targets: Sequence[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["target"].choices = list(targets)  # type: ignore[attr-defined]


class ChooseForm(forms.Form):
    """The moment or the backup, the new server's name, and the emergency path."""

    point = SecondsField(
        label=_("Go back to just before (UTC)"),
        help_text=_("What was committed from this second on is not on the new server."),
        required=False,
    )
    before = forms.ChoiceField(
        label=_("The migration that it lies before"),
        help_text=_("It is looked for on the new server, where it must not be."),
        required=False,
    )
    backup = forms.ChoiceField(label=_("Backup"), required=False)
    server = forms.CharField(
        label=_("Name of the new server"),
        help_text=_("Small letters, digits and hyphens. It must not exist: nothing is ever restored over a server."),
        max_length=63,
    )
    emergency = forms.BooleanField(
        label=_("Break the glass: this cannot wait for all signatures"),
        help_text=_("Fewer signatures now, everybody is told at once, and somebody who took no part reviews it."),
        required=False,
    )
    emergency_reason = forms.CharField(
        label=_("Why it cannot wait"), widget=forms.Textarea(attrs={"rows": 2}), required=False, max_length=2000
    )

    def __init__(
        self, *args: Any, tags: Sequence[str], backups: Sequence[tuple[str, str]], wants_backup: bool, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        if wants_backup:
            del self.fields["point"], self.fields["before"]
            self.fields["backup"].choices = [("", _("Choose one")), *backups]  # type: ignore[attr-defined]
        else:
            del self.fields["backup"]
            self.fields["before"].choices = [("", _("None in particular")), *((tag, tag) for tag in tags)]  # type: ignore[attr-defined]


class AnswerForm(forms.Form):
    """Evidence for one item."""

    text = forms.CharField(label=_("Evidence"), widget=forms.Textarea(attrs={"rows": 2}), max_length=4000)
    link = forms.URLField(label=_("Link"), required=False, max_length=500, assume_scheme="https")


class DowntimeForm(forms.Form):
    """When the application is down for the cutover."""

    start = UtcDateTimeField(label=_("Downtime begins (UTC)"))
    end = UtcDateTimeField(label=_("Downtime ends (UTC)"))


class CloseForm(forms.Form):
    """How the recovery ended."""

    ending = forms.CharField(label=_("How it ended"), widget=forms.Textarea(attrs={"rows": 2}), max_length=4000)


class WithdrawForm(forms.Form):
    """Why it is withdrawn."""

    reason = forms.CharField(label=_("Reason"), max_length=2000, required=False)
