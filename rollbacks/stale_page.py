"""What changed between the plan on a page that somebody opened and the request as it is now."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approvals.services import open_case_of
from records.chain import canonical, sha256
from rollbacks.checklist import asked
from rollbacks.models import Request, Revision, SubmittedPlan
from rollbacks.services.moves import subject_of
from rollbacks.services.reading import current_answers, current_revision, evidence_of
from rollbacks.services.submission import utc

# Shown as lines of SQL, or repeating what those lines say.
SQL_PARTS = frozenset({"file", "undo"})
SHOWN_FIELDS = 200
# A plan whose target has no options says nothing of them.
NOTHING_CHOSEN: dict[str, Any] = {"options": {}}


@dataclass(frozen=True)
class ChangedField:
    """One field of the plan with what the page said and what holds now; an empty text means that there is none."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class StalePage:
    """The digest that was seen, the one that can be signed now (empty when none can), and what differs."""

    seen: str
    current: str
    fields: tuple[ChangedField, ...]
    more: int
    sql: str


def stale_page(request: Request, seen: str) -> StalePage | None:
    """Return what changed since the plan with this digest was shown; None when no such plan was ever submitted.

    While the request is a draft again, its plan is compared as far as people write it.
    """
    kept = SubmittedPlan.objects.filter(request=request, digest=seen).first()
    if kept is None:
        return None
    case = open_case_of(subject_of(request.pk))
    revision = current_revision(request)
    submitted = case is not None and revision.digest == case.digest
    after = NOTHING_CHOSEN | dict(revision.plan or {}) if submitted else _as_written(request, revision)
    fields = tuple(_changed_fields(NOTHING_CHOSEN | dict(kept.plan), after))
    return StalePage(
        seen=seen,
        current=case.digest if case and submitted else "",
        fields=fields[:SHOWN_FIELDS],
        more=max(0, len(fields) - SHOWN_FIELDS),
        sql="\n".join(difflib.unified_diff(_sql(kept.plan), _sql(after), "seen", "now", lineterm="")),
    )


def _as_written(request: Request, revision: Revision) -> dict[str, Any]:
    answers = current_answers(request)
    items = asked(production_incident=revision.production_incident)
    names = ("reason", "production_incident", "incident_reference", "security_incident", "justification")
    return {name: getattr(revision, name) for name in names} | {
        "revision": revision.number,
        "window_start": utc(revision.window_start),
        "window_end": utc(revision.window_end),
        "emergency_reason": revision.emergency_reason if revision.emergency else "",
        "checklist": {
            item.key: sha256(canonical(evidence_of(answers[item.key]))) for item in items if item.key in answers
        },
        "undo": [{"tag": tag, "reverse_sql": sql} for tag, sql in sorted(revision.reverse_sql.items(), reverse=True)],
    }


def _changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[ChangedField]:
    shared = [name for name in before if name in after and name not in SQL_PARTS]
    old, new = (dict(_leaves({name: plan[name] for name in shared})) for plan in (before, after))
    for name in sorted(old.keys() | new.keys()):
        if old.get(name) != new.get(name):
            yield ChangedField(name, old.get(name, ""), new.get(name, ""))


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    parts: Sequence[tuple[str, Any]] = ()
    if isinstance(value, Mapping):
        parts = [(str(key), part) for key, part in value.items()]
    elif isinstance(value, list | tuple):
        parts = [(str(position), part) for position, part in enumerate(value, 1)]
    if not parts:
        yield path, "" if value is None or value in ([], {}) else str(value)
    for name, part in parts:
        yield from _leaves(part, f"{path}.{name}" if path else name)


def _sql(plan: Mapping[str, Any]) -> list[str]:
    lines: list[str] = []
    for each in sorted(plan["undo"], key=lambda each: str(each["tag"]), reverse=True):
        lines += [f"-- Undo {each['tag']}", *str(each["reverse_sql"]).splitlines()]
    return lines
