"""Asking one of the operator's addresses over HTTP, in a child process that can reach only what it may."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from rollbacks.adapters.target import variable_of
from rollbacks.adapters.web_guard import MAX_ANSWER, SECONDS

CHILD = Path(__file__).with_name("web_child.py")
# Starting the child takes a moment on a busy machine.
STARTING_SECONDS = 15
YES = {"1", "true", "yes", "on"}


class BadNetworks(ValueError):
    """NOTIFY_ALLOWED_NETWORKS has something that is no network."""


class NoAddress(Exception):
    """The worker has no address for this; the sentence names the variable to set."""


class Unanswered(Exception):
    """No answer came; the sentence says why and has nothing secret."""


@dataclass(frozen=True)
class Answer:
    """What an address answered: its status and the text of the body."""

    status: int
    text: str

    @property
    def good(self) -> bool:
        """Whether it was accepted."""
        return 200 <= self.status < 300


def address_of(target: str, purpose: str, environ: Mapping[str, str]) -> str:
    """Return the address in NAME_PURPOSE of the worker's environment, or in the file NAME_PURPOSE_FILE; raises NoAddress."""
    variable = variable_of(target, purpose)
    found = environ.get(variable, "")
    if not found and environ.get(f"{variable}_FILE"):
        try:
            found = Path(environ[f"{variable}_FILE"]).read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise NoAddress(f"The file that {variable}_FILE names cannot be read; mount it for the worker.") from error
    if not found:
        raise NoAddress(f"The worker has no {variable}; set it.")
    return found


def networks_of(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the networks of NOTIFY_ALLOWED_NETWORKS, which may be reached though they are not public; raises BadNetworks."""
    networks = environ.get("NOTIFY_ALLOWED_NETWORKS", "").replace(",", " ").split()
    for network in networks:
        try:
            ip_network(network)
        except ValueError as error:
            raise BadNetworks(f"NOTIFY_ALLOWED_NETWORKS has {network}; write networks as 10.20.0.0/16.") from error
    return tuple(networks)


def ask(
    method: str,
    url: str,
    *,
    environ: Mapping[str, str],
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    seconds: float = SECONDS,
    most: int = MAX_ANSWER,
) -> Answer:
    """Return what the address answers within so many seconds, whatever its status; raises Unanswered.

    Only public addresses by https and the operator's allowed networks are reached; no redirect is followed and no
    proxy used. `body` is sent as JSON. Plain http goes to this machine only, and only in the demo.
    """
    try:
        networks = networks_of(environ)
    except BadNetworks as error:
        raise Unanswered(str(error)) from error
    given = {
        "method": method, "url": url, "body": body, "headers": dict(headers or {}), "networks": list(networks),
        "loopback": environ.get("PORTAL_DEMO", "").lower() in YES, "ca_file": environ.get("NOTIFY_CA_FILE", ""),
        "seconds": seconds, "most": most,
    }  # fmt: skip
    try:
        # Nothing of the worker's environment, and nothing that a library logs.
        done = subprocess.run(
            [sys.executable, "-I", str(CHILD)], input=json.dumps(given).encode(), stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, env={}, timeout=seconds + STARTING_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Unanswered("The address did not answer in time.") from error
    if done.returncode == -signal.SIGALRM:
        raise Unanswered(f"The address did not answer within {seconds:g} seconds.")
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise Unanswered("Asking the address stopped unexpectedly.") from error
    if "sentence" in answer:
        raise Unanswered(answer["sentence"])
    return Answer(answer["status"], answer["text"])
