"""The request page's reading: the plan, what is missing, who signs, what can be done now and by whom."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from approvals.in_force import rulebook
from approvals.models import Case, SignOff
from approvals.people import holders_of
from approvals.policy import Choice, Decision, Need, Policy, Vote
from approvals.policy import State as Judged
from approvals.roles import REQUESTING_ROLES, ROLES, may
from approvals.services import cases_of, decision_on, objection_to, open_roles
from records.models import Fact
from rollbacks.checklist import ITEMS, Item
from rollbacks.models import Answer, Execution, ProofRun, Request, Revision
from rollbacks.plan import Plan
from rollbacks.policy_page import conditions_in_words, signs_in_words
from rollbacks.proof_view import ProofView, proof_view, signed_proof
from rollbacks.queries import executions_of, waiting_sentence
from rollbacks.services.moves import subject_of
from rollbacks.services.proofs import current_run
from rollbacks.services.reading import Reading, current_answers, lane_of, newest_first, read_request
from rollbacks.services.running import closed_now
from rollbacks.services.submission import Blocker, blockers
from rollbacks.services.traits import traits_of
from rollbacks.states import EDITABLE, State

TIMELINE = 200
# From here on the plan that was signed is the truth, not what the target and the files look like now.
SIGNED = frozenset({State.EXECUTING, State.NEEDS_ATTENTION, State.SUCCEEDED})


@dataclass(frozen=True)
class UndoRow:
    """One migration to undo, newest first: forward and reverse SQL side by side."""

    tag: str
    idx: int | None
    forward_sql: str
    reverse_sql: str
    impacts: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class ChecklistRow:
    """One checklist item with its answer, or with the worker's evidence for the snapshot."""

    item: Item
    answer: Answer | None
    asked: bool
    worker_evidence: dict[str, Any] | None


@dataclass(frozen=True)
class Chip:
    """One required signature: the role, who gave it or nobody yet, and whether the viewer could."""

    role: str
    vote: Vote | None
    mine: bool
    also: tuple[str, ...] = ()
    # Who holds the role and had no part in it, while the signature is missing.
    holders: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleAhead:
    """The rule that would catch the request as it stands, and who would have to sign."""

    name: str
    signs: tuple[str, ...]


@dataclass(frozen=True)
class RequestPage:
    """Everything the page shows. `primary` names the one control that the viewer can use now."""

    request: Request
    revision: Revision
    revisions: tuple[Revision, ...]
    undo: tuple[UndoRow, ...]
    impacts: tuple[str, ...]
    # What would run outside the transaction, as a plan keeps it.
    lane: Mapping[str, Sequence[str]]
    checklist: tuple[ChecklistRow, ...]
    blockers: tuple[Blocker, ...]
    proof: ProofView
    case: Case | None
    closed_cases: tuple[tuple[Case, tuple[SignOff, ...]], ...]
    decision: Decision | None
    chips: tuple[Chip, ...]
    may_not_sign: str
    my_vote: Vote | None
    comments: tuple[dict[str, Any], ...]
    rule: tuple[str, ...]
    # What the rule book in force would ask for, while nothing is submitted; None afterwards.
    rule_ahead: RuleAhead | None
    closed_now: str
    execution: Execution | None
    executions: tuple[Execution, ...]
    waiting: str
    record: int | None
    timeline: tuple[dict[str, Any], ...]
    may_edit: bool
    may_withdraw: bool
    # Whether the panel offers to prove again; where proving comes next, the page head does.
    prove_again: bool
    primary: str  # edit, prove, submit, sign, start, resume, retry, record, wait or closed


