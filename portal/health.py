"""Whether the portal lives and whether it can serve, for a load balancer."""

from __future__ import annotations

import logging
import time

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from approvals.services import database_time

logger = logging.getLogger(__name__)
# A code of an app is good for 30 seconds.
LARGEST_SKEW_SECONDS = 20


@login_not_required
@require_safe
def livez(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process serves."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 200 when the portal's database answers and agrees on the time, else 503 with a sentence.

    What expires goes by the database's clock; with another one here, codes of apps and sessions would be judged wrongly.
    """
    try:
        skew = abs(time.time() - database_time().timestamp())
    except DatabaseError:
        return _unready("The portal's database does not answer.")
    if skew > LARGEST_SKEW_SECONDS:
        return _unready(
            f"This server's clock and the database's are {skew:.0f} seconds apart; set the wrong one right."
        )
    return HttpResponse("ok\n", content_type="text/plain")


def _unready(sentence: str) -> HttpResponse:
    logger.error(sentence)
    return HttpResponse(f"{sentence}\n", status=503, content_type="text/plain")
