"""Authenticator apps of the demo's people, so that a run without a browser signs with real codes."""

from __future__ import annotations

import time
from typing import Any

from allauth.mfa import app_settings
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from allauth.mfa.utils import decrypt
from django.core.exceptions import PermissionDenied

from approvals.step_up import Confirmation, NotConfirmed, Statement, confirm_totp


def enrol(person: Any) -> None:
    """Enrol an authenticator app for the demo person unless one is enrolled that can still be read."""
    row = Authenticator.objects.filter(user=person, type=Authenticator.Type.TOTP).first()
    if row is not None and not _readable(row):
        row.delete()
        row = None
    if row is None:
        TOTP.activate(person, generate_totp_secret())


def code_of(person: Any) -> str:
    """Return the code that the person's app shows now."""
    row = Authenticator.objects.get(user=person, type=Authenticator.Type.TOTP)
    period = int(time.time()) // app_settings.TOTP_PERIOD
    return str(format_hotp_value(hotp_value(decrypt(row.data["secret"]), period)))


def _readable(row: Authenticator) -> bool:
    """A demo that is gone on with may have enrolled its people before secrets were sealed, or under another key."""
    try:
        decrypt(row.data["secret"])
    except PermissionDenied:
        return False
    return True


def confirm(person: Any, statement: Statement) -> Confirmation:
    """Confirm the statement with the code that the app shows, or with the next one when that was used already."""
    used = code_of(person)
    try:
        return confirm_totp(statement, used)
    except NotConfirmed:
        while code_of(person) == used:
            time.sleep(0.2)
        return confirm_totp(statement, code_of(person))
