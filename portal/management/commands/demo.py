"""`manage.py demo`: the whole portal with a demo organisation, or one rollback from end to end with --once."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection
from django.utils.translation import gettext as _

from demo import once as demo_once
from demo import organisation
from demo.target import migrations
from portal.embedded.provision import provision
from portal.embedded.services import Services
from portal.embedded.state import EmbeddedError
from portal.embedded.supervise import Supervisor, free_port
from rollbacks.services.moves import Refused

WORKERS_ONLY = (
    "PGSERVICEFILE", "NZILA_DIRECT_DATABASE_URL", "SCRATCH_DATABASE_URL", "BACKUP_DIR", "BACKUP_STORE_URL", "BACKUP_IDENTITY_FILE",
    "MIGRATE_DATABASE_URL",
)  # fmt: skip
RETURN_TO = "0002_rich_marten_broadcloak"


class Command(BaseCommand):
    """Start the demo; Ctrl-C stops everything that it started."""

    help = "Start the portal with a demo organisation, or with --once do one rollback from end to end."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="first port to try")
        parser.add_argument("--once", action="store_true", help="do one rollback without a browser, then stop")
        parser.add_argument("--return-to", default=RETURN_TO, help="with --once: the migration to go back to")
        parser.add_argument("--json", action="store_true", help="with --once: print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        services = Services()
        try:
            if options["once"]:
                self._once(services, options)
            else:
                self._serve(services, options["port"])
        except (EmbeddedError, demo_once.OnceFailed, Refused) as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise SystemExit(130) from None

    def _serve(self, services: Services, port: int) -> None:
        with services.state.held("an address it has not said yet") as note:
            supervisor = Supervisor(os.environ)
            supervisor.listen_for_signals()
            try:
                services.start(tied=True)
                provision(services)
                organisation.enrol(organisation.add_people())
                organisation.add_target(services)
                port = free_port(port)
                # A name, because browsers make no passkey for a number.
                address = f"http://localhost:{port}/"
                _start_processes(supervisor, port)
                supervisor.wait_ready(f"{address}readyz")
                note(address)
                self._welcome(address)
                supervisor.run()
            finally:
                self.stdout.write(_("Stopping …"))
                supervisor.stop()
                connection.close()
                services.stop(only_started=True)

    def _welcome(self, address: str) -> None:
        lines = [f"  {person.username:<8} {person.password:<20} {person.role}" for person in organisation.PEOPLE]
        people = "\n".join(lines)
        self.stdout.write(
            _(
                "\nReady: %(address)s\n\nSign in as (user, password, role):\n%(people)s\n\n"
                "Who signs or administers needs a code too: %(address)sdemo/authenticator/\n\nCtrl-C stops everything.\n"
            )
            % {"address": address, "people": people}
        )

    def _once(self, services: Services, options: dict[str, Any]) -> None:
        known = [migration.tag for migration in migrations().migrations]
        if options["return_to"] not in known[:-1]:
            raise CommandError(_("--return-to must be one of %(tags)s.") % {"tags": ", ".join(known[:-1])})
        supervisor = Supervisor(os.environ)
        steps: list[dict[str, Any]] = []

        def say(name: str, outcome: str, milliseconds: int, evidence: dict[str, Any]) -> None:
            steps.append({"name": name, "outcome": outcome, "seconds": milliseconds / 1000, "evidence": evidence})
            if not options["json"]:
                self.stdout.write(f"{name:>10}  {outcome:<6} {milliseconds / 1000:7.2f} s  {_brief(evidence)}")

        try:
            services.start(tied=True)
            provision(services)
            # A queue of its own: a demo that runs beside it has its own worker, and neither takes the other's work.
            settings.CELERY_TASK_DEFAULT_QUEUE = f"once-{os.getpid()}"
            _use_queue(settings.CELERY_TASK_DEFAULT_QUEUE)
            queue = {"CELERY_QUEUE": settings.CELERY_TASK_DEFAULT_QUEUE}
            supervisor.start("worker", _worker(), quiet=options["json"], extra=queue)
            people = organisation.add_people()
            target = demo_once.fresh_target(services)
            made = demo_once.file_and_sign(people, target, options["return_to"], say)
            execution = demo_once.execute(people, made, say)
            found = demo_once.check(services, made, options["return_to"])
            result = demo_once.result(services, made, execution, steps, found)
        finally:
            supervisor.stop()
            connection.close()
            services.stop(only_started=True)
        self._report(result, as_json=options["json"])

    def _report(self, result: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(result, indent=2))
            return
        self.stdout.write(
            _(
                "\n%(request)s is at the return point and its record is sealed.\n  record      %(repository)s\n              branch %(branch)s, %(record)s\n  digest      %(digest)s\n  trail head  %(trail_head)s"
            )
            % result
        )


def _start_processes(supervisor: Supervisor, port: int) -> None:
    # The web side never holds a target's credentials, so it is not told where they are.
    web = dict.fromkeys(WORKERS_ONLY, "")
    uvicorn = [sys.executable, "-m", "uvicorn", "portal.asgi:application", "--host", "127.0.0.1", "--port", str(port)]
    supervisor.start("web", [*uvicorn, "--workers", "2", "--log-level", "warning", "--no-server-header"], extra=web)
    supervisor.start("worker", _worker(), extra={"PORTAL_URL": f"http://localhost:{port}"})
    schedule = os.path.join(os.environ["PORTAL_STATE"], "beat")
    supervisor.start(
        "beat",
        [sys.executable, "-m", "celery", "-A", "portal", "-q", "beat", "-l", "warning", "-s", schedule],
        extra=web,
    )


def _worker() -> list[str]:
    celery = [
        sys.executable,
        "-m",
        "celery",
        "-A",
        "portal",
        "-q",
        "worker",
        "--concurrency",
        "2",
        "--loglevel",
        "warning",
    ]
    return [*celery, "--without-mingle", "--without-gossip"]


def _use_queue(name: str) -> None:
    from portal.celery import app

    app.conf.task_default_queue = name


def _brief(evidence: dict[str, Any]) -> str:
    shown = [f"{key}={value}" for key, value in evidence.items() if isinstance(value, str | int | bool)]
    return " ".join(shown)[:160]
