"""The history checker: everything that a request left behind, compared with everything else; contradictions as sentences.

It may be asked at any moment, with workers dead or alive. What nobody can know yet (a COMMIT under way) is no
contradiction; what two places say differently is, and so is a run that nobody would ever go on with.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models.functions import Now

from records import chain
from records.models import ChangeRecord, Fact
from records.trail import detail_of
from records.verification import verify
from rollbacks import engine
from rollbacks.adapters.counts import row_counts
from rollbacks.adapters.store import Store, StoreRefused
from rollbacks.models import Execution, Request, StepRun
from rollbacks.reversal.archive import SCHEMA as ARCHIVE
from rollbacks.reversal.catalog import ACCESS_KINDS, Facts, read_facts
from rollbacks.steps import LANE_AFTER, LANE_BEFORE, STEPS
from tests.conftest import TargetDatabase

# Of plans without statements outside the transaction, which the faults strike.
NAMES = tuple(step.name for step in STEPS if step.name not in {LANE_BEFORE, LANE_AFTER})
APPLY = NAMES.index("apply")
LEDGER = "drizzle.__drizzle_migrations"
ENDS = {"step.done": "done", "step.failed": "failed", "step.uncertain": "uncertain"}
RUNNING_STATES = {"executing", "needs_attention"}
KEPT = re.compile(rf'CREATE TABLE "?{ARCHIVE}"?\."?(\w+)"? AS\s+SELECT [a-z_, ]+ FROM "?(\w+)"?')


@dataclass(frozen=True)
class Before:
    """The target and its repository before anything ran."""

    facts: Facts
    rows: dict[str, int]
    ledger: tuple[Any, ...]
    head: str
    status: str


def before(nzila: TargetDatabase) -> Before:
    """Look at the target and its repository before the first run."""
    facts, rows = _catalog(nzila)
    ledger = tuple(nzila.rows(f"SELECT id, hash, created_at FROM {LEDGER} ORDER BY id"))
    return Before(facts, rows, ledger, _git(nzila, "rev-parse", "HEAD"), _git(nzila, "status", "--porcelain"))


def contradictions(request_id: int, nzila: TargetDatabase, was: Before, *, settled: bool = False) -> list[str]:
    """Return what does not agree about the request; `settled` says that no worker lives, so nothing may be left about."""
    request = Request.objects.get(pk=request_id)
    executions = list(request.executions.order_by("number"))
    found = [*_trail(request, executions)]
    for execution in executions:
        runs = list(execution.steps.order_by("position"))
        found += _rows(execution, runs)
        found += _backup(execution, runs, nzila)
        found += _repository(execution, runs, nzila)
        found += _record(execution, runs, nzila)
        if not execution.is_open and any(run.state == "failed" for run in runs):
            found += _failed(execution, nzila)
    found += _request(request, executions)
    found += _target(executions, nzila, was)
    if settled:
        found += _leftovers(executions, nzila)
    if (_git(nzila, "rev-parse", "HEAD"), _git(nzila, "status", "--porcelain")) != (was.head, was.status):
        found.append("The repository's working tree or its checked-out commit was touched.")
    return found


# ── the portal's rows ───────────────────────────────────────────────────────────────────────────────────────


def _rows(execution: Execution, runs: list[StepRun]) -> Iterator[str]:
    if tuple(run.name for run in runs) != NAMES:
        yield f"{execution} does not have one row for each step."
    first = next((position for position, run in enumerate(runs) if run.state != "done"), len(runs))
    for position, run in enumerate(runs):
        if position > first and run.state != "pending":
            yield f"{execution}: {run.name} is {run.state} before {runs[first].name} is done."
        if run.state == "done" and not (run.evidence and run.finished_at and run.attempt):
            yield f"{execution}: {run.name} is done without evidence, time or attempt."
        if run.state in {"failed", "uncertain"} and not run.sentence:
            yield f"{execution}: {run.name} is {run.state} and no sentence says why."
        if run.lease_until is not None and (not execution.is_open or run.state not in {"pending", "running"}):
            yield f"{execution}: {run.name} is {run.state} in a run that is {_open(execution)} and still has a lease."
    if not execution.is_open:
        if execution.finished_at is None:
            yield f"{execution} has ended and has no time of its end."
        if first < len(runs) and runs[first].state != "failed":
            yield f"{execution} has ended at {runs[first].name}, which is {runs[first].state}."
    elif first == len(runs):
        yield f"{execution} is open and all its steps are done."
    elif not _somebody_goes_on(execution, runs[first]):
        yield f"{execution} waits at {runs[first].name} ({runs[first].state}) and nobody would ever go on with it."


def _somebody_goes_on(execution: Execution, run: StepRun) -> bool:
    """Tell whether a worker holds it, will find it free, or a person was called."""
    if run.state == "uncertain":
        return execution.request.state == "needs_attention"
    held = StepRun.objects.filter(pk=run.pk, lease_until__gte=Now()).exists()
    return run.state in {"pending", "running"} and (held or execution.pk in engine.claimable())


def _request(request: Request, executions: list[Execution]) -> Iterator[str]:
    still = [execution for execution in executions if execution.is_open]
    if len(still) > 1:
        yield f"{request} has {len(still)} open runs."
    if bool(still) != (request.state in RUNNING_STATES):
        yield f"{request} is {request.state} and {len(still)} of its runs are open."
    if not executions:
        return
    newest = executions[-1]
    states = {run.state for run in newest.steps.all()}
    if not still and request.state in {"succeeded", "failed"}:
        ended = "succeeded" if states == {"done"} else "failed"
        if request.state != ended:
            yield f"{request} is {request.state} and its newest run {ended}."
    if request.state == "needs_attention" and "uncertain" not in states:
        yield f"{request} needs attention and none of its steps is uncertain."
    if request.state == "executing" and "uncertain" in states:
        yield f"{request} is executing and one of its steps is uncertain."


# ── the trail ───────────────────────────────────────────────────────────────────────────────────────────────


def _trail(request: Request, executions: list[Execution]) -> Iterator[str]:
    checked = verify()
    if checked.broken is not None:
        yield f"The trail is broken: {checked.broken.sentence}"
    told = [
        (fact.action, detail_of(fact)) for fact in Fact.objects.filter(subject=f"request:{request.pk}").order_by("seq")
    ]
    state = "draft"
    for detail in (detail for action, detail in told if action == "request.moved"):
        if detail["before"] != state:
            yield f"The trail moves {request} from {detail['before']} while it was {state}."
        state = detail["after"]
    if state != request.state:
        yield f"{request} is {request.state} and the trail says {state}."
    for execution in executions:
        mine = [(action, detail) for action, detail in told if detail.get("execution") == execution.pk]
        yield from _steps_told(execution, mine)


def _steps_told(execution: Execution, told: list[tuple[str, dict[str, Any]]]) -> Iterator[str]:
    """Follow the run's facts: what they say of each step is what its row says, one fact for each change of state."""
    heard: dict[str, tuple[str, dict[str, Any]]] = {}
    for action, detail in told:
        if action == "request.moved" and detail.get("resumed"):
            # The number of the attempt goes on: it is the fence.
            heard = {name: ("pending", said[1]) if said[0] == "uncertain" else said for name, said in heard.items()}
        if not action.startswith("step."):
            continue
        name, state = detail["step"], heard.get(detail["step"], ("pending", {}))[0]
        if state in {"done", "failed", "uncertain"}:
            yield f"{execution}: the trail says {action} of {name}, which was {state} already."
        if action == "step.started":
            earlier = NAMES[: NAMES.index(name)]
            if any(heard.get(each, ("", {}))[0] != "done" for each in earlier):
                yield f"{execution}: {name} was started before an earlier step was done."
            expected = heard.get(name, ("", {}))[1].get("attempt", 0) + 1
            if detail["attempt"] != expected:
                yield f"{execution}: {name} was started as attempt {detail['attempt']}, and {expected} was its turn."
        elif action in ENDS and name in heard and detail["attempt"] != heard[name][1].get("attempt"):
            yield f"{execution}: {action} of {name} is of attempt {detail['attempt']}, which was not the one at work."
        after = {"step.started": "running", "step.interrupted": "pending"}.get(action) or ENDS.get(action, state)
        heard[name] = (after, detail)
    for run in execution.steps.all():
        state, detail = heard.get(run.name, ("pending", {}))
        if state != run.state:
            yield f"{execution}: {run.name} is {run.state} and the trail says {state}."
        elif run.state == "done" and json.loads(json.dumps(detail.get("evidence"))) != run.evidence:
            yield f"{execution}: the evidence of {run.name} is not the one that the trail tells of."


