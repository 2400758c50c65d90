"""`manage.py embedded start|stop|status|env`: the demo's services by hand."""

from __future__ import annotations

import json
import shlex
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from portal.embedded.provision import provision
from portal.embedded.services import Services
from portal.embedded.state import EmbeddedError


class Command(BaseCommand):
    """Start, stop or show the embedded PostgreSQL clusters and Valkey."""

    help = "Start, stop or show the embedded services; `env` prints their variables for a shell."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("action", choices=["start", "stop", "status", "env"])
        parser.add_argument("--json", action="store_true", help="with status and env: print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        services = Services()
        try:
            getattr(self, f"_{options['action']}")(services, as_json=options["json"])
        except EmbeddedError as error:
            raise CommandError(str(error)) from error

    def _start(self, services: Services, *, as_json: bool) -> None:
        services.start(tied=False)
        provision(services)
        self._status(services, as_json=as_json)

    def _stop(self, services: Services, *, as_json: bool) -> None:
        services.stop()
        self._status(services, as_json=as_json)

    def _status(self, services: Services, *, as_json: bool) -> None:
        status = services.status()
        if as_json:
            self.stdout.write(json.dumps(status))
            return
        for name, running in status.items():
            self.stdout.write(f"{name:>8}: {_('running') if running else _('stopped')}")

    def _env(self, services: Services, *, as_json: bool) -> None:
        environment = services.environment()
        if as_json:
            self.stdout.write(json.dumps(environment))
            return
        for name, value in environment.items():
            self.stdout.write(f"export {name}={shlex.quote(value)}")
