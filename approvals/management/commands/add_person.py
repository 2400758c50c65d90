"""`manage.py add_person`: give somebody an account and roles."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from approvals.people import UnknownRole, add_person
from approvals.refusals import Refused
from approvals.roles import ROLES


class Command(BaseCommand):
    """Add a person, or set the roles of one who is there; the roles are held at once, by an operator's word."""

    help = "Add a person with exactly these roles; asks for the password so that it is never in a command line."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="")
        parser.add_argument("--email", default="")
        parser.add_argument("--role", action="append", default=[], choices=list(ROLES))
        parser.add_argument("--no-password", action="store_true", help="the person cannot sign in with a password")

    def handle(self, *args: Any, **options: Any) -> None:
        password = None if options["no_password"] else getpass.getpass(_("Password: "))
        try:
            add_person(
                None,
                username=options["username"],
                name=options["name"],
                email=options["email"],
                password=password,
                roles=options["role"],
            )
        except (UnknownRole, Refused) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("%(username)s can sign in.") % {"username": options["username"]})
