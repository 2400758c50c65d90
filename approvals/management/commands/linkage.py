"""`manage.py linkage`: accounts that may belong to one person."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from approvals.linkage import links


class Command(BaseCommand):
    """List what accounts share."""

    help = "List accounts that share an e-mail address, an identity, a factor or the look of their name; exit 1 if any."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON array")

    def handle(self, *args: Any, **options: Any) -> None:
        found = links()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(link) for link in found], indent=2))
        elif not found:
            self.stdout.write(_("No two accounts share an address, an identity, a factor or the look of a name."))
        else:
            for link in found:
                people = ", ".join(f"{name} (person:{pk})" for pk, name in link.people)
                self.stdout.write(f"{link.kind:<18} {link.value:<32} {people}")
        if found:
            raise SystemExit(1)
