"""A worker process that does one step of a recovery and kills itself at a named moment: killed_worker.py PK MOMENT."""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

import django

django.setup()

from recoveries import engine  # noqa: E402
from recoveries.providers import azure  # noqa: E402
from recoveries.providers.recovering_server import RecoveringServer  # noqa: E402
from tests.recoveries.resource_manager import Signed  # noqa: E402


def die(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    pk, moment = sys.argv[1:]
    if moment == "copying":
        # All files are copied, but the copy has not got its name.
        RecoveringServer._write_settings = die  # type: ignore[method-assign]
    elif moment == "started":
        RecoveringServer.wait_recovered = die  # type: ignore[method-assign]
    elif moment == "asked":
        # Azure has accepted the restore and the operation is kept.
        azure.credential_of = lambda environ: Signed()  # type: ignore[assignment, return-value]
        azure.Azure._poll = die  # type: ignore[method-assign]
    engine.advance(int(pk), worker=f"process {os.getpid()}", environ=os.environ)


main()
