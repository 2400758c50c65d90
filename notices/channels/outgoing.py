"""Sending to one of the operator's addresses, in a child process that can reach only what it may."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from notices.channels.addresses import Address

CHILD = Path(__file__).with_name("outgoing_child.py")
# The child gives itself five seconds for the network; starting it takes a moment on a busy machine.
WALL_SECONDS = 20


class NotSent(Exception):
    """The notice did not leave; the message is one sentence without anything secret.

    `final` says that another attempt would end the same way; `silent` that the whole channel did not answer.
    """

    def __init__(self, sentence: str, *, final: bool = False, silent: bool = False) -> None:
        super().__init__(sentence)
        self.final, self.silent = final, silent


def send(
    address: Address,
    *,
    title: str,
    body: str,
    urgent: bool,
    networks: Sequence[str],
    loopback: bool,
    ca_file: str = "",
) -> None:
    """Send the text; raises NotSent unless the address answered with a 2xx status within five seconds."""
    given: dict[str, Any] = {
        "url": address.url, "title": title, "body": body, "type": "warning" if urgent else "info",
        "networks": list(networks), "loopback": loopback, "ca_file": ca_file,
    }  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-I", str(CHILD)],
            input=json.dumps(given).encode(),
            stdout=subprocess.PIPE,
            # What a service writes to its log may have the address in it.
            stderr=subprocess.DEVNULL,
            # Nothing of the worker's environment: it holds the way to every target.
            env={},
            timeout=WALL_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotSent("The address did not answer in time.", silent=True) from error
    if done.returncode == -signal.SIGALRM:
        raise NotSent("The address did not answer within 5 seconds.", silent=True)
    try:
        answer = json.loads(done.stdout)
    except ValueError as error:
        raise NotSent("Sending stopped unexpectedly.", silent=True) from error
    if not answer["sent"]:
        raise NotSent(answer["sentence"], silent=True)
