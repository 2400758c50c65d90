"""What the pages show: each function is one page's or one panel's reading, with a fixed number of queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import CharField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Concat

from approvals.models import Case, Review
from approvals.policy import Decision
from approvals.policy import State as Judged
from approvals.reviews import waiting_for
from approvals.roles import REQUESTING_ROLES, may
from approvals.services import cases_of, decisions_on, open_roles
from records.models import ChangeRecord
from records.paging import PAGE, page_of
from rollbacks.models import Execution, FollowUp, Inventory, Request, StepRun, Target
from rollbacks.services import follow_ups
from rollbacks.services.moves import subject_of
from rollbacks.states import State

# The open case about each subject, with what is decided on it.
Cases = Mapping[str, tuple[Case, Decision]]


@dataclass(frozen=True)
class Row:
    """One request in a list: where it stands and for whom it waits."""

    request: Request
    waits_for: tuple[str, ...]
    my_roles: tuple[str, ...]
    decision: Decision | None
    step: StepRun | None


@dataclass(frozen=True)
class FollowUpRow:
    """One follow-up in a list; `may_sign` when its acceptance waits for the viewer."""

    follow_up: FollowUp
    may_sign: bool = False


@dataclass(frozen=True)
class Home:
    """The first page: what waits for me, what is mine, what runs, what ended lately."""

    waiting_on_me: tuple[Row, ...]
    mine: tuple[Row, ...]
    running: tuple[Row, ...]
    reviews: tuple[Review, ...]
    # Of everybody's, because the absence is everybody's to know.
    follow_ups: tuple[FollowUpRow, ...]
    ended: tuple[Row, ...]


def home(person: Any) -> Home:
    """Return the queue of this person, newest first in each part."""
    base = Request.objects.select_related("target", "author")
    in_review = base.filter(state=State.IN_REVIEW)[:PAGE]
    mine = base.filter(author=person).exclude(state__in=[State.SUCCEEDED, State.WITHDRAWN])[:PAGE]
    running = base.filter(state__in=[State.EXECUTING, State.NEEDS_ATTENTION])[:PAGE]
    ended = base.filter(state__in=[State.SUCCEEDED, State.FAILED, State.REJECTED])[:10]
    groups = [list(in_review), list(mine), list(running), list(ended)]
    missing = list(follow_ups.open_follow_ups()[:PAGE])
    unique = {each.pk: each for group in groups for each in group}
    # Both kinds of cases in one reading: the page is the most opened one.
    judged = _judged([*map(subject_of, unique), *(follow_ups.subject_of(each.pk) for each in missing)])
    rows = {row.request.pk: row for row in _rows(unique, person, judged)}
    waiting, filed, at_work, over = [tuple(rows[each.pk] for each in group) for group in groups]
    return Home(
        waiting_on_me=tuple(row for row in waiting if row.my_roles),
        mine=filed,
        running=at_work,
        reviews=tuple(waiting_for(person)[:PAGE]),
        follow_ups=tuple(_follow_up_row(each, person, judged) for each in missing),
        ended=over,
    )


def request_rows(
    person: Any, *, state: str, target: str, before: int | None, author: int | None = None
) -> tuple[list[Row], int | None]:
    """Return one page of requests and the key of the next page, or None when this is the last."""
    found = Request.objects.select_related("target", "author")
    if state:
        found = found.filter(state=state)
    if target:
        found = found.filter(target__name=target)
    if author:
        found = found.filter(author_id=author)
    page, following = page_of(found, before)
    return rows_of(page, person), following


def rows_of(requests: Sequence[Request], person: Any) -> list[Row]:
    """Return the rows of these requests in four queries whatever their number."""
    unique = {request.pk: request for request in requests}
    return _rows(unique, person, _judged(list(map(subject_of, unique))))


def follow_up_rows(before: int | None) -> tuple[list[FollowUpRow], int | None]:
    """Return one page of follow-ups, newest first, and the key of the next page, or None when this is the last."""
    page, following = page_of(FollowUp.objects.select_related("target", "execution"), before)
    return [FollowUpRow(each) for each in page], following


def targets_with_inventory() -> list[tuple[Target, Inventory | None]]:
    """Return the targets in use, each with its newest reading, in two queries."""
    targets = list(Target.objects.filter(retired_at__isnull=True))
    newest = Inventory.objects.filter(target__in=targets).order_by("target_id", "-id").distinct("target_id")
    by_target = {inventory.target_id: inventory for inventory in newest}
    return [(target, by_target.get(target.pk)) for target in targets]


def current_execution(request: Request) -> Execution | None:
    """Return the request's newest execution with its steps read, or None."""
    return executions_of(request).first()


