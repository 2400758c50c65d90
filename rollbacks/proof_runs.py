"""Working on a proof run: claim it with a lease, prove, keep what came of it with its fact.

Like the engine's steps it may be rung for twice, lost or killed; truth is in the row, and every wait is bounded.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Now

from records import trail
from rollbacks import leases
from rollbacks.models import ProofRun
from rollbacks.plan import Limits
from rollbacks.ports import Evidence, LeaseLost
from rollbacks.services import proofs
from rollbacks.services.moves import subject_of
from rollbacks.services.targets import settings_of
from rollbacks.states import RunState
from rollbacks.steps.requested_proof import Requested, Untried, prove_request

logger = logging.getLogger(__name__)

ATTEMPTS = 3
OPEN = (RunState.PENDING, RunState.RUNNING)


@dataclass(frozen=True)
class Claim:
    """A proof run that this worker works on while the attempt is this one and the lease holds."""

    run: ProofRun
    attempt: int


def work(run_id: int, *, worker: str, environ: Mapping[str, str]) -> None:
    """Prove what the run asks for, if this worker can claim it; every outcome is written to the row."""
    claim = _claim(run_id, worker)
    if claim is None:
        return
    try:
        found = _prove(claim, environ)
    except LeaseLost:
        logger.warning("Proof run %s was taken over by another worker.", run_id)
    except Untried as error:
        _settle(claim, state=RunState.FAILED, sentence=str(error))
    except Exception as error:
        logger.exception("Proof run %s stopped unexpectedly.", run_id)
        sentence = f"The worker met something it did not foresee ({type(error).__name__}); its log says what."
        _settle(claim, state=RunState.FAILED, sentence=sentence)
    else:
        _settle(claim, state=RunState.DONE, proof=found.document(), live=found.live)


def claimable() -> list[int]:
    """Return the runs that wait for a worker: never claimed, or their lease has run out."""
    rows = ProofRun.objects.filter(leases.free(), state__in=OPEN)
    return list(rows.order_by("id").values_list("pk", flat=True))


def _claim(run_id: int, worker: str) -> Claim | None:
    claimed = ProofRun.objects.filter(leases.free(), pk=run_id, state__in=OPEN, attempt__lt=ATTEMPTS).update(
        state=RunState.RUNNING,
        attempt=F("attempt") + 1,
        worker=worker,
        lease_until=leases.end(),
        started_at=Now(),
        progress={},
    )
    if claimed:
        run = ProofRun.objects.select_related("request__target", "revision").get(pk=run_id)
        return Claim(run, run.attempt)
    # Whoever kills its worker three times would do so for ever.
    ProofRun.objects.filter(leases.free(), pk=run_id, state__in=OPEN, attempt__gte=ATTEMPTS).update(
        state=RunState.FAILED,
        finished_at=Now(),
        sentence=f"The worker was lost {ATTEMPTS} times while it proved this; look at its log, then prove again.",
    )
    return None


def _prove(claim: Claim, environ: Mapping[str, str]) -> Requested:
    run, renew = claim.run, partial(_renew, claim)
    with leases.kept(renew):
        return prove_request(
            settings_of(run.request.target),
            proofs.subject_kept(run),
            limits=Limits(settings.LOCK_TIMEOUT_MS, settings.STATEMENT_TIMEOUT_MS),
            environ=environ,
            told=lambda number, of: renew({"replaying": number, "of": of}),
        )


def _renew(claim: Claim, progress: Evidence | None) -> None:
    values: dict[str, Any] = {"lease_until": leases.end()}
    if progress is not None:
        values["progress"] = progress
    if _mine(claim).update(**values) != 1:
        raise LeaseLost(f"Attempt {claim.attempt} of proof run {claim.run.pk} is over.")


def _settle(claim: Claim, **values: Any) -> None:
    run = claim.run
    with trail.recording(None) as facts:
        if _mine(claim).update(finished_at=Now(), lease_until=None, progress={}, **values) != 1:
            return
        proof = values.get("proof")
        if proof is None:
            facts.add("request.unproven", subject_of(run.request_id), proven=run.subject, sentence=values["sentence"])
        else:
            action = "request.proven" if proof["outcome"] == "proven" else "request.disproven"
            facts.add(action, subject_of(run.request_id), proven=run.subject, digest=proof["digest"])


def _mine(claim: Claim) -> Any:
    return ProofRun.objects.filter(pk=claim.run.pk, state=RunState.RUNNING, attempt=claim.attempt)
