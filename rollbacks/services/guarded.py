"""Fields that nobody may send because the portal decides them; an attempt is a fact."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from records import trail
from rollbacks.models import Request
from rollbacks.services.moves import subject_of

GUARDED = frozenset({
    "actor", "approved", "approved_by", "approvals", "author", "author_id", "barred", "case", "decision", "digest",
    "emergency", "evidence", "execution", "fence", "id", "is_emergency", "is_open", "lease_until", "opened_at",
    "person", "plan", "policy", "proof", "requester", "requester_id", "sign_offs", "signed_by", "state", "status",
    "target_id", "votes",
})  # fmt: skip


def note_refused_fields(actor: Any, *, fields: Collection[str], request_id: int | None, operation: str) -> None:
    """Record that somebody sent fields which only the portal decides; other unknown fields are a slip and no fact.

    Only names of ours get into the trail, so that nothing that was typed, a secret say, is kept for ever.
    """
    found = sorted(GUARDED.intersection(fields))
    if not found:
        return
    known = request_id is not None and Request.objects.filter(pk=request_id).exists()
    with trail.recording(actor) as facts:
        subject = subject_of(request_id) if known and request_id else f"person:{actor.pk}"
        facts.add("fields.refused", subject, fields=found, operation=operation)
