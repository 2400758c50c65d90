"""Which notices a person gets by e-mail, and when; urgent kinds are not theirs to switch off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from notices.kinds import KINDS
from notices.models import Preference
from records import trail

CHOSEN = tuple(kind for kind in KINDS.values() if not kind.urgent)
ALWAYS = tuple(kind for kind in KINDS.values() if kind.urgent)


def preferences_of(person: Any) -> dict[str, str]:
    """Return the person's choice for each kind that can be chosen; at once where they never chose."""
    kept = dict(Preference.objects.filter(person=person).values_list("kind", "choice"))
    return {kind.key: kept.get(kind.key, Preference.Choice.NOW.value) for kind in CHOSEN}


def set_preferences(person: Any, choices: Mapping[str, str]) -> bool:
    """Keep the person's choices; False when nothing was changed. Kinds that cannot be chosen are ignored."""
    with trail.recording(person) as facts:
        before = preferences_of(person)
        after = {key: str(choices.get(key, before[key])) for key in before}
        changed = {key: choice for key, choice in after.items() if choice != before[key]}
        for key, choice in changed.items():
            Preference.objects.update_or_create(person=person, kind=key, defaults={"choice": choice})
        if changed:
            facts.add("preferences.set", f"person:{person.pk}", **changed)
        return bool(changed)
