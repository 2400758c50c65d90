"""The child that sends one notice to one of the operator's addresses; it imports apprise and of the portal only the guard.

The guard is on the process, not on a look at the address beforehand, whatever a service of apprise does. Read from
standard input and answered on standard output, both JSON; the address is in no argument.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

# An isolated interpreter knows neither this folder nor the portal's.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rollbacks.adapters.web_guard import SECONDS, Forbidden, Guard, constrain


def send(given: dict[str, Any]) -> dict[str, Any]:
    """Send and return {"sent": bool, "sentence": str}; the sentence has nothing of the address in it."""
    import apprise
    import requests

    guard = Guard(networks=given["networks"], loopback=given["loopback"])
    answers: list[int] = []
    constrain(requests, guard, answers, ca_file=given["ca_file"])
    asset = apprise.AppriseAsset(async_mode=False, storage_mode="memory", app_id="Rollback portal")
    service = apprise.Apprise.instantiate(given["url"], asset=asset)
    if service is None:
        return {"sent": False, "sentence": "The address is incomplete for its kind; correct it in NOTIFY_URLS."}
    guard.watch()
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        sent = bool(service.notify(body=given["body"], title=given["title"], notify_type=given["type"]))
    except Forbidden:
        sent = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    # A service may call an answer good that was a redirect or a page of an intermediary.
    if sent and all(200 <= status < 300 for status in answers):
        return {"sent": True, "sentence": ""}
    if guard.refused:
        return {"sent": False, "sentence": guard.refused}
    return {"sent": False, "sentence": _failure(answers)}


def _failure(answers: list[int]) -> str:
    if not answers:
        return "The address could not be reached."
    if 300 <= answers[-1] < 400:
        return f"The address answered with a redirect ({answers[-1]}), which is not followed."
    return f"The address answered with the status {answers[-1]}."


if __name__ == "__main__":
    print(json.dumps(send(json.load(sys.stdin))))  # noqa: T201  # the answer to the parent