# ── the target ──────────────────────────────────────────────────────────────────────────────────────────────


def _target(executions: list[Execution], nzila: TargetDatabase, was: Before) -> Iterator[str]:
    """Ledger, catalog and rows of the target: as before, or as proven, and nothing between."""
    ledger = nzila.rows(f"SELECT id, hash, created_at FROM {LEDGER} ORDER BY id")
    added = ledger[len(was.ledger) :]
    if tuple(ledger[: len(was.ledger)]) != was.ledger:
        yield "The ledger's rows of before are not what they were."
    if len(added) > 1:
        yield f"The rollback was applied {len(added)} times: the ledger has that many rows of it."
    facts, rows = _catalog(nzila)
    here = None
    for execution in executions:
        runs = {run.name: run for run in execution.steps.all()}
        apply = runs["apply"]
        row = runs["stage"].evidence and (execution.plan["file"]["sha256"], runs["stage"].evidence["when"])
        mine = [each for each in added if each[1:] == row]
        here = execution if mine else here
        added = [each for each in added if each not in mine]
        if apply.state == "done" and len(mine) != 1:
            yield f"{execution}: the portal says applied and the ledger has {len(mine)} rows of it."
        if mine and (apply.state == "failed" or (apply.state == "pending" and not _attempted(execution))):
            yield f"{execution} was applied, the ledger says, and its apply step is {apply.state}."
        if mine and apply.state == "done" and list(mine[0]) != _row(apply.evidence):
            yield f"{execution}: the evidence of apply names another ledger row than there is."
    if added:
        yield f"The ledger has {len(added)} rows that no run of this request wrote."
    if here is None:
        if facts.digest != was.facts.digest:
            yield "Nothing was applied, the ledger says, and the catalog is not what it was."
        if rows != was.rows:
            yield "Nothing was applied, the ledger says, and the tables do not have the rows that they had."
        return
    proven = here.steps.get(name="rehearse").evidence.get("facts_digest")
    if facts.without(ACCESS_KINDS).digest != proven:
        yield f"{here} was applied and the catalog is not the one that was rehearsed."
    yield from _kept(here, rows, was)


