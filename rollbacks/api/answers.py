"""What is answered about targets and requests: filled from the readings of the pages, so both say the same."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from rollbacks.models import Answer, Attachment, Inventory, Revision, Target
from rollbacks.proof_view import ProofView
from rollbacks.queries import Row
from rollbacks.request_page import ChecklistRow, RequestPage, UndoRow
from rollbacks.services.targets import options_of


class Person(BaseModel):
    """A person, by the id that stays when the name changes."""

    id: int
    username: str
    name: str

    @classmethod
    def of(cls, person: Any) -> Person:
        """Return the person of this account."""
        return cls(id=person.pk, username=person.get_username(), name=person.get_full_name())


class Me(BaseModel):
    """Who the caller is and what it may do."""

    person: Person
    roles: list[str]
    scopes: list[str]
    token: str | None
    may_vote: bool


class TargetAnswer(BaseModel):
    """A target and what was last read of it, in short."""

    name: str
    title: str
    environment: str
    repository: str
    base_branch: str
    out: str
    prefix: str
    audit_tables: list[str]
    options: dict[str, Any]
    retired: bool
    read_at: datetime | None
    error: str
    migrations: int | None
    violations: list[str]

    @classmethod
    def of(cls, target: Target, inventory: Inventory | None) -> TargetAnswer:
        """Return the target with its newest reading."""
        content = inventory.content if inventory else None
        return cls(
            name=target.name, title=target.title, environment=target.environment, repository=target.repository,
            base_branch=target.base_branch, out=target.out, prefix=target.prefix, audit_tables=target.audit_tables, options=options_of(target).document(),
            retired=target.retired_at is not None, read_at=inventory.read_at if inventory else None,
            error=inventory.error if inventory else "",
            migrations=len(content["migrations"]) if content else None,
            violations=[each["sentence"] for each in content["violations"]] if content else [],
        )  # fmt: skip


class Targets(BaseModel):
    """All targets in use, by name."""

    items: list[TargetAnswer]


class InventoryAnswer(BaseModel):
    """The whole newest reading of a target; `content` is null when it could not be read, `error` then says why."""

    target: str
    read_at: datetime | None
    error: str
    content: dict[str, Any] | None


class Asked(BaseModel):
    """Something was asked of a worker; `sentence` says what happens next."""

    id: int
    sentence: str


class RequestRow(BaseModel):
    """A request in a list: where it stands and for whom it waits."""

    id: int
    title: str
    target: str
    author: Person
    state: str
    return_to: str | None
    opened_at: datetime
    changed_at: datetime
    waits_for: list[str]
    decision: str | None
    step: str | None

    @classmethod
    def of(cls, row: Row) -> RequestRow:
        """Return the row of a list."""
        request = row.request
        return cls(
            id=request.pk, title=str(request), target=request.target.name, author=Person.of(request.author),
            state=request.state, return_to=request.return_to or None, opened_at=request.opened_at,
            changed_at=request.changed_at, waits_for=list(row.waits_for),
            decision=row.decision.state.value if row.decision else None, step=row.step.name if row.step else None,
        )  # fmt: skip


class Requests(BaseModel):
    """One page of requests, newest first; `next` is the cursor of the page after it."""

    items: list[RequestRow]
    next: str | None


class RevisionAnswer(BaseModel):
    """What the request asks for now; `seen_revision` of an edit is its number."""

    number: int
    author: Person
    made_at: datetime
    reason: str
    production_incident: bool
    incident_reference: str
    window_start: datetime | None
    window_end: datetime | None
    security_incident: str
    justification: str
    digest: str | None

    @classmethod
    def of(cls, revision: Revision) -> RevisionAnswer:
        """Return the wording of a revision; its SQL is with the migrations to undo."""
        return cls(
            number=revision.number, author=Person.of(revision.author), made_at=revision.made_at,
            reason=revision.reason, production_incident=revision.production_incident,
            incident_reference=revision.incident_reference, window_start=revision.window_start,
            window_end=revision.window_end, security_incident=revision.security_incident,
            justification=revision.justification, digest=revision.digest or None,
        )  # fmt: skip


class Undo(BaseModel):
    """One migration to undo, newest first."""

    tag: str
    idx: int | None
    forward_sql: str
    reverse_sql: str
    impacts: list[str]
    problems: list[str]

    @classmethod
    def of(cls, row: UndoRow) -> Undo:
        """Return the migration as the page shows it."""
        return cls(
            tag=row.tag, idx=row.idx, forward_sql=row.forward_sql, reverse_sql=row.reverse_sql,
            impacts=list(row.impacts), problems=list(row.problems),
        )  # fmt: skip


class FileAnswer(BaseModel):
    """An evidence file."""

    id: int
    name: str
    size: int
    sha256: str

    @classmethod
    def of(cls, file: Attachment) -> FileAnswer:
        """Return the file without its bytes."""
        return cls(id=file.pk, name=file.name, size=file.size, sha256=file.sha256)


class GivenAnswer(BaseModel):
    """The answer to a checklist item that counts now."""

    id: int
    item: str
    person: Person
    answered_at: datetime
    text: str
    link: str
    file: FileAnswer | None

    @classmethod
    def of(cls, given: Answer) -> GivenAnswer:
        """Return the answer with its evidence."""
        return cls(
            id=given.pk, item=given.item, person=Person.of(given.person), answered_at=given.answered_at,
            text=given.text, link=given.link, file=FileAnswer.of(given.attachment) if given.attachment else None,
        )  # fmt: skip


class ChecklistItem(BaseModel):
    """One item of the runbook's checklist; `asked` when a person has to answer it for this request."""

    item: str
    title: str
    ask: str
    asked: bool
    answer: GivenAnswer | None
    worker_evidence: dict[str, Any] | None

    @classmethod
    def of(cls, row: ChecklistRow) -> ChecklistItem:
        """Return the item as the page shows it."""
        return cls(
            item=row.item.key, title=row.item.title, ask=row.item.ask, asked=row.asked,
            answer=GivenAnswer.of(row.answer) if row.answer else None, worker_evidence=row.worker_evidence,
        )  # fmt: skip


