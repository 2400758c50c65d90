"""Asking for a proof of a request's reverse SQL, and finding the one that counts."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from approvals.roles import REQUESTING_ROLES, may
from rollbacks import doorbell
from rollbacks.models import ProofRun, Request
from rollbacks.reversal.proof import PROVEN, Subject, chain_digest
from rollbacks.services.moves import NotAllowed, Refused, lock_request
from rollbacks.services.reading import Reading, newest_first, read_request, sql_problems
from rollbacks.states import EDITABLE, RunState, State


def subject_read(reading: Reading) -> Subject:
    """Return what has to be proven for the request as it stands now."""
    hashes = (each["sha256"] for each in reading.content.get("migrations", []))
    undo = tuple((tag, reading.revision.reverse_sql[tag]) for tag in newest_first(reading))
    return Subject(chain_digest(hashes), reading.request.return_to or None, undo)


def subject_kept(run: ProofRun) -> Subject:
    """Return what this run is to prove; the row keeps the order, because the target may have changed since."""
    wanted = run.wanted
    undo = tuple((tag, run.revision.reverse_sql[tag]) for tag in wanted["undo"])
    return Subject(wanted["chain_sha256"], wanted["return_to"], undo)


def current_run(reading: Reading) -> ProofRun | None:
    """Return the newest run about exactly what the request says now, or None when there is none."""
    subject = subject_read(reading).digest
    return ProofRun.objects.filter(request=reading.request, subject=subject).order_by("-id").first()


def passed(run: ProofRun | None) -> bool:
    """Tell whether the run came to an end and proved its subject."""
    return run is not None and run.state == RunState.DONE and (run.proof or {}).get("outcome") == PROVEN


def ask(actor: Any, request_id: int) -> ProofRun:
    """Ask a worker to prove the newest revision; a run about the same that is not over yet is returned as it is.

    Raises NotAllowed, or Refused with each reason why this SQL is not run anywhere.
    """
    if not may(actor, REQUESTING_ROLES):
        raise NotAllowed("Only engineers, the platform team and on-call may have a request proven.")
    with transaction.atomic():
        request = lock_request(request_id)
        if State(request.state) not in EDITABLE:
            raise Refused(f"{request} is {request.state.replace('_', ' ')}; there is nothing left to prove.")
        reading = read_request(request)
        problems = [sentence for _code, sentence, _anchor in sql_problems(reading)]
        if not reading.content:
            problems.append(f"{request.target.title} could not be read; read it again on its page.")
        if problems:
            raise Refused(*problems)
        return _ask(actor, request, reading)


def ask_if_ready(actor: Any, request: Request) -> ProofRun | None:
    """Ask for a proof when the SQL is complete and not proven yet; what is missing is on the page already."""
    with transaction.atomic():
        reading = read_request(lock_request(request.pk))
        if not reading.content or sql_problems(reading) or current_run(reading) is not None:
            return None
        return _ask(actor, reading.request, reading)


def _ask(actor: Any, request: Request, reading: Reading) -> ProofRun:
    subject = subject_read(reading)
    open_ = ProofRun.objects.filter(
        request=request, subject=subject.digest, state__in=[RunState.PENDING, RunState.RUNNING]
    ).first()
    if open_ is not None:
        return open_
    run = ProofRun.objects.create(
        request=request,
        revision=reading.revision,
        subject=subject.digest,
        wanted={
            "chain_sha256": subject.chain_sha256,
            "return_to": subject.return_to,
            "undo": [tag for tag, _sql in subject.undo],
        },
        asked_by=actor,
    )
    doorbell.ring_proof_on_commit(run.pk)
    return run
