"""`manage.py verify_trail`: exit 0 when every line and record holds, 1 at the first break."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from records.verification import verify


class Command(BaseCommand):
    """Check the hash chain of the trail and the digest of every sealed change record."""

    help = "Check the hash chain of the trail and every sealed record; exit 1 at the first break."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the result as one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = verify()
        if options["json"]:
            broken = None if found.broken is None else {"seq": found.broken.seq, "sentence": found.broken.sentence}
            body = {"lines": found.lines, "records": found.records, "head": found.head, "broken": broken}
            self.stdout.write(json.dumps(body))
        elif found.broken is None:
            self.stdout.write(
                _("The trail holds: %(lines)d lines, %(records)d sealed records, head %(head)s.")
                % {"lines": found.lines, "records": found.records, "head": found.head}
            )
        else:
            self.stderr.write(_("The trail is broken. %(sentence)s") % {"sentence": found.broken.sentence})
        if found.broken is not None:
            raise SystemExit(1)