def _kept(execution: Execution, rows: dict[str, int], was: Before) -> Iterator[str]:
    archives = {
        f"{ARCHIVE}.{kept}": f"public.{source}" for kept, source in KEPT.findall(execution.plan["file"]["text"])
    }
    for archive, source in archives.items():
        if rows.get(archive) != was.rows[source]:
            yield f"{archive} has {rows.get(archive, 'no')} rows and {source} had {was.rows[source]}."
    for table, count in was.rows.items():
        if table in rows and rows[table] != count and table != LEDGER:
            yield f"{table} has {rows[table]} rows and had {count}."


def _attempted(execution: Execution) -> bool:
    facts = Fact.objects.filter(action="step.started", subject=f"request:{execution.request_id}")
    return any((told := detail_of(fact))["execution"] == execution.pk and told["step"] == "apply" for fact in facts)


def _row(evidence: dict[str, Any]) -> list[Any]:
    told = evidence.get("ledger_row") or {}
    return [told.get("id"), told.get("hash"), told.get("created_at")]


def _catalog(nzila: TargetDatabase) -> tuple[Facts, dict[str, int]]:
    with nzila.connect() as line:
        counts = row_counts(line, ignore_schemas=())
        line.rollback()
        facts = read_facts(line, ignore_schemas={"drizzle"})
    return facts, {table: count for table, count in counts.items() if table != LEDGER}


# ── what it left on disk and in the repository ──────────────────────────────────────────────────────────────


def _backup(execution: Execution, runs: list[StepRun], nzila: TargetDatabase) -> Iterator[str]:
    """A backup that counts is on disk, whole; and no step after it has begun without one."""
    token, taken = f"execution-{execution.pk}", runs[NAMES.index("backup")]
    if taken.state != "done":
        return
    store = Store.of(nzila.environ)
    try:
        manifest = store.find(token)
        if manifest is None:
            yield f"{execution}: the backup step is done and the store has no backup of it."
            return
        store.verify(manifest)
    except StoreRefused as error:
        yield f"{execution}: the backup step is done and its backup is not whole: {error}"
        return
    if (manifest.name, manifest.sha256, manifest.size) != tuple(
        taken.evidence[key] for key in ("name", "sha256", "bytes")
    ):
        yield f"{execution}: the stored backup is not the one that the evidence names."


def _repository(execution: Execution, runs: list[StepRun], nzila: TargetDatabase) -> Iterator[str]:
    """The branch holds the rollback's file and journal entry once, and the remote has it from publishing on."""
    staged, published = runs[NAMES.index("stage")], runs[NAMES.index("publish")]
    branch, out = f"rollback/rb-{execution.request_id}-execution-{execution.pk}", "packages/db/drizzle"
    local, remote = (_git(nzila, "rev-parse", "-q", "--verify", branch), _remote(nzila, branch))
    failed = any(run.state == "failed" for run in runs)
    if remote and published.state != "done" and not published.attempt:
        yield f"{execution}: the branch was pushed and publishing has not begun."
    if staged.state != "done" or not staged.evidence or failed:
        return
    commit, tag = staged.evidence["commit"], staged.evidence["tag"]
    if not local or _git(nzila, "merge-base", commit, local) != commit:
        yield f"{execution}: staged, and its branch does not hold the commit."
        return
    file = _show(nzila, f"{local}:{out}/{tag}.sql")
    if chain.sha256(file) != execution.plan["file"]["sha256"]:
        yield f"{execution}: the staged file is not the signed one."
    entries = json.loads(_show(nzila, f"{local}:{out}/meta/_journal.json"))["entries"]
    if [entry["when"] for entry in entries if entry["tag"] == tag] != [staged.evidence["when"]]:
        yield f"{execution}: the journal on its branch does not have the rollback exactly once."
    if (
        published.state == "done"
        and published.evidence["pushed"]
        and (not remote or _git(nzila, "merge-base", commit, remote) != commit)
    ):
        yield f"{execution}: published, and the remote's branch does not hold the commit."


