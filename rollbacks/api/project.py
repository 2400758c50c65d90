"""Having a worker check feature flags, and taking the rollback's branch along as a patch."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from ninja import Router

from rollbacks.api.answers import Asked
from rollbacks.api.callers import FILES, READS
from rollbacks.api.repeating import DOCUMENTED, repeatable
from rollbacks.api.requests import find
from rollbacks.services.flags import ask_flags
from rollbacks.views.project import download_patch

router = Router(tags=["checklist"])


@router.post("/requests/{int:pk}/check-flags", response={202: Asked}, auth=FILES, openapi_extra=DOCUMENTED)
@repeatable(202)
def check_flags(request: HttpRequest, pk: int) -> Asked:
    """Have a worker ask for the target's flags; when each is as expected, the checklist's item is answered with that."""
    check = ask_flags(request.user, find(pk).pk)
    return Asked(
        id=check.pk, sentence="Asked. A worker reads the flags; look at the request's checklist in a few seconds."
    )


@router.get("/requests/{int:pk}/executions/{int:number}/patch", auth=READS, response={200: bytes}, tags=["executions"])
def read_patch(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The branch of an execution as `git am` takes it, always as a download."""
    find(pk)
    return download_patch(pk, number)
