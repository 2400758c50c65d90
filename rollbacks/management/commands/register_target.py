"""`manage.py register_target`: tell the portal of a database, its repository and its Drizzle settings."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from rollbacks.drizzle.journal import PREFIXES
from rollbacks.services.moves import Refused
from rollbacks.services.targets import register_target


class Command(BaseCommand):
    """Register a target. Its credentials stay in the worker's environment and are never given here."""

    help = "Register a target: a database with its Drizzle migrations and their git repository."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="short name; the worker reads NAME_DIRECT_DATABASE_URL or service NAME")
        parser.add_argument("--title", default="", help="name on the pages (default: the short name)")
        parser.add_argument("--environment", default="production")
        parser.add_argument("--repository", required=True, help="path of the clone on the worker")
        parser.add_argument("--base-branch", default="main")
        parser.add_argument("--out", required=True, help="migrations folder in the repository, drizzle.config's out")
        parser.add_argument("--prefix", choices=sorted(PREFIXES), default="index")
        parser.add_argument("--ledger-schema", default="drizzle")
        parser.add_argument("--ledger-table", default="__drizzle_migrations")
        parser.add_argument("--owner-role", default="", help="role that owns the objects, if not the worker's")
        parser.add_argument("--audit-table", action="append", default=None, help="repeat for each audit table")

    def handle(self, *args: Any, **options: Any) -> None:
        fields = (
            "environment", "repository", "base_branch", "out", "prefix",
            "ledger_schema", "ledger_table", "owner_role",
        )  # fmt: skip
        try:
            target = register_target(
                None,
                name=options["name"],
                title=options["title"] or options["name"],
                audit_tables=options["audit_table"] or ["audit_events"],
                **{field: options[field] for field in fields},
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(_("Registered %(target)s.") % {"target": target.name})
