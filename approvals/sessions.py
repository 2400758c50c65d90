"""Ending what a person is signed in with: all of it, one session, or all but the one at hand."""

from __future__ import annotations

from typing import Any

from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session


def end_sessions(person: Any, *, only: int | None = None, keep: str | None = None) -> int:
    """End the person's sessions, all of them or the one with this id, except that with the key `keep`; return how many.

    Every session that the portal lets go on has a row here (portal.sessions ends those that have none).
    """
    wanted = UserSession.objects.select_for_update().filter(user=person).exclude(session_key=keep)
    if only is not None:
        wanted = wanted.filter(pk=only)
    keys = list(wanted.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    UserSession.objects.filter(session_key__in=keys).delete()
    return len(keys)
