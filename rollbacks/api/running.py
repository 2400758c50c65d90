"""Starting an approved rollback, going on after a person looked, and following executions."""

from __future__ import annotations

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router

from approvals.services import open_case_of
from rollbacks.api.bodies import Cancelling, Confirmed
from rollbacks.api.callers import READS, RUNS
from rollbacks.api.problems import invalid
from rollbacks.api.repeating import DOCUMENTED, repeatable
from rollbacks.api.requests import find
from rollbacks.api.run_answers import ExecutionAnswer, Executions
from rollbacks.models import Execution, Revision
from rollbacks.plan import Plan
from rollbacks.queries import executions_of
from rollbacks.services.moves import subject_of
from rollbacks.services.running import cancel as cancel_execution
from rollbacks.services.running import resume as resume_execution
from rollbacks.services.running import start as start_execution

router = Router(tags=["executions"])


@router.post("/requests/{int:pk}/start", response={202: ExecutionAnswer}, auth=RUNS, openapi_extra=DOCUMENTED)
@repeatable(202)
def start(request: HttpRequest, pk: int, body: Confirmed) -> ExecutionAnswer:
    """Start the approved plan; the body names the target's database, as the page asks for it."""
    find(pk)
    case = open_case_of(subject_of(pk))
    if case is not None:
        plan = Plan.of(get_object_or_404(Revision, request_id=pk, digest=case.digest).plan or {})
        if body.database != plan.target.database:
            raise invalid([("database", "This is not the name of the target's database; nothing was started.")])
    return _execution(start_execution(request.user, pk))


@router.post("/requests/{int:pk}/resume", response={202: ExecutionAnswer}, auth=RUNS, openapi_extra=DOCUMENTED)
@repeatable(202)
def resume(request: HttpRequest, pk: int) -> ExecutionAnswer:
    """Let the engine look again at an execution that needs attention; it observes before it does anything."""
    return _execution(resume_execution(request.user, find(pk).pk))


@router.post("/requests/{int:pk}/cancel", response={202: ExecutionAnswer}, auth=RUNS, openapi_extra=DOCUMENTED)
@repeatable(202)
def cancel(request: HttpRequest, pk: int, body: Cancelling) -> ExecutionAnswer:
    """Ask the worker to stop before it commits anything; the steps of the execution say whether it could."""
    return _execution(cancel_execution(request.user, find(pk).pk, reason=body.reason))


@router.get("/requests/{int:pk}/executions", response=Executions, auth=READS)
def list_executions(request: HttpRequest, pk: int) -> Executions:
    """The request's executions with their steps, newest first."""
    return Executions(items=[ExecutionAnswer.of(each) for each in executions_of(find(pk))])


@router.get("/requests/{int:pk}/executions/{int:number}", response=ExecutionAnswer, auth=READS)
def read_execution(request: HttpRequest, pk: int, number: int) -> ExecutionAnswer:
    """One execution with its steps, their evidence and errors."""
    return ExecutionAnswer.of(get_object_or_404(executions_of(find(pk)), number=number))


def _execution(execution: Execution) -> ExecutionAnswer:
    return ExecutionAnswer.of(executions_of(execution.request).get(pk=execution.pk))
