"""An embedded PostgreSQL for one measurement, gone afterwards."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from portal.embedded.postgres import Postgres
from portal.embedded.state import State


@contextmanager
def throwaway_server() -> Iterator[Postgres]:
    """Yield a running cluster of its own that does not sync to disk."""
    root = Path(tempfile.mkdtemp(prefix="rollback-bench-"))
    root.chmod(0o755)
    state = State(root)
    server = Postgres(state, "bench")
    try:
        state.prepare()
        server.start("fsync=off", "full_page_writes=off", "max_locks_per_transaction=20000", tied=True)
        yield server
    finally:
        server.stop()
        server.remove()
        shutil.rmtree(state.sockets, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)
