"""The deploy freeze: the operator's address is asked before the target is touched, and told when it is over."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rollbacks.adapters import web
from rollbacks.adapters.redaction import cleaned, secrets_of
from rollbacks.ports import Evidence, StepContext, StepFailed

PURPOSE = "DEPLOY_FREEZE_URL"
# Between the attempts to get a freeze, in seconds. Nothing has happened yet, so failing is cheap.
PAUSES = (0.5, 2.0)
SAID = 300


class NotReleased(Exception):
    """The release did not get through; the sentence says why and has nothing secret."""


def hold(ctx: StepContext) -> Evidence:
    """Ask for the freeze and return what was answered; raises StepFailed when it was refused or nobody answered."""
    document = document_of(ctx.target.name, ctx.target.environment, request=ctx.request, digest=ctx.digest)
    sentence = ""
    for attempt, pause in enumerate((*PAUSES, None), 1):
        try:
            answer = _tell("freeze", ctx.target.name, document, token=ctx.token, environ=ctx.environ)
        except (web.Unanswered, web.NoAddress) as error:
            sentence = str(error)
        else:
            if answer.good:
                return {
                    "status": answer.status,
                    "attempts": attempt,
                    "held_at": ctx.now().isoformat(timespec="seconds"),
                }
            sentence = _refusal(answer, ctx.environ)
            # What the other side refuses it refuses again; what it cannot do now it may do in a moment.
            if answer.status < 500:
                break
        if pause is not None:
            time.sleep(pause)
    raise StepFailed(
        f"The deploy freeze was not granted, so the target was not touched. {sentence} Mend it, then start again."
    )


def release(target: str, document: Mapping[str, Any], *, token: str, environ: Mapping[str, str]) -> int:
    """Tell that the freeze of this execution is over and return the status; raises NotReleased.

    The same token may be released twice or without ever having been granted; the receiver has to take both.
    """
    try:
        answer = _tell("release", target, document, token=token, environ=environ)
    except (web.Unanswered, web.NoAddress) as error:
        raise NotReleased(str(error)) from error
    if not answer.good:
        raise NotReleased(_refusal(answer, environ))
    return answer.status


def document_of(target: str, environment: str, *, request: int, digest: str) -> dict[str, str]:
    """Return what freeze and release say alike, by which the receiver tells which of its freezes is over."""
    return {"target": target, "environment": environment, "request": f"RB-{request}", "digest": digest}


def _tell(
    action: str, target: str, document: Mapping[str, Any], *, token: str, environ: Mapping[str, str]
) -> web.Answer:
    url = web.address_of(target, PURPOSE, environ)
    headers = {"Idempotency-Key": f"{token}-{action}"}
    return web.ask("POST", url, body={"action": action, "token": token, **document}, headers=headers, environ=environ)


def _refusal(answer: web.Answer, environ: Mapping[str, str]) -> str:
    said = " ".join(cleaned(answer.text, secrets_of(environ)).split())[:SAID]
    return f"The address answered with the status {answer.status}{f' and said: {said}' if said else ''}."
