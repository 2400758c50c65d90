#!/usr/bin/env python3
"""The portal's command line."""

from __future__ import annotations

import os
import sys

# These start services of their own and must never act on a database that somebody pointed the shell at.
EMBEDDED_COMMANDS = {"demo", "embedded"}
# These touch neither the portal's database nor its broker, so they run where neither is configured.
STANDALONE_COMMANDS = {"reversal"}
UNUSED = {
    "SECRET_KEY": "unused", "DATABASE_URL": "postgresql://unused@unused.invalid/unused", "REDIS_URL": "redis://unused.invalid/0",
}  # fmt: skip


def main() -> None:
    """Run a management command; `demo` and `embedded` always use the embedded services' variables."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if len(sys.argv) > 1 and sys.argv[1] in EMBEDDED_COMMANDS:
        _use_embedded()
    if len(sys.argv) > 1 and sys.argv[1] in STANDALONE_COMMANDS:
        for name, value in UNUSED.items():
            os.environ.setdefault(name, value)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


def _use_embedded() -> None:
    from portal.embedded.services import Services
    from portal.embedded.state import EmbeddedError

    try:
        environment = Services().environment()
    except EmbeddedError as error:
        sys.exit(str(error))
    given = os.environ.get("DATABASE_URL")
    if given and given != environment["DATABASE_URL"]:
        print("DATABASE_URL is set; the demo uses its own database and leaves yours alone.", file=sys.stderr)
    for name in [name for name in os.environ if name.endswith("_DIRECT_DATABASE_URL") or name.startswith("PG")]:
        # A shell's PGHOST or a real target's URL must not leak into the demo's processes; PG_BINDIR may.
        if name != "PG_BINDIR":
            del os.environ[name]
    os.environ.update(environment)


if __name__ == "__main__":
    main()
