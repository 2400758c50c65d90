"""`manage.py reset_factors`: take somebody's second factors away because the device is lost."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from approvals.factors import remove_factors


class Command(BaseCommand):
    """Remove factors and end sessions; the person enrols anew at the next sign-in."""

    help = "Remove all second factors and recovery codes of a person and end their sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        person = get_user_model().objects.filter(username=options["username"]).first()
        if person is None:
            raise CommandError(_("There is no account %(username)s.") % options)
        count = remove_factors(None, person)
        self.stdout.write(
            _("%(count)s factors are gone; %(username)s enrols anew at the next sign-in.") % {**options, "count": count}
        )
