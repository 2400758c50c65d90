"""`manage.py link_identity`: let an identity of the single sign-on use an account that is there already."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from approvals.people import link
from approvals.refusals import Refused


class Command(BaseCommand):
    """Link an identity to an account; the portal never does that by itself."""

    help = "Link an identity of the single sign-on, by its subject, to an account that is there already."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--provider", default="oidc", help="oidc or github")
        parser.add_argument("--subject", required=True, help="the claim sub; for GitHub the number of the user")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            link(None, username=options["username"], provider=options["provider"], subject=options["subject"])
        except Refused as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(_("%(username)s can sign in with this identity.") % {"username": options["username"]})
