"""The project's own commands of a target, run in a checkout of the rollback's branch."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from rollbacks.adapters import commands
from rollbacks.adapters.commands import Ended
from rollbacks.adapters.merging import PatchTooLarge, check_out, patch_of
from rollbacks.adapters.repository import Repository
from rollbacks.ports import StepContext

CHECKOUT = "rollback-checkout-"
# No command may take longer than a quarter of this, so nothing that is at work is ever so old.
LEFT_SECONDS = 24 * 3600


@contextmanager
def checkout(ctx: StepContext) -> Iterator[Path]:
    """Give a folder with the files of the staged commit, removed at the end; raises RepositoryError."""
    with tempfile.TemporaryDirectory(prefix=CHECKOUT, ignore_cleanup_errors=True) as place:
        folder = Path(place) / "checkout"
        check_out(Repository(ctx.target.repository), ctx.evidence["stage"]["commit"], folder)
        yield folder


def sweep_checkouts(*, now: float, place: Path | None = None) -> None:
    """Remove checkouts that a killed worker left in the folder for temporary files a day ago; `now` in seconds of the epoch."""
    for left in (place or Path(tempfile.gettempdir())).glob(f"{CHECKOUT}*"):
        with suppress(OSError):
            status = left.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid() and now - status.st_mtime > LEFT_SECONDS:
                shutil.rmtree(left)


def keep_patch(ctx: StepContext, repository: Repository) -> None:
    """Keep the branch as a patch to download; one that is too large is left to the repository. Raises RepositoryError."""
    with suppress(PatchTooLarge):
        base = ctx.evidence["preflight"]["base_commit"]
        ctx.keep_patch(patch_of(repository, ctx.evidence["stage"]["branch"], base=base))


def prepared(ctx: StepContext, folder: Path) -> Ended | None:
    """Run the command that prepares a checkout, which never sees the database's URL; None when there is none."""
    command = ctx.plan.chosen.prepare
    return run(ctx, command, folder) if command else None


def run(ctx: StepContext, command: tuple[str, ...], folder: Path, *, url: str = "") -> Ended:
    """Run one command of the signed plan in the checkout and return how it ended."""
    # The branch has the schema of before the rollback still: who merges it reverts that. Tests may want to know.
    told = {"ROLLBACK_REQUEST": f"RB-{ctx.request}", "ROLLBACK_RETURN_POINT": ctx.plan.return_to or ""}
    return commands.run(
        command,
        options=ctx.plan.chosen,
        folder=folder,
        environ=ctx.environ,
        heartbeat=ctx.heartbeat,
        url=url,
        told=told,
    )
