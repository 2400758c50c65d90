"""Requests: open one for a return point, edit it, answer its checklist, withdraw it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Max

from approvals.roles import REQUESTING_ROLES, may
from approvals.services import close_case
from records import trail
from records.chain import sha256
from records.trail import Facts
from rollbacks.checklist import BY_KEY
from rollbacks.models import Answer, Attachment, Request, Revision, Target
from rollbacks.services.moves import NotAllowed, Refused, lock_request, move, subject_of
from rollbacks.services.proofs import ask_if_ready
from rollbacks.services.reading import current_revision, evidence_of, undo_tags
from rollbacks.services.targets import newest_inventory
from rollbacks.states import EDITABLE, State

MAX_ATTACHMENT = 4 * 1024 * 1024
# Where the runbook itself gives the reverse SQL, a new request starts from it (special procedure for 0004).
RUNBOOK_REVERSE = {
    "0004_audit_events_immutable": (
        "-- The runbook's special procedure: drop the immutability triggers first.\n"
        'DROP TRIGGER IF EXISTS audit_events_no_update ON "audit_events";\n'
        'DROP TRIGGER IF EXISTS audit_events_no_delete ON "audit_events";\n'
        "DROP FUNCTION IF EXISTS prevent_audit_mutation();\n"
    )
}


@dataclass(frozen=True)
class Wording:
    """What a person can write in a request; `reverse_sql` maps each migration's tag to SQL."""

    reason: str = ""
    production_incident: bool = False
    incident_reference: str = ""
    emergency: bool = False
    emergency_reason: str = ""
    window_start: datetime | None = None
    window_end: datetime | None = None
    security_incident: str = ""
    justification: str = ""
    reverse_sql: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, revision: Revision) -> Wording:
        """Return what the revision says."""
        return cls(**{each.name: getattr(revision, each.name) for each in fields(cls)})

    def as_kept(self, reverse_sql: Mapping[str, str]) -> Wording:
        """Return the wording as a revision keeps it: with this SQL, LF line ends, and no white space around it."""
        return replace(
            self,
            reason=_newlines(self.reason),
            incident_reference=self.incident_reference.strip(),
            emergency_reason=_newlines(self.emergency_reason),
            security_incident=self.security_incident.strip(),
            justification=_newlines(self.justification),
            reverse_sql={tag: _newlines(sql) for tag, sql in reverse_sql.items()},
        )


def open_request(author: Any, *, target: Target, return_to: str, wording: Wording) -> Request:
    """Open a draft for the return point ("" for the empty database) with its first revision, and have it proven.

    Raises NotAllowed, or Refused when the target has not been read or the return point leaves nothing to undo.
    """
    _require_role(author)
    tags = undo_tags(target, return_to)
    with trail.recording(author) as facts:
        request = Request.objects.create(target=target, author=author, return_to=return_to)
        facts.add("request.opened", subject_of(request.pk), target=target.name, return_to=return_to, undo=list(tags))
        drafted = _drafted(target)
        # What somebody wrote, else the runbook's own procedure, else what the worker drafted.
        reverse_sql = {
            tag: wording.reverse_sql.get(tag) or RUNBOOK_REVERSE.get(tag) or drafted.get(tag, "") for tag in tags
        }
        _revise(facts, request, author, wording.as_kept(reverse_sql))
    ask_if_ready(author, request)
    return request


def _drafted(target: Target) -> dict[str, str]:
    inventory = newest_inventory(target.pk)
    by_tag = ((inventory.content or {}).get("drafts") or {}).get("by_tag", {}) if inventory else {}
    return {tag: draft["sql"] for tag, draft in by_tag.items()}


