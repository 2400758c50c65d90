"""What a person who is called to a run finds: what is known, what is not, and the few things that are safe to do now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from rollbacks.models import Execution, StepRun
from rollbacks.states import RunState
from rollbacks.steps import APPLY, past_apply, reaches_target


@dataclass(frozen=True)
class Action:
    """One thing to do: `kind` is resume, cancel or recover; `text` says what then happens."""

    kind: str
    title: str
    text: str


@dataclass(frozen=True)
class Attention:
    """What the page says beside the sentence of the step itself."""

    known: tuple[str, ...]
    unknown: str
    actions: tuple[Action, ...]


def attention_of(execution: Execution) -> Attention | None:
    """Return what to say of the execution's uncertain step; None when no step is."""
    runs = {run.name: run for run in execution.steps.all()}
    doubt = next((run for run in runs.values() if run.state == RunState.UNCERTAIN), None)
    if doubt is None:
        return None
    known = tuple(filter(None, (_backup(runs), _begun(runs, doubt), _committed(runs))))
    return Attention(known, _unknown(doubt), _actions(execution, runs, doubt))


def _backup(runs: Mapping[str, StepRun]) -> str:
    evidence = _evidence(runs, "backup")
    if not evidence:
        return ""
    return _("There is a backup, %(name)s, which was restored on the scratch server and compared before.") % {
        "name": evidence["name"]
    }


def _begun(runs: Mapping[str, StepRun], doubt: StepRun) -> str:
    if not reaches_target(doubt.name):
        return _("The target is as it was: nothing was run on it.")
    if doubt.name != APPLY:
        return ""
    return _("The transaction was begun by %(worker)s; it is on the target as a whole or not at all.") % {
        "worker": doubt.worker or _("a worker")
    }


def _committed(runs: Mapping[str, StepRun]) -> str:
    row: Mapping[str, Any] = _evidence(runs, APPLY).get("ledger_row", {})
    if not row:
        return ""
    return _("The target has committed the rollback: row %(id)s of its ledger. It is not applied again.") % {
        "id": row["id"]
    }


def _unknown(doubt: StepRun) -> str:
    if doubt.name == APPLY:
        return _("Whether its COMMIT is on the target, for the reason that the step gives.")
    if past_apply(doubt.name):
        return _("Whether the target still is what was proven, for the reason that the step gives.")
    if reaches_target(doubt.name):
        return _("Which of the statements outside the transaction have their effect; the catalog will tell.")
    return _("Why the step stopped; the worker's log says more.")


def _actions(execution: Execution, runs: Mapping[str, StepRun], doubt: StepRun) -> tuple[Action, ...]:
    committed = past_apply(doubt.name)
    look = Action("resume", _("Look again and go on"), _look(doubt, committed=committed))
    if not committed:
        asked = execution.cancel_asked_at is not None
        stop = Action(
            "cancel",
            _("Give the run up"),
            _("You were heard. Now let the portal look again: it only looks, and applies nothing any more.")
            if asked
            else _(
                "Cancel the run, then let the portal look again. It only looks: what is on the target stays and is recorded."
            ),
        )
        return look, stop
    if not _evidence(runs, "backup"):
        return (look,)
    recover = Action(
        "recover",
        _("Bring the state before back"),
        _(
            "Open a recovery from the kept backup: into a new database, with signatures of its own. Production is not overwritten."
        ),
    )
    return look, recover


def _look(doubt: StepRun, *, committed: bool) -> str:
    if doubt.name == APPLY:
        return _("The worker ends what an earlier attempt left, reads the ledger and applies only if nothing is there.")
    if committed:
        return _("Once the cause is mended: the worker compares anew. It applies nothing again.")
    return _("Once the cause is mended: the worker looks what is there and does the rest.")


def _evidence(runs: Mapping[str, StepRun], name: str) -> dict[str, Any]:
    run = runs.get(name)
    return dict(run.evidence) if run is not None and run.state == RunState.DONE else {}
