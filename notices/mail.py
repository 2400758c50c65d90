"""Notices as e-mails: text and HTML from one frozen content; a daily one lists several."""

from __future__ import annotations

import smtplib
from collections.abc import Sequence
from email.utils import make_msgid
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from notices.channels.outgoing import NotSent
from notices.models import Delivery


def send_mail(deliveries: Sequence[Delivery], *, again: bool) -> None:
    """Send one e-mail to the person of these deliveries (of one person); raises NotSent.

    `again` says in the mail that it may have come before: the end of an earlier attempt is not known.
    """
    message = compose(deliveries, again=again)
    try:
        if not message.send():
            raise NotSent("The person has no e-mail address; add one, then send it again.", final=True)
    except smtplib.SMTPRecipientsRefused as refusal:
        codes = sorted({code for code, _text in refusal.recipients.values()})
        final = all(code >= 500 for code in codes)
        raise NotSent(f"The mail server refused the recipient ({codes[0]}).", final=final) from refusal
    except smtplib.SMTPResponseException as refusal:
        raise NotSent(f"The mail server refused the mail ({refusal.smtp_code}).", silent=True) from refusal
    except (smtplib.SMTPException, OSError) as error:
        raise NotSent(f"The mail server could not be used ({type(error).__name__}).", silent=True) from error
    except ValueError as error:
        raise NotSent(
            "The person's e-mail address cannot be used; correct it, then send it again.", final=True
        ) from error


def compose(deliveries: Sequence[Delivery], *, again: bool = False) -> EmailMultiAlternatives:
    """Return the e-mail, text first and HTML beside it; several deliveries become one list."""
    first = deliveries[0]
    single = len(deliveries) == 1
    template = "notice" if single else "daily"
    rows: list[dict[str, Any]] = [
        {"content": each.notice.content, "note": each.note, "href": absolute(each.notice.path), "notice": each.notice}
        for each in deliveries
    ]
    context = {
        "rows": rows, "row": rows[0], "again": again, "portal": absolute("/"),
        "preferences": absolute("/notices/preferences/"), "person": first.person,
    }  # fmt: skip
    if single:
        title = first.notice.title
    else:
        title = ngettext("%(n)s notice of the day", "%(n)s notices of the day", len(rows)) % {"n": len(rows)}
    prefix = _("[Rollback portal]")
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    message = EmailMultiAlternatives(
        subject=f"{prefix} {title}",
        body=render_to_string(f"notices/mail/{template}.txt", context),
        to=[first.person.email] if first.person else [],
        headers={
            # The same for every attempt, so that a mailbox can tell a second copy from a second notice.
            "Message-ID": f"<delivery-{first.pk}@{domain}>" if first.pk else make_msgid(domain=domain),
            "Auto-Submitted": "auto-generated",
        },
    )
    message.attach_alternative(render_to_string(f"notices/mail/{template}.html", context), "text/html")
    return message


def plain(delivery: Delivery) -> str:
    """Return the notice as a short text for chats and pagers."""
    content = delivery.notice.content
    parts = [content["ask"], *content["risks"][:3], absolute(delivery.notice.path)]
    if content["digest"]:
        parts.insert(-1, _("Digest %(start)s") % {"start": content["digest"][:12]})
    return "\n".join(parts)


def absolute(path: str) -> str:
    """Return the address that a reader outside the portal can open."""
    return f"{settings.PORTAL_URL.rstrip('/')}{path}"