def edit_request(actor: Any, request_id: int, *, wording: Wording, seen_revision: int) -> Revision | None:
    """Add a revision with this wording; None when nothing changed. Votes on the earlier plan stop counting.

    Raises Refused when the request can no longer be edited, or when another revision was made since the
    person opened the form (nobody's text is overwritten unseen).
    """
    _require_role(actor)
    with trail.recording(actor) as facts:
        request = lock_request(request_id)
        current = current_revision(request)
        if State(request.state) not in EDITABLE:
            raise Refused(f"{request} is {request.state.replace('_', ' ')} and can no longer be edited.")
        if current.number != seen_revision:
            raise Refused(
                f"{current.author.get_username()} saved revision {current.number} while you were writing; "
                "your text is below, compare it with theirs and save again."
            )
        kept = wording.as_kept({tag: wording.reverse_sql.get(tag, "") for tag in current.reverse_sql})
        if kept == Wording.of(current):
            return None
        reopen(facts, request, reason=f"{actor.get_username()} edited the request.")
        revision = _revise(facts, request, actor, kept)
    ask_if_ready(actor, request)
    return revision


def answer(
    actor: Any,
    request_id: int,
    *,
    item: str,
    text: str = "",
    link: str = "",
    upload: UploadedFile[Any] | None = None,
) -> Answer:
    """Answer one checklist item with evidence; an answer while votes are being given makes them void.

    Raises Refused when the item is the worker's, when there is no evidence, or the file is too large.
    """
    _require_role(actor)
    if item not in BY_KEY or BY_KEY[item].by_worker:
        raise Refused("This item is answered by the worker that takes the backup, not by a person.")
    if not (text.strip() or link or upload):
        raise Refused("An answer needs evidence: write what was done, give a link, or add a file.")
    with trail.recording(actor) as facts:
        request = lock_request(request_id)
        if State(request.state) not in EDITABLE:
            raise Refused(f"{request} is {request.state.replace('_', ' ')}; its checklist can no longer change.")
        attachment = _attach(actor, upload) if upload else None
        reopen(facts, request, reason=f"{actor.get_username()} changed the checklist.")
        given = Answer.objects.create(
            request=request, item=item, person=actor, text=text.strip(), link=link, attachment=attachment
        )
        facts.add("checklist.answered", subject_of(request.pk), item=item, **evidence_of(given))
        return given


def withdraw(actor: Any, request_id: int, *, reason: str = "") -> None:
    """Give the request up; only its author or the platform team may."""
    with trail.recording(actor) as facts:
        request = lock_request(request_id)
        if request.author_id != actor.pk and not may(actor, ["platform"]):
            raise NotAllowed("Only the author or the platform team may withdraw a request.")
        close_case(facts, subject=subject_of(request.pk), reason="The request was withdrawn.")
        move(facts, request, State.WITHDRAWN, reason=reason)


def reopen(facts: Facts, request: Request, *, reason: str) -> None:
    """Bring a request that was submitted back to draft; the votes on its plan stop counting, visibly."""
    if request.state == State.DRAFT:
        return
    close_case(facts, subject=subject_of(request.pk), reason=reason)
    move(facts, request, State.DRAFT, reason=reason)


def _revise(facts: Facts, request: Request, author: Any, kept: Wording) -> Revision:
    newest = Revision.objects.filter(request=request).aggregate(newest=Max("number"))["newest"] or 0
    revision = Revision.objects.create(request=request, number=newest + 1, author=author, **vars(kept))
    hashes = {tag: sha256(sql) for tag, sql in kept.reverse_sql.items()}
    facts.add("request.revised", subject_of(request.pk), revision=revision.number, reverse_sha256=hashes)
    return revision


def _attach(actor: Any, upload: UploadedFile[Any]) -> Attachment:
    if upload.size is None or upload.size > MAX_ATTACHMENT:
        raise Refused("The file is larger than 4 MiB; give a link to it instead.")
    content = upload.read()
    return Attachment.objects.create(
        name=(upload.name or "file")[:200],
        content_type=(upload.content_type or "application/octet-stream")[:100],
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        person=actor,
    )


def _newlines(text: str) -> str:
    """Browsers send CRLF; the bytes that are hashed and executed have LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip()


def _require_role(actor: Any) -> None:
    if not may(actor, REQUESTING_ROLES):
        raise NotAllowed("Only engineers, the platform team and on-call may file or edit a request.")
