"""The child that asks one of the operator's addresses; of the portal it imports only the guard.

Read from standard input and answered on standard output, both JSON; the address and its tokens are in no argument.
"""

from __future__ import annotations

import json
import signal
import sys
from pathlib import Path
from typing import Any

# An isolated interpreter knows neither this folder nor the portal's.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from rollbacks.adapters.web_guard import Forbidden, Guard, constrain


def ask(given: dict[str, Any]) -> dict[str, Any]:
    """Return {"status", "text"}, or {"sentence"} when there is no answer; the sentence has nothing of the address."""
    import requests

    guard = Guard(networks=given["networks"], loopback=given["loopback"])
    constrain(requests, guard, [], ca_file=given["ca_file"], seconds=given["seconds"], most=given["most"])
    guard.watch()
    signal.setitimer(signal.ITIMER_REAL, given["seconds"])
    try:
        found = requests.request(
            given["method"], given["url"], json=given["body"], headers=given["headers"], timeout=given["seconds"]
        )
    except Forbidden:
        return {"sentence": guard.refused}
    except (requests.exceptions.RequestException, ValueError):
        # What the library says would repeat the address.
        return {"sentence": guard.refused or "The address could not be reached."}
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return {"status": found.status_code, "text": found.content.decode("utf-8", errors="replace")}


if __name__ == "__main__":
    print(json.dumps(ask(json.load(sys.stdin))))  # noqa: T201  # the answer to the parent
