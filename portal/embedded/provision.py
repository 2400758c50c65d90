"""Bringing the embedded portal up to date: migrations as the owner, grants for the application's role."""

from __future__ import annotations

import os
import subprocess
import sys

from portal.embedded.services import Services
from portal.embedded.state import PROJECT, EmbeddedError


def provision(services: Services) -> None:
    """Migrate the embedded portal database and grant the application's role; raises EmbeddedError.

    In processes of their own, because this one is connected as the application's role, which may do neither.
    """
    environment = services.environment()
    owner = {**os.environ, **environment, "DATABASE_URL": environment["MIGRATE_DATABASE_URL"]}
    for arguments in (["migrate", "--verbosity", "0"], ["grant_app_role", "portal_app"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=owner,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
            raise EmbeddedError(f"The portal's database could not be brought up to date: {last[0]}")
