"""Submitting a request: everything that is missing is listed, then the plan is fixed and its case opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import OuterRef, Subquery

from approvals.in_force import rulebook
from approvals.policy import Policy
from approvals.reviews import blocked
from approvals.services import open_case
from records import trail
from records.chain import canonical, sha256
from rollbacks.checklist import asked, unmet
from rollbacks.models import (
    Answer,
    Inventory,
    ProofRun,
    Request,
    Revision,
    SecurityIncident,
    SubmittedPlan,
    Target,
)
from rollbacks.plan import LedgerHead, Limits, Plan, TargetIdentity, Undo, compose_file
from rollbacks.services.flags import answered_by_worker
from rollbacks.services.moves import NotAllowed, Refused, lock_request, move, refuse_jump, subject_of
from rollbacks.services.proofs import current_run, passed
from rollbacks.services.reading import (
    Reading,
    evidence_of,
    lane_of,
    newest_first,
    read_request,
    sql_problems,
    undo_tags,
)
from rollbacks.services.targets import options_of
from rollbacks.services.traits import traits_of
from rollbacks.states import RunState, State

# A plan is built on what a worker read of the target; older readings are read again first.
INVENTORY_MAX_AGE = timedelta(minutes=15)


@dataclass(frozen=True)
class Blocker:
    """One thing that stands between a draft and its submission: the author's to fix, or worth waiting for."""

    kind: str  # "fix" or "wait"
    code: str
    sentence: str
    # Which part of the page mends it: "sql-<tag>", "reason", "checklist-<item>", "target".
    anchor: str = ""


def blockers(reading: Reading, run: ProofRun | None, *, now: datetime) -> tuple[Blocker, ...]:
    """Return all that is missing before the request can be submitted, in the order of the page."""
    return (
        *_target_blockers(reading, now),
        *_sql_blockers(reading),
        *_proof_blockers(reading, run),
        *_wording_blockers(reading, now),
        *_emergency_blockers(reading),
        *_policy_blockers(reading, run),
        *(
            Blocker("fix", "checklist", f"The checklist item “{item.title}” has no evidence.", f"checklist-{item.key}")
            for item in unmet(reading.answers, production_incident=reading.revision.production_incident)
        ),
    )


def submit(actor: Any, request_id: int) -> Plan:
    """Fix the plan of the newest revision and open its case for signatures.

    Raises NotAllowed for anyone but the author and editors, Refused with every blocker's sentence.
    """
    now = datetime.now(UTC)
    with trail.recording(actor) as facts:
        request = lock_request(request_id)
        reading = read_request(request)
        touched = people_who_touched(request)
        if actor.pk not in touched:
            raise NotAllowed("Only the author or somebody who edited the request may submit it.")
        # First, because a second press finds everything in order and would open the same case again.
        refuse_jump(request, State.IN_REVIEW)
        run = current_run(reading)
        missing = blockers(reading, run, now=now)
        if missing:
            raise Refused(*(blocker.sentence for blocker in missing))
        plan = build_plan(reading, run)
        policy = Policy.of(plan.policy)
        Revision.objects.filter(pk=reading.revision.pk).update(plan=plan.document(), digest=plan.digest)
        SubmittedPlan.objects.get_or_create(request=request, digest=plan.digest, defaults={"plan": plan.document()})
        if plan.security_impacting:
            _log_incident(facts, actor, reading)
        open_case(
            facts,
            subject=subject_of(request.pk),
            digest=plan.digest,
            policy=policy,
            barred=touched,
            opened_by=actor,
        )
        if policy.emergency:
            facts.add(
                "break_glass.used", subject_of(request.pk), digest=plan.digest, rule=policy.rule,
                reason=plan.emergency_reason, incident=plan.incident_reference,
            )  # fmt: skip
        move(facts, request, State.IN_REVIEW, digest=plan.digest, revision=reading.revision.number)
        return plan


def people_who_touched(request: Request) -> dict[int, str]:
    """Return who filed, edited or answered, and the sentence that keeps each of them from signing."""
    touched: dict[int, str] = {}
    for person in Answer.objects.filter(request=request).values_list("person_id", flat=True):
        touched[person] = "You answered its checklist, and nobody signs what they touched."
    for person in Revision.objects.filter(request=request).values_list("author_id", flat=True):
        touched[person] = "You edited this request, and nobody signs what they touched."
    touched[request.author_id] = "You filed this request, and nobody signs what they touched."
    return touched


