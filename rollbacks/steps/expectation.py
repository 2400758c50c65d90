"""What the catalog must look like after the rollback: worked out at rehearsal, compared before COMMIT.

want = (live − (N − P)) ∪ (P − N): P is a replay up to the return point, N a replay of the whole chain, so
N − P is what the undone migrations made and live − N is drift, which is kept.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from rollbacks.adapters.store import Store, StoreRefused
from rollbacks.ports import Evidence, StepContext, StepFailed
from rollbacks.reversal.catalog import ACCESS_KINDS, Differences, Entry, Facts, compare

AT_END = "at_end"


@dataclass(frozen=True)
class Expected:
    """The facts that the catalog must have after the rollback; owners and grants are judged apart."""

    facts: Facts

    def refuse_difference(self, before: Facts, after: Facts) -> None:
        """Raise StepFailed, naming every difference, when the catalog is not as it was proven.

        Owners and grants of what was there before must be as before: a scratch server has none to compare.
        """
        differences = compare(self.facts, after.without(ACCESS_KINDS))
        sentences = list(differences.sentences()) if not differences.equal else []
        sentences += lost_access(before, after)
        if sentences:
            raise StepFailed(
                "The catalog after the reverse SQL is not the one that was proven, so everything was rolled back. "
                + " ".join(sentences[:20])
            )


def want(*, live: Facts, newest: Facts, return_point: Facts) -> Facts:
    """Return the facts that must hold after the rollback, drift kept; all three without owners and grants."""
    made = newest.entries - return_point.entries
    undone = return_point.entries - newest.entries
    return Facts(entries=frozenset((live.entries - made) | undone), order=return_point.order)


def differences_from(wanted: Facts, after: Facts, *, live: Facts, made: Facts, return_point: Facts) -> Differences:
    """Compare what came with what was wanted; what only somebody's hand made has to be there, and may follow the rest.

    A view by hand over a column reads otherwise once the column has its old name or type again; that is no loss.
    `made` is the newest migration's replay.
    """
    known = {entry[:-1] for facts in (made, return_point) for entry in facts.entries}
    loose = {entry[:-1] for entry in live.entries} - known
    return compare(_loosened(wanted, loose), _loosened(after, loose))


def _loosened(facts: Facts, loose: Collection[Entry]) -> Facts:
    entries = ((*entry[:-1], "made by hand") if entry[:-1] in loose else entry for entry in facts.entries)
    return Facts(frozenset(entries), facts.order)


def lost_access(before: Facts, after: Facts) -> list[str]:
    """Return a sentence for each owner or grant that changed on an object that is there before and after."""
    owned = {kind: {entry[:-1] for entry in facts.entries if entry[0] in ACCESS_KINDS} for kind, facts in
             (("before", before), ("after", after))}  # fmt: skip
    kept = owned["before"] & owned["after"]
    changed = {entry for entry in before.entries - after.entries if entry[0] in ACCESS_KINDS and entry[:-1] in kept}
    return [f"The {entry[0]} of {'.'.join(entry[1:-1])} changed." for entry in sorted(changed)]


def keep_expected(ctx: StepContext, expected: Facts, *, at_end: Facts | None = None) -> Evidence:
    """Write the expected facts beside the backup, for later steps; return the file's name and digest.

    `at_end` are those after everything that runs, where statements run outside the transaction after it.
    """
    parts = {**expected.to_json(), **({AT_END: at_end.to_json()} if at_end is not None else {})}
    text = json.dumps(parts, ensure_ascii=False, sort_keys=True)
    name = _note(ctx)
    try:
        Store.of(ctx.environ).keep_note(name, text)
    except StoreRefused as error:
        raise StepFailed(f"{error} Nothing was changed on the target.") from error
    return {"file": name, "sha256": hashlib.sha256(text.encode()).hexdigest(), "facts": len(expected.entries)}


def load_expected(ctx: StepContext, *, at_end: bool = False) -> Expected:
    """Return the facts that the rehearsal kept; raises StepFailed when they are gone or were changed.

    They are what the transaction leaves; `at_end`: what everything that runs leaves.
    """
    kept = ctx.evidence["rehearse"]["expected"]
    try:
        text = Store.of(ctx.environ).read_note(_note(ctx))
    except StoreRefused as error:
        raise StepFailed(f"{error} Nothing was changed on the target.") from error
    if text is None:
        raise StepFailed(
            "The rehearsed catalog is no longer beside the backup, so there is nothing to compare with; start again."
        )
    if hashlib.sha256(text.encode()).hexdigest() != kept["sha256"]:
        raise StepFailed("The rehearsed catalog was changed since the rehearsal; nothing was run.")
    content: dict[str, Any] = json.loads(text)
    return Expected(Facts.from_json(content.get(AT_END, content) if at_end else content))


def _note(ctx: StepContext) -> str:
    return f"expected-{ctx.token}.json"
