"""The pages of auditors: change records and the trail."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from records.chain import sha256
from records.markdown import render as render_markdown
from records.models import ChangeRecord, Fact
from records.paging import key_in, page_of
from records.recovery_entry import FORMAT as RECOVERY
from records.recovery_entry import recovery_entry


@require_safe
def record_list(request: HttpRequest) -> HttpResponse:
    """The sealed change records, newest first."""
    _require_any_role(request)
    rows, following = page_of(ChangeRecord.objects.defer("document"), key_in(request.GET.get("before", "")))
    return render(request, "records/record_list.html", {"records": rows, "following": following})


@require_safe
def record_page(request: HttpRequest, pk: int) -> HttpResponse:
    """One change record as a page, with the check of its digest."""
    record = _record(request, pk)
    context = {
        "record": record,
        "document": json.loads(record.document),
        "holds": sha256(record.document) == record.digest,
    }
    return render(request, "records/record.html", context)


@require_safe
def record_json(request: HttpRequest, pk: int) -> HttpResponse:
    """The sealed document, byte for byte."""
    record = _record(request, pk)
    return _download(record.document, f"rb-record-{pk}.json", "application/json")


@require_safe
def record_markdown(request: HttpRequest, pk: int) -> HttpResponse:
    """The record as Markdown."""
    record = _record(request, pk)
    document = json.loads(record.document)
    words = recovery_entry if document.get("format") == RECOVERY else render_markdown
    text = words(document, digest=record.digest)
    return _download(text, f"rb-record-{pk}.md", "text/markdown; charset=utf-8")


@require_safe
def trail_page(request: HttpRequest) -> HttpResponse:
    """The trail, newest first, optionally of one subject."""
    _require_any_role(request)
    before = key_in(request.GET.get("before", ""))
    subject = request.GET.get("subject", "")[:64]
    found = Fact.objects.select_related("actor")
    if subject:
        found = found.filter(subject=subject)
    rows, following = page_of(found, before)
    shown: list[dict[str, Any]] = [{"fact": row, **json.loads(row.line)} for row in rows]
    context = {"facts": shown, "following": following, "subject": subject, "newest": before is None}
    return render(request, "records/trail.html", context)


def _record(request: HttpRequest, pk: int) -> ChangeRecord:
    _require_any_role(request)
    return get_object_or_404(ChangeRecord.objects.select_related("fact"), pk=pk)


def _require_any_role(request: HttpRequest) -> None:
    """Records know nothing of roles; holding any, as read at sign-in's door, makes somebody one of the organisation."""
    if not request.user.is_active or not getattr(request.user, "held_now", None):
        raise PermissionDenied(_("Your account has no role yet; ask an administrator for one."))


def _download(text: str, name: str, content_type: str) -> HttpResponse:
    response = HttpResponse(text, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
