"""`manage.py add_service_account`: an account for a pipeline, and a token for it."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from approvals.tokens import MAX_DAYS, SCOPES, SERVICE_ROLES, TokenRefused, add_service_account, make_token


class Command(BaseCommand):
    """Add a service account and print a token of it once; administrators make and revoke further ones on the page."""

    help = "Add a service account without a password and print its first API token, which is not kept."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--purpose", required=True, help="what uses it, for example: CI of the shop")
        parser.add_argument("--role", action="append", required=True, choices=SERVICE_ROLES)
        parser.add_argument("--scope", action="append", default=[], choices=SCOPES)
        parser.add_argument("--days", type=int, default=30, help=f"1 to {MAX_DAYS}")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with transaction.atomic():
                text = self._add(options)
        except TokenRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(text)

    def _add(self, options: dict[str, Any]) -> str:
        """Add the account with its token or neither."""
        account = add_service_account(
            None, username=options["username"], purpose=options["purpose"], roles=options["role"]
        )
        name, days = options["purpose"][:100], options["days"]
        return make_token(None, owner=account, name=name, scopes=options["scope"], days=days)[1]