def request_page(request: Request, person: Any) -> RequestPage:
    """Return the page's reading for this viewer; reverse SQL is only analysed while it can still be edited."""
    revisions = tuple(Revision.objects.filter(request=request).select_related("author").order_by("-number"))
    signed = revisions[0].plan if State(request.state) in SIGNED else None
    reading = None if signed else read_request(request, revisions[0])
    answers = reading.answers if reading else current_answers(request)
    now = datetime.now(UTC)
    editable = State(request.state) in EDITABLE
    state_open = State(request.state) in {State.IN_REVIEW, State.EXECUTING, State.FAILED}
    # What is in review carries its proof in the plan.
    in_review = revisions[0].plan if request.state == State.IN_REVIEW else None
    run = current_run(reading) if reading and not in_review else None
    missing = blockers(reading, run, now=now) if reading and request.state == State.DRAFT else ()
    cases = list(cases_of([subject_of(request.pk)]))
    case = next((each for each in cases if each.closed_at is None), None)
    decision = decision_on(case) if case else None
    roles = open_roles(case, decision, person) if case and decision else ()
    executions = tuple(executions_of(request))
    execution = executions[0] if executions else None
    files = may(person, REQUESTING_ROLES)
    timeline = _timeline(request)
    if reading and not in_review:
        proof = proof_view(reading, run, may_ask=files and editable)
    else:
        proof = signed_proof(signed or in_review or {})
    primary = _primary(request, proof, decision, roles, files)
    return RequestPage(
        request=request,
        revision=revisions[0],
        revisions=revisions,
        undo=_undo(reading) if reading else _signed_undo(signed or {}),
        impacts=reading.impacts if reading else tuple((signed or {})["impacts"]),
        lane=lane_of(reading).document() if reading else (signed or {}).get("lane", {}),
        checklist=_checklist(answers, revisions[0], execution),
        blockers=missing,
        proof=proof,
        case=case,
        closed_cases=_closed(cases),
        decision=decision,
        chips=chips_of(case, decision, roles),
        may_not_sign=objection_to(case, person) if case else "",
        my_vote=_vote_of(person, decision) if state_open else None,
        comments=tuple(fact for fact in reversed(timeline) if fact["action"] == "comment.made"),
        rule=_rule(case),
        rule_ahead=_rule_ahead(reading, run) if reading and case is None else None,
        closed_now=_closed_now(revisions[0], case) if state_open else "",
        execution=execution,
        executions=executions,
        waiting=waiting_sentence(execution),
        record=getattr(request, "record_pk", None),
        timeline=timeline,
        may_edit=files and editable,
        may_withdraw=(request.author_id == person.pk or may(person, ["platform"])) and editable,
        prove_again=proof.may_ask and bool(proof.proof) and not proof.passed,
        primary=primary,
    )


def _primary(request: Request, proof: ProofView, decision: Decision | None, roles: Sequence[str], files: bool) -> str:
    """Choose exactly one control: two competing buttons are how the wrong one gets pressed."""
    state = State(request.state)
    approved = decision is not None and decision.state is Judged.APPROVED
    if state is State.DRAFT:
        return _primary_of_draft(proof) if files else "wait"
    if state is State.IN_REVIEW:
        if roles:
            return "sign"
        return "start" if approved and files else "wait"
    if state is State.FAILED:
        return "retry" if approved and files else "wait"
    if state is State.NEEDS_ATTENTION:
        return "resume" if files else "wait"
    if state is State.SUCCEEDED:
        return "record"
    return "wait" if state is State.EXECUTING else "closed"


def _primary_of_draft(proof: ProofView) -> str:
    if proof.passed:
        return "submit"
    if proof.working:
        return "wait"
    # What was disproven has to be written differently first; what could not be tried may be tried again.
    return "edit" if proof.proof or not proof.may_ask else "prove"


def _undo(reading: Reading) -> tuple[UndoRow, ...]:
    migrations = reading.migrations
    rows = []
    for tag in newest_first(reading):
        migration = migrations.get(tag, {})
        reverse = reading.assessments.get(tag)
        problems = [reading.unreadable[tag]] if tag in reading.unreadable else []
        problems += [f"Line {refusal.line}: {refusal.sentence}" for refusal in reverse.refusals] if reverse else []
        rows.append(
            UndoRow(
                tag=tag,
                idx=migration.get("idx"),
                forward_sql=migration.get("sql", ""),
                reverse_sql=reading.revision.reverse_sql[tag],
                impacts=reading.impacts_of(tag),
                problems=tuple(problems),
            )
        )
    return tuple(rows)


def _signed_undo(plan: Mapping[str, Any]) -> tuple[UndoRow, ...]:
    """Once a plan runs, the page shows what was signed; the files may have changed since."""
    return tuple(UndoRow(each["tag"], each["idx"], "", each["reverse_sql"], (), ()) for each in plan["undo"])


