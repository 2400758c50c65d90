"""Sealed change records and the trail, for auditors and their programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from records.models import ChangeRecord, Fact
from records.paging import page_after, page_of
from rollbacks.api.bodies import Page, TrailFilters
from rollbacks.api.callers import READS
from rollbacks.api.cursors import cursor_for, key_of
from rollbacks.api.problems import refuse_unknown_filters
from rollbacks.api.run_answers import FactAnswer, RecordRow, Records, Trail

router = Router(tags=["records"])


@router.get("/records", response=Records, auth=READS)
def list_records(request: HttpRequest, filters: Query[Page]) -> Records:
    """One page of sealed change records, newest first."""
    refuse_unknown_filters(request, filters)
    before = key_of("records", filters.cursor, {})
    rows, following = page_of(ChangeRecord.objects.defer("document"), before)
    return Records(items=[RecordRow.of(row) for row in rows], next=cursor_for("records", following, {}))


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
    found = Fact.objects.filter(subject=filters.subject) if filters.subject else Fact.objects.all()
    rows, following = page_of(found, key) if filters.order == "newest" else page_after(found, key)
    return Trail(items=[FactAnswer.of(row) for row in rows], next=cursor_for("trail", following, chosen))