def executions_of(request: Request) -> QuerySet[Execution]:
    """Return the request's executions, newest first, with their steps, in two queries."""
    rows = Execution.objects.filter(request=request).select_related("started_by", "follow_up").prefetch_related("steps")
    return rows.order_by("-number")


def with_record(requests: QuerySet[Request]) -> QuerySet[Request]:
    """Add `record_pk` to each request: its sealed change record's id, or None."""
    subject = Concat(Value("request:"), Cast(OuterRef("pk"), CharField()))
    newest = ChangeRecord.objects.filter(subject=subject).order_by("-id").values("pk")[:1]
    return requests.annotate(record_pk=Subquery(newest))


def waiting_sentence(execution: Execution | None, now: datetime | None = None) -> str:
    """Say in words what a running execution waits for; empty when a worker is at it."""
    if execution is None or not execution.is_open:
        return ""
    moment = now or datetime.now(UTC)
    current = next((step for step in execution.steps.all() if step.state != "done"), None)
    if current is None or current.state == "uncertain":
        return ""
    if execution.rung_at is None:
        return "Queued: the broker cannot be reached; the next sweep rings for a worker."
    if current.state == "pending" and current.lease_until and current.lease_until > moment:
        return f"Waiting a moment before the step {current.name} is tried again."
    if current.state == "pending":
        return "Queued: waiting for a free worker."
    if current.lease_until and current.lease_until < moment:
        return "The worker has not been heard of; another one takes over at the next sweep."
    return ""


def _judged(subjects: Sequence[str]) -> Cases:
    """Return the open case about each subject that has one, with what its votes decide, in three queries."""
    cases = list(cases_of(subjects).filter(closed_at__isnull=True)) if subjects else []
    decisions = decisions_on(cases) if cases else {}
    return {case.subject: (case, decisions[case.pk]) for case in cases}


def _rows(requests: Mapping[int, Request], person: Any, judged: Cases) -> list[Row]:
    steps = _current_steps(list(requests))
    return [_row(request, person, judged, steps.get(pk)) for pk, request in requests.items()]


def _follow_up_row(follow_up: FollowUp, person: Any, judged: Cases) -> FollowUpRow:
    case, decision = judged.get(follow_ups.subject_of(follow_up.pk), (None, None))
    return FollowUpRow(follow_up, bool(case and decision and open_roles(case, decision, person)))


def _current_steps(requests: list[int]) -> dict[int, StepRun]:
    rows = (
        StepRun.objects.filter(execution__request__in=requests, execution__is_open=True)
        .exclude(state="done")
        .select_related("execution")
        .order_by("-position")
    )
    return {row.execution.request_id: row for row in rows}


def _row(request: Request, person: Any, judged: Cases, step: StepRun | None) -> Row:
    case, decision = judged.get(subject_of(request.pk), (None, None))
    if case is None or decision is None or request.state != State.IN_REVIEW:
        return Row(request, (), (), decision, step)
    waits = tuple(dict.fromkeys(role for need in decision.missing for role in need.roles))
    if decision.state is Judged.APPROVED:
        waits = ("start",)
    elif decision.state is Judged.EXPIRED:
        waits = ("submission",)
    mine = open_roles(case, decision, person)
    return Row(request, waits, mine, decision, step)


def may_file(person: Any) -> bool:
    """Tell whether the person may file requests."""
    return may(person, REQUESTING_ROLES)