def _checklist(
    answers: Mapping[str, Answer], revision: Revision, execution: Execution | None
) -> tuple[ChecklistRow, ...]:
    backup = None
    if execution is not None:
        backup = next((run for run in execution.steps.all() if run.name == "backup" and run.state == "done"), None)
    incident = revision.production_incident
    return tuple(
        ChecklistRow(
            item=item,
            answer=answers.get(item.key),
            asked=not item.by_worker and (incident or not item.incident_only),
            worker_evidence=backup.evidence if backup and item.by_worker else None,
        )
        for item in ITEMS
    )


def chips_of(case: Case | None, decision: Decision | None, roles: Sequence[str]) -> tuple[Chip, ...]:
    """Return one chip for each approval that counts and each that is missing; `roles` are those the viewer could sign in."""
    if case is None or decision is None:
        return ()
    policy = Policy.of(case.policy)
    chips = [Chip(vote.role, vote, False) for vote in decision.counted if vote.choice is not Choice.ABSTAIN]
    asked = sorted({role for need in decision.missing for role in need.roles} & ROLES.keys())
    without = {int(person) for person in case.barred} | {vote.person for vote in decision.counted}
    held = holders_of(asked, without=without)
    for need in policy.needs:
        names = tuple(dict.fromkeys(name for role in need.roles for name in held.get(role, ())))
        chips += [Chip(need.role, None, bool(set(need.roles) & set(roles)), need.also, names)] * _open(need, decision)
    return tuple(chips)


def _open(need: Need, decision: Decision) -> int:
    return next((each.count for each in decision.missing if each.roles == need.roles), 0)


def _closed_now(revision: Revision, case: Any) -> str:
    """Say why the signed plan may not run at this moment, whoever signed it; empty when it may."""
    return closed_now(Plan.of(revision.plan), case.asked_at) if case is not None and revision.plan else ""


def _rule_ahead(reading: Reading, run: ProofRun | None) -> RuleAhead:
    policy = rulebook().policy_for(traits_of(reading, run))
    return RuleAhead(policy.rule, signs_in_words(policy))


def _vote_of(person: Any, decision: Decision | None) -> Vote | None:
    """Return the viewer's vote that still stands, so that they can take it back."""
    return next((vote for vote in decision.counted if vote.person == person.pk), None) if decision else None


def _rule(case: Case | None) -> tuple[str, ...]:
    """Return the rule under which the case is judged, in words."""
    if case is None:
        return ()
    policy = Policy.of(case.policy)
    return (*signs_in_words(policy), *conditions_in_words(policy))


def _closed(cases: Sequence[Case]) -> tuple[tuple[Case, tuple[SignOff, ...]], ...]:
    closed = [case for case in cases if case.closed_at is not None]
    votes: dict[int, list[SignOff]] = {}
    if closed:
        for row in (
            SignOff.objects.filter(case__in=closed).select_related("person", "delegation__holder").order_by("id")
        ):
            votes.setdefault(row.case_id, []).append(row)
    return tuple((case, tuple(votes.get(case.pk, ()))) for case in closed)


def _timeline(request: Request) -> tuple[dict[str, Any], ...]:
    rows = Fact.objects.filter(subject=subject_of(request.pk)).order_by("-seq")[:TIMELINE]
    return tuple({"fact": row, **json.loads(row.line)} for row in rows)


def difference(before: Revision, after: Revision) -> str:
    """Return the unified diff of the reverse SQL and wording between two revisions, for the timeline."""
    lines = difflib.unified_diff(
        _text(before), _text(after), f"revision {before.number}", f"revision {after.number}", lineterm=""
    )
    return "\n".join(lines)


def _text(revision: Revision) -> list[str]:
    text = [f"Reason: {revision.reason}", f"Incident: {revision.incident_reference}"]
    text += [f"Window: {revision.window_start} – {revision.window_end}"]
    text += [f"Security incident: {revision.security_incident}", f"Justification: {revision.justification}"]
    for tag, sql in sorted(revision.reverse_sql.items(), reverse=True):
        text += [f"-- Undo {tag}", *sql.splitlines()]
    return text
