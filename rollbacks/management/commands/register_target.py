"""`manage.py register_target`: tell the portal of a database, its repository and its Drizzle settings."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from rollbacks.drizzle.journal import PREFIXES
from rollbacks.options import DEFAULT_SECONDS
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
        parser.add_argument(
            "--backup-days", type=int, default=None, help="how long backups are kept, if not BACKUP_DAYS"
        )
        self._add_options(parser)

    def _add_options(self, parser: CommandParser) -> None:
        """What docs/runbook-commands.md explains: the project's own commands, freeze, flags and pull requests."""
        words: dict[str, Any] = {"type": _words, "default": [], "metavar": '\'["pnpm","…"]\''}
        parser.add_argument("--contract-tests", **words, help="command that verify runs, as a JSON list of words")
        parser.add_argument("--migrate-command", **words, help="apply by this command instead of by the portal itself")
        parser.add_argument(
            "--prepare-command", **words, help="command that prepares each checkout, without the database"
        )
        parser.add_argument("--command-variable", action="append", default=None, help="variable that commands may see")
        parser.add_argument("--command-seconds", type=int, default=DEFAULT_SECONDS, help="limit of each command")
        parser.add_argument("--deploy-freeze", action="store_true", help="ask NAME_DEPLOY_FREEZE_URL before apply")
        parser.add_argument(
            "--flag", action="append", type=_flag, default=None, metavar="POINTER=VALUE",
            help="flag that NAME_FLAGS_URL has to answer with, e.g. /flags/new_billing=false; repeat for each",
        )  # fmt: skip
        parser.add_argument("--github", default="", metavar="OWNER/NAME", help="open pull requests there")

    def handle(self, *args: Any, **options: Any) -> None:
        fields = (
            "environment", "repository", "base_branch", "out", "prefix",
            "ledger_schema", "ledger_table", "owner_role",
            "contract_tests", "migrate_command", "prepare_command", "command_seconds", "deploy_freeze", "github",
            "backup_days",
        )  # fmt: skip
        try:
            target = register_target(
                None,
                name=options["name"],
                title=options["title"] or options["name"],
                audit_tables=options["audit_table"] or ["audit_events"],
                command_variables=options["command_variable"] or [],
                flags=dict(options["flag"] or []),
                **{field: options[field] for field in fields},
            )
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(_("Registered %(target)s.") % {"target": target.name})


def _words(text: str) -> list[str]:
    """A command comes as a list of words, so that no shell ever reads it."""
    try:
        words = json.loads(text)
    except ValueError:
        words = None
    if not isinstance(words, list) or not words or not all(isinstance(word, str) for word in words):
        raise ArgumentTypeError(_('write the command as a JSON list of words, as ["pnpm","contract-tests"]'))
    return words


def _flag(text: str) -> tuple[str, Any]:
    pointer, mark, value = text.partition("=")
    try:
        return pointer, json.loads(value) if mark else json.loads("?")
    except ValueError:
        raise ArgumentTypeError(
            _("write the flag as POINTER=VALUE with a JSON value, as /flags/new_billing=false")
        ) from None
