"""The form in which a person chooses which notices come by e-mail."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from notices.models import Preference
from notices.preferences import CHOSEN

CHOICES = [
    (Preference.Choice.NOW.value, _("At once")),
    (Preference.Choice.DAILY.value, _("Once a day, all together")),
    (Preference.Choice.OFF.value, _("Not by e-mail")),
]


class PreferencesForm(forms.Form):
    """One choice for each kind of notice that is not urgent."""

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        for kind in CHOSEN:
            self.fields[kind.key] = forms.ChoiceField(
                label=str(kind.label), help_text=str(kind.says), choices=CHOICES, widget=forms.RadioSelect
            )