def _record(execution: Execution, runs: list[StepRun], nzila: TargetDatabase) -> Iterator[str]:
    """A record is sealed by its fact, tells of an applied rollback, and is filed once with the same bytes."""
    recorded = runs[NAMES.index("record")]
    sealed = ChangeRecord.objects.filter(token=f"execution-{execution.pk}").select_related("fact").first()
    seals = [
        fact for fact in Fact.objects.filter(action="record.sealed", subject=f"request:{execution.request_id}")
        if detail_of(fact)["token"] == f"execution-{execution.pk}"
    ]  # fmt: skip
    if len(seals) != (sealed is not None):
        yield f"{execution}: {len(seals)} facts seal its record and there is {'one' if sealed else 'none'}."
    if sealed is not None and not all(run.state == "done" for run in runs[: NAMES.index("record")]):
        yield f"{execution}: its record is sealed before every step was done."
    if recorded.state != "done":
        return
    if sealed is None or sealed.digest != recorded.evidence["digest"] or chain.sha256(sealed.document) != sealed.digest:
        yield f"{execution}: recorded, and the sealed record is missing or another."
        return
    filed = [
        name
        for name in recorded.evidence["files"]
        if name.startswith("ops/change-management/") and name.endswith(".json")
    ]
    branch = _remote(nzila, recorded.evidence["branch"])
    if len(filed) != 1 or not branch or _show(nzila, f"{branch}:{filed[0]}") != sealed.document:
        yield f"{execution}: the record that is filed in the repository is not the sealed one."


def _failed(execution: Execution, nzila: TargetDatabase) -> Iterator[str]:
    """A run that failed has changed nothing: no record, no branch anywhere."""
    branch = f"rollback/rb-{execution.request_id}-execution-{execution.pk}"
    if ChangeRecord.objects.filter(token=f"execution-{execution.pk}").exists():
        yield f"{execution} failed and has a change record."
    if _remote(nzila, branch):
        yield f"{execution} failed and its branch is at the remote."


def _leftovers(executions: list[Execution], nzila: TargetDatabase) -> Iterator[str]:
    """With no worker alive, nothing of ours is connected to the target, and no half-written file waits."""
    ours = nzila.rows(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND application_name LIKE 'rollback-portal%'"
    )[0][0]
    if ours:
        yield f"{ours} sessions of the portal are still connected to the target."
    for execution in executions:
        token = f"execution-{execution.pk}"
        partial = [path.name for path in Path(nzila.environ["BACKUP_DIR"]).glob(f"*{token}*.partial")]
        if partial and execution.steps.filter(name="backup", state="done").exists():
            yield f"{execution}: {', '.join(partial)} is left beside its backup."
        branch = f"rollback/rb-{execution.request_id}-{token}"
        if not execution.is_open and execution.steps.filter(state="failed").exists() and _local(nzila, branch):
            yield f"{execution} failed and its branch is still in the repository."


def _open(execution: Execution) -> str:
    return "open" if execution.is_open else "over"


def _git(nzila: TargetDatabase, *words: str) -> str:
    return subprocess.run(["git", "-C", str(nzila.repository), *words], capture_output=True, text=True).stdout.strip()


def _local(nzila: TargetDatabase, branch: str) -> str:
    return _git(nzila, "rev-parse", "-q", "--verify", f"refs/heads/{branch}")


def _remote(nzila: TargetDatabase, branch: str) -> str:
    origin = nzila.repository.parent / "nzila.git"
    found = subprocess.run(
        ["git", "-C", str(origin), "rev-parse", "-q", "--verify", f"refs/heads/{branch}"],
        capture_output=True,
        text=True,
    )
    return found.stdout.strip()


def _show(nzila: TargetDatabase, what: str) -> str:
    return subprocess.run(
        ["git", "-C", str(nzila.repository), "show", what], capture_output=True, text=True, check=False
    ).stdout
