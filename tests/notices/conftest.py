"""What the tests of notices share: a real mail server, a real receiver, and requests made of rows alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from approvals.in_force import rulebook
from approvals.policy import Choice
from approvals.rulebook import Traits
from approvals.services import close_case, open_case
from notices.channels.addresses import addresses_of
from notices.collecting import BATCH, collect
from records import trail
from rollbacks.models import Request, Revision, Target
from rollbacks.services.moves import subject_of
from tests.rollback import sign

HERE = Path(__file__).parent
DIGEST = "4f2a" * 16
SECRET = "Zx9-very-secret-token"


@dataclass
class Server:
    """A process on loopback with its port and the folder that it keeps things in."""

    port: int
    folder: Path

    def says(self, mode: str) -> None:
        (self.folder / "mode").write_text(mode)

    @property
    def mails(self) -> list[EmailMessage]:
        found = [message_from_bytes(path.read_bytes(), policy=policy.default) for path in self._kept("eml")]
        return [each for each in found if isinstance(each, EmailMessage)]

    @property
    def posts(self) -> list[dict[str, Any]]:
        return [json.loads(path.read_text()) for path in self._kept("json")]

    def _kept(self, ending: str) -> list[Path]:
        return sorted(self.folder.glob(f"*.{ending}"))


@contextmanager
def served(script: str, folder: Path) -> Iterator[Server]:
    folder.mkdir()
    command = [sys.executable, "-W", "ignore", str(HERE / script), str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield Server(int(child.stdout.readline()), folder)
        finally:
            child.kill()


@pytest.fixture
def mail_server(tmp_path: Path, settings: Any) -> Iterator[Server]:
    with served("mail_server.py", tmp_path / "mail") as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Server]:
    with served("receiver.py", tmp_path / "receiver") as server:
        yield server


def environ_to(server: Server, audience: str = "on-call") -> dict[str, str]:
    """Return the worker's environment with the receiver as one of the operator's addresses."""
    return {"NOTIFY_URLS": f"{audience}  Pager of the week  json://user:{SECRET}@127.0.0.1:{server.port}/{SECRET}"}


def gather(environ: dict[str, str] | None = None) -> None:
    """Read the trail to its end, as the worker's task does."""
    addresses = addresses_of(environ or {}, roles=["on-call", "platform", "security", "cto"])
    while collect(addresses) == BATCH:
        continue


def a_request(people: dict[str, Any], *, state: str = "draft") -> Request:
    """Make a request of rows alone: what notices read of it, without a target behind it."""
    target, _ = Target.objects.get_or_create(
        name="shop", defaults={"title": "Shop", "environment": "production", "repository": "/r", "out": "drizzle"}
    )
    request = Request.objects.create(target=target, author=people["engineer"], state=state, return_to="0002_calm_fox")
    Revision.objects.create(request=request, number=1, author=people["engineer"], digest=DIGEST)
    return request


def a_case(people: dict[str, Any], request: Request, *, security: bool = True) -> None:
    """Open a case about the request and move it to review, each with its fact."""
    with trail.recording(people["engineer"]) as facts:
        open_case(
            facts, subject=subject_of(request.pk), digest=DIGEST, policy=replace(rulebook().policy_for(Traits(security=security)), request_expires_hours=72),
            barred={people["engineer"].pk: "You filed this request."}, opened_by=people["engineer"],
        )  # fmt: skip
    Request.objects.filter(pk=request.pk).update(state="in_review")


def vote(people: dict[str, Any], request: Request, role: str, choice: Choice = Choice.APPROVE) -> None:
    sign(people[role], request, role, DIGEST, choice, reason="Not today." if choice is Choice.REJECT else "")


def fact(actor: Any, action: str, subject: str, **detail: Any) -> None:
    """Write one fact, as a use case would."""
    with trail.recording(actor) as facts:
        facts.add(action, subject, **detail)


def edited(people: dict[str, Any], request: Request, reason: str) -> None:
    with trail.recording(people["engineer"]) as facts:
        close_case(facts, subject=subject_of(request.pk), reason=reason)