class BlockerAnswer(BaseModel):
    """One thing that stands between a draft and its submission: to fix, or worth waiting for."""

    kind: str
    code: str
    sentence: str


class Blockers(BaseModel):
    """Everything that is missing before the request can be submitted; nothing for what is no draft."""

    state: str
    items: list[BlockerAnswer]

    @classmethod
    def of(cls, page: RequestPage) -> Blockers:
        """Return what the page lists."""
        return cls(
            state=page.request.state,
            items=[BlockerAnswer(kind=each.kind, code=each.code, sentence=each.sentence) for each in page.blockers],
        )


class ProofAnswer(BaseModel):
    """The proof that counts: unasked, proving, untried, proven or disproven, with what was seen."""

    state: str
    passed: bool
    run: int | None
    asked_at: datetime | None
    finished_at: datetime | None
    sentence: str
    proof: dict[str, Any]
    live: dict[str, Any]

    @classmethod
    def of(cls, view: ProofView) -> ProofAnswer:
        """Return the proof panel's reading."""
        run = view.run
        return cls(
            state=view.state, passed=view.passed, run=run.pk if run else None, asked_at=run.asked_at if run else None,
            finished_at=run.finished_at if run else None, sentence=run.sentence if run else "",
            proof=dict(view.proof), live=dict(view.live),
        )  # fmt: skip


class RequestAnswer(BaseModel):
    """A request as its page shows it; `primary` names the one thing that the caller can do now."""

    id: int
    title: str
    target: str
    author: Person
    state: str
    return_to: str | None
    opened_at: datetime
    changed_at: datetime
    revision: RevisionAnswer
    undo: list[Undo]
    impacts: list[str]
    checklist: list[ChecklistItem]
    blockers: list[BlockerAnswer]
    proof: str
    decision: str | None
    waiting: str
    record: int | None
    primary: str
    may_edit: bool
    may_withdraw: bool

    @classmethod
    def of(cls, page: RequestPage) -> RequestAnswer:
        """Return what the page shows, without the proof, case and executions that have addresses of their own."""
        request = page.request
        return cls(
            id=request.pk, title=str(request), target=request.target.name, author=Person.of(request.author),
            state=request.state, return_to=request.return_to or None, opened_at=request.opened_at,
            changed_at=request.changed_at, revision=RevisionAnswer.of(page.revision),
            undo=[Undo.of(row) for row in page.undo], impacts=list(page.impacts),
            checklist=[ChecklistItem.of(row) for row in page.checklist], blockers=Blockers.of(page).items,
            proof=page.proof.state, decision=page.decision.state.value if page.decision else None,
            waiting=page.waiting, record=page.record, primary=page.primary, may_edit=page.may_edit,
            may_withdraw=page.may_withdraw,
        )  # fmt: skip


class FieldProblem(BaseModel):
    """One wrong field and the sentence about it."""

    field: str
    sentence: str


class ProblemAnswer(BaseModel):
    """A refusal (RFC 9457): each sentence says what is wrong and what to do next."""

    type: str
    title: str
    status: int
    detail: str
    sentences: list[str]
    fields: list[FieldProblem] | None = None
    changed: str | None = None
