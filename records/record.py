"""Sealing a change record: the document becomes canonical, gets its digest and its place in the trail."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from records import chain, trail
from records.models import ChangeRecord


def seal(*, token: str, subject: str, title: str, result: str, document: dict[str, Any]) -> ChangeRecord:
    """Return the sealed change record of the execution `token`; a second call returns the first one's.

    Raises chain.NotCanonical when the document holds something that canonical JSON has no form for.
    """
    with trail.recording(None) as facts:
        found = ChangeRecord.objects.filter(token=token).first()
        if found is not None:
            return found
        text = chain.canonical(document)
        digest = chain.sha256(text)
        facts.add("record.sealed", subject, token=token, digest=digest, result=result)
        # The record refers to its fact, so the fact goes first; nothing else is locked after it.
        trail.append(facts)
        return ChangeRecord.objects.create(
            subject=subject,
            token=token,
            title=title,
            result=result,
            document=text,
            digest=digest,
            sealed_at=datetime.now(UTC),
            fact=facts.written[-1],
        )
