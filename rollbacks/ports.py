"""What a step is given and what it may answer, in plain Python."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rollbacks.drizzle.journal import Layout
from rollbacks.options import Options
from rollbacks.plan import Plan

Evidence = dict[str, Any]


class StepEnded(Exception):
    """How a step ended other than well; `evidence` is what it can show all the same."""

    def __init__(self, sentence: str, *, evidence: Evidence | None = None) -> None:
        super().__init__(sentence)
        self.evidence: Evidence = evidence or {}


class StepFailed(StepEnded):
    """The step did not happen and left everything as it was; its sentence says why and what to do next."""


class StepUncertain(StepEnded):
    """Nobody can tell from here whether the step's effect is there; a person must look."""


class StepInterrupted(Exception):
    """The outside world broke off; the effect may or may not be there, so the next attempt observes first."""


class LeaseLost(Exception):
    """Another worker took this step over, so this one must not cause any effect any more."""


@dataclass(frozen=True)
class TargetSettings:
    """How a worker reaches the target's repository and what it must know about the database."""

    name: str
    environment: str
    repository: str
    base_branch: str
    layout: Layout
    owner_role: str
    audit_tables: tuple[str, ...]
    options: Options = field(default_factory=Options)
    # owner/name at GitHub; empty where no pull request is opened.
    github: str = ""


@dataclass(frozen=True)
class StepContext:
    """All that one step may use. Times are aware; `environ` holds the worker's credentials and tools."""

    plan: Plan
    digest: str
    token: str
    request: int
    execution: int
    attempt: int
    target: TargetSettings
    started_by: str
    evidence: Mapping[str, Evidence]
    environ: Mapping[str, str]
    lease_seconds: float
    now: Callable[[], datetime]
    # Renews the lease and shows the progress on the page; raises LeaseLost when the lease is not ours.
    heartbeat: Callable[[Evidence], None]
    # The request's history for the record step: votes, checklist, timeline, earlier runs.
    history: Callable[[], Evidence]
    # Seals the document in the portal and returns {"id", "digest", "document", "sealed_at"}; idempotent.
    seal: Callable[[Evidence], Evidence]
    # Keeps the branch as a patch to download, in place of an earlier one of this execution.
    keep_patch: Callable[[bytes], None]
    # Notes that this execution's backup is in the store: name, store, sums and recipients; idempotent.
    keep_backup: Callable[[Evidence], None]
    # Notes that the backup was restored, with an empty sentence, or why it cannot be relied on.
    judge_backup: Callable[[str], None]
    # The sentence of whoever wants this execution stopped, read anew each time; empty while nobody does.
    cancelled: Callable[[], str]
    # Why the approved plan may not be applied any more, judged anew; empty while it may.
    no_longer_allowed: Callable[[], str]
    # The resume points of the lane by the statement's number, this execution's as they stand now. One of an earlier
    # execution of the same plan has "earlier": it only says that the plan once began the statement.
    resume_points: Callable[[], Mapping[int, Evidence]] = dict
    # Keeps a point, "begun", "done" or "undone", with its evidence; raises LeaseLost when the step is another worker's by now.
    keep_point: Callable[[int, str, Evidence], None] = lambda number, state, evidence: None


@dataclass(frozen=True)
class Step:
    """One step of an execution: look whether its effect is there, and cause it."""

    name: str
    observe: Callable[[StepContext], Evidence | None]
    perform: Callable[[StepContext], Evidence]
    # Takes away what the step left outside the target when a later step failed; None when it leaves nothing.
    clean: Callable[[StepContext], None] | None = None
    # Harmless to repeat: kept on being tried instead of failing the execution.
    retried: bool = False
