"""Requests: list, open, read, edit, submit, withdraw; what is missing and what is proven."""

from __future__ import annotations

from dataclasses import replace

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Query, Router

from rollbacks import queries
from rollbacks.api.answers import Asked, Blockers, ProofAnswer, RequestAnswer, RequestRow, Requests
from rollbacks.api.bodies import Edit, Opening, Reason, RequestFilters, Written
from rollbacks.api.callers import FILES, READS
from rollbacks.api.cursors import cursor_for, key_of
from rollbacks.api.problems import Problem, invalid, refuse_unknown_filters
from rollbacks.api.repeating import DOCUMENTED, repeatable
from rollbacks.models import Request, Revision, Target
from rollbacks.request_page import RequestPage, difference, request_page
from rollbacks.services import requests as service
from rollbacks.services.moves import Refused
from rollbacks.services.proofs import ask
from rollbacks.services.reading import current_revision, undo_tags
from rollbacks.services.submission import submit as submit_request

router = Router(tags=["requests"])


@router.get("/requests", response=Requests, auth=READS)
def list_requests(request: HttpRequest, filters: Query[RequestFilters]) -> Requests:
    """One page of requests, newest first."""
    refuse_unknown_filters(request, filters)
    chosen = {"state": filters.state or "", "target": filters.target, "author": filters.author or 0}
    rows, following = queries.request_rows(
        request.user,
        state=filters.state or "",
        target=filters.target,
        author=filters.author,
        before=key_of("requests", filters.cursor, chosen),
    )
    return Requests(items=[RequestRow.of(row) for row in rows], next=cursor_for("requests", following, chosen))


@router.post("/requests", response={201: RequestAnswer}, auth=FILES, openapi_extra=DOCUMENTED)
@repeatable(201)
def open_request(request: HttpRequest, body: Opening) -> RequestAnswer:
    """Open a draft; what has to be undone follows from the return point, and what was drafted fills empty SQL."""
    target = Target.objects.filter(name=body.target, retired_at__isnull=True).first()
    if target is None:
        raise invalid([("target", "There is no target of this name in use; see the list of targets.")])
    return_to = body.return_to or ""
    _refuse_unknown_tags(body, undo_tags(target, return_to) if body.reverse_sql else ())
    opened = service.open_request(
        request.user, target=target, return_to=return_to, wording=_wording(body, service.Wording())
    )
    return RequestAnswer.of(page_of(request, opened.pk))


@router.get("/requests/{int:pk}", response=RequestAnswer, auth=READS)
def read_request(request: HttpRequest, pk: int) -> RequestAnswer:
    """The request as its page shows it."""
    return RequestAnswer.of(page_of(request, pk))


@router.patch("/requests/{int:pk}", response=RequestAnswer, auth=FILES)
def edit_request(request: HttpRequest, pk: int, body: Edit) -> RequestAnswer:
    """Add a revision; what is left out stays. Votes on the earlier plan stop counting.

    When somebody saved a newer revision than `seen_revision`, nothing is written and the problem's `changed`
    says what they changed.
    """
    found = find(pk)
    seen = Revision.objects.filter(request=found, number=body.seen_revision).first()
    if seen is None:
        raise invalid([("seen_revision", "The request has no such revision; read it again.")])
    _refuse_unknown_tags(body, tuple(seen.reverse_sql))
    wording = _wording(body, service.Wording.of(seen))
    try:
        service.edit_request(request.user, pk, wording=wording, seen_revision=body.seen_revision)
    except Refused as refusal:
        newest = current_revision(found)
        if newest.number == seen.number:
            raise
        raise Problem("stale", *refusal.sentences, changed=difference(seen, newest)) from refusal
    return RequestAnswer.of(page_of(request, pk))


@router.get("/requests/{int:pk}/blockers", response=Blockers, auth=READS)
def read_blockers(request: HttpRequest, pk: int) -> Blockers:
    """Everything that is missing before the request can be submitted."""
    return Blockers.of(page_of(request, pk))


@router.get("/requests/{int:pk}/proof", response=ProofAnswer, auth=READS)
def read_proof(request: HttpRequest, pk: int) -> ProofAnswer:
    """The proof of exactly what the request says now, or the one that was signed."""
    return ProofAnswer.of(page_of(request, pk).proof)


@router.post("/requests/{int:pk}/proof", response={202: Asked}, auth=FILES, openapi_extra=DOCUMENTED)
@repeatable(202)
def ask_for_proof(request: HttpRequest, pk: int) -> Asked:
    """Have a worker prove the newest revision's reverse SQL on the scratch server."""
    run = ask(request.user, find(pk).pk)
    return Asked(id=run.pk, sentence="Asked. A worker proves the reverse SQL on the scratch server; read the proof.")


@router.post("/requests/{int:pk}/submit", response=RequestAnswer, auth=FILES, openapi_extra=DOCUMENTED)
@repeatable(200)
def submit(request: HttpRequest, pk: int) -> RequestAnswer:
    """Fix the plan of the newest revision and open its case; refused with everything that is missing."""
    submit_request(request.user, find(pk).pk)
    return RequestAnswer.of(page_of(request, pk))


@router.post("/requests/{int:pk}/withdraw", response=RequestAnswer, auth=FILES, openapi_extra=DOCUMENTED)
@repeatable(200)
def withdraw(request: HttpRequest, pk: int, body: Reason) -> RequestAnswer:
    """Give the request up."""
    service.withdraw(request.user, find(pk).pk, reason=body.reason)
    return RequestAnswer.of(page_of(request, pk))


def find(pk: int) -> Request:
    """Return the request or raise Http404."""
    return get_object_or_404(Request.objects.select_related("target", "author"), pk=pk)


def page_of(request: HttpRequest, pk: int) -> RequestPage:
    """Return the reading of the request's page for the caller."""
    found = get_object_or_404(queries.with_record(Request.objects.select_related("target", "author")), pk=pk)
    return request_page(found, request.user)


def _wording(body: Written, kept: service.Wording) -> service.Wording:
    """What was sent over what is kept; reverse SQL is kept or replaced migration by migration."""
    sent = {name: getattr(body, name) for name in Written.model_fields if name in body.model_fields_set}
    return replace(kept, **{**sent, "reverse_sql": {**kept.reverse_sql, **body.reverse_sql}})


def _refuse_unknown_tags(body: Written, tags: tuple[str, ...]) -> None:
    unknown = [tag for tag in body.reverse_sql if tag not in tags]
    if unknown:
        undone = ", ".join(tags) or "none"
        raise invalid([("reverse_sql", f"It names a migration that is not undone; those that are: {undone}.")])
