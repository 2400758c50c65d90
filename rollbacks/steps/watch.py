"""Watching a statement on the target from a second session: who blocks whom, the deadline, and the wish to stop.

Source: acceptance F32, F39. The server's own statement_timeout comes first; a script can change that, and not this.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import TypeVar

import psycopg

from rollbacks.adapters import sessions
from rollbacks.adapters import target as targets
from rollbacks.plan import Limits
from rollbacks.ports import Evidence, LeaseLost, StepEnded, StepFailed

logger = logging.getLogger(__name__)

Found = TypeVar("Found")
# When a statement is looked at first, and how often after that, in seconds.
FIRST_LOOK, LOOK = 0.2, 1.0
# How much later than the server the watch ends a statement, and how long a cancelled one has until its session is ended.
GRACE_SECONDS = 2.0
CANCEL_SECONDS = 5.0


class Watch:
    """The second session beside the one that applies; everything it shows is as of its last look."""

    def __init__(self, line: targets.Connection, pid: int, limits: Limits, told: Callable[[Evidence], None]) -> None:
        self._line, self._pid, self._told = line, pid, told
        self._deadline = limits.statement_timeout_ms / 1000 + GRACE_SECONDS
        self._at: Evidence = {}
        self.waited_for: tuple[sessions.Session, ...] = ()

    def mark(self, progress: Evidence) -> None:
        """Show where the transaction is, and let whoever wants it stopped say so (raises StepFailed, LeaseLost)."""
        self._at, self.waited_for = progress, ()
        self._told(progress)

    @property
    def where(self) -> str:
        """What is, or was last, executed."""
        if "statement" not in self._at:
            return "Checking the catalog" if self._at.get("checking") else "Locking the ledger"
        return f"Statement {self._at['statement']} (line {self._at['line']})"

    def run(self, call: Callable[[], Found]) -> Found:
        """Return what the call returns; it executes one statement in the watched session.

        Raises StepFailed once the statement is past its deadline or somebody wants the run stopped, and LeaseLost;
        the statement has been cancelled by then, or its session ended where it did not let itself be cancelled.
        """
        started = time.monotonic()
        with ThreadPoolExecutor(1, thread_name_prefix="statement") as pool:
            future = pool.submit(call)
            pause = FIRST_LOOK
            try:
                while not wait([future], timeout=pause).done:
                    self._look(time.monotonic() - started)
                    pause = LOOK
            except BaseException:
                self._end(future)
                raise
            return future.result()

    def _look(self, seconds: float) -> None:
        if seconds > self._deadline:
            raise StepFailed(
                f"{self.where} ran longer than the {self._deadline - GRACE_SECONDS:g} s that were signed and did not let "
                "the server end it, so the portal cancelled it. Everything was rolled back; the target is as it was."
            )
        seen: Evidence = {}
        try:
            self.waited_for = sessions.waits_for(self._line, self._pid)
            held_up = sessions.holds_up(self._line, self._pid)
            seen = {
                "waits_for": [str(each) for each in self.waited_for],
                "holds_up": [str(each) for each in held_up],
            }
        except psycopg.Error as error:
            logger.warning("The session that watches the apply could not look (%s).", type(error).__name__)
        try:
            self._told({**self._at, **seen})
        except (StepEnded, LeaseLost):
            raise
        except Exception as error:
            # The portal's database may be restarting; a statement that runs well is no reason to roll back.
            logger.warning("The progress of the apply could not be kept (%s).", type(error).__name__)

    def _end(self, future: Future[Found]) -> None:
        """Cancel the statement, then end its session: a function can catch a cancellation and go on."""
        for end in (sessions.cancel, sessions.terminate):
            try:
                end(self._line, self._pid)
            except psycopg.Error as error:
                logger.warning("The statement could not be ended (%s).", type(error).__name__)
            if wait([future], timeout=CANCEL_SECONDS).done:
                return


@contextmanager
def watching(
    credentials: targets.Credentials, connection: targets.Connection, limits: Limits, told: Callable[[Evidence], None]
) -> Iterator[Watch]:
    """Open the second session; raises Unreachable before anything was begun when the server has none left."""
    name = connection.info.parameter_status("application_name") or "rollback-portal"
    with targets.connect(credentials, application_name=name, autocommit=True) as line:
        yield Watch(line, connection.info.backend_pid, limits, told)
