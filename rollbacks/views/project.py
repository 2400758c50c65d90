"""Having a worker check feature flags, and taking the rollback's branch along as a patch."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from rollbacks.models import PatchFile
from rollbacks.services.flags import ITEM, ask_flags
from rollbacks.views.doors import door


@require_POST
@door
def check_flags(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a worker ask for the target's flags; the checklist's page shows what it saw."""
    ask_flags(request.user, pk)
    messages.success(request, _("Asked. A worker reads the flags; this page shows what it saw."))
    return redirect("request-answer", pk=pk, item=ITEM)


@require_safe
@door
def patch(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Download the branch of a run as `git am` takes it."""
    return download_patch(pk, number)


def download_patch(pk: int, number: int) -> HttpResponse:
    """Return the patch of the request's run as a download; 404 when there is none."""
    found = get_object_or_404(PatchFile, execution__request_id=pk, execution__number=number)
    response = HttpResponse(bytes(found.content), content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="rb-{pk}-run-{number}.patch"'
    response["X-Content-Type-Options"] = "nosniff"
    return response
