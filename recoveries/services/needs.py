"""Which kept backups recoveries need, so that none is removed while somebody restores it."""

from __future__ import annotations

from recoveries.models import Recovery
from recoveries.states import State
from rollbacks.services.backups import token_of
from rollbacks.side_models import Backup

OVER = (State.CLOSED, State.WITHDRAWN)


def why_needed(backup: Backup) -> str:
    """Return which recovery has chosen the backup and is not over; empty when none has."""
    found = Recovery.objects.filter(backup=token_of(backup)).exclude(state__in=OVER).order_by("pk").first()
    return f"{found} is about it." if found else ""