def build_plan(reading: Reading, run: ProofRun | None) -> Plan:
    """Return the plan of a reading without blockers; what it is built from decides its digest completely."""
    content = reading.content
    request, revision = reading.request, reading.revision
    undo = tuple(_undo(reading.migrations[tag], revision.reverse_sql[tag]) for tag in newest_first(reading))
    impacts = reading.impacts
    traits = traits_of(reading, run)
    return Plan(
        request=request.pk,
        revision=revision.number,
        target=TargetIdentity(name=request.target.name, environment=request.target.environment, **content["identity"]),
        layout={
            "out": request.target.out,
            "prefix": request.target.prefix,
            "ledger_schema": request.target.ledger_schema,
            "ledger_table": request.target.ledger_table,
        },
        ledger_head=LedgerHead(**content["ledger_head"]),
        return_to=request.return_to or None,
        undo=undo,
        file=compose_file(
            undo,
            request=request.pk,
            revision=revision.number,
            return_to=request.return_to or None,
            written_by=revision.author.get_username(),
            date=revision.made_at.astimezone(UTC).date().isoformat(),
            reason=revision.reason,
        ),
        impacts=impacts,
        proof={**run.proof, "live": run.live} if run and run.proof else {},
        reason=revision.reason,
        production_incident=revision.production_incident,
        incident_reference=revision.incident_reference,
        security_incident=revision.security_incident if impacts else "",
        justification=revision.justification if impacts else "",
        window_start=utc(revision.window_start),
        window_end=utc(revision.window_end),
        checklist={
            item.key: sha256(canonical(evidence_of(reading.answers[item.key])))
            for item in asked(production_incident=revision.production_incident)
        },
        limits=Limits(settings.LOCK_TIMEOUT_MS, settings.STATEMENT_TIMEOUT_MS),
        policy=rulebook().policy_for(traits).document(),
        traits={**asdict(traits), "tables": list(traits.tables), "owners": list(traits.owners)},
        emergency_reason=revision.emergency_reason if revision.emergency else "",
        options=options_of(request.target).document(flags=answered_by_worker(reading.answers.get("feature_flags"))),
        lane=lane_of(reading).document(),
    )


def _target_blockers(reading: Reading, now: datetime) -> list[Blocker]:
    inventory, target = reading.inventory, reading.request.target
    if inventory is None or inventory.content is None:
        reason = inventory.error if inventory else "No worker has read it yet."
        return [Blocker("wait", "inventory", f"{target.title} could not be read: {reason}", "target")]
    found = [
        Blocker("fix", violation["code"], violation["sentence"], "target")
        for violation in inventory.content["violations"]
        if violation["blocks"]
    ]
    if now - inventory.read_at > INVENTORY_MAX_AGE:
        sentence = f"{target.title} was last read more than 15 minutes ago; read it again on its page."
        found.append(Blocker("wait", "inventory-age", sentence, "target"))
    found += _twin_blockers(reading)
    if not found:
        found += _moved_blockers(reading)
    return found


def _twin_blockers(reading: Reading) -> list[Blocker]:
    """The same database under a second name with another label would be a way around the rules of the first."""
    target = reading.request.target
    newest = Inventory.objects.filter(target=OuterRef("pk")).order_by("-id")
    others = (
        Target.objects.filter(retired_at__isnull=True).exclude(pk=target.pk).exclude(environment=target.environment)
    )
    same = others.annotate(identity=Subquery(newest.values("content__identity")[:1])).filter(
        identity=reading.content["identity"]
    )
    return [
        Blocker(
            "wait", "relabelled",
            f"The database of {target.title} is registered as {other.environment} as well, under the name {other.name}; "
            "have one of the two retired, then submit again.",
            "target",
        )
        for other in same
    ]  # fmt: skip


def _moved_blockers(reading: Reading) -> list[Blocker]:
    """The newest migrations may have changed since the draft was opened."""
    request = reading.request
    try:
        tags = undo_tags(request.target, request.return_to)
    except Refused as refusal:
        return [Blocker("fix", "return-point", str(refusal), "target")]
    if set(tags) == set(reading.revision.reverse_sql):
        return []
    return [
        Blocker(
            "fix",
            "moved",
            f"{request.target.title} has other migrations above the return point than when this request was "
            "opened; file a new request for the same return point.",
            "target",
        )
    ]


