"""Sealed change records and the trail, for auditors and their programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from records.models import ChangeRecord, Fact
from rollbacks.api.bodies import Page, TrailFilters
from rollbacks.api.callers import READS
from rollbacks.api.cursors import cursor_for, key_of
from rollbacks.api.problems import refuse_unknown_filters
from rollbacks.api.run_answers import FactAnswer, RecordRow, Records, Trail

router = Router(tags=["records"])
PAGE = 50


@router.get("/records", response=Records, auth=READS)
def list_records(request: HttpRequest, filters: Query[Page]) -> Records:
    """One page of sealed change records, newest first."""
    refuse_unknown_filters(request, filters)
    before = key_of("records", filters.cursor, {})
    found = ChangeRecord.objects.defer("document").order_by("-id")
    rows = list((found.filter(pk__lt=before) if before else found)[: PAGE + 1])
    following = rows[PAGE - 1].pk if len(rows) > PAGE else None
    return Records(items=[RecordRow.of(row) for row in rows[:PAGE]], next=cursor_for("records", following, {}))


@router.get("/records/{int:pk}", response=RecordRow, auth=READS)
def read_record(request: HttpRequest, pk: int) -> RecordRow:
    """One change record: its digest and the fact that sealed it."""
    return RecordRow.of(get_object_or_404(ChangeRecord.objects.defer("document"), pk=pk))


@router.get("/records/{int:pk}/document", response=dict, auth=READS)
def read_document(request: HttpRequest, pk: int) -> HttpResponse:
    """The sealed document byte for byte; its SHA-256 is the record's digest."""
    record = get_object_or_404(ChangeRecord, pk=pk)
    return HttpResponse(record.document, content_type="application/json")


@router.get("/trail", response=Trail, auth=READS)
def list_facts(request: HttpRequest, filters: Query[TrailFilters]) -> Trail:
    """One page of the trail, of everything or of one subject; oldest first for whoever checks the chain."""
    refuse_unknown_filters(request, filters)
    chosen = {"subject": filters.subject, "order": filters.order}
    key = key_of("trail", filters.cursor, chosen)
    newest = filters.order == "newest"
    found = Fact.objects.order_by("-seq" if newest else "seq")
    if filters.subject:
        found = found.filter(subject=filters.subject)
    if key is not None:
        found = found.filter(seq__lt=key) if newest else found.filter(seq__gt=key)
    rows = list(found[: PAGE + 1])
    following = rows[PAGE - 1].seq if len(rows) > PAGE else None
    return Trail(items=[FactAnswer.of(row) for row in rows[:PAGE]], next=cursor_for("trail", following, chosen))
