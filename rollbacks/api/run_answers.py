"""What is answered about executions, change records and the trail."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from records.models import ChangeRecord, Fact
from rollbacks.api.answers import Person
from rollbacks.models import Execution, StepRun
from rollbacks.queries import waiting_sentence


class StepAnswer(BaseModel):
    """One step of an execution with its evidence."""

    position: int
    name: str
    state: str
    attempt: int
    worker: str
    started_at: datetime | None
    finished_at: datetime | None
    observed: bool
    sentence: str
    evidence: dict[str, Any]

    @classmethod
    def of(cls, step: StepRun) -> StepAnswer:
        """Return the step run."""
        return cls(
            position=step.position, name=step.name, state=step.state, attempt=step.attempt, worker=step.worker,
            started_at=step.started_at, finished_at=step.finished_at, observed=step.observed, sentence=step.sentence,
            evidence=step.evidence,
        )  # fmt: skip


class ExecutionAnswer(BaseModel):
    """One run of a signed plan with its steps; `waiting` says what an open one waits for."""

    id: int
    number: int
    digest: str
    started_by: Person
    started_at: datetime
    finished_at: datetime | None
    is_open: bool
    waiting: str
    steps: list[StepAnswer]

    @classmethod
    def of(cls, execution: Execution) -> ExecutionAnswer:
        """Return the execution as the run page shows it."""
        return cls(
            id=execution.pk, number=execution.number, digest=execution.digest,
            started_by=Person.of(execution.started_by), started_at=execution.started_at,
            finished_at=execution.finished_at, is_open=execution.is_open, waiting=waiting_sentence(execution),
            steps=[StepAnswer.of(step) for step in execution.steps.all()],
        )  # fmt: skip


class Executions(BaseModel):
    """The request's executions, newest first."""

    items: list[ExecutionAnswer]


class RecordRow(BaseModel):
    """A sealed change record without its document."""

    id: int
    title: str
    result: str
    subject: str
    digest: str
    sealed_at: datetime
    fact: int

    @classmethod
    def of(cls, record: ChangeRecord) -> RecordRow:
        """Return the row of the list."""
        return cls(
            id=record.pk, title=record.title, result=record.result, subject=record.subject, digest=record.digest,
            sealed_at=record.sealed_at, fact=record.fact_id,
        )  # fmt: skip


class Records(BaseModel):
    """One page of change records, newest first."""

    items: list[RecordRow]
    next: str | None


class FactAnswer(BaseModel):
    """One fact; `digest` is the SHA-256 of `previous`, a newline and `line`, so that the chain can be checked."""

    seq: int
    at: datetime
    action: str
    subject: str
    actor: int | None
    detail: dict[str, Any]
    line: str
    previous: str
    digest: str

    @classmethod
    def of(cls, fact: Fact) -> FactAnswer:
        """Return the fact with its canonical line."""
        return cls(
            seq=fact.seq, at=fact.at, action=fact.action, subject=fact.subject, actor=fact.actor_id,
            detail=json.loads(fact.line).get("detail", {}), line=fact.line, previous=fact.previous, digest=fact.digest,
        )  # fmt: skip


class Trail(BaseModel):
    """One page of the trail."""

    items: list[FactAnswer]
    next: str | None
