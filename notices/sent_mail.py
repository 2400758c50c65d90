"""The demo's own mailbox: what the file backend of e-mail wrote, so that a walk through the demo shows what arrives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import islice
from pathlib import Path

from django.conf import settings

SHOWN = 30
MAX_BYTES = 256 * 1024
# What the file backend writes after each mail.
BETWEEN = b"\n" + b"-" * 79 + b"\n"


@dataclass(frozen=True)
class Mail:
    """One mail as it left: to whom, what about, when, and its text."""

    to: str
    subject: str
    at: datetime | None
    text: str


def sent_mail() -> tuple[Mail, ...] | None:
    """Return the newest mails of the demo; None outside the demo, or when its mail goes elsewhere."""
    if not settings.DEMO or not settings.EMAIL_BACKEND.endswith("filebased.EmailBackend"):
        return None
    folder = Path(getattr(settings, "EMAIL_FILE_PATH", settings.DEMO_MAIL))
    files = sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True)
    return tuple(islice((mail for path in files for mail in _read(path)), SHOWN))


def _read(path: Path) -> list[Mail]:
    """Return the file's mails, newest first: what leaves within one second may end up in one file."""
    with path.open("rb") as file:
        parts = file.read(MAX_BYTES).split(BETWEEN)
    return [_parsed(part) for part in reversed(parts) if part.strip()]


def _parsed(content: bytes) -> Mail:
    message = message_from_bytes(content, policy=policy.default)
    # With this policy the parser returns the newer class.
    assert isinstance(message, EmailMessage)  # noqa: S101
    body = message.get_body(preferencelist=("plain",))
    date = message["Date"]
    return Mail(
        to=str(message["To"]),
        subject=str(message["Subject"]),
        at=date.datetime if date else None,
        text=str(body.get_content()) if body else "",
    )