def _sql_blockers(reading: Reading) -> list[Blocker]:
    return [Blocker("fix", code, sentence, anchor) for code, sentence, anchor in sql_problems(reading)]


def _proof_blockers(reading: Reading, run: ProofRun | None) -> list[Blocker]:
    """Only a proof that passed, of exactly this SQL on exactly this chain, lets a request be submitted."""
    if passed(run) or sql_problems(reading) or not reading.content:
        return []
    if run is None:
        return [Blocker("fix", "proof", "The reverse SQL has not been proven yet; have it proven.", "proof")]
    if run.state == RunState.DONE:
        sentence = f"The reverse SQL does not lead back: {(run.proof or {})['differences'][0]}"
        return [Blocker("fix", "disproven", sentence, "proof")]
    if run.state == RunState.FAILED:
        return [Blocker("fix", "unproven", f"The reverse SQL could not be proven: {run.sentence}", "proof")]
    return [Blocker("wait", "proving", "The reverse SQL is being proven on the scratch server.", "proof")]


def _wording_blockers(reading: Reading, now: datetime) -> list[Blocker]:
    revision, found = reading.revision, []
    if not revision.reason.strip():
        found.append(Blocker("fix", "reason", "The request has no reason; say what went wrong.", "reason"))
    if revision.production_incident and not revision.incident_reference:
        sentence = "It is a production incident, so it needs the incident's reference."
        found.append(Blocker("fix", "incident", sentence, "incident_reference"))
    if revision.window_start and revision.window_end and revision.window_end <= revision.window_start:
        sentence = "The maintenance window ends before it begins; correct one of the two times."
        found.append(Blocker("fix", "window", sentence, "window"))
    elif revision.window_end and revision.window_end <= now:
        sentence = "The maintenance window is over; choose a later one."
        found.append(Blocker("fix", "window", sentence, "window"))
    if reading.impacts and not revision.security_incident:
        sentence = "It touches a security control, so the runbook wants a security incident logged: give its reference."
        found.append(Blocker("fix", "security-incident", sentence, "security_incident"))
    if reading.impacts and not revision.justification.strip():
        sentence = "It touches a security control, so it needs a justification for the change record."
        found.append(Blocker("fix", "justification", sentence, "justification"))
    return found


def _emergency_blockers(reading: Reading) -> list[Blocker]:
    """Breaking the glass needs an incident and a reason of its own, and no earlier emergency left unreviewed."""
    revision = reading.revision
    found: list[Blocker] = []
    if not revision.emergency:
        return found
    if not (revision.production_incident and revision.incident_reference):
        sentence = "Breaking the glass is for production incidents: mark it as one and give the incident's reference."
        found.append(Blocker("fix", "emergency-incident", sentence, "production_incident"))
    if not revision.emergency_reason.strip():
        sentence = "Breaking the glass needs a reason of its own: say why it cannot wait for all signatures."
        found.append(Blocker("fix", "emergency-reason", sentence, "emergency_reason"))
    for person in (reading.request.author, revision.author):
        if sentence := blocked(person):
            found.append(Blocker("wait", "emergency-review", sentence, "emergency"))
            break
    return found


def _policy_blockers(reading: Reading, run: ProofRun | None) -> list[Blocker]:
    if not passed(run) or rulebook().policy_for(traits_of(reading, run)).needs:
        return []
    sentence = "No rule of the policy catches this request, so nobody could approve it; have the policy file corrected."
    return [Blocker("wait", "no-rule", sentence, "sign-off")]


def _log_incident(facts: trail.Facts, actor: Any, reading: Reading) -> None:
    revision, request = reading.revision, reading.request
    logged = {"reference": revision.security_incident, "justification": revision.justification}
    if SecurityIncident.objects.filter(request=request, **logged).exists():
        return
    incident = SecurityIncident.objects.create(request=request, logged_by=actor, **logged)
    facts.add("security_incident.logged", subject_of(request.pk), incident=incident.pk, **logged)


def _undo(migration: Mapping[str, Any], reverse_sql: str) -> Undo:
    return Undo(migration["idx"], migration["tag"], migration["when"], migration["sha256"], reverse_sql)


def utc(moment: datetime | None) -> str | None:
    """Return the time as the plan writes it: UTC, ISO 8601, whole seconds."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")
